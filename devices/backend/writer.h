/** What the two byte-stream backends that write to a descriptor share: a bounded buffer before it.
 * Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_WRITER_H
#define DEVICES_BACKEND_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/loop.h"

enum { MW_WRITER_BYTES = 65536 };

/** Part of its backend's struct. Never blocks for long: it writes when the descriptor is ready, and
 * gives the stream credit for no more than it has room for, so nothing is lost while the reader of
 * the descriptor sleeps. Once writing fails for good (EPIPE), all is dropped. */
struct mw_writer {
	void *self; /* the backend's struct */
	struct mw_stream *stream;
	struct mw_watch *watch;
	int fd;      /* -1: nowhere */
	bool own_fd; /* close it in the end */
	bool broken;
	size_t chunk; /* bytes per write that do not block a ready descriptor */
	size_t head, count;
	uint8_t bytes[MW_WRITER_BYTES];
};

/** `fd` stays the caller's. `on_ready` calls mw_writer_flush. */
void mw_writer_open(struct mw_writer *writer, void *self, struct mw_stream *stream, int fd,
		    void (*on_ready)(void *self, unsigned events));
/** For on_bytes. */
void mw_writer_put(struct mw_writer *writer, const uint8_t *bytes, size_t count);
/** Tells the stream how much fits. */
void mw_writer_credit(struct mw_writer *writer);
/** Writes what goes without waiting. */
void mw_writer_flush(struct mw_writer *writer);
/** Writes all; gives up when the reader takes nothing for a second. */
void mw_writer_drain(struct mw_writer *writer);
/** Drains and frees; NULL-safe and safe on one that was never opened (zeroed). */
void mw_writer_close(struct mw_writer *writer);

#endif
