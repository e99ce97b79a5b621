// SPDX-License-Identifier: GPL-3.0-or-later
// The command line at the foot of the screen is readline, through its callbacks. It draws nothing; the view shows its text.
// There is one (readline's state is global); only the UI's thread calls it.
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include <stdbool.h>

#include "sessions/sessions.h"
#include "ui/decoder.h"
#include "ui/views/view.h"

// Sets readline up and reads the history of earlier runs.
void prompt_init(void);
// Keeps the history for later runs.
void prompt_end(void);

// Opens an empty line, completed by this table and session, both borrowed until it is closed.
void prompt_open(const struct command_table *, struct session *);
bool prompt_is_open(void);
void prompt_cancel(void);
// A key. Where it ends the line, that is *line (malloc'd, NULL for the end of input) and the prompt is closed. False: the key
// means nothing to readline, which gets nothing of it.
bool prompt_key(const struct event *, char **line);
// Text at the cursor; no key of it acts. It holds no control characters.
void prompt_insert(const char *text);
// The line as it stands; valid until the next call.
const char *prompt_line(void);
// Puts a line into the history.
void prompt_remember(const char *line);
// Esc cancels, unless the person's readline is in vi mode, where it is a key like others.
bool prompt_escape_cancels(void);

// The line with its sign before it, and the column of the cursor. Valid until the next call.
const char *prompt_text(int *cursor);
// The completions to choose from; NULL: none are shown.
struct popup *prompt_choices(int width);

#endif
