/** Addresses of TCP, as profiles have them. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_INET_H
#define DEVICES_BACKEND_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { MW_INET_ADDRESSES = 4, MW_INET_HOST_BYTES = 256 };

struct mw_inet_address {
	struct sockaddr_storage socket;
	socklen_t size;
};

/** A host and a port, and where that is. */
struct mw_inet {
	char host[MW_INET_HOST_BYTES], port[8];
	struct mw_inet_address addresses[MW_INET_ADDRESSES];
	size_t count;
};

/** Reads `HOST:PORT` or `[::1]:PORT`; `server`: port 0 has the kernel choose. */
bool mw_inet_split(struct mw_inet *inet, const char *text, bool server);
/** Finds the addresses, which may take long where the host is a name; false with the reason. */
bool mw_inet_resolve(struct mw_inet *inet, const char **why);
/** Whether nobody but this host can come to any of them. */
bool mw_inet_is_loopback(const struct mw_inet *inet);
/** Listens at the first that this host has; -1 with errno. */
int mw_inet_listen(const struct mw_inet *inet);
/** Logs where it listens: who asks for port 0 wants to know which it is. */
void mw_inet_tell(void *self, int listener);
/** A peer: bytes go at once, and one whose host is gone is given up after two minutes of silence. */
void mw_inet_greet(int fd);

#endif
