// SPDX-License-Identifier: GPL-3.0-or-later
// The layer table: what each layer is, what it costs, which format it has and how sure the policy is of it.
#include <stdio.h>
#include <string.h>

#include "ui/show.h"
#include "ui/views/columns.h"
#include "ui/views/views.h"

enum { BAR_LEAST = 3, BAR_IDEAL = 12, NAME_LEAST = 6, NAME_IDEAL = 24 };

struct layers {
	int top; // first layer shown; drawing moves it so that the layer in hand is seen
};

// What the drawing of one cell needs.
struct row {
	const struct scene *scene;
	struct screen *s;
	const struct layer_info *layer;
	int index;
	double share; // of the selected term's cost; negative: unknown
};

static const struct option_info *slot_shown(const struct scene *scene, int slot, bool draft)
{
	const struct slot_info *info = &scene->snapshot->info->slot[slot];
	int option = draft && scene->draft ? scene->draft[slot] : scene->snapshot->slot[slot].modal;
	return option < info->options ? &info->option[option] : NULL;
}

const struct option_info *layer_option(const struct scene *scene, int layer, bool draft)
{
	return slot_shown(scene, scene->snapshot->info->layer[layer].weight_slot, draft);
}

bool layer_tied(const struct snapshot *s, int layer)
{
	const struct layer_info *l = &s->info->layer[layer];
	return s->slot[l->weight_slot].decision == s->slot[l->activation_slot].decision;
}

const char *layer_format(const struct scene *scene, int layer, bool draft, char *buf, size_t size)
{
	const struct option_info *weight = layer_option(scene, layer, draft);
	const struct option_info *activation = slot_shown(scene, scene->snapshot->info->layer[layer].activation_slot, draft);
	if (layer_tied(scene->snapshot, layer))
		snprintf(buf, size, "%s", weight ? weight->name : "-");
	else
		snprintf(buf, size, "%s/%s", weight ? weight->name : "-", activation ? activation->name : "-");
	return buf;
}

static const char *shape_text(bool ascii, const struct layer_info *l, char *buf, size_t size)
{
	const char *arrow = glyph(ascii, GLYPH_ARROW), *times = glyph(ascii, GLYPH_TIMES);
	if (l->kernel > 1 || l->in_h > 1)
		snprintf(buf, size, "%d%s%d %d%s%d", l->kernel, times, l->kernel, l->in_c, arrow, l->out_c);
	else
		snprintf(buf, size, "%d%s%d", l->in_c, arrow, l->out_c);
	return buf;
}

// ---- one function per column --------------------------------------------------------------------------------------

// How much of a slot's freedom is left: GLYPH_COUNT where all is.
static enum glyph restriction(const struct snapshot *s, int slot)
{
	int allowed = __builtin_popcount(s->slot[slot].allowed);
	return allowed == 1 ? GLYPH_PINNED : allowed < s->info->slot[slot].options ? GLYPH_RESTRICTED : GLYPH_COUNT;
}

static void draw_mark(const struct row *r, int x, int y, int width)
{
	(void)width;
	const struct snapshot *s = r->scene->snapshot;
	if (r->index == r->scene->layer)
		screen_put(r->s, x, y, 1, STYLE_STRONG, glyph(r->s->ascii, GLYPH_CURSOR));
	enum glyph w = restriction(s, r->layer->weight_slot), a = restriction(s, r->layer->activation_slot);
	if (w != GLYPH_COUNT || a != GLYPH_COUNT) // pinned: both of its formats are
		screen_put(r->s, x + 1, y, 1, STYLE_PIN, glyph(r->s->ascii, w == a ? w : GLYPH_RESTRICTED));
}

static void draw_name(const struct row *r, int x, int y, int width)
{
	screen_tail(r->s, x, y, width, r->index == r->scene->layer ? STYLE_STRONG : STYLE_TEXT, r->layer->name);
}

static void draw_shape(const struct row *r, int x, int y, int width)
{
	char text[48];
	screen_fit(r->s, x, y, width, STYLE_DIM, shape_text(r->s->ascii, r->layer, text, sizeof text));
}

static void draw_out(const struct row *r, int x, int y, int width)
{
	char text[32];
	snprintf(text, sizeof text, "%d%s%d", r->layer->out_h, glyph(r->s->ascii, GLYPH_TIMES), r->layer->out_w);
	screen_right(r->s, x, y, width, STYLE_DIM, text);
}

static void draw_macs(const struct row *r, int x, int y, int width)
{
	char text[16];
	screen_right(r->s, x, y, width, STYLE_DIM, show_si(r->layer->macs, text, sizeof text));
}

static void draw_weights(const struct row *r, int x, int y, int width)
{
	char text[16];
	screen_right(r->s, x, y, width, STYLE_DIM, show_si(r->layer->weights, text, sizeof text));
}

static void draw_share(const struct row *r, int x, int y, int width)
{
	char text[16];
	if (r->share >= 0.0)
		screen_right(r->s, x, y, width, STYLE_TEXT, show_percent(r->share, text, sizeof text));
}

static void draw_share_bar(const struct row *r, int x, int y, int width)
{
	if (r->share > 0.0)
		screen_bar(r->s, x, y, width, r->share);
}

static enum style format_style(const struct option_info *o)
{
	return o ? style_bits(o->bits) : STYLE_DIM;
}

static void draw_format(const struct row *r, int x, int y, int width)
{
	char text[48];
	layer_format(r->scene, r->index, false, text, sizeof text);
	screen_fit(r->s, x, y, width, format_style(layer_option(r->scene, r->index, false)), text);
}

static void draw_draft(const struct row *r, int x, int y, int width)
{
	char now[48], draft[48];
	layer_format(r->scene, r->index, false, now, sizeof now);
	layer_format(r->scene, r->index, true, draft, sizeof draft);
	bool changed = strcmp(now, draft) != 0;
	if (changed)
		screen_put(r->s, x, y, 1, STYLE_DRAFT, glyph(r->s->ascii, GLYPH_ARROW));
	screen_fit(r->s, x + 1, y, width - 1, changed ? STYLE_DRAFT : STYLE_DIM, draft);
}

// Options of the slot with the most of them: all strips share one scale of columns.
static int most_options(const struct scene *scene)
{
	int most = 1;
	for (int i = 0; i < scene->snapshot->info->slots; i++)
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

static void draw_strip(const struct row *r, int slot, int x, int y, int cell)
{
	const struct slot_state *state = &r->scene->snapshot->slot[slot];
	for (int o = 0; o < r->scene->snapshot->info->slot[slot].options && o < ENGINE_OPTIONS; o++, x += cell) {
		double p = state->probability[o];
		if (!(state->allowed >> o & 1)) {
			screen_put(r->s, x, y, 1, STYLE_TRACK, glyph(r->s->ascii, GLYPH_MASKED));
			continue;
		}
		enum style style = style_heat(p);
		int level = (int)style - STYLE_HEAT; // heights and colours on one scale
		for (int i = 0; i < (cell < CELL_NUMBER ? (cell + 1) / 2 : 1); i++)
			screen_put(r->s, x + i, y, 1, style, glyph_ramp(r->s->ascii, level > 0 ? level : 1));
		if (cell >= CELL_NUMBER && p >= 0.005) {
			char text[16];
			snprintf(text, sizeof text, p > 0.995 ? "1" : ".%02d", (int)(p * 100.0 + 0.5));
			screen_put(r->s, x + 1, y, cell - 1, style, text);
		}
	}
}

static void draw_policy(const struct row *r, int x, int y, int width)
{
	const int slot[] = {r->layer->weight_slot, r->layer->activation_slot};
	int cell = cell_width(r->scene, width);
	for (int i = 0; cell > 0 && i < strips(r->scene); i++)
		draw_strip(r, slot[i], x + strip_at(r->scene, i, width), y, cell);
}

static void draw_group(const struct row *r, int x, int y, int width)
{
	int g = r->scene->snapshot->slot[r->layer->weight_slot].group;
	if (g >= 0)
		screen_fit(r->s, x, y, width, STYLE_DIM, r->scene->snapshot->group[g].name);
}

static const struct layer_column {
	const char *head; // NULL: made while drawing
	bool right;
	void (*draw)(const struct row *, int x, int y, int width);
} layer_column[] = {
	{"", false, draw_mark},
	{"layer", false, draw_name},
	{"group", false, draw_group},
	{"shape", false, draw_shape},
	{"output", true, draw_out},
	{"MACs", true, draw_macs},
	{"weights", true, draw_weights},
	{NULL, true, draw_share},
	{"", false, draw_share_bar},
	{"fmt", false, draw_format},
	{" draft", false, draw_draft},
	{NULL, false, draw_policy},
};
enum { MARK, NAME, GROUP, SHAPE, OUT, MACS, WEIGHTS, SHARE, BAR, FORMAT, DRAFT, POLICY, COLUMNS };

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static void measure_columns(const struct scene *scene, const struct screen *s, struct column *c)
{
	const struct engine_info *info = scene->snapshot->info;
	int name = 5, shape = 5, format = 4;
	for (int i = 0; i < info->layers; i++) {
		char text[48];
		name = larger(name, screen_width(info->layer[i].name));
		shape = larger(shape, screen_width(shape_text(s->ascii, &info->layer[i], text, sizeof text)));
		format = larger(format, screen_width(layer_format(scene, i, false, text, sizeof text)));
	}
	if (name > NAME_IDEAL)
		name = NAME_IDEAL;
	int policy = most_options(scene) * strips(scene), between = strips(scene) - 1, group = 0;
	for (int i = 0; i < scene->snapshot->groups; i++)
		group = larger(group, larger(5, screen_width(scene->snapshot->group[i].name)));
	if (group > NAME_LEAST * 2)
		group = NAME_LEAST * 2;
	c[MARK] = (struct column){.least = 2, .ideal = 2};
	c[NAME] = (struct column){.least = name < 12 ? name : NAME_LEAST, .ideal = name};
	c[GROUP] = (struct column){.least = group, .ideal = group};
	c[SHAPE] = (struct column){.least = shape, .ideal = shape, .rank = scene->draft ? 4 : 2};
	c[OUT] = (struct column){.least = 7, .ideal = 7, .rank = 7};
	c[MACS] = (struct column){.least = 5, .ideal = 5, .rank = 5};
	c[WEIGHTS] = (struct column){.least = 7, .ideal = 7, .rank = 6};
	c[SHARE] = (struct column){.least = 4, .ideal = 4, .rank = 1};
	c[BAR] = (struct column){.least = BAR_LEAST, .ideal = BAR_IDEAL, .rank = 3};
	c[FORMAT] = (struct column){.least = format, .ideal = format};
	c[DRAFT] = (struct column){.least = scene->draft ? larger(format + 1, 6) : 0, .ideal = format + 1};
	c[POLICY] = (struct column){.least = policy + between, .ideal = policy * 5 + between};
}

// Heads of the strip: the options' names where cells are wide enough, else i or f and the width in bits, else one digit.
static void draw_policy_head(const struct scene *scene, struct screen *s, int x, int y, int width)
{
	const struct engine_info *info = scene->snapshot->info;
	int options = most_options(scene), cell = cell_width(scene, width), slot = 0;
	while (slot < info->slots - 1 && info->slot[slot].options < options)
		slot++;
	for (int i = 0; i < strips(scene); i++)
		for (int o = 0; slot < info->slots && o < info->slot[slot].options; o++) {
			const struct option_info *option = &info->slot[slot].option[o];
			int at = x + strip_at(scene, i, width) + o * cell;
			if (cell >= CELL_NUMBER)
				screen_put(s, at, y, cell - 1, STYLE_DIM, option->name);
			else if (cell >= 3)
				screen_print(s, at, y, cell, STYLE_DIM, "%c%d", strncmp(option->name, "int", 3) ? 'f' : 'i',
					option->bits);
			else if (option->bits < 10)
				screen_print(s, at, y, 1, STYLE_DIM, "%d", option->bits);
			else
				screen_put(s, at, y, 1, STYLE_DIM, "+");
		}
}

static void draw_heads(const struct scene *scene, struct screen *s, const struct column *c, int x, int y)
{
	for (int i = 0; i < COLUMNS; i++) {
		const char *head = layer_column[i].head;
		if (c[i].width == 0)
			continue;
		if (i == POLICY)
			draw_policy_head(scene, s, x + c[i].x, y, c[i].width);
		else if (i == SHARE) // over number and bar
			screen_fit(s, x + c[i].x, y, c[i].width + (c[BAR].width ? 1 + c[BAR].width : 0), STYLE_DIM,
				scene->term < scene->snapshot->terms ? scene->snapshot->term[scene->term].name : "share");
		else if (layer_column[i].right)
			screen_right(s, x + c[i].x, y, c[i].width, STYLE_DIM, head);
		else
			screen_fit(s, x + c[i].x, y, c[i].width, STYLE_DIM, head);
	}
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
	int rows = r.height - 3;
	if (scene->layer >= l->top + rows)
		l->top = scene->layer - rows + 1;
	if (l->top > info->layers - rows)
		l->top = info->layers - rows;
	if (l->top > scene->layer)
		l->top = scene->layer;
	if (l->top < 0)
		l->top = 0;

	char title[48];
	if (info->layers > rows)
		snprintf(title, sizeof title, "Layers %d-%d of %d", l->top + 1, l->top + rows, info->layers);
	else
		snprintf(title, sizeof title, "Layers");
	screen_box(s, r, title);

	struct column c[COLUMNS];
	measure_columns(scene, s, c);
	columns_fit(c, COLUMNS, r.width - 3);
	int spare = c[POLICY].width - (strip_at(scene, strips(scene), c[POLICY].width) - 1);
	c[POLICY].width -= spare; // whole cells only; the bar takes what is over
	if (c[BAR].width > 0)
		c[BAR].width += spare;
	for (int i = FORMAT; c[BAR].width > 0 && i < COLUMNS; i++)
		c[i].x += spare;
	draw_heads(scene, s, c, r.x + 1, r.y + 1);

	double total = 0.0, largest = 0.0;
	for (int i = 0; scene->layer_cost && i < info->layers; i++) {
		total += scene->layer_cost[i];
		if (scene->layer_cost[i] > largest)
			largest = scene->layer_cost[i];
	}
	for (int i = 0; i < rows && l->top + i < info->layers; i++) {
		int index = l->top + i, y = r.y + 2 + i;
		struct row row = {scene, s, &info->layer[index], index, -1.0};
		for (int k = 0; k < COLUMNS; k++) {
			if (c[k].width == 0)
				continue;
			// Numbers are shares of the whole, bars shares of the largest: their lengths compare layers.
			double whole = k == BAR ? largest : total;
			row.share = scene->layer_cost && whole > 0.0 ? scene->layer_cost[index] / whole : -1.0;
			layer_column[k].draw(&row, r.x + 1 + c[k].x, y, c[k].width);
		}
		if (index == scene->layer) {
			screen_light(s, r.x + 1, y, r.width - 2);
			s->cursor = true;
			s->cursor_x = r.x + 1;
			s->cursor_y = y;
		}
	}
	draw_box_hints(scene, s, r, r.y + r.height - 1, view_layers.name);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->rows = 1 + (scene->snapshot->info ? scene->snapshot->info->layers : 0);
}

static void move(void *own, struct scene *scene, enum motion m, int page)
{
	(void)own;
	scene->layer = motion_to(m, scene->layer, scene->snapshot->info->layers, page);
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

const struct view_ops view_layers = {
	.name = "layers", .title = "layers and their formats", .place = LAYOUT_MAIN, .key = '1', .own = sizeof(struct layers),
	.measure = measure, .draw = draw, .move = move, .select = select_layer,
};
