// SPDX-License-Identifier: GPL-3.0-or-later
// The result of one run: a JSON file of a race's folder, written whole or not at all. Its `layers` and its `architecture` are those of an
// exported policy, so that `paste` takes the file.
#ifndef SESSIONS_RACE_RESULT_H
#define SESSIONS_RACE_RESULT_H

#include "engine/base/disk.h"
#include "sessions/race/plan.h"

struct result_term {
	char name[ENGINE_NAME], unit[ENGINE_TEXT];
	double cost; // NAN: it has no price
};
struct result_layer {
	char name[ENGINE_NAME], weight[16], activation[16]; // the formats chosen
	bool rests;                                         // the architecture lacks it
};
struct result_slot {
	char name[ENGINE_NAME], option[16]; // of the architecture: what was chosen
	bool rests;
};
// What was chosen, or is to be trained: every layer's formats, and the architecture.
struct chosen {
	int layers;
	struct result_layer *layer;
	int slots; // 0: the network leaves nothing open but formats
	struct result_slot *slot;
};
// One of the paths that an entrant scores.
struct result_path {
	struct chosen chosen;
	double cost, macs; // by the plan's term; for one image
	double test;       // accuracy with the weights that are shared
};

struct result {
	bool there;    // else nothing more is said
	char why[512]; // the run failed, for good: what it said; "": it went well
	long steps;
	double images;        // trained on, each as often as it was
	double heldout, test; // accuracies, 0..1
	int terms;
	struct result_term term[ENGINE_TERMS];
	struct chosen chosen;
	int paths;
	struct result_path *path;
	char digest[64];   // of the weights and the policy
	double opening;    // seconds: data and network
	double running;    // training, scoring and all else up to the horizon
	double scoring;    // then: calibration and both splits
	double processors; // seconds of processors in `running`: what it takes whatever else the machine has to do
	double memory;     // bytes, at its peak
	char kernels[ENGINE_NAME];
};

// Reads it, or finds that it is not there. False: it cannot be read, or is that of other settings, which the fault names.
bool result_read(const char *folder, const struct plan *, const struct race_run *, struct result *, struct fault *);
bool result_write(const char *folder, const struct plan *, const struct race_run *, const struct config *, const struct result *,
	struct fault *);
void result_free(struct result *);
// Reads the choice of an exported policy or of a result. The caller frees. False with a fault: the file holds none.
bool chosen_read(const char *path, struct chosen *, struct fault *);
bool chosen_write(const char *path, const struct chosen *, struct fault *); // as chosen_read reads it
void chosen_free(struct chosen *);
// Puts a choice, an option per slot, into words. False: out of memory.
bool chosen_of(const struct engine_info *, const uint8_t *choice, struct chosen *);
// The other way; what rests gets its first option. False: it is a choice of another network or space.
bool chosen_options(const struct engine_info *, const struct chosen *, uint8_t *choice);
// The cost by a term; NAN: none.
double result_cost(const struct result *, const char *term);
const char *result_unit(const struct result *, const char *term); // "": none
// "int8 int4/int8 - …" of all layers; "-": it rests.
void chosen_formats(const struct chosen *, struct string *);
// "s2b1.kernel=5 s2b2.depth=off …" of the slots that do not rest.
void chosen_architecture(const struct chosen *, struct string *);

// All of a race: its plan, its runs, what is there of their results.
struct race {
	char folder[DISK_PATH];
	char title[ENGINE_TEXT];
	struct plan plan;
	int runs;
	struct race_run *run;  // [runs]
	struct result *result; // [runs]
};
// Starts as {0}; race_free is for it in any case. `folder` as a person gives it. Results are read too where `results`.
bool race_open(struct race *, const char *name, bool results, struct fault *);
void race_free(struct race *);
// The folder that a name stands for: with .race behind it, where it has not.
bool race_folder(const char *name, char folder[DISK_PATH], struct fault *);
int race_finished(const struct race *);

#define RACE_PLAN_FILE "plan"

#endif
