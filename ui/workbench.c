// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/workbench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/text.h"
#include "ui/prompt.h"

// ---- what commands say ---------------------------------------------------------------------------------------------

static void add_answer(struct workbench *w, char *text)
{
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		for (char *tab; (tab = strchr(line, '\t'));)
			*tab = ' ';
		popup_add(&w->said, line, 0, false);
	}
}

static void say(struct command_call *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return;
	add_answer(call->sayer, text);
	free(text);
}

void workbench_answer(struct workbench *w, const char *text)
{
	char *copy = strdup(text);
	if (copy)
		add_answer(w, copy);
	free(copy);
}

// Takes a table that is an answer to the person: a tour tells it as lines.
static bool show(struct command_call *call, const struct answer *answer)
{
	struct workbench *w = call->sayer;
	if (call->say != say || !popup_add_answer(&w->said, answer))
		return false;
	if (answer->view) {
		free(w->explored.line);
		w->explored.line = strdup(call->line);
	}
	return true;
}

// ---- the session in hand ------------------------------------------------------------------------------------------

static bool take_session(struct workbench *w, struct session *s, struct fault *f)
{
	const struct engine_info *info = engine_info(session_engine(s));
	double *layer_cost = calloc((size_t)info->layers + 1, sizeof *layer_cost);
	struct layer_info *layer = calloc((size_t)info->layers + 1, sizeof *layer);
	uint8_t *choice = calloc((size_t)info->slots + 1, sizeof *choice);
	uint8_t *past = calloc((size_t)info->slots + 1, sizeof *past);
	if (!layer_cost || !layer || !choice || !past) {
		free(layer_cost);
		free(layer);
		free(choice);
		free(past);
		return fault_memory(f, "screen");
	}
	free(w->layer_cost);
	free(w->layer);
	free(w->choice);
	free(w->past);
	w->past = past;
	w->scene.past = w->comparing = 0;
	w->layer_cost = layer_cost;
	w->layer = layer;
	w->scene.layer_now = NULL;
	w->choice = choice;
	w->priced = (struct priced){0};
	w->session = s;
	memset(w->nudge, 0, sizeof w->nudge);
	w->paged = (struct paged){0};
	w->hinted = (struct hinted){0};
	w->ran = false;
	w->looked_for = 0;
	w->noisiest = 0;
	w->scene.look = NULL;
	w->scene.noise = NULL;

	size_t count;
	const struct command *rows = session_commands(&count);
	w->group[0] = (struct command_group){"searching and sessions", rows, count, s};
	w->group[1] = session_plot_group(s);
	w->group[2] = session_catalog_group(s);
	w->group[3] = session_machine_group();
	w->group[4] = session_race_group(s);
	w->group[5] = ui_group(w);
	w->table = (struct command_table){.group = w->group, .groups = WORKBENCH_GROUPS, .show = show};

	lesson_end(w); // it was of another one
	w->scene.session = session_name(s);
	w->scene.read_only = session_read_only(s);
	w->scene.layer = w->scene.slot = w->scene.term = 0;
	w->scene.point = (struct point_hand){0};
	views_forget(&w->views);
	return true;
}

bool workbench_begin(struct workbench *w, struct session *s, bool ascii, struct fault *f)
{
	size_t count;
	w->screen.ascii = ascii;
	w->scene.canvas = ascii ? CANVAS_ASCII : CANVAS_BRAILLE;
	w->theme = themes(&count);
	w->mouse = true;
	return keys_begin(&w->keys, f) && views_begin(&w->views, f) && take_session(w, s, f);
}

void workbench_close(struct workbench *w)
{
	popup_clear(&w->popup);
	paste_drop(w);
	if (w->tour_telling) // a line of its own
		return;
	script_close(w->tour);
	w->tour = NULL;
	w->tour_ms = 0;
}

bool workbench_end(struct workbench *w, struct string *farewell, struct fault *f)
{
	struct fault lost;
	const bool recorded = !w->recording.cast || record_end(w, &lost);
	explore_say(w, true);
	bool saved = session_leave(w->session, farewell, f);
	workbench_release(w);
	if (saved && !recorded && f)
		*f = lost;
	return saved && recorded;
}

void workbench_release(struct workbench *w)
{
	workbench_close(w);
	lesson_end(w);
	free(w->tour_next);
	popup_clear(&w->said);
	race_end(w);
	explore_end(w);
	screen_free(&w->screen);
	views_end(&w->views);
	keys_end(&w->keys);
	free(w->layer_cost);
	free(w->layer);
	free(w->choice);
	free(w->past);
	free(w->change_session);
	free(w->prompt_text);
	for (int i = 0; i < w->logged; i++)
		free(w->log[i]);
}

struct session *session_made(const char *name, const char *const *setting, int settings, struct fault *f)
{
	struct config *config = config_new();
	struct session *s = NULL;
	bool ok = (config || fault_memory(f, "session")) && (!name || session_name_free(name, f));
	for (int i = 0; ok && i < settings; i++) {
		char key[ENGINE_NAME * 2];
		const char *equals = strchr(setting[i], '=');
		size_t length = equals ? (size_t)(equals - setting[i]) : 0;
		if (length == 0 || length >= sizeof key) {
			ok = fault_set(f, setting[i], "write it as KEY=VALUE", "is not a setting");
		} else {
			memcpy(key, setting[i], length);
			key[length] = '\0';
			ok = config_set(config, key, equals + 1, f);
		}
	}
	if (ok)
		s = session_new(name, config, f);
	config_free(config);
	return s;
}

// Advice about names of sessions is given for the shell: in the prompt the same words are a command without the program's name.
static char *as_commands(char *text)
{
	static const char shell[] = "`bitscape ";
	for (char *p; (p = strstr(text, shell));)
		memmove(p + 1, p + sizeof shell - 1, strlen(p + sizeof shell - 1) + 1);
	return text;
}

// `new [NAME] KEY=VALUE…`, `open NAME` or `resume NAME`, split at blanks; the command's row has checked the count of words.
static struct session *other_session(char *line, struct fault *f)
{
	char *save = NULL, *verb = strtok_r(line, "\n", &save), *name = NULL;
	bool fresh = verb && strcmp(verb, "new") == 0;
	const char *setting[COMMAND_MAX_ARGUMENTS];
	int settings = 0;
	for (char *word; (word = strtok_r(NULL, "\n", &save)) && settings < COMMAND_MAX_ARGUMENTS;) {
		if (!name && (!fresh || !strchr(word, '=')))
			name = word;
		else
			setting[settings++] = word;
	}
	return fresh ? session_made(name, setting, settings, f) : session_open(name, f);
}

void workbench_change_session(struct workbench *w)
{
	struct fault f;
	char *line = w->change_session, text[sizeof f + 16];
	w->change_session = NULL;
	explore_say(w, true);
	struct session *old = w->session, *s = other_session(line, &f);
	bool fresh = strncmp(line, "new", 3) == 0, resumed = strncmp(line, "resume", 6) == 0;
	free(line);
	if (s && session_same(s, old)) {
		session_close(s, NULL);
		workbench_say(w, false, "%s is the session in hand", session_name(old));
		return;
	}
	if (!s || !take_session(w, s, &f)) {
		free(w->tour_next);
		w->tour_next = NULL;
		if (s)
			session_close(s, NULL);
		fault_line(&f, text, sizeof text);
		workbench_say(w, true, "%s", as_commands(text));
		return;
	}
	w->scene.draft = NULL;
	if (resumed)
		w->last[0] = '\0';
	if (!session_read_only(s))
		workbench_say(w, false, "%s: press Space to %s", session_name(s), fresh ? "pause" : "run on");
	if (resumed)
		session_drop(old);
	if (!session_close(old, &f))
		workbench_say(w, true, "the session before: %s", fault_line(&f, text, sizeof text));
	if (session_asks(s))
		workbench_ask(w);
	else if (w->tour_next && !tour_begin(w, w->tour_next, &f))
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
	else if (fresh && !w->tour_next)
		workbench_command(w, "run");
	free(w->tour_next);
	w->tour_next = NULL;
}

void workbench_ask(struct workbench *w)
{
	const char *command = session_asks(w->session);
	char text[ENGINE_TEXT];
	if (!command)
		return;
	snprintf(text, sizeof text, "%s", command);
	workbench_close(w);
	snprintf(w->popup.title, sizeof w->popup.title, "May this command run?");
	popup_add(&w->popup, "Quality comes from a command here, which runs with all your rights:", 0, false);
	popup_add(&w->popup, "", 0, false);
	popup_add(&w->popup, text_clean(text, ""), (int)strlen(text), false);
	popup_add(&w->popup, "", 0, false);
	popup_add(&w->popup, ":allow lets it run while this session is open, and runs the search on.", 6, false);
	popup_add(&w->popup, "Without it the session can be looked at, priced, exported and replayed.", 0, false);
	w->popup.foot = ":allow, or Esc";
}

// ---- saying -------------------------------------------------------------------------------------------------------

void workbench_say(struct workbench *w, bool bad, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(w->message, sizeof w->message, format, args);
	va_end(args);
	w->scene.message = w->message[0] ? w->message : NULL;
	w->scene.bad = bad;
	char *copy = w->message[0] ? strdup(w->message) : NULL;
	if (!copy)
		return;
	if (w->logged == WORKBENCH_LOG) {
		free(w->log[0]);
		memmove(w->log, w->log + 1, (WORKBENCH_LOG - 1) * sizeof *w->log);
		w->logged--;
	}
	w->log[w->logged++] = copy;
}

void workbench_messages(struct workbench *w)
{
	bool bad;
	for (const char *line; (line = session_message(w->session, &bad));)
		workbench_say(w, bad, "%s", line);
}

// An answer of one line goes to the message line, a longer one into a box.
static void show_said(struct workbench *w, const char *line)
{
	if (w->said.lines == 1 && !w->said.sheet) {
		workbench_say(w, false, "%s", w->said.line[0].text);
		popup_clear(&w->said);
	} else if (popup_shown(&w->said)) {
		popup_clear(&w->popup);
		paste_drop(w);
		w->popup = w->said;
		w->said = (struct popup){0};
		snprintf(w->popup.title, sizeof w->popup.title, "%.*s", 60, line);
	}
}

void workbench_answered(struct workbench *w, const char *line)
{
	show_said(w, line);
	explore_after(w);
}

bool workbench_command(struct workbench *w, const char *line)
{
	struct fault f;
	char text[sizeof f + 16];
	if (w->scene.bad) // a complaint stands until the next act
		workbench_say(w, false, "%s", "");
	popup_clear(&w->said);
	stretch_act(w, line);
	w->commands += !w->stretch.stretching;
	bool ok = command_run(&w->table, line, say, w, &f);
	show_said(w, line);
	explore_after(w);
	lesson_heard(w, line, ok);
	if (!ok)
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
	return ok;
}

// ---- keys ---------------------------------------------------------------------------------------------------------

enum key_context workbench_context(const struct workbench *w)
{
	return prompt_is_open()                                      ? CONTEXT_PROMPT
		: w->pasted.lines > 0                                ? CONTEXT_PASTE
		: w->popup.card                                      ? CONTEXT_CARD
		: w->popup.sheet                                     ? CONTEXT_TABLE
		: popup_shown(&w->popup)                             ? CONTEXT_POPUP
		: w->views.view[w->views.focus].ops == &view_slice   ? CONTEXT_SLICE
		: w->views.view[w->views.focus].ops == &view_racks   ? CONTEXT_RACKS
		: w->views.view[w->views.focus].ops == &view_history ? CONTEXT_HISTORY
		: session_draft(w->session)                          ? CONTEXT_DRAFT
								     : CONTEXT_SEARCH;
}

// A tour that is on lies over what else keys mean, but for a draft, a box and the prompt, which are in front of it.
static const struct binding *binding_of(const struct workbench *w, int key)
{
	const enum key_context context = workbench_context(w);
	const bool behind = context == CONTEXT_DRAFT || keys_fallback(context) == CONTEXT_BOX || context == CONTEXT_BOX ||
		context == CONTEXT_PROMPT;
	const struct binding *b = w->scene.tour && !behind ? keys_find(&w->keys, CONTEXT_TOUR, key) : NULL;
	return b && b->context == CONTEXT_TOUR ? b : keys_find(&w->keys, context, key);
}

bool workbench_knows(const struct workbench *w, int key)
{
	return binding_of(w, key) != NULL;
}

// ---- what stands for {…} in a bound command

static void put_word(struct string *line, const char *word)
{
	if (line->length > 0 && line->bytes[line->length - 1] != ' ')
		string_add(line, " ");
	words_quote(line, word);
}

static void put_term(const struct workbench *w, struct string *line)
{
	const struct snapshot *snap = session_snapshot(w->session);
	if (w->scene.term < snap->terms)
		words_quote(line, snap->term[w->scene.term].name);
}

// What keys that edit and pin act on: the slot in hand, while the view of slots is in focus; -1: the layer in hand.
static int slot_in_hand(const struct workbench *w)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	const int slot = info->formats + w->scene.slot;
	return w->views.view[w->views.focus].ops == &view_slots && slot < info->slots ? slot : -1;
}

static void put_slot(const struct workbench *w, int slot, struct string *line)
{
	char word[SLOT_WORD];
	put_word(line, snapshot_word(session_snapshot(w->session), slot, word));
}

static void put_layer(const struct workbench *w, struct string *line)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	char word[SLOT_WORD];
	if (slot_in_hand(w) >= 0)
		words_quote(line, snapshot_word(session_snapshot(w->session), slot_in_hand(w), word));
	else if (w->scene.layer < info->layers)
		words_quote(line, info->layer[w->scene.layer].name);
}

static void put_layers(const struct workbench *w, struct string *line)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	const size_t before = line->length;
	const bool slots = slot_in_hand(w) >= 0;
	const int view = slots ? w->views.focus : views_of(&w->views, &view_layers);
	for (int i = 0; i < (slots ? info->slots - info->formats : info->layers); i++)
		if (views_marked(&w->views, view, i) && slots)
			put_slot(w, info->formats + i, line);
		else if (views_marked(&w->views, view, i))
			put_word(line, info->layer[i].name);
	if (line->length == before)
		put_layer(w, line);
}

// The modal formats of a layer.
static void put_layer_pins(const struct workbench *w, int which, struct string *line)
{
	const struct snapshot *snap = session_snapshot(w->session);
	const struct engine_info *info = snap->info;
	const struct layer_info *layer = &info->layer[which];
	const int slot[] = {layer->weight_slot, layer->activation_slot};
	bool tied = layer_tied(snap, which);
	for (int i = 0; i < (tied ? 1 : 2); i++) {
		const struct slot_info *s = &info->slot[slot[i]];
		put_word(line, tied ? layer->name : s->name);
		put_word(line, s->option[snap->slot[slot[i]].modal].name);
	}
}

static void put_slot_pin(const struct workbench *w, int slot, struct string *line)
{
	const struct snapshot *snap = session_snapshot(w->session);
	put_slot(w, slot, line);
	put_word(line, snap->info->slot[slot].option[snap->slot[slot].modal].name);
}

// Of the marked rows, or else of the row in hand.
static void put_pins(const struct workbench *w, struct string *line)
{
	const struct snapshot *snap = session_snapshot(w->session);
	const struct engine_info *info = engine_info(session_engine(w->session));
	const bool slots = slot_in_hand(w) >= 0;
	const int view = slots ? w->views.focus : views_of(&w->views, &view_layers);
	bool any = false;
	if (!snap->info || !snap->slot)
		return;
	for (int i = 0; i < (slots ? info->slots - info->formats : info->layers); i++)
		if (views_marked(&w->views, view, i)) {
			any = true;
			if (slots)
				put_slot_pin(w, info->formats + i, line);
			else
				put_layer_pins(w, i, line);
		}
	if (!any && slots)
		put_slot_pin(w, slot_in_hand(w), line);
	else if (!any && w->scene.layer < info->layers)
		put_layer_pins(w, w->scene.layer, line);
}

static void put_lane(const struct workbench *w, struct string *line)
{
	const struct snapshot *snap = session_snapshot(w->session);
	int lane = w->scene.lane < snap->lanes ? w->scene.lane : snap->lanes - 1;
	string_add(line, "%d", lane < 0 ? 1 : snap->lane[lane].number);
}

static void put_step(const struct workbench *w, struct string *line)
{
	string_add(line, "%ld", w->scene.step);
}

static const struct place {
	const char *name;
	void (*put)(const struct workbench *, struct string *);
} place[] = {{"{layer}", put_layer}, {"{layers}", put_layers}, {"{pins}", put_pins}, {"{term}", put_term}, {"{lane}", put_lane},
	{"{step}", put_step}};
enum { PLACES = sizeof place / sizeof *place };

void workbench_fill_in(const struct workbench *w, const char *command, struct string *line)
{
	while (*command) {
		int i = 0;
		while (i < PLACES && strncmp(command, place[i].name, strlen(place[i].name)) != 0)
			i++;
		if (i < PLACES) {
			place[i].put(w, line);
			command += strlen(place[i].name);
		} else {
			string_bytes(line, command++, 1);
		}
	}
}

bool workbench_prompt(struct workbench *w, const char *words)
{
	char *text = NULL;
	if (words[0] && asprintf(&text, "%s ", words) < 0)
		return false;
	free(w->prompt_text);
	w->prompt_text = text;
	w->prompt = true;
	return true;
}

// The table that a filter is for; NULL: it is for a text, or for nothing.
static const struct view_ops *filtered(struct workbench *w, int *view)
{
	*view = w->popup.sheet ? views_of(&w->views, &view_popup) : views_mover(&w->views);
	w->scene.popup = &w->popup;
	w->scene.snapshot = session_snapshot(w->session);
	const struct view_ops *ops = w->views.view[*view].ops;
	return ops->table && (w->popup.sheet || !popup_shown(&w->popup)) ? ops : NULL;
}

// A word that is not finished yet may mean nothing: the last that did stays.
void workbench_typing(struct workbench *w, const char *line)
{
	static const char verb[] = "filter ";
	struct fault f = {0};
	int view;
	if (strncmp(line, verb, sizeof verb - 1) != 0)
		return;
	const char *words = line + sizeof verb - 1;
	if (popup_shown(&w->popup) && !w->popup.sheet) {
		if (words[0])
			popup_seek(&w->popup, words, 1, &f);
		return;
	}
	const struct view_ops *ops = filtered(w, &view);
	if (!ops)
		return;
	if (!w->filtering && ops->table(w->views.view[view].own, &w->scene, table_filter_is, "", &f))
		snprintf(w->filter_before, sizeof w->filter_before, "%s", f.what);
	w->filtering = true;
	ops->table(w->views.view[view].own, &w->scene, table_filter, words, &f);
}

void workbench_typed(struct workbench *w, bool cancelled)
{
	struct fault f;
	int view;
	const struct view_ops *ops = w->filtering && cancelled ? filtered(w, &view) : NULL;
	if (ops)
		ops->table(w->views.view[view].own, &w->scene, table_filter, w->filter_before, &f);
	w->filtering = false;
}

void workbench_key(struct workbench *w, int key)
{
	const struct binding *b = binding_of(w, key);
	// On a screen that is too small q leaves, and little else is done: nothing that cannot be seen.
	bool small = w->screen.width < LAYOUT_MIN_WIDTH || w->screen.height < LAYOUT_MIN_HEIGHT;
	if (small && key == 'q') {
		w->quit = true;
		return;
	}
	if (!b || !b->command || (small && b->context != CONTEXT_COMMON))
		return;
	struct string line = {0};
	struct fault f;
	char text[sizeof f + 16];
	workbench_fill_in(w, b->command, &line);
	if (line.failed && !fault_memory(&f, "the command of a key"))
		workbench_say(w, true, "%s", fault_line(&f, text, sizeof text));
	else
		workbench_command(w, line.bytes ? line.bytes : "");
	string_free(&line);
}

// As terminals number them; what is held down with a button is added to its number.
enum { BUTTON_LEFT = 0, BUTTON_MOTION = 32, BUTTON_WHEEL_UP = 64, BUTTON_WHEEL_DOWN = 65, BUTTON_HELD = 4 + 8 + 16 };

enum { WHEEL_ROWS = 3 };
static const double DOUBLE_CLICK = 0.4; // seconds

// A click goes where it is; a second one at once, on the same place, opens what is there, or on a pane's upper side gives it the room.
static bool click(struct workbench *w, int x, int y)
{
	struct clicked now = {x, y, clock_seconds()}, last = w->clicked;
	if (!views_click(&w->views, &w->scene, x, y))
		return false;
	bool twice = last.x == x && last.y == y && now.at - last.at < DOUBLE_CLICK;
	w->clicked = twice ? (struct clicked){-1, -1, 0} : now;
	if (twice) {
		const struct layout_item *item = &w->views.item[w->views.focus];
		bool title = !popup_shown(&w->popup) && item->got > 0 && item->pane[0].y == y;
		workbench_command(w, title ? "zoom" : "open");
	}
	return true;
}

// What is held follows the mouse until it is let go. Where a view is no longer on the screen, it is dropped.
static bool drag(struct workbench *w, int button, bool pressed, int x, int y)
{
	struct string line = {0};
	const bool moves = pressed && button == (BUTTON_LEFT | BUTTON_MOTION);
	w->dragging = moves;
	if (w->views.item[w->views.held].got <= w->views.held_pane)
		return w->dragging = false;
	views_dragged(&w->views, &w->scene, x, y, moves ? DRAG_MOVE : DRAG_DROP, &line);
	if (!moves && !line.failed && line.bytes && (x != w->clicked.x || y != w->clicked.y))
		workbench_command(w, line.bytes);
	string_free(&line);
	return true;
}

bool workbench_mouse(struct workbench *w, int button, bool pressed, int x, int y)
{
	bool moved = false;
	button &= ~BUTTON_HELD;
	w->scene.snapshot = session_snapshot(w->session);
	if (w->dragging)
		return drag(w, button, pressed, x, y);
	if (!pressed || prompt_is_open() || button & BUTTON_MOTION)
		return false;
	if (button == BUTTON_LEFT) {
		bool took = click(w, x, y);
		w->dragging = !popup_shown(&w->popup) && views_grab(&w->views, &w->scene, x, y);
		return took || w->dragging;
	}
	for (int i = 0; i < WHEEL_ROWS && (button == BUTTON_WHEEL_UP || button == BUTTON_WHEEL_DOWN); i++)
		moved |= views_wheel(&w->views, &w->scene, x, y, button == BUTTON_WHEEL_UP ? MOTION_UP : MOTION_DOWN);
	return moved;
}

// ---- drawing ------------------------------------------------------------------------------------------------------

enum { LOOK_STEPS = 100 }; // a look that is older is made again

// Prices what is in hand, anew only where something has changed. False: it has no price.
static bool price(struct workbench *w, const struct engine_info *info)
{
	const struct scene *scene = &w->scene;
	const struct snapshot *snap = scene->snapshot;
	struct priced now = {snap->version, snap->terms, scene->term, false}, *last = &w->priced;
	bool same = last->terms > 0 && last->version == now.version && last->terms == now.terms && last->term == now.term;
	for (int i = 0; i < info->slots; i++) {
		uint8_t option = scene->draft ? scene->draft[i] : i < snap->slots ? snap->slot[i].modal : 0;
		same &= w->choice[i] == option;
		w->choice[i] = option;
	}
	if (same)
		return last->known;
	bool chosen = info->slots > info->formats && engine_layers(session_engine(w->session), w->choice, w->layer);
	w->scene.layer_now = chosen ? w->layer : NULL;
	now.known = snap->terms > 0 &&
		engine_price(session_engine(w->session), w->choice, w->draft_cost, scene->term, w->layer_cost);
	*last = now;
	return now.known;
}

// What the page of a layer shows beside the snapshot, while the person is in it.
static void page_layer(struct workbench *w, const struct engine_info *info)
{
	struct engine *e = session_engine(w->session);
	const struct snapshot *snap = w->scene.snapshot;
	struct paged *p = &w->paged;
	const int layer = w->scene.layer;
	double cost[ENGINE_TERMS];
	w->scene.page = &p->page;
	if (p->terms && p->version == snap->version && p->terms == snap->terms && p->layer == layer &&
		p->draft == !!w->scene.draft && !w->scene.draft)
		return;
	*p = (struct paged){snap->version, snap->terms, layer, !!w->scene.draft, {0}};
	double *parts = calloc((size_t)info->layers + 1, sizeof *parts);
	uint8_t *choice = calloc((size_t)info->slots + 1, 1);
	bool ok = parts && choice;
	for (int k = 0; ok && k < snap->terms; k++) {
		ok = engine_price(e, w->choice, cost, k, parts);
		p->page.share[k] = ok && cost[k] > 0 ? parts[layer] / cost[k] : (double)NAN;
	}
	const int slot = info->layer[layer].weight_slot;
	for (int o = 0; ok && o < info->slot[slot].options; o++) {
		for (int i = 0; i < info->slots; i++)
			choice[i] = snap->slot[i].decision == snap->slot[slot].decision ? (uint8_t)o : snap->slot[i].modal;
		ok = engine_price(e, choice, p->page.cost[o], 0, NULL);
	}
	p->page.priced = ok;
	free(parts);
	free(choice);
}

// Its weights are asked for once the person is there, and anew when they come to another layer or there are newer weights to see.
static void look(struct workbench *w)
{
	struct fault f;
	const struct layer_look *last = session_looked(w->session, &w->scene.look_step);
	const bool there = last && last->layer == w->scene.layer;
	const bool old = there && last->there && w->scene.snapshot->step - w->scene.look_step >= LOOK_STEPS;
	w->scene.look = last;
	if (there && !old && w->looked_for == w->scene.layer + 1)
		w->looked_for = 0; // it has come
	if ((!there || old) && w->looked_for != w->scene.layer + 1 && session_look(w->session, w->scene.layer, &f))
		w->looked_for = w->scene.layer + 1;
}

// An answer that took a while is told once nothing is in front of the person.
static void tell_due(struct workbench *w)
{
	const char *due = session_due(w->session);
	char *line = due && !popup_shown(&w->popup) && !prompt_is_open() && !w->pasted.lines ? strdup(due) : NULL;
	if (line) {
		workbench_say(w, false, "%s", ""); // that it follows
		workbench_command(w, line);
	}
	free(line);
}

void workbench_turn(struct workbench *w)
{
	w->scene.snapshot = session_snapshot(w->session);
	w->scene.noise = session_noise(w->session, &w->scene.noise_step);
	act_noisiest_come(w);
	act_branch_come(w);
	tell_due(w);
	stretch_turn(w);
}

// Hints at what this search, or the box in front, cannot do.
static void leave_out_impossible(struct workbench *w, bool opens)
{
	const struct engine_info *info = engine_info(session_engine(w->session));
	int kept = 0;
	for (int i = 0; i < w->scene.hints; i++) {
		const char *command = w->hint[i].command;
		if (act_possible(info, command) && (opens || !command || strcmp(command, "open") != 0))
			w->hint[kept++] = w->hint[i];
	}
	w->scene.hints = kept;
}

static void take_hints(struct workbench *w)
{
	const bool opens = !popup_shown(&w->popup) || (w->popup.sheet && sheet_can_pick(w->popup.sheet));
	struct hinted now = {workbench_context(w), w->keys.changes, w->screen.ascii, opens, true}, *last = &w->hinted;
	if (last->made && last->context == now.context && last->changes == now.changes && last->ascii == now.ascii &&
		last->opens == now.opens)
		return;
	w->scene.hint = w->hint;
	w->scene.hints = keys_hints(&w->keys, now.context, now.ascii, w->hint, WORKBENCH_HINTS);
	leave_out_impossible(w, opens);
	*last = now;
}

// The choice of the step where the cursor of the history was left takes the place of a draft, unless there is one.
static void take_past(struct workbench *w)
{
	struct scene *scene = &w->scene;
	struct figure_source source;
	const size_t slots = (size_t)engine_info(session_engine(w->session))->slots;
	if (scene->draft)
		scene->past = 0;
	if (!scene->past)
		return;
	session_source(w->session, &source);
	long records = source.modal ? figure_records_to(&source, scene->past) : 0;
	if (records < 1) {
		scene->past = 0;
		return;
	}
	memcpy(w->past, source.modal + (size_t)(records - 1) * slots, slots);
	scene->draft = w->past;
}

// Takes the search's present into the view: one snapshot a turn, nothing else is read while drawing.
static void refresh(struct workbench *w)
{
	struct scene *scene = &w->scene;
	const struct engine_info *info = engine_info(session_engine(w->session));
	scene->snapshot = session_snapshot(w->session);
	scene->draft = session_draft(w->session);
	take_past(w);
	scene->pending = session_unwritten(w->session);
	scene->foretold = scene->draft ? session_foretold(w->session) : (struct foretold_so_far){0};
	explore_follow(w);
	explore_say(w, false);
	session_look_at(w->session, scene->slice);
	if (scene->layer >= info->layers)
		scene->layer = info->layers > 0 ? info->layers - 1 : 0;
	if (scene->term >= scene->snapshot->terms)
		scene->term = 0;
	w->ran |= scene->snapshot->run < RUN_FINISHED; // a short search may end between two frames
	const bool touring = w->toured || scene->tour; // which says itself what was found
	if (w->ran && !touring && scene->snapshot->run == RUN_FINISHED && !popup_shown(&w->popup) && !prompt_is_open()) {
		w->ran = false;
		card_show(w);
	}
	bool priced = price(w, info);
	scene->layer_cost = priced ? w->layer_cost : NULL;
	scene->draft_cost = priced ? w->draft_cost : NULL;
	scene->page = NULL;
	scene->noise = session_noise(w->session, &scene->noise_step);
	scene->stretches = w->stretch.on;
	if (w->views.view[w->views.focus].ops == &view_layer && info->layers > 0 && scene->snapshot->slot) {
		page_layer(w, info);
		look(w);
	}
	session_source(w->session, &w->source);
	w->source.term = scene->term;
	w->source.layer = scene->layer;
	scene->source = w->source.snapshot ? &w->source : NULL;
}

void workbench_draw(struct workbench *w)
{
	struct scene *scene = &w->scene;
	refresh(w);
	lesson_show(w);
	scene->prompt = NULL;
	scene->popup = popup_shown(&w->popup) ? &w->popup : NULL;
	scene->popup_low = false;
	if (prompt_is_open()) {
		scene->prompt = prompt_text(&scene->prompt_cursor);
		scene->popup = prompt_choices(w->screen.width);
		scene->popup_low = true;
	}
	scene->focus = w->views.view[w->views.focus].ops;
	take_hints(w);
	views_draw(&w->views, scene, &w->screen);
}
