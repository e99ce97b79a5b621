// SPDX-License-Identifier: GPL-3.0-or-later
// Where tests of sessions work: a folder of their own, files in it, a small search, batch runs whose output is kept. For unit
// programs: failures are cmocka's.
#ifndef TESTS_WORKPLACE_H
#define TESTS_WORKPLACE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessions/core/inside.h"
#include "tests/ground.h"

static char place[256]; // a folder of this run's own; the current one is in it, and the state folder

static inline void put(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void put_string(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

static inline char *get(const char *path, size_t *size)
{
	struct fault f;
	size_t n;
	char *bytes = disk_read(path, 64 << 20, &n, &f);
	assert_non_null(bytes);
	if (size)
		*size = n;
	return bytes;
}

static inline void assert_says(const struct fault *f, const char *part)
{
	char line[sizeof *f + 8];
	if (!strstr(fault_line(f, line, sizeof line), part))
		fail_msg("\"%s\" does not say \"%s\"", line, part);
}

static inline struct config *small_config(void)
{
	static const char *const settings[][2] = {
		{"net", "resnet8"},
		{"data", "glyphs:12"},
		{"train", "256"},
		{"heldout", "128"},
		{"batch", "16"},
		{"steps", "30"},
		{"space", "int-s"},
		{"front-every", "10"},
		{"front-images", "32"},
		{"calibration", "32"},
		{"threads", "2"},
		{"target.bops", "int4"},
		{"weight.bops", "1"},
		{"entropy", "0.02"},
	};
	struct fault f;
	struct config *config = config_new();
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!config_set(config, settings[i][0], settings[i][1], &f))
			fail_msg("%s: %s", settings[i][0], f.what);
	return config;
}

static inline struct session *begin(const char *name)
{
	struct fault f;
	struct config *config = small_config();
	struct session *s = session_new(name, config, &f);
	config_free(config);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	return s;
}

static inline struct session *again(const char *name)
{
	struct fault f;
	struct session *s = session_open(name, &f);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	return s;
}

static inline void end(struct session *s)
{
	struct fault f;
	if (!session_close(s, &f))
		fail_msg("%s: %s", f.where, f.what);
}

enum { GROUPS = 3 };

static inline struct command_table table_of(struct session *s, struct command_group group[GROUPS])
{
	group[0] = (struct command_group){.title = "Searching", .context = s};
	group[0].rows = session_commands(&group[0].count);
	group[1] = session_plot_group(s);
	group[2] = session_catalog_group(s);
	return (struct command_table){.group = group, .groups = GROUPS};
}

// Runs lines as a batch; what it prints goes to the files `out` and `err`.
static inline int batch(struct session *s, const char *lines, struct fault *f)
{
	struct command_group group[GROUPS];
	struct command_table table = table_of(s, group);
	fflush(stdout);
	fflush(stderr);
	int out = dup(1), err = dup(2);
	int to = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666), too = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	dup2(to, 1);
	dup2(too, 2);
	put_string("script", lines);
	*f = (struct fault){"", "", ""};
	int status = session_batch(s, "script", &table, f);
	fflush(stdout);
	fflush(stderr);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(to);
	close(too);
	return status;
}

static inline void run_lines(struct session *s, const char *lines)
{
	struct fault f;
	char line[sizeof f + 8];
	if (batch(s, lines, &f) != 0)
		fail_msg("%s", fault_line(&f, line, sizeof line));
}

static inline void refused(struct session *s, const char *line, const char *says)
{
	struct fault f = {0};
	if (batch(s, line, &f) == 0)
		fail_msg("%s: not refused", line);
	assert_says(&f, says);
}

static inline void assert_printed(const char *part)
{
	char *text = get("out", NULL);
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
	free(text);
}

static inline void copy_file(const char *from, const char *to)
{
	size_t n;
	char *bytes = get(from, &n);
	put(to, bytes, n);
	free(bytes);
}

// All that it says until it has caught up with its journal.
static inline void heard(struct session *s, char *buf, size_t size)
{
	buf[0] = '\0';
	do {
		struct pollfd fds[SESSION_FDS];
		int timeout = 100;
		bool bad;
		session_turn(s);
		for (const char *text; (text = session_message(s, &bad));) {
			size_t n = strlen(buf);
			snprintf(buf + n, size - n, "%s\n", text);
		}
		if (s->play.on)
			poll(fds, (nfds_t)session_fds(s, fds, &timeout), timeout);
	} while (s->play.on);
}

static inline int make_place(void **state)
{
	(void)state;
	return ground_make(place, sizeof place, "sessions", "bitscape")
		? 0
		: -1; // bare names lie in the state folder: the current one
}

static inline int clear_place(void **state)
{
	(void)state;
	return chdir("/") == 0 && ground_clear(place) ? 0 : -1;
}

#endif
