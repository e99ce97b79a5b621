// SPDX-License-Identifier: GPL-3.0-or-later
// The ground floor: the one writer of files, and text from outside.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <dirent.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/pairing.h"
#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "engine/base/json.h"
#include "engine/base/term.h"
#include "engine/base/text.h"

static char place[128]; // a folder for one test

static int enter(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	snprintf(place, sizeof place, "%s/bitscape-base-XXXXXX", tmp ? tmp : "/tmp");
	return mkdtemp(place) && chdir(place) == 0 ? 0 : -1;
}

static int names(void)
{
	int count = 0;
	DIR *dir = opendir(".");
	for (struct dirent *d; (d = readdir(dir));)
		count += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return count;
}

static int leave(void **state)
{
	(void)state;
	char command[DISK_PATH];
	chmod(".", 0700);
	for (DIR *dir = opendir("."); dir; closedir(dir), dir = NULL)
		for (struct dirent *d; (d = readdir(dir));) {
			snprintf(command, sizeof command, "%s", d->d_name);
			if (unlink(command) != 0)
				rmdir(command);
		}
	return chdir("/") == 0 ? rmdir(place) : -1;
}

static void put(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void has(const char *path, const char *text)
{
	size_t size;
	struct fault f;
	char *bytes = disk_read(path, 1000, &size, &f);
	assert_non_null(bytes);
	assert_string_equal(bytes, text);
	free(bytes);
}

static void write_ok(const char *path, const char *text)
{
	struct fault f = {0};
	if (!disk_replace(path, text, strlen(text), &f))
		fail_msg("%s: %s", f.where, f.what);
}

static void refused(const char *path, const char *what, const char *todo)
{
	struct fault f = {0};
	int before = names();
	assert_false(disk_replace(path, "new", 3, &f));
	assert_string_equal(f.where, path);
	if (!strstr(f.what, what) || !strstr(f.todo, todo))
		fail_msg("%s; %s", f.what, f.todo);
	assert_int_equal(names(), before);
}

static void test_files_are_made_and_replaced(void **state)
{
	(void)state;
	write_ok("a", "one");
	has("a", "one");
	write_ok("./a", "two");
	has("a", "two");
	assert_int_equal(names(), 1);
}

static void test_the_mode_is_kept(void **state)
{
	(void)state;
	static const mode_t modes[] = {0600, 0640, 0755, 0666};
	put("a", "old");
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		struct stat st;
		chmod("a", modes[i]);
		write_ok("a", "new");
		assert_int_equal(stat("a", &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
	}
}

static void test_links_are_followed(void **state)
{
	(void)state;
	struct stat st;
	mkdir("sub", 0777);
	put("sub/file", "old");
	assert_int_equal(symlink("sub/file", "one") | symlink("one", "two") | symlink("sub/none", "dangling"), 0);
	write_ok("two", "new");
	has("sub/file", "new");
	write_ok("dangling", "made");
	has("sub/none", "made");
	assert_true(lstat("one", &st) == 0 && S_ISLNK(st.st_mode));
	assert_true(lstat("two", &st) == 0 && S_ISLNK(st.st_mode));
	assert_true(lstat("dangling", &st) == 0 && S_ISLNK(st.st_mode));
	assert_int_equal(symlink("loop", "loop"), 0);
	refused("loop", "symbolic links", "links lead");
	unlink("sub/file");
	unlink("sub/none");
}

static void *drain(void *path)
{
	static char got[64];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, got, sizeof got - 1);
	got[n > 0 ? n : 0] = 0;
	close(fd);
	return got;
}

static void test_what_is_no_regular_file_stays_what_it_is(void **state)
{
	(void)state;
	struct stat st;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	refused("fifo", "cannot write it", "reads from it");
	pthread_t reader;
	assert_int_equal(pthread_create(&reader, NULL, drain, "fifo"), 0);
	struct fault f = {0};
	while (!disk_replace("fifo", "through", 7, &f)) // until the reader is there
		usleep(1000);
	void *got;
	pthread_join(reader, &got);
	assert_string_equal(got, "through");
	assert_true(lstat("fifo", &st) == 0 && S_ISFIFO(st.st_mode));

	write_ok("/dev/null", "nothing");
	assert_true(lstat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	// A pipe that has a name only as what this process has open.
	int pipes[2];
	char link_name[64], text[16] = "";
	assert_int_equal(pipe(pipes), 0);
	snprintf(link_name, sizeof link_name, "/dev/fd/%d", pipes[1]);
	assert_true(disk_replace(link_name, "to a pipe", 9, &f));
	assert_int_equal(read(pipes[0], text, sizeof text - 1), 9);
	assert_string_equal(text, "to a pipe");
	close(pipes[0]);
	close(pipes[1]);
	refused("/dev/full", "No space", "free some space");
	assert_true(lstat("/dev/full", &st) == 0 && S_ISCHR(st.st_mode));

	mkdir("folder", 0777);
	refused("folder", "directory", "name a file in it");
	refused("folder/", "directory", "name a file in it");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	refused("socket", "socket", "another name");
	close(fd);
	assert_int_equal(names(), 3);
}

static void test_names_that_cannot_be(void **state)
{
	(void)state;
	char long_name[2 * DISK_PATH];
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = 0;
	struct fault f;
	assert_false(disk_replace(long_name, "", 0, &f));
	assert_string_equal(f.todo, "choose a shorter name");
	refused("", "", "check the name");
	refused("-", "not clear", "/dev/stdout");
	assert_null(disk_read("-", 1, &(size_t){0}, &f));
	refused("none/a", "No such file", "check the name");
	put("a", "old");
	refused("a/b", "Not a directory", "check the path");
	if (geteuid() != 0) {
		chmod("a", 0400);
		refused("a", "ermission", "permissions");
		has("a", "old");
	}
	long_name[250] = 0; // fits a folder, with little room for more
	write_ok(long_name, "long");
	has(long_name, "long");
}

static void test_what_is_dropped_leaves_nothing(void **state)
{
	(void)state;
	put("a", "old");
	struct disk_file file;
	struct fault f;
	assert_true(disk_begin(&file, "a", &f));
	assert_true(disk_write(file.fd, "new", 3));
	assert_int_equal(names(), 2);
	assert_false(disk_left_over(file.temporary + 2)); // its process lives
	disk_drop(&file);
	assert_int_equal(names(), 1);
	has("a", "old");
	assert_true(disk_left_over(".bitscape-2147483646-3.tmp"));
	assert_false(disk_left_over(".bitscape-2147483646-3.tmpx"));
	assert_false(disk_left_over("journal"));
}

static void test_lists(void **state)
{
	(void)state;
	const char *at = "int4,,int8,";
	char word[5];
	static const char *const words[] = {"int4", "", "int8", ""};
	for (size_t i = 0; i < 4; i++) {
		assert_true(list_next(&at, word, sizeof word));
		assert_string_equal(word, words[i]);
	}
	assert_false(list_next(&at, word, sizeof word));
}

static void test_the_nearest(void **state)
{
	(void)state;
	static const struct {
		const char *word, *best;
	} rows[] = {{"int9", NULL}, {"itn4", "int4"}, {"stme", "stem"}, {"int4", "int4"}, {"v5", "v5e"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct nearest n = nearest_to(rows[i].word);
		nearest_offer(&n, "int2");
		nearest_offer(&n, "int4");
		nearest_offer(&n, "int2");
		nearest_offer(&n, "stem");
		nearest_offer(&n, "v3");
		nearest_offer(&n, "v5e");
		nearest_offer(&n, "v4");
		if (rows[i].best)
			assert_string_equal(n.best, rows[i].best);
		else
			assert_null(n.best);
	}
}

static void test_json_files(void **state)
{
	(void)state;
	struct fault f;
	char word[16], bad[64];
	assert_true(json_file_write("a", json_pack("{s:s, s:i}", "name", "x\x1b[2J", "n", 3), 0, &f));
	json_t *root = json_file_read("a", 1000, "mend it", &f);
	assert_non_null(root);
	json_word(root, "name", word, sizeof word);
	assert_string_equal(word, "x?[2J");
	json_word(root, "none", word, sizeof word);
	assert_string_equal(word, "");
	json_decref(root);
	static const char *const files[] = {"{\n\"a\": 1,\n\"a\": 2}", "{\n\n", "", "[1,]"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		put("bad", files[i]);
		assert_null(json_file_read("bad", 1000, "mend it", &f));
		assert_string_equal(f.where, "bad");
		assert_string_equal(f.todo, "mend it");
		snprintf(bad, sizeof bad, "%.5s", f.what);
		assert_string_equal(bad, "line ");
	}
	assert_null(json_file_read("none", 1000, "mend it", &f));
	assert_false(json_file_write("a", NULL, 0, &f));
	assert_string_equal(f.what, "out of memory");
	has("a", "{\n  \"name\": \"x\\u001B[2J\",\n  \"n\": 3\n}");
}

static void test_foreign_text_is_cleaned(void **state)
{
	(void)state;
	static const struct {
		const char *dirty, *keep, *clean;
	} rows[] = {
		{"plain", "", "plain"},
		{"a\x1b[31mb\x07", "", "a?[31mb?"},
		{"caf\xc3\xa9 \xe2\x94\x80 \xf0\x9f\x98\x80", "", "caf\xc3\xa9 \xe2\x94\x80 \xf0\x9f\x98\x80"},
		{"c1 \xc2\x9b", "", "c1 ??"}, // CSI as one character
		{"\x9b"
		 "2J",
			"", "?2J"},                      // and as a byte
		{"\xc0\x9b \xe0\x80\x9b", "", "?? ???"}, // overlong
		{"\xed\xa0\x80 \xf4\x90\x80\x80", "", "??? ????"},
		{"cut \xe2\x94", "", "cut ??"},
		{"a\nb\tc\r", "\n", "a\nb?c?"},
		{"\x7f", "", "?"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[64];
		snprintf(text, sizeof text, "%s", rows[i].dirty);
		assert_string_equal(text_clean(text, rows[i].keep), rows[i].clean);
	}
}

// What a note holds: all behind the first word, as it stands.
static void test_text_that_is_kept_whole(void **state)
{
	(void)state;
	static const struct {
		const char *line, *text; // NULL: there is none
	} rows[] = {
		{"note a # b", "a # b"},
		{"  note\t#1 is it  ", "#1 is it"},
		{"note don't stop", "don't stop"},
		{"note \"open", "\"open"},
		{"note \"x # y\" z", "\"x # y\" z"},
		{"note \"a \\\" b\"", "a \" b"},
		{"note 'a  b'", "a  b"},
		{"note 'a' 'b'", "'a' 'b'"},
		{"note ''", ""},
		{"note '", "'"},
		{"note a'b c'", "a'b c'"},
		{"note", NULL},
		{"note  ", NULL},
		{"", NULL},
	};
	struct words w;
	struct fault f;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(words_text(&w, rows[i].line, &f));
		assert_int_equal(w.count, rows[i].text ? 2 : rows[i].line[0] ? 1 : 0);
		if (rows[i].text) {
			assert_string_equal(w.word[1], rows[i].text);
			struct string line = {0}; // quoted, it is the same again, split or whole
			string_add(&line, "note ");
			words_quote(&line, w.word[1]);
			struct words again, whole;
			assert_true(words_split(&again, line.bytes, &f) && words_text(&whole, line.bytes, &f));
			assert_int_equal(again.count, 2);
			assert_string_equal(again.word[1], rows[i].text);
			assert_string_equal(whole.word[1], rows[i].text);
			words_free(&again);
			words_free(&whole);
			string_free(&line);
		}
		words_free(&w);
	}
	assert_false(words_text(&w, "note a\x1b[31m", &f));
}

static void test_faults(void **state)
{
	(void)state;
	struct fault f;
	char line[600];
	assert_false(fault_memory(&f, "journal"));
	assert_string_equal(fault_line(&f, line, sizeof line),
		"journal: out of memory; close other programs, or choose a smaller network");
	fault_set(&f, "steps", "give a number", "is \x1b[2J");
	assert_false(fault_within(&f, "a/manifest.json", &f));
	assert_string_equal(fault_line(&f, line, sizeof line), "a/manifest.json: steps: is ?[2J; give a number");
	assert_false(fault_memory(NULL, "nowhere"));
	double before = clock_seconds();
	assert_true(clock_seconds() >= before);
}

static void test_prefixes(void **state)
{
	(void)state;
	static const struct {
		double size, from;
		int least, most;
		const char *prefix;
	} rows[] = {
		{0, 1, SI_ONE, SI_PETA, ""},
		{999, 1, SI_ONE, SI_PETA, ""},
		{1000, 1, SI_ONE, SI_PETA, "k"},
		{1e18, 1, SI_ONE, SI_PETA, "P"},
		{1e18, 1, SI_ONE, SI_EXA, "E"},
		{999.4, .9995, SI_ONE, SI_PETA, ""},
		{999.5, .9995, SI_ONE, SI_PETA, "k"},
		{.5, 1, SI_ONE, SI_PETA, ""},
		{.5, 1, SI_PICO, SI_PETA, "m"},
		{2e-6, 1, SI_NANO, SI_PETA, "u"},
		{1e-30, 1, SI_PICO, SI_PETA, "p"},
		{INFINITY, 1, SI_PICO, SI_TERA, "T"},
		{NAN, 1, SI_PICO, SI_TERA, "p"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(si_prefix(si_power(rows[i].size, rows[i].from, rows[i].least, rows[i].most)), rows[i].prefix);
	assert_true(si_factor(SI_MICRO) == 1e-6 && si_factor(SI_ONE) == 1 && si_factor(SI_EXA) == 1e18);
}

static void test_terms_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int id; // -1: refused
		const char *device, *table;
	} rows[] = {
		{"bops", TERM_BOPS, NULL, NULL},
		{"bops-linear", TERM_BOPS_LINEAR, NULL, NULL},
		{"size", TERM_SIZE, NULL, NULL},
		{"latency", TERM_LATENCY, NULL, NULL},
		{"latency@tpu_v4", TERM_LATENCY, "tpu_v4", NULL},
		{"latency@", TERM_LATENCY, "", NULL},
		{"latency@table:hawq", TERM_LATENCY, "table:hawq", "hawq"},
		{"energy@a@b.json", TERM_ENERGY, "a@b.json", NULL},
		{"bops@tpu_v4", -1, NULL, NULL},
		{"size@", -1, NULL, NULL},
		{"bop", -1, NULL, NULL},
		{"bops ", -1, NULL, NULL},
		{"latencyy@a100", -1, NULL, NULL},
		{"LATENCY", -1, NULL, NULL},
		{"", -1, NULL, NULL},
		{"@", -1, NULL, NULL},
	};
	char text[128];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct term_name name;
		assert_int_equal(term_read(rows[i].text, &name), rows[i].id >= 0);
		if (rows[i].id < 0)
			continue;
		assert_int_equal(name.kind->id, rows[i].id);
		assert_true(!name.device == !rows[i].device);
		if (!name.device)
			continue;
		assert_string_equal(name.device, rows[i].device);
		assert_true(!term_table(name.device) == !rows[i].table);
		if (rows[i].table)
			assert_string_equal(term_table(name.device), rows[i].table);
		assert_true(term_write(name.kind->id, name.device, text, sizeof text)); // and back
		assert_string_equal(text, rows[i].text);
	}
	assert_false(term_write(TERM_LATENCY, "tpu_v4", text, sizeof "latency@tpu_v4" - 1));
	assert_string_equal(term_advice(SUBJECT_NETWORK, true, text, sizeof text),
		"choose one of bops, bops-linear, size, activations, latency, energy, latency@DEVICE, energy@DEVICE");
	assert_string_equal(term_advice(SUBJECT_NETWORK, false, text, sizeof text),
		"choose one of bops, bops-linear, size, activations, latency@DEVICE, energy@DEVICE");
	term_advice(SUBJECT_NETWORK, true, text, 20);
	assert_true(strlen(text) < 20);
}

static bool close_to(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

// Against the odds of so many heads in so many tosses, worked out by hand.
static void pairings(void **context)
{
	(void)context;
	const uint8_t a[] = {1, 1, 1, 1, 1, 0, 0, 0, 0, 1}, b[] = {1, 1, 0, 0, 0, 0, 0, 0, 1, 0};
	struct pairing p = pairing_of(a, b, 10);
	assert_true(p.both == 2 && p.first == 4 && p.second == 1 && p.neither == 3);
	assert_true(close_to(p.ahead, -0.3) && close_to(p.error, sqrt((0.5 - 0.09) / 10)));
	assert_true(close_to(p.chance, 2 * (1 + 5) / 32.0));
	struct pairing back = pairing_of(b, a, 10);
	assert_true(back.first == 1 && back.second == 4 && close_to(back.ahead, 0.3) && close_to(back.chance, p.chance));
	assert_true(close_to(pairing_of(a, a, 10).chance, 1) && close_to(pairing_of(a, a, 10).ahead, 0));
	assert_true(close_to(pairing_of(a, b + 8, 2).chance, 1)); // one each: no more than certain
	uint8_t none[3000] = {0}, some[3000] = {0};
	for (int i = 0; i < 1100; i++)
		none[i] = i < 500;
	for (int i = 500; i < 1100; i++)
		some[i] = 1;
	p = pairing_of(none, some, 3000); // 500 against 600: z = 3.02
	assert_true(p.first == 500 && p.second == 600 && p.chance > 0.0026 && p.chance < 0.0031);
	assert_true(pairing_of(none, some, 0).chance == 1);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(test_files_are_made_and_replaced),
		IN_A_FOLDER(test_the_mode_is_kept),
		IN_A_FOLDER(test_links_are_followed),
		IN_A_FOLDER(test_what_is_no_regular_file_stays_what_it_is),
		IN_A_FOLDER(test_names_that_cannot_be),
		IN_A_FOLDER(test_what_is_dropped_leaves_nothing),
		IN_A_FOLDER(test_json_files),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_the_nearest),
		cmocka_unit_test(test_foreign_text_is_cleaned),
		cmocka_unit_test(test_text_that_is_kept_whole),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_terms_by_name),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(pairings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
