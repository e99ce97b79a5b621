// SPDX-License-Identifier: GPL-3.0-or-later
// Reads and writes networks as text, in the form described in model.h.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "engine/base/disk.h"
#include "engine/model/networks.h"

enum {
	FILE_MOST = 1 << 20,
	LINE_MOST = 511,
	OPS_MOST = 10000,
	SIDE_MOST = 8192,
	CHANNELS_MOST = 65536,
	WINDOW_MOST = 1024,
	BLOCKS_MOST = 8
};

static const char example[] = "`describe NETWORK` prints one to start from";
static const char *const acts[ACTS] = {"none", "relu", "relu6", "swish", "gelu", "sigmoid"};
static const char on_or_off[] = "off|on";

enum key { IN, OUT, KERNEL, STRIDE, PAD, BEYOND, GROUPS, BIAS, HEADS, ACT, KEYS };
enum type { NAMES, COUNT, PAIR, WORD };
static const struct key_row {
	const char *name, *expects;
	enum type type;
	int low, high;         // of a count, and of both numbers of a pair
	const char *word;      // that a count may be instead; -1
	const char *const *of; // a word is one of these
	int words;
	enum slot_kind slot; // of a choice between several values; SLOT_KINDS: there can be none
} keys[KEYS] = {
	[IN] = {"in", "names of earlier lines, with commas between", NAMES, 0, 0, NULL, NULL, 0, SLOT_KINDS},
	[OUT] = {"out", "a number from 1 to 65536, or `classes`", COUNT, 1, CHANNELS_MOST, "classes", NULL, 0, SLOT_WIDTH},
	[KERNEL] = {"kernel", "a number such as 3, or rows x columns such as 1x7, to 1024", PAIR, 1, WINDOW_MOST, NULL, NULL, 0,
		SLOT_KERNEL},
	[STRIDE] = {"stride", "a number from 1 to 1024", COUNT, 1, WINDOW_MOST, NULL, NULL, 0, SLOT_KINDS},
	[PAD] = {"pad", "a number such as 1, or rows x columns such as 0x3, to 1024", PAIR, 0, WINDOW_MOST, NULL, NULL, 0,
		SLOT_KINDS},
	[BEYOND] = {"far", "0 or 1", COUNT, 0, 1, NULL, NULL, 0, SLOT_KINDS},
	[GROUPS] = {"groups", "a number, or `each` for one group a channel", COUNT, 1, CHANNELS_MOST, "each", NULL, 0,
		SLOT_KINDS},
	[BIAS] = {"bias", "no or yes", WORD, 0, 0, NULL, (const char *const[]){"no", "yes"}, 2, SLOT_KINDS},
	[HEADS] = {"heads", "a number from 1 to 1024", COUNT, 1, 1024, NULL, NULL, 0, SLOT_KINDS},
	[ACT] = {"act", "none, relu, relu6, swish, gelu or sigmoid", WORD, 0, 0, NULL, acts, ACTS, SLOT_ACT},
};

#define BIT(key) (1u << (key))
#define WINDOW (BIT(KERNEL) | BIT(STRIDE) | BIT(PAD) | BIT(BEYOND))
static const struct {
	int least, most; // inputs
	unsigned takes, needs;
} kinds[OP_KINDS] = {
	[OP_CONV] = {1, 1, BIT(OUT) | WINDOW | BIT(GROUPS) | BIT(BIAS), BIT(OUT) | BIT(KERNEL)},
	[OP_LINEAR] = {1, 1, BIT(OUT) | BIT(BIAS), BIT(OUT)},
	[OP_NORM] = {1, 1, BIT(ACT), 0},
	[OP_LAYERNORM] = {1, 1, 0, 0},
	[OP_ACT] = {1, 1, BIT(ACT), BIT(ACT)},
	[OP_ADD] = {2, 2, BIT(ACT), 0},
	[OP_SCALE] = {2, 2, 0, 0},
	[OP_CONCAT] = {1, MODEL_INPUTS, 0, 0},
	[OP_POOL] = {1, 1, 0, 0},
	[OP_AVERAGE] = {1, 1, WINDOW, BIT(KERNEL)},
	[OP_MAXIMUM] = {1, 1, WINDOW, BIT(KERNEL)},
	[OP_TOKENS] = {1, 1, 0, 0},
	[OP_ATTENTION] = {1, 1, BIT(HEADS), BIT(HEADS)},
	[OP_FIRST] = {1, 1, 0, 0},
};

// The window of these sides that keeps the size at stride 1, where both are odd or both even.
static struct window keeping(int h, int w, int stride)
{
	return (struct window){h, w, stride, (h - 1) / 2, (w - 1) / 2, h % 2 == 0 && w % 2 == 0};
}

// ---- reading ----

struct reading {
	struct model *model; // NULL until the input is known
	const char *path;
	int line;
	struct shape input; // {0, 0, 0}: as the file has it
	int classes;        // 0: likewise, and not known yet
	bool given;         // both come from a data set
	bool counted;       // `classes` has been read
	struct picks *picks;
	int names;
	struct name {
		char text[MODEL_NAME];
		int op, line;
	} * name;   // what lines may name: operators, and blocks
	bool *read; // whether a later operator reads it
	int *at;    // its line
	int before; // the operator that a line without in= reads
	int blocks;
	struct block {
		char name[MODEL_NAME];
		int line;
		struct scope scope; // around it
	} block[BLOCKS_MOST];
	int skipped; // blocks that are not there, which the line stands in
	struct fault *fault;
};

// What a line says.
struct said {
	unsigned keys;
	int value[KEYS], second[KEYS]; // a word's index; -1: the word in a number's place
	int in[MODEL_INPUTS], inputs;
};

#define WRONG(r, todo, ...) fault_set((r)->fault, place((char[256]){0}, (r)->path, (r)->line), todo, __VA_ARGS__)

static const char *place(char buf[256], const char *path, int line)
{
	if (line > 0)
		snprintf(buf, 256, "%.200s:%d", path, line);
	else
		snprintf(buf, 256, "%s", path);
	return buf;
}

static bool fits(struct reading *r, int op)
{
	if (model_fits(r->model, op, r->fault))
		return true;
	place(r->fault->where, r->path, r->line);
	return false;
}

// A number without sign; the rest of the text into *end.
static bool take_number(const char *text, int low, int high, int *value, const char **end)
{
	char *after;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	long got = strtol(text, &after, 10);
	*end = after;
	*value = (int)got;
	return !errno && got >= low && got <= high;
}

static const struct name *find_name(const struct reading *r, const char *name)
{
	for (int i = 0; i < r->names; i++)
		if (strcmp(r->name[i].text, name) == 0)
			return &r->name[i];
	return NULL;
}

static void add_name(struct reading *r, const char *name, int op)
{
	struct name *n = &r->name[r->names++];
	snprintf(n->text, sizeof n->text, "%s", name);
	n->op = op;
	n->line = r->line;
}

static bool read_inputs(struct reading *r, char *list, struct said *s)
{
	s->inputs = 0;
	for (char *name; (name = strsep(&list, ","));) {
		const struct name *found = find_name(r, name);
		if (!found)
			return WRONG(r, "in= takes names of lines above this one, or `input`",
				"no earlier line has the name \"%.60s\"", name);
		if (s->inputs == MODEL_INPUTS)
			return WRONG(r, "join them in two steps", "more than %d inputs", MODEL_INPUTS);
		s->in[s->inputs++] = found->op;
	}
	return true;
}

static bool read_value(const struct key_row *k, const char *text, int *value, int *second)
{
	const char *end = "";
	switch (k->type) {
	case COUNT:
		if (k->word && strcmp(text, k->word) == 0) {
			*value = -1;
			return true;
		}
		return take_number(text, k->low, k->high, value, &end) && !*end;
	case PAIR:
		if (!take_number(text, k->low, k->high, value, &end))
			return false;
		*second = *value;
		return !*end || (*end == 'x' && take_number(end + 1, k->low, k->high, second, &end) && !*end);
	case WORD:
		for (*value = 0; *value < k->words; ++*value)
			if (strcmp(text, k->of[*value]) == 0)
				return true;
		return false;
	case NAMES: break;
	}
	return false;
}

static const char *taken(enum op_kind kind, char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "%s takes in=", model_kind(kind));
	for (int k = 0; k < KEYS; k++)
		if (kinds[kind].takes & BIT(k) && used < size)
			used += (size_t)snprintf(buf + used, size - used, " %s=", keys[k].name);
	return buf;
}

// Several values with bars between are a choice, of slot NAME.kernel, say: what is taken of them now.
static bool take(struct reading *r, const char *line, const struct key_row *k, const char *values, struct pick *pick)
{
	char todo[160];
	if (k->slot == SLOT_KINDS)
		return WRONG(r, "choices can be made of out=, kernel= and act=", "%s=%.60s: there is no choice of this", k->name,
			values);
	*pick = model_pick(r->model, line, k->slot, values, strrchr(values, '|') + 1);
	if (pick->slot < 0 && pick->option < 0) {
		snprintf(todo, sizeof todo, "write it as 3|5|7: different values, 32 at most; %s= takes %s", k->name, k->expects);
		return WRONG(r, todo, "%s=%.60s", k->name, values);
	}
	return true;
}

static bool read_key(struct reading *r, const char *name, enum op_kind kind, char *text, struct said *s)
{
	struct pick pick;
	char todo[160], *value = strchr(text, '=');
	if (value)
		*value++ = 0;
	int k = 0;
	while (value && k < KEYS && strcmp(keys[k].name, text) != 0)
		k++;
	if (!value || k == KEYS || !((kinds[kind].takes | BIT(IN)) & BIT(k)))
		return WRONG(r, taken(kind, todo, sizeof todo), "\"%.60s%s\" says nothing here", text, value ? "=" : "");
	if (s->keys & BIT(k))
		return WRONG(r, "keep one of them", "%s= stands twice", keys[k].name);
	s->keys |= BIT(k);
	if (k == IN)
		return read_inputs(r, value, s);
	if (strchr(value, '|')) {
		if (!take(r, name, &keys[k], value, &pick))
			return false;
		value = pick.word;
	}
	if (read_value(&keys[k], value, &s->value[k], &s->second[k]))
		return true;
	snprintf(todo, sizeof todo, "%s= takes %s", keys[k].name, keys[k].expects);
	return WRONG(r, todo, "%s=%.60s", keys[k].name, value);
}

static int add(struct model *m, enum op_kind kind, const char *name, const struct said *s)
{
	struct window w = keeping(s->value[KERNEL], s->second[KERNEL], s->value[STRIDE]);
	if (s->keys & BIT(PAD))
		w = (struct window){w.h, w.w, w.stride, s->value[PAD], s->second[PAD], 0};
	if (s->keys & BIT(BEYOND))
		w.far = s->value[BEYOND];
	int in = s->in[0], out = s->value[OUT] < 0 ? m->classes : s->value[OUT];
	int groups = s->value[GROUPS] < 0 ? model_shape(m, in).c : s->value[GROUPS];
	enum act act = (enum act)s->value[ACT];
	switch (kind) {
	case OP_CONV: return model_conv(m, name, in, out, w, groups, s->value[BIAS]);
	case OP_LINEAR: return model_dense(m, name, in, out, s->value[BIAS]);
	case OP_NORM: return model_norm(m, in, act);
	case OP_LAYERNORM: return model_layernorm(m, in);
	case OP_ACT: return model_act(m, in, act);
	case OP_ADD: return model_add(m, in, s->in[1], act);
	case OP_SCALE: return model_scale(m, in, s->in[1]);
	case OP_CONCAT: return model_concat(m, s->in, s->inputs);
	case OP_POOL: return model_pool(m, in);
	case OP_AVERAGE:
	case OP_MAXIMUM: return model_window(m, kind, in, w);
	case OP_TOKENS: return model_tokens(m, in);
	case OP_ATTENTION: return model_attention(m, in, s->value[HEADS]);
	case OP_FIRST: return model_first(m, in);
	default: break; // files have no other kinds
	}
	return -1;
}

static bool check_name(struct reading *r, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	if (strlen(name) >= MODEL_NAME || name[strspn(name, letters)])
		return WRONG(r, "a name has up to 47 letters, digits, dots, underscores and dashes", "\"%.60s\" cannot be a name",
			name);
	const struct name *same = find_name(r, strcmp(name, "classes") == 0 ? "input" : name);
	if (same && same->op > 0)
		return WRONG(r, "give it another name", "\"%s\" is also the name of line %d", name, same->line);
	return !same || WRONG(r, "only the lines before the first operator say it", "a second or late `%s`", name);
}

static const char *every_kind(char *buf, size_t size)
{
	size_t used = (size_t)snprintf(buf, size, "there are");
	for (int kind = OP_INPUT + 1; kind < OP_KINDS && used < size; kind++)
		used += !kinds[kind].most ? 0 : (size_t)snprintf(buf + used, size - used, " %s", model_kind((enum op_kind)kind));
	return buf;
}

// NAME KIND key=value ...
static bool read_operator(struct reading *r, const char *name, char *rest)
{
	if (!check_name(r, name))
		return false;
	if (r->model->ops == OPS_MOST)
		return WRONG(r, "make the network smaller", "more than %d operators", OPS_MOST);
	char todo[160], *word = strtok_r(rest, " \t", &rest);
	int kind = OP_INPUT + 1;
	while (word && kind < OP_KINDS && (!kinds[kind].most || strcmp(word, model_kind((enum op_kind)kind)) != 0))
		kind++;
	if (!word || kind == OP_KINDS)
		return WRONG(r, every_kind(todo, sizeof todo), "\"%.60s\" is not a kind of operator", word ? word : "");
	struct said s = {.value = {[STRIDE] = 1, [GROUPS] = 1, [BIAS] = kind == OP_LINEAR}, .in = {r->before}, .inputs = 1};
	while ((word = strtok_r(NULL, " \t", &rest)))
		if (!read_key(r, name, (enum op_kind)kind, word, &s))
			return false;
	for (int k = 0; k < KEYS; k++)
		if (kinds[kind].needs & BIT(k) & ~s.keys) {
			snprintf(todo, sizeof todo, "add %s=: %s", keys[k].name, keys[k].expects);
			return WRONG(r, todo, "%s lacks %s=", model_kind((enum op_kind)kind), keys[k].name);
		}
	if (s.inputs < kinds[kind].least || s.inputs > kinds[kind].most) // not concat: read_inputs has seen to it
		return WRONG(r, "say in= with so many names of lines above", "%s reads %d image%s, not %d",
			model_kind((enum op_kind)kind), kinds[kind].least, kinds[kind].least > 1 ? "s" : "", s.inputs);
	if (s.value[OUT] < 0 && r->model->classes < 1)
		return WRONG(r, "say `classes N` below the input", "out=classes, and how many is not said");
	int i = add(r->model, (enum op_kind)kind, name, &s);
	if (i < 0)
		return fault_memory(r->fault, place((char[256]){0}, r->path, r->line));
	add_name(r, name, i);
	r->at[i] = r->line;
	r->before = i;
	for (int k = 0; k < s.inputs; k++)
		r->read[s.in[k]] = true;
	return fits(r, i);
}

// `input HxWxC`, with `resize` or `side=16|24|32` behind it.
static bool read_input_line(struct reading *r, const char *text, const char *behind, bool more)
{
	const char *end = "";
	int h, w, c;
	bool resize = behind && strcmp(behind, "resize") == 0;
	const char *sides = behind && strncmp(behind, "side=", 5) == 0 ? behind + 5 : NULL;
	if (more || (behind && !resize && !sides) || !take_number(text, 1, SIDE_MOST, &h, &end) || *end != 'x' ||
		!take_number(end + 1, 1, SIDE_MOST, &w, &end) || *end != 'x' ||
		!take_number(end + 1, 1, CHANNELS_MOST, &c, &end) || *end)
		return WRONG(r, "write it as `input 32x32x3`: height, width (to 8192), channels",
			"\"%.60s%s\" is not a size of images", text, behind ? " ..." : "");
	if (resize && h != w)
		return WRONG(r, "write the same height and width, or leave `resize` out", "%dx%d is not a square", h, w);
	if (resize && r->given && (r->input.h != h || r->input.w != w))
		return WRONG(r, "leave `resize` out", "the images are %dx%d, not %dx%d", r->input.h, r->input.w, h, w);
	r->model = model_new(r->path, r->given ? r->input : (struct shape){h, w, c}, r->classes);
	if (!r->model || r->model->ops < 0)
		return fault_memory(r->fault, place((char[256]){0}, r->path, r->line));
	r->model->picks = r->picks;
	r->model->sized = resize;
	struct fault wrong;
	if (sides && !network_sides(r->model, sides, &wrong))
		return WRONG(r, wrong.todo, "%s", wrong.what);
	add_name(r, "input", 0);
	r->at[0] = r->line;
	return fits(r, 0);
}

// `input HxWxC`, `classes N`: before the first operator.
static bool read_head(struct reading *r, const char *word, char *rest)
{
	const char *text = strtok_r(rest, " \t", &rest), *end = "";
	if (!text)
		text = "";
	const char *behind = strtok_r(NULL, " \t", &rest);
	int classes;
	if (strcmp(word, "classes") == 0) {
		if (r->counted)
			return WRONG(r, "keep one of them", "`classes` stands twice");
		if (behind || !take_number(text, 1, CHANNELS_MOST, &classes, &end) || *end)
			return WRONG(r, "write it as `classes 10`, to 65536", "\"%.60s%s\" is not a number of classes", text,
				behind ? " ..." : "");
		if (!r->given)
			r->model->classes = classes;
		r->counted = true;
		return true;
	}
	return read_input_line(r, text, behind, behind && strtok_r(NULL, " \t", &rest));
}

// `block NAME depth=off|on`: the lines up to `end` may be absent; then what stands before them takes their place, also in NAME.
static bool read_block(struct reading *r, char *rest)
{
	const char *name = strtok_r(rest, " \t", &rest), *key = strtok_r(NULL, " \t", &rest);
	if (!name || !key || strncmp(key, "depth=", 6) != 0 || strtok_r(NULL, " \t", &rest))
		return WRONG(r, "write it as `block NAME depth=off|on`, and `end` behind its lines",
			"this is no beginning of a block");
	if (!check_name(r, name))
		return false;
	if (r->blocks == BLOCKS_MOST || r->names == OPS_MOST)
		return WRONG(r, "make the network simpler", "more than %d blocks within another", BLOCKS_MOST);
	struct pick pick = model_pick(r->model, name, SLOT_DEPTH, key + 6, "on");
	if (strcmp(key + 6, on_or_off) != 0)
		return WRONG(r, "write depth=off|on", "\"%.60s\" is no choice of whether a block is there", key + 6);
	struct block *b = &r->block[r->blocks++];
	snprintf(b->name, sizeof b->name, "%s", name);
	b->line = r->line;
	b->scope = model_within(r->model, pick, 2);
	r->skipped = pick.value > 0 ? 0 : 1;
	return true;
}

static bool read_end(struct reading *r, char *rest)
{
	if (strtok_r(rest, " \t", &rest) || !r->blocks)
		return WRONG(r, "`end` stands alone behind the lines of a block",
			r->blocks ? "more behind `end`" : "no block is open");
	struct block *b = &r->block[--r->blocks];
	model_leave(r->model, b->scope);
	add_name(r, b->name, r->before);
	return true;
}

// A line of a block that is not there.
static bool skip_line(struct reading *r, const char *word, char *rest)
{
	if (strcmp(word, "block") == 0)
		r->skipped++;
	else if (strcmp(word, "end") == 0 && --r->skipped == 0)
		return read_end(r, rest);
	return true;
}

static bool read_line(struct reading *r, char *line)
{
	line[strcspn(line, "#")] = 0;
	char *rest, *word = strtok_r(line, " \t", &rest);
	if (!word)
		return true;
	bool input = strcmp(word, "input") == 0;
	if (r->skipped)
		return skip_line(r, word, rest);
	if (!r->model && !input)
		return WRONG(r, "begin with a line such as `input 32x32x3`", "no size of images before \"%.60s\"", word);
	if ((input && !r->model) || (strcmp(word, "classes") == 0 && r->model->ops == 1))
		return read_head(r, word, rest);
	if (strcmp(word, "block") == 0 && strcspn(rest, "=") < strlen(rest))
		return read_block(r, rest);
	if (strcmp(word, "end") == 0 && !rest[strspn(rest, " \t")])
		return read_end(r, rest);
	return read_operator(r, word, rest);
}

static bool read_lines(struct reading *r, char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		r->line++;
		size_t length = strlen(line);
		if (length && line[length - 1] == '\r')
			line[--length] = 0;
		if (length > LINE_MOST)
			return WRONG(r, "names and values never take so much", "longer than %d characters", LINE_MOST);
		for (size_t i = 0; i < length; i++)
			if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
				return WRONG(r, example, "not text");
		if (!read_line(r, line))
			return false;
	}
	r->line = 0;
	return true;
}

static const char *name_of(const struct reading *r, int op)
{
	for (int i = 0; i < r->names; i++)
		if (r->name[i].op == op)
			return r->name[i].text;
	return "";
}

// What only the whole can be checked for.
static bool check_end(struct reading *r)
{
	struct model *m = r->model;
	if (r->blocks) {
		r->line = r->block[r->blocks - 1].line;
		return WRONG(r, "write `end` behind its last line", "the block \"%s\" has no end", r->block[r->blocks - 1].name);
	}
	if (!m || m->layers < 1)
		return WRONG(r, example, "%s", m ? "no conv and no linear" : "the file is empty");
	for (int i = 0; i < m->ops - 1; i++)
		if (!r->read[i]) {
			r->line = r->at[i];
			return WRONG(r, "name it in some in=, or take it out", "nothing reads \"%s\"", name_of(r, i));
		}
	struct shape out = m->op[m->ops - 1].out;
	if (m->classes < 1)
		m->classes = out.c;
	r->line = r->at[m->ops - 1];
	return (out.h == 1 && out.w == 1 && out.c == m->classes) ||
		WRONG(r, "end with pool and linear out=classes",
			"the last operator puts out %dx%dx%d, not one pixel of %d classes", out.h, out.w, out.c, m->classes);
}

// The file's text, terminated; NULL and a fault.
static char *slurp(const char *path, struct fault *fault)
{
	size_t size;
	char *text = disk_read(path, FILE_MOST, &size, fault);
	if (text && memchr(text, 0, size)) {
		fault_set(fault, path, example, "not text");
		free(text);
		return NULL;
	}
	return text;
}

static void name_file(struct model *m, const char *path, const char *text, size_t size)
{
	snprintf(m->name, sizeof m->name, "%.*s#%08lx", MODEL_TITLE - 10, path, crc32_z(0, (const Bytef *)text, size));
}

void file_title(struct model *m, const char *path, const char *text)
{
	name_file(m, path, text, strlen(text));
}

// The title is the path and a sum of what is described, so that a network changed on disk is not taken for the same.
static bool set_title(struct model *m, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool ok = f && model_write(m, f, NULL);
	ok = f && fclose(f) == 0 && ok;
	if (ok)
		name_file(m, path, text, size);
	free(text);
	return ok;
}

char *file_text(const char *path, struct fault *fault)
{
	return slurp(path, fault);
}

struct model *file_build(const char *path, const char *text, struct shape input, int classes, struct picks *picks,
	struct fault *fault)
{
	struct fault own;
	bool given = input.h || input.w || input.c;
	struct reading r = {
		.path = path,
		.input = input,
		.classes = classes,
		.given = given,
		.picks = picks,
		.fault = fault ? fault : &own,
	};
	char *lines = strdup(text);
	r.name = calloc(OPS_MOST + BLOCKS_MOST, sizeof *r.name);
	r.read = calloc(OPS_MOST, sizeof *r.read);
	r.at = calloc(OPS_MOST, sizeof *r.at);
	bool ok = (lines && r.name && r.read && r.at) || fault_memory(r.fault, path);
	ok = ok && read_lines(&r, lines) && check_end(&r);
	free(r.name);
	free(r.read);
	free(r.at);
	free(lines);
	if (ok && (!picks || !picks->slots) && !set_title(r.model, path))
		ok = fault_memory(r.fault, path);
	if (ok)
		return model_finish(r.model, r.fault);
	model_free(r.model);
	return NULL;
}

struct model *model_read(const char *path, struct shape input, int classes, struct fault *fault)
{
	char *text = slurp(path, fault);
	struct model *m = text ? file_build(path, text, input, classes, NULL, fault) : NULL;
	free(text);
	return m;
}

// ---- writing ----

// A layer's own name; else the kind and the index, and as many underscores as make it no layer's.
static const char *op_name(const struct model *m, int i, char buf[2 * MODEL_NAME])
{
	if (i == 0)
		return "input";
	if (m->op[i].layer >= 0)
		return m->layer[m->op[i].layer].name;
	int length = snprintf(buf, MODEL_NAME, "%s%d", model_kind(m->op[i].kind), i);
	for (int l = 0; l < m->layers && length < MODEL_NAME - 1; l++)
		if (strcmp(buf, m->layer[l].name) == 0) {
			buf[length++] = '_';
			buf[length] = 0;
			l = -1;
		}
	return buf;
}

static void write_pair(FILE *f, const char *key, int a, int b)
{
	fprintf(f, a == b ? " %s=%d" : " %s=%dx%d", key, a, b);
}

static void write_window(FILE *f, struct window w)
{
	struct window usual = keeping(w.h, w.w, w.stride);
	write_pair(f, "kernel", w.h, w.w);
	if (w.stride != 1)
		fprintf(f, " stride=%d", w.stride);
	if (w.pad_h == usual.pad_h && w.pad_w == usual.pad_w && w.far == usual.far)
		return;
	write_pair(f, "pad", w.pad_h, w.pad_w);
	if (w.far)
		fprintf(f, " far=%d", w.far);
}

static bool has_text(const struct op *op)
{
	return (op->kind == OP_INPUT || kinds[op->kind].most) && !op->inside && op->alpha == 0;
}

bool model_write(const struct model *m, FILE *f, struct fault *fault)
{
	char name[2 * MODEL_NAME];
	int width = 0;
	for (int i = 0; i < m->ops; i++)
		if (!has_text(&m->op[i]))
			return fault_set(fault, m->name, "the ONNX file itself opens as this network",
				"a description has no words for its operator %d, of kind %s", i, model_kind(m->op[i].kind));
	for (int i = 1; i < m->ops; i++) {
		int length = (int)strlen(op_name(m, i, name));
		width = length > width ? length : width;
	}
	fprintf(f, "input %dx%dx%d%s\nclasses %d\n", m->op[0].out.h, m->op[0].out.w, m->op[0].out.c, m->sized ? " resize" : "",
		m->classes);
	for (int i = 1; i < m->ops; i++) {
		const struct op *op = &m->op[i];
		fprintf(f, "%-*s %s", width, op_name(m, i, name), model_kind(op->kind));
		for (int k = 0; k < op->inputs && !(op->inputs == 1 && op->in[0] == i - 1); k++)
			fprintf(f, "%s%s", k ? "," : " in=", op_name(m, op->in[k], name));
		if (kinds[op->kind].takes & BIT(OUT) && i == m->ops - 1 && op->out.c == m->classes)
			fprintf(f, " out=classes");
		else if (kinds[op->kind].takes & BIT(OUT))
			fprintf(f, " out=%d", op->out.c);
		if (kinds[op->kind].takes & BIT(KERNEL))
			write_window(f, op->window);
		if (op->groups > 1 && op->groups == m->op[op->in[0]].out.c)
			fprintf(f, " groups=each");
		else if (op->groups > 1)
			fprintf(f, " groups=%d", op->groups);
		if (kinds[op->kind].takes & BIT(BIAS) && op->bias != (op->kind == OP_LINEAR))
			fprintf(f, " bias=%s", op->bias ? "yes" : "no");
		if (op->heads)
			fprintf(f, " heads=%d", op->heads);
		if (op->act || op->kind == OP_ACT)
			fprintf(f, " act=%s", acts[op->act]);
		fputc('\n', f);
	}
	return fflush(f) == 0 && !ferror(f);
}
