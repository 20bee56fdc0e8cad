/* A display that clients see and use over a network: RFB 3.8 (RFC 6143), as in VNC. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/device.h"
#include "core/diagnostics.h"
#include "core/loop.h"
#include "devices/backend/connection.h"
#include "devices/backend/vnc_door.h"
#include "devices/backend/vnc_peer.h"

enum { MOST_PEERS = 8, FEW_PEERS = 4, PEERS_PER_TURN = 8 };
/* How often a picture is asked for: seldom where it stands still. */
enum { FRAME_MS = 30, STILL_FRAME_MS = 100, STILL_FRAMES = 30, REST_MS = 1000 };
/* Of a display that has no picture. */
enum { NO_WIDTH = 640, NO_HEIGHT = 400 };

struct vnc {
	/* properties and wires */
	struct mw_vnc_door door;
	uint32_t layout, most_peers;
	struct mw_display *display;
	/* private */
	bool opened, running, told, rests;
	char name[MW_RFB_SPILL_BYTES];
	int timer;
	struct mw_watch *listener_watch, *timer_watch;
	uint64_t next_frame_ms, wake_ms;
	unsigned still; /* frames without a change */
	bool fresh;     /* the screen has a picture of the display's */
	size_t screen_bytes;
	struct mw_rfb_screen screen;
	struct mw_vnc_input input;
	struct mw_vnc_peer *peers[MOST_PEERS];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The screen: our copy of the picture, which lasts as long as somebody looks. */

static void forget_screen(struct vnc *vnc)
{
	if (vnc->screen_bytes)
		munmap(vnc->screen.canvas.pixels, vnc->screen_bytes);
	vnc->screen.canvas = (struct mw_canvas){ 0 };
	vnc->screen_bytes = 0;
	vnc->fresh = false;
}

/* The guest chooses the size; where the host has not so much, there is no picture. */
static bool resize_screen(struct vnc *vnc, uint32_t width, uint32_t height)
{
	size_t bytes = (size_t)width * height * sizeof(uint32_t);
	void *pixels =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pixels == MAP_FAILED)
		return false;
	forget_screen(vnc);
	vnc->screen.canvas = (struct mw_canvas){ width, height, pixels };
	vnc->screen_bytes = bytes;
	for (size_t i = 0; i < MOST_PEERS; i++) {
		if (vnc->peers[i])
			mw_rfb_resized(&vnc->peers[i]->rfb);
	}
	return true;
}

/* Takes one tile over; false: it is as it was. */
static bool take_tile(struct mw_canvas *to, const struct mw_canvas *from, uint32_t x, uint32_t y)
{
	uint32_t width = to->width - x < MW_RFB_TILE ? to->width - x : MW_RFB_TILE;
	uint32_t height = to->height - y < MW_RFB_TILE ? to->height - y : MW_RFB_TILE;
	bool changed = false;

	for (uint32_t row = y; row < y + height; row++) {
		size_t at = (size_t)row * to->width + x;

		if (!memcmp(to->pixels + at, from->pixels + at, width * sizeof(*to->pixels)))
			continue;
		memcpy(to->pixels + at, from->pixels + at, width * sizeof(*to->pixels));
		changed = true;
	}
	return changed;
}

static void touch(struct vnc *vnc, unsigned column, unsigned row)
{
	for (size_t i = 0; i < MOST_PEERS; i++) {
		if (vnc->peers[i])
			mw_rfb_touch(&vnc->peers[i]->rfb, column, row);
	}
}

/* An adapter may say that more has changed than did. Returns whether any has. */
static bool take_part(struct vnc *vnc, const struct mw_canvas *canvas, const struct mw_rect *part)
{
	bool changed = false;

	if (!part->width || !part->height)
		return false;
	for (uint32_t row = part->y / MW_RFB_TILE; row * MW_RFB_TILE < part->y + part->height;
	     row++) {
		for (uint32_t column = part->x / MW_RFB_TILE;
		     column * MW_RFB_TILE < part->x + part->width; column++) {
			if (!take_tile(&vnc->screen.canvas, canvas, column * MW_RFB_TILE,
				       row * MW_RFB_TILE))
				continue;
			touch(vnc, column, row);
			changed = true;
		}
	}
	return changed;
}

static bool take_picture(struct vnc *vnc, const struct mw_canvas *canvas, struct mw_rect part)
{
	bool none = !canvas->width || !canvas->height;
	uint32_t width = none ? NO_WIDTH : canvas->width,
		 height = none ? NO_HEIGHT : canvas->height;

	if (width != vnc->screen.canvas.width || height != vnc->screen.canvas.height) {
		if (!resize_screen(vnc, width, height))
			return false;
		part = (struct mw_rect){ .width = canvas->width, .height = canvas->height };
	}
	vnc->fresh = true;
	return !none && take_part(vnc, canvas, &part);
}

/* Peers */

static void close_peer(struct vnc *vnc, size_t index)
{
	struct mw_vnc_peer *peer = vnc->peers[index];

	if (peer->why[0])
		mw_guest_log(vnc, "a client is dropped: %s", peer->why);
	mw_vnc_let_go(&vnc->input, &peer->hands);
	vnc->peers[index] = NULL;
	mw_vnc_peer_close(peer);
	for (size_t i = 0; i < MOST_PEERS; i++) {
		if (vnc->peers[i])
			return;
	}
	forget_screen(vnc);
}

static bool wants_frame(const struct vnc *vnc)
{
	for (size_t i = 0; i < MOST_PEERS; i++) {
		const struct mw_vnc_peer *peer = vnc->peers[i];

		if (peer && (peer->rfb.state == MW_RFB_WELCOME || mw_rfb_waits(&peer->rfb)))
			return true;
	}
	return false;
}

/* Host time: the clients are the host's, and guest time may stand still or jump. */
static void sleep_until(struct vnc *vnc, uint64_t when_ms)
{
	struct itimerspec when = { 0 };

	if (when_ms == vnc->wake_ms)
		return;
	vnc->wake_ms = when_ms;
	if (when_ms != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(when_ms / 1000);
		when.it_value.tv_nsec = (long)(when_ms % 1000) * 1000000 + 1;
	}
	timerfd_settime(vnc->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void ask_for_frame(struct vnc *vnc, uint64_t now)
{
	bool still = vnc->still >= STILL_FRAMES;

	vnc->next_frame_ms = now + (still ? STILL_FRAME_MS : FRAME_MS);
	vnc->still += !still;
	mw_display_request(vnc->display, !vnc->fresh);
}

/* All that may have to be done, after whatever has happened. A watch does not tell which peer it is of. */
static void serve(struct vnc *vnc)
{
	uint64_t now = now_ms(), next = UINT64_MAX;

	for (size_t i = 0; i < MOST_PEERS; i++) {
		struct mw_vnc_peer *peer = vnc->peers[i];

		if (!peer)
			continue;
		if (vnc->fresh)
			mw_rfb_welcome(&peer->rfb);
		mw_vnc_peer_serve(peer, now);
		if (peer->gone)
			close_peer(vnc, i);
		else
			next = earlier(next, mw_vnc_peer_due(peer));
	}
	if (wants_frame(vnc)) {
		if (now >= vnc->next_frame_ms)
			ask_for_frame(vnc, now);
		next = earlier(next, vnc->next_frame_ms);
	}
	if (vnc->running)
		next = earlier(next, mw_vnc_send_input(&vnc->input, now));
	if (vnc->rests)
		next = earlier(next, now + REST_MS);
	sleep_until(vnc, next);
}

static void on_peer(void *self, unsigned events)
{
	serve(self);
}

static void on_frame(void *self, const struct mw_canvas *canvas, const struct mw_rect *changed)
{
	struct vnc *vnc = self;

	if (take_picture(vnc, canvas, *changed))
		vnc->still = 0;
	for (size_t i = 0; i < MOST_PEERS && vnc->fresh; i++) {
		if (vnc->peers[i])
			mw_rfb_refreshed(&vnc->peers[i]->rfb);
	}
	serve(vnc);
}

/* What the machine cannot see while it is stopped, it does not get later either. */
static struct vnc *listening(struct mw_vnc_peer *peer)
{
	struct vnc *vnc = peer->device;

	vnc->still = 0;
	vnc->next_frame_ms = earlier(vnc->next_frame_ms, now_ms() + FRAME_MS);
	return vnc->running ? vnc : NULL;
}

static void on_key(void *context, uint32_t keysym, bool pressed)
{
	struct mw_vnc_peer *peer = context;
	struct vnc *vnc = listening(peer);

	if (vnc)
		mw_vnc_key(&vnc->input, &peer->hands, keysym, pressed);
}

static void on_scan_code(void *context, uint32_t code, bool pressed)
{
	struct mw_vnc_peer *peer = context;
	struct vnc *vnc = listening(peer);

	if (vnc)
		mw_vnc_scan_code(&vnc->input, &peer->hands, code, pressed);
}

static void on_pointer(void *context, unsigned buttons, int32_t x, int32_t y, bool relative)
{
	struct mw_vnc_peer *peer = context;
	struct vnc *vnc = listening(peer);

	if (vnc)
		mw_vnc_pointer(&vnc->input, &peer->hands, buttons, x, y, relative);
}

static const struct mw_rfb_events events = { .on_key = on_key,
					     .on_scan_code = on_scan_code,
					     .on_pointer = on_pointer };

/* The listener */

static void listen_again(struct vnc *vnc, bool rests)
{
	vnc->rests = rests;
	mw_watch_set(vnc->listener_watch, rests ? 0 : MW_READABLE);
}

static size_t free_place(const struct vnc *vnc)
{
	size_t i = 0;

	while (i < vnc->most_peers && vnc->peers[i])
		i++;
	return i;
}

static void take_peer(struct vnc *vnc, int fd)
{
	size_t place = free_place(vnc);

	if (place == vnc->most_peers) {
		close(fd);
		mw_guest_log(vnc, "a client is refused: there are %zu already", place);
		return;
	}
	if (!vnc->door.file.path)
		mw_inet_greet(fd);
	vnc->peers[place] = mw_vnc_peer_open(vnc, fd, &vnc->screen,
					     vnc->door.encrypted ? &vnc->door.options : NULL,
					     on_peer, now_ms());
}

/* Without descriptors it rests; its listener would stay ready all the time. */
static void on_knock(void *self, unsigned readiness)
{
	struct vnc *vnc = self;

	for (unsigned i = 0; i < PEERS_PER_TURN; i++) {
		int fd = accept4(vnc->door.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_peer(vnc, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			listen_again(vnc, true);
		break;
	}
	serve(vnc);
}

static void on_timer(void *self, unsigned readiness)
{
	struct vnc *vnc = self;
	uint64_t times;

	if (read(vnc->timer, &times, sizeof(times)) < 0)
		return; /* armed anew meanwhile */
	vnc->wake_ms = 0;
	if (vnc->rests)
		listen_again(vnc, false);
	serve(vnc);
}

/* Building */

static bool open_watches(struct vnc *vnc, struct mw_diagnostics *diagnostics)
{
	vnc->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (vnc->timer < 0 ||
	    mw_watch_open(&vnc->timer_watch, vnc, vnc->timer, on_timer) != MW_STATUS_OK ||
	    mw_watch_open(&vnc->listener_watch, vnc, vnc->door.listener, on_knock) != MW_STATUS_OK)
		return mw_connection_fail(vnc, diagnostics, "no descriptor: %s", strerror(errno));
	mw_watch_set(vnc->timer_watch, MW_READABLE);
	listen_again(vnc, false);
	return true;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct vnc *vnc = self;

	vnc->timer = vnc->door.listener = -1;
	vnc->opened = true;
	vnc->wake_ms = UINT64_MAX;
	vnc->input.map = mw_keymap(vnc->layout);
	vnc->screen.events = &events;
	/* The adapter's id begins ours. */
	snprintf(vnc->name, sizeof(vnc->name), "Millwright %.*s",
		 (int)strcspn(mw_device_id(vnc), "."), mw_device_id(vnc));
	vnc->screen.name = vnc->name;
	return mw_vnc_door_open(vnc, &vnc->door, &vnc->screen, diagnostics) &&
	       open_watches(vnc, diagnostics);
}

static void start(void *self)
{
	struct vnc *vnc = self;

	vnc->running = true;
	if (!vnc->told && !vnc->door.file.path)
		mw_inet_tell(vnc, vnc->door.listener);
	vnc->told = true;
	serve(vnc);
}

static void stop(void *self)
{
	((struct vnc *)self)->running = false;
}

static void fini(void *self)
{
	struct vnc *vnc = self;

	if (!vnc->opened)
		return;
	for (size_t i = 0; i < MOST_PEERS; i++)
		mw_vnc_peer_close(vnc->peers[i]);
	mw_watch_close(vnc->listener_watch);
	mw_watch_close(vnc->timer_watch);
	if (vnc->timer >= 0)
		close(vnc->timer);
	mw_vnc_door_close(&vnc->door);
	forget_screen(vnc);
	vnc->opened = false;
}

static const struct mw_property properties[] = {
	{ "address",
	  "HOST:PORT, with an IPv6 address in brackets, or unix:PATH; port 0 is chosen by the "
	  "host. Off this host it takes `password_file`, or `tls` with `ca`.",
	  MW_FIELD(struct vnc, door.address), .fallback_text = "localhost:5900" },
	{ "path", "A local socket's file, in place of the address.",
	  MW_FIELD(struct vnc, door.path), .is_path = true, .fallback_text = "" },
	{ "password_file",
	  "A file whose first line is the password that clients have to know; VNC looks at its "
	  "first 8 characters.",
	  MW_FIELD(struct vnc, door.password_file), .is_path = true, .is_secret = true,
	  .fallback_text = "" },
	{ "tls", "Encrypts, by VeNCrypt; clients that cannot are refused.",
	  MW_FIELD(struct vnc, door.encrypted) },
	{ "cert", "Certificates in PEM, our own first; TLS needs one.",
	  MW_FIELD(struct vnc, door.options.cert), .is_path = true, .fallback_text = "" },
	{ "key", "The certificate's private key, in PEM.", MW_FIELD(struct vnc, door.options.key),
	  .is_path = true, .is_secret = true, .fallback_text = "" },
	{ "ca",
	  "Certificates in PEM of those who sign for clients; with it TLS accepts clients with "
	  "such a certificate only.",
	  MW_FIELD(struct vnc, door.options.ca), .is_path = true, .fallback_text = "" },
	{ "keyboard",
	  "The layout that the guest is set to; characters that clients type are looked up in it.",
	  MW_FIELD(struct vnc, layout), .members = mw_keymap_names },
	{ "clients", "How many may be connected at once.", MW_FIELD(struct vnc, most_peers),
	  .fallback = FEW_PEERS, .min = 1, .max = MOST_PEERS },
};
static const struct mw_wire wires[] = {
	{ "display", "The display that is shown.", MW_FIELD(struct vnc, display),
	  .on_frame = on_frame },
	{ "input",
	  "The keyboard and pointer that clients use; when unconnected, the machine's first.",
	  MW_FIELD(struct vnc, input.port), .optional = true },
};

const struct mw_device_type vnc_type = {
	MW_DEVICE_TYPE,
	.name = "vnc",
	.summary = "a display with keyboard and mouse for VNC clients, with TLS if wanted",
	.size = sizeof(struct vnc),
	.state_version = 1,
	.backend = "vnc",
	.main_property = "address",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init, .start = start, .stop = stop, .fini = fini },
};
