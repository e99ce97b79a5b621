// SPDX-License-Identifier: GPL-3.0-or-later
// The layer table: what each layer is, what it costs, which format it has and how sure the policy is of it.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/names.h"
#include "ui/show.h"
#include "ui/table.h"
#include "ui/views/views.h"

enum { BAR_LEAST = 3, BAR_IDEAL = 12, NAME_IDEAL = 24 };

struct layers {
	struct table table;
	struct names *names; // of `of`'s layers; NULL: not made yet
	int shape;           // columns of the widest shape
	const struct layer_info *of;
};

// What the drawing of cells needs beside their place.
struct shown {
	const struct scene *scene;
	const struct names *names; // NULL: there was no memory for them
	int shape;
	double total, largest; // of the selected term's cost by layer; 0: unknown
	bool marks;            // some rows are marked
	char draft[DRAFT_WORD + 1];
};

static const struct scene *scene_of(const struct table_cell *c)
{
	return ((const struct shown *)c->context)->scene;
}

const char *draft_word(const struct scene *scene, char buf[DRAFT_WORD])
{
	if (scene->past)
		snprintf(buf, DRAFT_WORD, "@%ld", scene->past);
	else
		snprintf(buf, DRAFT_WORD, "draft");
	return buf;
}

static const struct layer_info *layer_shown(const struct scene *scene, int layer)
{
	return scene->layer_now ? &scene->layer_now[layer] : &scene->snapshot->info->layer[layer];
}

static const struct layer_info *layer_of(const struct table_cell *c)
{
	return layer_shown(scene_of(c), c->row);
}

const struct option_info *slot_option_shown(const struct scene *scene, int slot, bool draft)
{
	const struct slot_info *info = &scene->snapshot->info->slot[slot];
	int option = draft && scene->draft ? scene->draft[slot] : scene->snapshot->slot[slot].modal;
	return option < info->options ? &info->option[option] : NULL;
}

bool slot_rests(const struct scene *scene, int slot)
{
	return scene->draft ? engine_rests(scene->snapshot->info, slot, scene->draft) : !scene->snapshot->slot[slot].there;
}

static bool layer_rests(const struct scene *scene, int layer)
{
	const struct layer_info *l = &scene->snapshot->info->layer[layer];
	return l->owned && slot_rests(scene, l->weight_slot);
}

const struct option_info *layer_option(const struct scene *scene, int layer, bool draft)
{
	return slot_option_shown(scene, scene->snapshot->info->layer[layer].weight_slot, draft);
}

bool layer_tied(const struct snapshot *s, int layer)
{
	const struct layer_info *l = &s->info->layer[layer];
	return s->slot[l->weight_slot].decision == s->slot[l->activation_slot].decision;
}

// At buf[at], as much as there is room for; returns where it ends.
static size_t add_word(char *buf, size_t size, size_t at, const char *word)
{
	while (*word && at + 1 < size)
		buf[at++] = *word++;
	buf[at] = '\0';
	return at;
}

const char *layer_format(const struct scene *scene, int layer, bool draft, char *buf, size_t size)
{
	const struct option_info *weight = layer_option(scene, layer, draft);
	const struct option_info *activation = slot_option_shown(scene, scene->snapshot->info->layer[layer].activation_slot,
		draft);
	// By hand: every row of every frame asks for it.
	size_t at = add_word(buf, size, 0, weight ? weight->name : "-");
	if (!layer_tied(scene->snapshot, layer)) {
		at = add_word(buf, size, at, "/");
		add_word(buf, size, at, activation ? activation->name : "-");
	}
	return buf;
}

static const char *shape_text(bool ascii, const struct layer_info *l, char *buf, size_t size)
{
	const char *arrow = glyph(ascii, GLYPH_ARROW), *times = glyph(ascii, GLYPH_TIMES);
	if (l->kernel_h > 1 || l->kernel_w > 1 || l->in_h > 1)
		snprintf(buf, size, "%d%s%d %d%s%d", l->kernel_h, times, l->kernel_w, l->in_c, arrow, l->out_c);
	else
		snprintf(buf, size, "%d%s%d", l->in_c, arrow, l->out_c);
	return buf;
}

// ---- one function per column --------------------------------------------------------------------------------------

enum glyph slot_restriction(const struct snapshot *s, int slot)
{
	int allowed = __builtin_popcount(s->slot[slot].allowed);
	return allowed == 1 ? GLYPH_PINNED : allowed < s->info->slot[slot].options ? GLYPH_RESTRICTED : GLYPH_COUNT;
}

static void draw_mark(const struct table_cell *c)
{
	const struct snapshot *s = scene_of(c)->snapshot;
	if (c->in_hand)
		screen_put(c->screen, c->x, c->y, 1, STYLE_STRONG, glyph(c->screen->ascii, GLYPH_CURSOR));
	enum glyph w = slot_restriction(s, layer_of(c)->weight_slot), a = slot_restriction(s, layer_of(c)->activation_slot);
	if (w != GLYPH_COUNT || a != GLYPH_COUNT) // pinned: both of its formats are
		screen_put(c->screen, c->x + 1, c->y, 1, STYLE_PIN, glyph(c->screen->ascii, w == a ? w : GLYPH_RESTRICTED));
	if (c->marked)
		screen_put(c->screen, c->x + 2, c->y, 1, STYLE_MARK, glyph(c->screen->ascii, GLYPH_MARKED));
}

static void draw_name(const struct table_cell *c)
{
	char text[ENGINE_NAME * 2];
	const struct names *names = ((const struct shown *)c->context)->names;
	enum style style = c->in_hand ? STYLE_STRONG : layer_rests(scene_of(c), c->row) ? STYLE_DIM : STYLE_TEXT;
	if (names)
		screen_tail(c->screen, c->x, c->y, c->width, style, names_fit(names, c->row, c->width, text, sizeof text));
	else
		screen_tail(c->screen, c->x, c->y, c->width, style, layer_of(c)->name);
}

static void draw_shape(const struct table_cell *c)
{
	char text[48];
	screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM, shape_text(c->screen->ascii, layer_of(c), text, sizeof text));
}

static void draw_out(const struct table_cell *c)
{
	char text[32];
	snprintf(text, sizeof text, "%d%s%d", layer_of(c)->out_h, glyph(c->screen->ascii, GLYPH_TIMES), layer_of(c)->out_w);
	screen_right(c->screen, c->x, c->y, c->width, STYLE_DIM, text);
}

static void draw_macs(const struct table_cell *c)
{
	char text[16];
	screen_right(c->screen, c->x, c->y, c->width, STYLE_DIM, show_si(layer_of(c)->macs, text, sizeof text));
}

static void draw_weights(const struct table_cell *c)
{
	char text[16];
	screen_right(c->screen, c->x, c->y, c->width, STYLE_DIM, show_si(layer_of(c)->weights, text, sizeof text));
}

// Of the selected term's cost, by the whole; NAN: unknown.
static double share_of(const void *context, int row)
{
	const struct shown *shown = context;
	return shown->total > 0.0 ? shown->scene->layer_cost[row] / shown->total : NAN;
}

static void draw_share(const struct table_cell *c)
{
	char text[16];
	double share = share_of(c->context, c->row);
	if (share >= 0.0 && !layer_rests(scene_of(c), c->row))
		screen_right(c->screen, c->x, c->y, c->width, STYLE_TEXT, show_percent(share, text, sizeof text));
}

// Numbers are shares of the whole, bars shares of the largest: their lengths compare layers.
static void draw_share_bar(const struct table_cell *c)
{
	const struct shown *shown = c->context;
	double share = shown->largest > 0.0 ? shown->scene->layer_cost[c->row] / shown->largest : 0.0;
	if (share > 0.0)
		screen_bar(c->screen, c->x, c->y, c->width, share);
}

static void draw_share_head(const struct table_cell *c)
{
	const struct scene *scene = scene_of(c);
	screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM,
		scene->term < scene->snapshot->terms ? scene->snapshot->term[scene->term].name : "share");
}

static enum style format_style(const struct option_info *o)
{
	return o ? style_bits(o->bits) : STYLE_DIM;
}

static void draw_format(const struct table_cell *c)
{
	char text[48];
	if (layer_rests(scene_of(c), c->row)) {
		screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM, REST_WORD);
		return;
	}
	layer_format(scene_of(c), c->row, false, text, sizeof text);
	screen_fit(c->screen, c->x, c->y, c->width, format_style(layer_option(scene_of(c), c->row, false)), text);
}

static void draw_draft(const struct table_cell *c)
{
	char now[48], draft[48];
	layer_format(scene_of(c), c->row, false, now, sizeof now);
	layer_format(scene_of(c), c->row, true, draft, sizeof draft);
	bool changed = strcmp(now, draft) != 0;
	if (changed)
		screen_put(c->screen, c->x, c->y, 1, STYLE_DRAFT, glyph(c->screen->ascii, GLYPH_ARROW));
	screen_fit(c->screen, c->x + 1, c->y, c->width - 1, changed ? STYLE_DRAFT : STYLE_DIM, draft);
}

// Options of the slot with the most of them: all strips share one scale of columns.
static int most_options(const struct scene *scene)
{
	int most = 1;
	for (int i = 0; i < scene->snapshot->info->formats; i++)
		if (scene->snapshot->info->slot[i].options > most)
			most = scene->snapshot->info->slot[i].options;
	return most < ENGINE_OPTIONS ? most : ENGINE_OPTIONS;
}

// Where weights and activations are decided apart, there are two strips, side by side, with a blank between them.
static int strips(const struct scene *scene)
{
	return scene->snapshot->split ? 2 : 1;
}

static int cell_width(const struct scene *scene, int width)
{
	return (width - (strips(scene) - 1)) / (strips(scene) * most_options(scene));
}

static int strip_at(const struct scene *scene, int strip, int width)
{
	return strip * (cell_width(scene, width) * most_options(scene) + 1);
}

enum { CELL_NUMBER = 5 }; // cells from this width on show the probability as a number too

static void draw_strip(const struct table_cell *c, int slot, int x, int cell)
{
	const struct snapshot *snap = scene_of(c)->snapshot;
	const struct slot_state *state = &snap->slot[slot];
	const bool rests = layer_rests(scene_of(c), c->row);
	for (int o = 0; o < snap->info->slot[slot].options && o < ENGINE_OPTIONS; o++, x += cell) {
		double p = state->probability[o];
		if (!(state->allowed >> o & 1)) {
			screen_put(c->screen, x, c->y, 1, STYLE_TRACK, glyph(c->screen->ascii, GLYPH_MASKED));
			continue;
		}
		enum style heat = style_heat(p), style = rests ? STYLE_DIM : heat;
		int level = (int)heat - STYLE_HEAT; // heights and colours on one scale
		for (int i = 0; i < (cell < CELL_NUMBER ? (cell + 1) / 2 : 1); i++)
			screen_put(c->screen, x + i, c->y, 1, style, glyph_ramp(c->screen->ascii, level > 0 ? level : 1));
		if (cell >= CELL_NUMBER && p >= 0.005) {
			char text[16];
			snprintf(text, sizeof text, p > 0.995 ? "1" : ".%02d", (int)(p * 100.0 + 0.5));
			screen_put(c->screen, x + 1, c->y, cell - 1, rests ? STYLE_DIM : STYLE_TEXT, text);
		}
	}
}

static void draw_policy(const struct table_cell *c)
{
	const struct scene *scene = scene_of(c);
	const int slot[] = {layer_of(c)->weight_slot, layer_of(c)->activation_slot};
	int cell = cell_width(scene, c->width);
	for (int i = 0; cell > 0 && i < strips(scene); i++)
		draw_strip(c, slot[i], c->x + strip_at(scene, i, c->width), cell);
}

// Heads of the strip: the options' names where cells are wide enough, else i or f and the width in bits, else one digit.
static void draw_policy_head(const struct table_cell *c)
{
	const struct scene *scene = scene_of(c);
	const struct engine_info *info = scene->snapshot->info;
	int options = most_options(scene), cell = cell_width(scene, c->width), slot = 0;
	while (slot < info->formats - 1 && info->slot[slot].options < options)
		slot++;
	for (int i = 0; i < strips(scene); i++)
		for (int o = 0; slot < info->formats && o < info->slot[slot].options; o++) {
			const struct option_info *option = &info->slot[slot].option[o];
			int at = c->x + strip_at(scene, i, c->width) + o * cell;
			if (cell >= CELL_NUMBER)
				screen_put(c->screen, at, c->y, cell - 1, STYLE_DIM, option->name);
			else if (cell >= 3)
				screen_print(c->screen, at, c->y, cell, STYLE_DIM, "%c%d",
					strncmp(option->name, "int", 3) ? 'f' : 'i', option->bits);
			else if (option->bits < 10)
				screen_print(c->screen, at, c->y, 1, STYLE_DIM, "%d", option->bits);
			else
				screen_put(c->screen, at, c->y, 1, STYLE_DIM, "+");
		}
}

static void draw_group(const struct table_cell *c)
{
	const struct snapshot *snap = scene_of(c)->snapshot;
	int g = snap->slot[layer_of(c)->weight_slot].group;
	if (g >= 0)
		screen_fit(c->screen, c->x, c->y, c->width, STYLE_DIM, snap->group[g].name);
}

static double noise_of(const void *context, int row)
{
	const struct scene *scene = ((const struct shown *)context)->scene;
	return scene->noise ? scene->noise[row] : (double)NAN;
}

static void draw_noise(const struct table_cell *c)
{
	char text[16] = "-";
	double noise = noise_of(c->context, c->row);
	if (!isnan(noise))
		snprintf(text, sizeof text, isinf(noise) ? "exact" : "%.1f", noise);
	screen_right(c->screen, c->x, c->y, c->width, STYLE_DIM, text);
}

// ---- what rows are sorted and filtered by -----------------------------------------------------------------------------

static const struct layer_info *layer_at(const void *context, int row)
{
	return layer_shown(((const struct shown *)context)->scene, row);
}

static const char *name_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return layer_at(context, row)->name;
}

static const char *kind_text(const void *context, int row, char *buf, size_t size)
{
	(void)buf;
	(void)size;
	return layer_at(context, row)->kind;
}

static const char *group_text(const void *context, int row, char *buf, size_t size)
{
	const struct snapshot *snap = ((const struct shown *)context)->scene->snapshot;
	int g = snap->slot[layer_at(context, row)->weight_slot].group;
	snprintf(buf, size, "%s", g >= 0 ? snap->group[g].name : "");
	return buf;
}

static const char *format_text(const void *context, int row, char *buf, size_t size)
{
	const struct scene *scene = ((const struct shown *)context)->scene;
	return layer_rests(scene, row) ? REST_WORD : layer_format(scene, row, false, buf, size);
}

static double bits_of(const void *context, int row)
{
	const struct option_info *o = layer_option(((const struct shown *)context)->scene, row, false);
	return o ? (double)o->bits : (double)NAN;
}

static double macs_of(const void *context, int row)
{
	return layer_at(context, row)->macs;
}

static double weights_of(const void *context, int row)
{
	return layer_at(context, row)->weights;
}

// Of the layer's decisions, how sure the policy is of the modal option.
static double sure_of(const void *context, int row)
{
	const struct slot_state *s = &((const struct shown *)context)->scene->snapshot->slot[layer_at(context, row)->weight_slot];
	return s->probability[s->modal];
}

// Of lately made steps, the share in which the layer's format was not that of the step before.
static double switching_of(const void *context, int row)
{
	return (double)((const struct shown *)context)->scene->snapshot->layer[row].switching;
}

// Of its weights, the share near an edge where their rounding tips over; NAN: unknown.
static double edges_of(const void *context, int row)
{
	return (double)((const struct shown *)context)->scene->snapshot->layer[row].near_edge;
}

static const char *pinned_text(const void *context, int row, char *buf, size_t size)
{
	const struct snapshot *s = ((const struct shown *)context)->scene->snapshot;
	enum glyph g = slot_restriction(s, layer_at(context, row)->weight_slot);
	snprintf(buf, size, "%s", g == GLYPH_PINNED ? "pinned" : g == GLYPH_RESTRICTED ? "restricted" : "free");
	return buf;
}

static const char *shape_of(const void *context, int row, char *buf, size_t size)
{
	return shape_text(true, layer_at(context, row), buf, size);
}

static double output_of(const void *context, int row)
{
	return (double)layer_at(context, row)->out_h * layer_at(context, row)->out_w;
}

static double pinned_of(const void *context, int row)
{
	const struct snapshot *s = ((const struct shown *)context)->scene->snapshot;
	return slot_restriction(s, layer_at(context, row)->weight_slot) == GLYPH_PINNED;
}

// ---- the table ------------------------------------------------------------------------------------------------------

enum {
	MARK,
	NAME,
	GROUP,
	SHAPE,
	OUT,
	MACS,
	WEIGHTS,
	NOISE,
	SHARE,
	BAR,
	FORMAT,
	DRAFT,
	POLICY,
	KIND,
	BITS,
	SWITCHING,
	EDGES,
	COLUMNS
};

// Widths are measured while drawing. The last four are never shown: they can be named.
static const struct table_column layer_column[COLUMNS] = {
	[MARK] = {.head = "", .fixed = true, .name = "pinned", .draw = draw_mark, .value = pinned_of, .text = pinned_text},
	[NAME] = {.head = "layer", .fixed = true, .name = "layer", .draw = draw_name, .text = name_text},
	[GROUP] = {.head = "group", .name = "group", .draw = draw_group, .text = group_text},
	[SHAPE] = {.head = "shape", .name = "shape", .draw = draw_shape, .text = shape_of},
	[OUT] = {.head = "output", .right = true, .name = "output", .draw = draw_out, .value = output_of},
	[MACS] = {.head = "MACs", .right = true, .name = "macs", .draw = draw_macs, .value = macs_of},
	[WEIGHTS] = {.head = "weights", .right = true, .name = "weights", .draw = draw_weights, .value = weights_of},
	[NOISE] = {.head = "dB", .right = true, .up = true, .name = "db", .draw = draw_noise, .value = noise_of},
	[SHARE] = {.name = "share", .draw = draw_share, .draw_head = draw_share_head, .value = share_of},
	[BAR] = {.joined = true, .draw = draw_share_bar},
	[FORMAT] = {.head = "fmt", .name = "format", .draw = draw_format, .text = format_text},
	[DRAFT] = {.head = " draft", .draw = draw_draft},
	[POLICY] = {.name = "sure", .draw = draw_policy, .draw_head = draw_policy_head, .value = sure_of},
	[KIND] = {.name = "kind", .text = kind_text},
	[BITS] = {.name = "bits", .value = bits_of},
	[SWITCHING] = {.name = "switching", .value = switching_of},
	[EDGES] = {.name = "edges", .value = edges_of},
};

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static void room(struct table_column *c, int least, int ideal, int rank)
{
	c->least = least;
	c->ideal = ideal;
	c->rank = rank;
}

// Arrows and crosses are as wide in ASCII.
static int widest_shape(const struct engine_info *info)
{
	int width = 5;
	char text[48];
	for (int i = 0; i < info->layers; i++)
		width = larger(width, screen_width(shape_text(true, &info->layer[i], text, sizeof text)));
	return width;
}

static void measure_columns(const struct shown *shown, struct table_column *c)
{
	const struct scene *scene = shown->scene;
	const struct engine_info *info = scene->snapshot->info;
	int shape = shown->shape, format = 4;
	for (int i = 0; i < info->layers; i++) {
		char text[48];
		format = larger(format, screen_width(layer_format(scene, i, false, text, sizeof text)));
		format = larger(format, info->layer[i].owned ? screen_width(REST_WORD) : 0);
	}
	int name = NAME_IDEAL, least = NAME_IDEAL;
	if (shown->names) {
		least = larger(5, names_words(shown->names));
		if (least > NAME_IDEAL) // no words tell them apart in little room
			least = larger(5, names_least(shown->names));
		name = larger(least, names_width(shown->names, NAME_IDEAL));
	}
	int policy = most_options(scene) * strips(scene), between = strips(scene) - 1, group = 0;
	for (int i = 0; i < scene->snapshot->groups; i++)
		group = larger(group, larger(5, screen_width(scene->snapshot->group[i].name)));
	if (group > 12)
		group = 12;
	room(&c[MARK], 2 + shown->marks, 2 + shown->marks, 0);
	room(&c[NAME], name < 12 ? name : least, name, 0);
	room(&c[GROUP], group, group, 0);
	room(&c[SHAPE], shape, shape, scene->draft ? 4 : 2);
	room(&c[OUT], 7, 7, 7);
	room(&c[MACS], 5, 5, 5);
	room(&c[WEIGHTS], 7, 7, 6);
	room(&c[NOISE], scene->noise ? 5 : 0, scene->noise ? 5 : 0, 3);
	room(&c[SHARE], 4, 4, 1);
	room(&c[BAR], BAR_LEAST, BAR_IDEAL, 3);
	room(&c[FORMAT], format, format, 0);
	room(&c[DRAFT], scene->draft ? larger(format + 1, larger(6, screen_width(shown->draft))) : 0, format + 1, 0);
	room(&c[POLICY], policy + between, policy * 5 + between, 0);
}

// The strips take whole cells only; the bar takes what is over.
static void give_bar(const void *context, struct column *c)
{
	const struct scene *scene = ((const struct shown *)context)->scene;
	int spare = c[POLICY].width - (strip_at(scene, strips(scene), c[POLICY].width) - 1);
	c[POLICY].width -= spare;
	if (c[BAR].width == 0)
		return;
	c[BAR].width += spare;
	for (int i = FORMAT; i < COLUMNS; i++)
		c[i].x += spare;
}

static const char *layer_name(const void *context, int i)
{
	return ((const struct engine_info *)context)->layer[i].name;
}

// What the table is made of now; `column` has room for COLUMNS.
static struct table_source source_of(struct layers *l, const struct scene *scene, struct shown *shown,
	struct table_column *column)
{
	const struct engine_info *info = scene->snapshot->info;
	if (l->of != info->layer) {
		names_free(l->names);
		l->names = names_new(layer_name, info, info->layers);
		l->shape = widest_shape(info);
		l->of = l->names ? info->layer : NULL;
	}
	*shown = (struct shown){.scene = scene, .names = l->names, .shape = l->shape, .marks = l->table.marks > 0};
	for (int i = 0; scene->layer_cost && i < info->layers; i++) {
		shown->total += scene->layer_cost[i];
		shown->largest = fmax(shown->largest, scene->layer_cost[i]);
	}
	memcpy(column, layer_column, sizeof layer_column);
	shown->draft[0] = ' ';
	draft_word(scene, shown->draft + 1);
	column[DRAFT].head = shown->draft;
	measure_columns(shown, column);
	return (struct table_source){.context = shown,
		.rows = info->layers,
		.column = column,
		.columns = COLUMNS,
		.hand = scene->layer,
		.cursor = true,
		.fitted = give_bar};
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct layers *l = own;
	struct rect r = item->pane[0];
	const struct engine_info *info = scene->snapshot->info;
	if (!info || info->layers < 1) {
		screen_box(s, r, "Layers");
		return;
	}
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(l, scene, &shown, column);
	char title[256];
	table_draw(&l->table, &src, s, (struct rect){r.x + 1, r.y + 1, r.width - 2, r.height - 2});
	screen_box(s, r, table_title(&l->table, "Layers", title, sizeof title));
	draw_table_hints(scene, s, r, &l->table, &view_layers);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	const struct engine_info *info = scene->snapshot->info;
	item->wanted = item->wanted && (!info || info->layers > 0 || info->slots == 0); // else the slots are the main table
	item->rows = 1 + (info ? info->layers : 0);
}

// ---- what a person does in it ---------------------------------------------------------------------------------------

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	struct layers *l = own;
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(l, scene, &shown, column);
	int to = table_move(&l->table, &src, m, page);
	scene->layer = to >= 0 ? to : scene->layer;
}

static bool select_layer(void *own, struct scene *scene, const char *name)
{
	(void)own;
	const struct engine_info *info = scene->snapshot->info;
	for (int i = 0; i < info->layers; i++)
		if (strcmp(info->layer[i].name, name) == 0) {
			scene->layer = i;
			return true;
		}
	return false;
}

static bool click(void *own, struct scene *scene, int pane, int x, int y)
{
	(void)pane;
	(void)x;
	int row = table_at(&((struct layers *)own)->table, y - 1);
	scene->layer = row >= 0 ? row : scene->layer;
	return row >= 0;
}

static bool act_on_table(void *own, struct scene *scene, table_act *act, const char *text, struct fault *f)
{
	struct layers *l = own;
	struct shown shown;
	struct table_column column[COLUMNS];
	struct table_source src = source_of(l, scene, &shown, column);
	if (!act(&l->table, &src, text, f))
		return false;
	int hand = table_hand(&l->table, &src);
	scene->layer = hand >= 0 ? hand : scene->layer;
	return true;
}

static void forget(void *own)
{
	struct layers *l = own;
	names_free(l->names);
	l->names = NULL;
	l->of = NULL;
	table_forget(&l->table);
}

static void end(void *own)
{
	forget(own);
	table_free(&((struct layers *)own)->table);
}

static bool marked(const void *own, int row)
{
	return table_marked(&((const struct layers *)own)->table, row);
}

static bool open_layer(void *own, const struct scene *scene, struct string *line)
{
	(void)own;
	if (scene->snapshot->info->layers < 1)
		return false;
	string_add(line, "view layer");
	return true;
}

static const char *const teach[] = {"open", "prompt filter", "prompt sort", "mark", "zoom", NULL};

const struct view_ops view_layers = {
	.name = "layers",
	.title = "layers and their formats",
	.place = LAYOUT_MAIN,
	.key = '1',
	.own = sizeof(struct layers),
	.end = end,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_layer,
	.click = click,
	.marked = marked,
	.table = act_on_table,
	.open = open_layer,
	.teach = teach,
};
