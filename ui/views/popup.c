// SPDX-License-Identifier: GPL-3.0-or-later
// A box of text over the screen.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/views/views.h"

enum { SIDEWAYS = 16 };

static bool add(struct popup *p, const char *text, int key, bool head, int hang)
{
	char *copy = strdup(text);
	struct popup_line *line = copy ? realloc(p->line, (size_t)(p->lines + 1) * sizeof *line) : NULL;
	if (!line) {
		free(copy);
		return false;
	}
	p->line = line;
	p->line[p->lines++] = (struct popup_line){.text = copy, .key = key, .head = head, .hang = hang};
	return true;
}

bool popup_add(struct popup *p, const char *text, int key, bool head)
{
	int blanks = (int)strspn(text, " ");
	return add(p, text, key, head, strstr(text + blanks, "  ") ? -1 : blanks + 2);
}

bool popup_add_hanging(struct popup *p, const char *text, int key, int hang)
{
	return add(p, text, key, false, hang);
}

bool popup_runs(struct popup *p, const char *command, bool typed)
{
	char *line = NULL;
	if (asprintf(&line, "%s%s", typed ? "?" : "", command) < 0)
		return false;
	free(p->line[p->lines - 1].run);
	p->line[p->lines - 1].run = line;
	return true;
}

bool popup_add_wrapped(struct popup *p, const char *text, int width, const char *indent)
{
	char line[512];
	for (bool first = true; *text; first = false) {
		const char *from = text;
		int bytes = (int)screen_break(from, width, &text);
		snprintf(line, sizeof line, "%s%.*s", first ? "" : indent, bytes, from);
		if (!popup_add(p, line, 0, false))
			return false;
	}
	return true;
}

void popup_clear(struct popup *p)
{
	for (int i = 0; i < p->lines; i++)
		free(p->line[i].text), free(p->line[i].run);
	free(p->line);
	sheet_free(p->sheet);
	*p = (struct popup){0};
}

bool popup_shown(const struct popup *p)
{
	return p->lines > 0 || p->sheet;
}

static bool add_lines(struct popup *p, const char *text)
{
	char line[1024];
	for (size_t length; *text; text += length + (text[length] != '\0')) {
		length = strcspn(text, "\n");
		snprintf(line, sizeof line, "%.*s", (int)length, text);
		if (!popup_add(p, line, 0, false))
			return false;
	}
	return true;
}

bool popup_add_answer(struct popup *p, const struct answer *a)
{
	struct popup made = {.sheet = sheet_new(a)};
	bool ok = made.sheet && add_lines(&made, a->above);
	made.below = made.lines;
	if (ok && add_lines(&made, a->below)) {
		popup_clear(p);
		*p = made;
		return true;
	}
	popup_clear(&made);
	return false;
}

static int clamp(int value, int low, int high)
{
	return value > high ? high : value < low ? low : value;
}

static int rows_of(int height)
{
	return clamp(height - 6, 1, height);
}

bool popup_seek(struct popup *p, const char *words, int step, struct fault *f)
{
	if (words) {
		snprintf(p->sought, sizeof p->sought, "%s", words);
		p->found = 0;
	}
	if (!p->sought[0])
		return words || fault_set(f, "find", "`/` and a word seeks; then n and N go on", "nothing was sought yet");
	for (int i = 1; i <= p->lines; i++) {
		int line = (p->found - 1 + step * i + p->lines * 2) % p->lines;
		if (strcasestr(p->line[line].text, p->sought)) {
			p->found = line + 1;
			p->top = line;
			return true;
		}
	}
	return fault_set(f, p->sought, "other words may be", "is not in this text");
}

int popup_rows(const struct popup *p, int height)
{
	return p->shown > 0 ? p->shown : rows_of(height);
}

// ---- drawing ---------------------------------------------------------------------------------------------------------

// The lines of the screen that a line takes.
static int height_of(const struct popup_line *line, int room)
{
	if (line->hang < 0 || screen_width(line->text) <= room)
		return 1;
	const char *rest;
	screen_break(line->text, room, &rest);
	return *rest ? 1 + screen_lines(rest, room - line->hang > 8 ? room - line->hang : 8) : 1;
}

// A row of a table, from column `left` on.
static const char *scrolled(const char *text, int left)
{
	char one[8];
	while (left > 0 && *text) {
		const char *from = text;
		screen_decode(&text);
		snprintf(one, sizeof one, "%.*s", (int)(text - from), from);
		left -= screen_width(one);
	}
	return text;
}

// Returns how many lines of the screen it took.
static int draw_line(const struct popup *p, const struct popup_line *line, struct screen *s, struct rect r)
{
	const bool found = p->found > 0 && line == &p->line[p->found - 1];
	enum style style = line->head ? STYLE_TITLE : found ? STYLE_STRONG : STYLE_TEXT;
	int lines = height_of(line, r.width), hang = line->hang < r.width - 8 ? line->hang : r.width - 8;
	const char *text = line->hang < 0 ? scrolled(line->text, p->left) : line->text;
	for (int i = 0; i < lines && i < r.height; i++) {
		const char *from = text;
		int x = i ? hang : 0, bytes = (int)strlen(from);
		if (lines > 1)
			bytes = (int)screen_break(from, r.width - x, &text);
		screen_print(s, r.x + x, r.y + i, r.width - x, style, "%.*s", bytes, from);
	}
	if (line->key > 0 && p->left == 0)
		screen_put(s, r.x, r.y, line->key < r.width ? line->key : r.width, STYLE_KEY, line->text);
	return lines;
}

// What cannot be broken and is too wide, by so many columns; 0: nothing is.
static int too_wide(const struct popup *p, int room)
{
	int over = 0;
	for (int i = 0; i < p->lines; i++)
		if (p->line[i].hang < 0)
			over = clamp(screen_width(p->line[i].text) - room, over, 1 << 20);
	return over;
}

static int lines_below(const struct popup *p, int first, int room, int enough)
{
	int lines = 0;
	for (int i = first; i < p->lines && lines < enough; i++)
		lines += height_of(&p->line[i], room);
	return lines;
}

static void draw_foot(const struct popup *p, struct screen *s, struct rect r, bool wide)
{
	char foot[96];
	const char *leave = p->foot ? p->foot : "Esc closes", *sideways = "";
	if (wide)
		sideways = s->ascii ? "</> sideways, " : "←/→ sideways, ";
	if (p->shown < p->lines)
		snprintf(foot, sizeof foot, " %d-%d of %d, j/k scroll, %s%s ", p->top + 1, p->top + p->shown, p->lines, sideways,
			leave);
	else
		snprintf(foot, sizeof foot, " %s%s ", sideways, leave);
	if (screen_width(foot) + 4 > r.width)
		snprintf(foot, sizeof foot, " %s ", leave);
	int used = screen_width(foot);
	if (used + 4 <= r.width)
		screen_put(s, r.x + r.width - 2 - used, r.y + r.height - 1, used, STYLE_HINT, foot);
}

// ---- a table in it ---------------------------------------------------------------------------------------------------

// Lines of the screen that the lines from..to take, drawn from row y on where r is not NULL.
static int text_lines(const struct popup *p, int from, int to, int room, struct screen *s, const struct rect *r)
{
	int used = 0;
	for (int i = from; i < to; i++) {
		if (r && used < r->height)
			draw_line(p, &p->line[i], s, (struct rect){r->x, r->y + used, r->width, r->height - used});
		used += height_of(&p->line[i], room);
	}
	return used;
}

static void draw_sheet_foot(const struct popup *p, struct screen *s, struct rect r)
{
	char foot[160], part[120];
	const char *shown = sheet_part(p->sheet, part, sizeof part);
	snprintf(foot, sizeof foot, " %s%s%s%sEsc closes ", shown, shown[0] ? ", " : "",
		sheet_more(p->sheet) ? "</> columns, " : "", sheet_can_pick(p->sheet) ? "Enter opens, " : "");
	int used = screen_width(foot);
	if (used + 4 <= r.width)
		screen_put(s, r.x + r.width - 2 - used, r.y + r.height - 1, used, STYLE_HINT, foot);
}

// The table has what the texts leave; of those, what stands below it gives way first.
static void draw_sheet(struct popup *p, struct screen *s)
{
	enum { TABLE_LEAST = 4 };
	int width = clamp(screen_width(p->title) + 6, sheet_width(p->sheet) + 4, s->width - 4);
	for (int i = 0; i < p->lines; i++)
		width = clamp(screen_width(p->line[i].text) + 4, width, s->width - 4);
	width = clamp(width, 0, s->width - 4);
	int room = width - 4, most = rows_of(s->height), above = text_lines(p, 0, p->below, room, s, NULL);
	int below = text_lines(p, p->below, p->lines, room, s, NULL), rows = sheet_lines(p->sheet);
	above = clamp(above, 0, clamp(most - TABLE_LEAST, 0, most));
	rows = clamp(rows, 1, clamp(most - above - below, TABLE_LEAST, most));
	below = clamp(most - above - rows, 0, below);
	int height = above + rows + below + 2;
	struct rect r = {(s->width - width) / 2, (s->height - height) / 2, width, height};
	screen_fill(s, (struct rect){r.x - 1, r.y, r.width + 2, r.height});
	screen_box(s, r, p->title);
	s->cursor = false;
	p->shown = rows;
	p->table = (struct rect){r.x + 2, r.y + 1 + above, room + 1, rows};
	text_lines(p, 0, p->below, room, s, &(struct rect){r.x + 2, r.y + 1, room, above});
	sheet_draw(p->sheet, s, p->table);
	text_lines(p, p->below, p->lines, room, s, &(struct rect){r.x + 2, r.y + 1 + above + rows, room, below});
	draw_sheet_foot(p, s, r);
}

static void draw_popup(struct popup *p, struct screen *s, bool low)
{
	if (p->sheet) {
		draw_sheet(p, s);
		return;
	}
	int width = screen_width(p->title) + 6;
	if (p->foot)
		width = clamp(screen_width(p->foot) + 8, width, s->width - 4);
	for (int i = 0; i < p->lines; i++)
		width = clamp(screen_width(p->line[i].text) + 4, width, s->width - 4);
	width = clamp(width, low ? s->width : 0, s->width - (low ? 0 : 4));
	int room = width - 4, most = low ? s->height / 2 : rows_of(s->height) + 2, over = too_wide(p, room);
	int height = clamp(lines_below(p, 0, room, most) + 2, 3, most), rows = height - 2;
	p->left = clamp(p->left, 0, over);
	p->top = clamp(p->top, 0, p->lines > 0 ? p->lines - 1 : 0);
	while (p->top > 0 && lines_below(p, p->top - 1, room, rows + 1) <= rows) // no room stays empty
		p->top--;

	struct rect r = {(s->width - width) / 2, low ? s->height - 2 - height : (s->height - height) / 2, width, height};
	screen_fill(s, low ? r : (struct rect){r.x - 1, r.y, r.width + 2, r.height}); // a margin parts it from what it covers
	screen_box(s, r, p->title);
	s->cursor = s->cursor && low; // above a prompt, which has it
	p->shown = 0;
	for (int used = 0; used < rows && p->top + p->shown < p->lines; p->shown++)
		used += draw_line(p, &p->line[p->top + p->shown], s, (struct rect){r.x + 2, r.y + 1 + used, room, rows - used});
	if (!low)
		draw_foot(p, s, r, over > 0);
}

// ---- the view ----------------------------------------------------------------------------------------------------------

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = scene->popup != NULL;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	(void)own;
	(void)item;
	draw_popup(scene->popup, s, scene->popup_low);
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	(void)page;
	struct popup *p = scene->popup;
	if (!p)
		return;
	if (p->sheet) {
		sheet_move(p->sheet, m, p->shown > 2 ? p->shown - 2 : 1);
		return;
	}
	p->top = motion_to(m, p->top, p->lines, p->shown > 2 ? p->shown - 1 : 1);
	p->left += m == MOTION_RIGHT ? SIDEWAYS : m == MOTION_LEFT ? -SIDEWAYS : 0; // drawing holds it where it is of use
}

// Nothing behind a box is clicked.
static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)own;
	(void)pane;
	(void)x;
	if (scene->popup && scene->popup->sheet)
		sheet_click(scene->popup->sheet, y - scene->popup->table.y);
	return scene->popup != NULL;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	(void)own;
	return sheet_act(scene->popup->sheet, act, text, f);
}

const struct view_ops view_popup = {
	.name = "popup",
	.title = "a box of text",
	.place = LAYOUT_OVER,
	.measure = measure,
	.draw = draw,
	.move = move,
	.click = click,
	.table = act_on_table,
};
