// SPDX-License-Identifier: GPL-3.0-or-later
// A search over an architecture beside formats keeps what every search keeps: the same bits on any number of threads, from any save point,
// after what was taken back; and what a step does not use, it does not touch. And what such a search has of its own in a schedule.
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/nn/node.h"
#include "engine/search/schedule.h"
#include "tests/changing.h"

#define OPEN                                                                                                                        \
	"net=resnet-nas:width=0.25 data=glyphs:16 train=512 batch=16 heldout=64 steps=60 front-every=20 front-images=16 samples=2 " \
	"calibration=16 cost-samples=2 space=int4,int8 target.bops=0.3x "

static int slot_of(const struct search *s, const char *name)
{
	const struct space *space = s->shared.space;
	for (int i = 0; i < space->slots; i++)
		if (strcmp(space->slot[i].name, name) == 0)
			return i;
	fail_msg("no slot %s", name);
	return -1;
}

// ---- exactness -------------------------------------------------------------------------------------------------------

// Slots pinned and let go, lanes, another searcher, another target.
static void act(struct search *s, long from, long to)
{
	for (long step = from; step <= to; step++) {
		run(s, step);
		switch (step) {
		case 8: must(s, 0, CHANGE_RESTRICT, "s1.depth", "2"); break;
		case 12: must(s, 0, CHANGE_ADD_LANE, "bops", "0.15x"); break;
		case 16: must(s, 2, CHANGE_RESTRICT, "*.kernel", "3"); break;
		case 21: must(s, 2, CHANGE_SET, "searcher", "evolution"); break;
		case 25: must(s, 0, CHANGE_RESTRICT, "s1.depth", "all"); break;
		case 30: must(s, 0, CHANGE_GROUP, "kernels", "s3b*.kernel"); break;
		case 36: must(s, 1, CHANGE_TARGET, "bops", "0.2x"); break;
		case 41: must(s, 0, CHANGE_SET, "warmup-path", "fair"); break;
		}
	}
}

static void threads_make_no_difference(void **context)
{
	(void)context;
	char one[64], three[64];
	struct search *s = search_of(OPEN "warmup=0.4 threads=1", NULL), *t = search_of(OPEN "warmup=0.4 threads=3", NULL);
	act(s, 0, 60);
	act(t, 0, 60);
	digest_of(s, one);
	digest_of(t, three);
	assert_string_equal(one, three);
	search_free(s);
	search_free(t);
}

// Averages, moving ranges, norms of their own and AdamW's second moments rest and come back with what they are of.
static void it_comes_back(void **context)
{
	(void)context;
	static const char *const more[] = {"warmup=0.2 warmup-path=fair filter-warmup=0.5", "ema=0.9 range=ema norm-sets=format",
		"optimizer=adamw decide=split", "net=resnet-nas:width=0.25,sides=search"};
	static const long at[] = {5, 12, 21, 40};
	for (size_t m = 0; m < sizeof more / sizeof *more; m++) {
		char settings[512];
		snprintf(settings, sizeof settings, OPEN "threads=2 %s", more[m]);
		struct search *whole = search_of(settings, NULL);
		act(whole, 0, 60);
		struct state *end = saved(whole);
		for (size_t i = m; i < sizeof at / sizeof *at; i += m ? 2 : 1) {
			struct search *s = search_of(settings, NULL);
			act(s, 0, at[i]);
			struct state *state = saved(s);
			search_free(s);
			s = search_of(settings, state);
			struct state *again = saved(s);
			same_states(state, again);
			act(s, at[i] + 1, 60);
			state_free(again);
			again = saved(s);
			same_states(end, again);
			state_free(state);
			state_free(again);
			search_free(s);
		}
		state_free(end);
		search_free(whole);
	}
}

// Pins of slots that are taken back before the next step leave no trace, to the bit.
static void pins_are_taken_back(void **context)
{
	(void)context;
	static const struct {
		const char *word, *options;
	} pin[] = {{"s3.depth", "1"}, {"*.kernel", "3"}, {"s2.width", "0.5,1"}, {"s2b1.expand", "0.5"}, {"s1b3.conv1", "int4"}};
	enum { PINS = sizeof pin / sizeof *pin };
	struct search *s = search_of(OPEN "threads=1", NULL), *t = search_of(OPEN "threads=1", NULL);
	for (int round = 0; round < 3; round++) {
		struct reply made[PINS];
		run(s, 12 * (round + 1));
		run(t, 12 * (round + 1));
		must(s, 0, CHANGE_RESTRICT, "s2.depth", "2,3"); // stands in both
		must(t, 0, CHANGE_RESTRICT, "s2.depth", "2,3");
		for (int i = 0; i < PINS; i++)
			made[i] = apply_to(s, 0, CHANGE_RESTRICT, pin[i].word, pin[i].options);
		for (int i = PINS - 1; i >= 0; i--)
			back(s, &made[i]);
	}
	run(s, 60);
	run(t, 60);
	struct state *a = saved(s), *b = saved(t);
	same_states(a, b);
	state_free(a);
	state_free(b);
	search_free(s);
	search_free(t);
}

static void lanes_have_architectures_of_their_own(void **context)
{
	(void)context;
	struct search *s = search_of(OPEN "threads=1", NULL);
	run(s, 10);
	must(s, 0, CHANGE_ADD_LANE, "bops", "0.5x");
	must(s, 2, CHANGE_RESTRICT, "s3.depth", "3");
	must(s, 1, CHANGE_RESTRICT, "s3.depth", "1");
	run(s, 40);
	const int depth = slot_of(s, "s3.depth"), kernel = slot_of(s, "s3b3.kernel");
	const struct lane *one = lanes_numbered(s, 1, NULL), *two = lanes_numbered(s, 2, NULL);
	assert_true(one->modal[depth] == 0 && one->result[depth] == 0);
	assert_true(two->modal[depth] == 2 && two->result[depth] == 2);
	assert_false(slot_there(s->shared.space->slot, kernel, one->result));
	assert_true(slot_there(s->shared.space->slot, kernel, two->result));
	assert_true(one->steps > 0 && two->steps > 0);
	search_free(s);
}

// ---- what a step does not use ----------------------------------------------------------------------------------------

// The whole's numbers, and whose they are.
struct numbers {
	struct state_array array[SOURCE_ARRAYS];
	int arrays;
	struct team *team;
	struct network *like; // laid out as the search's is
};

static void numbers_of(struct search *s, struct numbers *n)
{
	struct fault f;
	n->arrays = s->source->kind->arrays(s->source, n->array);
	n->team = team_new(1, &f);
	n->like = network_new(s->shared.model, NULL, 2, 0, 0, n->team, &f);
	assert_true(n->team && n->like && n->arrays >= 2 && n->array[0].count == n->like->parameters);
}

static void numbers_free(struct numbers *n)
{
	network_free(n->like);
	team_free(n->team);
}

// The whole's operator that a number belongs to is within a block: its layer, or the norm behind its layer.
static bool within(const struct numbers *n, const struct parameter *p, const char *block)
{
	const struct model *m = n->like->whole;
	const struct op *op = &m->op[p->op];
	int layer = op->layer >= 0 ? op->layer : m->op[op->in[0]].layer;
	return layer >= 0 && strncmp(m->layer[layer].name, block, strlen(block)) == 0;
}

// How many of a block's numbers are others than they were; `all`: how many it has.
static long changed(const struct numbers *n, int array, const float *before, const char *block, long *all)
{
	long count = 0;
	*all = 0;
	for (int i = 0; i < n->like->all_count; i++) {
		const struct parameter *p = &n->like->all[i];
		if (!within(n, p, block))
			continue;
		*all += p->count;
		for (long k = p->at; k < p->at + p->count; k++)
			count += memcmp(&((float *)n->array[array].data)[k], &before[k], sizeof *before) != 0;
	}
	return count;
}

// Neither weights nor momentum of a block that is not there move, by a bit; nor those of channels and of a kernel's rim that no path had.
static void what_rests_is_not_touched(void **context)
{
	(void)context;
	struct search *s = search_of(OPEN "threads=2 decay=0.01 steps=40 wide-every=3", NULL);
	struct numbers n;
	long all;
	run(s, 10); // so that there is momentum
	numbers_of(s, &n);
	must(s, 0, CHANGE_RESTRICT, "s3.depth", "2");
	must(s, 0, CHANGE_RESTRICT, "s2b1.kernel", "3");
	const size_t size = (size_t)n.array[0].count * sizeof(float);
	float *before[2] = {malloc(size), malloc(size)};
	assert_true(before[0] && before[1]);
	for (int a = 0; a < 2; a++)
		memcpy(before[a], n.array[a].data, size);
	run(s, 40);
	for (int a = 0; a < 2; a++) {
		assert_int_equal(changed(&n, a, before[a], "s3b3", &all), 0);
		assert_true(all > 1000);
		assert_true(changed(&n, a, before[a], "s3b2", &all) > all / 4); // its neighbour learns
		// Of a 5x5 kernel 9 of 25 places are used, whatever the channels are.
		long moved = changed(&n, a, before[a], "s2b1.conv1", &all);
		assert_true(moved > 0 && (double)moved < 0.45 * (double)all);
	}
	free(before[0]);
	free(before[1]);
	numbers_free(&n);
	search_free(s);
}

static void memory_does_not_grow(void **context)
{
	(void)context;
	struct search *s = search_of(OPEN "threads=1 steps=260 warmup=0.8 warmup-path=uniform front-every=0", NULL);
	size_t most[2] = {0, 0};
	for (long step = 1; step <= 220; step++) {
		run(s, step);
		size_t now = mallinfo2().uordblks;
		if (step > 20 && now > most[step > 120])
			most[step > 120] = now;
	}
	if (most[0]) // sanitizers count by themselves
		assert_true(most[1] < most[0] + 16384);
	search_free(s);
}

// A polish trains the network that is the lane's result; the search does not notice.
static void a_result_is_polished(void **context)
{
	(void)context;
	struct search *s = search_of(OPEN "threads=1", NULL), *t = search_of(OPEN "threads=1", NULL);
	struct search *both[] = {s, t};
	char one[64], two[64];
	for (int i = 0; i < 2; i++) {
		run(both[i], 20);
		must(both[i], 0, CHANGE_RESTRICT, "s3.depth", "1");
		run(both[i], 30);
	}
	struct state *before = saved(s);
	must(s, 0, CHANGE_POLISH, "", "8");
	while (search_polishing(s))
		search_polish_advance(s);
	const struct polished *p = &s->polish.point[0];
	assert_int_equal(s->polish.points, 1);
	assert_memory_equal(p->choice, lanes_in_focus(s)->result, (size_t)s->shared.space->slots);
	assert_true(p->choice[slot_of(s, "s3.depth")] == 0 && p->test >= 0 && p->test <= 1 && isfinite(p->loss) &&
		p->cost[0] > 0);
	for (int i = 0; i < s->source->kind->arrays(s->source, (struct state_array[SOURCE_ARRAYS]){{0}}); i++) {
		struct state_array array[SOURCE_ARRAYS];
		s->source->kind->arrays(s->source, array);
		for (int k = 0; k < before->tensors; k++)
			if (strcmp(before->tensor[k].name, array[i].name) == 0)
				assert_memory_equal(before->tensor[k].data, array[i].data, before->tensor[k].bytes);
	}
	run(s, 60);
	run(t, 60);
	digest_of(s, one);
	digest_of(t, two);
	assert_string_equal(one, two);
	state_free(before);
	search_free(s);
	search_free(t);
}

// ---- the schedule ----------------------------------------------------------------------------------------------------

// How many of a stretch of steps train the widest option of all width slots that are there, and only those slots are others than without.
static int widest(struct search *s, struct search *without, long from, long to)
{
	const struct space *space = s->shared.space;
	const int slots = space->slots;
	uint8_t *choice = calloc(2, (size_t)slots);
	int count = 0;
	assert_non_null(choice);
	for (long step = from; step < to; step++) {
		s->shared.step = without->shared.step = step;
		schedule_path(lanes_in_focus(s), choice);
		schedule_path(lanes_in_focus(without), choice + slots);
		bool all = true, other = false;
		for (int i = 0; i < slots; i++) {
			const bool width = space->slot[i].kind == SLOT_WIDTH;
			if (!width)
				assert_int_equal(choice[i], choice[slots + i]);
			other |= choice[i] != choice[slots + i];
			const uint32_t allowed = lanes_in_focus(s)->partition->allowed[i];
			all &= !width || !slot_there(space->slot, i, choice) || !(allowed >> choice[i] >> 1);
		}
		assert_true(all || !other);
		count += all;
	}
	s->shared.step = without->shared.step = 0;
	free(choice);
	return count;
}

static void filters_warm_up(void **context)
{
	(void)context;
#define UNIFORM OPEN "threads=1 warmup=1 warmup-path=uniform steps=2000 "
	struct search *s = search_of(UNIFORM "filter-warmup=0.5", NULL), *without = search_of(UNIFORM, NULL);
	assert_int_equal(widest(s, without, 0, 1), 1);
	int first = widest(s, without, 0, 250), third = widest(s, without, 500, 750), last = widest(s, without, 750, 1000);
	// 7/8, 3/8 and 1/8 of them, and of the others 1 in 64 by chance.
	assert_true(first > 205 && third > 70 && third < 125 && last > 15 && last < 60);
	assert_true(widest(s, without, 1000, 1500) < 25);
	// Options that are not allowed are not trained.
	must(s, 0, CHANGE_RESTRICT, "s2.width", "0.5,0.75");
	must(without, 0, CHANGE_RESTRICT, "s2.width", "0.5,0.75");
	assert_true(widest(s, without, 0, 250) > 205);
	search_free(s);
	search_free(without);
	// Where there are no such slots, it changes nothing.
	char one[64], two[64];
#define FIXED "net=resnet8:width=0.25 data=glyphs:12 train=256 heldout=64 batch=16 steps=12 threads=1 front-every=0 "
	s = search_of(FIXED, NULL);
	without = search_of(FIXED "filter-warmup=1", NULL);
	run(s, 12);
	run(without, 12);
	digest_of(s, one);
	digest_of(without, two);
	assert_string_equal(one, two);
	search_free(s);
	search_free(without);
}

// Of every n steps in a row each of n options has one, whatever the other slots have.
static void fair_paths_are_even(void **context)
{
	(void)context;
	struct search *s = search_of(OPEN "threads=1 warmup=1 warmup-path=fair steps=2000", NULL);
	const struct space *space = s->shared.space;
	uint8_t *choice = calloc(1, (size_t)space->slots);
	long count[3][SPACE_OPTIONS] = {{0}};
	const int slot[3] = {slot_of(s, "s1.width"), slot_of(s, "s2.depth"), slot_of(s, "s3b1.kernel")};
	assert_non_null(choice);
	for (long step = 0; step < 120; step++) {
		s->shared.step = step;
		schedule_path(lanes_in_focus(s), choice);
		for (int k = 0; k < 3; k++)
			count[k][choice[slot[k]]]++;
	}
	for (int k = 0; k < 3; k++)
		for (int o = 0; o < space->slot[slot[k]].options; o++)
			assert_int_equal(count[k][o], 120 / space->slot[slot[k]].options);
	s->shared.step = 0;
	free(choice);
	search_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_make_no_difference),
		cmocka_unit_test(it_comes_back),
		cmocka_unit_test(pins_are_taken_back),
		cmocka_unit_test(lanes_have_architectures_of_their_own),
		cmocka_unit_test(what_rests_is_not_touched),
		cmocka_unit_test(memory_does_not_grow),
		cmocka_unit_test(a_result_is_polished),
		cmocka_unit_test(filters_warm_up),
		cmocka_unit_test(fair_paths_are_even),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
