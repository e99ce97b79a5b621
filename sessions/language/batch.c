// SPDX-License-Identifier: GPL-3.0-or-later
// A batch run: the lines of a file, one after the other, each carried out before the next is read. A signal pauses the
// search, saves, and ends the run; the same signal a second time ends the process at once.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/signals.h"
#include "sessions/core/inside.h"

enum { PLAIN_PROGRESS_SECONDS = 10, PLOT_SECONDS = 60 };
static const double BAR_SECONDS = 0.2;

struct batch {
	struct session *s;
	struct script *script;
	const struct audience *audience; // NULL: none
	enum script_line last;           // the line before
	bool terminal;                   // standard error is one: a bar, else a plain line now and then
	bool bar_shown;
	double shown_at;
	long shown_step;
	bool failed; // the present line, by what came of it later
	bool mute;   // standard output takes no more
	struct fault fault;
};

// ---- what is shown ---------------------------------------------------------------------------------------------------

static void bar_clear(struct batch *b)
{
	if (b->bar_shown)
		fputs("\r\033[K", stderr);
	b->bar_shown = false;
}

static void show_progress(struct batch *b)
{
	enum { WIDTH = 30 };
	const struct snapshot *now = travel_snapshot(b->s);
	double time = clock_seconds();
	if (now->step == b->shown_step || now->horizon <= 0 ||
		time - b->shown_at < (b->terminal ? BAR_SECONDS : PLAIN_PROGRESS_SECONDS))
		return;
	b->shown_at = time;
	b->shown_step = now->step;
	char speed[96];
	if (now->estimated[0] || b->s->info->command[0]) // nothing is trained
		snprintf(speed, sizeof speed, "%.0f steps/s", now->step_seconds > 0 ? 1 / now->step_seconds : 0);
	else
		snprintf(speed, sizeof speed, "loss %.3f%s %.0f images/s", now->loss, b->terminal ? " " : ",", now->images_per_s);
	if (b->terminal) {
		static const char full[WIDTH + 1] = "##############################";
		int filled = (int)(WIDTH * now->step / now->horizon);
		fprintf(stderr, "\r\033[K[%.*s%*s] step %ld/%ld  %s  %.0f s left", filled, full, WIDTH - filled, "", now->step,
			now->horizon, speed, now->seconds_left);
		b->bar_shown = true;
	} else {
		fprintf(stderr, "step %ld/%ld: %s, %.0f s left; %s\n", now->step, now->horizon, speed, now->seconds_left,
			now->says);
	}
	fflush(stderr);
}

// A line on standard output, its foreign text cleaned. The first that cannot be written fails the line of the script, and so
// ends the run.
__attribute__((format(printf, 2, 0))) static void put(struct batch *b, const char *format, va_list args)
{
	char *text = NULL;
	int length = vasprintf(&text, format, args);
	bar_clear(b);
	bool ok = length >= 0 && puts(text_clean(text, "\n\t")) >= 0 && fflush(stdout) == 0;
	int error = length < 0 ? ENOMEM : errno;
	if (length >= 0)
		free(text);
	if (ok || b->mute)
		return;
	b->mute = true;
	if (b->failed)
		return;
	b->failed = true;
	fault_set(&b->fault, "standard output", "the search itself is saved", "cannot be written: %s", strerror(error));
}

__attribute__((format(printf, 2, 3))) static void put_line(struct batch *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	put(b, format, args);
	va_end(args);
}

static void complain(const char *text)
{
	char *copy = strdup(text);
	if (copy)
		fprintf(stderr, "%s\n", text_clean(copy, "\n\t"));
	free(copy);
}

__attribute__((format(printf, 2, 3))) static void say(struct command_call *call, const char *format, ...)
{
	struct batch *b = call->sayer;
	va_list args;
	va_start(args, format);
	char *text = NULL;
	if (b->audience && b->audience->said && vasprintf(&text, format, args) >= 0) {
		put_line(b, "%s", text);
		b->audience->said(b->audience->context, text);
		free(text);
	} else {
		put(b, format, args);
	}
	va_end(args);
}

static void turned(struct batch *b)
{
	if (b->audience && b->audience->turned)
		b->audience->turned(b->audience->context);
}

// Results to standard output; the first fault becomes the line's own. What opening found amiss, and pictures that cannot
// be made, are only said.
static void show_messages(struct batch *b)
{
	bool bad;
	for (const char *text; (text = session_message(b->s, &bad));) {
		if (b->audience && b->audience->told)
			b->audience->told(b->audience->context, text);
		if (!bad) {
			put_line(b, "%s", text);
		} else if (b->script->line && !b->failed && !b->s->plots_failed) {
			b->failed = true;
			b->fault = (struct fault){"", "", ""}; // the text is a whole fault already, in one line
			snprintf(b->fault.what, sizeof b->fault.what, "%s", text);
		} else {
			bar_clear(b);
			complain(text);
		}
	}
}

// ---- waiting ---------------------------------------------------------------------------------------------------------

static bool at_rest(const struct session *s)
{
	return !s->pending && !s->wants && !s->play.on && !s->travel.phase && !alone_busy(s) && !compare_busy(s) &&
		(!s->waiting || s->written.failing) && !(s->writer && writer_busy(s->writer));
}

// Until all that the line began is done. The number of a signal that came first, else 0.
static int rest(struct batch *b)
{
	struct session *s = b->s;
	for (;;) {
		struct fault f;
		session_turn(s);
		show_messages(b);
		turned(b);
		int come = signals_next();
		if (come)
			return come;
		int waited = at_rest(s) && !s->news ? wait_turn(s, &f) : 0;
		if (waited < 0 && !b->failed) {
			b->failed = true;
			b->fault = f;
		}
		if (waited)
			break;
		show_progress(b);
		struct pollfd fds[SESSION_FDS + 1];
		int timeout = 1000;
		int n = session_fds(s, fds, &timeout);
		fds[n++] = (struct pollfd){.fd = signals_fd(), .events = POLLIN};
		poll(fds, (nfds_t)n, timeout);
	}
	wait_end(s);
	return 0;
}

static int interrupted(struct batch *b, int number)
{
	struct fault f;
	struct session *s = b->s;
	bar_clear(b);
	wait_end(s);
	engine_pause(s->engine);
	session_await_replies(s, NULL);
	// A session that still follows its journal has nothing that the journal does not hold.
	bool saved = s->writer && (s->play.on || (session_save(s, false, &f) && session_await_replies(s, &f))) &&
		session_flush(s, &f);
	show_messages(b);
	struct string line = {0};
	string_add(&line, "%s at step %ld: %s%s", strsignal(number), s->snapshot->step, saved ? "saved in " : "not saved",
		saved ? s->folder : "");
	if (!line.failed)
		complain(line.bytes);
	string_clear(&line);
	if (alone_farewell(s, &line) && !line.failed)
		complain(line.bytes);
	string_free(&line);
	return 128 + number;
}

// ---- the lines -------------------------------------------------------------------------------------------------------

// A tour's command, before its answer, unless it is about the screen alone; and empty lines.
static void show_line(struct batch *b, const struct command_table *table, enum script_line kind, const char *line)
{
	char word[32];
	line += strspn(line, " \t");
	snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " \t"), line);
	const struct command *c = command_find(table, word, NULL);
	if (kind == SCRIPT_COMMAND && c && c->kind == COMMAND_VIEW) // nothing for who reads
		return;
	if (kind == SCRIPT_BREAK || script_gap(b->last, kind))
		put_line(b, "%s", "");
	if (kind == SCRIPT_COMMAND)
		put_line(b, ":%s", line);
	b->last = kind;
}

// The line, and what it asked for that takes a while. The number of a signal that came first, else 0.
static int carry_out(struct batch *b, const struct command_table *table, const char *line)
{
	char *due = NULL;
	int come;
	do {
		struct fault fault;
		if (!command_run(table, due ? due : line, say, b, &fault)) {
			b->failed = true;
			b->fault = fault;
		}
		come = b->failed ? signals_next() : rest(b);
		free(due);
		due = session_due(b->s) ? strdup(session_due(b->s)) : NULL;
	} while (!come && !b->failed && due);
	free(due);
	return come;
}

// False with the exit status: the file has ended (0), or a line failed.
static bool run_line(struct batch *b, const struct command_table *table, int *status)
{
	const char *line;
	enum script_line kind = script_next(b->script, &line, &b->fault);
	int come = kind == SCRIPT_FAILED ? signals_next() : 0;
	if (come) { // it was waiting for the line
		*status = interrupted(b, come);
		return false;
	}
	if (kind == SCRIPT_END || (kind == SCRIPT_FAILED && ferror(b->script->in))) {
		b->failed = kind == SCRIPT_FAILED;
		*status = b->failed ? 2 : 0;
		return false;
	}
	b->failed = kind == SCRIPT_FAILED; // its fault stands
	if (b->script->tour)
		show_line(b, table, kind, line);
	come = b->failed ? signals_next() : carry_out(b, table, line);
	if (come) {
		*status = interrupted(b, come);
		b->failed = false;
		return false;
	}
	*status = b->failed;
	if (!b->failed && kind > SCRIPT_BREAK && b->audience && b->audience->done)
		b->audience->done(b->audience->context, line);
	return !b->failed;
}

static void finish_pictures(struct batch *b)
{
	if (plotter_busy(b->s->plotter))
		plotter_finish(b->s->plotter, PLOT_SECONDS);
	session_turn(b->s);
	show_messages(b);
}

int session_batch(struct session *s, const char *file, const struct command_table *table, struct fault *f)
{
	struct batch b = {.s = s,
		.script = script_open(file, f),
		.audience = table->audience,
		.terminal = isatty(STDERR_FILENO),
		.shown_at = clock_seconds()};
	if (!b.script)
		return 2;
	int status = 1;
	if (signals_open(false, f)) {
		s->batch = true;
		s->script = b.script;
		s->plots_failed = 0;
		// What opening had to say, and the way to the journal's end, come before the first line.
		int come = rest(&b);
		if (!b.failed && s->play.failed) {
			b.failed = true;
			b.fault = s->play.fault;
		}
		status = come ? interrupted(&b, come) : b.failed;
		while (!come && !b.failed && run_line(&b, table, &status))
			;
		finish_pictures(&b);
		bar_clear(&b);
		s->batch = false;
		s->script = NULL;
		signals_close();
		if (b.failed) {
			status = status ? status : 1;
			script_place(b.script, &b.fault);
			*f = b.fault;
		} else if (status == 0 && s->plots_failed) {
			// A picture that cannot be made hurts no line after it; but the run did not do all it was told to.
			fault_set(f, b.script->file, "why was said above", "not drawn: %d picture%s", s->plots_failed,
				s->plots_failed == 1 ? "" : "s");
			status = 1;
		}
	}
	script_close(b.script);
	return status;
}
