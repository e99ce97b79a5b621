// SPDX-License-Identifier: GPL-3.0-or-later
// `describe`: a network's layers, or its description as a file.
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"

static void add_layer(struct string *t, const struct layer_info *l, int wide, double all, bool attention)
{
	char in[32], out[32], kernel[32], macs[32], products[32], weights[32];
	snprintf(kernel, sizeof kernel, "%dx%d", l->kernel_h, l->kernel_w);
	string_add(t, "%-*s  %-9s %13s %13s %6s %6d %6d %8s %8s %6.2f %%", wide, l->name, l->kind,
		question_shape(l->in_h, l->in_w, l->in_c, in), question_shape(l->out_h, l->out_w, l->out_c, out), kernel,
		l->stride, l->groups, question_count(l->macs, macs), question_count(l->weights, weights),
		all > 0 ? 100 * l->macs / all : 0);
	if (attention)
		string_add(t, " %9s", question_count_or_none(l->attention_macs, products));
	string_add(t, "\n");
}

// What it costs with one format in every layer.
static bool add_uniform(struct string *t, const struct description *d, struct fault *f)
{
	static const char *const formats[] = {"int4", "int8", "bf16"}, *const terms[] = {"bops", "size"};
	for (size_t k = 0; k < sizeof terms / sizeof *terms; k++) {
		struct costing *c = costing_new(d, terms[k], 0, f);
		bool ok = c != NULL;
		string_add(t, "%-5s", terms[k]);
		for (size_t i = 0; ok && i < sizeof formats / sizeof *formats; i++) {
			double total;
			char number[96];
			ok = costing_total(c, &(struct layer_formats){formats[i], formats[i]}, 1, &total, f);
			if (ok)
				string_add(t, "%s %s in %s", i ? "," : "",
					number_brief(total, costing_unit(c), number, sizeof number), formats[i]);
		}
		costing_free(c);
		if (!ok)
			return false;
		string_add(t, "\n");
	}
	return true;
}

static void add_told(struct string *t, const char *format, const char *by, bool last)
{
	string_add(t, last ? "  %-6s %s\n" : "  %-6s %-14s", format ? format : "-", format ? by : "");
}

// The formats that the file itself has.
static void add_quantized(struct string *t, const struct description_info *info, int wide)
{
	if (!info->quantized)
		return;
	string_add(t, "quantized: the file rounds %d of %d layers\n%-*s  %-21s  %s\n", info->quantized, info->layers, wide,
		"layer", "weights, told by", "inputs, told by");
	for (int i = 0; i < info->layers; i++) {
		const struct layer_info *l = &info->layer[i];
		string_add(t, "%-*s", wide, l->name);
		add_told(t, l->weight_told, l->weight_by, false);
		add_told(t, l->activation_told, l->activation_by, true);
	}
	if (info->told[0])
		string_add(t, "%s\n", info->told);
}

// What nobody knows, and what therefore lacks in the figures.
static void add_unknown(struct string *t, const struct description_info *info)
{
	if (!info->unknowns)
		return;
	string_add(t, "not costed, but for what they read and write; the network cannot run or be searched:\n");
	for (int i = 0; i < info->unknowns; i++)
		string_add(t, "  %s\n", info->unknown[i]);
}

static void add_choices(struct string *t, const struct description_info *info)
{
	int wide = 4, options = 7;
	for (int i = 0; i < info->choices; i++) {
		int name = (int)strlen(info->choice[i].name), words = (int)strlen(info->choice[i].options);
		wide = name > wide ? name : wide;
		options = words > options ? words : options;
	}
	string_add(t, "%-*s  %-*s  %-8s  %s\n", wide, "slot", options, "options", "above", "only with");
	for (int i = 0; i < info->choices; i++) {
		const struct description_choice *c = &info->choice[i];
		string_add(t, "%-*s  %-*s  %-8s  %s\n", wide, c->name, options, c->options, c->standard, c->when);
	}
	char decisions[32], networks[32];
	string_add(t, "%d slots: %s choices of the architecture, %s different networks\n", info->choices,
		question_large(info->decisions, decisions), question_large(info->networks, networks));
}

static bool add_description(const struct description *d, void *context, struct fault *f)
{
	struct string *t = context;
	const struct description_info *info = description_info(d);
	const int wide = question_names_width(info);
	const bool attention = info->attention_macs > 0;
	char macs[96], weights[32], parameters[32], activations[32], most[32];
	string_add(t, "%s: %s%s%s%s\n", info->name, info->help, info->keys[0] ? " (takes " : "", info->keys,
		info->keys[0] ? ")" : "");
	string_add(t, "%-*s  %-9s %13s %13s %6s %6s %6s %8s %8s %8s%s\n", wide, "layer", "kind", "in", "out", "kernel", "stride",
		"groups", "MACs", "weights", "of MACs", attention ? " attention" : "");
	for (int i = 0; i < info->layers; i++)
		add_layer(t, &info->layer[i], wide, info->macs + info->attention_macs, attention);
	string_add(t,
		"%d layers, %d operators: %s for one image, %s weights, %s parameters, %s activations "
		"(%s in the layer that reads most), %d classes\n",
		info->layers, info->operators, question_macs(info, macs), question_count(info->weights, weights),
		question_count(info->parameters, parameters), question_count(info->activations, activations),
		question_count(info->most_activations, most), info->classes);
	if (attention)
		string_add(t,
			"attention: MACs of the attention that reads the layer. Its two products have no weights: bops does not count them,\n"
			"latency and energy do.\n");
	add_unknown(t, info);
	add_quantized(t, info, wide);
	bool ok = add_uniform(t, d, f);
	if (info->choices)
		add_choices(t, info);
	return ok;
}

bool question_write(const struct description *d, const char *path, struct fault *f)
{
	char *bytes = NULL;
	size_t size = 0;
	struct fault why = {0};
	FILE *file = open_memstream(&bytes, &size);
	bool ok = file && description_write(d, file, &why);
	if (file)
		ok = fclose(file) == 0 && ok;
	if (ok)
		ok = disk_replace(path, bytes, size, f);
	else if (why.what[0])
		*f = why;
	else
		fault_memory(f, path);
	free(bytes);
	return ok;
}

static bool write_to(const struct description *d, void *path, struct fault *f)
{
	return question_write(d, path, f);
}

bool run_describe(struct command_call *call)
{
	const char *name = call->argv[0];
	struct string t = {0};
	if (question_is_pattern(name))
		return fault_set(&call->fault, name, "`catalog` lists them", "describe one network at a time");
	if (call->argc == 1)
		return question_tell(call, &t, question_each_network(name, add_description, &t, &call->fault));
	if (strcmp(call->argv[1], "counters") == 0)
		return run_counters(call);
	bool ok = question_each_network(name, write_to, call->argv[1], &call->fault);
	if (ok)
		call->say(call, "wrote %s", call->argv[1]);
	return ok;
}
