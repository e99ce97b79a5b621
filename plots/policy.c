// SPDX-License-Identifier: GPL-3.0-or-later
// The policy of one slot over the steps: the probabilities of its options, one on the other, the narrowest at the foot.
#include "plots/build.h"

#include <stdio.h>

// Rows that begin further from the first record than a column of the figure is wide were not thinned out: there were none.
static bool begins_late(const struct figure_source *source, const struct policy_row *row)
{
	enum { COLUMNS = 20 };
	return source->records > 0 && row->step - source->record[0].step > 1 + source->records / COLUMNS;
}

static int slot_of(const struct figure_source *source)
{
	const struct engine_info *info = source->snapshot->info;
	if (!info)
		return 0;
	if (source->slot > 0)
		return source->slot - 1;
	return info->layer && source->layer < info->layers ? info->layer[source->layer].weight_slot : 0;
}

// "stem", or where weights and inputs are decided apart, "stem.w".
static const char *called(const struct snapshot *now, int slot, char buf[SLOT_WORD])
{
	const struct engine_info *info = now->info;
	const int layer = info->slot[slot].layer;
	return layer >= 0 && info->layer && !now->split ? info->layer[layer].name : engine_slot_name(info, slot, buf);
}

static double sum_of(const struct policy_row *row, int options)
{
	double sum = 0;
	for (int o = 0; o < options; o++)
		sum += (double)row->probability[o];
	return sum;
}

static bool add_areas(struct figure *f, const struct slot_info *slot, const struct policy_row *row, int rows)
{
	for (int o = 0; o < slot->options; o++) {
		struct series *s = figure_add_series(f, slot->option[o].name, SERIES_AREA, ROLE_MAIN, (size_t)rows, false);
		if (!s)
			return false;
		for (int i = 0; i < rows; i++)
			series_add(s, (double)row[i].step, sum_of(&row[i], o + 1) / sum_of(&row[i], slot->options), NULL);
	}
	return true;
}

struct figure *figure_policy(const struct figure_source *source)
{
	const struct snapshot *now = source->snapshot;
	const int slot = slot_of(source);
	char subject[2 * ENGINE_TEXT + 8], word[SLOT_WORD], since[64] = "";
	int rows = 0;
	struct figure *f = figure_over_steps(source, "probability", "Policy");
	if (!f || !now->info || slot >= now->info->slots)
		return f;
	const struct policy_row *row = source->policy ? source->policy(source->session, slot, &rows) : NULL;
	if (!row && source->records > 0)
		snprintf(since, sizeof since, ": no probabilities were kept");
	else if (row && begins_late(source, row))
		snprintf(since, sizeof since, "; kept from step %ld on", row[0].step);
	snprintf(f->y.label, sizeof f->y.label, "%s: probability", called(now, slot, word));
	figure_title(f, "Policy for %s, %s%s", called(now, slot, word), subject_of(now->info, subject), since);
	f->y.low = 0;
	f->y.high = 1;
	if (!row || add_areas(f, &now->info->slot[slot], row, rows))
		return f;
	figure_free(f);
	return NULL;
}
