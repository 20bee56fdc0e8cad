/* The VGA's registers and memory, read like the IBM PS/2 Hardware Interface Technical Reference ("Video Subsystem") and
 * FreeVGA; the Bochs interface, and the adapter on PCI. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type vga_std_type;
extern const struct mw_device_type vga_isa_type;

/* Ports from 0x3c0. */
enum {
	ATTRIBUTE = 0x00,
	ATTRIBUTE_READ = 0x01,
	STATUS_0 = 0x02,
	OUTPUT = 0x02,
	SEQUENCER = 0x04,
	PEL_MASK = 0x06,
	PEL_READ = 0x07,
	PEL_WRITE = 0x08,
	PEL_DATA = 0x09,
	FEATURE_READ = 0x0a,
	OUTPUT_READ = 0x0c,
	GRAPHICS = 0x0e,
	CRTC = 0x14,
	STATUS_1 = 0x1a
};
enum { MONO_CRTC = 4, MONO_STATUS_1 = 0x0a };
enum { COLOUR = 0x01, RAM = 0x02 };
enum { MAP_MASK = 2, MEMORY_MODE = 4 };
enum { SET_RESET, ENABLE_SET_RESET, COMPARE, ROTATE, READ_MAP, MODE, MISC, DONT_CARE, BIT_MASK };
enum { ID, WIDTH, HEIGHT, DEPTH, ENABLE, BANK, VIRTUAL_WIDTH, VIRTUAL_HEIGHT, X, Y, MEMORY };
enum { ON = 0x01, CAPS = 0x02, DAC_8 = 0x20, LINEAR = 0x40, NO_CLEAR = 0x80 };
enum { NS_A_FRAME = 16683217 };

static int set_up(void **state)
{
	*state = rig_create(&vga_std_type, NULL);
	rig_place_bars(*state);
	rig_write(*state, "vga", OUTPUT, 1, COLOUR | RAM);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void out(struct rig *rig, unsigned port, unsigned value)
{
	rig_write(rig, "vga", port, 1, value);
}

static uint8_t in(struct rig *rig, unsigned port)
{
	return (uint8_t)rig_read(rig, "vga", port, 1);
}

/* A register behind an index port and the data port after it. */
static void set(struct rig *rig, unsigned port, unsigned index, unsigned value)
{
	rig_write(rig, "vga", port, 2, index | value << 8);
}

static uint8_t get(struct rig *rig, unsigned port, unsigned index)
{
	out(rig, port, index);
	return in(rig, port + 1);
}

static void set_attribute(struct rig *rig, unsigned index, unsigned value)
{
	in(rig, STATUS_1);
	out(rig, ATTRIBUTE, index);
	out(rig, ATTRIBUTE, value);
}

static void vbe(struct rig *rig, unsigned index, unsigned value)
{
	rig_write(rig, "vbe", 0, 2, index);
	rig_write(rig, "vbe", 1, 2, value);
}

static unsigned vbe_of(struct rig *rig, unsigned index)
{
	rig_write(rig, "vbe", 0, 2, index);
	return (unsigned)rig_read(rig, "vbe", 1, 2);
}

static void poke(struct rig *rig, unsigned at, unsigned value)
{
	rig_write(rig, "text", at, 1, value);
}

static uint8_t peek(struct rig *rig, unsigned at)
{
	return (uint8_t)rig_read(rig, "text", at, 1);
}

/* Where the four maps' bytes at an address are in the frame buffer: those that chain 4 uses follow each other. */
static unsigned cell(unsigned word)
{
	return 4 * (word / 0x10000 * 0x10000 + word % 4 * 0x4000 + word % 0x10000 / 4);
}

/* A word of the memory: the four maps. */
static uint32_t maps(struct rig *rig, unsigned word)
{
	return (uint32_t)rig_read(rig, "vram", cell(word), 4);
}

static void set_maps(struct rig *rig, unsigned word, uint32_t value)
{
	rig_write(rig, "vram", cell(word), 4, value);
}

/* Graphics modes 0Dh to 12h, at 0xa0000. */
static void set_planar(struct rig *rig)
{
	set(rig, SEQUENCER, MAP_MASK, 0x0f);
	set(rig, SEQUENCER, MEMORY_MODE, 0x06);
	set(rig, GRAPHICS, MODE, 0x00);
	set(rig, GRAPHICS, MISC, 0x05);
	set(rig, GRAPHICS, DONT_CARE, 0x0f);
	set(rig, GRAPHICS, BIT_MASK, 0xff);
}

/* Modes 0 to 3, at 0xb8000. */
static void set_text(struct rig *rig)
{
	set(rig, SEQUENCER, MAP_MASK, 0x03);
	set(rig, SEQUENCER, MEMORY_MODE, 0x02);
	set(rig, GRAPHICS, MODE, 0x10);
	set(rig, GRAPHICS, MISC, 0x0e);
	set(rig, GRAPHICS, BIT_MASK, 0xff);
}

/* Mode 13h */
static void set_chained(struct rig *rig)
{
	set(rig, SEQUENCER, MAP_MASK, 0x0f);
	set(rig, SEQUENCER, MEMORY_MODE, 0x0e);
	set(rig, GRAPHICS, MODE, 0x40);
	set(rig, GRAPHICS, MISC, 0x05);
	set(rig, GRAPHICS, BIT_MASK, 0xff);
}

/* Registers */

static void reset_clears_registers(void **state)
{
	set_planar(*state);
	set(*state, CRTC, 0x0e, 0x12);
	rig_reset(*state);
	assert_int_equal(in(*state, OUTPUT_READ), 0);
	assert_int_equal(get(*state, SEQUENCER, MAP_MASK), 0);
	assert_int_equal(get(*state, GRAPHICS, BIT_MASK), 0);
	assert_int_equal(in(*state, PEL_MASK), 0xff);
}

static void bits_that_do_not_exist_read_as_zero(void **state)
{
	static const uint8_t sequencer[] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0 };
	static const uint8_t graphics[] = {
		0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0
	};

	for (unsigned i = 0; i < sizeof(sequencer); i++) {
		set(*state, SEQUENCER, i, 0xff);
		assert_int_equal(get(*state, SEQUENCER, i), sequencer[i]);
	}
	for (unsigned i = 0; i < sizeof(graphics); i++) {
		set(*state, GRAPHICS, i, 0xff);
		assert_int_equal(get(*state, GRAPHICS, i), graphics[i]);
	}
}

/* "Attribute Controller Registers": one port takes the index, then the data. */
static void attribute_port_takes_index_and_data_in_turn(void **state)
{
	in(*state, STATUS_1);
	out(*state, ATTRIBUTE, 0x31);
	out(*state, ATTRIBUTE, 0x5a);
	out(*state, ATTRIBUTE, 0x03);
	out(*state, ATTRIBUTE, 0xff);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0x3f);
	out(*state, ATTRIBUTE, 0x31);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0x5a);
}

static void reading_input_status_1_makes_index_next(void **state)
{
	set_attribute(*state, 5, 0x11);
	in(*state, STATUS_1);
	out(*state, ATTRIBUTE, 5);
	in(*state, STATUS_1);
	out(*state, ATTRIBUTE, 6);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0);
	out(*state, ATTRIBUTE, 0x22);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0x22);
	out(*state, ATTRIBUTE, 5);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0x11);
}

static void attribute_index_reads_back_with_its_palette_bit(void **state)
{
	in(*state, STATUS_1);
	out(*state, ATTRIBUTE, 0xf4);
	in(*state, STATUS_1);
	assert_int_equal(in(*state, ATTRIBUTE), 0x34);
}

/* "Miscellaneous Output Register", bit 0 */
static void crt_controller_answers_at_one_of_two_places(void **state)
{
	set(*state, CRTC, 0x0e, 0x5a);
	assert_int_equal(rig_read(*state, "mono", MONO_CRTC, 1), 0xff);
	out(*state, OUTPUT, 0);
	assert_int_equal(in(*state, CRTC), 0xff);
	set(*state, CRTC, 0x0e, 0xa5);
	rig_write(*state, "mono", MONO_CRTC, 1, 0x0e);
	assert_int_equal(rig_read(*state, "mono", MONO_CRTC + 1, 1), 0x5a);
	rig_write(*state, "mono", MONO_CRTC + 1, 1, 0x77);
	out(*state, OUTPUT, COLOUR);
	assert_int_equal(get(*state, CRTC, 0x0e), 0x77);
}

static void output_and_feature_control_read_elsewhere(void **state)
{
	out(*state, OUTPUT, 0xe3);
	assert_int_equal(in(*state, OUTPUT_READ), 0xe3);
	out(*state, STATUS_1, 0x08);
	assert_int_equal(in(*state, FEATURE_READ), 0x08);
	assert_int_equal(in(*state, STATUS_0) & 0x10, 0x10);
}

/* "Vertical Retrace End Register", bit 7 */
static void protect_bit_keeps_timing_but_line_compare(void **state)
{
	set(*state, CRTC, 0x00, 0x5f);
	set(*state, CRTC, 0x07, 0x1f);
	set(*state, CRTC, 0x11, 0x80);
	set(*state, CRTC, 0x00, 0x11);
	set(*state, CRTC, 0x07, 0xe0);
	set(*state, CRTC, 0x08, 0x05);
	assert_int_equal(get(*state, CRTC, 0x00), 0x5f);
	assert_int_equal(get(*state, CRTC, 0x07), 0x0f);
	assert_int_equal(get(*state, CRTC, 0x08), 0x05);
	set(*state, CRTC, 0x11, 0x00);
	set(*state, CRTC, 0x00, 0x11);
	assert_int_equal(get(*state, CRTC, 0x00), 0x11);
}

static void registers_beyond_the_last_are_none(void **state)
{
	set(*state, CRTC, 0x19, 0x55);
	set(*state, CRTC, 0xff, 0x55);
	assert_int_equal(get(*state, CRTC, 0x19), 0);
	set_attribute(*state, 0x15, 0x55);
	assert_int_equal(in(*state, ATTRIBUTE_READ), 0);
}

/* "Video Digital-to-Analog Converter" */
static void palette_index_goes_on_after_three_parts(void **state)
{
	out(*state, PEL_WRITE, 0x10);
	for (unsigned i = 1; i <= 6; i++)
		out(*state, PEL_DATA, i);
	assert_int_equal(in(*state, PEL_WRITE), 0x12);
	out(*state, PEL_READ, 0x10);
	for (unsigned i = 1; i <= 6; i++)
		assert_int_equal(in(*state, PEL_DATA), i);
}

static void dac_state_tells_read_from_write(void **state)
{
	out(*state, PEL_READ, 0);
	assert_int_equal(in(*state, PEL_READ), 3);
	out(*state, PEL_WRITE, 0);
	assert_int_equal(in(*state, PEL_READ), 0);
}

static void colours_have_six_bits_a_part(void **state)
{
	out(*state, PEL_WRITE, 0);
	for (unsigned i = 0; i < 3; i++)
		out(*state, PEL_DATA, 0xff);
	out(*state, PEL_READ, 0);
	assert_int_equal(in(*state, PEL_DATA), 0x3f);
}

static void unfinished_colour_changes_nothing(void **state)
{
	out(*state, PEL_WRITE, 0);
	out(*state, PEL_DATA, 0x2a);
	out(*state, PEL_READ, 0);
	assert_int_equal(in(*state, PEL_DATA), 0);
}

/* Input status 1 */

/* Mode 3's timing: 70 Hz, 449 lines of 100 characters of 9 dots at 28.322 MHz. */
static void set_mode_3_timing(struct rig *rig)
{
	static const uint8_t crtc[] = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f };

	for (unsigned i = 0; i < sizeof(crtc); i++)
		set(rig, CRTC, i, crtc[i]);
	set(rig, CRTC, 0x10, 0x9c);
	set(rig, CRTC, 0x11, 0x8e);
	set(rig, CRTC, 0x12, 0x8f);
	out(rig, OUTPUT, 0x67);
}

/* How many ns of one frame a bit is high, looked at every so often. */
static uint64_t time_high(struct rig *rig, uint8_t bit, uint64_t frame_ns)
{
	const uint64_t step = 500;
	uint64_t high = 0;

	for (uint64_t at = 0; at < frame_ns; at += step) {
		high += in(rig, STATUS_1) & bit ? step : 0;
		rig_advance(rig, step);
	}
	return high;
}

static void retrace_lasts_its_lines_of_each_frame(void **state)
{
	const uint64_t line_ns = 31777, frame_ns = 449 * line_ns;
	uint64_t retrace, off;

	set_mode_3_timing(*state);
	retrace = time_high(*state, 0x08, frame_ns);
	off = time_high(*state, 0x01, frame_ns);
	assert_in_range(retrace, 2 * line_ns - 1000, 2 * line_ns + 1000);
	/* 49 lines below the picture and a fifth of the others. */
	assert_in_range(off, 49 * line_ns + 400 * line_ns / 5 - 100 * 1000,
			49 * line_ns + 400 * line_ns / 5 + 400 * 1000);
}

static void retrace_comes_whatever_the_registers_hold(void **state)
{
	assert_true(time_high(*state, 0x08, NS_A_FRAME) > 0);
	for (unsigned i = 0; i < 0x19; i++)
		set(*state, CRTC, 0x18 - i, 0xff);
	assert_true(time_high(*state, 0x08, 3 * (uint64_t)NS_A_FRAME) > 0);
}

/* Memory: planar */

static void map_mask_chooses_maps_that_are_written(void **state)
{
	set_planar(*state);
	set(*state, SEQUENCER, MAP_MASK, 0x05);
	poke(*state, 0x100, 0xab);
	assert_int_equal(maps(*state, 0x100), 0x00ab00ab);
}

static void read_map_chooses_the_map_that_is_read(void **state)
{
	set_planar(*state);
	set_maps(*state, 0x42, 0x44332211);
	for (unsigned i = 0; i < 4; i++) {
		set(*state, GRAPHICS, READ_MAP, i);
		assert_int_equal(peek(*state, 0x42), 0x11 * (i + 1));
	}
}

/* Write mode 0 */
static void byte_is_rotated_before_all_else(void **state)
{
	set_planar(*state);
	set(*state, GRAPHICS, ROTATE, 3);
	poke(*state, 0, 0x05);
	assert_int_equal(maps(*state, 0), 0xa0a0a0a0);
}

static void set_reset_replaces_the_byte_in_enabled_maps(void **state)
{
	set_planar(*state);
	set(*state, GRAPHICS, SET_RESET, 0x0a);
	set(*state, GRAPHICS, ENABLE_SET_RESET, 0x06);
	poke(*state, 0, 0x5a);
	assert_int_equal(maps(*state, 0), 0x5a00ff5a);
}

static void bits_off_the_mask_come_from_the_latches(void **state)
{
	set_planar(*state);
	set_maps(*state, 0, 0x44332211);
	set_maps(*state, 1, 0xffffffff);
	peek(*state, 0);
	set(*state, GRAPHICS, BIT_MASK, 0x0f);
	poke(*state, 1, 0xa5);
	assert_int_equal(maps(*state, 1), 0x45352515);
}

static void functions_combine_byte_and_latches(void **state)
{
	static const uint32_t expected[] = { 0x0f0f0f0f, 0x0c000a00, 0xcf0faf0f, 0xc30fa50f };

	set_planar(*state);
	for (unsigned function = 0; function < 4; function++) {
		set(*state, GRAPHICS, ROTATE, 0);
		set_maps(*state, 0, 0xcc00aa00);
		peek(*state, 0);
		set(*state, GRAPHICS, ROTATE, function << 3);
		poke(*state, 0, 0x0f);
		assert_int_equal(maps(*state, 0), expected[function]);
	}
}

static void write_mode_1_copies_the_latches(void **state)
{
	set_planar(*state);
	set_maps(*state, 7, 0x44332211);
	peek(*state, 7);
	set(*state, GRAPHICS, MODE, 1);
	set(*state, GRAPHICS, BIT_MASK, 0);
	set(*state, SEQUENCER, MAP_MASK, 0x0d);
	poke(*state, 9, 0xff);
	assert_int_equal(maps(*state, 9), 0x44330011);
}

static void write_mode_2_paints_a_colour_under_the_mask(void **state)
{
	set_planar(*state);
	set_maps(*state, 0, 0xffffffff);
	peek(*state, 0);
	set(*state, GRAPHICS, MODE, 2);
	set(*state, GRAPHICS, BIT_MASK, 0x81);
	poke(*state, 0, 0xf5);
	assert_int_equal(maps(*state, 0), 0x7eff7eff);
}

static void write_mode_3_paints_set_reset_under_the_byte(void **state)
{
	set_planar(*state);
	set_maps(*state, 0, 0x0000ffff);
	peek(*state, 0);
	set(*state, GRAPHICS, MODE, 3);
	set(*state, GRAPHICS, SET_RESET, 0x06);
	set(*state, GRAPHICS, ROTATE, 4);
	set(*state, GRAPHICS, BIT_MASK, 0x3c);
	poke(*state, 0, 0xf3); /* rotated 0x3f, under the mask 0x3c */
	assert_int_equal(maps(*state, 0), 0x003cffc3);
}

static void read_mode_1_compares_colours(void **state)
{
	set_planar(*state);
	set_maps(*state, 0, 0x0f33ff55);
	set(*state, GRAPHICS, MODE, 0x08);
	set(*state, GRAPHICS, COMPARE, 0x0b); /* maps 0, 1 and 3 */
	assert_int_equal(peek(*state, 0), 0x04);
	set(*state, GRAPHICS, DONT_CARE, 0x03);
	assert_int_equal(peek(*state, 0), 0x55);
	set(*state, GRAPHICS, DONT_CARE, 0x00);
	assert_int_equal(peek(*state, 0), 0xff);
}

/* Memory: odd and even, chain 4 */

static void even_addresses_are_characters_and_odd_ones_attributes(void **state)
{
	set_text(*state);
	rig_write(*state, "text", 0x18000, 2, 0x1f41);
	rig_write(*state, "text", 0x18003, 1, 0x2e);
	assert_int_equal(maps(*state, 0), 0x00001f41);
	assert_int_equal(maps(*state, 1), 0);
	assert_int_equal(maps(*state, 2), 0x00002e00);
	assert_int_equal(rig_read(*state, "text", 0x18000, 4), 0x2e001f41);
}

static void fonts_are_written_through_map_2(void **state)
{
	set_text(*state);
	rig_write(*state, "text", 0x18000, 2, 0x1f41);
	set(*state, SEQUENCER, MAP_MASK, 0x04);
	set(*state, SEQUENCER, MEMORY_MODE, 0x06);
	set(*state, GRAPHICS, READ_MAP, 0x02);
	set(*state, GRAPHICS, MODE, 0x00);
	set(*state, GRAPHICS, MISC, 0x04);
	poke(*state, 0, 0x7e);
	poke(*state, 1, 0x81);
	assert_int_equal(peek(*state, 1), 0x81);
	assert_int_equal(maps(*state, 0), 0x007e1f41);
	assert_int_equal(maps(*state, 1), 0x00810000);
}

static void chain_4_spreads_bytes_over_the_maps(void **state)
{
	set_chained(*state);
	rig_write(*state, "text", 4, 4, 0x44332211);
	assert_int_equal(maps(*state, 4), 0x44332211);
	assert_int_equal(peek(*state, 6), 0x33);
	set(*state, SEQUENCER, MAP_MASK, 0x0b);
	rig_write(*state, "text", 4, 4, 0);
	assert_int_equal(maps(*state, 4), 0x00330000);
}

static void chain_4_takes_words_wherever_they_begin(void **state)
{
	set_chained(*state);
	rig_write(*state, "text", 5, 2, 0x2211);
	rig_write(*state, "text", 7, 2, 0x4433);
	rig_write(*state, "text", 12, 8, 0x8877665544332211);
	assert_int_equal(maps(*state, 4), 0x33221100);
	assert_int_equal(maps(*state, 8), 0x00000044);
	assert_int_equal(maps(*state, 12), 0x44332211);
	assert_int_equal(maps(*state, 16), 0x88776655);
	assert_int_equal(rig_read(*state, "text", 12, 8), 0x8877665544332211);
}

static void logic_works_in_chain_4_as_well(void **state)
{
	set_chained(*state);
	set_maps(*state, 0, 0xffffffff);
	peek(*state, 0);
	set(*state, GRAPHICS, BIT_MASK, 0x0f);
	poke(*state, 1, 0x00);
	assert_int_equal(maps(*state, 0), 0xfffff0ff);
}

/* "Miscellaneous Register" of the graphics controller */
static void memory_map_moves_the_window(void **state)
{
	static const struct {
		unsigned map, first, last;
	} windows[] = { { 0, 0, 0x1ffff },
			{ 1, 0, 0xffff },
			{ 2, 0x10000, 0x17fff },
			{ 3, 0x18000, 0x1ffff } };

	set_planar(*state);
	for (unsigned i = 0; i < 4; i++) {
		set(*state, GRAPHICS, MISC, 0x01 | windows[i].map << 2);
		set_maps(*state, 0, 0xa5a5a5a5);
		poke(*state, windows[i].first, 0x11 * (i + 1));
		assert_int_equal(maps(*state, 0) & 0xff, 0x11 * (i + 1));
		assert_int_equal(peek(*state, windows[i].first), 0x11 * (i + 1));
		if (windows[i].first)
			assert_int_equal(peek(*state, windows[i].first - 1), 0xff);
		if (windows[i].last < 0x1ffff)
			assert_int_equal(peek(*state, windows[i].last + 1), 0xff);
	}
}

/* A write across the window's end is cut there. */
static void window_ends_within_an_access(void **state)
{
	set_planar(*state);
	rig_write(*state, "text", 0xfffe, 4, 0x44332211);
	assert_int_equal(rig_read(*state, "text", 0xfffe, 4), 0xffff2211);
	assert_int_equal(maps(*state, 0), 0);
}

static void memory_is_closed_without_ram_enable(void **state)
{
	set_planar(*state);
	poke(*state, 0, 0x12);
	out(*state, OUTPUT, COLOUR);
	poke(*state, 0, 0x34);
	assert_int_equal(peek(*state, 0), 0xff);
	out(*state, OUTPUT, COLOUR | RAM);
	assert_int_equal(peek(*state, 0), 0x12);
}

/* Bochs interface */

static void turn_on(struct rig *rig, unsigned width, unsigned height, unsigned depth,
		    unsigned flags)
{
	vbe(rig, ENABLE, 0);
	vbe(rig, WIDTH, width);
	vbe(rig, HEIGHT, height);
	vbe(rig, DEPTH, depth);
	vbe(rig, ENABLE, ON | flags);
}

static void identification_takes_older_versions(void **state)
{
	assert_int_equal(vbe_of(*state, ID), 0xb0c5);
	vbe(*state, ID, 0xb0c0);
	assert_int_equal(vbe_of(*state, ID), 0xb0c0);
	vbe(*state, ID, 0x1234);
	assert_int_equal(vbe_of(*state, ID), 0xb0c0);
	assert_int_equal(vbe_of(*state, MEMORY), 256);
	assert_int_equal(vbe_of(*state, 0x55), 0);
}

static void both_data_ports_are_the_same(void **state)
{
	rig_write(*state, "vbe", 0, 2, WIDTH);
	rig_write(*state, "vbe", 2, 2, 800);
	assert_int_equal(rig_read(*state, "vbe", 0, 2), WIDTH);
	assert_int_equal(rig_read(*state, "vbe", 1, 2), 800);
	assert_int_equal(rig_read(*state, "vbe", 2, 2), 800);
}

static void capabilities_tell_the_largest_mode(void **state)
{
	vbe(*state, WIDTH, 640);
	vbe(*state, ENABLE, CAPS);
	assert_int_equal(vbe_of(*state, WIDTH), MW_CANVAS_MAX);
	assert_int_equal(vbe_of(*state, HEIGHT), MW_CANVAS_MAX);
	assert_int_equal(vbe_of(*state, DEPTH), 32);
	vbe(*state, ENABLE, 0);
	assert_int_equal(vbe_of(*state, WIDTH), 640);
}

static void turning_on_makes_the_registers_fit(void **state)
{
	turn_on(*state, 1027, 768, 32, LINEAR);
	assert_int_equal(vbe_of(*state, WIDTH), 1024);
	assert_int_equal(vbe_of(*state, VIRTUAL_WIDTH), 1024);
	assert_int_equal(vbe_of(*state, VIRTUAL_HEIGHT), 4096);
	vbe(*state, VIRTUAL_WIDTH, 2048);
	assert_int_equal(vbe_of(*state, VIRTUAL_HEIGHT), 2048);
	vbe(*state, X, 1024);
	vbe(*state, Y, 1280);
	assert_int_equal(vbe_of(*state, X), 1024);
	assert_int_equal(vbe_of(*state, Y), 1280);
	turn_on(*state, 0xffff, 0xffff, 7, 0);
	assert_int_equal(vbe_of(*state, WIDTH), 4096);
	assert_int_equal(vbe_of(*state, HEIGHT), 4096);
	assert_int_equal(vbe_of(*state, DEPTH), 8);
}

static void picture_never_leaves_the_memory(void **state)
{
	turn_on(*state, 4096, 4096, 32, 0);
	assert_int_equal(vbe_of(*state, HEIGHT), 1024);
	vbe(*state, Y, 0xffff);
	vbe(*state, X, 0xffff);
	assert_int_equal(vbe_of(*state, Y), 0);
	assert_int_equal(vbe_of(*state, X), 0);
}

static void turning_on_clears_unless_told_not_to(void **state)
{
	set_maps(*state, 5, 0x12345678);
	turn_on(*state, 640, 480, 32, NO_CLEAR);
	assert_int_equal(maps(*state, 5), 0x12345678);
	turn_on(*state, 640, 480, 32, 0);
	assert_int_equal(maps(*state, 5), 0);
	rig_write(*state, "vram", 4 * 640 * 480, 4, 1);
	vbe(*state, ENABLE, ON); /* is on already */
	assert_int_equal(rig_read(*state, "vram", 4 * 640 * 480, 4), 1);
}

static void banks_open_the_whole_memory_through_the_window(void **state)
{
	turn_on(*state, 640, 480, 8, 0);
	vbe(*state, BANK, 255);
	rig_write(*state, "text", 0xfff8, 8, UINT64_C(0x8877665544332211));
	assert_int_equal(rig_read(*state, "vram", 0xfffff8, 8), UINT64_C(0x8877665544332211));
	assert_int_equal(peek(*state, 0xffff), 0x88);
	vbe(*state, BANK, 0x1ff);
	assert_int_equal(vbe_of(*state, BANK), 0xff);
	vbe(*state, ENABLE, 0);
	assert_int_equal(vbe_of(*state, BANK), 0);
}

static void four_bits_are_planar_in_banks_of_64_kib_a_map(void **state)
{
	turn_on(*state, 1024, 768, 4, 0);
	set_planar(*state);
	set(*state, SEQUENCER, MAP_MASK, 0x09);
	vbe(*state, BANK, 1);
	poke(*state, 3, 0x5a);
	assert_int_equal(maps(*state, 0x10003), 0x5a00005a);
}

static void dac_has_eight_bits_where_asked_for(void **state)
{
	vbe(*state, ENABLE, DAC_8);
	out(*state, PEL_WRITE, 1);
	for (unsigned i = 0; i < 3; i++)
		out(*state, PEL_DATA, 0xc0 + i);
	out(*state, PEL_READ, 1);
	assert_int_equal(in(*state, PEL_DATA), 0xc0);
}

/* The PCI function */

static void it_is_a_vga_to_the_bus(void **state)
{
	assert_int_equal(rig_config_read(*state, 0x00, 4), 0x11111234);
	assert_int_equal(rig_config_read(*state, 0x08, 4), 0x03000002);
	assert_int_equal(rig_config_read(*state, 0x2c, 4), 0x11001af4);
}

static void base_addresses_have_their_sizes(void **state)
{
	static const struct {
		unsigned at;
		uint32_t size;
	} bars[] = {
		{ 0x10, 0xff000008 }, { 0x14, 0 }, { 0x18, 0xfffff000 }, { 0x30, 0xffff0001 }
	};

	for (unsigned i = 0; i < 4; i++) {
		rig_config_write(*state, bars[i].at, 4, UINT32_MAX);
		assert_int_equal(rig_config_read(*state, bars[i].at, 4), bars[i].size);
	}
}

static void ports_are_in_memory_as_well(void **state)
{
	rig_write(*state, "regs", 0x400 + SEQUENCER, 2, 0x0502);
	assert_int_equal(get(*state, SEQUENCER, MAP_MASK), 0x05);
	assert_int_equal(rig_read(*state, "regs", 0x400 + SEQUENCER, 2), 0x0502);
	rig_write(*state, "regs", 0x500 + 2 * WIDTH, 2, 1280);
	assert_int_equal(vbe_of(*state, WIDTH), 1280);
	assert_int_equal(rig_read(*state, "regs", 0x500, 4), 0x0500b0c5);
}

static void extension_says_that_pixels_are_little_endian(void **state)
{
	assert_int_equal(rig_read(*state, "regs", 0x600, 4), 8);
	assert_int_equal(rig_read(*state, "regs", 0x604, 4), 0x1e1e1e1e);
	assert_int_equal(rig_read(*state, "regs", 0x608, 4), 0);
	assert_int_equal(rig_read(*state, "regs", 0xffc, 4), 0);
}

/* VESA E-EDID, tables 3.1 and 3.21 */
static void monitor_says_what_it_likes_best(void **state)
{
	static const uint8_t header[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	uint8_t edid[128], sum = 0;

	for (unsigned i = 0; i < sizeof(edid); i++) {
		edid[i] = (uint8_t)rig_read(*state, "regs", i, 1);
		sum = (uint8_t)(sum + edid[i]);
	}
	assert_memory_equal(edid, header, sizeof(header));
	assert_int_equal(sum, 0);
	assert_int_equal(edid[56] | (edid[58] & 0xf0) << 4, 1024);
	assert_int_equal(edid[59] | (edid[61] & 0xf0) << 4, 768);
	assert_int_equal(rig_read(*state, "regs", 128, 1), 0);
}

static void monitor_may_be_silent(void **state)
{
	const struct rig_setting settings[] = { { "monitor", 0, NULL }, { 0 } };
	struct rig *rig = rig_create(&vga_std_type, settings);

	rig_place_bars(rig);
	assert_int_equal(rig_read(rig, "regs", 0, 8), 0);
	rig_destroy(rig);
}

static void rom_holds_the_image(void **state)
{
	static const uint8_t image[0x24] = { 0x55, 0xaa, 1,    [0x18] = 0x1c, [0x1c] = 'P', 'C',
					     'I',  'R',  0x34, 0x12,          0x11,         0x11 };
	const struct rig_options options = { .image = image, .image_bytes = sizeof(image) };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(rig_try(&rig, &vga_std_type, &options, &diagnostics));
	assert_int_equal(diagnostics.count, 0);
	rig_place_bars(rig);
	assert_int_equal(rig_read(rig, "rom", 0x20, 4), 0x11111234);
	rig_write(rig, "rom", 0, 2, 0);
	assert_int_equal(rig_read(rig, "rom", 0, 2), 0xaa55);
	rig_destroy(rig);
	mw_diagnostics_fini(&diagnostics);
}

static void rom_for_another_function_is_told(void **state)
{
	static const uint8_t image[0x20] = { 0x55, 0xaa, [0x18] = 0xff, 0xff };
	const struct rig_options options = { .image = image, .image_bytes = sizeof(image) };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_true(rig_try(&rig, &vga_std_type, &options, &diagnostics));
	assert_int_equal(diagnostics.count, 1);
	rig_destroy(rig);
	mw_diagnostics_fini(&diagnostics);
}

static void rom_that_is_too_large_is_refused(void **state)
{
	static const uint8_t image[0x10001];
	const struct rig_options options = { .image = image, .image_bytes = sizeof(image) };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(rig_try(&rig, &vga_std_type, &options, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
}

/* Snapshots */

static void hostile_state_is_made_harmless(void **state)
{
	size_t count;
	const uint8_t *saved = rig_save(*state, &count);
	uint8_t *hostile = test_malloc(count);

	for (size_t i = 0; i < count; i++)
		hostile[i] = saved[i] > 1 || i < 2 ? 0xff : saved[i];
	for (unsigned byte = 0; byte < 256; byte += 17) {
		memset(hostile, (int)byte, count);
		rig_load(*state, hostile, count);
		for (unsigned at = 0; at < 0x20000; at += 0x777) {
			poke(*state, at, byte);
			peek(*state, at);
		}
		for (unsigned port = 0; port < 0x20; port++)
			in(*state, port);
		vbe(*state, X, 0xffff);
	}
	test_free(hostile);
}

static void state_survives_save_and_load(void **state)
{
	static uint8_t first[8192];
	const uint8_t *saved;
	size_t count;

	turn_on(*state, 640, 480, 32, 0);
	set_planar(*state);
	saved = rig_save(*state, &count);
	assert_in_range(count, 1, sizeof(first));
	memcpy(first, saved, count);
	rig_reset(*state);
	assert_true(rig_load(*state, first, count));
	assert_int_equal(vbe_of(*state, WIDTH), 640);
	assert_int_equal(get(*state, SEQUENCER, MEMORY_MODE), 0x06);
}

/* ISA */

static void isa_variant_is_the_same_chip(void **state)
{
	struct rig *rig = rig_create(&vga_isa_type, NULL);

	rig_write(rig, "vga", OUTPUT, 1, COLOUR | RAM);
	set_text(rig);
	rig_write(rig, "text", 0x18000, 2, 0x0741);
	assert_int_equal(rig_read(rig, "text", 0x18000, 2), 0x0741);
	rig_destroy(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reset_clears_registers),
		TEST(bits_that_do_not_exist_read_as_zero),
		TEST(attribute_port_takes_index_and_data_in_turn),
		TEST(reading_input_status_1_makes_index_next),
		TEST(attribute_index_reads_back_with_its_palette_bit),
		TEST(crt_controller_answers_at_one_of_two_places),
		TEST(output_and_feature_control_read_elsewhere),
		TEST(protect_bit_keeps_timing_but_line_compare),
		TEST(registers_beyond_the_last_are_none),
		TEST(palette_index_goes_on_after_three_parts),
		TEST(dac_state_tells_read_from_write),
		TEST(colours_have_six_bits_a_part),
		TEST(unfinished_colour_changes_nothing),
		TEST(retrace_lasts_its_lines_of_each_frame),
		TEST(retrace_comes_whatever_the_registers_hold),
		TEST(map_mask_chooses_maps_that_are_written),
		TEST(read_map_chooses_the_map_that_is_read),
		TEST(byte_is_rotated_before_all_else),
		TEST(set_reset_replaces_the_byte_in_enabled_maps),
		TEST(bits_off_the_mask_come_from_the_latches),
		TEST(functions_combine_byte_and_latches),
		TEST(write_mode_1_copies_the_latches),
		TEST(write_mode_2_paints_a_colour_under_the_mask),
		TEST(write_mode_3_paints_set_reset_under_the_byte),
		TEST(read_mode_1_compares_colours),
		TEST(even_addresses_are_characters_and_odd_ones_attributes),
		TEST(fonts_are_written_through_map_2),
		TEST(chain_4_spreads_bytes_over_the_maps),
		TEST(chain_4_takes_words_wherever_they_begin),
		TEST(logic_works_in_chain_4_as_well),
		TEST(memory_map_moves_the_window),
		TEST(window_ends_within_an_access),
		TEST(memory_is_closed_without_ram_enable),
		TEST(identification_takes_older_versions),
		TEST(both_data_ports_are_the_same),
		TEST(capabilities_tell_the_largest_mode),
		TEST(turning_on_makes_the_registers_fit),
		TEST(picture_never_leaves_the_memory),
		TEST(turning_on_clears_unless_told_not_to),
		TEST(banks_open_the_whole_memory_through_the_window),
		TEST(four_bits_are_planar_in_banks_of_64_kib_a_map),
		TEST(dac_has_eight_bits_where_asked_for),
		TEST(it_is_a_vga_to_the_bus),
		TEST(base_addresses_have_their_sizes),
		TEST(ports_are_in_memory_as_well),
		TEST(extension_says_that_pixels_are_little_endian),
		TEST(monitor_says_what_it_likes_best),
		TEST(monitor_may_be_silent),
		TEST(rom_holds_the_image),
		TEST(rom_for_another_function_is_told),
		TEST(rom_that_is_too_large_is_refused),
		TEST(hostile_state_is_made_harmless),
		TEST(state_survives_save_and_load),
		TEST(isa_variant_is_the_same_chip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
