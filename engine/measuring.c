// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/measuring.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/data/data.h"
#include "engine/model/blueprint.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/search/beginning.h"
#include "engine/search/knobs.h"
#include "engine/search/layers.h"

enum { HALVES = MEASURING_HALVES, STATE_BYTES = 64 << 20, IDENTITY = 256 };

// Sums over images of what changed by a format of a half, and of the squares.
struct sums {
	double lost, lost_squares, kl, kl_squares;
};

struct measuring {
	struct knobs knobs;
	struct data *data;
	struct blueprint *blueprint;
	const struct model *model;
	struct team *team;
	struct network *net;
	struct calibration *calibration, *plain; // of a choice; of fp32
	struct layer_plan *layer;                // the plan's
	struct plan plan;
	struct quantization quantization;
	int format[MEASURING_FORMATS], fp32;
	float *range;                  // [layers][formats]: of inputs in fp32
	float *other;                  // [batch][classes]: outputs in fp32
	struct judged *before, *after; // [batch]
	uint16_t *labels;
	uint32_t *index;
	struct sums *sum;            // [layers][HALVES][formats]
	long correct;                // in fp32
	long batches, loaded, count; // loaded: the batch that is in place, -1: none; its images
	struct layer_info *info_layer;
	struct measuring_info info;
};

// ---- opening -----------------------------------------------------------------------------------------------------------------

static int processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > 256 ? 256 : n;
}

static bool open_data(struct measuring *m, struct fault *f)
{
	const struct knobs *k = &m->knobs;
	struct preparation how = {.resize = k->resize, .crop = k->crop};
	int side;
	if (strcmp(k->data, "none") == 0)
		return fault_set(f, "data", "give data=images:FOLDER, say", "there are no images to measure on");
	if (!model_side(k->net, &side, f) || !preparation_read(&how, k->mean, k->deviation, f) ||
		!(m->data = data_open_prepared(k->data, &how, (uint64_t)k->seed, k->train, k->heldout, f)) ||
		(side && !data_resize(m->data, side, f)))
		return false;
	const struct data *d = m->data;
	if (d->split[DATA_TRAIN].count < 1 || d->split[DATA_HELDOUT].count < 1)
		return fault_set(f, "heldout", "set some aside with heldout=, and leave some",
			"there are no images to score, or to calibrate on");
	return (m->blueprint = blueprint_named(k->net, (struct shape){d->h, d->w, d->c}, d->classes, f));
}

static bool open_network(struct measuring *m, struct fault *f)
{
	const struct knobs *k = &m->knobs;
	const bool given = strcmp(k->init, "none") != 0 && k->statistics == STATISTICS_GIVEN;
	int choices;
	blueprint_slots(m->blueprint, &choices);
	m->model = blueprint_whole(m->blueprint);
	if (choices)
		return fault_set(f, m->model->name, "name a network without choices: `export network` writes one",
			"a network is measured as it is, and here it is to be chosen");
	if (!(m->team = team_new(k->threads ? (int)k->threads : processors(), f)) ||
		!(m->net = network_new(m->model, NULL, (int)k->batch, NETWORK_OUTPUTS | (given ? NETWORK_STATISTICS : 0u), 0,
			  m->team, f)) ||
		!(m->calibration = calibration_new(m->net, f)) || !(m->plain = calibration_new(m->net, f)))
		return false;
	network_initialise(m->net, (uint64_t)k->seed);
	return begin_with_weights(m->net, m->model, k, f);
}

static bool make_room(struct measuring *m, struct fault *f)
{
	const size_t layers = (size_t)m->model->layers, batch = (size_t)m->knobs.batch, formats = (size_t)m->info.formats;
	m->layer = calloc(layers + 1, sizeof *m->layer);
	m->range = calloc(layers * formats + 1, sizeof *m->range);
	m->other = calloc(batch * (size_t)m->model->classes, sizeof *m->other);
	m->before = calloc(2 * batch, sizeof *m->before);
	m->labels = calloc(batch, sizeof *m->labels);
	m->index = calloc(batch, sizeof *m->index);
	m->sum = calloc(layers * HALVES * formats + 1, sizeof *m->sum);
	m->info_layer = calloc(layers + 1, sizeof *m->info_layer);
	if (!m->layer || !m->range || !m->other || !m->before || !m->labels || !m->index || !m->sum || !m->info_layer)
		return fault_memory(f, m->model->name);
	m->after = m->before + batch;
	m->plan = (struct plan){.model = m->model, .layer = m->layer};
	for (int l = 0; l < m->model->layers; l++) {
		m->info_layer[l] = layer_info_of(m->model, l);
		m->layer[l] = (struct layer_plan){m->fp32, m->fp32};
	}
	return true;
}

static bool take_formats(struct measuring *m, const char *const *formats, int count, struct fault *f)
{
	if (count < 1 || count > MEASURING_FORMATS)
		return fault_set(f, "formats", "name some, and leave others out", "%d formats: a measurement has 1 to %d", count,
			MEASURING_FORMATS);
	for (int i = 0; i < count; i++) {
		if ((m->format[i] = format_named(formats[i])) < 0)
			return fault_set(f, formats[i], "int8, int4, bf16, e4m3, for some", "there is no such format");
		m->info.format[i] = format_table[m->format[i]].name;
	}
	m->info.formats = count;
	return true;
}

// Loads images of a split into place.
static void load(struct measuring *m, enum data_split split, long first, long count)
{
	for (long i = 0; i < count; i++)
		m->index[i] = (uint32_t)(first + i);
	data_batch(m->data, split, m->index, (int)count, AUGMENT_NONE, 0, network_input(m->net), m->labels);
}

// Statistics and ranges for the plan. In fp32 also the ranges of inputs for each format.
static void calibrate(struct measuring *m, struct calibration *into, bool ranges)
{
	const long batch = m->knobs.batch, all = m->data->split[DATA_TRAIN].count;
	const int cells = m->model->layers * m->info.formats;
	long wanted = m->knobs.calibration < all ? m->knobs.calibration : all, passes = 0;
	float *present = ranges ? calloc((size_t)cells + 1, sizeof *present) : NULL;
	calibration_clear(into);
	for (long at = 0; at < wanted; at += batch, passes++) {
		long count = wanted - at < batch ? wanted - at : batch;
		if (passes && count < batch) // whole batches only, so that all count alike
			break;
		load(m, DATA_TRAIN, at, count);
		network_forward(m->net, &m->plan, &m->quantization, PASS_CALIBRATE, (int)count, into);
		m->info.calibration_images = at + count;
		if (present)
			network_find_ranges(m->net, m->format, m->info.formats, present);
		for (int i = 0; present && i < cells; i++)
			m->range[i] += (present[i] - m->range[i]) / (float)(passes + 1);
	}
	m->loaded = -1;
	free(present);
}

struct measuring *measuring_open(const struct config *config, const char *const *formats, int count, long images, struct fault *f)
{
	struct measuring *m = calloc(1, sizeof *m);
	if (!m) {
		fault_memory(f, "measuring");
		return NULL;
	}
	m->knobs = *config_knobs(config);
	const struct knobs *k = &m->knobs;
	m->fp32 = format_named("fp32");
	m->quantization = (struct quantization){(enum range_kind)k->range, k->percentile, k->scales == SCALES_CHANNEL,
		k->unsigned_positive, (enum block_rule)k->blocks, k->scale == SCALE_PO2, GRADIENTS_FP32};
	if (!take_formats(m, formats, count, f) || !open_data(m, f) || !open_network(m, f) || !make_room(m, f)) {
		measuring_free(m);
		return NULL;
	}
	const long all = m->data->split[DATA_HELDOUT].count;
	m->info.net = k->net;
	m->info.data = k->data;
	m->info.layers = m->model->layers;
	m->info.layer = m->info_layer;
	m->info.images = images > 0 && images < all ? images : all;
	m->info.labelled = !m->data->unlabelled;
	m->info.parameters = m->model->parameters;
	m->batches = (m->info.images + k->batch - 1) / k->batch;
	m->info.units = m->batches * m->model->layers;
	calibrate(m, m->plain, true);
	return m;
}

void measuring_free(struct measuring *m)
{
	if (!m)
		return;
	calibration_free(m->calibration);
	calibration_free(m->plain);
	network_free(m->net);
	team_free(m->team);
	blueprint_free(m->blueprint);
	data_free(m->data);
	free(m->layer);
	free(m->range);
	free(m->other);
	free(m->before);
	free(m->labels);
	free(m->index);
	free(m->sum);
	free(m->info_layer);
	free(m);
}

const struct measuring_info *measuring_info(const struct measuring *m)
{
	return &m->info;
}

// ---- the scan ----------------------------------------------------------------------------------------------------------------

static const uint16_t *labels(const struct measuring *m)
{
	return m->info.labelled ? m->labels : NULL;
}

// A batch in fp32: its outputs, and what they say of each image. The network's operators then hold what the scan takes up.
static void run_plainly(struct measuring *m, long batch)
{
	const long first = batch * m->knobs.batch, left = m->info.images - first;
	m->count = left < m->knobs.batch ? left : m->knobs.batch;
	load(m, DATA_HELDOUT, first, m->count);
	for (int l = 0; l < m->model->layers; l++)
		m->layer[l] = (struct layer_plan){m->fp32, m->fp32};
	network_forward(m->net, &m->plan, &m->quantization, PASS_FIXED, (int)m->count, m->plain);
	memcpy(m->other, network_logits(m->net), (size_t)m->count * (size_t)m->model->classes * sizeof *m->other);
	network_judge(m->net, labels(m), NULL, (int)m->count, m->before);
	m->loaded = batch;
}

static bool add(struct measuring *m, struct sums *s, struct fault *f)
{
	network_judge(m->net, labels(m), m->other, (int)m->count, m->after);
	for (long i = 0; i < m->count; i++) {
		const struct judged *a = &m->after[i];
		double lost = m->info.labelled ? (double)m->before[i].correct - (double)a->correct : 1 - (double)a->agrees;
		if (!isfinite(a->divergence))
			return fault_set(f, m->info.net, "look at the weights: init=", "the outputs are no longer numbers");
		s->lost += lost;
		s->lost_squares += lost * lost;
		s->kl += a->divergence;
		s->kl_squares += a->divergence * a->divergence;
	}
	return true;
}

static int *half_of(struct layer_plan *p, int half)
{
	return half ? &p->activation : &p->weight;
}

// All formats of both halves of a layer. `again`: the layer behind it, whose weights are still in its last format.
static bool scan_layer(struct measuring *m, int layer, struct fault *f)
{
	const int formats = m->info.formats;
	int changed[2] = {layer, layer + 1}, count = layer + 1 < m->model->layers ? 2 : 1;
	for (int half = 0; half < HALVES; half++) {
		for (int k = 0; k < formats; k++) {
			float was = calibration_range(m->plain, layer);
			*half_of(&m->layer[layer], half) = m->format[k];
			if (half)
				calibration_set_range(m->plain, layer, m->range[layer * formats + k]);
			network_forward_from(m->net, layer, changed, count);
			calibration_set_range(m->plain, layer, was);
			count = 1;
			if (!add(m, &m->sum[(layer * HALVES + half) * formats + k], f))
				return false;
		}
		*half_of(&m->layer[layer], half) = m->fp32;
	}
	return true;
}

// Layers from the last to the first: what is before a layer is then still that of fp32.
bool measuring_advance(struct measuring *m, struct fault *f)
{
	if (m->info.done == m->info.units)
		return true;
	const long batch = m->info.done / m->model->layers;
	const int turn = (int)(m->info.done % m->model->layers);
	if (m->loaded != batch) {
		run_plainly(m, batch);
		for (long i = 0; turn == 0 && i < m->count; i++)
			m->correct += m->before[i].correct;
	}
	if (!scan_layer(m, m->model->layers - 1 - turn, f))
		return false;
	m->info.done++;
	return true;
}

struct measured_figure measuring_figure(const struct measuring *m, int layer, int half, int format)
{
	const struct sums *s = &m->sum[(layer * HALVES + half) * m->info.formats + format];
	const double n = (double)m->info.images, lost = s->lost / n, kl = s->kl / n;
	double spread = fmax(0, (s->lost_squares + 2) / (n + 2) - lost * lost), of_kl = fmax(0, s->kl_squares / n - kl * kl);
	return (struct measured_figure){100 * lost, 100 * sqrt(spread / (n + 2)), kl, sqrt(of_kl / fmax(1, n - 1))};
}

double measuring_top1(const struct measuring *m)
{
	return m->info.labelled ? 100 * (double)m->correct / (double)m->info.images : 100;
}

// ---- choices -----------------------------------------------------------------------------------------------------------------

static bool take_choice(struct measuring *m, const struct layer_formats *formats, int count, struct fault *f)
{
	for (int l = 0; l < m->model->layers; l++) {
		const struct layer_formats *its = &formats[count == 1 ? 0 : l];
		m->layer[l] = (struct layer_plan){format_named(its->weight), format_named(its->activation)};
		if (m->layer[l].weight < 0 || m->layer[l].activation < 0)
			return fault_set(f, m->layer[l].weight < 0 ? its->weight : its->activation,
				"int8, int4, bf16, e4m3, for some", "there is no such format");
	}
	return true;
}

bool measuring_choice(struct measuring *m, const struct layer_formats *formats, int count, struct measured_choice *c,
	struct layer_range *range, struct fault *f)
{
	struct sums s = {0};
	double correct = 0, agrees = 0, loss = 0;
	const double n = (double)m->info.images;
	if (!take_choice(m, formats, count, f))
		return false;
	calibrate(m, m->calibration, false);
	for (int l = 0; range && l < m->model->layers; l++)
		range[l] = (struct layer_range){network_weight_peak(m->net, l), calibration_range(m->calibration, l)};
	for (long b = 0; b < m->batches; b++) {
		run_plainly(m, b);
		take_choice(m, formats, count, NULL);
		network_forward(m->net, &m->plan, &m->quantization, PASS_FIXED, (int)m->count, m->calibration);
		if (!add(m, &s, f))
			return false;
		for (long i = 0; i < m->count; i++) {
			correct += m->after[i].correct;
			agrees += m->after[i].agrees;
			loss += m->after[i].loss;
		}
	}
	m->loaded = -1;
	const double lost = s.lost / n, kl = s.kl / n;
	c->figure = (struct measured_figure){100 * lost,
		100 * sqrt(fmax(0, (s.lost_squares + 2) / (n + 2) - lost * lost) / (n + 2)), kl,
		sqrt(fmax(0, s.kl_squares / n - kl * kl) / fmax(1, n - 1))};
	c->accuracy = m->info.labelled ? 100 * correct / n : (double)NAN;
	c->agreement = 100 * agrees / n;
	c->loss = m->info.labelled ? loss / n : (double)NAN;
	return true;
}

// ---- files -------------------------------------------------------------------------------------------------------------------

// What a saved scan must be of.
static void identify(const struct measuring *m, char buf[IDENTITY])
{
	struct network_array array[NETWORK_ARRAYS];
	const struct quantization *q = &m->quantization;
	int arrays = network_arrays(m->net, array);
	unsigned long weights = 0, formats = crc32_z(0, (const Bytef *)m->format, (size_t)m->info.formats * sizeof *m->format);
	for (int i = 0; i < arrays; i++)
		weights = crc32_z(weights, (const Bytef *)array[i].data, (size_t)array[i].count * sizeof(float));
	snprintf(buf, IDENTITY, "weights %08lx images %08x %ld of %ld in %ld calibration %ld formats %08lx range %d %g %d %d",
		weights, m->data->fingerprint, m->info.images, m->data->split[DATA_HELDOUT].count, m->knobs.batch,
		m->info.calibration_images, formats, (int)q->range, q->percentile, q->per_channel, q->unsigned_positive);
}

static const char saved_head[] = "bitscape measuring 1";

bool measuring_save(const struct measuring *m, const char *path, struct fault *f)
{
	struct string t = {0};
	char identity[IDENTITY];
	const int cells = m->model->layers * HALVES * m->info.formats;
	identify(m, identity);
	string_add(&t, "%s\n%s\n%ld %ld\n", saved_head, identity, m->info.done, m->correct);
	for (int i = 0; i < cells; i++)
		string_add(&t, "%a %a %a %a\n", m->sum[i].lost, m->sum[i].lost_squares, m->sum[i].kl, m->sum[i].kl_squares);
	bool ok = t.failed ? fault_memory(f, path) : disk_replace(path, t.bytes, t.length, f);
	string_free(&t);
	return ok;
}

// Cuts the line that *at begins with off, and moves *at past it; NULL: there is none.
static char *next_line(char **at)
{
	char *line = *at, *end = line ? strchr(line, '\n') : NULL;
	if (!end)
		return NULL;
	*end = 0;
	*at = end + 1;
	return line;
}

static bool read_sums(struct measuring *m, char *at)
{
	const int cells = m->model->layers * HALVES * m->info.formats;
	for (int i = 0; i < cells; i++) {
		char *line = next_line(&at);
		double *value[] = {&m->sum[i].lost, &m->sum[i].lost_squares, &m->sum[i].kl, &m->sum[i].kl_squares};
		for (int k = 0; k < 4; k++) {
			char *end;
			*value[k] = line ? strtod(line, &end) : (double)NAN;
			if (!line || end == line || !isfinite(*value[k]))
				return false;
			line = end;
		}
	}
	return !*at;
}

bool measuring_resume(struct measuring *m, const char *path, struct fault *f)
{
	size_t size;
	char identity[IDENTITY], *bytes = disk_read(path, STATE_BYTES, &size, f), *at = bytes;
	if (!bytes)
		return false;
	identify(m, identity);
	const char *head = next_line(&at), *its = next_line(&at), *numbers = next_line(&at);
	long done = -1, correct = -1;
	bool ok = head && its && numbers && strcmp(head, saved_head) == 0 && sscanf(numbers, "%ld %ld", &done, &correct) == 2 &&
		done >= 0 && done <= m->info.units && correct >= 0 && correct <= m->info.images;
	if (ok && strcmp(its, identity) != 0)
		ok = fault_set(f, path, "remove it to begin anew", "it is of another measurement: %s", its);
	else if (!ok || !read_sums(m, at))
		ok = fault_set(f, path, "remove it to begin anew", "it is damaged");
	if (ok) {
		m->info.done = done;
		m->correct = correct;
		m->loaded = -1;
	} else {
		memset(m->sum, 0, (size_t)m->model->layers * HALVES * (size_t)m->info.formats * sizeof *m->sum);
	}
	free(bytes);
	return ok;
}

bool measuring_write(const struct measuring *m, const char *path, struct fault *f)
{
	struct string t = {0};
	string_add(&t, "# measured on %ld images of %s, the rest of the network in fp32, calibrated on %ld; lost: points of %s\n",
		m->info.images, m->info.data, m->info.calibration_images,
		m->info.labelled ? "top-1" : "agreement with fp32 on the likeliest class, as the images have no labels");
	string_add(&t, "# weights of %s; error and kl_error: standard errors\n# top1 %.4f\n", m->knobs.init, measuring_top1(m));
	string_add(&t, "layer,format,lost,error,kl,kl_error\n");
	for (int l = 0; l < m->model->layers; l++)
		for (int half = 0; half < HALVES; half++)
			for (int k = 0; k < m->info.formats; k++) {
				struct measured_figure g = measuring_figure(m, l, half, k);
				string_add(&t, "%s.%c,%s,%.6g,%.4g,%.6g,%.4g\n", m->model->layer[l].name, half ? 'a' : 'w',
					m->info.format[k], g.lost, g.lost_error, g.kl, g.kl_error);
			}
	bool ok = t.failed ? fault_memory(f, path) : disk_replace(path, t.bytes, t.length, f);
	string_free(&t);
	return ok;
}
