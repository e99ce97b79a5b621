// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/nudge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/show.h"

static const double TARGET_STEP = 1.05, WEIGHT_STEP = 1.25, FIRST_WEIGHT = 0.01;

// Whether the value is no longer what the last nudge made of it: then this one starts where it is. While a change waits for the
// engine, what is shown may lag behind what was asked for.
static bool moved_away(struct nudge *n, const char *now, bool waiting)
{
	if (n->made[0] && (waiting || strcmp(now, n->made) == 0))
		return false;
	*n = (struct nudge){0};
	snprintf(n->anchor, sizeof n->anchor, "%s", now);
	return true;
}

static const char *made(struct nudge *n, double value)
{
	if (n->steps == 0)
		snprintf(n->made, sizeof n->made, "%s", n->anchor);
	else
		snprintf(n->made, sizeof n->made, "%.4g%s", value, n->suffix);
	return n->made;
}

// A target is a number and its unit; a format becomes the multiple of the widest that it costs. Without a target, begins at the
// cost of the modal choice.
static void start_target(struct nudge *n, const struct term_state *t)
{
	char *end, number[32];
	const char *text = n->anchor;
	if (!text[0] && t->unit && t->unit[0] != 'm') // but ms and mJ, which a number alone is read as
		text = show_typed(t->modal, number, sizeof number);
	n->from = text[0] ? strtod(text, &end) : t->modal;
	if (text[0] && end != text) {
		snprintf(n->suffix, sizeof n->suffix, "%s", end);
	} else if (text[0]) {
		n->from = t->target / t->whole;
		snprintf(n->suffix, sizeof n->suffix, "x");
	}
}

const char *nudge_target(struct nudge *n, const struct term_state *t, int way, bool waiting)
{
	if (moved_away(n, t->target_text, waiting))
		start_target(n, t);
	if (!(n->from > 0) || !isfinite(n->from))
		return NULL;
	n->steps += way;
	return made(n, n->from * pow(TARGET_STEP, n->steps));
}

// A factor would leave 0 there for ever: from there the first step up is FIRST_WEIGHT.
const char *nudge_weight(struct nudge *n, const struct term_state *t, int way, bool waiting)
{
	char now[ENGINE_NAME];
	snprintf(now, sizeof now, "%.15g", t->weight);
	if (moved_away(n, now, waiting))
		n->from = t->weight;
	n->steps += n->from > 0 || n->steps + way >= 0 ? way : 0;
	return made(n, n->from > 0 ? n->from * pow(WEIGHT_STEP, n->steps) : FIRST_WEIGHT * pow(WEIGHT_STEP, n->steps - 1));
}
