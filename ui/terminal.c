// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ui/key.h"
#include "ui/signals.h"

// Last: curses and terminfo define macros with common names.
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

enum { ESCAPE_MS = 25, PASTE_BEGIN = KEY_MAX + 1, PASTE_END };

static struct {
	bool open;
	SCREEN *curses;
	WINDOW *input;       // a pad: reading from it never draws
	bool color, rich;    // colours at all; 256 of them
	struct screen shown; // what is on the screen
	const struct theme *theme;
	bool whole;          // all of it is to be sent
	const char *paste_off;
	bool pasting;
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

bool terminal_check(char *note, size_t size, struct fault *f)
{
	static const char *const fallback[] = {"xterm-256color", "xterm", "vt100", "ansi"};
	static const char batch[] = "`bitscape --batch FILE` works without one";
	note[0] = '\0';
	if (!isatty(STDIN_FILENO))
		return fault_set(f, "standard input", batch, "is not a terminal");
	if (!isatty(STDOUT_FILENO))
		return fault_set(f, "standard output", batch, "is not a terminal");
	const char *name = getenv("TERM");
	if (name && *name && usable(name))
		return true;
	for (size_t i = 0; i < sizeof fallback / sizeof *fallback; i++) {
		if (!usable(fallback[i]))
			continue;
		snprintf(note, size, "TERM is %s%.40s%s: going on as if it were %s", name && *name ? "'" : "not set",
			name && *name ? name : "", name && *name ? "', which is not known" : "", fallback[i]);
		for (char *p = note; *p; p++)
			if ((unsigned char)*p < ' ')
				*p = '?';
		return setenv("TERM", fallback[i], 1) == 0 || fault_set(f, "TERM", "", "%s", strerror(errno));
	}
	return fault_set(f, "TERM", batch, "'%.40s' is not known here, nor are its common stand-ins", name ? name : "");
}

static const char *capability(const char *name)
{
	const char *text = tigetstr((char *)name);
	return text && text != (char *)-1 ? text : NULL;
}

static void send(const char *text)
{
	if (text)
		putp(text);
	fflush(stdout);
}

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
	crash_arm(STDOUT_FILENO, text, length);
}

static void begin_paste_mode(void)
{
	if (capability("BE") && capability("BD")) {
		define_key("\033[200~", PASTE_BEGIN);
		define_key("\033[201~", PASTE_END);
		send(capability("BE"));
		term.paste_off = capability("BD");
	}
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
	if (!term.curses || !(term.input = newpad(1, 1))) {
		crash_disarm();
		stderr_back();
		return fault_set(f, "terminal", "", "cannot be set up");
	}
	term.open = true;
	// ^C and ^Z come as keys: the terminal would send their signals to a script or make around the program as well, which
	// would die of the one, and at the other hand the screen to the shell while it is still ours.
	raw();
	noecho();
	nonl();
	set_escdelay(ESCAPE_MS);
	nodelay(term.input, TRUE);
	keypad(term.input, TRUE);
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
	send(term.paste_off);
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
	delwin(term.input);
	delscreen(term.curses);
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
		resize_term(size.ws_row, size.ws_col); // resizeterm would put KEY_RESIZE among the keys
	terminal_redraw();
}

void terminal_suspend(bool group)
{
	leave_screen();
	stderr_back();
	signals_stop(group);
	stderr_keep();
	reset_prog_mode();
	if (term.paste_off)
		send(capability("BE"));
	terminal_resize();
	wrefresh(curscr);
}

// ---- keys ---------------------------------------------------------------------------------------------------------

static const struct code {
	int curses;
	int key;
} code[] = {
	{KEY_UP, KEYS_UP},
	{KEY_DOWN, KEYS_DOWN},
	{KEY_LEFT, KEYS_LEFT},
	{KEY_RIGHT, KEYS_RIGHT},
	{KEY_HOME, KEYS_HOME},
	{KEY_END, KEYS_END},
	{KEY_PPAGE, KEYS_PAGE_UP},
	{KEY_NPAGE, KEYS_PAGE_DOWN},
	{KEY_ENTER, KEYS_ENTER},
};

static int special(int curses)
{
	for (size_t i = 0; i < sizeof code / sizeof *code; i++)
		if (code[i].curses == curses)
			return code[i].key;
	return KEYS_OTHER;
}

int terminal_key(bool *pasted)
{
	for (;;) {
		wint_t c;
		int kind = wget_wch(term.input, &c);
		if (kind == ERR)
			return -1;
		if (kind == KEY_CODE_YES && (c == PASTE_BEGIN || c == PASTE_END)) {
			term.pasting = c == PASTE_BEGIN;
			*pasted = true;
		} else if (!term.pasting) {
			return kind == KEY_CODE_YES ? special((int)c) : c == '\n' ? KEYS_ENTER : (int)c;
		}
	}
}

void terminal_raw(bool on)
{
	keypad(term.input, on ? FALSE : TRUE);
	term.pasting = false;
}

int terminal_byte(void)
{
	for (;;) {
		int c = wgetch(term.input);
		if (c == ERR)
			return -1;
		if (c >= 0 && c < 256) // never a code of curses, KEY_RESIZE above all
			return c;
	}
}
