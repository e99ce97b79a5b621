// SPDX-License-Identifier: GPL-3.0-or-later
// Compares the model with times measured on a TPU v4.
#include "engine/hardware/silicon.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/cost/inside.h"
#include "engine/cost/product.h"

// GPT-2 124M: 12 blocks of width 768 with 12 heads, and the vocabulary. The tokens come in embedded: the look-up is left out.
static struct model *gpt2(int tokens, struct fault *fault)
{
	enum { BLOCKS = 12, WIDTH = 768, HEADS = 12, VOCABULARY = 50257 };
	struct model *m = model_new("gpt2", (struct shape){tokens, 1, WIDTH}, VOCABULARY);
	char name[32];
	int x = 0;
	for (int b = 0; b < BLOCKS; b++) {
#define NAMED(what) (snprintf(name, sizeof name, "b%d." what, b), name)
		int y = model_linear(m, NAMED("qkv"), model_layernorm(m, x), 3 * WIDTH);
		x = model_add(m, x, model_linear(m, NAMED("out"), model_attention(m, y, HEADS), WIDTH), ACT_NONE);
		y = model_act(m, model_linear(m, NAMED("up"), model_layernorm(m, x), 4 * WIDTH), ACT_GELU);
		x = model_add(m, x, model_linear(m, NAMED("down"), y, WIDTH), ACT_NONE);
#undef NAMED
	}
	model_linear(m, "head", model_layernorm(m, x), VOCABULARY);
	return model_finish(m, fault);
}

static bool forward_pass(const struct device *d, int tokens, int batch, double *us, struct fault *fault)
{
	struct model *m = gpt2(tokens, fault);
	struct tariff *t = m ? calloc(1, sizeof *t) : NULL;
	if (m && !t)
		fault_memory(fault, d->name);
	bool ok = false;
	if (t) {
		*t = (struct tariff){.kind = &term_kinds[TERM_LATENCY], .on_device = true, .device = *d, .batch = batch};
		term_write(TERM_LATENCY, d->name, t->name, sizeof t->name);
		ok = machine_new(t, fault);
	}
	struct cost *c = ok ? cost_of(t, &(struct plan){.model = m}, fault) : NULL;
	if (c)
		*us = 1e3 * cost_uniform_total(c, format_named("bf16"));
	ok = c != NULL;
	cost_free(c);
	tariff_free(t);
	model_free(m);
	return ok;
}

// Four operations a number; reads and writes two bytes of each.
static double element_wise(const struct device *d, double numbers)
{
	double compute = 4 * numbers / (d->vector * d->efficiency[WORK_VECTOR]);
	double memory = 4 * numbers / (d->bandwidth * d->memory_efficiency);
	return 1e6 * (d->floor + kernel_overlap(compute, memory, d->ramp));
}

bool cost_silicon(const struct device *d, int row, double *us, struct fault *fault)
{
	const struct silicon_row *r = &silicon_rows[row];
	struct cost_product product;
	switch (r->kind) {
	case SILICON_GPT2: return forward_pass(d, (int)r->size[0], (int)r->size[1], us, fault);
	case SILICON_ELEMENTWISE: *us = element_wise(d, r->size[0]); return true;
	default:
		if (!cost_product(d, r->size, format_named("bf16"), false, &product, fault))
			return false;
		*us = 1e6 * product.seconds;
		return true;
	}
}

bool cost_silicon_error(const struct device *d, int kind, bool fitted, struct silicon_error *e, struct fault *fault)
{
	*e = (struct silicon_error){0};
	for (int i = 0; i < silicon_count; i++) {
		double us;
		if ((int)silicon_rows[i].kind != kind || silicon_fitted(i) != fitted)
			continue;
		if (!cost_silicon(d, i, &us, fault))
			return false;
		double off = log(us / silicon_rows[i].us);
		e->rows++;
		e->bias += off;
		e->error += fabs(off);
		e->rms += off * off;
		e->worst = fmax(e->worst, fabs(off));
	}
	if (e->rows) {
		e->bias /= e->rows;
		e->error /= e->rows;
		e->rms = sqrt(e->rms / e->rows);
	}
	return true;
}
