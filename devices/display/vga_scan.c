/* The CRT controller's way through the memory, and its beam. References: IBM PS/2 Hardware Interface Technical
 * Reference, "CRT Controller Registers"; FreeVGA, "CRT controller registers". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

enum { DOUBLED = 0x80, SCAN = 0x1f, BYTE_PAN = 0x60, RETRACE_END = 0x0f };
enum { MODE_NO_ROW_13 = 0x01, MODE_NO_ROW_14 = 0x02, MODE_WRAP_15 = 0x20, MODE_BYTE = 0x40 };
enum { UNDERLINE_DOUBLE_WORD = 0x40 };
enum { BEAM_OFF = 0x01, BEAM_RETRACE = 0x08 };
#define SECOND_NS UINT64_C(1000000000)

/* A size's bits 8 and 9 are in the overflow register. */
static unsigned whole_size(const struct vga *vga, unsigned index, unsigned bit_8, unsigned bit_9)
{
	unsigned overflow = vga->crtc[CRTC_OVERFLOW];

	return vga->crtc[index] | (overflow >> bit_8 & 1) << 8 | (overflow >> bit_9 & 1) << 9;
}

unsigned vga_lines(const struct vga *vga)
{
	return whole_size(vga, CRTC_V_END, 1, 6) + 1;
}

unsigned vga_clocks(const struct vga *vga)
{
	return vga->crtc[CRTC_H_END] + 1u;
}

unsigned vga_dots(const struct vga *vga)
{
	return vga->sequencer[SEQ_CLOCKING] & CLOCKING_8_DOTS ? 8 : 9;
}

static unsigned line_compare(const struct vga *vga)
{
	return vga->crtc[CRTC_LINE_COMPARE] | (vga->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
	       (vga->crtc[CRTC_MAX_SCAN] & 0x40u) << 3;
}

/* Byte, word and double word addresses: the counter goes up by one or two bits. Of a word, its highest bit takes the
 * lowest place; of a double word that stays empty, as chain 4 leaves it. */
static void choose_addresses(const struct vga *vga, struct vga_scan *scan)
{
	unsigned mode = vga->crtc[CRTC_MODE];

	if (vga->crtc[CRTC_UNDERLINE] & UNDERLINE_DOUBLE_WORD) {
		scan->shift = 2;
	} else if (!(mode & MODE_BYTE)) {
		scan->shift = 1;
		scan->carry = mode & MODE_WRAP_15 ? 15 : 13;
		scan->carried = 1;
	}
}

/* CGA and Hercules: the row's line gives address bits 13 and 14. */
static void replace_bits(const struct vga *vga, struct vga_scan *scan)
{
	unsigned mode = vga->crtc[CRTC_MODE];

	scan->kept = VGA_MAP_BYTES - 1;
	scan->replaced = 0;
	if (!(mode & MODE_NO_ROW_13)) {
		scan->kept &= ~UINT32_C(0x2000);
		scan->replaced |= (scan->scan & 1) << 13;
	}
	if (!(mode & MODE_NO_ROW_14)) {
		scan->kept &= ~UINT32_C(0x4000);
		scan->replaced |= (scan->scan & 2) << 13;
	}
}

struct vga_scan vga_scan_begin(const struct vga *vga)
{
	const uint8_t *crtc = vga->crtc;
	struct vga_scan scan = {
		.row = (unsigned)crtc[CRTC_START_HIGH] << 8 | crtc[CRTC_START_LOW],
		.scan = crtc[CRTC_PRESET_SCAN] & SCAN,
		.pan = vga->attributes[ATTR_PAN],
	};

	scan.row += (crtc[CRTC_PRESET_SCAN] & BYTE_PAN) >> 5;
	choose_addresses(vga, &scan);
	replace_bits(vga, &scan);
	return scan;
}

/* Where the line compare is met, memory begins anew, and panning ends if attribute mode says so. */
static void split(const struct vga *vga, struct vga_scan *scan)
{
	scan->row = scan->scan = 0;
	scan->again = false;
	if (vga->attributes[ATTR_MODE] & ATTR_PAN_TOP)
		scan->pan = vga->graphics[GFX_MISC] & MISC_GRAPHICS || vga_dots(vga) == 8 ? 0 : 8;
}

void vga_scan_next(const struct vga *vga, struct vga_scan *scan)
{
	unsigned max = vga->crtc[CRTC_MAX_SCAN];
	bool splits = scan->line == line_compare(vga);

	scan->line++;
	if (splits) {
		split(vga, scan);
	} else if (max & DOUBLED && !scan->again) {
		scan->again = true;
		return;
	} else if (scan->scan == (max & SCAN)) {
		scan->scan = 0;
		scan->row = (scan->row + 2u * vga->crtc[CRTC_OFFSET]) & (VGA_MAP_BYTES - 1);
	} else {
		scan->scan = (scan->scan + 1) & SCAN;
	}
	scan->again = false;
	replace_bits(vga, scan);
}

/* The beam */

struct timing {
	uint64_t clock_hz;       /* dots */
	unsigned width, height;  /* shown */
	unsigned across, down;   /* all of it */
	unsigned retrace, until; /* lines */
};

/* 640 by 480 at 60 Hz (IBM, "Video modes"): for the Bochs interface, which has no registers for it, and where those of
 * the CRT controller give no frame. */
static const struct timing vga_timing = { 25175000, 640, 480, 800, 525, 490, 492 };

static struct timing timing_of(const struct vga *vga)
{
	bool half = vga->sequencer[SEQ_CLOCKING] & CLOCKING_HALF;
	unsigned dots = vga_dots(vga) << half, start = whole_size(vga, CRTC_V_RETRACE_START, 2, 7);
	struct timing timing = {
		.clock_hz = vga->output & OUTPUT_28_MHZ ? 28322000 : 25175000,
		.width = vga_clocks(vga) * dots,
		.height = vga_lines(vga),
		.across = (vga->crtc[CRTC_H_TOTAL] + 5u) * dots,
		.down = whole_size(vga, CRTC_V_TOTAL, 0, 5) + 2,
		.retrace = start,
		.until = start + ((vga->crtc[CRTC_V_RETRACE_END] - start - 1) & RETRACE_END) + 1,
	};

	if (vga_vbe_is_on(vga) || !start || timing.until > timing.down ||
	    timing.width >= timing.across)
		return vga_timing;
	return timing;
}

uint8_t vga_beam(struct vga *vga)
{
	struct timing timing = timing_of(vga);
	uint64_t now = mw_now_ns(vga), frame = (uint64_t)timing.across * timing.down;
	uint64_t second = now / SECOND_NS % frame * timing.clock_hz % frame;
	uint64_t dot = (second + now % SECOND_NS * timing.clock_hz / SECOND_NS) % frame;
	unsigned line = (unsigned)(dot / timing.across), column = (unsigned)(dot % timing.across);
	bool retrace = line >= timing.retrace && line < timing.until;
	bool off = line >= timing.height || column >= timing.width;

	return (uint8_t)((retrace ? BEAM_RETRACE : 0) | (off ? BEAM_OFF : 0));
}
