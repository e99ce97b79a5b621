// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/signals.h"
#include "ui/crash.h"

// Last: curses and terminfo define macros with common names.
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

enum { ESCAPE_MOST = 5000, BURST = 6 }; // ms, bytes

static struct {
	bool open;
	SCREEN *curses;
	bool color, rich;    // colours at all; 256 of them
	struct screen shown; // what is on the screen
	const struct theme *theme;
	bool whole; // all of it is to be sent
	const char *paste_off;
	bool mouse; // it was asked to report it
	struct decoder *decoder;
	long long read_at; // when bytes were read last, in ms
	bool gone;         // nothing more will come
} term;

// ---- opening ------------------------------------------------------------------------------------------------------

static bool usable(const char *name)
{
	int status;
	if (setupterm(name, STDOUT_FILENO, &status) != OK || status != 1)
		return false;
	const char *move = tigetstr("cup");
	bool fit = move && move != (char *)-1 && !tigetflag("gn");
	del_curterm(cur_term);
	return fit;
}

bool terminal_check(struct fault *f)
{
	static const char batch[] = "`bitscape --batch FILE` works without one";
	if (!isatty(STDIN_FILENO))
		return fault_set(f, "standard input", batch, "is not a terminal");
	if (!isatty(STDOUT_FILENO))
		return fault_set(f, "standard output", batch, "is not a terminal");
	const char *name = getenv("TERM");
	if (!name || !*name)
		return fault_set(f, "TERM",
			"set it to what the terminal is, `TERM=xterm-256color bitscape` for most; or use --batch", "is not set");
	int status;
	if (setupterm(name, STDOUT_FILENO, &status) != OK && status != 1)
		return fault_set(f, "TERM", "`TERM=xterm-256color bitscape` suits most terminals; --batch FILE needs none",
			"'%.40s' is not in the terminal database here", name);
	del_curterm(cur_term);
	return usable(name) ||
		fault_set(f, "TERM", "use another terminal, or --batch FILE, which needs none",
			"'%.40s' cannot show a full screen", name);
}

static const char *capability(const char *name)
{
	const char *text = tigetstr((char *)name);
	return text && text != (char *)-1 ? text : NULL;
}

static void emit(const char *text)
{
	if (text)
		putp(text);
	fflush(stdout);
}

static bool moves_as_usual(void)
{
	const char *move = capability("cup");
	return move && strncmp(move, "\033[", 2) == 0;
}

// Clicks and the wheel, as decimal numbers; only where the cursor is moved by ECMA-48.
static const char mouse_on[] = "\033[?1002h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1002l";

// What a crash has to write: the strings that end full-screen mode, without the padding marks "$<…>".
static void arm_crash(void)
{
	static const char *const names[] = {"sgr0", "op", "rmkx", "BD", "cnorm", "rmcup"};
	char text[512];
	size_t length = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (const char *p = capability(names[i]); p && *p && length < sizeof text; p++) {
			if (p[0] == '$' && p[1] == '<' && strchr(p, '>'))
				p = strchr(p, '>');
			else
				text[length++] = *p;
		}
	for (const char *p = moves_as_usual() ? mouse_off : ""; *p && length < sizeof text; p++)
		text[length++] = *p;
	crash_arm(STDOUT_FILENO, text, length);
}

// Terminals that know nothing of pastes take no notice, so those whose description does not speak of it are asked too; where
// the cursor is not moved by ECMA-48, better not.
static void begin_paste_mode(void)
{
	const char *on = capability("BE"), *off = capability("BD");
	bool described = on && off, usual = moves_as_usual();
	term.paste_off = described ? off : usual ? "\033[?2004l" : NULL;
	emit(described ? on : usual ? "\033[?2004h" : NULL);
}

void terminal_mouse(bool on)
{
	if (on == term.mouse || !moves_as_usual())
		return;
	term.mouse = on;
	emit(on ? mouse_on : mouse_off);
}

// Capabilities of terminfo, and the keys they stand for. Those of a key with modifiers are named NAME2 (Shift) to NAME8.
static const struct {
	const char *name;
	int key;
} code[] =
	{
		{"kcuu1", KEYS_UP},
		{"kcud1", KEYS_DOWN},
		{"kcub1", KEYS_LEFT},
		{"kcuf1", KEYS_RIGHT},
		{"khome", KEYS_HOME},
		{"kend", KEYS_END},
		{"kpp", KEYS_PAGE_UP},
		{"knp", KEYS_PAGE_DOWN},
		{"kent", KEYS_ENTER},
		{"kich1", KEYS_INSERT},
		{"kdch1", KEYS_DELETE},
		{"kb2", KEYS_BEGIN},
		{"kcbt", KEYS_BACKTAB},
		{"kHOM", KEYS_SHIFT | KEYS_HOME},
		{"kEND", KEYS_SHIFT | KEYS_END},
		{"kPRV", KEYS_SHIFT | KEYS_PAGE_UP},
		{"kNXT", KEYS_SHIFT | KEYS_PAGE_DOWN},
		{"kLFT", KEYS_SHIFT | KEYS_LEFT},
		{"kRIT", KEYS_SHIFT | KEYS_RIGHT},
		{"kri", KEYS_SHIFT | KEYS_UP},
		{"kind", KEYS_SHIFT | KEYS_DOWN},
		{"kIC", KEYS_SHIFT | KEYS_INSERT},
		{"kDC", KEYS_SHIFT | KEYS_DELETE},
},
  held[] = {
	  {"kUP", KEYS_UP},
	  {"kDN", KEYS_DOWN},
	  {"kLFT", KEYS_LEFT},
	  {"kRIT", KEYS_RIGHT},
	  {"kHOM", KEYS_HOME},
	  {"kEND", KEYS_END},
	  {"kPRV", KEYS_PAGE_UP},
	  {"kNXT", KEYS_PAGE_DOWN},
	  {"kIC", KEYS_INSERT},
	  {"kDC", KEYS_DELETE},
};

static bool name_key(const char *capability_name, int key)
{
	const char *sequence = capability(capability_name);
	return !sequence || decoder_name(term.decoder, sequence, key);
}

static bool name_keys(void)
{
	bool ok = true;
	char name[16];
	for (size_t i = 0; ok && i < sizeof code / sizeof *code; i++)
		ok = name_key(code[i].name, code[i].key);
	for (int n = 1; ok && n <= KEYS_F_LAST - KEYS_F; n++) {
		snprintf(name, sizeof name, "kf%d", n);
		ok = name_key(name, KEYS_F + n);
	}
	for (size_t i = 0; ok && i < sizeof held / sizeof *held; i++)
		for (int with = 1; ok && with < 8; with++) {
			snprintf(name, sizeof name, "%s%d", held[i].name, with + 1);
			ok = name_key(name,
				held[i].key | (with & 1 ? KEYS_SHIFT : 0) | (with & 2 ? KEYS_ALT : 0) |
					(with & 4 ? KEYS_CTRL : 0));
		}
	return ok;
}

static bool open_decoder(void)
{
	const char *wish = getenv("ESCDELAY"); // in ms: as for other programs on this terminal
	char *end;
	long ms = wish && *wish ? strtol(wish, &end, 10) : 0;
	term.decoder = decoder_new();
	if (!term.decoder)
		return false;
	if (ms > 0 && ms <= ESCAPE_MOST && *end == '\0')
		decoder_set_escape(term.decoder, (int)ms);
	return name_keys();
}

bool terminal_open(bool color, struct fault *f)
{
	static bool registered;
	if (!registered && atexit(terminal_close) == 0)
		registered = true;
	stderr_keep();
	// The settings to go back to are those of before curses.
	if (usable(getenv("TERM")) && setupterm(NULL, STDOUT_FILENO, NULL) == OK) {
		arm_crash();
		del_curterm(cur_term);
	}
	term.curses = newterm(NULL, stdout, stdin);
	if (!term.curses || !open_decoder()) {
		decoder_free(term.decoder);
		term.decoder = NULL;
		crash_disarm();
		stderr_back();
		return fault_set(f, "terminal", "use --batch, or another terminal", "cannot be set up");
	}
	term.open = true;
	// ^C and ^Z come as keys: the terminal would send their signals to a script or make around the program as well, which
	// would die of the one, and at the other hand the screen to the shell while it is still ours.
	raw();
	noecho();
	nonl();
	typeahead(-1); // curses reads nothing
	keypad(stdscr, TRUE);
	begin_paste_mode();
	term.color = color && has_colors() && start_color() == OK;
	term.rich = term.color && COLORS >= 256;
	if (term.color)
		use_default_colors();
	term.theme = NULL;
	term.whole = true;
	return true;
}

// Gives the screen back. A terminal without a second screen keeps what was drawn: at least its last line is for the shell.
static void leave_screen(void)
{
	emit(term.paste_off);
	terminal_mouse(false);
	if (!capability("rmcup")) {
		move(LINES - 1, 0);
		clrtoeol();
		refresh();
	}
	endwin();
}

void terminal_close(void)
{
	if (!term.open)
		return;
	term.open = false;
	leave_screen();
	delscreen(term.curses);
	decoder_free(term.decoder);
	term.decoder = NULL;
	term.curses = NULL;
	screen_free(&term.shown);
	crash_disarm();
	stderr_back();
}

// ---- showing ------------------------------------------------------------------------------------------------------

// Pairs: 1 + style, and behind them the same on the background of the row in hand.
static void set_theme(const struct theme *theme)
{
	term.theme = theme;
	term.whole = true;
	if (!term.color)
		return;
	for (int i = 0; i < STYLES; i++) {
		short colour = term.rich ? theme->look[i].rich : theme->look[i].plain;
		init_pair((short)(1 + i), colour, -1);
		if (term.rich)
			init_pair((short)(1 + STYLES + i), colour, theme->lit);
	}
}

static void show_cell(const struct screen_cell *c, int x, int y)
{
	// Without colours the looks of `mono` hold, whatever the theme.
	static const struct theme *mono;
	if (!mono)
		mono = theme_named("mono");
	const struct look *look = &(term.color ? term.theme : mono)->look[c->style];
	attr_t attributes = A_NORMAL;
	if (look->attributes & LOOK_BOLD)
		attributes |= A_BOLD;
	if (look->attributes & LOOK_DIM)
		attributes |= A_DIM;
	if (look->attributes & LOOK_REVERSE)
		attributes |= A_REVERSE;
	if (look->attributes & LOOK_UNDERLINE)
		attributes |= A_UNDERLINE;
	bool tinted = c->lit && term.rich && term.theme->lit >= 0;
	if (c->lit && !tinted)
		attributes |= A_BOLD;
	short pair = (short)(term.color ? 1 + c->style + (tinted ? STYLES : 0) : 0);
	wchar_t text[3] = {(wchar_t)c->glyph, (wchar_t)c->mark, L'\0'};
	cchar_t out;
	if (setcchar(&out, text, attributes, pair, NULL) == OK)
		mvwadd_wch(stdscr, y, x, &out);
}

static bool same(const struct screen_cell *a, const struct screen_cell *b)
{
	return a->glyph == b->glyph && a->mark == b->mark && a->style == b->style && a->lit == b->lit;
}

void terminal_show(const struct screen *s, const struct theme *theme)
{
	if (theme != term.theme)
		set_theme(theme);
	if (s->width != term.shown.width || s->height != term.shown.height) {
		if (!screen_resize(&term.shown, s->width, s->height))
			return;
		term.whole = true;
	}
	if (term.whole)
		werase(stdscr);
	for (int y = 0; y < s->height; y++)
		for (int x = 0; x < s->width; x++) {
			const struct screen_cell *c = &s->cell[y * s->width + x];
			struct screen_cell *shown = &term.shown.cell[y * s->width + x];
			if (!term.whole && same(c, shown))
				continue;
			*shown = *c;
			if (c->glyph != 0)
				show_cell(c, x, y);
		}
	term.whole = false;
	curs_set(s->cursor ? 1 : 0);
	if (s->cursor)
		wmove(stdscr, s->cursor_y, s->cursor_x);
	wnoutrefresh(stdscr);
	doupdate();
}

void terminal_redraw(void)
{
	term.whole = true;
	clearok(curscr, TRUE);
}

void terminal_size(int *width, int *height)
{
	*width = COLS;
	*height = LINES;
}

void terminal_resize(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
		resize_term(size.ws_row, size.ws_col);
	terminal_redraw();
}

void terminal_suspend(bool group)
{
	leave_screen();
	stderr_back();
	signals_stop(group);
	stderr_keep();
	reset_prog_mode();
	begin_paste_mode();
	terminal_resize();
	wrefresh(curscr);
}

// ---- keys ---------------------------------------------------------------------------------------------------------

static long long now_ms(void)
{
	return (long long)(clock_seconds() * 1000.0);
}

// Takes what waits. False: nothing.
static bool read_bytes(void)
{
	char bytes[DECODER_ROOM];
	size_t room = decoder_room(term.decoder);
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	if (term.gone || room == 0 || poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
		return false;
	ssize_t got = read(STDIN_FILENO, bytes, room);
	if (got <= 0) {
		term.gone = got == 0 || (errno != EINTR && errno != EAGAIN);
		return false;
	}
	term.read_at = now_ms();
	decoder_feed(term.decoder, bytes, (size_t)got, term.read_at);
	return true;
}

bool terminal_event(struct event *e)
{
	// What has come goes before what has come too late.
	do {
		if (decoder_next(term.decoder, term.read_at, e))
			return true;
	} while (read_bytes());
	return decoder_next(term.decoder, now_ms(), e);
}

bool terminal_rest(void)
{
	return decoder_room(term.decoder) < DECODER_ROOM;
}

bool terminal_burst(void)
{
	return terminal_rest() && decoder_used(term.decoder) >= BURST;
}

int terminal_wait(void)
{
	return decoder_wait(term.decoder, now_ms());
}

bool terminal_gone(void)
{
	return term.gone;
}
