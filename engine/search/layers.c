// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/layers.h"

#include <stdio.h>

struct layer_info layer_info_of(const struct model *m, int index)
{
	const struct layer *l = &m->layer[index];
	const struct op *op = &m->op[l->op];
	const bool conv = op->kind == OP_CONV;
	struct layer_info info = {
		.kind = model_layer_kind(m, index),
		.in_h = l->in.h,
		.in_w = l->in.w,
		.in_c = l->in.c,
		.out_h = l->out.h,
		.out_w = l->out.w,
		.out_c = l->out.c,
		.kernel_h = conv ? op->window.h : 1,
		.kernel_w = conv ? op->window.w : 1,
		.stride = conv ? op->window.stride : 1,
		.groups = conv ? op->groups : 1,
		.macs = l->macs,
		.attention_macs = l->attention_macs,
		.weights = l->weights,
		.activations = l->activations,
		.weight_slot = -1,
		.activation_slot = -1,
		.weight_told = l->told[0].format,
		.activation_told = l->told[1].format,
		.weight_by = l->told[0].by,
		.activation_by = l->told[1].by,
	};
	snprintf(info.name, sizeof info.name, "%s", l->name);
	return info;
}

int layers_told(const struct layer_info *layer, int layers)
{
	int told = 0;
	for (int i = 0; i < layers; i++)
		told += layer[i].weight_told || layer[i].activation_told;
	return told;
}
