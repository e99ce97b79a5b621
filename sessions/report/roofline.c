// SPDX-License-Identifier: GPL-3.0-or-later
// `roofline`: the time of one product of two matrices on a device, part by part, and the model against measured times.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/report/question.h"
#include "sessions/report/report.h"

// "MxNxK".
static bool read_sizes(const char *word, struct product_question *q, struct fault *f)
{
	double *const size[] = {&q->m, &q->n, &q->k};
	const char *at = word;
	int count = 0;
	while (*at && count < 3) {
		char number[16];
		size_t length = strcspn(at, "x");
		long value;
		if (length >= sizeof number)
			break;
		memcpy(number, at, length);
		number[length] = 0;
		if (!number_read_long(number, 1, 1000000000, &value))
			break;
		*size[count++] = (double)value;
		at += length;
		if (!*at || count == 3)
			break;
		at++;
	}
	return (count == 3 && !*at) ||
		fault_set(f, word,
			"write rows x columns x inner size, each a whole number from 1 to 1000000000, "
			"such as 1536x2048x2048",
			"these are not the sizes of a product");
}

static bool read_product(const struct command_call *call, struct product_question *q, struct fault *f)
{
	static const char usage[] = "usage: roofline MxNxK FORMAT on DEVICE [cold] [passes=1|3|6]";
	*q = (struct product_question){0};
	if (!read_sizes(call->argv[0], q, f))
		return false;
	if (call->argc < 4 || strcmp(call->argv[2], "on") != 0)
		return fault_set(f, "roofline", usage, "it needs a product, a format and a device");
	q->format = call->argv[1];
	q->device = call->argv[3];
	for (int i = 4; i < call->argc; i++) {
		const char *word = call->argv[i];
		long passes = 0;
		if (strcmp(word, "cold") == 0)
			q->cold = true;
		else if (strncmp(word, "passes=", 7) == 0 && number_read_long(word + 7, 1, 6, &passes) &&
			(passes == 1 || passes % 3 == 0))
			q->passes = (int)passes;
		else
			return fault_set(f, word, usage, "this is not one of its words");
	}
	return true;
}

static const char *micro(double seconds, char buf[32])
{
	snprintf(buf, 32, "%.4g us", 1e6 * seconds);
	return buf;
}

static void add_parts(struct string *t, const struct product_time *p)
{
	char time[32], number[32], operands[32], result[32];
	string_add(t, "compute  %10s  %s operations as %s on the %s unit, %.2f of its %s/s", micro(p->compute, time),
		number_write(p->operations, "", number, sizeof number), p->type, p->vector ? "vector" : "matrix", p->share,
		number_write(p->peak, "", result, sizeof result));
	if (p->passes)
		string_add(t, ", in %d pass%s of bf16", p->passes, p->passes == 1 ? "" : "es");
	string_add(t, p->padding > 1 ? "; padding makes it %.3g times the work\n" : "; nothing is padded\n", p->padding);
	string_add(t, "memory   %10s  %s of operands from %s, %s of result to the memory\n", micro(p->memory, time),
		number_write(p->operands, "B", operands, sizeof operands), p->on_chip ? "the chip" : "the memory",
		number_write(p->result, "B", result, sizeof result));
	string_add(t, "exposed  %10s  of the shorter of the two, which the longer does not hide\n", micro(p->exposed, time));
	string_add(t, "floor    %10s  that any kernel takes\n", micro(p->floor, time));
}

static bool run_product(struct command_call *call)
{
	struct product_question q;
	struct product_time p, cold;
	struct string t = {0};
	char time[32], rate[32];
	if (!read_product(call, &q, &call->fault) || !catalog_product(&q, &p, &call->fault))
		return false;
	string_add(&t, "%.0fx%.0fx%.0f %s on %s: %s, bound by %s; %s operations/s, %.3g %% of the peak%s\n", q.m, q.n, q.k,
		q.format, p.device, micro(p.seconds, time), p.bound,
		number_write(p.operations / p.seconds, "", rate, sizeof rate), 100 * p.operations / p.seconds / p.peak,
		p.assumed ? " (efficiencies are assumed)" : "");
	add_parts(&t, &p);
	q.cold = true;
	if (p.on_chip && catalog_product(&q, &cold, NULL))
		string_add(&t, "cold     %10s  in all, where the operands come from the memory\n", micro(cold.seconds, time));
	double measured = strcmp(p.device, "tpu_v4") == 0 && strcmp(q.format, "bf16") == 0
		? catalog_measured_product(q.m, q.n, q.k)
		: 0;
	if (measured > 0)
		string_add(&t, "measured %10s  on a TPU v4; the model says %.2f times that\n", micro(measured * 1e-6, time),
			1e6 * p.seconds / measured);
	return say_all(call, &t);
}

// ---- the model against times that were measured ----------------------------------------------------------------------

static bool add_errors(struct string *t, struct fault *f)
{
	for (int kind = 0; kind < MEASURED_KINDS; kind++)
		for (int fitted = 1; fitted >= 0; fitted--) {
			struct measured_error e;
			const char *name;
			if (!catalog_measured_error(kind, fitted, &e, &name, f))
				return false;
			if (e.rows)
				string_add(t,
					"%-12s %-10s %2d rows: off by a factor of %.3f (mean of |ln|), %.3f (rms), %.3f at worst; %.3f on average\n",
					name, fitted ? "fitted" : "not fitted", e.rows, exp(e.error), exp(e.rms), exp(e.worst),
					exp(e.bias));
		}
	return true;
}

bool roofline_measured(struct command_call *call)
{
	struct string t = {0};
	int count = catalog_measured(NULL, 0, &call->fault);
	struct measured_time *time = count ? calloc((size_t)count, sizeof *time) : NULL;
	bool ok = count && (time || fault_memory(&call->fault, "roofline")) && catalog_measured(time, count, &call->fault);
	string_add(&t, "%-12s %-16s %10s %10s %7s\n", "TPU v4", "", "measured", "model", "ratio");
	for (int i = 0; ok && i < count; i++)
		string_add(&t, "%-12s %-16s %8.4g us %8.4g us %7.3f%s\n", time[i].kind, time[i].name, time[i].measured,
			time[i].modelled, time[i].modelled / time[i].measured, time[i].fitted ? "  fitted" : "");
	ok = ok && add_errors(&t, &call->fault);
	free(time);
	if (ok)
		return say_all(call, &t);
	string_free(&t);
	return false;
}

bool run_roofline(struct command_call *call)
{
	return call->argc == 1 && strcmp(call->argv[0], "measured") == 0 ? roofline_measured(call) : run_product(call);
}
