/** The other end of a byte-stream backend under test: a descriptor of the test's own, and TLS if wanted. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/backend/tls.h"
#include "tests/support/rig.h"

enum {
	PEER_TURNS = 20000
}; /* of some ms at most, until what must happen counts as not happening */

/** `fd` does not block; -1: none. */
struct peer {
	int fd;
	struct mw_tls *tls; /* NULL: plain */
};

/** A folder of the test's own, as a cmocka fixture; `path` lies in it. */
struct place {
	char folder[32], path[64];
};
int place_make(void **state);
/** Removes the folder and the files in it. */
int place_remove(void **state);
/** A path in the folder; good for the next fifteen calls. */
const char *place_path(const struct place *place, const char *name);

/** Plain sockets. */
int peer_connect_unix(const char *path);
int peer_listen_unix(const char *path);
int peer_connect_tcp(unsigned port);
int peer_listen_tcp(unsigned *port);
/** Serves the machine until somebody has connected. */
struct peer peer_accept(struct rig *rig, int listener);
void peer_close(struct peer *peer);

/** Serves the machine while the peer shakes hands; `tls` is initialised. Returns how that ended. */
enum mw_tls_step peer_secure(struct rig *rig, struct peer *peer, struct mw_tls *tls);

/** How many bytes the way to the device takes. */
size_t peer_room(struct rig *rig);
/** Serves the machine until these bytes have come from the device, or to it. Fails otherwise. */
void peer_expect(struct rig *rig, struct peer *peer, const char *wanted);
void peer_send(struct rig *rig, struct peer *peer, const char *text);
/** Serves the machine until the peer sees the end. */
void peer_expect_end(struct rig *rig, struct peer *peer);
/** Serves the machine for a while in which nothing is to happen. */
void peer_idle(struct rig *rig);
/** Serves the machine until its log has the text. */
void peer_expect_log(struct rig *rig, const char *text);
/** `bytes` both ways at the same time, in dribbles, with the buffers full most of the time; compares. */
void peer_exchange(struct rig *rig, struct peer *peer, size_t bytes);
/** Open descriptors of this process. */
unsigned peer_descriptors(void);

/** Expects that the device refuses, and why. */
void peer_expect_refusal(const struct mw_device_type *type, const struct rig_setting *settings,
			 const char *why);

#endif
