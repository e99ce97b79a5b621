// SPDX-License-Identifier: GPL-3.0-or-later
// Where a step and a scoring pass spend their time, part by part: each is timed by itself, in turn with the others, on the networks and
// batches of a search with the preset `live`. The sum of the parts stands beside the whole step, timed as one.
#include "tests/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/data/data.h"
#include "engine/nn/nn.h"
#include "engine/search/inside.h"

enum { BATCH = 64, THREADS = 2, ROUNDS = 24, SKIP = 2 };

static const char *const nets[] = {"resnet8", "resnet20", "mobilenetv2:width=0.5"};
enum { NETS = sizeof nets / sizeof *nets };

enum stage {
	TRAIN_IMAGES,
	TRAIN_FORWARD,
	TRAIN_LOSS,
	TRAIN_BACKWARD,
	TRAIN_UPDATE,
	SCORE_IMAGES,
	SCORE_FORWARD,
	SCORE_LOSS,
	PROPOSE,
	PRICE,
	LEARN,
	END_STEP,
	WHOLE,
	CALIBRATE,
	FIXED,
	STAGES
};
static const struct {
	const char *name;
	int times; // in a step; 0: not in one
} row[STAGES] = {
	[TRAIN_IMAGES] = {"training: images, augmented", 1},
	[TRAIN_FORWARD] = {"training: forward", 1},
	[TRAIN_LOSS] = {"training: loss", 1},
	[TRAIN_BACKWARD] = {"training: backward", 1},
	[TRAIN_UPDATE] = {"training: update of the weights", 1},
	[SCORE_IMAGES] = {"scoring: images", 1},
	[SCORE_FORWARD] = {"scoring: forward, a choice", 4},
	[SCORE_LOSS] = {"scoring: loss, a choice", 4},
	[PROPOSE] = {"policy: draws four choices", 1},
	[PRICE] = {"policy: prices them", 1},
	[LEARN] = {"policy: learns, with the cost's gradient", 1},
	[END_STEP] = {"policy: what it would choose now", 1},
	[WHOLE] = {"a step of four choices, as one", 0},
	[CALIBRATE] = {"evaluation: calibrating pass, a batch", 0},
	[FIXED] = {"evaluation: fixed pass, a batch", 0},
};

struct profile {
	struct search *search, *whole; // whose lane takes part; whose steps are timed as one
	struct data *data;
	struct team *team;
	struct network *network;
	struct calibration *calibration;
	struct plan plan;
	uint16_t labels[BATCH];
	uint32_t index[BATCH];
	uint8_t *choice;
	double quality[SEARCH_SAMPLES], cost[SEARCH_SAMPLES][ENGINE_TERMS];
	int count; // choices proposed
	long step;
};

static void load(struct profile *p, enum data_split split, unsigned augment)
{
	for (uint32_t i = 0; i < BATCH; i++)
		p->index[i] = (uint32_t)((p->step * BATCH + i) % (uint32_t)p->data->split[split].count);
	data_batch(p->data, split, p->index, BATCH, augment, (uint64_t)p->step, network_input(p->network), p->labels);
}

static void forward(struct profile *p, enum pass pass)
{
	static const struct quantization q = {
		.range = RANGE_MAX, .percentile = 99.9, .per_channel = true, .unsigned_positive = true};
	network_forward(p->network, &p->plan, &q, pass, BATCH,
		pass == PASS_CALIBRATE || pass == PASS_FIXED ? p->calibration : NULL);
}

static void run_part(struct profile *p, enum stage part)
{
	static const struct optimizer optimizer = {OPTIMIZER_SGD, 0.01, 0.9, 0.999, 5e-4, 5, 0};
	struct lane *lane = &p->search->lane[0];
	struct fault fault;
	const int slots = p->search->shared.space->slots;
	switch (part) {
	case TRAIN_IMAGES: load(p, DATA_TRAIN, AUGMENT_CROP | AUGMENT_FLIP); break;
	case TRAIN_FORWARD: forward(p, PASS_TRAIN); break;
	case TRAIN_LOSS:
	case SCORE_LOSS: network_loss(p->network, p->labels, BATCH, 0); break;
	case TRAIN_BACKWARD: network_backward(p->network); break;
	case TRAIN_UPDATE: network_update(p->network, &optimizer, p->step); break;
	case SCORE_IMAGES: load(p, DATA_HELDOUT, AUGMENT_NONE); break;
	case SCORE_FORWARD: forward(p, PASS_SAMPLE); break;
	case PROPOSE: p->count = lane->searcher->propose(lane, p->choice); break;
	case PRICE:
		for (int i = 0; i < p->count; i++)
			lane_costs(lane, p->choice + i * slots, p->cost[i]);
		break;
	case LEARN:
		for (int i = 0; i < p->count; i++)
			p->quality[i] = -1 - 0.01 * (double)((p->step * 7 + i * 3) % 5);
		if (!lane->searcher->learn(lane, &(struct lesson){p->count, p->choice, p->quality, p->cost, NULL}, &fault))
			bench_stop(&fault);
		break;
	case END_STEP: lane_end_step(lane); break;
	case WHOLE:
		if (!search_step(p->whole, &fault))
			bench_stop(&fault);
		break;
	case CALIBRATE: forward(p, PASS_CALIBRATE); break;
	case FIXED: forward(p, PASS_FIXED); break;
	case STAGES: break;
	}
}

static struct search *open_search(const char *net)
{
	return bench_search(
		"net=%s data=cifar10:%s space=wide steps=1000000 warmup=0 heldout=256 front-every=0 batch=%d threads=%d", net,
		bench_folder, BATCH, THREADS);
}

static void open_profile(struct profile *p, const char *net)
{
	struct fault fault;
	char data[256];
	*p = (struct profile){.search = open_search(net), .whole = open_search(net)};
	const struct space *space = p->search->shared.space;
	snprintf(data, sizeof data, "cifar10:%s", bench_folder);
	if (!(p->data = data_open(data, 1, 0, 256, &fault)) || !(p->team = team_new(THREADS, &fault)) ||
		!(p->network = network_new(space->model, NULL, BATCH, 0, 0, p->team, &fault)) ||
		!(p->calibration = calibration_new(p->network, &fault)))
		bench_stop(&fault);
	p->plan.layer = calloc((size_t)space->model->layers, sizeof *p->plan.layer);
	p->choice = calloc(SEARCH_SAMPLES, (size_t)space->slots);
	if (!p->plan.layer || !p->choice)
		exit(1);
	network_initialise(p->network, 1);
	space_plan(space, p->search->lane[0].modal, &p->plan);
}

static void close_profile(struct profile *p)
{
	calibration_free(p->calibration);
	network_free(p->network);
	team_free(p->team);
	data_free(p->data);
	search_free(p->search);
	search_free(p->whole);
	free(p->plan.layer);
	free(p->choice);
}

static void measure(const char *net, double result[STAGES])
{
	static double seconds[STAGES][ROUNDS];
	struct profile p;
	open_profile(&p, net);
	for (int round = -SKIP; round < ROUNDS; round++, p.step++)
		for (int part = 0; part < STAGES; part++) {
			if (part == CALIBRATE)
				calibration_clear(p.calibration);
			double began = bench_now();
			run_part(&p, (enum stage)part);
			if (round >= 0)
				seconds[part][round] = bench_now() - began;
		}
	for (int part = 0; part < STAGES; part++)
		result[part] = median(seconds[part], ROUNDS);
	close_profile(&p);
}

void bench_profile(void)
{
	double result[NETS][STAGES], sum[NETS] = {0};
	printf("\nWhere a step spends its time (ms; batch %d, %d threads, preset live: four choices, int2 to int8; medians of %d)\n%-42s",
		BATCH, THREADS, ROUNDS, "");
	for (int n = 0; n < NETS; n++) {
		measure(nets[n], result[n]);
		for (int part = 0; part < STAGES; part++)
			sum[n] += row[part].times * result[n][part];
		printf("  %22s", nets[n]);
	}
	for (int part = 0; part < STAGES; part++) {
		printf("\n%-42s", row[part].name);
		for (int n = 0; n < NETS; n++) {
			double ms = 1e3 * result[n][part];
			if (row[part].times)
				printf("  %9.3f %s%d %5.1f %%", ms, "x", row[part].times,
					100 * row[part].times * result[n][part] / sum[n]);
			else
				printf("  %9.3f %12s", ms, "");
		}
	}
	printf("\n%-42s", "the parts of a step together");
	for (int n = 0; n < NETS; n++)
		printf("  %9.3f %12s", 1e3 * sum[n], "");
	printf("\n");
}
