// SPDX-License-Identifier: GPL-3.0-or-later
// A blueprint is the description of a network with choices written in it: the same builder makes, for every choice, the model that
// runs. A network without choices is a blueprint without slots.
//
// Immutable once made: any thread may settle paths, each its own.
#ifndef ENGINE_MODEL_BLUEPRINT_H
#define ENGINE_MODEL_BLUEPRINT_H

#include "engine/model/plan.h"
#include "engine/model/slot.h"

struct blueprint;
// As model_named, whose names and faults it shares.
struct blueprint *blueprint_named(const char *name, struct shape input, int classes, struct fault *);
void blueprint_free(struct blueprint *);

// The slots of the architecture, owners before what they own. Borrowed. Formats are not among them: `space` adds those.
const struct slot *blueprint_slots(const struct blueprint *, int *count);
// Every operator of any choice, each at its largest. Layers that a choice lacks have an owner. Borrowed.
const struct model *blueprint_whole(const struct blueprint *);
// The option that each slot has in the network which the description is named after: MobileNetV2's, for one.
const uint8_t *blueprint_standard(const struct blueprint *);
// Builds the model that runs under these options, one for each slot. False with a fault: its shapes do not fit, or no memory; the path
// then is as before.
bool blueprint_settle(const struct blueprint *, const uint8_t *option, struct path *, struct fault *);

// How many choices there are: the product of all slots' options, and those that differ in what is there: distinct networks.
void blueprint_counts(const struct blueprint *, double *decisions, double *networks);

#endif
