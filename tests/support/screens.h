/** What stands at the far ends of a display backend under test: an adapter, and a keyboard with a mouse. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_SCREENS_H
#define TESTS_SUPPORT_SCREENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

enum { FAKE_SIDE = 256, FAKE_EVENTS = 1024 };

/** An adapter whose picture the test paints. */
struct fake_display {
	struct mw_display *display;
	uint32_t width, height;
	struct mw_rect changed; /* what it tells, once */
	unsigned draws, whole;
	uint32_t pixels[FAKE_SIDE * FAKE_SIDE]; /* rows of FAKE_SIDE; what is outside is FAKE_FAR */
};
enum { FAKE_FAR = 0x336699 };
extern const struct mw_device_type fake_display_type;

/** Writes down what it is sent. */
struct fake_input {
	size_t count;
	struct mw_input_event events[FAKE_EVENTS];
};
extern const struct mw_device_type fake_input_type;

#endif
