/* What a monitor says of itself. Reference: VESA Enhanced EDID Standard, release A, revision 2 (EDID 1.4), whose
 * tables these are. */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <string.h>

enum {
	HEADER = 0x00,
	VERSION = 0x12,
	DISPLAY = 0x14,
	TIMINGS = 0x23,
	STANDARD = 0x26,
	FIRST = 0x36
};
enum { STANDARD_TIMINGS = 8, UNUSED = 0x01, DESCRIPTOR = 18, CHECKSUM = 127 };
enum { RANGES = 0xfd, NAME = 0xfc, TEXT = 13 };
/* Blanking of CVT 1.1, reduced: what digital displays use. */
enum { H_BLANK = 160, H_FRONT = 48, H_SYNC = 32, V_FRONT = 3, V_SYNC = 6, V_BLANK_US = 460 };
enum { HZ = 60, CLOCK_HZ = 10000, MOST_CLOCK = UINT16_MAX };
enum { DOTS_PER_MM = 4 };

/* Table 3.21: lower 8 bits apart from the others, which two share a byte. */
static void put_pair(uint8_t *low_1, uint8_t *low_2, uint8_t *high, unsigned first, unsigned second)
{
	*low_1 = (uint8_t)first;
	*low_2 = (uint8_t)second;
	*high = (uint8_t)((first >> 8 & 15) << 4 | (second >> 8 & 15));
}

/* The lines that pass in the least time that a picture may have between it and the next. */
static unsigned blank_lines(unsigned height)
{
	unsigned least = V_FRONT + V_SYNC + 6, us = 1000000 / HZ;
	unsigned lines = height * V_BLANK_US / (us - V_BLANK_US) + 1;

	return lines < least ? least : lines;
}

static void put_timing(uint8_t *at, unsigned width, unsigned height)
{
	unsigned blank = blank_lines(height);
	unsigned clock = (width + H_BLANK) * (height + blank) * HZ / CLOCK_HZ;

	clock = clock < MOST_CLOCK ? clock : MOST_CLOCK;
	at[0] = (uint8_t)clock;
	at[1] = (uint8_t)(clock >> 8);
	put_pair(&at[2], &at[3], &at[4], width, H_BLANK);
	put_pair(&at[5], &at[6], &at[7], height, blank);
	at[8] = H_FRONT;
	at[9] = H_SYNC;
	at[10] = V_FRONT << 4 | V_SYNC;
	put_pair(&at[12], &at[13], &at[14], width / DOTS_PER_MM, height / DOTS_PER_MM);
	at[17] = 0x1a; /* digital sync apart, horizontal positive */
}

/* Table 3.23; text ends with a line feed and is filled up with spaces. */
static void put_name(uint8_t *at, const char *text)
{
	size_t length = strlen(text);

	at[3] = NAME;
	memset(at + 5, ' ', TEXT);
	memcpy(at + 5, text, length);
	at[5 + length] = '\n';
}

/* Table 3.26 */
static void put_ranges(uint8_t *at)
{
	static const uint8_t ranges[] = { 0, 0, 0, RANGES, 0, 24, 75, 30, 255, 66, 1, '\n' };

	memset(at, ' ', DESCRIPTOR);
	memcpy(at, ranges, sizeof(ranges));
}

static void put_checksum(uint8_t block[VGA_EDID_BYTES])
{
	unsigned sum = 0;

	for (unsigned i = 0; i < CHECKSUM; i++)
		sum += block[i];
	block[CHECKSUM] = (uint8_t)(0u - sum);
}

void vga_edid(uint8_t block[VGA_EDID_BYTES], unsigned width, unsigned height)
{
	/* Header, maker `MWT`, product, number, week, year 2024, version 1.4 */
	static const uint8_t start[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x36, 0xf4,
					 0x11, 0x11, 0x00, 0x00, 0x00, 0x00, 0x01, 0x22, 1,    4 };
	/* Digital, 8 bits a part; size in cm below; gamma 2.2; sRGB and the preferred timing first;
	 * chromaticities of sRGB (section 3.7). */
	static const uint8_t display[] = { 0xa0, 0,    0,    120,  0x06, 0xee, 0x91, 0xa3,
					   0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54 };
	/* Section 3.8: 640x480, 800x600 and 1024x768, all at 60 Hz. */
	static const uint8_t established[] = { 0x21, 0x08, 0x00 };

	memset(block, 0, VGA_EDID_BYTES);
	memcpy(block + HEADER, start, sizeof(start));
	memcpy(block + DISPLAY, display, sizeof(display));
	block[DISPLAY + 1] = (uint8_t)(width / DOTS_PER_MM / 10);
	block[DISPLAY + 2] = (uint8_t)(height / DOTS_PER_MM / 10);
	memcpy(block + TIMINGS, established, sizeof(established));
	memset(block + STANDARD, UNUSED, 2 * STANDARD_TIMINGS);
	put_timing(block + FIRST, width, height);
	put_ranges(block + FIRST + DESCRIPTOR);
	put_name(block + FIRST + 2 * DESCRIPTOR, "Millwright");
	block[FIRST + 3 * DESCRIPTOR + 3] = 0x10; /* nothing */
	put_checksum(block);
}
