// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/source.h"

#include <string.h>

static const struct source_kind *const kinds[] = {
	&source_model, &source_pipe, &source_table, &source_kept, &source_trained}; // the first that serves

struct source *source_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	size_t i = 0;
	while (!kinds[i]->serves(&shared->knobs))
		i++;
	return kinds[i]->open(shared, opened, fault);
}

void source_close(struct source *source)
{
	if (source)
		source->kind->close(source);
}

bool source_ask(struct source *source, struct asked *a, int lane, int count, const uint8_t *choice, struct fault *fault)
{
	size_t slots = (size_t)source->shared->space->slots;
	a->count = count;
	a->scored = 0;
	for (int i = 0; i < count; i++) {
		int k = 0;
		while (k < a->scored && memcmp(a->distinct + (size_t)k * slots, choice + (size_t)i * slots, slots) != 0)
			k++;
		if (k == a->scored)
			memcpy(a->distinct + (size_t)a->scored++ * slots, choice + (size_t)i * slots, slots);
		a->of[i] = k;
	}
	return source->kind->post(source, lane, a->scored, a->distinct, fault);
}

bool source_answer(struct source *source, struct asked *a, double *quality, struct fault *fault)
{
	double scored[SEARCH_SAMPLES];
	source->failed = 0;
	if (!source->kind->collect(source, scored, fault))
		return false;
	for (int i = 0; i < a->count; i++) {
		quality[i] = scored[a->of[i]];
		a->failed[i] = source->failed >> a->of[i] & 1;
	}
	return true;
}
