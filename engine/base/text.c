// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- a growing string ------------------------------------------------------------------------------------------------

static bool make_room(struct string *t, size_t more)
{
	if (t->failed)
		return false;
	if (t->room - t->length > more)
		return true;
	size_t room = t->room ? t->room * 2 : 256;
	while (room - t->length <= more)
		room *= 2;
	char *bytes = realloc(t->bytes, room);
	if (!bytes) {
		t->failed = true;
		return false;
	}
	t->bytes = bytes;
	t->room = room;
	return true;
}

void string_add(struct string *t, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0)
		t->failed = true;
	else if (make_room(t, (size_t)need)) {
		vsnprintf(t->bytes + t->length, t->room - t->length, format, again);
		t->length += (size_t)need;
	}
	va_end(again);
}

void string_bytes(struct string *t, const char *bytes, size_t count)
{
	if (!make_room(t, count))
		return;
	if (count)
		memcpy(t->bytes + t->length, bytes, count);
	t->length += count;
	t->bytes[t->length] = '\0';
}

void string_clear(struct string *t)
{
	t->length = 0;
	t->failed = false;
	if (t->bytes)
		t->bytes[0] = '\0';
}

void string_free(struct string *t)
{
	free(t->bytes);
	*t = (struct string){0};
}

// ---- foreign text ------------------------------------------------------------------------------------------------------

// Bytes of the UTF-8 character at s, 0: there is none. C1 controls are none.
static size_t character(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		unsigned least;
	} kinds[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	for (size_t more = 0; more < sizeof kinds / sizeof *kinds; more++) {
		if ((*s & kinds[more].mask) != kinds[more].lead)
			continue;
		unsigned code = *s & (unsigned char)~kinds[more].mask;
		for (size_t i = 1; i <= more; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		bool control = code < ' ' || (code >= 0x7f && code < 0xa0);
		bool none = code < kinds[more].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
		return control || none ? 0 : more + 1;
	}
	return 0;
}

char *text_clean(char *s, const char *keep)
{
	for (unsigned char *p = (unsigned char *)s; *p;) {
		size_t n = character(p);
		if (!n && !(*p < 0x80 && strchr(keep, *p)))
			*p = '?';
		p += n ? n : 1;
	}
	return s;
}

// ---- numbers ---------------------------------------------------------------------------------------------------------

static const struct prefix {
	const char *letter;
	double factor;
} prefixes[] = {{"p", 1e-12}, {"n", 1e-9}, {"u", 1e-6}, {"m", 1e-3}, {"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12},
	{"P", 1e15}, {"E", 1e18}};

const char *si_prefix(int power)
{
	return prefixes[power - SI_PICO].letter;
}

double si_factor(int power)
{
	return prefixes[power - SI_PICO].factor;
}

int si_power(double size, double from, int least, int most)
{
	int power = most;
	while (power > least && !(size >= from * si_factor(power)))
		power--;
	return power;
}

bool number_read(const char *s, double *value)
{
	// strtod would also take blanks, hexadecimal, "inf" and "nan".
	if (!s[0] || strspn(s, "+-.0123456789eEkMGT%") != strlen(s))
		return false;
	char *end;
	double v = strtod(s, &end);
	if (end == s)
		return false;
	double factor = 0;
	for (int power = SI_KILO; power <= SI_TERA; power++)
		if (*end == si_prefix(power)[0])
			factor = si_factor(power);
	if (factor > 0 || *end == '%') {
		v = *end == '%' ? v / 100 : v * factor;
		end++;
	}
	if (*end || !isfinite(v))
		return false;
	*value = v;
	return true;
}

bool number_read_long(const char *s, long low, long high, long *value)
{
	if (!s[0] || strspn(s, "-0123456789") != strlen(s))
		return false;
	char *end;
	errno = 0;
	long v = strtol(s, &end, 10);
	if (*end || errno || v < low || v > high)
		return false;
	*value = v;
	return true;
}

const char *number_write(double value, const char *unit, char *buf, size_t size)
{
	if (!isfinite(value)) {
		snprintf(buf, size, "-");
		return buf;
	}
	if (strncmp(unit, "ms", 2) == 0 || strncmp(unit, "mJ", 2) == 0) { // it has its prefix
		bool large = fabs(value) >= 1000;
		snprintf(buf, size, "%.4g %s", large ? value / 1000 : value, unit + large);
		return buf;
	}
	const char *gap = strcspn(unit, " ") > 1 ? " " : ""; // "78.3 kB per image", but "201.3 M bit ops"
	int power = si_power(fabs(value), 1, SI_ONE, SI_TERA);
	if (power > SI_ONE)
		snprintf(buf, size, "%.4g %s%s%s", value / si_factor(power), si_prefix(power), gap, unit);
	else
		snprintf(buf, size, "%.4g%s%s", value, unit[0] ? " " : "", unit);
	return buf;
}

const char *number_brief(double value, const char *unit, char *buf, size_t size)
{
	char *per = strstr(number_write(value, unit, buf, size), " per ");
	if (per)
		*per = '\0';
	return buf;
}

// ---- words -------------------------------------------------------------------------------------------------------------

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

// Room for the words of a line that is fit to be split. Words are never longer than the line.
static bool words_begin(struct words *w, const char *line, struct fault *f)
{
	*w = (struct words){0};
	size_t length = strlen(line);
	if (length >= WORDS_LINE)
		return fault_set(f, "command line", "split it", "it is longer than %d bytes", WORDS_LINE - 1);
	for (const char *p = line; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return fault_set(f, "command line", "remove it", "it holds a control character at byte %td",
				p - line + 1);
	w->storage = malloc(length + 2);
	return w->storage || fault_memory(f, "command line");
}

// Copies the word at *p to *out, without its quotes, and moves both behind it. The quote that is not closed, or 0.
static char take_word(const char **p, char **out)
{
	char quote = '\0';
	for (; **p && (quote || !blank(**p)); ++*p) {
		if (quote && **p == quote)
			quote = '\0';
		else if (!quote && (**p == '\'' || **p == '"'))
			quote = **p;
		else if (quote == '"' && **p == '\\' && ((*p)[1] == '"' || (*p)[1] == '\\'))
			*(*out)++ = *++*p;
		else
			*(*out)++ = **p;
	}
	*(*out)++ = '\0';
	return quote;
}

bool words_split(struct words *w, const char *line, struct fault *f)
{
	if (!words_begin(w, line, f))
		return false;
	char *out = w->storage;
	const char *p = line;
	for (;;) {
		while (blank(*p))
			p++;
		if (*p == '#')
			w->comment = p + 1;
		if (!*p || *p == '#')
			break;
		if (w->count == WORDS_MOST) {
			words_free(w);
			return fault_set(f, "command line", "split it", "it has more than %d words", WORDS_MOST);
		}
		w->word[w->count++] = out;
		char quote = take_word(&p, &out);
		if (quote) {
			words_free(w);
			return fault_set(f, "command line", "close it", "a quote (%c) is opened and not closed", quote);
		}
	}
	w->word[w->count] = NULL;
	return true;
}

bool words_text(struct words *w, const char *line, struct fault *f)
{
	if (!words_begin(w, line, f))
		return false;
	char *out = w->storage;
	const char *p = line + strspn(line, " \t"), *end = p + strlen(p);
	while (end > p && blank(end[-1]))
		end--;
	for (; w->count < 2 && p < end; p += strspn(p, " \t")) {
		const char *whole = p;
		w->word[w->count] = out;
		// One word, quoted from its first character to the end of the text?
		bool text = w->count++ == 1, open = take_word(&p, &out),
		     quoted = !open && p == end && (*whole == '\'' || *whole == '"') && end[-1] == *whole && end - whole > 1;
		if (!text || quoted)
			continue;
		out = w->word[1];
		memcpy(out, whole, (size_t)(end - whole));
		out[end - whole] = '\0';
		break;
	}
	return true;
}

void words_free(struct words *w)
{
	free(w->storage);
	*w = (struct words){0};
}

void words_quote(struct string *t, const char *word)
{
	if (word[0] && word[0] != '#' && !strpbrk(word, " \t'\"")) {
		string_add(t, "%s", word);
		return;
	}
	string_add(t, "\"");
	for (const char *p = word; *p; p++)
		string_add(t, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	string_add(t, "\"");
}

void shell_quote(struct string *out, const char *word)
{
	string_add(out, "'");
	for (; *word; word++)
		string_add(out, *word == '\'' ? "'\\''" : "%c", *word);
	string_add(out, "'");
}

bool list_next(const char **at, char *word, size_t size)
{
	if (!*at)
		return false;
	size_t n = strcspn(*at, ",");
	snprintf(word, size, "%.*s", (int)(n < size ? n : size - 1), *at);
	*at = (*at)[n] ? *at + n + 1 : NULL;
	return true;
}

// ---- the nearest name ----------------------------------------------------------------------------------------------------

enum { NEAREST_LONGEST = 64 };

// Edit distance, case ignored; two letters exchanged count once. Words too long are infinitely far.
static int distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	if (n > NEAREST_LONGEST || m > NEAREST_LONGEST)
		return NEAREST_LONGEST;
	int rows[3][NEAREST_LONGEST + 1];
	int *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= m; j++)
		last[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		now[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int ca = tolower((unsigned char)a[i - 1]), cb = tolower((unsigned char)b[j - 1]);
			int d = last[j - 1] + (ca != cb);
			if (last[j] + 1 < d)
				d = last[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && cb == tolower((unsigned char)a[i - 2]) &&
				before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			now[j] = d;
		}
		int *free_row = before;
		before = last;
		last = now;
		now = free_row;
	}
	return last[m];
}

struct nearest nearest_to(const char *word)
{
	// More than a third of the letters wrong, and it is another word.
	int limit = (int)strlen(word) / 3;
	return (struct nearest){.word = word, .distance = limit < 1 ? 2 : limit + 1};
}

static bool differ_in_digits(const char *a, const char *b)
{
	bool differ = false;
	for (; *a && *b; a++, b++) {
		differ |= *a != *b;
		if (*a != *b && !(isdigit((unsigned char)*a) && isdigit((unsigned char)*b)))
			return false;
	}
	return differ && *a == *b;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	int d = distance(n->word, candidate);
	bool by_digits = differ_in_digits(n->word, candidate);
	if (d < n->distance || (d == n->distance && n->by_digits && !by_digits)) {
		n->distance = d;
		n->best = candidate;
		n->by_digits = by_digits;
	} else if (d == n->distance && n->by_digits && n->best && strcmp(n->best, candidate) != 0) {
		n->best = NULL;
	}
}

const char *nearest_advice(const struct nearest *n, const char *otherwise, char *buf, size_t size)
{
	if (n->best)
		snprintf(buf, size, "did you mean '%s'?", n->best);
	else
		snprintf(buf, size, "%s", otherwise);
	return buf;
}
