/** What stands at the other side of an 8237's channel: a device that asks, or the controller that grants. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_CHANNELS_H
#define TESTS_SUPPORT_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

enum { FAKE_CHANNELS = 8, FAKE_CASCADE = 4, FAKE_CHANNEL_BYTES = 1 << 17 };

/** A device at a channel of the 8237 under test. `room`: what it still takes or gives; it lowers DREQ when that
 * is nothing. Memory gets what is in `bytes`, from the start, and what comes from memory goes there. */
struct fake_channel {
	struct mw_dma *dma;
	size_t room, moved;
	unsigned terminals; /* how often terminal count has come */
	uint8_t bytes[FAKE_CHANNEL_BYTES];
};
extern const struct mw_device_type fake_channel_type;

/** The 8237 of the device under test. `cycle` is all that it grants: its count and address move with it. */
struct fake_controller {
	struct mw_dma_cycle cycle;
	bool request;
	size_t moved;
};
extern const struct mw_device_type fake_controller_type;

#endif
