// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/signals.h"
#include "ui/crash.h"
#include "ui/prompt.h"
#include "ui/terminal.h"

enum { EVENTS_MOST = 500, DEAF_MS = 10, UNKNOWNS = 16, UNKNOWN_TEXT = 48 };
enum { READ_MS = 2000 }; // what a person is warned of stands so long, unless they go on before
enum { RACE_MS = 2000 }; // between looks at a race that is watched
enum { DAY_MS = 150 };   // of a day of racks that run
enum { FRAME_MS = 100 }; // news is drawn 10 times a second: a frame takes processor time from the search

struct loop {
	struct workbench *w;
	bool input, news;                     // what has happened since the last frame
	long long next_frame;                 // in ms: no frame of news before this
	long long race_at;                    // the next look at the race that is watched; 0: none is
	long long day_at;                     // the next day of the racks that are looked at; 0: none passes by itself
	long long tour_at;                    // the tour goes on then; 0: not by itself
	int ended_by;                         // a signal
	const char *deaf;                     // input is left out, and why; NULL: it is heard
	long long deaf_until;                 // unless more comes before
	bool messages;                        // the session has said something that is not shown yet
	long long read_until;                 // a warning is shown: what the session says waits; 0: none
	char unknown[UNKNOWNS][UNKNOWN_TEXT]; // what was said to mean nothing
	int unknowns;
};

static long long now_ms(void)
{
	return (long long)(clock_seconds() * 1000);
}

// ---- signals ------------------------------------------------------------------------------------------------------

static void on_signals(struct loop *l)
{
	for (int number; (number = signals_next());) {
		l->input = true;
		if (number == SIGTSTP)
			terminal_suspend(false);
		else if (number == SIGWINCH || number == SIGCONT)
			terminal_resize();
		else
			l->ended_by = number;
	}
}

// ---- messages -----------------------------------------------------------------------------------------------------

static void show_messages(struct loop *l)
{
	if (l->messages)
		workbench_messages(l->w);
	l->news |= l->messages;
	l->messages = false;
	l->read_until = 0;
}

static void hear(struct loop *l)
{
	unsigned news = session_turn(l->w->session);
	l->news |= news != NEWS_NONE;
	l->messages |= (news & NEWS_MESSAGE) != 0;
	if (now_ms() >= l->read_until)
		show_messages(l);
}

// ---- input --------------------------------------------------------------------------------------------------------

// A question is answered by keys that come after it is on the screen: what came along with a paste, or behind the line end of
// a paste that the terminal did not mark as one, is left out.
static void turn_deaf(struct loop *l, const char *why)
{
	l->deaf = why;
	l->deaf_until = now_ms() + DEAF_MS;
}

static void leave_out(struct loop *l)
{
	workbench_say(l->w, true, "%s", l->deaf);
	turn_deaf(l, l->deaf);
	l->input = true;
}

// Says it once.
static void say_meaningless(struct loop *l, const char *what)
{
	for (int i = 0; i < l->unknowns; i++)
		if (strcmp(l->unknown[i], what) == 0)
			return;
	if (l->unknowns == UNKNOWNS)
		return;
	snprintf(l->unknown[l->unknowns++], sizeof l->unknown[0], "%s", what);
	workbench_say(l->w, true, "%s means nothing here; ? lists the keys", what);
	l->input = true;
}

static void key_in_prompt(struct loop *l, const struct event *e)
{
	char *line, name[UNKNOWN_TEXT];
	if ((e->key == KEYS_ESCAPE && prompt_escape_cancels()) || e->key == KEYS_CONTROL('c')) {
		prompt_cancel();
		workbench_typed(l->w, true);
	} else if (e->key == KEYS_CONTROL('z')) {
		l->w->suspend = true;
	} else if (!prompt_key(e, &line)) {
		say_meaningless(l, keys_name(e->key, l->w->screen.ascii, name, sizeof name));
	} else if (line) {
		if (terminal_burst())
			turn_deaf(l, "what came behind the line in one go is left out");
		workbench_typed(l->w, false);
		l->w->typed = true;
		workbench_command(l->w, line);
		l->w->typed = false;
		free(line);
	} else if (prompt_is_open()) {
		workbench_typing(l->w, prompt_line());
	} else { // ^D
		workbench_typed(l->w, true);
	}
}

static void on_key(struct loop *l, const struct event *e)
{
	struct workbench *w = l->w;
	char name[UNKNOWN_TEXT];
	l->input = true;
	if (prompt_is_open()) {
		key_in_prompt(l, e);
		return;
	}
	if (e->key >= KEYS_OTHER && !workbench_knows(w, e->key))
		say_meaningless(l, keys_name(e->key, w->screen.ascii, name, sizeof name));
	workbench_key(w, e->key);
	if (w->prompt)
		prompt_open(&w->table, w->session);
	if (w->prompt && w->prompt_text)
		prompt_insert(w->prompt_text);
	if (w->prompt && w->prompt_choose)
		prompt_choose();
	free(w->prompt_text);
	w->prompt_text = NULL;
	w->prompt = w->prompt_choose = false;
}

static void on_paste(struct loop *l, const struct event *e)
{
	l->input = true;
	turn_deaf(l, "what came along with the paste is left out");
	if (e->cut)
		workbench_say(l->w, true, "the paste broke off, or is too long, and is left out");
	else
		paste_take(l->w, e->bytes, e->length);
}

// The bytes as people write them: ^[ for Esc.
static void on_unknown(struct loop *l, const struct event *e)
{
	char text[UNKNOWN_TEXT];
	size_t at = 0;
	for (size_t i = 0; i < e->length && at < sizeof text - 8; i++) {
		unsigned char c = (unsigned char)e->bytes[i];
		if (c < ' ')
			at += (size_t)snprintf(text + at, sizeof text - at, "^%c", c + '@');
		else
			at += (size_t)snprintf(text + at, sizeof text - at, c < 0x7f ? "%c" : "\\x%02x", c);
	}
	text[at] = '\0';
	say_meaningless(l, text);
}

static void on_mouse(struct loop *l, const struct event *e)
{
	l->input |= workbench_mouse(l->w, e->mouse.button, e->mouse.pressed, e->mouse.x, e->mouse.y);
}

static void on_nothing(struct loop *l, const struct event *e)
{
	(void)l;
	(void)e;
}

static void (*const on_event[])(struct loop *, const struct event *) = {
	[EVENT_KEY] = on_key,
	[EVENT_PASTE] = on_paste,
	[EVENT_MOUSE] = on_mouse,
	[EVENT_FOCUS] = on_nothing,
	[EVENT_UNKNOWN] = on_unknown,
};

static void on_input(struct loop *l)
{
	const struct workbench *w = l->w;
	struct event e;
	for (int i = 0; i < EVENTS_MOST && !w->quit && !w->change_session && !w->suspend && terminal_event(&e); i++) {
		show_messages(l); // before what this event says
		if (l->deaf)
			leave_out(l);
		else
			on_event[e.kind](l, &e);
		l->read_until = w->scene.bad ? now_ms() + READ_MS : 0;
	}
	if (terminal_gone())
		l->ended_by = SIGHUP;
}

// ---- frames -------------------------------------------------------------------------------------------------------

static void frame(struct loop *l)
{
	struct workbench *w = l->w;
	int width, height;
	terminal_size(&width, &height);
	if ((w->screen.width != width || w->screen.height != height) && !screen_resize(&w->screen, width, height))
		return;
	if (w->redraw)
		terminal_redraw();
	w->redraw = false;
	terminal_mouse(w->mouse);
	workbench_draw(w);
	terminal_show(&w->screen, w->theme);
	l->input = l->news = false;
	l->next_frame = now_ms() + FRAME_MS;
	l->deaf_until = now_ms() + DEAF_MS; // counts from when the question is shown
}

// What is said where the program crashes.
static void note_session(const struct workbench *w)
{
	char last_words[256], word[151];
	session_shell_word(w->session, word, sizeof word);
	snprintf(last_words, sizeof last_words,
		"bitscape: a fault in the program ended it; `bitscape %s` goes on from the last save", word);
	crash_note(text_clean(last_words, ""));
}

static void other_session(struct loop *l)
{
	workbench_say(l->w, false, "opening...");
	frame(l);
	workbench_change_session(l->w);
	note_session(l->w);
	l->input = true;
}

// A tour that nobody takes on goes on by itself.
static void play_tour(struct loop *l, long long now)
{
	struct workbench *w = l->w;
	if (l->tour_at && now >= l->tour_at) {
		l->tour_at = 0;
		l->input = true;
		if (w->tour)
			workbench_command(w, "tour");
	}
	if (w->tour_ms)
		l->tour_at = now + w->tour_ms;
	w->tour_ms = 0;
}

static void watch_race(struct loop *l, long long now)
{
	if (!l->w->race.name) {
		l->race_at = 0;
	} else if (!l->race_at) {
		l->race_at = now + RACE_MS;
	} else if (now >= l->race_at) {
		l->input |= race_turn(l->w);
		l->race_at = now + RACE_MS;
	}
}

static void run_racks(struct loop *l, long long now)
{
	if (!explore_runs(l->w)) {
		l->day_at = 0;
	} else if (!l->day_at) {
		l->day_at = now + DAY_MS;
	} else if (now >= l->day_at) {
		l->input |= explore_turn(l->w);
		l->day_at = now + DAY_MS;
	}
}

// The time that the loop may sleep, in ms; -1: until something happens.
static int sleep_ms(const struct loop *l, long long now)
{
	const long long at[] = {
		l->news ? l->next_frame : 0,
		l->tour_at,
		l->race_at,
		l->day_at,
		l->deaf ? l->deaf_until : 0,
		l->messages ? l->read_until : 0,
	};
	int sleep = terminal_wait();
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		int left = at[i] > now ? (int)(at[i] - now) : 0;
		if (at[i] && (sleep < 0 || left < sleep))
			sleep = left;
	}
	return sleep;
}

// Sleeps until something happens. False: it cannot.
static bool wait_for_news(struct loop *l)
{
	struct pollfd fd[2 + SESSION_FDS] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = signals_fd(), .events = POLLIN},
	};
	int timeout = sleep_ms(l, now_ms());
	int fds = 2 + session_fds(l->w->session, fd + 2, &timeout);
	if (l->news)
		fd[2].fd = -1; // the engine's: what it says next is heard with the next frame, not after every step
	if (poll(fd, (nfds_t)fds, timeout) < 0 && errno != EINTR)
		return false;
	if (fd[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		l->ended_by = SIGHUP; // the terminal is gone
	if (l->deaf && !(fd[0].revents & POLLIN) && !terminal_rest() && now_ms() >= l->deaf_until)
		l->deaf = NULL;
	return true;
}

int loop_run(struct workbench *w)
{
	struct loop l = {.w = w, .input = true};
	note_session(w);
	session_turn(w->session); // so that the first frame knows whether it runs
	workbench_messages(w);
	while (!w->quit && !l.ended_by) {
		long long now = now_ms();
		play_tour(&l, now);
		watch_race(&l, now);
		run_racks(&l, now);
		if (w->quit)
			break;
		if (l.news && now >= l.next_frame)
			hear(&l);
		if (l.input || (l.news && now >= l.next_frame))
			frame(&l);
		if (!wait_for_news(&l))
			return SIGABRT;
		on_signals(&l);
		on_input(&l);
		if (w->suspend)
			terminal_suspend(true);
		w->suspend = false;
		if (w->change_session)
			other_session(&l);
		hear(&l);
	}
	return l.ended_by;
}
