// SPDX-License-Identifier: GPL-3.0-or-later
// What a search shows of itself: its own part of a snapshot, and around it the parts of its lanes and its front.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/inside.h"
#include "engine/search/schedule.h"
#include "engine/search/searcher.h"

static void says(const struct search *search, char *buf, size_t size)
{
	const struct shared *s = &search->shared;
	const struct source *source = search->source;
	char text[2 * ENGINE_TEXT];
	if (source->idle) {
		snprintf(buf, size, "costs alone: %s", source->idle);
	} else if (search->polish.now.lane) {
		snprintf(buf, size, "polishing lane %d: %ld/%ld, on a copy of the weights", search->polish.now.lane,
			search->polish.done, search->polish.now.steps);
	} else if (s->step >= s->horizon) {
		snprintf(buf, size, "finished: evaluate, export, or extend N");
	} else if (s->step >= schedule_final(s)) {
		snprintf(buf, size, "final phase %ld/%ld: the result trains, the policy rests", s->step - schedule_final(s),
			s->horizon - schedule_final(s));
	} else if (s->step < s->warmup) {
		snprintf(buf, size, "warm-up %ld/%ld: pins count, the policy waits", s->step, s->warmup);
	} else if (lanes_in_focus(search)->searcher->says) {
		lanes_in_focus(search)->searcher->says(lanes_in_focus(search), buf, size);
	} else {
		double e = policy_entropy(lanes_in_focus(search)->policy);
		const char *mood = e > 0.8 ? "looking around" : e > 0.3 ? "narrowing down" : e > 0.05 ? "committing" : "settled";
		snprintf(buf, size, "%s: entropy %.2f", mood, e);
	}
	size_t used = strlen(buf);
	if (source->kind->lack && *source->kind->lack(source, lanes_in_focus(search)->modal, text, sizeof text) && used < size)
		used += (size_t)snprintf(buf + used, size - used, "; the likeliest choice cannot be: %s", text);
	if (source->kind->train && s->step < schedule_narrow(s))
		used += (size_t)snprintf(buf + used, size - used, "; %s trains until step %ld", s->knobs.wide_format,
			schedule_narrow(s));
	if (source->estimated[0])
		used += (size_t)snprintf(buf + used, size - used, "; quality estimated (%s)", source->estimated);
	if (source->says[0] && used < size)
		snprintf(buf + used, size - used, "; %.*s", (int)(size - used), source->says);
}

static int by_number(const void *a, const void *b)
{
	const struct lane_state *p = a, *q = b;
	return p->number < q->number ? -1 : p->number > q->number;
}

static void publish_lanes(const struct search *s, struct snapshot *out)
{
	const struct lane *focus = lanes_in_focus(s);
	lane_publish(focus, out);
	out->focus = focus->number;
	out->lanes = 0;
	for (int i = 0; i < ENGINE_LANES; i++) {
		const struct lane *lane = &s->lane[i];
		if (!lane->number || lane->dropped)
			continue;
		lane_publish_row(lane, &out->lane[out->lanes]);
		out->lane[out->lanes++].focus = lane == focus;
	}
	qsort(out->lane, (size_t)out->lanes, sizeof *out->lane, by_number);
}

void search_publish(const struct search *s, struct snapshot *out)
{
	const struct shared *shared = &s->shared;
	bool trained = shared->step && s->source->kind->train;
	out->phase = shared->step < shared->warmup ? PHASE_WARMUP : PHASE_SEARCH;
	out->step = shared->step;
	out->horizon = shared->horizon;
	out->warmup = shared->warmup;
	out->loss = trained ? s->loss : (double)NAN;
	out->accuracy = trained ? s->accuracy : (double)NAN;
	out->quality_is_loss = shared->by_loss;
	out->idle = s->source->idle;
	out->spared_equal = (double)(s->work.asked - s->work.scored) / (double)s->work.asked;
	out->spared_prefix = s->work.spared / (double)s->work.asked;
	memcpy(out->estimated, s->source->estimated, sizeof out->estimated);
	says(s, out->says, sizeof out->says);
	publish_lanes(s, out);
	front_publish(&s->front, out);
	polish_publish(&s->polish, s->front.counted, out);
	strain_publish(&s->strain, out);
}
