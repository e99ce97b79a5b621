// SPDX-License-Identifier: GPL-3.0-or-later
// Weights with scales by blocks, as they leave: what is frozen is what the kernels round to, bit for bit, what ONNX Runtime made of the files is that
// too (tests/peers/blocks_reference.py), and inputs with blocks are refused, by layer.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/quant/format.h"
#include "tests/leaving.h"
#include "tests/named.h"

enum { SIDE = 8, LAYERS = 7 };
static char top[4096]; // of the sources

// Rows of whole blocks and with remainders, blocks that go on over taps, one input a tap, groups, and a head.
static const char *const net = "input 8x8x3\n"
			       "classes 10\n"
			       "stem conv out=24 kernel=3\n"
			       "one norm act=relu\n"
			       "deep conv out=24 kernel=3 groups=each\n"
			       "two norm act=relu6\n"
			       "pairs conv out=40 kernel=3 groups=2 stride=2\n"
			       "three norm act=relu\n"
			       "point conv out=24 kernel=1\n"
			       "four norm\n"
			       "odd conv out=32 kernel=3\n"
			       "five norm act=relu\n"
			       "whole conv out=32 kernel=3\n"
			       "six norm act=relu\n"
			       "pooled pool\n"
			       "head linear out=classes bias=yes\n";

static const struct reference {
	const char *name;
	const char *weights[LAYERS], *inputs[LAYERS];
	enum block_rule rule;
	double most; // that a logit is off; products of 16-bit inputs are sums of many bits
} references[] = {
	{"blocks", {"mxfp4", "nvfp4", "mxint8", "mxfp6", "mxfp8", "mxfp8-e5m2", "mxfp6-e3m2"},
		{"int8", "int8", "int6", "int8", "e4m3", "int8", "fp32"}, BLOCK_SCALE_FLOOR, 2e-5},
	{"blocks-searched", {"nvfp4", "mxfp4", "mxfp6", "mxint8", "mxfp6-e3m2", "nvfp4", "mxfp4"},
		{"e5m2", "int8", "int8", "int4", "int8", "fp16", "int8"}, BLOCK_SCALE_SEARCH, 2e-5},
};
enum { REFERENCES = sizeof references / sizeof *references };

static struct rig *rig_with(const char *const *weights, const char *const *inputs, enum block_rule rule)
{
	FILE *file = fopen("blocks.net", "w");
	assert_non_null(file);
	fputs(net, file);
	assert_int_equal(fclose(file), 0);
	struct rig *r = rig_sized("./blocks.net", SIDE);
	assert_int_equal(r->model->layers, LAYERS);
	for (int l = 0; l < LAYERS; l++)
		r->layer[l] = (struct layer_plan){format_named(weights[l]), format_named(inputs[l])};
	r->q.blocks = rule;
	return r;
}

// A layer's frozen weights, [rows][columns].
static float *frozen_weights(const struct frozen_layer *l)
{
	const int block = format_table[l->format.weight].block;
	float *w = malloc((size_t)(l->rows * l->columns) * sizeof *w);
	assert_non_null(w);
	for (long r = 0; r < l->rows; r++)
		for (int j = 0; j < l->columns; j++)
			w[r * l->columns + j] = l->block_scale[r / block * l->columns + j] * l->code[r * l->columns + j];
	return w;
}

// ---- what is frozen ----

static void frozen_as_rounded(void **state)
{
	(void)state;
	for (int i = 0; i < REFERENCES; i++) {
		struct rig *r = rig_with(references[i].weights, references[i].inputs, references[i].rule);
		struct frozen *f = freeze(r);
		for (int l = 0; l < LAYERS; l++) {
			const struct frozen_layer *z = &f->layer[l];
			struct grid grid = format_grid(z->format.weight, false);
			long count;
			float *now = network_parameter(r->net, r->model->layer[l].op, 0, &count), *w = frozen_weights(z);
			float *rounded = malloc((size_t)count * sizeof *rounded);
			assert_non_null(rounded);
			assert_int_equal(count, z->rows * z->columns);
			memcpy(rounded, now, (size_t)count * sizeof *rounded);
			grid.rule = references[i].rule;
			kernels_all()[0]->round_block_columns(&grid, z->scale[0], rounded, z->rows, z->columns);
			for (long k = 0; k < count; k++)
				if (w[k] != rounded[k])
					fail_msg("%s, %s, weight %ld: %a, not %a", references[i].name, r->model->layer[l].name, k,
						(double)w[k], (double)rounded[k]);
			free(rounded);
			free(w);
		}
		frozen_free(f);
		rig_free(r);
	}
}

// ---- what others made of it ----

static FILE *in_references(const char *name, const char *ending, const char *how)
{
	char path[4352];
	snprintf(path, sizeof path, "%s/tests/peers/reference/%s%s", top, name, ending);
	FILE *file = fopen(path, how);
	if (!file)
		fail_msg("%s cannot be opened", path);
	return file;
}

static void check_bytes(const char *name, const char *bytes, size_t size)
{
	FILE *file = in_references(name, ".onnx", getenv("UPDATE_REFERENCE") ? "wb" : "rb");
	if (getenv("UPDATE_REFERENCE")) {
		assert_int_equal(fwrite(bytes, 1, size, file), size);
	} else {
		char *known = malloc(size + 1);
		assert_non_null(known);
		if (fread(known, 1, size + 1, file) != size || memcmp(known, bytes, size) != 0)
			fail_msg("%s is written in another way than the file that was run in other programs", name);
		free(known);
	}
	assert_int_equal(fclose(file), 0);
}

// The checksum of a layer's weights in ONNX's order, without the sign of zeros.
static unsigned long checksum(const struct frozen *f, int layer)
{
	const struct frozen_layer *l = &f->layer[layer];
	const struct op *op = &f->model->op[f->model->layer[layer].op];
	const long taps = op->kind == OP_CONV ? op->window.h * op->window.w : 1, inputs = l->rows / taps;
	float *w = frozen_weights(l);
	unsigned long sum = crc32(0, NULL, 0);
	for (int j = 0; j < l->columns; j++)
		for (long i = 0; i < inputs; i++)
			for (long t = 0; t < taps; t++) {
				float v = w[(t * inputs + i) * l->columns + j] + 0.f;
				sum = crc32(sum, (const unsigned char *)&v, sizeof v);
			}
	free(w);
	return sum;
}

static void check_logits(const struct reference *r, const struct frozen *f, int image, const char *at)
{
	for (int j = 0; j < 10; j++) {
		char *end;
		double answer = strtod(at, &end), ours = (double)f->logits[image * 10 + j];
		assert_true(end > at && image >= 0 && image < IMAGES);
		at = end;
		if (!(fabs(answer - ours) <= r->most))
			fail_msg("%s, image %d, class %d: %g, not %g", r->name, image, j, answer, ours);
	}
}

// Lines of blocks.txt: PROGRAM VERSION FILE, then a layer and the checksum of its weights, or "image", its number and the logits.
static void check_answers(const struct reference *r, const struct frozen *f)
{
	char line[1024], name[32], what[32];
	int weights = 0, images = 0, used;
	FILE *file = in_references("blocks", ".txt", "r");
	while (fgets(line, sizeof line, file)) {
		assert_int_equal(sscanf(line, "%*s %*s %31s %31s%n", name, what, &used), 2);
		if (strcmp(name, r->name) != 0)
			continue;
		if (strcmp(what, "image") == 0) {
			char *at;
			long image = strtol(line + used, &at, 10);
			check_logits(r, f, (int)image, at);
			images++;
		} else {
			int l = layer_named(f->model, what);
			if (strtoul(line + used, NULL, 16) != checksum(f, l))
				fail_msg("%s: the weights of %s are others there", r->name, what);
			weights++;
		}
	}
	fclose(file);
	assert_true(weights >= LAYERS && images >= IMAGES);
}

static void test_references(void **state)
{
	(void)state;
	const char *best = kernels_best()->name;
	assert_true(kernels_use("base")); // whose sums do not depend on the processor
	for (int i = 0; i < REFERENCES; i++) {
		const struct reference *r = &references[i];
		struct fault fault = {0};
		char *bytes = NULL;
		size_t size = 0;
		struct rig *rig = rig_with(r->weights, r->inputs, r->rule);
		struct frozen *f = freeze(rig);
		FILE *file = open_memstream(&bytes, &size);
		assert_non_null(file);
		assert_true(export_qdq(f, &(struct outgoing){0}, file, &fault));
		fclose(file);
		check_bytes(r->name, bytes, size);
		if (getenv("UPDATE_REFERENCE")) {
			file = in_references("blocks", ".f32", "wb");
			assert_int_equal(fwrite(f->image, SIDE * SIDE * 3 * sizeof(float), IMAGES, file), IMAGES);
			fclose(file);
		} else {
			check_answers(r, f);
		}
		free(bytes);
		frozen_free(f);
		rig_free(rig);
	}
	assert_true(kernels_use(best));
}

// ---- what is not written ----

static void refuses(bool (*write)(const struct frozen *, const struct outgoing *, FILE *, struct fault *), const char *weights,
	const char *inputs, const char *says)
{
	const char *w[LAYERS], *a[LAYERS];
	struct fault fault = {0};
	char line[512], *bytes = NULL;
	size_t size = 0;
	for (int l = 0; l < LAYERS; l++) {
		w[l] = l == 3 ? weights : "int8";
		a[l] = l == 3 ? inputs : "int8";
	}
	struct rig *r = rig_with(w, a, BLOCK_SCALE_FLOOR);
	struct frozen *f = freeze(r);
	FILE *file = open_memstream(&bytes, &size);
	assert_non_null(file);
	assert_false(write(f, &(struct outgoing){0}, file, &fault));
	fclose(file);
	assert_int_equal(size, 0);
	assert_string_equal(fault_line(&fault, line, sizeof line), says);
	free(bytes);
	frozen_free(f);
	rig_free(r);
}

static void refusals(void **state)
{
	(void)state;
	static const char inputs[] =
		", the format of its inputs, has scales that every image finds anew, which are not written; ";
	static const struct {
		const char *format, *instead;
	} nearest[] = {{"mxfp4", "e4m3"}, {"nvfp4", "e4m3"}, {"mxfp6", "e4m3"}, {"mxfp6-e3m2", "e4m3"}, {"mxfp8", "e4m3"},
		{"mxfp8-e5m2", "e5m2"}, {"mxint8", "int8"}};
	char says[512];
	for (size_t i = 0; i < sizeof nearest / sizeof *nearest; i++) {
		snprintf(says, sizeof says, "point: %s%s`decide split`, and pin point.a to %s: weights may keep their blocks",
			nearest[i].format, inputs, nearest[i].instead);
		refuses(export_qdq, "mxfp4", nearest[i].format, says);
	}
	snprintf(says, sizeof says, "point: mxfp6%spin it to e2m3", inputs);
	refuses(export_qonnx, "int8", "mxfp6", says);
	refuses(export_qonnx, "nvfp4", "int8",
		"point: nvfp4, the format of its weights, has scales by blocks, which are not written; pin it to e2m1");
}

static int in_a_folder(void **state)
{
	static char folder[] = "/tmp/bitscape-blocks-XXXXXX";
	*state = NULL;
	return getcwd(top, sizeof top) && mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int out_of_it(void **state)
{
	char folder[64];
	(void)state;
	unlink("blocks.net");
	return getcwd(folder, sizeof folder) && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_as_rounded),
		cmocka_unit_test(test_references),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, in_a_folder, out_of_it);
}
