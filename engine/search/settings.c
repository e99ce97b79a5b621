// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/settings.h"

#include <stdio.h>

struct texts {
	const char *prefix;
	struct state *out;
	const struct state *in;
	struct knobs *knobs;
	struct fault *fault;
	bool ok;
};

static const char *key_of(const struct texts *t, const char *name, char key[STATE_KEY])
{
	snprintf(key, STATE_KEY, "%s.%s", t->prefix, name);
	return key;
}

static void say(const char *name, const char *value, void *context)
{
	struct texts *t = context;
	char key[STATE_KEY];
	t->ok = t->ok && state_say(t->out, key_of(t, name, key), "%s", value);
}

static void fetch(const char *name, const char *value, void *context)
{
	struct texts *t = context;
	char key[STATE_KEY];
	(void)value; // what it was before
	const char *text = state_get(t->in, key_of(t, name, key));
	t->ok = t->ok && (text ? knobs_set(t->knobs, name, text, true, t->fault) : state_damaged(t->fault, key));
}

bool settings_save_terms(const struct knobs *knobs, const char *prefix, struct state *out)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = true};
	knobs_each_term(knobs, say, &texts);
	return texts.ok;
}

bool settings_read_terms(struct knobs *knobs, const char *prefix, const struct state *in, struct fault *fault)
{
	struct texts texts = {.prefix = prefix, .in = in, .knobs = knobs, .fault = fault, .ok = true};
	knobs_each_term(knobs, fetch, &texts);
	return texts.ok;
}

bool settings_save(const struct knobs *knobs, const char *prefix, bool terms, struct state *out)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = true};
	knobs_each(knobs, true, say, &texts);
	return texts.ok && (!terms || settings_save_terms(knobs, prefix, out));
}

bool settings_read(struct knobs *knobs, const char *prefix, bool terms, const struct state *in, struct fault *fault)
{
	struct texts texts = {.prefix = prefix, .in = in, .knobs = knobs, .fault = fault, .ok = true};
	knobs_each(knobs, true, fetch, &texts);
	return texts.ok && (!terms || settings_read_terms(knobs, prefix, in, fault));
}
