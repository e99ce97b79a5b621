// SPDX-License-Identifier: GPL-3.0-or-later
// A builder runs once for each choice. It asks for the values of slots as it goes (networks.h), which is how they are found in the first
// place: by building the network at its largest, then with every other option in turn, until nothing new turns up.
#include "engine/model/blueprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/model/networks.h"

struct blueprint {
	struct recipe recipe;
	struct picks picks; // the slots
	uint8_t *largest;   // the last option of each
	struct model *whole;
};

// ---- what a builder asks ----

static int find_slot(struct picks *p, const char *name)
{
	for (int i = 0; i < p->slots; i++) {
		int at = (p->next + i) % p->slots; // a builder asks in one order
		if (strcmp(p->slot[at].name, name) == 0) {
			p->next = at + 1;
			return at;
		}
	}
	return -1;
}

static bool refuse(struct picks *p, const char *name, const char *what)
{
	p->failed = true;
	return fault_set(&p->fault, name, "this is a fault of the description", "%s", what);
}

static int add_slot(struct picks *p, const struct slot *asked, const char *standard)
{
	struct slot slot = *asked;
	if (p->slots == SLOTS_MOST)
		return refuse(p, slot.name, "too many choices") - 1;
	struct slot *room = realloc(p->slot, (size_t)(p->slots + 1) * sizeof *room);
	p->slot = room ? room : p->slot;
	uint8_t *usual = realloc(p->standard, (size_t)(p->slots + 1));
	p->standard = usual ? usual : p->standard;
	if (!room || !usual) {
		p->failed = true;
		return fault_memory(&p->fault, slot.name) - 1;
	}
	int option = slot_named(&slot, standard, &p->fault);
	if (option < 0) {
		p->failed = true;
		return -1;
	}
	p->standard[p->slots] = (uint8_t)option;
	p->slot[p->slots] = slot;
	return p->slots++;
}

static int ask(struct picks *p, const struct slot *asked, const char *standard)
{
	int at = find_slot(p, asked->name);
	if (at < 0 && p->finding)
		return add_slot(p, asked, standard);
	if (at < 0)
		return refuse(p, asked->name,
			       "the network has this choice under some options, and was not built with them before") -
			1;
	const struct slot *known = &p->slot[at];
	if (known->kind != asked->kind || known->options != asked->options || known->owner != asked->owner ||
		known->when != asked->when)
		return refuse(p, asked->name, "two choices have this name") - 1;
	return at;
}

struct pick model_pick(struct model *m, const char *block, enum slot_kind kind, const char *words, const char *standard)
{
	struct picks *p = m->picks;
	struct slot asked = {.kind = kind, .owner = p ? p->owner : -1, .when = p ? p->when : 0, .layer = -1};
	struct fault own;
	snprintf(asked.name, sizeof asked.name, "%s.%s", block, slot_kinds[kind].word);
	if (!slot_read(&asked, words, p ? &p->fault : &own)) {
		if (p)
			p->failed = true;
		return (struct pick){.slot = -1, .option = -1};
	}
	int at = p && !p->failed ? ask(p, &asked, standard) : -1;
	int option = at < 0 ? slot_named(&asked, standard, &own) : p->option && at < p->given ? p->option[at] : asked.options - 1;
	if (option < 0 || option >= asked.options)
		option = asked.options - 1;
	struct pick pick = {.slot = at, .option = option, .value = asked.value[option]};
	snprintf(pick.word, sizeof pick.word, "%s", asked.option[option]);
	return pick;
}

struct scope model_within(struct model *m, struct pick pick, uint32_t when)
{
	struct picks *p = m->picks;
	struct scope before = {p ? p->owner : -1, p ? p->when : 0};
	if (p && pick.slot >= 0) {
		p->owner = pick.slot;
		p->when = when;
	}
	return before;
}

void model_leave(struct model *m, struct scope scope)
{
	if (m->picks) {
		m->picks->owner = scope.owner;
		m->picks->when = scope.when;
	}
}

// ---- the whole ----

static int find_op(const struct model *m, uint64_t key)
{
	for (int i = 0; i < m->ops; i++)
		if (m->op[i].key == key)
			return i;
	return -1;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static struct shape largest_shape(struct shape a, struct shape b)
{
	return (struct shape){most(a.h, b.h), most(a.w, b.w), most(a.c, b.c)};
}

static void enlarge(struct model *whole, int at, const struct model *m, int from)
{
	struct op *all = &whole->op[at];
	const struct op *op = &m->op[from];
	all->out = largest_shape(all->out, op->out);
	if (op->window.h > all->window.h)
		all->window = op->window;
	all->groups = most(all->groups, op->groups);
	if (op->layer < 0)
		return;
	struct layer *l = &whole->layer[all->layer];
	const struct layer *other = &m->layer[op->layer];
	l->in = largest_shape(l->in, other->in);
	l->out = largest_shape(l->out, other->out);
	l->macs = l->macs > other->macs ? l->macs : other->macs;
	l->activations = l->activations > other->activations ? l->activations : other->activations;
	l->biases = l->biases > other->biases ? l->biases : other->biases;
	l->positive = l->positive && other->positive;
	l->weights = (double)(all->kind == OP_CONV ? all->window.h * all->window.w : 1) *
		(l->in.c / (all->groups > 0 ? all->groups : 1)) * l->out.c;
}

// Puts an operator of another choice behind `before`; what it reads is there already.
static bool insert(struct model *whole, int at, const struct model *m, int from)
{
	struct op op = m->op[from];
	struct op *ops = realloc(whole->op, (size_t)(whole->ops + 1) * sizeof *ops);
	whole->op = ops ? ops : whole->op;
	struct layer *layers = op.layer < 0 ? whole->layer : realloc(whole->layer, (size_t)(whole->layers + 1) * sizeof *layers);
	if (!ops || (op.layer >= 0 && !layers))
		return false;
	whole->layer = layers;
	for (int k = 0; k < op.inputs; k++)
		op.in[k] = find_op(whole, m->op[m->op[from].in[k]].key);
	memmove(ops + at + 1, ops + at, (size_t)(whole->ops - at) * sizeof *ops);
	whole->ops++;
	int layer = 0;
	for (int i = 0; i < at; i++)
		layer += ops[i].layer >= 0;
	if (op.layer >= 0) {
		memmove(layers + layer + 1, layers + layer, (size_t)(whole->layers - layer) * sizeof *layers);
		layers[layer] = m->layer[op.layer];
		layers[layer].op = at;
		op.layer = layer;
		whole->layers++;
	}
	ops[at] = op;
	for (int i = at + 1; i < whole->ops; i++) {
		if (ops[i].layer >= 0 && op.layer >= 0)
			ops[i].layer++;
		if (ops[i].layer >= 0)
			layers[ops[i].layer].op = i;
		for (int k = 0; k < ops[i].inputs; k++)
			ops[i].in[k] += ops[i].in[k] >= at;
	}
	return true;
}

static bool merge(struct model *whole, const struct model *m)
{
	for (int i = 0, behind = 0; i < m->ops; i++) {
		int at = find_op(whole, m->op[i].key);
		if (at < 0 && !insert(whole, at = behind, m, i))
			return false;
		enlarge(whole, at, m, i);
		behind = at + 1;
	}
	return true;
}

// ---- making it ----

static struct model *build(const struct blueprint *b, struct picks *picks, const uint8_t *option, int given, struct fault *fault)
{
	picks->option = option;
	picks->given = given;
	picks->next = 0;
	picks->owner = -1;
	picks->when = 0;
	picks->failed = false;
	struct model *m = recipe_run(&b->recipe, picks, fault);
	if (m && picks->failed) {
		model_free(m);
		m = NULL;
		if (fault)
			*fault = picks->fault;
	}
	return m;
}

// Every option of every slot once, all others at their largest; slots that turn up on the way as well.
static bool find_all(struct blueprint *b, struct fault *fault)
{
	b->whole = build(b, &b->picks, NULL, 0, fault);
	if (!b->whole)
		return false;
	for (int i = 0; i < b->picks.slots; i++)
		for (int o = 0; o < b->picks.slot[i].options - 1; o++) {
			uint8_t option[SLOTS_MOST];
			for (int k = 0; k < b->picks.slots; k++)
				option[k] = (uint8_t)(b->picks.slot[k].options - 1);
			option[i] = (uint8_t)o;
			for (int k = i; b->picks.slot[k].owner >= 0; k = b->picks.slot[k].owner) // so that it makes a difference
				option[b->picks.slot[k].owner] = (uint8_t)(31 - __builtin_clz(b->picks.slot[k].when));
			struct model *m = build(b, &b->picks, option, b->picks.slots, fault);
			if (!m)
				return false;
			bool ok = merge(b->whole, m);
			model_free(m);
			if (!ok)
				return fault_memory(fault, b->whole->name);
		}
	return true;
}

struct blueprint *blueprint_named(const char *name, struct shape input, int classes, struct fault *fault)
{
	struct blueprint *b = calloc(1, sizeof *b);
	if (!b) {
		fault_memory(fault, name);
		return NULL;
	}
	b->picks.finding = true;
	if (!recipe_named(&b->recipe, name, input, classes, fault) || !find_all(b, fault)) {
		blueprint_free(b);
		return NULL;
	}
	b->picks.finding = false;
	model_total(b->whole);
	if (b->recipe.text && b->picks.slots)
		file_title(b->whole, b->recipe.path, b->recipe.text);
	return b;
}

void blueprint_free(struct blueprint *b)
{
	if (!b)
		return;
	recipe_free(&b->recipe);
	free(b->picks.slot);
	free(b->picks.standard);
	model_free(b->whole);
	free(b);
}

const struct slot *blueprint_slots(const struct blueprint *b, int *count)
{
	*count = b->picks.slots;
	return b->picks.slot;
}

const struct model *blueprint_whole(const struct blueprint *b)
{
	return b->whole;
}

const uint8_t *blueprint_standard(const struct blueprint *b)
{
	return b->picks.standard;
}

bool blueprint_settle(const struct blueprint *b, const uint8_t *option, struct path *path, struct fault *fault)
{
	struct picks picks = b->picks; // any thread may settle
	struct model *m = build(b, &picks, option, picks.slots, fault);
	return m && path_settle(path, m, fault);
}

// ---- counting ----

// Choices of the slots that slot `owner` owns through one of these options, and of what those own in turn.
static double count_owned(const struct blueprint *b, int owner, uint32_t option)
{
	double product = 1;
	for (int i = 0; i < b->picks.slots; i++) {
		const struct slot *s = &b->picks.slot[i];
		double sum = 0;
		if (s->owner != owner || (owner >= 0 && !(s->when & option)))
			continue;
		for (int o = 0; o < s->options; o++)
			sum += count_owned(b, i, 1u << o);
		product *= sum;
	}
	return product;
}

void blueprint_counts(const struct blueprint *b, double *decisions, double *networks)
{
	*decisions = 1;
	for (int i = 0; i < b->picks.slots; i++)
		*decisions *= b->picks.slot[i].options;
	*networks = count_owned(b, -1, 0);
}
