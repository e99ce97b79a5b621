// SPDX-License-Identifier: GPL-3.0-or-later
// The draft: a choice edited by hand, with every cost said at each edit; then committed as pins, or dropped.
#include <stdlib.h>
#include <string.h>

#include "sessions/inside.h"

// The flags behind the options: which decisions were edited.
static uint8_t *edited(const struct session *s)
{
	return s->draft + s->info->decisions;
}

void draft_follow(struct session *s)
{
	for (int d = 0; s->draft && d < s->info->decisions; d++)
		if (!edited(s)[d])
			s->draft[d] = s->snapshot->decision[d].modal;
}

static uint8_t *modal_choice(struct session *s)
{
	uint8_t *choice = calloc(2 * (size_t)s->info->decisions + 1, 1); // room for the flags of a draft
	if (choice)
		session_modal(s, choice);
	return choice;
}

static void drop(struct session *s)
{
	free(s->draft);
	s->draft = NULL;
	s->news |= NEWS_STATE;
}

static int edits(const struct session *s)
{
	int count = 0;
	for (int d = 0; d < s->info->decisions; d++)
		count += edited(s)[d];
	return count;
}

static bool tell(struct session *s, struct command_call *call)
{
	uint8_t *modal = modal_choice(s);
	struct string costs = { 0 };
	bool ok = modal && session_tell_costs(s, &costs, s->draft, modal);
	if (ok) {
		call->say(call, "draft, %d of %d decisions changed: %s", edits(s), s->info->decisions, costs.bytes);
	} else {
		fault_set(&call->fault, "draft", "", "it cannot be priced");
	}
	string_free(&costs);
	free(modal);
	return ok;
}

// ---- editing -------------------------------------------------------------------------------------------------------

struct edit {
	struct session *s;
	const char *format; // NULL: a step instead
	int step;           // +1: wider, -1: narrower
	int done, refused;
	char layer[ENGINE_NAME]; // the last refused
};

static bool edit_decision(struct edit *e, int decision)
{
	const struct decision_info *d = &e->s->info->decision[decision];
	int option = e->format ? decision_option(d, e->format) : e->s->draft[decision] + e->step;
	if (option < 0 || option >= d->options)
		return false;
	e->s->draft[decision] = (uint8_t)option;
	edited(e->s)[decision] = option != e->s->snapshot->decision[decision].modal;
	return true;
}

static void edit_layer(int layer, void *context)
{
	struct edit *e = context;
	const struct layer_info *info = &e->s->info->layer[layer];
	bool ok = edit_decision(e, info->weight_decision);
	if (info->activation_decision != info->weight_decision)
		ok = edit_decision(e, info->activation_decision) || ok;
	e->done += ok;
	if (!ok) {
		e->refused++;
		snprintf(e->layer, sizeof e->layer, "%s", info->name);
	}
}

static bool edit(struct session *s, struct command_call *call, const char *layers, struct edit e)
{
	bool begun = !s->draft;
	if (begun && !(s->draft = modal_choice(s)))
		return fault_set(&call->fault, "", "", "out of memory");
	e.s = s;
	bool ok = session_each_layer(s, layers, edit_layer, &e, &call->fault);
	if (ok && !e.done) {
		if (e.format)
			ok = fault_set(&call->fault, e.layer, "`help pin` tells more", "'%s' is not in its space", e.format);
		else
			ok = fault_set(&call->fault, e.layer, "", "it has no %s format",
				e.step > 0 ? "wider" : "narrower");
	}
	if (!ok && begun)
		drop(s);
	s->news |= NEWS_STATE;
	return ok && tell(s, call);
}

// ---- committing ----------------------------------------------------------------------------------------------------

// One change that pins every decision that was edited, so that one undo takes it back.
static bool commit(struct session *s, struct command_call *call)
{
	struct change c = { .kind = CHANGE_RESTRICT };
	c.item = calloc((size_t)s->info->decisions + 1, sizeof *c.item);
	bool ok = c.item || fault_set(&call->fault, "", "", "out of memory");
	for (int d = 0; ok && d < s->info->decisions; d++) {
		if (!edited(s)[d])
			continue;
		struct change_item *item = &c.item[c.items++];
		snprintf(item->name, sizeof item->name, "%s", s->info->decision[d].name);
		snprintf(item->value, sizeof item->value, "%s", s->info->decision[d].option[s->draft[d]].name);
	}
	if (ok && !c.items)
		call->say(call, "the draft is the modal choice: nothing to pin");
	else if (ok)
		ok = session_change(s, &c, ACT_DO, 0, &call->fault);
	if (ok)
		drop(s);
	free(c.item);
	return ok;
}

// ---- the command ---------------------------------------------------------------------------------------------------

bool run_draft(struct command_call *call)
{
	struct session *s = call->context;
	const char *first = call->argv[0];
	if (call->argc == 1) {
		if (strcmp(first, "commit") != 0 && strcmp(first, "drop") != 0 && strcmp(first, "show") != 0)
			return fault_set(&call->fault, "draft", "draft LAYER FORMAT, draft up|down LAYER, draft show|commit|drop",
				"'%s' is none of its words", first);
		if (!s->draft)
			return fault_set(&call->fault, "draft", "`draft LAYER FORMAT` begins one", "there is no draft");
		if (strcmp(first, "commit") == 0)
			return commit(s, call);
		if (strcmp(first, "show") == 0)
			return tell(s, call);
		drop(s);
		call->say(call, "draft dropped");
		return true;
	}
	if (strcmp(first, "up") == 0)
		return edit(s, call, call->argv[1], (struct edit){ .step = 1 });
	if (strcmp(first, "down") == 0)
		return edit(s, call, call->argv[1], (struct edit){ .step = -1 });
	return edit(s, call, first, (struct edit){ .format = call->argv[1] });
}
