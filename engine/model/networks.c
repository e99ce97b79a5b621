// SPDX-License-Identifier: GPL-3.0-or-later
// The networks by name: joins the families' tables, and reads what may follow a name.
#include "engine/model/networks.h"
#include "engine/model/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct family *const families[] = {&resnet_cifar, &resnet, &mobilenet, &efficientnet, &efficientnet_x, &inception,
	&deit, &mobilenet_nas, &resnet_nas, &efficientnet_x_nas};
enum { FAMILIES = sizeof families / sizeof families[0], NAMES = 128 };

int network_channels(double channels, double width)
{
	double wanted = channels * width;
	int rounded = (int)(wanted + 4) / 8 * 8;
	if (rounded < 8)
		rounded = 8;
	return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

int network_blocks(int blocks, double depth)
{
	double wanted = ceil(blocks * depth - 1e-9); // the product may be off by a last bit
	return wanted < 1 ? 1 : (int)wanted;
}

const char *network_layer(char buf[MODEL_NAME], const char *block, const char *part)
{
	snprintf(buf, MODEL_NAME, "%s%s%s", block, *block ? "." : "", part);
	return buf;
}

int network_conv(struct model *m, const char *block, const char *part, int in, int channels, struct window w, int groups,
	enum act act)
{
	char name[MODEL_NAME];
	return model_norm(m, model_conv(m, network_layer(name, block, part), in, channels, w, groups, false), act);
}

// ---- the side of the images as a choice ----

const char *const network_searched[] = {"fixed", "search", NULL};

bool network_sides(struct model *m, const char *words, struct fault *fault)
{
	struct shape *image = &m->op[0].out;
	struct slot sides = {.name = "input.side", .kind = SLOT_SIDE};
	char own[SLOT_OPTION];
	if (m->ops < 0)
		return true; // as model_finish finds
	snprintf(own, sizeof own, "%d", image->h);
	if (image->h != image->w)
		return fault_set(fault, sides.name, "leave its sides out", "images of %dx%d are not square", image->h, image->w);
	if (!slot_read(&sides, words, fault))
		return false;
	for (int o = 0; o < sides.options; o++)
		if (!(sides.value[o] >= 1) || sides.value[o] != floor(sides.value[o]) ||
			(o > 0 && sides.value[o] <= sides.value[o - 1]))
			return fault_set(fault, sides.name, "write whole numbers from small to large, such as 16|24|32",
				"\"%s\" is no list of sides", words);
	if (strcmp(sides.option[sides.options - 1], own) != 0)
		return fault_set(fault, sides.name, "end with their own side: images are made smaller, never larger",
			"the images are %s pixels a side, and the list ends with %s", own, sides.option[sides.options - 1]);
	struct pick side = model_pick(m, "input", SLOT_SIDE, words, own);
	m->sized |= side.value < image->h;
	image->h = image->w = (int)side.value;
	return true;
}

bool network_own_sides(struct model *m, struct fault *fault)
{
	enum { PARTS = 4, LEAST_PARTS = 2, STEP = 8 };
	char words[64];
	size_t used = 0;
	const int whole = model_shape(m, 0).h;
	for (int parts = LEAST_PARTS, last = 0; parts <= PARTS; parts++) {
		int side = parts < PARTS ? (whole * parts / PARTS + STEP / 2) / STEP * STEP : whole;
		if (side <= last || (side >= whole && parts < PARTS))
			continue;
		used += (size_t)snprintf(words + used, sizeof words - used, "%s%d", used ? "|" : "", side);
		last = side;
	}
	return network_sides(m, words, fault);
}

// ---- the catalog ----

static const struct network *network_at(int index, const struct family **family)
{
	for (int f = 0; index >= 0 && f < FAMILIES; f++) {
		*family = families[f];
		if (index < families[f]->networks)
			return &families[f]->network[index];
		index -= families[f]->networks;
	}
	return NULL;
}

static size_t add_words(const struct option *o, char *buf, size_t size, bool more)
{
	size_t used = (size_t)snprintf(buf, size, "%s%s=", more ? " " : "", o->key);
	for (int i = 0; o->words[i] && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? "|" : "", o->words[i]);
	return used;
}

static const char *keys_of(const struct family *family, char *buf, size_t size)
{
	size_t used = 0;
	for (const struct option *o = family->option; o < family->option + NETWORK_VALUES && o->key && used < size; o++)
		used += o->words
			? add_words(o, buf + used, size - used, used)
			: (size_t)snprintf(buf + used, size - used, "%s%s=%g..%g", used ? " " : "", o->key, o->low, o->high);
	return buf;
}

static double word_value(const struct option *o, const char *word)
{
	for (int i = 0; o->words[i]; i++)
		if (strcmp(o->words[i], word) == 0)
			return i;
	return -1;
}

bool model_catalog(int index, struct catalog_row *row)
{
	static _Thread_local char keys[256];
	const struct family *family;
	const struct network *network = network_at(index, &family);
	if (!network)
		return false;
	int side = (int)network->value[0];
	keys_of(family, keys, sizeof keys);
	*row = (struct catalog_row){network->name, network->help, keys, {side, side, 3}, network->classes};
	return true;
}

const char *const *model_names(void)
{
	static _Thread_local const char *names[NAMES];
	struct catalog_row row;
	int count = 0;
	while (count < NAMES - 1 && model_catalog(count, &row))
		names[count++] = row.name;
	names[count] = NULL;
	return names;
}

// ---- a name and what follows it ----

// Letters that two names have in common in front and behind.
static size_t in_common(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), shorter = la < lb ? la : lb, front = 0, behind = 0;
	while (front < shorter && a[front] == b[front])
		front++;
	while (front + behind < shorter && a[la - 1 - behind] == b[lb - 1 - behind])
		behind++;
	return front + behind;
}

// Tells of the network that is called most alike.
static bool unknown(const char *name, struct fault *fault)
{
	const char *best = "resnet8";
	size_t most = 0;
	char todo[128];
	for (const char *const *n = model_names(); *n; n++) {
		size_t same = in_common(name, *n);
		if (same > most) {
			most = same;
			best = *n;
		}
	}
	snprintf(todo, sizeof todo, "there is %s, for one; `catalog` lists them", best);
	return fault_set(fault, name, todo, "no such network");
}

// Reads "key=value,key=value" into the values of a network.
static bool read_options(const struct family *family, const char *name, const char *text, double *value, bool *side,
	struct fault *fault)
{
	char list[MODEL_TITLE], keys[200], todo[256];
	snprintf(todo, sizeof todo, "give %s", keys_of(family, keys, sizeof keys));
	snprintf(list, sizeof list, "%s", text);
	for (char *rest = list, *item; (item = strsep(&rest, ","));) {
		char *number = strchr(item, '=');
		if (!number)
			return fault_set(fault, name, todo, "\"%s\" is not of the form key=value", item);
		*number++ = 0;
		int k = 0;
		while (k < NETWORK_VALUES && family->option[k].key && strcmp(family->option[k].key, item) != 0)
			k++;
		const struct option *o = &family->option[k];
		if (k == NETWORK_VALUES || !o->key)
			return fault_set(fault, name, todo, "it takes no \"%s\"", item);
		char *end;
		double got = o->words ? word_value(o, number) : strtod(number, &end);
		if (o->words && got < 0)
			return fault_set(fault, name, todo, "%s is not a value of %s=", number, item);
		if (o->words) {
			value[k] = got;
			continue;
		}
		if (end == number || *end || !(got >= o->low && got <= o->high) || (o->whole && got != floor(got)))
			return fault_set(fault, name, todo, "%s=%s is not a %snumber from %g to %g", item, number,
				o->whole ? "whole " : "", o->low, o->high);
		value[k] = got;
		*side = *side || k == 0;
	}
	return true;
}

static bool ends_in(const char *name, const char *end)
{
	size_t length = strlen(name), tail = strlen(end);
	return length > tail && strcmp(name + length - tail, end) == 0;
}

bool model_has_weights(const char *name)
{
	return ends_in(name, ".onnx");
}

static bool is_file(const char *name)
{
	return strchr(name, '/') || ends_in(name, ".net") || model_has_weights(name);
}

// Reads the name and its options, and finds its family.
static bool read_name(struct recipe *b, const char *name, struct fault *fault)
{
	size_t length = strcspn(name, ":");
	const struct network *network = NULL;
	for (int i = 0; (network = network_at(i, &b->family)); i++)
		if (strlen(network->name) == length && memcmp(network->name, name, length) == 0)
			break;
	if (strlen(name) >= MODEL_TITLE)
		return fault_set(fault, "network", "give fewer options", "name too long");
	if (!network)
		return unknown(name, fault);
	bool own = b->input.h == 0 && b->input.w == 0 && b->input.c == 0;
	snprintf(b->name, sizeof b->name, "%s", name);
	memcpy(b->value, network->value, sizeof b->value);
	if (name[length] && !read_options(b->family, name, name + length + 1, b->value, &b->sized, fault))
		return false;
	if (b->sized && !own && (b->input.h != (int)b->value[0] || b->input.w != (int)b->value[0]))
		return fault_set(fault, name, "leave res= out", "the data set gives the size of the images: %dx%d", b->input.h,
			b->input.w);
	if (own)
		b->input = (struct shape){(int)b->value[0], (int)b->value[0], 3};
	b->classes = b->classes > 0 ? b->classes : network->classes;
	return true;
}

bool recipe_named(struct recipe *b, const char *name, struct shape input, int classes, struct fault *fault)
{
	*b = (struct recipe){.input = input, .classes = classes};
	if (!is_file(name))
		return read_name(b, name, fault);
	b->path = strdup(name);
	b->weighty = model_has_weights(name);
	if (b->weighty)
		return b->path || fault_memory(fault, name);
	b->text = b->path ? file_text(name, fault) : NULL;
	return b->text || (!b->path && fault_memory(fault, name));
}

void recipe_free(struct recipe *b)
{
	free(b->path);
	free(b->text);
}

static struct model *read_onnx(const char *path, struct shape input, int classes, struct weights **weights, struct fault *fault)
{
	struct onnx_file *file = onnx_open(path, fault);
	struct model *m = file ? import_build(file, input, classes, weights, fault) : NULL;
	onnx_close(file);
	return m;
}

struct weights *model_weights(const char *name, struct shape input, int classes, const char *title, struct fault *fault)
{
	struct weights *weights = NULL;
	struct model *m = read_onnx(name, input, classes, &weights, fault);
	if (m && strcmp(m->name, title) != 0) {
		fault_set(fault, name, "open it again", "the file has changed");
		weights_free(weights);
		weights = NULL;
	}
	model_free(m);
	return weights;
}

struct model *recipe_run(const struct recipe *b, struct picks *picks, struct fault *fault)
{
	if (b->weighty)
		return read_onnx(b->path, b->input, b->classes, NULL, fault);
	if (b->text)
		return file_build(b->path, b->text, b->input, b->classes, picks, fault);
	struct model *m = model_new(b->name, b->input, b->classes);
	if (m) {
		m->picks = picks;
		m->sized = b->sized;
	}
	if (m && !b->family->build(m, b->value, b->input.h <= MODEL_SMALL_SIDE && b->input.w <= MODEL_SMALL_SIDE, fault)) {
		model_free(m);
		return NULL;
	}
	return model_finish(m, fault);
}

struct model *model_named(const char *name, struct shape input, int classes, struct fault *fault)
{
	struct recipe b;
	struct model *m = recipe_named(&b, name, input, classes, fault) ? recipe_run(&b, NULL, fault) : NULL;
	recipe_free(&b);
	return m;
}

bool model_side(const char *name, int *side, struct fault *fault)
{
	struct recipe b;
	bool ok = recipe_named(&b, name, (struct shape){0}, 0, fault);
	struct model *m = ok && b.path ? recipe_run(&b, NULL, fault) : NULL;
	if (ok)
		*side = m && m->sized ? m->op[0].out.h : b.sized ? (int)b.value[0] : 0;
	ok = ok && (m || !b.path);
	model_free(m);
	recipe_free(&b);
	return ok;
}

// ---- a name's network, scaled ----

// Reads the name of a network that can be scaled.
static bool read_scalable(struct recipe *b, const char *name, struct fault *fault)
{
	return recipe_named(b, name, (struct shape){0}, 0, fault) &&
		(!b->path ||
			fault_set(fault, name, "name a network of the catalog",
				"a file says its depth and width itself, and cannot be scaled"));
}

// The place of a key among the options; -1 with a fault.
static int option_at(const struct recipe *b, const char *key, struct fault *fault)
{
	const struct option *o = b->family->option;
	for (int k = 0; k < NETWORK_VALUES && o[k].key; k++)
		if (strcmp(o[k].key, key) == 0)
			return k;
	fault_set(fault, b->name, "`describe NETWORK` says what a network takes", "it takes no %s=, and so cannot be scaled",
		key);
	return -1;
}

// Sets a value; false with a fault beyond its limits.
static bool set_value(const struct recipe *b, int k, double to, double *value, struct fault *fault)
{
	const struct option *o = &b->family->option[k];
	char todo[128];
	value[k] = to;
	snprintf(todo, sizeof todo, "its %s goes from %g to %g", o->key, o->low, o->high);
	return (to >= o->low && to <= o->high) || fault_set(fault, b->name, todo, "scaled, its %s would be %g", o->key, to);
}

// NAME, and what differs from the table's.
static bool write_name(const struct recipe *b, const double *value, char scaled[MODEL_TITLE], struct fault *fault)
{
	const size_t length = strcspn(b->name, ":");
	const struct option *o = b->family->option;
	const struct network *network = b->family->network;
	while (strlen(network->name) != length || memcmp(network->name, b->name, length) != 0)
		network++;
	size_t used = (size_t)snprintf(scaled, MODEL_TITLE, "%s", network->name);
	for (int k = 0; k < NETWORK_VALUES && o[k].key && used < MODEL_TITLE; k++) {
		char number[32];
		const char *text = number;
		if (value[k] == network->value[k] && !(k == 0 && b->sized))
			continue;
		if (o[k].words)
			text = o[k].words[(int)value[k]];
		else
			snprintf(number, sizeof number, "%.6g", value[k]);
		used += (size_t)snprintf(scaled + used, MODEL_TITLE - used, "%c%s=%s", used == length ? ':' : ',', o[k].key,
			text);
	}
	return used < MODEL_TITLE || fault_set(fault, b->name, "give fewer options", "scaled, its name is too long");
}

bool model_scaled(const char *name, const struct model_scale *by, char scaled[MODEL_TITLE], struct fault *fault)
{
	struct recipe b;
	double value[NETWORK_VALUES];
	int depth = -1, width = -1;
	bool ok = read_scalable(&b, name, fault) && (depth = option_at(&b, "depth", fault)) >= 0 &&
		(width = option_at(&b, "width", fault)) >= 0;
	if (ok) {
		memcpy(value, b.value, sizeof value);
		b.sized |= by->side > 0;
		ok = set_value(&b, depth, b.value[depth] * by->depth, value, fault) &&
			set_value(&b, width, b.value[width] * by->width, value, fault) &&
			(!by->side || set_value(&b, 0, by->side, value, fault)) && write_name(&b, value, scaled, fault);
	}
	recipe_free(&b);
	return ok;
}

bool model_scale_of(const char *name, struct model_scale *its, struct fault *fault)
{
	struct recipe b;
	int depth = -1, width = -1;
	bool ok = read_scalable(&b, name, fault) && (depth = option_at(&b, "depth", fault)) >= 0 &&
		(width = option_at(&b, "width", fault)) >= 0;
	if (ok)
		*its = (struct model_scale){b.value[depth], b.value[width], (int)b.value[0]};
	recipe_free(&b);
	return ok;
}
