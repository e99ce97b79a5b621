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

static bool close_to(double a, double b, double share)
{
	return fabs(a - b) <= share * fabs(b);
}

static struct string said;
static struct fault fault;

static void say(struct command_call *call, const char *format, ...)
{
	(void)call;
	char *text = NULL;
	va_list args;
	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	string_add(&said, "%s\n", text);
	free(text);
}

static bool run(const char *line)
{
	const struct command_group group = session_machine_group();
	const struct command_table table = {&group, 1};
	string_clear(&said);
	fault = (struct fault){0};
	return command_run(&table, line, say, NULL, &fault);
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
			else if (!(v->kind == INPUT_UNKNOWN ? v->low < v->high && v->source && v->low <= v->value && v->value <= v->high
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
	static const struct bad bad[] = {{"pods tpu_v5", "did you mean"}, {"pods inputs cvs=x", "csv="}, {"pods repair=-1", "will not do"},
		{"pods repair=x", "is none"}, {"pods csv=", "it is empty"}, {"pods csv=/nowhere/at/all.csv", "/nowhere/at/all.csv"}};
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
	assert_true(read_pod_text(HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":1,\"low\":0.5,\"high\":2}}}", &p));
	assert_string_equal(p.name, "mine");
	assert_true(p.network == NETWORK_FIXED && p.whole[0] == 8 && p.whole[1] == 8 && p.whole[2] == 1);
	assert_true(p.figure[POD_LINK].value == 45e9 && p.figure[POD_HOP].high == 2e-6 && p.figure[POD_HOP].kind == INPUT_UNKNOWN);
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "line"}, {"[1]", "not a pod file"}, {"{\"bitscape-pod\":2}", "newer"}, {"{\"bitscape-pod\":1}", "name: missing"},
		{HEAD "\"network\":\"rings\"," FIGURES "}}", "network"}, {HEAD "\"network\":\"fixed\"," FIGURES "}}", "axes"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,4]," FIGURES "}}", "32 chips"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,-8]," FIGURES "}}", "axes[1]"},
		{HEAD "\"network\":\"islands\"," FIGURES "}}", "figures.island: missing"},
		{HEAD "\"network\":\"blocks\"," FIGURES "}}", "figures.block"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"linc\":4}}", "did you mean 'link'"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"nic\":-4}}", "figures.nic: -4 will not do"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"host\":4}}", "line"}, // twice
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":3,\"low\":0.5,\"high\":2}}}", "outside its range"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":1,\"low\":0.5}}}", "figures.hop.high: nothing"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8]," FIGURES ",\"hop\":{\"value\":1,\"lo\":1}}}", "no such part"},
		{HEAD "\"network\":\"fixed\",\"axes\":[8,8],\"twists\":1," FIGURES "}}", "twists"},
		{HEAD "\"network\":\"fixed\",\"axis\":[8,8]," FIGURES "}}", "did you mean 'axes'"},
		{"{\"bitscape-pod\":1,\"name\":\"m\",\"device\":\"tpu_v9\",\"source\":\"s\",\"network\":\"fixed\",\"axes\":[8,8]," FIGURES "}}", "no device"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[1024];
		if (read_pod_text(bad[i].text, &p))
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(fault_line(&fault, line, sizeof line), bad[i].says))
			fail_msg("%s says \"%s\"", bad[i].text, line);
	}
}

// ---- the program ------------------------------------------------------------------------------------------------------

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_have_sources),
		cmocka_unit_test(bands_hold_the_corners),
		cmocka_unit_test(pods_command),
		cmocka_unit_test(pod_files_are_read),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	string_free(&said);
	return failed;
}
