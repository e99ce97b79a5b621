// SPDX-License-Identifier: GPL-3.0-or-later
// The writer: a thread that puts the journal and the checkpoints of one session on the disk, so that no other thread waits for
// it. Lines are appended in the order given and synced, with one sync for all that wait. A checkpoint is written only once all
// lines given before it are on the disk. If lines cannot be written, the file is cut back to those that are safe; the rest is
// kept and tried again with the next job, or when writer_retry asks for it. A folder that was moved, deleted or replaced while it
// was open counts as one that cannot be written.
#ifndef SESSIONS_STORE_WRITER_H
#define SESSIONS_STORE_WRITER_H

#include <sys/types.h>

#include "sessions/store/checkpoint.h"
#include "sessions/store/summary.h"

struct writer;
// Makes the writer of the folder's journal, which is cut to end here. Removes temporary files that killed processes left there.
// NULL: a fault.
struct writer *writer_new(const char *folder, const struct journal_place *end, struct fault *);
// Each copies or takes its arguments and returns at once. Returns false when out of memory, now or before; no further line is
// taken then.
bool writer_append(struct writer *, const char *lines, size_t length);
// Takes the state. `asked`: a person waits for the answer. A newer checkpoint replaces one that has not been begun. The summary
// is copied, and written once the checkpoint is on the disk.
bool writer_checkpoint(struct writer *, const struct checkpoint *, const struct summary *, bool asked);
void writer_retry(struct writer *);

// The journal's state on the disk.
struct writer_state {
	off_t durable;      // number of bytes of it that are safe
	bool failing;       // the last attempt to write the rest failed
	struct fault fault; // why
};
void writer_look(struct writer *, struct writer_state *);

// The outcome of a checkpoint.
struct writer_result {
	bool saved; // the one of `step`; else see the fault
	bool asked;
	long step;
	struct fault fault;
};
// Readable when there is a result, the journal has moved, or nothing is left to write.
int writer_fd(const struct writer *);
bool writer_result(struct writer *, struct writer_result *);
// Returns whether something is still to be written and has not failed, or a result waits to be taken.
bool writer_busy(struct writer *);
// Writes the rest, ends the thread and frees. Returns false with a fault that says what did not reach the disk. NULL is fine.
bool writer_finish(struct writer *, struct fault *);

#endif
