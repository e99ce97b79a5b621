// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/changes.h"

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
	const char *command;
	enum change_kind kind;
	enum shape shape;
	const char *name, *value; // where the shape leaves them out
	bool single;              // a value is one word, not a list joined by commas
};

// The forms of one kind: reading takes the one with the command's name; writing takes the first that can say the change.
static const struct form forms[] = {
	{"unpin", CHANGE_RESTRICT, SHAPE_NAMES, NULL, "all", false},
	{"pin", CHANGE_RESTRICT, SHAPE_PAIRS, NULL, NULL, true},
	{"restrict", CHANGE_RESTRICT, SHAPE_PAIRS, NULL, NULL, false},
	{"weight", CHANGE_WEIGHT, SHAPE_PAIRS, NULL, NULL, false},
	{"target", CHANGE_TARGET, SHAPE_PAIRS, NULL, NULL, false},
	{"reward", CHANGE_SET, SHAPE_VALUE, "reward", NULL, false},
	{"decide", CHANGE_SET, SHAPE_VALUE, "decide", NULL, false},
	{"searcher", CHANGE_SET, SHAPE_VALUE, "searcher", NULL, false},
	{"set", CHANGE_SET, SHAPE_PAIRS, NULL, NULL, false},
	{"extend", CHANGE_EXTEND, SHAPE_MORE, NULL, NULL, false},
	{"ungroup", CHANGE_GROUP, SHAPE_NAMES, NULL, "", false},
	{"group", CHANGE_GROUP, SHAPE_AS, NULL, NULL, false},
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
static bool fill_more(struct change_item *item, const char *word, bool first, struct fault *f)
{
	const char *sign = first ? NULL : strchr(word, '=');
	if (!first && !sign)
		return fault_set(f, "extend", "extend N rate=R", "'%s' is not of the form NAME=VALUE", word);
	if (sign && (size_t)snprintf(item->name, sizeof item->name, "%.*s", (int)(sign - word), word) >= sizeof item->name)
		return fault_set(f, "extend", "extend N rate=R", "a name is longer than %zu bytes", sizeof item->name - 1);
	return copy(item->value, sizeof item->value, sign ? sign + 1 : word, "value", f);
}

static bool fill(const struct form *form, const struct words *w, struct change *c, struct fault *f)
{
	const int step = shape_words[form->shape];
	for (int i = 0; i < c->items; i++) {
		struct change_item *item = &c->item[i];
		char *const *word = w->word + 1 + i * step;
		if (form->shape == SHAPE_MORE) {
			if (!fill_more(item, word[0], i == 0, f))
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
				"a pin takes one format, not '%s'", item->value);
	}
	return true;
}

static void refuse(const char *word, struct fault *f)
{
	struct string todo = {0};
	string_add(&todo, "expected one of:");
	for (int i = 0; i < FORMS; i++)
		string_add(&todo, " %s", forms[i].command);
	fault_set(f, word, todo.failed ? "`help` lists them" : todo.bytes, "this is not a change of the search");
	string_free(&todo);
}

bool change_read(const char *line, struct change *c, struct fault *f)
{
	struct words w;
	*c = (struct change){0};
	if (!words_split(&w, line, f))
		return false;
	const struct form *form = NULL;
	for (int i = 0; i < FORMS && w.count; i++)
		if (strcmp(forms[i].command, w.word[0]) == 0)
			form = &forms[i];
	bool ok = false;
	char usage[64];
	snprintf(usage, sizeof usage, "`help %s` shows how it is written", form ? form->command : "");
	if (!form) {
		refuse(w.count ? w.word[0] : "change", f);
	} else if (w.count < 2) {
		fault_set(f, form->command, usage, "nothing is said behind it");
	} else if (form->shape == SHAPE_PAIRS && w.count % 2 == 0) {
		fault_set(f, form->command, usage, "'%s' has no value behind it", w.word[w.count - 1]);
	} else if (form->shape == SHAPE_AS && w.count % 3 != 1) {
		fault_set(f, form->command, "group PATTERN as NAME", "it takes a pattern, the word as, and a name");
	} else if (form->shape == SHAPE_VALUE && w.count != 2) {
		fault_set(f, form->command, usage, "it takes one value, not %d", w.count - 1);
	} else {
		c->kind = form->kind;
		c->items = (w.count - 1) / shape_words[form->shape];
		c->item = calloc((size_t)c->items, sizeof *c->item);
		ok = c->item ? fill(form, &w, c, f) : fault_memory(f, "change");
	}
	if (!ok) {
		free(c->item);
		*c = (struct change){0};
	}
	words_free(&w);
	return ok;
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
	string_add(t, "%s", form->command);
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
		string_add(t, item->value[0] ? "%s: all of %s are decided as one" : "%s%s: each layer is decided by itself again",
			item->name, item->value);
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
	for (int i = 0; i < c->items && i < TOLD; i++) {
		if (c->kind == CHANGE_EXTEND && strcmp(c->item[i].name, "from") == 0)
			continue; // goes with the rate
		string_add(t, i ? ", " : "");
		tell_item(t, c->kind, &c->item[i]);
	}
	if (c->items > TOLD)
		string_add(t, " and %d more", c->items - TOLD);
}
