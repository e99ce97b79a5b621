// SPDX-License-Identifier: GPL-3.0-or-later
// From a choice to a plan.
#include "engine/space/space.h"

static void give_formats(const struct space *s, const uint8_t *choice, int layer, struct layer_plan *to)
{
	int w = space_slot(layer, HALF_WEIGHT), a = space_slot(layer, HALF_ACTIVATION);
	*to = (struct layer_plan){space_format(s, w, choice[w]), space_format(s, a, choice[a])};
}

void space_give_formats(const struct space *s, const uint8_t *choice, struct plan *plan)
{
	for (int l = 0; l < plan->model->layers; l++)
		give_formats(s, choice, plan->path ? plan->path->layer[l] : l, &plan->layer[l]);
}

void space_plan(const struct space *s, const uint8_t *choice, struct plan *plan)
{
	plan->model = s->model;
	plan->path = NULL;
	space_give_formats(s, choice, plan);
}

bool space_settle(const struct space *s, const struct blueprint *blueprint, const uint8_t *choice, struct plan *plan,
	struct path *path, struct fault *fault)
{
	if (s->slots == s->formats) {
		space_plan(s, choice, plan);
		return true;
	}
	path->whole = s->model;
	if (!blueprint_settle(blueprint, choice + s->formats, path, fault))
		return false;
	plan->model = path->model;
	plan->path = path;
	space_give_formats(s, choice, plan);
	return true;
}
