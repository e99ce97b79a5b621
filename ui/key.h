// SPDX-License-Identifier: GPL-3.0-or-later
// Keys as the workbench knows them: characters are their code points, the others lie above all of these.
#ifndef UI_KEY_H
#define UI_KEY_H

enum key {
	KEYS_OTHER = 0x110000, // a key without a meaning here
	KEYS_UP,
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_HOME,
	KEYS_END,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
};
enum { KEYS_TAB = '\t', KEYS_ENTER = '\r', KEYS_ESCAPE = 27 };
#define KEYS_CONTROL(letter) ((letter) & 0x1f)

#endif
