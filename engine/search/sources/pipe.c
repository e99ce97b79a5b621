// SPDX-License-Identifier: GPL-3.0-or-later
// Quality from a command, quality=pipe:COMMAND: a child that is asked about choices and answers in lines. Nothing is trained here; a
// step is one of the policy alone. The network (net=…) still says what the layers are and what a choice costs.
//
// The dialogue. COMMAND is run by /bin/sh in the working directory; what it reads comes from us, what it writes goes to us, a line
// at a time and flushed, and its standard error is its log. First each says hello:
//
//	> hello {"protocol": 1, "net": "./cnn.net", "digest": "9f86d081884c7d65", "quality": ["accuracy", "loss"],
//	         "layers": [{"name": "stem", "kind": "conv", "in": [32,32,3], "out": [32,32,16], "kernel": [3,3], "stride": 1,
//	         "groups": 1, "weights": 432, "macs": 442368}, …],
//	         "slots": [{"name": "stem.w", "layer": "stem", "half": "weights", "formats": ["int2", "int4", "int8"]}, …]}
//	< hello 1 accuracy
//
// The first is one line. Then choices are asked about, a format for each slot in the order of the slots, and each is answered once,
// in any order:
//
//	> eval 1 int8 int8 int4 int4 int8 int8
//	> eval 2 int2 int2 int4 int4 int8 int8
//	< 2 ok quality=0.4375
//	< 1 ok quality=0.8125
//	> eval 3 int2 int2 int2 int2 int2 int2
//	< 3 fail the loss is not a number
//
// A choice that the network's description leaves open is a slot as well: {"name": "s2b1.kernel", "kind": "kernel", "options": ["3", "5"]}.
// A slot of what is not there under a choice makes no difference; its option is given all the same.
//
// At its end the child's input ends; what is still there half a second later is ended, with all that it started.
//
//   hello 1 accuracy  quality is accuracy, 0 to 1. `hello 1 loss`: a loss, 0 or more; `accuracy=…` beside it draws the front, too:
//                     "7 ok quality=1.93 accuracy=0.41".
//   constant          behind that: an answer depends on the choice alone. Then each choice is asked about once in a session.
//   digest=…          behind that: the child serves these layers alone; another digest is refused.
//   fail REASON       the choice is left out of the step's lesson, and of the front.
//
// Choices of a step are all asked about at once, so a child may score several side by side. Where it dies or is silent for
// quality-timeout seconds, it is ended and begun again, and then asked about one choice at a time; a choice that it dies on counts
// as failed. Where that does not help, and where it says what makes no sense, the search halts and says why; to run it on begins
// the child anew. Answers are recorded by the session, so whoever replays it starts no child: a choice that was answered at a
// step is not asked about again.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/quant/format.h"
#include "engine/search/layers.h"
#include "engine/search/source.h"
#include "engine/search/sources/answers.h"
#include "engine/search/sources/dialogue.h"

enum {
	PROTOCOL = 1,
	FLIGHTS = 4 * SEARCH_SAMPLES, // most questions without an answer
	MOST_LOST = 3,                // choices in a row that it dies on before the search halts
	MOST_FAILED = 64,             // choices in a row that it says it cannot score
};
static const double GIVE_WAY = 0.25, LEAVE = 0.5; // seconds

struct flight {
	unsigned long id;
	uint64_t key;
};

struct pipe {
	struct source source;
	struct dialogue dialogue;
	bool greeted;               // this child said hello
	bool known, loss, constant; // what the first one said, or a journal
	char digest[20];            // of the layers
	struct answers answers;
	struct string fresh; // answers that the session has still to be given
	long fresh_step;
	double fresh_since;
	unsigned long id; // of the last question
	struct flight flight[FLIGHTS];
	int flights;
	double heard;             // since then it has been silent
	bool answered;            // a child of this process did, ever
	bool singly;              // one question at a time
	int lost, failed;         // in a row
	char reason[ENGINE_TEXT]; // of the last failure
	int count;
	const uint8_t *posted;
};

static const struct knobs *knobs_of(const struct pipe *p)
{
	return &p->source.shared->knobs;
}

// ---- opening ----

static bool serves(const struct knobs *k)
{
	return k->quality.word == QUALITY_PIPE;
}

static void pipe_close(struct source *source)
{
	struct pipe *p = (struct pipe *)source;
	dialogue_end(&p->dialogue, LEAVE);
	answers_free(&p->answers);
	string_free(&p->fresh);
	free(p);
}

static struct source *pipe_open(const struct shared *shared, struct opened *opened, struct fault *fault)
{
	const struct knobs *k = &shared->knobs;
	struct pipe *p = calloc(1, sizeof *p);
	if (!p) {
		fault_memory(fault, "search");
		return NULL;
	}
	p->source = (struct source){.kind = &source_pipe, .shared = shared, .bell = -1};
	if (strcmp(k->data, "none") != 0)
		fault_set(fault, "data", "leave it out", "with quality=pipe the command has its own images");
	else if (strcmp(k->sensitivity, "none") != 0)
		fault_set(fault, "sensitivity", "leave one of the two out", "with quality=pipe the command says the quality");
	else if ((opened->blueprint = blueprint_named(k->net, (struct shape){0}, 0, fault)))
		return &p->source;
	free(p);
	return NULL;
}

static json_t *layers_as_json(const struct model *m)
{
	json_t *layers = json_array();
	for (int i = 0; i < m->layers; i++) {
		struct layer_info l = layer_info_of(m, i);
		json_array_append_new(layers,
			json_pack("{s:s, s:s, s:[iii], s:[iii], s:[ii], s:i, s:i, s:f, s:f}", "name", l.name, "kind", l.kind,
				"in", l.in_h, l.in_w, l.in_c, "out", l.out_h, l.out_w, l.out_c, "kernel", l.kernel_h, l.kernel_w,
				"stride", l.stride, "groups", l.groups, "weights", l.weights, "macs", l.macs));
	}
	return layers;
}

static json_t *slots_as_json(const struct space *space)
{
	static const char *const halves[] = {[HALF_WEIGHT] = "weights", [HALF_ACTIVATION] = "activations"};
	json_t *slots = json_array();
	for (int i = 0; i < space->slots; i++) {
		const struct slot *slot = &space->slot[i];
		json_t *options = json_array();
		for (int o = 0; o < slot->options; o++)
			json_array_append_new(options, json_string(slot->option[o]));
		json_array_append_new(slots,
			space_of_format(space, i) ? json_pack("{s:s, s:s, s:s, s:o}", "name", slot->name, "layer",
							    space->model->layer[space_layer(i)].name, "half", halves[i % HALVES],
							    "formats", options)
						  : json_pack("{s:s, s:s, s:o}", "name", slot->name, "kind",
							    slot_kinds[slot->kind].word, "options", options));
	}
	return slots;
}

static bool ready(struct source *source, struct fault *fault)
{
	struct pipe *p = (struct pipe *)source;
	json_t *layers = layers_as_json(source->shared->model);
	char *text = layers ? json_dumps(layers, JSON_COMPACT) : NULL;
	if (text)
		snprintf(p->digest, sizeof p->digest, "%016llx",
			(unsigned long long)answers_key((const uint8_t *)text, strlen(text), 0));
	free(text);
	json_decref(layers);
	return p->digest[0] || fault_memory(fault, "search");
}

// ---- what goes wrong ----

// The search stands still until a person has seen to it. Always false.
__attribute__((format(printf, 3, 4))) static bool halt(struct pipe *p, struct fault *fault, const char *what, ...)
{
	char text[2 * sizeof fault->what], says[DIALOGUE_COMPLAINT + 16];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof text, what, args);
	va_end(args);
	dialogue_says(&p->dialogue, says, sizeof says);
	dialogue_end(&p->dialogue, 0);
	p->flights = p->lost = p->failed = 0;
	p->singly = false;
	p->source.standing = SOURCE_HALTS;
	return fault_set(fault, "quality", "mend that; `run` begins the command again", "the command %s%s", text, says);
}

// Where the next word for the journal goes.
static struct string *fresh_word(struct pipe *p)
{
	if (!p->fresh.length) {
		p->fresh_since = clock_seconds();
		p->fresh_step = p->source.shared->step;
	}
	string_add(&p->fresh, "%s", p->fresh.length ? " " : "");
	return &p->fresh;
}

static bool record(struct pipe *p, uint64_t key, const struct scored *a, struct fault *fault)
{
	long step = p->source.shared->step;
	answers_write(fresh_word(p), key, a);
	return (!p->fresh.failed && answers_put(&p->answers, key, a, step, p->constant ? LONG_MIN : step)) ||
		fault_memory(fault, "quality");
}

static bool fail_choice(struct pipe *p, uint64_t key, const char *reason, struct fault *fault)
{
	snprintf(p->reason, sizeof p->reason, "%s", reason);
	snprintf(p->source.says, sizeof p->source.says, "a choice failed: %.100s", reason);
	return record(p, key, &(struct scored){.failed = true, .accuracy = NAN}, fault);
}

// The child is gone, or has to go; `how` says it. It is begun again when it is asked again.
static bool lose(struct pipe *p, const char *how, struct fault *fault)
{
	if (!p->greeted)
		return halt(p, fault, "%s, and had not said hello", how);
	if (p->flights && !p->answered)
		return halt(p, fault, "%s, and has answered nothing", how);
	if (p->flights == 1 && ++p->lost == MOST_LOST)
		return halt(p, fault, "%s; so did those before it, on %d choices in a row", how, MOST_LOST);
	dialogue_end(&p->dialogue, 0);
	uint64_t key = p->flight[0].key;
	bool one = p->flights == 1;
	p->singly = p->flights > 0;
	p->flights = 0;
	return !one || fail_choice(p, key, how, fault);
}

static bool ended(struct pipe *p, struct fault *fault)
{
	char fate[64], how[160];
	bool within = p->dialogue.length > 0;
	child_fate(&p->dialogue.child, 0.1, fate, sizeof fate);
	bool runs = strcmp(fate, "still runs") == 0;
	snprintf(how, sizeof how, "%s%s", runs ? "closed its output" : fate, within ? " in the middle of a line" : "");
	return lose(p, how, fault);
}

// ---- what it says ----

static bool read_hello(struct pipe *p, const char *line, struct fault *fault)
{
	char text[DIALOGUE_LINE], *save = NULL;
	bool loss = false, constant = false;
	snprintf(text, sizeof text, "%s", line);
	int n = 0;
	for (char *word = strtok_r(text, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save), n++) {
		bool good = n == 0 ? strcmp(word, "hello") == 0
			: n == 1   ? strcmp(word, "1") == 0
			: n == 2   ? strcmp(word, "accuracy") == 0 || strcmp(word, "loss") == 0
				   : strcmp(word, "constant") == 0 || strncmp(word, "digest=", 7) == 0;
		if (!good)
			return halt(p, fault,
				"wrote \"%.60s\" where \"hello 1 accuracy\" or \"hello 1 loss\" was expected "
				"(a log goes to standard error)",
				line);
		loss |= n == 2 && strcmp(word, "loss") == 0;
		constant |= strcmp(word, "constant") == 0;
		if (strncmp(word, "digest=", 7) == 0 && strcmp(word + 7, p->digest) != 0)
			return halt(p, fault, "is made for other layers: their digest is %.20s, that of this network %s",
				word + 7, p->digest);
	}
	if (n < 3)
		return halt(p, fault, "wrote \"%.60s\", without saying accuracy or loss behind the protocol's number", line);
	if (p->known && (loss != p->loss || constant != p->constant))
		return halt(p, fault, "says \"%.60s\", but in this session it said %s%s before", line,
			p->loss ? "loss" : "accuracy", p->constant ? " constant" : "");
	if (!p->known)
		string_add(fresh_word(p), "hello,%s%s", loss ? "loss" : "accuracy", constant ? ",constant" : "");
	p->loss = loss;
	p->constant = constant;
	p->known = p->greeted = true;
	return true;
}

static bool read_number(const char *text, double *value)
{
	char *end;
	*value = strtod(text, &end);
	return end != text && !*end && isfinite(*value);
}

// "quality=0.8", and of a loss "accuracy=0.8" too.
static bool read_answer(struct pipe *p, char *words, struct scored *a)
{
	char *save = NULL;
	double quality = NAN;
	*a = (struct scored){.accuracy = NAN};
	for (char *word = strtok_r(words, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save)) {
		bool main = strncmp(word, "quality=", 8) == 0, beside = p->loss && strncmp(word, "accuracy=", 9) == 0;
		if (!main && !beside)
			return false;
		if (!read_number(word + (main ? 8 : 9), main ? &quality : &a->accuracy))
			return false;
		if (beside && (a->accuracy < 0 || a->accuracy > 1))
			return false;
	}
	a->quality = p->loss ? -quality : quality;
	return quality >= 0 && (p->loss ? quality <= 1e12 : quality <= 1);
}

static bool read_reply(struct pipe *p, const char *line, struct fault *fault)
{
	char text[DIALOGUE_LINE], *end;
	struct scored a;
	snprintf(text, sizeof text, "%s", line);
	char *at = text + strspn(text, " \t");
	unsigned long id = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
	char verb[8] = "";
	if (id)
		sscanf(end, " %7s", verb);
	bool ok = strcmp(verb, "ok") == 0, fail = strcmp(verb, "fail") == 0;
	if (!id || *end != ' ' || !(ok || fail))
		return halt(p, fault,
			"wrote \"%.60s\" where \"ID ok quality=Q\" or \"ID fail REASON\" was expected "
			"(a log goes to standard error)",
			line);
	int i = 0;
	while (i < p->flights && p->flight[i].id != id)
		i++;
	if (i == p->flights)
		return halt(p, fault, "answered question %lu, %s", id,
			id <= p->id ? "which it was not asked, or twice" : "which it was not asked");
	uint64_t key = p->flight[i].key;
	p->flight[i] = p->flight[--p->flights];
	p->answered = true;
	p->lost = 0;
	char *rest = strstr(end, verb) + strlen(verb);
	if (fail) {
		const char *reason = rest + strspn(rest, " \t");
		if (++p->failed >= MOST_FAILED)
			return halt(p, fault, "failed on %d choices in a row, the last one: %.100s", p->failed, reason);
		return fail_choice(p, key, reason[0] ? reason : "it gave no reason", fault);
	}
	if (!read_answer(p, rest, &a))
		return halt(p, fault, "answered \"%.60s\": expected quality=Q, %s", line,
			p->loss ? "a loss of 0 or more, and perhaps accuracy=A, 0 to 1" : "an accuracy of 0 to 1");
	p->failed = 0;
	return record(p, key, &a, fault);
}

// All that has come. False: it halts, or memory ran out. *some: something has.
static bool hear(struct pipe *p, bool *some, struct fault *fault)
{
	const char *line;
	for (;;) {
		enum heard heard = dialogue_hear(&p->dialogue, &line);
		*some |= heard != HEARD_NOTHING;
		if (heard == HEARD_NOTHING)
			return true;
		p->heard = clock_seconds();
		if (heard == HEARD_TOO_LONG)
			return halt(p, fault, "wrote a line of more than %d characters, or one with a zero byte: \"%.40s\"",
				DIALOGUE_LINE - 1, p->dialogue.line);
		if (heard == HEARD_END)
			return ended(p, fault);
		if (!(p->greeted ? read_reply(p, line, fault) : read_hello(p, line, fault)))
			return false;
	}
}

// ---- what it is asked ----

static bool begin(struct pipe *p, struct fault *fault)
{
	const struct shared *s = p->source.shared;
	if (!dialogue_begin(&p->dialogue, knobs_of(p)->quality.text, fault)) {
		p->source.standing = SOURCE_HALTS;
		return false;
	}
	p->greeted = false;
	p->flights = 0;
	p->heard = clock_seconds();
	json_t *hello = json_pack("{s:i, s:s, s:s, s:[ss], s:o, s:o}", "protocol", PROTOCOL, "net", knobs_of(p)->net, "digest",
		p->digest, "quality", "accuracy", "loss", "layers", layers_as_json(s->model), "slots", slots_as_json(s->space));
	char *text = hello ? json_dumps(hello, JSON_COMPACT) : NULL;
	string_add(&p->dialogue.out, "hello %s\n", text ? text : "");
	bool ok = text && !p->dialogue.out.failed;
	free(text);
	json_decref(hello);
	if (!ok) {
		dialogue_end(&p->dialogue, 0);
		return fault_memory(fault, "quality");
	}
	dialogue_send(&p->dialogue);
	return true;
}

static bool in_flight(const struct pipe *p, uint64_t key)
{
	for (int i = 0; i < p->flights; i++)
		if (p->flight[i].key == key)
			return true;
	return false;
}

static uint64_t key_of(const struct pipe *p, const uint8_t *choice)
{
	const struct shared *s = p->source.shared;
	return answers_key(choice, (size_t)s->space->slots, p->constant ? -1 : s->step);
}

static void ask(struct pipe *p, const uint8_t *choice, uint64_t key)
{
	const struct space *space = p->source.shared->space;
	struct string *out = &p->dialogue.out;
	if (!p->flights)
		p->heard = clock_seconds();
	p->flight[p->flights++] = (struct flight){++p->id, key};
	string_add(out, "eval %lu", p->id);
	for (int i = 0; i < space->slots; i++)
		string_add(out, " %s", space->slot[i].option[choice[i]]);
	string_add(out, "\n");
}

// Asks about what was neither answered nor asked yet, as far as it may. False: out of memory.
static bool ask_missing(struct pipe *p, int count, const uint8_t *choices, struct fault *fault)
{
	int most = p->singly ? 1 : FLIGHTS;
	for (int i = 0; i < count && p->flights < most; i++) {
		const uint8_t *choice = choices + i * p->source.shared->space->slots;
		uint64_t key = key_of(p, choice);
		if (!answers_find(&p->answers, key) && !in_flight(p, key))
			ask(p, choice, key);
	}
	if (p->dialogue.out.failed)
		return fault_memory(fault, "quality");
	dialogue_send(&p->dialogue); // where it reads no more, its output tells
	return true;
}

// Gives way: requests may be waiting, answers are to be recorded, and a person is to see how it stands. Always false.
static bool give_way(struct pipe *p, double waited)
{
	if (waited > 2 * GIVE_WAY)
		snprintf(p->source.says, sizeof p->source.says,
			p->greeted ? "the command is asked about %d choice%s, silent for %.0f s" : "the command starts",
			p->flights, p->flights == 1 ? "" : "s", waited);
	p->source.standing = SOURCE_WAITS;
	return false;
}

static bool all_answered(const struct pipe *p, int count, const uint8_t *choices)
{
	for (int i = 0; i < count; i++)
		if (!answers_find(&p->answers, key_of(p, choices + i * p->source.shared->space->slots)))
			return false;
	return true;
}

// Until all of them are answered. False: the source's standing says what that means.
static bool await(struct pipe *p, int count, const uint8_t *choices, struct fault *fault)
{
	double began = clock_seconds(), timeout = knobs_of(p)->quality_timeout;
	p->source.standing = SOURCE_FAILED;
	while (!all_answered(p, count, choices)) {
		bool some = false;
		if (!p->source.allowed) {
			p->source.standing = SOURCE_HALTS;
			return fault_set(fault, "quality", "see that it is harmless, then allow it: `allow`, or --run-commands",
				"this session runs a command, which nobody here has allowed: %.100s", knobs_of(p)->quality.text);
		}
		if (!p->dialogue.child.pid && !begin(p, fault))
			return false;
		if ((p->greeted && !ask_missing(p, count, choices, fault)) || !hear(p, &some, fault))
			return false;
		if (some)
			continue;
		double now = clock_seconds(), waited = now - p->heard;
		if (waited > timeout) {
			char how[64];
			snprintf(how, sizeof how, "was silent for %g s (quality-timeout)", timeout);
			if (!lose(p, how, fault))
				return false;
			continue;
		}
		if (now - began > GIVE_WAY || (p->fresh.length && now - p->fresh_since > GIVE_WAY))
			return give_way(p, waited);
		if (dialogue_wait(&p->dialogue, p->source.bell, fmin(GIVE_WAY, timeout - waited)))
			return give_way(p, waited);
	}
	p->singly = false;
	if (strncmp(p->source.says, "the command", 11) == 0) // it has answered
		p->source.says[0] = '\0';
	return true;
}

// ---- as a source ----

static bool post(struct source *source, int lane, int count, const uint8_t *choices, struct fault *fault)
{
	struct pipe *p = (struct pipe *)source;
	(void)lane; // a choice is as good in one as in another
	source->standing = SOURCE_FAILED;
	p->count = count;
	p->posted = choices;
	return !p->greeted || !p->dialogue.child.pid || ask_missing(p, count, choices, fault);
}

static bool collect(struct source *source, double *quality, struct fault *fault)
{
	struct pipe *p = (struct pipe *)source;
	if (!await(p, p->count, p->posted, fault))
		return false;
	for (int i = 0; i < p->count; i++) {
		const struct scored *a = answers_find(&p->answers, key_of(p, p->posted + i * source->shared->space->slots));
		quality[i] = a->quality;
		source->failed |= (uint64_t)a->failed << i;
	}
	return true;
}

// It has one set of images, whatever the split.
static bool evaluate(struct source *source, const struct knobs *k, int lane, const uint8_t *choice, enum split split, long images,
	struct evaluation *e, struct fault *fault)
{
	struct pipe *p = (struct pipe *)source;
	(void)k, (void)lane, (void)images;
	if (!await(p, 1, choice, fault))
		return false;
	const struct scored *a = answers_find(&p->answers, key_of(p, choice));
	if (a->failed)
		return fault_set(fault, "evaluate", "its log may say more", "the command cannot score this choice%s%s",
			p->reason[0] ? ": " : "", p->reason);
	if (p->loss && isnan(a->accuracy))
		return fault_set(fault, "evaluate", "let it answer \"ID ok quality=LOSS accuracy=A\"",
			"the command gives no accuracy beside its loss");
	e->split = split;
	e->accuracy = p->loss ? a->accuracy : a->quality;
	e->loss = p->loss ? -a->quality : (double)NAN;
	for (int l = 0; e->range && l < source->shared->model->layers; l++)
		e->range[l] = (struct layer_range){NAN, NAN};
	return true;
}

static bool fresh(struct source *source, long *step, struct string *words)
{
	struct pipe *p = (struct pipe *)source;
	if (!p->fresh.length)
		return false;
	*step = p->fresh_step;
	string_bytes(words, p->fresh.bytes, p->fresh.length);
	string_clear(&p->fresh);
	return true;
}

static bool recall(struct source *source, long step, const char *words, struct fault *fault)
{
	struct pipe *p = (struct pipe *)source;
	char *copy = strdup(words), *save = NULL;
	bool ok = copy || fault_memory(fault, "quality");
	for (char *word = ok ? strtok_r(copy, " ", &save) : NULL; ok && word; word = strtok_r(NULL, " ", &save)) {
		uint64_t key;
		struct scored a;
		if (strncmp(word, "hello,", 6) == 0) {
			p->known = true;
			p->loss = strncmp(word + 6, "loss", 4) == 0;
			p->constant = strstr(word, ",constant") != NULL;
		} else if (!answers_read(word, &key, &a)) {
			ok = fault_set(fault, "quality", "take the journal from a backup", "\"%.40s\" is not an answer", word);
		} else if (p->constant || step >= source->shared->step) {
			ok = answers_put(&p->answers, key, &a, step, LONG_MIN) || fault_memory(fault, "quality");
		}
	}
	free(copy);
	return ok;
}

static bool by_loss(const struct source *source, const struct knobs *k)
{
	(void)k; // it is the child's to say
	return ((const struct pipe *)source)->loss;
}

static void identity(const struct source *source, knobs_visit *each, void *context)
{
	each("layers", ((const struct pipe *)source)->digest, context);
}

const struct source_kind source_pipe = {.name = "pipe",
	.serves = serves,
	.open = pipe_open,
	.ready = ready,
	.close = pipe_close,
	.post = post,
	.collect = collect,
	.evaluate = evaluate,
	.identity = identity,
	.by_loss = by_loss,
	.fresh = fresh,
	.recall = recall};
