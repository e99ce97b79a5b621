// SPDX-License-Identifier: GPL-3.0-or-later
// What it takes to train a space of architectures instead of one network: memory beside that of its largest path trained alone, and time a
// step beside that of a path of mean size trained alone.
#include "tests/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/blueprint.h"
#include "engine/tensor/rng.h"

static const char *const nets[] = {"resnet-nas:width=0.5", "mobilenetv2-nas:width=0.35",
	"mobilenetv2-nas:width=0.35,filters=search", "efficientnet-x-nas:width=0.25"};
enum { SIDE = 32, CLASSES = 10, DRAWS = 200, ROUNDS = 9, STEPS = 12, WARM = 4 };
enum { KEPT = 3 }; // numbers for each weight: itself, its momentum, its gradient

static struct blueprint *space_of(const char *net)
{
	struct fault fault;
	struct blueprint *b = blueprint_named(net, (struct shape){SIDE, SIDE, 3}, CLASSES, &fault);
	if (!b)
		bench_stop(&fault);
	return b;
}

static void settle(const struct blueprint *b, int draw, struct path *path)
{
	struct fault fault;
	uint8_t option[SLOTS_MOST];
	int slots;
	const struct slot *slot = blueprint_slots(b, &slots);
	for (int i = 0; i < slots; i++)
		option[i] = (uint8_t)(draw < 0
				? slot[i].options - 1
				: (int)rng_below(rng_key(1, "path", (uint64_t)draw), (uint64_t)i, (uint64_t)slot[i].options));
	if (!blueprint_settle(b, option, path, &fault))
		bench_stop(&fault);
}

// The draw whose operations are nearest to the mean of all.
static int mean_draw(const struct blueprint *b, struct path *path)
{
	double macs[DRAWS], mean = 0;
	int nearest = 0;
	for (int i = 0; i < DRAWS; i++) {
		settle(b, i, path);
		macs[i] = path->model->macs;
		mean += macs[i] / DRAWS;
	}
	for (int i = 1; i < DRAWS; i++)
		if (fabs(macs[i] - mean) < fabs(macs[nearest] - mean))
			nearest = i;
	return nearest;
}

// A path as a network of its own; returns the settings that train it at int4.
static const char *alone(const char *name, const struct model *m, char *settings, size_t size)
{
	char path[512];
	struct fault fault;
	snprintf(path, sizeof path, "%s/%s.net", bench_folder, name);
	FILE *f = fopen(path, "w");
	if (!f || !model_write(m, f, &fault) || fclose(f) != 0) {
		fprintf(stderr, "bench: %s: cannot be written\n", path);
		exit(1);
	}
	snprintf(settings, size, "net=%s space=int4 warmup=1", path);
	return settings;
}

static double seconds(struct search *s)
{
	struct fault fault;
	double began = bench_now();
	for (int i = 0; i < STEPS; i++)
		if (!search_step(s, &fault))
			bench_stop(&fault);
	return (bench_now() - began) / STEPS;
}

static struct search *open_alone(const char *settings)
{
	return bench_search("%s data=cifar10:%s heldout=256 steps=100000 front-every=0 threads=1", settings, bench_folder);
}

// Of paths that are drawn evenly, to training one of mean size: steps in turns.
static double time_ratio(const char *net, const char *mean)
{
	double space[ROUNDS], one[ROUNDS];
	char drawn[256];
	snprintf(drawn, sizeof drawn, "net=%s space=int4 warmup=1 warmup-path=uniform modal-share=0", net);
	struct search *s = open_alone(drawn), *m = open_alone(mean);
	for (int i = 0; i < WARM; i++)
		seconds(s), seconds(m);
	for (int i = 0; i < ROUNDS; i++) {
		space[i] = seconds(s);
		one[i] = seconds(m);
	}
	search_free(s);
	search_free(m);
	return median_ratio(space, one, ROUNDS);
}

void bench_spaces(void)
{
	printf("\nSpaces of architectures. Peak memory in MB at batch 64, each in a process of its own: a search live after the warm-up, its front\n"
	       "scored once, beside its largest path trained alone at int4, and what the weights of all paths take. Time of a training step\n"
	       "over paths drawn evenly, beside the path of mean size alone\n\n%-42s %9s %9s %9s %11s %11s\n",
		"", "search", "largest", "weights", "to the sum", "time");
	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
		char settings[640];
		struct blueprint *b = space_of(nets[i]);
		struct path path = {.whole = blueprint_whole(b)};
		snprintf(settings, sizeof settings, "net=%s space=int4,int8 warmup=0", nets[i]);
		double search = bench_megabytes(settings);
		settle(b, -1, &path);
		double largest = bench_megabytes(alone("largest", path.model, settings, sizeof settings));
		double weights = KEPT * sizeof(float) * blueprint_whole(b)->weights / (1 << 20);
		settle(b, mean_draw(b, &path), &path);
		double time = time_ratio(nets[i], alone("mean", path.model, settings, sizeof settings));
		printf("%-42s %9.1f %9.1f %9.1f %10.3fx %10.3fx\n", nets[i], search, largest, weights,
			search / (largest + weights), time);
		fflush(stdout);
		path_free(&path);
		blueprint_free(b);
	}
}
