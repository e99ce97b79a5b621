// SPDX-License-Identifier: GPL-3.0-or-later
// Helpers for text: a growing string, numbers as people write them, words and quoting, the nearest name.
#ifndef ENGINE_BASE_TEXT_H
#define ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// ---- a growing string ------------------------------------------------------------------------------------------------

// Starts as {0}. Once memory has run out, `failed` stays set and nothing more is added: check it at the end.
struct string {
	char *bytes; // always terminated where not NULL
	size_t length, room;
	bool failed;
};
void string_add(struct string *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void string_bytes(struct string *, const char *bytes, size_t count);
void string_clear(struct string *); // keeps the memory
void string_free(struct string *);

// ---- foreign text ------------------------------------------------------------------------------------------------------

// Text from outside (a file's name, a name or a source in it) must not bring control or escape sequences to a terminal. Replaces,
// in place, each control character (C0, DEL, C1, also in UTF-8) and each byte that is not UTF-8 by '?'. `keep`: characters to
// leave as they are, "\n" say. Returns s.
char *text_clean(char *s, const char *keep);

// ---- numbers ---------------------------------------------------------------------------------------------------------

// Reads a finite number: "12", "0.5", "1e-3", followed by k, M, G or T if need be, or "71%". Returns false for any other text.
bool number_read(const char *, double *);
bool number_read_long(const char *, long low, long high, long *);
// SI prefixes, one for each power of a thousand: "p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E".
enum { SI_PICO = -4, SI_NANO, SI_MICRO, SI_MILLI, SI_ONE /* 0 */, SI_KILO, SI_MEGA, SI_GIGA, SI_TERA, SI_PETA, SI_EXA };
const char *si_prefix(int power);
double si_factor(int power);
// Returns the prefix for a number of this size: the largest from `least` to `most` in which the number is at least `from`; else
// `least`. `from` is 1, or a little less where the shown digits would round up to the next prefix.
int si_power(double size, double from, int least, int most);
// Writes a number for people: "201.3 M bit ops", "78.3 kB", "3.2 ms per 8 images"; "-" if it is not a number. Returns buf.
const char *number_write(double, const char *unit, char *buf, size_t size);
const char *number_brief(double, const char *unit, char *buf, size_t size); // "3.2 ms", without "per …"

// ---- words -------------------------------------------------------------------------------------------------------------

enum {
	WORDS_LINE = 65536, // longest line of the command language, with its final zero
	WORDS_MOST = 513    // most words of a line: a command and its arguments
};

// A line split at blanks. '…' is taken as it stands; within "…" a \ escapes a quote or a backslash; a # at the beginning of a
// word starts a comment.
struct words {
	int count;
	char *word[WORDS_MOST + 1]; // word[count] is NULL
	const char *comment;        // after the #, within the line itself; NULL: none
	char *storage;
};
// Returns false, with nothing to free, for an open quote, a control character, or a line that is too long or has too many words.
bool words_split(struct words *, const char *line, struct fault *);
// For a command that takes text as it stands: splits off the first word and takes the rest as one word, any # and quotes
// included, without the blanks around it. If the rest is one quoted word, its quotes are removed. Returns false, with nothing to
// free, for a control character or a line that is too long.
bool words_text(struct words *, const char *line, struct fault *);
void words_free(struct words *);
// Adds a word so that splitting gives it back. Quotes it only where it must.
void words_quote(struct string *, const char *word);
// Adds a word for a shell, between single quotes.
void shell_quote(struct string *, const char *word);

// Takes the next word of a list joined by commas: copies it into word[size], cut to that size, and moves *at past it. A comma at
// either end, or two in a row, give an empty word, which no list allows. Returns false when there are no more.
bool list_next(const char **at, char *word, size_t size);

// ---- the nearest name ----------------------------------------------------------------------------------------------------

// Offer it every candidate; `best` is then the one that a person may have meant, or NULL. Among equally near candidates, one that
// differs from the word in digits alone comes last, and two of these cancel out: int9 means neither int2 nor int3.
struct nearest {
	const char *word;
	const char *best;
	int distance;
	bool by_digits; // at this distance all candidates so far differ in digits alone
};
struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *, const char *candidate);
// Fills buf with "did you mean 'best'?", or with `otherwise` if nothing is near. Returns buf.
const char *nearest_advice(const struct nearest *, const char *otherwise, char *buf, size_t size);

#endif
