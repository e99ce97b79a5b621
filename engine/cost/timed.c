// SPDX-License-Identifier: GPL-3.0-or-later
// A table of prices from the times that a device has: a row for each layer of the network by its name, and behind them one for each
// work that was measured, which serves other networks and layers in other shapes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cost/inside.h"
#include "engine/hardware/times.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int timed_row(const struct tariff *t, const struct model *m, int layer)
{
	char work[MODEL_WORK];
	if (!t->works)
		return -1;
	const char(*found)[MODEL_WORK] = bsearch(model_layer_work(m, layer, work), t->work, (size_t)t->works, sizeof *t->work,
		by_text);
	return found ? t->whole->layers + (int)(found - (const char(*)[MODEL_WORK])t->work) : -1;
}

// Each work once, in order.
static bool list_works(struct tariff *t, const struct times *times, struct fault *fault)
{
	t->work = calloc((size_t)times->count + 1, sizeof *t->work);
	if (!t->work)
		return fault_memory(fault, t->name);
	int count = 0;
	for (int i = 0; i < times->count; i++)
		if (times->row[i].batch == t->batch && times->row[i].work[0])
			memcpy(t->work[count++], times->row[i].work, sizeof *t->work);
	qsort(t->work, (size_t)count, sizeof *t->work, by_text);
	for (int i = 0; i < count; i++)
		if (!t->works || strcmp(t->work[i], t->work[t->works - 1]) != 0)
			memmove(t->work[t->works++], t->work[i], sizeof *t->work);
	return true;
}

// Puts a time into a table's row, as the mean of all that are put there.
static void put(struct measured *table, int at, const struct time_row *r, int before)
{
	double share = 1.0 / (before + 1), keep = 1 - share;
	struct figure_spread *spread = &table->spread[at][r->format];
	double *value = &table->value[at][r->format];
	*value = keep * *value + share * 1e3 * (r->seconds + r->behind);
	*spread = (struct figure_spread){keep * spread->low + share * 1e3 * r->low, keep * spread->high + share * 1e3 * r->high,
		keep * spread->behind + share * 1e3 * r->behind};
	table->has[at] |= 1u << r->format;
	table->source[at][r->format] = FIGURE_MEASURED;
}

// Whether a row is about this layer by name; what it says of its work must agree.
static bool is_of(const struct time_row *r, const struct model *m, int layer)
{
	char work[MODEL_WORK];
	return r->layer[0] && strcmp(r->layer, m->layer[layer].name) == 0 && (!r->net[0] || strcmp(r->net, m->name) == 0) &&
		(!r->work[0] || strcmp(r->work, model_layer_work(m, layer, work)) == 0);
}

static bool fill(struct tariff *t, const struct times *times, struct fault *fault)
{
	const struct model *m = t->whole;
	int rows = m->layers + t->works, (*count)[FORMATS] = calloc((size_t)rows + 1, sizeof *count);
	bool ok = count && measured_new(&t->table, m, rows, fault);
	if (ok)
		t->table.spread = calloc((size_t)rows + 1, sizeof *t->table.spread);
	if (!count || (ok && !t->table.spread))
		ok = fault_memory(fault, t->name);
	for (int i = 0; ok && i < times->count; i++) {
		const struct time_row *r = &times->row[i];
		if (r->batch != t->batch)
			continue;
		for (int l = 0; l < m->layers; l++)
			if (is_of(r, m, l))
				put(&t->table, l, r, count[l][r->format]++);
		const char(*work)[MODEL_WORK] = r->work[0] ? bsearch(r->work, t->work, (size_t)t->works, sizeof *t->work, by_text)
							   : NULL;
		if (work) {
			int at = m->layers + (int)(work - (const char(*)[MODEL_WORK])t->work);
			put(&t->table, at, r, count[at][r->format]++);
		}
	}
	free(count);
	return ok;
}

// Which batches were measured: "16, 64".
static const char *batches(const struct times *times, char *buf, size_t size)
{
	int last = 0;
	snprintf(buf, size, "measured with batch=");
	for (;;) {
		int next = 0;
		for (int i = 0; i < times->count; i++)
			if (times->row[i].batch > last && (!next || times->row[i].batch < next))
				next = times->row[i].batch;
		size_t used = strlen(buf);
		if (!next || used + 12 > size)
			return buf;
		snprintf(buf + used, size - used, "%s%d", last ? ", " : "", next);
		last = next;
	}
}

bool timed_of(struct tariff *t, const struct model *whole, struct fault *fault)
{
	struct times times;
	bool any = false;
	measured_begin(t, whole);
	if (!times_read(t->device.times, &times, fault))
		return false;
	for (int i = 0; i < times.count; i++)
		any |= times.row[i].batch == t->batch;
	char todo[sizeof fault->todo], spread[64] = "";
	bool ok = any ||
		fault_set(fault, t->name, batches(&times, todo, sizeof todo), "nothing was measured for %d image%s at once",
			t->batch, t->batch == 1 ? "" : "s");
	ok = ok && list_works(t, &times, fault) && fill(t, &times, fault);
	if (times.threads)
		snprintf(spread, sizeof spread, " with %d thread%s", times.threads, times.threads == 1 ? "" : "s");
	times_free(&times);
	if (!ok)
		return false;
	t->table.batch = t->batch;
	tariff_per(t, t->batch);
	snprintf(t->help, sizeof t->help, "time of a batch of %d on %s, measured layer by layer%s", t->batch, t->device.name,
		spread);
	return true;
}
