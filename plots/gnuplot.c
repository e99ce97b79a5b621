// SPDX-License-Identifier: GPL-3.0-or-later
// Runs one gnuplot at a time, with one picture at a time. A picture's script ends with a line to print: when that line comes
// back, the picture is ready, whatever else gnuplot has said. A child that dies or does not answer in time is ended with its
// whole process group. If it died, the picture is tried once more with a new child, then given up. If it hangs, another child
// would keep a person waiting as long, so the picture is given up; if this child never answered at all, so are all that wait.
#include "plots/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/child.h"
#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "plots/script.h"

enum { MOST_WAITING = 64, ATTEMPTS = 2, AT_A_TURN = 1 << 16 };
static const double default_patience = 5;
static const char datablock[] = "$bitscape";
static const char sentinel[] = "@@BITSCAPE", greeting[] = "@@TERMINALS";

struct job {
	struct job *next;
	unsigned long number;
	const struct picture_format *format;
	char *file;                    // as the person named it
	struct disk_file picture;      // gnuplot writes its temporary file
	struct string script;          // with the data
	struct string kept, kept_data; // FILE.gp and FILE.dat, where they were asked for
	char *kept_file, *kept_data_file;
	int attempts;
	bool ok;
	struct fault fault;
};

struct queue {
	struct job *first, **last;
	int count;
};

struct plotter {
	char *program;
	struct child child;
	struct queue waiting, done; // the first of the waiting is with the child while `busy`
	bool busy, answered;        // answered: this child, to anything
	double deadline, patience;  // of the picture the child is at
	unsigned long number;
	struct string out; // what the child is still to be sent, from `sent` on
	size_t sent;
	char line[4096]; // of its output, so far
	size_t line_size;
	char complaint[1024]; // what came on its standard error during this picture; more is dropped
	size_t complaint_size;
	char terminals[2048]; // what it can write, " svg png "; empty: not said yet
};

// ---- jobs ----------------------------------------------------------------------------------------------------------

static void queue_add(struct queue *q, struct job *j)
{
	j->next = NULL;
	*q->last = j;
	q->last = &j->next;
	q->count++;
}

static struct job *queue_take(struct queue *q)
{
	struct job *j = q->first;
	if (!j)
		return NULL;
	q->first = j->next;
	if (!q->first)
		q->last = &q->first;
	q->count--;
	return j;
}

static void job_free(struct job *j)
{
	if (!j)
		return;
	if (j->picture.fd >= 0)
		disk_drop(&j->picture);
	free(j->file);
	string_free(&j->script);
	string_free(&j->kept);
	string_free(&j->kept_data);
	free(j->kept_file);
	free(j->kept_data_file);
	free(j);
}

// "dir/front.svg" and "gp": "dir/front.gp". The ending is replaced where it is the format's own, else added to.
static char *with_ending(const char *file, const char *format, const char *ending)
{
	size_t size = strlen(file), own = strlen(format) + 1;
	if (size > own && file[size - own] == '.' && !strcmp(file + size - own + 1, format) && file[size - own - 1] != '/')
		size -= own;
	char *name = malloc(size + strlen(ending) + 2);
	if (name)
		snprintf(name, size + strlen(ending) + 2, "%.*s.%s", (int)size, file, ending);
	return name;
}

// A name for gnuplot inside its folder: it begins with "./", so that it can be neither a pipe ('|', '<'), a home
// folder ('~') nor one of gnuplot's own names ('-', '+').
static void add_local_name(struct string *t, const char *file)
{
	const char *slash = strrchr(file, '/');
	string_add(t, "./%s", slash ? slash + 1 : file);
}

// The script and the data as files of their own.
static void write_kept(struct job *j, const struct plot_request *r)
{
	struct string data = {0}, output = {0}, quoted = {0};
	j->kept_file = with_ending(r->file, r->format, "gp");
	j->kept_data_file = with_ending(r->file, r->format, "dat");
	if (!j->kept_file || !j->kept_data_file) {
		j->kept.failed = true;
		return;
	}
	add_local_name(&data, j->kept_data_file);
	add_local_name(&output, j->file);
	if (!data.failed && !output.failed) {
		script_quote(&quoted, data.bytes);
		string_add(&j->kept, "# gnuplot, in this folder, draws the picture from the data again.\n");
		if (!quoted.failed)
			script_commands(&j->kept, r->figure, j->format, r->width_cm, r->font_points, quoted.bytes, output.bytes);
		script_data(&j->kept_data, r->figure);
		string_add(&j->kept_data, "%s", j->kept_data.length ? "" : "# no data\n");
	}
	j->kept.failed |= data.failed || output.failed || quoted.failed;
	string_free(&data);
	string_free(&output);
	string_free(&quoted);
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

bool plotter_request(struct plotter *p, const struct plot_request *r, struct fault *f)
{
	const struct picture_format *format = picture_format_named(r->format, strlen(r->format));
	struct stat st;
	if (!format)
		return fault_set(f, r->format, "choose svg, png or pdf", "no such picture format");
	if (!r->file[0] || r->file[strlen(r->file) - 1] == '/' || (!stat(r->file, &st) && !S_ISREG(st.st_mode)))
		return fault_set(f, r->file, "name a file", "is not a file");
	if (has_control(r->file)) // gnuplot's strings cannot hold them
		return fault_set(f, r->file, "choose another file", "has control characters in its name");
	if (r->font_points != 0 && !(r->font_points >= 4 && r->font_points <= 72))
		return fault_set(f, r->file, "choose 4 to 72 pt", "type of %g pt cannot be read", r->font_points);
	if (!(r->width_cm >= 1 && r->width_cm <= 200))
		return fault_set(f, r->file, "choose 1 to 200 cm", "a picture %g cm wide cannot be drawn", r->width_cm);
	if (p->waiting.count >= MOST_WAITING)
		return fault_set(f, r->file, "try again later", "%d pictures are waiting already", p->waiting.count);

	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return fault_memory(f, r->file);
	j->picture.fd = -1;
	j->format = format;
	j->number = ++p->number;
	j->file = strdup(r->file);
	if (!disk_begin(&j->picture, r->file, f)) {
		job_free(j);
		return false;
	}
	// The data first, block and terminator in one piece: a block without its end would swallow all that follows.
	string_add(&j->script, "reset errors\n%s << END_OF_DATA\n", datablock);
	script_data(&j->script, r->figure);
	string_add(&j->script, "END_OF_DATA\n");
	script_commands(&j->script, r->figure, format, r->width_cm, r->font_points, datablock, j->picture.temporary);
	string_add(&j->script, "undefine %s\nprint sprintf('%s %%d %%d', %lu, GPVAL_ERRNO)\n", datablock, sentinel, j->number);
	if (r->keep)
		write_kept(j, r);
	if (!j->file || j->script.failed || j->kept.failed || j->kept_data.failed) {
		job_free(j);
		return fault_memory(f, r->file);
	}
	queue_add(&p->waiting, j);
	plotter_turn(p);
	return true;
}

// ---- one picture ---------------------------------------------------------------------------------------------------

static void finish(struct plotter *p, bool ok)
{
	struct job *j = queue_take(&p->waiting);
	p->busy = false;
	j->ok = ok;
	if (j->picture.fd >= 0)
		disk_drop(&j->picture);
	string_free(&j->script);
	queue_add(&p->done, j);
}

// The line of the complaint that says most: gnuplot shows the command, points at the place, then gives the reason.
static void complaint_line(const struct plotter *p, char *buf, size_t size)
{
	const char *best = "";
	size_t best_size = 0;
	for (const char *s = p->complaint; *s;) {
		size_t line = strcspn(s, "\n"), skip = strspn(s, " \t^");
		if (skip < line) {
			best = s + skip;
			best_size = line - skip;
			const char *reason = strstr(best, ": ");
			if (!strncmp(best, "line ", 5) && reason && reason < best + best_size) {
				best_size -= (size_t)(reason + 2 - best);
				best = reason + 2;
				break;
			}
		}
		s += line + (s[line] == '\n');
	}
	snprintf(buf, size, "%.*s", (int)best_size, best);
}

static bool offers(const struct plotter *p, const char *terminal)
{
	char word[32];
	snprintf(word, sizeof word, " %s ", terminal);
	return !p->terminals[0] || strstr(p->terminals, word);
}

// Whether the picture ends as its format does: gnuplot does not say when the disk is full.
static bool is_whole(const struct job *j)
{
	static const struct {
		const char *format, *end;
	} ends[] = {{"svg", "</svg>"}, {"png", "IEND"}, {"pdf", "%%EOF"}};
	char tail[64];
	struct stat st;
	int fd = open(j->picture.temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 || fstat(fd, &st) != 0
		? -1
		: pread(fd, tail, sizeof tail, st.st_size > (off_t)sizeof tail ? st.st_size - (off_t)sizeof tail : 0);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; n > 0 && i < sizeof ends / sizeof *ends; i++)
		if (strcmp(ends[i].format, j->format->name) == 0)
			return memmem(tail, (size_t)n, ends[i].end, strlen(ends[i].end)) != NULL;
	return false;
}

static bool keep_picture(struct job *j)
{
	static const char block[1 << 12];
	struct stat st;
	if (is_whole(j))
		return disk_keep(&j->picture, &j->fault);
	bool some = fstat(j->picture.fd, &st) == 0 && st.st_size;
	// What keeps us from writing kept gnuplot from it.
	if (lseek(j->picture.fd, 0, SEEK_END) >= 0 && !disk_write(j->picture.fd, block, sizeof block))
		return disk_fault(&j->fault, j->file, "write it", errno);
	return fault_set(&j->fault, j->file, "look whether its folder was changed, or its disk is full", "gnuplot wrote %s",
		some ? "a part of it only" : "nothing");
}

static void judge(struct plotter *p, int errors)
{
	struct job *j = p->waiting.first;
	char reason[200];
	complaint_line(p, reason, sizeof reason);
	bool ok = false;
	if (!offers(p, j->format->terminal))
		fault_set(&j->fault, j->file, "choose another format, or install a gnuplot that has it",
			"this gnuplot cannot write %s (it has no terminal %s)", j->format->name, j->format->terminal);
	else if (errors)
		fault_set(&j->fault, j->file, "plot it with `keep`, and run FILE.gp by hand", "gnuplot refused: %s",
			reason[0] ? reason : "it gives no reason");
	else
		ok = keep_picture(j);
	if (ok && j->kept_file)
		ok = disk_replace(j->kept_data_file, j->kept_data.bytes, j->kept_data.length, &j->fault) &&
			disk_replace(j->kept_file, j->kept.bytes, j->kept.length, &j->fault);
	finish(p, ok);
}

static void send_script(struct plotter *p)
{
	struct job *j = p->waiting.first;
	string_clear(&p->out);
	p->sent = 0;
	p->complaint[0] = 0;
	p->complaint_size = 0;
	if (!p->child.pid) {
		p->line_size = 0;
		p->terminals[0] = 0;
		p->answered = false;
		// GNUTERM would choose a terminal before we do; -d: without a person's own settings.
		char quiet[] = "-d", *argv[] = {p->program, quiet, NULL};
		const struct child_plan plan = {argv, "GNUTERM", "install it (Debian: apt install gnuplot-nox)"};
		if (!child_start(&p->child, &plan, &j->fault)) {
			finish(p, false);
			return;
		}
		string_add(&p->out, "set print '-'\nprint '%s '.GPVAL_TERMINALS.' '\n", greeting);
	}
	string_add(&p->out, "%s", j->script.bytes);
	if (p->out.failed) {
		string_free(&p->out);
		child_end(&p->child); // it may not have had its greeting
		fault_memory(&j->fault, j->file);
		finish(p, false);
		return;
	}
	p->busy = true;
	p->deadline = clock_seconds() + p->patience;
	j->attempts++;
}

static const char look[] = "try it at a shell; the workbench draws the figure on its screen without it";

static void give_up(struct plotter *p, const char *how)
{
	struct job *j = p->waiting.first;
	char reason[160];
	complaint_line(p, reason, sizeof reason);
	fault_set(&j->fault, j->file, look, "%s %s%s%s%s", p->program, how, reason[0] ? " (" : "", reason, reason[0] ? ")" : "");
	finish(p, false);
}

// The child ended. The picture it was at is tried again or given up.
static void died(struct plotter *p)
{
	child_end(&p->child);
	if (p->busy && p->waiting.first->attempts >= ATTEMPTS)
		give_up(p, "died");
	p->busy = false;
}

// The child did not come to the end of its picture in time.
static void hung(struct plotter *p)
{
	bool all = !p->answered;
	child_end(&p->child);
	do
		give_up(p, "did not answer in time");
	while (all && p->waiting.first);
}

// ---- the pipes -------------------------------------------------------------------------------------------------------

static bool push(struct plotter *p)
{
	while (p->sent < p->out.length) {
		ssize_t n = child_write(&p->child, p->out.bytes + p->sent, p->out.length - p->sent);
		if (n <= 0)
			return n == 0;
		p->sent += (size_t)n;
	}
	return true;
}

static bool pull_complaint(struct plotter *p)
{
	char buf[4096];
	for (int total = 0; total < AT_A_TURN;) {
		ssize_t n = child_read(p->child.err, buf, sizeof buf);
		if (n <= 0)
			return n == 0;
		total += (int)n;
		size_t room = sizeof p->complaint - 1 - p->complaint_size, take = (size_t)n < room ? (size_t)n : room;
		memcpy(p->complaint + p->complaint_size, buf, take);
		p->complaint_size += take;
		p->complaint[p->complaint_size] = 0;
	}
	return true;
}

static void take_line(struct plotter *p)
{
	unsigned long number;
	int errors;
	if (!strncmp(p->line, greeting, strlen(greeting))) {
		snprintf(p->terminals, sizeof p->terminals, "%s", p->line + strlen(greeting));
		p->answered = true;
	} else if (!strncmp(p->line, sentinel, strlen(sentinel)) &&
		sscanf(p->line + strlen(sentinel), " %lu %d", &number, &errors) == 2 && p->busy &&
		number == p->waiting.first->number) {
		pull_complaint(p); // it was written before
		p->answered = true;
		judge(p, errors);
	}
	// All else is chatter, or the end of a picture that was given up.
}

static bool pull(struct plotter *p)
{
	char buf[4096];
	for (int total = 0; total < AT_A_TURN;) {
		ssize_t n = child_read(p->child.out, buf, sizeof buf);
		if (n <= 0)
			return n == 0;
		total += (int)n;
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				if (p->line_size < sizeof p->line - 1) // the rest of a long line is of no interest
					p->line[p->line_size++] = buf[i];
				continue;
			}
			p->line[p->line_size] = 0;
			p->line_size = 0;
			take_line(p);
		}
	}
	return true;
}

// ---- for the loop ------------------------------------------------------------------------------------------------------

struct plotter *plotter_new(const char *program)
{
	struct plotter *p = calloc(1, sizeof *p);
	char *copy = strdup(program);
	if (!p || !copy) {
		free(p);
		free(copy);
		return NULL;
	}
	p->program = copy;
	p->patience = default_patience;
	p->waiting.last = &p->waiting.first;
	p->done.last = &p->done.first;
	return p;
}

void plotter_patience(struct plotter *p, double seconds)
{
	p->patience = seconds;
}

void plotter_free(struct plotter *p)
{
	if (!p)
		return;
	child_end(&p->child);
	child_wait(&p->child);
	for (struct job *j; (j = queue_take(&p->waiting));)
		job_free(j);
	for (struct job *j; (j = queue_take(&p->done));)
		job_free(j);
	string_free(&p->out);
	free(p->program);
	free(p);
}

void plotter_turn(struct plotter *p)
{
	child_reap(&p->child);
	for (;;) {
		if (!p->busy && p->waiting.first)
			send_script(p);
		if (!p->child.pid) {
			if (p->waiting.first)
				continue; // that one could not be started; every turn of this loop makes the queue shorter
			return;
		}
		bool alive = pull_complaint(p), answering = pull(p);
		// It may have ended after its answer: then it is only let go.
		if (!alive || !answering || !push(p))
			died(p);
		else if (p->busy && clock_seconds() > p->deadline)
			hung(p);
		if (p->busy || !p->waiting.first)
			return;
	}
}

int plotter_fds(const struct plotter *p, struct pollfd *fds, int *timeout_ms)
{
	int count = 0;
	if (!p->child.pid)
		return 0;
	fds[count++] = (struct pollfd){.fd = p->child.out, .events = POLLIN};
	fds[count++] = (struct pollfd){.fd = p->child.err, .events = POLLIN};
	if (p->sent < p->out.length)
		fds[count++] = (struct pollfd){.fd = p->child.in, .events = POLLOUT};
	if (p->busy) {
		double left = fmax(0, p->deadline - clock_seconds()) * 1000 + 1;
		if (*timeout_ms < 0 || left < *timeout_ms)
			*timeout_ms = (int)fmin(left, 1e9);
	}
	return count;
}

bool plotter_busy(const struct plotter *p)
{
	return p->waiting.first;
}

bool plotter_done(struct plotter *p, char *file, size_t size, bool *ok, struct fault *f)
{
	struct job *j = queue_take(&p->done);
	if (!j)
		return false;
	snprintf(file, size, "%s", j->file);
	*ok = j->ok;
	if (f)
		*f = j->fault;
	job_free(j);
	return true;
}

void plotter_finish(struct plotter *p, double seconds)
{
	double end = clock_seconds() + seconds;
	for (plotter_turn(p); plotter_busy(p); plotter_turn(p)) {
		double left = end - clock_seconds();
		if (left <= 0)
			return;
		struct pollfd fds[3];
		int timeout = (int)fmin(left * 1000 + 1, 1e6), count = plotter_fds(p, fds, &timeout);
		poll(fds, (nfds_t)count, timeout);
	}
}
