// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/hardware/inside.h"
#include "engine/quant/format.h"

// ---- a table ----

static void free_row(struct time_row *r)
{
	free(r->sample);
	free(r->behinds);
}

void times_free(struct times *t)
{
	for (int i = 0; i < t->count; i++)
		free_row(&t->row[i]);
	free(t->row);
	*t = (struct times){0};
}

static bool copy_samples(double **to, const double *from, int count)
{
	*to = NULL;
	if (!from || !count)
		return true;
	*to = malloc((size_t)count * sizeof **to);
	if (*to)
		memcpy(*to, from, (size_t)count * sizeof **to);
	return *to;
}

struct time_row *times_add(struct times *t, const struct time_row *row, struct fault *fault)
{
	if (t->count == TIMES_ROWS) {
		fault_set(fault, row->layer[0] ? row->layer : row->work, "begin another device file",
			"a table has at most %d rows", TIMES_ROWS);
		return NULL;
	}
	if ((size_t)t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct time_row *more = realloc(t->row, room * sizeof *more);
		if (!more) {
			fault_memory(fault, "measured times");
			return NULL;
		}
		t->row = more;
		t->room = room;
	}
	struct time_row *to = &t->row[t->count];
	*to = *row;
	if (!copy_samples(&to->sample, row->sample, row->samples) || !copy_samples(&to->behinds, row->behinds, row->samples)) {
		free(to->sample);
		fault_memory(fault, "measured times");
		return NULL;
	}
	t->count++;
	return to;
}

static int by_subject(const void *a, const void *b)
{
	const struct time_row *x = *(struct time_row *const *)a, *y = *(struct time_row *const *)b;
	int order = strcmp(x->net, y->net);
	order = order ? order : strcmp(x->layer, y->layer);
	order = order ? order : strcmp(x->work, y->work);
	order = order ? order : x->format - y->format;
	return order ? order : x->batch - y->batch;
}

struct time_row *times_find(const struct times *t, const struct time_row *like)
{
	for (int i = 0; i < t->count; i++) {
		struct time_row *r = &t->row[i];
		if (by_subject(&r, &like) == 0)
			return r;
	}
	return NULL;
}

bool times_sample(struct time_row *r, double seconds, double behind, struct fault *fault)
{
	if (r->samples == TIMES_SAMPLES)
		return fault_set(fault, r->layer, "ask for fewer rounds", "a layer has at most %d times", TIMES_SAMPLES);
	size_t size = (size_t)(r->samples + 1) * sizeof(double);
	double *more = realloc(r->sample, size);
	if (more)
		r->sample = more;
	double *rest = more ? realloc(r->behinds, size) : NULL;
	if (!rest)
		return fault_memory(fault, r->layer);
	r->behinds = rest;
	r->sample[r->samples] = seconds;
	r->behinds[r->samples++] = behind;
	return true;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// The k-th smallest and the k-th largest of n numbers, counted from 0, enclose the median with probability 1 - 2 P(B < k + 1), B binomial
// (n, 1/2). Returns the largest such k that leaves 95 %; 0 where none does.
static int bracket(int n)
{
	double term = pow(0.5, n), below = term;
	int k = 0;
	while (k + 1 < n / 2) {
		term *= (double)(n - k) / (k + 1);
		if (below + term > 0.025)
			break;
		below += term;
		k++;
	}
	return k;
}

double times_median(double *x, int count, double *low, double *high)
{
	qsort(x, (size_t)count, sizeof *x, by_size);
	if (low) {
		int k = bracket(count);
		*low = x[k];
		*high = x[count - 1 - k];
	}
	return count % 2 ? x[count / 2] : (x[count / 2 - 1] + x[count / 2]) / 2;
}

void times_settle(struct time_row *r)
{
	double sorted[TIMES_SAMPLES];
	if (!r->samples)
		return;
	memcpy(sorted, r->sample, (size_t)r->samples * sizeof *sorted);
	r->seconds = times_median(sorted, r->samples, &r->low, &r->high);
	memcpy(sorted, r->behinds, (size_t)r->samples * sizeof *sorted);
	r->behind = times_median(sorted, r->samples, NULL, NULL);
}

// ---- reading ----

struct place {
	const char *path;
	int row; // -1: of the table
	struct fault *fault;
};

static bool refuse(const struct place *p, const char *name, const char *todo, json_t *json)
{
	char row[32] = "";
	char *got = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
	if (p->row >= 0)
		snprintf(row, sizeof row, "rows[%d]%s", p->row, name[0] ? "." : "");
	fault_set(p->fault, p->path, todo, "measured.%s%s: %.80s cannot be used", row, name, got ? got : "this");
	free(got);
	return false;
}

static bool take_text(const struct place *p, const char *name, json_t *json, char *to, size_t size)
{
	const char *text = json_string_value(json);
	if (!text || strlen(text) >= size)
		return refuse(p, name, "expected a text, and not a long one", json);
	snprintf(to, size, "%s", text);
	text_clean(to, "");
	return true;
}

static bool take_count(const struct place *p, const char *name, json_t *json, int most, int *to)
{
	json_int_t value = json_integer_value(json);
	if (!json_is_integer(json) || value < 1 || value > most)
		return refuse(p, name, "expected a whole number from 1", json);
	*to = (int)value;
	return true;
}

static bool take_seconds(const struct place *p, const char *name, json_t *json, double least, double *to)
{
	*to = json_is_number(json) ? json_number_value(json) : (double)NAN;
	return (*to >= least && *to <= 1e6) || refuse(p, name, "expected seconds, above 0 and up to 1000000", json);
}

// Both lists of a row have one length.
static bool take_samples(const struct place *p, const char *name, json_t *json, double least, double **to, int *count)
{
	size_t n = json_array_size(json), i;
	json_t *item;
	if (!json_is_array(json) || n < 1 || n > TIMES_SAMPLES || *to || (*count && (size_t)*count != n))
		return refuse(p, name, "expected a list of seconds, as many in samples as in behinds", json);
	if (!(*to = malloc(n * sizeof **to)))
		return fault_memory(p->fault, p->path);
	*count = (int)n;
	json_array_foreach(json, i, item) if (!take_seconds(p, name, item, least, &(*to)[i])) return false;
	return true;
}

static const double shortest = 1e-12; // seconds

static bool take_of_row(const struct place *p, const char *name, json_t *json, struct time_row *r)
{
	if (strcmp(name, "net") == 0)
		return take_text(p, name, json, r->net, sizeof r->net);
	if (strcmp(name, "layer") == 0)
		return take_text(p, name, json, r->layer, sizeof r->layer);
	if (strcmp(name, "work") == 0)
		return take_text(p, name, json, r->work, sizeof r->work);
	if (strcmp(name, "source") == 0)
		return take_text(p, name, json, r->source, sizeof r->source);
	if (strcmp(name, "format") == 0) {
		r->format = json_is_string(json) ? format_named(json_string_value(json)) : -1;
		return r->format >= 0 || refuse(p, name, "expected a format, int8 for one", json);
	}
	if (strcmp(name, "batch") == 0)
		return take_count(p, name, json, 65536, &r->batch);
	if (strcmp(name, "seconds") == 0)
		return take_seconds(p, name, json, shortest, &r->seconds);
	if (strcmp(name, "low") == 0)
		return take_seconds(p, name, json, shortest, &r->low);
	if (strcmp(name, "high") == 0)
		return take_seconds(p, name, json, shortest, &r->high);
	if (strcmp(name, "behind") == 0)
		return take_seconds(p, name, json, 0, &r->behind);
	if (strcmp(name, "samples") == 0)
		return take_samples(p, name, json, shortest, &r->sample, &r->samples);
	if (strcmp(name, "behinds") == 0)
		return take_samples(p, name, json, 0, &r->behinds, &r->samples);
	return refuse(p, name, "expected net, layer, work, format, batch, seconds, low, high, behind, samples, behinds or source",
		json);
}

static bool take_row(const struct place *p, json_t *json, struct time_row *r)
{
	const char *name;
	json_t *value;
	*r = (struct time_row){.format = -1};
	if (!json_is_object(json))
		return refuse(p, "",
			"expected an object such as {\"layer\": \"stem\", \"format\": \"int8\", \"batch\": 8, \"seconds\": 1e-3}",
			json);
	json_object_foreach(json, name, value) if (!take_of_row(p, name, value, r)) return false;
	if ((!r->layer[0] && !r->work[0]) || r->format < 0 || !r->batch || !(r->seconds > 0))
		return refuse(p, "", "a row needs a layer or a work, and format, batch and seconds", json);
	if (r->samples && (!r->sample || !r->behinds))
		return refuse(p, "samples", "give behinds with them, or leave both out", json);
	if ((r->low > 0) != (r->high > 0) || (r->low > 0 && !(r->low <= r->seconds && r->seconds <= r->high)))
		return refuse(p, "low", "give low and high, with seconds between them", json);
	return true;
}

static bool all_differ(const struct place *p, const struct times *t)
{
	const struct time_row **row = malloc(((size_t)t->count + 1) * sizeof *row);
	if (!row)
		return fault_memory(p->fault, p->path);
	for (int i = 0; i < t->count; i++)
		row[i] = &t->row[i];
	qsort(row, (size_t)t->count, sizeof *row, by_subject);
	bool ok = true;
	for (int i = 1; ok && i < t->count; i++)
		if (by_subject(&row[i - 1], &row[i]) == 0)
			ok = fault_set(p->fault, p->path, "keep one of them",
				"measured: two rows are about %s in %s for %d images",
				row[i]->layer[0] ? row[i]->layer : row[i]->work, format_table[row[i]->format].name,
				row[i]->batch);
	free(row);
	return ok;
}

static bool take_rows(struct place *p, json_t *rows, struct times *t)
{
	size_t i;
	json_t *item;
	if (!json_is_array(rows) || json_array_size(rows) > TIMES_ROWS)
		return refuse(p, "rows", "expected a list of rows", json_is_array(rows) ? json_null() : rows);
	json_array_foreach(rows, i, item)
	{
		struct time_row row;
		p->row = (int)i;
		bool ok = take_row(p, item, &row) && times_add(t, &row, p->fault);
		free_row(&row);
		if (!ok)
			return false;
	}
	p->row = -1;
	return all_differ(p, t);
}

static bool take_member(struct place *p, const char *name, json_t *json, struct times *t)
{
	if (strcmp(name, "processor") == 0)
		return take_text(p, name, json, t->processor, sizeof t->processor);
	if (strcmp(name, "kernels") == 0)
		return take_text(p, name, json, t->kernels, sizeof t->kernels);
	if (strcmp(name, "threads") == 0)
		return take_count(p, name, json, 65536, &t->threads);
	if (strcmp(name, "rows") == 0)
		return take_rows(p, json, t);
	return refuse(p, name, "expected processor, kernels, threads or rows", json);
}

bool times_of_json(const char *path, json_t *measured, struct times *t, struct fault *fault)
{
	struct place p = {path, -1, fault};
	const char *name;
	json_t *value;
	bool ok = true;
	*t = (struct times){0};
	if (!json_is_object(measured))
		return fault_set(fault, path, "expected an object such as {\"threads\": 2, \"rows\": [...]}",
			"measured: not an object");
	json_object_foreach(measured, name, value) if (!(ok = take_member(&p, name, value, t))) break;
	if (ok && !json_object_get(measured, "rows"))
		ok = fault_set(fault, path, "give the times that were measured", "measured.rows: missing");
	if (!ok)
		times_free(t);
	return ok;
}

bool times_read(const char *path, struct times *t, struct fault *fault)
{
	json_t *root = json_file_read(path, DEVICE_BYTES, "mend the file", fault), *measured = json_object_get(root, "measured");
	bool ok = root && (measured || fault_set(fault, path, "give a device file with them", "it has no measured times"));
	ok = ok && times_of_json(path, measured, t, fault);
	json_decref(root);
	return ok;
}

// ---- writing ----

static json_t *list_of(const double *x, int count)
{
	json_t *list = json_array();
	for (int i = 0; list && i < count; i++)
		json_array_append_new(list, json_real(x[i]));
	return list;
}

static json_t *row_json(const struct time_row *r)
{
	json_t *o = json_object();
	const struct {
		const char *name, *text;
	} texts[] = {{"net", r->net}, {"layer", r->layer}, {"work", r->work}, {"format", format_table[r->format].name},
		{"source", r->source}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].text[0])
			json_object_set_new(o, texts[i].name, json_string(texts[i].text));
	json_object_set_new(o, "batch", json_integer(r->batch));
	json_object_set_new(o, "seconds", json_real(r->seconds));
	if (r->low > 0) {
		json_object_set_new(o, "low", json_real(r->low));
		json_object_set_new(o, "high", json_real(r->high));
	}
	if (r->behind > 0)
		json_object_set_new(o, "behind", json_real(r->behind));
	if (r->samples) {
		json_object_set_new(o, "samples", list_of(r->sample, r->samples));
		json_object_set_new(o, "behinds", list_of(r->behinds, r->samples));
	}
	return o;
}

static json_t *times_json(const struct times *t)
{
	json_t *o = json_object(), *rows = json_array();
	if (t->processor[0])
		json_object_set_new(o, "processor", json_string(t->processor));
	if (t->kernels[0])
		json_object_set_new(o, "kernels", json_string(t->kernels));
	if (t->threads)
		json_object_set_new(o, "threads", json_integer(t->threads));
	for (int i = 0; rows && i < t->count; i++)
		json_array_append_new(rows, row_json(&t->row[i]));
	json_object_set_new(o, "rows", rows);
	return o;
}

// Tiles, shares and efficiencies of 1 are what a file means that leaves them out.
static bool goes_without_saying(const struct device_figure *f, double value)
{
	static const char *const groups[] = {"inner", "outer", "whole", "reach", "efficiency", "kernel"};
	for (size_t i = 0; i < sizeof groups / sizeof *groups && value == 1; i++)
		if (strcmp(groups[i], f->group) == 0)
			return true;
	return value == 0;
}

static json_t *group_of(json_t *root, const char *group)
{
	json_t *its = group[0] ? json_object_get(root, group) : root;
	if (!its && json_object_set_new(root, group, its = json_object()) != 0)
		its = NULL;
	return its;
}

static json_t *names_of(const char *marks)
{
	json_t *list = json_array();
	for (const char *at = marks; *at;) {
		size_t length = strcspn(at, " ");
		if (length)
			json_array_append_new(list, json_stringn(at, length));
		at += length + (at[length] == ' ');
	}
	return list;
}

bool device_write(const char *path, const struct device *d, const struct times *t, struct fault *fault)
{
	json_t *root = json_object();
	json_object_set_new(root, "bitscape-device", json_integer(1));
	json_object_set_new(root, "name", json_string(d->name));
	json_object_set_new(root, "source", json_string(d->source));
	for (size_t i = 0; i < device_figure_count; i++) {
		const struct device_figure *f = &device_figures[i];
		double value = device_value(d, f);
		if (isnan(value))
			json_object_set_new(group_of(root, f->group), f->name, json_null());
		else if (!goes_without_saying(f, value))
			json_object_set_new(group_of(root, f->group), f->name,
				f->whole ? json_integer((json_int_t)value) : json_real(value));
	}
	const char *const marks[] = {d->recalled, d->assumed, d->fitted};
	static const char *const called[] = {"recalled", "assumed", "fitted"};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (marks[i][0])
			json_object_set_new(root, called[i], names_of(marks[i]));
	json_object_set_new(root, "measured", times_json(t));
	return json_file_write(path, root, JSON_REAL_PRECISION(7), fault);
}
