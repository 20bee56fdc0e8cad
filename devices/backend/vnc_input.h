/** Keys and movements of clients who see a screen, on their way to the machine. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_VNC_INPUT_H
#define DEVICES_BACKEND_VNC_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "devices/backend/keymap.h"

enum { MW_VNC_EVENTS = 256, MW_VNC_KEYS = 256 };

/** What waits for its turn: a keyboard takes one key after the other, as a guest reads them. Zeroed; `port` and
 * `map` are the owner's to set. */
struct mw_vnc_input {
	struct mw_input *port;
	const struct mw_keymap *map;
	bool held[MW_VNC_KEYS]; /* as the machine will see it, by usage */
	bool caps;
	size_t head, count;
	uint64_t next_ms; /* until then the next key waits */
	struct mw_input_event events[MW_VNC_EVENTS];
};

/** One client's hands. Zeroed. */
struct mw_vnc_hands {
	bool keys[MW_VNC_KEYS];
	bool placed; /* where the pointer was */
	int32_t x, y;
	unsigned buttons;
};

void mw_vnc_key(struct mw_vnc_input *input, struct mw_vnc_hands *hands, uint32_t keysym,
		bool pressed);
void mw_vnc_scan_code(struct mw_vnc_input *input, struct mw_vnc_hands *hands, uint32_t code,
		      bool pressed);
void mw_vnc_pointer(struct mw_vnc_input *input, struct mw_vnc_hands *hands, unsigned buttons,
		    int32_t x, int32_t y, bool relative);
/** The client has gone: whatever it held is let go. */
void mw_vnc_let_go(struct mw_vnc_input *input, struct mw_vnc_hands *hands);
/** Sends what may go now; returns when to come again, UINT64_MAX: not before there is more. */
uint64_t mw_vnc_send_input(struct mw_vnc_input *input, uint64_t now_ms);

#endif
