// SPDX-License-Identifier: GPL-3.0-or-later
// `latency`: the times of networks on devices, by the roofline, per format.
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"

// What is asked: formats by device, for one network or several.
struct question {
	struct string table;
	struct session *session;
	const char *device; // a name, a glob over names, a path
	const char *over;   // a device or a network that each figure is compared with; NULL: none
	bool by_kind, assumed;
	struct string kinds; // where the time goes, below the table
	long batch;
	int columns;
	struct latency_column {
		const char *name;
		const struct layer_formats *formats;
		int count;
		struct layer_formats uniform;
		int compared; // with `over`: how many times as fast, over all devices and networks
		double logarithms, least, most;
	} column[QUESTION_FORMATS];
};

static bool is_device(const char *name)
{
	size_t length = strlen(name);
	for (const char *const *d = engine_devices(); *d; d++)
		if (strcmp(*d, name) == 0)
			return true;
	return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static void compare(struct latency_column *c, double times)
{
	c->least = c->compared ? fmin(c->least, times) : times;
	c->most = c->compared ? fmax(c->most, times) : times;
	c->logarithms += log(times);
	c->compared++;
}

static void add_cell(struct question *q, struct latency_column *column, const struct costing *latency,
	const struct costing *other, struct string *refused, const char *device)
{
	double ms, than;
	struct fault f;
	if (!costing_total(latency, column->formats, column->count, &ms, &f)) {
		string_add(&q->table, "  %9s  %9s  %-4s", "-", "-", "");
		if (q->over)
			string_add(&q->table, " %8s", "");
		string_add(refused, "  %s: %s\n", device, f.what);
		return;
	}
	const char *type = column->count == 1 ? costing_type(latency, column->name) : NULL;
	char mark = costing_assumed(latency) ? '~' : ' ';
	q->assumed |= mark == '~';
	string_add(&q->table, "  %9.4g%c %9.4g%c %-4s", ms, mark, ms / costing_batch(latency), mark,
		type && strcmp(type, column->name) != 0 ? type : "");
	if (!q->over)
		return;
	if (!other || !costing_total(other, column->formats, column->count, &than, NULL)) {
		string_add(&q->table, " %8s", "-");
		return;
	}
	double times = than / costing_batch(other) / (ms / costing_batch(latency));
	string_add(&q->table, " %7.3gx", times);
	compare(column, times);
}

struct kind_sum {
	const char *name;
	double macs, ms;
	int layers, memory_bound;
};

// Where the time goes: per kind of layer, and what the operators without weights take.
static void add_kinds(struct string *t, const struct description_info *info, const struct latency_column *column,
	const struct costing *latency)
{
	enum { KINDS = 8 };
	struct kind_sum kind[KINDS + 2] = {{0}}, *k;
	struct roofline r;
	struct roofline_point *point = calloc((size_t)info->layers + 1, sizeof *point);
	double total = 0, layers = 0;
	if (!point || !costing_total(latency, column->formats, column->count, &total, NULL) ||
		!costing_roofline(latency, column->formats, column->count, &r, point, NULL)) {
		free(point);
		return; // told in the table
	}
	for (int i = 0; i < info->layers; i++) {
		for (k = kind; k < kind + KINDS && k->name && strcmp(k->name, info->layer[i].kind) != 0;)
			k++;
		k->name = info->layer[i].kind;
		k->macs += info->layer[i].macs;
		k->ms += point[i].ms;
		k->layers++;
		k->memory_bound += point[i].memory_bound;
		layers += point[i].ms;
	}
	free(point);
	char head[ENGINE_TEXT];
	snprintf(head, sizeof head, "%s on %s:", column->name, r.device);
	string_add(t, "  %-20s %12s %9s %9s %9s  memory-bound\n", head, "layers", "of MACs", "ms", "of time");
	for (k = kind; k->name; k++)
		string_add(t, "  %-20s %12d %7.2f %% %9.4g %7.2f %%  %d\n", k->name, k->layers,
			100 * k->macs / (info->macs + info->attention_macs), k->ms, 100 * k->ms / total, k->memory_bound);
	string_add(t, "  %-20s %12s %7.2f %% %9.4g %7.2f %%\n", "without weights", "-",
		100 * info->attention_macs / (info->macs + info->attention_macs), total - layers, 100 * (total - layers) / total);
}

// One device's row; a device that is refused is told below the table.
static void add_row(struct question *q, const struct description *d, const struct description *than, const char *device,
	struct string *refused)
{
	struct fault f;
	struct costing *latency = question_latency(d, device, q->batch, &f), *other = NULL;
	if (!latency) {
		string_add(refused, "  %s: %s\n", device, f.what);
		return;
	}
	if (q->over)
		other = than ? question_latency(than, device, q->batch, NULL) : question_latency(d, q->over, q->batch, NULL);
	string_add(&q->table, "  %-*s %5d", question_is_pattern(q->device) ? 10 : (int)strlen(device), device,
		costing_batch(latency));
	for (int i = 0; i < q->columns; i++)
		add_cell(q, &q->column[i], latency, other, refused, device);
	for (int i = 0; q->by_kind && i < q->columns; i++)
		add_kinds(&q->kinds, description_info(d), &q->column[i], latency);
	string_add(&q->table, "\n");
	costing_free(latency);
	costing_free(other);
}

static bool add_latency(const struct description *d, void *context, struct fault *f)
{
	struct question *q = context;
	struct string refused = {0};
	const struct description_info *info = description_info(d);
	struct description *than = NULL;
	char macs[96], parameters[32];
	if (q->over && !is_device(q->over) && !(than = description_open(q->over, 0, 0, 0, 0, f)))
		return false;
	string_add(&q->table, "%s: %s, %s parameters, %dx%d; ms per batch, ms per image%s%s\n", info->name,
		question_macs(info, macs), question_count(info->parameters, parameters), info->h, info->w,
		q->over ? ", per image as many times as fast as " : "", q->over ? q->over : "");
	string_add(&q->table, "  %-*s batch", question_is_pattern(q->device) ? 10 : (int)strlen(q->device), "device");
	for (int i = 0; i < q->columns; i++)
		string_add(&q->table, "  %9s  %9s  %-4s%*s", q->column[i].name, "", "", q->over ? 9 : 0, "");
	string_add(&q->table, "\n");
	const char *const one[] = {q->device, NULL};
	bool found = false;
	for (const char *const *name = question_is_pattern(q->device) ? engine_devices() : one; *name; name++)
		if (!question_is_pattern(q->device) || fnmatch(q->device, *name, 0) == 0) {
			add_row(q, d, than, *name, &refused);
			found = true;
		}
	if (refused.length)
		string_add(&q->table, "  refused:\n");
	string_bytes(&q->table, refused.bytes ? refused.bytes : "", refused.length);
	string_free(&refused);
	string_bytes(&q->table, q->kinds.bytes ? q->kinds.bytes : "", q->kinds.length);
	string_free(&q->kinds);
	description_close(than);
	return found || fault_set(f, q->device, "`devices` lists them", "no device has this name");
}

static bool read_question(struct question *q, const struct command_call *call, struct fault *f)
{
	static const char *const usual[] = {"int4", "int8", "bf16", "fp16"};
	bool session = strcmp(call->argv[0], ".") == 0;
	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (strncmp(word, "device=", 7) == 0)
			q->device = word + 7;
		else if (strcmp(word, "by=kind") == 0)
			q->by_kind = true;
		else if (strncmp(word, "over=", 5) == 0)
			q->over = word + 5;
		else if (strncmp(word, "batch=", 6) == 0) {
			if (!number_read_long(word + 6, 1, 65536, &q->batch))
				return fault_set(f, word, "give a whole number from 1 to 65536", "this is not a size of a batch");
		} else if (q->columns == QUESTION_FORMATS - 2) // the two of a session
			return fault_set(f, word, "ask twice", "so many formats have no room");
		else
			q->column[q->columns++] = (struct latency_column){.name = word};
	}
	// Here a wrong name ends it; a device that has no latency is only told.
	struct device_sheet sheet;
	if (!question_is_pattern(q->device) && !catalog_device(q->device, &sheet, f))
		return false;
	if (q->over && is_device(q->over) && !catalog_device(q->over, &sheet, f))
		return false;
	for (size_t i = 0; !q->columns && !session && i < sizeof usual / sizeof *usual; i++)
		q->column[i].name = usual[i];
	if (!q->columns && !session)
		q->columns = sizeof usual / sizeof *usual;
	for (int i = 0; i < q->columns; i++) {
		struct latency_column *c = &q->column[i];
		if (!question_check_format(c->name, "device=, batch=, over= and by=kind are its other words", f))
			return false;
		c->uniform = (struct layer_formats){c->name, c->name};
		c->formats = &c->uniform;
		c->count = 1;
	}
	return true;
}

static bool own_latency(struct question *q, struct session *s, struct fault *f)
{
	if (!s)
		return fault_set(f, ".", "name a network: `catalog` lists them", "no session is open");
	if (!session_costed(s, f))
		return false;
	const int layers = s->info->layers;
	q->column[q->columns++] = (struct latency_column){.name = "modal", .formats = s->costed.formats, .count = layers};
	if (s->draft)
		q->column[q->columns++] = (struct latency_column){
			.name = "draft", .formats = s->costed.formats + layers, .count = layers};
	return add_latency(s->costed.network, q, f);
}

// What was compared, in one line a format.
static void add_comparison(struct question *q)
{
	for (int i = 0; i < q->columns; i++) {
		const struct latency_column *c = &q->column[i];
		if (c->compared > 1)
			string_add(&q->table, "%s, as fast as %s: %.3gx to %.3gx, geometric mean of %d: %.3gx\n", c->name,
				q->over, c->least, c->most, c->compared, exp(c->logarithms / c->compared));
	}
}

bool run_latency(struct command_call *call)
{
	struct question q = {.device = "*"};
	bool ok = read_question(&q, call, &call->fault) &&
		(strcmp(call->argv[0], ".") == 0 ? own_latency(&q, call->context, &call->fault)
						 : question_each_network(call->argv[0], add_latency, &q, &call->fault));
	add_comparison(&q);
	if (q.assumed)
		string_add(&q.table, "(~ by assumed efficiencies; else by some fitted to times measured on the device)\n");
	return question_tell(call, &q.table, ok);
}
