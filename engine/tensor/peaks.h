// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernels reach on this machine at their best, on operands that lie in the nearest cache, and what the memory gives them: the
// figures of a roofline.
#ifndef ENGINE_TENSOR_PEAKS_H
#define ENGINE_TENSOR_PEAKS_H

#include "engine/base/fault.h"
#include "engine/tensor/team.h"

struct peaks {
	double fp32, int8; // operations a second of products, two to a multiply-accumulate
	double vector;     // operations a second of element-wise code
	double memory;     // bytes a second, read and written, of arrays that no cache holds
	double chip;       // the same of arrays in the second-level caches
	double chip_bytes; // that these hold together; 0: the system does not say, and `chip` is 0
};
// The best of several trials, by all of the team, in half a second or so. Returns false with a fault when out of memory.
bool peaks_measure(struct team *, struct peaks *, struct fault *);

#endif
