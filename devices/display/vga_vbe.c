/* The Bochs interface to modes beyond the VGA's. Reference: "Bochs VBE display API", version 0xb0c5. */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <string.h>

enum { NEWEST_ID = 0xb0c5, OLDEST_ID = 0xb0c0, IDS = NEWEST_ID - OLDEST_ID };
enum {
	UNIT = 0x10000,
	BANKS = VGA_MEMORY_BYTES / UNIT,
	STEP = 8,
	MOST = MW_CANVAS_MAX,
	DEEPEST = 32
};
enum { ENABLE_BITS = VBE_ENABLED | VBE_GET_CAPS | VBE_8_BIT_DAC | VBE_LINEAR | VBE_NO_CLEAR };
enum { DEFAULT_DEPTH = 8 };

bool vga_vbe_is_on(const struct vga *vga)
{
	return vga->vbe[VBE_ENABLE] & VBE_ENABLED;
}

unsigned vga_vbe_bits(const struct vga *vga)
{
	return vga->vbe[VBE_DEPTH] == 15 ? 16 : vga->vbe[VBE_DEPTH];
}

uint32_t vga_vbe_pitch(const struct vga *vga)
{
	unsigned bits = vga_vbe_bits(vga);

	return vga->vbe[VBE_VIRTUAL_WIDTH] * (bits == 4 ? 1u : bits) / 8;
}

static bool is_depth(unsigned depth)
{
	return depth == 4 || depth == 15 || (depth && depth % 8 == 0 && depth <= DEEPEST);
}

static uint16_t within(unsigned value, unsigned least, unsigned most)
{
	return (uint16_t)(value < least ? least : value > most ? most : value);
}

/* Lines that there is memory for. */
static unsigned lines_of_memory(const struct vga *vga)
{
	uint32_t bytes = vga->vbe[VBE_DEPTH] == 4 ? VGA_WORDS : VGA_MEMORY_BYTES;

	return bytes / vga_vbe_pitch(vga);
}

/* What a guest has set one by one is made to fit together, and the memory. */
static void fit(struct vga *vga)
{
	uint16_t *vbe = vga->vbe;
	unsigned lines;

	if (!is_depth(vbe[VBE_DEPTH]))
		vbe[VBE_DEPTH] = DEFAULT_DEPTH;
	vbe[VBE_WIDTH] = within(vbe[VBE_WIDTH] & ~(STEP - 1u), STEP, MOST);
	vbe[VBE_VIRTUAL_WIDTH] =
		within(vbe[VBE_VIRTUAL_WIDTH] & ~(STEP - 1u), vbe[VBE_WIDTH], 4 * MOST);
	lines = lines_of_memory(vga);
	vbe[VBE_HEIGHT] = within(vbe[VBE_HEIGHT], 1, lines < MOST ? lines : MOST);
	vbe[VBE_VIRTUAL_HEIGHT] = within(lines, 1, UINT16_MAX);
	vbe[VBE_X] = within(vbe[VBE_X], 0, vbe[VBE_VIRTUAL_WIDTH] - vbe[VBE_WIDTH]);
	vbe[VBE_Y] = within(vbe[VBE_Y], 0, lines - vbe[VBE_HEIGHT]);
}

/* Bytes that are packed, or of each map. */
static void clear(struct vga *vga, uint32_t count)
{
	if (vga->vbe[VBE_DEPTH] > 4)
		memset(vga_memory(vga), 0, count);
	else
		for (uint32_t word = 0; word < count; word++)
			vga_memory(vga)[vga_cell(word)] = 0;
}

static void turn_on(struct vga *vga, uint16_t value)
{
	uint16_t *vbe = vga->vbe;

	vbe[VBE_VIRTUAL_WIDTH] = vbe[VBE_X] = vbe[VBE_Y] = vbe[VBE_BANK] = 0;
	fit(vga);
	if (!(value & VBE_NO_CLEAR))
		clear(vga, vga_vbe_pitch(vga) * vbe[VBE_HEIGHT]);
}

static void write_enable(struct vga *vga, uint16_t value)
{
	bool was_on = vga_vbe_is_on(vga);

	vga->vbe[VBE_ENABLE] = value & ENABLE_BITS;
	if (value & VBE_ENABLED && !was_on)
		turn_on(vga, value);
	if (!(value & VBE_ENABLED))
		vga->vbe[VBE_BANK] = 0;
}

void vga_vbe_write(struct vga *vga, unsigned index, uint16_t value)
{
	switch (index) {
	case VBE_ID:
		if (value < OLDEST_ID || value > NEWEST_ID)
			return;
		break;
	case VBE_ENABLE: write_enable(vga, value); break;
	case VBE_BANK: value &= BANKS - 1; break;
	case VBE_VIRTUAL_HEIGHT:
	case VBE_MEMORY: return;
	default: break;
	}
	if (index >= VBE_REGISTERS)
		return;
	if (index != VBE_ENABLE)
		vga->vbe[index] = value;
	if (vga_vbe_is_on(vga))
		fit(vga);
	vga_direct_changed(vga);
}

uint16_t vga_vbe_read(const struct vga *vga, unsigned index)
{
	bool caps = vga->vbe[VBE_ENABLE] & VBE_GET_CAPS;

	switch (index) {
	case VBE_WIDTH:
	case VBE_HEIGHT: return caps ? MOST : vga->vbe[index];
	case VBE_DEPTH: return caps ? DEEPEST : vga->vbe[index];
	case VBE_MEMORY: return BANKS;
	default: return index < VBE_REGISTERS ? vga->vbe[index] : 0;
	}
}

enum mw_io vga_vbe_port_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	const struct vga *vga = self;

	*value = offset ? vga_vbe_read(vga, vga->vbe_index) : vga->vbe_index;
	return MW_IO_OK;
}

enum mw_io vga_vbe_port_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = self;

	if (offset)
		vga_vbe_write(vga, vga->vbe_index, (uint16_t)value);
	else
		vga->vbe_index = (uint16_t)value;
	return MW_IO_OK;
}

void vga_vbe_ready(struct vga *vga)
{
	uint16_t *vbe = vga->vbe;

	if (vbe[VBE_ID] < OLDEST_ID || vbe[VBE_ID] > NEWEST_ID)
		vbe[VBE_ID] = NEWEST_ID;
	vbe[VBE_ENABLE] &= ENABLE_BITS;
	vbe[VBE_BANK] &= BANKS - 1;
	vbe[VBE_MEMORY] = BANKS;
	if (vga_vbe_is_on(vga))
		fit(vga);
}
