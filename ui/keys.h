// SPDX-License-Identifier: GPL-3.0-or-later
// The key bindings: rows of context, key and command, both the defaults and those that a person binds. Hints and the help are
// made from these rows and the command table.
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stddef.h>

#include "sessions/sessions.h"
#include "ui/key.h"
#include "ui/views/view.h"

// Each context but the first falls back to another.
enum key_context {
	CONTEXT_COMMON,
	CONTEXT_SEARCH,
	CONTEXT_DRAFT,
	CONTEXT_SLICE, // in the view of a slice, and of racks: keys of the search do nothing there
	CONTEXT_RACKS,
	CONTEXT_HISTORY,
	CONTEXT_BOX,
	CONTEXT_POPUP,
	CONTEXT_CARD, // what a search has found
	CONTEXT_PASTE,
	CONTEXT_TOUR, // over the others, while a tour drives the screen
	CONTEXT_TABLE,
	CONTEXT_PROMPT,
	CONTEXTS
};

struct binding {
	enum key_context context;
	int key;
	// A command line (NULL in the prompt, where keys belong to readline). {layer} stands for the layer in hand, {layers} for
	// the marked layers or else that one, {pins} for the pins of its modal formats, {term} for the selected cost term, {step}
	// for that of the cursor in the history.
	const char *command;
	const char *view; // where the hint is shown: a view, or "sideways": a table with more columns; NULL: in the bar
	const char *hint; // NULL: only in the help. Neighbours with the same hint share it.
};

struct keys {
	struct binding *row; // owned, with its texts
	int count;
	int changes; // counts the changes of the rows
};
// Begins with the default rows. False: out of memory.
bool keys_begin(struct keys *, struct fault *);
void keys_end(struct keys *);

// ---- keys as a person writes them

// Reads a key: a character, or a word (space, tab, enter, esc, up, home, page-up, f5 ...), optionally after ctrl-, alt- or
// shift-.
bool keys_read(const char *name, int *key, struct fault *);
// Writes a key that way: "ctrl-r", "f5". Returns buf.
const char *keys_write(int key, char *buf, size_t size);
// Finds "search", "draft", "slice", "racks", "history", "box", "table", "card", "text", "tour", "paste", "everywhere". Returns false if there is no such context.
bool keys_context_named(const char *name, enum key_context *);
const char *keys_context_name(enum key_context);

// Binds a key, replacing its binding in this context. The command must be in the table. Its hint is that of a default row with
// the same command, or its name in the bar.
bool keys_bind(struct keys *, enum key_context, int key, const char *command, const struct command_table *, struct fault *);
// Returns false if the key is not bound in this context.
bool keys_unbind(struct keys *, enum key_context, int key, struct fault *);

bool keys_is_default(const struct binding *);

// ---- the bindings in force

// Returns the context that this one falls back to; itself: none.
enum key_context keys_fallback(enum key_context);
// Returns the binding of a key; NULL: the key means nothing there.
const struct binding *keys_find(const struct keys *, enum key_context, int key);
// Writes a key for the screen: "j", "space", "^R", "Enter", "Ctrl-F5". Returns buf.
const char *keys_name(int key, bool ascii, char *buf, size_t size);
// Writes the hints of a context and returns their number. The labels live as long as the rows.
int keys_hints(const struct keys *, enum key_context, bool ascii, struct hint *, int most);
// Writes the help: the keys that count in this context with their commands, the words of the screen, the other keys, then every command.
// Returns false when out of memory.
bool keys_help(const struct keys *, struct popup *, const struct command_table *, enum key_context, bool ascii);

#endif
