// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/language/readout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

// ---- the readers -----------------------------------------------------------------------------------------------------

static void put_text(struct reading *r, const char *text)
{
	r->is_text = true;
	snprintf(r->text, sizeof r->text, "%s", text);
}

// `of` is what stands behind the dot: the index of a term or layer, or of a split.
typedef bool reader(struct session *, int of, struct reading *, struct fault *);

static bool read_state(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)of, (void)f;
	put_text(r, engine_run_word(s->snapshot->run));
	return true;
}

static bool read_macs(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = of ? s->info->attention_macs : s->info->macs;
	r->unit = "per image";
	return true;
}

static bool read_parameters(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)of, (void)f;
	r->number = s->info->parameters;
	return true;
}

static bool read_front(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)of, (void)f;
	int standing = 0;
	for (int i = 0; i < s->snapshot->points; i++)
		standing += !s->snapshot->point[i].dominated;
	r->number = standing;
	return true;
}

static bool read_changes(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)of, (void)f;
	r->number = s->journal.entries;
	return true;
}

static bool read_digest(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)of;
	bool known = s->digest_step == s->snapshot->step && s->digest_entries == s->journal.entries;
	if (!known && s->batch && (!session_ask_digest(s, false, f) || !session_await_replies(s, f)))
		return false;
	if (!known && !s->batch)
		return fault_set(f, "digest", "say `digest` first", "it is not known at this step");
	put_text(r, s->digest);
	return true;
}

static bool read_cost(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = s->snapshot->term[of].modal;
	r->unit = s->snapshot->term[of].unit;
	return true;
}

static bool read_expected(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = s->snapshot->term[of].expected;
	r->unit = s->snapshot->term[of].unit;
	return true;
}

static bool read_weight(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = s->snapshot->term[of].weight;
	return true;
}

static bool targeted(const struct session *s, int of, struct fault *f)
{
	return s->snapshot->term[of].targeted ||
		fault_set(f, s->snapshot->term[of].name, "`target` gives it one", "it has no target");
}

static bool read_target(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = s->snapshot->term[of].target;
	r->unit = s->snapshot->term[of].unit;
	return targeted(s, of, f);
}

static bool read_ratio(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = s->snapshot->term[of].modal / s->snapshot->term[of].target;
	return targeted(s, of, f);
}

// Of a part (PER_PART): a layer, or behind the layers a slot of the architecture.
static void read_part(const struct session *s, int of, const char *(*text)(const struct session *, int slot), struct reading *r)
{
	r->is_text = true;
	if (of < s->info->layers)
		session_both(s, of, text, r->text, sizeof r->text);
	else
		put_text(r, text(s, s->info->formats + of - s->info->layers));
}

static bool read_modal(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	read_part(s, of, session_modal_option, r);
	return true;
}

static bool read_result(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	read_part(s, of, session_result_option, r);
	return true;
}

static bool read_rests(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	int slot = of < s->info->layers ? s->info->layer[of].weight_slot : s->info->formats + of - s->info->layers;
	put_text(r, s->snapshot->slot[slot].there ? "no" : "yes");
	return true;
}

static bool read_choices(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = of ? s->info->networks : s->info->choices;
	return true;
}

static bool read_result_cost(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = s->snapshot->term[of].result;
	r->unit = s->snapshot->term[of].unit;
	return true;
}

static bool read_result_ratio(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = s->snapshot->term[of].result / s->snapshot->term[of].target;
	return targeted(s, of, f);
}

static const char *pinned_option(const struct session *s, int slot)
{
	uint32_t allowed = s->snapshot->slot[slot].allowed;
	return allowed & (allowed - 1) ? "no" : session_modal_option(s, slot);
}

static bool read_pinned(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	read_part(s, of, pinned_option, r);
	if (strcmp(r->text, "no/no") == 0)
		put_text(r, "no");
	return true;
}

static bool read_switching(struct session *s, int of, struct reading *r, struct fault *f)
{
	(void)f;
	r->number = (double)s->snapshot->layer[of].switching;
	return true;
}

static bool read_near_edge(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = (double)s->snapshot->layer[of].near_edge;
	return !isnan(r->number) || fault_set(f, "edges", "make a few steps", "the weights have not been looked at yet");
}

static bool read_final(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = of ? s->snapshot->final_after : s->snapshot->final_before;
	return !isnan(r->number) ||
		fault_set(f, of ? "final.after" : "final.before", "the setting `final` gives it a share of the steps",
			"there is no final phase yet");
}

static bool read_foretold(struct session *s, int of, struct reading *r, struct fault *f)
{
	const struct foretold_so_far so_far = session_foretold(s);
	r->number = of ? so_far.error : so_far.count;
	return so_far.count || !of ||
		fault_set(f, "foretold.error", "`draft commit` measures it", "nothing that was foretold has come yet");
}

static bool evaluated(const struct known_evaluation *e, int split, struct fault *f)
{
	return e->known ||
		fault_set(f, split == SPLIT_TEST ? "test" : "heldout",
			split == SPLIT_TEST ? "`evaluate test` does it" : "`evaluate` does it",
			"no choice has been evaluated on it yet");
}

static bool read_split_accuracy(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = s->known[of].accuracy;
	return evaluated(&s->known[of], of, f);
}

static bool read_split_loss(struct session *s, int of, struct reading *r, struct fault *f)
{
	r->number = s->known[of].loss;
	return evaluated(&s->known[of], of, f);
}

// ---- the table -----------------------------------------------------------------------------------------------------------

enum readout_kind { PLAIN, FIELD_LONG, FIELD_REAL, PER_TERM, PER_LAYER, PER_PART };

static const struct readout {
	const char *name; // PER_…: followed by a dot and the term, layer or part
	enum readout_kind kind;
	size_t field; // FIELD_*: of the snapshot
	const char *unit;
	reader *read;
	int of; // PLAIN: what the reader gets
} readouts[] = {
	{"step", FIELD_LONG, offsetof(struct snapshot, step), "", NULL, 0},
	{"horizon", FIELD_LONG, offsetof(struct snapshot, horizon), "", NULL, 0},
	{"state", PLAIN, 0, "", read_state, 0},
	{"loss", FIELD_REAL, offsetof(struct snapshot, loss), "", NULL, 0},
	{"accuracy", FIELD_REAL, offsetof(struct snapshot, accuracy), "", NULL, 0},
	{"quality", FIELD_REAL, offsetof(struct snapshot, quality), "", NULL, 0},
	{"entropy", FIELD_REAL, offsetof(struct snapshot, entropy), "", NULL, 0},
	{"reward", FIELD_REAL, offsetof(struct snapshot, reward), "", NULL, 0},
	{"learning_rate", FIELD_REAL, offsetof(struct snapshot, learning_rate), "", NULL, 0},
	{"variance", FIELD_REAL, offsetof(struct snapshot, variance), "", NULL, 0},
	{"variance.left", FIELD_REAL, offsetof(struct snapshot, variance_left), "", NULL, 0},
	{"images_per_s", FIELD_REAL, offsetof(struct snapshot, images_per_s), "", NULL, 0},
	{"spared.equal", FIELD_REAL, offsetof(struct snapshot, spared_equal), "", NULL, 0},
	{"spared.prefix", FIELD_REAL, offsetof(struct snapshot, spared_prefix), "", NULL, 0},
	{"cost", PER_TERM, 0, "", read_cost, 0},
	{"ratio", PER_TERM, 0, "", read_ratio, 0},
	{"expected", PER_TERM, 0, "", read_expected, 0},
	{"target", PER_TERM, 0, "", read_target, 0},
	{"weight", PER_TERM, 0, "", read_weight, 0},
	{"macs.layers", PLAIN, 0, "", read_macs, 0},
	{"macs.attention", PLAIN, 0, "", read_macs, 1},
	{"parameters", PLAIN, 0, "", read_parameters, 0},
	{"modal", PER_PART, 0, "", read_modal, 0},
	{"result", PER_PART, 0, "", read_result, 0},
	{"result.cost", PER_TERM, 0, "", read_result_cost, 0},
	{"result.ratio", PER_TERM, 0, "", read_result_ratio, 0},
	{"pinned", PER_PART, 0, "", read_pinned, 0},
	{"rests", PER_PART, 0, "", read_rests, 0},
	{"switching", PER_LAYER, 0, "", read_switching, 0},
	{"edges", PER_LAYER, 0, "", read_near_edge, 0},
	{"choices", PLAIN, 0, "", read_choices, 0},
	{"networks", PLAIN, 0, "", read_choices, 1},
	{"final.before", PLAIN, 0, "", read_final, 0},
	{"final.after", PLAIN, 0, "", read_final, 1},
	{"foretold", PLAIN, 0, "", read_foretold, 0},
	{"foretold.error", PLAIN, 0, "", read_foretold, 1},
	{"front.size", PLAIN, 0, "", read_front, 0},
	{"heldout.accuracy", PLAIN, 0, "", read_split_accuracy, SPLIT_HELDOUT},
	{"heldout.loss", PLAIN, 0, "", read_split_loss, SPLIT_HELDOUT},
	{"test.accuracy", PLAIN, 0, "", read_split_accuracy, SPLIT_TEST},
	{"test.loss", PLAIN, 0, "", read_split_loss, SPLIT_TEST},
	{"changes", PLAIN, 0, "", read_changes, 0},
	{"digest", PLAIN, 0, "", read_digest, 0},
};
enum { READOUTS = sizeof readouts / sizeof *readouts };

// What may stand behind a readout's dot; NULL at the end. A plain one has one nameless place.
static const char *place(const struct session *s, const struct readout *r, int i, char buf[SLOT_WORD])
{
	const int layers = s->info->layers, slot = s->info->formats + i - layers;
	if (r->kind == PER_TERM)
		return i < s->snapshot->terms ? s->snapshot->term[i].name : NULL;
	if (r->kind == PER_PART && i >= layers)
		return slot < s->info->slots ? engine_slot_name(s->info, slot, buf) : NULL;
	if (r->kind == PER_LAYER || r->kind == PER_PART)
		return i < layers ? s->info->layer[i].name : NULL;
	return i == 0 ? "" : NULL;
}

static const char *full_name(const struct readout *r, const char *behind, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", r->name, behind[0] ? "." : "", behind);
	return buf;
}

void readout_each(struct session *s, void (*each)(const char *name, void *context), void *context)
{
	char name[2 * ENGINE_NAME], word[SLOT_WORD];
	const char *behind;
	for (const struct readout *r = readouts; r < readouts + READOUTS; r++)
		for (int i = 0; (behind = place(s, r, i, word)); i++)
			each(full_name(r, behind, name, sizeof name), context);
}

bool readout_read(struct session *s, const char *name, struct reading *reading, struct fault *f)
{
	char full[2 * ENGINE_NAME], best[2 * ENGINE_NAME] = "", advice[192], word[SLOT_WORD];
	const char *behind;
	struct nearest near = nearest_to(name);
	for (const struct readout *r = readouts; r < readouts + READOUTS; r++)
		for (int i = 0; (behind = place(s, r, i, word)); i++) {
			full_name(r, behind, full, sizeof full);
			if (strcmp(full, name) == 0) {
				*reading = (struct reading){.unit = r->unit};
				const char *field = (const char *)s->snapshot + r->field;
				if (r->kind == FIELD_LONG)
					reading->number = (double)*(const long *)(const void *)field;
				else if (r->kind == FIELD_REAL)
					reading->number = *(const double *)(const void *)field;
				else
					return r->read(s, r->kind == PLAIN ? r->of : i, reading, f);
				return true;
			}
			nearest_offer(&near, full);
			if (near.best == full) {
				snprintf(best, sizeof best, "%s", full);
				near.best = best;
			}
		}
	return fault_set(f, name, nearest_advice(&near, "`help print` lists them", advice, sizeof advice),
		"there is no such readout");
}

const char *reading_write(const struct reading *r, char *buf, size_t size)
{
	if (r->is_text)
		snprintf(buf, size, "%s", r->text);
	else if (isnan(r->number))
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%.6g%s%s", r->number, r->unit[0] ? " " : "", r->unit);
	return buf;
}

// ---- comparisons -----------------------------------------------------------------------------------------------------------

enum { LESS = 1, EQUAL = 2, MORE = 4 };
static const struct operator
{
	const char *sign;
	int holds; // for which orders of the two sides
}
operators[] = {
	{"=", EQUAL},
	{"==", EQUAL},
	{"!=", LESS | MORE},
	{"<", LESS},
	{"<=", LESS | EQUAL},
	{">", MORE},
	{">=", MORE | EQUAL},
};

static const struct operator* operator_named(const char *sign)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (strcmp(operators[i].sign, sign) == 0)
			return &operators[i];
	return NULL;
}

bool comparison_check(int count, char *const *words, struct fault *f)
{
	double percent;
	if (count != 3 && count != 5)
		return fault_set(f, count ? words[0] : "readout", "for example: cost.size < 100k, or ratio.bops = 1 within 5%",
			"expected READOUT OP VALUE [within P%%]");
	if (!operator_named(words[1]))
		return fault_set(f, words[1], "use one of = != < <= > >=", "this is not a comparison");
	if (count == 5 && (strcmp(words[3], "within") != 0 || !number_read(words[4], &percent) || percent < 0))
		return fault_set(f, words[3], "for example: within 5%", "expected 'within P%%'");
	return true;
}

bool comparison_holds(struct session *s, int count, char *const *words, bool *holds, struct reading *r, struct fault *f)
{
	double value, slack = 0;
	if (!comparison_check(count, words, f) || !readout_read(s, words[0], r, f))
		return false;
	const struct operator* op = operator_named(words[1]);
	if (r->is_text) {
		int order = strcmp(r->text, words[2]);
		if (op->holds != EQUAL && op->holds != (LESS | MORE))
			return fault_set(f, words[0],
				"use = or !=", "it is a text, which is the same or not, but never less or more");
		*holds = (order == 0) == (op->holds == EQUAL);
		return true;
	}
	if (!number_read(words[2], &value))
		return fault_set(f, words[2], "write it as 12, 1e-3, 2.5k or 71%", "it is not a number to compare %s with",
			words[0]);
	if (count == 5 && number_read(words[4], &slack))
		slack *= fabs(value);
	// A reading that is not known yet (NaN) fulfils nothing.
	int order = fabs(r->number - value) <= slack ? EQUAL : r->number < value ? LESS : r->number > value ? MORE : 0;
	*holds = (op->holds & order) != 0;
	return true;
}
