// SPDX-License-Identifier: GPL-3.0-or-later
// Reads files of commands, for batch runs and for tours, and finds tours.
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessions/core/inside.h"

static const char ending[] = ".tour";

bool script_is_tour(const char *file)
{
	size_t length = strlen(file);
	return length >= sizeof ending && strcmp(file + length - (sizeof ending - 1), ending) == 0;
}

// ---- the lines of a file -------------------------------------------------------------------------------------------

struct script *script_open(const char *file, struct fault *f)
{
	struct script *s = calloc(1, sizeof *s);
	if (!s || !(s->file = strdup(file)))
		fault_memory(f, file);
	else if (!(s->in = strcmp(file, "-") == 0 ? stdin : fopen(file, "re")))
		disk_fault(f, file, "open it", errno);
	if (!s || !s->in) {
		script_close(s);
		return NULL;
	}
	s->tour = script_is_tour(file);
	return s;
}

void script_close(struct script *s)
{
	if (!s)
		return;
	if (s->in && s->in != stdin)
		fclose(s->in);
	free(s->text);
	free(s->file);
	free(s);
}

static enum script_line kind_of(struct script *s)
{
	const char *word = s->text + strspn(s->text, " \t");
	size_t length = strcspn(word, " \t");
	bool parts = length == 0 && s->told;
	if (word[0] == '#' || (length == 0 && !parts))
		return SCRIPT_NOTHING;
	s->told = !parts;
	return parts ? SCRIPT_BREAK : length == 4 && strncmp(word, "echo", 4) == 0 ? SCRIPT_TEXT : SCRIPT_COMMAND;
}

enum script_line script_next(struct script *s, const char **line, struct fault *f)
{
	errno = 0;
	ssize_t n = getline(&s->text, &s->room, s->in);
	if (n < 0 && !ferror(s->in))
		return SCRIPT_END;
	if (n < 0) {
		disk_fault(f, s->file, "read it", errno);
		return SCRIPT_FAILED;
	}
	s->line++;
	if (n && s->text[n - 1] == '\n')
		s->text[--n] = '\0';
	if (n && s->text[n - 1] == '\r')
		s->text[--n] = '\0';
	if (strlen(s->text) != (size_t)n) {
		fault_set(f, "line", "remove it", "it holds a zero byte");
		return SCRIPT_FAILED;
	}
	*line = s->text;
	return kind_of(s);
}

bool script_gap(enum script_line before, enum script_line now)
{
	return before > SCRIPT_NOTHING && now > SCRIPT_NOTHING && (before == SCRIPT_COMMAND || now == SCRIPT_COMMAND);
}

void script_place_at(const struct script *s, long line, struct fault *f)
{
	char where[sizeof f->where + 64];
	const struct fault inner = *f;
	if (line)
		snprintf(where, sizeof where, "%s:%ld", s->file, line);
	else
		snprintf(where, sizeof where, "%s", s->file);
	fault_set(f, where, inner.todo, "%s%s%s", inner.where, inner.where[0] ? ": " : "", inner.what);
}

void script_place(const struct script *s, struct fault *f)
{
	script_place_at(s, s->line, f);
}

// ---- where tours are -----------------------------------------------------------------------------------------------

// Seen from the program's folder: installed; in the tree that it was built in, with sanitizers too.
static const char *const places[] = {"../share/bitscape/tours", "../sessions/tours", "../../sessions/tours"};

static bool program_folder(char folder[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	snprintf(folder, PATH_MAX, "%s", dirname(path));
	return true;
}

static void add_names(struct string *names, const char *folder, const char *first, const char *between)
{
	char pattern[PATH_MAX + 64];
	glob_t found;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(pattern, sizeof pattern, "%s/%s/*%s", folder, places[i], ending);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++) {
			const char *name = strrchr(found.gl_pathv[k], '/') + 1;
			string_add(names, "%s%.*s", names->length ? between : first, (int)(strlen(name) - strlen(ending)), name);
		}
		globfree(&found);
	}
}

void tour_names(struct string *names)
{
	char folder[PATH_MAX];
	if (program_folder(folder))
		add_names(names, folder, "", "\n");
	if (names->length)
		string_add(names, "\n");
}

bool tour_find(const char *name, char *path, size_t size, struct fault *f)
{
	char folder[PATH_MAX] = "";
	struct string names = {0};
	if (strchr(name, '/') || script_is_tour(name))
		return snprintf(path, size, "%s", name) < (int)size && access(path, R_OK) == 0
			? true
			: disk_fault(f, name, "open it", errno);
	bool known = program_folder(folder);
	for (size_t i = 0; known && i < sizeof places / sizeof *places; i++)
		if (snprintf(path, size, "%s/%s/%s%s", folder, places[i], name, ending) < (int)size && access(path, R_OK) == 0)
			return true;
	if (known)
		add_names(&names, folder, "these are: ", ", ");
	fault_set(f, name, names.length ? names.bytes : "give the path of one", "no tour has this name");
	string_free(&names);
	return false;
}
