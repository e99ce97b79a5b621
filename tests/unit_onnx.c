// SPDX-License-Identifier: GPL-3.0-or-later
// ONNX files: what exporters write today, and what nobody should. References: tests/data/onnx/make.py.
#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>

#include <cmocka.h>

#include "engine/base/disk.h"
#include "engine/model/import.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

static const char folder[] = "tests/data/onnx";

// ---- a network that runs ----

struct running {
	struct model *model;
	struct team *team;
	struct network *net;
	struct layer_plan *layer;
	struct plan plan;
};

static struct running *begin(const char *path, int batch)
{
	struct fault f = {0};
	char line[1024];
	struct running *r = calloc(1, sizeof *r);
	r->model = model_named(path, (struct shape){0}, 0, &f);
	if (!r->model)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	struct weights *w = model_weights(path, (struct shape){0}, 0, r->model->name, &f);
	r->team = team_new(2, &f);
	r->net = network_new(r->model, NULL, batch, 0, 0, r->team, &f);
	assert_non_null(r->net);
	network_initialise(r->net, 1);
	if (!w || !network_take_weights(r->net, w, &f))
		fail_msg("%s", fault_line(&f, line, sizeof line));
	weights_free(w);
	r->layer = calloc((size_t)r->model->layers, sizeof *r->layer);
	for (int l = 0; l < r->model->layers; l++)
		r->layer[l].weight = r->layer[l].activation = format_named("fp32");
	r->plan = (struct plan){r->model, r->layer, NULL};
	return r;
}

static void end(struct running *r)
{
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
	free(r->layer);
	free(r);
}

static void forward(struct running *r, enum pass pass, int images)
{
	struct quantization q = {.range = RANGE_MAX, .percentile = 99, .per_channel = true, .unsigned_positive = true};
	network_forward(r->net, &r->plan, &q, pass, images, NULL);
}

static long image_size(const struct running *r)
{
	struct shape s = r->model->op[0].out;
	return (long)s.h * s.w * s.c;
}

// ---- references ----

static bool is_file(const char *name, const char *tail)
{
	size_t length = strlen(name), end = strlen(tail);
	return length > end && strcmp(name + length - end, tail) == 0;
}

static void compare(const char *name)
{
	char path[512], reference[512];
	struct fault f;
	size_t size;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	snprintf(reference, sizeof reference, "%.*s.ref", (int)strlen(path) - 5, path);
	float *ref = (float *)(void *)disk_read(reference, 1 << 20, &size, &f);
	assert_non_null(ref);
	struct running *r = begin(path, 3);
	long image = image_size(r);
	int classes = r->model->classes;
	assert_int_equal(size, (size_t)(image + classes) * sizeof *ref);
	for (int i = 0; i < 3; i++) // the same image thrice: its place makes no difference
		memcpy(network_input(r->net) + i * image, ref, (size_t)image * sizeof *ref);
	forward(r, PASS_SAMPLE, 3);
	for (int i = 0; i < 3 * classes; i++) {
		double got = (double)network_logits(r->net)[i], wanted = (double)ref[image + i % classes];
		if (!(fabs(got - wanted) <= 1e-5 * fmax(1, fabs(wanted))))
			fail_msg("%s: logit %d is %.8g, not %.8g", name, i, got, wanted);
	}
	end(r);
	free(ref);
}

static void logits_are_those_of_onnx_runtime(void **state)
{
	(void)state;
	DIR *d = opendir(folder);
	assert_non_null(d);
	int files = 0;
	for (struct dirent *e; (e = readdir(d));)
		if (is_file(e->d_name, ".onnx")) {
			compare(e->d_name);
			files++;
		}
	closedir(d);
	assert_in_range(files, 12, 100);
}

static void check_layers(const char *name, const char *const *layer)
{
	char path[512];
	struct fault f;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	struct model *m = model_named(path, (struct shape){0}, 0, &f);
	assert_non_null(m);
	for (int l = 0; l < m->layers; l++) {
		assert_non_null(layer[l]);
		assert_string_equal(m->layer[l].name, layer[l]);
	}
	assert_null(layer[m->layers]);
	model_free(m);
}

// Whichever exporter wrote them: a norm's name where it was folded, a number where a weight was turned, nothing in a node's metadata.
static void layers_have_their_modules_names(void **state)
{
	(void)state;
	static const char *const residual[] = {"stem.0", "conv1", "conv2", "down.0", "fc", NULL};
	static const char *const mobile[] = {"expand.0", "depthwise.0", "squeeze", "excite", "grouped.0", "head", NULL};
	static const char *const attend[] = {"patch", "qkv", "proj", "fc1", "fc2", "head", NULL};
	check_layers("residual.dyn.onnx", residual);
	check_layers("residual.old.onnx", residual);
	check_layers("raw.dyn.onnx", residual);
	check_layers("mobile.dyn.onnx", mobile);
	check_layers("mobile.old.onnx", mobile);
	check_layers("attend.dyn.onnx", attend);
	check_layers("attend.old.onnx", attend);
}

static const struct model *model_of(const char *name, struct model **kept)
{
	char path[512];
	struct fault f;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_non_null(*kept = model_named(path, (struct shape){0}, 0, &f));
	return *kept;
}

static int operators(const struct model *m, enum op_kind kind)
{
	int count = 0;
	for (int i = 0; i < m->ops; i++)
		count += m->op[i].kind == kind;
	return count;
}

// Common blocks become the engine's own layers, and an image is turned nowhere.
static void common_nodes_become_layers(void **state)
{
	(void)state;
	static const char *const plain[] = {
		"residual.dyn.onnx", "residual.old.onnx", "raw.dyn.onnx", "mobile.dyn.onnx", "mobile.old.onnx"};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		struct model *kept;
		const struct model *m = model_of(plain[i], &kept);
		for (int op = 0; op < m->ops; op++)
			if (m->op[op].kind >= OP_ARRANGE && m->op[op].kind != OP_FUNCTION)
				fail_msg("%s: operator %d is %s", plain[i], op, model_kind(m->op[op].kind));
		model_free(kept);
	}
	struct model *kept;
	const struct model *m = model_of("hand.onnx", &kept); // Mul and Add after a convolution, and a norm, are folded
	assert_int_equal(operators(m, OP_AFFINE), 0);
	assert_int_equal(operators(m, OP_NORM), 0);
	assert_true(m->op[m->layer[0].op].bias && m->op[m->layer[1].op].bias && m->op[m->layer[2].op].bias);
	model_free(kept);
	static const char *const attending[] = {"attend.dyn.onnx", "attend.old.onnx", "torchvision.dyn.onnx"};
	for (size_t i = 0; i < sizeof attending / sizeof *attending; i++) {
		m = model_of(attending[i], &kept);
		assert_int_equal(operators(m, OP_ATTENTION), 1);
		assert_int_equal(operators(m, OP_PRODUCT), 0);
		assert_int_equal(operators(m, OP_TOKENS), i < 2); // the third has no class token
		model_free(kept);
	}
	m = model_of("windows.dyn.onnx", &kept); // within windows, with a bias: by general operators
	assert_int_equal(operators(m, OP_PRODUCT), 2);
	model_free(kept);
	m = model_of("mobile.dyn.onnx", &kept);
	assert_int_equal(operators(m, OP_SCALE), 1);
	assert_int_equal(operators(m, OP_FUNCTION), 2); // hard swish and the gate's hard sigmoid; the soft swish is an activation
	model_free(kept);
}

static void counts_are_those_of_the_layers(void **state)
{
	(void)state;
	// By hand: out h*w*c times kernel and inputs; of attention two products of 2 heads, 17 by 8 by 17.
	struct model *kept;
	const struct model *m = model_of("attend.dyn.onnx", &kept);
	assert_true(m->macs == 16 * 16 * 48 + 17 * 16 * 48 + 17 * 16 * 16 + 2 * 17 * 16 * 32 + 160);
	assert_true(m->attention_macs == 2 * 2 * 17 * 8 * 17);
	assert_true(m->parameters == 768 + 16 + 16 + 17 * 16 + 4 * 16 + 48 * 16 + 48 + 256 + 16 + 512 + 32 + 512 + 16 + 160 + 10);
	model_free(kept);
	m = model_of("last.dyn.onnx", &kept); // a norm of groups has a gain and a bias for each channel, however it is written
	assert_true(m->parameters == 588 + 600 + 24 + 312 + 300 + 12 + 24 + 130);
	model_free(kept);
	m = model_of("unusual.dyn.onnx", &kept); // windows that are put together pixel by pixel count as what they are
	assert_string_equal(m->layer[0].name, "dilated");
	assert_true(m->layer[0].macs == 17.0 * 17 * 27 * 8 && m->layer[0].weights == 216 && m->layer[0].biases == 8);
	assert_true(m->layer[1].weights == 3 * 5 * 4 * 8);
	model_free(kept);
}

// ---- gradients ----

static double loss_of(struct running *r, const uint16_t *label, enum pass pass, int images)
{
	forward(r, pass, images);
	return network_loss(r->net, label, images, 0).mean;
}

// A few numbers of each parameter, by central differences.
static void check_gradients(const char *name)
{
	enum { IMAGES = 2, EACH = 3 };
	static const uint16_t label[IMAGES] = {3, 7};
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	struct running *r = begin(path, IMAGES);
	uint64_t key = rng_key(11, "image", 0);
	float *x = malloc((size_t)(IMAGES * image_size(r)) * sizeof *x);
	for (long i = 0; i < IMAGES * image_size(r); i++)
		x[i] = (float)rng_normal(key, (uint64_t)i);
	memcpy(network_input(r->net), x, (size_t)(IMAGES * image_size(r)) * sizeof *x);
	loss_of(r, label, PASS_TRAIN, IMAGES);
	network_backward(r->net);
	const float *gradient = network_gradient(r->net);
	struct network_array array[NETWORK_ARRAYS];
	network_arrays(r->net, array);
	float *g = malloc((size_t)array[0].count * sizeof *g);
	memcpy(g, gradient, (size_t)array[0].count * sizeof *g);
	int checked = 0;
	for (int op = 0; op < r->model->ops; op++)
		for (int part = 0; part < 2; part++) {
			enum op_kind kind = r->model->op[op].kind;
			long count;
			bool has = r->model->op[op].layer >= 0 ? part == 0 || r->model->op[op].bias
				: kind == OP_AFFINE            ? part < r->model->op[op].gain + r->model->op[op].bias
							       : kind == OP_LAYERNORM && !r->model->op[op].bare;
			if (!has)
				continue;
			float *w = network_parameter(r->net, op, part, &count);
			for (int k = 0; k < EACH; k++) {
				long i = (long)rng_below(rng_key(12, name, (uint64_t)(op * 2 + part)), (uint64_t)k,
					(uint64_t)count);
				float was = w[i], h = 1e-3f;
				double found[2];
				for (int s = 0; s < 2; s++) {
					w[i] = s ? was - h : was + h;
					memcpy(network_input(r->net), x, (size_t)(IMAGES * image_size(r)) * sizeof *x);
					found[s] = loss_of(r, label, PASS_SAMPLE, IMAGES);
				}
				w[i] = was;
				double by_difference = (found[0] - found[1]) / (2 * (double)h),
				       told = (double)g[w + i - array[0].data];
				if (!(fabs(by_difference - told) <= 2e-3 + 0.03 * fabs(told)))
					fail_msg("%s: %s (operator %d) part %d, number %ld: %g, by difference %g", name,
						model_kind(kind), op, part, i, told, by_difference);
				checked++;
			}
		}
	assert_in_range(checked, 10, 10000);
	free(x);
	free(g);
	end(r);
}

static void gradients_are_those_of_differences(void **state)
{
	(void)state;
	check_gradients("attend.dyn.onnx");
	check_gradients("windows.dyn.onnx");
	check_gradients("last.old.onnx");
	check_gradients("shuffle.dyn.onnx");
	check_gradients("mobile.dyn.onnx");
	check_gradients("unusual.dyn.onnx");
	check_gradients("dense.old.onnx");
}

// ---- files made here ----

struct bytes {
	uint8_t at[4096];
	size_t size;
};

static void put(struct bytes *b, uint64_t value)
{
	for (; value > 127; value >>= 7)
		b->at[b->size++] = (uint8_t)(value | 128);
	b->at[b->size++] = (uint8_t)value;
}

static void put_number(struct bytes *b, unsigned field, uint64_t value)
{
	put(b, field << 3);
	put(b, value);
}

static void put_bytes(struct bytes *b, unsigned field, const void *at, size_t size)
{
	put(b, field << 3 | 2);
	put(b, size);
	assert_true(b->size + size <= sizeof b->at);
	memcpy(b->at + b->size, at, size);
	b->size += size;
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

static void put_node(struct bytes *graph, const char *op, const char *name, const char *inputs, const char *output)
{
	struct bytes n = {.size = 0};
	char list[200], *rest = list;
	snprintf(list, sizeof list, "%s", inputs);
	for (char *in; (in = strsep(&rest, " "));)
		put_text(&n, 1, in);
	put_text(&n, 2, output);
	put_text(&n, 3, name);
	put_text(&n, 4, op);
	put_bytes(graph, 1, n.at, n.size);
}

static void put_tensor(struct bytes *graph, const char *name, const int *size, int rank, const float *at, const char *outside)
{
	struct bytes t = {.size = 0};
	int count = 1;
	for (int i = 0; i < rank; i++) {
		put_number(&t, 1, (uint64_t)size[i]);
		count *= size[i];
	}
	put_number(&t, 2, 1);
	put_text(&t, 8, name);
	if (at)
		put_bytes(&t, 9, at, (size_t)count * sizeof *at);
	if (outside) {
		struct bytes e = {.size = 0};
		put_text(&e, 1, "location");
		put_text(&e, 2, outside);
		put_bytes(&t, 13, e.at, e.size);
		put_number(&t, 14, 1);
	}
	put_bytes(graph, 5, t.at, t.size);
}

static void put_value(struct bytes *graph, unsigned field, const char *name, const int *size, int rank)
{
	struct bytes v = {.size = 0}, type = {.size = 0}, tensor = {.size = 0}, shape = {.size = 0};
	for (int i = 0; i < rank; i++) {
		struct bytes d = {.size = 0};
		put_number(&d, 1, (uint64_t)size[i]);
		put_bytes(&shape, 1, d.at, d.size);
	}
	put_number(&tensor, 1, 1);
	put_bytes(&tensor, 2, shape.at, shape.size);
	put_bytes(&type, 1, tensor.at, tensor.size);
	put_text(&v, 1, name);
	put_bytes(&v, 2, type.at, type.size);
	put_bytes(graph, field, v.at, v.size);
}

static char made[256];
static struct bytes functions; // of the models that are written

static const char *write_model(const struct bytes *graph)
{
	struct bytes m = {.size = 0};
	put_number(&m, 1, 10);
	put_bytes(&m, 7, graph->at, graph->size);
	memcpy(m.at + m.size, functions.at, functions.size);
	m.size += functions.size;
	snprintf(made, sizeof made, "%s/unit-onnx-%d.onnx", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	struct fault f;
	assert_true(disk_replace(made, m.at, m.size, &f));
	return made;
}

// One pixel of two channels through a linear layer of three, with whatever a case adds.
static void put_frame(struct bytes *g)
{
	static const float w[6] = {1, 2, 3, 4, 5, 6};
	put_value(g, 11, "x", (int[]){1, 2, 1, 1}, 4);
	put_value(g, 12, "y", (int[]){1, 3, 1, 1}, 4);
	put_tensor(g, "fc.weight", (int[]){3, 2, 1, 1}, 4, w, NULL);
}

static void refused(const struct bytes *g, const char *says)
{
	struct fault f = {0};
	char line[1024];
	struct model *m = model_named(write_model(g), (struct shape){0}, 0, &f);
	struct weights *w = m ? model_weights(made, (struct shape){0}, 0, m->name, &f) : NULL;
	if (w) { // weights are looked at last
		struct team *team = team_new(1, &f);
		struct network *net = network_new(m, NULL, 1, 0, 0, team, &f);
		if (net && network_take_weights(net, w, &f))
			fail_msg("taken, not: %s", says);
		network_free(net);
		team_free(team);
		weights_free(w);
	}
	model_free(m);
	fault_line(&f, line, sizeof line);
	if (!f.where[0] || !f.what[0] || !f.todo[0] || !strstr(line, says))
		fail_msg("\"%s\" does not say \"%s\"", line, says);
	unlink(made);
}

static void bad_files_are_refused_in_one_line(void **state)
{
	(void)state;
	const float zero[6] = {0}, broken[6] = {1, 2, NAN, 4, 5, 6};
	struct bytes g = {.size = 0};
	put_frame(&g);
	put_node(&g, "Conv", "fc", "x fc.weight", "y");
	struct fault f;
	struct model *m = model_named(write_model(&g), (struct shape){0}, 0, &f); // this one is well
	assert_non_null(m);
	assert_string_equal(m->layer[0].name, "fc");
	model_free(m);

	g.size = 0;
	put_frame(&g);
	put_node(&g, "Warp", "the/odd/one", "x fc.weight", "y");
	refused(&g, "Warp the/odd/one: this operator is not known");
	g.size = 0;
	put_frame(&g);
	put_node(&g, "Conv", "a", "b fc.weight", "y");
	put_node(&g, "Relu", "loop", "y", "b");
	refused(&g, "waits for its own output");
	g.size = 0;
	put_frame(&g);
	put_node(&g, "Conv", "a", "x missing", "y");
	refused(&g, "nothing gives its input \"missing\"");
	g.size = 0;
	put_frame(&g);
	put_node(&g, "Conv", "a", "x fc.weight", "y");
	put_node(&g, "Conv", "b", "x fc.weight", "y");
	refused(&g, "two nodes write \"y\"");
	g.size = 0;
	put_frame(&g);
	put_tensor(&g, "wide", (int[]){3, 5, 1, 1}, 4, (const float[15]){0}, NULL);
	put_node(&g, "Conv", "a", "x wide", "y");
	refused(&g, "do not go with 2 channels");
	g.size = 0;
	put_frame(&g);
	put_tensor(&g, "short", (int[]){3, 2, 1, 100000}, 4, NULL, NULL);
	put_node(&g, "Conv", "a", "x short", "y");
	refused(&g, "shorter than its shape");
	g.size = 0;
	put_value(&g, 11, "x", (int[]){1, 2, 1, 1}, 4);
	put_value(&g, 12, "y", (int[]){1, 3, 1, 1}, 4);
	put_tensor(&g, "fc.weight", (int[]){3, 2, 1, 1}, 4, broken, NULL);
	put_node(&g, "Conv", "a", "x fc.weight", "y");
	refused(&g, "fc: a weight of its conv is not a number");
	static const char *const places[] = {"/etc/passwd", "../weights", "a/../../weights", ""};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		g.size = 0;
		put_frame(&g);
		put_tensor(&g, "w", (int[]){3, 2, 1, 1}, 4, NULL, places[i]);
		put_node(&g, "Conv", "a", "x w", "y");
		refused(&g, "outside its folder");
	}
	g.size = 0;
	put_frame(&g);
	put_tensor(&g, "w", (int[]){3, 2, 1, 1}, 4, NULL, "unit-onnx-is-not-there");
	put_node(&g, "Conv", "a", "x w", "y");
	refused(&g, "cannot open it");
	// A link beside it that leads elsewhere.
	char link[300];
	snprintf(link, sizeof link, "%s/unit-onnx-link-%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	unlink(link);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	g.size = 0;
	put_frame(&g);
	put_tensor(&g, "w", (int[]){3, 2, 1, 1}, 4, NULL, strrchr(link, '/') + 1);
	put_node(&g, "Conv", "a", "x w", "y");
	refused(&g, "leads out of its folder");
	unlink(link);
	g.size = 0;
	put_value(&g, 11, "x", (int[]){4, 2, 1, 1}, 4);
	put_value(&g, 12, "y", (int[]){4, 3, 1, 1}, 4);
	put_tensor(&g, "fc.weight", (int[]){3, 2, 1, 1}, 4, zero, NULL);
	put_node(&g, "Conv", "a", "x fc.weight", "y");
	refused(&g, "its batch is fixed at more than one image");
}

// A network with an operator between its input and its layer; "shape" is what the file says of what comes out, or NULL.
static struct model *with_warp(const int *shape, int channels)
{
	struct bytes g = {.size = 0};
	struct fault f = {0};
	char line[1024];
	put_value(&g, 11, "x", (int[]){1, 2, 1, 1}, 4);
	put_value(&g, 12, "y", (int[]){1, 3, 1, 1}, 4);
	put_tensor(&g, "fc.weight", (int[]){3, channels, 1, 1}, 4, (const float[12]){1}, NULL);
	if (shape)
		put_value(&g, 13, "warped", shape, 4);
	put_node(&g, "Warp", "the/odd/one", "x", "warped");
	put_node(&g, "Conv", "fc", "warped fc.weight", "y");
	struct model *m = model_named(write_model(&g), (struct shape){0}, 0, &f);
	if (!m && !strstr(fault_line(&f, line, sizeof line), "Warp the/odd/one"))
		fail_msg("%s", line);
	unlink(made);
	return m;
}

static void what_is_around_an_unknown_operator_is_costed(void **state)
{
	(void)state;
	struct fault f = {0};
	struct team *team = team_new(1, &f);
	struct model *m = with_warp((int[]){1, 4, 1, 1}, 4); // the file says what comes out
	assert_non_null(m);
	assert_true(m->macs == 12 && m->layer[0].weights == 12);
	assert_int_equal(m->unknowns, 1);
	assert_string_equal(m->unknown[0], "Warp the/odd/one");
	assert_null(network_new(m, NULL, 1, 0, 0, team, &f)); // it does not run
	assert_string_equal(f.where, "Warp the/odd/one");
	model_free(m);
	m = with_warp(NULL, 2); // it does not say, and so the shape is that of what goes in
	assert_non_null(m);
	assert_true(m->macs == 6);
	assert_string_equal(m->unknown[0], "Warp the/odd/one (taken to keep its shape)");
	model_free(m);
	assert_null(with_warp(NULL, 4)); // which cannot be: the fault is that node's
	team_free(team);
}

// A node that calls function "Fold", whose body is one node.
static void put_call(struct bytes *g, const char *op, const char *domain)
{
	struct bytes f = {.size = 0}, n = {.size = 0}, call = {.size = 0};
	put_text(&n, 1, "a");
	put_text(&n, 2, "b");
	put_text(&n, 4, op);
	put_text(&n, 7, domain);
	put_text(&f, 1, "Fold");
	put_text(&f, 4, "a");
	put_text(&f, 5, "b");
	put_bytes(&f, 7, n.at, n.size);
	put_text(&f, 10, "mine");
	functions.size = 0;
	put_bytes(&functions, 25, f.at, f.size);
	put_text(&call, 1, "x");
	put_text(&call, 2, "folded");
	put_text(&call, 4, "Fold");
	put_text(&call, 7, "mine");
	put_bytes(g, 1, call.at, call.size);
	put_node(g, "Conv", "fc", "folded fc.weight", "y");
}

// An If of x's own: with a condition, and a branch that hands on x, or none.
static void put_if(struct bytes *g, const char *condition, bool branches)
{
	static const char *const name[] = {"then_branch", "else_branch"};
	struct bytes n = {.size = 0};
	put_text(&n, 1, condition);
	put_text(&n, 2, "folded");
	put_text(&n, 4, "If");
	for (int b = 0; branches && b < 2; b++) {
		struct bytes a = {.size = 0}, branch = {.size = 0}, out = {.size = 0};
		put_node(&branch, "Identity", "same", "x", "inside");
		put_text(&out, 1, "inside");
		put_bytes(&branch, 12, out.at, out.size);
		put_text(&a, 1, name[b]);
		put_bytes(&a, 6, branch.at, branch.size);
		put_number(&a, 20, 5);
		put_bytes(&n, 5, a.at, a.size);
	}
	put_bytes(g, 1, n.at, n.size);
	put_node(g, "Conv", "fc", "folded fc.weight", "y");
}

static void functions_and_branches_end(void **state)
{
	(void)state;
	struct fault f = {0};
	struct bytes g = {.size = 0};
	put_frame(&g);
	put_call(&g, "Relu", "");
	struct model *m = model_named(write_model(&g), (struct shape){0}, 0, &f);
	assert_non_null(m);
	assert_int_equal(m->op[1].act, ACT_RELU);
	model_free(m);
	g.size = 0;
	put_frame(&g);
	put_call(&g, "Fold", "mine"); // itself
	refused(&g, "functions that call each other, deeper than they may");
	functions.size = 0;
	g.size = 0;
	put_frame(&g);
	put_tensor(&g, "one", (int[]){1}, 1, (const float[]){1}, NULL);
	put_if(&g, "one", true);
	m = model_named(write_model(&g), (struct shape){0}, 0, &f);
	assert_non_null(m);
	assert_int_equal(m->ops, 2);
	model_free(m);
	g.size = 0;
	put_frame(&g);
	put_if(&g, "x", true);
	refused(&g, "its condition is worked out as it runs");
	g.size = 0;
	put_frame(&g);
	put_if(&g, "x", false);
	refused(&g, "an If without both its branches");
}

static void a_size_that_the_data_does_not_have_is_refused(void **state)
{
	(void)state;
	struct fault f = {0};
	char path[512];
	snprintf(path, sizeof path, "%s/residual.dyn.onnx", folder);
	assert_null(model_named(path, (struct shape){32, 32, 3}, 10, &f));
	assert_non_null(strstr(f.what, "16x16x3, not 32x32x3"));
	assert_null(model_named(path, (struct shape){16, 16, 3}, 7, &f));
	assert_non_null(strstr(f.what, "10 classes apart, not 7"));
	int side;
	assert_true(model_side(path, &side, &f)); // larger images are made smaller
	assert_int_equal(side, 16);
	struct model *m = model_named(path, (struct shape){0}, 0, &f);
	assert_non_null(m);
	assert_null(model_weights(path, (struct shape){0}, 0, "another#00000000", &f));
	assert_non_null(strstr(f.what, "has changed"));
	model_free(m);
}

// ---- damaged files ----

struct seedling {
	char *bytes;
	size_t size;
};

// Bits turned, bytes that mean much, stretches that move, an end that comes early.
static size_t damage(char *to, const struct seedling *all, int count, uint64_t key)
{
	const struct seedling *from = &all[rng_below(key, 0, (uint64_t)count)];
	size_t size = from->size;
	memcpy(to, from->bytes, size);
	int hits = 1 + (int)rng_below(key, 1, 6);
	for (int h = 0; h < hits && size > 1; h++) {
		uint64_t at = rng_below(key, (uint64_t)(10 * h + 2), size), other = rng_below(key, (uint64_t)(10 * h + 3), size),
			 what = rng_below(key, (uint64_t)(10 * h + 4), 6);
		static const char telling[] = {0, 1, 0x7f, (char)0x80, (char)0xff, 0x08, 0x0a, 0x12, 2, 3, 4, 8};
		switch (what) {
		case 0: to[at] = (char)(to[at] ^ (1 << rng_below(key, (uint64_t)(10 * h + 5), 8))); break;
		case 1: to[at] = telling[rng_below(key, (uint64_t)(10 * h + 5), sizeof telling)]; break;
		case 2: size = at + 1; break;
		case 3: {
			size_t run = 1 + (size_t)rng_below(key, (uint64_t)(10 * h + 5), 40);
			if (at + run <= size && other + run <= size)
				memmove(to + at, to + other, run);
			break;
		}
		case 4: // a letter of a name
			for (uint64_t i = at; i + 1 < size && i < at + 200; i++)
				if (to[i] >= 'A' && to[i] <= 'Z' && to[i + 1] >= 'a') {
					to[i] = (char)('A' + rng_below(key, (uint64_t)(10 * h + 5), 26));
					break;
				}
			break;
		default: to[at] = (char)(to[at] + 1);
		}
	}
	return size;
}

static int load_seedlings(const char *from, struct seedling *all, int count, int most)
{
	DIR *d = opendir(from);
	struct dirent *e;
	char path[512];
	struct fault f;
	assert_non_null(d);
	while (count < most && (e = readdir(d))) {
		if (!is_file(e->d_name, ".onnx"))
			continue;
		snprintf(path, sizeof path, "%s/%s", from, e->d_name);
		all[count].bytes = disk_read(path, 1 << 20, &all[count].size, &f);
		assert_non_null(all[count].bytes);
		count++;
	}
	closedir(d);
	return count;
}

// A million in the long tests; ONNX_FUZZ=N: so many, from ONNX_FUZZ_SEED on. Whatever comes of it, it comes without a crash, and a fault says all three.
static void damaged_files_are_networks_or_faults(void **state)
{
	(void)state;
	struct seedling all[64];
	const char *wanted = getenv("ONNX_FUZZ"), *first = getenv("ONNX_FUZZ_SEED"), *lengthy = getenv("LONG");
	long many = wanted ? atol(wanted) : lengthy && *lengthy ? 1000000 : 3000, from = first ? atol(first) : 0, networks = 0;
	int count = load_seedlings("tests/data/quantized", all, load_seedlings(folder, all, 0, 64), 64);
	char path[512];
	snprintf(path, sizeof path, "%s/damaged.onnx", folder);
	for (long i = from; i < from + many; i++) {
		struct fault f = {0};
		char *bytes = malloc(1 << 20);
		size_t size = damage(bytes, all, count, rng_key(21, "damage", (uint64_t)i));
		struct onnx_file *file = onnx_read(path, bytes, size, &f);
		struct model *m = file ? import_build(file, (struct shape){0}, 0, NULL, &f) : NULL;
		networks += m != NULL;
		if (!m && (!f.where[0] || !f.what[0] || !f.todo[0]))
			fail_msg("number %ld: \"%s\" \"%s\" \"%s\"", i, f.where, f.what, f.todo);
		model_free(m);
		onnx_close(file);
	}
	assert_in_range(networks, many / 50, many - many / 50); // some of both
	for (int k = 0; k < count; k++)
		free(all[k].bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_are_those_of_onnx_runtime),
		cmocka_unit_test(layers_have_their_modules_names),
		cmocka_unit_test(common_nodes_become_layers),
		cmocka_unit_test(counts_are_those_of_the_layers),
		cmocka_unit_test(gradients_are_those_of_differences),
		cmocka_unit_test(bad_files_are_refused_in_one_line),
		cmocka_unit_test(what_is_around_an_unknown_operator_is_costed),
		cmocka_unit_test(functions_and_branches_end),
		cmocka_unit_test(a_size_that_the_data_does_not_have_is_refused),
		cmocka_unit_test(damaged_files_are_networks_or_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
