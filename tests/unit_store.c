// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions are found again: what names mean, the index of those elsewhere, the list, what is made by several processes at once,
// what a killed process leaves, what is not kept, what is tidied, a second instance, and a folder that goes away.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessions/core/inside.h"
#include "sessions/store/manifest.h"
#include "sessions/store/store.h"
#include "tests/ground.h"
#include "tests/sealed.h"

static char top[128]; // of this test alone: the state folder is in it, and the current folder, `work`

// ---- helpers -------------------------------------------------------------------------------------------------------

static int make_place(void **state)
{
	(void)state;
	return ground_make(top, sizeof top, "store", "work") ? 0 : -1;
}

static int clear_place(void **state)
{
	(void)state;
	return chdir("/") == 0 && ground_clear(top) ? 0 : -1;
}

// "TOP/bitscape/NAME": a path in the state folder.
static const char *home(const char *name)
{
	static char path[4][512];
	static int next;
	char *buf = path[next++ % 4];
	snprintf(buf, sizeof path[0], "%s/bitscape/%s", top, name);
	return buf;
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *get(const char *path)
{
	struct fault f;
	size_t n;
	char *bytes = disk_read(path, 64 << 20, &n, &f);
	assert_non_null(bytes);
	return bytes;
}

static void assert_says(const struct fault *f, const char *part)
{
	char line[sizeof *f + 8];
	if (!strstr(fault_line(f, line, sizeof line), part))
		fail_msg("\"%s\" does not say \"%s\"", line, part);
}

static void assert_holds(const struct string *text, const char *part)
{
	if (!text->bytes || !strstr(text->bytes, part))
		fail_msg("\"%s\" is not in:\n%s", part, text->bytes ? text->bytes : "");
}

static struct session *begin(const char *name)
{
	static const char *const settings[][2] = {
		{"net", "resnet8"},
		{"data", "glyphs:12"},
		{"train", "256"},
		{"heldout", "128"},
		{"batch", "16"},
		{"steps", "2000"},
		{"space", "int-s"},
		{"front-every", "0"},
		{"calibration", "32"},
		{"threads", "1"},
		{"target.bops", "int4"},
		{"weight.bops", "1"},
	};
	struct fault f;
	struct config *config = config_new();
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		assert_true(config_set(config, settings[i][0], settings[i][1], &f));
	struct session *s = session_new(name, config, &f);
	config_free(config);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	return s;
}

static struct session *again(const char *name)
{
	struct fault f;
	char line[sizeof f + 8];
	struct session *s = session_open(name, &f);
	if (!s)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return s;
}

static void end(struct session *s)
{
	struct fault f;
	if (!session_close(s, &f))
		fail_msg("%s: %s", f.where, f.what);
}

static void begin_and_end(const char *name)
{
	end(begin(name));
}

static void no_words(struct command_call *call, const char *format, ...)
{
	(void)call, (void)format;
}

static bool command(struct session *s, const char *line, struct fault *f)
{
	struct command_group group = {.title = "", .context = s};
	group.rows = session_commands(&group.count);
	struct command_table table = {.group = &group, .groups = 1};
	return command_run(&table, line, no_words, NULL, f);
}

// Waits for news of the session, a moment at most.
static void turn(struct session *s)
{
	struct pollfd fds[SESSION_FDS];
	int timeout = 100;
	int n = session_fds(s, fds, &timeout);
	poll(fds, (nfds_t)n, timeout);
	session_turn(s);
}

static void turn_until_step(struct session *s, long step)
{
	while (session_snapshot(s)->step < step || session_snapshot(s)->run == RUN_RUNNING)
		turn(s);
}

static void run(struct session *s, long steps)
{
	char line[32];
	struct fault f;
	long goal = session_snapshot(s)->step + steps;
	snprintf(line, sizeof line, "run %ld", steps);
	if (!command(s, line, &f))
		fail_msg("%s: %s", f.where, f.what);
	turn_until_step(s, goal);
}

static void act(struct session *s, const char *line)
{
	struct fault f;
	if (!command(s, line, &f))
		fail_msg("%s: %s: %s", line, f.where, f.what);
	assert_true(session_await_replies(s, &f));
	while (s->writer && writer_busy(s->writer))
		turn(s);
	session_turn(s);
}

static bool said(struct session *s, const char *part)
{
	bool bad, found = false;
	for (const char *text; (text = session_message(s, &bad));)
		found |= strstr(text, part) != NULL;
	return found;
}

// A process that has ended by now.
static long dead_process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

static void make_older(const char *folder, long seconds)
{
	static const char *const files[] = {"manifest.json", "journal", "summary.json", "lock", "."};
	struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[FOLDER_PATH];
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		utimensat(AT_FDCWD, path, times, 0);
	}
}

// ---- names ---------------------------------------------------------------------------------------------------------

static void names_mean_one_thing(void **state)
{
	(void)state;
	struct fault f;
	char line[sizeof f + 8], word[256];
	begin_and_end("demo");
	assert_true(there(home("demo.bitscape/manifest.json")));
	assert_false(there("demo.bitscape"));
	begin_and_end("./demo2");
	assert_true(there("demo2.bitscape/manifest.json"));

	// Opened by its bare name, by its path; nothing is ever made by opening.
	static const char *const good[] = {"demo", "demo.bitscape", "./demo2", "./demo2.bitscape/"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		end(again(good[i]));
	assert_null(session_open("demp", &f));
	assert_says(&f, "did you mean 'demo'? `bitscape new demp` makes one");
	assert_null(session_open("zzzzzzzzz", &f));
	assert_string_equal(fault_line(&f, line, sizeof line),
		"zzzzzzzzz: there is no session of this name; `bitscape new zzzzzzzzz` makes one");
	assert_null(session_open("resnet20", &f));
	assert_says(&f, "it is the name of a network; `bitscape new net=resnet20`");
	assert_false(there(home("demp.bitscape")) || there(home("resnet20.bitscape")) || there("resnet20.bitscape"));
	assert_int_equal(mkdir("other.bitscape", 0777), 0);
	put("other.bitscape/file", "");
	assert_null(session_open("./other", &f));
	assert_says(&f, "this is no session: it has no manifest.json");

	// The word of each opens it from anywhere.
	struct session *s = again("demo");
	session_shell_word(s, word, sizeof word);
	assert_string_equal(word, "demo");
	end(s);
	s = again("./demo2");
	session_shell_word(s, word, sizeof word);
	assert_int_equal(word[0], '/');
	end(s);
	assert_int_equal(chdir("/"), 0);
	end(again(word));
	char back[256];
	snprintf(back, sizeof back, "%s/work", top);
	assert_int_equal(chdir(back), 0);
	end(begin("./it's a name"));
	s = again("./it's a name");
	session_shell_word(s, word, sizeof word);
	assert_non_null(strstr(word, "it'\\''s a name'"));
	end(s);
}

static void names_elsewhere(void **state)
{
	(void)state;
	struct fault f;
	// A folder that an older build left here is found, and that is said.
	begin_and_end("./old");
	assert_int_equal(unlink(home("index")), 0);
	struct session *s = again("old");
	assert_true(said(s, "old lies in "));
	end(s);
	// It is known from now on, wherever one is.
	assert_int_equal(mkdir("below", 0777), 0);
	assert_int_equal(chdir("below"), 0);
	s = again("old");
	assert_true(said(s, "old lies in "));
	end(s);
	// Two have one name: neither is guessed.
	begin_and_end("./old");
	assert_null(session_open("old", &f));
	assert_says(&f, "two sessions have this name");
	assert_says(&f, "work/below/old");
	// One in the state folder goes before all of them.
	begin_and_end("old");
	s = again("old");
	assert_string_equal(session_folder(s), home("old.bitscape"));
	end(s);
	assert_int_equal(chdir(".."), 0);
}

static void the_index_bears_damage(void **state)
{
	(void)state;
	struct fault f;
	struct store store;
	begin_and_end("./a");
	char *before = get(home("index"));
	assert_non_null(strstr(before, "/work/a.bitscape\n"));
	static const char *const damage[] = {
		"", "\n\n\n", "relative\n", "/no/such/place\n", "/con\001trol\n", "/half a li", "# only\n"};
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		struct string text = {0};
		string_add(&text, "%s%s%s", before, damage[i], "\xff\xfe");
		put(home("index"), text.bytes);
		string_free(&text);
		assert_true(store_read(&store, &f));
		assert_int_equal(store.count, 1);
		store_free(&store);
	}
	free(before);
	// Bounded: the one opened last is at the end, the oldest is forgotten.
	struct string many = {0};
	for (int i = 0; i < 1000; i++)
		string_add(&many, "/far/away/%d.bitscape\n", i);
	put(home("index"), many.bytes);
	string_free(&many);
	end(again("./a"));
	char *text = get(home("index"));
	int lines = 0;
	for (char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, STORE_INDEXED + 1);
	assert_null(strstr(text, "/far/away/800.bitscape\n"));
	assert_non_null(strstr(text, "/far/away/801.bitscape\n"));
	assert_non_null(strstr(text, "/far/away/999.bitscape\n/"));
	free(text);
	// One that is no file at all hinders nothing.
	assert_int_equal(unlink(home("index")), 0);
	assert_int_equal(mkdir(home("index"), 0777), 0);
	struct session *s = again("./a");
	assert_true(said(s, "index"));
	end(s);
	assert_true(store_read(&store, &f));
	assert_int_equal(store.count, 0);
	store_free(&store);
}

// ---- making -----------------------------------------------------------------------------------------------------------

// Several processes at once: each one gets a folder of its own.
static void many_at_once(void **state)
{
	(void)state;
	enum { PROCESSES = 8, EACH = 4 };
	int pipes[2], go[2], stay[2];
	assert_int_equal(pipe(stay), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			char byte, folder[EACH][FOLDER_PATH];
			int lock, made = 0;
			struct fault f;
			close(go[1]);
			close(stay[1]);
			if (read(go[0], &byte, 1) != 0) // until all are there
				_exit(1);
			for (int k = 0; k < EACH; k++)
				made += folder_claim_unnamed(folder[k], sizeof folder[k], &lock, &f);
			ssize_t n = made == EACH ? write(pipes[1], folder, sizeof folder) : 0;
			close(pipes[1]);
			// Until all have theirs: what an ended process leaves may be taken over.
			_exit(n == (ssize_t)sizeof folder && read(stay[0], &byte, 1) == 0 ? 0 : 1);
		}
	close(go[0]);
	close(go[1]);
	close(pipes[1]);
	static char all[PROCESSES * EACH][FOLDER_PATH];
	size_t have = 0;
	for (ssize_t n; (n = read(pipes[0], (char *)all + have, sizeof all - have)) > 0;)
		have += (size_t)n;
	close(pipes[0]);
	close(stay[0]);
	close(stay[1]);
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(have, sizeof all);
	for (int i = 0; i < PROCESSES * EACH; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(all[i], all[k]);
}

// One name for several: one process has it, the others are told.
static void one_name_once(void **state)
{
	(void)state;
	enum { PROCESSES = 8 };
	int won = 0;
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			int lock;
			bool cleaned;
			struct fault f;
			bool ok = folder_claim(home("wanted.bitscape"), &lock, &cleaned, &f);
			if (ok)
				put(home("wanted.bitscape/manifest.json"), "{}");
			_exit(ok ? 1 : 0);
		}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		wait(&status);
		won += WEXITSTATUS(status);
	}
	assert_int_equal(won, 1);
}

static void killed_in_its_first_moments(void **state)
{
	(void)state;
	struct fault f;
	char temporary[64];
	snprintf(temporary, sizeof temporary, ".bitscape-%ld-0.tmp", dead_process());
	// All that a process may leave that never wrote its manifest.
	const char *const left[] = {NULL, "lock", "journal", temporary};
	for (size_t n = 0; n < sizeof left / sizeof *left; n++) {
		char folder[FOLDER_PATH], path[FOLDER_PATH + 80];
		snprintf(folder, sizeof folder, "%s", home("killed.bitscape"));
		assert_true(folder_make(folder, true, &f));
		for (size_t i = 1; i <= n; i++) {
			snprintf(path, sizeof path, "%s/%s", folder, left[i]);
			put(path, "1\n");
		}
		assert_null(session_open("killed", &f));
		assert_says(&f, "remainder");
		assert_says(&f, "`bitscape new killed`");
		struct session *s = begin("killed");
		assert_true(said(s, "cleared away"));
		const struct journal_entry *entry;
		assert_int_equal(session_journal(s, &entry), 0);
		end(s);
		assert_false(there(home("killed.bitscape")) && there(path) && n == 3);
		assert_true(ground_clear(folder));
	}
	// A folder with something else in it, or of a living process, is not touched.
	assert_true(folder_make(home("mine.bitscape"), true, &f));
	put(home("mine.bitscape/letter"), "dear");
	int lock;
	bool cleaned;
	assert_false(folder_claim(home("mine.bitscape"), &lock, &cleaned, &f));
	assert_true(there(home("mine.bitscape/letter")));
	assert_true(folder_claim(home("busy.bitscape"), &lock, &cleaned, &f));
	assert_false(cleaned);
	int second;
	assert_false(folder_claim(home("busy.bitscape"), &second, &cleaned, &f));
	close(lock);
}

static void temporary_files_go(void **state)
{
	(void)state;
	char dead[FOLDER_PATH], living[FOLDER_PATH];
	begin_and_end("swept");
	snprintf(dead, sizeof dead, "%s/.bitscape-%ld-7.tmp", home("swept.bitscape"), dead_process());
	snprintf(living, sizeof living, "%s/.bitscape-%ld-7.tmp", home("swept.bitscape"), (long)getpid());
	put(dead, "half a checkpoint");
	put(living, "being written");
	struct session *s = again("swept");
	assert_false(there(dead));
	assert_true(there(living));
	put(dead, "again");
	end(again("swept")); // reads only: it leaves the folder as it is
	assert_true(there(dead));
	end(s);
}

static void opened_without_a_checkpoint(void **state)
{
	(void)state;
	// The process dies after its first change and before its first checkpoint.
	struct session *s = begin("young");
	run(s, 3);
	act(s, "pin stem int8");
	run(s, 2);
	bool checkpoint = checkpoint_newest_step(home("young.bitscape")) >= 0;
	session_free(s);
	assert_false(checkpoint);
	s = again("young");
	turn_until_step(s, 3);
	while (s->play.on)
		turn(s);
	assert_int_equal(session_snapshot(s)->step, 3);
	assert_int_equal(s->journal.entries, 1);
	end(s);
}

// Without being asked, within seconds of the first step.
static void the_first_checkpoint_comes_soon(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("soon");
	assert_int_equal(checkpoint_newest_step(home("soon.bitscape")), -1);
	assert_true(command(s, "run", &f));
	double began = clock_seconds();
	while (checkpoint_newest_step(home("soon.bitscape")) < 0) {
		turn(s);
		if (clock_seconds() - began > 45) // the old one came after a minute
			fail_msg("no checkpoint yet at step %ld", session_snapshot(s)->step);
	}
	act(s, "pause");
	end(s);
}

// ---- leaving ----------------------------------------------------------------------------------------------------------

static bool kept(struct session *s)
{
	char folder[FOLDER_PATH];
	snprintf(folder, sizeof folder, "%s", session_folder(s));
	end(s);
	return there(folder);
}

static void what_is_untouched_is_not_kept(void **state)
{
	(void)state;
	struct fault f;
	assert_false(kept(begin(NULL)));
	// Runs by itself, and is left before it was first saved.
	struct session *s = begin(NULL);
	engine_run_to(session_engine(s), 2);
	turn_until_step(s, 2);
	assert_false(kept(s));
	// Was saved by itself, and is left for the one before; else it is kept.
	for (int dropped = 0; dropped < 2; dropped++) {
		s = begin(NULL);
		engine_run_to(session_engine(s), 2);
		turn_until_step(s, 2);
		assert_true(session_save(s, false, &f) && session_await_replies(s, &f));
		while (writer_busy(s->writer))
			turn(s);
		if (dropped)
			session_drop(s);
		assert_int_equal(kept(s), !dropped);
	}
	// Nor one that stood at its beginning for as long as one likes.
	s = begin(NULL);
	s->saved_at -= 10 * AUTOSAVE_SECONDS;
	turn(s);
	turn(s);
	assert_false(s->saving || s->saved_step >= 0);
	assert_false(kept(s));
	// What a person does keeps it, however it is left.
	static const char *const acts[] = {"pin stem int8", "note 'of use'", "save", "export layers", "run 1"};
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		s = begin(NULL);
		act(s, acts[i]);
		session_drop(s);
		if (!kept(s))
			fail_msg("%s: not kept", acts[i]);
	}
	assert_true(kept(begin("named")));
	// It hinders no new one at the same second.
	s = begin(NULL);
	struct session *other = begin(NULL);
	assert_string_not_equal(session_folder(s), session_folder(other));
	end(s);
	end(other);
}

static void leaving_says_how_to_come_back(void **state)
{
	(void)state;
	struct fault f;
	struct string told = {0};
	struct session *s = begin("told");
	run(s, 5);
	assert_true(session_leave(s, &told, &f));
	assert_holds(&told, "told: step 5 of 2000");
	assert_holds(&told, "bops ");
	assert_holds(&told, "(target ");
	assert_holds(&told, "\n`bitscape told` goes on with it\n");
	string_clear(&told);
	assert_true(session_leave(begin(NULL), &told, &f));
	assert_holds(&told, "nothing was done in it, so it is not kept");
	string_clear(&told);
	s = begin("./there");
	assert_true(session_leave(s, &told, &f));
	assert_holds(&told, "/work/there` goes on with it");
	string_free(&told);
}

static void the_last_one_goes_on(void **state)
{
	(void)state;
	char word[256], about[256];
	struct fault f;
	assert_false(session_last(word, sizeof word, about, sizeof about));
	begin_and_end("empty"); // nothing came of it
	assert_false(session_last(word, sizeof word, about, sizeof about));
	struct session *s = begin("older");
	run(s, 2);
	end(s);
	make_older(home("older.bitscape"), 100);
	s = begin(NULL);
	run(s, 3);
	char folder[FOLDER_PATH], title[256];
	snprintf(folder, sizeof folder, "%s", session_folder(s));
	snprintf(title, sizeof title, "%s", session_name(s));
	assert_true(session_last(word, sizeof word, about, sizeof about));
	assert_string_equal(word, "older"); // the newer one is open
	assert_non_null(strstr(about, "step 2 of 2000, 1 min ago"));
	assert_true(session_save(s, false, &f) && session_await_replies(s, &f));
	session_free(s); // a crash
	assert_true(session_last(word, sizeof word, about, sizeof about));
	assert_string_equal(word, title);
	assert_non_null(strstr(about, "step 3 of 2000, just now, ended by a crash"));
	end(again(word));
	assert_true(session_last(word, sizeof word, about, sizeof about));
	assert_string_equal(word, title);
	assert_null(strstr(about, "crash"));
	// A named one elsewhere counts as any other.
	make_older(folder, 50);
	s = begin("./far");
	run(s, 1);
	end(s);
	assert_true(session_last(word, sizeof word, about, sizeof about));
	assert_non_null(strstr(word, "/work/far"));
}

// ---- the list -----------------------------------------------------------------------------------------------------------

static int words_offered;
static void count_word(const char *word, void *context)
{
	(void)context;
	words_offered += word[0] != '\0';
}

static void sessions_are_listed(void **state)
{
	(void)state;
	struct fault f;
	struct string text = {0};
	assert_true(sessions_list(&text, &f));
	assert_holds(&text, "there are no sessions yet");
	struct session *s = begin("first");
	run(s, 4);
	end(s);
	begin_and_end("./elsewhere");
	s = begin("third");
	run(s, 2);
	session_free(s); // a crash
	s = begin("open");
	// No checkpoint is read for it: they may be anything.
	put(home("first.bitscape/checkpoint-4.safetensors"), "x");
	put(home("stray"), "no session");
	assert_int_equal(mkdir(home("notes.bitscape"), 0777), 0);
	put(home("notes.bitscape/todo"), "");
	put(home("notes.bitscape/summary.json"), "{");
	string_clear(&text);
	assert_true(sessions_list(&text, &f));
	char *line[16] = {0}, *save = NULL;
	int lines = 0;
	for (char *p = strtok_r(text.bytes, "\n", &save); p && lines < 16; p = strtok_r(NULL, "\n", &save))
		line[lines++] = p;
	static const char *const head[] = {"session", "network", "data", "step", "quality", "cost", "used"};
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		assert_non_null(strstr(line[0], head[i]));
	const char *const expected[][4] = {{"first", "resnet8", "4/2000", "bops "},
		{"/work/elsewhere", "glyphs:12", "just now", ""}, {"third", "crashed", "", ""}, {"open", "open (", "", ""}};
	for (size_t e = 0; e < sizeof expected / sizeof *expected; e++) {
		int found = 0;
		for (int i = 1; i < lines; i++)
			if (strstr(line[i], expected[e][0]) && strstr(line[i], expected[e][1]) &&
				strstr(line[i], expected[e][2]) && strstr(line[i], expected[e][3]))
				found++;
		if (found != 1)
			fail_msg("'%s': %d lines", expected[e][0], found);
	}
	for (int i = 0; i < lines; i++)
		assert_null(strstr(line[i], "notes"));
	string_free(&text);
	end(s);
	// What is broken is listed so, and hinders no other; nothing that is in it reaches the screen as it is.
	put(home("first.bitscape/summary.json"),
		"{\"bitscape-summary\": 1, \"net\": \"a\\u001b[2Jb\", \"data\": 7, \"step\": 1, "
		"\"horizon\": 9, \"entries\": 0}");
	put(home("third.bitscape/manifest.json"), "{}");
	assert_true(sessions_list(&text, &f));
	assert_holds(&text, "a?[2Jb");
	assert_holds(&text, "cannot be read");
	assert_null(strchr(text.bytes, '\033'));
	string_free(&text);
	sessions_each(count_word, NULL);
	assert_int_equal(words_offered, 4);
}

static void sessions_are_completed(void **state)
{
	(void)state;
	static const struct command row = {"open", COMMAND_VIEW, 1, 1, {ARGUMENT_SESSION}, 0, NULL, "NAME", "", NULL};
	struct command_group group = {"", &row, 1, NULL};
	struct command_table table = {.group = &group, .groups = 1};
	size_t start;
	begin_and_end("abacus");
	begin_and_end("abbey");
	put("abfile", "");
	char **words = command_complete(&table, NULL, "open ab", 7, &start);
	assert_non_null(words);
	int count = 0;
	for (; words[count]; count++) {
		assert_true(strcmp(words[count], "abacus") == 0 || strcmp(words[count], "abbey") == 0);
		free(words[count]);
	}
	free(words);
	assert_int_equal(count, 2);
	// Folders behind a slash, no files.
	assert_int_equal(mkdir("abfolder", 0777), 0);
	words = command_complete(&table, NULL, "open ./ab", 9, &start);
	assert_non_null(words);
	assert_string_equal(words[0], "./abfolder/");
	assert_null(words[1]);
	free(words[0]);
	free(words);
}

// ---- tidying --------------------------------------------------------------------------------------------------------------

static void copy_file(const char *from, const char *folder, const char *file)
{
	char path[FOLDER_PATH + 16], to[FOLDER_PATH + 16];
	snprintf(path, sizeof path, "%s/%s", from, file);
	snprintf(to, sizeof to, "%s/%s", folder, file);
	char *text = get(path);
	put(to, text);
	free(text);
}

// A closed session as `pattern` is, so many days old.
static void plant(const char *pattern, const char *title, long days)
{
	char folder[FOLDER_PATH];
	snprintf(folder, sizeof folder, "%s.bitscape", home(title));
	assert_int_equal(mkdir(folder, 0777), 0);
	static const char *const files[] = {"manifest.json", "journal", "summary.json"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		copy_file(pattern, folder, files[i]);
	make_older(folder, days * 24 * 3600 + 60);
}

static void unnamed_ones_are_tidied(void **state)
{
	(void)state;
	struct fault f;
	struct string told = {0};
	char pattern[FOLDER_PATH], path[FOLDER_PATH], title[64];
	struct session *s = begin("pattern");
	run(s, 2);
	end(s);
	snprintf(pattern, sizeof pattern, "%s", home("pattern.bitscape"));
	plant(pattern, "20200101-000001", STORE_TIDY_DAYS);
	plant(pattern, "20200101-000002", STORE_TIDY_DAYS - 1);
	plant(pattern, "20200101-000003", STORE_TIDY_DAYS); // a person changed it
	struct string journal = {0};
	seal(&journal, SEALED_SESSION, "1 pin stem int8\n");
	put(home("20200101-000003.bitscape/journal"), journal.bytes);
	string_free(&journal);
	make_older(home("20200101-000003.bitscape"), (STORE_TIDY_DAYS + 1) * 24 * 3600);
	plant(pattern, "20200101-000004", STORE_TIDY_DAYS); // a person exported from it
	put(home("20200101-000004.bitscape/policy.json"), "{}");
	plant(pattern, "20200101-000005", STORE_TIDY_DAYS); // open
	int lock;
	long owner;
	assert_int_equal(folder_lock(home("20200101-000005.bitscape"), &lock, &owner), LOCK_TAKEN);
	plant(pattern, "20200101-000006-2", STORE_TIDY_DAYS);
	plant(pattern, "a-name", STORE_TIDY_DAYS);
	make_older(pattern, 365 * 24 * 3600);
	// One that died at once, and one that is being made just now.
	assert_true(folder_make(home("20200101-000007.bitscape"), true, &f));
	put(home("20200101-000007.bitscape/lock"), "1\n");
	make_older(home("20200101-000007.bitscape"), 24 * 3600);
	assert_true(folder_make(home("20200101-000008.bitscape"), true, &f));

	static const char *const gone[] = {"20200101-000001", "20200101-000006-2", "20200101-000007"};
	static const char *const stay[] = {"20200101-000002", "20200101-000003", "20200101-000004", "20200101-000005", "a-name",
		"pattern", "20200101-000008"};
	for (int really = 0; really < 2; really++) {
		assert_true(sessions_tidy(really, &told, &f));
		if (!really)
			assert_holds(&told, "20200101-000006-2: not touched for long");
		assert_holds(&told,
			really ? "2 unnamed sessions with nothing done by hand (2 older than 30 days" : "would be moved to ");
		assert_holds(&told,
			really ? "1 unnamed session whose process died at once removed" : "20200101-000007: its process died");
		for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
			snprintf(path, sizeof path, "%s.bitscape", home(gone[i]));
			assert_int_equal(there(path), !really);
		}
		for (size_t i = 0; i < sizeof stay / sizeof *stay; i++) {
			snprintf(path, sizeof path, "%s.bitscape", home(stay[i]));
			assert_true(there(path));
		}
		string_clear(&told);
	}
	// What went can be taken back for a while; then it goes for good. Nothing is said where nothing is done.
	assert_true(there(home("removed/20200101-000001.bitscape/manifest.json")));
	assert_true(sessions_tidy(true, &told, &f));
	assert_int_equal(told.length, 0);
	end(again(home("removed/20200101-000001.bitscape")));
	make_older(home("removed/20200101-000001.bitscape"), (STORE_REMOVED_DAYS + 1) * 24 * 3600);
	assert_true(sessions_tidy(true, &told, &f));
	assert_holds(&told, "1 session moved to ");
	assert_false(there(home("removed/20200101-000001.bitscape")));
	assert_true(there(home("removed/20200101-000006-2.bitscape")));
	string_clear(&told);
	close(lock);
	// And those beyond the newest ones, of which 20200101-000002 is the oldest; the one that was open is gone by its age.
	for (int i = 0; i < STORE_TIDY_KEPT; i++) {
		snprintf(title, sizeof title, "20210101-0000%02d", i);
		plant(pattern, title, 1);
	}
	assert_true(sessions_tidy(true, &told, &f));
	assert_holds(&told, "(1 older than 30 days, 1 beyond the newest 50)");
	assert_false(there(home("20200101-000002.bitscape")));
	assert_true(there(home("20210101-000000.bitscape")));
	string_free(&told);
}

// ---- two instances ----------------------------------------------------------------------------------------------------------

static void a_second_instance_follows(void **state)
{
	(void)state;
	struct fault f;
	struct session *owner = begin("twice");
	run(owner, 3);
	act(owner, "save");
	struct session *other = again("twice");
	assert_true(session_read_only(other));
	assert_true(said(other, "shown as it is saved there, step 3 now"));
	char *journal = get(home("twice.bitscape/journal"));
	// It runs nothing of its own, and changes nothing.
	static const char *const refused[] = {"run", "run 3", "step", "pin stem int8", "save", "undo", "note 'x'", "extend 10"};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_false(command(other, refused[i], &f));
		assert_says(&f, "reading only: another bitscape has it (process ");
		assert_says(&f, "leave it there, then open it here");
	}
	char *text = get(home("twice.bitscape/journal"));
	assert_string_equal(text, journal);
	free(text);
	free(journal);
	assert_int_equal(session_snapshot(other)->step, 3);

	// What the owner saves is shown, its changes and its history too.
	act(owner, "pin stem int8");
	run(owner, 4);
	act(owner, "save");
	while (session_snapshot(other)->step < 7)
		turn(other);
	session_turn(other);
	const struct journal_entry *entry;
	assert_int_equal(session_journal(other, &entry), 1);
	struct figure_source source;
	session_source(other, &source);
	assert_int_equal(source.records, 7);
	assert_int_equal(source.marks, 1);
	assert_int_not_equal(session_snapshot(other)->run, RUN_RUNNING);
	end(owner);
	while (!said(other, "has left twice at step 7"))
		turn(other);
	assert_false(command(other, "run", &f));
	end(other);
	owner = again("twice");
	assert_false(session_read_only(owner));
	end(owner);
}

// ---- a folder that goes away ------------------------------------------------------------------------------------------------

static void a_folder_goes_away(void **state)
{
	(void)state;
	struct fault f;
	// Moved, and moved back: what was done meanwhile gets there.
	struct session *s = begin("moving");
	run(s, 2);
	assert_int_equal(rename(home("moving.bitscape"), home("moved.bitscape")), 0);
	act(s, "pin stem int8");
	assert_true(said(s, "moved or deleted while the session was open"));
	assert_int_equal(rename(home("moved.bitscape"), home("moving.bitscape")), 0);
	act(s, "save");
	end(s);
	s = again("moving");
	assert_int_equal(s->journal.entries, 1);
	assert_int_equal(session_snapshot(s)->step, 2);

	// Another one is made in its place: nothing is written into that.
	assert_int_equal(rename(home("moving.bitscape"), home("moved.bitscape")), 0);
	struct session *other = begin("moving");
	run(other, 1);
	act(other, "save");
	char *manifest = get(home("moving.bitscape/manifest.json")), *journal = get(home("moving.bitscape/journal"));
	act(s, "unpin stem");
	run(s, 3);
	assert_false(command(s, "pin stem int4", &f)); // it could not be kept
	assert_says(&f, "changes are stopped");
	act(s, "save");
	assert_false(session_close(s, &f));
	assert_says(&f, "moved or deleted");
	char *manifest_now = get(home("moving.bitscape/manifest.json")), *journal_now = get(home("moving.bitscape/journal"));
	assert_string_equal(manifest_now, manifest);
	assert_string_equal(journal_now, journal);
	assert_false(there(home("moving.bitscape/checkpoint-5.safetensors")));
	free(manifest);
	free(journal);
	free(manifest_now);
	free(journal_now);
	end(other);

	// Deleted.
	s = begin("deleted");
	run(s, 2);
	assert_true(ground_clear(home("deleted.bitscape")));
	act(s, "pin stem int8");
	assert_true(said(s, "moved or deleted"));
	run(s, 2);
	assert_false(session_close(s, &f));
	assert_false(there(home("deleted.bitscape")));
	// An unnamed one with nothing in it.
	s = begin(NULL);
	assert_true(ground_clear(session_folder(s)));
	session_close(s, NULL);
}

// What is told at the end promises nothing that is not there.
static void leaving_promises_only_what_is_kept(void **state)
{
	(void)state;
	struct fault f;
	struct string told = {0};
	struct session *s = begin("gone");
	run(s, 2);
	assert_false(session_at_risk(s, &f));
	assert_int_equal(rename(home("gone.bitscape"), home("went.bitscape")), 0);
	assert_true(session_at_risk(s, &f)); // before anything was written in vain
	assert_says(&f, "moved or deleted");
	assert_false(session_leave(s, &told, &f));
	assert_holds(&told, "gone: step 2 of");
	assert_holds(&told, "is lost: its folder is no longer at ");
	assert_null(strstr(told.bytes, "goes on"));
	string_clear(&told);

	// As on a disk that is full: small files still fit.
	struct rlimit whole, small;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
	small = (struct rlimit){64, whole.rlim_max};
	s = begin("full");
	run(s, 2);
	act(s, "save");
	act(s, "pin stem int8");
	while (writer_busy(s->writer))
		turn(s);
	setrlimit(RLIMIT_FSIZE, &small);
	run(s, 3);
	act(s, "unpin stem");
	assert_true(session_at_risk(s, &f));
	assert_false(session_leave(s, &told, &f));
	assert_holds(&told, "full: step 5 of");
	assert_holds(&told, "\nwhat came after step 2 was not saved, and is lost\n`bitscape full` goes on with it\n");
	string_clear(&told);
	// It can be looked at, and is not changed.
	s = again("full");
	assert_true(session_read_only(s));
	assert_true(said(s, "full is open for reading only: its folder cannot be written (cannot write it: File too large)"));
	assert_int_equal(session_snapshot(s)->step, 2);
	assert_false(command(s, "pin stem int4", &f));
	assert_says(&f, "mend that, then open it again");
	assert_true(session_leave(s, &told, &f));
	assert_holds(&told, "`bitscape full` shows it again");
	setrlimit(RLIMIT_FSIZE, &whole);
	signal(SIGXFSZ, SIG_DFL);
	s = again("full");
	assert_false(session_read_only(s));
	assert_int_equal(s->journal.entries, 1);
	end(s);
	string_free(&told);
}

int main(void)
{
#define IN_ITS_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, clear_place)
	const struct CMUnitTest tests[] = {
		IN_ITS_PLACE(names_mean_one_thing),
		IN_ITS_PLACE(names_elsewhere),
		IN_ITS_PLACE(the_index_bears_damage),
		IN_ITS_PLACE(many_at_once),
		IN_ITS_PLACE(one_name_once),
		IN_ITS_PLACE(killed_in_its_first_moments),
		IN_ITS_PLACE(temporary_files_go),
		IN_ITS_PLACE(opened_without_a_checkpoint),
		IN_ITS_PLACE(the_first_checkpoint_comes_soon),
		IN_ITS_PLACE(what_is_untouched_is_not_kept),
		IN_ITS_PLACE(leaving_says_how_to_come_back),
		IN_ITS_PLACE(the_last_one_goes_on),
		IN_ITS_PLACE(sessions_are_listed),
		IN_ITS_PLACE(sessions_are_completed),
		IN_ITS_PLACE(unnamed_ones_are_tidied),
		IN_ITS_PLACE(a_second_instance_follows),
		IN_ITS_PLACE(a_folder_goes_away),
		IN_ITS_PLACE(leaving_promises_only_what_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
