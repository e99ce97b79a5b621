// SPDX-License-Identifier: GPL-3.0-or-later
// A campaign of faults against sessions, with the real program ($OUT/bitscape) in processes of its own: kills at random moments
// and right at an acknowledgement, signals, damaged and exchanged files, disk calls that fail (tests/failing.c), two instances on
// one session; and fuzzers of what reads journals, manifests and checkpoints, in this process.
//
//	campaign [--long] [--seed N] [--seconds S] [--only WORD]
//
// What must hold: a change whose acknowledgement was printed is in the journal; the session opens, and a replay gives the recorded
// digest; a session whose files were damaged opens with a word about it or gives the same search, and never another one in
// silence; nothing crashes or hangs. It prints how often each thing came out how, and ends with status 1 where something did not
// hold. Without --long the kinds take turns until the seconds (18) are over.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/clock.h"
#include "sessions/store/checkpoint.h"
#include "sessions/store/folder.h"
#include "sessions/store/manifest.h"
#include "tests/ground.h"
#include "tests/sealed.h"

enum { TEXT = 1 << 16, PATIENCE = 120 /* seconds; a process that takes longer hangs */ };

static char place[FOLDER_PATH], program[FOLDER_PATH], shim[FOLDER_PATH];
static bool sanitized;

// ---- chance and counts -----------------------------------------------------------------------------------------------

static uint64_t chance = 1;

static uint64_t random_bits(void)
{
	chance += 0x9e3779b97f4a7c15u;
	uint64_t z = chance;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static long random_below(long n)
{
	return n > 0 ? (long)(random_bits() % (uint64_t)n) : 0;
}

enum { TALLIES = 128 };
static struct tally {
	char kind[48], outcome[64];
	long count;
} tally[TALLIES];
static long broken;

static void count(const char *kind, const char *outcome)
{
	for (int i = 0; i < TALLIES; i++) {
		if (!tally[i].count) {
			snprintf(tally[i].kind, sizeof tally[i].kind, "%s", kind);
			snprintf(tally[i].outcome, sizeof tally[i].outcome, "%s", outcome);
		} else if (strcmp(tally[i].kind, kind) != 0 || strcmp(tally[i].outcome, outcome) != 0) {
			continue;
		}
		tally[i].count++;
		return;
	}
}

__attribute__((format(printf, 2, 3))) static void wrong(const char *kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("WRONG %s: ", kind);
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
	broken++;
	count(kind, "WRONG");
}

// ---- files ---------------------------------------------------------------------------------------------------------

static char *slurp(const char *path, size_t *size)
{
	size_t n = 0;
	char *bytes = disk_read(path, 256 << 20, &n, NULL);
	if (size)
		*size = n;
	return bytes;
}

static void spill(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		perror(path);
		exit(2);
	}
}

static void clear(const char *folder)
{
	ground_clear(folder);
}

static const char *copy_from, *copy_to;

static int copy_any(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	char to[FOLDER_PATH];
	(void)at;
	snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
	if (kind == FTW_D)
		return mkdir(to, 0777) != 0 && errno != EEXIST;
	size_t n;
	char *bytes = S_ISREG(st->st_mode) ? slurp(path, &n) : NULL;
	if (bytes)
		spill(to, bytes, n);
	free(bytes);
	return 0;
}

static void copy_folder(const char *from, const char *to)
{
	clear(to);
	copy_from = from;
	copy_to = to;
	nftw(from, copy_any, 8, FTW_PHYS);
}

static int left_over;

static int find_temporary(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind;
	size_t n = strlen(path);
	left_over += strncmp(path + at->base, ".bitscape-", 10) == 0 || (n > 4 && strcmp(path + n - 4, ".tmp") == 0);
	return 0;
}

static int temporaries(const char *folder)
{
	left_over = 0;
	nftw(folder, find_temporary, 8, FTW_PHYS);
	return left_over;
}

// ---- processes -----------------------------------------------------------------------------------------------------

struct process {
	pid_t pid;
	int in, out, err;
	double began;
	char said[TEXT], complained[TEXT]; // standard output, standard error
	size_t said_length, complained_length;
	int status; // as waitpid has it; -1: it hung and was killed
};

// Arguments end with NULL. `environment`: NAME=VALUE…, ends with NULL; may be NULL.
static void start(struct process *p, const char *const *environment, const char *const *arguments)
{
	int in[2], out[2], err[2];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
		perror("pipe");
		exit(2);
	}
	p->said_length = p->complained_length = 0;
	p->said[0] = p->complained[0] = '\0';
	p->status = 0;
	p->began = clock_seconds();
	fflush(stdout);
	p->pid = fork();
	if (p->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		for (; environment && *environment; environment++)
			putenv(strdup(*environment));
		signal(SIGPIPE, SIG_DFL);
		const char *line[64] = {program};
		for (int i = 0; i < 62 && arguments[i]; i++)
			line[i + 1] = arguments[i];
		execv(program, (char *const *)line);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	p->in = in[1];
	p->out = out[0];
	p->err = err[0];
}

static bool drain(int *fd, char *text, size_t *length)
{
	char bytes[4096];
	ssize_t n = read(*fd, bytes, sizeof bytes);
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return false;
	}
	if (*length + (size_t)n < TEXT) {
		memcpy(text + *length, bytes, (size_t)n);
		*length += (size_t)n;
		text[*length] = '\0';
	}
	return true;
}

// Reads what comes until `until` seconds after its start; `wanted`: until the output has that line. False: the time is over.
static bool hear(struct process *p, double until, const char *wanted)
{
	while (p->out >= 0 || p->err >= 0) {
		if (wanted && strstr(p->said, wanted))
			return true;
		double left = p->began + until - clock_seconds();
		struct pollfd fds[2] = {{.fd = p->out, .events = POLLIN}, {.fd = p->err, .events = POLLIN}};
		if (left <= 0 || poll(fds, 2, (int)(left * 1000) + 1) == 0)
			return false;
		if (fds[0].revents)
			drain(&p->out, p->said, &p->said_length);
		if (fds[1].revents)
			drain(&p->err, p->complained, &p->complained_length);
	}
	return true;
}

static void tell(struct process *p, const char *text)
{
	size_t n = strlen(text);
	if (write(p->in, text, n) != (ssize_t)n)
		return; // it has gone
}

// Takes all that it still says, and its status. A process that hangs is killed.
static int finish(struct process *p)
{
	if (p->in >= 0)
		close(p->in);
	bool ended = hear(p, PATIENCE, NULL);
	if (!ended)
		kill(p->pid, SIGKILL);
	for (int k = 0; k < 2; k++)
		if ((k ? p->err : p->out) >= 0)
			close(k ? p->err : p->out);
	waitpid(p->pid, &p->status, 0);
	if (!ended)
		p->status = -1;
	return p->status;
}

static int exit_of(const struct process *p)
{
	return p->status >= 0 && WIFEXITED(p->status) ? WEXITSTATUS(p->status) : -1;
}

// A crash or a hang, which nothing may cause.
static bool died(const struct process *p, const char *kind, const char *what)
{
	if (exit_of(p) >= 0 && exit_of(p) != 134 && !strstr(p->complained, "AddressSanitizer") &&
		!strstr(p->complained, "runtime error"))
		return false;
	wrong(kind, "%s: it %s (status %x): %s", what, p->status == -1 ? "hung" : "crashed", (unsigned)p->status, p->complained);
	return true;
}

// The program with a script as its standard input.
static void perform(struct process *p, const char *script, const char *const *environment, const char *const *arguments)
{
	start(p, environment, arguments);
	tell(p, script);
	finish(p);
}

// ---- the search that is harmed -----------------------------------------------------------------------------------------

#define SETTINGS                                                                                                                 \
	"net=resnet8", "data=glyphs:12", "train=128", "heldout=64", "batch=4", "steps=40", "space=int-s", "front-every=20",      \
		"front-images=32", "calibration=32", "threads=1", "target.bops=int4", "weight.bops=1"
#define NEW(name)                                                                                                                \
	(const char *const[])                                                                                                    \
	{                                                                                                                        \
		"new", name, SETTINGS, "--batch", "-", NULL                                                                      \
	}
#define OPEN(name)                                                                                                               \
	(const char *const[])                                                                                                    \
	{                                                                                                                        \
		name, "--batch", "-", NULL                                                                                       \
	}
#define REPLAY(name)                                                                                                             \
	(const char *const[])                                                                                                    \
	{                                                                                                                        \
		"--replay", name, NULL                                                                                           \
	}

static const char to_the_end[] = "wait finished\ndigest\n";
static char reference[128]; // the digest line at the end of the undamaged search

static void digest_line(const struct process *p, char *buf, size_t size)
{
	const char *at = NULL;
	for (const char *next = p->said; (next = strstr(next, ": digest ")); next++)
		at = next;
	snprintf(buf, size, "%.*s", at ? (int)strcspn(at + 2, "\n") : 0, at ? at + 2 : "");
}

// Changes that can be told apart: each has a number.
static void script_of(char *buf, size_t size, int changes)
{
	size_t n = 0;
	for (int i = 1; i <= changes && n < size; i++) {
		long kind = random_below(8);
		n += (size_t)snprintf(buf + n, size - n, "%sweight bops 1.%04d\n%s", kind < 3 ? "step\n" : "", i,
			kind == 3           ? "save\n"
				: kind == 4 ? "note x\n"
					    : "");
	}
}

// Every change whose acknowledgement was printed is in the journal of the folder; the number of them, -1: one is missing.
static int acknowledged(const struct process *p, const char *kind, const char *folder)
{
	char path[FOLDER_PATH];
	snprintf(path, sizeof path, "%s/journal", folder);
	char *journal = slurp(path, NULL);
	int n = 0;
	const char *word = "weight of bops is ";
	for (const char *at = p->said; (at = strstr(at, word)); at++) {
		char line[64];
		double value = strtod(at + strlen(word), NULL);
		snprintf(line, sizeof line, " weight bops %.4f", value);
		if (!strchr(at, '\n'))
			break; // half a line: not yet acknowledged
		if (!journal || !strstr(journal, line)) {
			wrong(kind, "%s: acknowledged and lost: %.*s", folder, (int)strcspn(at, "\n"), at);
			free(journal);
			return -1;
		}
		n++;
	}
	free(journal);
	return n;
}

// It opens, may be written, goes on, and its replay gives what it recorded.
static bool goes_on(const char *kind, const char *name, const char *folder)
{
	static struct process p;
	perform(&p, "step\nweight bops 3\ndigest\n", NULL, OPEN(name));
	if (died(&p, kind, "opening"))
		return false;
	if (exit_of(&p) != 0) {
		wrong(kind, "%s does not open: %s%s", folder, p.said, p.complained);
		return false;
	}
	if (temporaries(folder)) {
		wrong(kind, "%s: a temporary file stayed", folder);
		return false;
	}
	perform(&p, "", NULL, REPLAY(name));
	if (died(&p, kind, "replaying"))
		return false;
	if (exit_of(&p) != 0) {
		wrong(kind, "%s does not replay: %s%s", folder, p.said, p.complained);
		return false;
	}
	return true;
}

static void make_reference(void)
{
	static struct process p;
	// A lane comes, goes, and comes back behind the newest checkpoint.
	static const char script[] =
		"run 8\npin stem int8\nlane add bops int6\nsave\nrun 5\ntarget bops 0.5x\nlane 2 pin head int8\n"
		"lane drop 2\nsave\nrun 4\nlane back 2\nweight bops 0.7\nrun 3\n";
	perform(&p, script, NULL, NEW("./whole"));
	if (exit_of(&p) != 0) {
		printf("cannot begin: %s%s\n", p.said, p.complained);
		exit(2);
	}
	perform(&p, script, NULL, NEW("./twin"));
	// As a crash leaves it: lines behind the newest checkpoint.
	start(&p, NULL, NEW("./crashed"));
	tell(&p,
		"run 8\npin stem int8\nlane add bops int6\nsave\nrun 5\ntarget bops 0.5x\nlane 2 pin head int8\nlane drop 2\n"
		"run 4\nlane back 2\nweight bops 0.7\n");
	hear(&p, PATIENCE, "bops is 0.7");
	kill(p.pid, SIGKILL);
	finish(&p);
	copy_folder("whole.bitscape", "end.bitscape");
	perform(&p, to_the_end, NULL, OPEN("./end"));
	digest_line(&p, reference, sizeof reference);
	char other[128];
	copy_folder("crashed.bitscape", "end.bitscape");
	perform(&p, to_the_end, NULL, OPEN("./end"));
	digest_line(&p, other, sizeof other);
	if (!reference[0] || strcmp(reference, other) != 0) {
		printf("the reference is not reached again: '%s', '%s'\n%s%s", reference, other, p.said, p.complained);
		exit(2);
	}
}

// ---- kills and signals -----------------------------------------------------------------------------------------------

static double usual; // seconds of such a run

// A search that will be killed: a new one, or one that has its past.
static void begin_harmed(struct process *p, int changes)
{
	char script[8192];
	bool fresh = random_below(4) == 0;
	clear("k.bitscape");
	if (!fresh)
		copy_folder(random_below(2) ? "whole.bitscape" : "crashed.bitscape", "k.bitscape");
	script_of(script, sizeof script, changes);
	start(p, NULL, fresh ? NEW("./k") : OPEN("./k"));
	tell(p, script);
}

static void measure_usual(void)
{
	static struct process p;
	double began = clock_seconds();
	begin_harmed(&p, 30);
	finish(&p);
	usual = clock_seconds() - began;
}

static void after_the_end(const struct process *p, const char *kind)
{
	if (access("k.bitscape/manifest.json", F_OK) != 0) {
		// The name must not be blocked by what was left.
		static struct process again;
		perform(&again, "step\n", NULL, NEW("./k"));
		if (!died(&again, kind, "beginning again")) {
			if (exit_of(&again) == 0)
				count(kind, "ended before it was a session");
			else
				wrong(kind, "the name is blocked: %s", again.complained);
		}
	} else {
		int n = acknowledged(p, kind, "k.bitscape");
		if (n >= 0 && goes_on(kind, "./k", "k.bitscape"))
			count(kind, n ? "all that was acknowledged is there, it opens and replays" : "it opens and replays");
	}
}

static void kill_at_random(void)
{
	static struct process p;
	begin_harmed(&p, 30);
	hear(&p, usual * (double)random_below(1200) / 1000, NULL);
	kill(p.pid, SIGKILL);
	finish(&p);
	after_the_end(&p, "kill at a random moment");
}

static void kill_at_acknowledgement(void)
{
	static struct process p;
	char wanted[64];
	snprintf(wanted, sizeof wanted, "bops is 1.%04ld", 1 + random_below(20));
	begin_harmed(&p, 30);
	hear(&p, PATIENCE, wanted);
	kill(p.pid, SIGKILL);
	finish(&p);
	after_the_end(&p, "kill at an acknowledgement");
}

static void signal_at_random(void)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	static struct process p;
	int number = numbers[random_below(3)];
	begin_harmed(&p, 30);
	hear(&p, usual * (double)random_below(1200) / 1000, NULL);
	kill(p.pid, number);
	finish(&p);
	bool saved = exit_of(&p) == 128 + number;
	if (!saved && exit_of(&p) != 0 && !(p.status >= 0 && WIFSIGNALED(p.status) && WTERMSIG(p.status) == number))
		wrong("signal", "status %x after signal %d: %s", (unsigned)p.status, number, p.complained);
	else if (saved && !strstr(p.complained, "saved in"))
		wrong("signal", "not saved: %s", p.complained);
	else
		after_the_end(&p, "signal");
}

// ---- two instances -------------------------------------------------------------------------------------------------

static void two_instances(void)
{
	static struct process first, second;
	const char *kind = "two instances";
	clear("k.bitscape");
	start(&first, NULL, NEW("./k"));
	tell(&first, "step\nweight bops 1.0001\n");
	if (!hear(&first, PATIENCE, "bops is 1.0001")) {
		wrong(kind, "the first does not begin: %s", first.complained);
		finish(&first);
		return;
	}
	perform(&second, "note mine\n", NULL, OPEN("./k"));
	tell(&first, "step\nweight bops 1.0002\n");
	finish(&first);
	if (died(&first, kind, "the first") || died(&second, kind, "the second"))
		return;
	if (exit_of(&second) == 0 || !strstr(second.complained, "reading only"))
		wrong(kind, "the second is not told: %s%s", second.said, second.complained);
	else if (exit_of(&first) != 0 || acknowledged(&first, kind, "k.bitscape") != 2)
		wrong(kind, "the first is disturbed: %s", first.complained);
	else if (goes_on(kind, "./k", "k.bitscape"))
		count(kind, "the second is told, the first goes on");
}

// ---- damages -------------------------------------------------------------------------------------------------------

static const char *const harmed_files[] = {
	"journal",
	"journal.end",
	"manifest.json",
	"checkpoint-8.safetensors",
	"checkpoint-13.safetensors",
	"checkpoint-20.safetensors",
};
enum { HARMED = sizeof harmed_files / sizeof *harmed_files };

enum harm {
	HARM_FLIP,
	HARM_BYTE,
	HARM_CUT,
	HARM_GROW,
	HARM_ZEROS,
	HARM_LINE,
	HARM_SWAP_LINES,
	HARM_REMOVE,
	HARM_OTHER,
	HARM_COPY,
	HARM_LAST_LINE,
	HARM_EDIT,
	HARMS
};
static const char *const harm_names[] = {"a bit", "a byte", "cut", "bytes behind it", "zeros", "a line removed",
	"lines exchanged", "removed", "another session's", "another file of it", "its last line removed", "a number edited"};

static char *line_at(char *text, long number)
{
	char *at = text;
	while (number-- > 0 && (at = strchr(at, '\n')))
		at++;
	return at && *at ? at : NULL;
}

static size_t remove_line(size_t size, char *at)
{
	char *end = at ? strchr(at, '\n') : NULL;
	if (!end)
		return size;
	memmove(at, end + 1, strlen(end + 1) + 1);
	return size - (size_t)(end + 1 - at);
}

// Harms a file; false: it is not that kind of file, or the same as before.
static bool harm(const char *folder, const char *file, enum harm how)
{
	char path[FOLDER_PATH], other[FOLDER_PATH];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	size_t n, was;
	char *bytes = slurp(path, &n);
	if (!bytes)
		return false;
	bytes = realloc(bytes, n + 64);
	char *before = malloc(n + 1);
	memcpy(before, bytes, n);
	was = n;
	bool text = strncmp(file, "checkpoint", 10) != 0, gone = false;
	long lines = 0;
	for (size_t i = 0; text && i < n; i++)
		lines += bytes[i] == '\n';
	switch (how) {
	case HARM_FLIP: bytes[random_below((long)n)] ^= (char)(1 << random_below(8)); break;
	case HARM_BYTE: bytes[random_below((long)n)] = (char)random_bits(); break;
	case HARM_CUT: n = (size_t)random_below((long)n); break;
	case HARM_GROW:
		for (size_t i = 0; i < 16; i++)
			bytes[n++] = (char)random_bits();
		break;
	case HARM_ZEROS:
		for (size_t i = (size_t)random_below((long)n), k = 0; i < n && k < 512; i++, k++)
			bytes[i] = 0;
		break;
	case HARM_LINE: n = text ? remove_line(n, line_at(bytes, random_below(lines))) : n; break;
	case HARM_LAST_LINE: n = text ? remove_line(n, line_at(bytes, lines - 1)) : n; break;
	case HARM_SWAP_LINES: {
		char *one = text ? line_at(bytes, 1 + random_below(lines - 2)) : NULL, *two = one ? strchr(one, '\n') : NULL;
		char *end = two ? strchr(two + 1, '\n') : NULL;
		if (end) {
			size_t a = (size_t)(two + 1 - one), b = (size_t)(end + 1 - (two + 1));
			char *copy = malloc(a);
			memcpy(copy, one, a);
			memmove(one, two + 1, b);
			memcpy(one + b, copy, a);
			free(copy);
		}
		break;
	}
	case HARM_EDIT:
		for (int tries = 0; text && tries < 200; tries++) {
			size_t i = (size_t)random_below((long)n);
			if (bytes[i] >= '0' && bytes[i] <= '9') {
				bytes[i] = bytes[i] == '9' ? '1' : (char)(bytes[i] + 1);
				break;
			}
		}
		break;
	case HARM_REMOVE:
		unlink(path);
		gone = true;
		break;
	case HARM_OTHER:
		free(bytes);
		snprintf(other, sizeof other, "twin.bitscape/%s", file);
		bytes = slurp(other, &n);
		break;
	case HARM_COPY:
		free(bytes);
		snprintf(other, sizeof other, "%s/%s", folder, harmed_files[random_below(HARMED)]);
		bytes = slurp(other, &n);
		break;
	case HARMS: break;
	}
	bool changed = gone || (bytes && (n != was || memcmp(bytes, before, n) != 0));
	if (changed && !gone)
		spill(path, bytes, n);
	free(bytes);
	free(before);
	return changed;
}

static void damage(void)
{
	static struct process p;
	char what[160], digest[128];
	const char *kind = "damaged file", *from = random_below(3) ? "whole.bitscape" : "crashed.bitscape";
	const char *file = harmed_files[random_below(HARMED)];
	enum harm how = (enum harm)random_below(HARMS);
	copy_folder(from, "d.bitscape");
	if (!harm("d.bitscape", file, how))
		return;
	snprintf(what, sizeof what, "%s of %s: %s", file, from, harm_names[how]);
	perform(&p, to_the_end, NULL, OPEN("./d"));
	if (died(&p, kind, what))
		return;
	digest_line(&p, digest, sizeof digest);
	bool said = p.complained[0] || strstr(p.said, "reading only") || strstr(p.said, "by hand") ||
		strstr(p.said, "no checkpoint");
	if (exit_of(&p) == 0 && strcmp(digest, reference) == 0)
		count(kind, said ? "said, and the same search" : "the same search");
	else if (!said)
		wrong(kind, "%s: nothing is said, and the search is another: %s", what, p.said);
	else if (exit_of(&p) != 0)
		count(kind, "refused with a reason");
	else if (strstr(p.said, "reading only"))
		count(kind, "said, and open for reading only");
	else
		count(kind, "said, and it goes on from before");
}

// ---- disk calls that fail ------------------------------------------------------------------------------------------------

static void failing_call(void)
{
	static struct process p;
	static const char *const calls[] = {"any", "any", "any", "open", "write", "sync", "rename", "truncate"};
	static const int errors[] = {ENOSPC, EIO, EACCES, EDQUOT};
	const char *kind = "failing disk call", *call = calls[random_below(8)];
	char script[4096], preload[FOLDER_PATH + 16], at[32], name[32], number[32], what[160];
	bool fresh = random_below(3) == 0, on = random_below(3) == 0;
	int error = errors[random_below(4)];
	snprintf(preload, sizeof preload, "LD_PRELOAD=%s", shim);
	snprintf(at, sizeof at, "FAIL_AT=%ld", 1 + random_below(strcmp(call, "any") == 0 ? 60 : 20));
	snprintf(name, sizeof name, "FAIL_CALL=%s", call);
	snprintf(number, sizeof number, "FAIL_ERRNO=%d", error);
	snprintf(what, sizeof what, "%s %s %s%s%s", at, name, strerror(error), on ? ", and all after it" : "",
		fresh ? ", new" : "");
	const char *environment[] = {preload, at, name, number, "FAIL_UNDER=k.bitscape", on ? "FAIL_ON=1" : "FAIL_OFF=1",
		random_below(2) ? "FAIL_HALF=1" : "FAIL_WHOLE=1", sanitized ? "ASAN_OPTIONS=verify_asan_link_order=0" : NULL,
		NULL};
	clear("k.bitscape");
	if (!fresh)
		copy_folder(random_below(2) ? "whole.bitscape" : "crashed.bitscape", "k.bitscape");
	script_of(script, sizeof script, 10);
	perform(&p, script, environment, fresh ? NEW("./k") : OPEN("./k"));
	if (died(&p, kind, what))
		return;
	if (fresh && access("k.bitscape/manifest.json", F_OK) != 0) {
		if (p.complained[0])
			after_the_end(&p, kind);
		else
			wrong(kind, "%s: no session and no word: %s", what, p.said);
		return;
	}
	int n = acknowledged(&p, kind, "k.bitscape");
	if (n < 0 || !goes_on(kind, "./k", "k.bitscape"))
		return;
	count(kind,
		exit_of(&p)               ? "said; what was acknowledged is there, it opens and replays"
			: p.complained[0] ? "said and got over; it opens and replays"
					  : "nothing came of it");
}

// ---- fuzzers -------------------------------------------------------------------------------------------------------

static size_t mutate(char *bytes, size_t n, size_t room)
{
	for (long times = 1 + random_below(4); times > 0 && n > 0; times--) {
		size_t at = (size_t)random_below((long)n), length = (size_t)random_below(24), to = (size_t)random_below((long)n);
		switch (random_below(5)) {
		case 0: bytes[at] ^= (char)(1 << random_below(8)); break;
		case 1: bytes[at] = "0123456789-.\"{}[]:,# \n\0x"[random_below(24)]; break;
		case 2: n = at + 1; break;
		case 3:
			length = at + length <= n && to + length <= n ? length : 0;
			memmove(bytes + to, bytes + at, length);
			break;
		case 4:
			if (n + length <= room && at + length <= n) {
				memmove(bytes + at + length, bytes + at, n - at);
				n += length;
			}
			break;
		}
	}
	return n;
}

static void fuzz_journal(void)
{
	const char *kind = "fuzzed journal";
	size_t n, room;
	struct journal good, j;
	struct journal_reading r;
	struct fault f;
	if (!journal_load(&good, "whole.bitscape/journal", &r, &f))
		return;
	char *bytes = slurp("whole.bitscape/journal", &n);
	room = n + 4096;
	bytes = realloc(bytes, room + 1);
	bool sealed_again = random_below(2);
	if (sealed_again) {
		// Behind the sums: the lines are mutated and get sums that fit.
		char *lines = malloc(room + 1);
		size_t m = 0;
		for (char *at = strchr(bytes, '\n') + 1, *next; (next = strchr(at, '\n')); at = next + 1) {
			size_t length = (size_t)(next - at) - 11;
			memcpy(lines + m, at, length);
			m += length;
			lines[m++] = '\n';
		}
		m = mutate(lines, m, room);
		lines[m] = '\0';
		struct string text = {0};
		seal(&text, good.session, lines);
		spill("fuzzed", text.bytes, text.length);
		string_free(&text);
		free(lines);
	} else {
		n = mutate(bytes, n, room);
		spill("fuzzed", bytes, n);
	}
	if (!journal_load(&j, "fuzzed", &r, &f)) {
		if (!f.what[0])
			wrong(kind, "refused without a word");
		else
			count(kind, "refused");
	} else {
		bool prefix = j.lines <= good.lines;
		for (int i = 0; prefix && i < j.lines; i++)
			prefix = j.line[i].step == good.line[i].step && strcmp(j.line[i].text, good.line[i].text) == 0;
		if (!sealed_again && !prefix)
			wrong(kind, "lines were believed that never were written");
		else
			count(kind, r.broken ? "its first lines are believed, and the rest is named" : r.torn ? "torn" : "read");
		journal_free(&j);
	}
	journal_free(&good);
	free(bytes);
}

static void fuzz_manifest(void)
{
	const char *kind = "fuzzed manifest";
	size_t n;
	struct manifest m;
	struct fault f = {0};
	char *bytes = slurp("whole.bitscape/manifest.json", &n);
	bytes = realloc(bytes, n + 4096);
	bool unsealed = random_below(2);
	if (unsealed) {
		char *sum = strstr(bytes, "\"sum\": \"");
		memcpy(sum, "\"mus\"", 5);
	}
	n = mutate(bytes, n, n + 4000);
	mkdir("f", 0777);
	spill("f/manifest.json", bytes, n);
	free(bytes);
	struct config *config = manifest_read("f", &m, &f);
	if (!config && (!f.what[0] || !strstr(f.where, "manifest.json")))
		wrong(kind, "refused without its name or a reason");
	else
		count(kind, config ? unsealed ? "taken as it is" : "read: what it says is the same" : "refused");
	config_free(config);
}

static void fuzz_checkpoint(void)
{
	const char *kind = "fuzzed checkpoint";
	size_t n;
	struct checkpoint c;
	struct fault f = {0};
	char *bytes = slurp("whole.bitscape/checkpoint-8.safetensors", &n);
	if (!bytes)
		return;
	bytes = realloc(bytes, n + 4096);
	bool sealed_again = random_below(2);
	unsigned long long header = 0;
	memcpy(&header, bytes, 8);
	if (sealed_again) {
		// In the header, with a checksum that fits.
		char *part = malloc(header + 1);
		memcpy(part, bytes + 8, header);
		mutate(part, header, header);
		memcpy(bytes + 8, part, header);
		free(part);
		unsigned long sum = crc32_z(0, (unsigned char *)bytes, n - 4);
		for (int i = 0; i < 4; i++)
			bytes[n - 4 + (size_t)i] = (char)(sum >> (8 * i));
	} else {
		n = mutate(bytes, n, n + 4000);
	}
	spill("fuzzed", bytes, n);
	free(bytes);
	if (checkpoint_read("fuzzed", &c, &f))
		count(kind, sealed_again ? "read" : "read: nothing was changed");
	else if (!f.what[0] || strcmp(f.where, "fuzzed") != 0)
		wrong(kind, "refused without its name or a reason");
	else
		count(kind, "refused");
	state_free(c.state);
}

// ---- main ----------------------------------------------------------------------------------------------------------

static const struct attack {
	const char *name;
	void (*make)(void);
	long often; // in a long campaign
	long turns; // at a time, in a short one
} attacks[] = {
	{"kills at random moments", kill_at_random, 408, 1},
	{"kills at an acknowledgement", kill_at_acknowledgement, 160, 1},
	{"signals", signal_at_random, 60, 1},
	{"two instances", two_instances, 20, 1},
	{"damages", damage, 932, 3},
	{"failing disk calls", failing_call, 1014, 2},
	{"fuzzed journals", fuzz_journal, 20000, 40},
	{"fuzzed manifests", fuzz_manifest, 20000, 40},
	{"fuzzed checkpoints", fuzz_checkpoint, 2000, 5},
};
enum { ATTACKS = sizeof attacks / sizeof *attacks };

static void report(double seconds)
{
	for (int i = 0; i < TALLIES && tally[i].count; i++) {
		if (i == 0 || strcmp(tally[i].kind, tally[i - 1].kind) != 0) {
			bool before = false;
			for (int k = 0; k < i; k++)
				before |= strcmp(tally[k].kind, tally[i].kind) == 0;
			if (before)
				continue;
			printf("%s\n", tally[i].kind);
			for (int k = i; k < TALLIES && tally[k].count; k++)
				if (strcmp(tally[k].kind, tally[i].kind) == 0)
					printf("  %6ld  %s\n", tally[k].count, tally[k].outcome);
		}
	}
	printf("%.0f s; %ld did not hold\n", seconds, broken);
}

static void usage(void)
{
	fputs("usage: campaign [--long] [--seed N] [--seconds S] [--only WORD]\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	bool everything = false;
	double seconds = 18, began = clock_seconds();
	const char *only = "", *out = getenv("OUT"), *tmp = getenv("TMPDIR");
	for (int i = 1; i < argc; i++) {
		long n;
		if (strcmp(argv[i], "--long") == 0)
			everything = true;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0 && number_read_long(argv[i + 1], 0, LONG_MAX, &n))
			chance = (uint64_t)n, i++;
		else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0 && number_read_long(argv[i + 1], 1, 1000000, &n))
			seconds = (double)n, i++;
		else if (i + 1 < argc && strcmp(argv[i], "--only") == 0)
			only = argv[++i];
		else
			usage();
	}
	char here[FOLDER_PATH], build[2 * FOLDER_PATH];
	if (!getcwd(here, sizeof here))
		return 2;
	snprintf(build, sizeof build, "%s%s%s", out && out[0] == '/' ? "" : here, out && out[0] == '/' ? "" : "/",
		out ? out : "build");
	if ((size_t)snprintf(program, sizeof program, "%.900s/bitscape", build) >= sizeof program)
		return 2;
	snprintf(shim, sizeof shim, "%.900s/tests/failing.so", build);
	sanitized = strstr(build, "/san-") != NULL;
	snprintf(place, sizeof place, "%s/bitscape-campaign-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
	if (!mkdtemp(place) || chdir(place) != 0) {
		perror(place);
		return 2;
	}
	char home[FOLDER_PATH + 8];
	snprintf(home, sizeof home, "%s/state", place);
	setenv("XDG_STATE_HOME", home, 1);
	signal(SIGPIPE, SIG_IGN);
	printf("seed %llu\n", (unsigned long long)chance);
	make_reference();
	measure_usual();

	long done[ATTACKS] = {0};
	for (bool more = true; more;) {
		more = false;
		for (int i = 0; i < ATTACKS; i++) {
			if (!strstr(attacks[i].name, only))
				continue;
			for (long k = 0; k < attacks[i].turns && (!everything || done[i] < attacks[i].often); k++, done[i]++) {
				attacks[i].make();
				more = true;
				if (!everything && clock_seconds() - began > seconds)
					break;
			}
			if (!everything && clock_seconds() - began > seconds)
				break;
		}
		more &= everything || clock_seconds() - began <= seconds;
	}
	for (int i = 0; i < ATTACKS; i++)
		if (done[i])
			printf("%s%ld %s", i && !only[0] ? ", " : "", done[i], attacks[i].name);
	printf("\n");
	report(clock_seconds() - began);
	if (chdir("/") == 0 && !broken)
		clear(place);
	else
		printf("kept: %s\n", place);
	return broken != 0;
}
