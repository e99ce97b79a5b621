// SPDX-License-Identifier: GPL-3.0-or-later
// A race that is watched: how it stands, entrant by entrant, by its table (sessions/race). The scene holds the table.
#include <stdio.h>

#include "ui/views/views.h"

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	struct rect r = item->pane[0];
	char part[64], title[256];
	sheet_in_focus(scene->race, scene->focus == &view_race);
	sheet_draw(scene->race, s, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2});
	const char *shown = sheet_part(scene->race, part, sizeof part);
	snprintf(title, sizeof title, "Race %.160s%s%s", scene->race_title, shown[0] ? ", rows " : "", shown);
	screen_box(s, r, title);
	if (sheet_more(scene->race))
		draw_table_hints(scene, s, r, sheet_table(scene->race), &view_race);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->race;
	item->rows = scene->race ? sheet_lines(scene->race) : 0;
	item->least = 1;
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	if (scene->race)
		sheet_move(scene->race, m, page);
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)own;
	(void)pane;
	(void)x;
	return scene->race && sheet_click(scene->race, y - 1);
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	(void)own;
	return scene->race ? sheet_act(scene->race, act, text, f)
			   : fault_set(f, "race", "`watch NAME` shows one", "no race is watched");
}

const struct view_ops view_race = {
	.name = "race",
	.title = "how a race stands that `watch NAME` shows, kept up to date",
	.place = LAYOUT_TABLE,
	.key = '7',
	.measure = measure,
	.draw = draw,
	.move = move,
	.click = click,
	.table = act_on_table,
};
