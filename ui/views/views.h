// SPDX-License-Identifier: GPL-3.0-or-later
// All views, each with its memory and its place on the screen. Nothing but this table knows which there are.
#ifndef UI_VIEWS_VIEWS_H
#define UI_VIEWS_VIEWS_H

#include "ui/views/view.h"

// One row a view, in the order in which they are drawn; FILE.c has `const struct view_ops view_FILE`.
// clang-format off
#define VIEWS(V) \
	V(header) \
	V(layers) \
	V(costs) \
	V(lanes) \
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
	struct layout_item item[VIEWS_COUNT]; // by the last drawing
	int focus;                            // the view that the person is in
	int zoomed;                           // LAYOUT_NONE: none
};

// Gives every view its memory. False: out of memory; nothing is left behind.
bool views_begin(struct views *, struct fault *);
void views_end(struct views *);
void views_forget(struct views *); // another search is shown

// The whole screen. Writes all of it, the place of the cursor too.
void views_draw(struct views *, struct scene *, struct screen *);

int views_of(const struct views *, const struct view_ops *);
// The view that motions act on: the one in focus, where it can move, else the main table.
int views_mover(const struct views *);
// By its name or its number. LAYOUT_NONE: no such view.
int views_named(const struct views *, const char *name);
// The names as "a|b|c": those that have a number.
const char *views_words(void);
// How many rows a view shows at once, about.
int views_page(const struct views *, int view);
// Whether a row of the main table is marked.
bool views_marked(const struct views *, int row);
// The view that lies on top at a place of the screen, and clicks it. False: nothing happened there.
bool views_click(struct views *, struct scene *, int x, int y);
// Moves in that view by one. False: nothing moves there.
bool views_wheel(struct views *, struct scene *, int x, int y, enum motion);

#endif
