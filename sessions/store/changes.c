// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/changes.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How a command's arguments become items.
enum shape {
	SHAPE_PAIRS, // NAME VALUE [NAME VALUE]…
	SHAPE_NAMES, // NAME…, all with the form's value
	SHAPE_VALUE, // VALUE, for the form's name
	SHAPE_AS,    // VALUE as NAME [VALUE as NAME]…
	SHAPE_MORE,  // VALUE [NAME=VALUE]…
};
static const int shape_words[] = {[SHAPE_PAIRS] = 2, [SHAPE_NAMES] = 1, [SHAPE_VALUE] = 1, [SHAPE_AS] = 3, [SHAPE_MORE] = 1};

struct form {
	const char *command, *second; // second: the word behind it; NULL: none
	enum change_kind kind;
	enum shape shape;
	const char *name, *value; // where the shape leaves them out
	bool single;              // a value is one word, not a list joined by commas
};

// The forms of one kind: reading takes the one with the command's name; writing takes the first that can say the change.
static const struct form forms[] = {
	{"unpin", NULL, CHANGE_RESTRICT, SHAPE_NAMES, NULL, "all", false},
	{"pin", NULL, CHANGE_RESTRICT, SHAPE_PAIRS, NULL, NULL, true},
	{"restrict", NULL, CHANGE_RESTRICT, SHAPE_PAIRS, NULL, NULL, false},
	{"weight", NULL, CHANGE_WEIGHT, SHAPE_PAIRS, NULL, NULL, false},
	{"target", NULL, CHANGE_TARGET, SHAPE_PAIRS, NULL, NULL, false},
	{"reward", NULL, CHANGE_SET, SHAPE_VALUE, "reward", NULL, false},
	{"decide", NULL, CHANGE_SET, SHAPE_VALUE, "decide", NULL, false},
	{"searcher", NULL, CHANGE_SET, SHAPE_VALUE, "searcher", NULL, false},
	{"set", NULL, CHANGE_SET, SHAPE_PAIRS, NULL, NULL, false},
	{"extend", NULL, CHANGE_EXTEND, SHAPE_MORE, NULL, NULL, false},
	{"ungroup", NULL, CHANGE_GROUP, SHAPE_NAMES, NULL, "", false},
	{"group", NULL, CHANGE_GROUP, SHAPE_AS, NULL, NULL, false},
	{"lane", "add", CHANGE_ADD_LANE, SHAPE_PAIRS, NULL, NULL, false},
	{"lane", "drop", CHANGE_DROP_LANE, SHAPE_VALUE, "", NULL, false},
	{"lane", "back", CHANGE_BACK_LANE, SHAPE_VALUE, "", NULL, false},
	{"lane", "polish", CHANGE_POLISH, SHAPE_MORE, NULL, NULL, false},
};
enum { FORMS = sizeof forms / sizeof *forms };

static bool plain_option(const char *value)
{
	return !strchr(value, ',') && strcmp(value, "all") != 0;
}

// ---- reading -------------------------------------------------------------------------------------------------------

static bool copy(char *to, size_t size, const char *from, const char *what, struct fault *f)
{
	if ((size_t)snprintf(to, size, "%s", from) < size)
		return true;
	return fault_set(f, what, "use a shorter one", "it is longer than %zu bytes", size - 1);
}

// "NAME=VALUE", or the first one: VALUE.
static bool fill_more(const struct form *form, struct change_item *item, const char *word, bool first, struct fault *f)
{
	const char *sign = first ? NULL : strchr(word, '=');
	char todo[64];
	snprintf(todo, sizeof todo, "%s%s%s N rate=R", form->command, form->second ? " " : "", form->second ? form->second : "");
	if (!first && !sign)
		return fault_set(f, form->command, todo, "'%s' is not of the form NAME=VALUE", word);
	if (sign && (size_t)snprintf(item->name, sizeof item->name, "%.*s", (int)(sign - word), word) >= sizeof item->name)
		return fault_set(f, form->command, todo, "a name is longer than %zu bytes", sizeof item->name - 1);
	return copy(item->value, sizeof item->value, sign ? sign + 1 : word, "value", f);
}

static bool fill(const struct form *form, char *const *words, struct change *c, struct fault *f)
{
	const int step = shape_words[form->shape];
	for (int i = 0; i < c->items; i++) {
		struct change_item *item = &c->item[i];
		char *const *word = words + i * step;
		if (form->shape == SHAPE_MORE) {
			if (!fill_more(form, item, word[0], i == 0, f))
				return false;
			continue;
		}
		bool as = form->shape == SHAPE_AS;
		const char *name = form->name ? form->name : word[as ? 2 : 0];
		const char *value = form->value ? form->value : word[as ? 0 : step - 1];
		if (as && (strcmp(word[1], "as") != 0 || !value[0]))
			return fault_set(f, form->command, "group PATTERN as NAME", "'%s' cannot name a group of layers",
				word[1]);
		if (!copy(item->name, sizeof item->name, name, "name", f) ||
			!copy(item->value, sizeof item->value, value, "value", f))
			return false;
		if (form->single && !plain_option(item->value))
			return fault_set(f, item->name, "use `restrict` for several, `unpin` for all",
				"a pin takes one option, not '%s'", item->value);
	}
	return true;
}

static void refuse(const char *word, struct fault *f)
{
	struct string todo = {0};
	string_add(&todo, "expected one of:");
	for (int i = 0; i < FORMS; i++)
		string_add(&todo, " %s%s%s", forms[i].command, forms[i].second ? " " : "",
			forms[i].second ? forms[i].second : "");
	fault_set(f, word, todo.failed ? "`help` lists them" : todo.bytes, "this is not a change of the search");
	string_free(&todo);
}

bool change_lane_number(const char *word, int *number)
{
	long value;
	if (!number_read_long(word, 1, INT_MAX, &value))
		return false;
	*number = (int)value;
	return true;
}

static const struct form *form_of(char *const *word, int count)
{
	for (int i = 0; i < FORMS && count; i++)
		if (strcmp(forms[i].command, word[0]) == 0 &&
			(!forms[i].second || (count > 1 && strcmp(forms[i].second, word[1]) == 0)))
			return &forms[i];
	return NULL;
}

// The words behind the form's own, into the change.
static bool read_form(const struct form *form, char *const *word, int count, struct change *c, struct fault *f)
{
	char usage[64];
	snprintf(usage, sizeof usage, "`help %s` shows how it is written", form->command);
	if (count < 1)
		return fault_set(f, form->command, usage, "nothing is said behind it");
	if (form->shape == SHAPE_PAIRS && count % 2)
		return fault_set(f, form->command, usage, "'%s' has no value behind it", word[count - 1]);
	if (form->shape == SHAPE_AS && count % 3)
		return fault_set(f, form->command, "group PATTERN as NAME", "it takes a pattern, the word as, and a name");
	if (form->shape == SHAPE_VALUE && count != 1)
		return fault_set(f, form->command, usage, "it takes one value, not %d", count);
	c->kind = form->kind;
	c->items = count / shape_words[form->shape];
	c->item = calloc((size_t)c->items, sizeof *c->item);
	return c->item ? fill(form, word, c, f) : fault_memory(f, "change");
}

bool change_read(const char *line, struct change *c, struct fault *f)
{
	struct words w;
	*c = (struct change){0};
	if (!words_split(&w, line, f))
		return false;
	int lane = 0, first = w.count > 2 && strcmp(w.word[0], "lane") == 0 && change_lane_number(w.word[1], &lane) ? 2 : 0;
	const struct form *form = form_of(w.word + first, w.count - first);
	bool ok = false;
	if (form) {
		first += form->second ? 2 : 1;
		ok = read_form(form, w.word + first, w.count - first, c, f);
	} else {
		refuse(w.count > first ? w.word[first] : "change", f);
	}
	if (ok)
		c->lane = lane;
	else
		free(c->item);
	if (!ok)
		*c = (struct change){0};
	words_free(&w);
	return ok;
}

bool change_of_lane(const struct change *c)
{
	bool own = c->kind == CHANGE_WEIGHT || c->kind == CHANGE_TARGET || c->kind == CHANGE_ADD_LANE || c->kind == CHANGE_POLISH;
	for (int i = 0; c->kind == CHANGE_SET && i < c->items; i++)
		own = own || setting_of_lane(c->item[i].name);
	return own;
}

// ---- writing -------------------------------------------------------------------------------------------------------

static bool says(const struct form *form, const struct change *c)
{
	if (form->kind != c->kind || (form->shape == SHAPE_VALUE && c->items != 1))
		return false;
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		if (form->name && strcmp(form->name, item->name) != 0)
			return false;
		if (form->value && strcmp(form->value, item->value) != 0)
			return false;
		if (form->single && !plain_option(item->value))
			return false;
	}
	return true;
}

void change_write(struct string *t, const struct change *c)
{
	const struct form *form = forms;
	while (!says(form, c) && form < forms + FORMS - 1)
		form++;
	if (c->lane > 1 || (c->lane && !change_of_lane(c)))
		string_add(t, "lane %d ", c->lane);
	string_add(t, "%s%s%s", form->command, form->second ? " " : "", form->second ? form->second : "");
	for (int i = 0; i < c->items; i++) {
		const struct change_item *item = &c->item[i];
		if (form->shape == SHAPE_MORE) {
			string_add(t, " %s%s", i ? item->name : "", i ? "=" : "");
			words_quote(t, item->value);
			continue;
		}
		bool as = form->shape == SHAPE_AS;
		const char *const word[] = {as ? item->value
				: form->name   ? NULL
					       : item->name,
			as ? "as" : NULL,
			as                    ? item->name
				: form->value ? NULL
					      : item->value};
		for (int k = 0; k < 3; k++)
			if (word[k]) {
				string_add(t, " ");
				words_quote(t, word[k]);
			}
	}
}

static void tell_item(struct string *t, enum change_kind kind, const struct change_item *item)
{
	switch (kind) {
	case CHANGE_RESTRICT:
		if (strcmp(item->value, "all") == 0)
			string_add(t, "%s is free again", item->name);
		else
			string_add(t, "%s is %s to %s", item->name, plain_option(item->value) ? "pinned" : "restricted",
				item->value);
		break;
	case CHANGE_WEIGHT: string_add(t, "the weight of %s is %s", item->name, item->value); break;
	case CHANGE_TARGET:
		string_add(t, item->value[0] && strcmp(item->value, "none") != 0 ? "the target of %s is %s" : "%s has no target",
			item->name, item->value);
		break;
	case CHANGE_SET: string_add(t, "%s is %s", item->name, item->value); break;
	case CHANGE_GROUP:
		string_add(t, item->value[0] ? "%s: all of %s are decided as one" : "%s%s: each is decided by itself again",
			item->name, item->value);
		break;
	case CHANGE_ADD_LANE: string_add(t, "a lane begins with %s at %s", item->name, item->value); break;
	case CHANGE_DROP_LANE: string_add(t, "lane %s is dropped", item->value); break;
	case CHANGE_BACK_LANE: string_add(t, "lane %s goes on as it was", item->value); break;
	case CHANGE_POLISH:
		if (strcmp(item->name, "rate") == 0)
			string_add(t, "from a learning rate of %s on", item->value);
		else if (strcmp(item->value, "drop") == 0)
			string_add(t, "what was trained last on its result is dropped");
		else
			string_add(t, "a copy of the weights trains on its result for %s steps", item->value);
		break;
	case CHANGE_EXTEND:
		if (strcmp(item->name, "rate") == 0)
			string_add(t, "the learning rate falls from %s", item->value);
		else if (!item->name[0])
			string_add(t,
				item->value[0] == '-' ? "the horizon is %s steps nearer" : "the horizon is %s steps further",
				item->value + (item->value[0] == '-'));
		break;
	}
}

void change_tell(struct string *t, const struct change *c)
{
	enum { TOLD = 3 };
	if (c->lane > 1 || (c->lane && !change_of_lane(c)))
		string_add(t, "%s lane %d: ", c->kind == CHANGE_ADD_LANE ? "from" : "in", c->lane);
	for (int i = 0; i < c->items && i < TOLD; i++) {
		if (c->kind == CHANGE_EXTEND && strcmp(c->item[i].name, "from") == 0)
			continue; // goes with the rate
		string_add(t, i ? ", " : "");
		tell_item(t, c->kind, &c->item[i]);
	}
	if (c->items > TOLD)
		string_add(t, " and %d more", c->items - TOLD);
}
