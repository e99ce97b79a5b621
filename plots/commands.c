// SPDX-License-Identifier: GPL-3.0-or-later
// `plot`: a figure of the present, drawn by gnuplot into a file.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "plots/plots.h"
#include "plots/script.h"

static const double page_cm = 16;

struct wish {
	const struct figure_kind *kind;
	const struct picture_format *format;
	const char *file; // NULL: to be made up
	bool keep;
};

// What stands behind the last dot of the file's own name; NULL: there is none.
static const char *named_ending(const char *file)
{
	const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
	return dot && dot[1] ? dot : NULL;
}

static const struct picture_format *format_by_ending(const char *file)
{
	const char *dot = named_ending(file);
	return dot ? picture_format_named(dot + 1, strlen(dot + 1)) : NULL;
}

// FIGURE, then in any order a format, a file, `keep`.
static bool read_wish(const struct command_call *call, struct wish *w, struct fault *f)
{
	*w = (struct wish){.kind = figure_kind_named(call->argv[0])};
	if (!w->kind) {
		char names[160] = "choose one of";
		size_t count;
		const struct figure_kind *kinds = figure_kinds(&count);
		for (size_t i = 0; i < count; i++) {
			size_t used = strlen(names);
			snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : " ", kinds[i].name);
		}
		return fault_set(f, call->argv[0], names, "there is no such figure");
	}
	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];
		const struct picture_format *format = picture_format_named(word, strlen(word));
		if (format && !w->format)
			w->format = format;
		else if (!strcmp(word, "keep") && !w->keep)
			w->keep = true;
		else if (!w->file && strpbrk(word, "./"))
			w->file = word;
		else if (!w->file)
			return fault_set(f, word,
				"give svg, png or pdf, a file with its ending (bits.svg) or folder (./bits), or keep",
				"it is neither a picture's format nor a file");
		else
			return fault_set(f, word, "usage: plot FIGURE [svg|png|pdf] [FILE] [keep]", "one word too many");
	}
	const struct picture_format *ending = w->file ? format_by_ending(w->file) : NULL;
	if (w->format && ending && ending != w->format)
		return fault_set(f, w->file, "leave out the format, or change the ending", "the file is not called %s",
			w->format->name);
	if (w->file && !w->format && !ending && named_ending(w->file))
		return fault_set(f, w->file, "end it in .svg, .png or .pdf, or give the format too",
			"no picture has this ending");
	if (!w->format)
		w->format = ending ? ending : picture_formats(&(size_t){0});
	return true;
}

static bool run_plot(struct command_call *call)
{
	const struct plot_context *context = call->context;
	struct wish w;
	struct figure_source source;
	if (!read_wish(call, &w, &call->fault) || !context->source(context->session, &source, &call->fault))
		return false;
	char made[4096];
	if (!w.file) {
		int size = snprintf(made, sizeof made, "%s/%s.%s", context->folder(context->session), w.kind->name,
			w.format->name);
		if (size < 0 || (size_t)size >= sizeof made)
			return fault_set(&call->fault, w.kind->name, "name a file", "the folder's name is too long");
		w.file = made;
	}
	struct figure *figure = w.kind->build(&source);
	if (!figure)
		return fault_memory(&call->fault, w.kind->name);
	bool ok = plotter_request(context->plotter,
		&(struct plot_request){
			.figure = figure, .format = w.format->name, .file = w.file, .keep = w.keep, .width_cm = page_cm},
		&call->fault);
	figure_free(figure);
	if (ok)
		call->say(call, "plotting %s to %s", w.kind->name, w.file);
	return ok;
}

// Whether there is anything to see in it.
static bool drawn(const struct figure *f)
{
	bool any = f->heat && f->heat->rows > 0;
	for (int i = 0; i < f->series_count; i++)
		any |= f->series[i].count > 0;
	return any;
}

// Asks for the source once for each picture: the session counts them.
static bool request(struct command_call *call, const struct figure_kind *kind, const struct picture_format *format,
	struct figure_source *source, bool *asked, bool *any)
{
	const struct plot_context *context = call->context;
	char file[4096];
	int size = snprintf(file, sizeof file, "%s/%s.%s", call->argv[1], kind->name, format->name);
	if (size < 0 || (size_t)size >= sizeof file)
		return fault_set(&call->fault, call->argv[1], "choose a shorter one", "the folder's name is too long");
	if (!*asked && !context->source(context->session, source, &call->fault))
		return false;
	*asked = true;
	struct figure *figure = kind->build(source);
	if (!figure)
		return fault_memory(&call->fault, kind->name);
	*any = drawn(figure);
	bool ok = !*any ||
		plotter_request(context->plotter,
			&(struct plot_request){.figure = figure, .format = format->name, .file = file, .width_cm = page_cm},
			&call->fault);
	*asked = !*any;
	figure_free(figure);
	return ok;
}

// Every figure that has something to show.
static bool run_figures(struct command_call *call)
{
	const struct picture_format *format = picture_formats(&(size_t){0});
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	char without[256] = "";
	struct figure_source source;
	bool asked = false;
	int made = 0;
	if (strcmp(call->argv[0], "all") != 0)
		return fault_set(&call->fault, call->argv[0], "`plot FIGURE` draws one", "only all figures are drawn at once");
	if (call->argc == 3 && !(format = picture_format_named(call->argv[2], strlen(call->argv[2]))))
		return fault_set(&call->fault, call->argv[2], "give svg, png or pdf", "no picture has this format");
	if (mkdir(call->argv[1], 0777) != 0 && errno != EEXIST)
		return fault_set(&call->fault, call->argv[1], "name another folder", "cannot be made: %s", strerror(errno));
	for (size_t i = 0; i < count; i++) {
		bool any = false;
		size_t used = strlen(without);
		if (!request(call, &kinds[i], format, &source, &asked, &any))
			return false;
		made += any;
		if (!any)
			snprintf(without + used, sizeof without - used, "%s%s", used ? ", " : "", kinds[i].name);
	}
	call->say(call, "plotting %d figures into %s%s%s", made, call->argv[1], without[0] ? "; nothing to show yet: " : "",
		without);
	return true;
}

static const struct command rows[] = {
	{
		.name = "plot",
		.kind = COMMAND_QUERY,
		.min = 1,
		.max = 4,
		.argument = {ARGUMENT_FIGURE, ARGUMENT_WORDS, ARGUMENT_FILE, ARGUMENT_WORDS},
		.words = "- svg|png|pdf - keep",
		.usage = "FIGURE [svg|png|pdf] [FILE] [keep]",
		.help = "draw a figure with gnuplot (svg into the session's folder unless said; keep: FILE.gp and FILE.dat too)",
		.run = run_plot,
	},
	{
		.name = "figures",
		.kind = COMMAND_QUERY,
		.min = 2,
		.max = 3,
		.argument = {ARGUMENT_WORDS, ARGUMENT_FILE, ARGUMENT_WORDS},
		.words = "all - svg|png|pdf",
		.usage = "all FOLDER [svg|png|pdf]",
		.help = "draw every figure that has something to show into a folder",
		.run = run_figures,
	},
};

const struct command *plots_commands(size_t *count)
{
	*count = sizeof rows / sizeof rows[0];
	return rows;
}
