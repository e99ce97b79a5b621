// SPDX-License-Identifier: GPL-3.0-or-later
// The weights of a search as a file, for unit programs.
#ifndef TESTS_WEIGHING_H
#define TESTS_WEIGHING_H

#include "engine/base/safetensors.h"
#include "tests/searching.h"

static inline void write_weights(struct search *s, bool folded, const char *path)
{
	struct fault f;
	struct state *state = calloc(1, sizeof *state);
	if (!state || !search_weights(s, folded, state, &f))
		fail_msg("%s: %s", f.where, f.what);
	struct safetensor_out *out = calloc((size_t)state->tensors, sizeof *out);
	assert_non_null(out);
	for (int i = 0; i < state->tensors; i++) {
		out[i] = (struct safetensor_out){
			.name = state->tensor[i].name, .rank = state->tensor[i].rank, .numbers = state->tensor[i].data};
		for (int k = 0; k < out[i].rank; k++)
			out[i].size[k] = state->tensor[i].shape[k];
	}
	assert_true(safetensors_write(path, out, state->tensors, (const char *const[]){"epsilon", "1e-5", NULL}, &f));
	free(out);
	state_free(state);
}

#endif
