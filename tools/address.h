/** Addresses of the sockets that programs outside use: standard streams or a UNIX socket. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_ADDRESS_H
#define TOOLS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/** The longest path that a UNIX socket's address has room for, its end included. */
enum { MW_SOCKET_PATH = 108 };

/** `stdio`, or `[unix:]PATH[,server[=on|off]]`; `wait=off` and its like, which QEMU has, change
 * nothing. */
struct mw_address {
	bool is_stdio, listens;
	char path[MW_SOCKET_PATH];
};

/** False: `why` says what is wrong with the text. `listens` is what it does without `,server`. */
bool mw_address_parse(struct mw_address *address, const char *text, bool listens, char *why,
		      size_t capacity);

/** Its descriptors; -1: none. */
struct mw_endpoint {
	int in, out, listener;
	/* Of the listener's name, so that no other is taken away; inodes are used again. */
	uint64_t device, inode;
	struct timespec made;
};

/** Connects, or makes a socket that only this user may use, in place of one that nobody serves any more.
 * False: `why` has the reason. */
bool mw_address_open(const struct mw_address *address, struct mw_endpoint *endpoint, char *why,
		     size_t capacity);
/** Takes the socket's name away while it is still its own; its descriptors are closed by who has them. */
void mw_address_remove(const struct mw_address *address, const struct mw_endpoint *endpoint);
/** A socket connected to the path, or -1 and errno. */
int mw_address_connect(const char *path);

#endif
