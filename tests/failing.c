// SPDX-License-Identifier: GPL-3.0-or-later
// Loaded before the C library (LD_PRELOAD), makes disk calls fail: the FAIL_AT-th that FAIL_CALL names ("open", "write", "sync",
// "rename", "truncate", "any") under the path FAIL_UNDER, and with FAIL_ON all that follow, give the errno FAIL_ERRNO. FAIL_HALF:
// a write that fails has written half of it. For tests/campaign.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
ssize_t write(int fd, const void *bytes, size_t size);
int fsync(int fd);
int fdatasync(int fd);
int rename(const char *from, const char *to);
int ftruncate(int fd, off_t length);
int ftruncate64(int fd, off_t length);

static atomic_long calls;

static bool fails(const char *call, const char *path)
{
	const char *at = getenv("FAIL_AT"), *name = getenv("FAIL_CALL"), *under = getenv("FAIL_UNDER"),
		   *error = getenv("FAIL_ERRNO");
	if (!at || !name || !under || !error || !path || !strstr(path, under))
		return false;
	if (strcmp(name, "any") != 0 && strcmp(name, call) != 0)
		return false;
	long n = atomic_fetch_add(&calls, 1) + 1, wanted = strtol(at, NULL, 10);
	if (n != wanted && !(n > wanted && getenv("FAIL_ON")))
		return false;
	errno = (int)strtol(error, NULL, 10);
	return true;
}

static const char *path_of(int fd, char *buf, size_t size)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

// The C library's function of that name.
#define NEXT(result, name, ...)                                                                                                  \
	static result (*next)(__VA_ARGS__);                                                                                      \
	if (!next)                                                                                                               \
	*(void **)&next = dlsym(RTLD_NEXT, name)

static int opened(const char *path, int flags, mode_t mode)
{
	NEXT(int, "open", const char *, int, ...);
	if ((flags & O_ACCMODE) != O_RDONLY && fails("open", path))
		return -1;
	return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return opened(path, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	char path[4096];
	NEXT(ssize_t, "write", int, const void *, size_t);
	if (getenv("FAIL_AT") && fails("write", path_of(fd, path, sizeof path))) {
		int error = errno;
		if (getenv("FAIL_HALF") && size > 1 && next(fd, bytes, size / 2) < 0)
			errno = EIO;
		errno = error;
		return -1;
	}
	return next(fd, bytes, size);
}

int fsync(int fd)
{
	char path[4096];
	NEXT(int, "fsync", int);
	return fails("sync", path_of(fd, path, sizeof path)) ? -1 : next(fd);
}

int fdatasync(int fd)
{
	char path[4096];
	NEXT(int, "fdatasync", int);
	return fails("sync", path_of(fd, path, sizeof path)) ? -1 : next(fd);
}

int rename(const char *from, const char *to)
{
	NEXT(int, "rename", const char *, const char *);
	return fails("rename", to) ? -1 : next(from, to);
}

int ftruncate(int fd, off_t length)
{
	char path[4096];
	NEXT(int, "ftruncate", int, off_t);
	return fails("truncate", path_of(fd, path, sizeof path)) ? -1 : next(fd, length);
}

int ftruncate64(int fd, off_t length)
{
	return ftruncate(fd, length);
}
