// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"

enum { HISTORY_LINES = 1000, CHOICES_MOST = 400 };

static struct {
	bool open;
	const char *byte; // for readline to fetch
	size_t bytes;     // so many
	char *line;       // a line that was ended
	bool ended;
	const struct command_table *table;
	struct session *session;
	char **choice; // completions to show, copies
	int choices;
	struct popup popup;
	char *text;
	FILE *nowhere; // readline writes here what it believes to be on the screen
	char history[4096];
} prompt;

// ---- history ------------------------------------------------------------------------------------------------------

static void find_history(void)
{
	char home[DISK_PATH];
	if (disk_state_home(home, sizeof home, NULL))
		snprintf(prompt.history, sizeof prompt.history, "%s/history", home);
}

void prompt_end(void)
{
	prompt_cancel();
	struct disk_file out;
	// A history that cannot be kept is no reason to stop anyone: the next run begins without it.
	if (prompt.history[0] && history_length > 0 && disk_make_folders(prompt.history, NULL) &&
		disk_begin(&out, prompt.history, NULL)) {
		fchmod(out.fd, 0600); // what was typed is the person's
		if (write_history(out.temporary) == 0)
			disk_keep(&out, NULL);
		else
			disk_drop(&out);
	}
	free(prompt.text);
	prompt.text = NULL;
	if (prompt.nowhere)
		fclose(prompt.nowhere);
	prompt.nowhere = NULL;
}

// ---- completion ---------------------------------------------------------------------------------------------------

static void forget_choices(void)
{
	for (int i = 0; i < prompt.choices; i++)
		free(prompt.choice[i]);
	free(prompt.choice);
	prompt.choice = NULL;
	prompt.choices = 0;
}

static size_t common_length(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] && a[n] == b[n])
		n++;
	while (n > 0 && ((unsigned char)a[n] & 0xc0) == 0x80) // whole characters only
		n--;
	return n;
}

// command_complete completes the word that begins at `from`; readline replaces the one that it believes to begin at
// `start`. Returns the word as readline needs it, malloc'd.
static char *fit_word(const char *word, size_t from, size_t start)
{
	if (from < start) {
		size_t skip = start - from;
		return strdup(strlen(word) > skip ? word + skip : "");
	}
	char *out = malloc(from - start + strlen(word) + 1);
	if (out) {
		memcpy(out, rl_line_buffer + start, from - start);
		memcpy(out + (from - start), word, strlen(word) + 1);
	}
	return out;
}

static char **complete(const char *text, int start, int end)
{
	(void)text;
	rl_attempted_completion_over = 1; // never file names where none were asked for
	size_t from = (size_t)start;
	char **words = command_complete(prompt.table, prompt.session, rl_line_buffer, (size_t)end, &from);
	if (!words || !words[0]) {
		free(words);
		return NULL;
	}
	size_t count = 0, common = strlen(words[0]);
	for (; words[count]; count++) {
		size_t length = common_length(words[0], words[count]);
		common = length < common ? length : common;
	}
	size_t last = strlen(words[0]);
	rl_completion_append_character = last > 0 && strchr("/=", words[0][last - 1]) ? '\0' : ' ';

	// Readline's form: what all have in common, then each; one alone is itself.
	char **out = calloc(count + 2, sizeof *out);
	if (out && count > 1) {
		char *head = strndup(words[0], common);
		out[0] = head ? fit_word(head, from, (size_t)start) : NULL;
		for (size_t i = 0; i < count; i++)
			out[i + 1] = fit_word(words[i], from, (size_t)start);
		free(head);
	} else if (out) {
		out[0] = fit_word(words[0], from, (size_t)start);
	}
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
	bool whole = out != NULL;
	for (size_t i = 0; whole && i < (count > 1 ? count + 1 : 1); i++)
		whole = out[i] != NULL;
	if (!whole && out) {
		for (size_t i = 0; i < count + 1; i++)
			free(out[i]);
		free(out);
		out = NULL;
	}
	return out;
}

static void show_matches(char **match, int count, int longest)
{
	(void)longest;
	forget_choices();
	if (count > CHOICES_MOST)
		count = CHOICES_MOST;
	prompt.choice = calloc((size_t)count + 1, sizeof *prompt.choice);
	for (int i = 0; prompt.choice && i < count; i++)
		if ((prompt.choice[prompt.choices] = strdup(match[i + 1])) != NULL)
			prompt.choices++;
}

struct popup *prompt_choices(int width)
{
	popup_clear(&prompt.popup);
	if (prompt.choices == 0)
		return NULL;
	int widest = 1;
	for (int i = 0; i < prompt.choices; i++) {
		int w = screen_width(prompt.choice[i]);
		widest = w > widest ? w : widest;
	}
	int across = (width - 4 + 2) / (widest + 2);
	across = across < 1 ? 1 : across;
	int rows = (prompt.choices + across - 1) / across;
	snprintf(prompt.popup.title, sizeof prompt.popup.title, "%d completions", prompt.choices);
	for (int row = 0; row < rows; row++) { // down the columns, as ls does
		char line[1024] = "";
		size_t at = 0;
		for (int i = row; i < prompt.choices && at < sizeof line - 1; i += rows) {
			int pad = widest + 2 - screen_width(prompt.choice[i]);
			int put = snprintf(line + at, sizeof line - at, "%s%*s", prompt.choice[i], pad, "");
			at += put > 0 ? (size_t)put : 0;
		}
		if (!popup_add(&prompt.popup, line, 0, false))
			break;
	}
	return &prompt.popup;
}

// ---- readline -----------------------------------------------------------------------------------------------------

static int next_byte(FILE *unused)
{
	(void)unused;
	if (prompt.bytes == 0)
		return EOF;
	prompt.bytes--;
	return (unsigned char)*prompt.byte++;
}

static int byte_waits(void)
{
	return prompt.bytes > 0;
}

static void no_redisplay(void)
{
}

static void on_line(char *line)
{
	prompt.line = line;
	prompt.ended = true;
	rl_callback_handler_remove();
}

void prompt_init(void)
{
	rl_readline_name = "bitscape";
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_getc_function = next_byte;
	rl_input_available_hook = byte_waits;
	rl_redisplay_function = no_redisplay;
	prompt.nowhere = fopen("/dev/null", "we");
	if (prompt.nowhere)
		rl_outstream = prompt.nowhere;
	rl_completion_query_items = 0;
	rl_basic_word_break_characters = (char *)" \t";
	rl_completer_word_break_characters = (char *)" \t";
	rl_completer_quote_characters = "";
	rl_attempted_completion_function = complete;
	rl_completion_display_matches_hook = show_matches;
	rl_sort_completion_matches = 0;
	rl_initialize();
	rl_variable_bind("bell-style", "none");
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_variable_bind("page-completions", "off");
	// No command holds control characters, and what a key sends is never text.
	static const char *const map[] = {"emacs-standard", "emacs-meta", "emacs-ctlx", "vi-insert", "vi-command"};
	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		rl_unbind_function_in_map(rl_quoted_insert, rl_get_keymap_by_name(map[i]));
	using_history();
	stifle_history(HISTORY_LINES);
	find_history();
	if (prompt.history[0])
		read_history(prompt.history);
}

void prompt_open(const struct command_table *table, struct session *session)
{
	prompt.table = table;
	prompt.session = session;
	prompt.open = true;
	prompt.ended = false;
	prompt.bytes = 0;
	rl_callback_handler_install(":", on_line);
}

bool prompt_is_open(void)
{
	return prompt.open;
}

static void close_prompt(void)
{
	prompt.open = false;
	forget_choices();
}

void prompt_cancel(void)
{
	if (!prompt.open)
		return;
	rl_callback_sigcleanup(); // leaves a half-done search of the history
	rl_free_line_state();
	rl_replace_line("", 1);
	rl_callback_handler_remove();
	close_prompt();
}

void prompt_remember(const char *line)
{
	HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
	if (line[0] != '\0' && line[0] != ' ' && !(last && strcmp(last->line, line) == 0))
		add_history(line);
}

// Where readline takes the beginning of a sequence for something else (a character to search for, say), the rest is not text.
static void give(const char *bytes, size_t count)
{
	bool sequence = bytes[0] == KEYS_ESCAPE && rl_editing_mode == 1;
	prompt.byte = bytes;
	prompt.bytes = count;
	while (prompt.bytes > 0 && !prompt.ended) {
		rl_callback_read_char();
		if (sequence && !RL_ISSTATE(RL_STATE_MULTIKEY))
			break;
	}
	prompt.bytes = 0;
}

static bool bound(const char *sequence)
{
	int type;
	return rl_function_of_keyseq(sequence, NULL, &type) && type != ISKMAP;
}

// What readline knows a key by, where it does not know it by what this terminal sends.
static const struct usual {
	int key;
	const char *sequence;
} usual[] = {
	{KEYS_UP, "\033[A"},
	{KEYS_DOWN, "\033[B"},
	{KEYS_RIGHT, "\033[C"},
	{KEYS_LEFT, "\033[D"},
	{KEYS_HOME, "\033[H"},
	{KEYS_END, "\033[F"},
	{KEYS_DELETE, "\033[3~"},
	{KEYS_INSERT, "\033[2~"},
	{KEYS_PAGE_UP, "\033[5~"},
	{KEYS_PAGE_DOWN, "\033[6~"},
	{KEYS_CTRL | KEYS_RIGHT, "\033f"},
	{KEYS_CTRL | KEYS_LEFT, "\033b"},
	{KEYS_ALT | KEYS_RIGHT, "\033f"},
	{KEYS_ALT | KEYS_LEFT, "\033b"},
	{KEYS_DELETE, "\004"},
};

// What readline is to get for a key; 0: it means nothing there. `bytes` has room for a sequence.
static size_t meant(const struct event *e, char *bytes)
{
	int key = e->key & ~KEYS_ALT;
	if (key < KEYS_OTHER) { // a character, spelled out or not; with Alt, behind an Esc
		size_t alt = (e->key & KEYS_ALT) != 0;
		bytes[0] = KEYS_ESCAPE;
		char *end = screen_encode(bytes + alt, (uint32_t)key);
		*end = '\0';
		return !alt || rl_editing_mode == 0 || bound(bytes) ? (size_t)(end - bytes) : 0;
	}
	const char *sequence = bound(e->bytes) ? e->bytes : NULL;
	for (size_t i = 0; !sequence && i < sizeof usual / sizeof *usual; i++)
		if (usual[i].key == e->key && bound(usual[i].sequence))
			sequence = usual[i].sequence;
	size_t length = sequence ? strlen(sequence) : 0;
	if (length > 0)
		memcpy(bytes, sequence, length + 1);
	return length;
}

bool prompt_key(const struct event *e, char **line)
{
	char bytes[DECODER_SEQUENCE + 8];
	*line = NULL;
	forget_choices();
	size_t count = meant(e, bytes);
	if (count == 0)
		return false;
	give(bytes, count);
	if (prompt.ended) {
		*line = prompt.line; // NULL: the end of input, ^D on an empty line
		prompt.line = NULL;
		close_prompt();
		if (*line)
			prompt_remember(*line);
	}
	return true;
}

void prompt_insert(const char *text)
{
	forget_choices();
	if (RL_ISSTATE(RL_STATE_ISEARCH)) // what is looked for grows
		give(text, strlen(text));
	else
		rl_insert_text(text);
}

void prompt_choose(void)
{
	give("\t", 1);
}

const char *prompt_line(void)
{
	return rl_line_buffer;
}

bool prompt_escape_cancels(void)
{
	return rl_editing_mode == 1 || rl_end == 0;
}

const char *prompt_text(int *cursor)
{
	const char *sign = rl_display_prompt ? rl_display_prompt : ":";
	size_t before = strlen(sign), length = before + (size_t)rl_end + 1;
	char *text = realloc(prompt.text, length);
	*cursor = 0;
	if (!text)
		return ":";
	prompt.text = text;
	memcpy(text, sign, before);
	memcpy(text + before, rl_line_buffer, (size_t)rl_end + 1);
	// The cursor stands behind rl_point bytes: their columns count.
	char *at = text + before + rl_point, kept = *at;
	*at = '\0';
	*cursor = screen_width(text);
	*at = kept;
	return text;
}
