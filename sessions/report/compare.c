// SPDX-License-Identifier: GPL-3.0-or-later
// `compare`: sessions, or branches of one, side by side: their results by layer, costs under the same terms, which images the one gets right
// and the other does not, fronts in one picture, quality over the steps in another. What cannot be compared is said with the reason. The
// others are opened for reading only, as they were saved last.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/beside.h"
#include "sessions/report/picture.h"

// ---- which ---------------------------------------------------------------------------------------------------------

static bool add_session(struct beside *c, struct command_call *call, const char *word, int branch)
{
	struct session *here = call->context, *s = here;
	bool this = strcmp(word, ".") == 0;
	if (this && !here)
		return fault_set(&call->fault, word, "name two sessions: `bitscape compare A B`", "no session is open here");
	if (c->count == COMPARED)
		return fault_set(&call->fault, word, "leave some out", "at most %d sessions are compared", COMPARED);
	if ((!this || branch) && !(s = session_peek(this ? here->folder : word, &branch, &call->fault)))
		return false;
	if (s != here && here && !branch && session_same(s, here)) { // as it is now, not as it was saved
		session_free(s);
		s = here;
	}
	c->opened[c->count] = s != here;
	c->branch[c->count] = branch;
	c->s[c->count++] = s;
	for (int i = 0; i + 1 < c->count; i++)
		if (c->branch[i] == branch && (c->s[i] == s || session_same(c->s[i], s)))
			return fault_set(&call->fault, word, "`fork as NAME` makes another one of it, `branch N` names a branch",
				"this session is named twice");
	if (branch && c->opened[c->count - 1]) {
		size_t used = strlen(s->title);
		snprintf(s->title + used, sizeof s->title - used, " branch %d", branch);
	}
	uint8_t *result = calloc((size_t)s->info->slots + 1, 1);
	c->result[c->count - 1] = result;
	if (result)
		session_result(s, result);
	return result || fault_memory(&call->fault, word);
}

static const char *const keys[] = {"csv=", "plot=", "curves=", "formats=", "pairs=", "images="};
enum { KEYS = sizeof keys / sizeof *keys };

// Returns which of the keys a word begins with, -1: none, and it names a session.
static int key_of(const char *word)
{
	int k = KEYS - 1;
	while (k >= 0 && strncmp(word, keys[k], strlen(keys[k])) != 0)
		k--;
	return k;
}

// The words that say how: files to write, and images.
static bool read_how(struct beside *c, struct command_call *call)
{
	const char *images = "heldout";
	const char **value[KEYS] = {&c->csv, &c->plot, &c->curves, &c->formats, &c->pairs, &images};
	for (int i = 0; i < call->argc; i++) {
		const int k = key_of(call->argv[i]);
		if (k >= 0)
			*value[k] = call->argv[i] + strlen(keys[k]);
	}
	c->split = strcmp(images, "test") == 0 ? SPLIT_TEST : SPLIT_HELDOUT;
	c->images = strcmp(images, "none") != 0;
	return !c->images || c->split == SPLIT_TEST || strcmp(images, "heldout") == 0 ||
		fault_set(&call->fault, images, "give heldout, test or none", "there are no such images");
}

struct named {
	const char *word;
	long branch; // 0: the present one
};

// `NAME`, `NAME branch N`. Fills name[argc] and returns how many; -1: a fault.
static int read_names(struct command_call *call, struct named *name)
{
	int names = 0;
	for (int i = 0; i < call->argc; i++) {
		if (key_of(call->argv[i]) >= 0)
			continue;
		name[names] = (struct named){.word = call->argv[i]};
		if (i + 1 < call->argc && strcmp(call->argv[i + 1], "branch") == 0) {
			const char *number = i + 2 < call->argc ? call->argv[i + 2] : "";
			if (!number_read_long(number, 1, INT_MAX, &name[names].branch)) {
				fault_set(&call->fault, number[0] ? number : "branch", "write NAME branch N; `tree` lists them",
					"this is not a branch");
				return -1;
			}
			i += 2;
		}
		names++;
	}
	return names;
}

static bool open_all(struct beside *c, struct command_call *call)
{
	struct named name[COMMAND_MAX_ARGUMENTS];
	const int names = read_names(call, name);
	bool ok = names >= 0 && (names != 1 || !call->context || add_session(c, call, ".", 0));
	for (int i = 0; ok && i < names; i++)
		ok = add_session(c, call, name[i].word, (int)name[i].branch);
	return ok &&
		(c->count > 1 ||
			fault_set(&call->fault, "compare",
				"usage: compare A [branch N] B [...] [images=test|none] [plot=FILE] [curves=FILE] [formats=FILE] "
				"[pairs=FILE] [csv=FILE]",
				"name two sessions"));
}

// ---- what they have in common ----------------------------------------------------------------------------------------

static bool alike(const struct engine_info *a, const struct engine_info *b)
{
	bool same = a->slots == b->slots && a->layers == b->layers && strcmp(a->net, b->net) == 0;
	for (int i = 0; same && i < a->slots; i++) {
		same = strcmp(a->slot[i].name, b->slot[i].name) == 0 && a->slot[i].options == b->slot[i].options;
		for (int o = 0; same && o < a->slot[i].options; o++)
			same = strcmp(a->slot[i].option[o].name, b->slot[i].option[o].name) == 0;
	}
	return same;
}

static int slot_named(const struct engine_info *info, const char *name)
{
	for (int i = 0; i < info->slots; i++)
		if (strcmp(info->slot[i].name, name) == 0)
			return i;
	return -1;
}

// What stands in the way of a comparison with the first.
static void say_limits(struct beside *c, int i)
{
	static const char *const images[] = {"data", "heldout", "front-images"};
	struct report *r = &c->report;
	const struct session *a = c->s[0], *b = c->s[i];
	char x[ENGINE_TEXT], y[ENGINE_TEXT];
	if (strcmp(a->info->net, b->info->net) != 0)
		report_below(r, "%s searches another network (%s): layers are matched by their names, and its costs are its own",
			b->title, b->info->net);
	else if (!c->same_slots[i])
		report_below(r, "%s chooses among other formats or parts: its costs are its own", b->title);
	for (size_t k = 0; k < sizeof images / sizeof *images; k++) {
		config_get(a->snapshot->settings, images[k], x, sizeof x);
		config_get(b->snapshot->settings, images[k], y, sizeof y);
		if (strcmp(x, y) != 0 && !paired_can(c, i)) // else they are the same
			report_below(r, "%s is scored on other images (%s %s, not %s): its accuracy is not comparable", b->title,
				images[k], y, x);
	}
	if (strcmp(a->snapshot->estimated, b->snapshot->estimated) != 0)
		report_below(r, "%s: its quality is %s%s: accuracies are not comparable", b->title,
			b->snapshot->estimated[0] ? "estimated by " : "measured", b->snapshot->estimated);
	const struct session *child = NULL, *parent = NULL;
	if (strcmp(b->manifest.parent, a->manifest.session) == 0)
		child = b, parent = a;
	else if (strcmp(a->manifest.parent, b->manifest.session) == 0)
		child = a, parent = b;
	if (child)
		report_below(r, "%s parted from %s at step %ld: up to there they are one search", child->title, parent->title,
			child->manifest.parent_step);
}

// ---- the table -------------------------------------------------------------------------------------------------------

void beside_row(struct beside *c, const char *name, char cell[COMPARED][ENGINE_TEXT], const char *mark)
{
	bool differs = false;
	report_cell(&c->report, "%s", name);
	for (int i = 0; i < c->count; i++) {
		report_cell(&c->report, "%s", cell[i]);
		differs |= strcmp(cell[i], cell[0]) != 0;
	}
	report_cell(&c->report, "%s", mark ? mark : differs ? "*" : "");
}

static void add_facts(struct beside *c)
{
	char cell[COMPARED][ENGINE_TEXT], quality[COMPARED][ENGINE_TEXT], seed[COMPARED][ENGINE_TEXT];
	for (int i = 0; i < c->count; i++) {
		struct summary now;
		session_summary(c->s[i], &now);
		snprintf(cell[i], ENGINE_TEXT, "%ld/%ld", now.step, now.horizon);
		snprintf(seed[i], ENGINE_TEXT, "%llu", (unsigned long long)c->s[i]->info->seed);
		if (!now.scored)
			snprintf(quality[i], ENGINE_TEXT, "-");
		else if (now.quality_is_loss)
			snprintf(quality[i], ENGINE_TEXT, "~loss %.4f", -now.quality);
		else
			snprintf(quality[i], ENGINE_TEXT, "%s%.2f %%",
				now.estimated         ? "?"
					: now.sampled ? "~"
						      : "",
				100 * now.quality);
	}
	beside_row(c, "step", cell, NULL);
	beside_row(c, "seed", seed, NULL);
	beside_row(c, "held-out accuracy", quality, NULL);
}

// The cost of a result under a term of the first; by the first's own prices where the choices are of the same kind. NAN: it has none in
// the same unit.
static double cost_of(const struct beside *c, int i, int term)
{
	const struct session *a = c->s[0], *b = c->s[i];
	const struct term_state *t = &a->snapshot->term[term];
	double cost[ENGINE_TERMS];
	int its = c->same_slots[i] ? term : session_term(b, t->name);
	bool priced = its >= 0 && engine_price(c->same_slots[i] ? a->engine : b->engine, c->result[i], cost, 0, NULL);
	bool same = priced && (c->same_slots[i] || strcmp(b->snapshot->term[its].unit, t->unit) == 0);
	return same && isfinite(cost[its]) ? cost[its] : (double)NAN;
}

static void add_costs(struct beside *c)
{
	char cell[COMPARED][ENGINE_TEXT];
	const struct snapshot *now = c->s[0]->snapshot;
	for (int k = 0; k < now->terms; k++) {
		if (now->term[k].why[0])
			continue;
		for (int i = 0; i < c->count; i++) {
			double cost = cost_of(c, i, k);
			snprintf(cell[i], ENGINE_TEXT, "-");
			if (isfinite(cost))
				number_write(cost, now->term[k].brief, cell[i], ENGINE_TEXT);
			else
				report_below(&c->report, "%s has no price for %s in the same unit", c->s[i]->title,
					now->term[k].name);
		}
		beside_row(c, now->term[k].name, cell, NULL);
	}
}

static const char *format_of(const struct beside *c, int i, int slot)
{
	const struct slot_info *d = &c->s[i]->info->slot[slot];
	return engine_rests(c->s[i]->info, slot, c->result[i]) ? "rests" : d->option[c->result[i][slot]].name;
}

// What session i has for a slot of session k: one word where weights and input have the same format.
static void choice_of(const struct beside *c, int k, int slot, int i, char *buf)
{
	const struct engine_info *from = c->s[k]->info;
	int own = slot_named(c->s[i]->info, from->slot[slot].name);
	snprintf(buf, ENGINE_TEXT, "-");
	if (own < 0)
		return;
	const char *first = format_of(c, i, own);
	int other = engine_second_half(from, slot + 1) ? slot_named(c->s[i]->info, from->slot[slot + 1].name) : -1;
	const char *second = other >= 0 ? format_of(c, i, other) : first;
	snprintf(buf, ENGINE_TEXT, strcmp(first, second) ? "%s/%s" : "%s", first, second);
}

// The slots of session k that none before it has.
static int add_choices(struct beside *c, int k)
{
	const struct engine_info *info = c->s[k]->info;
	char cell[COMPARED][ENGINE_TEXT];
	int differ = 0;
	for (int slot = 0; slot < info->slots; slot++) {
		bool layer = slot < info->formats, known = false, differs = false;
		if (engine_second_half(info, slot))
			continue;
		for (int i = 0; i < k; i++)
			known |= slot_named(c->s[i]->info, info->slot[slot].name) >= 0;
		if (known)
			continue;
		for (int i = 0; i < c->count; i++) {
			choice_of(c, k, slot, i, cell[i]);
			differs |= strcmp(cell[i], cell[0]) != 0;
		}
		differ += differs;
		beside_row(c, layer ? info->layer[info->slot[slot].layer].name : info->slot[slot].name, cell, NULL);
	}
	return differ;
}

// ---- the pictures ------------------------------------------------------------------------------------------------------

// Those of the shared weights that are not dominated, or all uniform ones.
static bool points_of(const struct session *s, int term, struct trade *t)
{
	t->cost = calloc((size_t)s->snapshot->points + 1, sizeof *t->cost);
	t->accuracy = calloc((size_t)s->snapshot->points + 1, sizeof *t->accuracy);
	for (int i = 0; t->cost && t->accuracy && i < s->snapshot->points; i++) {
		const struct front_point *p = &s->snapshot->point[i];
		if (p->dominated || p->trained || !isfinite(p->cost[term]) || !isfinite(p->accuracy))
			continue;
		t->cost[t->count] = p->cost[term];
		t->accuracy[t->count++] = 100 * p->accuracy;
	}
	return t->cost && t->accuracy;
}

static bool draw_fronts(struct beside *c, struct command_call *call)
{
	struct trade trade[COMPARED] = {0};
	int term = snapshot_term(c->s[0]->snapshot, 0);
	const struct term_state *t = &c->s[0]->snapshot->term[term];
	bool ok = true;
	int n = 0;
	for (int i = 0; ok && i < c->count; i++) {
		int its = session_term(c->s[i], t->name);
		if (its < 0 || strcmp(c->s[i]->snapshot->term[its].unit, t->unit) != 0) {
			report_below(&c->report, "%s is not in the picture: it has no price for %s in the same unit",
				c->s[i]->title, t->name);
			continue;
		}
		trade[n] = (struct trade){.role = (enum figure_role)(ROLE_LANE + i), .line = true};
		snprintf(trade[n].name, sizeof trade[n].name, "%.*s", ENGINE_NAME - 1, c->s[i]->title);
		ok = points_of(c->s[i], its, &trade[n++]);
	}
	struct figure *f = ok ? figure_of_trades("Fronts", t->name, t->unit, "held-out accuracy (%)", trade, n) : NULL;
	ok = f ? report_picture_in(call, f, c->plot) : fault_memory(&call->fault, c->plot);
	figure_free(f);
	for (int i = 0; i < n; i++) {
		free(trade[i].cost);
		free(trade[i].accuracy);
	}
	return ok;
}

static bool draw_curves(struct beside *c, struct command_call *call)
{
	struct figure_source source[COMPARED];
	const char *name[COMPARED];
	for (int i = 0; i < c->count; i++) {
		session_source(c->s[i], &source[i]);
		name[i] = c->s[i]->title;
	}
	struct figure *f = figure_of_qualities(source, name, c->count);
	bool ok = f ? report_picture_in(call, f, c->curves) : fault_memory(&call->fault, c->curves);
	figure_free(f);
	return ok;
}

static bool draw_formats(struct beside *c, struct command_call *call)
{
	const struct engine_info *info[COMPARED];
	const uint8_t *result[COMPARED];
	const char *name[COMPARED];
	for (int i = 0; i < c->count; i++) {
		info[i] = c->s[i]->info;
		result[i] = c->result[i];
		name[i] = c->s[i]->title;
	}
	struct figure *f = figure_of_formats(info, result, name, c->count);
	bool ok = f ? report_picture_in(call, f, c->formats) : fault_memory(&call->fault, c->formats);
	figure_free(f);
	return ok;
}

static bool draw_pairs(struct beside *c, struct command_call *call)
{
	const int term = snapshot_term(c->s[0]->snapshot, 0);
	double cost[COMPARED];
	for (int i = 0; i < c->count; i++)
		cost[i] = cost_of(c, i, term);
	return paired_draw(c, call, cost, &c->s[0]->snapshot->term[term]);
}

static bool draw_all(struct beside *c, struct command_call *call)
{
	return (!c->plot || draw_fronts(c, call)) && (!c->curves || draw_curves(c, call)) &&
		(!c->formats || draw_formats(c, call)) && (!c->pairs || draw_pairs(c, call));
}

// ---- the command -------------------------------------------------------------------------------------------------------

static bool tell(struct beside *c, struct command_call *call)
{
	struct report_column column[COMPARED + 2] = {{"", true}};
	for (int i = 0; i < c->count; i++) {
		column[i + 1] = (struct report_column){c->s[i]->title, true};
		c->same_slots[i] = alike(c->s[0]->info, c->s[i]->info);
	}
	column[c->count + 1] = (struct report_column){"differs", true};
	report_begin(&c->report, column, c->count + 2);
	add_facts(c);
	paired_add(c);
	add_costs(c);
	int differ = 0;
	for (int k = 0; k < c->count; k++)
		differ += add_choices(c, k);
	report_above(&c->report, "the results of %d sessions; they differ in %d of their choices", c->count, differ);
	for (int i = 1; i < c->count; i++)
		say_limits(c, i);
	return report_end(&c->report, call, c->csv, draw_all(c, call));
}

void beside_free(struct beside *c)
{
	for (int i = 0; c && i < c->count; i++) {
		free(c->result[i]);
		if (c->opened[i])
			session_free(c->s[i]);
	}
	if (c)
		free(c->line);
	free(c);
}

static struct beside *begin(struct command_call *call)
{
	struct beside *c = calloc(1, sizeof *c);
	if (!c || !(c->line = strdup(call->line))) {
		fault_memory(&call->fault, "compare");
	} else if (read_how(c, call) && open_all(c, call)) {
		paired_ask(c);
		return c;
	}
	beside_free(c);
	return NULL;
}

// In a session the answers are waited for beside what else it does; at the shell there is nothing else.
bool run_compare(struct command_call *call)
{
	struct session *here = call->context;
	struct beside *c = here ? here->beside : NULL;
	if (c && strcmp(c->line, call->line) != 0)
		compare_drop(here);
	c = here && here->beside ? here->beside : begin(call);
	if (!c)
		return false;
	if (!here)
		paired_await(c);
	if (paired_waits(c)) {
		here->beside = c;
		if (!here->batch) // which waits
			call->say(call, "the images are run through each of them; the comparison follows");
		return true;
	}
	if (here)
		here->beside = NULL;
	for (int i = 0; here && i < c->count; i++)
		here->test_looks += c->opened[i] ? c->s[i]->test_looks : 0;
	paired_settle(c);
	bool ok = read_how(c, call) && tell(c, call);
	beside_free(c);
	return ok;
}

// ---- while answers are missing -----------------------------------------------------------------------------------------

bool compare_busy(const struct session *s)
{
	return s->beside && paired_waits(s->beside);
}

const char *session_due(const struct session *s)
{
	return s->beside && !paired_waits(s->beside) ? s->beside->line : NULL;
}

void compare_turn(struct session *s)
{
	bool bad;
	for (int i = 0; s->beside && i < s->beside->count; i++) {
		if (!s->beside->opened[i])
			continue;
		session_turn(s->beside->s[i]);
		while (session_message(s->beside->s[i], &bad))
			; // what is said of it the table says
	}
}

int compare_fds(const struct session *s, struct pollfd *fds)
{
	int n = 0;
	for (int i = 0; s->beside && i < s->beside->count; i++)
		if (s->beside->opened[i])
			fds[n++] = (struct pollfd){.fd = engine_fd(s->beside->s[i]->engine), .events = POLLIN};
	return n;
}

void compare_drop(struct session *s)
{
	beside_free(s->beside);
	s->beside = NULL;
}
