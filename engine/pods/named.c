// SPDX-License-Identifier: GPL-3.0-or-later
// Transformers and sites by their names.
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/pods/inside.h"

// "1.2/0.3/0.1"
static bool read_site(const char *text, struct site *to, struct fault *fault)
{
	char end;
	*to = (struct site){.name = text, .source = "one's own"};
	if (sscanf(text, "%lf/%lf/%lf%c", &to->pue, &to->gross, &to->net, &end) != 3)
		return fault_set(fault, text, "write PUE/GROSS/NET: 1.2/0.3/0.1", "has not the three figures of a site");
	if (!(to->pue >= 1 && to->pue <= 10))
		return fault_set(fault, text, "give a PUE from 1 to 10", "its PUE is %g", to->pue);
	if (!(to->gross >= 0 && to->gross <= 10 && to->net >= 0 && to->net <= to->gross))
		return fault_set(fault, text, "give kg CO2e per kWh from 0 to 10, net at most gross",
			"its factors are %g gross and %g net", to->gross, to->net);
	return true;
}

bool site_get(const char *name, struct site *to, struct fault *fault)
{
	struct nearest near = nearest_to(name);
	char advice[128];
	if (strchr(name, '/'))
		return read_site(name, to, fault);
	for (int i = 0; i < site_count; i++) {
		if (strcmp(name, site_table[i].name) == 0) {
			*to = site_table[i];
			return true;
		}
		nearest_offer(&near, site_table[i].name);
	}
	return fault_set(fault, name,
		nearest_advice(&near, "`carbon sites` lists them; one's own is PUE/GROSS/NET", advice, sizeof advice),
		"there is no such site");
}

// What follows from sizes that were set: the heads' width, and the parameters where they were not said.
bool transformer_resize(struct transformer *t, const struct transformer *from, struct fault *fault)
{
	const double whole[] = {t->layers, t->width, t->heads, t->hidden, t->sequence};
	bool same = memcmp(t, from, sizeof *t) == 0, heads = fabs(t->heads - from->heads) > 0 || fabs(t->width - from->width) > 0;
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (whole[i] > floor(whole[i]))
			return fault_set(fault, from->name, "give whole numbers", "%g is not a whole number", whole[i]);
	if (same)
		return true;
	if (heads && fmod(t->width, t->heads) > 0)
		return fault_set(fault, from->name, "choose heads that divide the width", "a width of %g has no %g heads",
			t->width, t->heads);
	if (heads) {
		t->head_width = t->width / t->heads;
		t->kv_heads = fmin(from->kv_heads < from->heads ? from->kv_heads : t->heads, t->heads);
	}
	double matrix = t->width * (2 * (t->heads + t->kv_heads) * t->head_width + t->hidden * t->matrices);
	if (fabs(t->parameters - from->parameters) <= 0)
		t->parameters = t->layers * matrix + t->vocabulary * t->width;
	t->source = "sizes of one's own";
	return true;
}

const struct transformer_size transformer_sizes[TRANSFORMER_SIZES] = {{"layers", offsetof(struct transformer, layers), 1e4},
	{"width", offsetof(struct transformer, width), 1e7}, {"heads", offsetof(struct transformer, heads), 1e5},
	{"hidden", offsetof(struct transformer, hidden), 1e8}, {"sequence", offsetof(struct transformer, sequence), 1e8},
	{"parameters", offsetof(struct transformer, parameters), 1e15}};

// "layers=48"
static bool read_size(const char *word, struct transformer *t, struct fault *fault)
{
	const char *equals = strchr(word, '=');
	char advice[160], key[64];
	snprintf(key, sizeof key, "%.*s", (int)strcspn(word, "="), word);
	struct nearest near = nearest_to(key);
	for (int i = 0; i < TRANSFORMER_SIZES; i++) {
		const struct transformer_size *size = &transformer_sizes[i];
		nearest_offer(&near, size->name);
		if (!equals || strlen(size->name) != (size_t)(equals - word) ||
			strncmp(size->name, word, strlen(size->name)) != 0)
			continue;
		double value;
		snprintf(advice, sizeof advice, "expected a number from 1 to %g", size->most);
		if (!number_read(equals + 1, &value) || !(value >= 1 && value <= size->most))
			return fault_set(fault, word, advice, "\"%s\" will not do", equals + 1);
		memcpy((char *)t + size->at, &value, sizeof value);
		return true;
	}
	return fault_set(fault, word,
		nearest_advice(&near, "layers=, width=, heads=, hidden=, sequence= and parameters= may be set", advice,
			sizeof advice),
		"no such size");
}

bool transformer_get(const char *spec, struct transformer *t, struct fault *fault)
{
	char name[48], word[64], advice[128];
	const size_t length = strcspn(spec, ":");
	const struct transformer *from = NULL;
	snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), spec);
	struct nearest near = nearest_to(name);
	for (int i = 0; i < transformer_count; i++) {
		nearest_offer(&near, transformer_table[i].name);
		if (strcmp(name, transformer_table[i].name) == 0)
			from = &transformer_table[i];
	}
	if (!from)
		return fault_set(fault, name,
			nearest_advice(&near, "gpt3 is one; with other sizes it is gpt3:layers=48,width=6144", advice,
				sizeof advice),
			"there is no such transformer");
	*t = *from;
	const char *at = spec + length + (spec[length] == ':');
	if (spec[length] && !*at)
		return fault_set(fault, spec, "write gpt3:layers=48", "nothing stands behind the colon");
	while (spec[length] && list_next(&at, word, sizeof word))
		if (!read_size(word, t, fault))
			return false;
	return transformer_resize(t, from, fault);
}
