// SPDX-License-Identifier: GPL-3.0-or-later
// The words of a search for completion and help, as engine.h names them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hardware/device.h"
#include "engine/model/model.h"
#include "engine/model/published.h"
#include "engine/quant/format.h"
#include "engine/search/knobs.h"
#include "engine/space/space.h"

// Splits "a|b" once into a NULL-terminated list.
static const char *const *words_of(const char *name, const char *list[], char *store, size_t size)
{
	snprintf(store, size, "%s", knobs_words(name));
	int n = 0;
	for (char *w = strtok_r(store, "|", &store); w; w = strtok_r(NULL, "|", &store))
		list[n++] = w;
	list[n] = NULL;
	return list;
}

const char *const *engine_nets(void)
{
	return model_names();
}

const char *const *engine_data(void)
{
	static _Thread_local const char *list[16];
	static _Thread_local char store[ENGINE_TEXT];
	return words_of("data", list, store, sizeof store);
}

const char *const *engine_presets(void)
{
	static _Thread_local const char *list[16];
	static _Thread_local char store[ENGINE_TEXT];
	return words_of("preset", list, store, sizeof store);
}

const char *const *engine_spaces(void)
{
	static _Thread_local const char *list[SPACE_NAMES + 1];
	for (int i = 0; i < SPACE_NAMES; i++)
		list[i] = space_names[i].name;
	return list;
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
	static const char *const always[] = TERMS_ALWAYS;
	enum { ALWAYS = sizeof always / sizeof *always };
	static _Thread_local const char *list[COST_NAMES + 3];
	int count = 0;
	for (int i = 0; i < ALWAYS; i++)
		list[count++] = always[i];
	for (const char *const *name = cost_terms(); *name; name++)
		if (strchr(*name, '@')) // the others are among those
			list[count++] = *name;
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
