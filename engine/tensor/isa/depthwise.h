// SPDX-License-Identifier: GPL-3.0-or-later
// Depthwise convolution: every channel by itself, channels side by side in vectors.
#ifndef ENGINE_TENSOR_ISA_DEPTHWISE_H
#define ENGINE_TENSOR_ISA_DEPTHWISE_H

#include "engine/tensor/isa/lanes.h"

enum { NEIGHBOURS = 4 }; // outputs that share the weights while these are in registers

// `width` channels of up to NEIGHBOURS outputs; both are constants where it is inlined.
INLINE void depthwise_block(const int count, const int width, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, float *y, long y_pixel)
{
	float acc[NEIGHBOURS][BLOCK];
	for (int i = 0; i < count; i++)
		for (int k = 0; k < width; k++)
			acc[i][k] = 0;
	for (int ty = 0; ty < taps_y; ty++)
		for (int tx = 0; tx < taps_x; tx++) {
			const float *wt = w + ty * w_row + tx * w_tap, *xt = x + ty * x_row + tx * x_tap;
			for (int i = 0; i < count; i++)
				for (int k = 0; k < width; k++)
					acc[i][k] += xt[i * x_pixel + k] * wt[k];
		}
	for (int i = 0; i < count; i++)
		for (int k = 0; k < width; k++)
			y[i * y_pixel + k] = acc[i][k];
}

INLINE void depthwise_channels(const int width, long pixels, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap,
	const float *w, long w_row, long w_tap, float *y, long y_pixel)
{
	long p = 0;
	for (; p + NEIGHBOURS <= pixels; p += NEIGHBOURS)
		depthwise_block(NEIGHBOURS, width, taps_y, taps_x, x + p * x_pixel, x_pixel, x_row, x_tap, w, w_row, w_tap,
			y + p * y_pixel, y_pixel);
	for (; p < pixels; p++)
		depthwise_block(1, width, taps_y, taps_x, x + p * x_pixel, x_pixel, x_row, x_tap, w, w_row, w_tap, y + p * y_pixel,
			y_pixel);
}

static void depthwise(long pixels, long c, int taps_y, int taps_x, const float *x, long x_pixel, long x_row, long x_tap, const float *w,
	long w_row, long w_tap, float *y, long y_pixel)
{
	long j = 0;
	for (; j + BLOCK <= c; j += BLOCK)
		depthwise_channels(BLOCK, pixels, taps_y, taps_x, x + j, x_pixel, x_row, x_tap, w + j, w_row, w_tap, y + j, y_pixel);
	if (j < c)
		depthwise_channels((int)(c - j), pixels, taps_y, taps_x, x + j, x_pixel, x_row, x_tap, w + j, w_row, w_tap, y + j, y_pixel);
}

INLINE void depthwise_gradient_block(const int taps, const int width, long pixels, const float *x, long x_pixel, long x_tap, const float *dy,
	long dy_pixel, float *dw, long w_tap)
{
	float acc[KERNEL_TAPS][BLOCK];
	for (int t = 0; t < taps; t++)
		for (int k = 0; k < width; k++)
			acc[t][k] = dw[t * w_tap + k];
	for (long p = 0; p < pixels; p++, x += x_pixel, dy += dy_pixel)
		for (int t = 0; t < taps; t++)
			for (int k = 0; k < width; k++)
				acc[t][k] += x[t * x_tap + k] * dy[k];
	for (int t = 0; t < taps; t++)
		for (int k = 0; k < width; k++)
			dw[t * w_tap + k] = acc[t][k];
}

INLINE void depthwise_gradient_taps(const int taps, long pixels, long c, const float *x, long x_pixel, long x_tap, const float *dy,
	long dy_pixel, float *dw, long w_tap)
{
	long j = 0;
	for (; j + BLOCK <= c; j += BLOCK)
		depthwise_gradient_block(taps, BLOCK, pixels, x + j, x_pixel, x_tap, dy + j, dy_pixel, dw + j, w_tap);
	if (j < c)
		depthwise_gradient_block(taps, (int)(c - j), pixels, x + j, x_pixel, x_tap, dy + j, dy_pixel, dw + j, w_tap);
}

static void depthwise_gradient(long pixels, long c, int taps, const float *x, long x_pixel, long x_tap, const float *dy, long dy_pixel,
	float *dw, long w_tap)
{
	for (; taps > 0; taps -= KERNEL_TAPS, x += KERNEL_TAPS * x_tap, dw += KERNEL_TAPS * w_tap) {
		if (taps == 3)
			depthwise_gradient_taps(3, pixels, c, x, x_pixel, x_tap, dy, dy_pixel, dw, w_tap);
		else if (taps >= 5)
			depthwise_gradient_taps(5, pixels, c, x, x_pixel, x_tap, dy, dy_pixel, dw, w_tap);
		else
			for (int t = 0; t < taps; t++)
				depthwise_gradient_taps(1, pixels, c, x + t * x_tap, x_pixel, x_tap, dy, dy_pixel, dw + t * w_tap, w_tap);
	}
}

#endif
