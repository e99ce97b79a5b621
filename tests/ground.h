// SPDX-License-Identifier: GPL-3.0-or-later
// The ground that a test program stands on: a folder of its own, and a stream of numbers.
#ifndef TESTS_GROUND_H
#define TESTS_GROUND_H

#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Makes the folder TMPDIR/bitscape-NAME-XXXXXX, which becomes the state folder; and in it another, which becomes the current one.
static inline bool ground_make(char *path, size_t size, const char *name, const char *current)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(path, size, "%.90s/bitscape-%s-XXXXXX", tmp && tmp[0] ? tmp : "/tmp", name);
	return mkdtemp(path) && setenv("XDG_STATE_HOME", path, 1) == 0 && chdir(path) == 0 && mkdir(current, 0777) == 0 &&
		chdir(current) == 0;
}

static inline int ground_clear_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

// The file or the folder with all that is in it; false: something is left.
static inline bool ground_clear(const char *path)
{
	return nftw(path, ground_clear_one, 8, FTW_DEPTH | FTW_PHYS) == 0;
}

// The next number of the stream (splitmix64), 0 to below - 1.
static inline uint32_t any_of(uint64_t *seed, uint32_t below)
{
	*seed += 0x9e3779b97f4a7c15u;
	uint64_t z = *seed;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

#endif
