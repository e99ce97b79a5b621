// SPDX-License-Identifier: GPL-3.0-or-later
// Prices of choices whose architecture varies, against each network priced by itself.
#include "tests/searching.h"

#include <math.h>
#include <unistd.h>

#include "engine/quant/format.h"
#include "engine/tensor/rng.h"

enum { SLOTS = 256, LAYERS = 128 };

static const char *const names[] = {"bops", "bops-linear", "size", "activations", "latency@tpu_v4", "latency@a100",
	"latency@v100", "energy@tpu_v4", "energy@cmos_45nm"};
enum { TERMS = sizeof names / sizeof *names };

// ---- surroundings ----

// A file with this text; removed by the next call and at the end.
static const char *file_of(const char *text, const char *ending)
{
	static char path[256] = "";
	if (path[0])
		unlink(path);
	path[0] = 0;
	if (!text)
		return NULL;
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/bitscape-prices-%ld%s", folder ? folder : "/tmp", (long)getpid(), ending);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

static int remove_file(void **state)
{
	(void)state;
	file_of(NULL, "");
	return 0;
}

// Every kind of choice that a file may hold, one with its options out of order: 2 x (1 + 2 x 2 x 2 x 2) x 2 x 3 = 204 networks.
static const char small[] = "input 16x16x3\nclasses 10\nstem conv out=8|16 kernel=3\none norm act=relu\n"
			    "block deep depth=off|on\n"
			    "more conv out=8|24 kernel=3|5\ntwo norm act=relu|swish\n"
			    "wide conv out=24 kernel=3|5 groups=1\nthree norm act=relu\n"
			    "end\n"
			    "down conv out=16|32 kernel=5|3|7 stride=2\nfour norm act=relu6\n"
			    "pooled pool\nhead linear out=classes\n";

// A space with all that prices it.
struct ground {
	struct blueprint *blueprint;
	struct space *space;
	struct partition *partition;
	struct prices *prices;
	struct pricer *pricer;
	struct term term[TERMS];
};

static struct ground ground_of(const char *net, const char *formats)
{
	struct ground g = {0};
	struct fault f = {0};
	int count;
	g.blueprint = blueprint_named(net, (struct shape){0, 0, 0}, 0, &f);
	if (!g.blueprint)
		fail_msg("%s: %s", f.where, f.what);
	const struct slot *slots = blueprint_slots(g.blueprint, &count);
	g.space = space_new(blueprint_whole(g.blueprint), slots, count, formats, &f);
	g.partition = partition_new(g.space, &f);
	g.prices = prices_new(g.space, g.blueprint, &f);
	g.pricer = pricer_new(g.space, g.blueprint, &f);
	assert_true(g.space && g.partition && g.prices && g.pricer && g.space->slots <= SLOTS);
	for (int t = 0; t < TERMS; t++) {
		g.term[t].price = prices_named(g.prices, names[t], &f);
		if (!g.term[t].price)
			fail_msg("%s: %s", f.where, f.what);
	}
	return g;
}

static void ground_free(struct ground *g)
{
	pricer_free(g->pricer);
	prices_free(g->prices);
	partition_free(g->partition);
	space_free(g->space);
	blueprint_free(g->blueprint);
}

static void draw(const struct ground *g, uint64_t seed, uint8_t *choice)
{
	for (int i = 0; i < g->space->slots; i++)
		choice[i] = (uint8_t)rng_below(rng_key(seed, "choice", 0), (uint64_t)i, (uint64_t)g->space->slot[i].options);
	partition_spread(g->partition, choice);
}

// What a choice costs: its network made alone, and priced by a cost made for it.
static void price_alone(const struct ground *g, const uint8_t *choice, double cost[TERMS])
{
	struct fault f;
	struct path path = {0};
	struct layer_plan layer[LAYERS];
	struct plan plan = {.layer = layer};
	assert_true(space_settle(g->space, g->blueprint, choice, &plan, &path, &f));
	for (int t = 0; t < TERMS; t++) {
		struct cost *c = cost_new(plan.model, names[t], 0, &f);
		assert_non_null(c);
		cost[t] = cost_total(c, &(struct plan){.model = plan.model, .layer = layer}, NULL);
		cost_free(c);
	}
	path_free(&path);
}

// ---- choices ----

static const char *const nets[] = {"mobilenetv2-nas:res=32", "mobilenetv2-nas:res=32,filters=search", small};

static const char *net_of(size_t i)
{
	return nets[i] == small ? file_of(small, ".net") : nets[i];
}

// A pricer goes from one network to the next and back; each time the prices are those of the network alone, to the last bit.
static void a_choice_costs_what_its_network_does_alone(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
		struct ground g = ground_of(net_of(n), "int2,int4,e4m3,int8");
		uint8_t choice[SLOTS], before[SLOTS] = {0};
		double cost[ENGINE_TERMS], alone[TERMS];
		for (uint64_t i = 0; i < 60; i++) {
			draw(&g, i, choice);
			if (i % 3 == 1) // other formats of the same network
				memcpy(choice + g.space->formats, before + g.space->formats,
					(size_t)(g.space->slots - g.space->formats));
			memcpy(before, choice, sizeof before);
			pricer_take(g.pricer, g.term, TERMS, choice, cost);
			price_alone(&g, choice, alone);
			for (int t = 0; t < TERMS; t++)
				if (cost[t] != alone[t])
					fail_msg("%s of %s: %.17g, not %.17g", names[t], nets[n], cost[t], alone[t]);
			for (int t = TERMS; t < ENGINE_TERMS; t++)
				assert_true(isnan(cost[t]));
		}
		ground_free(&g);
	}
}

// The network that a space is named after costs what it costs by its own name.
static void mobilenetv2_is_a_point_of_its_space(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {{"mobilenetv2-nas:res=32", "mobilenetv2:res=32"},
		{"mobilenetv2-nas:res=32,width=0.5", "mobilenetv2:res=32,width=0.5"}, {"mobilenetv2-nas", "mobilenetv2"}};
	for (size_t n = 0; n < sizeof pairs / sizeof *pairs; n++) {
		struct fault f;
		struct ground g = ground_of(pairs[n][0], "int4,e4m3,int8");
		struct model *m = model_named(pairs[n][1], (struct shape){0, 0, 0}, 0, &f);
		uint8_t choice[SLOTS];
		double cost[ENGINE_TERMS];
		struct layer_plan layer[LAYERS];
		assert_non_null(m);
		for (uint64_t i = 0; i < 5; i++) {
			draw(&g, i, choice);
			memcpy(choice + g.space->formats, blueprint_standard(g.blueprint),
				(size_t)(g.space->slots - g.space->formats));
			for (int l = 0; l < m->layers; l++)
				for (int k = 0; k < g.space->model->layers; k++)
					if (strcmp(m->layer[l].name, g.space->model->layer[k].name) == 0)
						layer[l] = (struct layer_plan){
							g.space->format[choice[space_slot(k, HALF_WEIGHT)]],
							g.space->format[choice[space_slot(k, HALF_ACTIVATION)]]};
			pricer_take(g.pricer, g.term, TERMS, choice, cost);
			for (int t = 0; t < TERMS; t++) {
				struct cost *c = cost_new(m, names[t], 0, &f);
				double named = cost_total(c, &(struct plan){.model = m, .layer = layer}, NULL);
				if (cost[t] != named)
					fail_msg("%s of %s: %.17g, not %.17g", names[t], pairs[n][1], cost[t], named);
				cost_free(c);
			}
		}
		model_free(m);
		ground_free(&g);
	}
}

// Another option of any decision costs what it costs priced as a whole: for a decision of the architecture to the last bit. What rests
// makes no difference at all.
static void options_cost_what_their_networks_do_alone(void **state)
{
	(void)state;
	bool rested = false;
	for (size_t n = 0; n < sizeof nets / sizeof *nets; n++)
		for (int way = 0; way < 4; way++) {
			struct fault f;
			struct ground g = ground_of(net_of(n), "int2,int4,e4m3,int8");
			struct partition *p = g.partition;
			uint8_t choice[SLOTS], other[SLOTS];
			double now[ENGINE_TERMS], cost[SPACE_OPTIONS][ENGINE_TERMS], alone[TERMS];
			p->split = way % 2;
			if (way >= 2) {
				assert_true(partition_group(p, "some", nets[n] == small ? "[mw]*" : "s[34]b*", &f));
				assert_true(partition_group(p, "kernels", nets[n] == small ? "[mw]*.kernel" : "s3b*.kernel", &f));
			}
			assert_true(partition_derive(p, &f));
			draw(&g, (uint64_t)way, choice);
			for (int d = way / 2; d < p->decisions; d += nets[n] == small ? 1 : 3) {
				bool there = false, formats = space_of_format(g.space, p->decision[d].first);
				const uint32_t mask = d % 5 ? (1u << TERMS) - 1 : 0x15;
				pricer_take(g.pricer, g.term, TERMS, choice, now);
				pricer_options(g.pricer, p, d, mask, cost);
				for (int i = p->decision[d].first; i >= 0; i = p->next[i])
					there = there || slot_there(g.space->slot, i, choice);
				for (int o = 0; o < p->decision[d].options; o++) {
					memcpy(other, choice, sizeof other);
					for (int i = p->decision[d].first; i >= 0; i = p->next[i])
						other[i] = (uint8_t)o;
					price_alone(&g, other, alone);
					for (int t = 0; t < TERMS; t++) {
						double want = mask >> t & 1 ? alone[t] : now[t];
						if (formats ? !(fabs(cost[o][t] / want - 1) < 1e-12) : cost[o][t] != want)
							fail_msg("%s, decision %d, option %d of %s: %.17g, not %.17g", names[t],
								d, o, nets[n], cost[o][t], want);
						assert_true(there || cost[o][t] == now[t]);
					}
				}
				rested = rested || !there;
			}
			ground_free(&g);
		}
	assert_true(rested);
}

// ---- prices ----

// The widest choice, what is a uniform one, and which options have no price.
static void prices_of_a_space(void **state)
{
	(void)state;
	struct ground g = ground_of(file_of(small, ".net"), "int4,int8");
	uint8_t choice[SLOTS];
	double large[2][ENGINE_TERMS], little[2][ENGINE_TERMS], low, high;
	for (int o = 0; o < 2; o++)
		for (int smallest = 0; smallest < 2; smallest++) {
			for (int i = 0; i < g.space->slots; i++)
				choice[i] = (uint8_t)(i < g.space->formats ? o : smallest ? 0 : g.space->slot[i].options - 1);
			pricer_take(g.pricer, g.term, TERMS, choice, (smallest ? little : large)[o]);
		}
	for (int t = 0; t < TERMS; t++) {
		const struct price *p = g.term[t].price;
		price_uniform(p, &low, &high);
		assert_false(price_adds(p));
		assert_true(price_widest(p) == large[1][t]);
		assert_true(cost_uniform_total(price_cost(p), format_named("int4")) == large[0][t]);
		assert_true(low == little[0][t] && high == large[1][t]);
	}
	ground_free(&g);
}

// Times that were measured serve where blocks come and go, and are refused where a choice gives a layer another shape: at once, in
// the name of that layer.
static void a_table_in_a_space(void **state)
{
	(void)state;
	static const char coming[] = "input 8x8x3\nclasses 10\nstem conv out=8 kernel=3\nblock deep depth=off|on\n"
				     "more conv out=8 kernel=%s\nend\npooled pool\nhead linear out=classes\n";
	for (int shapes = 0; shapes < 2; shapes++) {
		char net[512], table[512], term[512];
		struct fault f = {0};
		int count;
		snprintf(net, sizeof net, coming, shapes ? "3|5" : "5");
		struct blueprint *b = blueprint_named(file_of(net, ".net"), (struct shape){0, 0, 0}, 0, &f);
		assert_non_null(b);
		const struct slot *slots = blueprint_slots(b, &count);
		snprintf(table, sizeof table, "layer,format,ms\nstem,int8,1\nmore,int8,2\nhead,int8,4\n");
		snprintf(term, sizeof term, "latency@table:%s", file_of(table, ".csv"));
		struct space *space = space_new(blueprint_whole(b), slots, count, "int4,int8", &f);
		struct prices *prices = prices_new(space, b, &f);
		struct pricer *pricer = pricer_new(space, b, &f);
		struct term one = {.price = prices_named(prices, term, &f)};
		if (shapes) {
			assert_null(one.price);
			assert_string_equal(f.where, "more");
			assert_string_equal(f.what,
				"the table has its time in the largest shape alone, and it runs in a smaller one");
		} else {
			uint8_t choice[SLOTS] = {0};
			double cost[ENGINE_TERMS];
			assert_non_null(one.price);
			pricer_take(pricer, &one, 1, choice, cost);
			assert_true(cost[0] == 5);
			choice[space->formats] = 1;
			pricer_take(pricer, &one, 1, choice, cost);
			assert_true(cost[0] == 7 && price_widest(one.price) == 7);
		}
		pricer_free(pricer);
		prices_free(prices);
		space_free(space);
		blueprint_free(b);
	}
}

// ---- bounds ----

// The next of all choices that a partition allows; false: that was the last.
static bool count_up(const struct partition *p, uint8_t *choice)
{
	for (int d = 0; d < p->decisions; d++) {
		const struct decision *its = &p->decision[d];
		int o = choice[its->first] + 1;
		while (o < its->options && !(its->allowed >> o & 1))
			o++;
		bool more = o < its->options;
		for (int i = its->first; i >= 0; i = p->next[i])
			choice[i] = (uint8_t)(more ? o : __builtin_ctz(its->allowed));
		if (more)
			return true;
	}
	return false;
}

// The cheapest and the dearest choice of a space, against all that there are. What is proven to be the least is the least; where there
// are too many networks, nothing is proven.
static void bounds_of_a_space(void **state)
{
	(void)state;
	struct ground g = ground_of(file_of(small, ".net"), "int4,int8");
	struct config *config = config_of("steps=100");
	struct shared shared = {.knobs = *config_knobs(config),
		.blueprint = g.blueprint,
		.model = blueprint_whole(g.blueprint),
		.space = g.space,
		.options = 3,
		.prices = g.prices,
		.terms = TERMS,
		.horizon = 100,
		.lanes = 1};
	struct lane *lane = calloc(1, sizeof *lane);
	struct fault fault;
	const struct space *space = g.space;
	memcpy(shared.term, g.term, sizeof g.term);
	assert_true(lane && lane_open(lane, "", &shared, &fault));
	lane_take_aims(lane, (const struct aim[ENGINE_TERMS]){{0}}, 0);
	for (int way = 0; way < 3; way++) {
		struct fault f;
		struct partition *p = lane->wanted;
		double low[ENGINE_TERMS], high[ENGINE_TERMS], cost[ENGINE_TERMS];
		uint8_t choice[SLOTS];
		partition_copy(p, lane->partition);
		for (int i = 0; i < space->slots; i++) {
			p->allowed[i] = space_all(space, i);
			if (way && strcmp(space->slot[i].name, "down.kernel") == 0)
				p->allowed[i] = 6; // 3 and 7
			if (way && space->slot[i].kind == SLOT_WIDTH)
				p->allowed[i] = way == 1 ? 1 : 2;
		}
		assert_true(partition_derive(p, &f));
		lane_rearrange(lane);
		p = lane->partition;
		for (int t = 0; t < ENGINE_TERMS; t++) {
			low[t] = INFINITY;
			high[t] = 0;
		}
		for (int i = 0; i < space->slots; i++)
			choice[i] = (uint8_t)__builtin_ctz(p->decision[p->decision_of[i]].allowed);
		do {
			lane_costs(lane, choice, cost);
			for (int t = 0; t < TERMS; t++) {
				low[t] = fmin(low[t], cost[t]);
				high[t] = fmax(high[t], cost[t]);
			}
		} while (count_up(p, choice));
		for (int t = 0; t < TERMS; t++) {
			const struct aim *aim = &lane->aim[t];
			const char *name = names[t];
			if (aim->low != low[t] || aim->high != high[t])
				fail_msg("way %d, %s: %.9g to %.9g, found %.9g to %.9g", way, name, low[t], high[t], aim->low,
					aim->high);
			if (way == 0 ? aim->least != 0 : !(aim->least > 0 && aim->least <= aim->low))
				fail_msg("way %d, %s: at least %.9g of %.9g", way, name, aim->least, aim->low);
			if (strcmp(name, "bops") == 0 || strcmp(name, "size") == 0)
				assert_true(way == 0 || aim->least == aim->low);
			lane_costs(lane, aim->cheapest, cost);
			assert_true(cost[t] == aim->low);
			lane_costs(lane, aim->dearest, cost);
			assert_true(cost[t] == aim->high);
		}
	}
	lane_close(lane);
	free(lane);
	config_free(config);
	ground_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_choice_costs_what_its_network_does_alone),
		cmocka_unit_test(mobilenetv2_is_a_point_of_its_space),
		cmocka_unit_test(options_cost_what_their_networks_do_alone),
		cmocka_unit_test(prices_of_a_space),
		cmocka_unit_test(a_table_in_a_space),
		cmocka_unit_test(bounds_of_a_space),
	};
	return cmocka_run_group_tests(tests, NULL, remove_file);
}
