// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static const struct taken {
	int number;
	bool screen; // only where there is one
	bool once;   // sent again by a person who does not want to wait; the others repeat by themselves
	bool heed;   // left alone where it was ignored before: nohup
} taken[] = {
	{SIGINT, false, true, false},
	{SIGTERM, false, true, false},
	{SIGHUP, false, true, true},
	{SIGQUIT, false, true, false},
	{SIGPIPE, false, false, false},
	{SIGALRM, false, false, false},
	{SIGUSR1, false, false, false},
	{SIGUSR2, false, false, false},
	{SIGXCPU, false, false, false},
	{SIGTSTP, true, false, false},
	{SIGCONT, true, false, false},
	{SIGWINCH, true, false, false},
};
enum { TAKEN = sizeof taken / sizeof *taken };

static int ends[2] = {-1, -1};
static struct sigaction before[TAKEN], before_size;
static bool on_screen;
static int heard;

static void on_signal(int number)
{
	int kept = errno;
	unsigned char byte = (unsigned char)number;
	// A full pipe means that the loop has enough to wake up for.
	ssize_t n = write(ends[1], &byte, 1);
	(void)n;
	errno = kept;
}

bool signals_open(bool screen, struct fault *f)
{
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return fault_set(f, "signals", "close other programs", "no pipe can be made: %s", strerror(errno));
	on_screen = screen;
	heard = 0;
	for (size_t i = 0; i < TAKEN; i++) {
		if (taken[i].screen && !screen)
			continue;
		struct sigaction action = {.sa_handler = on_signal,
			.sa_flags = screen      ? SA_RESTART
				: taken[i].once ? (int)SA_RESETHAND
						: 0};
		sigemptyset(&action.sa_mask);
		sigaction(taken[i].number, &action, &before[i]);
		if (taken[i].heed && before[i].sa_handler == SIG_IGN)
			sigaction(taken[i].number, &before[i], NULL);
	}
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGXFSZ, &ignore, &before_size);
	return true;
}

void signals_close(void)
{
	if (ends[0] < 0)
		return;
	for (size_t i = 0; i < TAKEN; i++)
		if (!taken[i].screen || on_screen)
			sigaction(taken[i].number, &before[i], NULL);
	sigaction(SIGXFSZ, &before_size, NULL);
	close(ends[0]);
	close(ends[1]);
	ends[0] = ends[1] = -1;
}

int signals_fd(void)
{
	return ends[0];
}

int signals_next(void)
{
	unsigned char byte;
	if (read(ends[0], &byte, 1) != 1)
		return 0;
	return heard = byte;
}

int signals_heard(void)
{
	return heard;
}

void signals_stop(bool group)
{
	struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
	sigemptyset(&usual.sa_mask);
	sigaction(SIGTSTP, &usual, &ours);
	kill(group ? 0 : getpid(), SIGTSTP); // comes back at SIGCONT
	sigaction(SIGTSTP, &ours, NULL);
}
