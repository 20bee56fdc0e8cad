/* Keysyms to keys, positions to movements, and both one after the other. */
// SPDX-License-Identifier: MIT
#include "devices/backend/vnc_input.h"

enum {
	CAPS_LOCK = 0x39,
	LEFT_CTRL = 0xe0,
	LEFT_SHIFT = 0xe1,
	LEFT_ALT = 0xe2,
	LEFT_GUI = 0xe3,
	RIGHT_CTRL = 0xe4,
	RIGHT_SHIFT = 0xe5,
	RIGHT_ALT = 0xe6,
	RIGHT_GUI = 0xe7
};
/* A PS/2 mouse tells 100 times a second what has changed. */
enum { PACE_MS = 12, PRESSES = MW_VNC_EVENTS * 3 / 4, BUTTONS = 3, WHEEL_UP = 3, WHEEL_DOWN = 4 };

static struct mw_input_event *last_event(struct mw_vnc_input *input)
{
	return &input->events[(input->head + input->count - 1) % MW_VNC_EVENTS];
}

/* A queue that fills up takes what ends something, and no more beginnings. */
static bool put(struct mw_vnc_input *input, const struct mw_input_event *event)
{
	bool ends =
		(event->kind == MW_INPUT_KEY || event->kind == MW_INPUT_BUTTON) && !event->pressed;

	if (input->count >= (ends ? MW_VNC_EVENTS : PRESSES))
		return false;
	input->count++;
	*last_event(input) = *event;
	return true;
}

static void put_key(struct mw_vnc_input *input, uint16_t usage, bool pressed)
{
	const struct mw_input_event event = { .kind = MW_INPUT_KEY,
					      .code = usage,
					      .pressed = pressed };

	if (!put(input, &event))
		return;
	if (usage == CAPS_LOCK && pressed && !input->held[usage])
		input->caps = !input->caps;
	input->held[usage] = pressed;
}

/* Lets go of what is held, or holds the left one. Returns what was changed, as bits: 1 the left, 2 the right. */
static unsigned set_modifier(struct mw_vnc_input *input, uint16_t left, uint16_t right, bool wanted)
{
	unsigned changed = 0;

	if (wanted && !input->held[left] && !input->held[right]) {
		put_key(input, left, true);
		return 1;
	}
	for (unsigned i = 0; i < 2 && !wanted; i++) {
		uint16_t usage = i ? right : left;

		if (!input->held[usage])
			continue;
		put_key(input, usage, false);
		changed |= 1u << i;
	}
	return changed;
}

static void restore_modifier(struct mw_vnc_input *input, uint16_t left, uint16_t right,
			     unsigned changed, bool wanted)
{
	if (changed & 1)
		put_key(input, left, !wanted);
	if (changed & 2)
		put_key(input, right, !wanted);
}

static bool is_command(const struct mw_vnc_input *input)
{
	const bool *held = input->held;

	return held[LEFT_CTRL] || held[RIGHT_CTRL] || held[LEFT_ALT] || held[LEFT_GUI] ||
	       held[RIGHT_GUI];
}

/* The client's own layout may want other modifiers for a character than the guest's. */
static void press_character(struct mw_vnc_input *input, const struct mw_keymap_key *key)
{
	bool shift = key->shift != (key->letter && input->caps);
	unsigned shifts = set_modifier(input, LEFT_SHIFT, RIGHT_SHIFT, shift);
	unsigned altgrs = set_modifier(input, RIGHT_ALT, RIGHT_ALT, key->altgr);

	put_key(input, key->usage, true);
	restore_modifier(input, RIGHT_ALT, RIGHT_ALT, altgrs & 1, key->altgr);
	restore_modifier(input, LEFT_SHIFT, RIGHT_SHIFT, shifts, shift);
}

static bool is_usage(uint16_t usage)
{
	return usage && usage < MW_VNC_KEYS;
}

/* A keyboard repeats what is held by itself. */
static bool is_news(const struct mw_vnc_input *input, struct mw_vnc_hands *hands, uint16_t usage,
		    bool pressed)
{
	if (!is_usage(usage))
		return false;
	hands->keys[usage] = pressed;
	return input->held[usage] != pressed;
}

void mw_vnc_key(struct mw_vnc_input *input, struct mw_vnc_hands *hands, uint32_t keysym,
		bool pressed)
{
	struct mw_keymap_key key;

	if (!mw_keymap_find(input->map, keysym, &key) || !is_news(input, hands, key.usage, pressed))
		return;
	if (pressed && key.character && !is_command(input))
		press_character(input, &key);
	else
		put_key(input, key.usage, pressed);
}

void mw_vnc_scan_code(struct mw_vnc_input *input, struct mw_vnc_hands *hands, uint32_t code,
		      bool pressed)
{
	uint16_t usage = mw_keymap_scan_code(code);

	if (is_news(input, hands, usage, pressed))
		put_key(input, usage, pressed);
}

/* Movements that follow each other are one. */
static void move(struct mw_vnc_input *input, int32_t x, int32_t y)
{
	struct mw_input_event *last = input->count ? last_event(input) : NULL;

	if (!x && !y)
		return;
	if (last && last->kind == MW_INPUT_MOVE) {
		const int32_t most = 1 << 20;

		last->x = last->x + x > most ? most : last->x + x < -most ? -most : last->x + x;
		last->y = last->y + y > most ? most : last->y + y < -most ? -most : last->y + y;
		return;
	}
	put(input, &(struct mw_input_event){ .kind = MW_INPUT_MOVE, .x = x, .y = y });
}

static void press_button(struct mw_vnc_input *input, unsigned button, bool pressed)
{
	static const uint16_t codes[BUTTONS] = { 0, 2, 1 }; /* RFB counts the middle one second */

	if (button < BUTTONS)
		put(input, &(struct mw_input_event){ .kind = MW_INPUT_BUTTON,
						     .code = codes[button],
						     .pressed = pressed });
	else if (pressed && (button == WHEEL_UP || button == WHEEL_DOWN))
		put(input, &(struct mw_input_event){ .kind = MW_INPUT_WHEEL,
						     .y = button == WHEEL_UP ? 1 : -1 });
}

void mw_vnc_pointer(struct mw_vnc_input *input, struct mw_vnc_hands *hands, unsigned buttons,
		    int32_t x, int32_t y, bool relative)
{
	unsigned changed = buttons ^ hands->buttons;

	if (relative) {
		move(input, x, y);
	} else {
		if (hands->placed)
			move(input, x - hands->x, y - hands->y);
		hands->placed = true;
		hands->x = x;
		hands->y = y;
	}
	for (unsigned i = 0; i <= WHEEL_DOWN; i++) {
		if (changed >> i & 1)
			press_button(input, i, buttons >> i & 1);
	}
	hands->buttons = buttons;
}

void mw_vnc_let_go(struct mw_vnc_input *input, struct mw_vnc_hands *hands)
{
	for (unsigned i = 0; i < MW_VNC_KEYS; i++) {
		if (hands->keys[i] && input->held[i])
			put_key(input, (uint16_t)i, false);
	}
	mw_vnc_pointer(input, hands, 0, hands->x, hands->y, false);
	*hands = (struct mw_vnc_hands){ 0 };
}

uint64_t mw_vnc_send_input(struct mw_vnc_input *input, uint64_t now_ms)
{
	while (input->count) {
		const struct mw_input_event *event = &input->events[input->head];

		if (now_ms < input->next_ms)
			return input->next_ms;
		if (event->kind == MW_INPUT_KEY || event->kind == MW_INPUT_BUTTON)
			input->next_ms = now_ms + PACE_MS;
		mw_input_send(input->port, event);
		input->head = (input->head + 1) % MW_VNC_EVENTS;
		input->count--;
	}
	return UINT64_MAX;
}
