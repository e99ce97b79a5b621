// SPDX-License-Identifier: GPL-3.0-or-later
// Layers' names. PyTorch's exporters name a weight after its parameter, or, where they turned it or folded a norm into it, by a number
// (val_12, onnx::Conv_193). Then its module stands in the node's metadata, in the bias's name, or in the node's own name. Of a convolution with a
// norm folded into it the metadata name the norm, so the weight comes first.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/import.h"

// "layer1.0.conv1.weight" without its end. False: it says nothing.
static bool strip(const char *name, const char *end, char *to, size_t size)
{
	size_t length = strlen(name), tail = strlen(end);
	if (length <= tail || strcmp(name + length - tail, end) != 0)
		return false;
	snprintf(to, size, "%.*s", (int)(length - tail), name);
	return true;
}

// "/layer1/layer1.0/conv1/Conv": each part continues the one before it, or begins with it.
static bool from_path(const char *path, char *to, size_t size)
{
	char last[128] = "";
	size_t used = 0;
	to[0] = 0;
	if (*path != '/')
		return false;
	for (const char *at = path + 1, *end; (end = strchr(at, '/')); at = end + 1) {
		char part[128];
		snprintf(part, sizeof part, "%.*s", (int)(end - at < 127 ? end - at : 127), at);
		size_t length = strlen(last);
		const char *own = length && strncmp(part, last, length) == 0 && part[length] == '.' ? part + length + 1 : part;
		used += used < size ? (size_t)snprintf(to + used, size - used, "%s%s", used ? "." : "", own) : 0;
		memcpy(last, part, sizeof last);
	}
	return to[0] != 0;
}

static const char *name_of(const struct import *m, int value)
{
	return value < 0 ? "" : m->file->value[value].name;
}

static bool taken(const struct import *m, const char *name)
{
	for (int l = 0; l < m->model->layers; l++)
		if (strcmp(m->model->layer[l].name, name) == 0)
			return true;
	return strcmp(name, "input") == 0 || strcmp(name, "classes") == 0;
}

// Letters that a name may have; the end of one that is too long says more than its beginning.
static void clean(const char *from, char name[MODEL_NAME])
{
	size_t length = strlen(from), most = MODEL_NAME - 4;
	const char *kept = length > most ? from + length - most : from;
	memcpy(name, kept, strlen(kept) + 1);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '_';
}

void import_name(const struct import *m, int weight, int bias, char name[MODEL_NAME])
{
	char found[256], plain[MODEL_NAME];
	const struct onnx_node *n = m->node;
	const char *given = name_of(m, weight);
	if (!strip(given, ".weight", found, sizeof found) && !strip(given, "_weight", found, sizeof found) &&
		!strip(given, ".weight_values", found, sizeof found) && // engine/export
		!strip(name_of(m, bias), ".bias", found, sizeof found)) {
		if (*n->scope)
			snprintf(found, sizeof found, "%s", n->scope);
		else if (!from_path(n->name, found, sizeof found))
			snprintf(found, sizeof found, "%s",
				*n->name                                                              ? n->name
					: *given && !strstr(given, "::") && strncmp(given, "val_", 4) ? given
												      : n->op);
	}
	clean(found, plain);
	snprintf(name, MODEL_NAME, "%s", plain);
	for (int again = 2; taken(m, name); again = again < 9 ? again + 1 : again + m->model->layers)
		snprintf(name, MODEL_NAME, "%.*s_%d", MODEL_NAME - 13, plain, again);
}
