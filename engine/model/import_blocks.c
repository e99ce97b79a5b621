// SPDX-License-Identifier: GPL-3.0-or-later
// Blocks of several general operators that are one of the engine's. They are looked for in the model that was built, where whatever
// moved numbers about has become one arrangement, so that the forms in which exporters split queries, keys and values look the same.
#include <math.h>
#include <stdlib.h>

#include "engine/model/import.h"

enum { CHAIN = 4 };

// What an operator takes its numbers from, behind arrangements of one operator and factors, which are multiplied together.
struct chain {
	const struct arrangement *arrangement[CHAIN]; // the last comes first
	int count, from;
	double factor;
};

static struct chain chain_of(const struct model *m, int op)
{
	struct chain c = {.factor = 1};
	for (;; op = m->op[op].in[0]) {
		const struct op *o = &m->op[op];
		if (o->kind == OP_FUNCTION && o->fn == FN_LINEAR && o->beta == 0) {
			c.factor *= (double)o->alpha;
			continue;
		}
		if (o->kind != OP_ARRANGE || o->inputs != 1 || c.count == CHAIN)
			break;
		if (o->arrangement)
			c.arrangement[c.count++] = o->arrangement;
	}
	c.from = op;
	return c;
}

// Where number i comes from; below 0: it is a constant.
static long origin(const struct chain *c, long i)
{
	for (int k = 0; k < c->count && i >= 0; k++)
		i = c->arrangement[k]->index[i];
	return i;
}

// ---- attention ----

struct heads {
	int from, heads;
	long tokens, width;
};

// Queries and values are [head][token][width] of an image [token][3][head][width], keys [head][width][token].
static bool is_part(const struct chain *c, const struct heads *h, int part)
{
	const long all = h->heads * h->tokens * h->width, row = 3 * h->heads * h->width;
	if (c->from != h->from || c->count == 0 || c->arrangement[0]->count != all)
		return false;
	for (long i = 0; i < all; i++) {
		long head = i / (h->tokens * h->width), rest = i % (h->tokens * h->width);
		long token = part == 1 ? rest % h->tokens : rest / h->width, j = part == 1 ? rest / h->tokens : rest % h->width;
		if (origin(c, i) != token * row + (part * h->heads + head) * h->width + j)
			return false;
	}
	return true;
}

// The heads side by side again.
static bool is_joined(const struct op *a, const struct heads *h)
{
	if (a->out.c != h->heads * h->width || (long)a->out.h * a->out.w != h->tokens)
		return false;
	for (long i = 0; i < a->arrangement->count; i++) {
		long token = i / a->out.c, head = i % a->out.c / h->width, j = i % h->width;
		if (a->arrangement->index[i] != (head * h->tokens + token) * h->width + j)
			return false;
	}
	return true;
}

// softmax(Q K^T / root of the width) V, from queries, keys and values that one layer puts out.
static bool find_attention(const struct model *m, const struct op *joined, struct heads *h)
{
	const struct op *values = &m->op[joined->in[0]], *scores;
	if (joined->kind != OP_ARRANGE || !joined->arrangement || joined->inputs != 1 || values->kind != OP_PRODUCT)
		return false;
	scores = &m->op[values->in[0]];
	if (scores->kind != OP_SOFTMAX)
		return false;
	const struct chain scaled = chain_of(m, scores->in[0]);
	scores = &m->op[scaled.from];
	if (scaled.count || scores->kind != OP_PRODUCT || scores->heads != values->heads)
		return false;
	const struct chain q = chain_of(m, scores->in[0]), k = chain_of(m, scores->in[1]), v = chain_of(m, values->in[1]);
	*h = (struct heads){q.from, scores->heads, scores->out.h / scores->heads, values->out.c};
	const struct shape s = m->op[h->from].out;
	const double factor = scaled.factor * q.factor * k.factor * sqrt((double)h->width);
	return v.factor == 1 && fabs(factor - 1) < 1e-5 && s.c == 3 * h->heads * h->width && (long)s.h * s.w == h->tokens &&
		is_part(&q, h, 0) && is_part(&k, h, 1) && is_part(&v, h, 2) && is_joined(joined, h);
}

// ---- tokens ----

static int readers_of(const struct model *m, int op)
{
	int readers = 0;
	for (int i = op + 1; i < m->ops; i++)
		for (int k = 0; k < m->op[i].inputs; k++)
			readers += m->op[i].in[k] == op;
	return readers;
}

// A constant pixel before the pixels of an image, which nothing else reads.
static bool is_before(const struct model *m, int op)
{
	const struct op *a = &m->op[op];
	if (a->kind != OP_ARRANGE || !a->arrangement || a->inputs != 1 || readers_of(m, op) != 1)
		return false;
	const struct shape s = m->op[a->in[0]].out;
	const long c = s.c, all = (long)s.h * s.w * c + c;
	if (a->arrangement->count != all)
		return false;
	for (long i = 0; i < all; i++)
		if (i < c ? a->arrangement->index[i] >= 0 : a->arrangement->index[i] != i - c)
			return false;
	return true;
}

// A class token, and a position that is added to every token.
static bool make_tokens(struct import *m, int at)
{
	struct op *op = &m->model->op[at];
	if (op->kind != OP_AFFINE || op->gain || !is_before(m->model, op->in[0]))
		return true;
	const struct op *a = &m->model->op[op->in[0]];
	const int from = a->in[0], c = m->model->op[from].out.c, tokens = (int)(a->arrangement->count / c);
	if (op->period != a->arrangement->count)
		return true;
	float *token = malloc((size_t)c * sizeof *token);
	for (int j = 0; token && j < c; j++)
		token[j] = a->arrangement->constant[-1 - a->arrangement->index[j]];
	*op = (struct op){.kind = OP_TOKENS, .in = {from}, .inputs = 1, .out = {tokens, 1, c}, .layer = -1, .key = op->key};
	return import_learn(m, at, 1, token, c); // the positions are its first part already
}

// ---- all of them ----

bool import_blocks(struct import *import)
{
	struct model *m = import->model;
	struct heads h;
	for (int i = 0; i < m->ops; i++)
		if (!make_tokens(import, i))
			return false;
	for (int i = 0; i < m->ops; i++)
		if (find_attention(m, &m->op[i], &h)) {
			struct op *op = &m->op[i];
			*op = (struct op){.kind = OP_ATTENTION,
				.in = {h.from},
				.inputs = 1,
				.out = op->out,
				.heads = h.heads,
				.layer = -1,
				.key = op->key};
		}
	return true;
}
