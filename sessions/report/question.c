// SPDX-License-Identifier: GPL-3.0-or-later
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "sessions/report/question.h"

const char *question_shape(int h, int w, int c, char buf[32])
{
	snprintf(buf, 32, "%dx%dx%d", h, w, c);
	return buf;
}

const char *question_count(double value, char buf[32])
{
	return number_write(value, "", buf, 32);
}

// The MACs of all layers, and beside them those of attention's products where there are any.
const char *question_macs(const struct description_info *i, char buf[96])
{
	char layers[32], attention[32];
	if (i->attention_macs > 0)
		snprintf(buf, 96, "%s MACs in layers and %s in attention's products", question_count(i->macs, layers),
			question_count(i->attention_macs, attention));
	else
		snprintf(buf, 96, "%s MACs", question_count(i->macs, layers));
	return buf;
}

// A count that most do not have.
const char *question_large(double count, char buf[32])
{
	int power = count < 1e6 ? 0 : (int)floor(log10(count) + 1e-9);
	if (power)
		snprintf(buf, 32, "%.1fe%d", count / pow(10, power), power);
	else
		snprintf(buf, 32, "%.0f", count);
	return buf;
}

const char *question_count_or_none(double value, char buf[32])
{
	return value > 0 ? question_count(value, buf) : "-";
}

bool question_is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

// Takes a built table, or drops it where something failed on the way.
bool question_tell(struct command_call *call, struct string *t, bool ok)
{
	if (!ok)
		string_free(t);
	return ok && say_all(call, t);
}

// Calls each for every network of the catalog that matches, or for the one of this name.
bool question_each_network(const char *name, bool (*each)(const struct description *, void *context, struct fault *),
	void *context, struct fault *f)
{
	bool ok = true, found = false;
	const char *const one[] = {name, NULL};
	for (const char *const *n = question_is_pattern(name) ? engine_nets() : one; ok && *n; n++) {
		if (question_is_pattern(name) && fnmatch(name, *n, 0) != 0)
			continue;
		char its[ENGINE_TEXT];
		snprintf(its, sizeof its, "%s", *n);
		struct description *d = description_open(its, 0, 0, 0, 0, f);
		found = true;
		ok = d && each(d, context, f);
		description_close(d);
	}
	return ok && (found || fault_set(f, name, "`catalog` lists them", "no network has this name"));
}

// The widest of the layers' names and the column's heading.
int question_names_width(const struct description_info *info)
{
	int wide = (int)strlen("layer");
	for (int i = 0; i < info->layers; i++)
		if ((int)strlen(info->layer[i].name) > wide)
			wide = (int)strlen(info->layer[i].name);
	return wide;
}

bool question_check_format(const char *name, const char *otherwise, struct fault *f)
{
	struct nearest near = nearest_to(name);
	char advice[128];
	for (const char *const *format = engine_formats(); *format; format++) {
		if (strcmp(*format, name) == 0)
			return true;
		nearest_offer(&near, *format);
	}
	return fault_set(f, name, nearest_advice(&near, otherwise, advice, sizeof advice), "there is no such format");
}

bool question_add_format(struct question_formats *formats, const char *name, const char *otherwise, struct fault *f)
{
	if (formats->count == QUESTION_FORMATS)
		return fault_set(f, name, "leave some out, or ask twice", "a question has room for %d formats", QUESTION_FORMATS);
	if (!question_check_format(name, otherwise, f))
		return false;
	formats->name[formats->count++] = name;
	return true;
}

void question_usual_formats(struct question_formats *formats, int narrowest)
{
	static const char *const usual[] = {"int2", "int3", "int4", "int5", "int6", "int7", "int8"};
	if (!formats->count)
		for (int bits = narrowest; bits <= 8; bits++)
			formats->name[formats->count++] = usual[bits - 2];
}

struct costing *question_latency(const struct description *d, const char *device, long batch, struct fault *f)
{
	char term[ENGINE_TEXT + 16];
	term_write(TERM_LATENCY, device, term, sizeof term);
	return costing_new(d, term, (int)batch, f);
}
