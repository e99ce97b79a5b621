// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/graph.h"

#include <string.h>

#include "engine/export/proto.h"

// Fields of onnx.proto's messages.
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_PROPERTY = 14, MODEL_FUNCTION = 25 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_CONSTANT = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7 };
enum {
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_F = 2,
	ATTRIBUTE_I = 3,
	ATTRIBUTE_S = 4,
	ATTRIBUTE_LIST = 8,
	ATTRIBUTE_TYPE = 20,
	ATTRIBUTE_REFERENCE = 21
};
enum { ELEMENT_SIZE = 1, ELEMENT_KIND = 2, ELEMENT_NAME = 8, ELEMENT_RAW = 9 };
enum {
	FUNCTION_NAME = 1,
	FUNCTION_INPUT = 4,
	FUNCTION_OUTPUT = 5,
	FUNCTION_ATTRIBUTE = 6,
	FUNCTION_NODE = 7,
	FUNCTION_OPSET = 9,
	FUNCTION_DOMAIN = 10
};
enum { OPSET_DOMAIN = 1, OPSET_VERSION = 2, PAIR_KEY = 1, PAIR_VALUE = 2, VALUE_NAME = 1, VALUE_TYPE = 2 };
enum { IR_VERSION = 10 };

static void add_attribute(struct string *node, const struct attribute *a)
{
	static const int type[] = {[ATTRIBUTE_INT] = 2, [ATTRIBUTE_FLOAT] = 1, [ATTRIBUTE_INTS] = 7, [ATTRIBUTE_TEXT] = 3};
	struct string s = {0};
	proto_text(&s, ATTRIBUTE_NAME, a->name);
	if (a->parameter)
		proto_text(&s, ATTRIBUTE_REFERENCE, a->parameter);
	else if (a->kind == ATTRIBUTE_INT)
		proto_number(&s, ATTRIBUTE_I, a->number);
	else if (a->kind == ATTRIBUTE_FLOAT)
		proto_float(&s, ATTRIBUTE_F, a->real);
	else if (a->kind == ATTRIBUTE_TEXT)
		proto_text(&s, ATTRIBUTE_S, a->text);
	for (int i = 0; a->kind == ATTRIBUTE_INTS && i < a->count; i++)
		proto_number(&s, ATTRIBUTE_LIST, a->list[i]);
	proto_number(&s, ATTRIBUTE_TYPE, type[a->kind]);
	proto_message(node, NODE_ATTRIBUTE, &s);
}

static struct string node_of(const char *domain, const char *type, const char *name, const char *const *inputs,
	const char *const *outputs, int count, const struct attribute *attribute)
{
	struct string s = {0};
	for (; *inputs; inputs++)
		proto_text(&s, NODE_INPUT, *inputs);
	for (; *outputs; outputs++)
		proto_text(&s, NODE_OUTPUT, *outputs);
	if (name)
		proto_text(&s, NODE_NAME, name);
	proto_text(&s, NODE_TYPE, type);
	for (int i = 0; i < count; i++)
		add_attribute(&s, &attribute[i]);
	if (domain)
		proto_text(&s, NODE_DOMAIN, domain);
	return s;
}

void graph_node(struct graph *g, const char *domain, const char *type, const char *name, const char *const *inputs,
	const char *const *outputs, int count, const struct attribute *attribute)
{
	struct string s = node_of(domain, type, name, inputs, outputs, count, attribute);
	proto_message(&g->nodes, GRAPH_NODE, &s);
}

void graph_body_node(struct string *body, const char *type, const char *const *inputs, const char *output, int count,
	const struct attribute *attribute)
{
	struct string s = node_of(NULL, type, NULL, inputs, (const char *[]){output, NULL}, count, attribute);
	proto_message(body, FUNCTION_NODE, &s);
}

static void add_opset(struct string *to, int field, const char *domain, int version)
{
	struct string s = {0};
	proto_text(&s, OPSET_DOMAIN, domain);
	proto_number(&s, OPSET_VERSION, version);
	proto_message(to, field, &s);
}

void graph_function(struct graph *g, const char *domain, const char *name, const char *const *inputs, const char *output,
	int attributes, const char *const *attribute, struct string *body)
{
	struct string s = {0};
	proto_text(&s, FUNCTION_NAME, name);
	for (; *inputs; inputs++)
		proto_text(&s, FUNCTION_INPUT, *inputs);
	proto_text(&s, FUNCTION_OUTPUT, output);
	for (int i = 0; i < attributes; i++)
		proto_text(&s, FUNCTION_ATTRIBUTE, attribute[i]);
	string_bytes(&s, body->bytes ? body->bytes : "", body->length);
	s.failed |= body->failed;
	string_free(body);
	add_opset(&s, FUNCTION_OPSET, "", g->opset);
	proto_text(&s, FUNCTION_DOMAIN, domain);
	proto_message(&g->functions, MODEL_FUNCTION, &s);
}

void graph_constant(struct graph *g, const char *name, enum element_type type, int rank, const int64_t *size, const void *bytes,
	size_t count)
{
	struct string s = {0};
	for (int i = 0; i < rank; i++)
		proto_number(&s, ELEMENT_SIZE, size[i]);
	proto_number(&s, ELEMENT_KIND, type);
	proto_text(&s, ELEMENT_NAME, name);
	proto_bytes(&s, ELEMENT_RAW, bytes, count);
	proto_message(&g->constants, GRAPH_CONSTANT, &s);
}

// Files are little-endian, and so is every processor that the engine has kernels for.
void graph_floats(struct graph *g, const char *name, int rank, const int64_t *size, const float *x)
{
	size_t count = 1;
	for (int i = 0; i < rank; i++)
		count *= (size_t)size[i];
	graph_constant(g, name, ELEMENT_FLOAT, rank, size, x, count * sizeof *x);
}

void graph_scalar(struct graph *g, const char *name, float x)
{
	graph_floats(g, name, 0, NULL, &x);
}

void graph_property(struct graph *g, const char *key, const char *value)
{
	struct string s = {0};
	proto_text(&s, PAIR_KEY, key);
	proto_text(&s, PAIR_VALUE, value);
	proto_message(&g->properties, MODEL_PROPERTY, &s);
}

static void add_value(struct string *graph, int field, const char *name, int rank, const int64_t *size)
{
	struct string value = {0}, type = {0}, tensor = {0}, shape = {0};
	for (int i = 0; i < rank; i++) {
		struct string side = {0};
		proto_number(&side, 1, size[i]);
		proto_message(&shape, 1, &side);
	}
	proto_number(&tensor, 1, ELEMENT_FLOAT);
	proto_message(&tensor, 2, &shape);
	proto_message(&type, 1, &tensor);
	proto_text(&value, VALUE_NAME, name);
	proto_message(&value, VALUE_TYPE, &type);
	proto_message(graph, field, &value);
}

static void join(struct string *to, struct string *from)
{
	string_bytes(to, from->bytes ? from->bytes : "", from->length);
	to->failed |= from->failed;
	string_free(from);
}

bool graph_write(struct graph *g, const char *name, const char *input, int in_rank, const int64_t *in, const char *output,
	int out_rank, const int64_t *out, const char *const *domains, FILE *file)
{
	struct string model = {0}, graph = {0};
	join(&graph, &g->nodes);
	proto_text(&graph, GRAPH_NAME, name);
	join(&graph, &g->constants);
	add_value(&graph, GRAPH_INPUT, input, in_rank, in);
	add_value(&graph, GRAPH_OUTPUT, output, out_rank, out);
	proto_number(&model, MODEL_IR, IR_VERSION);
	proto_text(&model, MODEL_PRODUCER, "bitscape");
	proto_message(&model, MODEL_GRAPH, &graph);
	add_opset(&model, MODEL_OPSET, "", g->opset);
	for (; *domains; domains++)
		add_opset(&model, MODEL_OPSET, *domains, 1);
	join(&model, &g->properties);
	join(&model, &g->functions);
	bool ok = !model.failed && fwrite(model.bytes, 1, model.length, file) == model.length;
	string_free(&model);
	return ok;
}
