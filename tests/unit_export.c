// SPDX-License-Identifier: GPL-3.0-or-later
// Networks that leave: what is written must compute the codes and the logits of the engine's own passes, bit for bit.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/export/reach.h"
#include "engine/onnx/file.h"
#include "engine/quant/format.h"
#include "engine/search/reaching.h"
#include "tests/leaving.h"

static char top[4096]; // of the sources

// Layers in turn take these formats; weights and inputs do not keep step.
static void take_formats(struct rig *r, int count, const char *const *word)
{
	for (int l = 0; l < r->model->layers; l++)
		r->layer[l] = (struct layer_plan){format_named(word[l % count]), format_named(word[(l + l / count) % count])};
}

// ---- a program around the header ----

static const char *const program = "#include <stdio.h>\n"
				   "#include <stdint.h>\n"
				   "#define net_WATCH(layer, code, count) fwrite(code, sizeof *(code), (size_t)(count), stdout)\n"
				   "#include \"net.h\"\n"
				   "static struct net_work work;\n"
				   "int main(int argc, char **argv)\n"
				   "{\n"
				   "\tstatic float image[net_HEIGHT * net_WIDTH * net_CHANNELS], logits[net_CLASSES];\n"
				   "\tFILE *in = argc > 1 ? fopen(argv[1], \"rb\") : 0;\n"
				   "\twhile (in && fread(image, sizeof image, 1, in) == 1) {\n"
				   "\t\tnet_run(image, &work, logits);\n"
				   "\t\tfwrite(logits, sizeof logits, 1, stdout);\n"
				   "\t}\n"
				   "\treturn 0;\n"
				   "}\n";

static bool there(const char *tool)
{
	char command[64];
	snprintf(command, sizeof command, "command -v %s >/dev/null", tool);
	return system(command) == 0;
}

static void write_program(const struct frozen *f)
{
	struct fault fault = {0};
	FILE *file = fopen("net.h", "w");
	assert_non_null(file);
	assert_true(export_c(f, "net", file, &fault));
	assert_int_equal(fclose(file), 0);
	file = fopen("main.c", "w");
	assert_non_null(file);
	fputs(program, file);
	assert_int_equal(fclose(file), 0);
	file = fopen("images", "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(f->image, 32 * 32 * 3 * sizeof(float), IMAGES, file), IMAGES);
	assert_int_equal(fclose(file), 0);
}

static void check_program(const struct frozen *f)
{
	FILE *file = fopen("out", "rb");
	assert_non_null(file);
	for (int i = 0; i < IMAGES; i++) {
		for (int l = 0; l < f->model->layers; l++)
			for (long k = 0; k < f->layer[l].inputs; k++) {
				int16_t code;
				assert_int_equal(fread(&code, sizeof code, 1, file), 1);
				if ((float)code != f->layer[l].input[i * f->layer[l].inputs + k])
					fail_msg("%s: image %d, layer %s, input %ld: %d for %g", f->model->name, i,
						f->model->layer[l].name, k, code,
						(double)f->layer[l].input[i * f->layer[l].inputs + k]);
			}
		float logits[10];
		assert_int_equal(fread(logits, sizeof logits, 1, file), 1);
		assert_memory_equal(logits, f->logits + i * 10, sizeof logits);
	}
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
}

static void check_with(const struct frozen *f, const char *compiler)
{
	char command[256];
	snprintf(command, sizeof command, "%s -Wall -Wextra -Werror -Wconversion -pedantic main.c -o main && ./main images >out",
		compiler);
	assert_int_equal(system(command), 0);
	check_program(f);
}

static void check_network(const char *network, int count, const char *const *formats)
{
	struct rig *r = rig_of(network);
	take_formats(r, count, formats);
	struct frozen *f = freeze(r);
	write_program(f);
	check_with(f, "gcc -std=c99 -O1");
	frozen_free(f);
	rig_free(r);
}

static const char *const narrow[] = {"int2", "int3", "int4"},
			 *const all[] = {"int8", "int2", "int5", "int3", "int7", "int4", "int6"};
static const char *const widest[] = {"int8"};

static void test_bits(void **state)
{
	(void)state;
	if (!there("gcc"))
		skip();
	check_network("resnet8:width=0.5", 7, all);
	check_network("resnet8:width=0.5", 1, widest);
	check_network("resnet8:width=0.5", 3, narrow);
	check_network("mobilenetv2:width=0.25", 7, all);
	check_network("efficientnet:width=0.25", 7, all);
	check_network("inception:width=0.125", 7, all);
}

// Whatever the compiler is allowed to do by default, where it may contract a product and a sum.
static void test_compilers(void **state)
{
	(void)state;
	struct rig *r = rig_of("efficientnet:width=0.25");
	take_formats(r, 7, all);
	struct frozen *f = freeze(r);
	write_program(f);
	static const char *const compiler[] = {"gcc", "clang"};
	for (size_t i = 0; i < 2; i++) {
		char command[64];
		snprintf(command, sizeof command, "%s -std=c17 -O3 -march=native", compiler[i]);
		if (there(compiler[i]))
			check_with(f, command);
	}
	frozen_free(f);
	rig_free(r);
}

// ---- ONNX ----

static bool write_c(const struct frozen *f, const struct outgoing *how, FILE *file, struct fault *fault)
{
	(void)how;
	return export_c(f, "net", file, fault);
}

typedef bool write_form(const struct frozen *, const struct outgoing *, FILE *, struct fault *);

// The files that tests/peers/reference.py ran in other programs, and what these answered: what is written now is the same, byte for byte, so
// the answers hold; and they are the engine's. On plain kernels, whose sums do not depend on the processor. With UPDATE_REFERENCE set,
// the files are written anew: run tests/peers/run then.
static void in_references(char *path, size_t size, const char *name, const char *ending)
{
	snprintf(path, size, "%s/tests/peers/reference/%s%s", top, name, ending);
}

static void check_bytes(const char *name, const char *ending, const char *bytes, size_t size)
{
	char path[4352];
	in_references(path, sizeof path, name, ending);
	if (getenv("UPDATE_REFERENCE")) {
		FILE *file = fopen(path, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, size, file), size);
		assert_int_equal(fclose(file), 0);
		return;
	}
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	char *known = malloc(size + 1);
	assert_non_null(known);
	if (fread(known, 1, size + 1, file) != size || memcmp(known, bytes, size) != 0)
		fail_msg("%s%s is written in another way than the file that was run in other programs", name, ending);
	free(known);
	fclose(file);
}

static bool network_for_aimet(const struct frozen *f, const struct outgoing *how, FILE *file, struct fault *fault)
{
	char *bytes = NULL;
	size_t size = 0;
	(void)how;
	FILE *encodings = open_memstream(&bytes, &size);
	assert_non_null(encodings);
	bool ok = export_aimet(f, encodings, file, fault);
	fclose(encodings);
	assert_true(!ok || strstr(bytes, "\"version\": \"2.0.0\""));
	free(bytes);
	return ok;
}

static void check_encodings(const struct frozen *f)
{
	struct fault fault = {0};
	char *bytes = NULL, *network = NULL;
	size_t size = 0, network_size = 0;
	FILE *file = open_memstream(&bytes, &size), *beside = open_memstream(&network, &network_size);
	assert_true(file && beside && export_aimet(f, file, beside, &fault));
	fclose(file);
	fclose(beside);
	check_bytes("aimet", ".encodings", bytes, size);
	free(bytes);
	free(network);
}

static const struct reference {
	const char *name, *network;
	int count;
	const char *formats[7];
	write_form *write;
	struct outgoing how;
	bool po2;
} references[] = {
	{"qdq", "resnet8:width=0.25", 7, {"int8", "int2", "int5", "int3", "int7", "int4", "int6"}, export_qdq, {0}, false},
	{"clip", "resnet8:width=0.25", 7, {"int8", "int2", "int5", "int3", "int7", "int4", "int6"}, export_qdq, {.clip = true},
		false},
	{"float8", "resnet8:width=0.25", 4, {"e4m3", "int8", "e5m2", "bf16"}, export_qdq, {0}, false},
	{"fold", "resnet8:width=0.25", 1, {"int8"}, export_qdq, {.fold = true}, false},
	{"po2", "resnet8:width=0.25", 7, {"int8", "int2", "int5", "int3", "int7", "int4", "int6"}, export_qdq, {0}, true},
	{"aimet", "resnet8:width=0.25", 7, {"int8", "int2", "int5", "e4m3", "int7", "fp16", "e5m2"}, network_for_aimet, {0},
		false},
	{"qonnx", "resnet8:width=0.25", 7, {"int8", "e2m1", "int5", "e3m2", "e5m2", "int4", "e3m4"}, export_qonnx, {0}, false},
};
enum { REFERENCES = sizeof references / sizeof *references, SIDE = 8 };

static void write_images(const struct frozen *f)
{
	char path[4352];
	in_references(path, sizeof path, "images", ".f32");
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(f->image, SIDE * SIDE * 3 * sizeof(float), IMAGES, file), IMAGES);
	assert_int_equal(fclose(file), 0);
}

// Lines of a file of answers: PROGRAM VERSION FILE IMAGE, then the logits. Returns how many are about the file.
static int check_answers_in(const char *answers, const char *name, const struct frozen *f, double most)
{
	char path[4352], line[1024], runner[32], version[32], file_name[32];
	int lines = 0, image;
	in_references(path, sizeof path, answers, ".txt");
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		int used = 0;
		if (sscanf(line, "%31s %31s %31s %d%n", runner, version, file_name, &image, &used) != 4 ||
			strcmp(file_name, name) != 0)
			continue;
		lines++;
		char *at = line + used;
		for (int j = 0; j < 10; j++) {
			double answer = strtod(at, &at), ours = (double)f->logits[image * 10 + j];
			if (fabs(answer - ours) > most)
				fail_msg("%s, image %d, class %d: %s %s has %g, the engine %g", name, image, j, runner, version,
					answer, ours);
		}
	}
	fclose(file);
	return lines;
}

static void check_answers(const char *name, const struct frozen *f, double most)
{
	static const char *const answers[] = {"answers", "aimet", "openvino"};
	int lines = 0;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		lines += check_answers_in(answers[i], name, f, most);
	assert_true(lines >= IMAGES);
}

// What qonnx finds in clip.onnx: PROGRAM VERSION FILE TENSOR, bits, whether signed, whether narrow.
static int found_widths(const struct frozen *f)
{
	char path[4352], line[256], tensor[96], wanted[160];
	int bits, is_signed, is_narrow, found = 0;
	in_references(path, sizeof path, "widths", ".txt");
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file)) {
		assert_int_equal(sscanf(line, "qonnx %*s clip %95s %d %d %d", tensor, &bits, &is_signed, &is_narrow), 4);
		for (int l = 0; l < f->model->layers; l++)
			for (int h = 0; h < 2; h++) {
				const struct layer_plan *plan = &f->layer[l].format;
				const bool both = !h || f->layer[l].grid.low < 0;
				snprintf(wanted, sizeof wanted, "%s.%s", f->model->layer[l].name, h ? "input" : "weight");
				if (strcmp(wanted, tensor) != 0)
					continue;
				found++;
				assert_int_equal(bits, format_table[h ? plan->activation : plan->weight].bits);
				assert_true(is_signed == both && is_narrow == both);
			}
	}
	fclose(file);
	return found;
}

static void test_references(void **state)
{
	(void)state;
	const char *best = kernels_best()->name;
	assert_true(kernels_use("base"));
	for (int i = 0; i < REFERENCES; i++) {
		const struct reference *r = &references[i];
		struct fault fault = {0};
		char *bytes = NULL;
		size_t size = 0;
		struct rig *rig = rig_sized(r->network, SIDE);
		take_formats(rig, r->count, r->formats);
		rig->q.binary = r->po2;
		struct frozen *f = freeze(rig);
		FILE *file = open_memstream(&bytes, &size);
		assert_non_null(file);
		assert_true(r->write(f, &r->how, file, &fault));
		fclose(file);
		check_bytes(r->name, ".onnx", bytes, size);
		if (r->write == network_for_aimet)
			check_encodings(f);
		if (getenv("UPDATE_REFERENCE"))
			write_images(f);
		else
			check_answers(r->name, f, r->how.fold ? 0.05 : 2e-5);
		if (strcmp(r->name, "clip") == 0)
			assert_int_equal(found_widths(f), 2 * f->model->layers);
		free(bytes);
		frozen_free(f);
		rig_free(rig);
	}
	assert_true(kernels_use(best));
}

static void refuses(write_form *write, const char *network, const char *format, const char *says)
{
	struct fault fault = {0};
	char line[512], *bytes = NULL;
	size_t size = 0;
	struct rig *r = rig_of(network);
	take_formats(r, 1, &format);
	struct frozen *f = freeze(r);
	FILE *file = open_memstream(&bytes, &size);
	assert_non_null(file);
	assert_false(write(f, &(struct outgoing){0}, file, &fault));
	fclose(file);
	assert_int_equal(size, 0);
	assert_non_null(strstr(fault_line(&fault, line, sizeof line), says));
	free(bytes);
	frozen_free(f);
	rig_free(r);
}

static void test_refusals(void **state)
{
	(void)state;
	refuses(write_c, "resnet8:width=0.25", "e4m3",
		"stem: C is written for integer formats of up to 8 bits, and its weights are e4m3");
	refuses(write_c, "resnet8:width=0.25", "int16", "pin it to int8");
	refuses(write_c, "deit", "int8", "an operator that is not written: ");
	refuses(export_qdq, "resnet8:width=0.25", "e2m1", "stem: ONNX has no type for e2m1, the format of its weights");
	refuses(export_qonnx, "deit", "int8", "an operator that is not written: ");
}

static bool written_as(const struct reach *reach, const struct frozen *f, struct fault *fault)
{
	return reach->check(f, &(struct outgoing){.reach = reach, .clip = reach->clip}, "out", "beside", fault);
}

static void lost(const struct reach *reach, const struct frozen *f, const char *says)
{
	struct fault fault = {0};
	char line[512];
	assert_false(written_as(reach, f, &fault));
	if (!strstr(fault_line(&fault, line, sizeof line), says))
		fail_msg("%s for %s: %s", reach->form, reach->reader, line);
}

// What was written is read again: a file that lacks a layer, or has it in another format or with another weight, is found out.
static void check_written(const struct reach *reach, struct frozen *f)
{
	struct fault fault = {0};
	char line[512];
	FILE *file = fopen("out", "wb"), *beside = fopen("beside", "wb");
	assert_non_null(file);
	assert_non_null(beside);
	assert_true(reach_write(f, &(struct outgoing){.reach = reach, .clip = reach->clip}, "net", file, beside, &fault));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fclose(beside), 0);
	if (!written_as(reach, f, &fault))
		fail_msg("%s for %s: %s", reach->form, reach->reader, fault_line(&fault, line, sizeof line));
	struct frozen_layer *l = &f->layer[1], before = *l;
	l->code[5]++;
	lost(reach, f, f->model->layer[1].name);
	l->code[5]--;
	l->format.activation = format_named("int7");
	l->grid = format_grid(l->format.activation, true);
	lost(reach, f, f->model->layer[1].name);
	*l = before;
	char *name = f->model->layer[1].name, last = name[strlen(name) - 1];
	name[strlen(name) - 1] = '_';
	lost(reach, f, name);
	name[strlen(name) - 1] = last;
	assert_true(written_as(reach, f, &fault));
}

static void test_written(void **state)
{
	(void)state;
	static const char *const row[][2] = {
		{"c", "c"}, {"qdq", "ort"}, {"qdq", "openvino"}, {"qdq", "qonnx"}, {"qonnx", "qonnx"}, {"aimet", "aimet"}};
	static const char *const mixed[] = {"int8", "int2", "e4m3", "bf16", "int16", "e5m2", "fp32"};
	struct fault fault = {0};
	char line[512];
	FILE *sink = fopen("sink", "wb");
	assert_non_null(sink);
	for (int m = 0; m < 2; m++) {
		struct rig *r = rig_of("resnet8:width=0.25");
		take_formats(r, 7, m ? mixed : all);
		struct frozen *f = freeze(r);
		for (size_t i = m ? 1 : 0; i < sizeof row / sizeof *row; i++) {
			const struct reach *reach = reach_of(row[i][0], row[i][1], NULL);
			if (!m || strcmp(reach->reader, "openvino") != 0)
				check_written(reach, f);
			else
				assert_false(reach_write(f, &(struct outgoing){.reach = reach}, "net", sink, sink, &fault));
		}
		frozen_free(f);
		rig_free(r);
	}
	fclose(sink);
	assert_non_null(strstr(fault_line(&fault, line, sizeof line),
		"OpenVINO 2026.4 does not run e4m3, the format of its weights"));
	assert_null(reach_of("qdq", "tflite", &fault));
	assert_string_equal(fault.todo, "reach=ort, reach=openvino, reach=qonnx");
}

static void offers(const char *space, const char *reach, const char *formats, const char *without)
{
	struct fault fault = {0};
	char offered[256], left_out[256];
	struct config *c = config_new();
	assert_non_null(c);
	assert_true(config_set(c, "space", space, &fault) && config_set(c, "reach", reach, &fault));
	bool any = reaching_formats(config_knobs(c), offered, sizeof offered, left_out, sizeof left_out, &fault);
	assert_int_equal(any, *formats != 0);
	assert_string_equal(offered, formats);
	if (any)
		assert_string_equal(left_out, without);
	else
		assert_string_equal(fault.what, without);
	config_free(c);
}

// What whom the search is for does not run is not offered, and the reason is said.
static void test_reach(void **state)
{
	(void)state;
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	while (strcmp(knob->name, "reach") != 0)
		knob++;
	assert_memory_equal(knob->words, "any|", 4);
	assert_string_equal(knob->words + 4, reach_words());
	offers("fp-s", "any", "e2m1,e4m3", "");
	offers("int2,int8,e4m3,int16,e2m1", "ort", "int2,int8,e4m3,int16", "e2m1 (ONNX has no such type)");
	offers("int8,fp32", "ort", "int8,fp32", "");
	offers("int2,int8,e4m3,bf16", "openvino", "int2,int8,bf16", "e4m3 (ONNX has no such type, or it is rounded twice there)");
	offers("e2m1,e3m4,mxfp4", "qonnx", "e2m1,e3m4", "mxfp4 (QONNX has no scales by blocks)");
	offers("e2m1,int3,e5m2,fp16", "aimet", "int3,e5m2,fp16", "e2m1 (AIMET has no such type)");
	offers("int8,int16", "c", "int8", "int16 (C is written for integers of up to 8 bits)");
	offers("e2m1,e4m3", "c", "", "a C99 compiler runs none of its formats: C is written for integers of up to 8 bits");
}

// A network's name may be a file's path, of any characters.
static void test_names(void **state)
{
	(void)state;
	struct fault fault = {0};
	char *bytes = NULL;
	size_t size = 0;
	struct rig *r = rig_of("resnet8:width=0.25");
	snprintf(r->model->name, sizeof r->model->name, "./a\n#error b.net");
	take_formats(r, 1, widest);
	struct frozen *f = freeze(r);
	FILE *file = open_memstream(&bytes, &size);
	assert_non_null(file);
	assert_true(export_c(f, "net", file, &fault));
	fclose(file);
	assert_non_null(strstr(bytes, "// ./a?#error b.net, as bitscape"));
	free(bytes);
	frozen_free(f);
	rig_free(r);
}

// ONNX Runtime has no Clip of 16-bit integers.
static void test_sixteen(void **state)
{
	(void)state;
	struct fault fault = {0};
	char *bytes = NULL;
	size_t size = 0;
	struct rig *r = rig_of("resnet8:width=0.25");
	take_formats(r, 1, widest);
	r->layer[0] = (struct layer_plan){format_named("int16"), format_named("int16")};
	struct frozen *f = freeze(r);
	for (int clip = 0; clip < 2; clip++) {
		FILE *file = open_memstream(&bytes, &size);
		assert_non_null(file);
		assert_true(export_qdq(f, &(struct outgoing){.clip = clip}, file, &fault));
		fclose(file);
		assert_non_null(memmem(bytes, size, "stem.input_codes", 16));
		assert_null(memmem(bytes, size, "stem.input_held", 15));
		assert_null(memmem(bytes, size, "stem.weight_held", 16));
		free(bytes);
	}
	frozen_free(f);
	rig_free(r);
}

static char *written(write_form *write, const struct frozen *f, const struct outgoing *how, size_t *size)
{
	struct fault fault = {0};
	char *bytes = NULL;
	FILE *file = open_memstream(&bytes, size);
	assert_non_null(file);
	assert_true(write(f, how, file, &fault));
	fclose(file);
	return bytes;
}

static bool holds(const char *bytes, size_t size, const char *text)
{
	return memmem(bytes, size, text, strlen(text)) != NULL;
}

// Where a good guess about a program is wrong, and what the files do about it (tests/peers/README.md).
static void test_places(void **state)
{
	(void)state;
	size_t size;
	struct rig *r = rig_of("resnet8:width=0.25");
	take_formats(r, 3, narrow);
	struct frozen *f = freeze(r);
	char *plain = written(export_qdq, f, &(struct outgoing){0}, &size);
	assert_true(holds(plain, size, "stem.input_held") && !holds(plain, size, "stem.weight_held"));
	free(plain);
	char *clipped = written(export_qdq, f, &(struct outgoing){.clip = true}, &size);
	assert_true(holds(clipped, size, "stem.weight_held"));
	free(clipped);
	char *aimet = written(network_for_aimet, f, NULL, &size);
	assert_true(holds(aimet, size, "stem.input_held") && !holds(aimet, size, "s1b1.conv1.input_held"));
	assert_true(holds(aimet, size, "one") && !holds(aimet, size, "Identity"));
	free(aimet);
	frozen_free(f);
	rig_free(r);
}

// Of layers with folded norms: the scale of a bias is that of the input times that of the weights, in fp32.
static void test_bias(void **state)
{
	(void)state;
	struct fault fault = {0};
	struct rig *r = rig_of("resnet8:width=0.25");
	take_formats(r, 3, narrow);
	struct frozen *f = freeze(r);
	size_t size;
	char *bytes = written(export_qdq, f, &(struct outgoing){.fold = true}, &size);
	struct onnx_file *file = onnx_read("fold.onnx", bytes, size, &fault);
	assert_non_null(file);
	struct tensor *input = NULL, *weight = NULL, *bias = NULL;
	for (int v = 0; v < file->values; v++) {
		const struct onnx_value *value = &file->value[v];
		struct tensor **to = strcmp(value->name, "s2b1.conv1.input_scale") == 0 ? &input
			: strcmp(value->name, "s2b1.conv1.weight_scale") == 0           ? &weight
			: strcmp(value->name, "s2b1.conv1.bias_scale") == 0             ? &bias
											: NULL;
		if (to)
			*to = onnx_tensor(file, value->tensor, (struct complaint){value->name, &fault});
	}
	assert_true(input && weight && bias && weight->count == bias->count && bias->count > 0);
	for (long j = 0; j < bias->count; j++)
		assert_true(bias->f[j] == input->f[0] * weight->f[j]);
	tensor_free(input);
	tensor_free(weight);
	tensor_free(bias);
	onnx_close(file);
	frozen_free(f);
	rig_free(r);
}

// How a file is opened is said for all who read it, with the options that matter.
static void test_guide(void **state)
{
	(void)state;
	struct rig *r = rig_of("resnet8:width=0.25");
	take_formats(r, 3, narrow);
	struct frozen *f = freeze(r);
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	assert_non_null(file);
	const struct outgoing ort = {.reach = reach_of("qdq", "ort", NULL)}, qonnx = {.reach = reach_of("qdq", "qonnx", NULL)},
			      aimet = {.reach = reach_of("aimet", NULL, NULL)};
	assert_true(reach_guide(f, &ort, "a/net.onnx", "", file) && reach_guide(f, &qonnx, "wide.onnx", "", file) &&
		reach_guide(f, &aimet, "net.encodings", "b/net.onnx", file));
	fclose(file);
	static const char *const said[] = {"# net.onnx\n", "\"session.disable_quant_qdq\", \"1\"",
		"InferenceSession(\"net.onnx\", options)", "INFERENCE_PRECISION_HINT", "infer_shapes.InferShapes()",
		"QCDQToQuant()", "\"net.encodings\", strict=False", "onnx.load(\"net.onnx\")", "| stem | int2 | int2 |"};
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (!strstr(text, said[i]))
			fail_msg("the guide does not say %s", said[i]);
	free(text);
	frozen_free(f);
	rig_free(r);
}

static int in_a_folder(void **state)
{
	if (!getcwd(top, sizeof top))
		return -1;
	static char folder[] = "/tmp/bitscape-export-XXXXXX";
	*state = NULL;
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int out_of_it(void **state)
{
	static const char *const file[] = {"net.h", "main.c", "main", "images", "out", "beside", "sink"};
	char folder[64];
	(void)state;
	for (size_t i = 0; i < sizeof file / sizeof *file; i++)
		unlink(file[i]);
	return getcwd(folder, sizeof folder) && chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_compilers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_guide),
		cmocka_unit_test(test_sixteen),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, in_a_folder, out_of_it);
}
