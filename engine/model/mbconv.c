// SPDX-License-Identifier: GPL-3.0-or-later
// One builder for networks of inverted residual blocks: MobileNetV2 (Sandler et al., 2018), EfficientNet (Tan, Le, 2019) and
// EfficientNet-X (Li et al., Searching for fast model families on datacenter accelerators, 2021). A block widens by 1x1,
// convolves each channel alone, squeezes and excites, and projects by 1x1; a fused block widens and convolves in one operator.
// Space to depth (EfficientNet-X): stage 1 begins with a learnt 2x2 convolution of stride 2 to four times the channels, keeps
// four times the channels, and has kernels of (k + 1) / 2; this replaces stage 2's stride. Padding is k / 2 on either side (for
// even kernels, the odd pixel is on the far side), which gives the sizes of "same" padding. For small images, the stem and the
// first stage with a stride of its own have stride 1, so that 32x32 ends at 4x4.
//
// The space to search is that of TuNAS (Bender et al., 2020; google-research, tunas/mobile_search_space_v3.py): after ProxylessNAS, stages 2
// to 6 of four blocks each, of which all but the first may be absent; kernel and expansion of every block; in the enlarged form also
// the channels of stem, stages and top, as multiples of bases of their own. MobileNetV2 is one point of both.
#include <math.h>
#include <stdio.h>

#include "engine/model/networks.h"

// Values. SE: channels that squeeze and excite reduces to, per input channel of the block; 0: none.
enum { SIDE, WIDTH, DEPTH, SE, VARIANT, CHOICES, FILTERS };

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
} searched[STAGES] = {
	{1, 16, "1"}, {4, 16, "1.5"}, {4, 32, "1"}, {4, 64, "1"}, {4, 128, "0.75"}, {4, 256, "0.625"}, {1, 512, "0.625"}};
enum { STEM_BASE = 16, TOP_BASE = 1024 };
static const char multiples[] = "0.5|0.625|0.75|1|1.25|1.5|2";

// Channels of a part: a choice where filters are searched, else fixed.
static int channels_of(struct model *m, const double *value, const char *part, int fixed, int base, const char *standard,
	double width)
{
	if (value[FILTERS] <= 0)
		return network_channels(fixed, width);
	return network_channels(base * model_pick(m, part, SLOT_WIDTH, multiples, standard).value, width);
}

// A block as it will be built: channels that it reads and puts out, those between, those that squeezing reduces to.
struct block {
	char name[NETWORK_BLOCK];
	int in, inner, out, reduced, kernel, stride;
	bool fused;
	enum act act;
};

static int squeeze(struct model *m, const struct block *b, int x)
{
	char name[MODEL_NAME];
	int gate = model_linear(m, network_layer(name, b->name, "se.reduce"), model_pool(m, x), b->reduced);
	gate = model_linear(m, network_layer(name, b->name, "se.expand"), model_act(m, gate, b->act), b->inner);
	return model_scale(m, x, model_act(m, gate, ACT_SIGMOID));
}

static int inverted(struct model *m, const struct block *b, int in)
{
	int x = in;
	if (b->fused) {
		x = network_conv(m, b->name, "fused", x, b->inner, window_of(b->kernel, b->stride), 1, b->act);
	} else {
		if (b->inner != b->in)
			x = network_conv(m, b->name, "expand", x, b->inner, window_of(1, 1), 1, b->act);
		x = network_conv(m, b->name, "depthwise", x, b->inner, window_of(b->kernel, b->stride), b->inner, b->act);
	}
	if (b->reduced > 0)
		x = squeeze(m, b, x);
	x = network_conv(m, b->name, "project", x, b->out, window_of(1, 1), 1, ACT_NONE);
	return b->stride == 1 && b->in == b->out ? model_add(m, x, in, ACT_NONE) : x;
}

// What is chosen of a block: true if it is there. The first of a stage always is.
static bool choose(struct model *m, const struct stage *stage, int i, bool widens, struct block *b, int *expansion,
	struct scope *scope)
{
	static const char *const standard[] = {"off", "on"};
	*scope = (struct scope){-1, 0};
	if (i > 0) {
		struct pick there = model_pick(m, b->name, SLOT_DEPTH, "off|on", standard[i < stage->blocks]);
		if (there.value <= 0)
			return false;
		*scope = model_within(m, there, 1u << 1);
	}
	b->kernel = (int)model_pick(m, b->name, SLOT_KERNEL, "3|5|7", "3").value;
	if (widens)
		*expansion = (int)model_pick(m, b->name, SLOT_EXPANSION, "3|6", "6").value;
	return true;
}

static bool build(struct model *m, const double *value, bool small, struct fault *fault)
{
	(void)fault;
	const struct variant *l = &variants[(int)value[VARIANT]];
	double width = value[WIDTH], top = l->top_only_widens && width < 1 ? 1 : width;
	bool search = value[CHOICES] > 0;
	int channels = channels_of(m, value, "stem", 32, STEM_BASE, "2", width);
	int x = network_conv(m, "", "stem", 0, channels, window_of(3, small ? 1 : 2), 1, l->act);
	bool reduce = small; // the next stride is left out
	for (int s = 0; s < STAGES; s++) {
		const struct stage *stage = &l->stage[s];
		int depth = l->space_to_depth && s == 0 ? 4 : 1, blocks = (int)ceil(value[DEPTH] * stage->blocks);
		// Behind space to depth, widening and squeezing count from the channels that stage 1 has without it.
		bool behind = l->space_to_depth && s == 1;
		int counted = behind ? channels / 4 : channels, stride = behind ? 1 : stage->stride;
		char name[NETWORK_BLOCK];
		snprintf(name, sizeof name, "s%d", s + 1);
		int out = channels_of(m, value, name, stage->channels, searched[s].base, searched[s].standard, width);
		if (stride > 1 && reduce) {
			stride = 1;
			reduce = false;
		}
		for (int i = 0; i < (search ? searched[s].blocks : blocks); i++) {
			struct block b = {.in = channels,
				.out = depth * out,
				.kernel = stage->kernel,
				.stride = i == 0 ? stride : 1,
				.fused = stage->fused,
				.act = stage->act};
			int expansion = stage->expansion;
			struct scope scope;
			snprintf(b.name, sizeof b.name, "s%db%d", s + 1, i + 1);
			if (search && !choose(m, stage, i, expansion > 1, &b, &expansion, &scope))
				continue;
			b.reduced = (int)(counted * value[SE]);
			if (value[SE] > 0 && b.reduced < 1)
				b.reduced = 1;
			if (depth > 1) {
				b.kernel = (stage->kernel + 1) / 2;
				if (i == 0) {
					b.in = counted = depth * channels;
					x = network_conv(m, b.name, "space2depth", x, b.in, window_of(2, 2), 1, b.act);
				}
			}
			b.inner = counted * expansion;
			x = inverted(m, &b, x);
			channels = counted = b.out;
			if (search && i > 0)
				model_leave(m, scope);
		}
	}
	x = network_conv(m, "", "top", x, channels_of(m, value, "top", 1280, TOP_BASE, "1.25", top), window_of(1, 1), 1, l->act);
	model_linear(m, "head", model_pool(m, x), m->classes);
	return true;
}

// Its keys are side, width and filters.
static bool build_space(struct model *m, const double *value, bool small, struct fault *fault)
{
	double all[NETWORK_VALUES] = {
		[SIDE] = value[0], [WIDTH] = value[1], [DEPTH] = 1, [VARIANT] = MOBILENETV2, [CHOICES] = 1, [FILTERS] = value[2]};
	return build(m, all, small, fault);
}

#define ROWS(table) table, sizeof table / sizeof table[0]

static const struct network mobilenets[] = {
	{"mobilenetv2", "inverted residual blocks (Sandler et al., 2018)", 1000, {224, 1, 1, 0, MOBILENETV2}},
};
const struct family mobilenet = {{NETWORK_SIDE, {"width", 0.1, 2, false, NULL}}, build, ROWS(mobilenets)};

static const char *const filters[] = {"fixed", "search", NULL};
static const struct network spaces[] = {
	{"mobilenetv2-nas", "MobileNetV2's blocks with kernel, expansion and depth to search (TuNAS)", 1000, {224, 1, 0}},
};
const struct family mobilenet_nas = {
	{NETWORK_SIDE, {"width", 0.1, 2, false, NULL}, {"filters", 0, 1, true, filters}}, build_space, ROWS(spaces)};

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
#define SCALING {NETWORK_SIDE, {"width", 0.1, 4, false, NULL}, {"depth", 0.1, 8, false, NULL}, {"se", 0, 1, false, NULL}}
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
