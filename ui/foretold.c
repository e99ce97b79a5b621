// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/foretold.h"

#include <math.h>
#include <stdlib.h>

// Whether a slot is the first of its decision.
static bool leads(const struct snapshot *now, int slot)
{
	for (int i = 0; i < slot; i++)
		if (now->slot[i].decision == now->slot[slot].decision)
			return false;
	return true;
}

// What a choice is worth beyond the modal one; NAN: of one of its options nothing is known.
static double worth_of(const struct snapshot *now, const uint8_t *choice, double *error)
{
	double sum = 0, variance = 0;
	for (int i = 0; i < now->slots; i++) {
		const struct slot_state *s = &now->slot[i];
		if (choice[i] == s->modal || engine_rests(now->info, i, choice) || !leads(now, i))
			continue;
		sum += (double)s->worth[choice[i]];
		variance += (double)s->error[choice[i]] * (double)s->error[choice[i]];
	}
	*error = sqrt(variance);
	return sum;
}

static double quality_of(const struct snapshot *now, const struct front_point *p)
{
	return now->quality_is_loss ? -p->loss : p->accuracy;
}

static const struct front_point *modal_point(const struct snapshot *now)
{
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		bool modal = p->choice && !p->trained;
		for (int k = 0; modal && k < now->slots; k++)
			modal = p->choice[k] == now->slot[k].modal || engine_rests(now->info, k, p->choice);
		if (modal)
			return p;
	}
	return NULL;
}

struct foretold foretell(const struct snapshot *now, const uint8_t *choice)
{
	struct foretold f = {.off = NAN};
	const struct front_point *modal = modal_point(now);
	double squares = 0, error;
	f.change = worth_of(now, choice, &f.error);
	if (!(f.error > 0) || !isfinite(f.error)) // nothing is drafted, or nothing was learned
		f.change = NAN;
	for (int i = 0; modal && i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		if (p == modal || p->trained || !p->choice || p->step != modal->step)
			continue;
		double missed = worth_of(now, p->choice, &error) - (quality_of(now, p) - quality_of(now, modal));
		if (!isfinite(missed))
			continue;
		squares += missed * missed;
		f.points++;
	}
	if (f.points)
		f.off = sqrt(squares / f.points);
	return f;
}
