/* The client's side of RFB: RFC 6143, sections 7.6 and 7.7. */
// SPDX-License-Identifier: MIT
#include "tests/support/rfb_client.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

enum { RAW = 0, HEXTILE = 5, ZRLE = 16, DESKTOP_SIZE = -223, EXTENDED_SIZE = -308 };
enum { POINTER = -257, SCAN_CODES = -258, SIDE = RFB_CLIENT_SIDE };

/** What is still to be read of a message; `good` turns false where there is no more, and then a message that
 * has not come whole is read again later. */
struct reader {
	struct rfb_client *client;
	const uint8_t *at, *end;
	bool good, wrong; /* wrong: more bytes will not help */
};
struct rect {
	uint32_t x, y, width, height;
};

void rfb_client_init(struct rfb_client *client, uint32_t width, uint32_t height)
{
	static const unsigned max[3] = { 255, 255, 255 }, shift[3] = { 16, 8, 0 };

	client->width = width;
	client->height = height;
	client->pixels = mw_alloc((size_t)SIDE * SIDE, sizeof(*client->pixels));
	rfb_client_format(client, 32, false, max, shift);
	inflateInit(&client->inflate);
}

void rfb_client_fini(struct rfb_client *client)
{
	inflateEnd(&client->inflate);
	free(client->pixels);
	free(client->bytes);
}

void rfb_client_format(struct rfb_client *client, unsigned bits, bool big_endian,
		       const unsigned max[3], const unsigned shift[3])
{
	client->bits = bits;
	client->big_endian = big_endian;
	memcpy(client->max, max, sizeof(client->max));
	memcpy(client->shift, shift, sizeof(client->shift));
}

static const uint8_t *take(struct reader *reader, size_t count)
{
	const uint8_t *at = reader->at;

	if (!reader->good || (size_t)(reader->end - at) < count) {
		reader->good = false;
		return NULL;
	}
	reader->at += count;
	return at;
}

static uint32_t take_number(struct reader *reader, unsigned bytes)
{
	const uint8_t *at = take(reader, bytes);
	uint32_t value = 0;

	for (unsigned i = 0; at && i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* Back to 8 bits a colour. */
static uint32_t to_rgb(const struct rfb_client *client, uint32_t pixel)
{
	uint32_t rgb = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint32_t max = client->max[i], value = pixel >> client->shift[i] & max;

		rgb = rgb << 8 | (max ? value * 255 / max : 0);
	}
	return rgb;
}

uint32_t rfb_client_round(const struct rfb_client *client, uint32_t rgb)
{
	uint32_t pixel = 0;

	for (unsigned i = 0; i < 3; i++)
		pixel |= ((rgb >> (16 - 8 * i) & 0xff) * client->max[i] + 127) / 255
			 << client->shift[i];
	return to_rgb(client, pixel);
}

static uint32_t take_pixel_of(struct reader *reader, unsigned bytes, unsigned first)
{
	const uint8_t *at = take(reader, bytes);
	uint32_t pixel = 0;

	for (unsigned i = 0; at && i < bytes; i++)
		pixel |= (uint32_t)at[i]
			 << 8 * (first + (reader->client->big_endian ? bytes - 1 - i : i));
	return to_rgb(reader->client, pixel);
}

static uint32_t take_pixel(struct reader *reader)
{
	return take_pixel_of(reader, reader->client->bits / 8, 0);
}

static uint32_t take_short_pixel(struct reader *reader)
{
	const struct rfb_client *client = reader->client;
	uint32_t used = 0;

	for (unsigned i = 0; i < 3; i++)
		used |= client->max[i] << client->shift[i];
	if (client->bits != 32 || (used > 0xffffff && used & 0xff))
		return take_pixel(reader);
	return take_pixel_of(reader, 3, used > 0xffffff);
}

static void fill(struct rfb_client *client, struct rect rect, uint32_t rgb)
{
	for (uint32_t y = 0; y < rect.height; y++)
		for (uint32_t x = 0; x < rect.width; x++)
			client->pixels[(rect.y + y) * SIDE + rect.x + x] = rgb;
}

static void take_raw(struct reader *reader, struct rect rect, uint32_t (*pixel)(struct reader *))
{
	for (uint32_t i = 0; i < rect.width * rect.height && reader->good; i++)
		reader->client->pixels[(rect.y + i / rect.width) * SIDE + rect.x + i % rect.width] =
			pixel(reader);
}

static void take_subrectangles(struct reader *reader, struct rect tile, bool coloured, uint32_t rgb)
{
	unsigned count = take_number(reader, 1);

	for (unsigned i = 0; i < count && reader->good; i++) {
		if (coloured)
			rgb = take_pixel(reader);
		uint32_t place = take_number(reader, 1), size = take_number(reader, 1);
		struct rect part = { place >> 4, place & 15, (size >> 4) + 1, (size & 15) + 1 };

		if (part.x + part.width > tile.width || part.y + part.height > tile.height) {
			reader->wrong = true;
			return;
		}
		part.x += tile.x;
		part.y += tile.y;
		fill(reader->client, part, rgb);
	}
}

static void take_hextile(struct reader *reader, struct rect rect)
{
	uint32_t background = 0, foreground = 0;

	for (uint32_t y = 0; y < rect.height; y += 16) {
		for (uint32_t x = 0; x < rect.width && reader->good; x += 16) {
			struct rect tile = { rect.x + x, rect.y + y,
					     rect.width - x < 16 ? rect.width - x : 16,
					     rect.height - y < 16 ? rect.height - y : 16 };
			uint32_t kind = take_number(reader, 1);

			if (kind & 1) {
				take_raw(reader, tile, take_pixel);
				continue;
			}
			if (kind & 2)
				background = take_pixel(reader);
			fill(reader->client, tile, background);
			if (kind & 4)
				foreground = take_pixel(reader);
			if (kind & 8)
				take_subrectangles(reader, tile, kind & 16, foreground);
		}
	}
}

static void take_packed(struct reader *reader, struct rect tile, unsigned colours)
{
	uint32_t palette[16];
	unsigned width = colours == 2 ? 1 : colours <= 4 ? 2 : 4;

	for (unsigned i = 0; i < colours; i++)
		palette[i] = take_short_pixel(reader);
	for (uint32_t y = 0; y < tile.height; y++) {
		unsigned byte = 0, left = 0;

		for (uint32_t x = 0; x < tile.width && reader->good; x++) {
			if (!left) {
				byte = take_number(reader, 1);
				left = 8;
			}
			left -= width;
			unsigned index = byte >> left & ((1u << width) - 1);

			reader->wrong |= index >= colours;
			reader->client->pixels[(tile.y + y) * SIDE + tile.x + x] =
				palette[index < colours ? index : 0];
		}
	}
}

/* Each part but the last is 255. */
static size_t take_length(struct reader *reader)
{
	size_t length = 1, part;

	do {
		part = take_number(reader, 1);
		length += part;
	} while (part == 255 && reader->good);
	return length;
}

/* Runs of pixels, or of numbers in a palette, which have a length if bit 7 says so. */
static void take_runs(struct reader *reader, struct rect tile, unsigned colours)
{
	uint32_t palette[16];
	size_t count = (size_t)tile.width * tile.height;

	for (unsigned i = 0; i < colours; i++)
		palette[i] = take_short_pixel(reader);
	for (size_t i = 0, end; i < count && reader->good; i = end) {
		uint32_t what = colours ? take_number(reader, 1) : take_short_pixel(reader);

		end = i + (!colours || what & 0x80 ? take_length(reader) : 1);
		reader->wrong |= end > count || (colours && (what & 0x7f) >= colours);
		if (reader->wrong)
			return;
		for (size_t at = i; at < end; at++)
			reader->client->pixels[(tile.y + at / tile.width) * SIDE + tile.x +
					       at % tile.width] =
				colours ? palette[what & 0x7f] : what;
	}
}

static void take_zrle_tiles(struct reader *reader, struct rect rect)
{
	for (uint32_t y = 0; y < rect.height; y += 64) {
		for (uint32_t x = 0; x < rect.width && reader->good; x += 64) {
			struct rect tile = { rect.x + x, rect.y + y,
					     rect.width - x < 64 ? rect.width - x : 64,
					     rect.height - y < 64 ? rect.height - y : 64 };
			uint32_t kind = take_number(reader, 1);

			if (kind == 0)
				take_raw(reader, tile, take_short_pixel);
			else if (kind == 1)
				fill(reader->client, tile, take_short_pixel(reader));
			else if (kind <= 16)
				take_packed(reader, tile, kind);
			else if (kind >= 128 && kind <= 128 + 16 && kind != 129)
				take_runs(reader, tile, kind - 128);
			else
				reader->wrong = true;
		}
	}
}

/* One stream for all of a connection, so nothing is inflated until all of the rectangle is there. */
static void take_zrle(struct reader *reader, struct rect rect)
{
	uint32_t count = take_number(reader, 4);
	const uint8_t *bytes = take(reader, count);
	size_t room = (size_t)rect.width * rect.height * 4 + 65536;
	uint8_t *out = bytes ? mw_alloc(room, 1) : NULL;
	z_stream *stream = &reader->client->inflate;

	if (!bytes)
		return;
	stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
	stream->avail_in = count;
	stream->next_out = out;
	stream->avail_out = (uInt)room;
	reader->wrong |= inflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_in;
	struct reader inner = { reader->client, out, out + (room - stream->avail_out), true,
				false };

	take_zrle_tiles(&inner, rect);
	reader->wrong |= inner.wrong || !inner.good || inner.at != inner.end;
	free(out);
}

static void take_extended_size(struct reader *reader, struct rect rect)
{
	struct rfb_client *client = reader->client;
	uint32_t screens = take_number(reader, 1);

	take(reader, 3);
	take(reader, screens * 16);
	if (!reader->good)
		return;
	client->size_reason = rect.x;
	client->size_status = rect.y;
	client->width = rect.width;
	client->height = rect.height;
	client->sizes++;
}

static void take_pixels(struct reader *reader, struct rect rect, int32_t encoding)
{
	const struct rfb_client *client = reader->client;

	if (rect.x + rect.width > client->width || rect.y + rect.height > client->height) {
		reader->wrong = true;
		return;
	}
	switch (encoding) {
	case RAW: take_raw(reader, rect, take_pixel); break;
	case HEXTILE: take_hextile(reader, rect); break;
	case ZRLE: take_zrle(reader, rect); break;
	default: reader->wrong = true;
	}
}

static void take_rectangle(struct reader *reader)
{
	struct rfb_client *client = reader->client;
	struct rect rect = { .x = take_number(reader, 2) };

	rect.y = take_number(reader, 2);
	rect.width = take_number(reader, 2);
	rect.height = take_number(reader, 2);
	int32_t encoding = (int32_t)take_number(reader, 4);

	if (!reader->good)
		return;
	switch (encoding) {
	case DESKTOP_SIZE:
		client->width = rect.width;
		client->height = rect.height;
		client->sizes++;
		break;
	case EXTENDED_SIZE: take_extended_size(reader, rect); break;
	case POINTER: client->relative = !rect.x; break;
	case SCAN_CODES: client->scan_codes = true; break;
	default: take_pixels(reader, rect, encoding);
	}
}

static void take_message(struct reader *reader)
{
	struct rfb_client *client = reader->client;
	uint32_t type = take_number(reader, 1), first, count;

	take(reader, 1);
	if (type == 0) {
		count = take_number(reader, 2);
		client->rectangles_left = reader->good ? count : 0;
		client->updates += reader->good;
		reader->wrong |= reader->good && !count;
	} else if (type == 1) {
		first = take_number(reader, 2);
		count = take_number(reader, 2);
		take(reader, 6ul * count);
		reader->wrong |= first || count != 256;
		client->maps += reader->good;
	} else {
		reader->wrong = true;
	}
}

static void keep(struct rfb_client *client, const uint8_t *bytes, size_t count)
{
	if (client->count + count > client->capacity) {
		client->capacity = 2 * (client->count + count);
		client->bytes = mw_grow(client->bytes, client->capacity, 1);
	}
	memcpy(client->bytes + client->count, bytes, count);
	client->count += count;
}

bool rfb_client_take(struct rfb_client *client, const uint8_t *bytes, size_t count)
{
	struct reader reader = { client, NULL, NULL, true, false };
	size_t done = 0;

	if (count)
		keep(client, bytes, count);
	while (reader.good && !reader.wrong && done < client->count) {
		reader.at = client->bytes + done;
		reader.end = client->bytes + client->count;
		bool rectangle = client->rectangles_left;

		if (rectangle)
			take_rectangle(&reader);
		else
			take_message(&reader);
		if (!reader.good)
			break;
		client->rectangles_left -= rectangle;
		done = (size_t)(reader.at - client->bytes);
	}
	memmove(client->bytes, client->bytes + done, client->count - done);
	client->count -= done;
	return !reader.wrong;
}

bool rfb_client_rests(const struct rfb_client *client)
{
	return !client->count && !client->rectangles_left;
}

uint32_t rfb_client_pixel(const struct rfb_client *client, uint32_t x, uint32_t y)
{
	return client->pixels[y * SIDE + x];
}

static size_t put(uint8_t *out, size_t at, unsigned bytes, uint32_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		out[at + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	return at + bytes;
}

size_t rfb_client_set_format(const struct rfb_client *client, uint8_t out[20])
{
	size_t at = put(out, 0, 4, 0);

	at = put(out, at, 1, client->bits);
	at = put(out, at, 1, client->bits == 32 ? 24 : client->bits);
	at = put(out, at, 1, client->big_endian);
	at = put(out, at, 1, !client->mapped);
	for (unsigned i = 0; i < 3; i++)
		at = put(out, at, 2, client->max[i]);
	for (unsigned i = 0; i < 3; i++)
		at = put(out, at, 1, client->shift[i]);
	return put(out, at, 3, 0);
}

size_t rfb_client_set_encodings(uint8_t *out, const int32_t *encodings, size_t count)
{
	size_t at = put(out, 0, 4, 2u << 24 | (uint32_t)count);

	for (size_t i = 0; i < count; i++)
		at = put(out, at, 4, (uint32_t)encodings[i]);
	return at;
}

size_t rfb_client_request(const struct rfb_client *client, uint8_t out[10], bool incremental)
{
	size_t at = put(out, 0, 2, 3u << 8 | incremental);

	at = put(out, at, 4, 0);
	at = put(out, at, 2, client->width);
	return put(out, at, 2, client->height);
}

size_t rfb_client_key(uint8_t out[8], uint32_t keysym, bool pressed)
{
	put(out, 0, 4, 4u << 24 | (uint32_t)pressed << 16);
	return put(out, 4, 4, keysym);
}

size_t rfb_client_pointer(uint8_t out[6], unsigned buttons, unsigned x, unsigned y)
{
	put(out, 0, 2, 5u << 8 | buttons);
	put(out, 2, 2, x);
	return put(out, 4, 2, y);
}
