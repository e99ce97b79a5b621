// SPDX-License-Identifier: GPL-3.0-or-later
// A box of text over the screen: the help, a long answer, completions.
#ifndef UI_VIEWS_POPUP_H
#define UI_VIEWS_POPUP_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/sheet.h"

struct popup_line {
	char *text; // owned by the popup
	int key;    // number of columns at the left drawn as a key
	bool head;  // a heading
	char *run;  // of the help: the command that it tells of, behind '?' one that is to be completed; owned; NULL: none
	int hang;   // column where its continuation lines begin; -1: it is a row of a table, scrolled sideways
};
struct popup {
	char title[80];
	struct popup_line *line;
	int lines, top;      // top: the first line shown
	int left;            // columns by which rows of tables are scrolled
	int shown;           // lines shown by the last drawing; 0: not drawn yet
	const char *foot;    // the keys that leave it; NULL: "Esc closes"
	struct sheet *sheet; // a table before the line `below`; owned; NULL: there is only text
	int below;
	struct rect table; // where it was drawn last
	char sought[64];   // what `filter` was asked for last; "": nothing
	bool card;         // what a search has found: CONTEXT_CARD
	int found;         // the line that holds it, from 1; 0: none
};
// Adds a copy of the text. A text too long for the box continues on further lines, unless runs of blanks show that it is a row of
// a table. Returns false when out of memory; the popup is then as it was.
bool popup_add(struct popup *, const char *text, int key, bool head);
// Does the same for a text of columns whose last one continues below itself, from column `hang` on.
bool popup_add_hanging(struct popup *, const char *text, int key, int hang);
// Does the same for a text that it breaks at spaces into lines of at most `width` columns; `indent` begins all but the first.
bool popup_add_wrapped(struct popup *, const char *text, int width, const char *indent);
// Says what command the line added last tells of. Returns false when out of memory.
bool popup_runs(struct popup *, const char *command, bool typed);
// Adds a table with the text above and below it. Returns false when out of memory; the popup is then as it was.
bool popup_add_answer(struct popup *, const struct answer *);
// Shows from the next line on that holds these words, after the one found before, around the end; NULL: what was sought last. step: 1
// or -1. Returns false if nothing holds them.
bool popup_seek(struct popup *, const char *words, int step, struct fault *);
bool popup_shown(const struct popup *); // it has contents
// Returns how many lines a box shows at once: as drawn last, else on a screen of this height.
int popup_rows(const struct popup *, int height);
void popup_clear(struct popup *);

#endif
