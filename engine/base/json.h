// SPDX-License-Identifier: GPL-3.0-or-later
// JSON files, read and written whole; jansson does the parsing. Any thread. Faults name the path.
#ifndef ENGINE_BASE_JSON_H
#define ENGINE_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// Reads a file of at most `most` bytes in which no key stands twice. NULL with a fault, which names the line of a mistake and gives
// `todo` as the remedy. The caller drops the reference.
json_t *json_file_read(const char *path, size_t most, const char *todo, struct fault *);
// Writes it as people read it, as disk_replace does. flags: jansson's, beside the indentation. Takes the reference over, which is
// NULL where memory ran out on the way. False with a fault.
bool json_file_write(const char *path, json_t *, size_t flags, struct fault *);
// A text of an object into buf, cleaned as foreign text is; "" where there is none.
void json_word(const json_t *object, const char *name, char *buf, size_t size);

#endif
