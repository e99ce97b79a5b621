// SPDX-License-Identifier: GPL-3.0-or-later
// `device measure`: this machine, layer by layer, as a device file.
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/signals.h"
#include "engine/measure.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

// ---- the words ------------------------------------------------------------------------------------------------------------------

static bool take_number(const char *word, const char *key, long most, int *to, bool *taken, struct fault *f)
{
	size_t length = strlen(key);
	long value;
	*taken = strncmp(word, key, length) == 0;
	if (!*taken)
		return true;
	if (!number_read_long(word + length, 1, most, &value))
		return fault_set(f, word, "give a whole number from 1", "%ld is the most", most);
	*to = (int)value;
	return true;
}

static bool take_word(const char *word, struct measure_question *q, struct fault *f)
{
	static const struct {
		const char *key;
		long most;
	} numbers[] = {{"batch=", 4096}, {"threads=", 256}, {"rounds=", MEASURE_ROUNDS}};
	int *const to[] = {&q->batch, &q->threads, &q->rounds};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		bool taken;
		if (!take_number(word, numbers[i].key, numbers[i].most, to[i], &taken, f))
			return false;
		if (taken)
			return true;
	}
	if (strncmp(word, "formats=", 8) == 0)
		q->formats = word + 8;
	else if (strncmp(word, "device=", 7) == 0 && word[7])
		q->device = word + 7;
	else if (strcmp(word, "again") == 0)
		q->again = true;
	else
		return fault_set(f, word,
			"batch=, threads=, rounds=, formats=, device= and again are the words of `device measure`",
			"it is not one of its words");
	return true;
}

static bool read_question(const struct command_call *call, struct measure_question *q, struct fault *f)
{
	const struct session *s = call->context;
	*q = (struct measure_question){.net = call->argc > 1 ? call->argv[1] : NULL};
	if (!q->net)
		return fault_set(f, "device",
			"device measure NETWORK [batch=16] [threads=N] [rounds=15] [formats=int8,fp32] [device=host] [again]",
			"it needs a network");
	if (strcmp(q->net, ".") == 0) {
		if (!s)
			return fault_set(f, ".", "name a network: `catalog` lists them", "no session is open");
		q->net = s->info->net;
		q->h = s->info->image_h;
		q->w = s->info->image_w;
		q->c = s->info->image_c;
		q->classes = s->info->classes;
	}
	for (int i = 2; i < call->argc; i++)
		if (!take_word(call->argv[i], q, f))
			return false;
	return true;
}

// ---- without a workbench --------------------------------------------------------------------------------------------------------

// A line that a terminal shows in one place; elsewhere one every ten seconds.
struct bar {
	bool terminal, shown;
	double at;
};

static void show(struct bar *b, const struct measure_state *s)
{
	char left[32] = "";
	double now = clock_seconds();
	if (now - b->at < (b->terminal ? 0.2 : 10))
		return;
	b->at = now;
	b->shown = true;
	if (!isnan(s->left))
		snprintf(left, sizeof left, ", %.0f s left", ceil(s->left));
	fprintf(stderr, "%s%s: round %d of %d, %.0f %%%s%s", b->terminal ? "\r\033[K" : "", s->net,
		s->made + 1 > s->rounds ? s->rounds : s->made + 1, s->rounds, 100 * s->share, left, b->terminal ? "" : "\n");
}

static void clear(struct bar *b)
{
	if (b->shown && b->terminal)
		fputs("\r\033[K", stderr);
}

// A signal that has come is left for whoever takes them.
static bool signalled(void)
{
	struct pollfd heard = {.fd = signals_fd(), .events = POLLIN};
	return poll(&heard, 1, 0) > 0;
}

static void tell(const struct measure_state *s, char *buf, size_t size)
{
	char found[48] = "";
	if (s->found)
		snprintf(found, sizeof found, ", %d of them measured before", s->found);
	snprintf(buf, size, "%s: %d layers in %d format%s, batch %d, %d thread%s, kernels %s: %d of %d rounds%s; %s", s->net,
		s->layers, s->formats, s->formats == 1 ? "" : "s", s->batch, s->threads, s->threads == 1 ? "" : "s", s->kernels,
		s->made, s->rounds, found, s->file);
}

static bool measure_here(struct command_call *call, struct measurement *m)
{
	struct fault *f = &call->fault;
	struct bar bar = {.terminal = isatty(STDERR_FILENO), .at = clock_seconds()};
	struct measure_state s;
	char line[1400];
	bool ok = true, cut = false;
	measurement_state(m, &s);
	while (ok && !s.done && !(cut = signalled())) {
		ok = measurement_pass(m, f);
		measurement_state(m, &s);
		show(&bar, &s);
	}
	clear(&bar);
	ok = ok && measurement_save(m, f);
	if (!ok)
		return false;
	tell(&s, line, sizeof line);
	call->say(call, "%s", line);
	return !cut ||
		fault_set(f, "device", "the same command goes on where it was", "cut off: %d of %d rounds are saved", s.made,
			s.rounds);
}

static bool run_measure(struct command_call *call)
{
	struct session *s = call->context;
	struct measure_question q;
	if (!read_question(call, &q, &call->fault))
		return false;
	if (s && !s->batch)
		return measuring_begin(s, &q, &call->fault);
	bool own = signals_fd() < 0;
	if (own && !signals_open(false, &call->fault))
		return false;
	struct measurement *m = measurement_open(&q, &call->fault);
	bool ok = m && measure_here(call, m);
	measurement_close(m);
	if (own) {
		signals_next();
		signals_close();
	}
	if (ok && q.device)
		return true;
	if (ok)
		call->say(call, "device=host prices latency by it; `measured %s` shows it layer by layer", call->argv[1]);
	return ok;
}

bool run_device(struct command_call *call)
{
	struct session *s = call->context;
	if (strcmp(call->argv[0], "measure") == 0)
		return run_measure(call);
	if (strcmp(call->argv[0], "cancel") == 0 && call->argc == 1 && s && !s->batch)
		return measuring_cancel(s, &call->fault);
	return fault_set(&call->fault, call->argv[0],
		"device measure NETWORK; in the workbench also device cancel; `devices` lists devices",
		"it is neither of the two");
}
