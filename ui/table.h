// SPDX-License-Identifier: GPL-3.0-or-later
// Draws a table. Its columns come and go with the room, its rows can be sorted, filtered and marked, and it scrolls both ways.
// The owner describes the contents (struct table_source); the table remembers how a person looks at them (struct table). Nothing
// is lost for want of room: columns that are left out appear when it is scrolled sideways, and a note continues on further lines.
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
	const char *name; // for `sort NAME` and filters; NULL: none
	const char *head;
	bool right;                                   // its head is aligned right
	bool up;                                      // sorted by it, the smallest number comes first
	bool joined;                                  // it is under the head of the column before it
	bool fixed;                                   // it stays when the table is scrolled sideways
	int least, ideal, rank;                       // as in struct column
	void (*draw)(const struct table_cell *);      // NULL: draws its text
	void (*draw_head)(const struct table_cell *); // row -1; NULL: draws `head`
	// What it is sorted and filtered by: a number (NAN: none), or else its text, returned in buf.
	double (*value)(const void *context, int row);
	const char *(*text)(const void *context, int row, char *buf, size_t size);
};

struct table_source {
	const void *context;
	int rows;
	const struct table_column *column;
	int columns;
	// The text of a cell, for columns without draw, text and value. Such a column holds numbers if its head is aligned right.
	// NULL: there are no such columns.
	const char *(*cell)(const void *context, int row, int column);
	bool (*shown)(const void *context, int row); // NULL: every row is
	// A text below a row, on lines of its own, from column `note_from` on. NULL: none.
	const char *(*note)(const void *context, int row);
	int note_from;
	int hand;    // the row in hand; -1: none
	bool cursor; // the terminal's cursor is in that row
	// Lets the owner shift the columns once they have their widths, before anything is drawn. NULL: nothing to do.
	void (*fitted)(const void *context, struct column *);
};

// Zero at first. A person's settings last; the arrangement is valid until rows come or go.
struct table {
	char sort[24];               // a column's name; "": the owner's order
	bool down;                   // the largest first
	char filter[96], sought[96]; // sought: the last filter that there was
	int top;                     // first row shown, by its place in `order`
	int left;                    // columns left out at the left
	bool more;                   // as drawn last, some columns did not fit
	// arranged anew by each drawing
	int *order, shown, rows;         // the owner's indices of the rows that pass; their number; the number of all
	int *line, lines;                // the row that each line of the body shows, -1: none
	int last;                        // last row shown, by its place
	unsigned char *mark;             // per row
	int marks, mark_room, mark_last; // mark_last: the row marked last, where any is
	int found;                       // what an act has found, from 1, until it is taken in hand; 0: nothing
};
void table_free(struct table *);
// Call it when the rows are other ones: drops the marks, keeps sorting and filter.
void table_forget(struct table *);

// Draws into the inside of a frame, with the heads in the first line.
void table_draw(struct table *, const struct table_source *, struct screen *, struct rect inside);
// Writes what was drawn last, for the frame's title: "Layers 68-78 of 150". Returns buf.
const char *table_title(const struct table *, const char *name, char *buf, size_t size);

// Returns the row in hand after a motion; -1: none.
int table_move(struct table *, const struct table_source *, enum motion, int page);
// Returns the row at a line of the inside, as drawn last; -1: none.
int table_at(const struct table *, int y);
// Returns the row in hand, or one near it if that is not shown; -1: none is shown.
int table_hand(struct table *, const struct table_source *);

// An act of a person on a table, given as text.
typedef bool table_act(struct table *, const struct table_source *, const char *text, struct fault *);
// Sorts by a column: numbers with the largest first (or the smallest, see struct table_column), texts in order, or the reverse if it is sorted so already. "": the owner's
// order. Returns false if there is no such column.
table_act table_sort;
// Shows the rows that match every word: part of one of a row's texts, a pattern (s2*) for a whole text, or a column compared with
// a number (bits<4, macs>=1M). "": all rows. Returns false, with the filter as it was, if a word names an unknown column.
table_act table_filter;
table_act table_filter_is; // writes the filter that there is into f->what
// "": marks the row in hand, or removes its mark; "range": marks all from the row marked last to it; "all": marks all shown rows;
// "none": removes all marks.
table_act table_mark;
// "next", "previous": takes in hand the next shown row that the last filter would let through, around the end.
table_act table_find;
// Takes back one thing that a person has laid over the table: the marks, else the filter. Returns false if there is neither.
table_act table_lift;
bool table_marked(const struct table *, int row);

#endif
