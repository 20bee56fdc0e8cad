/** The VGA behind all adapters that are one: registers, memory, the Bochs interface and the picture. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_DISPLAY_VGA_INTERNAL_H
#define DEVICES_DISPLAY_VGA_INTERNAL_H

#include "core/device.h"

/* References: IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem" (1992), whose register names
 * these are; Bochs VBE display API 0xb0c5 for `vbe`. */

enum {
	VGA_MEMORY_BYTES = 16 << 20,
	VGA_WINDOW_BYTES = 0x20000,
	VGA_WORDS = VGA_MEMORY_BYTES / 4, /* one byte of each of four maps a word */
	VGA_MAP_BYTES = 0x10000           /* what the VGA has of a map; the rest is for `vbe` */
};
enum { VGA_SEQUENCER = 5, VGA_CRTC = 25, VGA_GRAPHICS = 9, VGA_ATTRIBUTES = 21, VGA_COLOURS = 256 };

/** Sequencer, by index. */
enum { SEQ_CLOCKING = 1, SEQ_MAP_MASK = 2, SEQ_FONTS = 3, SEQ_MEMORY_MODE = 4 };
enum { CLOCKING_8_DOTS = 0x01, CLOCKING_HALF = 0x08, CLOCKING_SCREEN_OFF = 0x20 };
enum { MEMORY_NO_ODD_EVEN = 0x04, MEMORY_CHAIN_4 = 0x08 };
/** CRT controller. */
enum {
	CRTC_H_TOTAL = 0x00,
	CRTC_H_END = 0x01,
	CRTC_V_TOTAL = 0x06,
	CRTC_OVERFLOW = 0x07,
	CRTC_PRESET_SCAN = 0x08,
	CRTC_MAX_SCAN = 0x09,
	CRTC_CURSOR_START = 0x0a,
	CRTC_CURSOR_END = 0x0b,
	CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	CRTC_V_RETRACE_START = 0x10,
	CRTC_V_RETRACE_END = 0x11,
	CRTC_V_END = 0x12,
	CRTC_OFFSET = 0x13,
	CRTC_UNDERLINE = 0x14,
	CRTC_MODE = 0x17,
	CRTC_LINE_COMPARE = 0x18
};
/** Graphics controller. */
enum {
	GFX_SET_RESET = 0,
	GFX_ENABLE_SET_RESET = 1,
	GFX_COMPARE = 2,
	GFX_ROTATE = 3,
	GFX_READ_MAP = 4,
	GFX_MODE = 5,
	GFX_MISC = 6,
	GFX_DONT_CARE = 7,
	GFX_BIT_MASK = 8
};
enum { MODE_COMPARE = 0x08, MODE_ODD_EVEN = 0x10, MODE_INTERLEAVE = 0x20, MODE_256 = 0x40 };
enum { MISC_GRAPHICS = 0x01 };
/** Attribute controller. */
enum { ATTR_MODE = 0x10, ATTR_PLANES = 0x12, ATTR_PAN = 0x13, ATTR_SELECT = 0x14 };
enum {
	ATTR_MONO = 0x02,
	ATTR_LINE_GRAPHICS = 0x04,
	ATTR_BLINK = 0x08,
	ATTR_PAN_TOP = 0x20,
	ATTR_COLOUR_SELECT = 0x80
};
enum { ATTR_SHOWN = 0x20 }; /* of the index: the palette is the screen's, not the CPU's */
/** Miscellaneous output. */
enum { OUTPUT_COLOUR = 0x01, OUTPUT_RAM = 0x02, OUTPUT_28_MHZ = 0x04 };

/** Bochs interface, by index. */
enum {
	VBE_ID,
	VBE_WIDTH,
	VBE_HEIGHT,
	VBE_DEPTH,
	VBE_ENABLE,
	VBE_BANK,
	VBE_VIRTUAL_WIDTH,
	VBE_VIRTUAL_HEIGHT,
	VBE_X,
	VBE_Y,
	VBE_MEMORY,
	VBE_REGISTERS
};
enum {
	VBE_ENABLED = 0x01,
	VBE_GET_CAPS = 0x02,
	VBE_8_BIT_DAC = 0x20,
	VBE_LINEAR = 0x40,
	VBE_NO_CLEAR = 0x80
};

enum { VGA_LINES = MW_CANVAS_MAX, VGA_CLOCKS = 256, VGA_DOTS = 9 };
/* What is fetched for a line, as words; packed pixels may begin up to 7 bytes into the first. */
enum { VGA_SOURCE = MW_CANVAS_MAX + 16, VGA_PIXELS = (VGA_CLOCKS + 1) * VGA_DOTS * 2 };

/** What was drawn and on the way to it; no state of the guest's. */
struct vga_picture {
	uint64_t seen[VGA_LINES]; /* hashes of what the lines were drawn from */
	_Alignas(8) uint32_t source[VGA_SOURCE];
	uint32_t pixels[VGA_PIXELS];
	uint32_t colours[VGA_COLOURS]; /* by a pixel's number or, 16 of them, by an attribute's */
	bool blank;                    /* the canvas is black */
};

/** Whether and how the window is plain memory now, which the guest reaches without the VGA; no state of the
 * guest's. */
struct vga_direct {
	uint32_t first, length; /* in the window; length 0: the registers do not allow it */
	uint32_t at;            /* in the memory */
	unsigned accesses;      /* since they do */
};

/** One VGA. The first member of an adapter's struct: the functions below take either as `self`. */
struct vga {
	/* Wiring. */
	struct mw_display *display;
	struct mw_memory *memory;
	/* Guest-visible state. */
	uint8_t output, feature;
	uint8_t sequencer_index, sequencer[VGA_SEQUENCER];
	uint8_t crtc_index, crtc[VGA_CRTC];
	uint8_t graphics_index, graphics[VGA_GRAPHICS];
	uint8_t attribute_index, attributes[VGA_ATTRIBUTES]; /* the index with ATTR_SHOWN */
	bool attribute_data;                                 /* the flip-flop: data is next */
	uint8_t palette[3 * VGA_COLOURS], pel_mask;
	uint8_t pel_read, pel_write, pel_part, pel_state;
	uint8_t pel_new[3]; /* of a colour that is being written */
	uint32_t latches;
	uint16_t vbe_index, vbe[VBE_REGISTERS];
	struct vga_direct direct;
	struct vga_picture picture;
};
extern const struct mw_state vga_rows[21];

/** In after_reset and after_load: what was loaded becomes harmless. */
void vga_ready(struct vga *vga);
/** The memory as words, map 0 in the lowest byte; vga_cell says where which is. */
uint32_t *vga_memory(const struct vga *vga);
/** Whether the window may be plain memory follows from the registers: after any change, and anew when all were set. */
void vga_direct_changed(struct vga *vga);
void vga_direct_ready(struct vga *vga);

/** Ports 0x3c0 to 0x3df, and 0x3b0 to 0x3bb of a monochrome display. */
enum mw_io vga_port_read(void *self, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io vga_port_write(void *self, uint64_t offset, unsigned size, uint64_t value);
enum mw_io vga_mono_read(void *self, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io vga_mono_write(void *self, uint64_t offset, unsigned size, uint64_t value);
/** The 128 KiB from 0xa0000. */
enum mw_io vga_window_read(void *self, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io vga_window_write(void *self, uint64_t offset, unsigned size, uint64_t value);
/** Ports 0x1ce (index) and 0x1cf or 0x1d0 (data): words. */
enum mw_io vga_vbe_port_read(void *self, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io vga_vbe_port_write(void *self, uint64_t offset, unsigned size, uint64_t value);

uint16_t vga_vbe_read(const struct vga *vga, unsigned index);
void vga_vbe_write(struct vga *vga, unsigned index, uint16_t value);
bool vga_vbe_is_on(const struct vga *vga);
/** After a load: registers that fit each other. */
void vga_vbe_ready(struct vga *vga);
/** Bits of a pixel in memory, and bytes from one line to the next (of one map where there are four bits). */
unsigned vga_vbe_bits(const struct vga *vga);
uint32_t vga_vbe_pitch(const struct vga *vga);

/** Whether there is a picture, and whether it is made of characters. */
bool vga_is_shown(const struct vga *vga);
bool vga_is_text(const struct vga *vga);

/** For the wire. */
void vga_draw(void *self, struct mw_canvas *canvas, bool whole, struct mw_rect *changed);
size_t vga_text(void *self, char *utf8, size_t capacity);

/** Sizes that the CRT controller has in several registers: lines on the screen, character clocks of a line, dots of a
 * character (8 or 9). */
unsigned vga_lines(const struct vga *vga);
unsigned vga_clocks(const struct vga *vga);
unsigned vga_dots(const struct vga *vga);
/** Input status 1: where the beam is now. */
uint8_t vga_beam(struct vga *vga);

/** Where the CRT controller is in the memory, on the way from the top of the screen to its end. */
struct vga_scan {
	uint32_t row;  /* the address counter where the row of characters begins */
	unsigned scan; /* the line of that row */
	unsigned line; /* of the screen */
	unsigned pan;  /* attribute controller, horizontal pel panning */
	bool again;    /* the second of a doubled line */
	/* How a word follows from the counter. */
	unsigned shift, carry, carried;
	uint32_t kept, replaced;
};
struct vga_scan vga_scan_begin(const struct vga *vga);
void vga_scan_next(const struct vga *vga, struct vga_scan *scan);

/** The word of the memory that the line's character clock `clock` shows. */
static inline uint32_t vga_scan_word(const struct vga_scan *scan, unsigned clock)
{
	uint32_t counter = (scan->row + clock) & (VGA_MAP_BYTES - 1);

	return (((counter << scan->shift) | (counter >> scan->carry & scan->carried)) &
		scan->kept) |
	       scan->replaced;
}

/** Where the word at an address of the maps is. Of 64 Ki words every fourth follows the last, so that what chain 4
 * uses of the maps is one piece of memory. */
static inline uint32_t vga_cell(uint32_t word)
{
	return (word & ~UINT32_C(0xffff)) | (word >> 2 & 0x3fff) | (word & 3) << 14;
}

/** A guest's CPU may be writing it. */
static inline uint32_t vga_word(const uint32_t *memory, uint32_t word)
{
	return __atomic_load_n(&memory[vga_cell(word)], __ATOMIC_RELAXED);
}

/** A line of a character with all that it looks like: its dots in bits 0 to 8, the leftmost the highest, and the
 * attributes of ones and zeros. */
enum { VGA_CELL_ONES = 12, VGA_CELL_ZEROS = 16, VGA_CELL_DOTS = 0x1ff };
void vga_text_cells(struct vga *vga, const struct vga_scan *scan, unsigned count, uint32_t *cells);

/** How the pixels of a line lie in what is fetched for it. */
enum vga_layout {
	VGA_CELLS,
	VGA_PLANAR,  /* four maps, a bit of each a pixel */
	VGA_PAIRS,   /* two bits a pixel, of maps 0 and 2, then 1 and 3 */
	VGA_BYTES,   /* a colour's number */
	VGA_RGB_555, /* 16 bits */
	VGA_RGB_565,
	VGA_RGB_24,
	VGA_RGB_32
};
struct vga_format {
	enum vga_layout layout;
	unsigned dots; /* of a cell */
	unsigned wide; /* how many pixels of the picture one becomes: 1, 2 or 4 */
};
/** Makes `count` pixels of packed ones, else `count` words, from what begins `skip` bytes into the source. */
void vga_pixels(struct vga_picture *picture, const struct vga_format *format, unsigned skip,
		unsigned count);

enum { VGA_EDID_BYTES = 128 };
/** What a monitor says of itself that likes pictures of this size best, at most 4095 pixels each way. */
void vga_edid(uint8_t block[VGA_EDID_BYTES], unsigned width, unsigned height);

/** Rows of a region table: ports and the window, which both buses have. */
#define VGA_WINDOW "text"
#define VGA_REGIONS                                                                    \
	{ "vga",           MW_SPACE_PORT,         32,                                  \
	  MW_ACCESS(1, 1), .read = vga_port_read, .write = vga_port_write,             \
	  .align = 32 },                                                               \
		{ "mono",          MW_SPACE_PORT,         12,                          \
		  MW_ACCESS(1, 1), .read = vga_mono_read, .write = vga_mono_write,     \
		  .align = 16,     .optional = true },                                 \
		{ "vbe",                                                               \
		  MW_SPACE_PORT,                                                       \
		  4,                                                                   \
		  MW_ACCESS(2, 2),                                                     \
		  .read = vga_vbe_port_read,                                           \
		  .write = vga_vbe_port_write,                                         \
		  .optional = true,                                                    \
		  .unaligned = true },                                                 \
	{                                                                              \
		VGA_WINDOW, MW_SPACE_MEMORY, VGA_WINDOW_BYTES, MW_ACCESS(1, 8),        \
			.read = vga_window_read, .write = vga_window_write,            \
			.align = VGA_WINDOW_BYTES, .unaligned = true, .collects = true \
	}

#endif
