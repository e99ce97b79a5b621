// SPDX-License-Identifier: GPL-3.0-or-later
// Where the search stands: `status`, and tables of its layers, its front, its settings and its prices.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/report.h"

// What a term's costs are of, where the number's own unit does not say it: "latency: ms per 128 images on a100".
static void add_units(const struct snapshot *now, struct string *t)
{
	const char *before = "(";
	for (int i = 0; i < now->terms; i++)
		if (!now->term[i].why[0] && strstr(now->term[i].unit, " per ")) {
			string_add(t, "%s%s: %s", before, now->term[i].name, now->term[i].unit);
			before = "; ";
		}
	string_add(t, "%s", before[0] == ';' ? ")\n" : "");
}

static void add_network(const struct engine_info *info, struct string *t)
{
	char macs[32], attention[32], parameters[32];
	if (!info->layers) {
		string_add(t, "work: %s parameters\n", number_write(info->parameters, "", parameters, sizeof parameters));
		return;
	}
	string_add(t, "network: %s MACs for one image in layers", number_write(info->macs, "", macs, sizeof macs));
	if (info->attention_macs > 0)
		string_add(t, " and %s in attention's products, which bops does not count",
			number_write(info->attention_macs, "", attention, sizeof attention));
	string_add(t, "; %s parameters\n", number_write(info->parameters, "", parameters, sizeof parameters));
}

// What is not known yet is a dash.
static void add_progress(const struct engine_info *info, const struct snapshot *now, struct string *t)
{
	char loss[32], accuracy[32], quality[32], entropy[32];
	number_write(now->loss, "", loss, sizeof loss);
	number_write(100 * now->accuracy, "%", accuracy, sizeof accuracy);
	number_write(now->quality, "", quality, sizeof quality);
	number_write(now->entropy, "", entropy, sizeof entropy);
	if (now->idle)
		return;
	if (now->estimated[0])
		string_add(t, "quality ~%s, estimated (%s), not measured; entropy %s of 1\n", quality, now->estimated, entropy);
	else if (info->command[0])
		string_add(t,
			"quality of sampled choices %s (%s, by the command `%s`), averaged over the last steps; entropy %s of 1\n",
			quality, now->quality_is_loss ? "minus the loss" : "accuracy", info->command, entropy);
	else
		string_add(t,
			"training loss %s and accuracy %s, quality of sampled choices %s (%s on held-out images), all averaged over the last "
			"steps; entropy %s of 1\n",
			loss, accuracy, quality, now->quality_is_loss ? "minus the loss" : "accuracy", entropy);
}

static void add_variance(const struct snapshot *now, struct string *t)
{
	if (!(now->variance > 0))
		return;
	string_add(t, "variance of the policy's gradient by the qualities of samples: %.3g", now->variance);
	if (!isnan(now->variance_left))
		string_add(t, "; by what the additive model leaves of them: %.3g, %.2f times as much", now->variance_left,
			now->variance_left / now->variance);
	string_add(t, "\n");
}

static void add_spared(const struct snapshot *now, struct string *t)
{
	if (now->spared_equal > 0 || now->spared_prefix > 0)
		string_add(t,
			"spared of the passes that score choices: %.1f %% by equal choices, %.1f %% by equal first layers\n",
			100 * now->spared_equal, 100 * now->spared_prefix);
}

// The result beside the modal choice, whose costs stand above.
static void add_result(const struct session *s, struct string *t)
{
	const struct snapshot *now = s->snapshot;
	const char *before = " ";
	int differ = 0, slots = 0;
	for (int i = 0; i < s->info->layers; i++) {
		const struct layer_info *l = &s->info->layer[i];
		const struct slot_state *w = &now->slot[l->weight_slot], *a = &now->slot[l->activation_slot];
		differ += w->result != w->modal || a->result != a->modal;
	}
	for (int i = s->info->formats; i < s->info->slots; i++)
		slots += now->slot[i].result != now->slot[i].modal;
	string_add(t, "result: %s", differ || slots ? "" : "the modal choice");
	if (differ || slots)
		string_add(t, "the likeliest choice %s the targets, other than the modal choice in ",
			now->within ? "within" : "nearest to");
	if (differ)
		string_add(t, "%d layer%s%s", differ, differ == 1 ? "" : "s", slots ? " and " : ":");
	if (slots)
		string_add(t, "%d slot%s of the architecture:", slots, slots == 1 ? "" : "s");
	for (int i = 0; (differ || slots) && i < now->terms; i++) {
		char cost[ENGINE_TEXT];
		const struct term_state *term = &now->term[i];
		if (!(term->weight > 0) || !term->targeted || term->why[0])
			continue;
		string_add(t, "%s%s %s, %.4g times the target", before, term->name,
			number_write(term->result, term->unit, cost, sizeof cost), term->result / term->target);
		before = "; ";
	}
	string_add(t, "%s\n", now->within ? "" : "; no choice is known that meets all of them");
}

// Training apart from the search: what it takes is counted for itself, and no step of the search is among it.
static void add_polish(const struct snapshot *now, struct string *t)
{
	const struct polish_state *p = &now->polish;
	if (p->lane)
		string_add(t, "polish: lane %d, step %ld of %ld, training loss %.3f\n", p->lane, p->done, p->steps, p->loss);
	if (p->made)
		string_add(t, "polished on copies of the weights: %ld steps in %.0f s, beside those of the search\n", p->made,
			p->seconds);
	for (int i = 0; i < now->points; i++) {
		const struct front_point *q = &now->point[i];
		if (q->trained)
			string_add(t,
				"lane %d at step %ld, trained for %ld steps: %.2f %% held out, %.2f %% on the test images\n",
				q->lane, q->step, q->trained, 100 * q->accuracy, 100 * q->test);
	}
}

bool run_status(struct command_call *call)
{
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	const struct engine_info *info = s->info;
	struct string t = {0};
	string_add(&t, "%s: %s on %s, space %s, preset %s, seed %llu%s\n", s->title[0] ? s->title : "replay", info->net,
		info->data, info->space, info->preset, (unsigned long long)info->seed, s->read_only ? ", read-only" : "");
	if (info->left_out[0])
		string_add(&t, "for reach=%s the space is without %s\n", info->reach, info->left_out);
	string_add(&t, "step %ld of %ld, %s: %s\n", now->step, now->horizon, engine_run_word(now->run), now->says);
	add_network(info, &t);
	for (int i = 0; i < now->lanes && now->lanes > 1; i++)
		string_add(&t, "lane %d: %s, %ld steps%s\n", now->lane[i].number, now->lane[i].name, now->lane[i].steps,
			now->lane[i].focus ? "; what follows is about it" : "");
	add_progress(info, now, &t);
	add_variance(now, &t);
	add_spared(now, &t);
	for (int i = 0; i < now->terms; i++) {
		const struct term_state *term = &now->term[i];
		char cost[ENGINE_TEXT], target[ENGINE_TEXT];
		if (term->why[0]) {
			string_add(&t, "%s is not available: %s\n", term->name, term->why);
			continue;
		}
		string_add(&t, "%s %s, weight %.4g", term->name, number_write(term->modal, term->unit, cost, sizeof cost),
			term->weight);
		if (term->targeted)
			string_add(&t, ", target %s (%s): %.4g times the target", term->target_text,
				number_write(term->target, term->unit, target, sizeof target), term->modal / term->target);
		if (term->reach_text[0])
			string_add(&t, "; %s", term->reach_text);
		string_add(&t, "\n");
	}
	add_result(s, &t);
	add_polish(now, &t);
	string_add(&t, "%d decisions%s", now->decisions, now->split ? ", weights and activations apart" : "");
	for (int i = 0; i < now->groups; i++)
		string_add(&t, "%s %s (%s)", i ? "," : "; groups:", now->group[i].name, now->group[i].pattern);
	string_add(&t, "\njournal: %d entr%s", s->journal.entries, s->journal.entries == 1 ? "y" : "ies");
	int unwritten = session_unwritten(s);
	if (unwritten)
		string_add(&t, ", %d not on the disk yet", unwritten);
	if (s->saved_step >= 0)
		string_add(&t, "; saved at step %ld", s->saved_step);
	if (s->folder[0])
		string_add(&t, "; %s", s->folder);
	if (s->manifest.parent[0])
		string_add(&t, "\nit goes on from session %s at step %ld, digest %s", s->manifest.parent, s->manifest.parent_step,
			s->manifest.parent_digest);
	return say_all(call, &t);
}

// ---- tables --------------------------------------------------------------------------------------------------------

static void add_slot(const struct session *s, struct string *t, int slot)
{
	const struct slot_state *now = &s->snapshot->slot[slot];
	string_add(t, "  %-6s %4.0f %%%s", session_modal_option(s, slot), 100 * (double)now->probability[now->modal],
		now->allowed & (now->allowed - 1) ? "" : "  pinned");
	if (now->result != now->modal)
		string_add(t, "  result %s", session_result_option(s, slot));
}

static void add_format(const struct session *s, struct string *t, int layer)
{
	const char *group = session_group(s, layer);
	add_slot(s, t, s->info->layer[layer].weight_slot);
	if (!session_tied(s, layer)) {
		string_add(t, "  input");
		add_slot(s, t, s->info->layer[layer].activation_slot);
	}
	if (group)
		string_add(t, "  in %s", group);
	if (!s->snapshot->slot[s->info->layer[layer].weight_slot].there)
		string_add(t, "  rests");
}

// How the weights fare under formats that take turns (struct layer_state).
static void add_strain(const struct session *s, struct string *t, int layer)
{
	const struct layer_state *l = &s->snapshot->layer[layer];
	if (isnan(l->near_edge))
		string_add(t, "  %9s  %6s", "-", "-");
	else
		string_add(t, "  %7.1f %%  %4.0f %%", 100 * (double)l->switching, 100 * (double)l->near_edge);
}

bool run_layers(struct command_call *call)
{
	struct session *s = call->context;
	const struct engine_info *info = s->info;
	struct figure_source source;
	session_source(s, &source); // its term is the one to share out
	if (!info->layers)
		return fault_set(&call->fault, info->net, "`slots` lists what may be chosen", "there are no layers here");
	double cost[ENGINE_TERMS], *part = calloc((size_t)info->layers + 1, sizeof *part);
	uint8_t *modal = calloc((size_t)info->slots + 1, 1);
	struct layer_info *layer = calloc((size_t)info->layers + 1, sizeof *layer);
	bool ok = part && modal && layer;
	if (!ok)
		fault_memory(&call->fault, "layers");
	if (ok) {
		session_modal(s, modal);
		ok = (engine_layers(s->engine, modal, layer) && engine_price(s->engine, modal, cost, source.term, part)) ||
			fault_memory(&call->fault, "layers");
	}
	int wide = 5;
	for (int i = 0; i < info->layers; i++)
		if ((int)strlen(info->layer[i].name) > wide)
			wide = (int)strlen(info->layer[i].name);
	struct string t = {0};
	char share[ENGINE_NAME + 8];
	int of = snprintf(share, sizeof share, "of %s", s->snapshot->terms ? s->snapshot->term[source.term].name : "cost");
	of = of < 6 ? 6 : of;
	string_add(&t, "%-*s  %-9s %-16s %9s %9s  %*s  switching   edges  format\n", wide, "layer", "kind", "shape", "MACs",
		"weights", of, share);
	for (int i = 0; ok && i < info->layers; i++) {
		const struct layer_info *l = &layer[i];
		char shape[64], macs[32], weights[32];
		snprintf(shape, sizeof shape, "%dx%d %d>%d @%dx%d", l->kernel_h, l->kernel_w, l->in_c, l->out_c, l->out_h,
			l->out_w);
		string_add(&t, "%-*s  %-9s %-16s %9s %9s  %*.1f %%", wide, l->name, l->kind, shape,
			number_write(l->macs, "", macs, sizeof macs), number_write(l->weights, "", weights, sizeof weights),
			of - 2, cost[source.term] > 0 ? 100 * part[i] / cost[source.term] : 0);
		add_strain(s, &t, i);
		add_format(s, &t, i);
		string_add(&t, "\n");
	}
	free(layer);
	free(part);
	free(modal);
	if (!ok)
		string_free(&t);
	return ok && say_all(call, &t);
}

static void add_point(struct report *t, const struct snapshot *now, const struct front_point *p, bool lanes)
{
	if (lanes && p->lane)
		report_cell(t, "%d", p->lane);
	else if (lanes)
		report_cell(t, "-");
	report_cell(t, "%s%.2f", now->estimated[0] ? "~" : "", 100 * p->accuracy);
	report_cell(t, isnan(p->loss) ? "-" : "%#.4g", p->loss);
	report_cell(t, "%ld", p->step);
	if (p->trained)
		report_cell(t, "trained %ld", p->trained);
	else
		report_cell(t, "%s", p->label[0] ? p->label : point_origin_word(p->origin));
	for (int k = 0; k < now->terms; k++) {
		char cost[ENGINE_TEXT];
		report_cell(t, "%s", number_write(p->cost[k], now->term[k].brief, cost, sizeof cost));
	}
	report_cell(t, "%s", p->dominated ? "dominated" : "");
	if (now->info->slots > now->info->formats) {
		struct string architecture = {0};
		session_architecture(now->info, p->choice, &architecture);
		report_cell(t, "%s", architecture.bytes ? architecture.bytes : "");
		t->failed |= architecture.failed;
		string_free(&architecture);
	}
}

bool run_front(struct command_call *call)
{
	enum { BEFORE = 5 };
	struct session *s = call->context;
	const struct snapshot *now = s->snapshot;
	bool all = call->argc && strcmp(call->argv[0], "all") == 0;
	struct report_column all_columns[BEFORE + ENGINE_TERMS + 2] = {
		{"lane", false}, {"accuracy, %", false}, {"loss", false}, {"step", false}, {"what", true}};
	bool lanes = now->lanes > 1;
	struct report_column *columns = all_columns + !lanes;
	const int before = BEFORE - !lanes;
	if (call->argc && !all)
		return fault_set(&call->fault, "front", "usage: front [all]", "'%s' is not one of its words", call->argv[0]);
	if (!now->points) {
		call->say(call, "the front is still empty: no choice has been scored");
		return true;
	}
	for (int k = 0; k < now->terms; k++)
		columns[before + k] = (struct report_column){now->term[k].name, false};
	const bool open = now->info->slots > now->info->formats;
	columns[before + now->terms] = (struct report_column){"", true};
	columns[before + now->terms + 1] = (struct report_column){"architecture", true};
	struct report t;
	report_begin(&t, columns, before + now->terms + 1 + open);
	if (now->estimated[0])
		report_above(&t, "accuracies are estimated (~, %s), not measured", now->estimated);
	for (int i = 0; i < now->points; i++)
		if (all || !now->point[i].dominated)
			add_point(&t, now, &now->point[i], lanes);
	add_units(now, &t.below);
	return report_end(&t, call, NULL, true);
}

bool run_knobs(struct command_call *call)
{
	struct session *s = call->context;
	size_t count;
	const struct knob *knob = engine_knobs(&count);
	struct string t = {0};
	for (size_t i = 0; i < count; i++) {
		char value[ENGINE_TEXT];
		if (call->argc && !strstr(knob[i].name, call->argv[0]) && !strstr(knob[i].help, call->argv[0]))
			continue;
		if (config_get(s->snapshot->settings, knob[i].name, value, sizeof value))
			string_add(&t, "%c %-16s %-14s %s\n", knob[i].live ? '*' : ' ', knob[i].name, value, knob[i].help);
	}
	if (!t.length) {
		string_free(&t);
		return fault_set(&call->fault, call->argc ? call->argv[0] : "", "`knobs` lists them all",
			"no setting has this in its name or in its help");
	}
	string_add(&t, "(* : `set` changes it while the search runs)");
	return say_all(call, &t);
}

// ---- prices --------------------------------------------------------------------------------------------------------

static void price_uniform(struct session *s, struct string *t, const char *format, uint8_t *choice, const uint8_t *modal)
{
	for (int i = 0; i < s->info->slots; i++) {
		int option = slot_option(&s->info->slot[i], format);
		choice[i] = option < 0 ? modal[i] : (uint8_t)option; // where it is not in the space: as now
	}
	string_add(t, "%-8s ", format);
	session_tell_costs(s, t, choice, modal);
	string_add(t, "\n");
}

static bool in_space(const struct session *s, const char *format)
{
	for (int i = 0; i < s->info->slots; i++)
		if (slot_option(&s->info->slot[i], format) >= 0)
			return true;
	return false;
}

bool run_price(struct command_call *call)
{
	struct session *s = call->context;
	const size_t slots = (size_t)s->info->slots;
	for (int i = 0; i < call->argc; i++)
		if (!in_space(s, call->argv[i]))
			return fault_set(&call->fault, call->argv[i], "`price` lists the formats of the space",
				"no layer of this search has such a format");
	uint8_t *modal = calloc(2, slots + 1), *choice = modal ? modal + slots : NULL;
	if (!modal)
		return fault_memory(&call->fault, "price");
	struct string t = {0};
	session_modal(s, modal);
	for (int i = 0; i < call->argc; i++)
		price_uniform(s, &t, call->argv[i], choice, modal);
	if (!call->argc) {
		string_add(&t, "%-8s ", "modal");
		session_tell_costs(s, &t, modal, NULL);
		string_add(&t, "\n%-8s ", "result");
		session_result(s, choice);
		session_tell_costs(s, &t, choice, modal);
		string_add(&t, "\n");
		if (s->draft) {
			string_add(&t, "%-8s ", "draft");
			session_tell_costs(s, &t, s->draft, modal);
			string_add(&t, "\n");
		}
		for (const char *const *format = engine_formats(); *format; format++)
			if (in_space(s, *format))
				price_uniform(s, &t, *format, choice, modal);
	}
	free(modal);
	add_units(s->snapshot, &t);
	return say_all(call, &t);
}
