// SPDX-License-Identifier: GPL-3.0-or-later
// The network of the result as it leaves: `export c`, `export qdq`, `export qonnx`. The engine makes a copy between two steps, and the file is
// written when it comes.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "sessions/core/inside.h"

struct outgoing_job {
	struct outgoing how;
	bool (*write)(const struct frozen *, const struct outgoing_job *, FILE *, struct fault *);
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

static bool write_c(const struct frozen *frozen, const struct outgoing_job *o, FILE *file, struct fault *f)
{
	char name[ENGINE_NAME];
	name_of(o->path, name);
	return engine_write_c(frozen, name, file, f);
}

static bool write_qdq(const struct frozen *frozen, const struct outgoing_job *o, FILE *file, struct fault *f)
{
	return engine_write_qdq(frozen, &o->how, file, f);
}

static bool write_qonnx(const struct frozen *frozen, const struct outgoing_job *o, FILE *file, struct fault *f)
{
	return engine_write_qonnx(frozen, &o->how, file, f);
}

// ---- for whom ----

// What readers ask for; the first of a form is whom it is written for where nobody is named.
static const struct reach {
	const char *form, *reader;
	bool (*write)(const struct frozen *, const struct outgoing_job *, FILE *, struct fault *);
	bool folds; // whether batch norms may be folded
	bool clip;
} reaches[] = {
	{"c", "c", write_c, false, false},
	{"qdq", "ort", write_qdq, true, false},
	{"qdq", "openvino", write_qdq, true, false},
	{"qdq", "qonnx", write_qdq, true, true},
	{"qonnx", "qonnx", write_qonnx, false, false},
};
enum { REACHES = sizeof reaches / sizeof *reaches };

static const struct reach *reach_of(const char *form, const char *reader, struct fault *f)
{
	char known[ENGINE_TEXT] = "";
	size_t used = 0;
	for (int i = 0; i < REACHES; i++) {
		if (strcmp(reaches[i].form, form) != 0)
			continue;
		if (!reader || strcmp(reaches[i].reader, reader) == 0)
			return &reaches[i];
		used += (size_t)snprintf(known + used, sizeof known - used, "%sreach=%s", used ? ", " : "", reaches[i].reader);
	}
	fault_set(f, reader, known, "no %s is written for such a reader", form);
	return NULL;
}

static bool take_word(const char *word, const char **reader, bool *fold, struct fault *f)
{
	if (strncmp(word, "reach=", 6) == 0)
		*reader = word + 6;
	else if (strcmp(word, "norms=fold") == 0)
		*fold = true;
	else if (strcmp(word, "norms=keep") != 0)
		return fault_set(f, word, "reach=READER, norms=keep or norms=fold", "this says nothing of a file");
	return true;
}

// ---- the file ----

static bool write_file(const struct outgoing_job *o, const struct frozen *frozen, struct fault *f)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&bytes, &size);
	if (!file)
		return fault_memory(f, o->path);
	bool ok = o->write(frozen, o, file, f);
	if (fclose(file) != 0 && ok)
		ok = fault_memory(f, o->path);
	ok = ok && disk_replace(o->path, bytes, size, f);
	free(bytes);
	return ok;
}

static void outgoing_done(struct session *s, struct pending *p, struct reply *r)
{
	const struct outgoing_job *o = p->job;
	if (r->ok && write_file(o, r->frozen, &r->fault))
		session_say(s, "step %ld: wrote %s", r->step, o->path);
	else
		session_say_fault(s, &r->fault);
}

bool export_outgoing(struct session *s, struct command_call *call, const char *path)
{
	const char *reader = NULL;
	bool fold = false;
	for (int i = 2; i < call->argc; i++)
		if (!take_word(call->argv[i], &reader, &fold, &call->fault))
			return false;
	const struct reach *reach = reach_of(call->argv[0], reader, &call->fault);
	if (!reach)
		return false;
	if (fold && !reach->folds)
		return fault_set(&call->fault, "norms=fold", "`export qdq` folds them",
			"batch norms stay by themselves in this form");
	struct pending *p = session_pending(outgoing_done, &call->fault);
	size_t size = strlen(path) + 1;
	struct outgoing_job *o = p ? malloc(sizeof *o + size) : NULL;
	uint8_t *result = o ? calloc((size_t)s->info->slots + 1, 1) : NULL;
	if (!p)
		return false;
	p->job = o;
	p->drop = free;
	if (!result) {
		fault_memory(&call->fault, path);
		return session_posted(s, p, false);
	}
	o->how = (struct outgoing){.fold = fold, .clip = reach->clip};
	o->write = reach->write;
	memcpy(o->path, path, size);
	session_result(s, result);
	bool posted = engine_post_freeze(s->engine, result, &p->ticket, &call->fault);
	free(result);
	return session_posted(s, p, posted);
}
