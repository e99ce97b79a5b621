// SPDX-License-Identifier: GPL-3.0-or-later
// `slots`: everything that may vary, formats and architecture alike, and what the policy says of it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

enum { NAME, KIND, OPTIONS, MODAL, PROBABILITY, STATE, COLUMNS };
static const struct report_column columns[COLUMNS] = {
	[NAME] = {"slot", true},
	[KIND] = {"kind", true},
	[OPTIONS] = {"options", true},
	[MODAL] = {"modal", true},
	[PROBABILITY] = {"", false},
	[STATE] = {"", true},
};

static void add_options(struct report *t, const struct slot_info *info)
{
	struct string list = {0};
	for (int o = 0; o < info->options; o++)
		string_add(&list, "%s%s", o ? " " : "", info->option[o].name);
	report_cell(t, "%s", list.bytes ? list.bytes : "");
	string_free(&list);
}

// What is the matter with it, as clauses.
static void add_state(struct report *t, const struct snapshot *now, int slot)
{
	const struct slot_state *state = &now->slot[slot];
	const struct slot_info *info = &now->info->slot[slot];
	const int allowed = __builtin_popcount(state->allowed);
	struct string says = {0};
	if (allowed == 1)
		string_add(&says, "pinned");
	for (int o = 0, some = 0; allowed > 1 && allowed < info->options && o < info->options; o++)
		if (state->allowed >> o & 1)
			string_add(&says, "%s%s", some++ ? "," : "only ", info->option[o].name);
	if (state->result != state->modal)
		string_add(&says, "%sresult %s", says.length ? "; " : "", info->option[state->result].name);
	if (!state->there)
		string_add(&says, "%srests", says.length ? "; " : "");
	if (state->group >= 0)
		string_add(&says, "%sin %s", says.length ? "; " : "", now->group[state->group].name);
	report_cell(t, "%s", says.bytes ? says.bytes : "");
	string_free(&says);
}

static void add_slot(struct report *t, const struct snapshot *now, int slot)
{
	const struct slot_state *state = &now->slot[slot];
	const struct slot_info *info = &now->info->slot[slot];
	report_cell(t, "%s", info->name);
	report_cell(t, "%s", info->kind);
	add_options(t, info);
	report_cell(t, "%s", info->option[state->modal].name);
	report_cell(t, "%.0f %%", 100 * (double)state->probability[state->modal]);
	add_state(t, now, slot);
}

static void add_counts(struct report *t, const struct engine_info *info)
{
	char choices[32], networks[32];
	const int others = info->slots - info->formats;
	question_large(info->choices, choices);
	question_large(info->networks, networks);
	if (others)
		report_below(t, "%d slots of formats and %d of the architecture: with one format a layer %s choices, %s networks",
			info->formats, others, choices, networks);
	else
		report_below(t, "%d slots of formats: with one format a layer %s choices", info->formats, choices);
}

void session_architecture(const struct engine_info *info, const uint8_t *choice, struct string *text)
{
	const char *last = "";
	for (int i = info->formats; i < info->slots; i++) {
		const struct slot_info *slot = &info->slot[i];
		const size_t part = strcspn(slot->name, ".");
		if (engine_rests(info, i, choice))
			continue;
		if (strncmp(last, slot->name, part + 1) == 0)
			string_add(text, "/%s", slot->option[choice[i]].name);
		else
			string_add(text, "%s%.*s %s", last[0] ? ", " : "", (int)part, slot->name, slot->option[choice[i]].name);
		last = slot->name;
	}
}

// Those that a word means; without one those of the architecture, or where there are none, all.
bool run_slots(struct command_call *call)
{
	struct session *s = call->context;
	const struct engine_info *info = s->info;
	bool *meant = calloc((size_t)info->slots + 1, sizeof *meant);
	if (!meant)
		return fault_memory(&call->fault, "slots");
	for (int i = 0; i < info->slots; i++)
		meant[i] = info->formats == info->slots || i >= info->formats;
	if (call->argc && !session_meant(s, call->argv[0], "all", meant, &call->fault)) {
		free(meant);
		return false;
	}
	struct report t;
	report_begin(&t, columns, COLUMNS);
	for (int i = 0; i < info->slots; i++)
		if (meant[i])
			add_slot(&t, s->snapshot, i);
	add_counts(&t, info);
	free(meant);
	return report_end(&t, call, NULL, true);
}
