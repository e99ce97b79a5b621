// SPDX-License-Identifier: GPL-3.0-or-later
// The network's blocks in one row, where their architecture is to be chosen: stage by stage, of each block its kernel, and a bar as high as
// its widest layer is wide, of the most that this layer may have. A block that is not there is a dim dot. As the draft, or else the policy, has it.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ui/views/views.h"

// A block: layers in a row that have a name before the first dot in common.
struct block {
	int first, layers; // of the network's
	int name, stage;   // bytes of the first layer's name: "s2b1" of "s2b1.conv1", "s2"
	bool there, edited;
	int kernel;
	double width; // of the widest that it may be
};

static const struct layer_info *layers_of(const struct scene *scene)
{
	return scene->snapshot->info->layer;
}

// Of "s2b1": 2, of a name that is not made like this all of it.
static int stage_length(const char *name, int length)
{
	int n = length;
	while (n > 0 && isdigit((unsigned char)name[n - 1]))
		n--;
	return n < length && n > 1 && isalpha((unsigned char)name[n - 1]) && isdigit((unsigned char)name[n - 2]) ? n - 1 : length;
}

static bool same_start(const char *a, const char *b, int length)
{
	return strncmp(a, b, (size_t)length) == 0;
}

static void take_layer(const struct scene *scene, struct block *b, int layer, int *widest, int *most)
{
	const struct layer_info *whole = &layers_of(scene)[layer];
	const struct layer_info *now = scene->layer_now ? &scene->layer_now[layer] : whole;
	*most = whole->out_c > *most ? whole->out_c : *most;
	if (whole->owned && slot_rests(scene, whole->weight_slot))
		return;
	b->there = true;
	b->kernel = now->kernel_h > b->kernel ? now->kernel_h : b->kernel;
	*widest = now->out_c > *widest ? now->out_c : *widest;
}

// Whether the draft has another option for a slot of the block.
static bool edited(const struct scene *scene, const struct block *b)
{
	const struct engine_info *info = scene->snapshot->info;
	const char *name = layers_of(scene)[b->first].name;
	for (int i = info->formats; scene->draft && i < info->slots; i++)
		if (same_start(info->slot[i].name, name, b->name) && info->slot[i].name[b->name] == '.' &&
			scene->draft[i] != scene->snapshot->slot[i].modal)
			return true;
	return false;
}

// The block that begins at a layer, or the next that does. False: there is none.
static bool next_block(const struct scene *scene, int layer, struct block *b)
{
	const struct engine_info *info = scene->snapshot->info;
	int widest = 0, most = 1;
	while (layer < info->layers && !strchr(layers_of(scene)[layer].name, '.'))
		layer++;
	if (layer >= info->layers)
		return false;
	const char *name = layers_of(scene)[layer].name;
	*b = (struct block){.first = layer, .name = (int)strcspn(name, ".")};
	b->stage = stage_length(name, b->name);
	for (; layer < info->layers && same_start(layers_of(scene)[layer].name, name, b->name + 1); layer++, b->layers++)
		take_layer(scene, b, layer, &widest, &most);
	b->width = (double)widest / most;
	b->edited = edited(scene, b);
	return true;
}

bool blocks_there(const struct scene *scene)
{
	struct block b;
	const struct engine_info *info = scene->snapshot->info;
	return info && info->slots > info->formats && next_block(scene, 0, &b);
}

// What is drawn of blocks, as far as there is room: all of it; no names of stages; no bars either.
enum form { FORM_ALL, FORM_NAMELESS, FORM_KERNELS, FORMS };

static int draw_block(struct screen *s, int x, int y, int width, const struct block *b, enum form form)
{
	char kernel[12];
	const int from = x, cells = form == FORM_KERNELS ? 1 : 2;
	enum style style = b->edited ? STYLE_DRAFT : b->there ? STYLE_MAIN : STYLE_DIM;
	snprintf(kernel, sizeof kernel, "%d", b->kernel % 10);
	for (int i = 0; i < cells && !b->there; i++)
		x += screen_put(s, x, y, width - (x - from), style, glyph(s->ascii, GLYPH_DOT));
	if (!b->there)
		return x - from;
	x += screen_put(s, x, y, width, style, kernel);
	if (form != FORM_KERNELS)
		x += screen_put(s, x, y, width - (x - from), style,
			glyph_ramp(s->ascii, 1 + (int)(b->width * (RAMP_LEVELS - 2) + 0.5)));
	return x - from;
}

// From x on, in this form; returns the columns that it takes. `s` NULL: it is only measured.
static int draw_form(const struct scene *scene, struct screen *s, int x, int y, int width, enum form form)
{
	const int from = x;
	struct block b, last = {0};
	for (int layer = 0; next_block(scene, layer, &b); layer = b.first + b.layers, last = b) {
		const char *name = layers_of(scene)[b.first].name;
		bool stage = !last.layers || last.stage != b.stage ||
			!same_start(layers_of(scene)[last.first].name, name, b.stage);
		if (stage && last.layers)
			x += form == FORM_ALL ? 2 : 1;
		if (stage && form == FORM_ALL) {
			if (s)
				screen_print(s, x, y, width - (x - from), STYLE_DIM, "%.*s", b.stage, name);
			x += b.stage + 1;
		}
		x += s && width > x - from ? draw_block(s, x, y, width - (x - from), &b, form) : form == FORM_KERNELS ? 1 : 2;
	}
	return x - from;
}

void draw_blocks(const struct scene *scene, struct screen *s, int x, int y, int width)
{
	enum form form = FORM_ALL;
	while (form + 1 < FORMS && draw_form(scene, NULL, x, y, width, form) > width)
		form++;
	draw_form(scene, s, x, y, width, form);
}
