// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/quant/format.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Largest values: integers 2^(b-1)-1; floats (2 - 2^-M) * 2^(2^(E-1)), but OCP's 448 for e4m3 and 57344 for e5m2, which give
// codes to NaN and infinity (OCP 8-bit floating point specification, revision 1.0, table 1).
const struct format format_table[FORMATS] = {
	{"int2", FORMAT_INTEGER, 2, 0, 0, 1},
	{"int3", FORMAT_INTEGER, 3, 0, 0, 3},
	{"int4", FORMAT_INTEGER, 4, 0, 0, 7},
	{"e2m1", FORMAT_FLOAT, 4, 2, 1, 6},
	{"e1m2", FORMAT_FLOAT, 4, 1, 2, 3.5},
	{"int5", FORMAT_INTEGER, 5, 0, 0, 15},
	{"e2m2", FORMAT_FLOAT, 5, 2, 2, 7},
	{"e3m1", FORMAT_FLOAT, 5, 3, 1, 24},
	{"int6", FORMAT_INTEGER, 6, 0, 0, 31},
	{"e2m3", FORMAT_FLOAT, 6, 2, 3, 7.5},
	{"e3m2", FORMAT_FLOAT, 6, 3, 2, 28},
	{"int7", FORMAT_INTEGER, 7, 0, 0, 63},
	{"e2m4", FORMAT_FLOAT, 7, 2, 4, 7.75},
	{"e3m3", FORMAT_FLOAT, 7, 3, 3, 30},
	{"e4m2", FORMAT_FLOAT, 7, 4, 2, 448},
	{"int8", FORMAT_INTEGER, 8, 0, 0, 127},
	{"e3m4", FORMAT_FLOAT, 8, 3, 4, 31},
	{"e4m3", FORMAT_FLOAT, 8, 4, 3, 448},
	{"e5m2", FORMAT_FLOAT, 8, 5, 2, 57344},
	{"int16", FORMAT_INTEGER, 16, 0, 0, 32767},
	{"bf16", FORMAT_CAST, 16, 8, 7, 3.3895313892515355e38},
	{"fp16", FORMAT_CAST, 16, 5, 10, 65504},
	{"fp32", FORMAT_CAST, 32, 8, 23, 3.4028234663852886e38},
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
	};
}

float format_scale(int format, const struct grid *grid, float range)
{
	if (format_table[format].kind == FORMAT_CAST)
		return 1;
	float scale = range / grid->high;
	return scale >= FLT_MIN ? scale : 1; // a tensor of (as good as) zeros
}
