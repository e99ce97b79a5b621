// SPDX-License-Identifier: GPL-3.0-or-later
// `lane`: the lanes of a search, as a table; the one that is shown; and what is said to one of them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/report.h"
#include "sessions/core/inside.h"
#include "sessions/store/changes.h"

// ---- the table -----------------------------------------------------------------------------------------------------

// A value or a dash.
static void number_cell(struct report *r, double value, const char *unit)
{
	char text[ENGINE_TEXT];
	report_cell(r, "%s", number_brief(value, unit, text, sizeof text));
}

// The terms that a lane aims at: each has two columns.
static int aimed(const struct snapshot *now, int term[ENGINE_TERMS])
{
	int count = 0;
	for (int k = 0; k < now->terms; k++) {
		bool any = false;
		for (int i = 0; i < now->lanes; i++)
			any = any || (now->lane[i].weight[k] > 0 && now->lane[i].target[k] > 0);
		if (any)
			term[count++] = k;
	}
	return count;
}

// What a copy of the weights reached that was trained on a lane's result last (CHANGE_POLISH); NULL: none was.
static const struct front_point *trained_last(const struct snapshot *now, int lane)
{
	const struct front_point *last = NULL;
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		if (p->trained && p->lane == lane && (!last || p->step >= last->step))
			last = p;
	}
	return last;
}

enum { FIRST = 5, COSTS = 6, MOST = FIRST + 2 * COSTS + 3 };

static bool list(struct command_call *call)
{
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	struct report_column column[MOST] = {
		{"lane", true}, {"target", true}, {"quality", false}, {"accuracy", false}, {"entropy", false}};
	char head[2 * COSTS][ENGINE_NAME + 16];
	int term[ENGINE_TERMS], terms = aimed(now, term), columns = FIRST;
	struct report r;
	if (call->argc > 1)
		return fault_set(&call->fault, "lane list", "lane list", "it takes no arguments");
	terms = terms < COSTS ? terms : COSTS;
	for (int k = 0; k < terms; k++) {
		snprintf(head[2 * k], sizeof head[0], "%s now", now->term[term[k]].name);
		snprintf(head[2 * k + 1], sizeof head[0], "sampled");
		column[columns++] = (struct report_column){head[2 * k], false};
		column[columns++] = (struct report_column){head[2 * k + 1], false};
	}
	column[columns++] = (struct report_column){"steps", false};
	bool trained = false;
	for (int i = 0; i < now->lanes; i++)
		trained = trained || trained_last(now, now->lane[i].number);
	if (trained) {
		column[columns++] = (struct report_column){"trained", false};
		column[columns++] = (struct report_column){"on test", false};
	}
	report_begin(&r, column, columns);
	r.pick = "lane focus";
	for (int i = 0; i < now->lanes; i++) {
		const struct lane_state *lane = &now->lane[i];
		report_cell(&r, "%d", lane->number);
		report_cell(&r, "%s%s", lane->name, lane->pins ? " (pins)" : "");
		number_cell(&r, lane->quality, "");
		number_cell(&r, 100 * lane->accuracy, "%");
		number_cell(&r, lane->entropy, "");
		for (int k = 0; k < terms; k++) {
			number_cell(&r, lane->modal[term[k]], now->term[term[k]].symbol);
			number_cell(&r, lane->expected[term[k]], now->term[term[k]].symbol);
		}
		report_cell(&r, "%ld", lane->steps);
		const struct front_point *last = trained_last(now, lane->number);
		if (trained) {
			number_cell(&r, last ? 100 * last->accuracy : (double)NAN, "%");
			number_cell(&r, last ? 100 * last->test : (double)NAN, "%");
		}
	}
	if (trained)
		report_below(&r,
			"trained: held-out accuracy of a copy of the weights that was trained on the lane's result, on the front's images");
	report_below(&r, "lane %d is shown; commands without `lane N` are about it", now->focus);
	return report_end(&r, call, NULL, true);
}

// ---- one lane ------------------------------------------------------------------------------------------------------

static bool no_number(const char *word, struct fault *f)
{
	return fault_set(f, word, "`lane list` lists them", "this is not the number of a lane");
}

static bool focus_next(struct command_call *call)
{
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	int at = 0;
	while (at < now->lanes - 1 && now->lane[at].number != session_focus(s))
		at++;
	return now->lanes > 1 ? session_focus_on(s, now->lane[(at + 1) % now->lanes].number, &call->fault)
			      : fault_set(&call->fault, "lane", "`lane add TERM TARGET` adds another", "there is only one");
}

static bool focus(struct command_call *call)
{
	int number;
	if (call->argc != 2)
		return fault_set(&call->fault, "lane focus", "lane focus N, or next", "it takes the number of one lane");
	if (strcmp(call->argv[1], "next") == 0)
		return focus_next(call);
	return change_lane_number(call->argv[1], &number) ? session_focus_on(call->context, number, &call->fault)
							  : no_number(call->argv[1], &call->fault);
}

struct lane_word {
	const char *word;
	bool (*run)(struct command_call *);
};
static const struct lane_word *word_of(const char *word);
static bool change(struct command_call *call);

// The line behind `lane N`, as it stands.
static const char *rest_of(const char *line)
{
	for (int i = 0; i < 2; i++) {
		line += strspn(line, " \t");
		line += strcspn(line, " \t");
	}
	return line + strspn(line, " \t");
}

static bool say_to(struct command_call *call, int number)
{
	struct session *s = call->context;
	const struct command *c = call->argc > 1 ? command_find(call->table, call->argv[1], NULL) : NULL;
	const struct lane_word *own = call->argc > 1 ? word_of(call->argv[1]) : NULL;
	struct string line = {0};
	char usage[64];
	snprintf(usage, sizeof usage, "lane %d COMMAND; `lane focus %d` shows it", number, number);
	if (call->argc < 2)
		return fault_set(&call->fault, "lane", usage, "nothing is said behind the number");
	if (c && !run_in_lane(c))
		return fault_set(&call->fault, c->name, usage,
			"only a change is said to one lane: this is about the one that is shown");
	string_add(&line, "%s%s", own && own->run == change ? "lane " : "", rest_of(call->line)); // "lane 2 polish 100"
	if (line.failed)
		return fault_memory(&call->fault, "lane");
	s->said_lane = number;
	bool ok = command_run(call->table, line.bytes, call->say, call->sayer, &call->fault);
	s->said_lane = 0;
	string_free(&line);
	return ok;
}

// ---- the command ---------------------------------------------------------------------------------------------------

static bool change(struct command_call *call)
{
	struct session *s = call->context;
	struct change c;
	if (!change_read(call->line, &c, &call->fault))
		return false;
	if (change_of_lane(&c))
		c.lane = s->said_lane ? s->said_lane : session_focus(s);
	else
		c.lane = s->said_lane; // refused, as it is about all
	bool ok = session_change(s, &c, ACT_DO, 0, &call->fault);
	if (ok && c.kind == CHANGE_POLISH && s->batch) // a batch waits for what comes of it
		ok = wait_begin(s, WAIT_STEP, s->snapshot->step, 0, NULL, &call->fault);
	free(c.item);
	return ok;
}

static const struct lane_word parts[] = {
	{"add", change}, {"drop", change}, {"back", change}, {"polish", change}, {"list", list}, {"focus", focus}};

static const struct lane_word *word_of(const char *word)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (strcmp(parts[i].word, word) == 0)
			return &parts[i];
	return NULL;
}

bool run_lane(struct command_call *call)
{
	const struct session *s = call->context;
	struct nearest near = nearest_to(call->argv[0]);
	char advice[128];
	int number;
	const struct lane_word *own = word_of(call->argv[0]);
	if (own)
		return own->run(call);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		nearest_offer(&near, parts[i].word);
	if (s->said_lane)
		return fault_set(&call->fault, "lane", "lane N COMMAND", "a lane was named already");
	if (change_lane_number(call->argv[0], &number))
		return say_to(call, number);
	return fault_set(&call->fault, call->argv[0],
		nearest_advice(&near, "lane add, drop, back, polish, list, focus, or a number", advice, sizeof advice),
		"this is neither the number of a lane nor what one does with them");
}
