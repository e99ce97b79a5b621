// SPDX-License-Identifier: GPL-3.0-or-later
// Runs a command of a group and keeps what it says, for unit programs.
#ifndef TESTS_SAID_H
#define TESTS_SAID_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/command.h"
#include "engine/base/text.h"

static struct string said;
static struct fault fault;

__attribute__((format(printf, 2, 3))) static inline void say(struct command_call *call, const char *format, ...)
{
	(void)call;
	char *text = NULL;
	va_list args;
	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	string_add(&said, "%s\n", text);
	free(text);
}

// Whether it went well; else `fault` says why not. `said` is what this line said.
static inline bool run_line(const struct command_group *group, const char *line)
{
	const struct command_table table = {.group = group, .groups = 1};
	string_clear(&said);
	fault = (struct fault){0};
	return command_run(&table, line, say, NULL, &fault);
}

#endif
