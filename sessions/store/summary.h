// SPDX-License-Identifier: GPL-3.0-or-later
// summary.json: how far a session has come, in a few numbers, written with each checkpoint. It lets sessions be listed without
// reading their checkpoints. Nothing depends on it: without it a list says less.
#ifndef SESSIONS_STORE_SUMMARY_H
#define SESSIONS_STORE_SUMMARY_H

#include "engine/engine.h"

#define SUMMARY_FILE "summary.json"

struct summary {
	char net[ENGINE_TEXT], data[ENGINE_TEXT];
	long step, horizon;
	int entries;    // changes and notes in its journal
	bool scored;    // the next four are known
	double quality; // of the result, on held-out images: accuracy in 0..1, or minus the loss
	bool quality_is_loss;
	bool estimated;         // estimated, not measured
	bool sampled;           // the quality is of recently sampled choices; the result is not scored yet
	char term[ENGINE_NAME]; // the first term with a weight and a price; empty: none
	char unit[ENGINE_TEXT];
	double cost;   // of the result
	double target; // 0: none
};

bool summary_write(const char *folder, const struct summary *, struct fault *);
// Returns false if there is none that can be read.
bool summary_read(const char *folder, struct summary *);
// Writes its cost or its target for people: "19.7 M", "3.2 ms"; bops need no unit. Returns buf.
const char *summary_cost(const struct summary *, double cost, char *buf, size_t size);
// Writes what is known, "held-out accuracy 61.20 %, bops 19.7 M (target 19.5 M)", or "" if nothing is. Returns buf.
const char *summary_result(const struct summary *, char *buf, size_t size);

#endif
