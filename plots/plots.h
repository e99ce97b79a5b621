// SPDX-License-Identifier: GPL-3.0-or-later
// Figures are built as data from what the engine publishes, then drawn by the built-in cell canvas or by gnuplot. This is the
// only plots header that sessions/ and ui/ include. Nothing here touches a terminal. Only one thread at a time may call it.
#ifndef PLOTS_PLOTS_H
#define PLOTS_PLOTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/catalog.h"
#include "engine/engine.h"

// ---- figures as data ---------------------------------------------------------------------------------------------------

// A place on a curve where a person changed something.
struct mark {
	long step;
	char text[64];
};

// Figures are built from this. All of it is borrowed.
struct figure_source {
	const struct snapshot *snapshot;
	const struct record *record; // steps 1..records; where there are several lanes, those of the lane that is shown
	long records;
	const uint8_t *modal; // modal option per slot, a row of slots per record
	const struct mark *mark;
	int marks;
	int term;  // which cost term the figure is about (index in the snapshot's terms)
	int layer; // the layer in hand: where a figure of layers has no room for all, it shows those around this one
	// Fills a roofline of the device that the term is about, which stays valid until the next call. Only the figure that shows it
	// asks, since it takes pricing. False, or a NULL pointer: there is no roofline.
	bool (*roofline)(void *session, int term, struct roofline *, struct fault *);
	void *session;
};

// The meaning of a series; canvas, themes and gnuplot each map it to a look. A meaning is never carried by colour alone:
// each has its own point symbol or line style.
enum figure_role {
	ROLE_MAIN,    // the searched quantity, the modal choice
	ROLE_SECOND,  // a second quantity
	ROLE_SAMPLED, // sampled choices
	ROLE_UNIFORM, // uniform choices, labelled
	ROLE_FRONT,   // the line through the non-dominated points
	ROLE_TARGET,  // a target line
	ROLE_MARK,    // a change that a person made
	ROLE_LANE,    // the points of a lane, where there are several: as many roles as a search has places for lanes
	ROLES = ROLE_LANE + ENGINE_LANES
};

enum series_kind { SERIES_LINE, SERIES_STEPS, SERIES_POINTS };
struct series {
	char name[ENGINE_NAME];
	enum series_kind kind;
	enum figure_role role;
	size_t count;
	double *x, *y;     // NaN in y: a gap
	char (*label)[16]; // per point, or NULL
	bool right;        // measured on the right axis
	bool estimated;    // its points were worked out, not measured: they have symbols of their own
	char sign;         // of its points in cells, instead of the role's symbol: a digit, say; 0: none
};

struct axis {
	char label[96]; // with the unit: "bit operations (G per image)"
	bool logarithmic;
	double low, high; // NaN: from the data
};

// A matrix drawn as a heat map: rows x columns of values in 0..1, NaN blank.
struct heat {
	int rows, columns;
	float *value; // rows*columns, row major
	char (*row)[ENGINE_NAME];
	double first, last; // x of the first and the last column
	char legend[128];   // what the values stand for: "int2 … int8"
	int levels;         // distinct values, for the legend
	char (*level)[16];  // their names, low to high
	int focus;          // the row that is shown where there is no room for all
};

struct line { // a straight line across the whole figure
	bool vertical;
	double at;
	enum figure_role role;
	char label[64];
};

struct figure {
	char title[128];
	struct axis x, y;
	int series_count;
	struct series *series;
	int line_count;
	struct line *line;
	struct heat *heat; // NULL: none
	struct axis right; // of the series that say so; an empty label: there is none
};
void figure_free(struct figure *);

// The table of figures: `plot NAME`.
struct figure_kind {
	const char *name; // "front", "bits", "curves", …
	const char *help;
	struct figure *(*build)(const struct figure_source *); // NULL: out of memory. Empty data give an empty figure.
	bool of_layer;                                         // it also depends on the layer in hand
};
const struct figure_kind *figure_kinds(size_t *count);
const struct figure_kind *figure_kind_named(const char *name); // NULL: no such figure

// ---- the cell canvas -----------------------------------------------------------------------------------------------------

enum canvas_glyphs { CANVAS_BRAILLE, CANVAS_BLOCK, CANVAS_ASCII };

struct cell {
	uint32_t glyph; // a Unicode code point of width 1; ' ' where empty
	uint8_t role;   // enum figure_role; ROLES: axes and text
	uint8_t level;  // heat maps: 1 + the value's level, 1..levels; else 0
};

// Draws the figure into width x height cells (row major, all written): data, axes with ticks at the left and below
// where there is room for them (below about 24x6: the data alone), labels of points where they do not collide.
void canvas_draw(const struct figure *, struct cell *, int width, int height, enum canvas_glyphs);

// Whether so many cells show all rows of a heat map, or there is none: then the drawing does not depend on the row in focus.
bool canvas_shows_all(const struct figure *, int width, int height);

// ---- gnuplot -------------------------------------------------------------------------------------------------------------

// A gnuplot child over pipes, started at the first figure, watched; started once more where it dies, ended where it hangs.
struct plotter;
struct plotter *plotter_new(const char *program); // usually "gnuplot"; NULL: out of memory. Starts nothing.
void plotter_free(struct plotter *);              // ends the child

struct plot_request {
	const struct figure *figure; // borrowed for the call
	const char *format;          // "svg", "png" or "pdf"
	const char *file;            // written under a temporary name in the same folder, then renamed
	bool keep;                   // leave FILE.gp and FILE.dat (front.svg: front.gp, front.dat) beside it: they rebuild it
	double width_cm;             // 8 or 16 usually
};
// Queues a picture; returns at once. False where the request itself is wrong (an unknown format, an unwritable folder).
bool plotter_request(struct plotter *, const struct plot_request *, struct fault *);
// For a poll loop: fills up to 3 entries, returns how many; *timeout_ms is lowered to the watchdog's next moment.
int plotter_fds(const struct plotter *, struct pollfd *, int *timeout_ms);
// Does what can be done without waiting: reads, writes, watches the clock.
void plotter_turn(struct plotter *);
bool plotter_busy(const struct plotter *);
// The next finished picture: true, with its file name, and ok or the fault (gnuplot missing, hung, died, complained).
bool plotter_done(struct plotter *, char *file, size_t size, bool *ok, struct fault *);
// Waits for all queued pictures, for at most `seconds`.
void plotter_finish(struct plotter *, double seconds);

// ---- commands --------------------------------------------------------------------------------------------------------------

// `plot`: the context is a struct plot_context.
struct plot_context {
	struct plotter *plotter;
	// Fills a source for the search's present; the memory stays valid until the next call.
	bool (*source)(void *session, struct figure_source *, struct fault *);
	// The folder for pictures without a name of their own.
	const char *(*folder)(void *session);
	void *session;
};
const struct command *plots_commands(size_t *count);

#endif
