// SPDX-License-Identifier: GPL-3.0-or-later
// `point`: the choice behind a point of the front, and what can be done with it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

// What the calls below need to outlive the snapshot: the front moves while the search runs.
struct point_call {
	struct session *s;
	struct command_call *call;
	const struct front_point *point;
	const uint8_t *choice; // a copy
	long number;
	const char *word; // behind the verb; NULL: none
};

static bool show(struct point_call *p)
{
	const struct snapshot *now = p->s->snapshot;
	const struct front_point *point = p->point;
	struct string t = {0};
	string_add(&t, "point %ld of %d, %s, step %ld: accuracy %s%.2f %%", p->number, now->points,
		point->label[0] ? point->label : point_origin_word(point->origin), point->step, now->estimated[0] ? "~" : "",
		100 * point->accuracy);
	if (isfinite(point->loss))
		string_add(&t, ", loss %.4f", point->loss);
	if (point->trained)
		string_add(&t, ", trained %ld steps, %.2f %% on the test images", point->trained, 100 * point->test);
	string_add(&t, "; ");
	session_tell_costs(p->s, &t, p->choice, NULL);
	string_add(&t, "\n");
	for (int i = 0; i < p->s->info->slots; i++)
		if (p->choice[i] != now->slot[i].modal)
			string_add(&t, "%s %s, modal %s\n", p->s->info->slot[i].name,
				p->s->info->slot[i].option[p->choice[i]].name,
				p->s->info->slot[i].option[now->slot[i].modal].name);
	return say_all(p->call, &t);
}

static bool draft(struct point_call *p)
{
	return draft_take(p->s, p->call, p->choice);
}

static bool pin(struct point_call *p)
{
	return draft_pin(p->s, p->choice, &p->call->fault);
}

static bool evaluate(struct point_call *p)
{
	char called[ENGINE_NAME];
	const bool test = p->word && strcmp(p->word, "test") == 0;
	if (p->word && !test && strcmp(p->word, "heldout") != 0)
		return fault_set(&p->call->fault, p->word, "give heldout or test", "is not a split");
	snprintf(called, sizeof called, "point %ld", p->number);
	return session_evaluate(p->s, CHOICE_GIVEN, called, p->choice, test ? SPLIT_TEST : SPLIT_HELDOUT, &p->call->fault);
}

static bool export(struct point_call *p)
{
	return export_choice(p->s, p->call, p->choice, p->word);
}

static bool train(struct point_call *p)
{
	char called[ENGINE_NAME];
	long steps = p->s->snapshot->horizon;
	if (p->word && !number_read_long(p->word, 1, 100000000, &steps))
		return fault_set(&p->call->fault, p->word, "give a number of steps, or nothing: as many as the search has",
			"is not a number of steps");
	snprintf(called, sizeof called, "point %ld", p->number);
	return alone_train(p->s, p->choice, steps, called, p->call);
}

static const struct verb {
	const char *name;
	int words; // that it takes
	bool (*run)(struct point_call *);
} verbs[] = {{"draft", 0, draft}, {"pin", 0, pin}, {"evaluate", 1, evaluate}, {"export", 1, export}, {"train", 1, train}};
enum { VERBS = sizeof verbs / sizeof *verbs };

bool run_point(struct command_call *call)
{
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	struct point_call p = {.s = s, .call = call, .word = call->argc > 2 ? call->argv[2] : NULL};
	static const struct verb shown = {"", 0, show};
	const struct verb *verb = call->argc > 1 ? NULL : &shown;
	char advice[64];
	for (int i = 0; call->argc > 1 && i < VERBS; i++)
		verb = strcmp(verbs[i].name, call->argv[1]) == 0 ? &verbs[i] : verb;
	if (!verb)
		return fault_set(&call->fault, call->argv[1], "draft, pin, evaluate, export or train it",
			"cannot be done to a point");
	if (call->argc - 2 > verb->words)
		return fault_set(&call->fault, call->argv[2], "leave it out", "is one word too many");
	if (!now->points)
		return fault_set(&call->fault, "point", "`run` on, and one is scored before long", "the front is still empty");
	snprintf(advice, sizeof advice, "there are 1 to %d; `front all` lists them", now->points);
	if (!number_read_long(call->argv[0], 1, now->points, &p.number))
		return fault_set(&call->fault, call->argv[0], advice, "is not a point of the front");
	p.point = &now->point[p.number - 1];
	uint8_t *choice = malloc((size_t)s->info->slots + 1);
	if (!choice)
		return fault_memory(&call->fault, "point");
	memcpy(choice, p.point->choice, (size_t)s->info->slots);
	p.choice = choice;
	bool ok = verb->run(&p);
	free(choice);
	return ok;
}
