// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/networks.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/tensor/rng.h"

void arrangement_free(struct arrangement *t)
{
	if (!t)
		return;
	free(t->index);
	free(t->constant);
	free(t);
}

void model_free(struct model *m)
{
	if (!m)
		return;
	for (int i = 0; i < m->arrangements; i++)
		arrangement_free(m->arrangement[i]);
	free(m->arrangement);
	free(m->unknown);
	free(m->op);
	free(m->layer);
	free(m);
}

static struct arrangement *arrangement_copy(const struct arrangement *from)
{
	struct arrangement *to = malloc(sizeof *to);
	if (!to)
		return NULL;
	*to = *from;
	to->index = malloc((size_t)from->count * sizeof *to->index + 1);
	to->constant = malloc((size_t)from->constants * sizeof *to->constant + 1);
	if (!to->index || !to->constant) {
		arrangement_free(to);
		return NULL;
	}
	memcpy(to->index, from->index, (size_t)from->count * sizeof *to->index);
	memcpy(to->constant, from->constant, (size_t)from->constants * sizeof *to->constant);
	return to;
}

// Gives a copy's operators arrangements of its own.
static bool copy_arrangements(struct model *to, const struct model *from)
{
	to->arrangements = 0;
	to->arrangement = malloc((size_t)from->arrangements * sizeof *to->arrangement + 1);
	for (int i = 0; to->arrangement && i < from->arrangements; i++) {
		struct arrangement *a = arrangement_copy(from->arrangement[i]);
		if (!a)
			return false;
		for (int op = 0; op < to->ops; op++)
			if (to->op[op].arrangement == from->arrangement[i])
				to->op[op].arrangement = a;
		to->arrangement[to->arrangements++] = a;
	}
	return to->arrangement != NULL;
}

struct model *model_copy(const struct model *m)
{
	struct model *copy = malloc(sizeof *copy);
	if (!copy)
		return NULL;
	*copy = *m;
	copy->picks = NULL;
	copy->arrangement = NULL;
	copy->arrangements = 0;
	copy->unknown = NULL; // what is copied runs
	copy->unknowns = 0;
	copy->op = malloc((size_t)m->ops * sizeof *copy->op);
	copy->layer = malloc((size_t)m->layers * sizeof *copy->layer + 1);
	if (copy->op)
		memcpy(copy->op, m->op, (size_t)m->ops * sizeof *copy->op);
	if (copy->layer)
		memcpy(copy->layer, m->layer, (size_t)m->layers * sizeof *copy->layer);
	if (copy->op && copy->layer && copy_arrangements(copy, m))
		return copy;
	model_free(copy);
	return NULL;
}

static void *grown(void *array, int count, size_t size)
{
	if (count & (count - 1)) // room is doubled at each power of two
		return array;
	return realloc(array, (size_t)(count ? 2 * count : 1) * size);
}

// Of a layer its name, of another operator its kind and what it reads; where that is taken, the next that is free.
static uint64_t key_of(const struct model *m, const struct op *op, const char *layer)
{
	uint64_t key = layer ? rng_key(0, layer, 0)
			     : rng_mix(rng_key(m->ops ? m->op[op->in[0]].key : 0, model_kind(op->kind), 0));
	for (int i = 0; i < m->ops; i++)
		if (m->op[i].key == key) {
			key = rng_mix(key + 1);
			i = -1;
		}
	return key;
}

// A model whose memory ran out has ops -1.
static int add_op(struct model *m, struct op op, const char *layer)
{
	if (m->ops < 0)
		return -1;
	op.key = key_of(m, &op, layer);
	struct op *room = grown(m->op, m->ops, sizeof *room);
	if (!room) {
		m->ops = -1;
		return -1;
	}
	m->op = room;
	m->op[m->ops] = op;
	return m->ops++;
}

struct model *model_new(const char *name, struct shape input, int classes)
{
	struct model *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	snprintf(m->name, sizeof m->name, "%s", name);
	m->classes = classes;
	add_op(m, (struct op){.kind = OP_INPUT, .out = input, .layer = -1}, NULL);
	return m;
}

struct shape model_shape(const struct model *m, int op)
{
	return m->ops < 0 ? (struct shape){1, 1, 1} : m->op[op].out;
}

bool model_non_negative(const struct model *m, int i)
{
	const struct op *op = &m->op[i];
	switch (op->kind) {
	case OP_SCALE:
	case OP_CONCAT:
		for (int k = 0; k < op->inputs; k++)
			if (!model_non_negative(m, op->in[k]))
				return false;
		return true;
	case OP_POOL:
	case OP_AVERAGE:
	case OP_MAXIMUM:
	case OP_FIRST: return model_non_negative(m, op->in[0]);
	case OP_SOFTMAX: return true;
	case OP_ARRANGE:
		for (int k = 0; op->arrangement && k < op->arrangement->constants; k++)
			if (!(op->arrangement->constant[k] >= 0))
				return false;
		for (int k = 0; k < op->inputs; k++)
			if (!model_non_negative(m, op->in[k]))
				return false;
		return true;
	case OP_FUNCTION: return op->fn == FN_HARD_SIGMOID || op->fn == FN_ABSOLUTE || (op->fn == FN_CLIP && op->alpha >= 0);
	default: return op->act == ACT_RELU || op->act == ACT_RELU6 || op->act == ACT_SIGMOID;
	}
}

static int add_layer(struct model *m, const char *name, struct op op, double weights, double macs, double biases)
{
	if (m->ops < 0)
		return -1;
	struct layer *room = grown(m->layer, m->layers, sizeof *room);
	if (!room) {
		m->ops = -1;
		return -1;
	}
	m->layer = room;
	struct shape in = m->op[op.in[0]].out;
	struct layer *l = &m->layer[m->layers];
	*l = (struct layer){.op = m->ops,
		.in = in,
		.out = op.out,
		.macs = macs,
		.weights = weights,
		.biases = biases,
		.activations = (double)in.h * in.w * in.c,
		.positive = model_non_negative(m, op.in[0]),
		.owner = m->picks ? m->picks->owner : -1,
		.when = m->picks ? m->picks->when : 0};
	snprintf(l->name, sizeof l->name, "%s", name);
	op.layer = m->layers;
	m->layers++;
	return add_op(m, op, name);
}

struct window window_of(int kernel, int stride)
{
	int pad = (kernel - 1) / 2;
	return (struct window){kernel, kernel, stride, pad, pad, kernel - 1 - 2 * pad};
}

static struct shape through(struct shape s, struct window w, int channels)
{
	int h = s.h + 2 * w.pad_h + w.far - w.h, width = s.w + 2 * w.pad_w + w.far - w.w;
	bool fits = w.h > 0 && w.w > 0 && w.stride > 0 && h >= 0 && width >= 0;
	return fits ? (struct shape){h / w.stride + 1, width / w.stride + 1, channels} : (struct shape){0, 0, channels};
}

int model_conv(struct model *m, const char *layer, int in, int channels, struct window w, int groups, bool bias)
{
	struct shape s = model_shape(m, in), out = through(s, w, channels);
	bool divides = groups > 0 && s.c % groups == 0 && channels % groups == 0;
	double weights = divides ? (double)w.h * w.w * (s.c / groups) * channels : 0;
	out.c = divides ? channels : 0;
	return add_layer(m, layer,
		(struct op){.kind = OP_CONV, .in = {in}, .inputs = 1, .out = out, .window = w, .groups = groups, .bias = bias},
		weights, weights * out.h * out.w, bias ? channels : 0);
}

int model_linear(struct model *m, const char *layer, int in, int outputs)
{
	return model_dense(m, layer, in, outputs, true);
}

int model_dense(struct model *m, const char *layer, int in, int outputs, bool bias)
{
	struct shape s = model_shape(m, in);
	double weights = (double)s.c * outputs;
	return add_layer(m, layer,
		(struct op){.kind = OP_LINEAR, .in = {in}, .inputs = 1, .out = {s.h, s.w, outputs}, .bias = bias}, weights,
		weights * s.h * s.w, bias ? outputs : 0);
}

static int add_plain(struct model *m, enum op_kind kind, int in, struct shape out)
{
	return add_op(m, (struct op){.kind = kind, .in = {in}, .inputs = 1, .out = out, .layer = -1}, NULL);
}

int model_norm(struct model *m, int in, enum act act)
{
	return add_op(m,
		(struct op){.kind = OP_NORM, .act = act, .in = {in}, .inputs = 1, .out = model_shape(m, in), .layer = -1}, NULL);
}

int model_layernorm(struct model *m, int in)
{
	return add_plain(m, OP_LAYERNORM, in, model_shape(m, in));
}

int model_act(struct model *m, int in, enum act act)
{
	return add_op(m, (struct op){.kind = OP_ACT, .act = act, .in = {in}, .inputs = 1, .out = model_shape(m, in), .layer = -1},
		NULL);
}

int model_add(struct model *m, int a, int b, enum act act)
{
	struct shape s = model_shape(m, a), other = model_shape(m, b);
	if (s.h != other.h || s.w != other.w || s.c != other.c)
		s.c = 0;
	bool fused = act == ACT_NONE || act == ACT_RELU || act == ACT_RELU6; // their slopes are known from the output
	int sum = add_op(m,
		(struct op){.kind = OP_ADD, .act = fused ? act : ACT_NONE, .in = {a, b}, .inputs = 2, .out = s, .layer = -1},
		NULL);
	return fused ? sum : model_act(m, sum, act);
}

int model_scale(struct model *m, int image, int gate)
{
	struct shape s = model_shape(m, image), g = model_shape(m, gate);
	if (g.h != 1 || g.w != 1 || g.c != s.c)
		s.c = 0;
	return add_op(m, (struct op){.kind = OP_SCALE, .in = {image, gate}, .inputs = 2, .out = s, .layer = -1}, NULL);
}

int model_concat(struct model *m, const int *in, int count)
{
	struct op op = {.kind = OP_CONCAT, .inputs = count, .layer = -1};
	for (int i = 0; i < count && i < MODEL_INPUTS; i++) {
		struct shape s = model_shape(m, in[i]);
		op.in[i] = in[i];
		if (i == 0)
			op.out = s;
		else if (s.h != op.out.h || s.w != op.out.w || s.c > INT_MAX - op.out.c)
			op.out.h = 0;
		else
			op.out.c += s.c;
	}
	if (count < 1 || count > MODEL_INPUTS)
		op.out.c = 0;
	return add_op(m, op, NULL);
}

int model_pool(struct model *m, int in)
{
	return add_plain(m, OP_POOL, in, (struct shape){1, 1, model_shape(m, in).c});
}

int model_window(struct model *m, enum op_kind kind, int in, struct window w)
{
	struct shape s = model_shape(m, in);
	return add_op(m, (struct op){.kind = kind, .in = {in}, .inputs = 1, .out = through(s, w, s.c), .window = w, .layer = -1},
		NULL);
}

int model_average_inside(struct model *m, int in, struct window w)
{
	int at = model_window(m, OP_AVERAGE, in, w);
	if (at >= 0)
		m->op[at].inside = true;
	return at;
}

int model_tokens(struct model *m, int in)
{
	struct shape s = model_shape(m, in);
	bool fits = (double)s.h * s.w < INT_MAX;
	return add_plain(m, OP_TOKENS, in, (struct shape){fits ? 1 + s.h * s.w : 0, 1, s.c});
}

int model_attention(struct model *m, int in, int heads)
{
	struct shape s = model_shape(m, in);
	bool divides = heads > 0 && heads <= s.c && s.c % 3 == 0 && s.c / 3 % heads == 0;
	return add_op(m,
		(struct op){.kind = OP_ATTENTION,
			.in = {in},
			.inputs = 1,
			.heads = heads,
			.layer = -1,
			.out = {s.h, s.w, divides ? s.c / 3 : 0}},
		NULL);
}

int model_first(struct model *m, int in)
{
	return add_plain(m, OP_FIRST, in, (struct shape){1, 1, model_shape(m, in).c});
}

// ---- operators that take an image's numbers as they lie ----

static double numbers_of(struct shape s)
{
	return (double)s.h * s.w * s.c;
}

// The model takes the arrangement. False: memory ran out, and it is freed.
static bool keep_arrangement(struct model *m, struct arrangement *t)
{
	struct arrangement **room = m->ops < 0 ? NULL : grown(m->arrangement, m->arrangements, sizeof(struct arrangement *));
	if (!room) {
		arrangement_free(t);
		m->ops = -1;
		return false;
	}
	m->arrangement = room;
	m->arrangement[m->arrangements++] = t;
	return true;
}

int model_arrange(struct model *m, const int *in, int count, struct shape out, struct arrangement *t)
{
	struct op op = {.kind = OP_ARRANGE, .inputs = count, .out = out, .arrangement = t, .layer = -1};
	if (count < 1 || count > MODEL_INPUTS || numbers_of(out) != (t ? (double)t->count : numbers_of(model_shape(m, in[0]))))
		op.out.c = 0;
	for (int k = 0; k < count && k < MODEL_INPUTS; k++)
		op.in[k] = in[k];
	return t && !keep_arrangement(m, t) ? -1 : add_op(m, op, NULL);
}

int model_reshape(struct model *m, int in, struct shape out)
{
	struct shape s = model_shape(m, in);
	return s.h == out.h && s.w == out.w && s.c == out.c ? in : model_arrange(m, &in, 1, out, NULL);
}

int model_product(struct model *m, int a, int b, int products)
{
	struct shape s = model_shape(m, a), t = model_shape(m, b);
	bool fits = products > 0 && s.w == 1 && t.w == 1 && s.h % products == 0 && t.h % products == 0 && t.h / products == s.c;
	return add_op(m,
		(struct op){.kind = OP_PRODUCT,
			.in = {a, b},
			.inputs = 2,
			.out = {s.h, 1, fits ? t.c : 0},
			.heads = products,
			.layer = -1},
		NULL);
}

int model_combine(struct model *m, int a, int b, enum fn fn)
{
	struct shape s = model_shape(m, a);
	if (numbers_of(s) != numbers_of(model_shape(m, b)))
		s.c = 0;
	return add_op(m, (struct op){.kind = OP_COMBINE, .in = {a, b}, .inputs = 2, .out = s, .fn = fn, .layer = -1}, NULL);
}

int model_affine(struct model *m, int in, bool gain, bool bias, long period)
{
	struct shape s = model_shape(m, in);
	double numbers = numbers_of(s);
	if (period < 1 || (double)period > numbers || (numbers < INT_MAX && (long)numbers % period))
		s.c = 0;
	return add_op(m,
		(struct op){.kind = OP_AFFINE,
			.in = {in},
			.inputs = 1,
			.out = s,
			.gain = gain,
			.bias = bias,
			.period = period,
			.layer = -1},
		NULL);
}

int model_function(struct model *m, int in, enum fn fn, float alpha, float beta)
{
	return add_op(m,
		(struct op){.kind = OP_FUNCTION,
			.in = {in},
			.inputs = 1,
			.out = model_shape(m, in),
			.fn = fn,
			.alpha = alpha,
			.beta = beta,
			.layer = -1},
		NULL);
}

int model_softmax(struct model *m, int in)
{
	return add_plain(m, OP_SOFTMAX, in, model_shape(m, in));
}

int model_reduce(struct model *m, int in, enum fn fn)
{
	struct shape s = model_shape(m, in);
	return add_op(m, (struct op){.kind = OP_REDUCE, .in = {in}, .inputs = 1, .out = {s.h, s.w, 1}, .fn = fn, .layer = -1},
		NULL);
}

int model_unknown(struct model *m, const int *in, int count, struct shape out, const char *node)
{
	struct op op = {.kind = OP_UNKNOWN, .inputs = count < MODEL_INPUTS ? count : MODEL_INPUTS, .out = out, .layer = -1};
	char(*room)[MODEL_NODE] = m->ops < 0 ? NULL : grown(m->unknown, m->unknowns, sizeof *room);
	if (!room) {
		m->ops = -1;
		return -1;
	}
	m->unknown = room;
	snprintf(room[m->unknowns++], MODEL_NODE, "%s", node);
	memcpy(op.in, in, (size_t)op.inputs * sizeof *in);
	return add_op(m, op, NULL);
}

bool model_runs(const struct model *m, struct fault *fault)
{
	return !m->unknowns ||
		fault_set(fault, m->unknown[0], "`describe` costs the rest; export it in another way",
			"this operator is not known, so %.80s cannot run", m->name);
}

int model_layernorm_by(struct model *m, int in, float epsilon)
{
	return add_op(m,
		(struct op){
			.kind = OP_LAYERNORM, .in = {in}, .inputs = 1, .out = model_shape(m, in), .alpha = epsilon, .layer = -1},
		NULL);
}

// Learnt numbers of an operator that no layer counts.
static double own_parameters(const struct op *op)
{
	switch (op->kind) {
	case OP_NORM:
	case OP_LAYERNORM: return op->bare ? 0 : 2.0 * op->out.c;
	case OP_TOKENS: // the class token, and a position for every token
		return (1.0 + op->out.h) * op->out.c;
	case OP_AFFINE: return (double)(op->gain + op->bias) * (double)op->period;
	default: return 0;
	}
}

// What an operator is called, and what it asks of the images it reads.
static const struct kind {
	const char *name, *asks;
} kinds[OP_KINDS] = {
	[OP_INPUT] = {"input", "give images of at least one pixel and one channel"},
	[OP_CONV] = {"conv", "use larger images, or channels that divide into the groups"},
	[OP_LINEAR] = {"linear", "give it at least one output"},
	[OP_NORM] = {"norm", ""},
	[OP_LAYERNORM] = {"layernorm", ""},
	[OP_ACT] = {"act", ""},
	[OP_ADD] = {"add", "both images must have one shape"},
	[OP_SCALE] = {"scale", "the second image must be one pixel with as many channels as the first"},
	[OP_CONCAT] = {"concat", "all images must have one height and width, and there may be 8 of them"},
	[OP_POOL] = {"pool", ""},
	[OP_AVERAGE] = {"average", "use larger images"},
	[OP_MAXIMUM] = {"maximum", "use larger images"},
	[OP_TOKENS] = {"tokens", "use smaller images"},
	[OP_ATTENTION] = {"attention", "channels must divide by three times the heads"},
	[OP_FIRST] = {"first", ""},
	[OP_ARRANGE] = {"arrange", "it must give as many numbers as its arrangement or its image has"},
	[OP_PRODUCT] = {"product", "the first matrix must have as many columns as the second has rows"},
	[OP_COMBINE] = {"combine", "both images must have as many numbers"},
	[OP_AFFINE] = {"affine", "its learnt numbers must repeat a whole number of times"},
	[OP_FUNCTION] = {"function", ""},
	[OP_SOFTMAX] = {"softmax", ""},
	[OP_REDUCE] = {"reduce", ""},
	[OP_UNKNOWN] = {"unknown", ""},
};

const char *model_kind(enum op_kind kind)
{
	return kinds[kind].name;
}

const char *model_layer_kind(const struct model *m, int layer)
{
	const struct op *op = &m->op[m->layer[layer].op];
	if (op->kind != OP_CONV || op->groups == 1)
		return model_kind(op->kind);
	return op->groups == m->layer[layer].in.c ? "depthwise" : "grouped";
}

bool model_fits(const struct model *m, int at, struct fault *fault)
{
	const struct op *op = &m->op[at];
	double numbers = (double)op->out.h * op->out.w * op->out.c, weights = op->layer < 0 ? 0 : m->layer[op->layer].weights;
	bool empty = op->out.h < 1 || op->out.w < 1 || op->out.c < 1;
	if (!empty && numbers <= INT_MAX && weights <= INT_MAX)
		return true;
	// "net: conv s1b1.conv1" or, of an operator that has no name, "net: add after s1b1.conv2".
	char where[256], reads[200] = "";
	int named = at;
	while (named > 0 && m->op[named].layer < 0)
		named--;
	snprintf(where, sizeof where, "%s: %s%s%s", m->name, kinds[op->kind].name,
		named == 0            ? ""
			: named == at ? " "
				      : " after ",
		named == 0 ? "" : m->layer[m->op[named].layer].name);
	size_t used = 0;
	for (int k = 0; k < op->inputs && k < MODEL_INPUTS && used < sizeof reads; k++) {
		struct shape s = m->op[op->in[k]].out;
		used += (size_t)snprintf(reads + used, sizeof reads - used, "%s%dx%dx%d", k ? ", " : " of ", s.h, s.w, s.c);
	}
	if (empty)
		return fault_set(fault, where, kinds[op->kind].asks, "nothing comes out%s: too small, or shapes that do not fit",
			reads);
	return fault_set(fault, where, "use smaller images or fewer channels", "too large: %.3g numbers an image, %.3g weights",
		numbers, weights);
}

// The two products of an attention, queries by keys and scores by values, count with the layer that it reads; so does any product of
// two images.
static void count_attention(struct model *m, const struct op *attention)
{
	double pixels = (double)attention->out.h * attention->out.w, macs = 2 * pixels * pixels * attention->out.c;
	if (attention->kind == OP_PRODUCT)
		macs = numbers_of(attention->out) * m->op[attention->in[0]].out.c;
	int from = attention->in[0];
	while (from > 0 && m->op[from].layer < 0)
		from = m->op[from].in[0];
	m->attention_macs += macs;
	if (m->op[from].layer >= 0)
		m->layer[m->op[from].layer].attention_macs += macs;
}

void model_total(struct model *m)
{
	m->macs = m->attention_macs = m->weights = m->parameters = m->activations = m->most_activations = 0;
	for (int i = 0; i < m->layers; i++)
		m->layer[i].attention_macs = 0;
	for (int i = 0; i < m->ops; i++) {
		m->parameters += own_parameters(&m->op[i]);
		if (m->op[i].kind == OP_ATTENTION || m->op[i].kind == OP_PRODUCT)
			count_attention(m, &m->op[i]);
	}
	for (int i = 0; i < m->layers; i++) {
		const struct layer *l = &m->layer[i];
		m->macs += l->macs;
		m->weights += l->weights;
		m->parameters += l->weights + l->biases;
		m->activations += l->activations;
		if (l->activations > m->most_activations)
			m->most_activations = l->activations;
	}
}

struct model *model_finish(struct model *m, struct fault *fault)
{
	if (!m || m->ops < 0) {
		model_free(m);
		fault_memory(fault, "network");
		return NULL;
	}
	for (int i = 0; i < m->ops; i++)
		if (!model_fits(m, i, fault)) {
			model_free(m);
			return NULL;
		}
	model_total(m);
	m->picks = NULL;
	return m;
}
