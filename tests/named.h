// SPDX-License-Identifier: GPL-3.0-or-later
// A layer by its name, for unit programs, which it fails where there is none.
#ifndef TESTS_NAMED_H
#define TESTS_NAMED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/model/model.h"

static inline int layer_named(const struct model *m, const char *name)
{
	for (int l = 0; l < m->layers; l++)
		if (strcmp(m->layer[l].name, name) == 0)
			return l;
	fail_msg("no layer %s", name);
	return -1;
}

#endif
