// SPDX-License-Identifier: GPL-3.0-or-later
// A path through a larger network is, bit for bit, the network that its model would be alone: forward, backward, updated, calibrated.
// Which number of the whole is which of the path is worked out here once more, by plain loops.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/blueprint.h"
#include "engine/nn/node.h"
#include "engine/tensor/rng.h"

static struct fault fault;

// ---- networks to cut from each other ---------------------------------------------------------------------------------------

// A network of which every size may be smaller.
struct sizes {
	int side, width, kernel, depthwise, even, grouped, blocks, hidden;
};

static int normed(struct model *m, const char *layer, int in, int channels, struct window w, int groups, enum act act)
{
	return model_norm(m, model_conv(m, layer, in, channels, w, groups, false), act);
}

// Blocks of all sorts of layers, gates, groups and biases; sums whose operands have one width.
static struct model *mobile(struct sizes s)
{
	struct model *m = model_new("mobile", (struct shape){s.side, s.side, 3}, 10);
	int c = s.width, x = normed(m, "stem", 0, c, window_of(s.kernel, 2), 1, ACT_SWISH);
	for (int b = 0; b < s.blocks; b++) {
		char name[4][MODEL_NAME];
		for (int i = 0; i < 4; i++)
			snprintf(name[i], sizeof name[i], "b%d.%d", b, i);
		int in = x, inner = s.hidden;
		x = normed(m, name[0], in, inner, window_of(1, 1), 1, ACT_RELU6);
		x = normed(m, name[1], x, inner, window_of(s.depthwise, 1), inner, ACT_SWISH);
		int gate = model_act(m, model_linear(m, name[2], model_pool(m, x), inner), ACT_SIGMOID);
		x = model_scale(m, x, gate);
		x = model_add(m, normed(m, name[3], x, c, window_of(1, 1), 1, ACT_NONE), in, ACT_NONE);
	}
	x = model_act(m, model_conv(m, "even", x, c + 1, window_of(s.even, 1), 1, true), ACT_RELU);
	x = model_act(m, model_conv(m, "biased", x, s.grouped, window_of(1, 1), 1, true), ACT_RELU);
	x = model_conv(m, "each", x, s.grouped, window_of(s.depthwise, 2), s.grouped, true);
	model_linear(m, "head", model_pool(m, x), 10);
	return model_finish(m, &fault);
}

static struct model *transformer(struct sizes s)
{
	struct model *m = model_new("transformer", (struct shape){s.side, s.side, 3}, 10);
	int x = model_tokens(m, model_conv(m, "patch", 0, s.width, (struct window){4, 4, 4, 0, 0, 0}, 1, true));
	for (int b = 0; b < s.blocks; b++) {
		char name[4][MODEL_NAME];
		for (int i = 0; i < 4; i++)
			snprintf(name[i], sizeof name[i], "b%d.%d", b, i);
		int y = model_attention(m, model_linear(m, name[0], model_layernorm(m, x), 3 * s.width), s.width / 8);
		x = model_add(m, x, model_linear(m, name[1], y, s.width), ACT_NONE);
		y = model_act(m, model_linear(m, name[2], model_layernorm(m, x), s.hidden), ACT_GELU);
		x = model_add(m, x, model_linear(m, name[3], y, s.width), ACT_NONE);
	}
	model_linear(m, "head", model_first(m, x), 10);
	return model_finish(m, &fault);
}

static struct model *named(const char *name, int side)
{
	struct model *m = model_named(name, (struct shape){side, side, 3}, 10, &fault);
	if (!m)
		fail_msg("%s: %s", fault.where, fault.what);
	return m;
}

struct cut {
	const char *name;
	struct model *(*make)(struct sizes); // else by names
	struct sizes whole, used;
	const char *whole_name, *used_name;
	int whole_side, used_side;
};

#define MOBILE(what, ...)                                                                                                        \
	{                                                                                                                        \
		.name = what, .make = mobile, .whole = {16, 24, 7, 5, 4, 18, 3, 40}, .used = { __VA_ARGS__ }                     \
	}
#define TRANSFORMER(what, ...)                                                                                                   \
	{                                                                                                                        \
		.name = what, .make = transformer, .whole = {16, 32, 0, 0, 0, 0, 2, 48}, .used = { __VA_ARGS__ }                 \
	}
static const struct cut cuts[] = {
	MOBILE("the whole itself", 16, 24, 7, 5, 4, 18, 3, 40),
	MOBILE("width", 16, 16, 7, 5, 4, 18, 3, 40),
	MOBILE("odd width", 16, 17, 7, 5, 4, 13, 3, 33),
	MOBILE("kernel 5 in 7", 16, 24, 5, 5, 4, 18, 3, 40),
	MOBILE("kernel 3 in 7", 16, 24, 3, 5, 4, 18, 3, 40),
	MOBILE("depthwise 3 in 5", 16, 24, 7, 3, 4, 18, 3, 40),
	MOBILE("kernel 2 in 4", 16, 24, 7, 5, 2, 18, 3, 40),
	MOBILE("kernel 4 in 7", 16, 24, 4, 5, 4, 18, 3, 40),
	MOBILE("depthwise 2 in 5, kernel 3 in 4", 16, 24, 7, 2, 3, 18, 3, 40),
	MOBILE("fewer blocks", 16, 24, 7, 5, 4, 18, 1, 40),
	MOBILE("narrower inside", 16, 24, 7, 5, 4, 18, 3, 24),
	MOBILE("smaller images", 11, 24, 7, 5, 4, 18, 3, 40),
	MOBILE("all of it", 13, 10, 3, 3, 2, 7, 2, 19),
	TRANSFORMER("transformer", 16, 32, 0, 0, 0, 0, 2, 48),
	TRANSFORMER("transformer, cut", 12, 24, 0, 0, 0, 0, 1, 40),
	{.name = "resnet8", .whole_name = "resnet8", .used_name = "resnet8:width=0.5", .whole_side = 12, .used_side = 12},
	{.name = "mobilenetv2",
		.whole_name = "mobilenetv2:width=0.5",
		.used_name = "mobilenetv2:width=0.35",
		.whole_side = 16,
		.used_side = 8},
};
enum { WHOLE = 0, ALL_OF_IT = 12, SMALL_TRANSFORMER = 14, MOBILENETV2 = 16 };
enum { CUTS = sizeof cuts / sizeof *cuts, BATCH = 7, MOST_LAYERS = 512, SETS = 3 };

static struct model *whole_of(const struct cut *c)
{
	return c->make ? c->make(c->whole) : named(c->whole_name, c->whole_side);
}

static struct model *used_of(const struct cut *c)
{
	return c->make ? c->make(c->used) : named(c->used_name, c->used_side);
}

// ---- a path and its model alone ----------------------------------------------------------------------------------------------

struct pair {
	const char *name;
	struct team *team, *other; // the path's, the lone network's
	const struct model *whole;
	struct path path;
	struct network *net, *alone;
	struct network *plain; // of the whole without paths: where it keeps what
	struct layer_plan layer[MOST_LAYERS];
	struct plan plan, alone_plan;
	struct quantization q;
	long *map; // [alone->parameters]: the number of the whole that it is; -1: a gap
};

static int find_key(const struct model *m, uint64_t key)
{
	for (int i = 0; i < m->ops; i++)
		if (m->op[i].key == key)
			return i;
	fail_msg("no such operator");
	return -1;
}

// Numbers 0..count of rows `row` apart in the whole, `n` in the path.
static void map_rows(struct pair *p, long to, long from, long rows, int n, int all)
{
	for (long r = 0; r < rows; r++)
		for (int j = 0; j < n; j++)
			p->map[to + r * n + j] = from + r * all + j;
}

static void map_weights(struct pair *p, const struct node *to, const struct node *from)
{
	bool conv = to->op->kind == OP_CONV;
	struct window w = to->op->window, all = from->op->window;
	int rows = conv ? w.h : 1, columns = conv ? w.w : 1, all_columns = conv ? all.w : 1;
	int top = conv ? (all.h - 1) / 2 - (w.h - 1) / 2 : 0, left = conv ? (all.w - 1) / 2 - (w.w - 1) / 2 : 0;
	int inputs = conv ? to->in.c / to->op->groups : to->in.c, all_inputs = conv ? from->in.c / from->op->groups : from->in.c;
	for (int r = 0; r < rows; r++)
		for (int c = 0; c < columns; c++)
			map_rows(p, to->weights + ((long)r * columns + c) * inputs * to->out.c,
				from->weights + ((long)(r + top) * all_columns + c + left) * all_inputs * from->out.c, inputs,
				to->out.c, from->out.c);
}

static void make_map(struct pair *p)
{
	const struct model *m = p->path.model;
	p->map = malloc((size_t)p->alone->parameters * sizeof *p->map);
	assert_non_null(p->map);
	for (long i = 0; i < p->alone->parameters; i++)
		p->map[i] = -1;
	for (int i = 0; i < m->ops; i++) {
		const struct node *to = &p->alone->node[i];
		enum op_kind kind = m->op[i].kind;
		if (kind != OP_CONV && kind != OP_LINEAR && kind != OP_NORM && kind != OP_LAYERNORM && kind != OP_TOKENS)
			continue;
		const struct node *from = &p->plain->node[find_key(p->whole, m->op[i].key)];
		int c = to->out.c, all = from->out.c;
		if (m->op[i].layer >= 0)
			map_weights(p, to, from);
		if (m->op[i].layer < 0 || m->op[i].bias)
			map_rows(p, to->bias, from->bias, kind == OP_TOKENS ? to->out.h : 1, c, all);
		if (m->op[i].layer < 0)
			map_rows(p, to->gain, from->gain, 1, c, all);
		for (int s = 0; kind == OP_NORM && s < p->alone->sets; s++)
			map_rows(p, norm_own(to, s), norm_own(from, s), 2, c, all);
	}
}

static struct network *network_of(const struct model *m, const struct path *path, int sets, struct team *team)
{
	struct network *net = network_new(m, path, BATCH, NETWORK_SECOND_MOMENTS | NETWORK_AVERAGE, sets, team, &fault);
	assert_non_null(net);
	return net;
}

// The numbers of the whole at places of the map, and of layers' ranges, into the lone network.
static void take_numbers(struct pair *p)
{
	struct network_array from[NETWORK_ARRAYS], to[NETWORK_ARRAYS];
	int arrays = network_arrays(p->net, from);
	assert_int_equal(network_arrays(p->alone, to), arrays);
	for (int a = 0; a < arrays; a++)
		for (long i = 0; to[a].count == p->alone->parameters && i < to[a].count; i++)
			if (p->map[i] >= 0)
				to[a].data[i] = from[a].data[p->map[i]];
	for (int s = 0; s < (p->net->sets ? p->net->sets : 1); s++)
		for (int l = 0; l < p->path.model->layers; l++)
			p->alone->ranges[s * p->path.model->layers + l] = p->net->ranges[s * p->whole->layers + p->path.layer[l]];
}

// Formats of all sorts, by the layer of the whole.
static void set_formats(struct pair *p, int way)
{
	static const char *const formats[] = {"int4", "fp32", "e4m3", "int8", "int3"};
	for (int l = 0; l < p->path.model->layers; l++) {
		p->layer[l].weight = format_named(formats[(p->path.layer[l] + way) % 5]);
		p->layer[l].activation = format_named(formats[(p->path.layer[l] + 2 * way) % 5]);
	}
}

static void close_alone(struct pair *p)
{
	network_free(p->alone);
	free(p->map);
}

// The path is settled anew, or for the first time.
static void open_alone(struct pair *p, int sets)
{
	assert_in_range(p->whole->layers, 1, MOST_LAYERS);
	p->alone = network_of(p->path.model, NULL, sets, p->other);
	p->plan = (struct plan){p->path.model, p->layer, &p->path};
	p->alone_plan = (struct plan){.model = p->path.model, .layer = p->layer};
	make_map(p);
	set_formats(p, 0);
}

static void move_off(struct network *net) // numbers that begin at 0 or 1, and what is kept beside the weights
{
	struct network_array array[NETWORK_ARRAYS];
	int arrays = network_arrays(net, array);
	for (int a = 0; a < arrays; a++)
		for (long i = 0; i < array[a].count; i++) {
			float v = (float)rng_normal(rng_key(3, array[a].name, 0), (uint64_t)i) / 8;
			array[a].data[i] = a == 0 ? array[a].data[i] + v : a == 2 ? 1 + fabsf(v) : a == 3 ? v * v : v;
		}
}

static struct pair *pair_open(const char *name, const struct model *whole, struct model *used, int sets, int threads)
{
	struct pair *p = calloc(1, sizeof *p);
	assert_non_null(p);
	p->name = name;
	p->whole = whole;
	p->path.whole = whole;
	p->q = (struct quantization){RANGE_MAX, 99, true, true, BLOCK_SCALE_FLOOR, false, GRADIENTS_FP32};
	assert_non_null(p->team = team_new(threads, &fault));
	assert_non_null(p->other = team_new(2, &fault));
	if (used && !path_settle(&p->path, used, &fault))
		fail_msg("%s: %s", fault.where, fault.what);
	p->plain = network_of(whole, NULL, sets, p->other);
	return p;
}

static void pair_start(struct pair *p, int sets)
{
	p->net = network_of(p->whole, &p->path, sets, p->team);
	network_initialise(p->net, 7);
	move_off(p->net);
	open_alone(p, sets);
}

static struct pair *pair_of(const struct cut *c, int sets, int threads)
{
	struct pair *p = pair_open(c->name, whole_of(c), used_of(c), sets, threads);
	pair_start(p, sets);
	return p;
}

static void pair_free(struct pair *p)
{
	close_alone(p);
	network_free(p->net);
	network_free(p->plain);
	team_free(p->team);
	team_free(p->other);
	path_free(&p->path);
	free(p);
}

static void cut_free(struct pair *p)
{
	struct model *whole = (struct model *)p->whole;
	pair_free(p);
	model_free(whole);
}

static void fill_input(struct network *net, int turn)
{
	float *x = network_input(net);
	for (long i = 0; i < BATCH * shape_size(net->model->op[0].out); i++)
		x[i] = (float)rng_normal(rng_key(5, "images", (uint64_t)turn), (uint64_t)i);
}

static void same(const struct pair *p, const char *what, const void *a, const void *b, size_t bytes)
{
	if (memcmp(a, b, bytes) != 0)
		fail_msg("%s: another %s", p->name, what);
}

static const uint16_t label[BATCH] = {1, 2, 3, 4, 5, 6, 7};

static float *forward(struct network *net, const struct plan *plan, const struct quantization *q, enum pass pass, int turn,
	struct calibration *c)
{
	if (!network_settle(net, plan, &fault))
		fail_msg("%s: %s", fault.where, fault.what);
	fill_input(net, turn);
	network_forward(net, plan, q, pass, BATCH, c);
	return (float *)network_logits(net);
}

static void both_forward(struct pair *p, enum pass pass, int turn, struct calibration *c, struct calibration *alone)
{
	const float *a = forward(p->net, &p->plan, &p->q, pass, turn, c);
	const float *b = forward(p->alone, &p->alone_plan, &p->q, pass, turn, alone);
	same(p, "output", a, b, BATCH * 10 * sizeof *a);
}

static void both_backward(struct pair *p)
{
	struct loss a = network_loss(p->net, label, BATCH, .1), b = network_loss(p->alone, label, BATCH, .1);
	assert_true(isfinite(a.mean) && a.mean == b.mean && a.correct == b.correct);
	network_backward(p->net);
	network_backward(p->alone);
	same(p, "gradient", network_gradient(p->net), network_gradient(p->alone), (size_t)p->alone->parameters * sizeof(float));
}

struct kept {
	struct network_array now[NETWORK_ARRAYS];
	float *was[NETWORK_ARRAYS];
	int arrays;
};

static struct kept keep(struct network *net)
{
	struct kept k = {.arrays = network_arrays(net, k.now)};
	for (int a = 0; a < k.arrays; a++) {
		size_t bytes = (size_t)k.now[a].count * sizeof(float);
		assert_non_null(k.was[a] = malloc(bytes + 1));
		memcpy(k.was[a], k.now[a].data, bytes);
	}
	return k;
}

// What the map has is as in the lone network; what it lacks is as it was. Returns how many numbers were moved.
static long check_kept(struct pair *p, struct kept *k)
{
	struct network_array alone[NETWORK_ARRAYS];
	long moved = 0;
	bool *used = calloc((size_t)p->net->parameters, sizeof *used);
	assert_non_null(used);
	network_arrays(p->alone, alone);
	for (long i = 0; i < p->alone->parameters; i++)
		if (p->map[i] >= 0)
			used[p->map[i]] = true;
	for (int a = 0; a < k->arrays; a++) {
		if (a == 2)
			continue;
		for (long i = 0; i < p->alone->parameters; i++)
			if (p->map[i] >= 0 && memcmp(&alone[a].data[i], &k->now[a].data[p->map[i]], sizeof(float)) != 0)
				fail_msg("%s: %s [%ld]: %.9g, alone %.9g", p->name, k->now[a].name, i,
					(double)k->now[a].data[p->map[i]], (double)alone[a].data[i]);
		for (long i = 0; i < k->now[a].count; i++) {
			bool moves = memcmp(&k->was[a][i], &k->now[a].data[i], sizeof(float)) != 0;
			if (moves && !used[i])
				fail_msg("%s: %s [%ld] was moved, and is not in use", p->name, k->now[a].name, i);
			moved += moves;
		}
	}
	for (int s = 0; s < (p->net->sets ? p->net->sets : 1); s++)
		for (int l = 0; l < p->whole->layers; l++) {
			int at = p->path.at[l];
			float now = p->net->ranges[s * p->whole->layers + l];
			assert_true(now ==
				(at < 0 ? k->was[2][s * p->whole->layers + l]
					: p->alone->ranges[s * p->path.model->layers + at]));
		}
	free(used);
	return moved;
}

static void drop(struct kept *k)
{
	for (int a = 0; a < k->arrays; a++)
		free(k->was[a]);
}

static struct optimizer optimizer_of(int way)
{
	return (struct optimizer){.kind = way % 2 ? OPTIMIZER_ADAMW : OPTIMIZER_SGD,
		.rate = way % 2 ? .003 : .05,
		.momentum = .9,
		.beta2 = .99,
		.decay = .1,
		.clip = way % 4 < 2 ? .3 : 0,
		.average = .9};
}

// ---- the path is the network alone ---------------------------------------------------------------------------------------------

static void train_steps(struct pair *p, int way, int steps)
{
	static const enum range_kind ranges[] = {RANGE_MAX, RANGE_EMA, RANGE_PERCENTILE, RANGE_MSE};
	uint8_t set[MOST_LAYERS] = {0}, alone_set[MOST_LAYERS] = {0};
	struct optimizer o = optimizer_of(way);
	network_use_sets(p->net, set);
	network_use_sets(p->alone, alone_set);
	for (int step = 0; step < steps; step++) {
		for (int l = 0; l < p->whole->layers; l++)
			set[l] = (uint8_t)((l + step) % SETS);
		for (int l = 0; l < p->path.model->layers; l++)
			alone_set[l] = set[p->path.layer[l]];
		if (!p->net->sets) {
			network_use_sets(p->net, NULL);
			network_use_sets(p->alone, NULL);
		}
		p->q.range = ranges[(way + step) % 4];
		p->q.per_channel = (way + step) % 3;
		set_formats(p, way + step);
		both_forward(p, PASS_TRAIN, step, NULL, NULL);
		struct kept kept = keep(p->net);
		both_backward(p);
		double length = network_update(p->net, &o, step);
		assert_true(isfinite(length) && length == network_update(p->alone, &o, step));
		assert_true(o.clip == 0 || length > o.clip);
		long used = 0;
		for (long i = 0; i < p->alone->parameters; i++)
			used += p->map[i] >= 0;
		assert_true(check_kept(p, &kept) > used); // weights and momentum at least
		drop(&kept);
	}
	network_use_sets(p->net, NULL);
	network_use_sets(p->alone, NULL);
}

static void trained_as_alone(void **state)
{
	(void)state;
	for (int c = 0; c < CUTS; c++)
		for (int way = 0; way < 4; way++) {
			struct pair *p = pair_of(&cuts[c], way % 3 ? SETS : 0, 1 + way % 3);
			take_numbers(p);
			train_steps(p, way, 4);
			cut_free(p);
		}
}

// Passes that are not for training, ranges, near edges, errors.
static void scored_as_alone(void **state)
{
	(void)state;
	const int format[] = {format_named("int3"), format_named("int4"), format_named("e4m3")};
	for (int c = 0; c < CUTS; c++) {
		struct pair *p = pair_of(&cuts[c], 0, 2);
		int layers = p->path.model->layers;
		take_numbers(p);
		struct calibration *a = calibration_new(p->net, &fault), *b = calibration_new(p->alone, &fault);
		struct errors *of = errors_new(p->net, format, 3, &fault), *alone = errors_new(p->alone, format, 3, &fault);
		assert_true(a && b && of && alone);
		for (int average = 0; average < 2; average++) {
			network_use_average(p->net, average);
			network_use_average(p->alone, average);
			calibration_clear(a);
			calibration_clear(b);
			both_forward(p, PASS_SAMPLE, 0, NULL, NULL);
			for (int i = 0; i < 2; i++)
				both_forward(p, PASS_CALIBRATE, i, a, b);
			both_forward(p, PASS_FIXED, 3, a, b);
			float share[MOST_LAYERS], alone_share[MOST_LAYERS];
			network_near_edges(p->net, &p->plan, &p->q, share);
			network_near_edges(p->alone, &p->alone_plan, &p->q, alone_share);
			for (int l = 0; l < p->whole->layers; l++) {
				int at = p->path.at[l];
				float peak = network_weight_peak(p->net, l), range = calibration_range(a, l);
				assert_true(at < 0 ? isnan(share[l]) : share[l] == alone_share[at]);
				assert_true(peak == (at < 0 ? 0 : network_weight_peak(p->alone, at)));
				assert_true(range == (at < 0 ? 0 : calibration_range(b, at)));
			}
		}
		network_use_average(p->net, false);
		network_use_average(p->alone, false);
		network_watch_errors(p->net, of, 2, 1);
		network_watch_errors(p->alone, alone, 2, 1);
		both_forward(p, PASS_TRAIN, 4, NULL, NULL);
		both_backward(p);
		double size = 0;
		for (int i = 0; i < p->whole->layers * 3 * ERRORS; i++) {
			int at = p->path.at[i / (3 * ERRORS)];
			double value = errors_values(of)[i];
			assert_true(value == (at < 0 ? 0 : errors_values(alone)[at * 3 * ERRORS + i % (3 * ERRORS)]));
			size += fabs(value);
		}
		assert_true(size > 0 && layers > 1);
		calibration_free(a);
		calibration_free(b);
		errors_free(of);
		errors_free(alone);
		cut_free(p);
	}
}

// ---- from path to path -----------------------------------------------------------------------------------------------------------

// One network goes from each path to the next and trains there, each time as the lone network does; memory grows on the way and is used
// again.
static void one_path_after_another(void **state)
{
	(void)state;
	static const int order[] = {ALL_OF_IT, 1, 5, WHOLE, 11, 9, ALL_OF_IT, 3};
	struct pair *p = pair_open("one path after another", whole_of(&cuts[WHOLE]), used_of(&cuts[ALL_OF_IT]), SETS, 2);
	pair_start(p, SETS);
	for (int i = 0; i < (int)(sizeof order / sizeof *order); i++) {
		if (i > 0) {
			close_alone(p);
			assert_true(path_settle(&p->path, used_of(&cuts[order[i]]), &fault));
			open_alone(p, SETS);
		}
		take_numbers(p);
		train_steps(p, i, 2);
	}
	cut_free(p);
}

// Every other step another path is looked at: what is trained, and every gradient, are those of a network that never left its path.
static void looking_aside_changes_nothing(void **state)
{
	(void)state;
	for (int side = 1; side <= ALL_OF_IT; side++) {
		struct pair *p = pair_of(&cuts[ALL_OF_IT], 0, 2), *stays = pair_of(&cuts[ALL_OF_IT], 0, 3);
		struct path other = {.whole = p->whole};
		struct layer_plan layer[MOST_LAYERS] = {0};
		assert_true(path_settle(&other, used_of(&cuts[side]), &fault));
		const struct plan plan = {other.model, layer, &other};
		struct optimizer o = optimizer_of(side);
		for (int step = 0; step < 4; step++) {
			if (step % 2)
				forward(p->net, &plan, &p->q, PASS_SAMPLE, 9, NULL);
			struct network *net[2] = {p->net, stays->net};
			for (int i = 0; i < 2; i++) {
				forward(net[i], i ? &stays->plan : &p->plan, &p->q, PASS_TRAIN, step, NULL);
				network_loss(net[i], label, BATCH, 0);
				network_backward(net[i]);
				network_update(net[i], &o, step);
			}
			same(p, "gradient", net[0]->gradient, net[1]->gradient, (size_t)net[0]->gradients * sizeof(float));
		}
		struct network_array a[NETWORK_ARRAYS], b[NETWORK_ARRAYS];
		int arrays = network_arrays(p->net, a);
		network_arrays(stays->net, b);
		for (int i = 0; i < arrays; i++)
			same(p, a[i].name, a[i].data, b[i].data, (size_t)a[i].count * sizeof(float));
		path_free(&other);
		cut_free(p);
		cut_free(stays);
	}
}

// Neither a plan for the path that runs nor a plan without a path lays anything out; memory for smaller paths is there already.
static void laid_out_once(void **state)
{
	(void)state;
	struct pair *p = pair_of(&cuts[WHOLE], 0, 1);
	const struct node *node = p->net->node;
	const float *x = network_input(p->net);
	struct path small = {.whole = p->whole};
	assert_true(path_settle(&small, used_of(&cuts[ALL_OF_IT]), &fault));
	struct plan plan = {small.model, p->layer, &small};
	network_input(p->net)[0] = 42;
	node[0].x[1] = 43;
	struct node first = node[1];
	assert_true(network_settle(p->net, &p->plan, &fault));
	assert_memory_equal(&first, &node[1], sizeof first);
	assert_true(x[0] == 42 && network_settle(p->net, &plan, &fault));
	assert_true(p->net->node == node && network_input(p->net) == x);
	assert_int_equal(p->net->model->op[0].out.h, 13);
	struct node alone = p->alone->node[1];
	assert_true(network_settle(p->alone, &p->alone_plan, &fault));
	assert_memory_equal(&alone, &p->alone->node[1], sizeof alone);
	path_free(&small);
	cut_free(p);
}

// ---- gradients -------------------------------------------------------------------------------------------------------------------

static double loss_of(struct pair *p)
{
	forward(p->net, &p->plan, &p->q, PASS_TRAIN, 0, NULL);
	return network_loss(p->net, label, BATCH, 0).mean;
}

// Along a direction that lies half along the gradient of a parameter of the path and half anywhere, the whole's numbers being moved.
static void gradients_of_slices(void **state)
{
	(void)state;
	const double STEP = 5e-3;
	for (int c = ALL_OF_IT; c < MOBILENETV2; c++) { // which has norms of single pixels: far too steep
		struct pair *p = pair_of(&cuts[c], 0, 2);
		for (int l = 0; l < p->path.model->layers; l++)
			p->layer[l] = (struct layer_plan){format_named("fp32"), format_named("fp32")};
		network_initialise(p->net, 7);
		loss_of(p);
		network_backward(p->net);
		long size = p->net->gradients;
		float *gradient = malloc((size_t)size * sizeof *gradient);
		assert_non_null(gradient);
		memcpy(gradient, network_gradient(p->net), (size_t)size * sizeof *gradient);
		struct kept kept = keep(p->net);
		int checked = 0;
		for (int k = 0; k < p->alone->parameter_count; k++) {
			const struct parameter *of = &p->alone->parameter[k];
			double length = 0, dot = 0, side[2];
			for (long i = of->at; i < of->at + of->count; i++)
				length += pow((double)gradient[i], 2);
			length = sqrt(length);
			if (length < 1e-5) // swallowed by a norm behind it
				continue;
			for (int s = 0; s < 2; s++) {
				dot = 0;
				for (long i = of->at; i < of->at + of->count; i++) {
					double g = (double)gradient[i];
					double d = .7 * g / length + .7 * rng_normal(9, (uint64_t)i) / sqrt((double)of->count);
					dot += d * g;
					p->net->trained[p->map[i]] = kept.was[0][p->map[i]] + (float)((s ? -STEP : STEP) * d);
				}
				side[s] = loss_of(p);
			}
			memcpy(p->net->trained, kept.was[0], (size_t)p->net->parameters * sizeof(float));
			double numeric = (side[0] - side[1]) / (2 * STEP);
			if (!(fabs(numeric - dot) <= .05 * length))
				fail_msg("%s, parameter %d: slope %.6g, by the gradient %.6g (of length %.6g)", p->name, k,
					numeric, dot, length);
			checked++;
		}
		assert_true(checked > p->path.model->layers);
		drop(&kept);
		free(gradient);
		cut_free(p);
	}
}

// ---- spaces by their names ---------------------------------------------------------------------------------------------------------

static void choose(const struct blueprint *b, int draw, struct path *path)
{
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	uint8_t option[SLOTS_MOST];
	for (int i = 0; i < slots; i++)
		option[i] = (uint8_t)rng_below(rng_key(1, "draw", (uint64_t)draw), (uint64_t)i, (uint64_t)slot[i].options);
	if (!blueprint_settle(b, option, path, &fault))
		fail_msg("%s: %s", fault.where, fault.what);
}

static void random_choices_of_spaces(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int side;
	} spaces[] = {{"mobilenetv2-nas:width=0.35,filters=search", 8}, {"resnet-nas", 8}, {"efficientnet-x-nas:width=0.25", 16},
		{"resnet-nas:sides=search", 32}};
	for (int s = 0; s < 4; s++) {
		int sets = s == 1 ? SETS : 0;
		struct blueprint *b = blueprint_named(spaces[s].name, (struct shape){spaces[s].side, spaces[s].side, 3}, 10,
			&fault);
		assert_non_null(b);
		struct pair *p = pair_open(spaces[s].name, blueprint_whole(b), NULL, sets, 2);
		for (int draw = 0; draw < 6; draw++) {
			if (draw > 0)
				close_alone(p);
			choose(b, draw, &p->path);
			if (draw == 0)
				pair_start(p, sets);
			else
				open_alone(p, sets);
			take_numbers(p);
			train_steps(p, draw, 2);
		}
		pair_free(p);
		blueprint_free(b);
	}
}

// ---- what is no path -----------------------------------------------------------------------------------------------------------------

static void larger_than_the_whole(void **state)
{
	(void)state;
	static const struct sizes wrong[] = {{16, 25, 7, 5, 4, 18, 3, 40}, {16, 24, 8, 5, 4, 18, 3, 40},
		{16, 24, 7, 6, 4, 18, 3, 40}, {16, 24, 7, 5, 5, 18, 3, 40}, {16, 24, 7, 5, 4, 19, 3, 40},
		{16, 24, 7, 5, 4, 18, 4, 40}, {16, 24, 7, 5, 4, 18, 3, 41}};
	struct model *whole = whole_of(&cuts[WHOLE]), *patches = whole_of(&cuts[SMALL_TRANSFORMER]), *plain, *biased;
	for (int i = 0; i < 7; i++) {
		struct path path = {.whole = whole};
		assert_false(path_settle(&path, mobile(wrong[i]), &fault));
		assert_true(strstr(fault.what, "not part of the whole") && path.id == 0 && !path.model);
		path_free(&path);
	}
	struct path path = {.whole = whole}; // what was settled before stays
	assert_true(path_settle(&path, used_of(&cuts[ALL_OF_IT]), &fault));
	const struct model *before = path.model;
	int op[512], ops = before->ops, at[MOST_LAYERS];
	uint64_t id = path.id;
	memcpy(op, path.op, (size_t)ops * sizeof *op);
	memcpy(at, path.at, (size_t)whole->layers * sizeof *at);
	assert_false(path_settle(&path, mobile(wrong[6]), &fault));
	assert_true(path.model == before && path.id == id);
	assert_memory_equal(op, path.op, (size_t)ops * sizeof *op);
	assert_memory_equal(at, path.at, (size_t)whole->layers * sizeof *at);
	path_free(&path);
	path = (struct path){.whole = patches};
	assert_false(path_settle(&path, transformer((struct sizes){20, 32, 0, 0, 0, 0, 2, 48}), &fault)); // more tokens
	path_free(&path);
	plain = model_new("plain", (struct shape){4, 4, 3}, 5);
	model_conv(plain, "a", 0, 5, window_of(3, 1), 1, false);
	biased = model_new("biased", (struct shape){4, 4, 3}, 5);
	model_conv(biased, "a", 0, 5, window_of(3, 1), 1, true);
	path = (struct path){.whole = plain};
	assert_false(path_settle(&path, biased, &fault));
	path_free(&path);
	model_free(plain);
	model_free(whole);
	model_free(patches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trained_as_alone),
		cmocka_unit_test(scored_as_alone),
		cmocka_unit_test(one_path_after_another),
		cmocka_unit_test(looking_aside_changes_nothing),
		cmocka_unit_test(laid_out_once),
		cmocka_unit_test(gradients_of_slices),
		cmocka_unit_test(random_choices_of_spaces),
		cmocka_unit_test(larger_than_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
