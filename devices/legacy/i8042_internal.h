/** The keyboard and the mouse behind an 8042, as its controller sees them. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_LEGACY_I8042_INTERNAL_H
#define DEVICES_LEGACY_I8042_INTERNAL_H

#include "core/device.h"

/* A keyboard holds 16 bytes (IBM PC/AT Technical Reference, "Keyboard Buffer"); answers to commands may
 * come on top of them, as they do in hardware, where they stand apart. */
enum { PS2_QUEUE = 32, PS2_KEYS = 16 };
enum { PS2_SET_3_CODES = 0x90 };

/** Bytes on their way to the controller. */
struct ps2_queue {
	uint8_t bytes[PS2_QUEUE];
	uint8_t head, count;
};

struct ps2_keyboard {
	struct ps2_queue queue;
	uint8_t command; /* one that waits for its argument; 0: none */
	uint8_t set, leds, rate, last;
	uint8_t held; /* modifiers, from USB HID usage 0xe0 on */
	bool enabled;
	uint16_t repeating; /* the key that is held and was pressed last, by usage; 0: none */
	uint8_t types[PS2_SET_3_CODES]; /* of keys by their code of set 3; 0: its default */
};

struct ps2_mouse {
	struct ps2_queue queue;
	uint8_t command, last;
	uint8_t resolution, rate, scaling; /* scaling: 1 is 2:1 */
	uint8_t id;    /* 3 or 4 once the wheel or five buttons were asked for */
	uint8_t knock; /* how far that knock has come */
	uint8_t buttons;
	uint8_t told_buttons; /* of the last report */
	bool reporting, remote, wrap;
	/* What has gathered since the last report, two's complement. */
	uint32_t x, y, wheel;
};

enum { PS2_QUEUE_ROWS = 3, PS2_KEYBOARD_ROWS = 10, PS2_MOUSE_ROWS = 16 };
extern const struct mw_state ps2_queue_rows[PS2_QUEUE_ROWS];
extern const struct mw_state ps2_keyboard_rows[PS2_KEYBOARD_ROWS];
extern const struct mw_state ps2_mouse_rows[PS2_MOUSE_ROWS];

bool ps2_queue_put(struct ps2_queue *queue, uint8_t byte);
uint8_t ps2_queue_take(struct ps2_queue *queue);

void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t byte);
/** False when the queue is full. A key that is pressed again while it repeats is the host's own repetition. */
bool ps2_keyboard_key(struct ps2_keyboard *keyboard, uint16_t usage, bool pressed);
/** How long a key is held before it repeats, and how long from one time to the next. */
uint64_t ps2_keyboard_delay_ns(const struct ps2_keyboard *keyboard);
uint64_t ps2_keyboard_period_ns(const struct ps2_keyboard *keyboard);
/** One more make code of the key that is held, unless the guest has not read what came before. */
void ps2_keyboard_repeat(struct ps2_keyboard *keyboard);
/** After power-on and a reset of the machine: no self-test report. */
void ps2_keyboard_reset(struct ps2_keyboard *keyboard);

void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte);
bool ps2_mouse_event(struct ps2_mouse *mouse, const struct mw_input_event *event);
/** The controller has taken all bytes: what has gathered may follow. */
void ps2_mouse_continue(struct ps2_mouse *mouse);
void ps2_mouse_reset(struct ps2_mouse *mouse);

/** What the controller makes of a byte of scan code set 2, when it translates: that of set 1. */
uint8_t ps2_translate(uint8_t code);

#endif
