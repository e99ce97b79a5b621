// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"

extern char **environ;

// Its input is a socket, since only a socket can be written to without SIGPIPE and without changing how the whole
// process takes that signal.
struct ends {
	int in[2], out[2], err[2]; // [0] ours, [1] the child's
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++)
		if (pair[i] >= 0)
			close(pair[i]);
}

static bool pipe_from_child(int pair[2])
{
	// Ours alone must not block: the child's end is its own file description.
	return !pipe2(pair, O_CLOEXEC) && !fcntl(pair[0], F_SETFL, O_NONBLOCK);
}

static bool open_ends(struct ends *e)
{
	*e = (struct ends){{-1, -1}, {-1, -1}, {-1, -1}};
	return !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->in) && pipe_from_child(e->out) && pipe_from_child(e->err);
}

// Our environment without one variable. The strings stay ours.
static char **environment(const char *without)
{
	size_t count = 0, length = without ? strlen(without) : 0;
	while (environ && environ[count])
		count++;
	char **copy = calloc(count + 1, sizeof *copy);
	for (size_t i = 0, to = 0; copy && i < count; i++)
		if (!without || strncmp(environ[i], without, length) || environ[i][length] != '=')
			copy[to++] = environ[i];
	return copy;
}

static int spawn(struct child *c, const struct ends *e, char *const *argv, char **env)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int error = posix_spawn_file_actions_init(&files);
	if (error)
		return error;
	error = posix_spawnattr_init(&how);
	if (error) {
		posix_spawn_file_actions_destroy(&files);
		return error;
	}
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&how, &all);
	posix_spawnattr_setsigmask(&how, &none);
	(void)((error = posix_spawn_file_actions_adddup2(&files, e->in[1], STDIN_FILENO)) ||
		(error = posix_spawn_file_actions_adddup2(&files, e->out[1], STDOUT_FILENO)) ||
		(error = posix_spawn_file_actions_adddup2(&files, e->err[1], STDERR_FILENO)) ||
		(error = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1)));
	if (!error)
		error = posix_spawnp(&c->pid, argv[0], &files, &how, argv, env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return error;
}

bool child_start(struct child *c, const struct child_plan *plan, struct fault *f)
{
	struct ends e;
	char **env = environment(plan->without);
	int error = env ? 0 : ENOMEM;
	if (!open_ends(&e) && !error)
		error = errno;
	if (!error)
		error = spawn(c, &e, plan->argv, env);
	free(env);
	if (error) {
		c->pid = 0;
		close_pair(e.in);
		close_pair(e.out);
		close_pair(e.err);
		return error == ENOENT
			? fault_set(f, plan->argv[0], plan->missing, "is not installed")
			: fault_set(f, plan->argv[0], "try it at a shell", "cannot be started (%s)", strerror(error));
	}
	close(e.in[1]);
	close(e.out[1]);
	close(e.err[1]);
	c->in = e.in[0];
	c->out = e.out[0];
	c->err = e.err[0];
	return true;
}

void child_reap(struct child *c)
{
	for (size_t i = 0; i < sizeof c->gone / sizeof c->gone[0]; i++)
		if (c->gone[i] && waitpid(c->gone[i], NULL, WNOHANG) != 0)
			c->gone[i] = 0;
}

void child_end(struct child *c)
{
	if (!c->pid)
		return;
	kill(-c->pid, SIGKILL);
	close(c->in);
	close(c->out);
	close(c->err);
	child_reap(c);
	for (size_t i = 0; i < sizeof c->gone / sizeof c->gone[0]; i++)
		if (!c->gone[i]) {
			c->gone[i] = c->pid;
			break;
		}
	c->pid = 0;
	child_reap(c);
}

// Whether it ended within so many seconds, and how. It is not reaped: its number still is its own.
static bool ended(const struct child *c, double seconds, siginfo_t *how)
{
	double end = clock_seconds() + seconds;
	for (;;) {
		*how = (siginfo_t){0};
		if (waitid(P_PID, (id_t)c->pid, how, WEXITED | WNOHANG | WNOWAIT) < 0 || how->si_pid == c->pid)
			return true;
		if (clock_seconds() >= end)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
}

void child_leave(struct child *c, double seconds)
{
	siginfo_t how;
	if (!c->pid)
		return;
	shutdown(c->in, SHUT_WR);
	if (!ended(c, seconds, &how)) {
		kill(-c->pid, SIGTERM);
		ended(c, seconds, &how);
	}
	child_end(c);
}

const char *child_fate(const struct child *c, double seconds, char *buf, size_t size)
{
	siginfo_t how;
	if (!ended(c, seconds, &how))
		snprintf(buf, size, "still runs");
	else if (how.si_code == CLD_EXITED)
		snprintf(buf, size, "ended with status %d", how.si_status);
	else
		snprintf(buf, size, "was ended by signal %d", how.si_status);
	return buf;
}

void child_wait(struct child *c)
{
	for (int tries = 0; tries < 50; tries++) {
		child_reap(c);
		bool all = true;
		for (size_t i = 0; i < sizeof c->gone / sizeof c->gone[0]; i++)
			all = all && !c->gone[i];
		if (all)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
}

ssize_t child_write(const struct child *c, const char *bytes, size_t size)
{
	ssize_t sent = send(c->in, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent >= 0 ? sent : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

ssize_t child_read(int fd, char *bytes, size_t size)
{
	ssize_t got = read(fd, bytes, size);
	return got > 0 ? got : got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
