/* Registers of the VGA behind ports 0x3b4 to 0x3da. References: IBM PS/2 Hardware Interface Technical Reference,
 * "Video Subsystem", whose names these are, and FreeVGA, "Accessing the VGA registers". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

/* Offsets from 0x3c0. */
enum {
	ATTRIBUTE = 0x00,
	ATTRIBUTE_READ = 0x01,
	STATUS_0 = 0x02, /* written: miscellaneous output */
	ENABLE = 0x03,
	SEQUENCER_INDEX = 0x04,
	SEQUENCER_DATA = 0x05,
	PEL_MASK = 0x06,
	PEL_READ = 0x07,
	PEL_WRITE = 0x08,
	PEL_DATA = 0x09,
	FEATURE_READ = 0x0a,
	OUTPUT_READ = 0x0c,
	GRAPHICS_INDEX = 0x0e,
	GRAPHICS_DATA = 0x0f,
	CRTC_INDEX = 0x14,
	CRTC_DATA = 0x15,
	STATUS_1 = 0x1a, /* written: feature control */
	FIRST_COLOUR = 0x10
};
enum { SWITCH_SENSE = 0x10 }; /* a monitor is there */
enum { PEL_WRITING = 0, PEL_READING = 3 };
enum { PROTECT = 0x80, OVERFLOW_LINE_COMPARE = 0x10 };

/* Bits that exist; the others read as zero. */
static const uint8_t sequencer_bits[VGA_SEQUENCER] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t graphics_bits[VGA_GRAPHICS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03,
						     0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t attribute_bits[VGA_ATTRIBUTES] = { 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
							0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
							0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };
enum { OUTPUT_BITS = 0xef, FEATURE_BITS = 0x08, ATTRIBUTE_INDEX = 0x1f, NO_DATA = 0x3f };

static void write_attribute(struct vga *vga, uint8_t value)
{
	unsigned index = vga->attribute_index & ATTRIBUTE_INDEX;

	if (!vga->attribute_data)
		vga->attribute_index = value & (ATTRIBUTE_INDEX | ATTR_SHOWN);
	else if (index < VGA_ATTRIBUTES)
		vga->attributes[index] = value & attribute_bits[index];
	vga->attribute_data = !vga->attribute_data;
}

static uint8_t read_attribute(const struct vga *vga)
{
	unsigned index = vga->attribute_index & ATTRIBUTE_INDEX;

	return index < VGA_ATTRIBUTES ? vga->attributes[index] : 0;
}

static void write_sequencer(struct vga *vga, uint8_t value)
{
	if (vga->sequencer_index >= VGA_SEQUENCER)
		return;
	vga->sequencer[vga->sequencer_index] = value & sequencer_bits[vga->sequencer_index];
}

static void write_graphics(struct vga *vga, uint8_t value)
{
	if (vga->graphics_index >= VGA_GRAPHICS)
		return;
	vga->graphics[vga->graphics_index] = value & graphics_bits[vga->graphics_index];
}

/* Vertical retrace end, bit 7, protects registers 0 to 7 but for the line compare's bit in 7. */
static void write_crtc(struct vga *vga, uint8_t value)
{
	unsigned index = vga->crtc_index;

	if (index >= VGA_CRTC)
		return;
	if (index <= CRTC_OVERFLOW && vga->crtc[CRTC_V_RETRACE_END] & PROTECT) {
		if (index == CRTC_OVERFLOW)
			vga->crtc[index] = (uint8_t)((vga->crtc[index] & ~OVERFLOW_LINE_COMPARE) |
						     (value & OVERFLOW_LINE_COMPARE));
		return;
	}
	vga->crtc[index] = value;
}

/* Video DAC: three parts a colour, after which the index goes on. */

static uint8_t pel_bits(const struct vga *vga)
{
	return vga->vbe[VBE_ENABLE] & VBE_8_BIT_DAC ? 0xff : 0x3f;
}

static void write_pel(struct vga *vga, uint8_t value)
{
	vga->pel_new[vga->pel_part++] = value & pel_bits(vga);
	if (vga->pel_part < 3)
		return;
	for (unsigned i = 0; i < 3; i++)
		vga->palette[3 * vga->pel_write + i] = vga->pel_new[i];
	vga->pel_part = 0;
	vga->pel_write++;
}

static uint8_t read_pel(struct vga *vga)
{
	uint8_t value = vga->palette[3 * vga->pel_read + vga->pel_part] & pel_bits(vga);

	if (++vga->pel_part == 3) {
		vga->pel_part = 0;
		vga->pel_read++;
	}
	return value;
}

static void choose_pel(struct vga *vga, uint8_t index, uint8_t state)
{
	if (state == PEL_READING)
		vga->pel_read = index;
	else
		vga->pel_write = index;
	vga->pel_part = 0;
	vga->pel_state = state;
}

/* Reading input status 1 makes the attribute controller expect an index. */
static uint8_t read_status_1(struct vga *vga)
{
	vga->attribute_data = false;
	return vga_beam(vga);
}

static uint8_t read_port(struct vga *vga, unsigned port)
{
	switch (port) {
	case ATTRIBUTE: return vga->attribute_data ? 0 : vga->attribute_index;
	case ATTRIBUTE_READ: return read_attribute(vga);
	case STATUS_0: return SWITCH_SENSE;
	case ENABLE: return 1; /* always */
	case SEQUENCER_INDEX: return vga->sequencer_index;
	case SEQUENCER_DATA:
		return vga->sequencer_index < VGA_SEQUENCER ? vga->sequencer[vga->sequencer_index]
							    : 0;
	case PEL_MASK: return vga->pel_mask;
	case PEL_READ: return vga->pel_state;
	case PEL_WRITE: return vga->pel_write;
	case PEL_DATA: return read_pel(vga);
	case FEATURE_READ: return vga->feature;
	case OUTPUT_READ: return vga->output;
	case GRAPHICS_INDEX: return vga->graphics_index;
	case GRAPHICS_DATA:
		return vga->graphics_index < VGA_GRAPHICS ? vga->graphics[vga->graphics_index] : 0;
	case CRTC_INDEX: return vga->crtc_index;
	case CRTC_DATA: return vga->crtc_index < VGA_CRTC ? vga->crtc[vga->crtc_index] : 0;
	case STATUS_1: return read_status_1(vga);
	default: return 0xff;
	}
}

static void write_port(struct vga *vga, unsigned port, uint8_t value)
{
	switch (port) {
	case ATTRIBUTE: write_attribute(vga, value); break;
	case STATUS_0: vga->output = value & OUTPUT_BITS; break;
	case SEQUENCER_INDEX: vga->sequencer_index = value & 0x07; break;
	case SEQUENCER_DATA: write_sequencer(vga, value); break;
	case PEL_MASK: vga->pel_mask = value; break;
	case PEL_READ: choose_pel(vga, value, PEL_READING); break;
	case PEL_WRITE: choose_pel(vga, value, PEL_WRITING); break;
	case PEL_DATA: write_pel(vga, value); break;
	case GRAPHICS_INDEX: vga->graphics_index = value & 0x0f; break;
	case GRAPHICS_DATA: write_graphics(vga, value); break;
	case CRTC_INDEX: vga->crtc_index = value; break;
	case CRTC_DATA: write_crtc(vga, value); break;
	case STATUS_1: vga->feature = value & FEATURE_BITS; break;
	default: break;
	}
	vga_direct_changed(vga);
}

/* Miscellaneous output, bit 0: the CRT controller is at 0x3dx or at 0x3bx, where nobody else answers. */
static bool is_colour(const struct vga *vga)
{
	return vga->output & OUTPUT_COLOUR;
}

enum mw_io vga_port_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct vga *vga = self;

	*value =
		offset >= FIRST_COLOUR && !is_colour(vga) ? 0xff : read_port(vga, (unsigned)offset);
	return MW_IO_OK;
}

enum mw_io vga_port_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = self;

	if (offset < FIRST_COLOUR || is_colour(vga))
		write_port(vga, (unsigned)offset, (uint8_t)value);
	return MW_IO_OK;
}

enum mw_io vga_mono_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct vga *vga = self;

	*value = is_colour(vga) ? 0xff : read_port(vga, FIRST_COLOUR + (unsigned)offset);
	return MW_IO_OK;
}

enum mw_io vga_mono_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = self;

	if (!is_colour(vga))
		write_port(vga, FIRST_COLOUR + (unsigned)offset, (uint8_t)value);
	return MW_IO_OK;
}

static void keep(uint8_t *registers, const uint8_t *bits, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		registers[i] &= bits[i];
}

void vga_ready(struct vga *vga)
{
	keep(vga->sequencer, sequencer_bits, VGA_SEQUENCER);
	keep(vga->graphics, graphics_bits, VGA_GRAPHICS);
	keep(vga->attributes, attribute_bits, VGA_ATTRIBUTES);
	vga->output &= OUTPUT_BITS;
	vga->feature &= FEATURE_BITS;
	vga->sequencer_index &= 0x07;
	vga->graphics_index &= 0x0f;
	vga->attribute_index &= ATTRIBUTE_INDEX | ATTR_SHOWN;
	vga->pel_part %= 3;
	vga->pel_state &= PEL_READING;
	vga_vbe_ready(vga);
	vga_direct_ready(vga);
}

const struct mw_state vga_rows[21] = {
	{ "output", MW_FIELD(struct vga, output), .since = 1 },
	{ "feature", MW_FIELD(struct vga, feature), .since = 1 },
	{ "sequencer_index", MW_FIELD(struct vga, sequencer_index), .since = 1 },
	{ "sequencer", MW_ARRAY(struct vga, sequencer), .since = 1 },
	{ "crtc_index", MW_FIELD(struct vga, crtc_index), .since = 1 },
	{ "crtc", MW_ARRAY(struct vga, crtc), .since = 1 },
	{ "graphics_index", MW_FIELD(struct vga, graphics_index), .since = 1 },
	{ "graphics", MW_ARRAY(struct vga, graphics), .since = 1 },
	{ "attribute_index", MW_FIELD(struct vga, attribute_index), .since = 1 },
	{ "attributes", MW_ARRAY(struct vga, attributes), .since = 1 },
	{ "attribute_data", MW_FIELD(struct vga, attribute_data), .since = 1 },
	{ "palette", MW_ARRAY(struct vga, palette), .since = 1 },
	{ "pel_mask", MW_FIELD(struct vga, pel_mask), .reset = 0xff, .since = 1 },
	{ "pel_read", MW_FIELD(struct vga, pel_read), .since = 1 },
	{ "pel_write", MW_FIELD(struct vga, pel_write), .since = 1 },
	{ "pel_part", MW_FIELD(struct vga, pel_part), .since = 1 },
	{ "pel_state", MW_FIELD(struct vga, pel_state), .since = 1 },
	{ "pel_new", MW_ARRAY(struct vga, pel_new), .since = 1 },
	{ "latches", MW_FIELD(struct vga, latches), .since = 1 },
	{ "vbe_index", MW_FIELD(struct vga, vbe_index), .since = 1 },
	{ "vbe", MW_ARRAY(struct vga, vbe), .since = 1 },
};
