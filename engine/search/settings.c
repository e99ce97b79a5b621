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

// The settings of a lane, or those that are not.
struct share {
	bool of_lane;
	knobs_visit *visit;
	struct texts *texts;
};

static void visit_share(const char *name, const char *value, void *context)
{
	const struct share *share = context;
	if (setting_of_lane(name) == share->of_lane)
		share->visit(name, value, share->texts);
}

static void each_of_lane(const struct knobs *knobs, knobs_visit *visit, struct texts *texts)
{
	struct share share = {true, visit, texts};
	knobs_each(knobs, true, visit_share, &share);
	knobs_each_term(knobs, visit, texts);
}

static void each_common(const struct knobs *knobs, knobs_visit *visit, struct texts *texts)
{
	struct share share = {false, visit, texts};
	knobs_each(knobs, true, visit_share, &share);
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
	if (!text)
		text = knobs_before(name);
	t->ok = t->ok && (text ? knobs_set(t->knobs, name, text, true, t->fault) : state_damaged(t->fault, key));
}

bool settings_save_own(const struct knobs *knobs, const char *prefix, struct state *out)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = true};
	each_of_lane(knobs, say, &texts);
	return texts.ok;
}

bool settings_read_own(struct knobs *knobs, const char *prefix, const struct state *in, struct fault *fault)
{
	struct texts texts = {.prefix = prefix, .in = in, .knobs = knobs, .fault = fault, .ok = true};
	each_of_lane(knobs, fetch, &texts);
	return texts.ok;
}

bool settings_save(const struct knobs *knobs, const char *prefix, bool own, struct state *out)
{
	struct texts texts = {.prefix = prefix, .out = out, .ok = true};
	each_common(knobs, say, &texts);
	return texts.ok && (!own || settings_save_own(knobs, prefix, out));
}

bool settings_read(struct knobs *knobs, const char *prefix, bool own, const struct state *in, struct fault *fault)
{
	struct texts texts = {.prefix = prefix, .in = in, .knobs = knobs, .fault = fault, .ok = true};
	each_common(knobs, fetch, &texts);
	return texts.ok && (!own || settings_read_own(knobs, prefix, in, fault));
}
