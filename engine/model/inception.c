// SPDX-License-Identifier: GPL-3.0-or-later
// Inception-v3 (Szegedy et al., Rethinking the Inception architecture, 2015), without the auxiliary head: modules of several
// branches whose outputs are concatenated, three kinds on grids of three sizes, with reductions between. Reductions and the stem
// are not padded, except for small images, whose stem is two 3x3 convolutions that keep the size: 32x32 ends at 8x8.
#include <stdio.h>

#include "engine/model/networks.h"

enum { SIDE, WIDTH, BLOCKS_A, BLOCKS_C, BLOCKS_E }; // values

// What a part of a module reads: the module's input, a part before it, the pooled input.
enum source { MODULE, BEFORE, TWO_BEFORE, AVERAGED, MAXIMAL };
enum { GIVEN = 0 }; // channels that differ between modules of one sort

// A convolution of a module (the last sort of part: a maximum over 3x3 of stride 2, no convolution).
struct part {
	const char *name;
	enum source from;
	int h, w, stride, channels;
	bool put_out; // goes into the concatenation
};

static const struct part module_a[] = {
	{"1x1", MODULE, 1, 1, 1, 64, true},
	{"5x5.reduce", MODULE, 1, 1, 1, 48, false},
	{"5x5", BEFORE, 5, 5, 1, 64, true},
	{"3x3.reduce", MODULE, 1, 1, 1, 64, false},
	{"3x3.one", BEFORE, 3, 3, 1, 96, false},
	{"3x3.two", BEFORE, 3, 3, 1, 96, true},
	{"pool", AVERAGED, 1, 1, 1, GIVEN, true},
	{NULL, MODULE, 0, 0, 0, 0, false},
};
static const struct part module_b[] = {
	{"3x3", MODULE, 3, 3, 2, 384, true},
	{"double.reduce", MODULE, 1, 1, 1, 64, false},
	{"double.one", BEFORE, 3, 3, 1, 96, false},
	{"double.two", BEFORE, 3, 3, 2, 96, true},
	{"", MAXIMAL, 0, 0, 0, 0, true},
	{NULL, MODULE, 0, 0, 0, 0, false},
};
static const struct part module_c[] = {
	{"1x1", MODULE, 1, 1, 1, 192, true},
	{"7x7.reduce", MODULE, 1, 1, 1, GIVEN, false},
	{"7x7.row", BEFORE, 1, 7, 1, GIVEN, false},
	{"7x7.column", BEFORE, 7, 1, 1, 192, true},
	{"double.reduce", MODULE, 1, 1, 1, GIVEN, false},
	{"double.column1", BEFORE, 7, 1, 1, GIVEN, false},
	{"double.row1", BEFORE, 1, 7, 1, GIVEN, false},
	{"double.column2", BEFORE, 7, 1, 1, GIVEN, false},
	{"double.row2", BEFORE, 1, 7, 1, 192, true},
	{"pool", AVERAGED, 1, 1, 1, 192, true},
	{NULL, MODULE, 0, 0, 0, 0, false},
};
static const struct part module_d[] = {
	{"3x3.reduce", MODULE, 1, 1, 1, 192, false},
	{"3x3", BEFORE, 3, 3, 2, 320, true},
	{"7x7.reduce", MODULE, 1, 1, 1, 192, false},
	{"7x7.row", BEFORE, 1, 7, 1, 192, false},
	{"7x7.column", BEFORE, 7, 1, 1, 192, false},
	{"7x7.3x3", BEFORE, 3, 3, 2, 192, true},
	{"", MAXIMAL, 0, 0, 0, 0, true},
	{NULL, MODULE, 0, 0, 0, 0, false},
};
static const struct part module_e[] = {
	{"1x1", MODULE, 1, 1, 1, 320, true},
	{"3x3.reduce", MODULE, 1, 1, 1, 384, false},
	{"3x3.row", BEFORE, 1, 3, 1, 384, true},
	{"3x3.column", TWO_BEFORE, 3, 1, 1, 384, true},
	{"double.reduce", MODULE, 1, 1, 1, 448, false},
	{"double.one", BEFORE, 3, 3, 1, 384, false},
	{"double.row", BEFORE, 1, 3, 1, 384, true},
	{"double.column", TWO_BEFORE, 3, 1, 1, 384, true},
	{"pool", AVERAGED, 1, 1, 1, 192, true},
	{NULL, MODULE, 0, 0, 0, 0, false},
};

struct builder {
	struct model *m;
	double width;
	bool small;
};

// A window that keeps the size at stride 1; a reducing one only for small images.
static struct window window(const struct builder *b, int h, int w, int stride)
{
	bool padded = stride == 1 || b->small;
	return (struct window){h, w, stride, padded ? h / 2 : 0, padded ? w / 2 : 0, 0};
}

static int maximum(const struct builder *b, int in)
{
	return model_window(b->m, OP_MAXIMUM, in, window(b, 3, 3, 2));
}

static int module(const struct builder *b, const char *sort, int number, const struct part *part, int in, int given)
{
	enum { PARTS = 16 };
	char name[NETWORK_BLOCK];
	int x[PARTS], out[MODEL_INPUTS], outs = 0;
	snprintf(name, sizeof name, "%s%d", sort, number);
	for (int i = 0; part[i].name; i++) {
		const struct part *p = &part[i];
		if (p->from == MAXIMAL) {
			x[i] = maximum(b, in);
		} else {
			int from = p->from == MODULE    ? in
				: p->from == BEFORE     ? x[i - 1]
				: p->from == TWO_BEFORE ? x[i - 2]
							: model_window(b->m, OP_AVERAGE, in, window_of(3, 1));
			int channels = network_channels(p->channels == GIVEN ? given : p->channels, b->width);
			x[i] = network_conv(b->m, name, p->name, from, channels, window(b, p->h, p->w, p->stride), 1, ACT_RELU);
		}
		if (p->put_out)
			out[outs++] = x[i];
	}
	return model_concat(b->m, out, outs);
}

static int stem(const struct builder *b)
{
	static const struct {
		const char *name;
		int channels, kernel, stride, pad;
		bool small; // also for small images
	} convs[] = {
		{"stem1", 32, 3, 2, 0, true},
		{"stem2", 32, 3, 1, 0, false},
		{"stem3", 64, 3, 1, 1, false},
		{"stem4", 80, 1, 1, 0, false},
		{"stem5", 192, 3, 1, 0, true},
	};
	int x = 0;
	for (int i = 0; i < 5; i++) {
		if (b->small && !convs[i].small)
			continue;
		int kernel = convs[i].kernel, pad = convs[i].pad;
		struct window w = b->small ? window_of(kernel, 1) : (struct window){kernel, kernel, convs[i].stride, pad, pad, 0};
		x = network_conv(b->m, "", convs[i].name, x, network_channels(convs[i].channels, b->width), w, 1, ACT_RELU);
		if (!b->small && (i == 2 || i == 4))
			x = maximum(b, x);
	}
	return x;
}

static bool build(struct model *m, const double *value, bool small, struct fault *fault)
{
	(void)fault;
	static const int pooled[] = {32, 64, 64}, sevens[] = {128, 160, 160, 192}; // as wide as the last from there on
	struct builder b = {m, value[WIDTH], small};
	int x = stem(&b);
	for (int i = 0; i < (int)value[BLOCKS_A]; i++)
		x = module(&b, "a", i + 1, module_a, x, pooled[i < 2 ? i : 2]);
	x = module(&b, "b", 1, module_b, x, 0);
	for (int i = 0; i < (int)value[BLOCKS_C]; i++)
		x = module(&b, "c", i + 1, module_c, x, sevens[i < 3 ? i : 3]);
	x = module(&b, "d", 1, module_d, x, 0);
	for (int i = 0; i < (int)value[BLOCKS_E]; i++)
		x = module(&b, "e", i + 1, module_e, x, 0);
	model_linear(m, "head", model_pool(m, x), m->classes);
	return true;
}

static const struct network networks[] = {
	{"inception", "Inception-v3's modules, few and narrow, for small images", 10, {32, 0.25, 1, 1, 1}},
	{"inceptionv3", "Inception-v3 (Szegedy et al., 2015), without the auxiliary head", 1000, {299, 1, 3, 4, 2}},
};
const struct family inception = {
	{NETWORK_SIDE, {"width", 0.1, 2, false, NULL}, {"a", 1, 8, true, NULL}, {"c", 1, 8, true, NULL}, {"e", 1, 8, true, NULL}},
	build, networks, sizeof networks / sizeof networks[0]};
