/* What core makes of guest accesses before a device sees them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/executor.h"
#include "tests/unit/core/toy.h"

/* A byte-wide chip that remembers its last access, and one of registers. */
struct chip {
	uint8_t bytes[8];
	uint64_t last_offset;
	unsigned last_size, calls;
	uint32_t control;
	uint8_t latch, other;
	bool banked;
	bool masters; /* a write of a byte makes it write memory */
	unsigned changes;
	struct mw_dma *dma;
	struct mw_memory *rom;
};

static enum mw_io read_chip(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct chip *chip = self;

	chip->last_offset = offset;
	chip->last_size = size;
	chip->calls++;
	if (offset == 7)
		return MW_IO_NO_REGISTER;
	*value = chip->bytes[offset];
	return MW_IO_OK;
}

/* What an executor has heard. */
static struct {
	unsigned calls;
	uint64_t base, length;
} told;

/* Maps as a device does that handles a queue: what is written counts when the callback ends. */
static void write_by_maps(const struct chip *chip)
{
	uint8_t *low = mw_dma_map(chip->dma, 0x3000, 16, true);
	uint8_t *high = mw_dma_map(chip->dma, 0x3100, 4, true);

	assert_non_null(mw_dma_map(chip->dma, 0x5000, 64, false));
	assert_non_null(low);
	assert_non_null(high);
	assert_int_equal(told.calls, 0);
	low[0] = high[3] = 0x5a;
	assert_int_equal(told.calls, 0);
}

static enum mw_io write_chip(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct chip *chip = self;

	chip->calls++;
	chip->bytes[offset] = (uint8_t)value;
	if (chip->masters)
		write_by_maps(chip);
	return MW_IO_OK;
}

static bool is_banked(const void *self)
{
	return ((const struct chip *)self)->banked;
}

static void changed(void *self)
{
	((struct chip *)self)->changes++;
}

static uint64_t get_identity(void *self)
{
	return 0x11223344;
}

static const struct mw_register registers[] = {
	{ "OTHER", 0, .size = 1, MW_FIELD(struct chip, other), .writable = 0xff,
	  .selected = is_banked },
	{ "LATCH", 0, .size = 1, MW_FIELD(struct chip, latch), .writable = 0x0f,
	  .changed = changed },
	{ "CONTROL", 4, .size = 4, MW_FIELD(struct chip, control), .writable = 0x00ffff00 },
	{ "ID", 8, .size = 4, .get = get_identity },
	{ "STROBE", 12, .size = 4, MW_FIELD(struct chip, control), .writable = UINT32_MAX,
	  .write_only = true },
};
static const struct mw_region regions[] = {
	{ "bytes", MW_SPACE_PORT, 8, MW_ACCESS(1, 1), read_chip, write_chip },
	{ "table", MW_SPACE_MEMORY, 16, MW_ACCESS(1, 4), .registers = MW_TABLE(registers) },
	{ "words", MW_SPACE_PORT, 8, MW_ACCESS(2, 2), read_chip, write_chip, .optional = true },
	{ "rom", MW_SPACE_MEMORY, 0, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct chip, rom), .optional = true },
};
static const struct mw_wire wires[] = {
	{ "dma", "Bus master.", MW_FIELD(struct chip, dma) },
};
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.summary = "regions of all sorts",
	.size = sizeof(struct chip),
	.regions = MW_TABLE(regions),
	.wires = MW_TABLE(wires),
};

static struct toy toy;
static struct chip *chip;

static int set_up(void **state)
{
	uint32_t node = toy_node(&toy, "chip", &chip_type);

	toy_claim(&toy, node, "bytes", 0x40, 8);
	toy_claim(&toy, node, "table", 0xfe000000, 16);
	toy_claim(&toy, node, "words", 0x60, 8);
	toy_claim(&toy, node, "rom", 0xf0000, 0x1000);
	toy_ram(&toy, 0, 0x10000);
	toy_build(&toy);
	chip = toy_device(&toy, node);
	return 0;
}

static int tear_down(void **state)
{
	toy_fini(&toy);
	return 0;
}

static void address_without_a_region_reads_ones_and_drops_writes(void **state)
{
	assert_int_equal(toy_in(&toy, 0x3f, 1), 0xff);
	assert_int_equal(toy_in(&toy, 0x3e, 2), 0xffff);
	assert_int_equal(toy_in(&toy, 0x1000, 4), 0xffffffff);
	assert_true(toy_peek(&toy, 0xfd000000, 8) == UINT64_MAX);
	toy_out(&toy, 0x3f, 1, 0);
	toy_poke(&toy, 0xfd000000, 8, 0);
	assert_int_equal(chip->calls, 0);
}

static void wide_access_to_a_byte_chip_is_split_little_end_first(void **state)
{
	toy_out(&toy, 0x40, 4, 0x44332211);
	assert_int_equal(chip->calls, 4);
	assert_int_equal(chip->bytes[0], 0x11);
	assert_int_equal(chip->bytes[3], 0x44);
	assert_int_equal(toy_in(&toy, 0x41, 2), 0x3322);
}

static void refused_part_of_a_split_read_is_ones(void **state)
{
	chip->bytes[6] = 0x12;
	assert_int_equal(toy_in(&toy, 0x46, 2), 0xff12);
	assert_non_null(strstr(toy_log(&toy), "no register there"));
}

static void access_over_the_end_of_a_region_is_done_by_the_byte(void **state)
{
	chip->bytes[6] = 0x5a;
	chip->bytes[7] = 0;
	assert_int_equal(toy_in(&toy, 0x46, 4), 0xffffff5a);
}

static void access_into_a_region_from_below_is_done_by_the_byte(void **state)
{
	chip->bytes[0] = 0x77;
	assert_int_equal(toy_in(&toy, 0x3f, 2), 0x77ff);
}

static void access_below_the_smallest_size_is_refused(void **state)
{
	assert_int_equal(toy_in(&toy, 0x60, 1), 0xff);
	assert_int_equal(chip->calls, 0);
	assert_non_null(strstr(toy_log(&toy), "not of a size the chip knows"));
}

static void unaligned_access_is_refused(void **state)
{
	assert_int_equal(toy_in(&toy, 0x61, 2), 0xffff);
	assert_int_equal(chip->calls, 0);
	assert_non_null(strstr(toy_log(&toy), "not aligned"));
}

static void only_writable_bits_of_a_register_change(void **state)
{
	toy_poke(&toy, 0xfe000004, 4, 0xffffffff);
	assert_int_equal(toy_peek(&toy, 0xfe000004, 4), 0x00ffff00);
	toy_poke(&toy, 0xfe000000, 1, 0xa5);
	assert_int_equal(toy_peek(&toy, 0xfe000000, 1), 0x05);
	assert_int_equal(chip->changes, 1);
}

static void part_of_a_register_keeps_the_rest(void **state)
{
	toy_poke(&toy, 0xfe000004, 4, 0x00112200);
	toy_poke(&toy, 0xfe000005, 1, 0xee);
	assert_int_equal(toy_peek(&toy, 0xfe000004, 4), 0x0011ee00);
	assert_int_equal(toy_peek(&toy, 0xfe00000a, 1), 0x22);
}

static void selected_register_hides_the_other_at_its_address(void **state)
{
	toy_poke(&toy, 0xfe000000, 1, 0x03);
	chip->banked = true;
	toy_poke(&toy, 0xfe000000, 1, 0x77);
	assert_int_equal(toy_peek(&toy, 0xfe000000, 1), 0x77);
	chip->banked = false;
	assert_int_equal(toy_peek(&toy, 0xfe000000, 1), 0x03);
}

static void write_only_and_read_only_registers_refuse_the_other_way(void **state)
{
	assert_int_equal(toy_peek(&toy, 0xfe00000c, 4), 0xffffffff);
	toy_poke(&toy, 0xfe000008, 4, 0);
	assert_int_equal(toy_peek(&toy, 0xfe000008, 4), 0x11223344);
}

static void rom_is_read_and_never_written(void **state)
{
	uint64_t size;
	uint8_t *bytes = mw_memory_bytes(chip->rom, &size);

	assert_int_equal(size, 0x1000);
	bytes[0xffe] = 0x34;
	bytes[0xfff] = 0x12;
	toy_poke(&toy, 0xf0ffe, 2, 0);
	assert_int_equal(toy_peek(&toy, 0xf0ffe, 2), 0x1234);
	assert_int_equal(toy_peek(&toy, 0xf0fff, 2), 0xff12);
}

static void dma_reaches_ram_and_rom_only(void **state)
{
	uint8_t out[4] = { 1, 2, 3, 4 }, in[4] = { 0 };

	assert_true(mw_dma_write(chip->dma, 0xfffc, out, 4));
	assert_true(mw_dma_read(chip->dma, 0xfffc, in, 4));
	assert_memory_equal(in, out, 4);
	assert_int_equal(toy_peek(&toy, 0xfffc, 4), 0x04030201);
	assert_false(
		mw_dma_write(chip->dma, 0xfffd, out, 4)); /* one byte too far: none is written */
	assert_int_equal(toy_peek(&toy, 0xfffc, 4), 0x04030201);
	assert_false(mw_dma_read(chip->dma, 0xfe000000, in, 4)); /* a device's registers */
	assert_int_equal(in[0], 0xff);
	assert_null(mw_dma_map(chip->dma, 0xf0000, 16, true));
	assert_non_null(mw_dma_map(chip->dma, 0xf0000, 16, false));
	assert_null(mw_dma_map(chip->dma, 0xffff, 2, false));
}

static enum mw_status map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	return MW_STATUS_OK;
}

static enum mw_status unmap(void *self, uint64_t base, uint64_t length)
{
	return MW_STATUS_OK;
}

static void stop(void *self)
{
}

static void written(void *self, uint64_t base, uint64_t length)
{
	told.calls++;
	told.base = base;
	told.length = length;
}

static const struct mw_executor_ops listener = {
	.map = map, .unmap = unmap, .stop = stop, .written = written
};

static void assert_told(unsigned calls, uint64_t base, uint64_t length)
{
	assert_int_equal(told.calls, calls);
	assert_int_equal(told.base, base);
	assert_int_equal(told.length, length);
	memset(&told, 0, sizeof(told));
}

static void executor_hears_what_dma_has_written(void **state)
{
	uint8_t bytes[4] = { 1, 2, 3, 4 };

	memset(&told, 0, sizeof(told));
	assert_int_equal(
		mw_machine_set_executor(toy.machine, (struct mw_executor){ &listener, NULL }),
		MW_STATUS_OK);
	assert_true(mw_dma_write(chip->dma, 0x1ffe, bytes, 4)); /* across pages: one range */
	assert_told(1, 0x1ffe, 4);
	assert_true(mw_dma_write(chip->dma, 0x1234, bytes, 1));
	assert_told(1, 0x1234, 1);
	assert_false(mw_dma_write(chip->dma, 0xfffd, bytes, 4)); /* none is written, none told */
	assert_true(mw_dma_write(chip->dma, 0x1000, bytes, 0));
	assert_true(mw_dma_read(chip->dma, 0x1000, bytes, 4));
	assert_told(0, 0, 0);
	mw_machine_drop_executor(toy.machine);
	assert_true(mw_dma_write(chip->dma, 0x1000, bytes, 4));
	assert_told(0, 0, 0);
}

static void executor_hears_of_written_maps_when_the_callback_ends(void **state)
{
	memset(&told, 0, sizeof(told));
	assert_int_equal(
		mw_machine_set_executor(toy.machine, (struct mw_executor){ &listener, NULL }),
		MW_STATUS_OK);
	chip->masters = true;
	toy_out(&toy, 0x40, 1, 0);
	assert_told(1, 0x3000, 0x104); /* of both, and what is between */
	toy_out(&toy, 0x40, 1, 0);
	assert_told(1, 0x3000, 0x104);
	chip->masters = false;
	toy_out(&toy, 0x40, 1, 0);
	assert_told(0, 0, 0);
	mw_machine_drop_executor(toy.machine);
}

/* A one-byte port between three that nobody has. */
static void wide_access_finds_what_lies_in_its_middle(void **state)
{
	struct toy alone = { 0 };
	uint32_t node = toy_node(&alone, "chip", &chip_type);

	toy_claim(&alone, node, "bytes", 0x41, 1);
	alone.claims[node][0].length = 1;
	toy_claim(&alone, node, "table", 0xfe000002, 1);
	toy_build(&alone);
	struct chip *one = toy_device(&alone, node);

	one->bytes[0] = 0x5a;
	one->latch = 0x0c;
	assert_int_equal(toy_in(&alone, 0x40, 4), 0xffff5aff);
	toy_out(&alone, 0x40, 4, 0x44332211);
	assert_int_equal(one->bytes[0], 0x22);
	assert_true(toy_peek(&alone, 0xfe000000, 8) == 0xffffffffff0cffff);
	toy_fini(&alone);
}

static void last_port_does_not_wrap_to_the_first(void **state)
{
	struct toy ends = { 0 };
	uint32_t low = toy_node(&ends, "low", &chip_type);
	uint32_t high = toy_node(&ends, "high", &chip_type);

	toy_claim(&ends, low, "bytes", 0, 8);
	toy_claim(&ends, high, "bytes", 0xffff, 1);
	toy_build(&ends);
	((struct chip *)toy_device(&ends, low))->bytes[0] = 0x11;
	((struct chip *)toy_device(&ends, high))->bytes[0] = 0x22;
	assert_int_equal(toy_in(&ends, 0xffff, 4), 0xffffff22);
	toy_out(&ends, 0xffff, 2, 0x4433);
	assert_int_equal(((struct chip *)toy_device(&ends, low))->bytes[0], 0x11);
	assert_int_equal(((struct chip *)toy_device(&ends, high))->bytes[0], 0x33);
	toy_fini(&ends);
}

static void top_of_memory_does_not_wrap_to_the_bottom(void **state)
{
	struct toy ends = { 0 };
	uint32_t node = toy_node(&ends, "chip", &chip_type);
	uint8_t bytes[8] = { 0 };

	toy_claim(&ends, node, "rom", UINT64_MAX - 0xfff, 0x1000);
	toy_ram(&ends, 0, 0x1000);
	toy_build(&ends);
	struct chip *top = toy_device(&ends, node);

	mw_memory_bytes(top->rom, NULL)[0xfff] = 0x77;
	assert_true(toy_peek(&ends, UINT64_MAX, 8) == 0xffffffffffffff77);
	toy_poke(&ends, UINT64_MAX - 1, 4, 0x44332211);
	assert_int_equal(toy_peek(&ends, 0, 4), 0);
	assert_false(mw_dma_read(top->dma, UINT64_MAX, bytes, 2));
	assert_false(mw_dma_write(top->dma, UINT64_MAX, bytes, 2));
	assert_true(mw_dma_read(top->dma, UINT64_MAX, bytes, 1));
	assert_int_equal(bytes[0], 0x77);
	toy_fini(&ends);
}

/* Registers that a plan lays over RAM: 16 bytes in the middle of 64 KiB. */
static void overlay_in_memory_hides_what_lies_below_it(void **state)
{
	struct toy over = { 0 };
	uint32_t node = toy_node(&over, "chip", &chip_type);
	uint8_t bytes[32] = { 0 };

	toy_claim(&over, node, "table", 0x8000, 16);
	over.claims[node][0].overlays = "ram";
	toy_ram(&over, 0, 0x10000);
	toy_build(&over);
	struct chip *top = toy_device(&over, node);

	top->latch = 0x0c;
	memset(mw_machine_ram(over.machine, 0, 0x10000), 0x11, 0x10000);
	assert_int_equal(toy_peek(&over, 0x7ffc, 8), 0xffffff0c11111111);
	assert_int_equal(toy_peek(&over, 0x8000, 1), 0x0c); /* after a hit in the RAM around it */
	assert_int_equal(toy_peek(&over, 0x8010, 1), 0x11);
	toy_poke(&over, 0x7fff, 2, 0x0522);
	assert_int_equal(top->latch, 0x05);
	assert_false(mw_dma_read(top->dma, 0x7ff8, bytes, 32));
	assert_false(mw_dma_write(top->dma, 0x7ff8, bytes, 32));
	assert_null(mw_dma_map(top->dma, 0x7ff8, 32, false));
	assert_non_null(mw_dma_map(top->dma, 0x7ff8, 8, true));
	toy_fini(&over);
}

static void part_of_a_write_only_register_keeps_the_other_bytes(void **state)
{
	toy_poke(&toy, 0xfe00000c, 4, 0x44332211);
	toy_poke(&toy, 0xfe00000d, 1, 0x99);
	assert_int_equal(chip->control, 0x44339911);
}

static void guest_log_is_limited(void **state)
{
	for (int i = 0; i < 1000; i++)
		toy_in(&toy, 0x61, 2);
	size_t lines = 0;

	for (const char *c = toy_log(&toy); *c; c++)
		lines += *c == '\n';
	assert_in_range(lines, 1, 20);
}

int main(void)
{
#define ACCESS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ACCESS_TEST(address_without_a_region_reads_ones_and_drops_writes),
		ACCESS_TEST(wide_access_to_a_byte_chip_is_split_little_end_first),
		ACCESS_TEST(refused_part_of_a_split_read_is_ones),
		ACCESS_TEST(access_over_the_end_of_a_region_is_done_by_the_byte),
		ACCESS_TEST(access_into_a_region_from_below_is_done_by_the_byte),
		ACCESS_TEST(access_below_the_smallest_size_is_refused),
		ACCESS_TEST(unaligned_access_is_refused),
		ACCESS_TEST(only_writable_bits_of_a_register_change),
		ACCESS_TEST(part_of_a_register_keeps_the_rest),
		ACCESS_TEST(selected_register_hides_the_other_at_its_address),
		ACCESS_TEST(write_only_and_read_only_registers_refuse_the_other_way),
		ACCESS_TEST(rom_is_read_and_never_written),
		ACCESS_TEST(dma_reaches_ram_and_rom_only),
		ACCESS_TEST(executor_hears_what_dma_has_written),
		ACCESS_TEST(executor_hears_of_written_maps_when_the_callback_ends),
		cmocka_unit_test(wide_access_finds_what_lies_in_its_middle),
		cmocka_unit_test(last_port_does_not_wrap_to_the_first),
		cmocka_unit_test(top_of_memory_does_not_wrap_to_the_bottom),
		cmocka_unit_test(overlay_in_memory_hides_what_lies_below_it),
		ACCESS_TEST(part_of_a_write_only_register_keeps_the_other_bytes),
		ACCESS_TEST(guest_log_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
