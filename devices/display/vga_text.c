/* Text modes of the VGA: characters, fonts, cursor, blinking. Reference: IBM PS/2 Hardware Interface Technical
 * Reference, "Alphanumeric modes", and the registers named below. */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

enum { GLYPH = 32, FONT_HALF = 0x2000, FONT_BANK = 0x4000 };
enum { CURSOR_OFF = 0x20, SCAN = 0x1f, BLINKS = 0x80, UNDERLINED = 0x01, UNDERLINE_BITS = 0x07 };
/* Nanoseconds of 16 frames and of 32, at 70 Hz: the cursor and characters that blink. */
#define CURSOR_NS UINT64_C(228571428)
#define BLINK_NS  (2 * CURSOR_NS)

/* What all characters of a line have in common. */
struct style {
	uint32_t fonts[2]; /* where the line of character 0 is; by bit 3 of the attribute */
	uint32_t cursor;   /* the counter's value, or one that it never has */
	bool blinks, hidden, underlines, line_graphics;
};

/* Sequencer, character map select: the first four of the eight begin 16 KiB apart, the others between. */
static uint32_t font_at(unsigned number)
{
	return (number & 3) * FONT_BANK + (number & 4 ? FONT_HALF : 0);
}

static void choose_fonts(const struct vga *vga, struct style *style, unsigned scan)
{
	unsigned fonts = vga->sequencer[SEQ_FONTS];

	style->fonts[0] = font_at((fonts & 3) | (fonts >> 2 & 4)) + scan;
	style->fonts[1] = font_at((fonts >> 2 & 3) | (fonts >> 3 & 4)) + scan;
}

static uint32_t cursor_at(const struct vga *vga, unsigned scan, uint64_t now)
{
	unsigned first = vga->crtc[CRTC_CURSOR_START], last = vga->crtc[CRTC_CURSOR_END] & SCAN;

	if (first & CURSOR_OFF || scan < (first & SCAN) || scan > last || now / CURSOR_NS % 2)
		return UINT32_MAX;
	return (uint32_t)vga->crtc[CRTC_CURSOR_HIGH] << 8 | vga->crtc[CRTC_CURSOR_LOW];
}

static struct style style_of(struct vga *vga, const struct vga_scan *scan)
{
	unsigned mode = vga->attributes[ATTR_MODE];
	uint64_t now = mw_now_ns(vga);
	struct style style = {
		.cursor = cursor_at(vga, scan->scan, now),
		.blinks = mode & ATTR_BLINK,
		.hidden = now / BLINK_NS % 2,
		.line_graphics = mode & ATTR_LINE_GRAPHICS,
		.underlines = mode & ATTR_MONO && scan->scan == (vga->crtc[CRTC_UNDERLINE] & SCAN),
	};

	choose_fonts(vga, &style, scan->scan);
	return style;
}

/* The ninth dot is a zero but for characters that join to lines. */
static uint32_t dots_of(const struct style *style, unsigned character, unsigned attribute,
			uint32_t glyph)
{
	bool joins = style->line_graphics && (character & 0xe0) == 0xc0;

	if (style->blinks && style->hidden && attribute & BLINKS)
		return 0;
	if (style->underlines && (attribute & UNDERLINE_BITS) == UNDERLINED)
		return VGA_CELL_DOTS;
	return glyph << 1 | (joins ? glyph & 1 : 0);
}

void vga_text_cells(struct vga *vga, const struct vga_scan *scan, unsigned count, uint32_t *cells)
{
	const uint32_t *memory = vga_memory(vga);
	struct style style = style_of(vga, scan);
	unsigned zeros = style.blinks ? 0x7 : 0xf;

	for (unsigned i = 0; i < count; i++) {
		uint32_t word = vga_word(memory, vga_scan_word(scan, i));
		unsigned character = word & 0xff, attribute = word >> 8 & 0xff;
		uint32_t at = style.fonts[attribute >> 3 & 1] + character * GLYPH;
		uint32_t dots =
			dots_of(&style, character, attribute, vga_word(memory, at) >> 16 & 0xff);

		if (((scan->row + i) & (VGA_MAP_BYTES - 1)) == style.cursor)
			dots = VGA_CELL_DOTS;
		cells[i] = dots | (attribute & 0xf) << VGA_CELL_ONES |
			   (attribute >> 4 & zeros) << VGA_CELL_ZEROS;
	}
}

/* The screen as characters */

/* Code page 437, whose characters a VGA's font has (IBM, "Character set"). */
static const uint16_t unicode[256] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9,
	0x2642, 0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7,
	0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc, 0x0020,
	0x0021, 0x0022, 0x0023, 0x0024, 0x0025, 0x0026, 0x0027, 0x0028, 0x0029, 0x002a, 0x002b,
	0x002c, 0x002d, 0x002e, 0x002f, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x0035, 0x0036,
	0x0037, 0x0038, 0x0039, 0x003a, 0x003b, 0x003c, 0x003d, 0x003e, 0x003f, 0x0040, 0x0041,
	0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0048, 0x0049, 0x004a, 0x004b, 0x004c,
	0x004d, 0x004e, 0x004f, 0x0050, 0x0051, 0x0052, 0x0053, 0x0054, 0x0055, 0x0056, 0x0057,
	0x0058, 0x0059, 0x005a, 0x005b, 0x005c, 0x005d, 0x005e, 0x005f, 0x0060, 0x0061, 0x0062,
	0x0063, 0x0064, 0x0065, 0x0066, 0x0067, 0x0068, 0x0069, 0x006a, 0x006b, 0x006c, 0x006d,
	0x006e, 0x006f, 0x0070, 0x0071, 0x0072, 0x0073, 0x0074, 0x0075, 0x0076, 0x0077, 0x0078,
	0x0079, 0x007a, 0x007b, 0x007c, 0x007d, 0x007e, 0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2,
	0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4,
	0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
	0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1,
	0x00d1, 0x00aa, 0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb,
	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
	0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c,
	0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568,
	0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588,
	0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5,
	0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1,
	0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f,
	0x00b2, 0x25a0, 0x0020
};

struct writer {
	char *bytes;
	size_t count, capacity;
	bool full;
};

static void put_byte(struct writer *writer, unsigned byte)
{
	writer->bytes[writer->count++] = (char)byte;
}

/* Whole characters only. */
static void put(struct writer *writer, unsigned code)
{
	size_t bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;

	if (writer->full || writer->capacity - writer->count < bytes) {
		writer->full = true;
		return;
	}
	if (bytes == 1) {
		put_byte(writer, code);
		return;
	}
	put_byte(writer, bytes == 3 ? 0xe0 | code >> 12 : 0xc0 | code >> 6);
	if (bytes == 3)
		put_byte(writer, 0x80 | (code >> 6 & 0x3f));
	put_byte(writer, 0x80 | (code & 0x3f));
}

static void put_row(struct writer *writer, const uint32_t *memory, const struct vga_scan *scan,
		    unsigned clocks)
{
	unsigned spaces = 0;

	for (unsigned i = 0; i < clocks; i++) {
		unsigned code = unicode[vga_word(memory, vga_scan_word(scan, i)) & 0xff];

		if (code == ' ') {
			spaces++;
			continue;
		}
		for (; spaces; spaces--)
			put(writer, ' ');
		put(writer, code);
	}
	put(writer, '\n');
}

/* A row counts from its first line that is on the screen. Spaces at the end are none. */
size_t vga_text(void *self, char *utf8, size_t capacity)
{
	const struct vga *vga = self;
	struct writer writer = { .bytes = utf8, .capacity = capacity };
	struct vga_scan scan = vga_scan_begin(vga);

	if (!vga_is_shown(vga) || !vga_is_text(vga))
		return 0;
	while (scan.line < vga_lines(vga) && !writer.full) {
		if (!scan.line || (!scan.scan && !scan.again))
			put_row(&writer, vga_memory(vga), &scan, vga_clocks(vga));
		vga_scan_next(vga, &scan);
	}
	return writer.count;
}
