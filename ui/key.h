// SPDX-License-Identifier: GPL-3.0-or-later
// Keys of the workbench. A character, also a control character, is its code point; named keys have higher numbers. Modifiers that
// are held down set their bits as well.
#ifndef UI_KEY_H
#define UI_KEY_H

enum key {
	KEYS_OTHER = 0x110000, // a key without a name here
	KEYS_UP,
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_HOME,
	KEYS_END,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_INSERT,
	KEYS_DELETE,
	KEYS_BEGIN, // the middle of the keypad
	KEYS_BACKTAB,
	KEYS_F, // KEYS_F + n: the function key n
	KEYS_F_LAST = KEYS_F + 63,
};
enum { KEYS_TAB = '\t', KEYS_ENTER = '\r', KEYS_ESCAPE = 27, KEYS_BACKSPACE = 127 };
enum { KEYS_SHIFT = 1 << 21, KEYS_ALT = 1 << 22, KEYS_CTRL = 1 << 23, KEYS_MODIFIERS = KEYS_SHIFT | KEYS_ALT | KEYS_CTRL };
#define KEYS_CONTROL(letter) ((letter)&0x1f)

#endif
