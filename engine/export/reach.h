// SPDX-License-Identifier: GPL-3.0-or-later
// For whom a network leaves: a form, one of the programs that read it, and what that program can run. Where programs disagree, what they do was
// tried with the versions that are named; `make check-peers` tries it again. Immutable.
#ifndef ENGINE_EXPORT_REACH_H
#define ENGINE_EXPORT_REACH_H

#include "engine/export/export.h"

struct reach {
	const char *form, *reader; // as `export` and reach= name them
	const char *program;       // with its version
	bool (*has)(int format);   // whether it runs the format
	const char *lacks;         // why it does not run others
	bool blocks;               // it runs weights with scales by blocks
	bool (*write)(const struct frozen *, const struct outgoing *, const char *name, FILE *, FILE *beside, struct fault *);
	bool (*check)(const struct frozen *, const struct outgoing *, const char *path, const char *beside, struct fault *);
	const char *beside; // the ending of a second file; NULL: there is none
	bool folds;         // whether batch norms may go into the layers before them
	bool clip;          // as in struct outgoing
	const char *how[6]; // to load it: lines, NULL-terminated; none: the file says it
};

// NULL as a form: the first that the reader takes, which the setting reach= is about; as a reader: whom the form is written for where
// nobody is named. NULL with a fault that lists what there is.
const struct reach *reach_of(const char *form, const char *reader, struct fault *);
const char *reach_words(void); // of all readers: "ort|openvino|…"

// Writes as the row does; formats that its reader does not run are refused, with the layer's name.
bool reach_write(const struct frozen *, const struct outgoing *, const char *name, FILE *, FILE *beside, struct fault *);

// How the file is opened by all who read it, as Markdown. `path`: the file's name as it is called there.
bool reach_guide(const struct frozen *, const struct outgoing *, const char *path, const char *beside, FILE *);

#endif
