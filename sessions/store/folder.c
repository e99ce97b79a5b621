// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sessions/store/checkpoint.h"
#include "sessions/store/journal.h"
#include "sessions/store/manifest.h"
#include "sessions/store/summary.h"

#define LOCK_FILE "lock"

// ---- names ---------------------------------------------------------------------------------------------------------

static bool fits(int length, size_t size, const char *name, struct fault *f)
{
	if (length >= 0 && (size_t)length < size)
		return true;
	return fault_set(f, name, "choose a shorter one", "the path is longer than %zu bytes", size - 1);
}

// What the command line reads as something else.
static bool check_bare(const char *name, size_t n, struct fault *f)
{
	static const char *const taken[] = {"new", "sessions"};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strlen(taken[i]) == n && memcmp(name, taken[i], n) == 0)
			return fault_set(f, name, "choose another name, or give a path", "is a word of the command line");
	if (name[0] == '-' || name[0] == '.')
		return fault_set(f, name, "choose another name, or give a path", "a session's name does not begin with '%c'",
			name[0]);
	if (name[0] == '~' || memchr(name, '*', n) || memchr(name, '?', n) || memchr(name, '[', n) || strspn(name, " ") >= n)
		return fault_set(f, name, "choose another name, or give a path", "a shell reads these characters in its own way");
	return true;
}

bool folder_of(const char *name, char *buf, size_t size, struct fault *f)
{
	size_t n = strlen(name);
	while (n > 1 && name[n - 1] == '/')
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return fault_set(f, name, "choose another name", "a session's name holds no control characters");
	const size_t suffix = strlen(FOLDER_SUFFIX);
	bool has = n > suffix && memcmp(name + n - suffix, FOLDER_SUFFIX, suffix) == 0 && name[n - suffix - 1] != '/';
	if (n == 0 || name[n - 1] == '/' || name[n - 1] == '.')
		return fault_set(f, name, "give a name such as 'demo'", "this cannot be a session's name");
	const char *ending = has ? "" : FOLDER_SUFFIX;
	if (memchr(name, '/', n))
		return fits(snprintf(buf, size, "%.*s%s", (int)n, name, ending), size, name, f);
	char home[FOLDER_PATH];
	return check_bare(name, n, f) && disk_state_home(home, sizeof home, f) &&
		fits(snprintf(buf, size, "%s/%.*s%s", home, (int)n, name, ending), size, name, f);
}

void folder_title(const char *folder, char *buf, size_t size)
{
	const char *slash = strrchr(folder, '/');
	snprintf(buf, size, "%s", slash ? slash + 1 : folder);
	size_t n = strlen(buf), suffix = strlen(FOLDER_SUFFIX);
	if (n > suffix && strcmp(buf + n - suffix, FOLDER_SUFFIX) == 0)
		buf[n - suffix] = '\0';
}

bool folder_title_is_time(const char *title)
{
	static const char form[] = "dddddddd-dddddd";
	size_t n = strlen(form);
	for (size_t i = 0; i < n; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)title[i]) : title[i] != form[i])
			return false;
	return title[n] == '\0' ||
		(title[n] == '-' && title[n + 1] && title[n + 1 + strspn(title + n + 1, "0123456789")] == '\0');
}

bool folder_at_home(const char *folder)
{
	char home[FOLDER_PATH], above[FOLDER_PATH];
	struct stat here, there;
	const char *slash = strrchr(folder, '/');
	if (!disk_state_home(home, sizeof home, NULL) ||
		!fits(snprintf(above, sizeof above, "%.*s", slash ? (int)(slash - folder) + 1 : 1, slash ? folder : "."),
			sizeof above, folder, NULL))
		return false;
	return stat(home, &here) == 0 && stat(above, &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

bool folder_file(const char *folder, const char *file, char *buf, size_t size, struct fault *f)
{
	return fits(snprintf(buf, size, "%s/%s", folder, file), size, folder, f);
}

bool folder_has(const char *folder, const char *file)
{
	char path[FOLDER_PATH];
	return folder_file(folder, file, path, sizeof path, NULL) && access(path, F_OK) == 0;
}

// ---- the lock --------------------------------------------------------------------------------------------------------

static long read_owner(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

bool folder_held(const char *folder, int lock)
{
	char path[FOLDER_PATH];
	struct stat here, there;
	return folder_file(folder, LOCK_FILE, path, sizeof path, NULL) && fstat(lock, &here) == 0 && stat(path, &there) == 0 &&
		here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static bool write_owner(int fd)
{
	// The number only serves what another process tells.
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
}

enum folder_lock folder_lock(const char *folder, int *lock, long *owner)
{
	char path[FOLDER_PATH];
	*lock = -1;
	*owner = 0;
	if (!folder_file(folder, LOCK_FILE, path, sizeof path, NULL)) {
		errno = ENAMETOOLONG;
		return LOCK_IMPOSSIBLE;
	}
	// Another process that only looks whether the session is in use holds the lock for a moment (folder_in_use).
	const struct timespec moment = {.tv_nsec = 20000000};
	for (int tries = 0;; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0)
			return LOCK_IMPOSSIBLE;
		int error = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
		if (!error && !folder_held(folder, fd)) {
			close(fd); // another process took it away between the two
			continue;
		}
		if (error == EWOULDBLOCK && tries < 5) {
			close(fd);
			nanosleep(&moment, NULL);
			continue;
		}
		if (!error && !write_owner(fd))
			error = errno;
		if (!error) {
			*lock = fd;
			return LOCK_TAKEN;
		}
		if (error == EWOULDBLOCK)
			*owner = read_owner(fd);
		close(fd);
		errno = error;
		return error == EWOULDBLOCK ? LOCK_ELSEWHERE : LOCK_IMPOSSIBLE;
	}
}

bool folder_in_use(const char *folder, long *owner)
{
	char path[FOLDER_PATH];
	*owner = 0;
	int fd = folder_file(folder, LOCK_FILE, path, sizeof path, NULL) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (fd < 0)
		return false;
	bool used = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (used)
		*owner = read_owner(fd);
	close(fd);
	return used;
}

// ---- making and taking away ------------------------------------------------------------------------------------------

static bool make_above(const char *folder, struct fault *f)
{
	char path[FOLDER_PATH];
	if (!fits(snprintf(path, sizeof path, "%s", folder), sizeof path, folder, f))
		return false;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			return disk_fault(f, path, "make this folder", errno);
		*slash = '/';
	}
	return true;
}

bool folder_make(const char *folder, bool fresh, struct fault *f)
{
	if (!make_above(folder, f))
		return false;
	return mkdir(folder, 0777) == 0 || (!fresh && errno == EEXIST) || disk_fault(f, folder, "make this folder", errno);
}

enum file_kind {
	FILE_SEED,    // there before the manifest
	FILE_SESSION, // the session's own
	FILE_DEAD,    // a temporary file whose process is gone
	FILE_OTHER,
};

static enum file_kind kind_of(const char *name)
{
	if (strcmp(name, LOCK_FILE) == 0 || strcmp(name, JOURNAL_FILE) == 0 || strcmp(name, JOURNAL_END_FILE) == 0)
		return FILE_SEED;
	if (strcmp(name, MANIFEST_FILE) == 0 || strcmp(name, SUMMARY_FILE) == 0 || checkpoint_is_one(name))
		return FILE_SESSION;
	return disk_left_over(name) ? FILE_DEAD : FILE_OTHER;
}

// How many there are of each kind; those of the kinds in `unlinked` (a bit each) are taken away. False: no such folder.
static bool look_through(const char *folder, unsigned unlinked, int count[FILE_OTHER + 1])
{
	DIR *dir = opendir(folder);
	if (!dir)
		return false;
	for (int k = 0; k <= FILE_OTHER; k++)
		count[k] = 0;
	for (struct dirent *d; (d = readdir(dir));) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		enum file_kind kind = kind_of(d->d_name);
		count[kind]++;
		// The lock goes last: with it goes the right to do this.
		if (unlinked & 1U << kind && strcmp(d->d_name, LOCK_FILE) != 0)
			unlinkat(dirfd(dir), d->d_name, 0);
	}
	closedir(dir);
	return true;
}

bool folder_half_made(const char *folder)
{
	int count[FILE_OTHER + 1];
	return look_through(folder, 0, count) && !count[FILE_SESSION] && !count[FILE_OTHER];
}

void folder_sweep(const char *folder)
{
	int count[FILE_OTHER + 1];
	look_through(folder, 1U << FILE_DEAD, count);
}

bool folder_has_more(const char *folder)
{
	int count[FILE_OTHER + 1];
	return !look_through(folder, 0, count) || count[FILE_OTHER];
}

void folder_remove(const char *folder)
{
	int count[FILE_OTHER + 1];
	char path[FOLDER_PATH];
	look_through(folder, 1U << FILE_SEED | 1U << FILE_SESSION | 1U << FILE_DEAD, count);
	if (folder_file(folder, LOCK_FILE, path, sizeof path, NULL))
		unlink(path);
	rmdir(folder);
}

bool folder_taken(const char *folder, struct fault *f)
{
	long owner;
	bool session = folder_has(folder, MANIFEST_FILE) || folder_in_use(folder, &owner); // another process may be making it
	return fault_set(f, folder, session ? "choose another name, or open it" : "choose another name",
		session ? "there is a session of this name" : "something of this name is there that is not a session");
}

bool folder_claim(const char *folder, int *lock, bool *cleaned, struct fault *f)
{
	enum { TRIES = 10 };
	long owner;
	*lock = -1;
	*cleaned = false;
	for (int i = 0; i < TRIES; i++) {
		if (!make_above(folder, f))
			return false;
		bool fresh = mkdir(folder, 0777) == 0;
		if (!fresh && errno != EEXIST)
			return disk_fault(f, folder, "make this folder", errno);
		if (!fresh && !folder_half_made(folder))
			return folder_taken(folder, f);
		switch (folder_lock(folder, lock, &owner)) {
		case LOCK_ELSEWHERE: return folder_taken(folder, f);
		case LOCK_IMPOSSIBLE:
			if (errno == ENOENT) // taken away by the process that had it
				continue;
			return disk_fault(f, folder, "lock this folder", errno);
		case LOCK_TAKEN: break;
		}
		// Who had the lock before may have made a session of it.
		if (folder_half_made(folder)) {
			int count[FILE_OTHER + 1];
			look_through(folder, 1U << FILE_SEED | 1U << FILE_DEAD, count);
			*cleaned = !fresh;
			return true;
		}
		close(*lock);
		*lock = -1;
		return folder_taken(folder, f);
	}
	return fault_set(f, folder, "choose another name", "other processes make and remove it all the time");
}

bool folder_claim_unnamed(char *buf, size_t size, int *lock, struct fault *f)
{
	char home[FOLDER_PATH], stamp[32];
	if (!disk_state_home(home, sizeof home, f))
		return false;
	time_t now = time(NULL);
	struct tm local;
	bool cleaned;
	if (!localtime_r(&now, &local) || !strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local))
		snprintf(stamp, sizeof stamp, "%08d-%06d", 0, (int)(now % 1000000));
	for (int i = 1; i < 1000; i++) {
		char more[16] = "";
		struct stat st;
		if (i > 1)
			snprintf(more, sizeof more, "-%d", i);
		if (!fits(snprintf(buf, size, "%s/%s%s" FOLDER_SUFFIX, home, stamp, more), size, home, f))
			return false;
		if (folder_claim(buf, lock, &cleaned, f))
			return true;
		if (lstat(buf, &st) != 0) // not taken: it cannot be made
			return false;
	}
	return fault_set(f, home, "name the session", "it holds too many sessions begun at this second");
}
