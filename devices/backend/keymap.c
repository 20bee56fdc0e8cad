/* Keyboard layouts, as they are printed on the keys: ISO/IEC 9995, DIN 2137, BS 4822, the French AZERTY; keysyms
 * of the X Window System Protocol, appendix A; usages of USB HID usage tables 1.22, section 10. */
// SPDX-License-Identifier: MIT
#include "devices/backend/keymap.h"

#include <stddef.h>

#include "core/device.h"

enum { UNICODE = 0x01000000, LARGEST_UNICODE = 0x0110ffff };
enum { SHIFT = 1, ALTGR = 2, LEVELS = 4 };
enum {
	DEAD_GRAVE = 0xfe50,
	DEAD_ACUTE = 0xfe51,
	DEAD_CIRCUMFLEX = 0xfe52,
	DEAD_DIAERESIS = 0xfe57,
	EURO = 0x20ac
};

/** A key: what it gives alone, with Shift, with AltGr and with both. Of a dead key there are two rows, one with
 * what it is called and one with the character that it has. */
struct row {
	uint16_t usage;
	uint16_t keysyms[LEVELS];
	bool dead;
};
struct mw_keymap {
	const struct row *rows;
	size_t count;
};

/* Letters are the same but where a layout says otherwise. */
enum { FIRST_LETTER = 0x04 };

static const struct row us[] = {
	{ 0x1e, { '1', '!' } }, { 0x1f, { '2', '@' } },  { 0x20, { '3', '#' } },
	{ 0x21, { '4', '$' } }, { 0x22, { '5', '%' } },  { 0x23, { '6', '^' } },
	{ 0x24, { '7', '&' } }, { 0x25, { '8', '*' } },  { 0x26, { '9', '(' } },
	{ 0x27, { '0', ')' } }, { 0x2d, { '-', '_' } },  { 0x2e, { '=', '+' } },
	{ 0x2f, { '[', '{' } }, { 0x30, { ']', '}' } },  { 0x31, { '\\', '|' } },
	{ 0x33, { ';', ':' } }, { 0x34, { '\'', '"' } }, { 0x35, { '`', '~' } },
	{ 0x36, { ',', '<' } }, { 0x37, { '.', '>' } },  { 0x38, { '/', '?' } },
};
static const struct row gb[] = {
	{ 0x1e, { '1', '!' } },       { 0x1f, { '2', '"' } },  { 0x20, { '3', 0xa3 } },
	{ 0x21, { '4', '$', EURO } }, { 0x22, { '5', '%' } },  { 0x23, { '6', '^' } },
	{ 0x24, { '7', '&' } },       { 0x25, { '8', '*' } },  { 0x26, { '9', '(' } },
	{ 0x27, { '0', ')' } },       { 0x2d, { '-', '_' } },  { 0x2e, { '=', '+' } },
	{ 0x2f, { '[', '{' } },       { 0x30, { ']', '}' } },  { 0x32, { '#', '~' } },
	{ 0x33, { ';', ':' } },       { 0x34, { '\'', '@' } }, { 0x35, { '`', 0xac, 0xa6 } },
	{ 0x36, { ',', '<' } },       { 0x37, { '.', '>' } },  { 0x38, { '/', '?' } },
	{ 0x64, { '\\', '|' } },
};
static const struct row de[] = {
	{ 0x08, { 'e', 'E', EURO } },
	{ 0x10, { 'm', 'M', 0xb5 } },
	{ 0x14, { 'q', 'Q', '@' } },
	{ 0x1c, { 'z', 'Z' } },
	{ 0x1d, { 'y', 'Y' } },
	{ 0x1e, { '1', '!' } },
	{ 0x1f, { '2', '"', 0xb2 } },
	{ 0x20, { '3', 0xa7, 0xb3 } },
	{ 0x21, { '4', '$' } },
	{ 0x22, { '5', '%' } },
	{ 0x23, { '6', '&' } },
	{ 0x24, { '7', '/', '{' } },
	{ 0x25, { '8', '(', '[' } },
	{ 0x26, { '9', ')', ']' } },
	{ 0x27, { '0', '=', '}' } },
	{ 0x2d, { 0xdf, '?', '\\' } },
	{ 0x2e, { DEAD_ACUTE, DEAD_GRAVE } },
	{ 0x2e, { 0xb4, '`' }, .dead = true },
	{ 0x2f, { 0xfc, 0xdc } },
	{ 0x30, { '+', '*', '~' } },
	{ 0x32, { '#', '\'' } },
	{ 0x33, { 0xf6, 0xd6 } },
	{ 0x34, { 0xe4, 0xc4 } },
	{ 0x35, { DEAD_CIRCUMFLEX, 0xb0 } },
	{ 0x35, { '^' }, .dead = true },
	{ 0x36, { ',', ';' } },
	{ 0x37, { '.', ':' } },
	{ 0x38, { '-', '_' } },
	{ 0x64, { '<', '>', '|' } },
};
static const struct row fr[] = {
	{ 0x04, { 'q', 'Q' } },
	{ 0x08, { 'e', 'E', EURO } },
	{ 0x10, { ',', '?' } },
	{ 0x14, { 'a', 'A' } },
	{ 0x1a, { 'z', 'Z' } },
	{ 0x1d, { 'w', 'W' } },
	{ 0x1e, { '&', '1' } },
	{ 0x1f, { 0xe9, '2', '~' } },
	{ 0x20, { '"', '3', '#' } },
	{ 0x21, { '\'', '4', '{' } },
	{ 0x22, { '(', '5', '[' } },
	{ 0x23, { '-', '6', '|' } },
	{ 0x24, { 0xe8, '7', '`' } },
	{ 0x25, { '_', '8', '\\' } },
	{ 0x26, { 0xe7, '9', '^' } },
	{ 0x27, { 0xe0, '0', '@' } },
	{ 0x2d, { ')', 0xb0, ']' } },
	{ 0x2e, { '=', '+', '}' } },
	{ 0x2f, { DEAD_CIRCUMFLEX, DEAD_DIAERESIS } },
	{ 0x2f, { 0, 0xa8 }, .dead = true },
	{ 0x30, { '$', 0xa3, 0xa4 } },
	{ 0x32, { '*', 0xb5 } },
	{ 0x33, { 'm', 'M' } },
	{ 0x34, { 0xf9, '%' } },
	{ 0x35, { 0xb2 } },
	{ 0x36, { ';', '.' } },
	{ 0x37, { ':', '/' } },
	{ 0x38, { '!', 0xa7 } },
	{ 0x64, { '<', '>' } },
};
#define LAYOUT(rows)                                     \
	{                                                \
		(rows), sizeof(rows) / sizeof((rows)[0]) \
	}
static const struct mw_keymap layouts[] = { LAYOUT(us), LAYOUT(gb), LAYOUT(de), LAYOUT(fr) };
const char *const mw_keymap_names[] = { "us", "gb", "de", "fr", NULL };

/* Keys that are the same on all of them. */
static const struct {
	uint16_t keysym, usage;
} others[] = {
	{ ' ', 0x2c },    { 0xff08, 0x2a }, { 0xff09, 0x2b }, { 0xff0a, 0x28 }, { 0xff0d, 0x28 },
	{ 0xff13, 0x48 }, { 0xff14, 0x47 }, { 0xff15, 0x46 }, { 0xff1b, 0x29 }, { 0xff50, 0x4a },
	{ 0xff51, 0x50 }, { 0xff52, 0x52 }, { 0xff53, 0x4f }, { 0xff54, 0x51 }, { 0xff55, 0x4b },
	{ 0xff56, 0x4e }, { 0xff57, 0x4d }, { 0xff61, 0x46 }, { 0xff63, 0x49 }, { 0xff67, 0x65 },
	{ 0xff6b, 0x48 }, { 0xff7e, 0xe6 }, { 0xff7f, 0x53 }, { 0xff8d, 0x58 }, { 0xff95, 0x5f },
	{ 0xff96, 0x5c }, { 0xff97, 0x60 }, { 0xff98, 0x5e }, { 0xff99, 0x5a }, { 0xff9a, 0x61 },
	{ 0xff9b, 0x5b }, { 0xff9c, 0x59 }, { 0xff9d, 0x5d }, { 0xff9e, 0x62 }, { 0xff9f, 0x63 },
	{ 0xffaa, 0x55 }, { 0xffab, 0x57 }, { 0xffac, 0x63 }, { 0xffad, 0x56 }, { 0xffae, 0x63 },
	{ 0xffaf, 0x54 }, { 0xffb0, 0x62 }, { 0xffff, 0x4c }, { 0xfe03, 0xe6 }, { 0xfe20, 0x2b },
	{ 0xffe1, 0xe1 }, { 0xffe2, 0xe5 }, { 0xffe3, 0xe0 }, { 0xffe4, 0xe4 }, { 0xffe5, 0x39 },
	{ 0xffe7, 0xe2 }, { 0xffe8, 0xe6 }, { 0xffe9, 0xe2 }, { 0xffea, 0xe6 }, { 0xffeb, 0xe3 },
	{ 0xffec, 0xe7 },
};
/* Those that are in a row: keypad 1 to 9, F1 to F12. */
enum { KEYPAD_1 = 0xffb1, KEYPAD_9 = 0xffb9, F1 = 0xffbe, F12 = 0xffc9 };

/* Scan code set 1 (IBM PC/AT Technical Reference), by number; those with 0xe0 apart. */
static const uint8_t set_1[] = {
	0,    0x29, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x2a,
	0x2b, 0x14, 0x1a, 0x08, 0x15, 0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30, 0x28, 0xe0,
	0x04, 0x16, 0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33, 0x34, 0x35, 0xe1, 0x31, 0x1d,
	0x1b, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xe5, 0x55, 0xe2, 0x2c, 0x39, 0x3a,
	0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, 0x5f, 0x60, 0x61, 0x56,
	0x5c, 0x5d, 0x5e, 0x57, 0x59, 0x5a, 0x5b, 0x62, 0x63, 0x46, 0,    0x64, 0x44, 0x45,
};
static const struct {
	uint8_t code, usage;
} extended[] = {
	{ 0x1c, 0x58 }, { 0x1d, 0xe4 }, { 0x35, 0x54 }, { 0x37, 0x46 }, { 0x38, 0xe6 },
	{ 0x46, 0x48 }, { 0x47, 0x4a }, { 0x48, 0x52 }, { 0x49, 0x4b }, { 0x4b, 0x50 },
	{ 0x4d, 0x4f }, { 0x4f, 0x4d }, { 0x50, 0x51 }, { 0x51, 0x4e }, { 0x52, 0x49 },
	{ 0x53, 0x4c }, { 0x5b, 0xe3 }, { 0x5c, 0xe7 }, { 0x5d, 0x65 },
};

const struct mw_keymap *mw_keymap(uint32_t index)
{
	size_t count = sizeof(layouts) / sizeof(layouts[0]);

	return &layouts[index < count ? index : 0];
}

/* Latin-1's letters but the signs for multiplication and division, as X has them. */
static bool is_letter(uint32_t keysym)
{
	return (keysym >= 'a' && keysym <= 'z') || (keysym >= 'A' && keysym <= 'Z') ||
	       (keysym >= 0xc0 && keysym <= 0xfe && keysym != 0xd7 && keysym != 0xf7 &&
		keysym != 0xdf);
}

static bool has_usage(const struct mw_keymap *map, uint16_t usage)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->rows[i].usage == usage)
			return true;
	}
	return false;
}

static bool find_in_rows(const struct mw_keymap *map, uint32_t keysym, struct mw_keymap_key *key)
{
	for (size_t i = 0; i < map->count * LEVELS; i++) {
		const struct row *row = &map->rows[i / LEVELS];
		unsigned level = i % LEVELS;

		if (row->keysyms[level] != keysym)
			continue;
		*key = (struct mw_keymap_key){
			.usage = row->usage,
			.character = true,
			.shift = level & SHIFT,
			.altgr = level & ALTGR,
			.letter = is_letter(row->keysyms[0]) && is_letter(row->keysyms[SHIFT]),
			.dead = row->dead,
		};
		return true;
	}
	return false;
}

static bool find_plain_letter(const struct mw_keymap *map, uint32_t keysym,
			      struct mw_keymap_key *key)
{
	bool shift = keysym >= 'A' && keysym <= 'Z';

	if (!shift && !(keysym >= 'a' && keysym <= 'z'))
		return false;
	*key = (struct mw_keymap_key){ .usage = (uint16_t)(FIRST_LETTER +
							   (keysym - (shift ? 'A' : 'a'))),
				       .character = true,
				       .shift = shift,
				       .letter = true };
	return !has_usage(map, key->usage);
}

static uint16_t find_other(uint32_t keysym)
{
	if (keysym >= F1 && keysym <= F12)
		return (uint16_t)(0x3a + (keysym - F1));
	if (keysym >= KEYPAD_1 && keysym <= KEYPAD_9)
		return (uint16_t)(0x59 + (keysym - KEYPAD_1));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].keysym == keysym)
			return others[i].usage;
	}
	return 0;
}

bool mw_keymap_find(const struct mw_keymap *map, uint32_t keysym, struct mw_keymap_key *key)
{
	if (keysym > UNICODE && keysym <= LARGEST_UNICODE)
		keysym -= UNICODE;
	if (!keysym)
		return false;
	if (find_in_rows(map, keysym, key) || find_plain_letter(map, keysym, key))
		return true;
	*key = (struct mw_keymap_key){ .usage = find_other(keysym) };
	return key->usage;
}

uint16_t mw_keymap_scan_code(uint32_t code)
{
	if (code < sizeof(set_1))
		return set_1[code];
	for (size_t i = 0; i < sizeof(extended) / sizeof(extended[0]); i++) {
		if ((extended[i].code | 0x80u) == code)
			return extended[i].usage;
	}
	return 0;
}
