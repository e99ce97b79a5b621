// SPDX-License-Identifier: GPL-3.0-or-later
// Questions that need no search: the engine's answers against figures known from elsewhere or worked out by hand, and the
// commands that print them.
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

#include "engine/catalog.h"
#include "engine/cost/cost.h"
#include "engine/quant/format.h"
#include "sessions/sessions.h"
#include "engine/base/text.h"
#include "tests/said.h"

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b);
}

static struct description *open_named(const char *name)
{
	struct fault f;
	struct description *d = description_open(name, 0, 0, 0, 0, &f);
	if (!d)
		fail_msg("%s: %s", f.where, f.what);
	return d;
}

// ---- networks --------------------------------------------------------------------------------------------------------

// Parameters as torchvision's (resnet50, mobilenetv2) and the released code of EfficientNet count them.
static void descriptions_have_the_known_totals(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		double parameters;
		int layers, side;
	} known[] = {{"resnet50", 25557032, 54, 224}, {"mobilenetv2", 3504872, 53, 224}, {"efficientnet-b0", 5288548, 82, 224}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct description *d = open_named(known[i].name);
		const struct description_info *info = description_info(d);
		assert_true(info->parameters == known[i].parameters);
		assert_int_equal(info->layers, known[i].layers);
		assert_int_equal(info->h, known[i].side);
		assert_int_equal(info->classes, 1000);
		double macs = 0, weights = 0;
		for (int l = 0; l < info->layers; l++) {
			macs += info->layer[l].macs;
			weights += info->layer[l].weights;
		}
		assert_true(macs == info->macs && weights == info->weights);
		description_close(d);
	}
}

// Each counter's number for six networks, as it was printed: facts read off runs in eval mode for one image of 224x224.
static void counters_print_what_the_tools_print(void **state)
{
	(void)state;
	static const char plain[] = "", grads[] = "with gradients enabled", nograd[] = "under no_grad, torchvision's attention",
			  dense[] = "discount_sparsity=False", pytorch[] = "backend pytorch", aten[] = "backend aten",
			  function[] = "where pooling is a function, as in torchvision's mobilenet_v2",
			  tv[] = "torchvision's attention", timm[] = "timm's attention";
	static const struct {
		const char *net, *name, *variant;
		double count;
	} printed[] = {
		{"resnet18", "FlopCounterMode / 2", plain, 1814073344},
		{"resnet18", "fvcore", plain, 1819065856},
		{"resnet18", "ptflops", pytorch, 1825313768},
		{"resnet18", "ptflops", aten, 1814074344},
		{"resnet18", "torchinfo", plain, 1814083944},
		{"resnet18", "thop", plain, 1824033792},
		{"resnet18", "calflops", plain, 1814073344},
		{"resnet18", "torchprofile", plain, 1816557568},
		{"mobilenetv2", "FlopCounterMode / 2", plain, 300774272},
		{"mobilenetv2", "fvcore", plain, 314193216},
		{"mobilenetv2", "ptflops", function, 320300008},
		{"mobilenetv2", "ptflops", aten, 300775272},
		{"mobilenetv2", "torchinfo", plain, 300809384},
		{"mobilenetv2", "thop", function, 327486720},
		{"mobilenetv2", "calflops", plain, 300774272},
		{"mobilenetv2", "torchprofile", plain, 307453664},
		{"mobilenetv2", "qonnx", dense, 300774272},
		{"efficientnet-b0", "FlopCounterMode / 2", plain, 385814752},
		{"efficientnet-b0", "fvcore", plain, 401659392},
		{"efficientnet-b0", "ptflops", pytorch, 410196896},
		{"efficientnet-b0", "ptflops", aten, 385825092},
		{"efficientnet-b0", "torchinfo", plain, 385867108},
		{"efficientnet-b0", "thop", plain, 415145024},
		{"efficientnet-b0", "calflops", plain, 385814752},
		{"efficientnet-b0", "torchprofile", plain, 394869216},
		// vit_b_16 of torchvision, then vit_base of timm
		{"deit-base", "FlopCounterMode / 2", grads, 17563828224},
		{"deit-base", "FlopCounterMode / 2", nograd, 11271124992},
		{"deit-base", "fvcore", plain, 16867412736},
		{"deit-base", "ptflops", tv, 17606030584},
		{"deit-base", "ptflops", aten, 16864992232},
		{"deit-base", "torchinfo", tv, 173232616},
		{"deit-base", "thop", tv, 11286254592},
		{"deit-base", "calflops", plain, 16848500736},
		{"deit-base", "torchprofile", tv, 17567610673},
		{"deit-base", "ptflops", timm, 12017610232},
		{"deit-base", "torchinfo", timm, 201581032},
		{"deit-base", "thop", timm, 16848500736},
		{"deit-base", "torchprofile", timm, 17567610624},
		{"deit-tiny", "FlopCounterMode / 2", grads, 1253683200},
		{"deit-tiny", "fvcore", plain, 1079579328},
		{"deit-tiny", "ptflops", timm, 912887404},
		{"deit-tiny", "ptflops", aten, 1078974952},
		{"deit-tiny", "torchinfo", timm, 34470760},
		{"deit-tiny", "thop", timm, 1074851328},
		{"deit-tiny", "calflops", plain, 1074851328},
		{"deit-tiny", "torchprofile", timm, 1254628800},
		{"deit-tiny", "qonnx", dense, 1253683200},
	};
	for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
		struct description *d = open_named(printed[i].net);
		const struct description_info *info = description_info(d);
		struct counted c;
		bool found = false;
		for (int k = 0; !found && description_counted(d, k, &c); k++)
			found = strcmp(c.name, printed[i].name) == 0 && strcmp(c.variant, printed[i].variant) == 0;
		if (!found || fabs(c.count - printed[i].count) > 0)
			fail_msg("%s by %s %s: %.0f, printed was %.0f", printed[i].net, printed[i].name, printed[i].variant,
				found ? c.count : -1, printed[i].count);
		double sum = info->macs + info->attention_macs;
		for (int p = 0; p < c.parts; p++)
			sum += c.part[p].count;
		assert_true(sum == c.count);
		description_close(d);
	}
}

static void layers_are_described(void **state)
{
	(void)state;
	struct description *d = open_named("mobilenetv2");
	const struct layer_info *stem = &description_info(d)->layer[0], *second = stem + 1;
	assert_string_equal(stem->kind, "conv");
	assert_int_equal(stem->in_h, 224);
	assert_int_equal(stem->out_c, 32);
	assert_int_equal(stem->stride, 2);
	assert_true(stem->macs == 112. * 112 * 32 * 27 && stem->weights == 32 * 27 && stem->activations == 224. * 224 * 3);
	assert_string_equal(second->kind, "depthwise");
	assert_int_equal(second->groups, 32);
	assert_int_equal(second->kernel_w, 3);
	description_close(d);

	struct fault f;
	assert_non_null(d = description_open("resnet8", 16, 16, 1, 4, &f)); // data of another size
	assert_int_equal(description_info(d)->c, 1);
	assert_int_equal(description_info(d)->classes, 4);
	assert_string_equal(description_info(d)->layer[description_info(d)->layers - 1].kind, "linear");
	description_close(d);
	assert_null(description_open("resnet9", 0, 0, 0, 0, &f));
	assert_string_equal(f.what, "no such network");
}

// ---- costs -----------------------------------------------------------------------------------------------------------

static const struct layer_formats int8 = {"int8", "int8"}, int4 = {"int4", "int4"}, mixed = {"int4", "int8"};

// A network's description as a file; the path lives until the next call.
static const char *file_of(const char *text)
{
	static char path[64];
	snprintf(path, sizeof path, "/tmp/bitscape-catalog-XXXXXX.net");
	int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	FILE *f = fdopen(fd, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	return path;
}

static const char tall[] = "input 8x8x3\nclasses 4\nstem conv out=8 kernel=1x7\nback conv out=8 kernel=7x1 groups=2\n"
			   "p pool\nhead linear out=classes\n";

// A kernel has two sides, in a search's network as in one of the catalog.
static void kernels_have_two_sides(void **state)
{
	(void)state;
	const char *path = file_of(tall);
	struct description *d = open_named(path);
	struct config *config = config_new();
	struct fault f;
	assert_non_null(config);
	assert_true(config_set(config, "net", path, &f) && config_set(config, "data", "none", &f));
	struct engine *e = engine_open(config, NULL, &f);
	assert_non_null(e);
	const struct layer_info *of[] = {description_info(d)->layer, engine_info(e)->layer};
	for (int i = 0; i < 2; i++) {
		assert_true(of[i][0].kernel_h == 1 && of[i][0].kernel_w == 7 && of[i][1].kernel_h == 7 && of[i][1].kernel_w == 1);
		assert_string_equal(of[i][1].kind, "grouped");
	}
	engine_close(e);
	config_free(config);
	description_close(d);
	unlink(path);
}

// Queries by keys and scores by values: two products of n x n x width in each of the blocks, which no layer counts.
static void attention_counts_beside_the_layers(void **state)
{
	(void)state;
	struct description *d = open_named("deit-tiny:res=1024");
	const struct description_info *info = description_info(d);
	const double n = 64 * 64 + 1, each = 2 * n * n * 192;
	double sum = 0;
	int with = 0;
	for (int i = 0; i < info->layers; i++) {
		sum += info->layer[i].attention_macs;
		with += info->layer[i].attention_macs > 0;
		assert_true(info->layer[i].attention_macs == 0 ||
			(near(info->layer[i].attention_macs, each) && strstr(info->layer[i].name, ".qkv")));
	}
	assert_int_equal(with, 12);
	assert_true(near(sum, 12 * each) && near(info->attention_macs, sum));
	assert_true(fabs(info->macs - 22.35e9) < 0.01e9 && fabs(info->macs + info->attention_macs - 99.7e9) < 0.05e9);
	description_close(d);
	d = open_named("resnet8");
	assert_true(description_info(d)->attention_macs == 0);
	description_close(d);
}

static void costs_of_choices(void **state)
{
	(void)state;
	struct fault f;
	struct description *d = open_named("resnet8");
	const struct description_info *info = description_info(d);
	struct costing *bops = costing_new(d, "bops", 0, &f);
	double total;
	assert_true(costing_total(bops, &int8, 1, &total, &f) && total == 64 * info->macs);
	assert_true(costing_total(bops, &mixed, 1, &total, &f) && total == 32 * info->macs);
	struct layer_formats each[10];
	assert_int_equal(info->layers, 10);
	for (int i = 0; i < 10; i++)
		each[i] = i == 3 ? int8 : int4;
	assert_true(costing_total(bops, each, 10, &total, &f) && total == 16 * info->macs + 48 * info->layer[3].macs);
	assert_string_equal(costing_unit(bops), "bit ops per image");
	assert_int_equal(costing_batch(bops), 1);
	assert_null(costing_type(bops, "int8"));
	assert_false(costing_total(bops, each, 9, &total, &f));
	each[9].activation = "int9";
	assert_false(costing_total(bops, each, 10, &total, &f));
	assert_string_equal(f.what, "there is no such format");
	costing_free(bops);
	assert_null(costing_new(d, "bobs", 0, &f));
	assert_null(costing_new(d, "latency@bow", 0, &f));
	assert_non_null(strstr(f.what, "bandwidth"));
	struct costing *v100 = costing_new(d, "latency@v100", 0, &f);
	assert_string_equal(costing_type(v100, "bf16"), "fp32"); // it has no bf16, and fp16 does not hold it
	assert_string_equal(costing_type(v100, "int8"), "fp16");
	costing_free(v100);
	description_close(d);
}

// The stem of resnet8 in int8 on the TPU v4, at 128 images. Useful: 2 x 32 x 32 x 16 x 27 x 128. On the matrix unit: 27 is rounded up
// to 128, and 16, with the pixels in the lanes, to 8, at .9 of 275 T. From memory, at .87 of 1200 GB/s: the images once, 432 weights, a
// scale and a bias for each of 16 channels; the output, 2 MB, stays in the 168 MB on chip, and goes there at 3 TB/s.
static void roofline_of_a_layer_by_hand(void **state)
{
	(void)state;
	struct fault f;
	struct description *d = open_named("resnet8");
	struct costing *latency = costing_new(d, "latency@tpu_v4", 0, &f), *bops = costing_new(d, "bops", 0, &f);
	struct roofline_point point[10];
	struct roofline r = {0};
	assert_true(costing_roofline(latency, &int8, 1, &r, point, &f));
	assert_string_equal(r.device, "tpu_v4");
	assert_int_equal(r.batch, 128);
	assert_int_equal(r.layers, 10);
	assert_string_equal(r.layer[0].name, "stem");
	assert_true(r.bandwidth == 1200e9);
	assert_true(near(point[0].operations, 2. * 32 * 32 * 16 * 27 * 128));
	const double bytes = 128. * 32 * 32 * 3 + 432 + 16 * 8;
	assert_true(near(point[0].bytes, bytes));
	// A floor of .89 us; the shorter side, memory, shows whole, for it is below 1.33 us.
	const double memory = bytes / (.87 * 1200e9) + 128. * 32 * 32 * 16 / 3000e9;
	assert_true(memory < 1.33e-6);
	assert_true(near(point[0].ms, 1e3 * (.89e-6 + 2. * 32 * 32 * 16 * 128 * 128 / (.9 * 275e12) + memory)));
	assert_string_equal(point[0].type, "int8");
	assert_true(point[0].roof == 275e12 && !point[0].memory_bound);
	assert_false(costing_assumed(latency));
	assert_false(costing_roofline(bops, &int8, 1, &r, point, &f));
	assert_string_equal(f.what, "it has no roofline");
	costing_free(latency);
	costing_free(bops);
	description_close(d);
}

// ---- devices ---------------------------------------------------------------------------------------------------------

static void devices_have_ridge_points(void **state)
{
	(void)state;
	struct device_sheet sheet;
	struct fault f;
	assert_true(catalog_device("tpu_v4", &sheet, &f));
	assert_true(near(sheet_figure(&sheet, "ridge", "bf16")->value, 275e12 / 1200e9));
	assert_true(near(sheet_figure(&sheet, "peaks", "int8")->value, 275));
	assert_string_equal(sheet_figure(&sheet, "peaks", "fp32")->mark, "assumed");
	assert_string_equal(sheet_figure(&sheet, "ridge", "fp32")->mark, "assumed"); // as the peak that it follows from
	assert_string_equal(sheet_figure(&sheet, "", "batch")->mark, "assumed");
	assert_null(sheet_figure(&sheet, "peaks", "int3"));
	assert_true(catalog_device("a100", &sheet, &f));
	assert_true(near(sheet_figure(&sheet, "ridge", "int8")->value, 624e12 / 2039e9));
	assert_true(sheet_figure(&sheet, "ridge", "e4m3")->value == 0);
	assert_true(catalog_device("cmos_45nm", &sheet, &f));
	assert_true(isnan(sheet_figure(&sheet, "peaks", "int8")->value));
	assert_false(catalog_device("tpu_v9", &sheet, &f));
}

// ---- commands --------------------------------------------------------------------------------------------------------

static bool run(const char *line)
{
	const struct command_group group = session_catalog_group(NULL);
	return run_line(&group, line);
}

// The words of the first line behind `from` that begins with this word, one blank between them.
static const char *row(const char *from, const char *word)
{
	static char words[1024];
	words[0] = '\0';
	char *copy = test_malloc(strlen(from) + 1), *save = NULL;
	strcpy(copy, from);
	for (char *line = strtok_r(copy, "\n", &save); line && !words[0]; line = strtok_r(NULL, "\n", &save)) {
		char *inner = NULL, *first = strtok_r(line, " ", &inner);
		for (char *w = first && strcmp(first, word) == 0 ? first : NULL; w; w = strtok_r(NULL, " ", &inner)) {
			strcat(words, words[0] ? " " : "");
			strcat(words, w);
		}
	}
	test_free(copy);
	return words;
}

static void catalog_command(void **state)
{
	(void)state;
	assert_true(run("catalog"));
	assert_string_equal(row(said.bytes, "resnet8"), "resnet8 12.5 M - 78.04 k 77.36 k 10 97.34 k 16.38 k 32x32x3");
	assert_string_equal(row(said.bytes, "resnet50"), "resnet50 4.089 G - 25.56 M 25.5 M 54 10.66 M 802.8 k 224x224x3");
	for (const char *const *name = engine_nets(); *name; name++)
		assert_string_not_equal(row(said.bytes, *name), "");
	assert_true(run("catalog deit-*"));
	assert_string_equal(row(said.bytes, "resnet8"), "");
	assert_string_not_equal(row(said.bytes, "deit-tiny"), "");
	assert_false(run("catalog renset*"));
	assert_string_equal(fault.what, "no network has this name");
}

static void attention_is_said(void **state)
{
	(void)state;
	assert_true(run("catalog deit-tiny:res=1024"));
	assert_string_equal(row(said.bytes, "deit-tiny:res=1024"),
		"deit-tiny:res=1024 22.35 G 77.35 G 6.466 M 5.648 M 50 69.22 M 3.146 M 1024x1024x3");
	assert_true(run("describe deit-tiny:res=1024"));
	assert_non_null(strstr(said.bytes, "22.35 G MACs in layers and 77.35 G in attention's products"));
	assert_non_null(strstr(said.bytes, "bops does not count them"));
	assert_non_null(strstr(row(said.bytes, "b1.qkv"), " 6.446 G"));
	assert_true(run("latency deit-tiny:res=1024 int8 device=t4 by=kind"));
	assert_non_null(strstr(said.bytes, "22.35 G MACs in layers and 77.35 G in attention's products"));
	assert_non_null(strstr(row(said.bytes, "without"), "without weights - 77.58 % "));
	assert_true(run("describe resnet8"));
	assert_null(strstr(said.bytes, "attention"));
}

static void describe_command(void **state)
{
	(void)state;
	assert_true(run("describe resnet8"));
	assert_string_equal(row(said.bytes, "stem"), "stem conv 32x32x3 32x32x16 3x3 1 1 442.4 k 432 3.54 %");
	assert_string_equal(row(said.bytes, "head"), "head linear 1x1x64 1x1x10 1x1 1 1 640 640 0.01 %");
	assert_string_equal(row(said.bytes, "bops"),
		"bops 200 M bit ops in int4, 800.1 M bit ops in int8, 3.2 G bit ops in bf16");
	char path[] = "/tmp/bitscape-catalog-XXXXXX.net", line[64];
	int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	close(fd);
	snprintf(line, sizeof line, "describe resnet8 %s", path);
	assert_true(run(line));
	struct description *written = open_named(path), *own = open_named("resnet8");
	assert_true(description_info(written)->macs == description_info(own)->macs);
	assert_true(description_info(written)->parameters == description_info(own)->parameters);
	assert_int_equal(description_info(written)->operators, description_info(own)->operators);
	description_close(written);
	description_close(own);
	unlink(path);
	assert_false(run("describe resnet9"));
	assert_string_equal(fault.what, "no such network");
	assert_false(run("describe resnet*"));
	assert_false(run("describe resnet8 /nowhere/at/all.net"));
}

static void formats_command(void **state)
{
	(void)state;
	assert_true(run("formats"));
	for (const char *const *name = engine_formats(); *name; name++)
		assert_string_not_equal(row(said.bytes, *name), "");
	assert_string_equal(row(said.bytes, "int4"), "int4 4 4 one a channel, or an input - - 1 7");
	assert_string_equal(row(said.bytes, "e4m3"), "e4m3 8 8 one a channel, or an input 4 3 0.001953 448");
	assert_string_equal(row(said.bytes, "mxfp4"), "mxfp4 4 4.25 32 values share a scale, a power of two 2 1 0.5 6");
	assert_string_equal(row(said.bytes, "nvfp4"), "nvfp4 4 4.5 16 values share a scale, e4m3 times fp32 2 1 0.5 6");
	assert_string_equal(row(said.bytes, "mxint8"),
		"mxint8 8 8.25 32 values share a scale, a power of two - - 0.01562 1.9844");
	assert_string_equal(row(said.bytes, "fp16"), "fp16 16 16 none 5 10 5.96e-08 65504");
	assert_true(run("formats mxfp6 int8"));
	assert_string_equal(row(said.bytes, "mxfp4"), "");
	assert_string_not_equal(row(said.bytes, "mxfp6"), "");
	assert_false(run("formats mxfp6 mxfq4"));
	assert_string_equal(fault.what, "there is no such format");
	struct format_sheet sheet;
	assert_false(catalog_format("int9", &sheet));
}

static void devices_command(void **state)
{
	(void)state;
	assert_true(run("devices"));
	assert_string_equal(row(said.bytes, "tpu_v3"), "tpu_v3 - - - - - - - - - 123 - 20.5~ 3.8 900 33.55 220 262");
	const char *ridges = strstr(said.bytes, "ridge");
	assert_non_null(ridges);
	assert_string_equal(row(ridges, "tpu_v4"), "tpu_v4 - - - - - 229.2 - - - 229.2 - 38.19~");
	assert_string_equal(row(ridges, "v100"), "v100 - - - - - - - - 138.9 - - 17.44?");
	assert_true(run("devices tpu_v4"));
	assert_non_null(strstr(said.bytes, "source: TPU v4 paper, table 4"));
	assert_string_equal(row(said.bytes, "peaks.fp32"), "peaks.fp32 45.83 Tops/s assumed");
	assert_string_equal(row(said.bytes, "peaks.int4"), "peaks.int4 none Tops/s");
	assert_string_equal(row(said.bytes, "inner.int4"), ""); // no tile of a type that it lacks
	assert_string_equal(row(said.bytes, "inner.int8"), "inner.int8 128");
	assert_string_equal(row(said.bytes, "kernel.floor"), "kernel.floor 0.89 us fitted");
	assert_string_equal(row(said.bytes, "whole.int8"), ""); // nothing that it needs a multiple of
	assert_true(run("devices tpu_v5e"));
	assert_string_equal(row(said.bytes, "whole.int8"), "whole.int8 128 assumed");
	assert_string_equal(row(said.bytes, "kernel.floor"), "kernel.floor 0.89 us assumed");
	assert_false(run("devices tpu_v9"));
	assert_non_null(strstr(fault.todo, "tpu_v3, tpu_v4i"));
}

// by=kind: the rows are sums over the layers' points of the roofline, and add up to the whole.
static void latency_by_kind(void **state)
{
	(void)state;
	struct description *d = open_named("mobilenetv2");
	const struct description_info *info = description_info(d);
	const struct layer_formats bf16 = {"bf16", "bf16"};
	struct costing *c = costing_new(d, "latency@tpu_v3", 8, &fault);
	struct roofline_point *point = calloc((size_t)info->layers, sizeof *point);
	struct roofline r;
	double total, macs = 0, ms = 0, all = 0;
	int layers = 0, bound = 0;
	assert_true(c && point && costing_total(c, &bf16, 1, &total, &fault));
	assert_true(costing_roofline(c, &bf16, 1, &r, point, &fault));
	for (int i = 0; i < info->layers; i++) {
		bool depthwise = strcmp(info->layer[i].kind, "depthwise") == 0;
		layers += depthwise;
		macs += depthwise ? info->layer[i].macs : 0;
		ms += depthwise ? point[i].ms : 0;
		bound += depthwise && point[i].memory_bound;
		all += point[i].ms;
	}
	assert_int_equal(layers, 17); // one in each block
	char expected[128];
	assert_true(run("latency mobilenetv2 bf16 device=tpu_v3 batch=8 by=kind"));
	snprintf(expected, sizeof expected, "depthwise %d %.2f %% %.4g %.2f %% %d", layers, 100 * macs / info->macs, ms,
		100 * ms / total, bound);
	assert_string_equal(row(said.bytes, "depthwise"), expected);
	snprintf(expected, sizeof expected, "without weights - 0.00 %% %.4g %.2f %%", total - all, 100 * (total - all) / total);
	assert_string_equal(row(said.bytes, "without"), expected);
	assert_true(total > all);
	free(point);
	costing_free(c);
	description_close(d);
}

// What a device file holds is shown: nothing in it may speak to the terminal.
static void foreign_text_is_cleaned(void **state)
{
	(void)state;
	char path[] = "/tmp/bitscape-device-XXXXXX.json", line[96];
	int fd = mkstemps(path, 5);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	fputs("{\"bitscape-device\": 1, \"name\": \"x\\u001b[2Jy\", \"source\": \"a\\u009b31m\\u0007b\\nc \\u00e9\", \"peaks\": {\"int8\": 4},"
	      " \"vector\": 1, \"bandwidth\": 10, \"batch\": 4}",
		file);
	assert_int_equal(fclose(file), 0);
	snprintf(line, sizeof line, "devices %s", path);
	assert_true(run(line));
	assert_non_null(strstr(said.bytes, "x?[2Jy\nsource: a??31m?b?c \xc3\xa9\n"));
	for (const char *p = said.bytes; *p; p++)
		assert_true(*p == '\n' || (unsigned char)*p >= ' ');
	// And in the unit of a term on it.
	struct description *d = open_named("resnet8");
	char term[96];
	struct fault f;
	struct roofline r;
	struct roofline_point point[10];
	snprintf(term, sizeof term, "latency@%s", path);
	struct costing *c = costing_new(d, term, 0, &f);
	assert_non_null(c);
	assert_true(costing_roofline(c, &(struct layer_formats){"int8", "int8"}, 1, &r, point, &f));
	assert_string_equal(r.device, "x?[2Jy");
	costing_free(c);
	description_close(d);
	unlink(path);
}

static void latency_command(void **state)
{
	(void)state;
	assert_true(run("latency resnet8 int8 bf16 over=v100"));
	for (const char *const *name = engine_devices(); *name; name++)
		assert_non_null(strstr(said.bytes, *name));
	assert_non_null(strstr(said.bytes, "bow: the memory bandwidth of bow is unknown"));
	struct description *d = open_named("resnet8");
	struct costing *c = costing_new(d, "latency@v100", 0, &fault);
	double eight, sixteen;
	char expected[128];
	assert_true(costing_total(c, &int8, 1, &eight, &fault));
	assert_true(costing_total(c, &(struct layer_formats){"bf16", "bf16"}, 1, &sixteen, &fault));
	snprintf(expected, sizeof expected, "v100 128 %.4g~ %.4g~ fp16 1x %.4g~ %.4g~ fp32 1x", eight, eight / 128, sixteen,
		sixteen / 128);
	assert_string_equal(row(said.bytes, "v100"), expected);
	costing_free(c);
	description_close(d);
	assert_non_null(strstr(said.bytes, "int8, as fast as v100: "));
	assert_non_null(strstr(said.bytes, "(~ by assumed efficiencies"));
	assert_true(run("latency resnet8 int8 device=tpu_v4 over=v100")); // one figure has no mean
	assert_null(strstr(said.bytes, "geometric"));
	assert_null(strstr(said.bytes, "~"));
	assert_true(run("latency resnet?0 int8 device=tpu_v4 over=tpu_v4"));
	assert_non_null(strstr(said.bytes, "int8, as fast as tpu_v4: 1x to 1x, geometric mean of 2: 1x"));
	// A network against itself with twice the width, at another batch, on one device.
	assert_true(run("latency resnet8:width=2 int8 device=t4 batch=2 over=resnet8:width=2"));
	assert_non_null(strstr(row(said.bytes, "t4"), "t4 2 "));
	assert_non_null(strstr(row(said.bytes, "t4"), " 1x"));
	static const struct {
		const char *line, *what;
	} bad[] = {{"latency resnet9", "no such network"}, {"latency resnet8 int9", "there is no such format"},
		{"latency resnet8 device=tpu_v9", "there is no device \"tpu_v9\""},
		{"latency resnet8 device=x*", "no device has this name"},
		{"latency resnet8 batch=0", "this is not a size of a batch"}, {"latency resnet8 over=tpu_v9", "no such network"},
		{"latency resnet8 over=/nowhere.json", NULL}, {"latency .", "no session is open"}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(run(bad[i].line));
		if (bad[i].what)
			assert_string_equal(fault.what, bad[i].what);
	}
}

// `roofline`: its parts are those of the library and add up, and what was measured is said.
static void roofline_command(void **state)
{
	(void)state;
	struct product_time p, cold;
	struct product_question q = {512, 1024, 512, "bf16", "tpu_v4", false, 0};
	assert_true(catalog_product(&q, &p, &fault));
	assert_true(near(p.seconds, p.floor + fmax(p.compute, p.memory) + p.exposed) && !p.assumed && p.on_chip && !p.vector);
	assert_string_equal(p.bound, "compute");
	char expected[64];
	assert_true(run("roofline 512x1024x512 bf16 on tpu_v4"));
	snprintf(expected, sizeof expected, "on tpu_v4: %.4g us, bound by compute;", 1e6 * p.seconds);
	assert_non_null(strstr(said.bytes, expected));
	snprintf(expected, sizeof expected, "compute %.4g us", 1e6 * p.compute);
	assert_true(strncmp(row(said.bytes, "compute"), expected, strlen(expected)) == 0);
	assert_string_equal(row(said.bytes, "measured"), "");
	q.cold = true;
	assert_true(catalog_product(&q, &cold, &fault) && cold.seconds > p.seconds && !cold.on_chip);
	// fp32 in six passes, or in as many as are asked for.
	q = (struct product_question){4096, 4096, 4096, "fp32", "tpu_v5e", false, 0};
	assert_true(catalog_product(&q, &p, &fault) && p.passes == 6 && p.assumed);
	q.passes = 3;
	assert_true(catalog_product(&q, &cold, &fault) && cold.passes == 3 && near(p.compute, 2 * cold.compute));
	assert_true(run("roofline 1536x2048x2048 bf16 on tpu_v4"));
	assert_non_null(strstr(said.bytes, "52.5 us  on a TPU v4; the model says 1.0"));
	assert_true(run("roofline 64x64x64 int8 on tpu_v5e"));
	assert_non_null(strstr(said.bytes, "bound by floor"));
	assert_non_null(strstr(said.bytes, "(efficiencies are assumed)"));
	assert_true(run("roofline 1x1000x4096 bf16 on tpu_v4 cold"));
	assert_non_null(strstr(said.bytes, "on the vector unit"));
	static const struct {
		const char *line, *what;
	} bad[] = {{"roofline 1x2 bf16 on tpu_v4", "these are not the sizes of a product"},
		{"roofline 1x2x0 bf16 on tpu_v4", "these are not"}, {"roofline 1x2x3x4 bf16 on tpu_v4", "these are not"},
		{"roofline 1x2x3x bf16 on tpu_v4", "these are not"}, {"roofline 1x-2x3 bf16 on tpu_v4", "these are not"},
		{"roofline 1x2x99999999999999999999 bf16 on tpu_v4", "these are not"},
		{"roofline 1x2x1e3 bf16 on tpu_v4", "these are not"}, {"roofline 'x' bf16 on tpu_v4", "these are not"},
		{"roofline 1x2x3 int9 on tpu_v4", "there is no such format"},
		{"roofline 1x2x3 bf16 on tpu_v9", "there is no device"},
		{"roofline 1x2x3 bf16 at tpu_v4", "it needs a product, a format and a device"},
		{"roofline 1x2x3", "it needs a product"}, {"roofline 1x2x3 bf16 on tpu_v4 hot", "this is not one of its words"},
		{"roofline 1x2x3 fp32 on tpu_v4 passes=2", "this is not one"},
		{"roofline 1x2x3 fp32 on a100 passes=3", "its fp32 is not made of passes of bf16"},
		{"roofline 1x2x3 fp16 on bow", "its memory bandwidth is unknown"}, {"roofline", "it needs at least 1 argument"}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (run(bad[i].line) || strncmp(fault.what, bad[i].what, strlen(bad[i].what)) != 0 || !fault.todo[0])
			fail_msg("%s: %s; %s", bad[i].line, fault.what, fault.todo);
}

// `roofline measured`: every time with what the model says, and how far it is off on what was fitted to and on the rest.
static void measured_times(void **state)
{
	(void)state;
	struct measured_time time[128];
	int count = catalog_measured(time, 128, &fault), fitted = 0;
	assert_int_equal(count, 65);
	for (int i = 0; i < count; i++)
		fitted += time[i].fitted;
	assert_int_equal(fitted, 20 + 7);
	assert_true(run("roofline measured"));
	int lines = 0;
	for (const char *at = said.bytes; (at = strstr(at, " us ")); at++)
		lines++;
	assert_int_equal(lines, 2 * count);
	double sum = 0;
	int rows = 0;
	for (int i = 0; i < count; i++)
		if (!time[i].fitted && strcmp(time[i].kind, "product") == 0) {
			sum += fabs(log(time[i].modelled / time[i].measured));
			rows++;
		}
	char expected[128];
	snprintf(expected, sizeof expected, "product      not fitted %d rows: off by a factor of %.3f", rows, exp(sum / rows));
	assert_non_null(strstr(said.bytes, expected));
}

// ---- sensitivity -----------------------------------------------------------------------------------------------------

static double loses(const struct losses *l, int layer, const char *format, const char *expected_source)
{
	double points;
	const char *source;
	assert_true(losses_layer(l, layer, format, &points, &source, &fault));
	assert_string_equal(source, expected_source);
	return points;
}

// Trace and squared errors as published: s1b1.conv1 .06857826, 6.743 at int4, .0235 at int8; s4b2.conv2 .00072944, 17.4016.
// Loss goes as trace x error to a power, .36 by the fit; the errors in between by equal factors.
static void losses_of_layers(void **state)
{
	(void)state;
	struct description *d = open_named("resnet18");
	struct losses *l = losses_new(d, "hawq", &fault);
	assert_non_null(l);
	const int last = description_info(d)->layers - 1;
	assert_string_equal(description_info(d)->layer[1].name, "s1b1.conv1");
	assert_string_equal(description_info(d)->layer[last - 1].name, "s4b2.conv2");
	const double four = loses(l, 1, "int4", "fitted"), eight = loses(l, 1, "int8", "fitted");
	assert_true(near(four / eight, pow(6.743 / .0235, .36)));
	assert_true(near(four / loses(l, last - 1, "int4", "fitted"), pow(.06857826 * 6.743 / (.00072944 * 17.4016), .36)));
	assert_true(near(loses(l, 1, "int6", "extrapolated"), sqrt(four * eight)));
	assert_true(loses(l, 1, "fp32", "measured") == 0);
	assert_true(near(loses(l, 0, "int4", "extrapolated"), four - eight)); // the stem: as the layer losing most beyond int8
	assert_true(losses_top1(l) == 71.47);
	double points;
	const char *source;
	assert_false(losses_layer(l, 1, "int9", &points, &source, &fault));
	assert_string_equal(fault.what, "there is no such format");
	// Held out: 3 choices; the errors are those of the choices.
	static const double rms[2][2] = {{.189, .260}, {.444, .228}};
	double squares[2][2] = {{0}}, worst[2][2] = {{0}};
	struct losses_choice c;
	int choices = 0;
	for (; losses_choice(l, choices, &c); choices++)
		for (int yardstick = 0; yardstick < 2; yardstick++) {
			double off = fabs((yardstick ? c.yardstick : c.said) - c.published);
			squares[c.fitted][yardstick] += off * off;
			worst[c.fitted][yardstick] = fmax(worst[c.fitted][yardstick], off);
		}
	assert_int_equal(choices, 8);
	for (int k = 0; k < 4; k++) {
		struct losses_error e = losses_error(l, k / 2, k % 2);
		assert_int_equal(e.choices, k / 2 ? 5 : 3);
		assert_true(near(e.rms, sqrt(squares[k / 2][k % 2] / e.choices)) && near(e.worst, worst[k / 2][k % 2]));
		assert_true(fabs(e.rms - rms[k / 2][k % 2]) < .001);
	}
	losses_free(l);
	description_close(d);
	losses_free(NULL);
}

// A row of losses as the command is to print it.
static void losses_row(char *words, size_t size, const struct losses *losses, int layer, const char *name)
{
	static const char *const formats[] = {"int2", "int3", "int4", "int5", "int6", "int7", "int8"};
	int length = snprintf(words, size, "%s", name);
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		double points;
		const char *source;
		assert_true(losses_layer(losses, layer, formats[i], &points, &source, &fault));
		length += snprintf(words + length, size - (size_t)length, " %.4f%c", points,
			strcmp(source, "fitted") == 0 ? 'f' : 'x');
	}
}

// The command's figures against the library's: what each layer loses, the published choices, their errors, the times.
static void sensitivity_command(void **state)
{
	(void)state;
	char words[512];
	struct model *m = model_named("resnet18", (struct shape){0, 0, 0}, 0, &fault);
	struct description *d = open_named("resnet18");
	struct losses *losses = losses_new(d, "hawq", &fault);
	assert_true(m && losses);
	assert_true(run("sensitivity resnet18"));
	for (int l = 0; l < m->layers; l++) {
		losses_row(words, sizeof words, losses, l, m->layer[l].name);
		assert_string_equal(row(said.bytes, m->layer[l].name), words);
	}
	struct losses_choice c;
	for (int i = 0; losses_choice(losses, i, &c); i++) {
		snprintf(words, sizeof words, "%s %s %.2f %.2f %+.2f %.2f %+.2f", c.name, c.fitted ? "fitted" : "held out",
			c.published, c.said, c.said - c.published, c.yardstick, c.yardstick - c.published);
		assert_string_equal(row(said.bytes, c.name), words);
	}
	// Held out are 70.50, 70.40 and 70.34, closer together than the error; of the fitted 71.56 is the best and 68.45 the worst.
	static const char *const lines[] = {
		"better than the yardstick\n              published, they span 0.16 points, less than the error\n",
		"worse than the yardstick\n              published, they span 3.11 points\n"};
	for (int fitted = 0; fitted < 2; fitted++) {
		const struct losses_error e = losses_error(losses, fitted, false), yardstick = losses_error(losses, fitted, true);
		snprintf(words, sizeof words, "(%d): off by %.3f rms, %.3f at worst; the yardstick by %.3f and %.3f: %s",
			e.choices, e.rms, e.worst, yardstick.rms, yardstick.worst, lines[fitted]);
		assert_non_null(strstr(said.bytes, words));
	}
	losses_free(losses);
	description_close(d);

	struct cost *t4 = cost_new(m, "latency@t4", 0, &fault), *table = cost_new(m, "latency@table:hawq", 0, &fault);
	assert_true(t4 && table);
	enum { LAYERS = 21 };
	assert_int_equal(m->layers, LAYERS);
	struct layer_plan layer[LAYERS];
	double predicted[2][LAYERS], measured[2][LAYERS];
	for (int k = 0; k < 2; k++) {
		const char *format = k ? "int8" : "int4";
		struct cost_comparison sum;
		for (int l = 0; l < LAYERS; l++)
			layer[l] = (struct layer_plan){format_named(format), format_named(format)};
		assert_true(cost_compare(t4, table, &(struct plan){.model = m, .layer = layer}, predicted[k], measured[k], &sum,
			&fault));
		snprintf(words, sizeof words,
			"%s, 19 layers: ln(ratio) has mean %.3f (the roofline says %.3g of the time), "
			"standard deviation %.3f; Spearman's rank correlation %.3f\n",
			format, sum.bias, exp(sum.bias), sum.spread, sum.rank);
		assert_non_null(strstr(said.bytes, words));
	}
	const char *times = strstr(said.bytes, "The roofline of a T4");
	assert_non_null(times);
	for (int l = 1; l < LAYERS - 1; l++) {
		snprintf(words, sizeof words, "%s %.5f %.5f %.4f %.5f %.5f %.4f", m->layer[l].name, predicted[0][l],
			measured[0][l], predicted[0][l] / measured[0][l], predicted[1][l], measured[1][l],
			predicted[1][l] / measured[1][l]);
		assert_string_equal(row(times, m->layer[l].name), words);
	}
	assert_string_equal(row(times, "stem"), "");
	assert_non_null(strstr(times, "left out, not measured: stem, head"));
	assert_null(strstr(times, "extrapolated"));
	cost_free(t4);
	cost_free(table);
	model_free(m);
}

// resnet50: the fit is poor, and said to be; three layers were timed at another size.
static void sensitivity_does_not_oversell(void **state)
{
	(void)state;
	assert_true(run("sensitivity resnet50 hawq int4 e4m3"));
	assert_non_null(strstr(said.bytes, "fitted   (5): off by 0.677 rms"));
	assert_non_null(strstr(said.bytes, "held out (3): off by 0.802 rms"));
	assert_null(strstr(said.bytes, ": better than the yardstick"));
	assert_non_null(strstr(said.bytes,
		"left out, extrapolated from a layer of another size: s2b1.conv1, s3b1.conv1, s4b1.conv1"));
	assert_string_equal(row(strstr(said.bytes, "The roofline of a T4"), "s2b1.conv1"), "");
	assert_string_equal(row(said.bytes, "layer"), "layer int4 e4m3");
}

static void sensitivity_of_ones_own_table(void **state)
{
	(void)state;
	char path[] = "/tmp/bitscape-losses-XXXXXX.csv", line[128], number[96];
	int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	struct description *d = open_named("resnet8");
	const struct description_info *info = description_info(d);
	fputs("# top1 91.5\nlayer,format,lost,source\n", file);
	for (int l = 0; l < info->layers; l++)
		fprintf(file, "%s,int4,%d.25,%s\n", info->layer[l].name, l, l == 1 ? "extrapolated" : "measured");
	fprintf(file, "%s,int8,0.5,fitted\n", info->layer[0].name);
	assert_int_equal(fclose(file), 0);
	snprintf(line, sizeof line, "sensitivity resnet8 %s int4 int8 fp32", path);
	assert_true(run(line));
	assert_non_null(strstr(said.bytes, "of fp32's 91.50 %"));
	assert_string_equal(row(said.bytes, "stem"), "stem 0.2500m 0.5000f 0.0000m");
	snprintf(number, sizeof number, "%s 1.2500x - 0.0000m", info->layer[1].name);
	assert_string_equal(row(said.bytes, info->layer[1].name), number);
	assert_non_null(strstr(said.bytes, "Nothing was fitted"));
	assert_null(strstr(said.bytes, "yardstick"));
	assert_non_null(strstr(said.bytes, "no figures per layer were published for this network"));
	description_close(d);

	file = fopen(path, "w");
	assert_non_null(file);
	fputs("layer,format,lost\nstem,int4,many\n", file);
	assert_int_equal(fclose(file), 0);
	assert_false(run(line));
	assert_string_equal(fault.what, "\"many\" cannot be used");
	snprintf(number, sizeof number, "%s, line 2", path);
	assert_string_equal(fault.where, number);
	assert_string_equal(fault.todo, "expected points of top-1, from -100 to 100");
	unlink(path);
	static const struct {
		const char *line, *what;
	} bad[] = {{"sensitivity resnet9", "no such network"}, {"sensitivity resnet18 int9", "there is no such format"},
		{"sensitivity resnet18 int4 hawq", "there is no such format"},
		{"sensitivity resnet*", "ask about one network at a time"},
		{"sensitivity resnet18 /nowhere.csv", "No such file or directory"},
		{"sensitivity resnet34", "no figures per layer were published for this network"}};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(run(bad[i].line));
		assert_string_equal(fault.what, bad[i].what);
	}
	assert_non_null(strstr(fault.todo, "resnet18 or resnet50"));
}

static int free_said(void **state)
{
	(void)state;
	string_free(&said);
	return 0;
}

static void rivals_within_a_limit(void **state)
{
	(void)state;
	static const char *const formats[] = {"int4", "int5", "int8"}, *const backwards[] = {"int8", "int4"};
	struct fault f = {0};
	struct description *d = description_open("resnet18", 0, 0, 0, 0, &f);
	assert_non_null(d);
	struct losses *l = losses_new(d, "hawq", &f);
	struct costing *size = costing_new(d, "size", 0, &f), *latency = costing_new(d, "latency@a100", 0, &f);
	assert_true(l && size && latency);
	int layers = description_info(d)->layers, *choice = calloc((size_t)layers * RIVALS, sizeof *choice);
	assert_non_null(choice);
	struct rival rival[RIVALS];
	double most;
	assert_true(losses_rivals(l, size, formats, 3, "0.7x", &most, rival, choice, &f));
	for (int r = 0; r < RIVALS; r++) {
		// What a rival says of its choice is what the choice costs and loses, layer by layer.
		struct layer_formats *its = calloc((size_t)layers, sizeof *its);
		double cost, lost = 0;
		assert_true(its && rival[r].found && rival[r].cost <= most);
		for (int i = 0; i < layers; i++) {
			double points;
			const char *source, *name = formats[choice[r * layers + i]];
			its[i] = (struct layer_formats){name, name};
			assert_true(losses_layer(l, i, name, &points, &source, &f));
			lost += points;
		}
		assert_true(costing_total(size, its, layers, &cost, &f));
		assert_true(fabs(cost - rival[r].cost) <= 1e-9 * cost && fabs(lost - rival[r].lost) < 1e-9);
		assert_true(rival[RIVALS - 1].lost <= rival[r].lost + 1e-12 && rival[RIVALS - 1].bound <= rival[r].lost + 1e-12);
		free(its);
	}
	assert_string_equal(rival[RIVALS - 1].name, "exact");
	assert_true(losses_rivals(l, size, formats, 3, "0.01x", &most, rival, choice, &f) && !rival[RIVALS - 1].found);
	assert_false(losses_rivals(l, size, backwards, 2, "0.7x", &most, rival, choice, &f));
	assert_non_null(strstr(f.what, "narrowest first"));
	assert_false(losses_rivals(l, latency, formats, 3, "0.7x", &most, rival, choice, &f));
	assert_false(losses_rivals(l, size, formats, 3, "much", &most, rival, choice, &f));
	free(choice);
	costing_free(size);
	costing_free(latency);
	losses_free(l);
	description_close(d);
}

static void rivals_of_a_table_without_a_baseline(void **state)
{
	(void)state;
	char path[] = "/tmp/bitscape-rivals-XXXXXX.csv", line[128];
	int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	struct description *d = open_named("resnet8");
	for (int top1 = 0; top1 < 2; top1++) {
		rewind(file);
		fputs(top1 ? "# top1 91.5\n" : "", file);
		fputs("layer,format,lost\n", file);
		for (int l = 0; l < description_info(d)->layers; l++)
			fprintf(file, "%s,int4,0.25\n%s,int8,0\n", description_info(d)->layer[l].name,
				description_info(d)->layer[l].name);
		assert_int_equal(fflush(file), 0);
		snprintf(line, sizeof line, "rivals resnet8 1x int4 int8 table=%s", path);
		assert_true(run(line));
		assert_null(strstr(said.bytes, "nan"));
		assert_non_null(strstr(row(said.bytes, "exact"),
			top1 ? " M bit ops x1.000 ~91.50 % " : " M bit ops x1.000 -0.00 points "));
		assert_true((strstr(said.bytes, "does not say what fp32 has") == NULL) == top1);
		assert_non_null(strstr(said.bytes, "bit ops per image; top-1 is estimated"));
	}
	fclose(file);
	unlink(path);
	description_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptions_have_the_known_totals),
		cmocka_unit_test(counters_print_what_the_tools_print),
		cmocka_unit_test(layers_are_described),
		cmocka_unit_test(kernels_have_two_sides),
		cmocka_unit_test(attention_counts_beside_the_layers),
		cmocka_unit_test(attention_is_said),
		cmocka_unit_test(costs_of_choices),
		cmocka_unit_test(roofline_of_a_layer_by_hand),
		cmocka_unit_test(devices_have_ridge_points),
		cmocka_unit_test(catalog_command),
		cmocka_unit_test(describe_command),
		cmocka_unit_test(formats_command),
		cmocka_unit_test(devices_command),
		cmocka_unit_test(foreign_text_is_cleaned),
		cmocka_unit_test(latency_command),
		cmocka_unit_test(latency_by_kind),
		cmocka_unit_test(roofline_command),
		cmocka_unit_test(measured_times),
		cmocka_unit_test(losses_of_layers),
		cmocka_unit_test(sensitivity_command),
		cmocka_unit_test(rivals_within_a_limit),
		cmocka_unit_test(rivals_of_a_table_without_a_baseline),
		cmocka_unit_test(sensitivity_does_not_oversell),
		cmocka_unit_test(sensitivity_of_ones_own_table),
	};
	return cmocka_run_group_tests_name("catalog", tests, NULL, free_said);
}
