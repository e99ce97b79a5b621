// SPDX-License-Identifier: GPL-3.0-or-later
// The draft: a choice edited by hand, with every cost said at each edit; then committed as pins, or dropped.
#include <stdlib.h>
#include <string.h>

#include "sessions/inside.h"

// The flags behind the options: which slots were edited.
static uint8_t *edited(const struct session *s)
{
	return s->draft + s->info->slots;
}

void draft_follow(struct session *s)
{
	for (int i = 0; s->draft && i < s->info->slots; i++)
		if (!edited(s)[i])
			s->draft[i] = s->snapshot->slot[i].modal;
}

static uint8_t *modal_choice(struct session *s)
{
	uint8_t *choice = calloc(2 * (size_t)s->info->slots + 1, 1); // room for the flags of a draft
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

// Whether the slot is the first edited one of its decision.
static bool leads(const struct session *s, int slot)
{
	const struct slot_state *now = s->snapshot->slot;
	if (!edited(s)[slot])
		return false;
	for (int i = 0; i < slot; i++)
		if (edited(s)[i] && now[i].decision == now[slot].decision)
			return false;
	return true;
}

static int edits(const struct session *s)
{
	int count = 0;
	for (int i = 0; i < s->info->slots; i++)
		count += leads(s, i);
	return count;
}

static bool tell(struct session *s, struct command_call *call)
{
	uint8_t *modal = modal_choice(s);
	struct string costs = { 0 };
	bool ok = modal && session_tell_costs(s, &costs, s->draft, modal);
	if (ok) {
		call->say(call, "draft, %d of %d decisions changed: %s", edits(s), s->snapshot->decisions, costs.bytes);
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
	uint8_t *before;    // the draft as it was
	int done;
	int refused;        // the last refused slot
};

// Edits the slot's whole decision, once for all of its slots.
static void edit_slot(int slot, void *context)
{
	struct edit *e = context;
	struct session *s = e->s;
	const struct slot_info *info = &s->info->slot[slot];
	int option = e->format ? slot_option(info, e->format) : e->before[slot] + e->step;
	if (option < 0 || option >= info->options) {
		e->refused = slot;
		return;
	}
	e->done++;
	for (int i = 0; i < s->info->slots; i++)
		if (s->snapshot->slot[i].decision == s->snapshot->slot[slot].decision) {
			s->draft[i] = (uint8_t)option;
			edited(s)[i] = option != s->snapshot->slot[i].modal;
		}
}

static bool edit(struct session *s, struct command_call *call, const char *word, struct edit e)
{
	bool begun = !s->draft;
	if (begun && !(s->draft = modal_choice(s)))
		return fault_set(&call->fault, "", "", "out of memory");
	size_t slots = (size_t)s->info->slots;
	e.s = s;
	e.before = malloc(slots + 1);
	bool ok = e.before || fault_set(&call->fault, "", "", "out of memory");
	if (ok) {
		memcpy(e.before, s->draft, slots);
		ok = session_each_slot(s, word, edit_slot, &e, &call->fault);
	}
	const char *refused = s->info->layer[s->info->slot[e.refused].layer].name;
	if (ok && !e.done && e.format)
		ok = fault_set(&call->fault, refused, "`help pin` tells more", "'%s' is not in its space", e.format);
	else if (ok && !e.done)
		ok = fault_set(&call->fault, refused, "", "it has no %s format", e.step > 0 ? "wider" : "narrower");
	free(e.before);
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
	c.item = calloc((size_t)s->info->slots + 1, sizeof *c.item);
	bool ok = c.item || fault_set(&call->fault, "", "", "out of memory");
	for (int i = 0; ok && i < s->info->slots; i++) {
		if (!leads(s, i))
			continue;
		struct change_item *item = &c.item[c.items++];
		int layer = s->info->slot[i].layer;
		const char *group = session_group(s, layer), *name = group ? group : s->info->layer[layer].name;
		snprintf(item->name, sizeof item->name, "%s%s", name, session_tied(s, layer) ? "" : strrchr(s->info->slot[i].name, '.'));
		snprintf(item->value, sizeof item->value, "%s", s->info->slot[i].option[s->draft[i]].name);
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
