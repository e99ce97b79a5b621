// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/hardware/device.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/disk.h"
#include "engine/hardware/inside.h"
#include "engine/quant/format.h"

const struct native_type native_table[NATIVES] = {
	[NATIVE_INT4] = {"int4", 4},
	[NATIVE_INT8] = {"int8", 8},
	[NATIVE_E4M3] = {"e4m3", 8},
	[NATIVE_E5M2] = {"e5m2", 8},
	[NATIVE_FP16] = {"fp16", 16},
	[NATIVE_BF16] = {"bf16", 16},
	[NATIVE_TF32] = {"tf32", 19},
	[NATIVE_FP32] = {"fp32", 32},
};

// ---- figures ----

#define FIGURE(group, name, unit, field, factor, least, most, whole)                                                             \
	{                                                                                                                        \
		group, name, unit, offsetof(struct device, field), factor, least, most, whole                                    \
	}
#define PER_NATIVE(group, unit, field, factor, least, most, whole)                                                               \
	FIGURE(group, "int4", unit, field[NATIVE_INT4], factor, least, most, whole),                                             \
		FIGURE(group, "int8", unit, field[NATIVE_INT8], factor, least, most, whole),                                     \
		FIGURE(group, "e4m3", unit, field[NATIVE_E4M3], factor, least, most, whole),                                     \
		FIGURE(group, "e5m2", unit, field[NATIVE_E5M2], factor, least, most, whole),                                     \
		FIGURE(group, "fp16", unit, field[NATIVE_FP16], factor, least, most, whole),                                     \
		FIGURE(group, "bf16", unit, field[NATIVE_BF16], factor, least, most, whole),                                     \
		FIGURE(group, "tf32", unit, field[NATIVE_TF32], factor, least, most, whole),                                     \
		FIGURE(group, "fp32", unit, field[NATIVE_FP32], factor, least, most, whole)

const struct device_figure device_figures[] = {
	PER_NATIVE("peaks", "Tops/s", peak, 1e12, 0, 1e9, false),
	FIGURE("", "passes", "of bf16", passes, 1, 1, 6, true),
	FIGURE("", "vector", "Tops/s", vector, 1e12, 0, 1e9, false),
	FIGURE("", "bandwidth", "GB/s", bandwidth, 1e9, 0, 1e9, false),
	FIGURE("", "on_chip", "MB", on_chip, 1e6, 0, 1e9, false),
	FIGURE("", "on_chip_bandwidth", "GB/s", on_chip_bandwidth, 1e9, 0, 1e9, false),
	FIGURE("", "batch", "images", batch, 1, 1, 65536, true),
	FIGURE("power", "idle", "W", power_idle, 1, 0, 1e6, false),
	FIGURE("power", "min", "W", power_min, 1, 0, 1e6, false),
	FIGURE("power", "mean", "W", power_mean, 1, 0, 1e6, false),
	FIGURE("power", "max", "W", power_max, 1, 0, 1e6, false),
	PER_NATIVE("energy", "pJ/MAC", mac_energy, 1e-12, 0, 1e6, false),
	FIGURE("energy", "vector", "pJ/op", vector_energy, 1e-12, 0, 1e6, false),
	FIGURE("energy", "memory", "pJ/B", memory_energy, 1e-12, 0, 1e6, false),
	FIGURE("energy", "on_chip", "pJ/B", on_chip_energy, 1e-12, 0, 1e6, false),
	PER_NATIVE("inner", "", inner, 1, 1, 65536, true),
	PER_NATIVE("outer", "", outer, 1, 1, 65536, true),
	PER_NATIVE("rows", "", rows, 1, 1, 65536, true),
	PER_NATIVE("whole", "", whole, 1, 1, 65536, true),
	PER_NATIVE("reach", "", reach, 1, .001, 1, false),
	FIGURE("efficiency", "conv", "", efficiency[WORK_CONV], 1, .001, 1, false),
	FIGURE("efficiency", "grouped", "", efficiency[WORK_GROUPED], 1, .001, 1, false),
	FIGURE("efficiency", "depthwise", "", efficiency[WORK_DEPTHWISE], 1, .001, 1, false),
	FIGURE("efficiency", "linear", "", efficiency[WORK_LINEAR], 1, .001, 1, false),
	FIGURE("efficiency", "attention", "", efficiency[WORK_ATTENTION], 1, .001, 1, false),
	FIGURE("efficiency", "vector", "", efficiency[WORK_VECTOR], 1, .001, 1, false),
	FIGURE("efficiency", "row", "", row_efficiency, 1, .001, 1, false),
	FIGURE("efficiency", "memory", "", memory_efficiency, 1, .001, 1, false),
	FIGURE("kernel", "floor", "us", floor, 1e-6, 0, 1e6, false),
	FIGURE("kernel", "ramp", "us", ramp, 1e-6, 0, 1e6, false),
	FIGURE("kernel", "attention", "kernels", attention_kernels, 1, 1, 16, true),
	FIGURE("kernel", "layernorm", "kernels", layernorm_kernels, 1, 1, 16, true),
};
const size_t device_figure_count = sizeof device_figures / sizeof device_figures[0];

const struct device_figure *device_figure_named(const char *group, const char *name)
{
	for (size_t i = 0; i < device_figure_count; i++)
		if (strcmp(device_figures[i].group, group) == 0 && strcmp(device_figures[i].name, name) == 0)
			return &device_figures[i];
	return NULL;
}

double device_value(const struct device *d, const struct device_figure *f)
{
	double value;
	memcpy(&value, (const char *)d + f->offset, sizeof value);
	return value / f->factor;
}

static bool lists(const char *names, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = names; (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

const char *device_mark(const struct device *d, const struct device_figure *f)
{
	char name[64];
	snprintf(name, sizeof name, "%s%s%s", f->group, f->group[0] ? "." : "", f->name);
	return lists(d->recalled, name)   ? "recalled"
		: lists(d->assumed, name) ? "assumed"
		: lists(d->fitted, name)  ? "fitted"
					  : "";
}

bool device_assumes(const struct device *d)
{
	static const char *const constants[] = {"linear", "memory"};
	for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
		if (strcmp(device_mark(d, device_figure_named("efficiency", constants[i])), "fitted") != 0)
			return true;
	return strcmp(device_mark(d, device_figure_named("kernel", "floor")), "fitted") != 0;
}

// ---- lookup ----

const char device_host[] = "host";

const char *const *device_names(void)
{
	static _Thread_local const char *names[64];
	char host[DISK_PATH];
	int count = 0;
	for (; count < device_count; count++)
		names[count] = device_table[count].name;
	names[count] = device_file(device_host, host, sizeof host, NULL) && access(host, F_OK) == 0 ? device_host : NULL;
	names[count + 1] = NULL;
	return names;
}

void device_defaults(struct device *d)
{
	double *of_type[] = {d->inner, d->outer, d->whole, d->reach};
	for (int n = 0; n < NATIVES; n++)
		for (size_t i = 0; i < sizeof of_type / sizeof *of_type; i++)
			of_type[i][n] = of_type[i][n] > 0 ? of_type[i][n] : 1;
	for (int w = 0; w < WORKS; w++)
		d->efficiency[w] = d->efficiency[w] > 0 ? d->efficiency[w] : 1;
	d->memory_efficiency = d->memory_efficiency > 0 ? d->memory_efficiency : 1;
	d->attention_kernels = d->attention_kernels > 0 ? d->attention_kernels : 1;
	d->layernorm_kernels = d->layernorm_kernels > 0 ? d->layernorm_kernels : 1;
	d->batch = d->batch > 0 ? d->batch : 1;
	if (d->peak[NATIVE_FP32] == 0 && d->passes > 0)
		d->peak[NATIVE_FP32] = d->peak[NATIVE_BF16] / d->passes;
}

static void idealise(struct device *d)
{
	for (int w = 0; w < WORKS; w++)
		d->efficiency[w] = 1;
	for (int n = 0; n < NATIVES; n++)
		d->reach[n] = 1;
	d->memory_efficiency = 1;
	d->row_efficiency = d->row_efficiency > 0 ? 1 : 0;
	d->floor = d->ramp = 0;
	d->fitted[0] = 0;
	d->times[0] = 0;
}

static void model(struct device *d)
{
	d->times[0] = 0;
}

// What may stand behind a name.
static const struct manner {
	const char *ending;
	void (*make)(struct device *);
} manners[] = {{":ideal", idealise}, {":modelled", model}};

static const struct manner *manner_of(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
		size_t its = strlen(manners[i].ending);
		if (length > its && strcmp(name + length - its, manners[i].ending) == 0)
			return &manners[i];
	}
	return NULL;
}

static bool get_in_manner(const char *name, size_t length, const struct manner *m, struct device *d, struct fault *fault)
{
	char plain[DISK_PATH];
	size_t its = strlen(m->ending);
	if (length >= sizeof plain)
		return fault_set(fault, "device", "name a shorter path", "the name is too long");
	snprintf(plain, sizeof plain, "%.*s", (int)(length - its), name);
	if (!device_get(plain, d, fault))
		return false;
	m->make(d);
	length = strlen(d->name);
	if (length > sizeof d->name - its - 1)
		length = sizeof d->name - its - 1;
	memcpy(d->name + length, m->ending, its + 1);
	return true;
}

static bool one_word(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t length = strlen(name);
	return length > 0 && length < DEVICE_NAME && strspn(name, plain) == length;
}

bool device_file(const char *name, char *path, size_t size, struct fault *fault)
{
	char home[DISK_PATH];
	if (!one_word(name))
		return fault_set(fault, name, "use letters, digits, - and _, or give the path of a file",
			"this cannot name a device");
	return disk_state_home(home, sizeof home, fault) &&
		((size_t)snprintf(path, size, "%s/devices/%s.json", home, name) < size ||
			fault_set(fault, home, "give the path of a file", "the path is too long"));
}

static bool no_such_device(const char *name, struct fault *fault)
{
	char known[256] = "";
	for (int i = 0; i < device_count; i++) {
		size_t used = strlen(known);
		snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "choose one of ", device_table[i].name);
	}
	if (strcmp(name, device_host) == 0)
		snprintf(known, sizeof known, "`device measure NETWORK` measures this machine");
	return fault_set(fault, "device", known, "there is no device \"%s\"", name);
}

bool device_get(const char *name, struct device *d, struct fault *fault)
{
	char path[DISK_PATH];
	size_t length = strlen(name);
	const struct manner *manner = manner_of(name, length);
	if (manner)
		return get_in_manner(name, length, manner, d, fault);
	if (strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0))
		return device_read(name, d, fault);
	for (int i = 0; i < device_count; i++)
		if (strcmp(name, device_table[i].name) == 0) {
			*d = device_table[i];
			device_defaults(d);
			return true;
		}
	if (one_word(name) && device_file(name, path, sizeof path, NULL) && access(path, F_OK) == 0)
		return device_read(path, d, fault);
	return no_such_device(name, fault);
}

// ---- which type runs what ----

// Values are integers times a unit: of `digits` binary digits once trailing zeros are dropped, at most `span` units large.
struct values {
	int digits;
	double span;
};

static struct values values_of_float(int exponent, int mantissa, double largest)
{
	return (struct values){mantissa + 1, largest / ldexp(1, 2 - (1 << (exponent - 1)) - mantissa)};
}

static struct values values_of(int format)
{
	const struct format *f = &format_table[format];
	if (f->kind == FORMAT_INTEGER)
		return (struct values){f->bits - 1, f->largest};
	return values_of_float(f->exponent, f->mantissa, f->largest);
}

static bool within(struct values inner, struct values outer)
{
	return inner.digits <= outer.digits && inner.span <= outer.span;
}

bool format_holds(int by, int f)
{
	return within(values_of(f), values_of(by));
}

static bool native_holds(enum native n, int format)
{
	struct values v = values_of(format);
	switch (n) {
	case NATIVE_TF32: return within(v, values_of_float(8, 10, ldexp(2 - ldexp(1, -10), 127)));
	case NATIVE_FP32: return true;
	default: // the others are formats of the same name
		return within(v, values_of(format_named(native_table[n].name)));
	}
}

static bool has(const struct device *d, enum native n)
{
	return d->peak[n] != 0;
}

// e4m3 by e5m2, each format held by one of them.
static bool mixes_fp8(const struct device *d, int weight, int activation)
{
	const int formats[] = {weight, activation};
	bool held = has(d, NATIVE_E4M3) && has(d, NATIVE_E5M2);
	for (int i = 0; held && i < 2; i++)
		held = native_holds(NATIVE_E4M3, formats[i]) || native_holds(NATIVE_E5M2, formats[i]);
	return held;
}

enum native device_native(const struct device *d, int weight, int activation)
{
	enum native best = NATIVE_FP32;
	for (enum native n = 0; n < NATIVE_FP32; n++) {
		int bits = native_table[n].bits, least = native_table[best].bits;
		bool better = bits < least || (bits == least && d->peak[n] > d->peak[best]);
		if (has(d, n) && better && native_holds(n, weight) && native_holds(n, activation))
			best = n;
	}
	if (native_table[best].bits > native_table[NATIVE_E4M3].bits && mixes_fp8(d, weight, activation))
		best = d->peak[NATIVE_E4M3] > d->peak[NATIVE_E5M2] ? NATIVE_E5M2 : NATIVE_E4M3;
	return best;
}

double device_rate(const struct device *d, enum native n, double inner)
{
	double own = d->peak[n] * d->reach[n],
	       wide = fmax(d->peak[NATIVE_BF16] * d->reach[NATIVE_BF16], d->peak[NATIVE_FP16] * d->reach[NATIVE_FP16]);
	bool part = fmod(inner, d->whole[n]) != 0;
	return part && wide > 0 ? fmin(own, wide) : own;
}

double device_ridge(const struct device *d, enum native n)
{
	return d->peak[n] > 0 && d->bandwidth > 0 ? d->peak[n] / d->bandwidth : 0;
}
