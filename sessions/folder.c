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
		return fault_set(f, name, "give a name such as 'demo'", "this cannot be a session's name");
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
