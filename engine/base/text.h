// SPDX-License-Identifier: GPL-3.0-or-later
// Small things with text: a growing string, numbers as people write them, words and quoting, the nearest name.
#ifndef ENGINE_BASE_TEXT_H
#define ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/fault.h"

// ---- a growing string ------------------------------------------------------------------------------------------------

// Starts as {0}. Once memory has run out `failed` stays set and nothing more is added: check it at the end.
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

// Text that came from outside (a file's name, a name or a source in it) must not reach a terminal with its control and escape
// sequences: replaces, in place, each control character (C0, DEL, C1, also in UTF-8) and each byte that is not UTF-8 by '?'.
// `keep`: characters to leave as they are, "\n" say. Returns s.
char *text_clean(char *s, const char *keep);

// ---- numbers ---------------------------------------------------------------------------------------------------------

// A finite number: "12", "0.5", "1e-3", with k, M, G, T behind it, or "71%". False where the text is anything else.
bool number_read(const char *, double *);
bool number_read_long(const char *, long low, long high, long *);
// SI prefixes, one for each power of a thousand: "p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E".
enum { SI_PICO = -4, SI_NANO, SI_MICRO, SI_MILLI, SI_ONE /* 0 */, SI_KILO, SI_MEGA, SI_GIGA, SI_TERA, SI_PETA, SI_EXA };
const char *si_prefix(int power);
double si_factor(int power);
// The prefix for a number of this size: the largest from `least` to `most` of which it has `from` or more; else `least`. `from` is 1,
// or a little less where the digits that are shown would round up to the next prefix.
int si_power(double size, double from, int least, int most);
// For people: "201.3 M bit ops", "78.3 kB", "3.2 ms per 8 images"; "-": not a number. Returns buf.
const char *number_write(double, const char *unit, char *buf, size_t size);
const char *number_brief(double, const char *unit, char *buf, size_t size); // "3.2 ms", without what the unit is for

// ---- words -------------------------------------------------------------------------------------------------------------

enum {
	WORDS_LINE = 65536, // longest line of the command language, with its final zero
	WORDS_MOST = 513    // most words of a line: a command and its arguments
};

// A line split: words apart by blanks, '…' taken as it stands, "…" with \ before a quote or a backslash, # at the
// beginning of a word starting a comment.
struct words {
	int count;
	char *word[WORDS_MOST + 1]; // word[count] is NULL
	const char *comment;        // behind the #, in the line itself; NULL: none
	char *storage;
};
// False, with nothing to free: an open quote, a control character, a line too long or with too many words.
bool words_split(struct words *, const char *line, struct fault *);
// For a command that takes text as it stands: the first word, and all behind it as one, a # and quotes included; blanks around
// it go. Where that is one quoted word, it is what the quotes hold. False, with nothing to free: a control character, a line too long.
bool words_text(struct words *, const char *line, struct fault *);
void words_free(struct words *);
// Adds a word so that splitting gives it back: quoted only where it must be.
void words_quote(struct string *, const char *word);

// The words of a list joined by commas, one a call: copies the next into word[size], cut to it, and moves *at behind it. A comma at
// either end, or a second one, has an empty word beside it, which no list means. False: there are no more.
bool list_next(const char **at, char *word, size_t size);

// ---- the nearest name ----------------------------------------------------------------------------------------------------

// Offer it every candidate; `best` is then the one a person may have meant, or NULL. One that differs from the word in digits alone
// counts least among those as near, and not at all where there is another such: of int2 and int3 neither was meant by int9.
struct nearest {
	const char *word;
	const char *best;
	int distance;
	bool by_digits; // at this distance there was none yet but those that differ in digits alone
};
struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *, const char *candidate);
// Fills buf with "did you mean 'best'?", or with `otherwise` where nothing is near. Returns buf.
const char *nearest_advice(const struct nearest *, const char *otherwise, char *buf, size_t size);

#endif
