// SPDX-License-Identifier: GPL-3.0-or-later
// What a view is: a row of operations (struct view_ops), memory of its own, and the scene that all views share. A view
// reads nothing but its scene and its memory: no session, no engine, no clock, no terminal; the golden tests fill a scene
// by hand. To add a view, write one file with its operations and add its name to VIEWS in views.h.
#ifndef UI_VIEWS_VIEW_H
#define UI_VIEWS_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "plots/plots.h"
#include "ui/layout.h"
#include "ui/motion.h"
#include "ui/screen.h"
#include "ui/table.h"
#include "ui/views/popup.h"

// A key and what it does, shown in the view whose work it does.
struct hint {
	const char *view;  // its name; NULL: in the bar at the foot of the screen
	char keys[24];     // "w/W"
	const char *label; // "weight"
};

// ---- the scene -----------------------------------------------------------------------------------------------------

struct view_ops;

// What all views share: the search as it is now, where the person is in it, and the lines and boxes of the moment.
struct scene {
	// the search; borrowed
	const char *session; // its name
	bool read_only;
	int pending; // changes in force that are not on the disk yet
	const struct snapshot *snapshot;
	const struct figure_source *source; // NULL: no figures yet
	const uint8_t *draft;               // NULL: none
	const double *draft_cost;           // per term, where there is a draft
	const double *layer_cost;           // per layer, of the selected term: of the draft where there is one, else of
		// the modal choice; NULL: unknown
	// where the person is: the layer and the cost term in hand, which several views show
	int layer, term;
	int lane;                     // among the snapshot's lanes
	const struct view_ops *focus; // the view that the person is in; NULL: the main table
	// lines and boxes
	const char *message; // NULL: none
	bool bad;            // the message is a fault
	const char *prompt;  // the line being edited, with its sign before it; NULL: none
	int prompt_cursor;   // column of the cursor in it
	const struct hint *hint;
	int hints;
	struct popup *popup; // NULL: none
	bool popup_low;      // it hangs above the prompt and leaves the keys to it
	// looks
	enum canvas_glyphs canvas;
};

// ---- operations ----------------------------------------------------------------------------------------------------

// `own`: the view's memory, view_ops.own bytes, zero at first.
struct view_ops {
	const char *name;  // in commands: `view layers`
	const char *title; // what a person is told it is
	enum layout_place place;
	int key; // the number by which `view` takes it as well, as a digit; 0: none
	size_t own;
	void (*end)(void *own);    // frees what the memory holds; NULL: nothing
	void (*forget)(void *own); // another search is shown: what was kept of the one before is dropped; NULL: nothing
	// What it would like on a screen of that size: rows, panes. NULL: one line. Wanted is set before the call; it may be taken back,
	// where there is nothing to show.
	void (*measure)(void *own, const struct scene *, const struct screen *, struct layout_item *);
	// Into its panes: item->pane[0 .. item->got-1], at least one.
	void (*draw)(void *own, struct scene *, struct screen *, const struct layout_item *);
	// What follows may be NULL: it cannot be done there. `page`: rows that it shows at once.
	void (*move)(void *own, struct scene *, enum motion, int page);
	bool (*select)(void *own, struct scene *, const char *name);      // false: it holds nothing of that name
	bool (*click)(void *own, struct scene *, int pane, int x, int y); // from the pane's corner; false: nothing there
	bool (*marked)(const void *own, int row);                         // of its table
	// Calls `act` (table_sort, table_filter, …) on its table, and keeps what is in hand among the rows shown.
	bool (*table)(void *own, struct scene *, table_act *act, const char *text, struct fault *);
};

// ---- what views draw with ------------------------------------------------------------------------------------------

// Hints of a view, from the left; returns the columns used. Those that do not fit are left out from the end.
int draw_hints(const struct scene *, struct screen *, int x, int y, int width, const char *view);
// At the right end of row y of a box: in its upper or lower side.
void draw_box_hints(const struct scene *, struct screen *, struct rect, int y, const char *view);
// In the lower side of a table's box: what moves it sideways at the left, where it has more columns than fit and is the one that
// moves; what belongs to the view at the right.
void draw_table_hints(const struct scene *, struct screen *, struct rect, const struct table *, const struct view_ops *);

// A figure as it was drawn last. It is built and drawn anew only where something that it depends on has changed. Zero at first.
struct picture {
	struct picture_of {
		const struct figure_kind *kind; // NULL: nothing was drawn yet
		const struct engine_info *info;
		uint64_t version; // of the snapshot
		long records;
		int marks, term, layer, width, height;
		enum canvas_glyphs glyphs;
	} of;
	struct figure *figure; // owned, as the cells are
	struct cell *cell;
	bool any_layer; // it is the same whichever layer is in hand
};
// The frame of a figure, and the figure in it. `kind` NULL: the frame alone.
void picture_draw(struct picture *, const struct scene *, struct screen *, struct rect, const struct figure_kind *kind);
void picture_free(struct picture *);

// The option that a draft, or else the policy, sets for a layer's weights; and the name of both formats: "int4", or
// "int4/int8" where weights and activations differ.
bool layer_tied(const struct snapshot *, int layer); // weights and activations are one decision
const struct option_info *layer_option(const struct scene *, int layer, bool draft);
const char *layer_format(const struct scene *, int layer, bool draft, char *buf, size_t size);

#endif
