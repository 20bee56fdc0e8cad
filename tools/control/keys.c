/* Keys: QEMU's names (qapi/ui.json, QKeyCode) and the characters of a US keyboard, as usages of USB HID page 7
 * (HID Usage Tables 1.22, section 10). */
// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include "tools/control/control_internal.h"

static const struct key {
	const char *name;
	uint16_t usage;
} keys[] = {
	{ "1", 0x1e },
	{ "2", 0x1f },
	{ "3", 0x20 },
	{ "4", 0x21 },
	{ "5", 0x22 },
	{ "6", 0x23 },
	{ "7", 0x24 },
	{ "8", 0x25 },
	{ "9", 0x26 },
	{ "0", 0x27 },
	{ "ret", 0x28 },
	{ "esc", 0x29 },
	{ "backspace", 0x2a },
	{ "tab", 0x2b },
	{ "spc", 0x2c },
	{ "minus", 0x2d },
	{ "equal", 0x2e },
	{ "bracket_left", 0x2f },
	{ "bracket_right", 0x30 },
	{ "backslash", 0x31 },
	{ "semicolon", 0x33 },
	{ "apostrophe", 0x34 },
	{ "grave_accent", 0x35 },
	{ "comma", 0x36 },
	{ "dot", 0x37 },
	{ "slash", 0x38 },
	{ "caps_lock", 0x39 },
	{ "f1", 0x3a },
	{ "f2", 0x3b },
	{ "f3", 0x3c },
	{ "f4", 0x3d },
	{ "f5", 0x3e },
	{ "f6", 0x3f },
	{ "f7", 0x40 },
	{ "f8", 0x41 },
	{ "f9", 0x42 },
	{ "f10", 0x43 },
	{ "f11", 0x44 },
	{ "f12", 0x45 },
	{ "print", 0x46 },
	{ "sysrq", 0x46 },
	{ "scroll_lock", 0x47 },
	{ "pause", 0x48 },
	{ "insert", 0x49 },
	{ "home", 0x4a },
	{ "pgup", 0x4b },
	{ "delete", 0x4c },
	{ "end", 0x4d },
	{ "pgdn", 0x4e },
	{ "right", 0x4f },
	{ "left", 0x50 },
	{ "down", 0x51 },
	{ "up", 0x52 },
	{ "num_lock", 0x53 },
	{ "kp_divide", 0x54 },
	{ "kp_multiply", 0x55 },
	{ "asterisk", 0x55 },
	{ "kp_subtract", 0x56 },
	{ "kp_add", 0x57 },
	{ "kp_enter", 0x58 },
	{ "kp_1", 0x59 },
	{ "kp_2", 0x5a },
	{ "kp_3", 0x5b },
	{ "kp_4", 0x5c },
	{ "kp_5", 0x5d },
	{ "kp_6", 0x5e },
	{ "kp_7", 0x5f },
	{ "kp_8", 0x60 },
	{ "kp_9", 0x61 },
	{ "kp_0", 0x62 },
	{ "kp_decimal", 0x63 },
	{ "less", 0x64 },
	{ "compose", 0x65 },
	{ "menu", 0x65 },
	{ "power", 0x66 },
	{ "kp_equals", 0x67 },
	{ "help", 0x75 },
	{ "stop", 0x78 },
	{ "again", 0x79 },
	{ "undo", 0x7a },
	{ "cut", 0x7b },
	{ "copy", 0x7c },
	{ "paste", 0x7d },
	{ "find", 0x7e },
	{ "audiomute", 0x7f },
	{ "volumeup", 0x80 },
	{ "volumedown", 0x81 },
	{ "kp_comma", 0x85 },
	{ "ro", 0x87 },
	{ "katakanahiragana", 0x88 },
	{ "yen", 0x89 },
	{ "henkan", 0x8a },
	{ "muhenkan", 0x8b },
	{ "hiragana", 0x93 },
	{ "ctrl", 0xe0 },
	{ "shift", 0xe1 },
	{ "alt", 0xe2 },
	{ "meta_l", 0xe3 },
	{ "ctrl_r", 0xe4 },
	{ "shift_r", 0xe5 },
	{ "alt_r", 0xe6 },
	{ "meta_r", 0xe7 },
};

enum { KEY_A = 0x04 };

uint16_t control_key(const char *name)
{
	if (name[0] >= 'a' && name[0] <= 'z' && !name[1])
		return (uint16_t)(KEY_A + (name[0] - 'a'));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].usage;
	return 0;
}

/* Keys that are no letters: what they give alone and with Shift. */
static const struct {
	char plain, shifted;
	uint16_t usage;
} characters[] = {
	{ '1', '!', 0x1e }, { '2', '@', 0x1f },  { '3', '#', 0x20 }, { '4', '$', 0x21 },
	{ '5', '%', 0x22 }, { '6', '^', 0x23 },  { '7', '&', 0x24 }, { '8', '*', 0x25 },
	{ '9', '(', 0x26 }, { '0', ')', 0x27 },  { '\n', 0, 0x28 },  { '\r', 0, 0x28 },
	{ '\b', 0, 0x2a },  { '\t', 0, 0x2b },   { ' ', 0, 0x2c },   { '-', '_', 0x2d },
	{ '=', '+', 0x2e }, { '[', '{', 0x2f },  { ']', '}', 0x30 }, { '\\', '|', 0x31 },
	{ ';', ':', 0x33 }, { '\'', '"', 0x34 }, { '`', '~', 0x35 }, { ',', '<', 0x36 },
	{ '.', '>', 0x37 }, { '/', '?', 0x38 },  { 0x1b, 0, 0x29 },  { 0x7f, 0, 0x2a },
};

uint16_t control_key_for(char character, bool *shift)
{
	*shift = false;
	if (!character)
		return 0;
	if (character >= 'a' && character <= 'z')
		return (uint16_t)(KEY_A + (character - 'a'));
	if (character >= 'A' && character <= 'Z') {
		*shift = true;
		return (uint16_t)(KEY_A + (character - 'A'));
	}
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		*shift = characters[i].shifted == character;
		if (characters[i].plain == character || *shift)
			return characters[i].usage;
	}
	return 0;
}
