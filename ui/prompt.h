// SPDX-License-Identifier: GPL-3.0-or-later
// The command line at the foot of the screen, by readline's callbacks. It draws nothing; a view shows its text. There is only one
// (readline's state is global), and only the UI's thread may use it.
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include <stdbool.h>

#include "sessions/sessions.h"
#include "ui/decoder.h"
#include "ui/views/view.h"

// Sets readline up and reads the history of earlier runs.
void prompt_init(void);
// Saves the history for later runs.
void prompt_end(void);

// Opens an empty line. This table and session complete its words; both are borrowed until it is closed.
void prompt_open(const struct command_table *, struct session *);
bool prompt_is_open(void);
void prompt_cancel(void);
// Takes a key. If it ends the line, *line is the line (malloc'd; NULL at the end of input) and the prompt is closed. Returns
// false if the key means nothing to readline, which then gets no part of it.
bool prompt_key(const struct event *, char **line);
// Inserts text at the cursor; no character of it acts as a key. It must not hold control characters.
void prompt_insert(const char *text);
// Shows what may follow, as a Tab does.
void prompt_choose(void);
// Returns the present line; valid until the next call.
const char *prompt_line(void);
// Puts a line into the history.
void prompt_remember(const char *line);
// Returns whether Esc cancels: not in readline's vi mode, where it is an ordinary key.
bool prompt_escape_cancels(void);

// Returns the line after its prompt sign, and the column of the cursor. Valid until the next call.
const char *prompt_text(int *cursor);
// Returns the completions to choose from; NULL: none are shown.
struct popup *prompt_choices(int width);

#endif
