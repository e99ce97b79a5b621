// SPDX-License-Identifier: GPL-3.0-or-later
// `export weights`: the network of the result, each parameter an array by name, as safetensors.
#include <stdlib.h>
#include <string.h>

#include "engine/base/safetensors.h"
#include "sessions/core/inside.h"

// Names are those of the state.
static bool write_weights(const struct session *s, const char *path, const struct state *state, long step, struct fault *f)
{
	struct safetensor_out *out = calloc((size_t)state->tensors + 1, sizeof *out);
	char at[32];
	snprintf(at, sizeof at, "%ld", step);
	const char *const metadata[] = {"format", "pt", "producer", "bitscape " BITSCAPE_VERSION, "net", s->info->net, "step", at,
		"epsilon", "1e-5", NULL};
	for (int i = 0; out && i < state->tensors; i++) {
		const struct state_tensor *t = &state->tensor[i];
		out[i] = (struct safetensor_out){.name = t->name, .rank = t->rank, .numbers = t->data};
		for (int k = 0; k < t->rank; k++)
			out[i].size[k] = t->shape[k];
	}
	bool ok = out ? safetensors_write(path, out, state->tensors, metadata, f) : fault_memory(f, path);
	free(out);
	return ok;
}

static void weights_done(struct session *s, struct pending *p, struct reply *r)
{
	struct fault f;
	if (!r->ok)
		session_say_fault(s, &r->fault);
	else if (!write_weights(s, p->text, r->state, r->step, &f))
		session_say_fault(s, &f);
	else
		session_say(s, "step %ld: wrote %d arrays to %s", r->step, r->state->tensors, p->text);
}

bool export_weights(struct session *s, struct command_call *call, const char *path)
{
	struct fault *f = &call->fault;
	bool folded = call->argc > 2;
	if (call->argc > 3 || (folded && strcmp(call->argv[2], "norms=fold") != 0))
		return fault_set(f, call->argv[call->argc - 1], "`export weights FILE norms=fold`",
			"weights are not exported so");
	struct pending *p = session_pending(weights_done, f);
	if (!p)
		return false;
	p->text = strdup(path);
	if (!p->text)
		fault_memory(f, "request");
	return session_posted(s, p, p->text && engine_post_weights(s->engine, folded, &p->ticket, f));
}
