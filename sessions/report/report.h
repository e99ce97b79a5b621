// SPDX-License-Identifier: GPL-3.0-or-later
// Reports about machines: commands that need no search. A report reads its words by a table, fills a table of cells row by row,
// and prints it with lines above and below. `csv=FILE` also writes the cells to a file.
#ifndef SESSIONS_REPORT_REPORT_H
#define SESSIONS_REPORT_REPORT_H

#include "engine/base/command.h"
#include "engine/base/text.h"
#include "engine/machine.h"

// ---- the words of a report: KEY=VALUE, and flags ------------------------------------------------------------------------------

struct report_word {
	const char *key;   // "csv=", or a flag: "twisted"
	const char **text; // where its value goes: into one of these three
	double *number;
	bool *flag;
	double least, most; // of a number
};
// The words of every report: a file for its cells, and inputs by name (`repair=8`; engine/machine.h).
struct report_asked {
	const char *csv;
	double input[INPUTS]; // NAN: not set
};
// Reads the pod from "... on POD ...", tpu_v4 if none is named, and removes both words from the call.
bool report_pod(struct command_call *, int first, struct pod *);
// Reads the words from index `first` on; stops at the first fault, which names the word.
bool report_words(struct command_call *, int first, const struct report_word *, int words, struct report_asked *);
// Makes a world from the pods and the given inputs.
void report_world(const struct report_asked *, const struct pod *, const struct pod *other, struct world *);

// ---- the table ----------------------------------------------------------------------------------------------------------------

enum { REPORT_COLUMNS = 24 };
struct report_column {
	const char *head;
	bool left; // aligned left; numbers are aligned right
};
struct report {
	const struct report_column *column;
	int columns;
	const char *pick; // the command that takes a row's name, its first cell; NULL: none
	bool view;        // `explore` with the command's line shows the same as a view
	struct string above, below;
	char **cell; // rows * columns
	size_t cells, room;
	bool failed;
};
void report_begin(struct report *, const struct report_column *, int columns);
void report_above(struct report *, const char *format, ...) __attribute__((format(printf, 2, 3))); // a line
void report_below(struct report *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_cell(struct report *, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Adds a band as "1.8 to 2.4", or as one number if it has no width; `factor` converts it to the column's unit.
void report_band(struct report *, const struct band *, double factor, const char *format);
// Shows the table, or prints it if the caller shows none; writes `csv` if it is not NULL; frees the report. `ok` false: only
// frees. Returns whether all went well.
bool report_end(struct report *, struct command_call *, const char *csv, bool ok);

// "1 chip", "512 chips".
const char *count_of(double count, const char *noun, char buf[32]);

// ---- the reports --------------------------------------------------------------------------------------------------------------

bool run_pods(struct command_call *);
bool run_slice(struct command_call *);
bool run_slices(struct command_call *);
bool run_goodput(struct command_call *);
bool run_partition(struct command_call *);
bool run_embeddings(struct command_call *);
bool run_carbon(struct command_call *);
bool run_compare(struct command_call *); // `compare`
bool run_timeline(struct command_call *);
bool run_tree(struct command_call *);
bool run_published(struct command_call *, const char *csv, const char *plot); // `pods published`

#endif
