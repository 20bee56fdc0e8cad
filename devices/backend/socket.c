/* Sockets that do not block: unix(7), tcp(7). */
// SPDX-License-Identifier: MIT
#include "devices/backend/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAITING_PEERS = 4 };

bool mw_socket_unix_address(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	if (!length || length >= sizeof(address->sun_path)) {
		errno = length ? ENAMETOOLONG : EINVAL;
		return false;
	}
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, length);
	return true;
}

static int close_with(int fd, int error)
{
	close(fd);
	errno = error;
	return -1;
}

static int open_stream(const struct sockaddr *address)
{
	return socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int mw_socket_connect(const void *address, socklen_t size, bool *pending)
{
	int fd = open_stream(address);

	if (fd < 0)
		return -1;
	*pending = connect(fd, address, size) < 0;
	if (*pending && errno != EINPROGRESS && errno != EINTR)
		return close_with(fd, errno);
	return fd;
}

int mw_socket_listen(const void *address, socklen_t size)
{
	int fd = open_stream(address), on = 1;
	bool is_unix = ((const struct sockaddr *)address)->sa_family == AF_UNIX;

	if (fd < 0)
		return -1;
	/* Connections of an earlier life must not keep the port for minutes. */
	if (!is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	else if (fchmod(fd, 0600) < 0) /* the name gets this mode */
		return close_with(fd, errno);
	if (bind(fd, address, size) < 0 || listen(fd, WAITING_PEERS) < 0)
		return close_with(fd, errno);
	return fd;
}

/* Whether the path is free, or has become so. */
static bool make_room(const struct sockaddr_un *address, const char **why)
{
	struct stat status;
	bool pending;

	if (lstat(address->sun_path, &status) < 0)
		return true; /* bind says what else is wrong */
	if (!S_ISSOCK(status.st_mode)) {
		*why = "it is there and no socket";
		return false;
	}
	int fd = mw_socket_connect(address, sizeof(*address), &pending);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EAGAIN) {
		*why = "another process listens there";
		return false;
	}
	if (errno != ECONNREFUSED || unlink(address->sun_path) < 0) {
		*why = strerror(errno);
		return false;
	}
	return true;
}

int mw_socket_listen_unix(struct mw_socket_file *file, const char *path, const char **why)
{
	struct sockaddr_un address;
	struct stat status;

	if (!mw_socket_unix_address(&address, path)) {
		*why = strerror(errno);
		return -1;
	}
	if (!make_room(&address, why))
		return -1;
	int fd = mw_socket_listen(&address, sizeof(address));

	if (fd < 0 || lstat(path, &status) < 0) {
		*why = strerror(errno);
		return fd < 0 ? -1 : close_with(fd, errno);
	}
	*file = (struct mw_socket_file){ path, status.st_dev, status.st_ino };
	return fd;
}

void mw_socket_remove(struct mw_socket_file *file)
{
	struct stat status;

	if (file->path && lstat(file->path, &status) == 0 && status.st_dev == file->device &&
	    status.st_ino == file->inode)
		unlink(file->path);
	file->path = NULL;
}
