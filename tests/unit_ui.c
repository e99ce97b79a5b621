// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench without a terminal: grid, layout, keys, and golden screens drawn from made-up snapshots. The goldens are
// tests/screens/NAME.screen; UPDATE_GOLDEN=1 writes them anew.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ui/keys.h"
#include "ui/layout.h"
#include "ui/names.h"
#include "ui/nudge.h"
#include "ui/options.h"
#include "ui/screen.h"
#include "ui/show.h"
#include "ui/table.h"
#include "ui/theme.h"
#include "ui/columns.h"
#include "ui/views/views.h"

// ---- the grid -----------------------------------------------------------------------------------------------------

static void test_text_widths(void **state)
{
	(void)state;
	assert_int_equal(screen_width("abc"), 3);
	assert_int_equal(screen_width("é"), 1);
	assert_int_equal(screen_width("e\u0301"), 1);   // a combining accent
	assert_int_equal(screen_width("数x"), 3);       // a wide character
	assert_int_equal(screen_width("\xff\xc0z"), 3); // bytes that are no UTF-8
	assert_int_equal(screen_width("\x1b[2J"), 4);   // a control character takes one column, as '?'
}

static void check_row(struct screen *s, const char *expected)
{
	char *text = screen_text(s);
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

// Nothing that is drawn can act on the terminal: not its sequences, and not what turns the direction of writing or hides.
static void test_foreign_text(void **state)
{
	(void)state;
	struct screen s = {0};
	assert_true(screen_resize(&s, 12, 1));
	screen_put(&s, 0, 0, 12, STYLE_TEXT, "\x1b[2J\x07\x7f\xc2\x9b\u202e\u200b\ufeffé");
	check_row(&s, "?[2J??????é\n");
	screen_clear(&s);
	screen_glyph(&s, 0, 0, STYLE_TEXT, 0x1b);
	screen_glyph(&s, 1, 0, STYLE_TEXT, 0x9b);
	screen_glyph(&s, 2, 0, STYLE_TEXT, 0x28ff);
	check_row(&s, "??⣿\n");
	for (uint32_t code = 1; code < 0x20000; code++) {
		char text[8] = {0};
		if (code >= 0xd800 && code < 0xe000)
			continue;
		screen_encode(text, code);
		screen_clear(&s);
		screen_put(&s, 0, 0, 12, STYLE_TEXT, "x");
		screen_put(&s, 1, 0, 11, STYLE_TEXT, text);
		for (int x = 0; x < 12; x++)
			assert_true(s.cell[x].glyph == 0 ||
				(s.cell[x].glyph >= ' ' && s.cell[x].glyph != 0x7f && wcwidth((wchar_t)s.cell[x].glyph) > 0));
	}
	screen_free(&s);
}

static void test_clipping(void **state)
{
	(void)state;
	struct screen s = {0};
	assert_true(screen_resize(&s, 6, 1));
	assert_int_equal(screen_put(&s, 4, 0, 99, STYLE_TEXT, "abcdef"), 6);
	check_row(&s, "    ab\n");
	screen_clear(&s);
	assert_int_equal(screen_fit(&s, 0, 0, 4, STYLE_TEXT, "abcdef"), 4);
	check_row(&s, "abc…\n");
	screen_clear(&s);
	assert_int_equal(screen_tail(&s, 0, 0, 4, STYLE_TEXT, "abcdef"), 4);
	check_row(&s, "…def\n");
	screen_clear(&s);
	screen_right(&s, 0, 0, 6, STYLE_TEXT, "42");
	check_row(&s, "    42\n");
	screen_clear(&s);
	screen_put(&s, 0, 0, 6, STYLE_TEXT, "数字e\u0301");
	check_row(&s, "数字e\u0301\n");
	screen_put(&s, 1, 0, 1, STYLE_TEXT, "x"); // overwriting a half leaves no other half behind
	check_row(&s, " x字e\u0301\n");
	screen_put(&s, 5, 0, 9, STYLE_TEXT, "数"); // half of it would be outside
	check_row(&s, " x字e\u0301\n");
	screen_put(&s, 0, 7, 6, STYLE_TEXT, "outside");
	screen_put(&s, 0, -1, 6, STYLE_TEXT, "outside");
	screen_box(&s, (struct rect){-5, -5, 40, 40}, "outside");
	screen_clear(&s);
	screen_put(&s, 0, 0, 6, STYLE_TEXT, "a\x1b\x07\x9bz");
	check_row(&s, "a???z\n");
	screen_free(&s);
}

static void test_bars(void **state)
{
	(void)state;
	struct screen s = {0};
	assert_true(screen_resize(&s, 4, 1));
	screen_bar(&s, 0, 0, 4, 0.5);
	check_row(&s, "██\n");
	screen_clear(&s);
	screen_bar(&s, 0, 0, 4, 1e-9);
	check_row(&s, "▏\n");
	screen_clear(&s);
	screen_bar(&s, 0, 0, 4, NAN);
	check_row(&s, "\n");
	s.ascii = true;
	screen_meter(&s, 0, 0, 4, 7.0);
	check_row(&s, "====\n");
	screen_free(&s);
	for (int g = 0; g < GLYPH_COUNT; g++) {
		assert_int_equal(screen_width(glyph(false, (enum glyph)g)), 1);
		assert_int_equal(screen_width(glyph(true, (enum glyph)g)), 1);
		assert_true(glyph(true, (enum glyph)g)[0] < 127);
	}
}

static void test_numbers(void **state)
{
	(void)state;
	char buf[32];
	assert_string_equal(show_si(0, buf, sizeof buf), "0");
	assert_string_equal(show_si(1234, buf, sizeof buf), "1.23k");
	assert_string_equal(show_si(201326592, buf, sizeof buf), "201M");
	assert_string_equal(show_si(999999, buf, sizeof buf), "1.00M");
	assert_string_equal(show_si(0.8312, buf, sizeof buf), "0.83");
	assert_string_equal(show_si(0.0002785, buf, sizeof buf), "0.00028"); // an energy in mJ
	assert_string_equal(show_small(1.7e-6, buf, sizeof buf), "1.7e-06");
	assert_string_equal(show_small(0.0312, buf, sizeof buf), "0.0312");
	assert_string_equal(show_small(0.00012, buf, sizeof buf), "0.00012");
	assert_string_equal(show_small(NAN, buf, sizeof buf), "-");
	assert_string_equal(show_si(NAN, buf, sizeof buf), "-");
	assert_string_equal(show_amount(84.2, "ms", buf, sizeof buf), "84.2ms");
	assert_string_equal(show_amount(1250, "ms", buf, sizeof buf), "1.25s");
	assert_string_equal(show_amount(0.0123, "ms", buf, sizeof buf), "12.3us");
	assert_string_equal(show_amount(0.9999, "ms", buf, sizeof buf), "1.00ms");
	assert_string_equal(show_amount(0.00042, "mJ", buf, sizeof buf), "420nJ"); // never 0.000
	assert_string_equal(show_amount(0, "ms", buf, sizeof buf), "0ms");
	assert_string_equal(show_amount(31200, "B", buf, sizeof buf), "31.2kB");
	assert_string_equal(show_amount(2.01e8, "", buf, sizeof buf), "201M");
	assert_string_equal(show_amount(NAN, "ms", buf, sizeof buf), "-");
	assert_string_equal(show_typed(11234500000.0, buf, sizeof buf), "11.23G");
	assert_string_equal(show_duration(62, buf, sizeof buf), "1:02");
	assert_string_equal(show_duration(3 * 3600 + 7 * 60, buf, sizeof buf), "3h07");
	assert_string_equal(show_duration(1e18, buf, sizeof buf), ">99h");
	assert_string_equal(show_percent(0.002, buf, sizeof buf), "<1%");
	assert_string_equal(show_ratio(1.257, buf, sizeof buf), "1.26");
	for (double v = 1e-3; v < 1e20; v *= 1.07) {
		assert_true(strlen(show_si(v, buf, sizeof buf)) <= 6);
		assert_true(strlen(show_amount(v, "mJ", buf, sizeof buf)) <= 7);
		assert_true(strlen(show_amount(v, "B", buf, sizeof buf)) <= 7);
		assert_true(strlen(show_ratio(v, buf, sizeof buf)) <= 4);
		assert_true(strlen(show_duration(v, buf, sizeof buf)) <= 5);
	}
}

// ---- layout -------------------------------------------------------------------------------------------------------

// What the workbench has, and a table and a figure more or less.
enum { HEAD, MAIN, BELOW, FIGURE, FIGURES, MESSAGE, HINTS, OVER, ITEMS };
struct layout_want {
	int layers, terms, curves;
};

static void wish(struct layout_item item[ITEMS], struct layout_want want)
{
	static const enum layout_place place[ITEMS] = {
		LAYOUT_HEAD, LAYOUT_MAIN, LAYOUT_TABLE, LAYOUT_FIGURE, LAYOUT_FIGURES, LAYOUT_FOOT, LAYOUT_FOOT, LAYOUT_OVER};
	const int rows[ITEMS] = {3, want.layers + 1, want.terms + 1, 1, 1, 1, 1, 1};
	for (int i = 0; i < ITEMS; i++)
		item[i] = (struct layout_item){.place = place[i], .wanted = i != OVER, .rows = rows[i], .panes = want.curves};
}

// No two panes overlap, none leaves the screen.
static void check_panes(int width, int height, const struct layout_item *item, int items)
{
	struct rect r[ITEMS * LAYOUT_PANES];
	int count = 0;
	for (int i = 0; i < items; i++)
		for (int k = 0; k < item[i].got; k++)
			if (item[i].place != LAYOUT_OVER)
				r[count++] = item[i].pane[k];
	for (int i = 0; i < count; i++) {
		assert_true(r[i].x >= 0 && r[i].y >= 0 && r[i].width > 0 && r[i].height > 0);
		assert_true(r[i].x + r[i].width <= width && r[i].y + r[i].height <= height);
		for (int k = 0; k < i; k++)
			assert_true(r[i].x + r[i].width <= r[k].x || r[k].x + r[k].width <= r[i].x ||
				r[i].y + r[i].height <= r[k].y || r[k].y + r[k].height <= r[i].y);
	}
}

static void check_layout(int width, int height, struct layout_want want)
{
	struct layout_item item[ITEMS];
	wish(item, want);
	bool fits = layout_make(width, height, item, ITEMS, LAYOUT_NONE);
	assert_int_equal(fits, width >= LAYOUT_MIN_WIDTH && height >= LAYOUT_MIN_HEIGHT);
	check_panes(width, height, item, ITEMS);
	for (int i = 0; i < ITEMS && !fits; i++)
		assert_int_equal(item[i].got, 0);
	if (!fits)
		return;
	assert_true(item[MAIN].pane[0].height >= 4); // heads, and a layer at the least
	assert_true(item[BELOW].pane[0].height >= 4);
	assert_true(item[MESSAGE].pane[0].height == 1 && item[HINTS].pane[0].height == 1);
	assert_true(item[FIGURES].got <= want.curves);
	assert_int_equal(item[OVER].got, 0);
	// Any of them hidden, any of them alone, lines that have grown.
	for (int i = 0; i < ITEMS; i += 1 + (width + height) % 3) {
		item[i].wanted = !item[i].wanted;
		assert_true(layout_make(width, height, item, ITEMS, LAYOUT_NONE));
		check_panes(width, height, item, ITEMS);
		assert_true(item[i].wanted || item[i].got == 0);
		item[i].wanted = !item[i].wanted;
		item[i].rows += 3;
		assert_true(layout_make(width, height, item, ITEMS, i));
		check_panes(width, height, item, ITEMS);
		assert_true(item[HINTS].got == 1 && item[MESSAGE].got == 1);
		bool zoomed = item[i].wanted && i != HEAD && i != MESSAGE && i != HINTS;
		for (int k = MAIN; zoomed && k <= FIGURES; k++)
			assert_int_equal(item[k].got, k == i);
		if (zoomed)
			assert_int_equal(item[i].pane[0].width, width);
		item[i].rows -= 3;
	}
}

// As many steps down as up give back the text itself, whatever it is given as; a multiple stays one.
static void test_nudges(void **state)
{
	(void)state;
	static const struct {
		const char *text, *unit, *up, *down;
		double target;
	} cases[] = {{"0.1x", "bit ops", "0.105x", "0.09524x", 10}, {"int4", "bit ops", "0.2625x", "0.2381x", 25},
		{"201.3M", "bit ops", "211.4M", "191.7M", 201.3e6}, {"1.5MB", "B", "1.575MB", "1.429MB", 1.5e6},
		{"3ms", "ms per image", "3.15ms", "2.857ms", 3}, {"0.333333x", "B", "0.35x", "0.3175x", 33.3333},
		{"", "bit ops", "63M", "57.14M", 0}, {"", "ms per image", "63", "57.14", 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int way = 1; way >= -1; way -= 2) {
			bool bare = !cases[i].text[0];
			struct term_state t = {.unit = cases[i].unit,
				.targeted = !bare,
				.target = cases[i].target,
				.whole = 100,
				.modal = bare && cases[i].unit[0] == 'm' ? 60 : 60e6};
			struct nudge n = {0};
			snprintf(t.target_text, sizeof t.target_text, "%s", cases[i].text);
			for (int step = 1; step <= 40; step++) {
				const char *text = nudge_target(&n, &t, step <= 20 ? way : -way, false);
				assert_non_null(text);
				if (step == 1)
					assert_string_equal(text, way > 0 ? cases[i].up : cases[i].down);
				snprintf(t.target_text, sizeof t.target_text, "%s", text);
			}
			assert_string_equal(t.target_text, cases[i].text);
		}
	struct nudge n = {0}; // set to something else in between, it goes on from there
	struct term_state t = {.targeted = true, .target = 10, .whole = 100, .target_text = "0.1x", .unit = "B"};
	nudge_target(&n, &t, 1, false);
	snprintf(t.target_text, sizeof t.target_text, "0.2x");
	assert_string_equal(nudge_target(&n, &t, 1, false), "0.21x");
	for (int i = 0; i < 3; i++) // faster than the search's answer comes
		assert_non_null(nudge_target(&n, &t, 1, true));
	assert_string_equal(n.made, "0.2431x");
	t = (struct term_state){.modal = NAN, .unit = "B"};
	assert_null(nudge_target(&n, &t, 1, false));
	static const double weights[] = {2, 0.1, 1.0 / 3, 0};
	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
		t = (struct term_state){.weight = weights[i]};
		n = (struct nudge){0};
		for (int step = 0; step < 12; step++)
			t.weight = strtod(nudge_weight(&n, &t, step < 6 ? 1 : -1, false), NULL);
		assert_true(fabs(t.weight - weights[i]) < 1e-15);
	}
	t.weight = 0;
	assert_string_equal(nudge_weight(&n, &t, -1, false), "0");
	t.weight = strtod(nudge_weight(&n, &t, 1, false), NULL);
	assert_true(t.weight == 0.01);
}

static void test_layout(void **state)
{
	(void)state;
	static const struct layout_want wants[] = {{10, 2, 5}, {150, 8, 6}, {1, 1, 0}, {0, 0, 1}, {22, 4, 3}};
	for (size_t i = 0; i < sizeof wants / sizeof *wants; i++)
		for (int height = 1; height <= 80; height++)
			for (int width = 1; width <= 250; width++)
				check_layout(width, height, wants[i]);
}

static void test_columns(void **state)
{
	(void)state;
	for (int width = 0; width < 120; width++) {
		struct column c[] = {{2, 2, 0, 0, 0}, {6, 20, 0, 0, 0}, {5, 9, 2, 0, 0}, {0, 4, 0, 0, 0}, {7, 35, 1, 0, 0}};
		columns_fit(c, 5, width);
		assert_int_equal(c[3].width, 0);
		assert_int_equal(c[0].width, 2);
		int end = -1;
		for (int i = 0; i < 5; i++) {
			assert_true(c[i].width == 0 || c[i].width >= c[i].least);
			assert_true(c[i].width <= c[i].ideal);
			if (c[i].width == 0)
				continue;
			assert_true(c[i].x > end);
			end = c[i].x + c[i].width;
		}
		if (width >= 9)
			assert_true(end <= width);
	}
}

// ---- names and tables ---------------------------------------------------------------------------------------------

static const char *plain_name(const void *context, int i)
{
	return ((const char *const *)context)[i];
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

// From the least width on no two are alike, none is wider, and a wider column never shows less.
static void check_names(const char *(*name)(const void *, int), const void *context, int count)
{
	static char text[600][256];
	struct names *n = names_new(name, context, count);
	assert_non_null(n);
	int before = 0;
	for (int width = names_least(n); width <= 60; width++) {
		for (int i = 0; i < count; i++) {
			names_fit(n, i, width, text[i], sizeof text[i]);
			assert_true(text[i][0] != '\0' && screen_width(text[i]) <= width);
		}
		assert_true(names_width(n, width) >= before || names_width(n, width) <= width);
		qsort(text, (size_t)count, sizeof text[0], by_name);
		for (int i = 1; i < count; i++)
			assert_string_not_equal(text[i - 1], text[i]);
		before = names_width(n, width);
	}
	names_free(n);
}

// As in EfficientNet-X: twelve blocks of a stage differ in their number alone.
static const char *block_name(const void *context, int i)
{
	static const char *const part[] = {"depthwise", "se.reduce", "se.expand", "project"};
	static char text[600][48];
	(void)context;
	snprintf(text[i], sizeof text[i], "s%db%d.%s", 1 + i / 80, 1 + i / 4 % 20, part[i % 4]);
	return text[i];
}

static const char *long_name(const void *context, int i)
{
	static char text[600][64];
	(void)context;
	snprintf(text[i], sizeof text[i], "model.features.stage%d.block%d.%s", i / 200, i / 4 % 50,
		i % 4 < 2 ? "conv" : "convolution");
	if (i % 2)
		snprintf(text[i] + strlen(text[i]), 4, "%d", 2);
	return text[i];
}

static void test_names(void **state)
{
	(void)state;
	static const char *const few[] = {"stem", "s1b1.conv1", "s1b1.conv2", "fc"};
	static const char *const odd[] = {"", "a", "aa", ".", "..", "a.b", "数.字", "数.字.数", "a\xff", "conv.",
		"conv.conv.conv.conv.conv.conv.conv.convX", "conv.conv.conv.conv.conv.conv.conv.convY"};
	static const char *const same[] = {"net.conv", "net.depthwise", "net.fc"};
	check_names(plain_name, few, 4);
	check_names(block_name, NULL, 560);
	check_names(long_name, NULL, 600);
	struct names *n = names_new(plain_name, odd, sizeof odd / sizeof *odd);
	assert_non_null(n);
	char buf[64];
	for (int width = 0; width < 60; width++)
		for (int i = 0; i < 12; i++)
			names_fit(n, i, width, buf, sizeof buf);
	names_free(n);
	n = names_new(plain_name, same, 3);
	assert_string_equal(names_fit(n, 1, 20, buf, sizeof buf), "net.depthwise");
	assert_string_equal(names_fit(n, 1, 10, buf, sizeof buf), "\u2026depthwise"); // what all share goes first
	assert_string_equal(names_fit(n, 1, 8, buf, sizeof buf), "depthwis");
	assert_string_equal(names_fit(n, 1, 1, buf, sizeof buf), "d");
	names_free(n);
	n = names_new(block_name, NULL, 560);
	assert_string_equal(names_fit(n, 41, 12, buf, sizeof buf), "s1b11.s.redu");
	names_free(n);
	n = names_new(plain_name, NULL, 0);
	assert_int_equal(names_least(n), 0);
	names_free(n);
}

enum { PEOPLE = 12 };
static const struct person {
	const char *name, *town, *note;
	double age;
} person[PEOPLE] = {
	{"ada", "london", NULL, 36},
	{"bob", "paris", NULL, 7},
	{"cyd", "rome", "has moved away, and nobody has said where to", NAN},
	{"dan", "oslo", NULL, 52},
	{"eve", "bern", NULL, 41},
	{"fay", "riga", NULL, 1200},
	{"gus", "kiev", NULL, 3},
	{"hal", "lima", NULL, 99},
	{"ida", "oslo", NULL, 18},
	{"jon", "cork", NULL, 64},
	{"kim", "oslo", NULL, 5},
	{"leo", "bonn", NULL, 70},
};

static const char *person_name(const void *context, int row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct person *)context)[row].name);
	return buf;
}

static const char *person_town(const void *context, int row, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct person *)context)[row].town);
	return buf;
}

static double person_age(const void *context, int row)
{
	return ((const struct person *)context)[row].age;
}

static const char *person_age_text(const void *context, int row, char *buf, size_t size)
{
	snprintf(buf, size, "%.0f", ((const struct person *)context)[row].age);
	return buf;
}

static const char *person_note(const void *context, int row)
{
	return ((const struct person *)context)[row].note;
}

static const struct table_column people_column[] = {
	{.name = "name", .head = "name", .fixed = true, .least = 4, .ideal = 6, .text = person_name},
	{.name = "town", .head = "town", .least = 6, .ideal = 8, .rank = 1, .text = person_town},
	{.name = "age",
		.head = "age",
		.right = true,
		.least = 4,
		.ideal = 6,
		.rank = 2,
		.text = person_age_text,
		.value = person_age},
};

static struct table_source people(int hand)
{
	return (struct table_source){.context = person,
		.rows = PEOPLE,
		.column = people_column,
		.columns = 3,
		.hand = hand,
		.cursor = true,
		.note = person_note,
		.note_from = 1};
}

static char *table_text(struct table *t, const struct table_source *src, int width, int height)
{
	struct screen s = {0};
	assert_true(screen_resize(&s, width, height));
	table_draw(t, src, &s, (struct rect){0, 0, width, height});
	char *text = screen_text(&s);
	assert_non_null(text);
	screen_free(&s);
	return text;
}

static void check_table(struct table *t, const struct table_source *src, int width, int height, const char *expected)
{
	char *text = table_text(t, src, width, height);
	assert_string_equal(text, expected);
	free(text);
}

static void test_table(void **state)
{
	(void)state;
	struct table t = {0};
	struct fault f;
	char title[128];
	struct table_source src = people(0);
	check_table(&t, &src, 23, 4,
		"name   town        age\nada    london       36\nbob    paris         7\ncyd    rome        nan\n");
	assert_string_equal(table_title(&t, "People", title, sizeof title), "People 1-3 of 12");
	assert_int_equal(table_at(&t, 2), 1);
	assert_int_equal(table_at(&t, 0), -1);
	// The note in hand is whole: it goes on in further lines.
	src.hand = 2;
	check_table(&t, &src, 23, 6,
		"name   town        age\nbob    paris         7\ncyd    rome        nan\n       has moved away,\n       and nobody has\n"
		"       said where to\n");
	assert_int_equal(table_at(&t, 5), 2);
	// Narrow: columns are left out, and come in sideways.
	src.hand = 3;
	check_table(&t, &src, 12, 2, "name town\ndan  oslo\n");
	assert_int_equal(table_move(&t, &src, MOTION_RIGHT, 1), 3);
	check_table(&t, &src, 12, 2, "name    age\ndan      52\n");
	table_move(&t, &src, MOTION_RIGHT, 1); // no further: all have been seen
	check_table(&t, &src, 12, 2, "name    age\ndan      52\n");
	table_move(&t, &src, MOTION_LEFT, 1);
	check_table(&t, &src, 12, 2, "name town\ndan  oslo\n");
	// Sorted; what has no number comes last, both ways.
	assert_true(table_sort(&t, &src, "age", &f));
	assert_int_equal(table_move(&t, &src, MOTION_FIRST, 1), 5);
	assert_int_equal(table_move(&t, &src, MOTION_LAST, 1), 2);
	assert_int_equal(table_move(&t, &src, MOTION_DOWN, 1), 4); // behind 52 comes 41
	assert_true(table_sort(&t, &src, "age", &f));
	assert_int_equal(table_move(&t, &src, MOTION_FIRST, 1), 6);
	assert_int_equal(table_move(&t, &src, MOTION_LAST, 1), 2);
	assert_true(table_sort(&t, &src, "town", &f));
	assert_int_equal(table_move(&t, &src, MOTION_FIRST, 1), 4);
	assert_false(table_sort(&t, &src, "size", &f));
	assert_string_equal(f.todo, "there are name town age");
	assert_true(table_sort(&t, &src, "", &f));
	// Filtered: words, patterns, numbers; each must hold.
	static const struct {
		const char *filter;
		int rows;
	} filter[] = {{"oslo", 3}, {"OSL", 3}, {"osl*", 3}, {"os", 3}, {"?da", 2}, {"age<10", 3}, {"age>=99", 2}, {"age>1k", 1},
		{"oslo age>10", 2}, {"age=7", 1}, {"nobody", 0}, {"", PEOPLE}, {"  ", PEOPLE}};
	for (size_t i = 0; i < sizeof filter / sizeof *filter; i++) {
		assert_true(table_filter(&t, &src, filter[i].filter, &f));
		int hand = table_hand(&t, &src);
		assert_int_equal(t.shown, filter[i].rows);
		assert_true(filter[i].rows ? hand >= 0 : hand == -1);
		free(table_text(&t, &src, 30, 5));
	}
	assert_true(table_filter(&t, &src, "oslo", &f));
	assert_false(table_filter(&t, &src, "height>3", &f));
	assert_string_equal(t.filter, "oslo");
	src.hand = 0;
	assert_int_equal(table_move(&t, &src, MOTION_DOWN, 1), 3); // out of sight: to the nearest that is shown
	free(table_text(&t, &src, 30, 8));
	assert_string_equal(table_title(&t, "People", title, sizeof title), "People 3 of 12 with oslo");
	// Marks.
	assert_true(table_mark(&t, &src, "all", &f));
	assert_int_equal(t.marks, 3);
	assert_true(table_marked(&t, 10) && !table_marked(&t, 0) && !table_marked(&t, 1000) && !table_marked(&t, -1));
	src.hand = 10;
	assert_true(table_mark(&t, &src, "", &f));
	assert_int_equal(t.marks, 2);
	assert_false(table_mark(&t, &src, "some", &f));
	assert_true(table_mark(&t, &src, "none", &f));
	assert_int_equal(t.marks, 0);
	table_forget(&t);
	assert_string_equal(t.filter, "oslo");
	table_free(&t);
}

// Every size, whatever is in hand: nothing outside, the row in hand is on screen, scrolling sideways reaches every column.
static void test_table_sizes(void **state)
{
	(void)state;
	struct screen s = {0};
	for (int height = 2; height < 16; height++)
		for (int width = 6; width < 40; width++) {
			struct table t = {0};
			bool seen[3] = {false};
			assert_true(screen_resize(&s, width + 2, height + 2));
			for (int step = 0; step < PEOPLE + 8; step++) {
				struct table_source src = people(step * 5 % PEOPLE);
				screen_clear(&s);
				table_draw(&t, &src, &s, (struct rect){1, 1, width, height});
				assert_true(s.cursor && s.cursor_y > 1 && s.cursor_y <= height);
				assert_int_equal(table_at(&t, s.cursor_y - 1), src.hand);
				char *text = screen_text(&s);
				seen[0] |= strstr(text, "name") != NULL;
				seen[1] |= strstr(text, "town") != NULL;
				seen[2] |= strstr(text, "age") != NULL;
				free(text);
				for (int x = 0; x < width + 2; x++)
					assert_true(s.cell[x].glyph == ' ' &&
						s.cell[(height + 1) * (width + 2) + x].glyph == ' ');
				table_move(&t, &src, step < PEOPLE ? MOTION_DOWN : MOTION_RIGHT, 1);
			}
			assert_true(seen[0]);
			assert_true(width < 12 || (seen[1] && seen[2]));
			table_free(&t);
		}
	screen_free(&s);
}

static void test_breaks(void **state)
{
	(void)state;
	const char *next;
	assert_int_equal(screen_break("one two three", 8, &next), 7);
	assert_string_equal(next, "three");
	assert_int_equal(screen_break("one two", 7, &next), 7);
	assert_string_equal(next, "");
	assert_int_equal(screen_break("unbreakable", 4, &next), 4);
	assert_string_equal(next, "eakable");
	assert_int_equal(screen_break("数数 x", 4, &next), 6);
	assert_string_equal(next, "x");
	assert_int_equal(screen_break("数", 1, &next), 3); // never nothing
	assert_int_equal(screen_lines("", 5), 1);
	assert_int_equal(screen_lines("aa bb cc", 5), 2);
	static const char long_text[] = "a rather long sentence, with words of several lengths: a, of, extraordinarily";
	for (int width = 1; width < 90; width++) {
		char joined[sizeof long_text] = "";
		int lines = 0;
		for (const char *at = long_text; *at; lines++) {
			const char *from = at;
			size_t bytes = screen_break(from, width, &at);
			assert_true(bytes > 0 && (int)bytes <= width && at > from);
			strncat(joined, from, bytes);
		}
		char plain[sizeof long_text] = "", *to = plain;
		for (const char *p = long_text; *p; p++)
			if (*p != ' ')
				*to++ = *p;
		to = joined;
		for (char *p = joined; *p; p++)
			if (*p != ' ')
				*to++ = *p;
		*to = '\0';
		assert_string_equal(joined, plain); // nothing is lost
		assert_int_equal(lines, screen_lines(long_text, width));
	}
}

// Every view has a name and a number of its own, a page its name alone, or neither; what is hidden is not drawn, what is alone has all the room.
static void test_views(void **state)
{
	(void)state;
	struct views v;
	struct fault f;
	assert_true(views_begin(&v, &f));
	for (int i = 0; i < VIEWS_COUNT; i++) {
		const struct view_ops *ops = v.view[i].ops;
		assert_true(ops->name && ops->name[0] && ops->title && ops->draw);
		assert_int_equal(views_of(&v, ops), i);
		if (ops->key) {
			assert_int_equal(views_named(&v, ops->name), i);
			assert_int_equal(views_named(&v, (char[]){(char)ops->key, 0}), ops->enter ? LAYOUT_NONE : i);
			assert_non_null(strstr(views_words(), ops->name));
		}
	}
	assert_int_equal(views_named(&v, "nothing"), LAYOUT_NONE);
	assert_int_equal(views_named(&v, ""), LAYOUT_NONE);
	views_end(&v);
}

// ---- keys and themes ----------------------------------------------------------------------------------------------

static void check_key(const char *spelled, int key)
{
	struct fault f;
	int read = -1;
	char name[32];
	assert_true(keys_read(spelled, &read, &f));
	assert_int_equal(read, key);
	assert_true(keys_read(keys_write(key, name, sizeof name), &read, &f)); // written so that it is read again
	assert_int_equal(read, key);
}

static void test_key_names(void **state)
{
	(void)state;
	char name[32];
	check_key("j", 'j');
	check_key("J", 'J');
	check_key("5", '5');
	check_key("-", '-');
	check_key("^", '^');
	check_key("\u00e9", 0xe9);
	check_key("space", ' ');
	check_key("Tab", KEYS_TAB);
	check_key("enter", KEYS_ENTER);
	check_key("ESC", KEYS_ESCAPE);
	check_key("f5", KEYS_F + 5);
	check_key("F12", KEYS_F + 12);
	check_key("page-up", KEYS_PAGE_UP);
	check_key("pgdn", KEYS_PAGE_DOWN);
	check_key("ctrl-r", KEYS_CONTROL('r'));
	check_key("Ctrl-R", KEYS_CONTROL('r'));
	check_key("^R", KEYS_CONTROL('r'));
	check_key("ctrl-i", KEYS_TAB); // as terminals have it
	check_key("ctrl-up", KEYS_CTRL | KEYS_UP);
	check_key("alt-x", KEYS_ALT | 'x');
	check_key("alt--", KEYS_ALT | '-');
	check_key("ctrl-alt-shift-f1", KEYS_CTRL | KEYS_ALT | KEYS_SHIFT | (KEYS_F + 1));
	check_key("shift-tab", KEYS_BACKTAB);
	static const char *const bad[] = {"", "jj", "f0", "f64", "f1x", "ctrl-", "ctrl-5", "shift-a", "alt-", "hyper-x", " ",
		"\xff\xfe", "ctrl-jj", "up-down", "ctrl-ctrl", "\t", "\x7f"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fault f;
		int key;
		assert_false(keys_read(bad[i], &key, &f));
		assert_true(f.what[0] && f.todo[0]);
	}
	assert_string_equal(keys_name(KEYS_ENTER, false, name, sizeof name), "Enter");
	assert_string_equal(keys_name(KEYS_CONTROL('r'), false, name, sizeof name), "^R");
	assert_string_equal(keys_name(KEYS_CTRL | (KEYS_F + 5), false, name, sizeof name), "Ctrl-F5");
	assert_string_equal(keys_name(KEYS_ALT | 'p', false, name, sizeof name), "Alt-p");
	assert_string_equal(keys_name(KEYS_CTRL | KEYS_SHIFT | KEYS_HOME, false, name, sizeof name), "Ctrl-Shift-Home");
}

static void test_keys(void **state)
{
	(void)state;
	struct keys k;
	struct fault f;
	assert_true(keys_begin(&k, &f));
	// Along every chain of contexts a key means one thing.
	for (int context = 0; context < CONTEXTS; context++)
		for (enum key_context c = (enum key_context)context;; c = keys_fallback(c)) {
			for (int i = 0; i < k.count; i++)
				if (k.row[i].context == c && k.row[i].key != KEYS_ENTER && k.row[i].command)
					assert_string_equal(keys_find(&k, (enum key_context)context, k.row[i].key)->command,
						k.row[i].command);
			if (keys_fallback(c) == c)
				break;
		}
	assert_null(keys_find(&k, CONTEXT_SEARCH, 0x2603));
	char name[16];
	assert_string_equal(keys_name(KEYS_ENTER, false, name, sizeof name), "Enter");
	assert_string_equal(keys_name(KEYS_CONTROL('r'), false, name, sizeof name), "^R");
	assert_string_equal(keys_name(KEYS_ALT | 'p', false, name, sizeof name), "Alt-p");
	assert_string_equal(keys_name(KEYS_CTRL | KEYS_SHIFT | KEYS_HOME, false, name, sizeof name), "Ctrl-Shift-Home");
	assert_string_equal(keys_name(KEYS_F + 13, false, name, sizeof name), "F13");
	struct hint hint[64];
	int hints = keys_hints(&k, CONTEXT_SEARCH, false, hint, 64);
	assert_true(hints > 8);
	for (int i = 0; i < hints; i++)
		assert_true(hint[i].keys[0] && hint[i].label[0]);
	keys_end(&k);
}

static const char *hinted(const struct keys *k, enum key_context context, const char *label)
{
	static struct hint hint[64];
	int hints = keys_hints(k, context, false, hint, 64);
	for (int i = 0; i < hints; i++)
		if (strcmp(hint[i].label, label) == 0)
			return hint[i].keys;
	return "";
}

static void test_binding(void **state)
{
	(void)state;
	static const struct command rows[] = {{.name = "run", .help = "run on"}, {.name = "undo", .help = "take back"},
		{.name = "pin", .help = ""}, {.name = "draft", .help = ""}, {.name = "price", .help = ""}};
	struct command_group group = {"searching", rows, 5, NULL};
	struct command_table table = {.group = &group, .groups = 1};
	struct keys k;
	struct fault f;
	assert_true(keys_begin(&k, &f));
	// A new key, hinted by the command's name, and beside a default row that does the same.
	assert_string_equal(hinted(&k, CONTEXT_SEARCH, "price"), "");
	assert_true(keys_bind(&k, CONTEXT_SEARCH, KEYS_F + 5, "price 10", &table, &f));
	assert_string_equal(keys_find(&k, CONTEXT_SEARCH, KEYS_F + 5)->command, "price 10");
	assert_string_equal(keys_find(&k, CONTEXT_DRAFT, KEYS_F + 5)->command, "price 10");
	assert_string_equal(hinted(&k, CONTEXT_SEARCH, "price"), "F5");
	assert_true(keys_bind(&k, CONTEXT_SEARCH, 'Z', "undo", &table, &f));
	assert_string_equal(hinted(&k, CONTEXT_SEARCH, "undo"), "u/Z");
	// A key of the table means something else from now on, in hints too; in a draft another key does.
	assert_true(keys_bind(&k, CONTEXT_SEARCH, KEYS_CONTROL('r'), "run", &table, &f));
	assert_string_equal(hinted(&k, CONTEXT_SEARCH, "redo"), "");
	assert_true(keys_bind(&k, CONTEXT_DRAFT, 'Z', "run", &table, &f));
	assert_string_equal(hinted(&k, CONTEXT_DRAFT, "undo"), "u");
	assert_string_equal(hinted(&k, CONTEXT_SEARCH, "undo"), "u/Z");
	// The help lists what is in force.
	struct popup p = {0};
	bool found = false;
	assert_true(keys_help(&k, &p, &table, CONTEXT_SEARCH, false));
	for (int i = 0; i < p.lines; i++)
		found |= strstr(p.line[i].text, "F5") && strstr(p.line[i].text, "price 10");
	assert_true(found);
	popup_clear(&p);
	// Mistakes leave everything as it was.
	int count = k.count;
	assert_false(keys_bind(&k, CONTEXT_SEARCH, 'Z', "undp", &table, &f));
	assert_string_equal(f.todo, "did you mean 'undo'?");
	assert_false(keys_bind(&k, CONTEXT_SEARCH, 'Z', "pin {lager}", &table, &f));
	assert_string_equal(f.todo, "there are {layer}, {layers}, {pins}, {term} and {lane}");
	assert_false(keys_bind(&k, CONTEXT_SEARCH, 'Z', "", &table, &f));
	assert_int_equal(k.count, count);
	assert_string_equal(keys_find(&k, CONTEXT_SEARCH, 'Z')->command, "undo");
	assert_true(keys_unbind(&k, CONTEXT_SEARCH, 'Z', &f));
	assert_false(keys_unbind(&k, CONTEXT_SEARCH, 'Z', &f));
	assert_null(keys_find(&k, CONTEXT_SEARCH, 'Z'));
	while (k.count > 0) // a person may take all away
		assert_true(keys_unbind(&k, k.row[0].context, k.row[0].key, &f));
	assert_int_equal(keys_hints(&k, CONTEXT_DRAFT, false, (struct hint[1]){{0}}, 1), 0);
	keys_end(&k);
}

static void test_themes(void **state)
{
	(void)state;
	size_t count;
	const struct theme *t = themes(&count);
	assert_string_equal(t[0].name, "dark");
	assert_non_null(theme_named("mono"));
	assert_null(theme_named("no such theme"));
	for (int i = 0; i < STYLES; i++)
		assert_int_equal(theme_named("mono")->look[i].rich, -1);
	assert_int_equal(style_heat(0.0), STYLE_HEAT);
	assert_int_equal(style_heat(1.0), STYLE_HEAT + HEAT_LEVELS - 1);
	assert_int_equal(style_heat(NAN), STYLE_HEAT);
	for (double p = 0.0; p < 1.0; p += 0.001)
		assert_true(style_heat(p) <= style_heat(p + 0.001));
	assert_int_equal(style_bits(1), STYLE_FORMAT);
	assert_int_equal(style_bits(4), STYLE_FORMAT + 2);
	assert_int_equal(style_bits(32), STYLE_FORMAT + FORMAT_LEVELS - 1);
}

// ---- options ------------------------------------------------------------------------------------------------------

// ---- contrast ------------------------------------------------------------------------------------------------------

struct light {
	double of[3]; // red, green, blue, linear, 0..1
};

// A colour of the palette of 256, from 16 on.
static struct light light_of(int colour)
{
	static const int cube[] = {0, 95, 135, 175, 215, 255};
	struct light l;
	assert_in_range(colour, 16, 255);
	for (int i = 0; i < 3; i++) {
		int part[] = {(colour - 16) / 36, (colour - 16) / 6 % 6, (colour - 16) % 6};
		double v = (colour >= 232 ? 8 + 10 * (colour - 232) : cube[part[i]]) / 255.0;
		l.of[i] = v <= 0.03928 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
	}
	return l;
}

static double luminance(struct light l)
{
	return 0.2126 * l.of[0] + 0.7152 * l.of[1] + 0.0722 * l.of[2];
}

static double contrast(int a, int b)
{
	double x = luminance(light_of(a)), y = luminance(light_of(b));
	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

// What remains of it for somebody who lacks a kind of cone (Machado, Oliveira and Fernandes, 2009).
static struct light seen_by(int kind, struct light l)
{
	static const double matrix[3][3][3] = {
		{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
		{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
		{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
	struct light s = l;
	for (int i = 0; kind >= 0 && i < 3; i++) {
		double v = 0;
		for (int k = 0; k < 3; k++)
			v += matrix[kind][i][k] * l.of[k];
		s.of[i] = fmin(1, fmax(0, v));
	}
	return s;
}

static void to_lab(struct light l, double lab[3])
{
	static const double to[3][3] = {{0.4124, 0.3576, 0.1805}, {0.2126, 0.7152, 0.0722}, {0.0193, 0.1192, 0.9505}},
			    white[] = {0.9505, 1, 1.089};
	double f[3];
	for (int i = 0; i < 3; i++) {
		double v = (to[i][0] * l.of[0] + to[i][1] * l.of[1] + to[i][2] * l.of[2]) / white[i];
		f[i] = v > 0.008856 ? cbrt(v) : 7.787 * v + 16.0 / 116;
	}
	lab[0] = 116 * f[1] - 16;
	lab[1] = 500 * (f[0] - f[1]);
	lab[2] = 200 * (f[1] - f[2]);
}

// The least distance of two colours (CIE 1976) for any kind of colour vision.
static double apart(int a, int b)
{
	double least = INFINITY;
	for (int kind = -1; kind < 3; kind++) {
		double x[3], y[3];
		to_lab(seen_by(kind, light_of(a)), x);
		to_lab(seen_by(kind, light_of(b)), y);
		least = fmin(least, sqrt(pow(x[0] - y[0], 2) + pow(x[1] - y[1], 2) + pow(x[2] - y[2], 2)));
	}
	return least;
}

static void test_contrast(void **state)
{
	(void)state;
	size_t count;
	const struct theme *t = themes(&count);
	assert_int_equal(count, 4);
	assert_true(fabs(contrast(16, 231) - 21) < 1e-9);
	for (size_t i = 0; i < count; i++) {
		for (int s = 0; s < STYLES && t[i].lit >= 0; s++) {
			const int back[] = {t[i].back[0], t[i].back[1], t[i].lit};
			for (int k = 0; k < 3 && style_is_text((enum style)s); k++)
				if (contrast(t[i].look[s].rich, back[k]) < 4.5)
					fail_msg("%s, style %d: %d on %d has %.2f:1", t[i].name, s, t[i].look[s].rich, back[k],
						contrast(t[i].look[s].rich, back[k]));
		}
		// Both scales go one way, from the background on.
		for (int s = STYLE_FORMAT + 1; s < STYLE_LANE && t[i].lit >= 0; s++)
			assert_true(contrast(t[i].look[s].rich, t[i].back[0]) > contrast(t[i].look[s - 1].rich, t[i].back[0]));
		for (int s = STYLE_HEAT + 1; s < STYLE_FORMAT && t[i].lit >= 0; s++)
			assert_true(contrast(t[i].look[s].rich, t[i].back[0]) > contrast(t[i].look[s - 1].rich, t[i].back[0]));
	}
	// What must not be taken for one another.
	const struct look *safe = theme_named("safe")->look;
	static const enum style group[][LANE_COLOURS] = {{STYLE_GOOD, STYLE_WARN, STYLE_BAD},
		{STYLE_MAIN, STYLE_SECOND, STYLE_SAMPLED, STYLE_UNIFORM, STYLE_FRONT, STYLE_TARGET, STYLE_MARK},
		{STYLE_LANE, STYLE_LANE + 1, STYLE_LANE + 2, STYLE_LANE + 3, STYLE_LANE + 4, STYLE_LANE + 5, STYLE_LANE + 6,
			STYLE_LANE + 7}};
	for (int g = 0; g < 3; g++)
		for (int a = 0; a < LANE_COLOURS && group[g][a]; a++)
			for (int b = 0; b < a; b++)
				if (apart(safe[group[g][a]].rich, safe[group[g][b]].rich) < 15)
					fail_msg("%d and %d are %.1f apart", safe[group[g][a]].rich, safe[group[g][b]].rich,
						apart(safe[group[g][a]].rich, safe[group[g][b]].rich));
}

static bool parse(struct options *o, struct fault *f, const char *line)
{
	static char text[512];
	static char *argv[32];
	int argc = 0;
	snprintf(text, sizeof text, "%s", line);
	char *save = NULL;
	argv[argc++] = (char *)"bitscape";
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(o, argc, argv, f);
}

static void test_options(void **state)
{
	(void)state;
	struct options o;
	struct fault f;
	assert_true(parse(&o, &f, ""));
	assert_null(o.name);
	assert_true(parse(&o, &f, "new mine --ascii --set steps=10 --set=seed=3"));
	assert_string_equal(o.name, "mine");
	assert_true(o.ascii && o.make && o.settings == 2);
	assert_string_equal(o.setting[1], "seed=3");
	assert_true(parse(&o, &f, "new net=resnet20"));
	assert_true(o.make && !o.name && o.settings == 1);
	assert_true(parse(&o, &f, "new mine net=resnet20 space=wide --batch -"));
	assert_string_equal(o.name, "mine");
	assert_string_equal(o.batch, "-");
	assert_int_equal(o.settings, 2);
	assert_true(parse(&o, &f, "-- --odd"));
	assert_string_equal(o.name, "--odd");
	assert_true(parse(&o, &f, "--tour flops --auto"));
	assert_true(o.go_on && strcmp(o.tour, "flops") == 0);
	assert_false(parse(&o, &f, "--auto"));
	assert_false(parse(&o, &f, "--tour flops --batch -"));
	assert_string_equal(f.what, "does not go with --batch");
	assert_false(parse(&o, &f, "--no-such"));
	assert_false(parse(&o, &f, "--batch"));
	assert_false(parse(&o, &f, "--set steps"));
	assert_false(parse(&o, &f, "--ascii=yes"));
	assert_false(parse(&o, &f, "one two"));
	assert_false(parse(&o, &f, "new one two"));
	assert_false(parse(&o, &f, "mine net=resnet20"));
	assert_false(parse(&o, &f, "mine --set net=resnet20"));
	assert_string_equal(f.where, "mine");
	assert_true(parse(&o, &f, "sessions"));
	assert_true(o.list && !o.tidy && !o.name);
	assert_true(parse(&o, &f, "sessions tidy now"));
	assert_true(o.list && o.tidy && o.now);
	assert_false(parse(&o, &f, "sessions now"));
	assert_false(parse(&o, &f, "sessions mine"));
	assert_false(parse(&o, &f, "sessions --batch -"));
	assert_false(parse(&o, &f, "--replay x --batch y"));
	assert_true(parse(&o, &f, "--explore resnet50 space=int4,int8 mine"));
	static const char *const explored[] = {"net=resnet50", "data=none", "sensitivity=hawq", "space=int4,int8"};
	assert_true(o.make && o.settings == 4 && strcmp(o.name, "mine") == 0);
	for (int i = 0; i < 4; i++)
		assert_string_equal(o.setting[i], explored[i]);
	assert_true(parse(&o, &f, "--explore=efficientnet-x-b7"));
	assert_string_equal(o.setting[2], "sensitivity=none");
	assert_false(parse(&o, &f, "--explore"));
	assert_false(parse(&o, &f, "--explore resnet50 --replay x"));
}

// ---- golden screens -----------------------------------------------------------------------------------------------

enum {
	MADE_LAYERS = 10,
	MADE_OPTIONS = 7,
	MADE_CHOICES = 8,
	MADE_RECORDS = 800,
	MOST_LAYERS = 150,
	MOST_SLOTS = 2 * MOST_LAYERS
};

// A made-up search, of the shape of a real one.
struct made {
	struct option_info option[MADE_OPTIONS], chosen[MADE_CHOICES][4];
	struct layer_info layer[MOST_LAYERS];
	struct slot_info slot[MOST_SLOTS];
	struct engine_info info;
	struct slot_state now[MOST_SLOTS];
	struct group_state group[1];
	struct front_point point[16];
	uint8_t choices[16][MOST_SLOTS];
	struct snapshot snapshot;
	struct record record[MADE_RECORDS];
	uint8_t modal[MADE_RECORDS * MOST_SLOTS];
	struct mark mark[1];
	struct figure_source source;
	double layer_cost[MOST_LAYERS], draft_cost[ENGINE_TERMS];
	uint8_t draft[MOST_SLOTS];
	struct scene scene;
	struct views views;
	struct hint hint[64];
	struct keys keys;
};

static const struct made_layer {
	const char *name;
	int size, in, out, kernel, stride, modal;
	double sure;
} made_layer[MADE_LAYERS] = {
	{"stem", 32, 3, 16, 3, 1, 6, 0.97},
	{"s1b1.conv1", 32, 16, 16, 3, 1, 1, 0.55},
	{"s1b1.conv2", 32, 16, 16, 3, 1, 2, 0.40},
	{"s2b1.conv1", 32, 16, 32, 3, 2, 2, 0.71},
	{"s2b1.conv2", 16, 32, 32, 3, 1, 2, 0.83},
	{"s2b1.skip", 32, 16, 32, 1, 2, 4, 0.30},
	{"s3b1.conv1", 16, 32, 64, 3, 2, 1, 0.62},
	{"s3b1.conv2", 8, 64, 64, 3, 1, 0, 0.91},
	{"s3b1.skip", 16, 32, 64, 1, 2, 3, 0.26},
	{"fc", 1, 64, 10, 1, 1, 5, 0.44},
};

static void made_layers(struct made *m, int layers)
{
	static const char *const names[MADE_OPTIONS] = {"int2", "int3", "int4", "int5", "int6", "int7", "int8"};
	for (int o = 0; o < MADE_OPTIONS; o++) {
		snprintf(m->option[o].name, sizeof m->option[o].name, "%s", names[o]);
		m->option[o].bits = o + 2;
	}
	for (int i = 0; i < layers; i++) {
		const struct made_layer *l = &made_layer[i % MADE_LAYERS];
		struct layer_info *info = &m->layer[i];
		if (layers == MADE_LAYERS)
			snprintf(info->name, sizeof info->name, "%s", l->name);
		else
			snprintf(info->name, sizeof info->name, "stage%d.block%d.%s", 1 + i / 40, 1 + i / 3 % 13, l->name);
		info->kind = l->size > 1 ? "conv" : "linear";
		info->in_h = info->in_w = l->size;
		info->out_h = info->out_w = l->size / l->stride;
		info->in_c = l->in;
		info->out_c = l->out;
		info->kernel_h = info->kernel_w = l->kernel;
		info->stride = l->stride;
		info->groups = 1;
		info->weights = l->kernel * l->kernel * l->in * l->out;
		info->macs = info->weights * info->out_h * info->out_w;
		info->activations = l->in * l->size * l->size;
		info->weight_slot = 2 * i;
		info->activation_slot = 2 * i + 1;
		for (int half = 0; half < 2; half++) {
			struct slot_info *slot = &m->slot[2 * i + half];
			*slot = (struct slot_info){
				.kind = half ? "a" : "w", .layer = i, .owner = -1, .options = MADE_OPTIONS, .option = m->option};
			snprintf(slot->name, sizeof slot->name, "%.40s.%c", info->name, "wa"[half]);
		}
		struct slot_state *d = &m->now[2 * i];
		d->allowed = 0x7f;
		d->modal = (uint8_t)l->modal;
		d->decision = i;
		d->group = -1;
		d->there = true;
		double total = 0;
		for (int o = 0; o < MADE_OPTIONS; o++)
			total += d->probability[o] = (float)exp(-abs(o - l->modal) * 4.0 * l->sure * l->sure);
		for (int o = 0; o < MADE_OPTIONS; o++)
			d->probability[o] = (float)(d->probability[o] / total);
		m->layer_cost[i] = info->macs * pow(m->option[l->modal].bits, 2);
		m->draft[2 * i] = m->draft[2 * i + 1] = d->modal;
	}
	m->now[0].allowed = 1u << 6; // pinned
	memset(m->now[0].probability, 0, sizeof m->now[0].probability);
	m->now[0].probability[6] = 1;
	m->now[2 * 9].allowed = 0x7c; // restricted to int4 and wider
	m->now[2 * 9].probability[0] = m->now[2 * 9].probability[1] = 0;
	for (int i = 0; i < layers; i++)
		m->now[2 * i + 1] = m->now[2 * i];
}

static void made_curves(struct made *m, long records)
{
	for (long i = 0; i < records; i++) {
		double t = (double)(i + 1), swing = sin(t / 7.0) * 0.02 + sin(t / 3.1) * 0.015;
		bool warm = i < 120;
		m->record[i] = (struct record){
			.step = i + 1,
			.loss = (float)(2.3 * exp(-t / 260.0) + 0.4 + swing),
			.accuracy = (float)(0.85 - 0.75 * exp(-t / 240.0) + swing),
			.quality = warm ? NAN : (float)(0.80 - 0.72 * exp(-t / 250.0) + 1.5 * swing),
			.reward = warm ? NAN : (float)(0.78 - 0.9 * exp(-t / 220.0) + 1.5 * swing),
			.entropy = (float)(warm ? 1.0 : 0.25 + 0.75 * exp(-(t - 120.0) / 300.0)),
			.learning_rate = 0.05f,
		};
		m->record[i].cost[0] = (float)(2.0e8 * (1.0 + (warm ? 0.9 : 0.9 * exp(-(t - 120.0) / 90.0)) + 3 * swing));
		m->record[i].modal_cost[0] = (float)(2.0e8 * (warm ? 1.9 : 1.05 + 0.85 * exp(-floor((t - 120.0) / 40.0) / 2.0)));
		m->record[i].cost[1] = m->record[i].cost[0] / 5000.0f;
		m->record[i].modal_cost[1] = m->record[i].modal_cost[0] / 5000.0f;
		for (int d = 0; d < m->info.slots; d++) {
			int final = m->now[d].modal, away = warm ? 0 : (int)((t - 120.0) / 100.0);
			int option = away >= abs(final - 3) ? final : final > 3 ? 3 + away : 3 - away;
			m->modal[i * m->info.slots + d] = (uint8_t)option;
		}
	}
}

static void made_front(struct made *m)
{
	static const struct {
		enum point_origin origin;
		const char *label;
		double accuracy, cost;
	} points[] = {
		{POINT_UNIFORM, "int2", 0.412, 5.0e7},
		{POINT_UNIFORM, "int3", 0.655, 1.13e8},
		{POINT_SAMPLED, "", 0.701, 1.4e8},
		{POINT_SAMPLED, "", 0.733, 1.7e8},
		{POINT_UNIFORM, "int4", 0.741, 2.01e8},
		{POINT_MODAL, "modal", 0.771, 2.11e8},
		{POINT_SAMPLED, "", 0.752, 2.5e8},
		{POINT_UNIFORM, "int5", 0.768, 3.14e8},
		{POINT_SAMPLED, "", 0.779, 3.6e8},
		{POINT_UNIFORM, "int6", 0.781, 4.52e8},
		{POINT_UNIFORM, "int7", 0.785, 6.15e8},
		{POINT_UNIFORM, "int8", 0.787, 8.04e8},
	};
	int count = (int)(sizeof points / sizeof *points);
	for (int i = 0; i < count; i++) {
		struct front_point *p = &m->point[i];
		p->origin = points[i].origin;
		snprintf(p->label, sizeof p->label, "%s", points[i].label);
		p->accuracy = points[i].accuracy;
		p->loss = 2.3 - 2 * p->accuracy;
		p->cost[0] = points[i].cost;
		p->cost[1] = points[i].cost / 5000;
		p->step = 640;
		for (int d = 0; d < m->info.slots; d++)
			m->choices[i][d] = p->origin == POINT_MODAL ? m->now[d].modal : 0;
		p->choice = m->choices[i];
	}
	m->snapshot.points = count;
	m->snapshot.point = m->point;
}

// A policy that settles on int4 step by step; a row for every fifth.
static const struct policy_row *settling_policy(void *session, int slot, int *rows)
{
	static struct policy_row row[MADE_RECORDS / 5];
	(void)session;
	(void)slot;
	*rows = sizeof row / sizeof *row;
	for (int i = 0; i < *rows; i++) {
		const float part = (float)i / (float)(*rows - 1);
		row[i] = (struct policy_row){.step = 5 * i + 1,
			.lane = 1,
			.probability = {0.1f * (1 - part), 0.1f, 0.8f * part, 0.1f * (1 - part), 0.1f * (1 - part), 0,
				0.6f * (1 - part)}};
	}
	return row;
}

static struct made *made_new(int layers, bool ascii)
{
	struct made *m = calloc(1, sizeof *m);
	assert_non_null(m);
	m->info = (struct engine_info){.net = "resnet8",
		.data = "glyphs",
		.space = "wide",
		.preset = "live",
		.seed = 1,
		.threads = 2,
		.batch = 64,
		.layers = layers,
		.layer = m->layer,
		.slots = 2 * layers,
		.formats = 2 * layers,
		.slot = m->slot,
		.image_h = 32,
		.image_w = 32,
		.image_c = 3,
		.classes = 10,
		.parameters = 77850,
		.macs = 12501632,
		.kernels = "avx2"};
	made_layers(m, layers);
	struct snapshot *s = &m->snapshot;
	*s = (struct snapshot){.info = &m->info,
		.version = 9,
		.run = RUN_RUNNING,
		.phase = PHASE_SEARCH,
		.step = 640,
		.horizon = 1500,
		.warmup = 120,
		.images_per_s = 1243.7,
		.seconds_left = 44.2,
		.step_seconds = 0.051,
		.loss = 0.612,
		.accuracy = 0.794,
		.quality = 0.741,
		.reward = 0.7034,
		.advantage = 0.01,
		.entropy = 0.46,
		.learning_rate = 0.0312,
		.says = "searching 520/1380: 6 of 10 layers are nearly settled",
		.terms = 2,
		.decisions = layers,
		.slots = 2 * layers,
		.slot = m->now,
		.group = m->group};
	s->term[0] = (struct term_state){.name = "bops",
		.kind = &term_kinds[TERM_BOPS],
		.unit = "bit ops",
		.brief = "bit ops",
		.symbol = "",
		.device = "",
		.weight = 0.07,
		.targeted = true,
		.target = 2.01e8,
		.target_text = "int4",
		.modal = 2.11e8,
		.expected = 2.25e8,
		.low = 6.1e7,
		.high = 8.04e8};
	s->term[1] = (struct term_state){.name = "size",
		.kind = &term_kinds[TERM_SIZE],
		.unit = "B",
		.brief = "B",
		.symbol = "B",
		.device = "",
		.weight = 0,
		.targeted = false,
		.target_text = "",
		.modal = 31200,
		.expected = 32800,
		.low = 20100,
		.high = 77850};
	made_curves(m, 640);
	made_front(m);
	m->mark[0] = (struct mark){.step = 410, .text = "pin stem int8"};
	m->source = (struct figure_source){.snapshot = s,
		.record = m->record,
		.records = 640,
		.modal = m->modal,
		.mark = m->mark,
		.marks = 1,
		.policy = settling_policy};
	m->scene = (struct scene){.session = "2026-11-22-1843",
		.snapshot = s,
		.source = &m->source,
		.layer_cost = m->layer_cost,
		.layer = 3,
		.hint = m->hint,
		.message = "step 410: stem pinned to int8 (u takes it back)",
		.canvas = ascii ? CANVAS_ASCII : CANVAS_BRAILLE};
	struct fault f;
	assert_true(keys_begin(&m->keys, &f) && views_begin(&m->views, &f));
	m->scene.hints = keys_hints(&m->keys, CONTEXT_SEARCH, ascii, m->hint, 64);
	return m;
}

static void made_free(struct made *m)
{
	views_end(&m->views);
	keys_end(&m->keys);
	free(m);
}

static void golden(struct made *m, const char *name, int width, int height, bool ascii)
{
	struct screen s = {.ascii = ascii};
	assert_true(screen_resize(&s, width, height));
	views_draw(&m->views, &m->scene, &s);
	char *text = screen_text(&s), path[256];
	assert_non_null(text);
	for (const char *p = text; ascii && *p; p++)
		assert_true((*p >= ' ' && *p < 127) || *p == '\n');
	snprintf(path, sizeof path, "tests/screens/%s-%dx%d%s.screen", name, width, height, ascii ? "-ascii" : "");
	const char *update = getenv("UPDATE_GOLDEN");
	if (update && *update) {
		FILE *out = fopen(path, "w");
		assert_non_null(out);
		assert_true(fputs(text, out) >= 0);
		assert_int_equal(fclose(out), 0);
	} else {
		static char wanted[200 * 60 * 8];
		FILE *in = fopen(path, "r");
		if (!in)
			fail_msg("no %s: UPDATE_GOLDEN=1 writes it", path);
		wanted[fread(wanted, 1, sizeof wanted - 1, in)] = '\0';
		fclose(in);
		if (strcmp(text, wanted) != 0)
			fail_msg("%s differs; the screen is now:\n%s", path, text);
	}
	free(text);
	screen_free(&s);
}

// Whether every word of a text is on the screen, and no sign that any was cut.
static bool whole(const struct screen *s, const char *text)
{
	char *shown = screen_text(s), *copy = strdup(text), *save = NULL;
	assert_true(shown && copy);
	bool all = true;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		all &= strstr(shown, word) != NULL;
	free(shown);
	free(copy);
	return all;
}

static const int golden_size[][2] = {{80, 24}, {120, 40}, {200, 60}};

static void test_screens(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++)
		for (size_t i = 0; i < 3; i++) {
			struct made *m = made_new(MADE_LAYERS, ascii);
			golden(m, "search", golden_size[i][0], golden_size[i][1], ascii);
			made_free(m);
		}
}

static void test_screen_draft(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made *m = made_new(MADE_LAYERS, false);
		m->draft[2 * 3] = m->draft[2 * 3 + 1] = 3;
		m->draft[2 * 5] = m->draft[2 * 5 + 1] = 2;
		m->draft_cost[0] = 2.34e8;
		m->draft_cost[1] = 32500;
		m->scene.draft = m->draft;
		m->scene.draft_cost = m->draft_cost;
		m->scene.message = NULL;
		m->scene.hints = keys_hints(&m->keys, CONTEXT_DRAFT, false, m->hint, 64);
		golden(m, "draft", golden_size[i][0], golden_size[i][1], false);
		made_free(m);
	}
}

static void test_screen_start(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	m->snapshot.run = RUN_PAUSED;
	m->snapshot.phase = PHASE_WARMUP;
	m->snapshot.step = 0;
	m->snapshot.images_per_s = m->snapshot.seconds_left = 0;
	m->snapshot.entropy = 1;
	m->snapshot.points = 0;
	m->source.records = 0;
	m->source.marks = 0;
	snprintf(m->snapshot.says, sizeof m->snapshot.says, "paused before the first step");
	m->scene.layer_cost = NULL;
	m->scene.message = NULL;
	golden(m, "start", 80, 24, false);
	m->snapshot.run = RUN_RUNNING; // the first step is not done yet
	snprintf(m->snapshot.says, sizeof m->snapshot.says, "warm-up 0/120: pins count, the policy waits");
	golden(m, "starting", 80, 24, false);
	made_free(m);
}

// Choices of the architecture: one block is not there, one choice is pinned, one restricted.
static void made_choices(struct made *m)
{
	static const struct {
		const char *name, *kind, *options[4];
		int owner, modal, allowed; // owner: among them; -1: none
		double sure;
	} choice[MADE_CHOICES] = {
		{"stem.width", "width", {"8", "16", "24", "32"}, -1, 2, 15, 0.6},
		{"s1b1.kernel", "kernel", {"3", "5", "7"}, -1, 0, 7, 0.45},
		{"s2b1.depth", "depth", {"off", "on"}, -1, 0, 3, 0.8},
		{"s2b1.kernel", "kernel", {"3", "5", "7"}, 2, 1, 3, 0.7},
		{"s3b1.depth", "depth", {"off", "on"}, -1, 1, 3, 0.97},
		{"s3b1.kernel", "kernel", {"3", "5", "7"}, 4, 2, 4, 1},
		{"s3b1.expand", "expand", {"0.5", "1"}, 4, 1, 3, 0.52},
		{"s3b1.act", "act", {"relu", "swish"}, 4, 0, 3, 0.66},
	};
	const int formats = m->info.formats;
	for (int i = 0; i < MADE_CHOICES; i++) {
		struct slot_info *slot = &m->slot[formats + i];
		struct slot_state *now = &m->now[formats + i];
		*slot = (struct slot_info){.kind = choice[i].kind, .layer = -1, .option = m->chosen[i]};
		snprintf(slot->name, sizeof slot->name, "%s", choice[i].name);
		slot->owner = choice[i].owner < 0 ? -1 : formats + choice[i].owner;
		slot->when = choice[i].owner < 0 ? 0 : 2;
		for (; slot->options < 4 && choice[i].options[slot->options]; slot->options++)
			snprintf(m->chosen[i][slot->options].name, sizeof m->chosen[i]->name, "%s",
				choice[i].options[slot->options]);
		*now = (struct slot_state){.modal = (uint8_t)choice[i].modal,
			.result = (uint8_t)choice[i].modal,
			.allowed = (uint32_t)choice[i].allowed,
			.there = i != 3,
			.decision = MADE_LAYERS + i,
			.group = -1};
		int others = __builtin_popcount(now->allowed) - 1;
		for (int o = 0; o < slot->options; o++)
			now->probability[o] = o == choice[i].modal ? (float)choice[i].sure
				: now->allowed >> o & 1            ? (float)((1 - choice[i].sure) / others)
								   : 0;
		m->draft[formats + i] = now->modal;
	}
	for (int l = 3; l < 6; l++) { // those of the block that is not there
		m->layer[l].owned = true;
		for (int half = 0; half < 2; half++) {
			m->slot[2 * l + half].owner = formats + 2;
			m->slot[2 * l + half].when = 2;
			m->now[2 * l + half].there = false;
		}
		m->layer_cost[l] = 0;
	}
	m->info.slots = m->snapshot.slots = formats + MADE_CHOICES;
	m->snapshot.decisions += MADE_CHOICES;
	m->source.modal = NULL; // a row of it is of the formats alone
}

static void test_screen_slots(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof golden_size / sizeof *golden_size; i++) {
		struct made *m = made_new(MADE_LAYERS, false);
		made_choices(m);
		golden(m, "slots", golden_size[i][0], golden_size[i][1], false);
		// In the view, with a draft that brings the block back.
		m->views.focus = views_of(&m->views, &view_slots);
		m->scene.focus = &view_slots;
		m->scene.slot = 2;
		m->scene.draft = m->draft;
		m->scene.draft_cost = m->draft_cost;
		m->draft[m->info.formats + 2] = 1;
		m->draft_cost[0] = 2.34e8;
		m->draft_cost[1] = 32500;
		m->scene.hints = keys_hints(&m->keys, CONTEXT_DRAFT, false, m->hint, 64);
		golden(m, "slots-draft", golden_size[i][0], golden_size[i][1], false);
		made_free(m);
	}
	struct made *m = made_new(MADE_LAYERS, true);
	made_choices(m);
	golden(m, "slots", 80, 24, true);
	made_free(m);
}

// Without choices there is nothing of them; with some, the view has rows of its own.
static void test_no_choices_no_view(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	int view = views_of(&m->views, &view_slots), first = m->views.focus;
	struct fault f;
	assert_true(screen_resize(&s, 80, 24));
	m->views.focus = view;
	views_draw(&m->views, &m->scene, &s);
	assert_true(m->views.item[view].got == 0 && m->views.view[view].absent && m->views.focus == first);
	made_choices(m);
	views_draw(&m->views, &m->scene, &s);
	assert_true(m->views.item[view].got == 1 && !m->views.view[view].absent);
	void *own = m->views.view[view].own;
	view_slots.move(own, &m->scene, MOTION_DOWN, 3);
	assert_int_equal(m->scene.slot, 1);
	assert_true(view_slots.select(own, &m->scene, "s3b1.act") && m->scene.slot == 7);
	assert_false(view_slots.select(own, &m->scene, "s3b1"));
	assert_true(view_slots.table(own, &m->scene, table_filter, "*.kernel", &f));
	assert_int_equal(m->scene.slot, 5);
	assert_true(view_slots.table(own, &m->scene, table_mark, "all", &f));
	assert_true(views_marked(&m->views, view, 1) && views_marked(&m->views, view, 5) && !views_marked(&m->views, view, 0));
	screen_free(&s);
	made_free(m);
}

// The blocks take less room where there is less: without the stages' names, and then as kernels alone. A draft is seen at once.
static void test_blocks_fit(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {.ascii = true};
	static const struct {
		int width;
		const char *text;
	} form[] = {{40, " s1 3@  s2 --  s3 3@"}, {10, " 3@ -- 3@"}, {6, " 3 - 3"}, {4, " 3 -"}};
	assert_true(screen_resize(&s, 60, 2));
	assert_false(blocks_there(&m->scene)); // nothing is to be chosen but formats
	made_choices(m);
	assert_true(blocks_there(&m->scene));
	for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
		screen_clear(&s);
		draw_blocks(&m->scene, &s, 1, 0, form[i].width);
		char *text = screen_text(&s);
		text[strcspn(text, "\n")] = '\0';
		for (size_t k = strlen(text); k > 0 && text[k - 1] == ' ';)
			text[--k] = '\0';
		assert_string_equal(text, form[i].text);
		free(text);
	}
	// The block comes back in a draft, narrower than it may be and with another kernel.
	static struct layer_info now[MADE_LAYERS];
	memcpy(now, m->layer, sizeof now);
	for (int l = 3; l < 6; l++) {
		now[l].kernel_h = now[l].kernel_w = l == 3 ? 5 : 1;
		now[l].out_c = 4;
	}
	m->scene.layer_now = now;
	m->scene.draft = m->draft;
	m->draft[m->info.formats + 2] = 1;
	screen_clear(&s);
	draw_blocks(&m->scene, &s, 1, 0, 40);
	char *text = screen_text(&s);
	assert_non_null(strstr(text, "s2 5"));
	assert_null(strstr(text, "s2 5@"));
	free(text);
	screen_free(&s);
	made_free(m);
}

// A point of the front that is in hand says what it is, its architecture too; it stays in hand while others come.
static void test_front_in_hand(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	made_choices(m);
	uint8_t choice[16][2 * MADE_LAYERS + MADE_CHOICES] = {{0}};
	for (int i = 0; i < m->snapshot.points; i++) {
		choice[i][m->info.formats] = 3; // stem.width
		choice[i][m->info.formats + 4] = 1;
		m->point[i].choice = choice[i];
	}
	const int view = views_of(&m->views, &view_front);
	void *own = m->views.view[view].own;
	assert_true(screen_resize(&s, 200, 60));
	views_draw(&m->views, &m->scene, &s);
	char *text = screen_text(&s);
	assert_null(strstr(text, "s1b1 3"));
	free(text);
	view_front.move(own, &m->scene, MOTION_FIRST, 1);
	view_front.move(own, &m->scene, MOTION_DOWN, 1);
	views_draw(&m->views, &m->scene, &s);
	text = screen_text(&s);
	char head[64];
	snprintf(head, sizeof head, ": %.2f %%, ", 100 * m->point[1].accuracy);
	assert_non_null(strstr(text, head));
	assert_non_null(strstr(text, "; stem 32, s1b1 3, s2b1 off, s3b1 on/3/0.5/relu"));
	free(text);
	// One more in front of it.
	memmove(m->point + 1, m->point, (size_t)m->snapshot.points * sizeof *m->point);
	m->point[0].cost[0] /= 2;
	m->point[0].choice = choice[15];
	m->snapshot.points++;
	m->snapshot.version++;
	views_draw(&m->views, &m->scene, &s);
	text = screen_text(&s);
	assert_non_null(strstr(text, head));
	free(text);
	screen_free(&s);
	made_free(m);
}

// Three lanes; the second is shown, the third was added when others had come and gone.
static void made_lanes(struct made *m)
{
	static const struct {
		int number, place;
		const char *name, *text;
		double target, modal, expected, quality, entropy;
		long steps;
	} lanes[] = {
		{1, 0, "bops int4", "int4", 2.01e8, 2.11e8, 2.25e8, 0.741, 0.46, 240},
		{2, 1, "bops 0.5x", "0.5x", 4.02e8, 3.91e8, 4.1e8, 0.772, 0.52, 230},
		{11, 3, "bops 0.2x, size 0.5x", "0.2x", 1.61e8, 2.3e8, NAN, NAN, 0.61, 0},
	};
	struct snapshot *s = &m->snapshot;
	s->lanes = 3;
	s->focus = 2;
	for (int i = 0; i < 3; i++) {
		struct lane_state *lane = &s->lane[i];
		*lane = (struct lane_state){.number = lanes[i].number,
			.place = lanes[i].place,
			.focus = i == 1,
			.searcher = "reinforce",
			.steps = lanes[i].steps,
			.quality = lanes[i].quality,
			.entropy = lanes[i].entropy};
		snprintf(lane->name, sizeof lane->name, "%s", lanes[i].name);
		snprintf(lane->target_text[0], sizeof lane->target_text[0], "%s", lanes[i].text);
		lane->weight[0] = 0.07;
		lane->target[0] = lanes[i].target;
		lane->modal[0] = lanes[i].modal;
		lane->expected[0] = lanes[i].expected;
		lane->modal[1] = lane->modal[0] / 6500;
		lane->expected[1] = lane->expected[0] / 6500;
	}
	for (int i = 0; i < s->points; i++)
		if (m->point[i].origin != POINT_UNIFORM)
			m->point[i].lane = m->point[i].cost[0] < 1.5e8 ? 5 : m->point[i].cost[0] < 2.3e8 ? 1 : 2;
	m->point[6].origin = POINT_MODAL;
}

static void test_screen_lanes(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		struct made *m = made_new(MADE_LAYERS, ascii);
		made_lanes(m);
		m->views.focus = views_of(&m->views, &view_lanes);
		m->scene.focus = &view_lanes;
		m->scene.lane = 2;
		m->scene.hints = keys_hints(&m->keys, CONTEXT_SEARCH, ascii, m->hint, 64);
		golden(m, "lanes", 80, 24, ascii);
		golden(m, "lanes", 120, 40, ascii);
		made_free(m);
	}
}

static void drawn_at(struct made *m, int width, int height)
{
	struct screen s = {.ascii = m->scene.canvas == CANVAS_ASCII};
	assert_true(screen_resize(&s, width, height));
	views_draw(&m->views, &m->scene, &s);
	screen_free(&s);
}

// The choice of any step: the cursor moves by a column, from change to change, and stands where it was told.
static void test_screen_history(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		struct made *m = made_new(MADE_LAYERS, ascii);
		int view = views_of(&m->views, &view_history);
		void *own = m->views.view[view].own;
		drawn_at(m, 80, 24);
		assert_true(m->views.view[view].absent); // it is a page
		m->views.focus = view;
		m->scene.focus = &view_history;
		m->scene.hints = keys_hints(&m->keys, CONTEXT_HISTORY, ascii, m->hint, 64);
		drawn_at(m, 80, 24);
		long last = m->record[639].step;
		assert_int_equal(m->scene.step, last);
		view_history.move(own, &m->scene, MOTION_PAGE_UP, 1);
		golden(m, "history", 80, 24, ascii);
		assert_int_equal(m->scene.step, m->mark[0].step);
		view_history.move(own, &m->scene, MOTION_LEFT, 1);
		drawn_at(m, 80, 24);
		assert_true(m->scene.step < m->mark[0].step);
		view_history.move(own, &m->scene, MOTION_PAGE_DOWN, 1);
		view_history.move(own, &m->scene, MOTION_DOWN, 1);
		golden(m, "history", 120, 40, ascii);
		assert_true(view_history.select(own, &m->scene, "100"));
		drawn_at(m, 60, 20);
		assert_int_equal(m->scene.step, 100);
		assert_false(view_history.select(own, &m->scene, "0"));
		assert_false(view_history.select(own, &m->scene, "641"));
		assert_false(view_history.select(own, &m->scene, "1x"));
		view_history.move(own, &m->scene, MOTION_FIRST, 1);
		drawn_at(m, 60, 20);
		assert_int_equal(m->scene.step, 1);
		view_history.move(own, &m->scene, MOTION_LAST, 1);
		struct string line = {0};
		assert_true(view_history.select(own, &m->scene, "100"));
		drawn_at(m, 80, 24);
		assert_true(view_history.open(own, &m->scene, &line));
		assert_string_equal(line.bytes, "fork 100 as 2026-11-22-1843@100");
		string_free(&line);
		struct fault f;
		assert_true(view_history.enter(own, &m->scene, &f));
		m->source.records = 0; // nothing yet
		drawn_at(m, 80, 24);
		view_history.move(own, &m->scene, MOTION_LEFT, 1);
		assert_false(view_history.enter(own, &m->scene, &f));
		made_free(m);
	}
}

// Three entrants of a race.
static struct sheet *made_race(void)
{
	static const char *const head[] = {"entrant", "network", "aim", "seeds", "cost", "test %", "to the hull", ""};
	static const bool left[] = {true, true, true, false, false, false, false, true};
	static char *cell[] = {"uniform", "resnet8:width=0.5", "int4", "3", "51.8 M bit ops", "58.10 ±0.31", "+0.00 ±0.31",
		"on the hull", "reinforce", "resnet8", "int4", "3", "183.5 M bit ops", "63.20 ±0.42", "+0.51 ±0.40", "",
		"sensitivity-exact", "resnet8", "int4", "2", "197 M bit ops", "64.02 ±0.11", "+0.64 ±0.12", ""};
	const struct answer a = {.above = "", .below = "", .columns = 8, .rows = 3, .head = head, .left = left, .cell = cell};
	struct sheet *sheet = sheet_new(&a);
	assert_non_null(sheet);
	return sheet;
}

static void test_screen_race(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct sheet *older = made_race();
	struct fault f;
	m->scene.race = older;
	m->scene.race_title = "hull.race: 8 of 9 runs are finished; cost: bops";
	golden(m, "race", 80, 24, false);
	m->views.zoomed = m->views.focus = views_of(&m->views, &view_race);
	m->scene.focus = &view_race;
	// A newer answer is sorted as the older one was.
	assert_true(view_race.table(NULL, &m->scene, table_sort, "entrant", &f));
	m->scene.race = made_race();
	sheet_follow(m->scene.race, older);
	sheet_free(older);
	golden(m, "race", 120, 40, false);
	sheet_free(m->scene.race);
	made_free(m);
}

// ---- a slice of a pod, and its racks

static char *drawn(struct made *m, struct screen *s);

// The call of a report's words; `words` keeps them.
static struct command_call call_of(const char *line, struct words *words)
{
	struct fault f;
	assert_true(words_split(words, line, &f));
	return (struct command_call){.argc = words->count, .argv = words->word};
}

static void made_slice(struct made *m, const char *line, struct slice_question *q)
{
	struct words words;
	struct command_call call = call_of(line, &words);
	assert_true(session_slice_question(&call, q));
	words_free(&words);
	m->scene.slice = q;
	m->scene.slices++;
	m->views.focus = views_of(&m->views, &view_slice);
	m->scene.focus = &view_slice;
	m->scene.hints = keys_hints(&m->keys, CONTEXT_SLICE, m->scene.canvas == CANVAS_ASCII, m->hint, 64);
}

static struct racks *made_racks(struct made *m, const char *line, int days, struct racks *before)
{
	struct words words;
	struct fault f;
	struct command_call call = call_of(line, &words);
	static const struct racks_set usual = {{"0", "99.5", "0", "mix"}};
	struct racks *r = racks_read(&call, &usual);
	assert_non_null(r);
	assert_true(!before || racks_after(r, &before->trail));
	assert_true(racks_begin(r, before, &f));
	words_free(&words);
	for (int i = 0; i < days; i++)
		assert_true(racks_day(r, &f));
	m->scene.racks = r;
	m->views.focus = views_of(&m->views, &view_racks);
	m->scene.focus = &view_racks;
	m->scene.hints = keys_hints(&m->keys, CONTEXT_RACKS, m->scene.canvas == CANVAS_ASCII, m->hint, 64);
	return r;
}

static void test_screen_slice(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		struct made *m = made_new(MADE_LAYERS, ascii);
		struct slice_question q;
		struct fault f;
		void *own = m->views.view[views_of(&m->views, &view_slice)].own;
		made_slice(m, "4x4x8 twisted on tpu_v4", &q);
		// From the chip at the corner over its wrap to where that lands, and back by another way.
		assert_true(view_slice.mark(own, &m->scene, "", &f));
		view_slice.move(own, &m->scene, MOTION_UP, 1);
		view_slice.move(own, &m->scene, MOTION_RIGHT, 1);
		for (size_t i = 0; i < (ascii ? 1 : sizeof golden_size / sizeof *golden_size); i++)
			golden(m, "slice", golden_size[i][0], golden_size[i][1], ascii);
		made_slice(m, "4x4x8 failed=z+1,1,3", &q);
		for (size_t i = 0; i < (ascii ? 1 : sizeof golden_size / sizeof *golden_size); i++)
			golden(m, "slice-links", golden_size[i][0], golden_size[i][1], ascii);
		made_slice(m, "4x4x8 twisted split=z4", &q); // two jobs
		golden(m, "slice-jobs", 80, 24, ascii);
		if (!ascii)
			golden(m, "slice-jobs", 120, 40, false);
		made_slice(m, "8x16x16 twisted", &q);
		if (!ascii)
			golden(m, "slice-blocks", 120, 40, false);
		made_slice(m, "4x4x8 failed=z+1,1,3 routing=dimension", &q); // cannot be worked out, and says so
		if (!ascii)
			golden(m, "slice-refused", 80, 24, false);
		made_free(m);
	}
}

// The cursor follows links; a chip is taken by its place; what is marked can be unmarked; any shape is drawn at any size.
static void test_slice_acting(void **state)
{
	(void)state;
	static const char *const line[] = {"4x4x8 twisted", "16x16 on tpu_v5e", "1x2x2", "2x4x4 axis=z", "1x1x1", "16x16x16",
		"4x4x256", "8x16 on tpu_v5e failed=y+0,3,3", "32x32 on tpu_v3", "8x16x16 twisted failed=z+0,0,15",
		"1x1x2 failed=z+0,0,0"};
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	struct slice_question q;
	struct fault f;
	int view = views_of(&m->views, &view_slice);
	void *own = m->views.view[view].own;
	assert_false(view_slice.select(own, &m->scene, "links"));
	assert_false(view_slice.mark(own, &m->scene, "", &f));
	made_slice(m, "4x4x8 twisted", &q);
	assert_true(screen_resize(&s, 120, 40));
	assert_true(view_slice.select(own, &m->scene, "3,1,7"));
	free(drawn(m, &s));
	assert_true(whole(&s, "Chip 3,1,7") && whole(&s, "\u2192 z+4: 0,1,3"));
	view_slice.move(own, &m->scene, MOTION_PAGE_DOWN, 1); // up along x
	free(drawn(m, &s));
	assert_true(whole(&s, "Chip 0,1,3"));
	assert_true(view_slice.mark(own, &m->scene, "", &f));
	view_slice.move(own, &m->scene, MOTION_PAGE_UP, 1);
	free(drawn(m, &s));
	assert_true(whole(&s, "Chip 3,1,7 to 0,1,3") && whole(&s, "1 hops, 1 shortest path"));
	assert_true(view_slice.mark(own, &m->scene, "none", &f) && !view_slice.mark(own, &m->scene, "all", &f));
	assert_false(view_slice.select(own, &m->scene, "4,0,0") || view_slice.select(own, &m->scene, "-1,0,0") ||
		view_slice.select(own, &m->scene, "1,1") || view_slice.select(own, &m->scene, "1,1,1,1"));
	struct rect r = m->views.item[view].pane[0];
	assert_true(views_click(&m->views, &m->scene, r.x + 2 + 4, r.y + 2 + 1)); // in the first plane
	free(drawn(m, &s));
	assert_true(whole(&s, "Chip 0,1,1"));
	for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
		made_slice(m, line[i], &q);
		for (int links = 0; links < 2; links++) {
			assert_true(view_slice.select(own, &m->scene, links ? "links" : "hops"));
			assert_true(view_slice.mark(own, &m->scene, "", &f));
			for (int motion = 0; motion < MOTIONS; motion++) {
				view_slice.move(own, &m->scene, (enum motion)motion, 3);
				assert_true(screen_resize(&s, 60 + motion * 17, 16 + motion * 6));
				free(drawn(m, &s));
				assert_true(s.cursor && s.cursor_x < s.width && s.cursor_y < s.height);
				for (int x = 0; x < s.width; x += 9)
					views_click(&m->views, &m->scene, x, s.height / 3);
			}
		}
	}
	screen_free(&s);
	made_free(m);
}

static void test_screen_racks(void **state)
{
	(void)state;
	for (int ascii = 0; ascii < 2; ascii++) {
		struct made *m = made_new(MADE_LAYERS, ascii);
		struct racks *r = made_racks(m, "availability=99 seed=3", 9, NULL);
		for (size_t i = 0; i < (ascii ? 1 : sizeof golden_size / sizeof *golden_size); i++)
			golden(m, "racks", golden_size[i][0], golden_size[i][1], ascii);
		// Other jobs and a better availability from now on: the machines go on, the days stay.
		struct racks *next = made_racks(m, "availability=99.9 seed=3 slice=8x8x8 spares=2", 30, r);
		racks_free(r);
		assert_true(next->days == 39 && next->now[0].hours > 38 * 24);
		if (!ascii)
			golden(m, "racks-changed", 120, 40, false);
		racks_free(next);
		made_free(m);
	}
}

// What a key moves is a change of the search's settings.
static void test_racks_moved(void **state)
{
	(void)state;
	static const struct {
		const char *asked, *move, *line;
	} cases[] = {
		{"", "availability-up", "set availability 99.7"},
		{"availability=99.2", "availability-down", "set availability 99"},
		{"spares=2 window=3", "spares-down", "set spares 1"},
		{"repair=8", "spares-up", "set spares 1"},
		{"", "jobs-next", "set jobs 4x4x4"},
		{"slice=8x16x16", "jobs-next", "set jobs mix"},
		{"jobs=4x4x4:3,8x8x8:1", "spares-up", "set spares 1"},
		{"jobs=4x4x4:3,8x8x8:1", "jobs-next", "set jobs 4x4x4"},
		{"availability=100", "availability-up", ""},
	};
	struct made *m = made_new(MADE_LAYERS, false);
	struct fault f;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct string line = {0}, none = {0};
		struct racks_set before, after;
		static const struct racks_set zero = {{"-", "-", "-", "-"}};
		struct racks *r = made_racks(m, cases[i].asked, 1, NULL);
		assert_true(racks_say(r, &zero, &none, &f)); // all four, as the settings have them
		before = (struct racks_set){0};
		assert_int_equal(sscanf(none.bytes, "set day %127s availability %127s spares %127s jobs %127s", before.text[0],
					 before.text[1], before.text[2], before.text[3]),
			4);
		assert_true(racks_moved(r, cases[i].move, &after, &f));
		struct racks *next = racks_with(r, &after, &f);
		assert_true(next && racks_say(next, &before, &line, &f));
		assert_string_equal(line.bytes ? line.bytes : "", cases[i].line);
		assert_true(racks_begin(next, r, &f) && next->days == 1);
		racks_free(r);
		string_free(&line);
		assert_true(racks_say(next, &after, &line, &f) && !line.length);
		string_free(&line);
		string_free(&none);
		// What the pod has not is refused, and the racks go on.
		struct racks_set bad = after;
		snprintf(bad.text[RACKS_JOBS], sizeof bad.text[0], "4x4x4:1,5x5x5:1");
		assert_null(racks_with(next, &bad, &f));
		assert_true(racks_day(next, &f));
		racks_free(next);
	}
	struct racks *r = made_racks(m, "", 1, NULL);
	struct racks_set set;
	assert_false(racks_moved(r, "spares-down", &set, &f) || racks_moved(r, "sideways", &set, &f));
	// The same days again, day for day; another seed is another machine.
	double first = r->day[RACKS_FIXED][0];
	racks_set_by(r, &set);
	snprintf(set.text[RACKS_DAY], sizeof set.text[0], "0");
	struct racks *again = racks_with(r, &set, &f);
	assert_true(again && racks_begin(again, r, &f) && again->days == 0 && racks_day(again, &f));
	racks_free(r);
	r = again;
	assert_true(r->day[RACKS_FIXED][0] >= first && r->day[RACKS_FIXED][0] <= first);
	struct racks *other = made_racks(m, "seed=2", 0, r);
	assert_true(other->days == 1 && r->clock[0]); // on the same day
	racks_free(r);
	// The newest days are remembered.
	for (int i = 0; i < RACKS_DAYS + 20; i++)
		assert_true(racks_day(other, &f));
	assert_int_equal(other->days, RACKS_DAYS);
	struct screen s = {0};
	for (int width = 60; width < 250; width += 37)
		for (int height = 16; height < 80; height += 11) {
			assert_true(screen_resize(&s, width, height));
			free(drawn(m, &s));
		}
	screen_free(&s);
	racks_free(other);
	other = made_racks(m, "on tpu_v5p", 2, NULL); // 140 blocks
	assert_true(screen_resize(&s, 80, 24));
	free(drawn(m, &s));
	screen_free(&s);
	racks_free(other);
	made_free(m);
}

static struct racks_set racks_today(long day, const char *availability, const char *jobs)
{
	struct racks_set set = {0};
	snprintf(set.text[RACKS_DAY], ENGINE_TEXT, "%ld", day);
	snprintf(set.text[RACKS_AVAILABILITY], ENGINE_TEXT, "%s", availability);
	snprintf(set.text[RACKS_SPARES], ENGINE_TEXT, "0");
	snprintf(set.text[RACKS_JOBS], ENGINE_TEXT, "%s", jobs);
	return set;
}

static bool same_racks(const struct racks *a, const struct racks *b)
{
	bool same = a->days == b->days && a->trail.day == b->trail.day;
	for (int m = 0; same && m < RACKS_MACHINES; m++)
		same = memcmp(a->day[m], b->day[m], (size_t)a->days * sizeof *a->day[m]) == 0 &&
			a->now[m].run.failures == b->now[m].run.failures && a->now[m].run.jobs == b->now[m].run.jobs &&
			memcmp(a->letter[m], b->letter[m], sizeof a->letter[m]) == 0 &&
			memcmp(&a->now[m].run.busy, &b->now[m].run.busy, sizeof a->now[m].run.busy) == 0;
	return same;
}

// Racks that were moved by hand, day by day, are those that their trail makes from nothing; so is what goes back and on again.
static void test_racks_by_their_trail(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct fault f;
	struct trail trail = {0};
	const struct racks_set step[] = {racks_today(0, "99.5", "mix"), racks_today(4, "99", "mix"),
		racks_today(9, "99", "8x8x8"), racks_today(9, "99", "4x4x4:3,8x8x8:1"), racks_today(30, "99.9", "mix"),
		racks_today(12, "99.9", "mix"), racks_today(20, "99.9", "mix"), racks_today(0, "98", "mix"),
		racks_today(6, "98", "mix")};
	struct racks *moved = made_racks(m, "", 0, NULL), *first = made_racks(m, "", 0, NULL);
	for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
		assert_true(trail_set(&trail, &step[i]));
		while (moved->trail.day < racks_set_day(&step[i]))
			assert_true(racks_day(moved, &f));
		struct racks *next = racks_with(moved, &step[i], &f), *made = racks_by(first, &trail, &f);
		assert_true(next && racks_begin(next, moved, &f) && made && racks_begin(made, NULL, &f));
		racks_free(moved);
		moved = next;
		if (!same_racks(moved, made))
			fail_msg("at step %zu the racks are other ones than their trail makes", i);
		assert_int_equal(made->trail.day, racks_set_day(&step[i]));
		racks_free(made);
	}
	assert_int_equal(trail.legs, 1);
	// There is a last day.
	struct racks_set last = racks_today(RACKS_LAST, "99.9", "8x8x8");
	struct racks *late = racks_with(first, &last, &f);
	assert_true(late && racks_begin(late, NULL, &f));
	assert_false(racks_day(late, &f));
	racks_free(late);
	racks_free(moved);
	racks_free(first);
	trail_free(&trail);
	made_free(m);
}

// A lane's number is in its colour, and its points on the front have both; where there is no colour, the number is left.
static void test_lanes_look_alike(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	made_lanes(m);
	assert_true(screen_resize(&s, 200, 60));
	views_draw(&m->views, &m->scene, &s);
	struct rect list = m->views.item[views_of(&m->views, &view_lanes)].pane[0];
	struct rect front = m->views.item[views_of(&m->views, &view_front)].pane[0];
	int in_list[LANE_COLOURS] = {0}, on_front[LANE_COLOURS] = {0};
	for (int y = 0; y < s.height; y++)
		for (int x = 0; x < s.width; x++) {
			const struct screen_cell *c = &s.cell[y * s.width + x];
			int colour = (int)c->style - STYLE_LANE;
			if (colour < 0 || colour >= LANE_COLOURS || c->glyph == ' ')
				continue;
			if (x < list.x + list.width && y >= list.y && y < list.y + list.height)
				in_list[colour]++;
			if (x >= front.x && y < front.y + front.height)
				on_front[colour] += c->glyph == (uint32_t)(colour == 3 ? 'b' : '1' + colour);
		}
	assert_true(in_list[0] == 1 && in_list[1] == 1 && in_list[2] == 0 && in_list[3] == 3); // 1, 2, b 11
	assert_true(on_front[0] >= 2 && on_front[1] >= 2 && on_front[2] == 0);
	screen_free(&s);
	made_free(m);
}

// With one lane there is nothing of lanes, whatever it is about; a person who was there is in the main table.
static void test_one_lane_has_no_view(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	int lanes = views_of(&m->views, &view_lanes), first = m->views.focus;
	made_lanes(m);
	assert_true(screen_resize(&s, 80, 24));
	m->views.focus = m->views.zoomed = lanes;
	views_draw(&m->views, &m->scene, &s);
	assert_true(m->views.item[lanes].got == 1 && !m->views.view[lanes].absent);
	m->snapshot.lanes = 1;
	views_draw(&m->views, &m->scene, &s);
	assert_true(m->views.item[lanes].got == 0 && m->views.view[lanes].absent);
	assert_true(m->views.focus == first && m->views.zoomed == LAYOUT_NONE);
	screen_free(&s);
	made_free(m);
}

// Terms that are priced on a device; one has no price, one a target that cannot be met.
static void made_device_terms(struct made *m)
{
	struct snapshot *s = &m->snapshot;
	s->term[1].device = "";
	s->term[2] = (struct term_state){.name = "latency",
		.kind = &term_kinds[TERM_LATENCY],
		.by_setting = true,
		.unit = "ms per 128 images on a100",
		.brief = "ms/128 img",
		.symbol = "ms",
		.device = "a100",
		.weight = 0.1,
		.targeted = true,
		.target = 2,
		.target_text = "2ms",
		.modal = 84.2,
		.expected = 91,
		.low = 71.25,
		.high = 130,
		.least = 71.25,
		.reach = TARGET_BELOW};
	snprintf(s->term[2].reach_text, sizeof s->term[2].reach_text,
		"it cannot be met: the cheapest choice that is allowed costs 71.25 ms per 128 images on a100");
	s->term[3] = (struct term_state){.name = "energy",
		.kind = &term_kinds[TERM_ENERGY],
		.by_setting = true,
		.unit = "mJ per image on a100",
		.brief = "mJ/img",
		.symbol = "mJ",
		.device = "a100",
		.target_text = "",
		.modal = 0.00042,
		.expected = 0.00051,
		.low = 0.0004,
		.high = 0.002};
	s->term[4] = (struct term_state){.name = "energy@tpu_v2",
		.kind = &term_kinds[TERM_ENERGY],
		.unit = "",
		.brief = "",
		.symbol = "",
		.device = "tpu_v2",
		.target_text = "",
		.modal = NAN,
		.expected = NAN,
		.low = NAN,
		.high = NAN};
	snprintf(s->term[4].why, sizeof s->term[4].why,
		"tpu_v2 has no table of energies and no power: give it one with `devices`");
	s->terms = 5;
	m->scene.term = 2;
}

static void test_screen_costs(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	made_device_terms(m);
	golden(m, "costs", 80, 24, false);
	golden(m, "costs", 120, 40, false);
	golden(m, "costs", 200, 60, false);
	// The same facts at every width: unit, batch and device, the value, the sign of a target that cannot be met.
	for (int height = LAYOUT_MIN_HEIGHT; height < 70; height += 3)
		for (int width = LAYOUT_MIN_WIDTH; width < 220; width += 5) {
			assert_true(screen_resize(&s, width, height));
			views_draw(&m->views, &m->scene, &s);
			assert_true(whole(&s, "latency/128 img a100 latency 84.2ms 2ms !"));
			assert_true(whole(&s, m->snapshot.term[2].reach_text));
			assert_true(height < 46 || whole(&s, "420nJ"));
		}
	m->scene.term = 4;
	assert_true(screen_resize(&s, 80, 24));
	views_draw(&m->views, &m->scene, &s);
	assert_true(whole(&s, m->snapshot.term[4].why) && !whole(&s, "met: cheapest"));
	screen_free(&s);
	made_free(m);
}

static int count_marks(const struct screen *s, const char *mark)
{
	char *text = screen_text(s);
	int count = 0;
	for (const char *p = text; (p = strstr(p, mark)); p += strlen(mark))
		count++;
	free(text);
	return count;
}

// Target, modal choice and draft are on the slider whatever they cost and however little the costs spread.
static void test_slider(void **state)
{
	(void)state;
	static const double cost[][5] = {
		// low, high, target, modal, draft
		{1, 9, 3, 3, 3},
		{1, 9, 1, 1.01, 1.02},
		{1, 9, 9, 9, 9},
		{5, 5, 5, 5, 5},
		{5, 5, 4, 5, 6},
		{1, 9, 1e-300, 3, 1e300},
		{0, 9, 3, 0, 9},
		{0, 0, 0.1, 0, 0},
	};
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	m->snapshot.terms = 1;
	m->scene.draft = m->draft;
	m->scene.draft_cost = m->draft_cost;
	for (int width = 180; width < 230; width += 7) {
		assert_true(screen_resize(&s, width, 50));
		for (size_t i = 0; i < sizeof cost / sizeof *cost; i++) {
			struct term_state *t = &m->snapshot.term[0];
			t->low = cost[i][0];
			t->high = cost[i][1];
			t->target = cost[i][2];
			t->modal = cost[i][3];
			m->draft_cost[0] = cost[i][4];
			m->views.zoomed = views_of(&m->views, &view_costs);
			views_draw(&m->views, &m->scene, &s);
			assert_int_equal(count_marks(&s, glyph(false, GLYPH_SLIDER_TARGET)), 1);
			assert_int_equal(count_marks(&s, glyph(false, GLYPH_SLIDER_MODAL)), 1);
			assert_int_equal(count_marks(&s, glyph(false, GLYPH_SLIDER_DRAFT)), 1);
		}
	}
	screen_free(&s);
	made_free(m);
}

// Weights and activations apart, and the layers of a stage in a group: with its pinned weights, restricted input.
static void test_screen_split(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct snapshot *s = &m->snapshot;
	s->split = true;
	s->decisions = 2 * MADE_LAYERS - 4;
	s->groups = 1;
	m->group[0] = (struct group_state){"stage2", "s2*"};
	for (int i = 0; i < s->slots; i++) {
		struct slot_state *now = &m->now[i];
		bool grouped = i / 2 >= 3 && i / 2 <= 5;
		if (i % 2 && !grouped) {
			float widest = now->probability[MADE_OPTIONS - 1];
			memmove(now->probability + 1, now->probability, (MADE_OPTIONS - 1) * sizeof widest);
			now->probability[0] = widest;
			now->modal = (uint8_t)((now->modal + 1) % MADE_OPTIONS);
		} else if (grouped) {
			*now = m->now[6 + i % 2];
			now->group = 0;
		}
		now->decision = grouped ? 6 + i % 2 : i < 6 ? i : i - 4;
	}
	m->now[1].allowed = 0x7f;
	golden(m, "split", 80, 24, false);
	golden(m, "split", 120, 40, false);
	made_free(m);
}

static void test_screen_deep(void **state)
{
	(void)state;
	struct made *m = made_new(MOST_LAYERS, false);
	m->scene.layer = 77;
	m->scene.bad = true;
	m->scene.message = "pin: no layer is called 'stam'; did you mean 'stem'?";
	golden(m, "deep", 80, 24, false);
	golden(m, "deep", 60, 40, false); // narrow and tall
	golden(m, "deep", 200, 60, false);
	made_free(m);
}

// The names of layers in their pane: what stands between the mark and the next blank.
static int names_shown(const struct made *m, const struct screen *s, char name[][64], int most)
{
	int view = views_of(&m->views, &view_layers), count = 0;
	struct rect r = m->views.item[view].pane[0];
	for (int y = r.y + 2; y < r.y + r.height - 1 && count < most; y++, count++) {
		int at = 0;
		for (int x = r.x + 4; x < r.x + r.width && at < 60 && s->cell[y * s->width + x].glyph != ' '; x++)
			at += snprintf(name[count] + at, 8, "%lc", (wint_t)s->cell[y * s->width + x].glyph);
		if (at == 0)
			break;
	}
	return count;
}

// At every size: no two layers look alike, the layer in hand is seen, and what is too small says so with its numbers.
static void test_every_size(void **state)
{
	(void)state;
	static char name[80][64];
	struct made *m = made_new(MOST_LAYERS, false);
	struct screen s = {0};
	for (int height = 1; height <= 80; height += 1 + height / 20)
		for (int width = 1; width <= 250; width += 1 + width / 60) {
			assert_true(screen_resize(&s, width, height));
			m->scene.layer = (width * 7 + height * 13) % MOST_LAYERS;
			views_draw(&m->views, &m->scene, &s);
			if (width < LAYOUT_MIN_WIDTH || height < LAYOUT_MIN_HEIGHT)
				continue;
			int count = names_shown(m, &s, name, 80);
			assert_true(count >= 1 && s.cursor);
			for (int i = 0; i < count; i++)
				for (int k = 0; k < i; k++)
					assert_string_not_equal(name[i], name[k]);
		}
	screen_free(&s);
	made_free(m);
}

// Advice is never cut, on no screen.
static void test_advice(void **state)
{
	(void)state;
	static const char advice[] =
		"pin: the layer 'stam' is unknown; perhaps 'stem' was meant, else `layers` lists all forty-three candidates "
		"together with their decisions, groups, restrictions; afterwards try again";
	struct made *m = made_new(MADE_LAYERS, false);
	struct popup p = {0};
	struct screen s = {0};
	m->scene.draft = NULL;
	for (int height = LAYOUT_MIN_HEIGHT; height < 60; height += 5)
		for (int width = LAYOUT_MIN_WIDTH; width < 220; width += 3) {
			assert_true(screen_resize(&s, width, height));
			m->scene.message = advice;
			m->scene.bad = width % 2;
			views_draw(&m->views, &m->scene, &s);
			assert_true(whole(&s, advice));
			m->scene.message = NULL;
			snprintf(m->snapshot.says, sizeof m->snapshot.says, "%.*s", (int)sizeof m->snapshot.says - 1, advice);
			views_draw(&m->views, &m->scene, &s);
			assert_true(whole(&s, m->snapshot.says));
			snprintf(m->snapshot.says, sizeof m->snapshot.says, "searching");
			assert_true(popup_add_hanging(&p, advice, 3, 5) && popup_add(&p, advice, 0, false));
			m->scene.popup = &p;
			views_draw(&m->views, &m->scene, &s);
			assert_true(whole(&s, advice));
			popup_clear(&p);
			m->scene.popup = NULL;
		}
	// What is longer than the screen says where the rest is; tables are scrolled sideways.
	static char endless[1000];
	memset(endless, 'a', sizeof endless - 1);
	assert_true(screen_resize(&s, 60, 16));
	m->scene.message = endless;
	views_draw(&m->views, &m->scene, &s);
	assert_true(whole(&s, "`messages` shows the rest"));
	assert_true(popup_add(&p, "first    second    third    fourth    fifth    sixth    seventh    eighth", 0, false));
	m->scene.popup = &p;
	views_draw(&m->views, &m->scene, &s);
	assert_true(whole(&s, "first sideways") && !whole(&s, "eighth"));
	view_popup.move(NULL, &m->scene, MOTION_RIGHT, 1);
	view_popup.move(NULL, &m->scene, MOTION_RIGHT, 1);
	views_draw(&m->views, &m->scene, &s);
	assert_true(whole(&s, "eighth") && !whole(&s, "first"));
	popup_clear(&p);
	screen_free(&s);
	made_free(m);
}

static char *drawn(struct made *m, struct screen *s)
{
	views_draw(&m->views, &m->scene, s);
	char *text = screen_text(s);
	assert_non_null(text);
	return text;
}

// What waits for the disk is counted in the header, and a table that has more columns says how to see them.
static void test_signs(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	assert_true(screen_resize(&s, 80, 24));
	free(drawn(m, &s));
	assert_false(whole(&s, "pending"));
	m->scene.pending = 2;
	m->scene.read_only = true;
	char *text = drawn(m, &s);
	assert_non_null(strstr(text, "2 pending  read-only  "));
	assert_non_null(strstr(text, "</> columns"));
	free(text);
	m->scene.focus = &view_costs; // its columns move now
	assert_true(screen_resize(&s, 120, 40));
	m->views.focus = views_of(&m->views, &view_costs);
	text = drawn(m, &s);
	char *costs = strstr(text, "Costs"), *hint = strstr(text, "</> columns");
	assert_true(hint && costs && hint > costs);
	free(text);
	m->scene.focus = &view_layers;
	m->views.focus = views_of(&m->views, &view_layers);
	m->views.zoomed = m->views.focus;
	assert_true(screen_resize(&s, 200, 60));
	free(drawn(m, &s));
	assert_false(whole(&s, "columns"));
	screen_free(&s);
	made_free(m);
}

// What was drawn before shows in no frame: each is as if it were the first, whatever has changed and has not.
static void test_frames_are_whole(void **state)
{
	(void)state;
	enum { CHANGES = 9 };
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0}, fresh = {0};
	assert_true(screen_resize(&s, 120, 40) && screen_resize(&fresh, 120, 40));
	m->snapshot.version = 1;
	char *before = drawn(m, &s);
	for (int i = 0; i < CHANGES; i++) {
		switch (i) {
		case 0: m->source.layer = m->scene.layer = 7; break;
		case 1: m->source.term = m->scene.term = 1; break;
		case 2: m->source.marks = 0; break;
		case 3:
			m->snapshot.point[0].accuracy = 0.99;
			m->snapshot.version++;
			break;
		case 4: m->source.records /= 2; break;
		case 5: m->scene.canvas = CANVAS_BLOCK; break;
		case 6: assert_true(screen_resize(&s, 140, 50) && screen_resize(&fresh, 140, 50)); break;
		case 7:
			assert_true(screen_resize(&s, 120, 24) && screen_resize(&fresh, 120, 24));
			break; // few rows: those around the layer
		case 8: m->source.layer = m->scene.layer = 1; break;
		}
		char *kept = drawn(m, &s), *again = drawn(m, &s);
		assert_string_equal(kept, again);
		free(again);
		assert_string_not_equal(kept, before);
		free(before);
		before = kept;
		views_forget(&m->views);
		char *anew = drawn(m, &fresh);
		assert_string_equal(kept, anew);
		free(anew);
	}
	free(before);
	screen_free(&s);
	screen_free(&fresh);
	made_free(m);
}

// The wheel moves in what lies under the pointer, and in nothing behind a box.
static void test_wheel(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	struct popup box = {0};
	assert_true(screen_resize(&s, 120, 40));
	free(drawn(m, &s));
	struct rect layers = m->views.item[views_of(&m->views, &view_layers)].pane[0];
	m->scene.layer = 2;
	assert_true(views_wheel(&m->views, &m->scene, layers.x + 3, layers.y + 4, MOTION_DOWN));
	assert_int_equal(m->scene.layer, 3);
	assert_true(views_wheel(&m->views, &m->scene, layers.x + 3, layers.y + 4, MOTION_UP));
	assert_int_equal(m->scene.layer, 2);
	struct rect costs = m->views.item[views_of(&m->views, &view_costs)].pane[0];
	m->scene.term = 0;
	assert_true(views_wheel(&m->views, &m->scene, costs.x + 3, costs.y + 2, MOTION_DOWN));
	assert_int_equal(m->scene.term, 1);
	assert_int_equal(m->scene.layer, 2);
	assert_false(views_wheel(&m->views, &m->scene, 3, 0, MOTION_DOWN)); // the header
	for (int i = 0; i < 100; i++)
		assert_true(popup_add(&box, "a line", 0, false));
	m->scene.popup = &box;
	free(drawn(m, &s));
	assert_true(views_wheel(&m->views, &m->scene, layers.x + 3, layers.y + 4, MOTION_DOWN));
	assert_int_equal(m->scene.layer, 2);
	assert_int_equal(box.top, 1);
	popup_clear(&box);
	screen_free(&s);
	made_free(m);
}

// An answer that is a table: sorted, filtered, scrolled both ways; a row of it can be taken.
static void test_sheet(void **state)
{
	(void)state;
	enum { ROWS = 40, COLUMNS = 5 };
	static const char *const head[COLUMNS] = {"device", "int8", "bf16", "GB/s", "in words"};
	static const bool left[COLUMNS] = {true, false, false, false, true};
	char *cell[ROWS * COLUMNS], text[64];
	for (int i = 0; i < ROWS; i++) {
		snprintf(text, sizeof text, "chip %02d", i);
		cell[i * COLUMNS] = strdup(text);
		snprintf(text, sizeof text, "%d~", i * 37 % 100);
		cell[i * COLUMNS + 1] = strdup(i == 3 ? "-" : text);
		cell[i * COLUMNS + 2] = strdup("12.5");
		cell[i * COLUMNS + 3] = strdup("1200");
		cell[i * COLUMNS + 4] = strdup("a long text that only a wide screen has room for beside the others");
	}
	const struct answer answer = {"above\n", "below\n", COLUMNS, ROWS, head, left, cell, "devices", false};
	struct made *m = made_new(MADE_LAYERS, false);
	struct popup box = {0};
	struct screen s = {0};
	struct fault f;
	struct string line = {0};
	assert_true(screen_resize(&s, 60, 20) && popup_add_answer(&box, &answer));
	m->scene.popup = &box;
	free(drawn(m, &s));
	assert_true(whole(&s, "above below device chip int8 bf16 columns, Enter opens 1-11"));
	assert_false(whole(&s, "in words"));
	assert_true(sheet_more(box.sheet) && sheet_can_pick(box.sheet));
	for (int i = 0; i < 9; i++) // further than there are columns
		sheet_move(box.sheet, MOTION_RIGHT, 1);
	free(drawn(m, &s));
	assert_true(whole(&s, "in words chip"));
	for (int i = 0; i < 9; i++)
		sheet_move(box.sheet, MOTION_LEFT, 1);
	sheet_move(box.sheet, MOTION_LAST, 1);
	free(drawn(m, &s));
	assert_true(whole(&s, "39") && sheet_pick(box.sheet, &line));
	assert_string_equal(line.bytes, "devices \"chip 39\"");
	string_free(&line);
	// By its numbers, the largest first, and what has none last; by a part of a text, and by a number.
	assert_true(sheet_act(box.sheet, table_sort, "int8", &f));
	sheet_move(box.sheet, MOTION_FIRST, 1);
	assert_true(sheet_pick(box.sheet, &line));
	assert_string_equal(line.bytes, "devices \"chip 27\""); // 99
	string_free(&line);
	sheet_move(box.sheet, MOTION_LAST, 1);
	assert_true(sheet_pick(box.sheet, &line));
	assert_string_equal(line.bytes, "devices \"chip 03\"");
	string_free(&line);
	assert_true(sheet_act(box.sheet, table_filter, "int8>98", &f));
	free(drawn(m, &s));
	assert_true(sheet_pick(box.sheet, &line));
	assert_string_equal(line.bytes, "devices \"chip 27\"");
	string_free(&line);
	assert_true(sheet_act(box.sheet, table_filter, "", &f) && sheet_act(box.sheet, table_sort, "", &f));
	assert_false(sheet_act(box.sheet, table_sort, "nonsense", &f));
	sheet_move(box.sheet, MOTION_FIRST, 1);
	free(drawn(m, &s));
	assert_true(views_click(&m->views, &m->scene, box.table.x + 3, box.table.y + 2));
	assert_true(sheet_pick(box.sheet, &line));
	assert_string_equal(line.bytes, "devices \"chip 01\"");
	string_free(&line);
	for (int w = 1; w <= 200; w += 7) // nothing is outside, at any size
		for (int h = 1; h <= 60; h += 5) {
			assert_true(screen_resize(&s, w, h));
			free(drawn(m, &s));
		}
	popup_clear(&box);
	for (int i = 0; i < ROWS * COLUMNS; i++)
		free(cell[i]);
	screen_free(&s);
	made_free(m);
}

// Any view hidden, alone or in focus, any motion in it and a click on every place, at several sizes.
static void test_views_acting(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	struct screen s = {0};
	struct fault f;
	struct views *v = &m->views;
	made_device_terms(m);
	made_lanes(m);
	made_choices(m);
	m->scene.race = made_race();
	m->scene.race_title = "hull.race: 8 of 9 runs are finished";
	struct slice_question q;
	made_slice(m, "4x8x8 twisted", &q);
	struct racks *racks = made_racks(m, "", 3, NULL);
	point_take(&m->scene, &m->scene.point.hand, 1); // its page is there then
	for (int size = 0; size < 3; size++) {
		assert_true(screen_resize(&s, golden_size[size][0], golden_size[size][1]));
		for (int i = 0; i < VIEWS_COUNT; i++) {
			const struct view_ops *ops = v->view[i].ops;
			if (!ops->key)
				continue;
			v->view[i].hidden = true;
			views_draw(v, &m->scene, &s);
			assert_int_equal(v->item[i].got, 0);
			v->view[i].hidden = false;
			v->zoomed = v->focus = i;
			m->scene.focus = ops;
			views_draw(v, &m->scene, &s);
			assert_int_equal(v->item[i].got, 1);
			assert_int_equal(v->item[i].pane[0].width, s.width);
			v->zoomed = LAYOUT_NONE;
			views_draw(v, &m->scene, &s);
			assert_true(ops->place == LAYOUT_MAIN ||
				count_marks(&s, "\u256d\u25b8") == 1); // which one is in focus shows
			for (int motion = 0; ops->move && motion < MOTIONS; motion++) {
				ops->move(v->view[i].own, &m->scene, (enum motion)motion, views_page(v, i));
				assert_true(m->scene.layer >= 0 && m->scene.layer < MADE_LAYERS);
				assert_true(m->scene.term >= 0 && m->scene.term < m->snapshot.terms);
				assert_true(m->scene.lane >= 0 && m->scene.lane < m->snapshot.lanes);
				views_draw(v, &m->scene, &s);
			}
			assert_true(!ops->select || !ops->select(v->view[i].own, &m->scene, "no such thing"));
		}
		for (int y = 0; y < s.height; y++)
			for (int x = 0; x < s.width; x += 7)
				views_click(v, &m->scene, x, y);
	}
	// A row is taken in hand where it is seen.
	views_draw(v, &m->scene, &s);
	struct rect r = v->item[views_of(v, &view_layers)].pane[0];
	assert_true(views_click(v, &m->scene, r.x + 5, r.y + 2 + 4));
	assert_int_equal(m->scene.layer, 4);
	assert_true(views_click(v, &m->scene, r.x + 5, r.y)); // on its title: the person goes there
	assert_int_equal(v->focus, views_of(v, &view_layers));
	assert_int_equal(m->scene.layer, 4);
	r = v->item[views_of(v, &view_costs)].pane[0];
	assert_true(views_click(v, &m->scene, r.x + 5, r.y + 3));
	assert_int_equal(m->scene.term, 1);
	assert_true(view_curves.select(v->view[views_of(v, &view_curves)].own, &m->scene, "entropy"));
	views_draw(v, &m->scene, &s);
	r = v->item[views_of(v, &view_curves)].pane[1];
	assert_true(whole(&s, "Entropy"));
	assert_true(views_click(v, &m->scene, r.x + 5, r.y + 3)); // comes first
	// Filtered, sorted, marked: by the names and numbers of the layers.
	void *own = v->view[views_of(v, &view_layers)].own;
	static const struct {
		const char *filter;
		int first, last;
	} filter[] = {{"s2*", 3, 5}, {"skip macs<200k", 5, 8}, {"linear", 9, 9}, {"pinned=1", 0, 0}, {"bits<4 s3b1", 6, 7},
		{"share>20%", 0, 2}, {"rests", 3, 5}, {"", 0, 9}};
	for (size_t i = 0; i < sizeof filter / sizeof *filter; i++) {
		assert_true(view_layers.table(own, &m->scene, table_filter, filter[i].filter, &f));
		view_layers.move(own, &m->scene, MOTION_FIRST, 1);
		assert_int_equal(m->scene.layer, filter[i].first);
		view_layers.move(own, &m->scene, MOTION_LAST, 1);
		assert_int_equal(m->scene.layer, filter[i].last);
	}
	assert_false(view_layers.table(own, &m->scene, table_filter, "speed>3", &f));
	static const char *const sorts[] = {
		"layer", "macs", "weights", "share", "format", "bits", "sure", "kind", "group", "pinned", ""};
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
		assert_true(view_layers.table(own, &m->scene, table_sort, sorts[i], &f));
		views_draw(v, &m->scene, &s);
	}
	assert_true(view_layers.table(own, &m->scene, table_mark, "", &f));
	assert_true(views_marked(v, views_of(v, &view_layers), 9) && !views_marked(v, views_of(v, &view_layers), 8));
	views_draw(v, &m->scene, &s);
	assert_int_equal(count_marks(&s, glyph(false, GLYPH_MARKED)), 1);
	views_forget(v);
	assert_false(views_marked(v, views_of(v, &view_layers), 9));
	screen_free(&s);
	sheet_free(m->scene.race);
	racks_free(racks);
	made_free(m);
}

static void test_screen_popup(void **state)
{
	(void)state;
	static const struct command rows[] = {
		{.name = "pin", .usage = "LAYER FORMAT [LAYER FORMAT]...", .help = "allow one format for a layer"},
		{.name = "unpin", .usage = "LAYER...", .help = "allow every format of the space again"},
		{.name = "restrict", .usage = "LAYER FORMAT,FORMAT... [LAYER FORMAT,FORMAT...]...", .help = "allow some formats"},
	};
	struct command_group group = {"searching", rows, 3, NULL};
	struct command_table table = {.group = &group, .groups = 1};
	struct made *m = made_new(MADE_LAYERS, false);
	struct popup p = {0};
	assert_true(keys_help(&m->keys, &p, &table, CONTEXT_SEARCH, false));
	m->scene.popup = &p;
	m->scene.hints = keys_hints(&m->keys, CONTEXT_POPUP, false, m->hint, 64);
	golden(m, "help", 80, 24, false);
	golden(m, "help", 200, 60, false);
	popup_clear(&p);
	snprintf(p.title, sizeof p.title, "2 completions");
	assert_true(popup_add(&p, "s1b1.conv1  s1b1.conv2", 0, false));
	m->scene.popup_low = true;
	m->scene.prompt = ":pin s1b1.conv";
	m->scene.prompt_cursor = 14;
	m->scene.hints = keys_hints(&m->keys, CONTEXT_PROMPT, false, m->hint, 64);
	golden(m, "prompt", 80, 24, false);
	popup_clear(&p);
	made_free(m);
}

// The pages of a layer and of a point, with what the workbench works out for them.
static void test_screen_pages(void **state)
{
	(void)state;
	struct layer_page page = {.priced = true, .share = {0.27, 0.06}};
	struct layer_look look = {.layer = 3, .there = true, .images = 64, .seconds = 0.0123};
	look.weights = (struct look_values){.count = 4608, .mean = 0.002, .deviation = 0.11, .low = -0.42, .peak = 0.42};
	look.inputs = (struct look_values){.count = 1048576, .mean = 0.61, .deviation = 0.8, .low = 0, .peak = 6.3};
	uint8_t choice[2][2 * MADE_LAYERS];
	for (int i = 0; i < LOOK_BINS; i++)
		look.weights.bin[i] = (uint32_t)(300 * exp(-0.5 * pow((i - 31.5) / 9, 2)));
	for (int i = LOOK_BINS / 2; i < LOOK_BINS; i++)
		look.inputs.bin[i] = (uint32_t)(200000 * exp(-0.3 * (i - 32)));
	for (size_t i = 0; i < 3; i++) {
		struct made *m = made_new(MADE_LAYERS, false);
		m->info.heldout_images = 1024;
		m->info.report_images = 512;
		look.options = m->slot[6].options;
		for (int o = 0; o < look.options; o++) {
			look.option[o] = (struct format_look){.noise = 6.0 * o + 5.5,
				.input_noise = 6.0 * o + 9.1,
				.output_noise = 6.0 * o + 4.2,
				.zeros = 0.5 / (1 << o),
				.step = 0.42 / (1 << o),
				.input_step = 6.3 / (4 << o)};
			page.cost[o][0] = 2.11e8 * (0.9 + 0.05 * o);
			m->now[6].worth[o] = 0.004F * (float)(o - 2) - 0.002F * (float)((o - 2) * (o - 2));
			m->now[6].error[o] = 0.003F;
			m->now[6].tried[o] = 40 - 5 * (float)abs(o - 2);
		}
		for (int s = 0; s < 2 * MADE_LAYERS; s++) {
			choice[0][s] = m->now[s].modal;
			choice[1][s] = s / 2 % 3 ? m->now[s].modal : 1;
		}
		for (int p = 0; p < m->snapshot.points; p++)
			m->point[p].choice = choice[p == 2];
		m->scene.page = &page;
		m->scene.look = &look;
		m->scene.look_step = 600;
		m->views.focus = views_of(&m->views, &view_layer);
		m->scene.focus = &view_layer;
		m->source.layer = m->scene.layer;
		golden(m, "layer", golden_size[i][0], golden_size[i][1], false);
		m->source.policy = NULL; // as in a session from before it was kept
		struct screen bare = {0};
		assert_true(screen_resize(&bare, 120, 60));
		char *text = drawn(m, &bare);
		assert_non_null(strstr(text, "Its probabilities at these steps were not kept"));
		free(text);
		screen_free(&bare);
		point_take(&m->scene, &m->scene.point.hand, 2);
		m->views.focus = views_of(&m->views, &view_point);
		m->scene.focus = &view_point;
		golden(m, "point", golden_size[i][0], golden_size[i][1], false);
		// One choice that was trained alone, and one that is.
		const struct trained_alone alone[] = {
			{.choice = choice[1], .steps = 1500, .accuracy = 0.762, .test = 0.755, .cost = {1.4e8, 28000}},
			{.choice = choice[1],
				.steps = 3000,
				.under_way = true,
				.accuracy = NAN,
				.test = NAN,
				.cost = {1.4e8, 28000}}};
		m->source.alone = alone;
		m->source.alones = 2;
		golden(m, "point-alone", golden_size[i][0], golden_size[i][1], false);
		m->views.focus = views_of(&m->views, &view_front);
		m->scene.focus = &view_front;
		golden(m, "front-alone", golden_size[i][0], golden_size[i][1], false);
		// What the noise leaves open, and a closer look.
		struct fault f;
		assert_non_null(m->snapshot.settings = config_new());
		m->snapshot.version++;
		m->views.zoomed = m->views.focus;
		golden(m, "front-noise", golden_size[i][0], golden_size[i][1], false);
		assert_true(view_front.axis(m->views.view[m->views.focus].own, &m->scene, "in", &f));
		assert_true(view_front.axis(m->views.view[m->views.focus].own, &m->scene, "linear", &f));
		golden(m, "front-closer", golden_size[i][0], golden_size[i][1], false);
		config_free(m->snapshot.settings);
		made_free(m);
	}
}

// What the additive model foretells of a draft stands below the costs, with how far it was off.
static void test_screen_foretold(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct made *m = made_new(MADE_LAYERS, false);
		for (int s = 0; s < m->info.slots; s++)
			for (int o = 0; o < MADE_OPTIONS; o++) {
				m->now[s].worth[o] = 0.01F * (float)(o - m->now[s].modal);
				m->now[s].error[o] = o == m->now[s].modal ? 0 : 0.003F;
			}
		m->draft[6] = m->draft[7] = 0; // two narrower, decided as one
		m->draft[8] = m->draft[9] = 3; // one wider
		m->snapshot.points = 6;
		for (int d = 0; d < m->info.slots; d++)
			m->choices[4][d] = (uint8_t)(d < 2 ? 4 : m->now[d].modal); // foretold -0.02, came -0.03
		for (int p = 0; p < 6; p++)
			m->point[p].trained = p < 4; // not by the shared weights
		m->scene.draft = m->draft;
		m->scene.draft_cost = m->draft_cost;
		const struct foretold f = foretell(&m->snapshot, m->draft);
		assert_true(fabs(f.change + 0.01) < 1e-6 && fabs(f.error - 0.003 * sqrt(2)) < 1e-6);
		assert_true(f.points == 1 && fabs(f.off - 0.01) < 1e-6);
		golden(m, "foretold", golden_size[i][0], golden_size[i][1], false);
		m->scene.foretold = (struct foretold_so_far){3, 0.0123}; // what was committed counts for more
		golden(m, "foretold-kept", golden_size[i][0], golden_size[i][1], false);
		made_free(m);
	}
}

// The step where the cursor of the history was left, in the panes.
static void test_screen_past(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct made *m = made_new(MADE_LAYERS, false);
		m->scene.past = 300;
		m->scene.draft = m->modal + 299 * m->info.slots;
		m->draft_cost[0] = 3.3e8;
		m->draft_cost[1] = 41000;
		m->scene.draft_cost = m->draft_cost;
		golden(m, "past", golden_size[i][0], golden_size[i][1], false);
		made_free(m);
	}
}

static void test_screen_small(void **state)
{
	(void)state;
	struct made *m = made_new(MADE_LAYERS, false);
	golden(m, "small", 40, 10, false);
	golden(m, "small", 10, 2, false);
	// Every size draws without touching what is not there (the sanitizers watch).
	struct screen s = {0};
	for (int height = 1; height <= 64; height += 3)
		for (int width = 1; width <= 220; width += 13) {
			assert_true(screen_resize(&s, width, height));
			views_draw(&m->views, &m->scene, &s);
			assert_true(!s.cursor || (s.cursor_x < width && s.cursor_y < height));
		}
	screen_free(&s);
	made_free(m);
}

int main(void)
{
	if (!setlocale(LC_ALL, "C.UTF-8") && !setlocale(LC_ALL, "en_US.UTF-8")) {
		fputs("no UTF-8 locale: skipped\n", stderr);
		return 77;
	}
	setlocale(LC_NUMERIC, "C");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_widths),
		cmocka_unit_test(test_foreign_text),
		cmocka_unit_test(test_clipping),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_nudges),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_sizes),
		cmocka_unit_test(test_breaks),
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_key_names),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_themes),
		cmocka_unit_test(test_contrast),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_screens),
		cmocka_unit_test(test_screen_slots),
		cmocka_unit_test(test_blocks_fit),
		cmocka_unit_test(test_front_in_hand),
		cmocka_unit_test(test_no_choices_no_view),
		cmocka_unit_test(test_screen_lanes),
		cmocka_unit_test(test_screen_history),
		cmocka_unit_test(test_screen_race),
		cmocka_unit_test(test_screen_slice),
		cmocka_unit_test(test_slice_acting),
		cmocka_unit_test(test_screen_racks),
		cmocka_unit_test(test_racks_moved),
		cmocka_unit_test(test_racks_by_their_trail),
		cmocka_unit_test(test_lanes_look_alike),
		cmocka_unit_test(test_one_lane_has_no_view),
		cmocka_unit_test(test_screen_draft),
		cmocka_unit_test(test_screen_start),
		cmocka_unit_test(test_screen_costs),
		cmocka_unit_test(test_slider),
		cmocka_unit_test(test_screen_split),
		cmocka_unit_test(test_screen_deep),
		cmocka_unit_test(test_every_size),
		cmocka_unit_test(test_advice),
		cmocka_unit_test(test_frames_are_whole),
		cmocka_unit_test(test_sheet),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_wheel),
		cmocka_unit_test(test_views_acting),
		cmocka_unit_test(test_screen_popup),
		cmocka_unit_test(test_screen_pages),
		cmocka_unit_test(test_screen_past),
		cmocka_unit_test(test_screen_foretold),
		cmocka_unit_test(test_screen_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
