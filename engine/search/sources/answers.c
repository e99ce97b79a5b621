// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/search/sources/answers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct answers_row {
	uint64_t key; // 0: free
	long step;
	struct scored answer;
};
enum { FEWEST = 256 };

void answers_free(struct answers *a)
{
	free(a->row);
	*a = (struct answers){0};
}

// FNV-1a over 64 bits.
uint64_t answers_key(const uint8_t *choice, size_t slots, long step)
{
	uint64_t key = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof step; i++)
		key = (key ^ (uint8_t)((uint64_t)step >> (8 * i))) * 0x100000001b3u;
	for (size_t i = 0; i < slots; i++)
		key = (key ^ choice[i]) * 0x100000001b3u;
	return key ? key : 1;
}

// Where the key is, or where it would go.
static struct answers_row *place_of(const struct answers *a, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 32) & (a->room - 1);
	while (a->row[i].key && a->row[i].key != key)
		i = (i + 1) & (a->room - 1);
	return &a->row[i];
}

const struct scored *answers_find(const struct answers *a, uint64_t key)
{
	const struct answers_row *row = a->room ? place_of(a, key) : NULL;
	return row && row->key ? &row->answer : NULL;
}

static bool make_room(struct answers *a, long from)
{
	struct answers new = {.room = FEWEST};
	size_t kept = 0;
	for (size_t i = 0; i < a->room; i++)
		kept += a->row[i].key && a->row[i].step >= from;
	while (new.room < 4 * kept)
		new.room *= 2;
	if (!(new.row = calloc(new.room, sizeof *new.row)))
		return false;
	for (size_t i = 0; i < a->room; i++)
		if (a->row[i].key && a->row[i].step >= from) {
			*place_of(&new, a->row[i].key) = a->row[i];
			new.taken++;
		}
	free(a->row);
	*a = new;
	return true;
}

bool answers_put(struct answers *a, uint64_t key, const struct scored *answer, long step, long from)
{
	if (2 * (a->taken + 1) > a->room && !make_room(a, from))
		return false;
	struct answers_row *row = place_of(a, key);
	if (row->key)
		return true;
	*row = (struct answers_row){key, step, *answer};
	a->taken++;
	return true;
}

// ---- words ----

// As short as it reads back.
static void write_number(struct string *text, double x)
{
	char digits[32];
	for (int n = 6; n <= 17; n++) {
		snprintf(digits, sizeof digits, "%.*g", n, x);
		if (strtod(digits, NULL) == x)
			break;
	}
	string_add(text, "%s", digits);
}

void answers_write(struct string *text, uint64_t key, const struct scored *a)
{
	string_add(text, "%016llx=", (unsigned long long)key);
	if (a->failed) {
		string_add(text, "fail");
		return;
	}
	write_number(text, a->quality);
	if (!isnan(a->accuracy)) {
		string_add(text, ",");
		write_number(text, a->accuracy);
	}
}

bool answers_read(const char *word, uint64_t *key, struct scored *a)
{
	enum { DIGITS = 16 };
	char *end;
	*a = (struct scored){.accuracy = NAN};
	if (strspn(word, "0123456789abcdef") != DIGITS || word[DIGITS] != '=')
		return false;
	*key = strtoull(word, &end, 16);
	word += DIGITS + 1;
	a->failed = strcmp(word, "fail") == 0;
	if (a->failed)
		return *key != 0;
	a->quality = strtod(word, &end);
	bool ok = *key && end != word && isfinite(a->quality);
	if (ok && *end == ',') {
		word = end + 1;
		a->accuracy = strtod(word, &end);
		ok = end != word && isfinite(a->accuracy);
	}
	return ok && !*end;
}
