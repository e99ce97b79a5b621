// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/strain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/schedule.h"

enum { VERSION = 1, ARRAYS = 3, NUMBERS = 2 };
enum { LOOK_EVERY = 20 };        // steps between looks at the weights, which take about a hundredth of a step each
static const float KEEP = 0.95f; // of what is smoothed

bool strain_open(struct strain *strain, const struct shared *s, struct fault *fault)
{
	size_t layers = (size_t)s->model->layers;
	*strain = (struct strain){.shared = s, .layers = (int)layers, .before = -1, .after = -1};
	strain->format = malloc((ARRAYS * layers + 1) * sizeof *strain->format);
	if (!strain->format)
		return fault_memory(fault, "search");
	strain->switching = strain->format + layers;
	strain->near_edge = strain->switching + layers;
	for (size_t l = 0; l < layers; l++) {
		strain->format[l] = strain->near_edge[l] = -1;
		strain->switching[l] = 0;
	}
	return true;
}

void strain_close(struct strain *strain)
{
	free(strain->format);
}

void strain_path(struct strain *strain, const uint8_t *path)
{
	const struct shared *s = strain->shared;
	for (int l = 0; l < strain->layers; l++) {
		int slot = space_slot(l, HALF_WEIGHT);
		if (!slot_there(s->space->slot, slot, path))
			continue; // it stays as it is
		float format = (float)schedule_format(s, space_format(s->space, slot, path[slot]));
		bool switched = strain->format[l] >= 0 && strain->format[l] != format;
		strain->switching[l] = KEEP * strain->switching[l] + (switched ? 1 - KEEP : 0);
		strain->format[l] = format;
	}
}

// Of the held-out images that score a front.
static double accuracy_of(struct strain *strain, struct source *source, int lane, const uint8_t *choice)
{
	const struct knobs *k = &strain->shared->knobs;
	struct evaluation e = {0};
	struct fault fault;
	return source->kind->evaluate(source, k, lane, choice, SPLIT_HELDOUT, k->front_images, &e, &fault) ? e.accuracy : -1;
}

static void watch_final(struct strain *strain, struct source *source, int lane, const uint8_t *result)
{
	long into = strain->shared->step - schedule_final(strain->shared);
	bool ends = strain->shared->step == strain->shared->horizon;
	if (into == 0) {
		strain->before = accuracy_of(strain, source, lane, result);
		strain->after = -1;
	} else if (into == STRAIN_SETTLED || (ends && into > 0 && into < STRAIN_SETTLED)) {
		strain->after = accuracy_of(strain, source, lane, result);
	}
}

void strain_look(struct strain *strain, struct source *source, int lane, const uint8_t *result)
{
	const struct shared *s = strain->shared;
	if (!source->kind->near_edges)
		return;
	if (s->step % LOOK_EVERY == 0) {
		source->kind->near_edges(source, lane, result, strain->near_edge);
		for (int l = 0; l < strain->layers; l++)
			strain->near_edge[l] = isnan(strain->near_edge[l]) ? -1 : strain->near_edge[l];
	}
	if (s->knobs.final > 0)
		watch_final(strain, source, lane, result);
}

// ---- states and snapshots ----

static void list(const struct strain *strain, struct state_array array[ARRAYS])
{
	memcpy(array,
		(struct state_array[ARRAYS]){
			{"format", strain->format, strain->layers},
			{"switching", strain->switching, strain->layers},
			{"near_edge", strain->near_edge, strain->layers},
		},
		ARRAYS * sizeof *array);
}

static void list_numbers(struct strain *strain, struct state_number number[NUMBERS])
{
	memcpy(number, (struct state_number[NUMBERS]){{"before", .real = &strain->before}, {"after", .real = &strain->after}},
		NUMBERS * sizeof *number);
}

bool strain_save(struct strain *strain, struct state *out, struct fault *fault)
{
	struct state_array array[ARRAYS];
	struct state_number number[NUMBERS];
	list(strain, array);
	list_numbers(strain, number);
	if (!state_part(out, "strain", VERSION) || !state_say_numbers(out, number, NUMBERS, "strain.", NULL))
		return fault_memory(fault, "checkpoint");
	return state_add_arrays(out, array, ARRAYS, "strain.", fault);
}

bool strain_restore(struct strain *strain, const struct state *in, struct fault *fault)
{
	struct state_array array[ARRAYS];
	struct state_number number[NUMBERS];
	list(strain, array);
	list_numbers(strain, number);
	return state_part_check(in, "strain", VERSION, fault) && state_read_arrays(in, array, ARRAYS, "strain.", fault) &&
		state_read_numbers(in, number, NUMBERS, "strain.", NULL, fault);
}

void strain_publish(const struct strain *strain, struct snapshot *out)
{
	out->final_before = strain->before < 0 ? (double)NAN : strain->before;
	out->final_after = strain->after < 0 ? (double)NAN : strain->after;
	for (int l = 0; l < strain->layers; l++)
		out->layer[l] = (struct layer_state){
			.switching = strain->switching[l], .near_edge = strain->near_edge[l] < 0 ? NAN : strain->near_edge[l]};
}
