// SPDX-License-Identifier: GPL-3.0-or-later
// A network as a header in C. Its functions are written once, as a template; what is the network's own are tables and one call an operator. Sums
// of products of codes are exact; what follows, in fp32, is computed in the engine's order without contraction, so that the
// bits are the engine's.
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/export/export.h"
#include "engine/quant/format.h"

// ---- what can be written ----

static bool op_fits(const struct frozen *f, const struct op *op, struct fault *fault)
{
	if (op->inside)
		return fault_set(fault, f->model->name, "export it as ONNX",
			"its average that leaves out what is beyond the edge is not written in C");
	if (op->act == ACT_GELU)
		return fault_set(fault, f->model->name, "networks with relu, relu6, swish and sigmoid can be written",
			"its activation gelu is not written in C");
	return true;
}

bool export_c_has(int format)
{
	return format_table[format].kind == FORMAT_INTEGER && format_table[format].bits <= 8;
}

static bool layer_fits(const struct frozen *f, int layer, struct fault *fault)
{
	const struct layer_plan *plan = &f->layer[layer].format;
	const int format[] = {plan->weight, plan->activation};
	for (int h = 0; h < 2; h++)
		if (!export_c_has(format[h]))
			return fault_set(fault, f->model->layer[layer].name, "pin it to int8 or a narrower integer format",
				"C is written for integer formats of up to 8 bits, and its %s are %s", h ? "inputs" : "weights",
				format_table[format[h]].name);
	return true;
}

static bool fits(const struct frozen *f, struct fault *fault)
{
	if (!export_knows(f->model, fault))
		return false;
	for (int i = 0; i < f->model->ops; i++)
		if (!op_fits(f, &f->model->op[i], fault))
			return false;
	for (int l = 0; l < f->model->layers; l++)
		if (!layer_fits(f, l, fault))
			return false;
	return true;
}

// ---- the template: @ is the network's name ----

static const char *const usage[] = {
	"// `@_run` takes an image, [height][width][channels] as the network was trained on, to @_CLASSES logits. The memory that it works in is the",
	"// caller's: some hundred kilobytes, rather static than on a stack. Nothing else is written, so threads with memory of their own may run",
	"// it side by side. With @_WATCH(layer, code, count) defined before this file is included, it is called with the codes of",
	"// every layer's input.",
};

static const char *const functions[] = {
	"#include <float.h>",
	"#include <stdint.h>",
	"#include <string.h>",
	"",
	"#if FLT_EVAL_METHOD != 0",
	"#error \"fp32 must be computed in fp32: with gcc on 32-bit x86, -msse2 -mfpmath=sse\"",
	"#endif",
	"#if defined(__clang__)",
	"#pragma STDC FP_CONTRACT OFF",
	"#elif defined(__GNUC__)",
	"#pragma GCC push_options",
	"#pragma GCC optimize(\"fp-contract=off\")",
	"#endif",
	"",
	"#ifndef @_WATCH",
	"#define @_WATCH(layer, code, count) ((void)0)",
	"#endif",
	"",
	"enum @_act { @_NONE, @_RELU, @_RELU6, @_SWISH, @_SIGMOID };",
	"",
	"// Inputs are rounded to code * input_scale, code in low..high; weights are weight * scale[output].",
	"struct @_layer {",
	"\tconst char *name;",
	"\tint height, width, channels, out_height, out_width, outputs;",
	"\tint kernel_height, kernel_width, stride, pad_height, pad_width, groups;",
	"\tfloat low, high, input_scale;",
	"\tconst int8_t *weight; // [kernel_height][kernel_width][channels / groups][outputs]",
	"\tconst float *scale, *bias;",
	"};",
	"",
	"// e^x to about two units in the last place: a power of two times a polynomial.",
	"static inline float @_exponential(float x)",
	"{",
	"\tx = x < -87 ? -87 : x;",
	"\tx = x > 88 ? 88 : x;",
	"\tconst float shifter = 12582912.0f;",
	"\tfloat shifted = x * 1.44269504f + shifter, n = shifted - shifter;",
	"\tfloat r = x - n * 0.693145752f;",
	"\tr -= n * 1.42860677e-6f;",
	"\tfloat p = 1.98412698e-4f;",
	"\tp = p * r + 1.38888889e-3f;",
	"\tp = p * r + 8.33333333e-3f;",
	"\tp = p * r + 4.16666667e-2f;",
	"\tp = p * r + 1.66666667e-1f;",
	"\tp = p * r + 0.5f;",
	"\tp = p * r + 1;",
	"\tp = p * r + 1;",
	"\tuint32_t bits;",
	"\tmemcpy(&bits, &shifted, sizeof bits);",
	"\tbits = (bits + 127) << 23;",
	"\tfloat power;",
	"\tmemcpy(&power, &bits, sizeof power);",
	"\treturn p * power;",
	"}",
	"",
	"static inline float @_activated(enum @_act act, float x)",
	"{",
	"\tswitch (act) {",
	"\tcase @_RELU: return x > 0 ? x : 0;",
	"\tcase @_RELU6: x = x > 0 ? x : 0; return x < 6 ? x : 6;",
	"\tcase @_SWISH: return x * (1 / (1 + @_exponential(-x)));",
	"\tcase @_SIGMOID: return 1 / (1 + @_exponential(-x));",
	"\tcase @_NONE: break;",
	"\t}",
	"\treturn x;",
	"}",
	"",
	"// To the nearest code, ties to even: the sum has no bits left for a fraction.",
	"static inline int16_t @_code(float x, float low, float high)",
	"{",
	"\tx = x < low ? low : x;",
	"\tx = x > high ? high : x;",
	"\tx = x + 12582912.0f;",
	"\tx = x - 12582912.0f;",
	"\treturn (int16_t)x;",
	"}",
	"",
	"// Convolutions, linear ones among them: an exact sum of products of codes, then one multiplication by both scales. Padding is 0.",
	"static inline void @_convolve(const struct @_layer *l, const float *x, int16_t *code, float *y)",
	"{",
	"\tconst int inputs = l->height * l->width * l->channels, in = l->channels / l->groups, out = l->outputs / l->groups;",
	"\tfor (int i = 0; i < inputs; i++)",
	"\t\tcode[i] = @_code(x[i] / l->input_scale, l->low, l->high);",
	"\t@_WATCH(l, code, inputs);",
	"\tfor (int oy = 0; oy < l->out_height; oy++)",
	"\t\tfor (int ox = 0; ox < l->out_width; ox++)",
	"\t\t\tfor (int o = 0; o < l->outputs; o++) {",
	"\t\t\t\tint32_t sum = 0;",
	"\t\t\t\tfor (int ky = 0; ky < l->kernel_height; ky++)",
	"\t\t\t\t\tfor (int kx = 0; kx < l->kernel_width; kx++) {",
	"\t\t\t\t\t\tint iy = oy * l->stride + ky - l->pad_height, ix = ox * l->stride + kx - l->pad_width;",
	"\t\t\t\t\t\tif (iy < 0 || iy >= l->height || ix < 0 || ix >= l->width)",
	"\t\t\t\t\t\t\tcontinue;",
	"\t\t\t\t\t\tconst int16_t *at = code + (iy * l->width + ix) * l->channels + o / out * in;",
	"\t\t\t\t\t\tconst int8_t *weight = l->weight + (ky * l->kernel_width + kx) * in * l->outputs + o;",
	"\t\t\t\t\t\tfor (int i = 0; i < in; i++)",
	"\t\t\t\t\t\t\tsum += at[i] * weight[i * l->outputs];",
	"\t\t\t\t\t}",
	"\t\t\t\tfloat *to = &y[(oy * l->out_width + ox) * l->outputs + o];",
	"\t\t\t\t*to = (float)sum * (l->input_scale * l->scale[o]);",
	"\t\t\t\tif (l->bias)",
	"\t\t\t\t\t*to += l->bias[o];",
	"\t\t\t}",
	"}",
	"",
	"static inline void @_norm(const float *x, int pixels, int channels, const float *gain, const float *shift, enum @_act act, float *y)",
	"{",
	"\tfor (int i = 0; i < pixels * channels; i++)",
	"\t\ty[i] = @_activated(act, x[i] * gain[i % channels] + shift[i % channels]);",
	"}",
	"",
	"static inline void @_add(const float *a, const float *b, int count, enum @_act act, float *y)",
	"{",
	"\tfor (int i = 0; i < count; i++)",
	"\t\ty[i] = @_activated(act, a[i] + b[i]);",
	"}",
	"",
	"static inline void @_activate(const float *x, int count, enum @_act act, float *y)",
	"{",
	"\tfor (int i = 0; i < count; i++)",
	"\t\ty[i] = @_activated(act, x[i]);",
	"}",
	"",
	"static inline void @_gate(const float *x, int pixels, int channels, const float *gate, float *y)",
	"{",
	"\tfor (int i = 0; i < pixels * channels; i++)",
	"\t\ty[i] = x[i] * gate[i % channels];",
	"}",
	"",
	"static inline void @_place(const float *x, int pixels, int channels, int first, int all, float *y)",
	"{",
	"\tfor (int p = 0; p < pixels; p++)",
	"\t\tfor (int j = 0; j < channels; j++)",
	"\t\t\ty[p * all + first + j] = x[p * channels + j];",
	"}",
	"",
	"// The greatest of a window, or its mean, for which the padding counts as zeros.",
	"static inline void @_pool(const float *x, int height, int width, int channels, int kernel_height, int kernel_width, int stride,",
	"\tint pad_height, int pad_width, int out_height, int out_width, int greatest, float *y)",
	"{",
	"\tfor (int oy = 0; oy < out_height; oy++)",
	"\t\tfor (int ox = 0; ox < out_width; ox++)",
	"\t\t\tfor (int j = 0; j < channels; j++) {",
	"\t\t\t\tfloat v = greatest ? -FLT_MAX : 0;",
	"\t\t\t\tfor (int ky = 0; ky < kernel_height; ky++)",
	"\t\t\t\t\tfor (int kx = 0; kx < kernel_width; kx++) {",
	"\t\t\t\t\t\tint iy = oy * stride + ky - pad_height, ix = ox * stride + kx - pad_width;",
	"\t\t\t\t\t\tif (iy < 0 || iy >= height || ix < 0 || ix >= width)",
	"\t\t\t\t\t\t\tcontinue;",
	"\t\t\t\t\t\tfloat at = x[(iy * width + ix) * channels + j];",
	"\t\t\t\t\t\tv = !greatest ? v + at : at > v ? at : v;",
	"\t\t\t\t\t}",
	"\t\t\t\ty[(oy * out_width + ox) * channels + j] = greatest ? v : v / (float)(kernel_height * kernel_width);",
	"\t\t\t}",
	"}",
	"",
};

static void print_lines(FILE *out, const char *const *line, size_t lines, const char *name)
{
	for (size_t i = 0; i < lines; i++) {
		for (const char *c = line[i]; *c; c++)
			if (*c == '@')
				fputs(name, out);
			else
				fputc(*c, out);
		fputc('\n', out);
	}
}
#define PRINT_LINES(out, lines, name) print_lines(out, lines, sizeof lines / sizeof *lines, name)

// ---- tables ----

enum { ROW = 24 };

static void print_codes(FILE *out, const char *name, int layer, const float *code, long count)
{
	fprintf(out, "static const int8_t %s_weight_%d[%ld] = {", name, layer, count);
	for (long i = 0; i < count; i++)
		fprintf(out, "%s%d,", i % ROW ? "" : "\n\t", (int)code[i]);
	fprintf(out, "\n};\n");
}

static void print_floats(FILE *out, const char *name, const char *what, int index, const float *x, long count)
{
	fprintf(out, "static const float %s_%s_%d[%ld] = {", name, what, index, count);
	for (long i = 0; i < count; i++)
		fprintf(out, "%s%af,", i % 6 ? " " : "\n\t", (double)x[i]);
	fprintf(out, "\n};\n");
}

// The line that a layer begins with.
static void layer_line(const struct frozen *f, int layer, char *buf, size_t size)
{
	const struct frozen_layer *l = &f->layer[layer];
	snprintf(buf, size, "\n// %s: weights %s, inputs %s%s\n", f->model->layer[layer].name,
		format_table[l->format.weight].name, format_table[l->format.activation].name,
		l->grid.low < 0 ? "" : ", unsigned");
}

static void print_layer(FILE *out, const char *name, const struct frozen *f, int layer)
{
	const struct frozen_layer *l = &f->layer[layer];
	const struct layer *shape = &f->model->layer[layer];
	const struct op *op = &f->model->op[shape->op];
	const bool conv = op->kind == OP_CONV;
	const struct window w = conv ? op->window : (struct window){1, 1, 1, 0, 0, 0};
	char line[256];
	layer_line(f, layer, line, sizeof line);
	fputs(line, out);
	print_codes(out, name, layer, l->code, l->rows * l->columns);
	print_floats(out, name, "scale", layer, l->scale, l->columns);
	if (l->bias)
		print_floats(out, name, "bias", layer, l->bias, l->columns);
	fprintf(out,
		"static const struct %s_layer %s_layer_%d = {\"%s\", %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %g, %g, %af, "
		"%s_weight_%d,\n\t%s_scale_%d, ",
		name, name, layer, shape->name, shape->in.h, shape->in.w, shape->in.c, shape->out.h, shape->out.w, shape->out.c,
		w.h, w.w, w.stride, w.pad_h, w.pad_w, conv ? op->groups : 1, (double)l->grid.low, (double)l->grid.high,
		(double)l->input_scale, name, layer, name, layer);
	if (l->bias)
		fprintf(out, "%s_bias_%d};\n", name, layer);
	else
		fprintf(out, "0};\n");
}

// ---- the run ----

static long numbers(struct shape s)
{
	return (long)s.h * s.w * s.c;
}

static long most_inputs(const struct frozen *f)
{
	long most = 1;
	for (int l = 0; l < f->model->layers; l++)
		most = f->layer[l].inputs > most ? f->layer[l].inputs : most;
	return most;
}

static const char *act_word(enum act act)
{
	static const char *const word[ACTS] = {[ACT_NONE] = "NONE",
		[ACT_RELU] = "RELU",
		[ACT_RELU6] = "RELU6",
		[ACT_SWISH] = "SWISH",
		[ACT_GELU] = "GELU",
		[ACT_SIGMOID] = "SIGMOID"};
	return word[act];
}

// An operator's output: the image itself, a part of the work, or, of the last, the logits.
static const char *place_of(const struct frozen *f, int op, char *buf, size_t size)
{
	if (op == 0)
		return "image";
	if (op == f->model->ops - 1)
		return "logits";
	snprintf(buf, size, "work->x%d", op);
	return buf;
}

static void print_call(FILE *out, const char *name, const struct frozen *f, int i)
{
	const struct model *m = f->model;
	const struct op *op = &m->op[i];
	const struct shape in = m->op[op->in[0]].out, s = op->out;
	const struct window *w = &op->window;
	char room[3][32];
	const char *to = place_of(f, i, room[0], sizeof room[0]), *a = place_of(f, op->in[0], room[1], sizeof room[1]),
		   *b = op->inputs > 1 ? place_of(f, op->in[1], room[2], sizeof room[2]) : "";
	switch (op->kind) {
	case OP_CONV:
	case OP_LINEAR: fprintf(out, "\t%s_convolve(&%s_layer_%d, %s, work->code, %s);\n", name, name, op->layer, a, to); break;
	case OP_NORM:
		fprintf(out, "\t%s_norm(%s, %d, %d, %s_gain_%d, %s_shift_%d, %s_%s, %s);\n", name, a, s.h * s.w, s.c, name, i,
			name, i, name, act_word(op->act), to);
		break;
	case OP_ACT:
		fprintf(out, "\t%s_activate(%s, %ld, %s_%s, %s);\n", name, a, numbers(s), name, act_word(op->act), to);
		break;
	case OP_ADD:
		fprintf(out, "\t%s_add(%s, %s, %ld, %s_%s, %s);\n", name, a, b, numbers(s), name, act_word(op->act), to);
		break;
	case OP_SCALE: fprintf(out, "\t%s_gate(%s, %d, %d, %s, %s);\n", name, a, s.h * s.w, s.c, b, to); break;
	case OP_CONCAT:
		for (int k = 0, first = 0; k < op->inputs; first += m->op[op->in[k]].out.c, k++)
			fprintf(out, "\t%s_place(%s, %d, %d, %d, %d, %s);\n", name,
				place_of(f, op->in[k], room[1], sizeof room[1]), s.h * s.w, m->op[op->in[k]].out.c, first, s.c,
				to);
		break;
	case OP_POOL:
		fprintf(out, "\t%s_pool(%s, %d, %d, %d, %d, %d, 1, 0, 0, 1, 1, 0, %s);\n", name, a, in.h, in.w, in.c, in.h, in.w,
			to);
		break;
	default:
		fprintf(out, "\t%s_pool(%s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %s);\n", name, a, in.h, in.w, in.c, w->h,
			w->w, w->stride, w->pad_h, w->pad_w, s.h, s.w, op->kind == OP_MAXIMUM, to);
		break;
	}
}

static void print_run(FILE *out, const char *name, const struct frozen *f)
{
	const struct model *m = f->model;
	const struct shape in = m->op[0].out;
	fprintf(out, "\nenum { %s_HEIGHT = %d, %s_WIDTH = %d, %s_CHANNELS = %d, %s_CLASSES = %d };\n", name, in.h, name, in.w,
		name, in.c, name, m->classes);
	fprintf(out, "struct %s_work {\n\tint16_t code[%ld];\n", name, most_inputs(f));
	for (int i = 1; i < m->ops - 1; i++)
		fprintf(out, "\tfloat x%d[%ld];\n", i, numbers(m->op[i].out));
	fprintf(out, "};\n\nstatic inline void %s_run(const float *image, struct %s_work *work, float *logits)\n{\n", name, name);
	for (int i = 1; i < m->ops; i++)
		print_call(out, name, f, i);
	fprintf(out, "}\n\n#if defined(__GNUC__) && !defined(__clang__)\n#pragma GCC pop_options\n#endif\n\n#endif\n");
}

bool export_c(const struct frozen *f, const char *name, FILE *out, struct fault *fault)
{
	if (!fits(f, fault))
		return false;
	char title[MODEL_TITLE];
	snprintf(title, sizeof title, "%s", f->model->name); // which may be a path, and that may end a comment
	text_clean(title, "");
	fprintf(out, "// %s, as bitscape quantized it: all numbers that it computes with, and a plain inference.\n//\n", title);
	PRINT_LINES(out, usage, name);
	fprintf(out, "#ifndef %s_INCLUDED\n#define %s_INCLUDED\n\n", name, name);
	PRINT_LINES(out, functions, name);
	for (int l = 0; l < f->model->layers; l++)
		print_layer(out, name, f, l);
	for (int i = 0; i < f->model->ops; i++)
		if (f->model->op[i].kind == OP_NORM) {
			fprintf(out, "\n");
			print_floats(out, name, "gain", i, f->norm[i].gain, f->model->op[i].out.c);
			print_floats(out, name, "shift", i, f->norm[i].shift, f->model->op[i].out.c);
		}
	print_run(out, name, f);
	return !ferror(out) || fault_set(fault, "export", "see to the room on the disk", "the file could not be written");
}

// The codes behind a layer's line.
static bool has_layer(const char *text, const struct frozen *f, int layer)
{
	const struct frozen_layer *l = &f->layer[layer];
	char line[256], *end;
	layer_line(f, layer, line, sizeof line);
	const char *at = strstr(text, line);
	at = at ? strchr(at, '{') : NULL;
	for (long i = 0; at && i < l->rows * l->columns; i++) {
		at++; // the brace, or the comma of the one before
		bool same = (float)strtol(at, &end, 10) == l->code[i];
		at = same && *end == ',' ? end : NULL;
	}
	return at != NULL;
}

bool export_c_check(const struct frozen *f, const char *path, struct fault *fault)
{
	enum { MOST = 1 << 30 };
	size_t size;
	char *text = disk_read(path, MOST, &size, fault);
	bool ok = text != NULL;
	for (int l = 0; ok && l < f->model->layers; l++)
		ok = has_layer(text, f, l) ||
			fault_set(fault, path, "write it again", "the codes of layer %s are not found in it",
				f->model->layer[l].name);
	free(text);
	return ok;
}
