// SPDX-License-Identifier: GPL-3.0-or-later
// Writers of frozen networks (nn/frozen.h), for programs that run them. A writer knows one form and what its readers can take; it says
// what a network lacks before a byte is written. Who the readers are is a table (reach.h). Any thread.
#ifndef ENGINE_EXPORT_EXPORT_H
#define ENGINE_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/base/fault.h"
#include "engine/base/outgoing.h"
#include "engine/nn/frozen.h"

// Whether the writers know all operators of a network; else a fault that names the first they do not.
bool export_knows(const struct model *, struct fault *);

// A header in C99 with the codes, the scales and a plain inference that computes the bits of the engine's passes of mode FIXED:
// integer formats of up to 8 bits, and no attention. `name` begins every name in it, in letters, digits and _, the first no digit. Returns false
// with a fault that names the layer, if the network cannot be written so, or if the file failed.
bool export_c(const struct frozen *, const char *name, FILE *, struct fault *);

// Whether C is written for a format; and whether a header has the codes of every layer, else a fault that names the layer.
bool export_c_has(int format);
bool export_c_check(const struct frozen *, const char *path, struct fault *);

// QuantizeLinear and DequantizeLinear: integer formats, e4m3, e5m2, casts.
bool export_qdq(const struct frozen *, const struct outgoing *, FILE *, struct fault *);
// QONNX: Quant and FloatQuant, with their bodies in standard operators: all formats.
bool export_qonnx(const struct frozen *, const struct outgoing *, FILE *, struct fault *);
// For AIMET's simulation: its encodings, as JSON, and the fp32 network whose tensors they name: integer formats, e4m3, e5m2, casts.
bool export_aimet(const struct frozen *, FILE *encodings, FILE *network, struct fault *);
// Whether a file of encodings has every entry that there is to be; else a fault that names the tensor.
bool export_aimet_check(const struct frozen *, const char *path, struct fault *);

#endif
