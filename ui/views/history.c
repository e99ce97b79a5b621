// SPDX-License-Identifier: GPL-3.0-or-later
// The history of a search: layers down, steps across, in each place the modal format. A cursor stands at a step; beside it stands the
// choice of that step, and below it what it cost and what was changed there. All of it comes from the records of the steps.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/show.h"
#include "ui/views/views.h"

enum { NAME_MOST = 16, CHOICE_WIDTH = 12, FOOT = 3, WORD = 64 };

struct history {
	long step;    // where the cursor is; 0: at the newest, whatever that is
	int row, top; // in hand; the first that is shown
	int columns;  // of the last drawing
	int rows;
};

// ---- what is shown -------------------------------------------------------------------------------------------------------

// The slot of a row: a layer's weights, or a slot of the architecture; -1: there are no more rows.
static int slot_of(const struct engine_info *info, int row)
{
	for (int i = 0; i < info->slots; i++)
		if (!engine_second_half(info, i) && row-- == 0)
			return i;
	return -1;
}

static int rows_of(const struct engine_info *info)
{
	int rows = 0;
	for (int i = 0; i < info->slots; i++)
		rows += !engine_second_half(info, i);
	return rows;
}

static long records_of(const struct scene *scene)
{
	return scene->source && scene->source->modal ? scene->source->records : 0;
}

// The record of the step where the cursor is.
static long record_at(const struct history *h, const struct scene *scene)
{
	long n = records_of(scene), to = h->step && n ? figure_records_to(scene->source, h->step) : n;
	return !h->step ? n - 1 : to > 0 ? to - 1 : 0;
}

static int option_at(const struct scene *scene, long record, int slot)
{
	return scene->source->modal[(size_t)record * (size_t)scene->snapshot->info->slots + (size_t)slot];
}

// The column in which a record is drawn.
static int column_of(long records, int columns, long record)
{
	int column = records <= columns ? (int)record : (int)((double)record * columns / (double)records);
	while (column + 1 < columns && column + 1 < records && figure_record_of(records, columns, column) < record)
		column++;
	while (column > 0 && figure_record_of(records, columns, column - 1) >= record)
		column--;
	return column;
}

// ---- drawing -------------------------------------------------------------------------------------------------------------

static enum style option_style(const struct slot_info *d, int option)
{
	int levels = d->options > 1 ? d->options - 1 : 1;
	return (enum style)(STYLE_FORMAT + option * (FORMAT_LEVELS - 1) / levels);
}

// A digit where a stretch begins, else a bar as tall as the option is far from the smallest.
static uint32_t option_glyph(const struct slot_info *d, int option, bool begins, bool ascii)
{
	const char *name = d->option[option].name, *digit = strpbrk(name, "0123456789");
	if (begins || ascii)
		return (unsigned char)(digit ? *digit : name[0]);
	return 0x2581 + (uint32_t)(option * 6 / (d->options > 1 ? d->options - 1 : 1));
}

static void draw_row(const struct history *h, const struct scene *scene, struct screen *s, struct rect r, int names, int row,
	int y)
{
	const struct engine_info *info = scene->snapshot->info;
	int slot = slot_of(info, row), before = -1;
	long n = records_of(scene), at = record_at(h, scene);
	const struct slot_info *d = &info->slot[slot];
	int cursor = column_of(n, h->columns, at);
	if (row == h->row)
		screen_put(s, r.x, y, 1, STYLE_STRONG, glyph(s->ascii, GLYPH_CURSOR));
	screen_fit(s, r.x + 2, y, names, STYLE_TEXT, slot < info->formats ? info->layer[d->layer].name : d->name);
	for (int c = 0; c < h->columns && c < n; c++) {
		int option = option_at(scene, figure_record_of(n, h->columns, c), slot);
		if (option < d->options) {
			screen_glyph(s, r.x + names + 3 + c, y, option_style(d, option),
				option_glyph(d, option, option != before, s->ascii));
			if (c == cursor)
				screen_light(s, r.x + names + 3 + c, y, 1);
		}
		before = option;
	}
	int option = option_at(scene, at, slot), other = slot;
	if (engine_second_half(info, slot + 1))
		other = slot + 1;
	char text[WORD];
	const char *first = d->option[option < d->options ? option : 0].name;
	const char *second = info->slot[other].option[option_at(scene, at, other)].name;
	snprintf(text, sizeof text, strcmp(first, second) ? "%s/%s" : "%s", first, second);
	screen_fit(s, r.x + r.width - CHOICE_WIDTH, y, CHOICE_WIDTH, option_style(d, option), text);
}

// A row with a sign for each change, and the step of the cursor.
static void draw_marks(const struct history *h, const struct scene *scene, struct screen *s, struct rect r, int names, int y)
{
	const struct figure_source *source = scene->source;
	long n = records_of(scene), at = record_at(h, scene);
	int x = r.x + names + 3;
	for (int m = 0; m < source->marks; m++) {
		struct history there = {.step = source->mark[m].step};
		screen_put(s, x + column_of(n, h->columns, record_at(&there, scene)), y, 1, STYLE_MARK, s->ascii ? "|" : "┊");
	}
	screen_put(s, x + column_of(n, h->columns, at), y, 1, STYLE_STRONG, s->ascii ? "^" : "▴");
}

// What the step cost and gave, and the change that is nearest before the cursor's next column.
static void draw_foot(const struct history *h, const struct scene *scene, struct screen *s, struct rect r, int y)
{
	const struct figure_source *source = scene->source;
	const struct record *now = &source->record[record_at(h, scene)];
	const struct mark *mark = NULL;
	char text[256], amount[16] = "-";
	int term = scene->term < scene->snapshot->terms ? scene->term : 0;
	if (scene->snapshot->terms)
		show_amount((double)now->modal_cost[term], scene->snapshot->term[term].symbol, amount, sizeof amount);
	snprintf(text, sizeof text, "step %ld: %s %s, loss %.3f, accuracy %.1f %%", now->step,
		scene->snapshot->terms ? scene->snapshot->term[term].name : "cost", amount, (double)now->loss,
		100 * (double)now->accuracy);
	screen_fit(s, r.x, y, r.width, STYLE_TEXT, text);
	for (int m = 0; m < source->marks && source->mark[m].step <= now->step; m++)
		mark = &source->mark[m];
	if (mark)
		snprintf(text, sizeof text, "changed last at step %ld: %s", mark->step, mark->text);
	else
		snprintf(text, sizeof text, "nothing was changed until here");
	screen_fit(s, r.x, y + 1, r.width, STYLE_DIM, text);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct history *h = own;
	struct rect box = item->pane[0], r = {box.x + 1, box.y + 1, box.width - 2, box.height - 2};
	const struct engine_info *info = scene->snapshot->info;
	screen_box(s, box, "History: the modal choice at each step; Esc shows it in the panes");
	if (!info || records_of(scene) < 1) {
		screen_fit(s, r.x, r.y, r.width, STYLE_DIM, "it begins with the first step");
		return;
	}
	int names = 0, rows = rows_of(info), shown = r.height - FOOT;
	for (int row = 0; row < rows; row++) {
		int slot = slot_of(info, row);
		int width = screen_width(slot < info->formats ? info->layer[info->slot[slot].layer].name : info->slot[slot].name);
		names = width > names ? width : names;
	}
	names = names < NAME_MOST ? names : NAME_MOST;
	h->rows = rows;
	h->columns = r.width - names - 3 - CHOICE_WIDTH - 1;
	h->columns = h->columns < 1 ? 1 : h->columns;
	h->row = h->row < rows ? h->row : rows - 1;
	if (h->row < h->top || h->row >= h->top + shown)
		h->top = h->row < h->top ? h->row : h->row - shown + 1;
	int drawn = rows - h->top < shown ? rows - h->top : shown;
	for (int i = 0; i < drawn; i++)
		draw_row(h, scene, s, r, names, h->top + i, r.y + i);
	draw_marks(h, scene, s, r, names, r.y + drawn);
	draw_foot(h, scene, s, r, r.y + r.height - 2);
	scene->step = scene->source->record[record_at(h, scene)].step;
	scene->past = h->step ? scene->step : 0;
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->focus == &view_history;
}

// ---- what a person does in it ----------------------------------------------------------------------------------------------

// To the change before or after.
static long mark_beside(const struct scene *scene, long step, bool after)
{
	const struct figure_source *source = scene->source;
	long found = step;
	for (int m = 0; m < source->marks; m++) {
		long at = source->mark[m].step;
		if (after ? at > step && (found == step || at < found) : at < step && (found == step || at > found))
			found = at;
	}
	return found;
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct history *h = own;
	long n = records_of(scene);
	(void)page;
	if (n < 1 || !scene->snapshot->info)
		return;
	if (m == MOTION_UP || m == MOTION_DOWN) {
		h->row = motion_to(m, h->row, rows_of(scene->snapshot->info), 1);
		return;
	}
	long at = record_at(h, scene), one = h->columns > 0 && n > h->columns ? n / h->columns : 1;
	if (m == MOTION_PAGE_UP || m == MOTION_PAGE_DOWN) {
		long step = mark_beside(scene, scene->source->record[at].step, m == MOTION_PAGE_DOWN);
		h->step = step > 0 ? step : scene->source->record[0].step; // a change at step 0 comes before the first record
		return;
	}
	at = m == MOTION_LEFT ? at - one : m == MOTION_RIGHT || m == MOTION_NEXT ? at + one : m == MOTION_FIRST ? 0 : n - 1;
	at = at < 0 ? 0 : at;
	h->step = at >= n - 1 ? 0 : scene->source->record[at].step;
}

static bool select_step(void *own, struct scene *scene, const char *name)
{
	struct history *h = own;
	long step;
	char end;
	if (records_of(scene) < 1 || sscanf(name, "%18ld%c", &step, &end) != 1 || step < 1 ||
		step > scene->source->record[records_of(scene) - 1].step)
		return false;
	h->step = step;
	return true;
}

static bool enter(void *own, const struct scene *scene, struct fault *f)
{
	(void)own;
	return records_of(scene) > 0 || fault_set(f, "history", "press Space to run", "it begins with the first step");
}

// A session that goes on from there.
static bool open_step(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	char name[512];
	snprintf(name, sizeof name, "%.400s@%ld", scene->session, scene->step);
	string_add(line, "fork %ld as ", scene->step);
	words_quote(line, name);
	return scene->step > 0;
}

static const char *const teach[] = {"move left", "move page-up", "hand difference", "open", "rewind {step}", NULL};

static void forget(void *own)
{
	*(struct history *)own = (struct history){0};
}

const struct view_ops view_history = {
	.name = "history",
	.title = "the modal choice at each step, and what was changed there",
	.place = LAYOUT_ALONE,
	.key = ' ',
	.thing = "step",
	.own = sizeof(struct history),
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_step,
	.open = open_step,
	.enter = enter,
	.teach = teach,
};
