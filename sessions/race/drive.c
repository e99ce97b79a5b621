// SPDX-License-Identifier: GPL-3.0-or-later
// All runs of a race, each by this program again, in a process of its own.
#include <errno.h>
#include <math.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/signals.h"
#include "sessions/race/make.h"
#include "sessions/store/folder.h"

struct drive {
	struct race race;
	int made, finished, crashed; // by this process; in all; runs that ended without a word
	double began;
	void (*say)(void *context, const char *line);
	void *context;
};

static void tell(const struct drive *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct drive *d, const char *format, ...)
{
	char line[8 * ENGINE_TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	d->say(d->context, text_clean(line, ""));
}

// ---- one process -----------------------------------------------------------------------------------------------------

// Becomes the run. `alive` stays open until this process ends, however it does.
static void become(const char *folder, const char *name, pid_t parent, int alive)
{
	char program[] = "bitscape", race[] = "race", run[] = "run";
	char *argv[] = {program, race, run, strdup(folder), strdup(name), NULL};
	prctl(PR_SET_PDEATHSIG, SIGKILL); // a race that is killed leaves no run behind, which would write beside the next one
	if (getppid() == parent && dup(alive) >= 0 && argv[3] && argv[4])
		execv("/proc/self/exe", argv);
	_exit(127);
}

// Starts a run; *alive is readable once it has ended. -1: it cannot be started, errno says why.
static pid_t start(const char *folder, const char *name, int *alive)
{
	int ends[2];
	pid_t self = getpid();
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0)
		become(folder, name, self, ends[1]);
	int error = errno;
	close(ends[1]);
	*alive = ends[0];
	if (child < 0)
		close(ends[0]);
	errno = error;
	return child;
}

// Waits for a run to end: its status, or the number of a signal that came first, which ends it too.
static int await_end(pid_t child, int alive, int *status)
{
	struct pollfd fds[] = {{.fd = alive, .events = POLLIN}, {.fd = signals_fd(), .events = POLLIN}};
	int come = 0;
	while (!come) {
		poll(fds, 2, -1);
		come = signals_next();
		if (fds[0].revents)
			break;
	}
	if (come)
		kill(child, SIGKILL); // its result would be written whole or not at all
	while (waitpid(child, status, 0) < 0 && errno == EINTR)
		;
	close(alive);
	return come;
}

// ---- all of them -----------------------------------------------------------------------------------------------------

static void tell_result(struct drive *d, int i)
{
	char title[4 * ENGINE_TEXT], cost[96];
	const struct result *r = &d->race.result[i];
	const char *term = d->race.plan.term;
	double seconds = clock_seconds() - d->began, left = seconds / d->made * (d->race.runs - d->finished);
	run_title(&d->race.run[i], title);
	if (r->why[0])
		tell(d, "%d/%d %s: failed: %s", d->finished, d->race.runs, title, r->why);
	else
		tell(d, "%d/%d %s: test %.2f %% at %s, %.1f s, %.0f MB; %.0f s left", d->finished, d->race.runs, title,
			100 * r->test, number_brief(result_cost(r, term), result_unit(r, term), cost, sizeof cost), r->running,
			r->memory / 1e6, left);
}

// A run ended without a result. False: so would those that follow.
static bool no_result(struct drive *d, const struct race_run *run, int status, struct fault *f)
{
	char title[4 * ENGINE_TEXT];
	run_title(run, title);
	if (WIFSIGNALED(status)) {
		d->crashed++;
		tell(d, "%s: ended by signal %d (%s), without a result", title, WTERMSIG(status), strsignal(WTERMSIG(status)));
		return true;
	}
	return fault_set(f, title, "then `race resume` goes on: what is finished is saved",
		WEXITSTATUS(status) == 127 ? "the program cannot be started again"
					   : "the run could not be made, for the reason given above");
}

static bool interrupted(const struct drive *d, int number, struct fault *f)
{
	return fault_set(f, d->race.folder, "`race resume` goes on with the run that was in hand",
		"%s: %d of %d runs are finished and saved", strsignal(number), d->finished, d->race.runs);
}

static bool make_run(struct drive *d, int i, struct fault *f)
{
	int alive, status = 0;
	const struct race_run *run = &d->race.run[i];
	pid_t child = start(d->race.folder, run->name, &alive);
	if (child < 0)
		return fault_set(f, run->name, "close other programs, then `race resume`", "no process can be made for it: %s",
			strerror(errno));
	int come = await_end(child, alive, &status);
	if (come)
		return interrupted(d, come, f);
	if (!result_read(d->race.folder, &d->race.plan, run, &d->race.result[i], f))
		return false;
	if (!d->race.result[i].there)
		return no_result(d, run, status, f);
	d->made++;
	d->finished++;
	tell_result(d, i);
	return true;
}

static bool make_all(struct drive *d, struct fault *f)
{
	d->finished = race_finished(&d->race);
	d->began = clock_seconds();
	tell(d, "%s: %d runs, %d of them finished", d->race.title, d->race.runs, d->finished);
	for (int i = 0; i < d->race.runs; i++)
		if (!d->race.result[i].there && !make_run(d, i, f))
			return false;
	if (d->crashed)
		return fault_set(f, d->race.folder, "`race resume` tries them again", "%d run%s ended without a result",
			d->crashed, d->crashed == 1 ? "" : "s");
	return true;
}

bool race_go_on(const char *folder, void (*say)(void *context, const char *line), void *context, struct fault *f)
{
	struct drive d = {.say = say, .context = context};
	int lock = -1;
	long owner;
	bool ok = race_open(&d.race, folder, true, f);
	if (ok)
		switch (folder_lock(d.race.folder, &lock, &owner)) {
		case LOCK_TAKEN: break;
		case LOCK_ELSEWHERE:
			ok = fault_set(f, d.race.folder, "wait for it, or look with `race table`",
				"process %ld is running this race", owner);
			break;
		case LOCK_IMPOSSIBLE: ok = disk_fault(f, d.race.folder, "lock this folder", errno); break;
		}
	ok = ok && signals_open(false, f);
	if (ok) {
		folder_sweep(d.race.folder);
		ok = make_all(&d, f);
		signals_close();
	}
	if (lock >= 0)
		close(lock);
	race_free(&d.race);
	return ok;
}
