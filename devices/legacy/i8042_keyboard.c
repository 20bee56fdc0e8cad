/* An AT keyboard. References: IBM PC/AT Technical Reference (1984), "Keyboard"; IBM PS/2 Keyboard and Auxiliary
 * Device Controller, commands; USB HID usage tables 1.12, chapter 10, with its translation to scan codes. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/legacy/i8042_internal.h"

enum {
	SET_LEDS = 0xed,
	ECHO = 0xee,
	SCAN_SET = 0xf0,
	IDENTIFY = 0xf2,
	SET_RATE = 0xf3,
	ENABLE = 0xf4,
	DISABLE = 0xf5,
	DEFAULTS = 0xf6,
	/* Of scan code set 3: what all keys do, or those whose codes follow. */
	ALL_REPEAT = 0xf7,
	ALL_BREAK = 0xf8,
	ALL_MAKE = 0xf9,
	ALL_BOTH = 0xfa,
	KEYS_REPEAT = 0xfb,
	KEYS_BREAK = 0xfc,
	KEYS_MAKE = 0xfd,
	RESEND = 0xfe,
	RESET = 0xff
};
enum { ACK = 0xfa, PASSED = 0xaa, AGAIN = 0xfe, BREAK = 0xf0, EXTENDED = 0xe0 };
enum { DEFAULT_RATE = 0x2b, DEFAULT_SET = 2 };
#define E0 0x100u /* the code follows an 0xe0 */

/* By usage of the keyboard page, from 4; 0: no such key. */
enum { FIRST_USAGE = 0x04 };
static const uint16_t codes[] = {
	/* a to z */
	0x1c, 0x32, 0x21, 0x23, 0x24, 0x2b, 0x34, 0x33, 0x43, 0x3b, 0x42, 0x4b, 0x3a, 0x31, 0x44,
	0x4d, 0x15, 0x2d, 0x1b, 0x2c, 0x3c, 0x2a, 0x1d, 0x22, 0x35, 0x1a,
	/* 1 to 9, 0 */
	0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45,
	/* Enter, Escape, Backspace, Tab, Space, - = [ ] \ (twice) ; ' ` , . / Caps Lock */
	0x5a, 0x76, 0x66, 0x0d, 0x29, 0x4e, 0x55, 0x54, 0x5b, 0x5d, 0x5d, 0x4c, 0x52, 0x0e, 0x41,
	0x49, 0x4a, 0x58,
	/* F1 to F12 */
	0x05, 0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x78, 0x07,
	/* Print Screen (apart), Scroll Lock, Pause (apart), Insert, Home, Page Up, Delete, End, Page Down */
	0, 0x7e, 0, E0 | 0x70, E0 | 0x6c, E0 | 0x7d, E0 | 0x71, E0 | 0x69, E0 | 0x7a,
	/* right, left, down, up */
	E0 | 0x74, E0 | 0x6b, E0 | 0x72, E0 | 0x75,
	/* keypad: Num Lock / * - + Enter 1 to 9 0 . */
	0x77, E0 | 0x4a, 0x7c, 0x7b, 0x79, E0 | 0x5a, 0x69, 0x72, 0x7a, 0x6b, 0x73, 0x74, 0x6c,
	0x75, 0x7d, 0x70, 0x71,
	/* the key beside the left Shift of 102 keys, Application */
	0x61, E0 | 0x2f
};
/* From 0xe0: left Ctrl, Shift, Alt, GUI, then the right ones. */
enum { FIRST_MODIFIER = 0xe0 };
static const uint16_t modifiers[] = { 0x14,      0x12, 0x11,      E0 | 0x1f,
				      E0 | 0x14, 0x59, E0 | 0x11, E0 | 0x27 };

/* Scan code set 3, by usage as above: one code a key. */
static const uint8_t codes_3[] = {
	0x1c, 0x32, 0x21, 0x23, 0x24, 0x2b, 0x34, 0x33, 0x43, 0x3b, 0x42, 0x4b, 0x3a, 0x31, 0x44,
	0x4d, 0x15, 0x2d, 0x1b, 0x2c, 0x3c, 0x2a, 0x1d, 0x22, 0x35, 0x1a, 0x16, 0x1e, 0x26, 0x25,
	0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x5a, 0x08, 0x66, 0x0d, 0x29, 0x4e, 0x55, 0x54, 0x5b,
	0x5c, 0x53, 0x4c, 0x52, 0x0e, 0x41, 0x49, 0x4a, 0x14,
	/* F1 to F12 */
	0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x56, 0x5e,
	/* Print Screen to Page Down, the arrows */
	0x57, 0x5f, 0x62, 0x67, 0x6e, 0x6f, 0x64, 0x65, 0x6d, 0x6a, 0x61, 0x60, 0x63,
	/* the keypad, then the last two */
	0x76, 0x77, 0x7e, 0x84, 0x7c, 0x79, 0x69, 0x72, 0x7a, 0x6b, 0x73, 0x74, 0x6c, 0x75, 0x7d,
	0x70, 0x71, 0x13, 0x8d
};
static const uint8_t modifiers_3[] = { 0x11, 0x12, 0x19, 0x8b, 0x58, 0x59, 0x39, 0x8c };
/* What a key of set 3 does beside its make code. */
enum { KEY_BREAKS = 1, KEY_REPEATS = 2, KEY_TYPE = 3, KEY_IS_SET = 0x80 };
/* Those that do other things than repeat, before they are told to (table "Scan code set 3"). */
static const uint8_t breaking_3[] = { 0x11, 0x12, 0x14, 0x19, 0x59 };
static const uint8_t silent_3[] = { 0x39, 0x58, 0x67, 0x6e, 0x6f, 0x65, 0x6d, 0x76, 0x6c,
				    0x6b, 0x69, 0x77, 0x75, 0x73, 0x72, 0x70, 0x7e, 0x7d,
				    0x74, 0x7a, 0x71, 0x84, 0x79, 0x08, 0x07, 0x0f, 0x17,
				    0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x56, 0x5e,
				    0x57, 0x5f, 0x62, 0x8b, 0x8c, 0x8d };

/* Keys whose codes depend on what is held: Ctrl, Shift and Alt of both sides, as bits from 0xe0 on. */
enum { PRINT_SCREEN = 0x46, PAUSE = 0x48, MOST_CODES = 8 };
enum { HELD_CTRL = 0x11, HELD_SHIFT = 0x22, HELD_ALT = 0x44 };
static const struct special {
	uint16_t usage;
	uint8_t held; /* one of them is enough; 0: always */
	bool pressed;
	uint8_t count, codes[MOST_CODES];
} specials[] = {
	{ PRINT_SCREEN, HELD_ALT, true, 1, { 0x84 } },
	{ PRINT_SCREEN, HELD_ALT, false, 2, { BREAK, 0x84 } },
	{ PRINT_SCREEN, HELD_CTRL | HELD_SHIFT, true, 2, { 0xe0, 0x7c } },
	{ PRINT_SCREEN, HELD_CTRL | HELD_SHIFT, false, 3, { 0xe0, BREAK, 0x7c } },
	{ PRINT_SCREEN, 0, true, 4, { 0xe0, 0x12, 0xe0, 0x7c } },
	{ PRINT_SCREEN, 0, false, 6, { 0xe0, BREAK, 0x7c, 0xe0, BREAK, 0x12 } },
	{ PAUSE, HELD_CTRL, true, 5, { 0xe0, 0x7e, 0xe0, BREAK, 0x7e } },
	{ PAUSE, 0, true, 8, { 0xe1, 0x14, 0x77, 0xe1, BREAK, 0x14, BREAK, 0x77 } },
};

bool ps2_queue_put(struct ps2_queue *queue, uint8_t byte)
{
	if (queue->count == PS2_QUEUE)
		return false;
	queue->bytes[(queue->head + queue->count++) % PS2_QUEUE] = byte;
	return true;
}

uint8_t ps2_queue_take(struct ps2_queue *queue)
{
	uint8_t byte = queue->bytes[queue->head];

	queue->head = (queue->head + 1u) % PS2_QUEUE;
	queue->count--;
	return byte;
}

static void set_defaults(struct ps2_keyboard *keyboard)
{
	keyboard->set = DEFAULT_SET;
	keyboard->rate = DEFAULT_RATE;
	keyboard->leds = 0;
	keyboard->repeating = 0;
	memset(keyboard->types, 0, sizeof(keyboard->types));
}

void ps2_keyboard_reset(struct ps2_keyboard *keyboard)
{
	keyboard->queue = (struct ps2_queue){ 0 };
	keyboard->command = 0;
	keyboard->enabled = true;
	set_defaults(keyboard);
}

static void answer(struct ps2_keyboard *keyboard, uint8_t byte)
{
	ps2_queue_put(&keyboard->queue, byte);
}

/* What 0xf7 to 0xfa make of all keys; 0xfb to 0xfd are the same of some. */
static uint8_t type_of_command(uint8_t command)
{
	static const uint8_t types[] = { KEY_REPEATS, KEY_BREAKS, 0, KEY_BREAKS | KEY_REPEATS };

	return types[(command - ALL_REPEAT) & 3] | KEY_IS_SET;
}

/* Codes of keys follow until there is another command. */
static void set_type(struct ps2_keyboard *keyboard, uint8_t code)
{
	if (code < PS2_SET_3_CODES)
		keyboard->types[code] =
			type_of_command(keyboard->command - KEYS_REPEAT + ALL_REPEAT);
	answer(keyboard, code < PS2_SET_3_CODES ? ACK : AGAIN);
}

static void argument(struct ps2_keyboard *keyboard, uint8_t byte)
{
	uint8_t command = keyboard->command;

	if (command >= KEYS_REPEAT && command <= KEYS_MAKE) {
		set_type(keyboard, byte);
		return;
	}
	keyboard->command = 0;
	if (command == SCAN_SET && byte > 3) {
		answer(keyboard, AGAIN);
		return;
	}
	answer(keyboard, ACK);
	if (command == SET_LEDS)
		keyboard->leds = byte & 7;
	if (command == SET_RATE)
		keyboard->rate = byte & 0x7f;
	if (command == SCAN_SET && byte)
		keyboard->set = byte;
	if (command == SCAN_SET && !byte)
		answer(keyboard, keyboard->set);
}

static void reset_by_command(struct ps2_keyboard *keyboard)
{
	ps2_keyboard_reset(keyboard);
	answer(keyboard, ACK);
	answer(keyboard, PASSED);
}

static void identify(struct ps2_keyboard *keyboard)
{
	answer(keyboard, ACK);
	answer(keyboard, 0xab);
	answer(keyboard, 0x83);
}

/* A key that comes before a command's answer would be taken for it. */
static void defaults(struct ps2_keyboard *keyboard, bool enabled)
{
	keyboard->queue = (struct ps2_queue){ 0 };
	keyboard->enabled = enabled;
	set_defaults(keyboard);
	answer(keyboard, ACK);
}

/* They clear the buffer, as a key of the other type may be in it. */
static void set_all_types(struct ps2_keyboard *keyboard, uint8_t command)
{
	keyboard->queue = (struct ps2_queue){ 0 };
	keyboard->repeating = 0;
	memset(keyboard->types, type_of_command(command), sizeof(keyboard->types));
	answer(keyboard, ACK);
}

static void command(struct ps2_keyboard *keyboard, uint8_t byte)
{
	switch (byte) {
	case KEYS_REPEAT:
	case KEYS_BREAK:
	case KEYS_MAKE:
		keyboard->repeating = 0;
		keyboard->command = byte;
		answer(keyboard, ACK);
		break;
	case ALL_REPEAT:
	case ALL_BREAK:
	case ALL_MAKE:
	case ALL_BOTH: set_all_types(keyboard, byte); break;
	case SET_LEDS:
	case SCAN_SET:
	case SET_RATE:
		keyboard->command = byte;
		answer(keyboard, ACK);
		break;
	case ECHO: answer(keyboard, ECHO); break;
	case IDENTIFY: identify(keyboard); break;
	case ENABLE:
		keyboard->queue = (struct ps2_queue){ 0 };
		keyboard->enabled = true;
		answer(keyboard, ACK);
		break;
	case DISABLE: defaults(keyboard, false); break;
	case DEFAULTS: defaults(keyboard, keyboard->enabled); break;
	case RESEND: answer(keyboard, keyboard->last); break;
	case RESET: reset_by_command(keyboard); break;
	default: answer(keyboard, AGAIN);
	}
}

/* A command ends one that still waits for its argument; arguments are below 0xed. */
void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte)
{
	if (keyboard->command && byte < SET_LEDS) {
		argument(keyboard, byte);
		return;
	}
	keyboard->command = 0;
	command(keyboard, byte);
}

/* A key's place in a table by usage, which is `keys` or `modifiers`; false where it is in none. */
static bool find_key(uint16_t usage, size_t *at, bool *is_modifier)
{
	*is_modifier = usage >= FIRST_MODIFIER;
	*at = usage - (unsigned)(*is_modifier ? FIRST_MODIFIER : FIRST_USAGE);
	return usage >= FIRST_USAGE && *at < (*is_modifier ? sizeof(modifiers_3) : sizeof(codes_3));
}

static uint16_t code_of(uint16_t usage)
{
	bool is_modifier;
	size_t at;

	if (!find_key(usage, &at, &is_modifier))
		return 0;
	return is_modifier ? modifiers[at] : codes[at];
}

static uint8_t code_3_of(uint16_t usage)
{
	bool is_modifier;
	size_t at;

	if (!find_key(usage, &at, &is_modifier))
		return 0;
	return is_modifier ? modifiers_3[at] : codes_3[at];
}

static unsigned type_of(const struct ps2_keyboard *keyboard, uint8_t code)
{
	uint8_t type = code < PS2_SET_3_CODES ? keyboard->types[code] : 0;

	if (type & KEY_IS_SET)
		return type & KEY_TYPE;
	if (memchr(breaking_3, code, sizeof(breaking_3)))
		return KEY_BREAKS;
	return memchr(silent_3, code, sizeof(silent_3)) ? 0 : KEY_REPEATS;
}

static bool room_for(const struct ps2_keyboard *keyboard, size_t count)
{
	return keyboard->queue.count + count <= PS2_KEYS;
}

/* Set 1 is what the controller would make of set 2. */
static void send(struct ps2_keyboard *keyboard, const uint8_t *bytes, size_t count)
{
	uint8_t released = 0;

	for (size_t i = 0; i < count; i++) {
		if (keyboard->set != 1) {
			answer(keyboard, bytes[i]);
		} else if (bytes[i] == BREAK) {
			released = 0x80;
		} else {
			answer(keyboard, ps2_translate(bytes[i]) | released);
			released = 0;
		}
	}
}

static void follow_modifiers(struct ps2_keyboard *keyboard, uint16_t usage, bool pressed)
{
	unsigned number = usage - FIRST_MODIFIER;

	if (usage < FIRST_MODIFIER || number >= 8)
		return;
	keyboard->held &= (uint8_t) ~(1u << number);
	keyboard->held |= (uint8_t)(pressed << number);
}

static size_t plain_codes(uint16_t code, bool pressed, uint8_t *bytes)
{
	size_t count = 0;

	if (!code)
		return 0;
	if (code & E0)
		bytes[count++] = EXTENDED;
	if (!pressed)
		bytes[count++] = BREAK;
	bytes[count++] = (uint8_t)code;
	return count;
}

static size_t special_codes(const struct special *special, uint8_t *bytes)
{
	memcpy(bytes, special->codes, special->count);
	return special->count;
}

/* IBM PS/2 Keyboard, "Scan code set 2": how many codes the key makes now. */
static size_t codes_of_set_2(const struct ps2_keyboard *keyboard, uint16_t usage, bool pressed,
			     uint8_t bytes[MOST_CODES])
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		const struct special *row = &specials[i];

		if (row->usage == usage && row->pressed == pressed &&
		    (!row->held || (keyboard->held & row->held)))
			return special_codes(row, bytes);
	}
	return plain_codes(code_of(usage), pressed, bytes);
}

static size_t codes_now(const struct ps2_keyboard *keyboard, uint16_t usage, bool pressed,
			uint8_t bytes[MOST_CODES])
{
	uint8_t code = code_3_of(usage);

	if (keyboard->set != 3)
		return codes_of_set_2(keyboard, usage, pressed, bytes);
	if (!pressed && !(type_of(keyboard, code) & KEY_BREAKS))
		return 0;
	return plain_codes(code, pressed, bytes);
}

/* Typematic: the key that was pressed last repeats until it is released, whatever others do. */
static void follow_repeat(struct ps2_keyboard *keyboard, uint16_t usage, bool pressed)
{
	bool repeats = keyboard->set == 3 ? type_of(keyboard, code_3_of(usage)) & KEY_REPEATS
					  : usage != PAUSE;

	if (pressed)
		keyboard->repeating = repeats && code_3_of(usage) ? usage : 0;
	else if (usage == keyboard->repeating)
		keyboard->repeating = 0;
}

bool ps2_keyboard_key(struct ps2_keyboard *keyboard, uint16_t usage, bool pressed)
{
	uint8_t bytes[MOST_CODES];
	size_t count = codes_now(keyboard, usage, pressed, bytes);

	if (pressed && usage == keyboard->repeating)
		return true;
	follow_modifiers(keyboard, usage, pressed);
	if (!keyboard->enabled)
		return true; /* it does not scan its keys: they are lost */
	if (count && !room_for(keyboard, count))
		return false;
	send(keyboard, bytes, count);
	follow_repeat(keyboard, usage, pressed);
	return true;
}

/* Print Screen repeats its own code without the Shift before it. What the guest has not read is not added
 * to: a slow one would get more of the key than it was held for. */
void ps2_keyboard_repeat(struct ps2_keyboard *keyboard)
{
	uint8_t bytes[MOST_CODES];
	size_t count = codes_now(keyboard, keyboard->repeating, true, bytes), first = 0;

	if (!keyboard->enabled || keyboard->queue.count)
		return;
	if (keyboard->repeating == PRINT_SCREEN && count == 4)
		first = 2;
	send(keyboard, bytes + first, count - first);
}

/* "Set typematic rate/delay": a quarter of a second and more; (8 + A) * 2^B * 4.17 ms. */
uint64_t ps2_keyboard_delay_ns(const struct ps2_keyboard *keyboard)
{
	return (1 + (keyboard->rate >> 5 & 3u)) * UINT64_C(250000000);
}

uint64_t ps2_keyboard_period_ns(const struct ps2_keyboard *keyboard)
{
	return ((8 + (keyboard->rate & 7u)) << (keyboard->rate >> 3 & 3)) * UINT64_C(4170000);
}

const struct mw_state ps2_queue_rows[PS2_QUEUE_ROWS] = {
	{ "bytes", MW_ARRAY(struct ps2_queue, bytes), .since = 2 },
	{ "head", MW_FIELD(struct ps2_queue, head), .since = 2 },
	{ "count", MW_FIELD(struct ps2_queue, count), .since = 2 },
};
const struct mw_state ps2_keyboard_rows[PS2_KEYBOARD_ROWS] = {
	{ "queue", MW_STRUCT(struct ps2_keyboard, queue, ps2_queue_rows), .since = 2 },
	{ "command", MW_FIELD(struct ps2_keyboard, command), .since = 2 },
	{ "set", MW_FIELD(struct ps2_keyboard, set), .reset = DEFAULT_SET, .since = 2 },
	{ "leds", MW_FIELD(struct ps2_keyboard, leds), .since = 2 },
	{ "rate", MW_FIELD(struct ps2_keyboard, rate), .reset = DEFAULT_RATE, .since = 2 },
	{ "last", MW_FIELD(struct ps2_keyboard, last), .since = 2 },
	{ "held", MW_FIELD(struct ps2_keyboard, held), .since = 2 },
	{ "enabled", MW_FIELD(struct ps2_keyboard, enabled), .reset = 1, .since = 2 },
	{ "repeating", MW_FIELD(struct ps2_keyboard, repeating), .since = 3 },
	{ "types", MW_ARRAY(struct ps2_keyboard, types), .since = 3 },
};
