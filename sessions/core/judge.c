// SPDX-License-Identifier: GPL-3.0-or-later
// Which images a choice gets right, one by one: what results are compared by.
#include <stdlib.h>

#include "sessions/core/inside.h"

static void judged(struct session *s, struct pending *p, struct reply *r)
{
	struct judged *j = &s->judged;
	struct evaluation *e = &r->evaluation;
	(void)p;
	judged_free(j);
	*j = (struct judged){
		.asked = j->asked - 1, .step = r->step, .images = e->images, .sum = e->images_sum, .right = e->right};
	e->right = NULL;
	s->test_looks += r->ok && e->split == SPLIT_TEST;
	if (!r->ok)
		j->fault = r->fault;
	else if (!j->right)
		fault_set(&j->fault, s->title, "compare it with `images=none`",
			e->unlabelled ? "its images have no labels" : "it is not measured on images");
}

bool session_judge(struct session *s, const uint8_t *choice, enum split split, struct fault *f)
{
	struct pending *p = session_pending(judged, f);
	if (!p || !session_posted(s, p, engine_post_evaluate(s->engine, CHOICE_GIVEN, NULL, choice, split, &p->ticket, f)))
		return false;
	s->judged.asked++;
	return true;
}

void judged_free(struct judged *j)
{
	free(j->right);
	j->right = NULL;
}
