// SPDX-License-Identifier: GPL-3.0-or-later
// Recommendation workloads: MLPerf's, and files.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/pods/inside.h"

const char *const embedding_places[EMBEDDING_PLACES] = {"sparsecore", "tensorcore", "host"};

// MLPerf training's recommendation benchmark from v3.0 on: num_embeddings_per_feature and multi_hot_sizes of the reference
// (mlcommons/ training, recommendation_v2/torchrec_dlrm), width 128, batch 65536, uniform ids.
static const struct {
	double rows, hot;
} dlrm_dcnv2[] = {
	{40000000, 3},
	{39060, 2},
	{17295, 1},
	{7424, 2},
	{20265, 6},
	{3, 1},
	{7122, 1},
	{1543, 1},
	{63, 1},
	{40000000, 7},
	{3067956, 3},
	{405282, 8},
	{10, 1},
	{2209, 6},
	{11938, 9},
	{155, 5},
	{4, 1},
	{976, 1},
	{14, 1},
	{40000000, 12},
	{40000000, 100},
	{40000000, 27},
	{590152, 10},
	{12973, 3},
	{108, 1},
	{36, 1},
};
enum { DLRM_TABLES = sizeof dlrm_dcnv2 / sizeof dlrm_dcnv2[0], DLRM_BATCH = 65536, DLRM_WIDTH = 128 };

// Multiply-accumulates a sample: bottom 13-512-256-128; three cross layers of rank 512 over (26 + 1) x 128 numbers; top
// 3456-1024-1024-512-256-1.
#define DLRM_DENSE                                                                                                               \
	(13. * 512 + 512. * 256 + 256. * 128 + 3 * 2 * 512. * 3456 + 3456. * 1024 + 1024. * 1024 + 1024. * 512 + 512. * 256 + 256)

static void fill_dlrm(struct workload *w)
{
	*w = (struct workload){.name = "dlrm_dcnv2",
		.batch = DLRM_BATCH,
		.dense = DLRM_DENSE,
		.tables = DLRM_TABLES,
		.source = "MLPerf training, recommendation_v2: rows, ids a sample, widths and batch of the reference; its ids "
			  "are uniform"};
	for (int i = 0; i < DLRM_TABLES; i++)
		w->table[i] = (struct embedding_table){dlrm_dcnv2[i].rows, DLRM_WIDTH, dlrm_dcnv2[i].hot, -1, PLACE_SPARSECORE};
}

static bool read_number(const char *path, const char *where, json_t *json, double least, double most, double *to,
	struct fault *fault)
{
	double value = json_is_number(json) ? json_number_value(json) : (double)NAN;
	char todo[96];
	*to = value;
	if (value >= least && value <= most)
		return true;
	snprintf(todo, sizeof todo, "expected a number from %g to %g", least, most);
	return fault_set(fault, path, todo, json ? "%s: will not do" : "%s: missing", where);
}

// Only members of the list, ended by NULL.
static bool check_members(const char *path, const char *where, json_t *json, const char *const *known, struct fault *fault)
{
	const char *key;
	char advice[128];
	json_t *unused;
	if (!json_is_object(json))
		return fault_set(fault, path, "it is {\"rows\": R, \"width\": W, \"hot\": H, …}", "%snot an object", where);
	json_object_foreach(json, key, unused)
	{
		struct nearest near = nearest_to(key);
		int i = 0;
		for (; known[i] && strcmp(known[i], key) != 0; i++)
			nearest_offer(&near, known[i]);
		if (!known[i])
			return fault_set(fault, path, nearest_advice(&near, "leave it out", advice, sizeof advice),
				"%s%.60s: no such member", where, key);
	}
	return true;
}

static bool read_table(const char *path, size_t index, json_t *json, struct embedding_table *t, struct fault *fault)
{
	static const struct {
		const char *name;
		double least, most;
		bool may_lack;
	} part[] = {{"rows", 1, 1e12, false}, {"width", 1, 65536, false}, {"hot", .001, 1e5, false}, {"unique", 1e-9, 1, true}};
	double *const to[] = {&t->rows, &t->width, &t->hot, &t->unique};
	static const char *const known[] = {"rows", "width", "hot", "unique", "place", NULL};
	char where[64];
	*t = (struct embedding_table){0};
	snprintf(where, sizeof where, "tables[%zu]: ", index);
	if (!check_members(path, where, json, known, fault))
		return false;
	const char *unique = json_string_value(json_object_get(json, "unique"));
	bool uniform = unique && strcmp(unique, "uniform") == 0;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		json_t *its = json_object_get(json, part[i].name);
		snprintf(where, sizeof where, "tables[%zu].%s", index, part[i].name);
		if ((its || !part[i].may_lack) && !(uniform && to[i] == &t->unique) &&
			!read_number(path, where, its, part[i].least, part[i].most, to[i], fault))
			return false;
	}
	if (uniform)
		t->unique = -1;
	json_t *place = json_object_get(json, "place");
	const char *word = json_string_value(place);
	for (t->place = 0; word && t->place < EMBEDDING_PLACES && strcmp(word, embedding_places[t->place]) != 0;)
		t->place++;
	if ((place && !word) || t->place == EMBEDDING_PLACES)
		return fault_set(fault, path, "expected \"sparsecore\", \"tensorcore\" or \"host\"",
			"tables[%zu].place: no such place", index);
	return true;
}

static bool read_workload(const char *path, json_t *root, struct workload *w, struct fault *fault)
{
	static const char head[] = "it starts with {\"bitscape-workload\": 1, \"name\": …";
	json_t *version = json_object_get(root, "bitscape-workload"), *tables = json_object_get(root, "tables");
	const char *name = json_string_value(json_object_get(root, "name")),
		   *source = json_string_value(json_object_get(root, "source"));
	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return fault_set(fault, path, head, "not a workload file of bitscape");
	static const char *const known[] = {"bitscape-workload", "name", "source", "batch", "dense", "tables", NULL};
	if (!check_members(path, "", root, known, fault))
		return false;
	if (!name || !source)
		return fault_set(fault, path, "expected a text", "%s: missing", name ? "source" : "name");
	snprintf(w->name, sizeof w->name, "%s", name);
	snprintf(w->source, sizeof w->source, "%s", source);
	text_clean(w->name, "");
	text_clean(w->source, "");
	if (!read_number(path, "batch", json_object_get(root, "batch"), 1, 1e9, &w->batch, fault) ||
		!read_number(path, "dense", json_object_get(root, "dense"), 0, 1e15, &w->dense, fault))
		return false;
	size_t count = json_array_size(tables);
	if (count < 1 || count > EMBEDDING_TABLES)
		return fault_set(fault, path, "give it 1 to 512 tables", "tables: missing, not a list, or too many");
	w->tables = (int)count;
	for (size_t i = 0; i < count; i++)
		if (!read_table(path, i, json_array_get(tables, i), &w->table[i], fault))
			return false;
	return true;
}

bool workload_get(const char *name, struct workload *w, struct fault *fault)
{
	enum { BYTES = 1 << 20 };
	size_t length = strlen(name);
	if (strcmp(name, "dlrm_dcnv2") == 0) {
		fill_dlrm(w);
		return true;
	}
	if (!strchr(name, '/') && !(length > 5 && strcmp(name + length - 5, ".json") == 0))
		return fault_set(fault, name, "choose dlrm_dcnv2, or name a JSON file", "there is no such workload");
	json_t *root = json_file_read(name, BYTES, "mend the file", fault);
	if (!root)
		return false;
	*w = (struct workload){0};
	bool ok = read_workload(name, root, w, fault);
	json_decref(root);
	return ok;
}
