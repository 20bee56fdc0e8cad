/* Pixels as a client of RFB wants them: RFC 6143, section 7.4. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "devices/backend/rfb.h"

enum { RED, GREEN, BLUE, LOW_24 = 0xffffff };

const struct mw_rfb_format mw_rfb_native = {
	.bytes = 4, .depth = 24, .native = true, .max = { 255, 255, 255 }, .shift = { 16, 8, 0 }
};
/* Of those who want a map: they get one that is as good as this. */
static const struct mw_rfb_format mapped = {
	.bytes = 1, .depth = 8, .mapped = true, .max = { 7, 7, 3 }, .shift = { 5, 2, 0 }
};

static bool is_native(const struct mw_rfb_format *format)
{
	return format->bytes == 4 && format->depth <= 24 && !format->big_endian &&
	       !memcmp(format->max, mw_rfb_native.max, sizeof(format->max)) &&
	       !memcmp(format->shift, mw_rfb_native.shift, sizeof(format->shift));
}

bool mw_rfb_read_format(struct mw_rfb_format *format, const uint8_t bytes[16])
{
	unsigned bits = bytes[0];

	if (bits != 8 && bits != 16 && bits != 32)
		return false;
	if (!bytes[3]) {
		*format = mapped;
		return bits == 8;
	}
	*format = (struct mw_rfb_format){ .bytes = (uint8_t)(bits / 8),
					  .depth = bytes[1],
					  .big_endian = bytes[2] };
	for (size_t i = 0; i < 3; i++) {
		format->max[i] = mw_rfb_get16(bytes + 4 + 2 * i);
		format->shift[i] = bytes[10 + i];
		if (format->shift[i] >= bits ||
		    (uint64_t)format->max[i] << format->shift[i] >= UINT64_C(1) << bits)
			return false;
	}
	format->native = is_native(format);
	return true;
}

void mw_rfb_write_format(uint8_t bytes[16])
{
	static const uint8_t native[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };

	memcpy(bytes, native, sizeof(native));
}

uint32_t mw_rfb_pixel(const struct mw_rfb_format *format, uint32_t rgb)
{
	uint32_t pixel = 0;

	for (unsigned i = RED; i <= BLUE; i++) {
		uint32_t value = rgb >> (16 - 8 * i) & 0xff;

		pixel |= (value * format->max[i] + 127) / 255 << format->shift[i];
	}
	return pixel;
}

/* `count` bytes of the pixel, from its byte `first` on, counted from the lowest. */
static uint8_t *put_bytes(const struct mw_rfb_format *format, uint8_t *out, uint32_t pixel,
			  unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned byte = first + (format->big_endian ? count - 1 - i : i);

		*out++ = (uint8_t)(pixel >> 8 * byte);
	}
	return out;
}

static uint8_t *put_native(uint8_t *out, const uint32_t *rgb, size_t count, unsigned bytes)
{
	for (size_t i = 0; i < count; i++, out += bytes) {
		out[0] = (uint8_t)rgb[i];
		out[1] = (uint8_t)(rgb[i] >> 8);
		out[2] = (uint8_t)(rgb[i] >> 16);
		if (bytes > 3)
			out[3] = (uint8_t)(rgb[i] >> 24);
	}
	return out;
}

uint8_t *mw_rfb_put_pixels(const struct mw_rfb_format *format, uint8_t *out, const uint32_t *rgb,
			   size_t count)
{
	if (format->native)
		return put_native(out, rgb, count, 4);
	for (size_t i = 0; i < count; i++)
		out = put_bytes(format, out, mw_rfb_pixel(format, rgb[i]), 0, format->bytes);
	return out;
}

/* The bits that a pixel can have. */
static uint32_t used_bits(const struct mw_rfb_format *format)
{
	uint32_t bits = 0;

	for (unsigned i = RED; i <= BLUE; i++)
		bits |= (uint32_t)format->max[i] << format->shift[i];
	return bits;
}

/* 7.7.5: CPIXEL. */
static bool is_short(const struct mw_rfb_format *format, unsigned *first)
{
	uint32_t bits = used_bits(format);

	*first = bits > LOW_24;
	return format->bytes == 4 && format->depth <= 24 && (bits <= LOW_24 || !(bits & 0xff));
}

size_t mw_rfb_short_pixel_bytes(const struct mw_rfb_format *format)
{
	unsigned first;

	return is_short(format, &first) ? 3 : format->bytes;
}

uint8_t *mw_rfb_put_short_pixels(const struct mw_rfb_format *format, uint8_t *out,
				 const uint32_t *rgb, size_t count)
{
	unsigned first;

	if (format->native)
		return put_native(out, rgb, count, 3);
	if (!is_short(format, &first))
		return mw_rfb_put_pixels(format, out, rgb, count);
	for (size_t i = 0; i < count; i++)
		out = put_bytes(format, out, mw_rfb_pixel(format, rgb[i]), first, 3);
	return out;
}
