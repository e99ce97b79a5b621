// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/decoder.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// What has been read so far, and so what the next byte may be.
enum state {
	GROUND,
	ESCAPE,       // Esc
	INTERMEDIATE, // Esc and intermediate bytes
	CONTROL,      // Esc [ and parameters: a control sequence
	CONSOLE,      // Esc [ [: the Linux console's function keys
	MOUSE,        // Esc [ M: three bytes of any value follow
	SHIFT_2,      // Esc N
	SHIFT_3,      // Esc O
	STRING,       // Esc ] and the like: until ST or BEL
	STRING_END,   // an Esc within it
	NAMED,        // whole by the grammar, but the beginning of a sequence that this terminal has
	CHARACTER,    // a character of several bytes
	PASTE,
	STATES,
};

struct name {
	char *sequence;
	size_t length;
	int key;
};

struct decoder {
	unsigned char in[DECODER_ROOM];
	size_t at, end;
	long long fed;  // when the last bytes came
	long long lone; // when an Esc was taken for the key
	bool any_lone;
	int escape_ms;

	enum state state;
	bool alt;                       // Esc came before the character, or twice before the sequence
	bool one_byte;                  // the sequence began with a control character of 8 bits
	int more;                       // bytes that a character still needs
	char raw[DECODER_SEQUENCE + 1]; // the sequence so far
	size_t length;                  // of it, also beyond what is kept

	char *paste;
	size_t pasted, paste_room;
	size_t matched; // of the paste's end
	bool too_long;

	struct name *name;
	size_t names;
};

static const char paste_end[] = "\033[201~";
enum { ESC = 033, BEL = 07, CAN = 030, SUB = 032, ST = 0x9c };

// ---- making ---------------------------------------------------------------------------------------------------------

struct decoder *decoder_new(void)
{
	struct decoder *d = calloc(1, sizeof *d);
	if (d)
		d->escape_ms = DECODER_ESCAPE_MS;
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->names; i++)
		free(d->name[i].sequence);
	free(d->name);
	free(d->paste);
	free(d);
}

void decoder_set_escape(struct decoder *d, int ms)
{
	d->escape_ms = ms;
}

bool decoder_name(struct decoder *d, const char *sequence, int key)
{
	size_t length = strlen(sequence);
	if (length < 2 || length > DECODER_SEQUENCE || sequence[0] != ESC)
		return true;
	struct name *grown = realloc(d->name, (d->names + 1) * sizeof *grown);
	if (!grown)
		return false;
	d->name = grown;
	char *copy = strdup(sequence);
	if (copy)
		d->name[d->names++] = (struct name){copy, length, key};
	return copy != NULL;
}

// The key of the whole sequence; 0: none. *begins: a longer one begins so.
static int named(const struct decoder *d, bool *begins)
{
	int key = 0;
	*begins = false;
	for (size_t i = 0; i < d->names; i++) {
		const struct name *n = &d->name[i];
		if (n->length < d->length || memcmp(n->sequence, d->raw, d->length) != 0)
			continue;
		if (n->length > d->length)
			*begins = true;
		else if (!key)
			key = n->key;
	}
	return key;
}

// ---- events ---------------------------------------------------------------------------------------------------------

static void begin(struct decoder *d, enum state state)
{
	d->state = state;
	d->length = 0;
	d->alt = d->one_byte = false;
	d->more = 0;
}

static void keep(struct decoder *d, unsigned char c)
{
	if (d->length < DECODER_SEQUENCE)
		d->raw[d->length] = (char)c;
	d->length++;
}

// Ends what was being read.
static bool emit(struct decoder *d, struct event *e, enum event_kind kind, int key)
{
	size_t kept = d->length < DECODER_SEQUENCE ? d->length : DECODER_SEQUENCE;
	d->raw[kept] = '\0';
	d->state = GROUND;
	*e = (struct event){.kind = kind, .key = key, .bytes = d->raw, .length = kept};
	return true;
}

static bool emit_escape(struct event *e)
{
	*e = (struct event){.kind = EVENT_KEY, .key = KEYS_ESCAPE, .bytes = "\033", .length = 1};
	return true;
}

static bool emit_unknown(struct decoder *d, struct event *e)
{
	return emit(d, e, EVENT_UNKNOWN, 0);
}

static bool emit_cut(struct decoder *d, struct event *e)
{
	emit(d, e, EVENT_UNKNOWN, 0);
	e->cut = true;
	return true;
}

// The byte is not used up: it begins something else.
static bool emit_and_look_again(struct decoder *d, struct event *e)
{
	d->at--;
	return emit_cut(d, e);
}

static int plain(unsigned char c)
{
	return c == '\n' ? KEYS_ENTER : c;
}

// ---- what sequences mean ----------------------------------------------------------------------------------------------

// By the last byte, after Esc [ or Esc O.
static const struct final {
	char final;
	int key;
} final_key[] = {
	{'A', KEYS_UP},
	{'B', KEYS_DOWN},
	{'C', KEYS_RIGHT},
	{'D', KEYS_LEFT},
	{'E', KEYS_BEGIN},
	{'F', KEYS_END},
	{'H', KEYS_HOME},
	{'P', KEYS_F + 1},
	{'Q', KEYS_F + 2},
	{'R', KEYS_F + 3},
	{'S', KEYS_F + 4},
	{'Z', KEYS_BACKTAB},
};
// rxvt's arrows with a modifier: Shift after Esc [, Ctrl after Esc O.
static const struct final rxvt_key[] = {{'a', KEYS_UP}, {'b', KEYS_DOWN}, {'c', KEYS_RIGHT}, {'d', KEYS_LEFT}};
// The keypad, after Esc O; what is missing here stands in `keypad_text`.
static const struct final keypad_key[] = {{'M', KEYS_ENTER}, {'I', KEYS_TAB}, {'X', '='}, {' ', ' '}};
static const char keypad_text[] = "*+,-./0123456789"; // j to y
// By the number in Esc [ n ~.
static const struct number {
	int number, key;
} number_key[] = {
	{1, KEYS_HOME},
	{2, KEYS_INSERT},
	{3, KEYS_DELETE},
	{4, KEYS_END},
	{5, KEYS_PAGE_UP},
	{6, KEYS_PAGE_DOWN},
	{7, KEYS_HOME},
	{8, KEYS_END},
	{11, KEYS_F + 1},
	{12, KEYS_F + 2},
	{13, KEYS_F + 3},
	{14, KEYS_F + 4},
	{15, KEYS_F + 5},
	{17, KEYS_F + 6},
	{18, KEYS_F + 7},
	{19, KEYS_F + 8},
	{20, KEYS_F + 9},
	{21, KEYS_F + 10},
	{23, KEYS_F + 11},
	{24, KEYS_F + 12},
	{25, KEYS_F + 13},
	{26, KEYS_F + 14},
	{28, KEYS_F + 15},
	{29, KEYS_F + 16},
	{31, KEYS_F + 17},
	{32, KEYS_F + 18},
	{33, KEYS_F + 19},
	{34, KEYS_F + 20},
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

static int by_final(const struct final *table, size_t count, char final)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].final == final)
			return table[i].key;
	return 0;
}

static int by_number(int number)
{
	for (size_t i = 0; i < COUNT(number_key); i++)
		if (number_key[i].number == number)
			return number_key[i].key;
	return 0;
}

// A control sequence taken apart.
struct control {
	char mark;    // one of <=>?, before the parameters; 0: none
	int value[4]; // of the parameters; 0: not given
	int sub[4];   // behind a colon
	int count;
	char intermediate; // the first; 0: none
	char final;
};
enum { PARAMETERS = 4, PARAMETER_MOST = 0x10ffff };

// `text`: what follows Esc [ or Esc O. False: not of that form, or more than is ever sent for a key.
static bool take_apart(const char *text, size_t length, struct control *c)
{
	*c = (struct control){.count = 1};
	if (length == 0)
		return false;
	c->final = text[--length];
	size_t i = 0;
	if (i < length && strchr("<=>?", text[i]))
		c->mark = text[i++];
	bool sub = false;
	int subs = 0;
	for (; i < length && text[i] >= '0' && text[i] <= ';'; i++) {
		int *value = sub ? &c->sub[c->count - 1] : &c->value[c->count - 1];
		if (text[i] == ';') {
			if (c->count++ == PARAMETERS)
				return false;
			sub = false;
			subs = 0;
		} else if (text[i] == ':') {
			sub = true;
			subs++;
		} else if (subs > 1) { // of several the first counts
			continue;
		} else if ((*value = *value * 10 + text[i] - '0') > PARAMETER_MOST) {
			return false;
		}
	}
	if (i < length)
		c->intermediate = text[i++];
	return i == length;
}

// Applies a parameter 1 + bits to a key. 0: such a key has no name here.
static int modified(int key, int parameter)
{
	int bits = parameter > 0 ? parameter - 1 : 0, lock = 64 | 128;
	if (!key || (bits & ~lock) > 7)
		return 0;
	return key | (bits & 1 ? KEYS_SHIFT : 0) | (bits & 2 ? KEYS_ALT : 0) | (bits & 4 ? KEYS_CTRL : 0);
}

// A key that is sent as its character and modifiers. `shifted`: the character has Shift in it already.
static int spelled(int code, int parameter, bool shifted)
{
	int key = modified(code, parameter);
	if (!key || code > PARAMETER_MOST || (code >= 0xd800 && code < 0xe000) || (code >= 0x80 && code < 0xa0) ||
		(code >= 0xe000 && code < 0xf900)) // the last: keys that are no characters
		return 0;
	if (key & KEYS_SHIFT && code >= 'a' && code <= 'z') {
		code -= 'a' - 'A';
		shifted = true;
	}
	bool letter = code > ' ' && code != KEYS_BACKSPACE;
	key = code | (key & (KEYS_ALT | KEYS_CTRL)) | (shifted && letter ? 0 : key & KEYS_SHIFT);
	if (!(key & KEYS_CTRL))
		return key;
	// As the terminal sends it by itself: Ctrl and a letter are a control character.
	bool control = (code >= '@' && code <= '_') || (code >= 'a' && code <= 'z');
	return control ? KEYS_CONTROL(code) | (key & KEYS_ALT) : key;
}

// The key of a control sequence; 0: none.
static int control_key(const struct control *c)
{
	enum { RELEASED = 3 };
	if (c->mark)
		return 0;
	if (c->intermediate || c->sub[1] == RELEASED)
		return 0;
	int with = c->final == '$' ? KEYS_SHIFT : c->final == '^' ? KEYS_CTRL : c->final == '@' ? KEYS_SHIFT | KEYS_CTRL : 0;
	if (with && c->count == 1 && by_number(c->value[0])) // rxvt
		return by_number(c->value[0]) | with;
	if (c->final == '~' && c->value[0] == 27 && c->count == 3)
		return spelled(c->value[2], c->value[1], true);
	if (c->count > 2 && c->final != 'u')
		return 0;
	if (c->final == '~')
		return modified(by_number(c->value[0]), c->value[1]);
	if (c->final == 'u')
		return spelled(c->sub[0] ? c->sub[0] : c->value[0], c->value[1], c->sub[0] > 0);
	if (c->count == 1 && c->value[0] == 0) {
		int key = by_final(rxvt_key, COUNT(rxvt_key), c->final);
		if (key)
			return key | KEYS_SHIFT;
	}
	if (c->value[0] > 1)
		return 0;
	return modified(by_final(final_key, COUNT(final_key), c->final), c->value[1]);
}

// After Esc O; some terminals put the modifier, alone or as the second number, before the last byte.
static int shift_3_key(const struct control *c)
{
	int modifier = c->count > 1 ? c->value[1] : c->value[0];
	if (c->mark || c->intermediate || c->count > 2)
		return 0;
	if (c->final >= 'j' && c->final <= 'y')
		return modified(keypad_text[c->final - 'j'], modifier);
	int key = by_final(keypad_key, COUNT(keypad_key), c->final);
	if (key)
		return modified(key, modifier);
	key = by_final(rxvt_key, COUNT(rxvt_key), c->final);
	if (key)
		return modifier ? 0 : key | KEYS_CTRL;
	return c->final == 'Z' ? 0 : modified(by_final(final_key, COUNT(final_key), c->final), modifier);
}

// Mouse reports whose numbers are written out: xterm's Esc [ < b;x;y M or m, urxvt's Esc [ b;x;y M.
static bool emit_mouse(struct decoder *d, struct event *e, const struct control *c)
{
	int shift = c->mark == '<' ? 0 : 32; // the button of the other form
	emit(d, e, EVENT_MOUSE, 0);
	e->mouse.button = c->value[0] - shift;
	e->mouse.x = c->value[1] - 1;
	e->mouse.y = c->value[2] - 1;
	e->mouse.pressed = c->final == 'M' && (c->mark == '<' || (e->mouse.button & 3) != 3);
	return true;
}

static bool end_control(struct decoder *d, struct event *e)
{
	struct control c;
	size_t intro = d->alt ? 3 : 2;
	if (d->length > DECODER_SEQUENCE || !take_apart(d->raw + intro, d->length - intro, &c))
		return emit_unknown(d, e);
	bool alone = !c.mark && !c.intermediate;
	if (alone && c.final == '~' && c.count == 1 && c.value[0] == 200) {
		d->state = PASTE;
		d->pasted = d->matched = 0;
		d->too_long = false;
		return false;
	}
	if (alone && (c.final == 'I' || c.final == 'O') && d->length == intro + 1)
		return emit(d, e, EVENT_FOCUS, 0);
	if (!c.intermediate && c.count == 3 &&
		((c.mark == '<' && (c.final == 'M' || c.final == 'm')) || (!c.mark && c.final == 'M')))
		return emit_mouse(d, e, &c);
	int key = control_key(&c);
	return key ? emit(d, e, EVENT_KEY, key | (d->alt ? KEYS_ALT : 0)) : emit_unknown(d, e);
}

static bool end_shift_3(struct decoder *d, struct event *e)
{
	struct control c;
	size_t intro = d->alt ? 3 : 2;
	int key = d->length <= DECODER_SEQUENCE && take_apart(d->raw + intro, d->length - intro, &c) ? shift_3_key(&c) : 0;
	return key ? emit(d, e, EVENT_KEY, key | (d->alt ? KEYS_ALT : 0)) : emit_unknown(d, e);
}

// ---- a byte in each state ---------------------------------------------------------------------------------------------

// How many bytes follow the first one of a character; -1: none begins so.
static int followers(unsigned char c)
{
	return c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : -1;
}

// What the letter behind an Esc begins; GROUND: nothing, it is a key with Alt.
static enum state introduced(unsigned char c)
{
	static const struct {
		char letter;
		enum state state;
	} row[] = {{'[', CONTROL}, {'O', SHIFT_3}, {'N', SHIFT_2}, {'P', STRING}, {'X', STRING}, {']', STRING}, {'^', STRING},
		{'_', STRING}};
	for (size_t i = 0; i < COUNT(row); i++)
		if (c == (unsigned char)row[i].letter)
			return row[i].state;
	return c >= ' ' && c < '0' ? INTERMEDIATE : GROUND;
}

static bool in_ground(struct decoder *d, unsigned char c, struct event *e)
{
	begin(d, GROUND);
	bool late = d->any_lone && d->fed - d->lone < DECODER_LATE_MS;
	d->any_lone = false;
	if (late && (c == '[' || c == 'O') && d->at < d->end) { // nobody types two keys at one moment
		keep(d, ESC);
		keep(d, c);
		d->state = introduced(c);
		return false;
	}
	enum state state = c >= 0x80 && c < 0xa0 ? introduced(c - 0x40) : GROUND;
	if (state != GROUND && state != INTERMEDIATE) { // the same in one byte
		keep(d, ESC);
		keep(d, c - 0x40);
		d->one_byte = true;
		d->state = state;
		return false;
	}
	keep(d, c);
	if (c == ESC) {
		d->state = ESCAPE;
		return false;
	}
	if (c < 0x80)
		return emit(d, e, EVENT_KEY, plain(c));
	d->more = followers(c);
	if (d->more < 0)
		return emit_unknown(d, e);
	d->state = CHARACTER;
	return false;
}

static bool in_escape(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC && !d->alt) {
		keep(d, c);
		d->alt = true; // or two keys
		return false;
	}
	if (c == ESC) // a third: the first was a key
		return emit_escape(e);
	keep(d, c);
	enum state state = introduced(c);
	if (state != GROUND) {
		d->state = state;
		return false;
	}
	if (d->alt)
		return emit_unknown(d, e);
	if (c < 0x80)
		return emit(d, e, EVENT_KEY, plain(c) | KEYS_ALT);
	d->more = followers(c);
	if (d->more < 0)
		return emit_unknown(d, e);
	d->alt = true;
	d->state = CHARACTER;
	return false;
}

static bool in_character(struct decoder *d, unsigned char c, struct event *e)
{
	if ((c & 0xc0) != 0x80)
		return emit_and_look_again(d, e);
	keep(d, c);
	if (--d->more > 0)
		return false;
	static const int least[] = {0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)d->raw + (d->alt ? 1 : 0);
	int more = followers(*p), code = *p & (0x3f >> more);
	for (int i = 1; i <= more; i++)
		code = code << 6 | (p[i] & 0x3f);
	bool good = code >= least[more] && code >= 0xa0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
	return good ? emit(d, e, EVENT_KEY, code | (d->alt ? KEYS_ALT : 0)) : emit_unknown(d, e);
}

static bool in_intermediate(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	keep(d, c);
	return c >= ' ' && c < '0' ? false : emit_unknown(d, e);
}

// rxvt ends its keys with Shift in `$`, after a number alone; anywhere else that is an intermediate byte.
static bool rxvt_end(const struct decoder *d)
{
	size_t intro = d->alt ? 3 : 2, digits = d->length - intro;
	if (digits < 1 || digits > 2)
		return false;
	for (size_t i = intro; i < d->length; i++)
		if (d->raw[i] < '0' || d->raw[i] > '9')
			return false;
	return true;
}

static bool in_control(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	bool first = d->length == (d->alt ? 3u : 2u), last = (c == '$' && rxvt_end(d)) || (c >= '@' && c < 0x7f);
	keep(d, c);
	if (first && (c == '[' || c == 'M')) {
		d->state = c == '[' ? CONSOLE : MOUSE;
		return false;
	}
	if (last)
		return end_control(d, e);
	return c >= ' ' && c < 0x7f ? false : emit_cut(d, e);
}

static bool in_console(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	keep(d, c);
	return c >= 'A' && c <= 'E' ? emit(d, e, EVENT_KEY, (KEYS_F + 1 + c - 'A') | (d->alt ? KEYS_ALT : 0))
				    : emit_unknown(d, e);
}

static bool in_mouse(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC) // never one of the three
		return emit_and_look_again(d, e);
	keep(d, c);
	const unsigned char *p = (const unsigned char *)d->raw + (d->alt ? 4 : 3);
	if (d->raw + d->length < (const char *)p + 3)
		return false;
	unsigned char button = p[0], x = p[1], y = p[2];
	emit(d, e, EVENT_MOUSE, 0);
	e->mouse.button = button - 32;
	e->mouse.x = x - 33;
	e->mouse.y = y - 33;
	e->mouse.pressed = (button & 3) != 3;
	return true;
}

static bool in_shift_2(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	keep(d, c);
	return emit_unknown(d, e);
}

static bool in_shift_3(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	keep(d, c);
	return (c >= '0' && c <= '9') || c == ';' ? false : end_shift_3(d, e);
}

static bool in_string(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC) {
		d->state = STRING_END;
		return false;
	}
	keep(d, c);
	// ST in one byte, unless it belongs to a character.
	bool inside = d->more > 0 && (c & 0xc0) == 0x80;
	d->more = inside ? d->more - 1 : followers(c) > 0 ? followers(c) : 0;
	return (c == ST && !inside) || c == BEL || c == CAN || c == SUB ? emit_unknown(d, e) : false;
}

static bool in_string_end(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == '\\')
		return emit_unknown(d, e);
	// That Esc began something else.
	d->at--;
	emit_cut(d, e);
	begin(d, ESCAPE);
	keep(d, ESC); // as it stands there already: the event's bytes are these
	return true;
}

static bool in_named(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == ESC)
		return emit_and_look_again(d, e);
	keep(d, c);
	bool begins = false;
	if (d->length <= DECODER_SEQUENCE)
		named(d, &begins);
	return begins ? false : emit_unknown(d, e);
}

static void add_pasted(struct decoder *d, const char *bytes, size_t count)
{
	if (d->too_long)
		return;
	if (d->pasted + count > DECODER_PASTE_MOST) {
		d->too_long = true;
		return;
	}
	if (d->pasted + count + 1 > d->paste_room) {
		size_t room = 2 * d->paste_room + 256;
		char *grown = realloc(d->paste, room);
		if (!grown) {
			d->too_long = true;
			return;
		}
		d->paste = grown;
		d->paste_room = room;
	}
	memcpy(d->paste + d->pasted, bytes, count);
	d->pasted += count;
}

static bool emit_paste(struct decoder *d, struct event *e, bool cut)
{
	d->state = GROUND;
	d->length = 0;
	cut |= d->too_long;
	if (!cut && d->paste_room > 0)
		d->paste[d->pasted] = '\0';
	const char *text = cut ? NULL : d->paste_room > 0 ? d->paste : "";
	*e = (struct event){.kind = EVENT_PASTE, .bytes = text, .length = cut ? 0 : d->pasted, .cut = cut};
	return true;
}

static bool in_paste(struct decoder *d, unsigned char c, struct event *e)
{
	if (c == (unsigned char)paste_end[d->matched]) {
		if (++d->matched < sizeof paste_end - 1)
			return false;
		return emit_paste(d, e, false);
	}
	add_pasted(d, paste_end, d->matched);
	d->matched = c == ESC;
	char byte = (char)c;
	if (c != ESC)
		add_pasted(d, &byte, 1);
	return false;
}

static bool (*const in_state[STATES])(struct decoder *, unsigned char, struct event *) = {
	[GROUND] = in_ground,
	[ESCAPE] = in_escape,
	[INTERMEDIATE] = in_intermediate,
	[CONTROL] = in_control,
	[CONSOLE] = in_console,
	[MOUSE] = in_mouse,
	[SHIFT_2] = in_shift_2,
	[SHIFT_3] = in_shift_3,
	[STRING] = in_string,
	[STRING_END] = in_string_end,
	[NAMED] = in_named,
	[CHARACTER] = in_character,
	[PASTE] = in_paste,
};

// What this terminal is known to send goes before the grammar: *made is set with the event of a whole sequence.
static bool by_name(struct decoder *d, unsigned char c, struct event *e, bool *made)
{
	bool sequence = d->state != GROUND && d->state != CHARACTER && d->state != PASTE && d->state != STRING_END;
	if (d->names == 0 || !sequence || c == ESC || d->length >= DECODER_SEQUENCE)
		return false;
	keep(d, c);
	bool begins;
	int key = named(d, &begins);
	if (key && !begins) {
		*made = emit(d, e, EVENT_KEY, key);
		return true;
	}
	d->length--;
	return false;
}

static bool take_byte(struct decoder *d, unsigned char c, struct event *e)
{
	bool made = false;
	if (by_name(d, c, e, &made))
		return made;
	made = in_state[d->state](d, c, e);
	// Nothing that this terminal sends ends in the middle.
	if (made && e->kind != EVENT_PASTE && d->state == GROUND && !e->cut && d->length > 1 && d->length <= DECODER_SEQUENCE) {
		bool begins;
		named(d, &begins);
		if (begins) {
			d->state = NAMED;
			return false;
		}
	}
	return made;
}

// ---- time -------------------------------------------------------------------------------------------------------------

// Esc and the one character that followed it at once, where that could have begun a sequence.
static bool short_escape(const struct decoder *d)
{
	return (d->state == STRING || d->state == INTERMEDIATE || d->state == NAMED) && d->length == 2 && !d->one_byte;
}

static int patience(const struct decoder *d)
{
	return d->state == PASTE ? DECODER_PASTE_MS : d->state == ESCAPE || short_escape(d) ? d->escape_ms : DECODER_CUT_MS;
}

static bool give_up(struct decoder *d, struct event *e)
{
	bool begins;
	int key = d->state != PASTE && d->length > 1 && d->length <= DECODER_SEQUENCE ? named(d, &begins) : 0;
	if (d->state == PASTE)
		return emit_paste(d, e, true);
	if (key)
		return emit(d, e, EVENT_KEY, key);
	if (d->state == ESCAPE) {
		d->any_lone = true;
		d->lone = d->fed;
		d->state = GROUND;
		return emit_escape(e);
	}
	if (short_escape(d))
		return emit(d, e, EVENT_KEY, plain((unsigned char)d->raw[1]) | KEYS_ALT);
	return emit_cut(d, e);
}

// ---- in and out -------------------------------------------------------------------------------------------------------

size_t decoder_room(const struct decoder *d)
{
	return DECODER_ROOM - (d->end - d->at);
}

size_t decoder_used(const struct decoder *d)
{
	return d->at;
}

void decoder_feed(struct decoder *d, const void *bytes, size_t count, long long now)
{
	memmove(d->in, d->in + d->at, d->end - d->at);
	d->end -= d->at;
	d->at = 0;
	if (count > DECODER_ROOM - d->end)
		count = DECODER_ROOM - d->end;
	memcpy(d->in + d->end, bytes, count);
	d->end += count;
	d->fed = now;
}

bool decoder_next(struct decoder *d, long long now, struct event *e)
{
	while (d->at < d->end)
		if (take_byte(d, d->in[d->at++], e))
			return true;
	return d->state != GROUND && now - d->fed >= patience(d) && give_up(d, e);
}

int decoder_wait(const struct decoder *d, long long now)
{
	if (d->at < d->end)
		return 0;
	if (d->state == GROUND)
		return -1;
	long long left = d->fed + patience(d) - now;
	return left > 0 ? (int)left : 0;
}
