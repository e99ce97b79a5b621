// SPDX-License-Identifier: GPL-3.0-or-later
// The command language: a line becomes a row of the joined table and its arguments.
#include <stdio.h>
#include <string.h>

#include "sessions/sessions.h"
#include "engine/base/text.h"

const struct command *command_find(const struct command_table *table, const char *name, const struct command_group **group)
{
	for (size_t g = 0; g < table->groups; g++)
		for (size_t i = 0; i < table->group[g].count; i++)
			if (strcmp(table->group[g].rows[i].name, name) == 0) {
				if (group)
					*group = &table->group[g];
				return &table->group[g].rows[i];
			}
	return NULL;
}

static bool unknown(const struct command_table *table, const char *name, struct fault *f)
{
	struct nearest near = nearest_to(name);
	for (size_t g = 0; g < table->groups; g++)
		for (size_t i = 0; i < table->group[g].count; i++)
			nearest_offer(&near, table->group[g].rows[i].name);
	char advice[128];
	return fault_set(f, name, nearest_advice(&near, "`help` lists the commands", advice, sizeof advice),
		"there is no such command");
}

static bool check_count(const struct command *c, int count, struct fault *f)
{
	if (count >= c->min && (c->max < 0 || count <= c->max))
		return true;
	char usage[200];
	snprintf(usage, sizeof usage, "usage: %s %s", c->name, c->usage ? c->usage : "");
	if (count < c->min)
		return fault_set(f, c->name, usage, "it needs %s%d argument%s, not %d", c->max == c->min ? "" : "at least ",
			c->min, c->min == 1 ? "" : "s", count);
	if (c->max == 0)
		return fault_set(f, c->name, usage, "it takes no arguments");
	return fault_set(f, c->name, usage, "it takes at most %d argument%s, not %d", c->max, c->max == 1 ? "" : "s", count);
}

// The words of a line; a command whose first argument is the rest of the line gets that as one.
static bool split(const struct command_table *table, const char *line, struct words *w, struct fault *f)
{
	char name[32];
	const char *word = line + strspn(line, " \t");
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word, " \t"), word);
	const struct command *c = command_find(table, name, NULL);
	return (c && c->argument[0] == ARGUMENT_REST ? words_text : words_split)(w, line, f);
}

bool command_run(const struct command_table *table, const char *line, void (*say)(struct command_call *, const char *format, ...),
	void *sayer, struct fault *f)
{
	struct words w;
	if (!split(table, line, &w, f))
		return false;
	const struct command_group *group = NULL;
	const struct command *c = w.count ? command_find(table, w.word[0], &group) : NULL;
	bool ok = true;
	if (w.count && !c) {
		ok = unknown(table, w.word[0], f);
	} else if (c && (ok = check_count(c, w.count - 1, f))) {
		struct command_call call = {
			.context = group->context,
			.argc = w.count - 1,
			.argv = w.word + 1,
			.line = line,
			.say = say,
			.sayer = sayer,
			.table = table,
			.show = table->show,
		};
		ok = c->run(&call);
		if (!ok && f)
			*f = call.fault;
	}
	words_free(&w);
	return ok;
}
