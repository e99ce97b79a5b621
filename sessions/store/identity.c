// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/identity.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void identity_draw(char id[IDENTITY_TEXT])
{
	uint64_t bits;
	if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits) {
		// A machine that has only just started: the time and the process must do.
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		bits = ((uint64_t)now.tv_sec << 32) ^ ((uint64_t)now.tv_nsec << 16) ^ (uint64_t)getpid();
	}
	snprintf(id, IDENTITY_TEXT, "%016llx", (unsigned long long)bits);
}

bool identity_good(const char *id)
{
	return strlen(id) == IDENTITY_TEXT - 1 && strspn(id, "0123456789abcdef") == IDENTITY_TEXT - 1;
}
