// SPDX-License-Identifier: GPL-3.0-or-later
// Lists the slices of a pod.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/inside.h"

static void ascend(int axis[3])
{
	for (int i = 0; i < 2; i++)
		for (int j = i + 1; j < 3; j++)
			if (axis[j] < axis[i]) {
				int swap = axis[i];
				axis[i] = axis[j];
				axis[j] = swap;
			}
}

static int chips_of(const int axis[3])
{
	return axis[0] * axis[1] * axis[2];
}

static bool in_block(const int axis[3]) // less than a block: a mesh
{
	return axis[2] <= 4 && chips_of(axis) < 64;
}

// The machine's own axes, ascending.
static void whole_axes(const struct pod *p, int whole[3])
{
	memcpy(whole, p->whole, sizeof p->whole);
	ascend(whole);
}

static int in_islands(const struct pod *p, int chips) // the nearest number of chips that is a slice
{
	int island = (int)pod_value(p, POD_ISLAND), most = (int)pod_value(p, POD_CHIPS);
	if (chips <= island) {
		int power = 1;
		while (power * 2 <= island && power * 2 - chips <= chips - power)
			power *= 2;
		return power;
	}
	int whole = (chips + island / 2) / island * island;
	return whole > most ? most : whole;
}

// The nearest axes that a slice may have, in place.
static void nearest_axes(const struct pod *p, int axis[3])
{
	int whole[3];
	whole_axes(p, whole);
	if (p->network == NETWORK_ISLANDS) {
		axis[2] = in_islands(p, axis[2] * axis[1] * axis[0]);
		axis[0] = axis[1] = 1;
		return;
	}
	const bool small = axis[2] <= 4;
	for (int i = 0; i < 3; i++) {
		int best = 1, most = p->network == NETWORK_FIXED ? whole[i] : (int)pod_value(p, POD_CHIPS) / 16;
		for (int n = 1; n <= most; n++) {
			bool may = p->network == NETWORK_FIXED ? whole[i] % n == 0
				: small                        ? n == 1 || n == 2 || n == 4
							       : n % 4 == 0;
			if (may && abs(n - axis[i]) < abs(best - axis[i]))
				best = n;
		}
		axis[i] = best;
	}
	if (p->network == NETWORK_BLOCKS && !small)
		for (int i = 0; i < 3; i++)
			axis[i] = axis[i] < 4 ? 4 : axis[i];
	while (chips_of(axis) > pod_value(p, POD_CHIPS)) {
		axis[2] = p->network == NETWORK_FIXED ? axis[2] / 2 : axis[2] - 4;
		ascend(axis);
	}
}

bool slice_twistable(const struct pod *p, const int axis[3])
{
	int n = axis[0];
	return p->twists && n >= 4 && axis[2] == 2 * n && (axis[1] == n || axis[1] == 2 * n) &&
		chips_of(axis) <= pod_value(p, POD_CHIPS);
}

static struct slice slice_with(const struct pod *p, const int axis[3], bool twisted)
{
	struct slice s = {.twisted = twisted, .islands = p->network == NETWORK_ISLANDS, .chips = chips_of(axis)};
	int whole[3];
	whole_axes(p, whole);
	memcpy(s.axis, axis, sizeof s.axis);
	for (int i = 0; i < 3; i++)
		s.wrap[i] = s.axis[i] > 1 &&
			(p->network == NETWORK_FIXED ? s.axis[i] == whole[i] : p->network == NETWORK_BLOCKS && !in_block(axis));
	return s;
}

const char *slice_name(const struct slice *s, char buf[48])
{
	if (s->axis[1] == 1)
		snprintf(buf, 48, "%d", s->axis[2]);
	else if (s->axis[0] == 1)
		snprintf(buf, 48, "%dx%d", s->axis[1], s->axis[2]);
	else
		snprintf(buf, 48, "%dx%dx%d%s", s->axis[0], s->axis[1], s->axis[2], s->twisted ? " twisted" : "");
	return buf;
}

static bool parse_shape(const char *shape, int axis[3], struct fault *fault)
{
	int count = 0;
	const char *at = shape;
	axis[0] = axis[1] = axis[2] = 1;
	while (count < 3) {
		char *end;
		long n = *at >= '0' && *at <= '9' ? strtol(at, &end, 10) : 0;
		if (n < 1 || n > 65536)
			break;
		axis[count++] = (int)n;
		if (!*end) {
			ascend(axis);
			if ((double)axis[0] * axis[1] * axis[2] > 1 << 20)
				return fault_set(fault, shape, "write a smaller one", "no machine has so many chips");
			return true;
		}
		if (*end != 'x')
			break;
		at = end + 1;
	}
	return fault_set(fault, shape, "write it as 4x4x8", "is not the shape of a slice");
}

// The twistable shape whose size is nearest.
static void nearest_twist(const struct pod *p, int chips, int best[3])
{
	double least = INFINITY;
	for (int n = 4; 2 * n * n * n <= pod_value(p, POD_CHIPS); n += 4)
		for (int wide = 1; wide <= 2; wide++) {
			int axis[3] = {n, wide * n, 2 * n};
			double off = fabs(log((double)chips_of(axis) / chips));
			if (chips_of(axis) <= pod_value(p, POD_CHIPS) && off < least) {
				least = off;
				memcpy(best, axis, 3 * sizeof *best);
			}
		}
}

static bool refuse_twist(const struct pod *p, const char *shape, const int axis[3], struct fault *fault)
{
	int best[3] = {4, 4, 8};
	char todo[192];
	if (!p->twists)
		return fault_set(fault, shape, "leave `twisted` out, or choose tpu_v4 or tpu_v5p",
			"the slices of %s cannot be twisted", p->name);
	nearest_twist(p, chips_of(axis), best);
	snprintf(todo, sizeof todo, "the nearest that can is %dx%dx%d%s", best[0], best[1], best[2],
		axis[1] == 2 * axis[0] && axis[2] == 4 * axis[0]
			? "; the compiler takes this one too, but how it is wired is not published"
			: "");
	return fault_set(fault, shape, todo, "cannot be twisted: only n x n x 2n and n x 2n x 2n can, n a multiple of 4");
}

bool slice_read(const struct pod *p, const char *shape, bool twisted, struct slice *s, struct fault *fault)
{
	int axis[3], possible[3];
	char name[48], todo[96];
	if (!parse_shape(shape, axis, fault))
		return false;
	memcpy(possible, axis, sizeof axis);
	nearest_axes(p, possible);
	*s = slice_with(p, possible, false);
	if (memcmp(possible, axis, sizeof axis) != 0) {
		snprintf(todo, sizeof todo, "the nearest that is one is %s", slice_name(s, name));
		return fault_set(fault, shape, todo, "is no slice of %s", p->name);
	}
	if (twisted && !slice_twistable(p, axis))
		return refuse_twist(p, shape, axis, fault);
	s->twisted = twisted;
	return true;
}

int slices_of(const struct pod *p, int chips, struct slice *out, int most)
{
	int count = 0;
	if (chips < 1 || chips > pod_value(p, POD_CHIPS))
		return 0;
	for (int a = 1; a * a * a <= chips; a++)
		for (int b = a; chips % a == 0 && b * b <= chips / a; b++) {
			if (chips / a % b)
				continue;
			int axis[3] = {a, b, chips / a / b}, possible[3];
			memcpy(possible, axis, sizeof axis);
			nearest_axes(p, possible);
			if (memcmp(possible, axis, sizeof axis) != 0)
				continue;
			if (count < most)
				out[count] = slice_with(p, axis, false);
			count++;
		}
	return count;
}

void slices_near(const struct pod *p, int chips, int *below, int *above)
{
	int most = (int)pod_value(p, POD_CHIPS);
	*below = chips > most ? most + 1 : chips;
	while (--*below > 0 && !slices_of(p, *below, NULL, 0))
		;
	for (*above = chips + 1; *above <= most && !slices_of(p, *above, NULL, 0);)
		++*above;
	*above = *above > most ? 0 : *above;
}
