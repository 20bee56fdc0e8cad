/** Bytes as what a client of RFB sends, in pieces of any length, while the picture changes under it: what the server
 * says is RFB, what it holds is bounded, and keys are let go in the end. */
// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/backend/rfb.h"
#include "devices/backend/vnc_input.h"
#include "tests/fuzz/check.h"

enum { SIDE = 160, STEPS = 4096 };

/** The first byte of an input says how the session is; then each step begins with a byte: how many of the
 * following are the client's, or what becomes of the picture. */
enum { PASSWORD = 1, SECURED = 2, READY = 4 };
enum { TAKE = 0x3f, CHANGE = 0x40, RESIZE = 0x80, DRAIN = 0xc0 };

struct session {
	struct mw_rfb_screen screen;
	struct mw_vnc_input input;
	struct mw_vnc_hands hands;
	struct mw_rfb rfb;
	uint32_t pixels[SIDE * SIDE];
};

static void on_key(void *context, uint32_t keysym, bool pressed)
{
	struct session *session = context;

	mw_vnc_key(&session->input, &session->hands, keysym, pressed);
}

static void on_scan_code(void *context, uint32_t code, bool pressed)
{
	struct session *session = context;

	mw_vnc_scan_code(&session->input, &session->hands, code, pressed);
}

static void on_pointer(void *context, unsigned buttons, int32_t x, int32_t y, bool relative)
{
	struct session *session = context;

	mw_vnc_pointer(&session->input, &session->hands, buttons, x, y, relative);
}

static const struct mw_rfb_events events = { .on_key = on_key,
					     .on_scan_code = on_scan_code,
					     .on_pointer = on_pointer };

/* As the far end of an input would: it takes all that waits. */
static void take_events(struct session *session)
{
	CHECK(session->input.count <= MW_VNC_EVENTS);
	session->input.head = (session->input.head + session->input.count) % MW_VNC_EVENTS;
	session->input.count = 0;
}

static void send_some(struct session *session, unsigned most)
{
	struct mw_rfb *rfb = &session->rfb;

	for (unsigned i = 0; i < most && mw_rfb_fill(rfb); i++) {
		CHECK(rfb->count <= MW_RFB_OUT_BYTES);
		CHECK(!rfb->broken);
		rfb->sent = rfb->count;
	}
}

/* The steps that wait for sockets and for the machine. */
static void follow(struct session *session)
{
	mw_rfb_secured(&session->rfb);
	mw_rfb_refuse(&session->rfb);
	mw_rfb_welcome(&session->rfb);
}

static void resize(struct session *session, uint8_t what)
{
	session->screen.canvas.width = 1 + (what & 7u) * (SIDE - 1) / 7;
	session->screen.canvas.height = 1 + (what >> 3 & 7u) * (SIDE - 1) / 7;
	mw_rfb_resized(&session->rfb);
}

static void change(struct session *session, uint8_t what)
{
	uint32_t at = what * 401u % (SIDE * SIDE);

	session->pixels[at] += 0x10307u * what + 1;
	mw_rfb_touch(&session->rfb, what & 3, what >> 2 & 3);
}

static bool step(struct session *session, const uint8_t **at, const uint8_t *end)
{
	uint8_t what = *(*at)++;
	size_t count = what & TAKE;

	follow(session);
	switch (what & DRAIN) {
	case CHANGE: change(session, what); return true;
	case RESIZE: resize(session, what); return true;
	case DRAIN:
		mw_rfb_refreshed(&session->rfb);
		send_some(session, what & TAKE);
		return true;
	default: break;
	}
	if (count > (size_t)(end - *at))
		count = (size_t)(end - *at);
	const uint8_t *bytes = *at;

	*at += count;
	if (session->rfb.state < MW_RFB_MESSAGE) {
		size_t wanted = mw_rfb_wants_bytes(&session->rfb);

		count = count < wanted ? count : wanted;
		if (!wanted && !session->rfb.leaving)
			send_some(session, 1);
	}
	return mw_rfb_take(&session->rfb, bytes, count) && !session->rfb.leaving;
}

static void say(struct session *session, const char *bytes, size_t count)
{
	CHECK(mw_rfb_take(&session->rfb, (const uint8_t *)bytes, count));
}

static void begin(struct session *session, uint8_t how)
{
	session->screen.name = "fuzz";
	session->screen.events = &events;
	session->screen.canvas = (struct mw_canvas){ SIDE, SIDE, session->pixels };
	session->input.map = mw_keymap(how >> 3);
	if (!(how & READY)) {
		session->screen.password = how & PASSWORD ? "password" : NULL;
		session->screen.secured = how & SECURED;
	}
	mw_rfb_begin(&session->rfb, &session->screen, session);
	if (!(how & READY))
		return;
	say(session, "RFB 003.008\n", 12);
	say(session, "\1", 1);
	say(session, "\1", 1);
	mw_rfb_welcome(&session->rfb);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	const uint8_t *at = bytes + 1, *end = bytes + count;

	if (!count)
		return 0;
	struct session *session = mw_alloc(1, sizeof(*session));

	begin(session, bytes[0]);
	for (unsigned i = 0; i < STEPS && at < end && step(session, &at, end); i++)
		take_events(session);
	mw_rfb_refreshed(&session->rfb);
	send_some(session, 1000);
	take_events(session);
	mw_vnc_let_go(&session->input, &session->hands);
	for (unsigned i = 0; i < MW_VNC_KEYS; i++)
		CHECK(!session->hands.keys[i]);
	mw_rfb_fini(&session->rfb);
	free(session);
	return 0;
}
