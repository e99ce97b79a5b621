// SPDX-License-Identifier: GPL-3.0-or-later
// The one table of keys: in which context, which key, which command. Hints and the help are made from it, and from the
// command table.
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <stddef.h>

#include "sessions/sessions.h"
#include "ui/key.h"
#include "ui/views/view.h"

// Each context but the first falls back to another one.
enum key_context { CONTEXT_COMMON, CONTEXT_SEARCH, CONTEXT_DRAFT, CONTEXT_BOX, CONTEXT_POPUP, CONTEXT_PASTE, CONTEXT_PROMPT, CONTEXTS };

struct binding {
	enum key_context context;
	int key;
	// A command line (in the prompt: NULL, the keys are readline's). {layer}, {pins}, {term} stand for the layer in
	// hand, what pins it to its modal formats, and the selected cost term.
	const char *command;
	const char *view; // where the hint is shown; NULL: in the bar
	const char *hint; // NULL: in the help only. Neighbours with the same hint share it.
};
const struct binding *keys_table(size_t *count);

// The context that this one falls back to; itself: none.
enum key_context keys_fallback(enum key_context);
// NULL: the key means nothing there.
const struct binding *keys_find(enum key_context, int key);
// "j", "space", "^R", "Enter", "Ctrl-F5"; returns buf.
const char *keys_name(int key, bool ascii, char *buf, size_t size);
// The hints of a context; returns how many.
int keys_hints(enum key_context, bool ascii, struct hint *, int most);
// The help: every key with its command, then every command. False: out of memory.
bool keys_help(struct popup *, const struct command_table *, bool ascii);

#endif
