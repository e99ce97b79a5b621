// SPDX-License-Identifier: GPL-3.0-or-later
// Embedding tables on a slice: SparseCores, tensor cores or hosts, and one pod against another.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/report.h"

// A pod's slice, with its links counted.
struct place {
	struct pod pod;
	struct slice slice;
	struct slice_network *network; // NULL: islands
};

struct question {
	struct workload workload;
	struct world world; // pod 0: asked for; 1: against, or the same
	struct place at[2];
	struct embedding_job job;
	const char *format, *place, *tables, *stacks, *against, *plot;
	double batch;
	bool twisted, each, best; // a place for each table, the best number of stacks are to be found
	struct report_points points;
	char group[3][80]; // a row's
	int rows;
};

static bool find_place(struct place *p, const char *shape, bool twisted, struct fault *f)
{
	if (!slice_read(&p->pod, shape, twisted, &p->slice, f))
		return false;
	if (p->slice.islands)
		return true;
	p->network = calloc(1, sizeof *p->network);
	return p->network ? slice_network_of(&p->slice, p->network, f) : fault_memory(f, "a slice's links");
}

// "tpu_v3:8x16"
static bool read_against(struct question *q, struct fault *f)
{
	char pod[256], *colon;
	snprintf(pod, sizeof pod, "%s", q->against);
	if (!(colon = strrchr(pod, ':')) || strlen(q->against) >= sizeof pod)
		return fault_set(f, q->against, "write against=tpu_v3:8x16", "names no pod and slice");
	*colon = '\0';
	return pod_get(pod, &q->at[1].pod, f) && find_place(&q->at[1], colon + 1, false, f);
}

static int place_named(const char *word, size_t length)
{
	int p = 0;
	while (p < EMBEDDING_PLACES && (strlen(embedding_places[p]) != length || strncmp(word, embedding_places[p], length) != 0))
		p++;
	return p;
}

// "host:20-23,tensorcore:6,9": tables by number, from 1.
static bool read_tables(struct question *q, struct fault *f)
{
	static const char how[] = "write tables=host:20-23,tensorcore:6,9: a place, and tables by their numbers";
	int place = EMBEDDING_PLACES;
	for (const char *at = q->tables; *at;) {
		size_t n = strcspn(at, ","), named = strcspn(at, ":,");
		char word[64];
		int from, to;
		if (at[named] == ':') {
			place = place_named(at, named);
			at += named + 1;
			n -= named + 1;
		}
		snprintf(word, sizeof word, "%.*s", (int)(n < sizeof word ? n : sizeof word - 1), at);
		char end, second;
		int read = sscanf(word, "%5d-%5d%c", &from, &to, &end);
		if (read == 1 && sscanf(word, "%5d%c", &from, &second) == 1)
			to = from;
		else if (read != 2)
			return fault_set(f, q->tables, how, "\"%s\" names no tables", word);
		if (place == EMBEDDING_PLACES)
			return fault_set(f, q->tables, "choose sparsecore, tensorcore or host", "is no place for tables");
		if (from < 1 || to < from || to > q->workload.tables)
			return fault_set(f, q->tables, how, "%s has tables 1 to %d", q->workload.name, q->workload.tables);
		for (int i = from; i <= to; i++)
			q->workload.table[i - 1].place = place;
		at += n + (at[n] == ',');
	}
	return true;
}

// "alone", "best", or how many the tables of one width make.
static bool read_stacks(struct question *q, struct fault *f)
{
	long count;
	q->best = q->stacks && strcmp(q->stacks, "best") == 0;
	if (!q->stacks || q->best)
		return true;
	if (strcmp(q->stacks, "alone") == 0)
		count = STACKS_ALONE;
	else if (!number_read_long(q->stacks, 1, EMBEDDING_TABLES, &count))
		return fault_set(f, q->stacks, "give the stacks of a width (1 to 512), alone, or best", "does not say how many stacks");
	q->job.stacks = (int)count;
	return true;
}

static bool set_up(struct question *q, struct fault *f)
{
	if (!division_format(q->format, &q->job.format, f))
		return false;
	q->each = q->place && strcmp(q->place, "each") == 0;
	q->job.place = q->place && !q->each ? place_named(q->place, strlen(q->place)) : EMBEDDING_PLACES;
	if (q->place && !q->each && q->job.place == EMBEDDING_PLACES)
		return fault_set(f, q->place, "choose sparsecore, tensorcore, host, or each", "is no place for tables");
	if (q->place && q->tables)
		return fault_set(f, "tables", "give one of the two", "does not go with place=");
	if ((q->tables && !read_tables(q, f)) || !read_stacks(q, f))
		return false;
	q->job.workload = &q->workload;
	q->job.batch = q->batch > 0 ? q->batch : q->workload.batch;
	return true;
}

struct compared {
	const struct question *q;
	int pod, place;             // of the one
	int other_pod, other_place; // over this; -1: alone
};

static bool price_at(const struct question *q, const struct world *w, int pod, int place, struct embedding_price *p,
	struct fault *f)
{
	struct embedding_job j = q->job;
	j.place = place;
	return embedding_price_of(w, pod, &q->at[pod].slice, q->at[pod].network, &j, p, f);
}

static double ratio_of(const struct world *w, void *context)
{
	const struct compared *c = context;
	struct embedding_price one, other;
	if (!price_at(c->q, w, c->pod, c->place, &one, NULL))
		return (double)NAN;
	if (c->other_pod < 0)
		return one.step;
	return price_at(c->q, w, c->other_pod, c->other_place, &other, NULL) ? other.step / one.step : (double)NAN;
}

static bool add_row(struct report *r, struct question *q, int pod, int place, struct fault *f)
{
	struct embedding_price p;
	char name[48];
	if (!price_at(q, &q->world, pod, place, &p, f))
		return false;
	double gib = pod_figures[POD_MEMORY].factor, most = q->at[pod].pod.figure[POD_MEMORY].value;
	if (!p.fits)
		return fault_set(f, q->workload.name, "take more chips or a narrower format, or place large tables elsewhere",
			"the tables do not fit %s of %s: %.4g GiB a chip, %.4g GiB more than there is",
			slice_name(&q->at[pod].slice, name), q->at[pod].pod.name, p.memory / gib, (p.memory - most) / gib);
	struct compared c = {q, pod, place, -1, 0};
	struct band b = world_band(&q->world, ratio_of, &c);
	report_cell(r, "%s %s", q->at[pod].pod.name, slice_name(&q->at[pod].slice, name));
	const char *on = place < EMBEDDING_PLACES ? embedding_places[place] : q->each ? "the best found" : "as each table says";
	report_cell(r, "%s", on);
	report_cell(r, p.stacks ? "%d" : "-", p.stacks);
	char group[80];
	snprintf(group, sizeof group, "%.24s %s, %s", q->at[pod].pod.name, slice_name(&q->at[pod].slice, name), on);
	memcpy(q->group[q->rows], group, sizeof group);
	const double ms[] = {p.rows, p.vector, p.handling, p.exchange, p.overhead, p.host, p.tensor, p.dense, p.step};
	const int parts = sizeof ms / sizeof *ms;
	for (int i = 0; i < parts; i++) {
		if (i + 1 < parts)
			report_cell(r, "%.4g", ms[i] * 1e3);
		if (ms[i] > 0)
			report_point(&q->points, q->rows, i + 1, ms[i] * 1e3, "%s", i + 1 == parts ? "step" : "");
	}
	q->rows++;
	report_cell(r, "%.4g", p.step * 1e3);
	report_band(r, &b, 1e3, "%.3g");
	report_cell(r, "%s", b.low < b.high ? b.mover : "");
	report_cell(r, "%s", p.binds);
	report_cell(r, "%.4g", p.memory / gib);
	report_cell(r, "%.4g", p.rate);
	return true;
}

static void add_ratio(struct report *r, const char *what, const struct world *w, struct compared c)
{
	struct band b = world_band(w, ratio_of, &c);
	if (!isnan(b.value))
		report_below(r, "%s: %.3gx, %.3g to %.3g over the inputs' ranges, moved most by %s", what, b.value, b.low, b.high,
			b.mover);
}

// Which tables are where, by their numbers: "sparsecore 1-5, 7; host 6".
static void add_places(struct report *r, const struct question *q)
{
	struct string t = {0};
	const int count = q->workload.tables;
	for (int place = 0; place < EMBEDDING_PLACES; place++) {
		int shown = 0;
		for (int i = 0, to; i < count; i = to) {
			bool here = q->workload.table[i].place == place;
			for (to = i + 1; to < count && (q->workload.table[to].place == place) == here; to++)
				;
			if (!here)
				continue;
			if (shown)
				string_add(&t, ", ");
			else
				string_add(&t, "%s%s ", t.length ? "; " : "", embedding_places[place]);
			string_add(&t, to > i + 1 ? "%d-%d" : "%d", i + 1, to);
			shown++;
		}
	}
	report_above(r, "tables by number: %s", t.bytes ? t.bytes : "");
	string_free(&t);
}

// What stacking saves and costs: the stacks as asked beside every table alone, or that beside stacks by width. Nothing is said of a table
// that is alone in any case.
static void add_stacking(struct report *r, const struct question *q)
{
	struct embedding_price p, other;
	struct embedding_job j = q->job;
	const bool alone = j.stacks == STACKS_ALONE;
	char buffers[32], its[32], tables[32];
	j.stacks = alone ? 1 : STACKS_ALONE;
	if (!embedding_price_of(&q->world, 0, &q->at[0].slice, q->at[0].network, &q->job, &p, NULL) ||
		!embedding_price_of(&q->world, 0, &q->at[0].slice, q->at[0].network, &j, &other, NULL) ||
		p.stacks + other.stacks < 3)
		return;
	report_below(r,
		"%s on SparseCores in %d %s: %.4g ms, %.3g %% of the lists of ids is padding, buffers of %s a chip; %s: %.4g ms, %.3g %%, %s",
		count_of(alone ? p.stacks : other.stacks, "table", tables), p.stacks, p.stacks == 1 ? "stack" : "stacks",
		p.step * 1e3, 100 * p.padding / p.listed, number_write(p.buffers, "B", buffers, sizeof buffers),
		alone ? "stacked by width" : "every table alone", other.step * 1e3, 100 * other.padding / other.listed,
		number_write(other.buffers, "B", its, sizeof its));
}

static bool place_each(struct question *q, struct fault *f)
{
	int place[EMBEDDING_TABLES];
	if (!q->each)
		return true;
	if (!embedding_place_each(&q->world, 0, &q->at[0].slice, q->at[0].network, &q->job, place, f))
		return false;
	for (int i = 0; i < q->workload.tables; i++)
		q->workload.table[i].place = place[i];
	return true;
}

static bool add_all(struct report *r, struct question *q, struct fault *f)
{
	double ids = 0;
	for (int i = 0; i < q->workload.tables; i++)
		ids += q->workload.table[i].hot;
	report_above(r,
		"%s: %d tables, %.4g ids a sample, batch %g, %.4g multiply-accumulates a sample in the dense layers; tables in "
		"%s, %s%s%s",
		q->workload.name, q->workload.tables, ids, q->job.batch, q->workload.dense, q->format,
		q->job.serve ? "serving" : "training", q->job.pipelined ? ", pipelined: gradients two steps old" : "",
		q->job.keep_duplicates ? ", duplicates kept" : "");
	report_above(r, "source: %s", q->workload.source);
	if (!place_each(q, f))
		return false;
	if (q->best && !embedding_stack_best(&q->world, 0, &q->at[0].slice, q->at[0].network, &q->job, &q->job.stacks, f))
		return false;
	if (q->job.place == EMBEDDING_PLACES)
		add_places(r, q);
	int place = q->job.place;
	if (!add_row(r, q, 0, place, f) || (q->against && !add_row(r, q, 1, place, f)))
		return false;
	bool host = place != PLACE_HOST && q->at[0].pod.figure[POD_HOST_MEMORY].value > 0;
	if (host && !add_row(r, q, 0, PLACE_HOST, f))
		return false;
	if (q->against)
		add_ratio(r, "this pod over the other", &q->world, (struct compared){q, 0, place, 1, place});
	if (host)
		add_ratio(r, "this place over hosts' memory", &q->world, (struct compared){q, 0, place, 0, PLACE_HOST});
	add_stacking(r, q);
	report_below(r,
		"(ms of a step: rows from memory, vector unit, ids, exchange between SparseCores, of which the longest counts, "
		"overhead;");
	report_below(r, " hosts; look-ups on tensor cores; dense layers at %g of the peak; band: over the inputs' ranges)",
		q->world.input[IN_DENSE_MFU]);
	report_below(r,
		"(published for DLRM0, another workload whose tables are not: v4 over v3 %gx, SparseCore over hosts' memory %g "
		"to %gx; agreement "
		"is not claimed)",
		published_table[PUB_SC_V4_V3].value, published_table[PUB_SC_HOST_LOW].value,
		published_table[PUB_SC_HOST_HIGH].value);
	return true;
}

bool run_embeddings(struct command_call *call)
{
	static const struct report_column column[] = {{"slice", true}, {"tables on", true}, {"stacks", false}, {"rows", false},
		{"vector", false}, {"ids", false}, {"exchange", false}, {"overhead", false}, {"hosts", false}, {"tensor", false},
		{"dense", false}, {"step ms", false}, {"band", false}, {"moved most by", true}, {"binds", true},
		{"GiB a chip", false}, {"samples/s", false}};
	struct question *q = calloc(1, sizeof *q);
	struct report_asked asked;
	struct report r;
	if (!q)
		return fault_memory(&call->fault, "embeddings");
	q->format = "fp32";
	const struct report_word words[] = {{.key = "twisted", .flag = &q->twisted}, {.key = "serve", .flag = &q->job.serve},
		{.key = "pipelined", .flag = &q->job.pipelined}, {.key = "duplicates", .flag = &q->job.keep_duplicates},
		{.key = "weights=", .text = &q->format}, {.key = "place=", .text = &q->place},
		{.key = "tables=", .text = &q->tables}, {.key = "stacks=", .text = &q->stacks},
		{.key = "plot=", .text = &q->plot}, {.key = "against=", .text = &q->against},
		{.key = "batch=", .number = &q->batch, .least = 1, .most = 1e9}};
	bool ok = report_pod(call, 2, &q->at[0].pod) && report_words(call, 2, words, sizeof words / sizeof *words, &asked) &&
		workload_get(call->argv[0], &q->workload, &call->fault) && set_up(q, &call->fault) &&
		find_place(&q->at[0], call->argv[1], q->twisted, &call->fault) && (!q->against || read_against(q, &call->fault));
	if (ok && q->job.keep_duplicates && !isnan(asked.input[IN_UNIQUE]))
		ok = fault_set(&call->fault, "duplicates", "give one of the two", "does not go with unique=");
	report_begin(&r, column, sizeof column / sizeof *column);
	if (ok) {
		report_world(&asked, &q->at[0].pod, q->against ? &q->at[1].pod : NULL, &q->world);
		ok = add_all(&r, q, &call->fault);
	}
	const char *group[3] = {q->group[0], q->group[1], q->group[2]};
	ok = report_points_draw(&q->points, call, q->plot,
		(struct points_asked){.title = "A step's parts",
			.x = "1 rows 2 vector 3 ids 4 exchange 5 overhead 6 hosts 7 tensor 8 dense 9 step",
			.y = "ms",
			.log_y = true,
			.group = group,
			.groups = q->rows},
		ok);
	free(q->at[0].network);
	free(q->at[1].network);
	free(q);
	return report_end(&r, call, ok ? asked.csv : NULL, ok);
}
