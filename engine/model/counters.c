// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/counters.h"

// ---- what there is to count ----

enum feature {
	PRODUCTS,           // of attention, both
	PROJECTIONS,        // of the layers that attention reads, and of those that read it
	PROJECTION_BIASES,  // likewise, a bias for each number out
	PROJECTION_NUMBERS, // likewise, their weights and biases
	BIASES,             // of layers, a bias for each number out
	CONV_BIASES,
	LINEAR_REPEATS, // of linear layers, beyond the first token's
	LINEAR_BIASES,  // of linear layers, those of one token
	NORMS,
	LAYERNORMS,
	NORM_NUMBERS, // gains and biases
	RELUS,
	RELU6S,
	SWISHES,
	GELUS,
	POOL_INPUTS,
	POOL_OUTPUTS,
	MAXIMUM_INPUTS,
	AVERAGE_INPUTS,
	AVERAGE_OUTPUTS,
	GATES,
	QUERIES,
	SCORES,
	ATTENTIONS,
	SINGLES,
	FEATURES
};

static const char *const words[FEATURES] = {
	[PRODUCTS] = "attention's two products",
	[PROJECTIONS] = "the layers before and behind attention",
	[PROJECTION_BIASES] = "their biases",
	[PROJECTION_NUMBERS] = "the layers before and behind attention",
	[BIASES] = "biases",
	[CONV_BIASES] = "biases of convolutions",
	[LINEAR_REPEATS] = "linear layers count for one token",
	[LINEAR_BIASES] = "biases of linear layers",
	[NORMS] = "batch norms",
	[LAYERNORMS] = "layer norms",
	[NORM_NUMBERS] = "norms' gains and biases",
	[RELUS] = "ReLUs",
	[RELU6S] = "ReLU6s",
	[SWISHES] = "swishes",
	[GELUS] = "GELUs",
	[POOL_INPUTS] = "what pools over the image read",
	[POOL_OUTPUTS] = "what pools over the image give",
	[MAXIMUM_INPUTS] = "what maximum pools read",
	[AVERAGE_INPUTS] = "what average pools read",
	[AVERAGE_OUTPUTS] = "what average pools give",
	[GATES] = "products of gates",
	[QUERIES] = "scaling of queries",
	[SCORES] = "softmax of attention",
	[SINGLES] = "products of single numbers, four in each attention and one more",
};

static double size_of(struct shape s)
{
	return (double)s.h * s.w * s.c;
}

// Whether attention reads a layer, or the layer reads it.
static bool projects(const struct model *m, int at)
{
	bool found = m->op[m->op[at].in[0]].kind == OP_ATTENTION;
	for (int i = at + 1; !found && i < m->ops; i++)
		found = m->op[i].kind == OP_ATTENTION && m->op[i].in[0] == at;
	return found;
}

static void add_layer(const struct model *m, int at, double count[FEATURES])
{
	const struct op *op = &m->op[at];
	const struct layer *l = &m->layer[op->layer];
	double tokens = (double)l->out.h * l->out.w, biases = l->biases * tokens;
	count[BIASES] += biases;
	count[PRODUCTS] += l->attention_macs;
	if (op->kind == OP_LINEAR) {
		count[LINEAR_REPEATS] += l->macs - l->weights;
		count[LINEAR_BIASES] += l->biases;
	} else {
		count[CONV_BIASES] += biases;
	}
	if (projects(m, at)) {
		count[PROJECTIONS] += l->macs;
		count[PROJECTION_BIASES] += biases;
		count[PROJECTION_NUMBERS] += l->weights + l->biases;
	}
}

static void add_activation(const struct op *op, double count[FEATURES])
{
	double size = size_of(op->out);
	switch (op->act) {
	case ACT_RELU: count[RELUS] += size; break;
	case ACT_RELU6: count[RELU6S] += size; break;
	case ACT_SWISH: count[SWISHES] += size; break;
	case ACT_GELU: count[GELUS] += size; break;
	default: break;
	}
}

static void add_op(const struct model *m, int i, double count[FEATURES])
{
	const struct op *op = &m->op[i];
	double in = i ? size_of(m->op[op->in[0]].out) : 0, out = size_of(op->out);
	if (op->layer >= 0)
		add_layer(m, i, count);
	add_activation(op, count);
	switch (op->kind) {
	case OP_NORM:
		count[NORMS] += out;
		count[NORM_NUMBERS] += 2 * op->out.c;
		break;
	case OP_LAYERNORM:
		count[LAYERNORMS] += out;
		count[NORM_NUMBERS] += 2 * op->out.c;
		break;
	case OP_POOL:
		count[POOL_INPUTS] += in;
		count[POOL_OUTPUTS] += out;
		break;
	case OP_AVERAGE:
		count[AVERAGE_INPUTS] += in;
		count[AVERAGE_OUTPUTS] += out;
		break;
	case OP_MAXIMUM: count[MAXIMUM_INPUTS] += in; break;
	case OP_SCALE: count[GATES] += out; break;
	case OP_ATTENTION:
		count[QUERIES] += out;
		count[SCORES] += op->heads * (double)op->out.h * op->out.w * op->out.h * op->out.w;
		count[ATTENTIONS]++;
		break;
	default: break;
	}
}

// ---- who counts what ----

enum concerns { ANY, WITH_ATTENTION, WITHOUT_ATTENTION, ONE_POOL };

static const char torchvision[] = "torchvision's attention", timm[] = "timm's attention",
		  function[] = "where pooling is a function, as in torchvision's mobilenet_v2";

static const struct counter {
	const char *name, *variant;
	enum concerns concerns;
	struct {
		enum feature feature;
		double times;
	} part[COUNTER_PARTS]; // beside the products of layers and of attention
} counters[] = {
	{"FlopCounterMode / 2", "", WITHOUT_ATTENTION, {{0}}},
	{"FlopCounterMode / 2", "with gradients enabled", WITH_ATTENTION, {{0}}},
	{"FlopCounterMode / 2", "under no_grad, torchvision's attention", WITH_ATTENTION, {{PRODUCTS, -1}, {PROJECTIONS, -1}}},
	{"qonnx", "discount_sparsity=False", ANY, {{0}}},
	{"calflops", "", ANY, {{PRODUCTS, -1}}},
	{"fvcore", "", ANY, {{PRODUCTS, -1}, {NORMS, 2}, {LAYERNORMS, 5}, {POOL_INPUTS, 1}}},
	{"ptflops", "backend pytorch", WITHOUT_ATTENTION,
		{{BIASES, 1}, {NORMS, 2}, {RELUS, 2}, {RELU6S, 1}, {SWISHES, 1}, {GELUS, 2}, {POOL_INPUTS, 2},
			{MAXIMUM_INPUTS, 2}, {AVERAGE_INPUTS, 2}}},
	{"ptflops", function, ONE_POOL,
		{{BIASES, 1}, {NORMS, 2}, {RELUS, 2}, {RELU6S, 1}, {SWISHES, 1}, {GELUS, 2}, {POOL_INPUTS, 1},
			{MAXIMUM_INPUTS, 2}, {AVERAGE_INPUTS, 2}}},
	{"ptflops", torchvision, WITH_ATTENTION, {{BIASES, 1}, {LAYERNORMS, 1}, {GELUS, 2}, {QUERIES, 1}, {SCORES, 1}}},
	{"ptflops", timm, WITH_ATTENTION,
		{{PROJECTIONS, -1}, {BIASES, 1}, {PROJECTION_BIASES, -1}, {GELUS, 2}, {QUERIES, 1}, {SCORES, 1}}},
	{"ptflops", "backend aten", ANY, {{PRODUCTS, -1}, {BIASES, 1}}},
	{"torchinfo", "", WITHOUT_ATTENTION, {{CONV_BIASES, 1}, {LINEAR_REPEATS, -1}, {LINEAR_BIASES, 1}, {NORM_NUMBERS, 1}}},
	{"torchinfo", torchvision, WITH_ATTENTION,
		{{PRODUCTS, -1}, {CONV_BIASES, 1}, {LINEAR_REPEATS, -1}, {LINEAR_BIASES, 1}, {NORM_NUMBERS, 1},
			{PROJECTION_NUMBERS, -1}}},
	{"torchinfo", timm, WITH_ATTENTION,
		{{PRODUCTS, -1}, {CONV_BIASES, 1}, {LINEAR_REPEATS, -1}, {LINEAR_BIASES, 1}, {NORM_NUMBERS, 1}}},
	{"thop", "", WITHOUT_ATTENTION, {{NORMS, 4}, {POOL_INPUTS, 1}, {POOL_OUTPUTS, 1}, {AVERAGE_OUTPUTS, 1}}},
	{"thop", function, ONE_POOL, {{NORMS, 4}, {AVERAGE_OUTPUTS, 1}}},
	{"thop", torchvision, WITH_ATTENTION, {{PRODUCTS, -1}, {PROJECTIONS, -1}, {LAYERNORMS, 4}}},
	{"thop", timm, WITH_ATTENTION, {{PRODUCTS, -1}}},
	{"torchprofile", "", WITHOUT_ATTENTION, {{NORMS, 1}, {POOL_OUTPUTS, 1}, {AVERAGE_OUTPUTS, 1}, {GATES, 1}}},
	{"torchprofile", torchvision, WITH_ATTENTION, {{LAYERNORMS, 1}, {SINGLES, 1}}},
	{"torchprofile", timm, WITH_ATTENTION, {{LAYERNORMS, 1}}},
};
enum { COUNTERS = sizeof counters / sizeof *counters };

static bool concerned(const struct counter *c, const double count[FEATURES])
{
	switch (c->concerns) {
	case WITH_ATTENTION: return count[ATTENTIONS] > 0;
	case WITHOUT_ATTENTION: return count[ATTENTIONS] <= 0;
	case ONE_POOL: return count[ATTENTIONS] <= 0 && count[GATES] <= 0 && count[POOL_INPUTS] > 0;
	case ANY: break;
	}
	return true;
}

// The counters' own count differs from the layers' by what is said of it, part by part; what is not there is left out.
static void fill(const struct counter *c, const struct model *m, const double count[FEATURES], struct counter_row *row)
{
	*row = (struct counter_row){.name = c->name, .variant = c->variant, .count = m->macs + m->attention_macs};
	for (int p = 0; p < COUNTER_PARTS; p++) {
		double part = c->part[p].times * count[c->part[p].feature];
		if (c->part[p].times == 0 || count[c->part[p].feature] <= 0)
			continue;
		row->count += part;
		row->part[row->parts++] = (struct counter_part){words[c->part[p].feature], part};
	}
}

bool counters_row(const struct model *m, int index, struct counter_row *row)
{
	double count[FEATURES] = {0};
	for (int i = 0; i < m->ops; i++)
		add_op(m, i, count);
	count[SINGLES] = 4 * count[ATTENTIONS] + 1;
	for (int c = 0; c < COUNTERS; c++)
		if (concerned(&counters[c], count) && index-- == 0) {
			fill(&counters[c], m, count, row);
			return true;
		}
	return false;
}
