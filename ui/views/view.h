// SPDX-License-Identifier: GPL-3.0-or-later
// A view is a row of operations (struct view_ops) with memory of its own; all views share a scene. A view reads only its scene
// and its memory, never a session, an engine, a clock or a terminal; the golden tests fill a scene by hand. To add a view, write
// one file with its operations and add its name to VIEWS in views.h.
#ifndef UI_VIEWS_VIEW_H
#define UI_VIEWS_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plots/plots.h"
#include "sessions/sessions.h"
#include "ui/layout.h"
#include "ui/motion.h"
#include "ui/racks.h"
#include "ui/screen.h"
#include "ui/sheet.h"
#include "ui/table.h"
#include "ui/views/popup.h"

// A key and what it does, shown in the view it acts on.
struct hint {
	const char *view;    // its name; NULL: in the bar at the foot of the screen
	char keys[24];       // "w/W"
	const char *label;   // "weight"
	const char *command; // what the first of the keys does
};

// ---- the scene -----------------------------------------------------------------------------------------------------

struct view_ops;

// Points of the front come and go: one is known by its choice, and where that has gone, the nearest in cost takes its place.
struct point_hand {
	struct point_known {
		bool known;
		uint64_t choice; // its hash
		double cost;     // by the first term
	} hand, mark;
	bool against; // the page compares with the marked one, not with the modal choice
};

// What is worked out for the page of the layer in hand.
struct layer_page {
	bool priced;
	double share[ENGINE_TERMS]; // of each term's cost, under the draft or else the modal choice
	double cost[ENGINE_OPTIONS]
		   [ENGINE_TERMS]; // of the modal choice with each option of the layer's weights in the layer's decision
};

// The page of a tour, as it is shown.
struct tour_shown {
	char title[96];
	const char *text, *answer, *notes; // lines; "": none
	const char *foot;                  // what goes on
	const struct view_ops *lit;        // the view that the eye is led to; NULL: none
};

// What all views share: the search as it is now, the person's place in it, and the present lines and boxes.
struct scene {
	// the search; borrowed
	const char *session; // its name
	bool read_only;
	bool stretches; // the horizon moves out until the person's first act
	int pending;    // number of changes in force but not on the disk yet
	const struct snapshot *snapshot;
	const struct figure_source *source; // NULL: no figures yet
	const uint8_t *draft; // NULL: none; where there is none, the choice of the step `past`, which is shown in its place
	long past;            // the step where the cursor of the history was left; 0: now, as it is
	struct foretold_so_far foretold;    // of drafts that were committed, and what came
	const double *draft_cost;           // per term, where there is a draft
	const struct layer_info *layer_now; // per layer, as the draft or else the modal choice makes it; NULL: as info has it
	const double *layer_cost; // per layer, for the selected term: of the draft or else of the modal choice; NULL: unknown
	// where the person is: the layer and the cost term in hand, which several views show
	int layer, term;
	const struct layer_page *page; // of the layer in hand; NULL: not worked out
	const struct layer_look *look; // the last one, at a layer's weights; NULL: none was made
	long look_step;                // the step it was made behind
	const double *noise;           // signal to noise of every layer's output, in dB; NAN: unknown; NULL: nobody looked
	long noise_step;
	int lane;                     // among the snapshot's lanes
	int slot;                     // among those of the architecture
	struct point_hand point;      // the point of the front in hand, and the one that is marked
	const struct view_ops *focus; // the view that the person is in; NULL: the main table
	struct sheet *race;           // the table of the race that is watched; NULL: none is
	const char *race_title;
	const struct slice_question *slice; // the slice that is looked at; NULL: none is
	int slices;                         // counts those that were
	long step;                          // where the cursor in it stands
	const struct racks *racks;          // the racks that are looked at; NULL: none are
	// lines and boxes
	const char *message; // NULL: none
	bool bad;            // the message is a fault
	const char *prompt;  // the line being edited, after its prompt sign; NULL: none
	int prompt_cursor;   // column of the cursor in it
	const struct hint *hint;
	int hints;
	const struct tour_shown *tour; // NULL: none is on
	struct popup *popup;           // NULL: none
	bool popup_low;                // it is just above the prompt, which has the keys
	// looks
	enum canvas_glyphs canvas;
};

// ---- operations ----------------------------------------------------------------------------------------------------

#define AXIS_WORDS "in|out|left|right|log|linear|turn|logit|all"
enum drag { DRAG_TAKE, DRAG_MOVE, DRAG_DROP };

// `own`: the view's memory, view_ops.own bytes, zero at first.
struct view_ops {
	const char *name;  // in commands: `view layers`
	const char *title; // for people
	enum layout_place place;
	int key;           // the digit by which `view` also takes it; ' ': none, a page; 0: it has no name either
	const char *thing; // what `move` takes by its name: "layer"
	size_t own;
	void (*end)(void *own);    // frees what the memory holds; NULL: nothing
	void (*forget)(void *own); // drops what it kept of the search, as another is shown; NULL: nothing
	// Says what it would like on a screen of this size: rows, panes. NULL: one line. `wanted` and `place` are set before the call; the
	// view may clear the one if it has nothing to show, and take the main table's place where that has none.
	void (*measure)(void *own, const struct scene *, const struct screen *, struct layout_item *);
	// Draws into its panes: item->pane[0 .. item->got-1], at least one.
	void (*draw)(void *own, struct scene *, struct screen *, const struct layout_item *);
	// The following may be NULL: the view cannot do it. `page`: number of rows shown at once.
	void (*move)(void *own, struct scene *, enum motion, int page);
	bool (*select)(void *own, struct scene *, const char *name);      // false: it has nothing of that name
	bool (*click)(void *own, struct scene *, int pane, int x, int y); // x, y: from the pane's corner; false: nothing is there
	bool (*marked)(const void *own, int row);                         // of its table
	// Marks what is in hand, or removes its mark; "none": all. For a view without a table.
	bool (*mark)(void *own, struct scene *, const char *text, struct fault *);
	// Calls `act` (table_sort, table_filter, …) on its table, and keeps the row in hand among those shown.
	bool (*table)(void *own, struct scene *, table_act *act, const char *text, struct fault *);
	// Looks at another part of its figure's cost axis, or at its accuracies by another scale, by one of AXIS_WORDS.
	bool (*axis)(void *own, struct scene *, const char *word, struct fault *);
	// The mouse has taken hold of a place, moves it, or lets it go, which adds the command line that does what was meant. False: nothing there
	// can be moved.
	bool (*drag)(void *own, struct scene *, int pane, int x, int y, enum drag, struct string *line);
	// Adds the command line that opens what is under the cursor; false: nothing there can be opened.
	bool (*open)(void *own, const struct scene *, struct string *line);
	// It is a page: there only while the person is in it. Returns whether it has something to show; else the fault says why.
	bool (*enter)(void *own, const struct scene *, struct fault *);
	const char *const
		*teach; // commands of keys that the bar teaches while the person is in it, NULL-terminated; NULL: the usual ones
};
enum { TEACH = 5 }; // so many at most

// What stands over the draft's column: "draft", or "@300" for the choice of a past step. Returns buf.
enum { DRAFT_WORD = 24 };
const char *draft_word(const struct scene *, char buf[DRAFT_WORD]);

// ---- what views draw with ------------------------------------------------------------------------------------------

// The point of the front in hand, or marked, in the snapshot; -1: none. Taking one in hand; -1: none any more.
int point_index(const struct scene *, const struct point_known *);
void point_take(const struct scene *, struct point_known *, int point);

// Draws the hints of a view from the left and returns the columns used. Leaves out the last ones if they do not fit.
int draw_hints(const struct scene *, struct screen *, int x, int y, int width, const char *view);
// Draws hints at the right end of row y of a box, its upper or lower side.
void draw_box_hints(const struct scene *, struct screen *, struct rect, int y, const char *view);
// Draws hints in the lower side of a table's box: at the right those of the view; at the left those that move it sideways, if
// some columns do not fit and the table is the one that moves.
void draw_table_hints(const struct scene *, struct screen *, struct rect, const struct table *, const struct view_ops *);

// The blocks of a network whose architecture is to be chosen, in one row (blocks.c). there: whether it is such a network, and has blocks.
bool blocks_there(const struct scene *);
void draw_blocks(const struct scene *, struct screen *, int x, int y, int width);

// Shows that a pane is spoken of: its frame doubled.
void light_pane(struct screen *, struct rect);

// A figure as drawn last. It is built and drawn again only when something it depends on has changed. Zero at first.
struct picture {
	struct picture_of {
		const struct figure_kind *kind; // NULL: nothing was drawn yet
		const struct engine_info *info;
		uint64_t version; // of the snapshot
		long records;
		int marks, term, layer, point, width, height;
		struct figure_window window;
		int alones;  // choices trained alone that are done
		long looked; // the step of the last look at all layers, from 1 on
		enum canvas_glyphs glyphs;
	} of;
	struct figure *figure; // owned, as the cells are
	struct cell *cell;
	bool any_layer; // it does not depend on the layer in hand
};
// Draws a frame with a figure in it. `kind` NULL: the frame alone.
void picture_draw(struct picture *, const struct scene *, struct screen *, struct rect, const struct figure_kind *kind);
void picture_free(struct picture *);
// Draws it without a frame, a row at a time: picture_make returns whether there is one of this size, and picture_row puts one of its
// rows, as wide as it is.
bool picture_make(struct picture *, const struct scene *, const struct figure_kind *, int width, int height);
void picture_row(const struct picture *, struct screen *, int x, int y, int row);

// layer_option: the option that the draft, or else the policy, has for a layer's weights. layer_format: the names of both
// formats, "int4", or "int4/int8" if weights and activations differ; returns buf.
bool layer_tied(const struct snapshot *, int layer); // weights and activations are one decision
// Of a slot of any kind: the option that the draft, or else the policy, has for it (NULL: none); whether it rests under that choice; and how
// much of its freedom is left (GLYPH_COUNT: all).
const struct option_info *slot_option_shown(const struct scene *, int slot, bool draft);
bool slot_rests(const struct scene *, int slot);
enum glyph slot_restriction(const struct snapshot *, int slot);
#define REST_WORD "rests" // in place of an option that makes no difference
const struct option_info *layer_option(const struct scene *, int layer, bool draft);
const char *layer_format(const struct scene *, int layer, bool draft, char *buf, size_t size);

#endif
