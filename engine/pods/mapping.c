// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/pods/mapping.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/hardware/device.h"
#include "engine/pods/inside.h"
#include "engine/quant/format.h"

_Static_assert((int)MAPPED_PARTS == (int)PARTS, "the parts of a division");
enum { SLOTS = 13, SERVED = 8, NAME = 128 };
// The slots by what they are about; a mapping's own places are in struct mapping.
enum role {
	ROLE_TOPOLOGY,
	ROLE_TWIST,
	ROLE_PIPELINE,
	ROLE_DATA,
	ROLE_MODEL1,
	ROLE_MODEL2,
	ROLE_CUT_ACTIVATIONS,
	ROLE_CUT_WEIGHTS,
	ROLE_WEIGHTS,
	ROLE_ACTIVATIONS,
	ROLE_CARRIED_ACTIVATIONS,
	ROLE_CARRIED_GRADIENTS,
	ROLE_CARRIED_WEIGHTS,
	ROLES
};
static const struct role_row {
	const char *name;
	enum slot_kind kind;
	int use;       // of a format: enum carried
	bool training; // it makes no difference in serving
} roles[ROLES] = {
	[ROLE_TOPOLOGY] = {"topology", SLOT_TOPOLOGY, -1, false},
	[ROLE_TWIST] = {"twist", SLOT_TWIST, -1, false},
	[ROLE_PIPELINE] = {"pipeline", SLOT_PIPELINE, -1, false},
	[ROLE_DATA] = {"data", SLOT_DATA, -1, false},
	[ROLE_MODEL1] = {"model1", SLOT_MODEL1, -1, false},
	[ROLE_MODEL2] = {"model2", SLOT_MODEL2, -1, false},
	[ROLE_CUT_ACTIVATIONS] = {"activations.cut", SLOT_CUT, -1, false},
	[ROLE_CUT_WEIGHTS] = {"weights.cut", SLOT_CUT, -1, false},
	[ROLE_WEIGHTS] = {"weights.format", SLOT_FORMAT, OF_WEIGHTS, false},
	[ROLE_ACTIVATIONS] = {"activations.format", SLOT_FORMAT, OF_ACTIVATIONS, false},
	[ROLE_CARRIED_ACTIVATIONS] = {"activations.carried", SLOT_CARRIED, CARRIED_ACTIVATIONS, false},
	[ROLE_CARRIED_GRADIENTS] = {"gradients.carried", SLOT_CARRIED, CARRIED_GRADIENTS, true},
	[ROLE_CARRIED_WEIGHTS] = {"weights.carried", SLOT_CARRIED, CARRIED_WEIGHTS, true},
};

// A topology as it closes: its divisions that can be priced, those of equal sizes side by side.
struct mapping_shape {
	struct slice slice;
	struct division *division; // [divisions], without styles
	int divisions;
};

struct mapping {
	char name[NAME];
	struct world world;
	struct division_job job;
	bool serve;
	double tokens;
	const struct site *site;
	int shapes;
	struct mapping_shape shape[SLOT_OPTIONS][2]; // by topology: regular, twisted
	int slots;
	struct slot slot[SLOTS];
	int at[ROLES]; // each role's slot; -1: there is none
};

// ---- what is asked ----

static bool priced(const struct mapping *m, const struct division_job *j, const struct division *d, struct division_price *price,
	struct fault *fault)
{
	return (m->serve ? division_serve : division_train)(&m->world, j, d, price, fault);
}

// ---- shapes ----

static int by_size(const void *a, const void *b)
{
	const struct division *x = a, *y = b;
	for (int k = 0; k < PARTS; k++)
		if (x->size[k] != y->size[k])
			return x->size[k] < y->size[k] ? -1 : 1;
	for (int k = 0; k < PARTS; k++) // a fixed order among those of equal sizes
		for (int i = 0; i < x->rings[k] && i < y->rings[k]; i++)
			if (x->ring[k][i].size != y->ring[k][i].size)
				return x->ring[k][i].size < y->ring[k][i].size ? -1 : 1;
	return 0;
}

// Keeps the divisions that can be priced: stages among the layers, sequences for all data parts. False: out of memory, or none; then
// `fault` has the last one's reason.
static bool fill_shape(const struct mapping *m, const struct slice *s, struct mapping_shape *to, struct fault *fault)
{
	int count = divisions_of(s, false, false, NULL, 0);
	to->slice = *s;
	to->division = calloc((size_t)count + 1, sizeof *to->division);
	if (!to->division)
		return fault_memory(fault, m->name);
	divisions_of(s, false, false, to->division, count);
	for (int i = 0; i < count; i++) {
		struct division_price price;
		if (priced(m, &m->job, &to->division[i], &price, fault) && isfinite(price.step))
			to->division[to->divisions++] = to->division[i];
	}
	qsort(to->division, (size_t)to->divisions, sizeof *to->division, by_size);
	return to->divisions > 0;
}

static bool refuse_chips(const struct mapping *m, long chips, struct fault *fault)
{
	int below, above;
	char todo[96], name[32];
	slices_near(&m->world.pod[0], (int)chips, &below, &above);
	snprintf(todo, sizeof todo, below && above ? "the nearest are %d and %d" : "the nearest is %d", below ? below : above,
		above);
	snprintf(name, sizeof name, "%ld", chips);
	return fault_set(fault, name, todo, "no slice of %s has so many chips", m->world.pod[0].name);
}

// The topologies of one number of chips, behind those that are there.
static bool add_shapes(struct mapping *m, long chips, struct fault *fault)
{
	struct slice s[SLOT_OPTIONS];
	int count = slices_of(&m->world.pod[0], (int)chips, s, SLOT_OPTIONS);
	char name[32];
	snprintf(name, sizeof name, "%ld", chips);
	if (!count)
		return refuse_chips(m, chips, fault);
	for (int i = 0; i < m->shapes; i++)
		if (m->shape[i][0].slice.chips == chips)
			return fault_set(fault, name, "leave one of them out", "this number of chips is there twice");
	if (m->shapes + count > SLOT_OPTIONS)
		return fault_set(fault, name, "ask for fewer numbers of chips", "there are more than %d topologies in all",
			SLOT_OPTIONS);
	for (int i = 0; i < count; i++) {
		struct mapping_shape *shape = m->shape[m->shapes];
		if (!fill_shape(m, &s[i], &shape[0], fault))
			return false;
		m->shapes++;
		if (!slice_twistable(&m->world.pod[0], s[i].axis))
			continue;
		s[i].twisted = true;
		if (!fill_shape(m, &s[i], &shape[1], fault))
			return false;
	}
	return true;
}

static bool read_chips(struct mapping *m, const char *list, struct fault *fault)
{
	char word[32];
	long chips;
	for (const char *at = list; list_next(&at, word, sizeof word);) {
		if (!number_read_long(word, 1, 1 << 20, &chips))
			return fault_set(fault, "chips", "write chips=512 or chips=8,16,32", "\"%s\" is not a number of chips",
				word);
		if (!add_shapes(m, chips, fault))
			return false;
	}
	return true;
}

// ---- slots ----

static struct slot *add_slot(struct mapping *m, enum role role)
{
	struct slot *s = &m->slot[m->slots];
	*s = (struct slot){.kind = roles[role].kind, .owner = -1, .layer = -1};
	snprintf(s->name, sizeof s->name, "%s", roles[role].name);
	m->at[role] = m->slots++;
	return s;
}

static void add_option(struct slot *s, const char *name, double value)
{
	snprintf(s->option[s->options], sizeof s->option[0], "%s", name);
	s->value[s->options++] = value;
}

static void add_topology(struct mapping *m)
{
	struct slot *s = add_slot(m, ROLE_TOPOLOGY);
	uint32_t twistable = 0;
	char name[48];
	for (int i = 0; i < m->shapes; i++) {
		add_option(s, slice_name(&m->shape[i][0].slice, name), i);
		twistable |= (uint32_t)(m->shape[i][1].divisions > 0) << i;
	}
	if (!twistable)
		return;
	s = add_slot(m, ROLE_TWIST);
	s->owner = m->at[ROLE_TOPOLOGY];
	s->when = twistable;
	slot_read(s, "regular|twisted", NULL);
}

static int by_value(const void *a, const void *b)
{
	return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

// The sizes that a part has in some division of some topology.
static void add_sizes(struct mapping *m, enum part part)
{
	struct slot *s = add_slot(m, (enum role)(ROLE_PIPELINE + part));
	int size[SLOT_OPTIONS], count = 0;
	for (int i = 0; i < m->shapes; i++)
		for (int d = 0; d < m->shape[i][0].divisions; d++) {
			int k = 0, its = m->shape[i][0].division[d].size[part];
			while (k < count && size[k] != its)
				k++;
			if (k == count && count < SLOT_OPTIONS)
				size[count++] = its;
		}
	qsort(size, (size_t)count, sizeof *size, by_value);
	for (int i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", size[i]);
		add_option(s, name, size[i]);
	}
}

static void add_slots(struct mapping *m, const struct mapping_asked *a)
{
	for (int r = 0; r < ROLES; r++)
		m->at[r] = -1;
	add_topology(m);
	for (int part = 0; part < PARTS; part++)
		add_sizes(m, (enum part)part);
	for (int r = ROLE_CUT_ACTIVATIONS; r <= ROLE_CUT_WEIGHTS; r++)
		slot_read(add_slot(m, (enum role)r), "1D|2D", NULL);
	for (int r = ROLE_WEIGHTS; r < ROLES; r++) {
		if (m->serve && roles[r].training)
			continue;
		struct slot *s = add_slot(m, (enum role)r);
		for (int f = 0; f < a->formats; f++)
			add_option(s, format_table[a->format[f]].name, a->format[f]);
	}
}

// ---- opening ----

// Every pair of formats runs on the chip: so that no choice lacks a price.
static bool formats_run(const struct mapping *m, const struct mapping_asked *a, struct fault *fault)
{
	struct division_job j = m->job;
	struct division_price price;
	const struct division *d = &m->shape[0][0].division[0];
	for (int w = 0; w < a->formats; w++)
		for (int x = 0; x < a->formats; x++) {
			j.format[OF_WEIGHTS] = a->format[w];
			j.format[OF_ACTIVATIONS] = a->format[x];
			if (!priced(m, &j, d, &price, fault))
				return false;
		}
	return true;
}

static bool begin(struct mapping *m, const struct mapping_asked *a, struct fault *fault)
{
	struct pod pod;
	struct transformer work;
	if (!transformer_get(a->work, &work, fault) || !pod_get(a->pod, &pod, fault) || !(m->site = site_get(a->site, fault)))
		return false;
	if (pod.network == NETWORK_ISLANDS)
		return fault_set(fault, pod.name, "choose a pod whose slices have axes", "parts of islands are not priced");
	snprintf(m->name, sizeof m->name, "%s on %s", work.name, pod.name);
	world_begin(&m->world, &pod, NULL);
	division_job_begin(&m->job, &m->world, &work);
	m->serve = a->serve;
	m->tokens = a->tokens;
	if (a->batch > 0 || a->serve)
		m->job.batch = a->batch > 0 ? a->batch : SERVED;
	if (a->context > 0)
		m->job.context = a->context;
	for (int i = 0; i < FORMAT_USES; i++)
		m->job.format[i] = a->format[a->formats - 1];
	m->job.efficiency = division_calibrate(&m->world);
	if (isnan(m->job.efficiency))
		return fault_set(fault, pod.name, "choose another pod", "no efficiency brings GPT-3's expert row to its time");
	if (!read_chips(m, a->chips, fault) || !formats_run(m, a, fault))
		return false;
	add_slots(m, a);
	return true;
}

struct mapping *mapping_new(const struct mapping_asked *a, struct fault *fault)
{
	struct mapping *m = calloc(1, sizeof *m);
	if (!m)
		fault_memory(fault, a->pod);
	else if (begin(m, a, fault))
		return m;
	mapping_free(m);
	return NULL;
}

void mapping_free(struct mapping *m)
{
	for (int i = 0; m && i < SLOT_OPTIONS; i++)
		for (int twisted = 0; twisted < 2; twisted++)
			free(m->shape[i][twisted].division);
	free(m);
}

const char *mapping_name(const struct mapping *m)
{
	return m->name;
}

const struct slot *mapping_slots(const struct mapping *m, int *count)
{
	*count = m->slots;
	return m->slot;
}

double mapping_parameters(const struct mapping *m)
{
	return m->job.net.parameters;
}

// ---- a choice ----

static double value_of(const struct mapping *m, enum role role, const uint8_t *option)
{
	const struct slot *s = &m->slot[m->at[role]];
	return s->value[option[m->at[role]]];
}

static const struct mapping_shape *shape_at(const struct mapping *m, const uint8_t *option)
{
	const struct mapping_shape *shape = m->shape[option[m->at[ROLE_TOPOLOGY]]];
	bool twisted = shape[1].divisions && m->at[ROLE_TWIST] >= 0 && option[m->at[ROLE_TWIST]];
	return &shape[twisted];
}

static void job_of(const struct mapping *m, const uint8_t *option, struct division_job *j)
{
	*j = m->job;
	for (int r = ROLE_WEIGHTS; r < ROLES; r++)
		if (m->at[r] >= 0)
			j->format[roles[r].use] = (int)value_of(m, (enum role)r, option);
}

// Whether a division is nearer to what is asked than another: by the pipeline first, and by each next part where those before are as near.
static bool nearer(const struct division *a, const struct division *b, const double asked[PARTS])
{
	for (int k = 0; k < PARTS; k++) {
		if (a->size[k] == b->size[k])
			continue;
		double x = fmax(a->size[k] / asked[k], asked[k] / a->size[k]),
		       y = fmax(b->size[k] / asked[k], asked[k] / b->size[k]);
		if (x != y)
			return x < y;
	}
	return false;
}

static bool quicker(const struct division_price *a, const struct division_price *b)
{
	if (a->fits != b->fits)
		return a->fits;
	if (!a->fits)
		return a->memory < b->memory;
	return a->step < b->step || (!(a->step > b->step) && a->memory < b->memory);
}

// Of divisions with the same sizes, by other axes, the quickest.
static struct division_price price_sizes(const struct mapping *m, const struct mapping_shape *shape, int first,
	const uint8_t *option)
{
	struct division_job j;
	struct division_price best = {0};
	bool found = false;
	job_of(m, option, &j);
	for (int i = first; i < shape->divisions; i++) {
		struct division d = shape->division[i];
		struct division_price price;
		if (memcmp(d.size, shape->division[first].size, sizeof d.size) != 0)
			break;
		d.activations_2d = option[m->at[ROLE_CUT_ACTIVATIONS]];
		d.weights_2d = option[m->at[ROLE_CUT_WEIGHTS]];
		if (!priced(m, &j, &d, &price, NULL) || (found && !quicker(&price, &best)))
			continue;
		best = price;
		found = true;
	}
	return best;
}

// The options of a division's sizes; false: one is not allowed.
static bool size_options(const struct mapping *m, const struct division *d, const uint32_t *allowed, uint8_t option[PARTS])
{
	for (int k = 0; k < PARTS; k++) {
		int at = m->at[ROLE_PIPELINE + k], o = slot_valued(&m->slot[at], d->size[k]);
		if (o < 0 || (allowed && !(allowed[at] >> o & 1)))
			return false;
		option[k] = (uint8_t)o;
	}
	return true;
}

static void asked_sizes(const struct mapping *m, const uint8_t *option, double asked[PARTS])
{
	for (int k = 0; k < PARTS; k++)
		asked[k] = value_of(m, (enum role)(ROLE_PIPELINE + k), option);
}

bool mapping_mend(const struct mapping *m, const uint32_t *allowed, uint8_t *option)
{
	const struct mapping_shape *shape = shape_at(m, option);
	const struct division *best = NULL;
	double asked[PARTS];
	uint8_t its[PARTS], sizes[PARTS];
	asked_sizes(m, option, asked);
	for (int i = 0; i < shape->divisions; i++) {
		const struct division *d = &shape->division[i];
		if (!size_options(m, d, allowed, its) || (best && !nearer(d, best, asked)))
			continue;
		best = d;
		memcpy(sizes, its, sizeof sizes);
	}
	if (!best || memcmp(&option[m->at[ROLE_PIPELINE]], sizes, sizeof sizes) == 0)
		return false;
	memcpy(&option[m->at[ROLE_PIPELINE]], sizes, sizeof sizes); // the four slots stand side by side
	return true;
}

void mapping_of(const struct mapping *m, const uint8_t *option, struct mapped *to)
{
	const struct mapping_shape *shape = shape_at(m, option);
	double asked[PARTS];
	int nearest = 0;
	*to = (struct mapped){.shape = shape, .chips = shape->slice.chips, .asked = 1};
	asked_sizes(m, option, asked);
	for (int k = 0; k < PARTS; k++)
		to->asked *= asked[k];
	for (int i = 1; i < shape->divisions; i++)
		if (nearer(&shape->division[i], &shape->division[nearest], asked))
			nearest = i; // the first of those with equal sizes
	for (int k = 0; k < PARTS; k++) {
		to->size[k] = shape->division[nearest].size[k];
		to->distance += fabs(log2(to->size[k] / asked[k]));
	}
	struct division_price price = price_sizes(m, shape, nearest, option);
	to->rate = price.rate;
	to->step = price.step;
	to->memory = price.memory;
	to->lacks = fmax(0, price.memory - pod_value(&m->world.pod[0], POD_MEMORY));
	to->standing = to->distance > 0 ? MAPPED_UNEVEN : price.fits ? MAPPED_FITS : MAPPED_LACKS;
}

const char *mapped_lack(const struct mapped *x, char *buf, size_t size)
{
	char name[64], slice[48];
	double gib = pod_figures[POD_MEMORY].factor;
	struct division d = {.size = {x->size[0], x->size[1], x->size[2], x->size[3]}};
	buf[0] = '\0';
	slice_name(&x->shape->slice, slice);
	division_name(&d, name);
	if (x->standing == MAPPED_LACKS)
		snprintf(buf, size, "does not fit: %s on %s takes %.4g GiB a chip, %.3g GiB more than there is", name, slice,
			x->memory / gib, x->lacks / gib);
	else if (x->standing == MAPPED_UNEVEN && fabs(x->asked - x->chips) > .5)
		snprintf(buf, size, "its parts multiply to %g, %s has %d chips; the nearest is %s", x->asked, slice,
			(int)x->chips, name);
	else if (x->standing == MAPPED_UNEVEN)
		snprintf(buf, size, "its parts are no products of whole axes of %s; the nearest is %s", slice, name);
	return buf;
}

// ---- remembered ----

enum { REMEMBERED = 1 << 13 };
struct entry {
	bool known;
	uint8_t option[SLOTS];
	struct mapped is;
};
struct mapping_cache {
	const struct mapping *mapping;
	struct entry entry[REMEMBERED]; // each choice has one place
};

struct mapping_cache *mapping_cache_new(const struct mapping *m)
{
	struct mapping_cache *c = calloc(1, sizeof *c);
	if (c)
		c->mapping = m;
	return c;
}

void mapping_cache_free(struct mapping_cache *c)
{
	free(c);
}

const struct mapped *mapping_recall(struct mapping_cache *c, const uint8_t *option)
{
	size_t slots = (size_t)c->mapping->slots;
	uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
	for (size_t i = 0; i < slots; i++)
		hash = (hash ^ option[i]) * 0x100000001b3u;
	struct entry *e = &c->entry[(hash ^ hash >> 29) % REMEMBERED];
	if (!e->known || memcmp(e->option, option, slots) != 0) {
		mapping_of(c->mapping, option, &e->is);
		memcpy(e->option, option, slots);
		e->known = true;
	}
	return &e->is;
}

// ---- cost terms ----

bool mapping_has(const struct mapping *m, enum term_id id, struct fault *fault)
{
	const struct pod *pod = &m->world.pod[0];
	if (term_kinds[id].subject != SUBJECT_MACHINE) {
		char advice[160];
		return fault_set(fault, term_kinds[id].name, term_advice(SUBJECT_MACHINE, true, advice, sizeof advice),
			"it is a cost of networks, not of machines");
	}
	return (id != TERM_WORK && id != TERM_CARBON) || pod_value(pod, POD_POWER) > 0 ||
		fault_set(fault, pod->name, "choose tpu_v4, or a file of one's own with a power",
			"the power of its chips is unknown");
}

// Of the run, or of 1000 tokens.
static struct footprint footprint(const struct mapping *m, const struct mapped *x)
{
	double tokens = m->serve ? 1000 : m->tokens, rate = x->rate * (m->serve ? 1 : m->job.net.sequence);
	return footprint_of(tokens / rate, x->chips, pod_value(&m->world.pod[0], POD_POWER), m->site);
}

double mapping_cost(const struct mapping *m, enum term_id id, const struct mapped *x)
{
	switch (id) {
	case TERM_CHIPS: return x->chips;
	case TERM_MEMORY: return x->memory;
	case TERM_STEP: return x->step * 1e3;
	case TERM_WORK: return footprint(m, x).mwh * 1e6;
	case TERM_CARBON: return footprint(m, x).net * (m->serve ? 1e6 : 1);
	default: return NAN;
	}
}

static const struct unit_row {
	enum term_id id;
	struct mapping_unit training, serving;
} unit_rows[] = {
	{TERM_CHIPS, {"chips", "chips", ""}, {"chips", "chips", ""}},
	{TERM_MEMORY, {"B per chip", "B/chip", "B"}, {"B per chip", "B/chip", "B"}},
	{TERM_STEP, {"ms per step", "ms/step", "ms"}, {"ms per token", "ms/token", "ms"}},
	{TERM_WORK, {"Wh per run", "Wh/run", "Wh"}, {"Wh per 1000 tokens", "Wh/1k tok", "Wh"}},
	{TERM_CARBON, {"t CO2e per run", "t/run", "t"}, {"g CO2e per 1000 tokens", "g/1k tok", "g"}},
};

struct mapping_unit mapping_unit(const struct mapping *m, enum term_id id)
{
	size_t i = 0;
	while (i + 1 < sizeof unit_rows / sizeof *unit_rows && unit_rows[i].id != id)
		i++;
	return m->serve ? unit_rows[i].serving : unit_rows[i].training;
}

static const struct {
	const char *text, *symbol; // symbol: of the unit that it is a multiple of
	double factor;
} suffixes[] = {
	{"GiB", "B", 1073741824.},
	{"MiB", "B", 1048576.},
	{"us", "ms", 1e-3},
	{"ms", "ms", 1},
	{"s", "ms", 1e3},
	{"kg", "g", 1e3},
	{"kg", "t", 1e-3},
	{"t", "g", 1e6},
};

// The factor of what stands behind a number; 0: it means nothing here.
static double suffix_factor(const char *text, const char *symbol, double dearest)
{
	static const struct {
		char prefix;
		double factor;
	} prefixes[] = {{'k', 1e3}, {'M', 1e6}, {'G', 1e9}, {'T', 1e12}};
	if (strcmp(text, "x") == 0)
		return dearest;
	if (!*text || strcmp(text, symbol) == 0)
		return 1;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcmp(suffixes[i].symbol, symbol) == 0 && strcmp(suffixes[i].text, text) == 0)
			return suffixes[i].factor;
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && strcmp(symbol, "ms") != 0; i++)
		if (*text == prefixes[i].prefix && (!text[1] || strcmp(text + 1, symbol) == 0))
			return prefixes[i].factor;
	return 0;
}

bool mapping_target(const struct mapping *m, enum term_id id, double dearest, const char *text, double *target,
	struct fault *fault)
{
	static const char *const advice[] = {
		[TERM_CHIPS] = "give a number of chips, or a multiple of the most (0.5x)",
		[TERM_MEMORY] = "give bytes a chip (24GiB, 20GB), or a multiple of the dearest choice (0.5x)",
		[TERM_STEP] = "give a time (30ms, 2s), or a multiple of the dearest choice (0.5x)",
		[TERM_WORK] = "give an energy (800Wh, 1.2GWh), or a multiple of the dearest choice (0.5x)",
		[TERM_CARBON] = "give a mass (300g, 2t), or a multiple of the dearest choice (0.5x)",
	};
	char *end;
	double value = strtod(text, &end), factor = end == text ? 0 : suffix_factor(end, mapping_unit(m, id).symbol, dearest);
	if (!(factor > 0 && value > 0 && isfinite(value * factor)))
		return fault_set(fault, term_kinds[id].name, advice[id], "\"%s\" is not a target", text);
	*target = value * factor;
	return true;
}

// ---- exhaustive search ----

// What is tried, and what comes of it.
struct hunt {
	const struct mapping *m;
	const uint32_t *allowed;
	void (*visit)(struct hunt *, const uint8_t *option, const struct mapped *);
	bool ends; // of formats the narrowest and the widest alone, all at once
	long tried;
	int most, kept;
	uint8_t *option; // [most][slots]
	double *rate, *memory;
	uint8_t *least;
	double lacks; // of `least`
	double *low, *high;
};

static bool allows(const struct hunt *h, enum role role, int option)
{
	int at = h->m->at[role];
	return at < 0 || !h->allowed || h->allowed[at] >> option & 1;
}

static void keep(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	size_t slots = (size_t)h->m->slots;
	int at = h->kept;
	while (at > 0 && (x->rate > h->rate[at - 1] || (!(x->rate < h->rate[at - 1]) && x->memory < h->memory[at - 1])))
		at--;
	if (at == h->most)
		return;
	int moved = (h->kept < h->most ? h->kept : h->most - 1) - at;
	memmove(h->option + (size_t)(at + 1) * slots, h->option + (size_t)at * slots, (size_t)moved * slots);
	memmove(h->rate + at + 1, h->rate + at, (size_t)moved * sizeof *h->rate);
	memmove(h->memory + at + 1, h->memory + at, (size_t)moved * sizeof *h->memory);
	memcpy(h->option + (size_t)at * slots, option, slots);
	h->rate[at] = x->rate;
	h->memory[at] = x->memory;
	h->kept += h->kept < h->most;
}

static void rank(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	if (x->standing == MAPPED_FITS)
		keep(h, option, x);
	else if (x->standing == MAPPED_LACKS && x->lacks < h->lacks) {
		h->lacks = x->lacks;
		if (h->least)
			memcpy(h->least, option, (size_t)h->m->slots);
	}
}

static void widen(struct hunt *h, const uint8_t *option, const struct mapped *x)
{
	(void)option;
	for (int t = 0; t < TERM_IDS; t++) {
		double cost = mapping_has(h->m, (enum term_id)t, NULL) ? mapping_cost(h->m, (enum term_id)t, x) : (double)NAN;
		h->low[t] = fmin(h->low[t], cost); // fmin and fmax pass over NAN
		h->high[t] = fmax(h->high[t], cost);
	}
}

static void try_choice(struct hunt *h, uint8_t *option)
{
	struct mapped x;
	mapping_of(h->m, option, &x);
	h->tried++;
	h->visit(h, option, &x);
}

static void try_ends(struct hunt *h, uint8_t *option)
{
	const struct mapping *m = h->m;
	for (int widest = 0; widest < 2; widest++) {
		for (int r = ROLE_WEIGHTS; r < ROLES; r++)
			if (m->at[r] >= 0)
				option[m->at[r]] = (uint8_t)(widest ? m->slot[m->at[r]].options - 1 : 0);
		try_choice(h, option);
	}
}

// The options from a role on, the ones before being set: every cut and every kept format, and of carried ones the narrowest.
static void try_from(struct hunt *h, enum role role, uint8_t *option)
{
	const struct mapping *m = h->m;
	if (role == ROLES || (role == ROLE_WEIGHTS && h->ends)) {
		(role == ROLES ? try_choice : try_ends)(h, option);
		return;
	}
	if (m->at[role] < 0) {
		try_from(h, (enum role)(role + 1), option);
		return;
	}
	for (int o = 0; o < m->slot[m->at[role]].options; o++) {
		if (!allows(h, role, o))
			continue;
		option[m->at[role]] = (uint8_t)o;
		try_from(h, (enum role)(role + 1), option);
		if (roles[role].kind == SLOT_CARRIED)
			break;
	}
}

static void try_shape(struct hunt *h, int topology, int twisted)
{
	const struct mapping *m = h->m;
	const struct mapping_shape *shape = &m->shape[topology][twisted];
	uint8_t option[SLOTS] = {0};
	option[m->at[ROLE_TOPOLOGY]] = (uint8_t)topology;
	if (m->at[ROLE_TWIST] >= 0)
		option[m->at[ROLE_TWIST]] = (uint8_t)twisted;
	for (int i = 0; i < shape->divisions; i++) {
		const struct division *d = &shape->division[i];
		bool first = i == 0 || memcmp(d->size, d[-1].size, sizeof d->size) != 0;
		if (first && size_options(m, d, h->allowed, &option[m->at[ROLE_PIPELINE]]))
			try_from(h, ROLE_CUT_ACTIVATIONS, option);
	}
}

static void try_all(struct hunt *h)
{
	const struct mapping *m = h->m;
	for (int i = 0; i < m->shapes; i++)
		for (int twisted = 0; allows(h, ROLE_TOPOLOGY, i) && twisted < 2; twisted++)
			if (m->shape[i][1].divisions ? allows(h, ROLE_TWIST, twisted) : !twisted)
				try_shape(h, i, twisted);
}

int mapping_search(const struct mapping *m, const uint32_t *allowed, int most, uint8_t *option, double *rate, long *tried,
	uint8_t *least, bool *even)
{
	struct hunt h = {.m = m,
		.allowed = allowed,
		.visit = rank,
		.most = most,
		.option = option,
		.rate = rate,
		.least = least,
		.lacks = INFINITY};
	h.memory = calloc((size_t)most, sizeof *h.memory);
	if (h.memory)
		try_all(&h);
	free(h.memory);
	if (tried)
		*tried = h.tried;
	if (even)
		*even = h.tried > 0;
	return h.kept;
}

void mapping_bounds(const struct mapping *m, double low[TERM_IDS], double high[TERM_IDS])
{
	struct hunt h = {.m = m, .visit = widen, .ends = true, .low = low, .high = high};
	for (int t = 0; t < TERM_IDS; t++)
		low[t] = high[t] = NAN;
	try_all(&h);
}
