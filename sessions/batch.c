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

#include "sessions/inside.h"

enum { PLAIN_PROGRESS_SECONDS = 10, PLOT_SECONDS = 60 };
static const double BAR_SECONDS = 0.2;

struct batch {
	struct session *s;
	struct script *script;
	enum script_line last; // the line before
	bool terminal;  // standard error is one: a bar, else a plain line now and then
	bool bar_shown;
	double shown_at;
	long shown_step;
	bool failed;    // the present line, by what came of it later
	struct fault fault;
};

// ---- signals -------------------------------------------------------------------------------------------------------

// The handler's end of the pipe: there is one batch run in a process.
static volatile sig_atomic_t signal_pipe = -1;

static void on_signal(int number)
{
	int error = errno;
	unsigned char byte = (unsigned char)number;
	ssize_t n = write(signal_pipe, &byte, 1);
	(void)n;
	errno = error;
}

struct signals {
	int pipe[2];
	struct sigaction old_int, old_term, old_hup;
};

static bool signals_take(struct signals *g, struct fault *f)
{
	if (pipe2(g->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return disk_fault(f, "", "make a pipe", errno);
	signal_pipe = g->pipe[1];
	// The second one finds the default: it ends the process.
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &g->old_int);
	sigaction(SIGTERM, &action, &g->old_term);
	sigaction(SIGHUP, &action, &g->old_hup);
	if (g->old_hup.sa_handler == SIG_IGN)
		sigaction(SIGHUP, &g->old_hup, NULL); // nohup
	return true;
}

static void signals_return(struct signals *g)
{
	sigaction(SIGINT, &g->old_int, NULL);
	sigaction(SIGTERM, &g->old_term, NULL);
	sigaction(SIGHUP, &g->old_hup, NULL);
	signal_pipe = -1;
	close(g->pipe[0]);
	close(g->pipe[1]);
}

static int signal_come(const struct signals *g)
{
	unsigned char byte;
	return read(g->pipe[0], &byte, 1) == 1 ? byte : 0;
}

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
	const struct snapshot *now = b->s->snapshot;
	double time = clock_seconds();
	if (now->step == b->shown_step || now->horizon <= 0
		|| time - b->shown_at < (b->terminal ? BAR_SECONDS : PLAIN_PROGRESS_SECONDS))
		return;
	b->shown_at = time;
	b->shown_step = now->step;
	char speed[96];
	if (now->estimated[0]) // nothing is trained
		snprintf(speed, sizeof speed, "%.0f steps/s", now->step_seconds > 0 ? 1 / now->step_seconds : 0);
	else
		snprintf(speed, sizeof speed, "loss %.3f%s %.0f images/s", now->loss, b->terminal ? " " : ",", now->images_per_s);
	if (b->terminal) {
		static const char full[WIDTH + 1] = "##############################";
		int filled = (int)(WIDTH * now->step / now->horizon);
		fprintf(stderr, "\r\033[K[%.*s%*s] step %ld/%ld  %s  %.0f s left", filled, full, WIDTH - filled, "",
			now->step, now->horizon, speed, now->seconds_left);
		b->bar_shown = true;
	} else {
		fprintf(stderr, "step %ld/%ld: %s, %.0f s left; %s\n", now->step, now->horizon, speed, now->seconds_left, now->says);
	}
	fflush(stderr);
}

__attribute__((format(printf, 2, 3))) static void say(struct command_call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	bar_clear(call->sayer);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
}

// Results to standard output; the first fault becomes the line's own. What opening found amiss, and pictures that cannot
// be made, are only said.
static void show_messages(struct batch *b)
{
	bool bad;
	for (const char *text; (text = session_message(b->s, &bad));) {
		bar_clear(b);
		if (!bad) {
			printf("%s\n", text);
		} else if (b->script->line && !b->failed && !b->s->plot_failed) {
			b->failed = true;
			fault_set(&b->fault, "", "", "%s", text);
		} else {
			fprintf(stderr, "%s\n", text);
		}
	}
	fflush(stdout);
}

// ---- waiting ---------------------------------------------------------------------------------------------------------

static bool at_rest(const struct session *s)
{
	return !s->pending && !s->wants && !s->play.on && (!s->waiting || s->written.failing)
		&& !(s->writer && writer_busy(s->writer));
}

// Until all that the line began is done. The number of a signal that came first, else 0.
static int rest(struct batch *b, const struct signals *g)
{
	struct session *s = b->s;
	for (;;) {
		struct fault f;
		session_turn(s);
		show_messages(b);
		int come = signal_come(g);
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
		fds[n++] = (struct pollfd){ .fd = g->pipe[0], .events = POLLIN };
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
	session_settle(s, NULL);
	bool saved = s->writer && session_save(s, false, &f) && session_settle(s, &f);
	show_messages(b);
	fprintf(stderr, "%s at step %ld: %s%s\n", strsignal(number), s->snapshot->step,
		saved ? "saved in " : "not saved", saved ? s->folder : "");
	return 128 + number;
}

// ---- the lines -------------------------------------------------------------------------------------------------------

// A tour's command, before its answer; and empty lines.
static void show_line(struct batch *b, enum script_line kind, const char *line)
{
	bar_clear(b);
	if (kind == SCRIPT_BREAK || script_gap(b->last, kind))
		putchar('\n');
	if (kind == SCRIPT_COMMAND)
		printf(":%s\n", line);
	b->last = kind;
}

// False with the exit status: the file has ended (0), or a line failed.
static bool run_line(struct batch *b, const struct command_table *table, const struct signals *g, int *status)
{
	const char *line;
	enum script_line kind = script_next(b->script, &line, &b->fault);
	if (kind == SCRIPT_END || (kind == SCRIPT_FAILED && ferror(b->script->in))) {
		b->failed = kind == SCRIPT_FAILED;
		*status = b->failed ? 2 : 0;
		return false;
	}
	if (b->script->tour)
		show_line(b, kind, line);
	b->failed = kind == SCRIPT_FAILED || !command_run(table, line, say, b, &b->fault);
	int come = b->failed ? signal_come(g) : rest(b, g);
	if (come) {
		*status = interrupted(b, come);
		b->failed = false;
		return false;
	}
	*status = b->failed;
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
	struct batch b = { .s = s, .script = script_open(file, f), .terminal = isatty(STDERR_FILENO), .shown_at = clock_seconds() };
	struct signals signals;
	if (!b.script)
		return 2;
	int status = 1;
	if (signals_take(&signals, f)) {
		s->batch = true;
		// What opening had to say, and the way to the journal's end, come before the first line.
		int come = rest(&b, &signals);
		if (!b.failed && s->play.failed) {
			b.failed = true;
			b.fault = s->play.fault;
		}
		status = come ? interrupted(&b, come) : b.failed;
		while (!come && !b.failed && run_line(&b, table, &signals, &status))
			;
		finish_pictures(&b);
		bar_clear(&b);
		s->batch = false;
		signals_return(&signals);
		if (b.failed) {
			script_place(b.script, &b.fault);
			*f = b.fault;
		} else if (status == 0 && s->plot_failed) {
			// A picture that cannot be made hurts no line after it; but the run did not do all it was told to.
			*f = s->plot_fault;
			status = 1;
		}
	}
	script_close(b.script);
	return status;
}
