// SPDX-License-Identifier: GPL-3.0-or-later
// The words of a search for completion and help, as engine.h names them.
#include <stdlib.h>

#include "engine/hardware/device.h"
#include "engine/machine.h"
#include "engine/model/model.h"
#include "engine/model/published.h"
#include "engine/quant/format.h"
#include "engine/search/knobs.h"

const char *const *engine_nets(void)
{
	return model_names();
}

const char *const *engine_formats(void)
{
	static _Thread_local const char *list[FORMATS + 1];
	for (int i = 0; i < FORMATS; i++)
		list[i] = format_table[i].name;
	return list;
}

const char *const *engine_terms(void)
{
	enum { PLACED = 64 };
	static _Thread_local const char *list[COST_NAMES + TERM_IDS + PLACED + 1];
	static _Thread_local char placed[PLACED][ENGINE_NAME];
	int count = 0, sites = 0;
	struct term_name read;
	for (int i = 0; i < TERM_IDS; i++)
		if (term_read(term_kinds[i].name, &read) && read.kind == &term_kinds[i]) // a name of two kinds once
			list[count++] = term_kinds[i].name;
	for (const char *const *name = cost_terms(); *name; name++)
		if (term_read(*name, &read) && read.device) // the others are among the kinds
			list[count++] = *name;
	for (int i = 0; i < TERM_IDS; i++)
		for (int k = 0; term_kinds[i].where == AT_SITE && k < site_count && sites < PLACED; k++)
			if (term_write(term_kinds[i].id, site_table[k].name, placed[sites], sizeof placed[sites]))
				list[count++] = placed[sites++];
	list[count] = NULL;
	return list;
}

const char *const *engine_devices(void)
{
	return device_names();
}

const char *engine_sensitivity(const char *net)
{
	struct model *m = model_named(net, (struct shape){0}, 0, NULL);
	int *row = m ? calloc((size_t)m->layers + 1, sizeof *row) : NULL;
	const char *name = row && published_for(m, row, NULL) ? "hawq" : "none";
	free(row);
	model_free(m);
	return name;
}
