// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define CTRL KEYS_CONTROL

static const struct binding table[] = {
	{CONTEXT_COMMON, CTRL('l'), "redraw", NULL, NULL},
	{CONTEXT_COMMON, CTRL('z'), "suspend", NULL, NULL},
	{CONTEXT_COMMON, CTRL('c'), "close", NULL, NULL},

	{CONTEXT_SEARCH, 'j', "move down", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_DOWN, "move down", NULL, NULL},
	{CONTEXT_SEARCH, 'k', "move up", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_UP, "move up", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_PAGE_DOWN, "move page-down", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_PAGE_UP, "move page-up", NULL, NULL},
	{CONTEXT_SEARCH, 'g', "move first", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_HOME, "move first", NULL, NULL},
	{CONTEXT_SEARCH, 'G', "move last", NULL, NULL},
	{CONTEXT_SEARCH, KEYS_END, "move last", NULL, NULL},

	{CONTEXT_SEARCH, '+', "draft up {layer}", "layers", "draft"},
	{CONTEXT_SEARCH, '-', "draft down {layer}", "layers", "draft"},
	{CONTEXT_SEARCH, 'p', "pin {pins}", "layers", "pin"},
	{CONTEXT_SEARCH, 'x', "unpin {layer}", "layers", "unpin"},
	{CONTEXT_SEARCH, '=', "draft up {layer}", "layers", NULL},
	{CONTEXT_SEARCH, KEYS_RIGHT, "draft up {layer}", "layers", NULL},
	{CONTEXT_SEARCH, KEYS_LEFT, "draft down {layer}", "layers", NULL},
	{CONTEXT_DRAFT, KEYS_ENTER, "draft commit", "layers", "commit"},
	{CONTEXT_DRAFT, KEYS_ESCAPE, "draft drop", "layers", "drop"},

	{CONTEXT_SEARCH, 't', "term next", "costs", "next"},
	{CONTEXT_SEARCH, KEYS_TAB, "term next", "costs", NULL},
	{CONTEXT_SEARCH, 'w', "nudge weight 0.8", "costs", "weight"},
	{CONTEXT_SEARCH, 'W', "nudge weight 1.25", "costs", "weight"},
	{CONTEXT_SEARCH, '[', "nudge target 0.95", "costs", "target"},
	{CONTEXT_SEARCH, ']', "nudge target 1.05", "costs", "target"},

	{CONTEXT_SEARCH, 'c', "curve next", "curves", "next"},

	{CONTEXT_SEARCH, ' ', "toggle", NULL, "pause/run"},
	{CONTEXT_SEARCH, ':', "prompt", NULL, "command"},
	{CONTEXT_SEARCH, '?', "keys", NULL, "help"},
	{CONTEXT_SEARCH, 'q', "quit", NULL, "quit"},
	{CONTEXT_SEARCH, 'u', "undo", NULL, "undo"},
	{CONTEXT_SEARCH, 's', "save", NULL, "save"},
	{CONTEXT_SEARCH, 'm', "messages", NULL, "messages"},
	{CONTEXT_SEARCH, 'P', "plot front svg", NULL, "plot"},
	{CONTEXT_SEARCH, 'e', "evaluate", NULL, "evaluate"},
	{CONTEXT_SEARCH, '.', "step", NULL, "one step"},
	{CONTEXT_SEARCH, CTRL('r'), "redo", NULL, "redo"},
	{CONTEXT_SEARCH, 'r', "resume", NULL, NULL},

	{CONTEXT_BOX, 'j', "scroll down", NULL, "scroll"},
	{CONTEXT_BOX, 'k', "scroll up", NULL, "scroll"},
	{CONTEXT_BOX, KEYS_DOWN, "scroll down", NULL, NULL},
	{CONTEXT_BOX, KEYS_UP, "scroll up", NULL, NULL},
	{CONTEXT_BOX, KEYS_PAGE_DOWN, "scroll page-down", NULL, NULL},
	{CONTEXT_BOX, ' ', "scroll page-down", NULL, NULL},
	{CONTEXT_BOX, KEYS_PAGE_UP, "scroll page-up", NULL, NULL},
	{CONTEXT_BOX, 'g', "scroll first", NULL, NULL},
	{CONTEXT_BOX, KEYS_HOME, "scroll first", NULL, NULL},
	{CONTEXT_BOX, 'G', "scroll last", NULL, NULL},
	{CONTEXT_BOX, KEYS_END, "scroll last", NULL, NULL},
	{CONTEXT_BOX, KEYS_LEFT, "scroll left", NULL, NULL},
	{CONTEXT_BOX, KEYS_RIGHT, "scroll right", NULL, NULL},
	{CONTEXT_BOX, KEYS_ESCAPE, "close", NULL, "close"},
	{CONTEXT_BOX, 'q', "close", NULL, NULL},
	{CONTEXT_BOX, '?', "close", NULL, NULL},
	{CONTEXT_POPUP, KEYS_ENTER, "tour", NULL, NULL},
	{CONTEXT_PASTE, KEYS_ENTER, "confirm", NULL, "run them"},

	{CONTEXT_PROMPT, KEYS_ENTER, NULL, NULL, "run the line"},
	{CONTEXT_PROMPT, KEYS_TAB, NULL, NULL, "complete"},
	{CONTEXT_PROMPT, KEYS_UP, NULL, NULL, "earlier lines"},
	{CONTEXT_PROMPT, CTRL('r'), NULL, NULL, "search them"},
	{CONTEXT_PROMPT, KEYS_ESCAPE, NULL, NULL, "cancel"},
};
enum { BINDINGS = sizeof table / sizeof *table };

static const struct context_info {
	enum key_context fallback;
	const char *title;
} context_info[CONTEXTS] = {
	[CONTEXT_COMMON] = {CONTEXT_COMMON, "Keys everywhere"},
	[CONTEXT_SEARCH] = {CONTEXT_COMMON, "Keys"},
	[CONTEXT_DRAFT] = {CONTEXT_SEARCH, "Keys while there is a draft, beside the others"},
	[CONTEXT_BOX] = {CONTEXT_COMMON, "Keys in a box of text"},
	[CONTEXT_POPUP] = {CONTEXT_BOX, "Keys in a tour, beside these"},
	[CONTEXT_PASTE] = {CONTEXT_BOX, "Keys in a box of pasted commands, beside these"},
	[CONTEXT_PROMPT] = {CONTEXT_PROMPT, "Keys while a line is typed"},
};

static const struct key_word {
	int key;
	const char *word;
	enum glyph glyph; // used where there is no word
} key_word[] = {
	{KEYS_UP, NULL, GLYPH_KEY_UP},
	{KEYS_DOWN, NULL, GLYPH_KEY_DOWN},
	{KEYS_LEFT, NULL, GLYPH_KEY_LEFT},
	{KEYS_RIGHT, NULL, GLYPH_KEY_RIGHT},
	{KEYS_HOME, "Home", 0},
	{KEYS_END, "End", 0},
	{KEYS_PAGE_UP, "PgUp", 0},
	{KEYS_PAGE_DOWN, "PgDn", 0},
	{KEYS_INSERT, "Ins", 0},
	{KEYS_DELETE, "Del", 0},
	{KEYS_BEGIN, "Begin", 0},
	{KEYS_BACKTAB, "Shift-Tab", 0},
	{KEYS_BACKSPACE, "Backspace", 0},
	{' ', "space", 0},
	{KEYS_TAB, "Tab", 0},
	{KEYS_ENTER, "Enter", 0},
	{KEYS_ESCAPE, "Esc", 0},
};

// By the bits of Shift, Alt and Ctrl.
static const char *const held_word[] = {"", "Shift-", "Alt-", "Alt-Shift-", "Ctrl-", "Ctrl-Shift-", "Ctrl-Alt-", "Ctrl-Alt-Shift-"};

const struct binding *keys_table(size_t *count)
{
	*count = BINDINGS;
	return table;
}

enum key_context keys_fallback(enum key_context context)
{
	return context_info[context].fallback;
}

const struct binding *keys_find(enum key_context context, int key)
{
	for (;;) {
		for (size_t i = 0; i < BINDINGS; i++)
			if (table[i].context == context && table[i].key == key)
				return &table[i];
		if (keys_fallback(context) == context)
			return NULL;
		context = keys_fallback(context);
	}
}

const char *keys_name(int key, bool ascii, char *buf, size_t size)
{
	const char *with = held_word[key / KEYS_SHIFT & 7];
	key &= ~KEYS_MODIFIERS;
	for (size_t i = 0; i < sizeof key_word / sizeof *key_word; i++)
		if (key_word[i].key == key) {
			const char *arrow = glyph(ascii, key_word[i].glyph);
			snprintf(buf, size, "%s%s", with, key_word[i].word ? key_word[i].word : arrow);
			return buf;
		}
	if (key < ' ')
		snprintf(buf, size, "%s^%c", with, key + '@');
	else if (key < 127)
		snprintf(buf, size, "%s%c", with, key);
	else if (key > KEYS_F && key <= KEYS_F_LAST)
		snprintf(buf, size, "%sF%d", with, key - KEYS_F);
	else
		snprintf(buf, size, "%s?", with);
	return buf;
}

static void join_key(char *keys, size_t size, int key, bool ascii)
{
	char name[16];
	size_t length = strlen(keys);
	keys_name(key, ascii, name, sizeof name);
	snprintf(keys + length, size - length, "%s%s", length ? "/" : "", name);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int keys_hints(enum key_context context, bool ascii, struct hint *hint, int most)
{
	int count = 0;
	for (;;) {
		const struct binding *last = NULL; // whose hint the next row may share
		for (size_t i = 0; i < BINDINGS; i++) {
			const struct binding *b = &table[i];
			if (b->context != context || !b->hint)
				continue;
			bool shared = last && same_text(last->view, b->view) && same_text(last->hint, b->hint);
			if (!shared) {
				if (count == most)
					return count;
				hint[count++] = (struct hint){b->view, "", b->hint};
			}
			join_key(hint[count - 1].keys, sizeof hint[count - 1].keys, b->key, ascii);
			last = b;
		}
		if (keys_fallback(context) == context)
			return count;
		context = keys_fallback(context);
	}
}

// ---- the help -----------------------------------------------------------------------------------------------------

// The command's own help, for a bound line such as "pin {pins}".
static const char *line_help(const struct command_table *commands, const char *line)
{
	char name[ENGINE_NAME];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " "), line);
	const struct command *c = command_find(commands, name, NULL);
	return c ? c->help : "";
}

static bool same_command(const struct binding *a, const struct binding *b)
{
	return a == b || (a->command && b->command && strcmp(a->command, b->command) == 0);
}

static bool help_keys(struct popup *p, const struct command_table *commands, enum key_context context, bool ascii)
{
	bool done[BINDINGS] = {false};
	if (!popup_add(p, context_info[context].title, 0, true))
		return false;
	for (size_t i = 0; i < BINDINGS; i++) {
		if (table[i].context != context || done[i])
			continue;
		char keys[48] = "", line[512];
		for (size_t k = i; k < BINDINGS; k++)
			if (table[k].context == context && same_command(&table[k], &table[i])) {
				join_key(keys, sizeof keys, table[k].key, ascii);
				done[k] = true;
			}
		int pad = 14 - screen_width(keys);
		const char *command = table[i].command;
		snprintf(line, sizeof line, "%s%*s %-*s %s", keys, pad > 0 ? pad : 0, "", command ? 20 : 0,
			command ? command : "", command ? line_help(commands, command) : table[i].hint);
		if (!popup_add_hanging(p, line, 14, command ? 36 : 15))
			return false;
	}
	return popup_add(p, "", 0, false);
}

bool keys_help(struct popup *p, const struct command_table *commands, bool ascii)
{
	static const enum key_context order[] = {CONTEXT_SEARCH, CONTEXT_DRAFT, CONTEXT_PROMPT, CONTEXT_BOX,
		CONTEXT_POPUP, CONTEXT_PASTE, CONTEXT_COMMON};
	snprintf(p->title, sizeof p->title, "Help");
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (!help_keys(p, commands, order[i], ascii))
			return false;
	for (size_t g = 0; g < commands->groups; g++) {
		const struct command_group *group = &commands->group[g];
		char line[512];
		snprintf(line, sizeof line, "Commands: %s", group->title);
		if (!popup_add(p, line, 0, true))
			return false;
		for (size_t i = 0; i < group->count; i++) {
			const struct command *c = &group->rows[i];
			int name = snprintf(line, sizeof line, "%s%s%s", c->name, c->usage && c->usage[0] ? " " : "",
				c->usage ? c->usage : "");
			int key = (int)strlen(c->name);
			bool wide = name > 34;
			if (wide && !popup_add_hanging(p, line, key, 4)) // a long usage has a line of its own
				return false;
			char full[1024];
			snprintf(full, sizeof full, "%-35s %s", wide ? "" : line, c->help);
			if (!popup_add_hanging(p, full, wide ? 0 : key, 36))
				return false;
		}
		if (!popup_add(p, "", 0, false))
			return false;
	}
	return true;
}
