/** What stands at the far ends of the bench's wires. For rig.c only. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_FAKES_H
#define TESTS_SUPPORT_FAKES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

enum { FAKE_LINES = 256, FAKE_STREAM_BYTES = 1 << 20, FAKE_MESSAGES = 256, FAKE_ROUTES = 256 };

/** Both ends of lines: hears what the device drives and drives what it hears. */
struct fake_lines {
	struct mw_line *out[FAKE_LINES];
	bool level[FAKE_LINES];
	unsigned rises[FAKE_LINES];
};
extern const struct mw_device_type fake_lines_type;

struct fake_stream {
	struct mw_stream *port;
	bool held;
	size_t count;
	uint8_t bytes[FAKE_STREAM_BYTES];
};
extern const struct mw_device_type fake_stream_type;

/** An image to be read; its bytes are set after the build has made the node. */
struct fake_image {
	struct mw_blob content;
};
extern const struct mw_device_type fake_image_type;

/** One who reads an image. */
struct fake_reader {
	struct mw_image *image;
};
extern const struct mw_device_type fake_reader_type;

#endif
