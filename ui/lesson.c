// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/lesson.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/machine.h"
#include "ui/workbench.h"

enum { PAGES_MOST = 64, LINES_MOST = 40, SETTINGS_MOST = 32, BIG_HEIGHT = 24, BIG_WIDTH = 80 };
enum { PAGE_MS = 2500, LINE_MS = 700, ACT_MS = 1500 }; // for reading, where nobody presses Enter

struct page {
	char *line[LINES_MOST]; // owned
	int lines;
};

enum lesson_state { LESSON_GOES, LESSON_TRAVELS, LESSON_RUNS, LESSON_STANDS, LESSON_WAITS, LESSON_OVER };

struct lesson {
	char *file, *name, *title; // owned
	struct page page[PAGES_MOST];
	int pages, at;
	int line; // of the page, the one in hand
	enum lesson_state state;
	long goal;                  // of the hold in hand
	bool sent;                  // the run to it was asked for
	bool auto_set;              // the time until it goes on by itself was set for this state
	bool left;                  // by the person, who may take it up
	bool notes;                 // are shown
	const char *act;            // of the page, so far; NULL: none
	char heard[128];            // what the person did last, "" where it was answered
	char answer[400];           // to it; "": none
	struct string text, spoken; // of the page
	char status[160];
	struct tour_shown shown; // what the view draws
	bool changed;
};

// ---- lines ---------------------------------------------------------------------------------------------------------

// What follows a word at a line's beginning; NULL: the line begins with another.
static const char *behind(const char *line, const char *word)
{
	const size_t length = strlen(word);
	line += strspn(line, " \t");
	if (strncmp(line, word, length) != 0 || (line[length] != ' ' && line[length] != '\0'))
		return NULL;
	line += length;
	return line + strspn(line, " \t");
}

// The text of a line, its quotes taken off; what follows goes on in the same paragraph, which the view breaks to its width.
static void add_text(struct string *out, const char *rest)
{
	struct words words;
	struct fault f;
	if (!words_split(&words, rest, &f))
		return;
	string_add(out, "%s", out->length ? " " : "");
	for (int i = 0; i < words.count; i++)
		string_add(out, "%s%s", i ? " " : "", words.word[i]);
	words_free(&words);
}

static bool read_pages(struct lesson *l, struct fault *f)
{
	struct script *s = script_open(l->file, f);
	enum script_line kind;
	const char *line;
	bool ok = s != NULL, fresh = true;
	while (ok && (kind = script_next(s, &line, f)) > SCRIPT_END) {
		if (kind == SCRIPT_BREAK)
			fresh = true;
		if (kind <= SCRIPT_NOTHING || behind(line, "lesson"))
			continue;
		if (fresh && l->pages == PAGES_MOST) {
			ok = fault_set(f, l->file, "make two of it", "more than %d pages", PAGES_MOST);
			break;
		}
		l->pages += fresh;
		fresh = false;
		struct page *p = &l->page[l->pages - 1];
		if (p->lines == LINES_MOST)
			ok = fault_set(f, l->file, "make two of the page", "more than %d lines on a page", LINES_MOST);
		else if (!(p->line[p->lines++] = strdup(line)))
			ok = fault_memory(f, l->file);
	}
	if (s && ok && kind == SCRIPT_FAILED) {
		script_place(s, f);
		ok = false;
	}
	script_close(s);
	return ok && (l->pages > 0 || fault_set(f, l->file, "write pages into it", "holds nothing"));
}

// The first command of a file, owned; NULL: it has none, or cannot be read.
static char *first_line(const char *file)
{
	struct fault f;
	struct script *s = script_open(file, &f);
	enum script_line kind;
	const char *line;
	char *first = NULL;
	while (s && !first && (kind = script_next(s, &line, &f)) > SCRIPT_END)
		if (kind > SCRIPT_NOTHING)
			first = strdup(line);
	script_close(s);
	return first;
}

bool lesson_is(const char *file)
{
	char *first = first_line(file);
	const bool is = first && behind(first, "lesson");
	free(first);
	return is;
}

int lesson_settings(const char *file, char *setting[], int most, struct fault *f)
{
	char *first = first_line(file);
	struct words words;
	int count = 0;
	if (!first || !words_split(&words, first, f)) {
		free(first);
		return -1;
	}
	for (int i = 2; i < words.count && count < most; i++)
		if ((setting[count] = strdup(words.word[i])))
			count++;
	words_free(&words);
	free(first);
	return count;
}

// ---- readouts of the screen ----------------------------------------------------------------------------------------

static const char *focus_name(const struct workbench *w)
{
	return w->views.view[w->views.focus].ops->name;
}

static const char *zoom_name(const struct workbench *w)
{
	return w->views.zoomed == LAYOUT_NONE ? "none" : w->views.view[w->views.zoomed].ops->name;
}

static const char *draft_state(const struct workbench *w)
{
	return session_draft(w->session) ? "yes" : "no";
}

static const char *box_word(const struct workbench *w)
{
	return popup_shown(&w->popup) ? "yes" : "no";
}

static const char *theme_word(const struct workbench *w)
{
	return w->theme->name;
}

static const char *layer_word(const struct workbench *w)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	return w->scene.layer < info->layers ? info->layer[w->scene.layer].name : "none";
}

static const char *twist_word(const struct workbench *w)
{
	return w->scene.slice && w->scene.slice->slice.twisted ? "yes" : "no";
}

static const struct screen_readout {
	const char *name;
	const char *(*read)(const struct workbench *);
} screen_readout[] = {{"screen.focus", focus_name}, {"screen.zoom", zoom_name}, {"screen.draft", draft_state},
	{"screen.box", box_word}, {"screen.theme", theme_word}, {"screen.layer", layer_word}, {"screen.twisted", twist_word}};
enum { SCREEN_READOUTS = sizeof screen_readout / sizeof *screen_readout };

static const struct screen_readout *screen_readout_named(const char *name)
{
	for (int i = 0; i < SCREEN_READOUTS; i++)
		if (strcmp(screen_readout[i].name, name) == 0)
			return &screen_readout[i];
	return NULL;
}

// Whether a comparison holds; `now` is what its readout says. False with a fault: it cannot be told.
static bool holds(struct workbench *w, int count, char *const *words, bool *yes, char *now, size_t size, struct fault *f)
{
	const struct screen_readout *r = count == 3 ? screen_readout_named(words[0]) : NULL;
	if (!r)
		return session_holds(w->session, count, words, yes, now, size, f);
	const bool same = strcmp(words[1], "=") == 0;
	if (!same && strcmp(words[1], "!=") != 0)
		return fault_set(f, words[1], "use = or !=", "does not compare words");
	snprintf(now, size, "%s", r->read(w));
	*yes = (strcmp(now, words[2]) == 0) == same;
	return true;
}

static bool line_holds(struct workbench *w, const char *rest, bool *yes, char *now, size_t size, struct fault *f)
{
	struct words words;
	if (!words_split(&words, rest, f))
		return false;
	const bool ok = holds(w, words.count, words.word, yes, now, size, f);
	words_free(&words);
	return ok;
}

// ---- what is shown -------------------------------------------------------------------------------------------------

static struct page *page_of(struct lesson *l)
{
	return &l->page[l->at];
}

void lesson_show(struct workbench *w)
{
	struct lesson *l = w->lesson;
	w->scene.tour = NULL;
	if (!l || l->left)
		return;
	struct tour_shown *s = &l->shown;
	const bool last = l->at + 1 == l->pages;
	const bool draft = session_draft(w->session); // which has Enter
	const long step = session_snapshot(w->session)->step;
	snprintf(s->title, sizeof s->title, "%s, %d of %d", l->title, l->at + 1, l->pages);
	s->text = l->text.bytes ? l->text.bytes : "";
	s->notes = l->notes && l->spoken.bytes ? l->spoken.bytes : "";
	s->answer = l->answer;
	s->foot = l->status;
	switch (l->state) {
	case LESSON_TRAVELS: snprintf(l->status, sizeof l->status, "on the way back to step %ld", l->goal); break;
	case LESSON_RUNS: snprintf(l->status, sizeof l->status, "the search runs to step %ld, now %ld", l->goal, step); break;
	case LESSON_STANDS:
		snprintf(l->status, sizeof l->status, "it stands at step %ld: Enter runs it on to %ld", step, l->goal);
		break;
	case LESSON_WAITS:
		snprintf(l->status, sizeof l->status, "%s",
			draft            ? "your turn; :tour does it"
				: l->act ? "your turn; Enter does it, Esc leaves"
					 : "your turn; Esc leaves");
		break;
	default:
		snprintf(l->status, sizeof l->status, "%s %s", draft ? ":tour" : "Enter",
			last            ? "ends the tour"
				: draft ? "goes on"
					: "goes on, Esc leaves");
	}
	w->scene.tour = s;
}

// Reads what the page says, wherever its lines stand.
static void begin_page(struct workbench *w, int page)
{
	struct lesson *l = w->lesson;
	l->at = page;
	l->line = 0;
	l->state = LESSON_GOES;
	l->sent = l->auto_set = false;
	l->act = NULL;
	l->heard[0] = l->answer[0] = '\0';
	l->shown.lit = NULL;
	string_clear(&l->text);
	string_clear(&l->spoken);
	for (int i = 0; i < page_of(l)->lines; i++) {
		const char *line = page_of(l)->line[i], *rest;
		if ((rest = behind(line, "echo")))
			add_text(&l->text, rest);
		else if ((rest = behind(line, "notes")))
			add_text(&l->spoken, rest);
	}
	if (popup_shown(&w->popup))
		workbench_close(w);
	l->changed = true;
}

static bool light(struct workbench *w, const char *name, struct fault *f)
{
	const bool none = strcmp(name, "none") == 0;
	const int view = none ? LAYOUT_NONE : views_named(&w->views, name);
	if (!none && view == LAYOUT_NONE)
		return fault_set(f, name, "`view` lists them", "is no view");
	if (w->lesson)
		w->lesson->shown.lit = none ? NULL : w->views.view[view].ops;
	if (popup_shown(&w->popup))
		workbench_close(w);
	w->views.zoomed = LAYOUT_NONE;
	w->scene.snapshot = session_snapshot(w->session);
	if (none)
		return true;
	if (!views_enter(&w->views, &w->scene, view, f))
		return false;
	const bool big = w->tour_big || w->screen.height < BIG_HEIGHT || w->screen.width < BIG_WIDTH;
	if (big && w->views.view[view].ops->place != LAYOUT_ALONE)
		w->views.zoomed = view;
	return true;
}

// ---- going on in a page --------------------------------------------------------------------------------------------

static void answer(struct lesson *l, const char *text)
{
	snprintf(l->answer, sizeof l->answer, "%s", text);
	l->changed = true;
}

static void set_state(struct lesson *l, enum lesson_state state)
{
	l->changed |= l->state != state;
	l->auto_set &= l->state == state;
	l->state = state;
}

static bool run(struct workbench *w, const char *format, long number)
{
	char line[64];
	snprintf(line, sizeof line, format, number);
	return workbench_command(w, line);
}

// The search runs to the step and stops there. True: it is there.
static bool held(struct workbench *w, const char *rest)
{
	struct lesson *l = w->lesson;
	const struct snapshot *now = session_snapshot(w->session);
	if (!number_read_long(rest, 0, LONG_MAX / 2, &l->goal))
		l->goal = 0;
	if (l->goal > now->horizon)
		l->goal = now->horizon;
	const bool running = now->run == RUN_RUNNING;
	if (now->step >= l->goal && running) // it was sent on, by hand
		run(w, "pause", 0);
	if (now->step >= l->goal)
		return !running;
	if (!l->sent && !running) {
		l->sent = run(w, "run %ld", l->goal - now->step);
		set_state(l, LESSON_RUNS);
	} else {
		set_state(l, running || session_changing(w->session) ? LESSON_RUNS : LESSON_STANDS);
	}
	return false;
}

// What the person did does not do it.
static void answer_act(struct workbench *w)
{
	struct lesson *l = w->lesson;
	char text[400];
	if (!l->heard[0] || session_changing(w->session))
		return;
	const char *otherwise = l->line + 1 < page_of(l)->lines ? behind(page_of(l)->line[l->line + 1], "otherwise") : NULL;
	struct string words = {0};
	if (otherwise)
		add_text(&words, otherwise);
	if (words.bytes)
		snprintf(text, sizeof text, "`%.80s`: %.200s", l->heard, words.bytes);
	else
		snprintf(text, sizeof text,
			"`%.80s` is something else. The page waits for `%.100s`; Enter does it, u takes yours back.", l->heard,
			l->act ? l->act : "");
	string_free(&words);
	l->heard[0] = '\0';
	answer(l, text);
}

static bool met(struct workbench *w, const char *rest)
{
	struct lesson *l = w->lesson;
	struct fault f;
	char now[300];
	bool yes = false;
	yes = line_holds(w, rest, &yes, now, sizeof now, &f) && yes; // what cannot be read yet does not hold yet
	set_state(l, yes ? LESSON_GOES : LESSON_WAITS);
	if (yes)
		l->heard[0] = l->answer[0] = '\0';
	else
		answer_act(w);
	return yes;
}

static bool claim(struct workbench *w, const char *rest)
{
	struct fault f;
	char now[300], text[400];
	bool yes = false;
	if (line_holds(w, rest, &yes, now, sizeof now, &f) && !yes) {
		snprintf(text, sizeof text, "This time it came out otherwise: `%.120s`, and it is %.100s.", rest, now);
		answer(w->lesson, text);
	}
	return true;
}

// Whether the box, or the message, has these words.
static bool is_said(const struct workbench *w, const char *text)
{
	for (int i = 0; i < w->popup.lines; i++)
		if (strstr(w->popup.line[i].text, text))
			return true;
	struct string cells = {0};
	if (w->popup.sheet)
		sheet_text(w->popup.sheet, &cells);
	const bool found = (cells.bytes && strstr(cells.bytes, text)) || strstr(w->message, text);
	string_free(&cells);
	return found;
}

static bool claim_said(struct workbench *w, const char *rest)
{
	char text[400];
	struct string words = {0};
	add_text(&words, rest);
	if (words.bytes && !is_said(w, words.bytes)) {
		snprintf(text, sizeof text, "This time the answer lacks %.200s.", rest);
		answer(w->lesson, text);
	}
	string_free(&words);
	return true;
}

static bool say_act(struct workbench *w, const char *rest)
{
	w->lesson->act = rest;
	return true;
}

static bool pass(struct workbench *w, const char *rest)
{
	(void)w, (void)rest;
	return true;
}

// A word of a page, and what it does on the screen; false: it is not done yet.
static const struct lesson_word {
	const char *word;
	bool (*go)(struct workbench *, const char *rest);
} lesson_word[] = {{"echo", pass}, {"notes", pass}, {"hold", held}, {"act", say_act}, {"otherwise", pass}, {"until", met},
	{"expect", claim}, {"says", claim_said}};
enum { LESSON_WORD_COUNT = sizeof lesson_word / sizeof *lesson_word };

static bool go(struct workbench *w, const char *line)
{
	for (int i = 0; i < LESSON_WORD_COUNT; i++) {
		const char *rest = behind(line, lesson_word[i].word);
		if (rest)
			return lesson_word[i].go(w, rest);
	}
	w->lesson->heard[0] = '\0';
	w->tour_telling = true; // what it runs is the tour's own act
	workbench_command(w, line);
	w->tour_telling = false;
	return true;
}

static void set_time(struct workbench *w)
{
	struct lesson *l = w->lesson;
	const bool stops = l->state == LESSON_WAITS || l->state == LESSON_OVER;
	int lines = 1;
	if (!w->tour_auto || l->auto_set || !stops)
		return;
	for (const char *p = l->text.bytes; p && *p; p++)
		lines += *p == '\n';
	l->auto_set = true;
	const double pace = w->tour_pace > 0 ? w->tour_pace : 1;
	w->tour_ms = 1 + (int)((l->state == LESSON_WAITS ? PAGE_MS + LINE_MS * lines : ACT_MS) / pace);
}

bool lesson_turn(struct workbench *w)
{
	struct lesson *l = w->lesson;
	if (!l || l->left)
		return false;
	if (l->state == LESSON_TRAVELS && (session_travelling(w->session) || session_changing(w->session)))
		return false;
	if (l->state == LESSON_TRAVELS)
		set_state(l, LESSON_GOES);
	while (l->line < page_of(l)->lines && go(w, page_of(l)->line[l->line])) {
		l->line++;
		l->changed = true;
	}
	if (l->line == page_of(l)->lines)
		set_state(l, LESSON_OVER);
	set_time(w);
	const bool changed = l->changed;
	l->changed = false;
	return changed;
}

// An act alters the search, or runs it; moving about is none.
void lesson_heard(struct workbench *w, const char *line, bool ok)
{
	struct lesson *l = w->lesson;
	char word[32];
	if (!l || l->left || w->tour_telling || !ok || l->state != LESSON_WAITS)
		return;
	line += strspn(line, " \t");
	snprintf(word, sizeof word, "%.*s", (int)strcspn(line, " \t"), line);
	const struct command *c = command_find(&w->table, word, NULL);
	static const char *const acts[] = {"hand", "each", "nudge", "toggle", NULL};
	bool act = c && c->kind != COMMAND_VIEW;
	for (int i = 0; acts[i]; i++)
		act |= strcmp(acts[i], word) == 0;
	if (act)
		snprintf(l->heard, sizeof l->heard, "%s", line);
}

// ---- its pages -----------------------------------------------------------------------------------------------------

static void release(struct lesson *l)
{
	if (!l)
		return;
	for (int p = 0; p < l->pages; p++)
		for (int i = 0; i < l->page[p].lines; i++)
			free(l->page[p].line[i]);
	string_free(&l->text);
	string_free(&l->spoken);
	free(l->file);
	free(l->name);
	free(l->title);
	free(l);
}

void lesson_end(struct workbench *w)
{
	release(w->lesson);
	w->lesson = NULL;
	w->scene.tour = NULL;
}

static struct lesson *lesson_open(const char *file, const char *name, struct fault *f)
{
	struct lesson *l = calloc(1, sizeof *l);
	struct words words;
	char *first;
	if (!l || !(l->file = strdup(file)) || !(l->name = strdup(name))) {
		release(l);
		fault_memory(f, "tour");
		return NULL;
	}
	first = first_line(file);
	const bool ok = read_pages(l, f) && (first || fault_memory(f, "tour")) && words_split(&words, first, f);
	free(first);
	if (!ok) {
		release(l);
		return NULL;
	}
	l->title = strdup(words.count > 1 ? words.word[1] : name);
	words_free(&words);
	if (!l->title) {
		release(l);
		fault_memory(f, "tour");
		return NULL;
	}
	return l;
}

// The step that a page holds the search at; -1: it does not.
static long hold_of(const struct page *p)
{
	long step;
	for (int i = 0; i < p->lines; i++) {
		const char *rest = behind(p->line[i], "hold");
		if (rest && number_read_long(rest, 0, LONG_MAX / 2, &step))
			return step;
	}
	return -1;
}

// Whether the session in hand is one that these settings make, as far as a lesson depends on it.
static bool suits(const struct workbench *w, char *const setting[], int count)
{
	static const char *const kind[] = {"net", "data", "pod", "work", "sensitivity"};
	char value[ENGINE_TEXT];
	for (int i = 0; i < count; i++)
		for (size_t k = 0; k < sizeof kind / sizeof *kind; k++) {
			const size_t length = strlen(kind[k]);
			if (strncmp(setting[i], kind[k], length) == 0 && setting[i][length] == '=' &&
				(!config_get(session_snapshot(w->session)->settings, kind[k], value, sizeof value) ||
					strcmp(value, setting[i] + length + 1) != 0))
				return false;
		}
	return true;
}

// Asks the loop for a session with these settings, in which the tour then begins.
static bool ask_session(struct workbench *w, const char *file, char *const setting[], int count, struct fault *f)
{
	struct string line = {0};
	if (w->unseen || w->tour_next)
		return fault_set(f, file, "`bitscape --tour NAME` makes the session that it needs", "is for another session");
	string_add(&line, "new");
	for (int i = 0; i < count; i++)
		string_add(&line, "\n%s", setting[i]);
	free(w->change_session);
	w->change_session = line.failed ? NULL : line.bytes;
	w->tour_next = strdup(file);
	return (w->change_session && w->tour_next) || fault_memory(f, "tour");
}

// Where a session that is further on takes the tour up.
static int page_at(const struct lesson *l, long step)
{
	int page = 0;
	for (int i = 0; i < l->pages; i++)
		if (hold_of(&l->page[i]) >= 0 && hold_of(&l->page[i]) <= step)
			page = i;
	return page;
}

bool lesson_begin(struct workbench *w, const char *file, const char *name, struct fault *f)
{
	char *setting[SETTINGS_MOST];
	const int count = lesson_settings(file, setting, SETTINGS_MOST, f);
	if (count < 0)
		return false;
	const bool fits = suits(w, setting, count);
	bool ok = fits || ask_session(w, file, setting, count, f);
	for (int i = 0; i < count; i++)
		free(setting[i]);
	if (!fits)
		return ok;
	if (w->lesson && w->lesson->left && strcmp(w->lesson->file, file) == 0) {
		w->lesson->left = false;
		begin_page(w, w->lesson->at);
	} else {
		struct lesson *l = lesson_open(file, name, f);
		if (!l)
			return false;
		lesson_end(w);
		w->lesson = l;
		begin_page(w, page_at(l, session_snapshot(w->session)->step));
	}
	return true;
}

bool lesson_go_on(struct workbench *w, struct fault *f)
{
	struct lesson *l = w->lesson;
	if (!l)
		return fault_set(f, "tour", "`tour NAME` begins one", "none is being played");
	if (l->left) {
		l->left = false;
		begin_page(w, l->at);
		return true;
	}
	l->auto_set = false;
	switch (l->state) {
	case LESSON_STANDS: l->sent = false; break;
	case LESSON_WAITS:
		l->heard[0] = l->answer[0] = '\0';
		if (l->act && !session_travelling(w->session) && !session_changing(w->session)) { // else it is being done

			w->tour_telling = true;
			workbench_command(w, l->act);
			w->tour_telling = false;
		}
		break;
	case LESSON_OVER:
		if (l->at + 1 < l->pages) {
			begin_page(w, l->at + 1);
			break;
		}
		lesson_end(w);
		w->quit |= w->tour_auto;
		workbench_say(w, false, "the tour is over; the search is yours: press Space to run it");
		break;
	default: break;
	}
	return true;
}

// To a page, and to the step that it belongs to: before anything was changed there.
static bool go_to(struct workbench *w, int page, struct fault *f)
{
	struct lesson *l = w->lesson;
	const struct snapshot *now = session_snapshot(w->session);
	const struct journal_entry *entry;
	const int entries = session_journal(w->session, &entry);
	long step = 0;
	for (int i = page; i >= 0 && step == 0; i--)
		step = hold_of(&l->page[i]) > 0 ? hold_of(&l->page[i]) : 0;
	const bool changed = entries > 0 && entry[entries - 1].step >= step && !entry[entries - 1].undone;
	begin_page(w, page);
	if (now->step > step || (now->step == step && changed)) {
		char line[48];
		l->goal = step;
		set_state(l, LESSON_TRAVELS);
		snprintf(line, sizeof line, "rewind %ld", step);
		w->tour_telling = true;
		const bool ok = workbench_command(w, line);
		w->tour_telling = false;
		if (!ok) {
			set_state(l, LESSON_GOES);
			return fault_set(f, "tour", "Enter goes on with the page as it is", "the search cannot go back: %s",
				w->message);
		}
	}
	return true;
}

bool lesson_turn_to(struct workbench *w, const char *word, struct fault *f)
{
	struct lesson *l = w->lesson;
	if (!l)
		return fault_set(f, "tour", "`tour NAME` begins one", "none is being played");
	if (strcmp(word, "leave") == 0) {
		l->left = true;
		w->scene.tour = NULL;
		workbench_say(w, false, "the tour is left; `tour` takes it up again");
		return true;
	}
	l->left = false;
	if (strcmp(word, "notes") == 0) {
		l->notes = !l->notes;
		return true;
	}
	return go_to(w, strcmp(word, "restart") == 0 || l->at == 0 ? 0 : l->at - 1, f);
}

// ---- as lines of a batch -------------------------------------------------------------------------------------------

static struct workbench *stage_of(struct command_call *call)
{
	if (!call->context)
		fault_set(&call->fault, call->line, "`bitscape --tour NAME`, or --screen 80x24 with --batch", "needs a screen");
	return call->context;
}

static bool pass_on(struct command_call *call, struct workbench *w, const char *line)
{
	return command_run(&w->table, line, call->say, call->sayer, &call->fault);
}

bool lesson_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	if (!w)
		return false;
	if (!suits(w, call->argv + 1, call->argc - 1))
		return fault_set(&call->fault, call->argv[0], "`bitscape --tour NAME` makes the one that it needs",
			"this lesson is for another session");
	w->toured = true;
	call->say(call, "%s", call->argv[0]);
	return true;
}

bool light_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	return w && light(w, call->argv[0], &call->fault);
}

bool hold_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	char line[64];
	snprintf(line, sizeof line, "wait step %.32s", call->argv[0]);
	return w && pass_on(call, w, line);
}

bool act_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	return w && pass_on(call, w, behind(call->line, "act"));
}

bool until_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	bool yes;
	char now[300];
	if (!w || !holds(w, call->argc, call->argv, &yes, now, sizeof now, &call->fault))
		return false;
	return yes ||
		fault_set(&call->fault, call->argv[0], "the act before it is to bring it about", "it is %s, expected %s %s", now,
			call->argv[1], call->argv[2]);
}

bool aside_row(struct command_call *call)
{
	(void)call;
	return true;
}

bool says_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	return w &&
		(is_said(w, call->argv[0]) ||
			fault_set(&call->fault, call->argv[0], "see what the command before it answers",
				"is not in the answer: %.200s", w->popup.lines ? w->popup.line[0].text : w->message));
}

bool press_row(struct command_call *call)
{
	struct workbench *w = stage_of(call);
	int key;
	for (int i = 0; w && i < call->argc; i++) {
		if (!keys_read(call->argv[i], &key, &call->fault))
			return false;
		if (!workbench_knows(w, key))
			return fault_set(&call->fault, call->argv[i], "? lists the keys", "means nothing here");
		workbench_key(w, key);
		if (w->scene.bad)
			return fault_set(&call->fault, call->argv[i], "? lists the keys", "%s", w->message);
		workbench_draw(w);
	}
	return w != NULL;
}
