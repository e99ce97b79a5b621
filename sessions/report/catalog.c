// SPDX-License-Identifier: GPL-3.0-or-later
// `catalog`: the networks side by side.
#include "sessions/report/question.h"

static bool add_network(const struct description *d, void *context, struct fault *f)
{
	(void)f;
	const struct description_info *i = description_info(d);
	char macs[32], attention[32], parameters[32], weights[32], activations[32], most[32], input[32];
	string_add(context, "%-24s %8s %9s %10s %8s %6d %11s %8s  %s\n", i->name, question_count(i->macs, macs),
		question_count_or_none(i->attention_macs, attention), question_count(i->parameters, parameters),
		question_count(i->weights, weights), i->layers, question_count(i->activations, activations),
		question_count(i->most_activations, most), question_shape(i->h, i->w, i->c, input));
	return true;
}

bool run_catalog(struct command_call *call)
{
	struct string t = {0};
	string_add(&t, "%-24s %8s %9s %10s %8s %6s %11s %8s  %s\n", "network", "MACs", "attention", "parameters", "weights",
		"layers", "activations", "largest", "input");
	bool ok = question_each_network(call->argc ? call->argv[0] : "*", add_network, &t, &call->fault);
	string_add(&t,
		"(for one image; MACs: in all layers; attention: MACs of its two products, which have no weights and are in no layer;\n"
		"activations: how many numbers all layers read together; largest: how many the layer reads that reads most)");
	return question_tell(call, &t, ok);
}
