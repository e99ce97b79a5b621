// SPDX-License-Identifier: GPL-3.0-or-later
// Recordings and pictures of the screen. A recording is played into libvterm, a terminal in memory, whose cells must then be those that
// were drawn: for all golden screens, for random changes, for a session's journal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "engine/base/disk.h"
#include "tests/workplace.h"
#include "ui/cast.h"
#include "ui/ink.h"
#include "ui/stage.h"

#if defined __has_include
#if __has_include(<vterm.h>)
#include <vterm.h>
#define HAS_VTERM 1
#endif
#endif
#ifndef HAS_VTERM
#define HAS_VTERM 0
#endif

static struct fault f;
static char top[PATH_MAX]; // the tree's folder

static char *contents(const char *path, size_t *size)
{
	char *text = disk_read(path, CAST_MOST + (1 << 20), size, &f);
	if (!text)
		fail_msg("%s: %s", f.where, f.what);
	return text;
}

// ---- playing -------------------------------------------------------------------------------------------------------

#if HAS_VTERM
struct played {
	VTerm *terminal;
	VTermScreen *screen;
	int width, height, events;
	double last;
};

static struct played play(const char *path)
{
	struct played p = {0};
	size_t size;
	char *text = contents(path, &size), *save = NULL;
	int lines = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), lines++) {
		json_error_t error;
		json_t *j = json_loads(line, 0, &error);
		if (!j)
			fail_msg("%s:%d: %s", path, lines + 1, error.text);
		if (lines == 0) {
			assert_int_equal(json_integer_value(json_object_get(j, "version")), 2);
			p.width = (int)json_integer_value(json_object_get(j, "width"));
			p.height = (int)json_integer_value(json_object_get(j, "height"));
			p.terminal = vterm_new(p.height, p.width);
			vterm_set_utf8(p.terminal, 1);
			p.screen = vterm_obtain_screen(p.terminal);
			vterm_screen_reset(p.screen, 1);
		} else {
			const double at = json_number_value(json_array_get(j, 0));
			const char *kind = json_string_value(json_array_get(j, 1));
			const char *data = json_string_value(json_array_get(j, 2));
			assert_true(at >= p.last && kind && data);
			p.last = at;
			p.events++;
			if (strcmp(kind, "r") == 0) {
				assert_int_equal(sscanf(data, "%dx%d", &p.width, &p.height), 2);
				vterm_set_size(p.terminal, p.height, p.width);
			} else {
				assert_string_equal(kind, "o");
				vterm_input_write(p.terminal, data, strlen(data));
			}
		}
		json_decref(j);
	}
	free(text);
	return p;
}

static void check_cell(const struct played *p, const struct screen *s, const struct theme *theme, int x, int y)
{
	const struct screen_cell *c = &s->cell[y * s->width + x];
	VTermScreenCell got;
	assert_true(vterm_screen_get_cell(p->screen, (VTermPos){y, x}, &got));
	if (c->glyph == 0) // the right half of a wide one
		return;
	const uint32_t glyph = got.chars[0] ? got.chars[0] : ' ';
	if (glyph != c->glyph)
		fail_msg("at %d,%d stands U+%04X, not U+%04X", x, y, glyph, c->glyph);
	if (c->glyph == ' ' && !c->lit)
		return;
	const struct ink ink = ink_of(c, theme);
	assert_int_equal(got.attrs.bold, (ink.attributes & LOOK_BOLD) != 0);
	assert_int_equal(VTERM_COLOR_IS_DEFAULT_FG(&got.fg) != 0, ink.front < 0);
	assert_int_equal(VTERM_COLOR_IS_DEFAULT_BG(&got.bg) != 0, ink.back < 0);
	if (ink.front >= 0)
		assert_int_equal(got.fg.indexed.idx, ink.front);
	if (ink.back >= 0)
		assert_int_equal(got.bg.indexed.idx, ink.back);
}

static void check_played(const char *path, const struct screen *s, const struct theme *theme)
{
	struct played p = play(path);
	assert_int_equal(p.width, s->width);
	assert_int_equal(p.height, s->height);
	for (int y = 0; y < s->height; y++)
		for (int x = 0; x < s->width; x++)
			check_cell(&p, s, theme, x, y);
	vterm_free(p.terminal);
}
#else
static void check_played(const char *path, const struct screen *s, const struct theme *theme)
{
	(void)path, (void)s, (void)theme;
}
#endif

// ---- grids ---------------------------------------------------------------------------------------------------------

static uint64_t state_of = 1;
static int any(int below)
{
	state_of = state_of * 6364136223846793005u + 1442695040888963407u;
	return (int)((state_of >> 33) % (uint64_t)below);
}

static void scribble(struct screen *s, int strokes)
{
	static const char *const word[] = {
		"int4", "a\"b\\c", "数字", "é", "e\u0301", "▁▃▅█", "⣿⠉", "╭─╮", "<&>", "    ", "\x1b[2J", "x"};
	for (int i = 0; i < strokes; i++) {
		const int x = any(s->width), y = any(s->height);
		screen_put(s, x, y, s->width - x, (enum style)any(STYLES), word[any(sizeof word / sizeof *word)]);
		if (any(8) == 0)
			screen_light(s, 0, any(s->height), s->width);
	}
}

static void test_changes(void **state)
{
	(void)state;
	struct screen s = {0};
	const struct theme *theme[] = {theme_named("dark"), theme_named("light"), theme_named("mono")};
	for (int round = 0; round < 30; round++) {
		assert_true(screen_resize(&s, 20 + any(60), 5 + any(30)));
		struct cast *c = cast_begin("changes.cast", s.width, s.height, "quotes \" and \\ \n", &f);
		assert_non_null(c);
		int look = 0;
		for (int frame = 0; frame < 20; frame++) {
			look = any(6) ? look : any(3);
			if (any(10) == 0)
				assert_true(screen_resize(&s, 20 + any(60), 5 + any(30)));
			scribble(&s, any(30));
			s.cursor = any(2);
			s.cursor_x = any(s.width);
			assert_true(cast_frame(c, &s, theme[look], frame * 0.1 - any(2), &f));
		}
		assert_true(cast_end(c, 5, &f));
		check_played("changes.cast", &s, theme[look]);
	}
	screen_free(&s);
}

// The golden screens of the workbench, as a recording shows them.
static void test_golden(void **state)
{
	(void)state;
	char pattern[PATH_MAX + 32];
	glob_t found;
	struct screen s = {0};
	snprintf(pattern, sizeof pattern, "%s/tests/screens/*.screen", top);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + 1, *size = strpbrk(name, "0123456789");
		int width = 0, height = 0, y = 0;
		assert_int_equal(sscanf(size, "%dx%d", &width, &height), 2);
		size_t bytes;
		char *text = contents(found.gl_pathv[i], &bytes), *rest = text;
		assert_true(screen_resize(&s, width, height));
		for (char *line; (line = strsep(&rest, "\n")) && y < height; y++)
			screen_put(&s, 0, y, width, STYLE_TEXT, line);
		struct cast *c = cast_begin("golden.cast", width, height, name, &f);
		assert_true(c && cast_frame(c, &s, theme_named("dark"), 0, &f) && cast_end(c, 1, &f));
		check_played("golden.cast", &s, theme_named("dark"));
		free(text);
	}
	globfree(&found);
	screen_free(&s);
}

static int files_here(void)
{
	int count = 0;
	DIR *d = opendir(".");
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

// Nothing stands under the name before the recording has ended, and nothing at all where it is given up.
static void test_whole_or_none(void **state)
{
	(void)state;
	struct screen s = {0};
	const int before = files_here();
	assert_true(screen_resize(&s, 60, 16));
	assert_null(cast_begin("no-such-folder/x.cast", 60, 16, "", &f));
	assert_true(f.where[0] && f.what[0] && f.todo[0]);
	struct cast *c = cast_begin("whole.cast", 60, 16, "", &f);
	assert_true(c && cast_frame(c, &s, theme_named("dark"), 0, &f));
	assert_int_not_equal(access("whole.cast", F_OK), 0);
	cast_drop(c);
	cast_drop(NULL);
	assert_int_equal(files_here(), before);
	screen_free(&s);
}

static void test_bounded(void **state)
{
	(void)state;
	struct screen s = {0};
	size_t size;
	assert_true(screen_resize(&s, 500, 200));
	struct cast *c = cast_begin("long.cast", 500, 200, "", &f);
	assert_non_null(c);
	int frames = 0;
	for (bool ok = true; ok && frames < 400; frames++) {
		for (int i = 0; i < s.width * s.height; i++)
			s.cell[i] = (struct screen_cell){
				.glyph = (uint32_t)('a' + (i + frames) % 26), .style = (uint8_t)((i + frames) % 2)};
		ok = cast_frame(c, &s, theme_named("dark"), frames, &f);
	}
	assert_true(frames < 400 && strstr(f.what, "64 MB"));
	assert_true(cast_end(c, frames, &f));
	char *text = contents("long.cast", &size);
	assert_true(size <= CAST_MOST + 256 && text[size - 1] == '\n');
	free(text);
	unlink("long.cast");
	screen_free(&s);
}

// ---- pictures ------------------------------------------------------------------------------------------------------

static void test_svg(void **state)
{
	(void)state;
	struct screen s = {0};
	struct string out = {0};
	assert_true(screen_resize(&s, 30, 3));
	screen_put(&s, 2, 1, 20, STYLE_KEY, "<script>&\"x\"");
	screen_light(&s, 0, 1, 30);
	ink_svg(&s, theme_named("dark"), "a <title> & more", &out);
	assert_false(out.failed);
	assert_non_null(strstr(out.bytes, ">&lt;script&gt;&amp;\"x\"</text>"));
	assert_non_null(strstr(out.bytes, "<title>a &lt;title&gt; &amp; more</title>"));
	assert_null(strstr(out.bytes, "<script"));
	assert_non_null(strstr(out.bytes, "fill=\"#ffd787\" font-weight=\"bold\"")); // the look of a key: 222
	assert_non_null(strstr(out.bytes, "fill=\"#303030\""));                      // the row in hand: 236
	string_clear(&out);
	ink_svg(&s, theme_named("light"), "", &out);
	assert_non_null(strstr(out.bytes, "rx=\"8\" fill=\"#fcfcf9\""));
	assert_true(ink_dark(theme_named("dark")) && ink_dark(theme_named("mono")) && !ink_dark(theme_named("light")));
	assert_int_equal(ink_rgb(196), 0xff0000);
	assert_int_equal(ink_rgb(244), 0x808080);
	string_free(&out);
	screen_free(&s);
}

// ---- a session -----------------------------------------------------------------------------------------------------

static const char small[] =
	"record live.cast pace=20\nrun 12\npin stem int4\nrun 12\nview front\nscreenshot end.svg\nscreenshot end.txt\nrecord\n";

// What a batch records is what its screen shows; and its journal, played again, ends with the same facts on the screen.
static void test_session(void **state)
{
	(void)state;
	static struct stage stage;
	const char *const setting[] = {"net=resnet8:width=0.25", "data=glyphs:12", "batch=8", "threads=1", "steps=40"};
	struct session *s = session_made("played", setting, 5, &f);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	put_string("small.batch", small);
	assert_true(stage_begin(&stage, s, 80, 24, &f));
	const struct command_table table = stage_table(&stage);
	assert_int_equal(session_batch(s, "small.batch", &table, &f), 0);
	size_t size;
	char *text = contents("end.txt", &size);
	assert_true(record_end(&stage.w, &f));
	assert_non_null(strstr(text, "24/40"));
	assert_non_null(strstr(text, "▸■ stem"));
	check_played("live.cast", &stage.w.screen, stage.w.theme);
	free(text);
	text = contents("end.svg", &size);
	assert_non_null(strstr(text, "</svg>"));
	free(text);
	// A batch has no loop to leave, and a recording goes on until it is ended.
	put_string("bad.batch", "quit\n");
	assert_int_equal(session_batch(s, "bad.batch", &table, &f), 1);
	put_string("bad.batch", "record twice.cast\nrecord again.cast\n");
	assert_int_equal(session_batch(s, "bad.batch", &table, &f), 1);
	assert_true(stage_end(&stage, &f));
	assert_int_equal(access("twice.cast", F_OK), 0);
	assert_true(session_close(s, &f));

	struct string told = {0};
	assert_true(record_session("played", "again.cast", 100, 30, 10, &told, &f));
	assert_non_null(strstr(told.bytes, "100x30"));
	string_free(&told);
#if HAS_VTERM
	struct played p = play("again.cast");
	char line[512] = "";
	bool pinned = false;
	for (int y = 0; y < p.height; y++) {
		vterm_screen_get_text(p.screen, line, sizeof line - 1, (VTermRect){y, y + 1, 0, p.width});
		pinned |= strstr(line, "stem") && strstr(line, "int4");
	}
	assert_true(pinned && p.events > 3 && p.last > 2);
	vterm_free(p.terminal);
#endif
	assert_false(record_session("no-such-session", "never.cast", 80, 24, 0, &told, &f));
	assert_int_not_equal(access("never.cast", F_OK), 0);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!getcwd(top, sizeof top))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_whole_or_none),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_svg),
		cmocka_unit_test(test_session),
	};
	int failed = cmocka_run_group_tests(tests, make_place, clear_place);
	if (!HAS_VTERM)
		puts("skipped: recordings were not played, libvterm-dev is not installed");
	return failed;
}
