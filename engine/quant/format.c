// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/quant/format.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Largest values: integers 2^(b-1)-1; floats (2 - 2^-M) * 2^(2^(E-1)), but OCP's 448 for e4m3 and 57344 for e5m2, which give
// codes to NaN and infinity (OCP 8-bit floating point specification, revision 1.0, table 1).
// The elements of block formats are e2m1, e2m3, e3m2, e4m3 and e5m2. MXINT8's are multiples of 2^-6 up to 127/64 (sections 5.3.4 and 6.3: the
// most negative code may be left out, as here), which is what an e1m7 would have below its least normal number. NVFP4: 16 e2m1 elements,
// an e4m3 scale, and an fp32 one for the tensor (NVIDIA, Pretraining large language models with NVFP4, arXiv 2509.25149, section 2).
const struct format format_table[FORMATS] = {
	{"int2", FORMAT_INTEGER, 2, 0, 0, 1, 0, 0},
	{"int3", FORMAT_INTEGER, 3, 0, 0, 3, 0, 0},
	{"int4", FORMAT_INTEGER, 4, 0, 0, 7, 0, 0},
	{"e2m1", FORMAT_FLOAT, 4, 2, 1, 6, 0, 0},
	{"e1m2", FORMAT_FLOAT, 4, 1, 2, 3.5, 0, 0},
	{"mxfp4", FORMAT_BLOCK, 4, 2, 1, 6, 32, 0},
	{"nvfp4", FORMAT_BLOCK, 4, 2, 1, 6, 16, 32},
	{"int5", FORMAT_INTEGER, 5, 0, 0, 15, 0, 0},
	{"e2m2", FORMAT_FLOAT, 5, 2, 2, 7, 0, 0},
	{"e3m1", FORMAT_FLOAT, 5, 3, 1, 24, 0, 0},
	{"int6", FORMAT_INTEGER, 6, 0, 0, 31, 0, 0},
	{"e2m3", FORMAT_FLOAT, 6, 2, 3, 7.5, 0, 0},
	{"e3m2", FORMAT_FLOAT, 6, 3, 2, 28, 0, 0},
	{"mxfp6", FORMAT_BLOCK, 6, 2, 3, 7.5, 32, 0},
	{"mxfp6-e3m2", FORMAT_BLOCK, 6, 3, 2, 28, 32, 0},
	{"int7", FORMAT_INTEGER, 7, 0, 0, 63, 0, 0},
	{"e2m4", FORMAT_FLOAT, 7, 2, 4, 7.75, 0, 0},
	{"e3m3", FORMAT_FLOAT, 7, 3, 3, 30, 0, 0},
	{"e4m2", FORMAT_FLOAT, 7, 4, 2, 448, 0, 0},
	{"int8", FORMAT_INTEGER, 8, 0, 0, 127, 0, 0},
	{"e3m4", FORMAT_FLOAT, 8, 3, 4, 31, 0, 0},
	{"e4m3", FORMAT_FLOAT, 8, 4, 3, 448, 0, 0},
	{"e5m2", FORMAT_FLOAT, 8, 5, 2, 57344, 0, 0},
	{"mxint8", FORMAT_BLOCK, 8, 1, 7, 127 / 64., 32, 0},
	{"mxfp8", FORMAT_BLOCK, 8, 4, 3, 448, 32, 0},
	{"mxfp8-e5m2", FORMAT_BLOCK, 8, 5, 2, 57344, 32, 0},
	{"int16", FORMAT_INTEGER, 16, 0, 0, 32767, 0, 0},
	{"bf16", FORMAT_CAST, 16, 8, 7, 3.3895313892515355e38, 0, 0},
	{"fp16", FORMAT_CAST, 16, 5, 10, 65504, 0, 0},
	{"fp32", FORMAT_CAST, 32, 8, 23, 3.4028234663852886e38, 0, 0},
};

int format_named(const char *name)
{
	for (int i = 0; i < FORMATS; i++)
		if (strcmp(name, format_table[i].name) == 0)
			return i;
	return -1;
}

struct grid format_grid(int format, bool positive)
{
	const struct format *f = &format_table[format];
	if (f->kind == FORMAT_INTEGER && positive)
		return (struct grid){.kind = GRID_INTEGER, .low = 0, .high = (float)ldexp(1, f->bits) - 1};
	if (f->kind == FORMAT_INTEGER)
		return (struct grid){.kind = GRID_INTEGER, .low = (float)-f->largest, .high = (float)f->largest};
	if (f->mantissa == 23)
		return (struct grid){.kind = GRID_NONE};
	// The smallest normal number is 2^(1 - bias), bias 2^(E-1) - 1. bf16 has fp32's exponents: its subnormals lie on
	// the same grid as its smallest normals, and fp32's own subnormals need no other treatment.
	int least = 2 - (1 << (f->exponent - 1));
	bool own_subnormals = f->exponent < 8;
	return (struct grid){
		.kind = GRID_FLOAT,
		.low = (float)-f->largest,
		.high = (float)f->largest,
		.drop = 23 - f->mantissa,
		.least_normal = own_subnormals ? (float)ldexp(1, least) : 0,
		.subnormal_magic = own_subnormals ? (float)ldexp(1.5, 23 + least - f->mantissa) : 0,
		.block = f->block,
		.top = ilogb(f->largest),
		.fine = f->tensor_bits > 0,
	};
}

float format_scale(int format, const struct grid *grid, float range)
{
	if (format_table[format].kind == FORMAT_CAST || (grid->block && !grid->fine))
		return 1;
	float scale = range / (grid->fine ? BLOCK_SCALE_MOST * grid->high : grid->high);
	if (scale < FLT_MIN)
		return 1; // a tensor of (as good as) zeros
	int exponent;
	float mantissa = frexpf(scale, &exponent);
	return !grid->binary ? scale : ldexpf(1, mantissa > 0.5f ? exponent : exponent - 1);
}

bool format_ranged(int format)
{
	return format_table[format].kind != FORMAT_CAST && format_table[format].kind != FORMAT_BLOCK;
}

// ---- blocks ----

static double blocks_of(const struct format *f, double length)
{
	return ceil(length / f->block);
}

double format_scale_bits(int format, double runs, double length)
{
	const struct format *f = &format_table[format];
	return f->block ? runs * blocks_of(f, length) * FORMAT_SCALE_BITS + f->tensor_bits : 32 * runs;
}

double format_stored_bits(int format, double length)
{
	const struct format *f = &format_table[format];
	return f->block ? f->bits + blocks_of(f, length) * FORMAT_SCALE_BITS / length : f->bits;
}

double format_whole_bits(int format)
{
	const struct format *f = &format_table[format];
	return f->block ? f->bits + (double)FORMAT_SCALE_BITS / f->block : f->bits;
}

const char *format_element(int format)
{
	const struct format *f = &format_table[format];
	for (int i = 0; f->block && i < FORMATS; i++) {
		const struct format *e = &format_table[i];
		if (e->kind == FORMAT_FLOAT && e->bits == f->bits && e->exponent == f->exponent && e->mantissa == f->mantissa)
			return e->name;
	}
	return f->block ? "int8" : NULL; // multiples of one step
}

// An e4m3 scale: rounded to the nearest, or up. Never 0, by which no number can be divided.
static float fine_scale(float wanted, bool up)
{
	static const float least = BLOCK_SCALE_LEAST, most = BLOCK_SCALE_MOST;
	int exponent = wanted > 0 && wanted < most ? ilogbf(wanted) : 0;
	float step = ldexpf(1, (exponent > -6 ? exponent : -6) - 3), units = wanted / step,
	      rounded = up ? ceilf(units) : rintf(units);
	return fminf(fmaxf(rounded * step, least), most);
}

// The neighbour of an e4m3 scale.
static float fine_next(float scale, bool up)
{
	int exponent = ilogbf(scale);
	bool falls = !up && scale == ldexpf(1, exponent); // into the binade below
	float step = ldexpf(1, (exponent - falls > -6 ? exponent - falls : -6) - 3);
	return fminf(fmaxf(up ? scale + step : scale - step, BLOCK_SCALE_LEAST), BLOCK_SCALE_MOST);
}

// A number on the grid, as a float: the plain way.
static float on_grid(const struct grid *g, float v)
{
	float a = fabsf(v);
	if (!(a < g->high))
		return copysignf(isnan(v) ? v : g->high, v);
	float step = ldexpf(1, (a < g->least_normal ? ilogbf(g->least_normal) : ilogbf(a)) - (23 - g->drop));
	return copysignf(fminf(rintf(a / step) * step, g->high), v);
}

static double block_error(const struct grid *g, float scale, const float *x, long n, long stride)
{
	double sum = 0;
	for (long i = 0; i < n; i++) {
		double d = (double)(scale * on_grid(g, x[i * stride] / scale)) - (double)x[i * stride];
		sum += d * d;
	}
	return sum;
}

static float searched(const struct grid *g, const float *candidate, int count, const float *x, long n, long stride)
{
	double least = block_error(g, candidate[0], x, n, stride);
	float best = candidate[0];
	for (int i = 1; i < count; i++) {
		double error = block_error(g, candidate[i], x, n, stride);
		if (error < least) {
			least = error;
			best = candidate[i];
		}
	}
	return best;
}

float format_block_scale(const struct grid *g, float scale, const float *x, long n, long stride)
{
	float peak = 0;
	for (long i = 0; i < n; i++)
		peak = isnan(x[i * stride]) ? INFINITY : fmaxf(peak, fabsf(x[i * stride]));
	if (g->fine) {
		float s = fine_scale(peak / g->high / scale, g->rule == BLOCK_SCALE_UP);
		return g->rule == BLOCK_SCALE_SEARCH
			? searched(g, (float[]){s * scale, fine_next(s, true) * scale, fine_next(s, false) * scale}, 3, x, n,
				  stride)
			: s * scale;
	}
	// E8M0 is 2^-127 to 2^127. Whatever is below the least normal float has an exponent below what that can say.
	int exponent = peak >= FLT_MIN ? (isinf(peak) ? 128 : ilogbf(peak)) - g->top : -127;
	exponent = exponent < -127 ? -127 : exponent > 127 ? 127 : exponent;
	float floored = ldexpf(1, exponent), raised = ldexpf(1, exponent < 127 ? exponent + 1 : 127);
	if (g->rule == BLOCK_SCALE_SEARCH)
		return searched(g, (float[]){floored, raised}, 2, x, n, stride);
	return g->rule == BLOCK_SCALE_UP && peak > g->high * floored ? raised : floored;
}
