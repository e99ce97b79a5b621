// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "ui/prompt.h"
#include "ui/signals.h"
#include "ui/terminal.h"

enum { FRAME_MS = 100, ESCAPE_MS = 25 }; // news is drawn 10 times a second: a frame takes processor time from the search

struct loop {
	struct workbench *w;
	bool input, news; // what has happened since the last frame
	long long next_frame; // in ms: no frame of news before this
	long long tour_at;    // the tour goes on then; 0: not by itself
	int ended_by;     // a signal
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

// ---- keys ---------------------------------------------------------------------------------------------------------

static bool tty_waits(int ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&p, 1, ms) > 0;
}

static void prompt_keys(struct loop *l)
{
	struct workbench *w = l->w;
	for (int byte = terminal_byte(); byte >= 0 && prompt_is_open();) {
		l->input = true;
		int next = terminal_byte();
		if (byte == KEYS_ESCAPE && prompt_escape_cancels()) {
			// Escape alone, or the beginning of what a key sends: such bytes come together.
			if (next < 0 && tty_waits(ESCAPE_MS))
				next = terminal_byte();
			if (next < 0) {
				prompt_cancel();
				break;
			}
		}
		if (byte == KEYS_CONTROL('z')) {
			terminal_suspend(true);
			byte = next;
			continue;
		}
		if (byte == KEYS_CONTROL('c')) {
			prompt_cancel();
			break;
		}
		char *line = prompt_byte(byte);
		if (line) {
			// What was typed ahead of the answer is not for the prompt any more.
			terminal_raw(false);
			workbench_command(w, line);
			free(line);
			return;
		}
		byte = next;
	}
	if (!prompt_is_open())
		terminal_raw(false);
}

static void on_keys(struct loop *l)
{
	struct workbench *w = l->w;
	while (!w->quit && !w->change_session && !w->suspend) {
		if (prompt_is_open()) {
			prompt_keys(l);
			return;
		}
		bool pasted = false;
		int key = terminal_key(&pasted);
		if (pasted) {
			workbench_say(w, false, "pasted text is left out here; `:` first, then paste");
			l->input = true;
		}
		if (key < 0)
			return;
		l->input = true;
		workbench_key(w, key);
		if (w->prompt) {
			w->prompt = false;
			prompt_open(&w->table, w->session);
			terminal_raw(true);
		}
	}
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
	workbench_draw(w);
	terminal_show(&w->screen, w->theme);
	l->input = l->news = false;
	l->next_frame = now_ms() + FRAME_MS;
}

// What is said where the program crashes.
static void note_session(const struct workbench *w)
{
	char last_words[256], word[151];
	session_shell_word(w->session, word, sizeof word);
	snprintf(last_words, sizeof last_words, "bitscape: a fault in the program ended it; `bitscape %s` goes on from the last save", word);
	crash_note(last_words);
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

static void hear(struct loop *l)
{
	unsigned news = session_turn(l->w->session);
	if (news & NEWS_MESSAGE)
		workbench_messages(l->w);
	l->news |= news != NEWS_NONE;
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
		if (w->quit)
			break;
		if (l.news && now >= l.next_frame)
			hear(&l);
		if (l.input || (l.news && now >= l.next_frame))
			frame(&l);
		struct pollfd fd[2 + SESSION_FDS] = {
			{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = signals_fd(), .events = POLLIN},
		};
		int timeout = l.news ? (int)(l.next_frame - now) : -1;
		if (l.tour_at && (timeout < 0 || l.tour_at - now < timeout))
			timeout = (int)(l.tour_at - now);
		if (timeout < -1)
			timeout = 0;
		int session_timeout = timeout;
		int fds = 2 + session_fds(w->session, fd + 2, &session_timeout);
		if (l.news)
			fd[2].fd = -1; // the engine's: what it says next is heard with the next frame, not after every step
		if (session_timeout >= 0 && (timeout < 0 || session_timeout < timeout))
			timeout = session_timeout;
		if (poll(fd, (nfds_t)fds, timeout) < 0 && errno != EINTR)
			return SIGABRT;
		on_signals(&l);
		if (fd[0].revents & POLLIN)
			on_keys(&l);
		if (fd[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			l.ended_by = SIGHUP; // the terminal is gone
		if (w->suspend)
			terminal_suspend(true);
		w->suspend = false;
		if (w->change_session)
			other_session(&l);
		hear(&l);
	}
	return l.ended_by;
}
