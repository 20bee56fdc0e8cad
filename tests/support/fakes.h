/** What stands at the far ends of the bench's wires. For rig.c only. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_FAKES_H
#define TESTS_SUPPORT_FAKES_H

#include <pthread.h>
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

/** An image with bytes of its own, which begin as `content`. Once there are threads, `mutex` guards what
 * follows it. */
struct fake_image {
	struct mw_blob content;
	bool read_only;
	const char *path; /* what it is called */
	bool made;        /* the mutex is */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool fails, held;
	uint8_t *bytes;
	size_t count;
	struct mw_blob next; /* of the change that is being made */
	unsigned reads, writes, flushes, discards;
};
extern const struct mw_device_type fake_image_type;

/** One who reads an image. */
struct fake_reader {
	struct mw_image *image;
};
extern const struct mw_device_type fake_reader_type;

#endif
