// SPDX-License-Identifier: GPL-3.0-or-later
// The one-shot loop. A step samples one path, trains the shared weights on it, scores a few choices on held-out images with the
// weights as they are, and moves the policy by what they gave. Nothing is trained again: the result is the likeliest choice within
// the targets. Where there are several lanes, a step is one lane's, which is drawn.
#include "engine/search/search.h"

#include <stdlib.h>
#include <string.h>

#include "engine/search/inside.h"
#include "engine/search/schedule.h"

const struct engine_info *search_info(const struct search *s)
{
	return &s->info;
}

long search_steps_done(const struct search *s)
{
	return s->shared.step;
}

void search_knobs(const struct search *s, struct knobs *knobs)
{
	lane_knobs(lanes_in_focus(s), knobs);
}

void search_focus(struct search *s, int number)
{
	s->focus = number;
}

bool search_has_lane(struct search *s, int number, struct fault *fault)
{
	return lanes_numbered(s, number, fault) != NULL;
}

long search_horizon(const struct search *s)
{
	return s->shared.horizon;
}

const struct record *search_record(const struct search *s)
{
	return &s->last->record;
}

const uint8_t *search_modal(const struct search *s)
{
	return s->last->modal;
}

void search_probabilities(const struct search *s, float *probability)
{
	const struct lane *lane = s->last;
	for (int i = 0; i < s->info.slots; i++) {
		const size_t options = (size_t)s->info.slot[i].options;
		memcpy(probability, policy_probabilities(lane->policy, lane->partition->decision_of[i]),
			options * sizeof *probability);
		probability += options;
	}
}

struct search_work search_work(const struct search *s)
{
	return s->work;
}

// One update of the shared weights, under the formats of one path, or a mixture where the lane's searcher asks for one.
static bool train(struct search *s, struct lane *lane, const uint8_t *path, struct fault *fault)
{
	const struct source_kind *kind = s->source->kind;
	struct training t;
	bool first = s->shared.step == 0;
	s->mixed = lane->searcher->mixes && kind->mix && lane->searcher->mixes(lane, s->share);
	if (!kind->train)
		return true;
	if (!(s->mixed ? kind->mix(s->source, lane->place, s->share, s->lost, &t, fault)
		       : kind->train(s->source, lane->place, path, &t, fault)))
		return false;
	strain_path(&s->strain, path);
	if (!s->mixed && kind->errors && kind->errors(s->source, s->lost))
		additive_hint(lane->additive, s->lost);
	s->loss = first ? t.loss : smoothed(s->loss, t.loss);
	s->accuracy = first ? t.accuracy : smoothed(s->accuracy, t.accuracy);
	lane_trained(lane, t.loss, t.accuracy, t.rate);
	return true;
}

// Takes the choices that could not be scored out of a lesson; how many are left.
static int leave_out(const bool *failed, int count, size_t slots, uint8_t *choice, double *quality, double (*cost)[ENGINE_TERMS])
{
	int kept = 0;
	for (int i = 0; i < count; i++) {
		if (failed[i])
			continue;
		if (kept < i) {
			memcpy(choice + (size_t)kept * slots, choice + (size_t)i * slots, slots);
			memcpy(cost[kept], cost[i], sizeof cost[kept]);
			quality[kept] = quality[i];
		}
		kept++;
	}
	return kept;
}

// What the lane's searcher asks for beside qualities.
static bool look_at_losses(struct search *s, const struct lane *lane, struct lesson *lesson, struct fault *fault)
{
	lesson->lost = s->mixed ? s->lost : NULL;
	if (!lane->searcher->curves || !lane->searcher->curves(lane) || !s->source->kind->curvature)
		return true;
	lesson->lost = s->lost;
	return s->source->kind->curvature(s->source, lane->place, s->lost, fault);
}

// One update of the policy, from the qualities and costs of the choices that its searcher proposes. Costs are priced while the
// source is at work. Where none of them could be scored, the policy stays.
static bool learn(struct search *s, struct lane *lane, struct fault *fault)
{
	double quality[SEARCH_SAMPLES], cost[SEARCH_SAMPLES][ENGINE_TERMS];
	struct lesson lesson = {0};
	int count = lane->searcher->propose(lane, s->choice);
	if (!look_at_losses(s, lane, &lesson, fault))
		return false;
	if (count == 0)
		return lane->searcher->learn(lane, &lesson, fault);
	if (!source_ask(s->source, &s->asked, lane->place, count, s->choice, fault))
		return false;
	for (int i = 0; i < count; i++)
		lane_costs(lane, s->choice + i * s->shared.space->slots, cost[i]);
	if (!source_answer(s->source, &s->asked, quality, fault))
		return false;
	s->work.asked += count;
	s->work.scored += s->asked.scored;
	s->work.spared += s->source->spared;
	count = leave_out(s->asked.failed, count, (size_t)s->shared.space->slots, s->choice, quality, cost);
	lesson.count = count;
	lesson.choice = s->choice;
	lesson.quality = quality;
	lesson.cost = cost;
	return !count || lane->searcher->learn(lane, &lesson, fault);
}

// Answers that come late are awaited before the step is begun: changes may be made meanwhile, and then it must be as if nothing had
// been asked. The lesson finds them answered.
static bool await(struct search *s, struct lane *lane, struct fault *fault)
{
	double quality[SEARCH_SAMPLES];
	int count = lane->searcher->propose(lane, s->choice);
	bool ok = source_ask(s->source, &s->asked, lane->place, count, s->choice, fault) &&
		source_answer(s->source, &s->asked, quality, fault);
	search_take_source(s);
	return ok;
}

bool search_step(struct search *s, struct fault *fault)
{
	struct lane *lane = lanes_turn(s);
	if (!lane_take_searcher(lane, fault))
		return false;
	if (search_late(s) && schedule_learns(lane) && !await(s, lane, fault))
		return false;
	schedule_path(lane, s->choice);
	lane_begin_step(lane, s->choice);
	if (!train(s, lane, s->choice, fault))
		return false;
	if (schedule_learns(lane) && !learn(s, lane, fault))
		return false;
	s->shared.step++;
	s->last = lane;
	lane_end_step(lane);
	const struct lane *first = lanes_next(s, NULL); // whatever is shown: a state does not depend on it
	strain_look(&s->strain, s->source, first->place, first->result);
	return true;
}

// ---- a source outside ----

void search_allow(struct search *s)
{
	s->source->allowed = true;
}

void search_listen(struct search *s, int bell)
{
	s->source->bell = bell;
}

enum search_standing search_standing(const struct search *s)
{
	static const enum search_standing standing[] = {
		[SOURCE_FAILED] = SEARCH_FAILED, [SOURCE_WAITS] = SEARCH_WAITS, [SOURCE_HALTS] = SEARCH_HALTS};
	return standing[s->source->standing];
}

const struct fault *search_front_halt(const struct search *s)
{
	return &s->front.halt;
}

bool search_late(const struct search *s)
{
	return s->source->kind->fresh;
}

bool search_fresh(struct search *s, long *step, struct string *words)
{
	return s->source->kind->fresh && s->source->kind->fresh(s->source, step, words);
}

bool search_recall(struct search *s, long step, const char *words, struct fault *fault)
{
	if (!s->source->kind->recall)
		return fault_set(fault, "quality", "take the journal from a backup",
			"there are answers of a command, but this search asks none");
	bool ok = s->source->kind->recall(s->source, step, words, fault);
	search_take_source(s);
	return ok;
}

// ---- scoring of a choice, and of the front ----

bool search_uniform(const struct search *s, const char *format, uint8_t *choice, struct fault *fault)
{
	return uniform_choice(s->shared.space, format, choice, fault);
}

bool search_evaluate(struct search *s, const uint8_t *choice, enum split split, long images, struct evaluation *e,
	struct fault *fault)
{
	const struct lane *lane = lanes_in_focus(s);
	size_t slots = (size_t)s->shared.space->slots;
	long all = split == SPLIT_TEST ? s->info.test_images : s->info.report_images;
	*e = (struct evaluation){.agreement = (double)NAN,
		.divergence = (double)NAN,
		.choice = malloc(slots),
		.range = calloc((size_t)s->shared.model->layers + 1, sizeof *e->range),
		.right = calloc((size_t)all + 1, 1)};
	bool ok = (e->choice && e->range && e->right) || fault_memory(fault, "evaluate");
	if (ok)
		memcpy(e->choice, choice ? choice : lane->result, slots);
	if (ok && s->source->kind->evaluate(s->source, &s->shared.knobs, lane->place, e->choice, split, images, e, fault)) {
		lane_costs(lane, e->choice, e->cost);
		if (!e->images || e->unlabelled) {
			free(e->right);
			e->right = NULL;
		}
		return true;
	}
	free(e->choice);
	free(e->range);
	free(e->right);
	*e = (struct evaluation){0};
	return false;
}

struct frozen *search_freeze(struct search *s, int number, const uint8_t *choice, struct fault *fault)
{
	const struct lane *lane = number ? lanes_numbered(s, number, fault) : lanes_in_focus(s);
	return lane ? s->source->kind->freeze(s->source, &s->shared.knobs, lane->place, choice ? choice : lane->result, fault)
		    : NULL;
}

bool search_look(struct search *s, int layer, struct layer_look *look, double *noise, double *formats, struct fault *fault)
{
	static const struct format_look unknown = {
		.noise = NAN, .input_noise = NAN, .output_noise = NAN, .zeros = NAN, .clipped = NAN, .lost = NAN};
	const struct lane *lane = lanes_in_focus(s);
	*look = (struct layer_look){.layer = layer, .options = s->shared.space->options};
	for (int o = 0; o < look->options; o++)
		look->option[o] = unknown;
	for (int l = 0; l < s->shared.model->layers; l++)
		noise[l] = NAN;
	for (int i = 0; formats && i < s->shared.model->layers * LOOK_OPTIONS; i++)
		formats[i] = NAN;
	return !s->source->kind->look || s->source->kind->look(s->source, lane->place, lane->result, look, noise, formats, fault);
}

bool search_weights(struct search *s, bool fold, struct state *out, struct fault *fault)
{
	const struct lane *lane = lanes_in_focus(s);
	if (!s->source->kind->weights)
		return fault_set(fault, "weights", "they are there where data= names images", "no network is trained here");
	return s->source->kind->weights(s->source, lane->place, lane->result, fold, out, fault);
}

int search_front_room(const struct search *s)
{
	return s->front.room + POLISH_POINTS;
}

bool search_front_due(const struct search *s)
{
	return front_due(&s->front);
}

void search_front_begin(struct search *s)
{
	front_begin(&s->front, s->lane);
}

bool search_front_advance(struct search *s)
{
	return front_advance(&s->front, s->source);
}

bool search_front_scoring(const struct search *s)
{
	return s->front.scoring;
}

bool search_polishing(const struct search *s)
{
	return s->polish.now.lane > 0;
}

void search_polish_advance(struct search *s)
{
	polish_advance(&s->polish, s->source);
}
