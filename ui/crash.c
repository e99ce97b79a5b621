// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

// ---- standard error -----------------------------------------------------------------------------------------------

static int kept_fd = -1, real_stderr = -1;

void stderr_keep(void)
{
	if (real_stderr >= 0)
		return;
	if (kept_fd < 0)
		kept_fd = memfd_create("bitscape-stderr", MFD_CLOEXEC);
	if (kept_fd < 0)
		return;
	fflush(stderr);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (real_stderr >= 0)
		dup2(kept_fd, STDERR_FILENO);
}

// Async-signal-safe.
static void put_kept(int to)
{
	char buf[512];
	off_t at = 0;
	for (ssize_t got; kept_fd >= 0 && (got = pread(kept_fd, buf, sizeof buf, at)) > 0; at += got)
		if (write(to, buf, (size_t)got) < 0)
			return;
}

void stderr_back(void)
{
	if (real_stderr < 0)
		return;
	fflush(stderr);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	real_stderr = -1;
	put_kept(STDERR_FILENO);
	if (ftruncate(kept_fd, 0) == 0)
		lseek(kept_fd, 0, SEEK_SET);
}

// ---- crashes ------------------------------------------------------------------------------------------------------

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FATAL = sizeof fatal / sizeof *fatal };

static struct {
	volatile sig_atomic_t armed;
	int tty;
	struct termios settings;
	bool has_settings;
	char restore[512], note[256];
	size_t restore_length, note_length;
	struct sigaction before[FATAL];
} crash;

static void write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);
		if (done <= 0)
			return;
		text += done;
		length -= (size_t)done;
	}
}

static void on_crash(int number)
{
	if (crash.armed) {
		crash.armed = 0;
		write_all(crash.tty, crash.restore, crash.restore_length);
		if (crash.has_settings)
			tcsetattr(crash.tty, TCSANOW, &crash.settings);
		int out = real_stderr >= 0 ? real_stderr : STDERR_FILENO;
		put_kept(out);
		write_all(out, crash.note, crash.note_length);
	}
	for (int i = 0; i < FATAL; i++)
		if (fatal[i] == number)
			sigaction(number, &crash.before[i], NULL);
	raise(number); // held until this handler returns, then as before
}

void crash_arm(int tty, const char *restore, size_t length)
{
	crash.tty = tty;
	crash.has_settings = tcgetattr(tty, &crash.settings) == 0;
	crash.restore_length = length < sizeof crash.restore ? length : 0;
	memcpy(crash.restore, restore, crash.restore_length);

	// A stack of its own: an overflown stack is a crash too.
	static void *stack;
	size_t size = 64 * 1024;
	if (!stack && (stack = malloc(size)) != NULL)
		sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = size}, NULL);
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};
	sigfillset(&action.sa_mask);
	for (int i = 0; i < FATAL; i++)
		sigaction(fatal[i], &action, &crash.before[i]);
	crash.armed = 1;
}

void crash_note(const char *line)
{
	crash.note_length = 0;
	int length = snprintf(crash.note, sizeof crash.note, "%s\n", line);
	crash.note_length = length < 0 ? 0 : (size_t)length < sizeof crash.note ? (size_t)length : sizeof crash.note - 1;
}

void crash_disarm(void)
{
	if (!crash.armed)
		return;
	crash.armed = 0;
	for (int i = 0; i < FATAL; i++)
		sigaction(fatal[i], &crash.before[i], NULL);
}
