// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/screen.h"

enum { WHOLE_RUN = 1 << 20, WORD_LETTERS = 4, NAME_BYTES = 256 };

// The rules, from the mildest on.
static const struct rule {
	int letters; // of every run of letters so many stay
	int last;    // in the last word so many
	bool shared; // the beginning that all names share stays
	bool dots;   // what parts the words stays
	bool number; // the name's number in the set stands for it
} rule[] = {
	{WHOLE_RUN, WHOLE_RUN, true, true, false},
	{WHOLE_RUN, WHOLE_RUN, false, true, false},
	{12, 12, false, true, false},
	{8, 8, false, true, false},
	{6, 6, false, true, false},
	{1, 12, false, true, false},
	{1, 8, false, true, false},
	{1, 6, false, true, false},
	{1, 5, false, true, false},
	{1, 4, false, true, false},
	{1, 3, false, true, false},
	{1, 2, false, true, false},
	{1, 1, false, true, false},
	{1, 3, false, false, false},
	{1, 2, false, false, false},
	{1, 1, false, false, false},
	{0, 0, false, false, true},
};
enum { RULES = sizeof rule / sizeof *rule };

struct names {
	int count;
	const char **name;
	size_t shared;     // bytes of the beginning that all have in common, up to the end of a word
	int width[RULES];  // columns that the longest takes
	bool apart[RULES]; // no two become alike
};

static bool is_letter(uint32_t code)
{
	return code >= 128 || isalpha((int)code);
}

static const char *shortened(const struct names *n, const struct rule *r, int i, char *buf, size_t size)
{
	if (r->number) {
		snprintf(buf, size, "#%d", i + 1);
		return buf;
	}
	const char *text = n->name[i];
	size_t at = 0;
	if (!r->shared && n->shared > 0) {
		text += n->shared;
		if (r->letters == WHOLE_RUN)
			at = (size_t)snprintf(buf, size, "\u2026");
	}
	const char *dot = strrchr(text, '.');
	int run = 0; // letters so far
	while (*text && at + 5 < size) {
		const char *from = text;
		uint32_t code = screen_decode(&text);
		bool letter = is_letter(code), digit = code < 128 && isdigit((int)code);
		run = letter ? run + 1 : 0;
		if (letter ? run > (dot && from < dot ? r->letters : r->last) : !digit && !r->dots)
			continue;
		memcpy(buf + at, from, (size_t)(text - from));
		at += (size_t)(text - from);
	}
	buf[at] = '\0';
	return buf;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// How many different names a rule makes; -1: out of memory.
static int different(struct names *n, int r)
{
	size_t size = NAME_BYTES;
	char *text = malloc((size_t)n->count * size), **sorted = malloc((size_t)n->count * sizeof *sorted);
	int count = text && sorted ? 0 : -1;
	n->width[r] = 0;
	for (int i = 0; i < n->count && count == 0; i++) {
		sorted[i] = text + (size_t)i * size;
		shortened(n, &rule[r], i, sorted[i], size);
		int width = screen_width(sorted[i]);
		n->width[r] = width > n->width[r] ? width : n->width[r];
	}
	if (count == 0)
		qsort(sorted, (size_t)n->count, sizeof *sorted, by_text);
	for (int i = 0; i < n->count && count >= 0; i++)
		count += i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0;
	free(text);
	free(sorted);
	return count;
}

// Only whole words are taken off.
static size_t shared_length(const struct names *n)
{
	size_t shared = n->count > 1 ? strlen(n->name[0]) : 0;
	for (int i = 1; i < n->count; i++)
		for (size_t k = 0; k < shared; k++)
			if (n->name[i][k] != n->name[0][k])
				shared = k;
	while (shared > 0 && isalnum((unsigned char)n->name[0][shared - 1]))
		shared--;
	bool plain = true;
	for (size_t k = 0; k < shared; k++)
		plain &= (unsigned char)n->name[0][k] < 128;
	for (int i = 0; i < n->count; i++)
		plain &= n->name[i][shared] != '\0'; // something is left of it
	return plain ? shared : 0;
}

struct names *names_new(const char *(*name)(const void *context, int i), const void *context, int count)
{
	struct names *n = calloc(1, sizeof *n);
	if (!n || !(n->name = calloc((size_t)count + 1, sizeof *n->name))) {
		names_free(n);
		return NULL;
	}
	n->count = count;
	for (int i = 0; i < count; i++)
		n->name[i] = name(context, i);
	n->shared = shared_length(n);
	int whole = 0;
	for (int r = 0; r < RULES; r++) {
		int found = different(n, r);
		if (found < 0) {
			names_free(n);
			return NULL;
		}
		whole = r == 0 ? found : whole;
		n->apart[r] = found >= whole;
	}
	return n;
}

void names_free(struct names *n)
{
	if (n)
		free(n->name);
	free(n);
}

static int narrowest(const struct names *n, int letters)
{
	int least = n->width[0];
	for (int r = 0; r < RULES; r++)
		if (n->apart[r] && rule[r].last >= letters && n->width[r] < least)
			least = n->width[r];
	return least;
}

int names_least(const struct names *n)
{
	return narrowest(n, 0);
}

int names_words(const struct names *n)
{
	return narrowest(n, WORD_LETTERS);
}

static int rule_for(const struct names *n, int width)
{
	int r = 0;
	while (r < RULES - 1 && !(n->apart[r] && n->width[r] <= width))
		r++;
	return r;
}

int names_width(const struct names *n, int width)
{
	return n->width[rule_for(n, width)];
}

const char *names_fit(const struct names *n, int i, int width, char *buf, size_t size)
{
	return shortened(n, &rule[rule_for(n, width)], i, buf, size);
}
