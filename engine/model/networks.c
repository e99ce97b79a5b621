// SPDX-License-Identifier: GPL-3.0-or-later
// The networks by name.
#include <stdio.h>
#include <string.h>

#include "engine/model/model.h"

// Residual networks for small images: a 3x3 stem of 16 channels, three stages of 16, 32 and 64 channels, `depth` basic blocks each, the
// first of stages 2 and 3 with stride 2, global pooling, a linear head. Where the shape changes the shortcut is a 1x1
// convolution with batch norm. depth 3 is resnet20 (He et al., Deep residual learning, 2015, section 4.2; there with
// shortcuts that pad by zeros); depth 1 is MLPerf Tiny's image classification network (Banbury et al., 2021), 12.5 MMAC at 32x32x3.
static int conv(struct model *m, const char *layer, int in, int channels, int kernel, int stride)
{
	return model_conv(m, layer, in, channels, window_of(kernel, stride), 1, false);
}

static struct model *resnet(const char *name, struct shape input, int classes, int depth, struct fault *fault)
{
	static const int channels[3] = {16, 32, 64};
	struct model *m = model_new(name, input, classes);
	if (!m)
		return model_finish(NULL, fault);
	int x = model_norm(m, conv(m, "stem", 0, channels[0], 3, 1), ACT_RELU);
	int width = channels[0];
	for (int stage = 0; stage < 3; stage++)
		for (int block = 0; block < depth; block++) {
			char prefix[16], layer[MODEL_NAME];
			snprintf(prefix, sizeof prefix, "s%db%d", stage + 1, block + 1);
			int stride = stage > 0 && block == 0 ? 2 : 1;
			snprintf(layer, sizeof layer, "%s.conv1", prefix);
			int y = model_norm(m, conv(m, layer, x, channels[stage], 3, stride), ACT_RELU);
			snprintf(layer, sizeof layer, "%s.conv2", prefix);
			y = model_norm(m, conv(m, layer, y, channels[stage], 3, 1), ACT_NONE);
			if (stride != 1 || width != channels[stage]) {
				snprintf(layer, sizeof layer, "%s.skip", prefix);
				x = model_norm(m, conv(m, layer, x, channels[stage], 1, stride), ACT_NONE);
			}
			x = model_add(m, y, x, ACT_RELU);
			width = channels[stage];
		}
	model_linear(m, "head", model_pool(m, x), classes);
	return model_finish(m, fault);
}

static const struct network {
	const char *name;
	struct model *(*build)(const char *name, struct shape, int classes, int depth, struct fault *);
	int depth;
} networks[] = {
	{"resnet8", resnet, 1},
	{"resnet20", resnet, 3},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

const char *const *model_names(void)
{
	static _Thread_local const char *names[NETWORKS + 1];
	for (int i = 0; i < NETWORKS; i++)
		names[i] = networks[i].name;
	return names;
}

struct model *model_named(const char *name, struct shape input, int classes, struct fault *fault)
{
	for (int i = 0; i < NETWORKS; i++)
		if (strcmp(name, networks[i].name) == 0)
			return networks[i].build(name, input, classes, networks[i].depth, fault);
	fault_set(fault, name, "choose net=resnet8 or net=resnet20", "no such network");
	return NULL;
}
