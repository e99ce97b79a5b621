// SPDX-License-Identifier: GPL-3.0-or-later
// Inside onnx: the file of external data that was read last stays open.
#ifndef ENGINE_ONNX_INSIDE_H
#define ENGINE_ONNX_INSIDE_H

#include "engine/base/disk.h"
#include "engine/onnx/file.h"

struct onnx_external {
	int fd; // -1: none
	char name[DISK_PATH];
};
struct onnx_external *onnx_external(struct onnx_file *);

#endif
