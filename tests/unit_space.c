// SPDX-License-Identifier: GPL-3.0-or-later
// Spaces whose architecture varies: slots of any kind, who owns whom, what is decided together, the grammar of names, and how
// a search takes pins and groups of such slots.
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
	for (int l = 0; l < 4; l++) {
		layer[l].weight_slot = 2 * l;
		layer[l].activation_slot = 2 * l + 1;
	}
	for (int i = 0; i < SLOTS; i++) {
		char name[SLOT_WORD];
		assert_true(snapshot_meant(&s, snapshot_word(&s, i, name), NULL, there));
		for (int j = 0; j < SLOTS; j++)
			assert_true(there[j] == (now[j].decision == now[i].decision));
		assert_true(snapshot_meant(&s, engine_slot_name(&info, i, name), NULL, there) && there[i]);
	}
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
		// By themselves.
		{"s2b1:kernel", NULL, "00000000010000"},
		{"s2b1:expand", NULL, "00000000001000"},
		{"s*:expand", "all", "00000000001000"},
		{"stem:w", NULL, "00000000000000"},
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

// ---- searches ----------------------------------------------------------------------------------------------------------------

static struct search *opened(const char *name, const char *text, const struct state *state)
{
	char settings[512];
	snprintf(settings, sizeof settings, "net=%s data=none space=int4,int6,int8", put_net(name, text));
	return search_of(settings, state);
}

// As an engine takes a change: checked, then applied. False: `fault` says why.
static bool take(struct search *s, int lane, enum change_kind kind, const char *name, const char *value, struct change *inverse)
{
	struct change_item item;
	char says[512];
	snprintf(item.name, sizeof item.name, "%s", name);
	snprintf(item.value, sizeof item.value, "%s", value);
	struct change c = {.kind = kind, .items = 1, .item = &item, .lane = lane};
	*inverse = (struct change){0};
	return search_check(s, &c, &fault) && search_apply(s, &c, inverse, says, sizeof says, &fault);
}

static void must(struct search *s, enum change_kind kind, const char *name, const char *value)
{
	struct change inverse;
	char line[512];
	if (!take(s, 0, kind, name, value, &inverse))
		fail_msg("%s %s: %s", name, value, fault_line(&fault, line, sizeof line));
	free(inverse.item);
}

static void must_not(struct search *s, enum change_kind kind, const char *name, const char *value, const char *says)
{
	struct change inverse;
	struct partition *before = partition_new(s->shared.space, &fault);
	char line[512];
	partition_copy(before, s->common);
	if (take(s, 0, kind, name, value, &inverse))
		fail_msg("%s %s", name, value);
	if (strcmp(fault_line(&fault, line, sizeof line), says) != 0)
		fail_msg("\"%s\", not \"%s\"", line, says);
	assert_true(partition_equal(before, s->common));
	partition_free(before);
}

static uint32_t allowed(const struct search *s, const char *name)
{
	return s->common->allowed[slot_at(s->shared.space, name)];
}

static void pins_of_every_kind(void **state)
{
	(void)state;
	struct search *s = opened("nas", nas, NULL);
	must(s, CHANGE_RESTRICT, "s2b1.conv.kernel", "5");
	must(s, CHANGE_RESTRICT, "s2b1", "off");
	must(s, CHANGE_RESTRICT, "*.act", "swish");
	must(s, CHANGE_RESTRICT, "stem.w", "int8");
	must(s, CHANGE_RESTRICT, "mid", "int4,int8");
	assert_true(allowed(s, "s2b1.conv.kernel") == 2 && allowed(s, "s2b1.depth") == 1 && allowed(s, "three.act") == 2);
	assert_true(allowed(s, "stem.w") == 4 && allowed(s, "stem.a") == 7 && allowed(s, "mid.a") == 5);
	assert_true(allowed(s, "mid.kernel") == 3 && allowed(s, "mid.width") == 3);
	must_not(s, CHANGE_RESTRICT, "s2b1.conv.kernel", "5,9", "9: s2b1.conv.kernel has no such option; its options are 3 5 7");
	must_not(s, CHANGE_RESTRICT, "s2b1.conv.kernel", "int4",
		"int4: s2b1.conv.kernel has no such option; its options are 3 5 7");
	must_not(s, CHANGE_RESTRICT, "stem.w", "5", "5: no such format; its formats are int4 int6 int8");
	must_not(s, CHANGE_RESTRICT, "nosuch", "5",
		"nosuch: no such layer or slot; layers are named like stem, slots like stem.width; `layers` and `slots` list them");
	must_not(s, CHANGE_RESTRICT, "nosuch", "99", "99: no such format; its formats are int4 int6 int8");
	must_not(s, CHANGE_RESTRICT, "m*.[kw]*", "16",
		"m*.[kw]*: it means slots of several kinds: mid.width, mid.kernel; name slots of one kind, as in *.kernel");
	must_not(s, CHANGE_RESTRICT, "*.width", "8", "8: mid.width has no such option; its options are 16 24");
	must(s, CHANGE_RESTRICT, "m*.[kw]*", "all");

	// Groups of slots, and pins that contradict them.
	must_not(s, CHANGE_GROUP, "k", "*.kernel",
		"k: stem.kernel and s2b1.conv.kernel cannot be decided as one; group slots of one kind that have the same options");
	must(s, CHANGE_GROUP, "k", "[sm][ti]*.kernel");
	must(s, CHANGE_RESTRICT, "stem.kernel", "3");
	assert_true(allowed(s, "stem.kernel") == 1 && allowed(s, "mid.kernel") == 1);
	must(s, CHANGE_RESTRICT, "k", "5");
	assert_true(allowed(s, "stem.kernel") == 2 && allowed(s, "mid.kernel") == 2);
	must(s, CHANGE_GROUP, "k", "");
	must(s, CHANGE_RESTRICT, "stem.kernel", "3");
	assert_true(allowed(s, "stem.kernel") == 1 && allowed(s, "mid.kernel") == 2);
	must_not(s, CHANGE_GROUP, "k", "[sm][ti]*.kernel",
		"k: it is one decision, and no option is allowed to all of its parts; unpin k first, or restrict it as a whole");
	must(s, CHANGE_RESTRICT, "*", "all");
	for (int i = 0; i < s->shared.space->slots; i++)
		assert_true(s->common->allowed[i] == space_all(s->shared.space, i));
	// A lane's own pins beside those of all.
	struct change inverse;
	assert_true(take(s, 1, CHANGE_RESTRICT, "s2b1.conv.kernel", "3,5", &inverse));
	free(inverse.item);
	must_not(s, CHANGE_RESTRICT, "s2b1.conv.kernel", "7",
		"s2b1.conv.kernel: with the pins of lane 1 nothing is left to it; `lane 1 unpin s2b1.conv.kernel` first");
	search_free(s);
}

// Whatever the change, its inverse takes it back exactly; so of a layer and a slot that share their name.
static void whatever_is_taken_back(void **state)
{
	(void)state;
	static const char shared_name[] =
		"input 16x16x3\nclasses 10\nb1 conv out=8|16 kernel=3\nb1.width conv out=16 kernel=3\n"
		"block b2 depth=off|on\nb2.kernel conv out=16 kernel=3|5\nend\n"
		"b3 conv out=16 kernel=3|5\nb4 conv out=16 kernel=3|5\npooled pool\nhead linear out=classes\n";
	static const char *const words[] = {"*", "*.w", "*.width", "b1", "b1.width", "b1.width.a", "b2", "b2.kernel", "b2.*",
		"b*", "b2.kernel.kernel", "b2.depth", "head", "g", "h", "b1:width", "b3", "b3.kernel", "b3:kernel", "b4:kernel",
		"b*:kernel"};
	static const char *const options[] = {"all", "int4", "int6,int8", "8", "16", "3", "3,5", "off", "on"};
	enum { WORDS = sizeof words / sizeof *words, OPTIONS = sizeof options / sizeof *options };
	struct search *s = opened("shared", shared_name, NULL);
	struct partition *before = partition_new(s->shared.space, &fault);
	uint64_t seed = 7;
	int applied = 0;
	must(s, CHANGE_GROUP, "g", "b1*");
	must(s, CHANGE_GROUP, "h", "b[34]:kernel");
	for (int i = 0; i < 2000; i++) {
		struct change inverse, again;
		char says[512];
		partition_copy(before, s->common);
		if (!take(s, 0, CHANGE_RESTRICT, words[any_of(&seed, WORDS)], options[any_of(&seed, OPTIONS)], &inverse))
			continue;
		applied++;
		if (inverse.items && any_of(&seed, 4)) {
			assert_true(search_check(s, &inverse, &fault) &&
				search_apply(s, &inverse, &again, says, sizeof says, &fault));
			free(again.item);
			assert_true(partition_equal(before, s->common));
		}
		free(inverse.item);
	}
	assert_in_range(applied, 500, 2000);
	partition_free(before);
	search_free(s);
}

static void what_is_said_of_slots(void **state)
{
	(void)state;
	struct search *s = opened("nas", nas, NULL);
	const struct engine_info *info = search_info(s);
	const struct space *space = s->shared.space;
	assert_true(info->slots == space->slots && info->formats == 8 && info->layers == 4);
	for (int i = 0; i < info->slots; i++) {
		const struct slot_info *slot = &info->slot[i];
		assert_string_equal(slot->name, space->slot[i].name);
		assert_string_equal(slot->kind, slot_kinds[space->slot[i].kind].word);
		assert_true(slot->layer == (i < 8 ? i / 2 : -1) && slot->owner == space->slot[i].owner && slot->options > 1);
		for (int o = 0; o < slot->options; o++)
			assert_string_equal(slot->option[o].name, space->slot[i].option[o]);
		assert_true(i < 8 ? slot->option[2].bits == 8 : slot->option[0].bits == 0);
	}
	for (int l = 0; l < 4; l++)
		assert_true(info->layer[l].owned == (l == 1));
	struct snapshot snapshot = {.slot = calloc((size_t)info->slots, sizeof *snapshot.slot),
		.group = calloc((size_t)info->slots, sizeof *snapshot.group)};
	must(s, CHANGE_RESTRICT, "s2b1.depth", "off");
	must(s, CHANGE_GROUP, "n", "*.act");
	lane_publish(lanes_in_focus(s), &snapshot);
	int depth = slot_at(space, "s2b1.depth"), kernel = slot_at(space, "s2b1.conv.kernel"), act = slot_at(space, "three.act");
	for (int i = 0; i < info->slots; i++)
		assert_int_equal(snapshot.slot[i].there, space->slot[i].owner < 0);
	assert_true(snapshot.slot[depth].modal == 0 && snapshot.slot[depth].allowed == 1);
	assert_true(snapshot.slot[act].group == 0 && snapshot.slot[kernel].group == -1);
	must(s, CHANGE_RESTRICT, "s2b1.depth", "on");
	lane_publish(lanes_in_focus(s), &snapshot);
	for (int i = 0; i < info->slots; i++)
		assert_true(snapshot.slot[i].there);
	free(snapshot.slot);
	free(snapshot.group);
	search_free(s);
}

// The text with one part replaced.
static const char *with(const char *part, const char *by)
{
	static char text[sizeof nas + 64];
	const char *at = strstr(nas, part);
	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - nas), nas, by, at + strlen(part));
	return text;
}

static void states_of_other_spaces(void **state)
{
	(void)state;
	struct search *s = opened("nas", nas, NULL);
	must(s, CHANGE_RESTRICT, "s2b1.conv.kernel", "5");
	must(s, CHANGE_GROUP, "k", "[sm][ti]*.kernel");
	struct state *kept = saved(s);
	search_free(s);
	s = opened("nas", nas, kept);
	assert_int_equal(allowed(s, "s2b1.conv.kernel"), 2);
	struct state *again = saved(s);
	same_states(kept, again);
	state_free(again);
	search_free(s);
	static const struct {
		const char *part, *by, *says;
	} row[] = {
		{"kernel=3|5|7", "kernel=3|5",
			"its slot s2b1.conv.kernel is 3|5|7 with s2b1.depth=on, here it is 3|5 with s2b1.depth=on"},
		{" act=relu|swish", " act=relu", "its slot three.act is relu|swish, here it is not there"},
		{"stem conv out=8|16", "stem conv out=16", "its slot stem.width is 8|16, here it is not there"},
		{"one norm act=relu", "one norm act=relu|swish", "its slot one.act is not there, here it is relu|swish"},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		char settings[512], want[256], line[512];
		snprintf(settings, sizeof settings, "net=%s data=none space=int4,int6,int8",
			put_net("nas", with(row[i].part, row[i].by)));
		struct config *c = config_of(settings);
		assert_null(search_new(config_knobs(c), kept, &fault));
		snprintf(want, sizeof want, "checkpoint: it is of another search: %s; open it with the settings it was made with",
			row[i].says);
		assert_string_equal(fault_line(&fault, line, sizeof line), want);
		config_free(c);
	}
	state_free(kept);
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
		cmocka_unit_test(pins_of_every_kind),
		cmocka_unit_test(whatever_is_taken_back),
		cmocka_unit_test(what_is_said_of_slots),
		cmocka_unit_test(states_of_other_spaces),
	};
	if (!ground_make(place, sizeof place, "space", "work"))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return chdir("/") == 0 && ground_clear(place) ? failed : 1;
}
