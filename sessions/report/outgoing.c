// SPDX-License-Identifier: GPL-3.0-or-later
// A network as it leaves: `export c`, `export qdq`, `export qonnx`, `export aimet`. The engine makes a copy between two steps. When it comes, the
// file is written, and beside it how it is opened; then it is read again, and every layer is looked for.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/disk.h"
#include "sessions/core/inside.h"

enum { ENDING = 8, PATH_MOST = FOLDER_PATH - ENDING }; // room for the endings of the files beside it

struct outgoing_job {
	struct outgoing how;
	int lane;                                    // whose result it is, and whose norms; 0: of the one in focus
	char whose[ENGINE_TEXT];                     // what is said of it behind the file's name
	char path[FOLDER_PATH], beside[FOLDER_PATH]; // beside: "" where there is no second file
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

// ---- what is asked for ----

struct asked {
	const char *reader;
	bool fold;
	long point, lane; // 0: neither was named
};

static bool take_number(const char *word, const char *value, long *number, struct fault *f)
{
	return number_read_long(value, 1, INT_MAX, number) || fault_set(f, word, "give its number", "this is not a number");
}

static bool take_word(const char *word, struct asked *asked, struct fault *f)
{
	if (strncmp(word, "reach=", 6) == 0)
		asked->reader = word + 6;
	else if (strncmp(word, "point=", 6) == 0)
		return take_number(word, word + 6, &asked->point, f);
	else if (strncmp(word, "lane=", 5) == 0)
		return take_number(word, word + 5, &asked->lane, f);
	else if (strcmp(word, "norms=fold") == 0)
		asked->fold = true;
	else if (strcmp(word, "norms=keep") != 0)
		return fault_set(f, word, "reach=READER, point=N, lane=N, norms=keep or norms=fold",
			"this says nothing of a file");
	return true;
}

static bool take_words(const struct command_call *call, struct asked *asked, struct fault *f)
{
	for (int i = 2; i < call->argc; i++)
		if (!take_word(call->argv[i], asked, f))
			return false;
	return !asked->point || !asked->lane ||
		fault_set(f, "export", "name one of the two", "a point of the front and a lane's result are two networks");
}

// ---- whose network it is ----

// Its weights are those of now; what a copy of them was trained to for the point is gone.
static const uint8_t *choice_of_point(const struct session *s, struct outgoing_job *o, long number, struct fault *f)
{
	char advice[64];
	snprintf(advice, sizeof advice, "there are 1 to %d; `front all` lists them", s->snapshot->points);
	if (number > s->snapshot->points) {
		fault_set(f, "point", s->snapshot->points ? advice : "`run` on, and one is scored before long",
			"point %ld is not one of the front", number);
		return NULL;
	}
	const struct front_point *p = &s->snapshot->point[number - 1];
	o->lane = session_lane(s->snapshot, p->lane) ? p->lane : 0;
	snprintf(o->whose, sizeof o->whose, ": point %ld of the front, with the weights of now%s", number,
		p->trained ? ", not those that were trained for it" : "");
	return p->choice;
}

// What is frozen: NULL is the result of the job's lane, and `room` holds that of the one shown.
static bool post(struct session *s, struct pending *p, struct outgoing_job *o, const struct asked *asked, struct fault *f)
{
	if (asked->lane) {
		o->lane = (int)asked->lane;
		snprintf(o->whose, sizeof o->whose, ": the result of lane %ld", asked->lane);
		return (session_lane(s->snapshot, o->lane) ||
			       fault_set(f, "lane", "`lane list` lists them", "there is no lane %ld", asked->lane)) &&
			engine_post_freeze(s->engine, o->lane, NULL, &p->ticket, f);
	}
	uint8_t *result = calloc((size_t)s->info->slots + 1, 1);
	if (!result)
		return fault_memory(f, o->path);
	session_result(s, result);
	const uint8_t *choice = asked->point ? choice_of_point(s, o, asked->point, f) : result;
	bool posted = choice && engine_post_freeze(s->engine, o->lane, choice, &p->ticket, f);
	free(result);
	return posted;
}

// ---- the files ----

// A file that is made in memory first, so that nothing is left of what cannot be written.
struct made {
	FILE *file;
	char *bytes;
	size_t size;
};

static bool make(struct made *m, const char *path, struct fault *f)
{
	*m = (struct made){0};
	m->file = open_memstream(&m->bytes, &m->size);
	return m->file || fault_memory(f, path);
}

static bool finish(struct made *m, bool ok, const char *path, struct fault *f)
{
	if (m->file && fclose(m->file) != 0 && ok)
		ok = fault_memory(f, path);
	ok = ok && (!path[0] || disk_replace(path, m->bytes, m->size, f));
	free(m->bytes);
	return ok;
}

static bool write_files(const struct outgoing_job *o, const struct frozen *frozen, struct fault *f)
{
	struct made file = {0}, beside = {0};
	char name[ENGINE_NAME];
	name_of(o->path, name);
	bool ok = make(&file, o->path, f) && make(&beside, o->path, f) &&
		engine_write(frozen, &o->how, name, file.file, beside.file, f);
	ok = finish(&file, ok, o->path, f);
	return finish(&beside, ok, o->beside, f);
}

static bool write_guide(const struct outgoing_job *o, const struct frozen *frozen, struct fault *f)
{
	char path[FOLDER_PATH];
	struct made guide;
	if (!engine_guides(&o->how))
		return true;
	snprintf(path, sizeof path, "%.*s.md", PATH_MOST, o->path);
	bool ok = make(&guide, path, f) &&
		(engine_write_guide(frozen, &o->how, o->path, o->beside, guide.file) || fault_memory(f, path));
	return finish(&guide, ok, path, f);
}

static void outgoing_done(struct session *s, struct pending *p, struct reply *r)
{
	const struct outgoing_job *o = p->job;
	if (r->ok && write_files(o, r->frozen, &r->fault) && write_guide(o, r->frozen, &r->fault) &&
		engine_written(r->frozen, &o->how, o->path, o->beside, &r->fault))
		session_say(s, "step %ld: wrote %s%s%s%s; read again, it has every layer", r->step, o->path,
			o->beside[0] ? " and " : "", o->beside, o->whose);
	else
		session_say_fault(s, &r->fault);
}

// The second file has the first one's name with another ending.
static bool name_beside(struct outgoing_job *o, struct fault *f)
{
	const char *ending = engine_beside(&o->how), *slash = strrchr(o->path, '/'), *dot = strrchr(o->path, '.');
	if (!ending)
		return true;
	if (!dot || (slash && dot < slash))
		dot = o->path + strlen(o->path);
	if (strcmp(dot, ending) == 0)
		return fault_set(f, o->path, "give it another ending: .encodings", "the network has that name, beside this file");
	snprintf(o->beside, sizeof o->beside, "%.*s%s", (int)(dot - o->path), o->path, ending);
	return true;
}

bool export_outgoing(struct session *s, struct command_call *call, const char *path)
{
	struct fault *f = &call->fault;
	struct asked asked = {0};
	struct outgoing how;
	if (!take_words(call, &asked, f))
		return false;
	if (!asked.reader && s->info->reach[0] && engine_outgoing(call->argv[0], s->info->reach, &how, NULL))
		asked.reader = s->info->reach; // whom the search is for, where the form is theirs
	if (!engine_outgoing(call->argv[0], asked.reader, &how, f))
		return false;
	if (asked.fold && !engine_folds(&how))
		return fault_set(f, "norms=fold", "`export qdq` folds them", "batch norms stay by themselves in this form");
	how.fold = asked.fold;
	if (strlen(path) >= PATH_MOST)
		return fault_set(f, "export", "name a shorter path", "the path is longer than %d bytes", PATH_MOST - 1);
	struct pending *p = session_pending(outgoing_done, f);
	struct outgoing_job *o = p ? calloc(1, sizeof *o) : NULL;
	if (!p)
		return false;
	p->job = o;
	p->drop = free;
	bool ok = o || fault_memory(f, path);
	if (ok) {
		o->how = how;
		snprintf(o->path, sizeof o->path, "%s", path);
	}
	return session_posted(s, p, ok && name_beside(o, f) && post(s, p, o, &asked, f));
}
