/* Regions that move: base address registers, pieces laid over others, A20, configuration space. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

enum { PAGE = 0x1000, READ = MW_PIECE_READ, WRITE = MW_PIECE_WRITE };

/* A chip with everything that moves; a write to `go` does what `do_it` says. */
struct mover {
	struct mw_memory *shadow;
	struct mw_memory *frame;
	void (*do_it)(struct mover *mover);
	uint32_t word;
};

static enum mw_io go(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct mover *mover = self;

	mover->do_it(mover);
	return MW_IO_OK;
}

static enum mw_io read_offset(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = 0x40 + offset;
	return MW_IO_OK;
}

static bool is_config(void *self, uint64_t offset, unsigned size, uint32_t *address)
{
	*address = (uint32_t)offset;
	return true;
}

static enum mw_io read_config(void *self, uint32_t offset, unsigned size, uint32_t *value)
{
	*value = ((struct mover *)self)->word >> (8 * (offset & 3));
	return offset < 8 ? MW_IO_OK : MW_IO_NO_REGISTER;
}

static enum mw_io write_config(void *self, uint32_t offset, unsigned size, uint32_t value)
{
	((struct mover *)self)->word = value;
	return MW_IO_OK;
}

static const struct mw_config_ops config = { read_config, write_config };
static const struct mw_region regions[] = {
	{ "go", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .write = go },
	{ "ports", MW_SPACE_PORT, 16, MW_ACCESS(1, 4), .read = read_offset, .bar = 5 },
	{ "frame", MW_SPACE_MEMORY, 2 * PAGE, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct mover, frame), .bar = 1 },
	{ "shadow", MW_SPACE_MEMORY, 4 * PAGE, .backing = MW_BACKING_RAM, .optional = true,
	  .memory_offset = offsetof(struct mover, shadow), .movable = true },
	{ "window", MW_SPACE_PORT, 64, MW_ACCESS(1, 4), .config_window = is_config,
	  .read = read_offset },
	{ "chip", MW_SPACE_MEMORY, 4 * PAGE, MW_ACCESS(1, 4), .read = read_offset },
};
static const struct mw_device_type mover_type = {
	MW_DEVICE_TYPE,
	.name = "mover",
	.summary = "moves its regions",
	.size = sizeof(struct mover),
	.regions = MW_TABLE(regions),
	.config = &config,
};

struct cell {
	struct mw_memory *memory;
};
static const struct mw_region rom_regions[] = {
	{ "memory", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct cell, memory) },
};
static const struct mw_device_type rom_type = {
	MW_DEVICE_TYPE,
	.name = "rom",
	.summary = "holds bytes",
	.size = sizeof(struct cell),
	.regions = MW_TABLE(rom_regions),
};

enum { GO = 0x10, WINDOW = 0x100, CHIP = 0xc0000, ROM = 0xe0000 };
#define FRAME UINT64_C(0xf0000000)

static struct mover *build(struct toy *toy)
{
	uint32_t mover = toy_node(toy, "mover", &mover_type);
	uint32_t rom = toy_node(toy, "rom", &rom_type);

	toy_claim(toy, mover, "go", GO, 1);
	toy_claim(toy, mover, "ports", 0xc000, 16);
	toy_claim(toy, mover, "frame", FRAME, 2 * PAGE);
	toy_claim(toy, mover, "window", WINDOW, 64);
	toy_claim(toy, mover, "chip", CHIP, 4 * PAGE);
	toy_claim(toy, rom, "memory", ROM, 2 * PAGE);
	toy_ram(toy, 0, 0xa0000);
	toy_ram(toy, 0x100000, 0x100000);
	toy_build(toy);
	memset(mw_memory_bytes(((struct cell *)toy_device(toy, rom))->memory, NULL), 0xee,
	       2 * PAGE);
	return toy_device(toy, mover);
}

static void run(struct toy *toy, struct mover *mover, void (*what)(struct mover *mover))
{
	mover->do_it = what;
	toy_out(toy, GO, 1, 0);
}

static void ports_at_c010(struct mover *mover)
{
	mw_region_move(mover, "ports", 0xc010, true);
}

static void ports_away(struct mover *mover)
{
	mw_region_move(mover, "ports", 0xc010, false);
}

static void a_base_address_register_answers_where_the_guest_puts_it(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	assert_int_equal(toy_in(&toy, 0xc000, 1), 0xff); /* the plan's place is no place yet */
	run(&toy, mover, ports_at_c010);
	assert_int_equal(toy_in(&toy, 0xc013, 1), 0x43);
	assert_int_equal(toy_in(&toy, 0xc003, 1), 0xff);
	run(&toy, mover, ports_away);
	assert_int_equal(toy_in(&toy, 0xc013, 1), 0xff);
	run(&toy, mover, ports_at_c010);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(toy_in(&toy, 0xc013, 1), 0xff);
	toy_fini(&toy);
}

static void frame_over_ram(struct mover *mover)
{
	mw_region_move(mover, "frame", 0x1ff000, true);
}

static void what_is_fixed_wins_over_a_base_address_register(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	toy_poke(&toy, 0x1ff000, 1, 0x11);
	run(&toy, mover, frame_over_ram);
	toy_poke(&toy, 0x200000, 1, 0x22); /* beyond the RAM: the frame's second page */
	assert_int_equal(toy_peek(&toy, 0x1ff000, 1), 0x11);
	assert_int_equal(toy_peek(&toy, 0x200000, 1), 0x22);
	assert_int_equal(mw_memory_bytes(mover->frame, NULL)[PAGE], 0x22);
	toy_fini(&toy);
}

static void frame_in_odd_places(struct mover *mover)
{
	mw_region_move(mover, "frame", 0x1800, true); /* no page */
	mw_region_move(mover, "ports", 0xfff8, true); /* beyond the last port */
}

static void places_that_are_none_are_left_empty(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	run(&toy, mover, frame_in_odd_places);
	assert_int_equal(toy_in(&toy, 0xfff8, 1), 0xff);
	assert_int_equal(mw_region_length(mover, "shadow"), 4 * PAGE);
	assert_int_equal(mw_region_length(mover, "frame"), 2 * PAGE);
	toy_fini(&toy);
}

/* Four pages, of which the ROM lies under the first two: both, reads, writes, nothing. */
static void shade(struct mover *mover)
{
	const struct mw_piece pieces[] = {
		{ 0, PAGE, ROM, READ },
		{ PAGE, PAGE, ROM + PAGE, WRITE },
		{ 2 * PAGE, PAGE, ROM + 2 * PAGE, WRITE },
		{ 3 * PAGE, PAGE, ROM + 3 * PAGE, READ | WRITE },
	};

	mw_region_place(mover, "shadow", pieces, 4);
}

static void pieces_take_reads_writes_or_both(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);
	uint8_t *shadow = mw_memory_bytes(mover->shadow, NULL);

	memset(shadow, 0x55, 4 * PAGE);
	assert_int_equal(toy_peek(&toy, ROM + 2 * PAGE, 1), 0xff);
	run(&toy, mover, shade);
	for (unsigned page = 0; page < 4; page++)
		toy_poke(&toy, ROM + page * PAGE + 8, 1, 0x70 + page);
	assert_int_equal(toy_peek(&toy, ROM + 8, 1), 0x55); /* read-only */
	assert_int_equal(shadow[8], 0x55);
	assert_int_equal(toy_peek(&toy, ROM + PAGE + 8, 1), 0xee); /* the ROM is read */
	assert_int_equal(shadow[PAGE + 8], 0x71);
	assert_int_equal(toy_peek(&toy, ROM + 2 * PAGE + 8, 1), 0xff); /* nothing is */
	assert_int_equal(shadow[2 * PAGE + 8], 0x72);
	assert_int_equal(toy_peek(&toy, ROM + 3 * PAGE + 8, 1), 0x73);
	toy_fini(&toy);
}

/* The second and the third page; the others are no pages, of no memory, or beyond the region. */
static void show_frame(struct mover *mover)
{
	const struct mw_piece pieces[] = {
		{ PAGE, PAGE, PAGE, READ | WRITE },  { 0, PAGE, 2 * PAGE, READ },
		{ 0, PAGE, 8, READ | WRITE },        { PAGE, 2 * PAGE, 0, READ | WRITE },
		{ 0, PAGE, 4 * PAGE, READ | WRITE },
	};

	mw_region_show(mover, "chip", mover->frame, pieces, 5);
}

static void show_nothing(struct mover *mover)
{
	mw_region_show(mover, "chip", mover->frame, NULL, 0);
}

static void shade_chip(struct mover *mover)
{
	mw_region_move(mover, "shadow", CHIP, true);
}

static void a_region_shows_memory_in_its_place(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);
	uint8_t *frame = mw_memory_bytes(mover->frame, NULL);

	frame[2] = 0x11;
	frame[PAGE + 2] = 0x22;
	run(&toy, mover, show_frame);
	assert_int_equal(toy_peek(&toy, CHIP + 2, 1), 0x42);
	assert_int_equal(toy_peek(&toy, CHIP + PAGE + 2, 1), 0x22);
	toy_poke(&toy, CHIP + PAGE + 2, 1, 0x33);
	assert_int_equal(frame[PAGE + 2], 0x33);
	toy_poke(&toy, CHIP + 2 * PAGE + 2, 1, 0x33); /* read-only */
	assert_int_equal(toy_peek(&toy, CHIP + 2 * PAGE + 2, 1), 0x11);
	assert_int_equal(toy_peek(&toy, CHIP + 3 * PAGE, 4), 0x40 + 3 * PAGE);
	run(&toy, mover, shade_chip); /* a chipset's lies over it */
	assert_int_equal(toy_peek(&toy, CHIP + PAGE + 2, 1), 0);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(toy_peek(&toy, CHIP + PAGE + 4, 4), 0x40 + PAGE + 4);
	toy_fini(&toy);
}

static void what_is_shown_goes_again(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	run(&toy, mover, show_frame);
	assert_int_equal(toy_peek(&toy, CHIP + PAGE, 1), 0);
	run(&toy, mover, show_nothing);
	assert_int_equal(toy_peek(&toy, CHIP + PAGE, 4), 0x40 + PAGE);
	toy_fini(&toy);
}

static void close_a20(struct mover *mover)
{
	mw_a20_set(mover, false);
}

static void open_a20(struct mover *mover)
{
	mw_a20_set(mover, true);
}

static void with_a20_closed_the_first_64_kib_are_seen_above_1_mib(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	toy_poke(&toy, 0x500, 1, 1);
	toy_poke(&toy, 0x100500, 1, 2);
	run(&toy, mover, close_a20);
	assert_int_equal(toy_peek(&toy, 0x100500, 1), 1);
	assert_int_equal(toy_peek(&toy, 0x110500, 1), 0);
	run(&toy, mover, open_a20);
	assert_int_equal(toy_peek(&toy, 0x100500, 1), 2);
	toy_fini(&toy);
}

static void a_window_leads_to_a_functions_configuration_space(void **state)
{
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);

	toy_out(&toy, WINDOW, 4, 0x12345678);
	assert_int_equal(mover->word, 0x12345678);
	assert_int_equal(toy_in(&toy, WINDOW + 2, 2), 0x1234);
	assert_int_equal(toy_in(&toy, WINDOW + 1, 2), 0x3456); /* by bytes */
	assert_int_equal(toy_in(&toy, WINDOW + 16, 1), 0xff);
	assert_non_null(strstr(toy_log(&toy), "configuration space at 0x10"));
	toy_fini(&toy);
}

/* What an executor is told. */
struct told {
	unsigned maps, unmaps;
	uint64_t base, length;
};

static enum mw_status tell_map(void *self, uint64_t base, uint64_t length, void *host,
			       bool readonly)
{
	struct told *told = self;

	told->maps++;
	told->base = base;
	told->length = length;
	return MW_STATUS_OK;
}

static enum mw_status tell_unmap(void *self, uint64_t base, uint64_t length)
{
	((struct told *)self)->unmaps++;
	return MW_STATUS_OK;
}

static void frame_at_its_place(struct mover *mover)
{
	mw_region_move(mover, "frame", FRAME, true);
}

static void frame_away(struct mover *mover)
{
	mw_region_move(mover, "frame", FRAME, false);
}

static void stop(void *self)
{
}

static void the_executor_hears_of_what_has_changed_alone(void **state)
{
	static const struct mw_executor_ops ops = { .map = tell_map,
						    .unmap = tell_unmap,
						    .stop = stop };
	struct toy toy = { 0 };
	struct mover *mover = build(&toy);
	struct told told = { 0 };

	assert_int_equal(mw_machine_set_executor(
				 toy.machine, (struct mw_executor){ .ops = &ops, .self = &told }),
			 MW_STATUS_OK);
	assert_int_equal(told.maps, 3);
	run(&toy, mover, frame_at_its_place);
	assert_int_equal(told.maps, 4);
	assert_int_equal(told.base, FRAME);
	assert_int_equal(told.length, 2 * PAGE);
	assert_int_equal(told.unmaps, 0);
	run(&toy, mover, ports_at_c010);
	run(&toy, mover, frame_at_its_place);
	assert_int_equal(told.maps + told.unmaps, 4);
	run(&toy, mover, frame_away);
	assert_int_equal(told.unmaps, 1);
	mw_machine_drop_executor(toy.machine);
	toy_fini(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_base_address_register_answers_where_the_guest_puts_it),
		cmocka_unit_test(what_is_fixed_wins_over_a_base_address_register),
		cmocka_unit_test(places_that_are_none_are_left_empty),
		cmocka_unit_test(pieces_take_reads_writes_or_both),
		cmocka_unit_test(a_region_shows_memory_in_its_place),
		cmocka_unit_test(what_is_shown_goes_again),
		cmocka_unit_test(with_a20_closed_the_first_64_kib_are_seen_above_1_mib),
		cmocka_unit_test(a_window_leads_to_a_functions_configuration_space),
		cmocka_unit_test(the_executor_hears_of_what_has_changed_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
