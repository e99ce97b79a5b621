// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/knobs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hardware/device.h"
#include "engine/model/model.h"
#include "engine/quant/format.h"
#include "engine/space/space.h"

static const struct knob table[] = {
// clang-format off
#define ROW_I(field, name, preset, low, high, live, help) {name, KNOB_INTEGER, low, high, "", preset, live, help},
#define ROW_R(field, name, preset, low, high, live, help) {name, KNOB_REAL, low, high, "", preset, live, help},
#define ROW_W(field, name, preset, words, live, help) {name, KNOB_WORD, 0, 0, words, preset, live, help},
#define ROW_S(field, name, preset, words, live, help) {name, KNOB_SPOKEN, 0, 0, words, preset, live, help},
#define ROW_T(field, name, preset, words, live, help) {name, KNOB_TEXT, 0, 0, words, preset, live, help},
	// clang-format on
	KNOBS(ROW_I, ROW_R, ROW_W, ROW_S, ROW_T)};
enum { KNOB_COUNT = sizeof table / sizeof table[0] };

static const size_t offsets[KNOB_COUNT] = {
#define OFFSET(field, ...) offsetof(struct knobs, field),
	KNOBS(OFFSET, OFFSET, OFFSET, OFFSET, OFFSET)};

// What a preset or another setting says beside the defaults; preset `live` is the defaults. Published figures: facts in README,
// "Presets".
static const struct overlay {
	const char *by, *is, *name, *value;
} overlays[] = {
	// The rate and decay that AdamW is mostly begun with (Loshchilov and Hutter, 2019, and the common libraries).
	{"optimizer", "adamw", "rate", "0.001"},
	{"optimizer", "adamw", "decay", "0.01"},
	// Where nothing is trained, a step is one of the policy.
	{"data", "none", "learn-every", "1"},
	{"data", "none", "final", "0"},
	// A command has its own images.
	{"quality", "pipe:", "data", "none"},
	{"quality", "pipe:", "learn-every", "1"},
	{"quality", "pipe:", "final", "0"},
	// On a machine, qualities are exact and cost nothing, and sizes are worth something together alone: the policy looks at many choices,
	// from all of them on, and by what they are worth as a whole.
	{"pod", "!none", "data", "none"},
	{"pod", "!none", "space", "int4,int8,bf16"},
	{"pod", "!none", "quality", "accuracy"},
	{"pod", "!none", "warmup", "0"},
	{"pod", "!none", "start", "uniform"},
	{"pod", "!none", "wide-start", "0"},
	{"pod", "!none", "modal-share", "0"},
	{"pod", "!none", "searcher", "reinforce"},
	{"pod", "!none", "final", "0"},
	{"pod", "!none", "additive", "off"},
	{"pod", "!none", "samples", "64"},
	{"pod", "!none", "entropy", "0"},
	// FLIQS (arXiv 2308.03290 and its authors' code): uniform warm-up, one sample a step, Adam 5e-3, moving average 0.99.
	{"preset", "fliqs", "searcher", "reinforce"},
	{"preset", "fliqs", "final", "0"},
	{"preset", "fliqs", "rate-fall", "1"},
	{"preset", "fliqs", "warmup", "0.25"},
	{"preset", "fliqs", "start", "uniform"},
	{"preset", "fliqs", "modal-share", "0"},
	{"preset", "fliqs", "wide-start", "0"},
	{"preset", "fliqs", "warmup-path", "uniform"},
	{"preset", "fliqs", "quality", "accuracy"},
	{"preset", "fliqs", "samples", "1"},
	{"preset", "fliqs", "baseline", "average"},
	{"preset", "fliqs", "baseline-keep", "0.99"},
	{"preset", "fliqs", "cost-samples", "0"},
	{"preset", "fliqs", "additive", "off"},
	{"preset", "fliqs", "policy-beta2", "0.999"},
	{"preset", "fliqs", "policy-rate", "0.005"},
	{"preset", "fliqs", "entropy", "0.5"},
	{"preset", "fliqs", "scales", "layer"},
	{"preset", "fliqs", "unsigned", "off"},
	{"preset", "fliqs", "weight.bops", "1"},
	// TuNAS (Bender et al., 2020): accuracy on a batch 4 times larger, Adam without first moment, rate 3e-4 * batch/256 growing
	// tenfold (given here for a batch of 64), moving average 0.95, weight of the cost 0.1, no entropy penalty; filters warm up.
	{"preset", "tunas", "searcher", "reinforce"},
	{"preset", "tunas", "final", "0"},
	{"preset", "tunas", "rate-fall", "1"},
	{"preset", "tunas", "warmup", "0.25"},
	{"preset", "tunas", "filter-warmup", "0.25"},
	{"preset", "tunas", "start", "uniform"},
	{"preset", "tunas", "modal-share", "0"},
	{"preset", "tunas", "wide-start", "0"},
	{"preset", "tunas", "warmup-path", "uniform"},
	{"preset", "tunas", "quality", "accuracy"},
	{"preset", "tunas", "samples", "1"},
	{"preset", "tunas", "heldout-batches", "4"},
	{"preset", "tunas", "baseline", "average"},
	{"preset", "tunas", "baseline-keep", "0.95"},
	{"preset", "tunas", "cost-samples", "0"},
	{"preset", "tunas", "additive", "off"},
	{"preset", "tunas", "policy-beta2", "0.999"},
	{"preset", "tunas", "policy-rate", "0.000075"},
	{"preset", "tunas", "policy-growth", "10"},
	{"preset", "tunas", "policy-beta1", "0"},
	{"preset", "tunas", "entropy", "0"},
	{"preset", "tunas", "scales", "layer"},
	{"preset", "tunas", "unsigned", "off"},
	{"preset", "tunas", "weight.bops", "0.1"},
};
enum { OVERLAYS = sizeof overlays / sizeof overlays[0] };

enum term_setting { TERM_WEIGHT, TERM_TARGET, TERM_SETTINGS };

struct config {
	struct knobs values;
	bool set[KNOB_COUNT]; // by the person, so that a preset leaves it alone
	bool term_set[TERM_SETTINGS][ENGINE_TERMS];
	enum term_subject subject; // of its terms
};

const struct knob *engine_knobs(size_t *count)
{
	*count = KNOB_COUNT;
	return table;
}

static int knob_named(const char *name)
{
	for (int i = 0; i < KNOB_COUNT; i++)
		if (strcmp(name, table[i].name) == 0)
			return i;
	return -1;
}

int knobs_term(const struct knobs *values, const char *name)
{
	for (int t = 0; t < values->terms; t++)
		if (strcmp(name, values->term[t].name) == 0)
			return t;
	return -1;
}

// "weight.bops", "target.bops": what stands behind the dot; NULL: neither.
static const char *term_behind(const char *name, enum term_setting *setting)
{
	static const char *const prefix[] = {"weight.", "target."};
	for (int i = 0; i < TERM_SETTINGS; i++)
		if (strncmp(name, prefix[i], 7) == 0) {
			*setting = (enum term_setting)i;
			return name + 7;
		}
	return NULL;
}

static enum term_subject subject_of(const struct knobs *values)
{
	return strcmp(values->pod, "none") == 0 ? SUBJECT_NETWORK : SUBJECT_MACHINE;
}

// Adds the term where it is not among them; its place, or -1 with a fault.
static int add_term(struct knobs *values, const char *name, struct fault *fault)
{
	int t = knobs_term(values, name);
	struct term_name read;
	char advice[sizeof fault->todo];
	if (t >= 0)
		return t;
	if (!term_read(name, &read))
		fault_set(fault, name, term_advice(subject_of(values), true, advice, sizeof advice), "no such cost term");
	else if (strlen(name) >= ENGINE_NAME)
		fault_set(fault, "cost term", "name a shorter path", "the name is longer than %d characters", ENGINE_NAME - 1);
	else if (values->terms == ENGINE_TERMS)
		fault_set(fault, name, "begin a new session", "a search has %d cost terms at most", ENGINE_TERMS);
	else {
		values->term[values->terms] = (struct term_knob){0};
		snprintf(values->term[values->terms].name, ENGINE_NAME, "%s", name);
		return values->terms++;
	}
	return -1;
}

// strtod reads 0x5 as a number; "0.5x" is a multiple.
static bool hexadecimal(const char *text)
{
	const char *x = strpbrk(text, "xX");
	return x && x[1];
}

static bool read_number(const struct knob *k, const char *text, double *value, struct fault *fault)
{
	char *end;
	errno = 0;
	*value = strtod(text, &end);
	bool whole = k->type == KNOB_INTEGER;
	if (end != text && !*end && !hexadecimal(text) && isfinite(*value) && *value >= k->low && *value <= k->high &&
		!(whole && *value != floor(*value)))
		return true;
	return fault_set(fault, k->name, "see `knobs`", "\"%s\" is not a %snumber from %g to %g", text, whole ? "whole " : "",
		k->low, k->high);
}

static bool read_word(const struct knob *k, const char *text, int *value, struct fault *fault)
{
	const char *w = k->words;
	for (int i = 0; *w; i++) {
		size_t n = strcspn(w, "|");
		if (strlen(text) == n && strncmp(text, w, n) == 0) {
			*value = i;
			return true;
		}
		w += n + (w[n] == '|');
	}
	return fault_set(fault, k->name, "see `knobs`", "\"%s\" is not one of %s", text, k->words);
}

// Of the words, those written WORD:WHAT take a text.
static bool read_spoken(const struct knob *k, const char *text, bool live_only, struct spoken *value, struct fault *fault)
{
	struct spoken new = {0};
	const char *w = k->words;
	for (; *w; new.word++) {
		size_t n = strcspn(w, "|"), named = strcspn(w, "|:");
		if (named < n && strncmp(text, w, named + 1) == 0) {
			size_t length = strlen(text + named + 1);
			if (!length || length >= sizeof new.text - named - 1) // with the word it is a value like others
				return fault_set(fault, k->name, "put a longer command into a file",
					"the text behind \"%.*s\" is %s", (int)named + 1, w, length ? "too long" : "missing");
			memcpy(new.text, text + named + 1, length + 1);
			break;
		}
		if (named == n && strlen(text) == n && strncmp(text, w, n) == 0)
			break;
		w += n + (w[n] == '|');
	}
	if (!*w)
		return fault_set(fault, k->name, "see `knobs`", "\"%s\" is not one of %s", text, k->words);
	bool fixed = (new.text[0] || value->text[0]) && strcmp(new.text, value->text) != 0;
	if (live_only && fixed)
		return fault_set(fault, k->name, "start a session with it: new name=value",
			"this value cannot change while a search runs");
	*value = new;
	return true;
}

static bool set_term(struct knobs *values, const char *name, enum term_setting setting, const char *text, struct fault *fault)
{
	static const struct knob weight = {"weight", KNOB_REAL, 0, 1e6, "", "0", true, ""};
	double number = 0;
	if (setting == TERM_WEIGHT && !read_number(&weight, text, &number, fault))
		return false;
	if (setting == TERM_TARGET && strcmp(text, TARGET_NO) == 0)
		text = "";
	if (setting == TERM_TARGET && strlen(text) >= sizeof values->term->wish.target)
		return fault_set(fault, name, "give a format, a multiple such as 0.5x or a number", "target too long");
	if (setting == TERM_TARGET && hexadecimal(text))
		return fault_set(fault, name, "give a format (int4), a multiple of the widest (0.5x) or a number (1.2G)",
			"\"%s\" is not a target", text);
	int t = add_term(values, name, fault);
	if (t < 0)
		return false;
	if (setting == TERM_WEIGHT)
		values->term[t].wish.weight = number;
	else
		snprintf(values->term[t].wish.target, sizeof values->term[t].wish.target, "%s", text);
	return true;
}

bool knobs_set(struct knobs *values, const char *name, const char *text, bool live_only, struct fault *fault)
{
	enum term_setting setting;
	const char *term = term_behind(name, &setting);
	int i = knob_named(name);
	if (term)
		return set_term(values, term, setting, text, fault);
	if (i < 0)
		return fault_set(fault, name, "`knobs` lists them", "no such setting");
	if (live_only && !table[i].live)
		return fault_set(fault, name, "start a session with it: new name=value", "cannot change while a search runs");
	void *field = (char *)values + offsets[i];
	double number;
	switch (table[i].type) {
	case KNOB_INTEGER:
		if (!read_number(&table[i], text, &number, fault))
			return false;
		*(long *)field = (long)number;
		return true;
	case KNOB_REAL: return read_number(&table[i], text, field, fault);
	case KNOB_WORD: return read_word(&table[i], text, field, fault);
	case KNOB_SPOKEN: return read_spoken(&table[i], text, live_only, field, fault);
	case KNOB_TEXT: break;
	}
	if (!*text || strlen(text) >= ENGINE_TEXT)
		return fault_set(fault, name, "see `knobs`", *text ? "value too long" : "empty value");
	snprintf(field, ENGINE_TEXT, "%s", text);
	return true;
}

static void word_at(const char *words, int index, char *buf, size_t size)
{
	for (; index > 0; index--)
		words += strcspn(words, "|") + 1;
	snprintf(buf, size, "%.*s", (int)strcspn(words, "|"), words);
}

static void spoken_text(const char *words, const struct spoken *value, char *buf, size_t size)
{
	word_at(words, value->word, buf, size);
	size_t named = strcspn(buf, ":");
	if (buf[named])
		snprintf(buf + named + 1, size - named - 1, "%s", value->text);
}

// The shortest of a few texts that reads back as the same number.
static void real_text(double value, char *buf, size_t size)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buf, size, "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			return;
	}
}

bool knobs_get(const struct knobs *values, const char *name, char *buf, size_t size)
{
	enum term_setting setting;
	const char *term = term_behind(name, &setting);
	int i = knob_named(name), t = term ? knobs_term(values, term) : -1;
	if (term && setting == TERM_WEIGHT)
		real_text(t < 0 ? 0 : values->term[t].wish.weight, buf, size);
	else if (term)
		snprintf(buf, size, "%s", t < 0 ? "" : values->term[t].wish.target);
	if (term)
		return true;
	if (i < 0)
		return false;
	const void *field = (const char *)values + offsets[i];
	switch (table[i].type) {
	case KNOB_INTEGER: snprintf(buf, size, "%ld", *(const long *)field); break;
	case KNOB_REAL: real_text(*(const double *)field, buf, size); break;
	case KNOB_WORD: word_at(table[i].words, *(const int *)field, buf, size); break;
	case KNOB_SPOKEN: spoken_text(table[i].words, field, buf, size); break;
	case KNOB_TEXT: snprintf(buf, size, "%s", (const char *)field); break;
	}
	return true;
}

bool knobs_equal(const struct knobs *a, const struct knobs *b)
{
	bool equal = a->terms == b->terms;
	for (int i = 0; i < KNOB_COUNT; i++) {
		const void *x = (const char *)a + offsets[i], *y = (const char *)b + offsets[i];
		switch (table[i].type) {
		case KNOB_INTEGER: equal = equal && *(const long *)x == *(const long *)y; break;
		case KNOB_REAL: equal = equal && *(const double *)x == *(const double *)y; break;
		case KNOB_WORD: equal = equal && *(const int *)x == *(const int *)y; break;
		case KNOB_SPOKEN:
			equal = equal && ((const struct spoken *)x)->word == ((const struct spoken *)y)->word &&
				strcmp(((const struct spoken *)x)->text, ((const struct spoken *)y)->text) == 0;
			break;
		case KNOB_TEXT: equal = equal && strcmp(x, y) == 0; break;
		}
	}
	for (int t = 0; equal && t < a->terms; t++)
		equal = strcmp(a->term[t].name, b->term[t].name) == 0 && a->term[t].wish.weight == b->term[t].wish.weight &&
			strcmp(a->term[t].wish.target, b->term[t].wish.target) == 0;
	return equal;
}

bool setting_of_lane(const char *name)
{
	enum term_setting setting;
	return term_behind(name, &setting) != NULL || strcmp(name, "searcher") == 0;
}

void knobs_part(struct knobs *values, struct wishes *wishes)
{
	for (int t = 0; t < ENGINE_TERMS; t++)
		wishes->term[t] = values->term[t].wish;
	wishes->searcher = values->searcher;
	knobs_join(values, &(struct wishes){0});
}

void knobs_join(struct knobs *values, const struct wishes *wishes)
{
	for (int t = 0; t < ENGINE_TERMS; t++)
		values->term[t].wish = wishes->term[t];
	values->searcher = wishes->searcher;
}

// ---- config ----

// Of a setting that there is.
static bool *set_flag(struct config *c, const char *name)
{
	enum term_setting setting;
	const char *term = term_behind(name, &setting);
	return term ? &c->term_set[setting][knobs_term(&c->values, term)] : &c->set[knob_named(name)];
}

// The usual target of bit operations: for a named space its own; for a list of formats 0.3x, which is within the reach of most (FLIQS works
// at 1 to 1.5 times uniform 4 bit), but never nearer to the cheapest choice than half the way there, so that it can be met.
static void usual_target(const char *spec, char *target, size_t size)
{
	int format[SPACE_OPTIONS], count = space_formats(spec, format, NULL);
	for (int i = 0; i < SPACE_NAMES; i++)
		if (strcmp(spec, space_names[i].name) == 0) {
			snprintf(target, size, "%s", space_names[i].target);
			return;
		}
	double narrowest = count ? format_table[format[0]].bits : 1, widest = count ? format_table[format[count - 1]].bits : 8;
	double cheapest = narrowest * narrowest / (widest * widest), middle = sqrt(cheapest);
	snprintf(target, size, "%.2gx", cheapest < 0.28 ? 0.3 : middle);
}

// Whether a value is this one; "pipe:" is, whatever its text, and "!none" is any other than "none".
static bool said(const char *value, const char *is)
{
	size_t length = strlen(is);
	if (is[0] == '!')
		return strcmp(value, is + 1) != 0;
	return is[length - 1] == ':' ? strncmp(value, is, length) == 0 : strcmp(value, is) == 0;
}

// The terms that every search of its subject has stand first, then those that the person named.
static void take_subject(struct config *c)
{
	const enum term_subject subject = subject_of(&c->values);
	struct config old = *c;
	if (c->values.terms && c->subject == subject)
		return;
	c->subject = subject;
	c->values.terms = 0;
	memset(c->term_set, 0, sizeof c->term_set);
	for (int i = 0; i < TERM_IDS; i++)
		if (term_kinds[i].subject == subject)
			add_term(&c->values, term_kinds[i].name, NULL);
	for (int i = 0; i < old.values.terms; i++) {
		bool set = old.term_set[TERM_WEIGHT][i] || old.term_set[TERM_TARGET][i];
		int t = set ? add_term(&c->values, old.values.term[i].name, NULL) : -1;
		if (t < 0)
			continue;
		c->values.term[t].wish = old.values.term[i].wish;
		c->term_set[TERM_WEIGHT][t] = old.term_set[TERM_WEIGHT][i];
		c->term_set[TERM_TARGET][t] = old.term_set[TERM_TARGET][i];
	}
}

// Defaults and what goes with another setting, in all that the person has not set.
static void overlay(struct config *c)
{
	for (int i = 0; i < KNOB_COUNT; i++)
		if (!c->set[i] && strcmp(table[i].name, "preset") != 0)
			knobs_set(&c->values, table[i].name, table[i].preset, false, NULL);
	take_subject(c);
	const bool network = c->subject == SUBJECT_NETWORK; // of a machine, throughput alone counts
	char target[16];
	usual_target(c->values.space, target, sizeof target);
	for (int i = 0; i < c->values.terms; i++) {
		if (!c->term_set[TERM_WEIGHT][i])
			c->values.term[i].wish.weight = network && i == 0 ? 2
									  : 0; // suits quality=loss: nats against relative cost
		if (!c->term_set[TERM_TARGET][i])
			snprintf(c->values.term[i].wish.target, sizeof c->values.term[i].wish.target, "%s",
				network && i == 0 ? target : "");
	}
	for (int i = 0; i < OVERLAYS; i++) {
		char is[ENGINE_TEXT];
		knobs_get(&c->values, overlays[i].by, is, sizeof is);
		if (said(is, overlays[i].is) && !*set_flag(c, overlays[i].name))
			knobs_set(&c->values, overlays[i].name, overlays[i].value, false, NULL);
	}
}

struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof *c);
	if (c) {
		knobs_set(&c->values, "preset", "live", false, NULL);
		overlay(c);
	}
	return c;
}

struct config *config_copy(const struct config *from)
{
	struct config *c = malloc(sizeof *c);
	if (c)
		*c = *from;
	return c;
}

void config_free(struct config *c)
{
	free(c);
}

bool config_set(struct config *c, const char *name, const char *value, struct fault *fault)
{
	if (!knobs_set(&c->values, name, value, false, fault))
		return false;
	*set_flag(c, name) = true;
	overlay(c);
	return true;
}

// Settings that came later than others, and what a search did before them.
static const struct {
	const char *name, *before;
} later[] = {{"rate-fall", "1"}, {"gradients", "fp32"}, {"scale", "float"}, {"block-scale", "floor"}};
enum { LATER = sizeof later / sizeof *later };

const char *knobs_before(const char *name)
{
	for (int i = 0; i < LATER; i++)
		if (strcmp(later[i].name, name) == 0)
			return later[i].before;
	return NULL;
}

void config_begin_old(struct config *c)
{
	for (int i = 0; i < LATER; i++)
		config_set(c, later[i].name, later[i].before, NULL);
}

bool config_get(const struct config *c, const char *name, char *buf, size_t size)
{
	return knobs_get(&c->values, name, buf, size);
}

void knobs_each(const struct knobs *values, bool live_only, knobs_visit *each, void *context)
{
	char value[ENGINE_TEXT];
	for (int i = 0; i < KNOB_COUNT; i++) {
		if (live_only && !table[i].live)
			continue;
		knobs_get(values, table[i].name, value, sizeof value);
		each(table[i].name, value, context);
	}
}

void knobs_each_term(const struct knobs *values, knobs_visit *each, void *context)
{
	char name[ENGINE_NAME + 8], value[ENGINE_TEXT];
	for (int i = 0; i < 2 * values->terms; i++) {
		snprintf(name, sizeof name, "%s.%s", i % 2 ? "target" : "weight", values->term[i / 2].name);
		knobs_get(values, name, value, sizeof value);
		each(name, value, context);
	}
}

void config_each(const struct config *c, void (*each)(const char *name, const char *value, void *context), void *context)
{
	knobs_each(&c->values, false, each, context);
	knobs_each_term(&c->values, each, context);
}

const struct knobs *config_knobs(const struct config *c)
{
	return &c->values;
}

void config_take(struct config *c, const struct knobs *values)
{
	c->values = *values;
}
