// SPDX-License-Identifier: GPL-3.0-or-later
// Activations and their slopes, for single numbers. Loops over them are written once and instantiated for each activation.
#ifndef ENGINE_TENSOR_ISA_ACTIVATION_H
#define ENGINE_TENSOR_ISA_ACTIVATION_H

#include "engine/tensor/isa/lanes.h"

// e^x to about 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, a polynomial of degree 7 in r (Taylor's), times 2^n.
// Saturates below -87 and above 88, where fp32's range ends.
INLINE float exponential(float x)
{
	x = x < -87 ? -87 : x;
	x = x > 88 ? 88 : x;
	const float shifter = 12582912.0f; // rounds to an integer, which its lowest bits then hold
	float shifted = x * 1.44269504f + shifter, n = shifted - shifter;
	float r = x - n * 0.693145752f; // ln 2 in two parts: the first is exact in 16 bits
	r -= n * 1.42860677e-6f;
	float p = 1.98412698e-4f;
	p = p * r + 1.38888889e-3f;
	p = p * r + 8.33333333e-3f;
	p = p * r + 4.16666667e-2f;
	p = p * r + 1.66666667e-1f;
	p = p * r + 0.5f;
	p = p * r + 1;
	p = p * r + 1;
	int32_t bits;
	memcpy(&bits, &shifted, 4);
	bits = (int32_t)((uint32_t)(bits + 127) << 23);
	float power;
	memcpy(&power, &bits, 4);
	return p * power;
}

INLINE float logistic(float x)
{
	return 1 / (1 + exponential(-x));
}

// The normal distribution function, by erf's approximation 7.1.26 of Abramowitz and Stegun (absolute error below 1.5e-7).
INLINE float normal_below(float x)
{
	float z = fabsf(x) * 0.707106781f, t = 1 / (1 + 0.3275911f * z);
	float tail = 1.061405429f;
	tail = tail * t - 1.453152027f;
	tail = tail * t + 1.421413741f;
	tail = tail * t - 0.284496736f;
	tail = tail * t + 0.254829592f;
	tail *= 0.5f * t * exponential(-z * z);
	return x < 0 ? tail : 1 - tail;
}

// GELU: x times the normal distribution function (Hendrycks and Gimpel, 2016); swish: x times the logistic function.
INLINE float activated(enum act act, float x)
{
	switch (act) {
	case ACT_RELU: return x > 0 ? x : 0;
	case ACT_RELU6: x = x > 0 ? x : 0; return x < 6 ? x : 6;
	case ACT_SWISH: return x * logistic(x);
	case ACT_GELU: return x * normal_below(x);
	case ACT_SIGMOID: return logistic(x);
	default: return x;
	}
}

// The same of vectors, bit for bit.
INLINE lanes exponential_lanes(lanes x)
{
	x = lesser(every(88), greater(every(-87), x));
	const float shifter = 12582912.0f;
	const lanes shifted = x * 1.44269504f + shifter, n = shifted - shifter;
	lanes r = x - n * 0.693145752f;
	r -= n * 1.42860677e-6f;
	lanes p = every(1.98412698e-4f);
	p = p * r + 1.38888889e-3f;
	p = p * r + 8.33333333e-3f;
	p = p * r + 4.16666667e-2f;
	p = p * r + 1.66666667e-1f;
	p = p * r + 0.5f;
	p = p * r + 1;
	p = p * r + 1;
	return p * (lanes)(((ints)shifted + 127) << 23);
}

INLINE lanes logistic_lanes(lanes x)
{
	return 1 / (1 + exponential_lanes(-x));
}

INLINE lanes normal_below_lanes(lanes x)
{
	const lanes z = magnitude(x) * 0.707106781f, t = 1 / (1 + 0.3275911f * z);
	lanes tail = every(1.061405429f);
	tail = tail * t - 1.453152027f;
	tail = tail * t + 1.421413741f;
	tail = tail * t - 0.284496736f;
	tail = tail * t + 0.254829592f;
	tail *= 0.5f * t * exponential_lanes(-z * z);
	return chosen(x < 0, tail, 1 - tail);
}

INLINE lanes activated_lanes(enum act act, lanes x)
{
	switch (act) {
	case ACT_RELU: return greater(x, every(0));
	case ACT_RELU6: return lesser(greater(x, every(0)), every(6));
	case ACT_SWISH: return x * logistic_lanes(x);
	case ACT_GELU: return x * normal_below_lanes(x);
	case ACT_SIGMOID: return logistic_lanes(x);
	default: return x;
	}
}

// A norm and an activation, of channels j…
INLINE lanes affine_lanes(enum act act, const float *x, const float *gain, const float *shift, long j)
{
	return activated_lanes(act, *(const lanes *)(x + j) * *(const lanes *)(gain + j) + *(const lanes *)(shift + j));
}

// dy times the activation's slope at x.
INLINE float sloped(enum act act, float x, float dy)
{
	float s;
	switch (act) {
	case ACT_RELU: return x > 0 ? dy : 0;
	case ACT_RELU6: dy = x < 6 ? dy : 0; return x > 0 ? dy : 0;
	case ACT_SWISH: s = logistic(x); return dy * (s + x * s * (1 - s));
	case ACT_GELU: return dy * (normal_below(x) + x * 0.398942280f * exponential(-0.5f * x * x));
	case ACT_SIGMOID: s = logistic(x); return dy * s * (1 - s);
	default: return dy;
	}
}

INLINE lanes sloped_lanes(enum act act, lanes x, lanes dy)
{
	lanes s;
	switch (act) {
	case ACT_RELU: return kept_above(x, every(0), dy);
	case ACT_RELU6: return kept_above(x, every(0), kept_above(every(6), x, dy));
	case ACT_SWISH: s = logistic_lanes(x); return dy * (s + x * s * (1 - s));
	case ACT_GELU: return dy * (normal_below_lanes(x) + x * 0.398942280f * exponential_lanes(-0.5f * x * x));
	case ACT_SIGMOID: s = logistic_lanes(x); return dy * s * (1 - s);
	default: return dy;
	}
}

// Calls an inlined function with the activation as a constant first argument.
#define FOR_ACT(act, function, ...)                                                                                              \
	do {                                                                                                                     \
		switch (act) {                                                                                                   \
		case ACT_RELU: function(ACT_RELU, __VA_ARGS__); break;                                                           \
		case ACT_RELU6: function(ACT_RELU6, __VA_ARGS__); break;                                                         \
		case ACT_SWISH: function(ACT_SWISH, __VA_ARGS__); break;                                                         \
		case ACT_GELU: function(ACT_GELU, __VA_ARGS__); break;                                                           \
		case ACT_SIGMOID: function(ACT_SIGMOID, __VA_ARGS__); break;                                                     \
		default: function(ACT_NONE, __VA_ARGS__); break;                                                                 \
		}                                                                                                                \
	} while (0)

#endif
