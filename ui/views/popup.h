// SPDX-License-Identifier: GPL-3.0-or-later
// A box of text over the screen: the help, a long answer, completions.
#ifndef UI_VIEWS_POPUP_H
#define UI_VIEWS_POPUP_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/sheet.h"

struct popup_line {
	char *text; // owned by the popup
	int key;    // so many columns from the left are drawn as a key
	bool head;  // a heading
	int hang;   // where its further lines begin, when it is broken; -1: it is a row of a table, seen by scrolling sideways
};
struct popup {
	char title[80];
	struct popup_line *line;
	int lines, top;      // top: the first line shown
	int left;            // columns that rows of tables are scrolled by
	int shown;           // lines shown by the last drawing; 0: not drawn yet
	const char *foot;    // which keys leave it; NULL: "Esc closes"
	struct sheet *sheet; // a table that stands before the line `below`; owned; NULL: there is text alone
	int below;
	struct rect table; // where it was drawn last
};
// Takes a copy of the text. What is too long for the box goes on in further lines, unless runs of blanks in it show that it
// is a row of a table. False: out of memory; the popup is as it was.
bool popup_add(struct popup *, const char *text, int key, bool head);
// Does the same for a text of columns whose last one goes on below itself, from column `hang` on.
bool popup_add_hanging(struct popup *, const char *text, int key, int hang);
// Does the same for a text that is broken at spaces into lines of at most `width` columns; `indent` of the further ones.
bool popup_add_wrapped(struct popup *, const char *text, int width, const char *indent);
// A table among the lines: the text above it, itself, the text below it. False: out of memory; the popup is as it was.
bool popup_add_answer(struct popup *, const struct answer *);
bool popup_shown(const struct popup *); // there is something in it
// Returns how many lines a box shows at once: as drawn last, else on a screen of that height.
int popup_rows(const struct popup *, int height);
void popup_clear(struct popup *);

#endif
