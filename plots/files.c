// SPDX-License-Identifier: GPL-3.0-or-later
#include "plots/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char writable[] = "choose another file or folder";

char *file_temporary(const char *file, struct fault *f)
{
	static unsigned counter; // one thread at a time: plots.h
	const char *slash = strrchr(file, '/');
	int folder = slash ? (int)(slash - file) + 1 : 0;
	const char *here = file[0] == '/' || !strncmp(file, "./", 2) ? "" : "./";
	size_t size = strlen(here) + (size_t)folder + 64;
	char *path = malloc(size);
	if (!path) {
		fault_set(f, file, "", "out of memory");
		return NULL;
	}
	for (int tries = 0; tries < 100; tries++) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		snprintf(path, size, "%s%.*s.bitscape-%ld-%u-%lx", here, folder, file, (long)getpid(), ++counter,
			(unsigned long)now.tv_nsec);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			close(fd);
			return path;
		}
		if (errno != EEXIST)
			break;
	}
	fault_set(f, file, writable, "cannot be written (%s)", strerror(errno));
	free(path);
	return NULL;
}

bool file_commit(const char *temporary, const char *file, struct fault *f)
{
	struct stat st;
	bool ok = false;
	int fd = open(temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		fault_set(f, file, "", "was not written (%s)", strerror(errno));
	else if (!S_ISREG(st.st_mode) || !st.st_size)
		fault_set(f, file, "", "nothing was written");
	else if (fsync(fd) || rename(temporary, file))
		fault_set(f, file, writable, "cannot be written (%s)", strerror(errno));
	else
		ok = true;
	if (fd >= 0)
		close(fd);
	if (!ok)
		unlink(temporary);
	return ok;
}

bool file_write(const char *file, const char *text, size_t size, struct fault *f)
{
	char *temporary = file_temporary(file, f);
	if (!temporary)
		return false;
	FILE *out = fopen(temporary, "we");
	bool ok = out && fwrite(text, 1, size, out) == size;
	int error = errno;
	if (out && fclose(out)) {
		ok = false;
		error = errno;
	}
	if (!ok) {
		fault_set(f, file, writable, "cannot be written (%s)", strerror(error));
		unlink(temporary);
	}
	ok = ok && file_commit(temporary, file, f);
	free(temporary);
	return ok;
}
