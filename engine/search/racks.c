// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/racks.h"

#include <string.h>

#include "engine/machine.h"

bool racks_fit(const struct knobs *k, struct fault *fault)
{
	struct pod pod;
	struct block_grid grid;
	struct goodput_case c = {0};
	struct job_size mix[GOODPUT_MIXES];
	bool its = strcmp(k->pod, "none") != 0 && pod_get(k->pod, &pod, NULL) && block_grid_of(&pod, &grid, NULL);
	if (!its && !(pod_get("tpu_v4", &pod, fault) && block_grid_of(&pod, &grid, fault)))
		return false;
	if (k->spares >= grid.blocks)
		return fault_set(fault, "spares", "hold fewer back", "%s has %d blocks in all", pod.name, grid.blocks);
	return goodput_jobs_read(k->jobs, &pod, &c, mix, fault);
}
