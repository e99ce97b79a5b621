// SPDX-License-Identifier: GPL-3.0-or-later
// Counts the traffic inside a slice exactly. One unit goes from every chip to every other chip. A slice whose axes all wrap,
// twisted or not, is the Cayley graph of an abelian group: the load that one source puts on all links of a direction is the load
// that all sources put on one of them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pods/torus.h"

const char *const routings[ROUTINGS] = {"all shortest paths", "split at each hop", "dimension order"};

static int modulo(int a, int n)
{
	int r = a % n;
	return r < 0 ? r + n : r;
}

// The chip at the end of a walk of v[i] steps along each axis, from the first chip of a slice that wraps.
static int walk(const struct slice *s, const int v[3])
{
	int at[3];
	for (int i = 0; i < 3; i++) {
		int moved = v[i];
		for (int j = 0; j < 3 && s->twisted; j++)
			moved += j != i ? (int)floor((double)v[j] / s->axis[j]) * s->axis[j] : 0;
		at[i] = modulo(moved, s->axis[i]);
	}
	return (at[2] * s->axis[1] + at[1]) * s->axis[0] + at[0];
}

static int neighbour(const struct slice *s, int chip, int way)
{
	int i = way / 2, step = way % 2 ? -1 : 1;
	int at[3] = {chip % s->axis[0], chip / s->axis[0] % s->axis[1], chip / s->axis[0] / s->axis[1]};
	at[i] += step;
	if (at[i] < 0 || at[i] == s->axis[i]) {
		if (!s->wrap[i])
			return -1;
		at[i] = modulo(at[i], s->axis[i]);
		for (int j = 0; j < 3 && s->twisted; j++)
			at[j] = modulo(at[j] + step * s->axis[i], s->axis[j]);
	}
	return (at[2] * s->axis[1] + at[1]) * s->axis[0] + at[0];
}

void torus_free(struct torus *t)
{
	free(t->next);
	free(t->distance);
	free(t->order);
	free(t->paths);
	free(t->flow);
}

bool torus_new(struct torus *t, const struct slice *s, struct fault *fault)
{
	size_t chips = (size_t)s->chips;
	*t = (struct torus){s, s->chips, 0, malloc(chips * sizeof *t->next), malloc(chips * sizeof *t->distance),
		malloc(chips * sizeof *t->order), malloc(chips * sizeof *t->paths), malloc(chips * sizeof *t->flow)};
	if (!t->next || !t->distance || !t->order || !t->paths || !t->flow) {
		torus_free(t);
		return fault_memory(fault, "a slice's links");
	}
	for (int c = 0; c < t->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			t->next[c][w] = s->axis[w / 2] > 1 ? neighbour(s, c, w) : -1;
	return true;
}

void torus_reach(struct torus *t, int source)
{
	int head = 0, tail = 0;
	memset(t->distance, -1, (size_t)t->chips * sizeof *t->distance);
	t->distance[source] = 0;
	t->paths[source] = 1;
	t->order[tail++] = source;
	while (head < tail) {
		int at = t->order[head++];
		for (int w = 0; w < SLICE_WAYS; w++) {
			int to = t->next[at][w];
			if (to < 0)
				continue;
			if (t->distance[to] < 0) {
				t->distance[to] = t->distance[at] + 1;
				t->paths[to] = 0;
				t->order[tail++] = to;
			}
			if (t->distance[to] == t->distance[at] + 1)
				t->paths[to] += t->paths[at];
		}
	}
	t->reached = tail;
}

// What the source sends, split evenly over all shortest paths: the farthest first, each chip passes what it gets to those before
// it, in proportion to the paths through them (Brandes 2001). Adds to load[chip][way].
void torus_spread_paths(struct torus *t, const bool *peer, double (*load)[SLICE_WAYS])
{
	memset(t->flow, 0, (size_t)t->chips * sizeof *t->flow);
	for (int i = t->reached - 1; i >= 0; i--) {
		int at = t->order[i];
		for (int w = 0; w < SLICE_WAYS; w++) {
			int to = t->next[at][w];
			if (to < 0 || t->distance[to] != t->distance[at] + 1)
				continue;
			double share = t->paths[at] / t->paths[to] * ((!peer || peer[to]) + t->flow[to]);
			load[at][w] += share;
			t->flow[at] += share;
		}
	}
}

// What all send to the source (links go both ways, so distances do too), split evenly at each hop.
void torus_spread_hops(struct torus *t, const bool *peer, double (*load)[SLICE_WAYS])
{
	memset(t->flow, 0, (size_t)t->chips * sizeof *t->flow);
	for (int i = t->reached - 1; i > 0; i--) {
		int at = t->order[i], ways = 0;
		for (int w = 0; w < SLICE_WAYS; w++)
			ways += t->next[at][w] >= 0 && t->distance[t->next[at][w]] == t->distance[at] - 1;
		for (int w = 0; w < SLICE_WAYS; w++)
			if (t->next[at][w] >= 0 && t->distance[t->next[at][w]] == t->distance[at] - 1) {
				double share = ((!peer || peer[at]) + t->flow[at]) / ways;
				load[at][w] += share;
				t->flow[t->next[at][w]] += share;
			}
	}
}

// ---- dimension order -----------------------------------------------------------------------------

// Along one axis after the other: a link carries what crosses it within its line, as often as there are lines of sources and goals. Round a
// ring half of the farthest go each way.
double torus_line_load(const struct slice *s, int place, int way)
{
	const int axis = way / 2, n = s->axis[axis], half = (n - 1) / 2;
	const double lines = (double)s->chips / n;
	if (s->wrap[axis])
		return lines * (half * (half + 1) / 2. + (n % 2 ? 0 : n / 4.));
	return lines * (way % 2 ? (double)place * (n - place) : (place + 1.) * (n - 1 - place));
}

// Where all axes wrap, twisted or not.
struct ways { // of the shortest vectors to a chip, the first by |x|, then |y|; those that differ in signs alone count together
	int length, first, second, count, sum[SLICE_WAYS];
};

static void offer(struct ways *to, const int v[3])
{
	int length = abs(v[0]) + abs(v[1]) + abs(v[2]);
	int better = to->length - length;
	better = better ? better : to->first - abs(v[0]);
	better = better ? better : to->second - abs(v[1]);
	if (better < 0)
		return;
	if (better > 0)
		*to = (struct ways){.length = length, .first = abs(v[0]), .second = abs(v[1])};
	to->count++;
	for (int i = 0; i < 3; i++)
		to->sum[i * 2 + (v[i] < 0)] += abs(v[i]);
}

bool torus_dimension_order(const struct torus *t, double axis_load[3], struct fault *fault)
{
	const struct slice *s = t->slice;
	struct ways *to = malloc((size_t)t->chips * sizeof *to);
	double load[SLICE_WAYS] = {0};
	int v[3], far[3];
	if (!to)
		return fault_memory(fault, "a slice's links");
	for (int c = 0; c < t->chips; c++)
		to[c] = (struct ways){.length = 1 << 20};
	for (int i = 0; i < 3;
		i++) // a shortest way goes no farther along an axis than half of the longest one that it may close over
		far[i] = s->axis[i] == 1 ? 0 : (s->twisted ? s->axis[2] : s->axis[i]) / 2;
	for (v[0] = -far[0]; v[0] <= far[0]; v[0]++)
		for (v[1] = -far[1]; v[1] <= far[1]; v[1]++)
			for (v[2] = -far[2]; v[2] <= far[2]; v[2]++)
				offer(&to[walk(s, v)], v);
	for (int c = 0; c < t->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			load[w] += (double)to[c].sum[w] / to[c].count;
	for (int i = 0; i < 3; i++)
		axis_load[i] = fmax(load[i * 2], load[i * 2 + 1]);
	free(to);
	return true;
}

// ---- all of it -----------------------------------------------------------------------------------------------------

bool torus_alike(const struct slice *s)
{
	for (int i = 0; i < 3; i++)
		if (s->axis[i] > 1 && !s->wrap[i])
			return false;
	return true;
}

// Loads of one source (or all) as those of the fullest link of each axis.
static void take_loads(const struct torus *t, double (*load)[SLICE_WAYS], bool one, double axis_load[3])
{
	double sum[SLICE_WAYS] = {0}, most[SLICE_WAYS] = {0};
	for (int c = 0; c < t->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++) {
			sum[w] += load[c][w];
			most[w] = fmax(most[w], load[c][w]);
		}
	for (int i = 0; i < 3; i++)
		axis_load[i] = one ? fmax(sum[i * 2], sum[i * 2 + 1]) : fmax(most[i * 2], most[i * 2 + 1]);
}

static double cut(const struct torus *t, int i, int from)
{
	const struct slice *s = t->slice;
	const int below[3] = {1, s->axis[0], s->axis[0] * s->axis[1]};
	int n = s->axis[i];
	double count = 0;
	for (int c = 0; c < t->chips; c++) {
		if (modulo(c / below[i] % n - from, n) >= n / 2)
			continue;
		for (int w = 0; w < SLICE_WAYS; w++)
			count += t->next[c][w] >= 0 && modulo(t->next[c][w] / below[i] % n - from, n) >= n / 2;
	}
	return count;
}

static double bisection(const struct torus *t)
{
	double least = INFINITY;
	for (int i = 0; i < 3; i++)
		for (int from = 0; t->slice->axis[i] % 2 == 0 && from < (t->slice->wrap[i] ? t->slice->axis[i] / 2 : 1); from++)
			least = fmin(least, cut(t, i, from));
	return isinf(least) ? 0 : least;
}

bool slice_network_of(const struct slice *s, struct slice_network *n, struct fault *fault)
{
	struct torus t;
	char name[48];
	*n = (struct slice_network){0};
	if (!torus_alike(s) && s->chips > TORUS_SOURCES)
		return fault_set(fault, slice_name(s, name), "choose a smaller slice, or one whose axes all wrap around",
			"%d chips are too many to count from each: at most %d, where an axis does not wrap around", s->chips,
			TORUS_SOURCES);
	if (!torus_new(&t, s, fault))
		return false;
	double(*load)[SLICE_WAYS] = calloc((size_t)s->chips * 2, sizeof *load);
	bool ok = load || fault_memory(fault, "a slice's links");
	const bool one = torus_alike(s);
	const int sources = one ? 1 : s->chips;
	for (int source = 0; ok && source < sources; source++) {
		torus_reach(&t, source);
		torus_spread_paths(&t, NULL, load);
		torus_spread_hops(&t, NULL, load + s->chips);
		for (int c = 0; c < s->chips; c++) {
			n->hops[t.distance[c] < SLICE_HOPS ? t.distance[c] : SLICE_HOPS - 1] += 1. / sources;
			n->mean_hops += t.distance[c] / ((s->chips - 1. > 0 ? s->chips - 1. : 1) * sources);
			n->diameter = t.distance[c] > n->diameter ? t.distance[c] : n->diameter;
		}
	}
	for (int c = 0; ok && c < s->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			n->links += t.next[c][w] >= 0;
	if (ok) {
		take_loads(&t, load, one, n->axis_load[ROUTE_PATHS]);
		take_loads(&t, load + s->chips, one, n->axis_load[ROUTE_HOPS]);
		n->mean_load = n->links > 0 ? n->mean_hops * (s->chips - 1.) * s->chips / n->links : 0;
		n->bisection = bisection(&t);
		for (int i = 0; i < 3; i++) // the middle link of a line is the fullest
			n->axis_load[ROUTE_DIMENSION][i] = s->axis[i] > 1 ? torus_line_load(s, (s->axis[i] - 1) / 2, i * 2) : 0;
		ok = !s->twisted || torus_dimension_order(&t, n->axis_load[ROUTE_DIMENSION], fault);
		for (int r = 0; r < ROUTINGS; r++)
			n->load[r] = fmax(fmax(n->axis_load[r][0], n->axis_load[r][1]), n->axis_load[r][2]);
	}
	free(load);
	torus_free(&t);
	return ok;
}

enum routing slice_routing(const struct slice_network *n)
{
	int best = 0;
	for (int r = 1; r < ROUTINGS; r++)
		if (n->load[r] < n->load[best] * (1 - 1e-9)) // NAN is not less; equal loads differ in their last bits
			best = r;
	return (enum routing)best;
}

// ---- the plain count ---------------------------------------------------------------------------------------------------

// Walks every shortest path from `at` to the chip that distances are from, and counts on each link the paths over it. Returns
// how many.
static double walk_paths(const struct torus *t, int at, double (*count)[SLICE_WAYS])
{
	double all = t->distance[at] == 0;
	for (int w = 0; w < SLICE_WAYS; w++) {
		int to = t->next[at][w];
		if (to < 0 || t->distance[to] != t->distance[at] - 1)
			continue;
		double paths = walk_paths(t, to, count);
		count[at][w] += paths;
		all += paths;
	}
	return all;
}

static void add_pair(const struct torus *t, int from, double (*count)[SLICE_WAYS], double (*load)[SLICE_WAYS])
{
	memset(count, 0, (size_t)t->chips * sizeof *count);
	double paths = walk_paths(t, from, count);
	for (int c = 0; c < t->chips; c++)
		for (int w = 0; w < SLICE_WAYS; w++)
			load[c][w] += count[c][w] / paths;
}

bool slice_loads_plainly(const struct slice *s, double most[6], struct fault *fault)
{
	struct torus t;
	if (!torus_new(&t, s, fault))
		return false;
	double(*load)[SLICE_WAYS] = calloc((size_t)s->chips * 2, sizeof *load);
	bool ok = load || fault_memory(fault, "a slice's links");
	for (int goal = 0; ok && goal < s->chips; goal++) {
		torus_reach(&t, goal);
		for (int from = 0; from < s->chips; from++)
			if (from != goal)
				add_pair(&t, from, load + s->chips, load);
	}
	for (int w = 0; w < SLICE_WAYS; w++) {
		most[w] = 0;
		for (int c = 0; ok && c < s->chips; c++)
			most[w] = fmax(most[w], load[c][w]);
	}
	free(load);
	torus_free(&t);
	return ok;
}
