// SPDX-License-Identifier: GPL-3.0-or-later
// The page of a point of the front: how good it is and how that is known, what it costs on all terms, and its choice beside the modal one or
// another point's, layer by layer.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "ui/show.h"
#include "ui/views/views.h"

struct page {
	struct table table;
	int hand;
	int above; // lines above the table, as drawn last
};

// Rows are the layers, then the slots of the architecture.
struct shown {
	const struct scene *scene;
	const struct front_point *point, *other; // other NULL: the modal choice
	int hand;
};

static int slots_of(const struct engine_info *info, int row, int slot[2])
{
	if (row >= info->layers) {
		slot[0] = info->formats + row - info->layers;
		return 1;
	}
	slot[0] = info->layer[row].weight_slot;
	slot[1] = info->layer[row].activation_slot;
	return 2;
}

static int rows_of(const struct engine_info *info)
{
	return info->layers + info->slots - info->formats;
}

static int option_of(const struct shown *s, bool other, int slot)
{
	const struct front_point *p = other ? s->other : s->point;
	return p && p->choice ? p->choice[slot] : s->scene->snapshot->slot[slot].modal;
}

static bool differs(const struct shown *s, int row)
{
	int slot[2], n = slots_of(s->scene->snapshot->info, row, slot);
	for (int i = 0; i < n; i++)
		if (option_of(s, false, slot[i]) != option_of(s, true, slot[i]))
			return true;
	return false;
}

// "int4", or "int4/int8" where weights and input differ.
static const char *option_text(const struct shown *s, bool other, int row, char *buf, size_t size)
{
	const struct engine_info *info = s->scene->snapshot->info;
	int slot[2] = {0}, n = slots_of(info, row, slot);
	const char *name[2] = {"", ""};
	for (int i = 0; i < n; i++)
		name[i] = info->slot[slot[i]].option[option_of(s, other, slot[i])].name;
	bool one = n == 1 || strcmp(name[0], name[1]) == 0;
	snprintf(buf, size, "%s%s%s", name[0], one ? "" : "/", one ? "" : name[1]);
	return buf;
}

static const char *name_text(const void *context, int row, char *buf, size_t size)
{
	const struct engine_info *info = ((const struct shown *)context)->scene->snapshot->info;
	char word[SLOT_WORD];
	if (row < info->layers)
		snprintf(buf, size, "%s", info->layer[row].name);
	else
		snprintf(buf, size, "%s", engine_slot_name(info, info->formats + row - info->layers, word));
	return buf;
}

static const char *its_text(const void *context, int row, char *buf, size_t size)
{
	return option_text(context, false, row, buf, size);
}

static const char *other_text(const void *context, int row, char *buf, size_t size)
{
	return option_text(context, true, row, buf, size);
}

static double bits_of(const struct shown *s, bool other, int row)
{
	const struct engine_info *info = s->scene->snapshot->info;
	int slot[2] = {0};
	slots_of(info, row, slot);
	return info->slot[slot[0]].option[option_of(s, other, slot[0])].bits;
}

static double change_of(const void *context, int row)
{
	const struct shown *s = context;
	return row < s->scene->snapshot->info->layers ? bits_of(s, false, row) - bits_of(s, true, row) : (double)NAN;
}

// What the additive model says of its options, beyond the modal ones; NAN: nothing.
static double worth_of(const void *context, int row)
{
	const struct shown *s = context;
	const struct snapshot *now = s->scene->snapshot;
	int slot[2] = {0}, n = slots_of(now->info, row, slot);
	double worth = 0;
	for (int i = 0; i < n; i++)
		if (i == 0 || now->slot[slot[1]].decision != now->slot[slot[0]].decision)
			worth += (double)now->slot[slot[i]].worth[option_of(s, false, slot[i])];
	return worth;
}

static const char *differs_text(const void *context, int row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", differs(context, row) ? "differs" : "same");
	return buf;
}

static void draw_mark(const struct table_cell *c)
{
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
	if (differs(c->context, c->row))
		screen_put(c->screen, c->x + 1, c->y, 1, STYLE_DRAFT, "*");
}

static void draw_its(const struct table_cell *c)
{
	char text[48];
	const struct shown *s = c->context;
	option_text(s, false, c->row, text, sizeof text);
	enum style style = differs(s, c->row) ? STYLE_STRONG : STYLE_TEXT;
	screen_fit(c->screen, c->x, c->y, c->width, style, text);
}

static void draw_other(const struct table_cell *c)
{
	char text[48];
	const struct shown *s = c->context;
	if (!differs(s, c->row)) {
		screen_put(c->screen, c->x, c->y, 1, STYLE_DIM, glyph(c->screen->ascii, GLYPH_MASKED));
		return;
	}
	screen_fit(c->screen, c->x, c->y, c->width, STYLE_DRAFT, option_text(s, true, c->row, text, sizeof text));
}

static void draw_change(const struct table_cell *c)
{
	char text[16];
	double change = change_of(c->context, c->row);
	if (!isfinite(change) || change == 0)
		return;
	snprintf(text, sizeof text, "%+.0f", change);
	screen_right(c->screen, c->x, c->y, c->width, STYLE_TEXT, text);
}

static void draw_worth(const struct table_cell *c)
{
	char text[16];
	double worth = worth_of(c->context, c->row);
	if (!isfinite(worth) || worth == 0)
		return;
	snprintf(text, sizeof text, "%+.4f", worth);
	screen_right(c->screen, c->x, c->y, c->width, STYLE_DIM, text);
}

enum { MARK, NAME, ITS, OTHER, CHANGE, WORTH, DIFFERS, COLUMNS };

static struct table_source source_of(const struct shown *s, struct table_column *column)
{
	const struct engine_info *info = s->scene->snapshot->info;
	static const struct table_column all[COLUMNS] = {
		[MARK] = {.head = "", .fixed = true, .least = 2, .ideal = 2, .draw = draw_mark},
		[NAME] = {.head = "layer", .name = "layer", .fixed = true, .text = name_text},
		[ITS] = {.head = "point", .name = "point", .least = 9, .ideal = 14, .draw = draw_its, .text = its_text},
		[OTHER] = {.name = "other", .head = "other", .least = 9, .ideal = 14, .draw = draw_other, .text = other_text},
		[CHANGE] = {.head = "bits",
			.name = "bits",
			.right = true,
			.least = 4,
			.ideal = 4,
			.rank = 2,
			.draw = draw_change,
			.value = change_of},
		[WORTH] = {.head = "worth",
			.name = "worth",
			.right = true,
			.least = 7,
			.ideal = 7,
			.rank = 1,
			.draw = draw_worth,
			.value = worth_of},
		[DIFFERS] = {.name = "differs", .text = differs_text},
	};
	memcpy(column, all, sizeof all);
	int widest = 5;
	char name[ENGINE_NAME];
	for (int i = 0; i < rows_of(info); i++) {
		int w = screen_width(name_text(s, i, name, sizeof name));
		widest = w > widest ? w : widest;
	}
	column[NAME].least = widest < 24 ? widest : 24;
	column[NAME].ideal = widest;
	column[OTHER].head = s->other ? "marked" : "modal";
	return (struct table_source){
		.context = s, .rows = rows_of(info), .column = column, .columns = COLUMNS, .hand = s->hand, .cursor = true};
}

static struct shown shown_of(const struct page *page, const struct scene *scene)
{
	const struct snapshot *now = scene->snapshot;
	const int hand = point_index(scene, &scene->point.hand);
	const int mark = scene->point.against ? point_index(scene, &scene->point.mark) : -1;
	return (struct shown){scene, hand >= 0 ? &now->point[hand] : NULL, mark >= 0 ? &now->point[mark] : NULL, page->hand};
}

// ---- the lines above ----------------------------------------------------------------------------------------------------

static void add_quality(const struct snapshot *now, const struct front_point *p, struct string *t)
{
	const long images = snapshot_images(now);
	string_add(t, "accuracy %s%.2f", now->estimated[0] ? "~" : "", 100 * p->accuracy);
	if (images > 0)
		string_add(t, " +- %.2f %% on %ld held-out images", 100 * snapshot_error(now, p), images);
	else
		string_add(t, " %%, %s",
			now->estimated[0]               ? "estimated, not measured"
				: now->info->command[0] ? "as the command says"
							: "on images that are not known");
	if (isfinite(p->loss))
		string_add(t, ", loss %.4f", p->loss);
	if (p->trained)
		string_add(t, ", %.2f %% on the test images", 100 * p->test);
	if (p->trained)
		string_add(t, "; a copy of the weights was trained on it for %ld steps, from step %ld", p->trained, p->step);
	else
		string_add(t, "; by the shared weights of step %ld", p->step);
	string_add(t, p->dominated ? "; another point beats it" : "; on the front");
}

static void add_costs(const struct shown *s, struct string *t)
{
	const struct snapshot *now = s->scene->snapshot;
	for (int k = 0; k < now->terms; k++) {
		char text[ENGINE_TEXT];
		double cost = s->point->cost[k], than = s->other ? s->other->cost[k] : now->term[k].modal;
		if (!isfinite(cost))
			continue;
		string_add(t, "%s%s %s", t->length ? "; " : "", now->term[k].name,
			number_brief(cost, now->term[k].brief, text, sizeof text));
		if (than > 0)
			string_add(t, " (%+.1f %%)", 100 * (cost / than - 1));
	}
}

// What came of training the choice alone, with the difference from the point's own figure and the error that its images leave.
static void add_alone(const struct shown *s, struct string *t)
{
	const struct figure_source *source = s->scene->source;
	const struct engine_info *info = s->scene->snapshot->info;
	for (int i = 0; source && i < source->alones; i++) {
		const struct trained_alone *a = &source->alone[i];
		bool same = s->point->choice != NULL;
		for (int k = 0; same && k < info->slots; k++)
			same = a->choice[k] == s->point->choice[k] || engine_rests(info, k, s->point->choice);
		if (!same)
			continue;
		string_add(t, "%sTrained alone from nothing, %ld steps: ", t->length ? " " : "", a->steps);
		if (a->under_way) {
			string_add(t, "under way in a process of its own.");
			continue;
		}
		string_add(t, "%.2f +- %.2f %% on %ld held-out images, %.2f %% on the test images.", 100 * a->accuracy,
			100 * sqrt(a->accuracy * (1 - a->accuracy) / (double)info->report_images), info->report_images,
			100 * a->test);
	}
}

static int draw_lines(struct screen *s, struct rect r, enum style style, const char *text)
{
	int lines = 0;
	while (*text && lines < r.height) {
		const char *from = text;
		int bytes = (int)screen_break(from, r.width, &text);
		screen_print(s, r.x, r.y + lines++, r.width, style, "%.*s", bytes, from);
	}
	return lines;
}

static void title_of(const struct shown *s, int differ, char *title, size_t size)
{
	const struct snapshot *now = s->scene->snapshot;
	const struct front_point *p = s->point;
	char other[32] = "the modal choice";
	if (s->other)
		snprintf(other, sizeof other, "point %d", (int)(s->other - now->point) + 1);
	snprintf(title, size, "Point %d of %d, %s: %d of %d differ from %s", (int)(p - now->point) + 1, now->points,
		p->label[0] ? p->label : point_origin_word(p->origin), differ, rows_of(now->info), other);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct page *page = own;
	struct shown shown = shown_of(page, scene);
	struct rect r = item->pane[0], in = {r.x + 2, r.y + 1, r.width - 4, r.height - 2};
	struct table_column column[COLUMNS];
	struct string quality = {0}, costs = {0}, alone = {0};
	char title[160];
	int differ = 0;
	if (!shown.point)
		return;
	for (int i = 0; i < rows_of(scene->snapshot->info); i++)
		differ += differs(&shown, i);
	add_quality(scene->snapshot, shown.point, &quality);
	add_costs(&shown, &costs);
	add_alone(&shown, &alone);
	int lines = draw_lines(s, (struct rect){in.x, in.y, in.width, in.height / 3}, STYLE_TEXT,
		quality.failed ? "" : quality.bytes);
	lines += draw_lines(s, (struct rect){in.x, in.y + lines, in.width, in.height / 3}, STYLE_DIM,
		costs.failed || !costs.bytes ? "" : costs.bytes);
	lines += draw_lines(s, (struct rect){in.x, in.y + lines, in.width, in.height / 3}, STYLE_SECOND,
		alone.failed || !alone.bytes ? "" : alone.bytes);
	page->above = lines;
	struct table_source src = source_of(&shown, column);
	table_draw(&page->table, &src, s, (struct rect){r.x + 1, in.y + lines, r.width - 2, in.height - lines});
	title_of(&shown, differ, title, sizeof title);
	screen_box(s, r, title);
	draw_table_hints(scene, s, r, &page->table, &view_point);
	string_free(&quality);
	string_free(&costs);
	string_free(&alone);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->focus == &view_point && point_index(scene, &scene->point.hand) >= 0;
}

static bool enter(void *own, const struct scene *scene, struct fault *f)
{
	(void)own;
	return point_index(scene, &scene->point.hand) >= 0 ||
		fault_set(f, "point",
			scene->snapshot->points ? "3 goes to the front, j takes a point in hand" : "one is scored before long",
			scene->snapshot->points ? "no point is in hand" : "the front is still empty");
}

// ---- what a person does in it -------------------------------------------------------------------------------------------

static bool layer_under(const struct page *page, const struct scene *scene)
{
	return page->hand < scene->snapshot->info->layers;
}

static void move(void *own, struct scene *scene, enum motion m, int rows)
{
	struct page *page = own;
	struct shown shown = shown_of(page, scene);
	struct table_column column[COLUMNS];
	struct table_source src = source_of(&shown, column);
	int to = table_move(&page->table, &src, m, rows);
	page->hand = to >= 0 ? to : page->hand;
	if (layer_under(page, scene))
		scene->layer = page->hand;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	struct page *page = own;
	(void)pane;
	(void)x;
	int row = table_at(&page->table, y - 1 - page->above);
	page->hand = row >= 0 ? row : page->hand;
	if (row >= 0 && layer_under(page, scene))
		scene->layer = row;
	return row >= 0;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	struct page *page = own;
	struct shown shown = shown_of(page, scene);
	struct table_column column[COLUMNS];
	struct table_source src = source_of(&shown, column);
	if (!act(&page->table, &src, text, f))
		return false;
	int hand = table_hand(&page->table, &src);
	page->hand = hand >= 0 ? hand : page->hand;
	if (layer_under(page, scene))
		scene->layer = page->hand;
	return true;
}

static bool open_row(void *own, const struct scene *scene, struct string *line)
{
	if (!layer_under(own, scene))
		return false;
	string_add(line, "view layer");
	return true;
}

static void end(void *own)
{
	table_free(&((struct page *)own)->table);
}

static void forget(void *own)
{
	struct page *page = own;
	table_forget(&page->table);
	page->hand = 0;
}

static const char *const teach[] = {"hand draft", "hand pin", "hand difference", "hand evaluate", "hand train", NULL};

const struct view_ops view_point = {
	.name = "point",
	.title = "the point of the front in hand: its choice, costs and differences",
	.place = LAYOUT_ALONE,
	.key = ' ',
	.thing = "row",
	.own = sizeof(struct page),
	.end = end,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.click = click,
	.table = act_on_table,
	.open = open_row,
	.enter = enter,
	.teach = teach,
};
