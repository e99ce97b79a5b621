// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/schedule.h"

#include <math.h>
#include <string.h>

#include "engine/quant/format.h"
#include "engine/search/searcher.h"
#include "engine/tensor/rng.h"

long schedule_final(const struct shared *s)
{
	return s->horizon - (long)(s->knobs.final * (double)s->horizon);
}

long schedule_narrow(const struct shared *s)
{
	return (long)(s->knobs.wide_start * (double)s->knobs.steps);
}

enum turn schedule_turn(const struct shared *s)
{
	const struct knobs *k = &s->knobs;
	if (s->step < schedule_narrow(s))
		return TURN_WIDE;
	if (s->step >= schedule_final(s))
		return TURN_RESULT;
	return k->wide_every > 0 && s->step % k->wide_every == 0 ? TURN_WIDE : TURN_PATH;
}

int schedule_format(const struct shared *s, int format)
{
	int wide = schedule_turn(s) == TURN_WIDE ? format_named(s->knobs.wide_format) : -1;
	return wide >= 0 && format_table[wide].bits > format_table[format].bits ? wide : format;
}

bool schedule_learns(const struct lane *lane)
{
	const struct shared *s = lane->shared;
	long every = lane->searcher->sparing ? s->knobs.learn_every : 1;
	return s->step >= s->warmup && s->step < schedule_final(s) && s->step % every == 0;
}

double schedule_progress(const struct shared *s)
{
	double span = (double)(schedule_final(s) - s->warmup);
	return span > 0 ? fmin(1, fmax(0, (double)(s->step - s->warmup) / span)) : 1;
}

// How likely a step is to train the widest option of all width slots.
static double filters_likely(const struct shared *s)
{
	double steps = s->knobs.filter_warmup * (double)s->knobs.steps;
	return (double)s->step < steps ? 1 - (double)s->step / steps : 0;
}

static void widen(const struct lane *lane, uint8_t *choice)
{
	const struct partition *p = lane->partition;
	for (int d = 0; d < p->decisions; d++)
		if (p->space->slot[p->decision[d].first].kind == SLOT_WIDTH)
			choice[p->decision[d].first] = (uint8_t)(31 - __builtin_clz(p->decision[d].allowed));
	partition_spread(p, choice);
	partition_canonical(p, choice);
}

void schedule_path(const struct lane *lane, uint8_t *choice)
{
	const struct shared *s = lane->shared;
	double likely = filters_likely(s);
	if (schedule_turn(s) == TURN_RESULT) {
		memcpy(choice, lane->result, (size_t)s->space->slots);
		return;
	}
	lane->searcher->path(lane, choice);
	if (likely > 0 && rng_uniform(lane_key(lane, "filters"), 0) < likely)
		widen(lane, choice);
}
