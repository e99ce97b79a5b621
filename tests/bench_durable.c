// SPDX-License-Identifier: GPL-3.0-or-later
// From a key that changes the search to its acknowledgement: until it is in force (the step under way has ended), and until its
// line is safe on the disk.
#include "tests/bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/tensor/rng.h"
#include "sessions/store/changes.h"
#include "sessions/core/inside.h"

enum { CHANGES = 100 };
enum { IN_FORCE, ACKNOWLEDGED, SYNC, TIMES };

// Turns until there is one more entry, or it is acknowledged too. False: a fault was said.
static bool turn_until(struct session *s, int entries, bool acknowledged)
{
	for (;;) {
		struct pollfd fds[SESSION_FDS];
		int timeout = 1000;
		bool bad = false, said = false;
		const struct journal_entry *entry;
		session_turn(s);
		for (const char *text; (text = session_message(s, &bad)) && !bad;)
			said = true;
		if (bad || session_snapshot(s)->run == RUN_FAILED)
			return false;
		if (session_journal(s, &entry) >= entries && (!acknowledged || said || !session_unwritten(s)))
			return true;
		int n = session_fds(s, fds, &timeout);
		poll(fds, (nfds_t)n, timeout);
	}
}

// A line into a file of the same folder and its sync, as the writer does it; seconds.
static double plain_sync(int fd)
{
	static const char line[] = "412 weight bops 1.001 # back weight bops 1 #=1c291ca3\n";
	double began = bench_now();
	if (write(fd, line, sizeof line - 1) < 0 || fdatasync(fd) != 0) {
		perror("bench: sync");
		exit(1);
	}
	return bench_now() - began;
}

static void measure(struct session *s, int fd, double ms[TIMES][CHANGES])
{
	uint64_t key = rng_key(1, "change", 0);
	const struct journal_entry *entry;
	for (int i = 0; i < CHANGES; i++) {
		struct fault fault;
		struct change change;
		char line[64];
		snprintf(line, sizeof line, "weight bops 1.%03d", i + 1);
		bench_nap(0.02 + 0.05 * rng_uniform(key, (uint64_t)i));
		session_turn(s);
		int entries = session_journal(s, &entry) + 1;
		if (!change_read(line, &change, &fault))
			bench_stop(&fault);
		double began = bench_now();
		if (!session_change(s, &change, ACT_DO, 0, &fault) || !turn_until(s, entries, false))
			bench_stop(&fault);
		ms[IN_FORCE][i] = 1000 * (bench_now() - began);
		if (!turn_until(s, entries, true))
			bench_stop(&s->written.fault);
		ms[ACKNOWLEDGED][i] = 1000 * (bench_now() - began);
		ms[SYNC][i] = 1000 * plain_sync(fd);
		free(change.item);
	}
}

void bench_acknowledge(void)
{
	static const char *const what[TIMES] = {"in force", "acknowledged", "a plain write and sync"};
	static double ms[TIMES][CHANGES];
	struct fault fault;
	char path[FOLDER_PATH];
	printf("\nFrom a change to its acknowledgement, in ms: %d changes at random moments, resnet8 on glyphs, all processors; beside it a\n"
	       "line's plain write and sync in the same folder\n\n%-10s %-24s %8s %8s %8s\n",
		CHANGES, "", "", "p50", "p90", "most");
	for (int running = 0; running < 2; running++) {
		struct config *config = bench_config("net=resnet8 steps=100000");
		snprintf(path, sizeof path, "%s/acknowledge%d", bench_folder, running);
		struct session *s = session_new(path, config, &fault);
		config_free(config);
		if (!s)
			bench_stop(&fault);
		snprintf(path, sizeof path, "%s/plain", session_folder(s));
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (running)
			engine_run_to(session_engine(s), ENGINE_RUN_ON);
		measure(s, fd, ms);
		for (int t = 0; t < TIMES; t++)
			printf("%-10s %-24s %8.2f %8.2f %8.2f\n",
				t                 ? ""
					: running ? "running"
						  : "paused",
				what[t], quantile(ms[t], CHANGES, 0.5), quantile(ms[t], CHANGES, 0.9),
				quantile(ms[t], CHANGES, 1));
		close(fd);
		if (!session_close(s, &fault))
			bench_stop(&fault);
		fflush(stdout);
	}
}
