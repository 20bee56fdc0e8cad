/** What the byte-stream backends with a peer that comes and goes share: the peer's life, a bounded buffer
 * before it, and input as fast as the stream takes it. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_CONNECTION_H
#define DEVICES_BACKEND_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/loop.h"

struct mw_tls;

enum { MW_CONNECTION_BYTES = 65536 };
enum { MW_CONNECTION_RETRY_MS = 1000, MW_CONNECTION_HANDSHAKE_MS = 10000 };

/** How a backend comes to its peer. */
struct mw_connection_way {
	/** Begins to connect: a descriptor that does not block, or -1 with errno; `*pending` while it
	 * is still on its way. NULL: a server. */
	int (*connect)(void *self, bool *pending);
	/** The peer is there; false, with errno, drops it. May be NULL. */
	bool (*greet)(void *self, int fd);
	bool is_socket;
	bool is_quiet;  /* a connection that cannot be made is nothing to speak of */
	bool is_eager;  /* connecting is cheap: output tries it at once */
	bool in_a_line; /* a server's further peers wait for the present one to leave */
};

/** The first member of its backend's struct. A byte that was taken from the stream is dropped only
 * while there is no peer, and with `wait` not even then. */
struct mw_connection {
	/* The backend's properties and wire. */
	struct mw_stream *port;
	bool wait;
	uint32_t retry_ms;     /* 0: MW_CONNECTION_RETRY_MS */
	uint32_t handshake_ms; /* likewise */
	/* Private. */
	const struct mw_connection_way *way;
	struct mw_tls *tls; /* NULL: plain */
	enum { MW_PEER_NONE, MW_PEER_CONNECTING, MW_PEER_HANDSHAKE, MW_PEER_OPEN } state;
	bool opened, running;
	bool held;          /* the stream was full; on_room goes on */
	bool deaf;          /* the peer takes nothing any more, but may still have sent something */
	bool wants_to_send; /* what the handshake waits for */
	bool is_out_of_reach; /* and that was said */
	bool rests;           /* the server cannot accept now: no descriptors */
	int listener, peer, timer;
	struct mw_watch *listener_watch, *peer_watch, *timer_watch;
	size_t head, count;
	uint8_t bytes[MW_CONNECTION_BYTES];
};

/** For init. Owns `listener` (-1: a client) from the call on; `tls`, if given, is initialised and stays
 * the caller's. */
bool mw_connection_open(struct mw_connection *connection, const struct mw_connection_way *way,
			struct mw_tls *tls, int listener, struct mw_diagnostics *diagnostics);

/* The ops and the stream's handlers; `self` is the backend's struct. */
void mw_connection_after_reset(void *self);
void mw_connection_start(void *self);
/** Writes what the peer takes within a second; the rest is kept for the next start. */
void mw_connection_stop(void *self);
/** The same, then closes all; safe on one that was never opened (zeroed). */
void mw_connection_fini(void *self);
void mw_connection_on_bytes(void *self, const uint8_t *bytes, size_t count);
void mw_connection_on_room(void *self);

/** Has the same words for everything that fails in init. Returns false. */
bool mw_connection_fail(const void *self, struct mw_diagnostics *diagnostics, const char *format,
			...) __attribute__((format(printf, 3, 4)));

/** Rows that all of them have; `type` is the backend's struct, with `connection` as its first member. */
#define MW_CONNECTION_WAIT(type)                                                               \
	{                                                                                      \
		"wait",                                                                        \
			"Keeps up to 64 KiB while nobody is connected, then holds the guest "  \
			"back; "                                                               \
			"else what the guest sends is dropped, as by a port without a cable.", \
			MW_FIELD(type, connection.wait)                                        \
	}
#define MW_CONNECTION_RETRY(type)                                                                \
	{                                                                                        \
		"retry_ms", "A client tries again after so long.",                               \
			MW_FIELD(type, connection.retry_ms), .fallback = MW_CONNECTION_RETRY_MS, \
							     .min = 10, .max = 3600000           \
	}
#define MW_CONNECTION_WIRE(type)                                                             \
	{                                                                                    \
		"port", "The device whose bytes go to the peer and come from it.",           \
			MW_FIELD(type, connection.port), .on_bytes = mw_connection_on_bytes, \
							 .on_room = mw_connection_on_room    \
	}

#endif
