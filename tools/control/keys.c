/* Keys: QEMU's names (qapi/ui.json, QKeyCode) and the characters of a keyboard, as usages of USB HID page 7
 * (HID Usage Tables 1.22, section 10). */
// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include "devices/backend/keymap.h"
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

enum { LEFT_SHIFT = 0xe1, RIGHT_ALT = 0xe6 };

/* What is on every keyboard and has no shape. */
static uint16_t control_character(uint32_t point)
{
	switch (point) {
	case '\n':
	case '\r': return 0x28;
	case '\b':
	case 0x7f: return 0x2a;
	case '\t': return 0x2b;
	case 0x1b: return 0x29;
	default: return 0;
	}
}

bool control_stroke_for(uint32_t point, uint32_t layout, struct control_stroke *stroke)
{
	struct mw_keymap_key key = { .usage = control_character(point) };

	*stroke = (struct control_stroke){ 0 };
	if (!key.usage && (point < ' ' || !mw_keymap_find(mw_keymap(layout), point, &key) ||
			   (!key.character && point != ' ')))
		return false;
	if (key.shift)
		stroke->usages[stroke->count++] = LEFT_SHIFT;
	if (key.altgr)
		stroke->usages[stroke->count++] = RIGHT_ALT;
	stroke->usages[stroke->count++] = key.usage;
	stroke->dead = key.dead;
	return true;
}

bool control_layout(const char *name, uint32_t *layout)
{
	for (*layout = 0; mw_keymap_names[*layout]; ++*layout) {
		if (strcmp(mw_keymap_names[*layout], name) == 0)
			return true;
	}
	return false;
}
