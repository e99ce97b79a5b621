// SPDX-License-Identifier: GPL-3.0-or-later
// `plot`: a figure of the present, drawn by gnuplot into a file.
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plots/plots.h"
#include "plots/script.h"

static const double page_cm = 16;
static const char axis_key[] = "axis="; // the axis of accuracies

struct wish {
	const struct figure_kind *kind;
	const struct picture_format *format;
	int slot;         // as figure_source has it
	const char *file; // NULL: to be made up
	bool keep;
	double width_cm, font_points; // font 0: what suits the width
	enum accuracy_axis accuracy;
};

// What is to be drawn: one figure, or all; by a copy where it has to wait for what it shows.
struct task {
	const struct plot_context *context;
	struct command_call *call; // NULL: the command is over, and what is to be said goes to the session
	struct wish wish;
	char file[4096]; // of the one figure, or the folder of all
};

// WORDcm, WORDmm, WORDin or WORDpt, in cm or in points. False with a fault.
static bool read_length(const char *word, const char *text, bool points, double *value, struct fault *f)
{
	static const struct {
		const char *unit;
		double cm;
	} units[] = {{"cm", 1}, {"mm", 0.1}, {"in", 2.54}, {"pt", 2.54 / 72}};
	char number[32];
	const size_t length = strlen(text);
	for (size_t i = 0; i < sizeof units / sizeof *units && length > 2 && length < sizeof number; i++) {
		if (strcmp(text + length - 2, units[i].unit) != 0)
			continue;
		snprintf(number, sizeof number, "%.*s", (int)(length - 2), text);
		if (!number_read(number, value) || !(*value > 0))
			break;
		*value *= units[i].cm / (points ? 2.54 / 72 : 1);
		return true;
	}
	return fault_set(f, word, "write width=8cm (a column) or 16cm (a page), font=8pt", "cannot be read as a length");
}

// width=8cm, font=8pt. Returns false where the word is another one; *ok: it could be read.
static bool read_size(const char *word, double *width_cm, double *font_points, bool *ok, struct fault *f)
{
	if (strncmp(word, "width=", 6) == 0)
		*ok = read_length(word, word + 6, false, width_cm, f);
	else if (strncmp(word, "font=", 5) == 0)
		*ok = read_length(word, word + 5, true, font_points, f);
	else
		return false;
	return true;
}

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

// The slot that a word means: of one layer, and decided as one, but that of its inputs may be decided apart. Returns false if it means none;
// *ok: it means only one.
static bool read_slot(const struct snapshot *now, const char *word, int *slot, bool *ok, struct fault *f)
{
	bool *meant = calloc((size_t)now->slots + 1, sizeof *meant), any = false;
	*ok = meant || fault_memory(f, word);
	if (meant && snapshot_meant(now, word, NULL, meant))
		for (int i = 0; *ok && i < now->slots; i++) {
			const int first = *slot - 1;
			if (!meant[i])
				continue;
			if (!any)
				*slot = i + 1;
			else if (now->slot[i].decision != now->slot[first].decision &&
				(now->info->slot[i].layer < 0 || now->info->slot[i].layer != now->info->slot[first].layer))
				*ok = fault_set(f, word, "name one: the figure is about one", "it means several layers");
			any = true;
		}
	free(meant);
	return any || !*ok;
}

static bool name_kinds(const char *word, struct fault *f)
{
	char names[200] = "choose one of";
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : " ", kinds[i].name);
	}
	return fault_set(f, word, names, "there is no such figure");
}

static bool read_accuracy(const char *word, const struct figure_kind *kind, enum accuracy_axis *axis, struct fault *f)
{
	static const char *const names[] = {
		[ACCURACY_BY_DATA] = "", [ACCURACY_LINEAR] = "linear", [ACCURACY_LOG] = "log", [ACCURACY_LOGIT] = "logit"};
	if (!kind->of_accuracy)
		return fault_set(f, word, "leave it out", "%s has no axis of accuracies", kind->name);
	for (size_t i = ACCURACY_LINEAR; i < sizeof names / sizeof *names; i++)
		if (strcmp(word + strlen(axis_key), names[i]) == 0) {
			*axis = (enum accuracy_axis)i;
			return true;
		}
	return fault_set(f, word, "write axis=linear, axis=log or axis=logit", "an axis of accuracies cannot be so");
}

// FIGURE, a layer where it is about one, then in any order a format, a file, `keep`.
static bool read_wish(const struct command_call *call, const struct snapshot *now, struct wish *w, struct fault *f)
{
	bool ok;
	*w = (struct wish){.kind = figure_kind_named(call->argv[0]), .width_cm = page_cm};
	if (!w->kind)
		return name_kinds(call->argv[0], f);
	int first = 1;
	if (w->kind->of_slot && call->argc > 1 && read_slot(now, call->argv[1], &w->slot, &ok, f)) {
		if (!ok)
			return false;
		first++;
	}
	for (int i = first; i < call->argc; i++) {
		const char *word = call->argv[i];
		const struct picture_format *format = picture_format_named(word, strlen(word));
		if (read_size(word, &w->width_cm, &w->font_points, &ok, f)) {
			if (!ok)
				return false;
		} else if (strncmp(word, axis_key, strlen(axis_key)) == 0) {
			if (!read_accuracy(word, w->kind, &w->accuracy, f))
				return false;
		} else if (format && !w->format)
			w->format = format;
		else if (!strcmp(word, "keep") && !w->keep)
			w->keep = true;
		else if (!w->file && strpbrk(word, "./"))
			w->file = word;
		else if (!w->file)
			return fault_set(f, word,
				"give svg, png or pdf, a file with its ending (bits.svg) or folder (./bits), or keep",
				w->kind->of_slot && i == first && first == 1
					? "it is neither a layer, a picture's format nor a file"
					: "it is neither a picture's format nor a file");
		else
			return fault_set(f, word,
				"usage: plot FIGURE [LAYER] [svg|png|pdf] [FILE] [keep] [width=8cm] [font=8pt] [axis=logit]",
				"one word too many");
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

// ---- tasks -----------------------------------------------------------------------------------------------------------

static void tell(const struct task *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct task *t, const char *format, ...)
{
	char text[8192];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (t->call)
		t->call->say(t->call, "%s", text);
	else
		t->context->say(t->context->session, text);
}

// Whether there is anything to see in it.
static bool drawn(const struct figure *f)
{
	bool any = false;
	for (int i = 0; f->heat && i < f->heat->rows * f->heat->columns; i++)
		any |= !isnan(f->heat->value[i]);
	for (int i = 0; i < f->series_count; i++)
		any |= f->series[i].count > 0;
	return any;
}

static bool request(const struct task *t, const struct figure *figure, const char *file, struct fault *f)
{
	return plotter_request(t->context->plotter,
		&(struct plot_request){.figure = figure,
			.format = t->wish.format->name,
			.file = file,
			.keep = t->wish.keep,
			.width_cm = t->wish.width_cm,
			.font_points = t->wish.font_points},
		f);
}

static bool draw_one(void *job, struct fault *f)
{
	const struct task *t = job;
	const struct figure_kind *kind = t->wish.kind;
	struct figure_source source;
	if (!t->context->source(t->context->session, &source, f))
		return false;
	source.slot = t->wish.slot;
	source.window.accuracy = t->wish.accuracy;
	struct figure *figure = kind->build(&source);
	if (!figure)
		return fault_memory(f, kind->name);
	bool ok = kind->of_errors && !drawn(figure)
		? fault_set(f, kind->name, "open a session that trains: data=glyphs, say", "there are no weights to look at here")
		: request(t, figure, t->file, f);
	figure_free(figure);
	if (ok)
		tell(t, "plotting %s to %s", kind->name, t->file);
	return ok;
}

// Asks for the source once for each picture: the session counts them.
static bool draw_kind(const struct task *t, const struct figure_kind *kind, struct figure_source *source, bool *asked, bool *any,
	struct fault *f)
{
	char file[sizeof t->file + 64];
	snprintf(file, sizeof file, "%s/%s.%s", t->file, kind->name, t->wish.format->name);
	if (!*asked && !t->context->source(t->context->session, source, f))
		return false;
	*asked = true;
	struct figure *figure = kind->build(source);
	if (!figure)
		return fault_memory(f, kind->name);
	*any = drawn(figure);
	bool ok = !*any || request(t, figure, file, f);
	*asked = !*any;
	figure_free(figure);
	return ok;
}

// Every figure that has something to show.
static bool draw_all(void *job, struct fault *f)
{
	const struct task *t = job;
	size_t count;
	const struct figure_kind *kinds = figure_kinds(&count);
	char without[256] = "";
	struct figure_source source;
	bool asked = false;
	int made = 0;
	for (size_t i = 0; i < count; i++) {
		bool any = false;
		size_t used = strlen(without);
		if (!draw_kind(t, &kinds[i], &source, &asked, &any, f))
			return false;
		made += any;
		if (!any)
			snprintf(without + used, sizeof without - used, "%s%s", used ? ", " : "", kinds[i].name);
	}
	tell(t, "plotting %d figures into %s%s%s", made, t->file, without[0] ? "; nothing to show yet: " : "", without);
	return true;
}

// Draws once somebody has looked at the layers.
static bool draw_later(const struct task *t, bool (*draw)(void *job, struct fault *), struct fault *f)
{
	if (!t->context->look)
		return fault_set(f, t->file, "plot it in a session that trains", "nobody looks at layers here");
	struct task *later = malloc(sizeof *later);
	if (!later)
		return fault_memory(f, t->file);
	*later = *t;
	later->call = NULL;
	if (t->context->look(t->context->session, draw, free, later, f))
		return true;
	free(later);
	return false;
}

// ---- commands --------------------------------------------------------------------------------------------------------

static bool run_plot(struct command_call *call)
{
	struct task t = {.context = call->context, .call = call};
	const struct plot_context *context = t.context;
	struct figure_source source;
	int size;
	if (!context->now(context->session, &source, &call->fault) || !read_wish(call, source.snapshot, &t.wish, &call->fault))
		return false;
	if (t.wish.file)
		size = snprintf(t.file, sizeof t.file, "%s", t.wish.file);
	else
		size = snprintf(t.file, sizeof t.file, "%s/%s.%s", context->folder(context->session), t.wish.kind->name,
			t.wish.format->name);
	if (size < 0 || (size_t)size >= sizeof t.file)
		return fault_set(&call->fault, t.wish.kind->name, "name another file", "its name is too long");
	return t.wish.kind->of_errors ? draw_later(&t, draw_one, &call->fault) : draw_one(&t, &call->fault);
}

static bool run_figures(struct command_call *call)
{
	struct task t = {
		.context = call->context, .call = call, .wish = {.format = picture_formats(&(size_t){0}), .width_cm = page_cm}};
	struct wish *w = &t.wish;
	struct figure_source source;
	if (strcmp(call->argv[0], "all") != 0)
		return fault_set(&call->fault, call->argv[0], "`plot FIGURE` draws one", "only all figures are drawn at once");
	for (int i = 2; i < call->argc; i++) {
		bool ok;
		if (read_size(call->argv[i], &w->width_cm, &w->font_points, &ok, &call->fault)) {
			if (!ok)
				return false;
		} else if (!(w->format = picture_format_named(call->argv[i], strlen(call->argv[i])))) {
			return fault_set(&call->fault, call->argv[i], "give svg, png or pdf, width=8cm, font=8pt",
				"no picture has this format");
		}
	}
	if ((size_t)snprintf(t.file, sizeof t.file, "%s", call->argv[1]) >= sizeof t.file)
		return fault_set(&call->fault, call->argv[1], "choose a shorter one", "the folder's name is too long");
	if (mkdir(t.file, 0777) != 0 && errno != EEXIST)
		return fault_set(&call->fault, t.file, "name another folder", "cannot be made: %s", strerror(errno));
	if (!t.context->now(t.context->session, &source, &call->fault))
		return false;
	return t.context->look && source.snapshot->info->train_images > 0 && source.snapshot->info->layers > 0
		? draw_later(&t, draw_all, &call->fault)
		: draw_all(&t, &call->fault);
}

static const struct command rows[] = {
	{
		.name = "plot",
		.kind = COMMAND_QUERY,
		.min = 1,
		.max = 8,
		.argument = {ARGUMENT_FIGURE, ARGUMENT_SHOWN, ARGUMENT_FILE, ARGUMENT_WORDS, ARGUMENT_WORDS, ARGUMENT_WORDS},
		.repeat = 1,
		.words = "- svg|png|pdf svg|png|pdf keep width=8cm|width=16cm font=8pt|axis=linear|axis=log|axis=logit",
		.usage = "FIGURE [LAYER] [svg|png|pdf] [FILE] [keep] [width=8cm] [font=8pt] [axis=linear|log|logit]",
		.help = "draw a figure with gnuplot (svg into the session's folder unless said; keep: FILE.gp and FILE.dat too)",
		.run = run_plot,
	},
	{
		.name = "figures",
		.kind = COMMAND_QUERY,
		.min = 2,
		.max = 5,
		.argument = {ARGUMENT_WORDS, ARGUMENT_FILE, ARGUMENT_WORDS, ARGUMENT_WORDS, ARGUMENT_WORDS},
		.words = "all - svg|png|pdf width=8cm|width=16cm font=8pt",
		.usage = "all FOLDER [svg|png|pdf] [width=8cm] [font=8pt]",
		.help = "draw every figure that has something to show into a folder",
		.run = run_figures,
	},
};

const struct command *plots_commands(size_t *count)
{
	*count = sizeof rows / sizeof rows[0];
	return rows;
}
