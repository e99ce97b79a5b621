// SPDX-License-Identifier: GPL-3.0-or-later
// The numbers of fields are those of onnx.proto3 (github.com/onnx/onnx).
#include "engine/onnx/inside.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"

static const char damaged[] = "export it again, and check it with onnx.checker";
static const size_t FILE_MOST = (size_t)4 << 30, MEMORY_LEAST = (size_t)256 << 20;
enum { MEMORY_TIMES = 8 }; // that, and so many times the file's size

// ---- memory: everything of a file goes at once ----

struct chunk {
	struct chunk *next;
	size_t used, room;
	_Alignas(16) char bytes[];
};

struct memory {
	struct chunk *chunk;
	char *file; // its bytes
	int *slot;  // names by their hash: a value, or -1
	int slots;
	struct onnx_external external;
	size_t used, most; // a few bytes that call a function can ask for any number of copies of its body
	bool failed;
};

enum { CHUNK = 1 << 16 };

static void *take(struct memory *m, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (!m->chunk || m->chunk->room - m->chunk->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		m->used += room;
		struct chunk *c = m->used > m->most ? NULL : malloc(sizeof *c + room);
		if (!c) {
			m->failed = true;
			return NULL;
		}
		*c = (struct chunk){.next = m->chunk, .room = room};
		m->chunk = c;
	}
	void *p = m->chunk->bytes + m->chunk->used;
	m->chunk->used += size;
	memset(p, 0, size);
	return p;
}

static const char *take_text(struct memory *m, const struct wire *bytes)
{
	size_t length = wire_left(bytes);
	char *text = take(m, length + 1);
	if (!text)
		return "";
	if (length) // a field of another type has no bytes
		memcpy(text, bytes->at, length);
	return text_clean(text, "");
}

// ---- what is being read ----

// Names within a branch or a function are its own: they are written with a prefix that no other has.
struct scope {
	const struct scope *outer; // around it; NULL: the graph
	bool sees;                 // of a branch: names that it does not have are those around it
	int number;
	// Of a function: what its inputs and outputs are in the call, whose attributes it takes.
	const struct function *function; // NULL: it is a branch
	int *value;
	const struct onnx_node *call;
};

struct reading {
	struct onnx_file *file;
	struct memory *memory;
	struct fault *fault;
	int nodes_room, values_room, depth, scopes, branch, functions;
	const struct scope *scope; // NULL: the graph itself
	struct function {
		const char *domain, *name;
		struct wire message;
		int inputs, outputs;
		const char **names; // of the inputs, then of the outputs
	} * function;               // [functions]
};

static bool refuse(struct reading *r, const char *what)
{
	return fault_set(r->fault, r->file->path, damaged, "%s", what);
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

static int *slot_of(const struct reading *r, const char *key)
{
	struct memory *m = r->memory;
	uint32_t at = hash_of(key) & (uint32_t)(m->slots - 1);
	while (m->slot[at] >= 0 && strcmp(r->file->value[m->slot[at]].key, key) != 0)
		at = (at + 1) & (uint32_t)(m->slots - 1);
	return &m->slot[at];
}

static bool grow_slots(struct reading *r)
{
	struct memory *m = r->memory;
	int slots = m->slots ? 2 * m->slots : 1024, *slot = malloc((size_t)slots * sizeof *slot);
	if (!slot)
		return fault_memory(r->fault, r->file->path);
	free(m->slot);
	m->slot = slot;
	m->slots = slots;
	for (int i = 0; i < slots; i++)
		slot[i] = -1;
	for (int v = 0; v < r->file->values; v++)
		*slot_of(r, r->file->value[v].key) = v;
	return true;
}

// The value with this key, made if it is new.
static bool value_of(struct reading *r, const char *key, const char *name, int *value)
{
	struct onnx_file *f = r->file;
	if (2 * f->values >= r->memory->slots && !grow_slots(r))
		return false;
	int *slot = slot_of(r, key);
	if (*slot < 0) {
		if (f->values == ONNX_VALUES)
			return refuse(r, "too many names");
		if (f->values == r->values_room) {
			int room = r->values_room ? 2 * r->values_room : 1024;
			struct onnx_value *grown = realloc(f->value, (size_t)room * sizeof *grown);
			if (!grown)
				return fault_memory(r->fault, f->path);
			f->value = grown;
			r->values_room = room;
		}
		f->value[f->values] = (struct onnx_value){.name = name, .key = key};
		*slot = f->values++;
	}
	*value = *slot;
	return true;
}

static bool value_named(struct reading *r, const char *name, int *value)
{
	return value_of(r, name, name, value);
}

static bool is_known(const struct reading *r, const char *key)
{
	return *slot_of(r, key) >= 0;
}

// The value of a name where it stands.
static bool value_within(struct reading *r, const char *name, bool written, int *value)
{
	for (const struct scope *s = r->scope; s; s = s->outer) {
		for (int i = 0; s->function && i < s->function->inputs + s->function->outputs; i++)
			if (strcmp(s->function->names[i], name) == 0) {
				*value = s->value[i];
				return true;
			}
		const size_t size = strlen(name) + 16;
		char *key = take(r->memory, size);
		if (!key)
			return fault_memory(r->fault, r->file->path);
		snprintf(key, size, "\n%d/%s", s->number, name); // which no file can write
		if (!written && s->sees && !is_known(r, key))
			continue;
		if (!value_of(r, key, name, value))
			return false;
		r->file->value[*value].branch = written ? r->branch : r->file->value[*value].branch;
		return true;
	}
	return value_named(r, name, value);
}

// ---- messages ----

static int count_of(struct wire message, uint32_t number)
{
	struct wire_field f;
	int count = 0;
	while (count <= ONNX_VALUES && wire_next(&message, &f))
		count += f.number == number && f.type == WIRE_BYTES;
	return count;
}

// Numbers of a repeated field, counted and then taken.
static int series_count(struct wire message, uint32_t number, enum wire_type type)
{
	struct wire_field f;
	uint64_t value;
	int count = 0;
	while (wire_next(&message, &f))
		if (f.number == number) {
			struct wire_series s = wire_series_of(&f);
			while (count < INT_MAX && wire_series_next(&s, type, &value))
				count++;
		}
	return count;
}

static bool read_series(struct reading *r, struct wire message, struct onnx_attribute *a, uint32_t number, bool floats)
{
	enum wire_type type = floats ? WIRE_FIXED32 : WIRE_VARINT;
	struct wire_field f;
	uint64_t value;
	int count = series_count(message, number, type), at = 0;
	a->count = count;
	if (floats)
		a->floats = take(r->memory, (size_t)count * sizeof *a->floats);
	else
		a->wholes = take(r->memory, (size_t)count * sizeof *a->wholes);
	if (r->memory->failed)
		return fault_memory(r->fault, r->file->path);
	while (wire_next(&message, &f))
		if (f.number == number) {
			struct wire_series s = wire_series_of(&f);
			for (; at < count && wire_series_next(&s, type, &value); at++)
				if (floats)
					a->floats[at] = wire_float(value);
				else
					a->wholes[at] = (int64_t)value;
			if (s.packed.bad)
				return refuse(r, "an attribute's numbers end within one");
		}
	return true;
}

static bool read_attribute(struct reading *r, struct wire message, struct onnx_attribute *a)
{
	static const enum onnx_attribute_kind kinds[] = {[1] = ONNX_FLOAT,
		[2] = ONNX_WHOLE,
		[3] = ONNX_TEXT,
		[4] = ONNX_TENSOR,
		[5] = ONNX_GRAPH,
		[6] = ONNX_FLOATS,
		[7] = ONNX_WHOLES};
	struct wire all = message;
	struct wire_field f;
	bool floats = false, wholes = false;
	a->name = a->text = "";
	while (wire_next(&message, &f)) {
		enum onnx_attribute_kind kind = ONNX_OTHER; // where the file leaves the type out, by what is there
		switch (f.number) {
		case 1: a->name = take_text(r->memory, &f.bytes); continue;
		case 2: a->f = wire_float(f.value), kind = ONNX_FLOAT; break;
		case 3: a->i = (int64_t)f.value, kind = ONNX_WHOLE; break;
		case 4: a->text = take_text(r->memory, &f.bytes), kind = ONNX_TEXT; break;
		case 5: a->tensor = f.bytes, kind = ONNX_TENSOR; break;
		case 6: a->tensor = f.bytes, kind = ONNX_GRAPH; break;
		case 7: floats = true, kind = ONNX_FLOATS; break;
		case 8: wholes = true, kind = ONNX_WHOLES; break;
		case 21: a->reference = take_text(r->memory, &f.bytes); continue;
		case 20:
			if (f.value < sizeof kinds / sizeof *kinds)
				kind = kinds[f.value];
			break;
		default: continue;
		}
		a->kind = kind ? kind : a->kind;
	}
	if (message.bad)
		return refuse(r, "an attribute ends within a field");
	return (a->kind != ONNX_FLOATS || !floats || read_series(r, all, a, 7, true)) &&
		(a->kind != ONNX_WHOLES || !wholes || read_series(r, all, a, 8, false));
}

// "['', 'blocks', 'blocks.0', 'linear']": the last but one is the module.
static const char *scope_of(struct memory *m, const char *list)
{
	const char *last = NULL, *before = NULL;
	size_t length = 0, length_before = 0;
	for (const char *at = list; (at = strchr(at, '\''));) {
		const char *end = strchr(at + 1, '\'');
		if (!end)
			break;
		before = last;
		length_before = length;
		last = at + 1;
		length = (size_t)(end - last);
		at = end + 1;
	}
	if (!before)
		return "";
	struct wire w = wire_of(before, length_before);
	return take_text(m, &w);
}

static const char *read_metadata(struct reading *r, struct wire message)
{
	static const char scopes[] = "pkg.torch.onnx.name_scopes";
	struct wire_field f;
	struct wire value = {0};
	bool named = false;
	while (wire_next(&message, &f)) {
		named = named ||
			(f.number == 1 && wire_left(&f.bytes) == strlen(scopes) &&
				memcmp(f.bytes.at, scopes, strlen(scopes)) == 0);
		if (f.number == 2)
			value = f.bytes;
	}
	return named ? scope_of(r->memory, take_text(r->memory, &value)) : NULL;
}

static bool read_names(struct reading *r, struct wire message, uint32_t number, int count, int *to)
{
	struct wire_field f;
	int at = 0;
	while (at < count && wire_next(&message, &f))
		if (f.number == number && f.type == WIRE_BYTES) {
			to[at] = -1;
			if (wire_left(&f.bytes)) {
				const char *name = take_text(r->memory, &f.bytes);
				if (r->memory->failed)
					return fault_memory(r->fault, r->file->path);
				if (!value_within(r, name, number == 2, &to[at]))
					return false;
			}
			at++;
		}
	return true;
}

// Within a function: attributes that are the call's, or have a default.
static bool take_references(struct reading *r, struct onnx_node *n)
{
	const struct scope *s = r->scope;
	while (s && !s->call)
		s = s->outer;
	for (int i = 0; s && i < n->attributes; i++) {
		struct onnx_attribute *a = &n->attribute[i], found = {.name = ""};
		struct wire function = s->function->message;
		struct wire_field f;
		if (!a->reference)
			continue;
		const struct onnx_attribute *given = onnx_attribute(s->call, a->reference);
		while (!given && wire_next(&function, &f))
			if (f.number == 11 && f.type == WIRE_BYTES) {
				if (!read_attribute(r, f.bytes, &found))
					return false;
				given = strcmp(found.name, a->reference) == 0 ? &found : NULL;
			}
		const char *name = a->name;
		*a = given ? *given : (struct onnx_attribute){.name = ""};
		a->name = given ? name : "";
		a->reference = NULL;
	}
	return true;
}

static bool read_branches(struct reading *, struct onnx_node *);

static bool read_node(struct reading *r, struct wire message, struct onnx_node *n)
{
	struct wire all = message;
	struct wire_field f;
	int attribute = 0;
	n->inputs = count_of(message, 1);
	n->outputs = count_of(message, 2);
	n->attributes = count_of(message, 5);
	if (n->inputs > ONNX_INPUTS || n->outputs > ONNX_INPUTS || n->attributes > ONNX_INPUTS)
		return refuse(r, "a node with more inputs, outputs or attributes than there may be");
	n->input = take(r->memory, (size_t)n->inputs * sizeof *n->input);
	n->output = take(r->memory, (size_t)n->outputs * sizeof *n->output);
	n->attribute = take(r->memory, (size_t)n->attributes * sizeof *n->attribute);
	n->op = n->domain = n->name = n->scope = "";
	if (r->memory->failed)
		return fault_memory(r->fault, r->file->path);
	while (wire_next(&message, &f)) {
		const char *scope;
		switch (f.number) {
		case 3: n->name = take_text(r->memory, &f.bytes); break;
		case 4: n->op = take_text(r->memory, &f.bytes); break;
		case 7: n->domain = take_text(r->memory, &f.bytes); break;
		case 9:
			scope = read_metadata(r, f.bytes);
			n->scope = scope ? scope : n->scope;
			break;
		case 5:
			if (f.type == WIRE_BYTES && !read_attribute(r, f.bytes, &n->attribute[attribute++]))
				return false;
			break;
		default: break;
		}
	}
	if (strcmp(n->domain, "ai.onnx") == 0)
		n->domain = "";
	n->index = r->file->all_nodes++;
	if (message.bad || n->index >= ONNX_NODES)
		return refuse(r, message.bad ? "a node ends within a field" : "more nodes than can be read");
	return take_references(r, n) && read_names(r, all, 1, n->inputs, n->input) &&
		read_names(r, all, 2, n->outputs, n->output) && read_branches(r, n);
}

// An initializer's own message is kept; only its name is looked up.
static bool read_initializer(struct reading *r, struct wire message)
{
	struct wire all = message;
	struct wire_field f;
	const char *name = "";
	int value;
	while (wire_next(&message, &f))
		if (f.number == 8)
			name = take_text(r->memory, &f.bytes);
	if (message.bad)
		return refuse(r, "a tensor ends within a field");
	if (!*name)
		return refuse(r, "a tensor without a name");
	if (!value_within(r, name, true, &value))
		return false;
	if (r->file->value[value].has_tensor)
		return refuse(r, "two tensors have one name");
	r->file->value[value].has_tensor = true;
	r->file->value[value].tensor = all;
	return true;
}

// TypeProto.tensor_type.shape.dim.dim_value
static bool read_shape(struct wire type, struct onnx_value *v)
{
	struct wire_field t, s, d, n;
	while (wire_next(&type, &t))
		if (t.number == 1)
			while (wire_next(&t.bytes, &s)) {
				if (s.number == 1)
					v->element = (int)(s.value & 0xff);
				if (s.number != 2)
					continue;
				v->has_shape = true;
				v->shape.rank = 0;
				while (wire_next(&s.bytes, &d)) {
					if (d.number != 1)
						continue;
					if (v->shape.rank == TENSOR_RANK)
						return false;
					long *size = &v->shape.size[v->shape.rank++];
					*size = -1;
					while (wire_next(&d.bytes, &n))
						if (n.number == 1 && n.type == WIRE_VARINT)
							*size = n.value > 0 && n.value <= INT_MAX ? (long)n.value : -1;
				}
			}
	return true;
}

// The value of an input or output of the graph, or of one whose shape is told.
static bool read_info(struct reading *r, struct wire message, int *value)
{
	struct wire_field f;
	const char *name = "";
	struct wire type = {0};
	while (wire_next(&message, &f))
		if (f.number == 1)
			name = take_text(r->memory, &f.bytes);
		else if (f.number == 2)
			type = f.bytes;
	if (message.bad || !*name)
		return refuse(r, "an input or output without a name");
	if (r->memory->failed)
		return fault_memory(r->fault, r->file->path);
	return value_named(r, name, value) &&
		(read_shape(type, &r->file->value[*value]) || refuse(r, "a shape of more dimensions than there may be"));
}

// ---- branches ----

// The name of an output of a branch.
static const char *name_of_info(struct reading *r, struct wire message)
{
	struct wire_field f;
	while (wire_next(&message, &f))
		if (f.number == 1)
			return take_text(r->memory, &f.bytes);
	return "";
}

static bool read_part(struct reading *r, const struct wire_field *f, struct onnx_branch *b)
{
	switch (f->number) {
	case 5: return read_initializer(r, f->bytes);
	case 1: return read_node(r, f->bytes, &b->node[b->nodes++]);
	default: return value_within(r, name_of_info(r, f->bytes), false, &b->output[b->outputs++]);
	}
}

static bool read_branch(struct reading *r, struct wire message, struct onnx_branch *b)
{
	static const uint32_t parts[] = {5, 1, 12}; // tensors, nodes, outputs: names are there before they are read
	const int nodes = count_of(message, 1), outputs = count_of(message, 12);
	if (nodes > ONNX_NODES || outputs > ONNX_INPUTS)
		return refuse(r, "a branch with more nodes or outputs than there may be");
	b->node = take(r->memory, (size_t)nodes * sizeof *b->node);
	b->output = take(r->memory, (size_t)outputs * sizeof *b->output);
	if (r->memory->failed)
		return fault_memory(r->fault, r->file->path);
	for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
		struct wire all = message;
		struct wire_field f;
		while (wire_next(&all, &f))
			if (f.number == parts[part] && f.type == WIRE_BYTES && !read_part(r, &f, b))
				return false;
		if (all.bad)
			return refuse(r, "a branch ends within a field");
	}
	return true;
}

static void add_captured(const struct onnx_file *f, int number, int value, struct onnx_node *n)
{
	if (value >= 0 && f->value[value].branch != number)
		n->input[n->inputs++] = value;
}

// What a branch reads from around it becomes an input of its node.
static bool capture(struct reading *r, struct onnx_node *n, const struct onnx_branch *b, int number)
{
	size_t most = (size_t)n->inputs + (size_t)b->outputs;
	for (int i = 0; i < b->nodes; i++)
		most += (size_t)b->node[i].inputs;
	int *input = take(r->memory, most * sizeof *input);
	if (!input)
		return fault_memory(r->fault, r->file->path);
	memcpy(input, n->input, (size_t)n->inputs * sizeof *input);
	n->input = input;
	for (int i = 0; i < b->nodes; i++)
		for (int k = 0; k < b->node[i].inputs; k++)
			add_captured(r->file, number, b->node[i].input[k], n);
	for (int k = 0; k < b->outputs; k++)
		add_captured(r->file, number, b->output[k], n);
	return n->inputs <= ONNX_INPUTS || refuse(r, "a branch that reads more than it may");
}

static bool read_branches(struct reading *r, struct onnx_node *n)
{
	static const char *const name[] = {"then_branch", "else_branch"};
	if (strcmp(n->op, "If") != 0 || *n->domain)
		return true;
	if (r->depth == ONNX_DEPTH)
		return refuse(r, "branches and functions within each other, deeper than they may be");
	n->branch = take(r->memory, 2 * sizeof *n->branch);
	if (!n->branch)
		return fault_memory(r->fault, r->file->path);
	const struct scope *outer = r->scope;
	const int around = r->branch;
	bool ok = true;
	for (int b = 0; ok && b < 2; b++) {
		const struct onnx_attribute *a = onnx_attribute(n, name[b]);
		const struct scope scope = {.outer = outer, .sees = true, .number = ++r->scopes};
		if (!a || a->kind != ONNX_GRAPH)
			return refuse(r, "an If without both its branches");
		r->scope = &scope;
		r->branch = scope.number;
		r->depth++;
		ok = read_branch(r, a->tensor, &n->branch[b]);
		r->depth--;
		r->scope = outer;
		r->branch = around;
		ok = ok && capture(r, n, &n->branch[b], scope.number);
	}
	return ok;
}

// ---- functions ----

// Nodes of these domains are taken by their names, even where a body is there.
static bool is_by_name(const char *domain)
{
	static const char *const domains[] = {"qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general"};
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++)
		if (strcmp(domains[i], domain) == 0)
			return true;
	return false;
}

static const struct function *function_of(const struct reading *r, const struct onnx_node *n)
{
	for (int i = 0; i < r->functions && !is_by_name(n->domain); i++)
		if (strcmp(r->function[i].domain, n->domain) == 0 && strcmp(r->function[i].name, n->op) == 0)
			return &r->function[i];
	return NULL;
}

// What a function's inputs and outputs are in the call; those that are left out are -1.
static int *values_of_call(struct reading *r, const struct function *function, const struct onnx_node *call)
{
	int *value = take(r->memory, (size_t)(function->inputs + function->outputs) * sizeof *value);
	for (int i = 0; value && i < function->inputs; i++)
		value[i] = i < call->inputs ? call->input[i] : -1;
	for (int i = 0; value && i < function->outputs; i++)
		value[function->inputs + i] = i < call->outputs ? call->output[i] : -1;
	return value;
}

static bool add_node(struct reading *r, const struct onnx_node *n)
{
	struct onnx_file *f = r->file;
	if (f->nodes == r->nodes_room) {
		int room = r->nodes_room ? 2 * r->nodes_room : 256;
		struct onnx_node *grown = take(r->memory, (size_t)room * sizeof *grown);
		if (!grown)
			return fault_memory(r->fault, f->path);
		if (f->nodes)
			memcpy(grown, f->node, (size_t)f->nodes * sizeof *grown);
		f->node = grown;
		r->nodes_room = room;
	}
	f->node[f->nodes++] = *n;
	return true;
}

static bool call_function(struct reading *, const struct function *, const struct onnx_node *);

// A node, or the body of the function that it calls.
static bool read_called(struct reading *r, struct wire message)
{
	struct onnx_node n = {0};
	if (!read_node(r, message, &n))
		return false;
	const struct function *function = function_of(r, &n);
	return function ? call_function(r, function, &n) : add_node(r, &n);
}

static bool call_function(struct reading *r, const struct function *function, const struct onnx_node *call)
{
	struct wire message = function->message;
	const struct scope scope = {
		.number = ++r->scopes, .function = function, .value = values_of_call(r, function, call), .call = call};
	struct wire_field f;
	if (!scope.value)
		return fault_memory(r->fault, r->file->path);
	if (r->depth == ONNX_DEPTH)
		return refuse(r, "functions that call each other, deeper than they may");
	const struct scope *outer = r->scope;
	bool ok = true;
	r->scope = &scope;
	r->depth++;
	while (ok && wire_next(&message, &f))
		ok = f.number != 7 || f.type != WIRE_BYTES || read_called(r, f.bytes);
	r->depth--;
	r->scope = outer;
	return ok && (!message.bad || refuse(r, "a function ends within a field"));
}

static bool read_function(struct reading *r, struct wire message, struct function *to)
{
	struct wire all = message;
	struct wire_field f;
	const int inputs = count_of(message, 4), outputs = count_of(message, 5);
	*to = (struct function){.domain = "", .name = "", .message = message};
	if (inputs > ONNX_INPUTS || outputs > ONNX_INPUTS)
		return refuse(r, "a function with more inputs or outputs than there may be");
	to->names = take(r->memory, (size_t)(inputs + outputs) * sizeof *to->names);
	if (!to->names)
		return fault_memory(r->fault, r->file->path);
	while (wire_next(&message, &f)) {
		to->name = f.number == 1 ? take_text(r->memory, &f.bytes) : to->name;
		to->domain = f.number == 10 ? take_text(r->memory, &f.bytes) : to->domain;
		if (f.number == 4 && f.type == WIRE_BYTES)
			to->names[to->inputs++] = take_text(r->memory, &f.bytes);
	}
	while (wire_next(&all, &f))
		if (f.number == 5 && f.type == WIRE_BYTES)
			to->names[inputs + to->outputs++] = take_text(r->memory, &f.bytes);
	return !r->memory->failed || fault_memory(r->fault, r->file->path);
}

// ---- the graph ----

static bool read_graph(struct reading *r, struct wire message)
{
	struct onnx_file *file = r->file;
	struct wire_field f;
	int inputs = count_of(message, 11), outputs = count_of(message, 12), value;
	file->input = take(r->memory, (size_t)inputs * sizeof *file->input);
	file->output = take(r->memory, (size_t)outputs * sizeof *file->output);
	if (r->memory->failed)
		return fault_memory(r->fault, file->path);
	while (wire_next(&message, &f)) {
		bool ok = true;
		if (f.type != WIRE_BYTES)
			continue;
		switch (f.number) {
		case 1: ok = read_called(r, f.bytes); break;
		case 5: ok = read_initializer(r, f.bytes); break;
		case 11: ok = read_info(r, f.bytes, &file->input[file->inputs++]); break;
		case 12: ok = read_info(r, f.bytes, &file->output[file->outputs++]); break;
		case 13: ok = read_info(r, f.bytes, &value); break;
		case 15: ok = refuse(r, "sparse tensors, which are not read"); break;
		default: break;
		}
		if (!ok)
			return false;
	}
	if (message.bad)
		return refuse(r, "the graph ends within a field");
	return true;
}

static struct onnx_property read_property(struct memory *m, struct wire message)
{
	struct wire_field f;
	struct onnx_property p = {"", ""};
	while (wire_next(&message, &f)) {
		p.key = f.number == 1 ? take_text(m, &f.bytes) : p.key;
		p.value = f.number == 2 ? take_text(m, &f.bytes) : p.value;
	}
	return p;
}

static bool read_model(struct reading *r, struct wire message)
{
	struct wire_field f;
	struct wire graph = {0};
	bool found = false;
	int properties = count_of(message, 14), functions = count_of(message, 25);
	if (properties > ONNX_PROPERTIES || functions > ONNX_FUNCTIONS)
		return refuse(r, "more metadata or functions than can be read");
	r->file->property = take(r->memory, (size_t)properties * sizeof *r->file->property);
	r->function = take(r->memory, (size_t)functions * sizeof *r->function);
	if (r->memory->failed)
		return fault_memory(r->fault, r->file->path);
	while (wire_next(&message, &f)) {
		if (f.number == 2 && f.type == WIRE_BYTES)
			snprintf(r->file->producer, sizeof r->file->producer, "%s", take_text(r->memory, &f.bytes));
		if (f.number == 14 && f.type == WIRE_BYTES)
			r->file->property[r->file->properties++] = read_property(r->memory, f.bytes);
		if (f.number == 25 && f.type == WIRE_BYTES && !read_function(r, f.bytes, &r->function[r->functions++]))
			return false;
		if (f.number == 7 && f.type == WIRE_BYTES) {
			graph = f.bytes;
			found = true;
		}
	}
	if (message.bad)
		return refuse(r, "no ONNX file, or one that was cut off");
	return found ? read_graph(r, graph) : refuse(r, "no ONNX file: there is no graph in it");
}

// ---- order ----

static bool write_once(struct reading *r, int *writer)
{
	const struct onnx_file *f = r->file;
	for (int v = 0; v < f->values; v++)
		writer[v] = -1;
	for (int i = 0; i < f->nodes; i++)
		for (int k = 0; k < f->node[i].outputs; k++) {
			int v = f->node[i].output[k];
			if (v < 0)
				continue;
			if (writer[v] >= 0 || f->value[v].has_tensor)
				return fault_set(r->fault, f->path, damaged, "two nodes write \"%.60s\"", f->value[v].name);
			writer[v] = i;
		}
	return true;
}

// Kahn's order, in the file's own where that is one already.
static bool sort_nodes(struct reading *r, int *writer, int *waits, int *ready, struct onnx_node *sorted)
{
	struct onnx_file *f = r->file;
	int count = 0, from = 0;
	bool moved = true;
	while (moved) { // nearly always once
		moved = false;
		for (int i = from; i < f->nodes; i++) {
			if (ready[i])
				continue;
			bool can = true;
			for (int k = 0; can && k < f->node[i].inputs; k++) {
				int v = f->node[i].input[k];
				can = v < 0 || writer[v] < 0 || ready[writer[v]];
			}
			if (!can)
				continue;
			ready[i] = 1;
			sorted[count++] = f->node[i];
			moved = true;
		}
		while (from < f->nodes && ready[from])
			from++;
		if (++*waits > 1000) // a graph that stands backwards, and no exporter's
			break;
	}
	if (count < f->nodes)
		return fault_set(r->fault, f->path, damaged, "node \"%.60s\" (%.40s) waits for its own output",
			f->node[from].name, f->node[from].op);
	f->node = sorted;
	return true;
}

static bool put_in_order(struct reading *r)
{
	struct onnx_file *f = r->file;
	int rounds = 0;
	int *writer = take(r->memory, ((size_t)f->values + 1) * sizeof *writer),
	    *ready = take(r->memory, ((size_t)f->nodes + 1) * sizeof *ready);
	struct onnx_node *sorted = take(r->memory, ((size_t)f->nodes + 1) * sizeof *sorted);
	if (r->memory->failed)
		return fault_memory(r->fault, f->path);
	if (!write_once(r, writer) || !sort_nodes(r, writer, &rounds, ready, sorted))
		return false;
	for (int i = 0; i < f->nodes; i++)
		for (int k = 0; k < f->node[i].inputs; k++)
			if (f->node[i].input[k] >= 0)
				f->value[f->node[i].input[k]].readers++;
	int inputs = 0;
	for (int i = 0; i < f->inputs; i++) { // up to IR 3 initializers are listed too
		f->value[f->input[i]].is_input = !f->value[f->input[i]].has_tensor;
		if (f->value[f->input[i]].is_input)
			f->input[inputs++] = f->input[i];
	}
	f->inputs = inputs;
	for (int i = 0; i < f->outputs; i++)
		f->value[f->output[i]].readers++;
	return true;
}

// ---- files ----

struct onnx_file *onnx_read(const char *path, char *bytes, size_t size, struct fault *fault)
{
	struct fault own;
	struct onnx_file *f = calloc(1, sizeof *f);
	struct memory *m = calloc(1, sizeof *m);
	char *name = strdup(path);
	if (!f || !m || !name) {
		fault_memory(fault, path);
		free(f);
		free(m);
		free(name);
		free(bytes);
		return NULL;
	}
	*m = (struct memory){.file = bytes, .external = {.fd = -1}, .most = MEMORY_LEAST + MEMORY_TIMES * size};
	f->memory = m;
	f->path = name;
	struct reading r = {.file = f, .memory = m, .fault = fault ? fault : &own};
	if (grow_slots(&r) && read_model(&r, wire_of(bytes, size)) && put_in_order(&r)) {
		f->sum = (uint32_t)crc32_z(0, (const Bytef *)bytes, size);
		return f;
	}
	onnx_close(f);
	return NULL;
}

struct onnx_file *onnx_open(const char *path, struct fault *fault)
{
	size_t size = 0;
	char *bytes = disk_read(path, FILE_MOST, &size, fault);
	return bytes ? onnx_read(path, bytes, size, fault) : NULL;
}

void onnx_close(struct onnx_file *f)
{
	struct memory *m = f ? f->memory : NULL;
	if (!f)
		return;
	for (struct chunk *c = m->chunk, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	if (m->external.fd >= 0)
		close(m->external.fd);
	free(m->file);
	free(m->slot);
	free(m);
	free(f->value);
	free(f->path);
	free(f);
}

struct onnx_external *onnx_external(struct onnx_file *f)
{
	return &((struct memory *)f->memory)->external;
}

// ---- properties and attributes ----

const char *onnx_property(const struct onnx_file *f, const char *key)
{
	for (int i = 0; i < f->properties; i++)
		if (strcmp(f->property[i].key, key) == 0)
			return f->property[i].value;
	return NULL;
}

const struct onnx_attribute *onnx_attribute(const struct onnx_node *n, const char *name)
{
	for (int i = 0; i < n->attributes; i++)
		if (strcmp(n->attribute[i].name, name) == 0)
			return &n->attribute[i];
	return NULL;
}

int64_t onnx_whole(const struct onnx_node *n, const char *name, int64_t otherwise)
{
	const struct onnx_attribute *a = onnx_attribute(n, name);
	return a && a->kind == ONNX_WHOLE ? a->i : otherwise;
}

float onnx_number(const struct onnx_node *n, const char *name, float otherwise)
{
	const struct onnx_attribute *a = onnx_attribute(n, name);
	return a && a->kind == ONNX_FLOAT ? a->f : otherwise;
}

const char *onnx_text(const struct onnx_node *n, const char *name, const char *otherwise)
{
	const struct onnx_attribute *a = onnx_attribute(n, name);
	return a && a->kind == ONNX_TEXT ? a->text : otherwise;
}
