/* How the CPU sees the VGA's memory: maps, latches and the logic between. Reference: IBM PS/2 Hardware Interface
 * Technical Reference, "Video Subsystem", sequencer and graphics controller; FreeVGA, "VGA memory access". */
// SPDX-License-Identifier: MIT
#include "devices/display/vga_internal.h"

#include <string.h>

/* How the CPU reaches the memory. */
enum path {
	CLOSED,       /* it does not */
	LINEAR,       /* a bank of packed pixels */
	CHAINED,      /* chain 4 as in mode 13h: no logic but the map mask */
	CHARACTERS,   /* odd and even, maps 0 and 1, no logic: text */
	PLAIN_PLANES, /* the byte to all enabled maps */
	LOGIC         /* everything else */
};
struct window {
	enum path path;
	uint32_t first, length;
	uint32_t bank;  /* what is added: bytes of LINEAR, else words */
	uint32_t reach; /* mask of a word's number */
	uint32_t maps;  /* the enabled ones, 0xff in each one's byte */
};

enum { BANK_BYTES = 0x10000, TEXT_MAPS = 0x3, ALL_MAPS = 0xf };
enum { ROTATE_COUNT = 0x07, WRITE_MODE = 0x03, EVEN_MAPS = 0x5, ODD_MAPS = 0xa };
#define BYTES UINT32_C(0x01010101)

/* A map's bit as the map's byte. */
static const uint32_t map_bytes[16] = { 0x00000000, 0x000000ff, 0x0000ff00, 0x0000ffff,
					0x00ff0000, 0x00ff00ff, 0x00ffff00, 0x00ffffff,
					0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
					0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff };

uint32_t *vga_memory(const struct vga *vga)
{
	return (uint32_t *)(void *)mw_memory_bytes(vga->memory, NULL);
}

/* Which window follows from the registers */

/* Whether written bytes come to the maps as they are. */
static bool has_no_logic(const struct vga *vga)
{
	const uint8_t *gfx = vga->graphics;

	return !(gfx[GFX_MODE] & WRITE_MODE) && !gfx[GFX_ENABLE_SET_RESET] && !gfx[GFX_ROTATE] &&
	       gfx[GFX_BIT_MASK] == 0xff;
}

static enum path path_of(const struct vga *vga)
{
	unsigned maps = vga->sequencer[SEQ_MAP_MASK], mode = vga->sequencer[SEQ_MEMORY_MODE];

	if (!has_no_logic(vga))
		return LOGIC;
	if (mode & MEMORY_CHAIN_4)
		return CHAINED;
	if (mode & MEMORY_NO_ODD_EVEN)
		return PLAIN_PLANES;
	return maps == TEXT_MAPS ? CHARACTERS : LOGIC;
}

/* Graphics controller, miscellaneous: memory map. */
static const struct {
	uint32_t first, length;
} ranges[4] = { { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 } };

/* It is worked out anew for each access: a few instructions, against a state beside the registers. */
static struct window window_of(const struct vga *vga)
{
	unsigned range = vga->graphics[GFX_MISC] >> 2 & 3;
	struct window window = { .path = path_of(vga),
				 .first = ranges[range].first,
				 .length = ranges[range].length,
				 .reach = VGA_MAP_BYTES - 1,
				 .maps = map_bytes[vga->sequencer[SEQ_MAP_MASK]] };

	if (!(vga->output & OUTPUT_RAM)) {
		window.path = CLOSED;
		window.length = 0;
	} else if (vga_vbe_is_on(vga)) {
		window.bank = (uint32_t)vga->vbe[VBE_BANK] * BANK_BYTES;
		window.reach = VGA_WORDS - 1;
		if (vga->vbe[VBE_DEPTH] > 4) {
			window.path = LINEAR;
			window.first = 0;
			window.length = BANK_BYTES;
		}
	}
	return window;
}

/* The window as plain memory */

/* Chain 4 as mode 13h has it reads and writes what is there; only the latches stay as they are, which such a mode does
 * not use. Banks of packed pixels are nothing but memory. */
static struct vga_direct direct_of(const struct vga *vga)
{
	struct window window = window_of(vga);
	bool plain = window.path == CHAINED && window.maps == UINT32_MAX && !vga_vbe_is_on(vga) &&
		     !(vga->graphics[GFX_MODE] & MODE_COMPARE);

	if (!plain && window.path != LINEAR)
		return (struct vga_direct){ 0 };
	return (struct vga_direct){ .first = window.first,
				    .length = window.length,
				    .at = plain ? 0 : window.bank };
}

/* So many accesses come before the window is memory: a new map costs as much as some hundred of them, and a guest that
 * changes registers all the time shall cause none. */
enum { PLAIN_ACCESSES = 1024 };

static void show(struct vga *vga)
{
	const struct vga_direct *direct = &vga->direct;
	uint32_t length = direct->length < VGA_MAP_BYTES ? direct->length : VGA_MAP_BYTES;
	struct mw_piece pieces[VGA_WINDOW_BYTES / VGA_MAP_BYTES];
	size_t count = direct->length / length;

	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct mw_piece){ .offset = direct->at,
					       .length = length,
					       .base = direct->first + i * length,
					       .access = MW_PIECE_READ | MW_PIECE_WRITE };
	mw_region_show(vga, VGA_WINDOW, vga->memory, pieces, count);
}

static void note_access(struct vga *vga)
{
	struct vga_direct *direct = &vga->direct;

	if (direct->length && direct->accesses < PLAIN_ACCESSES &&
	    ++direct->accesses == PLAIN_ACCESSES)
		show(vga);
}

void vga_direct_ready(struct vga *vga)
{
	mw_region_show(vga, VGA_WINDOW, vga->memory, NULL, 0);
	vga->direct = direct_of(vga);
}

void vga_direct_changed(struct vga *vga)
{
	const struct vga_direct *now = &vga->direct;
	struct vga_direct next = direct_of(vga);

	if (next.first == now->first && next.length == now->length && next.at == now->at)
		return;
	if (now->accesses >= PLAIN_ACCESSES)
		mw_region_show(vga, VGA_WINDOW, vga->memory, NULL, 0);
	vga->direct = next;
}

/* Writing */

static uint32_t with_function(const struct vga *vga, uint32_t data)
{
	switch (vga->graphics[GFX_ROTATE] >> 3) {
	case 1: return data & vga->latches;
	case 2: return data | vga->latches;
	case 3: return data ^ vga->latches;
	default: return data;
	}
}

static uint32_t under_mask(const struct vga *vga, uint32_t data, uint32_t bits)
{
	data = with_function(vga, data);
	return (data & bits) | (vga->latches & ~bits);
}

/* Graphics mode, write mode: what the maps would take, were all enabled. */
static uint32_t logic(const struct vga *vga, uint8_t value)
{
	const uint8_t *gfx = vga->graphics;
	unsigned count = gfx[GFX_ROTATE] & ROTATE_COUNT;
	uint32_t rotated = (uint8_t)(value >> count | value << (8 - count));
	uint32_t reset = map_bytes[gfx[GFX_SET_RESET]], mask = gfx[GFX_BIT_MASK] * BYTES;
	uint32_t enabled = map_bytes[gfx[GFX_ENABLE_SET_RESET]];

	switch (gfx[GFX_MODE] & WRITE_MODE) {
	case 0: return under_mask(vga, ((rotated * BYTES) & ~enabled) | (reset & enabled), mask);
	case 1: return vga->latches;
	case 2: return under_mask(vga, map_bytes[value & ALL_MAPS], mask);
	default: return under_mask(vga, reset, (rotated * BYTES) & mask);
	}
}

/* Where an address leads: chain 4 and odd/even take its lowest bits for the maps and put zeros in
 * their place. (The page that odd/even chooses by other registers is always the first.) */
static uint32_t word_of(const struct vga *vga, const struct window *window, uint32_t at,
			bool odd_even)
{
	if (vga->sequencer[SEQ_MEMORY_MODE] & MEMORY_CHAIN_4)
		at &= ~3u;
	else if (odd_even)
		at &= ~1u;
	return (at + window->bank) & window->reach;
}

static void write_logic(struct vga *vga, const struct window *window, uint32_t at, uint8_t value)
{
	unsigned mode = vga->sequencer[SEQ_MEMORY_MODE];
	bool odd_even = !(mode & (MEMORY_NO_ODD_EVEN | MEMORY_CHAIN_4));
	uint32_t *word = &vga_memory(vga)[vga_cell(word_of(vga, window, at, odd_even))];
	uint32_t maps = window->maps;

	if (mode & MEMORY_CHAIN_4)
		maps &= map_bytes[1u << (at & 3)];
	else if (odd_even)
		maps &= map_bytes[at & 1 ? ODD_MAPS : EVEN_MAPS];
	*word = (*word & ~maps) | (logic(vga, value) & maps);
}

static void write_byte(struct vga *vga, const struct window *window, uint32_t at, uint8_t value)
{
	uint32_t word = (at + window->bank) & window->reach;
	uint8_t *bytes = (uint8_t *)vga_memory(vga);

	switch (window->path) {
	case LINEAR: bytes[window->bank + at] = value; break;
	case CHARACTERS: bytes[4 * vga_cell(word & ~1u) + (at & 1)] = value; break;
	case CHAINED:
		if (window->maps >> (8 * (at & 3)) & 1)
			bytes[4 * vga_cell(word & ~3u) + (at & 3)] = value;
		break;
	case PLAIN_PLANES: {
		uint32_t *planes = &vga_memory(vga)[vga_cell(word)];

		*planes = (*planes & ~window->maps) | (value * BYTES & window->maps);
		break;
	}
	case LOGIC: write_logic(vga, window, at, value); break;
	case CLOSED: break;
	}
}

/* A character with its attribute is what most guests write, and a run of pixels. */
static bool write_at_once(struct vga *vga, const struct window *window, uint32_t at, unsigned size,
			  uint64_t value)
{
	uint8_t *bytes = (uint8_t *)vga_memory(vga);

	if (window->path == CHARACTERS && size == 2 && !(at & 1)) {
		uint32_t word = (at + window->bank) & window->reach;

		memcpy(bytes + (size_t)4 * vga_cell(word), &value, 2);
		return true;
	}
	if (window->path == CHAINED && window->maps == UINT32_MAX && (at & 3) + size <= 4) {
		uint32_t word = ((at & ~3u) + window->bank) & window->reach;

		memcpy(bytes + (size_t)4 * vga_cell(word) + (at & 3), &value, size);
		return true;
	}
	if (window->path != LINEAR)
		return false;
	memcpy(bytes + window->bank + at, &value, size);
	return true;
}

enum mw_io vga_window_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct vga *vga = self;
	struct window window = window_of(vga);
	uint32_t at = (uint32_t)offset - window.first, length = window.length;

	note_access(vga);
	if (at < length && size <= length - at && write_at_once(vga, &window, at, size, value))
		return MW_IO_OK;
	for (unsigned i = 0; i < size; i++, at++, value >>= 8)
		if (at < length)
			write_byte(vga, &window, at, (uint8_t)value);
	return MW_IO_OK;
}

/* Reading */

/* Graphics mode, read mode 1: bits where all maps that matter have the compared colour. */
static uint8_t compare(const struct vga *vga)
{
	uint32_t other = (vga->latches ^ map_bytes[vga->graphics[GFX_COMPARE]]) &
			 map_bytes[vga->graphics[GFX_DONT_CARE]];

	other |= other >> 16;
	other |= other >> 8;
	return (uint8_t)~other;
}

/* Every read fills the latches. */
static uint8_t read_byte(struct vga *vga, const struct window *window, uint32_t at)
{
	unsigned map = vga->graphics[GFX_READ_MAP];
	bool odd_even = vga->graphics[GFX_MODE] & MODE_ODD_EVEN;

	if (window->path == LINEAR)
		return ((const uint8_t *)vga_memory(vga))[window->bank + at];
	vga->latches = vga_memory(vga)[vga_cell(word_of(vga, window, at, odd_even))];
	if (vga->graphics[GFX_MODE] & MODE_COMPARE)
		return compare(vga);
	if (vga->sequencer[SEQ_MEMORY_MODE] & MEMORY_CHAIN_4)
		map = at & 3;
	else if (odd_even)
		map = (map & 2) | (at & 1);
	return (uint8_t)(vga->latches >> (8 * map));
}

enum mw_io vga_window_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct vga *vga = self;
	struct window window = window_of(vga);
	uint32_t at = (uint32_t)offset - window.first;

	note_access(vga);
	*value = 0;
	for (unsigned i = 0; i < size; i++, at++) {
		uint8_t byte = at < window.length ? read_byte(vga, &window, at) : 0xff;

		*value |= (uint64_t)byte << (8 * i);
	}
	return MW_IO_OK;
}
