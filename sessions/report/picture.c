// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/report/picture.h"

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
