// SPDX-License-Identifier: GPL-3.0-or-later
// Writing of Protocol Buffers: fields of a message, one after another, into a growing string (base/text.h), which remembers that memory ran
// out. A message within one is written on its own first. (Encoding, protobuf.dev: wire types 0, 2 and 5.)
#ifndef ENGINE_EXPORT_PROTO_H
#define ENGINE_EXPORT_PROTO_H

#include <stdint.h>

#include "engine/base/text.h"

void proto_number(struct string *, int field, int64_t);
void proto_float(struct string *, int field, float);
void proto_text(struct string *, int field, const char *);
void proto_bytes(struct string *, int field, const void *, size_t);
void proto_message(struct string *, int field, struct string *message); // and frees it

#endif
