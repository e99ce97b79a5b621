// SPDX-License-Identifier: GPL-3.0-or-later
// `describe NET counters`: a network's multiply-accumulates beside what other tools print, each difference by its reasons.
#include <math.h>

#include "sessions/report/question.h"
#include "sessions/report/report.h"

// "1,819,065,856": a person who comes with a number seeks it digit by digit.
static const char *exact(double value, bool sign, char buf[48])
{
	char digits[32];
	int length = snprintf(digits, sizeof digits, "%.0f", fabs(value)), used = 0;
	if (value < 0 || sign)
		buf[used++] = value < 0 ? '-' : '+';
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	buf[used] = 0;
	return buf;
}

static void add_counter(struct report *r, const struct counted *c, double ours)
{
	char count[48], difference[48], part[48];
	struct string why = {0};
	for (int p = 0; p < c->parts; p++)
		string_add(&why, "%s%s %s", p ? ", " : "", exact(c->part[p].count, true, part), c->part[p].what);
	report_cell(r, "%s", c->name);
	report_cell(r, "%s", c->variant);
	report_cell(r, "%s", exact(c->count, false, count));
	report_cell(r, "%s", fabs(c->count - ours) > 0 ? exact(c->count - ours, true, difference) : "-");
	report_cell(r, "%s", why.bytes ? why.bytes : "the same");
	string_free(&why);
}

static bool add_counters(const struct description *d, void *context, struct fault *f)
{
	static const struct report_column columns[] = {
		{"counter", true}, {"how", true}, {"MACs", false}, {"to ours", false}, {"of which", true}};
	struct command_call *call = context;
	const struct description_info *info = description_info(d);
	const double ours = info->macs + info->attention_macs;
	struct report r;
	struct counted c;
	char layers[48], products[48];
	report_begin(&r, columns, sizeof columns / sizeof *columns);
	report_above(&r, "%s: %s MACs of layers and %s of attention's products, for one image of %dx%d", info->name,
		exact(info->macs, false, layers), exact(info->attention_macs, false, products), info->h, info->w);
	for (int i = 0; description_counted(d, i, &c); i++)
		add_counter(&r, &c, ours);
	report_below(&r,
		"By the counters' rules for a network of this description in eval mode. Nobody leaves out products with padding. qonnx's default");
	report_below(&r,
		"leaves out products with codes that are 0. FLOPs are twice these; calflops adds biases, norms and activations to its FLOPs.");
	(void)f;
	return report_end(&r, call, NULL, true);
}

bool run_counters(struct command_call *call)
{
	return question_each_network(call->argv[0], add_counters, call, &call->fault);
}
