// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/beginning.h"

#include <string.h>

#include "engine/base/safetensors.h"
#include "engine/model/weights.h"

static bool take_described(struct network *net, const struct model *whole, const struct knobs *k, struct fault *fault)
{
	if (!model_has_weights(k->net))
		return true;
	struct weights *w = model_weights(k->net, whole->op[0].out, whole->classes, whole->name, fault);
	bool ok = w && network_take_weights(net, w, fault);
	weights_free(w);
	return ok;
}

bool begin_with_weights(struct network *net, const struct model *whole, const struct knobs *k, struct fault *fault)
{
	if (!take_described(net, whole, k, fault))
		return false;
	if (strcmp(k->init, "none") == 0)
		return true;
	struct safetensors *file = safetensors_read(k->init, fault);
	bool ok = file && network_read_weights(net, file, k->norms == NORMS_FOLDED, fault);
	safetensors_free(file);
	return ok;
}
