// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/pods/mapped.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/hardware/device.h"
#include "engine/quant/format.h"

_Static_assert((int)MAPPED_PARTS == (int)PARTS, "the parts of a division");
enum { SERVED = 8 };

const struct mapping_role_row mapping_roles[ROLES] = {
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
	int count = divisions_of(s, m->any, false, NULL, 0);
	to->slice = *s;
	to->any = m->any;
	to->division = calloc((size_t)count + 1, sizeof *to->division);
	if (!to->division)
		return fault_memory(fault, m->name);
	divisions_of(s, m->any, false, to->division, count);
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
	if (m->any && chips > DIVISION_ANY)
		return fault_set(fault, name, "ask for fewer chips, or for axes=whole",
			"of so many chips factors of axes are not listed: at most %d", DIVISION_ANY);
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

static struct slot *add_slot(struct mapping *m, enum mapping_role role)
{
	struct slot *s = &m->slot[m->slots];
	*s = (struct slot){.kind = mapping_roles[role].kind, .owner = -1, .layer = -1};
	snprintf(s->name, sizeof s->name, "%s", mapping_roles[role].name);
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
static bool add_sizes(struct mapping *m, enum part part, struct fault *fault)
{
	struct slot *s = add_slot(m, (enum mapping_role)(ROLE_PIPELINE + part));
	int size[SLOT_OPTIONS], count = 0;
	for (int i = 0; i < m->shapes; i++)
		for (int d = 0; d < m->shape[i][0].divisions; d++) {
			int k = 0, its = m->shape[i][0].division[d].size[part];
			while (k < count && size[k] != its)
				k++;
			if (k == count && count == SLOT_OPTIONS)
				return fault_set(fault, s->name, "ask for fewer numbers of chips, or for axes=whole",
					"it has more than %d sizes in all", SLOT_OPTIONS);
			if (k == count)
				size[count++] = its;
		}
	qsort(size, (size_t)count, sizeof *size, by_value);
	for (int i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof name, "%d", size[i]);
		add_option(s, name, size[i]);
	}
	return true;
}

static bool add_slots(struct mapping *m, const struct mapping_asked *a, struct fault *fault)
{
	for (int r = 0; r < ROLES; r++)
		m->at[r] = -1;
	add_topology(m);
	for (int part = 0; part < PARTS; part++)
		if (!add_sizes(m, (enum part)part, fault))
			return false;
	for (int r = ROLE_CUT_ACTIVATIONS; r <= ROLE_CUT_WEIGHTS; r++)
		slot_read(add_slot(m, (enum mapping_role)r), "1D|2D", NULL);
	for (int r = ROLE_WEIGHTS; r < ROLES; r++) {
		if (m->serve && mapping_roles[r].training)
			continue;
		struct slot *s = add_slot(m, (enum mapping_role)r);
		for (int f = 0; f < a->formats; f++)
			add_option(s, format_table[a->format[f]].name, a->format[f]);
	}
	return true;
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
	if (!transformer_get(a->work, &work, fault) || !pod_get(a->pod, &pod, fault))
		return false;
	if (pod.network == NETWORK_ISLANDS)
		return fault_set(fault, pod.name, "choose a pod whose slices have axes", "parts of islands are not priced");
	snprintf(m->name, sizeof m->name, "%s on %s", work.name, pod.name);
	world_begin(&m->world, &pod, NULL);
	division_job_begin(&m->job, &m->world, &work);
	m->any = a->any;
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
	return read_chips(m, a->chips, fault) && formats_run(m, a, fault) && add_slots(m, a, fault);
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

static double value_of(const struct mapping *m, enum mapping_role role, const uint8_t *option)
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
			j->format[mapping_roles[r].use] = (int)value_of(m, (enum mapping_role)r, option);
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
bool mapping_size_options(const struct mapping *m, const struct division *d, const uint32_t *allowed, uint8_t option[PARTS])
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
		asked[k] = value_of(m, (enum mapping_role)(ROLE_PIPELINE + k), option);
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
		if (!mapping_size_options(m, d, allowed, its) || (best && !nearer(d, best, asked)))
			continue;
		best = d;
		memcpy(sizes, its, sizeof sizes);
	}
	if (!best || memcmp(&option[m->at[ROLE_PIPELINE]], sizes, sizeof sizes) == 0)
		return false;
	memcpy(&option[m->at[ROLE_PIPELINE]], sizes, sizeof sizes); // the four slots stand side by side
	return true;
}

// The first division from here on whose part is larger than that of this one; `end`: none. They stand in the order of their sizes.
static int behind(const struct mapping_shape *shape, int from, int end, int part)
{
	int low = from + 1, high = end;
	while (low < high) {
		int middle = (low + high) / 2;
		if (shape->division[middle].size[part] > shape->division[from].size[part])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static double off_by(const struct mapping_shape *shape, int at, int part, const double asked[PARTS])
{
	const double size = shape->division[at].size[part];
	return fmax(size / asked[part], asked[part] / size);
}

// The division nearest to what is asked, the first of those of equal sizes, among a range whose parts before this one are equal: part by part
// among those that are as near by the parts before. Two sizes may be as near, one below and one above.
static int nearest_of(const struct mapping_shape *shape, int from, int end, int part, const double asked[PARTS])
{
	double least = INFINITY;
	int best = -1;
	if (part == PARTS)
		return from;
	for (int at = from; at < end; at = behind(shape, at, end, part))
		least = fmin(least, off_by(shape, at, part, asked));
	for (int at = from, next; at < end; at = next) {
		next = behind(shape, at, end, part);
		if (off_by(shape, at, part, asked) > least)
			continue;
		int its = nearest_of(shape, at, next, part + 1, asked);
		if (best < 0 || nearer(&shape->division[its], &shape->division[best], asked))
			best = its;
	}
	return best;
}

void mapping_of(const struct mapping *m, const uint8_t *option, struct mapped *to)
{
	const struct mapping_shape *shape = shape_at(m, option);
	double asked[PARTS];
	*to = (struct mapped){.shape = shape, .chips = shape->slice.chips, .asked = 1};
	asked_sizes(m, option, asked);
	for (int k = 0; k < PARTS; k++)
		to->asked *= asked[k];
	const int nearest = nearest_of(shape, 0, shape->divisions, 0, asked);
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
		snprintf(buf, size, "its parts are no products of %s axes of %s; the nearest is %s",
			x->shape->any ? "factors of the" : "whole", slice, name);
	return buf;
}

// ---- remembered ----

enum { REMEMBERED = 1 << 13 };
struct entry {
	bool known;
	uint8_t option[MAPPING_SLOTS];
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
