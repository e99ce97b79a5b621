// SPDX-License-Identifier: GPL-3.0-or-later
// All views, each with its memory and its place on the screen. Only this table lists them.
#ifndef UI_VIEWS_VIEWS_H
#define UI_VIEWS_VIEWS_H

#include "ui/views/view.h"

// One row per view, in drawing order; FILE.c has `const struct view_ops view_FILE`.
// clang-format off
#define VIEWS(V) \
	V(header) \
	V(layers) \
	V(slots) \
	V(costs) \
	V(lanes) \
	V(race) \
	V(slice) \
	V(racks) \
	V(history) \
	V(point) \
	V(layer) \
	V(front) \
	V(curves) \
	V(message) \
	V(hints) \
	V(popup)
// clang-format on

#define VIEW_DECLARED(name) extern const struct view_ops view_##name;
VIEWS(VIEW_DECLARED)
#undef VIEW_DECLARED
#define VIEW_COUNTED(name) +1
enum { VIEWS_COUNT = VIEWS(VIEW_COUNTED) };
#undef VIEW_COUNTED

struct views {
	struct {
		const struct view_ops *ops;
		void *own;
		bool hidden;
		bool absent; // by the last drawing, it has nothing to show
	} view[VIEWS_COUNT];
	struct layout_item item[VIEWS_COUNT]; // from the last drawing
	int focus;                            // the view that the person is in
	int zoomed;                           // LAYOUT_NONE: none
	int held, held_pane;                  // the view that the mouse holds something of
	int from[VIEWS_COUNT];                // of a page: where the person came from
};

// Gives every view its memory. Returns false when out of memory, and leaves nothing behind.
bool views_begin(struct views *, struct fault *);
void views_end(struct views *);
void views_forget(struct views *); // call it when another search is shown

// Draws the whole screen, and sets the place of the cursor.
void views_draw(struct views *, struct scene *, struct screen *);

int views_of(const struct views *, const struct view_ops *);
// Returns the view that the person is in where they have gone nowhere.
int views_main(const struct views *);
// Takes the person into a view, which gets all the room if that is what the view had where they were. False: it has nothing to show.
bool views_enter(struct views *, const struct scene *, int view, struct fault *);
bool views_back(struct views *); // out of a page; false: the view in focus is none
// Returns the view that motions act on: the one in focus if it can move, else the main table.
int views_mover(const struct views *);
// Finds a view by its name or number. LAYOUT_NONE: no such view.
int views_named(const struct views *, const char *name);
// Returns the names of the views with a number, as "a|b|c".
const char *views_words(void);
// Returns about how many rows a view shows at once.
int views_page(const struct views *, int view);
// Returns whether a row of a view's table is marked.
bool views_marked(const struct views *, int view, int row);
// Clicks the topmost view at a place of the screen, and takes the person into it. Returns false if nothing happened.
bool views_click(struct views *, struct scene *, int x, int y);
// The mouse has taken hold of something at a place; false: nothing there can be moved. `views_dragged` says where it is then, and adds to the
// line what letting it go there means.
bool views_grab(struct views *, struct scene *, int x, int y);
void views_dragged(struct views *, struct scene *, int x, int y, enum drag, struct string *line);
// Moves the view at that place by one. Returns false if nothing moves there.
bool views_wheel(struct views *, struct scene *, int x, int y, enum motion);

#endif
