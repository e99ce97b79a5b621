// SPDX-License-Identifier: GPL-3.0-or-later
// The embedded data: ten classes of drawn signs, made image by image from a seed (image i is a pure function of seed, part and
// i). A class is a few strokes. A pixel's ink depends on its distance to the nearest stroke, so edges are smooth.
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "engine/data/sources.h"
#include "engine/tensor/rng.h"

enum { TRAIN_IMAGES = 10240, TEST_IMAGES = 2000, CHANCE_STROKES = 4 };
enum { USUAL_SIDE = 16, GLYPH_LEAST = 12, GLYPH_MOST = 64 };

// ---- how hard it is -----------------------------------------------------------------------------------------

// What varies from image to image, each uniformly between two bounds. Lengths are parts of the image's side,
// brightness runs from 0 to 1. Meant for a resnet8 that reaches 90 to 94 % in 1000 steps of 64 images. More TURN and
// CLUTTER make the task harder at every precision, more NOISE and less INK chiefly at low precision.
struct range {
	double low, high;
};

enum { CENTRE_X, CENTRE_Y, RADIUS, STRETCH, TURN, STROKE, INK, GROUND, SLOPE, SLOPE_TURN, NOISE, CLUTTER, DRAWS };
static const struct range varies[DRAWS] = {
	[CENTRE_X] = {0.36, 0.64},
	[CENTRE_Y] = {0.36, 0.64},
	[RADIUS] = {0.2, 0.38},       // of the sign
	[STRETCH] = {0.6, 1.67},      // width against height
	[TURN] = {-0.5, 0.5},         // radians: a plus must not become a cross
	[STROKE] = {0.05, 0.11},      // width of the line
	[INK] = {0.4, 0.8},           // contrast; its sign is drawn too
	[GROUND] = {0.3, 0.7},        // brightness of the background
	[SLOPE] = {0, 0.4},           // brightness across the background
	[SLOPE_TURN] = {0, 6.283185}, // its direction
	[NOISE] = {0.02, 0.07},       // standard deviation per pixel
	[CLUTTER] = {2, 4.999},       // chance strokes, rounded down
};

// The same for each chance stroke.
enum { CHANCE_X, CHANCE_Y, CHANCE_TURN, CHANCE_LENGTH, CHANCE_INK, CHANCE_DRAWS };
static const struct range chance[CHANCE_DRAWS] = {
	[CHANCE_X] = {0, 1},
	[CHANCE_Y] = {0, 1},
	[CHANCE_TURN] = {0, 3.141593},
	[CHANCE_LENGTH] = {0.15, 0.5},
	[CHANCE_INK] = {-1.3, 1.3}, // times the sign's contrast
};

// ---- what is drawn ------------------------------------------------------------------------------------------

// A sign in the square -1..1 (y down): an arc about the middle, open below by `gap` radians to each side, and lines.
// No class turns into another where it is mirrored.
struct line {
	double x0, y0, x1, y1;
};
struct sign {
	double arc, gap; // arc's radius, 0: none
	int lines;
	struct line line[4];
};
static const struct sign signs[] = {
	{.arc = .9},                                                                                            // ring
	{.arc = .9, .gap = .9},                                                                                 // horseshoe
	{.lines = 4, .line = {{-.8, -.8, .8, -.8}, {.8, -.8, .8, .8}, {.8, .8, -.8, .8}, {-.8, .8, -.8, -.8}}}, // square
	{.lines = 3, .line = {{0, -.95, .95, .75}, {.95, .75, -.95, .75}, {-.95, .75, 0, -.95}}},               // triangle
	{.lines = 2, .line = {{-1, 0, 1, 0}, {0, -1, 0, 1}}},                                                   // plus
	{.lines = 2, .line = {{-.8, -.8, .8, .8}, {-.8, .8, .8, -.8}}},                                         // cross
	{.lines = 3, .line = {{0, -1, 0, 1}, {-.87, -.5, .87, .5}, {-.87, .5, .87, -.5}}},                      // star
	{.lines = 3, .line = {{0, -1, 0, 1}, {0, -1, -.7, -.2}, {0, -1, .7, -.2}}},                             // arrow
	{.lines = 4, .line = {{-.8, -.8, .8, .8}, {-.8, .8, .8, -.8}, {-.8, -.8, .8, -.8}, {-.8, .8, .8, .8}}}, // hourglass
	{.lines = 3, .line = {{-.8, -.8, .8, -.8}, {.8, -.8, -.8, .8}, {-.8, .8, .8, .8}}},                     // zigzag
};
enum { CLASSES = sizeof signs / sizeof *signs };

static double line_distance(const struct line *l, double x, double y)
{
	double dx = l->x1 - l->x0, dy = l->y1 - l->y0, px = x - l->x0, py = y - l->y0;
	double along = (px * dx + py * dy) / (dx * dx + dy * dy);
	along = along < 0 ? 0 : along > 1 ? 1 : along;
	px -= along * dx;
	py -= along * dy;
	return sqrt(px * px + py * py);
}

static double sign_distance(const struct sign *s, double sin_gap, double cos_gap, double x, double y)
{
	double nearest = INFINITY;
	if (s->arc > 0) {
		double right = fabs(x), ex = right - s->arc * sin_gap, ey = y - s->arc * cos_gap;
		bool in_gap = s->gap > 0 && y * sin_gap > 0 && right * cos_gap < y * sin_gap;
		nearest = in_gap ? sqrt(ex * ex + ey * ey) : fabs(sqrt(x * x + y * y) - s->arc);
	}
	for (int i = 0; i < s->lines; i++)
		nearest = fmin(nearest, line_distance(&s->line[i], x, y));
	return nearest;
}

// How much of a pixel is inked whose centre lies `distance` pixels from the middle of a line `width` pixels wide.
static double coverage(double distance, double width)
{
	double c = width / 2 - distance + 0.5;
	return c < 0 ? 0 : c > 1 ? 1 : c;
}

// Nearly normal, deviation 1: the sum of the four 16-bit parts of one draw.
static double noise(uint64_t key, uint64_t counter)
{
	uint64_t bits = rng_bits(key, counter);
	double sum = (double)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
	return (sum - 2 * 65535.0) / (65536.0 * 0.57735026918962576);
}

static void draw_all(const struct range *range, int count, uint64_t key, uint64_t counter, double *value)
{
	for (int i = 0; i < count; i++)
		value[i] = range[i].low + (range[i].high - range[i].low) * rng_uniform(key, counter + (uint64_t)i);
}

static void draw_image(const struct sign *s, int side, uint64_t key, uint8_t *pixels)
{
	enum { MIRROR = DRAWS, POLARITY, FIRST_CHANCE, FIRST_NOISE = FIRST_CHANCE + CHANCE_STROKES * CHANCE_DRAWS };
	double v[DRAWS];
	draw_all(varies, DRAWS, key, 0, v);
	double mirror = rng_below(key, MIRROR, 2) ? -1 : 1, ink = rng_below(key, POLARITY, 2) ? -v[INK] : v[INK];
	double radius = v[RADIUS] * side, width = v[STROKE] * side, stretch = sqrt(v[STRETCH]);
	double cos_turn = cos(v[TURN]), sin_turn = sin(v[TURN]), cos_gap = cos(s->gap), sin_gap = sin(s->gap);
	double slope_x = v[SLOPE] * cos(v[SLOPE_TURN]) / side, slope_y = v[SLOPE] * sin(v[SLOPE_TURN]) / side;

	int strokes = (int)v[CLUTTER];
	struct line stroke[CHANCE_STROKES];
	double stroke_ink[CHANCE_STROKES];
	for (int i = 0; i < strokes; i++) {
		double w[CHANCE_DRAWS];
		draw_all(chance, CHANCE_DRAWS, key, (uint64_t)(FIRST_CHANCE + i * CHANCE_DRAWS), w);
		double x = w[CHANCE_X] * side, y = w[CHANCE_Y] * side, half = w[CHANCE_LENGTH] * side / 2;
		double across = half * cos(w[CHANCE_TURN]), down = half * sin(w[CHANCE_TURN]);
		stroke[i] = (struct line){x - across, y - down, x + across, y + down};
		stroke_ink[i] = w[CHANCE_INK] * v[INK];
	}

	for (int row = 0; row < side; row++)
		for (int column = 0; column < side; column++) {
			double x = column + 0.5, y = row + 0.5;
			double light = v[GROUND] + slope_x * (x - side / 2.0) + slope_y * (y - side / 2.0);
			for (int i = 0; i < strokes; i++)
				light += stroke_ink[i] * coverage(line_distance(&stroke[i], x, y), width);
			double dx = x - v[CENTRE_X] * side, dy = y - v[CENTRE_Y] * side;
			double sx = mirror * (cos_turn * dx + sin_turn * dy) / (radius * stretch);
			double sy = (cos_turn * dy - sin_turn * dx) / radius * stretch;
			light += ink * coverage(radius * sign_distance(s, sin_gap, cos_gap, sx, sy), width);
			light += v[NOISE] * noise(key, (uint64_t)(FIRST_NOISE + row * side + column));
			light = light < 0 ? 0 : light > 1 ? 1 : light;
			*pixels++ = (uint8_t)(light * 255 + 0.5);
		}
}

bool glyphs_load(struct loading *loading, struct fault *f)
{
	static const char *const purpose[PARTS] = {[PART_TRAIN] = "glyphs-train", [PART_TEST] = "glyphs-test"};
	struct data *d = loading->data;
	long side = USUAL_SIDE;
	if (loading->argument) {
		char *end;
		errno = 0;
		side = strtol(loading->argument, &end, 10);
		if (end == loading->argument || *end || errno || side < GLYPH_LEAST || side > GLYPH_MOST)
			return fault_set(f, d->name, "write glyphs, or glyphs:SIZE as in glyphs:24", "not a size from %d to %d",
				GLYPH_LEAST, GLYPH_MOST);
	}
	d->h = d->w = (int)side;
	d->c = 1;
	d->classes = CLASSES;
	// Never fewer than usual, so that asking for a part of them leaves the held-out images as they are.
	long count[PARTS] = {loading->train > TRAIN_IMAGES ? loading->train : TRAIN_IMAGES, TEST_IMAGES};
	if (!loading_begin(loading, count[PART_TRAIN], count[PART_TEST], f))
		return false;
	for (int part = 0; part < PARTS; part++)
		for (long i = 0; i < count[part]; i++) {
			uint16_t *label;
			uint8_t *pixels = loading_place(loading, (enum part)part, i, &label);
			if (!pixels)
				continue;
			*label = (uint16_t)(i % CLASSES);
			draw_image(&signs[*label], (int)side, rng_key(loading->seed, purpose[part], (uint64_t)i), pixels);
		}
	return true;
}
