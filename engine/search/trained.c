// SPDX-License-Identifier: GPL-3.0-or-later
// Quality by training: one network, whose shared weights take a step on a sampled path at a time, scores choices on held-out
// images.
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/search/inside.h"
#include "engine/tensor/rng.h"

static const double PI = 3.14159265358979323846;

// Held-out images from here on are for reports, those before for the policy.
static long report_first(const struct search *s)
{
	return s->data->split[DATA_HELDOUT].count / 2;
}

static struct quantization quantization(const struct knobs *k)
{
	return (struct quantization){(enum range_kind)k->range, k->percentile, k->scales == SCALES_CHANNEL, k->unsigned_positive};
}

// ---- opening ----

static bool check_sizes(const struct search *s, struct fault *fault)
{
	const struct knobs *k = &s->knobs;
	if (s->data->split[DATA_TRAIN].count < k->batch)
		return fault_set(fault, "batch", "choose a smaller batch, or more training images",
			"%ld images in a batch, but only %ld to train on", k->batch, s->data->split[DATA_TRAIN].count);
	if (report_first(s) < k->batch)
		return fault_set(fault, "heldout", "set aside at least twice the batch",
			"half of %ld held-out images is less than a batch of %ld", s->data->split[DATA_HELDOUT].count, k->batch);
	return true;
}

static bool open(struct search *s, struct fault *fault)
{
	const struct knobs *k = &s->knobs;
	s->data = data_open(k->data, (uint64_t)k->seed, k->train, k->heldout, fault);
	if (!s->data || !check_sizes(s, fault))
		return false;
	s->model = model_named(k->net, (struct shape){s->data->h, s->data->w, s->data->c}, s->data->classes, fault);
	return s->model != NULL;
}

// Those that this process may run on.
static int processors(void)
{
	cpu_set_t set;
	long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

static bool make(struct search *s, struct fault *fault)
{
	const struct knobs *k = &s->knobs;
	unsigned keeps = (k->optimizer == KNOB_ADAMW ? NETWORK_SECOND_MOMENTS : 0u) | (k->ema > 0 ? NETWORK_AVERAGE : 0u);
	if (!(s->team = team_new(k->threads ? (int)k->threads : processors(), fault)) ||
	    !(s->network = network_new(s->model, (int)k->batch, keeps, s->team, fault)) ||
	    !(s->calibration = calibration_new(s->network, fault)))
		return false;
	s->train = (struct stream){"epoch", DATA_TRAIN, 0, s->data->split[DATA_TRAIN].count, -1, NULL};
	s->heldout = (struct stream){"held-out", DATA_HELDOUT, 0, report_first(s), -1, NULL};
	s->train.order = calloc((size_t)s->train.count, sizeof *s->train.order);
	s->heldout.order = calloc((size_t)s->heldout.count, sizeof *s->heldout.order);
	s->labels = calloc((size_t)k->batch, 1);
	s->index = calloc((size_t)k->batch, sizeof *s->index);
	if (!s->train.order || !s->heldout.order || !s->labels || !s->index)
		return fault_memory(fault, "search");
	network_initialise(s->network, (uint64_t)k->seed);
	return true;
}

// ---- images ----

enum { LOAD = 8 }; // images that one chunk loads

struct loading {
	struct search *search;
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
	struct search *s = l->search;
	int first = chunk * LOAD, count = l->count - first < LOAD ? l->count - first : LOAD;
	long size = (long)s->data->h * s->data->w * s->data->c;
	data_batch(s->data, l->split, l->index + first, count, l->augment, rng_bits(l->key, (uint64_t)chunk),
		network_input(s->network) + first * size, s->labels + first);
}

static void load(struct search *s, enum data_split split, const uint32_t *index, int count, unsigned augment, uint64_t key)
{
	struct loading l = {s, split, index, count, augment, key};
	team_run(s->team, (count + LOAD - 1) / LOAD, load_chunk, &l);
}

// The images of the stream's batch number `batch`. An epoch holds whole batches only; its permutation is made when it begins.
static void draw(struct search *s, struct stream *stream, long batch, uint32_t *index, int count)
{
	long per_epoch = stream->count / count, epoch = batch / per_epoch;
	if (stream->epoch != epoch) {
		uint64_t key = rng_key((uint64_t)s->knobs.seed, stream->purpose, (uint64_t)epoch);
		for (long i = 0; i < stream->count; i++) {
			long j = (long)rng_below(key, (uint64_t)i, (uint64_t)i + 1);
			stream->order[i] = stream->order[j];
			stream->order[j] = (uint32_t)(stream->first + i);
		}
		stream->epoch = epoch;
	}
	memcpy(index, stream->order + batch % per_epoch * count, (size_t)count * sizeof *index);
}

static unsigned augmentation(const struct search *s)
{
	switch ((enum knob_augment)s->knobs.augment) {
	case KNOB_AUGMENT_NONE:
		return AUGMENT_NONE;
	case KNOB_AUGMENT_CROP:
		return AUGMENT_CROP;
	case KNOB_AUGMENT_FLIP:
		return AUGMENT_CROP | AUGMENT_FLIP;
	case KNOB_AUGMENT_AUTO:
		break;
	}
	return s->data->flips ? AUGMENT_CROP | AUGMENT_FLIP : AUGMENT_CROP;
}

// ---- steps ----

// Grows over the warm-up of the rate, then falls along a cosine to 0 at the horizon; restarted, it only falls, from that step on.
static double learning_rate(const struct search *s, long step)
{
	double warm = s->knobs.rate_warmup * (double)s->knobs.steps, t = (double)step;
	if (s->restart)
		return s->knobs.rate * 0.5 * (1 + cos(PI * (double)(step - s->restart) / (double)(s->horizon - s->restart)));
	double grown = warm > 0 ? fmin(1, (t + 1) / warm) : 1, left = (double)s->horizon - warm;
	double fall = left > 0 ? 0.5 * (1 + cos(PI * fmax(0, t - warm) / left)) : 1;
	return s->knobs.rate * grown * fall;
}

static bool train(struct search *s, const uint8_t *path, struct fault *fault)
{
	int batch = (int)s->knobs.batch;
	uint64_t seed = (uint64_t)s->knobs.seed, t = (uint64_t)s->step;
	struct quantization q = quantization(&s->knobs);
	draw(s, &s->train, s->step, s->index, batch);
	load(s, DATA_TRAIN, s->index, batch, augmentation(s), rng_key(seed, "augment", t));
	space_plan(s->space, path, &s->plan);
	network_forward(s->network, &s->plan, &q, PASS_TRAIN, batch, NULL);
	struct loss loss = network_loss(s->network, s->labels, batch, s->knobs.smoothing);
	if (!isfinite(loss.mean))
		return search_diverged(s, "loss", fault);
	network_backward(s->network);
	s->record.learning_rate = (float)learning_rate(s, s->step);
	const struct knobs *k = &s->knobs;
	struct optimizer optimizer = {k->optimizer == KNOB_ADAMW ? OPTIMIZER_ADAMW : OPTIMIZER_SGD, (double)s->record.learning_rate,
		k->momentum, k->beta2, k->decay, k->clip, k->ema};
	if (!isfinite(network_update(s->network, &optimizer, s->step))) // a ReLU hides from the loss what is no number
		return search_diverged(s, "gradient", fault);
	s->record.loss = (float)loss.mean;
	s->record.accuracy = (float)loss.correct / (float)batch;
	s->loss = s->step == 0 ? loss.mean : search_smoothed(s->loss, loss.mean);
	s->accuracy = s->step == 0 ? (double)s->record.accuracy : search_smoothed(s->accuracy, (double)s->record.accuracy);
	return true;
}

// On the same held-out images.
static void score(struct search *s, int samples, double *quality)
{
	int batch = (int)s->knobs.batch;
	long batches = s->knobs.heldout_batches;
	struct quantization q = quantization(&s->knobs);
	memset(quality, 0, (size_t)samples * sizeof *quality);
	for (long b = 0; b < batches; b++) {
		draw(s, &s->heldout, s->step * batches + b, s->index, batch);
		load(s, DATA_HELDOUT, s->index, batch, AUGMENT_NONE, 0);
		for (int i = 0; i < samples; i++) {
			space_plan(s->space, s->choice + i * s->space->slots, &s->plan);
			network_forward(s->network, &s->plan, &q, PASS_SAMPLE, batch, NULL);
			struct loss loss = network_loss(s->network, s->labels, batch, 0);
			double value = s->knobs.quality == QUALITY_LOSS ? -loss.mean : (double)loss.correct / batch;
			quality[i] += value / (double)batches;
		}
	}
}

// ---- evaluations ----

// Batches of a run of images; the last may be smaller.
struct cursor {
	long at, end;
};

static int next_batch(struct search *s, struct cursor *c, long first, enum data_split split)
{
	long count = c->end - c->at < s->knobs.batch ? c->end - c->at : s->knobs.batch;
	for (long i = 0; i < count; i++)
		s->index[i] = (uint32_t)(first + c->at + i);
	if (count > 0)
		load(s, split, s->index, (int)count, AUGMENT_NONE, 0);
	c->at += count;
	return (int)count;
}

// Statistics and ranges for s->plan on the first training images; whole batches only, so that all count alike.
static long calibrate(struct search *s, const struct quantization *q, long wanted)
{
	long batch = s->knobs.batch, most = s->data->split[DATA_TRAIN].count / batch * batch;
	wanted = (wanted + batch - 1) / batch * batch;
	struct cursor c = {0, wanted < most ? wanted : most};
	calibration_clear(s->calibration);
	for (int count; (count = next_batch(s, &c, 0, DATA_TRAIN)) > 0;)
		network_forward(s->network, &s->plan, q, PASS_CALIBRATE, count, s->calibration);
	return c.end;
}

static void evaluate(struct search *s, const struct knobs *k, const uint8_t *choice, enum split split, long images,
	struct evaluation *e)
{
	network_use_average(s->network, true); // where it keeps one
	struct quantization q = quantization(k);
	bool test = split == SPLIT_TEST;
	long first = test ? 0 : report_first(s);
	long all = s->data->split[test ? DATA_TEST : DATA_HELDOUT].count - first, correct = 0;
	struct cursor c = {0, images > 0 && images < all ? images : all};
	double loss = 0;
	space_plan(s->space, choice, &s->plan);
	e->split = split;
	e->calibration_images = calibrate(s, &q, k->calibration);
	for (int count; (count = next_batch(s, &c, first, test ? DATA_TEST : DATA_HELDOUT)) > 0;) {
		network_forward(s->network, &s->plan, &q, PASS_FIXED, count, s->calibration);
		struct loss l = network_loss(s->network, s->labels, count, 0);
		loss += l.mean * count;
		correct += l.correct;
	}
	e->images = c.end;
	e->accuracy = (double)correct / (double)c.end;
	e->loss = loss / (double)c.end;
	for (int l = 0; e->range && l < s->model->layers; l++)
		e->range[l] = (struct layer_range){network_weight_peak(s->network, l), calibration_range(s->calibration, l)};
	network_use_average(s->network, false);
}

const struct quality_source trained_source = {.open = open, .make = make, .train = train, .rate = learning_rate, .score = score, .evaluate = evaluate,
	.losses = true};
