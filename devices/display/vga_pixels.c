/* From what is fetched of a line to its pixels. Reference: IBM PS/2 Hardware Interface Technical Reference, graphics
 * mode register (shift register modes) and "Attribute Controller". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <string.h>

enum { MAPS = 4, PIXELS_A_WORD = 8 };

static void cells(const uint32_t *colours, unsigned dots, const uint32_t *source, unsigned count,
		  uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++, pixels += dots) {
		uint32_t cell = source[i], zeros = colours[cell >> VGA_CELL_ZEROS & 0xf];
		uint32_t change = zeros ^ colours[cell >> VGA_CELL_ONES & 0xf];

		for (unsigned dot = 0; dot < dots; dot++)
			pixels[dot] = zeros ^ (change & -(cell >> (VGA_DOTS - 1 - dot) & 1));
	}
}

/* Four bits, each in the lowest place of a hexadecimal digit. */
static const uint16_t digits[16] = {
	0x0000, 0x0001, 0x0010, 0x0011, 0x0100, 0x0101, 0x0110, 0x0111,
	0x1000, 0x1001, 0x1010, 0x1011, 0x1100, 0x1101, 0x1110, 0x1111
};

static void planar(const uint32_t *colours, const uint32_t *source, unsigned count,
		   uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++, pixels += PIXELS_A_WORD) {
		uint32_t word = source[i], numbers = 0;

		for (unsigned map = 0; map < MAPS; map++) {
			unsigned byte = word >> (8 * map) & 0xff;

			numbers |= ((uint32_t)digits[byte >> 4] << 16 | digits[byte & 0xf]) << map;
		}
		for (unsigned pixel = 0; pixel < PIXELS_A_WORD; pixel++)
			pixels[pixel] = colours[numbers >> (28 - 4 * pixel) & 0xf];
	}
}

/* Graphics mode, bit 5: maps 0 and 1 give the low bits of pixels, 2 and 3 the high ones. */
static void pairs(const uint32_t *colours, const uint32_t *source, unsigned count, uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++, pixels += PIXELS_A_WORD) {
		for (unsigned pixel = 0; pixel < PIXELS_A_WORD; pixel++) {
			unsigned shift = 6 - 2 * (pixel & 3) + (pixel & 4 ? 8 : 0);
			uint32_t word = source[i] >> shift;

			pixels[pixel] = colours[(word & 3) | (word >> 14 & 0xc)];
		}
	}
}

static void bytes(const uint32_t *colours, const uint8_t *source, unsigned count, uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++)
		pixels[i] = colours[source[i]];
}

static uint32_t half_at(const uint8_t *source)
{
	uint16_t value;

	memcpy(&value, source, sizeof(value));
	return value;
}

/* A part of 5 or 6 bits as one of 8: its highest bits are its lowest, too. */

static void rgb_555(const uint8_t *source, unsigned count, uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t value = half_at(source + 2 * (size_t)i);
		uint32_t high =
			(value & 0x7c00) << 9 | (value & 0x03e0) << 6 | (value & 0x001f) << 3;

		pixels[i] = high | (high >> 5 & 0x070707);
	}
}

static void rgb_565(const uint8_t *source, unsigned count, uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++) {
		uint32_t value = half_at(source + 2 * (size_t)i);
		uint32_t high = (value & 0xf800) << 8 | (value & 0x001f) << 3;
		uint32_t green = (value & 0x07e0) << 5;

		pixels[i] = high | (high >> 5 & 0x070007) | green | (green >> 6 & 0x0300);
	}
}

static void rgb_24(const uint8_t *source, unsigned count, uint32_t *pixels)
{
	for (unsigned i = 0; i < count; i++, source += 3)
		pixels[i] = source[0] | (uint32_t)source[1] << 8 | (uint32_t)source[2] << 16;
}

static void rgb_32(const uint8_t *source, unsigned count, uint32_t *pixels)
{
	memcpy(pixels, source, (size_t)count * sizeof(*pixels));
	for (unsigned i = 0; i < count; i++)
		pixels[i] &= 0xffffff;
}

/* From the end, so that the pixels may grow in their place. */
static void widen(uint32_t *pixels, size_t count, unsigned wide)
{
	while (count--)
		for (unsigned i = wide; i--;)
			pixels[count * wide + i] = pixels[count];
}

void vga_pixels(struct vga_picture *picture, const struct vga_format *format, unsigned skip,
		unsigned count)
{
	const uint8_t *packed = (const uint8_t *)picture->source + skip;
	uint32_t *pixels = picture->pixels;
	size_t made = count;

	switch (format->layout) {
	case VGA_CELLS:
		made = (size_t)count * format->dots;
		cells(picture->colours, format->dots, picture->source, count, pixels);
		break;
	case VGA_PLANAR:
		made = (size_t)count * PIXELS_A_WORD;
		planar(picture->colours, picture->source, count, pixels);
		break;
	case VGA_PAIRS:
		made = (size_t)count * PIXELS_A_WORD;
		pairs(picture->colours, picture->source, count, pixels);
		break;
	case VGA_BYTES: bytes(picture->colours, packed, count, pixels); break;
	case VGA_RGB_555: rgb_555(packed, count, pixels); break;
	case VGA_RGB_565: rgb_565(packed, count, pixels); break;
	case VGA_RGB_24: rgb_24(packed, count, pixels); break;
	case VGA_RGB_32: rgb_32(packed, count, pixels); break;
	}
	if (format->wide > 1)
		widen(pixels, made, format->wide);
}
