// SPDX-License-Identifier: GPL-3.0-or-later
// What is told of a race: its table, its runs as CSV, its figure; and the command.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "sessions/race/make.h"
#include "sessions/race/rank.h"
#include "sessions/race/standing.h"
#include "sessions/race/study.h"
#include "sessions/race/tell.h"
#include "sessions/report/picture.h"
#include "sessions/report/report.h"
#include "sessions/sessions.h"
#include "sessions/store/folder.h"

// ---- the table -------------------------------------------------------------------------------------------------------

// "57.31 ±0.42": the spread only where there are several.
static void spread_cell(struct report *r, const struct spread *s, double factor, const char *format)
{
	char mean[64], sd[64] = "";
	if (isnan(s->mean)) {
		report_cell(r, "%s", "");
		return;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(mean, sizeof mean, format, s->mean / factor);
#pragma GCC diagnostic pop
	if (s->count > 1)
		snprintf(sd, sizeof sd, " ±%.2f", s->sd / factor);
	report_cell(r, "%s%s", mean, sd);
}

static const char *unit_of_race(const struct race *race)
{
	for (int i = 0; i < race->runs; i++)
		if (race->result[i].there && result_unit(&race->result[i], race->plan.term)[0])
			return result_unit(&race->result[i], race->plan.term);
	return "";
}

static void row_cells(struct report *r, const struct standing *s, const struct standing_row *row, const char *unit)
{
	char cost[96];
	const struct race_run *run = row->run;
	report_cell(r, "%s", run->entrant->name);
	report_cell(r, "%s", run->network);
	report_cell(r, "%s", run->aim);
	if (s->race->plan.times.count)
		report_cell(r, "%s", run->time[0] ? run->time : "images");
	report_cell(r, "%d", row->test.count);
	report_cell(r, "%s", isnan(row->cost.mean) ? "" : number_brief(row->cost.mean, unit, cost, sizeof cost));
	spread_cell(r, &row->test, 1, "%.2f");
	spread_cell(r, &row->gap, 1, "%+.2f");
	spread_cell(r, &row->pairs, 1, "%+.2f");
	spread_cell(r, &row->at_width, 1, "%+.2f");
	spread_cell(r, &(struct spread){1, row->seconds.mean, NAN}, 1, "%.1f");
	spread_cell(r, &(struct spread){1, row->processors.mean, NAN}, 1, "%.1f");
	spread_cell(r, &(struct spread){1, row->memory.mean, NAN}, 1e6, "%.0f");
	report_cell(r, "%s", row->corner ? "on the hull" : row->note);
}

static void tell_hull(struct report *r, const struct standing_hull *h, const char *unit)
{
	char from[96], to[96], at[96], pairs[96] = "";
	if (h->paired.count > 1)
		snprintf(pairs, sizeof pairs, "; seed by seed %+.2f ±%.2f on the mean", h->paired.mean, h->paired.sd);
	report_below(r,
		"%s on %s%s%s: its hull against that of the baselines, %s to %s: %+.2f points on the mean, %+.2f at the least (%s)%s",
		h->entrant, h->net[0] ? h->net : "its networks", h->time[0] ? ", at time " : "", h->time,
		number_brief(h->gap.from, unit, from, sizeof from), number_brief(h->gap.to, unit, to, sizeof to), h->gap.mean,
		h->gap.least, number_brief(h->gap.at, unit, at, sizeof at), pairs);
}

// The levels from `first` on that are of one network; returns where the next begin.
static int tell_levels(struct report *r, const struct standing *s, int first, const char *unit)
{
	const struct race_run *run = s->level[first].run;
	struct string formats = {0};
	char at[96];
	int i = first;
	for (; i < s->levels && standing_same_line(s->level[i].run, run); i++) {
		const struct standing_level *l = &s->level[i];
		string_add(&formats, "%s%s %.2f", i > first ? ", " : "", l->run->aim, l->test.mean);
		if (l->test.count > 1)
			string_add(&formats, " ±%.2f", l->test.sd);
	}
	if (!formats.failed)
		report_below(r, "%s on %s%s%s at equal cost, %s, by lines over widths: %s", run->entrant->name, run->net,
			run->time[0] ? ", at time " : "", run->time, number_brief(s->level[first].cost, unit, at, sizeof at),
			formats.bytes);
	string_free(&formats);
	return i;
}

static void tell_failures(struct report *r, const struct race *race)
{
	char title[4 * ENGINE_TEXT];
	for (int i = 0; i < race->runs; i++)
		if (race->result[i].why[0])
			report_below(r, "%s failed: %s", run_title(&race->run[i], title), race->result[i].why);
}

static bool tell_table(struct command_call *call, const struct race *race)
{
	static const struct report_column column[] = {{"entrant", true}, {"network", true}, {"aim", true}, {"equal", true},
		{"seeds", false}, {"cost", false}, {"test %", false}, {"to the hull", false}, {"seed by seed", false},
		{"at its width", false}, {"seconds", false}, {"processors", false}, {"MB", false}, {"", true}};
	enum { COLUMNS = sizeof column / sizeof *column, TIME = 3 };
	struct report_column shown[COLUMNS];
	struct standing s;
	struct report r;
	int columns = 0;
	if (!standing_of(race, &s, &call->fault))
		return false;
	for (int c = 0; c < COLUMNS; c++)
		if (c != TIME || race->plan.times.count)
			shown[columns++] = column[c];
	report_begin(&r, shown, columns);
	const char *unit = unit_of_race(race);
	report_above(&r, "%s: %d of %d runs are finished; cost: %s%s%s", race->title, race_finished(race), race->runs,
		race->plan.term, unit[0] ? ", " : "", unit);
	for (int i = 0; i < s.rows; i++)
		row_cells(&r, &s, &s.row[i], unit);
	for (int i = 0; i < s.hulls; i++)
		tell_hull(&r, &s.hull[i], unit);
	for (int i = 0; i < s.levels;)
		i = tell_levels(&r, &s, i, unit);
	tell_failures(&r, race);
	report_below(&r,
		"(points of test accuracy above the upper hull of the baselines over log cost: of their means over all widths, of the "
		"same seed's, of the same width's; ± the spread over seeds)");
	standing_free(&s);
	return report_end(&r, call, NULL, true);
}

// ---- CSV -------------------------------------------------------------------------------------------------------------

static void csv_text(struct string *s, const char *text)
{
	bool quote = strpbrk(text, ",\"\n") != NULL;
	string_add(s, "%s", quote ? "\"" : "");
	for (; *text; text++)
		string_add(s, "%s%c", *text == '"' ? "\"" : "", *text);
	string_add(s, "%s,", quote ? "\"" : "");
}

static void csv_number(struct string *s, double x)
{
	if (isfinite(x))
		string_add(s, "%.10g", x);
	string_add(s, ",");
}

// The first result with the most terms: what the columns of costs are.
static const struct result *with_terms(const struct race *race)
{
	static const struct result none;
	const struct result *best = &none;
	for (int i = 0; i < race->runs; i++)
		if (race->result[i].terms > best->terms)
			best = &race->result[i];
	return best;
}

static void csv_head(struct string *s, const struct result *terms)
{
	string_add(s, "run,entrant,kind,net,width,network,aim,equal,seed,steps,images,heldout,test,");
	for (int t = 0; t < terms->terms; t++)
		string_add(s, "%s,", terms->term[t].name);
	string_add(s, "digest,choice,architecture,failed,seconds,opening_s,scoring_s,processors_s,memory_bytes\n");
}

static void csv_row(struct string *s, const struct race *race, int i, const struct result *terms)
{
	const struct race_run *run = &race->run[i];
	const struct result *r = &race->result[i];
	struct string choice = {0}, architecture = {0};
	const char *kind = run->entrant->baseline                   ? "baseline"
		: run->entrant->alone[0] || run->entrant->choice[0] ? "alone"
								    : "search";
	const char *const texts[] = {run->name, run->entrant->name, kind, run->net, run->width, run->network, run->aim,
		run->time[0] ? run->time : "images", run->seed};
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		csv_text(s, texts[k]);
	const double numbers[] = {(double)r->steps, r->images, r->heldout, r->test};
	for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
		csv_number(s, numbers[k]);
	for (int t = 0; t < terms->terms; t++)
		csv_number(s, result_cost(r, terms->term[t].name));
	chosen_formats(&r->chosen, &choice);
	chosen_architecture(&r->chosen, &architecture);
	csv_text(s, r->digest);
	csv_text(s, choice.bytes ? choice.bytes : "");
	csv_text(s, architecture.bytes ? architecture.bytes : "");
	csv_text(s, r->why);
	s->failed |= choice.failed || architecture.failed;
	string_free(&choice);
	string_free(&architecture);
	csv_number(s, r->running);
	csv_number(s, r->opening);
	csv_number(s, r->scoring);
	csv_number(s, r->processors);
	string_add(s, "%.0f\n", r->memory);
}

static bool write_csv(struct command_call *call, const struct race *race, const char *file)
{
	char path[DISK_PATH];
	struct string s = {0};
	const struct result *terms = with_terms(race);
	if (!file && !folder_file(race->folder, "race.csv", path, sizeof path, &call->fault))
		return false;
	file = file ? file : path;
	csv_head(&s, terms);
	for (int i = 0; i < race->runs; i++)
		if (race->result[i].there)
			csv_row(&s, race, i, terms);
	bool ok = s.failed ? fault_memory(&call->fault, file) : disk_replace(file, s.bytes, s.length, &call->fault);
	string_free(&s);
	if (ok)
		call->say(call, "wrote %d runs to %s", race_finished(race), file);
	return ok;
}

// ---- the figure ------------------------------------------------------------------------------------------------------

static bool in_figure(const struct standing *s, const struct standing_row *row, const struct race_run *like)
{
	return standing_same_contest(s, row->run, like) && row->test.count && row->cost.mean > 0;
}

// The kinds of points of one figure, with room for each row's.
struct trades {
	int count;
	size_t room;
	struct trade *trade;
	double *number;
	char (*label)[16];
	struct spot *spot;
};

static bool make_trades(struct trades *t, const struct standing *s)
{
	const size_t kinds = (size_t)s->race->plan.entrants + 1;
	*t = (struct trades){.room = (size_t)s->rows + 1};
	t->trade = calloc(kinds, sizeof *t->trade);
	t->number = calloc(2 * t->room * kinds, sizeof *t->number);
	t->label = calloc(t->room * kinds, sizeof *t->label);
	t->spot = calloc(t->room, sizeof *t->spot);
	return t->trade && t->number && t->label && t->spot;
}

static void free_trades(struct trades *t)
{
	free(t->trade);
	free(t->number);
	free(t->label);
	free(t->spot);
}

static struct trade *add_trade(struct trades *t, const char *name, enum figure_role role)
{
	const size_t at = (size_t)t->count;
	struct trade *its = &t->trade[t->count++];
	*its = (struct trade){.role = role, .cost = t->number + 2 * at * t->room, .accuracy = t->number + (2 * at + 1) * t->room};
	snprintf(its->name, sizeof its->name, "%s", name);
	return its;
}

static void add_hull(struct trades *t, const struct standing *s, const struct race_run *like)
{
	struct trade *hull = add_trade(t, "hull of the baselines", ROLE_FRONT);
	hull->line = true;
	hull->count = standing_baseline(s, like, NULL, -1, t->spot);
	for (int i = 0; i < hull->count; i++) {
		hull->cost[i] = t->spot[i].cost;
		hull->accuracy[i] = t->spot[i].value;
	}
}

// An entrant's points; a baseline's say which format and width they are.
static void add_points(struct trades *t, const struct standing *s, const struct race_run *like, const struct entrant *e,
	enum figure_role role)
{
	struct trade *points = add_trade(t, e->name, role);
	if (e->baseline)
		points->label = t->label + t->room * (size_t)(t->count - 1);
	for (int i = 0; i < s->rows; i++) {
		const struct standing_row *row = &s->row[i];
		if (row->run->entrant != e || !in_figure(s, row, like))
			continue;
		int at = points->count++;
		points->cost[at] = row->cost.mean;
		points->accuracy[at] = row->test.mean;
		if (points->label)
			snprintf(points->label[at], sizeof *points->label, "%.8s%s%.5s", row->run->aim,
				row->run->width[0] ? " " : "", row->run->width);
	}
}

// The first search stands out, and the second from the others.
static struct figure *figure_of_race(const struct standing *s, const struct race_run *like, struct fault *f)
{
	static const enum figure_role roles[] = {ROLE_MAIN, ROLE_SECOND, ROLE_SAMPLED};
	const struct plan *p = &s->race->plan;
	struct trades t;
	struct figure *figure = NULL;
	char title[128];
	if (make_trades(&t, s)) {
		add_hull(&t, s, like);
		for (int e = 0, searches = 0; e < p->entrants; e++) {
			bool baseline = p->entrant[e].baseline;
			add_points(&t, s, like, &p->entrant[e], baseline ? ROLE_UNIFORM : roles[searches]);
			searches += !baseline && searches < 2;
		}
		snprintf(title, sizeof title, "Race %.40s: %.50s%s%s", s->race->title,
			plan_one_contest(p) ? "all networks" : like->net, like->time[0] ? ", at time " : "", like->time);
		figure = figure_of_trades(title, p->term, unit_of_race(s->race), "test accuracy (%)", t.trade, t.count);
	}
	if (!figure)
		fault_memory(f, s->race->folder);
	free_trades(&t);
	return figure;
}

// A picture for each network and comparison.
static bool draw_all(struct command_call *call, const struct race *race, const char *format)
{
	struct standing s;
	char file[DISK_PATH + 64];
	bool ok = standing_of(race, &s, &call->fault);
	for (int i = 0, pictures = 0; ok && i < s.rows; i++) {
		const struct race_run *run = s.row[i].run;
		bool known = false;
		for (int k = 0; k < i; k++)
			known |= standing_same_contest(&s, s.row[k].run, run);
		if (known)
			continue;
		pictures++;
		snprintf(file, sizeof file, "%s/race%s%.0d.%s", race->folder, pictures > 1 ? "-" : "",
			pictures > 1 ? pictures : 0, format);
		struct figure *figure = figure_of_race(&s, run, &call->fault);
		ok = figure && report_picture(call, figure, format, file);
		figure_free(figure);
	}
	standing_free(&s);
	return ok;
}

// ---- commands --------------------------------------------------------------------------------------------------------

static const char usage[] = "race NAME KEY=VALUE|PLANFILE..., or resume, table, csv, plot or rank and its NAME";

static void say_line(void *context, const char *line)
{
	struct command_call *call = context;
	call->say(call, "%s", line);
	fflush(stdout);
}

static bool alone(const struct command_call *call, struct fault *f)
{
	return !call->context ||
		fault_set(f, "race", "run it by itself: bitscape race ...",
			"a race takes the machine for hours, beside this session");
}

// "term=TERM": the table by the cost of another term than the plan's.
static bool take_term(struct race *race, const char *word, struct fault *f)
{
	static const char key[] = "term=";
	const char *term = word + sizeof key - 1;
	if (strncmp(word, key, sizeof key - 1) != 0)
		return fault_set(f, word, "race table NAME [term=size]", "is not term=TERM");
	for (int i = 0; i < race->runs; i++)
		if (isfinite(result_cost(&race->result[i], term))) {
			snprintf(race->plan.term, sizeof race->plan.term, "%s", term);
			return true;
		}
	return fault_set(f, word, "`race csv` has the costs that there are", "no run has such a cost");
}

static bool show_race(struct command_call *call, const char *name, const char *what, const char *more)
{
	struct race race = {0};
	const bool table = strcmp(what, "table") == 0;
	bool ok = race_open(&race, name, true, &call->fault) && (!table || !more || take_term(&race, more, &call->fault));
	if (ok && table)
		ok = race.plan.scale.count ? study_show(call, &race, NULL, NULL, NULL) : tell_table(call, &race);
	else if (ok && strcmp(what, "csv") == 0)
		ok = write_csv(call, &race, more);
	else if (ok && strcmp(what, "rank") == 0)
		ok = rank_table(call, &race);
	else if (ok)
		ok = draw_all(call, &race, more ? more : "svg");
	race_free(&race);
	return ok;
}

static bool go_on(struct command_call *call, const char *name)
{
	return race_go_on(name, say_line, call, &call->fault) && show_race(call, name, "table", NULL);
}

static bool write_plan(const char *folder, const struct plan *p, struct fault *f)
{
	char path[DISK_PATH];
	struct string s = {0};
	plan_write(p, &s);
	bool ok = folder_file(folder, RACE_PLAN_FILE, path, sizeof path, f) &&
		(s.failed ? fault_memory(f, path) : disk_replace(path, s.bytes, s.length, f));
	string_free(&s);
	return ok;
}

// Its folder is new, or what a process that was killed in its first moments left of one.
static bool make_folder(const char *folder, struct fault *f)
{
	if (folder_has(folder, RACE_PLAN_FILE))
		return fault_set(f, folder, "`race resume` goes on with it", "there is a race of this name");
	if (folder_make(folder, true, f) || folder_half_made(folder))
		return true;
	return access(folder, F_OK) != 0
		? false
		: fault_set(f, folder, "choose another name", "something of this name is there that is not a race");
}

bool race_start(struct command_call *call, const char *name, struct plan *plan)
{
	char folder[DISK_PATH];
	struct fault *f = &call->fault;
	return alone(call, f) && race_folder(name, folder, f) && plan_settle(plan, f) && plan_move(plan, f) &&
		make_folder(folder, f) && write_plan(folder, plan, f) && go_on(call, folder);
}

static bool begin(struct command_call *call)
{
	char folder[DISK_PATH];
	struct plan plan = {0};
	struct fault *f = &call->fault;
	bool ok = race_folder(call->argv[0], folder, f);
	if (ok && call->argc < 2)
		ok = fault_set(f, call->argv[0], usage, "a race needs a plan");
	for (int i = 1; ok && i < call->argc; i++)
		ok = strchr(call->argv[i], '=') ? plan_word(&plan, call->argv[i], f) : plan_file(&plan, call->argv[i], f);
	ok = ok && race_start(call, call->argv[0], &plan);
	plan_free(&plan);
	return ok;
}

static bool run_race(struct command_call *call)
{
	static const struct {
		const char *word;
		int most; // words behind it
	} verb[] = {{"resume", 1}, {"table", 2}, {"csv", 2}, {"plot", 2}, {"rank", 1}, {"run", 2}};
	enum { RESUME, TABLE, CSV, PLOT, RANK, RUN, VERBS };
	int v = 0;
	while (v < VERBS && strcmp(call->argv[0], verb[v].word) != 0)
		v++;
	if (v == VERBS)
		return alone(call, &call->fault) && begin(call);
	if (call->argc < 2 || call->argc > 1 + verb[v].most || (v == RUN && call->argc != 3))
		return fault_set(&call->fault, verb[v].word, usage, "it takes the name of a race%s",
			verb[v].most > 1 ? ", and one word more" : "");
	if (v == RESUME)
		return alone(call, &call->fault) && go_on(call, call->argv[1]);
	if (v == RUN)
		return alone(call, &call->fault) && race_make(call->argv[1], call->argv[2], &call->fault);
	return show_race(call, call->argv[1], verb[v].word, call->argv[2]);
}

static const struct command rows[] = {
	{"race", COMMAND_QUERY, 1, -1, {ARGUMENT_WORDS, ARGUMENT_FILE, ARGUMENT_TEXT}, 1, "resume|table|csv|plot|rank",
		"NAME KEY=VALUE|PLANFILE... | resume|rank NAME | table NAME [term=TERM] | csv NAME [FILE] | plot NAME [svg|png|pdf]",
		"searchers x targets x networks x seeds, one run after another, against the hull of uniform networks; keys: net= widths= "
		"formats= targets= searchers= seeds= times= term= between=, and settings of all runs",
		run_race},
	{"scale", COMMAND_QUERY, 1, -1, {ARGUMENT_NETWORK, ARGUMENT_WORDS}, 1,
		"- device=|efficiency=|format=|levels=|by=latency|by=macs|points=|images=|price=|res=|largest=|csv=|plot=|published=yes|"
		"steps=|race=|seeds=|data=|out=",
		"NET [device=DEVICE] [efficiency=stated|1] [format=FORMAT] [levels=2,4,8] [by=latency|macs] [points=12] [images=N] "
		"[price=NETWORK] [res=N] [largest=N] [csv=FILE] [plot=FILE] | NET ... steps=N race=NAME [seeds=1-3] [SETTING=VALUE]... | "
		"NAME.race [csv=FILE] [plot=FILE] [out=FOLDER] | efficientnet-x published=yes [device=DEVICE]",
		"deeper, wider, for larger images: candidates that all take a multiple of the network's latency on a device, or of its "
		"MACs; with steps= each is trained, for N and for 2N steps, as a race; NAME.race: what that found, out: its family as "
		"description files; published: EfficientNet-X's families by the model",
		run_scale},
};

// Results are written under a name of their own and renamed, which changes the folder.
bool session_race_stamp(const char *name, long long *stamp, struct fault *f)
{
	char folder[DISK_PATH];
	struct stat s;
	if (!race_folder(name, folder, f))
		return false;
	if (!folder_has(folder, RACE_PLAN_FILE) || stat(folder, &s) != 0)
		return fault_set(f, folder, "`bitscape race NAME KEY=VALUE...` begins one", "there is no race here");
	*stamp = (long long)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
	return true;
}

struct command_group session_race_group(struct session *s)
{
	return (struct command_group){"Races", rows, sizeof rows / sizeof *rows, s};
}
