// SPDX-License-Identifier: GPL-3.0-or-later
// `scale efficientnet-x published=yes`: EfficientNet-X's three published families by the model. Each level has one product of depth,
// width^2 and resolution^2 and three ways to spend it: as EfficientNet, and as scaled for the latency of TPUs and of GPUs. There is no
// accuracy here: what is shown is the time that each takes, and how time grows with the MACs where one multiple alone grows.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sessions/report/report.h"
#include "sessions/report/scale.h"

enum { LINES = 3, WAYS = 3, FIRST_LEVEL = 1 };
enum { DEPTH, WIDTH, RESOLUTION };
static const char *const lines[LINES] = {"", "-tpu", "-gpu"}, *const line_names[LINES] = {"original", "TPU", "GPU"},
			 *const ways[WAYS] = {"depth", "width", "resolution"};

// A level on a device.
struct family_level {
	struct scaled line[LINES];
	double power[WAYS]; // time grows as MACs to this, where the original grows by this alone
	int fastest, cheapest;
};

static int least(const double *x, int count)
{
	int at = 0;
	for (int i = 1; i < count; i++)
		if (x[i] < x[at])
			at = i;
	return at;
}

// How time grows with MACs where the original row's product doubles by one multiple alone.
static bool grow(const struct scaling_question *q, const struct scaling_row *row, const struct scaled *from, double *power,
	struct fault *f)
{
	const struct {
		double depth, width;
		int side;
	} by[WAYS] = {{2, 1, 0}, {1, sqrt(2), 0}, {1, 1, (int)lround(row->side * sqrt(2))}};
	for (int w = 0; w < WAYS; w++) {
		char name[ENGINE_TEXT];
		struct scaled grown;
		if (!scaling_name(row->name, by[w].depth, by[w].width, by[w].side, name, f) || !scaling_price(q, name, &grown, f))
			return false;
		power[w] = log(grown.ms / from->ms) / log(grown.macs / from->macs);
	}
	return true;
}

static bool find_level(const struct scaling_question *q, int level, struct family_level *l, struct fault *f)
{
	struct scaling_row row;
	double ms[LINES];
	for (int k = 0; k < LINES; k++) {
		if (!scaling_published(lines[k], level, &row))
			return fault_set(f, row.name, "`catalog` lists the networks", "there is no such network");
		if (!scaling_price(q, row.name, &l->line[k], f))
			return false;
		ms[k] = l->line[k].ms;
	}
	scaling_published(lines[0], level, &row);
	if (!grow(q, &row, &l->line[0], l->power, f))
		return false;
	l->fastest = least(ms, LINES);
	l->cheapest = least(l->power, WAYS);
	return true;
}

static void add_row(struct report *r, const char *device, bool ideal, int level, const struct family_level *l)
{
	const struct scaled *own = &l->line[0];
	report_cell(r, "%s", device);
	report_cell(r, "%s", ideal ? "1" : "stated");
	report_cell(r, "b%d", level);
	report_cell(r, "%.4g", own->macs / 1e9);
	for (int k = 1; k < LINES; k++)
		report_cell(r, "%.3f", l->line[k].macs / own->macs);
	report_cell(r, "%.4g", own->ms);
	for (int k = 1; k < LINES; k++)
		report_cell(r, "%.3f", l->line[k].ms / own->ms);
	report_cell(r, "%s", line_names[l->fastest]);
	for (int w = 0; w < WAYS; w++)
		report_cell(r, "%.3f", l->power[w]);
	report_cell(r, "%s", ways[l->cheapest]);
}

// "b2 b3", or "none".
static const char *levels_where(const bool *holds, char buf[64])
{
	size_t used = 0;
	buf[0] = '\0';
	for (int l = FIRST_LEVEL; l < SCALING_PUBLISHED; l++)
		if (holds[l])
			used += (size_t)snprintf(buf + used, 64 - used, "%sb%d", used ? " " : "", l);
	return used ? buf : "no level";
}

// A conclusion under both efficiencies, and whether it is the same.
static void conclude(struct report *r, const char *device, const char *what, bool holds[2][SCALING_PUBLISHED], bool both,
	bool ideal)
{
	char one[64], stated[64];
	if (!both) {
		report_below(r, "%s, efficiency %s: %s: %s", device, ideal ? "1" : "stated", what,
			levels_where(holds[ideal ? 0 : 1], one));
		return;
	}
	bool same = memcmp(holds[0], holds[1], sizeof holds[0]) == 0;
	report_below(r, "%s: %s: %s with efficiency 1, %s with the stated ones: this conclusion %s", device, what,
		levels_where(holds[0], one), levels_where(holds[1], stated),
		same ? "does not need the stated efficiencies" : "depends on the efficiencies");
}

static bool add_device(struct report *r, const char *device, const struct scale_asked *asked, struct fault *f)
{
	bool tpu[2][SCALING_PUBLISHED] = {{0}}, gpu[2][SCALING_PUBLISHED] = {{0}};
	bool over_resolution[2][SCALING_PUBLISHED] = {{0}}, over_width[2][SCALING_PUBLISHED] = {{0}};
	char name[DISK_PATH];
	for (int stated = 0; stated < 2; stated++) {
		if (!asked->both && asked->ideal != !stated)
			continue;
		struct scaling_question q = {.format = asked->question.format, .batch = asked->question.batch, .device = name};
		snprintf(name, sizeof name, "%s%s", device, stated ? "" : ":ideal");
		for (int level = FIRST_LEVEL; level < SCALING_PUBLISHED; level++) {
			struct family_level l;
			if (!find_level(&q, level, &l, f))
				return false;
			add_row(r, device, !stated, level, &l);
			tpu[stated][level] = l.line[1].ms < l.line[0].ms;
			gpu[stated][level] = l.line[2].ms < l.line[0].ms;
			over_resolution[stated][level] = l.power[DEPTH] < l.power[RESOLUTION];
			over_width[stated][level] = l.power[DEPTH] < l.power[WIDTH];
		}
	}
	conclude(r, device, "the TPU family is faster than the original", tpu, asked->both, asked->ideal);
	conclude(r, device, "the GPU family is faster than the original", gpu, asked->both, asked->ideal);
	conclude(r, device, "time grows less with depth than with resolution", over_resolution, asked->both, asked->ideal);
	conclude(r, device, "time grows less with depth than with width", over_width, asked->both, asked->ideal);
	return true;
}

bool scale_show_published(struct command_call *call, const struct scale_asked *asked, bool one_device, const char *csv)
{
	static const struct report_column column[] = {{"device", true}, {"efficiency", true}, {"level", true}, {"GMACs", false},
		{"MACs TPU", false}, {"MACs GPU", false}, {"ms", false}, {"ms TPU", false}, {"ms GPU", false}, {"fastest", true},
		{"depth^", false}, {"width^", false}, {"res^", false}, {"least", true}};
	static const char *const usual[] = {"tpu_v3", "v100"};
	struct report r;
	char plain[DISK_PATH];
	bool ok = true;
	report_begin(&r, column, sizeof column / sizeof *column);
	report_above(&r,
		"EfficientNet-X, levels 1 to 7: MACs and ms a batch of the original scaling, and the published TPU and GPU "
		"families as multiples of it");
	snprintf(plain, sizeof plain, "%s", asked->device);
	if (asked->ideal)
		plain[strlen(plain) - strlen(":ideal")] = '\0';
	for (size_t i = 0; ok && i < (one_device ? 1 : sizeof usual / sizeof *usual); i++)
		ok = add_device(&r, one_device ? plain : usual[i], asked, &call->fault);
	report_below(&r,
		"(depth^, width^, res^: time grows as MACs to this power, where the product d*w^2*r^2 of the original doubles by "
		"this multiple alone; claim their order and their sign against 1, no more. Accuracy is not in it.)");
	return report_end(&r, call, csv, ok);
}
