/** The client's side of RFB (RFC 6143) as a test needs it: it decodes what a server sends, strictly, into a
 * picture. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_RFB_CLIENT_H
#define TESTS_SUPPORT_RFB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum { RFB_CLIENT_SIDE = 4096 };

/** Zeroed, then rfb_client_init; after the greeting's end bytes go to rfb_client_take, however cut. */
struct rfb_client {
	unsigned bits, max[3], shift[3];
	bool big_endian, mapped;
	uint32_t width, height;
	uint32_t *pixels; /* rows of RFB_CLIENT_SIDE, 0x00RRGGBB */
	/* What has come: */
	unsigned updates, rectangles, sizes, maps;
	unsigned size_reason, size_status;
	bool relative, scan_codes;
	/* Private. */
	uint8_t *bytes;
	size_t count, capacity;
	unsigned rectangles_left;
	z_stream inflate;
};

void rfb_client_init(struct rfb_client *client, uint32_t width, uint32_t height);
void rfb_client_fini(struct rfb_client *client);
/** 32 bits, 0x00RRGGBB, little end first, until it is told otherwise. */
void rfb_client_format(struct rfb_client *client, unsigned bits, bool big_endian,
		       const unsigned max[3], const unsigned shift[3]);
/** False: what came is no RFB. */
bool rfb_client_take(struct rfb_client *client, const uint8_t *bytes, size_t count);
/** Between two messages. */
bool rfb_client_rests(const struct rfb_client *client);
uint32_t rfb_client_pixel(const struct rfb_client *client, uint32_t x, uint32_t y);
/** What becomes of a colour in its format. */
uint32_t rfb_client_round(const struct rfb_client *client, uint32_t rgb);

/* Messages to the server; each returns its length. */
size_t rfb_client_set_format(const struct rfb_client *client, uint8_t out[20]);
size_t rfb_client_set_encodings(uint8_t *out, const int32_t *encodings, size_t count);
size_t rfb_client_request(const struct rfb_client *client, uint8_t out[10], bool incremental);
size_t rfb_client_key(uint8_t out[8], uint32_t keysym, bool pressed);
size_t rfb_client_pointer(uint8_t out[6], unsigned buttons, unsigned x, unsigned y);

#endif
