// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"

json_t *json_file_read(const char *path, size_t most, const char *todo, struct fault *f)
{
	size_t size;
	char *bytes = disk_read(path, most, &size, f);
	if (!bytes)
		return NULL;
	json_error_t error;
	json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	free(bytes);
	if (!root)
		fault_set(f, path, todo, "line %d: %s", error.line, error.text);
	return root;
}

bool json_file_write(const char *path, json_t *root, size_t flags, struct fault *f)
{
	char *text = root ? json_dumps(root, JSON_INDENT(2) | flags) : NULL;
	bool ok = text ? disk_replace(path, text, strlen(text), f) : fault_memory(f, path);
	free(text);
	json_decref(root);
	return ok;
}

void json_word(const json_t *object, const char *name, char *buf, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));
	snprintf(buf, size, "%s", text ? text : "");
	text_clean(buf, "");
}
