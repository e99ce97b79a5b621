// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMPORARY_PREFIX ".bitscape-"
#define TEMPORARY_SUFFIX ".tmp"

bool disk_fault(struct fault *f, const char *path, const char *doing, int error)
{
	static const struct {
		int error;
		const char *todo;
	} advice[] = {
		{ENOENT, "check the name"},
		{EACCES, "check its permissions"},
		{EPERM, "check its permissions"},
		{EROFS, "choose a folder on a disk that can be written"},
		{ENOSPC, "free some space, then try again"},
		{EDQUOT, "free some space, then try again"},
		{EEXIST, "choose another name, or open it"},
		{EISDIR, "name a file in it"},
		{ENOTDIR, "check the path"},
		{ELOOP, "check where its symbolic links lead"},
		{ENXIO, "start what reads from it first"},
		{ENAMETOOLONG, "choose a shorter name"},
		{EMFILE, "close other files or programs"},
		{ENFILE, "close other files or programs"},
	};
	const char *todo = "check the disk";
	for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
		if (advice[i].error == error)
			todo = advice[i].todo;
	char text[128];
	return fault_set(f, path, todo, "cannot %s: %s", doing, strerror_r(error, text, sizeof text));
}

// ---- reading -------------------------------------------------------------------------------------------------------

char *disk_read(const char *path, size_t most, size_t *size, struct fault *f)
{
	if (strcmp(path, "-") == 0) {
		fault_set(f, path, "name a file; ./- for one of this name", "standard input cannot be read here");
		return NULL;
	}
	// Without O_NONBLOCK a FIFO in the file's place would be waited for.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ENOENT)
			fault_set(f, path, "name a file that is there", "%s", strerror(ENOENT));
		else
			disk_fault(f, path, "open it", errno);
		return NULL;
	}
	struct stat st;
	char *bytes = NULL;
	size_t have = 0;
	if (fstat(fd, &st) != 0)
		disk_fault(f, path, "look at it", errno);
	else if (!S_ISREG(st.st_mode))
		fault_set(f, path, "name a file", "not a file");
	else if (st.st_size < 0 || (unsigned long long)st.st_size > most)
		fault_set(f, path, "name a smaller file; check that it is the right one",
			"%lld bytes are too many: at most %zu are read", (long long)st.st_size, most);
	else if (!(bytes = malloc((size_t)st.st_size + 1)))
		fault_memory(f, path);
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

// ---- writing -------------------------------------------------------------------------------------------------------

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

// The length of a path's folder part, with its last slash; 0: the current folder.
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (int)(slash - path) + 1 : 0;
}

static bool sync_folder(const char *folder, struct fault *f)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) // a folder may let us write and not look
		return errno == EACCES || disk_fault(f, folder, "open this folder", errno);
	// Some file systems cannot sync a folder: then a rename is as durable there as it gets.
	bool ok = fsync(fd) == 0 || errno == EINVAL || errno == EROFS;
	int error = errno;
	close(fd);
	return ok || disk_fault(f, folder, "sync this folder", error);
}

static bool sync_folder_of(const char *path, struct fault *f)
{
	char folder[DISK_PATH];
	int n = folder_length(path);
	snprintf(folder, sizeof folder, "%.*s", n ? n : 1, n ? path : ".");
	return sync_folder(folder, f);
}

// Follows the links of file->path by hand, as the last one may lead to a file that is still to be made. False with errno.
static bool follow(struct disk_file *file)
{
	enum { MOST = 40 };
	char target[DISK_PATH], next[DISK_PATH];
	struct stat st;
	for (int links = 0; lstat(file->path, &st) == 0 && S_ISLNK(st.st_mode); links++) {
		// What is written through needs no other name, and some have none: /dev/stdout into a pipe.
		if (stat(file->path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			return true;
		ssize_t n = links < MOST ? readlink(file->path, target, sizeof target) : -1;
		errno = links < MOST ? errno : ELOOP;
		if (n < 0)
			return false;
		int folder = target[0] == '/' ? 0 : folder_length(file->path);
		int length = (size_t)n < sizeof target
			? snprintf(next, sizeof next, "%.*s%.*s", folder, file->path, (int)n, target)
			: -1;
		if (length < 0 || (size_t)length >= sizeof next) {
			errno = ENAMETOOLONG;
			return false;
		}
		memcpy(file->path, next, (size_t)length + 1);
	}
	return true;
}

// Opens the temporary file, in the folder of `path`, or elsewhere for what is no regular file. False with errno.
static bool open_temporary(struct disk_file *file)
{
	static atomic_uint counter;
	const char *elsewhere = getenv("TMPDIR");
	int folder = file->through ? 0 : folder_length(file->path);
	char start[DISK_PATH];
	if (file->through)
		snprintf(start, sizeof start, "%s/", elsewhere && elsewhere[0] == '/' ? elsewhere : "/tmp");
	else
		snprintf(start, sizeof start, "%s%.*s",
			folder && (file->path[0] == '/' || strncmp(file->path, "./", 2) == 0) ? "" : "./", folder, file->path);
	for (int tries = 0; tries < 100; tries++) {
		int length = snprintf(file->temporary, sizeof file->temporary, "%s" TEMPORARY_PREFIX "%ld-%u" TEMPORARY_SUFFIX,
			start, (long)getpid(), atomic_fetch_add(&counter, 1));
		if (length < 0 || (size_t)length >= sizeof file->temporary) {
			errno = ENAMETOOLONG;
			return false;
		}
		file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			file->through ? 0600 : 0666);
		if (file->fd >= 0 || errno != EEXIST)
			break;
	}
	return file->fd >= 0;
}

bool disk_begin(struct disk_file *file, const char *path, struct fault *f)
{
	*file = (struct disk_file){.fd = -1};
	snprintf(file->name, sizeof file->name, "%s", path);
	snprintf(file->path, sizeof file->path, "%s", path);
	size_t length = strlen(path);
	if (length >= sizeof file->path)
		return disk_fault(f, path, "write it", ENAMETOOLONG);
	if (!length || path[length - 1] == '/')
		return disk_fault(f, path, "write it", length ? EISDIR : ENOENT);
	if (strcmp(path, "-") == 0)
		return fault_set(f, path, "give /dev/stdout for standard output, ./- for a file of this name",
			"it is not clear what this means");
	if (!follow(file))
		return disk_fault(f, path, "write it", errno);
	struct stat st;
	bool there = stat(file->path, &st) == 0;
	if (there && S_ISDIR(st.st_mode))
		return disk_fault(f, path, "write it", EISDIR);
	if (there && S_ISSOCK(st.st_mode))
		return fault_set(f, path, "choose another name", "this is a socket, and not a file");
	if (there && faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS) != 0)
		return disk_fault(f, path, "write it", errno);
	file->through = there && !S_ISREG(st.st_mode);
	if (!open_temporary(file))
		return disk_fault(f, path, "write it", errno);
	if (there && !file->through) {
		// The owner comes first, since changing it clears bits of the mode. If it cannot be changed, the file becomes
		// ours.
		if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchown(file->fd, st.st_uid, st.st_gid) != 0)
			errno = 0;
		fchmod(file->fd, st.st_mode & 07777);
	}
	return true;
}

static int copy(int from, int to)
{
	char bytes[1 << 14];
	ssize_t n;
	while ((n = read(from, bytes, sizeof bytes)) > 0)
		if (!disk_write(to, bytes, (size_t)n))
			return errno;
	return n < 0 ? errno : 0;
}

// Into what is no regular file. 0, or an errno.
static int write_through(const struct disk_file *file)
{
	// O_NONBLOCK: a FIFO that nobody reads is refused and not waited for. What is read slowly is waited for.
	int from = open(file->temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int to = from < 0 ? -1 : open(file->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = to < 0 ? errno : 0;
	if (!error && fcntl(to, F_SETFL, fcntl(to, F_GETFL) & ~O_NONBLOCK) != 0)
		error = errno;
	if (!error) {
		// A reader that leaves is an error of this file and not the end of the program.
		sigset_t pipe, before, waiting;
		sigemptyset(&pipe);
		sigaddset(&pipe, SIGPIPE);
		pthread_sigmask(SIG_BLOCK, &pipe, &before);
		error = copy(from, to);
		if (error == EPIPE && !sigismember(&before, SIGPIPE) && sigpending(&waiting) == 0 &&
			sigismember(&waiting, SIGPIPE))
			sigtimedwait(&pipe, NULL, &(struct timespec){0});
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (from >= 0)
		close(from);
	if (to >= 0 && close(to) != 0 && !error)
		error = errno;
	return error;
}

bool disk_keep(struct disk_file *file, struct fault *f)
{
	int error = file->through || fsync(file->fd) == 0 ? 0 : errno;
	if (close(file->fd) != 0 && !error)
		error = errno;
	file->fd = -1;
	if (!error && file->through)
		error = write_through(file);
	else if (!error && rename(file->temporary, file->path) != 0)
		error = errno;
	if (error || file->through)
		unlink(file->temporary);
	if (error)
		return disk_fault(f, file->name, "write it", error);
	return file->through || sync_folder_of(file->path, f);
}

void disk_drop(struct disk_file *file)
{
	close(file->fd);
	file->fd = -1;
	unlink(file->temporary);
}

bool disk_replace(const char *path, const void *bytes, size_t size, struct fault *f)
{
	struct disk_file file;
	if (!disk_begin(&file, path, f))
		return false;
	if (!disk_write(file.fd, bytes, size)) {
		int error = errno;
		disk_drop(&file);
		return disk_fault(f, path, "write it", error);
	}
	return disk_keep(&file, f);
}

bool disk_left_over(const char *name)
{
	long pid;
	unsigned number;
	int length = 0;
	if (sscanf(name, TEMPORARY_PREFIX "%ld-%u" TEMPORARY_SUFFIX "%n", &pid, &number, &length) != 2 || !length || name[length])
		return false;
	return pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

bool disk_state_home(char *buf, size_t size, struct fault *f)
{
	// The XDG rules: a relative path counts as not set.
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length = -1;
	if (state && state[0] == '/')
		length = snprintf(buf, size, "%s/bitscape", state);
	else if (home && home[0] == '/')
		length = snprintf(buf, size, "%s/.local/state/bitscape", home);
	else
		return fault_set(f, "HOME", "set it, or give a path such as ./demo",
			"there is no home folder to keep sessions in");
	return (length > 0 && (size_t)length < size) ||
		fault_set(f, state && state[0] == '/' ? state : home, "choose a shorter one", "the path is longer than %zu bytes",
			size - 1);
}

bool disk_make_folders(const char *file, struct fault *f)
{
	char path[DISK_PATH];
	if ((size_t)snprintf(path, sizeof path, "%s", file) >= sizeof path)
		return fault_set(f, file, "choose a shorter one", "the path is longer than %zu bytes", sizeof path - 1);
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return disk_fault(f, path, "be made", errno);
		*p = '/';
	}
	return true;
}
