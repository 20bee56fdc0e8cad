/* The messages of RFB's clients: RFC 6143, section 7.5, and the RFB community's list of extensions
 * (rfbproto). */
// SPDX-License-Identifier: MIT
#include "devices/backend/rfb.h"

#include <string.h>

enum {
	SET_PIXEL_FORMAT = 0,
	SET_ENCODINGS = 2,
	UPDATE_REQUEST = 3,
	KEY_EVENT = 4,
	POINTER_EVENT = 5,
	CUT_TEXT = 6,
	SET_DESKTOP_SIZE = 251,
	QEMU_MESSAGE = 255
};
enum { DESKTOP_SIZE = -223, QEMU_POINTER = -257, QEMU_KEY = -258, EXTENDED_DESKTOP_SIZE = -308 };
enum { LARGEST_CUT_TEXT = 1 << 20, ENCODING_BYTES = 4, SCREEN_BYTES = 16 };
enum { BY_CLIENT = 1, PROHIBITED = 1, RELATIVE_CENTRE = 0x7fff };
static const char greeting[] = "RFB 003.008\n";

uint16_t mw_rfb_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

uint32_t mw_rfb_get32(const uint8_t *bytes)
{
	return (uint32_t)mw_rfb_get16(bytes) << 16 | mw_rfb_get16(bytes + 2);
}

uint8_t *mw_rfb_put(struct mw_rfb *rfb, size_t count)
{
	uint8_t *place = rfb->out + rfb->count;

	if (count > MW_RFB_OUT_BYTES - rfb->count)
		return rfb->out + MW_RFB_OUT_BYTES;
	rfb->count += count;
	return place;
}

void mw_rfb_put8(struct mw_rfb *rfb, uint8_t value)
{
	*mw_rfb_put(rfb, 1) = value;
}

void mw_rfb_put16(struct mw_rfb *rfb, uint16_t value)
{
	uint8_t *place = mw_rfb_put(rfb, 2);

	place[0] = (uint8_t)(value >> 8);
	place[1] = (uint8_t)value;
}

void mw_rfb_put32(struct mw_rfb *rfb, uint32_t value)
{
	mw_rfb_put16(rfb, (uint16_t)(value >> 16));
	mw_rfb_put16(rfb, (uint16_t)value);
}

bool mw_rfb_fail(struct mw_rfb *rfb, const char *why)
{
	rfb->why = why;
	return false;
}

static void expect(struct mw_rfb *rfb, enum mw_rfb_state state, size_t bytes)
{
	rfb->state = state;
	rfb->need = bytes;
}

static void expect_message(struct mw_rfb *rfb)
{
	expect(rfb, MW_RFB_MESSAGE, 1);
}

static void skip(struct mw_rfb *rfb, uint32_t bytes)
{
	rfb->rest = bytes;
	if (bytes)
		expect(rfb, MW_RFB_SKIP, 1);
	else
		expect_message(rfb);
}

void mw_rfb_begin(struct mw_rfb *rfb, const struct mw_rfb_screen *screen, void *context)
{
	rfb->screen = screen;
	rfb->context = context;
	rfb->format = mw_rfb_native;
	rfb->encoding = MW_RFB_RAW;
	memcpy(mw_rfb_put(rfb, sizeof(greeting) - 1), greeting, sizeof(greeting) - 1);
	expect(rfb, MW_RFB_VERSION, sizeof(greeting) - 1);
}

void mw_rfb_fini(struct mw_rfb *rfb)
{
	mw_rfb_deflate_close(rfb->deflate);
	rfb->deflate = NULL;
}

/* 7.3.2 */
void mw_rfb_welcome(struct mw_rfb *rfb)
{
	size_t length = strlen(rfb->screen->name);

	if (rfb->state != MW_RFB_WELCOME)
		return;
	if (length > MW_RFB_SPILL_BYTES)
		length = MW_RFB_SPILL_BYTES;
	rfb->width = rfb->screen->canvas.width;
	rfb->height = rfb->screen->canvas.height;
	memset(rfb->dirty, 0xff, sizeof(rfb->dirty));
	mw_rfb_put16(rfb, (uint16_t)rfb->width);
	mw_rfb_put16(rfb, (uint16_t)rfb->height);
	mw_rfb_write_format(mw_rfb_put(rfb, 16));
	mw_rfb_put32(rfb, (uint32_t)length);
	memcpy(mw_rfb_put(rfb, length), rfb->screen->name, length);
	expect_message(rfb);
}

static bool set_format(struct mw_rfb *rfb)
{
	struct mw_rfb_format format;

	if (!mw_rfb_read_format(&format, rfb->in + 4))
		return mw_rfb_fail(rfb, "a pixel format that makes no sense");
	rfb->format = format;
	rfb->tell_map = format.mapped;
	expect_message(rfb);
	return true;
}

/* The first that we have is the one the client likes best. */
static void choose(struct mw_rfb *rfb, int32_t encoding)
{
	if (!rfb->chosen &&
	    (encoding == MW_RFB_RAW || encoding == MW_RFB_HEXTILE || encoding == MW_RFB_ZRLE)) {
		rfb->encoding = encoding;
		rfb->chosen = true;
	}
	rfb->resizes |= encoding == DESKTOP_SIZE;
	if (encoding == EXTENDED_DESKTOP_SIZE && !rfb->resizes_well) {
		rfb->resizes_well = true;
		rfb->tell_size = true;
		rfb->size_reason = rfb->size_status = 0;
	}
	if (encoding == QEMU_POINTER && !rfb->relative) {
		rfb->relative = true;
		rfb->tell_relative = true;
	}
	if (encoding == QEMU_KEY && !rfb->scan_codes) {
		rfb->scan_codes = true;
		rfb->tell_scan_codes = true;
	}
}

static bool take_encoding(struct mw_rfb *rfb)
{
	choose(rfb, (int32_t)mw_rfb_get32(rfb->in));
	if (--rfb->rest)
		expect(rfb, MW_RFB_ENCODINGS, ENCODING_BYTES);
	else
		expect_message(rfb);
	return true;
}

static bool set_encodings(struct mw_rfb *rfb)
{
	rfb->rest = mw_rfb_get16(rfb->in + 2);
	rfb->chosen = false;
	rfb->encoding = MW_RFB_RAW;
	if (rfb->rest)
		expect(rfb, MW_RFB_ENCODINGS, ENCODING_BYTES);
	else
		expect_message(rfb);
	return true;
}

static bool request_update(struct mw_rfb *rfb)
{
	const struct mw_rect area = { .x = mw_rfb_get16(rfb->in + 2),
				      .y = mw_rfb_get16(rfb->in + 4),
				      .width = mw_rfb_get16(rfb->in + 6),
				      .height = mw_rfb_get16(rfb->in + 8) };

	mw_rfb_request(rfb, &area, rfb->in[1]);
	expect_message(rfb);
	return true;
}

static bool press_key(struct mw_rfb *rfb)
{
	rfb->screen->events->on_key(rfb->context, mw_rfb_get32(rfb->in + 4), rfb->in[1]);
	expect_message(rfb);
	return true;
}

/* Positions from before the client has heard that they are relative are still on the screen. */
static bool move_pointer(struct mw_rfb *rfb)
{
	int32_t x = mw_rfb_get16(rfb->in + 2), y = mw_rfb_get16(rfb->in + 4);
	bool relative = rfb->relative && x > MW_CANVAS_MAX && y > MW_CANVAS_MAX;

	if (relative) {
		x -= RELATIVE_CENTRE;
		y -= RELATIVE_CENTRE;
	}
	rfb->screen->events->on_pointer(rfb->context, rfb->in[1], x, y, relative);
	expect_message(rfb);
	return true;
}

/* A negative length is of the extended clipboard, which was not offered. */
static bool cut_text(struct mw_rfb *rfb)
{
	uint32_t length = mw_rfb_get32(rfb->in + 4);

	if (length > LARGEST_CUT_TEXT)
		return mw_rfb_fail(rfb, "a text of more than 1 MiB");
	skip(rfb, length);
	return true;
}

/* The guest sets the size. */
static bool set_desktop_size(struct mw_rfb *rfb)
{
	rfb->tell_size = rfb->resizes_well;
	rfb->size_reason = BY_CLIENT;
	rfb->size_status = PROHIBITED;
	skip(rfb, rfb->in[6] * (uint32_t)SCREEN_BYTES);
	return true;
}

static bool press_scan_code(struct mw_rfb *rfb)
{
	if (rfb->in[1] != 0)
		return mw_rfb_fail(rfb, "a message of QEMU's that is not known");
	rfb->screen->events->on_scan_code(rfb->context, mw_rfb_get32(rfb->in + 8),
					  mw_rfb_get16(rfb->in + 2));
	expect_message(rfb);
	return true;
}

static const struct message {
	uint8_t type, bytes;
	bool (*take)(struct mw_rfb *rfb);
} messages[] = {
	{ SET_PIXEL_FORMAT, 20, set_format },      { SET_ENCODINGS, 4, set_encodings },
	{ UPDATE_REQUEST, 10, request_update },    { KEY_EVENT, 8, press_key },
	{ POINTER_EVENT, 6, move_pointer },        { CUT_TEXT, 8, cut_text },
	{ SET_DESKTOP_SIZE, 8, set_desktop_size }, { QEMU_MESSAGE, 12, press_scan_code },
};

/* The first byte says how many follow. */
static bool take_message(struct mw_rfb *rfb)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (messages[i].type != rfb->in[0])
			continue;
		if (rfb->held == messages[i].bytes) {
			rfb->held = 0;
			return messages[i].take(rfb);
		}
		rfb->need = messages[i].bytes;
		return true;
	}
	return mw_rfb_fail(rfb, "a message that is not known");
}

static bool take_complete(struct mw_rfb *rfb)
{
	if (rfb->state == MW_RFB_MESSAGE)
		return take_message(rfb);
	rfb->held = 0;
	switch (rfb->state) {
	case MW_RFB_ENCODINGS: return take_encoding(rfb);
	case MW_RFB_INIT: /* nobody is asked to leave, whatever the byte says */
		expect(rfb, MW_RFB_WELCOME, 0);
		return true;
	case MW_RFB_SKIP: return true;
	default: return mw_rfb_take_security(rfb);
	}
}

size_t mw_rfb_wants_bytes(const struct mw_rfb *rfb)
{
	if (rfb->leaving)
		return 0;
	return rfb->state == MW_RFB_SKIP ? rfb->rest : rfb->need - rfb->held;
}

static size_t skip_some(struct mw_rfb *rfb, size_t count)
{
	if (count > rfb->rest)
		count = rfb->rest;
	skip(rfb, rfb->rest - (uint32_t)count);
	return count;
}

static size_t hold_some(struct mw_rfb *rfb, const uint8_t *bytes, size_t count)
{
	if (count > rfb->need - rfb->held)
		count = rfb->need - rfb->held;
	memcpy(rfb->in + rfb->held, bytes, count);
	rfb->held += count;
	return count;
}

bool mw_rfb_take(struct mw_rfb *rfb, const uint8_t *bytes, size_t count)
{
	while (count) {
		size_t taken;

		if (!mw_rfb_wants_bytes(rfb))
			return mw_rfb_fail(rfb, "it does not wait for its turn");
		if (rfb->state == MW_RFB_SKIP) {
			taken = skip_some(rfb, count);
		} else {
			taken = hold_some(rfb, bytes, count);
			if (rfb->held == rfb->need && !take_complete(rfb))
				return false;
		}
		bytes += taken;
		count -= taken;
	}
	return true;
}
