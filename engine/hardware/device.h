// SPDX-License-Identifier: GPL-3.0-or-later
// Devices that latency and energy are priced on: a built-in table, files of one's own, tables of measured latencies. Plain
// figures only; what follows from them for a network is engine/cost's. Immutable: any thread.
#ifndef ENGINE_HARDWARE_DEVICE_H
#define ENGINE_HARDWARE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// Types that a device multiplies natively, narrowest first. fp8 stands for e4m3 and e5m2, mixed freely.
enum native { NATIVE_INT4, NATIVE_INT8, NATIVE_FP8, NATIVE_FP16, NATIVE_BF16, NATIVE_TF32, NATIVE_FP32, NATIVES };

struct native_type {
	const char *name;
	int bits;
};
extern const struct native_type native_table[NATIVES];

// Kinds of work that may reach different shares of a device's peak.
enum work { WORK_CONV, WORK_DEPTHWISE, WORK_LINEAR, WORK_ATTENTION, WORK_VECTOR, WORKS };
extern const char *const work_names[WORKS];

enum { DEVICE_NAME = 48, DEVICE_TEXT = 512 };

// An unknown figure is 0, but for a peak: 0 is a type that the device lacks, NAN one that it has at an unknown rate.
struct device {
	char name[DEVICE_NAME];
	char source[DEVICE_TEXT];   // where the figures come from
	char recalled[DEVICE_TEXT]; // the names of figures that were recalled, not checked, separated by blanks
	char assumed[DEVICE_TEXT];  // and of those that are assumptions
	double peak[NATIVES];       // operations a second, dense; a multiply-accumulate is two
	double inner[NATIVES], outer[NATIVES]; // the matrix unit's tile: a product's inner and outer size are rounded up to it
	double vector;                         // operations a second of the vector unit, fp32
	double bandwidth, on_chip;             // of the memory in bytes a second; bytes that activations may stay in
	double batch;                          // images at once, where nobody says otherwise
	double efficiency[WORKS];              // share of the roofline that a kind of work reaches: 0 to 1
	double power_idle, power_min, power_mean, power_max; // watts
	double mac_energy[NATIVES], vector_energy;           // joules an operation, without what moves its operands
	double memory_energy, on_chip_energy;                // joules a byte
};

// ---- which devices there are ----
const char *const *device_names(void); // of the table; NULL-terminated, for good
// A device of the table by its name, or of a file: whatever holds a '/' or ends in ".json" is a path.
bool device_get(const char *name_or_path, struct device *, struct fault *);
// A device file: a JSON object with "bitscape-device": 1, "name", "source", and the figures of device_figures by group and
// name, in their units; null as a peak: a type that the device has at an unknown rate. What is left out is unknown or, for
// tiles and efficiencies, 1; "recalled" and "assumed" may list names of figures. The fault names the first mistake: its
// line, or the name of the figure and what was expected.
bool device_read(const char *path, struct device *, struct fault *);

// ---- the figures by name: drives files and what is shown ----
struct device_figure {
	const char *group, *name; // "peaks", "int8"; group "": stands alone
	const char *unit;
	size_t offset;            // in struct device
	double factor;            // from the unit to the struct's
	double least, most;       // in the unit; a file's figure must lie between
	bool whole;
};
extern const struct device_figure device_figures[];
extern const size_t device_figure_count;
// In the figure's unit.
double device_value(const struct device *, const struct device_figure *);
// "recalled", "assumed" or "": as the source says.
const char *device_mark(const struct device *, const struct device_figure *);

// ---- what follows from the figures ----
// Whether every value of format f (an index into format_table), scaled by one power of two, is a value of format `by`.
bool format_holds(int by, int f);
// The narrowest native type that holds every value of both formats; of several of one width the fastest. fp32, on the vector
// unit where the device has no other, holds whatever nothing else does. Unsigned variants count as their format.
enum native device_native(const struct device *, int weight_format, int activation_format);
// Operations a byte at which memory and the type's peak take the same time; 0: a figure is unknown.
double device_ridge(const struct device *, enum native);

#endif
