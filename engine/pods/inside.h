// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the pods folder: what its files share. The folder stands between hardware, which has the chips of a pod, and cost, which
// prices work on them. Its public header is engine/machine.h.
#ifndef ENGINE_PODS_INSIDE_H
#define ENGINE_PODS_INSIDE_H

#include "engine/machine.h"

extern const struct pod pod_table[];
extern const int pod_count;
bool pod_read(const char *path, struct pod *, struct fault *);

static inline double pod_value(const struct pod *p, enum pod_figure f)
{
	return p->figure[f].value;
}

#endif
