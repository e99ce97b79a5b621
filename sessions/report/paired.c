// SPDX-License-Identifier: GPL-3.0-or-later
// Results held against each other image by image: how many images both get right, one alone, none, and how likely chance makes such a
// difference. On the same images this tells apart what two accuracies with their own errors do not.
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/pairing.h"
#include "sessions/report/beside.h"
#include "sessions/report/picture.h"

static const double CHANCE = 0.05; // a difference that chance makes less often than this is marked

static const char *images_word(const struct beside *c)
{
	return c->split == SPLIT_TEST ? "test" : "held-out";
}

// Why it cannot say which images it gets right; NULL: it can be asked.
static const char *mute(const struct beside *c, const struct session *s)
{
	return s->info->command[0]                                ? "its quality comes from a command"
		: !s->info->train_images                          ? "it has no weights: nothing is trained in it"
		: s->snapshot->run == RUN_FAILED                  ? "its search failed"
		: c->split == SPLIT_TEST && !s->info->test_images ? "it has no test images"
								  : NULL;
}

void paired_ask(struct beside *c)
{
	struct fault f;
	for (int i = 0; c->images && i < c->count; i++) {
		const char *why = mute(c, c->s[i]);
		if (!why && !(c->judged[i] = session_judge(c->s[i], c->result[i], c->split, &f)))
			why = f.what;
		if (why)
			snprintf(c->unpaired[i], sizeof c->unpaired[i], "%s", why);
	}
}

bool paired_waits(const struct beside *c)
{
	for (int i = 0; i < c->count; i++)
		if (c->judged[i] && c->s[i]->judged.asked)
			return true;
	return false;
}

void paired_await(struct beside *c)
{
	for (int i = 0; i < c->count; i++)
		if (c->judged[i] && !session_await_replies(c->s[i], NULL))
			c->s[i]->judged.asked = 0; // it never comes
}

void paired_settle(struct beside *c)
{
	const struct judged *first = &c->s[0]->judged;
	for (int i = 0; i < c->count; i++) {
		const struct judged *j = &c->s[i]->judged;
		if (c->unpaired[i][0] || !c->images)
			continue;
		if (!j->right)
			snprintf(c->unpaired[i], sizeof c->unpaired[i], "%s", j->fault.what);
		else if (first->right && (j->images != first->images || j->sum != first->sum))
			snprintf(c->unpaired[i], sizeof c->unpaired[i], "its %s images are others (%ld of %dx%dx%d from %s)",
				images_word(c), j->images, c->s[i]->info->image_h, c->s[i]->info->image_w, c->s[i]->info->image_c,
				c->s[i]->info->data);
	}
}

bool paired_can(const struct beside *c, int i)
{
	return c->images && !c->unpaired[0][0] && !c->unpaired[i][0];
}

static struct pairing pair(const struct beside *c, int i)
{
	return pairing_of(c->s[0]->judged.right, c->s[i]->judged.right, c->s[0]->judged.images);
}

// Where a search went on since, the step of its weights is another than the present one.
static void add_steps(struct beside *c)
{
	char cell[COMPARED][ENGINE_TEXT];
	bool other = false;
	for (int i = 0; i < c->count; i++) {
		const struct judged *j = &c->s[i]->judged;
		snprintf(cell[i], ENGINE_TEXT, "-");
		if (c->judged[i] && j->right)
			snprintf(cell[i], ENGINE_TEXT, "%ld", j->step);
		other |= c->judged[i] && j->right && j->step != c->s[i]->snapshot->step;
	}
	if (other)
		beside_row(c, "weights of step", cell, "");
}

static void add_right(struct beside *c)
{
	char cell[COMPARED][ENGINE_TEXT];
	bool any = false;
	for (int i = 0; i < c->count; i++) {
		const struct judged *j = &c->s[i]->judged;
		long right = 0;
		snprintf(cell[i], ENGINE_TEXT, "-");
		if (!c->judged[i] || !j->right)
			continue;
		for (long k = 0; k < j->images; k++)
			right += j->right[k];
		snprintf(cell[i], ENGINE_TEXT, "%.2f %%", 100 * (double)right / (double)j->images);
		any = true;
	}
	if (any)
		beside_row(c, "images right", cell, NULL);
}

enum row { ROW_BOTH, ROW_FIRST, ROW_SECOND, ROW_NEITHER, ROW_AHEAD, ROW_CHANCE, ROWS };

static void write_cell(enum row row, const struct pairing *p, char *buf)
{
	const long count[] = {[ROW_BOTH] = p->both, [ROW_FIRST] = p->first, [ROW_SECOND] = p->second, [ROW_NEITHER] = p->neither};
	if (row < ROW_AHEAD)
		snprintf(buf, ENGINE_TEXT, "%ld", count[row]);
	else if (row == ROW_AHEAD)
		snprintf(buf, ENGINE_TEXT, "%+.2f +- %.2f", 100 * p->ahead, 196 * p->error);
	else
		snprintf(buf, ENGINE_TEXT, "%.2g", p->chance);
}

static void add_pairs(struct beside *c)
{
	static const char *const name[ROWS] = {[ROW_BOTH] = "both right",
		[ROW_FIRST] = "only first",
		[ROW_SECOND] = "only this",
		[ROW_NEITHER] = "neither",
		[ROW_AHEAD] = "points ahead",
		[ROW_CHANCE] = "exact p"};
	char cell[ROWS][COMPARED][ENGINE_TEXT];
	bool any = false, clear = false;
	for (int i = 0; i < c->count; i++) {
		const bool paired = i > 0 && paired_can(c, i);
		const struct pairing p = paired ? pair(c, i) : (struct pairing){0};
		for (int r = 0; r < ROWS; r++)
			if (paired)
				write_cell((enum row)r, &p, cell[r][i]);
			else
				snprintf(cell[r][i], ENGINE_TEXT, "-");
		any |= paired;
		clear |= paired && p.chance < CHANCE;
	}
	for (int r = 0; any && r < ROWS; r++)
		beside_row(c, name[r], cell[r], r == ROW_CHANCE && clear ? "*" : "");
	if (any)
		report_below(&c->report,
			"image by image, each by its own search's weights, on the same %ld %s images%s; ahead of the first, +- holds 95 %%; p: "
			"McNemar's exact test",
			c->s[0]->judged.images, images_word(c),
			c->split == SPLIT_TEST ? ", which counts as a look at them" : ", which taught no policy");
}

void paired_add(struct beside *c)
{
	if (!c->images)
		return;
	add_steps(c);
	add_right(c);
	add_pairs(c);
	for (int i = 0; i < c->count; i++)
		if (c->unpaired[i][0])
			report_below(&c->report, "%s is not held against %s image by image: %s", c->s[i]->title,
				i ? c->s[0]->title : "the others", c->unpaired[i]);
}

bool paired_draw(struct beside *c, struct command_call *call, const double *cost, const struct term_state *term)
{
	struct report_points points = {0};
	char axis[ENGINE_TEXT];
	const char *const group[] = {"the first", "the others"};
	if (!c->images || c->unpaired[0][0])
		return fault_set(&call->fault, c->pairs, "leave pairs= out", "there is nothing to draw: %s",
			c->images ? c->unpaired[0] : "no images are asked for");
	for (int i = 0; i < c->count; i++) {
		if (!paired_can(c, i) || !isfinite(cost[i]))
			continue;
		const struct pairing p = pair(c, i);
		report_point(&points, i > 0, cost[i], 100 * p.ahead, "%s", c->s[i]->title);
		if (i)
			report_range(&points, 100 * (p.ahead - 1.96 * p.error), 100 * (p.ahead + 1.96 * p.error));
	}
	snprintf(axis, sizeof axis, "%s (%s)", term->name, term->unit);
	return report_points_draw(&points, call, c->pairs,
		(struct points_asked){.title = "Ahead of the first on the same images",
			.x = axis,
			.y = "ahead of the first (points)",
			.group = group,
			.groups = 2,
			.level_text = "equal",
			.ranges = "95 %"},
		true);
}
