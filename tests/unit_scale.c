// SPDX-License-Identifier: GPL-3.0-or-later
// Compound scaling: names scaled, surfaces of equal cost, the published families, images made smaller.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/rank.h"
#include "engine/data/data.h"
#include "engine/hardware/device.h"
#include "engine/model/model.h"
#include "engine/scaling.h"
#include "sessions/race/family.h"
#include "sessions/race/plan.h"
#include "sessions/sessions.h"
#include "tests/said.h"

// ---- names ----

static const char *scaled(const char *net, double depth, double width, int side)
{
	static char name[MODEL_TITLE];
	struct fault f;
	if (!model_scaled(net, &(struct model_scale){depth, width, side}, name, &f))
		fail_msg("%s: %s", f.where, f.what);
	return name;
}

static int layers_of(const char *name)
{
	struct fault f;
	struct model *m = model_named(name, (struct shape){0}, 0, &f);
	if (!m)
		fail_msg("%s: %s", f.where, f.what);
	int layers = m->layers;
	model_free(m);
	return layers;
}

static void names_are_scaled(void **state)
{
	(void)state;
	assert_string_equal(scaled("resnet20", 1, 1, 0), "resnet20");
	assert_string_equal(scaled("resnet20", 4. / 3, 1.25, 24), "resnet20:res=24,width=1.25,depth=1.33333");
	assert_string_equal(scaled("resnet20:res=16,width=0.5", 2, 1.5, 0), "resnet20:res=16,width=0.75,depth=2");
	assert_string_equal(scaled("efficientnet-x-b2:se=0", 1, 2, 0),
		"efficientnet-x-b2:width=2.2,se=0"); // depth 1.2 is its own
	// One block a stage more is two layers more for each of three; a projection stands in the first block alone.
	assert_int_equal(layers_of("resnet20:depth=1.33"), layers_of("resnet20") + 6);
	assert_int_equal(layers_of("resnet20:depth=1.34"), layers_of("resnet20") + 12);
	assert_int_equal(layers_of("resnet20:depth=3"), layers_of("resnet56"));
	assert_true(layers_of("mobilenetv2:depth=2") > layers_of("mobilenetv2"));
	static const struct {
		const char *net, *says;
	} bad[] = {{"deit", "it takes no width="}, {"inception", "it takes no depth="}, {"mobilenetv2-nas", "it takes no depth="},
		{"resnet", "no such network"}, {"resnet20:width=3", "scaled, its width would be 6"},
		{"./nothing.net", "No such file"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fault f = {0};
		char name[MODEL_TITLE], line[1024];
		assert_false(model_scaled(bad[i].net, &(struct model_scale){1, 2, 0}, name, &f));
		assert_true(f.where[0] && f.todo[0]);
		if (!strstr(fault_line(&f, line, sizeof line), bad[i].says))
			fail_msg("%s", line);
	}
}

// ---- surfaces ----

// Priced again, apart from the module.
static double ms_of(const char *net, const char *device, const char *format, double *macs)
{
	struct fault f;
	char term[ENGINE_TEXT];
	snprintf(term, sizeof term, "latency@%s", device);
	struct description *d = description_open(net, 0, 0, 0, 0, &f);
	struct costing *c = d ? costing_new(d, term, 0, &f) : NULL;
	double ms;
	if (!c || !costing_total(c, &(struct layer_formats){format, format}, 1, &ms, &f))
		fail_msg("%s: %s", f.where, f.what);
	*macs = description_info(d)->macs;
	costing_free(c);
	description_close(d);
	return ms;
}

static void check_surface(const struct scaling_question *q, const char *format)
{
	struct scaling sc, again;
	struct fault f;
	char line[1024];
	double macs, base_macs, base = ms_of(q->price ? q->price : q->net, q->device, format, &base_macs);
	if (!scaling_of(q, &sc, &f) || !scaling_of(q, &again, &f)) // alike each time: a race finds its runs again by name
		fail_msg("%s", fault_line(&f, line, sizeof line));
	assert_string_equal(sc.format, format);
	assert_int_equal(sc.points, again.points);
	int of_level[SCALING_LEVELS] = {0};
	for (int i = 0; i < sc.points; i++) {
		const struct scaled *s = &sc.point[i];
		double ms = ms_of(s->priced, q->device, format, &macs);
		double multiple = q->by_macs ? macs / base_macs : ms / base;
		assert_true(fabs(multiple / q->level[s->level] - 1) <= SCALING_TOLERANCE + 1e-9);
		assert_true(fabs(multiple / s->multiple - 1) < 1e-9);
		assert_true(s->depth >= 1 && s->width >= 1 && s->resolution >= 1);
		assert_true(fabs(s->product / (s->depth * s->width * s->width * s->resolution * s->resolution) - 1) < 1e-9);
		assert_true(s->share > 0.2 && s->share <= 1);
		assert_string_equal(s->net, again.point[i].net);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(s->net, sc.point[k].net);
		of_level[s->level]++;
	}
	for (int l = 0; l < q->levels; l++) {
		assert_int_equal(of_level[l], q->points);
		assert_int_equal(sc.level[l].points, q->points);
		assert_true(sc.level[l].met >= q->points);
	}
	// The corners: what grows by width, by depth and by resolution alone is among them, or nearly.
	double most[3] = {0};
	for (int i = 0; i < sc.points; i++) {
		const struct scaled *s = &sc.point[i];
		most[0] = fmax(most[0], log(s->depth) / log(s->product));
		most[1] = fmax(most[1], 2 * log(s->width) / log(s->product));
		most[2] = fmax(most[2], 2 * log(s->resolution) / log(s->product));
	}
	for (int k = 0; k < 3; k++)
		assert_true(most[k] > 0.6);
	scaling_free(&sc);
	scaling_free(&again);
}

static void candidates_lie_on_a_surface(void **state)
{
	(void)state;
	struct scaling_question q = {
		.net = "efficientnet-x-b0", .device = "tpu_v3", .levels = 3, .level = {2, 4, 8}, .points = 12};
	check_surface(&q, "bf16");
	q.device = "v100:ideal";
	q.levels = 2;
	check_surface(&q, "fp16");
	q.by_macs = true;
	check_surface(&q, "fp16");
	// A small network, priced as it is and as at another size.
	q = (struct scaling_question){.net = "resnet20:res=16", .device = "tpu_v4", .levels = 2, .level = {2, 4}, .points = 12};
	check_surface(&q, "bf16");
	q.price = "efficientnet-x-b0";
	check_surface(&q, "bf16");
}

static void questions_that_cannot_be(void **state)
{
	(void)state;
	static const struct {
		struct scaling_question q;
		const char *says;
	} bad[] = {
		{{.net = "resnet20", .device = "tpu_v3", .levels = 1, .level = {1}, .points = 12}, "1 is none here"},
		{{.net = "resnet20", .device = "tpu_v3", .levels = 2, .level = {4, 2}, .points = 12}, "2 is none here"},
		{{.net = "resnet20", .device = "tpu_v3", .levels = 0, .points = 12}, "there are 0 of them"},
		{{.net = "resnet20", .device = "tpu_v3", .levels = 1, .level = {2}, .points = 0}, "0 candidates"},
		{{.net = "resnet20", .device = "tpu_v9", .levels = 1, .level = {2}, .points = 12}, "there is no device"},
		{{.net = "resnet20", .device = "bow", .levels = 1, .level = {2}, .points = 12}, "bandwidth"},
		{{.net = "resnet20", .device = "tpu_v3", .levels = 1, .level = {2}, .points = 12, .largest = 16},
			"32 pixels to 16"},
		{{.net = "resnet20", .device = "tpu_v3", .levels = 1, .level = {2}, .points = 12, .largest = 128},
			"to 64 at most"},
		{{.net = "resnet20", .price = "deit", .device = "tpu_v3", .levels = 1, .level = {2}, .points = 12}, "no width="},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct scaling sc;
		struct fault f = {0};
		char line[1024];
		assert_false(scaling_of(&bad[i].q, &sc, &f));
		if (!strstr(fault_line(&f, line, sizeof line), bad[i].says))
			fail_msg("%s, not %s", line, bad[i].says);
		scaling_free(&sc);
	}
}

// Every share is 1, and no kernel has a floor.
static void ideal_devices(void **state)
{
	(void)state;
	struct device plain, ideal;
	struct fault f;
	assert_true(device_get("tpu_v4", &plain, &f) && device_get("tpu_v4:ideal", &ideal, &f));
	assert_string_equal(ideal.name, "tpu_v4:ideal");
	assert_true(ideal.floor == 0 && ideal.ramp == 0 && ideal.memory_efficiency == 1 && plain.floor > 0);
	for (int w = 0; w < WORKS; w++)
		assert_true(ideal.efficiency[w] == 1);
	assert_true(ideal.peak[NATIVE_BF16] == plain.peak[NATIVE_BF16] && ideal.bandwidth == plain.bandwidth);
	assert_true(device_assumes(&ideal) && !device_assumes(&plain));
	assert_false(device_get(":ideal", &ideal, &f));
	assert_false(device_get("tpu_v9:ideal", &ideal, &f));
}

// ---- published families ----

// Each level has one product of depth, width^2 and resolution^2, in all three lines, within what the rounding of the published
// figures explains (1.2 %). Two rows do not: b2 for GPUs (9 % below) and b6 for TPUs (4 % above).
static void families_keep_the_product(void **state)
{
	(void)state;
	static const char *const lines[] = {"", "-tpu", "-gpu"};
	struct scaling_row zero, row;
	assert_true(scaling_published("", 0, &zero));
	for (int level = 1; level < SCALING_PUBLISHED; level++) {
		double product[3];
		for (int k = 0; k < 3; k++) {
			assert_true(scaling_published(lines[k], level, &row));
			double resolution = (double)row.side / zero.side;
			product[k] = row.depth * row.width * row.width * resolution * resolution;
		}
		double tpu = product[1] / product[0] - 1, gpu = product[2] / product[0] - 1;
		assert_true(level == 6 ? fabs(tpu - .043) < .002 : fabs(tpu) < .012);
		assert_true(level == 2 ? fabs(gpu + .094) < .002 : fabs(gpu) < .012);
	}
	assert_true(scaling_published("-tpu", 7, &row) && row.depth == 3.44 && row.width == 3.26 && row.side == 350);
	assert_false(scaling_published("", 8, &row));
}

static bool run(const char *line)
{
	const struct command_group group = session_race_group(NULL);
	return run_line(&group, line);
}

static void published_report(void **state)
{
	(void)state;
	assert_true(run("scale efficientnet-x published=yes"));
	// Claims of order and sign, as the README makes them.
	assert_non_null(strstr(said.bytes,
		"v100: the GPU family is faster than the original: b1 b3 b4 b5 b6 b7 with efficiency 1, b1 b3 b4 "
		"b5 b6 b7 with the stated ones: this conclusion does not need the stated efficiencies"));
	assert_non_null(strstr(said.bytes,
		"tpu_v3: the TPU family is faster than the original: b1 b3 b4 b5 b6 b7 with efficiency 1, b3 b4 b5 "
		"b6 b7 with the stated ones: this conclusion depends on the efficiencies"));
	assert_non_null(strstr(said.bytes,
		"tpu_v3: time grows less with depth than with width: no level with efficiency 1, no level"));
	assert_true(run("scale efficientnet-x published=yes device=tpu_v4 efficiency=1"));
	assert_non_null(strstr(said.bytes, "tpu_v4, efficiency 1: the TPU family is faster than the original: "));
	assert_null(strstr(said.bytes, "v100"));
	assert_false(run("scale resnet8 published=yes"));
	assert_string_equal(fault.what, "no families of it were published");
}

static void scale_command(void **state)
{
	(void)state;
	char path[] = "/tmp/bitscape-scale-XXXXXX", line[128], head[128];
	int fd = mkstemp(path);
	snprintf(line, sizeof line, "scale efficientnet-x-b0:res=32 device=tpu_v4 levels=2 res=224 csv=%s", path);
	assert_true(fd >= 0 && run(line));
	assert_non_null(strstr(said.bytes, "costs are those of efficientnet-x-b0:res=224 ("));
	assert_non_null(strstr(said.bytes, "level 2: 12 candidates of "));
	close(fd); // the file is another now
	FILE *csv = fopen(path, "r");
	int rows = 0;
	assert_true(csv && fgets(head, sizeof head, csv));
	assert_string_equal(head, "level,depth,width,resolution,side,layers,MACs,d*w^2*r^2,ms,times,bound by,network\n");
	while (fgets(head, sizeof head, csv))
		rows++;
	assert_int_equal(rows, 13); // the base too
	fclose(csv);
	unlink(path);
	assert_true(run("scale resnet20:res=16 device=tpu_v4 levels=2 efficiency=1"));
	assert_non_null(strstr(said.bytes, "on tpu_v4:ideal"));
	assert_true(
		run("scale efficientnet-x-b0 levels=100 points=2")); // 640 is beyond no limit, and 16 times the depth is the most
	static const char *const bad[][2] = {{"scale resnet20 levls=2", "no such word"},
		{"scale resnet20 levels=x", "will not do"}, {"scale resnet20 levels=", "will not do"},
		{"scale resnet20 points=1.5", "will not do"}, {"scale resnet20 format=int9", "there is no such format"},
		{"scale resnet20 efficiency=2", "will not do"}, {"scale resnet20 by=size", "will not do"},
		{"scale resnet20 images=0", "will not do"}, {"scale resnet20 device=tpu_v9", "there is no device"},
		{"scale resnet20 plot=/tmp/x", "it does not say what kind"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char what[1024];
		assert_false(run(bad[i][0]));
		assert_true(fault.where[0] && fault.todo[0]);
		if (!strstr(fault_line(&fault, what, sizeof what), bad[i][1]))
			fail_msg("%s: %s", bad[i][0], what);
	}
}

// ---- images made smaller ----

static void images_are_made_smaller(void **state)
{
	(void)state;
	struct fault f;
	struct data *own = data_open("glyphs:18", 1, 40, 10, &f), *d = data_open("glyphs:18", 1, 40, 10, &f);
	assert_true(own && d && data_resize(d, 12, &f));
	assert_true(d->h == 12 && d->w == 12 && d->fingerprint != own->fingerprint && d->mean[0] != own->mean[0]);
	// A new pixel covers one and a half old ones: weights of 1 and 1/2, in ninths.
	for (int s = 0; s < DATA_SPLITS; s++)
		for (long i = 0; i < d->split[s].count; i++)
			for (int y = 0; y < 12; y++)
				for (int x = 0; x < 12; x++) {
					int sum = 0;
					for (int oy = 0; oy < 2; oy++)
						for (int ox = 0; ox < 2; ox++) {
							int weight = (y % 2 == oy ? 2 : 1) * (x % 2 == ox ? 2 : 1);
							sum += weight *
								own->split[s]
									.pixels[(i * 18 + y * 3 / 2 + oy) * 18 + x * 3 / 2 + ox];
						}
					assert_int_equal(d->split[s].pixels[(i * 12 + y) * 12 + x], (2 * sum + 9) / 18);
				}
	assert_memory_equal(d->split[DATA_TRAIN].labels, own->split[DATA_TRAIN].labels, 60);
	struct data *beside = data_smaller(own, 12, &f); // the same images, and those that they are made of stay
	assert_true(beside && own->h == 18 && beside->fingerprint == d->fingerprint && beside->mean[0] == d->mean[0]);
	assert_true(!data_smaller(own, 19, &f) && strstr(f.what, "are not made larger"));
	data_free(beside);
	data_free(own);
	own = data_open("glyphs:12", 1, 40, 10, &f);
	struct data *same = data_open("glyphs:12", 1, 40, 10, &f);
	assert_true(own && same && data_resize(same, 12, &f) && same->fingerprint == own->fingerprint);
	assert_false(data_resize(same, 13, &f));
	assert_non_null(strstr(f.what, "are not made larger"));
	data_free(own);
	data_free(same);
	data_free(d);
}

// A name, or a file, fixes the side; the images are resized to it, and the network that is written down is the same.
static void a_side_can_be_fixed(void **state)
{
	(void)state;
	struct fault f;
	int side;
	assert_true(model_side("resnet8", &side, &f) && side == 0);
	assert_true(model_side("resnet8:width=0.5,res=10", &side, &f) && side == 10);
	char path[] = "/tmp/bitscape-scale-XXXXXX.net";
	int fd = mkstemps(path, 4);
	FILE *file = fdopen(fd, "w");
	struct description *d = description_open("resnet8:width=0.25,res=10", 0, 0, 0, 0, &f);
	assert_true(file && d && description_write(d, file, NULL) && fclose(file) == 0);
	description_close(d);
	assert_true(model_side(path, &side, &f) && side == 10);
	const char *const nets[] = {"resnet8:width=0.25,res=10", path};
	for (int i = 0; i < 2; i++) {
		struct config *c = config_new();
		assert_true(c && config_set(c, "net", nets[i], &f) && config_set(c, "data", "glyphs:14", &f) &&
			config_set(c, "train", "128", &f) && config_set(c, "heldout", "64", &f) &&
			config_set(c, "batch", "16", &f) && config_set(c, "threads", "1", &f) &&
			config_set(c, "calibration", "16", &f));
		struct engine *e = engine_open(c, NULL, &f);
		if (!e)
			fail_msg("%s: %s", f.where, f.what);
		assert_int_equal(engine_info(e)->layer[0].in_h, 10);
		engine_close(e);
		assert_true(config_set(c, "data", "glyphs:12", &f) && config_set(c, "net", "resnet8:res=14", &f));
		assert_null(engine_open(c, NULL, &f));
		assert_non_null(strstr(f.what, "are not made larger"));
		config_free(c);
	}
	static const char *const bad[][2] = {{"input 8x9x1 resize\n", "not a square"},
		{"input 8x8x1 resized\n", "not a size of images"}, {"input 8x8x1 resize now\n", "not a size of images"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		file = fopen(path, "w");
		assert_true(file && fputs(bad[i][0], file) >= 0 && fclose(file) == 0);
		assert_false(model_side(path, &side, &f));
		assert_non_null(strstr(f.what, bad[i][1]));
	}
	unlink(path);
}

// ---- what trained candidates say ----

enum { FEW = 4, LEVELS = 2, SEEDS = 3, POINTS = FEW * LEVELS };

// Of each level: depth alone, width alone, resolution alone, and a little of each.
static void make_up(struct scaled *point, const double *level)
{
	for (int l = 0, at = 0; l < LEVELS; l++)
		for (int i = 0; i < FEW; i++) {
			double x = level[l], all = pow(x, 1. / 5);
			point[at++] = (struct scaled){.level = l,
				.multiple = x,
				.depth = i == 0  ? x
					: i == 3 ? all
						 : 1,
				.width = i == 1  ? sqrt(x)
					: i == 3 ? all
						 : 1,
				.resolution = i == 2 ? sqrt(x)
					: i == 3     ? all
						     : 1};
		}
}

// [span][point][seed], from a figure for each kind of candidate; a seed has its own tenths, and so have more steps.
static void fill(double *accuracy, const double *kind)
{
	for (int span = 0, at = 0; span < FAMILY_SPANS; span++)
		for (int i = 0; i < POINTS; i++)
			for (int seed = 0; seed < SEEDS; seed++)
				accuracy[at++] = 50 + kind[i % FEW] + 5 * span + 0.1 * seed;
}

static void a_family_is_fitted(void **state)
{
	(void)state;
	static const double level[LEVELS] = {2, 4}, depth_wins[FEW] = {4, 3, 2, 1}, mixed_wins[FEW] = {1, 2, 3, 4};
	struct scaled point[POINTS];
	double accuracy[FAMILY_SPANS * POINTS * SEEDS];
	struct family f;
	make_up(point, level);
	fill(accuracy, depth_wins);
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_true(fabs(f.exponent[1][0].mean - 1) < 1e-9 && fabs(f.exponent[1][1].mean) < 1e-9 && f.error[1][0] < 1e-9);
	assert_true(f.level[0].best[1] == 0 && f.level[1].best[1] == FEW && f.level[0].rank == 1);
	assert_true(f.seeds == 1 && f.spans == 1 && f.fastest == 0);
	assert_string_equal(f.refused, "");
	// A fifth each: no exponent is larger than another.
	fill(accuracy, mixed_wins);
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	for (int w = 0; w < FAMILY_WAYS; w++)
		assert_true(fabs(f.exponent[1][w].mean - .2) < 1e-9);
	assert_true(f.refused[0]);
	// One seed finds another best in level 4: depth 1, 1 and by least squares ln2^2/(ln2^2+ln4^2) = 1/5.
	fill(accuracy, depth_wins);
	accuracy[(POINTS + FEW + 1) * SEEDS + 2] = 99;
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_true(fabs(f.exponent[1][0].mean - (1 + 1 + .2) / 3) < 1e-9 && fabs(f.exponent[1][1].mean - .4 / 3) < 1e-9);
	assert_true(fabs(f.error[1][0] - sqrt(2. / 3 * .64 / 2 / 3)) < 1e-9); // deviations .8/3, .8/3, -1.6/3
	assert_true(fabs(f.seeds - 1. / 3) < 1e-9);                           // {1, 0, 0} against {.2, .4, 0}: no correlation
	assert_non_null(strstr(f.refused, "seeds rank the exponents differently (a correlation of 0.33 is below 0.7)"));
	// More steps turn the order of level 2 round.
	fill(accuracy, depth_wins);
	for (int i = 0; i < FEW; i++)
		for (int seed = 0; seed < SEEDS; seed++)
			accuracy[i * SEEDS + seed] = 60 + i;
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_true(f.level[0].rank == -1);
	assert_non_null(strstr(f.refused, "level 2 otherwise (a correlation of -1.00 is below 0.7)"));
	// Nothing is deeper in level 4: that depth does not grow is no finding.
	fill(accuracy, depth_wins);
	struct scaled shallow[POINTS];
	memcpy(shallow, point, sizeof shallow);
	for (int i = FEW; i < POINTS; i++)
		shallow[i].depth = 1;
	assert_true(family_of(shallow, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_string_equal(f.refused, "no candidate of level 4 is deeper");
	// A training that is not there, and one seed alone.
	fill(accuracy, depth_wins);
	accuracy[3] = NAN;
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_string_equal(f.refused, "1 of 48 trainings of candidates have no result");
	double one[FAMILY_SPANS * POINTS];
	for (int i = 0; i < FAMILY_SPANS * POINTS; i++)
		one[i] = i % POINTS;
	assert_true(family_of(point, POINTS, level, LEVELS, 1, one, &f));
	assert_string_equal(f.refused, "one seed does not say how far the exponents are off");
	assert_true(isnan(f.error[1][0]) && isnan(f.seeds));
}

// Seeds whose best candidates grow by different multiples.
static void seeds_may_disagree(void **state)
{
	(void)state;
	static const double level[LEVELS] = {2, 4}, depth_wins[FEW] = {4, 3, 2, 1};
	struct scaled point[POINTS];
	double accuracy[FAMILY_SPANS * POINTS * SEEDS];
	struct family f;
	make_up(point, level);
	fill(accuracy, depth_wins);
	for (int span = 0; span < FAMILY_SPANS; span++)
		for (int l = 0; l < LEVELS; l++)
			accuracy[(span * POINTS + l * FEW + 1) * SEEDS + 2] +=
				1.05; // the third seed's best is the widest; the mean's is not
	assert_true(family_of(point, POINTS, level, LEVELS, SEEDS, accuracy, &f));
	assert_true(f.level[0].rank == 1 && f.level[1].rank == 1 && f.level[0].best[1] == 0);
	assert_true(fabs(f.seeds - (1 - .5 - .5) / 3) < 1e-9);
	assert_non_null(strstr(f.refused, "seeds rank the exponents differently (a correlation of 0.00 is below 0.7)"));
}

static void a_plan_has_candidates(void **state)
{
	(void)state;
	struct plan p = {0};
	struct string text = {0};
	struct fault f;
	int count;
	assert_true(plan_scale_word(&p, "resnet20:res=16", &f) && plan_scale_word(&p, "device=tpu_v4", &f) &&
		plan_scale_word(&p, "levels=2", &f) && plan_word(&p, "net=resnet8", &f) && plan_word(&p, "formats=bf16", &f) &&
		plan_baseline(&p, "short", 10, &f) && plan_baseline(&p, "long", 20, &f) && plan_settle(&p, &f));
	struct race_run *run = plan_runs(&p, &count, &f);
	assert_true(run && count == 2 * (1 + 1 + 12)); // what was named, what is scaled, its candidates
	assert_string_equal(run[1].network, "resnet20:res=16");
	assert_string_equal(run[0].entrant->setting.text[0], "steps=10");
	plan_write(&p, &text);
	assert_non_null(strstr(text.bytes, "net=resnet8\nscale resnet20:res=16 device=tpu_v4 levels=2\nformats=bf16\n"));
	assert_null(strstr(text.bytes, "width="));
	free(run);
	string_free(&text);
	plan_free(&p);
}

// ---- ranks ----

static void ranks_are_correlated(void **state)
{
	(void)state;
	const double x[] = {1, 2, 3, 4, 5}, same[] = {10, 20, 30, 40, 1000}, back[] = {5, 4, 3, 2, 1}, tied[] = {1, 1, 2, 2, 2};
	assert_true(fabs(rank_correlation(x, same, 5) - 1) < 1e-12 && fabs(rank_correlation(x, back, 5) + 1) < 1e-12);
	assert_true(fabs(rank_correlation(x, tied, 5) - sqrt(3) / 2) < 1e-12); // ranks .5 .5 3 3 3
	assert_true(rank_correlation(x, (const double[]){7, 7, 7, 7, 7}, 5) == 0 && rank_correlation(x, x, 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_scaled),
		cmocka_unit_test(candidates_lie_on_a_surface),
		cmocka_unit_test(questions_that_cannot_be),
		cmocka_unit_test(ideal_devices),
		cmocka_unit_test(families_keep_the_product),
		cmocka_unit_test(published_report),
		cmocka_unit_test(scale_command),
		cmocka_unit_test(images_are_made_smaller),
		cmocka_unit_test(a_side_can_be_fixed),
		cmocka_unit_test(a_family_is_fitted),
		cmocka_unit_test(seeds_may_disagree),
		cmocka_unit_test(a_plan_has_candidates),
		cmocka_unit_test(ranks_are_correlated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
