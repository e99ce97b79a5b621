// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/store/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sessions/store/folder.h"
#include "engine/base/text.h"

#define PREFIX "checkpoint-"
#define LEFT_PREFIX "branch-"
#define SUFFIX ".safetensors"
enum {
	LENGTH_BYTES = 8,
	CHECKSUM_BYTES = 4,
	HEADER_MOST = 16 << 20,
	TENSORS_MOST = 1 << 16,
	TEXTS_MOST = 1 << 16,
};
static const size_t FILE_MOST = (size_t)4 << 30;

// Widest first: the order in the file, which keeps every array aligned.
static const struct element {
	enum state_type type;
	const char *name;
	size_t bytes;
} elements[] = {{STATE_I64, "I64", 8}, {STATE_F32, "F32", 4}, {STATE_U8, "U8", 1}};
enum { ELEMENTS = sizeof elements / sizeof *elements };

// ---- writing -------------------------------------------------------------------------------------------------------

static bool put_tensor(json_t *header, const char *name, const char *type, const int64_t *shape, int rank, size_t *at,
	size_t bytes)
{
	json_t *dimensions = json_array();
	for (int i = 0; i < rank; i++)
		json_array_append_new(dimensions, json_integer(shape[i]));
	json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", type, "shape", dimensions, "data_offsets", (json_int_t)*at,
		(json_int_t)(*at + bytes));
	*at += bytes;
	return entry && json_object_set_new(header, name, entry) == 0;
}

static bool put_text(json_t *texts, const char *name, const char *value)
{
	json_t *text = json_string(value); // NULL where it is not UTF-8
	return text && json_object_set_new(texts, name, text) == 0;
}

static bool put_number(json_t *texts, const char *name, long value)
{
	char text[32];
	snprintf(text, sizeof text, "%ld", value);
	return put_text(texts, name, text);
}

// The length and the header, padded with blanks to whole words.
static bool write_header(const struct checkpoint *c, struct string *out)
{
	json_t *header = json_object(), *texts = json_object();
	bool ok = header && texts && json_object_set(header, "__metadata__", texts) == 0;
	for (int i = 0; ok && i < c->state->texts; i++)
		ok = put_text(texts, c->state->text[i].name, c->state->text[i].value);
	ok = ok && put_number(texts, "session.version", CHECKPOINT_VERSION) && put_text(texts, "session.id", c->session) &&
		put_number(texts, "session.step", c->step) && put_number(texts, "session.journal.bytes", (long)c->place.bytes) &&
		put_number(texts, "session.journal.sum", (long)c->place.sum);
	size_t at = 0;
	for (int e = 0; e < ELEMENTS; e++)
		for (int i = 0; ok && i < c->state->tensors; i++) {
			const struct state_tensor *t = &c->state->tensor[i];
			if (t->type == elements[e].type)
				ok = put_tensor(header, t->name, elements[e].name, t->shape, t->rank, &at, t->bytes);
		}
	ok = ok && put_tensor(header, "checksum", "U8", &(int64_t){CHECKSUM_BYTES}, 1, &at, CHECKSUM_BYTES);
	char *json = ok ? json_dumps(header, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (json) {
		size_t length = strlen(json), padded = (length + 7) / 8 * 8;
		unsigned char size[LENGTH_BYTES];
		for (int i = 0; i < LENGTH_BYTES; i++)
			size[i] = (unsigned char)(padded >> (8 * i));
		string_bytes(out, (char *)size, sizeof size);
		string_bytes(out, json, length);
		string_bytes(out, "        ", padded - length);
	}
	free(json);
	json_decref(texts);
	json_decref(header);
	return json && !out->failed;
}

static bool write_part(int fd, const void *bytes, size_t size, unsigned long *crc)
{
	*crc = crc32_z(*crc, bytes, size);
	return disk_write(fd, bytes, size);
}

static bool write_all(int fd, const struct checkpoint *c, const struct string *header)
{
	unsigned long crc = crc32(0, NULL, 0);
	if (!write_part(fd, header->bytes, header->length, &crc))
		return false;
	for (int e = 0; e < ELEMENTS; e++)
		for (int i = 0; i < c->state->tensors; i++) {
			const struct state_tensor *t = &c->state->tensor[i];
			if (t->type == elements[e].type && !write_part(fd, t->data, t->bytes, &crc))
				return false;
		}
	unsigned char sum[CHECKSUM_BYTES];
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		sum[i] = (unsigned char)(crc >> (8 * i));
	return disk_write(fd, sum, sizeof sum);
}

bool checkpoint_write(const char *folder, const struct checkpoint *c, struct fault *f)
{
	char file[64], path[FOLDER_PATH];
	struct disk_file out;
	struct fault inner;
	snprintf(file, sizeof file, PREFIX "%ld" SUFFIX, c->step);
	if (!folder_file(folder, file, path, sizeof path, f))
		return false;
	if (!state_sound(c->state, &inner))
		return fault_within(f, path, &inner);
	struct string header = {0};
	bool ok = (write_header(c, &header) || fault_memory(f, path)) && disk_begin(&out, path, f);
	if (ok && !write_all(out.fd, c, &header)) {
		int error = errno;
		disk_drop(&out);
		ok = disk_fault(f, path, "write it", error);
	} else if (ok) {
		ok = disk_keep(&out, f);
	}
	string_free(&header);
	return ok;
}

// ---- reading -------------------------------------------------------------------------------------------------------

static bool damaged(struct fault *f, const char *path, const char *what)
{
	return fault_set(f, path, "the one before it serves", "damaged: %s", what);
}

// One array's entry in the header: everything is checked against the bytes that are there before memory is asked for.
static bool read_tensor(const char *name, json_t *entry, const char *data, size_t size, struct state_tensor *t, size_t *begin,
	size_t *end)
{
	json_t *shape;
	json_int_t from, to;
	const char *type;
	if (strlen(name) >= sizeof t->name ||
		json_unpack_ex(entry, NULL, JSON_STRICT, "{s:s, s:o, s:[I, I!]}", "dtype", &type, "shape", &shape, "data_offsets",
			&from, &to) != 0)
		return false;
	const struct element *element = NULL;
	for (int e = 0; e < ELEMENTS; e++)
		if (strcmp(type, elements[e].name) == 0)
			element = &elements[e];
	const size_t ranks = sizeof t->shape / sizeof *t->shape;
	if (!element || !json_is_array(shape) || json_array_size(shape) > ranks)
		return false;
	if (from < 0 || to < from || (unsigned long long)to > size)
		return false;
	size_t bytes = (size_t)(to - from), need = element->bytes;
	*t = (struct state_tensor){.type = element->type, .rank = (int)json_array_size(shape), .bytes = bytes};
	for (int i = 0; i < t->rank; i++) {
		json_t *dimension = json_array_get(shape, (size_t)i);
		json_int_t n = json_integer_value(dimension);
		if (!json_is_integer(dimension) || n < 0 || (need && (unsigned long long)n > size / need))
			return false;
		t->shape[i] = n;
		need *= (size_t)n;
	}
	if (need != bytes)
		return false;
	t->data = malloc(bytes ? bytes : 1);
	if (!t->data)
		return false;
	memcpy(t->data, data + from, bytes);
	snprintf(t->name, sizeof t->name, "%s", name);
	*begin = (size_t)from;
	*end = (size_t)to;
	return true;
}

static bool read_texts(json_t *texts, struct state *s)
{
	const char *name;
	json_t *value;
	if (!json_is_object(texts) || json_object_size(texts) > TEXTS_MOST)
		return false;
	s->text = calloc(json_object_size(texts) + 1, sizeof *s->text);
	if (!s->text)
		return false;
	json_object_foreach(texts, name, value)
	{
		struct state_text *t = &s->text[s->texts];
		if (!json_is_string(value) || strlen(name) >= sizeof t->name || json_string_length(value) >= sizeof t->value)
			return false;
		snprintf(t->name, sizeof t->name, "%s", name);
		snprintf(t->value, sizeof t->value, "%s", json_string_value(value));
		s->texts++;
	}
	return true;
}

// The arrays must lie one behind the other from the first byte to the checksum: what nobody accounts for is damage.
static bool read_tensors(json_t *header, const char *data, size_t size, struct state *s)
{
	const char *name;
	json_t *entry;
	size_t count = json_object_size(header), at = 0;
	if (count > TENSORS_MOST)
		return false;
	s->tensor = calloc(count, sizeof *s->tensor);
	if (!s->tensor)
		return false;
	bool ended = false;
	json_object_foreach(header, name, entry)
	{
		size_t begin, end;
		if (strcmp(name, "__metadata__") == 0)
			continue;
		if (ended || !read_tensor(name, entry, data, size, &s->tensor[s->tensors], &begin, &end))
			return false;
		s->tensors++;
		if (begin != at)
			return false;
		at = end;
		ended = strcmp(name, "checksum") == 0;
	}
	if (!ended || at != size || s->tensor[s->tensors - 1].bytes != CHECKSUM_BYTES)
		return false;
	free(s->tensor[--s->tensors].data);
	return true;
}

static bool own_number(const struct state *s, const char *name, long most, long *value)
{
	const char *text = state_get(s, name);
	return text && number_read_long(text, 0, most, value);
}

static bool read_checked(const char *path, const char *bytes, size_t size, struct checkpoint *c, struct fault *f)
{
	unsigned long sum = 0;
	for (int i = CHECKSUM_BYTES - 1; i >= 0; i--)
		sum = sum << 8 | (unsigned char)bytes[size - CHECKSUM_BYTES + (size_t)i];
	if (crc32_z(crc32(0, NULL, 0), (const unsigned char *)bytes, size - CHECKSUM_BYTES) != sum)
		return damaged(f, path, "its checksum does not fit its contents");
	unsigned long long length = 0;
	for (int i = LENGTH_BYTES - 1; i >= 0; i--)
		length = length << 8 | (unsigned char)bytes[i];
	if (length > HEADER_MOST || length > size - LENGTH_BYTES)
		return damaged(f, path, "its header is longer than the file");

	json_error_t error;
	json_t *header = json_loadb(bytes + LENGTH_BYTES, (size_t)length, JSON_REJECT_DUPLICATES, &error);
	struct state *s = calloc(1, sizeof *s);
	const char *data = bytes + LENGTH_BYTES + length;
	bool ok = false;
	long version, bytes_before, sum_before;
	const char *session;
	if (!s)
		fault_memory(f, path);
	else if (!json_is_object(header) || !read_texts(json_object_get(header, "__metadata__"), s))
		damaged(f, path, "its header is not that of a checkpoint");
	else if (!own_number(s, "session.version", LONG_MAX, &version) || version < 1)
		fault_set(f, path, "name another file", "this is not a checkpoint of bitscape");
	else if (version != CHECKPOINT_VERSION)
		fault_set(f, path, "open it with that one", "it was made by %s bitscape (version %ld; this one reads %d)",
			version < CHECKPOINT_VERSION ? "an older" : "a newer", version, CHECKPOINT_VERSION);
	else if (!own_number(s, "session.step", LONG_MAX, &c->step) || !(session = state_get(s, "session.id")) ||
		!identity_good(session) || !own_number(s, "session.journal.bytes", LONG_MAX, &bytes_before) ||
		!own_number(s, "session.journal.sum", UINT32_MAX, &sum_before))
		damaged(f, path, "its session, its step or its place in the journal is missing");
	else if (!read_tensors(header, data, size - LENGTH_BYTES - (size_t)length, s))
		damaged(f, path, "its arrays are not where its header says");
	else
		ok = true;
	json_decref(header);
	if (ok) {
		snprintf(c->session, sizeof c->session, "%s", session);
		c->place = (struct journal_place){(off_t)bytes_before, (unsigned long)sum_before};
		c->state = s;
	} else {
		state_free(s);
	}
	return ok;
}

bool checkpoint_read(const char *path, struct checkpoint *c, struct fault *f)
{
	size_t size = 0;
	*c = (struct checkpoint){0};
	char *bytes = disk_read(path, FILE_MOST, &size, f);
	if (!bytes)
		return false;
	bool ok = size >= LENGTH_BYTES + CHECKSUM_BYTES ? read_checked(path, bytes, size, c, f)
							: damaged(f, path, "it is too short");
	free(bytes);
	return ok;
}

// ---- the folder's checkpoints --------------------------------------------------------------------------------------------

static int by_newest(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;
	return (x < y) - (x > y);
}

long *checkpoint_list(const char *folder, int *count)
{
	*count = 0;
	DIR *dir = opendir(folder);
	if (!dir)
		return NULL;
	long *steps = NULL;
	const size_t prefix = strlen(PREFIX), suffix = strlen(SUFFIX);
	for (struct dirent *d; (d = readdir(dir));) {
		char digits[24];
		size_t n = strlen(d->d_name);
		if (n <= prefix + suffix || n - prefix - suffix >= sizeof digits || memcmp(d->d_name, PREFIX, prefix) != 0 ||
			strcmp(d->d_name + n - suffix, SUFFIX) != 0)
			continue;
		snprintf(digits, sizeof digits, "%.*s", (int)(n - prefix - suffix), d->d_name + prefix);
		long step, *more = realloc(steps, (size_t)(*count + 1) * sizeof *steps);
		if (!more)
			break;
		steps = more;
		if (number_read_long(digits, 0, LONG_MAX, &step))
			steps[(*count)++] = step;
	}
	closedir(dir);
	if (*count)
		qsort(steps, (size_t)*count, sizeof *steps, by_newest);
	return steps;
}

long checkpoint_newest_step(const char *folder)
{
	int count;
	long *steps = checkpoint_list(folder, &count), newest = count ? steps[0] : -1;
	free(steps);
	return newest;
}

// Reads "branch-2-480.safetensors".
static bool left_named(const char *name, struct checkpoint_left *left)
{
	int end = 0;
	return strlen(name) < 64 && sscanf(name, LEFT_PREFIX "%9d-%18ld" SUFFIX "%n", &left->branch, &left->step, &end) == 2 &&
		end > 0 && name[end] == '\0' && left->branch > 0 && left->step >= 0;
}

bool checkpoint_is_one(const char *name)
{
	const size_t prefix = strlen(PREFIX);
	struct checkpoint_left left;
	if (left_named(name, &left))
		return true;
	if (strncmp(name, PREFIX, prefix) != 0)
		return false;
	const char *rest = name + prefix + strspn(name + prefix, "0123456789");
	return rest > name + prefix && strncmp(rest, SUFFIX, strlen(SUFFIX)) == 0;
}

bool checkpoint_path(const char *folder, long step, char *path, size_t size)
{
	char file[64];
	snprintf(file, sizeof file, PREFIX "%ld" SUFFIX, step);
	return folder_file(folder, file, path, size, NULL);
}

static int by_newest_branch(const void *a, const void *b)
{
	const struct checkpoint_left *x = a, *y = b;
	return x->branch != y->branch ? (x->branch < y->branch) - (x->branch > y->branch)
				      : (x->step < y->step) - (x->step > y->step);
}

struct checkpoint_left *checkpoint_list_left(const char *folder, int *count)
{
	struct checkpoint_left *list = NULL, one;
	*count = 0;
	DIR *dir = opendir(folder);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		if (!left_named(d->d_name, &one))
			continue;
		struct checkpoint_left *more = realloc(list, (size_t)(*count + 1) * sizeof *list);
		if (!more)
			break;
		list = more;
		list[(*count)++] = one;
	}
	if (dir)
		closedir(dir);
	if (*count)
		qsort(list, (size_t)*count, sizeof *list, by_newest_branch);
	return list;
}

bool checkpoint_left_path(const char *folder, const struct checkpoint_left *left, char *path, size_t size)
{
	char file[64];
	snprintf(file, sizeof file, LEFT_PREFIX "%d-%ld" SUFFIX, left->branch, left->step);
	return folder_file(folder, file, path, size, NULL);
}

// ---- branches ------------------------------------------------------------------------------------------------------

// A checkpoint's place in the journal, by its header alone, which is not verified.
static bool read_place(const char *path, struct journal_place *place)
{
	unsigned char size[LENGTH_BYTES];
	unsigned long long length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool ok = read(fd, size, sizeof size) == (ssize_t)sizeof size;
	for (int i = LENGTH_BYTES - 1; ok && i >= 0; i--)
		length = length << 8 | size[i];
	char *json = ok && length <= HEADER_MOST ? malloc((size_t)length + 1) : NULL;
	ok = json && read(fd, json, (size_t)length) == (ssize_t)length;
	close(fd);
	json_error_t error;
	json_t *header = ok ? json_loadb(json, (size_t)length, 0, &error) : NULL;
	json_t *texts = json_object_get(header, "__metadata__");
	const char *bytes = json_string_value(json_object_get(texts, "session.journal.bytes"));
	const char *sum = json_string_value(json_object_get(texts, "session.journal.sum"));
	long at, crc;
	ok = bytes && sum && number_read_long(bytes, 0, LONG_MAX, &at) && number_read_long(sum, 0, UINT32_MAX, &crc);
	if (ok)
		*place = (struct journal_place){(off_t)at, (unsigned long)crc};
	json_decref(header);
	free(json);
	return ok;
}

// Those of the present branch that the journal has on another one.
static void sort_present(const char *folder, const struct journal *j)
{
	int count;
	long *steps = checkpoint_list(folder, &count);
	for (int i = 0; i < count; i++) {
		char path[FOLDER_PATH], to[FOLDER_PATH];
		struct journal_place place;
		struct checkpoint_left left = {.step = steps[i]};
		if (checkpoint_path(folder, steps[i], path, sizeof path) && read_place(path, &place) &&
			journal_at(j, &place) < 0 && (left.branch = journal_branch_at(j, &place)) &&
			checkpoint_left_path(folder, &left, to, sizeof to))
			rename(path, to);
	}
	free(steps);
}

// Those of other branches that are on the present one again.
static void sort_left(const char *folder, const struct journal *j)
{
	int count;
	struct checkpoint_left *left = checkpoint_list_left(folder, &count);
	for (int i = 0; i < count; i++) {
		char path[FOLDER_PATH], to[FOLDER_PATH];
		struct journal_place place;
		if (checkpoint_left_path(folder, &left[i], path, sizeof path) && read_place(path, &place) &&
			journal_at(j, &place) >= 0 && checkpoint_path(folder, left[i].step, to, sizeof to))
			rename(path, to);
	}
	free(left);
}

void checkpoint_sort(const char *folder, const struct journal *j)
{
	if (j->branches < 2)
		return;
	sort_present(folder, j);
	sort_left(folder, j);
	checkpoint_thin(folder);
}

// ---- how many stay -------------------------------------------------------------------------------------------------

int checkpoint_surplus(const long *steps, int count)
{
	int least = count - 1;
	long felt = LONG_MAX;
	for (int i = 1; i < count; i++) {
		long gap = steps[i - 1] - (i + 1 < count ? steps[i + 1] : 0);
		if (gap < felt) {
			felt = gap;
			least = i;
		}
	}
	return least;
}

int checkpoint_surplus_left(const struct checkpoint_left *left, int count)
{
	int least = -1, branches = 0;
	long felt = LONG_MAX;
	for (int i = 0; i < count; i++) {
		bool newest = i == 0 || left[i - 1].branch != left[i].branch;
		bool oldest = i + 1 == count || left[i + 1].branch != left[i].branch;
		branches += newest;
		if (newest && branches <= CHECKPOINTS_LEFT)
			continue;
		long from = oldest ? 0 : left[i + 1].step, gap = newest ? left[i].step - from : left[i - 1].step - from;
		if (newest && oldest) // nothing else is known of this branch, and it was left long ago
			gap = 0;
		if (gap < felt) {
			felt = gap;
			least = i;
		}
	}
	return least;
}

void checkpoint_thin(const char *folder)
{
	for (bool more = true; more;) {
		int count, others;
		char path[FOLDER_PATH];
		long *steps = checkpoint_list(folder, &count);
		struct checkpoint_left *left = checkpoint_list_left(folder, &others);
		more = count + others > CHECKPOINTS_KEPT;
		int surplus = more ? checkpoint_surplus_left(left, others) : -1;
		if (more)
			more = (surplus >= 0 ? checkpoint_left_path(folder, &left[surplus], path, sizeof path)
					     : checkpoint_path(folder, steps[checkpoint_surplus(steps, count)], path,
						       sizeof path)) &&
				unlink(path) == 0;
		free(steps);
		free(left);
	}
}
