// SPDX-License-Identifier: GPL-3.0-or-later
// The page of a layer: why it has its format, what each format is worth, costs and does to its weights, its share of every cost, what bounds it
// on the device, and its weights. Each number says where it comes from.
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/catalog.h"
#include "ui/show.h"
#include "ui/views/views.h"

struct page {
	int top; // the first line shown
	int lines, room;
	struct picture policy; // over the steps
};

// What the page is written from.
struct written {
	const struct scene *scene;
	const struct layer_info *info;
	const struct slot_info *slot;
	const struct slot_state *state;
	struct picture *policy;
	struct screen *screen;
	struct rect in;
	int line, top; // the next line to be written, from 0; the first one that is seen
};

// A line of the page; only what is seen is drawn. Returns its row; -1: it is not seen.
static int next_row(struct written *w)
{
	int row = w->line++ - w->top;
	return row >= 0 && row < w->in.height ? w->in.y + row : -1;
}

static void text(struct written *w, enum style style, const char *from)
{
	do {
		const char *rest;
		int bytes = (int)screen_break(from, w->in.width, &rest), y = next_row(w);
		if (y >= 0)
			screen_print(w->screen, w->in.x, y, w->in.width, style, "%.*s", bytes, from);
		from = rest;
	} while (*from);
}

static void say(struct written *w, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct written *w, enum style style, const char *format, ...)
{
	char line[512];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	text(w, style, line);
}

// ---- why this format -------------------------------------------------------------------------------------------------

// The share of the whole choice's cost that another option makes more or less; NAN: unknown.
static double cost_change(const struct scene *scene, int option, int term)
{
	const struct layer_page *p = scene->page;
	double modal = scene->snapshot->term[term].modal;
	return p && p->priced && modal > 0 ? p->cost[option][term] / modal - 1 : (double)NAN;
}

static void why_not(struct written *w, int option)
{
	const struct scene *scene = w->scene;
	const int term = snapshot_term(scene->snapshot, scene->term);
	double worth = (double)w->state->worth[option], error = (double)w->state->error[option];
	double cost = cost_change(scene, option, term);
	char says[160] = "", costs[80] = "";
	if (isfinite(worth))
		snprintf(says, sizeof says, "%s %.4f%s of quality", worth < 0 ? "loses" : "gains", fabs(worth),
			!isfinite(error)                  ? ""
				: fabs(worth) < 2 * error ? ", less than twice its error,"
							  : "");
	if (isfinite(cost))
		snprintf(costs, sizeof costs, "%s%s %.1f %% of all %s", says[0] ? " and " : "", cost < 0 ? "saves" : "costs",
			100 * fabs(cost), scene->snapshot->term[term].name);
	if (says[0] || costs[0])
		say(w, STYLE_TEXT, "%s %s%s.", w->slot->option[option].name, says, costs);
}

static void write_why(struct written *w)
{
	const struct slot_state *s = w->state;
	const char *modal = w->slot->option[s->modal].name;
	const int allowed = __builtin_popcount(s->allowed);
	say(w, STYLE_TITLE, "Why %s here?", modal);
	if (allowed == 1)
		text(w, STYLE_TEXT, "It is pinned: no other format is allowed. x lets it go.");
	else if (w->scene->snapshot->phase == PHASE_WARMUP)
		text(w, STYLE_TEXT, "The policy still waits (warm-up): it has learned nothing, and leans to wide formats.");
	else
		say(w, STYLE_TEXT, "The policy gives it %.0f %%%s.", 100 * (double)s->probability[s->modal],
			allowed < w->slot->options ? ", of the formats that are allowed" : "");
	for (int step = -1; step <= 1; step += 2) { // the neighbours that are allowed
		int o = s->modal + step;
		while (o >= 0 && o < w->slot->options && !(s->allowed >> o & 1))
			o += step;
		if (o >= 0 && o < w->slot->options)
			why_not(w, o);
	}
	if (!isfinite((double)s->worth[s->modal ? 0 : w->slot->options - 1]))
		text(w, STYLE_DIM,
			"What formats are worth is not known yet: the additive model learns it from scored choices after the warm-up.");
	text(w, STYLE_DIM, "");
}

// ---- its formats -------------------------------------------------------------------------------------------------------

static const struct layer_look *look_of(const struct scene *scene)
{
	return scene->look && scene->look->layer == scene->layer ? scene->look : NULL;
}

static void number_or_dash(char *buf, size_t size, const char *format, double value)
{
	if (isfinite(value))
		snprintf(buf, size, format, value); // NOLINT: one of the formats below
	else
		snprintf(buf, size, "-");
}

static void decibels(char *buf, size_t size, double noise)
{
	if (isinf(noise))
		snprintf(buf, size, "exact");
	else
		number_or_dash(buf, size, "%.1f", noise);
}

static void percent_or_dash(char *buf, size_t size, double share)
{
	if (isfinite(share))
		show_percent(share, buf, size);
	else
		snprintf(buf, size, "-");
}

enum { OPTION_CELLS = 11, OPTION_CELL = 16 };
static const int option_width[OPTION_CELLS] = {6, 6, 7, 6, 5, 7, 5, 5, 5, 5, 5};

// A line of cells, the first aligned left.
static void write_cells(struct written *w, enum style style, char cell[OPTION_CELLS][OPTION_CELL], int cells, bool here)
{
	int y = next_row(w), x = w->in.x + 2;
	if (y < 0)
		return;
	if (here)
		screen_put(w->screen, w->in.x, y, 1, style, glyph(w->screen->ascii, GLYPH_CURSOR));
	for (int i = 0; i < cells && x + option_width[i] <= w->in.x + w->in.width; i++) {
		if (i)
			screen_right(w->screen, x, y, option_width[i], style, cell[i]);
		else
			screen_fit(w->screen, x, y, option_width[i], style, cell[i]);
		x += option_width[i] + 1;
	}
}

static void write_option(struct written *w, int o, int term)
{
	const struct slot_state *s = w->state;
	const struct layer_look *look = look_of(w->scene);
	const bool allowed = s->allowed >> o & 1;
	char cell[OPTION_CELLS][OPTION_CELL];
	int n = 0;
	snprintf(cell[n++], OPTION_CELL, "%s", w->slot->option[o].name);
	snprintf(cell[n++], OPTION_CELL, "%.1f%%", 100 * (double)s->probability[o]);
	number_or_dash(cell[n++], OPTION_CELL, "%+.4f", (double)s->worth[o]);
	number_or_dash(cell[n++], OPTION_CELL, "%.4f", o == s->modal ? (double)NAN : (double)s->error[o]);
	number_or_dash(cell[n++], OPTION_CELL, "%.0f", (double)s->tried[o]);
	number_or_dash(cell[n++], OPTION_CELL, "%+.1f%%", 100 * cost_change(w->scene, o, term));
	if (look && look->there) {
		const struct format_look *f = &look->option[o];
		decibels(cell[n++], OPTION_CELL, f->noise);
		decibels(cell[n++], OPTION_CELL, f->input_noise);
		decibels(cell[n++], OPTION_CELL, f->output_noise);
		percent_or_dash(cell[n++], OPTION_CELL, f->zeros);
		percent_or_dash(cell[n++], OPTION_CELL, f->clipped);
	} else if (look && isfinite(look->option[o].lost)) {
		number_or_dash(cell[n++], OPTION_CELL, "%.2f", look->option[o].lost);
	}
	write_cells(w, o == s->modal ? STYLE_STRONG : allowed ? STYLE_TEXT : STYLE_DIM, cell, n, o == s->modal);
}

static bool by_table(const struct layer_look *look)
{
	return look && !look->there && look->options > 0 && isfinite(look->option[0].lost);
}

static bool has_blocks(const struct written *w, int option, struct format_sheet *f)
{
	return catalog_format(w->slot->option[option].name, f) && f->block;
}

static bool shares_as(const struct written *w, int option, const struct format_sheet *like)
{
	struct format_sheet f;
	return has_blocks(w, option, &f) && strcmp(f.scale, like->scale) == 0;
}

// How formats with blocks share their scales: a line for all that do it in one way.
static void write_blocks(struct written *w)
{
	struct format_sheet f;
	for (int o = 0; o < w->slot->options; o++) {
		struct string names = {0};
		bool told = !has_blocks(w, o, &f);
		for (int k = 0; k < o && !told; k++)
			told = shares_as(w, k, &f);
		for (int k = o; k < w->slot->options && !told; k++)
			if (shares_as(w, k, &f))
				string_add(&names, "%s%s", names.length ? ", " : "", w->slot->option[k].name);
		if (names.length && !names.failed)
			say(w, STYLE_DIM, "%s: %s; clip: inputs beyond their block's range.", names.bytes, f.scale);
		string_free(&names);
	}
}

static void write_options(struct written *w)
{
	const int term = snapshot_term(w->scene->snapshot, w->scene->term);
	const struct snapshot *now = w->scene->snapshot;
	const struct layer_look *look = look_of(w->scene);
	const bool there = look && look->there;
	char head[OPTION_CELLS][OPTION_CELL] = {
		"format", "policy", "worth", "+-", "tried", "cost", "dB w", "dB in", "out", "zero", "clip"};
	if (term < now->terms)
		snprintf(head[5], OPTION_CELL, "%.7s", now->term[term].name);
	if (by_table(look))
		snprintf(head[6], OPTION_CELL, "lost");
	write_cells(w, STYLE_DIM, head, there ? OPTION_CELLS : by_table(look) ? 7 : 6, false);
	for (int o = 0; o < w->slot->options; o++)
		write_option(w, o, term);
	text(w, STYLE_DIM,
		now->quality_is_loss
			? "worth: nats of loss beyond the modal format's, by the additive model, +- its standard error."
			: "worth: quality beyond the modal format's, by the additive model, +- its standard error.");
	if (there)
		say(w, STYLE_DIM,
			"dB: signal to noise of its weights, of its inputs, and of its output where both are rounded and nothing else is; zero: weights "
			"that become 0; clip: inputs beyond the range. Measured behind step %ld on %d images of the calibration slice, in %.0f ms.",
			w->scene->look_step, look->images, 1000 * look->seconds);
	write_blocks(w);
	if (by_table(look))
		say(w, STYLE_DIM, "lost: points of accuracy, weights and inputs in the format, by the %s.", now->estimated);
	text(w, STYLE_DIM, "");
}

// ---- over the steps ----------------------------------------------------------------------------------------------------

// The modal formats of the history: a column for each stretch of the steps, as high as the format's place among the options.
static void write_past(struct written *w)
{
	const struct figure_source *source = w->scene->source;
	const int slot = w->info->weight_slot, options = w->slot->options, slots = w->scene->snapshot->info->slots;
	const long records = source && source->modal ? source->records : 0;
	int wide = w->in.width < 64 ? w->in.width : 64;
	long held[ENGINE_OPTIONS] = {0};
	struct string shares = {0};
	if (records < 2)
		return;
	for (long i = 0; i < records; i++)
		held[source->modal[i * slots + slot] % ENGINE_OPTIONS]++;
	for (int o = options - 1; o >= 0; o--)
		if (held[o])
			string_add(&shares, "%s%s %.0f %%", shares.length ? ", " : "", w->slot->option[o].name,
				100 * (double)held[o] / (double)records);
	say(w, STYLE_TITLE, "Its modal format over %ld steps (history): %s", records, shares.failed ? "" : shares.bytes);
	string_free(&shares);
	if (records < wide)
		wide = (int)records;
	int y = next_row(w);
	for (int c = 0; y >= 0 && c < wide; c++) {
		const int o = source->modal[figure_record_of(records, wide, c) * slots + slot];
		const enum style style = style_bits(w->slot->option[o].bits);
		if (w->screen->ascii)
			screen_put(w->screen, w->in.x + c, y, 1, style, (char[]){"0123456789abcdefghijklmnopqrstuv"[o], '\0'});
		else
			screen_glyph(w->screen, w->in.x + c, y, style,
				0x2581u + (uint32_t)(options > 1 ? o * 7 / (options - 1) : 7));
	}
	text(w, STYLE_DIM, "");
}

enum { POLICY_ROWS = 10, POLICY_WIDE = 100 };

// The policy's probabilities, one on the other; a person's changes stand on the axis.
static void write_policy(struct written *w)
{
	const struct figure_source *source = w->scene->source;
	const int wide = w->in.width < POLICY_WIDE ? w->in.width : POLICY_WIDE;
	int rows = 0;
	if (!source || source->records < 2)
		return;
	if (!source->policy || !source->policy(source->session, w->info->weight_slot, &rows)) {
		text(w, STYLE_DIM, "Its probabilities at these steps were not kept: they are from the next step on.");
	} else if (picture_make(w->policy, w->scene, figure_kind_named("policy"), wide, POLICY_ROWS)) {
		text(w, STYLE_TITLE, "Its probabilities over the steps (history, to a 255th), and the changes");
		for (int i = 0; i < POLICY_ROWS; i++) {
			int y = next_row(w);
			if (y >= 0)
				picture_row(w->policy, w->screen, w->in.x, y, i);
		}
	}
	text(w, STYLE_DIM, "");
}

// ---- its costs ---------------------------------------------------------------------------------------------------------

static void write_shares(struct written *w)
{
	const struct snapshot *now = w->scene->snapshot;
	const struct layer_page *p = w->scene->page;
	if (!p || !p->priced)
		return;
	text(w, STYLE_TITLE,
		w->scene->draft && w->scene->past ? "Its share of each cost, under the choice of the past step"
			: w->scene->draft         ? "Its share of each cost, under the draft"
						  : "Its share of each cost, under the modal choice");
	for (int k = 0; k < now->terms; k++) {
		char share[16];
		int y = now->term[k].why[0] ? -1 : next_row(w);
		if (y < 0 || !isfinite(p->share[k]))
			continue;
		screen_print(w->screen, w->in.x, y, 24, STYLE_TEXT, "%-18.18s %5s", now->term[k].name,
			show_percent(p->share[k], share, sizeof share));
		screen_bar(w->screen, w->in.x + 26, y, w->in.width - 26 < 30 ? w->in.width - 26 : 30, p->share[k]);
	}
}

static void write_bound(struct written *w)
{
	const struct scene *scene = w->scene;
	const struct figure_source *source = scene->source;
	struct roofline roof;
	struct fault f = {0};
	const int term = scene->term;
	if (!source || !source->roofline)
		return;
	if (!source->roofline(source->session, term, &roof, &f) || !roof.now || scene->layer >= roof.layers) {
		say(w, STYLE_DIM, "What bounds it is not known: %s.", f.what[0] ? f.what : "there is no roofline here");
		return;
	}
	const struct roofline_point *p = &(scene->draft && roof.draft ? roof.draft : roof.now)[scene->layer];
	char bytes[16], ms[16];
	say(w, STYLE_TEXT,
		"On %s it is bound by %s: %s for %d images as %s, %s of memory traffic, %.1f operations a byte (roofline model).",
		roof.device, p->memory_bound ? "memory" : "compute", show_amount(p->ms, "ms", ms, sizeof ms), roof.batch, p->type,
		show_amount(p->bytes, "B", bytes, sizeof bytes), p->bytes > 0 ? p->operations / p->bytes : 0.0);
}

// ---- its weights -------------------------------------------------------------------------------------------------------

enum { HISTOGRAM = 8 }; // rows

static void draw_column(struct written *w, int x, const int *row, double share)
{
	double eighths = share * HISTOGRAM * 8;
	for (int i = 0; i < HISTOGRAM; i++) {
		double part = (eighths - 8.0 * (HISTOGRAM - 1 - i)) / 8;
		if (row[i] < 0 || part <= 0)
			continue;
		int level = part >= 1 ? 8 : (int)ceil(part * 8);
		if (w->screen->ascii)
			screen_put(w->screen, x, row[i], 1, STYLE_MAIN, level > 3 ? "#" : ".");
		else
			screen_glyph(w->screen, x, row[i], STYLE_MAIN, 0x2580u + (uint32_t)level);
	}
}

// Of weights or inputs, with what the modal format can round to below.
static void write_histogram(struct written *w, const struct look_values *v, const char *what, double step, const char *note)
{
	uint32_t most = 1;
	int row[HISTOGRAM];
	char count[16];
	say(w, STYLE_TITLE, "Its %s %s, from %.3g to %.3g; standard deviation %.3g, mean %.2g",
		show_si((double)v->count, count, sizeof count), what, v->low, v->peak, v->deviation, v->mean);
	for (int i = 0; i < HISTOGRAM; i++)
		row[i] = next_row(w);
	for (int i = 0; i < LOOK_BINS; i++)
		most = v->bin[i] > most ? v->bin[i] : most;
	int wide = w->in.width < LOOK_BINS ? LOOK_BINS / 2 : LOOK_BINS, per = LOOK_BINS / wide;
	for (int x = 0; x < wide; x++) {
		uint32_t here = 0;
		for (int i = 0; i < per; i++)
			here = v->bin[x * per + i] > here ? v->bin[x * per + i] : here;
		draw_column(w, w->in.x + x, row, (double)here / most);
	}
	// Below, where the modal format can round to: a tick for each level that has a column to itself.
	int y = next_row(w);
	if (y >= 0)
		screen_run(w->screen, w->in.x, y, wide, STYLE_TRACK, GLYPH_METER_EMPTY);
	for (double at = 0; y >= 0 && step > 0 && step / v->peak * wide / 2 >= 2 && at <= v->peak * 1.0001; at += step)
		for (int sign = -1; sign <= 1; sign += 2) {
			int x = (int)((1 + sign * at / v->peak) * wide / 2);
			screen_put(w->screen, w->in.x + (x >= wide ? wide - 1 : x), y, 1, STYLE_TARGET,
				w->screen->ascii ? "|" : "┴");
		}
	say(w, STYLE_DIM, note, w->slot->option[w->state->modal].name);
}

static void write_weights(struct written *w)
{
	const struct layer_look *look = look_of(w->scene);
	const struct snapshot *now = w->scene->snapshot;
	text(w, STYLE_DIM, "");
	if (look && look->there) {
		const struct format_look *modal = &look->option[w->state->modal];
		struct format_sheet f;
		const bool blocks = has_blocks(w, w->state->modal, &f);
		write_histogram(w, &look->weights, "weights", modal->step,
			blocks ? "marks: the levels of %s around 0, for the block with the widest range"
			       : "marks: the levels of %s around 0, for the output channel with the widest range");
		write_histogram(w, &look->inputs, "inputs", modal->input_step,
			blocks ? "each block of %s has levels of its own; as the layers before it give them in the result"
			       : "marks: the levels of %s around 0; as the layers before it give them in the result");
	} else if (look)
		text(w, STYLE_WARN,
			now->estimated[0] || now->idle || now->info->command[0]
				? "There are no weights here: nothing is trained in this search, so there is no histogram and no signal to noise."
				: "The layer rests in the result: its weights are not in use.");
	else
		text(w, STYLE_DIM, "Its weights are looked at between two steps...");
}

// ---- the page -----------------------------------------------------------------------------------------------------------

static void write_shape(struct written *w)
{
	const struct layer_info *l = w->info;
	char macs[16], weights[16], inputs[16], share[16];
	const char *times = glyph(w->screen->ascii, GLYPH_TIMES), *arrow = glyph(w->screen->ascii, GLYPH_ARROW);
	say(w, STYLE_TEXT,
		"%s %d%s%d, %d%s%d channels%s, %d%s%d out, stride %d: %s MACs an image (%s of all), %s weights, %s inputs",
		l->kind, l->kernel_h, times, l->kernel_w, l->in_c, arrow, l->out_c, l->groups > 1 ? " in groups" : "", l->out_h,
		times, l->out_w, l->stride, show_si(l->macs, macs, sizeof macs),
		show_percent(l->macs / w->scene->snapshot->info->macs, share, sizeof share) + strspn(share, " "),
		show_si(l->weights, weights, sizeof weights), show_si(l->activations, inputs, sizeof inputs));
	text(w, STYLE_DIM, "");
}

static void write_page(struct written *w)
{
	write_shape(w);
	write_why(w);
	write_options(w);
	write_past(w);
	write_policy(w);
	write_shares(w);
	write_bound(w);
	write_weights(w);
}

static void draw(void *own, struct scene *scene, struct screen *s, const struct layout_item *item)
{
	struct page *page = own;
	struct rect r = item->pane[0];
	const struct snapshot *now = scene->snapshot;
	const struct layer_info *info = &now->info->layer[scene->layer];
	struct written w = {.scene = scene,
		.info = scene->layer_now ? &scene->layer_now[scene->layer] : info,
		.slot = &now->info->slot[info->weight_slot],
		.state = &now->slot[info->weight_slot],
		.policy = &page->policy,
		.screen = s,
		.in = {r.x + 2, r.y + 1, r.width - 4, 0}};
	char title[128], part[48] = "";
	write_page(&w); // without a row of its own nothing is drawn: it says how long it is
	page->lines = w.line;
	page->room = r.height - 2;
	if (page->top > page->lines - page->room)
		page->top = page->lines - page->room;
	page->top = page->top < 0 ? 0 : page->top;
	w.line = 0;
	w.top = page->top;
	w.in.height = page->room;
	write_page(&w);
	if (page->lines > page->room)
		snprintf(part, sizeof part, ", lines %d-%d of %d", page->top + 1, page->top + page->room, page->lines);
	snprintf(title, sizeof title, "Layer %s, %d of %d (h, l: others)%s", info->name, scene->layer + 1, now->info->layers,
		part);
	screen_box(s, r, title);
}

static void measure(void *own, const struct scene *scene, const struct screen *s, struct layout_item *item)
{
	(void)own;
	(void)s;
	item->wanted = item->wanted && scene->focus == &view_layer && scene->snapshot->info &&
		scene->snapshot->info->layers > 0 && scene->snapshot->slot;
}

static bool enter(void *own, const struct scene *scene, struct fault *f)
{
	((struct page *)own)->top = 0;
	return scene->snapshot->info->layers > 0 ||
		fault_set(f, "layer", "`slots` lists what may vary", "this search has no layers");
}

// Down and up through the page, sideways to the next layer.
static void move(void *own, struct scene *scene, enum motion m, int rows)
{
	struct page *page = own;
	const int layers = scene->snapshot->info->layers;
	if (m == MOTION_LEFT || m == MOTION_RIGHT)
		scene->layer = (scene->layer + (m == MOTION_LEFT ? -1 : 1) + layers) % layers;
	else
		page->top = motion_to(m, page->top, page->lines, rows);
}

static bool select_layer(void *own, struct scene *scene, const char *name)
{
	return view_layers.select(own, scene, name);
}

static void forget(void *own)
{
	picture_free(&((struct page *)own)->policy);
}

static const char *const teach[] = {"draft up {layers}", "hand pin", "hand unpin", "back", NULL};

const struct view_ops view_layer = {
	.name = "layer",
	.title = "the layer in hand: why it has its format, and what each would do",
	.place = LAYOUT_ALONE,
	.key = ' ',
	.own = sizeof(struct page),
	.end = forget,
	.forget = forget,
	.measure = measure,
	.draw = draw,
	.move = move,
	.select = select_layer,
	.enter = enter,
	.teach = teach,
};
