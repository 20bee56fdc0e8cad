/** What the two byte-stream backends that read from a descriptor share. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_READER_H
#define DEVICES_BACKEND_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/loop.h"

/** Part of its backend's struct. Reads what the stream has room for and no more. At the end of the
 * input, or when it fails, it stops for good; the machine goes on. */
struct mw_reader {
	struct mw_stream *stream;
	struct mw_watch *watch; /* NULL: no input, or its end was seen */
	int fd;
};

/** `fd` stays the caller's; one that cannot be watched counts as ended. `on_ready` calls
 * mw_reader_read. */
void mw_reader_open(struct mw_reader *reader, void *self, struct mw_stream *stream, int fd,
		    void (*on_ready)(void *self, unsigned events));
/** Reads at most `capacity` bytes into `bytes`; 0 for nothing now. */
size_t mw_reader_read(struct mw_reader *reader, uint8_t *bytes, size_t capacity);
/** For on_room and start: goes on. */
void mw_reader_resume(struct mw_reader *reader);
void mw_reader_pause(struct mw_reader *reader);
void mw_reader_close(struct mw_reader *reader);

#endif
