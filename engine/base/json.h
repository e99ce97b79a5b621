// SPDX-License-Identifier: GPL-3.0-or-later
// Reads and writes whole JSON files; jansson does the parsing. Any thread. Faults name the path.
#ifndef ENGINE_BASE_JSON_H
#define ENGINE_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// Reads a file of at most `most` bytes; a key that occurs twice is refused. Returns NULL with a fault that names the line of a
// mistake and gives `todo` as the remedy. The caller drops the reference.
json_t *json_file_read(const char *path, size_t most, const char *todo, struct fault *);
// Writes an indented file as disk_replace does. flags: jansson's, beside the indentation. Takes over the reference, which may be
// NULL: then memory ran out while the value was built. Returns false with a fault.
bool json_file_write(const char *path, json_t *, size_t flags, struct fault *);
// Copies a string of an object into buf, cleaned as foreign text (text_clean); "" if the object has none of that name.
void json_word(const json_t *object, const char *name, char *buf, size_t size);

#endif
