// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/sources/dialogue.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dialogue_begin(struct dialogue *d, const char *command, struct fault *fault)
{
	char shell[] = "/bin/sh", option[] = "-c", *copy = strdup(command), *argv[] = {shell, option, copy, NULL};
	const struct child_plan plan = {argv, NULL, "a shell is needed to run it"};
	string_clear(&d->out);
	d->sent = d->at = d->held = d->length = d->complained = 0;
	d->ended = d->mute = false;
	d->complaint[0] = '\0';
	bool ok = copy ? child_start(&d->child, &plan, fault) : fault_memory(fault, "quality");
	free(copy);
	return ok;
}

void dialogue_end(struct dialogue *d, double seconds)
{
	if (seconds > 0)
		child_leave(&d->child, seconds);
	child_end(&d->child);
	child_wait(&d->child);
	string_free(&d->out);
}

bool dialogue_send(struct dialogue *d)
{
	while (d->sent < d->out.length) {
		ssize_t n = child_write(&d->child, d->out.bytes + d->sent, d->out.length - d->sent);
		if (n <= 0)
			return n == 0;
		d->sent += (size_t)n;
	}
	string_clear(&d->out);
	d->sent = 0;
	return true;
}

// ---- hearing ----

// The bytes in hand, up to a newline. Whether it came.
static bool take_line(struct dialogue *d)
{
	while (d->at < d->held) {
		char c = d->in[d->at++];
		if (c == '\n')
			return true;
		if (d->length < sizeof d->line) // one byte more than fits: too long
			d->line[d->length++] = c;
	}
	return false;
}

enum heard dialogue_hear(struct dialogue *d, const char **line)
{
	enum { READS = 16 }; // blank lines without end do not hold us
	for (int reads = 0;;) {
		if (take_line(d)) {
			bool whole = d->length < sizeof d->line;
			d->line[whole ? d->length : sizeof d->line - 1] = '\0';
			bool zero = whole && strlen(d->line) != d->length;
			d->length = 0;
			*line = text_clean(d->line, "\t\r");
			if (!whole || zero)
				return HEARD_TOO_LONG;
			if (d->line[strspn(d->line, " \t\r")])
				return HEARD_LINE;
		} else if (d->length == sizeof d->line) {
			return HEARD_TOO_LONG;
		} else if (d->ended) {
			return HEARD_END;
		} else if (reads++ == READS) {
			return HEARD_NOTHING;
		} else {
			ssize_t n = child_read(d->child.out, d->in, sizeof d->in);
			d->at = 0;
			d->held = n > 0 ? (size_t)n : 0;
			d->ended = n < 0;
			if (n == 0)
				return HEARD_NOTHING;
		}
	}
}

// Of a flood no more than so much at a time.
static void hear_complaints(struct dialogue *d)
{
	enum { AT_A_TIME = 1 << 16 };
	char buf[4096];
	for (int total = 0; total < AT_A_TIME && !d->mute;) {
		ssize_t n = child_read(d->child.err, buf, sizeof buf);
		d->mute = n < 0;
		if (n <= 0)
			return;
		total += (int)n;
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				if (d->complained < sizeof d->complaining - 1)
					d->complaining[d->complained++] = buf[i];
				continue;
			}
			d->complaining[d->complained] = '\0';
			if (d->complaining[strspn(d->complaining, " \t\r")])
				memcpy(d->complaint, d->complaining, sizeof d->complaint);
			d->complained = 0;
		}
	}
}

const char *dialogue_says(struct dialogue *d, char *buf, size_t size)
{
	if (d->child.pid)
		hear_complaints(d);
	d->complaining[d->complained] = '\0';
	const char *last = d->complaint[0] ? d->complaint : d->complaining;
	snprintf(buf, size, "%s%s", last[0] ? "; it says: " : "", last);
	return text_clean(buf, "");
}

bool dialogue_wait(struct dialogue *d, int bell, double seconds)
{
	enum { OUT, ERR, BELL, IN };
	struct pollfd fds[] = {
		[OUT] = {d->ended ? -1 : d->child.out, POLLIN, 0},
		[ERR] = {d->mute ? -1 : d->child.err, POLLIN, 0},
		[BELL] = {bell, POLLIN, 0},
		[IN] = {d->sent < d->out.length ? d->child.in : -1, POLLOUT, 0},
	};
	poll(fds, sizeof fds / sizeof *fds, (int)fmin(seconds * 1000 + 1, 1e6));
	if (fds[ERR].revents)
		hear_complaints(d);
	if (fds[IN].revents)
		dialogue_send(d); // where it reads no more, its output tells
	return fds[BELL].revents != 0;
}
