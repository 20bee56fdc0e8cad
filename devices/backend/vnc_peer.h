/** One client's connection to a shared screen. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_VNC_PEER_H
#define DEVICES_BACKEND_VNC_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"
#include "devices/backend/rfb.h"
#include "devices/backend/tls.h"
#include "devices/backend/vnc_input.h"

/** How long a stranger may take until it is a client, and one who was refused has to wait. */
enum { MW_VNC_HANDSHAKE_MS = 10000, MW_VNC_REFUSAL_MS = 1000 };

struct mw_vnc_peer {
	void *device;
	int fd;
	struct mw_watch *watch;
	enum { MW_VNC_PLAIN, MW_VNC_HANDSHAKE, MW_VNC_SECURED } security;
	bool wants_to_send;   /* what the handshake waits for */
	bool gone;            /* to be closed */
	bool hurries;         /* it has sent more than one turn is for */
	char why[256];        /* it was dropped; "": it left */
	uint64_t deadline_ms; /* 0: none */
	const struct mw_tls_options *tls_options;
	struct mw_tls tls;
	struct mw_vnc_hands hands;
	struct mw_rfb rfb;
};

/** Takes `fd`; `on_ready` is the device's, which calls mw_vnc_peer_serve for each of its peers. NULL, and `fd`
 * closed, where there are no descriptors. `options` NULL: no TLS. */
struct mw_vnc_peer *mw_vnc_peer_open(void *device, int fd, const struct mw_rfb_screen *screen,
				     const struct mw_tls_options *options,
				     void (*on_ready)(void *self, unsigned events),
				     uint64_t now_ms);
/** NULL-safe. */
void mw_vnc_peer_close(struct mw_vnc_peer *peer);
/** Reads and writes what goes without waiting; then `gone` may be true. */
void mw_vnc_peer_serve(struct mw_vnc_peer *peer, uint64_t now_ms);
/** When it is to be served again without a cause; UINT64_MAX: never. */
uint64_t mw_vnc_peer_due(const struct mw_vnc_peer *peer);

#endif
