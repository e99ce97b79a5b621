// SPDX-License-Identifier: GPL-3.0-or-later
// A measurement of this machine beside an open workbench: a thread of its own makes the passes, and the session tells how far it is.
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sessions/core/inside.h"

static const double tell_seconds = 2; // between two words of it

struct measuring {
	pthread_t thread;
	struct measure_question question;
	char net[DISK_PATH], formats[ENGINE_TEXT], device[DISK_PATH]; // that it names
	int wake;                                                     // an eventfd, raised by each pass
	atomic_bool cut;
	double told;
	struct measurement *measurement; // the thread's alone
	pthread_mutex_t lock;            // of what is below
	bool ended, ok;
	struct fault fault;
	struct measure_state state;
};

static void publish(struct measuring *m, bool ended, bool ok, const struct fault *f)
{
	pthread_mutex_lock(&m->lock);
	if (m->measurement)
		measurement_state(m->measurement, &m->state);
	m->ended = ended;
	m->ok = ok;
	if (f)
		m->fault = *f;
	pthread_mutex_unlock(&m->lock);
	uint64_t one = 1;
	if (write(m->wake, &one, sizeof one) < 0)
		return; // it is raised already
}

static void *measure(void *context)
{
	struct measuring *m = context;
	struct measure_state s = {0};
	struct fault f = {0};
	bool ok = (m->measurement = measurement_open(&m->question, &f)) != NULL;
	if (ok)
		measurement_state(m->measurement, &s);
	while (ok && !s.done && !atomic_load(&m->cut)) {
		ok = measurement_pass(m->measurement, &f);
		measurement_state(m->measurement, &s);
		publish(m, false, ok, NULL);
	}
	ok = ok && measurement_save(m->measurement, &f);
	publish(m, true, ok, &f);
	measurement_close(m->measurement);
	return NULL;
}

static void forget(struct session *s)
{
	struct measuring *m = s->measuring;
	if (m->wake >= 0)
		close(m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m);
	s->measuring = NULL;
}

// The thread outlives the words of the command.
static bool copy(const char *from, char *to, size_t size, const char **into, struct fault *f)
{
	if (!from)
		return true;
	*into = to;
	return (size_t)snprintf(to, size, "%s", from) < size || fault_set(f, from, "choose a shorter one", "it is too long");
}

static bool start(struct measuring *m, const struct measure_question *q, struct fault *f)
{
	m->question = *q;
	if (!copy(q->net, m->net, sizeof m->net, &m->question.net, f) ||
		!copy(q->formats, m->formats, sizeof m->formats, &m->question.formats, f) ||
		!copy(q->device, m->device, sizeof m->device, &m->question.device, f))
		return false;
	if ((m->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
		return fault_set(f, "device", "close other programs", "no eventfd: %s", strerror(errno));
	m->told = clock_seconds();
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	int error = pthread_create(&m->thread, NULL, measure, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !error || fault_set(f, "device", "close other programs", "no thread can be made: %s", strerror(error));
}

bool measuring_begin(struct session *s, const struct measure_question *q, struct fault *f)
{
	if (s->measuring)
		return fault_set(f, "device", "`device cancel` ends it", "a measurement is going on");
	if (s->snapshot->run == RUN_RUNNING)
		return fault_set(f, "device", "`pause` it first", "the search takes the processors that would be measured");
	struct measuring *m = s->measuring = calloc(1, sizeof *m);
	if (!m)
		return fault_memory(f, "device");
	m->wake = -1;
	pthread_mutex_init(&m->lock, NULL);
	if (start(m, q, f)) {
		session_say(s, "measuring %s on this machine: `device cancel` ends it", q->net);
		return true;
	}
	forget(s);
	return false;
}

bool measuring_cancel(struct session *s, struct fault *f)
{
	if (!s->measuring)
		return fault_set(f, "device", "`device measure NETWORK` begins one", "nothing is being measured");
	atomic_store(&s->measuring->cut, true);
	return true;
}

int measuring_fds(const struct session *s, struct pollfd *fds)
{
	if (!s->measuring)
		return 0;
	*fds = (struct pollfd){.fd = s->measuring->wake, .events = POLLIN};
	return 1;
}

static void tell_end(struct session *s, const struct measure_state *state, bool ok, const struct fault *f)
{
	if (!ok)
		session_say_fault(s, f);
	else if (!state->done)
		session_say(s, "cut off: %d of %d rounds of %s are saved; the same command goes on", state->made, state->rounds,
			s->measuring->net);
	else
		session_say(s, "measured %s: %d layers in %d rounds, batch %d, %d thread%s; `set device %s` prices by it",
			s->measuring->net, state->layers, state->rounds, state->batch, state->threads,
			state->threads == 1 ? "" : "s", state->device);
}

void measuring_turn(struct session *s)
{
	struct measuring *m = s->measuring;
	uint64_t raised;
	if (!m || read(m->wake, &raised, sizeof raised) < 0)
		return;
	pthread_mutex_lock(&m->lock);
	struct measure_state state = m->state;
	struct fault f = m->fault;
	bool ended = m->ended, ok = m->ok;
	pthread_mutex_unlock(&m->lock);
	if (ended) {
		pthread_join(m->thread, NULL);
		tell_end(s, &state, ok, &f);
		forget(s);
	} else if (clock_seconds() - m->told >= tell_seconds) {
		m->told = clock_seconds();
		session_say(s, "measuring %s: %.0f %%, %.0f s left (`device cancel`)", m->net, 100 * state.share,
			isnan(state.left) ? 0 : ceil(state.left));
	}
}

void measuring_end(struct session *s)
{
	if (!s->measuring)
		return;
	atomic_store(&s->measuring->cut, true);
	pthread_join(s->measuring->thread, NULL);
	forget(s);
}
