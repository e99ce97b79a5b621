// SPDX-License-Identifier: GPL-3.0-or-later
// `why`: for each option of a decision, with the rest as in the modal choice: its probability, what it is worth by the additive
// model of quality, what it costs, and what reward that makes.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/report.h"

enum { OPTION, PROBABILITY, WORTH, ERROR, TRIED, BEFORE };

static bool counts(const struct term_state *term)
{
	return term->weight > 0 && term->targeted && !term->why[0];
}

// A signed number, or a dash.
static void signed_cell(struct report *t, const char *format, double value)
{
	if (isfinite(value))
		report_cell(t, format, value);
	else
		report_cell(t, "-");
}

static void add_name(struct report *t, const struct slot_state *slot, const char *name, int option)
{
	report_cell(t, "%s%s%s", name, option == slot->modal ? " modal" : "",
		option == slot->result && slot->result != slot->modal ? " result" : "");
}

// The whole choice with this option in all slots of the decision: costs beyond those of the modal choice, and the reward.
static void add_costs(struct report *t, const struct session *s, int decision, int option, uint8_t *choice)
{
	const struct snapshot *now = s->snapshot;
	double cost[ENGINE_TERMS], modal[ENGINE_TERMS];
	char number[ENGINE_TEXT];
	int slot = 0;
	session_modal(s, choice);
	bool known = engine_price(s->engine, choice, modal, 0, NULL);
	for (int i = 0; i < now->slots; i++)
		if (now->slot[i].decision == decision)
			choice[slot = i] = (uint8_t)option;
	known = known && engine_price(s->engine, choice, cost, 0, NULL);
	for (int k = 0; k < now->terms; k++)
		if (counts(&now->term[k])) {
			report_cell(t, "%s", known ? number_brief(cost[k], now->term[k].brief, number, sizeof number) : "-");
			signed_cell(t, "%+.1f %%", known ? 100 * (cost[k] / modal[k] - 1) : (double)NAN);
		}
	double penalty = known ? snapshot_penalty(now, cost) - snapshot_penalty(now, modal) : (double)NAN;
	signed_cell(t, "%+.4f", penalty);
	signed_cell(t, "%+.4f", penalty + (double)now->slot[slot].worth[option]);
}

static void add_option(struct report *t, const struct session *s, int slot, int option, uint8_t *choice)
{
	const struct slot_state *now = &s->snapshot->slot[slot];
	bool allowed = now->allowed >> option & 1;
	add_name(t, now, s->info->slot[slot].option[option].name, option);
	if (allowed)
		report_cell(t, "%.1f %%", 100 * (double)now->probability[option]);
	else
		report_cell(t, "not allowed");
	signed_cell(t, "%+.4f", (double)now->worth[option]);
	signed_cell(t, "%.4f", option == now->modal ? (double)NAN : (double)now->error[option]);
	signed_cell(t, "%.0f", (double)now->tried[option]);
	add_costs(t, s, now->decision, option, choice);
}

static void add_heads(const struct snapshot *now, struct report *t, struct report_column *columns)
{
	int n = BEFORE;
	columns[OPTION] = (struct report_column){"format", true};
	columns[PROBABILITY] = (struct report_column){"probability", false};
	columns[WORTH] = (struct report_column){now->quality_is_loss ? "quality, nats" : "quality", false};
	columns[ERROR] = (struct report_column){"+-", false};
	columns[TRIED] = (struct report_column){"tried", false};
	for (int k = 0; k < now->terms; k++)
		if (counts(&now->term[k])) {
			columns[n++] = (struct report_column){now->term[k].name, false};
			columns[n++] = (struct report_column){"", false};
		}
	columns[n++] = (struct report_column){"for costs", false};
	columns[n++] = (struct report_column){"reward", false};
	report_begin(t, columns, n);
}

// Of the formats whose values share scales by blocks.
static void add_blocks(struct report *t, const struct slot_info *slot)
{
	struct format_sheet f;
	for (int o = 0; slot->layer >= 0 && o < slot->options; o++)
		if (catalog_format(slot->option[o].name, &f) && f.block)
			report_below(t, "(%s: %s; %g bits a value with its share)", f.name, f.scale, f.whole_bits);
}

static bool add_decision(struct command_call *call, int slot, uint8_t *choice)
{
	const struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	struct report_column columns[BEFORE + 2 * ENGINE_TERMS + 2];
	struct report t;
	char word[SLOT_WORD];
	add_heads(now, &t, columns);
	columns[OPTION].head = s->info->slot[slot].layer >= 0 ? "format" : "option";
	if (s->info->slot[slot].layer >= 0)
		report_above(&t,
			"%s: each format, all other layers as in the modal choice; quality and reward beyond the modal format's",
			snapshot_word(now, slot, word));
	else
		report_above(&t, "%s: each option, all else as in the modal choice; quality and reward beyond the modal option's",
			snapshot_word(now, slot, word));
	for (int o = 0; o < s->info->slot[slot].options; o++)
		add_option(&t, s, slot, o, choice);
	if (isfinite(now->foretold))
		report_below(&t,
			"(quality is the additive model's, with its standard error; it foretold %.0f %% of the variance among the choices "
			"of a step; tried: scored choices that held the format, the older ones counted for less)",
			100 * now->foretold);
	else
		report_below(&t,
			"(the additive model has learned nothing yet: it does after the warm-up, unless `additive` is off)");
	add_blocks(&t, &s->info->slot[slot]);
	return report_end(&t, call, NULL, true);
}

bool run_why(struct command_call *call)
{
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	size_t slots = (size_t)now->slots;
	bool *meant = calloc(slots + 1, sizeof *meant);
	uint8_t *choice = calloc(slots + 1, 1);
	bool ok = (meant && choice) || fault_memory(&call->fault, "why");
	ok = ok && session_meant(s, call->argv[0], "all", meant, &call->fault);
	for (int i = 0; ok && i < now->slots; i++) {
		bool first = meant[i];
		for (int k = 0; k < i; k++)
			first = first && !(meant[k] && now->slot[k].decision == now->slot[i].decision);
		ok = !first || add_decision(call, i, choice);
	}
	free(meant);
	free(choice);
	return ok;
}
