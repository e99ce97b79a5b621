// SPDX-License-Identifier: GPL-3.0-or-later
// The slots of the architecture, if the network's description leaves any open, or those of a job on a machine: which option each has, and how sure the policy is of it. The
// keys that edit and pin layers act on the slot in hand while this view is in focus.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/names.h"
#include "ui/show.h"
#include "ui/table.h"
#include "ui/views/views.h"

enum { NAME_IDEAL = 20, OPTIONS_MOST = 44, GROUP_MOST = 12, ROWS_IN_FOCUS = 5 };

struct slots {
	struct table table;
	struct names *names; // of `of`'s slots; NULL: not made yet
	const struct slot_info *of;
};

struct shown {
	const struct scene *scene;
	const struct names *names; // NULL: there was no memory for them
	bool marks;                // some rows are marked
	char draft[DRAFT_WORD + 1];
};

static const struct scene *scene_at(const void *context)
{
	return ((const struct shown *)context)->scene;
}

static int slot_at(const void *context, int row)
{
	return scene_at(context)->snapshot->info->formats + row;
}

static const struct slot_info *info_at(const void *context, int row)
{
	return &scene_at(context)->snapshot->info->slot[slot_at(context, row)];
}

static const struct slot_state *state_at(const void *context, int row)
{
	return &scene_at(context)->snapshot->slot[slot_at(context, row)];
}

static bool rests_at(const void *context, int row)
{
	return slot_rests(scene_at(context), slot_at(context, row));
}

static const char *option_at(const void *context, int row, bool draft)
{
	const struct option_info *o = slot_option_shown(scene_at(context), slot_at(context, row), draft);
	return o ? o->name : "-";
}

// ---- one function per column ------------------------------------------------------------------------------------------

static void draw_mark(const struct table_cell *c)
{
	enum glyph left = slot_restriction(scene_at(c->context)->snapshot, slot_at(c->context, c->row));
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
	if (left != GLYPH_COUNT)
		screen_put(c->screen, c->x + 1, c->y, 1, STYLE_PIN, glyph(c->screen->ascii, left));
	if (c->marked)
		screen_put(c->screen, c->x + 2, c->y, 1, STYLE_MARK, glyph(c->screen->ascii, GLYPH_MARKED));
}

static void draw_name(const struct table_cell *c)
{
	char text[ENGINE_NAME * 2];
	const struct names *names = ((const struct shown *)c->context)->names;
	enum style style = c->in_hand ? STYLE_STRONG : rests_at(c->context, c->row) ? STYLE_DIM : STYLE_TEXT;
	screen_tail(c->screen, c->x, c->y, c->width, style,
		names ? names_fit(names, c->row, c->width, text, sizeof text) : info_at(c->context, c->row)->name);
}

static const char *group_text(const void *context, int row, char *buf, size_t size)
{
	int g = state_at(context, row)->group;
	snprintf(buf, size, "%s", g >= 0 ? scene_at(context)->snapshot->group[g].name : "");
	return buf;
}

static void draw_group(const struct table_cell *c)
{
	char text[ENGINE_NAME];
	screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM, group_text(c->context, c->row, text, sizeof text));
}

static void draw_option(const struct table_cell *c)
{
	bool rests = rests_at(c->context, c->row);
	screen_fit(c->screen, c->x, c->y, c->width, rests ? STYLE_DIM : STYLE_MAIN,
		rests ? REST_WORD : option_at(c->context, c->row, false));
}

static void draw_draft(const struct table_cell *c)
{
	const char *now = option_at(c->context, c->row, false), *draft = option_at(c->context, c->row, true);
	bool changed = strcmp(now, draft) != 0;
	if (changed)
		screen_put(c->screen, c->x, c->y, 1, STYLE_DRAFT, glyph(c->screen->ascii, GLYPH_ARROW));
	screen_fit(c->screen, c->x + 1, c->y, c->width - 1, changed ? STYLE_DRAFT : STYLE_DIM, draft);
}

// Every option by its name, with a bar behind it as high as it is likely: "3▁ 5▁ 7█".
static int options_width(const struct slot_info *info)
{
	int width = 0;
	for (int o = 0; o < info->options; o++)
		width += screen_width(info->option[o].name) + 2;
	return width - 1;
}

static void draw_bar(const struct table_cell *c, int x, double p, bool allowed, bool rests)
{
	enum style style = style_heat(p);
	int level = (int)style - STYLE_HEAT; // heights and colours on one scale
	if (!allowed)
		screen_put(c->screen, x, c->y, 1, STYLE_TRACK, glyph(c->screen->ascii, GLYPH_MASKED));
	else
		screen_put(c->screen, x, c->y, 1, rests ? STYLE_DIM : style, glyph_ramp(c->screen->ascii, level > 0 ? level : 1));
}

static void draw_policy(const struct table_cell *c)
{
	const struct slot_info *info = info_at(c->context, c->row);
	const struct slot_state *state = state_at(c->context, c->row);
	const bool rests = rests_at(c->context, c->row), named = options_width(info) <= c->width;
	int x = c->x, end = c->x + c->width;
	for (int o = 0; o < info->options && x < end; o++) {
		bool allowed = state->allowed >> o & 1;
		if (named)
			x += screen_put(c->screen, x, c->y, end - x, allowed && !rests ? STYLE_TEXT : STYLE_DIM,
				info->option[o].name);
		draw_bar(c, x, (double)state->probability[o], allowed, rests);
		x += named ? 2 : 1;
	}
}

// ---- what rows are sorted and filtered by -----------------------------------------------------------------------------

static const char *name_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return info_at(context, row)->name;
}

static const char *kind_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return info_at(context, row)->kind;
}

static const char *option_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return rests_at(context, row) ? REST_WORD : option_at(context, row, false);
}

static double sure_of(const void *context, int row)
{
	const struct slot_state *s = state_at(context, row);
	return (double)s->probability[s->modal];
}

static double pinned_of(const void *context, int row)
{
	return slot_restriction(scene_at(context)->snapshot, slot_at(context, row)) == GLYPH_PINNED;
}

// ---- the table --------------------------------------------------------------------------------------------------------

enum { MARK, NAME, GROUP, OPTION, DRAFT, POLICY, KIND, COLUMNS };

// Widths are measured while drawing. The last one is never shown: it can be named.
static const struct table_column slot_column[COLUMNS] = {
	[MARK] = {.head = "", .fixed = true, .name = "pinned", .draw = draw_mark, .value = pinned_of},
	[NAME] = {.head = "slot", .fixed = true, .name = "slot", .draw = draw_name, .text = name_text},
	[GROUP] = {.head = "group", .name = "group", .draw = draw_group, .text = group_text},
	[OPTION] = {.head = "now", .name = "option", .draw = draw_option, .text = option_text},
	[DRAFT] = {.head = " draft", .draw = draw_draft},
	[POLICY] = {.head = "options", .name = "sure", .draw = draw_policy, .value = sure_of},
	[KIND] = {.name = "kind", .text = kind_text},
};

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static void room(struct table_column *c, int least, int ideal, int rank)
{
	c->least = least;
	c->ideal = ideal;
	c->rank = rank;
}

static void measure_columns(const struct shown *shown, struct table_column *c)
{
	const struct snapshot *snap = shown->scene->snapshot;
	const struct engine_info *info = snap->info;
	int name = NAME_IDEAL, least = NAME_IDEAL, option = 3, policy = 1, bars = 1, group = 0;
	for (int i = info->formats; i < info->slots; i++) {
		policy = larger(policy, options_width(&info->slot[i]));
		bars = larger(bars, info->slot[i].options);
		for (int o = 0; o < info->slot[i].options; o++)
			option = larger(option, screen_width(info->slot[i].option[o].name));
		option = larger(option, info->slot[i].owner >= 0 ? screen_width(REST_WORD) : 0);
		if (snap->slot[i].group >= 0)
			group = larger(5,
				smaller(GROUP_MOST, larger(group, screen_width(snap->group[snap->slot[i].group].name))));
	}
	if (shown->names) {
		least = larger(4, smaller(NAME_IDEAL, names_words(shown->names)));
		name = larger(least, names_width(shown->names, NAME_IDEAL));
	}
	room(&c[MARK], 2 + shown->marks, 2 + shown->marks, 0);
	room(&c[NAME], name < 12 ? name : least, name, 0);
	room(&c[GROUP], group, group, 0);
	room(&c[OPTION], option, option, 0);
	room(&c[DRAFT], shown->scene->draft ? larger(option + 1, 6) : 0, option + 1, 0);
	room(&c[POLICY], bars, smaller(policy, OPTIONS_MOST), 0);
}

static const char *slot_name(const void *context, int i)
{
	const struct engine_info *info = context;
	return info->slot[info->formats + i].name;
}

static int rows_of(const struct scene *scene)
{
	const struct engine_info *info = scene->snapshot->info;
	return info ? info->slots - info->formats : 0;
}

// What the table is made of now; `column` has room for COLUMNS.
static struct table_source source_of(struct slots *own, const struct scene *scene, struct shown *shown,
	struct table_column *column)
{
	const struct engine_info *info = scene->snapshot->info;
	if (own->of != info->slot) {
		names_free(own->names);
		own->names = names_new(slot_name, info, rows_of(scene));
		own->of = own->names ? info->slot : NULL;
	}
	*shown = (struct shown){.scene = scene, .names = own->names, .marks = own->table.marks > 0};
	memcpy(column, slot_column, sizeof slot_column);
	shown->draft[0] = ' ';
	draft_word(scene, shown->draft + 1);
	column[DRAFT].head = shown->draft;
	measure_columns(shown, column);
	return (struct table_source){.context = shown,
		.rows = rows_of(scene),
		.column = column,
		.columns = COLUMNS,
		.hand = scene->slot,
		.cursor = scene->focus == &view_slots};
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct slots *slots = own;
	struct rect r = item->pane[0];
	struct shown shown;
	struct table_column column[COLUMNS];
	scene->slot = smaller(scene->slot, rows_of(scene) - 1);
	struct table_source src = source_of(slots, scene, &shown, column);
	char title[128];
	table_draw(&slots->table, &src, s, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2});
	screen_box(s, r,
		table_title(&slots->table, scene->snapshot->info->layers ? "Architecture" : "Choices", title, sizeof title));
	draw_table_hints(scene, s, r, &slots->table, &view_slots);
}

// A network without choices has no need of it; where nothing has layers, it is the main table. On a low screen it takes room from the layers while a person is in it.
static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && rows_of(scene) > 0;
	if (item->wanted && scene->snapshot->info->layers == 0)
		item->place = LAYOUT_MAIN;
	item->rows = 1 + rows_of(scene);
	item->least = scene->focus == &view_slots ? ROWS_IN_FOCUS : 1;
}

// ---- what a person does in it -----------------------------------------------------------------------------------------

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(own, scene, &shown, column);
	int to = table_move(&((struct slots *)own)->table, &src, m, page);
	scene->slot = to >= 0 ? to : scene->slot;
}

static bool select_slot(void *own, struct scene *scene, const char *name)
{
	(void)own;
	for (int i = 0; i < rows_of(scene); i++)
		if (strcmp(slot_name(scene->snapshot->info, i), name) == 0) {
			scene->slot = i;
			return true;
		}
	return false;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)pane;
	(void)x;
	int row = table_at(&((struct slots *)own)->table, y - 1);
	scene->slot = row >= 0 ? row : scene->slot;
	return row >= 0;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	struct slots *slots = own;
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(slots, scene, &shown, column);
	if (!act(&slots->table, &src, text, f))
		return false;
	int hand = table_hand(&slots->table, &src);
	scene->slot = hand >= 0 ? hand : scene->slot;
	return true;
}

static void forget(void *own)
{
	struct slots *slots = own;
	names_free(slots->names);
	slots->names = NULL;
	slots->of = NULL;
	table_forget(&slots->table);
}

static void end(void *own)
{
	forget(own);
	table_free(&((struct slots *)own)->table);
}

static bool marked(const void *own, int row)
{
	return table_marked(&((const struct slots *)own)->table, row);
}

static bool open_slot(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	const struct snapshot *now = scene->snapshot;
	const int slot = now->info->formats + scene->slot;
	char word[SLOT_WORD];
	if (slot >= now->slots)
		return false;
	string_add(line, "why ");
	words_quote(line, snapshot_word(now, slot, word));
	return true;
}

const struct view_ops view_slots = {
	.name = "slots",
	.title = "choices of the architecture, where there are any",
	.place = LAYOUT_TABLE,
	.key = '6',
	.thing = "slot",
	.own = sizeof(struct slots),
	.end = end,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_slot,
	.click = click,
	.marked = marked,
	.table = act_on_table,
	.open = open_slot,
};
