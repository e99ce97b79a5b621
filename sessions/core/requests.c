// SPDX-License-Identifier: GPL-3.0-or-later
// What a session asks of its engine, and what becomes of the replies.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/store/changes.h"
#include "sessions/core/inside.h"

// ---- pending requests ----------------------------------------------------------------------------------------------

struct pending *session_pending(void (*done)(struct session *, struct pending *, struct reply *), struct fault *f)
{
	struct pending *p = calloc(1, sizeof *p);
	if (p)
		p->done = done;
	else
		fault_memory(f, "request");
	return p;
}

static void pending_free(struct pending *p)
{
	if (p->drop)
		p->drop(p->job);
	free(p->text);
	free(p);
}

bool session_posted(struct session *s, struct pending *p, bool taken)
{
	if (!taken) {
		pending_free(p);
		return false;
	}
	struct pending **last = &s->pending;
	while (*last)
		last = &(*last)->next;
	*last = p;
	return true;
}

void session_drop_pending(struct session *s)
{
	while (s->pending) {
		struct pending *p = s->pending;
		s->pending = p->next;
		pending_free(p);
	}
}

bool session_changing(const struct session *s);

static void take_wanted(struct session *s)
{
	while (s->wants && !session_changing(s)) {
		struct fault f;
		enum journal_act act = s->wanted[0];
		memmove(s->wanted, s->wanted + 1, (size_t)--s->wants * sizeof *s->wanted);
		if (!session_undo(s, act, &f))
			session_say_fault(s, &f);
	}
}

// What a command has answered becomes a line, before any digest, change or checkpoint that comes after it.
static void keep_answers(struct session *s, const struct reply *r)
{
	struct fault f;
	const struct journal_line line = {.kind = JOURNAL_ANSWER, .step = r->step, .text = r->answers};
	bool ok = session_log(s, &line, &f);
	if (ok && s->journal.end.bytes > JOURNAL_FULL)
		ok = fault_set(&f, s->title, "begin another session", "its journal is full");
	if (!ok) {
		engine_pause(s->engine);
		session_say_fault(s, &f);
	}
}

void session_take_replies(struct session *s)
{
	struct reply reply;
	while (engine_reply(s->engine, &reply)) {
		struct pending **at = &s->pending;
		while (*at && (*at)->ticket != reply.ticket)
			at = &(*at)->next;
		struct pending *p = *at;
		if (!reply.ticket)
			keep_answers(s, &reply);
		if (p) {
			*at = p->next;
			p->done(s, p, &reply);
			pending_free(p);
		}
		reply_free(&reply);
	}
	take_wanted(s);
}

bool session_may_save(const struct session *s, struct fault *f)
{
	if (s->read_only)
		return session_refuse_read_only(s, f);
	if (s->play.on)
		return fault_set(f, s->title, "wait until it is done", "it is catching up with its journal (step %ld)",
			s->snapshot->step);
	return travel_allows(s, f);
}

bool session_may_change(const struct session *s, struct fault *f)
{
	if (!session_may_save(s, f))
		return false;
	const struct fault *why = &s->written.fault;
	return !s->written.failing ||
		fault_set(f, why->where, "mend that, then `save`: it tries again",
			"changes are stopped, since they could not be kept: %s", why->what);
}

// ---- changes -------------------------------------------------------------------------------------------------------

static bool offer(struct nearest *n, const char *candidate)
{
	nearest_offer(n, candidate);
	return strcmp(n->word, candidate) == 0;
}

// And slots of the architecture, and groups.
static bool offer_layers(const struct session *s, struct nearest *n)
{
	bool known = false;
	for (int i = 0; i < s->info->layers; i++)
		known |= offer(n, s->info->layer[i].name);
	for (int i = s->info->formats; i < s->info->slots; i++)
		known |= offer(n, s->info->slot[i].name);
	for (int i = 0; i < s->snapshot->groups; i++)
		known |= offer(n, s->snapshot->group[i].name);
	return known;
}

// Whether the word is known among the layers, terms or settings that the change's items may name.
static bool offer_names(const struct session *s, enum change_kind kind, struct nearest *n)
{
	struct term_name term;
	bool known = kind == CHANGE_GROUP || strpbrk(n->word, "*?[:") ||
		(term_read(n->word, &term) && term.device); // its fault says all
	if (kind == CHANGE_RESTRICT)
		known |= offer_layers(s, n);
	if (kind == CHANGE_WEIGHT || kind == CHANGE_TARGET)
		for (const char *const *name = engine_terms(); *name; name++)
			known |= offer(n, *name);
	size_t knobs;
	const struct knob *knob = engine_knobs(&knobs);
	for (size_t i = 0; kind == CHANGE_SET && i < knobs; i++)
		known |= offer(n, knob[i].name);
	return known;
}

static bool offer_formats(const struct session *s, struct nearest *n)
{
	bool known = strchr(n->word, ',') || strcmp(n->word, "all") == 0;
	for (int d = 0; d < s->info->slots; d++)
		for (int o = 0; o < s->info->slot[d].options; o++)
			known |= offer(n, s->info->slot[d].option[o].name);
	return known;
}

// The engine refused a change: where a word looks like another one, say so.
static void suggest(const struct session *s, const struct change *c, struct fault *f)
{
	for (int i = 0; i < c->items; i++) {
		struct nearest name = nearest_to(c->item[i].name), value = nearest_to(c->item[i].value);
		if (!offer_names(s, c->kind, &name)) {
			if (name.best)
				nearest_advice(&name, "", f->todo, sizeof f->todo);
			return;
		}
		if (c->kind == CHANGE_RESTRICT && !offer_formats(s, &value)) {
			if (value.best)
				nearest_advice(&value, "", f->todo, sizeof f->todo);
			return;
		}
	}
}

static void change_done(struct session *s, struct pending *p, struct reply *r)
{
	struct fault f;
	struct change change;
	if (!r->ok) {
		if (change_read(p->text, &change, &f)) {
			suggest(s, &change, &r->fault);
			free(change.item);
		}
		if (p->act == ACT_UNDO) {
			journal_pass_over(&s->journal, p->of);
			snprintf(r->fault.todo, sizeof r->fault.todo, "undo again takes back the change before it");
		}
		session_say_fault(s, &r->fault);
		return;
	}
	if (p->act == ACT_DO && !r->inverse.items) {
		session_say(s, "step %ld: `%s` changes nothing: it is so already", r->step, p->text);
		return;
	}
	struct string back = {0}, told = {0};
	if (r->inverse.items)
		change_write(&back, &r->inverse);
	const struct journal_line line = {
		.kind = JOURNAL_CHANGE,
		.step = r->step,
		.text = p->text,
		.act = p->act,
		.of = p->of,
		.back = back.bytes,
	};
	if (!session_log(s, &line, &f))
		session_say_fault(s, &f);
	if (change_read(p->text, &change, &f)) {
		change_tell(&told, &change);
		session_tell_targets(s, &told, &change);
		free(change.item);
	}
	static const char *const after[] = {
		[ACT_DO] = "undo takes it back",
		[ACT_UNDO] = "redo does it again",
		[ACT_REDO] = "undo takes it back",
	};
	const struct journal_line *of = p->act == ACT_UNDO ? journal_entry_line(&s->journal, p->of) : NULL;
	session_acknowledge(s, "step %ld: %s%s%s%s%s%s%s%s", r->step,
		of                           ? "took back `"
			: p->act == ACT_REDO ? "again: "
					     : "",
		of ? of->text : "", of ? "`: " : "", told.bytes ? told.bytes : p->text, r->says[0] ? "; " : "", r->says,
		back.bytes ? "; " : "", back.bytes ? after[p->act] : "");
	string_free(&back);
	string_free(&told);
}

bool session_changing(const struct session *s)
{
	for (const struct pending *p = s->pending; p; p = p->next)
		if (p->done == change_done)
			return true;
	return false;
}

bool session_change(struct session *s, const struct change *change, enum journal_act act, int of, struct fault *f)
{
	struct string text = {0};
	struct pending *p = session_may_change(s, f) ? session_pending(change_done, f) : NULL;
	if (!p)
		return false;
	change_write(&text, change);
	p->act = act;
	p->of = of;
	p->text = text.bytes;
	if (text.failed) {
		fault_memory(f, "request");
		return session_posted(s, p, false);
	}
	bool taken = engine_post_change(s->engine, change, &p->ticket, f);
	if (!taken && f)
		suggest(s, change, f);
	return session_posted(s, p, taken);
}

// What does an entry again that was undone: the same; but a lane that was added is there still, and goes on.
static const char *again(const struct session *s, int entry)
{
	const struct journal_line *line = journal_entry_line(&s->journal, entry);
	struct change change;
	bool adds = change_read(line->text, &change, NULL) && change.kind == CHANGE_ADD_LANE;
	free(change.item);
	for (int n = s->journal.entries; adds && n > entry; n--) {
		const struct journal_line *undo = journal_entry_line(&s->journal, n);
		if (undo->kind == JOURNAL_CHANGE && undo->act == ACT_UNDO && undo->of == entry && undo->back)
			return undo->back;
	}
	return line->text;
}

bool session_undo(struct session *s, enum journal_act act, struct fault *f)
{
	if (!session_may_change(s, f))
		return false;
	if (session_changing(s)) {
		// What there is to undo is known only once the reply has come.
		if (s->wants == UNDO_WAITING)
			return fault_set(f, "undo", "wait for the search", "too many are waiting already");
		s->wanted[s->wants++] = act;
		return true;
	}
	int entry = act == ACT_UNDO ? journal_undoable(&s->journal) : journal_redoable(&s->journal);
	if (!entry)
		return fault_set(f, act == ACT_UNDO ? "undo" : "redo",
			act == ACT_UNDO ? "make a change first" : "`undo` something first", "there is nothing to %s",
			act == ACT_UNDO ? "take back" : "do again");
	const struct journal_line *line = journal_entry_line(&s->journal, entry);
	struct change change;
	if (!change_read(act == ACT_UNDO ? line->back : again(s, entry), &change, f))
		return false;
	bool ok = session_change(s, &change, act, entry, f);
	free(change.item);
	return ok;
}

// ---- the lane that is shown ----------------------------------------------------------------------------------------

static void focus_done(struct session *s, struct pending *p, struct reply *r)
{
	if (!r->ok) {
		session_say_fault(s, &r->fault);
		return;
	}
	session_fetch(s);
	const struct lane_state *lane = session_lane(s->snapshot, p->lane);
	session_say(s, "lane %d is shown: %s", p->lane, lane ? lane->name : "");
	s->news |= NEWS_STATE;
}

int session_focus(const struct session *s)
{
	int lane = s->snapshot->focus;
	for (const struct pending *p = s->pending; p; p = p->next)
		if (p->done == focus_done)
			lane = p->lane;
	return lane;
}

bool session_focus_on(struct session *s, int lane, struct fault *f)
{
	struct pending *p = session_pending(focus_done, f);
	if (!p)
		return false;
	p->lane = lane;
	return session_posted(s, p, engine_post_focus(s->engine, lane, &p->ticket, f));
}

// ---- evaluations ---------------------------------------------------------------------------------------------------

static void evaluate_done(struct session *s, struct pending *p, struct reply *r)
{
	if (!r->ok) {
		session_say_fault(s, &r->fault);
		return;
	}
	const struct evaluation *e = &r->evaluation;
	s->test_looks += e->split == SPLIT_TEST;
	struct string text = {0};
	if (s->snapshot->estimated[0] && !e->images) {
		session_say(s, "step %ld: %s: accuracy %.2f %%, estimated (%s), not measured", r->step, p->text,
			100 * e->accuracy, s->snapshot->estimated);
		return;
	}
	if (s->info->command[0]) {
		string_add(&text, "step %ld: %s: accuracy %.2f %%", r->step, p->text, 100 * e->accuracy);
		if (isfinite(e->loss))
			string_add(&text, ", loss %.4f", e->loss);
		session_say(s, "%s, by the command", text.bytes ? text.bytes : "");
		string_free(&text);
		s->known[e->split] = (struct known_evaluation){true, r->step, e->accuracy, e->loss};
		return;
	}
	s->known[e->split] = (struct known_evaluation){true, r->step, e->accuracy, e->loss};
	string_add(&text, "step %ld: %s on %ld %s images: ", r->step, p->text, e->images,
		e->split == SPLIT_TEST ? "test" : "held-out");
	if (!e->unlabelled)
		string_add(&text, "accuracy %.2f %%, loss %.4f", 100 * e->accuracy, e->loss);
	if (isfinite(e->divergence))
		string_add(&text, "%sagrees with fp32 on %.2f %%, divergence %.5f nats", e->unlabelled ? "" : ", ",
			100 * e->agreement, e->divergence);
	session_say(s, "%s (ranges and statistics from %ld images)", text.bytes ? text.bytes : "", e->calibration_images);
	string_free(&text);
	s->news |= NEWS_STATE;
}

bool session_evaluate(struct session *s, enum choice_kind kind, const char *called, const uint8_t *choice, enum split split,
	struct fault *f)
{
	struct string text = {0};
	struct pending *p = session_pending(evaluate_done, f);
	if (!p)
		return false;
	if (kind == CHOICE_UNIFORM)
		string_add(&text, "%s in every layer", called);
	else
		string_add(&text, "the %s", called);
	p->text = text.bytes;
	if (text.failed) {
		fault_memory(f, "request");
		return session_posted(s, p, false);
	}
	return session_posted(s, p, engine_post_evaluate(s->engine, kind, called, choice, split, &p->ticket, f));
}

// ---- looks ----

static void look_done(struct session *s, struct pending *p, struct reply *r)
{
	(void)p;
	if (!r->ok) {
		session_say_fault(s, &r->fault);
		return;
	}
	if (r->look.layer >= 0) {
		s->look = r->look;
		s->look_step = r->step;
	}
	const size_t layers = (size_t)s->info->layers;
	if (!s->noise)
		s->noise = calloc(layers, sizeof *s->noise);
	if (s->noise) {
		memcpy(s->noise, r->noise, layers * sizeof *s->noise);
		s->noise_step = r->step;
	}
	s->news |= NEWS_STATE;
}

// What waits for a look.
struct waiting_plot {
	bool (*draw)(void *job, struct fault *);
	void (*drop)(void *job);
	void *job;
};

static void drop_plot(void *job)
{
	struct waiting_plot *w = job;
	w->drop(w->job);
	free(w);
}

void session_forget_errors(struct session *s)
{
	free(s->error_noise);
	s->error_noise = NULL;
	s->errors = (struct layer_errors){0};
}

static void errors_done(struct session *s, struct pending *p, struct reply *r)
{
	struct waiting_plot *w = p->job;
	struct fault f;
	look_done(s, p, r);
	if (!r->ok)
		return;
	session_forget_errors(s);
	s->error_noise = r->formats;
	r->formats = NULL;
	s->errors = (struct layer_errors){r->step, r->look.images, s->error_noise};
	if (!w->draw(w->job, &f))
		session_say_fault(s, &f);
}

bool session_look_for(void *session, bool (*draw)(void *job, struct fault *), void (*drop)(void *job), void *job, struct fault *f)
{
	struct session *s = session;
	struct waiting_plot *w = malloc(sizeof *w);
	struct pending *p = w ? session_pending(errors_done, f) : NULL;
	if (!p) {
		free(w);
		return fault_memory(f, "look");
	}
	*w = (struct waiting_plot){draw, drop, job};
	if (session_posted(s, p, engine_post_look(s->engine, LOOK_FORMATS, &p->ticket, f))) {
		p->job = w;
		p->drop = drop_plot;
		return true;
	}
	free(w);
	return false;
}

bool session_look(struct session *s, int layer, struct fault *f)
{
	struct pending *p = session_pending(look_done, f);
	if (layer == LOOK_ALL)
		s->noise_step = -1; // until it has come there is none
	return p && session_posted(s, p, engine_post_look(s->engine, layer, &p->ticket, f));
}

const struct layer_look *session_looked(const struct session *s, long *step)
{
	*step = s->look_step;
	return s->look_step >= 0 ? &s->look : NULL;
}

const double *session_noise(const struct session *s, long *step)
{
	*step = s->noise_step;
	return s->noise_step >= 0 ? s->noise : NULL;
}

// ---- states --------------------------------------------------------------------------------------------------------

static const char *know_digest(struct session *s, const struct reply *r)
{
	const char *digest = state_get(r->state, "digest");
	if (!digest)
		return NULL;
	snprintf(s->digest, sizeof s->digest, "%s", digest);
	s->digest_step = r->step;
	s->digest_entries = s->journal.entries;
	return s->digest;
}

// The digest becomes a line before any change that comes after it, and so before the checkpoint that it describes.
static bool log_digest(struct session *s, long step, char *digest, struct fault *f)
{
	const struct journal *j = &s->journal;
	const struct journal_line *last = j->lines ? &j->line[j->lines - 1] : NULL;
	if (last && last->kind == JOURNAL_DIGEST && last->step == step)
		return true;
	const struct journal_line line = {.kind = JOURNAL_DIGEST, .step = step, .text = digest};
	return session_log(s, &line, f);
}

static void save_done(struct session *s, struct pending *p, struct reply *r)
{
	struct fault f;
	s->saving = false;
	s->saved_at = clock_seconds();
	if (!r->ok) {
		s->save_failed = true;
		session_say_fault(s, &r->fault);
		return;
	}
	if (know_digest(s, r) && !log_digest(s, r->step, s->digest, &f))
		session_say_fault(s, &f);
	struct checkpoint c = {.step = r->step, .place = s->journal.end, .state = r->state};
	memcpy(c.session, s->journal.session, sizeof c.session);
	r->state = NULL;
	s->saved_step = c.step;
	s->saved_entries = s->journal.entries;
	struct summary summary;
	session_fetch(s); // the one in hand may be older than the state
	session_summary(s, &summary);
	summary.step = c.step;
	writer_checkpoint(s->writer, &c, &summary, p->asked);
}

bool session_save(struct session *s, bool asked, struct fault *f)
{
	if (!session_may_save(s, f))
		return false;
	if (!s->writer)
		return fault_set(f, s->title, "begin a session of its own", "it has no folder to save in");
	struct pending *p = session_pending(save_done, f);
	if (!p)
		return false;
	p->asked = asked;
	s->saving = session_posted(s, p, engine_post_state(s->engine, &p->ticket, f));
	return s->saving;
}

bool session_saved(const struct session *s)
{
	return s->saved_step == s->snapshot->step && s->saved_entries == s->journal.entries;
}

static void digest_done(struct session *s, struct pending *p, struct reply *r)
{
	if (!r->ok)
		session_say_fault(s, &r->fault);
	else if (know_digest(s, r) && p->asked)
		session_say(s, "step %ld: digest %s", r->step, s->digest);
}

bool session_ask_digest(struct session *s, bool told, struct fault *f)
{
	struct pending *p = session_pending(digest_done, f);
	if (!p)
		return false;
	p->asked = told;
	return session_posted(s, p, engine_post_state(s->engine, &p->ticket, f));
}

// ---- slots ---------------------------------------------------------------------------------------------------------

bool session_meant(const struct session *s, const char *word, const char *options, bool *meant, struct fault *f)
{
	struct nearest near = nearest_to(word);
	char advice[128];
	if (snapshot_meant(s->snapshot, word, options, meant))
		return true;
	offer_layers(s, &near);
	bool slots = s->info->slots > s->info->formats;
	return fault_set(f, word,
		nearest_advice(&near, slots ? "`layers` and `slots` list them" : "`layers` lists them", advice, sizeof advice),
		slots ? "no layer, no slot and no group has this name" : "no layer and no group has this name");
}

bool session_tied(const struct session *s, int layer)
{
	const struct layer_info *l = &s->info->layer[layer];
	return s->snapshot->slot[l->weight_slot].decision == s->snapshot->slot[l->activation_slot].decision;
}

const char *session_group(const struct session *s, int layer)
{
	int g = s->snapshot->slot[s->info->layer[layer].weight_slot].group;
	return g < 0 ? NULL : s->snapshot->group[g].name;
}

void session_both(const struct session *s, int layer, const char *(*text)(const struct session *, int slot), char *buf,
	size_t size)
{
	const struct layer_info *l = &s->info->layer[layer];
	if (session_tied(s, layer))
		snprintf(buf, size, "%s", text(s, l->weight_slot));
	else
		snprintf(buf, size, "%s/%s", text(s, l->weight_slot), text(s, l->activation_slot));
}

const char *session_modal_option(const struct session *s, int slot)
{
	return s->info->slot[slot].option[s->snapshot->slot[slot].modal].name;
}

const char *session_result_option(const struct session *s, int slot)
{
	return s->info->slot[slot].option[s->snapshot->slot[slot].result].name;
}
