/** Sockets that do not block, for the backends that use them. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_SOCKET_H
#define DEVICES_BACKEND_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/** False, with errno, where `path` is too long or empty. */
bool mw_socket_unix_address(struct sockaddr_un *address, const char *path);

/** Begins to connect; -1 with errno. `*pending`: it becomes writable when that has ended. */
int mw_socket_connect(const void *address, socklen_t size, bool *pending);
/** Listens; -1 with errno. */
int mw_socket_listen(const void *address, socklen_t size);

/** A socket file that this process has made. */
struct mw_socket_file {
	const char *path; /* NULL: none */
	dev_t device;
	ino_t inode;
};
/** Listens at a path, in the place of what a dead server has left there; a live one, or what is no
 * socket, stays. -1 with the reason in `*why`. */
int mw_socket_listen_unix(struct mw_socket_file *file, const char *path, const char **why);
/** Removes the file if it is still the one that was made. */
void mw_socket_remove(struct mw_socket_file *file);

#endif
