// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/report/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"

enum { PICTURE_SECONDS = 60 };

bool report_picture(struct command_call *call, const struct figure *figure, const char *format, const char *file)
{
	struct plotter *plotter = plotter_new("gnuplot");
	struct plot_request request = {.figure = figure, .format = format, .file = file, .width_cm = 16};
	char done[DISK_PATH];
	bool ok = plotter ? plotter_request(plotter, &request, &call->fault) : fault_memory(&call->fault, file);
	if (ok) {
		plotter_finish(plotter, PICTURE_SECONDS);
		if (!plotter_done(plotter, done, sizeof done, &ok, &call->fault))
			ok = fault_set(&call->fault, file, "try again", "gnuplot has not drawn it in %d s", PICTURE_SECONDS);
	}
	plotter_free(plotter);
	if (ok)
		call->say(call, "drew %s", file);
	return ok;
}

bool report_picture_in(struct command_call *call, const struct figure *figure, const char *file)
{
	const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
	return dot ? report_picture(call, figure, dot + 1, file)
		   : fault_set(&call->fault, file, "end it in .svg, .png or .pdf", "it does not say what kind of picture");
}

void report_point(struct report_points *p, int group, double x, double y, const char *format, ...)
{
	if (p->count == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		struct figure_point *more = realloc(p->point, room * sizeof *more);
		if (!more) {
			p->failed = true;
			return;
		}
		p->point = more;
		p->room = room;
	}
	struct figure_point *to = &p->point[p->count++];
	*to = (struct figure_point){.group = group, .x = x, .y = y};
	va_list args;
	va_start(args, format);
	vsnprintf(to->label, sizeof to->label, format, args);
	va_end(args);
}

void report_range(struct report_points *p, double low, double high)
{
	if (p->failed || !p->count)
		return;
	p->point[p->count - 1].low = low;
	p->point[p->count - 1].high = high;
}

bool report_points_draw(struct report_points *p, struct command_call *call, const char *file, struct points_asked how, bool ok)
{
	how.point = p->point;
	how.count = p->count;
	if (ok && p->failed)
		ok = fault_memory(&call->fault, "the figure");
	struct figure *figure = ok && file ? figure_of_points(&how, &call->fault) : NULL;
	if (ok && file)
		ok = figure && report_picture_in(call, figure, file);
	figure_free(figure);
	free(p->point);
	*p = (struct report_points){0};
	return ok;
}
