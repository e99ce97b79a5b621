// SPDX-License-Identifier: GPL-3.0-or-later
// Vision transformers as in DeiT (Touvron et al., Training data-efficient image transformers, 2020; without the distillation
// token): a convolution embeds the patches, then come a class token and positions, blocks of attention and a GELU perceptron,
// each with a norm before and an addition after, a last norm, and a linear head on the class token. The products of queries, keys
// and values are not layers and count no MACs.
#include <math.h>
#include <stdio.h>

#include "engine/model/networks.h"

enum { SIDE, DIM, DEPTH, HEADS, PATCH, MLP }; // values; MLP: the perceptron's width per channel

static bool build(struct model *m, const double *value, bool small, struct fault *fault)
{
	(void)small;
	int dim = (int)value[DIM], heads = (int)value[HEADS], patch = (int)value[PATCH];
	struct shape in = model_shape(m, 0);
	char name[MODEL_NAME], block[NETWORK_BLOCK];
	if (in.h % patch || in.w % patch)
		return fault_set(fault, m->name, "choose patch= so that it divides both sides",
			"patches of %dx%d do not tile images of %dx%d", patch, patch, in.h, in.w);
	if (dim % heads)
		return fault_set(fault, m->name, "choose dim= and heads= so that it does", "dim %d does not divide into %d heads",
			dim, heads);
	int x = model_tokens(m, model_conv(m, "patch", 0, dim, (struct window){patch, patch, patch, 0, 0, 0}, 1, true));
	for (int b = 0; b < (int)value[DEPTH]; b++) {
		snprintf(block, sizeof block, "b%d", b + 1);
		int y = model_linear(m, network_layer(name, block, "qkv"), model_layernorm(m, x), 3 * dim);
		y = model_linear(m, network_layer(name, block, "proj"), model_attention(m, y, heads), dim);
		x = model_add(m, x, y, ACT_NONE);
		y = model_linear(m, network_layer(name, block, "fc1"), model_layernorm(m, x), (int)lround(value[MLP] * dim));
		y = model_linear(m, network_layer(name, block, "fc2"), model_act(m, y, ACT_GELU), dim);
		x = model_add(m, x, y, ACT_NONE);
	}
	model_linear(m, "head", model_first(m, model_layernorm(m, x)), m->classes);
	return true;
}

static const struct network networks[] = {
	{"deit", "vision transformer for small images", 10, {32, 96, 4, 3, 4, 4}},
	{"deit-tiny", "vision transformer (DeiT, Touvron et al., 2020)", 1000, {224, 192, 12, 3, 16, 4}},
	{"deit-small", "vision transformer (DeiT)", 1000, {224, 384, 12, 6, 16, 4}},
	{"deit-base", "vision transformer (DeiT)", 1000, {224, 768, 12, 12, 16, 4}},
};
const struct family deit = {{NETWORK_SIDE, {"dim", 8, 4096, true, NULL}, {"depth", 1, 64, true, NULL},
				    {"heads", 1, 64, true, NULL}, {"patch", 1, 64, true, NULL}, {"mlp", 0.5, 8, false, NULL}},
	build, networks, sizeof networks / sizeof networks[0]};
