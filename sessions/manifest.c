// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessions/folder.h"

enum { MANIFEST_BYTES = 1 << 20 };

static void put_setting(const char *name, const char *value, void *settings)
{
	json_object_set_new(settings, name, json_string(value));
}

bool manifest_write(const char *folder, const struct config *config, bool closed, struct fault *f)
{
	char path[FOLDER_PATH];
	if (!folder_file(folder, MANIFEST_FILE, path, sizeof path, f))
		return false;
	json_t *settings = json_object();
	if (settings)
		config_each(config, put_setting, settings);
	json_t *manifest = json_pack("{s:i, s:s, s:s, s:b, s:o}", "bitscape-session", MANIFEST_VERSION, "bitscape",
		BITSCAPE_VERSION, "kernels", engine_kernels(), "closed", closed, "settings", settings);
	char *text = json_dumps(manifest, JSON_INDENT(2));
	bool ok = text ? disk_replace(path, text, strlen(text), f) : fault_memory(f, path);
	free(text);
	json_decref(manifest);
	return ok;
}

static struct config *read_settings(const char *path, json_t *settings, struct fault *f)
{
	struct config *config = config_new();
	const char *name;
	json_t *value;
	struct fault inner;
	if (!config) {
		fault_memory(f, path);
		return NULL;
	}
	json_object_foreach(settings, name, value) {
		if (!json_is_string(value))
			fault_set(&inner, name, "write it in quotes", "its value is not a text");
		else if (config_set(config, name, json_string_value(value), &inner))
			continue;
		fault_set(f, path, "mend it, or take it from a backup", "setting %s: %s", name, inner.what);
		config_free(config);
		return NULL;
	}
	return config;
}

struct config *manifest_read(const char *folder, struct manifest *m, struct fault *f)
{
	*m = (struct manifest){0};
	char path[FOLDER_PATH];
	size_t size = 0;
	if (!folder_file(folder, MANIFEST_FILE, path, sizeof path, f))
		return NULL;
	char *bytes = disk_read(path, MANIFEST_BYTES, &size, f);
	if (!bytes)
		return NULL;
	json_error_t error;
	json_t *manifest = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
	free(bytes);
	struct config *config = NULL;
	json_t *version = json_object_get(manifest, "bitscape-session"), *settings = json_object_get(manifest, "settings");
	if (!manifest)
		fault_set(f, path, "mend it, or take it from a backup", "line %d: %s", error.line, error.text);
	else if (!json_is_integer(version) || json_integer_value(version) < 1)
		fault_set(f, path, "name the folder of a session", "this is not a session of bitscape");
	else if (json_integer_value(version) > MANIFEST_VERSION)
		fault_set(f, path, "open it with that one", "it was made by a newer bitscape (version %lld; this one reads %d)",
			(long long)json_integer_value(version), MANIFEST_VERSION);
	else if (!json_is_object(settings))
		fault_set(f, path, "mend it, or take it from a backup", "its settings are missing");
	else
		config = read_settings(path, settings, f);
	m->closed = json_is_true(json_object_get(manifest, "closed"));
	const char *kernels = json_string_value(json_object_get(manifest, "kernels"));
	snprintf(m->kernels, sizeof m->kernels, "%s", kernels ? kernels : "");
	json_decref(manifest);
	return config;
}
