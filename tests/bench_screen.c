// SPDX-License-Identifier: GPL-3.0-or-later
// The workbench in a pseudo terminal: what it costs the search, and how soon it answers a key.
#include "tests/bench.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/courtesy.h"
#include "engine/base/signals.h"
#include "engine/tensor/rng.h"
#include "ui/loop.h"
#include "ui/prompt.h"
#include "ui/terminal.h"

// ---- a pseudo terminal ----

// The row in hand is marked by it, alone: it is written where the cursor of a table moves, and at no other time.
static const char mark[] = "\u25b8";
enum { REPORT = 30 }; // descriptor over which a workbench's process is asked for its speed, and answers

struct pty {
	pid_t pid;
	int fd;
	size_t matched; // of the mark, in what was read so far
};

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

// `report` >= 0: becomes the new process's descriptor REPORT.
static struct pty pty_start(char *const argv[], unsigned short width, unsigned short height, int report)
{
	struct pty p = {.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
	char name[128];
	if (p.fd < 0 || grantpt(p.fd) != 0 || unlockpt(p.fd) != 0 || ptsname_r(p.fd, name, sizeof name) != 0)
		give_up("pseudo terminal");
	setenv("TERM", "xterm-256color", 1);
	ioctl(p.fd, TIOCSWINSZ, &(struct winsize){.ws_row = height, .ws_col = width});
	p.pid = fork();
	if (p.pid != 0)
		return p;
	setsid();
	int tty = open(name, O_RDWR);
	ioctl(tty, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(tty, i);
	if (report >= 0)
		dup2(report, REPORT);
	execv(argv[0], argv);
	_exit(127);
}

// Reads what comes within so many seconds, or until a mark; returns how many marks came, -1: the other side is gone.
static int pty_read(struct pty *p, double seconds, bool until_mark)
{
	char bytes[1 << 16];
	double end = bench_now() + seconds;
	int marks = 0;
	for (double left; (left = end - bench_now()) > 0;) {
		struct pollfd ready = {.fd = p->fd, .events = POLLIN};
		if (poll(&ready, 1, (int)(1000 * left) + 1) <= 0)
			continue;
		long n = read(p->fd, bytes, sizeof bytes);
		if (n <= 0)
			return -1;
		for (long i = 0; i < n; i++) {
			p->matched = bytes[i] == mark[p->matched] ? p->matched + 1 : bytes[i] == mark[0];
			if (p->matched == sizeof mark - 1)
				marks++, p->matched = 0;
		}
		if (marks && until_mark)
			break;
	}
	return marks;
}

static void pty_end(struct pty *p)
{
	kill(p->pid, SIGTERM);
	while (pty_read(p, 1, false) >= 0)
		;
	waitpid(p->pid, NULL, 0);
	close(p->fd);
}

// Adds `sign` times what a process' first thread has computed and waited so far: Linux's schedstat.
static void add_usage(pid_t pid, double sign, double *computed, double *waited)
{
	char path[64], line[128] = "", *rest;
	snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");
	if (f && fgets(line, sizeof line, f)) {
		*computed += sign * strtod(line, &rest) / 1e6;
		*waited += sign * strtod(rest, NULL) / 1e6;
	}
	if (f)
		fclose(f);
}

// ---- what the workbench costs the search ----

enum { ROUNDS = 31, STEPS = 8 }; // turns, and steps in a turn
static const char overhead_settings[] = "net=resnet8 data=glyphs steps=100000 warmup=0 front-every=0";

// Each returns the seconds of a turn.
static double direct_turn(struct search *s)
{
	struct fault fault;
	double began = bench_now();
	for (int i = 0; i < STEPS; i++)
		if (!search_step(s, &fault))
			bench_stop(&fault);
	return bench_now() - began;
}

// Looks only when the turn may be over, to within half a millisecond.
static double engine_turn(struct engine *e)
{
	static struct snapshot *s;
	static double shortest; // 0: not known yet
	if (!s && !(s = snapshot_new()))
		return 0;
	engine_snapshot(e, s);
	long goal = s->step + STEPS;
	double began = bench_now();
	engine_run_to(e, goal);
	bench_nap(0.9 * shortest);
	while (engine_snapshot(e, s), s->step < goal)
		bench_nap(0.0005);
	double took = bench_now() - began;
	if (shortest == 0 || took < shortest)
		shortest = took;
	return took;
}

static void *report(void *engine)
{
	for (char byte; read(REPORT, &byte, 1) == 1;) {
		double seconds = engine_turn(engine);
		if (write(REPORT, &seconds, sizeof seconds) < 0)
			break;
	}
	return NULL;
}

// As ui/main.c's, with a thread at its side that tells the engine's speed when it is asked to.
int workbench_child(const char *settings)
{
	static struct workbench w;
	struct fault fault;
	setlocale(LC_CTYPE, "C.UTF-8");
	courtesy_ask();
	struct session *s = session_new(NULL, bench_config(settings), &fault);
	if (!s || !terminal_check(&fault) || !signals_open(true, &fault) || !workbench_begin(&w, s, false, &fault) ||
		!terminal_open(true, &fault))
		bench_stop(&fault);
	pthread_t thread;
	if (pthread_create(&thread, NULL, report, session_engine(s)) != 0)
		return 1;
	prompt_init();
	loop_run(&w);
	prompt_end();
	terminal_close();
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	return !workbench_end(&w, NULL, &fault);
}

static double turn_at_the_screen(struct pty *p, int report_fd)
{
	double seconds = 0;
	struct pollfd answer = {.fd = report_fd, .events = POLLIN};
	if (write(report_fd, "", 1) != 1)
		return 0;
	while (poll(&answer, 1, 0) == 0)
		if (pty_read(p, 0.02, false) < 0)
			return 0;
	return read(report_fd, &seconds, sizeof seconds) == sizeof seconds ? seconds : 0;
}

void bench_overhead(void)
{
	enum { DIRECT, ENGINE, WORKBENCH, SIDES };
	static const char *const name[] = {"search_step alone", "engine, nobody looking", "workbench at 200x60"};
	struct fault fault;
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		give_up("socketpair");
	struct pty p = pty_start((char *[]){"/proc/self/exe", "workbench", (char *)overhead_settings, NULL}, 200, 60, ends[1]);
	close(ends[1]);
	struct search *s = bench_search("%s", overhead_settings);
	struct config *c = bench_config(overhead_settings);
	struct engine *e = engine_open(c, NULL, &fault);
	if (!e)
		bench_stop(&fault);
	double seconds[SIDES][ROUNDS], computed = 0, waited = 0, turns = 0;
	for (int i = -1; i < ROUNDS; i++) { // the first is not counted
		int r = i < 0 ? 0 : i;
		seconds[DIRECT][r] = direct_turn(s);
		seconds[ENGINE][r] = engine_turn(e);
		add_usage(p.pid, -1, &computed, &waited);
		turns += seconds[WORKBENCH][r] = turn_at_the_screen(&p, ends[0]);
		add_usage(p.pid, 1, &computed, &waited);
	}
	printf("\nWhat the workbench costs the search (resnet8 on glyphs, live, all processors): the same steps, in turns of %d, medians of\n"
	       "%d; the workbench in a pseudo terminal, its output read and thrown away; in its turns its own thread computed for %.2f %% of\n"
	       "the processors' time\n\n%-24s %8s %12s %18s\n",
		STEPS, ROUNDS, computed / 10 / turns / search_info(s)->threads, "", "images/s", "of the first", "quartiles");
	for (int i = 0; i < SIDES; i++) {
		double speed[ROUNDS];
		for (int r = 0; r < ROUNDS; r++)
			speed[r] = 100 * seconds[DIRECT][r] / seconds[i][r];
		double images = STEPS * search_info(s)->batch;
		printf("%-24s %8.0f %11.1f%% %8.1f%% .. %5.1f%%\n", name[i], images / median(seconds[i], ROUNDS),
			median(speed, ROUNDS), quantile(speed, ROUNDS, 0.25), quantile(speed, ROUNDS, 0.75));
	}
	fflush(stdout);
	pty_end(&p);
	close(ends[0]);
	engine_close(e);
	config_free(c);
	search_free(s);
}

// ---- from a key to the changed screen ----

enum { PRESSES = 300 };

// In ms: what a press took, and within that what the workbench's thread computed, what it waited for a processor, and what
// this program, as the terminal, waited for one.
enum { TOOK, COMPUTED, WAITED, TERMINAL_WAITED, TIMES };
struct press {
	double ms[TIMES];
};

static int by_time(const void *a, const void *b)
{
	double x = ((const struct press *)a)->ms[TOOK], y = ((const struct press *)b)->ms[TOOK];
	return x < y ? -1 : x > y;
}

// Alternately down and up, at random moments.
static bool press_keys(struct pty *p, struct press press[PRESSES], int *strays)
{
	uint64_t key = rng_key(1, "press", 0);
	for (int i = 0; i < PRESSES; i++) {
		*strays += pty_read(p, 0.01 + 0.05 * rng_uniform(key, (uint64_t)i), false);
		double *ms = press[i].ms, ours = 0;
		memset(ms, 0, sizeof press[i].ms);
		add_usage(p->pid, -1, &ms[COMPUTED], &ms[WAITED]);
		add_usage(getpid(), -1, &ours, &ms[TERMINAL_WAITED]);
		double began = bench_now();
		if (write(p->fd, i % 2 ? "k" : "j", 1) != 1 || pty_read(p, 5, true) <= 0)
			return false;
		ms[TOOK] = 1000 * (bench_now() - began);
		add_usage(p->pid, 1, &ms[COMPUTED], &ms[WAITED]);
		add_usage(getpid(), 1, &ours, &ms[TERMINAL_WAITED]);
	}
	return true;
}

void bench_keys(void)
{
	static const double quantiles[] = {0.5, 0.9, 0.99, 1};
	static const struct {
		const char *name, *before; // keys to begin with
	} row[] = {{"paused", " "}, {"on all processors", ""}};
	static struct press press[PRESSES];
	char program[512];
	const char *out = getenv("OUT");
	snprintf(program, sizeof program, "%s/bitscape", out && *out ? out : "build");
	printf("\nFrom a key (j, k) to the moved mark of the row in hand: bitscape at 120x40 in a pseudo terminal, resnet8 on glyphs, %d\n"
	       "presses at random moments, in ms. Within it: what the workbench's thread computed, what it waited for a processor, what the\n"
	       "terminal, this program, waited for one; means, then means of the slowest tenth. strays: marks that no key had moved.\n\n"
	       "%-20s %7s %7s %7s %7s  %8s %8s %8s  %8s %8s %8s  %6s\n",
		PRESSES, "", "p50", "p90", "p99", "most", "computed", "waited", "terminal", "computed", "waited", "terminal",
		"strays");
	for (size_t r = 0; r < sizeof row / sizeof row[0]; r++) {
		struct pty p = pty_start((char *[]){program, "new", "net=resnet8", "steps=100000", NULL}, 120, 40, -1);
		int strays = 0, begun = pty_read(&p, 2, false);
		if (begun <= 0 || write(p.fd, row[r].before, strlen(row[r].before)) < 0 || pty_read(&p, 0.5, false) < 0 ||
			!press_keys(&p, press, &strays)) {
			fprintf(stderr, "bench: %s does not answer\n", program);
			exit(1);
		}
		pty_end(&p);
		qsort(press, PRESSES, sizeof *press, by_time);
		printf("%-20s", row[r].name);
		for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
			printf(" %7.2f", press[(int)(quantiles[i] * (PRESSES - 1) + 0.5)].ms[TOOK]);
		for (int count = PRESSES; count; count = count == PRESSES ? PRESSES / 10 : 0)
			for (int t = COMPUTED; t < TIMES; t++) {
				double sum = 0;
				for (int i = PRESSES - count; i < PRESSES; i++)
					sum += press[i].ms[t];
				printf("%*s%8.2f", t == COMPUTED ? 2 : 1, "", sum / count);
			}
		printf("  %6d\n", strays);
		fflush(stdout);
	}
}

// ---- a frame ----

// Of one size: frames of news, ten a second, and frames of a moved mark; the bytes that each sends, and what the workbench's
// thread computes for it.
enum { FRAME_SECONDS = 6, FRAME_PRESSES = 100 };
struct frames {
	int count;
	double bytes, computed; // of all, bytes and ms
};

// Reads for so many seconds, or until a frame has come. What comes within a burst is one frame.
static bool read_frames(struct pty *p, double seconds, bool one, struct frames *f)
{
	static const double burst = 0.015;
	char bytes[1 << 16];
	double last = 0, end = bench_now() + seconds;
	for (double now; (now = bench_now()) < end;) {
		struct pollfd ready = {.fd = p->fd, .events = POLLIN};
		if (poll(&ready, 1, last > 0 && one ? (int)(1000 * burst) : (int)(1000 * (end - now)) + 1) <= 0) {
			if (one && last > 0)
				return true;
			continue;
		}
		long n = read(p->fd, bytes, sizeof bytes);
		if (n <= 0)
			return false;
		now = bench_now();
		f->count += now - last > burst;
		f->bytes += (double)n;
		last = now;
	}
	return !one || last > 0;
}

static bool news_frames(struct pty *p, struct frames *f)
{
	double waited = 0;
	add_usage(p->pid, -1, &f->computed, &waited);
	bool ok = read_frames(p, FRAME_SECONDS, false, f);
	add_usage(p->pid, 1, &f->computed, &waited);
	return ok;
}

static bool key_frames(struct pty *p, struct frames *f)
{
	double waited = 0;
	add_usage(p->pid, -1, &f->computed, &waited);
	for (int i = 0; i < FRAME_PRESSES; i++)
		if (write(p->fd, i / 5 % 2 ? "k" : "j", 1) != 1 || !read_frames(p, 5, true, f))
			return false;
	add_usage(p->pid, 1, &f->computed, &waited);
	return true;
}

// The whole screen, sent anew.
static bool whole_frame(struct pty *p, struct frames *f)
{
	return write(p->fd, "\f", 1) == 1 && read_frames(p, 5, true, f);
}

void bench_frames(void)
{
	static const struct {
		unsigned short width, height;
	} size[] = {{80, 24}, {120, 40}, {200, 60}};
	char program[512];
	const char *out = getenv("OUT");
	snprintf(program, sizeof program, "%s/bitscape", out && *out ? out : "build");
	printf("\nA frame: bitscape in a pseudo terminal, resnet8 on glyphs; what is sent, and what the workbench's thread computes. News: %d s\n"
	       "of a search, whose frames come ten a second; a key: %d presses of j and k while it is paused; whole: all is sent anew.\n\n"
	       "%-8s %7s %12s %11s %12s %11s %12s\n",
		FRAME_SECONDS, FRAME_PRESSES, "", "frames", "bytes a news", "us a news", "bytes a key", "us a key",
		"bytes, whole");
	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		struct frames news = {0}, keys = {0}, whole = {0}, rest = {0};
		struct pty p = pty_start((char *[]){program, "new", "net=resnet8", "steps=100000", NULL}, size[i].width,
			size[i].height, -1);
		if (!read_frames(&p, 2, false, &rest) || !news_frames(&p, &news) || write(p.fd, " ", 1) != 1 ||
			!read_frames(&p, 0.5, false, &rest) || !key_frames(&p, &keys) || !whole_frame(&p, &whole)) {
			fprintf(stderr, "bench: %s does not answer\n", program);
			exit(1);
		}
		pty_end(&p);
		printf("%3dx%-4d %7d %12.0f %11.0f %12.0f %11.0f %12.0f\n", size[i].width, size[i].height, news.count,
			news.bytes / news.count, 1000 * news.computed / news.count, keys.bytes / keys.count,
			1000 * keys.computed / keys.count, whole.bytes);
		fflush(stdout);
	}
}
