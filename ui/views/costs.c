// SPDX-License-Identifier: GPL-3.0-or-later
// The cost terms: what each weighs, where its target is and how far the modal choice (and a draft) is from it.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/show.h"
#include "ui/table.h"
#include "ui/views/views.h"

struct costs {
	struct table table;
};

struct shown {
	const struct scene *scene;
	bool term[ENGINE_TERMS]; // whether there is a row for it
	char draft[DRAFT_WORD];
};

static const struct scene *scene_of(const struct table_cell *c)
{
	return ((const struct shown *)c->context)->scene;
}

static const struct term_state *term_of(const struct table_cell *c)
{
	return &scene_of(c)->snapshot->term[c->row];
}

// ---- one function per column ------------------------------------------------------------------------------------------

static void draw_mark(const struct table_cell *c)
{
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
	if (term_of(c)->reach > TARGET_WITHIN) // its target lies outside of what can be
		screen_put(c->screen, c->x + 1, c->y, 1, STYLE_BAD, "!");
}

static void draw_name(const struct table_cell *c)
{
	enum style style = c->in_hand ? STYLE_STRONG : term_of(c)->weight > 0.0 ? STYLE_TEXT : STYLE_DIM;
	screen_fit(c->screen, c->x, c->y, c->width, style, term_of(c)->name);
}

static void draw_weight(const struct table_cell *c)
{
	char text[16];
	snprintf(text, sizeof text, "%.3g", term_of(c)->weight);
	screen_right(c->screen, c->x, c->y, c->width, STYLE_TEXT, text);
}

static void draw_target(const struct table_cell *c)
{
	screen_right(c->screen, c->x, c->y, c->width, term_of(c)->targeted ? STYLE_TARGET : STYLE_DIM,
		term_of(c)->targeted ? term_of(c)->target_text : "none");
}

static void draw_amount(const struct table_cell *c, enum style style, double value)
{
	char text[16];
	screen_right(c->screen, c->x, c->y, c->width, style, show_amount(value, term_of(c)->symbol, text, sizeof text));
}

static void draw_target_value(const struct table_cell *c)
{
	if (term_of(c)->targeted)
		draw_amount(c, STYLE_DIM, term_of(c)->target);
}

static void draw_expected(const struct table_cell *c)
{
	draw_amount(c, STYLE_DIM, term_of(c)->expected);
}

static void draw_modal(const struct table_cell *c)
{
	draw_amount(c, STYLE_MAIN, term_of(c)->modal);
}

static void draw_draft(const struct table_cell *c)
{
	if (scene_of(c)->draft_cost)
		draw_amount(c, STYLE_DRAFT, scene_of(c)->draft_cost[c->row]);
}

// By the target; NAN where there is none. The draft's while there is one: it is what the person is moving.
static double ratio_of(const void *context, int row)
{
	const struct scene *scene = ((const struct shown *)context)->scene;
	const struct term_state *t = &scene->snapshot->term[row];
	if (!t->targeted || !(t->target > 0.0))
		return NAN;
	return (scene->draft && scene->draft_cost ? scene->draft_cost[row] : t->modal) / t->target;
}

static void draw_ratio(const struct table_cell *c)
{
	double ratio = ratio_of(c->context, c->row);
	bool draft = scene_of(c)->draft && scene_of(c)->draft_cost;
	char text[16];
	if (!term_of(c)->targeted || !(term_of(c)->target > 0.0))
		return;
	screen_put(c->screen, c->x, c->y, 1, STYLE_DIM, glyph(c->screen->ascii, GLYPH_TIMES));
	screen_right(c->screen, c->x + 1, c->y, c->width - 1,
		draft                              ? STYLE_DRAFT
			: fabs(ratio - 1.0) < 0.05 ? STYLE_GOOD
						   : STYLE_WARN,
		show_ratio(ratio, text, sizeof text));
}

// In full where there is room for all of it.
static void draw_unit(const struct table_cell *c)
{
	const struct term_state *t = term_of(c);
	screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM, screen_width(t->unit) <= c->width ? t->unit : t->brief);
}

// Where a cost lies from the cheapest to the dearest, 0 to 1: by ratio, which is what a person compares. Where all cost
// the same, what is less is at the one end, what is more at the other.
static double slide(const struct term_state *t, double value)
{
	double share = t->low > 0.0 && t->high > t->low && value > 0.0 ? log(value / t->low) / log(t->high / t->low)
		: t->high > t->low                                     ? (value - t->low) / (t->high - t->low)
		: value < t->low * 0.9999                              ? 0.0
		: value > t->high * 1.0001                             ? 1.0
								       : 0.5;
	return share > 1.0 ? 1.0 : share > 0.0 ? share : 0.0;
}

enum { TICKS = 3 };
struct tick {
	double value; // NAN: there is none
	enum style style;
	enum glyph glyph;
	int at;
};

// Where the ticks stand on so many columns: by growing value, and none upon another.
static void place_ticks(const struct term_state *t, struct tick tick[TICKS], int width)
{
	for (int i = 1; i < TICKS; i++)
		for (int k = i; k > 0 && (isnan(tick[k - 1].value) || tick[k].value < tick[k - 1].value); k--) {
			struct tick other = tick[k];
			tick[k] = tick[k - 1];
			tick[k - 1] = other;
		}
	int next = 0, last = width - 1;
	for (int i = 0; i < TICKS && !isnan(tick[i].value); i++) {
		int at = (int)(slide(t, tick[i].value) * (width - 1) + 0.5);
		tick[i].at = at > next ? at : next;
		next = tick[i].at + 1;
	}
	for (int i = TICKS - 1; i >= 0; i--)
		if (!isnan(tick[i].value)) {
			tick[i].at = tick[i].at < last ? tick[i].at : last;
			last = tick[i].at - 1;
		}
}

// From the cheapest to the dearest choice that is allowed: where the target, the modal choice and the draft lie.
static void draw_slider(const struct table_cell *c)
{
	const struct scene *scene = scene_of(c);
	const struct term_state *t = term_of(c);
	bool draft = scene->draft && scene->draft_cost;
	struct tick tick[TICKS] = {
		{t->targeted ? t->target : (double)NAN, STYLE_TARGET, GLYPH_SLIDER_TARGET, 0},
		{t->modal, STYLE_MAIN, GLYPH_SLIDER_MODAL, 0},
		{draft ? scene->draft_cost[c->row] : (double)NAN, STYLE_DRAFT, GLYPH_SLIDER_DRAFT, 0},
	};
	screen_run(c->screen, c->x, c->y, c->width, STYLE_TRACK, GLYPH_METER_EMPTY);
	if (!isfinite(t->low) || !isfinite(t->high))
		return;
	place_ticks(t, tick, c->width);
	for (int i = 0; i < TICKS; i++)
		if (!isnan(tick[i].value))
			screen_put(c->screen, c->x + tick[i].at, c->y, 1, tick[i].style, glyph(c->screen->ascii, tick[i].glyph));
}

static void draw_slider_head(const struct table_cell *c)
{
	static const char whole[] = "cheapest to dearest";
	screen_put(c->screen, c->x, c->y, c->width, STYLE_DIM, screen_width(whole) <= c->width ? whole : "low to high");
}

// ---- what rows are sorted and filtered by -----------------------------------------------------------------------------

static const struct term_state *term_at(const void *context, int row)
{
	return &((const struct shown *)context)->scene->snapshot->term[row];
}

static const char *name_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return term_at(context, row)->name;
}

static double weight_of(const void *context, int row)
{
	return term_at(context, row)->weight;
}

// ---- the table --------------------------------------------------------------------------------------------------------

enum { MARK, NAME, WEIGHT, TARGET, VALUE, SAMPLED, NOW, DRAFT, RATIO, UNIT, SLIDER, COLUMNS };
enum { NAME_MOST = 16, MARGIN = 6 }; // of what stands below a row: frame, mark, blanks

static const struct table_column cost_column[COLUMNS] = {
	[MARK] = {.head = "", .fixed = true, .draw = draw_mark, .least = 2, .ideal = 2},
	[NAME] = {.head = "cost", .fixed = true, .name = "cost", .draw = draw_name, .text = name_text, .least = 5, .ideal = 14},
	[WEIGHT] = {.head = "weight",
		.right = true,
		.name = "weight",
		.draw = draw_weight,
		.value = weight_of,
		.least = 6,
		.ideal = 6,
		.rank = 2},
	// As it was given, and what that comes to: one head over both.
	[TARGET] = {.head = "target", .right = true, .draw = draw_target, .least = 6, .ideal = 8},
	[VALUE] = {.joined = true, .draw = draw_target_value, .least = 5, .ideal = 6, .rank = 4},
	[SAMPLED] = {.head = "sampled", .right = true, .draw = draw_expected, .least = 7, .ideal = 7, .rank = 5},
	[NOW] = {.head = "now", .right = true, .draw = draw_modal, .least = 5, .ideal = 6},
	[DRAFT] = {.head = "draft", .right = true, .draw = draw_draft, .least = 5, .ideal = 6},
	[RATIO] = {.head = "ratio",
		.right = true,
		.name = "ratio",
		.draw = draw_ratio,
		.value = ratio_of,
		.least = 5,
		.ideal = 5,
		.rank = 1},
	[UNIT] = {.head = "unit", .draw = draw_unit, .least = 7, .ideal = 7, .rank = 6},
	[SLIDER] = {.draw = draw_slider, .draw_head = draw_slider_head, .least = 11, .ideal = 64, .rank = 7},
};

// Rows are for the terms that a person is at work with, then, while there is room, for those that come next and the others.
static void choose_terms(const struct scene *scene, int rows, bool shown[ENGINE_TERMS])
{
	int count = 0, terms = scene->snapshot->terms;
	for (int i = 0; i < terms; i++) {
		const struct term_state *t = &scene->snapshot->term[i];
		shown[i] = t->weight > 0.0 || t->targeted || i == scene->term || t->kind->rank == RANK_FIRST;
		count += shown[i];
	}
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < terms && count < rows; i++)
			if (!shown[i] &&
				(pass > 0 ||
					(scene->snapshot->term[i].kind->rank == RANK_NEXT &&
						scene->snapshot->term[i].by_setting))) {
				shown[i] = true;
				count++;
			}
}

static bool is_shown(const void *context, int row)
{
	return ((const struct shown *)context)->term[row];
}

// What there is to say of a term: why it has no price, why its target cannot be met; "": nothing.
static const char *said_of(const struct term_state *t)
{
	return t->why[0] ? t->why : t->reach > TARGET_WITHIN ? t->reach_text : "";
}

// Of the term in hand. The others have a sign: taken in hand they say it.
static const char *note(const void *context, int row)
{
	const char *said = said_of(term_at(context, row));
	return row == ((const struct shown *)context)->scene->term && said[0] ? said : NULL;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

// Room for the amounts of a term.
static void measure_amounts(const struct scene *scene, int term, struct table_column *column)
{
	const struct term_state *t = &scene->snapshot->term[term];
	const struct {
		int column;
		double value;
	} amount[] = {{VALUE, t->targeted ? t->target : (double)NAN}, {SAMPLED, t->expected}, {NOW, t->modal},
		{DRAFT, scene->draft_cost ? scene->draft_cost[term] : (double)NAN}};
	for (size_t i = 0; i < sizeof amount / sizeof *amount; i++) {
		char text[16];
		struct table_column *c = &column[amount[i].column];
		c->least = c->least > 0
			? larger(c->least, screen_width(show_amount(amount[i].value, t->symbol, text, sizeof text)))
			: 0;
		c->ideal = larger(c->ideal, c->least);
	}
}

static struct table_source source_of(const struct scene *scene, int rows, struct shown *shown, struct table_column *column)
{
	*shown = (struct shown){.scene = scene};
	choose_terms(scene, rows, shown->term);
	memcpy(column, cost_column, sizeof cost_column);
	column[DRAFT].head = draft_word(scene, shown->draft);
	column[DRAFT].least = scene->draft ? larger(column[DRAFT].least, screen_width(shown->draft)) : 0;
	for (int i = 0; i < scene->snapshot->terms; i++) { // names before numbers
		const struct term_state *t = &scene->snapshot->term[i];
		int name = screen_width(t->name);
		if (!shown->term[i])
			continue;
		column[UNIT].least = larger(column[UNIT].least, screen_width(t->brief));
		column[UNIT].ideal = larger(column[UNIT].ideal, screen_width(t->unit));
		column[NAME].least = larger(column[NAME].least, name < NAME_MOST ? name : NAME_MOST);
		measure_amounts(scene, i, column);
	}
	return (struct table_source){.context = shown,
		.rows = scene->snapshot->terms,
		.column = column,
		.columns = COLUMNS,
		.shown = is_shown,
		.note = note,
		.note_from = NAME,
		.hand = scene->term,
		.cursor = scene->focus == &view_costs};
}

// Names the terms shown that count more than one image, and the device or site of the setting: "Costs: latency/128 img on a100", "Costs at iowa". Each
// number has its own unit and prefix. A term of another device has that device in its name.
static void write_title(const struct shown *shown, const struct table *table, char *title, size_t size)
{
	char counted[ENGINE_TEXT] = "";
	const char *device = "", *word = "";
	table_title(table, "Costs", title, size);
	for (int i = 0; i < shown->scene->snapshot->terms; i++) {
		const struct term_state *t = &shown->scene->snapshot->term[i];
		const char *unit = strchr(t->brief, '/');
		if (!shown->term[i] || !unit)
			continue;
		char words[2 * ENGINE_NAME];
		size_t at = strlen(counted);
		snprintf(words, sizeof words, "%s%s", t->kind->name, unit);
		if (t->kind->per == PER_BATCH && !strstr(counted, words))
			snprintf(counted + at, sizeof counted - at, "%s%s", at ? ", " : ": ", words);
		if (t->by_setting) {
			device = t->device;
			word = t->kind->where == AT_SITE ? " at " : " on ";
		}
	}
	size_t at = strlen(title);
	snprintf(title + at, size - at, "%s%s%s", counted, device[0] ? word : "", device);
}

// What is foretold of the draft's quality; "": nothing.
static const char *foretold_text(const struct scene *scene, char *buf, size_t size)
{
	const struct snapshot *now = scene->snapshot;
	buf[0] = '\0';
	if (!scene->draft || !now->slot)
		return buf;
	const struct foretold f = foretell(now, scene->draft);
	const double by = now->quality_is_loss ? -1 : 100; // as a loss, or in percent
	if (!isfinite(f.change))
		return buf;
	char word[DRAFT_WORD];
	int at = snprintf(buf, size,
		now->quality_is_loss ? "%s: loss %+.3f +- %.3f foretold (additive model)"
				     : "%s: accuracy %+.2f +- %.2f %% foretold (additive model)",
		draft_word(scene, word), by * f.change, fabs(by) * f.error);
	if (at < 0 || (size_t)at >= size)
		return buf;
	if (scene->foretold.count)
		snprintf(buf + at, size - (size_t)at, "; so far %d prediction%s, mean error %.3f", scene->foretold.count,
			scene->foretold.count == 1 ? "" : "s", fabs(by) * scene->foretold.error);
	else if (f.points)
		snprintf(buf + at, size - (size_t)at, "; at %d points of the front it was off by %.3f", f.points,
			fabs(by) * f.off);
	return buf;
}

enum { FORETOLD = 160, FORETOLD_LINES = 2 };

// At the foot of the box; returns how many lines it took.
static int draw_foretold(const struct scene *scene, struct screen *s, struct rect r)
{
	char buf[FORETOLD];
	const char *text = foretold_text(scene, buf, sizeof buf);
	int lines = text[0] ? screen_lines(text, r.width - 4) : 0;
	lines = lines > FORETOLD_LINES ? FORETOLD_LINES : lines;
	while (lines > 0 && r.height - 2 - lines < 3) // costs first
		lines--;
	for (int i = 0; i < lines; i++) {
		const char *from = text;
		int bytes = (int)screen_break(from, r.width - 4, &text);
		screen_print(s, r.x + 2, r.y + r.height - 1 - lines + i, r.width - 4, STYLE_DRAFT, "%.*s", bytes, from);
	}
	return lines;
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct costs *costs = own;
	struct rect r = item->pane[0];
	const int foot = draw_foretold(scene, s, r);
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(scene, r.height - 3 - foot, &shown, column);
	char title[256];
	table_draw(&costs->table, &src, s, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2 - foot});
	write_title(&shown, &costs->table, title, sizeof title);
	screen_box(s, r, title);
	draw_table_hints(scene, s, r, &costs->table, &view_costs);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	int lines = 0; // of the longest that may be said below a row, so that nothing jumps from term to term
	for (int i = 0; i < scene->snapshot->terms; i++) {
		const char *said = said_of(&scene->snapshot->term[i]);
		if (said[0])
			lines = larger(lines, screen_lines(said, layout_table_width(s->width) - MARGIN));
	}
	char text[FORETOLD];
	const int foretold = foretold_text(scene, text, sizeof text)[0] ? FORETOLD_LINES : 0;
	item->rows = 1 + scene->snapshot->terms + lines + foretold;
	item->least = 1 + 1 + lines;
}

// Through all terms, also those without a row.
static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct costs *costs = own;
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(scene, ENGINE_TERMS, &shown, column);
	int to = table_move(&costs->table, &src, m, page);
	scene->term = to >= 0 ? to : scene->term;
}

static bool select_term(void *own, struct scene *scene, const char *name)
{
	(void)own;
	for (int i = 0; i < scene->snapshot->terms; i++)
		if (strcmp(scene->snapshot->term[i].name, name) == 0) {
			scene->term = i;
			return true;
		}
	return false;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)pane;
	(void)x;
	int row = table_at(&((struct costs *)own)->table, y - 1);
	scene->term = row >= 0 ? row : scene->term;
	return row >= 0;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	struct costs *costs = own;
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(scene, ENGINE_TERMS, &shown, column);
	if (!act(&costs->table, &src, text, f))
		return false;
	int hand = table_hand(&costs->table, &src);
	scene->term = hand >= 0 ? hand : scene->term;
	return true;
}

static void end(void *own)
{
	table_free(&((struct costs *)own)->table);
}

static void forget(void *own)
{
	table_forget(&((struct costs *)own)->table);
}

// Who pays it.
static bool open_term(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	if (scene->term >= scene->snapshot->terms || scene->snapshot->info->layers < 1)
		return false;
	string_add(line, "payers");
	return true;
}

static const char *const teach[] = {"open", "term next", "nudge target down", "nudge weight down", "zoom", NULL};

const struct view_ops view_costs = {
	.name = "costs",
	.title = "cost terms and their targets",
	.place = LAYOUT_TABLE,
	.key = '2',
	.own = sizeof(struct costs),
	.end = end,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_term,
	.click = click,
	.table = act_on_table,
	.open = open_term,
	.teach = teach,
};
