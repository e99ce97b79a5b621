// SPDX-License-Identifier: GPL-3.0-or-later
// Quality from a command: what an honest child answers, in any order; what a hostile one does, each fault said in one clear line;
// sessions that record the answers, replay them without a child, and run no command that nobody allowed.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/search/sources/answers.h"
#include "tests/workplace.h"

// Scores a choice by its bits, written for a shell: the mean of 1-1/bits.
static const char honest[] = "read hello\n"
			     "echo started >>starts\n"
			     "echo \"hello 1 accuracy$HOW\"\n"
			     "while read verb id choice; do\n"
			     "	n=0 sum=0\n"
			     "	for f in $choice; do sum=$((sum + 10000 - 10000 / ${f#int})) n=$((n + 1)); done\n"
			     "	echo \"$id ok quality=0.$(printf %04d $((sum / n)))\"\n"
			     "done\n";

// The same, two at a time, the later one first.
static const char crossed[] = "read hello\n"
			      "echo \"hello 1 accuracy\"\n"
			      "bash -c '\n"
			      "score() { n=0 sum=0; for f in $2; do sum=$((sum + 10000 - 10000 / ${f#int})) n=$((n + 1)); done\n"
			      "	printf \"%s ok quality=0.%04d\\n\" $1 $((sum / n)); }\n"
			      "while read verb id choice; do\n"
			      "	if read -t 0.02 verb2 id2 choice2; then score $id2 \"$choice2\"; fi\n"
			      "	score $id \"$choice\"\n"
			      "done'\n";

static struct config *piped(const char *command, const char *timeout)
{
	char quality[ENGINE_TEXT];
	struct fault f;
	struct config *c = config_new();
	snprintf(quality, sizeof quality, "pipe:%s", command);
	const char *const settings[][2] = {{"quality", quality}, {"net", "resnet8"}, {"space", "int-s"}, {"steps", "40"},
		{"samples", "4"}, {"front-every", "10"}, {"target.bops", "int4"}, {"quality-timeout", timeout}};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!config_set(c, settings[i][0], settings[i][1], &f))
			fail_msg("%s: %s", settings[i][0], f.what);
	return c;
}

static struct engine *opened(const char *script, const char *timeout)
{
	struct fault f;
	put_string("child.sh", script);
	struct config *c = piped("exec sh ./child.sh", timeout);
	struct engine *e = engine_open(c, NULL, &f);
	config_free(c);
	if (!e)
		fail_msg("%s: %s", f.where, f.what);
	return e;
}

// Until it no longer runs, 30 seconds at most.
static void rests(struct engine *e, struct snapshot *s)
{
	double end_at = clock_seconds() + 30;
	do {
		struct pollfd fd = {engine_fd(e), POLLIN, 0};
		assert_true(clock_seconds() < end_at);
		poll(&fd, 1, 100);
		engine_news(e);
		engine_snapshot(e, s);
	} while (s->run == RUN_RUNNING);
}

static void digest_of(struct engine *e, char *buf, size_t size)
{
	struct reply r;
	unsigned ticket;
	bool done = false;
	assert_true(engine_post_state(e, &ticket, NULL));
	while (!done) {
		struct pollfd fd = {engine_fd(e), POLLIN, 0};
		poll(&fd, 1, 1000);
		engine_news(e);
		while (engine_reply(e, &r)) {
			if (r.ticket == ticket) {
				snprintf(buf, size, "%s", state_get(r.state, "digest"));
				done = true;
			}
			reply_free(&r);
		}
	}
}

// No process of ours is left in this folder: neither a child nor what it started.
static int processes_here(void)
{
	DIR *all = opendir("/proc");
	char here[512], path[64], cwd[512];
	int n = 0;
	assert_non_null(getcwd(here, sizeof here));
	for (struct dirent *d; (d = readdir(all));) {
		snprintf(path, sizeof path, "/proc/%.20s/cwd", d->d_name);
		ssize_t length = readlink(path, cwd, sizeof cwd - 1);
		long pid = strtol(d->d_name, NULL, 10);
		if (length < 0 || !pid || pid == getpid())
			continue;
		cwd[length] = '\0';
		n += strcmp(cwd, here) == 0;
	}
	closedir(all);
	return n;
}

static void nobody_is_left(void)
{
	double end_at = clock_seconds() + 5;
	while (processes_here() > 0 && clock_seconds() < end_at)
		usleep(10000);
	assert_int_equal(processes_here(), 0);
}

// ---- words -----------------------------------------------------------------------------------------------------------

static void answers_come_back(void **state)
{
	(void)state;
	static const struct scored good[] = {
		{false, 0.1, NAN}, {false, -1.9300000000000002, 0.41}, {false, 0, NAN}, {true, 0, NAN}, {false, -1e12, 1}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct string t = {0};
		struct scored back;
		uint64_t key;
		answers_write(&t, 0x123456789abcdefu + i, &good[i]);
		assert_true(answers_read(t.bytes, &key, &back));
		assert_true(key == 0x123456789abcdefu + i && back.failed == good[i].failed);
		assert_true(back.failed || (back.quality == good[i].quality && isnan(back.accuracy) == isnan(good[i].accuracy)));
		string_free(&t);
	}
	static const char *const bad[] = {"", "x", "0123456789abcdef", "0123456789abcdef=", "0123456789abcdef=nan",
		"0123456789abcdef=0.5,", "0123456789abcdef=0.5,inf", "0123456789abcdef=0.5 ", "0000000000000000=0.5",
		"123456789abcdef=0.5", "0123456789abcdef=fails", "0123456789abcdef=0.5,0.4,0.3"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct scored back;
		uint64_t key;
		assert_false(answers_read(bad[i], &key, &back));
	}
}

static void answers_are_found(void **state)
{
	(void)state;
	struct answers a = {0};
	enum { MANY = 5000 };
	for (long i = 0; i < MANY; i++) {
		uint8_t choice[4] = {(uint8_t)i, (uint8_t)(i >> 8), 1, 2};
		assert_null(answers_find(&a, answers_key(choice, 4, i)));
		assert_true(answers_put(&a, answers_key(choice, 4, i), &(struct scored){.quality = (double)i}, i, LONG_MIN));
	}
	for (long i = 0; i < MANY; i++) {
		uint8_t choice[4] = {(uint8_t)i, (uint8_t)(i >> 8), 1, 2};
		const struct scored *found = answers_find(&a, answers_key(choice, 4, i));
		assert_true(found && found->quality == (double)i);
		assert_true(answers_put(&a, answers_key(choice, 4, i), &(struct scored){.quality = -1}, i, LONG_MIN));
		assert_true(answers_find(&a, answers_key(choice, 4, i))->quality == (double)i); // the first one stays
	}
	// What cannot be asked any more gives way: the table does not grow for ever.
	size_t room = a.room;
	for (long i = MANY; i < 20 * MANY; i++) {
		uint8_t choice[4] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), 3};
		assert_true(answers_put(&a, answers_key(choice, 4, i), &(struct scored){.quality = 0}, i, i));
	}
	assert_true(a.room <= room);
	answers_free(&a);
}

static void settings(void **state)
{
	(void)state;
	struct fault f;
	char value[ENGINE_TEXT];
	struct config *c = piped("python3 'my score.py' --images a=b", "5");
	assert_true(config_get(c, "quality", value, sizeof value));
	assert_string_equal(value, "pipe:python3 'my score.py' --images a=b");
	assert_true(config_get(c, "data", value, sizeof value));
	assert_string_equal(value, "none"); // unless it is said otherwise
	assert_false(config_set(c, "quality", "pipe:", &f));
	assert_says(&f, "missing");
	assert_false(config_set(c, "quality", "pipes", &f));
	assert_says(&f, "accuracy|loss|agreement|pipe:COMMAND");
	char lengthy[ENGINE_TEXT + 8] = "pipe:";
	memset(lengthy + 5, 'x', sizeof lengthy - 6);
	assert_false(config_set(c, "quality", lengthy, &f));
	assert_says(&f, "put a longer command into a file");
	assert_true(config_set(c, "data", "glyphs", &f));
	assert_null(engine_open(c, NULL, &f));
	assert_says(&f, "the command has its own images");
	config_free(c);
}

// ---- honest children ---------------------------------------------------------------------------------------------------

static void learn(const char *script, char *digest, size_t size)
{
	struct snapshot *s = snapshot_new();
	struct engine *e = opened(script, "20");
	engine_allow(e);
	engine_run_to(e, ENGINE_RUN_ON);
	rests(e, s);
	if (s->run != RUN_FINISHED)
		fail_msg("%s: %s", engine_run_word(s->run), s->fault.what);
	assert_true(s->points > 3 && s->quality > 0.4 && s->quality < 1 && !s->quality_is_loss);
	digest_of(e, digest, size);
	engine_close(e);
	snapshot_free(s);
	nobody_is_left();
}

static void order_does_not_matter(void **state)
{
	(void)state;
	char a[64], b[64], c[64];
	learn(honest, a, sizeof a);
	learn(honest, b, sizeof b);
	learn(crossed, c, sizeof c);
	assert_string_equal(a, b);
	assert_string_equal(a, c);
}

static void asks_once_where_answers_are_constant(void **state)
{
	(void)state;
	char a[64], b[64], script[sizeof honest + 64];
	learn(honest, a, sizeof a);
	snprintf(script, sizeof script, "HOW=' constant'\n%s", honest);
	learn(script, b, sizeof b);
	assert_string_equal(a, b);
}

static void losses(void **state)
{
	(void)state;
	struct snapshot *s = snapshot_new();
	struct engine *e =
		opened("read h; echo hello 1 loss; while read v i c; do echo \"$i ok quality=2.5 accuracy=0.25\"; done", "20");
	engine_allow(e);
	engine_run_to(e, 11);
	rests(e, s);
	assert_true(s->quality_is_loss && fabs(s->quality + 2.5) < 1e-6 && s->points > 0 && s->point[0].accuracy == 0.25);
	engine_close(e);
	snapshot_free(s);
}

// A choice that fails is left out; so is one on which the child dies.
static void failures_do_not_end_it(void **state)
{
	(void)state;
	struct snapshot *s = snapshot_new();
	static const char *const scripts[] = {
		"read h; echo hello 1 accuracy; n=0; while read v i c; do n=$((n + 1)); if [ $((n % 3)) = 0 ]; then echo \"$i fail out of "
		"memory\"; else echo \"$i ok quality=0.5\"; fi; done",
		"read h; echo hello 1 accuracy; n=0; while read v i c; do n=$((n + 1)); [ $n = 6 ] && kill -9 $$; echo \"$i ok "
		"quality=0.5\"; done",
	};
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct engine *e = opened(scripts[i], "20");
		engine_allow(e);
		engine_run_to(e, 15);
		rests(e, s);
		if (s->step != 15)
			fail_msg("%zu: step %ld, %s", i, s->step, s->fault.what);
		engine_close(e);
		snapshot_free(s);
		s = snapshot_new();
	}
	snapshot_free(s);
	nobody_is_left();
}

// ---- hostile children ----------------------------------------------------------------------------------------------------

#define HELLO "read h; echo hello 1 accuracy; "
static const struct hostile {
	const char *name, *script, *timeout, *says;
} hostile[] = {
	{"no such program", "exec ./nowhere", "5", "ended with status 127, and had not said hello; it says: "},
	{"says nothing", "sleep 60", "0.3", "was silent for 0.3 s (quality-timeout), and had not said hello"},
	{"never answers", HELLO "sleep 60", "0.3", "was silent for 0.3 s (quality-timeout), and has answered nothing"},
	{"talks first", "echo Loading the model...; sleep 60", "5", "wrote \"Loading the model...\" where \"hello 1 accuracy\""},
	{"another protocol", "read h; echo hello 2 accuracy; sleep 60", "5", "wrote \"hello 2 accuracy\" where"},
	{"half a hello", "read h; echo hello 1; sleep 60", "5", "without saying accuracy or loss"},
	{"other layers", "read h; echo hello 1 accuracy digest=12; sleep 60", "5", "is made for other layers"},
	{"garbage", HELLO "read l; printf '\\033[2J\\377garbage\\n'; sleep 60", "5",
		"wrote \"?[2J?garbage\" where \"ID ok quality=Q\""},
	{"a line without end", HELLO "read l; head -c 3000000 /dev/zero | tr '\\0' x; sleep 60", "5",
		"wrote a line of more than 1023"},
	{"zero bytes", HELLO "read l; printf '1 ok\\0 quality=0.5\\n'; sleep 60", "5", "one with a zero byte"},
	{"twice", HELLO "read l; echo 1 ok quality=0.5; echo 1 ok quality=0.5; sleep 60", "5",
		"answered question 1, which it was not asked, or twice"},
	{"unknown", HELLO "read l; echo 99 ok quality=0.5; sleep 60", "5", "answered question 99, which it was not asked"},
	{"not a number", HELLO "read l; echo 1 ok quality=nan; sleep 60", "5", "expected quality=Q, an accuracy of 0 to 1"},
	{"percent", HELLO "read l; echo 1 ok quality=81.2; sleep 60", "5", "expected quality=Q, an accuracy of 0 to 1"},
	{"no quality", HELLO "read l; echo 1 ok; sleep 60", "5", "expected quality=Q"},
	{"costs", HELLO "read l; echo 1 ok quality=0.5 watts=3; sleep 60", "5", "expected quality=Q"},
	{"dies within a line", HELLO "read l; printf '1 ok qual'; kill -9 $$", "5",
		"was ended by signal 9 in the middle of a line"},
	{"closes its output", HELLO "read l; exec >&-; sleep 60", "5", "closed its output, and has answered nothing"},
	{"says why", HELLO "read l; echo 'ImportError: no torch' >&2; exit 3", "5",
		"ended with status 3, and has answered nothing; it says: ImportError: no torch"},
	{"floods its log", "yes no >&2 & " HELLO "sleep 60", "0.3", "has answered nothing; it says: no"},
	{"blank lines for ever", HELLO "yes ''", "0.3", "was silent"},
	{"does not die", "trap '' TERM HUP INT; " HELLO "while :; do sleep 60; done", "0.3", "was silent"},
	{"leaves others", "(trap '' TERM; sleep 60) & (sleep 61 &) ; " HELLO "sleep 60", "0.3", "was silent"},
	{"dies again and again", HELLO "read v i c; [ -e once ] || { touch once; echo $i ok quality=0.5; read v i c; }; exit 4",
		"5", "ended with status 4; so did those before it, on 3 choices in a row"},
	{"fails always", HELLO "while read v i c; do echo \"$i fail no GPU\"; done", "5",
		"failed on 64 choices in a row, the last one: no GPU"},
};

static void hostile_children(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		const struct hostile *h = &hostile[i];
		struct snapshot *s = snapshot_new();
		struct engine *e = opened(h->script, h->timeout);
		char line[sizeof(struct fault) + 8];
		unlink("once");
		engine_allow(e);
		double began = clock_seconds();
		engine_run_to(e, ENGINE_RUN_ON);
		rests(e, s);
		if (s->run != RUN_HALTED)
			fail_msg("%s: %s at step %ld", h->name, engine_run_word(s->run), s->step);
		fault_line(&s->fault, line, sizeof line);
		if (!strstr(line, h->says) || strchr(line, '\n') || !strstr(line, "run"))
			fail_msg("%s: \"%s\" does not say \"%s\"", h->name, line, h->says);
		assert_true(clock_seconds() - began < 10);
		engine_close(e);
		snapshot_free(s);
		nobody_is_left();
	}
}

// Whoever waits for a child that does not answer can pause, ask, change and leave at once.
static void a_wait_gives_way(void **state)
{
	(void)state;
	struct snapshot *s = snapshot_new();
	struct engine *e = opened(HELLO "sleep 60", "300");
	struct reply r = {0};
	struct fault f;
	unsigned ticket;
	char digest[64];
	engine_allow(e);
	engine_run_to(e, ENGINE_RUN_ON);
	double began = clock_seconds();
	while (!engine_snapshot(e, s) || !strstr(s->says, "silent for"))
		assert_true(clock_seconds() - began < 10);
	struct change_item item = {"stem", "int8"};
	assert_true(engine_post_change(e, &(struct change){.kind = CHANGE_RESTRICT, .items = 1, .item = &item}, &ticket, &f));
	began = clock_seconds();
	do {
		reply_free(&r);
		assert_true(clock_seconds() - began < 1);
	} while (!engine_reply(e, &r) || r.ticket != ticket);
	assert_true(r.ok && r.step == 0);
	reply_free(&r);
	digest_of(e, digest, sizeof digest);
	assert_true(clock_seconds() - began < 1);
	engine_pause(e);
	rests(e, s);
	assert_true(s->run == RUN_PAUSED && clock_seconds() - began < 1);
	// An evaluation waits by itself, and a pause breaks it off.
	assert_true(engine_post_evaluate(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT, &ticket, &f));
	usleep(300000);
	assert_false(engine_reply(e, &r));
	engine_pause(e);
	began = clock_seconds();
	while (!engine_reply(e, &r))
		assert_true(clock_seconds() - began < 1);
	assert_true(!r.ok && strstr(r.fault.what, "broken off"));
	reply_free(&r);
	engine_run_to(e, ENGINE_RUN_ON);
	usleep(100000);
	began = clock_seconds();
	engine_close(e);
	assert_true(clock_seconds() - began < 2);
	snapshot_free(s);
	nobody_is_left();
}

// It sees nothing of ours: no descriptor but its three, no terminal; and our signals stay ours.
static void nothing_leaks_into_it(void **state)
{
	(void)state;
	struct snapshot *s = snapshot_new();
	struct engine *e = opened(
		"read h; ls /proc/self/fd | wc -l >fds; (: </dev/tty) 2>/dev/null && echo tty >tty; echo hello 1 accuracy; "
		"while read v i c; do echo \"$i ok quality=0.5\"; done",
		"5");
	engine_allow(e);
	engine_run_to(e, 3);
	rests(e, s);
	assert_int_equal(s->step, 3);
	char *fds = get("fds", NULL);
	assert_true(strtol(fds, NULL, 10) <= 4); // the folder that ls reads is one
	free(fds);
	assert_int_equal(access("tty", F_OK), -1);
	engine_close(e);
	snapshot_free(s);
}

// ---- sessions ------------------------------------------------------------------------------------------------------------

static struct session *made(const char *name)
{
	struct fault f;
	put_string("child.sh", honest);
	unlink("starts");
	struct config *c = piped("sh ./child.sh", "20");
	struct session *s = session_new(name, c, &f);
	config_free(c);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	return s;
}

static int starts(void)
{
	char *text = access("starts", F_OK) == 0 ? get("starts", NULL) : NULL;
	int n = 0;
	for (const char *at = text; at && (at = strchr(at, '\n')); at++)
		n++;
	free(text);
	return n;
}

static void quiet(const char *line)
{
	(void)line;
}

static void replays_without_a_child(void **state)
{
	(void)state;
	struct fault f;
	char digest[JOURNAL_DIGEST_TEXT];
	struct session *s = made("kept");
	session_allow(s);
	run_lines(s, "run 12\npin stem int8\nrun 10\nevaluate\ntarget bops 0.3x\nrun 5\nsave\n");
	assert_int_equal(starts(), 1);
	snprintf(digest, sizeof digest, "%s", s->digest);
	end(s);
	put_string("child.sh", "touch ran\n");
	if (!session_replay("kept", quiet, &f))
		fail_msg("%s: %s", f.where, f.what);
	// Open, it goes on without one as far as it was answered, and no further.
	s = again("kept");
	char text[8192];
	heard(s, text, sizeof text);
	assert_string_equal(session_asks(s), "sh ./child.sh");
	assert_int_equal(s->snapshot->step, 27);
	refused(s, "run 1\n", "which nobody here has allowed: sh ./child.sh");
	end(s);
	assert_int_equal(access("ran", F_OK), -1);
	assert_int_equal(starts(), 1);
}

// A machine that stopped in the middle: what was answered is not asked again, and the result is that of an undisturbed run.
static void goes_on_after_a_crash(void **state)
{
	(void)state;
	struct session *s = made("whole");
	char digest[JOURNAL_DIGEST_TEXT];
	session_allow(s);
	run_lines(s, "run 30\ndigest\n");
	snprintf(digest, sizeof digest, "%s", s->digest);
	end(s);
	s = made("cut");
	session_allow(s);
	run_lines(s, "run 8\nsave\nrun 9\n");
	// As a crash leaves it: the checkpoint of step 8, and answers beyond it.
	char folder[1024];
	snprintf(folder, sizeof folder, "%s", session_folder(s));
	assert_true(writer_finish(s->writer, NULL));
	s->writer = NULL;
	session_free(s);
	s = again("cut");
	char text[8192];
	heard(s, text, sizeof text);
	assert_int_equal(s->snapshot->step, 16); // the answers of step 16 are there: it is made once it runs
	session_allow(s);
	run_lines(s, "run 14\ndigest\n");
	assert_string_equal(s->digest, digest);
	end(s);
	struct fault f;
	if (!session_replay("cut", quiet, &f))
		fail_msg("%s: %s", f.where, f.what);
}

// Changes that are made while a step waits for its answers are made between two steps, as a replay makes them.
static void changes_while_it_waits(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = made("waiting");
	char script[sizeof honest + 128];
	snprintf(script, sizeof script, "wait_for() { while ! [ -e go ]; do sleep 0.05; done; }\n%s", honest);
	char *at = strstr(script, "	n=0 sum=0");
	assert_non_null(at);
	char rest[sizeof honest];
	snprintf(rest, sizeof rest, "%s", at);
	snprintf(at, sizeof script - (size_t)(at - script), "	[ $id -ge 16 ] && wait_for\n%s", rest);
	put_string("child.sh", script);
	unlink("go");
	session_allow(s);
	engine_run_to(s->engine, ENGINE_RUN_ON);
	double began = clock_seconds();
	while (!strstr(s->snapshot->says, "silent for")) {
		session_turn(s);
		assert_true(clock_seconds() - began < 20);
	}
	usleep(800000); // a busy machine may have been silent before
	session_turn(s);
	long step = s->snapshot->step;
	assert_true(step > 1 && step < 20);
	run_lines(s, "target bops 0.5x\ngroup s1* as one\n");
	usleep(600000); // it asks about other choices now
	run_lines(s, "pin stem int8\nungroup one\ntarget bops 0.6x\n");
	assert_true(s->snapshot->step <= step + 2); // what was answered may be enough
	usleep(600000);
	run_lines(s, "undo\n");
	put_string("go", "");
	run_lines(s, "wait finished\nsave\n");
	end(s);
	if (!session_replay("waiting", quiet, &f))
		fail_msg("%s: %s", f.where, f.what);
}

// Answers that are not as the child gave them are found, as any line of the journal is.
static void answers_cannot_be_edited(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = made("edited");
	session_allow(s);
	run_lines(s, "run 5\nsave\n");
	char path[1200];
	snprintf(path, sizeof path, "%s/journal", session_folder(s));
	end(s);
	size_t n;
	char *bytes = get(path, &n), *at = strstr(bytes, "=0.");
	assert_non_null(at);
	at[3] = at[3] == '9' ? '8' : '9';
	put(path, bytes, n);
	free(bytes);
	assert_false(session_replay("edited", quiet, &f));
	assert_says(&f, "sum does not fit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_back),
		cmocka_unit_test(answers_are_found),
		cmocka_unit_test(settings),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(asks_once_where_answers_are_constant),
		cmocka_unit_test(losses),
		cmocka_unit_test(failures_do_not_end_it),
		cmocka_unit_test(hostile_children),
		cmocka_unit_test(a_wait_gives_way),
		cmocka_unit_test(nothing_leaks_into_it),
		cmocka_unit_test(replays_without_a_child),
		cmocka_unit_test(goes_on_after_a_crash),
		cmocka_unit_test(changes_while_it_waits),
		cmocka_unit_test(answers_cannot_be_edited),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
