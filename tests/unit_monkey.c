// SPDX-License-Identifier: GPL-3.0-or-later
// A monkey at the workbench while a search runs: keys, pastes, escape sequences, garbage, sequences that break off, resizes from
// 1x1 to 250x80, each from a seed that is printed where it fails.
//
// It goes in rounds, by turns of two kinds. In a *harmless* one everything is sent but what the table of keys or a person's
// confirmation could act by: the journal must stay as it was. In a *free* one everything is: the journal may hold what keys can
// cause, and lines that were pasted. After each the workbench must answer a key; when it has left, however it left, the
// terminal must be as it was.
//
// MONKEY_SECONDS and MONKEY_SEED set how long and from which seed. The usual is some seconds; ten minutes with LONG.
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/ground.h"
#include "engine/base/clock.h"
#include "engine/base/disk.h"
#include "ui/keys.h"

enum { PATIENCE = 60, PATIENCE_SANITIZED = 600 }; // seconds that anything may take

static char place[128];
static uint64_t seed;
static struct keys keys; // those that bitscape begins with

static uint32_t any(uint32_t below)
{
	return any_of(&seed, below);
}

static double patience(void)
{
	const char *san = getenv("SAN");
	return san && *san ? PATIENCE_SANITIZED : PATIENCE;
}

// ---- the workbench in a terminal ----------------------------------------------------------------------------------------

// Between the terminal and the workbench stands a process that does what a shell does: it keeps the terminal while the workbench
// is stopped, and holds its settings against those of before.
enum { KEEPER_CHANGED = 99, KEEPER_STOP_CHANGED = 98 };

static bool same_settings(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag && a->c_lflag == b->c_lflag &&
		memcmp(a->c_cc, b->c_cc, sizeof a->c_cc) == 0;
}

// Returns how the workbench ended, or that the terminal was left otherwise than it was found.
static int keep(char *const argv[])
{
	struct termios before, now;
	signal(SIGTTOU, SIG_IGN);
	tcgetattr(0, &before);
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		execv(argv[0], argv);
		_exit(127);
	}
	setpgid(pid, pid);
	tcsetpgrp(0, pid);
	for (int status; waitpid(pid, &status, WUNTRACED) == pid;) {
		tcgetattr(0, &now);
		if (!WIFSTOPPED(status)) {
			int ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			return ended < 128 && !same_settings(&before, &now) ? KEEPER_CHANGED : ended;
		}
		if (!same_settings(&before, &now)) {
			kill(-pid, SIGKILL);
			return KEEPER_STOP_CHANGED;
		}
		kill(-pid, SIGCONT);
	}
	return 126;
}

struct bench {
	pid_t pid;
	int fd;
	char tail[1 << 16]; // what it wrote last
	size_t length;
	bool full, pastes; // the second screen, and marked pastes, are on
	char *sent;        // what was sent in this round, for a report
	size_t sent_length;
	bool gone;
};

static const char full_on[] = "\033[?1049h", full_off[] = "\033[?1049l", paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

static void look_for(bool *state, const char *text, const char *on, const char *off)
{
	if (strncmp(text, on, strlen(on)) == 0)
		*state = true;
	else if (strncmp(text, off, strlen(off)) == 0)
		*state = false;
}

// Takes what it wrote within so many seconds.
static void hear(struct bench *b, double seconds)
{
	double end = clock_seconds() + seconds;
	do {
		double left = end - clock_seconds();
		struct pollfd p = {.fd = b->fd, .events = POLLIN};
		if (b->gone || poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0) <= 0)
			return;
		if (b->length > sizeof b->tail / 2) {
			memmove(b->tail, b->tail + sizeof b->tail / 4, b->length - sizeof b->tail / 4);
			b->length -= sizeof b->tail / 4;
		}
		ssize_t got = read(b->fd, b->tail + b->length, sizeof b->tail - 1 - b->length);
		if (got <= 0) {
			b->gone = true;
			return;
		}
		size_t from = b->length > 8 ? b->length - 8 : 0;
		b->length += (size_t)got;
		b->tail[b->length] = '\0';
		for (size_t i = from; i + 8 <= b->length; i++) {
			look_for(&b->full, b->tail + i, full_on, full_off);
			look_for(&b->pastes, b->tail + i, paste_on, paste_off);
		}
	} while (clock_seconds() < end);
}

static void resize(struct bench *b, int width, int height)
{
	struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};
	ioctl(b->fd, TIOCSWINSZ, &size);
}

static void begin(struct bench *b, const char *name, bool fresh)
{
	const char *out = getenv("OUT");
	char program[4096];
	snprintf(program, sizeof program, "%s/bitscape", out && *out ? out : "build");
	struct winsize size = {.ws_col = 100, .ws_row = 30};
	char whole[4096];
	assert_non_null(realpath(program, whole));
	*b = (struct bench){.sent = b->sent, .fd = -1};
	b->pid = forkpty(&b->fd, NULL, NULL, &size);
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		if (chdir(place) != 0)
			_exit(125);
		setenv("TERM", "xterm-256color", 1);
		setenv("HOME", place, 1);
		setenv("XDG_STATE_HOME", place, 1);
		setenv("XDG_CONFIG_HOME", place, 1);
		char *const made[] = {whole, (char *)"new", (char *)name, (char *)"data=glyphs:12", (char *)"train=512",
			(char *)"heldout=256", (char *)"steps=1000000", NULL};
		char *const opened[] = {whole, (char *)name, NULL};
		_exit(keep(fresh ? made : opened));
	}
	fcntl(b->fd, F_SETFL, O_NONBLOCK);
	for (double end = clock_seconds() + patience(); !b->full && !b->gone && clock_seconds() < end;)
		hear(b, 0.05); // until the terminal is its own
}

// Bytes, as far as the terminal takes them; it may have left in between.
static void say_bytes(struct bench *b, const void *bytes, size_t length)
{
	const char *p = bytes;
	char *grown = realloc(b->sent, b->sent_length + length);
	if (grown) {
		b->sent = grown;
		memcpy(grown + b->sent_length, bytes, length);
		b->sent_length += length;
	}
	double end = clock_seconds() + patience();
	while (length > 0 && !b->gone && clock_seconds() < end) {
		ssize_t done = write(b->fd, p, length);
		if (done > 0) {
			p += done;
			length -= (size_t)done;
		}
		hear(b, done > 0 ? 0 : 0.01);
	}
}

static void say(struct bench *b, const char *text)
{
	say_bytes(b, text, strlen(text));
}

static void fail_with(struct bench *b, uint64_t round, const char *what)
{
	print_error("seed %llu: %s\nsent:", (unsigned long long)round, what);
	size_t from = b->sent_length > 3000 ? b->sent_length - 3000 : 0;
	for (size_t i = from; i < b->sent_length; i++) {
		unsigned char c = (unsigned char)b->sent[i];
		if (c >= ' ' && c < 0x7f && c != '\\')
			print_error("%c", c);
		else
			print_error("\\%03o", c);
	}
	print_error("\nwritten last: ");
	from = b->length > 3000 ? b->length - 3000 : 0;
	for (size_t i = from; i < b->length; i++)
		print_error((unsigned char)b->tail[i] < ' ' ? "<%02x>" : "%c", (unsigned char)b->tail[i]);
	print_error("\n");
	kill(b->pid, SIGKILL);
	fail_msg("%s", what);
}

// It answers: ^C leaves prompt or box, ? opens the help, which comes with its title. False: it has left.
static bool answers(struct bench *b, uint64_t round)
{
	double end = clock_seconds() + patience();
	int tries = 0;
	resize(b, 100, 30);
	while (clock_seconds() < end) {
		hear(b, tries++ ? 3.5 : 0.3); // what broke off is given up
		say(b, "\003");
		hear(b, 0.1);
		b->length = 0;
		b->tail[0] = '\0';
		say(b, "?\f");
		for (int i = 0; i < 20 && !b->gone; i++) {
			hear(b, 0.05);
			if (strstr(b->tail, "Help")) {
				say(b, "q");
				hear(b, 0.1);
				return true;
			}
		}
		if (b->gone)
			return false;
	}
	fail_with(b, round, "no answer to a key");
	return false;
}

// q goes back by one level first, and asks once where a draft is open or a choice is being trained.
static void leave(struct bench *b)
{
	double until = clock_seconds() + patience();
	while (!b->gone && clock_seconds() < until) {
		say(b, "q");
		for (int i = 0; i < 20 && !b->gone; i++)
			hear(b, 0.1);
	}
}

// The workbench has left, or is to leave now.
static void end(struct bench *b, uint64_t round)
{
	double until = clock_seconds() + patience();
	int status;
	pid_t ended;
	while ((ended = waitpid(b->pid, &status, WNOHANG)) == 0 && clock_seconds() < until) {
		hear(b, 0.05);
		if (b->gone)
			usleep(10000);
	}
	hear(b, 0.1);
	if (ended != b->pid)
		fail_with(b, round, "it does not end");
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code == KEEPER_CHANGED || code == KEEPER_STOP_CHANGED)
		fail_with(b, round,
			code == KEEPER_CHANGED ? "the terminal's settings are changed"
					       : "stopped, the terminal's settings are not the shell's");
	if (code != 0) {
		print_error("status %d\n", code);
		fail_with(b, round, "it ended badly");
	}
	if (b->full || b->pastes)
		fail_with(b, round, "the second screen or marked pastes are still on");
	close(b->fd);
	b->fd = -1;
}

// ---- what it holds ------------------------------------------------------------------------------------------------------

static char *read_journal(const char *name)
{
	char path[256];
	size_t size;
	snprintf(path, sizeof path, "%s/%s.bitscape/journal", place, name);
	struct fault f;
	char *text = disk_read(path, 1 << 28, &size, &f);
	return text ? text : strdup("");
}

static int changes(const char *journal)
{
	int count = 0;
	for (const char *line = journal; *line;) {
		size_t length = strcspn(line, "\n");
		count += length > 0 && line[0] != '#';
		line += length + (line[length] == '\n');
	}
	return count;
}

// Whether a line is one that a key of the table causes, or one that was pasted.
static bool may_stand(const char *line, size_t length)
{
	// What the commands of the table become: a draft that is committed pins, a nudge sets, an undo takes any of them back.
	static const char *const verb[] = {
		"pin", "unpin", "target", "weight", "undo", "redo", "restrict", "draft", "note pasted", "note \"pasted"};
	size_t step = strspn(line, "0123456789");
	if (length == 0 || line[0] == '#')
		return true;
	if (step == 0 || line[step] != ' ')
		return false;
	for (size_t i = 0; i < sizeof verb / sizeof *verb; i++)
		if (strncmp(line + step + 1, verb[i], strlen(verb[i])) == 0)
			return true;
	return false;
}

static void check_journal(struct bench *b, uint64_t round, const char *name)
{
	char *journal = read_journal(name);
	for (const char *line = journal; *line;) {
		size_t length = strcspn(line, "\n");
		if (!may_stand(line, length)) {
			print_error("journal: %.*s\n", (int)length, line);
			fail_with(b, round, "a line of the journal that no key causes");
		}
		line += length + (line[length] == '\n');
	}
	free(journal);
}

// ---- what it does ---------------------------------------------------------------------------------------------------------

static bool bound(int key)
{
	for (int i = 0; i < keys.count; i++)
		if (keys.row[i].key == key)
			return true;
	return false;
}

static void pause_a_little(struct bench *b)
{
	static const double wait[] = {0, 0, 0, 0, 0.001, 0.005, 0.03, 0.1};
	hear(b, wait[any(8)]);
}

// Bytes in one or several pieces.
static void say_split(struct bench *b, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t part = any(3) ? length : 1 + any((uint32_t)length);
		say_bytes(b, bytes, part);
		bytes += part;
		length -= part;
		if (length > 0)
			hear(b, any(2) ? 0 : 0.004); // less than an Esc is waited for
	}
}

static void do_sequence(struct bench *b)
{
	static const char *const known[] = {"\033[I", "\033[O", "\033[M pp", "\033[M!qx", "\033[<0;10;10M", "\033[<64;200;70m",
		"\033[35;5;5M", "\033[25~", "\033[34~", "\033[1;5A", "\033[1;3D", "\033[[A", "\033[[E", "\033[7$", "\033[8^",
		"\033[3@", "\033Oa", "\033Op", "\033[112;3u", "\033[113;9u", "\033[57399u", "\033[201~", "\033(q", "\033#8",
		"\033 F", "\033Np", "\233q", "\033]0;pppq\007", "\033]11;rgb:0000/0000/0000\033\\", "\033P1$r0q\033\\",
		"\033_xp\033\\", "\033^px\033\\", "\033[?62;4c", "\033[24;80R", "\033[?1;2$y", "\033p", "\033u", "\033x", "\033P",
		"\033\033[A", "\033[27;5;112~", "\033[1;2P", "\033[>0;276;0c"};
	char bytes[64];
	size_t length;
	if (any(2)) {
		const char *one = known[any(sizeof known / sizeof *known)];
		say_split(b, one, strlen(one));
		return;
	}
	length = 2;
	memcpy(bytes, "\033[", 2);
	if (any(3) == 0)
		bytes[length++] = "<=>?"[any(4)];
	for (uint32_t n = any(10); n > 0; n--)
		bytes[length++] = (char)('0' + any(12));
	if (any(4) == 0)
		bytes[length++] = " !\"#%&'()*+,-./"[any(15)]; // not `$`, which ends rxvt's keys
	static const char last[] = "GJKLNSTUVWXYZ`bcefghijklmnopqrstvwxyz|}";
	bytes[length++] = last[any(sizeof last - 1)];
	say_split(b, bytes, length);
}

static void do_cut(struct bench *b)
{
	static const char *const cut[] = {"\033[", "\033[1;5", "\033O", "\033]0;pp", "\033P1$", "\033[M ", "\033[[", "\342\202",
		"\033N", "\033[200~pp\rq\r\003\032"};
	const char *one = cut[any(sizeof cut / sizeof *cut)];
	say(b, one);
	bool paste = strlen(one) > 8;
	if (any(paste ? 8 : 4) == 0)
		hear(b, paste ? 3.5 : 0.4); // until it is given up
}

static void do_paste(struct bench *b, uint64_t round, bool confirm)
{
	char bytes[4096];
	size_t length = (size_t)snprintf(bytes, sizeof bytes, "\033[200~");
	for (uint32_t lines = 1 + any(5); lines > 0; lines--) {
		length += (size_t)snprintf(bytes + length, sizeof bytes - length, "note pasted %llu", (unsigned long long)round);
		for (uint32_t n = any(4) ? 0 : any(30); n > 0; n--)
			bytes[length++] = (char)(any(3) ? "pqxu \t[]~?"[any(10)] : (int)any(255) + 1);
		length += (size_t)snprintf(bytes + length, sizeof bytes - length, "%s", any(2) ? "\r" : any(2) ? "\n" : "\r\n");
	}
	length += (size_t)snprintf(bytes + length, sizeof bytes - length, "\033[201~");
	say_split(b, bytes, length);
	hear(b, 0.1);
	if (confirm)
		say(b, any(3) ? "\r" : "\033");
	else // it must not stand there for what follows
		say(b, "\003");
	hear(b, 0.05);
}

static void do_garbage(struct bench *b)
{
	char bytes[64];
	size_t length = 1 + any(sizeof bytes - 1);
	for (size_t i = 0; i < length; i++) {
		int c = 0x80 + (int)any(128);
		// Introducers of 8 bits would make keys of what follows them, a prompt's among them; one that stands alone is a cut.
		bytes[i] = (char)(c < 0xa0 ? 0xff : c);
	}
	say_bytes(b, bytes, length);
}

static void do_resize(struct bench *b)
{
	static const int edge[] = {1, 2, 10, 40, 59, 60, 61, 80, 120, 200, 250},
			 edge_y[] = {1, 2, 3, 10, 15, 16, 17, 24, 40, 60, 80};
	if (any(2))
		resize(b, edge[any(11)], edge_y[any(11)]);
	else
		resize(b, 1 + (int)any(250), 1 + (int)any(80));
	pause_a_little(b);
}

// A key that the table does not know.
static void say_unbound(struct bench *b)
{
	int key;
	do
		key = 1 + (int)any(126);
	while (bound(key) || key == '\n' || key == KEYS_ESCAPE);
	say_bytes(b, &(char){(char)key}, 1);
}

// In a prompt that is then left. What is typed is harmless outside of it too, should it not have opened.
static void do_prompt(struct bench *b)
{
	hear(b, 0.3);
	say(b, ":");
	for (uint32_t n = any(30); n > 0; n--)
		switch (any(4)) {
		case 0: do_sequence(b); break;
		case 1: say(b, "\t"); break;
		default: say_unbound(b);
		}
	hear(b, 0.3);
	say(b, "\003");
	hear(b, 0.02);
}

static void harmless(struct bench *b, uint64_t round)
{
	switch (any(8)) {
	case 0: do_resize(b); break;
	case 1: do_cut(b); break;
	case 2: do_paste(b, round, false); break;
	case 3: do_garbage(b); break;
	case 4: say_unbound(b); break;
	case 5:
		if (any(4) == 0)
			do_prompt(b);
		break;
	default: do_sequence(b);
	}
	pause_a_little(b);
}

static void free_key(struct bench *b)
{
	static const char *const named[] = {
		"\033[A", "\033[B", "\033[C", "\033[D", "\033OA", "\033OB", "\033[H", "\033[F", "\033[5~", "\033[6~"};
	int key = keys.row[any((uint32_t)keys.count)].key;
	if (key >= KEYS_OTHER || any(4) == 0) {
		say(b, named[any(10)]);
	} else if (key == 'q' || key == KEYS_CONTROL('z') ? any(6) == 0 : true) {
		char byte = (char)key;
		say_bytes(b, &byte, 1);
		if (key == KEYS_ESCAPE)
			hear(b, 0.03);
	}
}

static void anything(struct bench *b, uint64_t round)
{
	switch (any(10)) {
	case 0: do_resize(b); break;
	case 1: do_paste(b, round, true); break;
	case 2: do_garbage(b); break;
	case 3: do_sequence(b); break;
	case 4:
		if (any(4) == 0)
			do_cut(b);
		break;
	case 5: { // any byte at all
		char byte = (char)(1 + any(255));
		say_bytes(b, &byte, 1);
		break;
	}
	default: free_key(b);
	}
	pause_a_little(b);
}

// ---- the rounds -----------------------------------------------------------------------------------------------------------

static void play(struct bench *b, uint64_t round, bool *fresh)
{
	const char *name = "./monkey";
	bool tame = round % 2 == 0;
	seed = round * 0x9e3779b97f4a7c15u + 1;
	b->sent_length = 0;
	if (b->fd < 0)
		begin(b, name, *fresh);
	*fresh = false;
	if (!answers(b, round)) // it left when it was let go
		goto left;
	char *before = read_journal(name);
	for (int i = 0; i < 100 && !b->gone; i++)
		tame ? harmless(b, round) : anything(b, round);
	bool there = answers(b, round);
	char *after = read_journal(name);
	int was = changes(before), is = changes(after);
	free(before);
	free(after);
	if (tame && is != was)
		fail_with(b, round, "the journal has changed");
	if (tame && !there)
		fail_with(b, round, "it has left");
	if (there && any(4) == 0) {
		leave(b);
		there = false;
	}
	if (!there)
		goto left;
	check_journal(b, round, name);
	return;
left:
	end(b, round);
	check_journal(b, round, name);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

static void test_monkey(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR"), *seconds = getenv("MONKEY_SECONDS"), *first = getenv("MONKEY_SEED"),
		   *long_run = getenv("LONG");
	snprintf(place, sizeof place, "%s/bitscape-monkey-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(place));
	assert_true(keys_begin(&keys, NULL));
	double span = seconds ? strtod(seconds, NULL) : long_run && *long_run ? 600 : 12;
	double until = clock_seconds() + span;
	static struct bench b = {.fd = -1};
	bool fresh = true;
	uint64_t round = first ? strtoull(first, NULL, 10) : 0, from = round;
	do
		play(&b, round++, &fresh);
	while (clock_seconds() < until);
	if (b.fd >= 0) {
		if (answers(&b, round))
			leave(&b);
		end(&b, round);
	}
	print_message("%llu rounds in %.0f s\n", (unsigned long long)(round - from), span);
	char *journal = read_journal("./monkey");
	print_message("%d changes in the journal\n", changes(journal));
	free(journal);
	free(b.sent);
	keys_end(&keys);
	assert_int_equal(nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_monkey)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
