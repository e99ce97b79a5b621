// SPDX-License-Identifier: GPL-3.0-or-later
// The sessions: the command language, journal, checkpoints, manifest, lock and writer by themselves; then whole sessions
// around a small search: undo, save and open, what a crash leaves, damage, replay, batch runs.
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "sessions/store/changes.h"
#include "sessions/store/checkpoint.h"
#include "sessions/core/inside.h"
#include "sessions/store/manifest.h"
#include "tests/sealed.h"
#include "tests/workplace.h"

// ---- words and numbers -----------------------------------------------------------------------------------------------

static void splits(void **state)
{
	(void)state;
	struct words w;
	struct fault f;
	assert_true(words_split(&w, "  pin 'a b'  \"c \\\" d\" e#f '' # rest", &f));
	assert_int_equal(w.count, 5);
	assert_string_equal(w.word[1], "a b");
	assert_string_equal(w.word[2], "c \" d");
	assert_string_equal(w.word[3], "e#f");
	assert_string_equal(w.word[4], "");
	assert_null(w.word[5]);
	assert_string_equal(w.comment, " rest");
	words_free(&w);
	assert_true(words_split(&w, "", &f));
	assert_int_equal(w.count, 0);
	words_free(&w);
	assert_false(words_split(&w, "note 'open", &f));
	assert_says(&f, "quote");
	assert_false(words_split(&w, "a\033b", &f));
	assert_says(&f, "control character at byte 2");

	char *line = malloc(WORDS_LINE + 1);
	memset(line, 'x', WORDS_LINE);
	line[WORDS_LINE] = '\0';
	assert_false(words_split(&w, line, &f));
	for (int i = 1; i < WORDS_LINE - 1; i += 2)
		line[i] = ' ';
	line[WORDS_LINE - 1] = '\0';
	assert_false(words_split(&w, line, &f));
	assert_says(&f, "more than");
	free(line);
}

static void quotes_come_back(void **state)
{
	(void)state;
	static const char *const words[] = {"", "plain", "two words", "#x", "a\"b", "a'b c", "back\\slash \"q\"", "x#y", "\\"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct string t = {0};
		struct words w;
		words_quote(&t, words[i]);
		assert_true(words_split(&w, t.bytes, NULL));
		assert_int_equal(w.count, 1);
		assert_string_equal(w.word[0], words[i]);
		words_free(&w);
		string_free(&t);
	}
}

static void numbers(void **state)
{
	(void)state;
	double v;
	long n;
	char buf[64];
	assert_true(number_read("1.5k", &v) && v == 1500);
	assert_true(number_read("-2e3", &v) && v == -2000);
	assert_true(number_read("71%", &v) && v == 0.71);
	static const char *const bad[] = {"", "x", "1.2.3", "nan", "inf", "0x10", "1e999", "1kk", " 1", "1 ", "k"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(number_read(bad[i], &v));
	assert_true(number_read_long("12", 0, 100, &n) && n == 12);
	assert_false(number_read_long("101", 0, 100, &n));
	assert_false(number_read_long("99999999999999999999", 0, LONG_MAX, &n));
	assert_false(number_read_long("1x", 0, 100, &n));
	assert_string_equal(number_write(201326592, "bit ops", buf, sizeof buf), "201.3 M bit ops");
	assert_string_equal(number_write(78300, "B", buf, sizeof buf), "78.3 kB");
	assert_string_equal(number_write(512, "B", buf, sizeof buf), "512 B");
}

static void nearest_names(void **state)
{
	(void)state;
	struct nearest n = nearest_to("evalaute");
	nearest_offer(&n, "expect");
	nearest_offer(&n, "evaluate");
	assert_string_equal(n.best, "evaluate");
	n = nearest_to("zzz");
	nearest_offer(&n, "evaluate");
	assert_null(n.best);
}

// ---- changes -------------------------------------------------------------------------------------------------------

static void changes_come_back(void **state)
{
	(void)state;
	static const struct {
		const char *typed, *written, *told;
	} cases[] = {
		{"pin stem int8", "pin stem int8", "stem is pinned to int8"},
		{"pin a int8 b int4", "pin a int8 b int4", "a is pinned to int8, b is pinned to int4"},
		{"restrict stem int8", "pin stem int8", "stem is pinned to int8"},
		{"restrict s*.conv1 int4,int8", "restrict s*.conv1 int4,int8", "s*.conv1 is restricted to int4,int8"},
		{"restrict a all b int4", "restrict a all b int4", "a is free again, b is pinned to int4"},
		{"unpin a b", "unpin a b", "a is free again, b is free again"},
		{"weight bops 0.5", "weight bops 0.5", "the weight of bops is 0.5"},
		{"target bops 0.5x # half", "target bops 0.5x", "the target of bops is 0.5x"},
		{"target bops \"\"", "target bops \"\"", "bops has no target"},
		{"reward relu", "reward relu", "reward is relu"},
		{"set reward relu", "reward relu", "reward is relu"},
		{"set policy-rate 0.1 entropy 0", "set policy-rate 0.1 entropy 0", "policy-rate is 0.1, entropy is 0"},
		{"decide split", "decide split", "decide is split"},
		{"set decide tied", "decide tied", "decide is tied"},
		{"group s2* as stage2", "group s2* as stage2", "stage2: all of s2* are decided as one"},
		{"group 'a b*' as x c as y", "group \"a b*\" as x c as y",
			"x: all of a b* are decided as one, y: all of c are decided as one"},
		{"ungroup x y", "ungroup x y", "x: each is decided by itself again, y: each is decided by itself again"},
		{"pin stem.w int8 stem.a int4", "pin stem.w int8 stem.a int4",
			"stem.w is pinned to int8, stem.a is pinned to int4"},
		{"extend 200", "extend 200", "the horizon is 200 steps further"},
		{"lane 2 target bops 0.5x", "lane 2 target bops 0.5x", "in lane 2: the target of bops is 0.5x"},
		{"lane 1 target bops 0.5x", "target bops 0.5x",
			"the target of bops is 0.5x"}, // as it was before there were lanes
		{"lane 1 pin stem int8", "lane 1 pin stem int8", "in lane 1: stem is pinned to int8"}, // not in the others
		{"lane 3 unpin stem", "lane 3 unpin stem", "in lane 3: stem is free again"},
		{"lane 2 set weight.bops 3", "lane 2 set weight.bops 3", "in lane 2: weight.bops is 3"},
		{"lane add bops 0.5x", "lane add bops 0.5x", "a lane begins with bops at 0.5x"},
		{"lane 2 lane add bops 0.5x size int4", "lane 2 lane add bops 0.5x size int4",
			"from lane 2: a lane begins with bops at 0.5x, a lane begins with size at int4"},
		{"lane drop 12", "lane drop 12", "lane 12 is dropped"},
		{"lane back 12", "lane back 12", "lane 12 goes on as it was"},
		{"extend 200 rate=0.01", "extend 200 rate=0.01",
			"the horizon is 200 steps further, the learning rate falls from 0.01"},
		{"extend -200 rate=0.1 from=0", "extend -200 rate=0.1 from=0",
			"the horizon is 200 steps nearer, the learning rate falls from 0.1"},
		{"pin a int8 b int8 c int8 d int8 e int8", "pin a int8 b int8 c int8 d int8 e int8",
			"a is pinned to int8, b is pinned to int8, c is pinned to int8 and 2 more"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct change c, again;
		struct fault f;
		struct string written = {0}, told = {0};
		assert_true(change_read(cases[i].typed, &c, &f));
		change_write(&written, &c);
		change_tell(&told, &c);
		assert_string_equal(written.bytes, cases[i].written);
		assert_string_equal(told.bytes, cases[i].told);
		assert_true(change_read(written.bytes, &again, &f));
		assert_int_equal(again.kind, c.kind);
		assert_int_equal(again.items, c.items);
		assert_true(again.lane == c.lane || (again.lane == 0 && c.lane == 1 && change_of_lane(&c)));
		assert_memory_equal(again.item, c.item, (size_t)c.items * sizeof *c.item);
		free(c.item);
		free(again.item);
		string_free(&written);
		string_free(&told);
	}
	static const char *const bad[] = {"", "run 10", "pin", "pin stem", "pin stem int4,int8", "pin stem all", "extend 1 2",
		"extend", "extend 1 rate", "lane", "lane add", "lane add bops", "lane drop", "lane drop 1 2", "lane 2",
		"lane 2 run", "lane 0 target bops 0.5x", "lane 2 lane 3 pin stem int8", "lane list", "lane focus 2", "reward",
		"weight bops 1 size", "undo", "decide", "decide split tied", "group s2*", "group s2* stage2",
		"group s2* at stage2", "group s2* as", "group \"\" as x", "group s2* as x s3*", "ungroup"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct change c;
		assert_false(change_read(bad[i], &c, NULL));
		assert_null(c.item);
	}
}

// ---- the table -----------------------------------------------------------------------------------------------------

static char said[4096];

__attribute__((format(printf, 2, 3))) static void take_said(struct command_call *call, const char *format, ...)
{
	va_list args;
	(void)call;
	va_start(args, format);
	size_t n = strlen(said);
	vsnprintf(said + n, sizeof said - n, format, args);
	va_end(args);
}

static bool run_join(struct command_call *call)
{
	for (int i = 0; i < call->argc; i++)
		call->say(call, "%s|", call->argv[i]);
	return call->argc < 3 || fault_set(&call->fault, "join", "", "too much");
}

static const struct command join_rows[] = {
	{"join", COMMAND_QUERY, 1, 3, {ARGUMENT_TEXT, ARGUMENT_WORDS}, 1, "- red|green", "A [B]", "joins", run_join},
	{"nothing", COMMAND_QUERY, 0, 0, {ARGUMENT_NONE}, 0, NULL, "", "takes nothing", run_join},
};
static const struct command_group join_group[] = {{"Joining", join_rows, 2, NULL}};
static const struct command_table join_table = {.group = join_group, .groups = 1};

static bool run_joined(const char *line, struct fault *f)
{
	said[0] = '\0';
	return command_run(&join_table, line, take_said, NULL, f);
}

static void commands_are_checked(void **state)
{
	(void)state;
	struct fault f;
	assert_true(run_joined("join 'a b' c # d", &f));
	assert_string_equal(said, "a b|c|");
	assert_true(run_joined("   # only a comment", &f));
	assert_false(run_joined("jion a", &f));
	assert_says(&f, "did you mean 'join'?");
	assert_false(run_joined("join", &f));
	assert_says(&f, "usage: join A [B]");
	assert_false(run_joined("join a b c d", &f));
	assert_says(&f, "at most 3");
	assert_false(run_joined("nothing at all", &f));
	assert_says(&f, "no arguments");
	assert_false(run_joined("join a b c", &f));
	assert_says(&f, "too much");
}

static void assert_completes(const struct command_table *table, struct session *s, const char *line, size_t begins,
	const char *expected)
{
	size_t start;
	char joined[4096] = "";
	char **words = command_complete(table, s, line, strlen(line), &start);
	for (char **w = words; w && *w; w++) {
		size_t n = strlen(joined);
		snprintf(joined + n, sizeof joined - n, "%s%s", n ? " " : "", *w);
		free(*w);
	}
	free(words);
	assert_string_equal(joined, expected);
	assert_int_equal(start, begins);
}

static void words_complete(void **state)
{
	(void)state;
	assert_completes(&join_table, NULL, "", 0, "join nothing");
	assert_completes(&join_table, NULL, "  no", 2, "nothing");
	assert_completes(&join_table, NULL, "join x ", 7, "red green");
	assert_completes(&join_table, NULL, "join x r", 7, "red");
	assert_completes(&join_table, NULL, "join x red g", 11, "green");
	assert_completes(&join_table, NULL, "join x red green ", 17, "");
	assert_completes(&join_table, NULL, "nothing ", 8, "");
	assert_completes(&join_table, NULL, "unheard ", 8, "");
	assert_completes(&join_table, NULL, "join 'x", 6, "");
}

// ---- the journal ---------------------------------------------------------------------------------------------------

static bool load(const char *text, size_t size, struct journal *j, struct journal_reading *r, struct fault *f)
{
	put("j", text, size);
	return journal_load(j, "j", r, f);
}

static const char good_journal[] = "0 target bops int4\n"
				   "10 note \"a # in a note\" # and a comment\n"
				   "12 pin stem int8 # back unpin stem\n"
				   "20 weight bops 0.5 # back weight bops 1\n"
				   "# kernels 20 avx2\n"
				   "30 weight bops 1 # undo 4 back weight bops 0.5\n"
				   "# digest 40 0123abcd\n"
				   "40 weight bops 0.5 # redo 4 back weight bops 1\n";

static void journal_loads(void **state)
{
	(void)state;
	struct journal j;
	struct fault f;
	struct journal_reading r;
	struct string text = {0};
	seal(&text, SEALED_SESSION, good_journal);
	assert_true(load(text.bytes, text.length, &j, &r, &f));
	assert_false(r.torn || r.broken);
	assert_string_equal(j.session, SEALED_SESSION);
	assert_int_equal(j.end.bytes, text.length);
	assert_int_equal(j.lines, 8);
	assert_int_equal(j.entries, 6);
	assert_string_equal(j.entry[2].text, "pin stem int8");
	assert_false(j.entry[3].undone);
	assert_int_equal(journal_undoable(&j), 4);
	assert_int_equal(journal_redoable(&j), 0);
	assert_int_equal(j.last_step, 40);
	assert_null(journal_kernels(&j, 4));
	assert_string_equal(journal_kernels(&j, 8), "avx2");

	// Written again, it loads the same.
	struct string t = {0};
	struct journal written, again;
	journal_begin(&written, SEALED_SESSION, &t);
	for (int i = 0; i < j.lines; i++)
		assert_true(journal_add(&written, &j.line[i], &t, &f));
	assert_true(load(t.bytes, t.length, &again, &r, &f));
	assert_int_equal(again.lines, j.lines);
	assert_int_equal(journal_crc(&again), journal_crc(&j));
	assert_string_equal(again.line[7].back, "weight bops 1");
	for (int i = 0; i < j.lines; i++) // each has its place
		assert_int_equal(journal_at(&j, &again.line[i].end) == i + 1, i < 1);
	journal_free(&written);
	journal_free(&again);
	journal_free(&j);
	string_free(&t);
	string_free(&text);
}

static void journal_torn_anywhere(void **state)
{
	(void)state;
	// A file cut at any byte: its whole lines load, and half a line is left out and said.
	struct string text = {0};
	struct journal j;
	struct journal_reading r;
	journal_begin(&j, SEALED_SESSION, &text);
	size_t first = text.length;
	string_free(&text);
	seal(&text, SEALED_SESSION, good_journal);
	for (size_t n = first; n <= text.length; n++) {
		assert_true(load(text.bytes, n, &j, &r, NULL));
		assert_int_equal(r.torn, text.bytes[n - 1] != '\n');
		assert_false(r.broken);
		journal_free(&j);
	}
	string_free(&text);
}

static void journal_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"12", "expected 'STEP COMMAND'"},
		{"x pin stem int8", "expected 'STEP COMMAND'"},
		{"-1 pin stem int8", "expected 'STEP COMMAND'"},
		{"99999999999999999999 pin stem int8", "expected 'STEP COMMAND'"},
		{"12 run 5", "expected one of"},
		{"12 pin stem", "has no value"},
		{"12 pin stem int8 # undo 9", "no entry 9 to undo"},
		{"12 pin stem int8 # undo", "expected 'undo N'"},
		{"12 pin stem int8 # undo 1x", "expected 'undo N'"},
		{"12 pin stem int8 # hello", "expected 'undo N'"},
		{"12 pin stem int8 # back run", "expected one of"},
		{"12 pin stem 'int8", "quote"},
		{"# digest 5", "expected '# digest STEP HEX'"},
		{"# digest 5 XYZ", "expected '# digest STEP HEX'"},
		{"3 pin stem int8", "comes after step 5"},
		{"12 pin stem \001", "control character"},
		{"# kernels 5", "expected '# kernels STEP NAME'"},
		{"# parent 5 0123456789abcdef xyz", "expected '# parent STEP SESSION DIGEST'"},
		{"# an idle word", "expected digest, kernels, parent, answer, rewind or foretold"},
		{"", "expected 'STEP COMMAND'"},
	};
	struct journal j;
	struct fault f;
	struct journal_reading r;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char lines[512];
		struct string text = {0};
		snprintf(lines, sizeof lines, "5 pin stem int8\n%s\n6 unpin stem\n", cases[i].line);
		seal(&text, SEALED_SESSION, lines);
		assert_true(load(text.bytes, text.length, &j, &r, &f));
		assert_true(r.broken);
		assert_says(&r.fault, "j:3");
		assert_says(&r.fault, cases[i].says);
		assert_int_equal(j.lines, 1);
		journal_free(&j);
		string_free(&text);
	}
	assert_false(load("", 0, &j, &r, &f));
	assert_says(&f, "# bitscape journal 2");
	assert_false(load("hello\n", 6, &j, &r, &f));
	static const char older[] = "# bitscape journal 1\n1 unpin a\n", newer[] = "# bitscape journal 3 " SEALED_SESSION "\n";
	assert_false(load(older, sizeof older - 1, &j, &r, &f));
	assert_says(&f, "an older bitscape");
	assert_false(load(newer, sizeof newer - 1, &j, &r, &f));
	assert_says(&f, "a newer bitscape");

	struct string huge = {0}, text = {0};
	string_add(&huge, "1 note ");
	for (int i = 0; i < WORDS_LINE; i++)
		string_add(&huge, "x");
	string_add(&huge, "\n");
	seal(&text, SEALED_SESSION, huge.bytes);
	assert_true(load(text.bytes, text.length, &j, &r, &f));
	assert_true(r.broken);
	assert_says(&r.fault, "j:2");
	assert_says(&r.fault, "longer than");
	journal_free(&j);
	string_free(&huge);
	string_free(&text);
}

static void add(struct journal *j, enum journal_act act, int of, bool back)
{
	char text[] = "weight bops 1", other[] = "weight bops 2";
	const struct journal_line line = {
		.kind = JOURNAL_CHANGE, .step = 1, .text = text, .act = act, .of = of, .back = back ? other : NULL};
	assert_true(journal_add(j, &line, NULL, NULL));
}

static void undo_is_a_stack(void **state)
{
	(void)state;
	struct journal j;
	journal_begin(&j, SEALED_SESSION, NULL);
	assert_int_equal(journal_undoable(&j), 0);
	add(&j, ACT_DO, 0, true);  // 1
	add(&j, ACT_DO, 0, false); // 2: nothing takes it back
	add(&j, ACT_DO, 0, true);  // 3
	assert_int_equal(journal_undoable(&j), 3);
	add(&j, ACT_UNDO, 3, true);
	assert_true(j.entry[2].undone);
	assert_int_equal(journal_undoable(&j), 1);
	assert_int_equal(journal_redoable(&j), 3);
	add(&j, ACT_UNDO, 1, true);
	assert_int_equal(journal_undoable(&j), 0);
	assert_int_equal(journal_redoable(&j), 1);
	add(&j, ACT_REDO, 1, true);
	assert_int_equal(journal_redoable(&j), 3);
	assert_int_equal(journal_undoable(&j), 1);
	add(&j, ACT_DO, 0, true); // 7: buries 3
	assert_int_equal(journal_redoable(&j), 0);
	assert_int_equal(journal_undoable(&j), 7);
	add(&j, ACT_UNDO, 7, true);
	assert_int_equal(journal_undoable(&j), 1);
	assert_int_equal(journal_redoable(&j), 7);
	const struct journal_line twice = {.step = 1, .text = j.line[0].text, .act = ACT_UNDO, .of = 7};
	assert_false(journal_add(&j, &twice, NULL, NULL));
	journal_free(&j);
}

// ---- checkpoints -----------------------------------------------------------------------------------------------------

static struct state *small_state(void)
{
	static const float weights[6] = {1, -2, 3.5f, 0, 1e-30f, -0.0f};
	static const int64_t steps[2] = {412, -1};
	static const uint8_t bytes[3] = {0, 127, 255};
	static const struct state_tensor tensors[] = {
		{"bytes", STATE_U8, 1, {3}, NULL, 3},
		{"net.weights", STATE_F32, 2, {2, 3}, NULL, 24},
		{"steps", STATE_I64, 1, {2}, NULL, 16},
		{"nothing", STATE_F32, 2, {0, 5}, NULL, 0},
		{"one", STATE_F32, 0, {0}, NULL, 4},
	};
	static const void *const data[] = {bytes, weights, steps, weights, weights};
	struct state *s = calloc(1, sizeof *s);
	s->tensors = 5;
	s->tensor = malloc(sizeof tensors);
	memcpy(s->tensor, tensors, sizeof tensors);
	for (int i = 0; i < s->tensors; i++) {
		s->tensor[i].data = malloc(tensors[i].bytes + 1);
		memcpy(s->tensor[i].data, data[i], tensors[i].bytes);
	}
	s->texts = 2;
	s->text = calloc(2, sizeof *s->text);
	snprintf(s->text[0].name, sizeof s->text[0].name, "digest");
	snprintf(s->text[0].value, sizeof s->text[0].value, "abc \"quoted\" é");
	snprintf(s->text[1].name, sizeof s->text[1].name, "empty");
	return s;
}

static const struct state_tensor *tensor_named(const struct state *s, const char *name)
{
	for (int i = 0; i < s->tensors; i++)
		if (strcmp(s->tensor[i].name, name) == 0)
			return &s->tensor[i];
	return NULL;
}

static void checkpoint_comes_back(void **state)
{
	(void)state;
	struct checkpoint c = {SEALED_SESSION, 412, {1234, 0xfedcba98}, small_state()}, back;
	struct fault f;
	assert_true(checkpoint_write(".", &c, &f));
	assert_true(checkpoint_read("checkpoint-412.safetensors", &back, &f));
	assert_int_equal(back.step, 412);
	assert_string_equal(back.session, SEALED_SESSION);
	assert_int_equal(back.place.bytes, 1234);
	assert_int_equal(back.place.sum, 0xfedcba98);
	assert_int_equal(back.state->tensors, c.state->tensors);
	for (int i = 0; i < c.state->tensors; i++) {
		const struct state_tensor *was = &c.state->tensor[i], *is = tensor_named(back.state, was->name);
		assert_non_null(is);
		assert_int_equal(is->type, was->type);
		assert_int_equal(is->rank, was->rank);
		assert_memory_equal(is->shape, was->shape, (size_t)was->rank * sizeof *was->shape);
		assert_int_equal(is->bytes, was->bytes);
		assert_memory_equal(is->data, was->data, was->bytes);
	}
	assert_string_equal(state_get(back.state, "digest"), "abc \"quoted\" é");
	assert_string_equal(state_get(back.state, "empty"), "");
	// Written again, the same bytes.
	size_t n, m;
	char *first = get("checkpoint-412.safetensors", &n);
	state_free(back.state);
	assert_true(checkpoint_write(".", &c, &f));
	char *second = get("checkpoint-412.safetensors", &m);
	assert_int_equal(n, m);
	assert_memory_equal(first, second, n);
	free(first);
	free(second);
	state_free(c.state);
}

static void checkpoint_damage_is_seen(void **state)
{
	(void)state;
	struct checkpoint c = {SEALED_SESSION, 5, {0, 0}, small_state()}, back;
	struct fault f;
	assert_true(checkpoint_write(".", &c, &f));
	size_t n;
	char *bytes = get("checkpoint-5.safetensors", &n);
	int fd = open("damaged", O_RDWR | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n);
	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			char byte = (char)(bytes[i] ^ (1 << bit));
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
			assert_false(checkpoint_read("damaged", &back, &f));
			assert_null(back.state);
			assert_says(&f, "damaged");
			assert_int_equal(pwrite(fd, &bytes[i], 1, (off_t)i), 1);
		}
	assert_true(checkpoint_read("damaged", &back, &f));
	state_free(back.state);
	for (size_t i = n; i-- > 0;) {
		assert_int_equal(ftruncate(fd, (off_t)i), 0);
		assert_false(checkpoint_read("damaged", &back, &f));
	}
	close(fd);
	free(bytes);
	state_free(c.state);
	assert_false(checkpoint_read("not-there", &back, &f));
	assert_says(&f, "not-there");
	assert_false(checkpoint_read(".", &back, &f));
}

// A file with this header, so many bytes of data, and a checksum that fits.
static void forge(const char *header, size_t data)
{
	size_t n = strlen(header), size = 8 + n + data;
	unsigned char *bytes = calloc(size, 1);
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(n >> (8 * i));
	memcpy(bytes + 8, header, n);
	unsigned long crc = crc32_z(0, bytes, size - 4);
	for (int i = 0; i < 4; i++)
		bytes[size - 4 + (size_t)i] = (unsigned char)(crc >> (8 * i));
	put("forged", bytes, size);
	free(bytes);
}

#define META                                                                                                                     \
	"\"__metadata__\":{\"session.version\":\"2\",\"session.id\":\"" SEALED_SESSION "\",\"session.step\":\"5\","              \
	"\"session.journal.bytes\":\"0\",\"session.journal.sum\":\"0\"}"
#define SUM(from, to) "\"checksum\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" from "," to "]}"

static void checkpoint_lies_are_refused(void **state)
{
	(void)state;
	struct checkpoint c;
	struct fault f;
	forge("{" META "," SUM("0", "4") "}", 4);
	assert_true(checkpoint_read("forged", &c, &f));
	state_free(c.state);
	static const struct {
		const char *header;
		size_t data;
		const char *says;
	} lies[] = {
		{"{" META "}", 4, "arrays"},
		{"{" META "," SUM("0", "4") "}", 8, "arrays"},
		{"{" META "," SUM("4", "8") "}", 8, "arrays"},
		{"{" META "," SUM("0", "400000000000") "}", 4, "arrays"},
		{"{" META "," SUM("-4", "0") "}", 4, "arrays"},
		{"{" META ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}," SUM("8", "12") "}", 12, "arrays"},
		{"{" META
		 ",\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}," SUM("0", "4") "}",
			4, "arrays"},
		{"{" META
		 ",\"a\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,4],\"data_offsets\":[0,4]}," SUM("4", "8") "}",
			8, "arrays"},
		{"{" META ",\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}," SUM("4", "8") "}", 8, "arrays"},
		{"{" META ",\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}," SUM("4", "8") "}", 8,
			"arrays"},
		{"{" META ",\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}," SUM("8", "12") "}", 12, "arrays"},
		{"{" META ",\"a\":7," SUM("0", "4") "}", 4, "arrays"},
		{"{" META "," SUM("0", "4") ",\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[4,4]}}", 4, "arrays"},
		{"{" META "," SUM("0", "4") "," SUM("0", "4") "}", 4, "header"},
		{"[1]", 4, "header"},
		{"{\"__metadata__\":7}", 4, "header"},
		{"{\"__metadata__\":{\"x\":7}}", 4, "header"},
		{"not json", 4, "header"},
		{"{" SUM("0", "4") "}", 4, "header"},
		{"{\"__metadata__\":{\"format\":\"pt\"}," SUM("0", "4") "}", 4, "not a checkpoint of bitscape"},
		{"{\"__metadata__\":{\"session.version\":\"3\"}," SUM("0", "4") "}", 4, "newer bitscape"},
		{"{\"__metadata__\":{\"session.version\":\"1\"}," SUM("0", "4") "}", 4, "older bitscape"},
		{"{\"__metadata__\":{\"session.version\":\"2\"}," SUM("0", "4") "}", 4, "step"},
	};
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		forge(lies[i].header, lies[i].data);
		assert_false(checkpoint_read("forged", &c, &f));
		assert_says(&f, lies[i].says);
		assert_null(c.state);
	}
	// A header said to be longer than the file.
	unsigned char bytes[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
	unsigned long crc = crc32_z(0, bytes, 12);
	for (int i = 0; i < 4; i++)
		bytes[12 + i] = (unsigned char)(crc >> (8 * i));
	put("forged", bytes, sizeof bytes);
	assert_false(checkpoint_read("forged", &c, &f));
	assert_says(&f, "longer than the file");
}

// ---- manifest, folders, the writer -------------------------------------------------------------------------------------

static void collect_setting(const char *name, const char *value, void *t)
{
	string_add(t, "%s=%s\n", name, value);
}

static void manifest_comes_back(void **state)
{
	(void)state;
	struct fault f;
	struct manifest manifest;
	struct config *config = config_new();
	assert_true(folder_make("m", true, &f));
	assert_true(config_set(config, "steps", "77", &f));
	assert_true(config_set(config, "weight.size", "0.25", &f));
	const struct manifest was_manifest = {.session = SEALED_SESSION,
		.kernels = "avx2",
		.closed = true,
		.parent = "fedcba9876543210",
		.parent_step = 12,
		.parent_digest = "abc"};
	assert_true(manifest_write("m", config, &was_manifest, &f));
	struct config *back = manifest_read("m", &manifest, &f);
	assert_non_null(back);
	assert_true(manifest.closed && !manifest.unsealed);
	assert_string_equal(manifest.session, SEALED_SESSION);
	assert_string_equal(manifest.kernels, "avx2");
	assert_string_equal(manifest.parent, was_manifest.parent);
	assert_int_equal(manifest.parent_step, 12);
	assert_string_equal(manifest.parent_digest, "abc");
	struct string was = {0}, is = {0};
	config_each(config, collect_setting, &was);
	config_each(back, collect_setting, &is);
	assert_string_equal(is.bytes, was.bytes);
	string_free(&was);
	string_free(&is);
	config_free(back);
	config_free(config);

	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "line"},
		{"{", "line"},
		{"[]", "not a session"},
		{"{}", "not a session"},
		{"{\"bitscape-session\":0}", "not a session"},
		{"{\"bitscape-session\":3,\"settings\":{}}", "newer bitscape"},
		{"{\"bitscape-session\":1,\"settings\":{}}", "older bitscape"},
		{"{\"bitscape-session\":2}", "settings are missing"},
		{"{\"bitscape-session\":2,\"settings\":{}}", "which session"},
		{"{\"bitscape-session\":2,\"session\":\"" SEALED_SESSION "\",\"settings\":{},\"sum\":\"00000000\"}",
			"not as it was written"},
		{"{\"bitscape-session\":2,\"session\":\"" SEALED_SESSION "\",\"settings\":{\"steps\":7}}", "setting steps"},
		{"{\"bitscape-session\":2,\"session\":\"" SEALED_SESSION "\",\"settings\":{\"steps\":\"x\"}}", "setting steps"},
		{"{\"bitscape-session\":2,\"session\":\"" SEALED_SESSION "\",\"settings\":{\"unheard\":\"x\"}}",
			"setting unheard"},
		{"{\"bitscape-session\":1,\"bitscape-session\":1}", "duplicate"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put_string("m/manifest.json", bad[i].text);
		assert_null(manifest_read("m", &manifest, &f));
		assert_says(&f, "m/manifest.json");
		assert_says(&f, bad[i].says);
	}
	// One from before a setting was there ran as was usual then.
	char fall[ENGINE_TEXT];
	put_string("m/manifest.json",
		"{\"bitscape-session\":2,\"session\":\"" SEALED_SESSION
		"\",\"settings\":{\"steps\":\"70\",\"preset\":\"live\"}}");
	config = manifest_read("m", &manifest, &f);
	assert_true(config && config_get(config, "rate-fall", fall, sizeof fall));
	assert_string_equal(fall, "1");
	config_free(config);
	// Every truncation of a good one: refused, never half taken.
	config = config_new();
	assert_true(manifest_write("m", config, &was_manifest, &f));
	size_t n;
	char *text = get("m/manifest.json", &n);
	for (size_t i = 0; i < n; i++) {
		put("m/manifest.json", text, i);
		assert_null(manifest_read("m", &manifest, &f));
	}
	free(text);
	config_free(config);
}

static void folders_are_named(void **state)
{
	(void)state;
	char buf[FOLDER_PATH], home[FOLDER_PATH];
	struct fault f;
	assert_true(folder_of("demo", buf, sizeof buf, &f));
	snprintf(home, sizeof home, "%s/bitscape/demo.bitscape", place);
	assert_string_equal(buf, home);
	assert_true(folder_of("./demo", buf, sizeof buf, &f));
	assert_string_equal(buf, "./demo.bitscape");
	assert_true(folder_of("/x/demo.bitscape//", buf, sizeof buf, &f));
	assert_string_equal(buf, "/x/demo.bitscape");
	folder_title(buf, buf, sizeof buf);
	static const char *const bad[] = {"", "/", ".", "..", "a/..", "a\nb", "-x", ".x", "new", "sessions"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(folder_of(bad[i], buf, sizeof buf, &f));
	char title[64];
	folder_title("/x/demo.bitscape", title, sizeof title);
	assert_string_equal(title, "demo");

	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/home/someone", 1);
	assert_true(disk_state_home(buf, sizeof buf, &f));
	assert_string_equal(buf, "/home/someone/.local/state/bitscape");
	setenv("XDG_STATE_HOME", place, 1);
}

static void one_writer_only(void **state)
{
	(void)state;
	struct fault f;
	int first, second;
	long owner;
	assert_true(folder_make("locked", true, &f));
	assert_false(folder_make("locked", true, &f));
	assert_says(&f, "locked");
	assert_int_equal(folder_lock("locked", &first, &owner), LOCK_TAKEN);
	assert_int_equal(folder_lock("locked", &second, &owner), LOCK_ELSEWHERE);
	assert_int_equal(owner, getpid());
	assert_int_equal(second, -1);
	close(first);
	assert_int_equal(folder_lock("locked", &second, &owner), LOCK_TAKEN);
	close(second);
	assert_int_equal(folder_lock("no-such-folder", &second, &owner), LOCK_IMPOSSIBLE);
}

static void await(struct writer *w, struct writer_result *r)
{
	while (!writer_result(w, r)) {
		struct pollfd fd = {.fd = writer_fd(w), .events = POLLIN};
		poll(&fd, 1, 1000);
	}
}

#define FIRST "# a journal\n"

static void writer_writes(void **state)
{
	(void)state;
	struct fault f;
	struct writer_result r;
	struct writer_state now;
	const off_t first = (off_t)strlen(FIRST);
	assert_true(folder_make("w", true, &f));
	put_string("w/journal", FIRST "5 pin st");
	put_string("w/.bitscape-999999999-3.tmp", "of a process that is gone");
	struct journal_place at = {0};
	journal_advance(&at, FIRST, strlen(FIRST));
	struct writer *w = writer_new("w", &at, &f);
	assert_non_null(w);
	assert_int_not_equal(access("w/.bitscape-999999999-3.tmp", F_OK), 0);
	assert_true(writer_append(w, "1 unpin a\n", 10));
	assert_true(writer_append(w, "2 unpin a\n", 10));
	struct checkpoint c = {.step = 2, .state = small_state()};
	const struct summary summary = {.step = 2};
	writer_checkpoint(w, &c, &summary, true);
	await(w, &r);
	assert_true(r.saved && r.asked);
	assert_int_equal(r.step, 2);
	writer_look(w, &now);
	assert_true(!now.failing && now.durable == first + 20);
	char *text = get("w/journal", NULL);
	assert_string_equal(text, FIRST "1 unpin a\n2 unpin a\n");
	free(text);

	// A full disk, here a limit on the file's size: nothing is lost, no line is left by half, no checkpoint goes ahead
	// of the journal.
	struct rlimit old, small = {strlen(FIRST) + 25, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	writer_append(w, "3 unpin a\n", 10);
	c = (struct checkpoint){.step = 3, .state = small_state()};
	writer_checkpoint(w, &c, &summary, false);
	await(w, &r);
	assert_false(r.saved);
	assert_says(&r.fault, "w/journal");
	writer_look(w, &now);
	assert_true(now.failing && now.durable == first + 20);
	assert_says(&now.fault, "w/journal");
	setrlimit(RLIMIT_FSIZE, &old);
	text = get("w/journal", NULL);
	assert_string_equal(text, FIRST "1 unpin a\n2 unpin a\n");
	free(text);
	assert_int_not_equal(access("w/checkpoint-3.safetensors", F_OK), 0);
	writer_append(w, "4 unpin a\n", 10);
	if (!writer_finish(w, &f))
		fail_msg("%s: %s", f.where, f.what);
	text = get("w/journal", NULL);
	assert_string_equal(text, FIRST "1 unpin a\n2 unpin a\n3 unpin a\n4 unpin a\n");
	free(text);
}

// ---- whole sessions ------------------------------------------------------------------------------------------------------

// Kinds of lines; an empty line is a break once, and only behind something told.
static void scripts_have_parts(void **state)
{
	(void)state;
	static const enum script_line expected[] = {SCRIPT_NOTHING, SCRIPT_NOTHING, SCRIPT_TEXT, SCRIPT_COMMAND, SCRIPT_BREAK,
		SCRIPT_NOTHING, SCRIPT_NOTHING, SCRIPT_COMMAND, SCRIPT_TEXT, SCRIPT_FAILED};
	struct fault f;
	const char *line;
	FILE *file = fopen("lines.tour", "w");
	fputs("# head\n\n\techo \"one\"\nstatus\r\n \t\n\n# between\nechoes\necho\n", file);
	fwrite("a\0b\n", 1, 4, file);
	fclose(file);
	struct script *s = script_open("lines.tour", &f);
	assert_non_null(s);
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		assert_int_equal(script_next(s, &line, &f), expected[i]);
		if (i == 3)
			assert_string_equal(line, "status");
	}
	script_place(s, &f);
	assert_string_equal(f.where, "lines.tour:10");
	assert_says(&f, "it holds a zero byte");
	assert_int_equal(script_next(s, &line, &f), SCRIPT_END);
	script_close(s);
	assert_null(script_open("no-such.tour", &f));
	assert_true(script_gap(SCRIPT_TEXT, SCRIPT_COMMAND) && script_gap(SCRIPT_COMMAND, SCRIPT_TEXT));
	assert_false(script_gap(SCRIPT_TEXT, SCRIPT_TEXT) || script_gap(SCRIPT_BREAK, SCRIPT_COMMAND));
}

static const char first_part[] = "run 8\npin stem int8\nrun 5\ntarget bops 0.5x\n";
static const char second_part[] = "run 4\nundo\nweight bops 0.7\nwait finished\n";
static char reference_digest[JOURNAL_DIGEST_TEXT];

// The whole of it without a break: what all others must come to.
static void a_session_runs(void **state)
{
	(void)state;
	struct session *s = begin("whole");
	run_lines(s, first_part);
	assert_printed(
		"step 8: stem is pinned to int8; bops int4: it cannot be met: the cheapest choice allowed costs 28.47 M bit ops; undo takes it back");
	run_lines(s, second_part);
	assert_printed(
		"step 17: took back `target bops 0.5x`: the target of bops is int4 (27.47 M bit ops per image); it cannot be met: the cheapest choice allowed costs 28.47 M bit ops; redo does it again");
	run_lines(s, "digest\nprint digest step pinned.stem changes weight.bops\nexpect step = 30\nsave");
	assert_printed("step 30\npinned.stem int8\nchanges 4\nweight.bops 0.7\n");
	snprintf(reference_digest, sizeof reference_digest, "%s", s->digest);
	end(s);
	struct fault f;
	assert_null(session_open("partly", &f));
	struct config *config = small_config();
	assert_null(session_new("whole", config, &f));
	assert_says(&f, "whole.bitscape");
	config_free(config);
}

static void assert_same_end(struct session *s)
{
	char line[JOURNAL_DIGEST_TEXT + 32];
	snprintf(line, sizeof line, "expect digest = %s\n", reference_digest);
	run_lines(s, line);
}

static void saved_and_opened(void **state)
{
	(void)state;
	struct session *s = begin("parts");
	run_lines(s, first_part);
	end(s);
	s = again("parts");
	assert_false(session_read_only(s));
	const struct journal_entry *entry;
	assert_int_equal(session_journal(s, &entry), 2);
	assert_int_equal(entry[0].step, 8);
	run_lines(s, second_part); // its undo takes back what was done before it was opened
	assert_same_end(s);
	struct figure_source source;
	session_source(s, &source);
	assert_int_equal(source.records, 30);
	assert_int_equal(source.record[29].step, 30);
	assert_int_equal(source.marks, 4);
	end(s);
}

static void crash_loses_nothing(void **state)
{
	(void)state;
	struct fault f;
	// What a machine that stops leaves: the checkpoint of step 8, journal lines beyond it, the last one torn.
	struct session *s = begin("crash");
	run_lines(s, "run 8\nsave\npin stem int8\nrun 5\ntarget bops 0.5x\nrun 2\n");
	assert_true(folder_make("crashed.bitscape", true, &f));
	copy_file("crash.bitscape/manifest.json", "crashed.bitscape/manifest.json");
	copy_file("crash.bitscape/checkpoint-8.safetensors", "crashed.bitscape/checkpoint-8.safetensors");
	size_t n;
	char *journal = get("crash.bitscape/journal", &n), *torn = malloc(n + 16);
	memcpy(torn, journal, n);
	memcpy(torn + n, "14 weight bo", 12);
	put("crashed.bitscape/journal", torn, n + 12);
	free(torn);
	free(journal);
	end(s);

	s = again("crashed");
	run_lines(s, "expect step = 13\n");
	char *text = get("err", NULL);
	assert_non_null(strstr(text, "half a line"));
	free(text);
	assert_printed("caught up with the journal: 2 changes done again");
	run_lines(s, second_part);
	assert_same_end(s);
	end(s);
}

static int replay_lines;
static char replay_last[512];

static void replay_say(const char *line)
{
	replay_lines++;
	snprintf(replay_last, sizeof replay_last, "%s", line);
}

// A device and terms that come on the way are journaled, taken back, saved, opened, replayed and exported.
static void devices_and_terms(void **state)
{
	(void)state;
	struct fault f;
	char digest[JOURNAL_DIGEST_TEXT];
	struct session *s = begin("devices");
	run_lines(s, "run 5\nset device a100\ntarget latency 0.5x\nweight latency 1\nrun 8\ntarget latency@t4 0.4us\nrun 12\n");
	run_lines(s, "set device tpu_v3\nundo\nrun 15\nexport policy p.json\nexport layers l.csv\nexport front f.csv\n");
	assert_printed("device is a100");
	run_lines(s, "print target.latency@t4 weight.latency\nexpect weight.latency = 1\nstatus");
	assert_printed("target.latency@t4 0.0004 ms per 8 images on t4 (assumed)");
	assert_printed("ms per 128 images on a100 (assumed), weight 1");
	end(s);
	s = again("devices");
	assert_string_equal(s->snapshot->term[4].unit, "ms per 128 images on a100 (assumed)");
	assert_string_equal(s->snapshot->term[6].name, "latency@t4");
	run_lines(s, "wait finished\ndigest");
	snprintf(digest, sizeof digest, "%s", s->digest);
	end(s);
	assert_true(session_replay("devices", replay_say, &f));

	s = begin("devices2");
	run_lines(s, "run 5\nset device a100\ntarget latency 0.5x\nweight latency 1\nrun 8\ntarget latency@t4 0.4us\nrun 12\n");
	run_lines(s, "set device tpu_v3\nundo\nwait finished\ndigest");
	assert_string_equal(s->digest, digest);
	end(s);
	size_t n;
	char *policy = get("p.json", &n), *layers = get("l.csv", &n), *front = get("f.csv", &n);
	assert_non_null(strstr(policy, "\"latency@t4\""));
	assert_non_null(strstr(policy, "\"unit\": \"ms per 8 images on t4 (assumed)\""));
	assert_non_null(strstr(layers,
		",size (B),activations (B per image),latency (ms per 128 images on a100 (assumed)),energy (mJ per image on a100),latency@t4 (ms per 8 images on t4 (assumed))\n"));
	assert_non_null(strstr(front,
		",activations (B per image),latency (ms per 128 images on a100 (assumed)),energy (mJ per image on a100),latency@t4 (ms per 8 images on t4 (assumed)),"));
	free(policy);
	free(layers);
	free(front);
}

// Whole drafts, on a network that is not trained: uniform, but for the ends, from digits, from a policy.
static void whole_drafts(void **state)
{
	(void)state;
	struct fault f;
	struct config *config = config_new();
	static const char *const settings[][2] = {{"net", "resnet8"}, {"data", "none"}, {"space", "int4,int8"}};
	for (int i = 0; i < 3; i++)
		assert_true(config_set(config, settings[i][0], settings[i][1], &f));
	struct session *s = session_new("drafts", config, &f);
	config_free(config);
	assert_non_null(s);
	const int last = s->info->slots - 1;
	static const struct bad {
		const char *line, *says;
	} bad[] = {
		{"run 5", "no source of quality"},
		{"apply uniform int5", "not in its space"},
		{"apply sides int4", "not one of its words"},
		{"paste 84", "2 digits for 10 layers"},
		{"paste 8444444443", "'int3' is not in its space"},
		{"paste nosuch.json", ""},
		{"evaluate", "no source of quality"},
		{"wait finished", "no source of quality"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refused(s, bad[i].line, bad[i].says);
	run_lines(s, "apply uniform int4");
	for (int i = 0; i <= last; i++)
		assert_int_equal(session_draft(s)[i], 0);
	run_lines(s, "apply ends int4");
	for (int i = 0; i <= last; i++)
		assert_int_equal(session_draft(s)[i], i < 2 || i > last - 2);
	run_lines(s, "draft commit\nexport policy drafts.json\nunpin *\npaste 4848484848");
	for (int i = 0; i <= last; i++)
		assert_int_equal(session_draft(s)[i], i / 2 % 2);
	run_lines(s, "paste drafts.json");
	for (int i = 0; i <= last; i++)
		assert_int_equal(session_draft(s)[i], i < 2 || i > last - 2);
	put("digits.txt", "4444444448\n", 11);
	run_lines(s, "paste digits.txt");
	assert_true(session_draft(s)[last] == 1 && session_draft(s)[0] == 0);
	run_lines(s, "paste 84444444");
	assert_true(session_draft(s)[0] == session_draft(s)[last] && session_draft(s)[0] == session_draft(s)[2] &&
		session_draft(s)[4] != session_draft(s)[0]);
	put("other.json", "{\"layers\": [{\"name\": \"x\"}]}", 27);
	refused(s, "paste other.json", "it has 1 layers, this network 10");
	put("torn.json", "{\"layers\": [", 12);
	refused(s, "paste torn.json", "line 1");
	// What is decided as one cannot differ.
	run_lines(s, "draft drop\ngroup s* as all");
	refused(s, "paste 4848484848", "decided as one");
	end(s);
}

static int remove_checkpoint(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind;
	return strncmp(path + at->base, "checkpoint-", 11) == 0 ? unlink(path) : 0;
}

static void damaged_checkpoint_is_passed_over(void **state)
{
	(void)state;
	struct session *s = begin("harm");
	run_lines(s, "run 8\npin stem int8\nsave\nrun 5\ntarget bops 0.5x\nsave\n");
	end(s);
	size_t n;
	char *bytes = get("harm.bitscape/checkpoint-13.safetensors", &n);
	bytes[n / 2] ^= 1;
	put("harm.bitscape/checkpoint-13.safetensors", bytes, n);
	free(bytes);
	s = again("harm");
	bool bad = false, named = false;
	for (const char *text; (text = session_message(s, &bad));)
		named |= bad && strstr(text, "checkpoint-13.safetensors: damaged");
	assert_true(named);
	run_lines(s, second_part);
	assert_same_end(s);
	end(s);
	// None at all: from nothing, by the journal.
	s = again("harm");
	end(s);
	assert_int_equal(nftw("harm.bitscape", remove_checkpoint, 8, FTW_PHYS), 0);
	s = again("harm");
	run_lines(s, "expect step = 30\n");
	assert_same_end(s);
	end(s);
}

static void second_instance_reads_only(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("twice"), *other = again("twice");
	assert_false(session_read_only(s));
	assert_true(session_read_only(other));
	bool bad;
	const char *text = session_message(other, &bad);
	assert_non_null(text);
	assert_non_null(strstr(text, "another bitscape has it"));
	assert_int_equal(batch(other, "run 3\n", &f), 1);
	assert_says(&f, "reading only");
	assert_int_equal(batch(other, "pin stem int8\n", &f), 1);
	assert_says(&f, "reading only");
	assert_int_equal(batch(other, "save\n", &f), 1);
	assert_int_equal(batch(other, "export layers\n", &f), 1);
	end(other);
	run_lines(s, "pin stem int8\n");
	end(s);
}

static void journal_that_cannot_be_followed(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("astray");
	char id[IDENTITY_TEXT];
	memcpy(id, s->manifest.session, sizeof id);
	end(s);
	static const struct {
		const char *lines, *says;
	} cases[] = {
		{"5 pin nosuch int8\n", "nosuch"},
		{"5 pin\n", "astray.bitscape/journal:2"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct string text = {0};
		assert_int_equal(nftw("astray.bitscape", remove_checkpoint, 8, FTW_PHYS), 0);
		seal(&text, id, cases[i].lines);
		put("astray.bitscape/journal", text.bytes, text.length);
		string_free(&text);
		s = again("astray");
		char all[4096];
		heard(s, all, sizeof all);
		assert_non_null(strstr(all, cases[i].says));
		assert_true(session_read_only(s));
		refused(s, "note x\n", i ? "reading only" : "nosuch");
		end(s);
		assert_false(session_replay("astray", replay_say, &f));
	}
}

static void replays(void **state)
{
	(void)state;
	struct fault f;
	if (!session_replay("whole", replay_say, &f))
		fail_msg("%s: %s", f.where, f.what);
	assert_true(replay_lines > 1);
	assert_non_null(strstr(replay_last, reference_digest));
	assert_true(session_replay("parts", replay_say, &f));
	// A journal that says something else is not as it was written; and with sums that fit it parts from its digest.
	size_t n;
	struct manifest manifest;
	config_free(manifest_read("whole.bitscape", &manifest, &f));
	char *journal = get("whole.bitscape/journal", &n), *at = strstr(journal, "8 pin stem int8");
	assert_non_null(at);
	at[14] = '4';
	put("whole.bitscape/journal", journal, n);
	assert_false(session_replay("whole", replay_say, &f));
	assert_says(&f, "whole.bitscape/journal:2");
	struct string lines = {0}, text = {0};
	for (char *line = strchr(journal, '\n') + 1, *next; (next = strchr(line, '\n')); line = next + 1)
		string_add(&lines, "%.*s\n", (int)(strstr(line, " #=") - line), line);
	seal(&text, manifest.session, lines.bytes);
	put("whole.bitscape/journal", text.bytes, text.length);
	assert_false(session_replay("whole", replay_say, &f));
	assert_says(&f, "digest is now");
	assert_says(&f, "journal, '"); // at the first digest that was recorded after it
	string_free(&lines);
	string_free(&text);
	at[14] = '8';
	put("whole.bitscape/journal", journal, n);
	free(journal);
	assert_false(session_replay("nowhere", replay_say, &f));
	assert_says(&f, "nowhere: there is no session of this name");
}

// ---- commands on a session ---------------------------------------------------------------------------------------------

static void batch_stops_at_the_first_fault(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *where, *says;
	} cases[] = {
		{"# nothing\n\nfrobnicate\n", "script:3", "no such command"},
		{"run 1\nexpect step > 100\necho no\n", "script:2", "expected > 100"},
		{"expect loss = 0 within 5% more\n", "script:1", "it takes at most 5"},
		{"expect state > paused\n", "script:1", "never less or more"},
		{"print los\n", "script:1", "did you mean 'loss'?"},
		{"print digits\n", "script:1", "no such readout"},
		{"expect heldout.accuracy > 0\n", "script:1", "`evaluate` does it"},
		{"pin stme int8\n", "script:1", "did you mean 'stem'?"},
		{"pin stem int9\n", "script:1", "int9: no such format; its formats are int4 int8"},
		{"restrict stem int4,\n", "script:1", "a format is missing, at a comma or altogether"},
		{"restrict stem ,\n", "script:1", "a format is missing, at a comma or altogether"},
		{"evaluate test int9\n", "script:1", "or one of int4 int8"},
		{"evaluate train\n", "script:1", "neither a split nor a choice; give heldout or test"},
		{"evaluate test heldout\n", "script:1", "takes one split"},
		{"target bops 1e-300\n", "script:1", "the target is too far below what any choice costs"},
		{"target bops none\n", "script:1", "would have a weight but no target"},
		{"extend -5\n", "script:1", "a search is not made shorter than the 30 steps"},
		{"export policy -\n", "script:1", "/dev/stdout"},
		{"pin stem int2\n", "script:1", "not in the space"},
		{"set policy-rat 1\n", "script:1", "did you mean 'policy-rate'?"},
		{"set policy-rate 1000\n", "script:1", "policy-rate"},
		{"set steps 10\n", "script:1", "steps"},
		{"weight bobs 1\n", "script:1", "did you mean 'bops'?"},
		{"target bops much\n", "script:1", "much"},
		{"undo\n", "script:1", "nothing to take back"},
		{"redo\n", "script:1", "nothing to do again"},
		{"run -1\n", "script:1", "not a number of steps"},
		{"extend 0\n", "script:1", "extend"},
		{"wait step 100000\n", "script:1", "finished at step 30"},
		{"wait step 30\nrun 1\n", "script:2", "`extend N`"},
		{"wait loss < -1\n", "script:1", "loss"},
		{"draft stem int3\n", "script:1", "int3"},
		{"draft commit\n", "script:1", "there is no draft"},
		{"export everything\n", "script:1", "one of: policy"},
		{"export layers /no/such/folder/x.csv\n", "script:1", "/no/such/folder/x.csv"},
		{"price int9\n", "script:1", "int9"},
		{"echo 'open\n", "script:1", "quote"},
	};
	struct session *s = begin("faults");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f;
		assert_int_equal(batch(s, cases[i].lines, &f), 1);
		assert_says(&f, cases[i].where);
		assert_says(&f, cases[i].says);
	}
	assert_int_equal(session_journal(s, &(const struct journal_entry *){NULL}), 0);
	struct fault f;
	struct command_group group[GROUPS];
	struct command_table table = table_of(s, group);
	assert_int_equal(session_batch(s, "no-such-script", &table, &f), 2);
	assert_says(&f, "no-such-script");
	// At the workbench nobody waits.
	said[0] = '\0';
	assert_false(command_run(&table, "wait step 5", take_said, NULL, &f));
	assert_says(&f, "only a batch run waits");
	end(s);
}

// A target is taken off by a word, and undo and the journal's replay know it.
static void targets_are_taken_off(void **state)
{
	(void)state;
	struct session *s = begin("off");
	struct fault f;
	run_lines(s, "target size 0.5x\nundo\ntarget size 0.5x\ntarget size none\nundo\nredo\nrun 2\n");
	assert_printed("size has no target");
	assert_false(session_snapshot(s)->term[session_term(s, "size")].targeted);
	end(s);
	char *journal = get("off.bitscape/journal", NULL);
	assert_non_null(strstr(journal, "0 target size none #"));
	free(journal);
	assert_true(session_replay("off", replay_say, &f));
}

// Text behind a # and quotes belongs to a note; it survives the journal and its replay.
static void notes_are_kept_whole(void **state)
{
	(void)state;
	struct session *s = begin("notes");
	run_lines(s, "note keep this # and this\nrun 3\nnote don't \"stop\n");
	end(s);
	s = again("notes");
	const struct journal_entry *entry;
	assert_int_equal(session_journal(s, &entry), 2);
	assert_string_equal(entry[0].text, "note \"keep this # and this\"");
	assert_string_equal(entry[1].text, "note \"don't \\\"stop\"");
	end(s);
	struct fault f;
	assert_true(session_replay("notes", replay_say, &f));
	s = begin("long note");
	char *line = test_malloc(WORDS_LINE);
	memset(line, '"', WORDS_LINE - 1);
	memcpy(line, "note x", 6);
	line[WORDS_LINE - 1] = '\0';
	refused(s, line, "note: it is longer than"); // it could not be read back
	test_free(line);
	end(s);
}

// Every number has its unit, its images and its device; what is not known yet is a dash.
static void numbers_say_what_they_are(void **state)
{
	(void)state;
	struct session *s = begin("units");
	run_lines(s, "status\nset device a100\n");
	char *status = get("out", NULL);
	assert_null(strstr(status, "nan"));
	free(status);
	assert_printed("training loss - and accuracy -, quality of sampled choices - (");
	assert_printed(" MACs for one image in layers; ");
	run_lines(s, "target latency 2ms\n");
	assert_printed(
		"the target of latency is 2ms (2 ms per 128 images on a100 (assumed)); every choice allowed costs less: the dearest found costs 0.01149 ms; undo takes it back");
	run_lines(s, "target latency 0.5x energy 3uJ\n");
	assert_printed("the target of latency is 0.5x, the target of energy is 3uJ (");
	assert_printed("ms per 128 images on a100 (assumed), 0.003 mJ per image on a100)");
	run_lines(s, "undo\n");
	assert_printed(
		"took back `target latency 0.5x energy 3uJ`: the target of latency is 2ms, energy has no target (2 ms per 128 images on a100 (assumed));");
	run_lines(s, "status\n");
	assert_printed("ms per 128 images on a100 (assumed), weight 0");
	run_lines(s, "price\n");
	assert_printed(" ms/128 img");
	assert_printed("latency: ms per 128 images on a100 (assumed); energy: mJ per image on a100");
	run_lines(s, "run 30\nwait finished\nfront\n");
	assert_printed("latency: ms per 128 images on a100 (assumed)");
	run_lines(s, "print macs.layers macs.attention parameters cost.energy\n");
	assert_printed(" per image\nmacs.attention 0 per image\nparameters ");
	assert_printed(" mJ per image on a100");
	run_lines(s, "layers\n");
	assert_printed("of bops");
	end(s);
}

// An undo names what it took back and then what holds: "undone: stem pinned to int6" said the opposite.
static void undo_says_what_it_took_back(void **state)
{
	(void)state;
	struct session *s = begin("took back");
	run_lines(s, "pin stem int8\nundo\n");
	assert_printed("took back `pin stem int8`: stem is free again; redo does it again");
	run_lines(s, "pin stem int8\npin stem int4\nundo\n");
	assert_printed(
		"took back `pin stem int4`: stem is pinned to int8; bops int4: it cannot be met: the cheapest choice allowed costs 28.47 M bit ops; redo does it again");
	run_lines(s, "redo\n");
	assert_printed("again: stem is pinned to int4; undo takes it back");
	end(s);
}

static void undo_and_redo(void **state)
{
	(void)state;
	struct session *s = begin("undo");
	run_lines(s, "extend 10\npin stem int8\nset entropy 0.5\n");
	run_lines(s, "undo\nundo\nexpect pinned.stem = no\nredo\nexpect pinned.stem = int8\nredo\n");
	assert_printed("step 0: took back `set entropy 0.5`: entropy is 0.02; redo does it again");
	assert_printed("step 0: again: entropy is 0.5; undo takes it back");
	const struct journal_entry *entry;
	assert_int_equal(session_journal(s, &entry), 7);
	assert_false(entry[0].undone);
	char value[ENGINE_TEXT];
	assert_true(config_get(s->snapshot->settings, "entropy", value, sizeof value));
	assert_string_equal(value, "0.5");

	// What changes nothing is no change.
	run_lines(s, "set entropy 0.5\npin stem int8\ntarget bops int4\nexpect changes = 7\n");
	assert_printed("`set entropy 0.5` changes nothing");

	// Several at once, faster than the replies come.
	struct fault f;
	assert_true(session_undo(s, ACT_UNDO, &f));
	assert_true(session_undo(s, ACT_UNDO, &f));
	while (s->pending || s->wants)
		assert_true(session_await_replies(s, &f));
	run_lines(s, "expect pinned.stem = no\nexpect changes = 9\n");
	end(s);
	s = again("undo");
	run_lines(s, "redo\nexpect pinned.stem = int8\nundo\nexpect pinned.stem = no\n");
	end(s);
}

static const char regrouping[] = "run 6\ngroup s2* as stage2\npin stage2 int8\nrun 5\ndecide split\npin stem.a int8 head.w int4\n"
				 "expect pinned.stem = no/int8\nexpect pinned.s2b1.skip = int8/int8\n";
static const char regrouped[] =
	"run 3\nundo\ngroup s3* as stage3 s1* as stage1\nrestrict stage3.a int4\nrun 2\nungroup stage1\nrun 2\n"
	"expect pinned.s3b1.skip = no/int4\ndecide tied\nrun 2\nexpect pinned.s3b1.skip = int4\nundo\nundo\nredo\nwait finished\n";

// Decisions that come and go are changes like any others: the same bits in two parts, on other threads, and by replay.
static void decisions_come_and_go(void **state)
{
	(void)state;
	struct fault f;
	char digest[JOURNAL_DIGEST_TEXT];
	for (int part = 0; part < 2; part++) {
		struct config *config = small_config();
		assert_true(config_set(config, "threads", part ? "2" : "1", &f));
		struct session *s = session_new(part ? "decide2" : "decide1", config, &f);
		config_free(config);
		assert_non_null(s);
		run_lines(s, regrouping);
		if (part) {
			end(s);
			s = again("decide2");
		}
		run_lines(s, regrouped);
		run_lines(s, "status\nlayers\ndigest\nexpect changes = 12\n");
		assert_printed("groups: stage2 (s2*), stage3 (s3*)");
		assert_printed("in stage3");
		if (part)
			assert_string_equal(s->digest, digest);
		snprintf(digest, sizeof digest, "%s", s->digest);
		end(s);
		if (!session_replay(part ? "decide2" : "decide1", replay_say, &f))
			fail_msg("%s: %s", f.where, f.what);
	}
	// Refused, with what may have been meant.
	struct session *s = again("decide1");
	assert_int_not_equal(batch(s, "pin stage9 int4\n", &f), 0);
	assert_says(&f, "no such layer"); // stage2 and stage3 are as near
	assert_int_not_equal(batch(s, "group s3b1.conv1 as late\n", &f), 0);
	assert_says(&f, "stage3");
	end(s);
}

static void drafts_of_decisions(void **state)
{
	(void)state;
	struct session *s = begin("draft2");
	run_lines(s,
		"pin * int4\ngroup s2* as stage2\ndraft up s2*\ndraft show\n"); // one step, however many of its layers are named
	assert_printed("draft, 1 of 8 decisions changed");
	run_lines(s, "draft commit\n");
	assert_printed(
		"stage2 is pinned to int8; bops int4: it cannot be met: the cheapest choice allowed costs 52.25 M bit ops; undo");
	run_lines(s, "decide split\ndraft up stem.w\ndraft up s1b1.conv1\ndraft show\n");
	assert_printed("draft, 3 of 16 decisions changed");
	run_lines(s,
		"draft commit\nexpect pinned.stem = int8/int4\nexpect pinned.s1b1.conv1 = int8/int8\nexpect modal.s2b1.skip = int8/int8\n");
	assert_printed("stem.w is pinned to int8, s1b1.conv1.w is pinned to int8, s1b1.conv1.a is pinned to int8");
	run_lines(s, "undo\nexpect pinned.stem = int4/int4\nexport layers\nexport policy\nexport front\n");
	char *layers = get("draft2.bitscape/layers.csv", NULL), *policy = get("draft2.bitscape/policy.json", NULL);
	char *front = get("draft2.bitscape/front.csv", NULL);
	assert_non_null(strstr(layers, ",int8,int8,1,1,1,1,stage2,"));
	assert_non_null(strstr(policy, "\"group\": \"stage2\""));
	assert_non_null(strstr(policy, "\"tied\": false"));
	assert_non_null(strstr(policy, "\"decide\": \"split\""));
	assert_non_null(strstr(front, ",stem.w,stem.a,"));
	free(layers);
	free(policy);
	free(front);
	end(s);
}

// The roofline of what a session would choose, and the same on every device.
static void rooflines(void **state)
{
	(void)state;
	struct session *s = begin("roofline");
	struct figure_source source;
	struct roofline r;
	struct fault f;
	run_lines(s, "pin * int8\nlatency .\n");
	assert_printed(" modal ");
	session_source(s, &source);
	assert_true(source.roofline(source.session, source.term, &r, &f));
	assert_string_equal(r.device, "tpu_v4");
	assert_int_equal(r.layers, session_snapshot(s)->info->layers);
	assert_string_equal(r.layer[0].name, "stem");
	assert_string_equal(r.now[0].type, "int8");
	assert_null(r.draft);
	double bytes = r.now[0].bytes;
	const struct layer_info *stem = &session_snapshot(s)->info->layer[0];
	assert_true(r.now[0].operations == 2 * stem->macs * r.batch);
	run_lines(s, "draft stem int4\nlatency . int8 device=a100\n");
	assert_printed(" draft ");
	session_source(s, &source);
	assert_true(source.roofline(source.session, source.term, &r, &f));
	assert_true(r.now[0].bytes == bytes);
	// Half the bits of the weights, and of the images, which always come from memory.
	double halved = (stem->weights + stem->activations * r.batch) / 2;
	assert_true(r.draft && r.draft[0].bytes == bytes - halved && r.draft[1].bytes == r.now[1].bytes);
	// The device is that of the term in hand, whatever counts.
	run_lines(s, "set device a100\ntarget latency@t4 0.5x\nweight latency@t4 1\n");
	static const struct {
		const char *term, *device;
	} rows[] = {{"latency", "a100"}, {"energy", "a100"}, {"latency@t4", "t4"}, {"bops", "t4"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		session_source(s, &source);
		source.term = session_term(s, rows[i].term);
		assert_true(source.roofline(source.session, source.term, &r, &f));
		assert_string_equal(r.device, rows[i].device);
	}
	end(s);
}

static void drafts(void **state)
{
	(void)state;
	struct session *s = begin("draft");
	run_lines(s, "pin * int4\ndraft stem int8\ndraft down stem\ndraft up s1*\ndraft show\n");
	assert_printed("decisions changed: bops ");
	assert_non_null(session_draft(s));
	run_lines(s, "draft drop\n");
	assert_null(session_draft(s));
	// Undo takes back the draft's edits before any change.
	run_lines(s, "draft up stem\ndraft up head\napply uniform int8\nundo\nundo\n");
	assert_printed("draft, 1 of 10 decisions changed");
	assert_int_equal(session_draft(s)[0], slot_option(&s->info->slot[0], "int8"));
	run_lines(s, "undo\nexpect pinned.stem = int4\nexpect changes = 1\n");
	assert_printed("draft dropped: its only edit is taken back");
	assert_null(session_draft(s));
	run_lines(s, "draft stem int8\ndraft head int8\ndraft commit\nexpect pinned.stem = int8\nexpect changes = 2\n");
	assert_printed(
		"step 0: stem is pinned to int8, head is pinned to int8; bops int4: it cannot be met: the cheapest choice allowed costs 28.5 M bit ops; undo takes it back");
	run_lines(s, "undo\nexpect pinned.stem = int4\nexpect pinned.head = int4\n");
	// What was not edited follows the modal choice, and is not pinned with the rest.
	run_lines(s, "draft stem int8\npin head int8\ndraft commit\nexpect pinned.stem = int8\nexpect pinned.head = int8\n");
	end(s);
}

// A history over several devices says what its columns are in, step by step.
static void exports_units_that_hold(void **state)
{
	(void)state;
	struct session *s = begin("travelled");
	run_lines(s, "run 1\nset device a100\nset device tpu_v4\nrun 1\nexport history\n");
	char *history = get("travelled.bitscape/history.csv", NULL);
	assert_non_null(strstr(history, ",bops (bit ops per image),"));
	assert_non_null(strstr(history, ",latency (ms on the device of the step),"));
	assert_null(strstr(history, ",latency (ms per"));
	free(history);
	end(s);
}

static void asks_and_exports(void **state)
{
	(void)state;
	struct session *s = begin("asks");
	run_lines(s,
		"note \"x # y\" z\nrun 12\nstatus\nlayers\nfront all\nknobs rate\nprice\nprice int4\nhelp\nhelp pin\nhelp print\n"
		"echo a  b\nevaluate\nevaluate test int8\nprint heldout.accuracy test.loss ratio.bops\n"
		"wait step 15\nwait step >= 18\nexpect step = 20\n"
		"export policy\nexport layers\nexport history\nexport front x.csv\nsave\n");
	assert_printed("a b\n");
	assert_printed("readouts: step");
	assert_printed("stem");
	char *policy = get("asks.bitscape/policy.json", NULL);
	assert_non_null(strstr(policy, "\"bitscape-policy\": 2"));
	assert_non_null(strstr(policy, "\"name\": \"stem\""));
	free(policy);
	char *history = get("asks.bitscape/history.csv", NULL);
	int lines = 0;
	for (const char *p = history; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 21);
	assert_non_null(strstr(history, ",bops (bit ops per image),modal_bops (bit ops per image),"));
	assert_non_null(strstr(history, ",latency (ms per 128 images on tpu_v4),"));
	assert_null(strstr(history, "the device of the step"));
	free(history);
	end(s);
	s = again("asks");
	const struct journal_entry *entry;
	assert_int_equal(session_journal(s, &entry), 1);
	assert_string_equal(entry[0].text, "note \"\\\"x # y\\\" z\"");

	struct command_group group[GROUPS];
	struct command_table table = table_of(s, group);
	assert_completes(&table, s, "pin st", 4, "stem");
	assert_completes(&table, s, "pin stem int", 9, "int4 int8");
	assert_completes(&table, s, "pin stem int8 he", 14, "head");
	assert_completes(&table, s, "restrict stem int4,i", 14, "int4,int4 int4,int8");
	assert_completes(&table, s, "weight si", 7, "size");
	assert_completes(&table, s, "reward ", 7, "abs relu mnas");
	assert_completes(&table, s, "set rewa", 4, "reward");
	assert_completes(&table, s, "describe efficientnet-x-b7-t", 9, "efficientnet-x-b7-tpu");
	assert_completes(&table, s, "devices tpu_v3", 8, "tpu_v3");
	assert_completes(&table, s, "latency resnet50 ov", 17, "over=");
	assert_completes(&table, s, "set reward r", 11, "relu");
	assert_completes(&table, s, "set entropy 0 rang", 14, "range");
	assert_completes(&table, s, "print modal.st", 6, "modal.stem");
	assert_completes(&table, s, "export layers asks.bitscape/his", 14, "asks.bitscape/history.csv");
	assert_completes(&table, s, "help ech", 5, "echo");
	assert_completes(&table, s, "plot fro", 5, "front");
	assert_completes(&table, s, "plot policy ste", 12, "stem");
	assert_completes(&table, s, "plot front ste", 11, "");
	assert_completes(&table, s, "draft co", 6, "commit");
	assert_completes(&table, s, "draft up st", 9, "stem");
	assert_completes(&table, s, "draft stem int", 11, "int4 int8");
	assert_completes(&table, s, "group s2* a", 10, "as");
	assert_completes(&table, s, "decide ", 7, "tied split");
	run_lines(s, "group s2* as stage2\ndecide split\n");
	assert_completes(&table, s, "ungroup ", 8, "stage2");
	assert_completes(&table, s, "pin ste", 4, "stem stem.w stem.a");
	assert_completes(&table, s, "pin sta", 4, "stage2");
	run_lines(s, "lane add bops int8\n");
	assert_completes(&table, s, "lane ", 5, "add drop back polish list focus 1 2");
	assert_completes(&table, s, "lane drop ", 10, "1 2");
	assert_completes(&table, s, "lane focus ", 11, "next 1 2");
	assert_completes(&table, s, "lane add si", 9, "size");
	assert_completes(&table, s, "lane add bops in", 14, "int4 int8");
	assert_completes(&table, s, "lane 2 ta", 7, "target");
	assert_completes(&table, s, "lane 2 sta", 7, ""); // no change
	assert_completes(&table, s, "lane 2 pin stem int8 hea", 21, "head head.w head.a");
	end(s);
}

// The settings are the engine's, as they are behind the step in hand; of an exported choice those that it was scored under.
static void say_nothing(struct command_call *call, const char *format, ...)
{
	(void)call, (void)format;
}

static void settings_are_those_of_the_search(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("settings");
	run_lines(s, "run 4\nset entropy 0.125\ntarget latency@a100 0.9x\nknobs entropy\n");
	assert_printed("* entropy          0.125 ");
	run_lines(s, "undo\nundo\nknobs entropy\n");
	assert_printed("* entropy          0.02 ");
	run_lines(s, "redo\nrun 2\nsave\nset entropy 0.25\nrun 2\n");
	end(s);
	s = again("settings"); // from its last checkpoint
	run_lines(s, "knobs entropy\n");
	assert_printed("* entropy          0.25 ");

	// The export and a change are posted in one breath.
	char *argv[] = {"policy", NULL};
	struct command_call call = {.context = s, .argc = 1, .argv = argv, .say = say_nothing};
	struct change_item item = {"entropy", "0.5"};
	const struct change change = {CHANGE_SET, 1, &item, 0};
	assert_true(run_export(&call));
	assert_true(session_change(s, &change, ACT_DO, 0, &f));
	assert_true(session_await_replies(s, &f));
	char *policy = get("settings.bitscape/policy.json", NULL);
	assert_non_null(strstr(policy, "\"entropy\": \"0.25\""));
	assert_non_null(strstr(policy, "\"weight.latency@a100\": \"0\""));
	free(policy);
	run_lines(s, "knobs entropy\n");
	assert_printed("* entropy          0.5 ");
	run_lines(s, "extend 10 rate=0.0625\nknobs rate\nexport policy\n");
	assert_printed("* rate             0.0625 ");
	policy = get("settings.bitscape/policy.json", NULL);
	assert_non_null(strstr(policy, "\"entropy\": \"0.5\""));
	assert_non_null(strstr(policy, "\"rate\": \"0.0625\""));
	free(policy);
	end(s);
}

// ---- main ----------------------------------------------------------------------------------------------------------------

// A change that was taken back before any step was made under it leaves no mark in figures; one that was in force does, and so does its end.
static void marks_of_what_counted(void **state)
{
	(void)state;
	struct session *s = begin("marked");
	run_lines(s, "run 2\npin stem int4\nundo\n");
	assert_int_equal(s->marks, 0);
	run_lines(s, "pin stem int4\nrun 2\nundo\n");
	assert_int_equal(s->marks, 2);
	end(s);
	s = again("marked");
	char told[4096];
	heard(s, told, sizeof told);
	assert_int_equal(s->marks, 2);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_of_what_counted),
		cmocka_unit_test(splits),
		cmocka_unit_test(quotes_come_back),
		cmocka_unit_test(numbers),
		cmocka_unit_test(nearest_names),
		cmocka_unit_test(changes_come_back),
		cmocka_unit_test(commands_are_checked),
		cmocka_unit_test(words_complete),
		cmocka_unit_test(journal_loads),
		cmocka_unit_test(journal_torn_anywhere),
		cmocka_unit_test(journal_refuses),
		cmocka_unit_test(undo_is_a_stack),
		cmocka_unit_test(checkpoint_comes_back),
		cmocka_unit_test(checkpoint_damage_is_seen),
		cmocka_unit_test(checkpoint_lies_are_refused),
		cmocka_unit_test(manifest_comes_back),
		cmocka_unit_test(folders_are_named),
		cmocka_unit_test(one_writer_only),
		cmocka_unit_test(writer_writes),
		cmocka_unit_test(a_session_runs),
		cmocka_unit_test(saved_and_opened),
		cmocka_unit_test(crash_loses_nothing),
		cmocka_unit_test(devices_and_terms),
		cmocka_unit_test(whole_drafts),
		cmocka_unit_test(damaged_checkpoint_is_passed_over),
		cmocka_unit_test(second_instance_reads_only),
		cmocka_unit_test(journal_that_cannot_be_followed),
		cmocka_unit_test(replays),
		cmocka_unit_test(scripts_have_parts),
		cmocka_unit_test(batch_stops_at_the_first_fault),
		cmocka_unit_test(targets_are_taken_off),
		cmocka_unit_test(notes_are_kept_whole),
		cmocka_unit_test(numbers_say_what_they_are),
		cmocka_unit_test(undo_says_what_it_took_back),
		cmocka_unit_test(undo_and_redo),
		cmocka_unit_test(rooflines),
		cmocka_unit_test(drafts),
		cmocka_unit_test(decisions_come_and_go),
		cmocka_unit_test(drafts_of_decisions),
		cmocka_unit_test(asks_and_exports),
		cmocka_unit_test(exports_units_that_hold),
		cmocka_unit_test(settings_are_those_of_the_search),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
