/* A bounded buffer before a descriptor. */
// SPDX-License-Identifier: MIT
#include "devices/backend/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TERMINAL_CHUNK = 256, CHUNKS_PER_TURN = 16, PATIENCE_MS = 1000, IDLE_LIMIT = 100 };

/* O_NONBLOCK belongs to the open file, which the shell and others share. A terminal can be opened
 * anew, with a flag of its own; a pipe that is ready takes PIPE_BUF bytes without blocking. */
static int open_again(int fd)
{
	char path[32];

	if (!isatty(fd))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void mw_writer_open(struct mw_writer *writer, void *self, struct mw_stream *stream, int fd,
		    void (*on_ready)(void *self, unsigned events))
{
	int own = fd < 0 ? -1 : open_again(fd);

	writer->self = self;
	writer->stream = stream;
	writer->own_fd = own >= 0;
	writer->fd = own >= 0 ? own : fd;
	writer->chunk = own < 0 && fd >= 0 && isatty(fd) ? TERMINAL_CHUNK : PIPE_BUF;
	writer->broken = writer->fd < 0 ||
			 mw_watch_open(&writer->watch, self, writer->fd, on_ready) != MW_STATUS_OK;
}

void mw_writer_credit(struct mw_writer *writer)
{
	mw_stream_credit(writer->stream, MW_WRITER_BYTES - writer->count);
}

static void listen(struct mw_writer *writer)
{
	if (writer->watch)
		mw_watch_set(writer->watch, writer->count ? MW_WRITABLE : 0);
}

void mw_writer_put(struct mw_writer *writer, const uint8_t *bytes, size_t count)
{
	if (count > MW_WRITER_BYTES - writer->count)
		count = MW_WRITER_BYTES - writer->count;
	for (size_t i = 0; i < count && !writer->broken; i++)
		writer->bytes[(writer->head + writer->count++) % MW_WRITER_BYTES] = bytes[i];
	mw_writer_credit(writer);
	listen(writer);
}

static bool ready(const struct mw_writer *writer, int patience_ms)
{
	struct pollfd poll_fd = { .fd = writer->fd, .events = POLLOUT };
	int count;

	do
		count = poll(&poll_fd, 1, patience_ms);
	while (count < 0 && errno == EINTR);
	return count > 0;
}

/* Returns false when nothing more goes now. */
static bool write_chunk(struct mw_writer *writer)
{
	size_t count = writer->count;
	ssize_t written;

	if (count > writer->chunk)
		count = writer->chunk;
	if (count > MW_WRITER_BYTES - writer->head)
		count = MW_WRITER_BYTES - writer->head;
	written = write(writer->fd, writer->bytes + writer->head, count);
	if (written >= 0) {
		writer->head = (writer->head + (size_t)written) % MW_WRITER_BYTES;
		writer->count -= (size_t)written;
		return written > 0;
	}
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN) {
		mw_guest_log(writer->self, "output is lost from here on: %s", strerror(errno));
		writer->broken = true;
		writer->count = 0;
	}
	return false;
}

void mw_writer_flush(struct mw_writer *writer)
{
	for (unsigned i = 0; i < CHUNKS_PER_TURN && writer->count; i++) {
		if (!ready(writer, 0) || !write_chunk(writer))
			break;
	}
	mw_writer_credit(writer);
	listen(writer);
}

void mw_writer_drain(struct mw_writer *writer)
{
	unsigned idle = 0;

	while (writer->count && idle < IDLE_LIMIT && ready(writer, PATIENCE_MS))
		idle = write_chunk(writer) ? 0 : idle + 1;
	mw_writer_credit(writer);
}

void mw_writer_close(struct mw_writer *writer)
{
	if (!writer || !writer->self)
		return;
	mw_writer_drain(writer);
	mw_watch_close(writer->watch);
	if (writer->own_fd)
		close(writer->fd);
	writer->self = NULL;
}
