// SPDX-License-Identifier: GPL-3.0-or-later
// Searches made from a line of settings, and their states, for unit programs. Failures are cmocka's.
#ifndef TESTS_SEARCHING_H
#define TESTS_SEARCHING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/search/inside.h"
#include "engine/state/state.h"

// "KEY=VALUE KEY=VALUE"; the caller frees.
static inline struct config *config_of(const char *settings)
{
	struct config *c = config_new();
	char text[512], line[512], *save = NULL;
	struct fault f = {0};
	assert_non_null(c);
	snprintf(text, sizeof text, "%s", settings);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *value = strchr(w, '=');
		assert_non_null(value);
		*value = 0;
		if (!config_set(c, w, value + 1, &f))
			fail_msg("%s", fault_line(&f, line, sizeof line));
	}
	return c;
}

// At step 0, or where `state` says.
static inline struct search *search_of(const char *settings, const struct state *state)
{
	struct config *c = config_of(settings);
	char line[512];
	struct fault f = {0};
	struct search *s = search_new(config_knobs(c), state, &f);
	if (!s)
		fail_msg("%s: %s", settings, fault_line(&f, line, sizeof line));
	config_free(c);
	return s;
}

static inline struct state *saved(struct search *s)
{
	struct state *state = calloc(1, sizeof *state);
	struct fault f;
	assert_true(state && search_save(s, state, &f));
	return state;
}

// Two states are the same, text by text and byte by byte.
static inline void same_states(const struct state *a, const struct state *b)
{
	assert_int_equal(a->texts, b->texts);
	assert_int_equal(a->tensors, b->tensors);
	for (int i = 0; i < a->texts; i++) {
		assert_string_equal(a->text[i].name, b->text[i].name);
		assert_string_equal(a->text[i].value, b->text[i].value);
	}
	for (int i = 0; i < a->tensors; i++) {
		assert_string_equal(a->tensor[i].name, b->tensor[i].name);
		assert_int_equal(a->tensor[i].bytes, b->tensor[i].bytes);
		assert_memory_equal(a->tensor[i].data, b->tensor[i].data, a->tensor[i].bytes);
	}
}

#endif
