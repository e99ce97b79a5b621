// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/fault.h"

#include <stdarg.h>
#include <stdio.h>

static void no_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

bool fault_set(struct fault *f, const char *where, const char *todo, const char *what, ...)
{
	if (!f)
		return false;
	va_list args;
	va_start(args, what);
	vsnprintf(f->what, sizeof f->what, what, args);
	va_end(args);
	snprintf(f->where, sizeof f->where, "%s", where ? where : "");
	snprintf(f->todo, sizeof f->todo, "%s", todo ? todo : "");
	no_controls(f->where);
	no_controls(f->what);
	no_controls(f->todo);
	return false;
}

const char *fault_line(const struct fault *f, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s", f->where, f->where[0] ? ": " : "", f->what, f->todo[0] ? "; " : "", f->todo);
	return buf;
}
