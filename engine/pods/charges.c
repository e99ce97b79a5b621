// SPDX-License-Identifier: GPL-3.0-or-later
// What a mapping's choices cost by each kind of term, in which units, and how targets are read.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/mapped.h"

bool mapping_has(const struct mapping *m, enum term_id id, struct fault *fault)
{
	const struct pod *pod = &m->world.pod[0];
	if (term_kinds[id].subject != SUBJECT_MACHINE) {
		char advice[160];
		return fault_set(fault, term_kinds[id].name, term_advice(SUBJECT_MACHINE, true, advice, sizeof advice),
			"it is a cost of networks, not of machines");
	}
	return (id != TERM_WORK && id != TERM_CARBON) || pod_value(pod, POD_POWER) > 0 ||
		fault_set(fault, pod->name, "choose tpu_v4, or a file of one's own with a power",
			"the power of its chips is unknown");
}

// Of the run, or of 1000 tokens.
static struct footprint footprint(const struct mapping *m, const struct site *site, const struct mapped *x)
{
	double tokens = m->serve ? 1000 : m->tokens, rate = x->rate * (m->serve ? 1 : m->job.net.sequence);
	return footprint_of(tokens / rate, x->chips, pod_value(&m->world.pod[0], POD_POWER), site);
}

double mapping_cost(const struct mapping *m, enum term_id id, const struct site *site, const struct mapped *x)
{
	switch (id) {
	case TERM_CHIPS: return x->chips;
	case TERM_MEMORY: return x->memory;
	case TERM_STEP: return x->step * 1e3;
	case TERM_WORK: return footprint(m, site, x).mwh * 1e6;
	case TERM_CARBON: return footprint(m, site, x).net * (m->serve ? 1e6 : 1);
	default: return NAN;
	}
}

static const struct unit_row {
	enum term_id id;
	struct mapping_unit training, serving;
} unit_rows[] = {
	{TERM_CHIPS, {"chips", "chips", ""}, {"chips", "chips", ""}},
	{TERM_MEMORY, {"B per chip", "B/chip", "B"}, {"B per chip", "B/chip", "B"}},
	{TERM_STEP, {"ms per step", "ms/step", "ms"}, {"ms per token", "ms/token", "ms"}},
	{TERM_WORK, {"Wh per run", "Wh/run", "Wh"}, {"Wh per 1000 tokens", "Wh/1k tok", "Wh"}},
	{TERM_CARBON, {"t CO2e per run", "t/run", "t"}, {"g CO2e per 1000 tokens", "g/1k tok", "g"}},
};

struct mapping_unit mapping_unit(const struct mapping *m, enum term_id id)
{
	size_t i = 0;
	while (i + 1 < sizeof unit_rows / sizeof *unit_rows && unit_rows[i].id != id)
		i++;
	return m->serve ? unit_rows[i].serving : unit_rows[i].training;
}

static const struct {
	const char *text, *symbol; // symbol: of the unit that it is a multiple of
	double factor;
} suffixes[] = {
	{"GiB", "B", 1073741824.},
	{"MiB", "B", 1048576.},
	{"us", "ms", 1e-3},
	{"ms", "ms", 1},
	{"s", "ms", 1e3},
	{"kg", "g", 1e3},
	{"kg", "t", 1e-3},
	{"t", "g", 1e6},
};

// The factor of what stands behind a number; 0: it means nothing here.
static double suffix_factor(const char *text, const char *symbol, double dearest)
{
	static const struct {
		char prefix;
		double factor;
	} prefixes[] = {{'k', 1e3}, {'M', 1e6}, {'G', 1e9}, {'T', 1e12}};
	if (strcmp(text, "x") == 0)
		return dearest;
	if (!*text || strcmp(text, symbol) == 0)
		return 1;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcmp(suffixes[i].symbol, symbol) == 0 && strcmp(suffixes[i].text, text) == 0)
			return suffixes[i].factor;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && strcmp(symbol, "ms") != 0; i++)
		if (*text == prefixes[i].prefix && (!text[1] || strcmp(text + 1, symbol) == 0))
			return prefixes[i].factor;
	return 0;
}

bool mapping_target(const struct mapping *m, enum term_id id, double dearest, const char *text, double *target,
	struct fault *fault)
{
	static const char *const advice[] = {
		[TERM_CHIPS] = "give a number of chips, or a multiple of the most (0.5x)",
		[TERM_MEMORY] = "give bytes a chip (24GiB, 20GB), or a multiple of the dearest choice (0.5x)",
		[TERM_STEP] = "give a time (30ms, 2s), or a multiple of the dearest choice (0.5x)",
		[TERM_WORK] = "give an energy (800Wh, 1.2GWh), or a multiple of the dearest choice (0.5x)",
		[TERM_CARBON] = "give a mass (300g, 2t), or a multiple of the dearest choice (0.5x)",
	};
	char *end;
	double value = strtod(text, &end), factor = end == text ? 0 : suffix_factor(end, mapping_unit(m, id).symbol, dearest);
	if (!(factor > 0 && value > 0 && isfinite(value * factor)))
		return fault_set(fault, term_kinds[id].name, advice[id], "\"%s\" is not a target", text);
	*target = value * factor;
	return true;
}
