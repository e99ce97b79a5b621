// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/options.h"

#include <stddef.h>
#include <string.h>

static const struct option_row option_row[] = {
	{"--set", "KEY=VALUE", "a setting of a new session; may be given again", 0, offsetof(struct options, setting),
		TAKES_SETTING, NULL},
	{"--batch", "FILE", "run the commands of a file (-: standard input) without a terminal", 0,
		offsetof(struct options, batch), TAKES_FILE, NULL},
	{"--screen", "WxH", "a batch with a screen of this size that nobody sees: for screenshot and record", 0,
		offsetof(struct options, screen), TAKES_TEXT, NULL},
	{"--explore", "NET|pod:POD", "the costs of a network without training it, or a machine; KEY=VALUE may follow", 0,
		offsetof(struct options, explore), TAKES_NETWORK, NULL},
	{"--replay", "NAME", "run a session's journal again and compare the result", 0, offsetof(struct options, replay),
		TAKES_SESSION, NULL},
	{"--tour", "NAME", "play a lesson; without a terminal it is printed", 0, offsetof(struct options, tour), TAKES_TOUR,
		NULL},
	{"--auto", NULL, "the tour goes on by itself, and the program ends with it", offsetof(struct options, go_on), 0,
		TAKES_NOTHING, NULL},
	{"--pace", "X", "with --auto: X times as fast", 0, offsetof(struct options, pace), TAKES_TEXT, NULL},
	{"--big", NULL, "the tour for a room: what it speaks of has all of the screen", offsetof(struct options, big), 0,
		TAKES_NOTHING, NULL},
	{"--run-commands", NULL, "let a session run the command of its quality=pipe:COMMAND",
		offsetof(struct options, run_commands), 0, TAKES_NOTHING, NULL},
	{"--ascii", NULL, "draw with ASCII characters only", offsetof(struct options, ascii), 0, TAKES_NOTHING, NULL},
	{"--no-color", NULL, "draw without colours (as NO_COLOR does)", offsetof(struct options, no_color), 0, TAKES_NOTHING,
		NULL},
	{"--help", NULL, "this text; --help TOPIC: commands, settings, keys, or one command or setting; so does COMMAND --help",
		offsetof(struct options, help), 0, TAKES_NOTHING, "-h"},
	{"--version", NULL, "the versions of bitscape and its libraries", offsetof(struct options, version), 0, TAKES_NOTHING,
		NULL},
};
enum { ROWS = sizeof option_row / sizeof *option_row };

static const struct option_form form[] = {
	{"bitscape", "a new search on the embedded data"},
	{"bitscape NAME", "go on with the session of that name, or ./PATH"},
	{"bitscape new [NAME] [KEY=VALUE...]", "a new session with these settings"},
	{"bitscape sessions [tidy [now]]", "list the sessions; clear unnamed old ones away"},
	{"bitscape --explore NET [KEY=VALUE...]", "the costs of a network, without training; pod:tpu_v4 opens a machine"},
	{"bitscape QUESTION...",
		"an answer without a session: catalog, describe, devices, device, latency, measured, roofline, sensitivity, rivals, pods, slice, slices, "
		"goodput, partition, embeddings, carbon or compare, as in the workbench"},
	{"bitscape race NAME KEY=VALUE|PLAN...", "many searches against uniform networks; race resume NAME goes on"},
	{"bitscape record NAME|tour NAME FILE.cast [size=WxH] [pace=STEPS]",
		"record a session's screen, from its journal, or a tour's"},
	{"bitscape help [COMMAND]", "this text; what a question or a command of the workbench takes"},
	{"bitscape completion bash|zsh", "a shell's completion of all this"},
};

const struct option_row *option_rows(size_t *count)
{
	*count = ROWS;
	return option_row;
}

const struct option_form *option_forms(size_t *count)
{
	*count = sizeof form / sizeof *form;
	return form;
}

static const char advice[] = "`bitscape --help` lists the options";

static bool add_setting(struct options *o, const char *text, struct fault *f)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		return fault_set(f, text, "write it as KEY=VALUE, steps=2000 for instance", "is not a setting");
	if (o->settings == OPTIONS_SETTINGS)
		return fault_set(f, text, "set the others in the workbench", "more than %d settings", OPTIONS_SETTINGS);
	o->setting[o->settings++] = text;
	return true;
}

// An option at argv[*i]; *i moves on where its value is the next word.
static bool parse_option(struct options *o, int argc, char **argv, int *i, struct fault *f)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	for (int r = 0; r < ROWS; r++) {
		const struct option_row *row = &option_row[r];
		const bool brief = row->brief && strcmp(row->brief, word) == 0;
		if (!brief && (strlen(row->name) != length || strncmp(row->name, word, length) != 0))
			continue;
		if (!row->argument) {
			if (equals)
				return fault_set(f, row->name, advice, "takes no value");
			*(bool *)((char *)o + row->flag) = true;
			return true;
		}
		const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : "";
		if (value[0] == '\0')
			return fault_set(f, row->name, advice, "needs %s after it", row->argument);
		if (row->text == offsetof(struct options, setting))
			return add_setting(o, value, f);
		*(const char **)((char *)o + row->text) = value;
		return true;
	}
	return fault_set(f, word, advice, "is not an option");
}

// What --explore stands for goes before the person's own settings.
static bool add_explore(struct options *o, struct fault *f)
{
	enum { SETS = 3 };
	static const char machine[] = "pod:";
	if (strncmp(o->explore, machine, sizeof machine - 1) == 0) {
		snprintf(o->explore_net, sizeof o->explore_net, "pod=%.*s", ENGINE_TEXT - 1, o->explore + sizeof machine - 1);
		if (o->settings == OPTIONS_SETTINGS)
			return fault_set(f, "--explore", "set the others in the workbench", "more than %d settings",
				OPTIONS_SETTINGS - 1);
		memmove(o->setting + 1, o->setting, (size_t)o->settings++ * sizeof *o->setting);
		o->setting[0] = o->explore_net;
		o->make = true;
		return true;
	}
	if (o->settings > OPTIONS_SETTINGS - SETS)
		return fault_set(f, "--explore", "set the others in the workbench", "more than %d settings",
			OPTIONS_SETTINGS - SETS);
	snprintf(o->explore_net, sizeof o->explore_net, "net=%.*s", ENGINE_TEXT - 1, o->explore);
	snprintf(o->explore_table, sizeof o->explore_table, "sensitivity=%s", engine_sensitivity(o->explore));
	memmove(o->setting + SETS, o->setting, (size_t)o->settings * sizeof *o->setting);
	o->setting[0] = o->explore_net;
	o->setting[1] = "data=none";
	o->setting[2] = o->explore_table;
	o->settings += SETS;
	o->make = true;
	return true;
}

static bool add_list_word(struct options *o, const char *word, struct fault *f)
{
	if (!o->tidy && strcmp(word, "tidy") == 0)
		o->tidy = true;
	else if (o->tidy && !o->now && strcmp(word, "now") == 0)
		o->now = true;
	else
		return fault_set(f, word, "`sessions`, `sessions tidy` or `sessions tidy now`", "is not a word of `sessions`");
	return true;
}

bool options_parse(struct options *o, int argc, char **argv, struct fault *f)
{
	*o = (struct options){0};
	bool plain = false; // behind --
	int words = 0;
	for (int i = 1; i < argc; i++) {
		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
		} else if (!plain && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!parse_option(o, argc, argv, &i, f))
				return false;
		} else if (!plain && words++ == 0 && strcmp(argv[i], "new") == 0) {
			o->make = true;
		} else if (!plain && words == 1 && strcmp(argv[i], "sessions") == 0) {
			o->list = true;
		} else if (o->list) {
			if (!add_list_word(o, argv[i], f))
				return false;
		} else if (strchr(argv[i], '=') && !plain) {
			if (!o->make && !o->explore)
				return fault_set(f, argv[i], "begin with `new`, or use --set", "settings are for a new session");
			if (!add_setting(o, argv[i], f))
				return false;
		} else if (o->name) {
			return fault_set(f, argv[i], advice, "a second name, after '%s'", o->name);
		} else if (argv[i][0] == '\0') {
			return fault_set(f, "NAME", advice, "is empty");
		} else {
			o->name = argv[i];
		}
	}
	if (o->list && (o->batch || o->replay || o->explore || o->tour || o->settings))
		return fault_set(f, "sessions", "give it alone", "takes no options");
	if (o->name && !o->make && !o->explore && o->settings)
		return fault_set(f, o->name, "begin with `new`, or open it and use `set`",
			"a name alone opens a session; settings are for a new one");
	if (o->batch && o->replay)
		return fault_set(f, "--replay", "give one of the two", "does not go with --batch");
	if (o->explore && !add_explore(o, f))
		return false;
	if (o->tour && (o->batch || o->replay))
		return fault_set(f, "--tour", "give one of the two", "does not go with %s", o->batch ? "--batch" : "--replay");
	if ((o->big || o->pace) && !o->tour)
		return fault_set(f, o->big ? "--big" : "--pace", "name one with --tour", "is for a tour");
	if (o->go_on && !o->tour)
		return fault_set(f, "--auto", "name one with --tour", "is for a tour");
	if (o->screen && !o->batch && !o->tour)
		return fault_set(f, "--screen", "give the batch's commands with --batch FILE", "is for a batch");
	if (o->replay && (o->name || o->make || o->settings))
		return fault_set(f, "--replay", "give the session's name to --replay alone",
			"takes its settings from the session");
	return true;
}

// A text from a column on, broken at blanks; on a line of its own where the column is passed already.
static void put_wrapped(FILE *out, const char *text, int at, int column)
{
	enum { MOST = 118 };
	if (at >= column) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", column - at, "");
	at = column;
	for (size_t length; *text; text += length + strspn(text + length, " ")) {
		length = strcspn(text, " ");
		if (at > column && at + 1 + (int)length > MOST) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		}
		at += fprintf(out, "%s%.*s", at > column ? " " : "", (int)length, text);
	}
	fputc('\n', out);
}

void options_help(FILE *out)
{
	enum { FORM_HELP = 40, OPTION_HELP = 24 };
	fputs("bitscape: watch and steer a search for the number formats of a neural network\n\n", out);
	for (size_t i = 0; i < sizeof form / sizeof *form; i++)
		put_wrapped(out, form[i].help, fprintf(out, "  %s", form[i].usage), FORM_HELP);
	fputc('\n', out);
	for (int r = 0; r < ROWS; r++) {
		const struct option_row *row = &option_row[r];
		int used = fprintf(out, "  %s%s%s%s%s", row->brief ? row->brief : "", row->brief ? ", " : "", row->name,
			row->argument ? " " : "", row->argument ? row->argument : "");
		put_wrapped(out, row->help, used, OPTION_HELP);
	}
}
