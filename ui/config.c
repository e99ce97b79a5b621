// SPDX-License-Identifier: GPL-3.0-or-later
// A person's own keys and looks: a file of commands about the screen. It cannot alter a search, so it is not journaled; the
// command of a pressed key is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "ui/workbench.h"

enum { FILE_MOST = 1 << 20, FILES_DEEP = 8 };

// The commands that such a file may hold. `set NAME VALUE` is `NAME VALUE`: for who is used to write it so.
static const char *const allowed[] = {
	"bind", "unbind", "theme", "glyphs", "view", "sort", "filter", "curve", "mouse", "source", "set"};
enum { ALLOWED = sizeof allowed / sizeof *allowed };

static bool refuse(const char *name, struct fault *f)
{
	char advice[128] = "such a file may hold";
	for (int i = 0; i < ALLOWED; i++) {
		size_t at = strlen(advice);
		snprintf(advice + at, sizeof advice - at, "%s %s", i ? "," : "", allowed[i]);
	}
	return fault_set(f, name, advice, "is no command about the screen");
}

static bool may_hold(const char *name)
{
	for (int i = 0; i < ALLOWED; i++)
		if (strcmp(allowed[i], name) == 0)
			return true;
	return false;
}

static void say_nothing(struct command_call *call, const char *format, ...)
{
	(void)call;
	(void)format;
}

// `set` apart, whose words behind it are the command.
static bool run_words(struct workbench *w, const struct words *words, const char *line, struct fault *f)
{
	bool set = words->count > 1 && strcmp(words->word[0], "set") == 0;
	const char *name = words->word[set];
	if (!may_hold(name) || strcmp(name, "set") == 0)
		return refuse(name, f);
	if (!set)
		return command_run(&w->table, line, say_nothing, w, f);
	struct string rest = {0};
	for (int i = 1; i < words->count; i++) {
		string_add(&rest, "%s", i > 1 ? " " : "");
		words_quote(&rest, words->word[i]);
	}
	bool ok = rest.failed ? fault_memory(f, "set") : command_run(&w->table, rest.bytes, say_nothing, w, f);
	string_free(&rest);
	return ok;
}

static bool run_line(struct workbench *w, const char *line, struct fault *f)
{
	struct words words;
	if (!words_split(&words, line, f))
		return false;
	bool ok = words.count == 0 || run_words(w, &words, line, f);
	words_free(&words);
	return ok;
}

// Every line of a text. What is wrong is said, with its place; how many lines are.
static int run_lines(struct workbench *w, const char *file, char *text)
{
	int number = 0, wrong = 0;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		struct fault f;
		char where[sizeof f.where], said[sizeof f + 16];
		number++;
		if (run_line(w, line, &f))
			continue;
		snprintf(where, sizeof where, "%.200s:%d", file, number);
		fault_within(&f, where, &f);
		workbench_say(w, true, "%s", fault_line(&f, said, sizeof said));
		wrong++;
	}
	return wrong;
}

bool config_source(struct workbench *w, const char *file, struct fault *f)
{
	size_t size;
	if (w->sourcing == FILES_DEEP)
		return fault_set(f, file, "take one `source` out", "files run one another %d deep", FILES_DEEP);
	char *text = disk_read(file, FILE_MOST, &size, f);
	if (!text)
		return false;
	if (strlen(text) < size) {
		free(text);
		return fault_set(f, file, "name a text file", "holds zero bytes");
	}
	w->sourcing++;
	int wrong = run_lines(w, file, text);
	w->sourcing--;
	free(text);
	if (wrong > 1)
		workbench_say(w, true, "%d lines of %s are wrong: `messages` shows them", wrong, file);
	return true;
}

// The specification has relative paths ignored.
static bool find_file(char *path, size_t size)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int length = folder && folder[0] == '/' ? snprintf(path, size, "%s/bitscape/bitscaperc", folder)
		: home && home[0] == '/'        ? snprintf(path, size, "%s/.config/bitscape/bitscaperc", home)
						: -1;
	return length > 0 && (size_t)length < size;
}

void config_start(struct workbench *w)
{
	char path[DISK_PATH], text[sizeof(struct fault) + 16];
	struct fault f;
	if (find_file(path, sizeof path) && access(path, F_OK) == 0 && !config_source(w, path, &f))
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
}
