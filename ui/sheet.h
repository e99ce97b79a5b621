// SPDX-License-Identifier: GPL-3.0-or-later
// An answer that is a table (command.h), kept to be looked at: its cells, and how a person looks at them.
#ifndef UI_SHEET_H
#define UI_SHEET_H

#include "engine/base/command.h"
#include "ui/table.h"

struct sheet;

// Copies what it needs of the answer. NULL: there is no memory for it.
struct sheet *sheet_new(const struct answer *);
void sheet_free(struct sheet *); // NULL: nothing

// Columns that all of it takes, and lines, its heads included, on a screen that shows all of its rows.
int sheet_width(const struct sheet *);
int sheet_lines(const struct sheet *);
void sheet_draw(struct sheet *, struct screen *, struct rect);
// "3-12 of 40", where not all rows are shown; "": they are. As drawn last.
const char *sheet_part(const struct sheet *, char *buf, size_t size);
bool sheet_more(const struct sheet *); // there are columns that did not fit, as drawn last

void sheet_move(struct sheet *, enum motion, int page);
bool sheet_click(struct sheet *, int y); // a line of where it was drawn; false: no row is there
bool sheet_act(struct sheet *, table_act *, const char *text, struct fault *);
// The command line for the row in hand, into line; false: there is none for it.
bool sheet_pick(struct sheet *, struct string *line);
bool sheet_can_pick(const struct sheet *);

#endif
