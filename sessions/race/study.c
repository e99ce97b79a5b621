// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/race/family.h"
#include "sessions/race/tell.h"
#include "sessions/report/picture.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"
#include "sessions/store/folder.h"

// ---- the accuracies of a race -------------------------------------------------------------------------------------------------

struct study {
	const struct race *race;
	struct scale_asked asked;
	struct scaling sc;
	const struct entrant *span[FAMILY_SPANS];
	int seeds;
	double *accuracy; // [FAMILY_SPANS][points][seeds], percent; NAN: not there
	double *base;     // [FAMILY_SPANS][seeds]
	struct family family;
};

// The first two baselines: N and 2N steps.
static bool find_spans(struct study *s, struct fault *f)
{
	const struct plan *p = &s->race->plan;
	int found = 0;
	for (int e = 0; e < p->entrants && found < FAMILY_SPANS; e++)
		if (p->entrant[e].baseline)
			s->span[found++] = &p->entrant[e];
	return found == FAMILY_SPANS ||
		fault_set(f, s->race->folder, "baseline short steps=400, and baseline long steps=800, for one",
			"its plan has %d baseline%s, not two of different steps", found, found == 1 ? "" : "s");
}

static double accuracy_of(const struct study *s, int span, const char *net, const char *seed)
{
	for (int i = 0; i < s->race->runs; i++) {
		const struct race_run *run = &s->race->run[i];
		const struct result *r = &s->race->result[i];
		if (run->entrant == s->span[span] && strcmp(run->network, net) == 0 && strcmp(run->seed, seed) == 0 &&
			!run->time[0])
			return r->there && !r->why[0] ? 100 * r->test : (double)NAN;
	}
	return NAN;
}

static bool gather(struct study *s, struct fault *f)
{
	const struct texts *seeds = &s->race->plan.seeds;
	s->seeds = seeds->count;
	s->accuracy = calloc((size_t)(FAMILY_SPANS * s->sc.points * s->seeds) + 1, sizeof *s->accuracy);
	s->base = calloc((size_t)(FAMILY_SPANS * s->seeds) + 1, sizeof *s->base);
	if (!s->accuracy || !s->base)
		return fault_memory(f, s->race->folder);
	for (int span = 0, at = 0; span < FAMILY_SPANS; span++) {
		for (int i = 0; i < s->sc.points; i++)
			for (int seed = 0; seed < s->seeds; seed++)
				s->accuracy[at++] = accuracy_of(s, span, s->sc.point[i].net, seeds->text[seed]);
		for (int seed = 0; seed < s->seeds; seed++)
			s->base[span * s->seeds + seed] = accuracy_of(s, span, s->sc.base.net, seeds->text[seed]);
	}
	return family_of(s->sc.point, s->sc.points, s->asked.question.level, s->asked.question.levels, s->seeds, s->accuracy,
		       &s->family) ||
		fault_memory(f, s->race->folder);
}

static void close_study(struct study *s)
{
	scaling_free(&s->sc);
	free(s->accuracy);
	free(s->base);
}

static bool open_study(struct study *s, const struct race *race, struct fault *f)
{
	*s = (struct study){.race = race};
	return plan_scaling(&race->plan, &s->asked, &s->sc, f) && find_spans(s, f) && gather(s, f);
}

// Of a candidate, or (-1) of the base.
static struct spread accuracy_at(const struct study *s, int span, int point)
{
	return spread_of(point < 0 ? s->base + span * s->seeds : s->accuracy + (span * s->sc.points + point) * s->seeds,
		s->seeds);
}

static bool is_best(const struct study *s, int span, int point)
{
	return point >= 0 && s->family.level[s->sc.point[point].level].best[span] == point;
}

// No other is as fast and more accurate.
static bool on_front(const struct study *s, int point)
{
	const struct scaled *own = point < 0 ? &s->sc.base : &s->sc.point[point];
	double accuracy = accuracy_at(s, 1, point).mean;
	for (int i = -1; i < s->sc.points; i++) {
		const struct scaled *other = i < 0 ? &s->sc.base : &s->sc.point[i];
		if (i != point && other->ms <= own->ms && accuracy_at(s, 1, i).mean > accuracy)
			return false;
	}
	return !isnan(accuracy);
}

// ---- the table ------------------------------------------------------------------------------------------------------------------

static void accuracy_cell(struct report *r, struct spread s)
{
	if (!s.count)
		report_cell(r, "%s", "");
	else if (s.count == 1)
		report_cell(r, "%.2f", s.mean);
	else
		report_cell(r, "%.2f ±%.2f", s.mean, s.sd);
}

static void add_row(struct report *r, const struct study *s, int point)
{
	const struct scaled *c = point < 0 ? &s->sc.base : &s->sc.point[point];
	bool first = is_best(s, 0, point), second = is_best(s, 1, point);
	report_cell(r, "%g", point < 0 ? 1 : s->asked.question.level[c->level]);
	report_cell(r, "%.4g", c->depth);
	report_cell(r, "%.4g", c->width);
	report_cell(r, "%d", c->side);
	report_cell(r, "%.4g", c->ms);
	report_cell(r, "%.3f", c->multiple);
	for (int span = 0; span < FAMILY_SPANS; span++)
		accuracy_cell(r, accuracy_at(s, span, point));
	report_cell(r, "%s%s%s", on_front(s, point) ? "front" : "", on_front(s, point) && (first || second) ? ", " : "",
		first && second  ? "best twice"
			: second ? "best"
			: first  ? "best at first"
				 : "");
	report_cell(r, "%s", c->net);
}

static void tell_exponents(struct report *r, const struct study *s)
{
	const struct family *f = &s->family;
	for (int span = 0; span < FAMILY_SPANS; span++) {
		struct string line = {0};
		for (int w = 0; w < FAMILY_WAYS; w++) {
			string_add(&line, "%s%s %.3f", w ? ", " : "", family_ways[w], f->exponent[span][w].mean);
			if (!isnan(f->error[span][w]))
				string_add(&line, " ±%.3f", f->error[span][w]);
		}
		report_below(r, "%s: multiple = %s^exponent, fitted to the best of each level: %s", s->span[span]->name,
			s->asked.question.by_macs ? "MACs" : "latency", line.bytes ? line.bytes : "");
		string_free(&line);
	}
}

static void tell_agreement(struct report *r, const struct study *s)
{
	const struct family *f = &s->family;
	for (int l = 0; l < s->asked.question.levels; l++)
		report_below(r, "level %g: rank correlation of accuracies, %s and %s: %.2f", s->asked.question.level[l],
			s->span[0]->name, s->span[1]->name, f->level[l].rank);
	tell_exponents(r, s);
	if (!isnan(f->seeds))
		report_below(r, "rank correlation of the exponents: %.2f between two seeds on the mean, %.2f between %s and %s",
			f->seeds, f->spans, s->span[0]->name, s->span[1]->name);
	if (f->refused[0])
		report_below(r, "no conclusion: %s", f->refused);
	else
		report_below(r, "conclusion: %s grows fastest, %.3f ±%.3f, then %s, %.3f ±%.3f", family_ways[f->fastest],
			f->exponent[1][f->fastest].mean, f->error[1][f->fastest], family_ways[f->next],
			f->exponent[1][f->next].mean, f->error[1][f->next]);
}

static void tell_family(struct report *r, const struct study *s)
{
	report_below(r, "the family, the best at each level: level 1: %s", s->sc.base.net);
	for (int l = 0; l < s->asked.question.levels; l++) {
		int best = s->family.level[l].best[1];
		if (best >= 0)
			report_below(r, "  level %g: %s", s->asked.question.level[l], s->sc.point[best].net);
	}
}

// ---- the figure -----------------------------------------------------------------------------------------------------------------

static int by_cost(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;
	return p->cost < q->cost ? -1 : p->cost > q->cost;
}

static int front_of(const struct study *s, struct trade *front)
{
	struct spot spot[SCALING_LEVELS * SCALING_POINTS + 1];
	int count = 0;
	for (int i = -1; i < s->sc.points; i++)
		if (on_front(s, i))
			spot[count++] = (struct spot){
				(i < 0 ? &s->sc.base : &s->sc.point[i])->ms / s->sc.base.ms, accuracy_at(s, 1, i).mean};
	qsort(spot, (size_t)count, sizeof *spot, by_cost);
	for (int i = 0; i < count; i++) {
		front->cost[i] = spot[i].cost;
		front->accuracy[i] = spot[i].value;
	}
	return count;
}

// Accuracy over latency, a colour for each level, and the front.
static bool draw(struct command_call *call, const struct study *s, const char *file)
{
	const struct scaling_question *q = &s->asked.question;
	const size_t room = (size_t)s->sc.points + 1;
	struct trade trade[SCALING_LEVELS + 1] = {{.name = "front", .role = ROLE_FRONT, .line = true}};
	double *number = calloc(4 * room, sizeof *number);
	char(*label)[16] = calloc(room, sizeof *label), title[128];
	struct figure *figure = NULL;
	snprintf(title, sizeof title, "%.60s scaled, on %.40s", q->net, q->device);
	if (number && label) {
		trade[0].cost = number;
		trade[0].accuracy = number + room;
		trade[0].count = front_of(s, &trade[0]);
		for (int l = 0, at = 0; l < q->levels; at += s->sc.level[l++].points) {
			struct trade *t = &trade[l + 1];
			*t = (struct trade){.role = (enum figure_role)(ROLE_LANE + l % ENGINE_LANES),
				.label = label + at,
				.cost = number + 2 * room + at,
				.accuracy = number + 3 * room + at};
			snprintf(t->name, sizeof t->name, "level %g: depth/width/side", q->level[l]);
			for (int i = at; i < at + s->sc.level[l].points; i++) {
				double accuracy = accuracy_at(s, 1, i).mean;
				if (isnan(accuracy))
					continue;
				scale_label(&s->sc.point[i], t->label[t->count]);
				t->cost[t->count] = s->sc.point[i].ms / s->sc.base.ms;
				t->accuracy[t->count++] = accuracy;
			}
		}
		figure = figure_of_trades(title, "latency, multiples of the base's", "", "test accuracy (%)", trade,
			q->levels + 1);
	}
	bool ok = figure ? report_picture_in(call, figure, file) : fault_memory(&call->fault, file);
	figure_free(figure);
	free(number);
	free(label);
	return ok;
}

// ---- the family as files --------------------------------------------------------------------------------------------------------

static bool write_one(struct command_call *call, const struct study *s, const struct scaled *c, const char *folder)
{
	char path[DISK_PATH], name[ENGINE_TEXT];
	double level = c->level < 0 ? 1 : s->asked.question.level[c->level];
	snprintf(name, sizeof name, "%s", s->asked.question.net);
	for (char *at = name; *at; at++)
		if (strchr(":,=/", *at))
			*at = '-';
	if (snprintf(path, sizeof path, "%s/%s-l%g.net", folder, name, level) >= (int)sizeof path)
		return fault_set(&call->fault, folder, "name a shorter one", "the path is too long");
	struct description *d = description_open(c->net, 0, 0, 0, 0, &call->fault);
	bool ok = d && question_write(d, path, &call->fault);
	description_close(d);
	if (ok)
		call->say(call, "wrote %s", path);
	return ok;
}

static bool write_family(struct command_call *call, const struct study *s, const char *folder)
{
	bool ok = folder_make(folder, false, &call->fault) && write_one(call, s, &s->sc.base, folder);
	for (int l = 0; ok && l < s->asked.question.levels; l++) {
		int best = s->family.level[l].best[1];
		ok = best < 0 || write_one(call, s, &s->sc.point[best], folder);
	}
	return ok;
}

bool study_show(struct command_call *call, const struct race *race, const char *csv, const char *picture, const char *out)
{
	struct study s;
	struct report r;
	char title[4 * ENGINE_TEXT], head[FAMILY_SPANS][ENGINE_NAME + 8] = {"", ""};
	bool ok = open_study(&s, race, &call->fault);
	for (int span = 0; ok && span < FAMILY_SPANS; span++)
		snprintf(head[span], sizeof head[span], "%s, %%", s.span[span]->name);
	const struct report_column column[] = {{"level", false}, {"depth", false}, {"width", false}, {"side", false},
		{"ms", false}, {"times", false}, {head[0], false}, {head[1], false}, {"", true}, {"network", true}};
	report_begin(&r, column, sizeof column / sizeof *column);
	if (ok) {
		report_above(&r, "%s: %d of %d runs are finished", race->title, race_finished(race), race->runs);
		report_above(&r, "%s", scale_title(&s.asked, &s.sc, title));
		if (s.asked.question.price)
			report_above(&r, "costs are those of %s, scaled by the same multiples", s.asked.question.price);
		for (int i = -1; i < s.sc.points; i++)
			add_row(&r, &s, i);
		tell_agreement(&r, &s);
		tell_family(&r, &s);
		report_below(&r, "(test accuracy, ± the spread over seeds; of exponents ± their standard error over seeds)");
		ok = (!picture || draw(call, &s, picture)) && (!out || write_family(call, &s, out));
	}
	ok = report_end(&r, call, csv, ok);
	close_study(&s);
	return ok;
}

// ---- the command ----------------------------------------------------------------------------------------------------------------

// What is asked: the words of the candidates, and those about what becomes of them.
struct wish {
	int words, settings;
	char *word[COMMAND_MAX_ARGUMENTS];          // NET and its words
	const char *setting[COMMAND_MAX_ARGUMENTS]; // of all runs, if they are trained
	const char *csv, *plot, *out, *race, *steps, *published;
	bool device;
};

static void read_wish(const struct command_call *call, struct wish *w)
{
	const struct {
		const char *key;
		const char **to;
	} own[] = {{"csv=", &w->csv}, {"plot=", &w->plot}, {"out=", &w->out}, {"race=", &w->race}, {"steps=", &w->steps},
		{"published=", &w->published}};
	*w = (struct wish){.words = 1, .word = {call->argv[0]}};
	for (int i = 1; i < call->argc; i++) {
		char *word = call->argv[i];
		bool known = false;
		for (size_t k = 0; k < sizeof own / sizeof *own; k++)
			if (strncmp(word, own[k].key, strlen(own[k].key)) == 0) {
				*own[k].to = word + strlen(own[k].key);
				known = true;
			}
		w->device |= strncmp(word, "device=", 7) == 0;
		if (!known && scale_is_word(word))
			w->word[w->words++] = word;
		else if (!known)
			w->setting[w->settings++] = word;
	}
}

static bool add_words(struct plan *p, const struct wish *w, const char *format, long steps, struct fault *f)
{
	char word[ENGINE_TEXT];
	for (int i = 0; i < w->words; i++)
		if (!plan_scale_word(p, w->word[i], f))
			return false;
	snprintf(word, sizeof word, "formats=%s", format);
	if (!plan_word(p, word, f) || !plan_baseline(p, "short", steps, f) || !plan_baseline(p, "long", 2 * steps, f))
		return false;
	for (int i = 0; i < w->settings; i++)
		if (!plan_word(p, w->setting[i], f))
			return false;
	return true;
}

static bool train(struct command_call *call, const struct wish *w, const struct scale_asked *asked)
{
	struct plan plan = {0};
	struct scaling sc;
	struct fault *f = &call->fault;
	long steps;
	if (!w->race)
		return fault_set(f, "steps", "race=NAME names it", "the trainings need a folder");
	if (!w->steps)
		return fault_set(f, "race", "steps=400 trains for 400 and for 800 steps", "how long to train is not said");
	if (!number_read_long(w->steps, 1, 1000000000, &steps))
		return fault_set(f, "steps", "give a whole number, 1 or more", "\"%s\" is not a number of steps", w->steps);
	bool ok = scaling_of(&asked->question, &sc, f);
	ok = ok && add_words(&plan, w, sc.format, steps, f);
	scaling_free(&sc);
	ok = ok && race_start(call, w->race, &plan);
	plan_free(&plan);
	return ok;
}

static bool show_study(struct command_call *call, const struct wish *w)
{
	struct race race = {0};
	if (w->words > 1 || w->settings || w->race || w->steps)
		return fault_set(&call->fault, call->argv[0], "scale NAME.race [csv=FILE] [plot=FILE] [out=FOLDER]",
			"its plan says what was asked already");
	bool ok = race_open(&race, call->argv[0], true, &call->fault) && study_show(call, &race, w->csv, w->plot, w->out);
	race_free(&race);
	return ok;
}

static bool ends_in_race(const char *name)
{
	size_t length = strlen(name);
	while (length > 1 && name[length - 1] == '/')
		length--;
	return length > 5 && strncmp(name + length - 5, ".race", 5) == 0;
}

bool run_scale(struct command_call *call)
{
	struct wish w;
	struct scale_asked asked;
	struct fault *f = &call->fault;
	read_wish(call, &w);
	if (ends_in_race(call->argv[0]))
		return show_study(call, &w);
	const bool trains = w.race || w.steps;
	if (!trains && w.settings)
		return scale_unknown(w.setting[0], f);
	if (!scale_read(&asked, w.word, w.words, f))
		return false;
	if (trains)
		return train(call, &w, &asked);
	if (w.out)
		return fault_set(f, "out", "scale NAME.race out=FOLDER", "which candidates make a family, their training tells");
	if (!w.published)
		return scale_show(call, &asked, w.csv, w.plot);
	if (strcmp(call->argv[0], "efficientnet-x") != 0 || strcmp(w.published, "yes") != 0)
		return fault_set(f, call->argv[0], "scale efficientnet-x published=yes", "no families of it were published");
	return scale_show_published(call, &asked, w.device, w.csv);
}
