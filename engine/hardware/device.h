// SPDX-License-Identifier: GPL-3.0-or-later
// Devices that latency and energy are priced on: a built-in table, files of one's own, tables of measured latencies. Plain
// figures only; what follows from them for a network is engine/cost's. Immutable: any thread.
#ifndef ENGINE_HARDWARE_DEVICE_H
#define ENGINE_HARDWARE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// Types that a device multiplies natively, narrowest first. A device that has both e4m3 and e5m2 mixes them freely.
enum native { NATIVE_INT4, NATIVE_INT8, NATIVE_E4M3, NATIVE_E5M2, NATIVE_FP16, NATIVE_BF16, NATIVE_TF32, NATIVE_FP32, NATIVES };

struct native_type {
	const char *name;
	int bits;
};
extern const struct native_type native_table[NATIVES];

// Kinds of work reach different shares of a peak: depthwise convolutions and operators without weights of the vector unit's, the
// others of the matrix unit's.
enum work { WORK_CONV, WORK_GROUPED, WORK_DEPTHWISE, WORK_LINEAR, WORK_ATTENTION, WORK_VECTOR, WORKS };

enum { DEVICE_NAME = 48, DEVICE_TEXT = 512, DEVICE_MARKS = 1024 };

// An unknown figure is 0, but for a peak: 0 is a type that the device lacks, NAN one that it has at an unknown rate.
struct device {
	char name[DEVICE_NAME];
	char source[DEVICE_TEXT];    // where the figures come from
	char recalled[DEVICE_MARKS]; // the names of figures that were recalled, not checked, separated by blanks
	char assumed[DEVICE_MARKS];  // the names of those that are assumptions
	char fitted[DEVICE_MARKS];   // and the names of those that were fitted to measured times
	double peak[NATIVES];        // operations a second, dense; a multiply-accumulate is two
	double passes;         // of bf16 that make an fp32 product, where fp32 has no peak of its own: 1, 3 or 6; 0: none do
	double reach[NATIVES]; // share of a type's peak that compilers reach: 0 to 1
	double whole[NATIVES]; // a product whose inner size is not a multiple of this runs at the 16-bit types' rate
	// The matrix unit's tile: it holds inner x outer numbers of one operand, and the other's rows stream past. A product's inner and
	// outer size are rounded up to the tile, its rows to `rows`; rows and outer size change places where that is less work. rows 0:
	// they do not, and nothing rounds them.
	double inner[NATIVES], outer[NATIVES], rows[NATIVES];
	double vector;             // operations a second of the vector unit, fp32
	double bandwidth, on_chip; // of the memory in bytes a second; bytes that activations may stay in
	double on_chip_bandwidth;  // bytes a second from there; 0: unknown, priced as free
	double batch;              // images at once, where nobody says otherwise
	double efficiency[WORKS];  // share of the unit's rate that a kind of work reaches: 0 to 1
	double memory_efficiency;  // share of the bandwidth: 0 to 1
	double row_efficiency;     // share of the vector unit's rate in products of a single row or column; 0: the matrix unit's
	double floor, ramp;        // seconds: the least that a kernel takes; the part of the shorter of compute and memory that
				   // the longer cannot hide
	double attention_kernels;  // 1: one does it all, and the scores never leave the chip; else see engine/cost/cost.h
	double layernorm_kernels;  // how many times a layer norm reads its input
	double power_idle, power_min, power_mean, power_max; // watts
	double mac_energy[NATIVES], vector_energy;           // joules an operation, without what moves its operands
	double memory_energy, on_chip_energy;                // joules a byte
};

// ---- which devices there are ----
const char *const *device_names(void); // of the table; NULL-terminated, for good
// A device of the table by its name, or of a file: whatever holds a '/' or ends in ".json" is a path.
bool device_get(const char *name_or_path, struct device *, struct fault *);
// A device file: a JSON object with "bitscape-device": 1, "name", "source", and the figures of device_figures by group and
// name, in their units; null as a peak: a type that the device has at an unknown rate. "fp8" stands for e4m3 and e5m2. What is
// left out is unknown or, for tiles, multiples, shares and efficiencies, 1; "recalled", "assumed" and "fitted" may list names of
// figures. The fault names the first mistake: its line, or the name of the figure and what was expected.
bool device_read(const char *path, struct device *, struct fault *);

// ---- the figures by name: drives files and what is shown ----
struct device_figure {
	const char *group, *name; // "peaks", "int8"; group "": stands alone
	const char *unit;
	size_t offset;      // in struct device
	double factor;      // from the unit to the struct's
	double least, most; // in the unit; a file's figure must lie between
	bool whole;
};
extern const struct device_figure device_figures[];
extern const size_t device_figure_count;
// In the figure's unit.
double device_value(const struct device *, const struct device_figure *);
// The figure's first in the table; NULL: no such figure.
const struct device_figure *device_figure_named(const char *group, const char *name);
// "recalled", "assumed", "fitted" or "": as the source says.
const char *device_mark(const struct device *, const struct device_figure *);
// Whether the constants that turn peaks into times (efficiencies of the matrix unit and of the memory, a kernel's floor) are
// assumptions, not fitted to times measured on this device. Whoever shows a latency of the device must say so.
bool device_assumes(const struct device *);

// ---- what follows from the figures ----
// Whether every value of format f (an index into format_table), scaled by one power of two, is a value of format `by`.
bool format_holds(int by, int f);
// The narrowest native type that holds every value of both formats; of several of one width the fastest; of a mix of e4m3 and e5m2
// the slower. fp32, on the vector unit where the device has no other, holds whatever nothing else does. Unsigned variants count
// as their format.
enum native device_native(const struct device *, int weight_format, int activation_format);
// Operations a second that the matrix unit does in a type for products of an inner size (of a convolution: the channels in); NAN
// or 0 as its peak.
double device_rate(const struct device *, enum native, double inner);
// Operations a byte at which memory and the type's peak take the same time; 0: a figure is unknown.
double device_ridge(const struct device *, enum native);

#endif
