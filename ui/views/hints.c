// SPDX-License-Identifier: GPL-3.0-or-later
// The keys that can be pressed: in a bar at the foot of the screen and in the corners of the views.
#include "ui/views/views.h"

#include <string.h>

static bool belongs(const struct hint *h, const char *view)
{
	return h->view == view || (h->view && view && strcmp(h->view, view) == 0);
}

// With the gap behind it; 0: it does not fit.
static int put_hint(struct screen *s, int x, int y, int width, const struct hint *h)
{
	int keys = screen_width(h->keys), label = screen_width(h->label);
	if (keys + 1 + label > width)
		return 0;
	screen_put(s, x, y, keys, STYLE_KEY, h->keys);
	screen_put(s, x + keys + 1, y, label, STYLE_HINT, h->label);
	return keys + 1 + label + 2;
}

int draw_hints(const struct scene *scene, struct screen *s, int x, int y, int width, const char *view)
{
	int used = 0;
	for (int i = 0; i < scene->hints; i++) {
		const struct hint *h = &scene->hint[i];
		if (!belongs(h, view))
			continue;
		int keys = screen_width(h->keys), label = screen_width(h->label), gap = used ? 2 : 0;
		if (used + gap + keys + 1 + label > width)
			break;
		used += gap;
		used += screen_put(s, x + used, y, keys, STYLE_KEY, h->keys);
		used++;
		used += screen_put(s, x + used, y, label, STYLE_HINT, h->label);
	}
	return used;
}

void draw_box_hints(const struct scene *scene, struct screen *s, struct rect r, int y, const char *view)
{
	// Drawn once beyond the edge to learn the width, then where they belong.
	int width = draw_hints(scene, s, s->width, s->height, r.width - 6, view);
	if (width == 0)
		return;
	int x = r.x + r.width - 3 - width;
	screen_fill(s, (struct rect){x - 1, y, width + 2, 1});
	draw_hints(scene, s, x, y, width, view);
}

// Whether the keys that move in a table move in this one.
static bool moves(const struct scene *scene, const struct view_ops *view)
{
	const struct view_ops *focus = scene->focus && scene->focus->move ? scene->focus : NULL;
	return focus ? focus == view : view->place == LAYOUT_MAIN;
}

// Whose hints a view shows: the keys that edit layers act on the slot in hand while the view of slots is in focus.
static const char *hinted(const struct scene *scene, const struct view_ops *view)
{
	bool slots = scene->focus == &view_slots;
	return !slots ? view->name : view == &view_slots ? view_layers.name : view == &view_layers ? view_slots.name : view->name;
}

void draw_table_hints(const struct scene *scene, struct screen *s, struct rect r, const struct table *t,
	const struct view_ops *view)
{
	int y = r.y + r.height - 1, used = 0;
	draw_box_hints(scene, s, r, y, hinted(scene, view));
	int its = draw_hints(scene, s, s->width, s->height, r.width - 6, hinted(scene, view));
	if (t->more && moves(scene, view))
		used = draw_hints(scene, s, s->width, s->height, r.width - 8 - its, "sideways");
	if (used == 0)
		return;
	screen_fill(s, (struct rect){r.x + 2, y, used + 2, 1});
	draw_hints(scene, s, r.x + 3, y, used, "sideways");
}

// What every pane teaches that teaches nothing of its own.
static const char *const usual[] = {"open", "prompt filter", "prompt sort", "zoom", "view next", NULL};

static bool taught(const char *const *teach, const struct hint *h)
{
	for (int i = 0; i < TEACH && teach[i]; i++)
		if (h->command && strcmp(teach[i], h->command) == 0)
			return true;
	return false;
}

// What the bar shows next, while there is room.
static const char *const always[] = {"keys", "leave", "toggle", "prompt", NULL};

static int put_hints_of(const struct scene *scene, struct screen *s, int x, int y, int end, const char *const *command)
{
	const int from = x;
	for (int i = 0; i < TEACH && command[i]; i++)
		for (int k = 0; k < scene->hints; k++)
			if (scene->hint[k].command && strcmp(scene->hint[k].command, command[i]) == 0) {
				x += put_hint(s, x, y, end - x, &scene->hint[k]);
				break;
			}
	return x - from;
}

// The hints of the pane in focus, then the others of the bar.
static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	struct rect r = item->pane[0];
	const struct view_ops *focus = scene->focus ? scene->focus : &view_layers;
	const char *const *teach = focus->teach ? focus->teach : usual;
	const bool page = focus->place == LAYOUT_ALONE && !focus->enter; // its own keys are all in the bar
	int x = r.x + 1, end = r.x + r.width - 1;
	const bool teaches = !scene->popup && !page;
	if (teaches) {
		x += put_hints_of(scene, s, x, r.y, end, teach);
		x += put_hints_of(scene, s, x, r.y, end, always);
	}
	for (int k = 0; k < scene->hints; k++)
		if (belongs(&scene->hint[k], NULL) &&
			(!teaches || !(taught(teach, &scene->hint[k]) || taught(always, &scene->hint[k]))))
			x += put_hint(s, x, r.y, end - x, &scene->hint[k]);
}

const struct view_ops view_hints = {.name = "hints", .title = "keys", .place = LAYOUT_FOOT, .draw = draw};
