// SPDX-License-Identifier: GPL-3.0-or-later
// Files of quantized networks, read back: to layers' formats, and to weights that round to the codes in the file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/export/export.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

enum { IMAGES = 2 };
static char path[256];

// ---- a network that is quantized and written ----

struct rig {
	struct team *team;
	struct model *model;
	struct network *net;
	struct calibration *calibration;
	struct layer_plan *layer;
	struct plan plan;
};

static struct rig *rig_of(const char *network)
{
	struct fault fault = {0};
	char line[512];
	struct rig *r = calloc(1, sizeof *r);
	r->model = model_named(network, (struct shape){32, 32, 3}, 10, &fault);
	if (!r->model)
		fail_msg("%s", fault_line(&fault, line, sizeof line));
	r->team = team_new(1, &fault);
	r->net = network_new(r->model, NULL, IMAGES, 0, 0, r->team, &fault);
	assert_non_null(r->net);
	r->calibration = calibration_new(r->net, &fault);
	r->layer = calloc((size_t)r->model->layers, sizeof *r->layer);
	r->plan = (struct plan){r->model, r->layer, NULL};
	network_initialise(r->net, 7);
	struct weights *w = model_has_weights(network)
		? model_weights(network, (struct shape){32, 32, 3}, 10, r->model->name, &fault)
		: NULL;
	if (model_has_weights(network))
		assert_true(w && network_take_weights(r->net, w, &fault));
	weights_free(w);
	return r;
}

static void rig_free(struct rig *r)
{
	calibration_free(r->calibration);
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
	free(r->layer);
	free(r);
}

static void fill_input(struct rig *r)
{
	uint64_t key = rng_key(3, "image", 0);
	for (long i = 0; i < IMAGES * 32L * 32 * 3; i++)
		network_input(r->net)[i] = (float)rng_normal(key, (uint64_t)i);
}

static struct frozen *freeze(struct rig *r)
{
	struct fault fault = {0};
	const struct quantization q = {.range = RANGE_MAX, .per_channel = true, .unsigned_positive = true};
	fill_input(r);
	network_forward(r->net, &r->plan, &q, PASS_CALIBRATE, IMAGES, r->calibration);
	fill_input(r);
	struct frozen *f = network_freeze(r->net, &r->plan, &q, r->calibration, IMAGES, &fault);
	assert_non_null(f);
	return f;
}

typedef bool writer(const struct frozen *, const struct outgoing *, FILE *, struct fault *);

static void write_file(const struct frozen *f, writer *write, const struct outgoing *how)
{
	struct fault fault = {0};
	char line[512];
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	if (!write(f, how, file, &fault))
		fail_msg("%s", fault_line(&fault, line, sizeof line));
	assert_int_equal(fclose(file), 0);
}

// ---- round trips ----

// The file's formats become the plan's; layers are the same.
static struct rig *read_back(const struct frozen *before)
{
	struct rig *r = rig_of(path);
	assert_int_equal(r->model->layers, before->model->layers);
	for (int l = 0; l < r->model->layers; l++) {
		const struct layer *layer = &r->model->layer[l];
		const int format[] = {before->layer[l].format.weight, before->layer[l].format.activation};
		assert_string_equal(layer->name, before->model->layer[l].name);
		for (int h = 0; h < 2; h++) {
			const char *wanted = format_table[format[h]].name, *told = layer->told[h].format;
			if (strcmp(wanted, told ? told : "fp32") != 0)
				fail_msg("%s: %s is told for the %s, by %s, not %s", layer->name, told, h ? "inputs" : "weights",
					layer->told[h].by, wanted);
		}
		r->layer[l] = before->layer[l].format;
	}
	return r;
}

// A norm that is folded may turn a column's sign.
static void same_codes(const struct frozen *a, const struct frozen *b, bool signs)
{
	for (int l = 0; l < a->model->layers; l++) {
		const struct frozen_layer *x = &a->layer[l], *y = &b->layer[l];
		assert_int_equal(x->rows, y->rows);
		for (int j = 0; j < x->columns; j++) {
			float sign = 0;
			for (long i = 0; i < x->rows; i++) {
				float p = x->code[i * x->columns + j], q = y->code[i * x->columns + j];
				sign = sign == 0 && p != 0 ? q / p : sign;
				if (p * sign != q || fabsf(sign) > 1 || (!signs && sign < 0))
					fail_msg("layer %s, output %d, number %ld: the code %g became %g",
						a->model->layer[l].name, j, i, (double)p, (double)q);
			}
		}
	}
}

static void round_trip(const char *network, int count, const char *const *word, writer *write, const struct outgoing *how)
{
	struct rig *first = rig_of(network);
	for (int l = 0; l < first->model->layers; l++)
		first->layer[l] = (struct layer_plan){format_named(word[l % count]), format_named(word[(l + l / count) % count])};
	struct frozen *a = freeze(first);
	write_file(a, write, how);
	struct rig *second = read_back(a);
	assert_string_equal(second->model->told, ""); // nothing is left out, and nothing put back
	struct frozen *b = freeze(second);
	same_codes(a, b, true);
	write_file(b, write, how);
	struct rig *third = read_back(b);
	struct frozen *c = freeze(third);
	same_codes(b, c, false);
	frozen_free(a);
	frozen_free(b);
	frozen_free(c);
	rig_free(first);
	rig_free(second);
	rig_free(third);
	unlink(path);
}

static const char *const integers[] = {"int8", "int2", "int5", "int3", "int7", "int4", "int6"};
static const char *const floats[] = {"e4m3", "int8", "e5m2", "int4"};
static const char *const all[] = {
	"e2m1", "int3", "e3m2", "e2m3", "int8", "e1m2", "e3m4", "e4m2", "e2m4", "fp32", "int16", "e4m3", "int2"};

static void qdq_comes_back(void **state)
{
	(void)state;
	const struct outgoing plain = {0}, fold = {.fold = true}, clip = {.clip = true};
	round_trip("resnet8:width=0.5", 7, integers, export_qdq, &plain);
	round_trip("resnet8:width=0.5", 7, integers, export_qdq, &fold);
	round_trip("resnet8:width=0.5", 6, integers + 1, export_qdq, &clip);
	round_trip("resnet8:width=0.5", 4, floats, export_qdq, &plain);
	round_trip("mobilenetv2:width=0.25", 7, integers, export_qdq, &fold);
	round_trip("efficientnet:width=0.25", 7, integers, export_qdq, &plain);
	round_trip("inception:width=0.125", 4, floats, export_qdq, &fold);
}

static void qonnx_comes_back(void **state)
{
	(void)state;
	const struct outgoing plain = {0};
	round_trip("resnet8:width=0.5", 13, all, export_qonnx, &plain);
	round_trip("mobilenetv2:width=0.25", 7, integers, export_qonnx, &plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qdq_comes_back),
		cmocka_unit_test(qonnx_comes_back),
	};
	snprintf(path, sizeof path, "%s/unit-quantized-%d.onnx", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
