// SPDX-License-Identifier: GPL-3.0-or-later
// Words that already mean something and so cannot name a session.
#include <string.h>

#include "engine/machine.h"
#include "sessions/report/question.h"

static bool is_among(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

bool session_is_question(const char *name)
{
	const struct command_group group[] = {session_catalog_group(NULL), session_machine_group(), session_race_group(NULL)};
	const struct command_table table = {.group = group, .groups = sizeof group / sizeof *group};
	return strcmp(name, "help") == 0 || command_find(&table, name, NULL);
}

// What the program does without a session beside answering questions.
static const char *const acts[] = {"record", "manual", "completion", NULL};

bool session_name_free(const char *name, struct fault *f)
{
	static const struct {
		const char *const *(*names)(void);
		const char *what, *setting;
	} taken[] = {
		{engine_nets, "network", "net"},
		{engine_devices, "device", "device"},
		{pod_names, "pod", NULL},
		{engine_formats, "number format", NULL},
	};
	char todo[256];
	if (session_is_question(name))
		return fault_set(f, name, "choose another name, or give a path",
			"is taken: it asks a question, as in `bitscape %s`", name);
	if (is_among(name, acts))
		return fault_set(f, name, "choose another name, or give a path", "is taken: `bitscape %s` does something else",
			name);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		if (!is_among(name, taken[i].names()))
			continue;
		int used = taken[i].setting
			? snprintf(todo, sizeof todo, "`new %s=%.60s` searches with it; ", taken[i].setting, name)
			: 0;
		snprintf(todo + used, sizeof todo - (size_t)used, "for a session of that name choose a path, ./%.60s", name);
		return fault_set(f, name, todo, "is taken: it is the name of a %s", taken[i].what);
	}
	return true;
}
