// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/term.h"

#include <stdio.h>
#include <string.h>

const struct term_kind term_kinds[TERM_IDS] = {
#define ROW(id, name, subject, quantity, unit, per, where, rank, title, help)                                                    \
	[TERM_##id] = {TERM_##id, name, subject, quantity, unit, per, where, rank, title, help},
	TERM_KINDS(ROW)
#undef ROW
};

static const struct {
	const char *symbol, *advice;
} quantities[] = {
	[QUANTITY_COUNT] = {"", "give a format (int4), a multiple of the widest (0.5x) or a number (1.2G)"},
	[QUANTITY_BYTES] = {"B", "give a format (int4), a multiple of the widest (0.5x) or bytes (300k, 1.5MB)"},
	[QUANTITY_TIME] = {"ms", "give a format (int4), a multiple of the widest (0.5x) or a time (3ms, 250us)"},
	[QUANTITY_ENERGY] = {"mJ", "give a format (int4), a multiple of the widest (0.5x) or an energy (20mJ, 500uJ)"},
	[QUANTITY_WORK] = {"Wh", "give a multiple of the dearest choice (0.5x) or an energy (800Wh, 1.2GWh)"},
	[QUANTITY_MASS] = {"g", "give a multiple of the dearest choice (0.5x) or a mass (300g, 2t)"},
};

const char *quantity_symbol(enum term_quantity quantity)
{
	return quantities[quantity].symbol;
}

const char *quantity_advice(enum term_quantity quantity)
{
	return quantities[quantity].advice;
}

// Of the name before the '@', the kind of any subject (-1), or of this one.
static bool read_name(int subject, const char *text, struct term_name *name)
{
	size_t length = strcspn(text, "@");
	*name = (struct term_name){.device = text[length] ? text + length + 1 : NULL};
	for (int i = 0; i < TERM_IDS && !name->kind; i++)
		if ((subject < 0 || (int)term_kinds[i].subject == subject) && strlen(term_kinds[i].name) == length &&
			memcmp(text, term_kinds[i].name, length) == 0)
			name->kind = &term_kinds[i];
	return name->kind && (!name->device || name->kind->where);
}

bool term_read(const char *text, struct term_name *name)
{
	return read_name(-1, text, name);
}

bool term_read_of(enum term_subject subject, const char *text, struct term_name *name)
{
	return read_name((int)subject, text, name);
}

bool term_write(enum term_id id, const char *device, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "%s@%s", term_kinds[id].name, device) < size;
}

const char *term_table(const char *device)
{
	static const char word[] = "table:";
	return strncmp(device, word, sizeof word - 1) == 0 ? device + sizeof word - 1 : NULL;
}

const char *term_advice(enum term_subject subject, bool setting, char *buf, size_t size)
{
	int at = snprintf(buf, size, "choose one of "), named = 0;
	static const char *const behind[] = {[ANYWHERE] = "", [ON_DEVICE] = "@DEVICE", [AT_SITE] = "@SITE"};
	for (int placed = 0; placed < 2; placed++) // those with a device or site stand last
		for (int i = 0; i < TERM_IDS; i++) {
			const struct term_kind *k = &term_kinds[i];
			if (k->subject == subject && at > 0 && (size_t)at < size &&
				(placed ? k->where != ANYWHERE : setting || k->where == ANYWHERE))
				at += snprintf(buf + at, size - (size_t)at, "%s%s%s", named++ ? ", " : "", k->name,
					placed ? behind[k->where] : "");
		}
	return buf;
}
