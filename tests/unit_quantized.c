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

#include "engine/base/disk.h"
#include "engine/quant/format.h"
#include "tests/leaving.h"

static char path[256];

// ---- a network that is quantized and written ----

// A network as a file has it, with its weights.
static struct rig *rig_read(const char *file)
{
	struct fault fault = {0};
	struct rig *r = rig_of(file);
	struct weights *w = model_weights(file, r->model->op[0].out, r->model->classes, r->model->name, &fault);
	assert_true(w && network_take_weights(r->net, w, &fault));
	weights_free(w);
	return r;
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
	struct rig *r = rig_read(path);
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

// A norm that is folded may turn a column's sign; formats without a scale then round other numbers.
static void same_codes(const struct frozen *a, const struct frozen *b, bool folded)
{
	for (int l = 0; l < a->model->layers; l++) {
		const struct frozen_layer *x = &a->layer[l], *y = &b->layer[l];
		if (folded && format_table[x->format.weight].kind == FORMAT_CAST)
			continue;
		assert_int_equal(x->rows, y->rows);
		for (int j = 0; j < x->columns; j++) {
			float sign = 0;
			for (long i = 0; i < x->rows; i++) {
				float p = x->code[i * x->columns + j], q = y->code[i * x->columns + j];
				sign = sign == 0 && p != 0 ? q / p : sign;
				if (p * sign != q || fabsf(sign) > 1 || (!folded && sign < 0))
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
static const char *const floats[] = {"e4m3", "int8", "e5m2", "bf16", "fp16", "int4"};
static const char *const all[] = {
	"e2m1", "int3", "e3m2", "e2m3", "int8", "e1m2", "e3m4", "e4m2", "e2m4", "int16", "e4m3", "int2"};

static void qdq_comes_back(void **state)
{
	(void)state;
	const struct outgoing plain = {0}, fold = {.fold = true}, clip = {.clip = true};
	round_trip("resnet8:width=0.5", 7, integers, export_qdq, &plain);
	round_trip("resnet8:width=0.5", 7, integers, export_qdq, &fold);
	round_trip("resnet8:width=0.5", 6, integers + 1, export_qdq, &clip);
	round_trip("resnet8:width=0.5", 6, floats, export_qdq, &plain);
	round_trip("mobilenetv2:width=0.25", 7, integers, export_qdq, &fold);
	round_trip("efficientnet:width=0.25", 7, integers, export_qdq, &plain);
	round_trip("inception:width=0.125", 6, floats, export_qdq, &fold);
}

static void qonnx_comes_back(void **state)
{
	(void)state;
	const struct outgoing plain = {0};
	round_trip("resnet8:width=0.5", 13, all, export_qonnx, &plain);
	round_trip("mobilenetv2:width=0.25", 7, integers, export_qonnx, &plain);
}

// ---- files of other tools (tests/data/quantized/make.py) ----

static const char folder[] = "tests/data/quantized";

static struct model *model_of(const char *name, struct fault *fault)
{
	char file[300];
	snprintf(file, sizeof file, "%s/%s.onnx", folder, name);
	return model_named(file, (struct shape){0}, 0, fault);
}

static void is_told(const char *name, int half, const char *format, const char *by, const char *note)
{
	struct fault fault = {0};
	char line[512];
	struct model *m = model_of(name, &fault);
	if (!m)
		fail_msg("%s", fault_line(&fault, line, sizeof line));
	const struct told *t = &m->layer[0].told[half];
	if (!t->format || strcmp(t->format, format) != 0 || strcmp(t->by, by) != 0 || !strstr(m->told, note))
		fail_msg("%s: %s by %s; \"%s\"", name, t->format, t->by, m->told);
	assert_null(m->layer[0].told[!half].format);
	model_free(m);
}

static void widths_are_told_by_what_the_file_has(void **state)
{
	(void)state;
	is_told("weights-int2", 0, "int2", "their type", "1 layer uses the lowest code");
	is_told("weights-int4", 0, "int4", "their type", "");
	is_told("weights-uint4", 0, "int4", "their type", "");
	is_told("weights-int8", 0, "int3", "their codes", ""); // from -3 to 3
	is_told("weights-uint8", 0, "int3", "their codes", "");
	is_told("weights-int16", 0, "int3", "their codes", "");
	is_told("weights-clip", 0, "int5", "a clip", "");
	is_told("weights-float8e4m3fn", 0, "e4m3", "their type", "");
	is_told("weights-float8e5m2", 0, "e5m2", "their type", "");
	is_told("weights-float4e2m1", 0, "e2m1", "their type", "");
	is_told("inputs-uint8", 1, "int8", "its type", "1 relu that rounding stood for is put back");
	is_told("inputs-relu", 1, "int8", "its type", "1 relu that rounding stood for is put back");
	is_told("inputs-relu6", 1, "int8", "its type", "1 relu that rounding stood for is put back");
	is_told("inputs-zero", 1, "int8", "its type", "1 zero point is left out");
	is_told("inputs-clip", 1, "int4", "a clip", "");
	is_told("inputs-uint4", 1, "int4", "its type", "1 relu");
	is_told("inputs-e5m2", 1, "e5m2", "its type", "");
	is_told("inputs-quant", 1, "int5", "its Quant", "1 rounding is not to the nearest even code");
	is_told("inputs-intquant", 1, "int3", "its Quant", "1 relu");
}

static void activations_that_rounding_stood_for_are_put_back(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum act act;
	} rows[] = {{"inputs-uint8", ACT_RELU}, {"inputs-relu", ACT_RELU}, {"inputs-relu6", ACT_RELU6}};
	struct fault fault = {0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct model *m = model_of(rows[i].name, &fault);
		assert_non_null(m);
		assert_int_equal(m->op[1].kind, OP_ACT);
		assert_int_equal(m->op[1].act, rows[i].act);
		model_free(m);
	}
}

// All weights but those of the narrowest type are what was rounded.
static void weights_are_unpacked(void **state)
{
	(void)state;
	static const float codes[] = {1, 0, 3, -3, 2, 1}; // [inputs][outputs]
	static const char *const names[] = {
		"weights-int4", "weights-uint4", "weights-int16", "weights-clip", "weights-float8e5m2", "weights-float4e2m1"};
	struct fault fault = {0};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char file[300];
		snprintf(file, sizeof file, "%s/%s.onnx", folder, names[i]);
		struct model *m = model_of(names[i], &fault);
		assert_non_null(m);
		struct weights *w = model_weights(file, (struct shape){0}, 0, m->name, &fault);
		assert_non_null(w);
		assert_memory_equal(w->op[m->layer[0].op].part[0], codes, sizeof codes);
		weights_free(w);
		model_free(m);
	}
}

static void what_has_no_format_is_refused_by_its_node(void **state)
{
	(void)state;
	static const struct {
		const char *name, *says;
	} rows[] = {{"refused-bipolar", "BipolarQuant round: it rounds to one bit"},
		{"refused-bits",
			"Gemm fc: its input has codes of 12 bits, and no format here does; quantize it to 2 to 8 bits, or 16"},
		{"refused-blocks", "DequantizeLinear dq: it has scales by blocks of 2"},
		{"refused-codes", "Gemm fc: it reads codes"},
		{"refused-dynamic", "DynamicQuantizeLinear dynamic: an operator that works on codes"},
		{"refused-fnuz", "the tensor c has float8e4m3fnuz"}, {"refused-fraction", "Quant round: it rounds to 2.5 bits"},
		{"refused-scale", "DequantizeLinear back: it reads what no QuantizeLinear with its scale"}};
	char line[512];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fault fault = {0};
		assert_null(model_of(rows[i].name, &fault));
		if (!strstr(fault_line(&fault, line, sizeof line), rows[i].says))
			fail_msg("\"%s\" does not say \"%s\"", line, rows[i].says);
	}
}

static void near_the_float_network(const char *name, int relus)
{
	struct fault fault = {0};
	char file[300];
	size_t size;
	float *ref = (float *)(void *)disk_read("tests/data/onnx/residual.old.ref", 1 << 20, &size, &fault);
	assert_non_null(ref);
	struct model *m = model_of(name, &fault);
	assert_non_null(m);
	char note[64];
	snprintf(note, sizeof note, relus ? "%d relus that rounding stood for are put back" : "rounding", relus);
	assert_non_null(strstr(m->told, note));
	for (int l = 0; l < m->layers; l++) {
		assert_string_equal(m->layer[l].told[0].format, "int8");
		assert_string_equal(m->layer[l].told[1].format, "int8");
	}
	snprintf(file, sizeof file, "%s/%s.onnx", folder, name);
	struct weights *w = model_weights(file, (struct shape){0}, 0, m->name, &fault);
	struct team *team = team_new(1, &fault);
	struct network *net = network_new(m, NULL, 1, 0, 0, team, &fault);
	network_initialise(net, 1);
	assert_true(w && network_take_weights(net, w, &fault));
	struct layer_plan *layer = calloc((size_t)m->layers, sizeof *layer);
	for (int l = 0; l < m->layers; l++)
		layer[l] = (struct layer_plan){format_named("fp32"), format_named("fp32")};
	memcpy(network_input(net), ref, 16 * 16 * 3 * sizeof *ref);
	network_forward(net, &(struct plan){m, layer, NULL}, &(struct quantization){.range = RANGE_MAX}, PASS_SAMPLE, 1, NULL);
	for (int k = 0; k < 10; k++) // weights alone are rounded
		assert_true(fabsf(network_logits(net)[k] - ref[16 * 16 * 3 + k]) < 0.02f);
	network_free(net);
	team_free(team);
	weights_free(w);
	model_free(m);
	free(layer);
	free(ref);
}

static void files_of_onnx_runtime_are_the_float_network_again(void **state)
{
	(void)state;
	near_the_float_network("runtime", 3); // its relus are gone
	near_the_float_network("symmetric", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qdq_comes_back),
		cmocka_unit_test(qonnx_comes_back),
		cmocka_unit_test(widths_are_told_by_what_the_file_has),
		cmocka_unit_test(activations_that_rounding_stood_for_are_put_back),
		cmocka_unit_test(weights_are_unpacked),
		cmocka_unit_test(what_has_no_format_is_refused_by_its_node),
		cmocka_unit_test(files_of_onnx_runtime_are_the_float_network_again),
	};
	snprintf(path, sizeof path, "%s/unit-quantized-%d.onnx", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
