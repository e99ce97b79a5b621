// SPDX-License-Identifier: GPL-3.0-or-later
// What is foretold of a draft, and what came of it. A line of the journal keeps one prediction, as words:
//
//	change=-0.0121 error=0.0043 came=-0.0150 of=loss images=512 bops=4872000 size=6997 pins=stem:int4,head:int8
//
// change and error are what the additive model said, came what images said, in the unit of quality (of=loss: minus the loss, or minus the
// divergence from the network in fp32); then the exact costs, by term, and what the draft held beside the modal choice.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

// ---- what is foretold ----------------------------------------------------------------------------------------------

// Whether a slot is the first of its decision.
static bool leads(const struct snapshot *now, int slot)
{
	for (int i = 0; i < slot; i++)
		if (now->slot[i].decision == now->slot[slot].decision)
			return false;
	return true;
}

// What a choice is worth beyond the modal one; NAN: of one of its options nothing is known.
static double worth_of(const struct snapshot *now, const uint8_t *choice, double *error)
{
	double sum = 0, variance = 0;
	for (int i = 0; i < now->slots; i++) {
		const struct slot_state *s = &now->slot[i];
		if (choice[i] == s->modal || engine_rests(now->info, i, choice) || !leads(now, i))
			continue;
		sum += (double)s->worth[choice[i]];
		variance += (double)s->error[choice[i]] * (double)s->error[choice[i]];
	}
	*error = sqrt(variance);
	return sum;
}

static double quality_of(const struct snapshot *now, const struct front_point *p)
{
	return now->quality_is_loss ? -p->loss : p->accuracy;
}

static const struct front_point *modal_point(const struct snapshot *now)
{
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		bool modal = p->choice && !p->trained;
		for (int k = 0; modal && k < now->slots; k++)
			modal = p->choice[k] == now->slot[k].modal || engine_rests(now->info, k, p->choice);
		if (modal)
			return p;
	}
	return NULL;
}

struct foretold foretell(const struct snapshot *now, const uint8_t *choice)
{
	struct foretold f = {.off = NAN};
	const struct front_point *modal = modal_point(now);
	double squares = 0, error;
	f.change = worth_of(now, choice, &f.error);
	if (!(f.error > 0) || !isfinite(f.error)) // nothing is drafted, or nothing was learned
		f.change = NAN;
	for (int i = 0; modal && i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		if (p == modal || p->trained || !p->choice || p->step != modal->step)
			continue;
		double missed = worth_of(now, p->choice, &error) - (quality_of(now, p) - quality_of(now, modal));
		if (!isfinite(missed))
			continue;
		squares += missed * missed;
		f.points++;
	}
	if (f.points)
		f.off = sqrt(squares / f.points);
	return f;
}

// ---- a prediction, in the journal ----------------------------------------------------------------------------------

static void write_prediction(const struct prediction *p, const struct string *about, struct string *t)
{
	string_add(t, "change=%.6g error=%.6g came=%.6g of=%s images=%ld%s", p->said.change, p->said.error, p->came,
		p->loss ? "loss" : "accuracy", p->images, about->bytes ? about->bytes : "");
}

bool prediction_read(const char *text, struct prediction *p)
{
	char of[12];
	*p = (struct prediction){.said = {.off = NAN}};
	bool ok = sscanf(text, "change=%lf error=%lf came=%lf of=%11s images=%ld", &p->said.change, &p->said.error, &p->came, of,
			  &p->images) == 5;
	p->loss = ok && strcmp(of, "loss") == 0;
	return ok && isfinite(p->said.change) && isfinite(p->came);
}

struct foretold_so_far session_foretold(const struct session *s)
{
	struct foretold_so_far so_far = {0, NAN};
	struct prediction p;
	double off = 0;
	for (int i = 0; i < s->journal.lines; i++)
		if (s->journal.line[i].kind == JOURNAL_FORETOLD && prediction_read(s->journal.line[i].text, &p) &&
			p.loss == s->snapshot->quality_is_loss) {
			off += fabs(p.said.change - p.came);
			so_far.count++;
		}
	if (so_far.count)
		so_far.error = off / so_far.count;
	return so_far;
}

// ---- keeping one ---------------------------------------------------------------------------------------------------

enum { PINS_TOLD = 32 }; // the line of the change before it has them all

// Two evaluations hold it: of the draft, then of the modal choice.
struct keeping {
	int holders;
	bool broken;
	double draft; // its quality
	struct prediction p;
	struct string about; // costs and pins, as the line has them
};

static void let_go(void *job)
{
	struct keeping *k = job;
	if (--k->holders)
		return;
	string_free(&k->about);
	free(k);
}

static double quality_of_evaluation(const struct keeping *k, const struct evaluation *e)
{
	return !k->p.loss ? e->accuracy : isfinite(e->divergence) ? -e->divergence : -e->loss;
}

static void draft_measured(struct session *s, struct pending *p, struct reply *r)
{
	struct keeping *k = p->job;
	(void)s;
	k->broken = !r->ok;
	k->draft = quality_of_evaluation(k, &r->evaluation);
}

static void tell_kept(struct session *s, const struct prediction *p, long step)
{
	const double by = p->loss ? -1 : 100;
	session_say(s,
		p->loss ? "step %ld: of the draft loss %+.3f +- %.3f was foretold; on %ld held-out images it came to %+.3f"
			: "step %ld: of the draft accuracy %+.2f +- %.2f %% was foretold; on %ld held-out images it came to %+.2f %%",
		step, by * p->said.change, fabs(by) * p->said.error, p->images, by * p->came);
}

static void modal_measured(struct session *s, struct pending *p, struct reply *r)
{
	struct keeping *k = p->job;
	struct string text = {0};
	struct fault f = r->fault;
	k->p.came = k->draft - quality_of_evaluation(k, &r->evaluation);
	k->p.images = r->evaluation.images;
	if (k->broken || !r->ok || !k->p.images || !isfinite(k->p.came)) // nothing came to hold it against
		return;
	write_prediction(&k->p, &k->about, &text);
	const struct journal_line line = {.kind = JOURNAL_FORETOLD, .step = r->step, .text = text.bytes};
	bool ok = (!text.failed && !k->about.failed) || fault_memory(&f, "foretold");
	if (ok && session_log(s, &line, &f))
		tell_kept(s, &k->p, r->step);
	else
		session_say_fault(s, &f);
	string_free(&text);
}

// One word, however many there are: a line of the journal has as many as a command at most.
static void add_pins(const struct session *s, const uint8_t *choice, struct string *t)
{
	struct string pins = {0};
	char word[SLOT_WORD];
	int count = 0;
	for (int i = 0; i < s->info->slots; i++) {
		if (choice[i] == s->snapshot->slot[i].modal || engine_rests(s->info, i, choice) || !leads(s->snapshot, i))
			continue;
		if (count++ < PINS_TOLD)
			string_add(&pins, "%s%s:%s", count > 1 ? "," : "pins=", snapshot_word(s->snapshot, i, word),
				s->info->slot[i].option[choice[i]].name);
	}
	if (count > PINS_TOLD)
		string_add(&pins, ",and:%d", count - PINS_TOLD);
	string_add(t, " ");
	words_quote(t, pins.bytes ? pins.bytes : "pins=");
	t->failed |= pins.failed;
	string_free(&pins);
}

static void describe(const struct session *s, const uint8_t *choice, struct string *t)
{
	double cost[ENGINE_TERMS];
	if (engine_price(s->engine, choice, cost, 0, NULL))
		for (int i = 0; i < s->snapshot->terms; i++)
			if (isfinite(cost[i]))
				string_add(t, " %s=%.10g", s->snapshot->term[i].name, cost[i]);
	add_pins(s, choice, t);
}

static bool ask(struct session *s, struct keeping *k, void (*done)(struct session *, struct pending *, struct reply *),
	const uint8_t *choice)
{
	struct fault f;
	struct pending *p = session_pending(done, &f);
	if (!p)
		return false;
	p->job = k;
	p->drop = let_go;
	k->holders++;
	return session_posted(s, p, engine_post_evaluate(s->engine, CHOICE_GIVEN, NULL, choice, SPLIT_HELDOUT, &p->ticket, &f));
}

void foretold_keep(struct session *s, const uint8_t *draft)
{
	const struct foretold said = foretell(s->snapshot, draft);
	const bool measured = s->info->train_images && !s->info->command[0] && s->snapshot->run != RUN_FAILED;
	uint8_t *modal = measured && isfinite(said.change) ? malloc((size_t)s->info->slots) : NULL;
	struct keeping *k = modal ? calloc(1, sizeof *k) : NULL;
	if (k) {
		k->holders = 1;
		k->p.said = said;
		k->p.loss = s->snapshot->quality_is_loss;
		describe(s, draft, &k->about);
		session_modal(s, modal);
		if (ask(s, k, draft_measured, draft))
			ask(s, k, modal_measured, modal);
		let_go(k);
	}
	free(modal);
}
