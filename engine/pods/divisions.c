// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the ways to assign a slice's axes, or factors of them, to the parts of a division.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/pods/inside.h"
#include "engine/quant/format.h"

const char *const shardings[SHARDINGS] = {"-", "optimizer", "all"};

enum { STYLES = 4, SPLITS = 4096 };

// How an axis falls into parts: factors that multiply to it.
struct split {
	int factor[PARTS];
};

static int splits_of(int axis, bool any, struct split *to)
{
	int count = 0;
	for (int p = 1; p <= axis; p++)
		for (int d = 1; axis % p == 0 && d <= axis / p; d++)
			for (int m = 1; axis / p % d == 0 && m <= axis / p / d; m++) {
				if (axis / p / d % m)
					continue;
				struct split s = {{p, d, m, axis / p / d / m}};
				int whole = 0;
				for (int i = 0; i < PARTS; i++)
					whole += s.factor[i] == axis;
				if ((any || whole) && count < SPLITS)
					to[count++] = s;
			}
	return count;
}

static struct division joined(const struct slice *s, const struct split *const split[3])
{
	struct division p = {.slice = *s, .size = {1, 1, 1, 1}};
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < PARTS; k++) {
			int f = split[i]->factor[k];
			if (f == 1)
				continue;
			bool closes = f == s->axis[i] && s->wrap[i] && (!s->twisted || s->axis[i] == s->axis[2]);
			p.size[k] *= f;
			p.ring[k][p.rings[k]++] = (struct ring){f, closes};
		}
	return p;
}

static int pieces(const struct division *p) // lines where rings could be count double
{
	int count = 0;
	for (int k = 0; k < PARTS; k++)
		for (int i = 0; i < p->rings[k]; i++)
			count += p->ring[k][i].wrap ? 1 : 2;
	return count;
}

// Whether two have the same parts, made of the same rings.
static bool same(const struct division *a, const struct division *b, bool rings)
{
	if (memcmp(a->size, b->size, sizeof a->size) != 0)
		return false;
	for (int k = 0; k < PARTS && rings; k++) {
		if (a->rings[k] != b->rings[k])
			return false;
		for (int i = 0; i < a->rings[k]; i++)
			if (a->ring[k][i].size != b->ring[k][i].size || a->ring[k][i].wrap != b->ring[k][i].wrap)
				return false;
	}
	return true;
}

// Keeps p among the count that there are: of factors, one for each set of sizes, the one of the fewest pieces.
static int keep(struct division *kept, int count, int most, const struct division *p, bool any)
{
	for (int i = 0; i < count && i < most; i++)
		if (same(&kept[i], p, !any)) {
			if (any && pieces(p) < pieces(&kept[i]))
				kept[i] = *p;
			return count;
		}
	if (count < most)
		kept[count] = *p;
	return count + 1;
}

int divisions_of(const struct slice *s, bool any, bool styles, struct division *out, int most)
{
	enum { KEPT = 8192 };
	struct split *split = calloc(3 * SPLITS, sizeof *split);
	struct division *kept = calloc(KEPT, sizeof *kept);
	int counts[3], count = 0, written = 0;
	for (int i = 0; split && kept && i < 3; i++)
		counts[i] = splits_of(s->axis[i], any, split + i * SPLITS);
	for (int a = 0; split && kept && a < counts[0]; a++)
		for (int b = 0; b < counts[1]; b++)
			for (int c = 0; c < counts[2]; c++) {
				const struct split *const of[3] = {&split[a], &split[SPLITS + b], &split[2 * SPLITS + c]};
				struct division p = joined(s, of);
				count = keep(kept, count, KEPT, &p, any);
			}
	count = count < KEPT ? count : KEPT;
	for (int i = 0; i < count; i++)
		for (int style = 0; style < (styles ? STYLES : 1); style++, written++)
			if (written < most) {
				out[written] = kept[i];
				out[written].weights_2d = style & 1;
				out[written].activations_2d = style >> 1;
			}
	free(split);
	free(kept);
	return written;
}

bool division_with(const struct slice *s, const int size[PARTS], struct division *p, bool *whole, struct fault *fault)
{
	char name[64], slice[48];
	double product = 1;
	struct division wanted = {.size = {size[0], size[1], size[2], size[3]}};
	division_name(&wanted, name);
	for (int k = 0; k < PARTS; k++)
		product *= size[k];
	if (product != s->chips)
		return fault_set(fault, name, "choose sizes whose product is the slice's chips",
			"they multiply to %g, %s has %d chips", product, slice_name(s, slice), s->chips);
	for (int any = 0; any < (s->chips > DIVISION_ANY ? 1 : 2); any++) {
		int count = divisions_of(s, any, false, NULL, 0);
		struct division *all = calloc((size_t)count + 1, sizeof *all);
		if (!all)
			return fault_memory(fault, name);
		divisions_of(s, any, false, all, count);
		for (int i = 0; i < count; i++)
			if (memcmp(all[i].size, size, sizeof all[i].size) == 0) {
				*p = all[i];
				*whole = !any;
				free(all);
				return true;
			}
		free(all);
	}
	return fault_set(fault, name, "choose sizes that are products of factors of the axes",
		"the axes of %s have no such factors", slice_name(s, slice));
}

const char *division_name(const struct division *p, char buf[64])
{
	snprintf(buf, 64, "[%d,%d,%d,%d]", p->size[0], p->size[1], p->size[2], p->size[3]);
	return buf;
}

bool division_format(const char *name, int *format, struct fault *fault)
{
	struct nearest near = nearest_to(name);
	char advice[128];
	if ((*format = format_named(name)) >= 0)
		return true;
	for (int f = 0; f < FORMATS; f++)
		nearest_offer(&near, format_table[f].name);
	return fault_set(fault, name, nearest_advice(&near, "bf16, int8, e4m3 and int4 are some", advice, sizeof advice),
		"there is no such format");
}

const char *division_format_name(int format)
{
	return format_table[format].name;
}
