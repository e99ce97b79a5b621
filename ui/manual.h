// SPDX-License-Identifier: GPL-3.0-or-later
// What is written from the tables of commands, settings, keys and options: the man page, the completions of shells, the help by topic.
#ifndef UI_MANUAL_H
#define UI_MANUAL_H

#include "engine/base/text.h"
#include "sessions/sessions.h"

// Adds the man page, in the language of troff's man macros.
void manual_page(const struct command_table *, struct string *);
// Adds the completion for a shell, "bash" or "zsh". Returns false with a fault for any other.
bool manual_completion(const char *shell, const struct command_table *, struct string *, struct fault *);
// Adds the help on a topic: commands, settings, keys, options, or the name of a command or a setting. Returns false with a fault if
// nothing has this name.
bool manual_topic(const char *topic, const struct command_table *, struct string *, struct fault *);

#endif
