// SPDX-License-Identifier: GPL-3.0-or-later
// Sessions whose architecture varies: what a person says of its slots and is told of them, in commands, readouts, drafts, exports and
// the journal.
#include "tests/workplace.h"

// A layer and a slot share the name b2.width.
static const char net[] = "input 16x16x3\n"
			  "classes 10\n"
			  "stem conv out=8|16 kernel=3|5\n"
			  "block b1 depth=off|on\n"
			  "b1.conv conv out=16 kernel=3|5|7\n"
			  "b1.norm norm act=relu|swish\n"
			  "end\n"
			  "b2 conv out=16|24 kernel=3|5\n"
			  "b2.width conv out=16 kernel=3\n"
			  "pooled pool\n"
			  "head linear out=classes\n";

static struct session *open_network(const char *name, const char *file)
{
	const char *const settings[][2] = {
		{"net", file}, {"data", "none"}, {"space", "int4,int8"}, {"target.bops", "none"}, {"weight.bops", "0"}};
	struct fault f;
	struct config *config = config_new();
	put_string("slots.net", net);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (!config_set(config, settings[i][0], settings[i][1], &f))
			fail_msg("%s: %s", settings[i][0], f.what);
	struct session *s = session_new(name, config, &f);
	config_free(config);
	if (!s)
		fail_msg("%s: %s", f.where, f.what);
	return s;
}

static struct session *open_slots(const char *name)
{
	return open_network(name, "./slots.net");
}

static void replay_say(const char *line)
{
	(void)line;
}

static void slots_are_spoken_of(void **state)
{
	(void)state;
	struct session *s = open_slots("spoken");
	run_lines(s,
		"expect choices = 6144\n" // 2^5 for five layers, 2*2 of the stem, 2*3*2 of b1, 2*2 of b2
		"expect networks = 3328\n"
		"expect pinned.b1.depth = no\n"
		"pin b1 off\n"
		"restrict b1.conv.kernel 3,5\n"
		"pin b2.width int8\n"
		"pin b2.width 24\n"
		"pin stem.w int4\n"
		"expect modal.b1.depth = off\n"
		"expect pinned.b1.depth = off\n"
		"expect rests.b1.conv = yes\n"
		"expect rests.b1.conv.kernel = yes\n"
		"expect rests.b1.depth = no\n"
		"expect rests.stem = no\n"
		"expect modal.b2.width = int8\n"
		"expect modal.b2:width = 24\n"
		"expect result.b2:width = 24\n"
		"slots\n");
	assert_printed("slot            kind    options     modal");
	assert_printed("b1.depth        depth   off on      off    100 %  pinned\n");
	assert_printed("b1.conv.kernel  kernel  3 5 7       5");
	assert_printed("only 3,5; rests\n");
	assert_printed("b2.width        width   16 24       24     100 %  pinned\n");
	assert_printed("10 slots of formats and 7 of the architecture: with one format a layer 6144 choices, 3328 networks\n");
	run_lines(s, "slots stem\nlayers\n");
	assert_printed("stem.w  w     int4 int8  int4   100 %  pinned\n");
	assert_printed("  rests\n");
	run_lines(s, "group b*.depth as d\nwhy d\nungroup d\nunpin *\nexpect pinned.b2:width = no\nexpect pinned.stem = no\n");
	assert_printed("d: each option, all else as in the modal choice");
	refused(s, "pin b1.conv.kernel 9\n", "9: b1.conv.kernel has no such option; its options are 3 5 7");
	refused(s, "pin b1.conv.kernal 5\n", "did you mean 'b1.conv.kernel'?");
	refused(s, "pin b1.conv.kernel 3,5\n", "a pin takes one option");
	refused(s, "draft nosuch 5\n", "no layer, no slot and no group has this name");
	refused(s, "restrict b2.[wk]* 16\n", "it means slots of several kinds");
	refused(s, "latency .\n", "its architecture is still to be chosen");
	end(s);
	// What was said is what is replayed.
	struct fault f;
	char *journal = get("spoken.bitscape/journal", NULL);
	assert_non_null(strstr(journal, "0 pin b1 off # back unpin b1.depth #"));
	assert_non_null(strstr(journal, "0 restrict b1.conv.kernel 3,5 # back unpin b1.conv.kernel #"));
	assert_non_null(strstr(journal, "0 pin b2.width 24 # back unpin b2:width #"));
	free(journal);
	s = again("spoken");
	run_lines(s, "undo\nexpect pinned.b2:width = 24\nexpect pinned.b2.width = int8\nexpect pinned.b1.depth = off\n");
	end(s);
	assert_true(session_replay("spoken", replay_say, &f));
}

static void drafts_of_slots(void **state)
{
	(void)state;
	struct session *s = open_slots("drafted");
	const struct engine_info *info = engine_info(session_engine(s));
	run_lines(s, "pin b1 off\ndraft up b1.depth\ndraft b1.conv.kernel 3\ndraft down b2:width\ndraft b2.width int4\n");
	assert_printed("draft, 4 of 12 decisions changed: bops");
	assert_true(session_draft(s)[info->slots - 2] == 0); // b2's width
	refused(s, "draft down b2:width\n", "b2.width: it has no smaller option; `draft up` steps the other way");
	refused(s, "draft b1.depth 3\n", "b1.depth: '3' is not in its space; it has off on");
	run_lines(s, "undo\ndraft b2.width int4\ndraft commit\n");
	assert_printed("b2.width is pinned to int4, b1.depth is pinned to on");
	run_lines(s,
		"expect pinned.b2.width = int4\nexpect pinned.b2:width = 16\nexpect pinned.b1.conv.kernel = 3\nexpect rests.b1.conv = no\n"
		"undo\nexpect pinned.b2:width = no\nexpect pinned.b1.depth = off\nredo\n"
		"apply uniform int8\ndraft commit\nexpect modal.b2.width = int8\nexpect modal.b2:width = 16\n");
	// A policy holds the architecture too, and gives it back.
	run_lines(s, "export policy p.json\nexport slots s.csv\nexport layers l.csv\nexport front f.csv\n");
	char *slots = get("s.csv", NULL), *layers = get("l.csv", NULL), *front = get("f.csv", NULL);
	assert_non_null(strstr(slots, "slot,kind,options,option,probability,pinned,rests,group\n"));
	assert_non_null(strstr(slots, "\nb1.conv.kernel,kernel,3|5|7,3,1,1,0,\n"));
	assert_non_null(strstr(layers, ",group,rests,"));
	assert_non_null(strstr(front, ",b1.conv.kernel,"));
	free(slots);
	free(layers);
	free(front);
	end(s);
	s = open_slots("pasted");
	run_lines(s,
		"paste p.json\ndraft commit\nexpect modal.b2.width = int8\nexpect modal.b2:width = 16\nexpect modal.b1.conv.kernel = 3\n");
	end(s);
	// One of a network without choices has none to give.
	char *policy = get("p.json", NULL), *at = strstr(policy, "\"architecture\"");
	assert_non_null(at);
	memcpy(at, "\"construction\"", 14);
	put_string("q.json", policy);
	free(policy);
	s = open_slots("refused");
	refused(s, "paste q.json\n", "it has 0 slots of the architecture, this network 7");
	end(s);
}

static void completes(struct session *s, const char *line, const char *expected)
{
	struct command_group group[GROUPS];
	struct command_table table = table_of(s, group);
	size_t start;
	char joined[1024] = "";
	char **words = command_complete(&table, s, line, strlen(line), &start);
	for (char **w = words; w && *w; w++) {
		size_t n = strlen(joined);
		snprintf(joined + n, sizeof joined - n, "%s%s", n ? " " : "", *w);
		free(*w);
	}
	free(words);
	assert_string_equal(joined, expected);
}

// Layers are told as they run, whatever the whole network has of them.
static void layers_follow_the_choice(void **state)
{
	(void)state;
	static const struct {
		const char *draft;
		int layer, in_c, out_c, kernel;
		double macs;
	} rows[] = {{"b1.depth on", 1, 16, 16, 7, 16 * 16 * 49.0 * 16 * 16},
		{"b1.conv.kernel 3", 1, 16, 16, 3, 16 * 16 * 9.0 * 16 * 16},
		{"stem.width 8", 1, 8, 16, 3, 16 * 16 * 9.0 * 8 * 16}, {"b1.depth off", 1, 16, 16, 7, 0},
		{"b1.depth off", 2, 8, 24, 5, 16 * 16 * 25.0 * 8 * 24}, {"stem.kernel 3", 0, 3, 8, 3, 16 * 16 * 9.0 * 3 * 8}};
	struct session *s = open_slots("layers");
	const struct engine_info *info = engine_info(session_engine(s));
	struct layer_info layer[8];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char line[64];
		snprintf(line, sizeof line, "draft %s\n", rows[i].draft);
		run_lines(s, line);
		assert_true(engine_layers(session_engine(s), session_draft(s), layer));
		const struct layer_info *l = &layer[rows[i].layer];
		assert_string_equal(l->name, info->layer[rows[i].layer].name);
		assert_true(l->in_c == rows[i].in_c && l->out_c == rows[i].out_c && l->kernel_h == rows[i].kernel &&
			l->macs == rows[i].macs);
		assert_true(l->weight_slot == 2 * rows[i].layer);
	}
	end(s);
}

// What was chosen is a network of its own, which costs the same with the same formats.
static void a_result_leaves(void **state)
{
	(void)state;
	struct session *s = open_slots("leaving");
	run_lines(s,
		"pin b1 off\npin stem.width 8\npin b2:width 24\npin b2.kernel 3\npin stem.w int4\npin b2.w int4\n"
		"export network found.net\nexport policy found.json\nexport layers l.csv\n");
	const struct engine_info *info = engine_info(session_engine(s));
	double cost[ENGINE_TERMS], other[ENGINE_TERMS];
	uint8_t choice[32];
	session_result(s, choice);
	assert_true(engine_price(session_engine(s), choice, cost, 0, NULL));
	assert_int_equal(info->layers, 5);
	char *layers = get("l.csv", NULL);
	assert_non_null(strstr(layers, "\nb2,conv,16,16,8,16,16,24,3,3,1,1,"));
	free(layers);
	end(s);
	s = open_network("found", "./found.net");
	info = engine_info(session_engine(s));
	assert_true(info->layers == 4 && info->slots == info->formats);
	run_lines(s, "paste found.json\ndraft commit\nexpect modal.b2 = int4\nexpect modal.head = int8\n");
	session_modal(s, choice);
	assert_true(engine_price(session_engine(s), choice, other, 0, NULL));
	assert_memory_equal(cost, other, (size_t)session_snapshot(s)->terms * sizeof *cost);
	end(s);
}

static void slots_are_completed(void **state)
{
	(void)state;
	struct session *s = open_slots("completed");
	completes(s, "pin b1", "b1.conv b1.depth b1.conv.kernel b1.norm.act");
	completes(s, "pin b1.conv.kernel ", "3 5 7");
	completes(s, "restrict b1.depth on,", "on,off on,on");
	completes(s, "pin stem ", "int4 int8");
	completes(s, "pin b2.width ", "int4 int8 16 24");
	completes(s, "draft up b1.c", "b1.conv b1.conv.kernel");
	completes(s, "draft b1.norm.act ", "relu swish");
	completes(s, "target bops i", "int4 int8");
	completes(s, "print rests.b1.d", "rests.b1.depth");
	completes(s, "print modal.b2", "modal.b2 modal.b2.width modal.b2:width modal.b2.kernel");
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_spoken_of),
		cmocka_unit_test(drafts_of_slots),
		cmocka_unit_test(layers_follow_the_choice),
		cmocka_unit_test(a_result_leaves),
		cmocka_unit_test(slots_are_completed),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
