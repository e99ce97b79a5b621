// SPDX-License-Identifier: GPL-3.0-or-later
// Activations and their slopes in double precision, from the mathematics library.
#ifndef TESTS_ACTIVATION_H
#define TESTS_ACTIVATION_H

#include <math.h>

#include "engine/tensor/kernels.h"

static inline double plain_activation(enum act act, double x)
{
	switch (act) {
	case ACT_RELU: return fmax(0, x);
	case ACT_RELU6: return fmin(6, fmax(0, x));
	case ACT_SWISH: return x / (1 + exp(-x));
	case ACT_GELU: return x * erfc(-x / sqrt(2)) / 2;
	case ACT_SIGMOID: return 1 / (1 + exp(-x));
	default: return x;
	}
}

static inline double plain_slope(enum act act, double x)
{
	double s = 1 / (1 + exp(-x)), density = exp(-x * x / 2) / sqrt(2 * acos(-1));
	switch (act) {
	case ACT_RELU: return x > 0;
	case ACT_RELU6: return x > 0 && x < 6;
	case ACT_SWISH: return s + x * s / (1 + exp(x));
	case ACT_GELU: return erfc(-x / sqrt(2)) / 2 + x * density;
	case ACT_SIGMOID: return s / (1 + exp(x));
	default: return 1;
	}
}

#endif
