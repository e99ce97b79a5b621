// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

#define CTRL KEYS_CONTROL

// The grammar. Keys of CONTEXT_COMMON mean the same in every state but the prompt's: no context below gives one of them another
// command. The one exception is Enter, which accepts what waits for that: a draft, pasted lines, the next part of a tour. A key of the search
// that another view has too has the same sense there. A test holds all of this.
static const struct binding defaults[] = {
	{CONTEXT_COMMON, 'o', "open", NULL, "open"},
	{CONTEXT_COMMON, KEYS_ENTER, "open", NULL, NULL},
	{CONTEXT_COMMON, KEYS_ESCAPE, "back", NULL, "back"},
	{CONTEXT_COMMON, '/', "prompt filter", NULL, "filter"},
	{CONTEXT_COMMON, 's', "prompt sort", NULL, "sort"},
	{CONTEXT_COMMON, 'v', "mark", NULL, "mark"},
	{CONTEXT_COMMON, 'z', "zoom", NULL, "zoom"},
	{CONTEXT_COMMON, '?', "keys", NULL, "help"},
	{CONTEXT_COMMON, ':', "prompt", NULL, "command"},
	{CONTEXT_COMMON, 'q', "leave", NULL, "quit"},
	{CONTEXT_COMMON, KEYS_TAB, "view next", NULL, "next pane"},
	{CONTEXT_COMMON, KEYS_BACKTAB, "view previous", NULL, NULL},
	{CONTEXT_COMMON, 'n', "find next", NULL, NULL},
	{CONTEXT_COMMON, 'N', "find previous", NULL, NULL},
	{CONTEXT_COMMON, 'V', "mark range", NULL, NULL},
	{CONTEXT_COMMON, '1', "view 1", NULL, NULL},
	{CONTEXT_COMMON, '2', "view 2", NULL, NULL},
	{CONTEXT_COMMON, '3', "view 3", NULL, NULL},
	{CONTEXT_COMMON, '4', "view 4", NULL, NULL},
	{CONTEXT_COMMON, '5', "view 5", NULL, NULL},
	{CONTEXT_COMMON, '6', "view 6", NULL, NULL},
	{CONTEXT_COMMON, '7', "view 7", NULL, NULL},
	{CONTEXT_COMMON, '8', "view 8", NULL, NULL},
	{CONTEXT_COMMON, '9', "view 9", NULL, NULL},
	{CONTEXT_COMMON, 'j', "move down", NULL, NULL},
	{CONTEXT_COMMON, KEYS_DOWN, "move down", NULL, NULL},
	{CONTEXT_COMMON, 'k', "move up", NULL, NULL},
	{CONTEXT_COMMON, KEYS_UP, "move up", NULL, NULL},
	{CONTEXT_COMMON, KEYS_PAGE_DOWN, "move page-down", NULL, NULL},
	{CONTEXT_COMMON, KEYS_PAGE_UP, "move page-up", NULL, NULL},
	{CONTEXT_COMMON, 'g', "move first", NULL, NULL},
	{CONTEXT_COMMON, KEYS_HOME, "move first", NULL, NULL},
	{CONTEXT_COMMON, 'G', "move last", NULL, NULL},
	{CONTEXT_COMMON, KEYS_END, "move last", NULL, NULL},
	{CONTEXT_COMMON, '<', "move left", "sideways", "columns"},
	{CONTEXT_COMMON, '>', "move right", "sideways", "columns"},
	{CONTEXT_COMMON, 'h', "move left", NULL, NULL},
	{CONTEXT_COMMON, KEYS_LEFT, "move left", NULL, NULL},
	{CONTEXT_COMMON, 'l', "move right", NULL, NULL},
	{CONTEXT_COMMON, KEYS_RIGHT, "move right", NULL, NULL},
	{CONTEXT_COMMON, CTRL('l'), "redraw", NULL, NULL},
	{CONTEXT_COMMON, CTRL('z'), "suspend", NULL, NULL},
	{CONTEXT_COMMON, CTRL('c'), "close", NULL, NULL},

	{CONTEXT_SEARCH, '+', "draft up {layers}", "layers", "draft"},
	{CONTEXT_SEARCH, '-', "draft down {layers}", "layers", "draft"},
	{CONTEXT_SEARCH, 'p', "hand pin", "layers", "pin"},
	{CONTEXT_SEARCH, 'x', "hand unpin", "layers", "unpin"},
	{CONTEXT_SEARCH, 'd', "hand draft", "point", "draft"},
	{CONTEXT_SEARCH, 'r', "hand restrict", NULL, NULL},
	{CONTEXT_SEARCH, 'T', "hand train", "point", "train alone"},
	{CONTEXT_SEARCH, '=', "hand difference", "point", "compare"},
	{CONTEXT_DRAFT, KEYS_ENTER, "draft commit", "layers", "commit"},
	{CONTEXT_DRAFT, KEYS_ESCAPE, "back", "layers", "drop"},

	{CONTEXT_SEARCH, 'a', "view slots turn", "slots", "edit"},
	{CONTEXT_SEARCH, 'D', "noisiest", NULL, NULL},

	{CONTEXT_SEARCH, 't', "term next", "costs", "next"},
	{CONTEXT_SEARCH, 'w', "nudge weight down", "costs", "weight"},
	{CONTEXT_SEARCH, 'W', "nudge weight up", "costs", "weight"},
	{CONTEXT_SEARCH, '[', "nudge target down", "costs", "target"},
	{CONTEXT_SEARCH, ']', "nudge target up", "costs", "target"},

	{CONTEXT_SLICE, 'h', "move left", NULL, "move"},
	{CONTEXT_SLICE, 'j', "move down", NULL, "move"},
	{CONTEXT_SLICE, 'k', "move up", NULL, "move"},
	{CONTEXT_SLICE, 'l', "move right", NULL, "move"},
	{CONTEXT_SLICE, 'J', "move page-down", NULL, "plane"},
	{CONTEXT_SLICE, 'K', "move page-up", NULL, "plane"},
	{CONTEXT_SLICE, KEYS_ESCAPE, "back", NULL, "back"},
	{CONTEXT_SLICE, 'v', "mark", NULL, "mark"},
	{CONTEXT_SLICE, 'c', "explore turn", NULL, "hops/links"},
	{CONTEXT_SLICE, '~', "explore twist", NULL, "twist"},
	{CONTEXT_SLICE, 'R', "explore goodput", NULL, NULL},

	{CONTEXT_RACKS, '.', "explore day", NULL, "a day"},
	{CONTEXT_RACKS, ' ', "toggle", NULL, "run"},
	{CONTEXT_RACKS, '[', "explore availability-down", NULL, "hosts up"},
	{CONTEXT_RACKS, ']', "explore availability-up", NULL, "hosts up"},
	{CONTEXT_RACKS, '-', "explore spares-down", NULL, "held back"},
	{CONTEXT_RACKS, '+', "explore spares-up", NULL, "held back"},
	{CONTEXT_RACKS, 'b', "explore jobs-next", NULL, "jobs"},
	{CONTEXT_RACKS, '0', "explore again", NULL, "day 0"},
	{CONTEXT_RACKS, 'u', "undo", NULL, "undo"},
	{CONTEXT_RACKS, 'S', "explore slice", NULL, NULL},
	{CONTEXT_RACKS, KEYS_ESCAPE, "back", NULL, "back"},

	{CONTEXT_HISTORY, 'h', "move left", NULL, "step"},
	{CONTEXT_HISTORY, 'l', "move right", NULL, "step"},
	{CONTEXT_HISTORY, 'J', "move page-down", NULL, "change"},
	{CONTEXT_HISTORY, 'K', "move page-up", NULL, "change"},
	{CONTEXT_HISTORY, 'B', "rewind {step}", NULL, "rewind"},
	{CONTEXT_HISTORY, '=', "hand difference", NULL, "compare"},

	{CONTEXT_SEARCH, 'i', "axis in", "front", "closer"},
	{CONTEXT_SEARCH, 'I', "axis out", "front", "closer"},
	{CONTEXT_SEARCH, '{', "axis left", NULL, NULL},
	{CONTEXT_SEARCH, '}', "axis right", NULL, NULL},
	{CONTEXT_SEARCH, 'f', "axis turn", NULL, NULL},
	{CONTEXT_SEARCH, '0', "axis all", NULL, NULL},

	{CONTEXT_SEARCH, 'H', "view history", NULL, NULL},
	{CONTEXT_SEARCH, 'S', "explore slice", NULL, NULL},
	{CONTEXT_SEARCH, 'R', "explore goodput", NULL, NULL},
	{CONTEXT_SEARCH, 'L', "lane focus next", "lanes", "next"},
	{CONTEXT_SEARCH, 'c', "curve next", "curves", "next"},

	{CONTEXT_SEARCH, ' ', "toggle", NULL, "run"},
	{CONTEXT_SEARCH, 'u', "undo", NULL, "undo"},
	{CONTEXT_SEARCH, CTRL('s'), "save", NULL, "save"},
	{CONTEXT_SEARCH, 'm', "messages", NULL, "messages"},
	{CONTEXT_SEARCH, '!', "legend", NULL, NULL},
	{CONTEXT_SEARCH, 'P', "plot front svg", NULL, "plot"},
	{CONTEXT_SEARCH, 'e', "hand evaluate", NULL, "evaluate"},
	{CONTEXT_SEARCH, 'E', "hand evaluate test", NULL, NULL},
	{CONTEXT_SEARCH, 'y', "hand export", NULL, "export"},
	{CONTEXT_SEARCH, '.', "step", NULL, "one step"},
	{CONTEXT_SEARCH, CTRL('r'), "redo", NULL, "redo"},
	{CONTEXT_SEARCH, 'O', "resume", NULL, NULL},
	{CONTEXT_SEARCH, 'X', "prompt extend", NULL, NULL},

	{CONTEXT_BOX, 'j', "move down", NULL, "scroll"},
	{CONTEXT_BOX, 'k', "move up", NULL, "scroll"},
	{CONTEXT_BOX, KEYS_ESCAPE, "back", NULL, "close"},
	{CONTEXT_CARD, 'E', "evaluate test", NULL, "test images"},
	{CONTEXT_CARD, 'y', "export policy", NULL, "export"},
	{CONTEXT_CARD, 'X', "prompt extend", NULL, "extend"},
	{CONTEXT_TABLE, KEYS_ENTER, "open", NULL, "open"},
	{CONTEXT_POPUP, KEYS_ENTER, "tour", NULL, NULL},
	{CONTEXT_PASTE, KEYS_ENTER, "confirm", NULL, "run them"},
	{CONTEXT_TOUR, KEYS_ENTER, "tour", NULL, NULL},
	{CONTEXT_TOUR, KEYS_BACKSPACE, "tour back", NULL, NULL},

	{CONTEXT_PROMPT, KEYS_ENTER, NULL, NULL, "run the line"},
	{CONTEXT_PROMPT, KEYS_TAB, NULL, NULL, "complete"},
	{CONTEXT_PROMPT, KEYS_UP, NULL, NULL, "earlier lines"},
	{CONTEXT_PROMPT, CTRL('r'), NULL, NULL, "search them"},
	{CONTEXT_PROMPT, KEYS_ESCAPE, NULL, NULL, "cancel"},
};
enum { DEFAULTS = sizeof defaults / sizeof *defaults };

static const struct context_info {
	enum key_context fallback;
	const char *name; // in `bind`; NULL: its keys are readline's
	const char *title;
} context_info[CONTEXTS] = {
	[CONTEXT_COMMON] = {CONTEXT_COMMON, "everywhere", "Keys everywhere"},
	[CONTEXT_SEARCH] = {CONTEXT_COMMON, "search", "Keys"},
	[CONTEXT_DRAFT] = {CONTEXT_SEARCH, "draft", "Keys while there is a draft, beside the others"},
	[CONTEXT_SLICE] = {CONTEXT_COMMON, "slice", "Keys in the view of a slice"},
	[CONTEXT_RACKS] = {CONTEXT_COMMON, "racks", "Keys in the view of racks"},
	[CONTEXT_HISTORY] = {CONTEXT_COMMON, "history", "Keys in the history"},
	[CONTEXT_BOX] = {CONTEXT_COMMON, "box", "Keys in a box of text"},
	[CONTEXT_POPUP] = {CONTEXT_BOX, "text", "Keys in a box that goes on, beside these"},
	[CONTEXT_TOUR] = {CONTEXT_COMMON, "tour", "Keys in a tour, beside all others"},
	[CONTEXT_CARD] = {CONTEXT_BOX, "card", "Keys at the end of a search, beside these"},
	[CONTEXT_TABLE] = {CONTEXT_BOX, "table", "Keys in a box with a table, beside these"},
	[CONTEXT_PASTE] = {CONTEXT_BOX, "paste", "Keys in a box of pasted commands, beside these"},
	[CONTEXT_PROMPT] = {CONTEXT_PROMPT, NULL, "Keys while a line is typed"},
};

static const struct key_word {
	int key;
	const char *spelled; // in `bind`
	const char *word;    // on the screen
	enum glyph glyph;    // used where there is no word
} key_word[] = {
	{KEYS_UP, "up", NULL, GLYPH_KEY_UP},
	{KEYS_DOWN, "down", NULL, GLYPH_KEY_DOWN},
	{KEYS_LEFT, "left", NULL, GLYPH_KEY_LEFT},
	{KEYS_RIGHT, "right", NULL, GLYPH_KEY_RIGHT},
	{KEYS_HOME, "home", "Home", 0},
	{KEYS_END, "end", "End", 0},
	{KEYS_PAGE_UP, "page-up", "PgUp", 0},
	{KEYS_PAGE_UP, "pgup", "PgUp", 0},
	{KEYS_PAGE_DOWN, "page-down", "PgDn", 0},
	{KEYS_PAGE_DOWN, "pgdn", "PgDn", 0},
	{KEYS_INSERT, "insert", "Ins", 0},
	{KEYS_DELETE, "delete", "Del", 0},
	{KEYS_BEGIN, "begin", "Begin", 0},
	{KEYS_BACKTAB, "shift-tab", "Shift-Tab", 0},
	{KEYS_BACKSPACE, "backspace", "Backspace", 0},
	{' ', "space", "space", 0},
	{KEYS_TAB, "tab", "Tab", 0},
	{KEYS_ENTER, "enter", "Enter", 0},
	{KEYS_ESCAPE, "esc", "Esc", 0},
};
enum { KEY_WORDS = sizeof key_word / sizeof *key_word };

// By the bits of Shift, Alt and Ctrl.
static const char *const held_word[] = {
	"", "Shift-", "Alt-", "Alt-Shift-", "Ctrl-", "Ctrl-Shift-", "Ctrl-Alt-", "Ctrl-Alt-Shift-"};
static const struct held {
	const char *spelled;
	int bit;
} held[] = {{"ctrl-", KEYS_CTRL}, {"alt-", KEYS_ALT}, {"shift-", KEYS_SHIFT}};
enum { HELD = sizeof held / sizeof *held };

enum key_context keys_fallback(enum key_context context)
{
	return context_info[context].fallback;
}

bool keys_context_named(const char *name, enum key_context *context)
{
	for (int i = 0; i < CONTEXTS; i++)
		if (context_info[i].name && strcmp(context_info[i].name, name) == 0) {
			*context = (enum key_context)i;
			return true;
		}
	return false;
}

const char *keys_context_name(enum key_context context)
{
	return context_info[context].name;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

// ---- keys as people write them ------------------------------------------------------------------------------------------

static const struct key_word *word_named(const char *name)
{
	for (int i = 0; i < KEY_WORDS; i++)
		if (strcasecmp(key_word[i].spelled, name) == 0)
			return &key_word[i];
	return NULL;
}

static bool read_function_key(const char *name, int *key)
{
	long number;
	if ((name[0] != 'f' && name[0] != 'F') || !number_read_long(name + 1, 1, KEYS_F_LAST - KEYS_F, &number))
		return false;
	*key = KEYS_F + (int)number;
	return true;
}

// A key without others held down. A control character is one, too: terminals know no other Ctrl with a letter.
static bool read_bare(const char *name, int *bits, int *key)
{
	const struct key_word *word = word_named(name);
	const char *rest = name;
	uint32_t code = screen_decode(&rest);
	if (word) {
		*key = word->key;
	} else if (code > ' ' && code != 127 && *rest == '\0') {
		bool letter = (code >= '@' && code <= '_') || (code >= 'a' && code <= 'z');
		if (*bits & KEYS_CTRL && !letter)
			return false;
		*key = *bits & KEYS_CTRL ? KEYS_CONTROL((int)code) : (int)code;
		*bits &= ~KEYS_CTRL;
		return !(*bits & KEYS_SHIFT); // Shift with a character is another character
	} else if (!read_function_key(name, key)) {
		return false;
	}
	return true;
}

bool keys_read(const char *name, int *key, struct fault *f)
{
	int bits = 0;
	const char *bare = name;
	if (name[0] == '^' && name[1]) { // ^R
		bits = KEYS_CTRL;
		bare++;
	}
	for (int i = 0; i < HELD && !word_named(bare); i++) {
		size_t length = strlen(held[i].spelled);
		if (strncasecmp(bare, held[i].spelled, length) == 0 && bare[length]) {
			bits |= held[i].bit;
			bare += length;
			i = -1;
		}
	}
	if (!read_bare(bare, &bits, key))
		return fault_set(f, name,
			"write a character, or one of space, tab, enter, esc, up, down, left, right, home, end, page-up, page-down, "
			"insert, delete, backspace, f1 to f12; before it ctrl-, alt-, shift-",
			"is no key");
	*key |= bits;
	return true;
}

const char *keys_write(int key, char *buf, size_t size)
{
	size_t at = 0;
	const struct key_word *word = NULL;
	buf[0] = '\0';
	for (int i = 0; i < HELD; i++)
		if (key & held[i].bit)
			at += (size_t)snprintf(buf + at, size - at, "%s", held[i].spelled);
	key &= ~KEYS_MODIFIERS;
	for (int i = 0; i < KEY_WORDS && !word; i++)
		word = key_word[i].key == key ? &key_word[i] : NULL;
	if (word) {
		snprintf(buf + at, size - at, "%s", word->spelled);
	} else if (key > KEYS_F && key <= KEYS_F_LAST) {
		snprintf(buf + at, size - at, "f%d", key - KEYS_F);
	} else if (key < ' ') {
		snprintf(buf + at, size - at, "ctrl-%c", key < 27 && key > 0 ? key + 'a' - 1 : key + '@');
	} else {
		char text[8] = "";
		*screen_encode(text, (uint32_t)key) = '\0';
		snprintf(buf + at, size - at, "%s", text);
	}
	return buf;
}

const char *keys_name(int key, bool ascii, char *buf, size_t size)
{
	const char *with = held_word[key / KEYS_SHIFT & 7];
	key &= ~KEYS_MODIFIERS;
	for (int i = 0; i < KEY_WORDS; i++)
		if (key_word[i].key == key) {
			const char *arrow = glyph(ascii, key_word[i].glyph);
			snprintf(buf, size, "%s%s", with, key_word[i].word ? key_word[i].word : arrow);
			return buf;
		}
	char text[8] = "";
	if (key < ' ')
		snprintf(buf, size, "%s^%c", with, key + '@');
	else if (key < 127)
		snprintf(buf, size, "%s%c", with, key);
	else if (key > KEYS_F && key <= KEYS_F_LAST)
		snprintf(buf, size, "%sF%d", with, key - KEYS_F);
	else if (key < KEYS_OTHER && !ascii)
		*screen_encode(text, (uint32_t)key) = '\0', snprintf(buf, size, "%s%s", with, text);
	else
		snprintf(buf, size, "%s?", with);
	return buf;
}

// ---- rows -----------------------------------------------------------------------------------------------------------

static void free_row(struct binding *b)
{
	free((char *)b->command);
	free((char *)b->view);
	free((char *)b->hint);
}

static bool copy_text(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

// A row of its own in *to. False: out of memory.
static bool copy_row(struct binding *to, struct binding from)
{
	*to = (struct binding){.context = from.context, .key = from.key};
	if (copy_text(&to->command, from.command) && copy_text(&to->view, from.view) && copy_text(&to->hint, from.hint))
		return true;
	free_row(to);
	return false;
}

bool keys_begin(struct keys *k, struct fault *f)
{
	*k = (struct keys){.row = calloc(DEFAULTS, sizeof *k->row)};
	while (k->row && k->count < DEFAULTS && copy_row(&k->row[k->count], defaults[k->count]))
		k->count++;
	if (k->count == DEFAULTS)
		return true;
	keys_end(k);
	return fault_memory(f, "keys");
}

void keys_end(struct keys *k)
{
	for (int i = 0; i < k->count; i++)
		free_row(&k->row[i]);
	free(k->row);
	*k = (struct keys){0};
}

static int row_of(const struct keys *k, enum key_context context, int key)
{
	for (int i = 0; i < k->count; i++)
		if (k->row[i].context == context && k->row[i].key == key)
			return i;
	return -1;
}

bool keys_unbind(struct keys *k, enum key_context context, int key, struct fault *f)
{
	char name[32];
	int i = row_of(k, context, key);
	if (i < 0)
		return fault_set(f, keys_write(key, name, sizeof name), "`keys` lists what is bound",
			"is not bound in the context %s", context_info[context].name);
	k->changes++;
	free_row(&k->row[i]);
	memmove(&k->row[i], &k->row[i + 1], (size_t)(k->count - i - 1) * sizeof *k->row);
	k->count--;
	return true;
}

// Every {…} must stand for something.
static bool check_places(const char *command, struct fault *f)
{
	static const char *const place[] = {"{layer}", "{layers}", "{pins}", "{term}", "{lane}"};
	for (const char *p = command; (p = strchr(p, '{')); p++) {
		bool known = false;
		for (size_t i = 0; i < sizeof place / sizeof *place; i++)
			known |= strncmp(p, place[i], strlen(place[i])) == 0;
		if (!known && strchr(p, '}'))
			return fault_set(f, p, "there are {layer}, {layers}, {pins}, {term} and {lane}", "stands for nothing");
	}
	return true;
}

// The first word of a line, as a command of the table.
static const struct command *command_of(const struct command_table *commands, const char *line, struct fault *f)
{
	char name[ENGINE_NAME];
	const struct command *c = NULL;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " \t"), line);
	if (!(c = command_find(commands, name, NULL))) {
		char advice[128];
		struct nearest near = nearest_to(name);
		for (size_t g = 0; g < commands->groups; g++)
			for (size_t i = 0; i < commands->group[g].count; i++)
				nearest_offer(&near, commands->group[g].rows[i].name);
		fault_set(f, name, nearest_advice(&near, "`help` lists the commands", advice, sizeof advice),
			"there is no such command");
	}
	return c;
}

// A default row that does the same, for its hint; NULL: none does.
static const struct binding *like(enum key_context context, const char *command)
{
	for (int i = 0; i < DEFAULTS; i++)
		if (defaults[i].context == context && defaults[i].hint && same_text(defaults[i].command, command))
			return &defaults[i];
	return NULL;
}

bool keys_bind(struct keys *k, enum key_context context, int key, const char *command, const struct command_table *commands,
	struct fault *f)
{
	const struct command *c = command_of(commands, command, f);
	if (!c || !check_places(command, f))
		return false;
	const struct binding *same = like(context, command);
	struct binding b, wanted = {context, key, command, same ? same->view : NULL, same ? same->hint : c->name};
	struct binding *row = realloc(k->row, ((size_t)k->count + 1) * sizeof *row);
	if (row)
		k->row = row;
	if (!row || !copy_row(&b, wanted))
		return fault_memory(f, "bind");
	if (row_of(k, context, key) >= 0)
		keys_unbind(k, context, key, f);
	int at = k->count; // beside the rows whose hint it shares
	for (int i = 0; i < k->count; i++)
		if (k->row[i].context == context && same_text(k->row[i].hint, b.hint) && same_text(k->row[i].view, b.view))
			at = i + 1;
	memmove(&k->row[at + 1], &k->row[at], (size_t)(k->count - at) * sizeof *row);
	k->row[at] = b;
	k->count++;
	k->changes++;
	return true;
}

bool keys_is_default(const struct binding *b)
{
	for (int i = 0; i < DEFAULTS; i++)
		if (defaults[i].context == b->context && defaults[i].key == b->key && same_text(defaults[i].command, b->command))
			return true;
	return false;
}

// ---- in force ---------------------------------------------------------------------------------------------------------

const struct binding *keys_find(const struct keys *k, enum key_context context, int key)
{
	for (;;) {
		int i = row_of(k, context, key);
		if (i >= 0)
			return &k->row[i];
		if (keys_fallback(context) == context)
			return NULL;
		context = keys_fallback(context);
	}
}

static void join_key(char *keys, size_t size, int key, bool ascii)
{
	char name[32];
	size_t length = strlen(keys);
	keys_name(key, ascii, name, sizeof name);
	if (length + strlen(name) + 2 <= size)
		snprintf(keys + length, size - length, "%s%s", length ? "/" : "", name);
}

int keys_hints(const struct keys *k, enum key_context context, bool ascii, struct hint *hint, int most)
{
	int count = 0;
	for (enum key_context c = context;; c = keys_fallback(c)) {
		const struct binding *last = NULL; // whose hint the next row may share
		for (int i = 0; i < k->count; i++) {
			const struct binding *b = &k->row[i];
			if (b->context != c || !b->hint || keys_find(k, context, b->key) != b)
				continue;
			bool shared = last && same_text(last->view, b->view) && same_text(last->hint, b->hint);
			if (!shared) {
				if (count == most)
					return count;
				hint[count++] = (struct hint){.view = b->view, .label = b->hint, .command = b->command};
			}
			join_key(hint[count - 1].keys, sizeof hint[count - 1].keys, b->key, ascii);
			last = b;
		}
		if (keys_fallback(c) == c)
			return count;
	}
}

// ---- the help -----------------------------------------------------------------------------------------------------

// What some lines do, where the help of their command speaks of all that it can.
static const struct {
	const char *line, *help;
} said_better[] = {
	{"draft up {layers}", "one format wider, as a draft: every cost moves at once, the search does not"},
	{"draft down {layers}", "one format narrower, likewise"},
	{"hand pin", "hold the row in hand, or the marked ones, where they are; on a point of the front, all of its choice"},
	{"hand unpin", "let the row in hand, or the marked ones, go"},
	{"hand restrict", "leave the row in hand, or the marked ones, the formats that you type"},
	{"hand draft", "take the choice of the point in hand as a draft; on rows, the format that you type"},
	{"hand evaluate", "score the point in hand, or the result, on all held-out images"},
	{"hand evaluate test", "the same on the test images, which nothing was chosen by"},
	{"hand export", "write the choice of the point in hand, or the result, as JSON"},
	{"hand train", "train the choice of the point in hand alone, from nothing, beside the search"},
	{"hand difference", "set the point in hand beside the marked one; in the history, a branch from that step beside now"},
};

// For a bound line such as "pin {pins}": that, or else its command's own help.
static const char *line_help(const struct command_table *commands, const char *line)
{
	char name[ENGINE_NAME];
	for (size_t i = 0; i < sizeof said_better / sizeof *said_better; i++)
		if (strcmp(said_better[i].line, line) == 0)
			return said_better[i].help;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " "), line);
	const struct command *c = command_find(commands, name, NULL);
	return c ? c->help : "";
}

static bool same_command(const struct binding *a, const struct binding *b)
{
	return a == b || (a->command && b->command && strcmp(a->command, b->command) == 0);
}

static bool help_keys(const struct keys *k, struct popup *p, const struct command_table *commands, enum key_context context,
	bool ascii)
{
	if (!popup_add(p, context_info[context].title, 0, true))
		return false;
	for (int i = 0; i < k->count; i++) {
		char keys[64] = "", line[512];
		bool told = false; // with a row before it
		for (int r = 0; r < k->count; r++) {
			bool same = k->row[r].context == context && k->row[i].context == context &&
				same_command(&k->row[r], &k->row[i]);
			told |= same && r < i;
			if (same)
				join_key(keys, sizeof keys, k->row[r].key, ascii);
		}
		if (k->row[i].context != context || told)
			continue;
		int pad = 14 - screen_width(keys);
		const char *command = k->row[i].command;
		snprintf(line, sizeof line, "%s%*s %-*s %s", keys, pad > 0 ? pad : 0, "", command ? 20 : 0,
			command ? command : "", command ? line_help(commands, command) : k->row[i].hint);
		if (!popup_add_hanging(p, line, 14, command ? 36 : 15) || (command && !popup_runs(p, command, false)))
			return false;
	}
	return popup_add(p, "", 0, false);
}

// The words of the screen.
static const struct term_told {
	const char *word, *means;
} glossary[] = {
	{"additive model",
		"what the search has learned of each format's worth, from choices that were scored anyway (`why LAYER`)"},
	{"bops", "bit operations: multiply-accumulates times the bits of both operands"},
	{"draft", "a choice that you edit by hand; nothing happens to the search until Enter pins it"},
	{"entropy", "how undecided the policy is: 1 all formats alike, 0 all decided"},
	{"front", "the scored choices that no other one beats in cost and quality at once"},
	{"horizon", "the step at which the search ends; `extend` moves it out"},
	{"lane", "a policy with targets of its own; all lanes share the weights"},
	{"modal", "the policy's most likely format of each layer, all of them together: what the search would choose now"},
	{"pin", "allow a layer one format only; the rest of the search must pay for it"},
	{"result", "the policy's likeliest choice within all targets that have a weight"},
	{"sampled", "a choice that the policy drew at a step; their qualities are what it learns from"},
	{"signal to noise", "how much larger weights are than what rounding does to them, in dB: 6 dB more is half the error"},
	{"strip", "one bar for each format, its height the probability that the policy gives it"},
	{"target, weight", "what a cost should be, and how much missing that counts against quality"},
	{"uniform", "a choice with one format in every layer: what the search is held against"},
	{"warm-up", "the first steps: the weights train under all formats, and the policy waits"},
};

static bool help_words(struct popup *p)
{
	if (!popup_add(p, "Words", 0, true))
		return false;
	for (size_t i = 0; i < sizeof glossary / sizeof *glossary; i++) {
		char line[256];
		snprintf(line, sizeof line, "%-16s %s", glossary[i].word, glossary[i].means);
		if (!popup_add_hanging(p, line, (int)strlen(glossary[i].word), 17))
			return false;
	}
	return popup_add(p, "", 0, false);
}

bool keys_help(const struct keys *k, struct popup *p, const struct command_table *commands, enum key_context context, bool ascii)
{
	bool told[CONTEXTS] = {false};
	snprintf(p->title, sizeof p->title, "Help");
	p->foot = "/ seeks, n next, Enter runs it, Esc closes";
	for (enum key_context c = context; !told[c]; c = keys_fallback(c)) { // what counts here comes first
		told[c] = true;
		if (!help_keys(k, p, commands, c, ascii))
			return false;
	}
	if (!help_words(p))
		return false;
	for (int c = 0; c < CONTEXTS; c++)
		if (!told[c] && !help_keys(k, p, commands, (enum key_context)c, ascii))
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
			const bool typed = c->max != 0;
			if (wide &&
				(!popup_add_hanging(p, line, key, 4) ||
					!popup_runs(p, c->name, typed))) // a usage of its own line
				return false;
			char full[1024];
			snprintf(full, sizeof full, "%-35s %s", wide ? "" : line, c->help);
			if (!popup_add_hanging(p, full, wide ? 0 : key, 36) || !popup_runs(p, c->name, typed))
				return false;
		}
		if (!popup_add(p, "", 0, false))
			return false;
	}
	return true;
}
