// SPDX-License-Identifier: GPL-3.0-or-later
// Devices on which latency and energy are priced: a built-in table, and device files. Plain figures only; engine/cost works out
// what they mean for a network. Immutable: any thread.
#ifndef ENGINE_HARDWARE_DEVICE_H
#define ENGINE_HARDWARE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/disk.h"
#include "engine/base/fault.h"

// Types that a device multiplies natively, narrowest first. A device that has both e4m3 and e5m2 mixes them freely.
enum native { NATIVE_INT4, NATIVE_INT8, NATIVE_E4M3, NATIVE_E5M2, NATIVE_FP16, NATIVE_BF16, NATIVE_TF32, NATIVE_FP32, NATIVES };

struct native_type {
	const char *name;
	int bits;
};
extern const struct native_type native_table[NATIVES];

// Kinds of work, which reach different shares of a peak: of the vector unit's for depthwise convolutions and operators without
// weights, of the matrix unit's for the others.
enum work { WORK_CONV, WORK_GROUPED, WORK_DEPTHWISE, WORK_LINEAR, WORK_ATTENTION, WORK_VECTOR, WORKS };

enum { DEVICE_NAME = 48, DEVICE_TEXT = 512, DEVICE_MARKS = 1024 };

// An unknown figure is 0. A peak of 0 is a type that the device lacks; a peak of NAN is a type at an unknown rate.
struct device {
	char name[DEVICE_NAME];
	char source[DEVICE_TEXT];    // where the figures come from
	char recalled[DEVICE_MARKS]; // names of figures that were recalled, not checked, separated by blanks
	char assumed[DEVICE_MARKS];  // names of figures that are assumptions
	char fitted[DEVICE_MARKS];   // names of figures that were fitted to measured times
	double peak[NATIVES];        // operations a second, dense; a multiply-accumulate is two
	double passes;               // of bf16 for an fp32 product if fp32 has no peak of its own: 1, 3 or 6; 0: not made so
	double reach[NATIVES];       // share of a type's peak that compilers reach: 0 to 1
	double whole[NATIVES];       // a product whose inner size is not a multiple of this runs at the 16-bit types' rate
	// The matrix unit's tile: it holds inner x outer numbers of one operand, and the other operand's rows stream past. A
	// product's inner and outer size are rounded up to the tile, its rows to `rows`; rows and outer size change places if
	// that is less work. rows 0: they do not change places, and rows are not rounded.
	double inner[NATIVES], outer[NATIVES], rows[NATIVES];
	double vector;             // operations a second of the vector unit, fp32
	double bandwidth, on_chip; // of the memory, bytes a second; on-chip bytes for activations
	double on_chip_bandwidth;  // bytes a second from there; 0: unknown, priced as free
	double batch;              // images at once unless the caller gives a number
	double efficiency[WORKS];  // share of the unit's rate that each kind of work reaches: 0 to 1
	double memory_efficiency;  // share of the bandwidth: 0 to 1
	double row_efficiency;     // share of the vector unit's rate in products of a single row or column; 0: the matrix unit's
	// seconds: the least that a kernel takes; the most of the shorter of compute and memory time that the longer cannot hide
	double floor, ramp;
	double attention_kernels; // 1: one kernel, whose scores never leave the chip; else see engine/cost/cost.h
	double layernorm_kernels; // how many times a layer norm reads its input
	double power_idle, power_min, power_mean, power_max; // watts
	double mac_energy[NATIVES], vector_energy;           // joules an operation, without moving its operands
	double memory_energy, on_chip_energy;                // joules a byte
	char times[DISK_PATH]; // the file that has measured times of layers on it (times.h), by which latency is priced; "": none
};

// ---- which devices there are ----
const char *const *
device_names(void); // those of the table, and the host where it was measured; NULL-terminated; of this thread's last call
extern const char device_host[]; // "host": this machine, as `device measure` writes it
// Reads a device of the table by its name, or one from a file: a name that holds a '/' or ends in ".json" is a path, and any other that
// the table lacks, "host" say, is that of a file in the folder of devices (device_file). Behind either may stand
//   :ideal     the same device as a plain roofline has it: every efficiency is 1, a kernel has no floor, and the longer of
//              computing and memory traffic hides the shorter; measured times do not count
//   :modelled  the same device by its figures alone, without the times that were measured on it
bool device_get(const char *name_or_path, struct device *, struct fault *);
// Writes the path of NAME.json in the folder of a person's own devices, which lies beside the sessions ($XDG_STATE_HOME/bitscape/devices
// or ~/.local/state/bitscape/devices). Returns false with a fault where there is no home, or the name is not one word of letters, digits, '-' and '_'.
bool device_file(const char *name, char *path, size_t size, struct fault *);
// Reads a device file: a JSON object with "bitscape-device": 1, "name", "source", and the figures of device_figures by group and
// name, in their units. A null peak means a type at an unknown rate. "fp8" stands for e4m3 and e5m2. A figure that is left out is
// unknown or, for tiles, multiples, shares and efficiencies, 1. "recalled", "assumed" and "fitted" may list names of figures, and
// "measured" has times that were measured on it (times.h), which may stand without peaks. The
// fault names the first mistake: its line, or the figure and what was expected.
bool device_read(const char *path, struct device *, struct fault *);

// ---- the figures by name, for files and for display ----
struct device_figure {
	const char *group, *name; // "peaks", "int8"; group "": none
	const char *unit;
	size_t offset;      // in struct device
	double factor;      // from the unit to the struct's
	double least, most; // in the unit: the limits of a file's figure
	bool whole;
};
extern const struct device_figure device_figures[];
extern const size_t device_figure_count;
// Returns the value in the figure's unit.
double device_value(const struct device *, const struct device_figure *);
// Returns the first figure of that name in the table; NULL: no such figure.
const struct device_figure *device_figure_named(const char *group, const char *name);
// Returns "recalled", "assumed", "fitted" or "", by the device's lists.
const char *device_mark(const struct device *, const struct device_figure *);
// Returns whether the constants that turn peaks into times (efficiencies of the matrix unit and of the memory, a kernel's floor)
// are assumptions instead of fits to times measured on this device. A latency of such a device must be shown as assumed.
bool device_assumes(const struct device *);

// ---- derived from the figures ---- Returns whether every value of format f (an index into format_table), scaled by one power of
// two, is a value of format `by`.
bool format_holds(int by, int f);
// Returns the narrowest native type that holds every value of both formats: the fastest among those of one width, and the slower
// of the two for a mix of e4m3 and e5m2. fp32 (on the vector unit if the device has no other) takes whatever no narrower type
// holds. An unsigned variant counts as its format.
enum native device_native(const struct device *, int weight_format, int activation_format);
// Returns the matrix unit's operations a second in a type for products of an inner size (for a convolution: the channels in); NAN
// or 0 where the peak is.
double device_rate(const struct device *, enum native, double inner);
// Returns the operations a byte at which memory and the type's peak take the same time; 0: a figure is unknown.
double device_ridge(const struct device *, enum native);

#endif
