// SPDX-License-Identifier: GPL-3.0-or-later
// What was acknowledged is on the disk, and what is opened is what was saved: acknowledgements, disks that fail, files that do
// not fit together, other sets of kernels, states that are not numbers, which checkpoints stay.
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/workplace.h"

#include "sessions/store/changes.h"
#include "sessions/core/restore.h"
#include "tests/sealed.h"

// ---- helpers -------------------------------------------------------------------------------------------------------

static char told[8192]; // by the last session that was opened

static struct session *opened(const char *name)
{
	struct session *s = again(name);
	heard(s, told, sizeof told);
	return s;
}

static void assert_told(const char *part)
{
	if (!strstr(told, part))
		fail_msg("\"%s\" is not in:\n%s", part, told);
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void copy_session(const char *from, const char *to)
{
	char a[FOLDER_PATH], b[FOLDER_PATH];
	int count;
	ground_clear(to);
	assert_true(folder_make(to, true, NULL));
	static const char *const files[] = {JOURNAL_FILE, JOURNAL_END_FILE, MANIFEST_FILE};
	for (int i = 0; i < 3; i++) {
		snprintf(a, sizeof a, "%s/%s", from, files[i]);
		snprintf(b, sizeof b, "%s/%s", to, files[i]);
		copy_file(a, b);
	}
	long *steps = checkpoint_list(from, &count);
	for (int i = 0; i < count; i++) {
		assert_true(checkpoint_path(from, steps[i], a, sizeof a) && checkpoint_path(to, steps[i], b, sizeof b));
		copy_file(a, b);
	}
	free(steps);
}

static void replace_in(const char *path, const char *old, const char *new)
{
	size_t n;
	char *text = get(path, &n), *at = strstr(text, old);
	struct string t = {0};
	assert_non_null(at);
	string_bytes(&t, text, (size_t)(at - text));
	string_add(&t, "%s%s", new, at + strlen(old));
	put(path, t.bytes, t.length);
	string_free(&t);
	free(text);
}

static bool in_file(const char *path, const char *part)
{
	char *text = get(path, NULL);
	bool found = strstr(text, part) != NULL;
	free(text);
	return found;
}

// Turns until a message holds `part`.
static void await_message(struct session *s, const char *part)
{
	for (int turns = 0; turns < 3000; turns++) {
		struct pollfd fds[SESSION_FDS];
		int timeout = 20;
		bool bad;
		session_turn(s);
		for (const char *text; (text = session_message(s, &bad));)
			if (strstr(text, part))
				return;
		int n = session_fds(s, fds, &timeout);
		poll(fds, (nfds_t)n, timeout < 0 || timeout > 20 ? 20 : timeout);
	}
	fail_msg("never said: %s", part);
}

static rlim_t no_limit;

// The disk is full: no file may grow beyond so many bytes.
static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	if (!no_limit)
		no_limit = limit.rlim_cur;
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

static off_t size_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_size : -1;
}

// A session with checkpoints at 8, 13 and 17, changes at 8 and 13.
static const char three_parts[] = "run 8\npin stem int8\nsave\nrun 5\ntarget bops 0.5x\nsave\nrun 4\n";

static void make(const char *name)
{
	struct session *s = begin(name);
	run_lines(s, three_parts);
	end(s);
}

// ---- acknowledgements ----------------------------------------------------------------------------------------------

static void acknowledged_is_written(void **state)
{
	(void)state;
	struct fault f;
	struct change c;
	struct session *s = begin("acks");
	bool bad;
	engine_run_to(s->engine, ENGINE_RUN_ON);
	for (int i = 0; i < 20; i++) {
		char line[64], expected[80];
		snprintf(line, sizeof line, "weight bops 1.%03d", i + 1);
		snprintf(expected, sizeof expected, " %s ", line);
		assert_true(change_read(line, &c, &f));
		assert_true(session_change(s, &c, ACT_DO, 0, &f));
		free(c.item);
		for (bool acknowledged = false; !acknowledged;) {
			session_turn(s);
			const char *text = session_message(s, &bad);
			acknowledged = text && strstr(text, line + strlen("weight bops "));
			if (text && bad)
				fail_msg("%s", text);
		}
		assert_true(in_file("acks.bitscape/journal", expected));
		assert_int_equal(session_unwritten(s), 0);
	}
	end(s);
}

// A writer that is held up: what it has not synced is in force, counted, and not acknowledged.
static void not_written_is_not_acknowledged(void **state)
{
	(void)state;
	struct session *s = begin("full");
	const struct journal_entry *entry;
	run_lines(s, "run 3\npin stem int8\nsave\n");
	off_t length = size_of("full.bitscape/journal");
	limit_files((rlim_t)length + 10);
	refused(s, "pin head int8\n", "full.bitscape/journal");
	assert_int_equal(size_of("full.bitscape/journal"), length);
	assert_int_equal(session_journal(s, &entry), 2);
	assert_int_equal(session_unwritten(s), 1);
	char *out = get("out", NULL);
	assert_null(strstr(out, "head is pinned"));
	assert_non_null(strstr(out, "changes are stopped until the journal can be written (1 waits)"));
	free(out);
	// Changes are refused, the search goes on, nothing of a later step is written.
	refused(s, "pin s1b1.conv1 int8\n", "changes are stopped");
	refused(s, "undo\n", "then `save`");
	refused(s, "note never\n", "changes are stopped");
	run_lines(s, "run 4\nexpect step = 7\n");
	refused(s, "save\n", "full.bitscape/journal");
	assert_false(there("full.bitscape/checkpoint-7.safetensors"));
	assert_false(in_file("full.bitscape/journal", "digest 7"));
	// The disk works again: by itself, in time.
	limit_files(no_limit);
	await_message(s, "the journal is written again");
	assert_int_equal(session_unwritten(s), 0);
	assert_true(in_file("full.bitscape/journal", "3 pin head int8"));
	run_lines(s, "pin s1b1.conv1 int8\n");
	// By a save.
	limit_files((rlim_t)size_of("full.bitscape/journal") + 10);
	refused(s, "unpin head\n", "full.bitscape/journal");
	limit_files(no_limit);
	run_lines(s, "save\n");
	assert_printed("head is free again");
	assert_printed("step 7: saved");
	run_lines(s, "run 2\n");
	char digest[JOURNAL_DIGEST_TEXT];
	run_lines(s, "digest\n");
	snprintf(digest, sizeof digest, "%s", s->digest);
	end(s);
	s = opened("full");
	run_lines(s, "digest\n");
	assert_string_equal(s->digest, digest);
	end(s);
	// Never again: closing says so, and what was acknowledged is there.
	s = opened("full");
	limit_files((rlim_t)size_of("full.bitscape/journal") + 10);
	refused(s, "pin head int8\n", "full.bitscape/journal");
	struct fault f;
	assert_false(session_close(s, &f));
	limit_files(no_limit);
	s = opened("full");
	assert_int_equal(session_journal(s, &entry), 4);
	end(s);
}

// The first checkpoint comes within seconds of the first step, the next after a sixteenth of the way, and then by the minute.
static void saved_by_time_and_steps(void **state)
{
	(void)state;
	static const struct {
		long saved_step;
		double seconds;
		bool due;
	} cases[] = {
		{-1, AUTOSAVE_LEAST - 2, false},
		{-1, AUTOSAVE_LEAST + 1, true},
		{99, AUTOSAVE_LEAST + 1, false},
		{99, AUTOSAVE_SECONDS - 20, false},
		{99, AUTOSAVE_SECONDS + 1, true},
		{90, AUTOSAVE_LEAST - 2, false},
		{90, AUTOSAVE_LEAST + 1, true},
	};
	struct session *s = begin("auto");
	run_lines(s, "extend 100\nrun 100\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int timeout = 1000000;
		struct pollfd fds[SESSION_FDS];
		s->snapshot->run = RUN_RUNNING; // as while steps are made
		s->saved_step = cases[i].saved_step;
		s->saved_at = clock_seconds() - cases[i].seconds;
		session_fds(s, fds, &timeout);
		assert_int_equal(timeout <= 1, cases[i].due);
		s->snapshot->run = RUN_PAUSED;
	}
	end(s);
}

// ---- what fits together ----------------------------------------------------------------------------------------------

static void assert_goes_on(const char *name, const char *with, long step)
{
	struct session *s = opened(name);
	assert_told(with);
	assert_false(session_read_only(s));
	assert_int_equal(session_snapshot(s)->step, step);
	end(s);
}

static void assert_reads_only(const char *name, const char *with, long step)
{
	struct session *s = opened(name);
	assert_told(with);
	assert_true(session_read_only(s));
	struct fault f;
	assert_false(session_may_save(s, &f));
	assert_says(&f, "reading only");
	assert_int_equal(session_snapshot(s)->step, step);
	end(s);
}

static void checkpoints_that_do_not_fit(void **state)
{
	(void)state;
	make("one");
	make("two"); // the same search, and yet another session

	copy_session("one.bitscape", "other.bitscape");
	copy_file("two.bitscape/checkpoint-17.safetensors", "other.bitscape/checkpoint-17.safetensors");
	assert_goes_on("other", "checkpoint-17.safetensors: it does not fit: it is of another session", 17);
	assert_true(there("other.bitscape/checkpoint-17.safetensors.does-not-fit"));
	assert_true(there("other.bitscape/checkpoint-17.safetensors")); // saved again, from the one before and the journal

	copy_session("one.bitscape", "renamed.bitscape");
	copy_file("one.bitscape/checkpoint-13.safetensors", "renamed.bitscape/checkpoint-17.safetensors");
	assert_goes_on("renamed", "it does not fit: it is of step 13", 17);

	// The journal was cut: good checkpoints are not called damaged.
	copy_session("one.bitscape", "cut.bitscape");
	size_t n;
	char *journal = get("cut.bitscape/journal", &n), *at = strstr(journal, "13 target");
	put("cut.bitscape/journal", journal, (size_t)(at - journal));
	free(journal);
	assert_goes_on("cut", "it stands on", 8);
	assert_told("when it was written last");
	assert_true(there("cut.bitscape/checkpoint-17.safetensors.does-not-fit"));
	assert_false(there("cut.bitscape/checkpoint-17.safetensors.damaged"));

	// A bit of a weight, with a checksum that fits: the engine knows.
	copy_session("one.bitscape", "weight.bitscape");
	struct checkpoint c;
	struct fault f;
	assert_true(checkpoint_read("weight.bitscape/checkpoint-17.safetensors", &c, &f));
	for (int i = 0; i < c.state->tensors; i++)
		if (strncmp(c.state->tensor[i].name, "network.", 8) == 0 && c.state->tensor[i].bytes)
			((unsigned char *)c.state->tensor[i].data)[0] ^= 1;
	assert_true(checkpoint_write("weight.bitscape", &c, &f));
	state_free(c.state);
	assert_goes_on("weight", "checkpoint-17.safetensors", 17);
	assert_true(there("weight.bitscape/checkpoint-17.safetensors.does-not-fit"));
}

static void journals_that_do_not_fit(void **state)
{
	(void)state;
	copy_session("one.bitscape", "edit.bitscape");
	replace_in("edit.bitscape/journal", "pin stem int8", "pin stem int4");
	assert_reads_only("edit", "edit.bitscape/journal:2: its sum does not fit", 0);
	assert_true(there("edit.bitscape/checkpoint-17.safetensors")); // nothing is moved

	copy_session("one.bitscape", "less.bitscape");
	size_t n;
	char *journal = get("less.bitscape/journal", &n), *at = strstr(journal, "13 target"), *next = strchr(at, '\n') + 1;
	memmove(at, next, strlen(next) + 1);
	put("less.bitscape/journal", journal, strlen(journal));
	free(journal);
	assert_reads_only("less", "its sum does not fit", 8);

	copy_session("one.bitscape", "swap.bitscape");
	copy_file("two.bitscape/journal", "swap.bitscape/journal");
	assert_reads_only("swap", "swap.bitscape/journal: it is of another session", 17);
	struct fault f;
	assert_false(session_replay("swap", NULL, &f));
	assert_says(&f, "another session");

	copy_session("one.bitscape", "none.bitscape");
	assert_int_equal(unlink("none.bitscape/journal"), 0);
	assert_reads_only("none", "none.bitscape/journal", 17);
	assert_false(there("none.bitscape/journal"));

	// Sums that fit, and a digest that the search does not have.
	struct string lines = {0}, text = {0};
	char id[IDENTITY_TEXT];
	copy_session("one.bitscape", "digest.bitscape");
	journal = get("digest.bitscape/journal", &n);
	snprintf(id, sizeof id, "%s", journal + strlen("# bitscape journal 2 "));
	for (char *line = strchr(journal, '\n') + 1, *end_of; (end_of = strchr(line, '\n')); line = end_of + 1)
		string_add(&lines, "%.*s\n", (int)(strstr(line, " #=") - line), line);
	at = strstr(lines.bytes, "# digest 13 ") + 12;
	*at = *at == '0' ? '1' : '0';
	seal(&text, id, lines.bytes);
	put("digest.bitscape/journal", text.bytes, text.length);
	string_free(&lines);
	string_free(&text);
	free(journal);
	assert_reads_only("digest", "the digest is now", 13);
	assert_told("checkpoint-17.safetensors: it does not fit: the journal says something else up to there");

	// Lines behind the newest checkpoint, as a crash leaves them, one of them edited.
	struct session *s = begin("tail");
	run_lines(s, "run 8\nsave\npin stem int8\nrun 2\nweight bops 0.7\n");
	copy_session("tail.bitscape", "tail2.bitscape");
	copy_session("tail.bitscape", "tail3.bitscape");
	end(s);
	journal = get("tail3.bitscape/journal", &n);
	put("tail3.bitscape/journal", journal, (size_t)(strstr(journal, "10 weight") - journal));
	free(journal);
	assert_goes_on("tail3", "when it was written last", 8);
	s = opened("tail2");
	assert_told("2 changes done again");
	end(s);
	copy_session("tail.bitscape", "tail2.bitscape");
	replace_in("tail2.bitscape/journal", "weight bops 0.7", "weight bops 0.9");
	assert_reads_only("tail2", "its sum does not fit", 8);
}

static void manifests_that_do_not_fit(void **state)
{
	(void)state;
	struct fault f;
	copy_session("one.bitscape", "seed.bitscape");
	replace_in("seed.bitscape/manifest.json", "\"seed\": \"1\"", "\"seed\": \"2\"");
	assert_null(session_open("seed", &f));
	assert_says(&f, "seed.bitscape/manifest.json");
	assert_says(&f, "its sum does not fit");
	// Taken as it is on request; but it is not these checkpoints', which stay where they are.
	char *text = get("seed.bitscape/manifest.json", NULL), *sum = strstr(text, ",\n  \"sum\"");
	assert_non_null(sum);
	strcpy(sum, "\n}\n");
	put_string("seed.bitscape/manifest.json", text);
	free(text);
	struct session *s = opened("seed");
	assert_told("its seed is");
	assert_told("changed by hand");
	assert_true(session_read_only(s));
	end(s);
	assert_true(there("seed.bitscape/checkpoint-17.safetensors"));

	copy_session("one.bitscape", "theirs.bitscape");
	copy_file("two.bitscape/manifest.json", "theirs.bitscape/manifest.json");
	s = opened("theirs");
	assert_told("it is of another session");
	assert_true(session_read_only(s));
	end(s);

	// What the engine says of settings is said of the manifest.
	s = begin("unheard");
	struct config *config = config_copy(s->began);
	struct manifest manifest = s->manifest;
	end(s);
	assert_true(config_set(config, "net", "no-such-net", NULL) ||
		config_set(config, "data", "cifar10:/no/such/folder", NULL));
	assert_true(manifest_write("unheard.bitscape", config, &manifest, &f));
	config_free(config);
	assert_null(session_open("unheard", &f));
	assert_says(&f, "unheard.bitscape/manifest.json");
}

// ---- kernels -------------------------------------------------------------------------------------------------------

static void no_word(const char *line)
{
	(void)line;
}

// In a process of its own, with this set of kernels: it is chosen once. Returns what it writes to `out`.
static void with_kernels(const char *set, const char *arguments)
{
	const char *build = getenv("OUT");
	char command[FOLDER_PATH * 2];
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (set)
			setenv("BITSCAPE_KERNELS", set, 1);
		int to = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0666);
		dup2(to, 1);
		dup2(to, 2);
		snprintf(command, sizeof command, "exec '%s/bitscape' %s", build ? build : "build", arguments);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void kernels_are_recorded(void **state)
{
	(void)state;
	struct fault f;
	if (!getenv("OUT") || strcmp(engine_kernels(), "base") == 0) {
		printf("skipped: it takes a processor with two sets of kernels, and OUT\n");
		skip();
	}
	make("sets");
	put_string("more", "run 3\n");
	with_kernels("base", "--batch more ./sets");
	assert_printed("step 17: the base kernels compute from here on");
	assert_true(in_file("sets.bitscape/journal", "# kernels 17 base"));
	assert_true(in_file("sets.bitscape/manifest.json", engine_kernels()));
	// It stays with that set where no other is asked for, and a replay follows it through both.
	struct session *s = opened("sets");
	assert_string_equal(session_snapshot(s)->info->kernels, "base");
	run_lines(s, "run 2\n");
	end(s);
	if (!session_replay("sets", no_word, &f))
		fail_msg("%s: %s", f.where, f.what);
	// Asked for the first set again, with lines to follow: those by their own set.
	copy_session("sets.bitscape", "sets2.bitscape");
	ground_clear("sets2.bitscape/checkpoint-22.safetensors");
	char arguments[FOLDER_PATH];
	snprintf(arguments, sizeof arguments, "--batch more ./sets2");
	with_kernels(engine_kernels(), arguments);
	char expected[128];
	snprintf(expected, sizeof expected, "step 22: the %s kernels compute from here on", engine_kernels());
	assert_printed(expected);
	assert_true(session_replay("sets2", no_word, &f));

	with_kernels("avx3", "--batch more ./sets2");
	assert_printed("no set of kernels called 'avx3'; choose one of base, ");
	with_kernels("avx3", "new never --batch more");
	assert_printed("avx3");
	assert_false(there("never.bitscape"));
}

// ---- states that are not numbers ---------------------------------------------------------------------------------------

static void not_a_number_is_not_saved(void **state)
{
	(void)state;
	struct fault f;
	static const char *const names[] = {"network.", "policy."};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		struct checkpoint c;
		copy_session("one.bitscape", "nan.bitscape");
		size_t n, m;
		char *before = get("nan.bitscape/checkpoint-17.safetensors", &n);
		assert_true(checkpoint_read("nan.bitscape/checkpoint-17.safetensors", &c, &f));
		assert_true(state_sound(c.state, &f));
		for (int i = 0; i < c.state->tensors; i++)
			if (strncmp(c.state->tensor[i].name, names[k], strlen(names[k])) == 0 && c.state->tensor[i].bytes)
				((float *)c.state->tensor[i].data)[0] = k ? NAN : INFINITY;
		assert_false(checkpoint_write("nan.bitscape", &c, &f));
		assert_says(&f, names[k]);
		assert_says(&f, "is not saved");
		state_free(c.state);
		char *after = get("nan.bitscape/checkpoint-17.safetensors", &m);
		assert_int_equal(n, m);
		assert_memory_equal(before, after, n);
		free(before);
		free(after);
	}
}

// ---- which checkpoints stay ------------------------------------------------------------------------------------------

// Saves are `every` steps apart. While a search goes on no gap is more than `part` of what was made, or than one of the saves that
// were farther apart.
static void assert_near(long every, long most, double part)
{
	long steps[CHECKPOINTS_KEPT + 2];
	int count = 0;
	for (long step = every; step <= most; step += every) {
		memmove(steps + 1, steps, (size_t)count * sizeof *steps);
		steps[0] = step;
		if (++count > CHECKPOINTS_KEPT) {
			int surplus = checkpoint_surplus(steps, count);
			assert_in_range(surplus, 1, count - 1);
			memmove(steps + surplus, steps + surplus + 1, (size_t)(--count - surplus) * sizeof *steps);
		}
		assert_int_equal(steps[0], step);
		for (int i = 0; i < count; i++) {
			long gap = steps[i] - (i + 1 < count ? steps[i + 1] : 0);
			assert_true(gap <= every || (double)gap <= part * (double)step + (double)every);
		}
	}
}

// A search of 5000 steps that was saved at each twentieth of them, and at odd steps between.
static void assert_even(void)
{
	long steps[CHECKPOINTS_KEPT + 2];
	int kept = 0;
	for (long step = 1; step <= 5000; step++) {
		if (step % 250 && step % 631)
			continue;
		memmove(steps + 1, steps, (size_t)kept * sizeof *steps);
		steps[0] = step;
		if (++kept > CHECKPOINTS_KEPT) {
			int surplus = checkpoint_surplus(steps, kept);
			memmove(steps + surplus, steps + surplus + 1, (size_t)(--kept - surplus) * sizeof *steps);
		}
	}
	for (int i = 0; i < kept; i++)
		assert_in_range(steps[i] - (i + 1 < kept ? steps[i + 1] : 0), 1, 251);
}

static void checkpoints_are_thinned(void **state)
{
	(void)state;
	assert_near(1, 3000, 2.0 / CHECKPOINTS_KEPT);
	assert_near(10, 5000, 2.0 / CHECKPOINTS_KEPT);
	assert_near(50, 5000, 2.0 / CHECKPOINTS_KEPT);
	assert_near(250, 100000, 2.0 / CHECKPOINTS_KEPT);
	assert_even();
	struct session *s = begin("thin");
	for (int i = 1; i <= 28; i++)
		run_lines(s, "run 1\nsave\n");
	end(s);
	int count;
	long *steps = checkpoint_list("thin.bitscape", &count);
	assert_int_equal(count, CHECKPOINTS_KEPT);
	assert_int_equal(steps[0], 28);
	for (int i = 1; i < count; i++)
		assert_in_range(steps[i - 1] - steps[i], 1, 4);
	free(steps);
}

// ---- parents -------------------------------------------------------------------------------------------------------

static void a_parent_is_kept(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("child");
	struct manifest m = s->manifest;
	struct config *config = config_copy(s->began);
	end(s);
	assert_true(ground_clear("child.bitscape"));
	assert_true(folder_make("child.bitscape", true, &f));
	snprintf(m.parent, sizeof m.parent, "fedcba9876543210");
	m.parent_step = 0;
	snprintf(m.parent_digest, sizeof m.parent_digest, "abc123");
	m.closed = false;
	assert_true(manifest_write("child.bitscape", config, &m, &f));
	config_free(config);
	struct string text = {0};
	seal(&text, m.session, "# parent 0 fedcba9876543210 abc123\n0 pin stem int8\n");
	put("child.bitscape/journal", text.bytes, text.length);
	string_free(&text);
	s = opened("child");
	assert_false(session_read_only(s));
	run_lines(s, "run 2\nstatus\nexpect pinned.stem = int8\n");
	assert_printed("goes on from session fedcba9876543210 at step 0, digest abc123");
	end(s);
	assert_true(in_file("child.bitscape/manifest.json", "fedcba9876543210"));
	assert_true(session_replay("child", no_word, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledged_is_written),
		cmocka_unit_test(not_written_is_not_acknowledged),
		cmocka_unit_test(saved_by_time_and_steps),
		cmocka_unit_test(checkpoints_that_do_not_fit),
		cmocka_unit_test(journals_that_do_not_fit),
		cmocka_unit_test(manifests_that_do_not_fit),
		cmocka_unit_test(kernels_are_recorded),
		cmocka_unit_test(not_a_number_is_not_saved),
		cmocka_unit_test(checkpoints_are_thinned),
		cmocka_unit_test(a_parent_is_kept),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
