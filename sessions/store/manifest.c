// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/json.h"
#include "sessions/store/folder.h"

#define SUM "sum"
enum { MANIFEST_BYTES = 1 << 20 };

static void put_setting(const char *name, const char *value, void *settings)
{
	json_object_set_new(settings, name, json_string(value));
}

// Of all but the sum itself. False: out of memory.
static bool sum_of(json_t *manifest, char text[16])
{
	json_t *copy = json_copy(manifest);
	json_object_del(copy, SUM);
	char *bytes = copy ? json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (bytes)
		snprintf(text, 16, "%08lx", crc32_z(crc32(0, NULL, 0), (const unsigned char *)bytes, strlen(bytes)));
	free(bytes);
	json_decref(copy);
	return bytes != NULL;
}

bool manifest_write(const char *folder, const struct config *config, const struct manifest *m, struct fault *f)
{
	char path[FOLDER_PATH], sum[16];
	if (!folder_file(folder, MANIFEST_FILE, path, sizeof path, f))
		return false;
	json_t *settings = json_object();
	if (settings)
		config_each(config, put_setting, settings);
	json_t *manifest = json_pack("{s:i, s:s, s:s, s:s, s:b, s:o}", "bitscape-session", MANIFEST_VERSION, "bitscape",
		BITSCAPE_VERSION, "session", m->session, "kernels", m->kernels, "closed", m->closed, "settings", settings);
	if (manifest && m->parent[0])
		json_object_set_new(manifest, "parent",
			json_pack("{s:s, s:I, s:s}", "session", m->parent, "step", (json_int_t)m->parent_step, "digest",
				m->parent_digest));
	if (manifest && !(sum_of(manifest, sum) && json_object_set_new(manifest, SUM, json_string(sum)) == 0)) {
		json_decref(manifest);
		manifest = NULL;
	}
	return json_file_write(path, manifest, 0, f);
}

// All but the settings.
static void read_rest(json_t *manifest, struct manifest *m)
{
	json_t *parent = json_object_get(manifest, "parent");
	json_word(manifest, "session", m->session, sizeof m->session);
	json_word(manifest, "kernels", m->kernels, sizeof m->kernels);
	m->closed = json_is_true(json_object_get(manifest, "closed"));
	json_word(parent, "session", m->parent, sizeof m->parent);
	json_word(parent, "digest", m->parent_digest, sizeof m->parent_digest);
	m->parent_step = (long)json_integer_value(json_object_get(parent, "step"));
	m->unsealed = !json_object_get(manifest, SUM);
}

// Whether it is as it was written, or says itself that a person changed it.
static bool sealed(json_t *manifest, const char *path, struct fault *f)
{
	char sum[16];
	json_t *recorded = json_object_get(manifest, SUM);
	if (!recorded)
		return true;
	if (!sum_of(manifest, sum))
		return fault_memory(f, path);
	const char *text = json_string_value(recorded);
	return (text && strcmp(text, sum) == 0) ||
		fault_set(f, path, "take it from a backup; where you changed it yourself, take its \"" SUM "\" out",
			"it is not as it was written: its sum does not fit");
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
	config_begin_old(config);
	json_object_foreach(settings, name, value)
	{
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
	if (!folder_file(folder, MANIFEST_FILE, path, sizeof path, f))
		return NULL;
	json_t *manifest = json_file_read(path, MANIFEST_BYTES, "mend it, or take it from a backup", f);
	if (!manifest)
		return NULL;
	struct config *config = NULL;
	json_t *version = json_object_get(manifest, "bitscape-session"), *settings = json_object_get(manifest, "settings");
	read_rest(manifest, m);
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		fault_set(f, path, "name the folder of a session", "this is not a session of bitscape");
	else if (json_integer_value(version) != MANIFEST_VERSION)
		fault_set(f, path, "open it with that one, or begin another session",
			"it was made by %s bitscape (version %lld; this one reads %d)",
			json_integer_value(version) < MANIFEST_VERSION ? "an older" : "a newer",
			(long long)json_integer_value(version), MANIFEST_VERSION);
	else if (!json_is_object(settings))
		fault_set(f, path, "mend it, or take it from a backup", "its settings are missing");
	else if (!identity_good(m->session))
		fault_set(f, path, "take it from a backup", "it does not say which session it is of");
	else if (sealed(manifest, path, f))
		config = read_settings(path, settings, f);
	json_decref(manifest);
	return config;
}
