// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/hardware/times.h"
#include "engine/model/blueprint.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/peaks.h"
#include "engine/tensor/rng.h"

enum { BATCH = 16, ROUNDS = 15 };
static const double save_seconds = 1;
static const struct quantization rounding = {.range = RANGE_MAX, .per_channel = true};

struct measurement {
	struct blueprint *blueprint;
	struct path path;
	const struct model *model;
	struct team *team;
	struct network *network;
	int batch, rounds, found, made;
	int formats, format[FORMATS], order; // order: of the next pass within its round
	struct calibration *calibration[FORMATS];
	struct layer_plan *plan; // [layers]
	int *owner;              // [ops]: the layer that an operator's time counts with
	double *seconds;         // [ops], of a pass
	double *own, *behind;    // [formats][layers], of the round in hand
	struct device device;
	struct times times;
	char file[DISK_PATH];
	double saved, last, passing; // when; seconds of the last pass; of all passes of this process
	long passes;
	int unsaved; // rounds
};

// ---- the machine ----

static void processor_name(char *buf, size_t size)
{
	char line[256];
	struct utsname u;
	FILE *f = fopen("/proc/cpuinfo", "re");
	buf[0] = 0;
	while (f && !buf[0] && fgets(line, sizeof line, f))
		if (strncmp(line, "model name", 10) == 0 && strchr(line, ':'))
			snprintf(buf, size, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"), strchr(line, ':') + 2);
	if (f)
		fclose(f);
	if (!buf[0] && uname(&u) == 0)
		snprintf(buf, size, "%.60s", u.machine);
	text_clean(buf, "");
}

static bool find_peaks(struct measurement *m, const char *name, struct fault *fault)
{
	struct peaks p;
	struct device *d = &m->device;
	if (!peaks_measure(m->team, &p, fault))
		return false;
	*d = (struct device){.batch = m->batch, .vector = p.vector, .bandwidth = p.memory};
	d->peak[NATIVE_INT8] = p.int8;
	d->peak[NATIVE_FP32] = p.fp32;
	d->on_chip = p.chip_bytes;
	d->on_chip_bandwidth = p.chip;
	snprintf(d->name, sizeof d->name, "%s", name);
	snprintf(d->source, sizeof d->source,
		"measured on this machine (%s, kernels %s, %d thread%s): peaks are the best of nine trials of the engine's kernels",
		m->times.processor, m->times.kernels, m->times.threads, m->times.threads == 1 ? "" : "s");
	return true;
}

// ---- the file ----

static bool find_file(struct measurement *m, const struct measure_question *q, char name[DEVICE_NAME], struct fault *fault)
{
	const char *asked = q->device ? q->device : device_host, *slash = strrchr(asked, '/');
	struct device known;
	size_t length = strlen(asked);
	if (slash || (length > 5 && strcmp(asked + length - 5, ".json") == 0)) {
		const char *own = slash ? slash + 1 : asked;
		size_t stem = strcspn(own, ".");
		if (length >= sizeof m->file || !stem)
			return fault_set(fault, asked, "name a file such as ./mine.json", "this cannot be the file of a device");
		snprintf(m->file, sizeof m->file, "%s", asked);
		snprintf(name, DEVICE_NAME, "%.*s", (int)stem, own);
		text_clean(name, "");
		return true;
	}
	for (const char *const *n = device_names(); *n; n++)
		if (strcmp(*n, asked) == 0 && strcmp(asked, device_host) != 0 && device_get(asked, &known, NULL) &&
			!known.times[0])
			return fault_set(fault, asked, "choose another name", "a device of the table is called this");
	snprintf(name, DEVICE_NAME, "%s", asked);
	return device_file(asked, m->file, sizeof m->file, fault);
}

static bool same_machine(const struct measurement *m, const struct times *now, struct fault *fault)
{
	const struct times *t = &m->times;
	if (t->threads == now->threads && strcmp(t->kernels, now->kernels) == 0 && strcmp(t->processor, now->processor) == 0)
		return true;
	return fault_set(fault, m->file, "`again` measures anew, device=NAME keeps both",
		"it was measured on %.60s with %s and %d thread%s, not as now", t->processor, t->kernels, t->threads,
		t->threads == 1 ? "" : "s");
}

static bool open_file(struct measurement *m, const struct measure_question *q, struct fault *fault)
{
	char name[DEVICE_NAME];
	struct times now = {.threads = team_size(m->team)};
	processor_name(now.processor, sizeof now.processor);
	snprintf(now.kernels, sizeof now.kernels, "%s", kernels_best()->name);
	if (!find_file(m, q, name, fault))
		return false;
	if (access(m->file, F_OK) == 0) {
		if (!device_read(m->file, &m->device, fault))
			return false;
		if (!m->device.times[0])
			return fault_set(fault, m->file, "choose another name",
				"it is the file of a device that was not measured so");
		if (!times_read(m->file, &m->times, fault))
			return false;
		bool same = same_machine(m, &now, fault);
		if (same || !q->again)
			return same;
		times_free(&m->times);
	}
	m->times = now;
	return find_peaks(m, name, fault);
}

// ---- what is measured ----

static void row_of(const struct measurement *m, int layer, int f, struct time_row *row)
{
	*row = (struct time_row){.format = m->format[f], .batch = m->batch};
	snprintf(row->net, sizeof row->net, "%s", m->model->name);
	snprintf(row->layer, sizeof row->layer, "%s", m->model->layer[layer].name);
	model_layer_work(m->model, layer, row->work);
}

// How many rounds the file has of all layers in all formats; of layers that have more, the first ones count.
static void find_rounds(struct measurement *m, bool again)
{
	struct time_row like, *row;
	m->made = again ? 0 : MEASURE_ROUNDS;
	for (int cut = 0; cut < 2; cut++)
		for (int i = 0; i < m->model->layers * m->formats; i++) {
			row_of(m, i % m->model->layers, i / m->model->layers, &like);
			row = times_find(&m->times, &like);
			int its = row ? row->samples : 0;
			if (!cut)
				m->made = its < m->made ? its : m->made;
			else if (row)
				row->samples = m->made;
		}
	m->found = m->made;
}

static bool read_formats(struct measurement *m, const char *list, struct fault *fault)
{
	char word[32];
	for (const char *at = list ? list : "int8,fp32"; list_next(&at, word, sizeof word);) {
		int f = format_named(word);
		if (f < 0)
			return fault_set(fault, word[0] ? word : "formats", "int8,fp32 for two", "there is no such format");
		for (int i = 0; i < m->formats; i++)
			if (m->format[i] == f)
				return fault_set(fault, word, "name each format once", "it is there twice");
		m->format[m->formats++] = f;
	}
	return true;
}

static bool make_network(struct measurement *m, const struct measure_question *q, struct fault *fault)
{
	int slots;
	if (!(m->blueprint = blueprint_named(q->net, (struct shape){q->h, q->w, q->c}, q->classes, fault)))
		return false;
	m->model = m->path.whole = blueprint_whole(m->blueprint);
	blueprint_slots(m->blueprint, &slots);
	if (slots && !blueprint_settle(m->blueprint, blueprint_standard(m->blueprint), &m->path, fault))
		return false;
	if (slots)
		m->model = m->path.model;
	return (m->team = team_new(q->threads ? q->threads : team_processors(), fault)) &&
		(m->network = network_new(m->model, NULL, m->batch, 0, 0, m->team, fault));
}

static bool make_arrays(struct measurement *m, struct fault *fault)
{
	size_t layers = (size_t)m->model->layers, ops = (size_t)m->model->ops, all = layers * (size_t)m->formats;
	m->plan = calloc(layers + 1, sizeof *m->plan);
	m->owner = calloc(ops, sizeof *m->owner);
	m->seconds = calloc(ops, sizeof *m->seconds);
	m->own = calloc(all + 1, sizeof *m->own);
	m->behind = calloc(all + 1, sizeof *m->behind);
	if (!m->plan || !m->owner || !m->seconds || !m->own || !m->behind)
		return fault_memory(fault, m->model->name);
	for (size_t i = 1; i < ops; i++)
		m->owner[i] = m->model->op[i].layer >= 0 ? m->model->op[i].layer : m->owner[i - 1];
	for (int f = 0; f < m->formats; f++)
		if (!(m->calibration[f] = calibration_new(m->network, fault)))
			return false;
	return true;
}

static struct plan uniform(struct measurement *m, int f)
{
	for (int l = 0; l < m->model->layers; l++)
		m->plan[l] = (struct layer_plan){m->format[f], m->format[f]};
	return (struct plan){.model = m->model, .layer = m->plan};
}

// Images are noise: what a layer takes does not depend on them.
static void warm_up(struct measurement *m)
{
	const struct shape in = m->model->op[0].out;
	const uint64_t key = rng_key(1, "measure", 0);
	float *x = network_input(m->network);
	network_initialise(m->network, 1);
	for (long i = 0, n = (long)m->batch * in.h * in.w * in.c; i < n; i++)
		x[i] = (float)rng_normal(key, (uint64_t)i);
	for (int f = 0; f < m->formats; f++) {
		const struct plan plan = uniform(m, f);
		network_forward(m->network, &plan, &rounding, PASS_CALIBRATE, m->batch, m->calibration[f]);
		network_time(m->network, &plan, &rounding, m->batch, m->calibration[f], m->seconds);
	}
}

struct measurement *measurement_open(const struct measure_question *q, struct fault *fault)
{
	struct measurement *m = calloc(1, sizeof *m);
	if (!m) {
		fault_memory(fault, q->net);
		return NULL;
	}
	m->batch = q->batch ? q->batch : BATCH;
	m->rounds = q->rounds ? q->rounds : ROUNDS;
	m->saved = clock_seconds();
	if (read_formats(m, q->formats, fault) && make_network(m, q, fault) && open_file(m, q, fault) && make_arrays(m, fault)) {
		find_rounds(m, q->again);
		if (m->made < m->rounds)
			warm_up(m);
		return m;
	}
	measurement_close(m);
	return NULL;
}

void measurement_close(struct measurement *m)
{
	if (!m)
		return;
	for (int f = 0; f < m->formats; f++)
		calibration_free(m->calibration[f]);
	network_free(m->network);
	team_free(m->team);
	path_free(&m->path);
	blueprint_free(m->blueprint);
	times_free(&m->times);
	free(m->plan);
	free(m->owner);
	free(m->seconds);
	free(m->own);
	free(m->behind);
	free(m);
}

// ---- passes ----

// Puts a round into the table.
static bool keep_round(struct measurement *m, struct fault *fault)
{
	static const double least = 1e-9; // of the clock
	for (int f = 0; f < m->formats; f++)
		for (int l = 0; l < m->model->layers; l++) {
			struct time_row like, *row;
			int at = f * m->model->layers + l;
			row_of(m, l, f, &like);
			row = times_find(&m->times, &like);
			if (!row && !(row = times_add(&m->times, &like, fault)))
				return false;
			if (!times_sample(row, fmax(m->own[at], least), m->behind[at], fault))
				return false;
			times_settle(row);
		}
	m->made++;
	m->unsaved++;
	return true;
}

bool measurement_save(struct measurement *m, struct fault *fault)
{
	if (!m->unsaved)
		return true;
	if (!disk_make_folders(m->file, fault) || !device_write(m->file, &m->device, &m->times, fault))
		return false;
	m->unsaved = 0;
	m->saved = clock_seconds();
	return true;
}

bool measurement_pass(struct measurement *m, struct fault *fault)
{
	if (m->made >= m->rounds)
		return measurement_save(m, fault);
	int f = (m->order + m->made) % m->formats;
	double *own = m->own + f * m->model->layers, *behind = m->behind + f * m->model->layers, began = clock_seconds();
	const struct plan plan = uniform(m, f);
	network_time(m->network, &plan, &rounding, m->batch, m->calibration[f], m->seconds);
	m->last = clock_seconds() - began;
	m->passing += m->last;
	m->passes++;
	memset(behind, 0, (size_t)m->model->layers * sizeof *behind);
	for (int i = 1; i < m->model->ops; i++)
		if (m->model->op[i].layer >= 0)
			own[m->model->op[i].layer] = m->seconds[i];
		else
			behind[m->owner[i]] += m->seconds[i];
	if (++m->order < m->formats)
		return true;
	m->order = 0;
	if (!keep_round(m, fault))
		return false;
	return (m->made < m->rounds && clock_seconds() - m->saved < save_seconds) || measurement_save(m, fault);
}

void measurement_state(const struct measurement *m, struct measure_state *s)
{
	long all = (long)m->rounds * m->formats, done = (long)m->made * m->formats + m->order;
	*s = (struct measure_state){.net = m->model->name,
		.kernels = m->times.kernels,
		.format = format_table[m->format[(m->order + m->made) % m->formats]].name,
		.batch = m->batch,
		.threads = team_size(m->team),
		.layers = m->model->layers,
		.formats = m->formats,
		.rounds = m->made > m->rounds ? m->made : m->rounds,
		.made = m->made,
		.found = m->found,
		.share = done < all ? (double)done / (double)all : 1,
		.left = m->passes ? m->passing / (double)m->passes * (double)(all - done) : (double)NAN,
		.pass = m->last,
		.done = m->made >= m->rounds};
	snprintf(s->file, sizeof s->file, "%s", m->file);
	snprintf(s->device, sizeof s->device, "%s", m->device.name);
}
