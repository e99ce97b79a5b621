// SPDX-License-Identifier: GPL-3.0-or-later
// Residual networks (He et al., Deep residual learning, 2015). Those for small images (section 4.2) have a 3x3 stem of 16
// channels and three stages of 16, 32 and 64 channels; where the shape changes, the shortcut is a 1x1 convolution with batch norm
// (the paper pads with zeros). One block per stage is MLPerf Tiny's image classification network (Banbury et al., 2021), 12.5
// MMAC at 32x32x3. Those for ImageNet have a 7x7 stem of stride 2 and a 3x3 maximum of stride 2, or only a 3x3 stem for small
// images, then four stages of 64 to 512 channels; bottlenecks have their stride in the 3x3.
#include <stdio.h>

#include "engine/model/networks.h"

enum { SIDE, WIDTH, DEPTH, PROJECT, VARIANT }; // values

static const struct variant {
	int stem, stages, blocks[4];
	bool bottleneck;
} variants[] = {
	{16, 3, {1, 1, 1}, false},
	{16, 3, {3, 3, 3}, false},
	{16, 3, {5, 5, 5}, false},
	{16, 3, {7, 7, 7}, false},
	{16, 3, {9, 9, 9}, false},
	{64, 4, {2, 2, 2, 2}, false},
	{64, 4, {3, 4, 6, 3}, false},
	{64, 4, {3, 4, 6, 3}, true},
	{64, 4, {3, 4, 23, 3}, true},
};
enum { RESNET8, RESNET20, RESNET32, RESNET44, RESNET56, RESNET18, RESNET34, RESNET50, RESNET101 };

static bool build(struct model *m, const double *value, bool small, struct fault *fault)
{
	(void)fault;
	const struct variant *l = &variants[(int)value[VARIANT]];
	bool reduced = l->stem == 64 && !small;
	int width = network_channels(l->stem, value[WIDTH]);
	int x = network_conv(m, "", "stem", 0, width, reduced ? window_of(7, 2) : window_of(3, 1), 1, ACT_RELU);
	if (reduced)
		x = model_window(m, OP_MAXIMUM, x, window_of(3, 2));
	for (int stage = 0; stage < l->stages; stage++)
		for (int b = 0; b < network_blocks(l->blocks[stage], value[DEPTH]); b++) {
			char block[NETWORK_BLOCK];
			snprintf(block, sizeof block, "s%db%d", stage + 1, b + 1);
			int stride = stage > 0 && b == 0 ? 2 : 1, inner = network_channels(l->stem << stage, value[WIDTH]);
			int outer = l->bottleneck ? 4 * inner : inner, y;
			if (l->bottleneck) {
				y = network_conv(m, block, "conv1", x, inner, window_of(1, 1), 1, ACT_RELU);
				y = network_conv(m, block, "conv2", y, inner, window_of(3, stride), 1, ACT_RELU);
				y = network_conv(m, block, "conv3", y, outer, window_of(1, 1), 1, ACT_NONE);
			} else {
				y = network_conv(m, block, "conv1", x, inner, window_of(3, stride), 1, ACT_RELU);
				y = network_conv(m, block, "conv2", y, outer, window_of(3, 1), 1, ACT_NONE);
			}
			if (stride != 1 || width != outer || (value[PROJECT] > 0 && b == 0))
				x = network_conv(m, block, "skip", x, outer, window_of(1, stride), 1, ACT_NONE);
			x = model_add(m, y, x, ACT_RELU);
			width = outer;
		}
	model_linear(m, "head", model_pool(m, x), m->classes);
	return true;
}

// ---- a space to search ----

enum { SPACE_STAGES = 3, SPACE_STEM = 16 };
enum { SIDES = WIDTH + 1 }; // the last of its values

// A basic block whose kernel and inner channels are chosen.
static int choose_block(struct model *m, const char *block, int x, int channels, int stride, bool projects)
{
	int kernel = (int)model_pick(m, block, SLOT_KERNEL, "3|5", "3").value;
	int inner = network_channels(channels * model_pick(m, block, SLOT_EXPANSION, "0.5|1", "1").value, 1);
	int y = network_conv(m, block, "conv1", x, inner, window_of(kernel, stride), 1, ACT_RELU);
	y = network_conv(m, block, "conv2", y, channels, window_of(3, 1), 1, ACT_NONE);
	if (projects)
		x = network_conv(m, block, "skip", x, channels, window_of(1, stride), 1, ACT_NONE);
	return model_add(m, y, x, ACT_RELU);
}

// Three stages of one to three basic blocks; the first of each has a projection, whatever its channels.
static bool build_space(struct model *m, const double *value, bool small, struct fault *fault)
{
	(void)small;
	if (value[SIDES] > 0 && !network_own_sides(m, fault))
		return false;
	int x = network_conv(m, "", "stem", 0, network_channels(SPACE_STEM, value[WIDTH]), window_of(3, 1), 1, ACT_RELU);
	for (int s = 0; s < SPACE_STAGES; s++) {
		char stage[NETWORK_BLOCK], block[NETWORK_BLOCK];
		snprintf(stage, sizeof stage, "s%d", s + 1);
		double multiple = model_pick(m, stage, SLOT_WIDTH, "0.5|0.75|1|1.25", "1").value;
		struct pick depth = model_pick(m, stage, SLOT_DEPTH, "1|2|3", "1");
		int channels = network_channels((SPACE_STEM << s) * multiple, value[WIDTH]);
		for (int b = 0; b < (int)depth.value; b++) {
			struct scope scope = model_within(m, b ? depth : (struct pick){.slot = -1}, ~0u << b);
			snprintf(block, sizeof block, "s%db%d", s + 1, b + 1);
			x = choose_block(m, block, x, channels, s > 0 && b == 0 ? 2 : 1, b == 0);
			model_leave(m, scope);
		}
	}
	model_linear(m, "head", model_pool(m, x), m->classes);
	return true;
}

static const struct network spaces[] = {
	{"resnet-nas", "residual network for small images: depth, width, kernel and bottleneck to search", 10, {32, 1}},
};
const struct family resnet_nas = {
	{NETWORK_SIDE, {"width", 0.25, 4, false, NULL}, NETWORK_SIDES}, build_space, spaces, sizeof spaces / sizeof spaces[0]};

// ---- the families ----

static const struct network cifar[] = {
	{"resnet8", "residual network for small images, one block a stage (MLPerf Tiny)", 10, {32, 1, 1, 0, RESNET8}},
	{"resnet20", "residual network for small images (He et al., 2015)", 10, {32, 1, 1, 0, RESNET20}},
	{"resnet32", "residual network for small images", 10, {32, 1, 1, 0, RESNET32}},
	{"resnet44", "residual network for small images", 10, {32, 1, 1, 0, RESNET44}},
	{"resnet56", "residual network for small images", 10, {32, 1, 1, 0, RESNET56}},
};
const struct family resnet_cifar = {
	{NETWORK_SIDE, {"width", 0.25, 4, false, NULL}, NETWORK_DEPTH}, build, cifar, sizeof cifar / sizeof cifar[0]};

static const struct network imagenet[] = {
	{"resnet18", "residual network, basic blocks (He et al., 2015)", 1000, {224, 1, 1, 0, RESNET18}},
	{"resnet18-fliqs", "resnet18 with a projection in stage 1 too, as FLIQS searches it", 1000, {224, 1, 1, 1, RESNET18}},
	{"resnet34", "residual network, basic blocks", 1000, {224, 1, 1, 0, RESNET34}},
	{"resnet50", "residual network, bottlenecks, stride in the 3x3", 1000, {224, 1, 1, 0, RESNET50}},
	{"resnet101", "residual network, bottlenecks, stride in the 3x3", 1000, {224, 1, 1, 0, RESNET101}},
};
const struct family resnet = {{NETWORK_SIDE, {"width", 0.25, 4, false, NULL}, NETWORK_DEPTH, {"project", 0, 1, true, NULL}},
	build, imagenet, sizeof imagenet / sizeof imagenet[0]};
