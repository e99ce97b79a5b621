// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a table: its columns come and go with the room, its rows are sorted, filtered and marked, and it scrolls both ways. The
// owner describes what there is (struct table_source); the table remembers how a person looks at it (struct table).
// Nothing that it shows is lost for want of room: columns that are left out come in when it is scrolled sideways, a note
// goes on in further lines.
#ifndef UI_TABLE_H
#define UI_TABLE_H

#include "engine/base/fault.h"
#include "ui/columns.h"
#include "ui/motion.h"
#include "ui/screen.h"

// A cell to draw: `width` columns at (x, y).
struct table_cell {
	const void *context;
	struct screen *screen;
	int row;
	bool in_hand, marked;
	int x, y, width;
};

struct table_column {
	const char *name; // in `sort NAME` and in filters; NULL: it cannot be named
	const char *head;
	bool right;                                   // its head stands at the right
	bool joined;                                  // it stands under the head of the column before it
	bool fixed;                                   // it stays when the table is scrolled sideways
	int least, ideal, rank;                       // as in struct column
	void (*draw)(const struct table_cell *);      // NULL: its text, as text
	void (*draw_head)(const struct table_cell *); // row -1; NULL: the head
	// What it is sorted and filtered by: a number, NAN where there is none; or else its text, returned in buf.
	double (*value)(const void *context, int row);
	const char *(*text)(const void *context, int row, char *buf, size_t size);
};

struct table_source {
	const void *context;
	int rows;
	const struct table_column *column;
	int columns;
	// The text of a cell, for columns that give neither a drawing nor a text nor a value of their own; one whose head stands at the
	// right holds numbers. NULL: there are no such columns.
	const char *(*cell)(const void *context, int row, int column);
	bool (*shown)(const void *context, int row); // NULL: every row is
	// A text that stands below a row, in lines of its own, from the column `note_from` on. NULL: none.
	const char *(*note)(const void *context, int row);
	int note_from;
	int hand;    // the row in hand; -1: none
	bool cursor; // the terminal's cursor stands in it
	// Once the columns have their widths, before anything is drawn: the owner may shift them. NULL: nothing to do.
	void (*fitted)(const void *context, struct column *);
};

// Zero at first. What a person set lasts; what was arranged is good until rows come or go.
struct table {
	char sort[24]; // a column's name; "": as the owner has them
	bool down;     // the largest first
	char filter[96];
	int top;   // first row shown, by its place in `order`
	int left;  // columns left out at the left
	bool more; // as drawn last, there are columns that did not fit
	// arranged anew by each drawing
	int *order, shown, rows; // the owner's numbers of the rows that pass; how many; of how many
	int *line, lines;        // which row each line of the body shows, -1: none
	int last;                // last row shown, by its place
	unsigned char *mark;     // per row
	int marks, mark_room;
};
void table_free(struct table *);
// Other rows: the marks go, sorting and filter stay.
void table_forget(struct table *);

// Into the inside of a frame: heads in the first line.
void table_draw(struct table *, const struct table_source *, struct screen *, struct rect inside);
// "Layers 68-78 of 150": what was drawn last, for the frame's title.
const char *table_title(const struct table *, const char *name, char *buf, size_t size);

// The row that is in hand after a motion; -1: there is none.
int table_move(struct table *, const struct table_source *, enum motion, int page);
// The row at a place of the inside, as drawn last; -1: none.
int table_at(const struct table *, int y);
// The row in hand, or one near it where that is not shown; -1: none is.
int table_hand(struct table *, const struct table_source *);

// Something that a person does to a table, by a text.
typedef bool table_act(struct table *, const struct table_source *, const char *text, struct fault *);
// Sorts by a column: numbers the largest first, texts in order, the other way round where it is sorted so already. "": as they
// come. False: no such column.
table_act table_sort;
// Shows the rows of which each word is true: a part of one of its texts, a pattern (s2*) for a whole text, or a column
// compared with a number (bits<4, macs>=1M). "": all rows. False: a word names no column; the filter stays as it was.
table_act table_filter;
// "": marks the row in hand, or takes its mark away; "all": marks all that are shown; "none": takes all marks away.
table_act table_mark;
bool table_marked(const struct table *, int row);

#endif
