// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/reaching.h"

#include <string.h>

#include "engine/export/reach.h"
#include "engine/quant/format.h"
#include "engine/space/space.h"

// NULL: for nobody in particular.
static const struct reach *reach_set(const struct knobs *k)
{
	char reader[ENGINE_NAME];
	return k->reach != REACH_ANY && knobs_get(k, "reach", reader, sizeof reader) ? reach_of(NULL, reader, NULL) : NULL;
}

bool reaching_fits(const struct knobs *k, struct fault *fault)
{
	return !reach_set(k) || strcmp(k->pod, "none") == 0 ||
		fault_set(fault, "reach", "leave it out", "with pod= no network is searched that could leave");
}

bool reaching_formats(const struct knobs *k, char *space, size_t space_size, char *left_out, size_t left_size,
	struct fault *fault)
{
	const struct reach *reach = reach_set(k);
	int format[SPACE_OPTIONS], count = space_formats(k->space, format, fault);
	size_t kept = 0, left = 0;
	space[0] = left_out[0] = '\0';
	for (int i = 0; i < count; i++) {
		const char *name = format_table[format[i]].name;
		if (!reach || reach->has(format[i]))
			kept += (size_t)snprintf(space + kept, space_size - kept, "%s%s", kept ? "," : "", name);
		else
			left += (size_t)snprintf(left_out + left, left_size - left, "%s%s", left ? ", " : "", name);
	}
	if (left)
		snprintf(left_out + left, left_size - left, " (%s)", reach->lacks);
	return kept > 0 ||
		(count &&
			fault_set(fault, "space", "name others, or leave reach= out", "%s runs none of its formats: %s",
				reach->program, reach->lacks));
}
