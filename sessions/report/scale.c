// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/report/scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/picture.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

// ---- words ------------------------------------------------------------------------------------------------------------------------

// The words, each with the function that takes its value.
struct taking {
	struct scale_asked *asked;
	const char *word, *value;
	struct fault *fault;
};

static bool refuse(const struct taking *t, const char *todo)
{
	return fault_set(t->fault, t->word, todo, "\"%s\" will not do", t->value);
}

static bool take_device(struct taking *t)
{
	struct device_sheet sheet;
	return catalog_device(t->value, &sheet, t->fault) &&
		((size_t)snprintf(t->asked->device, sizeof t->asked->device, "%s", t->value) <
				sizeof t->asked->device - sizeof ":ideal" ||
			refuse(t, "name a shorter path"));
}

static bool take_efficiency(struct taking *t)
{
	t->asked->ideal = strcmp(t->value, "1") == 0;
	t->asked->both = false;
	return t->asked->ideal || strcmp(t->value, "stated") == 0 || refuse(t, "write efficiency=stated or efficiency=1");
}

static bool take_format(struct taking *t)
{
	t->asked->question.format = t->value;
	return question_check_format(t->value, "bf16, fp16, int8, for some", t->fault);
}

static bool take_levels(struct taking *t)
{
	struct scaling_question *q = &t->asked->question;
	char word[32];
	q->levels = 0;
	for (const char *at = t->value; list_next(&at, word, sizeof word);) {
		if (q->levels == SCALING_LEVELS || !number_read(word, &q->level[q->levels++]))
			return refuse(t, "join up to 8 numbers by commas: levels=2,4,8");
	}
	return q->levels > 0 || refuse(t, "join up to 8 numbers by commas: levels=2,4,8");
}

static bool take_by(struct taking *t)
{
	static const char *const words[] = {"latency", "macs"};
	for (int i = 0; i < 2; i++)
		if (strcmp(t->value, words[i]) == 0) {
			t->asked->question.by_macs = i == 1;
			return true;
		}
	return refuse(t, "write by=latency or by=macs");
}

static bool take_whole(struct taking *t, int *number, long least, long most)
{
	char todo[64];
	long value;
	snprintf(todo, sizeof todo, "expected a whole number from %ld to %ld", least, most);
	if (!number_read_long(t->value, least, most, &value))
		return refuse(t, todo);
	*number = (int)value;
	return true;
}

static bool take_points(struct taking *t)
{
	return take_whole(t, &t->asked->question.points, 1, SCALING_POINTS);
}

static bool take_images(struct taking *t)
{
	return take_whole(t, &t->asked->question.batch, 1, 65536);
}

static bool take_largest(struct taking *t)
{
	return take_whole(t, &t->asked->question.largest, 8, 4096);
}

static bool take_price(struct taking *t)
{
	t->asked->question.price = t->asked->price;
	return (size_t)snprintf(t->asked->price, sizeof t->asked->price, "%s", t->value) < sizeof t->asked->price ||
		refuse(t, "name one with fewer options");
}

// The size that latency is priced at: of the network that is named to be priced, or of the one that is scaled.
static bool take_res(struct taking *t)
{
	struct scaling_question *q = &t->asked->question;
	char name[ENGINE_TEXT];
	int side = 0;
	if (!take_whole(t, &side, 8, 4096) || !scaling_name(q->price ? q->price : q->net, 1, 1, side, name, t->fault))
		return false;
	snprintf(t->asked->price, sizeof t->asked->price, "%s", name);
	q->price = t->asked->price;
	return true;
}

static const struct {
	const char *key;
	bool (*take)(struct taking *);
} keys[] = {
	{"device=", take_device}, {"efficiency=", take_efficiency}, {"format=", take_format}, {"levels=", take_levels},
	{"by=", take_by}, {"points=", take_points}, {"images=", take_images}, {"largest=", take_largest}, {"price=", take_price},
	{"res=", take_res}, // behind price=
};
enum { KEYS = sizeof keys / sizeof *keys };

static int key_of(const char *word)
{
	int k = 0;
	while (k < KEYS && strncmp(word, keys[k].key, strlen(keys[k].key)) != 0)
		k++;
	return k;
}

bool scale_is_word(const char *word)
{
	return key_of(word) < KEYS;
}

bool scale_unknown(const char *word, struct fault *f)
{
	char key[64], advice[128];
	snprintf(key, sizeof key, "%.*s", (int)(strcspn(word, "=") + (strchr(word, '=') != NULL)), word);
	struct nearest near = nearest_to(key);
	for (int k = 0; k < KEYS; k++)
		nearest_offer(&near, keys[k].key);
	return fault_set(f, word, nearest_advice(&near, "`help scale` lists its words", advice, sizeof advice), "no such word");
}

bool scale_read(struct scale_asked *asked, char *const *word, int words, struct fault *f)
{
	*asked = (struct scale_asked){.device = "tpu_v3", .both = true};
	struct scaling_question *q = &asked->question;
	*q = (struct scaling_question){.net = word[0], .levels = 3, .level = {2, 4, 8}, .points = 12};
	for (int i = 1; i < words; i++)
		if (!scale_is_word(word[i]))
			return scale_unknown(word[i], f);
	for (int k = 0; k < KEYS; k++) // in the order of the table
		for (int i = 1; i < words; i++) {
			struct taking t = {asked, word[i], word[i] + strlen(keys[k].key), f};
			if (key_of(word[i]) == k && !keys[k].take(&t))
				return false;
		}
	size_t used = strlen(asked->device);
	if (asked->ideal)
		snprintf(asked->device + used, sizeof asked->device - used, ":ideal"); // there is room: take_device
	q->device = asked->device;
	return true;
}

// ---- the table --------------------------------------------------------------------------------------------------------------------

const char *scale_title(const struct scale_asked *asked, const struct scaling *sc, char buf[4 * ENGINE_TEXT])
{
	const struct scaling_question *q = &asked->question;
	char macs[32];
	snprintf(buf, 4 * ENGINE_TEXT, "%s: %s MACs, %.4g ms per %d images in %s on %s%s; candidates of equal %s", q->net,
		question_count(sc->base.macs, macs), sc->base.ms, sc->batch, sc->format, q->device,
		sc->assumed ? " (assumed efficiencies)" : "", q->by_macs ? "MACs" : "latency");
	return buf;
}

static void add_title(struct report *r, const struct scale_asked *asked, const struct scaling *sc)
{
	const struct scaling_question *q = &asked->question;
	char title[4 * ENGINE_TEXT], macs[32];
	report_above(r, "%s", scale_title(asked, sc, title));
	if (q->price)
		report_above(r, "costs are those of %s (%s MACs), scaled by the same multiples", q->price,
			question_count(sc->base.priced_macs, macs));
	if (asked->ideal)
		report_above(r, "every efficiency is 1: peaks and bandwidth are reached, and a kernel has no floor");
}

static void add_row(struct report *r, const struct scaling_question *q, const struct scaled *s)
{
	char macs[32];
	report_cell(r, "%g", s->level < 0 ? 1 : q->level[s->level]);
	report_cell(r, "%.4g", s->depth);
	report_cell(r, "%.4g", s->width);
	report_cell(r, "%.4g", s->resolution);
	report_cell(r, "%d", s->side);
	report_cell(r, "%d", s->layers);
	report_cell(r, "%s", question_count(s->macs, macs));
	report_cell(r, "%.3f", s->product);
	report_cell(r, "%.4g", s->ms);
	report_cell(r, "%.3f", s->multiple);
	report_cell(r, "%s %.0f %%", s->bound, 100 * s->share);
	report_cell(r, "%s", s->net);
}

static void tell_level(struct report *r, const struct scaling_question *q, const struct scaling *sc, int level)
{
	const struct scaling_level *l = &sc->level[level];
	double least = INFINITY, most = 0;
	char few[64] = "", range[96] = "";
	for (int i = 0; i < sc->points; i++)
		if (sc->point[i].level == level) {
			double value = q->by_macs ? sc->point[i].ms / sc->base.ms
						  : sc->point[i].priced_macs / sc->base.priced_macs;
			least = fmin(least, value);
			most = fmax(most, value);
		}
	if (l->points < q->points)
		snprintf(few, sizeof few, " (%d were asked for)", q->points);
	if (l->points)
		snprintf(range, sizeof range, "; %s from %.3g to %.3g times the base's", q->by_macs ? "latency" : "MACs", least,
			most);
	report_below(r,
		"level %g: %d candidates%s of %d ways to meet it; %d depths and sides were left out, since no width meets it within "
		"%.0f %%%s",
		q->level[level], l->points, few, l->met, l->missed, 100 * SCALING_TOLERANCE, range);
}

void scale_label(const struct scaled *s, char label[16])
{
	char text[64];
	snprintf(text, sizeof text, "%.3g/%.3g/%d", s->depth, s->width, s->side);
	snprintf(label, 16, "%.15s", text);
}

// MACs against time, a colour for each level.
static bool draw(struct command_call *call, const struct scale_asked *asked, const struct scaling *sc, const char *file)
{
	const struct scaling_question *q = &asked->question;
	struct trade trade[SCALING_LEVELS];
	char(*label)[16] = calloc((size_t)sc->points + 1, sizeof *label), title[128], unit[64];
	double *number = calloc(2 * (size_t)sc->points + 1, sizeof *number);
	struct figure *figure = NULL;
	snprintf(title, sizeof title, "%.60s scaled, on %.40s", q->net, q->device);
	snprintf(unit, sizeof unit, "ms per %d images", sc->batch);
	for (int l = 0, at = 0; label && number && l < q->levels; at += sc->level[l++].points) {
		const int count = sc->level[l].points;
		trade[l] = (struct trade){.role = (enum figure_role)(ROLE_LANE + l % ENGINE_LANES),
			.count = count,
			.label = label + at,
			.cost = number + 2 * at,
			.accuracy = number + 2 * at + count};
		snprintf(trade[l].name, sizeof trade[l].name, "level %g: depth/width/side", q->level[l]);
		for (int i = 0; i < count; i++) {
			trade[l].cost[i] = sc->point[at + i].priced_macs;
			trade[l].accuracy[i] = sc->point[at + i].ms;
			scale_label(&sc->point[at + i], label[at + i]);
		}
	}
	if (label && number)
		figure = figure_of_trades(title, "MACs", "", unit, trade, q->levels);
	bool ok = figure ? report_picture_in(call, figure, file) : fault_memory(&call->fault, file);
	figure_free(figure);
	free(label);
	free(number);
	return ok;
}

bool scale_show(struct command_call *call, const struct scale_asked *asked, const char *csv, const char *picture)
{
	static const struct report_column column[] = {{"level", false}, {"depth", false}, {"width", false}, {"resolution", false},
		{"side", false}, {"layers", false}, {"MACs", false}, {"d*w^2*r^2", false}, {"ms", false}, {"times", false},
		{"bound by", true}, {"network", true}};
	const struct scaling_question *q = &asked->question;
	struct scaling sc;
	struct report r;
	bool ok = scaling_of(q, &sc, &call->fault) && (!picture || draw(call, asked, &sc, picture));
	report_begin(&r, column, sizeof column / sizeof *column);
	if (ok) {
		add_title(&r, asked, &sc);
		add_row(&r, q, &sc.base);
		for (int i = 0; i < sc.points; i++)
			add_row(&r, q, &sc.point[i]);
		for (int l = 0; l < q->levels; l++)
			tell_level(&r, q, &sc, l);
		report_below(&r, "(depth, width, resolution: multiples of the base's; times: of its %s)",
			q->by_macs ? "MACs" : "latency");
	}
	scaling_free(&sc);
	return report_end(&r, call, csv, ok);
}
