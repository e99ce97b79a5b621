// SPDX-License-Identifier: GPL-3.0-or-later
// Knows which key does what: rows of context, key and command, those that bitscape begins with and those that a person binds.
// Hints and the help are made from the rows in force, and from the command table.
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stddef.h>

#include "sessions/sessions.h"
#include "ui/key.h"
#include "ui/views/view.h"

// Each context but the first falls back to another one.
enum key_context {
	CONTEXT_COMMON,
	CONTEXT_SEARCH,
	CONTEXT_DRAFT,
	CONTEXT_LANES, // the person is in the view of lanes
	CONTEXT_BOX,
	CONTEXT_POPUP,
	CONTEXT_PASTE,
	CONTEXT_TABLE,
	CONTEXT_PROMPT,
	CONTEXTS
};

struct binding {
	enum key_context context;
	int key;
	// A command line (in the prompt: NULL, the keys are readline's). {layer}, {layers}, {pins}, {term} stand for the layer
	// in hand, the marked layers or else that one, what pins it to its modal formats, and the selected cost term.
	const char *command;
	const char *view; // where the hint is shown: a view, or "sideways", a table that has more columns; NULL: in the bar
	const char *hint; // NULL: in the help only. Neighbours with the same hint share it.
};

struct keys {
	struct binding *row; // owned, with its texts
	int count;
	int changes; // grows with every change of the rows
};
// Begins with the default rows. False: out of memory.
bool keys_begin(struct keys *, struct fault *);
void keys_end(struct keys *);

// ---- as a person writes them

// A key is written as the character that it is, or as a word (space, tab, enter, esc, up, home, page-up, f5 ...), with ctrl-,
// alt- or shift- before it.
bool keys_read(const char *name, int *key, struct fault *);
// Writes it that way: "ctrl-r", "f5"; returns buf.
const char *keys_write(int key, char *buf, size_t size);
// "search", "draft", "box", "table", "tour", "paste", "everywhere". False: no such context.
bool keys_context_named(const char *name, enum key_context *);
const char *keys_context_name(enum key_context);

// Binds a key, anew if it was bound in this context. The command must be in the table. It is hinted where a default row with
// that command is, or in the bar, by its name.
bool keys_bind(struct keys *, enum key_context, int key, const char *command, const struct command_table *, struct fault *);
// False: it is not bound in this context.
bool keys_unbind(struct keys *, enum key_context, int key, struct fault *);

bool keys_is_default(const struct binding *);

// ---- in force

// The context that this one falls back to; itself: none.
enum key_context keys_fallback(enum key_context);
// NULL: the key means nothing there.
const struct binding *keys_find(const struct keys *, enum key_context, int key);
// "j", "space", "^R", "Enter", "Ctrl-F5"; returns buf.
const char *keys_name(int key, bool ascii, char *buf, size_t size);
// Writes the hints of a context and returns how many there are. Their labels live as long as the rows.
int keys_hints(const struct keys *, enum key_context, bool ascii, struct hint *, int most);
// Writes the help: every key with its command, then every command. False: out of memory.
bool keys_help(const struct keys *, struct popup *, const struct command_table *, bool ascii);

#endif
