/* Pictures of the VGA: small ones, pixel by pixel, in each way that its memory can be shown. Read like the IBM PS/2
 * Hardware Interface Technical Reference, "Video Subsystem". */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine.h"
#include "tests/support/rig.h"

extern const struct mw_device_type vga_std_type;

/* Ports from 0x3c0. */
enum { ATTRIBUTE = 0x00, OUTPUT = 0x02, SEQUENCER = 0x04, PEL_MASK = 0x06, PEL_WRITE = 0x08 };
enum { PEL_DATA = 0x09, GRAPHICS = 0x0e, CRTC = 0x14, STATUS_1 = 0x1a };
enum { CLOCKING = 1, FONTS = 3, MEMORY_MODE = 4, MODE = 5, MISC = 6 };
enum { H_END = 0x01, OVERFLOW = 0x07, PRESET = 0x08, MAX_SCAN = 0x09, CURSOR_START = 0x0a };
enum { CURSOR_END = 0x0b, START = 0x0c, CURSOR = 0x0e, V_END = 0x12, OFFSET = 0x13 };
enum { UNDERLINE = 0x14, CRTC_MODE = 0x17, LINE_COMPARE = 0x18 };
enum { ATTRIBUTE_MODE = 0x10, PLANES = 0x12, PAN = 0x13, SELECT = 0x14, SHOWN = 0x20 };
enum { WIDTH = 1, HEIGHT, DEPTH, ENABLE, BANK, VIRTUAL_WIDTH, X = 8, Y };
enum { GRAPHIC = 0x01, BLINK = 0x08, LINES = 0x04, MONO = 0x02, PAN_TOP = 0x20, BYTES = 0x40 };
#define CURSOR_NS UINT64_C(228571429)

struct bench {
	struct rig *rig;
	struct mw_canvas canvas;
	struct mw_rect changed;
};

static void out(struct bench *bench, unsigned port, unsigned value)
{
	rig_write(bench->rig, "vga", port, 1, value);
}

static void set(struct bench *bench, unsigned port, unsigned index, unsigned value)
{
	rig_write(bench->rig, "vga", port, 2, index | value << 8);
}

static void set_attribute(struct bench *bench, unsigned index, unsigned value)
{
	rig_read(bench->rig, "vga", STATUS_1, 1);
	out(bench, ATTRIBUTE, index);
	out(bench, ATTRIBUTE, value);
	out(bench, ATTRIBUTE, SHOWN);
}

static void vbe(struct bench *bench, unsigned index, unsigned value)
{
	rig_write(bench->rig, "vbe", 0, 2, index);
	rig_write(bench->rig, "vbe", 1, 2, value);
}

/* Where the four maps' bytes at an address are in the frame buffer: those that chain 4 uses follow each other. */
static unsigned cell(unsigned word)
{
	return 4 * (word / 0x10000 * 0x10000 + word % 4 * 0x4000 + word % 0x10000 / 4);
}

/* The four maps of a word, map 0 lowest. */
static void put(struct bench *bench, unsigned word, uint32_t value)
{
	rig_write(bench->rig, "vram", cell(word), 4, value);
}

static void put_bytes(struct bench *bench, unsigned at, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rig_write(bench->rig, "vram", at + i, 1, bytes[i]);
}

/* Colour N has N as its red, so that pictures show numbers. */
static int set_up(void **state)
{
	struct bench *bench = test_calloc(1, sizeof(*bench));

	bench->rig = rig_create(&vga_std_type, NULL);
	rig_place_bars(bench->rig);
	out(bench, OUTPUT, 0x67);
	out(bench, PEL_WRITE, 0);
	for (unsigned i = 0; i < 256; i++) {
		out(bench, PEL_DATA, i & 0x3f);
		out(bench, PEL_DATA, i >> 6);
		out(bench, PEL_DATA, 0);
	}
	for (unsigned i = 0; i < 16; i++)
		set_attribute(bench, i, i);
	set_attribute(bench, PLANES, 0x0f);
	set(bench, CRTC, LINE_COMPARE, 0xff);
	set(bench, CRTC, OVERFLOW, 0x10);
	set(bench, CRTC, CURSOR_START, 0x20);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_destroy(bench->rig);
	free(bench->canvas.pixels);
	test_free(bench);
	return 0;
}

/* Draws all of it. */
static void draw(struct bench *bench)
{
	assert_true(mw_machine_draw(rig_machine(bench->rig), 0, &bench->canvas));
}

/* Draws what has changed since. */
static void draw_changes(struct bench *bench)
{
	bench->changed = (struct mw_rect){ 9, 9, 9, 9 };
	vga_std_type.wires.items[0].on_draw(rig_device(bench->rig), &bench->canvas, false,
					    &bench->changed);
}

static void expect_size(const struct bench *bench, unsigned width, unsigned height)
{
	assert_int_equal(bench->canvas.width, width);
	assert_int_equal(bench->canvas.height, height);
}

static void expect_changed(const struct bench *bench, unsigned x, unsigned y, unsigned width,
			   unsigned height)
{
	assert_int_equal(bench->changed.width, width);
	assert_int_equal(bench->changed.height, height);
	if (!width || !height)
		return;
	assert_int_equal(bench->changed.x, x);
	assert_int_equal(bench->changed.y, y);
}

static unsigned number_of(uint32_t pixel)
{
	return (pixel >> 18 & 0x3f) | (pixel >> 10 & 0x3f) << 6;
}

/* A line of the picture: a digit or small letter a pixel, its colour's number. */
static void expect_line(const struct bench *bench, unsigned line, const char *picture)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char seen[64] = { 0 };

	assert_in_range(strlen(picture), 1, sizeof(seen) - 1);
	assert_true(line < bench->canvas.height);
	for (unsigned x = 0; x < strlen(picture); x++) {
		unsigned number = number_of(bench->canvas.pixels[line * bench->canvas.width + x]);

		seen[x] = number < 36 ? digits[number] : '?';
	}
	assert_string_equal(seen, picture);
}

static void expect_lines(const struct bench *bench, const char *const *lines)
{
	for (unsigned i = 0; lines[i]; i++)
		expect_line(bench, i, lines[i]);
}

static void set_size(struct bench *bench, unsigned clocks, unsigned lines, unsigned offset)
{
	set(bench, CRTC, H_END, clocks - 1);
	set(bench, CRTC, V_END, (lines - 1) & 0xff);
	set(bench, CRTC, OVERFLOW, 0x10 | ((lines - 1) & 0x100) >> 7 | ((lines - 1) & 0x200) >> 3);
	set(bench, CRTC, OFFSET, offset);
}

/* Text with characters of four lines. */
static void set_text(struct bench *bench, unsigned columns, unsigned rows)
{
	set_size(bench, columns, 4 * rows, (columns + 1) / 2);
	set(bench, SEQUENCER, MEMORY_MODE, 0x02);
	set(bench, GRAPHICS, MODE, 0x10);
	set(bench, GRAPHICS, MISC, 0x0e);
	set(bench, CRTC, MAX_SCAN, 0x43);
	set(bench, CRTC, CRTC_MODE, 0xa3);
	set(bench, CRTC, UNDERLINE, 0x1f);
	set_attribute(bench, ATTRIBUTE_MODE, BLINK | LINES);
	set_attribute(bench, PAN, 8);
}

static void put_glyph(struct bench *bench, unsigned font, unsigned character, const uint8_t *lines)
{
	for (unsigned i = 0; i < 4; i++)
		rig_write(bench->rig, "vram", cell(font + 32 * character + i) + 2, 1, lines[i]);
}

static void put_character(struct bench *bench, unsigned at, unsigned character, unsigned attribute)
{
	rig_write(bench->rig, "vram", cell(2 * at), 2, character | attribute << 8);
}

static const uint8_t letter[] = { 0x81, 0x42, 0x3c, 0xff };

static void set_letter(struct bench *bench)
{
	set_text(bench, 2, 1);
	put_glyph(bench, 0, 'A', letter);
	put_glyph(bench, 0, 0xc4, letter);
	put_character(bench, 0, 'A', 0x1e);
	put_character(bench, 1, ' ', 0x20);
}

/* Text */

static void character_has_its_glyph_and_colours(void **state)
{
	static const char *const lines[] = { "e111111e1222222222", "1e1111e11222222222",
					     "11eeee111222222222", "eeeeeeee1222222222", NULL };

	set_letter(*state);
	draw(*state);
	expect_size(*state, 18, 4);
	expect_lines(*state, lines);
}

static void clocking_mode_gives_eight_dots(void **state)
{
	set_letter(*state);
	set(*state, SEQUENCER, CLOCKING, 0x01);
	set_attribute(*state, PAN, 0);
	draw(*state);
	expect_size(*state, 16, 4);
	expect_line(*state, 0, "e111111e22222222");
}

/* Attribute mode, bit 2: codes C0 to DF go on into the ninth dot. */
static void line_graphics_join(void **state)
{
	set_letter(*state);
	put_character(*state, 0, 0xc4, 0x1e);
	draw(*state);
	expect_line(*state, 3, "eeeeeeeee222222222");
	set_attribute(*state, ATTRIBUTE_MODE, BLINK);
	draw(*state);
	expect_line(*state, 3, "eeeeeeee1222222222");
}

static void half_clock_doubles_dots(void **state)
{
	set_letter(*state);
	set(*state, SEQUENCER, CLOCKING, 0x08);
	draw(*state);
	expect_size(*state, 36, 4);
	expect_line(*state, 0, "ee111111111111ee11222222222222222222");
}

/* Attribute mode, bit 3: bit 7 of the attribute blinks, or it is one of background's four. */
static void characters_blink_or_have_bright_backgrounds(void **state)
{
	set_letter(*state);
	put_character(*state, 0, 'A', 0x9e);
	draw(*state);
	expect_line(*state, 0, "e111111e1222222222");
	rig_advance(((struct bench *)*state)->rig, 2 * CURSOR_NS);
	draw(*state);
	expect_line(*state, 0, "111111111222222222");
	set_attribute(*state, ATTRIBUTE_MODE, LINES);
	draw(*state);
	expect_line(*state, 0, "e999999e9222222222");
}

static void cursor_has_lines_and_blinks(void **state)
{
	static const char *const lines[] = { "e111111e1222222222", "1e1111e11eeeeeeeee",
					     "11eeee111eeeeeeeee", "eeeeeeee1222222222", NULL };

	set_letter(*state);
	put_character(*state, 1, ' ', 0x2e);
	set(*state, CRTC, CURSOR_START, 1);
	set(*state, CRTC, CURSOR_END, 2);
	set(*state, CRTC, CURSOR + 1, 1);
	draw(*state);
	expect_lines(*state, lines);
	rig_advance(((struct bench *)*state)->rig, CURSOR_NS);
	draw(*state);
	expect_line(*state, 1, "1e1111e11222222222");
}

static void cursor_may_be_off(void **state)
{
	set_letter(*state);
	set(*state, CRTC, CURSOR_START, 0x20);
	set(*state, CRTC, CURSOR_END, 3);
	draw(*state);
	expect_line(*state, 1, "1e1111e11222222222");
	set(*state, CRTC, CURSOR_START, 0x03);
	set(*state, CRTC, CURSOR_END, 1);
	draw(*state);
	expect_line(*state, 1, "1e1111e11222222222");
}

/* Underline location, for attributes of a monochrome display. */
static void monochrome_underlines(void **state)
{
	set_letter(*state);
	put_character(*state, 0, 'A', 0x01);
	set(*state, CRTC, UNDERLINE, 2);
	draw(*state);
	expect_line(*state, 2, "001111000222222222");
	set_attribute(*state, ATTRIBUTE_MODE, MONO);
	draw(*state);
	expect_line(*state, 2, "111111111222222222");
	expect_line(*state, 1, "010000100222222222");
}

/* Character map select: by bit 3 of the attribute. */
static void attribute_chooses_the_font(void **state)
{
	static const uint8_t other[] = { 0xf0, 0, 0, 0 };
	static const unsigned fonts[] = { 0x0000, 0x4000, 0x8000, 0xc000,
					  0x2000, 0x6000, 0xa000, 0xe000 };

	set_letter(*state);
	for (unsigned i = 1; i < 8; i++) {
		put_glyph(*state, fonts[i], 'A', other);
		set(*state, SEQUENCER, FONTS, (i & 3) << 2 | (i & 4) << 3);
		put_character(*state, 0, 'A', 0x16);
		draw(*state);
		expect_line(*state, 0, "61111116");
		put_character(*state, 0, 'A', 0x1e);
		draw(*state);
		expect_line(*state, 0, "eeee1111");
		set(*state, SEQUENCER, FONTS, (i & 3) | (i & 4) << 2);
		draw(*state);
		expect_line(*state, 0, "e111111e");
		put_character(*state, 0, 'A', 0x16);
		draw(*state);
		expect_line(*state, 0, "66661111");
	}
}

static void rows_follow_the_offset(void **state)
{
	set_text(*state, 2, 2);
	put_glyph(*state, 0, 'A', letter);
	set(*state, CRTC, OFFSET, 3); /* six characters a row */
	put_character(*state, 0, 'A', 0x07);
	put_character(*state, 7, 'A', 0x07);
	draw(*state);
	expect_line(*state, 0, "700000070000000000");
	expect_line(*state, 4, "000000000700000070");
}

static void start_address_scrolls(void **state)
{
	set_text(*state, 2, 1);
	put_glyph(*state, 0, 'A', letter);
	put_character(*state, 0x123, 'A', 0x07);
	set(*state, CRTC, START, 0x01);
	set(*state, CRTC, START + 1, 0x22);
	draw(*state);
	expect_line(*state, 0, "000000000700000070");
}

/* Preset row scan, and horizontal pel panning: 8 is none, 0 to 7 are one to eight dots. */
static void text_scrolls_by_dots(void **state)
{
	set_letter(*state);
	set(*state, CRTC, PRESET, 1);
	set_attribute(*state, PAN, 1);
	draw(*state);
	expect_line(*state, 0, "1111e1122222222200");
	expect_line(*state, 1, "eeee11122222222200");
	expect_line(*state, 2, "eeeeee122222222200");
}

static void screen_reads_as_text(void **state)
{
	struct bench *bench = *state;
	char text[32] = { 0 };
	size_t count;

	set_text(bench, 4, 2);
	put_character(bench, 0, 'H', 7);
	put_character(bench, 1, ' ', 7);
	put_character(bench, 2, 0x81, 7); /* u with two dots */
	put_character(bench, 6, 0xdb, 7); /* a full block */
	count = vga_std_type.wires.items[0].on_text(rig_device(bench->rig), text, sizeof(text));
	assert_string_equal(text, "H \xc3\xbc\n  \xe2\x96\x88\n");
	assert_int_equal(count, strlen(text));
	count = vga_std_type.wires.items[0].on_text(rig_device(bench->rig), text, 3);
	assert_int_equal(count, 2);
	set(bench, GRAPHICS, MISC, 0x05);
	assert_int_equal(
		vga_std_type.wires.items[0].on_text(rig_device(bench->rig), text, sizeof(text)), 0);
}

/* Graphics */

/* Modes 0Dh to 12h, in lines of `clocks` times eight pixels. */
static void set_planar(struct bench *bench, unsigned clocks, unsigned lines)
{
	set_size(bench, clocks, lines, clocks / 2);
	set(bench, SEQUENCER, CLOCKING, 0x01);
	set(bench, SEQUENCER, MEMORY_MODE, 0x06);
	set(bench, GRAPHICS, MODE, 0x00);
	set(bench, GRAPHICS, MISC, 0x05);
	set(bench, CRTC, MAX_SCAN, 0x40);
	set(bench, CRTC, CRTC_MODE, 0xe3);
	set(bench, CRTC, UNDERLINE, 0x00);
	set_attribute(bench, ATTRIBUTE_MODE, GRAPHIC);
}

static void four_maps_give_a_pixel_its_bits(void **state)
{
	set_planar(*state, 2, 2);
	put(*state, 0, 0x00ff0f55);
	put(*state, 1, 0x80000001);
	put(*state, 2, 0xff00ff00);
	draw(*state);
	expect_size(*state, 16, 2);
	expect_line(*state, 0, "4545676780000001");
	expect_line(*state, 1, "aaaaaaaa00000000");
}

/* Color plane enable */
static void maps_may_be_hidden(void **state)
{
	set_planar(*state, 2, 1);
	put(*state, 0, 0x00ff0f55);
	set_attribute(*state, PLANES, 0x05);
	draw(*state);
	expect_line(*state, 0, "4545454500000000");
}

/* Attribute mode, bit 7, and color select. */
static void colour_select_completes_numbers(void **state)
{
	set_planar(*state, 2, 1);
	put(*state, 0, 0x000000f0);
	set_attribute(*state, 1, 0x35);
	draw(*state);
	assert_int_equal(number_of(((struct bench *)*state)->canvas.pixels[0]), 0x35);
	set_attribute(*state, SELECT, 0x0b);
	draw(*state);
	assert_int_equal(number_of(((struct bench *)*state)->canvas.pixels[0]), 0xb5);
	set_attribute(*state, ATTRIBUTE_MODE, GRAPHIC | 0x80);
	draw(*state);
	assert_int_equal(number_of(((struct bench *)*state)->canvas.pixels[0]), 0xb5);
	set_attribute(*state, SELECT, 0x0a);
	draw(*state);
	assert_int_equal(number_of(((struct bench *)*state)->canvas.pixels[0]), 0xa5);
	out(*state, PEL_MASK, 0x0f);
	draw(*state);
	assert_int_equal(number_of(((struct bench *)*state)->canvas.pixels[0]), 0x05);
}

static void lines_may_be_doubled(void **state)
{
	set_planar(*state, 2, 6);
	set(*state, CRTC, MAX_SCAN, 0xc0);
	put(*state, 0, 0x000000ff);
	put(*state, 2, 0x0000ff00);
	put(*state, 4, 0x00ff0000);
	draw(*state);
	for (unsigned line = 0; line < 6; line++)
		expect_line(*state, line,
			    line < 2   ? "11111111"
			    : line < 4 ? "22222222"
				       : "44444444");
}

static void rows_of_several_lines_repeat_them(void **state)
{
	set_planar(*state, 2, 6);
	set(*state, CRTC, MAX_SCAN, 0x42);
	put(*state, 0, 0x000000ff);
	put(*state, 2, 0x0000ff00);
	draw(*state);
	for (unsigned line = 0; line < 6; line++)
		expect_line(*state, line, line < 3 ? "11111111" : "22222222");
}

/* Line compare: from there on memory is shown from its begin, which may stand still while the rest is panned. */
static void line_compare_splits_the_screen(void **state)
{
	set_planar(*state, 2, 4);
	set(*state, CRTC, START + 1, 0x10);
	put(*state, 0x00, 0x00000001);
	put(*state, 0x10, 0x00008000);
	put(*state, 0x12, 0x00004000);
	set(*state, CRTC, OVERFLOW, 0x00);
	set(*state, CRTC, MAX_SCAN, 0x00);
	set(*state, CRTC, LINE_COMPARE, 1);
	draw(*state);
	expect_line(*state, 0, "2000000000000000");
	expect_line(*state, 1, "0200000000000000");
	expect_line(*state, 2, "0000000100000000");
	set_attribute(*state, PAN, 1);
	draw(*state);
	expect_line(*state, 1, "2000000000000000");
	expect_line(*state, 2, "0000001000000000");
	set_attribute(*state, ATTRIBUTE_MODE, GRAPHIC | PAN_TOP);
	draw(*state);
	expect_line(*state, 1, "2000000000000000");
	expect_line(*state, 2, "0000000100000000");
}

static void panning_brings_in_what_is_beside(void **state)
{
	set_planar(*state, 2, 1);
	put(*state, 2, 0x000000e0);
	set_attribute(*state, PAN, 3);
	draw(*state);
	expect_line(*state, 0, "0000000000000111");
}

/* Mode 4: two bits a pixel, even lines in the first 8 KiB, odd ones in the second, at 320 pixels. */
static void set_cga(struct bench *bench)
{
	set_planar(bench, 2, 4);
	set(bench, SEQUENCER, CLOCKING, 0x09);
	set(bench, SEQUENCER, MEMORY_MODE, 0x02);
	set(bench, GRAPHICS, MODE, 0x30);
	set(bench, GRAPHICS, MISC, 0x0f);
	set(bench, CRTC, MAX_SCAN, 0xc1);
	set(bench, CRTC, CRTC_MODE, 0xa2);
}

static void mode_4_has_pairs_of_bits_and_two_banks(void **state)
{
	struct bench *bench = *state;

	set_cga(bench);
	rig_write(bench->rig, "vga", SEQUENCER, 2, 0x0302);
	rig_write(bench->rig, "vga", GRAPHICS, 2, 0xff08);
	rig_write(bench->rig, "text", 0x18000, 2, 0xe41b); /* 0 1 2 3, 3 2 1 0 */
	rig_write(bench->rig, "text", 0x18000 + 0x2000, 1, 0xff);
	draw(bench);
	expect_size(bench, 32, 4);
	expect_line(bench, 0, "00112233332211000000000000000000");
	expect_line(bench, 1, "00112233332211000000000000000000");
	expect_line(bench, 2, "33333333000000000000000000000000");
	expect_line(bench, 3, "33333333000000000000000000000000");
}

/* Mode 6: one bit a pixel, and the same two banks. */
static void mode_6_has_one_map_and_two_banks(void **state)
{
	struct bench *bench = *state;

	set_planar(bench, 2, 4);
	set(bench, GRAPHICS, MISC, 0x0d);
	set(bench, CRTC, MAX_SCAN, 0xc1);
	set(bench, CRTC, CRTC_MODE, 0xc2);
	set_attribute(bench, PLANES, 0x01);
	rig_write(bench->rig, "vga", SEQUENCER, 2, 0x0102);
	rig_write(bench->rig, "vga", GRAPHICS, 2, 0xff08);
	rig_write(bench->rig, "text", 0x18000, 2, 0x01aa);
	rig_write(bench->rig, "text", 0x18000 + 0x2000, 1, 0xf0);
	draw(bench);
	expect_line(bench, 0, "1010101000000001");
	expect_line(bench, 2, "1111000000000000");
}

/* Mode 13h as a BIOS sets it, but for its size. */
static void set_mode_13(struct bench *bench, unsigned lines)
{
	set_planar(bench, 2, lines);
	set(bench, SEQUENCER, MEMORY_MODE, 0x0e);
	set(bench, SEQUENCER, 2, 0x0f);
	set(bench, GRAPHICS, MODE, 0x40);
	set(bench, GRAPHICS, 8, 0xff);
	set(bench, CRTC, MAX_SCAN, 0x41);
	set(bench, CRTC, UNDERLINE, 0x40);
	set(bench, CRTC, CRTC_MODE, 0xa3);
	set_attribute(bench, ATTRIBUTE_MODE, GRAPHIC | BYTES);
}

static void mode_13_has_a_byte_a_pixel(void **state)
{
	struct bench *bench = *state;

	set_mode_13(bench, 4);
	rig_write(bench->rig, "text", 0, 8, UINT64_C(0x0807060504030201));
	rig_write(bench->rig, "text", 8, 8, UINT64_C(0x1817161514131211));
	draw(bench);
	expect_size(bench, 16, 4);
	expect_line(bench, 0, "1122334455667788");
	expect_line(bench, 1, "1122334455667788");
	expect_line(bench, 2, "hhiijjkkllmmnnoo");
	set_attribute(bench, PAN, 2);
	draw(bench);
	expect_line(bench, 0, "22334455667788hh");
}

static void mode_13_reaches_its_last_pixel(void **state)
{
	struct bench *bench = *state;

	set_mode_13(bench, 400);
	set_size(bench, 80, 400, 40);
	for (unsigned line = 0; line < 200; line++)
		rig_write(bench->rig, "text", 320 * line + 319, 1, line % 32 + 1);
	draw(bench);
	expect_size(bench, 640, 400);
	for (unsigned line = 0; line < 400; line++)
		assert_int_equal(number_of(bench->canvas.pixels[640 * line + 639]),
				 line / 2 % 32 + 1);
}

/* "Mode X": chain 4 is off, so that an address has four pixels, one a map. */
static void unchained_bytes_have_a_pixel_a_map(void **state)
{
	struct bench *bench = *state;

	set_mode_13(bench, 2);
	set(bench, SEQUENCER, MEMORY_MODE, 0x06);
	set(bench, CRTC, UNDERLINE, 0x00);
	set(bench, CRTC, CRTC_MODE, 0xe3);
	for (unsigned map = 0; map < 4; map++) {
		set(bench, SEQUENCER, 2, 1u << map);
		rig_write(bench->rig, "text", 1, 1, 7 + map);
	}
	draw(bench);
	expect_line(bench, 0, "00000000778899aa");
}

/* Bochs interface */

static void turn_on(struct bench *bench, unsigned width, unsigned height, unsigned depth)
{
	vbe(bench, ENABLE, 0);
	vbe(bench, WIDTH, width);
	vbe(bench, HEIGHT, height);
	vbe(bench, DEPTH, depth);
	vbe(bench, ENABLE, 0x41);
}

static void expect_pixels(const struct bench *bench, unsigned line, const uint32_t *pixels,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(bench->canvas.pixels[line * bench->canvas.width + i], pixels[i]);
}

static void packed_pixels_of_each_depth(void **state)
{
	static const struct {
		unsigned depth;
		uint8_t bytes[12];
		uint32_t pixels[3];
	} rows[] = {
		{ 8, { 0x01, 0x3f, 0x40 }, { 0x040000, 0xff0000, 0x000400 } },
		{ 15, { 0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x80 }, { 0xff0000, 0x00ff00, 0x0000ff } },
		{ 16, { 0x00, 0xf8, 0xe0, 0x07, 0x41, 0x08 }, { 0xff0000, 0x00ff00, 0x080808 } },
		{ 24,
		  { 0x33, 0x22, 0x11, 0x66, 0x55, 0x44, 0x99, 0x88, 0x77 },
		  { 0x112233, 0x445566, 0x778899 } },
		{ 32,
		  { 0x33, 0x22, 0x11, 0xff, 0x66, 0x55, 0x44, 0x01, 0x99, 0x88, 0x77, 0x00 },
		  { 0x112233, 0x445566, 0x778899 } },
	};

	set_attribute(*state, PAN, 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned bytes = (rows[i].depth + 7) / 8;

		turn_on(*state, 8, 2, rows[i].depth);
		put_bytes(*state, 8 * bytes, rows[i].bytes, sizeof(rows[i].bytes));
		draw(*state);
		expect_size(*state, 8, 2);
		expect_pixels(*state, 1, rows[i].pixels, 3);
	}
}

static void four_bits_are_planar(void **state)
{
	turn_on(*state, 16, 2, 4);
	put(*state, 2, 0x80000081);
	put(*state, 3, 0x00008000);
	draw(*state);
	expect_line(*state, 1, "9000000120000000");
	vbe(*state, VIRTUAL_WIDTH, 24);
	put(*state, 4, 0x80000081);
	vbe(*state, X, 4);
	draw(*state);
	expect_line(*state, 1, "0000900000010000");
}

static void offsets_show_another_part(void **state)
{
	turn_on(*state, 8, 2, 24);
	vbe(*state, VIRTUAL_WIDTH, 16);
	put_bytes(*state, 3 * (16 * 3 + 5), (const uint8_t[]){ 0x33, 0x22, 0x11 }, 3);
	vbe(*state, X, 3);
	vbe(*state, Y, 2);
	draw(*state);
	expect_pixels(*state, 1, (const uint32_t[]){ 0, 0, 0x112233, 0 }, 4);
}

static void largest_picture_is_drawn(void **state)
{
	struct bench *bench = *state;

	turn_on(bench, 4096, 4096, 32);
	rig_write(bench->rig, "vram", 0xfffffc, 4, 0x123456);
	draw(bench);
	expect_size(bench, 4096, 1024);
	assert_int_equal(bench->canvas.pixels[4096 * 1024 - 1], 0x123456);
	turn_on(bench, 4096, 4096, 24);
	draw(bench);
	expect_size(bench, 4096, 1365);
	turn_on(bench, 4096, 4096, 4);
	draw(bench);
	expect_size(bench, 4096, 4096);
}

static void dac_of_eight_bits_shows_all_of_them(void **state)
{
	vbe(*state, ENABLE, 0x20);
	out(*state, PEL_WRITE, 5);
	out(*state, PEL_DATA, 0x81);
	out(*state, PEL_DATA, 0xc3);
	out(*state, PEL_DATA, 0xff);
	turn_on(*state, 8, 1, 8);
	vbe(*state, ENABLE, 0x61);
	put(*state, 0, 0x00000005);
	draw(*state);
	expect_pixels(*state, 0, (const uint32_t[]){ 0x81c3ff }, 1);
}

/* What has changed */

static void nothing_is_drawn_where_nothing_changed(void **state)
{
	set_letter(*state);
	draw(*state);
	draw_changes(*state);
	expect_changed(*state, 0, 0, 0, 0);
}

static void changes_are_told_by_the_pixel(void **state)
{
	static const uint8_t white[] = { 0xff, 0xff, 0xff };

	set_letter(*state);
	draw(*state);
	put_character(*state, 1, 'A', 0x2e);
	draw_changes(*state);
	expect_changed(*state, 9, 0, 8, 4);
	expect_line(*state, 0, "e111111e1e222222e2");
	turn_on(*state, 64, 64, 32);
	draw(*state);
	put_bytes(*state, 4 * (64 * 10 + 20), white, sizeof(white));
	put_bytes(*state, 4 * (64 * 12 + 30), white, sizeof(white));
	draw_changes(*state);
	expect_changed(*state, 20, 10, 11, 3);
}

static void palette_changes_what_has_its_colour(void **state)
{
	set_letter(*state);
	draw(*state);
	out(*state, PEL_WRITE, 2);
	out(*state, PEL_DATA, 0x15);
	draw_changes(*state);
	expect_changed(*state, 0, 0, 0, 0); /* one part of three */
	out(*state, PEL_DATA, 0);
	out(*state, PEL_DATA, 0);
	draw_changes(*state);
	expect_changed(*state, 9, 0, 9, 4);
	expect_line(*state, 0, "e111111e1lllllllll");
}

static void another_size_is_all_new(void **state)
{
	set_letter(*state);
	draw(*state);
	set_text(*state, 2, 2);
	draw_changes(*state);
	expect_size(*state, 18, 8);
	expect_changed(*state, 0, 0, 18, 8);
}

/* Attribute index, bit 5; clocking mode, bit 5; CRT controller mode, bit 7. */
static void screen_is_black_while_it_is_off(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < 3; i++) {
		set_letter(bench);
		draw(bench);
		rig_read(bench->rig, "vga", STATUS_1, 1);
		if (i == 0)
			out(bench, ATTRIBUTE, 0);
		else if (i == 1)
			set(bench, SEQUENCER, CLOCKING, 0x20);
		else
			set(bench, CRTC, CRTC_MODE, 0x23);
		draw_changes(bench);
		expect_changed(bench, 0, 0, 18, 4);
		expect_line(bench, 3, "000000000000000000");
		draw_changes(bench);
		expect_changed(bench, 0, 0, 0, 0);
		set(bench, SEQUENCER, CLOCKING, 0x00);
		set(bench, CRTC, CRTC_MODE, 0xa3);
		rig_read(bench->rig, "vga", STATUS_1, 1);
		out(bench, ATTRIBUTE, SHOWN);
		draw_changes(bench);
		expect_line(bench, 3, "eeeeeeee1222222222");
	}
}

static void adapter_that_was_just_reset_is_black(void **state)
{
	struct bench *bench = *state;

	rig_reset(bench->rig);
	draw(bench);
	expect_size(bench, 720, 400);
	expect_line(bench, 399, "0000");
}

/* Whatever the registers and the state hold, there is some picture. */
static void any_registers_give_some_picture(void **state)
{
	struct bench *bench = *state;
	uint32_t random = 1;
	char text[64];

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 64; i++) {
			random = random * 1664525 + 1013904223;
			set(bench,
			    i % 3 == 0   ? CRTC
			    : i % 3 == 1 ? GRAPHICS
					 : SEQUENCER,
			    random >> 27 & (i % 3 ? 7 : 31), random >> 19 & 0xff);
			set_attribute(bench, random >> 10 & 31, random >> 2 & 0xff);
			if (i % 32 == 0)
				vbe(bench, random >> 9 & 15, random >> 13);
		}
		draw(bench);
		draw_changes(bench);
		vga_std_type.wires.items[0].on_text(rig_device(bench->rig), text, sizeof(text));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(character_has_its_glyph_and_colours),
		TEST(clocking_mode_gives_eight_dots),
		TEST(line_graphics_join),
		TEST(half_clock_doubles_dots),
		TEST(characters_blink_or_have_bright_backgrounds),
		TEST(cursor_has_lines_and_blinks),
		TEST(cursor_may_be_off),
		TEST(monochrome_underlines),
		TEST(attribute_chooses_the_font),
		TEST(rows_follow_the_offset),
		TEST(start_address_scrolls),
		TEST(text_scrolls_by_dots),
		TEST(screen_reads_as_text),
		TEST(four_maps_give_a_pixel_its_bits),
		TEST(maps_may_be_hidden),
		TEST(colour_select_completes_numbers),
		TEST(lines_may_be_doubled),
		TEST(rows_of_several_lines_repeat_them),
		TEST(line_compare_splits_the_screen),
		TEST(panning_brings_in_what_is_beside),
		TEST(mode_4_has_pairs_of_bits_and_two_banks),
		TEST(mode_6_has_one_map_and_two_banks),
		TEST(mode_13_has_a_byte_a_pixel),
		TEST(mode_13_reaches_its_last_pixel),
		TEST(unchained_bytes_have_a_pixel_a_map),
		TEST(packed_pixels_of_each_depth),
		TEST(four_bits_are_planar),
		TEST(offsets_show_another_part),
		TEST(largest_picture_is_drawn),
		TEST(dac_of_eight_bits_shows_all_of_them),
		TEST(nothing_is_drawn_where_nothing_changed),
		TEST(changes_are_told_by_the_pixel),
		TEST(palette_changes_what_has_its_colour),
		TEST(another_size_is_all_new),
		TEST(screen_is_black_while_it_is_off),
		TEST(adapter_that_was_just_reset_is_black),
		TEST(any_registers_give_some_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
