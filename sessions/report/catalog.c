// SPDX-License-Identifier: GPL-3.0-or-later
// Commands about networks and devices, which need no search; and the roofline of a session's choices.
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

static const char *shape(int h, int w, int c, char buf[32])
{
	snprintf(buf, 32, "%dx%dx%d", h, w, c);
	return buf;
}

static const char *count(double value, char buf[32])
{
	return number_write(value, "", buf, 32);
}

// The MACs of all layers, and beside them those of attention's products where there are any.
static const char *all_macs(const struct description_info *i, char buf[96])
{
	char layers[32], attention[32];
	if (i->attention_macs > 0)
		snprintf(buf, 96, "%s MACs in layers and %s in attention's products", count(i->macs, layers), count(i->attention_macs, attention));
	else
		snprintf(buf, 96, "%s MACs", count(i->macs, layers));
	return buf;
}

// A count that most do not have.
static const char *count_or_none(double value, char buf[32])
{
	return value > 0 ? count(value, buf) : "-";
}

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

// Takes a built table, or drops it where something failed on the way.
static bool tell(struct command_call *call, struct string *t, bool ok)
{
	if (!ok)
		string_free(t);
	return ok && say_all(call, t);
}

// ---- networks ------------------------------------------------------------------------------------------------------

// Calls each for every network of the catalog that matches, or for the one of this name.
static bool each_network(const char *name, bool (*each)(const struct description *, void *context, struct fault *),
	void *context, struct fault *f)
{
	bool ok = true, found = false;
	const char *const one[] = { name, NULL };
	for (const char *const *n = is_pattern(name) ? engine_nets() : one; ok && *n; n++) {
		if (is_pattern(name) && fnmatch(name, *n, 0) != 0)
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

static bool add_network(const struct description *d, void *context, struct fault *f)
{
	(void)f;
	const struct description_info *i = description_info(d);
	char macs[32], attention[32], parameters[32], weights[32], activations[32], most[32], input[32];
	string_add(context, "%-24s %8s %9s %10s %8s %6d %11s %8s  %s\n", i->name, count(i->macs, macs),
		count_or_none(i->attention_macs, attention), count(i->parameters, parameters), count(i->weights, weights), i->layers,
		count(i->activations, activations), count(i->most_activations, most), shape(i->h, i->w, i->c, input));
	return true;
}

static bool run_catalog(struct command_call *call)
{
	struct string t = { 0 };
	string_add(&t, "%-24s %8s %9s %10s %8s %6s %11s %8s  %s\n", "network", "MACs", "attention", "parameters", "weights", "layers",
		"activations", "largest", "input");
	bool ok = each_network(call->argc ? call->argv[0] : "*", add_network, &t, &call->fault);
	string_add(&t, "(for one image; MACs: in all layers; attention: MACs of its two products, which have no weights and are in no layer;\n"
		"activations: how many numbers all layers read together; largest: how many the layer reads that reads most)");
	return tell(call, &t, ok);
}

// The widest of the layers' names and the column's heading.
static int names_width(const struct description_info *info)
{
	int wide = (int)strlen("layer");
	for (int i = 0; i < info->layers; i++)
		if ((int)strlen(info->layer[i].name) > wide)
			wide = (int)strlen(info->layer[i].name);
	return wide;
}

static void add_layer(struct string *t, const struct layer_info *l, int wide, double all, bool attention)
{
	char in[32], out[32], kernel[32], macs[32], products[32], weights[32];
	snprintf(kernel, sizeof kernel, "%dx%d", l->kernel_h, l->kernel_w);
	string_add(t, "%-*s  %-9s %13s %13s %6s %6d %6d %8s %8s %6.2f %%", wide, l->name, l->kind,
		shape(l->in_h, l->in_w, l->in_c, in), shape(l->out_h, l->out_w, l->out_c, out), kernel, l->stride, l->groups,
		count(l->macs, macs), count(l->weights, weights), all > 0 ? 100 * l->macs / all : 0);
	if (attention)
		string_add(t, " %9s", count_or_none(l->attention_macs, products));
	string_add(t, "\n");
}

// What it costs with one format in every layer.
static bool add_uniform(struct string *t, const struct description *d, struct fault *f)
{
	static const char *const formats[] = { "int4", "int8", "bf16" }, *const terms[] = { "bops", "size" };
	for (size_t k = 0; k < sizeof terms / sizeof *terms; k++) {
		struct costing *c = costing_new(d, terms[k], 0, f);
		bool ok = c != NULL;
		string_add(t, "%-5s", terms[k]);
		for (size_t i = 0; ok && i < sizeof formats / sizeof *formats; i++) {
			double total;
			char number[96];
			ok = costing_total(c, &(struct layer_formats){ formats[i], formats[i] }, 1, &total, f);
			if (ok)
				string_add(t, "%s %s in %s", i ? "," : "", number_brief(total, costing_unit(c), number, sizeof number),
					formats[i]);
		}
		costing_free(c);
		if (!ok)
			return false;
		string_add(t, "\n");
	}
	return true;
}

static bool add_description(const struct description *d, void *context, struct fault *f)
{
	struct string *t = context;
	const struct description_info *info = description_info(d);
	const int wide = names_width(info);
	const bool attention = info->attention_macs > 0;
	char macs[96], weights[32], parameters[32], activations[32], most[32];
	string_add(t, "%s: %s%s%s%s\n", info->name, info->help, info->keys[0] ? " (takes " : "", info->keys, info->keys[0] ? ")" : "");
	string_add(t, "%-*s  %-9s %13s %13s %6s %6s %6s %8s %8s %8s%s\n", wide, "layer", "kind", "in", "out", "kernel", "stride",
		"groups", "MACs", "weights", "of MACs", attention ? " attention" : "");
	for (int i = 0; i < info->layers; i++)
		add_layer(t, &info->layer[i], wide, info->macs + info->attention_macs, attention);
	string_add(t, "%d layers, %d operators: %s for one image, %s weights, %s parameters, %s activations "
		"(%s in the layer that reads most), %d classes\n", info->layers, info->operators, all_macs(info, macs),
		count(info->weights, weights), count(info->parameters, parameters), count(info->activations, activations),
		count(info->most_activations, most), info->classes);
	if (attention)
		string_add(t, "attention: MACs of the attention that reads the layer. Its two products have no weights: bops does not count them,\n"
			"latency and energy do.\n");
	return add_uniform(t, d, f);
}

static bool write_description(const struct description *d, void *context, struct fault *f)
{
	const char *path = context;
	char *bytes = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&bytes, &size);
	bool ok = file && description_write(d, file);
	if (file)
		ok = fclose(file) == 0 && ok;
	ok = ok ? disk_replace(path, bytes, size, f) : fault_memory(f, path);
	free(bytes);
	return ok;
}

static bool run_describe(struct command_call *call)
{
	const char *name = call->argv[0];
	struct string t = { 0 };
	if (is_pattern(name))
		return fault_set(&call->fault, name, "`catalog` lists them", "describe one network at a time");
	if (call->argc == 1)
		return tell(call, &t, each_network(name, add_description, &t, &call->fault));
	bool ok = each_network(name, write_description, call->argv[1], &call->fault);
	if (ok)
		call->say(call, "wrote %s", call->argv[1]);
	return ok;
}

// ---- devices -------------------------------------------------------------------------------------------------------

struct column {
	const char *group, *name, *head;
};
static const struct column rates[] = {
	{ "peaks", "int4", "int4" }, { "peaks", "int8", "int8" }, { "peaks", "e4m3", "e4m3" }, { "peaks", "e5m2", "e5m2" }, { "peaks", "fp16", "fp16" },
	{ "peaks", "bf16", "bf16" }, { "peaks", "tf32", "tf32" }, { "peaks", "fp32", "fp32" }, { "", "vector", "vector" },
	{ "", "bandwidth", "GB/s" }, { "", "on_chip", "MB" }, { "power", "mean", "W mean" }, { "power", "max", "W max" },
};
static const struct column ridges[] = {
	{ "ridge", "int4", "int4" }, { "ridge", "int8", "int8" }, { "ridge", "e4m3", "e4m3" }, { "ridge", "e5m2", "e5m2" }, { "ridge", "fp16", "fp16" },
	{ "ridge", "bf16", "bf16" }, { "ridge", "tf32", "tf32" }, { "ridge", "fp32", "fp32" },
};

static const char *figure_text(const struct sheet_figure *f, char buf[32])
{
	if (isnan(f->value))
		snprintf(buf, 32, "unknown");
	else if (f->value == 0)
		snprintf(buf, 32, "-");
	else
		snprintf(buf, 32, "%.4g", f->value);
	return buf;
}

static bool add_devices(struct string *t, const char *title, const struct column *column, size_t columns, struct fault *f)
{
	string_add(t, "%-11s", title);
	for (size_t i = 0; i < columns; i++)
		string_add(t, "%7s ", column[i].head);
	string_add(t, "\n");
	for (const char *const *name = catalog_devices(); *name; name++) {
		struct device_sheet sheet;
		if (!catalog_device(*name, &sheet, f))
			return false;
		string_add(t, "%-11s", sheet.name);
		for (size_t i = 0; i < columns; i++) {
			const struct sheet_figure *its = sheet_figure(&sheet, column[i].group, column[i].name);
			char text[32];
			string_add(t, "%7s%c", figure_text(its, text), its->value == 0 || !its->mark[0] ? ' ' : its->mark[0] == 'r' ? '?' : '~');
		}
		string_add(t, "\n");
	}
	return true;
}

static bool is_of_type(const char *group)
{
	static const char *const groups[] = { "inner", "outer", "rows", "whole", "reach" };
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (strcmp(groups[i], group) == 0)
			return true;
	return false;
}

// A type that needs no multiple, or that reaches its peak.
static bool is_plain(const struct sheet_figure *f)
{
	return f->value == 1 && (strcmp(f->group, "whole") == 0 || strcmp(f->group, "reach") == 0);
}

static void add_device(struct string *t, const struct device_sheet *sheet)
{
	string_add(t, "%s\nsource: %s\n", sheet->name, sheet->source);
	for (int i = 0; i < sheet->figures; i++) {
		const struct sheet_figure *f = &sheet->figure[i];
		char name[64], text[32];
		const struct sheet_figure *peak = sheet_figure(sheet, "peaks", f->name);
		if ((f->value == 0 && f != peak) || (peak && is_of_type(f->group) && peak->value == 0) || is_plain(f))
			continue; // unknown; of a type that it lacks; as most have it
		snprintf(name, sizeof name, "%s%s%s", f->group, f->group[0] ? "." : "", f->name);
		string_add(t, "%-22s %10s %-7s %s\n", name, f->value == 0 ? "none" : figure_text(f, text), f->unit, f->mark);
	}
}

static bool run_devices(struct command_call *call)
{
	struct string t = { 0 };
	struct device_sheet sheet;
	if (call->argc) {
		bool ok = catalog_device(call->argv[0], &sheet, &call->fault);
		if (ok)
			add_device(&t, &sheet);
		return tell(call, &t, ok);
	}
	bool ok = add_devices(&t, "Tops/s", rates, sizeof rates / sizeof *rates, &call->fault);
	string_add(&t, "\n");
	ok = ok && add_devices(&t, "ridge ops/B", ridges, sizeof ridges / sizeof *ridges, &call->fault);
	string_add(&t, "(dense peaks, a multiply-accumulate is two operations; ? recalled, not checked; ~ assumed; - none, or unknown)");
	return tell(call, &t, ok);
}

// ---- latency -------------------------------------------------------------------------------------------------------

enum { MOST_COLUMNS = 16 };

static bool check_format(const char *name, const char *otherwise, struct fault *f)
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
	} column[MOST_COLUMNS];
};

static bool is_device(const char *name)
{
	size_t length = strlen(name);
	for (const char *const *d = catalog_devices(); *d; d++)
		if (strcmp(*d, name) == 0)
			return true;
	return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static struct costing *latency_of(const struct description *d, const char *device, long batch, struct fault *f)
{
	char term[ENGINE_TEXT + 16];
	snprintf(term, sizeof term, "latency@%s", device);
	return costing_new(d, term, (int)batch, f);
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
	struct kind_sum kind[KINDS + 2] = { { 0 } }, *k;
	struct roofline r;
	struct roofline_point *point = calloc((size_t)info->layers + 1, sizeof *point);
	double total = 0, layers = 0;
	if (!point || !costing_total(latency, column->formats, column->count, &total, NULL)
		|| !costing_roofline(latency, column->formats, column->count, &r, point, NULL)) {
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
			100 * k->macs / (info->macs + info->attention_macs), k->ms,
			100 * k->ms / total, k->memory_bound);
	string_add(t, "  %-20s %12s %7.2f %% %9.4g %7.2f %%\n", "without weights", "-",
		100 * info->attention_macs / (info->macs + info->attention_macs), total - layers, 100 * (total - layers) / total);
}

// One device's row; a device that is refused is told below the table.
static void add_row(struct question *q, const struct description *d, const struct description *than, const char *device,
	struct string *refused)
{
	struct fault f;
	struct costing *latency = latency_of(d, device, q->batch, &f), *other = NULL;
	if (!latency) {
		string_add(refused, "  %s: %s\n", device, f.what);
		return;
	}
	if (q->over)
		other = than ? latency_of(than, device, q->batch, NULL) : latency_of(d, q->over, q->batch, NULL);
	string_add(&q->table, "  %-*s %5d", is_pattern(q->device) ? 10 : (int)strlen(device), device, costing_batch(latency));
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
	struct string refused = { 0 };
	const struct description_info *info = description_info(d);
	struct description *than = NULL;
	char macs[96], parameters[32];
	if (q->over && !is_device(q->over) && !(than = description_open(q->over, 0, 0, 0, 0, f)))
		return false;
	string_add(&q->table, "%s: %s, %s parameters, %dx%d; ms per batch, ms per image%s%s\n", info->name, all_macs(info, macs),
		count(info->parameters, parameters), info->h, info->w, q->over ? ", per image as many times as fast as " : "",
		q->over ? q->over : "");
	string_add(&q->table, "  %-*s batch", is_pattern(q->device) ? 10 : (int)strlen(q->device), "device");
	for (int i = 0; i < q->columns; i++)
		string_add(&q->table, "  %9s  %9s  %-4s%*s", q->column[i].name, "", "", q->over ? 9 : 0, "");
	string_add(&q->table, "\n");
	const char *const one[] = { q->device, NULL };
	bool found = false;
	for (const char *const *name = is_pattern(q->device) ? catalog_devices() : one; *name; name++)
		if (!is_pattern(q->device) || fnmatch(q->device, *name, 0) == 0) {
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
	static const char *const usual[] = { "int4", "int8", "bf16", "fp16" };
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
		} else if (q->columns == MOST_COLUMNS - 2) // the two of a session
			return fault_set(f, word, "ask twice", "so many formats have no room");
		else
			q->column[q->columns++] = (struct latency_column){ .name = word };
	}
	// Here a wrong name ends it; a device that has no latency is only told.
	struct device_sheet sheet;
	if (!is_pattern(q->device) && !catalog_device(q->device, &sheet, f))
		return false;
	if (q->over && is_device(q->over) && !catalog_device(q->over, &sheet, f))
		return false;
	for (size_t i = 0; !q->columns && !session && i < sizeof usual / sizeof *usual; i++)
		q->column[i].name = usual[i];
	if (!q->columns && !session)
		q->columns = sizeof usual / sizeof *usual;
	for (int i = 0; i < q->columns; i++) {
		struct latency_column *c = &q->column[i];
		if (!check_format(c->name, "device=, batch=, over= and by=kind are its other words", f))
			return false;
		c->uniform = (struct layer_formats){ c->name, c->name };
		c->formats = &c->uniform;
		c->count = 1;
	}
	return true;
}

// ---- sensitivity ---------------------------------------------------------------------------------------------------

struct losses_question {
	struct string text;
	const char *table;
	int columns;
	const char *format[MOST_COLUMNS];
};

static bool add_losses(struct string *t, const struct description_info *info, const struct losses *losses,
	const struct losses_question *q, struct fault *f)
{
	const int wide = names_width(info);
	char top1[64] = "";
	if (!isnan(losses_top1(losses)))
		snprintf(top1, sizeof top1, " of fp32's %.2f %%", losses_top1(losses));
	string_add(t, "%s by the table %s: points of top-1 that a layer loses%s\n%-*s", info->name, q->table, top1, wide, "layer");
	for (int i = 0; i < q->columns; i++)
		string_add(t, " %8s ", q->format[i]);
	string_add(t, "\n");
	for (int l = 0; l < info->layers; l++) {
		string_add(t, "%-*s", wide, info->layer[l].name);
		for (int i = 0; i < q->columns; i++) {
			const char *source;
			double points;
			if (!losses_layer(losses, l, q->format[i], &points, &source, f))
				return false;
			if (isinf(points))
				string_add(t, " %8s ", "-");
			else
				string_add(t, " %8.4f%c", points, source[0] == 'e' ? 'x' : source[0]);
		}
		string_add(t, "\n");
	}
	string_add(t, "(m measured; f fitted; x extrapolated: from figures for other formats or layers; - the table does not say)\n");
	return true;
}

// How well the table, and beside it the yardstick, meets the fitted or the held-out choices.
static void add_errors(struct string *t, const struct losses *losses, bool fitted)
{
	const struct losses_error table = losses_error(losses, fitted, false), yardstick = losses_error(losses, fitted, true);
	struct losses_choice c;
	double least = INFINITY, most = -INFINITY;
	for (int i = 0; losses_choice(losses, i, &c); i++)
		if (c.fitted == fitted) {
			least = fmin(least, c.published);
			most = fmax(most, c.published);
		}
	string_add(t, "%-8s (%d): off by %.3f rms, %.3f at worst; the yardstick by %.3f and %.3f: %s than the yardstick\n",
		fitted ? "fitted" : "held out", table.choices, table.rms, table.worst, yardstick.rms, yardstick.worst,
		table.rms < yardstick.rms ? "better" : "worse");
	string_add(t, "%14spublished, they span %.2f points%s\n", "", most - least,
		table.rms < most - least ? "" : ", less than the error");
}

static void add_fit(struct string *t, const struct losses *losses)
{
	struct losses_choice c;
	if (!losses_choice(losses, 0, &c)) {
		string_add(t, "\nNothing was fitted: the figures are the file's.\n");
		return;
	}
	string_add(t, "\nThe published choices, stem and head at int8: top-1 in percent, published and as table and yardstick say\n"
		"%-12s  %-8s %9s %9s %7s %9s %7s\n", "choice", "", "published", "table", "off", "yardstick", "off");
	for (int i = 0; losses_choice(losses, i, &c); i++)
		string_add(t, "%-12s  %-8s %9.2f %9.2f %+7.2f %9.2f %+7.2f\n", c.name, c.fitted ? "fitted" : "held out", c.published, c.said,
			c.said - c.published, c.yardstick, c.yardstick - c.published);
	string_add(t, "(the yardstick knows how many layers are int4, not which; both were fitted to the same choices)\n");
	add_errors(t, losses, true);
	add_errors(t, losses, false);
	string_add(t, "What the table says of any other choice is a prediction that nobody measured. Of stem and head it counts\n"
		"only what they lose beyond int8.\n");
}

static const char *const timed[] = { "int4", "int8" };
enum { TIMED = sizeof timed / sizeof *timed };

// The names of the layers that are not compared: those with a figure (scaled), or those without. The same in each of the formats
// that the shipped times are in.
static void add_left_out(struct string *t, const struct description_info *info, const struct compared_layer *its, bool figure,
	const char *why)
{
	const char *before = "left out, ";
	for (int l = 0; l < info->layers; l++)
		if (!its[l].compared && (its[l].measured > 0) == figure) {
			string_add(t, "%s%s%s", before, before[0] == 'l' ? why : "", info->layer[l].name);
			before = ", ";
		}
	if (before[0] == ',')
		string_add(t, "\n");
}

static void add_times(struct string *t, const struct description_info *info, const char *unit,
	struct compared_layer *const its[TIMED], const struct comparison sum[TIMED])
{
	const int wide = names_width(info);
	string_add(t, "\nThe roofline of a T4 against the times published for one, %s\n%-*s", unit, wide, "layer");
	for (int i = 0; i < TIMED; i++)
		string_add(t, " %5s: roofline  measured   ratio", timed[i]);
	string_add(t, "\n");
	for (int l = 0; l < info->layers; l++) {
		if (!its[0][l].compared)
			continue;
		string_add(t, "%-*s", wide, info->layer[l].name);
		for (int i = 0; i < TIMED; i++)
			string_add(t, "  %14.5f %9.5f %7.4f", its[i][l].predicted, its[i][l].measured, its[i][l].predicted / its[i][l].measured);
		string_add(t, "\n");
	}
	string_add(t, "%-*s", wide, "sum");
	for (int i = 0; i < TIMED; i++)
		string_add(t, "  %14.5f %9.5f %7.4f", sum[i].predicted, sum[i].measured, sum[i].predicted / sum[i].measured);
	string_add(t, "\n");
	for (int i = 0; i < TIMED; i++)
		string_add(t, "%s, %d layers: ln(ratio) has mean %.3f (the roofline says %.3g of the time), standard deviation %.3f; "
			"Spearman's rank correlation %.3f\n", timed[i], sum[i].layers, sum[i].bias, exp(sum[i].bias), sum[i].spread, sum[i].rank);
	add_left_out(t, info, its[0], false, "not measured: ");
	add_left_out(t, info, its[0], true, "extrapolated from a layer of another size: ");
}

// Where a T4's times are shipped for the network; else a line that says so.
static bool compare_times(struct string *t, const struct description *d, struct fault *f)
{
	const struct description_info *info = description_info(d);
	struct fault none;
	struct costing *table = costing_new(d, "latency@table:hawq", 0, &none), *t4 = table ? latency_of(d, "t4", 0, f) : NULL;
	if (!table) {
		string_add(t, "\nThe roofline is held against nothing here: %s\n", none.what);
		return true;
	}
	struct compared_layer *its[TIMED] = { calloc((size_t)info->layers * TIMED + 1, sizeof **its) };
	struct comparison sum[TIMED];
	bool ok = t4 && (its[0] || fault_memory(f, info->name));
	for (int i = 0; ok && i < TIMED; i++) {
		its[i] = its[0] + i * info->layers;
		ok = costing_compare(t4, table, &(struct layer_formats){ timed[i], timed[i] }, 1, its[i], &sum[i], f);
	}
	if (ok)
		add_times(t, info, costing_unit(table), its, sum);
	free(its[0]);
	costing_free(t4);
	costing_free(table);
	return ok;
}

static bool add_sensitivity(const struct description *d, void *context, struct fault *f)
{
	struct losses_question *q = context;
	struct losses *losses = losses_new(d, q->table, f);
	bool ok = losses && add_losses(&q->text, description_info(d), losses, q, f);
	if (ok) {
		add_fit(&q->text, losses);
		ok = compare_times(&q->text, d, f);
	}
	losses_free(losses);
	return ok;
}

static bool run_sensitivity(struct command_call *call)
{
	static const char *const usual[] = { "int2", "int3", "int4", "int5", "int6", "int7", "int8" };
	struct losses_question q = { .table = "hawq" };
	const char *name = call->argv[0];
	if (is_pattern(name))
		return fault_set(&call->fault, name, "`catalog` lists them", "ask about one network at a time");
	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (i == 1 && (strcmp(word, "hawq") == 0 || strpbrk(word, "/.")))
			q.table = word;
		else if (q.columns == MOST_COLUMNS)
			return fault_set(&call->fault, word, "ask twice", "so many formats have no room");
		else if (!check_format(word, "before the formats: hawq, or a file with a / or a . in its name", &call->fault))
			return false;
		else
			q.format[q.columns++] = word;
	}
	for (size_t i = 0; !q.columns && i < sizeof usual / sizeof *usual; i++)
		q.format[i] = usual[i];
	if (!q.columns)
		q.columns = sizeof usual / sizeof *usual;
	return tell(call, &q.text, each_network(name, add_sensitivity, &q, &call->fault));
}

// ---- rivals ------------------------------------------------------------------------------------------------------------

struct rivals_question {
	const char *limit, *term, *table;
	const char *format[MOST_COLUMNS];
	int formats;
	struct string text;
};

// Top-1 in percent; in points below fp32 where the table does not say what fp32 has.
static const char *top1_text(double top1, double lost, char buf[32])
{
	snprintf(buf, 32, isnan(top1) ? "-%.2f points" : "~%.2f %%", isnan(top1) ? lost : top1 - lost);
	return buf;
}

static void add_rivals_head(struct rivals_question *q, double most, const char *unit, double top1)
{
	char number[96];
	string_add(&q->text, "%s at most %s; top-1 is estimated by the table %s, nothing is trained%s\n", q->term,
		number_write(most, unit, number, sizeof number), q->table,
		isnan(top1) ? "; the table does not say what fp32 has: points are lost to it" : "");
}

static void add_rival(struct rivals_question *q, const struct rival *r, double most, const char *unit, double top1, const int *choice,
	int layers)
{
	char number[96], top[32];
	if (!r->found) {
		string_add(&q->text, "%-8s finds no choice within the limit\n", r->name);
		return;
	}
	string_add(&q->text, "%-8s %16s  x%.3f  %s", r->name, number_brief(r->cost, unit, number, sizeof number), r->cost / most,
		top1_text(top1, r->lost, top));
	if (r->bound < r->lost)
		string_add(&q->text, "  (no choice has more than %s)", top1_text(top1, r->bound, top));
	string_add(&q->text, "  ");
	for (int l = 0; l < layers; l++)
		string_add(&q->text, "%s%s", l ? "," : "", q->format[choice[l]]);
	string_add(&q->text, "\n");
}

static bool add_rivals(const struct description *d, void *context, struct fault *f)
{
	struct rivals_question *q = context;
	const struct description_info *info = description_info(d);
	struct losses *losses = losses_new(d, q->table, f);
	struct costing *costing = losses ? costing_new(d, q->term, 0, f) : NULL;
	int *choice = costing ? calloc((size_t)info->layers * RIVALS, sizeof *choice) : NULL;
	struct rival rival[RIVALS];
	double most;
	bool ok = costing && (choice || fault_memory(f, info->name)) &&
		losses_rivals(losses, costing, q->format, q->formats, q->limit, &most, rival, choice, f);
	const double top1 = ok ? losses_top1(losses) : NAN;
	if (ok)
		add_rivals_head(q, most, costing_unit(costing), top1);
	for (int r = 0; ok && r < RIVALS; r++)
		add_rival(q, &rival[r], most, costing_unit(costing), top1, choice + r * info->layers, info->layers);
	free(choice);
	costing_free(costing);
	losses_free(losses);
	return ok;
}

static bool run_rivals(struct command_call *call)
{
	static const char *const usual[] = { "int4", "int5", "int6", "int7", "int8" };
	struct rivals_question q = { .limit = call->argv[1], .term = "bops", .table = "hawq" };
	if (is_pattern(call->argv[0]))
		return fault_set(&call->fault, call->argv[0], "`catalog` lists them", "ask about one network at a time");
	for (int i = 2; i < call->argc; i++) {
		const char *word = call->argv[i];
		if (strncmp(word, "term=", 5) == 0)
			q.term = word + 5;
		else if (strncmp(word, "table=", 6) == 0)
			q.table = word + 6;
		else if (q.formats == MOST_COLUMNS)
			return fault_set(&call->fault, word, "leave some out", "so many formats have no room");
		else if (!check_format(word, "term= and table= are its other words", &call->fault))
			return false;
		else
			q.format[q.formats++] = word;
	}
	for (size_t i = 0; !q.formats && i < sizeof usual / sizeof *usual; i++)
		q.format[i] = usual[i];
	if (!q.formats)
		q.formats = sizeof usual / sizeof *usual;
	return tell(call, &q.text, each_network(call->argv[0], add_rivals, &q, &call->fault));
}

// ---- the session's own choices -----------------------------------------------------------------------------------------

// The device that a term is priced on, as cost terms name it: a name or the path of a file. False: none, or times that were measured.
static bool term_device(const struct session *s, int term, char *buf, size_t size)
{
	if (term < 0 || term >= s->snapshot->terms)
		return false;
	const char *name = s->snapshot->term[term].name, *at = strchr(name, '@');
	buf[0] = '\0';
	if (at)
		snprintf(buf, size, "%s", at + 1);
	else if (strcmp(name, "latency") == 0 || strcmp(name, "energy") == 0)
		config_get(s->now, "device", buf, size);
	return buf[0] && strncmp(buf, "table:", 6) != 0;
}

// The device that a figure about this term shows: the term's own; of a term that has none, that of the latency that counts, else
// the setting `device`, else the TPU v4.
static void session_device(const struct session *s, int term, char *buf, size_t size)
{
	if (term_device(s, term, buf, size))
		return;
	for (int i = 0; i < s->snapshot->terms; i++)
		if (s->snapshot->term[i].weight > 0 && strncmp(s->snapshot->term[i].name, "latency", 7) == 0 && term_device(s, i, buf, size))
			return;
	if (!config_get(s->now, "device", buf, size) || !buf[0] || strncmp(buf, "table:", 6) == 0)
		snprintf(buf, size, "tpu_v4");
}

void costed_free(struct costed *c)
{
	costing_free(c->latency);
	description_close(c->network);
	free(c->formats);
	free(c->point);
	*c = (struct costed){ 0 };
}

static bool open_network(struct session *s, struct fault *f)
{
	struct costed *c = &s->costed;
	const struct engine_info *info = s->info;
	if (c->network)
		return true;
	c->network = description_open(info->net, info->image_h, info->image_w, info->image_c, info->classes, f);
	c->formats = calloc((size_t)info->layers * 2 + 1, sizeof *c->formats);
	c->point = calloc((size_t)info->layers * 2 + 1, sizeof *c->point);
	if (c->network && c->formats && c->point)
		return true;
	if (c->network)
		fault_memory(f, info->net);
	costed_free(c);
	return false;
}

// The formats of the modal choice, and behind them of the draft where there is one.
static void fill_formats(struct session *s)
{
	const struct engine_info *info = s->info;
	for (int which = 0; which < (s->draft ? 2 : 1); which++)
		for (int i = 0; i < info->layers; i++) {
			const int slot[] = { info->layer[i].weight_slot, info->layer[i].activation_slot };
			const char *name[2];
			for (int half = 0; half < 2; half++) {
				int option = which ? s->draft[slot[half]] : s->snapshot->slot[slot[half]].modal;
				name[half] = info->slot[slot[half]].option[option].name;
			}
			s->costed.formats[which * info->layers + i] = (struct layer_formats){ name[0], name[1] };
		}
}

bool session_roofline(void *session, int term, struct roofline *r, struct fault *f)
{
	struct session *s = session;
	struct costed *c = &s->costed;
	const int layers = s->info->layers;
	char device[sizeof c->device];
	if (!open_network(s, f))
		return false;
	session_device(s, term, device, sizeof device);
	if (!c->latency || strcmp(device, c->device) != 0) {
		costing_free(c->latency);
		c->latency = latency_of(c->network, device, 0, f);
		snprintf(c->device, sizeof c->device, "%s", device);
		if (!c->latency)
			return false;
	}
	fill_formats(s);
	*r = (struct roofline){ 0 };
	if (!costing_roofline(c->latency, c->formats, layers, r, c->point, f)
		|| (s->draft && !costing_roofline(c->latency, c->formats + layers, layers, r, c->point + layers, f)))
		return false;
	r->now = c->point;
	r->draft = s->draft ? c->point + layers : NULL;
	return true;
}

static bool own_latency(struct question *q, struct session *s, struct fault *f)
{
	if (!s)
		return fault_set(f, ".", "name a network: `catalog` lists them", "no session is open");
	if (!open_network(s, f))
		return false;
	fill_formats(s);
	const int layers = s->info->layers;
	q->column[q->columns++] = (struct latency_column){ .name = "modal", .formats = s->costed.formats, .count = layers };
	if (s->draft)
		q->column[q->columns++] = (struct latency_column){ .name = "draft", .formats = s->costed.formats + layers, .count = layers };
	return add_latency(s->costed.network, q, f);
}

// What was compared, in one line a format.
static void add_comparison(struct question *q)
{
	for (int i = 0; i < q->columns; i++) {
		const struct latency_column *c = &q->column[i];
		if (c->compared > 1)
			string_add(&q->table, "%s, as fast as %s: %.3gx to %.3gx, geometric mean of %d: %.3gx\n", c->name, q->over,
				c->least, c->most, c->compared, exp(c->logarithms / c->compared));
	}
}

static bool run_latency(struct command_call *call)
{
	struct question q = { .device = "*" };
	bool ok = read_question(&q, call, &call->fault)
		&& (strcmp(call->argv[0], ".") == 0 ? own_latency(&q, call->context, &call->fault)
			: each_network(call->argv[0], add_latency, &q, &call->fault));
	add_comparison(&q);
	if (q.assumed)
		string_add(&q.table, "(~ by assumed efficiencies; else by some fitted to times measured on the device)\n");
	return tell(call, &q.table, ok);
}

// ---- the table -----------------------------------------------------------------------------------------------------

static const struct command rows[] = {
	{ "catalog", COMMAND_QUERY, 0, 1, { ARGUMENT_NETWORK }, 0, NULL, "[PATTERN]",
		"the networks: multiply-accumulates, weights, activations", run_catalog },
	{ "describe", COMMAND_QUERY, 1, 2, { ARGUMENT_NETWORK, ARGUMENT_FILE }, 0, NULL, "NETWORK [FILE]",
		"a network's layers and what it costs; into FILE as a description to begin one's own with", run_describe },
	{ "devices", COMMAND_QUERY, 0, 1, { ARGUMENT_DEVICE }, 0, NULL, "[DEVICE]",
		"the devices: peaks, memory, power, ridge points; one of them in full, with its sources", run_devices },
	{ "latency", COMMAND_QUERY, 1, -1, { ARGUMENT_NETWORK, ARGUMENT_FORMAT }, 1, "- device=|batch=|over=|by=kind",
		"NETWORK|PATTERN|. [FORMAT]... [device=DEVICE|PATTERN] [batch=N] [over=DEVICE|NETWORK] [by=kind]",
		"time by the roofline on every device, per format; `.`: the modal choice and the draft; over: how many times as fast; by: where it goes",
		run_latency },
	{ "roofline", COMMAND_QUERY, 1, 6, { ARGUMENT_WORDS, ARGUMENT_FORMAT, ARGUMENT_WORDS, ARGUMENT_DEVICE, ARGUMENT_WORDS,
			ARGUMENT_WORDS }, 0, "measured - on - cold|passes= cold|passes=", "measured | MxNxK FORMAT on DEVICE [cold] [passes=1|3|6]",
		"what one product of two matrices takes, part by part; measured: the model against times measured on a TPU v4", run_roofline },
	{ "sensitivity", COMMAND_QUERY, 1, -1, { ARGUMENT_NETWORK, ARGUMENT_FILE, ARGUMENT_FORMAT }, 1, "- hawq",
		"NETWORK [hawq|FILE.csv] [FORMAT]...",
		"top-1 that each layer loses per format, how well that meets what was published, and the roofline against a T4's times",
		run_sensitivity },
	{ "rivals", COMMAND_QUERY, 2, -1, { ARGUMENT_NETWORK, ARGUMENT_TEXT, ARGUMENT_FORMAT }, 1, NULL,
		"NETWORK LIMIT [FORMAT]... [term=bops|size] [table=hawq|FILE.csv]",
		"what plain searchers find within a limit by a sensitivity table: uniform, 8 bits at both ends, greedy, exact", run_rivals },
};

struct command_group session_catalog_group(struct session *s)
{
	return (struct command_group){ "Networks and devices", rows, sizeof rows / sizeof *rows, s };
}
