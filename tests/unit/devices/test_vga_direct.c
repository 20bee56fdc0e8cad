/* The VGA's window where it is nothing but memory: a guest that goes on reading and writing it reaches the memory
 * without the VGA, and finds all as it would have with it. Reference: IBM PS/2 Hardware Interface Technical Reference,
 * "Video Subsystem"; "Bochs VBE display API". */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/executor.h"
#include "core/machine.h"
#include "tests/support/rig.h"

extern const struct mw_device_type vga_std_type;

/* Ports from 0x3c0. */
enum { ATTRIBUTE = 0x00, OUTPUT = 0x02, SEQUENCER = 0x04, PEL_WRITE = 0x08, PEL_DATA = 0x09 };
enum { GRAPHICS = 0x0e, CRTC = 0x14, STATUS_1 = 0x1a };
enum { MAP_MASK = 2, MEMORY_MODE = 4, READ_MAP = 4, MODE = 5, MISC = 6, BIT_MASK = 8 };
enum { WIDTH = 1, HEIGHT, DEPTH, ENABLE, BANK };
enum { ENOUGH = 1024, HALF = 0x10000, COLOUR_TEXT = 0x18000, WHITE = 0x3f };

/* What an accelerator is told of memory that comes and goes: all of it is the window's here. */
struct bench {
	struct rig *rig;
	unsigned maps, unmaps;
	uint64_t length; /* of what came last, all pieces */
};

static void out(struct rig *rig, unsigned port, unsigned value)
{
	rig_write(rig, "vga", port, 1, value);
}

static void set(struct rig *rig, unsigned port, unsigned index, unsigned value)
{
	rig_write(rig, "vga", port, 2, index | value << 8);
}

static void vbe(struct rig *rig, unsigned index, unsigned value)
{
	rig_write(rig, "vbe", 0, 2, index);
	rig_write(rig, "vbe", 1, 2, value);
}

static void poke(struct rig *rig, unsigned at, unsigned value)
{
	rig_write(rig, "text", at, 1, value);
}

static uint8_t peek(struct rig *rig, unsigned at)
{
	return (uint8_t)rig_read(rig, "text", at, 1);
}

/* Mode 13h, at 0xa0000. */
static void set_chained(struct rig *rig)
{
	set(rig, SEQUENCER, MAP_MASK, 0x0f);
	set(rig, SEQUENCER, MEMORY_MODE, 0x0e);
	set(rig, GRAPHICS, MODE, 0x40);
	set(rig, GRAPHICS, MISC, 0x05);
	set(rig, GRAPHICS, BIT_MASK, 0xff);
}

/* Mode X: the same without the chain. */
static void unchain(struct rig *rig)
{
	set(rig, SEQUENCER, MEMORY_MODE, 0x06);
}

static enum mw_status tell_map(void *self, uint64_t base, uint64_t length, void *host,
			       bool readonly)
{
	struct bench *bench = self;

	bench->maps++;
	bench->length += length;
	return MW_STATUS_OK;
}

static enum mw_status tell_unmap(void *self, uint64_t base, uint64_t length)
{
	struct bench *bench = self;

	bench->unmaps++;
	bench->length -= length;
	return MW_STATUS_OK;
}

static void tell_stop(void *self)
{
}

static const struct mw_executor_ops ops = { .map = tell_map,
					    .unmap = tell_unmap,
					    .stop = tell_stop };

static int set_up(void **state)
{
	struct bench *bench = test_calloc(1, sizeof(*bench));

	bench->rig = rig_create(&vga_std_type, NULL);
	rig_place_bars(bench->rig);
	mw_machine_drop_executor(rig_machine(bench->rig)); /* the rig's hears of no memory */
	assert_int_equal(
		mw_machine_set_executor(rig_machine(bench->rig),
					(struct mw_executor){ .ops = &ops, .self = bench }),
		MW_STATUS_OK);
	bench->maps = bench->unmaps = 0;
	bench->length = 0;
	out(bench->rig, OUTPUT, 0x67);
	set_chained(bench->rig);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	mw_machine_drop_executor(rig_machine(bench->rig));
	rig_destroy(bench->rig);
	test_free(bench);
	return 0;
}

static void go_on(struct bench *bench, unsigned count)
{
	while (count--)
		peek(bench->rig, 0);
}

/* How much of the window is memory now. */
static void expect_direct(const struct bench *bench, uint64_t length)
{
	assert_int_equal(bench->length, length);
}

/* Mode 13h */

static void window_is_memory_for_who_goes_on_using_it(void **state)
{
	struct bench *bench = *state;

	go_on(bench, ENOUGH - 1);
	expect_direct(bench, 0);
	poke(bench->rig, 0x1234, 0x5a);
	expect_direct(bench, HALF);
	assert_int_equal(peek(bench->rig, 0x1234), 0x5a);
	assert_int_equal(bench->maps, 1);
	rig_write(bench->rig, "text", 0xfff8, 8, 0x8877665544332211);
	assert_int_equal(rig_read(bench->rig, "text", 0xfffc, 4), 0x88776655);
	assert_int_equal(peek(bench->rig, HALF), 0xff);
}

/* "Memory Mode Register", chain 4: the lowest bits of an address choose the map, and are zeros in the map's address. */
static void mode_x_finds_in_the_maps_what_came_through_memory(void **state)
{
	struct bench *bench = *state;

	poke(bench->rig, 0x104, 0xc0); /* by the VGA, the others are written over the memory */
	go_on(bench, ENOUGH);
	for (unsigned i = 1; i < 8; i++)
		poke(bench->rig, 0x104 + i, 0xc0 + i);
	unchain(bench->rig);
	expect_direct(bench, 0);
	for (unsigned map = 0; map < 4; map++) {
		set(bench->rig, GRAPHICS, READ_MAP, map);
		assert_int_equal(peek(bench->rig, 0x104), 0xc0 + map);
		assert_int_equal(peek(bench->rig, 0x105), 0);
		assert_int_equal(peek(bench->rig, 0x108), 0xc4 + map);
	}
}

static void memory_has_what_mode_x_has_left_in_the_maps(void **state)
{
	struct bench *bench = *state;

	go_on(bench, ENOUGH);
	unchain(bench->rig);
	set(bench->rig, SEQUENCER, MAP_MASK, 0x04);
	for (unsigned at = 0x200; at < 0x208; at++)
		poke(bench->rig, at, at & 0xff);
	set_chained(bench->rig);
	go_on(bench, ENOUGH);
	expect_direct(bench, HALF);
	assert_int_equal(rig_read(bench->rig, "text", 0x200, 8), 0x0004000000000000);
	assert_int_equal(peek(bench->rig, 0x202), 0x00);
	assert_int_equal(peek(bench->rig, 0x206), 0x04);
}

/* "Miscellaneous Register", memory map */
static void second_half_of_128_kib_is_the_first(void **state)
{
	struct bench *bench = *state;

	set(bench->rig, GRAPHICS, MISC, 0x01);
	go_on(bench, ENOUGH);
	expect_direct(bench, 2 * HALF);
	poke(bench->rig, HALF + 0x345, 0x77);
	assert_int_equal(peek(bench->rig, 0x345), 0x77);
}

static void memory_lies_where_the_window_does(void **state)
{
	struct bench *bench = *state;

	poke(bench->rig, 0x10, 0x42);
	set(bench->rig, GRAPHICS, MISC, 0x0d);
	for (unsigned i = 0; i < ENOUGH; i++)
		poke(bench->rig, COLOUR_TEXT + 1, 0x24);
	expect_direct(bench, 0x8000);
	assert_int_equal(peek(bench->rig, COLOUR_TEXT + 0x10), 0x42);
	assert_int_equal(peek(bench->rig, 0x10), 0xff);
}

static void all_that_is_not_plain_is_the_vgas(void **state)
{
	static const struct {
		unsigned port, index, value;
	} cases[] = {
		{ SEQUENCER, MAP_MASK, 0x0e }, { SEQUENCER, MEMORY_MODE, 0x06 },
		{ GRAPHICS, 1, 0x01 },         { GRAPHICS, 3, 0x08 },
		{ GRAPHICS, 3, 0x01 },         { GRAPHICS, MODE, 0x41 },
		{ GRAPHICS, MODE, 0x48 },      { GRAPHICS, BIT_MASK, 0x7f },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_chained(bench->rig);
		set(bench->rig, GRAPHICS, 1, 0);
		set(bench->rig, GRAPHICS, 3, 0);
		go_on(bench, ENOUGH);
		expect_direct(bench, HALF);
		set(bench->rig, cases[i].port, cases[i].index, cases[i].value);
		expect_direct(bench, 0);
		go_on(bench, 2 * ENOUGH);
		expect_direct(bench, 0);
	}
}

/* "Miscellaneous Output Register", enable RAM */
static void closed_memory_is_none(void **state)
{
	struct bench *bench = *state;

	go_on(bench, ENOUGH);
	out(bench->rig, OUTPUT, 0x65);
	expect_direct(bench, 0);
	assert_int_equal(peek(bench->rig, 0), 0xff);
	go_on(bench, 2 * ENOUGH);
	expect_direct(bench, 0);
}

static void registers_that_do_not_matter_leave_the_memory(void **state)
{
	struct bench *bench = *state;

	go_on(bench, ENOUGH);
	set(bench->rig, CRTC, 0x0d, 0x40);
	set(bench->rig, GRAPHICS, READ_MAP, 2);
	out(bench->rig, PEL_WRITE, 0);
	out(bench->rig, PEL_DATA, 0x3f);
	expect_direct(bench, HALF);
	assert_int_equal(bench->unmaps, 0);
}

/* A map is made anew each time, so it is not to come with every write of a register. */
static void registers_that_change_all_the_time_cost_no_map(void **state)
{
	struct bench *bench = *state;

	for (unsigned i = 0; i < 8; i++) {
		go_on(bench, ENOUGH - 1);
		unchain(bench->rig);
		set_chained(bench->rig);
	}
	assert_int_equal(bench->maps, 0);
}

/* Bochs interface */

static void turn_on(struct rig *rig)
{
	vbe(rig, WIDTH, 640);
	vbe(rig, HEIGHT, 480);
	vbe(rig, DEPTH, 8);
	vbe(rig, ENABLE, 1);
}

static void bank_is_memory_until_it_is_another(void **state)
{
	struct bench *bench = *state;

	turn_on(bench->rig);
	for (unsigned bank = 3; bank <= 4; bank++) {
		vbe(bench->rig, BANK, bank);
		expect_direct(bench, 0);
		go_on(bench, ENOUGH);
		expect_direct(bench, HALF);
		rig_write(bench->rig, "text", 0x18, 4, 0x100 + bank);
	}
	for (unsigned bank = 3; bank <= 4; bank++)
		assert_int_equal(rig_read(bench->rig, "vram", bank * HALF + 0x18, 4), 0x100 + bank);
}

static void four_bits_are_the_vgas(void **state)
{
	struct bench *bench = *state;

	vbe(bench->rig, DEPTH, 4);
	vbe(bench->rig, ENABLE, 1);
	go_on(bench, 2 * ENOUGH);
	expect_direct(bench, 0);
}

/* The rest of the machine */

/* Eight pixels across, each two dots wide and one line high, in colours whose red is their number. */
static void set_picture(struct rig *rig)
{
	for (unsigned i = 0; i < 3 * 64; i++)
		out(rig, PEL_DATA, i % 3 ? 0 : i / 3);
	set(rig, CRTC, 0x01, 1);
	set(rig, CRTC, 0x14, 0x40);
	set(rig, CRTC, 0x17, 0x83);
	set(rig, CRTC, 0x18, 0xff);
	set(rig, CRTC, 0x07, 0x10);
	set(rig, SEQUENCER, 1, 0x01);
	rig_read(rig, "vga", STATUS_1, 1);
	out(rig, ATTRIBUTE, 0x20);
}

static void what_is_written_to_memory_is_in_the_picture(void **state)
{
	struct bench *bench = *state;
	struct mw_canvas canvas = { 0 };

	set_picture(bench->rig);
	go_on(bench, ENOUGH);
	rig_write(bench->rig, "text", 0, 8, 0x0807063f04030201);
	assert_true(mw_machine_draw(rig_machine(bench->rig), 0, &canvas));
	assert_int_equal(canvas.width, 16);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(canvas.pixels[2 * i] >> 18, i == 4 ? WHITE : i + 1);
	free(canvas.pixels);
}

static void reset_takes_the_memory_away(void **state)
{
	struct bench *bench = *state;

	go_on(bench, ENOUGH);
	mw_machine_drop_executor(rig_machine(bench->rig));
	assert_int_equal(peek(bench->rig, 0), 0);
	rig_reset(bench->rig);
	assert_int_equal(peek(bench->rig, 0), 0xff);
}

static void loaded_registers_say_whether_there_is_memory(void **state)
{
	static uint8_t chained[8192];
	struct bench *bench = *state;
	const uint8_t *saved;
	size_t count;

	go_on(bench, ENOUGH);
	poke(bench->rig, 0x99, 0x44);
	saved = rig_save(bench->rig, &count);
	assert_in_range(count, 1, sizeof(chained));
	memcpy(chained, saved, count);
	unchain(bench->rig);
	go_on(bench, 2 * ENOUGH);
	assert_true(rig_load(bench->rig, chained, count));
	assert_int_equal(peek(bench->rig, 0x99), 0x44);
	go_on(bench, ENOUGH);
	expect_direct(bench, HALF);
	assert_int_equal(peek(bench->rig, 0x99), 0x44);
	assert_true(rig_load(bench->rig, chained, count));
	go_on(bench, ENOUGH);
	expect_direct(bench, HALF);
	unchain(bench->rig);
	expect_direct(bench, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(window_is_memory_for_who_goes_on_using_it),
		TEST(mode_x_finds_in_the_maps_what_came_through_memory),
		TEST(memory_has_what_mode_x_has_left_in_the_maps),
		TEST(second_half_of_128_kib_is_the_first),
		TEST(memory_lies_where_the_window_does),
		TEST(all_that_is_not_plain_is_the_vgas),
		TEST(closed_memory_is_none),
		TEST(registers_that_do_not_matter_leave_the_memory),
		TEST(registers_that_change_all_the_time_cost_no_map),
		TEST(bank_is_memory_until_it_is_another),
		TEST(four_bits_are_the_vgas),
		TEST(what_is_written_to_memory_is_in_the_picture),
		TEST(reset_takes_the_memory_away),
		TEST(loaded_registers_say_whether_there_is_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
