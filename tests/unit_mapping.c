// SPDX-License-Identifier: GPL-3.0-or-later
// A job on a machine with choices: its slots, what choices come to beside the same division priced by itself, and the exhaustive search.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/machine.h"
#include "engine/pods/mapping.h"
#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

static int formats[3];

static struct mapping_asked asked(const char *work, const char *chips, int count, bool serve)
{
	formats[0] = format_named(count == 1 ? "bf16" : "int4");
	formats[1] = format_named("int8");
	formats[2] = format_named("bf16");
	return (struct mapping_asked){.pod = "tpu_v4",
		.work = work,
		.chips = chips,
		.format = formats,
		.formats = count,
		.serve = serve,
		.tokens = 3e11};
}

static struct mapping *mapping_with(const struct mapping_asked *a)
{
	struct fault f;
	char line[512];
	struct mapping *m = mapping_new(a, &f);
	if (!m)
		fail_msg("%s", fault_line(&f, line, sizeof line));
	return m;
}

static int slot_at(const struct mapping *m, const char *name)
{
	int count;
	const struct slot *slot = mapping_slots(m, &count);
	for (int i = 0; i < count; i++)
		if (strcmp(slot[i].name, name) == 0)
			return i;
	return -1;
}

static void set(const struct mapping *m, uint8_t *option, const char *name, const char *value)
{
	int count, at = slot_at(m, name);
	const struct slot *slot = mapping_slots(m, &count);
	assert_true(at >= 0);
	int o = slot_named(&slot[at], value, NULL);
	assert_true(o >= 0);
	option[at] = (uint8_t)o;
}

static void random_choice(const struct mapping *m, uint64_t key, uint8_t *option)
{
	int count;
	const struct slot *slot = mapping_slots(m, &count);
	for (int i = 0; i < count; i++)
		option[i] = (uint8_t)(rng_bits(key, (uint64_t)i) % (uint64_t)slot[i].options);
}

// ---- slots ----

static void slots_are_those_of_the_job(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "512", 3, false);
	struct mapping *m = mapping_with(&a);
	int count;
	const struct slot *slot = mapping_slots(m, &count);
	assert_int_equal(count, 12); // no slice of 512 chips can be twisted
	assert_int_equal(slot_at(m, "twist"), -1);
	assert_string_equal(slot[0].name, "topology");
	assert_int_equal(slot[0].options, 3);
	assert_string_equal(slot[0].option[2], "8x8x8");
	for (int i = slot_at(m, "weights.format"); i < count; i++)
		assert_int_equal(slot[i].options, 3);
	mapping_free(m);
	a = asked("gpt3", "128,512", 1, false);
	m = mapping_with(&a);
	slot = mapping_slots(m, &count);
	int twist = slot_at(m, "twist");
	assert_int_equal(twist, 1);
	assert_int_equal(slot[twist].owner, 0);
	for (int o = 0; o < slot[0].options; o++) // 4x4x8 is the only one
		assert_int_equal(slot[twist].when >> o & 1, strcmp(slot[0].option[o], "4x4x8") == 0);
	mapping_free(m);
	a = asked("palm_540b", "64", 3, true);
	m = mapping_with(&a);
	assert_int_equal(slot_at(m, "gradients.carried"), -1); // nothing is learned in serving
	assert_true(slot_at(m, "activations.carried") > 0);
	mapping_free(m);
}

// ---- choices ----

// Choices that are divisions, beside the same division priced by itself.
static void an_even_choice_costs_what_its_division_does(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "512", 3, false);
	struct mapping *m = mapping_with(&a);
	static const struct {
		const char *slice, *size[PARTS];
		int number[PARTS];
	} rows[] = {{"8x8x8", {"8", "1", "8", "8"}, {8, 1, 8, 8}}, {"4x8x16", {"16", "4", "1", "8"}, {16, 4, 1, 8}},
		{"4x4x32", {"32", "4", "1", "4"}, {32, 4, 1, 4}}};
	static const char *const parts[] = {"pipeline", "data", "model1", "model2"};
	struct pod pod;
	struct world w;
	struct division_job j;
	struct fault f;
	assert_true(pod_get("tpu_v4", &pod, &f));
	world_begin(&w, &pod, NULL);
	division_job_begin(&j, &w, &transformer_table[0]);
	j.efficiency = division_calibrate(&w);
	j.format[OF_WEIGHTS] = format_named("int8");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (int style = 0; style < 4; style++) {
			uint8_t option[16] = {0};
			struct slice s;
			struct division d;
			struct division_price price;
			struct mapped x;
			bool whole;
			set(m, option, "topology", rows[i].slice);
			for (int k = 0; k < PARTS; k++)
				set(m, option, parts[k], rows[i].size[k]);
			set(m, option, "weights.cut", style & 1 ? "2D" : "1D");
			set(m, option, "activations.cut", style >> 1 ? "2D" : "1D");
			static const char *const bf16[] = {
				"activations.format", "activations.carried", "gradients.carried", "weights.carried"};
			for (int k = 0; k < 4; k++)
				set(m, option, bf16[k], "bf16");
			set(m, option, "weights.format", "int8");
			assert_true(slice_read(&pod, rows[i].slice, false, &s, &f));
			assert_true(division_with(&s, rows[i].number, &d, &whole, &f) && whole);
			d.weights_2d = style & 1;
			d.activations_2d = style >> 1;
			assert_true(division_train(&w, &j, &d, &price, &f));
			mapping_of(m, option, &x);
			assert_int_equal(x.standing, price.fits ? MAPPED_FITS : MAPPED_LACKS);
			assert_true(x.rate == price.rate && x.step == price.step && x.memory == price.memory);
			assert_true(mapping_cost(m, TERM_CHIPS, NULL, &x) == 512);
			struct footprint foot = footprint_of(3e11 / 2048 / price.rate, 512, pod.figure[POD_POWER].value,
				&site_table[0]);
			assert_true(fabs(mapping_cost(m, TERM_WORK, &site_table[0], &x) / (foot.mwh * 1e6) - 1) < 1e-12);
			assert_true(fabs(mapping_cost(m, TERM_CARBON, &site_table[0], &x) / foot.net - 1) < 1e-12);
		}
	mapping_free(m);
}

static void an_impossible_choice_says_what_it_lacks(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "512", 1, false);
	struct mapping *m = mapping_with(&a);
	uint8_t option[16] = {0};
	struct mapped x;
	char text[256];
	set(m, option, "topology", "8x8x8");
	set(m, option, "pipeline", "8");
	set(m, option, "data", "4");
	set(m, option, "model1", "8");
	set(m, option, "model2", "8");
	mapping_of(m, option, &x);
	assert_int_equal(x.standing, MAPPED_UNEVEN);
	assert_string_equal(mapped_lack(&x, text, sizeof text),
		"its parts multiply to 2048, 8x8x8 has 512 chips; the nearest is [8,8,8,1]");
	assert_true(x.distance == 4 && x.rate > 0); // 8 stages stay; 8 is nearer to 4 than 1; 8 stay; the last part follows
	set(m, option, "data", "1");
	mapping_of(m, option, &x);
	assert_int_equal(x.standing, MAPPED_FITS);
	assert_string_equal(mapped_lack(&x, text, sizeof text), "");
	mapping_free(m);
	a = asked("palm_540b", "16", 1, true); // 540e9 numbers of two bytes
	m = mapping_with(&a);
	memset(option, 0, sizeof option);
	set(m, option, "topology", "2x2x4");
	set(m, option, "model2", "16");
	mapping_of(m, option, &x);
	assert_int_equal(x.standing, MAPPED_LACKS);
	assert_true(fabs(x.memory - x.lacks - 32 * 1073741824.) < 1);
	assert_non_null(strstr(mapped_lack(&x, text, sizeof text), "GiB more than there is"));
	mapping_free(m);
}

// A mended choice is a division of allowed sizes, and is mended no more; the cache says what pricing says.
static void choices_are_mended(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "128,256,512", 3, false);
	struct mapping *m = mapping_with(&a);
	struct mapping_cache *cache = mapping_cache_new(m);
	uint32_t allowed[16];
	int count, mended = 0;
	mapping_slots(m, &count);
	assert_non_null(cache);
	for (int i = 0; i < count; i++)
		allowed[i] = UINT32_MAX;
	for (uint64_t key = 0; key < 3000; key++) {
		uint8_t option[16] = {0};
		struct mapped x;
		random_choice(m, key, option);
		allowed[slot_at(m, "pipeline")] = key % 3 ? UINT32_MAX : 0x7;
		mapping_of(m, option, &x);
		const struct mapped *y = mapping_recall(cache, option);
		assert_true(x.rate == y->rate && x.memory == y->memory && x.standing == y->standing && x.distance == y->distance);
		bool changed = mapping_mend(m, allowed, option);
		mended += changed;
		assert_false(mapping_mend(m, allowed, option));
		mapping_of(m, option, &x);
		assert_int_not_equal(x.standing, MAPPED_UNEVEN);
		assert_true(key % 3 || option[slot_at(m, "pipeline")] < 3);
	}
	assert_true(mended > 2000);
	mapping_cache_free(cache);
	mapping_free(m);
}

// What is uneven is priced as the nearest division, which mending finds by looking at all.
static void the_nearest_is_the_nearest(void **context)
{
	(void)context;
	for (int any = 0; any < 2; any++) {
		struct mapping_asked a = asked("gpt3", "256,512,768", 1, false);
		a.any = any;
		struct mapping *m = mapping_with(&a);
		int count, uneven = 0;
		const struct slot *slot = mapping_slots(m, &count);
		for (uint64_t key = 0; key < 3000; key++) {
			static const char *const parts[PARTS] = {"pipeline", "data", "model1", "model2"};
			uint8_t option[16] = {0};
			struct mapped x;
			char lack[256];
			random_choice(m, key, option);
			mapping_of(m, option, &x);
			uneven += x.standing == MAPPED_UNEVEN;
			mapped_lack(&x, lack, sizeof lack);
			assert_true(!strstr(lack, "products") || strstr(lack, any ? "factors of the axes" : "whole axes"));
			mapping_mend(m, NULL, option);
			for (int k = 0; k < PARTS; k++) {
				int at = slot_at(m, parts[k]);
				assert_true((int)slot[at].value[option[at]] == x.size[k]);
			}
		}
		assert_true(uneven > 2000);
		mapping_free(m);
	}
}

// ---- exhaustive search ----

static void all_are_tried(void **context)
{
	(void)context;
	static const int chips[] = {512, 4096};
	for (int i = 0; i < 2; i++) {
		char text[16];
		snprintf(text, sizeof text, "%d", chips[i]);
		struct mapping_asked a = asked("gpt3", text, 1, false);
		struct mapping *m = mapping_with(&a);
		struct pod pod;
		struct world w;
		struct division_job j;
		struct division d;
		struct division_price price;
		struct fault f;
		uint8_t option[5 * 16];
		double rate[5];
		long tried;
		int slots;
		mapping_slots(m, &slots);
		assert_true(pod_get("tpu_v4", &pod, &f));
		world_begin(&w, &pod, NULL);
		division_job_begin(&j, &w, &transformer_table[0]);
		j.efficiency = division_calibrate(&w);
		assert_true(division_best(&w, &j, chips[i], false, &d, &price, &f));
		assert_int_equal(mapping_search(m, NULL, 5, option, rate, &tried, NULL, NULL), 5);
		// 4096 chips have twisted slices beside, which division_best leaves out.
		assert_true(chips[i] == 512 ? rate[0] == price.rate : rate[0] >= price.rate);
		for (int k = 0; k < 5; k++) {
			struct mapped x;
			mapping_of(m, option + k * slots, &x);
			assert_true(x.standing == MAPPED_FITS && x.rate == rate[k] && (!k || rate[k] <= rate[k - 1]));
		}
		assert_true(tried > 300);
		mapping_free(m);
	}
}

// With factors of axes there are 2,640 ways of 512 chips, some with more stages than layers; the best of them is the best by price of each.
static void factors_of_axes_are_tried(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "512", 1, false);
	a.any = true;
	struct mapping *m = mapping_with(&a);
	struct pod pod;
	struct world w;
	struct division_job j;
	struct fault f;
	struct slice s[8];
	uint8_t option[16];
	double rate, best = 0;
	long tried;
	int ways = 0, priced = 0;
	assert_true(pod_get("tpu_v4", &pod, &f));
	world_begin(&w, &pod, NULL);
	division_job_begin(&j, &w, &transformer_table[0]);
	j.efficiency = division_calibrate(&w);
	int slices = slices_of(&pod, 512, s, 8);
	for (int i = 0; i < slices; i++) {
		static struct division d[1024];
		int count = divisions_of(&s[i], true, true, d, 1024);
		ways += count;
		for (int k = 0; k < count; k++) {
			struct division_price price;
			if (!division_train(&w, &j, &d[k], &price, &f))
				continue;
			priced++;
			best = price.fits ? fmax(best, price.rate) : best;
		}
	}
	assert_int_equal(ways, 2640);
	assert_int_equal(mapping_search(m, NULL, 1, option, &rate, &tried, NULL, NULL), 1);
	assert_true(rate == best && tried == priced);
	int count;
	const struct slot *slot = mapping_slots(m, &count);
	assert_int_equal(slot[slot_at(m, "data")].options, 10); // 1 to 512; by whole axes 2 of them are missing
	mapping_free(m);
}

// Narrower carried formats are never slower: the search that tries only the narrowest of them finds the best of random choices.
static void nothing_beats_the_best(void **context)
{
	(void)context;
	struct mapping_asked a = asked("gpt3", "512", 3, false);
	struct mapping *m = mapping_with(&a);
	uint8_t best[16], option[16];
	double rate;
	assert_int_equal(mapping_search(m, NULL, 1, best, &rate, NULL, NULL, NULL), 1);
	for (uint64_t key = 0; key < 20000; key++) {
		struct mapped x;
		random_choice(m, key, option);
		mapping_mend(m, NULL, option);
		mapping_of(m, option, &x);
		assert_true(x.standing != MAPPED_FITS || x.rate <= rate);
	}
	mapping_free(m);
}

static void pins_that_leave_nothing(void **context)
{
	(void)context;
	struct mapping_asked a = asked("palm_540b", "8,16,32", 3, true);
	struct mapping *m = mapping_with(&a);
	uint32_t allowed[16];
	uint8_t option[16], least[16];
	double rate;
	long tried;
	bool even;
	struct mapped x;
	for (int i = 0; i < 16; i++)
		allowed[i] = UINT32_MAX;
	allowed[slot_at(m, "weights.format")] = 1 << 2; // bf16
	assert_int_equal(mapping_search(m, allowed, 1, option, &rate, NULL, NULL, NULL), 1);
	mapping_of(m, option, &x);
	assert_true(x.chips == 32);
	allowed[slot_at(m, "topology")] = 1; // of 8 chips
	assert_int_equal(mapping_search(m, allowed, 1, option, &rate, &tried, least, &even), 0);
	mapping_of(m, least, &x);
	assert_true(even && x.chips == 8 && x.lacks > 90e9 && x.lacks < 110e9); // 135 GB of weights a chip
	allowed[slot_at(m, "pipeline")] = allowed[slot_at(m, "data")] = allowed[slot_at(m, "model1")] =
		allowed[slot_at(m, "model2")] = 1;
	assert_int_equal(mapping_search(m, allowed, 1, option, &rate, &tried, least, &even), 0);
	assert_false(even);
	mapping_free(m);
}

// ---- what a person gives ----

static void targets_are_read(void **context)
{
	(void)context;
	static const struct {
		enum term_id id;
		const char *text;
		double value; // 0: refused
	} rows[] = {{TERM_CHIPS, "256", 256}, {TERM_CHIPS, "0.5x", 256}, {TERM_CHIPS, "int4", 0}, {TERM_CHIPS, "-1", 0},
		{TERM_MEMORY, "24GiB", 24 * 1073741824.}, {TERM_MEMORY, "20GB", 20e9}, {TERM_MEMORY, "20ms", 0},
		{TERM_STEP, "30ms", 30}, {TERM_STEP, "2s", 2000}, {TERM_STEP, "2", 2}, {TERM_STEP, "3k", 0},
		{TERM_WORK, "1.2GWh", 1.2e9}, {TERM_WORK, "5J", 0}, {TERM_CARBON, "2t", 2}, {TERM_CARBON, "300kg", .3},
		{TERM_CARBON, "", 0}, {TERM_CARBON, "nan", 0}, {TERM_CARBON, "inf", 0}};
	struct mapping_asked a = asked("gpt3", "512", 1, false);
	struct mapping *m = mapping_with(&a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double value = 0;
		struct fault f = {0};
		assert_int_equal(mapping_target(m, rows[i].id, 512, rows[i].text, &value, &f), rows[i].value > 0);
		assert_true(rows[i].value > 0 ? fabs(value / rows[i].value - 1) < 1e-12 : f.todo[0] && f.what[0]);
	}
	mapping_free(m);
}

static void bad_input_is_refused(void **context)
{
	(void)context;
	static const struct {
		const char *pod, *work, *chips, *says;
	} rows[] = {{"tpu_v44", "gpt3", "512", "tpu_v4"}, {"tpu_v4", "gpt33", "512", "gpt3"},
		{"tpu_v4", "gpt3", "513", "the nearest are 512"}, {"tpu_v4", "gpt3", "512,512", "twice"},
		{"tpu_v4", "gpt3", "512,", "is not a number"}, {"tpu_v4", "gpt3", "-4", "is not a number"},
		{"tpu_v4", "gpt3", "99999999999", "is not a number"}, {"h100_cluster", "gpt3", "512", "axes"},
		{"tpu_v4", "gpt3", "64,128,256,512,1024,2048,4096,3072,1536,768,2560,3584", "topologies"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mapping_asked a = asked(rows[i].work, rows[i].chips, 1, false);
		struct fault f = {0};
		char line[1024];
		a.pod = rows[i].pod;
		assert_null(mapping_new(&a, &f));
		if (!strstr(fault_line(&f, line, sizeof line), rows[i].says))
			fail_msg("%s", line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_those_of_the_job),
		cmocka_unit_test(an_even_choice_costs_what_its_division_does),
		cmocka_unit_test(an_impossible_choice_says_what_it_lacks),
		cmocka_unit_test(choices_are_mended),
		cmocka_unit_test(the_nearest_is_the_nearest),
		cmocka_unit_test(all_are_tried),
		cmocka_unit_test(factors_of_axes_are_tried),
		cmocka_unit_test(nothing_beats_the_best),
		cmocka_unit_test(pins_that_leave_nothing),
		cmocka_unit_test(targets_are_read),
		cmocka_unit_test(bad_input_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
