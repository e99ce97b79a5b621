// SPDX-License-Identifier: GPL-3.0-or-later
// Exports: the policy as JSON (policy.schema.json describes it), layers, history and front as CSV.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "sessions/core/inside.h"

enum { POLICY_VERSION = 2 }; // 2: kernel_h and kernel_w in place of kernel

// ---- the policy ----------------------------------------------------------------------------------------------------

// The result at the moment of asking, scored on both splits before it is written.
struct policy {
	int users; // pending requests that point here
	bool failed;
	char path[FOLDER_PATH];
	uint8_t *choice;
	long step;
	struct scored {
		bool done;
		long step, images, calibration_images;
		double accuracy, loss;
	} scored[2];               // per enum split
	struct layer_range *range; // as calibrated for the held-out score
	struct config *settings;   // at the last score; NULL: it was not scored, and they are the present ones
};

static void policy_drop(void *job)
{
	struct policy *p = job;
	if (--p->users > 0)
		return;
	free(p->choice);
	free(p->range);
	config_free(p->settings);
	free(p);
}

static void put_setting(const char *name, const char *value, void *settings)
{
	json_object_set_new(settings, name, json_string(value));
}

static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *score_json(const struct scored *s)
{
	if (!s->done)
		return json_null();
	return json_pack("{s:I, s:I, s:f, s:o, s:I}", "step", (json_int_t)s->step, "images", (json_int_t)s->images, "accuracy",
		s->accuracy, "loss", number_or_null(s->loss), "calibration_images", (json_int_t)s->calibration_images);
}

// What was measured, or what a table or a command says in its place, each under its own name.
static json_t *quality_json(const struct session *s, const struct policy *p)
{
	const struct scored *score = p->scored;
	if (s->snapshot->estimated[0] && !score[SPLIT_HELDOUT].images)
		return json_pack("{s:{s:s, s:f}}", "estimated", "by", s->snapshot->estimated, "accuracy",
			score[SPLIT_HELDOUT].accuracy);
	if (s->info->command[0])
		return json_pack("{s:{s:s, s:f}}", "answered", "by", s->info->command, "accuracy", score[SPLIT_HELDOUT].accuracy);
	return json_pack("{s:o, s:o}", "heldout", score_json(&score[SPLIT_HELDOUT]), "test", score_json(&score[SPLIT_TEST]));
}

static json_t *costs_json(const struct session *s, const double *cost)
{
	json_t *costs = json_object();
	for (int k = 0; k < s->snapshot->terms; k++) {
		const struct term_state *term = &s->snapshot->term[k];
		json_t *c = json_pack("{s:s, s:o, s:f}", "unit", term->unit, "total", number_or_null(cost[k]), "weight",
			term->weight);
		if (term->device[0])
			json_object_set_new(c, term->kind->where == AT_SITE ? "site" : "device", json_string(term->device));
		if (term->why[0])
			json_object_set_new(c, "not_available", json_string(term->why));
		if (term->targeted) {
			json_object_set_new(c, "target", number_or_null(term->target));
			json_object_set_new(c, "target_as_given", json_string(term->target_text));
			json_object_set_new(c, "ratio", number_or_null(cost[k] / term->target));
		}
		json_object_set_new(costs, term->name, c);
	}
	return costs;
}

static json_t *operand_json(const struct session *s, const struct policy *p, int slot, const float *range)
{
	const struct slot_state *state = &s->snapshot->slot[slot];
	uint8_t option = p->choice[slot];
	json_t *o = json_pack("{s:s, s:f, s:b}", "format", s->info->slot[slot].option[option].name, "probability",
		(double)state->probability[option], "pinned", state->allowed == (uint32_t)1 << option);
	json_object_set_new(o, "range", range ? number_or_null((double)*range) : json_null());
	return o;
}

// A choice of the architecture. `rests`: it makes no difference under the choice.
static json_t *slot_json(const struct session *s, const struct policy *p, int slot)
{
	const struct slot_state *state = &s->snapshot->slot[slot];
	const struct slot_info *info = &s->info->slot[slot];
	uint8_t option = p->choice[slot];
	return json_pack("{s:s, s:s, s:s, s:f, s:b, s:b}", "slot", info->name, "kind", info->kind, "option",
		info->option[option].name, "probability", (double)state->probability[option], "pinned",
		state->allowed == (uint32_t)1 << option, "rests", engine_rests(s->info, slot, p->choice));
}

// l: as the choice has it. `part`: per term, per layer.
static json_t *layer_json(const struct session *s, const struct policy *p, int i, const struct layer_info *l, const double *cost,
	const double *part)
{
	json_t *costs = json_object();
	for (int k = 0; k < s->snapshot->terms; k++) {
		double value = part[k * s->info->layers + i];
		json_object_set_new(costs, s->snapshot->term[k].name,
			json_pack("{s:o, s:o}", "value", number_or_null(value), "share",
				number_or_null(cost[k] > 0 || isnan(cost[k]) ? value / cost[k] : 0)));
	}
	json_t *layer =
		json_pack("{s:s, s:s, s:s?, s:b, s:[i,i,i], s:[i,i,i], s:i, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:o, s:o, s:o}",
			"name", l->name, "kind", l->kind, "group", session_group(s, i), "tied", session_tied(s, i), "input",
			l->in_h, l->in_w, l->in_c, "output", l->out_h, l->out_w, l->out_c, "kernel_h", l->kernel_h, "kernel_w",
			l->kernel_w, "stride", l->stride, "groups", l->groups, "macs", l->macs, "attention_macs",
			l->attention_macs, "weights", l->weights, "activations", l->activations, "weight",
			operand_json(s, p, l->weight_slot, p->range ? &p->range[i].weight : NULL), "activation",
			operand_json(s, p, l->activation_slot, p->range ? &p->range[i].activation : NULL), "costs", costs);
	if (s->info->slots > s->info->formats)
		json_object_set_new(layer, "rests", json_boolean(engine_rests(s->info, l->weight_slot, p->choice)));
	return layer;
}

static json_t *policy_json(struct session *s, const struct policy *p)
{
	const struct engine_info *info = s->info;
	double cost[ENGINE_TERMS] = {0};
	double *part = calloc((size_t)s->snapshot->terms * (size_t)info->layers + 1, sizeof *part);
	struct layer_info *layer = calloc((size_t)info->layers + 1, sizeof *layer);
	json_t *layers = json_array(), *settings = json_object();
	bool ok = part && layer && layers && settings && engine_layers(s->engine, p->choice, layer);
	for (int k = 0; ok && k < s->snapshot->terms; k++)
		ok = engine_price(s->engine, p->choice, cost, k, part + k * info->layers);
	if (ok)
		config_each(p->settings ? p->settings : s->snapshot->settings, put_setting, settings);
	for (int i = 0; ok && i < info->layers; i++)
		ok = json_array_append_new(layers, layer_json(s, p, i, &layer[i], cost, part)) == 0;
	free(part);
	free(layer);
	if (!ok) {
		json_decref(layers);
		json_decref(settings);
		return NULL;
	}
	json_t *quality = quality_json(s, p);
	char crc[16];
	snprintf(crc, sizeof crc, "%08lx", journal_crc(&s->journal));
	json_t *policy = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:I, s:I, s:{s:i, s:s}, s:o, s:o, s:o, s:o}",
		"bitscape-policy", POLICY_VERSION, "bitscape", BITSCAPE_VERSION, "network", info->net, "data", info->data,
		"space", info->space, "preset", info->preset, "macs", info->macs, "attention_macs", info->attention_macs, "seed",
		(json_int_t)info->seed, "step", (json_int_t)p->step, "journal", "entries", s->journal.entries, "crc32", crc,
		"quality", quality, "costs", costs_json(s, cost), "layers", layers, "settings", settings);
	json_t *architecture = info->slots > info->formats ? json_array() : NULL;
	for (int i = info->formats; i < info->slots; i++)
		json_array_append_new(architecture, slot_json(s, p, i));
	if (architecture)
		json_object_set_new(policy, "architecture", architecture);
	return policy;
}

static bool policy_write(struct session *s, const struct policy *p, struct fault *f)
{
	return json_file_write(p->path, policy_json(s, p), JSON_REAL_PRECISION(9), f);
}

static void policy_scored(struct session *s, struct pending *pending, struct reply *r)
{
	struct policy *p = pending->job;
	struct fault f;
	if (p->failed)
		return;
	if (!r->ok) {
		p->failed = true;
		session_say_fault(s, &r->fault);
		return;
	}
	struct evaluation *e = &r->evaluation;
	s->test_looks += e->split == SPLIT_TEST;
	config_free(p->settings);
	p->settings = e->settings;
	e->settings = NULL;
	p->scored[e->split] = (struct scored){true, r->step, e->images, e->calibration_images, e->accuracy, e->loss};
	p->step = r->step;
	if (!s->snapshot->estimated[0] || e->images)
		s->known[e->split] = (struct known_evaluation){true, r->step, e->accuracy, e->loss};
	if (e->split == SPLIT_HELDOUT && e->range) {
		p->range = calloc((size_t)s->info->layers + 1, sizeof *p->range);
		if (p->range)
			memcpy(p->range, e->range, (size_t)s->info->layers * sizeof *p->range);
		return;
	}
	if (e->split == SPLIT_HELDOUT)
		return;
	if (!policy_write(s, p, &f))
		session_say_fault(s, &f);
	else if (s->snapshot->estimated[0] && !e->images)
		session_say(s, "wrote %s (estimated %.2f %%, %s)", p->path, 100 * p->scored[SPLIT_HELDOUT].accuracy,
			s->snapshot->estimated);
	else if (s->info->command[0])
		session_say(s, "wrote %s (%.2f %%, by the command)", p->path, 100 * p->scored[SPLIT_HELDOUT].accuracy);
	else
		session_say(s, "wrote %s (held-out %.2f %%, test %.2f %%)", p->path, 100 * p->scored[SPLIT_HELDOUT].accuracy,
			100 * p->scored[SPLIT_TEST].accuracy);
}

static bool post_score(struct session *s, struct policy *p, enum split split, struct fault *f)
{
	struct pending *pending = session_pending(policy_scored, f);
	if (!pending)
		return false;
	pending->job = p;
	pending->drop = policy_drop;
	p->users++;
	return session_posted(s, pending,
		engine_post_evaluate(s->engine, CHOICE_GIVEN, NULL, p->choice, split, &pending->ticket, f));
}

static bool write_choice(struct session *s, struct command_call *call, const uint8_t *choice, const char *path)
{
	struct policy *p = calloc(1, sizeof *p);
	if (!p)
		return fault_memory(&call->fault, path);
	p->users = 1; // this function
	snprintf(p->path, sizeof p->path, "%s", path);
	p->choice = calloc((size_t)s->info->slots + 1, 1);
	bool ok = p->choice != NULL;
	if (ok)
		memcpy(p->choice, choice, (size_t)s->info->slots);
	if (ok && s->snapshot->idle) { // nothing to score it with
		p->step = s->snapshot->step;
		ok = policy_write(s, p, &call->fault);
		if (ok)
			call->say(call, "wrote %s (costs alone)", path);
	} else if (ok) {
		ok = post_score(s, p, SPLIT_HELDOUT, &call->fault) && post_score(s, p, SPLIT_TEST, &call->fault);
	} else {
		fault_memory(&call->fault, path);
	}
	p->failed = !ok;
	policy_drop(p);
	return ok;
}

static bool export_policy(struct session *s, struct command_call *call, const char *path)
{
	uint8_t *result = calloc((size_t)s->info->slots + 1, 1);
	if (!result)
		return fault_memory(&call->fault, path);
	session_result(s, result);
	bool ok = write_choice(s, call, result, path);
	free(result);
	return ok;
}

// ---- CSV -----------------------------------------------------------------------------------------------------------

static void csv_word(struct string *t, const char *word)
{
	if (!strpbrk(word, ",\"")) {
		string_add(t, "%s", word);
		return;
	}
	string_add(t, "\"");
	for (; *word; word++)
		string_add(t, *word == '"' ? "\"\"" : "%c", *word);
	string_add(t, "\"");
}

// A number, or nothing where there is none.
static void csv_number(struct string *t, double value)
{
	if (isfinite(value))
		string_add(t, ",%.9g", value);
	else
		string_add(t, ",");
}

// The head of a term's column, with its unit: "latency (ms per 128 images on a100)".
static void csv_term(struct string *t, const char *before, const char *name, const char *unit)
{
	struct string head = {0};
	string_add(&head, unit[0] ? "%s%s (%s)" : "%s%s", before, name, unit);
	string_add(t, ",");
	t->failed |= head.failed;
	if (!head.failed)
		csv_word(t, head.bytes);
	string_free(&head);
}

static bool csv_write(struct command_call *call, const char *path, struct string *t)
{
	bool ok = t->failed ? fault_memory(&call->fault, path) : disk_replace(path, t->bytes, t->length, &call->fault);
	string_free(t);
	if (ok)
		call->say(call, "wrote %s", path);
	return ok;
}

static bool export_layers(struct session *s, struct command_call *call, const char *path)
{
	const struct engine_info *info = s->info;
	const struct snapshot *now = s->snapshot;
	double cost[ENGINE_TERMS], *part = calloc((size_t)now->terms * (size_t)info->layers + 1, sizeof *part);
	uint8_t *result = calloc((size_t)info->slots + 1, 1);
	struct layer_info *layer = calloc((size_t)info->layers + 1, sizeof *layer);
	struct string t = {0};
	bool ok = part && result && layer;
	if (ok)
		session_result(s, result);
	ok = ok && engine_layers(s->engine, result, layer);
	string_add(&t,
		"layer,kind,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride,groups,macs,attention_macs,weights,weight_format,"
		"activation_format,weight_probability,activation_probability,weight_pinned,activation_pinned,group");
	bool rests = info->slots > info->formats;
	string_add(&t, "%s", rests ? ",rests" : "");
	for (int k = 0; ok && k < now->terms; k++) {
		csv_term(&t, "", now->term[k].name, now->term[k].unit);
		ok = engine_price(s->engine, result, cost, k, part + k * info->layers);
	}
	string_add(&t, "\n");
	for (int i = 0; ok && i < info->layers; i++) {
		const struct layer_info *l = &layer[i];
		const struct slot_state *w = &now->slot[l->weight_slot], *a = &now->slot[l->activation_slot];
		csv_word(&t, l->name);
		string_add(&t, ",%s,%d,%d,%d,%d,%d,%d,%d,%d,%d,%d,%.0f,%.0f,%.0f,%s,%s,%.6g,%.6g,%d,%d,%s", l->kind, l->in_h,
			l->in_w, l->in_c, l->out_h, l->out_w, l->out_c, l->kernel_h, l->kernel_w, l->stride, l->groups, l->macs,
			l->attention_macs, l->weights, session_result_option(s, l->weight_slot),
			session_result_option(s, l->activation_slot), (double)w->probability[w->result],
			(double)a->probability[a->result], w->allowed == (uint32_t)1 << w->result,
			a->allowed == (uint32_t)1 << a->result, session_group(s, i) ? session_group(s, i) : "");
		if (rests)
			string_add(&t, ",%d", engine_rests(info, l->weight_slot, result));
		for (int k = 0; k < now->terms; k++)
			csv_number(&t, part[k * info->layers + i]);
		string_add(&t, "\n");
	}
	free(part);
	free(layer);
	free(result);
	if (!ok) {
		string_free(&t);
		return fault_memory(&call->fault, path);
	}
	return csv_write(call, path, &t);
}

static bool export_slots(struct session *s, struct command_call *call, const char *path)
{
	const struct engine_info *info = s->info;
	const struct snapshot *now = s->snapshot;
	uint8_t *result = calloc((size_t)info->slots + 1, 1);
	struct string t = {0};
	if (!result)
		return fault_memory(&call->fault, path);
	session_result(s, result);
	string_add(&t, "slot,kind,options,option,probability,pinned,rests,group\n");
	for (int i = 0; i < info->slots; i++) {
		const struct slot_info *slot = &info->slot[i];
		const struct slot_state *state = &now->slot[i];
		csv_word(&t, slot->name);
		string_add(&t, ",%s,", slot->kind);
		for (int o = 0; o < slot->options; o++)
			string_add(&t, "%s%s", o ? "|" : "", slot->option[o].name);
		string_add(&t, ",%s,%.6g,%d,%d,%s\n", slot->option[result[i]].name, (double)state->probability[result[i]],
			state->allowed == (uint32_t)1 << result[i], engine_rests(info, i, result),
			state->group >= 0 ? now->group[state->group].name : "");
	}
	free(result);
	return csv_write(call, path, &t);
}

// Whether another device was set on the way, for the terms that are priced on knob `device`.
struct sought {
	const char *setting;
	bool found;
};

static void seek(const char *name, const char *value, void *context)
{
	struct sought *sought = context;
	(void)value;
	sought->found |= strcmp(name, sought->setting) == 0;
}

// Whether the setting that a kind of terms is priced on was ever changed: the device, or the site.
static bool place_changed(const struct session *s, enum term_where where)
{
	struct sought sought = {where == AT_SITE ? "site" : "device", false};
	session_each_setting(s, seek, &sought);
	return sought.found;
}

static bool export_history(struct session *s, struct command_call *call, const char *path)
{
	const struct snapshot *now = s->snapshot;
	struct string t = {0};
	bool lanes = now->lanes > 1 || !s->one_lane;
	string_add(&t, "step,%sloss,accuracy,quality,reward,entropy,learning_rate", lanes ? "lane," : "");
	for (int k = 0; k < now->terms; k++) {
		const struct term_state *term = &now->term[k];
		char unit[64];
		snprintf(unit, sizeof unit, "%.16s %s of the step", term->symbol,
			term->kind->where == AT_SITE ? "at the site" : "on the device");
		bool moved = term->device[0] && !strchr(term->name, '@') && place_changed(s, term->kind->where);
		csv_term(&t, "", term->name, moved ? unit : term->unit);
		csv_term(&t, "modal_", term->name, moved ? unit : term->unit);
	}
	string_add(&t, "\n");
	for (long i = 0; i < s->records; i++) {
		const struct record *r = &s->record[i];
		const float fields[] = {r->loss, r->accuracy, r->quality, r->reward, r->entropy, r->learning_rate};
		string_add(&t, "%ld", r->step);
		if (lanes)
			string_add(&t, ",%d", r->lane);
		for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
			csv_number(&t, (double)fields[k]);
		for (int k = 0; k < now->terms; k++) {
			csv_number(&t, (double)r->cost[k]);
			csv_number(&t, (double)r->modal_cost[k]);
		}
		string_add(&t, "\n");
	}
	return csv_write(call, path, &t);
}

static bool export_front(struct session *s, struct command_call *call, const char *path)
{
	const struct snapshot *now = s->snapshot;
	struct string t = {0};
	bool lanes = now->lanes > 1, trained = false;
	for (int i = 0; i < now->points; i++)
		trained = trained || now->point[i].trained;
	string_add(&t, "origin,label,%sstep,%sdominated,%saccuracy,loss", lanes ? "lane," : "",
		trained ? "trained,test_accuracy," : "", now->estimated[0] ? "estimated_" : "");
	for (int k = 0; k < now->terms; k++)
		csv_term(&t, "", now->term[k].name, now->term[k].unit);
	for (int k = 0; k < s->info->slots; k++) {
		string_add(&t, ",");
		csv_word(&t, s->info->slot[k].name);
	}
	string_add(&t, "\n");
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		string_add(&t, "%s,%s,", point_origin_word(p->origin), p->label);
		if (lanes)
			string_add(&t, "%d,", p->lane);
		string_add(&t, "%ld,", p->step);
		if (trained)
			string_add(&t, "%ld,", p->trained);
		if (p->trained)
			string_add(&t, "%.6g", p->test);
		string_add(&t, "%s%d", trained ? "," : "", p->dominated);
		csv_number(&t, p->accuracy);
		csv_number(&t, p->loss);
		for (int k = 0; k < now->terms; k++)
			csv_number(&t, p->cost[k]);
		for (int k = 0; k < s->info->slots; k++)
			string_add(&t, ",%s", s->info->slot[k].option[p->choice[k]].name);
		string_add(&t, "\n");
	}
	return csv_write(call, path, &t);
}

// The network of the result, without its formats, as a description that `net=FILE` opens.
static bool export_network(struct session *s, struct command_call *call, const char *path)
{
	char *bytes = NULL;
	size_t size = 0;
	struct fault why = {0};
	if (!s->info->layers)
		return fault_set(&call->fault, s->info->net, "`export policy` writes what was chosen",
			"there is no network here");
	uint8_t *result = calloc((size_t)s->info->slots + 1, 1);
	FILE *file = open_memstream(&bytes, &size);
	if (result)
		session_result(s, result);
	bool ok = result && file && engine_write_network(s->engine, result, file, &why);
	if (file)
		ok = fclose(file) == 0 && ok;
	if (ok)
		ok = disk_replace(path, bytes, size, &call->fault);
	else if (why.what[0])
		call->fault = why;
	else
		fault_memory(&call->fault, path);
	if (ok)
		call->say(call, "wrote %s", path);
	free(bytes);
	free(result);
	return ok;
}

// ---- the command ---------------------------------------------------------------------------------------------------

static const struct export_kind {
	const char *name, *file;
	bool (*run)(struct session *, struct command_call *, const char *path);
} kinds[] = {
	{"policy", "policy.json", export_policy},
	{"layers", "layers.csv", export_layers},
	{"slots", "slots.csv", export_slots},
	{"history", "history.csv", export_history},
	{"front", "front.csv", export_front},
	{"network", "network.net", export_network},
	{"report", "report.html", export_report},
	{"weights", "weights.safetensors", export_weights},
	{"c", "network.h", export_outgoing},
	{"qdq", "network.onnx", export_outgoing},
	{"qonnx", "network.qonnx.onnx", export_outgoing},
	{"aimet", "network.encodings", export_outgoing},
};

static bool own_file(const struct session *s, const char *file, char path[FOLDER_PATH], struct fault *f)
{
	if (s->read_only || !s->folder[0])
		return fault_set(f, "export", "name a file", "this session's folder is not written to");
	return folder_file(s->folder, file, path, FOLDER_PATH, f);
}

bool run_export(struct command_call *call)
{
	struct session *s = call->context;
	const struct export_kind *kind = NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, call->argv[0]) == 0)
			kind = &kinds[i];
	if (!kind)
		return fault_set(&call->fault, call->argv[0],
			"export one of: policy layers slots history front network report c qdq qonnx aimet weights",
			"this cannot be exported");
	char path[FOLDER_PATH];
	if (call->argc > 1)
		return kind->run(s, call, call->argv[1]);
	return own_file(s, kind->file, path, &call->fault) && kind->run(s, call, path);
}

bool export_choice(struct session *s, struct command_call *call, const uint8_t *choice, const char *path)
{
	char own[FOLDER_PATH];
	return (path || own_file(s, "point.json", own, &call->fault)) && write_choice(s, call, choice, path ? path : own);
}
