// SPDX-License-Identifier: GPL-3.0-or-later
// `timeline`: what was done to a search, in order, with the cost and the quality at each; and `tree`: where its branches and the
// sessions that came of it parted. Both read what is kept anyway: the journal, and the records of the steps, which a checkpoint holds
// (30 numbers and an option per slot for each step).
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"
#include "sessions/report/report.h"
#include "sessions/report/timeline.h"
#include "sessions/store/store.h"

// The mean quality of the samples of the last steps before it; NAN: none.
double timeline_quality(const struct figure_source *source, long step)
{
	double sum = 0;
	int count = 0;
	for (long i = figure_records_to(source, step) - 1, seen = 0; i >= 0 && seen < TIMELINE_LATELY; i--, seen++)
		if (isfinite(source->record[i].quality)) {
			sum += (double)source->record[i].quality;
			count++;
		}
	return count ? sum / count : (double)NAN;
}

double timeline_cost(const struct figure_source *source, long step)
{
	long n = figure_records_to(source, step);
	return n ? (double)source->record[n - 1].modal_cost[source->term] : (double)NAN;
}

static int by_step(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->step != y->step ? (x->step > y->step) - (x->step < y->step) : (x->order > y->order) - (x->order < y->order);
}

static bool event_of(const struct session *s, const struct journal_line *line, struct event *e)
{
	static const char *const acts[] = {[ACT_DO] = "change", [ACT_UNDO] = "undo", [ACT_REDO] = "redo"};
	*e = (struct event){.step = line->step, .what = line->kind == JOURNAL_NOTE ? "note" : acts[line->act]};
	bool undone = line->entry && s->journal.entry[line->entry - 1].undone;
	switch (line->kind) {
	case JOURNAL_CHANGE:
		snprintf(e->text, sizeof e->text, "%.200s%s", line->text, undone ? " (taken back)" : "");
		return true;
	case JOURNAL_NOTE: snprintf(e->text, sizeof e->text, "%.200s", line->text + strcspn(line->text, " ") + 1); return true;
	case JOURNAL_REWIND:
		e->what = "rewind";
		snprintf(e->text, sizeof e->text, "branch %d begins, from branch %d", line->branch,
			s->journal.branch[line->branch - 1].of);
		return true;
	case JOURNAL_PARENT:
		e->what = "fork";
		snprintf(e->text, sizeof e->text, "it goes on from session %.16s", line->text);
		return true;
	default: return false;
	}
}

struct event *timeline_events(const struct session *s, int *count)
{
	int saves = 0;
	long *step = s->folder[0] ? checkpoint_list(s->folder, &saves) : NULL;
	struct event *event = calloc((size_t)s->journal.lines + (size_t)saves + 1, sizeof *event);
	*count = 0;
	for (int i = 0; event && i < s->journal.lines; i++)
		if (event_of(s, &s->journal.line[i], &event[*count])) {
			event[*count].order = i;
			++*count;
		}
	for (int i = 0; event && i < saves; i++) {
		event[*count] = (struct event){.step = step[i], .order = -1, .what = "save"};
		snprintf(event[(*count)++].text, sizeof event->text, "a checkpoint: going back here takes no steps");
	}
	free(step);
	if (event)
		qsort(event, (size_t)*count, sizeof *event, by_step);
	return event;
}

// ---- as figures have it ------------------------------------------------------------------------------------------------

// A change in force, or done again and in force since; a note; a branch.
static bool happening_of(const struct session *s, const struct journal_line *line, struct happening *h)
{
	const int entry = line->act == ACT_REDO ? line->of : line->entry;
	struct words note = {0};
	*h = (struct happening){.step = line->step};
	switch (line->kind) {
	case JOURNAL_CHANGE:
		if (line->act == ACT_UNDO || (entry && s->journal.entry[entry - 1].undone))
			return false;
		h->kind = HAPPENED_CHANGE;
		snprintf(h->text, sizeof h->text, "%.*s", (int)sizeof h->text - 1, line->text);
		return true;
	case JOURNAL_NOTE:
		h->kind = HAPPENED_NOTE;
		if (!words_text(&note, line->text, NULL))
			return false;
		snprintf(h->text, sizeof h->text, "%.*s", (int)sizeof h->text - 1, note.count > 1 ? note.word[1] : "");
		words_free(&note);
		return true;
	case JOURNAL_REWIND:
		h->kind = HAPPENED_BRANCH;
		snprintf(h->text, sizeof h->text, "branch %d, from branch %d", line->branch,
			s->journal.branch[line->branch - 1].of);
		return true;
	case JOURNAL_PARENT:
		h->kind = HAPPENED_BRANCH;
		snprintf(h->text, sizeof h->text, "goes on from another session");
		return true;
	default: return false;
	}
}

const struct happening *session_happenings(void *session, int *count)
{
	struct session *s = session;
	int saves = 0;
	long *step = s->folder[0] ? checkpoint_list(s->folder, &saves) : NULL;
	free(s->happening);
	s->happening = calloc((size_t)s->journal.lines + (size_t)saves + 1, sizeof *s->happening);
	*count = 0;
	for (int i = 0; s->happening && i < s->journal.lines; i++)
		*count += happening_of(s, &s->journal.line[i], &s->happening[*count]);
	for (int i = 0; s->happening && i < saves; i++)
		s->happening[(*count)++] = (struct happening){.step = step[i], .kind = HAPPENED_SAVE};
	free(step);
	return s->happening;
}

bool run_timeline(struct command_call *call)
{
	struct session *s = call->context;
	struct figure_source source;
	struct report r;
	int count;
	session_source(s, &source);
	struct event *event = timeline_events(s, &count);
	if (!event)
		return fault_memory(&call->fault, "timeline");
	const struct term_state *term = source.term < s->snapshot->terms ? &s->snapshot->term[source.term] : NULL;
	const struct report_column column[] = {{"step", false}, {"what", true}, {term ? term->name : "cost", false},
		{s->snapshot->quality_is_loss ? "-loss" : "quality", false}, {"", true}};
	report_begin(&r, column, sizeof column / sizeof *column);
	r.pick = "rewind";
	for (int i = 0; i < count; i++) {
		double cost = timeline_cost(&source, event[i].step), quality = timeline_quality(&source, event[i].step);
		char number[ENGINE_TEXT];
		report_cell(&r, "%ld", event[i].step);
		report_cell(&r, "%s", event[i].what);
		report_cell(&r, "%s", term && isfinite(cost) ? number_brief(cost, term->brief, number, sizeof number) : "-");
		if (!isfinite(quality))
			report_cell(&r, "-");
		else if (s->snapshot->quality_is_loss)
			report_cell(&r, "%.4f", quality);
		else
			report_cell(&r, "%.2f %%", 100 * quality);
		report_cell(&r, "%s", text_clean(event[i].text, ""));
	}
	report_below(&r,
		"cost: of the modal choice; quality: of the choices sampled in the %d steps before; `rewind STEP` goes back",
		TIMELINE_LATELY);
	free(event);
	return report_end(&r, call, NULL, true);
}

// ---- the tree --------------------------------------------------------------------------------------------------------

struct kin {
	struct store_entry entry;
	struct manifest manifest;
};

static void add_branches(struct report *r, const struct session *s, int of, int deep)
{
	for (int b = 1; b <= s->journal.branches; b++) {
		const struct journal_branch *branch = &s->journal.branch[b - 1];
		if (branch->of != of)
			continue;
		int changes = 0;
		for (int i = 0; i < s->journal.alls; i++)
			changes += s->journal.all[i].branch == b && s->journal.all[i].kind == JOURNAL_CHANGE;
		bool present = b == s->journal.branches;
		report_cell(r, "%*sbranch %d%s", 2 * deep, "", b, present ? ", the present one" : "");
		report_cell(r, "%ld", branch->step);
		report_cell(r, "%ld", present ? s->snapshot->step : branch->reached);
		report_cell(r, "%d", changes);
		add_branches(r, s, b, deep + 1);
	}
}

static void add_kin(struct report *r, const struct session *s, const struct kin *kin, int count, int i, int deep)
{
	const struct kin *k = &kin[i];
	bool here = strcmp(k->manifest.session, s->manifest.session) == 0;
	report_cell(r, "%*s%s", 2 * deep, "", k->entry.word);
	report_cell(r, k->manifest.parent[0] ? "%ld" : "-", k->manifest.parent_step);
	report_cell(r, "%ld", here ? s->snapshot->step : k->entry.known ? k->entry.summary.step : k->entry.step);
	report_cell(r, "%d", here ? s->journal.entries : k->entry.summary.entries);
	if (here && s->journal.branches > 1)
		add_branches(r, s, 0, deep + 1);
	for (int c = 0; deep < count && c < count; c++) // as deep as there are sessions at most, whatever the files say
		if (c != i && strcmp(kin[c].manifest.parent, k->manifest.session) == 0)
			add_kin(r, s, kin, count, c, deep + 1);
}

static int kin_of(const struct kin *kin, int count, const char *session)
{
	for (int i = 0; i < count; i++)
		if (strcmp(kin[i].manifest.session, session) == 0)
			return i;
	return -1;
}

bool run_tree(struct command_call *call)
{
	static const struct report_column column[] = {
		{"session", true}, {"parted at", false}, {"step", false}, {"changes", false}};
	struct session *s = call->context;
	struct store store;
	struct report r;
	if (!store_read(&store, &call->fault))
		return false;
	struct kin *kin = calloc((size_t)store.count + 1, sizeof *kin);
	int count = 0;
	for (int i = 0; kin && i < store.count; i++) {
		kin[count].entry = store.entry[i];
		struct config *config = manifest_read(store.entry[i].folder, &kin[count].manifest, NULL);
		count += config != NULL;
		config_free(config);
	}
	store_free(&store);
	if (!kin)
		return fault_memory(&call->fault, "tree");
	int root = kin_of(kin, count, s->manifest.session);
	report_begin(&r, column, sizeof column / sizeof *column);
	if (root < 0) { // it lies where no list looks
		report_cell(&r, "%s", s->title);
		report_cell(&r, s->manifest.parent[0] ? "%ld" : "-", s->manifest.parent_step);
		report_cell(&r, "%ld", s->snapshot->step);
		report_cell(&r, "%d", s->journal.entries);
		add_branches(&r, s, 0, 1);
	}
	for (int above, steps = 0; root >= 0 && steps < count && kin[root].manifest.parent[0] &&
		(above = kin_of(kin, count, kin[root].manifest.parent)) >= 0;
		steps++)
		root = above;
	if (root >= 0)
		add_kin(&r, s, kin, count, root, 0);
	const struct manifest *first = root >= 0 ? &kin[root].manifest : &s->manifest;
	if (first->parent[0])
		report_below(&r, "its parent, session %s, is gone; nothing is lost by that", first->parent);
	report_below(&r,
		"`rewind STEP branch N` goes to a branch, `open NAME` to a session, `compare NAME` sets it beside this one");
	free(kin);
	return report_end(&r, call, NULL, true);
}
