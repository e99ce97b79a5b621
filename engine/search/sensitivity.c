// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/sensitivity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/published.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

struct sensitivity {
	char name[512];
	const struct model *model;
	struct measured table;
	bool fitted;
	struct sensitivity_fit fit;
};

// ---- bits ----

// The mean squared error of a format on a normal distribution cut at 4 standard deviations (about the largest of as many weights
// as a channel or a layer has), its largest value at the cut: by sums over even points.
enum { POINTS = 10007 };
static const float cut = 4;

// In blocks it matters what stands side by side: numbers are drawn.
static double drawn_error(int format, const struct grid *grid)
{
	float x[POINTS], y[POINTS];
	double error = 0;
	const uint64_t key = rng_key(0, "normal", 0);
	const int count = POINTS / grid->block * grid->block;
	for (int i = 0; i < count; i++)
		x[i] = y[i] = fmaxf(-cut, fminf(cut, (float)rng_normal(key, (uint64_t)i)));
	kernels_best()->round_blocks(grid, format_scale(format, grid, cut), y, count / grid->block, grid->block);
	for (int i = 0; i < count; i++)
		error += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
	return error / count;
}

static double normal_error(int format)
{
	float x[POINTS], y[POINTS];
	double error = 0, weight = 0;
	struct grid grid = format_grid(format, false);
	if (grid.block)
		return drawn_error(format, &grid);
	for (int i = 0; i < POINTS; i++)
		x[i] = cut * ((float)i + .5f) / POINTS;
	kernels_best()->quantize(&grid, format_scale(format, &grid, cut), x, y, POINTS);
	for (int i = 0; i < POINTS; i++) {
		double d = (double)x[i] - (double)y[i], density = exp(-(double)x[i] * (double)x[i] / 2);
		error += density * d * d;
		weight += density;
	}
	return error / weight;
}

double sensitivity_bits(int format)
{
	const struct format *f = &format_table[format];
	if (f->kind == FORMAT_INTEGER || f->bits == 32)
		return f->bits;
	// Between the errors of the two integers around it, or beyond the last two; log-linear.
	double target = log(normal_error(format)), low = 0, low_bits = 0, bits = 0;
	for (int i = 0, integers = 0; i < FORMATS; i++) {
		if (format_table[i].kind != FORMAT_INTEGER)
			continue;
		double error = log(normal_error(i));
		if (integers++)
			bits = low_bits + (format_table[i].bits - low_bits) * (low - target) / (low - error);
		if (integers > 1 && target >= error)
			break;
		low = error;
		low_bits = format_table[i].bits;
	}
	return bits;
}

// ---- fitting ----

static double omega(const struct published_layer *l, int width)
{
	return l->trace * l->error[width];
}

// What a published choice loses, up to a factor, with this power.
typedef double loss_of(const struct published *, const char *bits, double power);

static double by_omega(const struct published *p, const char *bits, double power)
{
	double sum = 0;
	for (int l = 0; l < p->layers; l++)
		sum += pow(omega(&p->layer[l], bits[l] == '4' ? PUBLISHED_INT4 : PUBLISHED_INT8), power);
	return sum;
}

static double by_count(const struct published *p, const char *bits, double power)
{
	int count = 0;
	for (int l = 0; l < p->layers; l++)
		count += bits[l] == '4';
	return pow(count, power);
}

// The power, in hundredths from 0.01 to 1, and the scale of least squared error on the fitted choices.
static void least_squares(const struct published *p, const struct sensitivity_fit *fit, const char *const *bits, loss_of *loss,
	double *scale, double *power)
{
	double least = INFINITY;
	for (int hundredths = 1; hundredths <= 100; hundredths++) {
		double xx = 0, xy = 0, yy = 0;
		for (int i = 0; i < fit->choices; i++)
			if (fit->choice[i].fitted) {
				double x = loss(p, bits[i], hundredths / 100.0), y = p->top1 - fit->choice[i].top1;
				xx += x * x;
				xy += x * y;
				yy += y * y;
			}
		if (yy - xy * xy / xx < least) {
			least = yy - xy * xy / xx;
			*scale = xy / xx;
			*power = hundredths / 100.0;
		}
	}
}

static struct sensitivity_error error_of(const struct sensitivity_fit *fit, bool fitted, bool counted)
{
	struct sensitivity_error e = {0};
	for (int i = 0; i < fit->choices; i++) {
		const struct sensitivity_choice *c = &fit->choice[i];
		double d = fabs(c->top1 - (counted ? c->counted : c->said));
		if (c->fitted != fitted)
			continue;
		e.choices++;
		e.rms += d * d;
		e.worst = fmax(e.worst, d);
	}
	e.rms = sqrt(e.rms / e.choices);
	return e;
}

static struct sensitivity_fit fit_to(const struct published *p)
{
	struct sensitivity_fit fit = {0};
	const char *bits[SENSITIVITY_CHOICES];
	int mixed = 0;
	for (int i = 0; i < p->choices && fit.choices < SENSITIVITY_CHOICES; i++) {
		const struct published_choice *c = &p->choice[i];
		bool known = false, uniform = strspn(c->bits, (char[]){c->bits[0], 0}) == strlen(c->bits);
		for (int k = 0; k < fit.choices; k++)
			known = known || strcmp(bits[k], c->bits) == 0;
		if (known)
			continue;
		bits[fit.choices] = c->bits;
		fit.choice[fit.choices++] = (struct sensitivity_choice){
			.name = c->name, .top1 = c->top1, .fitted = uniform || mixed++ % 2 == 0};
	}
	double scale = 0, power = 0;
	least_squares(p, &fit, bits, by_omega, &fit.scale, &fit.power);
	least_squares(p, &fit, bits, by_count, &scale, &power);
	for (int i = 0; i < fit.choices; i++) {
		fit.choice[i].said = p->top1 - fit.scale * by_omega(p, bits[i], fit.power);
		fit.choice[i].counted = p->top1 - scale * by_count(p, bits[i], power);
	}
	fit.fitted = error_of(&fit, true, false);
	fit.held = error_of(&fit, false, false);
	fit.counted_fitted = error_of(&fit, true, true);
	fit.counted_held = error_of(&fit, false, true);
	return fit;
}

// ---- making one ----

static void set(struct sensitivity *s, int layer, int format, double lost, enum figure_source source)
{
	for (int row = measured_row(layer, 0); row < measured_row(layer + 1, 0); row++) {
		s->table.half[row].has |= 1u << format;
		s->table.half[row].value[format] = lost;
		s->table.half[row].source[format] = (uint8_t)source;
		s->table.half[row].error[format] = source == FIGURE_MEASURED ? 0 : (double)NAN;
		s->table.half[row].kl[format] = 0;
	}
}

static bool from_published(struct sensitivity *s, struct fault *fault)
{
	int *row = calloc((size_t)s->model->layers + 1, sizeof *row), int4 = format_named("int4"), int8 = format_named("int8");
	const struct published *p = row ? published_for(s->model, row, fault) : NULL;
	if (!p || !measured_new_losses(&s->table, s->model, fault)) {
		if (!row)
			fault_memory(fault, s->name);
		free(row);
		return false;
	}
	s->table.top1 = p->top1;
	s->fitted = true;
	s->fit = fit_to(p);
	double most[FORMATS] = {0}; // that any layer loses beyond int8
	for (int f = 0; f < FORMATS; f++) {
		double bits = sensitivity_bits(f);
		for (int l = 0; l < s->model->layers; l++) {
			if (row[l] < 0)
				continue;
			double low = log(omega(&p->layer[row[l]], PUBLISHED_INT4)),
			       high = log(omega(&p->layer[row[l]], PUBLISHED_INT8));
			double at8 = s->fit.scale * exp(s->fit.power * high);
			double lost = s->fit.scale * exp(s->fit.power * (low + (high - low) * (bits - 4) / 4));
			bool known = f == int4 || f == int8;
			if (bits == 32)
				set(s, l, f, 0, FIGURE_MEASURED);
			else
				set(s, l, f, lost, known ? FIGURE_FITTED : FIGURE_EXTRAPOLATED);
			if (f != int8)
				most[f] = fmax(most[f], lost - at8);
		}
		for (int l = 0; l < s->model->layers; l++)
			if (row[l] < 0)
				set(s, l, f, most[f], bits == 32 ? FIGURE_MEASURED : FIGURE_EXTRAPOLATED);
	}
	free(row);
	return true;
}

struct sensitivity *sensitivity_named(const struct model *model, const char *name, struct fault *fault)
{
	struct sensitivity *s = calloc(1, sizeof *s);
	if (!s) {
		fault_memory(fault, name);
		return NULL;
	}
	s->model = model;
	bool ok = snprintf(s->name, sizeof s->name, "%s", name) < (int)sizeof s->name ||
		fault_set(fault, "sensitivity table", "name a shorter path", "the name is too long");
	if (ok && strcmp(name, "hawq") == 0)
		ok = from_published(s, fault);
	else if (ok)
		ok = measured_read(name, MEASURED_LOST, model, &s->table, fault);
	if (!ok) {
		sensitivity_free(s);
		return NULL;
	}
	int fp32 = format_named("fp32");
	for (int l = 0; l < model->layers; l++)
		if (!(s->table.half[measured_row(l, 0)].has >> fp32 & s->table.half[measured_row(l, 1)].has >> fp32 & 1))
			set(s, l, fp32, 0, FIGURE_MEASURED);
	return s;
}

void sensitivity_free(struct sensitivity *s)
{
	if (s)
		measured_free(&s->table);
	free(s);
}

// ---- asking ----

double sensitivity_top1(const struct sensitivity *s)
{
	return s->table.top1;
}

const struct sensitivity_fit *sensitivity_fit(const struct sensitivity *s)
{
	return s->fitted ? &s->fit : NULL;
}

bool sensitivity_answers(const struct sensitivity *s, const int *formats, int count, struct fault *fault)
{
	for (int l = 0; l < s->model->layers; l++)
		for (int i = 0; i < count; i++)
			if (!(s->table.half[measured_row(l, 0)].has >> formats[i] &
				    s->table.half[measured_row(l, 1)].has >> formats[i] & 1))
				return fault_set(fault, s->model->layer[l].name,
					"add a row for it to the table, or leave the format out",
					"%s does not say what is lost in %s", s->name, format_table[formats[i]].name);
	return true;
}

static double lost_in(const struct sensitivity *s, int row, int format)
{
	return s->table.half[row].has >> format & 1 ? s->table.half[row].value[format] : (double)INFINITY;
}

double sensitivity_lost(const struct sensitivity *s, int layer, struct layer_plan p)
{
	return (lost_in(s, measured_row(layer, 0), p.weight) + lost_in(s, measured_row(layer, 1), p.activation)) / 2;
}

double sensitivity_error(const struct sensitivity *s, int layer, struct layer_plan p)
{
	double w = s->table.half[measured_row(layer, 0)].error[p.weight],
	       a = s->table.half[measured_row(layer, 1)].error[p.activation];
	return hypot(w, a) / 2;
}

bool sensitivity_diverges(const struct sensitivity *s)
{
	return s->table.diverges;
}

double sensitivity_divergence(const struct sensitivity *s, const struct plan *plan)
{
	double sum = 0;
	for (int l = 0; l < s->model->layers; l++)
		sum += (s->table.half[measured_row(l, 0)].kl[plan->layer[l].weight] +
			       s->table.half[measured_row(l, 1)].kl[plan->layer[l].activation]) /
			2;
	return sum;
}

enum figure_source sensitivity_source(const struct sensitivity *s, int layer, struct layer_plan p)
{
	const int w = measured_row(layer, 0), a = measured_row(layer, 1);
	if (!(s->table.half[w].has >> p.weight & s->table.half[a].has >> p.activation & 1))
		return FIGURE_ABSENT;
	return p.weight == p.activation ? (enum figure_source)s->table.half[w].source[p.weight] : FIGURE_EXTRAPOLATED;
}

double sensitivity_quality(const struct sensitivity *s, const struct plan *plan, double *lost)
{
	double top1 = isnan(s->table.top1) ? 100 : s->table.top1;
	for (int l = 0; l < s->model->layers; l++) {
		double points = sensitivity_lost(s, l, plan->layer[l]);
		if (lost)
			lost[l] = points;
		top1 -= points;
	}
	return fmin(1, fmax(0, top1 / 100));
}
