/* A client of a shared screen over a socket, and by TLS once both have agreed on it. */
// SPDX-License-Identifier: MIT
#include "devices/backend/vnc_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"

enum { INPUT_BYTES = 4096, READS_PER_TURN = 16, WRITES_PER_TURN = 8 };

static void drop(struct mw_vnc_peer *peer, const char *why)
{
	if (peer->gone)
		return;
	peer->gone = true;
	snprintf(peer->why, sizeof(peer->why), "%s", why);
}

struct mw_vnc_peer *mw_vnc_peer_open(void *device, int fd, const struct mw_rfb_screen *screen,
				     const struct mw_tls_options *options,
				     void (*on_ready)(void *self, unsigned events), uint64_t now_ms)
{
	struct mw_vnc_peer *peer = mw_alloc(1, sizeof(*peer));

	peer->device = device;
	peer->fd = fd;
	peer->tls_options = options;
	peer->deadline_ms = now_ms + MW_VNC_HANDSHAKE_MS;
	if (mw_watch_open(&peer->watch, device, fd, on_ready) == MW_STATUS_OK) {
		mw_rfb_begin(&peer->rfb, screen, peer);
		return peer;
	}
	close(fd);
	free(peer);
	return NULL;
}

void mw_vnc_peer_close(struct mw_vnc_peer *peer)
{
	if (!peer)
		return;
	if (peer->security == MW_VNC_SECURED)
		mw_tls_goodbye(&peer->tls);
	mw_watch_close(peer->watch);
	/* The watch has a duplicate of the descriptor, which the loop closes later. */
	shutdown(peer->fd, SHUT_RDWR);
	close(peer->fd);
	mw_tls_fini(&peer->tls);
	mw_rfb_fini(&peer->rfb);
	free(peer);
}

static void shake_hands(struct mw_vnc_peer *peer)
{
	switch (mw_tls_handshake(&peer->tls)) {
	case MW_TLS_DONE:
		peer->security = MW_VNC_SECURED;
		mw_rfb_secured(&peer->rfb);
		return;
	case MW_TLS_WANTS_INPUT: peer->wants_to_send = false; return;
	case MW_TLS_WANTS_OUTPUT: peer->wants_to_send = true; return;
	case MW_TLS_FAILED: drop(peer, mw_tls_why(&peer->tls));
	}
}

static void begin_tls(struct mw_vnc_peer *peer)
{
	if (!mw_tls_init(&peer->tls, peer->tls_options) || !mw_tls_begin(&peer->tls, peer->fd)) {
		drop(peer, mw_tls_why(&peer->tls));
		return;
	}
	peer->security = MW_VNC_HANDSHAKE;
	shake_hands(peer);
}

static bool may_come_later(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* What follows a step of the handshake may be meant for TLS. */
static size_t wanted_bytes(const struct mw_vnc_peer *peer)
{
	size_t wanted = mw_rfb_wants_bytes(&peer->rfb);

	if (peer->gone || peer->security == MW_VNC_HANDSHAKE)
		return 0;
	if (wanted && peer->rfb.state >= MW_RFB_MESSAGE)
		return INPUT_BYTES;
	return wanted < INPUT_BYTES ? wanted : INPUT_BYTES;
}

static void read_some(struct mw_vnc_peer *peer)
{
	uint8_t bytes[INPUT_BYTES];
	size_t wanted;

	peer->hurries = false;
	for (unsigned i = 0; i < READS_PER_TURN && (wanted = wanted_bytes(peer)); i++) {
		ssize_t count = peer->security == MW_VNC_SECURED
					? mw_tls_read(&peer->tls, bytes, wanted)
					: recv(peer->fd, bytes, wanted, 0);

		if (count < 0 && may_come_later(errno))
			return;
		if (count <= 0)
			drop(peer, count && peer->security == MW_VNC_SECURED
					   ? mw_tls_why(&peer->tls)
					   : "");
		else if (!mw_rfb_take(&peer->rfb, bytes, (size_t)count))
			drop(peer, peer->rfb.why);
	}
	peer->hurries = wanted_bytes(peer);
}

/* False: nothing more goes now. */
static bool write_some(struct mw_vnc_peer *peer)
{
	struct mw_rfb *rfb = &peer->rfb;
	const uint8_t *bytes = rfb->out + rfb->sent;
	size_t count = rfb->count - rfb->sent;
	ssize_t sent = peer->security == MW_VNC_SECURED
			       ? mw_tls_write(&peer->tls, bytes, count)
			       : send(peer->fd, bytes, count, MSG_NOSIGNAL);

	if (sent < 0 && !may_come_later(errno))
		drop(peer, "");
	if (sent <= 0)
		return false;
	rfb->sent += (size_t)sent;
	return true;
}

static void write_all(struct mw_vnc_peer *peer)
{
	struct mw_rfb *rfb = &peer->rfb;

	for (unsigned i = 0; i < WRITES_PER_TURN && mw_rfb_fill(rfb); i++) {
		if (rfb->broken)
			drop(peer, "its picture cannot be encoded");
		if (peer->gone || !write_some(peer))
			return;
	}
}

static bool is_sent(const struct mw_vnc_peer *peer)
{
	return peer->rfb.sent == peer->rfb.count;
}

/* A wrong password is answered late, so that trying them all takes years. */
static void follow(struct mw_vnc_peer *peer, enum mw_rfb_state before, uint64_t now_ms)
{
	struct mw_rfb *rfb = &peer->rfb;

	if (rfb->state == MW_RFB_REFUSED && before != MW_RFB_REFUSED)
		peer->deadline_ms = now_ms + MW_VNC_REFUSAL_MS;
	if (rfb->state >= MW_RFB_MESSAGE)
		peer->deadline_ms = 0;
	if (rfb->state == MW_RFB_TLS && peer->security == MW_VNC_PLAIN && is_sent(peer) &&
	    !rfb->leaving)
		begin_tls(peer);
}

static void check_deadline(struct mw_vnc_peer *peer, uint64_t now_ms)
{
	if (!peer->deadline_ms || now_ms < peer->deadline_ms)
		return;
	if (peer->rfb.state != MW_RFB_REFUSED || peer->rfb.leaving) {
		drop(peer, "it took too long");
		return;
	}
	mw_rfb_refuse(&peer->rfb);
	snprintf(peer->why, sizeof(peer->why), "its password is wrong");
	peer->deadline_ms = now_ms + MW_VNC_REFUSAL_MS;
}

static unsigned wanted_events(const struct mw_vnc_peer *peer)
{
	if (peer->security == MW_VNC_HANDSHAKE)
		return peer->wants_to_send ? MW_WRITABLE : MW_READABLE;
	return (wanted_bytes(peer) ? MW_READABLE : 0u) |
	       (is_sent(peer) && !peer->rfb.updating ? 0u : MW_WRITABLE);
}

void mw_vnc_peer_serve(struct mw_vnc_peer *peer, uint64_t now_ms)
{
	enum mw_rfb_state before = peer->rfb.state;

	if (peer->security == MW_VNC_HANDSHAKE)
		shake_hands(peer);
	if (!peer->gone && peer->security != MW_VNC_HANDSHAKE)
		read_some(peer);
	check_deadline(peer, now_ms);
	if (!peer->gone && peer->security != MW_VNC_HANDSHAKE)
		write_all(peer);
	if (!peer->gone)
		follow(peer, before, now_ms);
	if (peer->rfb.leaving && is_sent(peer))
		peer->gone = true;
	if (!peer->gone)
		mw_watch_set(peer->watch, wanted_events(peer));
}

uint64_t mw_vnc_peer_due(const struct mw_vnc_peer *peer)
{
	if (peer->hurries)
		return 0;
	return peer->deadline_ms ? peer->deadline_ms : UINT64_MAX;
}
