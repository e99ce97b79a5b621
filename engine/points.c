// SPDX-License-Identifier: GPL-3.0-or-later
// What a snapshot says of its search and of the points of its front, for whoever shows them.
#include <math.h>

#include "engine/base/text.h"
#include "engine/engine.h"

int snapshot_term(const struct snapshot *now, int otherwise)
{
	for (int pass = 0; pass < 2; pass++)
		for (int k = 0; k < now->terms; k++)
			if (now->term[k].weight > 0 && (pass || now->term[k].targeted) && !now->term[k].why[0])
				return k;
	return otherwise;
}

const struct front_point *snapshot_result(const struct snapshot *now, bool trained)
{
	const struct front_point *newest = NULL;
	for (int i = 0; i < now->points; i++) {
		const struct front_point *p = &now->point[i];
		bool same = p->choice && (trained || !p->trained);
		for (int k = 0; same && k < now->slots; k++)
			same = p->choice[k] == now->slot[k].result || engine_rests(now->info, k, p->choice);
		if (same && (!newest || p->step > newest->step))
			newest = p;
	}
	return newest;
}

long snapshot_images(const struct snapshot *now)
{
	char value[ENGINE_TEXT];
	long images = 0, all = now->info->report_images;
	if (now->estimated[0] || now->info->command[0] || all < 1 || !now->settings)
		return 0;
	if (config_get(now->settings, "front-images", value, sizeof value))
		number_read_long(value, 0, 1L << 40, &images);
	return images > 0 && images < all ? images : all;
}

double snapshot_error(const struct snapshot *now, const struct front_point *p)
{
	long images = snapshot_images(now);
	return images > 0 ? sqrt(p->accuracy * (1 - p->accuracy) / (double)images) : (double)NAN;
}
