// SPDX-License-Identifier: GPL-3.0-or-later
// Searches that are changed on their way, for unit programs. Failures are cmocka's.
#ifndef TESTS_CHANGING_H
#define TESTS_CHANGING_H

#include "tests/searching.h"

static inline struct reply apply_to(struct search *s, int lane, enum change_kind kind, const char *name, const char *value)
{
	struct change_item item = {0};
	struct reply r = {0};
	snprintf(item.name, sizeof item.name, "%s", name);
	snprintf(item.value, sizeof item.value, "%s", value);
	const struct change c = {kind, 1, &item, lane};
	r.ok = search_check(s, &c, &r.fault) && search_apply(s, &c, &r.inverse, r.says, sizeof r.says, &r.fault);
	return r;
}

static inline void must(struct search *s, int lane, enum change_kind kind, const char *name, const char *value)
{
	struct reply r = apply_to(s, lane, kind, name, value);
	char line[512];
	if (!r.ok)
		fail_msg("%s", fault_line(&r.fault, line, sizeof line));
	reply_free(&r);
}

static inline void must_not(struct search *s, int lane, enum change_kind kind, const char *name, const char *value,
	const char *says)
{
	struct reply r = apply_to(s, lane, kind, name, value);
	char line[512];
	assert_false(r.ok);
	assert_int_equal(r.inverse.items, 0);
	if (!strstr(fault_line(&r.fault, line, sizeof line), says))
		fail_msg("%s", line);
}

// What takes the change back takes it back.
static inline void back(struct search *s, struct reply *r)
{
	struct change inverse = {0};
	char says[4 * ENGINE_TEXT];
	struct fault f;
	assert_true(r->ok && r->inverse.items > 0);
	assert_true(search_check(s, &r->inverse, &f) && search_apply(s, &r->inverse, &inverse, says, sizeof says, &f));
	free(inverse.item);
	reply_free(r);
}

static inline void run(struct search *s, long steps)
{
	struct fault f;
	while (search_steps_done(s) < steps) {
		assert_true(search_step(s, &f));
		if (search_front_due(s))
			for (search_front_begin(s); search_front_advance(s);)
				;
	}
}

static inline void digest_of(struct search *s, char digest[64])
{
	struct state *state = saved(s);
	snprintf(digest, 64, "%s", state_get(state, "digest"));
	state_free(state);
}

#endif
