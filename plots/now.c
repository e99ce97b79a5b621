// SPDX-License-Identifier: GPL-3.0-or-later
// A picture drawn at once, for answers that have no loop.
#include <stdio.h>
#include <string.h>

#include "plots/plots.h"

enum { SECONDS = 60 };

bool plot_now(const struct figure *figure, const char *file, struct fault *f)
{
	const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
	struct plot_request request = {.figure = figure, .format = dot ? dot + 1 : "", .file = file, .width_cm = 16};
	char done[4096];
	if (!dot)
		return fault_set(f, file, "end it in .svg, .png or .pdf", "says no picture's format");
	struct plotter *p = plotter_new("gnuplot");
	bool ok = p ? plotter_request(p, &request, f) : fault_memory(f, file);
	if (ok) {
		plotter_finish(p, SECONDS);
		if (!plotter_done(p, done, sizeof done, &ok, f))
			ok = fault_set(f, file, "try again", "gnuplot has not drawn it in %d s", SECONDS);
	}
	plotter_free(p);
	return ok;
}
