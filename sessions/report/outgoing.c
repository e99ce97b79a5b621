// SPDX-License-Identifier: GPL-3.0-or-later
// `export c`: the network of the result, as it leaves. The engine makes a copy between two steps, and the file is written when it comes.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "sessions/core/inside.h"

struct outgoing {
	char name[ENGINE_NAME]; // that names in the file begin with
	char path[];
};

// The file's name without its folder and its ending, in characters that C takes.
static void name_of(const char *path, char name[ENGINE_NAME])
{
	const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
	size_t used = 0;
	if (!isalpha((unsigned char)*from))
		name[used++] = 'n';
	for (; *from && *from != '.' && used < ENGINE_NAME - 1; from++)
		name[used++] = isalnum((unsigned char)*from) ? *from : '_';
	name[used] = '\0';
}

static bool write_file(const struct outgoing *o, const struct frozen *frozen, struct fault *f)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&bytes, &size);
	if (!file)
		return fault_memory(f, o->path);
	bool ok = engine_write_c(frozen, o->name, file, f);
	if (fclose(file) != 0 && ok)
		ok = fault_memory(f, o->path);
	ok = ok && disk_replace(o->path, bytes, size, f);
	free(bytes);
	return ok;
}

static void outgoing_done(struct session *s, struct pending *p, struct reply *r)
{
	const struct outgoing *o = p->job;
	if (r->ok && write_file(o, r->frozen, &r->fault))
		session_say(s, "step %ld: wrote %s", r->step, o->path);
	else
		session_say_fault(s, &r->fault);
	free(p->job);
	p->job = NULL;
}

bool export_c_header(struct session *s, struct command_call *call, const char *path)
{
	struct pending *p = session_pending(outgoing_done, &call->fault);
	size_t size = strlen(path) + 1;
	struct outgoing *o = p ? malloc(sizeof *o + size) : NULL;
	uint8_t *result = o ? calloc((size_t)s->info->slots + 1, 1) : NULL;
	if (!p)
		return false;
	p->job = o;
	p->drop = free;
	if (!result) {
		fault_memory(&call->fault, path);
		return session_posted(s, p, false);
	}
	memcpy(o->path, path, size);
	name_of(path, o->name);
	session_result(s, result);
	bool posted = engine_post_freeze(s->engine, result, &p->ticket, &call->fault);
	free(result);
	return session_posted(s, p, posted);
}
