// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/term.h"

#include <stdio.h>
#include <string.h>

const struct term_kind term_kinds[TERM_IDS] = {
#define ROW(id, name, quantity, unit, per, on_device, rank, title, help)                                                         \
	[TERM_##id] = {TERM_##id, name, quantity, unit, per, on_device, rank, title, help},
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
};

const char *quantity_symbol(enum term_quantity quantity)
{
	return quantities[quantity].symbol;
}

const char *quantity_advice(enum term_quantity quantity)
{
	return quantities[quantity].advice;
}

bool term_read(const char *text, struct term_name *name)
{
	size_t length = strcspn(text, "@");
	*name = (struct term_name){.device = text[length] ? text + length + 1 : NULL};
	for (int i = 0; i < TERM_IDS && !name->kind; i++)
		if (strlen(term_kinds[i].name) == length && memcmp(text, term_kinds[i].name, length) == 0)
			name->kind = &term_kinds[i];
	return name->kind && (!name->device || name->kind->on_device);
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

const char *term_advice(bool setting, char *buf, size_t size)
{
	int at = snprintf(buf, size, "choose one of ");
	for (int device = 0; device < 2; device++) // those with a device stand last
		for (int i = 0; i < TERM_IDS; i++) {
			const struct term_kind *k = &term_kinds[i];
			if (at > 0 && (size_t)at < size && (device ? k->on_device : setting || !k->on_device))
				at += snprintf(buf + at, size - (size_t)at, "%s%s%s", i || device ? ", " : "", k->name,
					device ? "@DEVICE" : "");
		}
	return buf;
}
