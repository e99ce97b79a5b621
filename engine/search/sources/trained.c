// SPDX-License-Identifier: GPL-3.0-or-later
// Quality by training: one network, whose shared weights take a step on a sampled path at a time, scores choices on held-out
// images.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/data/data.h"
#include "engine/nn/frozen.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/search/beginning.h"
#include "engine/search/schedule.h"
#include "engine/search/source.h"
#include "engine/tensor/rng.h"

static const double PI = 3.14159265358979323846;

// A split's order of images: an endless stream of epochs, each a permutation of its own.
struct stream {
	const char *purpose; // of its random stream
	enum data_split split;
	long first, count; // the images of the split that it runs over
	long epoch;        // that `order` is for; -1: none yet
	uint32_t *order;
};

struct trained {
	struct source source;
	struct data *data;
	struct data *smaller[SLOT_OPTIONS]; // the same images at the other sides that a path may take them at
	struct team *team;
	struct network *network;
	struct network_copy *copy;               // that is trained apart; NULL: there is none
	struct calibration *calibration, *plain; // of a choice; of fp32, where a choice is held against that
	float *other;                            // [batch][classes]: outputs in fp32, likewise
	struct judged *judged;                   // [batch]
	struct errors *errors;                   // what other formats would lose
	struct stream train, apart, heldout;
	uint16_t *labels; // [batch]
	uint32_t *index;  // [batch]
	struct plan plan;
	struct path path; // of the plan, where there is an architecture to choose
	float *share;     // [HALVES][layers][options]: of a mixture
	int sets;         // of norms; 0: none
	uint8_t *set;     // [layers]: in use by the plan
	int lane, count;
	const uint8_t *posted;
	int order[SEARCH_SAMPLES]; // of those posted, to score them in
};

// Held-out images from here on are for reports, those before for the policy.
static long report_first(const struct trained *t)
{
	return t->data->split[DATA_HELDOUT].count / 2;
}

static struct quantization quantization(const struct knobs *k)
{
	return (struct quantization){(enum range_kind)k->range, k->percentile, k->scales == SCALES_CHANNEL, k->unsigned_positive,
		(enum block_rule)k->blocks, k->scale == SCALE_PO2, (enum gradients)k->gradients};
}

// ---- opening ----

static bool check_sizes(const struct trained *t, struct fault *fault)
{
	const struct knobs *k = &t->source.shared->knobs;
	if (t->data->split[DATA_TRAIN].count < k->batch)
		return fault_set(fault, "batch", "choose a smaller batch, or more training images",
			"%ld images in a batch, but only %ld to train on", k->batch, t->data->split[DATA_TRAIN].count);
	if (report_first(t) < k->batch)
		return fault_set(fault, "heldout", "set aside at least twice the batch",
			"half of %ld held-out images is less than a batch of %ld", t->data->split[DATA_HELDOUT].count, k->batch);
	return true;
}

static bool serves(const struct knobs *k)
{
	(void)k; // whatever no other kind serves
	return true;
}

static void trained_close(struct source *source)
{
	struct trained *t = (struct trained *)source;
	network_copy_free(t->copy);
	calibration_free(t->calibration);
	calibration_free(t->plain);
	free(t->other);
	free(t->judged);
	errors_free(t->errors);
	network_free(t->network);
	team_free(t->team);
	data_free(t->data);
	for (int i = 0; i < SLOT_OPTIONS; i++)
		data_free(t->smaller[i]);
	free(t->train.order);
	free(t->apart.order);
	free(t->heldout.order);
	free(t->labels);
	free(t->index);
	path_free(&t->path);
	free(t->plan.layer);
	free(t->set);
	free(t->share);
	free(t);
}

static struct source *trained_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	const struct knobs *k = &shared->knobs;
	int side;
	struct preparation how = {.resize = k->resize, .crop = k->crop};
	struct trained *t = calloc(1, sizeof *t);
	if (!t) {
		fault_memory(fault, "search");
		return NULL;
	}
	t->source = (struct source){.kind = &source_trained, .shared = shared, .bell = -1};
	if (format_named(k->wide_format) < 0)
		fault_set(fault, "wide-format", "give a format such as int8 or fp32", "\"%s\" is no format", k->wide_format);
	else if (model_side(k->net, &side, fault) && preparation_read(&how, k->mean, k->deviation, fault) &&
		(t->data = data_open_prepared(k->data, &how, (uint64_t)k->seed, k->train, k->heldout, fault)) &&
		(!side || data_resize(t->data, side, fault)) && check_sizes(t, fault))
		opened->blueprint = blueprint_named(k->net, (struct shape){t->data->h, t->data->w, t->data->c}, t->data->classes,
			fault);
	if (opened->blueprint)
		return &t->source;
	trained_close(&t->source);
	return NULL;
}

// With a set for each format: one for each option, and one for the wide format, whether the space has it or not.
static int sets_of(const struct shared *s)
{
	switch ((enum knob_norm_sets)s->knobs.norm_sets) {
	case NORM_SETS_FORMAT: return s->options + 1;
	case NORM_SETS_LANE: return ENGINE_LANES;
	case NORM_SETS_ONE: break;
	}
	return 0;
}

// The largest path of the space, for which the network takes its memory. False with a fault.
static bool settle_largest(struct trained *t, struct fault *fault)
{
	const struct space *space = t->source.shared->space;
	uint8_t *choice = calloc((size_t)space->slots, 1);
	for (int i = 0; choice && i < space->slots; i++)
		choice[i] = (uint8_t)(space->slot[i].options - 1);
	bool ok = choice ? space_settle(space, t->source.shared->blueprint, choice, &t->plan, &t->path, fault)
			 : fault_memory(fault, "search");
	free(choice);
	return ok;
}

// Whether norms go by a mean and a variance that a file gives. Those of a whole network are not those of the paths through it.
static bool has_statistics(const struct shared *s)
{
	return strcmp(s->knobs.init, "none") != 0 && s->knobs.statistics == STATISTICS_GIVEN &&
		s->space->slots == s->space->formats;
}

// Whether choices are held against the network's own outputs in fp32: where that is asked for, or stands for what labels would say, or nothing is trained.
static bool agrees(const struct trained *t, const struct knobs *k)
{
	return t->data->unlabelled || k->quality.word == QUALITY_AGREEMENT || strcmp(k->sensitivity, "none") != 0;
}

// It may be asked for later on.
static bool make_agreement(struct trained *t, struct fault *fault)
{
	const size_t batch = (size_t)t->source.shared->knobs.batch;
	if (!(t->plain = calibration_new(t->network, fault)))
		return false;
	t->other = calloc(batch * (size_t)t->source.shared->model->classes, sizeof *t->other);
	t->judged = calloc(batch, sizeof *t->judged);
	return (t->other && t->judged) || fault_memory(fault, "search");
}

// The images at every side that the architecture may take them at.
static bool make_sides(struct trained *t, struct fault *fault)
{
	const struct space *space = t->source.shared->space;
	for (int i = space->formats; i < space->slots; i++) {
		const struct slot *slot = &space->slot[i];
		for (int o = 0; slot->kind == SLOT_SIDE && o < slot->options; o++) {
			int side = (int)slot->value[o];
			if (side != t->data->h && !(t->smaller[o] = data_smaller(t->data, side, fault)))
				return false;
		}
	}
	return true;
}

// Those that the plan takes.
static const struct data *images_of(const struct trained *t)
{
	int side = t->plan.model->op[0].out.h;
	for (int i = 0; i < SLOT_OPTIONS; i++)
		if (t->smaller[i] && t->smaller[i]->h == side)
			return t->smaller[i];
	return t->data;
}

static bool make_network(struct trained *t, struct fault *fault)
{
	const struct shared *s = t->source.shared;
	const struct knobs *k = &s->knobs;
	unsigned keeps = (k->optimizer == KNOB_ADAMW ? NETWORK_SECOND_MOMENTS : 0u) | (k->ema > 0 ? NETWORK_AVERAGE : 0u) |
		(has_statistics(s) ? NETWORK_STATISTICS : 0u);
	t->sets = sets_of(s);
	return make_sides(t, fault) && settle_largest(t, fault) &&
		(t->team = team_new(k->threads ? (int)k->threads : team_processors(), fault)) &&
		(t->network = network_new(s->model, t->plan.path, (int)k->batch, keeps, t->sets, t->team, fault)) &&
		(t->calibration = calibration_new(t->network, fault)) && make_agreement(t, fault) &&
		(t->errors = errors_new(t->network, s->space->format, s->space->options, fault));
}

static bool ready(struct source *source, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	const struct knobs *k = &s->knobs;
	t->train = (struct stream){"epoch", DATA_TRAIN, 0, t->data->split[DATA_TRAIN].count, -1, NULL};
	t->heldout = (struct stream){"held-out", DATA_HELDOUT, 0, report_first(t), -1, NULL};
	t->train.order = calloc((size_t)t->train.count, sizeof *t->train.order);
	t->heldout.order = calloc((size_t)t->heldout.count, sizeof *t->heldout.order);
	t->labels = calloc((size_t)k->batch, sizeof *t->labels);
	t->index = calloc((size_t)k->batch, sizeof *t->index);
	t->plan.layer = calloc((size_t)s->model->layers, sizeof *t->plan.layer);
	t->set = calloc((size_t)s->model->layers, sizeof *t->set);
	t->share = calloc((size_t)(HALVES * s->model->layers) * (size_t)s->options, sizeof *t->share);
	if (!t->share || !t->set || !t->train.order || !t->heldout.order || !t->labels || !t->index || !t->plan.layer)
		return fault_memory(fault, "search");
	if (!make_network(t, fault))
		return false;
	network_initialise(t->network, (uint64_t)k->seed);
	if (t->data->unlabelled)
		source->idle = "images without labels train nothing: `bitscape sensitivity` measures a table to search";
	return true;
}

static bool begin(struct source *source, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	return begin_with_weights(t->network, source->shared->model, &source->shared->knobs, fault);
}

// ---- images ----

enum { LOAD = 8 }; // images that one chunk loads

struct loading {
	struct trained *trained;
	enum data_split split;
	const uint32_t *index;
	int count;
	unsigned augment;
	uint64_t key;
};

static void load_chunk(void *context, int chunk, int worker)
{
	(void)worker;
	const struct loading *l = context;
	struct trained *t = l->trained;
	const struct data *data = images_of(t);
	int first = chunk * LOAD, count = l->count - first < LOAD ? l->count - first : LOAD;
	long size = (long)data->h * data->w * data->c;
	data_batch(data, l->split, l->index + first, count, l->augment, rng_bits(l->key, (uint64_t)chunk),
		network_input(t->network) + first * size, t->labels + first);
}

static void load(struct trained *t, enum data_split split, const uint32_t *index, int count, unsigned augment, uint64_t key)
{
	struct loading l = {t, split, index, count, augment, key};
	team_run(t->team, (count + LOAD - 1) / LOAD, load_chunk, &l);
}

// The images of the stream's batch number `batch`. An epoch holds whole batches only; its permutation is made when it begins.
static void draw(struct trained *t, struct stream *stream, long batch, uint32_t *index, int count)
{
	long per_epoch = stream->count / count, epoch = batch / per_epoch;
	if (stream->epoch != epoch) {
		uint64_t key = rng_key((uint64_t)t->source.shared->knobs.seed, stream->purpose, (uint64_t)epoch);
		for (long i = 0; i < stream->count; i++) {
			long j = (long)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
			stream->order[i] = stream->order[j];
			stream->order[j] = (uint32_t)(stream->first + i);
		}
		stream->epoch = epoch;
	}
	memcpy(index, stream->order + batch % per_epoch * count, (size_t)count * sizeof *index);
}

static unsigned augmentation(const struct trained *t)
{
	switch ((enum knob_augment)t->source.shared->knobs.augment) {
	case KNOB_AUGMENT_NONE: return AUGMENT_NONE;
	case KNOB_AUGMENT_CROP: return AUGMENT_CROP;
	case KNOB_AUGMENT_FLIP: return AUGMENT_CROP | AUGMENT_FLIP;
	case KNOB_AUGMENT_AUTO: break;
	}
	return t->data->flips ? AUGMENT_CROP | AUGMENT_FLIP : AUGMENT_CROP;
}

// ---- plans ----

// The layer of the whole that a layer of the plan is.
static int whole_layer(const struct trained *t, int layer)
{
	return t->plan.path ? t->plan.path->layer[layer] : layer;
}

// The sets of norms that go with the plan, for a lane.
static void take_sets(struct trained *t, int lane)
{
	const struct shared *s = t->source.shared;
	if (!t->sets)
		return;
	for (int l = 0; l < t->plan.model->layers; l++) {
		int whole = whole_layer(t, l),
		    option = space_option(s->space, space_slot(whole, HALF_WEIGHT), t->plan.layer[l].weight);
		t->set[whole] = (uint8_t)(s->knobs.norm_sets == NORM_SETS_LANE ? lane : option < 0 ? s->options : option);
	}
	network_use_sets(t->network, t->set);
}

// What the next passes run, and the sets of norms that go with it. `trains`: as the present step's schedule has the formats. Images are
// loaded behind it: where they go depends on it.
static bool take_plan(struct trained *t, int lane, const uint8_t *choice, bool trains, struct fault *fault)
{
	const struct shared *s = t->source.shared;
	if (!space_settle(s->space, s->blueprint, choice, &t->plan, &t->path, fault))
		return false;
	for (int l = 0; trains && l < t->plan.model->layers; l++) {
		struct layer_plan *layer = &t->plan.layer[l];
		layer->weight = schedule_format(s, layer->weight);
		layer->activation = schedule_format(s, layer->activation);
	}
	take_sets(t, lane);
	return network_settle(t->network, &t->plan, fault);
}

// ---- steps ----

// Grows over the warm-up of the rate, stays until the share `rate-fall` of the steps is left, then falls along a cosine to 0 at the horizon;
// restarted, it only falls, from that step on.
static double learning_rate(const struct source *source, long step)
{
	const struct shared *s = source->shared;
	const struct knobs *k = &s->knobs;
	double warm = k->rate_warmup * (double)k->steps, t = (double)step, horizon = (double)s->horizon;
	double grown = warm > 0 && !s->restart ? fmin(1, (t + 1) / warm) : 1;
	double from = s->restart ? (double)s->restart : fmax(warm, (1 - k->rate_fall) * horizon);
	return k->rate * grown * (horizon > from ? 0.5 * (1 + cos(PI * fmax(0, t - from) / (horizon - from))) : 1);
}

// Every so many steps the gradients are looked at, with one of so many images. Fisher's term alone is handed on: the linear one, which
// is as often wrong as right, took the rank correlation with measured one-layer changes from 0.6 to 0.1 (resnet8, CIFAR-10).
enum { LOOK_STEPS = 4, LOOK_IMAGES = 8 };

static bool looks(const struct shared *s)
{
	return s->knobs.additive != ADDITIVE_OFF && s->step % LOOK_STEPS == 0;
}

static bool errors(struct source *source, double *lost)
{
	const struct trained *t = (const struct trained *)source;
	const struct shared *s = source->shared;
	const double *values = errors_values(t->errors);
	if (!looks(s))
		return false;
	for (int l = 0; l < s->model->layers; l++)
		for (int o = 0; o < s->space->options; o++, values += ERRORS) {
			bool there = !t->plan.path || t->plan.path->at[l] >= 0;
			lost[space_slot(l, HALF_WEIGHT) * s->options + o] = there ? values[ERROR_WEIGHT_SQUARE] : (double)NAN;
			lost[space_slot(l, HALF_ACTIVATION) * s->options + o] = there ? values[ERROR_INPUT_SQUARE] : (double)NAN;
		}
	return true;
}

// One update by the images that are loaded, in the plan that was taken. `every`: errors are looked at, on one of so many images; 0: they
// are not.
static bool update(struct trained *t, const struct knobs *k, double rate, long step, int every, struct training *out,
	struct fault *fault)
{
	const struct shared *s = t->source.shared;
	int batch = (int)k->batch;
	struct quantization q = quantization(k);
	network_forward(t->network, &t->plan, &q, PASS_TRAIN, batch, NULL);
	struct loss loss = network_loss(t->network, t->labels, batch, k->smoothing);
	if (!isfinite(loss.mean))
		return diverged(s, "loss", fault);
	if (every)
		network_watch_errors(t->network, t->errors, every, (int)(step / LOOK_STEPS % every));
	network_backward(t->network);
	network_watch_errors(t->network, NULL, 0, 0);
	struct optimizer optimizer = {k->optimizer == KNOB_ADAMW ? OPTIMIZER_ADAMW : OPTIMIZER_SGD, rate, k->momentum, k->beta2,
		k->decay, k->clip, k->ema};
	if (!isfinite(network_update(t->network, &optimizer, step))) // a ReLU hides from the loss what is no number
		return diverged(s, "gradient", fault);
	*out = (struct training){loss.mean, (double)((float)loss.correct / (float)batch), rate};
	return true;
}

static void load_batch(struct trained *t, struct stream *stream, long number, const char *augment)
{
	const struct knobs *k = &t->source.shared->knobs;
	draw(t, stream, number, t->index, (int)k->batch);
	load(t, DATA_TRAIN, t->index, (int)k->batch, augmentation(t), rng_key((uint64_t)k->seed, augment, (uint64_t)number));
}

static bool train(struct source *source, int lane, const uint8_t *path, struct training *out, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	double rate = (double)(float)learning_rate(source, s->step); // as it is recorded
	if (!take_plan(t, lane, path, true, fault))
		return false;
	load_batch(t, &t->train, s->step, "augment");
	return update(t, &s->knobs, rate, s->step,
		!looks(s)                              ? 0
			: s->knobs.batch < LOOK_IMAGES ? (int)s->knobs.batch
						       : LOOK_IMAGES,
		out, fault);
}

// Every layer, weights and input, in this format.
static void plan_evenly(struct trained *t, int format)
{
	for (int l = 0; l < t->plan.model->layers; l++)
		t->plan.layer[l] = (struct layer_plan){format, format};
}

static bool mix(struct source *source, int lane, const double *share, double *lost, struct training *out, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	const int layers = s->model->layers, options = s->space->options;
	const struct mixture mixture = {options, s->space->format, t->share, t->share + layers * options};
	for (int i = 0; i < HALVES * layers; i++)
		for (int l = i / HALVES, half = i % HALVES, o = 0; o < options; o++)
			t->share[(half * layers + l) * options + o] = (float)share[space_slot(l, half) * s->options + o];
	load_batch(t, &t->train, s->step, "augment");
	plan_evenly(t, s->space->format[options - 1]);
	take_sets(t, lane);
	network_mix(t->network, &mixture);
	bool ok = update(t, &s->knobs, (double)(float)learning_rate(source, s->step), s->step, 1, out, fault);
	network_mix(t->network, NULL);
	const double *values = errors_values(t->errors);
	for (int l = 0; l < layers; l++)
		for (int o = 0; o < options; o++, values += ERRORS) {
			lost[space_slot(l, HALF_WEIGHT) * s->options + o] = values[ERROR_WEIGHT_LINEAR];
			lost[space_slot(l, HALF_ACTIVATION) * s->options + o] = values[ERROR_INPUT_LINEAR];
		}
	return ok;
}

// ---- training apart ----

static bool apart_begin(struct source *source, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	t->apart = (struct stream){"apart", DATA_TRAIN, 0, t->train.count, -1, calloc((size_t)t->train.count, sizeof(uint32_t))};
	if (!t->apart.order)
		return fault_memory(fault, "polish");
	if ((t->copy = network_copy_new(t->network, fault)))
		return true;
	free(t->apart.order);
	t->apart.order = NULL;
	return false;
}

static void apart_end(struct source *source)
{
	struct trained *t = (struct trained *)source;
	network_copy_free(t->copy);
	free(t->apart.order);
	t->copy = NULL;
	t->apart.order = NULL;
}

static void apart_exchange(struct source *source)
{
	struct trained *t = (struct trained *)source;
	network_exchange(t->network, t->copy);
}

static bool apart_train(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, long images, long step,
	double rate, struct training *out, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	if (!take_plan(t, lane, choice, false, fault))
		return false;
	load_batch(t, &t->apart, images, "augment apart");
	return update(t, k, rate, step, 0, out, fault);
}

// ---- curvature ----

static const double PUSH = 0.01; // of the size of a layer's weights

// Adds to trace[layers], on a copy of the network in fp32: v times the change of the gradient along v, over images of training that are
// drawn for it. All layers are pushed at once, each by a share of the size of its own weights: what the others do to its gradient has a
// mean of 0.
static bool probe(struct trained *t, uint64_t key, const double *size, double *trace, struct fault *fault)
{
	const struct shared *s = t->source.shared;
	const struct knobs *k = &s->knobs;
	struct quantization q = quantization(k);
	q.gradients = GRADIENTS_FP32; // a small difference of gradients is wanted
	for (int side = 1; side >= -1; side -= 2) {
		for (int l = 0; l < s->model->layers; l++)
			network_push(t->network, l, key, (side > 0 ? 1 : -2) * PUSH * size[l]);
		load(t, DATA_TRAIN, t->index, (int)k->batch, AUGMENT_NONE, 0);
		network_forward(t->network, &t->plan, &q, PASS_TRAIN, (int)k->batch, NULL);
		if (!isfinite(network_loss(t->network, t->labels, (int)k->batch, 0).mean))
			return diverged(s, "loss", fault);
		network_backward(t->network);
		for (int l = 0; l < s->model->layers; l++)
			trace[l] += side * network_along(t->network, l, key) / (2 * PUSH * size[l]);
	}
	return true;
}

static bool curvature(struct source *source, int lane, double *lost, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	const struct knobs *k = &s->knobs;
	struct quantization q = quantization(k);
	const int layers = s->model->layers;
	const uint64_t step = (uint64_t)s->step, key = rng_key((uint64_t)k->seed, "curvature", step);
	double *room = calloc(3 * (size_t)layers, sizeof *room), *trace = room, *size = room + layers, *error = room + 2 * layers;
	bool ok = (room && apart_begin(source, fault)) || (!room && fault_memory(fault, "search"));
	if (ok) {
		apart_exchange(source);
		plan_evenly(t, format_named("fp32"));
		take_sets(t, lane);
		for (int l = 0; l < layers; l++)
			size[l] = fmax(network_weight_size(t->network, l), 1e-6);
		draw(t, &t->apart, s->step, t->index, (int)k->batch);
		ok = probe(t, key, size, trace, fault);
		apart_exchange(source);
		apart_end(source);
	}
	for (int o = 0; ok && o < s->space->options; o++) {
		plan_evenly(t, s->space->format[o]);
		network_rounding(t->network, &t->plan, &q, error);
		for (int l = 0; l < layers; l++) {
			double omega = trace[l] / (double)s->model->layer[l].weights * error[l];
			lost[space_slot(l, HALF_WEIGHT) * s->options + o] =
				lost[space_slot(l, HALF_ACTIVATION) * s->options + o] = omega;
		}
	}
	free(room);
	return ok;
}

static const struct apart apart = {apart_begin, apart_end, apart_exchange, apart_train};

// By architecture, then by the formats of the layers, the first first: so those that begin alike are neighbours.
static int compare(const struct space *space, const uint8_t *a, const uint8_t *b)
{
	size_t formats = (size_t)space->formats, slots = (size_t)space->slots;
	int by = memcmp(a + formats, b + formats, slots - formats);
	return by ? by : memcmp(a, b, formats);
}

static void put_in_order(struct trained *t)
{
	const struct space *space = t->source.shared->space;
	for (int i = 0; i < t->count; i++) {
		int at = i;
		for (; at > 0 && compare(space, t->posted + t->order[at - 1] * space->slots, t->posted + i * space->slots) > 0;
			at--)
			t->order[at] = t->order[at - 1];
		t->order[at] = i;
	}
}

static bool post(struct source *source, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	(void)fault; // it always answers
	t->lane = lane;
	t->count = count;
	t->posted = choice;
	put_in_order(t);
	return true;
}

// The outputs of the plan's network in fp32, on the images that are in place.
static void run_plainly(struct trained *t, const struct quantization *q, enum pass pass, int images, struct calibration *c)
{
	plan_evenly(t, format_named("fp32"));
	network_forward(t->network, &t->plan, q, pass, images, c);
	memcpy(t->other, network_logits(t->network), (size_t)(images * t->source.shared->model->classes) * sizeof *t->other);
}

// By the setting `quality`, of the pass that was made last.
static double quality_of_pass(struct trained *t, int batch)
{
	const struct knobs *k = &t->source.shared->knobs;
	if (agrees(t, k)) {
		double sum = 0;
		network_judge(t->network, NULL, t->other, batch, t->judged);
		for (int i = 0; i < batch; i++)
			sum += t->judged[i].divergence;
		return -sum / batch;
	}
	struct loss loss = network_loss(t->network, t->labels, batch, 0);
	return k->quality.word == QUALITY_LOSS ? -loss.mean : (double)loss.correct / batch;
}

// On the same held-out images, of which choices that follow one another share what their first layers make of them.
static bool collect(struct source *source, double *quality, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	int batch = (int)s->knobs.batch;
	long batches = s->knobs.heldout_batches;
	struct quantization q = quantization(&s->knobs);
	memset(quality, 0, (size_t)t->count * sizeof *quality);
	source->spared = 0;
	for (long b = 0; b < batches; b++) {
		uint64_t path = 0;
		draw(t, &t->heldout, s->step * batches + b, t->index, batch);
		for (int i = 0; i < t->count; i++) {
			int k = t->order[i];
			if (!take_plan(t, t->lane, t->posted + k * s->space->slots, false, fault))
				return false;
			uint64_t now = t->plan.path ? t->plan.path->id : 0;
			double spared = i > 0 && now == path ? network_forward_again(t->network, &t->plan) : -1;
			if (spared < 0) { // another path has another place for images
				load(t, DATA_HELDOUT, t->index, batch, AUGMENT_NONE, 0);
				if (agrees(t, &s->knobs)) {
					run_plainly(t, &q, PASS_SAMPLE, batch, NULL);
					take_plan(t, t->lane, t->posted + k * s->space->slots, false, NULL); // as just before
				}
				network_forward(t->network, &t->plan, &q, PASS_SAMPLE, batch, NULL);
			}
			source->spared += fmax(0, spared) / (double)batches;
			path = now;
			quality[k] += quality_of_pass(t, batch) / (double)batches;
		}
	}
	return true;
}

// ---- evaluations ----

// Batches of a run of images; the last may be smaller.
struct cursor {
	long at, end;
};

static int next_batch(struct trained *t, struct cursor *c, long first, enum data_split split)
{
	long count = c->end - c->at < t->source.shared->knobs.batch ? c->end - c->at : t->source.shared->knobs.batch;
	for (long i = 0; i < count; i++)
		t->index[i] = (uint32_t)(first + c->at + i);
	if (count > 0)
		load(t, split, t->index, (int)count, AUGMENT_NONE, 0);
	c->at += count;
	return (int)count;
}

// Statistics and ranges for t->plan on the first training images; whole batches only, so that all count alike.
static long calibrate(struct trained *t, struct calibration *into, const struct quantization *q, long wanted)
{
	long batch = t->source.shared->knobs.batch, most = t->data->split[DATA_TRAIN].count / batch * batch;
	wanted = (wanted + batch - 1) / batch * batch;
	struct cursor c = {0, wanted < most ? wanted : most};
	calibration_clear(into);
	for (int count; (count = next_batch(t, &c, 0, DATA_TRAIN)) > 0;)
		network_forward(t->network, &t->plan, q, PASS_CALIBRATE, count, into);
	return c.end;
}

// The network of a choice, in fp32; the choice is taken again behind it.
static bool calibrate_plainly(struct trained *t, int lane, const uint8_t *choice, const struct quantization *q, long wanted,
	struct fault *fault)
{
	plan_evenly(t, format_named("fp32"));
	calibrate(t, t->plain, q, wanted);
	return take_plan(t, lane, choice, false, fault);
}

static bool evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split, long images,
	struct evaluation *e, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct shared *s = source->shared;
	if (!take_plan(t, lane, choice, false, fault))
		return false;
	network_use_average(t->network, true); // where it keeps one
	struct quantization q = quantization(k);
	bool test = split == SPLIT_TEST;
	long first = test ? 0 : report_first(t);
	long all = t->data->split[test ? DATA_TEST : DATA_HELDOUT].count - first, correct = 0;
	struct cursor c = {0, images > 0 && images < all ? images : all};
	double loss = 0;
	const bool beside = agrees(t, k);
	double divergence = 0;
	long agreed = 0;
	e->split = split;
	if (beside && !calibrate_plainly(t, lane, choice, &q, k->calibration, fault))
		return false;
	e->calibration_images = calibrate(t, t->calibration, &q, k->calibration);
	for (int count; (count = next_batch(t, &c, first, test ? DATA_TEST : DATA_HELDOUT)) > 0;) {
		if (beside) {
			run_plainly(t, &q, PASS_FIXED, count, t->plain);
			take_plan(t, lane, choice, false, NULL); // as above
		}
		network_forward(t->network, &t->plan, &q, PASS_FIXED, count, t->calibration);
		struct loss l = network_loss(t->network, t->labels, count, 0);
		loss += l.mean * count;
		correct += l.correct;
		if (beside || e->right)
			network_judge(t->network, t->labels, beside ? t->other : NULL, count, t->judged);
		for (int i = 0; beside && i < count; i++) {
			divergence += t->judged[i].divergence;
			agreed += t->judged[i].agrees;
		}
		for (int i = 0; e->right && i < count; i++)
			e->right[c.at - count + i] = t->judged[i].correct;
	}
	if (e->right)
		e->images_sum = data_sum(t->data, test ? DATA_TEST : DATA_HELDOUT, first, c.end);
	e->images = c.end;
	e->accuracy = (double)correct / (double)c.end;
	e->loss = loss / (double)c.end;
	e->agreement = beside ? (double)agreed / (double)c.end : (double)NAN;
	e->divergence = beside ? divergence / (double)c.end : (double)NAN;
	e->unlabelled = t->data->unlabelled;
	if (e->unlabelled) {
		e->accuracy = e->agreement;
		e->loss = e->divergence;
	}
	for (int l = 0; e->range && l < s->model->layers; l++)
		e->range[l] = (struct layer_range){network_weight_peak(t->network, l), calibration_range(t->calibration, l)};
	network_use_average(t->network, false);
	return true;
}

// ---- what it has and keeps ----

static void near_edges(struct source *source, int lane, const uint8_t *choice, float *share)
{
	struct trained *t = (struct trained *)source;
	struct quantization q = quantization(&source->shared->knobs);
	bool ok = take_plan(t, lane, choice, false, NULL);
	if (ok)
		network_near_edges(t->network, &t->plan, &q, share);
	for (int l = 0; !ok && l < source->shared->model->layers; l++)
		share[l] = NAN;
}

enum { LOOKED_AT = 64 }; // images of the calibration slice, at most

static bool look_at(struct source *source, int lane, const uint8_t *choice, struct layer_look *look, double *noise,
	double *formats, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct space *space = source->shared->space;
	const struct quantization q = quantization(&source->shared->knobs);
	int format[ENGINE_OPTIONS];
	for (int o = 0; o < look->options; o++)
		format[o] = space_format(space, space_slot(look->layer < 0 ? 0 : look->layer, HALF_WEIGHT), o);
	if (!take_plan(t, lane, choice, false, fault))
		return false;
	const long batch = source->shared->knobs.batch;
	struct cursor slice = {0, batch < LOOKED_AT ? batch : LOOKED_AT}; // the first images, as calibrate has them
	int images = next_batch(t, &slice, 0, DATA_TRAIN);
	return network_look(t->network, &t->plan, &q, format, images, look, noise, formats, fault);
}

static bool add_weight(const char *name, int rank, const int *size, const float *numbers, void *context)
{
	int64_t shape[4];
	for (int i = 0; i < rank; i++)
		shape[i] = size[i];
	return state_add(context, name, STATE_F32, rank, shape, numbers);
}

static bool weights(struct source *source, int lane, const uint8_t *choice, bool fold, struct state *out, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	const struct knobs *k = &source->shared->knobs;
	const struct quantization q = quantization(k);
	if (!take_plan(t, lane, choice, false, fault))
		return false;
	network_use_average(t->network, true);
	plan_evenly(t, format_named("fp32"));
	if (!has_statistics(source->shared))
		calibrate(t, t->calibration, &q, k->calibration);
	bool ok = network_each(t->network, t->calibration, fold, add_weight, out, fault);
	network_use_average(t->network, false);
	return ok;
}

// Images that a network which leaves is shown with.
enum { FROZEN_IMAGES = 4 };

static struct frozen *freeze(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, struct fault *fault)
{
	struct trained *t = (struct trained *)source;
	if (!take_plan(t, lane, choice, false, fault))
		return NULL;
	network_use_average(t->network, true); // where it keeps one
	struct quantization q = quantization(k);
	calibrate(t, t->calibration, &q, k->calibration);
	struct cursor c = {0, FROZEN_IMAGES};
	int images = next_batch(t, &c, report_first(t), DATA_HELDOUT);
	struct frozen *f = network_freeze(t->network, &t->plan, &q, t->calibration, images, fault);
	network_use_average(t->network, false);
	return f;
}

static void begin_lane(struct source *source, int lane, int from)
{
	struct trained *t = (struct trained *)source;
	if (source->shared->knobs.norm_sets == NORM_SETS_LANE)
		network_copy_set(t->network, from, lane);
}

static int arrays(const struct source *source, struct state_array *array)
{
	struct network_array from[NETWORK_ARRAYS];
	int count = network_arrays(((const struct trained *)source)->network, from);
	for (int i = 0; i < count; i++)
		array[i] = (struct state_array){from[i].name, from[i].data, from[i].count};
	return count;
}

static void describe(const struct source *source, struct engine_info *info)
{
	const struct trained *t = (const struct trained *)source;
	info->threads = team_size(t->team);
	info->batch = (int)source->shared->knobs.batch;
	info->train_images = t->data->split[DATA_TRAIN].count;
	info->heldout_images = t->data->split[DATA_HELDOUT].count;
	info->report_images = info->heldout_images - report_first(t);
	info->test_images = t->data->split[DATA_TEST].count;
}

static void identity(const struct source *source, knobs_visit *each, void *context)
{
	const struct data *d = ((const struct trained *)source)->data;
	char text[ENGINE_TEXT];
	snprintf(text, sizeof text, "%dx%dx%d/%d, %08x", d->h, d->w, d->c, d->classes, d->fingerprint);
	each("images", text, context);
}

static bool by_loss(const struct source *source, const struct knobs *k)
{
	return k->quality.word == QUALITY_LOSS || agrees((const struct trained *)source, k);
}

const struct source_kind source_trained = {.name = "trained",
	.serves = serves,
	.open = trained_open,
	.ready = ready,
	.begin = begin,
	.close = trained_close,
	.train = train,
	.errors = errors,
	.rate = learning_rate,
	.post = post,
	.collect = collect,
	.evaluate = evaluate,
	.apart = &apart,
	.mix = mix,
	.curvature = curvature,
	.begin_lane = begin_lane,
	.near_edges = near_edges,
	.look = look_at,
	.weights = weights,
	.freeze = freeze,
	.arrays = arrays,
	.describe = describe,
	.identity = identity,
	.by_loss = by_loss};
