// SPDX-License-Identifier: GPL-3.0-or-later
// What the screen shows, as one plain struct, and the functions that draw it. Drawing reads nothing else: no session, no
// engine, no clock, no terminal; the golden tests fill the same struct by hand.
#ifndef UI_VIEWS_VIEW_H
#define UI_VIEWS_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "plots/plots.h"
#include "ui/layout.h"
#include "ui/screen.h"

// Where on the screen a hint belongs: beside what its key acts on.
enum hint_place { HINT_BAR, HINT_LAYERS, HINT_COSTS, HINT_CURVES, HINT_PLACES };
struct hint {
	enum hint_place place;
	char keys[24]; // "w/W"
	const char *label; // "weight"
};

// A box of text over the screen: the help, a long answer, completions.
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

struct view {
	// the search; borrowed
	const char *session;  // its name
	bool read_only;
	const struct snapshot *snapshot;
	const struct figure_source *source; // NULL: no figures yet
	const uint8_t *draft;               // NULL: none
	const double *draft_cost;           // per term, where there is a draft
	const double *layer_cost;           // per layer, of the selected term: of the draft where there is one, else of
	                                    // the modal choice; NULL: unknown
	// where the person is
	int layer, term;
	int top;   // first layer shown; drawing moves it so that `layer` is seen
	int curve; // first curve pane, by the order of view_curves
	// lines and boxes
	const char *message; // NULL: none
	bool bad;            // the message is a fault
	const char *prompt;  // the line being edited, with its sign before it; NULL: none
	int prompt_cursor;   // column of the cursor in it
	const struct hint *hint;
	int hints;
	struct popup *popup;  // NULL: none
	bool popup_low;       // it hangs above the prompt and leaves the keys to it
	// looks
	enum canvas_glyphs canvas;
};

// The whole screen. Writes all of it, the place of the cursor too. Changes only v->top and the popup's top, to keep
// what is in hand in sight.
void view_draw(struct view *, struct screen *);

// The figures that curve panes show, in order: all kinds but the front.
int view_curves(const struct figure_kind **out, int most);

// ---- the panes ----------------------------------------------------------------------------------------------------

void draw_header(const struct view *, struct screen *, const struct layout *);
void draw_layers(struct view *, struct screen *, struct rect);
void draw_costs(const struct view *, struct screen *, struct rect);
void draw_figure(const struct view *, struct screen *, struct rect, const struct figure_kind *);
void draw_popup(struct popup *, struct screen *, bool low);
// Hints of a place, from the left; returns the columns used. Those that do not fit are left out from the end.
int draw_hints(const struct view *, struct screen *, int x, int y, int width, enum hint_place);
// At the right end of row y of a box: in its upper or lower side.
void draw_box_hints(const struct view *, struct screen *, struct rect, int y, enum hint_place);

// The option that a draft, or else the policy, sets for a layer's weights; and the name of both formats: "int4", or
// "int4/int8" where weights and activations differ.
bool layer_tied(const struct snapshot *, int layer); // weights and activations are one decision
const struct option_info *layer_option(const struct view *, int layer, bool draft);
const char *layer_format(const struct view *, int layer, bool draft, char *buf, size_t size);

#endif
