/** One client of a screen that is shared by RFB (RFC 6143, "The Remote Framebuffer Protocol"): bytes in, bytes
 * and events out. Knows no sockets. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_RFB_H
#define DEVICES_BACKEND_RFB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

/** What is sent anew is counted in tiles, and goes out in pieces of at most MW_RFB_RUN tiles of a row. */
enum { MW_RFB_TILE = 64, MW_RFB_TILES = MW_CANVAS_MAX / MW_RFB_TILE, MW_RFB_RUN = 16 };
enum {
	MW_RFB_PIECE_BYTES = MW_RFB_RUN * MW_RFB_TILE * MW_RFB_TILE * 4,
	/* what an encoding adds to pixels that it cannot make smaller, and headers */
	MW_RFB_OUT_BYTES = MW_RFB_PIECE_BYTES + MW_RFB_PIECE_BYTES / 64 + 4096,
	MW_RFB_SPILL_BYTES = 64,
	MW_RFB_IN_BYTES = 64
};
/** VNC's passwords have no more. */
enum { MW_RFB_PASSWORD = 8, MW_RFB_CHALLENGE = 16 };

/** How a client wants its pixels. */
struct mw_rfb_format {
	uint8_t bytes; /* of a pixel: 1, 2 or 4 */
	uint8_t depth;
	bool big_endian, mapped;
	bool native;     /* a pixel is what the canvas has, its lowest byte first */
	uint16_t max[3]; /* red, green, blue */
	uint8_t shift[3];
};

/** What a client does; called within mw_rfb_take. Buttons: a mask, left, middle, right, wheel up and down. */
struct mw_rfb_events {
	void (*on_key)(void *context, uint32_t keysym, bool pressed);
	/** A key by its place (XT scan code, bit 7 for those with an 0xe0 before them). */
	void (*on_scan_code)(void *context, uint32_t code, bool pressed);
	void (*on_pointer)(void *context, unsigned buttons, int32_t x, int32_t y, bool relative);
};

/** What all clients share. */
struct mw_rfb_screen {
	const char *name;
	bool secured;         /* TLS comes before all else (VeNCrypt, X509) */
	const char *password; /* NULL: none is asked for */
	struct mw_canvas canvas;
	const struct mw_rfb_events *events;
};

enum mw_rfb_state {
	MW_RFB_VERSION,
	MW_RFB_SECURITY,
	MW_RFB_VENCRYPT_VERSION,
	MW_RFB_VENCRYPT_TYPE,
	MW_RFB_TLS,      /* the next byte is TLS's: mw_rfb_secured goes on */
	MW_RFB_RESPONSE, /* to the password's challenge */
	MW_RFB_REFUSED,  /* mw_rfb_refuse tells the client */
	MW_RFB_INIT,
	MW_RFB_WELCOME, /* mw_rfb_welcome goes on */
	MW_RFB_MESSAGE,
	MW_RFB_ENCODINGS, /* a message's list */
	MW_RFB_SKIP       /* a message's rest that nobody needs */
};

/** Zeroed, then mw_rfb_begin. Bounded: it holds one piece of one update at most. */
struct mw_rfb {
	const struct mw_rfb_screen *screen;
	void *context; /* of events */
	enum mw_rfb_state state;
	unsigned minor; /* of the client's version: 3, 7 or 8 */
	bool leaving;   /* what is in `out` is the last */
	bool broken;    /* an encoding failed: it has to go at once */
	const char *why;
	uint8_t challenge[MW_RFB_CHALLENGE];
	/* Input: the message that is not complete yet, and how much of its rest is to come. */
	size_t held, need;
	uint32_t rest;
	uint8_t in[MW_RFB_IN_BYTES];
	/* What the client can. */
	struct mw_rfb_format format;
	int32_t encoding;
	bool chosen, resizes, resizes_well, relative, scan_codes;
	/* What is to be told before the next picture. */
	bool tell_map, tell_size, tell_relative, tell_scan_codes;
	uint32_t size_reason, size_status;
	/* Its picture: the size it knows, what it has asked for, and what it has not got. */
	uint32_t width, height;
	bool wants;
	bool stale; /* it has asked for what is there now, not for what has changed */
	struct mw_rect area;
	uint64_t dirty[MW_RFB_TILES];
	/* The update that is on its way. */
	bool updating;
	unsigned row;
	uint64_t sending[MW_RFB_TILES];
	struct mw_rfb_deflate *deflate;
	size_t sent, count;
	uint8_t out[MW_RFB_OUT_BYTES + MW_RFB_SPILL_BYTES]; /* what has no room would fall there */
};

void mw_rfb_begin(struct mw_rfb *rfb, const struct mw_rfb_screen *screen, void *context);
void mw_rfb_fini(struct mw_rfb *rfb);

/** How many bytes it waits for, at least one; 0: it takes none now. Until TLS has begun it must not get more. */
size_t mw_rfb_wants_bytes(const struct mw_rfb *rfb);
/** Takes all of them, however cut; false: the client has to go, `why` says what it did. */
bool mw_rfb_take(struct mw_rfb *rfb, const uint8_t *bytes, size_t count);
/** Refills `out` once all of it is sent; false: there is nothing to send. */
bool mw_rfb_fill(struct mw_rfb *rfb);

/* The steps that wait for somebody else. */
void mw_rfb_secured(struct mw_rfb *rfb);
void mw_rfb_refuse(struct mw_rfb *rfb);
void mw_rfb_welcome(struct mw_rfb *rfb);

/** A tile of the canvas is not what it was; the canvas has another size. */
void mw_rfb_touch(struct mw_rfb *rfb, unsigned column, unsigned row);
void mw_rfb_resized(struct mw_rfb *rfb);
/** After these: the canvas is the display's picture of now. */
void mw_rfb_refreshed(struct mw_rfb *rfb);

/* For the parts of it. */

/** Room for `count` bytes, at most MW_RFB_SPILL_BYTES, which are the caller's to fill. */
uint8_t *mw_rfb_put(struct mw_rfb *rfb, size_t count);
void mw_rfb_put8(struct mw_rfb *rfb, uint8_t value);
void mw_rfb_put16(struct mw_rfb *rfb, uint16_t value);
void mw_rfb_put32(struct mw_rfb *rfb, uint32_t value);
uint16_t mw_rfb_get16(const uint8_t *bytes);
uint32_t mw_rfb_get32(const uint8_t *bytes);

/** The client is refused: false, for the caller to return. */
bool mw_rfb_fail(struct mw_rfb *rfb, const char *why);

/* rfb_security.c: every state before MW_RFB_INIT, with its message in `in`. */
bool mw_rfb_take_security(struct mw_rfb *rfb);

/* rfb_update.c */
void mw_rfb_request(struct mw_rfb *rfb, const struct mw_rect *area, bool incremental);
/** Whether the client waits for a picture. */
bool mw_rfb_waits(const struct mw_rfb *rfb);

/* rfb_encode.c */
enum { MW_RFB_RAW = 0, MW_RFB_HEXTILE = 5, MW_RFB_ZRLE = 16 };
/** The rectangle of the canvas, in the client's encoding; what is outside of it is black. */
void mw_rfb_encode(struct mw_rfb *rfb, const struct mw_rect *rect);

/* rfb_pixel.c */
extern const struct mw_rfb_format mw_rfb_native;
/** From the wire; false: it makes no sense. */
bool mw_rfb_read_format(struct mw_rfb_format *format, const uint8_t bytes[16]);
void mw_rfb_write_format(uint8_t bytes[16]);
uint32_t mw_rfb_pixel(const struct mw_rfb_format *format, uint32_t rgb);
/** Writes pixels, and returns what follows them. */
uint8_t *mw_rfb_put_pixels(const struct mw_rfb_format *format, uint8_t *out, const uint32_t *rgb,
			   size_t count);
/** The same as ZRLE has it: 24 of 32 bits where the others say nothing. */
size_t mw_rfb_short_pixel_bytes(const struct mw_rfb_format *format);
uint8_t *mw_rfb_put_short_pixels(const struct mw_rfb_format *format, uint8_t *out,
				 const uint32_t *rgb, size_t count);

/* rfb_deflate.c */
/** NULL where zlib does not start. */
struct mw_rfb_deflate *mw_rfb_deflate_open(void);
void mw_rfb_deflate_close(struct mw_rfb_deflate *deflate);
/** Writes what the bytes become, `*used` of them; `last` brings all of it out. False: it did not fit. */
bool mw_rfb_deflate_add(struct mw_rfb_deflate *deflate, const uint8_t *bytes, size_t count,
			bool last, uint8_t *out, size_t room, size_t *used);

#endif
