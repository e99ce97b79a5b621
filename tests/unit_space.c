// SPDX-License-Identifier: GPL-3.0-or-later
// Spaces whose architecture varies: slots of any kind, who owns whom, what is decided together, and the grammar of
// names.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/quant/format.h"
#include "engine/space/names.h"
#include "engine/space/space.h"
#include "tests/ground.h"
#include "tests/searching.h"

static struct fault fault;

// ---- a space made by hand --------------------------------------------------------------------------------------------------

// A stem, two blocks that may be absent, a head. A layer and a slot share the name s2b1.expand.
enum { D1, K1, E1, D2, K2, W, ARCHITECTURE };
static struct layer layers[] = {{.name = "stem", .owner = -1}, {.name = "s2b1.expand", .owner = D1, .when = 2},
	{.name = "s2b2.conv", .owner = D2, .when = 2}, {.name = "head", .owner = -1}};
static const struct model whole = {.layers = 4, .layer = layers};
enum { FORMAT_SLOTS = 8, SLOTS = FORMAT_SLOTS + ARCHITECTURE };

static struct slot architecture[ARCHITECTURE];

static void add(int at, enum slot_kind kind, const char *name, const char *options, int owner)
{
	architecture[at] = (struct slot){.kind = kind, .owner = owner, .when = owner < 0 ? 0 : 2, .layer = -1};
	snprintf(architecture[at].name, sizeof architecture[at].name, "%s", name);
	assert_true(slot_read(&architecture[at], options, &fault));
}

static struct space *space_by_hand(const char *formats)
{
	add(D1, SLOT_DEPTH, "s2b1.depth", "off|on", -1);
	add(K1, SLOT_KERNEL, "s2b1.kernel", "3|5|7", D1);
	add(E1, SLOT_EXPANSION, "s2b1.expand", "3|6", D1);
	add(D2, SLOT_DEPTH, "s2b2.depth", "off|on", D1); // a block within the first
	add(K2, SLOT_KERNEL, "s2b2.kernel", "3|5|7", D2);
	add(W, SLOT_WIDTH, "mid.width", "16|24", -1);
	struct space *s = space_new(&whole, architecture, ARCHITECTURE, formats, &fault);
	assert_non_null(s);
	return s;
}

static void slots_of_both_kinds(void **state)
{
	(void)state;
	struct space *s = space_by_hand("int4,int8");
	assert_true(s->slots == SLOTS && s->formats == FORMAT_SLOTS && s->rests && s->options == 2);
	static const struct {
		const char *name;
		enum slot_kind kind;
		int layer, owner;
	} want[SLOTS] = {{"stem.w", SLOT_WEIGHT, 0, -1}, {"stem.a", SLOT_ACTIVATION, 0, -1},
		{"s2b1.expand.w", SLOT_WEIGHT, 1, FORMAT_SLOTS + D1}, {"s2b1.expand.a", SLOT_ACTIVATION, 1, FORMAT_SLOTS + D1},
		{"s2b2.conv.w", SLOT_WEIGHT, 2, FORMAT_SLOTS + D2}, {"s2b2.conv.a", SLOT_ACTIVATION, 2, FORMAT_SLOTS + D2},
		{"head.w", SLOT_WEIGHT, 3, -1}, {"head.a", SLOT_ACTIVATION, 3, -1}, {"s2b1.depth", SLOT_DEPTH, -1, -1},
		{"s2b1.kernel", SLOT_KERNEL, -1, FORMAT_SLOTS + D1}, {"s2b1.expand", SLOT_EXPANSION, -1, FORMAT_SLOTS + D1},
		{"s2b2.depth", SLOT_DEPTH, -1, FORMAT_SLOTS + D1}, {"s2b2.kernel", SLOT_KERNEL, -1, FORMAT_SLOTS + D2},
		{"mid.width", SLOT_WIDTH, -1, -1}};
	for (int i = 0; i < SLOTS; i++) {
		const struct slot *slot = &s->slot[i];
		assert_string_equal(slot->name, want[i].name);
		assert_true(slot->kind == want[i].kind && slot->layer == want[i].layer && slot->owner == want[i].owner);
		assert_true(slot->owner < 0 || slot->when == 2);
		assert_true(space_of_format(s, i) == (i < FORMAT_SLOTS) && space_all(s, i) == (1u << slot->options) - 1);
	}
	assert_true(space_format(s, 3, 1) == format_named("int8") && space_option(s, 3, format_named("int8")) == 1);
	// Options by name, of any slot; faults say what there is.
	int option;
	assert_true(space_option_named(s, FORMAT_SLOTS + K1, "5", &option, &fault) && option == 1);
	assert_false(space_option_named(s, FORMAT_SLOTS + K1, "9", &option, &fault));
	assert_string_equal(fault.what, "s2b1.kernel has no such option");
	assert_string_equal(fault.todo, "its options are 3 5 7");
	assert_false(space_option_named(s, 0, "int9", &option, &fault));
	assert_string_equal(fault.what, "no such format");
	space_free(s);
}

// The next choice in the order of counting; false: it was the last.
static bool next_choice(const struct space *s, uint8_t *choice)
{
	for (int i = 0; i < s->slots; i++) {
		if (++choice[i] < s->slot[i].options)
			return true;
		choice[i] = 0;
	}
	return false;
}

// Whether two choices differ in a slot that is there under either.
static bool distinct(const struct space *s, const uint8_t *a, const uint8_t *b)
{
	for (int i = 0; i < s->slots; i++)
		if ((slot_there(s->slot, i, a) || slot_there(s->slot, i, b)) &&
			(a[i] != b[i] || slot_there(s->slot, i, a) != slot_there(s->slot, i, b)))
			return true;
	return false;
}

static void equal_networks_are_equal_bytes(void **state)
{
	(void)state;
	struct space *s = space_by_hand("int4,int8");
	struct partition *p = partition_new(s, &fault);
	uint8_t choice[SLOTS] = {0}, canonical[SLOTS], other[SLOTS];
	double decisions, networks, seen = 0, all = 0;
	p->allowed[FORMAT_SLOTS + K1] = 6; // its first allowed option is not its first
	assert_true(partition_derive(p, &fault));
	// All choices in which a layer's two formats are the same: those that are their own canonical form are one for each network.
	do {
		bool tied = true;
		for (int l = 0; l < whole.layers; l++)
			tied = tied && choice[2 * l] == choice[2 * l + 1];
		if (!tied)
			continue;
		all++;
		memcpy(canonical, choice, SLOTS);
		space_canonical(s, canonical);
		assert_false(distinct(s, choice, canonical));
		seen += memcmp(choice, canonical, SLOTS) == 0;
		if (choice[FORMAT_SLOTS + K1] == 0)
			continue;
		memcpy(other, choice, SLOTS);
		partition_canonical(p, other);
		assert_false(distinct(s, choice, other));
		for (int i = 0; i < SLOTS; i++)
			assert_true(slot_there(s->slot, i, choice) || other[i] == (i == FORMAT_SLOTS + K1));
	} while (next_choice(s, choice));
	assert_true(space_counts(s, false, &decisions, &networks));
	assert_true(decisions == all && networks == seen);
	assert_true(decisions == 16 * 2 * 3 * 2 * 2 * 3 * 2 && networks == 4 * 2 * (1 + 3 * 2 * 2 * (1 + 3 * 2)));
	assert_true(space_counts(s, true, &decisions, &networks));
	assert_true(decisions == 256 * 2 * 3 * 2 * 2 * 3 * 2 && networks == 16 * 2 * (1 + 3 * 2 * 4 * (1 + 3 * 4)));
	partition_free(p);
	space_free(s);
}

// Slots of one decision stay together where some of them rest.
static void a_decision_rests_as_a_whole(void **state)
{
	(void)state;
	struct space *s = space_by_hand("int4,int8");
	struct partition *p = partition_new(s, &fault);
	assert_true(partition_group(p, "k", "*.kernel", &fault) && partition_derive(p, &fault));
	uint8_t choice[SLOTS] = {0};
	choice[FORMAT_SLOTS + D1] = 1; // the second block rests
	choice[FORMAT_SLOTS + K1] = choice[FORMAT_SLOTS + K2] = 2;
	partition_canonical(p, choice);
	assert_true(choice[FORMAT_SLOTS + K1] == 2 && choice[FORMAT_SLOTS + K2] == 2);
	choice[FORMAT_SLOTS + D1] = 0;
	partition_canonical(p, choice);
	assert_true(choice[FORMAT_SLOTS + K1] == 0 && choice[FORMAT_SLOTS + K2] == 0);
	partition_free(p);
	space_free(s);
}

static void arranged(const struct partition *p, const char *want)
{
	char text[SLOTS + 1] = "";
	for (int i = 0; i < SLOTS; i++)
		text[i] = (char)('a' + p->decision_of[i]);
	assert_string_equal(text, want);
}

static void slots_are_decisions(void **state)
{
	(void)state;
	struct space *s = space_by_hand("int4,int8");
	struct partition *p = partition_new(s, &fault), *copy = partition_new(s, &fault);
	char name[SPACE_NAME];
	arranged(p, "aabbccddefghij");
	assert_true(partition_group(p, "k3", "s2*.kernel", &fault) && partition_group(p, "inner", "s2b?.*n*", &fault));
	assert_true(partition_derive(p, &fault));
	arranged(p, "aabbbbccdefgeh");
	partition_name(p, 4, name);
	assert_string_equal(name, "k3");
	partition_name(p, 3, name);
	assert_string_equal(name, "s2b1.depth");
	p->split = true;
	assert_true(partition_derive(p, &fault));
	arranged(p, "abcdcdefghijhk");
	partition_name(p, 7, name);
	assert_string_equal(name, "k3");
	partition_name(p, 2, name);
	assert_string_equal(name, "inner.w");
	partition_copy(copy, p);
	assert_true(partition_equal(copy, p));
	arranged(copy, "abcdcdefghijhk");

	static const struct {
		const char *name, *pattern, *what;
	} bad[] = {
		{"x", "*.[dw]*", "s2b1.depth and mid.width cannot be decided as one"},
		{"x", "*.kernel", "s2b1.kernel is in the group k3"},
		{"s2b1", "mid.*", "a block has this name already"},
		{"stem", "mid.*", "a layer has this name already"},
		{"x", "s9*", "no such layer or slot"},
		{"s2b1.depth", "mid.*", "this cannot be a group's name, or the pattern is too long"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_false(partition_group(p, bad[i].name, bad[i].pattern, &fault));
		assert_string_equal(fault.what, bad[i].what);
		assert_true(fault.todo[0]);
	}
	// Of one kind, but with other options.
	s->slot[FORMAT_SLOTS + K2].value[2] = 9;
	assert_false(partition_group(p, "k3", "*.kernel", &fault));
	assert_string_equal(fault.what, "s2b1.kernel and s2b2.kernel cannot be decided as one");
	s->slot[FORMAT_SLOTS + K2].value[2] = 7;

	// A group of which nothing is allowed to all.
	p->allowed[FORMAT_SLOTS + K1] = 1;
	p->allowed[FORMAT_SLOTS + K2] = 2;
	assert_false(partition_derive(p, &fault));
	assert_string_equal(fault.where, "k3");
	assert_string_equal(fault.what, "it is one decision, and no option is allowed to all of its parts");
	partition_free(p);
	partition_free(copy);
	space_free(s);
}

static void means(const struct partition *p, const char *word, const char *options, const char *want)
{
	bool meant[SLOTS];
	char text[SLOTS + 1] = "";
	bool any = partition_meant(p, word, options, meant);
	assert_int_equal(any, strchr(want, '1') != NULL);
	for (int i = 0; i < SLOTS; i++)
		text[i] = meant[i] ? '1' : '0';
	if (strcmp(text, want) != 0)
		fail_msg("%s %s means %s, not %s", word, options ? options : "", text, want);
}

// The same across the engine's wall, and who rests.
static void means_in_a_snapshot(const struct partition *p, const char *word, const char *options)
{
	struct layer_info layer[4] = {0};
	struct slot_info slot[SLOTS] = {0};
	struct option_info option[SLOTS][8] = {0};
	struct slot_state now[SLOTS] = {0};
	struct group_state group[4] = {0};
	struct engine_info info = {.layer = layer, .layers = 4, .slot = slot, .slots = SLOTS, .formats = FORMAT_SLOTS};
	struct snapshot s = {.info = &info, .slots = SLOTS, .slot = now, .groups = p->groups, .group = group};
	bool here[SLOTS], there[SLOTS];
	for (int l = 0; l < 4; l++)
		memcpy(layer[l].name, layers[l].name, sizeof layer->name);
	for (int g = 0; g < p->groups; g++)
		snprintf(group[g].name, sizeof group->name, "%s", p->group[g].name);
	for (int i = 0; i < SLOTS; i++) {
		const struct slot *own = &p->space->slot[i];
		slot[i] = (struct slot_info){.layer = own->layer,
			.owner = own->owner,
			.when = own->when,
			.options = own->options,
			.option = option[i]};
		snprintf(slot[i].name, sizeof slot->name, "%s", own->name);
		for (int o = 0; o < own->options; o++)
			snprintf(option[i][o].name, sizeof option[i][o].name, "%s", own->option[o]);
		now[i] = (struct slot_state){.decision = p->decision_of[i], .group = p->group_of[i]};
	}
	assert_int_equal(partition_meant(p, word, options, here), snapshot_meant(&s, word, options, there));
	assert_memory_equal(here, there, sizeof here);
	for (uint8_t d1 = 0; d1 < 2; d1++)
		for (uint8_t d2 = 0; d2 < 2; d2++) {
			uint8_t choice[SLOTS] = {[FORMAT_SLOTS + D1] = d1, [FORMAT_SLOTS + D2] = d2};
			for (int i = 0; i < SLOTS; i++)
				assert_int_equal(engine_rests(&info, i, choice), !slot_there(p->space->slot, i, choice));
		}
}

static void words_mean_slots(void **state)
{
	(void)state;
	struct space *s = space_by_hand("int4,int8");
	struct partition *p = partition_new(s, &fault);
	assert_true(partition_group(p, "k3", "*.kernel", &fault) && partition_derive(p, &fault));
	static const struct {
		const char *word, *options, *want; // slots: the formats', then those of the architecture
	} row[] = {
		// Layers come first, whatever slots there are.
		{"stem", NULL, "11000000000000"},
		{"*", NULL, "11111111000000"},
		{"s2*", NULL, "00111100000000"},
		{"s2*", "int4,int8", "00111100000000"},
		{"*.a", NULL, "01010101000000"},
		{"s2b1.expand", NULL, "00110000000000"},
		{"s2b1.expand", "int4", "00110000000000"},
		// Unless the options are a slot's.
		{"s2b1.expand", "3,6", "00000000001000"},
		{"s2*.expand", "6", "00000000001000"},
		{"s2*", "off", "00000000111110"},
		{"s2b1.expand", "9", "00110000000000"},
		{"s2b1.expand.w", "int4", "00100000000000"},
		// Slots by their full names, and what is decided with them.
		{"s2b1.depth", NULL, "00000000100000"},
		{"s2b1.depth", "int4", "00000000100000"},
		{"s2b1.kernel", NULL, "00000000010010"},
		{"k3", "5", "00000000010010"},
		{"mid.width", "16", "00000000000001"},
		// Blocks where nothing else has the name.
		{"mid", NULL, "00000000000001"},
		{"s2b1", NULL, "00000000111010"},
		{"s2b[2-9]", NULL, "00000000010110"},
		{"nosuch", NULL, "00000000000000"},
		{"expand", NULL, "00000000000000"},
		// All options: slots of every kind.
		{"*", "all", "11111111111111"},
		{"s2b1.*", "all", "00110000111010"},
		{"stem", "all", "11000000000000"},
		{"s2b2", "all", "00000000010110"},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		means(p, row[i].word, row[i].options, row[i].want);
		means_in_a_snapshot(p, row[i].word, row[i].options);
	}
	// Without the groups.
	bool meant[SLOTS];
	assert_true(space_meant(s, "s2b1.kernel", NULL, meant) && meant[FORMAT_SLOTS + K1] && !meant[FORMAT_SLOTS + K2]);
	assert_false(space_meant(s, "k3", "5", meant));
	partition_free(p);
	space_free(s);
}

// ---- plans -----------------------------------------------------------------------------------------------------------------

static char place[256];

static const char *put_net(const char *name, const char *text)
{
	static char path[320];
	snprintf(path, sizeof path, "%s/%s.net", place, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
	return path;
}

static const char nas[] = "input 16x16x3\n"
			  "classes 10\n"
			  "stem conv out=8|16 kernel=3|5\n"
			  "one norm act=relu\n"
			  "block s2b1 depth=off|on\n"
			  "s2b1.conv conv out=8|16 kernel=3|5|7\n"
			  "two norm act=relu\n"
			  "end\n"
			  "mid conv out=16|24 kernel=3|5\n"
			  "three norm act=relu|swish\n"
			  "pooled pool\n"
			  "head linear out=classes\n";

static int slot_at(const struct space *s, const char *name)
{
	for (int i = 0; i < s->slots; i++)
		if (strcmp(s->slot[i].name, name) == 0)
			return i;
	fail_msg("no slot %s", name);
	return -1;
}

static void choices_settle_into_plans(void **state)
{
	(void)state;
	struct blueprint *b = blueprint_named(put_net("nas", nas), (struct shape){0}, 0, &fault);
	assert_non_null(b);
	int count;
	const struct slot *slot = blueprint_slots(b, &count);
	struct space *s = space_new(blueprint_whole(b), slot, count, "int2,int4,int8", &fault);
	assert_non_null(s);
	struct layer_plan layer[4];
	struct plan plan = {.layer = layer};
	struct path path = {0};
	uint8_t choice[64];
	assert_true(s->slots <= 64 && s->model->layers == 4);
	for (int i = 0; i < s->slots; i++)
		choice[i] = (uint8_t)(i % s->slot[i].options);
	choice[slot_at(s, "s2b1.depth")] = 1;
	choice[slot_at(s, "s2b1.conv.kernel")] = 1;
	assert_true(space_settle(s, b, choice, &plan, &path, &fault));
	assert_true(plan.path == &path && plan.model == path.model && path.whole == s->model && plan.model->layers == 4);
	assert_int_equal(plan.model->op[plan.model->layer[1].op].window.h, 5);
	for (int l = 0; l < 4; l++)
		assert_true(layer[l].weight == space_format(s, 2 * l, choice[2 * l]) &&
			layer[l].activation == space_format(s, 2 * l + 1, choice[2 * l + 1]));
	choice[slot_at(s, "s2b1.depth")] = 0;
	assert_true(space_settle(s, b, choice, &plan, &path, &fault));
	assert_true(plan.model->layers == 3 && path.at[1] == -1);
	static const int of[] = {0, 2, 3}; // the layers that run, among the whole's
	for (int l = 0; l < 3; l++)
		assert_true(layer[l].weight == space_format(s, 2 * of[l], choice[2 * of[l]]) &&
			layer[l].activation == space_format(s, 2 * of[l] + 1, choice[2 * of[l] + 1]));
	path_free(&path);
	space_free(s);
	blueprint_free(b);

	// Without choices in it a network is its own whole, and needs no blueprint.
	struct model *m = model_named("resnet8", (struct shape){0}, 0, &fault);
	struct layer_plan ten[10];
	plan = (struct plan){.layer = ten};
	assert_non_null(m);
	s = space_new(m, NULL, 0, "int4,int8", &fault);
	memset(choice, 1, sizeof choice);
	assert_true(space_settle(s, NULL, choice, &plan, &path, &fault));
	assert_true(plan.model == m && !plan.path && !path.model && ten[9].activation == format_named("int8"));
	space_free(s);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_of_both_kinds),
		cmocka_unit_test(equal_networks_are_equal_bytes),
		cmocka_unit_test(a_decision_rests_as_a_whole),
		cmocka_unit_test(slots_are_decisions),
		cmocka_unit_test(words_mean_slots),
		cmocka_unit_test(choices_settle_into_plans),
	};
	if (!ground_make(place, sizeof place, "space", "work"))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return chdir("/") == 0 && ground_clear(place) ? failed : 1;
}
