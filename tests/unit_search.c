// SPDX-License-Identifier: GPL-3.0-or-later
// The search: its policy against finite differences, and the engine as the rest of bitscape sees it, on small runs: the same bits
// whatever the threads, the pauses and the interruptions; changes and what takes them back; states that fit and that do not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/engine.h"
#include "engine/quant/format.h"
#include "engine/search/inside.h"
#include "engine/search/policy.h"
#include "engine/search/sensitivity.h"
#include "engine/tensor/rng.h"

// A damaged checkpoint may ask for more memory than there is: that is to be a fault, under sanitizers too.
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=4096";
}
const char *__tsan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=4096";
}

// Sanitizers slow the kernels down tenfold and more: there, of the longest lists of settings, every fourth.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 4 };
#else
enum { STRIDE = 1 };
#endif

// ---- the policy ----------------------------------------------------------------------------------------------------------

enum { DECISIONS = 3, CHOICES = 2 * 3 * 4 };

static const struct space space = {.slots = DECISIONS};
static struct decision decision[DECISIONS] = {{.first = 0, .options = 2}, {.first = 1, .options = 3}, {.first = 2, .options = 4}};
static const struct partition partition = {
	.space = &space, .decisions = DECISIONS, .decision = decision, .decision_of = (int[]){0, 1, 2}};

// Unlike logits, and where `masked`, an option of b and two of c that are not allowed.
static struct policy *policy_of(bool masked)
{
	struct fault f;
	decision[0].allowed = 3;
	decision[1].allowed = masked ? 5 : 7;   // options 0 and 2
	decision[2].allowed = masked ? 10 : 15; // options 1 and 3
	struct policy *p = policy_new(&partition, &f);
	struct state_array array[POLICY_ARRAYS];
	assert_non_null(p);
	policy_arrays(p, array);
	assert_string_equal(array[0].name, "logits");
	assert_true(array[0].count == DECISIONS * SPACE_OPTIONS);
	for (int i = 0; i < DECISIONS * SPACE_OPTIONS; i++)
		array[0].data[i] = (float)sin(i * 7 + 1);
	policy_refresh(p);
	return p;
}

// The gradient that has been credited: Adam's first moment where it keeps nothing of the past.
static const float *gradient_of(struct policy *p, double entropy_weight)
{
	struct state_array array[POLICY_ARRAYS];
	policy_move(p, 0, 0, 0, entropy_weight);
	policy_arrays(p, array);
	return array[1].data;
}

static void choice_number(int n, uint8_t choice[DECISIONS])
{
	for (int d = 0; d < DECISIONS; d++) {
		choice[d] = (uint8_t)(n % decision[d].options);
		n /= decision[d].options;
	}
}

static double probability(const struct policy *p, const uint8_t *choice)
{
	double q = 1;
	for (int d = 0; d < DECISIONS; d++)
		q *= (double)policy_probabilities(p, d)[choice[d]];
	return q;
}

static double reward_of(int n)
{
	return cos(n * 3 + .5) + (n == 7 ? 2 : 0);
}

static double worth_of(int d, int option)
{
	return sin(d * 5 + option * 2 + .3);
}

// Figures of a policy whose slopes are checked.
static double expected_loss(const struct policy *p)
{
	uint8_t choice[DECISIONS];
	double sum = 0;
	for (int n = 0; n < CHOICES; n++) {
		choice_number(n, choice);
		sum -= probability(p, choice) * reward_of(n);
	}
	return sum / DECISIONS; // the mean over decisions of log p
}

static double expected_worth(const struct policy *p)
{
	double sum = 0;
	for (int d = 0; d < DECISIONS; d++)
		for (int o = 0; o < decision[d].options; o++)
			sum -= (double)policy_probabilities(p, d)[o] * worth_of(d, o);
	return sum / DECISIONS;
}

static double mean_entropy(const struct policy *p)
{
	double sum = 0;
	for (int d = 0; d < DECISIONS; d++)
		for (int o = 0; o < decision[d].options; o++) {
			double q = (double)policy_probabilities(p, d)[o];
			sum -= q > 0 ? q * log(q) : 0;
		}
	return sum / DECISIONS; // in nats
}

static void check_slopes(struct policy *p, const float *gradient, double (*figure)(const struct policy *))
{
	const float STEP = 1.f / 64;
	const double BOUND = 1e-4; // the square of the step, and probabilities in single precision over the step
	struct state_array array[POLICY_ARRAYS];
	policy_arrays(p, array);
	double length = 0;
	for (int d = 0; d < DECISIONS; d++)
		for (int o = 0; o < decision[d].options; o++) {
			float *logit = &array[0].data[d * SPACE_OPTIONS + o], kept = *logit;
			double side[2];
			for (int s = 0; s < 2; s++) {
				*logit = kept + (s ? -STEP : STEP);
				policy_refresh(p);
				side[s] = figure(p);
			}
			*logit = kept;
			policy_refresh(p);
			double numeric = (side[0] - side[1]) / (2 * (double)STEP),
			       analytic = (double)gradient[d * SPACE_OPTIONS + o];
			if (!(fabs(numeric - analytic) < BOUND))
				fail_msg("decision %d, option %d: slope %.6g, by the gradient %.6g", d, o, numeric, analytic);
			length += fabs(analytic);
		}
	assert_true(length > .02); // there was something to check
}

static void policy_gradient(void **state)
{
	(void)state;
	for (int masked = 0; masked < 2; masked++) {
		struct policy *p = policy_of(masked);
		uint8_t choice[DECISIONS];
		policy_clear(p);
		for (int n = 0; n < CHOICES; n++) {
			choice_number(n, choice);
			policy_credit(p, choice, probability(p, choice) * reward_of(n));
		}
		check_slopes(p, gradient_of(p, 0), expected_loss);
		policy_free(p);
	}
	policy_free(NULL);
}

static void gradient_of_priced_options(void **state)
{
	(void)state;
	for (int masked = 0; masked < 2; masked++) {
		struct policy *p = policy_of(masked);
		policy_clear(p);
		for (int d = 0; d < DECISIONS; d++) {
			double value[4];
			for (int o = 0; o < decision[d].options; o++)
				value[o] = worth_of(d, o);
			policy_credit_options(p, d, value, .25);
			policy_credit_options(p, d, value, .75);
		}
		check_slopes(p, gradient_of(p, 0), expected_worth);
		policy_free(p);
	}
}

static void entropy_gradient(void **state)
{
	(void)state;
	for (int masked = 0; masked < 2; masked++) {
		struct policy *p = policy_of(masked);
		policy_clear(p);
		check_slopes(p, gradient_of(p, 1), mean_entropy);
		policy_free(p);
	}
}

static void masks_are_kept(void **state)
{
	(void)state;
	enum { DRAWS = 20000 };
	struct policy *p = policy_of(true);
	double count[2][DECISIONS][4] = {{{0}}};
	for (uint64_t i = 0; i < DRAWS; i++) {
		uint8_t choice[2][DECISIONS];
		policy_sample(p, i, choice[0]);
		policy_sample_evenly(p, i, choice[1]);
		for (int way = 0; way < 2; way++)
			for (int d = 0; d < DECISIONS; d++) {
				assert_true(decision[d].allowed >> choice[way][d] & 1);
				count[way][d][choice[way][d]]++;
			}
	}
	for (int d = 0; d < DECISIONS; d++) {
		double total = 0;
		for (int o = 0; o < decision[d].options; o++) {
			double q = (double)policy_probabilities(p, d)[o], allowed = decision[d].allowed >> o & 1;
			assert_true(allowed > 0 || q == 0);
			assert_true(fabs(count[0][d][o] / DRAWS - q) < .02);
			assert_true(fabs(count[1][d][o] / DRAWS - allowed / __builtin_popcount(decision[d].allowed)) < .02);
			total += q;
		}
		assert_true(fabs(total - 1) < 1e-6);
		assert_true(decision[d].allowed >> policy_modal(p, d) & 1);
	}
	// A pinned decision does not move, is not counted as uncertain, and is opened to what is allowed only.
	decision[1].allowed = 2;
	policy_refresh(p);
	assert_true(policy_probabilities(p, 1)[1] == 1);
	// Set, what is allowed has these probabilities, and what is not its place beside them.
	decision[2].allowed = 14;
	policy_refresh(p);
	float beside = policy_probabilities(p, 2)[2];
	decision[2].allowed = 10;
	policy_refresh(p);
	policy_set(p, 2, (double[]){0, .25, 0, .75});
	policy_refresh(p);
	assert_true(policy_probabilities(p, 2)[0] == 0 && fabsf(policy_probabilities(p, 2)[1] - .25f) < 1e-6f);
	decision[2].allowed = 14;
	policy_refresh(p);
	assert_true(fabsf(policy_probabilities(p, 2)[2] - beside) < 1e-6f);
	for (int d = 0; d < DECISIONS; d++)
		decision[d].allowed = 1;
	policy_refresh(p);
	assert_true(policy_entropy(p) == 0);
	policy_free(p);
}

static void entropy_from_0_to_1(void **state)
{
	(void)state;
	struct fault f;
	policy_free(policy_of(false)); // nothing is masked
	struct policy *p = policy_new(&partition, &f);
	assert_true(fabs(policy_entropy(p) - 1) < 1e-6);
	policy_lean(p, 4);
	double leaning = policy_entropy(p);
	assert_true(leaning < .9 && leaning > .1);
	for (int d = 0; d < DECISIONS; d++)
		assert_int_equal(policy_modal(p, d), decision[d].options - 1);
	policy_lean(p, 1000);
	assert_true(policy_entropy(p) < 1e-6);
	policy_clear(p); // logits far apart: no infinities, nothing that is no number
	const float *g = gradient_of(p, 1);
	for (int i = 0; i < DECISIONS * SPACE_OPTIONS; i++)
		assert_true(isfinite(g[i]));
	policy_free(p);
}

// ---- what is decided together ------------------------------------------------------------------------------------------------

// A model of four layers, of which only the names matter here.
static struct layer named[] = {{.name = "stem", .owner = -1}, {.name = "s2a.conv", .owner = -1},
	{.name = "s2b.conv", .owner = -1}, {.name = "head", .owner = -1}};
static const struct model four = {.layers = 4, .layer = named};

// Decision of every slot as a digit, then what each decision allows.
static void arranged(const struct partition *p, const char *of, const char *allowed)
{
	char text[64] = "", masks[64] = "";
	for (int i = 0; i < p->space->slots; i++)
		snprintf(text + i, sizeof text - (size_t)i, "%d", p->decision_of[i]);
	for (int d = 0; d < p->decisions; d++) {
		size_t used = strlen(masks);
		snprintf(masks + used, sizeof masks - used, "%s%x", d ? " " : "", p->decision[d].allowed);
	}
	assert_string_equal(text, of);
	assert_string_equal(masks, allowed);
	// A chain visits each slot of its decision once, in order.
	bool seen[8] = {false};
	for (int d = 0; d < p->decisions; d++)
		for (int i = p->decision[d].first; i >= 0; i = p->next[i]) {
			assert_true(p->decision_of[i] == d && !seen[i] && (p->next[i] < 0 || p->next[i] > i));
			seen[i] = true;
		}
	for (int i = 0; i < p->space->slots; i++)
		assert_true(seen[i]);
}

// What is said across the engine's wall of the same partition.
static void means_in_a_snapshot(const struct partition *p, const char *word, const bool *meant)
{
	struct layer_info layer[4] = {0};
	struct slot_info slot[8] = {0};
	struct slot_state now[8] = {0};
	struct group_state group[4] = {0};
	struct engine_info info = {.layer = layer, .layers = 4, .slot = slot, .slots = 8};
	struct snapshot s = {.info = &info, .slots = 8, .slot = now, .groups = p->groups, .group = group};
	bool there[8];
	for (int l = 0; l < 4; l++)
		snprintf(layer[l].name, sizeof layer->name, "%s", p->space->model->layer[l].name);
	for (int g = 0; g < p->groups; g++)
		snprintf(group[g].name, sizeof group->name, "%s", p->group[g].name);
	for (int i = 0; i < 8; i++) {
		slot[i].layer = space_layer(i);
		snprintf(slot[i].name, sizeof slot->name, "%s", p->space->slot[i].name);
		now[i] = (struct slot_state){.decision = p->decision_of[i], .group = p->group_of[i]};
	}
	assert_int_equal(snapshot_meant(&s, word, NULL, there), memchr(meant, true, 8) != NULL);
	assert_memory_equal(there, meant, sizeof there);
}

static void means(const struct partition *p, const char *word, const char *slots)
{
	bool meant[8];
	char text[9] = "";
	assert_int_equal(partition_meant(p, word, NULL, meant), strchr(slots, '1') != NULL);
	for (int i = 0; i < 8; i++)
		text[i] = meant[i] ? '1' : '0';
	if (strcmp(text, slots) != 0)
		fail_msg("%s means %s, not %s", word, text, slots);
	means_in_a_snapshot(p, word, meant);
}

static void what_is_decided_together(void **state)
{
	(void)state;
	struct fault f = {0};
	struct space *s = space_new(&four, NULL, 0, "int2,int4,int8", &f);
	assert_non_null(s);
	struct partition *p = partition_new(s, &f), *copy = partition_new(s, &f);
	char name[SPACE_NAME];
	assert_true(p && copy);
	arranged(p, "00112233", "7 7 7 7");
	means(p, "stem", "11000000");
	means(p, "s2*", "00111100");
	means(p, "head.a", "00000001");
	means(p, "*.w", "10101010");
	means(p, "nosuch", "00000000");

	assert_true(partition_group(p, "mid", "s2*", &f) && partition_derive(p, &f));
	arranged(p, "00111122", "7 7 7");
	means(p, "s2b.conv", "00111100"); // what is decided with it
	means(p, "mid", "00111100");
	means(p, "mid.a", "00010100");
	means(p, "s2b.conv.w", "00001000"); // by itself, come what may
	means(p, "mi", "00000000");
	partition_name(p, 1, name);
	assert_string_equal(name, "mid");

	p->split = true;
	assert_true(partition_derive(p, &f));
	arranged(p, "01232345", "7 7 7 7 7 7");
	means(p, "s2b.conv.w", "00001000");
	means(p, "s2b.conv", "00111100");
	partition_name(p, 3, name);
	assert_string_equal(name, "mid.a");
	partition_name(p, 0, name);
	assert_string_equal(name, "stem.w");
	uint8_t choice[8] = {0, 1, 2, 1, 0, 0, 1, 2};
	partition_spread(p, choice);
	assert_memory_equal(choice, ((uint8_t[]){0, 1, 2, 1, 2, 1, 1, 2}), 8);

	// What is allowed to each of the parts, to all of them; nothing is a fault that says where.
	p->allowed[2] = 6;
	p->allowed[4] = 3;
	assert_true(partition_derive(p, &f));
	arranged(p, "01232345", "7 7 2 7 7 7");
	partition_copy(copy, p);
	arranged(copy, "01232345", "7 7 2 7 7 7");
	p->allowed[3] = 5;
	p->split = false;
	assert_false(partition_derive(p, &f));
	assert_true(strcmp(f.where, "mid") == 0 && f.what[0] && f.todo[0]);
	partition_copy(p, copy);
	arranged(p, "01232345", "7 7 2 7 7 7");

	// Names and patterns that cannot be.
	static const char *const bad[][2] = {{"stem", "head"}, {"", "head"}, {"a b", "head"}, {"a.w", "head"}, {"a*", "head"},
		{"none", "nosuch"}, {"none", ""}, {"late", "s2a*"}, {"late", "*"},
		{"a-name-of-fifty-letters-is-longer-than-any-layer-has", "head"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		f = (struct fault){0};
		if (partition_group(p, bad[i][0], bad[i][1], &f))
			fail_msg("%s as %s", bad[i][1], bad[i][0]);
		assert_true(f.what[0] && f.todo[0]);
	}
	assert_true(partition_group(p, "mid", "s2a*", &f) && partition_group(p, "late", "s2b*", &f)); // a new pattern makes room
	assert_string_equal(partition_pattern(p, "mid"), "s2a*");
	assert_string_equal(partition_pattern(p, "nosuch"), "");
	assert_true(partition_group(p, "mid", "", &f) && partition_derive(p, &f));
	assert_true(p->groups == 1 && p->group_of[2] == -1 && p->group_of[4] == 0);
	partition_free(p);
	partition_free(copy);
	partition_free(NULL);
	space_free(s);
}

// A merged decision takes the mean of its parts' logits, a split one copies them; Adam begins anew; masks alone disturb nothing.
static void logits_follow_the_partition(void **state)
{
	(void)state;
	struct fault f;
	struct space *s = space_new(&four, NULL, 0, "int2,int4,int8", &f);
	struct partition *p = partition_new(s, &f), *next = partition_new(s, &f);
	struct policy *policy = policy_new(p, &f);
	struct state_array array[POLICY_ARRAYS];
	assert_true(s && p && next && policy);
	policy_arrays(policy, array);
	for (int d = 0; d < 4; d++)
		for (int o = 0; o < 3; o++)
			array[0].data[d * SPACE_OPTIONS + o] = (float)(d * d + o * d);
	policy_refresh(policy);
	policy_clear(policy);
	policy_credit(policy, (uint8_t[]){0, 0, 1, 1, 2, 2, 0, 0}, 1);
	policy_move(policy, 0, .9, .9, 0); // no rate: the logits stay

	next->allowed[0] = 3;
	assert_true(partition_derive(next, &f));
	policy_follow(policy, next);
	assert_true(policy_probabilities(policy, 0)[2] == 0 && *policy_moves(policy) == 1 && array[1].data[0] != 0);

	partition_copy(p, next);
	assert_true(partition_group(p, "mid", "s2*", &f) && partition_derive(p, &f));
	policy_follow(policy, p);
	policy_arrays(policy, array);
	assert_int_equal(array[0].count, 3 * SPACE_OPTIONS);
	static const float merged[3][3] = {{0, 0, 0}, {2.5f, 4, 5.5f}, {9, 12, 15}}; // the means of 1, 2, 3 and 4, 6, 8
	for (int d = 0; d < 3; d++)
		for (int o = 0; o < 3; o++) {
			assert_true(array[0].data[d * SPACE_OPTIONS + o] == merged[d][o]);
			assert_true(array[1].data[d * SPACE_OPTIONS + o] == 0 && array[2].data[d * SPACE_OPTIONS + o] == 0);
		}
	assert_int_equal(*policy_moves(policy), 0);

	partition_copy(next, p);
	next->split = true;
	assert_true(partition_derive(next, &f));
	policy_follow(policy, next);
	for (int d = 0; d < 6; d++)
		for (int o = 0; o < 3; o++)
			assert_true(array[0].data[d * SPACE_OPTIONS + o] == merged[d / 2][o]);
	// Slots of one decision are drawn as one, the halves apart.
	bool apart = false;
	for (uint64_t key = 0; key < 200; key++) {
		uint8_t choice[8];
		policy_sample(policy, key, choice);
		assert_true(choice[2] == choice[4] && choice[3] == choice[5]);
		apart |= choice[2] != choice[3];
	}
	assert_true(apart);
	policy_free(policy);
	partition_free(p);
	partition_free(next);
	space_free(s);
}

// ---- small runs of the engine ------------------------------------------------------------------------------------------------

// Everything but what a test is about; "name=value" separated by blanks, later ones win.
#define SMALL "data=glyphs:12 train=512 heldout=128 batch=8 steps=12 threads=2 calibration=16 front-images=16 front-every=6 "

static struct config *config_of(const char *settings)
{
	struct config *c = config_new();
	struct fault f;
	char text[1024], line[512], *rest = text;
	assert_non_null(c);
	snprintf(text, sizeof text, "%s%s", SMALL, settings);
	for (char *word; (word = strtok_r(rest, " ", &rest));) {
		char *value = strchr(word, '=');
		assert_non_null(value);
		*value++ = 0;
		if (!config_set(c, word, value, &f))
			fail_msg("%s", fault_line(&f, line, sizeof line));
	}
	return c;
}

static struct engine *opened(const char *settings, const struct state *from)
{
	struct config *c = config_of(settings);
	struct fault f;
	char line[512];
	struct engine *e = engine_open(c, from, &f);
	config_free(c);
	if (!e)
		fail_msg("%s: %s", settings, fault_line(&f, line, sizeof line));
	return e;
}

static void await_news(struct engine *e)
{
	struct pollfd fd = {.fd = engine_fd(e), .events = POLLIN};
	poll(&fd, 1, 1000);
	engine_news(e);
}

// A snapshot once the engine stands still; for the caller to free.
static struct snapshot *settled(struct engine *e)
{
	struct snapshot *s = snapshot_new();
	assert_non_null(s);
	for (;;) {
		engine_snapshot(e, s);
		if (s->run != RUN_RUNNING)
			return s;
		await_news(e);
	}
}

static void run_to(struct engine *e, long step)
{
	engine_run_to(e, step);
	struct snapshot *s = settled(e);
	long wanted = step < s->horizon ? step : s->horizon;
	assert_true(s->step >= wanted); // beyond where it already was
	assert_int_equal(s->run, s->step == s->horizon ? RUN_FINISHED : RUN_PAUSED);
	snapshot_free(s);
}

static struct reply reply_to(struct engine *e, unsigned ticket)
{
	struct reply r;
	while (!engine_reply(e, &r))
		await_news(e);
	assert_int_equal(r.ticket, ticket);
	return r;
}

static struct state *saved(struct engine *e)
{
	unsigned ticket;
	assert_true(engine_post_state(e, &ticket, NULL));
	struct reply r = reply_to(e, ticket);
	assert_true(r.ok && r.kind == REQUEST_STATE && r.state);
	struct state *s = r.state;
	r.state = NULL;
	reply_free(&r);
	return s;
}

static void same_state(const struct state *a, const struct state *b)
{
	assert_int_equal(a->texts, b->texts);
	for (int i = 0; i < a->texts; i++) {
		assert_string_equal(a->text[i].name, b->text[i].name);
		if (strcmp(a->text[i].value, b->text[i].value) != 0)
			fail_msg("%s is %s here, %s there", a->text[i].name, a->text[i].value, b->text[i].value);
	}
	assert_int_equal(a->tensors, b->tensors);
	for (int i = 0; i < a->tensors; i++) {
		const struct state_tensor *x = &a->tensor[i], *y = &b->tensor[i];
		assert_string_equal(x->name, y->name);
		if (x->bytes != y->bytes || memcmp(x->data, y->data, x->bytes) != 0)
			fail_msg("%s differs", x->name);
	}
}

static struct state_text *text_of(struct state *s, const char *name)
{
	for (int i = 0; i < s->texts; i++)
		if (strcmp(s->text[i].name, name) == 0)
			return &s->text[i];
	fail_msg("no %s", name);
	return NULL;
}

static struct state_tensor *tensor_of(struct state *s, const char *name)
{
	for (int i = 0; i < s->tensors; i++)
		if (strcmp(s->tensor[i].name, name) == 0)
			return &s->tensor[i];
	fail_msg("no %s", name);
	return NULL;
}

// The engine's state is what it was, to the last bit.
static void still(struct engine *e, const struct state *before)
{
	struct state *now = saved(e);
	same_state(before, now);
	state_free(now);
}

// One item.
static struct reply change(struct engine *e, enum change_kind kind, const char *name, const char *value)
{
	struct change_item item;
	struct change c = {kind, 1, &item, 0};
	struct fault f;
	char line[512];
	unsigned ticket;
	snprintf(item.name, sizeof item.name, "%s", name);
	snprintf(item.value, sizeof item.value, "%s", value);
	if (!engine_post_change(e, &c, &ticket, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return reply_to(e, ticket);
}

static void changed(struct engine *e, enum change_kind kind, const char *name, const char *value)
{
	struct reply r = change(e, kind, name, value);
	char line[512];
	if (!r.ok)
		fail_msg("%s %s: %s", name, value, fault_line(&r.fault, line, sizeof line));
	reply_free(&r);
}

static void a_run_ends(void **state)
{
	(void)state;
	struct engine *e = opened("learn-every=1 final=0", NULL);
	const struct engine_info *info = engine_info(e);
	struct snapshot *s = settled(e);
	assert_int_equal(s->run, RUN_PAUSED);
	assert_int_equal(s->phase, PHASE_WARMUP);
	assert_true(s->step == 0 && s->horizon == 12 && isnan(s->loss));
	assert_true(info->layers == 10 && info->slots == 20 && info->batch == 8 && info->threads == 2);
	assert_true(info->image_h == 12 && info->train_images == 384 && info->heldout_images == 128 && info->report_images == 64);
	assert_false(engine_snapshot(e, s)); // nothing newer
	engine_pause(e);
	engine_run_to(e, -5);
	run_to(e, 5);
	run_to(e, 3); // it does not go back
	run_to(e, ENGINE_RUN_ON);
	assert_true(engine_snapshot(e, s));
	assert_true(s->run == RUN_FINISHED && s->phase == PHASE_SEARCH && s->step == 12);
	assert_true(isfinite(s->loss) && isfinite(s->quality) && isfinite(s->reward) && s->accuracy >= 0 && s->accuracy <= 1);
	run_to(e, ENGINE_RUN_ON);
	struct record record[20];
	uint8_t modal[20 * 20];
	assert_int_equal(engine_history(e, 0, 20, record, modal), 12);
	for (int i = 0; i < 12; i++) {
		assert_true(record[i].step == i + 1 && isfinite(record[i].loss) && record[i].cost[0] > 0);
		assert_int_equal(isnan(record[i].quality), i < s->warmup);
		double cost[ENGINE_TERMS];
		assert_true(engine_price(e, modal + i * 20, cost, 0, NULL));
		assert_true((float)cost[0] == record[i].modal_cost[0]);
	}
	assert_int_equal(engine_history(e, 10, 20, record, NULL), 2);
	assert_int_equal(engine_history(e, 3, 4, record, NULL), 4);
	assert_true(record[0].step == 4);
	assert_int_equal(engine_history(e, 12, 20, record, modal), 0);
	snapshot_free(s);
	engine_close(e);
	engine_close(NULL);
}

static void history_out_of_reach(void **state)
{
	(void)state;
	struct engine *e = opened("", NULL);
	struct record record[4];
	uint8_t modal[4 * 20];
	static const long firsts[] = {1, 5, 1000, LONG_MAX, -1, LONG_MIN};
	for (int run = 0; run < 2; run++) {
		for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
			assert_int_equal(engine_history(e, firsts[i], 4, record, modal), 0);
		assert_int_equal(engine_history(e, 0, -4, record, modal), 0);
		run_to(e, 1);
	}
	engine_close(e);
}

static void prices(void **state)
{
	(void)state;
	struct engine *e = opened("", NULL);
	struct snapshot *s = settled(e);
	uint8_t choice[20] = {0};
	double cost[ENGINE_TERMS], layer[10];
	for (int t = 0; t < s->terms; t++) {
		double sum = 0;
		assert_true(engine_price(e, choice, cost, t, layer));
		for (int l = 0; l < 10; l++)
			sum += layer[l];
		assert_true(fabs(sum / cost[t] - 1) < 1e-12);
		assert_true(cost[t] == s->term[t].low);
	}
	choice[19] = 7; // there are 7
	assert_false(engine_price(e, choice, cost, 0, NULL));
	snapshot_free(s);
	engine_close(e);
}

// Priced by what changes, a choice with another option costs what it costs priced as a whole, however its slots are decided together.
static void differences_of_costs(void **state)
{
	(void)state;
	struct config *config = config_of(
		"space=int2,e4m3,int5 target.size=int5 weight.size=1 target.latency=0.5x weight.latency=1 "
		"target.energy=0.5x weight.energy=1 target.activations=0.5x weight.activations=1 target.bops-linear=0.5x weight.bops-linear=1 "
		"target.latency@a100=0.5x weight.latency@a100=1");
	struct fault f;
	struct search *s = search_new(config_knobs(config), NULL, &f);
	struct lane *lane = &s->lane[0];
	config_free(config);
	assert_non_null(s);
	assert_int_equal(s->shared.terms, 7);
	for (int way = 0; way < 4; way++) {
		partition_copy(lane->wanted, lane->partition);
		lane->wanted->split = way % 2;
		assert_true(way < 2 || partition_group(lane->wanted, "most", "s[13]*", &f));
		assert_true(partition_derive(lane->wanted, &f));
		lane_rearrange(lane);
		uint8_t choice[20], other[20];
		policy_sample(lane->policy, (uint64_t)way, choice);
		for (int d = 0; d < lane->partition->decisions; d++) {
			double now[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], whole[ENGINE_TERMS];
			lane_costs(lane, choice, now);
			pricer_options(lane->pricer, lane->partition, d, lane_counted(lane), cost);
			for (int o = 0; o < 3; o++) {
				memcpy(other, choice, sizeof other);
				for (int i = 0; i < 20; i++)
					if (lane->partition->decision_of[i] == d)
						other[i] = (uint8_t)o;
				assert_true(search_price(s, other, whole, 0, NULL));
				for (int t = 0; t < s->shared.terms; t++)
					assert_true(fabs(cost[o][t] / whole[t] - 1) < 1e-12);
			}
		}
	}
	search_free(s);
}

// The cheapest and the dearest choice against all that there are, with the order of options and that of their costs at odds: on a
// T4, which has no e3m2, that takes longer than int8.
static void bounds_by_pricing(void **state)
{
	(void)state;
	struct config *config = config_of("space=int4,e3m2,int8 device=t4 target.latency=int8");
	struct fault f;
	struct search *s = search_new(config_knobs(config), NULL, &f);
	struct lane *lane = &s->lane[0];
	config_free(config);
	assert_non_null(s);
	static const struct {
		bool split;
		uint32_t stem, rest; // what is allowed, a bit per option
		const char *group;
	} cases[] = {{false, 7, 6, NULL}, {false, 6, 7, "s*"}, {true, 7, 7, "s*"}, {true, 6, 5, "s[123]*"}};
	bool at_odds = false;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct partition *p = lane->wanted;
		partition_copy(p, lane->partition);
		p->split = cases[i].split;
		for (int slot = 0; slot < 20; slot++)
			p->allowed[slot] = slot < 2 ? cases[i].stem : cases[i].rest;
		assert_true(!cases[i].group || partition_group(p, "most", cases[i].group, &f));
		assert_true(partition_derive(p, &f));
		lane_rearrange(lane);
		double low[ENGINE_TERMS], high[ENGINE_TERMS], cost[ENGINE_TERMS];
		for (int t = 0; t < s->shared.terms; t++) {
			low[t] = INFINITY;
			high[t] = 0;
		}
		p = lane->partition;
		int option[20] = {0}, d = 0; // the options of all decisions, as a number with so many digits
		uint8_t choice[20];
		while (d < p->decisions) {
			bool allowed = true;
			for (d = 0; d < p->decisions; d++) {
				choice[p->decision[d].first] = (uint8_t)option[d];
				allowed = allowed && p->decision[d].allowed >> option[d] & 1;
			}
			partition_spread(p, choice);
			if (allowed)
				lane_costs(lane, choice, cost);
			for (int t = 0; allowed && t < s->shared.terms; t++) {
				low[t] = fmin(low[t], cost[t]);
				high[t] = fmax(high[t], cost[t]);
			}
			for (d = 0; d < p->decisions && ++option[d] == 3; d++)
				option[d] = 0;
		}
		for (int t = 0; t < s->shared.terms; t++) {
			const struct aim *term = &lane->aim[t];
			if (!s->shared.term[t].price) {
				assert_true(isnan(term->low) && isnan(term->high) && isnan(term->least));
				continue;
			}
			if (fabs(term->low / low[t] - 1) > 1e-9 || fabs(term->high / high[t] - 1) > 1e-9)
				fail_msg("case %zu, %s: %.9g to %.9g, found %.9g to %.9g", i, s->shared.term[t].name, low[t],
					high[t], term->low, term->high);
			assert_true(term->least <= term->low && term->least > 0);
			assert_true(!price_adds(s->shared.term[t].price) || term->least == term->low);
			lane_costs(lane, term->cheapest, cost);
			assert_true(cost[t] == term->low);
			lane_costs(lane, term->dearest, cost);
			assert_true(cost[t] == term->high);
			if (strcmp(s->shared.term[t].name, "latency") == 0)
				for (int slot = 0; slot < 20; slot++)
					at_odds = at_odds || term->dearest[slot] == 1;
		}
	}
	assert_true(at_odds);
	search_free(s);
}

static void targets_out_of_reach(void **state)
{
	(void)state;
	struct config *config = config_of("space=int4,e3m2,int8 device=t4 target.latency=0.9x");
	struct fault f;
	struct search *s = search_new(config_knobs(config), NULL, &f);
	struct lane *lane = &s->lane[0];
	config_free(config);
	assert_non_null(s);
	struct aim *bops = &lane->aim[0], *latency = &lane->aim[4];
	char text[256];
	static const struct {
		double target; // of the cheapest
		enum target_reach reach;
	} cases[] = {{0, TARGET_NONE}, {1e-9, TARGET_BELOW}, {.999, TARGET_BELOW}, {1, TARGET_WITHIN}, {2, TARGET_WITHIN},
		{4, TARGET_WITHIN}, {4.001, TARGET_ABOVE}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bops->target = cases[i].target * bops->low; // int4 to int8: four times
		assert_int_equal(lane_reach(lane, 0), cases[i].reach);
		lane_reach_text(lane, 0, text, sizeof text);
		assert_int_equal(text[0] == 0, cases[i].reach == TARGET_NONE || cases[i].reach == TARGET_WITHIN);
	}
	latency->least = latency->low * .9; // between what is proven and what was found
	latency->target = latency->low * .95;
	assert_int_equal(lane_reach(lane, 4), TARGET_BELOW_FOUND);
	lane_reach_text(lane, 4, text, sizeof text);
	assert_true(strstr(text, "found") && !strstr(text, "cannot"));
	latency->target = latency->low * .85;
	assert_int_equal(lane_reach(lane, 4), TARGET_BELOW);
	search_free(s);
}

// ---- cost terms ------------------------------------------------------------------------------------------------------------------

static const struct term_state *term_named(const struct snapshot *s, const char *name)
{
	for (int t = 0; t < s->terms; t++)
		if (strcmp(s->term[t].name, name) == 0)
			return &s->term[t];
	fail_msg("no term %s", name);
	return s->term;
}

// What the modal choice of a snapshot costs by a term of its own.
static double cost_of_modal(struct engine *e, const struct snapshot *s, const char *term)
{
	struct model *m = model_named("resnet8",
		(struct shape){engine_info(e)->image_h, engine_info(e)->image_w, engine_info(e)->image_c},
		engine_info(e)->classes, NULL);
	struct layer_plan layer[10];
	struct cost *c = cost_new(m, term, 0, NULL);
	assert_true(m && c && m->layers == 10);
	for (int i = 0; i < 20; i++) {
		int format = format_named(engine_info(e)->slot[i].option[s->slot[i].modal].name);
		*(i % 2 ? &layer[i / 2].activation : &layer[i / 2].weight) = format;
	}
	double total = cost_total(c, &(struct plan){.model = m, .layer = layer}, NULL);
	cost_free(c);
	model_free(m);
	return total;
}

// Latency on one device, on another from step 6 on, on a third beside it from step 8 on; the same bits with one worker and with
// two, and where it is saved and opened again on the way.
static void devices_change(void **state)
{
	(void)state;
	static const char *const terms[] = {"bops", "bops-linear", "size", "activations", "latency", "energy", "latency@t4"};
	struct state *first = NULL;
	for (int run = 0; run < 3; run++) {
		const char *settings = run ? "threads=2 target.latency=0.5x weight.latency=1 target.size=0.5x weight.size=1"
					   : "threads=1 target.latency=0.5x weight.latency=1 target.size=0.5x weight.size=1";
		struct engine *e = opened(settings, NULL);
		run_to(e, 6);
		struct snapshot *s = settled(e);
		const struct term_state *latency = term_named(s, "latency");
		double before = latency->target;
		assert_int_equal(s->terms, 6);
		assert_string_equal(latency->unit, "ms per 128 images on tpu_v4");
		assert_true(latency->modal == cost_of_modal(e, s, "latency@tpu_v4"));
		changed(e, CHANGE_SET, "device", "a100");
		assert_true(engine_snapshot(e, s));
		latency = term_named(s, "latency");
		assert_string_equal(latency->unit, "ms per 128 images on a100 (assumed)");
		assert_string_equal(latency->target_text, "0.5x");
		assert_true(latency->modal == cost_of_modal(e, s, "latency@a100") && latency->target != before);
		assert_true(term_named(s, "size")->targeted && isnan(latency->expected) &&
			isfinite(term_named(s, "size")->expected));
		run_to(e, 8);
		changed(e, CHANGE_TARGET, "latency@t4", "0.4us");
		changed(e, CHANGE_WEIGHT, "latency@t4", "0.5");
		if (run == 2) {
			struct state *half = saved(e);
			engine_close(e);
			e = opened(settings, half);
			still(e, half);
			state_free(half);
		}
		run_to(e, ENGINE_RUN_ON);
		snapshot_free(s);
		s = settled(e);
		assert_int_equal(s->terms, 7);
		for (int t = 0; t < 7; t++)
			assert_string_equal(s->term[t].name, terms[t]);
		assert_true(s->term[6].target == 0.0004 && s->term[6].modal == cost_of_modal(e, s, "latency@t4"));
		struct record record[12];
		assert_int_equal(engine_history(e, 0, 12, record, NULL), 12);
		for (int i = 0; i < 12; i++) {
			assert_true(isfinite(record[i].cost[4]) && isfinite(record[i].modal_cost[4]) && isnan(record[i].cost[7]));
			assert_int_equal(isnan(record[i].cost[6]), i < 8);
			assert_int_equal(isnan(record[i].modal_cost[6]), i < 8);
		}
		for (int i = 0; i < s->points; i++) {
			double cost[ENGINE_TERMS];
			assert_true(engine_price(e, s->point[i].choice, cost, 0, NULL) &&
				memcmp(cost, s->point[i].cost, 7 * sizeof *cost) == 0);
		}
		if (first)
			still(e, first);
		else
			first = saved(e);
		snapshot_free(s);
		engine_close(e);
	}
	state_free(first);
}

// An absolute target stays where the device changes; what the change did is taken back by its inverse.
static void absolute_targets_stay(void **state)
{
	(void)state;
	struct engine *e = opened("target.latency=2us target.energy=0.5x", NULL);
	struct snapshot *s = settled(e);
	struct state *before = saved(e);
	double energy = term_named(s, "energy")->target;
	struct reply r = change(e, CHANGE_SET, "device", "tpu_v3");
	assert_true(r.ok && engine_snapshot(e, s));
	assert_true(term_named(s, "latency")->target == 0.002 && term_named(s, "energy")->target != energy);
	unsigned ticket;
	assert_true(engine_post_change(e, &r.inverse, &ticket, NULL));
	struct reply back = reply_to(e, ticket);
	assert_true(back.ok && engine_snapshot(e, s));
	assert_true(term_named(s, "energy")->target == energy);
	still(e, before);
	reply_free(&r);
	reply_free(&back);
	state_free(before);
	snapshot_free(s);
	engine_close(e);
}

// A device that lacks a figure: listed as such while nobody asks for the term, refused where somebody does.
static void terms_without_a_price(void **state)
{
	(void)state;
	struct engine *e = opened("device=edge_tpu", NULL);
	struct snapshot *s = settled(e);
	const struct term_state *latency = term_named(s, "latency");
	assert_non_null(strstr(latency->why, "the memory bandwidth of edge_tpu is unknown"));
	assert_true(isnan(latency->modal) && !latency->targeted);
	static const struct bad {
		enum change_kind kind;
		const char *name, *value, *says;
	} bad[] = {
		{CHANGE_TARGET, "latency", "0.5x", "the memory bandwidth of edge_tpu is unknown"},
		{CHANGE_TARGET, "energy@h100", "1mJ", "nor the mean power of h100"},
		{CHANGE_WEIGHT, "latency@edge_tpu", "0", "the memory bandwidth of edge_tpu is unknown"},
		{CHANGE_TARGET, "latency@nosuch", "3ms", "there is no device \"nosuch\""},
		{CHANGE_TARGET, "latency@", "3ms", "no device"},
		{CHANGE_TARGET, "latency@t4", "3GB", "is not a target"},
		{CHANGE_TARGET, "energy@a100", "3ms", "is not a target"},
		{CHANGE_TARGET, "latency@table:hawq", "3ms", " "},
		{CHANGE_WEIGHT, "latency@t4", "1", "no target"},
		{CHANGE_SET, "device", "nosuch", "there is no device \"nosuch\""},
		{CHANGE_SET, "device", "/nosuch/device.json", " "},
	};
	struct state *before = saved(e);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct reply r = change(e, bad[i].kind, bad[i].name, bad[i].value);
		if (r.ok || !strstr(r.fault.what, bad[i].says) || !r.fault.todo[0])
			fail_msg("%s %s: %s", bad[i].name, bad[i].value, r.ok ? "applied" : r.fault.what);
		reply_free(&r);
		still(e, before);
	}
	state_free(before);
	// Devices in such a number that there is no room for more.
	static const char *const more[] = {
		"latency@tpu_v3", "latency@tpu_v4", "latency@tpu_v4i", "latency@a100", "latency@h100", "latency@t4"};
	for (int i = 0; i < 6; i++)
		changed(e, CHANGE_WEIGHT, more[i], "0");
	struct reply full = change(e, CHANGE_WEIGHT, "latency@v100", "0");
	assert_true(!full.ok && strstr(full.fault.what, "12 cost terms at most"));
	reply_free(&full);
	run_to(e, ENGINE_RUN_ON);
	snapshot_free(s);
	engine_close(e);
	struct config *c = config_of("target.latency@edge_tpu=3ms");
	struct fault f;
	assert_null(engine_open(c, NULL, &f));
	assert_non_null(strstr(f.what, "edge_tpu is unknown"));
	config_free(c);
}

// ---- without training ------------------------------------------------------------------------------------------------------------

static struct engine *explored(const char *settings)
{
	struct config *c = config_new();
	struct fault f;
	char text[512], line[512], *rest = text;
	snprintf(text, sizeof text, "data=none %s", settings);
	for (char *word; (word = strtok_r(rest, " ", &rest));) {
		char *value = strchr(word, '=');
		*value++ = 0;
		if (!config_set(c, word, value, &f))
			fail_msg("%s", fault_line(&f, line, sizeof line));
	}
	struct engine *e = engine_open(c, NULL, &f);
	config_free(c);
	if (!e)
		fail_msg("%s: %s", settings, fault_line(&f, line, sizeof line));
	return e;
}

// A search on a table: the quality of every point is what the table says of its choice, nothing is trained, and the modal
// choice comes near its target with less loss than a uniform choice of its cost.
static void searches_on_a_table(void **state)
{
	(void)state;
	struct engine *e = explored("net=resnet18 space=int4,int8 sensitivity=hawq target.bops=0.5x steps=600 front-every=200");
	run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	struct model *m = model_named("resnet18", (struct shape){0}, 0, NULL);
	struct sensitivity *table = sensitivity_named(m, "hawq", NULL);
	struct layer_plan layer[32];
	assert_true(m && table && m->layers <= 32);
	assert_string_equal(s->estimated, "additive table hawq");
	assert_true(!s->idle && !s->quality_is_loss && isnan(s->loss) && isnan(s->accuracy) && s->warmup == 0);
	assert_non_null(strstr(s->says, "estimated (additive table hawq)") ? s->says : strstr(s->says, "finished"));
	assert_true(s->points > 2);
	double modal = 0, uniform = 1;
	for (int i = 0; i < s->points; i++) {
		const struct front_point *p = &s->point[i];
		for (int k = 0; k < s->slots; k++) {
			int format = format_named(p->choice[k] ? "int8" : "int4");
			*(k % 2 ? &layer[k / 2].activation : &layer[k / 2].weight) = format;
		}
		assert_true(p->accuracy ==
				(double)(float)sensitivity_quality(table, &(struct plan){.model = m, .layer = layer}, NULL) &&
			isnan(p->loss));
		if (p->origin == POINT_MODAL)
			modal = p->accuracy;
		if (strcmp(p->label, "int4") == 0)
			uniform = p->accuracy;
	}
	assert_true(modal > uniform);
	assert_true(fabs(s->term[0].modal / s->term[0].target - 1) < 0.15);
	struct record last;
	assert_int_equal(engine_history(e, 599, 1, &last, NULL), 1);
	assert_true(isnan(last.loss) && isnan(last.learning_rate) && last.quality > 0.5f && last.quality < 0.78f);
	// Saved and opened; another table is another search.
	struct state *end = saved(e);
	snapshot_free(s);
	engine_close(e);
	for (int t = 0; t < 2; t++) {
		struct config *c = config_new();
		struct fault f;
		const char *const set[][2] = {{"data", "none"}, {"net", "resnet18"}, {"space", "int4,int8"},
			{"sensitivity", t ? "none" : "hawq"}, {"steps", "600"}};
		for (int i = 0; i < 5; i++)
			assert_true(config_set(c, set[i][0], set[i][1], &f));
		e = engine_open(c, end, &f);
		assert_int_equal(e != NULL, t == 0);
		if (e)
			still(e, end);
		else
			assert_non_null(strstr(f.what, "sensitivity"));
		engine_close(e);
		config_free(c);
	}
	state_free(end);
	sensitivity_free(table);
	model_free(m);
}

// No table: costs alone.
static void costs_alone(void **state)
{
	(void)state;
	struct engine *e = explored("net=resnet50");
	engine_run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	struct fault f = {0};
	unsigned ticket;
	assert_true(s->run == RUN_PAUSED && s->step == 0 && s->estimated[0] == 0);
	assert_non_null(strstr(s->idle, "no source of quality"));
	assert_true(engine_post_evaluate(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT, &ticket, &f));
	struct reply r = reply_to(e, ticket);
	assert_true(!r.ok && strstr(r.fault.what, "no source of quality"));
	reply_free(&r);
	changed(e, CHANGE_RESTRICT, "stem", "int4");
	changed(e, CHANGE_TARGET, "latency@a100", "int8");
	assert_true(engine_snapshot(e, s) && s->slot[0].modal == 2 && s->terms == 7);
	snapshot_free(s);
	engine_close(e);
	static const char *const bad[][2] = {{"data=none sensitivity=hawq net=mobilenetv2", "no figures per layer"},
		{"data=none sensitivity=/nosuch.csv", "nosuch"}, {"sensitivity=hawq", "no figures per layer"},
		{"data=none net=nosuch", "nosuch"}};
	for (int i = 0; i < 4; i++) {
		struct config *c = config_of(bad[i][0]);
		char line[512];
		assert_null(engine_open(c, NULL, &f));
		if (!strstr(fault_line(&f, line, sizeof line), bad[i][1]))
			fail_msg("%s: %s", bad[i][0], line);
		config_free(c);
	}
	assert_string_equal(engine_sensitivity("resnet50"), "hawq");
	assert_string_equal(engine_sensitivity("efficientnet-x-b7"), "none");
	assert_string_equal(engine_sensitivity("nosuch"), "none");
}

// Every layer of the largest network stepped by hand, up and down, under all terms: as the operators priced one by one.
static void stepped_by_hand(void **state)
{
	(void)state;
	struct engine *e = explored("net=efficientnet-x-b7 space=int4,int8");
	const struct engine_info *info = engine_info(e);
	uint8_t *choice = calloc((size_t)info->slots, 1);
	double first[ENGINE_TERMS], before[ENGINE_TERMS], cost[ENGINE_TERMS];
	assert_non_null(choice);
	assert_true(engine_price(e, choice, first, 0, NULL));
	memcpy(before, first, sizeof before);
	for (int i = 0; i < info->slots; i++) { // wider and wider: nothing becomes cheaper
		choice[i] = 1;
		assert_true(engine_price(e, choice, cost, 0, NULL));
		for (int t = 0; t < 6; t++)
			assert_true(cost[t] >= before[t] * (1 - 1e-12));
		const struct layer_info *l = &info->layer[i / 2];
		// bops of the layer: 4x4 to 8x4 to 8x8; size: half a byte a weight.
		assert_true(fabs(cost[0] - before[0] - l->macs * (i % 2 ? 32 : 16)) <= 1e-9 * cost[0]);
		assert_true(fabs(cost[2] - before[2] - (i % 2 ? 0 : l->weights / 2)) <= 1e-9 * cost[2]);
		memcpy(before, cost, sizeof before);
	}
	for (int i = info->slots - 1; i >= 0; i--)
		choice[i] = 0;
	assert_true(engine_price(e, choice, cost, 0, NULL) && memcmp(cost, first, sizeof cost) == 0);
	free(choice);
	engine_close(e);
}

// ---- the same bits --------------------------------------------------------------------------------------------------------------

static void threads_do_not_matter(void **state)
{
	(void)state;
	static const char *const settings[] = {"", "range=mse heldout-batches=2 front-every=0",
		"preset=fliqs range=ema unsigned=on smoothing=0.1 front-every=0", "optimizer=adamw ema=0.9 front-every=3",
		"wide-start=0.2 wide-every=3 final=0.3 front-every=0"};
	for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s += STRIDE) {
		struct state *first = NULL;
		for (int threads = 1; threads <= (s ? 3 : 8); threads = threads < 3 ? threads + 1 : threads + 5) {
			char text[256];
			snprintf(text, sizeof text, "steps=6 batch=19 %s threads=%d", settings[s], threads);
			struct engine *e = opened(text, NULL);
			run_to(e, ENGINE_RUN_ON);
			if (first)
				still(e, first);
			else
				first = saved(e);
			engine_close(e);
		}
		state_free(first);
	}
}

// The digest sees every kind of difference that a seed makes.
static void seeds_matter(void **state)
{
	(void)state;
	struct state *s[2];
	for (int i = 0; i < 2; i++) {
		struct engine *e = opened(i ? "seed=2 steps=3" : "seed=1 steps=3", NULL);
		run_to(e, ENGINE_RUN_ON);
		s[i] = saved(e);
		engine_close(e);
	}
	assert_string_not_equal(state_get(s[0], "digest"), state_get(s[1], "digest"));
	state_free(s[0]);
	state_free(s[1]);
}

// What a person may do on the way, at step 4 and at step 8. More digits than a float has: a state keeps them all.
static void meddle(struct engine *e, long step)
{
	if (step == 4) {
		changed(e, CHANGE_RESTRICT, "s2*", "int3,int4,int5");
		changed(e, CHANGE_SET, "policy-rate", "0.0312345678901");
		changed(e, CHANGE_SET, "rate", "0.0712345678901");
		changed(e, CHANGE_TARGET, "size", "30.123456789k");
		changed(e, CHANGE_WEIGHT, "size", "0.51234567890123");
		changed(e, CHANGE_GROUP, "blocks", "s[13]*");
		changed(e, CHANGE_SET, "decide", "split");
	} else {
		changed(e, CHANGE_RESTRICT, "stem", "int8");
		changed(e, CHANGE_RESTRICT, "blocks.a", "int3,int5,int8");
		changed(e, CHANGE_RESTRICT, "head.w", "int7");
		changed(e, CHANGE_GROUP, "two", "s2*");
		changed(e, CHANGE_SET, "decide", "tied");
		changed(e, CHANGE_SET, "range", "ema");
		changed(e, CHANGE_EXTEND, "", "3");
	}
}

// Changes are made at steps 4 and 8. `parts`: the settings with which it goes on when it was closed.
static void check_interruptions(const char *settings, const char *parts, void (*meddles)(struct engine *, long step))
{
	struct engine *e = opened(settings, NULL);
	for (long step = 4; step <= 8; step += 4) {
		run_to(e, step);
		meddles(e, step);
	}
	run_to(e, ENGINE_RUN_ON);
	struct state *whole = saved(e);
	engine_close(e);
	assert_string_equal(state_get(whole, "step"), "15");

	// Closed and opened again at steps 3, 4 (with the changes made) and 9.
	e = opened(parts, NULL);
	static const long stops[] = {3, 4, 6, 8, 9, 15};
	for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
		run_to(e, stops[i]);
		if (stops[i] == 4 || stops[i] == 8)
			meddles(e, stops[i]);
		struct state *part = saved(e);
		engine_close(e);
		e = opened(parts, part);
		still(e, part);
		struct snapshot *shot = settled(e);
		assert_true(shot->step == stops[i]);
		snapshot_free(shot);
		state_free(part);
	}
	still(e, whole);
	engine_close(e);
	state_free(whole);
}

static void interruptions_do_not_matter(void **state)
{
	(void)state;
	static const char *const settings[] = {"", "preset=tunas threads=1", "modal-share=0 range=ema", "",
		"optimizer=adamw ema=0.9 rate=0.01", "wide-start=0.2 wide-every=3 final=0.3"};
	for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s += STRIDE) {
		// With another number of threads, too.
		char parts[256];
		snprintf(parts, sizeof parts, "%s threads=%d", settings[s], s == 1 ? 2 : 1);
		check_interruptions(settings[s], parts, meddle);
	}
}

// Formats with blocks: others, the scales of blocks by another rule, back again.
static void meddle_with_blocks(struct engine *e, long step)
{
	if (step == 4) {
		changed(e, CHANGE_RESTRICT, "s2*", "mxfp4,nvfp4,mxint8");
		changed(e, CHANGE_RESTRICT, "stem", "mxfp8-e5m2");
		changed(e, CHANGE_TARGET, "size", "45k");
		changed(e, CHANGE_WEIGHT, "size", "0.5");
		changed(e, CHANGE_SET, "decide", "split");
	} else {
		changed(e, CHANGE_SET, "block-scale", "up");
		changed(e, CHANGE_RESTRICT, "head.w", "nvfp4");
		changed(e, CHANGE_RESTRICT, "s1*.a", "mxfp6,mxfp6-e3m2");
		changed(e, CHANGE_EXTEND, "", "3");
	}
}

static void interruptions_of_blocks_do_not_matter(void **state)
{
	(void)state;
	static const char *const rule[] = {"floor", "up", "search"};
	char digest[3][64];
	for (int r = 0; r < 3; r++) {
		char whole[128], parts[256];
		snprintf(whole, sizeof whole,
			"wide-start=0 space=int4,mxfp4,nvfp4,mxfp6,mxfp6-e3m2,mxint8,mxfp8,mxfp8-e5m2 block-scale=%s", rule[r]);
		snprintf(parts, sizeof parts, "%s threads=1", whole);
		check_interruptions(whole, parts, meddle_with_blocks);
		struct engine *e = opened(whole, NULL);
		run_to(e, 3);
		struct state *now = saved(e);
		snprintf(digest[r], sizeof digest[r], "%s", state_get(now, "digest"));
		state_free(now);
		engine_close(e);
	}
	assert_string_not_equal(digest[0], digest[1]); // or the rule would do nothing
	assert_string_not_equal(digest[0], digest[2]);
	assert_string_not_equal(digest[1], digest[2]);
}

// Posted while it runs, a change is applied at whatever step it meets; the reply says which. Posted at a pause at that
// step, it gives the same bits.
static void pauses_do_not_matter(void **state)
{
	(void)state;
	struct engine *e = opened("steps=20", NULL);
	engine_run_to(e, ENGINE_RUN_ON);
	while (engine_history(e, 5, 1, &(struct record){0}, NULL) == 0)
		await_news(e);
	struct reply r = change(e, CHANGE_RESTRICT, "*.conv1", "int2,int6");
	assert_true(r.ok);
	long at = r.step;
	assert_in_range(at, 6, 20);
	reply_free(&r);
	run_to(e, ENGINE_RUN_ON);
	struct state *running = saved(e);
	engine_close(e);

	e = opened("steps=20", NULL);
	for (long stop = 1; stop < at; stop += 3)
		run_to(e, stop);
	run_to(e, at);
	changed(e, CHANGE_RESTRICT, "*.conv1", "int2,int6");
	run_to(e, ENGINE_RUN_ON);
	still(e, running);
	engine_close(e);
	state_free(running);
}

// ---- changes -----------------------------------------------------------------------------------------------------------------------

static void bad_changes(void **state)
{
	(void)state;
	static const struct bad {
		enum change_kind kind;
		const char *name, *value;
	} bad[] = {
		{CHANGE_RESTRICT, "", "int4"},
		{CHANGE_RESTRICT, "nosuch", "int4"},
		{CHANGE_RESTRICT, "s9*", "int4"},
		{CHANGE_RESTRICT, "[", "int4"},
		{CHANGE_RESTRICT, "stem", ""},
		{CHANGE_RESTRICT, "stem", ","},
		{CHANGE_RESTRICT, "stem", "int9"},
		{CHANGE_RESTRICT, "stem", "int16"},
		{CHANGE_RESTRICT, "stem", "int4,e2m1"},
		{CHANGE_RESTRICT, "stem", "int4,,int8"},
		{CHANGE_RESTRICT, "stem", "all,int4"},
		{CHANGE_RESTRICT, "stem", "int4 int8"},
		{CHANGE_RESTRICT, "*", "\x1b[2J"},
		{CHANGE_RESTRICT, "%s%n", "int4"},
		{CHANGE_WEIGHT, "bops", "-1"},
		{CHANGE_WEIGHT, "bops", "nan"},
		{CHANGE_WEIGHT, "bops", "inf"},
		{CHANGE_WEIGHT, "bops", ""},
		{CHANGE_WEIGHT, "bops", "1x"},
		{CHANGE_WEIGHT, "bops", "1e9"},
		{CHANGE_WEIGHT, "nosuch", "1"},
		{CHANGE_WEIGHT, "", "1"},
		{CHANGE_WEIGHT, "size", "1"}, // it has no target
		{CHANGE_TARGET, "bops", "int"},
		{CHANGE_TARGET, "bops", "0"},
		{CHANGE_TARGET, "bops", "-1"},
		{CHANGE_TARGET, "bops", "1e400"},
		{CHANGE_TARGET, "bops", "0x5"},
		{CHANGE_TARGET, "bops", "0x5x"},
		{CHANGE_TARGET, "bops", "0X1p9"},
		{CHANGE_WEIGHT, "bops", "0x1"},
		{CHANGE_SET, "samples", "0x4"},
		{CHANGE_TARGET, "bops", "nanx"},
		{CHANGE_TARGET, "nosuch", "int4"},
		{CHANGE_TARGET, "bops", ""},                                                               // it has a weight
		{CHANGE_TARGET, "bops", "0.50000000000000000000000000000000000000000000000000000000000x"}, // too long to be kept
		{CHANGE_SET, "nosuch", "1"},
		{CHANGE_SET, "", ""},
		{CHANGE_SET, "rate", "-1"},
		{CHANGE_SET, "rate", "11"},
		{CHANGE_SET, "rate", "fast"},
		{CHANGE_SET, "rate", ""},
		{CHANGE_SET, "rate", "0.1 "},
		{CHANGE_SET, "rate", "nan"},
		{CHANGE_SET, "samples", "0"},
		{CHANGE_SET, "samples", "65"},
		{CHANGE_SET, "samples", "1.5"},
		{CHANGE_SET, "samples", "99999999999999999999"},
		{CHANGE_SET, "reward", "relux"},
		{CHANGE_SET, "reward", "rel"},
		{CHANGE_SET, "reward", ""},
		{CHANGE_SET, "range", "max|ema"},
		{CHANGE_SET, "net", "resnet20"},
		{CHANGE_SET, "batch", "32"},
		{CHANGE_SET, "optimizer", "adamw"},
		{CHANGE_SET, "ema", "0.5"},
		{CHANGE_SET, "beta2", "1"},
		{CHANGE_SET, "seed", "2"},
		{CHANGE_SET, "steps", "50"},
		{CHANGE_SET, "space", "int-s"},
		{CHANGE_SET, "preset", "fliqs"},
		{CHANGE_SET, "target.bops", "garbage"},
		{CHANGE_SET, "weight.size", "1"},
		{CHANGE_SET, "target.nosuch", "int4"},
		{CHANGE_RESTRICT, "stem.x", "int4"},
		{CHANGE_RESTRICT, "nosuch.w", "int4"},
		{CHANGE_RESTRICT, "pair.b", "int4"},
		{CHANGE_RESTRICT, "s1b1.conv1.w", "int2"}, // int4 is what its group is pinned to elsewhere
		{CHANGE_GROUP, "pair2", "s1*"},
		{CHANGE_GROUP, "pair2", "nosuch"},
		{CHANGE_GROUP, "stem", "s2*"},
		{CHANGE_GROUP, "nosuch", ""},
		{CHANGE_GROUP, "", "s2*"},
		{CHANGE_GROUP, "three", "s3*"}, // whose pins differ
		{CHANGE_SET, "decide", ""},
		{CHANGE_SET, "decide", "apart"},
		{CHANGE_EXTEND, "", "0"},
		{CHANGE_EXTEND, "", "-5"},
		{CHANGE_EXTEND, "", ""},
		{CHANGE_EXTEND, "", "ten"},
		{CHANGE_EXTEND, "", "5x"},
		{CHANGE_EXTEND, "", "1.5"},
		{CHANGE_EXTEND, "", "1e3"},
		{CHANGE_EXTEND, "", "1000000001"},
		{CHANGE_EXTEND, "", "99999999999999999999999"},
	};
	struct engine *e = opened("", NULL);
	run_to(e, 4);
	changed(e, CHANGE_GROUP, "pair", "s1*");
	changed(e, CHANGE_RESTRICT, "pair", "int4");
	changed(e, CHANGE_RESTRICT, "s3b1.conv1", "int4");
	changed(e, CHANGE_RESTRICT, "s3b1.conv2", "int8");
	struct state *before = saved(e);
	for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
		struct change_item item[2] = {{"rate", "0.01"}, {"rate", "0.02"}};
		struct change c = {CHANGE_SET, 0, item, 0}; // first: no items at all
		struct fault f = {0};
		unsigned ticket;
		if (i > 0) {
			const struct bad *b = &bad[i - 1];
			// Behind a good item of its kind: all or none.
			static const struct change_item good[] = {[CHANGE_RESTRICT] = {"head", "int5"},
				[CHANGE_WEIGHT] = {"bops", "3"},
				[CHANGE_TARGET] = {"bops", "int5"},
				[CHANGE_SET] = {"rate", "0.01"},
				[CHANGE_EXTEND] = {"", "5"},
				[CHANGE_GROUP] = {"good", "head"}};
			c = (struct change){b->kind, 2, item, 0};
			item[0] = good[b->kind];
			snprintf(item[1].name, sizeof item[1].name, "%s", b->name);
			snprintf(item[1].value, sizeof item[1].value, "%s", b->value);
		}
		const char *what = i ? bad[i - 1].value : "nothing";
		for (int alone = 0; alone < 2; alone++) {
			if (engine_post_change(e, &c, &ticket, &f)) {
				struct reply r = reply_to(e, ticket);
				if (r.ok)
					fail_msg("%s %s was applied", item[1].name, what);
				assert_true(r.inverse.items == 0 && r.kind == REQUEST_CHANGE);
				f = r.fault;
				reply_free(&r);
			}
			if (!f.what[0] || !f.todo[0])
				fail_msg("%s %s: no fault, or not what to do", item[1].name, what);
			item[0] = item[1];
			c.items = c.items ? 1 : 0;
		}
	}
	still(e, before);
	state_free(before);
	engine_close(e);
}

static void inverses_restore(void **state)
{
	(void)state;
	static const struct item {
		enum change_kind kind;
		const char *name, *value;
	} items[] = {
		{CHANGE_RESTRICT, "stem", "int8"},
		{CHANGE_RESTRICT, "s*", "int3,int4"},
		{CHANGE_RESTRICT, "*", "int2"},
		{CHANGE_WEIGHT, "bops", "0.123456789"},
		{CHANGE_WEIGHT, "bops", "0"},
		{CHANGE_TARGET, "bops", "int5"},
		{CHANGE_TARGET, "size", "0.5x"},
		{CHANGE_SET, "rate", "0.01"},
		{CHANGE_SET, "beta2", "0.98765"},
		{CHANGE_SET, "range", "percentile"},
		{CHANGE_SET, "samples", "7"},
		{CHANGE_SET, "reward", "mnas"},
		{CHANGE_SET, "entropy", "0.3"},
		{CHANGE_SET, "scales", "layer"},
		{CHANGE_SET, "front-every", "3"},
		{CHANGE_SET, "weight.bops", "2.5"},
		{CHANGE_SET, "decide", "split"},
		{CHANGE_GROUP, "one", "s1*"},
		{CHANGE_GROUP, "three", ""},
		{CHANGE_GROUP, "three", "s3b1.conv?"},
		{CHANGE_RESTRICT, "three", "int5"},
		{CHANGE_RESTRICT, "s3b1.skip", "int5"},
		{CHANGE_RESTRICT, "s3b1.skip.w", "int3"},
		{CHANGE_RESTRICT, "*.a", "int3,int5"},
		{CHANGE_RESTRICT, "head.w", "int6"},
	};
	struct engine *e = opened("warmup=0.5 rate=0.0123456789012345 entropy=0.0312345678901", NULL);
	run_to(e, 3);
	changed(e, CHANGE_RESTRICT, "head", "int4,int5,int6,int7");
	changed(e, CHANGE_RESTRICT, "s2b1.skip", "int3");
	changed(e, CHANGE_RESTRICT, "s3b1.conv1.a", "int3,int5"); // a pin from before the group stays its layer's own
	changed(e, CHANGE_GROUP, "three", "s3*");
	struct state *before = saved(e);
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		struct reply r = change(e, items[i].kind, items[i].name, items[i].value);
		assert_true(r.ok && r.step == 3 && r.inverse.kind == items[i].kind && r.inverse.items > 0);
		struct state *now = saved(e);
		bool differs = strcmp(state_get(now, "digest"), state_get(before, "digest")) != 0;
		bool decides = items[i].kind == CHANGE_RESTRICT || items[i].kind == CHANGE_GROUP ||
			strcmp(items[i].name, "decide") == 0;
		assert_int_equal(differs, decides); // masks and what is decided together are in the digest, settings are not
		state_free(now);
		unsigned ticket;
		struct fault f;
		assert_true(engine_post_change(e, &r.inverse, &ticket, &f));
		struct reply back = reply_to(e, ticket);
		assert_true(back.ok);
		reply_free(&back);
		reply_free(&r);
		still(e, before);
	}
	// What changes nothing has nothing to take back.
	struct reply r = change(e, CHANGE_RESTRICT, "s2b1.skip", "int3");
	assert_true(r.ok && r.inverse.items == 0);
	reply_free(&r);
	still(e, before);
	state_free(before);
	engine_close(e);
}

// ---- changes that take each other back -----------------------------------------------------------------------------------------

// One for each thing that can be changed, so that they can be taken back in any order; of each, some values.
static const struct subject {
	enum change_kind kind;
	const char *name, *value[3];
} subjects[] = {
	{CHANGE_TARGET, "bops", {"0.2x", "int5", "20M"}},
	{CHANGE_WEIGHT, "bops", {"0.5", "0", "7"}},
	{CHANGE_SET, "device", {"a100", "t4", "tpu_v3"}},
	{CHANGE_TARGET, "size", {"0.3x", "int4", "0.01x"}},
	{CHANGE_WEIGHT, "size", {"1.5", "0.25", "3"}},
	{CHANGE_SET, "reward", {"relu", "mnas", "abs"}},
	{CHANGE_TARGET, "latency", {"0.9x", "int8", "1us"}},
	{CHANGE_WEIGHT, "latency", {"1", "0.3", "2"}},
	{CHANGE_SET, "entropy", {"0.3", "0", "1"}},
	{CHANGE_SET, "quality", {"accuracy", "loss", "accuracy"}},
	{CHANGE_SET, "rate", {"0.01", "0.2", "0"}},
	{CHANGE_SET, "decide", {"split", "tied", "split"}},
	{CHANGE_SET, "policy-rate", {"0.3", "0.001", "0"}},
	{CHANGE_RESTRICT, "stem", {"int8", "int2,int3", "int5"}},
	{CHANGE_RESTRICT, "s2b1.conv1", {"int4", "int7,int8", "int2"}},
	{CHANGE_RESTRICT, "s3*", {"int8", "int4,int8", "int3"}},
	{CHANGE_GROUP, "one", {"s1*", "s1b1.conv?", "s1b1.skip"}},
	{CHANGE_EXTEND, "", {"7", "100", "1"}},
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static uint64_t drawn; // of the random changes

static int draw_below(int n)
{
	return (int)rng_below(4711, drawn++, (uint64_t)n);
}

// Does what can be done; what takes it back, items 0: it was refused, or changed nothing.
static struct reply try_change(struct engine *e, const struct change *c)
{
	unsigned ticket;
	struct fault f;
	if (!engine_post_change(e, c, &ticket, &f))
		return (struct reply){0};
	return reply_to(e, ticket);
}

static struct reply try_subject(struct engine *e, const struct subject *s)
{
	struct change_item item = {0};
	snprintf(item.name, sizeof item.name, "%s", s->name);
	snprintf(item.value, sizeof item.value, "%s", s->value[draw_below(3)]);
	return try_change(e, &(struct change){s->kind, 1, &item, 0});
}

static void take_back(struct engine *e, struct reply *r)
{
	struct reply back = try_change(e, &r->inverse);
	char line[512];
	if (!back.ok)
		fail_msg("%s is not taken back: %s", r->inverse.item[0].value, fault_line(&back.fault, line, sizeof line));
	reply_free(&back);
	reply_free(r);
}

// Random changes on top of each other, some taken back on the way; then all, the last first.
static void there_and_back(struct engine *e)
{
	enum { MOST = 24 };
	struct reply stack[MOST];
	int depth = 0;
	for (int i = 0; i < 60; i++) {
		if (depth && (depth == MOST || draw_below(3) == 0)) {
			take_back(e, &stack[--depth]);
			continue;
		}
		stack[depth] = try_subject(e, &subjects[draw_below(SUBJECTS)]);
		if (stack[depth].inverse.items)
			depth++;
		else
			reply_free(&stack[depth]);
	}
	while (depth)
		take_back(e, &stack[--depth]);
}

// Changes of different things, taken back in another order. What hangs together stays in order: a weight needs its target, parts of a
// group may be pinned apart only while it is none.
static void there_and_back_in_any_order(struct engine *e)
{
	static const int apart[] = {0, 2, 5, 8, 9, 10, 12, 13, 14, 17};
	enum { APART = sizeof apart / sizeof *apart };
	struct reply done[APART];
	int order[APART];
	for (int i = 0; i < APART; i++) {
		done[i] = try_subject(e, &subjects[apart[i]]);
		int j = draw_below(i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (int i = 0; i < APART; i++)
		if (done[order[i]].inverse.items)
			take_back(e, &done[order[i]]);
		else
			reply_free(&done[order[i]]);
}

static const char *const settings_of_changes[] = {"warmup=0.1",
	"warmup=0.1 baseline=average policy-rate=0.4 entropy=0.3", // settles
	"warmup=0.1 decide=split target.size=0.5x weight.size=1",
	"warmup=0.1 reward=relu target.latency=0.9x weight.latency=1 space=int-s"};

// Changes and what takes them back, between two steps, leave the state as it was to the last bit, and the next 50 steps.
static void changes_and_back_leave_no_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof settings_of_changes / sizeof *settings_of_changes; i++) {
		char settings[256];
		snprintf(settings, sizeof settings, "steps=70 front-every=16 %s", settings_of_changes[i]);
		struct state *end = NULL;
		for (int changes = 0; changes < 2; changes++) {
			static const long stops[] = {0, 3, 7, 8, 16, 20};
			struct engine *e = opened(settings, NULL);
			for (size_t k = 0; k < sizeof stops / sizeof *stops; k++) {
				run_to(e, stops[k]);
				struct state *before = saved(e);
				for (int times = 0; changes && times < 3; times++) {
					there_and_back(e);
					still(e, before);
					there_and_back_in_any_order(e);
					still(e, before);
				}
				state_free(before);
			}
			run_to(e, ENGINE_RUN_ON);
			if (changes)
				still(e, end);
			else
				end = saved(e);
			engine_close(e);
		}
		state_free(end);
	}
}

// Whatever came in between, what counts is what the settings are at the next step.
static void the_way_does_not_matter(void **state)
{
	(void)state;
	struct state *first = NULL;
	for (int way = 0; way < 3; way++) {
		struct engine *e = opened("steps=20 warmup=0.1", NULL);
		run_to(e, 8);
		for (int i = 0; i < 12 * way; i++)
			changed(e, CHANGE_TARGET, "bops", i % 2 ? "0.3x" : "int3");
		if (way == 2) {
			changed(e, CHANGE_GROUP, "one", "s1*");
			changed(e, CHANGE_RESTRICT, "*", "int4");
			changed(e, CHANGE_RESTRICT, "*", "all");
			changed(e, CHANGE_GROUP, "one", "");
		}
		if (way == 1)
			there_and_back(e);
		changed(e, CHANGE_TARGET, "bops", "0.2x");
		changed(e, CHANGE_RESTRICT, "stem", "int8,int7");
		if (first)
			still(e, first);
		else
			first = saved(e);
		engine_close(e);
	}
	state_free(first);
}

// Between changes and the next step a state holds both what there was and what there will be.
static void changes_survive_a_state(void **state)
{
	(void)state;
	struct engine *e = opened("steps=20 warmup=0.1", NULL);
	run_to(e, 8);
	struct state *before = saved(e);
	struct reply one = change(e, CHANGE_SET, "device", "a100"), two = change(e, CHANGE_TARGET, "latency", "0.95x"),
		     three = change(e, CHANGE_WEIGHT, "latency", "1"), fourth = change(e, CHANGE_GROUP, "one", "s1*"),
		     five = change(e, CHANGE_RESTRICT, "one", "int4,int5");
	assert_true(one.ok && two.ok && three.ok && fourth.ok && five.ok);
	struct state *changed_ = saved(e);
	assert_non_null(state_get(changed_, "last.terms"));
	run_to(e, ENGINE_RUN_ON);
	struct state *end = saved(e);
	assert_null(state_get(end, "last.terms"));
	engine_close(e);

	e = opened("steps=20 warmup=0.1", changed_);
	still(e, changed_);
	run_to(e, ENGINE_RUN_ON);
	still(e, end);
	engine_close(e);

	e = opened("steps=20 warmup=0.1", changed_); // and what was changed before is taken back after
	take_back(e, &five);
	take_back(e, &fourth);
	take_back(e, &three);
	take_back(e, &two);
	take_back(e, &one);
	still(e, before);
	engine_close(e);
	state_free(before);
	state_free(changed_);
	state_free(end);
}

// ---- the answer to a change ------------------------------------------------------------------------------------------------------

// The expected cost by a term that adds up, where a layer's formats are one decision.
static double expected_cost_of(const struct search *s, int term)
{
	const struct lane *lane = &s->lane[0];
	double sum = 0;
	for (int l = 0; l < s->shared.model->layers; l++)
		for (int o = 0; o < s->shared.options; o++)
			sum += (double)policy_probabilities(lane->policy, lane->partition->decision_of[2 * l])[o] *
				price_layer(s->shared.term[term].price, l, o, o);
	return sum;
}

static struct reply applied(struct search *s, enum change_kind kind, const char *name, const char *value)
{
	struct change_item item = {0};
	struct reply r = {0};
	snprintf(item.name, sizeof item.name, "%s", name);
	snprintf(item.value, sizeof item.value, "%s", value);
	r.ok = search_apply(s, &(struct change){kind, 1, &item, 0}, &r.inverse, r.says, sizeof r.says, &r.fault);
	return r;
}

static void must_apply(struct search *s, enum change_kind kind, const char *name, const char *value)
{
	struct reply r = applied(s, kind, name, value);
	char line[512];
	if (!r.ok)
		fail_msg("%s", fault_line(&r.fault, line, sizeof line));
	reply_free(&r);
}

// A target that cannot be met moves the policy half the way to the cheapest choice, and no further: the way back leads to much the
// same policy. Its pull is that of the cheapest cost, however far below it lies.
static void a_target_out_of_reach_and_back(void **state)
{
	(void)state;
	struct config *c = config_of("");
	struct fault f;
	const char *const set[][2] = {{"data", "none"}, {"net", "resnet18"}, {"space", "int2,int4,e2m1,int8"},
		{"sensitivity", "none"}, {"steps", "600"}, {"target.bops", "0.1x"}};
	for (size_t k = 0; k < sizeof set / sizeof *set; k++)
		assert_true(config_set(c, set[k][0], set[k][1], &f));
	struct search *s = search_new(config_knobs(c), NULL, &f);
	config_free(c);
	assert_non_null(s);
	struct lane *lane = &s->lane[0];
	for (int d = 0; d < lane->partition->decisions; d++)
		policy_set(lane->policy, d, (double[]){d % 2 ? .9 : .04, d % 2 ? .08 : .9, .01, .01});
	policy_refresh(lane->policy);
	s->shared.step = s->shared.warmup + 300;
	lane_refresh(lane);
	double settled = expected_cost_of(s, 0), low = lane->aim[0].low;
	char target[32];
	snprintf(target, sizeof target, "%.6gx", settled / lane->aim[0].target * .1);
	must_apply(s, CHANGE_TARGET, "bops", target); // as if it had met it
	lane->last.kept = false;                      // a step was made
	double met = expected_cost_of(s, 0);
	must_apply(s, CHANGE_TARGET, "bops", "0.001x");
	assert_true(lane->aim[0].target < low && lane_goal(&lane->aim[0]) == low);
	double half = expected_cost_of(s, 0);
	assert_true(fabs(half / (low + (met - low) / 2) - 1) < .01);
	lane->last.kept = false;
	must_apply(s, CHANGE_TARGET, "bops", target);
	assert_true(fabs(expected_cost_of(s, 0) / lane->aim[0].target - 1) < .01);
	for (int d = 0; d < lane->partition->decisions; d++)
		if (d % 2 == 0) // still its first choice, or nearly
			assert_true(policy_probabilities(lane->policy, d)[1] > .3f);
	search_free(s);
}

// A search on a table, some steps on: its expected cost stands to the new target as it did to the old one, options of one cost keep their
// order, every allowed one can be had, and a limit that is met already pushes nothing.
static void a_policy_meets_the_new_target(void **state)
{
	(void)state;
	static const struct {
		const char *settings, *target;
		long steps;
		bool push;
	} cases[] = {{"", "0.12x", 300, true}, {"", "0.09x", 300, true}, {"", "0.12x", 60, true}, {"", "int3", 20, true},
		{"", "0.6x", 300, true}, {"reward=relu", "0.09x", 300, true}, {"reward=relu", "0.2x", 300, false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *c = config_of(cases[i].settings);
		struct fault f;
		char line[512];
		const char *const set[][2] = {{"data", "none"}, {"net", "resnet18"}, {"space", "int2,int4,e2m1,int8"},
			{"sensitivity", "none"}, {"steps", "600"}, {"target.bops", "0.1x"}};
		for (size_t k = 0; k < sizeof set / sizeof *set; k++)
			assert_true(config_set(c, set[k][0], set[k][1], &f));
		struct search *s = search_new(config_knobs(c), NULL, &f);
		struct lane *lane = &s->lane[0];
		config_free(c);
		if (!s)
			fail_msg("%s", fault_line(&f, line, sizeof line));
		// As a search would have left it: near the target, decisions settled here and there.
		for (int d = 0; d < lane->partition->decisions; d++)
			policy_set(lane->policy, d, (double[]){.6, d % 3 ? .38 : .05, d % 3 ? .01 : .34, .01});
		policy_refresh(lane->policy);
		s->shared.step = s->shared.warmup + cases[i].steps;
		lane_refresh(lane);
		must_apply(s, CHANGE_TARGET, "bops", "0.1x"); // not another one
		double before[64][SPACE_OPTIONS], expected[2], target[2];
		for (int d = 0; d < lane->partition->decisions; d++)
			for (int o = 0; o < 4; o++)
				before[d][o] = (double)policy_probabilities(lane->policy, d)[o];
		expected[0] = expected_cost_of(s, 0);
		target[0] = lane->aim[0].target;
		must_apply(s, CHANGE_TARGET, "bops", cases[i].target);
		expected[1] = expected_cost_of(s, 0);
		target[1] = lane->aim[0].target;
		double stood = expected[0] / target[0], stands = expected[1] / target[1];
		if (cases[i].push && fabs(stands / fmax(stood, s->shared.knobs.reward == REWARD_RELU ? 1 : 0) - 1) > .002)
			fail_msg("case %zu: the cost stood at %.4f of its target, and stands at %.4f", i, stood, stands);
		for (int d = 0; d < lane->partition->decisions; d++) {
			const float *p = policy_probabilities(lane->policy, d);
			for (int o = 0; o < 4; o++)
				assert_true((double)p[o] > .9e-3);
			assert_int_equal(p[1] > p[2], before[d][1] > before[d][2]); // of 4 bits each
		}
		assert_true(cases[i].push || fabs(expected[1] / expected[0] - 1) < .1); // but for the floor
		search_free(s);
	}
}

// In the warm-up, and before the policy's first step, it waits; a term that does not count moves nothing.
static void a_policy_that_waits(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct engine *e = opened("warmup=0.25", NULL);
		run_to(e, i == 0 ? 0 : i == 1 ? 3 : 8);
		struct state *before = saved(e);
		if (i < 2)
			changed(e, CHANGE_TARGET, "bops", "0.4x");
		changed(e, CHANGE_TARGET, "size", "0.4x");
		struct state *after = saved(e);
		assert_string_equal(state_get(before, "digest"), state_get(after, "digest"));
		state_free(before);
		state_free(after);
		engine_close(e);
	}
}

// ---- what is no number -------------------------------------------------------------------------------------------------------------

// Settings under which the reward would overflow are refused, at the start and on the way; what is merely out of reach is not.
static void rewards_stay_numbers(void **state)
{
	(void)state;
	struct engine *e = opened("warmup=0.1 steps=20 target.size=0.5x", NULL);
	run_to(e, 6);
	struct state *before = saved(e);
	static const struct {
		enum change_kind kind;
		const char *name, *value;
	} bad[] = {{CHANGE_TARGET, "bops", "1e-40"}, {CHANGE_TARGET, "bops", "1e-300"}, {CHANGE_SET, "target.bops", "1e-20x"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct reply r = change(e, bad[i].kind, bad[i].name, bad[i].value);
		assert_true(!r.ok && strstr(r.fault.what, "would not be a number") && r.fault.todo[0] &&
			strcmp(r.fault.where, "bops") == 0);
		reply_free(&r);
		still(e, before);
	}
	changed(e, CHANGE_SET, "reward", "mnas");
	struct reply r = change(e, CHANGE_WEIGHT, "bops", "1000");
	assert_true(!r.ok && strstr(r.fault.what, "would not be a number"));
	reply_free(&r);
	r = change(e, CHANGE_TARGET, "bops", "1e-40"); // a factor is a factor: 1e49^-2
	assert_true(!r.ok);
	reply_free(&r);
	changed(e, CHANGE_SET, "reward", "abs");
	still(e, before);
	r = change(e, CHANGE_TARGET, "bops", "0.001x");
	assert_true(r.ok && strstr(r.says, "cannot be met") && strstr(r.says, "cheapest"));
	reply_free(&r);
	run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	for (int i = 0; i < s->slots; i++)
		for (int o = 0; o < 7; o++)
			assert_true(isfinite((double)s->slot[i].probability[o]));
	assert_true(s->term[0].reach == TARGET_BELOW && strstr(s->term[0].reach_text, "cannot be met"));
	snapshot_free(s);
	state_free(before);
	engine_close(e);
	static const char *const settings[] = {"target.bops=1e-40", "reward=mnas weight.bops=1e6 target.bops=1e3"};
	for (int i = 0; i < 2; i++) {
		struct config *c = config_of(settings[i]);
		struct fault f = {0};
		assert_null(engine_open(c, NULL, &f));
		assert_non_null(strstr(f.what, "would not be a number"));
		config_free(c);
	}
}

// What is not a number is neither saved nor opened.
static void no_number_is_kept(void **state)
{
	(void)state;
	struct config *c = config_of("steps=8");
	struct fault f = {0};
	struct search *s = search_new(config_knobs(c), NULL, &f);
	struct lane *lane = &s->lane[0];
	struct state *good = calloc(1, sizeof *good), *bad = calloc(1, sizeof *bad);
	struct state_array array[POLICY_ARRAYS];
	assert_true(s && good && bad && search_save(s, good, &f));
	policy_arrays(lane->policy, array);
	array[0].data[3] = NAN;
	assert_false(search_save(s, bad, &f));
	assert_true(strstr(f.what, "policy.logits") && strstr(f.what, "not a number") && f.todo[0]);
	search_free(s);
	((float *)tensor_of(good, "policy.second_moments")->data)[0] = INFINITY;
	assert_null(search_new(config_knobs(c), good, &f));
	assert_true(strstr(f.what, "policy.second_moments") && strstr(f.what, "not a number"));
	config_free(c);
	state_free(good);
	state_free(bad);
}

// ---- extensions ------------------------------------------------------------------------------------------------------------------

static float rate_of_last(struct engine *e, long step)
{
	struct record r;
	assert_int_equal(engine_history(e, step - 1, 1, &r, NULL), 1);
	return r.learning_rate;
}

// It grows over the warm-up, stays, and falls to nothing over the share that is said, the last; more steps put the fall off.
static void the_rate_falls_at_the_end(void **state)
{
	(void)state;
	struct engine *e = opened("steps=40 rate=0.1 rate-warmup=0.1 rate-fall=0.25", NULL);
	run_to(e, 20);
	engine_pause(e);
	assert_true(rate_of_last(e, 1) == 0.025f && rate_of_last(e, 4) == 0.1f && rate_of_last(e, 20) == 0.1f);
	struct reply more = change(e, CHANGE_EXTEND, "", "40");
	assert_true(more.ok);
	reply_free(&more);
	run_to(e, ENGINE_RUN_ON);
	assert_true(rate_of_last(e, 61) == 0.1f);
	for (long step = 62; step <= 80; step++)
		assert_true(rate_of_last(e, step) < rate_of_last(e, step - 1));
	assert_true(fabs(rate_of_last(e, 71) - 0.05) < 1e-6 && rate_of_last(e, 80) < 0.001f);
	engine_close(e);
	e = opened("steps=40 rate=0.1 rate-warmup=0.1 rate-fall=0", NULL);
	run_to(e, ENGINE_RUN_ON);
	assert_true(rate_of_last(e, 40) == 0.1f);
	engine_close(e);
}

static void extensions_are_taken_back(void **state)
{
	(void)state;
	struct engine *e = opened("steps=10 rate=0.1", NULL);
	run_to(e, ENGINE_RUN_ON);
	engine_pause(e);
	struct state *before = saved(e);
	struct reply r = change(e, CHANGE_TARGET, "bops", "0.3x");
	assert_true(r.ok && strstr(r.says, "no step will follow") && strstr(r.says, "extend"));
	take_back(e, &r);
	struct reply plain = change(e, CHANGE_EXTEND, "", "10");
	assert_true(plain.ok && strstr(plain.says, "learning rate goes from") && strstr(plain.says, "rate=R"));
	take_back(e, &plain);
	still(e, before);
	// From a given rate: it falls from there, and what it was comes back.
	struct change_item items[2] = {{"", "8"}, {"rate", "0.02"}};
	struct change gentle = {CHANGE_EXTEND, 2, items, 0};
	r = try_change(e, &gentle);
	assert_true(r.ok && r.inverse.items == 3);
	take_back(e, &r);
	still(e, before);
	r = try_change(e, &gentle);
	assert_true(r.ok);
	run_to(e, 11);
	assert_true(rate_of_last(e, 11) == 0.02f);
	struct state *half = saved(e);
	assert_string_equal(state_get(half, "restart"), "10");
	// The steps are used: it stays.
	struct reply late = try_change(e, &r.inverse);
	assert_true(!late.ok && strstr(late.fault.what, "cannot be taken back") && late.fault.todo[0]);
	reply_free(&late);
	still(e, half);
	run_to(e, ENGINE_RUN_ON);
	struct state *end = saved(e);
	float last = rate_of_last(e, 18);
	assert_true(last > 0 && last < 0.002f);
	engine_close(e);
	e = opened("steps=10 rate=0.1", half);
	run_to(e, ENGINE_RUN_ON);
	still(e, end);
	reply_free(&r);
	static const struct change_item bad[][2] = {{{"", "5"}, {"rate", "fast"}}, {{"", "5"}, {"from", "3"}},
		{{"", "5"}, {"speed", "3"}}, {{"", "-9"}, {"rate", "0.1"}}, {{"", "-8"}, {"from", "99"}}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		memcpy(items, bad[i], sizeof items);
		struct reply no = try_change(e, &gentle);
		assert_false(no.ok);
		reply_free(&no);
		still(e, end);
	}
	state_free(before);
	state_free(half);
	state_free(end);
	engine_close(e);
}

// ---- targets that nobody gave --------------------------------------------------------------------------------------------------------

static void usual_targets_can_be_met(void **state)
{
	(void)state;
	static const char *const spaces[] = {"wide", "int-s", "int-l", "fp-s", "fp-l", "mx", "mixed", "int6,int8", "int8,e4m3",
		"int5,int8", "int7,int8", "int8", "bf16,fp32", "int2,fp32", "e2m1,e4m3,int8"};
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		char settings[64];
		snprintf(settings, sizeof settings, "space=%s", spaces[i]);
		struct engine *e = opened(settings, NULL);
		struct snapshot *s = settled(e);
		if (s->term[0].reach != TARGET_WITHIN)
			fail_msg("%s: %s: %s", spaces[i], s->term[0].target_text, s->term[0].reach_text);
		snapshot_free(s);
		engine_close(e);
	}
}

static void pins_hold(void **state)
{
	(void)state;
	struct engine *e = opened("warmup=0.2 steps=14", NULL);
	run_to(e, 2);
	changed(e, CHANGE_RESTRICT, "stem", "int6");
	changed(e, CHANGE_RESTRICT, "s2*", "int3,int5");
	run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	const struct engine_info *info = engine_info(e);
	for (int d = 0; d < info->slots; d++) {
		const char *name = info->slot[d].name;
		uint32_t allowed = strncmp(name, "stem", 4) == 0 ? 1u << 4
			: strncmp(name, "s2", 2) == 0            ? 1u << 1 | 1u << 3
								 : 0x7f;
		assert_int_equal(s->slot[d].allowed, allowed);
		double sum = 0;
		for (int o = 0; o < info->slot[d].options; o++) {
			assert_true(allowed >> o & 1 || s->slot[d].probability[o] == 0);
			sum += (double)s->slot[d].probability[o];
		}
		assert_true(fabs(sum - 1) < 1e-6);
		assert_true(allowed >> s->slot[d].modal & 1);
		uint8_t modal[14 * 20];
		struct record record[14];
		assert_int_equal(engine_history(e, 2, 12, record, modal), 12);
		for (int i = 0; i < 12; i++)
			assert_true(allowed >> modal[i * 20 + d] & 1);
		// Among the points, only uniform choices are free of the restrictions, and those that stood before them.
		for (int i = 0; i < s->points; i++)
			if (s->point[i].origin == POINT_MODAL)
				assert_true(allowed >> s->point[i].choice[d] & 1);
	}
	assert_true(s->term[0].low <= s->term[0].modal && s->term[0].modal <= s->term[0].high);
	snapshot_free(s);
	engine_close(e);
}

static void horizon_and_extension(void **state)
{
	(void)state;
	struct engine *e = opened("steps=5", NULL);
	run_to(e, 1000);
	struct snapshot *s = settled(e);
	assert_true(s->run == RUN_FINISHED && s->step == 5 && s->horizon == 5);
	assert_true(strncmp(s->says, "finished", 8) == 0);
	struct reply r = change(e, CHANGE_EXTEND, "", "4");
	assert_true(r.ok && r.step == 5 && r.inverse.items == 1 && strcmp(r.inverse.item[0].value, "-4") == 0);
	reply_free(&r);
	// The order to run to step 1000 stands: the engine goes on by itself to the new horizon.
	run_to(e, ENGINE_RUN_ON);
	engine_snapshot(e, s);
	assert_true(s->run == RUN_FINISHED && s->step == 9 && s->horizon == 9);
	struct record record[9];
	assert_int_equal(engine_history(e, 0, 9, record, NULL), 9);
	engine_pause(e);
	changed(e, CHANGE_EXTEND, "", "2");
	snapshot_free(s);
	s = settled(e);
	assert_true(s->run == RUN_PAUSED && s->step == 9 && s->horizon == 11);
	snapshot_free(s);
	engine_close(e);
}

// An extension that there is no memory for is refused, and then nothing has changed.
static void endless_extensions(void **state)
{
	(void)state;
	struct engine *e = opened("steps=5", NULL);
	run_to(e, 2);
	for (int i = 0; i < 20; i++) {
		struct state *before = saved(e);
		struct reply r = change(e, CHANGE_EXTEND, "", "1000000");
		if (!r.ok) {
			assert_true(r.fault.what[0] != 0);
			still(e, before);
		}
		reply_free(&r);
		state_free(before);
	}
	run_to(e, 7);
	engine_close(e);
}

// ---- presets, spaces, estimators ------------------------------------------------------------------------------------------------

static void everything_runs(void **state)
{
	(void)state;
	static const char *const settings[] = {"preset=live", "preset=fliqs", "preset=tunas", "space=int-s", "space=int-l",
		"space=fp-s", "space=fp-l", "space=mx", "space=int4,nvfp4,mxint8 block-scale=search", "space=mixed",
		"space=fp32,bf16,fp16,int16,e5m2,e1m2", "space=int4", "range=ema", "range=percentile percentile=90", "range=mse",
		"scales=layer unsigned=on", "reward=relu", "reward=mnas", "quality=accuracy samples=1", "modal-share=0",
		"cost-samples=0", "net=resnet20", "start=uniform warmup=0", "warmup=1", "rate-warmup=0", "rate-warmup=1",
		"batch=2", "momentum=0 decay=0 clip=0", "optimizer=adamw", "optimizer=adamw ema=0.99 clip=0 beta2=0",
		"ema=0.999 smoothing=0.1", "decide=split", "decide=split preset=fliqs", "decide=split reward=mnas start=uniform",
		"front-every=0", "front-size=2", "target.size=20k weight.size=1", "weight.bops=0", "augment=flip", "wide-start=1",
		"wide-start=0.5 wide-every=2 wide-format=fp32", "final=0.9", "final=0.5"};
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i += STRIDE) {
		char text[256];
		snprintf(text, sizeof text, "steps=4 front-every=4 %s", settings[i]);
		struct engine *e = opened(text, NULL);
		run_to(e, ENGINE_RUN_ON);
		struct snapshot *s = settled(e);
		if (s->run != RUN_FINISHED || s->step != 4 || !isfinite(s->loss) || (s->warmup < 4 && !isfinite(s->reward)))
			fail_msg("%s: run %d at step %ld, loss %g, reward %g", settings[i], (int)s->run, s->step, s->loss,
				s->reward);
		assert_true(s->entropy >= 0 && s->entropy <= 1 + 1e-6);
		assert_int_equal(s->points == 0, strstr(settings[i], "front-every=0") != NULL);
		snapshot_free(s);
		engine_close(e);
	}
}

// ---- what a step trains ---------------------------------------------------------------------------------------------------------

// Of the weights, and of the policy: the first and the last 8 digits of the digest.
static void same_part(const struct state *a, const struct state *b, int from, bool same)
{
	const char *x = state_get(a, "digest"), *y = state_get(b, "digest");
	if ((strncmp(x + from, y + from, 8) == 0) != same)
		fail_msg("%s and %s at %d", x, y, from);
}

static struct state *run_of(const char *settings, long step)
{
	struct engine *e = opened(settings, NULL);
	run_to(e, step);
	struct state *s = saved(e);
	engine_close(e);
	return s;
}

// Wide steps train what a network of that format trains, in any space.
static void wide_steps(void **state)
{
	(void)state;
	struct state *wide = run_of("space=int8", 6), *fp32 = run_of("space=fp32", 6),
		     *narrow = run_of("space=int4 wide-start=0", 6);
	static const struct {
		const char *settings;
		int like; // 8, 32, 4; 0: none of them
	} runs[] = {{"space=int4 wide-start=0.5", 8}, {"space=int4 wide-every=1", 8}, {"wide-start=1", 8},
		{"space=int4 wide-start=0.5 wide-format=fp32", 32}, {"space=fp32 wide-every=2", 32},
		{"space=int4 wide-start=0 wide-every=7", 0}, {"space=int4 wide-start=0.4", 0},
		{"space=int4 wide-start=0 wide-every=0 final=0.5", 4}};
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		struct state *s = run_of(runs[i].settings, 6);
		same_part(s, wide, 0, runs[i].like == 8);
		same_part(s, fp32, 0, runs[i].like == 32);
		same_part(s, narrow, 0, runs[i].like == 4);
		state_free(s);
	}
	state_free(wide);
	state_free(fp32);
	state_free(narrow);
	struct config *c = config_of("wide-format=int9");
	struct fault f;
	assert_null(engine_open(c, NULL, &f));
	assert_string_equal(f.where, "wide-format");
	config_free(c);
}

// It says so, one phase at a time.
static void a_schedule_in_words(void **state)
{
	(void)state;
	static const struct {
		long step;
		const char *says;
	} at[] = {{0, "warm-up 0/2: pins count, the policy waits; fp32 trains until step 4"}, {3, "; fp32 trains until step 4"},
		{9, "final phase 0/3: the result trains, the policy rests"},
		{11, "final phase 2/3: the result trains, the policy rests"}, {12, "finished: evaluate, export, or extend N"}};
	struct engine *e = opened("wide-start=0.34 wide-format=fp32 final=0.25 warmup=0.2 front-every=0", NULL);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		run_to(e, at[i].step);
		struct snapshot *s = settled(e);
		if (!strstr(s->says, at[i].says) || (at[i].step > 3 && strstr(s->says, "until")))
			fail_msg("at step %ld: %s", at[i].step, s->says);
		snapshot_free(s);
	}
	engine_close(e);
}

// In the final phase the policy rests, whatever the steps are on; an extension wakes it.
static void a_final_phase(void **state)
{
	(void)state;
	struct engine *e = opened("final=0.25 warmup=0.25 front-every=0", NULL); // 12 steps: 3 of warm-up, 3 at the end
	struct state *at[4];
	static const long stops[] = {8, 9, 12};
	struct snapshot *s;
	for (int i = 0; i < 3; i++) {
		run_to(e, stops[i]);
		at[i] = saved(e);
		s = settled(e);
		assert_true(isnan(s->final_before) == (stops[i] < 9) && isnan(s->final_after) == (stops[i] < 12));
		snapshot_free(s);
	}
	same_part(at[0], at[1], 16, false);
	same_part(at[1], at[2], 16, true);
	same_part(at[1], at[2], 0, false);
	changed(e, CHANGE_EXTEND, "", "4"); // of 16 steps, 4 at the end
	run_to(e, ENGINE_RUN_ON);
	at[3] = saved(e);
	same_part(at[2], at[3], 16, true);  // it was to wake up at step 12, and rests from there on
	changed(e, CHANGE_EXTEND, "", "8"); // of 24 steps, 6
	run_to(e, 18);
	state_free(at[3]);
	at[3] = saved(e);
	same_part(at[2], at[3], 16, false);
	for (int i = 0; i < 4; i++)
		state_free(at[i]);
	engine_close(e);
}

// How often formats switch, and that the weights are looked at.
static void strained_weights(void **state)
{
	(void)state;
	static const struct {
		const char *settings;
		double least, most; // of the mean over layers
	} runs[] = {{"steps=40 space=int4 wide-start=0 front-every=0", 0, 0},
		{"steps=40 space=int4 wide-start=0 final=0 front-every=0 wide-every=2", .8, 1},
		{"steps=40 start=uniform warmup=1 wide-start=0 space=int3,int4 front-every=0", .2, .7}};
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		struct engine *e = opened(runs[i].settings, NULL);
		int layers = engine_info(e)->layers;
		struct snapshot *s = settled(e);
		double switching = 0;
		assert_true(isnan(s->layer[0].near_edge));
		snapshot_free(s);
		run_to(e, ENGINE_RUN_ON);
		s = settled(e);
		for (int l = 0; l < layers; l++) {
			switching += (double)s->layer[l].switching / layers;
			assert_true(s->layer[l].near_edge > 0.05f && s->layer[l].near_edge < 0.5f);
		}
		if (switching < runs[i].least || switching > runs[i].most)
			fail_msg("%s: %g", runs[i].settings, switching);
		snapshot_free(s);
		engine_close(e);
	}
}

// A rate that no training survives: the run fails with a fault, or goes on; nothing worse, and it still answers.
static void divergence_is_a_fault(void **state)
{
	(void)state;
	static const char *const ranges[] = {"max", "ema", "percentile", "mse"};
	for (int i = 0; i < 4; i += STRIDE == 1 ? 1 : 2) { // percentile has the histogram
		char text[256];
		snprintf(text, sizeof text, "rate=10 rate-warmup=0 momentum=0.99 decay=1 clip=0 steps=30 front-every=0 range=%s",
			ranges[i]);
		struct engine *e = opened(text, NULL);
		engine_run_to(e, ENGINE_RUN_ON);
		struct snapshot *s = settled(e);
		assert_true(s->run == RUN_FAILED || s->run == RUN_FINISHED);
		assert_true(s->run != RUN_FAILED || (strstr(s->fault.what, "no longer a number") && s->fault.todo[0]));
		snapshot_free(s);
		state_free(saved(e));
		engine_close(e);
	}
}

// A ReLU makes 0 of what is no number, and so hides it from the loss: the gradient tells.
static void divergence_behind_a_relu(void **state)
{
	(void)state;
	struct engine *e = opened("rate=10 rate-warmup=0 momentum=0.9 decay=1 clip=0 steps=60 warmup=1 front-every=0", NULL);
	engine_run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	assert_int_equal(s->run, RUN_FAILED);
	assert_non_null(strstr(s->fault.what, "the gradient is no longer a number"));
	assert_true(isfinite(s->loss));
	snapshot_free(s);
	engine_close(e);
}

// ---- front and evaluation -----------------------------------------------------------------------------------------------------------

static void the_front(void **state)
{
	(void)state;
	struct engine *e = opened("steps=14", NULL);
	static const long stops[] = {6, 8, 12, 14};
	static const long scored[] = {6, 6, 12, 14}; // every sixth step, and at the horizon
	for (int stop = 0; stop < 4; stop++) {
		run_to(e, stops[stop]);
		struct snapshot *s = settled(e);
		int modal = 0, uniform = 0;
		assert_true(s->points > 8);
		for (int i = 0; i < s->points; i++) {
			const struct front_point *p = &s->point[i];
			double cost[ENGINE_TERMS];
			assert_true(p->step == scored[stop]);
			assert_true(p->accuracy >= 0 && p->accuracy <= 1 && isfinite(p->loss));
			assert_true(engine_price(e, p->choice, cost, 0, NULL) && memcmp(cost, p->cost, sizeof(double) * 3) == 0);
			assert_true(i == 0 || s->point[i - 1].cost[0] <= p->cost[0]);
			bool dominated = false;
			for (int j = 0; j < s->points; j++) {
				const struct front_point *q = &s->point[j];
				dominated |= q->cost[0] <= p->cost[0] && q->accuracy >= p->accuracy &&
					(q->cost[0] < p->cost[0] || q->accuracy > p->accuracy);
			}
			assert_int_equal(p->dominated, dominated);
			modal += p->origin == POINT_MODAL;
			if (p->origin == POINT_UNIFORM) {
				assert_string_equal(p->label, engine_info(e)->slot[0].option[p->choice[0]].name);
				for (int d = 0; d < 20; d++)
					assert_int_equal(p->choice[d], p->choice[0]);
				uniform |= 1 << p->choice[0];
			}
			if (p->origin == POINT_MODAL)
				assert_string_equal(p->label, "modal");
			if (p->origin == POINT_MODAL && scored[stop] == stops[stop])
				for (int d = 0; d < 20; d++)
					assert_int_equal(p->choice[d], s->slot[d].modal);
		}
		assert_int_equal(modal, 1);
		assert_int_equal(uniform, 0x7f);
		snapshot_free(s);
	}
	engine_close(e);
}

// A point keeps its place by what the reward counts, here latency and size; not by bit operations, which it does not.
static void a_front_by_what_counts(void **state)
{
	(void)state;
	struct engine *e = opened("data=none net=resnet18 sensitivity=hawq space=int-l steps=60 front-every=20 weight.bops=0 "
				  "target.size=0.6x weight.size=1 target.latency=0.8x weight.latency=1",
		NULL);
	engine_run_to(e, ENGINE_RUN_ON);
	struct snapshot *s = settled(e);
	int size = -1, latency = -1, kept = 0;
	for (int t = 0; t < s->terms; t++) {
		size = strcmp(s->term[t].name, "size") == 0 ? t : size;
		latency = strcmp(s->term[t].name, "latency") == 0 ? t : latency;
	}
	assert_true(size > 0 && latency > 0 && s->points > 5);
	for (int i = 0; i < s->points; i++) {
		const struct front_point *p = &s->point[i];
		bool beaten = false;
		for (int j = 0; j < s->points; j++) {
			const struct front_point *q = &s->point[j];
			beaten |= q->accuracy >= p->accuracy && q->cost[size] <= p->cost[size] &&
				q->cost[latency] <= p->cost[latency] &&
				(q->accuracy > p->accuracy || q->cost[size] < p->cost[size] ||
					q->cost[latency] < p->cost[latency]);
		}
		assert_int_equal(p->dominated, beaten);
		kept += !p->dominated;
	}
	assert_true(kept > 1);
	snapshot_free(s);
	engine_close(e);
}

// Saved at any moment, in the middle of a scoring too, with a change made meanwhile: what is opened from it comes to the same front
// and the same state as what went on; and so does a search that paused for the change.
// Changed behind step 6, while its front is scored, or before that begins. How far a scoring is when a change comes in is the machine's
// affair: where it was over, the run is made anew.
static struct engine *changed_at_scoring(const char *settings, bool within, struct state **now)
{
	for (int tries = 0; tries < 100; tries++) {
		struct engine *e = opened(settings, NULL);
		engine_run_to(e, within ? 6 : 5);
		while (engine_history(e, within ? 5 : 4, 1, &(struct record){0}, NULL) == 0)
			await_news(e);
		if (!within) // before the step is begun, with nothing to score
			run_to(e, 6);
		changed(e, CHANGE_SET, "unsigned", "off");
		changed(e, CHANGE_RESTRICT, "stem", "int5");
		*now = saved(e);
		if (!within || (state_get(*now, "front.set.range") && strtod(state_get(*now, "scored"), NULL) < 11))
			return e;
		state_free(*now);
		engine_close(e);
	}
	fail_msg("no scoring was met half way");
	return NULL;
}

static void a_scoring_is_resumed(void **state)
{
	(void)state;
	static const char settings[] = "steps=9 front-every=6 front-images=64 calibration=64 range=ema";
	struct state *scored_all = NULL, *end = NULL;
	for (int way = 0; way < 3; way++) {
		struct state *now;
		struct engine *e = changed_at_scoring(settings, way < 2, &now);
		if (way == 1) {
			engine_close(e);
			e = opened(settings, now);
		}
		run_to(e, 6);
		struct snapshot *s = settled(e);
		assert_true(s->points > 8 && s->point[0].step == 6);
		snapshot_free(s);
		if (way)
			still(e, scored_all);
		else
			scored_all = saved(e);
		run_to(e, ENGINE_RUN_ON);
		if (way)
			still(e, end);
		else
			end = saved(e);
		engine_close(e);
		state_free(now);
	}
	state_free(scored_all);
	state_free(end);
}

static struct evaluation evaluated(struct engine *e, enum choice_kind kind, const char *option, const uint8_t *choice,
	enum split split)
{
	unsigned ticket;
	struct fault f;
	char line[512];
	if (!engine_post_evaluate(e, kind, option, choice, split, &ticket, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
	struct reply r = reply_to(e, ticket);
	assert_true(r.ok && r.kind == REQUEST_EVALUATE);
	struct evaluation v = r.evaluation;
	assert_true(v.choice && v.range && isfinite(v.loss) && v.split == split);
	free(v.choice);
	free(v.range);
	free(v.right);
	v.choice = NULL;
	v.range = NULL;
	return v;
}

static void evaluations(void **state)
{
	(void)state;
	struct engine *e = opened("range=ema", NULL);
	run_to(e, 7);
	struct state *before = saved(e);
	struct evaluation modal = evaluated(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT);
	struct evaluation uniform = evaluated(e, CHOICE_UNIFORM, "int4", NULL, SPLIT_HELDOUT);
	uint8_t choice[20];
	memset(choice, 2, sizeof choice); // int4
	struct evaluation given = evaluated(e, CHOICE_GIVEN, NULL, choice, SPLIT_HELDOUT);
	struct evaluation test = evaluated(e, CHOICE_GIVEN, NULL, choice, SPLIT_TEST);
	assert_true(given.loss == uniform.loss && given.accuracy == uniform.accuracy && given.cost[0] == uniform.cost[0]);
	assert_int_equal(modal.images, 64); // the half of the held-out images that is for reports
	assert_int_equal(test.images, engine_info(e)->test_images);
	assert_int_equal(modal.calibration_images, 16);
	struct fault f = {0};
	assert_false(engine_post_evaluate(e, CHOICE_UNIFORM, "int16", NULL, SPLIT_HELDOUT, NULL, &f));
	assert_true(f.what[0] && f.todo[0]);
	assert_false(engine_post_evaluate(e, CHOICE_UNIFORM, "nosuch", NULL, SPLIT_HELDOUT, NULL, &f));
	choice[4] = 7;
	assert_false(engine_post_evaluate(e, CHOICE_GIVEN, NULL, choice, SPLIT_HELDOUT, NULL, &f));
	still(e, before);
	run_to(e, ENGINE_RUN_ON);
	struct state *with = saved(e);
	engine_close(e);
	e = opened("range=ema", NULL); // the same run without a question
	run_to(e, ENGINE_RUN_ON);
	still(e, with);
	engine_close(e);
	state_free(before);
	state_free(with);
}

// At step 0 the weights do not depend on the batch. What is left is the calibration's: it runs through the images in batches, each
// under its own statistics. A batch that does not divide the images must not lose or repeat any.
// The average of the weights is followed, not used in training: a search without it that is given these weights says the same.
static void evaluations_of_the_average(void **state)
{
	(void)state;
	struct engine *e = opened("ema=0.7 front-images=64", NULL);
	run_to(e, 6);
	struct state *with = saved(e);
	struct snapshot *s = settled(e);
	unsigned ticket;
	assert_true(engine_post_evaluate(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT, &ticket, NULL));
	struct reply averaged = reply_to(e, ticket);
	still(e, with);
	engine_close(e);

	e = opened("front-images=64", NULL);
	run_to(e, 6);
	struct state *without = saved(e);
	engine_close(e);
	struct state_tensor *weights = tensor_of(without, "network.weights");
	const struct state_tensor *trained = tensor_of(with, "network.weights"), *average = tensor_of(with, "network.average");
	assert_memory_equal(weights->data, trained->data, weights->bytes);
	assert_int_equal(average->bytes, weights->bytes);
	memcpy(weights->data, average->data, weights->bytes);
	char crc[16];
	snprintf(crc, sizeof crc, "%08lx", crc32_z(0, weights->data, weights->bytes));
	memcpy(text_of(without, "digest")->value, crc, 8);

	e = opened("front-images=64", without);
	assert_true(engine_post_evaluate(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT, &ticket, NULL));
	struct reply plain = reply_to(e, ticket);
	assert_true(plain.evaluation.loss == averaged.evaluation.loss &&
		plain.evaluation.accuracy == averaged.evaluation.accuracy);
	for (int l = 0; l < 10; l++)
		assert_true(plain.evaluation.range[l].weight == averaged.evaluation.range[l].weight &&
			plain.evaluation.range[l].activation == averaged.evaluation.range[l].activation);
	int result = 0;
	while (memcmp(s->point[result].choice, plain.evaluation.choice, (size_t)s->slots) != 0)
		assert_true(++result < s->points);
	assert_true((float)s->point[result].loss == (float)plain.evaluation.loss); // of the same 64 images
	reply_free(&plain);
	reply_free(&averaged);
	snapshot_free(s);
	state_free(with);
	state_free(without);
	engine_close(e);
}

static void evaluations_and_the_batch(void **state)
{
	(void)state;
	const double NEAR = .05; // of a loss of about 2.3
	static const char *const settings[] = {
		"batch=16 calibration=128", "batch=32 calibration=128", "batch=64 calibration=128", "batch=48 calibration=128"};
	struct evaluation first[2];
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		struct engine *e = opened(settings[i], NULL);
		struct evaluation v[2] = {evaluated(e, CHOICE_UNIFORM, "int8", NULL, SPLIT_HELDOUT),
			evaluated(e, CHOICE_UNIFORM, "int8", NULL, SPLIT_TEST)};
		for (int s = 0; s < 2; s++) {
			if (i == 0)
				first[s] = v[s];
			assert_int_equal(v[s].images, first[s].images);
			assert_true(fabs(v[s].loss - first[s].loss) < NEAR);
			assert_true(v[s].cost[0] == first[s].cost[0]);
		}
		assert_int_equal(v[0].calibration_images, i == 3 ? 144 : 128); // whole batches
		engine_close(e);
	}
}

// What is not set goes with the optimizer; what is set stays.
static void settings_of_adamw(void **state)
{
	(void)state;
	static const struct {
		const char *settings, *rate, *decay;
	} cases[] = {{"", "0.1", "0.0005"}, {"optimizer=adamw", "0.001", "0.01"}, {"rate=0.02 optimizer=adamw", "0.02", "0.01"},
		{"optimizer=adamw preset=fliqs decay=0", "0.001", "0"}, {"optimizer=adamw optimizer=sgd", "0.1", "0.0005"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config *c = config_of(cases[i].settings);
		char value[ENGINE_TEXT];
		assert_true(config_get(c, "rate", value, sizeof value));
		assert_string_equal(value, cases[i].rate);
		assert_true(config_get(c, "decay", value, sizeof value));
		assert_string_equal(value, cases[i].decay);
		config_free(c);
	}
}

// ---- states that do not fit ------------------------------------------------------------------------------------------------------------

// A copy whose tensors are its own, so that it can be spoilt.
static struct state *copy_of(const struct state *from)
{
	struct state *s = malloc(sizeof *s);
	assert_non_null(s);
	*s = *from;
	s->tensor = malloc((size_t)from->tensors * sizeof *s->tensor);
	s->text = malloc((size_t)from->texts * sizeof *s->text);
	assert_true(s->tensor && s->text);
	memcpy(s->text, from->text, (size_t)from->texts * sizeof *s->text);
	for (int i = 0; i < from->tensors; i++) {
		s->tensor[i] = from->tensor[i];
		s->tensor[i].data = malloc(from->tensor[i].bytes ? from->tensor[i].bytes : 1);
		assert_non_null(s->tensor[i].data);
		memcpy(s->tensor[i].data, from->tensor[i].data, from->tensor[i].bytes);
	}
	return s;
}

static struct fault refused(const char *settings, const struct state *s, const char *why)
{
	struct config *c = config_of(settings);
	struct fault f = {0};
	struct engine *e = engine_open(c, s, &f);
	config_free(c);
	if (e)
		fail_msg("opened all the same: %s", why);
	if (!f.where[0] || !f.what[0] || !f.todo[0])
		fail_msg("%s: no fault, or not what to do", why);
	return f;
}

// Fewer images than usual: each state is opened anew.
#define QUICK "train=128 heldout=64 steps=8 front-every=2 "

static struct state *quick_state(void)
{
	struct engine *e = opened(QUICK, NULL);
	changed(e, CHANGE_GROUP, "pair", "s1*");
	run_to(e, 3);
	struct state *s = saved(e);
	engine_close(e);
	return s;
}

static void states_of_other_searches(void **state)
{
	(void)state;
	struct state *s = quick_state();
	static const char *const others[] = {"net=resnet20", "space=int-l", "space=int2,int3,int4,int5,int6,int7,e4m3",
		"images: data=glyphs:16", "seed=2", "batch=16", "images: train=127", "images: heldout=66", "steps=9",
		"warmup=0.2", "rate-warmup=0.2", "augment=none", "optimizer=adamw", "ema=0.5"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		char text[256], name[32];
		const char *setting = strstr(others[i], ": ");
		snprintf(text, sizeof text, QUICK "%s", setting ? setting + 2 : others[i]);
		snprintf(name, sizeof name, "its %.*s is ", (int)strcspn(others[i], "=:"), others[i]);
		struct fault f = refused(text, s, others[i]);
		if (!strstr(f.what, name))
			fail_msg("%s: the difference is not named: %s", others[i], f.what);
	}
	engine_close(opened(QUICK "threads=1", s)); // threads are no part of a search
	state_free(s);
}

static void damaged_texts(void **state)
{
	(void)state;
	static const struct damage {
		const char *name, *value; // NULL: the text is missing
	} damage[] = {
		{"identity.seed", NULL},
		{"identity.net", ""},
		{"digest", NULL},
		{"digest", "000000000000000000000000"},
		{"step", NULL},
		{"step", ""},
		{"step", "x"},
		{"step", "3x"},
		{"step", "-1"},
		{"step", "2"},
		{"step", "4"},
		{"step", "9"},
		{"step", "nan"},
		{"step", "99999999999999999999"},
		{"horizon", NULL},
		{"horizon", "2"},
		{"horizon", "-8"},
		{"horizon", "ten"},
		{"horizon", "9223372036854775807"},
		{"horizon", "4611686018427387904"},
		{"moves", NULL},
		{"moves", "-1"},
		{"baseline", NULL},
		{"baseline", "none"},
		{"has_baseline", NULL},
		{"loss", NULL},
		{"has_quality", NULL},
		{"set.rate", "fast"},
		{"set.rate", "-1"},
		{"set.samples", "1000000"},
		{"set.reward", "most"},
		{"set.target.bops", "garbage"},
		{"set.weight.bops", "-1"},
	};
	struct state *good = quick_state();
	for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
		struct state *s = copy_of(good);
		struct state_text *t = text_of(s, damage[i].name);
		if (damage[i].value)
			snprintf(t->value, sizeof t->value, "%s", damage[i].value);
		else
			*t = s->text[--s->texts];
		char why[128];
		snprintf(why, sizeof why, "%s = %s", damage[i].name, damage[i].value ? damage[i].value : "(missing)");
		refused(QUICK, s, why);
		state_free(s);
	}
	// Nothing may be missing but what is only told.
	for (int i = 0; i < good->texts; i++) {
		struct state *s = copy_of(good);
		const char *dot = strrchr(good->text[i].name, '.');
		s->text[i] = s->text[--s->texts];
		if (strcmp(good->text[i].name, "kernels") != 0 && !(dot && knobs_before(dot + 1)))
			refused(QUICK, s, good->text[i].name);
		state_free(s);
	}
	// What cannot be set while a search runs is not set by a state either.
	struct state *s = copy_of(good);
	snprintf(text_of(s, "set.rate")->name, sizeof s->text->name, "set.batch");
	refused(QUICK, s, "set.batch");
	state_free(s);
	engine_close(opened(QUICK, good));
	state_free(good);
}

static void damaged_arrays(void **state)
{
	(void)state;
	struct state *good = quick_state();
	char why[256];
	for (int i = 0; i < good->tensors; i++)
		for (int way = 0; way < 3; way++) {
			struct state *s = copy_of(good);
			struct state_tensor *t = &s->tensor[i];
			snprintf(why, sizeof why, "%s, way %d", t->name, way);
			if (way == 0)
				snprintf(t->name, sizeof t->name, "gone");
			else if (way == 1 && t->bytes >= 4) {
				t->bytes -= 4;
				t->shape[0] -= 1;
			} else
				t->type = t->type == STATE_I64 ? STATE_U8 : STATE_I64;
			refused(QUICK, s, why);
			state_free(s);
		}
	// One byte of what the digest covers.
	static const char *const digested[] = {"network.weights", "network.momentum", "network.ranges", "policy.logits",
		"policy.first_moments", "policy.second_moments"};
	for (size_t i = 0; i < sizeof digested / sizeof digested[0]; i++) {
		struct state *s = copy_of(good);
		((uint8_t *)tensor_of(s, digested[i])->data)[1] ^= 4;
		refused(QUICK, s, digested[i]);
		state_free(s);
	}
	static const int64_t masks[] = {0, -1, 0x80, 0x7fffffff, INT64_MIN, (int64_t)1 << 32, 0x3f};
	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct state *s = copy_of(good);
		((int64_t *)tensor_of(s, "allowed")->data)[9] = masks[i];
		snprintf(why, sizeof why, "mask %lld", (long long)masks[i]);
		refused(QUICK, s, why);
		state_free(s);
	}
	struct state *s = copy_of(good);
	assert_true(tensor_of(s, "front.choices")->bytes > 0);
	((uint8_t *)tensor_of(s, "front.choices")->data)[3] = 7;
	refused(QUICK, s, "an option of the front that does not exist");
	state_free(s);
	s = copy_of(good); // a front without end
	tensor_of(s, "front.numbers")->shape[0] = INT64_MAX / 4;
	refused(QUICK, s, "a front of too many points");
	tensor_of(s, "front.numbers")->shape[0] = -1;
	refused(QUICK, s, "a front of fewer than no points");
	state_free(s);
	s = copy_of(good);
	s->tensors = 0;
	struct state empty = {0};
	refused(QUICK, &empty, "an empty state");
	s->tensors = good->tensors;
	state_free(s);
	state_free(good);
}

static void same_rows(struct engine *a, struct engine *b, int from)
{
	struct policy_row of_a[8], of_b[8];
	for (int slot = 0; slot < engine_info(a)->slots; slot++) {
		const int n = engine_policy(a, slot, 8, of_a) - from;
		assert_int_equal(engine_policy(b, slot, 8, of_b), n);
		for (int i = 0; i < n; i++)
			assert_memory_equal(&of_a[from + i], &of_b[i], sizeof of_b[i]);
	}
}

// The policy is kept for every slot as it was behind each step, across a save; a checkpoint from before it was kept opens, and those of the
// steps after it are.
static void policy_is_kept(void **state)
{
	(void)state;
	struct engine *e = opened(QUICK, NULL);
	struct policy_row row[8];
	run_to(e, 3);
	struct state *s = saved(e);
	run_to(e, 7);
	struct snapshot *now = settled(e);
	for (int i = 0; i < now->slots; i++) {
		assert_int_equal(engine_policy(e, i, 8, row), 7);
		assert_true(row[0].step == 1 && row[6].step == 7 && row[6].lane == 1);
		for (int o = 0; o < engine_info(e)->slot[i].options; o++)
			assert_true(fabsf(row[6].probability[o] - now->slot[i].probability[o]) < 0.002f);
	}
	struct engine *back = opened(QUICK, s);
	run_to(back, 7);
	same_rows(e, back, 0);
	engine_close(back);
	tensor_of(s, "history.policy.step")->name[0] = 'x';
	tensor_of(s, "history.policy")->name[0] = 'x';
	back = opened(QUICK, s);
	run_to(back, 7);
	same_rows(e, back, 3);
	engine_close(back);
	tensor_of(s, "xistory.policy.step")->name[0] = 'h';
	refused(QUICK, s, "steps of probabilities that are not there");
	snapshot_free(now);
	state_free(s);
	engine_close(e);
}

// Options of the history are shown as formats: one that does not exist must not get that far.
static void damaged_history(void **state)
{
	(void)state;
	struct state *s = quick_state();
	((uint8_t *)tensor_of(s, "history.modal")->data)[5] = 200;
	refused(QUICK, s, "an option of the history that does not exist");
	state_free(s);
}

// ---- openings that cannot be ---------------------------------------------------------------------------------------------------------

static void bad_openings(void **state)
{
	(void)state;
	static const char *const bad[] = {"net=nosuch", "space=nosuch", "space=int4,e1m2", "data=glyphs:1", "data=nosuch",
		"data=idx:/nonexistent", "train=8", "target.bops=garbage", "weight.size=1", "train=128", "batch=65",
		"steps=1000000"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct config *c = config_of(bad[i]);
		struct fault f = {0};
		struct engine *e = engine_open(c, NULL, &f);
		config_free(c);
		if (strncmp(bad[i], "steps", 5) == 0) { // it may be had on a machine with much memory
			engine_close(e);
			continue;
		}
		if (e)
			fail_msg("%s was opened", bad[i]);
		if (!f.what[0] || !f.todo[0])
			fail_msg("%s: no fault, or not what to do", bad[i]);
	}
}

// A network of more operators than can be priced is refused before anything of its size is made.
static void deep_networks_are_refused_at_once(void **state)
{
	(void)state;
	char path[] = "/tmp/bitscape-unit_search-XXXXXX.net", name[64];
	int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	fprintf(file, "input 12x12x1\nclasses 10\nstem conv out=64 kernel=3\n");
	for (int i = 0; i < 9000; i++)
		fprintf(file, "a%d act act=relu\n", i);
	fprintf(file, "pool pool\nhead linear out=classes\n");
	assert_int_equal(fclose(file), 0);
	snprintf(name, sizeof name, "net=%s batch=64", path);
	struct config *c = config_of(name);
	struct rusage before, after;
	struct fault f = {0};
	getrusage(RUSAGE_SELF, &before);
	assert_null(engine_open(c, NULL, &f));
	getrusage(RUSAGE_SELF, &after);
	assert_non_null(strstr(f.what, "9004 operators are more than can be priced"));
	assert_true(after.ru_maxrss - before.ru_maxrss < 500000); // kB; activations alone would take 40 GB
	config_free(c);
	unlink(path);
}

// Closing waits for the step at hand and for nothing else; what was asked and not fetched is freed.
static void closing_at_any_time(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct engine *e = opened("steps=1000", NULL);
		engine_run_to(e, ENGINE_RUN_ON);
		while (i > 2 && engine_history(e, i, 1, &(struct record){0}, NULL) == 0)
			await_news(e);
		if (i % 2) {
			struct change_item item = {"stem", "int8"};
			struct change c = {CHANGE_RESTRICT, 1, &item, 0};
			assert_true(engine_post_state(e, NULL, NULL));
			assert_true(engine_post_change(e, &c, NULL, NULL));
			assert_true(engine_post_evaluate(e, CHOICE_RESULT, NULL, NULL, SPLIT_HELDOUT, NULL, NULL));
		}
		engine_close(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_gradient),
		cmocka_unit_test(gradient_of_priced_options),
		cmocka_unit_test(entropy_gradient),
		cmocka_unit_test(masks_are_kept),
		cmocka_unit_test(entropy_from_0_to_1),
		cmocka_unit_test(what_is_decided_together),
		cmocka_unit_test(logits_follow_the_partition),
		cmocka_unit_test(a_run_ends),
		cmocka_unit_test(history_out_of_reach),
		cmocka_unit_test(prices),
		cmocka_unit_test(differences_of_costs),
		cmocka_unit_test(bounds_by_pricing),
		cmocka_unit_test(targets_out_of_reach),
		cmocka_unit_test(devices_change),
		cmocka_unit_test(absolute_targets_stay),
		cmocka_unit_test(terms_without_a_price),
		cmocka_unit_test(searches_on_a_table),
		cmocka_unit_test(costs_alone),
		cmocka_unit_test(stepped_by_hand),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(seeds_matter),
		cmocka_unit_test(interruptions_do_not_matter),
		cmocka_unit_test(interruptions_of_blocks_do_not_matter),
		cmocka_unit_test(pauses_do_not_matter),
		cmocka_unit_test(bad_changes),
		cmocka_unit_test(inverses_restore),
		cmocka_unit_test(changes_and_back_leave_no_trace),
		cmocka_unit_test(the_way_does_not_matter),
		cmocka_unit_test(changes_survive_a_state),
		cmocka_unit_test(a_policy_meets_the_new_target),
		cmocka_unit_test(a_target_out_of_reach_and_back),
		cmocka_unit_test(a_policy_that_waits),
		cmocka_unit_test(rewards_stay_numbers),
		cmocka_unit_test(no_number_is_kept),
		cmocka_unit_test(the_rate_falls_at_the_end),
		cmocka_unit_test(extensions_are_taken_back),
		cmocka_unit_test(usual_targets_can_be_met),
		cmocka_unit_test(pins_hold),
		cmocka_unit_test(horizon_and_extension),
		cmocka_unit_test(endless_extensions),
		cmocka_unit_test(everything_runs),
		cmocka_unit_test(wide_steps),
		cmocka_unit_test(a_schedule_in_words),
		cmocka_unit_test(a_final_phase),
		cmocka_unit_test(strained_weights),
		cmocka_unit_test(divergence_is_a_fault),
		cmocka_unit_test(divergence_behind_a_relu),
		cmocka_unit_test(the_front),
		cmocka_unit_test(a_front_by_what_counts),
		cmocka_unit_test(a_scoring_is_resumed),
		cmocka_unit_test(evaluations),
		cmocka_unit_test(evaluations_of_the_average),
		cmocka_unit_test(evaluations_and_the_batch),
		cmocka_unit_test(settings_of_adamw),
		cmocka_unit_test(states_of_other_searches),
		cmocka_unit_test(damaged_texts),
		cmocka_unit_test(damaged_arrays),
		cmocka_unit_test(policy_is_kept),
		cmocka_unit_test(damaged_history),
		cmocka_unit_test(bad_openings),
		cmocka_unit_test(deep_networks_are_refused_at_once),
		cmocka_unit_test(closing_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
