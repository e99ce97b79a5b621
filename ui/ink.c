// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/ink.h"

#include <string.h>

struct ink ink_of(const struct screen_cell *c, const struct theme *theme)
{
	const struct look *look = &theme->look[c->style];
	struct ink ink = {look->rich, -1, look->attributes};
	if (c->lit && theme->lit >= 0)
		ink.back = theme->lit;
	else if (c->lit)
		ink.attributes |= LOOK_BOLD;
	return ink;
}

bool ink_same(struct ink a, struct ink b)
{
	return a.front == b.front && a.back == b.back && a.attributes == b.attributes;
}

uint32_t ink_rgb(int palette)
{
	static const uint32_t first[16] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
		0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
	static const uint32_t level[6] = {0, 95, 135, 175, 215, 255};
	if (palette < 16)
		return first[palette < 0 ? 0 : palette];
	if (palette >= 232) {
		uint32_t grey = 8 + 10 * (uint32_t)(palette - 232);
		return grey << 16 | grey << 8 | grey;
	}
	const int cube = palette - 16;
	return level[cube / 36] << 16 | level[cube / 6 % 6] << 8 | level[cube % 6];
}

bool ink_dark(const struct theme *theme)
{
	const int text = theme->look[STYLE_TEXT].rich;
	const uint32_t rgb = ink_rgb(text < 0 ? 15 : text); // a theme without colours stands on a dark ground
	return (rgb >> 16) + (rgb >> 8 & 0xff) + (rgb & 0xff) > 3 * 128;
}

// ---- as a picture --------------------------------------------------------------------------------------------------

// A cell in px. The width is that of most monospaced fonts at this size, and the height lets the lines of frames meet.
enum { FONT = 14, ROW = 17, EDGE = 12 };
static const double COLUMN = 8.43;

static const struct ground {
	uint32_t back, front;
} ground[2] = {{0xfcfcf9, 0x303030}, {0x16181d, 0xd0d0d0}};

static void add_xml(struct string *out, const struct screen_cell *c)
{
	static const struct {
		uint32_t code;
		const char *text;
	} named[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}};
	char text[16], *end = text;
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (c->glyph == named[i].code) {
			string_add(out, "%s", named[i].text);
			return;
		}
	end = screen_encode(end, c->glyph);
	if (c->mark)
		end = screen_encode(end, c->mark);
	string_bytes(out, text, (size_t)(end - text));
}

static bool blank(const struct screen_cell *c)
{
	return c->glyph == ' ' && !c->mark;
}

// Cells of one look that stand together; at most one blank between them, so that every word is where its cells are.
static int run_length(const struct screen_cell *row, int from, int width, const struct theme *theme)
{
	const struct ink ink = ink_of(&row[from], theme);
	int x = from + 1;
	while (x < width && (row[x].glyph == 0 || ink_same(ink_of(&row[x], theme), ink)) &&
		!(blank(&row[x]) && (x + 1 == width || blank(&row[x + 1]))))
		x++;
	while (x > from + 1 && blank(&row[x - 1]))
		x--;
	return x - from;
}

static void add_run(struct string *out, const struct screen_cell *cell, int cells, int x, int y, struct ink ink, bool dark)
{
	const uint32_t front = ink.front < 0 ? ground[dark].front : ink_rgb(ink.front);
	string_add(out, "<text x=\"%.2f\" y=\"%d\" textLength=\"%.2f\" fill=\"#%06x\"%s%s%s>", EDGE + x * COLUMN,
		EDGE + y * ROW + FONT, cells * COLUMN, front, ink.attributes & LOOK_BOLD ? " font-weight=\"bold\"" : "",
		ink.attributes & LOOK_DIM ? " opacity=\"0.65\"" : "",
		ink.attributes & LOOK_UNDERLINE ? " text-decoration=\"underline\"" : "");
	for (int i = 0; i < cells; i++)
		if (cell[i].glyph)
			add_xml(out, &cell[i]);
	string_add(out, "</text>\n");
}

// The row in hand lies on a ground of its own.
static void add_lit(struct string *out, const struct screen_cell *row, int width, int y, const struct theme *theme)
{
	for (int x = 0, end; x < width; x = end) {
		const int back = ink_of(&row[x], theme).back;
		for (end = x + 1; end < width && ink_of(&row[end], theme).back == back; end++)
			;
		if (back >= 0)
			string_add(out, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"#%06x\"/>\n",
				EDGE + x * COLUMN, EDGE + y * ROW, (end - x) * COLUMN, ROW, ink_rgb(back));
	}
}

void ink_svg(const struct screen *s, const struct theme *theme, const char *title, struct string *out)
{
	const bool dark = ink_dark(theme);
	const double width = 2 * EDGE + s->width * COLUMN, height = 2 * EDGE + s->height * ROW;
	string_add(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		"font-family=\"'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"%d\" xml:space=\"preserve\">\n<title>",
		width, height, width, height, FONT);
	for (uint32_t code; (code = screen_decode(&title));)
		add_xml(out, &(struct screen_cell){.glyph = code < ' ' ? '?' : code});
	string_add(out, "</title>\n<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#%06x\"/>\n", ground[dark].back);
	for (int y = 0; y < s->height; y++) {
		const struct screen_cell *row = &s->cell[y * s->width];
		add_lit(out, row, s->width, y, theme);
		for (int x = 0; x < s->width; x++) {
			if (blank(&row[x]) || row[x].glyph == 0)
				continue;
			const int cells = run_length(row, x, s->width, theme);
			add_run(out, row + x, cells, x, y, ink_of(&row[x], theme), dark);
			x += cells - 1;
		}
	}
	string_add(out, "</svg>\n");
}
