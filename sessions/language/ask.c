// SPDX-License-Identifier: GPL-3.0-or-later
// `print` and `expect`, which ask for readouts, and `help`.
#include "sessions/core/inside.h"
#include "sessions/language/readout.h"

// ---- readouts ------------------------------------------------------------------------------------------------------

bool run_print(struct command_call *call)
{
	struct session *s = call->context;
	struct string t = {0};
	for (int i = 0; i < call->argc; i++) {
		struct reading r;
		char value[300];
		if (!readout_read(s, call->argv[i], &r, &call->fault)) {
			string_free(&t);
			return false;
		}
		string_add(&t, "%s %s\n", call->argv[i], reading_write(&r, value, sizeof value));
	}
	return say_all(call, &t);
}

bool run_expect(struct command_call *call)
{
	struct session *s = call->context;
	struct reading r;
	bool holds;
	char value[300];
	if (!comparison_holds(s, call->argc, call->argv, &holds, &r, &call->fault))
		return false;
	if (holds)
		return true;
	return fault_set(&call->fault, call->argv[0], "`status` shows where the search stands", "it is %s, expected %s %s%s%s",
		reading_write(&r, value, sizeof value), call->argv[1], call->argv[2], call->argc == 5 ? " within " : "",
		call->argc == 5 ? call->argv[4] : "");
}

bool session_holds(struct session *s, int count, char *const *words, bool *holds, char *now, size_t size, struct fault *f)
{
	struct reading r;
	if (!comparison_holds(s, count, words, holds, &r, f))
		return false;
	reading_write(&r, now, size);
	return true;
}

// ---- help ----------------------------------------------------------------------------------------------------------

static void add_name(const char *name, void *context)
{
	string_add(context, " %s", name);
}

bool run_help(struct command_call *call)
{
	struct session *s = call->context;
	struct string t = {0};
	if (call->argc) {
		const struct command *c = command_find(call->table, call->argv[0], NULL);
		if (!c)
			return fault_set(&call->fault, call->argv[0], "`help` lists the commands", "there is no such command");
		string_add(&t, "%s %s\n%s\n", c->name, c->usage ? c->usage : "", c->help);
		if (s && c->argument[0] == ARGUMENT_READOUT) { // asked at a shell there is no session, and are no readouts
			string_add(&t, "readouts:");
			readout_each(s, add_name, &t);
		}
		return say_all(call, &t);
	}
	for (size_t g = 0; g < call->table->groups; g++) {
		const struct command_group *group = &call->table->group[g];
		string_add(&t, "%s%s\n", g ? "\n" : "", group->title ? group->title : "");
		for (size_t i = 0; i < group->count; i++) {
			const struct command *c = &group->rows[i];
			string_add(&t, "  %s %s\n      %s\n", c->name, c->usage ? c->usage : "", c->help);
		}
	}
	return say_all(call, &t);
}
