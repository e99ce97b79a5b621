// SPDX-License-Identifier: GPL-3.0-or-later
// A recording of the screen as an asciicast (version 2: a line of JSON for the whole, then one for each change of the screen, with its
// time). It is made from grids of cells, so that it needs no terminal. The file appears under its name when the recording ends, whole.
#ifndef UI_CAST_H
#define UI_CAST_H

#include "engine/base/fault.h"
#include "ui/screen.h"

enum { CAST_MOST = 64 << 20 }; // bytes of a file; the recording ends before it would be longer

struct cast;
// Begins one of a screen of this size. `title`: what it shows. NULL: a fault.
struct cast *cast_begin(const char *file, int width, int height, const char *title, struct fault *);
// Adds what differs from the last frame. `seconds`: since the beginning; earlier than the last frame counts as with it. A screen of
// another size is recorded as a resized one. Returns false if it cannot be written, or has grown to CAST_MOST: nothing is added then.
bool cast_frame(struct cast *, const struct screen *, const struct theme *, double seconds, struct fault *);
// Puts the file in its place, with a last frame's time of `seconds`, and frees. Returns false if it cannot: no file is left then.
bool cast_end(struct cast *, double seconds, struct fault *);
void cast_drop(struct cast *); // leaves no file; NULL: nothing
const char *cast_file(const struct cast *);
long cast_frames(const struct cast *);

#endif
