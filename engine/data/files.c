// SPDX-License-Identifier: GPL-3.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/data/sources.h"

static const char again[] = "the file is damaged or of another kind: fetch it again";

// gzip's format cannot pack better than this.
enum { GZIP_BEST = 1032 };

bool reader_open(struct reader *r, const struct loading *loading, const char *name, struct fault *f)
{
	*r = (struct reader){0};
	int length = snprintf(r->path, sizeof r->path, "%s/%s", loading->argument, name);
	if (length < 0 || (size_t)length >= sizeof r->path)
		return fault_set(f, loading->argument, "name a shorter path", "the path is too long");

	char todo[160];
	snprintf(todo, sizeof todo, "the folder must hold %s", loading->source->holds);
	// Without O_NONBLOCK a FIFO in the file's place would be waited for.
	int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		int error = errno;
		return fault_set(f, r->path, error == ENOENT ? todo : "make it readable", "%s", strerror(error));
	}
	struct stat status;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return fault_set(f, r->path, todo, "not a file");
	}
	r->bytes = status.st_size;
	r->file = gzdopen(fd, "rb");
	if (!r->file) {
		close(fd);
		return fault_memory(f, r->path);
	}
	gzbuffer(r->file, 1 << 17);
	return true;
}

void reader_close(struct reader *r)
{
	if (r->file)
		gzclose_r(r->file);
	r->file = NULL;
}

bool reader_expect(struct reader *r, long long before, long long bytes, struct fault *f)
{
	bool plain = gzdirect(r->file);
	long long have = r->bytes - before;
	if (plain && have != bytes)
		return fault_set(f, r->path, again, "%s: %lld bytes should follow the header, %lld do",
			have < bytes ? "truncated" : "oversized", bytes, have);
	if (!plain && bytes / GZIP_BEST > r->bytes)
		return fault_set(f, r->path, again, "truncated: it cannot hold the %lld bytes that its header promises", bytes);
	return true;
}

// Why zlib gave fewer bytes than asked for.
static bool unread(struct reader *r, struct fault *f)
{
	int code = Z_OK;
	gzerror(r->file, &code);
	if (code == Z_ERRNO)
		return fault_set(f, r->path, "check the disk", "cannot be read: %s", strerror(errno));
	if (code == Z_OK || code == Z_BUF_ERROR)
		return fault_set(f, r->path, again, "truncated: it ends too early");
	return fault_set(f, r->path, again, "cannot be unpacked (zlib error %d)", code);
}

bool reader_take(struct reader *r, void *to, unsigned bytes, struct fault *f)
{
	int got = gzread(r->file, to, bytes);
	return (got >= 0 && (unsigned)got == bytes) || unread(r, f);
}

bool reader_end(struct reader *r, struct fault *f)
{
	uint8_t byte;
	int got = gzread(r->file, &byte, 1), code = Z_OK;
	if (got > 0)
		return fault_set(f, r->path, again, "oversized: more follows after the last image");
	gzerror(r->file, &code);
	return (!got && code == Z_OK) || unread(r, f);
}
