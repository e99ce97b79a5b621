// SPDX-License-Identifier: GPL-3.0-or-later
// Figures are built as data from what the engine publishes, then drawn by the built-in cell canvas or by gnuplot. This is the
// only plots header that sessions/ and ui/ include. Nothing here touches a terminal. Only one thread at a time may use it.
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

// A choice that was trained alone, from nothing, with the search's network and data, in a process of its own.
struct trained_alone {
	const uint8_t *choice; // option per slot; what rests has its first
	long steps;
	bool under_way;            // what follows is not known yet
	double began;              // by clock_seconds
	double accuracy, test;     // on all held-out images, and on the test images; 0..1
	double cost[ENGINE_TERMS]; // by the present terms
};

// What was done at a step, or kept.
struct happening {
	long step;
	enum happening_kind { HAPPENED_CHANGE, HAPPENED_NOTE, HAPPENED_BRANCH, HAPPENED_SAVE } kind;
	char text[64]; // "target bops 0.4x", "lower than I thought", "branch 2, from branch 1", ""
};

// What every format of every layer does to its output, as a look found it.
struct layer_errors {
	long step; // it was made behind
	int images;
	const double *
		noise; // [layers][ENGINE_OPTIONS]: signal to noise in dB, by option of the layer's weight slot; INFINITY: exact; NAN: unknown
};

// A part of the cost axis that a person looks at. Zero: all of it, by the data.
struct figure_window {
	bool fixed;
	double low, high; // in the term's unit, low < high
	enum { WINDOW_BY_DATA, WINDOW_LOG, WINDOW_LINEAR } kind;
	double past; // the cost of a past step's choice, and that step; 0: none is shown
	long past_step;
	double target; // the target's line is drawn there, in the term's unit; 0: where it is
	// The axis of the accuracy: logit, log(p / (1 - p)), keeps 98 % and 99 % as far apart as 50 % and 67 %.
	enum accuracy_axis { ACCURACY_BY_DATA, ACCURACY_LINEAR, ACCURACY_LOG, ACCURACY_LOGIT } accuracy;
};

struct slice_question;
// Figures are built from this. All of it is borrowed.
struct figure_source {
	const struct snapshot *snapshot;
	const struct record *record; // steps 1..records; with several lanes, those of the lane shown
	long records;
	const uint8_t *modal; // the modal option per slot, one row per record
	const struct mark *mark;
	int marks;
	int term;  // the cost term that the figure is about (index in the snapshot's terms)
	int layer; // the layer in hand: a figure without room for all layers shows those around it
	int slot;  // from 1 on: the one that a figure of one slot is about; 0: the weights' of the layer in hand
	int point; // of the snapshot's points, from 1 on: the one in hand; 0: none
	struct figure_window window;       // of the front
	const struct trained_alone *alone; // [alones]
	int alones;
	const struct layer_errors *errors;  // NULL: nobody looked
	const struct slice_question *slice; // the slice that is looked at; NULL: none is
	// Fills a roofline of the term's device, which stays valid until the next call. Only the figure that shows it calls this,
	// since it has to price layers. False, or a NULL pointer: there is no roofline.
	bool (*roofline)(void *session, int term, struct roofline *, struct fault *);
	// Fills the times that were measured of the layers on the term's device, [layers of the roofline], NULL where it has none, likewise.
	bool (*measured)(void *session, int term, struct roofline *, const struct timed_layer **, struct fault *);
	// Returns the rows of the policy's probabilities that are kept of a slot, of the lane shown, by growing step; valid until the next
	// call. NULL, or a NULL pointer: there are none.
	const struct policy_row *(*policy)(void *session, int slot, int *rows);
	// Returns what was done, but for what was taken back, by growing step; valid until the next call. NULL, or a NULL pointer: nothing is known.
	const struct happening *(*happenings)(void *session, int *count);
	void *session;
};

// Returns how many records there are of steps up to this one.
long figure_records_to(const struct figure_source *, long step);
// Where records are drawn in columns, a stretch of them in each, returns the last one of a column's stretch.
long figure_record_of(long records, int columns, int column);

// The meaning of a series; canvas, themes and gnuplot each map it to a look. Colour alone never carries a meaning: each has its
// own point symbol or line style.
enum figure_role {
	ROLE_MAIN,    // the searched quantity, the modal choice
	ROLE_SECOND,  // a second quantity
	ROLE_SAMPLED, // sampled choices
	ROLE_UNIFORM, // uniform choices, labelled
	ROLE_FRONT,   // the line through the non-dominated points
	ROLE_TARGET,  // a target line
	ROLE_MARK,    // a change that a person made
	ROLE_LANE,    // points of a lane, if there are several; one role per place of a lane
	ROLES = ROLE_LANE + ENGINE_LANES
};

// Areas lie on each other, in the order of their series: an area reaches from the y of the one before it, or 0, up to its own. All have the
// same x; they have shades instead of roles.
enum series_kind { SERIES_LINE, SERIES_STEPS, SERIES_POINTS, SERIES_AREA };
struct series {
	char name[ENGINE_NAME];
	enum series_kind kind;
	enum figure_role role;
	size_t count;
	double *x, *y;     // NaN in y: a gap
	char (*label)[16]; // per point, or NULL
	bool right;        // measured on the right axis
	double *size;      // per point, what its sign's area stands for on a page, the largest 1; NULL: all are alike
	char size_of[32];  // what that is: "share of the time"
	bool estimated;    // its points are estimates, not measurements, and have their own symbols
	char sign;         // of its points in cells, instead of the role's symbol: a digit, say; 0: none
};

struct axis {
	char label[96]; // with the unit: "bit operations (G per image)"
	double unit;    // what its numbers are multiples of; 0: 1
	bool logarithmic;
	double whole;     // what its numbers are parts of, where it is a logit axis: 100, of percents; 0: it is none
	double low, high; // NaN: from the data
};

// A matrix drawn as a heat map: rows x columns of values in 0..1, NaN blank.
struct heat {
	int rows, columns;
	float *value; // rows*columns, row major
	char (*row)[ENGINE_NAME];
	double first, last; // x of the first and the last column
	int parts;          // its width falls into so many equal parts, which have names below in place of numbers; 0: numbers
	char (*part)[ENGINE_NAME];
	char legend[128];  // what the values mean: "int2 … int8"
	int levels;        // distinct values, for the legend
	char (*level)[16]; // their names, low to high
	int focus;         // the row to keep in view if there is no room for all
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
	int key_rows;      // most rows of the key that says what numbered marks are; 0: as usual
	struct axis right; // for the series with `right` set; an empty label: there is none
};
void figure_free(struct figure *);
// Returns how many levels its cells may be of: those of a heat map, or as many as there are areas.
int figure_levels(const struct figure *);

// The sign of a lane's points in cells: its number, or from 10 on a letter.
char figure_lane_sign(int number);

// The table of figures: `plot NAME`.
struct figure_kind {
	const char *name; // "front", "bits", "curves", …
	const char *help;
	struct figure *(*build)(const struct figure_source *); // NULL: out of memory. Empty data give an empty figure.
	bool of_layer;                                         // it depends on the layer in hand as well
	bool apart;                                            // not shown among the curves of a search
	bool of_layers;                                        // nor where a search has no layers
	bool of_slot;                                          // `plot NAME LAYER`: it is about one slot
	bool of_errors;                                        // somebody has to look at the layers before
	bool of_accuracy;                                      // `axis=`: it has an axis of accuracies
};
const struct figure_kind *figure_kinds(size_t *count);
const struct figure_kind *figure_kind_named(const char *name); // NULL: no such figure

// Trades of cost against accuracy, of one kind; all of it is borrowed.
struct trade {
	char name[ENGINE_NAME];
	enum figure_role role;
	bool line; // joined, as a front is
	int count;
	double *cost, *accuracy; // [count]; the cost in the unit, the accuracy in percent
	char (*label)[16];       // per point, or NULL
};
// All kinds over one cost axis, "TERM (M UNIT)". NULL: out of memory.
struct figure *figure_of_trades(const char *title, const char *term, const char *unit, const char *accuracy, const struct trade *,
	int trades);

// The quality of the sampled choices over the steps, or minus the loss, of several searches. NULL: out of memory.
struct figure *figure_of_qualities(const struct figure_source *, const char *const *name, int count);

// The formats of several choices side by side, a column each: of the layers of the first, which the others may lack. choice[i]: an option for
// each slot of info[i]. NULL: out of memory.
struct figure *figure_of_formats(const struct engine_info *const *info, const uint8_t *const *choice, const char *const *name,
	int count);

struct pod;
// How far the chips of a slice are from each other, and the load of its links by axis; regular and twisted if it can be both. NULL
// with a fault.
struct figure *figure_of_hops(const struct slice_question *, struct fault *);
struct figure *figure_of_loads(const struct slice_question *, struct fault *);
// What each link carries under the traffic that is asked for, plane by plane: right of a chip its link along z, below it that along y,
// between them that along x. From 1024 chips on a cell is a block of 4x4x4, and the fullest of its links. NULL with a fault.
struct figure *figure_of_links(const struct slice_question *, struct fault *);
// Points of several groups over two axes; all of it is borrowed.
struct figure_point {
	int group;
	double x, y;
	char label[16];   // "": none
	double low, high; // the range of y that is drawn behind it; both 0: none
};
struct points_asked {
	const char *title, *x, *y; // the axes, with their units
	bool log_x, log_y;
	const char *const *group; // their names
	int groups;
	const struct figure_point *point;
	size_t count;
	const char *line_text; // of a line at x = `line`; NULL: none
	double line;
	const char *level_text; // of a line at y = `level`; NULL: none
	double level;
	const char *ranges; // what the points' ranges are; NULL: they have none
	bool diagonal;      // both axes have one range, and a line shows where x = y
};
struct figure *figure_of_points(const struct points_asked *, struct fault *); // NULL with a fault
// Measured times against the model's, in microseconds, grouped by what bounds them: all that is asked for but the points. figure_bound gives
// the group of a bound's word; the first where it is none, or NULL.
struct points_asked figure_of_times(const char *title);
int figure_bound(const char *bound);

// Goodput against the size of a slice, by the availability of hosts, with switches and without. NULL with a fault.
struct figure *figure_of_goodput(const struct pod *, struct fault *);

// ---- the cell canvas -----------------------------------------------------------------------------------------------------

enum canvas_glyphs { CANVAS_BRAILLE, CANVAS_BLOCK, CANVAS_ASCII };

struct cell {
	uint32_t glyph; // a Unicode code point of width 1; ' ' where empty
	uint8_t role;   // enum figure_role; ROLES: axes and text
	uint8_t level;  // heat maps and areas: 1 + the level, 1..figure_levels; else 0
};

// Draws the figure into width x height cells (row major, all written): the data, axes with ticks at the left and below if there
// is room (below about 24x6 only the data), and those labels of points that do not collide.
void canvas_draw(const struct figure *, struct cell *, int width, int height, enum canvas_glyphs);

// Where a place of the data is among the cells of such a drawing, from 0 on; false: outside. And the x at the middle of a column; NAN: it is
// beside the data.
bool canvas_place(const struct figure *, int width, int height, double x, double y, int *column, int *row);
double canvas_x(const struct figure *, int width, int height, int column);

// Returns whether this size shows all rows of the heat map, or there is no heat map: the drawing then does not depend on the row
// in focus.
bool canvas_shows_all(const struct figure *, int width, int height);

// ---- inside a page -------------------------------------------------------------------------------------------------------

struct string;
// Adds the figure as an SVG element without script or link. Its parts have classes, so that the page's style gives the colours: `line`
// and `sign` with c0, c1, … by role, `axis`, `grid`, `mark`, `target`, and `h` for heat. Marks are numbered in their order.
void figure_svg(const struct figure *, struct string *);
// Adds text as XML has it.
void figure_svg_text(struct string *, const char *text);

// ---- gnuplot -------------------------------------------------------------------------------------------------------------

// A gnuplot child over pipes. It is started at the first figure and watched, started once more if it dies, and ended if it hangs.
struct plotter;
struct plotter *plotter_new(const char *program); // usually "gnuplot"; NULL: out of memory. Starts nothing.
void plotter_free(struct plotter *);              // ends the child

struct plot_request {
	const struct figure *figure; // borrowed for the call
	const char *format;          // "svg", "png" or "pdf"
	const char *file;            // written under a temporary name in the same folder, then renamed
	bool keep;                   // keep FILE.gp and FILE.dat, which rebuild it, beside it (front.svg: front.gp, front.dat)
	double width_cm;             // usually 8 or 16
	double font_points;          // size of the type; 0: what suits the width
};
// Queues a picture and returns at once. Returns false if the request itself is wrong (an unknown format, an unwritable folder).
bool plotter_request(struct plotter *, const struct plot_request *, struct fault *);
// For a poll loop: fills up to 3 entries and returns how many; lowers *timeout_ms to the time of the watchdog's next look.
int plotter_fds(const struct plotter *, struct pollfd *, int *timeout_ms);
// Does what can be done without waiting: reads, writes, watches the clock.
void plotter_turn(struct plotter *);
bool plotter_busy(const struct plotter *);
// Takes the next finished picture: returns true with its file name, and *ok or the fault (gnuplot is missing, hung, died or
// complained).
bool plotter_done(struct plotter *, char *file, size_t size, bool *ok, struct fault *);
// Waits for all queued pictures, for at most `seconds`.
void plotter_finish(struct plotter *, double seconds);

// ---- commands --------------------------------------------------------------------------------------------------------------

// The context of `plot`.
struct plot_context {
	struct plotter *plotter;
	// Fills a source with the present state of the search; the memory stays valid until the next call.
	bool (*now)(void *session, struct figure_source *, struct fault *);
	// The same, for a picture that is then asked of the plotter: the session counts them.
	bool (*source)(void *session, struct figure_source *, struct fault *);
	// Returns the folder for pictures without a name of their own.
	const char *(*folder)(void *session);
	// Sees to it that the source has `errors`: asks for a look at all layers, and calls draw(job) once it has come, or says why not; frees the
	// job by `drop` in any case. NULL: nobody can look. False with a fault: nothing was asked for, and the job is the caller's still.
	bool (*look)(void *session, bool (*draw)(void *job, struct fault *), void (*drop)(void *job), void *job, struct fault *);
	void (*say)(void *session, const char *text); // what is to be said by then
	void *session;
};
const struct command *plots_commands(size_t *count);

#endif
