// SPDX-License-Identifier: GPL-3.0-or-later
// What formats cost on images: the scan against whole choices, the same figures whatever stops it, and a search over its table.
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
#include "engine/measuring.h"
#include "engine/search/sensitivity.h"
#include "tests/ground.h"
#include "tests/searching.h"
#include "tests/weighing.h"

#define IMAGES_SET "train=512 heldout=128 batch=32 threads=1 calibration=100 "
#define NET "net=resnet8:width=0.25 "
static const char *const formats[] = {"int2", "int4", "int8", "e4m3"};
enum { FORMATS_HERE = 4, LAYERS = 10 };
static char folder[64], weights[96];

// A network that has learned something.
static int set_up(void **state)
{
	struct fault f;
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/bitscape-measuring-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(weights, sizeof weights, "%s/w.safetensors", folder);
	struct search *s = search_of(NET IMAGES_SET "steps=60 space=int8,fp32 front-every=0", NULL);
	for (int i = 0; i < 60; i++)
		assert_true(search_step(s, &f));
	write_weights(s, false, weights);
	search_free(s);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return ground_clear(folder) ? 0 : -1;
}

static struct measuring *open_with(const char *more, long images)
{
	char settings[512], line[1024];
	struct fault f;
	snprintf(settings, sizeof settings, NET IMAGES_SET "init=%s %s", weights, more);
	struct config *c = config_of(settings);
	struct measuring *m = measuring_open(c, formats, FORMATS_HERE, images, &f);
	config_free(c);
	if (!m)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return m;
}

static void scan(struct measuring *m, long units)
{
	struct fault f;
	for (long i = 0; i < units; i++)
		assert_true(measuring_advance(m, &f));
}

static char *file_at(const char *path)
{
	size_t size;
	struct fault f;
	char *bytes = disk_read(path, 1 << 20, &size, &f);
	if (!bytes)
		fail_msg("%s: %s", f.where, f.what);
	return bytes;
}

// Each figure is that of the whole network with the one half in its format, bit for bit: ranges and statistics are those of fp32 there.
static void a_scan_is_as_good_as_whole_passes(void **state)
{
	(void)state;
	static const char *const ways[] = {
		"", "range=percentile", "scales=layer norms=folded", "range=mse unsigned=off threads=2"};
	for (int way = 0; way < 4; way++) {
		struct measuring *m = open_with(ways[way], 72); // two batches and a part
		const struct measuring_info *info = measuring_info(m);
		assert_true(info->layers == LAYERS && info->images == 72 && info->units == 3 * LAYERS && info->labelled);
		assert_int_equal(info->calibration_images, 96);
		scan(m, info->units);
		int moved = 0;
		for (int l = 0; l < LAYERS; l++)
			for (int half = 0; half < 2; half++)
				for (int k = 0; k < FORMATS_HERE; k += way ? 3 : 1) {
					struct layer_formats choice[LAYERS];
					struct measured_choice c;
					struct fault f;
					for (int i = 0; i < LAYERS; i++)
						choice[i] = (struct layer_formats){"fp32", "fp32"};
					*(half ? &choice[l].activation : &choice[l].weight) = formats[k];
					assert_true(measuring_choice(m, choice, LAYERS, &c, NULL, &f));
					struct measured_figure g = measuring_figure(m, l, half, k);
					if (g.lost != c.figure.lost || g.kl != c.figure.kl || g.kl_error != c.figure.kl_error)
						fail_msg("%s: layer %d half %d %s: %g points, %g nats; %g and %g by whole passes",
							ways[way], l, half, formats[k], g.lost, g.kl, c.figure.lost, c.figure.kl);
					moved += g.kl > 1e-4;
				}
		assert_true(moved > LAYERS);
		measuring_free(m);
	}
}

// A choice without rounding costs nothing, and what it costs grows as formats narrow.
static void choices_are_measured(void **state)
{
	(void)state;
	struct measuring *m = open_with("", 0);
	struct measured_choice c[3];
	struct layer_range range[LAYERS];
	struct fault f;
	static const char *const all[] = {"fp32", "int8", "int2"};
	for (int i = 0; i < 3; i++)
		assert_true(measuring_choice(m, &(struct layer_formats){all[i], all[i]}, 1, &c[i], range, &f));
	assert_true(c[0].figure.lost == 0 && c[0].figure.kl < 1e-6 && c[0].agreement == 100 && c[0].figure.lost_error > 0);
	assert_true(c[1].figure.kl > c[0].figure.kl && c[2].figure.kl > 10 * c[1].figure.kl && c[2].agreement < c[1].agreement);
	assert_true(range[0].weight > 0 && range[0].activation > 0);
	assert_true(fabs(c[1].accuracy - (c[0].accuracy - c[1].figure.lost)) < 1e-9);
	assert_false(measuring_choice(m, &(struct layer_formats){"int99", "int8"}, 1, &c[0], NULL, &f));
	assert_string_equal(f.where, "int99");
	measuring_free(m);
}

// Stopped after any unit, saved and taken up by another process: the same table to the byte. Of anything else it is refused.
static void a_scan_goes_on_where_it_was_stopped(void **state)
{
	(void)state;
	char part[96], table[96], other[96];
	struct fault f;
	snprintf(part, sizeof part, "%s/t.csv.part", folder);
	snprintf(table, sizeof table, "%s/t.csv", folder);
	snprintf(other, sizeof other, "%s/o.csv", folder);
	struct measuring *m = open_with("", 72);
	const long units = measuring_info(m)->units;
	scan(m, units);
	assert_true(measuring_write(m, table, &f));
	measuring_free(m);
	char *whole = file_at(table);
	for (long stop = 3; stop < units; stop += 9) {
		m = open_with("", 72);
		scan(m, stop);
		assert_true(measuring_save(m, part, &f));
		measuring_free(m);
		m = open_with("", 72);
		assert_true(measuring_resume(m, part, &f));
		assert_int_equal(measuring_info(m)->done, stop);
		scan(m, units - stop);
		assert_true(measuring_write(m, other, &f));
		measuring_free(m);
		char *again = file_at(other);
		assert_string_equal(whole, again);
		free(again);
	}
	m = open_with("", 71);
	assert_false(measuring_resume(m, part, &f));
	assert_non_null(strstr(f.what, "another measurement"));
	assert_int_equal(measuring_info(m)->done, 0);
	measuring_free(m);
	m = open_with("range=percentile", 72);
	assert_false(measuring_resume(m, part, &f));
	measuring_free(m);
	size_t size;
	char *bytes = disk_read(part, 1 << 20, &size, &f);
	m = open_with("", 72);
	for (size_t cut = 0; cut < size; cut += size / 23) {
		assert_true(disk_replace(part, bytes, cut, &f));
		assert_false(measuring_resume(m, part, &f));
		assert_string_equal(f.where, part);
	}
	free(bytes);
	free(whole);
	measuring_free(m);
}

// The table is one that a search reads; on it a search finds more than uniform formats, and leaves the weights as they are. What is evaluated is
// measured.
static void a_search_over_the_table(void **state)
{
	(void)state;
	char table[96], settings[500];
	struct fault f;
	snprintf(table, sizeof table, "%s/s.csv", folder);
	struct measuring *m = open_with("", 0);
	scan(m, measuring_info(m)->units);
	struct measured_figure g = measuring_figure(m, 3, 0, 1);
	assert_true(measuring_write(m, table, &f));
	snprintf(settings, sizeof settings,
		NET IMAGES_SET "init=%s sensitivity=%s space=int2,int4,int8 weight.bops=1 target.bops=0.2x steps=300", weights,
		table);
	struct search *s = search_of(settings, NULL);
	assert_true(s->shared.by_loss && s->source->estimated[0] && !s->source->idle);
	struct sensitivity *read = sensitivity_named(s->shared.model, table, &f);
	struct layer_plan plan[LAYERS];
	for (int l = 0; l < LAYERS; l++)
		plan[l] = (struct layer_plan){format_named("int4"), format_named("fp32")};
	assert_true(read && fabs(sensitivity_lost(read, 3, plan[3]) - g.lost) < 1e-4);
	assert_true(fabs(sensitivity_error(read, 3, plan[3]) - g.lost_error) < 1e-3);
	sensitivity_free(read);
	struct state *before = saved(s);
	for (int i = 0; i < 300; i++)
		assert_true(search_step(s, &f));
	struct state *after = saved(s);
	const struct state_tensor *x = state_find(before, "network.weights"), *y = state_find(after, "network.weights");
	assert_true(x && y && x->bytes == y->bytes);
	assert_memory_equal(x->data, y->data, x->bytes);
	state_free(before);
	// At no more cost than the target, and nearer to fp32 than int2 in every layer.
	struct evaluation e, narrow;
	uint8_t even[2 * LAYERS];
	assert_true(search_uniform(s, "int2", even, &f));
	assert_true(search_evaluate(s, NULL, SPLIT_TEST, 0, &e, &f) && search_evaluate(s, even, SPLIT_TEST, 0, &narrow, &f));
	assert_true(e.images > 0 && isfinite(e.divergence) && !e.unlabelled);
	assert_true(e.divergence < narrow.divergence / 4 && e.agreement > narrow.agreement);
	assert_true(e.cost[0] <= 1.02 * lane_goal(&s->lane[0].aim[0]));
	// The measured choice is that of a measuring, on other images.
	struct evaluation front;
	assert_true(search_evaluate(s, NULL, SPLIT_HELDOUT, 16, &front, &f));
	assert_true(front.images == 0 && front.accuracy >= 0 && front.loss > 0);
	struct search *again = search_of(settings, after);
	struct state *third = saved(again);
	same_states(after, third);
	state_free(after);
	state_free(third);
	search_free(again);
	struct evaluation *all[] = {&e, &narrow, &front};
	for (int i = 0; i < 3; i++) {
		free(all[i]->choice);
		free(all[i]->range);
		free(all[i]->right);
	}
	measuring_free(m);
	search_free(s);
}

// Pictures without labels: quality is agreement, and nothing trains.
static void without_labels_agreement_counts(void **state)
{
	(void)state;
	static const char *const file[] = {
		"a-colour.jpg", "b-gray.jpg", "c-colour.png", "d-gray.png", "e-alpha.png", "f-palette.png", "g-tall.png"};
	struct fault f;
	char spec[96], settings[500], line[1024];
	snprintf(spec, sizeof spec, "%s/plain", folder);
	assert_int_equal(mkdir(spec, 0777), 0);
	for (int i = 0; i < 28; i++) {
		char from[128], to[600];
		size_t size;
		snprintf(from, sizeof from, "tests/data/images/%s", file[i % 7]);
		snprintf(to, sizeof to, "%s/%d%s", spec, i, file[i % 7]);
		char *bytes = disk_read(from, 1 << 20, &size, &f);
		assert_true(bytes && disk_replace(to, bytes, size, &f));
		free(bytes);
	}
	snprintf(settings, sizeof settings,
		"net=resnet8:width=0.25 data=images:%s resize=24 crop=16 heldout=8 batch=4 threads=1 calibration=8 space=int2,int8,fp32",
		spec);
	struct config *c = config_of(settings);
	struct measuring *m = measuring_open(c, formats, FORMATS_HERE, 0, &f);
	config_free(c);
	if (!m)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	const struct measuring_info *info = measuring_info(m);
	assert_true(!info->labelled && info->images == 8);
	scan(m, info->units);
	struct measured_choice choice;
	assert_true(measuring_choice(m, &(struct layer_formats){"int2", "int2"}, 1, &choice, NULL, &f));
	assert_true(isnan(choice.accuracy) && isnan(choice.loss) && fabs(choice.figure.lost - (100 - choice.agreement)) < 1e-9);
	measuring_free(m);
	struct search *s = search_of(settings, NULL);
	struct evaluation e;
	uint8_t even[2 * LAYERS];
	assert_non_null(strstr(s->source->idle, "images without labels train nothing"));
	assert_true(search_uniform(s, "fp32", even, &f) && search_evaluate(s, even, SPLIT_HELDOUT, 0, &e, &f));
	assert_true(e.unlabelled && e.accuracy == 1 && e.agreement == 1 && e.loss < 1e-6);
	free(e.choice);
	free(e.range);
	free(e.right);
	search_free(s);
}

// In a search that trains, quality=agreement scores by minus the divergence from fp32 with the same weights.
static void agreement_as_quality(void **state)
{
	(void)state;
	struct fault f;
	struct search *s = search_of(NET IMAGES_SET "steps=40 space=int2,fp32 quality=agreement learn-every=1 front-every=0",
		NULL);
	assert_true(s->shared.by_loss);
	struct asked *a = &s->asked;
	uint8_t choice[2][2 * LAYERS];
	double quality[2];
	assert_true(search_uniform(s, "fp32", choice[0], &f) && search_uniform(s, "int2", choice[1], &f));
	assert_true(source_ask(s->source, a, 0, 2, choice[0], &f) && source_answer(s->source, a, quality, &f));
	assert_true(fabs(quality[0]) < 1e-9 && quality[1] < -1e-3);
	for (int i = 0; i < 10; i++)
		assert_true(search_step(s, &f));
	search_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_is_as_good_as_whole_passes),
		cmocka_unit_test(choices_are_measured),
		cmocka_unit_test(a_scan_goes_on_where_it_was_stopped),
		cmocka_unit_test(a_search_over_the_table),
		cmocka_unit_test(without_labels_agreement_counts),
		cmocka_unit_test(agreement_as_quality),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
