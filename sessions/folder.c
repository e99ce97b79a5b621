// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// ---- faults --------------------------------------------------------------------------------------------------------

bool disk_fault(struct fault *f, const char *path, const char *doing, int error)
{
	static const struct {
		int error;
		const char *todo;
	} advice[] = {
		{ ENOENT, "check the name" },
		{ EACCES, "check its permissions" },
		{ EPERM, "check its permissions" },
		{ EROFS, "choose a folder on a disk that can be written" },
		{ ENOSPC, "free some space, then save" },
		{ EDQUOT, "free some space, then save" },
		{ EEXIST, "choose another name, or open it" },
		{ EISDIR, "name a file in it" },
		{ ENOTDIR, "check the path" },
	};
	const char *todo = "";
	for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
		if (advice[i].error == error)
			todo = advice[i].todo;
	char text[128];
	return fault_set(f, path, todo, "cannot %s: %s", doing, strerror_r(error, text, sizeof text));
}

// ---- names ---------------------------------------------------------------------------------------------------------

static bool fits(int length, size_t size, const char *name, struct fault *f)
{
	if (length >= 0 && (size_t)length < size)
		return true;
	return fault_set(f, name, "choose a shorter one", "the path is longer than %zu bytes", size - 1);
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
		return fault_set(f, name, "give a name such as 'demo'", "this is no name for a session");
	return fits(snprintf(buf, size, "%.*s%s", (int)n, name, has ? "" : FOLDER_SUFFIX), size, name, f);
}

void folder_title(const char *folder, char *buf, size_t size)
{
	const char *slash = strrchr(folder, '/');
	snprintf(buf, size, "%s", slash ? slash + 1 : folder);
	size_t n = strlen(buf), suffix = strlen(FOLDER_SUFFIX);
	if (n > suffix && strcmp(buf + n - suffix, FOLDER_SUFFIX) == 0)
		buf[n - suffix] = '\0';
}

bool folder_state_home(char *buf, size_t size, struct fault *f)
{
	// The XDG rules: a relative path counts as not set.
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	if (state && state[0] == '/')
		return fits(snprintf(buf, size, "%s/bitscape", state), size, state, f);
	if (home && home[0] == '/')
		return fits(snprintf(buf, size, "%s/.local/state/bitscape", home), size, home, f);
	return fault_set(f, "HOME", "set it, or name the session", "there is no home folder to keep unnamed sessions in");
}

bool folder_unnamed(char *buf, size_t size, struct fault *f)
{
	char home[FOLDER_PATH], stamp[32];
	if (!folder_state_home(home, sizeof home, f))
		return false;
	time_t now = time(NULL);
	struct tm local;
	if (!localtime_r(&now, &local) || !strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local))
		snprintf(stamp, sizeof stamp, "%lld", (long long)now);
	for (int i = 1; i < 1000; i++) {
		char more[16] = "";
		if (i > 1)
			snprintf(more, sizeof more, "-%d", i);
		if (!fits(snprintf(buf, size, "%s/%s%s" FOLDER_SUFFIX, home, stamp, more), size, home, f))
			return false;
		if (access(buf, F_OK) != 0)
			return true;
	}
	return fault_set(f, home, "name the session", "it holds too many sessions begun at this second");
}

bool folder_make(const char *folder, bool fresh, struct fault *f)
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
	if (mkdir(path, 0777) != 0 && (fresh || errno != EEXIST))
		return disk_fault(f, path, "make this folder", errno);
	return true;
}

bool folder_file(const char *folder, const char *file, char *buf, size_t size, struct fault *f)
{
	return fits(snprintf(buf, size, "%s/%s", folder, file), size, folder, f);
}

bool folder_sync(const char *folder, struct fault *f)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return disk_fault(f, folder, "open this folder", errno);
	// Some file systems cannot sync a folder: then a rename is as durable there as it gets.
	bool ok = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
	int error = errno;
	close(fd);
	return ok || disk_fault(f, folder, "sync this folder", error);
}

// ---- the lock --------------------------------------------------------------------------------------------------------

enum folder_lock folder_lock(const char *folder, int *lock, long *owner)
{
	char path[FOLDER_PATH];
	*lock = -1;
	*owner = 0;
	if (!folder_file(folder, "lock", path, sizeof path, NULL)) {
		errno = ENAMETOOLONG;
		return LOCK_IMPOSSIBLE;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return LOCK_IMPOSSIBLE;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		bool held = errno == EWOULDBLOCK;
		int error = errno;
		char text[32] = "";
		ssize_t n = pread(fd, text, sizeof text - 1, 0);
		if (held && n > 0)
			*owner = strtol(text, NULL, 10);
		close(fd);
		errno = error;
		return held ? LOCK_ELSEWHERE : LOCK_IMPOSSIBLE;
	}
	// The number only serves the message that another process gives.
	char text[32];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
		int error = errno;
		close(fd);
		errno = error;
		return LOCK_IMPOSSIBLE;
	}
	*lock = fd;
	return LOCK_TAKEN;
}

// ---- files -------------------------------------------------------------------------------------------------------------

char *disk_read(const char *path, size_t most, size_t *size, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		disk_fault(f, path, "open it", errno);
		return NULL;
	}
	struct stat st;
	char *bytes = NULL;
	size_t have = 0;
	if (fstat(fd, &st) != 0)
		disk_fault(f, path, "look at it", errno);
	else if (!S_ISREG(st.st_mode))
		fault_set(f, path, "name a file", "this is not a file");
	else if (st.st_size < 0 || (unsigned long long)st.st_size > most)
		fault_set(f, path, "check that it is the right file", "it has %lld bytes, more than the %zu that can be",
			(long long)st.st_size, most);
	else if (!(bytes = malloc((size_t)st.st_size + 1)))
		fault_set(f, path, "", "out of memory for its %lld bytes", (long long)st.st_size);
	while (bytes && have < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + have, (size_t)st.st_size - have);
		if (n > 0)
			have += (size_t)n;
		else if (n == 0)
			break;
		else if (errno != EINTR) {
			disk_fault(f, path, "read it", errno);
			free(bytes);
			bytes = NULL;
		}
	}
	close(fd);
	if (bytes) {
		bytes[have] = '\0';
		*size = have;
	}
	return bytes;
}

bool disk_write(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;
	while (size) {
		ssize_t n = write(fd, p, size);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

int disk_begin(const char *path, char *temporary, size_t size, struct fault *f)
{
	if (!fits(snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid()), size, path, f))
		return -1;
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		disk_fault(f, path, "write it", errno);
	return fd;
}

bool disk_keep(int fd, const char *temporary, const char *path, struct fault *f)
{
	int error = fsync(fd) == 0 ? 0 : errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (!error && rename(temporary, path) != 0)
		error = errno;
	if (error) {
		unlink(temporary);
		return disk_fault(f, path, "write it", error);
	}
	char folder[FOLDER_PATH];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	return folder_sync(folder[0] ? folder : "/", f);
}

void disk_drop(int fd, const char *temporary)
{
	close(fd);
	unlink(temporary);
}

bool disk_replace(const char *path, const void *bytes, size_t size, struct fault *f)
{
	char temporary[FOLDER_PATH + 32];
	int fd = disk_begin(path, temporary, sizeof temporary, f);
	if (fd < 0)
		return false;
	if (!disk_write(fd, bytes, size)) {
		int error = errno;
		disk_drop(fd, temporary);
		return disk_fault(f, path, "write it", error);
	}
	return disk_keep(fd, temporary, path, f);
}
