// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const racks_settings[RACKS_SETTINGS] = {"day", "availability", "spares", "jobs"};

void racks_set_of(const struct config *c, struct racks_set *set)
{
	*set = (struct racks_set){0}; // two of the same are alike to the byte
	for (int i = 0; i < RACKS_SETTINGS; i++)
		config_get(c, racks_settings[i], set->text[i], sizeof set->text[i]);
}

long racks_set_day(const struct racks_set *set)
{
	return strtol(set->text[RACKS_DAY], NULL, 10);
}

bool racks_set_alike(const struct racks_set *a, const struct racks_set *b)
{
	for (int i = RACKS_DAY + 1; i < RACKS_SETTINGS; i++)
		if (strcmp(a->text[i], b->text[i]) != 0)
			return false;
	return true;
}

void trail_free(struct trail *t)
{
	free(t->leg);
	*t = (struct trail){0};
}

bool trail_set(struct trail *t, const struct racks_set *set)
{
	const long day = racks_set_day(set);
	while (t->legs > 1 && racks_set_day(&t->leg[t->legs - 1]) >= day)
		t->legs--;
	if (t->legs && racks_set_day(&t->leg[t->legs - 1]) >= day) // the first one
		t->legs--;
	t->day = day;
	if (t->legs && racks_set_alike(&t->leg[t->legs - 1], set))
		return true;
	struct racks_set *more = realloc(t->leg, (size_t)(t->legs + 1) * sizeof *more);
	if (!more)
		return false;
	t->leg = more;
	t->leg[t->legs] = *set;
	snprintf(t->leg[t->legs].text[RACKS_DAY], ENGINE_TEXT, "%ld", t->legs ? day : 0);
	t->legs++;
	return true;
}

bool trail_copy(struct trail *t, const struct trail *from)
{
	*t = (struct trail){.leg = malloc((size_t)(from->legs + 1) * sizeof *t->leg), .legs = from->legs, .day = from->day};
	if (!t->leg)
		return false;
	memcpy(t->leg, from->leg, (size_t)from->legs * sizeof *t->leg);
	return true;
}

bool trail_goes_on(const struct trail *t, const struct trail *from)
{
	bool same = from->legs && from->legs <= t->legs && from->day <= t->day;
	for (int i = 0; same && i < from->legs; i++)
		same = racks_set_alike(&t->leg[i], &from->leg[i]) && racks_set_day(&t->leg[i]) == racks_set_day(&from->leg[i]);
	return same && (from->legs == t->legs || racks_set_day(&t->leg[from->legs]) >= from->day);
}

// One change of the settings after another.
struct walk {
	struct trail *trail;
	struct config *now;
	bool ok;
};

static void take_set(const char *name, const char *value, void *context)
{
	struct walk *w = context;
	struct racks_set set;
	bool its = false;
	for (int i = 0; i < RACKS_SETTINGS; i++)
		its |= strcmp(name, racks_settings[i]) == 0;
	if (!its || !config_set(w->now, name, value, NULL))
		return;
	racks_set_of(w->now, &set);
	w->ok = w->ok && trail_set(w->trail, &set);
}

bool trail_of(struct trail *t, const struct session *s)
{
	struct walk w = {t, config_copy(session_began(s)), true};
	struct racks_set set;
	if (!w.now)
		return false;
	racks_set_of(w.now, &set);
	w.ok = trail_set(t, &set);
	session_each_setting(s, take_set, &w);
	config_free(w.now);
	return w.ok;
}
