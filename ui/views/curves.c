// SPDX-License-Identifier: GPL-3.0-or-later
// Figures over the steps, in as many panes as there are: all kinds but the front, beginning with the one the person chose.
#include <string.h>

#include "ui/views/views.h"

enum { KINDS_MOST = 12 };

struct curves {
	int first;                          // the kind in the first pane, in the order of curve_kinds
	struct picture picture[KINDS_MOST]; // of each kind
};

// The order in which they come; kinds that are not named here follow in the order of their table.
static const char *const first_curves[] = {"curves", "cost", "entropy", "reward", "bits"};
enum { FIRST_CURVES = sizeof first_curves / sizeof *first_curves };

static bool named_first(const char *name)
{
	for (int i = 0; i < FIRST_CURVES; i++)
		if (strcmp(first_curves[i], name) == 0)
			return true;
	return strcmp(name, "front") == 0;
}

// Whether the policy was kept at the steps that were made.
static bool policy_kept(const struct scene *scene)
{
	const struct figure_source *source = scene->source;
	int rows;
	return !source || source->records < 1 || (source->policy && source->policy(source->session, 0, &rows));
}

static bool shows(const struct scene *scene, const struct figure_kind *kind)
{
	const struct engine_info *info = scene->snapshot->info;
	const bool looked = scene->source && scene->source->errors;
	return (!kind->of_layers || !info || info->layers > 0) && (!kind->of_errors || looked) &&
		(!kind->of_slot || policy_kept(scene));
}

static int curve_kinds(const struct scene *scene, const struct figure_kind *out[KINDS_MOST])
{
	int count = 0;
	for (int i = 0; i < FIRST_CURVES && count < KINDS_MOST; i++) {
		const struct figure_kind *kind = figure_kind_named(first_curves[i]);
		if (kind && shows(scene, kind))
			out[count++] = kind;
	}
	size_t kinds;
	const struct figure_kind *kind = figure_kinds(&kinds);
	for (size_t i = 0; i < kinds && count < KINDS_MOST; i++)
		if (!named_first(kind[i].name) && !kind[i].apart && shows(scene, &kind[i]))
			out[count++] = &kind[i];
	return count;
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	const struct figure_kind *kind[KINDS_MOST];
	item->panes = curve_kinds(scene, kind);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct curves *c = own;
	const struct figure_kind *kind[KINDS_MOST];
	int kinds = curve_kinds(scene, kind);
	for (int i = 0; i < item->got && kinds > 0; i++) {
		int at = (c->first + i) % kinds;
		picture_draw(&c->picture[at], scene, s, item->pane[i], kind[at]);
	}
	if (item->got < kinds)
		draw_box_hints(scene, s, item->pane[0], item->pane[0].y, view_curves.name);
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct curves *c = own;
	const struct figure_kind *kind[KINDS_MOST];
	c->first = motion_to(m, c->first, curve_kinds(scene, kind), page);
}

static bool select_kind(void *own, struct scene *scene, const char *name)
{
	struct curves *c = own;
	const struct figure_kind *kind[KINDS_MOST];
	int kinds = curve_kinds(scene, kind);
	for (int i = 0; i < kinds; i++)
		if (strcmp(kind[i]->name, name) == 0) {
			c->first = i;
			return true;
		}
	return false;
}

static void forget(void *own)
{
	struct curves *c = own;
	for (int i = 0; i < KINDS_MOST; i++)
		picture_free(&c->picture[i]);
}

// The figure that was clicked comes first.
static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)x;
	(void)y;
	for (int i = 0; i < pane; i++)
		move(own, scene, MOTION_NEXT, 1);
	return true;
}

static const char *const teach[] = {"curve next", "zoom", "view next", NULL};

const struct view_ops view_curves = {
	.name = "curves",
	.title = "figures over the steps",
	.place = LAYOUT_FIGURES,
	.key = '4',
	.teach = teach,
	.own = sizeof(struct curves),
	.end = forget,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_kind,
	.click = click,
};
