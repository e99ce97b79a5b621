// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/summary.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "engine/base/json.h"
#include "sessions/store/folder.h"

enum { SUMMARY_BYTES = 1 << 16, SUMMARY_VERSION = 1 };

bool summary_write(const char *folder, const struct summary *s, struct fault *f)
{
	char path[FOLDER_PATH];
	if (!folder_file(folder, SUMMARY_FILE, path, sizeof path, f))
		return false;
	json_t *all = json_pack("{s:i, s:s, s:s, s:I, s:I, s:i}", "bitscape-summary", SUMMARY_VERSION, "net", s->net, "data",
		s->data, "step", (json_int_t)s->step, "horizon", (json_int_t)s->horizon, "entries", s->entries);
	if (all && s->scored && isfinite(s->quality)) {
		json_object_set_new(all, s->quality_is_loss ? "loss" : "accuracy",
			json_real(s->quality_is_loss ? -s->quality : s->quality));
		json_object_set_new(all, "estimated", json_boolean(s->estimated));
		json_object_set_new(all, "sampled", json_boolean(s->sampled));
	}
	if (all && s->term[0] && isfinite(s->cost) && isfinite(s->target)) {
		json_t *cost = json_pack("{s:s, s:s, s:f}", "term", s->term, "unit", s->unit, "cost", s->cost);
		if (s->target > 0)
			json_object_set_new(cost, "target", json_real(s->target));
		json_object_set_new(all, "cost", cost);
	}
	return json_file_write(path, all, 0, f);
}

static bool read_count(json_t *from, const char *name, long long most, long long *value)
{
	json_t *number = json_object_get(from, name);
	*value = json_integer_value(number);
	return json_is_integer(number) && *value >= 0 && *value <= most;
}

bool summary_read(const char *folder, struct summary *s)
{
	char path[FOLDER_PATH];
	*s = (struct summary){0};
	json_t *all = folder_file(folder, SUMMARY_FILE, path, sizeof path, NULL) ? json_file_read(path, SUMMARY_BYTES, "", NULL)
										 : NULL;
	long long version, step, horizon, entries;
	bool ok = read_count(all, "bitscape-summary", SUMMARY_VERSION, &version) && read_count(all, "step", LONG_MAX, &step) &&
		read_count(all, "horizon", LONG_MAX, &horizon) && read_count(all, "entries", INT_MAX, &entries);
	if (ok) {
		s->step = (long)step;
		s->horizon = (long)horizon;
		s->entries = (int)entries;
		json_word(all, "net", s->net, sizeof s->net);
		json_word(all, "data", s->data, sizeof s->data);
		json_t *accuracy = json_object_get(all, "accuracy"), *loss = json_object_get(all, "loss"),
		       *cost = json_object_get(all, "cost");
		s->scored = json_is_number(accuracy) || json_is_number(loss);
		s->quality_is_loss = json_is_number(loss);
		s->quality = s->quality_is_loss ? -json_number_value(loss) : json_number_value(accuracy);
		s->estimated = json_is_true(json_object_get(all, "estimated"));
		s->sampled = json_is_true(json_object_get(all, "sampled"));
		json_word(cost, "term", s->term, sizeof s->term);
		json_word(cost, "unit", s->unit, sizeof s->unit);
		s->cost = json_number_value(json_object_get(cost, "cost"));
		s->target = json_number_value(json_object_get(cost, "target"));
	}
	json_decref(all);
	return ok;
}

const char *summary_cost(const struct summary *s, double cost, char *buf, size_t size)
{
	struct term_name name;
	bool count = term_read(s->term, &name) && name.kind->quantity == QUANTITY_COUNT; // which the term says itself
	return number_brief(cost, count ? "" : s->unit, buf, size);
}

const char *summary_result(const struct summary *s, char *buf, size_t size)
{
	char cost[ENGINE_TEXT], target[ENGINE_TEXT];
	int n = 0;
	buf[0] = '\0';
	const char *kind = s->estimated ? "estimated" : "held-out", *whose = s->sampled ? " of the sampled choices" : "";
	if (s->scored && s->quality_is_loss)
		n = snprintf(buf, size, "%s loss %.4f%s", kind, -s->quality, whose);
	else if (s->scored)
		n = snprintf(buf, size, "%s accuracy %.2f %%%s", kind, 100 * s->quality, whose);
	if (!s->term[0] || n < 0 || (size_t)n >= size)
		return buf;
	char *at = buf + n;
	summary_cost(s, s->cost, cost, sizeof cost);
	if (s->target > 0)
		snprintf(at, size - (size_t)n, "%s%s %s (target %s)", n ? ", " : "", s->term, cost,
			summary_cost(s, s->target, target, sizeof target));
	else
		snprintf(at, size - (size_t)n, "%s%s %s (no target)", n ? ", " : "", s->term, cost);
	return buf;
}
