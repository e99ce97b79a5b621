// SPDX-License-Identifier: GPL-3.0-or-later
// Machines of many chips: the models against counts by brute force, closed forms and published figures; their commands.
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

#include "engine/machine.h"
#include "sessions/sessions.h"
#include "engine/base/text.h"
#include "tests/said.h"

static bool close_to(double a, double b, double share)
{
	return fabs(a - b) <= share * fabs(b);
}

static bool run(const char *line)
{
	const struct command_group group = session_machine_group();
	return run_line(&group, line);
}

static void shows(const char *text)
{
	if (!said.bytes || !strstr(said.bytes, text))
		fail_msg("\"%s\" is not in:\n%s", text, said.bytes ? said.bytes : "");
}

// Each line is refused, and what it says holds the text.
struct bad {
	const char *line, *says;
};
static void refuses(const struct bad *bad, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char line[1024];
		if (run(bad[i].line))
			fail_msg("%s was taken", bad[i].line);
		fault_line(&fault, line, sizeof line);
		if (!strstr(line, bad[i].says))
			fail_msg("%s says \"%s\", not \"%s\"", bad[i].line, line, bad[i].says);
	}
}
#define REFUSES(bad) refuses(bad, sizeof bad / sizeof *bad)

static struct pod pod_named(const char *name)
{
	struct pod p;
	if (!pod_get(name, &p, &fault))
		fail_msg("%s: %s", fault.where, fault.what);
	return p;
}

// ---- inputs and pods ---------------------------------------------------------------------------------------------------

// Every figure says where it is from, lies in its own range, and is a band only where it is unknown.
static void inputs_have_sources(void **state)
{
	(void)state;
	for (int i = 0; i < INPUTS; i++) {
		const struct figure_value *v = &input_table[i].at;
		assert_true(v->source && v->source[0]);
		assert_true(v->kind == INPUT_UNKNOWN ? v->low < v->high && v->low <= v->value && v->value <= v->high
						     : v->low == v->high && v->low == v->value);
	}
	for (const char *const *name = pod_names(); *name; name++) {
		struct pod p = pod_named(*name);
		assert_true(p.source[0] && p.device[0]);
		for (int f = 0; f < POD_FIGURES; f++) {
			const struct figure_value *v = &p.figure[f];
			if (v->kind == INPUT_NONE)
				assert_true(v->value == 0);
			else if (!(v->kind == INPUT_UNKNOWN
						 ? v->low < v->high && v->source && v->low <= v->value && v->value <= v->high
						 : v->low == v->high))
				fail_msg("%s, %s", *name, pod_figures[f].name);
		}
		if (p.network == NETWORK_FIXED)
			assert_true(p.whole[0] * p.whole[1] * p.whole[2] == p.figure[POD_CHIPS].value);
	}
}

static double product(const struct world *w, void *context)
{
	(void)context;
	return w->input[IN_REPAIR] * w->input[IN_CHECKPOINT];
}

static void bands_hold_the_corners(void **state)
{
	(void)state;
	struct pod p = pod_named("tpu_v4");
	struct world w;
	world_begin(&w, &p, NULL);
	struct band b = world_band(&w, product, NULL);
	assert_true(b.value == 4 && b.low == .25 && b.high == 48);
	assert_string_equal(b.mover, "repair");
	assert_true(world_set(&w, "repair", 8, &fault)); // known now
	b = world_band(&w, product, NULL);
	assert_true(b.value == 8 && b.low == 2 && b.high == 16);
	assert_string_equal(b.mover, "checkpoint");
	assert_true(world_set(&w, "checkpoint", 1, &fault)); // known too, though it stands where it stood
	b = world_band(&w, product, NULL);
	assert_true(b.value == 8 && b.low == 8 && b.high == 8);
	static const char *const above[] = {"batch", "repair", "job", "unique", "hbm_random", "dense_mfu"};
	for (size_t i = 0; i < sizeof above / sizeof *above; i++)
		assert_false(world_set(&w, above[i], 0, &fault));
	assert_true(world_set(&w, "overlap", 0, &fault));
	assert_false(world_set(&w, "repare", 8, &fault));
	assert_non_null(strstr(fault.todo, "repair"));
	assert_false(world_set(&w, "repair", -1, &fault));
	assert_false(world_set(&w, "overlap", 1.5, &fault));
	assert_false(world_set(&w, "repair", (double)NAN, &fault));
}

static void pods_command(void **state)
{
	(void)state;
	assert_true(run("pods"));
	for (const char *const *name = pod_names(); *name; name++)
		shows(*name);
	assert_true(run("pods tpu_v4"));
	shows("link_peak");
	shows("1.1 PB/s");
	assert_true(run("pods inputs"));
	shows("8 to 12");
	static const struct bad bad[] = {{"pods tpu_v5", "did you mean"}, {"pods inputs cvs=x", "csv="},
		{"pods repair=-1", "will not do"}, {"pods repair=x", "is not a number"}, {"pods csv=", "it is empty"},
		{"pods csv=/nowhere/at/all.csv", "/nowhere/at/all.csv"}};
	REFUSES(bad);
}

// ---- pod files --------------------------------------------------------------------------------------------------------

#define HEAD "{\"bitscape-pod\":1,\"name\":\"mine\",\"device\":\"tpu_v4\",\"source\":\"me\","
#define FIGURES "\"figures\":{\"host\":4,\"memory\":32,\"chips\":64,\"link\":45"

static bool read_pod_text(const char *text, struct pod *p)
{
	char path[] = "/tmp/bitscape-pod-XXXXXX.json";
	int fd = mkstemps(path, 5);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	bool ok = pod_get(path, p, &fault);
	unlink(path);
	return ok;
}

static void pod_files_are_read(void **state)
{
	(void)state;
	struct pod p;
	assert_true(read_pod_text(HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES
				       ",\"hop\":{\"value\":1,\"low\":0.5,\"high\":2}}}",
		&p));
	assert_string_equal(p.name, "mine");
	assert_true(p.network == NETWORK_FIXED && p.whole[0] == 8 && p.whole[1] == 8 && p.whole[2] == 1);
	assert_true(p.figure[POD_LINK].value == 45e9 && p.figure[POD_HOP].high == 2e-6 &&
		p.figure[POD_HOP].kind == INPUT_UNKNOWN);
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "line"},
		{"[1]", "not a pod file"},
		{"{\"bitscape-pod\":2}", "newer"},
		{"{\"bitscape-pod\":1}", "name: missing"},
		{HEAD "\"network\":\"rings\"," FIGURES "}}", "network"},
		{HEAD "\"network\":\"fixed\"," FIGURES "}}", "axes"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,4]," FIGURES "}}", "32 chips"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,-8]," FIGURES "}}", "axes[1]"},
		{HEAD "\"network\":\"islands\"," FIGURES "}}", "figures.island: missing"},
		{HEAD "\"network\":\"blocks\"," FIGURES "}}", "figures.block"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"linc\":4}}", "did you mean 'link'"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"nic\":-4}}", "figures.nic: -4 will not do"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"host\":4}}", "line"}, // twice
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":3,\"low\":0.5,\"high\":2}}}",
			"outside its range"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":1,\"low\":0.5}}}",
			"figures.hop.high: nothing"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":1,\"lo\":1}}}", "no such part"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8],\"twists\":1," FIGURES "}}", "twists"},
		{HEAD "\"network\":\"fixed\",\"axis\":[8,8]," FIGURES "}}", "did you mean 'axes'"},
		{"{\"bitscape-pod\":1,\"name\":\"m\",\"device\":\"tpu_v9\",\"source\":\"s\",\"network\":\"fixed\",\"axes\":[8,8]"
		 "," FIGURES "}}",
			"no device"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[1024];
		if (read_pod_text(bad[i].text, &p))
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(fault_line(&fault, line, sizeof line), bad[i].says))
			fail_msg("%s says \"%s\"", bad[i].text, line);
	}
}

// Files with mistakes of all kinds: bytes changed, left out, doubled, words put in the place of others, ends cut off. Each is read, and then
// its slices can be asked about, or is refused with a place, a reason and advice.
static uint64_t dice;
static unsigned throw(unsigned sides)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(dice >> 33) % sides;
}

static void mistake(char *text, size_t size)
{
	static const char *const words[] = {"-1", "0", "1e308", "1e999", "null", "true", "[]", "{}", "\"\"", "\"blocks\"", "NaN",
		"[4,4,4,4]", "[0,8]", "1.5", "99999999999999999999", "\"\\u0000\"", "\"tpu_v9\"", ",", ":", "}", "]"};
	const size_t length = strlen(text), at = throw((unsigned)length);
	const char *word = words[throw(sizeof words / sizeof *words)];
	char rest[2048];
	snprintf(rest, sizeof rest, "%s", text + at);
	switch (throw(5)) {
	case 0: text[at] = (char)(text[at] >= '0' && text[at] <= '9' ? '0' + throw(10) : 1 + throw(255)); break;
	case 1: memmove(text + at, text + at + 1, length - at); break;
	case 2: text[at] = '\0'; break;
	case 3: snprintf(text + at, size - at, "%.*s%.900s", 1 + (int) throw(20), rest, rest); break;
	default: snprintf(text + at, size - at, "%s%s", word, rest + strcspn(rest, ",}]"));
	}
}

static void pod_files_with_mistakes(void **state)
{
	(void)state;
	static const char *const good[] = {HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES
						",\"hop\":{\"value\":1,\"low\":0.5,\"high\":2}}}",
		HEAD "\"network\":\"islands\"," FIGURES ",\"island\":8,\"nic\":50}}",
		HEAD "\"network\":\"blocks\",\"twists\":true," FIGURES ",\"block\":64,\"power\":200,\"cores\":4}}"};
	enum { TRIES = 4000 };
	struct pod whole;
	int taken = 0;
	dice = 1;
	for (int i = 0; i < 3; i++)
		if (!read_pod_text(good[i], &whole))
			fail_msg("%s: %s; %s", good[i], fault.what, fault.todo);
	for (int i = 0; i < TRIES; i++) {
		char text[1024], line[1024];
		struct pod p;
		struct slice s;
		snprintf(text, sizeof text, "%s", good[i % 3]);
		for (unsigned k = throw(3) + 1; k > 0 && *text; k--)
			mistake(text, sizeof text);
		fault = (struct fault){0};
		if (!read_pod_text(text, &p)) {
			fault_line(&fault, line, sizeof line);
			if (!fault.where[0] || !fault.what[0] || !fault.todo[0] || strpbrk(line, "\n\r\033"))
				fail_msg("%s says \"%s\"", text, line);
			continue;
		}
		taken++;
		for (int chips = 1; chips <= 64; chips *= 4)
			if (slices_of(&p, chips, &s, 1) > 0)
				assert_true(s.chips == chips && slice_collective(&p, &s, NULL, ALL_REDUCE, 1e6) >= 0);
		slice_read(&p, "4x4x4", p.twists, &s, &fault);
	}
	if (taken < 10 || taken > TRIES / 2)
		fail_msg("%d of %d were taken", taken, TRIES);
}

// ---- slices -----------------------------------------------------------------------------------------------------------

static struct slice slice_named(const char *pod, const char *shape, bool twisted)
{
	struct pod p = pod_named(pod);
	struct slice s;
	if (!slice_read(&p, shape, twisted, &s, &fault))
		fail_msg("%s: %s; %s", fault.where, fault.what, fault.todo);
	return s;
}

static struct slice torus(int x, int y, int z, bool twisted)
{
	return (struct slice){{x, y, z}, {x > 1, y > 1, z > 1}, twisted, false, x * y * z};
}

static void wraps_follow_the_pod(void **state)
{
	(void)state;
	static const struct {
		const char *pod, *shape;
		int wraps;
	} known[] = {{"tpu_v4", "2x2x4", 0}, {"tpu_v4", "4x4x4", 3}, {"tpu_v4", "2x2x1", 0}, {"tpu_v4", "4x4x8", 3},
		{"tpu_v4", "8x4x4", 3}, {"tpu_v4", "12x16x16", 3}, {"tpu_v5e", "8x16", 1}, {"tpu_v5e", "16x16", 2},
		{"tpu_v5e", "8x8", 0}, {"tpu_v3", "16x32", 1}, {"tpu_v3", "32x32", 2}, {"tpu_v4_fixed", "8x16x16", 2},
		{"tpu_v4_fixed", "4x4x4", 0}, {"tpu_v5p", "16x16x32", 3}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct slice s = slice_named(known[i].pod, known[i].shape, false);
		if (s.wrap[0] + s.wrap[1] + s.wrap[2] != known[i].wraps)
			fail_msg("%s on %s", known[i].shape, known[i].pod);
	}
	// No slice of 512 chips can be twisted; up to 4096 these sizes can.
	struct pod p = pod_named("tpu_v4");
	int sizes[8], count = 0;
	for (int chips = 1; chips <= 4096; chips++) {
		struct slice s[64];
		bool can = false;
		int n = slices_of(&p, chips, s, 64);
		for (int i = 0; i < n; i++)
			can = can || slice_twistable(&p, s[i].axis);
		if (can && count < 8)
			sizes[count++] = chips;
	}
	assert_int_equal(count, 5);
	assert_true(sizes[0] == 128 && sizes[1] == 256 && sizes[2] == 1024 && sizes[3] == 2048 && sizes[4] == 3456);
	// The shapes of some sizes.
	struct slice s[64];
	assert_int_equal(slices_of(&p, 512, s, 64), 3);
	assert_int_equal(slices_of(&p, 1024, s, 64), 4);
	assert_int_equal(slices_of(&p, 2048, s, 64), 5);
	assert_int_equal(slices_of(&p, 3072, s, 64), 9);
	assert_int_equal(slices_of(&p, 4096, s, 64), 7);
}

// Known loads, worked out elsewhere; 4x4x8 twisted: there 75, in whole units a path, here 73 1/3, split.
static void loads_are_the_known_ones(void **state)
{
	(void)state;
	static const struct {
		int x, y, z;
		bool twisted;
		double load;
	} known[] = {{1, 2, 4, true, 2.5}, {1, 2, 4, false, 4}, {2, 2, 4, true, 13 / 3.}, {2, 2, 4, false, 8},
		{2, 4, 4, true, 11}, {2, 4, 4, false, 16}, {4, 4, 8, true, 220 / 3.}, {4, 4, 8, false, 128},
		{16, 16, 16, false, 8192}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct slice s = torus(known[i].x, known[i].y, known[i].z, known[i].twisted);
		struct slice_network n;
		assert_true(slice_network_of(&s, &n, &fault));
		if (!close_to(n.load[ROUTE_PATHS], known[i].load, 1e-9))
			fail_msg("%dx%dx%d: %g", s.axis[0], s.axis[1], s.axis[2], n.load[ROUTE_PATHS]);
		if (s.twisted && s.chips > 4)
			assert_true(close_to(n.load[ROUTE_PATHS], n.mean_load, 1e-9)); // perfectly even
		assert_true(n.load[ROUTE_DIMENSION] >= n.load[ROUTE_PATHS] - 1e-9);
	}
}

// Against a count that walks every shortest path between all pairs; meshes and half wrapped ones too.
static void loads_meet_brute_force(void **state)
{
	(void)state;
	static const struct slice cases[] = {{{1, 2, 4}, {false, true, true}, true, false, 8},
		{{2, 2, 4}, {true, true, true}, true, false, 16}, {{2, 4, 4}, {true, true, true}, true, false, 32},
		{{2, 4, 4}, {true, true, true}, false, false, 32}, {{2, 4, 4}, {false, false, false}, false, false, 32},
		{{1, 3, 5}, {false, false, true}, false, false, 15}, {{4, 4, 4}, {true, true, true}, false, false, 64},
		{{4, 4, 8}, {true, true, true}, true, false, 128}, {{1, 1, 7}, {false, false, false}, false, false, 7},
		{{1, 1, 1}, {false, false, false}, false, false, 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice_network n;
		double load[6];
		assert_true(slice_network_of(&cases[i], &n, &fault) && slice_loads_plainly(&cases[i], load, &fault));
		double sum = 0;
		for (int d = 0; d <= n.diameter; d++)
			sum += n.hops[d];
		assert_true(close_to(sum, cases[i].chips, 1e-9));
		for (int a = 0; a < 3; a++)
			if (fabs(n.axis_load[ROUTE_PATHS][a] - fmax(load[a * 2], load[a * 2 + 1])) > 1e-9)
				fail_msg("case %zu, axis %d: %g, plainly %g", i, a, n.axis_load[ROUTE_PATHS][a],
					fmax(load[a * 2], load[a * 2 + 1]));
	}
	// Splitting at each hop comes to the same on these.
	static const int even[][3] = {{2, 2, 4}, {2, 4, 4}, {4, 4, 8}, {4, 8, 8}};
	for (size_t i = 0; i < 4; i++) {
		struct slice s = torus(even[i][0], even[i][1], even[i][2], true);
		struct slice_network n;
		assert_true(slice_network_of(&s, &n, &fault));
		assert_true(close_to(n.load[ROUTE_HOPS], n.load[ROUTE_PATHS], 1e-9));
	}
}

// Worked answers of the scaling book, with its N/(N-1); and a message too small for its bandwidth.
static void collectives_take_the_known_times(void **state)
{
	(void)state;
	const struct ring two[] = {{4, true}, {4, true}}, one[] = {{4, true}}, line[] = {{4, false}};
	assert_true(close_to(collective_time(ALL_GATHER, 1024 * 4096 * 2, two, 2, 45e9, 1e-6) * 16 / 15, 46e-6, .02));
	assert_true(collective_time(ALL_GATHER, 128 * 2, one, 1, 45e9, 1e-6) == 2e-6);
	assert_true(collective_time(ALL_GATHER, 128 * 2, line, 1, 45e9, 1e-6) == 3e-6);
	assert_true(close_to(collective_time(ALL_REDUCE, 1e9, one, 1, 45e9, 0), 2e9 * .75 / 90e9, 1e-12));
	assert_true(close_to(collective_time(ALL_GATHER, 1e9, line, 1, 45e9, 0), 1e9 * .75 / 45e9, 1e-12));
	assert_true(close_to(collective_time(ALL_TO_ALL, 1e9, one, 1, 45e9, 0), 1e9 / 4 / 90e9, 1e-12)); // V / 4W
	assert_true(collective_time(ALL_REDUCE, 1e9, one, 0, 45e9, 1e-6) == 0);
	// On a torus the all-to-all by the rings is the one by the counted links.
	struct pod p = pod_named("tpu_v4");
	struct slice s = slice_named("tpu_v4", "4x8x16", false);
	const struct ring ring[] = {{4, true}, {8, true}, {16, true}};
	struct slice_network n;
	assert_true(slice_network_of(&s, &n, &fault));
	assert_true(close_to(slice_collective(&p, &s, &n, ALL_TO_ALL, 1e12), collective_time(ALL_TO_ALL, 1e12, ring, 3, 45e9, 0),
		1e-9));
	assert_int_equal(slice_routing(&n), ROUTE_PATHS);
	// On a mesh the fullest link is the middle one, which dimension order spares: 32 units against 39 and more.
	s = slice_named("tpu_v4", "2x4x4", false);
	assert_true(slice_network_of(&s, &n, &fault));
	assert_int_equal(slice_routing(&n), ROUTE_DIMENSION);
	assert_true(n.load[ROUTE_PATHS] > 39 && n.load[ROUTE_DIMENSION] == 32);
	assert_true(close_to(slice_collective(&p, &s, &n, ALL_TO_ALL, 1e12), 32 * 1e12 / 32 / 32 / 45e9, 1e-12));
	const struct ring lines[] = {{2, false}, {4, false}, {4, false}};
	assert_true(close_to(slice_collective(&p, &s, &n, ALL_TO_ALL, 1e12), collective_time(ALL_TO_ALL, 1e12, lines, 3, 45e9, 0),
		1e-12));
	// On a twisted slice a gather is an all-reduce.
	s = slice_named("tpu_v4", "4x4x8", true);
	assert_true(slice_collective(&p, &s, NULL, ALL_GATHER, 1e9) == slice_collective(&p, &s, NULL, ALL_REDUCE, 1e9));
	assert_true(slice_collective(&p, &s, NULL, REDUCE_SCATTER, 1e9) * 2 == slice_collective(&p, &s, NULL, ALL_REDUCE, 1e9));
}

static void slice_commands(void **state)
{
	(void)state;
	assert_true(run("slice 4x4x8 twisted on tpu_v4"));
	shows("73.333 on the fullest link");
	shows("all-to-all 1.745x the rate");
	shows("by the fullest link, over all shortest paths");
	assert_true(run("slice 16x16x16"));
	shows("512 links, 23.04 TB/s delivered, 25.6 TB/s");
	assert_true(run("slices 512"));
	shows("8x8x8");
	assert_true(run("slices 512 on tpu_v4_infiniband"));
	assert_true(run("slice 1x1x1"));
	assert_true(run("slice 4x4x8 split=z3"));
	shows("two jobs, 48 and 80 chips, each chip to each other of its own: 88 on the fullest link, alone 32 and 88");
	shows("256 links carry both, 40 at most");
	assert_true(run("slice 2x4x4 routing=dimension"));
	shows("dimension order: 32 on the fullest link");
	shows("by the fullest link, in dimension order");
	char path[] = "/tmp/bitscape-slices-XXXXXX.csv", line[96], text[256] = "";
	int fd = mkstemps(path, 4);
	snprintf(line, sizeof line, "slices 128 csv=%s", path);
	close(fd);
	assert_true(run(line));
	FILE *file = fopen(path, "r");
	assert_true(file && fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	assert_non_null(strstr(text, "slice,twisted,links"));
	unlink(path);
	static const struct bad bad[] = {{"slice 4x4x9", "nearest that is one is 4x4x8"}, {"slice 0x4x4", "is not the shape"},
		{"slice 4x4x", "is not the shape"}, {"slice 4x4x4x4", "is not the shape"}, {"slice -4x4x4", "is not the shape"},
		{"slice 8x8x8 twisted", "the nearest that can is 4x8x8"}, {"slice 4x8x16 twisted", "not published"},
		{"slice 16x16x32", "the nearest that is one is 16x16x16"}, {"slice 64x64x64x", "is not the shape"},
		{"slice 65536x65536x65536", "no machine"}, {"slice 16x16 twisted on tpu_v5e", "cannot be twisted"},
		{"slice 12x12 on tpu_v5e", "8x"}, {"slice 4x4x8 twisted on", "it names nothing"},
		{"slice 4x4x8 twistd", "did you mean 'twisted'"}, {"slices 500", "448 and 512"},
		{"slices 9000", "the nearest is 4096"}, {"slices x", "is not a number"},
		{"slice 13 on h100_cluster", "the nearest"}, {"slice 4x4x8 bytes=-1", "from 1"},
		{"slice 4x4x8 split=z8", "none is left"}, {"slice 4x4x8 split=w4", "splits nothing"},
		{"slice 4x4x8 split=z-1", "splits nothing"}, {"slice 4x4x8 split=z2 axis=z", "one job"},
		{"slice 4x4x8 split=z2 routing=dimension", "one job alone"}, {"slice 512 split=z2 on h100_cluster", "islands"},
		{"slices 512 plot=x", "end it in .svg"}, {"slice", "at least 1 argument"}};
	REFUSES(bad);
}

// A machine of a file may be large; what would take minutes is refused.
static void large_slices_are_refused_or_quick(void **state)
{
	(void)state;
	struct slice_network n;
	struct slice mesh = {{1, 512, 1024}, {false, false, true}, false, false, 512 * 1024};
	assert_false(slice_network_of(&mesh, &n, &fault));
	assert_non_null(strstr(fault.what, "too many"));
	struct slice large = torus(64, 64, 64, false);
	assert_true(slice_network_of(&large, &n, &fault) && close_to(n.load[ROUTE_PATHS], 64. * 64 * 64 * 64 / 8, 1e-9));
}

// ---- goodput ------------------------------------------------------------------------------------------------------------

static struct world world_of(const char *pod)
{
	struct world w;
	struct pod p = pod_named(pod);
	world_begin(&w, &p, NULL);
	return w;
}

// The published points: from the plain rule at 99.0 and 99.5 %, at 99.9 % only where a spare is held back.
static void goodput_has_the_published_points(void **state)
{
	(void)state;
	static const struct {
		int axis[3];
		double published, plain;
	} points[] = {{{8, 16, 16}, .50, .68}, {{12, 16, 16}, .75, .75}, {{8, 8, 16}, .75, .84}};
	struct world w = world_of("tpu_v4");
	struct block_grid g;
	assert_true(block_grid_of(&w.pod[0], &g, &fault));
	assert_true(g.blocks == 64 && g.hosts == 16 && g.side[0] == 4 && g.side[2] == 4);
	for (size_t i = 0; i < 3; i++) {
		struct goodput_case c = {.availability = .99};
		memcpy(c.axis, points[i].axis, sizeof c.axis);
		assert_true(fabs(goodput_busy(&g, &c) - points[i].published) < .015);
		c.availability = .995;
		assert_true(fabs(goodput_busy(&g, &c) - points[i].published) < .015);
		c.availability = .999;
		assert_true(fabs(goodput_busy(&g, &c) - points[i].plain) < .01);
		c.spares = 1;
		assert_true(fabs(goodput_busy(&g, &c) - points[i].published) < .005);
		c.fixed = true;
		assert_true(goodput_busy(&g, &c) < points[i].published); // without switches it is less
	}
	struct goodput_case sure = {.availability = 1, .axis = {4, 4, 4}};
	assert_true(goodput_busy(&g, &sure) == 1 && goodput_kept(&w, &g, &sure) == 1);
}

// The simulation against the closed forms, within its own error bars: four standard errors, over many cases.
static void simulation_meets_the_closed_forms(void **state)
{
	(void)state;
	static const struct goodput_case cases[] = {
		{.availability = .99, .axis = {4, 4, 4}},
		{.availability = .99, .axis = {8, 8, 8}},
		{.availability = .995, .axis = {8, 16, 16}},
		{.availability = .999, .axis = {8, 16, 16}, .spares = 1},
		{.availability = .999, .axis = {12, 16, 16}, .fixed = true},
		{.availability = .995, .axis = {8, 8, 8}, .fixed = true},
		{.availability = .99, .axis = {4, 4, 4}, .fixed = true},
		{.availability = .999, .axis = {4, 8, 8}, .spares = 3},
		{.availability = .97, .axis = {4, 4, 8}},
	};
	struct world w = world_of("tpu_v4");
	struct block_grid g;
	assert_true(block_grid_of(&w.pod[0], &g, &fault));
	w.input[IN_JOB] = 0; // without an end
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct goodput_run run, again;
		double busy = goodput_busy(&g, &cases[i]), useful = busy * goodput_kept(&w, &g, &cases[i]);
		assert_true(goodput_simulate(&w, &cases[i], 7 + i, 20000, &run, &fault));
		if (!(fabs(run.busy - busy) < 4 * run.busy_error + 1e-9 && run.busy_error < .01))
			fail_msg("case %zu: busy %g +- %g, %g in closed form", i, run.busy, run.busy_error, busy);
		if (!(fabs(run.useful - useful) < 4 * run.useful_error && run.useful_error < .01))
			fail_msg("case %zu: useful %g +- %g, %g in closed form", i, run.useful, run.useful_error, useful);
		assert_true(goodput_simulate(&w, &cases[i], 7 + i, 20000, &again, &fault));
		assert_memory_equal(&run, &again, sizeof run); // a seed is a run
	}
	// A queue of mixed jobs: whatever is useful is busy, a fixed machine is never better, and none of it exceeds what is up.
	struct world mix = world_of("tpu_v4");
	struct goodput_case c = {.availability = .995, .window = 16};
	struct goodput_run switched, fixed;
	assert_true(goodput_simulate(&mix, &c, 1, 20000, &switched, &fault));
	c.fixed = true;
	assert_true(goodput_simulate(&mix, &c, 1, 20000, &fixed, &fault));
	assert_true(switched.useful < switched.busy && switched.busy < pow(.995, 16) + .01 && switched.jobs > 1000);
	assert_true(fixed.useful < switched.useful);
}

static void goodput_command(void **state)
{
	(void)state;
	assert_true(run("goodput slice=8x16x16 availability=99.9 hours=500"));
	shows("67.95");
	shows("50.00");
	assert_true(run("goodput slice=mix hours=500"));
	assert_true(run("goodput jobs=4x4x4:3,8x8x8:1 availability=100 hours=500 restart=0"));
	shows("the mix");
	static const struct bad bad[] = {{"goodput availability=101", "from 0 to 100"},
		{"goodput availability=-1", "from 0 to 100"}, {"goodput availability=0", "never up"},
		{"goodput availability=nan", "will not do"}, {"goodput spares=64", "64 blocks in all"},
		{"goodput on tpu_v3", "not made of blocks"}, {"goodput slice=5x5x5", "nearest"},
		{"goodput repair=0", "above 0, at most 1e+06 h"}, {"goodput job=0", "above 0"},
		{"goodput repair=0.000001 slice=4x4x4", "too many events"}, {"goodput hours=1e99", "will not do"},
		{"goodput slise=4x4x4", "slice="}, {"goodput jobs=4x4x4:1,8x8x8", "is not a slice and its share"},
		{"goodput jobs=4x4x4:-1", "is not a slice and its share"}, {"goodput jobs=4x4x5:1", "nearest"},
		{"goodput jobs=4x4x4:1 slice=4x4x4", "one of the two"}};
	REFUSES(bad);
}

// ---- a transformer over a slice ---------------------------------------------------------------------------------------

static const struct transformer *net_named(const char *name)
{
	for (int i = 0; i < transformer_count; i++)
		if (strcmp(transformer_table[i].name, name) == 0)
			return &transformer_table[i];
	fail_msg("%s", name);
	return NULL;
}

static struct division division_of(const char *pod, const char *shape, int p, int d, int m1, int m2)
{
	struct slice s = slice_named(pod, shape, false);
	struct division division;
	bool whole;
	if (!division_with(&s, (const int[]){p, d, m1, m2}, &division, &whole, &fault))
		fail_msg("%s: %s", fault.where, fault.what);
	return division;
}

// At 512 chips: 40, 64 and 20 of whole axes, 496 with the four ways each, and 2640 of any factors.
static void divisions_are_counted(void **state)
{
	(void)state;
	static const char *const shapes[] = {"4x4x32", "4x8x16", "8x8x8"};
	static const int known[] = {40, 64, 20};
	int all = 0, any = 0;
	for (int i = 0; i < 3; i++) {
		struct slice s = slice_named("tpu_v4", shapes[i], false);
		assert_int_equal(divisions_of(&s, false, false, NULL, 0), known[i]);
		all += divisions_of(&s, false, true, NULL, 0);
		any += divisions_of(&s, true, true, NULL, 0);
		struct division d[64];
		int count = divisions_of(&s, false, false, d, 64);
		for (int k = 0; k < count; k++)
			assert_int_equal(d[k].size[0] * d[k].size[1] * d[k].size[2] * d[k].size[3], 512);
	}
	assert_int_equal(all, 496);
	assert_int_equal(any, 2640);
	// Whole axes are rings, factors of them lines, and on a twisted slice only the long axis closes by itself.
	struct division d = division_of("tpu_v4", "4x8x16", 16, 4, 1, 8);
	assert_true(d.rings[PART_PIPELINE] == 1 && d.ring[PART_PIPELINE][0].size == 16 && d.ring[PART_PIPELINE][0].wrap);
	d = division_of("tpu_v4", "4x8x16", 8, 8, 1, 8);
	int lines = 0;
	for (int k = 0; k < PARTS; k++)
		for (int i = 0; i < d.rings[k]; i++)
			lines += !d.ring[k][i].wrap;
	assert_true(lines > 0);
	struct slice twisted = slice_named("tpu_v4", "4x4x8", true);
	bool whole;
	assert_true(division_with(&twisted, (const int[]){1, 8, 4, 4}, &d, &whole, &fault) && whole);
	assert_true(d.ring[PART_DATA][0].wrap && !d.ring[PART_MODEL1][0].wrap && !d.ring[PART_MODEL2][0].wrap);
}

// One price by hand: GPT-3 on [8,1,8,8], weights and activations 1D.
static void a_step_is_what_it_is_made_of(void **state)
{
	(void)state;
	struct world w = world_of("tpu_v4");
	struct division d = division_of("tpu_v4", "8x8x8", 8, 1, 8, 8);
	struct division_job j;
	struct division_price p;
	division_job_begin(&j, &w, net_named("gpt3"));
	j.efficiency = .5;
	assert_true(division_train(&w, &j, &d, &p, &fault));
	// 192 of the heads' width on a chip fill 256 of the matrix unit's tiles.
	double tokens = 2048,
	       forward = 2 * tokens * 12288. * (576 + 768 + 256 + 768) + 4 * tokens * 2048 * 12288. / 64 +
		2 * tokens * 12288 * 50257 / 64 / 96,
	       reduce = 2 * tokens * 12288 * 2 * 63 / 64 / (4 * 45e9);
	assert_true(p.microbatch == 1 && p.microbatches == 1536 && !p.recompute);
	assert_true(close_to(p.compute, 1536 * 12 * 3 * forward / (275e12 * .5), 1e-9));
	assert_true(close_to(p.model, 1536 * 12 * 4 * reduce, 1e-9));
	assert_true(close_to(p.pipeline, 1536 * 2 * tokens * 12288 * 2 / 64 / 45e9, 1e-9));
	assert_true(close_to(p.bubble, 7 * (p.compute + p.model + p.pipeline) / 1536, 1e-9));
	assert_true(close_to(p.step, p.compute + p.model + p.pipeline + p.bubble, 1e-9) && p.data == 0);
	assert_true(close_to(p.weights, 175e9 * 2 / 512, 1e-9) && close_to(p.optimizer, 175e9 * 14 / 512, 1e-9));
	assert_true(close_to(p.mfu, p.rate * 2048 * (6 * 175e9 + 12. * 96 * 12288 * 2048) / (512 * 275e12), 1e-9));
	// What is carried in fewer bits takes less time, what is kept in fewer less memory; v4 multiplies int8 no faster.
	struct division_price narrow;
	assert_true(division_format("int8", &j.format[CARRIED_ACTIVATIONS], &fault));
	assert_true(division_train(&w, &j, &d, &narrow, &fault));
	assert_true(close_to(narrow.model, p.model / 2, 1e-9) && narrow.compute == p.compute);
	assert_true(division_format("int8", &j.format[OF_WEIGHTS], &fault) &&
		division_format("int8", &j.format[OF_ACTIVATIONS], &fault));
	assert_true(division_train(&w, &j, &d, &narrow, &fault));
	assert_true(narrow.memory < p.memory && narrow.compute == p.compute);
}

// One constant, fitted to one row; then nothing more.
static void the_topology_search_is_held_against_the_published(void **state)
{
	(void)state;
	struct world w = world_of("tpu_v4");
	struct division_job j;
	double efficiency = division_calibrate(&w), rate[2] = {0};
	assert_true(efficiency > .3 && efficiency < 1);
	const struct division rows[2] = {
		division_of("tpu_v4", "8x8x8", 8, 1, 8, 8), division_of("tpu_v4", "4x8x16", 16, 4, 1, 8)};
	division_job_begin(&j, &w, net_named("gpt3"));
	j.efficiency = efficiency;
	for (int i = 0; i < 2; i++)
		for (int style = 0; style < 4; style++) {
			struct division d = rows[i];
			struct division_price p;
			d.weights_2d = style & 1;
			d.activations_2d = style >> 1;
			assert_true(division_train(&w, &j, &d, &p, &fault) && p.fits);
			rate[i] = fmax(rate[i], p.rate);
		}
	assert_true(close_to(rate[0], published_table[PUB_GPT3_EXPERT].value, 1e-6));
	assert_true(rate[1] > rate[0]); // the best row beats the one that it replaced
}

static void partition_command(void **state)
{
	(void)state;
	assert_true(run("partition gpt3 512"));
	shows("460 fit, 0 do not, 36 have more stages");
	shows("moved most by");
	assert_true(run("partition gpt3 8x8x8 spec=8,1,8,8 top=1"));
	shows("  21     33  "); // calibrated: seq/s, utilization
	assert_true(run("partition llama2_70b 1,2,4,8 serve weights=int4"));
	shows("against chips");
	assert_true(run("partition palm_540b 4,8,32 serve batch=8 weights=bf16")); // what does not fit is said, one by one
	shows("4 chips: does not fit: what lacks least, ");
	shows("8 chips: does not fit: ");
	shows("32 chips: ");
	shows("g CO2e/1000 tokens");
	shows("[pipeline, data, model 1, model 2]: the parts");
	assert_true(run("partition llama2_70b 2 serve weights=int4 batch=1"));
	shows("1 sequence at once");
	assert_true(run("partition gpt3 64 layers=24 width=2048 heads=16 hidden=8192"));
	shows("1.311e+09 parameters"); // 24 x 12 x 2048^2, and the vocabulary
	assert_true(run("partition gpt3 4x4x8 twisted"));
	assert_true(run("partition gpt3 16x16 on tpu_v5e serve weights=int4"));
	shows("power of a chip of tpu_v5e is unknown");
	static const struct bad bad[] = {{"partition gpt3 8x8x8 spec=8,1,8,4", "they multiply to 256, 8x8x8 has 512"},
		{"partition gpt3 8x8x8 spec=8,1,8", "four parts"}, {"partition gpt3 8x8x8 spec=8,1,-8,8", "four parts"},
		{"partition gpt3 8x8x8 spec=512,1,1,1", "512 stages share 96 layers"},
		{"partition gpt3 4x4x4", "GiB more than there is"},
		{"partition gpt3 8x8x8 batch=4 spec=1,512,1,1", "do not go round"}, {"partition gpt4 512", "did you mean 'gpt3'"},
		{"partition gpt3 500", "448 and 512"}, {"partition gpt3 512 weights=int9", "no such format"},
		{"partition gpt3 512 weights=bf61", "did you mean"}, {"partition gpt3 512 pods=2", "joins 1"},
		{"partition gpt3 512 axes=some", "whole, or any"}, {"partition gpt3 512 site=mars", "no such site"},
		{"partition gpt3 512 efficiency=2", "from 0.001 to 1"}, {"partition gpt3 512 heads=7", "has no 7 heads"},
		{"partition gpt3 512 layers=1.5", "whole numbers"}, {"partition gpt3 512,x", "not numbers of chips"},
		{"partition gpt3 1,2,4", "does not fit"}, {"partition gpt3 512 on tpu_v4_infiniband", "islands"},
		{"partition gpt3 1e3x4", "not the shape"}, {"partition gpt3", "at least 2"}};
	REFUSES(bad);
}

// ---- embeddings -------------------------------------------------------------------------------------------------------

static void embeddings_by_hand(void **state)
{
	(void)state;
	struct world w = world_of("tpu_v4");
	struct slice s = slice_named("tpu_v4", "4x4x8", true);
	struct slice_network n;
	struct embedding_price p, q;
	static struct workload load = {
		.name = "one", .batch = 128 * 1000, .dense = 1e6, .tables = 1, .table = {{1e6, 64, 10, .5, PLACE_SPARSECORE}}};
	struct embedding_job j = {.workload = &load, .batch = load.batch, .place = EMBEDDING_PLACES};
	assert_true(slice_network_of(&s, &n, &fault) && division_format("fp32", &j.format, &fault));
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &p, &fault));
	// A chip has 1000 samples, 10000 ids, 5000 of them unique, of 256 bytes.
	assert_true(p.ids == 1.28e6 && p.unique == .64e6);
	assert_true(close_to(p.rows, 5000 * 256 * 3 / (1200e9 * .5), 1e-9));
	assert_true(close_to(p.vector, 2 * 10000 * 64 / (4 * 128 * 1.05e9), 1e-9));
	assert_true(p.stacks == 1 && p.listed == 128 * 16384); // 2048 lists of 4.9 ids, each padded to 8
	assert_true(close_to(p.handling, 2 * 16384 * 8 / (4 * 16 * 1.05e9), 1e-9));
	assert_true(close_to(p.exchange,
		fmax(6e-6, (5000 * 256 * 2 + 5000 * 4) * (127 / 128.) / 128 * n.load[ROUTE_PATHS] / 45e9), 1e-9));
	assert_true(close_to(p.dense, 6 * 1e6 * 1000 / (275e12 * .3), 1e-9));
	assert_true(p.buffers == 5000 * 3 * 256);
	assert_true(close_to(p.memory - p.buffers, 1003520. * 64 * 4 * 2 / 128, 1e-9) &&
		p.fits); // 245 times 8 rows for 512 SparseCores
	assert_true(close_to(p.step, fmax(fmax(p.rows, p.vector), fmax(p.handling, p.exchange)) + 20e-6 + p.dense, 1e-9));
	// Overlap hides the shorter; duplicates cost; a narrower format moves less; serving takes no gradients.
	j.pipelined = true;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &q, &fault) && q.step < p.step && q.step >= q.dense);
	j.pipelined = false;
	j.keep_duplicates = true;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &q, &fault) && q.rows == 2 * p.rows && q.vector == p.vector);
	j.keep_duplicates = false;
	assert_true(division_format("bf16", &j.format, &fault) && embedding_price_of(&w, 0, &s, &n, &j, &q, &fault) &&
		q.rows == p.rows / 2);
	j.serve = true;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &q, &fault) && close_to(q.rows, p.rows / 6, 1e-9) &&
		q.memory - q.buffers == (p.memory - p.buffers) / 4 && q.buffers == 5000 * (2 * 128 + 4));
	// No SparseCores: refused, but on hosts.
	w = world_of("tpu_v5e");
	s = slice_named("tpu_v5e", "8x16", false);
	assert_true(slice_network_of(&s, &n, &fault));
	assert_false(embedding_price_of(&w, 0, &s, &n, &j, &q, &fault));
	j.place = PLACE_HOST;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &q, &fault) && q.host > 0);
}

// Tables of one width are a stack: one overhead, one exchange, lists of ids that padding fills less, and buffers for all of it at once.
static void tables_are_stacked(void **state)
{
	(void)state;
	struct world w = world_of("tpu_v4");
	struct slice s = slice_named("tpu_v4", "4x4x8", true);
	struct slice_network n;
	struct embedding_price one, alone, dealt, wide;
	static struct workload load = {.name = "four",
		.batch = 128 * 1000,
		.dense = 1e6,
		.tables = 4,
		.table = {{1e6, 64, 1, 1, PLACE_SPARSECORE}, {1e6, 64, 4, 1, PLACE_SPARSECORE}, {1e6, 64, 2, 1, PLACE_SPARSECORE},
			{1e6, 3, 1, 1, PLACE_SPARSECORE}}};
	struct embedding_job j = {.workload = &load, .batch = load.batch, .place = EMBEDDING_PLACES};
	assert_true(slice_network_of(&s, &n, &fault) && division_format("fp32", &j.format, &fault));
	// Those of width 64, and the narrow one, whose rows are padded to 32 bytes.
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &one, &fault) && one.stacks == 2);
	j.stacks = STACKS_ALONE;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &alone, &fault) && alone.stacks == 4);
	assert_true(close_to(one.overhead, 40e-6, 1e-12) && close_to(alone.overhead, 80e-6, 1e-12));
	// 2048 lists a chip: 3.4 and 0.5 ids in each, or 0.5, 2, 1 and 0.5. A list of at most one id has at most 8 places.
	assert_true(one.ids == 1024000 && one.padding == one.listed - one.ids && one.listed == 128 * (2048 * 8 + 8000.));
	assert_true(alone.ids == one.ids && alone.listed == 128 * (8000. + 2048 * 8 + 16000 + 8000));
	assert_true(one.buffers == 7000 * 3 * 256 && alone.buffers == 4000 * 3 * 256);
	assert_true(close_to(one.rows, (7000 * 256 + 1000 * 32) * 3 / (1200e9 * .5), 1e-9) &&
		close_to(alone.rows, one.rows, 1e-12));
	assert_true(one.step < alone.step && one.memory > alone.memory && one.exchange <= alone.exchange);
	// Two stacks of width 64: the most looked up alone, the other two together.
	j.stacks = 2;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &dealt, &fault) && dealt.stacks == 3 &&
		dealt.buffers == 4000 * 3 * 256);
	// The shortest step is that of the fewest stacks, unless their buffers do not fit.
	int stacks = 0;
	assert_true(embedding_stack_best(&w, 0, &s, &n, &j, &stacks, &fault) && stacks == 1);
	w.pod[0].figure[POD_MEMORY].value = (one.memory + alone.memory) / 2;
	assert_true(embedding_stack_best(&w, 0, &s, &n, &j, &stacks, &fault) && stacks == 2);
	w.pod[0].figure[POD_MEMORY].value = 1;
	assert_false(embedding_stack_best(&w, 0, &s, &n, &j, &stacks, &fault));
	// Narrow formats have rows of 32 bytes at least.
	w = world_of("tpu_v4");
	assert_true(division_format("int8", &j.format, &fault));
	j.stacks = 0;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &wide, &fault));
	assert_true(close_to(wide.rows, (7000 * 64 + 1000 * 32) * 3 / (1200e9 * .5), 1e-9));
	j.place = PLACE_HOST;
	assert_true(embedding_price_of(&w, 0, &s, &n, &j, &wide, &fault) && wide.stacks == 0 && wide.buffers <= 0);
	assert_true(embedding_stack_best(&w, 0, &s, &n, &j, &stacks, &fault) && stacks == 1);
}

static bool read_workload_text(const char *text, struct workload *w)
{
	char path[] = "/tmp/bitscape-workload-XXXXXX.json";
	int fd = mkstemps(path, 5);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	bool ok = workload_get(path, w, &fault);
	unlink(path);
	return ok;
}

static void workloads_are_read(void **state)
{
	(void)state;
	static struct workload w;
	assert_true(workload_get("dlrm_dcnv2", &w, &fault));
	double rows = 0, hot = 0;
	for (int i = 0; i < w.tables; i++) {
		rows += w.table[i].rows;
		hot += w.table[i].hot;
	}
	assert_true(w.tables == 26 && rows == 204184588 && hot == 214 && w.batch == 65536);
	static struct workload file; // the same, to begin one's own with
	assert_true(workload_get("sessions/examples/dlrm_dcnv2.json", &file, &fault));
	assert_true(file.tables == w.tables && file.batch == w.batch && file.dense == w.dense);
	assert_string_equal(file.source, w.source);
	for (int i = 0; i < w.tables; i++)
		assert_true(file.table[i].rows == w.table[i].rows && file.table[i].width == w.table[i].width &&
			file.table[i].hot == w.table[i].hot && file.table[i].unique == w.table[i].unique &&
			file.table[i].place == w.table[i].place);
#define LOAD "{\"bitscape-workload\":1,\"name\":\"n\",\"source\":\"s\",\"batch\":64,\"dense\":100,\"tables\":"
	assert_true(read_workload_text(LOAD "[{\"rows\":10,\"width\":8,\"hot\":1.5,\"place\":\"host\"}]}", &w));
	assert_true(w.tables == 1 && w.table[0].place == PLACE_HOST && w.table[0].unique == 0);
	static const struct {
		const char *text, *says;
	} bad[] = {{"{}", "not a workload"}, {LOAD "[]}", "tables"},
		{LOAD "[{\"rows\":-1,\"width\":8,\"hot\":1}]}", "tables[0].rows"},
		{LOAD "[{\"rows\":1,\"hot\":1}]}", "tables[0].width: missing"},
		{LOAD "[{\"rows\":1,\"width\":8,\"hot\":1,\"place\":\"moon\"}]}", "no such place"},
		{LOAD "[{\"rows\":1,\"width\":8,\"hot\":1,\"unique\":2}]}", "tables[0].unique"},
		{LOAD "[3]}", "tables[0]: not an object"}, {LOAD "[{\"row\":1}]}", "did you mean 'rows'"},
		{LOAD "[{\"rows\":1,\"width\":8,\"hot\":1,\"unique\":\"some\"}]}", "tables[0].unique"},
		{LOAD "[],\"bacth\":1}", "did you mean 'batch'"}};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[1024];
		if (read_workload_text(bad[i].text, &w) || !strstr(fault_line(&fault, line, sizeof line), bad[i].says))
			fail_msg("%s says \"%s\"", bad[i].text, line);
	}
}

static void embeddings_command(void **state)
{
	(void)state;
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 twisted on tpu_v4 against=tpu_v3:8x16"));
	shows("this pod over the other: 3.75");
	shows("agreement is not claimed");
	// A place for each table: small ones where a look-up costs least, and no step longer than with all in one place.
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 place=each"));
	shows("tables by number: sparsecore 1-5, 7-8, 10-12, 20-24; tensorcore 6, 9, 13-19, 25-26");
	shows("15 tables on SparseCores in 1 stack: 2.87 ms, 3.12 %");
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 tables=host:20-23,tensorcore:6,9"));
	shows("tables by number: sparsecore 1-5, 7-8, 10-19, 24-26; tensorcore 6, 9; host 20-23");
	assert_true(run("embeddings dlrm_dcnv2 512 on h100_cluster place=host"));
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 twisted stacks=alone"));
	shows("26 tables on SparseCores in 26 stacks: 2.472 ms");
	shows("stacked by width: 1.928 ms");
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 twisted stacks=best"));
	shows("26 tables on SparseCores in 1 stack: 1.928 ms");
	shows("every table alone: 2.472 ms");
	// A share that is set holds for every table, whatever the workload says of them.
	char *all = NULL;
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 unique=1") && (all = strdup(said.bytes)));
	assert_true(run("embeddings dlrm_dcnv2 4x4x8 unique=0.25"));
	assert_string_not_equal(all, said.bytes);
	free(all);
	static const struct bad bad[] = {{"embeddings dlrm_dcnv2 1x1x1", "GiB more than there is"},
		{"embeddings dlrm 4x4x4", "no such workload"}, {"embeddings dlrm_dcnv2 4x4x5", "nearest"},
		{"embeddings dlrm_dcnv2 8x16 on tpu_v5e", "no SparseCores"},
		{"embeddings dlrm_dcnv2 4x4x4 against=tpu_v3", "names no pod and slice"},
		{"embeddings dlrm_dcnv2 4x4x4 place=here", "is no place"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=moon:2", "is no place"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=4", "is no place"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=host:27", "has tables 1 to 26"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=host:9-4", "has tables 1 to 26"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=host:x", "names no tables"},
		{"embeddings dlrm_dcnv2 4x4x8 tables=host:1 place=host", "does not go with"},
		{"embeddings dlrm_dcnv2 4x4x4 weights=fp33", "no such format"}, {"embeddings dlrm_dcnv2 4x4x4 batch=0", "from 1"},
		{"embeddings dlrm_dcnv2 4x4x8 place=tensorcore", "do not fit"},
		{"embeddings dlrm_dcnv2 4x4x8 unique=0", "above 0, at most 1"},
		{"embeddings dlrm_dcnv2 4x4x8 unique=.5 duplicates", "does not go with"},
		{"embeddings dlrm_dcnv2 4x4x8 stacks=0", "does not say how many"},
		{"embeddings dlrm_dcnv2 4x4x8 stacks=some", "does not say how many"},
		{"embeddings dlrm_dcnv2 1x1x1 stacks=best", "however they are stacked"},
		{"embeddings /nowhere.json 4x4x4", "/nowhere.json"}};
	REFUSES(bad);
}

// ---- energy and carbon ------------------------------------------------------------------------------------------------

// Published runs from their own hours and watts, to the published MWh and tonnes; and the products of published factors.
static void carbon_is_the_published_accounting(void **state)
{
	(void)state;
	for (int i = 0; i < training_run_count; i++) {
		const struct training_run *t = &training_runs[i];
		for (int k = 0; k < site_count; k++)
			if (strcmp(site_table[k].name, t->site) == 0) {
				struct footprint f = footprint_of(t->days * 86400, t->chips, t->watts, &site_table[k]);
				assert_true(close_to(f.mwh, t->mwh, .01) && close_to(f.gross, t->tonnes_gross, .02) &&
					close_to(f.net, t->tonnes_net, .02));
				assert_true(close_to(t->operations / (t->chips * t->rate) / 86400, t->days, .015));
			}
	}
	assert_true(close_to(carbon_utilization(), .3208, .001));
	assert_true(close_to(2 * site_table[1].pue / site_table[0].pue, 2.85, .005));
	assert_true(close_to(2 * site_table[1].pue / site_table[0].pue * site_table[1].net / site_table[0].net, 18.3, .005));
}

static void carbon_command(void **state)
{
	(void)state;
	assert_true(run("carbon"));
	shows("architecture_search");
	assert_true(run("carbon gpt3 256,512 deadline=60 site=iowa format=bf16,int8"));
	shows("too late");
	shows("the least net CO2e in time");
	shows("t CO2e net");
	assert_true(run("carbon gpt3 4,512 site=iowa format=bf16"));
	shows("4 chips, bf16: does not fit: ");
	shows("gpt3    512  iowa");
	assert_true(run("carbon operations=3.14e23 chips=512 pue=1.2 gross=0.3"));
	shows("one's own");
	static const struct bad bad[] = {{"carbon gpt3 4 site=iowa", "gpt3 in bf16 does not fit"},
		{"carbon site=iow operations=1 chips=1", "did you mean 'iowa'"}, {"carbon operations=1e20", "chips=512"},
		{"carbon operations=-1", "from 1"}, {"carbon operations=1e20 chips=1 pue=.5", "from 1"},
		{"carbon gpt3", "how many chips"}, {"carbon gpt3 500", "448 and 512"},
		{"carbon gpt3 64", "GiB a chip are missing"}, {"carbon operations=1 chips=1 gross=.1 net=.2", "is more than"},
		{"carbon operations=1 chips=1 on tpu_v5e", "not in the table"},
		{"carbon gpt3 256 on tpu_v5p", "power of its chips is unknown"}, {"carbon gpt3 256 tokens=-1", "from 1"},
		{"carbon utilization=2 operations=1 chips=1", "from 0.001"}, {"carbon chips=3", "nothing to price"}};
	REFUSES(bad);
}

// ---- against what was published ---------------------------------------------------------------------------------------

// The verdicts as they stand: one that changes does so in a commit that says why. A "not" stays a "not" until a source moves it.
static void verdicts_stand(void **state)
{
	(void)state;
	static const char *const known[PUBLISHED_CASES] = {"agree", "not", "agree", "not", "not", "not", // the network
		"agree", "agree", "not", "agree", "agree", "agree", "agree", "agree", "agree", "agree", "not", "agree", // goodput
		"not", "not", "band", "not",                                     // InfiniBand
		"fed", "band", "not", "not", "not", "band", "not", "not", "not", // transformers
		"band", "not", "band", "agree", "agree"};
	static struct published_result r[PUBLISHED_CASES];
	int count = published_results(r, &fault);
	assert_int_equal(count, 36);
	for (int i = 0; i < count; i++) {
		if (strcmp(r[i].verdict, known[i]) != 0)
			fail_msg("%s, %s: %s, not %s (%g, %g to %g)", r[i].row->name, r[i].with, r[i].verdict, known[i],
				r[i].band.value, r[i].band.low, r[i].band.high);
		assert_true(r[i].reason[0] && isfinite(r[i].band.value));
		// Where a gain is claimed its sign holds over the whole band.
		if (r[i].row == &published_table[PUB_LLM_RATIO] || r[i].row == &published_table[PUB_SC_V4_V3] ||
			r[i].row == &published_table[PUB_SC_HOST_LOW] || r[i].row == &published_table[PUB_TWIST_448] ||
			r[i].row == &published_table[PUB_TWIST_488])
			assert_true(r[i].band.low > 1);
	}
	assert_true(run("pods published"));
	shows("gpt3, overlap 0: the published best is 8 of 115 that fit, what it replaced 59");
}

// ---- the program ------------------------------------------------------------------------------------------------------

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_have_sources),
		cmocka_unit_test(bands_hold_the_corners),
		cmocka_unit_test(pods_command),
		cmocka_unit_test(pod_files_are_read),
		cmocka_unit_test(pod_files_with_mistakes),
		cmocka_unit_test(wraps_follow_the_pod),
		cmocka_unit_test(loads_are_the_known_ones),
		cmocka_unit_test(loads_meet_brute_force),
		cmocka_unit_test(collectives_take_the_known_times),
		cmocka_unit_test(slice_commands),
		cmocka_unit_test(large_slices_are_refused_or_quick),
		cmocka_unit_test(goodput_has_the_published_points),
		cmocka_unit_test(simulation_meets_the_closed_forms),
		cmocka_unit_test(goodput_command),
		cmocka_unit_test(divisions_are_counted),
		cmocka_unit_test(a_step_is_what_it_is_made_of),
		cmocka_unit_test(the_topology_search_is_held_against_the_published),
		cmocka_unit_test(partition_command),
		cmocka_unit_test(embeddings_by_hand),
		cmocka_unit_test(tables_are_stacked),
		cmocka_unit_test(workloads_are_read),
		cmocka_unit_test(embeddings_command),
		cmocka_unit_test(carbon_is_the_published_accounting),
		cmocka_unit_test(carbon_command),
		cmocka_unit_test(verdicts_stand),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	string_free(&said);
	return failed;
}
