// SPDX-License-Identifier: GPL-3.0-or-later
// The writer: a thread that brings the journal and the checkpoints of one session to the disk, so that nobody else waits
// for it. Lines are appended in the order given and synced, one sync for all that wait; a checkpoint is written only once all
// lines given before it are on the disk. Where lines cannot be written the file is cut back to those that are safe; what is left
// is kept and tried again with the next job, or when writer_retry asks for it. A folder that was moved or deleted while it was
// open counts as one that cannot be written, and so does one that was made in its place.
#ifndef SESSIONS_STORE_WRITER_H
#define SESSIONS_STORE_WRITER_H

#include <sys/types.h>

#include "sessions/store/checkpoint.h"
#include "sessions/store/summary.h"

struct writer;
// For the journal of the folder, which is cut to end here; temporary files that a process left there when it was killed
// are removed. NULL: a fault.
struct writer *writer_new(const char *folder, const struct journal_place *end, struct fault *);
// Each copies or takes what it is given and returns at once; false: out of memory, now or before, and no line will be taken.
bool writer_append(struct writer *, const char *lines, size_t length);
// Takes the state. `asked`: a person waits for the answer. A checkpoint that has not been begun gives way to a newer one.
// The summary is copied, and written once the checkpoint is on the disk.
bool writer_checkpoint(struct writer *, const struct checkpoint *, const struct summary *, bool asked);
void writer_retry(struct writer *);

// How the journal is.
struct writer_state {
	off_t durable;      // so many bytes of it are safe
	bool failing;       // what came since could not be written when it was last tried
	struct fault fault; // why
};
void writer_look(struct writer *, struct writer_state *);

// What became of a checkpoint.
struct writer_result {
	bool saved; // of `step`; else the fault
	bool asked;
	long step;
	struct fault fault;
};
// Readable when there is a result, the journal has moved, or nothing is left to write.
int writer_fd(const struct writer *);
bool writer_result(struct writer *, struct writer_result *);
// Something is still to be written (and has not been found impossible to write).
bool writer_busy(struct writer *);
// Writes what is left, ends the thread and frees. False: the fault says what did not reach the disk. NULL is fine.
bool writer_finish(struct writer *, struct fault *);

#endif
