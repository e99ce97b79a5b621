// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/additive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/search/sensitivity.h"

// Beforehand, in units of the variance of the noise: of the factor of what was hinted, of that which all decisions share of the shape, of what a decision's own differs from it
// by, and of each option beside the shape. Of a dozen that were tried on resnet8's and mobilenetv2's steps on CIFAR-10, the ones that
// foretold both best; half or twice as much makes little difference.
static const double FISHER = 4, COMMON = 0.5, SHAPE = 1, OWN = 0.01;
static const double HALF = 0.5;     // how much of the first qualities' differences is laid to the shape
static const double TRUSTED = 0.15; // the share of variance that is to be foretold, for what was learned to be taken at its word
static const double APART = 0.5;    // of each option of the architecture
static const double FADE = 0.001;   // of the way back to this, at each step
static const double HINT = 0.05;    // of the smoothing of hints
static const double MOST = 0.5;     // the most that it is taken to have fallen between two lessons
static const double STEADY = 0.02;  // of the smoothing of variances

enum { NOISE, RAW, LEFT, KNOWN, UNIT, HINTS, LEAST, NUMBERS };
enum { SETTLED = 24 }; // contrasts after which the variance of the noise is known well enough to follow it

struct additive {
	struct partition *partition; // its own: what the rows below stand for
	int options;                 // of the slot with the most: a row
	bool dense;
	int most;          // decisions x options there is room for
	float *shape;      // [slots][options]: -4^-bits, 0 to -1
	float *worth;      // [decisions][options]
	float *covariance; // dense: [n][n], n = decisions x options; else [decisions][options][options]; by the noise's variance
	float *hint;       // [slots][options]: what options lose by gradients, smoothed
	float *tried;      // [decisions][options]
	double *x, *gain;  // [n]: of the contrast in hand
	// The variance of the noise; of qualities within a step, before and after; how many contrasts; the unit; how many
	// hints; the least variance of the noise so far.
	float numbers[NUMBERS];
};

static size_t cells(const struct additive *a)
{
	size_t n = (size_t)a->partition->decisions * (size_t)a->options;
	return a->dense ? n * n : n * (size_t)a->options;
}

static bool of_formats(const struct additive *a, int decision)
{
	return space_of_format(a->partition->space, a->partition->decision[decision].first);
}

static const float *shape_of(const struct additive *a, int decision)
{
	return a->shape + a->partition->decision[decision].first * a->options;
}

static void take_layout(struct additive *a)
{
	a->dense = a->partition->decisions * a->options <= ADDITIVE_DENSE;
}

static float *entry(const struct additive *a, int d, int o, int p)
{
	size_t n = (size_t)a->partition->decisions * (size_t)a->options, m = (size_t)a->options, row = (size_t)d * m + (size_t)o;
	return a->covariance + (a->dense ? row * n + (size_t)d * m + (size_t)p : row * m + (size_t)p);
}

// Into x what was hinted, of such a size that the narrowest options' mean square is 1, as the shape's is.
static void take_hints(struct additive *a)
{
	int decisions = a->partition->decisions, m = a->options, formats = 0;
	double squares = 0;
	for (int d = 0; d < decisions; d++)
		formats += of_formats(a, d);
	for (int d = 0; d < decisions; d++) {
		additive_hinted(a, d, a->x + d * m);
		for (int o = a->partition->decision[d].options; o < m; o++)
			a->x[d * m + o] = 0;
		squares += a->x[d * m] * a->x[d * m] / formats;
	}
	for (int k = 0; k < decisions * m; k++)
		a->x[k] *= squares > 0 ? 1 / sqrt(squares) : 0;
}

// Adds `share` of the covariance beforehand.
static void add_before(struct additive *a, double share)
{
	int decisions = a->partition->decisions, m = a->options, n = decisions * m;
	take_hints(a);
	for (int d = 0; d < decisions; d++) {
		const float *mine = shape_of(a, d); // zero of the architecture
		double own = of_formats(a, d) ? OWN : APART;
		for (int e = a->dense ? 0 : d; e < (a->dense ? decisions : d + 1); e++) {
			const float *theirs = shape_of(a, e);
			double shape = share * (COMMON + (e == d ? SHAPE : 0)), fisher = share * FISHER;
			float *to = a->covariance +
				(a->dense ? (size_t)d * (size_t)(m * n) + (size_t)(e * m) : (size_t)(d * m * m));
			for (int o = 0; o < m; o++, to += a->dense ? n : m)
				for (int p = 0; p < m; p++)
					to[p] += (float)(shape * (double)mine[o] * (double)theirs[p] +
						fisher * a->x[d * m + o] * a->x[e * m + p] +
						(e == d && o == p ? share * own : 0));
		}
	}
}

static void forget(struct additive *a)
{
	memset(a->covariance, 0, cells(a) * sizeof *a->covariance);
	add_before(a, 1);
	memset(a->tried, 0, (size_t)a->most * sizeof *a->tried);
}

static void forget_all(struct additive *a)
{
	memset(a->worth, 0, (size_t)a->most * sizeof *a->worth);
	memset(a->numbers, 0, sizeof a->numbers);
	forget(a);
}

struct additive *additive_new(const struct partition *partition, struct fault *fault)
{
	struct additive *a = calloc(1, sizeof *a);
	const struct space *s = partition->space;
	if (!a) {
		fault_memory(fault, "additive model");
		return NULL;
	}
	for (int i = 0; i < s->slots; i++)
		a->options = s->slot[i].options > a->options ? s->slot[i].options : a->options;
	a->most = s->slots * a->options;
	size_t n = (size_t)a->most, dense = n < ADDITIVE_DENSE ? n : ADDITIVE_DENSE, blocks = n * (size_t)a->options;
	a->shape = calloc(n, sizeof *a->shape);
	a->worth = calloc(n, sizeof *a->worth);
	a->tried = calloc(n, sizeof *a->tried);
	a->hint = calloc(n, sizeof *a->hint);
	a->covariance = calloc(dense * dense > blocks ? dense * dense : blocks, sizeof *a->covariance);
	a->x = calloc(n, sizeof *a->x);
	a->gain = calloc(n, sizeof *a->gain);
	if (!a->shape || !a->worth || !a->tried || !a->hint || !a->covariance || !a->x || !a->gain ||
		!(a->partition = partition_new(s, fault))) {
		additive_free(a);
		fault_memory(fault, "additive model");
		return NULL;
	}
	partition_copy(a->partition, partition);
	for (int i = 0; i < s->formats; i++)
		for (int o = 0; o < s->options; o++)
			a->shape[i * a->options + o] = -(float)pow(4,
				sensitivity_bits(s->format[0]) - sensitivity_bits(s->format[o]));
	take_layout(a);
	forget(a);
	return a;
}

void additive_free(struct additive *a)
{
	if (!a)
		return;
	partition_free(a->partition);
	free(a->shape);
	free(a->worth);
	free(a->tried);
	free(a->hint);
	free(a->covariance);
	free(a->x);
	free(a->gain);
	free(a);
}

bool additive_follows(const struct additive *a, const struct partition *p)
{
	return memcmp(a->partition->decision_of, p->decision_of, (size_t)p->space->slots * sizeof *p->decision_of) == 0;
}

static void regroup(struct additive *a, const struct partition *next)
{
	const struct partition *now = a->partition;
	int slots = now->space->slots, m = a->options;
	memset(a->x, 0, (size_t)a->most * sizeof *a->x);
	for (int i = 0; i < slots; i++) {
		int from = now->decision_of[i], shared = 0;
		for (int k = now->decision[from].first; k >= 0; k = now->next[k])
			shared++;
		for (int o = 0; o < m; o++)
			a->x[next->decision_of[i] * m + o] += (double)a->worth[from * m + o] / shared;
	}
	for (int k = 0; k < a->most; k++)
		a->worth[k] = (float)a->x[k];
	partition_copy(a->partition, next);
	take_layout(a);
	forget(a);
}

void additive_follow(struct additive *a, const struct partition *next, int unit)
{
	if (!additive_follows(a, next))
		regroup(a, next);
	if ((int)a->numbers[UNIT] != unit)
		forget_all(a);
	a->numbers[UNIT] = (float)unit;
}

void additive_refollow(struct additive *a, const struct partition *p)
{
	partition_copy(a->partition, p);
	take_layout(a);
}

void additive_copy(struct additive *to, const struct additive *from)
{
	additive_refollow(to, from->partition);
	size_t n = (size_t)from->partition->decisions * (size_t)from->options;
	memcpy(to->worth, from->worth, n * sizeof *to->worth);
	memcpy(to->tried, from->tried, n * sizeof *to->tried);
	memcpy(to->numbers, from->numbers, sizeof to->numbers);
	memcpy(to->covariance, from->covariance, cells(from) * sizeof *to->covariance);
	memcpy(to->hint, from->hint, (size_t)from->most * sizeof *to->hint);
}

// ---- hints ----

void additive_hint(struct additive *a, const double *lost)
{
	double by = fmax(HINT, 1 / (1 + (double)a->numbers[HINTS]));
	for (int k = 0; k < a->most; k++)
		if (!isnan(lost[k]))
			a->hint[k] += (float)(by * (lost[k] - (double)a->hint[k]));
	a->numbers[HINTS]++;
	if (!(a->numbers[KNOWN] > 0))
		forget(a); // the first lesson is still to come
}

bool additive_has_hints(const struct additive *a)
{
	return a->numbers[HINTS] > 0;
}

void additive_hinted(const struct additive *a, int decision, double *worth)
{
	const struct partition *p = a->partition;
	for (int o = 0; o < p->decision[decision].options; o++) {
		worth[o] = 0;
		for (int i = p->decision[decision].first; i >= 0; i = p->next[i])
			worth[o] -= (double)a->hint[i * a->options + o];
	}
}

// ---- lessons ----

// By how much the noise's variance has fallen since the last lesson below all that it was, as a share; 0: it has not. A network that trains on
// is less and less noisy, and what was learned under more noise is less certain by as much.
static double fallen(struct additive *a)
{
	double least = (double)a->numbers[LEAST], now = (double)a->numbers[NOISE];
	if (a->numbers[KNOWN] < SETTLED || (least > 0 && now >= least))
		return 0;
	a->numbers[LEAST] = a->numbers[NOISE];
	return least > 0 ? fmin(MOST, 1 - now / least) : 0;
}

static void fade(struct additive *a)
{
	double fell = fallen(a), share = fmax(FADE, fell);
	for (int k = 0; fell > 0 && k < a->partition->decisions * a->options; k++)
		a->worth[k] *= (float)sqrt(1 - fell);
	for (size_t k = 0; k < cells(a); k++)
		a->covariance[k] *= (float)(1 - share);
	add_before(a, share);
	for (int k = 0; k < a->partition->decisions * a->options; k++)
		a->tried[k] *= (float)(1 - FADE);
}

// gain = covariance times x; x's covariance.
static double gain_of(struct additive *a)
{
	int decisions = a->partition->decisions, m = a->options, n = decisions * m, width = a->dense ? n : m;
	double sum = 0;
	memset(a->gain, 0, (size_t)n * sizeof *a->gain);
	for (int k = 0; k < n; k++) {
		if (a->x[k] == 0)
			continue;
		const float *row = a->covariance + (size_t)k * (size_t)width;
		double *to = a->gain + (a->dense ? 0 : k / m * m), by = a->x[k];
		for (int j = 0; j < width; j++)
			to[j] += by * (double)row[j];
	}
	for (int k = 0; k < n; k++)
		sum += a->x[k] * a->gain[k];
	return sum;
}

// One observation: the qualities' contrast is x times the worths, with noise.
static void update(struct additive *a, double contrast)
{
	int decisions = a->partition->decisions, m = a->options, n = decisions * m, width = a->dense ? n : m;
	double spread = 1 + fmax(0, gain_of(a)), missed = contrast;
	for (int k = 0; k < n; k++)
		missed -= a->x[k] * (double)a->worth[k];
	for (int k = 0; k < n; k++) {
		float *row = a->covariance + (size_t)k * (size_t)width, by = (float)(a->gain[k] / spread);
		const double *gain = a->gain + (a->dense ? 0 : k / m * m);
		a->worth[k] += (float)(a->gain[k] / spread * missed);
		for (int j = 0; j < width; j++)
			row[j] -= by * (float)gain[j];
	}
	double steady = fmax(STEADY, 1 / (1 + (double)a->numbers[KNOWN]));
	a->numbers[NOISE] += (float)(steady * (missed * missed / spread - (double)a->numbers[NOISE]));
	a->numbers[RAW] += (float)(steady * (contrast * contrast - (double)a->numbers[RAW]));
	a->numbers[LEFT] += (float)(steady * (missed * missed - (double)a->numbers[LEFT]));
	a->numbers[KNOWN]++;
}

// The first lesson gives the unit: options are worth what the shape says, by half the factor by which the choices' qualities are as far
// apart as their shapes' sums. So where all that follows is noise, formats are foretold to differ by their rounding errors, and not by
// the noise.
static void take_unit(struct additive *a, int count, const uint8_t *choice, const double *quality)
{
	const struct partition *p = a->partition;
	double sum[2] = {0}, squares[2] = {0};
	for (int i = 0; i < count; i++) {
		double x[2] = {quality[i], 0};
		for (int d = 0; d < p->decisions; d++)
			if (of_formats(a, d) && partition_there(p, d, choice + i * p->space->slots))
				x[1] += (double)shape_of(a, d)[choice[i * p->space->slots + p->decision[d].first]];
		for (int k = 0; k < 2; k++) {
			sum[k] += x[k] / count;
			squares[k] += x[k] * x[k] / count;
		}
	}
	double of_quality = squares[0] - sum[0] * sum[0], of_shape = squares[1] - sum[1] * sum[1];
	for (int d = 0; of_shape > 1e-12 && of_quality > 0 && d < p->decisions; d++)
		for (int o = 0; of_formats(a, d) && o < p->decision[d].options; o++)
			a->worth[d * a->options + o] = (float)(HALF * sqrt(of_quality / of_shape)) * shape_of(a, d)[o];
}

// The contrasts of a step's choices: each against the mean of those before it (Helmert), which are independent where their noises are.
void additive_learn(struct additive *a, int count, const uint8_t *choice, const double *quality)
{
	const struct partition *p = a->partition;
	int slots = p->space->slots, m = a->options;
	if (count < 2)
		return;
	if (!(a->numbers[KNOWN] > 0))
		take_unit(a, count, choice, quality);
	fade(a);
	for (int i = 1; i < count; i++) {
		double scale = sqrt(i / (i + 1.0)), contrast = quality[i];
		memset(a->x, 0, (size_t)(p->decisions * m) * sizeof *a->x);
		for (int j = 0; j <= i; j++)
			for (int d = 0; d < p->decisions; d++)
				if (partition_there(p, d, choice + j * slots))
					a->x[d * m + choice[j * slots + p->decision[d].first]] += j == i ? scale : -scale / i;
		for (int j = 0; j < i; j++)
			contrast -= quality[j] / i;
		update(a, scale * contrast);
	}
	for (int i = 0; i < count; i++)
		for (int d = 0; d < p->decisions; d++)
			if (partition_there(p, d, choice + i * slots))
				a->tried[d * m + choice[i * slots + p->decision[d].first]]++;
}

// ---- what it says ----

double additive_value(const struct additive *a, const uint8_t *choice)
{
	const struct partition *p = a->partition;
	double sum = 0;
	for (int d = 0; d < p->decisions; d++)
		if (partition_there(p, d, choice))
			sum += (double)a->worth[d * a->options + choice[p->decision[d].first]];
	return sum;
}

void additive_worth(const struct additive *a, int decision, double *worth)
{
	for (int o = 0; o < a->partition->decision[decision].options; o++)
		worth[o] = (double)a->worth[decision * a->options + o];
}

// The factor of the shape in what was learned, over all formats and against the widest of each decision.
static double factor_of_shape(const struct additive *a)
{
	double both = 0, shapes = 0, worths = 0;
	for (int d = 0; d < a->partition->decisions; d++) {
		const float *shape = shape_of(a, d), *worth = a->worth + d * a->options;
		int widest = a->partition->decision[d].options - 1;
		for (int o = 0; of_formats(a, d) && o < widest; o++) {
			double x = (double)(shape[o] - shape[widest]), y = (double)(worth[o] - worth[widest]);
			both += x * y;
			shapes += x * x;
			worths += y * y;
		}
	}
	return both > 0 ? both / shapes : shapes > 0 ? sqrt(worths / shapes) : 0;
}

void additive_trusted(const struct additive *a, double *worth)
{
	double foretold = additive_foretold(a), trust = isnan(foretold) ? 0 : fmin(1, fmax(0, foretold / TRUSTED));
	double of_shape = trust < 1 ? (1 - trust) * factor_of_shape(a) : 0;
	for (int d = 0; d < a->partition->decisions; d++) {
		double *mine = worth + d * a->options, shape = of_formats(a, d) ? of_shape : 0;
		additive_worth(a, d, mine);
		for (int o = 0; o < a->partition->decision[d].options; o++)
			mine[o] = trust * mine[o] + shape * (double)shape_of(a, d)[o];
	}
}

double additive_error(const struct additive *a, int decision, int option, int other)
{
	double variance = (double)*entry(a, decision, option, option) + (double)*entry(a, decision, other, other) -
		2 * (double)*entry(a, decision, option, other);
	return a->numbers[KNOWN] > 0 ? sqrt(fmax(0, variance) * (double)a->numbers[NOISE]) : (double)INFINITY;
}

double additive_tried(const struct additive *a, int decision, int option)
{
	return (double)a->tried[decision * a->options + option];
}

double additive_foretold(const struct additive *a)
{
	return a->numbers[RAW] > 0 ? 1 - (double)a->numbers[LEFT] / (double)a->numbers[RAW] : (double)NAN;
}

void additive_arrays(struct additive *a, struct state_array array[ADDITIVE_ARRAYS])
{
	long n = (long)a->partition->decisions * a->options;
	array[0] = (struct state_array){"worth", a->worth, n};
	array[1] = (struct state_array){"tried", a->tried, n};
	array[2] = (struct state_array){"numbers", a->numbers, NUMBERS};
	array[4] = (struct state_array){"hint", a->hint, a->most};
	array[3] = (struct state_array){"covariance", a->covariance, (long)cells(a)};
}
