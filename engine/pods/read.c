// SPDX-License-Identifier: GPL-3.0-or-later
// Reads pod files.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/hardware/device.h"
#include "engine/pods/inside.h"

enum { POD_VERSION = 1, POD_BYTES = 1 << 20 };

static bool read_text(const char *path, json_t *root, const char *name, char *to, size_t size, struct fault *fault)
{
	const char *text = json_string_value(json_object_get(root, name));
	if (!text || !text[0] || strlen(text) >= size)
		return fault_set(fault, path, "expected a text", "%s: missing, not a text, or longer than %zu", name, size - 1);
	snprintf(to, size, "%s", text);
	text_clean(to, "");
	return true;
}

static int figure_named(const char *name, struct nearest *near)
{
	for (int f = 0; f < POD_FIGURES; f++) {
		nearest_offer(near, pod_figures[f].name);
		if (strcmp(pod_figures[f].name, name) == 0)
			return f;
	}
	return -1;
}

// A number of the figure's unit, in SI.
static bool read_number(const char *path, const char *where, int f, json_t *json, double *to, struct fault *fault)
{
	const struct pod_figure_row *row = &pod_figures[f];
	double value = json_is_number(json) ? json_number_value(json) : (double)NAN;
	if (!(value >= row->least && value <= row->most) || (row->whole && value != floor(value))) {
		char todo[128];
		snprintf(todo, sizeof todo, "expected a %s from %g to %g (%s)", row->whole ? "whole number" : "number",
			row->least, row->most, row->unit);
		char *got = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
		fault_set(fault, path, todo, "figures.%s: %.60s will not do", where, got ? got : "nothing");
		free(got);
		return false;
	}
	*to = value * row->factor;
	return true;
}

static bool read_figure(const char *path, const char *name, json_t *json, struct pod *p, struct fault *fault)
{
	struct nearest near = nearest_to(name);
	char advice[128], where[64];
	int f = figure_named(name, &near);
	if (f < 0)
		return fault_set(fault, path,
			nearest_advice(&near, "`pods tpu_v4` shows the figures of a pod", advice, sizeof advice),
			"figures.%.60s: no such figure", name);
	struct figure_value *v = &p->figure[f];
	if (!json_is_object(json)) {
		v->kind = INPUT_PUBLISHED;
		if (!read_number(path, name, f, json, &v->value, fault))
			return false;
		v->low = v->high = v->value;
		return true;
	}
	static const char *const parts[] = {"value", "low", "high"};
	double *const to[] = {&v->value, &v->low, &v->high};
	const char *key;
	json_t *unused;
	json_object_foreach(json, key, unused) if (strcmp(key, "value") != 0 && strcmp(key, "low") != 0 &&
		strcmp(key, "high") != 0) return fault_set(fault, path, "a range is {\"value\": V, \"low\": L, \"high\": H}",
		"figures.%s.%.60s: no such part", name, key);
	for (int i = 0; i < 3; i++) {
		snprintf(where, sizeof where, "%s.%s", name, parts[i]);
		if (!read_number(path, where, f, json_object_get(json, parts[i]), to[i], fault))
			return false;
	}
	v->kind = INPUT_UNKNOWN;
	if (!(v->low <= v->value && v->value <= v->high))
		return fault_set(fault, path, "put low, value and high in that order",
			"figures.%s: the value lies outside its range", name);
	return true;
}

static bool read_axes(const char *path, json_t *axes, struct pod *p, struct fault *fault)
{
	long chips = 1;
	for (int i = 0; i < 3; i++)
		p->whole[i] = 1;
	if (!json_is_array(axes) || json_array_size(axes) < 1 || json_array_size(axes) > 3)
		return fault_set(fault, path, "a fixed machine has 1 to 3 axes, [32, 32] say",
			"axes: missing, or not a list of them");
	for (size_t i = 0; i < json_array_size(axes); i++) {
		json_int_t n = json_integer_value(json_array_get(axes, i));
		if (n < 1 || n > 1024)
			return fault_set(fault, path, "expected a whole number from 1 to 1024", "axes[%zu]: will not do", i);
		p->whole[i] = (int)n;
		chips *= (long)n;
	}
	if ((double)chips != p->figure[POD_CHIPS].value)
		return fault_set(fault, path, "make figures.chips their product",
			"axes: they have %ld chips, figures.chips says %g", chips, p->figure[POD_CHIPS].value);
	return true;
}

static bool check_figures(const char *path, const struct pod *p, struct fault *fault)
{
	static const enum pod_figure always[] = {POD_HOST, POD_MEMORY, POD_LINK, POD_CHIPS}, islands[] = {POD_ISLAND, POD_NIC};
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if (p->figure[always[i]].kind == INPUT_NONE)
			return fault_set(fault, path, "add it", "figures.%s: missing", pod_figures[always[i]].name);
	for (size_t i = 0; p->network == NETWORK_ISLANDS && i < sizeof islands / sizeof *islands; i++)
		if (p->figure[islands[i]].kind == INPUT_NONE)
			return fault_set(fault, path, "add it, or choose the network \"fixed\" or \"blocks\"",
				"figures.%s: missing", pod_figures[islands[i]].name);
	if (p->network == NETWORK_BLOCKS && p->figure[POD_BLOCK].value != 64)
		return fault_set(fault, path, "set it to 64; other blocks are not modelled",
			"figures.block: blocks of 4x4x4 chips are");
	return true;
}

static bool read_pod(const char *path, json_t *root, struct pod *p, struct fault *fault)
{
	static const char *const known[] = {
		"bitscape-pod", "name", "device", "source", "network", "axes", "twists", "figures", NULL};
	const char *key, *network = json_string_value(json_object_get(root, "network"));
	json_t *value, *version = json_object_get(root, "bitscape-pod"), *figures = json_object_get(root, "figures");
	char advice[160];
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return fault_set(fault, path, "it starts with {\"bitscape-pod\": 1, \"name\": …", "not a pod file of bitscape");
	if (json_integer_value(version) > POD_VERSION)
		return fault_set(fault, path, "use a newer bitscape", "version %lld of pod files; this one reads %d",
			(long long)json_integer_value(version), POD_VERSION);
	json_object_foreach(root, key, value)
	{
		struct nearest near = nearest_to(key);
		int i = 0;
		for (; known[i] && strcmp(known[i], key) != 0; i++)
			nearest_offer(&near, known[i]);
		if (!known[i])
			return fault_set(fault, path, nearest_advice(&near, "figures go into \"figures\"", advice, sizeof advice),
				"%.60s: no such member", key);
	}
	if (!read_text(path, root, "name", p->name, sizeof p->name, fault) ||
		!read_text(path, root, "device", p->device, sizeof p->device, fault) ||
		!read_text(path, root, "source", p->source, sizeof p->source, fault))
		return false;
	int n = 0;
	while (n < POD_NETWORKS && !(network && strcmp(network, pod_networks[n]) == 0))
		n++;
	if (n == POD_NETWORKS)
		return fault_set(fault, path, "expected \"blocks\", \"fixed\" or \"islands\"",
			"network: missing, or not a kind of network");
	p->network = (enum pod_network)n;
	value = json_object_get(root, "twists");
	if (value && !json_is_boolean(value))
		return fault_set(fault, path, "expected true or false", "twists: neither");
	p->twists = json_is_true(value);
	if (!json_is_object(figures))
		return fault_set(fault, path, "add {\"link\": 45, …}", "figures: missing, or not an object");
	json_object_foreach(figures, key, value) if (!read_figure(path, key, value, p, fault)) return false;
	struct device device;
	struct fault inner;
	if (!device_get(p->device, &device, &inner))
		return fault_within(fault, path, &inner);
	return check_figures(path, p, fault) &&
		(p->network != NETWORK_FIXED || read_axes(path, json_object_get(root, "axes"), p, fault));
}

bool pod_read(const char *path, struct pod *p, struct fault *fault)
{
	json_t *root = json_file_read(path, POD_BYTES, "mend the file", fault);
	if (!root)
		return false;
	*p = (struct pod){.whole = {1, 1, 1}};
	p->figure[POD_BLOCK] = (struct figure_value){1, 1, 1, INPUT_DERIVED, NULL};
	p->figure[POD_PODS] = (struct figure_value){1, 1, 1, INPUT_DERIVED, NULL};
	bool ok = read_pod(path, root, p, fault);
	json_decref(root);
	return ok;
}
