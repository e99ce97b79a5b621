// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/table.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

enum { COLUMNS_MOST = 32, TEXT_MOST = 256 };

void table_free(struct table *t)
{
	free(t->order);
	free(t->line);
	free(t->mark);
	*t = (struct table){0};
}

void table_forget(struct table *t)
{
	struct table kept = {.down = t->down};
	memcpy(kept.sort, t->sort, sizeof kept.sort);
	memcpy(kept.filter, t->filter, sizeof kept.filter);
	memcpy(kept.sought, t->sought, sizeof kept.sought);
	table_free(t);
	*t = kept;
}

static int column_named(const struct table_source *src, const char *name, size_t length)
{
	for (int i = 0; i < src->columns; i++)
		if (src->column[i].name && strlen(src->column[i].name) == length &&
			strncmp(src->column[i].name, name, length) == 0)
			return i;
	return -1;
}

static bool fault_column(const struct table_source *src, const char *name, struct fault *f)
{
	char advice[256] = "there are";
	for (int i = 0; i < src->columns; i++)
		if (src->column[i].name) {
			size_t at = strlen(advice);
			snprintf(advice + at, sizeof advice - at, " %s", src->column[i].name);
		}
	return fault_set(f, name, advice, "is not a column of this table");
}

// ---- cells ----------------------------------------------------------------------------------------------------------

static bool plain(const struct table_source *src, int column)
{
	const struct table_column *c = &src->column[column];
	return src->cell && !c->draw && !c->text && !c->value;
}

// NULL: it has none.
static const char *text_of(const struct table_source *src, int column, int row, char *buf, size_t size)
{
	const struct table_column *c = &src->column[column];
	return c->text ? c->text(src->context, row, buf, size) : plain(src, column) ? src->cell(src->context, row, column) : NULL;
}

static bool has_text(const struct table_source *src, int column)
{
	return src->column[column].text || plain(src, column);
}

static bool has_value(const struct table_source *src, int column)
{
	return src->column[column].value || (plain(src, column) && src->column[column].right);
}

// NAN: it has none.
static double value_of(const struct table_source *src, int column, int row)
{
	const struct table_column *c = &src->column[column];
	if (c->value)
		return c->value(src->context, row);
	const char *text = has_value(src, column) ? src->cell(src->context, row, column) : "";
	char *end;
	double value = strtod(text, &end);
	return end > text ? value : (double)NAN;
}

// ---- filters -------------------------------------------------------------------------------------------------------

// One word of a filter: a comparison or a pattern.
struct condition {
	int column; // -1: any text
	char sign[3];
	double number;
	char word[96];
};

// Takes the next word of a filter; a sign without a column: there is no column of that name. False: there is none.
static bool next_condition(const struct table_source *src, const char **filter, struct condition *c)
{
	*filter += strspn(*filter, " ");
	size_t length = strcspn(*filter, " "), name;
	if (length == 0)
		return false;
	*c = (struct condition){.column = -1};
	snprintf(c->word, sizeof c->word, "%.*s", (int)length, *filter);
	*filter += length;
	name = strcspn(c->word, "<>=");
	size_t sign = strspn(c->word + name, "<>=");
	if (name > 0 && sign > 0 && sign < sizeof c->sign && number_read(c->word + name + sign, &c->number)) {
		memcpy(c->sign, c->word + name, sign);
		c->column = column_named(src, c->word, name);
	}
	return true;
}

static bool compares(double value, const char *sign, double number)
{
	for (; *sign; sign++)
		if ((*sign == '<' && value < number) || (*sign == '>' && value > number) || (*sign == '=' && value == number))
			return true;
	return false;
}

static bool holds(const struct table_source *src, const struct condition *c, int row)
{
	if (c->column >= 0) {
		return has_value(src, c->column) && compares(value_of(src, c->column, row), c->sign, c->number);
	}
	bool pattern = strpbrk(c->word, "*?[") != NULL;
	for (int i = 0; i < src->columns; i++) {
		char buf[TEXT_MOST];
		const char *text = text_of(src, i, row, buf, sizeof buf);
		if (text && (pattern ? fnmatch(c->word, text, 0) == 0 : strcasestr(text, c->word) != NULL))
			return true;
	}
	return false;
}

static bool matches(const struct table_source *src, const char *filter, int row)
{
	struct condition c;
	while (next_condition(src, &filter, &c))
		if (!holds(src, &c, row))
			return false;
	return true;
}

static bool passes(const struct table *t, const struct table_source *src, int row)
{
	return (!src->shown || src->shown(src->context, row)) && matches(src, t->filter, row);
}

bool table_filter(struct table *t, const struct table_source *src, const char *filter, struct fault *f)
{
	const char *at = filter;
	struct condition c;
	if (strlen(filter) >= sizeof t->filter)
		return fault_set(f, "filter", "give fewer words", "it is longer than %zu characters", sizeof t->filter - 1);
	while (next_condition(src, &at, &c))
		if (c.sign[0] && (c.column < 0 || !has_value(src, c.column))) {
			c.word[strcspn(c.word, "<>=")] = '\0';
			return fault_column(src, c.word, f);
		}
	snprintf(t->filter, sizeof t->filter, "%s", filter);
	if (filter[0])
		snprintf(t->sought, sizeof t->sought, "%s", filter);
	t->top = 0;
	return true;
}

// ---- order ---------------------------------------------------------------------------------------------------------

struct ordering {
	const struct table_source *src;
	int column;
	bool down;
};

static int by_column(const void *a, const void *b, void *context)
{
	const struct ordering *o = context;
	int x = *(const int *)a, y = *(const int *)b, sign = 0;
	if (has_value(o->src, o->column)) {
		double u = value_of(o->src, o->column, x), v = value_of(o->src, o->column, y);
		if (isnan(u) || isnan(v)) // what has no number comes last, whichever way
			sign = isnan(u) && isnan(v) ? 0 : isnan(u) ? (o->down ? -1 : 1) : (o->down ? 1 : -1);
		else
			sign = (u > v) - (u < v);
	} else {
		char p[TEXT_MOST], q[TEXT_MOST];
		sign = strverscmp(text_of(o->src, o->column, x, p, sizeof p), text_of(o->src, o->column, y, q, sizeof q));
	}
	if (o->down)
		sign = -sign;
	return sign ? sign : (x > y) - (x < y);
}

bool table_filter_is(struct table *t, const struct table_source *src, const char *text, struct fault *f)
{
	(void)src, (void)text;
	snprintf(f->what, sizeof f->what, "%s", t->filter);
	return true;
}

bool table_sort(struct table *t, const struct table_source *src, const char *column, struct fault *f)
{
	int i = column_named(src, column, strlen(column));
	if (column[0] && (i < 0 || !(has_value(src, i) || has_text(src, i))))
		return fault_column(src, column, f);
	if (strlen(column) >= sizeof t->sort)
		return fault_column(src, column, f);
	t->down = column[0] && (strcmp(t->sort, column) == 0 ? !t->down : has_value(src, i) && !src->column[i].up);
	snprintf(t->sort, sizeof t->sort, "%s", column);
	return true;
}

// Which rows are shown, and in which order. Without memory there are none.
static void arrange(struct table *t, const struct table_source *src)
{
	int *order = realloc(t->order, ((size_t)src->rows + 1) * sizeof *order);
	t->shown = 0;
	t->rows = src->rows;
	if (!order)
		return;
	t->order = order;
	for (int i = 0; i < src->rows; i++)
		if (passes(t, src, i))
			order[t->shown++] = i;
	int by = t->sort[0] ? column_named(src, t->sort, strlen(t->sort)) : -1;
	if (by >= 0) {
		struct ordering o = {src, by, t->down};
		qsort_r(order, (size_t)t->shown, sizeof *order, by_column, &o);
	}
}

// The place of a row; where it is not shown, of one near it.
static int place_of(const struct table *t, int row)
{
	int near = 0;
	for (int i = 0; i < t->shown; i++) {
		if (t->order[i] == row)
			return i;
		if (t->order[i] < row && t->order[i] > t->order[near])
			near = i;
	}
	return near;
}

static bool is_shown(const struct table *t, int row)
{
	return t->shown > 0 && t->order[place_of(t, row)] == row;
}

int table_hand(struct table *t, const struct table_source *src)
{
	arrange(t, src);
	int row = t->found > 0 ? t->found - 1 : src->hand;
	t->found = 0;
	return t->shown > 0 ? t->order[place_of(t, row)] : -1;
}

bool table_find(struct table *t, const struct table_source *src, const char *way, struct fault *f)
{
	int step = strcmp(way, "previous") == 0 ? -1 : 1;
	if (!t->sought[0])
		return fault_set(f, "find", "`/` and a word filters; then n and N go from one to the next",
			"nothing was sought yet");
	arrange(t, src);
	int from = t->shown > 0 ? place_of(t, src->hand) : 0;
	for (int i = 1; i <= t->shown; i++) {
		int row = t->order[(from + step * i + t->shown * 2) % t->shown];
		if (matches(src, t->sought, row)) {
			t->found = row + 1;
			return true;
		}
	}
	return fault_set(f, t->sought, "Esc lifts a filter that hides it", "is in no row that is shown");
}

int table_move(struct table *t, const struct table_source *src, enum motion m, int page)
{
	arrange(t, src);
	if (m == MOTION_LEFT && t->left > 0)
		t->left--;
	if (m == MOTION_RIGHT) // drawing holds it where it is of use
		t->left++;
	if (t->shown == 0)
		return -1;
	if (!is_shown(t, src->hand))
		return t->order[place_of(t, src->hand)];
	return t->order[motion_to(m, place_of(t, src->hand), t->shown, page)];
}

// ---- marks ---------------------------------------------------------------------------------------------------------

static bool set_mark(struct table *t, int row, bool on)
{
	if (row >= t->mark_room) {
		unsigned char *mark = realloc(t->mark, (size_t)row + 64);
		if (!mark)
			return false;
		memset(mark + t->mark_room, 0, (size_t)(row + 64 - t->mark_room));
		t->mark = mark;
		t->mark_room = row + 64;
	}
	t->marks += on - t->mark[row];
	t->mark[row] = on;
	return true;
}

bool table_mark(struct table *t, const struct table_source *src, const char *which, struct fault *f)
{
	bool all = strcmp(which, "all") == 0, none = strcmp(which, "none") == 0, range = strcmp(which, "range") == 0, ok = true;
	if (which[0] && !all && !none && !range)
		return fault_set(f, which, "give range, all, none, or nothing for the row in hand",
			"is nothing that can be marked");
	int hand = table_hand(t, src), from = t->marks > 0 ? t->mark_last : hand;
	if (range && hand >= 0) {
		int a = place_of(t, from), b = place_of(t, hand);
		for (int i = a < b ? a : b; ok && i <= (a < b ? b : a); i++)
			ok = set_mark(t, t->order[i], true);
		t->mark_last = hand;
		return ok || fault_memory(f, "mark");
	}
	for (int i = 0; none && i < t->mark_room; i++)
		ok = set_mark(t, i, false);
	for (int i = 0; all && ok && i < t->shown; i++)
		ok = set_mark(t, t->order[i], true);
	if (!all && !none && hand >= 0)
		ok = set_mark(t, t->mark_last = hand, !table_marked(t, hand));
	return ok || fault_memory(f, "mark");
}

bool table_lift(struct table *t, const struct table_source *src, const char *text, struct fault *f)
{
	(void)text;
	if (t->marks > 0)
		return table_mark(t, src, "none", f);
	return t->filter[0] ? table_filter(t, src, "", f) : fault_set(f, "back", "q quits", "there is nothing to go back from");
}

bool table_marked(const struct table *t, int row)
{
	return row >= 0 && row < t->mark_room && t->mark[row];
}

// ---- columns -------------------------------------------------------------------------------------------------------

// Without the first `left` of those that are not fixed. Whether some are left out at the right.
static bool fit(const struct table_source *src, struct column *c, int left, int width)
{
	for (int i = 0; i < src->columns && i < COLUMNS_MOST; i++) {
		const struct table_column *column = &src->column[i];
		bool out = !column->fixed && column->least > 0 && left-- > 0;
		c[i] = (struct column){.least = out ? 0 : column->least, .ideal = column->ideal, .rank = column->rank};
	}
	columns_fit(c, src->columns, width);
	bool more = false;
	for (int i = 0; i < src->columns; i++) {
		// Even the narrowest do not fit side by side; one column of blank is at hand at the right.
		if (c[i].x + c[i].width > width + 1)
			c[i].width = src->column[i].fixed && width > c[i].x ? width - c[i].x : 0;
		more |= c[i].least > 0 && c[i].width == 0;
	}
	return more;
}

// Scrolled sideways no further than until the last column is seen.
static void fit_columns(struct table *t, const struct table_source *src, struct column *c, int width)
{
	bool more = fit(src, c, 0, width);
	int left = 0;
	while (left < t->left && more) {
		left++;
		more = fit(src, c, left, width);
	}
	t->left = left;
	t->more = more || left > 0;
	if (src->fitted)
		src->fitted(src->context, c);
}

static void draw_heads(const struct table_source *src, const struct column *c, struct screen *s, struct rect r)
{
	for (int i = 0; i < src->columns; i++) {
		const struct table_column *column = &src->column[i];
		int width = c[i].width;
		if (width == 0 || (column->joined && i > 0 && c[i - 1].width > 0))
			continue;
		for (int k = i + 1; k < src->columns && src->column[k].joined && c[k].width > 0; k++)
			width = c[k].x + c[k].width - c[i].x;
		struct table_cell cell = {src->context, s, -1, false, false, r.x + c[i].x, r.y, width};
		if (column->draw_head)
			column->draw_head(&cell);
		else if (column->right)
			screen_right(s, cell.x, r.y, width, STYLE_DIM, column->head);
		else
			screen_fit(s, cell.x, r.y, width, STYLE_DIM, column->head);
	}
}

// ---- rows ----------------------------------------------------------------------------------------------------------

// Below a row, from the column on where notes begin to the right edge.
static struct rect note_place(const struct table_source *src, const struct column *c, struct rect r)
{
	int x = c[src->note_from].x;
	return (struct rect){r.x + x, r.y + 1, r.width - 1 - x > 1 ? r.width - 1 - x : 1, r.height - 1};
}

static const char *note_of(const struct table_source *src, int row)
{
	return src->note ? src->note(src->context, row) : NULL;
}

static void draw_note(struct screen *s, struct rect r, const char *text)
{
	for (int i = 0; i < r.height && *text; i++) {
		const char *from = text;
		int bytes = (int)screen_break(from, r.width, &text);
		screen_print(s, r.x, r.y + i, r.width, STYLE_WARN, "%.*s", bytes, from);
	}
}

static void draw_text(const struct table_cell *cell, const struct table_source *src, int i)
{
	char buf[TEXT_MOST];
	const struct table_column *column = &src->column[i];
	const char *text = text_of(src, i, cell->row, buf, sizeof buf);
	enum style style = cell->in_hand ? STYLE_STRONG : STYLE_TEXT;
	if (text && column->right)
		screen_right(cell->screen, cell->x, cell->y, cell->width, style, text);
	else if (text)
		screen_fit(cell->screen, cell->x, cell->y, cell->width, style, text);
}

// r.height: the lines that there are for it.
static void draw_row(const struct table *t, const struct table_source *src, const struct column *c, struct screen *s,
	struct rect r, int row)
{
	const char *note = note_of(src, row);
	for (int i = 0; i < src->columns; i++) {
		const struct table_column *column = &src->column[i];
		if (c[i].width == 0)
			continue;
		struct table_cell cell = {
			src->context, s, row, row == src->hand, table_marked(t, row), r.x + c[i].x, r.y, c[i].width};
		if (column->draw)
			column->draw(&cell);
		else
			draw_text(&cell, src, i);
	}
	if (note)
		draw_note(s, note_place(src, c, r), note);
	for (int i = 0; i < r.height && row == src->hand; i++)
		screen_light(s, r.x, r.y + i, r.width);
	if (row == src->hand && src->cursor) {
		s->cursor = true;
		s->cursor_x = r.x;
		s->cursor_y = r.y;
	}
}

// The lines of a row, at most so many as there are.
static int row_height(const struct table *t, const struct table_source *src, const struct column *c, struct rect r, int place)
{
	const char *note = note_of(src, t->order[place]);
	int lines = note ? 1 + screen_lines(note, note_place(src, c, r).width) : 1;
	return lines > r.height ? r.height : lines;
}

// The row in hand is seen, and no room is left empty below the last one. r: for the rows.
static void scroll(struct table *t, const struct table_source *src, const struct column *c, struct rect r)
{
	int hand = is_shown(t, src->hand) ? place_of(t, src->hand) : -1, used = 0;
	if (t->top >= t->shown)
		t->top = t->shown > 0 ? t->shown - 1 : 0;
	if (hand >= 0 && t->top > hand)
		t->top = hand;
	for (int i = t->top; i <= hand; i++)
		used += row_height(t, src, c, r, i);
	while (used > r.height && t->top < hand)
		used -= row_height(t, src, c, r, t->top++);
	used = 0;
	for (int i = t->top; i < t->shown && used <= r.height; i++)
		used += row_height(t, src, c, r, i);
	while (t->top > 0 && used + row_height(t, src, c, r, t->top - 1) <= r.height)
		used += row_height(t, src, c, r, --t->top);
}

void table_draw(struct table *t, const struct table_source *src, struct screen *s, struct rect inside)
{
	struct column c[COLUMNS_MOST] = {0};
	struct rect rows = {inside.x, inside.y + 1, inside.width, inside.height - 1};
	arrange(t, src);
	fit_columns(t, src, c, inside.width - 1);
	draw_heads(src, c, s, inside);
	int *line = rows.height > 0 ? realloc(t->line, (size_t)rows.height * sizeof *line) : NULL;
	t->lines = 0;
	if (!line)
		return;
	t->line = line;
	scroll(t, src, c, rows);
	t->last = t->top;
	for (int i = t->top; i < t->shown && rows.height > 0; i++) {
		int height = row_height(t, src, c, rows, i);
		draw_row(t, src, c, s, (struct rect){rows.x, rows.y, rows.width, height}, t->order[i]);
		rows.y += height;
		rows.height -= height;
		while (height-- > 0)
			t->line[t->lines++] = t->order[i];
		t->last = i;
	}
	if (t->shown == 0 && t->filter[0])
		screen_print(s, inside.x, inside.y + 1, inside.width - 1, STYLE_DIM, "  nothing matches %s", t->filter);
}

int table_at(const struct table *t, int y)
{
	return y >= 1 && y <= t->lines ? t->line[y - 1] : -1;
}

const char *table_title(const struct table *t, const char *name, char *buf, size_t size)
{
	char part[64] = "", filter[128] = "", sort[64] = "";
	int seen = t->shown > 0 ? t->last - t->top + 1 : 0;
	if (!t->filter[0] && t->shown < t->rows) // the owner has chosen among its rows
		snprintf(part, sizeof part, " %d of %d", seen, t->rows);
	else if (seen < t->shown)
		snprintf(part, sizeof part, " %d-%d of %d", t->top + 1, t->last + 1, t->shown);
	else if (t->shown < t->rows)
		snprintf(part, sizeof part, " %d of %d", t->shown, t->rows);
	if (t->filter[0])
		snprintf(filter, sizeof filter, " with %s", t->filter);
	if (t->sort[0])
		snprintf(sort, sizeof sort, " by %s%s", t->sort, t->down ? ", largest first" : "");
	snprintf(buf, size, "%s%s%s%s", name, part, filter, sort);
	return buf;
}
