// SPDX-License-Identifier: GPL-3.0-or-later
// What is foretold of drafts that are committed: kept in the journal with what came, through a save, a replay and a way back.
#include <math.h>

#include "tests/workplace.h"

static void no_word(const char *text)
{
	(void)text;
}

// Drafts another format for a layer than the modal one, and says what is foretold of it.
static struct foretold drafted(struct session *s, const char *layer)
{
	char line[96];
	int slot = 0;
	while (strncmp(s->info->slot[slot].name, layer, strlen(layer)) != 0)
		slot++;
	const int other = !s->snapshot->slot[slot].modal;
	snprintf(line, sizeof line, "draft %s %s\n", layer, s->info->slot[slot].option[other].name);
	run_lines(s, line);
	return foretell(s->snapshot, s->draft);
}

// The quality of a choice on the held-out images, by a command of its own.
static double measured(struct session *s, const char *what)
{
	char line[64];
	snprintf(line, sizeof line, "evaluate heldout %s\n", what);
	run_lines(s, line);
	const struct known_evaluation *e = &s->known[SPLIT_HELDOUT];
	return s->snapshot->quality_is_loss ? -e->loss : e->accuracy;
}

static const struct journal_line *last_kept(const struct session *s)
{
	const struct journal_line *last = NULL;
	for (int i = 0; i < s->journal.lines; i++)
		if (s->journal.line[i].kind == JOURNAL_FORETOLD)
			last = &s->journal.line[i];
	return last;
}

// What the line says is what the model said, what pricing says, and what two evaluations said.
static void commits(struct session *s, const char *layer, int so_far)
{
	const struct foretold said = drafted(s, layer);
	double cost[ENGINE_TERMS];
	char text[64];
	struct prediction p;
	assert_true(isfinite(said.change) && said.error > 0);
	assert_true(engine_price(s->engine, s->draft, cost, 0, NULL));
	const double came = measured(s, "draft") - measured(s, "modal");
	run_lines(s, "draft commit\n");
	assert_int_equal(session_foretold(s).count, so_far);
	const struct journal_line *line = last_kept(s);
	assert_true(line && prediction_read(line->text, &p) && line->step == s->snapshot->step);
	assert_true(fabs(p.said.change - said.change) < 1e-5 && fabs(p.said.error - said.error) < 1e-5);
	assert_true(fabs(p.came - came) < 1e-5 && p.images == s->info->report_images);
	snprintf(text, sizeof text, " bops=%.10g ", cost[0]);
	assert_non_null(strstr(line->text, text));
	snprintf(text, sizeof text, " pins=%s:int", layer);
	const char *pins = strstr(line->text, text);
	assert_true(pins && !strchr(pins + 1, ' ')); // one word, so that a line never has more of them than can be read
}

static void kept(void **state)
{
	(void)state;
	struct fault f;
	struct session *s = begin("kept");
	// Before anything was learned nothing is foretold, and nothing kept.
	run_lines(s, "foretold\n");
	assert_printed("no draft was committed of which loss was foretold");
	assert_true(isnan(drafted(s, "stem").change));
	run_lines(s, "draft commit\nexpect foretold = 0\nundo\n");
	refused(s, "print foretold.error\n", "nothing that was foretold has come yet");

	run_lines(s, "run 12\n");
	commits(s, "head", 1);
	run_lines(s, "run 4\n");
	commits(s, "s1b1.conv1", 2);
	struct foretold_so_far both = session_foretold(s);
	run_lines(s, "expect foretold = 2\nforetold\n");
	assert_printed("head:int");
	assert_printed("so far 2 of loss, off by");
	run_lines(s, "run 4\nsave\n");
	end(s);

	s = again("kept");
	assert_int_equal(session_foretold(s).count, 2);
	assert_true(session_foretold(s).error == both.error);
	end(s);
	assert_true(session_replay("kept", no_word, &f));

	// They belong to a branch, and to who goes on from there.
	s = again("kept");
	run_lines(s, "fork as heir\nrewind 14\nexpect foretold = 1\nrewind 20 branch 1\nexpect foretold = 2\n");
	end(s);
	s = again("heir");
	assert_int_equal(session_foretold(s).count, 2);
	end(s);
}

// Where quality is accuracy, so is what is foretold; and what is of another kind does not count.
static void by_accuracy(void **state)
{
	(void)state;
	struct fault f;
	struct config *config = small_config();
	assert_true(config_set(config, "quality", "accuracy", &f));
	struct session *s = session_new("accurate", config, &f);
	config_free(config);
	assert_non_null(s);
	run_lines(s, "run 14\n");
	commits(s, "head", 1);
	assert_non_null(strstr(last_kept(s)->text, " of=accuracy "));
	run_lines(s, "set quality loss\nrun 2\nexpect foretold = 0\n");
	end(s);
}

// Words of others are left out.
static void not_predictions(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "change=1", "change=nan error=1 came=1 of=loss images=3 pins",
		"change=1 error=1 came=inf of=loss images=3", "change=x error=1 came=1 of=loss images=3",
		"came=1 change=1 error=1 of=loss images=3"};
	struct prediction p;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(prediction_read(texts[i], &p));
	assert_true(prediction_read("change=-0.5 error=0.1 came=-0.25 of=loss images=3 bops=1 pins=a:int2", &p));
	assert_true(p.loss && p.images == 3 && p.said.change == -0.5 && p.came == -0.25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept),
		cmocka_unit_test(by_accuracy),
		cmocka_unit_test(not_predictions),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
