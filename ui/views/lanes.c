// SPDX-License-Identifier: GPL-3.0-or-later
// The lanes of a search, if there are several: what each aims at and how it fares, by the cost term in hand. A lane's points on
// the front have its colour, and its number as their sign.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/show.h"
#include "ui/table.h"
#include "ui/views/views.h"

struct lanes {
	struct table table;
};

static const struct scene *scene_of(const struct table_cell *c)
{
	return c->context;
}

static const struct lane_state *lane_at(const void *context, int row)
{
	return &((const struct scene *)context)->snapshot->lane[row];
}

static const struct lane_state *lane_of(const struct table_cell *c)
{
	return lane_at(c->context, c->row);
}

// ---- one function per column ------------------------------------------------------------------------------------------

static void draw_mark(const struct table_cell *c)
{
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
	if (lane_of(c)->focus) // what the other views show
		screen_put(c->screen, c->x + 1, c->y, 1, STYLE_STRONG, "*");
}

static void draw_number(const struct table_cell *c)
{
	char text[16];
	int number = lane_of(c)->number;
	if (number < 10)
		snprintf(text, sizeof text, "%d", number);
	else // with the sign that its points have
		snprintf(text, sizeof text, "%c %d", figure_lane_sign(number), number);
	screen_right(c->screen, c->x, c->y, c->width, (enum style)(STYLE_LANE + lane_of(c)->place % LANE_COLOURS), text);
}

static void draw_name(const struct table_cell *c)
{
	screen_fit(c->screen, c->x, c->y, c->width, lane_of(c)->focus ? STYLE_STRONG : STYLE_TEXT, lane_of(c)->name);
}

static void draw_amount(const struct table_cell *c, enum style style, const double *cost)
{
	const struct scene *scene = scene_of(c);
	char text[16];
	if (scene->term < scene->snapshot->terms)
		screen_right(c->screen, c->x, c->y, c->width, style,
			show_amount(cost[scene->term], scene->snapshot->term[scene->term].symbol, text, sizeof text));
}

static void draw_sampled(const struct table_cell *c)
{
	draw_amount(c, STYLE_DIM, lane_of(c)->expected);
}

static void draw_now(const struct table_cell *c)
{
	draw_amount(c, STYLE_MAIN, lane_of(c)->modal);
}

static double ratio_of(const void *context, int row)
{
	const struct scene *scene = context;
	const struct lane_state *lane = lane_at(context, row);
	int term = scene->term;
	return term < scene->snapshot->terms && lane->target[term] > 0.0 ? lane->modal[term] / lane->target[term] : (double)NAN;
}

static void draw_ratio(const struct table_cell *c)
{
	double ratio = ratio_of(c->context, c->row);
	char text[16];
	if (isnan(ratio))
		return;
	screen_put(c->screen, c->x, c->y, 1, STYLE_DIM, glyph(c->screen->ascii, GLYPH_TIMES));
	screen_right(c->screen, c->x + 1, c->y, c->width - 1, fabs(ratio - 1.0) < 0.05 ? STYLE_GOOD : STYLE_WARN,
		show_ratio(ratio, text, sizeof text));
}

static void draw_number_of(const struct table_cell *c, enum style style, const char *format, double value)
{
	char text[16] = "-";
	if (isfinite(value))
		snprintf(text, sizeof text, format, value);
	screen_right(c->screen, c->x, c->y, c->width, style, text);
}

static void draw_quality(const struct table_cell *c)
{
	draw_number_of(c, STYLE_TEXT, "%.3f", lane_of(c)->quality);
}

static void draw_entropy(const struct table_cell *c)
{
	draw_number_of(c, style_heat(lane_of(c)->entropy), "%.2f", lane_of(c)->entropy);
}

static void draw_steps(const struct table_cell *c)
{
	draw_number_of(c, STYLE_DIM, "%.0f", (double)lane_of(c)->steps);
}

// ---- what rows are sorted and filtered by -----------------------------------------------------------------------------

static double number_value(const void *context, int row)
{
	return lane_at(context, row)->number;
}

static const char *name_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return lane_at(context, row)->name;
}

static double quality_value(const void *context, int row)
{
	return lane_at(context, row)->quality;
}

static double entropy_value(const void *context, int row)
{
	return lane_at(context, row)->entropy;
}

// ---- the table --------------------------------------------------------------------------------------------------------

enum {
	COLUMN_MARK,
	COLUMN_NUMBER,
	COLUMN_NAME,
	COLUMN_NOW,
	COLUMN_RATIO,
	COLUMN_QUALITY,
	COLUMN_ENTROPY,
	COLUMN_SAMPLED,
	COLUMN_STEPS,
	COLUMNS
};

static const struct table_column lane_column[COLUMNS] = {
	[COLUMN_MARK] = {.head = "", .fixed = true, .draw = draw_mark, .least = 2, .ideal = 2},
	[COLUMN_NUMBER] = {.head = "lane",
		.right = true,
		.fixed = true,
		.name = "lane",
		.draw = draw_number,
		.value = number_value,
		.least = 4,
		.ideal = 4},
	[COLUMN_NAME] = {.head = "target", .name = "target", .draw = draw_name, .text = name_text, .least = 9, .ideal = 16},
	[COLUMN_NOW] = {.head = "now", .right = true, .draw = draw_now, .least = 5, .ideal = 6},
	[COLUMN_RATIO] = {.head = "ratio",
		.right = true,
		.name = "ratio",
		.draw = draw_ratio,
		.value = ratio_of,
		.least = 5,
		.ideal = 5,
		.rank = 1},
	[COLUMN_QUALITY] = {.head = "quality",
		.right = true,
		.name = "quality",
		.draw = draw_quality,
		.value = quality_value,
		.least = 7,
		.ideal = 7,
		.rank = 2},
	[COLUMN_ENTROPY] = {.head = "entr",
		.right = true,
		.name = "entropy",
		.draw = draw_entropy,
		.value = entropy_value,
		.least = 4,
		.ideal = 4,
		.rank = 3},
	[COLUMN_SAMPLED] = {.head = "sampled", .right = true, .draw = draw_sampled, .least = 7, .ideal = 7, .rank = 5},
	[COLUMN_STEPS] = {.head = "steps", .right = true, .draw = draw_steps, .least = 5, .ideal = 6, .rank = 4},
};

static struct table_source source_of(const struct scene *scene)
{
	return (struct table_source){.context = scene,
		.rows = scene->snapshot->lanes,
		.column = lane_column,
		.columns = COLUMNS,
		.hand = scene->lane,
		.cursor = scene->focus == &view_lanes};
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct lanes *lanes = own;
	struct rect r = item->pane[0];
	scene->lane = scene->lane < scene->snapshot->lanes ? scene->lane : scene->snapshot->lanes - 1;
	struct table_source src = source_of(scene);
	char title[ENGINE_NAME * 2];
	table_draw(&lanes->table, &src, s, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2});
	table_title(&lanes->table, "Lanes", title, sizeof title);
	size_t at = strlen(title);
	if (scene->term < scene->snapshot->terms)
		snprintf(title + at, sizeof title - at, ": %s", scene->snapshot->term[scene->term].name);
	screen_box(s, r, title);
	draw_table_hints(scene, s, r, &lanes->table, &view_lanes);
}

// One lane has no need of it.
static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->snapshot->lanes > 1;
	item->rows = 1 + scene->snapshot->lanes;
	item->least = 1;
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct table_source src = source_of(scene);
	int to = table_move(&((struct lanes *)own)->table, &src, m, page);
	scene->lane = to >= 0 ? to : scene->lane;
}

static bool select_lane(void *own, struct scene *scene, const char *name)
{
	(void)own;
	for (int i = 0; i < scene->snapshot->lanes; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", scene->snapshot->lane[i].number);
		if (strcmp(number, name) == 0) {
			scene->lane = i;
			return true;
		}
	}
	return false;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)pane;
	(void)x;
	int row = table_at(&((struct lanes *)own)->table, y - 1);
	scene->lane = row >= 0 ? row : scene->lane;
	return row >= 0;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	struct lanes *lanes = own;
	struct table_source src = source_of(scene);
	if (!act(&lanes->table, &src, text, f))
		return false;
	int hand = table_hand(&lanes->table, &src);
	scene->lane = hand >= 0 ? hand : scene->lane;
	return true;
}

static void end(void *own)
{
	table_free(&((struct lanes *)own)->table);
}

static void forget(void *own)
{
	table_forget(&((struct lanes *)own)->table);
}

static bool open_lane(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	const struct snapshot *now = scene->snapshot;
	if (now->lanes < 1)
		return false;
	string_add(line, "lane focus %d", now->lane[scene->lane < now->lanes ? scene->lane : now->lanes - 1].number);
	return true;
}

const struct view_ops view_lanes = {
	.name = "lanes",
	.title = "lanes and their targets, where there are several",
	.place = LAYOUT_TABLE,
	.key = '5',
	.own = sizeof(struct lanes),
	.end = end,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_lane,
	.click = click,
	.table = act_on_table,
	.open = open_lane,
};
