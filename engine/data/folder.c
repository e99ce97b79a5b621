// SPDX-License-Identifier: GPL-3.0-or-later
// A folder of pictures: FOLDER/train/CLASS/… and FOLDER/test/CLASS/… (or val), or FOLDER/CLASS/… alone, or pictures without labels in FOLDER
// itself. Where no test images are set apart, every fifth of a fixed permutation is. A class is a folder; its label is its place
// among the lines of classes.txt, if FOLDER has that, its number, if all names are numbers, or its place in the order of bytes.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/data/photo.h"
#include "engine/data/sources.h"

enum { CLASSES_BYTES = 4 << 20, TEST_SHARE = 5 };

// Names, sorted by bytes.
struct names {
	char **name;
	int count, room;
};

static void names_free(struct names *n)
{
	for (int i = 0; i < n->count; i++)
		free(n->name[i]);
	free(n->name);
	*n = (struct names){0};
}

static bool names_add(struct names *n, const char *name)
{
	if (n->count == n->room) {
		int room = n->room ? 2 * n->room : 64;
		char **more = realloc(n->name, (size_t)room * sizeof *more);
		if (!more)
			return false;
		n->name = more;
		n->room = room;
	}
	return (n->name[n->count] = strdup(name)) && ++n->count;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

// The folders, or the pictures, in a folder; hidden ones are passed over.
static bool list(const char *path, bool folders, struct names *n, struct fault *f)
{
	DIR *dir = opendir(path);
	if (!dir)
		return fault_set(f, path, "name a folder of pictures", "%s", errno == ENOTDIR ? "not a folder" : strerror(errno));
	bool ok = true;
	for (struct dirent *entry; ok && (entry = readdir(dir));) {
		char its[PATH_MAX];
		if (entry->d_name[0] == '.' || snprintf(its, sizeof its, "%s/%s", path, entry->d_name) >= (int)sizeof its)
			continue;
		if (folders ? is_folder(its) : photo_named(entry->d_name) && !is_folder(its))
			ok = n->count < MOST_IMAGES ? names_add(n, entry->d_name) || fault_memory(f, path)
						    : fault_set(f, path, "use fewer", "more than %d files", MOST_IMAGES);
	}
	closedir(dir);
	if (ok && n->count)
		qsort(n->name, (size_t)n->count, sizeof *n->name, by_bytes);
	return ok;
}

// ---- classes ---------------------------------------------------------------------------------------------------------------

struct classes {
	struct names names; // in the order of labels, where they are not numbers
	bool numbers;
	int count;
};

static bool read_classes(const char *path, struct classes *c, struct fault *f)
{
	size_t size;
	char *text = disk_read(path, CLASSES_BYTES, &size, f), *save = NULL;
	bool ok = text != NULL;
	for (char *line = text ? strtok_r(text, "\r\n", &save) : NULL; ok && line; line = strtok_r(NULL, "\r\n", &save))
		ok = names_add(&c->names, line) || fault_memory(f, path);
	free(text);
	c->count = c->names.count;
	return ok && (c->count || fault_set(f, path, "write the name of a class on each line", "nothing in it"));
}

static bool all_numbers(const struct names *n, int *most)
{
	long value;
	*most = 0;
	for (int i = 0; i < n->count; i++) {
		if (!number_read_long(n->name[i], 0, MOST_CLASSES - 1, &value))
			return false;
		*most = value > *most ? (int)value : *most;
	}
	return n->count > 0;
}

static int label_of(const struct classes *c, const char *name)
{
	long value = 0;
	if (c->numbers)
		return number_read_long(name, 0, c->count - 1, &value) ? (int)value : -1;
	for (int i = 0; i < c->names.count; i++)
		if (strcmp(c->names.name[i], name) == 0)
			return i;
	return -1;
}

// Those of the folder that holds the classes.
static bool find_classes(const char *folder, const char *top, struct classes *c, struct fault *f)
{
	char path[PATH_MAX];
	struct stat s;
	if (snprintf(path, sizeof path, "%s/classes.txt", top) < (int)sizeof path && stat(path, &s) == 0) {
		if (!read_classes(path, c, f))
			return false;
	} else {
		int most;
		if (!list(folder, true, &c->names, f))
			return false;
		c->numbers = all_numbers(&c->names, &most);
		c->count = c->numbers ? most + 1 : c->names.count;
	}
	return c->count <= MOST_CLASSES ||
		fault_set(f, folder, "use fewer", "%d classes: there may be up to %d", c->count, MOST_CLASSES);
}

// ---- files -----------------------------------------------------------------------------------------------------------------

struct file {
	char *path;
	int label;
	enum part part;
};

struct files {
	struct file *file;
	long count, room;
	long of[PARTS];
};

static bool files_add(struct files *all, const char *folder, const char *name, int label, enum part part, struct fault *f)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return fault_set(f, folder, "name a shorter path", "the path of %.60s is too long", name);
	if (all->count == all->room) {
		long room = all->room ? 2 * all->room : 1024;
		struct file *more = realloc(all->file, (size_t)room * sizeof *more);
		if (!more)
			return fault_memory(f, folder);
		all->file = more;
		all->room = room;
	}
	if (all->count == MOST_IMAGES)
		return fault_set(f, folder, "use fewer", "more than %d pictures", MOST_IMAGES);
	all->file[all->count] = (struct file){strdup(path), label, part};
	return all->file[all->count].path ? (all->of[part]++, all->count++, true) : fault_memory(f, folder);
}

static bool add_pictures(struct files *all, const char *folder, int label, enum part part, struct fault *f)
{
	struct names n = {0};
	bool ok = list(folder, false, &n, f);
	for (int i = 0; ok && i < n.count; i++)
		ok = files_add(all, folder, n.name[i], label, part, f);
	names_free(&n);
	return ok;
}

static bool add_classes(struct files *all, const char *folder, const struct classes *c, enum part part, struct fault *f)
{
	struct names n = {0};
	bool ok = list(folder, true, &n, f);
	for (int i = 0; ok && i < n.count; i++) {
		char path[PATH_MAX];
		int label = label_of(c, n.name[i]);
		if (snprintf(path, sizeof path, "%s/%s", folder, n.name[i]) >= (int)sizeof path)
			ok = fault_set(f, folder, "name a shorter path", "the path of %.60s is too long", n.name[i]);
		else if (label < 0)
			ok = fault_set(f, path, "name it in classes.txt, or remove it",
				"its class is not among those of the training images");
		else
			ok = add_pictures(all, path, label, part, f);
	}
	names_free(&n);
	return ok;
}

// Where no test images were set apart: every fifth, by a permutation that depends on their number alone.
static bool set_tests_apart(struct files *all, const char *top, struct fault *f)
{
	long tests = all->count / TEST_SHARE;
	uint32_t *rank = loading_permutation(all->count);
	if (!rank)
		return fault_memory(f, top);
	for (long i = 0; i < all->count; i++)
		all->file[i].part = (long)rank[i] < tests ? PART_TEST : PART_TRAIN;
	free(rank);
	all->of[PART_TEST] = tests;
	all->of[PART_TRAIN] = all->count - tests;
	return true;
}

static bool find_files(struct loading *loading, struct files *all, struct fault *f)
{
	const char *top = loading->argument;
	char train[PATH_MAX], test[PATH_MAX];
	struct classes c = {0};
	struct data *d = loading->data;
	bool split = snprintf(train, sizeof train, "%s/train", top) < (int)sizeof train && is_folder(train);
	if (!split)
		snprintf(train, sizeof train, "%s", top);
	if (split && snprintf(test, sizeof test, "%s/test", top) < (int)sizeof test && !is_folder(test))
		snprintf(test, sizeof test, "%s/val", top);
	bool ok = find_classes(train, top, &c, f) && add_classes(all, train, &c, PART_TRAIN, f);
	if (ok && split)
		ok = add_classes(all, test, &c, PART_TEST, f);
	d->classes = c.count;
	if (ok && !all->count) {
		d->unlabelled = true;
		d->classes = 0;
		ok = add_pictures(all, train, 0, PART_TRAIN, f) && (!split || add_pictures(all, test, 0, PART_TEST, f));
	}
	names_free(&c.names);
	if (ok && !all->count) {
		char todo[256];
		snprintf(todo, sizeof todo, "the folder must hold %s", loading->source->holds);
		return fault_set(f, top, todo, "no pictures in it");
	}
	return ok && (split || all->count < TEST_SHARE || set_tests_apart(all, top, f));
}

// ---- pixels ----------------------------------------------------------------------------------------------------------------

static bool read_one(const struct loading *loading, const char *path, struct photo *p, struct fault *f)
{
	const struct preparation *how = &loading->how;
	if (!photo_read(path, p, f))
		return false;
	if (photo_prepare(p, how->resize, how->crop, path, f))
		return true;
	photo_free(p);
	return false;
}

static bool begin(struct loading *loading, const struct files *all, struct fault *f)
{
	struct data *d = loading->data;
	struct photo p;
	if (!read_one(loading, all->file[0].path, &p, f))
		return false;
	photo_free(&p);
	d->h = p.h;
	d->w = p.w;
	d->c = 3;
	if (p.h < LEAST_SIDE || p.w < LEAST_SIDE || p.h > MOST_PHOTO || p.w > MOST_PHOTO)
		return fault_set(f, all->file[0].path, "give resize= and crop=, say resize=256 crop=224",
			"%dx%d pixels: out of the range of %d to %d", p.h, p.w, LEAST_SIDE, MOST_PHOTO);
	return loading_begin(loading, all->of[PART_TRAIN], all->of[PART_TEST], f);
}

static bool load_all(struct loading *loading, const struct files *all, struct fault *f)
{
	const struct data *d = loading->data;
	long next[PARTS] = {0};
	bool ok = true;
	for (long i = 0; ok && i < all->count; i++) {
		const struct file *file = &all->file[i];
		uint16_t *label;
		struct photo p;
		uint8_t *pixels = loading_place(loading, file->part, next[file->part]++, &label);
		if (!pixels)
			continue;
		if (!read_one(loading, file->path, &p, f))
			return false;
		if (p.h != d->h || p.w != d->w)
			ok = fault_set(f, file->path, "give resize= and crop=, say resize=256 crop=224",
				"it is %dx%d, but %.80s is %dx%d", p.h, p.w, all->file[0].path, d->h, d->w);
		else
			memcpy(pixels, p.pixels, (size_t)p.h * (size_t)p.w * 3);
		*label = (uint16_t)file->label;
		photo_free(&p);
	}
	return ok;
}

bool folder_load(struct loading *loading, struct fault *f)
{
	struct files all = {0};
	bool ok = find_files(loading, &all, f) && begin(loading, &all, f) && load_all(loading, &all, f);
	for (long i = 0; i < all.count; i++)
		free(all.file[i].path);
	free(all.file);
	return ok;
}
