// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the pods folder: what a mapping is made of. mapping.c makes one and says what its choices come to, charges.c what they cost,
// hunt.c tries them all.
#ifndef ENGINE_PODS_MAPPED_H
#define ENGINE_PODS_MAPPED_H

#include "engine/pods/inside.h"
#include "engine/pods/mapping.h"

enum { MAPPING_SLOTS = 13, MAPPING_NAME = 128 };
// The slots by what they are about; a mapping's own places are in struct mapping.
enum mapping_role {
	ROLE_TOPOLOGY,
	ROLE_TWIST,
	ROLE_PIPELINE,
	ROLE_DATA,
	ROLE_MODEL1,
	ROLE_MODEL2,
	ROLE_CUT_ACTIVATIONS,
	ROLE_CUT_WEIGHTS,
	ROLE_WEIGHTS,
	ROLE_ACTIVATIONS,
	ROLE_CARRIED_ACTIVATIONS,
	ROLE_CARRIED_GRADIENTS,
	ROLE_CARRIED_WEIGHTS,
	ROLES
};
struct mapping_role_row {
	const char *name;
	enum slot_kind kind;
	int use;       // of a format: enum carried
	bool training; // it makes no difference in serving
};
extern const struct mapping_role_row mapping_roles[ROLES];

// A topology as it closes: its divisions that can be priced, those of equal sizes side by side.
struct mapping_shape {
	struct slice slice;
	bool any;                  // divided by any factors of its axes
	struct division *division; // [divisions], without styles
	int divisions;
};

struct mapping {
	char name[MAPPING_NAME];
	struct world world;
	struct division_job job;
	bool any, serve;
	double tokens;
	int shapes;
	struct mapping_shape shape[SLOT_OPTIONS][2]; // by topology: regular, twisted
	int slots;
	struct slot slot[MAPPING_SLOTS];
	int at[ROLES]; // each role's slot; -1: there is none
};

// The options of a division's sizes. Returns false if one is not among `allowed` [slots], bits (NULL: all).
bool mapping_size_options(const struct mapping *, const struct division *, const uint32_t *allowed, uint8_t option[PARTS]);

#endif
