// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/base/text.h"

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
	text_clean(f->where, "");
	text_clean(f->what, "");
	text_clean(f->todo, "");
	return false;
}

bool fault_memory(struct fault *f, const char *where)
{
	return fault_set(f, where, "close other programs, or choose a smaller network", "out of memory");
}

bool fault_within(struct fault *f, const char *where, const struct fault *inner)
{
	struct fault copy = *inner;
	return fault_set(f, where, copy.todo, "%s%s%s", copy.where, copy.where[0] ? ": " : "", copy.what);
}

const char *fault_line(const struct fault *f, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s", f->where, f->where[0] ? ": " : "", f->what, f->todo[0] ? "; " : "", f->todo);
	return buf;
}
