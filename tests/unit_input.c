// SPDX-License-Identifier: GPL-3.0-or-later
// From a terminal's bytes to keys: every sequence that terminals send, cut and split anywhere, and pastes. The property: what
// a person did not type as a character never comes out as one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/ground.h"
#include "ui/decoder.h"
#include "ui/keys.h"

enum { ALT = KEYS_ALT, CTRL = KEYS_CTRL, SHIFT = KEYS_SHIFT, LONG_AGO = 10000 };

static struct decoder *make(void)
{
	struct decoder *d = decoder_new();
	assert_non_null(d);
	return d;
}

// ---- single sequences -------------------------------------------------------------------------------------------------

static const struct {
	const char *bytes;
	int key; // 0: unknown, or nothing
} sample[] = {
	{"j", 'j'},
	{"\r", KEYS_ENTER},
	{"\n", KEYS_ENTER},
	{"\t", KEYS_TAB},
	{"\003", 3},
	{"\177", KEYS_BACKSPACE},
	{"\033", KEYS_ESCAPE},
	{"\xc3\xbc", 0xfc},
	{"\xe2\x82\xac", 0x20ac},
	{"\xf0\x9f\x98\x80", 0x1f600},
	// cursor keys, in both modes and with modifiers
	{"\033[A", KEYS_UP},
	{"\033OA", KEYS_UP},
	{"\033[B", KEYS_DOWN},
	{"\033OD", KEYS_LEFT},
	{"\033[H", KEYS_HOME},
	{"\033OF", KEYS_END},
	{"\033[1;5A", CTRL | KEYS_UP},
	{"\033[1;2C", SHIFT | KEYS_RIGHT},
	{"\033[1;8D", SHIFT | ALT | CTRL | KEYS_LEFT},
	{"\033O5A", CTRL | KEYS_UP},
	{"\033[1;129A", KEYS_UP},
	{"\033[1;9A", 0},
	{"\033[1;5:3A", 0},
	{"\033\033[A", ALT | KEYS_UP},
	{"\033\033OA", ALT | KEYS_UP},
	{"\033[a", SHIFT | KEYS_UP},
	{"\033Oa", CTRL | KEYS_UP},
	{"\233A", KEYS_UP},
	{"\217A", KEYS_UP},
	{"\033[E", KEYS_BEGIN},
	// numbered keys; rxvt's endings
	{"\033[5~", KEYS_PAGE_UP},
	{"\033[6~", KEYS_PAGE_DOWN},
	{"\033[3~", KEYS_DELETE},
	{"\033[2;5~", CTRL | KEYS_INSERT},
	{"\033[7~", KEYS_HOME},
	{"\033[7$", SHIFT | KEYS_HOME},
	{"\033[8^", CTRL | KEYS_END},
	{"\033[3@", SHIFT | CTRL | KEYS_DELETE},
	{"\033[23$", SHIFT | (KEYS_F + 11)},
	{"\033[99~", 0},
	{"\033[?1;2$y", 0},
	{"\033[4;1$y", 0},
	{"\033[201~", 0},
	// function keys: xterm's, the Linux console's, F13 and beyond
	{"\033OP", KEYS_F + 1},
	{"\033[11~", KEYS_F + 1},
	{"\033[[A", KEYS_F + 1},
	{"\033[[E", KEYS_F + 5},
	{"\033[24~", KEYS_F + 12},
	{"\033[1;2P", SHIFT | (KEYS_F + 1)},
	{"\033[25~", KEYS_F + 13},
	{"\033[34~", KEYS_F + 20},
	{"\033[[Z", 0},
	// the keypad
	{"\033OM", KEYS_ENTER},
	{"\033Ok", '+'},
	{"\033Om", '-'},
	{"\033Oj", '*'},
	{"\033Op", '0'},
	{"\033Oy", '9'},
	{"\033OX", '='},
	{"\033O ", ' '},
	{"\033O5M", CTRL | KEYS_ENTER},
	{"\033Oz", 0},
	// Alt
	{"\033p", ALT | 'p'},
	{"\033[", 0},
	{"\033O", 0},
	{"\033P", ALT | 'P'},
	{"\033]", ALT | ']'},
	{"\033-", ALT | '-'},
	{"\033 ", ALT | ' '},
	{"\033\177", ALT | KEYS_BACKSPACE},
	{"\033\r", ALT | KEYS_ENTER},
	{"\033\xc3\xbc", ALT | 0xfc},
	{"\033\033", KEYS_ESCAPE},
	// keys spelled out
	{"\033[106u", 'j'},
	{"\033[106;5u", KEYS_CONTROL('j')},
	{"\033[99;5u", 3},
	{"\033[112;3u", ALT | 'p'},
	{"\033[27u", KEYS_ESCAPE},
	{"\033[13;2u", SHIFT | KEYS_ENTER},
	{"\033[103;2u", 'G'},
	{"\033[49;2u", SHIFT | '1'},
	{"\033[49:33;2u", '!'},
	{"\033[106;1:3u", 0},
	{"\033[97:65:99;2u", 'A'},
	{"\033[57399u", 0},
	{"\033[106;9u", 0},
	{"\033[27;5;106~", KEYS_CONTROL('j')},
	{"\033[27;2;33~", '!'},
	{"\033[1114112u", 0},
	{"\033[99999999999999999999u", 0},
	{"\033[;;;;;;;;A", 0},
	// reports, strings and what nobody knows
	{"\033[I", 0},
	{"\033[O", 0},
	{"\033[M !!", 0},
	{"\033[M\"jj", 0},
	{"\033[<0;10;20M", 0},
	{"\033[<64;1;1m", 0},
	{"\033[32;10;20M", 0},
	{"\033[5;1R", 0},
	{"\033[?62;4c", 0},
	{"\033[>0;276;0c", 0},
	{"\033[8;24;80t", 0},
	{"\033]11;rgb:ffff/0000/0000\033\\", 0},
	{"\033]0;quit\007", 0},
	{"\033P1$r0m\033\\", 0},
	{"\033_Gi=1;OK\033\\", 0},
	{"\033^x\033\\", 0},
	{"\033Xp\033\\", 0},
	{"\235p\234", 0},
	{"\033(B", 0},
	{"\033 F", 0},
	{"\033#8", 0},
	{"\033Np", 0},
	{"\216p", 0},
	{"\033[>4;1m", 0},
	{"\033[<p", 0},
	{"\033[1 q", 0},
	{"\033[!p", 0},
	{"\033]2;\xe2\x9c\x9cp\007", 0}, // its character holds the byte that would end it
	// broken off, and garbage
	{"\033[1;", 0},
	{"\033[p\033[", ALT},
	{"\033[1\030", 0},
	{"\033[1\r", 0},
	{"\033[\xc3", 0},
	{"\xc3", 0},
	{"\xc0\x80", 0},
	{"\xed\xa0\x80", 0},
	{"\xff", 0},
	{"\x80", 0},
	{"\xc2\x9b", 0},
	{"\033]0;p", 0},
	{"\033[M ", 0},
	{"\033[[", 0},
	{"\033N", 0},
};

// The one key that these bytes make; 0: none. More than one: fails.
static int key_of(struct decoder *d, const char *bytes, size_t length, bool split)
{
	long long now = LONG_AGO;
	struct event e;
	int key = 0, keys = 0;
	for (size_t i = 0; i < length; i += split ? 1 : length) {
		decoder_feed(d, bytes + i, split ? 1 : length, now);
		while (decoder_next(d, now, &e))
			if (e.kind == EVENT_KEY)
				key = e.key, keys++;
		now += split ? DECODER_ESCAPE_MS - 1 : 0;
	}
	now += DECODER_PASTE_MS;
	while (decoder_next(d, now, &e))
		if (e.kind == EVENT_KEY)
			key = e.key, keys++;
	assert_int_equal(decoder_wait(d, now), -1);
	assert_true(keys <= 1);
	return key;
}

static void test_sequences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sample / sizeof *sample; i++)
		for (int split = 0; split < 2; split++) {
			struct decoder *d = make();
			int key = key_of(d, sample[i].bytes, strlen(sample[i].bytes), split),
			    want = sample[i].key == ALT ? 0 : sample[i].key;
			if (key != want)
				fail_msg("sequence %zu, Esc %s: key %x, not %x%s", i, sample[i].bytes + 1, (unsigned)key,
					(unsigned)want, split ? ", sent byte by byte" : "");
			// What comes next is not touched by it.
			decoder_feed(d, "j", 1, 2 * LONG_AGO);
			struct event e;
			assert_true(decoder_next(d, 2 * LONG_AGO, &e));
			assert_int_equal(e.key, 'j');
			decoder_free(d);
		}
}

static void test_mouse(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		int button, x, y;
		bool pressed;
	} report[] = {
		{"\033[M !\"", 0, 0, 1, true},
		{"\033[M#*+", 3, 9, 10, false},
		{"\033[<0;10;20M", 0, 9, 19, true},
		{"\033[<2;250;80m", 2, 249, 79, false},
		{"\033[<65;1;1M", 65, 0, 0, true},
		{"\033[33;5;6M", 1, 4, 5, true},
		{"\033[M \xff\xfe", 0, 222, 221, true},
	};
	struct decoder *d = make();
	for (size_t i = 0; i < sizeof report / sizeof *report; i++) {
		struct event e;
		decoder_feed(d, report[i].bytes, strlen(report[i].bytes), 0);
		assert_true(decoder_next(d, 0, &e));
		assert_int_equal(e.kind, EVENT_MOUSE);
		assert_int_equal(e.mouse.button, report[i].button);
		assert_int_equal(e.mouse.x, report[i].x);
		assert_int_equal(e.mouse.y, report[i].y);
		assert_int_equal(e.mouse.pressed, report[i].pressed);
		assert_false(decoder_next(d, 0, &e));
	}
	decoder_free(d);
}

// What a terminal is known to send goes before the grammar.
static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *sequence;
		int key;
	} name[] = {{"\033A", KEYS_UP}, {"\033[M", KEYS_F + 1}, {"\033[[C", KEYS_F + 43}, {"\033[L\033", KEYS_F + 2},
		{"\033hxyz", KEYS_HOME}, {"\010", KEYS_LEFT}, {"\033[25~", KEYS_F + 11}, {"\033&r1", KEYS_F + 12}};
	struct decoder *d = make();
	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		assert_true(decoder_name(d, name[i].sequence, name[i].key));
	for (int split = 0; split < 2; split++) {
		assert_int_equal(key_of(d, "\033A", 2, split), KEYS_UP);
		assert_int_equal(key_of(d, "\033[M", 3, split), KEYS_F + 1);
		assert_int_equal(key_of(d, "\033[[C", 4, split), KEYS_F + 43);
		assert_int_equal(key_of(d, "\033[[A", 4, split), KEYS_F + 1);
		assert_int_equal(key_of(d, "\033hxyz", 5, split), KEYS_HOME);
		assert_int_equal(key_of(d, "\033hxy", 4, split), 0);
		assert_int_equal(key_of(d, "\033h", 2, split), ALT | 'h');
		assert_int_equal(key_of(d, "\010", 1, split), 8);
		assert_int_equal(key_of(d, "\033[25~", 5, split), KEYS_F + 11);
		assert_int_equal(key_of(d, "\033&r1", 4, split), KEYS_F + 12);
	}
	decoder_free(d);
}

// An Esc is the key once nothing follows for a while; the rest of a sequence that came too late is still no text.
static void test_escape(void **state)
{
	(void)state;
	struct decoder *d = make();
	struct event e;
	decoder_feed(d, "\033", 1, 0);
	assert_false(decoder_next(d, 0, &e));
	assert_int_equal(decoder_wait(d, 0), DECODER_ESCAPE_MS);
	assert_false(decoder_next(d, DECODER_ESCAPE_MS - 1, &e));
	assert_true(decoder_next(d, DECODER_ESCAPE_MS, &e));
	assert_int_equal(e.key, KEYS_ESCAPE);
	assert_int_equal(decoder_wait(d, DECODER_ESCAPE_MS), -1);
	decoder_feed(d, "[A", 2, 100);
	assert_true(decoder_next(d, 100, &e));
	assert_int_equal(e.key, KEYS_UP);
	assert_false(decoder_next(d, 100, &e));
	// `[` alone is a key like others, and so is what follows later.
	decoder_feed(d, "\033", 1, 1000);
	assert_true(decoder_next(d, 1100, &e));
	decoder_feed(d, "[", 1, 1200);
	assert_true(decoder_next(d, 1200, &e));
	assert_int_equal(e.key, '[');
	decoder_feed(d, "[]", 2, 1300);
	assert_true(decoder_next(d, 1300, &e));
	assert_int_equal(e.key, '[');
	assert_true(decoder_next(d, 1300, &e));
	assert_int_equal(e.key, ']');

	decoder_set_escape(d, 200);
	decoder_feed(d, "\033", 1, 5000);
	assert_false(decoder_next(d, 5199, &e));
	assert_true(decoder_next(d, 5200, &e));
	decoder_free(d);
}

// ---- pastes -------------------------------------------------------------------------------------------------------------

static void feed_all(struct decoder *d, const char *bytes, size_t length, long long now, struct event *e, int *events)
{
	*events = 0;
	for (size_t i = 0; i < length;) {
		size_t room = decoder_room(d), count = length - i < room ? length - i : room;
		assert_true(room > 0);
		decoder_feed(d, bytes + i, count, now);
		i += count;
		struct event one;
		while (decoder_next(d, now, &one)) {
			*e = one;
			++*events;
		}
	}
}

static void test_paste(void **state)
{
	(void)state;
	static const char *const text[] = {
		"", "abc", "pin stem int8\nq\n", "\033[A\003\032\r:quit\r", "\033[201", "\033\033[20", "\033]x", "\xff\x80\x9b"};
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		for (size_t split = 0; split < strlen(text[i]) + 12; split++) {
			struct decoder *d = make();
			char bytes[100];
			size_t length = (size_t)snprintf(bytes, sizeof bytes, "\033[200~%s\033[201~", text[i]);
			struct event e = {0};
			int first, second;
			feed_all(d, bytes, split, 0, &e, &first);
			feed_all(d, bytes + split, length - split, DECODER_ESCAPE_MS - 1, &e, &second);
			assert_int_equal(first + second, 1);
			assert_int_equal(e.kind, EVENT_PASTE);
			assert_false(e.cut);
			assert_int_equal(e.length, strlen(text[i]));
			assert_memory_equal(e.bytes, text[i], e.length + 1);
			assert_int_equal(decoder_wait(d, 0), -1);
			decoder_free(d);
		}
}

static void test_paste_broken_off(void **state)
{
	(void)state;
	struct decoder *d = make();
	struct event e;
	int events;
	feed_all(d, "\033[200~pin stem int8\nq", 21, 0, &e, &events);
	assert_int_equal(events, 0);
	assert_false(decoder_next(d, DECODER_PASTE_MS - 1, &e));
	assert_int_equal(decoder_wait(d, 0), DECODER_PASTE_MS);
	assert_true(decoder_next(d, DECODER_PASTE_MS, &e));
	assert_int_equal(e.kind, EVENT_PASTE);
	assert_true(e.cut);
	assert_null(e.bytes);
	assert_false(decoder_next(d, DECODER_PASTE_MS, &e));
	decoder_free(d);
}

static void test_paste_too_long(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		struct decoder *d = make();
		size_t length = DECODER_PASTE_MOST + (size_t)over;
		char *bytes = malloc(length + 12);
		assert_non_null(bytes);
		memcpy(bytes, "\033[200~", 6);
		memset(bytes + 6, 'q', length);
		memcpy(bytes + 6 + length, "\033[201~", 6);
		struct event e;
		int events;
		feed_all(d, bytes, length + 12, 0, &e, &events);
		assert_int_equal(events, 1);
		assert_int_equal(e.kind, EVENT_PASTE);
		assert_int_equal(e.cut, over == 1);
		assert_int_equal(e.length, over ? 0 : length);
		free(bytes);
		decoder_free(d);
	}
}

// ---- the property -------------------------------------------------------------------------------------------------------

static uint64_t seed;
static uint32_t any(uint32_t below)
{
	return any_of(&seed, below);
}

struct stream {
	unsigned char bytes[1 << 14];
	long long wait[1 << 14]; // before each byte
	size_t length;
	int typed[1 << 12]; // the characters that were typed
	size_t keys;
	size_t pastes;
};

static void put(struct stream *s, long long wait, unsigned char c)
{
	s->wait[s->length] = wait;
	s->bytes[s->length++] = c;
}

// A sequence, whose bytes come with less between them than a cut is known by.
static void put_all(struct stream *s, long long wait, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		put(s, i == 0 ? wait : any(4) ? 0 : any(DECODER_ESCAPE_MS), (unsigned char)bytes[i]);
}

static void put_control(struct stream *s, long long wait)
{
	char bytes[40] = "\033[";
	size_t n = 2;
	if (any(4) == 0)
		bytes[n++] = "<=>?"[any(4)];
	for (uint32_t count = any(12); count > 0; count--)
		bytes[n++] = (char)('0' + any(12));
	for (uint32_t count = any(3); count > 0 && any(3) == 0; count--)
		bytes[n++] = (char)(' ' + any(16));
	static const char other[] =
		"ABCDEFGHIJKLNOPQRSTUVWXYZ\\]^_`abcdefghijklmnopqrstvwxyz{|}"; // [, M, ~, u have meanings of their own
	bytes[n++] = other[any(sizeof other - 1)];
	// A number and `$` is rxvt's: the sequence ends there.
	for (size_t i = 2; i < n - 1; i++)
		if (bytes[i] == '$')
			bytes[i] = '%';
	put_all(s, wait, bytes, n);
}

static void put_string(struct stream *s, long long wait)
{
	char bytes[80] = "\033";
	size_t n = 1;
	bytes[n++] = "P]_^X"[any(5)];
	for (uint32_t count = any(60); count > 0; count--)
		bytes[n++] = (char)(' ' + any(95));
	if (any(2)) {
		bytes[n++] = 7;
	} else {
		bytes[n++] = 27;
		bytes[n++] = '\\';
	}
	put_all(s, wait, bytes, n);
}

static void put_other(struct stream *s, long long wait)
{
	static const char *const other[] = {"\033[[A", "\033[[Q", "\033[7$", "\033[3^", "\033OP", "\033Oa", "\033Nq", "\033[M qq",
		"\033[Mq!!", "\033[<0;1;1M", "\033[I", "\033[O", "\033(q", "\033p", "\033q", "\033u", "\033\033[A", "\033[25~",
		"\033[1;5A", "\033[112;3u", "\033[57399u", "\033[201~", "\xff", "\xc3\xa9"};
	const char *bytes = other[any(sizeof other / sizeof *other)];
	put_all(s, wait, bytes, strlen(bytes));
	if (bytes[0] == '\xc3')
		s->typed[s->keys++] = 0xe9;
}

static void put_paste(struct stream *s, long long wait)
{
	put_all(s, wait, "\033[200~", 6);
	for (uint32_t count = any(80); count > 0; count--)
		put(s, any(8) ? 0 : any(100), any(4) ? (unsigned char)"pqxu\r\n\t\033[:~ "[any(12)] : (unsigned char)any(256));
	put_all(s, 0, "\033[201~", 6);
	s->pastes++;
}

// Returns what must pass before the next one may begin.
static long long put_cut(struct stream *s, long long wait)
{
	static const char *const cut[] = {
		"\033[", "\033[1;5", "\033O", "\033]0;p", "\033P1q", "\033[M ", "\033[[", "\033[?25", "\xe2\x82", "\033N"};
	const char *bytes = cut[any(sizeof cut / sizeof *cut)];
	put_all(s, wait, bytes, strlen(bytes));
	return DECODER_CUT_MS + 1;
}

static void make_stream(struct stream *s)
{
	s->length = s->keys = s->pastes = 0;
	long long wait = 0;
	for (uint32_t count = 1 + any(40); count > 0; count--) {
		long long next = any(3) ? 0 : any(300);
		switch (any(8)) {
		case 0: put_control(s, wait); break;
		case 1: put_string(s, wait); break;
		case 2: put_other(s, wait); break;
		case 3: put_paste(s, wait); break;
		case 4: next = put_cut(s, wait); break;
		case 5:
			put(s, wait, 033); // the key; nobody types [ or O at once behind it
			s->typed[s->keys++] = KEYS_ESCAPE;
			next = DECODER_LATE_MS + DECODER_ESCAPE_MS;
			break;
		default: {
			int c = 1 + (int)any(126);
			if (c == 27)
				c = 'p';
			put(s, wait, (unsigned char)c);
			s->typed[s->keys++] = c == '\n' ? KEYS_ENTER : c;
		}
		}
		wait = next;
	}
}

// The last bytes before a fault.
static void show_stream(const struct stream *s, size_t to)
{
	for (size_t i = to > 60 ? to - 60 : 0; i < to; i++)
		print_error(s->wait[i] ? " +%lldms %02x" : " %.0lld%02x", s->wait[i], s->bytes[i]);
	print_error("\n");
}

// One decoder hears it as it was sent, split wherever time passed, and sometimes where none did.
static void check_stream(const struct stream *s)
{
	struct decoder *d = make();
	size_t key = 0, pastes = 0, i = 0;
	long long now = 0;
	for (;;) {
		struct event e;
		while (decoder_next(d, now, &e)) {
			if (e.kind == EVENT_PASTE) {
				assert_false(e.cut);
				pastes++;
			}
			if (e.kind != EVENT_KEY || e.key >= KEYS_OTHER)
				continue;
			if (key == s->keys || e.key != s->typed[key]) {
				show_stream(s, i);
				fail_msg("before byte %zu of %zu: character %x came out, typed was %x", i, s->length,
					(unsigned)e.key, key < s->keys ? (unsigned)s->typed[key] : 0);
			}
			key++;
		}
		if (i == s->length)
			break;
		long long due = now + s->wait[i];
		int wait = decoder_wait(d, now);
		if (wait >= 0 && now + wait < due) { // it is asked when it wants to be
			now += wait;
			continue;
		}
		now = due;
		size_t from = i++;
		while (i < s->length && s->wait[i] == 0 && any(16) && i - from < DECODER_ROOM)
			i++;
		decoder_feed(d, s->bytes + from, i - from, now);
	}
	struct event e;
	for (now += DECODER_PASTE_MS; decoder_next(d, now, &e);)
		if (e.kind == EVENT_KEY && e.key < KEYS_OTHER) {
			assert_true(key < s->keys);
			assert_int_equal(e.key, s->typed[key]);
			key++;
		}
	assert_int_equal(key, s->keys);
	assert_int_equal(pastes, s->pastes);
	decoder_free(d);
}

static void test_property(void **state)
{
	(void)state;
	static struct stream s;
	int rounds = getenv("LONG") && *getenv("LONG") ? 2000000 : 20000;
	for (int i = 0; i < rounds; i++) {
		seed = (uint64_t)i;
		make_stream(&s);
		check_stream(&s);
	}
}

// Any bytes at all: it comes to rest.
static void test_garbage(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		seed = (uint64_t)round << 32;
		struct decoder *d = make();
		decoder_name(d, "\033OA", KEYS_UP);
		decoder_name(d, "\033[[A", KEYS_F + 1);
		struct event e;
		long long now = 0;
		for (int i = 0; i < 50; i++, now += any(40)) {
			unsigned char bytes[100];
			size_t length = any(sizeof bytes);
			for (size_t k = 0; k < length; k++)
				bytes[k] = any(3) ? (unsigned char)"\033[OPM<0;1~$\x9b\x9c\xc3"[any(14)]
						  : (unsigned char)any(256);
			decoder_feed(d, bytes, length, now);
			while (decoder_next(d, now, &e))
				assert_true(e.kind == EVENT_PASTE || strlen(e.bytes) <= DECODER_SEQUENCE);
		}
		while (decoder_next(d, now + DECODER_PASTE_MS, &e))
			;
		assert_int_equal(decoder_wait(d, now + DECODER_PASTE_MS), -1);
		decoder_free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_paste),
		cmocka_unit_test(test_paste_broken_off),
		cmocka_unit_test(test_paste_too_long),
		cmocka_unit_test(test_property),
		cmocka_unit_test(test_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
