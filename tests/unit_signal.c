// SPDX-License-Identifier: GPL-3.0-or-later
// The signal: the additive model against least squares and against made-up truths, what it leaves of the policy's gradient, the
// result of a lane against every choice, and allocation on what the model has learned.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/search/additive.h"
#include "engine/search/allocate.h"
#include "engine/search/result.h"
#include "engine/search/sensitivity.h"
#include "engine/tensor/rng.h"
#include "tests/ground.h"
#include "tests/searching.h"

static double uniform(uint64_t *seed)
{
	return (any_of(seed, 1u << 30) + 0.5) / (1 << 30);
}

static double normal(uint64_t *seed)
{
	double u = uniform(seed), v = uniform(seed);
	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

// ---- the additive model ----------------------------------------------------------------------------------------------------

enum { LAYERS = 10, SLOTS = 2 * LAYERS }; // of resnet8

static void draw(const struct partition *p, uint64_t *seed, uint8_t *choice)
{
	for (int d = 0; d < p->decisions; d++)
		choice[p->decision[d].first] = (uint8_t)any_of(seed, (uint32_t)p->decision[d].options);
	partition_spread(p, choice);
}

static double true_worth(int decision, int option)
{
	return -0.3 * (1 + decision % 4) * pow(4, -option) + 0.01 * sin(decision * 7 + option);
}

static double true_quality(const struct partition *p, const uint8_t *choice)
{
	double q = 0;
	for (int d = 0; d < p->decisions; d++)
		q += true_worth(d, choice[p->decision[d].first]);
	return q;
}

static void teach(struct additive *a, const struct partition *p, uint64_t *seed, int steps, double noise)
{
	uint8_t choice[4 * SLOTS];
	double quality[4];
	for (int i = 0; i < steps; i++) {
		double level = 3 * normal(seed); // what the images of a step have in common
		for (int k = 0; k < 4; k++) {
			draw(p, seed, choice + k * SLOTS);
			quality[k] = level + true_quality(p, choice + k * SLOTS) + noise * normal(seed);
		}
		additive_learn(a, 4, choice, quality);
	}
}

static void worths_are_found(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of("net=resnet8 data=none space=int2,int3,int4,int8", NULL);
	const struct partition *p = s->lane[0].partition;
	struct additive *a = additive_new(p, &f);
	uint64_t seed = 1;
	assert_non_null(a);
	assert_true(isnan(additive_foretold(a)));
	teach(a, p, &seed, 500, 0.1);
	double squares = 0, worst = 0;
	int count = 0;
	for (int d = 0; d < LAYERS; d++) {
		double worth[4];
		additive_worth(a, d, worth);
		for (int o = 0; o < 3; o++) {
			double error = worth[o] - worth[3] - true_worth(d, o) + true_worth(d, 3),
			       said = additive_error(a, d, o, 3);
			assert_true(said > 0.001 && said < 0.03);
			squares += error * error / (said * said);
			worst = fmax(worst, fabs(error));
			count++;
			assert_true(additive_tried(a, d, o) > 300 && additive_tried(a, d, o) < 500);
		}
	}
	assert_true(worst < 0.04);
	assert_true(squares / count > 0.3 && squares / count < 2); // it errs by what it says
	assert_true(additive_foretold(a) > 0.7 && additive_foretold(a) < 1);
	additive_free(a);
	search_free(s);
}

// After one step, against the posterior mean by the textbook: P X'(X P X' + R)^-1 y, of the differences to the first choice, whose
// noises have the covariance I + 11', with the prior as additive.c states it: P around what the shape says, by half the factor by which the
// qualities are as far apart as the choices' shapes.
static void one_step_is_exact(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of("net=resnet8 data=none space=int2,int3,int4,int8", NULL);
	const struct partition *p = s->lane[0].partition;
	struct additive *a = additive_new(p, &f), *other = additive_new(p, &f);
	uint8_t choice[4 * SLOTS], turned[4 * SLOTS];
	double quality[4] = {1, 1.5, 0.7, 1.1}, back[4];
	uint64_t seed = 5;
	assert_true(a && other);
	for (int k = 0; k < 4; k++)
		draw(p, &seed, choice + k * SLOTS);
	for (int k = 0; k < 4; k++) { // the order of a step's choices does not matter, nor does their level
		memcpy(turned + k * SLOTS, choice + (3 - k) * SLOTS, SLOTS);
		back[k] = quality[3 - k] + 17;
	}
	additive_learn(a, 4, choice, quality);
	additive_learn(other, 4, turned, back);
	for (int d = 0; d < LAYERS; d++) {
		double x[4], y[4];
		additive_worth(a, d, x);
		additive_worth(other, d, y);
		for (int o = 0; o < 4; o++)
			assert_true(fabs(x[o] - y[o]) < 1e-5);
	}
	enum { N = LAYERS * 4 };
	static double before[N][N];
	const double bits[4] = {2, 3, 4, 8};
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			double shape = pow(4, 2 - bits[i % 4]) * pow(4, 2 - bits[j % 4]);
			before[i][j] = 0.5 * shape + (i / 4 == j / 4 ? shape : 0) + (i == j ? 0.01 : 0);
		}
	double mean[N], sum[2] = {0}, squares[2] = {0};
	for (int k = 0; k < 4; k++) {
		double of[2] = {quality[k], 0};
		for (int d = 0; d < LAYERS; d++)
			of[1] -= pow(4, 2 - bits[choice[k * SLOTS + p->decision[d].first]]);
		for (int i = 0; i < 2; i++) {
			sum[i] += of[i] / 4;
			squares[i] += of[i] * of[i] / 4;
		}
	}
	double factor = 0.5 * sqrt((squares[0] - sum[0] * sum[0]) / (squares[1] - sum[1] * sum[1]));
	for (int i = 0; i < N; i++)
		mean[i] = -factor * pow(4, 2 - bits[i % 4]);
	double x[3][N] = {{0}}, px[3][N] = {{0}}, m[3][4];
	for (int k = 0; k < 3; k++) {
		for (int d = 0; d < LAYERS; d++) {
			x[k][d * 4 + choice[(k + 1) * SLOTS + p->decision[d].first]] += 1;
			x[k][d * 4 + choice[p->decision[d].first]] -= 1;
		}
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++)
				px[k][i] += before[i][j] * x[k][j];
	}
	for (int k = 0; k < 3; k++) {
		for (int l = 0; l < 3; l++) {
			m[k][l] = 1 + (k == l);
			for (int i = 0; i < N; i++)
				m[k][l] += x[k][i] * px[l][i];
		}
		m[k][3] = quality[k + 1] - quality[0];
		for (int i = 0; i < N; i++)
			m[k][3] -= x[k][i] * mean[i];
	}
	for (int k = 0; k < 3; k++) // Gauss and Jordan
		for (int r = 0; r < 3; r++)
			for (int c = 3; r != k && c >= k; c--)
				m[r][c] -= m[r][k] / m[k][k] * m[k][c];
	for (int d = 0; d < LAYERS; d++) {
		double worth[4];
		additive_worth(a, d, worth);
		for (int o = 0; o < 4; o++) {
			double wanted = mean[d * 4 + o];
			for (int k = 0; k < 3; k++)
				wanted += px[k][d * 4 + o] * m[k][3] / m[k][k];
			if (!(fabs(worth[o] - wanted) < 1e-5))
				fail_msg("decision %d, option %d: %.7f, by hand %.7f", d, o, worth[o], wanted);
		}
	}
	additive_free(a);
	additive_free(other);
	search_free(s);
}

// Many decisions have a block each, and find the worths too.
static void blocks_do_as_well(void **state)
{
	(void)state;
	struct fault f;
	struct search *s =
		search_of("net=resnet56 data=none space=int2,int3,int4,int5,int6,int7,int8,e2m1,e3m2,e4m3,e5m2,bf16 decide=split",
			NULL);
	const struct partition *p = s->lane[0].partition;
	int slots = p->space->slots, options = p->decision[0].options;
	assert_true(p->decisions * options > ADDITIVE_DENSE);
	struct additive *a = additive_new(p, &f);
	uint8_t *choice = calloc(4, (size_t)slots);
	uint64_t seed = 3;
	assert_true(a && choice);
	for (int i = 0; i < 1500; i++) {
		double quality[4];
		for (int k = 0; k < 4; k++) {
			draw(p, &seed, choice + k * slots);
			quality[k] = 0.1 * normal(&seed);
			for (int d = 0; d < p->decisions; d++)
				quality[k] += choice[k * slots + p->decision[d].first] == 0 ? -0.2 * (d % 3) : 0;
		}
		additive_learn(a, 4, choice, quality);
	}
	assert_true(additive_foretold(a) > 0.6);
	for (int d = 0; d < p->decisions; d++) {
		double worth[SPACE_OPTIONS];
		additive_worth(a, d, worth);
		assert_true(fabs(worth[0] - worth[options - 1] + 0.2 * (d % 3)) < 0.12);
	}
	free(choice);
	additive_free(a);
	search_free(s);
}

// Where blocks come and go: what they are worth, and their layers while they are there, of truths that nothing was known of. Layers of a
// block that rests teach nothing, and have no part in what a choice is worth.
static void what_rests_is_left_out(void **state)
{
	(void)state;
	enum { BLOCKS = 3, MOST = 64 };
	struct fault f = {0};
	char path[256], text[1024] = "input 8x8x3\nclasses 10\nstem conv out=8 kernel=3\n";
	for (int b = 0; b < BLOCKS; b++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			"block b%d depth=off|on\nb%d.conv conv out=8 kernel=3|5|7\nend\n", b, b);
	snprintf(text + strlen(text), sizeof text - strlen(text), "pooled pool\nhead linear out=classes\n");
	snprintf(path, sizeof path, "%s/bitscape-signal-%ld.net", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (long)getpid());
	FILE *file = fopen(path, "w");
	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
	struct blueprint *b = blueprint_named(path, (struct shape){0, 0, 0}, 0, &f);
	unlink(path);
	if (!b)
		fail_msg("%s: %s", f.where, f.what);
	int count;
	const struct slot *slots = blueprint_slots(b, &count);
	struct space *space = space_new(blueprint_whole(b), slots, count, "int2,int4,int8", &f);
	struct partition *p = partition_new(space, &f);
	struct additive *a = additive_new(p, &f);
	uint8_t choice[4 * MOST];
	double quality[4], tried[MOST] = {0}, worth[SPACE_OPTIONS];
	uint64_t seed = 9;
	assert_true(a && space->slots <= MOST && p->decisions == BLOCKS + 2 + 2 * BLOCKS);
	for (int i = 0; i < 800; i++) {
		for (int k = 0; k < 4; k++) {
			uint8_t *c = choice + k * space->slots;
			draw(p, &seed, c);
			quality[k] = 0.1 * normal(&seed);
			for (int d = 0; d < p->decisions; d++) {
				bool there = slot_there(space->slot, p->decision[d].first, c);
				quality[k] += there ? 0.1 * (d % 3) * c[p->decision[d].first] : 0;
				tried[d] += there && c[p->decision[d].first] == 0;
			}
		}
		additive_learn(a, 4, choice, quality);
	}
	assert_true(additive_foretold(a) > 0.8);
	for (int d = 0; d < p->decisions; d++) {
		additive_worth(a, d, worth);
		if (space->slot[p->decision[d].first].kind !=
			SLOT_DEPTH) // what a block is worth hangs on where its layers' worths begin
			for (int o = 1; o < p->decision[d].options; o++)
				if (!(fabs(worth[o] - worth[0] - 0.1 * (d % 3) * o) < 0.06))
					fail_msg("decision %d, option %d: %.3f", d, o, worth[o] - worth[0]);
		assert_true(additive_tried(a, d, 0) < tried[d] && additive_tried(a, d, 0) > 0.5 * tried[d]);
	}
	uint8_t one[MOST] = {0}, other[MOST] = {0}; // all blocks are off
	for (int i = 0; i < space->slots; i++)
		other[i] = slot_there(space->slot, i, one) ? 0 : 1;
	assert_true(memcmp(one, other, (size_t)space->slots) != 0 && additive_value(a, one) == additive_value(a, other));
	additive_free(a);
	partition_free(p);
	space_free(space);
	blueprint_free(b);
}

static void worths_follow_the_partition(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of("net=resnet8 data=none space=int2,int3,int4,int8", NULL);
	struct lane *lane = &s->lane[0];
	struct partition *next = lane->wanted;
	struct additive *a = additive_new(lane->partition, &f);
	uint64_t seed = 2;
	double before[LAYERS][4], after[4];
	assert_non_null(a);
	additive_follow(a, lane->partition, 0);
	teach(a, lane->partition, &seed, 300, 0.1);
	for (int d = 0; d < LAYERS; d++)
		additive_worth(a, d, before[d]);
	double known = additive_error(a, 0, 0, 3);
	// A pin changes nothing of it.
	partition_copy(next, lane->partition);
	next->allowed[0] = next->allowed[1] = 2;
	assert_true(partition_derive(next, &f) && additive_follows(a, next));
	additive_follow(a, next, 0);
	additive_worth(a, 0, after);
	assert_memory_equal(after, before[0], sizeof after);
	// Layers 1 and 2 as one are worth what they were worth together, and are uncertain again.
	partition_copy(next, lane->partition);
	assert_true(partition_group(next, "both", "s1*", &f) && partition_derive(next, &f));
	assert_false(additive_follows(a, next));
	additive_follow(a, next, 0);
	assert_true(additive_follows(a, next));
	additive_worth(a, next->decision_of[2], after);
	for (int o = 0; o < 4; o++)
		assert_true(fabs(after[o] - before[1][o] - before[2][o]) < 1e-6);
	assert_true(additive_error(a, 0, 0, 3) > 3 * known);
	// In another unit nothing is left.
	additive_follow(a, next, 1);
	additive_worth(a, 0, after);
	assert_true(isnan(additive_foretold(a)) && after[0] == 0);
	additive_free(a);
	search_free(s);
}

// What the model foretells, taken from the samples and given exactly, leaves the expected gradient as it is, whatever the model is.
static void the_expected_gradient_stays(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of("net=resnet8 data=none space=int2,int8 sensitivity=none", NULL);
	struct lane *lane = &s->lane[0];
	const struct partition *p = lane->partition;
	struct additive *a = additive_new(p, &f);
	struct state_array array[POLICY_ARRAYS];
	float plain[LAYERS][2], with[LAYERS][2];
	uint8_t choice[SLOTS];
	uint64_t seed = 8;
	assert_non_null(a);
	teach(a, p, &seed, 20, 1); // a bad model
	policy_arrays(lane->policy, array);
	for (int d = 0; d < LAYERS; d++)
		array[0].data[d * SPACE_OPTIONS] = (float)sin(d);
	policy_refresh(lane->policy);
	for (int modelled = 0; modelled < 2; modelled++) {
		policy_clear(lane->policy);
		for (int n = 0; n < 1 << LAYERS; n++) {
			double q = 1;
			for (int d = 0; d < LAYERS; d++) {
				choice[p->decision[d].first] = (uint8_t)(n >> d & 1);
				q *= (double)policy_probabilities(lane->policy, d)[n >> d & 1];
			}
			partition_spread(p, choice);
			double quality = cos(n * 0.37) + (n & 3) * 0.2;
			policy_credit(lane->policy, choice, q * (quality - (modelled ? additive_value(a, choice) : 0)));
		}
		for (int d = 0; modelled && d < LAYERS; d++) {
			double worth[2];
			additive_worth(a, d, worth);
			policy_credit_options(lane->policy, d, worth, 1);
		}
		policy_move(lane->policy, 0, 0, 0, 0); // Adam's first moment is the gradient
		for (int d = 0; d < LAYERS; d++)
			for (int o = 0; o < 2; o++)
				(modelled ? with : plain)[d][o] = array[1].data[d * SPACE_OPTIONS + o];
	}
	double length = 0;
	for (int d = 0; d < LAYERS; d++)
		for (int o = 0; o < 2; o++) {
			assert_true(fabs((double)with[d][o] - (double)plain[d][o]) < 1e-7);
			length += fabs((double)plain[d][o]);
		}
	assert_true(length > 1e-3);
	additive_free(a);
	search_free(s);
}

// ---- errors ----------------------------------------------------------------------------------------------------------------

enum { IMAGES = 12, NARROW = 0, CASTED = 1 };

static double loss_of(struct network *net, const struct plan *plan, enum pass pass, const float *x, const uint16_t *labels)
{
	const struct quantization q = {.range = RANGE_MAX, .per_channel = true, .unsigned_positive = true};
	memcpy(network_input(net), x, (size_t)(IMAGES * 16 * 16 * 3) * sizeof *x);
	network_forward(net, plan, &q, pass, IMAGES, NULL);
	return network_loss(net, labels, IMAGES, 0).mean;
}

// The linear terms of a layer's weights and inputs, against what the loss does where that layer alone is rounded a little (fp16);
// Fisher's term of weights against the plain sum; and all of it the same whatever the threads and however the images are dealt out.
static void errors_by_gradients(void **state)
{
	(void)state;
	static const char *const nets[] = {
		"resnet8:width=0.5", "mobilenetv2:width=0.25", "mobilenetv2"}; // the last has layers in tiles
	for (int k = 0; k < 3; k++) {
		struct fault f;
		struct model *m = model_named(nets[k], (struct shape){16, 16, 3}, 10, &f);
		const int format[] = {format_named("int4"), format_named("fp16")};
		double first[64 * 2 * ERRORS], wrong = 0, whole = 0;
		static float x[IMAGES * 16 * 16 * 3];
		uint16_t labels[IMAGES];
		struct layer_plan layer[64];
		assert_true(m && m->layers <= 64);
		for (long i = 0; i < IMAGES * 16 * 16 * 3; i++)
			x[i] = (float)rng_normal(3, (uint64_t)i);
		for (int i = 0; i < IMAGES; i++)
			labels[i] = (uint16_t)(i % 10);
		for (int l = 0; l < m->layers; l++)
			layer[l].weight = layer[l].activation = format_named("fp32");
		struct plan plan = {.model = m, .layer = layer};
		for (int threads = 1; threads < 4; threads += 2) {
			struct team *team = team_new(threads, &f);
			struct network *net = network_new(m, NULL, IMAGES, 0, 0, team, &f);
			struct errors *e = errors_new(net, format, 2, &f);
			assert_true(team && net && e);
			network_initialise(net, 5);
			double plain = loss_of(net, &plan, PASS_TRAIN, x, labels);
			network_watch_errors(net, e, 1, 0);
			network_backward(net);
			const double *value = errors_values(e);
			size_t size = (size_t)(m->layers * 2 * ERRORS) * sizeof *value;
			if (threads > 1)
				assert_memory_equal(value, first, size);
			else
				memcpy(first, value, size);
			// A part of the images at a time: the parts' mean.
			double mean[64 * 2 * ERRORS] = {0};
			for (int turn = 0; turn < 4; turn++) {
				loss_of(net, &plan, PASS_TRAIN, x, labels);
				network_watch_errors(net, e, 4, turn);
				network_backward(net);
				for (int i = 0; i < m->layers * 2 * ERRORS; i++)
					mean[i] += value[i] / 4;
			}
			for (int i = 0; i < m->layers * 2 * ERRORS; i++)
				assert_true(fabs(mean[i] - first[i]) <= 1e-9 + 1e-5 * fabs(first[i]));
			for (int l = 0; l < m->layers; l++) {
				const double *of = first + (l * 2 + CASTED) * ERRORS, *narrow = first + (l * 2 + NARROW) * ERRORS;
				layer[l].weight = layer[l].activation = format[CASTED];
				double moved = loss_of(net, &plan, PASS_SAMPLE, x, labels) - plain;
				layer[l].weight = layer[l].activation = format_named("fp32");
				if (l == 0)
					continue; // the input of the network has no gradient
				wrong += pow(moved - of[ERROR_WEIGHT_LINEAR] - of[ERROR_INPUT_LINEAR], 2);
				whole += moved * moved;
				assert_true(narrow[ERROR_WEIGHT_SQUARE] > 10 * of[ERROR_WEIGHT_SQUARE] &&
					narrow[ERROR_INPUT_SQUARE] > 10 * of[ERROR_INPUT_SQUARE]);
			}
			network_watch_errors(net, NULL, 0, 0);
			errors_free(e);
			network_free(net);
			team_free(team);
		}
		if (!(wrong < 0.05 * whole))
			fail_msg("%s: the linear terms miss %.3g of %.3g", nets[k], wrong, whole);
		model_free(m);
	}
}

// What was hinted is where the model begins: with no lesson about a decision it expects what was hinted, by the factor that the
// others' lessons have shown.
static void hints_are_believed_as_far_as_they_hold(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of("net=resnet8 data=none space=int2,int3,int4,int8", NULL);
	const struct partition *p = s->lane[0].partition;
	struct additive *hinted = additive_new(p, &f), *plain = additive_new(p, &f);
	double lost[SLOTS * 4], worth[4], miss[2] = {0};
	uint64_t seed[2] = {1, 1};
	assert_true(hinted && plain);
	for (int i = 0; i < SLOTS; i++)
		for (int o = 0; o < 4; o++) // a third of it is true: the halves of a layer share it
			lost[i * 4 + o] = -3 * true_worth(i / 2, o) / 2;
	additive_hint(hinted, lost);
	teach(hinted, p, &seed[0], 10, 0.1);
	teach(plain, p, &seed[1], 10, 0.1);
	for (int d = 0; d < LAYERS; d++)
		for (int k = 0; k < 2; k++) {
			additive_worth(k ? hinted : plain, d, worth);
			for (int o = 0; o < 3; o++)
				miss[k] += pow(worth[o] - worth[3] - true_worth(d, o) + true_worth(d, 3), 2);
		}
	assert_true(miss[1] < 0.5 * miss[0]);
	additive_free(hinted);
	additive_free(plain);
	search_free(s);
}

// ---- the result ------------------------------------------------------------------------------------------------------------

static double log_p(const struct lane *lane, const uint8_t *choice)
{
	double sum = 0;
	for (int d = 0; d < lane->partition->decisions; d++)
		sum += log((double)policy_probabilities(lane->policy, d)[choice[lane->partition->decision[d].first]]);
	return sum;
}

// Logits of any size, and a target anywhere between the cheapest and the dearest choice.
static void shuffle(struct search *s, uint64_t *seed)
{
	struct lane *lane = &s->lane[0];
	struct state_array array[POLICY_ARRAYS];
	policy_arrays(lane->policy, array);
	for (long i = 0; i < array[0].count; i++)
		array[0].data[i] = (float)(2 * normal(seed));
	policy_refresh(lane->policy);
	for (int t = 0; t < s->shared.terms; t++)
		if (lane->aim[t].target > 0)
			lane->aim[t].target = lane->aim[t].low + uniform(seed) * (lane->aim[t].high - lane->aim[t].low);
}

// The most log p of all choices within the targets; above 0: there is none.
static double best_of_all(struct search *s, int options)
{
	struct lane *lane = &s->lane[0];
	const struct partition *p = lane->partition;
	double best = 1, cost[ENGINE_TERMS];
	uint8_t choice[SLOTS];
	long choices = 1;
	for (int d = 0; d < p->decisions; d++)
		choices *= options;
	for (long n = 0; n < choices; n++) {
		bool allowed = true;
		for (long d = 0, rest = n; d < p->decisions; d++, rest /= options) {
			choice[p->decision[d].first] = (uint8_t)(rest % options);
			allowed = allowed && p->decision[d].allowed >> rest % options & 1;
		}
		if (!allowed)
			continue;
		partition_spread(p, choice);
		lane_costs(lane, choice, cost);
		if (result_excess(lane, cost) <= 0 && (best > 0 || log_p(lane, choice) > best))
			best = log_p(lane, choice);
	}
	return best;
}

static void check_result(struct search *s, double *got, double *most)
{
	struct lane *lane = &s->lane[0];
	double cost[ENGINE_TERMS];
	lane_refresh(lane);
	*most = best_of_all(s, s->shared.options);
	*got = log_p(lane, lane->result);
	lane_costs(lane, lane->result, cost);
	assert_true(lane->within == (*most <= 0));
	assert_true(!lane->within || result_excess(lane, cost) <= 0);
	for (int t = 0; t < s->shared.terms; t++)
		assert_true(!(lane->aim[t].weight > 0 && lane->aim[t].target > 0 && lane->within) ||
			cost[t] <= lane->aim[t].target * (1 + 1e-8));
	lane_costs(lane, lane->modal, cost);
	if (result_excess(lane, cost) <= 0)
		assert_memory_equal(lane->result, lane->modal, SLOTS);
}

static void results_are_the_likeliest(void **state)
{
	(void)state;
	uint64_t seed = 4;
	struct search *s = search_of("net=resnet8 data=none space=int2,int8 target.bops=0.5x weight.bops=1", NULL);
	double got, most;
	int differ = 0;
	for (int i = 0; i < 200; i++) {
		shuffle(s, &seed);
		check_result(s, &got, &most);
		assert_true(most <= 0 && fabs(got - most) < 1e-6); // one term that adds up: exact
		differ += memcmp(s->lane[0].result, s->lane[0].modal, SLOTS) != 0;
	}
	assert_true(differ > 50 && differ < 200);
	// Pinned layers stay as they are.
	struct lane *lane = &s->lane[0];
	struct fault f;
	partition_copy(lane->wanted, lane->partition);
	lane->wanted->allowed[0] = lane->wanted->allowed[1] = 2;
	assert_true(partition_derive(lane->wanted, &f));
	lane_rearrange(lane);
	for (int i = 0; i < 50; i++) {
		shuffle(s, &seed);
		check_result(s, &got, &most);
		assert_true(most <= 0 && fabs(got - most) < 1e-6 && lane->result[0] == 1);
	}
	// Below all that can be had: the cheapest choice.
	lane->aim[0].target = lane->aim[0].low / 2;
	lane_refresh(lane);
	assert_false(lane->within);
	assert_memory_equal(lane->result, lane->aim[0].cheapest, SLOTS);
	// A target that does not count limits nothing.
	lane->aim[0].weight = 0;
	lane_refresh(lane);
	assert_true(lane->within && memcmp(lane->result, lane->modal, SLOTS) == 0);
	search_free(s);
}

// Costs that do not add up, and several at once: never above the targets where a choice within them is known, and not far from the
// likeliest.
static void results_by_repair(void **state)
{
	(void)state;
	static const char *const settings[] = {
		"net=resnet8 data=none space=int2,int8 target.bops=0.5x weight.bops=0 target.latency=0.5x weight.latency=1",
		"net=resnet8 data=none space=int2,int8 target.bops=0.5x weight.bops=1 target.size=0.5x weight.size=1"};
	uint64_t seed = 6;
	for (int k = 0; k < 2; k++) {
		struct search *s = search_of(settings[k], NULL);
		struct lane *lane = &s->lane[0];
		int met = 0, best = 0;
		for (int i = 0; i < 60; i++) {
			double got, most, cost[ENGINE_TERMS];
			shuffle(s, &seed);
			lane_refresh(lane);
			lane_costs(lane, lane->result, cost);
			most = best_of_all(s, 2);
			got = log_p(lane, lane->result);
			if (most > 0)
				continue;
			met += lane->within;
			best += lane->within && got > most - 0.5;
			assert_true(!lane->within || (result_excess(lane, cost) <= 0 && got <= most + 1e-6));
		}
		if (!(met > 50 && best > 0.7 * met))
			fail_msg("%s: %d met, %d of them near the best", settings[k], met, best);
		search_free(s);
	}
}

// ---- searchers -------------------------------------------------------------------------------------------------------------

// On a table that is additive, allocation on what the model has learned is as good as on the table itself.
static void allocation_on_what_was_learned(void **state)
{
	(void)state;
	static const char common[] =
		"net=resnet18 data=none sensitivity=hawq space=int4,int8 target.bops=0.5x weight.bops=1 steps=400 "
		"start=uniform entropy=0 policy-rate=0.01 front-every=0 ";
	for (int k = 0; k < 2; k++) {
		char settings[256];
		snprintf(settings, sizeof settings, "%ssearcher=%s", common, k ? "exact" : "greedy");
		struct search *s = search_of(settings, NULL);
		struct lane *lane = &s->lane[0];
		struct fault f;
		lane_refresh(lane); // it knows nothing yet
		for (int i = 0; i < 400; i++)
			assert_true(search_step(s, &f));
		assert_true(lane->within);
		assert_memory_equal(lane->result, lane->modal, (size_t)s->shared.space->slots);
		struct sensitivity *table = sensitivity_named(s->shared.model, "hawq", &f);
		int formats[] = {format_named("int4"), format_named("int8")}, choice[64];
		struct allocation a;
		assert_true(table &&
			allocation_of(s->shared.model, table, price_cost(s->shared.term[0].price), formats, 2, &a, &f));
		struct allocated best = allocate_exact(&a, lane->aim[0].target, 0, choice);
		double lost = 0;
		for (int l = 0; l < a.layers; l++)
			lost += a.lost[l * 2 + lane->modal[2 * l]];
		struct allocated plain = allocate_uniform(&a, lane->aim[0].target, choice);
		assert_true(best.found && lost >= best.lost - 1e-9);
		if (!(lost < best.lost + 0.1 * (plain.lost - best.lost)))
			fail_msg("%s loses %.3f points, the best choice %.3f, the uniform one %.3f", lane->searcher->name, lost,
				best.lost, plain.lost);
		allocation_free(&a);
		sensitivity_free(table);
		search_free(s);
	}
}

// ---- how noisy the gradient is ----

// By samples whose values count one decision's option, the variance is known: per logit, of (v - mean v)(1[o] - q).
static void variance_is_that_of_a_samples_gradient(void **state)
{
	(void)state;
	struct search *s = search_of("net=resnet8 data=none space=int4,int8 steps=10", NULL);
	const struct policy *policy = s->lane[0].policy;
	const struct partition *p = s->lane[0].partition;
	const int slots = s->shared.space->slots, wide = p->decision[0].options - 1;
	enum { SAMPLES = 4 };
	uint8_t *choice = calloc((size_t)(SAMPLES * slots), 1);
	const double value[SAMPLES] = {1, 3, 2, 6}, mean = 3;
	double wanted = 0;
	choice[1 * slots] = choice[3 * slots] = (uint8_t)wide;
	for (int i = 0; i < SAMPLES; i++)
		partition_spread(p, choice + i * slots);
	for (int d = 0; d < p->decisions; d++)
		for (int o = 0; o < p->decision[d].options; o++) {
			double g[SAMPLES], first = 0, spread = 0;
			for (int i = 0; i < SAMPLES; i++) {
				g[i] = (value[i] - mean) *
					((choice[i * slots + p->decision[d].first] == o) -
						(double)policy_probabilities(policy, d)[o]);
				first += g[i] / SAMPLES;
			}
			for (int i = 0; i < SAMPLES; i++)
				spread += (g[i] - first) * (g[i] - first);
			wanted += spread / (SAMPLES - 1);
		}
	assert_true(wanted > 0 && fabs(policy_variance(policy, SAMPLES, choice, value) - wanted) < 1e-9 * wanted);
	assert_true(isnan(policy_variance(policy, 1, choice, value)));
	free(choice);
	search_free(s);
}

// On a table that adds up, the model takes nearly all of it; a search says so, and so does one that comes from its state.
static void the_model_takes_most_of_the_variance(void **state)
{
	(void)state;
	struct search *s = search_of(
		"net=resnet18 data=none sensitivity=hawq space=int4,int6,int8 target.bops=0.4x steps=2000 front-every=0", NULL);
	const struct lane *lane = &s->lane[0];
	struct fault f;
	assert_true(isnan(lane->variance) && isnan(lane->variance_left));
	while (search_steps_done(s) < 400)
		assert_true(search_step(s, &f));
	assert_true(lane->variance > 0 && lane->variance_left > 0 && lane->variance_left < 0.2 * lane->variance);
	struct state *kept = saved(s);
	struct search *again = search_of(
		"net=resnet18 data=none sensitivity=hawq space=int4,int6,int8 target.bops=0.4x steps=2000 front-every=0", kept);
	assert_true(again->lane[0].variance == lane->variance && again->lane[0].variance_left == lane->variance_left);
	state_free(kept);
	search_free(again);
	search_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worths_are_found),
		cmocka_unit_test(one_step_is_exact),
		cmocka_unit_test(blocks_do_as_well),
		cmocka_unit_test(what_rests_is_left_out),
		cmocka_unit_test(worths_follow_the_partition),
		cmocka_unit_test(the_expected_gradient_stays),
		cmocka_unit_test(errors_by_gradients),
		cmocka_unit_test(hints_are_believed_as_far_as_they_hold),
		cmocka_unit_test(results_are_the_likeliest),
		cmocka_unit_test(results_by_repair),
		cmocka_unit_test(allocation_on_what_was_learned),
		cmocka_unit_test(variance_is_that_of_a_samples_gradient),
		cmocka_unit_test(the_model_takes_most_of_the_variance),
	};
	return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
