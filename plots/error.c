// SPDX-License-Identifier: GPL-3.0-or-later
// What each format of each layer does to the layer's output: signal to noise where it alone is rounded, layers down, formats across.
#include "plots/build.h"

#include <math.h>
#include <stdio.h>

// A bit is worth 6 dB: classes are as wide, and the last two are of what is beyond, and of what is exact.
enum { CLASS = 6, BEYOND = 8, EXACT, CLASSES };

static float class_of(double noise)
{
	if (isnan(noise))
		return NAN;
	const double class = isinf(noise) && noise > 0 ? EXACT : fmax(0, fmin(floor(noise / CLASS), BEYOND));
	return (float)(class / (CLASSES - 1));
}

static void name_classes(struct heat *h)
{
	snprintf(h->level[0], sizeof h->level[0], "0: <%d dB", CLASS);
	for (int i = 1; i < BEYOND; i++)
		snprintf(h->level[i], sizeof h->level[i], "%d: %d-%d dB", i, i * CLASS, (i + 1) * CLASS);
	snprintf(h->level[BEYOND], sizeof h->level[0], "%d: >%d dB", BEYOND, BEYOND * CLASS);
	snprintf(h->level[EXACT], sizeof h->level[0], "%d: exact", EXACT);
}

static bool add_errors(struct figure *f, const struct figure_source *source)
{
	const struct engine_info *info = source->snapshot->info;
	const struct slot_info *slot = &info->slot[info->layer[0].weight_slot]; // all have the formats of the space
	struct heat *h = figure_add_heat(f, info->layers, slot->options, CLASSES);
	if (!h || !heat_named(h, slot->options))
		return false;
	name_classes(h);
	for (int o = 0; o < h->columns; o++)
		snprintf(h->part[o], sizeof h->part[o], "%s", slot->option[o].name);
	for (int l = 0; l < h->rows; l++) {
		snprintf(h->row[l], sizeof h->row[l], "%s", info->layer[l].name);
		for (int o = 0; o < h->columns; o++)
			h->value[l * h->columns + o] = class_of(source->errors->noise[l * ENGINE_OPTIONS + o]);
	}
	h->focus = source->layer;
	h->first = 1;
	h->last = h->columns;
	f->x.low = 0;
	f->x.high = h->columns;
	return true;
}

struct figure *figure_error(const struct figure_source *source)
{
	const struct layer_errors *e = source->errors;
	const struct engine_info *info = source->snapshot->info;
	char subject[2 * ENGINE_TEXT + 8], label[96] = "format";
	if (e)
		snprintf(label, sizeof label, "format (step %ld, %d images)", e->step, e->images);
	struct figure *f = figure_new(label, "");
	if (f)
		figure_title(f, "Signal to noise of outputs, %s", subject_of(info, subject));
	if (!f || !e || !info || info->layers < 1 || add_errors(f, source))
		return f;
	figure_free(f);
	return NULL;
}
