// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/manual.h"

#include <stdlib.h>
#include <string.h>

#include "engine/catalog.h"
#include "ui/keys.h"
#include "ui/options.h"

// ---- walks over the tables -----------------------------------------------------------------------------------------

typedef void command_visit(const struct command *, struct string *);

// Every command once; a row that a later group has too is the one with a screen.
static void each_command(const struct command_group *group, command_visit *visit, struct string *out)
{
	for (size_t i = 0; i < group->count; i++)
		visit(&group->rows[i], out);
}

static const char *knob_range(const struct knob *k, char *buf, size_t size)
{
	if (k->words[0])
		snprintf(buf, size, "%s", k->words);
	else if (k->type == KNOB_INTEGER || k->type == KNOB_REAL)
		snprintf(buf, size, "%g to %g", k->low, k->high);
	else
		snprintf(buf, size, "text");
	return buf;
}

// ---- the man page --------------------------------------------------------------------------------------------------

// Text as troff takes it: backslashes and hyphens escaped, nothing at a line's beginning that it would read as a request.
static void add_troff(struct string *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		string_add(out, "\\&");
	for (; *text; text++)
		if (*text == '\\')
			string_add(out, "\\e");
		else if (*text == '-')
			string_add(out, "\\-");
		else if (*text == '|' || *text == ',')
			string_add(out, "%c\\:", *text); // a long list may be broken there
		else if (*text == '\n')
			string_add(out, " ");
		else
			string_bytes(out, text, 1);
}

// A paragraph with a tag: the first word bold, what follows it as it is.
static void add_tagged(struct string *out, const char *name, const char *rest, const char *help)
{
	string_add(out, ".TP\n\\fB");
	add_troff(out, name);
	string_add(out, "\\fR%s", rest[0] ? " " : "");
	add_troff(out, rest);
	string_add(out, "\n");
	add_troff(out, help);
	string_add(out, "\n");
}

static void add_command(const struct command *c, struct string *out)
{
	add_tagged(out, c->name, c->usage ? c->usage : "", c->help);
}

static void add_options(struct string *out)
{
	size_t count;
	const struct option_row *row = option_rows(&count);
	char name[64];
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s%s%s", row[i].brief ? row[i].brief : "", row[i].brief ? ", " : "", row[i].name);
		add_tagged(out, name, row[i].argument ? row[i].argument : "", row[i].help);
	}
}

static void add_settings(struct string *out)
{
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	char range[512], rest[600];
	for (size_t i = 0; i < count; i++) {
		snprintf(rest, sizeof rest, "(%s; %s%s)", knob_range(&knob[i], range, sizeof range),
			knob[i].preset[0] ? knob[i].preset : "empty", knob[i].live ? "; live" : "");
		add_tagged(out, knob[i].name, rest, knob[i].help);
	}
}

static void add_keys(struct string *out)
{
	struct keys keys;
	struct fault f;
	char name[32];
	if (!keys_begin(&keys, &f)) {
		out->failed = true;
		return;
	}
	for (int i = 0; i < keys.count; i++) {
		const struct binding *b = &keys.row[i];
		if (b->command)
			add_tagged(out, keys_write(b->key, name, sizeof name),
				b->context == CONTEXT_COMMON ? "" : keys_context_name(b->context), b->command);
	}
	keys_end(&keys);
}

// What no table has.
static const struct chapter {
	const char *title, *text;
} before[] = {{"DESCRIPTION",
	"bitscape is a workbench in a terminal. A neural network trains while a policy chooses a number format for every layer, and "
	"where the network leaves them open its kernels, widths and depths; a person watches the trade of accuracy against cost, and "
	"steers: pins a layer, moves a target, a weight or the device, while it runs. Every act is a command, keys are bound to "
	"commands, and what alters the search is a journal that replays bit for bit.\n.PP\nWithout arguments a new search begins on "
	"the images that the program carries. ? lists the keys that count where one is."}},
  behind[] = {
	  {"FILES",
		  ".TP\n\\fI$XDG_STATE_HOME/bitscape/\\fR\nthe sessions, a folder each; ~/.local/state/bitscape where it is not "
		  "set\n.TP\n\\fI$XDG_CONFIG_HOME/bitscape/bitscaperc\\fR\na person's own keys and looks, a command a line; "
		  "~/.config where it is not set"},
	  {"ENVIRONMENT",
		  ".TP\n\\fBCIFAR10_DIR\\fR\nthe folder of the binary CIFAR\\-10, for data=cifar10\n.TP\n\\fBBITSCAPE_KERNELS\\fR\nthe "
		  "set of compute kernels: base, avx2, avxvnni, avx512, avx512vnni or avx512bf16\n.TP\n\\fBNO_COLOR\\fR\ndraw without "
		  "colours\n.TP\n\\fBESCDELAY\\fR\nmilliseconds until an Esc is a key of its own"},
	  {"EXIT STATUS",
		  ".TP\n0\ndone\n.TP\n1\na command failed\n.TP\n2\nwrong arguments\n.TP\n3\nthere is no usable terminal\n.TP\n128+n\n"
		  "ended by signal n, the session saved"},
};

static void add_chapters(struct string *out, const struct chapter *c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		string_add(out, ".SH %s\n%s\n", c[i].title, c[i].text);
}

void manual_page(const struct command_table *table, struct string *out)
{
	size_t count;
	const struct option_form *form = option_forms(&count);
	string_add(out,
		".\\\" Written by `bitscape manual` from the program's own tables.\n.TH BITSCAPE 1 \"\" \"bitscape %s\" "
		"\"User Commands\"\n.nh\n.ad l\n.SH NAME\nbitscape \\- watch and steer a search for the number formats of a neural "
		"network\n.SH SYNOPSIS\n",
		BITSCAPE_VERSION);
	for (size_t i = 0; i < count; i++) {
		string_add(out, "%s", i ? ".br\n" : "");
		add_troff(out, form[i].usage);
		string_add(out, "\n");
	}
	add_chapters(out, before, sizeof before / sizeof *before);
	for (size_t i = 0; i < count; i++)
		add_tagged(out, form[i].usage, "", form[i].help);
	string_add(out, ".SH OPTIONS\n");
	add_options(out);
	string_add(out, ".SH COMMANDS\nThey are typed behind a colon, and stand in files for \\-\\-batch, a command a line.\n");
	for (size_t g = 0; g < table->groups; g++) {
		string_add(out, ".SS \"");
		add_troff(out, table->group[g].title);
		string_add(out, "\"\n");
		each_command(&table->group[g], add_command, out);
	}
	string_add(out,
		".SH SETTINGS\nOf a new session, as KEY=VALUE; those that are live also by `set` while the search runs. Behind "
		"each stand what it may be and its default.\n");
	add_settings(out);
	string_add(out, ".SH KEYS\nEverywhere, or in the context that stands behind the key; `bind` sets others.\n");
	add_keys(out);
	add_chapters(out, behind, sizeof behind / sizeof *behind);
}

// ---- completion ----------------------------------------------------------------------------------------------------

static void add_words(struct string *out, const char *const *word)
{
	for (; *word; word++)
		string_add(out, " %s", *word);
}

static void add_command_name(const struct command *c, struct string *out)
{
	string_add(out, " %s", c->name);
}

static void add_question_name(const struct command *c, struct string *out)
{
	if (session_is_question(c->name))
		string_add(out, " %s", c->name);
}

// Whether the first argument of a question is a network, a device or a format.
static void add_question_words(const struct command *c, struct string *out)
{
	static const struct {
		enum command_argument argument;
		const char *variable;
	} known[] = {{ARGUMENT_NETWORK, "networks"}, {ARGUMENT_DEVICE, "devices"}, {ARGUMENT_COMMAND, "commands"},
		{ARGUMENT_SESSION, "sessions"}};
	if (!session_is_question(c->name) || strcmp(c->name, "help") == 0)
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (c->argument[0] == known[i].argument)
			string_add(out, "\t%s) words=\"$%s$formats_too\" ;;\n", c->name, known[i].variable);
}

static void add_lists(const struct command_table *table, struct string *out)
{
	size_t options, knobs;
	const struct option_row *row = option_rows(&options);
	const struct knob *knob = engine_knobs(&knobs);
	string_add(out, "\tlocal options=\"");
	for (size_t i = 0; i < options; i++)
		string_add(out, "%s%s%s%s", i ? " " : "", row[i].name, row[i].brief ? " " : "", row[i].brief ? row[i].brief : "");
	string_add(out, "\"\n\tlocal questions=\"new sessions record completion help");
	for (size_t g = 0; g < table->groups; g++)
		each_command(&table->group[g], add_question_name, out);
	string_add(out, "\"\n\tlocal commands=\"");
	for (size_t g = 0; g < table->groups; g++)
		each_command(&table->group[g], add_command_name, out);
	string_add(out, "\"\n\tlocal settings=\"");
	for (size_t i = 0; i < knobs; i++)
		string_add(out, "%s%s=", i ? " " : "", knob[i].name);
	string_add(out, "\"\n\tlocal networks=\"");
	add_words(out, engine_nets());
	string_add(out, "\"\n\tlocal devices=\"");
	add_words(out, engine_devices());
	string_add(out, "\"\n\tlocal formats_too=\"");
	add_words(out, engine_formats());
	string_add(out, " device=\"\n\tlocal sessions=\"$(bitscape completion sessions 2>/dev/null)\"\n");
	string_add(out, "\tlocal tours=\"$(bitscape completion tours 2>/dev/null)\"\n");
}

// A case for each setting whose values are words.
static void add_values(struct string *out)
{
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	string_add(out, "\tnet) values=\"$networks\" ;;\n\tdevice) values=\"$devices\" ;;\n"); // all of them, not typical ones
	for (size_t i = 0; i < count; i++) {
		if (!knob[i].words[0])
			continue;
		string_add(out, "\t%s) values=\"", knob[i].name);
		for (const char *p = knob[i].words; *p; p++)
			string_bytes(out, *p == '|' ? " " : p, 1);
		string_add(out, "\" ;;\n");
	}
}

static void add_option_cases(struct string *out, const char *files)
{
	static const char *const list[] = {[TAKES_SETTING] = "$settings",
		[TAKES_NETWORK] = "$networks",
		[TAKES_SESSION] = "$sessions",
		[TAKES_TOUR] = "$tours"};
	size_t count;
	const struct option_row *row = option_rows(&count);
	for (size_t i = 0; i < count; i++)
		if (row[i].takes == TAKES_FILE)
			string_add(out, "\t%s) %s ;;\n", row[i].name, files);
		else if (row[i].takes == TAKES_TEXT)
			string_add(out, "\t%s) return ;;\n", row[i].name);
		else if (row[i].takes != TAKES_NOTHING)
			string_add(out, "\t%s) words=\"%s\" ;;\n", row[i].name, list[row[i].takes]);
}

static void add_first_cases(const struct command_table *table, struct string *out)
{
	string_add(out,
		"\tnew|--explore) words=\"$settings $options\" ;;\n\tsessions) words=\"tidy\" ;;\n"
		"\thelp|--help|-h) words=\"commands settings keys options $commands\" ;;\n"
		"\tcompletion) words=\"bash zsh\" ;;\n\trecord) words=\"$sessions size= pace=\" ;;\n");
	for (size_t g = 0; g < table->groups; g++)
		each_command(&table->group[g], add_question_words, out);
	string_add(out, "\t*) words=\"$options\" ;;\n");
}

static void bash_completion(const struct command_table *table, struct string *out)
{
	string_add(out,
		"# bitscape completion for bash, written by `bitscape completion bash`.\n_bitscape() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} first=${COMP_WORDS[1]}\n"
		"\tlocal words=\"\" values=\"\" key=\"\"\n\tCOMPREPLY=()\n");
	add_lists(table, out);
	// Bash breaks a word at `=`: KEY = VALUE are three.
	string_add(out,
		"\tif [[ $cur == = ]]; then key=$prev cur=\"\"\n"
		"\telif [[ $prev == = ]]; then key=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n\tcase $key in\n\t'') ;;\n");
	add_values(out);
	string_add(out,
		"\tesac\n\tif [[ -n $key ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $prev in\n");
	add_option_cases(out, "COMPREPLY=($(compgen -f -- \"$cur\")); return");
	string_add(out,
		"\tesac\n\tif [[ -z $words ]]; then\n\tif ((COMP_CWORD == 1)); then\n\t\twords=\"$questions $options $sessions\"\n"
		"\telse\n\tcase $first in\n");
	add_first_cases(table, out);
	string_add(out,
		"\tesac\n\tfi\n\tfi\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		"\t[[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n}\ncomplete -o default -F _bitscape bitscape\n");
}

static void zsh_completion(const struct command_table *table, struct string *out)
{
	string_add(out,
		"#compdef bitscape\n# bitscape completion for zsh, written by `bitscape completion zsh`.\n_bitscape() {\n"
		"\tlocal cur=${words[CURRENT]} prev=${words[CURRENT-1]} first=${words[2]} CURRENT_WORD=$CURRENT\n"
		"\tlocal words=\"\" values=\"\" key=\"\"\n");
	add_lists(table, out);
	string_add(out, "\tif [[ $cur == *=* ]]; then key=${cur%%=*}; fi\n\tcase $key in\n\t'') ;;\n");
	add_values(out);
	string_add(out,
		"\tesac\n\tif [[ -n $key ]]; then\n\t\tcompset -P '*='\n\t\tcompadd -- ${=values}\n\t\treturn\n\tfi\n\tcase $prev in\n");
	add_option_cases(out, "_files; return");
	string_add(out,
		"\tesac\n\tif [[ -z $words ]]; then\n\tif ((CURRENT_WORD == 2)); then\n\t\twords=\"$questions $options $sessions\"\n"
		"\telse\n\tcase $first in\n");
	add_first_cases(table, out);
	string_add(out,
		"\tesac\n\tfi\n\tfi\n\tlocal -a plain open\n\tplain=(${(M)${=words}:#*[^=]}) open=(${(M)${=words}:#*=})\n"
		"\tcompadd -- $plain\n\tcompadd -S '' -- $open\n\t_files\n}\n_bitscape \"$@\"\n");
}

static void add_session(const char *word, void *context)
{
	if (!strpbrk(word, " \t\n$`\"'\\*?[")) // what a shell would take apart is left to be typed
		string_add(context, "%s\n", word);
}

static void session_names(const struct command_table *table, struct string *out)
{
	(void)table;
	sessions_each(add_session, out);
}

static void tour_words(const struct command_table *table, struct string *out)
{
	(void)table;
	tour_names(out);
}

bool manual_completion(const char *shell, const struct command_table *table, struct string *out, struct fault *f)
{
	static const struct {
		const char *name;
		void (*write)(const struct command_table *, struct string *);
	} kind[] = {{"bash", bash_completion}, {"zsh", zsh_completion}, {"sessions", session_names}, {"tours", tour_words}};
	for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
		if (strcmp(kind[i].name, shell) == 0) {
			kind[i].write(table, out);
			return !out->failed || fault_memory(f, "completion");
		}
	return fault_set(f, shell[0] ? shell : "completion", "`bitscape completion bash` or `zsh`", "has no completion here");
}

// ---- help by topic -------------------------------------------------------------------------------------------------

static void add_line(const struct command *c, struct string *out)
{
	string_add(out, "  %s%s%s\n      %s\n", c->name, c->usage && c->usage[0] ? " " : "", c->usage ? c->usage : "", c->help);
}

static void tell_commands(const struct command_table *table, struct string *out)
{
	for (size_t g = 0; g < table->groups; g++) {
		string_add(out, "%s%s\n", g ? "\n" : "", table->group[g].title);
		each_command(&table->group[g], add_line, out);
	}
}

static void tell_setting(const struct knob *k, struct string *out)
{
	char range[512];
	string_add(out, "%c %-16s %s\n%20s%s; default %s\n", k->live ? '*' : ' ', k->name, k->help, "",
		knob_range(k, range, sizeof range), k->preset[0] ? k->preset : "empty");
}

static void tell_settings(const struct command_table *table, struct string *out)
{
	size_t count;
	(void)table;
	const struct knob *knob = engine_knobs(&count);
	for (size_t i = 0; i < count; i++)
		tell_setting(&knob[i], out);
	string_add(out, "(* : `set` changes it while the search runs)\n");
}

static void tell_keys(const struct command_table *table, struct string *out)
{
	struct keys keys;
	struct fault f;
	char name[32];
	(void)table;
	if (!keys_begin(&keys, &f)) {
		out->failed = true;
		return;
	}
	for (int i = 0; i < keys.count; i++)
		if (keys.row[i].command)
			string_add(out, "%-10s %-12s %s\n", keys_write(keys.row[i].key, name, sizeof name),
				keys_context_name(keys.row[i].context), keys.row[i].command);
	keys_end(&keys);
}

static const struct topic {
	const char *name;
	void (*tell)(const struct command_table *, struct string *);
} topic_row[] = {{"commands", tell_commands}, {"settings", tell_settings}, {"keys", tell_keys}};
enum { TOPICS = sizeof topic_row / sizeof *topic_row };

bool manual_topic(const char *topic, const struct command_table *table, struct string *out, struct fault *f)
{
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	const struct command *c = command_find(table, topic, NULL);
	struct nearest near = nearest_to(topic);
	char advice[160];
	const size_t before_it = out->length;
	for (int i = 0; i < TOPICS; i++) {
		nearest_offer(&near, topic_row[i].name);
		if (strcmp(topic_row[i].name, topic) == 0) {
			topic_row[i].tell(table, out);
			return !out->failed || fault_memory(f, "help");
		}
	}
	if (c)
		add_line(c, out);
	for (size_t i = 0; i < count; i++) {
		nearest_offer(&near, knob[i].name);
		if (strcmp(knob[i].name, topic) == 0)
			tell_setting(&knob[i], out);
	}
	if (out->failed)
		return fault_memory(f, "help");
	return out->length > before_it ||
		fault_set(f, topic,
			nearest_advice(&near, "the topics are commands, settings, keys, and the name of each", advice,
				sizeof advice),
			"there is no such topic");
}
