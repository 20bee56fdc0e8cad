/* Encodings of RFB: RFC 6143, sections 7.7.1 (raw), 7.7.4 (hextile) and 7.7.6 (ZRLE). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/backend/rfb.h"

enum { HEXTILE = 16, ZRLE_TILE = MW_RFB_TILE, MOST_COLOURS = 16 };
enum {
	HEXTILE_RAW = 1,
	HEXTILE_BACKGROUND = 2,
	HEXTILE_FOREGROUND = 4,
	HEXTILE_SUBRECTANGLES = 8,
	HEXTILE_COLOURED = 16
};
enum { ZRLE_RAW = 0, ZRLE_SOLID = 1, ZRLE_RUNS = 128, RUN = 0x80, RUN_PART = 255 };
enum { LARGEST_TILE = ZRLE_TILE * ZRLE_TILE * 4 + 1 };

/** Pixels of a tile, taken together; outside of the canvas they are black. */
struct tile {
	uint32_t width, height;
	unsigned colours; /* MOST_COLOURS + 1: more than there is room for */
	uint32_t colour[MOST_COLOURS];
	uint32_t pixels[ZRLE_TILE * ZRLE_TILE];
};

static size_t pixels_of(const struct tile *tile)
{
	return (size_t)tile->width * tile->height;
}

static void take_pixels(const struct mw_canvas *canvas, struct tile *tile, uint32_t x, uint32_t y)
{
	uint32_t inside = x < canvas->width ? canvas->width - x : 0;

	if (inside > tile->width)
		inside = tile->width;
	for (uint32_t row = 0; row < tile->height; row++) {
		uint32_t *pixels = tile->pixels + row * tile->width;
		uint32_t count = y + row < canvas->height ? inside : 0;

		if (count)
			memcpy(pixels, canvas->pixels + (size_t)(y + row) * canvas->width + x,
			       count * sizeof(*pixels));
		memset(pixels + count, 0, (tile->width - count) * sizeof(*pixels));
	}
}

static unsigned index_of(const struct tile *tile, uint32_t rgb)
{
	unsigned i = 0;

	while (i < tile->colours && tile->colour[i] != rgb)
		i++;
	return i;
}

static void count_colours(struct tile *tile)
{
	tile->colours = 0;
	for (size_t i = 0; i < pixels_of(tile); i++) {
		uint32_t rgb = tile->pixels[i];

		if (i && rgb == tile->pixels[i - 1])
			continue;
		if (index_of(tile, rgb) < tile->colours)
			continue;
		if (tile->colours++ == MOST_COLOURS)
			return;
		tile->colour[tile->colours - 1] = rgb;
	}
}

static void take_tile(const struct mw_rfb *rfb, const struct mw_rect *rect, struct tile *tile,
		      uint32_t x, uint32_t y, uint32_t side)
{
	tile->width = rect->width - x < side ? rect->width - x : side;
	tile->height = rect->height - y < side ? rect->height - y : side;
	take_pixels(&rfb->screen->canvas, tile, rect->x + x, rect->y + y);
	count_colours(tile);
}

/* Moves the end of what is in `out`. */
static void end_at(struct mw_rfb *rfb, const uint8_t *end)
{
	rfb->count = (size_t)(end - rfb->out);
}

static uint8_t *end_of(struct mw_rfb *rfb)
{
	return rfb->out + rfb->count;
}

/* A row of pixels at a time, as the wire has them. */
static void encode_raw(struct mw_rfb *rfb, const struct mw_rect *rect, struct tile *tile)
{
	tile->width = rect->width;
	tile->height = 1;
	for (uint32_t row = 0; row < rect->height; row++) {
		take_pixels(&rfb->screen->canvas, tile, rect->x, rect->y + row);
		end_at(rfb,
		       mw_rfb_put_pixels(&rfb->format, end_of(rfb), tile->pixels, rect->width));
	}
}

/* Hextile */

/* How long the colour goes on to the right, and then how far all of that goes down. */
static void grow(const struct tile *tile, const bool *done, uint32_t x, uint32_t y, uint32_t *width,
		 uint32_t *height)
{
	uint32_t rgb = tile->pixels[y * tile->width + x], right = x, bottom = y + 1;

	while (right < tile->width && tile->pixels[y * tile->width + right] == rgb &&
	       !done[y * tile->width + right])
		right++;
	for (; bottom < tile->height; bottom++) {
		uint32_t i = x;

		while (i < right && tile->pixels[bottom * tile->width + i] == rgb)
			i++;
		if (i < right)
			break;
	}
	*width = right - x;
	*height = bottom - y;
}

/* The subrectangles that are not of the background's colour; 0: they are no shorter than `room`. */
static size_t put_subrectangles(const struct mw_rfb *rfb, const struct tile *tile,
				uint8_t *const out, size_t room)
{
	bool done[HEXTILE * HEXTILE] = { 0 };
	size_t each = tile->colours > 2 ? rfb->format.bytes + 2u : 2;
	uint8_t *at = out + 1;
	unsigned count = 0;

	for (uint32_t y = 0; y < tile->height; y++) {
		for (uint32_t x = 0, width, height; x < tile->width; x++) {
			uint32_t i = y * tile->width + x;

			if (done[i] || tile->pixels[i] == tile->colour[0])
				continue;
			if ((size_t)(at - out) + each >= room)
				return 0;
			grow(tile, done, x, y, &width, &height);
			for (uint32_t row = y; row < y + height; row++)
				memset(done + row * tile->width + x, true, width);
			if (tile->colours > 2)
				at = mw_rfb_put_pixels(&rfb->format, at, &tile->pixels[i], 1);
			*at++ = (uint8_t)(x << 4 | y);
			*at++ = (uint8_t)((width - 1) << 4 | (height - 1));
			count++;
		}
	}
	out[0] = (uint8_t)count;
	return (size_t)(at - out);
}

static void encode_hextile_tile(struct mw_rfb *rfb, const struct tile *tile)
{
	uint8_t *const start = end_of(rfb), *at = start + 1;
	size_t raw = pixels_of(tile) * rfb->format.bytes, length;

	at = mw_rfb_put_pixels(&rfb->format, at, tile->colour, 1);
	start[0] = HEXTILE_BACKGROUND;
	if (tile->colours == 1) {
		end_at(rfb, at);
		return;
	}
	start[0] |= HEXTILE_SUBRECTANGLES |
		    (tile->colours == 2 ? HEXTILE_FOREGROUND : HEXTILE_COLOURED);
	if (tile->colours == 2)
		at = mw_rfb_put_pixels(&rfb->format, at, tile->colour + 1, 1);
	length = tile->colours > MOST_COLOURS || (size_t)(at - start) >= raw
			 ? 0
			 : put_subrectangles(rfb, tile, at, raw - (size_t)(at - start));
	if (length) {
		end_at(rfb, at + length);
		return;
	}
	start[0] = HEXTILE_RAW;
	end_at(rfb, mw_rfb_put_pixels(&rfb->format, start + 1, tile->pixels, pixels_of(tile)));
}

static void encode_hextile(struct mw_rfb *rfb, const struct mw_rect *rect, struct tile *tile)
{
	for (uint32_t y = 0; y < rect->height; y += HEXTILE) {
		for (uint32_t x = 0; x < rect->width; x += HEXTILE) {
			take_tile(rfb, rect, tile, x, y, HEXTILE);
			encode_hextile_tile(rfb, tile);
		}
	}
}

/* ZRLE */

static unsigned packed_bits(const struct tile *tile)
{
	return tile->colours == 2 ? 1 : tile->colours <= 4 ? 2 : 4;
}

/* Each row to a whole byte. */
static uint8_t *pack(const struct tile *tile, uint8_t *out)
{
	unsigned width = packed_bits(tile);

	for (uint32_t y = 0; y < tile->height; y++) {
		unsigned used = 0, byte = 0;

		for (uint32_t x = 0; x < tile->width; x++) {
			byte = byte << width | index_of(tile, tile->pixels[y * tile->width + x]);
			used += width;
			if (used == 8) {
				*out++ = (uint8_t)byte;
				used = byte = 0;
			}
		}
		if (used)
			*out++ = (uint8_t)(byte << (8 - used));
	}
	return out;
}

static uint8_t *put_length(uint8_t *out, size_t length)
{
	for (length--; length >= RUN_PART; length -= RUN_PART)
		*out++ = RUN_PART;
	*out++ = (uint8_t)length;
	return out;
}

/* Runs go on from one row to the next. Each is a colour, or its number in the palette, and a length. */
static uint8_t *put_runs(const struct mw_rfb_format *format, const struct tile *tile, bool numbers,
			 uint8_t *out)
{
	size_t count = pixels_of(tile);

	for (size_t i = 0, end; i < count; i = end) {
		uint32_t rgb = tile->pixels[i];

		for (end = i + 1; end < count && tile->pixels[end] == rgb;)
			end++;
		if (!numbers) {
			out = mw_rfb_put_short_pixels(format, out, &rgb, 1);
			out = put_length(out, end - i);
			continue;
		}
		*out++ = (uint8_t)(index_of(tile, rgb) | (end - i > 1 ? RUN : 0));
		if (end - i > 1)
			out = put_length(out, end - i);
	}
	return out;
}

/* No fewer bytes than the runs take, `each` beside their lengths. */
static size_t most_of_runs(const struct tile *tile, size_t each)
{
	size_t count = pixels_of(tile), runs = 1;

	for (size_t i = 1; i < count; i++)
		runs += tile->pixels[i] != tile->pixels[i - 1];
	return runs * (each + 1) + count / RUN_PART;
}

/* More colours than a palette has room for. */
static size_t make_colourful_tile(const struct mw_rfb_format *format, const struct tile *tile,
				  uint8_t out[LARGEST_TILE])
{
	size_t count = pixels_of(tile), each = mw_rfb_short_pixel_bytes(format);
	bool runs = most_of_runs(tile, each) < count * each;
	uint8_t *end = runs ? put_runs(format, tile, false, out + 1)
			    : mw_rfb_put_short_pixels(format, out + 1, tile->pixels, count);

	out[0] = runs ? ZRLE_RUNS : ZRLE_RAW;
	return (size_t)(end - out);
}

static size_t make_zrle_tile(const struct mw_rfb_format *format, const struct tile *tile,
			     uint8_t out[LARGEST_TILE])
{
	uint8_t *at = out + 1;

	if (tile->colours > MOST_COLOURS)
		return make_colourful_tile(format, tile, out);
	out[0] = (uint8_t)tile->colours; /* ZRLE_SOLID is a palette of one */
	at = mw_rfb_put_short_pixels(format, at, tile->colour, tile->colours);
	if (tile->colours == ZRLE_SOLID)
		return (size_t)(at - out);
	if (most_of_runs(tile, 1) <
	    (size_t)tile->height * ((tile->width * packed_bits(tile) + 7) / 8)) {
		out[0] |= ZRLE_RUNS;
		at = put_runs(format, tile, true, at);
	} else {
		at = pack(tile, at);
	}
	return (size_t)(at - out);
}

/* Their deflated bytes, behind a length that is known afterwards. */
static void encode_zrle(struct mw_rfb *rfb, const struct mw_rect *rect, struct tile *tile)
{
	uint8_t bytes[LARGEST_TILE], *const length = mw_rfb_put(rfb, 4);
	size_t begin = rfb->count;

	if (!rfb->deflate)
		rfb->deflate = mw_rfb_deflate_open();
	rfb->broken = !rfb->deflate;
	for (uint32_t x = 0; x < rect->width && !rfb->broken; x += ZRLE_TILE) {
		size_t count, used;

		take_tile(rfb, rect, tile, x, 0, ZRLE_TILE);
		count = make_zrle_tile(&rfb->format, tile, bytes);
		rfb->broken = !mw_rfb_deflate_add(rfb->deflate, bytes, count,
						  x + ZRLE_TILE >= rect->width, end_of(rfb),
						  MW_RFB_OUT_BYTES - rfb->count, &used);
		rfb->count += used;
	}
	for (unsigned i = 0; i < 4; i++)
		length[i] = (uint8_t)((rfb->count - begin) >> (24 - 8 * i));
}

void mw_rfb_encode(struct mw_rfb *rfb, const struct mw_rect *rect)
{
	struct tile tile;

	switch (rfb->encoding) {
	case MW_RFB_ZRLE: encode_zrle(rfb, rect, &tile); break;
	case MW_RFB_HEXTILE: encode_hextile(rfb, rect, &tile); break;
	default: encode_raw(rfb, rect, &tile);
	}
}
