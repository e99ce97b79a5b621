// SPDX-License-Identifier: GPL-3.0-or-later
// Completion: the words that may stand where the cursor is, from the table's rows and from what the session holds.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sessions/core/inside.h"
#include "sessions/language/readout.h"
#include "sessions/store/changes.h"

// Words collected for one place of the line.
struct collection {
	const char *begun; // what stands there already
	size_t length;
	const char *before; // put before each word (the formats of a list so far, a folder)
	size_t before_length;
	char **word;
	size_t count, room;
	bool failed;
};

static void offer_bytes(struct collection *c, const char *word, size_t n, const char *behind)
{
	if (c->failed || n < c->length || strncmp(word, c->begun, c->length) != 0)
		return;
	if (c->count + 2 > c->room) {
		size_t room = c->room ? c->room * 2 : 32;
		char **more = realloc(c->word, room * sizeof *more);
		if (!more) {
			c->failed = true;
			return;
		}
		c->word = more;
		c->room = room;
	}
	struct string s = {0};
	string_bytes(&s, c->before, c->before_length);
	string_bytes(&s, word, n);
	string_add(&s, "%s", behind);
	for (size_t i = 0; i < c->count && !s.failed; i++)
		if (strcmp(c->word[i], s.bytes) == 0)
			s.failed = true; // offered before
	if (s.failed)
		string_free(&s);
	else
		c->word[c->count++] = s.bytes;
}

static void offer(struct collection *c, const char *word)
{
	offer_bytes(c, word, strlen(word), "");
}

static void offer_list(struct collection *c, const char *const *words)
{
	for (; *words; words++)
		offer(c, *words);
}

// Words joined by '|', up to a blank or the end.
static void offer_joined(struct collection *c, const char *words)
{
	while (*words && *words != ' ') {
		size_t n = strcspn(words, "| ");
		if (n)
			offer_bytes(c, words, n, "");
		words += n + (words[n] == '|');
	}
}

// ---- by kind of argument -----------------------------------------------------------------------------------------------

struct place {
	const struct command_table *table;
	struct session *session; // may be NULL
	const struct command *command;
	int argument;     // which, from 0
	int entry;        // which of the row's entries that is
	const char *last; // the argument before it; NULL: none
	bool of_lane;     // behind `lane N`
};

static void offer_groups(struct collection *c, const struct place *p)
{
	for (int i = 0; p->session && i < p->session->snapshot->groups; i++)
		offer(c, p->session->snapshot->group[i].name);
}

static void offer_layers(struct collection *c, const struct place *p)
{
	for (int i = 0; p->session && i < p->session->info->layers; i++)
		offer(c, p->session->info->layer[i].name);
	offer_groups(c, p);
	for (int i = 0; p->session && i < p->session->info->slots; i++)
		if (i >= p->session->info->formats || p->session->snapshot->split)
			offer(c, p->session->info->slot[i].name);
}

static void offer_options(struct collection *c, const struct slot_info *slot)
{
	for (int o = 0; o < slot->options; o++)
		offer(c, slot->option[o].name);
}

// The options of the slots that the word before means; false: it means none.
static bool offer_meant(struct collection *c, const struct place *p)
{
	const struct engine_info *info = p->session->info;
	bool *meant = p->last ? calloc((size_t)info->slots + 1, sizeof *meant) : NULL;
	bool any = meant && snapshot_meant(p->session->snapshot, p->last, "all", meant);
	for (int i = 0; any && i < info->slots; i++)
		if (meant[i])
			offer_options(c, &info->slot[i]);
	free(meant);
	return any;
}

static void offer_formats(struct collection *c, const struct place *p)
{
	if (!p->session) {
		offer_list(c, engine_formats());
		return;
	}
	const struct engine_info *info = p->session->info;
	if (offer_meant(c, p))
		return;
	for (int i = 0; i < info->formats; i++)
		offer_options(c, &info->slot[i]);
}

static void offer_edit(struct collection *c, const struct place *p)
{
	bool step = p->last && (strcmp(p->last, "up") == 0 || strcmp(p->last, "down") == 0);
	(step ? offer_layers : offer_formats)(c, p);
}

static void offer_format_list(struct collection *c, const struct place *p)
{
	const char *comma = strrchr(c->begun, ',');
	if (comma) {
		c->before = c->begun;
		c->before_length = (size_t)(comma + 1 - c->begun);
		c->begun = comma + 1;
		c->length = strlen(c->begun);
	} else {
		offer(c, "all");
	}
	offer_formats(c, p);
}

static void offer_terms(struct collection *c, const struct place *p)
{
	(void)p;
	offer_list(c, engine_terms());
}

static void offer_knobs(struct collection *c, const struct place *p)
{
	// `set` takes what may change while a search runs; with no search, all may be set.
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	for (size_t i = 0; i < count; i++)
		if (knob[i].live || !p->session)
			offer(c, knob[i].name);
}

static void offer_values(struct collection *c, const struct place *p)
{
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	if (p->last && strcmp(p->last, "device") == 0)
		offer_list(c, engine_devices());
	for (size_t i = 0; p->last && i < count; i++)
		if (strcmp(knob[i].name, p->last) == 0)
			offer_joined(c, knob[i].words);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void offer_below(struct collection *c, bool folders)
{
	const char *slash = strrchr(c->begun, '/');
	char folder[FOLDER_PATH];
	if (slash) {
		c->before = c->begun;
		c->before_length = (size_t)(slash + 1 - c->begun);
		c->begun = slash + 1;
		c->length = strlen(c->begun);
	}
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)c->before_length : 1, slash ? c->before : ".");
	DIR *dir = opendir(folder);
	if (!dir)
		return;
	for (struct dirent *d; (d = readdir(dir));) {
		char path[FOLDER_PATH];
		struct stat st;
		if (d->d_name[0] == '.' && c->begun[0] != '.')
			continue;
		bool inner = folder_file(folder, d->d_name, path, sizeof path, NULL) && stat(path, &st) == 0 &&
			S_ISDIR(st.st_mode);
		if (inner || !folders)
			offer_bytes(c, d->d_name, strlen(d->d_name), inner ? "/" : "");
	}
	closedir(dir);
	if (c->count)
		qsort(c->word, c->count, sizeof *c->word, by_name);
}

static void offer_files(struct collection *c, const struct place *p)
{
	(void)p;
	offer_below(c, false);
}

static void offer_session(const char *word, void *context)
{
	offer(context, word);
}

// Those that there are; for a path that is begun, the folders below it too.
static void offer_sessions(struct collection *c, const struct place *p)
{
	sessions_each(offer_session, c);
	if (strchr(c->begun, '/'))
		offer_below(c, true);
	(void)p;
}

static void offer_commands(struct collection *c, const struct place *p)
{
	for (size_t g = 0; g < p->table->groups; g++)
		for (size_t i = 0; i < p->table->group[g].count; i++)
			if (!p->of_lane || run_in_lane(&p->table->group[g].rows[i]))
				offer(c, p->table->group[g].rows[i].name);
}

static void offer_figures(struct collection *c, const struct place *p)
{
	(void)p;
	size_t count;
	const struct figure_kind *kind = figure_kinds(&count);
	for (size_t i = 0; i < count; i++)
		offer(c, kind[i].name);
}

static void offer_shown(struct collection *c, const struct place *p)
{
	const struct figure_kind *kind = p->last ? figure_kind_named(p->last) : NULL;
	if (kind && kind->of_slot)
		offer_layers(c, p);
}

static void offer_networks(struct collection *c, const struct place *p)
{
	(void)p;
	offer_list(c, engine_nets());
}

static void offer_devices(struct collection *c, const struct place *p)
{
	(void)p;
	offer_list(c, engine_devices());
}

static void offer_readout(const char *name, void *context)
{
	offer(context, name);
}

static void offer_readouts(struct collection *c, const struct place *p)
{
	if (p->session)
		readout_each(p->session, offer_readout, c);
}

// The row's own words for the place, whatever else may stand there; "-" holds a place without.
static void offer_words(struct collection *c, const struct place *p)
{
	const char *words = p->command->words ? p->command->words : "";
	for (int i = 0; i < p->entry && *words; i++) {
		words += strcspn(words, " ");
		words += strspn(words, " ");
	}
	if (*words != '-')
		offer_joined(c, words);
}

static void offer_lanes(struct collection *c, const struct place *p)
{
	bool names = p->argument == 0 || strcmp(p->last, "drop") == 0 || strcmp(p->last, "focus") == 0;
	if (p->argument > 0 && strcmp(p->last, "add") == 0)
		offer_terms(c, p);
	if (p->argument > 0 && strcmp(p->last, "focus") == 0)
		offer(c, "next");
	for (int i = 0; names && p->session && i < p->session->snapshot->lanes; i++) {
		char number[16];
		snprintf(number, sizeof number, "%d", p->session->snapshot->lane[i].number);
		offer(c, number);
	}
}

static void (*const offers[])(struct collection *, const struct place *) = {
	[ARGUMENT_LAYER] = offer_layers,
	[ARGUMENT_FORMAT] = offer_formats,
	[ARGUMENT_FORMATS] = offer_format_list,
	[ARGUMENT_TERM] = offer_terms,
	[ARGUMENT_KNOB] = offer_knobs,
	[ARGUMENT_VALUE] = offer_values,
	[ARGUMENT_FILE] = offer_files,
	[ARGUMENT_SESSION] = offer_sessions,
	[ARGUMENT_COMMAND] = offer_commands,
	[ARGUMENT_FIGURE] = offer_figures,
	[ARGUMENT_SHOWN] = offer_shown,
	[ARGUMENT_NETWORK] = offer_networks,
	[ARGUMENT_DEVICE] = offer_devices,
	[ARGUMENT_READOUT] = offer_readouts,
	[ARGUMENT_GROUP] = offer_groups,
	[ARGUMENT_EDIT] = offer_edit,
	[ARGUMENT_LANE] = offer_lanes,
};

// Which entry of the row's arguments the n-th argument is: the last `repeat` of them recur. -1: none.
static int entry_of(const struct command *c, int n)
{
	const int most = sizeof c->argument / sizeof *c->argument;
	int entries = 0;
	while (entries < most && c->argument[entries] != ARGUMENT_NONE)
		entries++;
	if (n < entries)
		return n;
	return c->repeat > 0 && c->repeat <= entries ? entries - c->repeat + (n - entries) % c->repeat : -1;
}

static void collect(struct collection *c, struct place *p)
{
	p->entry = entry_of(p->command, p->argument);
	if (p->entry < 0 || (p->command->max >= 0 && p->argument >= p->command->max))
		return;
	enum command_argument kind = p->command->argument[p->entry];
	offer_words(c, p);
	if ((size_t)kind < sizeof offers / sizeof *offers && offers[kind])
		offers[kind](c, p);
}

char **command_complete(const struct command_table *table, struct session *s, const char *line, size_t end, size_t *start)
{
	size_t length = strlen(line);
	if (end > length)
		end = length;
	*start = end;
	while (*start > 0 && !strchr(" \t'\"", line[*start - 1]))
		(*start)--;
	char *before = strndup(line, *start), *begun = strndup(line + *start, end - *start);
	struct words w = {0};
	struct collection c = {.begun = begun, .length = end - *start, .before = ""};
	if (before && begun) {
		// An open quote is where the word begins.
		size_t n = strlen(before);
		if (n && (before[n - 1] == '\'' || before[n - 1] == '"'))
			before[n - 1] = '\0';
		struct place p = {.table = table, .session = s};
		bool good = words_split(&w, before, NULL) && !w.comment;
		int lane,
			first = good && w.count > 1 && strcmp(w.word[0], "lane") == 0 && change_lane_number(w.word[1], &lane) ? 2
															      : 0;
		p.of_lane = first > 0;
		if (good && w.count == first)
			offer_commands(&c, &p);
		else if (good && (p.command = command_find(table, w.word[first], NULL))) {
			p.argument = w.count - first - 1;
			p.last = p.argument > 0 ? w.word[w.count - 1] : NULL;
			collect(&c, &p);
		}
	}
	words_free(&w);
	free(before);
	free(begun);
	if (c.count)
		c.word[c.count] = NULL;
	else
		free(c.word);
	return c.count ? c.word : NULL;
}
