// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sessions/store/checkpoint.h"
#include "sessions/store/journal.h"
#include "sessions/store/manifest.h"

enum { INDEX_BYTES = 1 << 20 };

// ---- the index -----------------------------------------------------------------------------------------------------

// The paths of the index, oldest first. What is damaged is left out: at worst a session elsewhere is not listed.
struct index {
	char *bytes;
	char *path[STORE_INDEXED];
	int count;
};

static bool index_path(char *buf, size_t size, struct fault *f)
{
	char home[FOLDER_PATH];
	return disk_state_home(home, sizeof home, f) && folder_file(home, STORE_INDEX, buf, size, f);
}

static bool sound(const char *path)
{
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return path[0] == '/' && strlen(path) < FOLDER_PATH;
}

static void index_read(struct index *index)
{
	char path[FOLDER_PATH], *save = NULL;
	size_t size = 0;
	*index = (struct index){0};
	if (!index_path(path, sizeof path, NULL) || !(index->bytes = disk_read(path, INDEX_BYTES, &size, NULL)))
		return;
	for (char *line = strtok_r(index->bytes, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!sound(line))
			continue;
		if (index->count == STORE_INDEXED)
			memmove(index->path, index->path + 1, (size_t)--index->count * sizeof *index->path);
		index->path[index->count++] = line;
	}
}

static bool index_write(const struct index *index, const char *last, struct fault *f)
{
	char path[FOLDER_PATH];
	struct string text = {0};
	int others = 0, skip;
	for (int i = 0; i < index->count; i++)
		others += strcmp(index->path[i], last) != 0;
	skip = others >= STORE_INDEXED ? others - STORE_INDEXED + 1 : 0;
	string_add(&text, "# sessions of bitscape that lie elsewhere, the one opened last at the end\n");
	for (int i = 0; i < index->count; i++)
		if (strcmp(index->path[i], last) != 0 && skip-- <= 0)
			string_add(&text, "%s\n", index->path[i]);
	string_add(&text, "%s\n", last);
	bool ok = index_path(path, sizeof path, f) &&
		(text.failed ? fault_memory(f, path) : disk_replace(path, text.bytes, text.length, f));
	string_free(&text);
	return ok;
}

bool store_remember(const char *folder, struct fault *f)
{
	char home[FOLDER_PATH], real[PATH_MAX];
	struct index index;
	if (!realpath(folder, real))
		return disk_fault(f, folder, "find it", errno);
	if (folder_at_home(real) || !sound(real) || !disk_state_home(home, sizeof home, NULL))
		return true;
	if (!folder_make(home, false, f))
		return false;
	// Two processes that read it and replace it at the same time would lose a line.
	int lock = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock >= 0)
		flock(lock, LOCK_EX);
	index_read(&index);
	bool there = index.count && strcmp(index.path[index.count - 1], real) == 0;
	bool ok = there || index_write(&index, real, f);
	free(index.bytes);
	if (lock >= 0)
		close(lock);
	return ok;
}

// ---- words -----------------------------------------------------------------------------------------------------------

void store_word(const char *folder, char *buf, size_t size)
{
	char real[PATH_MAX];
	const char *path = realpath(folder, real) ? real : folder;
	if (folder_at_home(folder)) {
		folder_title(folder, buf, size);
		return;
	}
	size_t n = strlen(path), suffix = strlen(FOLDER_SUFFIX);
	if (n > suffix && strcmp(path + n - suffix, FOLDER_SUFFIX) == 0 && path[n - suffix - 1] != '/')
		n -= suffix;
	snprintf(buf, size, "%s%.*s", strchr(path, '/') ? "" : "./", (int)n, path);
}

void store_shell_word(const char *folder, struct string *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+/@%,";
	char word[FOLDER_PATH];
	store_word(folder, word, sizeof word);
	if (word[strspn(word, plain)] == '\0') {
		string_add(out, "%s", word);
		return;
	}
	shell_quote(out, word);
}

// ---- what there is ---------------------------------------------------------------------------------------------------

static void newer(const char *folder, const char *file, time_t *when)
{
	char path[FOLDER_PATH];
	struct stat st;
	if (folder_file(folder, file, path, sizeof path, NULL) && stat(path, &st) == 0 && st.st_mtime > *when)
		*when = st.st_mtime;
}

static time_t last_written(const char *folder)
{
	static const char *const files[] = {MANIFEST_FILE, JOURNAL_FILE, SUMMARY_FILE};
	time_t when = 0;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		newer(folder, files[i], &when);
	if (when == 0)
		newer(folder, ".", &when);
	return when;
}

static void look_at_manifest(struct store_entry *e)
{
	struct manifest manifest;
	struct config *config = manifest_read(e->folder, &manifest, NULL);
	if (!config) {
		e->state = STORE_DAMAGED;
		return;
	}
	if (!manifest.closed)
		e->state = STORE_CRASHED;
	if (!e->known) {
		config_get(config, "net", e->summary.net, sizeof e->summary.net);
		config_get(config, "data", e->summary.data, sizeof e->summary.data);
	}
	config_free(config);
}

// False: this is no session.
static bool look_at(const char *folder, struct store_entry *e)
{
	char title[NAME_MAX + 1];
	*e = (struct store_entry){0};
	snprintf(e->folder, sizeof e->folder, "%s", folder);
	folder_title(folder, title, sizeof title);
	e->home = folder_at_home(folder);
	e->unnamed = e->home && folder_title_is_time(title);
	store_word(folder, e->word, sizeof e->word);
	e->when = last_written(folder);
	if (!folder_has(folder, MANIFEST_FILE)) {
		e->state = STORE_HALF_MADE;
		e->step = -1;
		return folder_half_made(folder) && !folder_in_use(folder, &e->owner);
	}
	e->step = checkpoint_newest_step(folder);
	e->known = summary_read(folder, &e->summary);
	look_at_manifest(e);
	if (folder_in_use(folder, &e->owner))
		e->state = STORE_OPEN;
	return true;
}

static bool add(struct store *s, const char *folder)
{
	// Grows by doubling: the room is the power of two above.
	if ((s->count & (s->count - 1)) == 0) {
		size_t room = s->count ? 2 * (size_t)s->count : 1;
		struct store_entry *more = realloc(s->entry, room * sizeof *more);
		if (!more)
			return false;
		s->entry = more;
	}
	s->count += look_at(folder, &s->entry[s->count]);
	return true;
}

static int by_last_use(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;
	return x->when != y->when ? (x->when < y->when) - (x->when > y->when) : strcmp(y->folder, x->folder);
}

bool store_read(struct store *s, struct fault *f)
{
	char home[FOLDER_PATH], folder[FOLDER_PATH];
	struct index index;
	bool ok = true;
	*s = (struct store){0};
	if (!disk_state_home(home, sizeof home, NULL))
		return true;
	DIR *dir = opendir(home);
	for (struct dirent *d; ok && dir && (d = readdir(dir));) {
		size_t n = strlen(d->d_name), suffix = strlen(FOLDER_SUFFIX);
		if (n > suffix && d->d_name[0] != '.' && strcmp(d->d_name + n - suffix, FOLDER_SUFFIX) == 0 &&
			folder_file(home, d->d_name, folder, sizeof folder, NULL))
			ok = add(s, folder);
	}
	if (dir)
		closedir(dir);
	index_read(&index);
	for (int i = 0; ok && i < index.count; i++)
		if (folder_has(index.path[i], MANIFEST_FILE) && !folder_at_home(index.path[i]))
			ok = add(s, index.path[i]);
	free(index.bytes);
	if (ok && s->count)
		qsort(s->entry, (size_t)s->count, sizeof *s->entry, by_last_use);
	return ok || (store_free(s), fault_memory(f, home));
}

void store_free(struct store *s)
{
	free(s->entry);
	*s = (struct store){0};
}

// Lines of the journal that say something; also where there is no summary.
static bool has_lines(const char *folder)
{
	char path[FOLDER_PATH];
	struct journal journal = {0};
	struct journal_reading reading;
	bool ok = folder_file(folder, JOURNAL_FILE, path, sizeof path, NULL) && journal_load(&journal, path, &reading, NULL);
	bool any = !ok || reading.broken || journal.entries > 0; // what cannot be read may hold something
	journal_free(&journal);
	return any;
}

bool store_begun(const struct store_entry *e)
{
	return e->step > 0 || (e->known && e->summary.step > 0) || has_lines(e->folder);
}

// ---- finding ---------------------------------------------------------------------------------------------------------

// The places elsewhere where a session of this name lies.
struct places {
	char path[2][PATH_MAX];
	int count; // more than two are not kept
};

static void offer_place(struct places *p, const char *folder, const char *title)
{
	char real[PATH_MAX], called[NAME_MAX + 1];
	folder_title(folder, called, sizeof called);
	if (strcmp(called, title) != 0 || !folder_has(folder, MANIFEST_FILE) || !realpath(folder, real))
		return;
	for (int i = 0; i < p->count && i < 2; i++)
		if (strcmp(p->path[i], real) == 0)
			return;
	if (p->count < 2)
		snprintf(p->path[p->count], sizeof p->path[0], "%s", real);
	p->count++;
}

static bool find_elsewhere(const char *title, char *folder, size_t size, bool *elsewhere, struct fault *f)
{
	char here[FOLDER_PATH];
	struct places p = {.count = 0};
	struct index index;
	index_read(&index);
	for (int i = 0; i < index.count; i++)
		offer_place(&p, index.path[i], title);
	free(index.bytes);
	if (snprintf(here, sizeof here, "./%s" FOLDER_SUFFIX, title) < (int)sizeof here)
		offer_place(&p, here, title);
	*elsewhere = p.count == 1;
	if (p.count == 1 && (size_t)snprintf(folder, size, "%s", p.path[0]) < size)
		return true;
	if (p.count < 2)
		return false;
	char first[FOLDER_PATH], second[FOLDER_PATH];
	store_word(p.path[0], first, sizeof first);
	store_word(p.path[1], second, sizeof second);
	return fault_set(f, title, "give the path of one", "%s sessions have this name: %s, %s%s",
		p.count == 2 ? "two" : "several", first, second, p.count > 2 ? ", ..." : "");
}

static bool is_network(const char *name)
{
	for (const char *const *net = engine_nets(); *net; net++)
		if (strcmp(*net, name) == 0)
			return true;
	return false;
}

// There is no such session: says what the name may mean, and makes nothing.
static bool not_found(const char *name, const char *folder, struct fault *f)
{
	struct store store;
	char todo[256], near[128];
	struct stat st;
	if (is_network(name)) {
		snprintf(todo, sizeof todo, "`bitscape new net=%.80s` begins a search on it", name);
		return fault_set(f, name, todo, "there is no session of this name; it is the name of a network");
	}
	snprintf(todo, sizeof todo, "`bitscape new %.200s` makes one", name);
	if (stat(folder, &st) == 0 && folder_half_made(folder))
		return fault_set(f, name, todo, "only a remainder is there, of a process that was killed in its first moments");
	if (stat(folder, &st) == 0)
		return fault_set(f, folder, "name the folder of a session", "this is no session: it has no " MANIFEST_FILE);
	struct nearest nearest = nearest_to(name);
	bool listed = store_read(&store, NULL);
	for (int i = 0; listed && i < store.count; i++)
		nearest_offer(&nearest, store.entry[i].word);
	if (nearest.best)
		snprintf(todo, sizeof todo, "%s `bitscape new %.80s` makes one", nearest_advice(&nearest, "", near, sizeof near),
			name);
	store_free(&store);
	return fault_set(f, name, todo, "there is no session of this name");
}

bool store_find(const char *name, char *folder, size_t size, bool *elsewhere, struct fault *f)
{
	char title[FOLDER_PATH];
	struct fault why = {0};
	*elsewhere = false;
	if (!folder_of(name, folder, size, f))
		return false;
	if (folder_has(folder, MANIFEST_FILE))
		return true;
	if (!strchr(name, '/')) {
		folder_title(folder, title, sizeof title);
		char place[FOLDER_PATH];
		if (find_elsewhere(title, place, sizeof place, elsewhere, &why))
			return (size_t)snprintf(folder, size, "%s", place) < size;
		if (why.what[0]) {
			if (f)
				*f = why;
			return false;
		}
	}
	return not_found(name, folder, f);
}

// ---- tidying ---------------------------------------------------------------------------------------------------------

struct tidy {
	bool really;
	char home[FOLDER_PATH], removed[FOLDER_PATH];
	int aged, crowded, empty, gone;
	struct string names;
};

static void name_it(struct tidy *t, const char *folder, const char *why)
{
	char title[NAME_MAX + 1];
	folder_title(folder, title, sizeof title);
	if (!t->really)
		string_add(&t->names, "%s: %s\n", title, why);
}

// Whether only the search itself has written in it.
static bool by_nobody(const struct store_entry *e)
{
	return e->unnamed && !folder_has_more(e->folder) && !has_lines(e->folder);
}

// Takes the lock, so that nobody opens it meanwhile. False: somebody has it, or it cannot be.
static bool move_aside(struct tidy *t, const char *folder)
{
	int lock;
	long owner;
	char name[NAME_MAX + 1], to[FOLDER_PATH];
	const char *slash = strrchr(folder, '/');
	snprintf(name, sizeof name, "%s", slash + 1);
	if (!t->really)
		return true;
	if (!folder_make(t->removed, false, NULL) || !folder_file(t->removed, name, to, sizeof to, NULL) ||
		folder_lock(folder, &lock, &owner) != LOCK_TAKEN)
		return false;
	// From now on its time is that of the move.
	bool moved = rename(folder, to) == 0 && utimensat(AT_FDCWD, to, NULL, 0) == 0;
	close(lock);
	return moved;
}

static bool remove_empty(struct tidy *t, const char *folder)
{
	int lock;
	long owner;
	if (!t->really)
		return true;
	if (folder_lock(folder, &lock, &owner) != LOCK_TAKEN)
		return false;
	folder_remove(folder);
	close(lock);
	return true;
}

static void tidy_entry(struct tidy *t, const struct store_entry *e, time_t now, int *kept)
{
	const time_t day = 24 * 3600;
	if (e->unnamed && (e->state == STORE_CRASHED || e->state == STORE_HALF_MADE)) {
		bool nothing = e->state == STORE_HALF_MADE || (by_nobody(e) && !store_begun(e));
		if (nothing && now - e->when > STORE_EMPTY_HOURS * 3600 && remove_empty(t, e->folder)) {
			t->empty++;
			name_it(t, e->folder, "its process died before anything came of it");
		}
		return;
	}
	if (e->state != STORE_CLOSED || !by_nobody(e))
		return;
	bool aged = now - e->when > STORE_TIDY_DAYS * day;
	if (!aged && *kept < STORE_TIDY_KEPT) {
		++*kept;
	} else if (move_aside(t, e->folder)) {
		++*(aged ? &t->aged : &t->crowded);
		name_it(t, e->folder, aged ? "not touched for long" : "beyond the newest ones");
	}
}

// What was moved aside long ago goes for good; nothing but what a session consists of is deleted.
static void empty_removed(struct tidy *t, time_t now)
{
	DIR *dir = opendir(t->removed);
	char folder[FOLDER_PATH], title[NAME_MAX + 1];
	struct stat st;
	for (struct dirent *d; dir && (d = readdir(dir));) {
		folder_title(d->d_name, title, sizeof title);
		if (!folder_title_is_time(title) || !folder_file(t->removed, d->d_name, folder, sizeof folder, NULL) ||
			lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode) || now - st.st_mtime <= STORE_REMOVED_DAYS * 24 * 3600 ||
			folder_has_more(folder))
			continue;
		if (t->really)
			folder_remove(folder);
		t->gone++;
		name_it(t, folder, "removed a while ago, now for good");
	}
	if (dir)
		closedir(dir);
}

static void tell(const struct tidy *t, struct string *told)
{
	const char *did = t->really ? "" : "would be ";
	int moved = t->aged + t->crowded;
	string_bytes(told, t->names.bytes ? t->names.bytes : "", t->names.length);
	if (moved)
		string_add(told,
			"%d unnamed session%s with nothing done by hand (%d older than %d days, %d beyond the newest %d) %smoved to %s, "
			"for %d days\n",
			moved, moved == 1 ? "" : "s", t->aged, STORE_TIDY_DAYS, t->crowded, STORE_TIDY_KEPT, did, t->removed,
			STORE_REMOVED_DAYS);
	if (t->empty)
		string_add(told, "%d unnamed session%s whose process died at once %sremoved\n", t->empty,
			t->empty == 1 ? "" : "s", did);
	if (t->gone)
		string_add(told, "%d session%s moved to %s more than %d days ago %sdeleted\n", t->gone, t->gone == 1 ? "" : "s",
			t->removed, STORE_REMOVED_DAYS, did);
}

bool store_tidy(bool really, struct string *told, struct fault *f)
{
	struct tidy t = {.really = really};
	struct store store;
	time_t now = time(NULL);
	int kept = 0;
	if (!disk_state_home(t.home, sizeof t.home, NULL))
		return true;
	if (!folder_file(t.home, STORE_REMOVED, t.removed, sizeof t.removed, f) || !store_read(&store, f))
		return false;
	empty_removed(&t, now);
	for (int i = 0; i < store.count; i++)
		tidy_entry(&t, &store.entry[i], now, &kept);
	store_free(&store);
	tell(&t, told);
	string_free(&t.names);
	return !told->failed || fault_memory(f, t.home);
}
