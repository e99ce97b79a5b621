// SPDX-License-Identifier: GPL-3.0-or-later
// The card at the end of a search: what was found, against the uniform choice that costs about as much, and what may come next.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "ui/workbench.h"

// The uniform choice whose cost is nearest, by ratio; NULL: none was scored.
static const struct front_point *nearest_uniform(const struct snapshot *now, int term, double cost)
{
	const struct front_point *best = NULL;
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		if (p->origin != POINT_UNIFORM || !(p->cost[term] > 0) || !(cost > 0))
			continue;
		if (!best || fabs(log(p->cost[term] / cost)) < fabs(log(best->cost[term] / cost)))
			best = p;
	}
	return best;
}

static void add_accuracy(const struct snapshot *now, const struct front_point *p, struct string *t)
{
	double error = snapshot_error(now, p);
	string_add(t, "%s%.2f", now->estimated[0] ? "~" : "", 100 * p->accuracy);
	if (error > 0)
		string_add(t, " +- %.2f", 100 * error);
	string_add(t, " %%");
}

static void add_found(const struct snapshot *now, int term, const struct front_point *p, bool tests, struct string *t)
{
	char cost[ENGINE_TEXT];
	const struct term_state *k = &now->term[term];
	string_add(t, "Found: ");
	if (p)
		add_accuracy(now, p, t);
	if (now->terms > 0) {
		string_add(t, "%s%s", p ? " at " : "a choice at ", number_brief(k->result, k->brief, cost, sizeof cost));
		if (k->targeted && k->target > 0)
			string_add(t, ", %.2f times its target", k->result / k->target);
	}
	string_add(t, p ? "." : tests ? "; the front did not score it, E does." : "; the front did not score it.");
}

// Both are scored on the same images, so twice the error of independent scores is a careful bound of the noise.
static void add_against(const struct snapshot *now, int term, const struct front_point *p, struct string *t)
{
	char cost[ENGINE_TEXT];
	const struct front_point *u = now->terms > 0 ? nearest_uniform(now, term, now->term[term].result) : NULL;
	if (!u) {
		string_add(t, "No uniform choice was scored to hold it against.");
		return;
	}
	string_add(t, "Nearest uniform choice: %s at %s, ", u->label,
		number_brief(u->cost[term], now->term[term].brief, cost, sizeof cost));
	add_accuracy(now, u, t);
	string_add(t, ".");
	if (!p)
		return;
	double ahead = p->accuracy - u->accuracy, noise = 2 * hypot(snapshot_error(now, p), snapshot_error(now, u));
	string_add(t, " The search is %s by %.2f points%s.", ahead < 0 ? "behind" : "ahead", 100 * fabs(ahead),
		fabs(ahead) < noise ? ", which is within the noise" : "");
	if (!now->estimated[0]) // the weights are shared, and were trained for the search's choice
		string_add(t, " Both are scored with weights that trained for the search; a race trains %s alone.", u->label);
}

// "Layers by format: int2 3, int4 6, int8 1".
static void add_formats(const struct snapshot *now, struct string *t)
{
	const struct engine_info *info = now->info;
	const struct slot_info *first = &info->slot[0];
	const char *before = "Layers by format: ";
	for (int o = 0; info->layers > 0 && o < first->options; o++) {
		int count = 0;
		for (int l = 0; l < info->layers; l++) {
			const struct slot_info *s = &info->slot[info->layer[l].weight_slot];
			count += strcmp(s->option[now->slot[info->layer[l].weight_slot].result].name, first->option[o].name) == 0;
		}
		if (count > 0)
			string_add(t, "%s%s %d", before, first->option[o].name, count);
		before = count > 0 ? ", " : before;
	}
}

static bool add(struct popup *p, struct string *t)
{
	bool ok = !t->failed && t->bytes && popup_add_hanging(p, t->bytes, 0, 2);
	string_free(t);
	*t = (struct string){0};
	return ok;
}

void card_show(struct workbench *w)
{
	const struct snapshot *now = session_snapshot(w->session);
	const int term = snapshot_term(now, 0);
	const struct front_point *p = snapshot_result(now, false);
	struct string t = {0};
	const bool tests = act_possible(now->info, "evaluate test");
	struct popup made = {.card = true, .foot = tests ? "E, y, X, or Esc closes" : "y, X, or Esc closes"};
	snprintf(made.title, sizeof made.title, "The search is finished, step %ld", now->step);
	add_found(now, term, p, tests, &t);
	bool ok = add(&made, &t);
	if (engine_info(session_engine(w->session))->layers > 0) // a machine has no uniform choices
		add_against(now, term, p, &t);
	ok = ok && (!t.bytes || add(&made, &t));
	add_formats(now, &t);
	ok = ok && (!t.bytes || add(&made, &t)) && popup_add(&made, "", 0, false) &&
		(!tests || popup_add_hanging(&made, "E  score it once on the test images, which nothing was chosen by", 1, 3)) &&
		popup_add_hanging(&made, "y  export it as JSON", 1, 3) &&
		popup_add_hanging(&made, "X  extend the search; pins, targets and weights steer on from here", 1, 3);
	string_free(&t);
	if (!ok) {
		popup_clear(&made);
		return;
	}
	workbench_close(w);
	w->popup = made;
}
