// SPDX-License-Identifier: GPL-3.0-or-later
// Reads device files.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/hardware/inside.h"
#include "engine/hardware/times.h"

enum { DEVICE_VERSION = 1 };

// The names of a group's figures, as advice.
static const char *expected(const char *group, char *buf, size_t size)
{
	snprintf(buf, size, "expected one of");
	for (size_t i = 0; i < device_figure_count; i++)
		if (strcmp(device_figures[i].group, group) == 0) {
			size_t used = strlen(buf);
			snprintf(buf + used, size - used, " %s", device_figures[i].name);
		}
	if (!group[0]) {
		size_t used = strlen(buf);
		snprintf(buf + used, size - used,
			" peaks power energy inner outer rows whole reach efficiency kernel name source "
			"recalled assumed fitted measured");
	}
	return buf;
}

// What a file may call a figure, beside its name: one name for two types.
static const struct alias {
	const char *name, *of[2];
} aliases[] = {{"fp8", {"e4m3", "e5m2"}}};

static const struct alias *alias_named(const char *group, const char *name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strcmp(aliases[i].name, name) == 0 && device_figure_named(group, aliases[i].of[0]))
			return &aliases[i];
	return NULL;
}

static bool read_figure(const char *path, const char *group, const char *name, json_t *json, struct device *d,
	struct fault *fault)
{
	const struct device_figure *f = device_figure_named(group, name);
	const struct alias *both = f ? NULL : alias_named(group, name);
	if (both)
		return read_figure(path, group, both->of[0], json, d, fault) &&
			read_figure(path, group, both->of[1], json, d, fault);
	char todo[512];
	const char *dot = group[0] ? "." : "";
	if (!f)
		return fault_set(fault, path, expected(group, todo, sizeof todo), "%s%s%s: no such figure", group, dot, name);
	double value = json_is_number(json) ? json_number_value(json) : (double)NAN;
	bool unknown = json_is_null(json) && strcmp(group, "peaks") == 0;
	if (!unknown && (!(value >= f->least && value <= f->most) || (f->whole && value != floor(value)))) {
		snprintf(todo, sizeof todo, "expected a %s between %g and %g%s%s%s", f->whole ? "whole number" : "number",
			f->least, f->most, f->unit[0] ? " (" : "", f->unit, f->unit[0] ? ")" : "");
		char *got = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
		fault_set(fault, path, todo, "%s%s%s: %s cannot be used", group, dot, name, got ? got : "this");
		free(got);
		return false;
	}
	value *= f->factor;
	memcpy((char *)d + f->offset, &value, sizeof value);
	return true;
}

static bool read_text(const char *path, const char *name, json_t *json, char *to, size_t size, struct fault *fault)
{
	const char *text = json_string_value(json);
	if (!text || !text[0] || strlen(text) >= size)
		return fault_set(fault, path, "expected a text", "%s: not a text, empty, or longer than %zu", name, size - 1);
	snprintf(to, size, "%s", text);
	text_clean(to, ""); // it is shown
	return true;
}

static bool add_mark(char *to, const char *group, const char *name)
{
	size_t used = strlen(to), room = DEVICE_MARKS - used;
	int length = snprintf(to + used, room, "%s%s%s%s", used ? " " : "", group, group[0] ? "." : "", name);
	return length > 0 && (size_t)length < room;
}

// A list of figures' names: ["bandwidth", "peaks.int8"].
static bool read_marks(const char *path, const char *name, json_t *json, char *to, struct fault *fault)
{
	size_t i;
	json_t *item;
	if (!json_is_array(json))
		return fault_set(fault, path, "expected a list such as [\"bandwidth\", \"peaks.int8\"]", "%s: not a list", name);
	json_array_foreach(json, i, item)
	{
		const char *text = json_string_value(item), *dot = text ? strchr(text, '.') : NULL;
		char group[32] = "";
		if (dot)
			snprintf(group, sizeof group, "%.*s", (int)(dot - text), text);
		const char *its = text ? dot ? dot + 1 : text : "";
		const struct alias *both = alias_named(group, its);
		if (!both && !device_figure_named(group, its))
			return fault_set(fault, path, "expected names of figures such as bandwidth or peaks.int8",
				"%s[%zu]: %s is not one", name, i, text ? text : "this");
		for (int k = 0; k < (both ? 2 : 1); k++)
			if (!add_mark(to, group, both ? both->of[k] : its))
				return fault_set(fault, path, "name each figure once", "%s: too many names", name);
	}
	return true;
}

// Read here to be checked; what prices by it reads it again.
static bool read_times(const char *path, json_t *json, struct device *d, struct fault *fault)
{
	struct times t;
	if (strlen(path) >= sizeof d->times)
		return fault_set(fault, path, "name a shorter path", "the name is too long");
	if (!times_of_json(path, json, &t, fault))
		return false;
	times_free(&t);
	snprintf(d->times, sizeof d->times, "%s", path);
	return true;
}

static bool read_member(const char *path, const char *name, json_t *json, struct device *d, struct fault *fault)
{
	if (strcmp(name, "bitscape-device") == 0)
		return true;
	if (strcmp(name, "name") == 0)
		return read_text(path, name, json, d->name, sizeof d->name, fault);
	if (strcmp(name, "source") == 0)
		return read_text(path, name, json, d->source, sizeof d->source, fault);
	if (strcmp(name, "recalled") == 0)
		return read_marks(path, name, json, d->recalled, fault);
	if (strcmp(name, "assumed") == 0)
		return read_marks(path, name, json, d->assumed, fault);
	if (strcmp(name, "fitted") == 0)
		return read_marks(path, name, json, d->fitted, fault);
	if (strcmp(name, "measured") == 0)
		return read_times(path, json, d, fault);
	bool group = false;
	for (size_t i = 0; name[0] && i < device_figure_count; i++)
		group = group || strcmp(device_figures[i].group, name) == 0;
	if (!group)
		return read_figure(path, "", name, json, d, fault);
	if (!json_is_object(json))
		return fault_set(fault, path, "expected an object such as {\"int8\": 275}", "%s: not an object", name);
	const char *key;
	json_t *value;
	json_object_foreach(json, key, value) if (!read_figure(path, name, key, value, d, fault)) return false;
	return true;
}

static bool read_device(const char *path, json_t *root, struct device *d, struct fault *fault)
{
	json_t *version = json_object_get(root, "bitscape-device");
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return fault_set(fault, path, "it starts with {\"bitscape-device\": 1, \"name\": …",
			"not a device file of bitscape");
	if (json_integer_value(version) > DEVICE_VERSION)
		return fault_set(fault, path, "use a newer bitscape", "version %lld of device files; this one reads %d",
			(long long)json_integer_value(version), DEVICE_VERSION);
	const char *name;
	json_t *value;
	json_object_foreach(root, name, value) if (!read_member(path, name, value, d, fault)) return false;
	bool computes = false;
	for (int n = 0; n < NATIVES; n++)
		computes = computes || d->peak[n] != 0;
	if (!d->name[0] || !d->source[0])
		return fault_set(fault, path, "expected a text", "%s: missing", d->name[0] ? "source" : "name");
	if (!computes && !d->times[0])
		return fault_set(fault, path,
			"expected at least one, such as {\"peaks\": {\"int8\": 4}}; null: at an unknown rate",
			"peaks: none given");
	return true;
}

bool device_read(const char *path, struct device *d, struct fault *fault)
{
	json_t *root = json_file_read(path, DEVICE_BYTES, "mend the file", fault);
	if (!root)
		return false;
	*d = (struct device){0};
	bool ok = read_device(path, root, d, fault);
	json_decref(root);
	if (ok)
		device_defaults(d);
	return ok;
}
