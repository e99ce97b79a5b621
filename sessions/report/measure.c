// SPDX-License-Identifier: GPL-3.0-or-later
// `calibrate` and `sensitivity NETWORK out=FILE`: what formats cost a network whose weights stay as they are, on images.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/signals.h"
#include "engine/measuring.h"
#include "sessions/report/question.h"
#include "sessions/report/report.h"

static const double INTERVAL = 1.96;   // standard errors on either side: 95 %
static const double SAVE_SECONDS = 20; // between savings of what was found so far
static const double PROGRESS_SECONDS = 0.5;

// What was asked for: settings, and beside them words of its own.
struct asked {
	struct config *config;
	struct question_formats formats;
	const char *out;
	double images;
};

static bool read_word(struct asked *a, char *word, struct fault *f)
{
	char *value = strchr(word, '=');
	if (!value)
		return question_add_format(&a->formats, word, "a format, or a setting as KEY=VALUE: init=, data=, images=", f);
	if (strncmp(word, "out=", 4) == 0) {
		a->out = value + 1;
		return *a->out || fault_set(f, word, "out=FILE.csv", "the file is not named");
	}
	if (strncmp(word, "images=", 7) == 0)
		return (number_read(value + 1, &a->images) && a->images >= 1 && a->images <= 1e6) ||
			fault_set(f, word, "a whole number from 1 up", "this many images cannot be scored");
	*value = 0;
	bool ok = config_set(a->config, word, value + 1, f);
	*value = '=';
	return ok;
}

static bool read_asked(struct command_call *call, struct asked *a, int narrowest)
{
	struct fault *f = &call->fault;
	if (call->context && strcmp(call->argv[0], ".") == 0)
		return fault_set(f, ".", "`export weights FILE`, then measure at the shell with init=FILE",
			"a session's network is not measured from here");
	if (call->context && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return fault_set(f, "measuring", "run it at the shell, as bitscape calibrate … or bitscape sensitivity …",
			"it takes its time, and nothing else would be done");
	if (!(a->config = config_new()))
		return fault_memory(f, "measuring");
	// Wider than a search's default, where there is nothing to hold in memory for training.
	bool ok = config_set(a->config, "net", call->argv[0], f) && config_set(a->config, "batch", "16", f);
	for (int i = 1; ok && i < call->argc; i++)
		ok = read_word(a, call->argv[i], f);
	question_usual_formats(&a->formats, narrowest);
	return ok;
}

static const char *with_interval(double value, double error, int digits, char buf[64])
{
	snprintf(buf, 64, "%.*f ±%.*f", digits, value, digits, INTERVAL * error);
	return buf;
}

static void say_what(struct string *t, const struct measuring_info *info)
{
	string_add(t, "%s on %ld images of %s, calibrated on %ld", info->net, info->images, info->data, info->calibration_images);
	if (!info->labelled)
		string_add(t, "; without labels: held against the network's own outputs in fp32");
}

// ---- calibrate ---------------------------------------------------------------------------------------------------------------

static bool add_format(struct report *r, struct measuring *m, const char *format, struct layer_range *range, struct fault *f)
{
	struct measured_choice c;
	char text[64];
	if (!measuring_choice(m, &(struct layer_formats){format, format}, 1, &c, range, f))
		return false;
	report_cell(r, "%s", format);
	report_cell(r, isnan(c.accuracy) ? "-" : "%.2f", c.accuracy);
	report_cell(r, "%s", with_interval(c.figure.lost, c.figure.lost_error, 2, text));
	report_cell(r, "%.2f", c.agreement);
	report_cell(r, "%s", with_interval(c.figure.kl, c.figure.kl_error, 5, text));
	return true;
}

static bool tell_ranges(struct command_call *call, const struct measuring_info *info, const struct layer_range *range)
{
	static const struct report_column columns[] = {{"layer", true}, {"weights", false}, {"input", false}};
	struct report r;
	report_begin(&r, columns, sizeof columns / sizeof *columns);
	report_above(&r, "the largest magnitude of each layer's weights, and the range of its input in fp32");
	for (int l = 0; l < info->layers; l++) {
		report_cell(&r, "%s", info->layer[l].name);
		report_cell(&r, "%.5g", (double)range[l].weight);
		report_cell(&r, "%.5g", (double)range[l].activation);
	}
	return report_end(&r, call, NULL, true);
}

static bool calibrate(struct command_call *call, const struct asked *a)
{
	static const struct report_column columns[] = {{"all layers", true}, {"accuracy", false}, {"points lost", false},
		{"agrees with fp32", false}, {"divergence, nats", false}};
	struct fault *f = &call->fault;
	struct measuring *m = measuring_open(a->config, a->formats.name, a->formats.count, (long)a->images, f);
	const struct measuring_info *info = m ? measuring_info(m) : NULL;
	struct layer_range *range = m ? calloc((size_t)info->layers + 1, sizeof *range) : NULL;
	bool ok = range || (m && fault_memory(f, "calibrate"));
	struct string above = {0};
	struct report r;
	if (ok) {
		report_begin(&r, columns, sizeof columns / sizeof *columns);
		say_what(&above, info);
		report_above(&r, "%s", above.bytes ? above.bytes : "");
		report_below(&r, "Each calibrated for itself. ±: a 95 %% interval from the images.");
		for (int i = a->formats.count - 1; ok && i >= 0; i--)
			ok = add_format(&r, m, a->formats.name[i], NULL, f);
		ok = ok && add_format(&r, m, "fp32", range, f);
		ok = report_end(&r, call, a->out, ok) && ok;
		ok = ok && tell_ranges(call, info, range);
	}
	string_free(&above);
	free(range);
	measuring_free(m);
	return ok;
}

bool run_calibrate(struct command_call *call)
{
	struct asked a = {0};
	bool ok = read_asked(call, &a, 4) && calibrate(call, &a);
	if (a.config)
		config_free(a.config);
	return ok;
}

// ---- sensitivity -------------------------------------------------------------------------------------------------------------

struct progress {
	double began, shown, saved;
	long first; // units that were done before
	bool terminal;
};

static void show(struct progress *p, const struct measuring_info *info)
{
	double now = clock_seconds(), made = (double)(info->done - p->first), left = (double)(info->units - info->done);
	if (!p->terminal || now - p->shown < PROGRESS_SECONDS)
		return;
	p->shown = now;
	fprintf(stderr, "\r\033[K%.0f %% of %d layers on %ld images, %.0f s left", 100 * (double)info->done / (double)info->units,
		info->layers, info->images, made > 0 ? (now - p->began) / made * left : 0);
	fflush(stderr);
}

// Until all is done or a signal comes; what was found is kept in `part` all the while. *stopped: the signal.
static bool scan(struct measuring *m, const char *part, int *stopped, struct fault *f)
{
	const struct measuring_info *info = measuring_info(m);
	double now = clock_seconds();
	struct progress p = {now, 0, now, info->done, isatty(STDERR_FILENO)};
	bool ok = true;
	*stopped = 0;
	while (ok && info->done < info->units && !(*stopped = signals_next())) {
		ok = measuring_advance(m, f);
		show(&p, info);
		if (ok && clock_seconds() - p.saved > SAVE_SECONDS) {
			ok = measuring_save(m, part, f);
			p.saved = clock_seconds();
		}
	}
	if (p.terminal)
		fputs("\r\033[K", stderr);
	if (ok && *stopped)
		ok = measuring_save(m, part, f);
	return ok;
}

static bool tell_scan(struct command_call *call, const struct measuring *m, double seconds)
{
	const struct measuring_info *info = measuring_info(m);
	struct report_column columns[1 + MEASURING_FORMATS] = {{"layer", true}};
	struct string above = {0};
	struct report r;
	char text[64];
	for (int k = 0; k < info->formats; k++)
		columns[1 + k] = (struct report_column){info->format[k], false};
	report_begin(&r, columns, 1 + info->formats);
	say_what(&above, info);
	report_above(&r, "%s; %.1f s. %s of fp32: %.2f %%", above.bytes ? above.bytes : "", seconds,
		info->labelled ? "Top-1" : "Agreement", measuring_top1(m));
	for (int l = 0; l < info->layers; l++)
		for (int half = 0; half < MEASURING_HALVES; half++) {
			report_cell(&r, "%s.%c", info->layer[l].name, half ? 'a' : 'w');
			for (int k = 0; k < info->formats; k++) {
				struct measured_figure g = measuring_figure(m, l, half, k);
				report_cell(&r, "%s", with_interval(g.lost, g.lost_error, 2, text));
			}
		}
	report_below(&r,
		"Points of %s lost with this half of the layer alone in the format; ±: a 95 %% interval from the images.",
		info->labelled ? "top-1" : "agreement with fp32");
	string_free(&above);
	return report_end(&r, call, NULL, true);
}

// The scan of an earlier call that was stopped goes on.
static bool take_up(struct command_call *call, struct measuring *m, const char *part)
{
	struct stat s;
	if (stat(part, &s))
		return true;
	if (!measuring_resume(m, part, &call->fault))
		return false;
	const struct measuring_info *info = measuring_info(m);
	call->say(call, "%s: goes on at %.0f %%", part, 100 * (double)info->done / (double)info->units);
	return true;
}

static bool measure(struct command_call *call, const struct asked *a)
{
	struct fault *f = &call->fault;
	char part[DISK_PATH];
	int stopped;
	if (snprintf(part, sizeof part, "%s.part", a->out) >= (int)sizeof part)
		return fault_set(f, "out", "name a shorter path", "the name is too long");
	double began = clock_seconds();
	struct measuring *m = measuring_open(a->config, a->formats.name, a->formats.count, (long)a->images, f);
	bool ours = m && !call->context && signals_open(false, f);
	bool ok = m && (ours || call->context) && take_up(call, m, part) && scan(m, part, &stopped, f);
	if (ok && stopped)
		ok = fault_set(f, a->out, "the same command goes on from there", "stopped by a signal at %.0f %%; kept in %.150s",
			100 * (double)measuring_info(m)->done / (double)measuring_info(m)->units, part);
	ok = ok && measuring_write(m, a->out, f) && tell_scan(call, m, clock_seconds() - began);
	if (ok) {
		remove(part);
		call->say(call, "wrote %s: sensitivity=%s searches it, with the same net=, init= and data=", a->out, a->out);
	}
	if (ours)
		signals_close();
	measuring_free(m);
	return ok;
}

bool run_scan(struct command_call *call)
{
	struct asked a = {0};
	bool ok = read_asked(call, &a, 2);
	if (ok && !a.out)
		ok = fault_set(&call->fault, "sensitivity", "add out=FILE.csv", "where the figures go is not said");
	ok = ok && measure(call, &a);
	if (a.config)
		config_free(a.config);
	return ok;
}
