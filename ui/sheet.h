// SPDX-License-Identifier: GPL-3.0-or-later
// An answer that is a table (command.h), kept for display: its cells, and how a person looks at them.
#ifndef UI_SHEET_H
#define UI_SHEET_H

#include "engine/base/command.h"
#include "ui/table.h"

struct sheet;

// Copies what it needs of the answer. NULL: out of memory.
struct sheet *sheet_new(const struct answer *);
void sheet_free(struct sheet *); // NULL: nothing

// The columns that all of it takes; the lines that all of its rows take, heads included.
int sheet_width(const struct sheet *);
int sheet_lines(const struct sheet *);
void sheet_draw(struct sheet *, struct screen *, struct rect);
// Writes "3-12 of 40", or "" if all rows are shown; as drawn last. Returns buf.
const char *sheet_part(const struct sheet *, char *buf, size_t size);
bool sheet_more(const struct sheet *); // some columns did not fit, as drawn last

// Adds all of its cells, a line for each row.
void sheet_text(const struct sheet *, struct string *);

void sheet_move(struct sheet *, enum motion, int page);
bool sheet_click(struct sheet *, int y); // y: a line of its place; false: no row is there
bool sheet_act(struct sheet *, table_act *, const char *text, struct fault *);
// Whether the terminal's cursor is in its row in hand; so it is at first.
void sheet_in_focus(struct sheet *, bool);
// A newer answer is looked at as an older one was: sorting, filter and place go over.
void sheet_follow(struct sheet *, struct sheet *older);
const struct table *sheet_table(const struct sheet *);
// Adds the command line for the row in hand to `line`; returns false if there is none.
bool sheet_pick(struct sheet *, struct string *line);
bool sheet_can_pick(const struct sheet *);

#endif
