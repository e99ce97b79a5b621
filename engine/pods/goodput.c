// SPDX-License-Identifier: GPL-3.0-or-later
// Availability and goodput in closed form.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/pods/goodput.h"

bool block_grid_of(const struct pod *p, struct block_grid *g, struct fault *fault)
{
	int chips = (int)pod_value(p, POD_CHIPS), block = (int)pod_value(p, POD_BLOCK), host = (int)pod_value(p, POD_HOST);
	*g = (struct block_grid){.side = {1, 1, 1}};
	if (block != 64 || host < 1 || block % host || chips % block)
		return fault_set(fault, p->name, "choose tpu_v4, tpu_v4_fixed or tpu_v5p",
			"its slices are not made of blocks of 64 chips");
	g->blocks = chips / block;
	g->hosts = block / host;
	for (int a = 1; a * a * a <= g->blocks; a++) // the most cube-like
		for (int b = a; g->blocks % a == 0 && b * b <= g->blocks / a; b++)
			if (g->blocks / a % b == 0) {
				g->side[0] = a;
				g->side[1] = b;
				g->side[2] = g->blocks / a / b;
			}
	return g->blocks <= GOODPUT_BLOCKS || fault_set(fault, p->name, "choose a smaller one", "it has too many blocks");
}

int box_of(const int axis[3], int box[3])
{
	int blocks = 1;
	for (int i = 0; i < 3; i++)
		blocks *= box[i] = axis[i] > 4 ? axis[i] / 4 : 1;
	return blocks;
}

double goodput_busy(const struct block_grid *g, const struct goodput_case *c)
{
	int box[3], blocks = box_of(c->axis, box);
	double up = pow(c->availability, g->hosts), busy = 0, boxes = 1;
	for (int i = 0; i < 3; i++)
		boxes *= g->side[i] / box[i];
	if (c->fixed)
		return fmin(boxes, (double)((g->blocks - c->spares) / blocks)) * blocks / g->blocks * pow(up, blocks);
	for (int k = 0; k <= g->blocks; k++) {
		double ways = lgamma(g->blocks + 1.) - lgamma(k + 1.) - lgamma(g->blocks - k + 1.);
		double chance = up >= 1 ? k == g->blocks : exp(ways + k * log(up) + (g->blocks - k) * log1p(-up));
		int most = (g->blocks - c->spares) / blocks, slices = k / blocks < most ? k / blocks : most;
		busy += chance * slices * blocks / g->blocks;
	}
	return busy;
}

double host_failures(const struct world *w, double availability) // an hour
{
	return (1 - availability) / availability / w->input[IN_REPAIR];
}

double goodput_kept(const struct world *w, const struct block_grid *g, const struct goodput_case *c)
{
	int box[3];
	double rate = box_of(c->axis, box) * g->hosts * host_failures(w, c->availability), each = w->input[IN_CHECKPOINT];
	return rate * each > 0 ? rate * each * exp(-rate * w->input[IN_RESTART]) / expm1(rate * each)
			       : exp(-rate * w->input[IN_RESTART]);
}

// ---- what jobs ask for ----

static bool read_share(char *word, const struct pod *p, struct job_size *to, struct fault *fault)
{
	struct slice s;
	char *colon = strchr(word, ':');
	if (!colon || !number_read(colon + 1, &to->share) || !(to->share > 0 && to->share <= 1e6))
		return fault_set(fault, *word ? word : "jobs", "write 4x4x4:3,8x8x8:1", "is not a slice and its share");
	*colon = '\0';
	if (!slice_read(p, word, false, &s, fault))
		return false;
	memcpy(to->axis, s.axis, sizeof to->axis);
	return true;
}

bool goodput_jobs_read(const char *text, const struct pod *p, struct goodput_case *c, struct job_size *mix, struct fault *fault)
{
	struct slice s;
	char word[64];
	struct goodput_case read = *c;
	memset(read.axis, 0, sizeof read.axis);
	read.mix = NULL;
	read.mixes = 0;
	if (strcmp(text, "mix") != 0 && !strchr(text, ':') && !strchr(text, ',')) {
		if (!slice_read(p, text, false, &s, fault))
			return false;
		memcpy(read.axis, s.axis, sizeof read.axis);
	} else if (strcmp(text, "mix") != 0) {
		for (const char *at = text; list_next(&at, word, sizeof word);) {
			if (read.mixes == GOODPUT_MIXES)
				return fault_set(fault, "jobs", "leave some out", "more than %d sizes", GOODPUT_MIXES);
			if (!read_share(word, p, &mix[read.mixes], fault))
				return false;
			read.mixes++;
		}
		read.mix = mix;
	}
	*c = read;
	return true;
}

const char *goodput_jobs_write(const struct goodput_case *c, char *buf, size_t size)
{
	char name[48];
	size_t used = 0;
	snprintf(buf, size, "mix");
	if (c->axis[0])
		snprintf(buf, size, "%s", slice_name(&(struct slice){.axis = {c->axis[0], c->axis[1], c->axis[2]}}, name));
	for (int i = 0; !c->axis[0] && c->mix && i < c->mixes && used < size; i++) {
		const int *a = c->mix[i].axis;
		used += (size_t)snprintf(buf + used, size - used, "%s%s:%.6g", i ? "," : "",
			slice_name(&(struct slice){.axis = {a[0], a[1], a[2]}}, name), c->mix[i].share);
	}
	return buf;
}
