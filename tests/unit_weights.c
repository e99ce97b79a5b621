// SPDX-License-Identifier: GPL-3.0-or-later
// Weights by name: a network against PyTorch's answers with the same weights (tests/data/weights/make.py), round trips through files, and
// files that are not what they should be.
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
#include "engine/base/safetensors.h"
#include "engine/model/parameters.h"
#include "engine/nn/nn.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"
#include "sessions/sessions.h"
#include "tests/ground.h"
#include "tests/searching.h"
#include "tests/weighing.h"

#define DATA "tests/data/weights/"
enum { IMAGES = 4, SIDE = 12, CLASSES = 5, PIXELS = SIDE * SIDE * 3 };

struct rig {
	struct model *model;
	struct team *team;
	struct network *net;
	struct layer_plan layer[8];
	struct plan plan;
};

static const struct quantization plainly = {.range = RANGE_MAX, .per_channel = true};

static void rig_up(struct rig *r, unsigned keeps)
{
	struct fault f;
	*r = (struct rig){.model = model_named(DATA "small.net", (struct shape){0}, 0, &f)};
	if (!r->model)
		fail_msg("%s: %s", f.where, f.what);
	assert_int_equal(r->model->layers, 5);
	for (int l = 0; l < r->model->layers; l++)
		r->layer[l] = (struct layer_plan){format_named("fp32"), format_named("fp32")};
	r->plan = (struct plan){.model = r->model, .layer = r->layer};
	assert_true((r->team = team_new(1, &f)) && (r->net = network_new(r->model, NULL, IMAGES, keeps, 0, r->team, &f)));
	network_initialise(r->net, 1);
}

static void rig_down(struct rig *r)
{
	network_free(r->net);
	team_free(r->team);
	model_free(r->model);
}

static void read_into(struct rig *r, const char *path, bool fold)
{
	struct fault f;
	struct safetensors *file = safetensors_read(path, &f);
	if (!file || !network_read_weights(r->net, file, fold, &f))
		fail_msg("%s: %s; %s", f.where, f.what, f.todo);
	safetensors_free(file);
}

static void answers(float images[IMAGES * PIXELS], float logits[IMAGES * CLASSES])
{
	struct fault f;
	struct safetensors *file = safetensors_read(DATA "answers.safetensors", &f);
	assert_non_null(file);
	const struct safetensor *x = safetensors_find(file, "images"), *y = safetensors_find(file, "logits");
	assert_true(x && y && x->count == IMAGES * PIXELS && y->count == IMAGES * CLASSES);
	safetensor_floats(x, images);
	safetensor_floats(y, logits);
	safetensors_free(file);
}

static double worst_of(struct rig *r, enum pass pass)
{
	float images[IMAGES * PIXELS], logits[IMAGES * CLASSES];
	double worst = 0;
	answers(images, logits);
	memcpy(network_input(r->net), images, sizeof images);
	network_forward(r->net, &r->plan, &plainly, pass, IMAGES, NULL);
	for (int i = 0; i < IMAGES * CLASSES; i++)
		worst = fmax(worst, fabs((double)(network_logits(r->net)[i] - logits[i])));
	return worst;
}

// F32, F16 and BF16; norms as they are, folded here and folded before; in passes that score and in training.
static void answers_are_pytorch_s(void **state)
{
	(void)state;
	static const char *const file[] = {DATA "small.safetensors", DATA "folded.safetensors"};
	for (int way = 0; way < 3; way++) {
		struct rig r;
		rig_up(&r, NETWORK_STATISTICS);
		assert_true(worst_of(&r, PASS_SAMPLE) > 0.01);
		read_into(&r, file[way == 1], way == 2);
		assert_true(worst_of(&r, PASS_SAMPLE) < 1e-5);
		assert_true(worst_of(&r, PASS_TRAIN) < 1e-5);
		rig_down(&r);
	}
}

// Where norms have their statistics given, the loss does not depend on what else is in the batch, and its gradient is that.
static void gradients_take_statistics_as_given(void **state)
{
	(void)state;
	static const uint16_t labels[IMAGES] = {0, 3, 1, 4};
	struct rig r;
	float images[IMAGES * PIXELS], logits[IMAGES * CLASSES];
	struct network_array array[NETWORK_ARRAYS];
	int count, checked = 0;
	rig_up(&r, NETWORK_STATISTICS);
	read_into(&r, DATA "small.safetensors", false);
	answers(images, logits);
	struct parameter_info *list = model_parameters(r.model, &count);
	memcpy(network_input(r.net), images, sizeof images);
	network_forward(r.net, &r.plan, &plainly, PASS_TRAIN, IMAGES, NULL);
	network_loss(r.net, labels, IMAGES, 0);
	network_backward(r.net);
	network_arrays(r.net, array);
	for (int i = 0; i < count; i++) {
		long numbers;
		float *first = network_parameter(r.net, list[i].op, list[i].part, &numbers);
		for (long at = 0; at < numbers; at += 7) {
			float *w = first + at, was = *w;
			double loss[2], gradient = (double)network_gradient(r.net)[w - array[0].data];
			for (int side = 0; side < 2; side++) {
				*w = was + (side ? -1e-3f : 1e-3f);
				memcpy(network_input(r.net), images, sizeof images);
				network_forward(r.net, &r.plan, &plainly, PASS_SAMPLE, IMAGES, NULL);
				loss[side] = network_loss(r.net, labels, IMAGES, 0).mean;
			}
			*w = was;
			double slope = (loss[0] - loss[1]) / 2e-3;
			if (fabs(slope - gradient) > 3e-4 + 0.02 * fabs(slope))
				fail_msg("%s, number %ld: %f by differences, %f", list[i].name, at, slope, gradient);
			checked += fabs(slope) > 2e-3;
		}
	}
	assert_true(checked >= 20);
	free(list);
	rig_down(&r);
}

// ---- what is refused -------------------------------------------------------------------------------------------------------

static void names_and_sizes_are_those_of_the_network(void **state)
{
	(void)state;
	struct safetensors *file;
	struct fault f;
	struct rig r;
	rig_up(&r, NETWORK_STATISTICS);
	assert_non_null(file = safetensors_read(DATA "answers.safetensors", &f));
	assert_false(network_read_weights(r.net, file, false, &f));
	assert_string_equal(f.what, "it is not there");
	assert_non_null(strstr(f.where, "stem.weight"));
	safetensors_free(file);
	rig_down(&r);
	rig_up(&r, 0); // without statistics of its own, folded norms cannot be
	assert_non_null(file = safetensors_read(DATA "folded.safetensors", &f));
	assert_false(network_read_weights(r.net, file, false, &f));
	assert_non_null(strstr(f.what, "statistics=given"));
	safetensors_free(file);
	rig_down(&r);
}

static void write_file(const char *path, const char *header, uint64_t said, size_t bytes)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (int i = 0; i < 8; i++)
		fputc((int)(said >> (8 * i) & 255), file);
	fputs(header, file);
	for (size_t i = 0; i < bytes; i++)
		fputc(0, file);
	fclose(file);
}

static void headers_by_the_rules(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		size_t bytes;
		const char *why; // NULL: it is in order
	} cases[] = {
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}   ", 8, NULL},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, NULL},
		{"{}", 0, NULL},
		{"{}", 3, "belong to none"},
		{" {}", 0, "not an object"},
		{"[1]", 0, "not an object"},
		{"{\"a\":1}", 0, "its dtype"},
		{"{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "its dtype"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "out of range"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "out of range"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2000000000,2000000000],\"data_offsets\":[0,8]}}", 8, "out of range"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "up to 8"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,4]}}", 4, "not a list"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "out of range"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}", 8, "outside"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "two whole"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "do not agree"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "gap"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
			4, "gap or lie over"},
		{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
			8, "duplicate"},
	};
	char path[64];
	snprintf(path, sizeof path, "/tmp/bitscape-weights-%d", (int)getpid());
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault f;
		write_file(path, cases[i].header, strlen(cases[i].header), cases[i].bytes);
		struct safetensors *s = safetensors_read(path, &f);
		if (s ? cases[i].why != NULL : !cases[i].why || !strstr(f.what, cases[i].why))
			fail_msg("%s: %s", cases[i].header, s ? "read" : f.what);
		safetensors_free(s);
	}
	struct fault f;
	write_file(path, "{}", 3, 0);
	assert_null(safetensors_read(path, &f));
	write_file(path, "{}", UINT64_MAX, 0);
	assert_null(safetensors_read(path, &f));
	assert_non_null(strstr(f.what, "cannot hold"));
	unlink(path);
}

// Bytes of a sound file, changed at random: read or refused, never more.
static void damaged_files_are_read_or_refused(void **state)
{
	(void)state;
	size_t size;
	struct fault f;
	char path[64], *bytes = disk_read(DATA "small.safetensors", 1 << 20, &size, &f), *copy = malloc(size);
	uint64_t seed = 11;
	int refused = 0;
	struct rig r;
	rig_up(&r, NETWORK_STATISTICS);
	assert_true(bytes && copy);
	snprintf(path, sizeof path, "/tmp/bitscape-weights-%d", (int)getpid());
	for (int round = 0; round < 1500; round++) {
		size_t length = any_of(&seed, 4) ? size : any_of(&seed, (uint32_t)size);
		memcpy(copy, bytes, size);
		for (uint32_t k = any_of(&seed, 4); k < 4; k++)
			copy[any_of(&seed, any_of(&seed, 2) ? (uint32_t)size : 1800)] = (char)any_of(&seed, 256);
		FILE *file = fopen(path, "wb");
		assert_true(file && fwrite(copy, 1, length, file) == length && fclose(file) == 0);
		struct safetensors *s = safetensors_read(path, &f);
		if (!s || !network_read_weights(r.net, s, false, &f)) {
			refused++;
			assert_true(f.where[0] && f.what[0] && f.todo[0]);
		}
		safetensors_free(s);
	}
	assert_true(refused > 300);
	unlink(path);
	free(bytes);
	free(copy);
	rig_down(&r);
}

// ---- searches --------------------------------------------------------------------------------------------------------------

static double loss_in(struct search *s, const char *format)
{
	struct fault f;
	struct evaluation e;
	uint8_t choice[256];
	assert_true(search_uniform(s, format, choice, &f) && search_evaluate(s, choice, SPLIT_TEST, 200, &e, &f));
	free(e.choice);
	free(e.range);
	free(e.right);
	return e.loss;
}

#define SMALL "net=resnet8:width=0.25 train=512 heldout=128 batch=32 steps=12 threads=1 space=int4,int8,fp32 calibration=512 "

// What a search has trained opens in another with the same answers, whatever way the norms go; and a checkpoint of that goes on without
// the file.
static void a_search_begins_from_another_s_weights(void **state)
{
	(void)state;
	struct fault f;
	char path[64], settings[512];
	snprintf(path, sizeof path, "/tmp/bitscape-weights-%d.safetensors", (int)getpid());
	struct search *s = search_of(SMALL, NULL);
	for (int i = 0; i < 12; i++)
		assert_true(search_step(s, &f));
	double whole = loss_in(s, "fp32"), narrow = loss_in(s, "int8");
	for (int way = 0; way < 4; way++) {
		static const char *const words[] = {"", "", "norms=folded", "statistics=estimated"};
		write_weights(s, way == 1, path);
		snprintf(settings, sizeof settings, SMALL "init=%s %s", path, words[way]);
		struct search *t = search_of(settings, NULL);
		double loss = loss_in(t, "fp32");
		if (fabs(loss - whole) > 1e-5 * whole)
			fail_msg("way %d: %f, not %f", way, loss, whole);
		assert_true(fabs(loss_in(t, "int8") - narrow) < 0.01 * narrow);
		for (int i = 0; i < 3; i++)
			assert_true(search_step(t, &f));
		struct state *kept = saved(t);
		unlink(path);
		struct search *again = search_of(settings, kept);
		struct state *second = saved(again);
		same_states(kept, second);
		for (int i = 0; i < 2; i++)
			assert_true(search_step(t, &f) && search_step(again, &f));
		struct state *x = saved(t), *y = saved(again);
		same_states(x, y);
		struct state *all[] = {kept, second, x, y};
		for (int i = 0; i < 4; i++)
			state_free(all[i]);
		search_free(t);
		search_free(again);
	}
	struct config *config = config_of(settings);
	assert_null(search_new(config_knobs(config), NULL, &f)); // the file is gone
	assert_string_equal(f.where, path);
	config_free(config);
	search_free(s);
}

// The weights are those of the network that the result makes.
static void weights_go_with_the_network_that_was_found(void **state)
{
	(void)state;
	struct fault f;
	char path[64], net[64], settings[512];
	snprintf(path, sizeof path, "/tmp/bitscape-weights-%d.safetensors", (int)getpid());
	snprintf(net, sizeof net, "/tmp/bitscape-weights-%d.net", (int)getpid());
	struct search *s = search_of("net=resnet-nas:width=0.25 train=512 heldout=128 batch=32 steps=8 threads=1 space=int8,fp32 "
				     "weight.bops=1 target.bops=0.3x calibration=512",
		NULL);
	for (int i = 0; i < 8; i++)
		assert_true(search_step(s, &f));
	struct evaluation e;
	assert_true(search_evaluate(s, NULL, SPLIT_TEST, 200, &e, &f));
	FILE *file = fopen(net, "w");
	assert_true(file && search_write_network(s, e.choice, file, &f) && fclose(file) == 0);
	write_weights(s, false, path);
	snprintf(settings, sizeof settings,
		"net=%s train=512 heldout=128 batch=32 steps=8 threads=1 space=int8,fp32 calibration=512 init=%s statistics=estimated",
		net, path);
	struct search *t = search_of(settings, NULL);
	assert_true(search_info(t)->slots < search_info(s)->slots);
	double fp32 = loss_in(t, "fp32"), int8 = loss_in(t, "int8");
	assert_true(fabs(e.loss - fp32) < 0.02 * fp32 || fabs(e.loss - int8) < 0.02 * int8);
	free(e.choice);
	free(e.range);
	free(e.right);
	unlink(path);
	unlink(net);
	search_free(t);
	search_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_pytorch_s),
		cmocka_unit_test(gradients_take_statistics_as_given),
		cmocka_unit_test(names_and_sizes_are_those_of_the_network),
		cmocka_unit_test(headers_by_the_rules),
		cmocka_unit_test(damaged_files_are_read_or_refused),
		cmocka_unit_test(a_search_begins_from_another_s_weights),
		cmocka_unit_test(weights_go_with_the_network_that_was_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
