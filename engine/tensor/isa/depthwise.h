// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution: each channel by itself, with channels side by side in vectors.
#ifndef ENGINE_TENSOR_ISA_DEPTHWISE_H
#define ENGINE_TENSOR_ISA_DEPTHWISE_H

#include "engine/tensor/isa/lanes.h"

enum { NEIGHBOURS = 8 }; // outputs that share the weights while these are in registers

// A vector of channels of `count` outputs, a constant where it is inlined.
INLINE void depthwise_vector(const int count, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, const float *scale, float *y, long y_pixel)
{
	lanes acc[NEIGHBOURS];
#pragma GCC unroll 8
	for (int i = 0; i < count; i++)
		acc[i] = (lanes){0};
	for (int ty = 0; ty < taps_y; ty++)
		for (int tx = 0; tx < taps_x; tx++) {
			const lanes wt = *(const lanes *)(w + ty * w_row + tx * w_tap);
			const float *xt = x + ty * x_row + tx * x_tap;
#pragma GCC unroll 8
			for (int i = 0; i < count; i++, xt += x_pixel)
				acc[i] = fused_lanes(*(const lanes *)xt, wt, acc[i]);
		}
#pragma GCC unroll 8
	for (int i = 0; i < count; i++) {
		if (scale)
			acc[i] *= *(const lanes *)scale;
		*(lanes *)(y + i * y_pixel) = acc[i];
	}
}

// A vector of channels of a row.
INLINE void depthwise_row(long pixels, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, const float *scale, float *y, long y_pixel)
{
	long p = 0;
	for (; p + NEIGHBOURS <= pixels; p += NEIGHBOURS)
		depthwise_vector(NEIGHBOURS, taps_y, taps_x, x + p * x_pixel, x_pixel, x_row, x_tap, w, w_row, w_tap, scale,
			y + p * y_pixel, y_pixel);
	for (; p + 4 <= pixels; p += 4)
		depthwise_vector(4, taps_y, taps_x, x + p * x_pixel, x_pixel, x_row, x_tap, w, w_row, w_tap, scale,
			y + p * y_pixel, y_pixel);
	for (; p < pixels; p++)
		depthwise_vector(1, taps_y, taps_x, x + p * x_pixel, x_pixel, x_row, x_tap, w, w_row, w_tap, scale,
			y + p * y_pixel, y_pixel);
}

static void depthwise(long pixels, long c, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, const float *scale, float *y, long y_pixel)
{
	long j = 0;
	while (c >= LANES && j < c) { // the last vector may repeat some channels of the one before
		j = j + LANES <= c ? j : c - LANES;
		depthwise_row(pixels, taps_y, taps_x, x + j, x_pixel, x_row, x_tap, w + j, w_row, w_tap, scale ? scale + j : NULL,
			y + j, y_pixel);
		j += LANES;
	}
	for (; j < c; j++)
		for (long p = 0; p < pixels; p++) {
			float sum = 0;
			for (int ty = 0; ty < taps_y; ty++)
				for (int tx = 0; tx < taps_x; tx++)
					sum = fused(x[p * x_pixel + ty * x_row + tx * x_tap + j], w[ty * w_row + tx * w_tap + j],
						sum);
			y[p * y_pixel + j] = scale ? sum * scale[j] : sum;
		}
}

INLINE void depthwise_gradient_block(const int taps, const int width, long pixels, const float *x, long x_pixel, long x_tap,
	const float *dy, long dy_pixel, float *dw, long w_tap)
{
	float acc[KERNEL_TAPS][BLOCK];
	for (int t = 0; t < taps; t++)
		for (int k = 0; k < width; k++)
			acc[t][k] = dw[t * w_tap + k];
	for (long p = 0; p < pixels; p++, x += x_pixel, dy += dy_pixel)
		for (int t = 0; t < taps; t++)
			for (int k = 0; k < width; k++)
				acc[t][k] = fused(x[t * x_tap + k], dy[k], acc[t][k]);
	for (int t = 0; t < taps; t++)
		for (int k = 0; k < width; k++)
			dw[t * w_tap + k] = acc[t][k];
}

INLINE void depthwise_gradient_taps(const int taps, long pixels, long c, const float *x, long x_pixel, long x_tap,
	const float *dy, long dy_pixel, float *dw, long w_tap)
{
	long j = 0;
	for (; j + BLOCK <= c; j += BLOCK)
		depthwise_gradient_block(taps, BLOCK, pixels, x + j, x_pixel, x_tap, dy + j, dy_pixel, dw + j, w_tap);
	for (; j + PART <= c; j += PART)
		depthwise_gradient_block(taps, PART, pixels, x + j, x_pixel, x_tap, dy + j, dy_pixel, dw + j, w_tap);
	if (j < c)
		depthwise_gradient_block(taps, (int)(c - j), pixels, x + j, x_pixel, x_tap, dy + j, dy_pixel, dw + j, w_tap);
}

static void depthwise_gradient(long pixels, long c, int taps, const float *x, long x_pixel, long x_tap, const float *dy,
	long dy_pixel, float *dw, long w_tap)
{
	for (; taps > 0; taps -= KERNEL_TAPS, x += KERNEL_TAPS * x_tap, dw += KERNEL_TAPS * w_tap) {
		if (taps == 3)
			depthwise_gradient_taps(3, pixels, c, x, x_pixel, x_tap, dy, dy_pixel, dw, w_tap);
		else if (taps >= 5)
			depthwise_gradient_taps(5, pixels, c, x, x_pixel, x_tap, dy, dy_pixel, dw, w_tap);
		else
			for (int t = 0; t < taps; t++)
				depthwise_gradient_taps(1, pixels, c, x + t * x_tap, x_pixel, x_tap, dy, dy_pixel, dw + t * w_tap,
					w_tap);
	}
}

#endif
