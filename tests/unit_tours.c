// SPDX-License-Identifier: GPL-3.0-or-later
// Tours that drive the screen, each played to its end by Enter alone: every act is done, every page is reached, every claim holds. And what a
// person may do instead: another act, leaving, going back.
#include "tests/workplace.h"

#include <glob.h>
#include <limits.h>
#include <locale.h>

#include "ui/stage.h"

enum { PAGE_TEXT = 330, SETTINGS = 32 }; // characters that fit below the panes of a screen of 60x20; settings of a tour

static char top[PATH_MAX];
static struct fault f;

// ---- playing -------------------------------------------------------------------------------------------------------

struct playing {
	struct session *s;
	struct workbench w;
};

// One turn of what the loop does.
static void turn(struct playing *p)
{
	struct pollfd fds[SESSION_FDS];
	int timeout = 20;
	poll(fds, (nfds_t)session_fds(p->s, fds, &timeout), timeout < 0 || timeout > 20 ? 20 : timeout);
	session_turn(p->s);
	workbench_messages(&p->w);
	lesson_turn(&p->w);
	workbench_draw(&p->w);
}

static void tour_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%.3000s/sessions/tours/%s.tour", top, name);
}

static struct playing *begin_tour(const char *path, int width, int height, bool big)
{
	struct playing *p = calloc(1, sizeof *p);
	char *setting[SETTINGS];
	assert_non_null(p);
	const int settings = lesson_settings(path, setting, SETTINGS, &f);
	assert_true(settings > 0);
	p->s = session_made(NULL, (const char *const *)setting, settings, &f);
	if (!p->s)
		fail_msg("%s: %s: %s", path, f.where, f.what);
	for (int i = 0; i < settings; i++)
		free(setting[i]);
	assert_true(workbench_begin(&p->w, p->s, false, &f));
	assert_true(screen_resize(&p->w.screen, width, height));
	p->w.tour_big = big;
	session_turn(p->s);
	workbench_draw(&p->w);
	if (!tour_begin(&p->w, path, &f))
		fail_msg("%s: %s: %s", path, f.where, f.what);
	turn(p);
	return p;
}

static void end_tour(struct playing *p)
{
	workbench_end(&p->w, NULL, &f);
	free(p);
}

static void enter(struct playing *p)
{
	workbench_key(&p->w, KEYS_ENTER);
	turn(p);
}

static const struct tour_shown *shown(const struct playing *p)
{
	return p->w.scene.tour;
}

// Until the page waits for somebody; `foot`: what it says then.
static void until_foot(struct playing *p, const char *foot)
{
	for (int i = 0; i < 500; i++) {
		if (shown(p) && strstr(shown(p)->foot, foot))
			return;
		turn(p);
	}
	fail_msg("never \"%s\", but \"%s\" (%s), and \"%s\"", foot, shown(p) ? shown(p)->foot : "no tour",
		shown(p) ? shown(p)->title : "", p->w.message);
}

static bool on_page(const struct playing *p, int page)
{
	char text[32];
	snprintf(text, sizeof text, ", %d of ", page);
	return shown(p) && strstr(shown(p)->title, text);
}

static void command(struct playing *p, const char *line)
{
	workbench_command(&p->w, line);
	for (int i = 0; i < 10 || session_changing(p->s); i++)
		turn(p);
}

// ---- all of them ---------------------------------------------------------------------------------------------------

static void check_page(const struct playing *p, const char *path)
{
	if (strlen(shown(p)->text) > PAGE_TEXT || !shown(p)->text[0])
		fail_msg("%s, %s: %zu characters", path, shown(p)->title, strlen(shown(p)->text));
	if (shown(p)->answer[0])
		fail_msg("%s, %s: %s", path, shown(p)->title, shown(p)->answer);
	char *text = screen_text(&p->w.screen);
	assert_true(text && (popup_shown(&p->w.popup) || strstr(text, "─ Tour: ")));
	free(text);
}

static void play(const char *path)
{
	struct playing *p = begin_tour(path, 80, 24, false);
	int turns = 0;
	while (p->w.lesson && turns++ < 5000) {
		const char *foot = shown(p) ? shown(p)->foot : "";
		check_page(p, path);
		if (p->w.scene.bad)
			fail_msg("%s, %s: %s", path, shown(p)->title, p->w.message);
		if (popup_shown(&p->w.popup)) { // an answer, over the page
			workbench_key(&p->w, KEYS_ESCAPE);
			turn(p);
		} else if (strstr(foot, ":tour")) // there Enter is the draft's
			command(p, "tour");
		else if (strstr(foot, "Enter"))
			enter(p);
		else
			turn(p);
	}
	if (p->w.lesson)
		fail_msg("%s, %s: %s", path, shown(p) ? shown(p)->title : "", shown(p) ? shown(p)->foot : "");
	bool told = false;
	for (int i = 0; i < p->w.logged; i++)
		told |= strstr(p->w.log[i], "the tour is over") != NULL;
	assert_true(told);
	end_tour(p);
}

static void test_all(void **state)
{
	(void)state;
	char pattern[PATH_MAX + 64];
	glob_t found;
	int played = 0;
	snprintf(pattern, sizeof pattern, "%s/sessions/tours/*.tour", top);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (lesson_is(found.gl_pathv[i])) {
			play(found.gl_pathv[i]);
			played++;
		}
	assert_true(played >= 12);
	globfree(&found);
}

// ---- what a person may do ------------------------------------------------------------------------------------------

static const char lesson[] =
	"lesson \"A lesson\" net=resnet8:width=0.25 data=glyphs:12 batch=8 threads=1 steps=60\n\n"
	"echo one\nlight layers\nhold 10\n\n"
	"echo two\nlight costs\nhold 20\nact pin stem int4\nuntil pinned.stem = int4\notherwise \"pin the stem\"\n"
	"notes \"for who speaks\"\n\n"
	"echo three\nhold 30\nexpect pinned.stem = int4\n\n"
	"echo four\nexpect pinned.stem = int5\n";

static struct playing *own(int width, int height, bool big)
{
	put_string("own.tour", lesson);
	return begin_tour("own.tour", width, height, big);
}

static void test_answers(void **state)
{
	(void)state;
	struct playing *p = own(80, 24, false);
	const struct snapshot *now = session_snapshot(p->s);
	assert_ptr_equal(shown(p)->lit, &view_layers);
	until_foot(p, "Enter goes on");
	assert_true(now->step == 10 && now->run == RUN_PAUSED);
	enter(p);
	until_foot(p, "your turn");
	assert_true(on_page(p, 2) && now->step == 20);
	assert_ptr_equal(shown(p)->lit, &view_costs);
	// Looking around is no act; another change is, and is answered; the act itself goes on.
	command(p, "move down");
	assert_string_equal(shown(p)->answer, "");
	command(p, "pin head int8");
	assert_non_null(strstr(shown(p)->answer, "`pin head int8`: pin the stem"));
	assert_non_null(strstr(shown(p)->foot, "your turn"));
	command(p, "pin stem int4");
	until_foot(p, "Enter goes on");
	assert_string_equal(shown(p)->answer, "");
	// Notes are there for who asks for them.
	assert_string_equal(shown(p)->notes, "");
	command(p, "tour notes");
	assert_string_equal(shown(p)->notes, "for who speaks");
	// A draft is in front of the tour: Enter is its own.
	command(p, "draft down s1b1.conv1");
	enter(p);
	assert_null(session_draft(p->s));
	assert_true(on_page(p, 2));
	// Left, and taken up where it was left.
	workbench_key(&p->w, KEYS_ESCAPE); // out of the costs
	workbench_key(&p->w, KEYS_ESCAPE);
	turn(p);
	assert_null(shown(p));
	command(p, "tour");
	assert_true(on_page(p, 2));
	until_foot(p, "Enter goes on");
	enter(p);
	until_foot(p, "Enter goes on");
	assert_true(on_page(p, 3) && now->step == 30);
	// Back to the page before, and its step, where nothing was changed yet.
	workbench_key(&p->w, KEYS_BACKSPACE);
	until_foot(p, "your turn");
	now = session_snapshot(p->s);
	assert_true(on_page(p, 2) && now->step == 20);
	enter(p);
	until_foot(p, "Enter goes on");
	enter(p);
	until_foot(p, "Enter goes on");
	enter(p);
	// What no longer holds is said.
	until_foot(p, "Enter ends the tour");
	assert_non_null(strstr(shown(p)->answer, "came out otherwise"));
	command(p, "tour restart");
	until_foot(p, "Enter goes on");
	assert_true(on_page(p, 1) && session_snapshot(p->s)->step == 10);
	end_tour(p);
}

// Somebody who runs the search on, or holds it, is not fought with.
static void test_search_by_hand(void **state)
{
	(void)state;
	struct playing *p = own(80, 24, false);
	until_foot(p, "Enter goes on");
	command(p, "run 3");
	for (int i = 0; i < 100 && session_snapshot(p->s)->step < 13; i++)
		turn(p);
	enter(p);
	until_foot(p, "your turn");
	assert_int_equal(session_snapshot(p->s)->step, 20);
	// Where the search is beyond a page's step, the tour is taken up at the page of the step.
	command(p, "run 20");
	for (int i = 0; i < 300 && session_snapshot(p->s)->step < 40; i++)
		turn(p);
	put_string("copy.tour", lesson);
	assert_true(tour_begin(&p->w, "copy.tour", &f));
	turn(p);
	assert_true(on_page(p, 3));
	// A tour that needs another session asks for it.
	char path[PATH_MAX];
	tour_path("pods", path, sizeof path);
	assert_true(tour_begin(&p->w, path, &f));
	assert_non_null(p->w.change_session);
	workbench_change_session(&p->w);
	p->s = p->w.session;
	turn(p);
	assert_true(shown(p) && strstr(shown(p)->title, "One machine, many shapes, 1 of "));
	end_tour(p);
}

static void golden(struct playing *p, const char *name)
{
	char path[PATH_MAX + 64], *text = screen_text(&p->w.screen), *wanted, *line, *rest;
	struct string kept = {0};
	assert_non_null(text);
	// The name of the session is the time, and the pace is that of the machine: the tour and the lit pane are what counts.
	rest = text;
	for (int y = 0; (line = strsep(&rest, "\n")); y++)
		if (y > 2 && y < p->w.screen.height - 2)
			string_add(&kept, "%s\n", line);
	free(text);
	snprintf(path, sizeof path, "%s/tests/screens/%s-%dx%d.screen", top, name, p->w.screen.width, p->w.screen.height);
	const char *update = getenv("UPDATE_GOLDEN");
	if (update && *update)
		put_string(path, kept.bytes);
	wanted = get(path, NULL);
	if (strcmp(wanted, kept.bytes) != 0)
		fail_msg("%s differs; it is now:\n%s", path, kept.bytes);
	free(wanted);
	string_free(&kept);
}

static void test_screens(void **state)
{
	(void)state;
	static const int size[][2] = {{80, 24}, {120, 40}, {60, 20}};
	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		struct playing *p = own(size[i][0], size[i][1], size[i][1] == 20);
		until_foot(p, "Enter goes on");
		enter(p);
		until_foot(p, "your turn");
		command(p, "pin head int8");
		workbench_draw(&p->w);
		golden(p, "tour");
		end_tour(p);
	}
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!getcwd(top, sizeof top))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_search_by_hand),
		cmocka_unit_test(test_screens),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
