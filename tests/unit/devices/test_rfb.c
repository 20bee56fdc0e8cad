/* RFB as its clients see it: RFC 6143, section by section, without sockets. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <mbedtls/des.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/backend/rfb.h"
#include "tests/support/rfb_client.h"

enum { WIDTH = 200, HEIGHT = 150, LARGE = 300 };
enum { RAW = 0, HEXTILE = 5, ZRLE = 16, TIGHT = 7 };
enum { DESKTOP_SIZE = -223, POINTER = -257, SCAN_CODES = -258, EXTENDED_SIZE = -308 };

/** A server of one client, and what the client has done. */
struct session {
	struct mw_rfb_screen screen;
	struct mw_rfb *rfb;
	struct rfb_client client;
	unsigned keys, pointers, scan_codes;
	uint32_t keysym, code;
	bool pressed, relative;
	unsigned buttons;
	int32_t x, y;
};

static void on_key(void *context, uint32_t keysym, bool pressed)
{
	struct session *session = context;

	session->keys++;
	session->keysym = keysym;
	session->pressed = pressed;
}

static void on_scan_code(void *context, uint32_t code, bool pressed)
{
	struct session *session = context;

	session->scan_codes++;
	session->code = code;
	session->pressed = pressed;
}

static void on_pointer(void *context, unsigned buttons, int32_t x, int32_t y, bool relative)
{
	struct session *session = context;

	session->pointers++;
	session->buttons = buttons;
	session->x = x;
	session->y = y;
	session->relative = relative;
}

static const struct mw_rfb_events events = { .on_key = on_key,
					     .on_scan_code = on_scan_code,
					     .on_pointer = on_pointer };

static void set_canvas(struct session *session, uint32_t width, uint32_t height)
{
	free(session->screen.canvas.pixels);
	session->screen.canvas =
		(struct mw_canvas){ width, height,
				    mw_alloc((size_t)width * height, sizeof(uint32_t)) };
}

static struct session *open_session(const char *password, bool secured)
{
	struct session *session = mw_alloc(1, sizeof(*session));

	session->rfb = mw_alloc(1, sizeof(*session->rfb));
	session->screen.name = "unit";
	session->screen.events = &events;
	session->screen.password = password;
	session->screen.secured = secured;
	set_canvas(session, WIDTH, HEIGHT);
	mw_rfb_begin(session->rfb, &session->screen, session);
	return session;
}

static void close_session(struct session *session)
{
	mw_rfb_fini(session->rfb);
	free(session->rfb);
	free(session->screen.canvas.pixels);
	if (session->client.pixels)
		rfb_client_fini(&session->client);
	free(session);
}

/* What the server has said since the last time must be this. */
static void expect(struct session *session, const char *bytes, size_t count)
{
	struct mw_rfb *rfb = session->rfb;

	assert_int_equal(rfb->count - rfb->sent, count);
	assert_memory_equal(rfb->out + rfb->sent, bytes, count);
	rfb->sent = rfb->count;
}
#define EXPECT(session, text) expect((session), (text), sizeof(text) - 1)

static bool say(struct session *session, const void *bytes, size_t count)
{
	return mw_rfb_take(session->rfb, bytes, count);
}
#define SAY(session, text) say((session), (text), sizeof(text) - 1)

/* Through the handshake without a password, in version 3.8. */
static struct session *talk(void)
{
	struct session *session = open_session(NULL, false);

	EXPECT(session, "RFB 003.008\n");
	assert_true(SAY(session, "RFB 003.008\n"));
	EXPECT(session, "\1\1");
	assert_true(SAY(session, "\1"));
	EXPECT(session, "\0\0\0\0");
	assert_true(SAY(session, "\1"));
	EXPECT(session, "");
	mw_rfb_welcome(session->rfb);
	EXPECT(session, "\0\xc8\0\x96\x20\x18\0\1\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\4unit");
	rfb_client_init(&session->client, WIDTH, HEIGHT);
	return session;
}

/* All that the server has to say now, decoded; at most so many bytes at a time. */
static void deliver(struct session *session, size_t most)
{
	struct mw_rfb *rfb = session->rfb;

	mw_rfb_refreshed(rfb);
	while (mw_rfb_fill(rfb)) {
		size_t count = rfb->count - rfb->sent;

		count = count < most ? count : most;
		assert_false(rfb->broken);
		assert_true(rfb_client_take(&session->client, rfb->out + rfb->sent, count));
		rfb->sent += count;
	}
	assert_true(rfb_client_rests(&session->client));
}

static void ask(struct session *session, bool incremental)
{
	uint8_t bytes[10];

	assert_true(say(session, bytes, rfb_client_request(&session->client, bytes, incremental)));
	deliver(session, SIZE_MAX);
}

static void accept(struct session *session, const int32_t *encodings, size_t count)
{
	uint8_t bytes[256];

	assert_true(say(session, bytes, rfb_client_set_encodings(bytes, encodings, count)));
}
#define ACCEPT(session, ...)                                \
	accept((session), (const int32_t[]){ __VA_ARGS__ }, \
	       sizeof((const int32_t[]){ __VA_ARGS__ }) / sizeof(int32_t))

static void touch_all(struct session *session)
{
	for (unsigned row = 0; row < MW_RFB_TILES; row++)
		for (unsigned column = 0; column < MW_RFB_TILES; column++)
			mw_rfb_touch(session->rfb, column, row);
}

static void expect_same(struct session *session)
{
	const struct mw_canvas *canvas = &session->screen.canvas;

	for (uint32_t y = 0; y < session->client.height; y++) {
		for (uint32_t x = 0; x < session->client.width; x++) {
			bool inside = x < canvas->width && y < canvas->height;
			uint32_t rgb = inside ? canvas->pixels[y * canvas->width + x] : 0;

			assert_int_equal(rfb_client_pixel(&session->client, x, y),
					 rfb_client_round(&session->client, rgb));
		}
	}
}

/* Pictures with more and more colours, as on screens of text and as in photographs. */
static void paint(struct session *session, unsigned kind)
{
	struct mw_canvas *canvas = &session->screen.canvas;
	uint32_t random = 1 + kind;

	for (size_t i = 0; i < (size_t)canvas->width * canvas->height; i++) {
		random = random * 1664525u + 1013904223u;
		uint32_t x = (uint32_t)i % canvas->width, y = (uint32_t)i / canvas->width;
		const uint32_t shades[] = {
			0xaabbcc,
			(x / 9 + y / 7) % 2 ? 0xffffff : 0x0000aa,
			random >> 31 ? 0xffffff : 0,
			(x / 5 + y / 3) % 4 * 0x112233,
			(random >> 28) * 0x0a0b0c,
			(x % 40 < 20) ? 0x00aa00 : random >> 8,
			random >> 8,
			(x / 30 + y / 20) % 12 * 0x112233,
			y % 64 < 30 ? 0x123456 : ((x / 9 + 100 * y) * 0x010305) & 0xffffff,
		};

		canvas->pixels[i] = shades[kind];
	}
	touch_all(session);
}
enum { PICTURES = 9 };

/* 7.1 */

static void versions_are_negotiated(void **state)
{
	static const struct {
		const char *says, *answer;
		size_t bytes;
	} rows[] = {
		{ "RFB 003.003\n", "\0\0\0\1", 4 },
		{ "RFB 003.005\n", "\0\0\0\1", 4 },
		{ "RFB 003.007\n", "\1\1", 2 },
		{ "RFB 003.889\n", "\1\1", 2 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session *session = open_session(NULL, false);

		EXPECT(session, "RFB 003.008\n");
		assert_true(say(session, rows[i].says, 12));
		expect(session, rows[i].answer, rows[i].bytes);
		close_session(session);
	}
}

static void strangers_are_refused(void **state)
{
	static const char *const wrong[] = { "GET / HTTP/1", "RFB 004.000\n", "RFB 003.0x8\n",
					     "RFB 003.008 " };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct session *session = open_session(NULL, false);

		assert_false(say(session, wrong[i], 12));
		assert_non_null(session->rfb->why);
		close_session(session);
	}
}

static void type_that_was_not_offered_is_refused(void **state)
{
	struct session *session = open_session("secret", false);

	assert_true(SAY(session, "RFB 003.008\n"));
	assert_false(SAY(session, "\1"));
	close_session(session);
}

/* 7.2.2; the bits of the key come the wrong way round. */
static void answer(struct session *session, const char *password)
{
	uint8_t key[8] = { 0 }, out[16];
	mbedtls_des_context des;

	for (size_t i = 0; i < strnlen(password, 8); i++)
		for (unsigned bit = 0; bit < 8; bit++)
			if (password[i] >> bit & 1)
				key[i] |= (uint8_t)(0x80 >> bit);
	mbedtls_des_init(&des);
	mbedtls_des_setkey_enc(&des, key);
	mbedtls_des_crypt_ecb(&des, session->rfb->challenge, out);
	mbedtls_des_crypt_ecb(&des, session->rfb->challenge + 8, out + 8);
	session->rfb->sent = session->rfb->count;
	assert_true(say(session, out, sizeof(out)));
}

static struct session *challenged(const char *version)
{
	struct session *session = open_session("longpassword", false);

	EXPECT(session, "RFB 003.008\n");
	assert_true(say(session, version, 12));
	if (memcmp(version, "RFB 003.003\n", 12) != 0) {
		EXPECT(session, "\1\2");
		assert_true(SAY(session, "\2"));
	}
	return session;
}

static void password_opens(void **state)
{
	static const char *const versions[] = { "RFB 003.003\n", "RFB 003.007\n", "RFB 003.008\n" };

	for (size_t i = 0; i < 3; i++) {
		struct session *session = challenged(versions[i]);

		answer(session, "longpassword");
		EXPECT(session, "\0\0\0\0");
		assert_int_equal(session->rfb->state, MW_RFB_INIT);
		close_session(session);
	}
}

static void wrong_password_is_told_when_the_server_says_so(void **state)
{
	struct session *session = challenged("RFB 003.008\n");

	answer(session, "guess");
	EXPECT(session, "");
	assert_int_equal(session->rfb->state, MW_RFB_REFUSED);
	assert_int_equal(mw_rfb_wants_bytes(session->rfb), 0);
	mw_rfb_refuse(session->rfb);
	EXPECT(session, "\0\0\0\1\0\0\0\x15the password is wrong");
	assert_true(session->rfb->leaving);
	close_session(session);
}

static void challenges_differ(void **state)
{
	struct session *one = challenged("RFB 003.008\n"), *other = challenged("RFB 003.008\n");

	assert_memory_not_equal(one->rfb->challenge, other->rfb->challenge, 16);
	close_session(one);
	close_session(other);
}

/* VeNCrypt 0.2 */

static void tls_comes_before_all_else(void **state)
{
	struct session *session = open_session(NULL, true);

	EXPECT(session, "RFB 003.008\n");
	assert_true(SAY(session, "RFB 003.008\n"));
	EXPECT(session, "\1\x13");
	assert_true(SAY(session, "\x13"));
	EXPECT(session, "\0\2");
	assert_true(SAY(session, "\0\2"));
	EXPECT(session, "\0\1\0\0\1\4");
	assert_true(SAY(session, "\0\0\1\4"));
	EXPECT(session, "\1");
	assert_int_equal(session->rfb->state, MW_RFB_TLS);
	assert_int_equal(mw_rfb_wants_bytes(session->rfb), 0);
	mw_rfb_secured(session->rfb);
	EXPECT(session, "\0\0\0\0");
	close_session(session);
}

static void tls_with_password_asks_for_it_inside(void **state)
{
	struct session *session = open_session("inside", true);

	assert_true(SAY(session, "RFB 003.008\n"));
	assert_true(SAY(session, "\x13"));
	session->rfb->sent = session->rfb->count;
	assert_true(SAY(session, "\0\2"));
	EXPECT(session, "\0\1\0\0\1\5");
	assert_true(SAY(session, "\0\0\1\5"));
	mw_rfb_secured(session->rfb);
	answer(session, "inside");
	EXPECT(session, "\0\0\0\0");
	close_session(session);
}

static void tls_is_not_talked_away(void **state)
{
	struct session *session = open_session(NULL, true);

	assert_true(SAY(session, "RFB 003.003\n"));
	assert_true(session->rfb->leaving);
	close_session(session);

	session = open_session(NULL, true);
	assert_true(SAY(session, "RFB 003.008\n"));
	assert_true(SAY(session, "\x13"));
	assert_true(SAY(session, "\0\2"));
	session->rfb->sent = session->rfb->count;
	assert_true(SAY(session, "\0\0\1\1")); /* a subtype without certificates */
	EXPECT(session, "\0");
	assert_true(session->rfb->leaving);
	close_session(session);
}

/* 7.6, 7.7 */

static void pictures_arrive_in_every_encoding(void **state)
{
	static const int32_t encodings[] = { RAW, HEXTILE, ZRLE };

	for (size_t i = 0; i < 3; i++) {
		struct session *session = talk();

		accept(session, &encodings[i], 1);
		for (unsigned kind = 0; kind < PICTURES; kind++) {
			paint(session, kind);
			ask(session, kind);
			expect_same(session);
		}
		assert_int_equal(session->client.updates, PICTURES);
		close_session(session);
	}
}

static void pictures_arrive_in_every_format(void **state)
{
	static const struct {
		unsigned bits, max[3], shift[3];
	} formats[] = {
		{ 32, { 255, 255, 255 }, { 16, 8, 0 } },
		{ 32, { 255, 255, 255 }, { 8, 16, 24 } },
		{ 32, { 255, 255, 255 }, { 0, 8, 16 } },
		{ 32, { 1023, 1023, 1023 }, { 20, 10, 0 } },
		{ 16, { 31, 63, 31 }, { 11, 5, 0 } },
		{ 16, { 15, 15, 15 }, { 8, 4, 0 } },
		{ 8, { 7, 7, 3 }, { 0, 3, 6 } },
		{ 8, { 3, 3, 3 }, { 4, 2, 0 } },
	};

	for (size_t i = 0; i < 3 * 2 * sizeof(formats) / sizeof(formats[0]); i++) {
		static const int32_t encodings[] = { RAW, HEXTILE, ZRLE };
		struct session *session = talk();
		uint8_t bytes[20];

		rfb_client_format(&session->client, formats[i / 6].bits, i & 1, formats[i / 6].max,
				  formats[i / 6].shift);
		assert_true(say(session, bytes, rfb_client_set_format(&session->client, bytes)));
		accept(session, &encodings[i / 2 % 3], 1);
		for (unsigned kind = 0; kind < PICTURES; kind += 2) {
			paint(session, kind);
			ask(session, kind);
			expect_same(session);
		}
		close_session(session);
	}
}

static void who_wants_a_map_gets_one(void **state)
{
	static const unsigned max[] = { 7, 7, 3 }, shift[] = { 5, 2, 0 };
	struct session *session = talk();
	uint8_t bytes[20];

	session->client.mapped = true;
	rfb_client_format(&session->client, 8, false, max, shift);
	assert_true(say(session, bytes, rfb_client_set_format(&session->client, bytes)));
	paint(session, 6);
	ask(session, false);
	expect_same(session);
	assert_int_equal(session->client.maps, 1);
	close_session(session);
}

static void formats_without_sense_are_refused(void **state)
{
	static const uint8_t wrong[][16] = {
		{ 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 },
		{ 0 },
		{ 16, 16, 0, 0 },
		{ 16, 16, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 },
		{ 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 32, 8, 0 },
		{ 32, 24, 0, 1, 255, 255, 0, 255, 0, 255, 17, 8, 0 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct session *session = talk();

		assert_true(SAY(session, "\0\0\0\0"));
		assert_false(say(session, wrong[i], 16));
		close_session(session);
	}
}

static void only_what_has_changed_is_sent(void **state)
{
	struct session *session = talk();

	ask(session, false);
	assert_int_equal(session->client.updates, 1);
	ask(session, true);
	assert_int_equal(session->client.updates, 1);
	assert_true(mw_rfb_waits(session->rfb));
	session->screen.canvas.pixels[70 * WIDTH + 130] = 0x123456;
	mw_rfb_touch(session->rfb, 2, 1);
	deliver(session, SIZE_MAX);
	assert_int_equal(session->client.updates, 2);
	assert_false(mw_rfb_waits(session->rfb));
	expect_same(session);
	close_session(session);
}

static void slow_reader_has_one_update_on_its_way(void **state)
{
	struct session *session = talk();
	struct mw_rfb *rfb = session->rfb;
	uint8_t bytes[10];

	set_canvas(session, 2000, 300);
	session->client.width = rfb->width = 2000;
	session->client.height = rfb->height = 300;
	paint(session, 6);
	assert_true(say(session, bytes, rfb_client_request(&session->client, bytes, false)));
	assert_false(mw_rfb_fill(rfb)); /* the picture may be old */
	mw_rfb_refreshed(rfb);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(mw_rfb_fill(rfb));
		assert_true(say(session, bytes, rfb_client_request(&session->client, bytes, true)));
	}
	assert_true(rfb->count <= MW_RFB_OUT_BYTES);
	paint(session, 5);
	deliver(session, 1000);
	assert_int_equal(session->client.updates, 2);
	expect_same(session);
	close_session(session);
}

/* DesktopSize, ExtendedDesktopSize */

static void client_follows_the_size(void **state)
{
	static const int32_t kinds[] = { DESKTOP_SIZE, EXTENDED_SIZE };

	for (size_t i = 0; i < 2; i++) {
		struct session *session = talk();

		ACCEPT(session, kinds[i], ZRLE);
		ask(session, false);
		unsigned before = session->client.sizes;

		assert_int_equal(before, i); /* the extended one is told at once */
		set_canvas(session, LARGE, 80);
		mw_rfb_resized(session->rfb);
		ask(session, true);
		assert_int_equal(session->client.sizes, before + 1);
		assert_int_equal(session->client.width, LARGE);
		paint(session, 3);
		ask(session, true);
		expect_same(session);
		close_session(session);
	}
}

static void client_that_cannot_sees_what_fits(void **state)
{
	struct session *session = talk();

	ask(session, false);
	set_canvas(session, LARGE, 80);
	mw_rfb_resized(session->rfb);
	paint(session, 5);
	ask(session, true);
	assert_int_equal(session->client.width, WIDTH);
	expect_same(session);
	close_session(session);
}

static void size_is_the_guests_to_set(void **state)
{
	struct session *session = talk();

	ACCEPT(session, EXTENDED_SIZE);
	ask(session, false);
	assert_true(SAY(session, "\xfb\0\3\0\2\0\1\0"
				 "\0\0\0\0\0\0\0\0\3\0\2\0\0\0\0\0"));
	ask(session, true);
	assert_int_equal(session->client.size_reason, 1);
	assert_int_equal(session->client.size_status, 1);
	assert_int_equal(session->client.width, WIDTH);
	close_session(session);
}

static void resize_within_an_update_does_no_harm(void **state)
{
	struct session *session = talk();
	struct mw_rfb *rfb = session->rfb;
	uint8_t bytes[10];

	ACCEPT(session, DESKTOP_SIZE, HEXTILE);
	paint(session, 6);
	assert_true(say(session, bytes, rfb_client_request(&session->client, bytes, false)));
	assert_false(mw_rfb_fill(rfb)); /* the picture may be old */
	mw_rfb_refreshed(rfb);
	assert_true(mw_rfb_fill(rfb));
	set_canvas(session, 10, 10);
	mw_rfb_resized(rfb);
	deliver(session, 77);
	ask(session, true);
	ask(session, true);
	assert_int_equal(session->client.width, 10);
	expect_same(session);
	close_session(session);
}

/* 7.5 */

static void first_encoding_that_we_have_is_taken(void **state)
{
	struct session *session = talk();

	ACCEPT(session, TIGHT, HEXTILE, ZRLE, RAW);
	assert_int_equal(session->rfb->encoding, HEXTILE);
	ACCEPT(session, TIGHT);
	assert_int_equal(session->rfb->encoding, RAW);
	close_session(session);
}

static void keys_and_pointers_arrive(void **state)
{
	struct session *session = talk();
	uint8_t bytes[8];

	assert_true(say(session, bytes, rfb_client_key(bytes, 0xff0d, true)));
	assert_int_equal(session->keysym, 0xff0d);
	assert_true(session->pressed);
	assert_true(say(session, bytes, rfb_client_pointer(bytes, 5, 17, 33)));
	assert_int_equal(session->buttons, 5);
	assert_int_equal(session->x, 17);
	assert_int_equal(session->y, 33);
	assert_false(session->relative);
	close_session(session);
}

static void pointer_may_be_relative(void **state)
{
	struct session *session = talk();
	uint8_t bytes[6];

	ACCEPT(session, POINTER);
	assert_true(say(session, bytes, rfb_client_pointer(bytes, 0, 100, 100)));
	assert_false(session->relative); /* it has not heard of it yet */
	ask(session, true);
	assert_true(session->client.relative);
	assert_true(say(session, bytes, rfb_client_pointer(bytes, 0, 0x7fff + 3, 0x7fff - 4)));
	assert_true(session->relative);
	assert_int_equal(session->x, 3);
	assert_int_equal(session->y, -4);
	close_session(session);
}

static void keys_may_come_by_their_place(void **state)
{
	struct session *session = talk();

	ACCEPT(session, SCAN_CODES);
	ask(session, true);
	assert_true(session->client.scan_codes);
	assert_true(SAY(session, "\xff\0\0\1\0\0\0\x61\0\0\0\x1e"));
	assert_int_equal(session->code, 0x1e);
	assert_true(session->pressed);
	assert_false(SAY(session, "\xff\1\0\1\0\0\0\x61\0\0\0\x1e"));
	close_session(session);
}

static void text_of_the_clipboard_is_skipped(void **state)
{
	struct session *session = talk();
	char text[5000] = { 0 };
	uint8_t bytes[8];

	assert_true(SAY(session, "\6\0\0\0\0\0\x13\x88"));
	assert_true(say(session, text, sizeof(text)));
	assert_true(say(session, bytes, rfb_client_key(bytes, 'a', true)));
	assert_int_equal(session->keys, 1);
	assert_true(SAY(session, "\6\0\0\0\0\0\0\0"));
	assert_true(say(session, bytes, rfb_client_key(bytes, 'a', true)));
	assert_int_equal(session->keys, 2);
	assert_false(SAY(session, "\6\0\0\0\0\x10\0\1"));
	close_session(session);
}

static void messages_that_are_not_known_are_refused(void **state)
{
	static const uint8_t types[] = { 1, 7, 150, 248, 250, 254 };

	for (size_t i = 0; i < sizeof(types); i++) {
		struct session *session = talk();

		assert_false(say(session, &types[i], 1));
		close_session(session);
	}
}

static void bytes_may_come_one_by_one(void **state)
{
	struct session *session = talk();
	static const char bytes[] = "\2\0\0\2\0\0\0\7\0\0\0\x10" /* encodings */
				    "\4\1\0\0\0\0\0x"            /* a key */
				    "\6\0\0\0\0\0\0\3xyz"        /* text */
				    "\5\1\0\1\0\2";              /* the pointer */

	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		assert_true(say(session, bytes + i, 1));
	assert_int_equal(session->rfb->encoding, ZRLE);
	assert_int_equal(session->keysym, 'x');
	assert_int_equal(session->pointers, 1);
	close_session(session);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions_are_negotiated),
		TEST(strangers_are_refused),
		TEST(type_that_was_not_offered_is_refused),
		TEST(password_opens),
		TEST(wrong_password_is_told_when_the_server_says_so),
		TEST(challenges_differ),
		TEST(tls_comes_before_all_else),
		TEST(tls_with_password_asks_for_it_inside),
		TEST(tls_is_not_talked_away),
		TEST(pictures_arrive_in_every_encoding),
		TEST(pictures_arrive_in_every_format),
		TEST(who_wants_a_map_gets_one),
		TEST(formats_without_sense_are_refused),
		TEST(only_what_has_changed_is_sent),
		TEST(slow_reader_has_one_update_on_its_way),
		TEST(client_follows_the_size),
		TEST(client_that_cannot_sees_what_fits),
		TEST(size_is_the_guests_to_set),
		TEST(resize_within_an_update_does_no_harm),
		TEST(first_encoding_that_we_have_is_taken),
		TEST(keys_and_pointers_arrive),
		TEST(pointer_may_be_relative),
		TEST(keys_may_come_by_their_place),
		TEST(text_of_the_clipboard_is_skipped),
		TEST(messages_that_are_not_known_are_refused),
		TEST(bytes_may_come_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
