// SPDX-License-Identifier: GPL-3.0-or-later
// A box of text over the screen: the help, a long answer, completions.
#ifndef UI_VIEWS_POPUP_H
#define UI_VIEWS_POPUP_H

#include <stdbool.h>
#include <stddef.h>

struct popup_line {
	char *text;     // owned by the popup
	int key;        // so many columns from the left are drawn as a key
	bool head;      // a heading
};
struct popup {
	char title[80];
	struct popup_line *line;
	int lines, top; // top: the first line shown
	const char *foot; // which keys leave it; NULL: "Esc closes"
};
// Takes a copy of the text. False: out of memory; the popup is as it was.
bool popup_add(struct popup *, const char *text, int key, bool head);
// The same for a text that is broken at spaces into lines of at most `width` bytes; `indent` of the further ones.
bool popup_add_wrapped(struct popup *, const char *text, size_t width, const char *indent);
// How many lines a box shows at once on a screen of that height.
int popup_rows(int height);
void popup_clear(struct popup *);

#endif
