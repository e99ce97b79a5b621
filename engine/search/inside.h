// SPDX-License-Identifier: GPL-3.0-or-later
// Inside search/: what the files of the search share.
#ifndef ENGINE_SEARCH_INSIDE_H
#define ENGINE_SEARCH_INSIDE_H

#include "engine/data/data.h"
#include "engine/nn/nn.h"
#include "engine/search/policy.h"
#include "engine/search/search.h"
#include "engine/space/space.h"

// A split's order of images: an endless stream of epochs, each a permutation of its own.
struct stream {
	const char *purpose; // of its random stream
	enum data_split split;
	long first, count; // the images of the split that it runs over
	long epoch;        // that `order` is for; -1: none yet
	uint32_t *order;
};

struct point {
	enum point_origin origin;
	char label[16];
	float accuracy, loss; // as a state keeps them
	double cost[ENGINE_TERMS];
	long step;
	bool dominated;
	uint8_t *choice;
};

// The front archive: points, and the candidates of a scoring under way. That goes by the settings it began with: a front
// does not depend on when a change came in between.
struct front {
	struct knobs knobs;
	struct point *point, *candidate; // [room] each
	int points, candidates, next, room;
	bool scoring;
	struct point *all; // both of them: they change places
	uint8_t *choices;
};

struct search {
	struct knobs knobs;
	struct model *model;
	struct space *space;
	struct partition *partition, *wanted; // as it is; room for a change to be tried on
	struct data *data;
	struct team *team;
	struct network *network;
	struct calibration *calibration;
	struct policy *policy;

	struct engine_info info;
	struct option_info *option_info;

	long step, horizon, warmup;
	double target[COST_TERMS], widest[COST_TERMS]; // target 0: none
	double baseline;
	bool has_baseline;
	double loss, accuracy, quality, reward, advantage; // smoothed, for the eye
	bool has_quality;
	double sampled_cost[COST_TERMS];
	struct record record;

	struct stream train, heldout;
	uint8_t *labels;   // [batch]
	uint32_t *index;   // [batch]
	uint8_t *choice;   // [samples + 1][slots]; the last row is for cost samples
	uint8_t *modal;    // [slots]
	int options;       // of the slot with the most of them
	double *price;     // [terms][layers][options of the weights][of the activations]: see search_price_of
	struct plan plan;
	struct front front;
};

enum { SEARCH_SAMPLES = 64 };

void search_settle_costs(struct search *); // targets and their prices from the knobs; knobs must be valid
// What a layer costs under two options.
static inline double search_price_of(const struct search *s, int term, int layer, int weight, int activation)
{
	return s->price[((term * s->model->layers + layer) * s->options + weight) * s->options + activation];
}
struct quantization search_quantization(const struct knobs *);
// Loads images of a split into the network's input, in parallel.
void search_load(struct search *, enum data_split, const uint32_t *index, int count, unsigned augment, uint64_t key);
void search_modal(const struct search *, uint8_t *choice);
void search_costs(const struct search *, const uint8_t *choice, double *cost);
// Adds to the costs of a choice what it takes to give one decision another option. Other layers than the decision's cost
// what they did.
void search_add_difference(const struct search *, const uint8_t *choice, int decision, int option, double *cost);
// Puts the partition that was worked out in s->wanted in the place of the present one.
void search_rearrange(struct search *);
long search_report_first(const struct search *); // held-out images from here on are for reports, those before for the policy
bool search_restore(struct search *, const struct state *, struct fault *);

#endif
