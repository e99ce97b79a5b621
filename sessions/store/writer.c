// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sessions/store/folder.h"
#include "sessions/store/journal.h"

struct result_node {
	struct writer_result result;
	struct result_node *next;
};

struct writer {
	char folder[FOLDER_PATH], path[FOLDER_PATH];
	int journal;              // the file; the thread's own
	struct journal_place end; // of the journal on disk; the thread's own
	int end_file;             // that says so; -1: it cannot be written, and its word will be missed
	int news;                 // eventfd
	pthread_t thread;

	pthread_mutex_t lock; // for all below
	pthread_cond_t work;
	struct string lines; // not on the disk yet
	bool begun;          // the thread is writing
	unsigned jobs;       // given so far
	bool stuck;          // the last attempt failed: wait for another job before trying again
	bool ending;
	bool lost; // memory ran out for a line: none may follow it
	struct writer_state state;
	struct checkpoint checkpoint; // the next one; state NULL: none
	struct summary summary;       // beside it
	bool asked;
	struct result_node *first, **last;
};

static void give(struct writer *w, const struct writer_result *result)
{
	struct result_node *node = malloc(sizeof *node);
	if (!node)
		return;
	*node = (struct result_node){.result = *result};
	pthread_mutex_lock(&w->lock);
	*w->last = node;
	w->last = &node->next;
	pthread_mutex_unlock(&w->lock);
}

// The folder may be moved or deleted while the session is open, and another one be made in its place: what is written must not
// get lost in a file without a name, nor into a session of somebody else's.
static bool moved_away(const struct writer *w, struct fault *f)
{
	struct stat ours, there;
	if (fstat(w->journal, &ours) == 0 && stat(w->path, &there) == 0 && ours.st_dev == there.st_dev &&
		ours.st_ino == there.st_ino)
		return false;
	fault_set(f, w->folder, "put it back, then `save`", "this folder was moved or deleted while the session was open");
	return true;
}

// Appends the lines. After a failure the file is cut back to whole lines, so that it never ends in half of one.
static bool append(struct writer *w, const struct string *lines, struct fault *f)
{
	if (moved_away(w, f))
		return false;
	if (!lines->length)
		return true;
	int error = 0;
	if (lseek(w->journal, w->end.bytes, SEEK_SET) < 0 || !disk_write(w->journal, lines->bytes, lines->length) ||
		fdatasync(w->journal) != 0)
		error = errno;
	if (!error) {
		journal_advance(&w->end, lines->bytes, lines->length);
		if (w->end_file >= 0)
			journal_end_write(w->end_file, &w->end);
		return true;
	}
	if (ftruncate(w->journal, w->end.bytes) != 0)
		return disk_fault(f, w->path, "write it, nor cut it back to its last whole line", error);
	return disk_fault(f, w->path, "write it", error);
}

// Puts lines that could not be written back before those that came since.
static void put_back(struct writer *w, struct string *lines)
{
	string_bytes(lines, w->lines.bytes, w->lines.length);
	w->lost |= lines->failed;
	lines->failed = false;
	string_free(&w->lines);
	w->lines = *lines;
	*lines = (struct string){0};
}

static void turn(struct writer *w)
{
	// With the lock held; given up while the disk is at work.
	struct string lines = w->lines;
	struct checkpoint checkpoint = w->checkpoint;
	struct summary summary = w->summary;
	bool asked = w->asked;
	unsigned jobs = w->jobs;
	w->lines = (struct string){0};
	w->checkpoint = (struct checkpoint){0};
	w->asked = false;
	w->begun = true;
	pthread_mutex_unlock(&w->lock);

	struct fault fault = {0};
	bool appended = append(w, &lines, &fault);
	pthread_mutex_lock(&w->lock);
	// Told before a checkpoint is begun, which takes longer.
	w->state.durable = w->end.bytes;
	w->state.failing = !appended;
	if (!appended) {
		w->state.fault = fault;
		put_back(w, &lines);
	}
	string_free(&lines);
	eventfd_write(w->news, 1);
	pthread_mutex_unlock(&w->lock);

	if (checkpoint.state) {
		struct writer_result result = {.asked = asked, .step = checkpoint.step, .fault = fault};
		result.saved = appended && checkpoint_write(w->folder, &checkpoint, &result.fault);
		if (result.saved) {
			checkpoint_thin(w->folder);
			summary_write(w->folder, &summary, NULL); // without it a list of sessions says less; nothing is lost
		}
		give(w, &result);
		state_free(checkpoint.state);
	}
	pthread_mutex_lock(&w->lock);
	w->stuck = !appended && w->jobs == jobs;
	w->begun = false;
	eventfd_write(w->news, 1); // idle, perhaps: some wait for that
}

static void *run(void *context)
{
	struct writer *w = context;
	pthread_mutex_lock(&w->lock);
	for (;;) {
		bool work = (w->lines.length && !w->stuck) || w->checkpoint.state;
		if (work)
			turn(w);
		else if (w->ending)
			break;
		else
			pthread_cond_wait(&w->work, &w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static bool start(struct writer *w)
{
	// Signals are for the thread that has the terminal.
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error == 0;
}

struct writer *writer_new(const char *folder, const struct journal_place *end, struct fault *f)
{
	struct writer *w = calloc(1, sizeof *w);
	if (!w) {
		fault_memory(f, folder);
		return NULL;
	}
	folder_sweep(folder);
	w->last = &w->first;
	w->end = *end;
	w->state.durable = end->bytes;
	w->journal = w->end_file = w->news = -1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	snprintf(w->folder, sizeof w->folder, "%s", folder);
	if (!folder_file(folder, JOURNAL_FILE, w->path, sizeof w->path, f))
		goto failed;
	w->journal = open(w->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (w->journal < 0 || ftruncate(w->journal, end->bytes) != 0) {
		disk_fault(f, w->path, "write it", errno);
		goto failed;
	}
	char end_path[FOLDER_PATH];
	if (folder_file(folder, JOURNAL_END_FILE, end_path, sizeof end_path, NULL))
		w->end_file = open(end_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (w->end_file >= 0)
		journal_end_write(w->end_file, &w->end);
	w->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->news < 0 || !start(w)) {
		fault_set(f, folder, "close other programs", "cannot start the writer's thread");
		goto failed;
	}
	return w;
failed:
	if (w->journal >= 0)
		close(w->journal);
	if (w->end_file >= 0)
		close(w->end_file);
	if (w->news >= 0)
		close(w->news);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

bool writer_append(struct writer *w, const char *lines, size_t length)
{
	pthread_mutex_lock(&w->lock);
	if (!w->lost)
		string_bytes(&w->lines, lines, length);
	w->lost |= w->lines.failed;
	w->lines.failed = false;
	bool ok = !w->lost;
	w->jobs++;
	w->stuck = false;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	return ok;
}

bool writer_checkpoint(struct writer *w, const struct checkpoint *c, const struct summary *summary, bool asked)
{
	pthread_mutex_lock(&w->lock);
	struct state *old = w->checkpoint.state;
	w->checkpoint = *c;
	w->summary = *summary;
	w->asked |= asked;
	w->jobs++;
	w->stuck = false;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	if (old)
		state_free(old);
	return true;
}

void writer_retry(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->jobs++;
	w->stuck = false;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

void writer_look(struct writer *w, struct writer_state *state)
{
	pthread_mutex_lock(&w->lock);
	*state = w->state;
	pthread_mutex_unlock(&w->lock);
}

int writer_fd(const struct writer *w)
{
	return w->news;
}

bool writer_result(struct writer *w, struct writer_result *result)
{
	eventfd_t count;
	pthread_mutex_lock(&w->lock);
	struct result_node *node = w->first;
	if (node) {
		w->first = node->next;
		if (!w->first)
			w->last = &w->first;
	}
	if (!w->first)
		eventfd_read(w->news, &count);
	pthread_mutex_unlock(&w->lock);
	if (!node)
		return false;
	*result = node->result;
	free(node);
	return true;
}

bool writer_busy(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool busy = w->begun || (w->lines.length && !w->stuck) || w->checkpoint.state || w->first;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

bool writer_finish(struct writer *w, struct fault *f)
{
	if (!w)
		return true;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	w->jobs++; // one more attempt
	w->stuck = false;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);

	bool ok = true;
	struct writer_result result;
	while (writer_result(w, &result))
		if (!result.saved)
			ok = fault_set(f, result.fault.where, result.fault.todo, "%s", result.fault.what);
	if (w->lines.length && ok) {
		if (f)
			*f = w->state.fault;
		ok = false;
	}
	string_free(&w->lines);
	close(w->journal);
	if (w->end_file >= 0)
		close(w->end_file);
	close(w->news);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return ok;
}
