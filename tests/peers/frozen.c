// SPDX-License-Identifier: GPL-3.0-or-later
// Trains a network for a few steps, freezes it and writes every form that it can leave in, beside what the engine made of some images: for the
// scripts that run these files in other programs.
//
//	frozen NET FORMATS DATA STEPS IMAGES FOLDER [po2]
//
// FORMATS: one or more joined by commas, which layers take in turn. Writes qdq.onnx, fold.onnx (batch norms folded), clip.onnx (weights for
// readers of widths), qonnx.onnx, aimet.onnx with aimet.encodings, and net.h, as far as the formats allow; images.f32 [images][h][w][c], logits.f32, labels.u16, and, for
// every layer in the order of layers.txt, the codes of its input: codes.f32 [layer][images][h][w][c]. layers.txt has a line a layer: name,
// h, w, c, weight format, input format, input scale.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/data/data.h"
#include "engine/export/export.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

enum { BATCH = 32, CALIBRATION = 16 };

static struct fault fault;

static void fail(void)
{
	char line[512];
	fprintf(stderr, "frozen: %s\n", fault_line(&fault, line, sizeof line));
	exit(1);
}

static FILE *file_of(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "wb");
	if (!file) {
		fault_set(&fault, path, "name a folder that can be written to", "it cannot be written");
		fail();
	}
	return file;
}

static void write_numbers(const char *folder, const char *name, const void *x, size_t size, size_t count)
{
	FILE *file = file_of(folder, name);
	if (fwrite(x, size, count, file) != count || fclose(file) != 0)
		exit(1);
}

static void load(struct network *net, const struct data *data, enum data_split split, long first, int count, uint16_t *labels)
{
	uint32_t *index = malloc((size_t)count * sizeof *index);
	for (int i = 0; index && i < count; i++)
		index[i] = (uint32_t)((first + i) % data->split[split].count);
	if (!index)
		exit(1);
	data_batch(data, split, index, count, AUGMENT_NONE, 0, network_input(net), labels);
	free(index);
}

static void take_formats(const char *words, struct layer_plan *layer, int layers)
{
	char word[16][16];
	int count = 0;
	for (const char *at = words; count < 16 && list_next(&at, word[count], sizeof word[count]); count++)
		if (format_named(word[count]) < 0) {
			fault_set(&fault, word[count], "int2 to int8, e4m3, …", "there is no such format");
			fail();
		}
	for (int l = 0; l < layers; l++)
		layer[l] = (struct layer_plan){format_named(word[l % count]), format_named(word[(l + l / count) % count])};
}

static void write_forms(const struct frozen *f, const char *folder)
{
	const struct outgoing plain = {0}, fold = {.fold = true}, clip = {.clip = true};
	const struct form {
		const char *name;
		bool (*write)(const struct frozen *, const struct outgoing *, FILE *, struct fault *);
		const struct outgoing *how;
	} forms[] = {{"qdq.onnx", export_qdq, &plain}, {"fold.onnx", export_qdq, &fold}, {"clip.onnx", export_qdq, &clip},
		{"qonnx.onnx", export_qonnx, &plain}};
	char line[512];
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		FILE *file = file_of(folder, forms[i].name);
		if (!forms[i].write(f, forms[i].how, file, &fault))
			fprintf(stderr, "%s: %s\n", forms[i].name, fault_line(&fault, line, sizeof line));
		fclose(file);
	}
	FILE *file = file_of(folder, "aimet.encodings"), *network = file_of(folder, "aimet.onnx");
	if (!export_aimet(f, file, network, &fault))
		fprintf(stderr, "aimet.onnx: %s\n", fault_line(&fault, line, sizeof line));
	fclose(file);
	fclose(network);
	file = file_of(folder, "net.h");
	if (!export_c(f, "net", file, &fault))
		fprintf(stderr, "net.h: %s\n", fault_line(&fault, line, sizeof line));
	fclose(file);
}

static void write_layers(const struct frozen *f, const char *folder)
{
	FILE *names = file_of(folder, "layers.txt"), *codes = file_of(folder, "codes.f32");
	for (int l = 0; l < f->model->layers; l++) {
		const struct layer *layer = &f->model->layer[l];
		const struct frozen_layer *z = &f->layer[l];
		fprintf(names, "%s %d %d %d %s %s %a\n", layer->name, layer->in.h, layer->in.w, layer->in.c,
			format_table[z->format.weight].name, format_table[z->format.activation].name, (double)z->input_scale);
		fwrite(z->input, sizeof *z->input, (size_t)(f->images * z->inputs), codes);
	}
	fclose(names);
	fclose(codes);
}

static void train(struct network *net, const struct plan *plan, const struct quantization *q, const struct data *data, int steps)
{
	uint16_t labels[BATCH];
	for (int step = 0; step < steps; step++) {
		const struct optimizer by = {.kind = OPTIMIZER_SGD,
			.rate = 0.05 * (1 - (double)step / steps),
			.momentum = 0.9,
			.decay = 5e-4,
			.clip = 5};
		load(net, data, DATA_TRAIN, (long)step * BATCH, BATCH, labels);
		network_forward(net, plan, q, PASS_TRAIN, BATCH, NULL);
		network_loss(net, labels, BATCH, 0);
		network_backward(net);
		network_update(net, &by, step);
	}
}

// 0: it is no number from 1 up.
static int number_of(const char *word)
{
	long n;
	return number_read_long(word, 1, INT_MAX, &n) ? (int)n : 0;
}

int main(int argc, char **argv)
{
	const int steps = argc < 7 ? 0 : number_of(argv[4]), images = argc < 7 ? 0 : number_of(argv[5]),
		  batch = images > BATCH ? images : BATCH;
	if (steps < 1 || images < 1) {
		fprintf(stderr, "frozen NET FORMATS DATA STEPS IMAGES FOLDER [po2]\n");
		return 2;
	}
	const char *folder = argv[6];
	struct data *data = data_open(argv[3], 1, 0, 500, &fault);
	struct model *model = data ? model_named(argv[1], (struct shape){data->h, data->w, data->c}, data->classes, &fault)
				   : NULL;
	struct team *team = team_new(1, &fault);
	struct network *net = model && team ? network_new(model, NULL, batch, 0, 0, team, &fault) : NULL;
	struct calibration *calibration = net ? calibration_new(net, &fault) : NULL;
	struct layer_plan *layer = calloc(model ? (size_t)model->layers : 1, sizeof *layer);
	uint16_t *labels = malloc((size_t)batch * sizeof *labels);
	if (!calibration || !layer || !labels)
		fail();
	take_formats(argv[2], layer, model->layers);
	const struct plan plan = {model, layer, NULL};
	const struct quantization q = {.range = RANGE_MAX, .per_channel = true, .unsigned_positive = true, .binary = argc > 7};
	network_initialise(net, 1);
	train(net, &plan, &q, data, steps);
	for (int b = 0; b < CALIBRATION; b++) {
		load(net, data, DATA_TRAIN, (long)b * BATCH, BATCH, labels);
		network_forward(net, &plan, &q, PASS_CALIBRATE, BATCH, calibration);
	}
	load(net, data, DATA_TEST, 0, images, labels);
	struct frozen *f = network_freeze(net, &plan, &q, calibration, images, &fault);
	if (!f)
		fail();
	write_forms(f, folder);
	write_layers(f, folder);
	write_numbers(folder, "images.f32", f->image, sizeof *f->image, (size_t)(images * data->h * data->w * data->c));
	write_numbers(folder, "logits.f32", f->logits, sizeof *f->logits, (size_t)(images * data->classes));
	write_numbers(folder, "labels.u16", labels, sizeof *labels, (size_t)images);
	frozen_free(f);
	calibration_free(calibration);
	network_free(net);
	team_free(team);
	model_free(model);
	data_free(data);
	free(layer);
	free(labels);
	return 0;
}
