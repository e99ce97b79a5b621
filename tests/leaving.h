// SPDX-License-Identifier: GPL-3.0-or-later
// Networks that leave, for unit programs: a network with weights by a seed, calibrated and frozen on images by another. Failures are cmocka's.
#ifndef TESTS_LEAVING_H
#define TESTS_LEAVING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/export/export.h"
#include "engine/tensor/rng.h"

enum { IMAGES = 3, MOST_LAYERS = 128 };

struct rig {
	struct team *team;
	struct model *model;
	struct network *net;
	struct calibration *calibration;
	struct layer_plan layer[MOST_LAYERS];
	struct plan plan;
	struct quantization q;
};

static inline struct rig *rig_sized(const char *network, int side)
{
	struct fault fault = {0};
	struct rig *r = calloc(1, sizeof *r);
	assert_non_null(r);
	r->model = model_named(network, (struct shape){side, side, 3}, 10, &fault);
	assert_non_null(r->model);
	assert_in_range(r->model->layers, 1, MOST_LAYERS);
	r->team = team_new(1, &fault);
	r->net = network_new(r->model, NULL, IMAGES, 0, 0, r->team, &fault);
	assert_non_null(r->net);
	r->calibration = calibration_new(r->net, &fault);
	assert_non_null(r->calibration);
	network_initialise(r->net, 7);
	r->plan = (struct plan){r->model, r->layer, NULL};
	r->q = (struct quantization){.range = RANGE_MAX, .percentile = 99.9, .per_channel = true, .unsigned_positive = true};
	return r;
}

static inline struct rig *rig_of(const char *network)
{
	return rig_sized(network, 32);
}

static inline void rig_free(struct rig *r)
{
	calibration_free(r->calibration);
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
	free(r);
}

static inline void fill_input(struct rig *r, const char *stream)
{
	uint64_t key = rng_key(3, stream, 0);
	const struct shape in = r->model->op[0].out;
	long count = IMAGES * (long)in.h * in.w * in.c;
	for (long i = 0; i < count; i++)
		network_input(r->net)[i] = (float)rng_normal(key, (uint64_t)i);
}

static inline struct frozen *freeze(struct rig *r)
{
	struct fault fault = {0};
	calibration_clear(r->calibration);
	fill_input(r, "calibration");
	network_forward(r->net, &r->plan, &r->q, PASS_CALIBRATE, IMAGES, r->calibration);
	fill_input(r, "images");
	struct frozen *f = network_freeze(r->net, &r->plan, &r->q, r->calibration, IMAGES, &fault);
	assert_non_null(f);
	return f;
}

#endif
