// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHEET_COLUMNS = 31, NAME_LEAST = 12, TEXT_LEAST = 36, MARK = 1 }; // MARK: columns before the answer's own

struct sheet {
	struct table table;
	int columns, rows, hand;
	bool elsewhere;             // the cursor is
	char **head, **cell, *pick; // pick NULL: nothing is done with a row
	struct table_column column[MARK + SHEET_COLUMNS];
};

static void draw_mark(const struct table_cell *c)
{
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
}

static const char *cell_text(const void *context, int row, int column)
{
	const struct sheet *s = context;
	return s->cell[row * s->columns + column - MARK];
}

static char **copy_texts(const char *const *text, int count, bool *ok)
{
	char **copy = calloc((size_t)count + 1, sizeof *copy);
	*ok &= copy != NULL;
	for (int i = 0; i < count && *ok; i++)
		*ok = (copy[i] = strdup(text[i])) != NULL;
	return copy;
}

static void free_texts(char **text)
{
	for (int i = 0; text && text[i]; i++)
		free(text[i]);
	free(text);
}

// As wide as the widest of its cells; names and long texts give way. The first stays when the others move.
static struct table_column column_of(const struct sheet *s, int column, bool left)
{
	int width = screen_width(s->head[column]);
	for (int row = 0; row < s->rows; row++) {
		int its = screen_width(s->cell[row * s->columns + column]);
		width = its > width ? its : width;
	}
	bool name = column == 0;
	int least = name ? NAME_LEAST : TEXT_LEAST;
	return (struct table_column){.name = s->head[column][0] ? s->head[column] : NULL,
		.head = s->head[column],
		.right = !left,
		.fixed = name,
		.least = width > least ? least : width,
		.ideal = width,
		.rank = column};
}

struct sheet *sheet_new(const struct answer *a)
{
	struct sheet *s = calloc(1, sizeof *s);
	bool ok = s != NULL;
	if (!ok)
		return NULL;
	s->rows = a->rows;
	s->columns = a->columns < SHEET_COLUMNS ? a->columns : SHEET_COLUMNS;
	s->head = copy_texts(a->head, s->columns, &ok);
	const char **cell = calloc((size_t)(s->rows * s->columns) + 1, sizeof *cell);
	ok &= cell != NULL;
	for (int i = 0; ok && i < s->rows * s->columns; i++)
		cell[i] = a->cell[i / s->columns * a->columns + i % s->columns];
	if (ok)
		s->cell = copy_texts(cell, s->rows * s->columns, &ok);
	free(cell);
	ok = ok && (!a->pick || (s->pick = strdup(a->pick)));
	if (!ok) {
		sheet_free(s);
		return NULL;
	}
	s->column[0] = (struct table_column){.head = "", .fixed = true, .least = 1, .ideal = 1, .draw = draw_mark};
	for (int i = 0; i < s->columns; i++)
		s->column[MARK + i] = column_of(s, i, a->left[i]);
	return s;
}

void sheet_free(struct sheet *s)
{
	if (!s)
		return;
	table_free(&s->table);
	free_texts(s->head);
	free_texts(s->cell);
	free(s->pick);
	free(s);
}

static struct table_source source_of(const struct sheet *s)
{
	return (struct table_source){.context = s,
		.rows = s->rows,
		.column = s->column,
		.columns = MARK + s->columns,
		.cell = cell_text,
		.hand = s->hand,
		.cursor = !s->elsewhere};
}

void sheet_in_focus(struct sheet *s, bool focus)
{
	s->elsewhere = !focus;
}

void sheet_follow(struct sheet *s, struct sheet *older)
{
	table_free(&s->table);
	s->table = older->table;
	older->table = (struct table){0};
	table_forget(&s->table);
	s->hand = older->hand < s->rows ? older->hand : 0;
	s->elsewhere = older->elsewhere;
}

const struct table *sheet_table(const struct sheet *s)
{
	return &s->table;
}

int sheet_width(const struct sheet *s)
{
	int width = 0;
	for (int i = 0; i < MARK + s->columns; i++)
		width += s->column[i].ideal > 0 ? s->column[i].ideal + 1 : 0;
	return width;
}

int sheet_lines(const struct sheet *s)
{
	return 1 + s->rows;
}

void sheet_draw(struct sheet *s, struct screen *screen, struct rect r)
{
	struct table_source src = source_of(s);
	table_draw(&s->table, &src, screen, r);
}

const char *sheet_part(const struct sheet *s, char *buf, size_t size)
{
	const char *title = table_title(&s->table, "", buf, size);
	return title + strspn(title, " ");
}

bool sheet_more(const struct sheet *s)
{
	return s->table.more;
}

void sheet_move(struct sheet *s, enum motion m, int page)
{
	struct table_source src = source_of(s);
	int to = table_move(&s->table, &src, m, page);
	s->hand = to >= 0 ? to : s->hand;
}

bool sheet_click(struct sheet *s, int y)
{
	int row = table_at(&s->table, y);
	s->hand = row >= 0 ? row : s->hand;
	return row >= 0;
}

bool sheet_act(struct sheet *s, table_act *act, const char *text, struct fault *f)
{
	struct table_source src = source_of(s);
	if (!act(&s->table, &src, text, f))
		return false;
	int hand = table_hand(&s->table, &src);
	s->hand = hand >= 0 ? hand : s->hand;
	return true;
}

bool sheet_can_pick(const struct sheet *s)
{
	return s->pick != NULL;
}

bool sheet_pick(struct sheet *s, struct string *line)
{
	struct table_source src = source_of(s);
	if (!s->pick || table_hand(&s->table, &src) != s->hand)
		return false;
	string_add(line, "%s ", s->pick);
	words_quote(line, s->cell[s->hand * s->columns]);
	return !line->failed;
}

void sheet_text(const struct sheet *s, struct string *out)
{
	for (int i = 0; i < s->rows * s->columns; i++)
		string_add(out, "%s%s", s->cell[i], (i + 1) % s->columns ? "  " : "\n");
}
