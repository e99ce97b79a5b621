// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>

#include "engine/model/model.h"

const char *model_layer_work(const struct model *m, int layer, char buf[MODEL_WORK])
{
	const struct layer *l = &m->layer[layer];
	const struct op *op = &m->op[l->op];
	const struct window *w = &op->window;
	char window[48] = "", groups[24] = "";
	if (op->kind == OP_CONV)
		snprintf(window, sizeof window, "%dx%d/%d ", w->h, w->w, w->stride);
	if (op->kind == OP_CONV && op->groups > 1 && op->groups != l->in.c)
		snprintf(groups, sizeof groups, " by %d", op->groups);
	snprintf(buf, MODEL_WORK, "%s %s%dx%dx%d to %dx%dx%d%s", model_layer_kind(m, layer), window, l->in.h, l->in.w, l->in.c,
		l->out.h, l->out.w, l->out.c, groups);
	return buf;
}
