// SPDX-License-Identifier: GPL-3.0-or-later
// Runs an ONNX file on one image, for comparisons with other runtimes: onnx_run FILE [IMAGE [LOGITS [THREADS BATCH PASSES FORMAT]]]. The image is
// raw float32, [h][w][c]; the logits are written likewise. Prints what the network is, and the seconds of the fastest of so many passes over
// a batch of that image, in one format, with ranges that were calibrated before.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/text.h"
#include "engine/model/weights.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"

static int fail(const struct fault *f)
{
	char line[1024];
	fprintf(stderr, "%s\n", fault_line(f, line, sizeof line));
	return 1;
}

static bool all_of(const char *path, const char *mode, float *at, long count)
{
	FILE *f = fopen(path, mode);
	size_t done = !f ? 0 : *mode == 'r' ? fread(at, sizeof *at, (size_t)count, f) : fwrite(at, sizeof *at, (size_t)count, f);
	return f && fclose(f) == 0 && done == (size_t)count;
}

// The fastest of some passes.
static double fastest(struct network *net, const struct plan *plan, const struct quantization *q, int batch, int passes,
	struct fault *f)
{
	double least = 1e9;
	struct calibration *calibration = calibration_new(net, f);
	if (!calibration)
		return least;
	network_forward(net, plan, q, PASS_CALIBRATE, batch, calibration);
	for (int i = 0; i < passes; i++) {
		const double start = clock_seconds();
		network_forward(net, plan, q, PASS_FIXED, batch, calibration);
		least = fmin(least, clock_seconds() - start);
	}
	calibration_free(calibration);
	return least;
}

// 0: it is no number from 1 up.
static int number_of(const char *word)
{
	long n;
	return number_read_long(word, 1, INT_MAX, &n) ? (int)n : 0;
}

int main(int argc, char **argv)
{
	struct fault f;
	const bool timed = argc > 7;
	const int threads = timed ? number_of(argv[4]) : 1, batch = timed ? number_of(argv[5]) : 1,
		  passes = timed ? number_of(argv[6]) : 1, format = format_named(timed ? argv[7] : "fp32");
	if (format < 0 || threads < 1 || batch < 1 || passes < 1)
		return 2;
	if (argc < 2)
		return 2;
	struct model *m = model_named(argv[1], (struct shape){0}, 0, &f);
	if (!m)
		return fail(&f);
	printf("ops %d layers %d parameters %.0f macs %.0f products %.0f classes %d input %dx%dx%d\n", m->ops, m->layers,
		m->parameters, m->macs, m->attention_macs, m->classes, m->op[0].out.h, m->op[0].out.w, m->op[0].out.c);
	if (argc < 3)
		return 0;
	struct weights *w = model_weights(argv[1], (struct shape){0}, 0, m->name, &f);
	struct team *team = team_new(threads, &f);
	struct network *net = w && team ? network_new(m, NULL, batch, 0, 0, team, &f) : NULL;
	if (!net)
		return fail(&f);
	network_initialise(net, 1);
	struct shape s = m->op[0].out;
	if (!network_take_weights(net, w, &f))
		return fail(&f);
	const long image = (long)s.h * s.w * s.c;
	if (!all_of(argv[2], "r", network_input(net), image))
		return 3;
	for (int i = 1; i < batch; i++)
		memcpy(network_input(net) + i * image, network_input(net), (size_t)image * sizeof(float));
	struct layer_plan *layer = calloc((size_t)m->layers, sizeof *layer);
	for (int l = 0; l < m->layers; l++)
		layer[l].weight = layer[l].activation = format;
	struct plan plan = {m, layer, NULL};
	struct quantization q = {.range = RANGE_MAX, .percentile = 99, .per_channel = true, .unsigned_positive = true};
	if (timed)
		printf("seconds %.4f\n", fastest(net, &plan, &q, batch, passes, &f));
	else
		network_forward(net, &plan, &q, PASS_SAMPLE, 1, NULL);
	if (argc > 3 && !all_of(argv[3], "w", (float *)network_logits(net), m->classes))
		return 3;
	free(layer);
	network_free(net);
	team_free(team);
	weights_free(w);
	model_free(m);
	return 0;
}
