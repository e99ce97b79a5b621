// SPDX-License-Identifier: GPL-3.0-or-later
// Time travel: going back to a step on a new branch, sessions that go on from a step of another one, what a process leaves that is
// killed on the way, and which checkpoints stay.
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "sessions/store/checkpoint.h"
#include "tests/workplace.h"

static void no_word(const char *text)
{
	(void)text;
}

// The digest of a session at its present step.
static void digest_of(struct session *s, char text[JOURNAL_DIGEST_TEXT])
{
	run_lines(s, "digest\n");
	snprintf(text, JOURNAL_DIGEST_TEXT, "%s", s->digest);
	assert_true(text[0]);
}

static void assert_digest(struct session *s, const char *expected)
{
	char text[JOURNAL_DIGEST_TEXT];
	digest_of(s, text);
	assert_string_equal(text, expected);
}

// A search of 24 steps with changes at 8 and 16; its digests.
struct known {
	char at_6[JOURNAL_DIGEST_TEXT], at_8[JOURNAL_DIGEST_TEXT], at_20[JOURNAL_DIGEST_TEXT], at_24[JOURNAL_DIGEST_TEXT];
};

static struct session *lived(const char *name, struct known *k)
{
	struct session *s = begin(name);
	run_lines(s, "run 6\n");
	digest_of(s, k->at_6);
	run_lines(s, "run 2\n");
	digest_of(s, k->at_8);
	run_lines(s, "pin stem int8\nnote \"the stem is dear\"\nrun 8\ntarget bops 0.5x\nundo\nrun 4\nsave\n");
	digest_of(s, k->at_20);
	run_lines(s, "run 4\n");
	digest_of(s, k->at_24);
	return s;
}

static void goes_back_and_returns(void **state)
{
	(void)state;
	struct known k;
	struct fault f;
	const struct journal_entry *entry;
	struct session *s = lived("back", &k);
	assert_int_equal(session_journal(s, &entry), 4);

	run_lines(s, "rewind 8\nexpect step = 8\n");
	assert_digest(s, k.at_8);
	assert_int_equal(session_journal(s, &entry), 0); // before what was changed there
	assert_int_equal(s->marks, 0);
	assert_int_equal(s->snapshot->run, RUN_PAUSED);
	assert_int_equal(session_saved(s), true);
	run_lines(s, "pin head int8\nrun 5\nsave\n"); // another way
	assert_int_equal(session_journal(s, &entry), 1);
	char other[JOURNAL_DIGEST_TEXT];
	digest_of(s, other);

	run_lines(s, "rewind 24 branch 1\nexpect pinned.stem = int8\n");
	assert_digest(s, k.at_24);
	assert_int_equal(session_journal(s, &entry), 4);
	assert_string_equal(entry[0].text, "pin stem int8");
	assert_true(entry[2].undone);
	run_lines(s, "rewind 13 branch 2\nexpect pinned.head = int8\n");
	assert_digest(s, other);
	run_lines(s, "rewind 6\n");
	assert_digest(s, k.at_6);
	run_lines(s, "rewind 0\nexpect step = 0\nrun 6\n");
	assert_digest(s, k.at_6);
	end(s);

	// It opens where it was left, and replays.
	s = again("back");
	assert_false(session_read_only(s));
	assert_int_equal(s->journal.branches, 6);
	assert_digest(s, k.at_6);
	run_lines(s, "rewind 20 branch 1\n");
	assert_digest(s, k.at_20);
	run_lines(s, "undo\nexpect pinned.stem = no\nredo\nrun 4\n");
	end(s);
	assert_true(session_replay("back", no_word, &f));
}

static void another_session_goes_on(void **state)
{
	(void)state;
	struct known k;
	struct fault f;
	struct session *s = lived("trunk", &k);
	run_lines(s, "fork 20 as limb\nfork as tip\nfork 0 as root\nexpect step = 24\n");
	assert_printed("limb goes on from here: `open limb` shows it");
	assert_digest(s, k.at_24);
	char trunk[IDENTITY_TEXT];
	snprintf(trunk, sizeof trunk, "%s", s->manifest.session);
	end(s);
	assert_true(ground_clear("trunk.bitscape")); // they need nothing of it

	s = again("limb");
	assert_int_equal(s->snapshot->step, 20);
	assert_string_equal(s->manifest.parent, trunk);
	assert_string_equal(s->manifest.parent_digest, k.at_20);
	assert_int_equal(s->manifest.parent_step, 20);
	assert_int_equal(s->journal.line[0].kind, JOURNAL_PARENT);
	assert_digest(s, k.at_20);
	run_lines(s, "expect pinned.stem = int8\nrun 4\n");
	assert_digest(s, k.at_24);  // without a change the same search
	run_lines(s, "rewind 6\n"); // and further back than it is old
	assert_digest(s, k.at_6);
	run_lines(s, "fork as twig\n");
	end(s);
	assert_true(session_replay("limb", no_word, &f));
	assert_true(session_replay("tip", no_word, &f));
	assert_true(session_replay("twig", no_word, &f));
	s = again("root");
	assert_int_equal(s->snapshot->step, 0);
	run_lines(s, "run 6\n");
	assert_digest(s, k.at_6);
	end(s);

	// Without its checkpoint it follows its journal.
	assert_int_equal(unlink("tip.bitscape/checkpoint-24.safetensors"), 0);
	s = again("tip");
	char text[2048];
	heard(s, text, sizeof text);
	assert_digest(s, k.at_24);
	end(s);
}

static void slips_are_said(void **state)
{
	(void)state;
	struct session *s = begin("slips");
	run_lines(s, "run 3\n");
	refused(s, "rewind 4\n", "the search has made 3 steps; name a step that was made");
	refused(s, "rewind -1\n", "this is not a step");
	refused(s, "rewind x\n", "this is not a step");
	refused(s, "rewind 1 branch\n", "usage: rewind STEP [branch N]");
	refused(s, "rewind 1 branch 2\n", "there is no such branch; the last is 1");
	refused(s, "rewind 1 of 2\n", "usage: rewind STEP [branch N]");
	refused(s, "fork 4 as later\n", "the search has made 3 steps");
	refused(s, "fork as slips\n", "there is a session of this name");
	refused(s, "fork as resnet20\n", "resnet20");
	refused(s, "fork 1 at here\n", "usage: fork [STEP] as NAME");
	refused(s, "fork 1 as ../no/../\n", "");
	put_string("file.bitscape", "x");
	refused(s, "fork as file\n", "something of this name is there");
	run_lines(s, "expect step = 3\nrewind 3\nrewind 1\n");
	refused(s, "rewind 2 branch 4\n", "there is no such branch; the last is 3");
	end(s);
}

// A process that is killed while it goes back, or makes another session, at any time.
static void killed_on_the_way(void **state)
{
	(void)state;
	struct known k;
	struct fault f;
	end(lived("killed", &k));
	srandom(7);
	for (int i = 0; i < 12; i++) {
		char line[64], name[32], text[4096];
		snprintf(name, sizeof name, "made%d", i);
		snprintf(line, sizeof line, i % 2 ? "fork 6 as %s\nwait step 1\n" : "rewind 6\nrewind 20 branch 1\n", name);
		fflush(NULL);
		pid_t child = fork();
		if (child == 0) {
			struct session *s = session_open("killed", &f);
			if (s)
				batch(s, line, &f);
			kill(getpid(), SIGKILL);
		}
		const struct timespec moment = {.tv_nsec = 20000000 + random() % 400000000};
		nanosleep(&moment, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);

		struct session *s = again("killed");
		heard(s, text, sizeof text);
		assert_false(session_read_only(s));
		assert_null(strstr(text, "fit"));
		long step = s->snapshot->step;
		assert_true(step == 24 || step == 6 || step == 20);
		assert_digest(s, step == 24 ? k.at_24 : step == 6 ? k.at_6 : k.at_20);
		run_lines(s, "rewind 24 branch 1\n");
		assert_digest(s, k.at_24);
		end(s);
		char folder[64];
		snprintf(folder, sizeof folder, "%s.bitscape", name);
		if (access(folder, F_OK) != 0 || folder_half_made(folder))
			continue;
		s = again(name);
		heard(s, text, sizeof text);
		assert_digest(s, k.at_6);
		end(s);
	}
	assert_true(session_replay("killed", no_word, &f));
}

// What goes of other branches: those of which one alone is left and that were left long ago, then what leaves the smallest gap.
static void old_branches_go_first(void **state)
{
	(void)state;
	struct checkpoint_left left[] = {
		{9, 30}, {9, 20}, {8, 30}, {7, 30}, {6, 30}, {5, 12}, {1, 40}, {1, 30}, {1, 25}, {1, 10}};
	assert_int_equal(checkpoint_surplus_left(left, 10), 5); // branch 5
	memmove(left + 5, left + 6, 4 * sizeof *left);
	assert_int_equal(checkpoint_surplus_left(left, 9), 5); // 40, since 30 is near
	assert_int_equal(checkpoint_surplus_left(left, 5), 1); // 20 of branch 9
	assert_int_equal(checkpoint_surplus_left(left, 1), -1);
	assert_int_equal(checkpoint_surplus_left(NULL, 0), -1);
}

// The folder holds at most twenty checkpoints whatever is done, among them the ends of the branches that were left last.
static void few_checkpoints_stay(void **state)
{
	(void)state;
	struct session *s = begin("few");
	for (int i = 0; i < 24; i++)
		run_lines(s, "run 1\nsave\n");
	for (int i = 0; i < 6; i++) {
		char line[64];
		snprintf(line, sizeof line, "rewind %d\nrun %d\nsave\n", 20 - i, 4 + i);
		run_lines(s, line);
	}
	end(s);
	int count, left;
	long *steps = checkpoint_list("few.bitscape", &count);
	struct checkpoint_left *other = checkpoint_list_left("few.bitscape", &left);
	assert_true(left >= CHECKPOINTS_LEFT);
	assert_int_equal(count + left, CHECKPOINTS_KEPT);
	assert_int_equal(steps[0], 24);
	int ends = 0;
	for (int i = 0; i < left; i++) // the ends of those that were left last
		ends += other[i].branch > 6 - CHECKPOINTS_LEFT && other[i].step == 24;
	assert_int_equal(ends, CHECKPOINTS_LEFT);
	for (int i = 1; i < count; i++)
		assert_in_range(steps[i - 1] - steps[i], 1, 9);
	free(steps);
	free(other);
	s = again("few");
	run_lines(s, "rewind 3\nrewind 24 branch 1\n");
	end(s);
}

// What was done, with what it cost; the tree; and sessions side by side.
static void told_side_by_side(void **state)
{
	(void)state;
	struct known k;
	struct session *s = lived("told", &k);
	run_lines(s, "timeline\n");
	assert_printed("   8  change");
	assert_printed("pin stem int8");
	assert_printed("target bops 0.5x (taken back)");
	assert_printed("note");
	assert_printed("\"the stem is dear\"");
	run_lines(s, "fork 20 as other\nrewind 16\ntree\n");
	assert_printed("told ");
	assert_printed("  branch 1 ");
	assert_printed("    branch 2, the present one ");
	assert_printed("  other ");
	run_lines(s, "pin head int8\nrun 8\n");

	run_lines(s, "compare other csv=beside.csv\n");
	assert_printed("other parted from told at step 20");
	char *csv = get("beside.csv", NULL);
	assert_non_null(strstr(csv, ",told,other,differs\n"));
	assert_non_null(strstr(csv, "step,24/30,20/30,*\n"));
	assert_non_null(strstr(csv, "seed,1,1,\n"));
	assert_non_null(strstr(csv, "head,int8,"));
	free(csv);
	refused(s, "compare\n", "usage: compare");
	refused(s, "compare told other\ncompare other other\n", "this session is named twice");
	refused(s, "compare nobody\n", "there is no session of this name");
	run_lines(s, "compare . other\n"); // two of one process
	end(s);

	// What cannot be compared is said.
	struct fault f;
	struct config *config = small_config();
	assert_true(config_set(config, "net", "resnet8:width=0.5", &f) && config_set(config, "data", "glyphs:16", &f));
	s = session_new("strange", config, &f);
	config_free(config);
	assert_non_null(s);
	run_lines(s, "run 2\ncompare told\n");
	assert_printed("told searches another network (resnet8)");
	assert_printed("told is scored on other images (data glyphs:12, not glyphs:16): its accuracy is not comparable");
	end(s);
}

// The cell of a row of a table of commas, counted from 1.
static void cell_of(const char *csv, const char *row, int column, char *buf, size_t size)
{
	char start[64];
	snprintf(start, sizeof start, "\n%s,", row);
	const char *at = strstr(csv, start);
	assert_non_null(at);
	at += strlen(start);
	while (--column)
		at = strchr(at, ',') + 1;
	snprintf(buf, size, "%.*s", (int)strcspn(at, ",\n"), at);
}

static long number_in(const char *csv, const char *row, int column)
{
	char cell[64];
	long n;
	cell_of(csv, row, column, cell, sizeof cell);
	assert_true(number_read_long(cell, 0, LONG_MAX, &n));
	return n;
}

// Results held against each other image by image; and the accuracies of both are those that `evaluate` says.
static void paired_by_images(void **state)
{
	(void)state;
	static const char *const rows[] = {"both right", "only first", "only this", "neither"};
	struct known k;
	char cell[64], text[128];
	struct session *s = lived("pairs", &k);
	run_lines(s, "fork 8 as early\nfork as twin\nrewind 16\npin head int4\nrun 8\ncompare . early twin csv=p.csv\n");
	char *csv = get("p.csv", NULL);
	const long images = s->info->report_images;
	long count[4];
	for (int column = 2; column <= 3; column++) {
		long all = 0;
		for (int r = 0; r < 4; r++)
			all += count[r] = number_in(csv, rows[r], column);
		assert_int_equal(all, images);
		for (int of = 1; of <= 2; of++) {
			long right = count[0] + count[of];
			char share[64];
			snprintf(share, sizeof share, "%.2f %%", 100 * (double)right / (double)images);
			cell_of(csv, "images right", of == 1 ? 1 : column, cell, sizeof cell);
			assert_string_equal(cell, share);
		}
	}
	cell_of(csv, "images right", 1, cell, sizeof cell);
	run_lines(s, "evaluate heldout\n");
	snprintf(text, sizeof text, "accuracy %s,", cell);
	assert_printed(text);
	free(csv);
	assert_int_equal(s->test_looks, 0);

	// A branch that was left is as it was when another session was made of its end: the very same images are right.
	run_lines(s, "compare twin csv=q.csv images=test\ncompare . branch 1 csv=r.csv images=test\n");
	assert_int_equal(s->test_looks, 4); // each of the two, twice
	char *one = get("q.csv", NULL), *other = get("r.csv", NULL);
	for (int r = 0; r < 4; r++)
		assert_int_equal(number_in(one, rows[r], 2), number_in(other, rows[r], 2));
	free(one);
	free(other);
	run_lines(s, "compare pairs branch 1 twin csv=s.csv\ncompare pairs branch 2 twin images=none\n");
	one = get("s.csv", NULL);
	assert_non_null(strstr(one, ",pairs branch 1,twin,differs\n"));
	assert_int_equal(number_in(one, rows[1], 2) + number_in(one, rows[2], 2), 0);
	cell_of(one, "exact p", 2, cell, sizeof cell);
	assert_string_equal(cell, "1");
	free(one);
	refused(s, "compare . branch 3\n", "it has no branch 3; the last is 2");
	refused(s, "compare . branch x\n", "this is not a branch");
	refused(s, "compare . branch 2 .\n", "this session is named twice");
	refused(s, "compare twin images=all\n", "there are no such images");

	// Other images, and none.
	struct fault f;
	struct config *config = small_config();
	assert_true(config_set(config, "data", "glyphs:16", &f));
	struct session *others = session_new("others", config, &f);
	config_free(config);
	assert_non_null(others);
	run_lines(others, "run 2\n");
	end(others);
	config = small_config();
	assert_true(config_set(config, "data", "none", &f));
	others = session_new("bare", config, &f);
	config_free(config);
	assert_non_null(others);
	run_lines(others, "pin stem int8\n");
	end(others);
	run_lines(s, "compare . others bare twin\n");
	assert_printed("others is not held against pairs image by image: its held-out images are others");
	assert_printed("bare is not held against pairs image by image: it has no weights: nothing is trained in it");
	assert_printed("both right");
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_back_and_returns),
		cmocka_unit_test(another_session_goes_on),
		cmocka_unit_test(slips_are_said),
		cmocka_unit_test(killed_on_the_way),
		cmocka_unit_test(old_branches_go_first),
		cmocka_unit_test(few_checkpoints_stay),
		cmocka_unit_test(told_side_by_side),
		cmocka_unit_test(paired_by_images),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
