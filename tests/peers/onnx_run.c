// SPDX-License-Identifier: GPL-3.0-or-later
// Runs an ONNX file on one image, for comparisons with other runtimes: onnx_run FILE [IMAGE [LOGITS]]. The image is raw float32,
// [h][w][c]; the logits are written likewise. Prints what the network is.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
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

int main(int argc, char **argv)
{
	struct fault f;
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
	struct team *team = team_new(1, &f);
	struct network *net = w && team ? network_new(m, NULL, 1, 0, 0, team, &f) : NULL;
	if (!net)
		return fail(&f);
	network_initialise(net, 1);
	struct shape s = m->op[0].out;
	if (!network_take_weights(net, w, &f))
		return fail(&f);
	if (!all_of(argv[2], "r", network_input(net), (long)s.h * s.w * s.c))
		return 3;
	struct layer_plan *layer = calloc((size_t)m->layers, sizeof *layer);
	for (int l = 0; l < m->layers; l++)
		layer[l].weight = layer[l].activation = format_named("fp32");
	struct plan plan = {m, layer, NULL};
	struct quantization q = {.range = RANGE_MAX, .percentile = 99, .per_channel = true, .unsigned_positive = true};
	double start = clock_seconds();
	network_forward(net, &plan, &q, PASS_SAMPLE, 1, NULL);
	printf("seconds %.4f\n", clock_seconds() - start);
	if (argc > 3 && !all_of(argv[3], "w", (float *)network_logits(net), m->classes))
		return 3;
	free(layer);
	network_free(net);
	team_free(team);
	weights_free(w);
	model_free(m);
	return 0;
}
