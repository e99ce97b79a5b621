// SPDX-License-Identifier: GPL-3.0-or-later
// summary.json: how far a session has come, in a few numbers, written with each checkpoint. It lets sessions be listed without
// their checkpoints being read, and decides nothing: without it a list says less.
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
	bool estimated;         // and not measured
	bool sampled;           // the quality is that of the choices sampled lately, the result was not scored yet
	char term[ENGINE_NAME]; // the cost term that counts most; empty: there is none
	char unit[ENGINE_TEXT];
	double cost;   // of the result
	double target; // 0: none
};

bool summary_write(const char *folder, const struct summary *, struct fault *);
// False where there is none, or none that can be read.
bool summary_read(const char *folder, struct summary *);
// Its cost, or its target, for people: "19.7 M", "3.2 ms"; what bops count is in their name. Returns buf.
const char *summary_cost(const struct summary *, double cost, char *buf, size_t size);
// "held-out accuracy 61.20 %, bops 19.7 M (target 19.5 M)": what is known, "" where nothing is. Returns buf.
const char *summary_result(const struct summary *, char *buf, size_t size);

#endif
