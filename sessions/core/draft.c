// SPDX-License-Identifier: GPL-3.0-or-later
// The draft: a choice edited by hand. Each edit tells all costs; in the end the draft is committed as pins or dropped.
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

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

void draft_drop(struct session *s)
{
	while (s->draft_before) {
		struct draft_before *b = s->draft_before;
		s->draft_before = b->next;
		free(b);
	}
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
	struct string costs = {0};
	bool ok = modal && session_tell_costs(s, &costs, s->draft, modal);
	if (ok) {
		char lack[2 * ENGINE_TEXT];
		engine_lack(s->engine, s->draft, lack, sizeof lack);
		call->say(call, "draft, %d of %d decisions changed: %s%s%s", edits(s), s->snapshot->decisions, costs.bytes,
			lack[0] ? "; it cannot be: " : "", lack);
	} else {
		fault_memory(&call->fault, "draft");
	}
	string_free(&costs);
	free(modal);
	return ok;
}

// ---- taking back ---------------------------------------------------------------------------------------------------

static size_t draft_size(const struct session *s)
{
	return 2 * (size_t)s->info->slots;
}

// The draft as it is, to be kept for an undo; begins one where there is none. NULL: out of memory, a fault.
static struct draft_before *before_edit(struct session *s, struct fault *f)
{
	struct draft_before *b = malloc(sizeof *b + draft_size(s));
	bool none = !s->draft;
	if (b && none)
		s->draft = modal_choice(s);
	if (!b || !s->draft) {
		free(b);
		fault_memory(f, "draft");
		return NULL;
	}
	b->none = none;
	memcpy(b->choice, s->draft, draft_size(s));
	return b;
}

// The edit is done: it can be taken back. Or it failed, and the draft is as it was.
static bool after_edit(struct session *s, struct draft_before *b, bool done)
{
	s->news |= NEWS_STATE;
	if (done) {
		b->next = s->draft_before;
		s->draft_before = b;
		return true;
	}
	if (b->none)
		draft_drop(s);
	free(b);
	return false;
}

bool draft_undo(struct session *s, struct command_call *call)
{
	struct draft_before *b = s->draft_before;
	if (!b || b->none) {
		draft_drop(s);
		call->say(call, "draft dropped: its only edit is taken back");
		return true;
	}
	s->draft_before = b->next;
	memcpy(s->draft, b->choice, draft_size(s));
	free(b);
	draft_follow(s);
	s->news |= NEWS_STATE;
	return tell(s, call);
}

// ---- editing -------------------------------------------------------------------------------------------------------

// Whose format it is, or the slot itself.
static const char *part_name(const struct session *s, int slot)
{
	const struct slot_info *info = &s->info->slot[slot];
	return info->layer < 0 ? info->name : s->info->layer[info->layer].name;
}

static bool not_in_space(const struct session *s, int slot, const char *format, struct fault *f)
{
	char todo[128] = "it has ";
	const struct slot_info *info = &s->info->slot[slot];
	for (int o = 0; o < info->options; o++) {
		size_t used = strlen(todo);
		snprintf(todo + used, sizeof todo - used, "%s%s", o ? " " : "", info->option[o].name);
	}
	return fault_set(f, part_name(s, slot), todo, "'%s' is not in its space", format);
}

struct edit {
	struct session *s;
	const char *option;    // NULL: a step instead
	int step;              // +1: wider or larger, -1: narrower or smaller
	const uint8_t *before; // the draft as it was
	bool *meant;           // per slot
	int done;
	int refused; // the last refused slot
};

// Edits the slot's whole decision, once for all of its slots.
static void edit_slot(struct edit *e, int slot)
{
	struct session *s = e->s;
	const struct slot_info *info = &s->info->slot[slot];
	int option = e->option ? slot_option(info, e->option) : e->before[slot] + e->step;
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

// What one word means gets the option, or makes the step.
static bool edit_word(struct edit *e, const char *word, struct fault *f)
{
	struct session *s = e->s;
	const int before = e->done;
	memset(e->meant, 0, ((size_t)s->info->slots + 1) * sizeof *e->meant);
	if (!session_meant(s, word, e->option, e->meant, f))
		return false;
	for (int i = 0; i < s->info->slots; i++)
		if (e->meant[i])
			edit_slot(e, i);
	return e->done > before || !e->option || not_in_space(s, e->refused, e->option, f);
}

// Words that all make the step of `e`, or where that is 0, pairs of a word and its option: one edit, which one undo takes back.
static bool edit(struct session *s, struct command_call *call, struct edit e, int words, char *const *word)
{
	struct draft_before *before = before_edit(s, &call->fault);
	if (!before)
		return false;
	e.s = s;
	e.before = before->choice;
	e.meant = calloc((size_t)s->info->slots + 1, sizeof *e.meant);
	bool ok = e.meant || fault_memory(&call->fault, "draft");
	for (int i = 0; ok && i < words; i += e.step ? 1 : 2) {
		e.option = e.step ? NULL : word[i + 1];
		ok = edit_word(&e, word[i], &call->fault);
	}
	if (ok && !e.done)
		ok = fault_set(&call->fault, part_name(s, e.refused),
			e.step > 0 ? "`draft down` steps the other way" : "`draft up` steps the other way", "it has no %s",
			s->info->slot[e.refused].layer < 0 ? e.step > 0 ? "larger option" : "smaller option"
				: e.step > 0               ? "wider format"
							   : "narrower format");
	free(e.meant);
	return after_edit(s, before, ok) && tell(s, call);
}

// ---- committing ----------------------------------------------------------------------------------------------------

// One change that pins decisions, so that one undo takes it back: those that were edited, or those of a choice that is given.
static bool pin_decisions(struct session *s, const uint8_t *choice, bool (*pins)(const struct session *, int slot),
	struct fault *f)
{
	struct change c = {.kind = CHANGE_RESTRICT};
	c.item = calloc((size_t)s->info->slots + 1, sizeof *c.item);
	bool ok = c.item || fault_memory(f, "pin");
	for (int i = 0; ok && i < s->info->slots; i++) {
		if (!pins(s, i))
			continue;
		struct change_item *item = &c.item[c.items++];
		char word[SLOT_WORD];
		snprintf(item->name, sizeof item->name, "%s", snapshot_word(s->snapshot, i, word));
		snprintf(item->value, sizeof item->value, "%s", s->info->slot[i].option[choice[i]].name);
	}
	ok = ok && (!c.items || session_change(s, &c, ACT_DO, 0, f));
	free(c.item);
	return ok;
}

static bool commit(struct session *s, struct command_call *call)
{
	bool ok = edits(s) > 0;
	if (!ok)
		call->say(call, "the draft is the modal choice: nothing to pin");
	else if (!pin_decisions(s, s->draft, leads, &call->fault))
		return false;
	else
		foretold_keep(s, s->draft);
	draft_drop(s);
	return true;
}

// Whether a choice has one option wherever slots are decided as one.
static bool apart(const struct session *s, const uint8_t *wanted, struct fault *f)
{
	const struct slot_state *now = s->snapshot->slot;
	for (int i = 0; i < s->info->slots; i++)
		for (int j = 0; j < i; j++)
			if (now[i].decision == now[j].decision && wanted[i] != wanted[j])
				return fault_set(f, s->info->slot[i].name, "`decide split` and `ungroup` take them apart",
					"it is decided as one with %s, which has another %s", s->info->slot[j].name,
					i < s->info->formats ? "format" : "option");
	return true;
}

// Whether the slot is the first of its decision.
static bool begins(const struct session *s, int slot)
{
	for (int i = 0; i < slot; i++)
		if (s->snapshot->slot[i].decision == s->snapshot->slot[slot].decision)
			return false;
	return true;
}

bool draft_pin(struct session *s, const uint8_t *choice, struct fault *f)
{
	if (s->draft)
		return fault_set(f, "draft", "`draft commit` pins it, `draft drop` drops it", "a draft is open");
	return apart(s, choice, f) && pin_decisions(s, choice, begins, f);
}

// ---- the command ---------------------------------------------------------------------------------------------------

bool run_draft(struct command_call *call)
{
	struct session *s = call->context;
	const char *first = call->argv[0];
	if (call->argc == 1) {
		if (strcmp(first, "commit") != 0 && strcmp(first, "drop") != 0 && strcmp(first, "show") != 0)
			return fault_set(&call->fault, "draft",
				"draft LAYER FORMAT [...], draft up|down LAYER..., draft show|commit|drop",
				"'%s' is not one of its words", first);
		if (!s->draft)
			return fault_set(&call->fault, "draft", "`draft LAYER FORMAT` begins one", "there is no draft");
		if (strcmp(first, "commit") == 0)
			return commit(s, call);
		if (strcmp(first, "show") == 0)
			return tell(s, call);
		draft_drop(s);
		call->say(call, "draft dropped");
		return true;
	}
	const int step = strcmp(first, "up") == 0 ? 1 : strcmp(first, "down") == 0 ? -1 : 0;
	if (step)
		return edit(s, call, (struct edit){.step = step}, call->argc - 1, call->argv + 1);
	if (call->argc % 2)
		return fault_set(&call->fault, call->argv[call->argc - 1], "give a format behind each layer", "has no format");
	return edit(s, call, (struct edit){0}, call->argc, call->argv);
}

// ---- whole drafts ------------------------------------------------------------------------------------------------------

enum { PASTE_BYTES = 1 << 24 };

// Drops what was edited before.
bool draft_take(struct session *s, struct command_call *call, const uint8_t *wanted)
{
	const struct slot_state *now = s->snapshot->slot;
	if (!apart(s, wanted, &call->fault))
		return false;
	struct draft_before *before = before_edit(s, &call->fault);
	if (!before)
		return false;
	for (int i = 0; i < s->info->slots; i++) {
		s->draft[i] = wanted[i];
		edited(s)[i] = wanted[i] != now[i].modal;
	}
	return after_edit(s, before, true) && tell(s, call);
}

static bool put_format(const struct session *s, uint8_t *choice, int slot, const char *format, struct fault *f)
{
	int option = slot_option(&s->info->slot[slot], format);
	if (option < 0)
		return not_in_space(s, slot, format, f);
	choice[slot] = (uint8_t)option;
	return true;
}

// Takes a width per layer, in their order, or for all but the first and the last, which then get 8 bits (HAWQ's notation).
static bool put_digits(const struct session *s, uint8_t *choice, const char *digits, struct fault *f)
{
	int count = (int)strlen(digits), last = s->info->layers - 1;
	bool inner = count > 0 && count == last - 1;
	if (count != last + 1 && !inner)
		return fault_set(f, "paste", "give a digit for each layer; `layers` lists them", "%d digits for %d layers", count,
			s->info->layers);
	for (int i = 0; i < s->info->formats; i++) {
		char format[8];
		int layer = s->info->slot[i].layer;
		snprintf(format, sizeof format, "int%c", inner && (layer == 0 || layer == last) ? '8' : digits[layer - inner]);
		if (!put_format(s, choice, i, format, f))
			return false;
	}
	return true;
}

// The options of an exported policy, slot by slot of the architecture.
static bool put_architecture(const struct session *s, uint8_t *choice, const json_t *policy, const char *path, struct fault *f)
{
	const json_t *list = json_object_get(policy, "architecture");
	const int slots = s->info->slots - s->info->formats;
	if (!slots)
		return true; // a network of its own, of the layers that were there
	if ((int)json_array_size(list) != slots)
		return fault_set(f, path, "give a policy of this network",
			"it has %zu slots of the architecture, this network %d", json_array_size(list), slots);
	for (int i = 0; i < slots; i++) {
		const struct slot_info *info = &s->info->slot[s->info->formats + i];
		const json_t *slot = json_array_get(list, (size_t)i);
		const char *name = json_string_value(json_object_get(slot, "slot"));
		const char *option = json_string_value(json_object_get(slot, "option"));
		if (!name || strcmp(name, info->name) != 0 || !option)
			return fault_set(f, path, "give a policy of this network", "slot %d is not %s with its option", i + 1,
				info->name);
		if (!put_format(s, choice, s->info->formats + i, option, f))
			return false;
	}
	return true;
}

// Takes out the layers that were not there, for a network that is what was chosen.
static void leave_out_resting(json_t *layers)
{
	for (size_t i = json_array_size(layers); i-- > 0;)
		if (json_is_true(json_object_get(json_array_get(layers, i), "rests")))
			json_array_remove(layers, i);
}

// The formats of an exported policy, layer by layer.
static bool put_policy(const struct session *s, uint8_t *choice, const char *text, const char *path, struct fault *f)
{
	json_error_t error;
	json_t *policy = json_loads(text, JSON_REJECT_DUPLICATES, &error), *layers = json_object_get(policy, "layers"), *layer;
	bool ok = policy || fault_set(f, path, "give a policy that was exported", "line %d: %s", error.line, error.text);
	if (s->info->slots == s->info->formats)
		leave_out_resting(layers);
	if (ok && (int)json_array_size(layers) != s->info->layers)
		ok = fault_set(f, path, "give a policy of this network", "it has %zu layers, this network %d",
			json_array_size(layers), s->info->layers);
	for (int i = 0; ok && i < s->info->layers; i++) {
		const struct layer_info *l = &s->info->layer[i];
		layer = json_array_get(layers, (size_t)i);
		const char *name = json_string_value(json_object_get(layer, "name"));
		const char *weight = json_string_value(json_object_get(json_object_get(layer, "weight"), "format"));
		const char *activation = json_string_value(json_object_get(json_object_get(layer, "activation"), "format"));
		if (!name || strcmp(name, l->name) != 0 || !weight || !activation)
			ok = fault_set(f, path, "give a policy of this network", "layer %d is not %s with its formats", i + 1,
				l->name);
		ok = ok && put_format(s, choice, l->weight_slot, weight, f) &&
			put_format(s, choice, l->activation_slot, activation, f);
	}
	ok = ok && put_architecture(s, choice, policy, path, f);
	json_decref(policy);
	return ok;
}

// What a slot of formats gets: the format in every layer; 8 bits in the first and the last; what the network's file says, and fp32 where
// it rounds nothing.
static const char *format_everywhere(const struct session *s, int slot, const char *format)
{
	(void)s;
	(void)slot;
	return format;
}

static const char *format_but_ends(const struct session *s, int slot, const char *format)
{
	int layer = s->info->slot[slot].layer;
	return layer == 0 || layer == s->info->layers - 1 ? "int8" : format;
}

static const char *format_in_file(const struct session *s, int slot, const char *format)
{
	const struct layer_info *l = &s->info->layer[s->info->slot[slot].layer];
	const char *told = slot == l->weight_slot ? l->weight_told : l->activation_told;
	(void)format;
	return told ? told : "fp32";
}

static const struct applied {
	const char *word;
	int words; // with the format, where it takes one
	const char *(*format)(const struct session *, int slot, const char *format);
} applied[] = {{"uniform", 2, format_everywhere}, {"ends", 2, format_but_ends}, {"file", 1, format_in_file}};

bool run_apply(struct command_call *call)
{
	struct session *s = call->context;
	const struct applied *a = NULL;
	for (size_t i = 0; i < sizeof applied / sizeof *applied; i++)
		a = strcmp(applied[i].word, call->argv[0]) == 0 ? &applied[i] : a;
	if (!a)
		return fault_set(&call->fault, "apply", "apply uniform FORMAT, apply ends FORMAT, apply file",
			"'%s' is not one of its words", call->argv[0]);
	if (call->argc != a->words)
		return fault_set(&call->fault, "apply", "apply uniform FORMAT, apply ends FORMAT, apply file",
			a->words > call->argc ? "a format is missing" : "the file has its own formats");
	if (a->format == format_in_file && !s->info->quantized)
		return fault_set(&call->fault, s->info->net, "open a quantized ONNX file, or `paste` a policy",
			"there are no formats in it");
	uint8_t *choice = modal_choice(s);
	bool ok = choice || fault_memory(&call->fault, "draft");
	for (int i = 0; ok && i < s->info->formats; i++)
		ok = put_format(s, choice, i, a->format(s, i, call->argv[call->argc - 1]), &call->fault);
	ok = ok && draft_take(s, call, choice);
	free(choice);
	return ok;
}

bool run_paste(struct command_call *call)
{
	struct session *s = call->context;
	const char *word = call->argv[0];
	bool digits = word[strspn(word, "0123456789")] == '\0';
	size_t size = 0;
	uint8_t *choice = modal_choice(s);
	char *text = digits ? strdup(word) : disk_read(word, PASTE_BYTES, &size, &call->fault);
	bool ok = text && (choice || fault_memory(&call->fault, "draft"));
	if (ok && !digits) {
		while (size && isspace((unsigned char)text[size - 1]))
			text[--size] = '\0';
		digits = size && text[strspn(text, "0123456789")] == '\0';
	}
	ok = ok && (digits ? put_digits(s, choice, text, &call->fault) : put_policy(s, choice, text, word, &call->fault));
	ok = ok && draft_take(s, call, choice);
	free(text);
	free(choice);
	return ok;
}
