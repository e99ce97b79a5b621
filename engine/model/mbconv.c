// SPDX-License-Identifier: GPL-3.0-or-later
// One builder for networks of inverted residual blocks: MobileNetV2 (Sandler et al., 2018), EfficientNet (Tan, Le, 2019) and
// EfficientNet-X (Li et al., Searching for fast model families on datacenter accelerators, 2021). A block widens by 1x1,
// convolves each channel alone, squeezes and excites, and projects by 1x1; a fused block widens and convolves in one operator.
// Space to depth (EfficientNet-X): stage 1 begins with a learnt 2x2 convolution of stride 2 to four times the channels, keeps
// four times the channels, and has kernels of (k + 1) / 2; this replaces stage 2's stride. Padding is k / 2 on either side (for
// even kernels, the odd pixel is on the far side), which gives the sizes of "same" padding. For small images, the stem and the
// first stage with a stride of its own have stride 1, so that 32x32 ends at 4x4.
//
// Two spaces to search. That of TuNAS (Bender et al., 2020; google-research, tunas/mobile_search_space_v3.py) is after ProxylessNAS: stages
// 2 to 6 of four blocks each, of which all but the first may be absent; kernel and expansion of every block; in the enlarged form also
// the channels of stem, stages and top, as multiples of bases of their own. MobileNetV2 is one point of both. That of EfficientNet-X has
// the genes of its released code (tensorflow/tpu, efficientnet_x_builder.py), each block's its own: repeats and channels of a stage;
// kernel, expansion, squeezing, activation, and whether a block is fused; and how the first images become small. EfficientNet-X-B0 is one
// point. What has no shape in common has weights of its own: fused and depthwise operators, and those around space to depth.
#include <stdio.h>

#include "engine/model/networks.h"

// Values. SE: channels that squeeze and excite reduces to, per input channel of the block; 0: none.
enum { SIDE, WIDTH, DEPTH, SE, VARIANT, CHOICES, FILTERS, SIDES };

enum { STAGES = 7 };
static const struct variant {
	enum act act; // of stem and top
	bool space_to_depth;
	bool top_only_widens;
	struct stage {
		int kernel, stride, expansion, channels, blocks;
		enum act act;
		bool fused;
	} stage[STAGES];
} variants[] = {
	{ACT_RELU6, false, true,
		{{3, 1, 1, 16, 1, ACT_RELU6, false}, {3, 2, 6, 24, 2, ACT_RELU6, false}, {3, 2, 6, 32, 3, ACT_RELU6, false},
			{3, 2, 6, 64, 4, ACT_RELU6, false}, {3, 1, 6, 96, 3, ACT_RELU6, false},
			{3, 2, 6, 160, 3, ACT_RELU6, false}, {3, 1, 6, 320, 1, ACT_RELU6, false}}},
	{ACT_SWISH, false, false,
		{{3, 1, 1, 16, 1, ACT_SWISH, false}, {3, 2, 6, 24, 2, ACT_SWISH, false}, {5, 2, 6, 40, 2, ACT_SWISH, false},
			{3, 2, 6, 80, 3, ACT_SWISH, false}, {5, 1, 6, 112, 3, ACT_SWISH, false},
			{5, 2, 6, 192, 4, ACT_SWISH, false}, {3, 1, 6, 320, 1, ACT_SWISH, false}}},
	{ACT_RELU, true, false,
		{{3, 1, 1, 16, 1, ACT_RELU, false}, {3, 2, 6, 24, 2, ACT_SWISH, true}, {5, 2, 6, 40, 2, ACT_SWISH, true},
			{3, 2, 6, 80, 3, ACT_RELU, false}, {5, 1, 6, 112, 3, ACT_RELU, false}, {5, 2, 6, 192, 4, ACT_RELU, false},
			{3, 1, 6, 320, 1, ACT_RELU, false}}},
};
enum { MOBILENETV2, EFFICIENTNET, EFFICIENTNET_X };

// What the space has in place of a stage's own blocks and channels: blocks that may be there, and the base that channels are multiples of.
// The multiple that gives MobileNetV2's is its standard.
static const struct {
	int blocks, base;
	const char *standard;
} tunas[STAGES] = {
	{1, 16, "1"}, {4, 16, "1.5"}, {4, 32, "1"}, {4, 64, "1"}, {4, 128, "0.75"}, {4, 256, "0.625"}, {1, 512, "0.625"}};
enum { STEM_BASE = 16, TOP_BASE = 1024 };
static const char multiples[] = "0.5|0.625|0.75|1|1.25|1.5|2";
enum { FIXED, TUNAS, GENES }; // choices

// Channels of a part: fixed, or chosen.
static int channels_of(struct model *m, const double *value, const char *part, int fixed, int base, const char *standard,
	double width)
{
	if (value[FILTERS] > 0)
		return network_channels(base * model_pick(m, part, SLOT_WIDTH, multiples, standard).value, width);
	if (value[CHOICES] == GENES && part[0] == 's' && part[1] != 't') // a stage's
		return network_channels(fixed * model_pick(m, part, SLOT_WIDTH, "0.75|1|1.25", "1").value, width);
	return network_channels(fixed, width);
}

// A block as it will be built: channels that it reads and puts out, those between, those that squeezing reduces to.
struct block {
	char name[NETWORK_BLOCK];
	int in, inner, out, reduced, kernel, stride;
	bool fused;
	struct pick made, squeezes; // by which its widening operators, and its squeezing ones, are there
	enum act act;
};

static int squeeze(struct model *m, const struct block *b, int x)
{
	char name[MODEL_NAME];
	int gate = model_linear(m, network_layer(name, b->name, "se.reduce"), model_pool(m, x), b->reduced);
	gate = model_linear(m, network_layer(name, b->name, "se.expand"), model_act(m, gate, b->act), b->inner);
	return model_scale(m, x, model_act(m, gate, ACT_SIGMOID));
}

// Widens and convolves.
static int widen(struct model *m, const struct block *b, int x)
{
	if (b->fused)
		return network_conv(m, b->name, "fused", x, b->inner, window_of(b->kernel, b->stride), 1, b->act);
	if (b->inner != b->in)
		x = network_conv(m, b->name, "expand", x, b->inner, window_of(1, 1), 1, b->act);
	return network_conv(m, b->name, "depthwise", x, b->inner, window_of(b->kernel, b->stride), b->inner, b->act);
}

static int inverted(struct model *m, const struct block *b, int in)
{
	struct scope scope = model_within(m, b->made, 1u << b->fused);
	int x = widen(m, b, in);
	model_leave(m, scope);
	if (b->reduced > 0) {
		scope = model_within(m, b->squeezes, ~1u);
		x = squeeze(m, b, x);
		model_leave(m, scope);
	}
	x = network_conv(m, b->name, "project", x, b->out, window_of(1, 1), 1, ACT_NONE);
	return b->stride == 1 && b->in == b->out ? model_add(m, x, in, ACT_NONE) : x;
}

// ---- choices ----

// How many blocks a stage may have, and whether the first `blocks` are all.
static int blocks_of(struct model *m, const double *value, int s, const struct stage *stage, const char *name,
	struct pick *repeats)
{
	int blocks = network_blocks(stage->blocks, value[DEPTH]);
	*repeats = (struct pick){.slot = -1};
	if (value[CHOICES] == TUNAS)
		return tunas[s].blocks;
	if (value[CHOICES] == FIXED || s == 0)
		return blocks;
	char words[32], standard[12];
	int fewest = blocks > 1 ? blocks - 1 : 1;
	snprintf(standard, sizeof standard, "%d", blocks);
	snprintf(words, sizeof words, fewest + 2 > blocks + 1 ? "%d|%d" : "%d|%d|%d", fewest, fewest + 1, fewest + 2);
	*repeats = model_pick(m, name, SLOT_DEPTH, words, standard);
	return (int)repeats->value;
}

// Whether block `i` of a stage is there; what follows is within that choice.
static bool enter(struct model *m, const double *value, const struct stage *stage, const char *name, int i, struct pick repeats,
	struct scope *scope)
{
	*scope = model_within(m, (struct pick){.slot = -1}, 0);
	if (i == 0 || value[CHOICES] == FIXED)
		return true;
	if (value[CHOICES] == GENES) {
		int fewest = stage->blocks > 1 ? stage->blocks - 1 : 1;
		if (i >= fewest)
			*scope = model_within(m, repeats, ~0u << (i + 1 - fewest));
		return true;
	}
	struct pick there = model_pick(m, name, SLOT_DEPTH, "off|on", i < stage->blocks ? "on" : "off");
	if (there.value > 0)
		*scope = model_within(m, there, 1u << 1);
	return there.value > 0;
}

// What a block is made of, in place of what its stage says.
static void choose(struct model *m, const double *value, struct block *b, int *expansion, double *se)
{
	static const char *const kernels[] = {[3] = "3", [5] = "5"};
	if (value[CHOICES] == FIXED)
		return;
	b->kernel = (int)model_pick(m, b->name, SLOT_KERNEL, "3|5|7", kernels[b->kernel]).value;
	if (*expansion > 1)
		*expansion = (int)model_pick(m, b->name, SLOT_EXPANSION, "3|6", "6").value;
	if (value[CHOICES] == TUNAS)
		return;
	b->squeezes = model_pick(m, b->name, SLOT_SQUEEZE, "0|0.25|0.5|1", "1");
	*se = b->squeezes.value;
	b->act = (enum act)model_pick(m, b->name, SLOT_ACT, "relu|swish", b->act == ACT_RELU ? "relu" : "swish").value;
	if (*expansion > 1)
		b->made = model_pick(m, b->name, SLOT_BLOCK, "depthwise|fused", b->fused ? "fused" : "depthwise");
	b->fused = b->made.value > 0;
}

// ---- the builder ----

// What runs through the stages.
struct flow {
	const double *value;
	int x, channels;
	bool reduce;       // the next stride is left out
	bool deep;         // space to depth
	struct pick first; // how the first images become small
};

static void add_stage(struct model *m, struct flow *f, const struct stage *stage, int s)
{
	const double *value = f->value;
	char name[NETWORK_BLOCK];
	snprintf(name, sizeof name, "s%d", s + 1);
	int out = channels_of(m, value, name, stage->channels, tunas[s].base, tunas[s].standard, value[WIDTH]);
	struct pick repeats;
	int blocks = blocks_of(m, value, s, stage, name, &repeats), depth = f->deep && s == 0 ? 4 : 1;
	// Behind space to depth, widening and squeezing count from the channels that stage 1 has without it.
	bool behind = f->deep && s == 1;
	int counted = behind ? f->channels / 4 : f->channels, stride = behind ? 1 : stage->stride;
	if (stride > 1 && f->reduce) {
		stride = 1;
		f->reduce = false;
	}
	for (int i = 0; i < blocks; i++) {
		struct block b = {.in = f->channels,
			.out = depth * out,
			.kernel = stage->kernel,
			.stride = i == 0 ? stride : 1,
			.fused = stage->fused,
			.made = {.slot = -1},
			.squeezes = {.slot = -1},
			.act = stage->act};
		int expansion = stage->expansion;
		double se = value[SE];
		struct scope scope;
		// What its first operators read has another shape behind space to depth: it shares no weights, and no choices.
		bool apart = value[CHOICES] == GENES && (s == 0 || (s == 1 && i == 0));
		snprintf(b.name, sizeof b.name, "s%d%c%d", s + 1, apart && f->deep ? 'd' : 'b', i + 1);
		if (apart)
			scope = model_within(m, f->first, 1u << f->deep);
		else if (!enter(m, value, stage, b.name, i, repeats, &scope))
			continue;
		choose(m, value, &b, &expansion, &se);
		b.reduced = (int)(counted * se);
		if (se > 0 && b.reduced < 1)
			b.reduced = 1;
		if (depth > 1) {
			b.kernel = (b.kernel + 1) / 2;
			if (i == 0) {
				b.in = counted = 4 * f->channels;
				f->x = network_conv(m, b.name, "space2depth", f->x, b.in, window_of(2, 2), 1, b.act);
			}
		}
		b.inner = counted * expansion;
		f->x = inverted(m, &b, f->x);
		f->channels = counted = b.out;
		model_leave(m, scope);
	}
}

static bool build(struct model *m, const double *value, bool small, struct fault *fault)
{
	const struct variant *l = &variants[(int)value[VARIANT]];
	if (value[SIDES] > 0 && !network_own_sides(m, fault))
		return false;
	double width = value[WIDTH], top = l->top_only_widens && width < 1 ? 1 : width;
	struct flow f = {.value = value, .reduce = small, .deep = l->space_to_depth, .first = {.slot = -1}};
	f.channels = channels_of(m, value, "stem", 32, STEM_BASE, "2", width);
	f.x = network_conv(m, "", "stem", 0, f.channels, window_of(3, small ? 1 : 2), 1, l->act);
	if (value[CHOICES] == GENES) {
		f.first = model_pick(m, "stem", SLOT_STEM, "stride|space2depth", "space2depth");
		f.deep = f.first.value > 0;
	}
	for (int s = 0; s < STAGES; s++)
		add_stage(m, &f, &l->stage[s], s);
	f.x = network_conv(m, "", "top", f.x, channels_of(m, value, "top", 1280, TOP_BASE, "1.25", top), window_of(1, 1), 1,
		l->act);
	model_linear(m, "head", model_pool(m, f.x), m->classes);
	return true;
}

// Its keys are side, width, filters and sides.
static bool build_space(struct model *m, const double *value, bool small, struct fault *fault)
{
	double all[NETWORK_VALUES] = {[SIDE] = value[0],
		[WIDTH] = value[1],
		[DEPTH] = 1,
		[VARIANT] = MOBILENETV2,
		[CHOICES] = TUNAS,
		[FILTERS] = value[2],
		[SIDES] = value[3]};
	return build(m, all, small, fault);
}

// Its keys are side, width and sides.
static bool build_genes(struct model *m, const double *value, bool small, struct fault *fault)
{
	double all[NETWORK_VALUES] = {[SIDE] = value[0],
		[WIDTH] = value[1],
		[DEPTH] = 1,
		[SE] = 1,
		[VARIANT] = EFFICIENTNET_X,
		[CHOICES] = GENES,
		[SIDES] = value[2]};
	return build(m, all, small, fault);
}

#define ROWS(table) table, sizeof table / sizeof table[0]

static const struct network mobilenets[] = {
	{"mobilenetv2", "inverted residual blocks (Sandler et al., 2018)", 1000, {224, 1, 1, 0, MOBILENETV2}},
};
const struct family mobilenet = {{NETWORK_SIDE, {"width", 0.1, 4, false, NULL}, NETWORK_DEPTH}, build, ROWS(mobilenets)};

static const struct network spaces[] = {
	{"mobilenetv2-nas", "MobileNetV2's blocks with kernel, expansion and depth to search (TuNAS)", 1000, {224, 1, 0}},
};
const struct family mobilenet_nas = {
	{NETWORK_SIDE, {"width", 0.1, 2, false, NULL}, {"filters", 0, 1, true, network_searched}, NETWORK_SIDES}, build_space,
	ROWS(spaces)};

static const struct network genes[] = {
	{"efficientnet-x-nas", "EfficientNet-X's space: fused blocks, space to depth, squeezing, activation ...", 1000, {224, 1}},
};
const struct family efficientnet_x_nas = {
	{NETWORK_SIDE, {"width", 0.1, 4, false, NULL}, NETWORK_SIDES}, build_genes, ROWS(genes)};

// Width, depth and side of each level: facts of the papers and their released code.
// clang-format off
#define LEVEL(name, help, side, width, depth, se, variant) {name, help, 1000, {side, width, depth, se, variant}}
#define E(level, width, depth, side) \
	LEVEL("efficientnet-b" #level, "squeeze and excite, swish, compound scaling (Tan, Le, 2019)", side, width, depth, .25, \
		EFFICIENTNET)
static const struct network efficientnets[] = {
	{"efficientnet", "EfficientNet narrowed for small images", 10, {32, 0.5, 0.5, 0.25, EFFICIENTNET}},
	E(0, 1.0, 1.0, 224), E(1, 1.0, 1.1, 240), E(2, 1.1, 1.2, 260), E(3, 1.2, 1.4, 300),
	E(4, 1.4, 1.8, 380), E(5, 1.6, 2.2, 456), E(6, 1.8, 2.6, 528), E(7, 2.0, 3.1, 600),
};
#define SCALING {NETWORK_SIDE, {"width", 0.1, 4, false, NULL}, NETWORK_DEPTH, {"se", 0, 1, false, NULL}}
const struct family efficientnet = {SCALING, build, ROWS(efficientnets)};

// Squeezing is a quarter of the input channels, times 4 at level 0 and 2 at level 1, in all three lines of scaling.
#define X(level, line, help, width, depth, side, se) \
	LEVEL("efficientnet-x-b" #level line, help, side, width, depth, se, EFFICIENTNET_X)
#define EVEN(level, width, depth, side, se) \
	X(level, "", "EfficientNet-X (Li et al., 2021), EfficientNet's scaling", width, depth, side, se)
#define TPU(level, width, depth, side, se) X(level, "-tpu", "EfficientNet-X scaled for TPU latency", width, depth, side, se)
#define GPU(level, width, depth, side, se) X(level, "-gpu", "EfficientNet-X scaled for GPU latency", width, depth, side, se)
static const struct network xs[] = {
	EVEN(0, 1.0, 1.0, 224, 1), EVEN(1, 1.0, 1.1, 240, .5), EVEN(2, 1.1, 1.2, 260, .25), EVEN(3, 1.2, 1.4, 300, .25),
	EVEN(4, 1.4, 1.8, 380, .25), EVEN(5, 1.6, 2.2, 456, .25), EVEN(6, 1.8, 2.6, 528, .25), EVEN(7, 2.0, 3.1, 600, .25),
	TPU(0, 1.0, 1.0, 224, 1), TPU(1, 1.05, 1.09, 229, .5), TPU(2, 1.13, 1.29, 244, .25), TPU(3, 1.27, 1.62, 263, .25),
	TPU(4, 1.54, 2.38, 299, .25), TPU(5, 1.96, 2.76, 332, .25), TPU(6, 2.75, 3.01, 328, .25), TPU(7, 3.26, 3.44, 350, .25),
	GPU(0, 1.0, 1.0, 224, 1), GPU(1, 1.05, 1.09, 229, .5), GPU(2, 1.13, 1.24, 237, .25), GPU(3, 1.31, 1.63, 255, .25),
	GPU(4, 1.63, 2.40, 282, .25), GPU(5, 1.94, 3.29, 306, .25), GPU(6, 2.25, 4.28, 328, .25), GPU(7, 2.58, 5.46, 350, .25),
};
const struct family efficientnet_x = {SCALING, build, ROWS(xs)};
// clang-format on
