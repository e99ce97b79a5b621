// SPDX-License-Identifier: GPL-3.0-or-later
// The kinds of cost terms, and the one place that parses a term's name: "bops", "size", "latency@tpu_v4", "energy@my/chip.json",
// "latency@table:hawq", "carbon@iowa". engine/cost and engine/pods price them. Any thread.
#ifndef ENGINE_BASE_TERM_H
#define ENGINE_BASE_TERM_H

#include <stdbool.h>
#include <stddef.h>

// What a term counts; this decides which units a target may be written in.
enum term_quantity { QUANTITY_COUNT, QUANTITY_BYTES, QUANTITY_TIME, QUANTITY_ENERGY, QUANTITY_WORK, QUANTITY_MASS };
// The symbol after a number: "ms", "mJ", "B"; "" for a count.
const char *quantity_symbol(enum term_quantity);
// Says how a target may be written, for a person whose target could not be read.
const char *quantity_advice(enum term_quantity);

// What a cost is for.
enum term_per { PER_NETWORK, PER_IMAGE, PER_BATCH, PER_JOB };
// What has such a cost: a network, or a job on a machine of many chips. A name may stand for a kind of either.
enum term_subject { SUBJECT_NETWORK, SUBJECT_MACHINE };
// Which terms a short list shows: the first ones always, the next ones where there is room, the others after them.
enum term_rank { RANK_FIRST, RANK_NEXT, RANK_REST };

// What a cost depends on beside the choice: the device of a network, or the site where a machine stands.
enum term_where { ANYWHERE, ON_DEVICE, AT_SITE };

// X(ID, name, subject, quantity, unit, per, where, rank, title, help). A figure writes the title where the name alone would say too
// little; "": it writes the name. Where help is "", the pricing writes it, since it knows the device.
// clang-format off
#define TERM_KINDS(X)                                                                                                                \
	X(BOPS, "bops", SUBJECT_NETWORK, QUANTITY_COUNT, "bit ops", PER_IMAGE, ANYWHERE, RANK_FIRST, "bit operations",                                   \
		"bit operations of the layers: MACs x weight bits x activation bits")                                                \
	X(BOPS_LINEAR, "bops-linear", SUBJECT_NETWORK, QUANTITY_COUNT, "bit ops", PER_IMAGE, ANYWHERE, RANK_REST, "bit operations, linear",              \
		"bit operations of the layers, linear: MACs x the wider of weight and activation bits")                              \
	X(SIZE, "size", SUBJECT_NETWORK, QUANTITY_BYTES, "B", PER_NETWORK, ANYWHERE, RANK_FIRST, "",                                                     \
		"stored weights, with an fp32 scale and bias per output channel")                                                    \
	X(ACTIVATIONS, "activations", SUBJECT_NETWORK, QUANTITY_BYTES, "B", PER_IMAGE, ANYWHERE, RANK_REST, "",                                          \
		"activations alive at the fullest moment of one image's inference")                                                  \
	X(LATENCY, "latency", SUBJECT_NETWORK, QUANTITY_TIME, "ms", PER_BATCH, ON_DEVICE, RANK_NEXT, "", "")                                               \
	X(ENERGY, "energy", SUBJECT_NETWORK, QUANTITY_ENERGY, "mJ", PER_IMAGE, ON_DEVICE, RANK_REST, "", "")                              \
	X(CHIPS, "chips", SUBJECT_MACHINE, QUANTITY_COUNT, "chips", PER_JOB, ANYWHERE, RANK_FIRST, "",                                  \
		"chips of the slice")                                                                                                \
	X(MEMORY, "memory", SUBJECT_MACHINE, QUANTITY_BYTES, "B", PER_JOB, ANYWHERE, RANK_FIRST, "memory a chip",                       \
		"memory that a chip needs: weights, optimizer, activations, cache")                                                  \
	X(STEP, "latency", SUBJECT_MACHINE, QUANTITY_TIME, "ms", PER_JOB, ANYWHERE, RANK_FIRST, "",                                     \
		"time of a step; in serving, of a token")                                                                            \
	X(WORK, "energy", SUBJECT_MACHINE, QUANTITY_WORK, "Wh", PER_JOB, AT_SITE, RANK_NEXT, "",                                       \
		"of the run, or in serving of 1000 tokens: time x chips x mean watts x PUE of the site")                             \
	X(CARBON, "carbon", SUBJECT_MACHINE, QUANTITY_MASS, "g", PER_JOB, AT_SITE, RANK_NEXT, "net CO2e",                              \
		"the energy's greenhouse gases as CO2, less the clean energy that the site's operator buys")

enum term_id {
#define TERM_ID(id, ...) TERM_##id,
	TERM_KINDS(TERM_ID)
#undef TERM_ID
	TERM_IDS
};
// clang-format on

struct term_kind {
	enum term_id id;
	const char *name; // "latency"
	enum term_subject subject;
	enum term_quantity quantity;
	const char *unit; // of a cost, without "per …": "bit ops", "B", "ms"
	enum term_per per;
	enum term_where where;
	enum term_rank rank;
	const char *title, *help;
};
extern const struct term_kind term_kinds[TERM_IDS];

struct term_name {
	const struct term_kind *kind;
	// What follows the '@', within the text: a device, its file or "table:NAME", or a site; NULL: none, the setting `device` or `site` counts.
	const char *device;
};
// The kind is a network's where networks have one. Returns false if no kind has this name, or if a kind that depends on none is given a device or site. Does not check that it exists.
bool term_read(const char *text, struct term_name *);
// The same where the subject is known, whose kind of that name it then is. Returns false if the subject has none.
bool term_read_of(enum term_subject, const char *text, struct term_name *);
// Writes "latency@tpu_v4". Returns false if it was cut.
bool term_write(enum term_id, const char *device, char *buf, size_t size);
// Returns the name after "table:" if a device stands for a table of measured times; NULL: it is a device.
const char *term_table(const char *device);
// Writes "choose one of bops, size, …, latency@DEVICE", of the kinds of a subject. `setting`: a kind may leave its device or site to
// the setting. Returns buf.
const char *term_advice(enum term_subject, bool setting, char *buf, size_t size);

#endif
