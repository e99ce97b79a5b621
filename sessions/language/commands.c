// SPDX-License-Identifier: GPL-3.0-or-later
// The session's rows of the command language, and those of its commands that only pass arguments on.
#include <stdlib.h>
#include <string.h>

#include "sessions/store/changes.h"
#include "sessions/core/inside.h"
#include "sessions/language/readout.h"
#include "sessions/report/report.h"

enum { NOTE_MOST = WORDS_LINE / 2 };

// ---- changes -------------------------------------------------------------------------------------------------------

// Which lane a person's change is about: the one that was said, else where it is one lane's, the one in focus.
static bool name_lane(const struct session *s, struct change *c, struct fault *f)
{
	for (int i = 0; s->said_lane && c->kind == CHANGE_SET && i < c->items; i++)
		if (!setting_of_lane(c->item[i].name))
			return fault_set(f, c->item[i].name, "leave `lane N` out",
				"it is a setting of the whole search, not of a lane");
	c->lane = s->said_lane ? s->said_lane : change_of_lane(c) ? session_focus(s) : c->lane;
	return true;
}

static bool run_change(struct command_call *call)
{
	struct change change;
	if (!change_read(call->line, &change, &call->fault))
		return false;
	struct session *s = call->context;
	bool ok = name_lane(s, &change, &call->fault) && session_change(s, &change, ACT_DO, 0, &call->fault);
	free(change.item);
	return ok;
}

bool run_in_lane(const struct command *c)
{
	return c->run == run_change || c->run == run_lane;
}

static bool run_undo(struct command_call *call)
{
	struct session *s = call->context;
	return s->draft ? draft_undo(s, call) : session_undo(s, ACT_UNDO, &call->fault);
}

static bool run_redo(struct command_call *call)
{
	return session_undo(call->context, ACT_REDO, &call->fault);
}

static bool run_note(struct command_call *call)
{
	struct session *s = call->context;
	struct string t = {0};
	if (!session_may_change(s, &call->fault))
		return false;
	string_add(&t, "note ");
	words_quote(&t, call->argv[0]);
	bool ok = !t.failed || fault_memory(&call->fault, "note");
	if (ok && t.length >= NOTE_MOST) // a line of the journal is read back as one of commands
		ok = fault_set(&call->fault, "note", "make two of it", "it is longer than %d bytes", NOTE_MOST);
	if (ok) {
		long step = s->snapshot->step > s->journal.last_step ? s->snapshot->step : s->journal.last_step;
		const struct journal_line line = {.kind = JOURNAL_NOTE, .step = step, .text = t.bytes};
		ok = session_log(s, &line, &call->fault);
		if (ok)
			session_acknowledge(s, "step %ld: noted", step);
	}
	string_free(&t);
	return ok;
}

// ---- running -------------------------------------------------------------------------------------------------------

static bool may_run(const struct session *s, struct fault *f)
{
	if (s->play.on)
		return fault_set(f, s->title, "wait until it is done", "it is catching up with its journal (step %ld)",
			s->snapshot->step);
	if (s->read_only)
		return session_refuse_read_only(s, f);
	if (!travel_allows(s, f))
		return false;
	if (s->measuring)
		return fault_set(f, "run", "wait until it is done, or `device cancel`", "the machine is being measured");
	if (s->snapshot->run == RUN_FAILED)
		return fault_set(f, s->snapshot->fault.where, s->snapshot->fault.todo, "%s", s->snapshot->fault.what);
	if (s->snapshot->idle)
		return fault_set(f, "run", "begin a new session with it", "%s", s->snapshot->idle);
	if (s->info->command[0] && s->journal.end.bytes > JOURNAL_FULL)
		return fault_set(f, s->title, "begin another session", "its journal is full");
	if (s->snapshot->step >= s->snapshot->horizon && s->snapshot->run != RUN_HALTED && !s->snapshot->polish.lane)
		return fault_set(f, "run", "`extend N` gives it more steps", "the search is finished (step %ld)",
			s->snapshot->step);
	return true;
}

// Runs `steps`, or to the horizon where that is nearer. A batch waits for it.
static bool run_steps(struct session *s, long steps, struct fault *f)
{
	const struct snapshot *now = s->snapshot;
	if (!may_run(s, f))
		return false;
	s->by_hand |= s->batch || steps != LONG_MAX;
	long goal = steps < now->horizon - now->step ? now->step + steps : now->horizon;
	if (s->batch)
		return wait_begin(s, WAIT_STEP, goal, 0, NULL, f);
	engine_run_to(s->engine, goal < now->horizon ? goal : ENGINE_RUN_ON);
	return true;
}

static bool steps_of(struct command_call *call, long otherwise, long *steps)
{
	*steps = otherwise;
	return !call->argc || number_read_long(call->argv[0], 1, LONG_MAX, steps) ||
		fault_set(&call->fault, call->argv[0], "give a whole number, 1 or more", "this is not a number of steps");
}

static bool run_run(struct command_call *call)
{
	long steps;
	return steps_of(call, LONG_MAX, &steps) && run_steps(call->context, steps, &call->fault);
}

static bool run_step(struct command_call *call)
{
	long steps;
	return steps_of(call, 1, &steps) && run_steps(call->context, steps, &call->fault);
}

static bool run_pause(struct command_call *call)
{
	struct session *s = call->context;
	if (s->play.on)
		return may_run(s, &call->fault);
	engine_pause(s->engine);
	return true;
}

// How fast steps follow each other is no change of the search: it ends in the same numbers.
static bool run_pace(struct command_call *call)
{
	struct session *s = call->context;
	double pace = 0;
	if (call->argc && strcmp(call->argv[0], "off") != 0 &&
		(!number_read(call->argv[0], &pace) || !(pace >= 0.01 && pace <= 1e6)))
		return fault_set(&call->fault, call->argv[0], "give a number from 0.01 to 1M, or off",
			"is not a number of steps a second");
	if (call->argc) {
		s->pace = pace;
		engine_pace(s->engine, pace);
	}
	if (s->pace > 0)
		call->say(call, "at most %g steps a second; `pace off`: as many as it can", s->pace);
	else
		call->say(call, "as many steps a second as it can");
	return true;
}

static bool run_wait(struct command_call *call)
{
	struct session *s = call->context;
	struct fault *f = &call->fault;
	long goal;
	if (!s->batch)
		return fault_set(f, "wait", "`run` and `pause` are for you", "only a batch run waits");
	if (call->argc == 1 && strcmp(call->argv[0], "finished") == 0)
		return wait_begin(s, WAIT_FINISHED, 0, 0, NULL, f);
	if (call->argc == 2 && strcmp(call->argv[0], "step") == 0) {
		if (!number_read_long(call->argv[1], 0, LONG_MAX, &goal))
			return fault_set(f, call->argv[1], "give a whole number", "this is not a step");
		return wait_begin(s, WAIT_STEP, goal, 0, NULL, f);
	}
	// Checked at once, so that a slip does not come out hours later.
	struct reading reading;
	bool holds;
	return comparison_check(call->argc, call->argv, f) && comparison_holds(s, call->argc, call->argv, &holds, &reading, f) &&
		(holds || wait_begin(s, WAIT_READOUT, s->snapshot->step, call->argc, call->argv, f));
}

// ---- asking --------------------------------------------------------------------------------------------------------

static bool known_format(const struct session *s, const char *word, struct fault *f)
{
	char todo[200] = "give heldout or test, then modal, draft or one of";
	const struct slot_info *slot = &s->info->slot[0];
	if (slot_option(slot, word) >= 0)
		return true;
	for (int o = 0; o < slot->options; o++) {
		size_t used = strlen(todo);
		snprintf(todo + used, sizeof todo - used, " %s", slot->option[o].name);
	}
	return fault_set(f, word, todo, "neither a split nor a choice");
}

static bool run_evaluate(struct command_call *call)
{
	struct session *s = call->context;
	enum split split = SPLIT_HELDOUT;
	enum choice_kind kind = CHOICE_RESULT;
	const char *called = "result";
	bool draft = false, ok;
	int splits = 0;
	for (int i = 0; i < call->argc; i++) {
		const char *word = call->argv[i];
		bool heldout = strcmp(word, "heldout") == 0, test = strcmp(word, "test") == 0;
		if (heldout || test)
			split = heldout ? SPLIT_HELDOUT : SPLIT_TEST, splits++;
		else if (strcmp(word, "result") == 0)
			kind = CHOICE_RESULT, called = word;
		else if (strcmp(word, "modal") == 0)
			kind = CHOICE_GIVEN, called = "modal choice";
		else if (strcmp(word, "draft") == 0)
			kind = CHOICE_GIVEN, called = word, draft = true;
		else if (known_format(s, word, &call->fault))
			kind = CHOICE_UNIFORM, called = word;
		else
			return false;
	}
	if (splits > 1 || call->argc - splits > 1)
		return fault_set(&call->fault, "evaluate", "evaluate [heldout|test] [result|modal|draft|FORMAT]",
			"it takes one %s", splits > 1 ? "split" : "choice");
	if (draft && !s->draft)
		return fault_set(&call->fault, "evaluate", "`draft LAYER FORMAT` begins one", "there is no draft");
	uint8_t *modal = calloc((size_t)s->info->slots + 1, 1);
	if (!modal)
		return fault_memory(&call->fault, "evaluate");
	session_modal(s, modal);
	ok = session_evaluate(s, kind, called, draft ? s->draft : modal, split, &call->fault);
	free(modal);
	return ok;
}

static bool run_save(struct command_call *call)
{
	struct session *s = call->context;
	s->by_hand = true;
	return session_save(s, true, &call->fault);
}

static bool run_digest(struct command_call *call)
{
	return session_ask_digest(call->context, true, &call->fault);
}

static bool run_echo(struct command_call *call)
{
	struct string t = {0};
	for (int i = 0; i < call->argc; i++)
		string_add(&t, "%s%s", i ? " " : "", call->argv[i]);
	call->say(call, "%s", t.bytes ? t.bytes : "");
	string_free(&t);
	return true;
}

// ---- the table -----------------------------------------------------------------------------------------------------

#define LAYER ARGUMENT_LAYER
#define FORMAT ARGUMENT_FORMAT
#define FORMATS ARGUMENT_FORMATS
#define TERM ARGUMENT_TERM
#define TEXT ARGUMENT_TEXT
#define NUMBER ARGUMENT_NUMBER
#define WORDS ARGUMENT_WORDS

static const struct command rows[] = {
	{"pin", COMMAND_CHANGE, 2, -1, {LAYER, FORMAT}, 2, NULL, "LAYER FORMAT|SLOT OPTION [...]",
		"allow a layer one format only; LAYER may be a pattern (s2*), a group, or one half: stem.w weights, stem.a input; "
		"or a slot one option: s2b1.kernel 5",
		run_change},
	{"restrict", COMMAND_CHANGE, 2, -1, {LAYER, FORMATS}, 2, NULL, "LAYER FORMAT,FORMAT|SLOT OPTION,OPTION [...]",
		"allow a layer some formats only, or a slot some options: s3*.expand 3,6", run_change},
	{"unpin", COMMAND_CHANGE, 1, -1, {LAYER}, 1, NULL, "LAYER|SLOT...",
		"allow a layer every format again, a slot every option", run_change},
	{"decide", COMMAND_CHANGE, 1, 1, {WORDS}, 0, "tied|split", "tied|split",
		"decide a layer's weight and activation formats together or separately", run_change},
	{"group", COMMAND_CHANGE, 3, -1, {LAYER, WORDS, TEXT}, 3, "- as -", "PATTERN as NAME [PATTERN as NAME]...",
		"decide all layers that match as one: group s2* as stage2; or slots of one kind: group s3*.kernel as k3",
		run_change},
	{"ungroup", COMMAND_CHANGE, 1, -1, {ARGUMENT_GROUP}, 1, NULL, "NAME...", "decide each layer of a group by itself again",
		run_change},
	{"weight", COMMAND_CHANGE, 2, -1, {TERM, NUMBER}, 2, NULL, "TERM NUMBER [TERM NUMBER]...",
		"how much a cost term counts in the reward; 0: not at all", run_change},
	{"target", COMMAND_CHANGE, 2, -1, {TERM, FORMAT}, 2, "- none", "TERM FORMAT|0.5x|NUMBER|none [...]",
		"what a cost should be: that of a uniform format, a share of the widest, or a number (k M G T; a time is per batch: 3ms, 20mJ); "
		"none: any, at weight 0",
		run_change},
	{"reward", COMMAND_CHANGE, 1, 1, {WORDS}, 0, "abs|relu|mnas", "abs|relu|mnas", "how quality and costs become one reward",
		run_change},
	{"searcher", COMMAND_CHANGE, 1, 1, {WORDS}, 0, SEARCHER_WORDS, "NAME",
		"what finds the choice from here on: the search, or a rival of it", run_change},
	{"set", COMMAND_CHANGE, 2, -1, {ARGUMENT_KNOB, ARGUMENT_VALUE}, 2, NULL, "SETTING VALUE [SETTING VALUE]...",
		"change a setting while the search runs; `knobs` lists them", run_change},
	{"extend", COMMAND_CHANGE, 1, 2, {NUMBER, TEXT}, 0, NULL, "STEPS [rate=R]",
		"move the horizon out; with rate= the learning rate falls again, from R", run_change},
	{"lane", COMMAND_CHANGE, 1, -1, {ARGUMENT_LANE, ARGUMENT_LANE, FORMAT, TERM, FORMAT}, 2,
		"add|drop|back|polish|list|focus",
		"add TERM TARGET [...] | drop N | back N | polish STEPS [rate=R] | list | focus N|next | N COMMAND",
		"several policies with targets of their own over the same weights: add begins one, focus shows one, polish trains a copy of "
		"them on its result",
		run_lane},
	{"undo", COMMAND_CHANGE, 0, 0, {0}, 0, NULL, "", "take back the last change, from now on; with a draft, its last edit",
		run_undo},
	{"redo", COMMAND_CHANGE, 0, 0, {0}, 0, NULL, "", "make the change again that was taken back last", run_redo},
	{"note", COMMAND_CHANGE, 1, 1, {ARGUMENT_REST}, 0, NULL, "TEXT", "write the rest of the line into the journal as a note",
		run_note},

	{"run", COMMAND_QUERY, 0, 1, {NUMBER}, 0, NULL, "[STEPS]", "run to the end, or this many steps", run_run},
	{"step", COMMAND_QUERY, 0, 1, {NUMBER}, 0, NULL, "[STEPS]", "run one step, or this many", run_step},
	{"pace", COMMAND_QUERY, 0, 1, {NUMBER}, 0, "off", "[STEPS|off]",
		"make at most so many steps a second, so that they can be watched; nothing else changes", run_pace},
	{"pause", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "pause the search between two steps", run_pause},
	{"evaluate", COMMAND_QUERY, 0, 2, {FORMAT, FORMAT}, 0, "heldout|test|result|modal|draft heldout|test|result|modal|draft",
		"[heldout|test] [result|modal|draft|FORMAT]", "score a choice on a whole split, calibrated for it", run_evaluate},
	{"price", COMMAND_QUERY, 0, -1, {FORMAT}, 1, NULL, "[FORMAT]...",
		"what the modal choice, the draft and uniform choices cost", run_price},
	{"draft", COMMAND_QUERY, 1, -1, {LAYER, ARGUMENT_EDIT}, 2, "up|down|show|commit|drop",
		"LAYER FORMAT [...] | SLOT OPTION [...] | up|down LAYER|SLOT... | show | commit | drop",
		"edit a choice by hand, every cost moving at once; commit pins it, drop forgets it", run_draft},
	{"apply", COMMAND_QUERY, 1, 2, {WORDS, FORMAT}, 0, "uniform|ends|file", "uniform|ends FORMAT | file",
		"draft one format in all layers; with `ends`, int8 in the first and the last", run_apply},
	{"paste", COMMAND_QUERY, 1, 1, {ARGUMENT_FILE}, 0, NULL, "FILE|DIGITS",
		"draft an exported policy, or one width per layer in order: 8444…8", run_paste},
	{"status", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "show where the search stands", run_status},
	{"layers", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "the layers, their formats and their share of the cost", run_layers},
	{"slots", COMMAND_QUERY, 0, 1, {LAYER}, 0, NULL, "[SLOT|LAYER]",
		"what may vary: the choices of the architecture, or those that a word means, and what the policy says of them",
		run_slots},
	{"why", COMMAND_QUERY, 1, 1, {LAYER}, 0, NULL, "LAYER|SLOT",
		"why this format: what each format of a layer is worth by the additive model of quality, what it costs, and the reward",
		run_why},
	{"foretold", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "",
		"what was foretold of drafts that were committed, with their costs, and what came of it on the held-out images",
		run_foretold},
	{"front", COMMAND_QUERY, 0, 1, {WORDS}, 0, "all", "[all]", "the best trades of cost against quality", run_front},
	{"point", COMMAND_QUERY, 1, 3, {NUMBER, WORDS, ARGUMENT_FILE}, 0, "- draft|pin|evaluate|export|train",
		"N [draft | pin | evaluate [heldout|test] | export [FILE] | train [STEPS]]",
		"the choice behind the N-th point of `front all`: what it is; draft it, pin all of it, score it on a whole split, write it as JSON, "
		"or train it alone, from nothing, beside the search",
		run_point},
	{"knobs", COMMAND_QUERY, 0, 1, {ARGUMENT_KNOB}, 0, NULL, "[WORD]", "the settings and their values", run_knobs},
	{"print", COMMAND_QUERY, 1, -1, {ARGUMENT_READOUT}, 1, NULL, "READOUT...", "print readouts, one per line", run_print},
	{"expect", COMMAND_QUERY, 3, 5, {ARGUMENT_READOUT, WORDS, TEXT, WORDS, TEXT}, 0, "- =|!=|<|<=|>|>= - within",
		"READOUT OP VALUE [within P%]", "fail unless the comparison holds", run_expect},
	{"wait", COMMAND_QUERY, 1, 5, {ARGUMENT_READOUT, WORDS, TEXT, WORDS, TEXT}, 0, "step|finished =|!=|<|<=|>|>= - within",
		"step N | finished | READOUT OP VALUE [within P%]", "in a batch: run until it holds", run_wait},
	{"digest", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "a checksum of all weights and the policy, bit for bit", run_digest},
	{"echo", COMMAND_QUERY, 0, -1, {TEXT}, 1, NULL, "TEXT", "print the text", run_echo},

	{"rewind", COMMAND_QUERY, 1, 3, {NUMBER, WORDS, NUMBER}, 0, "- branch -", "STEP [branch N]",
		"go back to a step and pause there, before anything that was changed at it: a new branch of this session begins",
		run_rewind},
	{"fork", COMMAND_QUERY, 2, 3, {WORDS, WORDS, TEXT}, 0, "as as", "[STEP] as NAME",
		"make a session that goes on from here, or from a step, before anything that was changed at it", run_fork},
	{"timeline", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "changes, notes and saves, with the cost and the quality at each",
		run_timeline},
	{"tree", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "the branches of this session, and the sessions that are its kin",
		run_tree},
	{"save", COMMAND_QUERY, 0, 0, {0}, 0, NULL, "", "write a checkpoint now", run_save},
	{"export", COMMAND_QUERY, 1, 5, {WORDS, ARGUMENT_FILE, WORDS, WORDS, WORDS}, 0,
		"policy|layers|slots|history|front|network|report|c|qdq|qonnx|aimet|weights",
		"policy|layers|slots|history|front|network|report|c|qdq|qonnx|aimet|weights [FILE] [reach=READER] [point=N] [lane=N] [norms=fold]",
		"write the result: policy as JSON; the network as a description, as a C header, as quantized ONNX (reach=ort|openvino|qonnx) or with AIMET's encodings; its weights as .safetensors; a report as .html or .md; the others as CSV. point=, lane=: not the result, but a point of the front, or another lane's",
		run_export},
	{"sessions", COMMAND_QUERY, 0, 2, {WORDS, WORDS}, 0, "tidy now", "[tidy [now]]",
		"list the sessions; tidy: show which unnamed ones would be cleared away, now: do it", run_sessions},
	{"help", COMMAND_QUERY, 0, 1, {ARGUMENT_COMMAND}, 0, NULL, "[COMMAND]", "list the commands, or show how one is used",
		run_help},
};

const struct command *session_commands(size_t *count)
{
	*count = sizeof rows / sizeof *rows;
	return rows;
}
