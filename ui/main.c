// SPDX-License-Identifier: GPL-3.0-or-later
// bitscape: the program. The only place that ends the process.
// Exit status: 0 ok, 1 the run failed, 2 wrong usage, 3 no usable terminal, 128+n ended by signal n.
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <readline/readline.h>

#include "engine/base/courtesy.h"
#include "engine/base/signals.h"
#include "engine/base/text.h"
#include "ui/crash.h"
#include "ui/loop.h"
#include "ui/manual.h"
#include "ui/options.h"
#include "ui/prompt.h"
#include "ui/stage.h"
#include "ui/terminal.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TERMINAL = 3, EXIT_SIGNAL = 128 };

static int complain(const struct fault *f, int status)
{
	char line[sizeof *f + 16];
	fprintf(stderr, "bitscape: %s\n", fault_line(f, line, sizeof line));
	return status;
}

// Whether a person asks for plain characters, as LC_ALL=C does; where nothing is set, nobody does.
static bool asks_for_plain(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return strcmp(value, "C") == 0 || strcmp(value, "POSIX") == 0;
	}
	return false;
}

// Sets the character type alone: numbers are read and written with a point everywhere. Whether it is UTF-8.
static bool set_locale(void)
{
	if (asks_for_plain())
		return false;
	if (setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return true;
	// Readline sets the locale from the environment again.
	if (setlocale(LC_CTYPE, "C.UTF-8"))
		return setenv("LC_ALL", "C.UTF-8", 1) == 0;
	setlocale(LC_CTYPE, "");
	return false;
}

static void print_line(const char *line)
{
	char *copy = strdup(line);
	if (copy)
		puts(text_clean(copy, "\t"));
	free(copy);
}

// A file opened later must not become standard input, output or error, and get what is written to these.
static void fill_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
}

// What was printed must have arrived.
static int printed(int status)
{
	struct fault f;
	errno = 0;
	bool ok = fflush(stdout) == 0 && !ferror(stdout);
	if (ok || status != EXIT_OK)
		return status;
	fault_set(&f, "standard output", "make room, or send it elsewhere", "cannot be written: %s",
		strerror(errno ? errno : EIO));
	return complain(&f, EXIT_FAILED);
}

static int replay(const char *name)
{
	struct fault f;
	return session_replay(name, print_line, &f) ? EXIT_OK : complain(&f, EXIT_FAILED);
}

// Every command, as for a batch; s may be NULL, and then nothing of it but a question is run.
enum { GROUPS = 6 };
static struct command_table commands(struct command_group group[GROUPS], struct session *s)
{
	size_t count, figures;
	const struct command *rows = session_commands(&count), *plots = plots_commands(&figures);
	group[0] = (struct command_group){"searching and sessions", rows, count, s};
	group[1] = s ? session_plot_group(s) : (struct command_group){"Figures", plots, figures, NULL};
	group[2] = session_catalog_group(s);
	group[3] = session_machine_group();
	group[4] = session_race_group(s);
	group[5] = ui_group(NULL);
	return (struct command_table){.group = group, .groups = GROUPS};
}

static void __attribute__((format(printf, 2, 3))) print_answer(struct command_call *call, const char *format, ...)
{
	(void)call;
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static int answer(int argc, char **argv)
{
	struct command_group group[GROUPS];
	struct command_table table = commands(group, NULL);
	struct string line = {0};
	struct fault f = {0};
	for (int i = 1; i < argc; i++) {
		string_add(&line, "%s", i > 1 ? " " : "");
		words_quote(&line, argv[i]);
	}
	bool ok = line.failed ? fault_memory(&f, "command line") : command_run(&table, line.bytes, print_answer, NULL, &f);
	string_free(&line);
	return ok ? EXIT_OK : complain(&f, signals_heard() ? EXIT_SIGNAL + signals_heard() : EXIT_FAILED);
}

// The session that the command line names. *fresh: it was made just now.
static struct session *open_session(const struct options *o, bool *fresh, struct fault *f)
{
	*fresh = o->make || !o->name;
	struct session *s = *fresh ? session_made(o->name, o->setting, o->settings, f) : session_open(o->name, f);
	// What was given here was meant; what an older session names may be somebody else's.
	if (s && (*fresh || o->run_commands))
		session_allow(s);
	return s;
}

static int list_sessions(const struct options *o)
{
	struct fault f = {0};
	struct string out = {0};
	bool ok = o->tidy ? sessions_tidy(o->now, &out, &f) : sessions_list(&out, &f);
	if (ok && !out.length)
		string_add(&out, "there is nothing to tidy\n");
	if (ok)
		fputs(out.bytes, stdout);
	string_free(&out);
	return ok ? EXIT_OK : complain(&f, EXIT_FAILED);
}

// A plain start begins a new search at once. Meanwhile this tidies old unnamed sessions and names the one that can be resumed
// instead; the new session is open and so counts for neither.
static void look_back(struct workbench *w)
{
	char about[256], *save = NULL;
	struct string told = {0};
	sessions_tidy(true, &told, NULL);
	for (char *line = told.length ? strtok_r(told.bytes, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		workbench_say(w, false, "%s", line);
	string_free(&told);
	if (session_last(w->last, sizeof w->last, about, sizeof about))
		workbench_say(w, false, "O goes on with %s (%s)", w->last, about);
}

// On a screen that nobody sees.
static int batch_on_stage(const struct options *o, struct session *s, struct fault *f)
{
	static struct stage stage;
	struct fault lost;
	int width, height;
	if (!stage_size(o->screen, &width, &height, f) || !stage_begin(&stage, s, width, height, f))
		return EXIT_USAGE;
	const struct command_table table = stage_table(&stage);
	int status = session_batch(s, o->batch, &table, f);
	if (!stage_end(&stage, &lost) && status == EXIT_OK) {
		*f = lost;
		status = EXIT_FAILED;
	}
	return status;
}

// A tour's session has the settings that its first line names, unless a session was asked for.
static bool take_lesson(struct options *o, const char *path, struct fault *f)
{
	static char *setting[OPTIONS_SETTINGS];
	if (!lesson_is(path))
		return true;
	if (!o->screen)
		o->screen = "80x24"; // without a terminal it has one that nobody sees
	if (o->name && !o->make)
		return true;
	const int count = lesson_settings(path, setting, OPTIONS_SETTINGS, f);
	if (count + o->settings > OPTIONS_SETTINGS)
		return fault_set(f, path, "leave some out", "more than %d settings", OPTIONS_SETTINGS);
	memmove(o->setting + (count > 0 ? count : 0), o->setting, (size_t)o->settings * sizeof *o->setting);
	for (int i = 0; i < count; i++)
		o->setting[i] = setting[i]; // kept until the process ends, as what the command line gave
	o->settings += count > 0 ? count : 0;
	return count >= 0;
}

static int run_batch(const struct options *o)
{
	struct fault f = {0};
	bool fresh;
	int width, height;
	if (o->screen && !stage_size(o->screen, &width, &height, &f))
		return complain(&f, EXIT_USAGE);
	struct session *s = open_session(o, &fresh, &f);
	if (!s)
		return complain(&f, EXIT_FAILED);
	struct command_group group[GROUPS];
	const struct command_table table = commands(group, s);
	int status = o->screen ? batch_on_stage(o, s, &f) : session_batch(s, o->batch, &table, &f);
	if (status == EXIT_FAILED || status == EXIT_USAGE)
		complain(&f, status);
	if (!session_close(s, &f) && status == EXIT_OK)
		status = complain(&f, EXIT_FAILED);
	return status;
}

// Its text is broken to the width of the terminal.
static void show_tour(struct workbench *w, const char *path)
{
	int width, height;
	struct fault f;
	char line[sizeof f + 16];
	terminal_size(&width, &height);
	screen_resize(&w->screen, width, height);
	if (!tour_begin(w, path, &f))
		workbench_say(w, true, "%s", fault_line(&f, line, sizeof line));
}

static int run_workbench(const struct options *o, bool ascii)
{
	struct fault f = {0};
	if (!terminal_check(&f))
		return complain(&f, EXIT_TERMINAL);
	if (!signals_open(true, &f))
		return complain(&f, EXIT_FAILED);
	static struct workbench w;
	bool fresh;
	struct string farewell = {0};
	courtesy_ask();
	struct session *s = open_session(o, &fresh, &f);
	if (!s)
		return complain(&f, EXIT_FAILED);
	if (!workbench_begin(&w, s, ascii, &f)) {
		session_close(s, NULL);
		return complain(&f, EXIT_FAILED);
	}
	const char *no_color = getenv("NO_COLOR");
	if (!terminal_open(!o->no_color && !(no_color && *no_color), &f)) {
		workbench_end(&w, NULL, NULL);
		return complain(&f, EXIT_TERMINAL);
	}
	prompt_init();
	if (fresh && o->explore)
		workbench_say(&w, false, "%s",
			session_snapshot(s)->idle
				? "costs alone: + and - step a layer's format, `apply uniform int4`, `paste FILE`"
				: "quality is estimated: press Space to search");
	else if (fresh && !o->tour)
		workbench_command(&w, "run");
	else if (session_asks(s))
		workbench_ask(&w);
	else if (!fresh && !session_read_only(s))
		workbench_say(&w, false, "%s is open: press Space to run on", session_name(s));
	if (!o->name && !o->make && !o->tour) {
		look_back(&w);
		if (!o->settings)
			stretch_begin(&w);
	}
	config_start(&w);
	w.tour_auto = o->go_on;
	w.tour_big = o->big;
	if (o->pace)
		number_read(o->pace, &w.tour_pace);
	if (o->tour)
		show_tour(&w, o->tour);

	int number = loop_run(&w);
	prompt_end();
	terminal_close();
	bool failed = session_snapshot(w.session)->run == RUN_FAILED;
	if (failed)
		f = session_snapshot(w.session)->fault;
	int status = number ? EXIT_SIGNAL + number : failed ? complain(&f, EXIT_FAILED) : EXIT_OK;
	if (!workbench_end(&w, &farewell, &f))
		status = complain(&f, number ? status : EXIT_FAILED);
	if (farewell.bytes)
		fputs(farewell.bytes, stdout);
	string_free(&farewell);
	return status;
}

// Written from the tables: `bitscape manual`, `bitscape completion SHELL`, `bitscape --help TOPIC`.
static int print_tables(int argc, char **argv)
{
	struct command_group group[GROUPS];
	const struct command_table table = commands(group, NULL);
	struct string out = {0};
	struct fault f = {0};
	const bool manual = strcmp(argv[1], "manual") == 0, completion = strcmp(argv[1], "completion") == 0;
	const char *word = argc > 2 ? argv[2] : "";
	bool ok = argc <= 3 || fault_set(&f, argv[3], "`bitscape help` tells what there is", "is one word too many");
	if (ok && manual)
		manual_page(&table, &out);
	else if (ok)
		ok = completion ? manual_completion(word, &table, &out, &f) : manual_topic(word, &table, &out, &f);
	if (ok && out.failed)
		ok = fault_memory(&f, argv[1]);
	if (ok && out.bytes)
		fputs(out.bytes, stdout);
	string_free(&out);
	return ok ? EXIT_OK : complain(&f, EXIT_USAGE);
}

// What the program does without options and without a session, beside answering questions.
static const struct act {
	const char *name;
	int words; // least number of them
	int (*run)(int argc, char **argv);
} act[] = {
	{"record", 2, answer},
	{"manual", 2, print_tables},
	{"completion", 2, print_tables},
	{"--help", 3, print_tables},
	{"-h", 3, print_tables},
};

static const struct act *act_of(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof act / sizeof *act; i++)
		if (argc >= act[i].words && strcmp(act[i].name, argv[1]) == 0)
			return &act[i];
	return NULL;
}

// `bitscape race resume --help` asks about `race`; whatever else stands there counts for nothing, so that the question is never taken for a name.
static bool asks_help(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

// Of a command its topic, of what else the program does all its help.
static int print_help(char **argv)
{
	struct command_group group[GROUPS];
	const struct command_table table = commands(group, NULL);
	char help[] = "--help", *words[] = {argv[0], help, argv[1], NULL};
	if (command_find(&table, argv[1], NULL))
		return print_tables(3, words);
	options_help(stdout);
	return EXIT_OK;
}

static int print_version(void)
{
	printf("bitscape %s\nncurses %s\nreadline %s\n", BITSCAPE_VERSION, curses_version(), rl_library_version);
	return EXIT_OK;
}

static int run(int argc, char **argv)
{
	struct options o;
	struct fault f;
	if (argc == 2 && strcmp(argv[1], "help") == 0) {
		options_help(stdout);
		return EXIT_OK;
	}
	if (asks_help(argc, argv)) {
		set_locale();
		return print_help(argv);
	}
	const struct act *other = act_of(argc, argv);
	if (other) {
		set_locale();
		return other->run(argc, argv);
	}
	if (argc > 1 && session_is_question(argv[1])) { // a session of that name is opened by its path: ./latency
		set_locale();
		return answer(argc, argv);
	}
	if (!options_parse(&o, argc, argv, &f))
		return complain(&f, EXIT_USAGE);
	bool utf8 = set_locale();
	if (o.help) {
		options_help(stdout);
		return EXIT_OK;
	}
	if (o.version)
		return print_version();
	if (o.list)
		return list_sessions(&o);
	if (o.replay)
		return replay(o.replay);
	char tour[4096];
	if (o.tour && !tour_find(o.tour, tour, sizeof tour, &f))
		return complain(&f, EXIT_USAGE);
	double pace = 0;
	if (o.pace && (!number_read(o.pace, &pace) || !(pace > 0))) {
		fault_set(&f, "--pace", "2 is twice as fast as one reads", "is not a pace: %s", o.pace);
		return complain(&f, EXIT_USAGE);
	}
	if (o.tour && !take_lesson(&o, tour, &f))
		return complain(&f, EXIT_USAGE);
	if (o.batch && script_is_tour(o.batch) && !take_lesson(&o, o.batch, &f))
		return complain(&f, EXIT_USAGE);
	if (o.tour && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		o.tour = tour;
	else if (o.tour)
		o.batch = tour;
	if (o.batch)
		return run_batch(&o);
	// The fonts of a console lack braille and block elements.
	const char *term = getenv("TERM");
	bool console = term && (strcmp(term, "linux") == 0 || strncmp(term, "vt", 2) == 0);
	return run_workbench(&o, o.ascii || !utf8 || console);
}

int main(int argc, char **argv)
{
	fill_descriptors();
	return printed(run(argc, argv));
}
