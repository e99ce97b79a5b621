// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/cost/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/quant/format.h"

// Sum of MACs * weight bits * activation bits over every layer, stem and classifier included: the accounting that
// reproduces FLIQS's figures (bf16 counts 256 per MAC, 8 bit 64, 4 bit 16).
static double bops(const struct layer *l, const struct layer_plan *p)
{
	return l->macs * format_table[p->weight].bits * format_table[p->activation].bits;
}

static double bops_linear(const struct layer *l, const struct layer_plan *p)
{
	int w = format_table[p->weight].bits, a = format_table[p->activation].bits;
	return l->macs * (w > a ? w : a);
}

// Stored weights, and an fp32 scale and bias per output channel (a batch norm folds into them).
static double size(const struct layer *l, const struct layer_plan *p)
{
	return l->weights * format_table[p->weight].bits / 8 + 8.0 * l->out.c;
}

const struct cost_term cost_table[COST_TERMS] = {
	{"bops", "bit ops", "bit operations: MACs x weight bits x activation bits", bops},
	{"bops-linear", "bit ops", "MACs x the wider of weight and activation bits", bops_linear},
	{"size", "B", "stored weights, with an fp32 scale and bias per output channel", size},
};

int cost_named(const char *name)
{
	for (int i = 0; i < COST_TERMS; i++)
		if (strcmp(name, cost_table[i].name) == 0)
			return i;
	return -1;
}

double cost_price(int term, const struct plan *plan, double *layer)
{
	double total = 0;
	for (int i = 0; i < plan->model->layers; i++) {
		double part = cost_table[term].layer(&plan->model->layer[i], &plan->layer[i]);
		if (layer)
			layer[i] = part;
		total += part;
	}
	return total;
}

double cost_uniform(int term, const struct model *model, int format)
{
	struct layer_plan every = {format, format};
	double total = 0;
	for (int i = 0; i < model->layers; i++)
		total += cost_table[term].layer(&model->layer[i], &every);
	return total;
}

bool cost_target(int term, const struct model *model, double widest, const char *text, double *target, struct fault *fault)
{
	static const struct suffix {
		const char *text;
		double factor;
	} suffixes[] = {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}};
	int format = format_named(text);
	if (format >= 0) {
		*target = cost_uniform(term, model, format);
		return true;
	}
	char *end;
	double value = strtod(text, &end);
	double factor = 0;
	if (end != text && strcmp(end, "x") == 0)
		factor = widest;
	for (size_t i = 0; end != text && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (strcmp(end, suffixes[i].text) == 0)
			factor = suffixes[i].factor;
	if (factor > 0 && isfinite(value) && value > 0 && isfinite(value * factor)) {
		*target = value * factor;
		return true;
	}
	return fault_set(fault, cost_table[term].name, "give a format (int4), a multiple of the widest (0.5x) or a number (1.2G)",
		"\"%s\" is not a target", text);
}
