/* Input from a descriptor, as fast as the stream takes it. */
// SPDX-License-Identifier: MIT
#include "devices/backend/reader.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void mw_reader_open(struct mw_reader *reader, void *self, struct mw_stream *stream, int fd,
		    void (*on_ready)(void *self, unsigned events))
{
	reader->stream = stream;
	reader->fd = fd;
	mw_watch_open(&reader->watch, self, fd, on_ready); /* failing leaves it NULL */
}

/* Another reader of a shared terminal may have been faster than us. */
static bool has_input(const struct mw_reader *reader)
{
	struct pollfd poll_fd = { .fd = reader->fd, .events = POLLIN };

	return poll(&poll_fd, 1, 0) > 0;
}

size_t mw_reader_read(struct mw_reader *reader, uint8_t *bytes, size_t capacity)
{
	size_t room = mw_stream_room(reader->stream);
	ssize_t count;

	if (!reader->watch)
		return 0;
	if (!room) { /* on_room resumes */
		mw_reader_pause(reader);
		return 0;
	}
	if (!has_input(reader))
		return 0;
	count = read(reader->fd, bytes, capacity < room ? capacity : room);
	if (count > 0)
		return (size_t)count;
	if (count == 0 || (errno != EINTR && errno != EAGAIN))
		mw_reader_close(reader);
	return 0;
}

void mw_reader_resume(struct mw_reader *reader)
{
	if (reader->watch)
		mw_watch_set(reader->watch, MW_READABLE);
}

void mw_reader_pause(struct mw_reader *reader)
{
	if (reader->watch)
		mw_watch_set(reader->watch, 0);
}

void mw_reader_close(struct mw_reader *reader)
{
	mw_watch_close(reader->watch);
	reader->watch = NULL;
}
