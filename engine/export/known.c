// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/export.h"

bool export_knows(const struct model *m, struct fault *fault)
{
	static const bool known[OP_KINDS] = {[OP_INPUT] = true,
		[OP_CONV] = true,
		[OP_LINEAR] = true,
		[OP_NORM] = true,
		[OP_ACT] = true,
		[OP_ADD] = true,
		[OP_SCALE] = true,
		[OP_CONCAT] = true,
		[OP_POOL] = true,
		[OP_AVERAGE] = true,
		[OP_MAXIMUM] = true};
	for (int i = 0; i < m->ops; i++)
		if (!known[m->op[i].kind])
			return fault_set(fault, m->name, "networks of convolutions and linear layers can be written",
				"it has an operator that is not written: %s", model_kind(m->op[i].kind));
	return true;
}
