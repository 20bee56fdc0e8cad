/* A socket is asked not to wait, and a pipe that is ready does not for so few bytes. */
// SPDX-License-Identifier: MIT
#include "core/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE_BYTES = 4096 };

bool mw_descriptor_takes(int fd)
{
	struct pollfd polled = { fd, POLLOUT, 0 };

	return poll(&polled, 1, 0) > 0;
}

ssize_t mw_descriptor_send(int fd, const char *bytes, size_t count)
{
	ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno == ENOTSOCK)
		sent = write(fd, bytes, count < PIECE_BYTES ? count : PIECE_BYTES);
	return sent;
}
