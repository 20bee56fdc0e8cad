/* PIIX3's IDE controller, as its data sheet and SFF-8038i read: the function, its ports, the bus masters. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "tests/support/accesses.h"
#include "tests/unit/devices/ide_bench.h"

enum { SECTORS = 1024, DISK_BYTES = SECTORS * SECTOR, FIRST = 1, SECOND = 2 };
enum { ACTIVE = 0x01, ERROR = 0x02, INTERRUPT = 0x04 };
static uint8_t content[DISK_BYTES];

static void fill_content(void)
{
	for (size_t i = 0; i < DISK_BYTES; i++)
		content[i] = (uint8_t)(i / SECTOR * 7 + i % SECTOR * 3);
}

static struct rig *create(const char *first, const char *second)
{
	const struct rig_child children[] = { { .type = &ata_disk_type,
						.address = first,
						.image = content,
						.image_bytes = DISK_BYTES },
					      { .type = second ? &ata_disk_type : NULL,
						.address = second,
						.image = content,
						.image_bytes = DISK_BYTES / 2 },
					      { 0 } };

	fill_content();
	return ide_create(children, false);
}

static struct rig *one_disk(void)
{
	return create("0.0", NULL);
}

static void function_is_an_ide_controller(void **state)
{
	struct rig *rig = one_disk();

	assert_int_equal(rig_config_read(rig, 0x00, 4), 0x70108086);
	assert_int_equal(rig_config_read(rig, 0x08, 4), 0x01018000);
	assert_int_equal(rig_config_read(rig, 0x06, 2), 0x0280);
	rig_config_write(rig, 0x04, 2, 0xffff);
	assert_int_equal(rig_config_read(rig, 0x04, 2), 0x0005);
	rig_config_write(rig, 0x20, 4, 0xffffffff);
	assert_int_equal(rig_config_read(rig, 0x20, 4), 0xfffffff1);
	rig_config_write(rig, 0x40, 4, 0xffffffff);
	assert_int_equal(rig_config_read(rig, 0x40, 4), 0xf3fff3ff);
	assert_int_equal(rig_config_read(rig, 0x3d, 1), 0);
	rig_destroy(rig);
}

static void ports_answer_when_they_are_decoded(void **state)
{
	struct rig *rig = one_disk();

	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_config_write(rig, 0x40, 2, 0);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), 0xff);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), 0xff);
	ide_out(rig, MW_IDE_COUNT, 0x55);
	rig_config_write(rig, 0x40, 2, 0x8000);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	rig_config_write(rig, 0x04, 2, 0x0004);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), 0xff);
	rig_config_write(rig, 0x04, 2, 0x0005);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_destroy(rig);
}

static void channel_without_drives_floats(void **state)
{
	struct rig *rig = one_disk();

	for (unsigned reg = 1; reg < 8; reg++)
		assert_int_equal(rig_read(rig, "cmd1", reg, 1), 0x7f);
	assert_int_equal(rig_read(rig, "ctl1", 0, 1), 0x7f);
	rig_write(rig, "cmd1", 7, 1, 0xec);
	assert_false(rig_line(rig, "irq1", 0));
	rig_destroy(rig);
}

static void drive_0_answers_for_a_drive_1_that_is_not_there(void **state)
{
	struct rig *rig = one_disk();

	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), 0);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), 0);
	ide_out(rig, MW_IDE_COUNT, 0x55);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0x55);
	ide_out(rig, MW_IDE_STATUS, 0xec);
	assert_false(rig_line(rig, "irq0", 0));
	ide_out(rig, MW_IDE_DEVICE, 0xa0);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_destroy(rig);
}

static unsigned sectors_of_selected(struct rig *rig)
{
	uint8_t data[SECTOR];

	ide_command(rig, 0xec, 0, 0, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	return (unsigned)mw_get_le(data + 120, 4);
}

static void two_drives_share_a_channel(void **state)
{
	struct rig *rig = create("0.0", "0.1");

	assert_int_equal(sectors_of_selected(rig), SECTORS);
	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	assert_int_equal(sectors_of_selected(rig), SECTORS / 2);
	ide_out(rig, MW_IDE_COUNT, 0x42);
	ide_out(rig, MW_IDE_DEVICE, 0xa0);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0x42); /* both have heard it */
	rig_destroy(rig);
}

static void interrupt_is_the_selected_drives(void **state)
{
	struct rig *rig = create("0.0", "0.1");

	ide_command(rig, 0xe5, 0, 0, 0);
	assert_true(rig_line(rig, "irq0", 0));
	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	assert_false(rig_line(rig, "irq0", 0));
	ide_out(rig, MW_IDE_DEVICE, 0xa0);
	assert_int_equal(ide_interrupt(rig), IDLE);
	rig_destroy(rig);
}

static void diagnostic_runs_on_both_and_selects_drive_0(void **state)
{
	struct rig *rig = create("0.0", "0.1");

	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	ide_out(rig, MW_IDE_COUNT, 0x42);
	ide_out(rig, MW_IDE_STATUS, 0x90);
	assert_int_equal(ide_in(rig, MW_IDE_DEVICE), 0xa0);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), 1);
	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	assert_int_equal(ide_interrupt(rig), -1);
	rig_destroy(rig);
}

static void software_reset_selects_drive_0(void **state)
{
	struct rig *rig = create("0.0", "0.1");

	ide_out(rig, MW_IDE_DEVICE, 0xb0);
	ide_out(rig, MW_IDE_CONTROL, 4);
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_int_equal(ide_in(rig, MW_IDE_DEVICE), 0xa0);
	assert_int_equal(sectors_of_selected(rig), SECTORS);
	rig_destroy(rig);
}

static void drive_on_the_second_channel(void **state)
{
	struct rig *rig = create("1.0", NULL);

	rig_write(rig, "cmd1", MW_IDE_STATUS, 1, 0xe5);
	assert_true(rig_line(rig, "irq1", 0));
	assert_false(rig_line(rig, "irq0", 0));
	assert_int_equal(rig_read(rig, "bmdma", 8 + 2, 1), INTERRUPT);
	assert_int_equal(rig_read(rig, "cmd1", MW_IDE_STATUS, 1), IDLE);
	assert_false(rig_line(rig, "irq1", 0));
	rig_destroy(rig);
}

static void words_of_registers_are_bytes(void **state)
{
	struct rig *rig = one_disk();

	rig_write(rig, "cmd0", MW_IDE_COUNT, 2, 0x3412);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0x12);
	assert_int_equal(rig_read(rig, "cmd0", MW_IDE_COUNT, 2), 0x3412);
	rig_destroy(rig);
}

static void master_registers_keep_their_bits(void **state)
{
	struct rig *rig = one_disk();

	rig_write(rig, "bmdma", 4, 4, 0xffffffff);
	assert_int_equal(rig_read(rig, "bmdma", 4, 4), 0xfffffffc);
	rig_write(rig, "bmdma", 5, 1, 0x12);
	assert_int_equal(rig_read(rig, "bmdma", 4, 4), 0xffff12fc);
	rig_write(rig, "bmdma", 0, 1, 0xfe);
	assert_int_equal(rig_read(rig, "bmdma", 0, 1), 0x08);
	rig_write(rig, "bmdma", 2, 1, 0xff);
	assert_int_equal(rig_read(rig, "bmdma", 2, 1), 0x60);
	assert_int_equal(rig_read(rig, "bmdma", 10, 1), 0);
	rig_destroy(rig);
}

static void interrupt_bit_is_cleared_by_a_one(void **state)
{
	struct rig *rig = one_disk();

	ide_command(rig, 0xe5, 0, 0, 0);
	assert_int_equal(ide_dma_status(rig), INTERRUPT);
	rig_write(rig, "bmdma", 2, 1, 0);
	assert_int_equal(ide_dma_status(rig), INTERRUPT);
	rig_write(rig, "bmdma", 2, 1, INTERRUPT);
	assert_int_equal(ide_dma_status(rig), 0);
	rig_destroy(rig);
}

static void read_dma(struct rig *rig, const struct ide_region *regions, unsigned sectors)
{
	ide_table(rig, regions);
	ide_command(rig, 0xc8, 0, sectors, 4);
	ide_start_dma(rig, TO_MEMORY);
}

/* SFF-8038i, 3.1: interrupt and active tell how the table and the transfer compare. */
static void table_longer_than_the_transfer_stays_active(void **state)
{
	static const struct ide_region regions[] = { { DATA, SECTOR }, { DATA + 512, 512 }, { 0 } };
	struct rig *rig = one_disk();

	read_dma(rig, regions, 1);
	assert_int_equal(ide_dma_status(rig), INTERRUPT | ACTIVE);
	assert_int_equal(ide_interrupt(rig), IDLE);
	rig_write(rig, "bmdma", 0, 1, 0);
	assert_int_equal(ide_dma_status(rig), INTERRUPT);
	rig_destroy(rig);
}

static void table_shorter_than_the_transfer_leaves_the_drive_waiting(void **state)
{
	static const struct ide_region regions[] = { { DATA, 700 }, { 0 } };
	struct rig *rig = one_disk();

	read_dma(rig, regions, 3);
	assert_int_equal(ide_dma_status(rig), 0);
	assert_int_equal(ide_interrupt(rig), -1);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE | DRQ);
	assert_memory_equal(ide_memory(rig, DATA, 700), content + 4 * SECTOR, 700);
	ide_out(rig, MW_IDE_CONTROL, 4);
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_int_equal(sectors_of_selected(rig), SECTORS);
	rig_destroy(rig);
}

static void write_with_a_short_table_writes_whole_sectors(void **state)
{
	static const struct ide_region regions[] = { { DATA, 700 }, { 0 } };
	struct rig *rig = one_disk();

	memset(ide_memory(rig, DATA, 700), 0xd7, 700);
	ide_table(rig, regions);
	ide_command(rig, 0xca, 0, 2, 4);
	ide_start_dma(rig, FROM_MEMORY);
	assert_int_equal(ide_interrupt(rig), -1);
	assert_int_equal(rig_image(rig, FIRST).bytes[5 * SECTOR - 1], 0xd7);
	assert_int_equal(rig_image(rig, FIRST).bytes[5 * SECTOR], content[5 * SECTOR]);
	rig_destroy(rig);
}

static void odd_addresses_and_lengths_are_even(void **state)
{
	static const struct ide_region regions[] = { { DATA + 1, 513 }, { 0 } };
	struct rig *rig = one_disk();

	read_dma(rig, regions, 1);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_memory_equal(ide_memory(rig, DATA, SECTOR), content + 4 * SECTOR, SECTOR);
	rig_destroy(rig);
}

static void addresses_that_are_no_memory_are_an_error(void **state)
{
	static const struct ide_region regions[] = { { DATA, 256 }, { 0xfff00000, 256 }, { 0 } };
	struct rig *rig = one_disk();

	read_dma(rig, regions, 1);
	assert_int_equal(ide_dma_status(rig), INTERRUPT | ERROR);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_memory_equal(ide_memory(rig, DATA, 256), content + 4 * SECTOR, 256);
	rig_write(rig, "bmdma", 2, 1, ERROR);
	assert_int_equal(ide_dma_status(rig), INTERRUPT);
	rig_destroy(rig);
}

static void table_in_no_memory_is_an_error(void **state)
{
	struct rig *rig = one_disk();

	rig_write(rig, "bmdma", 4, 4, 0xfffffff0);
	ide_command(rig, 0xc8, 0, 0, 4);
	ide_start_dma(rig, TO_MEMORY);
	assert_true(ide_dma_status(rig) & ERROR);
	rig_destroy(rig);
}

/* A table that never ends: 8192 descriptors of two bytes, and no more. */
static void table_ends_after_64_kib(void **state)
{
	struct rig *rig = one_disk();
	uint8_t *table = ide_memory(rig, 0x40000, 0x10000);

	for (unsigned i = 0; i < 0x10000; i += 8) {
		mw_put_le(table + i, 4, DATA);
		mw_put_le(table + i + 4, 4, 2);
	}
	rig_write(rig, "bmdma", 4, 4, 0x40000);
	ide_command(rig, 0xc8, 0, 64, 0);
	ide_start_dma(rig, TO_MEMORY);
	assert_int_equal(ide_interrupt(rig), -1);
	assert_int_equal(ide_dma_status(rig), 0);
	rig_destroy(rig);
}

static void table_that_is_overwritten_by_its_own_transfer(void **state)
{
	static const struct ide_region regions[] = { { TABLE, 8 * SECTOR }, { 0 } };
	struct rig *rig = one_disk();

	read_dma(rig, regions, 8);
	assert_int_equal(ide_interrupt(rig), IDLE);
	rig_destroy(rig);
}

static void function_that_is_no_bus_master_waits(void **state)
{
	static const struct ide_region regions[] = { { DATA, SECTOR }, { 0 } };
	struct rig *rig = one_disk();

	rig_config_write(rig, 0x04, 2, 0x0001);
	read_dma(rig, regions, 1);
	assert_int_equal(ide_dma_status(rig), ACTIVE);
	assert_int_equal(ide_interrupt(rig), -1);
	rig_config_write(rig, 0x04, 2, 0x0005);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_memory_equal(ide_memory(rig, DATA, SECTOR), content + 4 * SECTOR, SECTOR);
	rig_destroy(rig);
}

static void both_channels_have_a_master(void **state)
{
	struct rig *rig = create("0.0", "1.0");
	uint8_t *table = ide_memory(rig, TABLE, 16);

	mw_put_le(table, 8, DATA | UINT64_C(0x80000200) << 32);
	rig_write(rig, "bmdma", 12, 4, TABLE);
	rig_write(rig, "cmd1", MW_IDE_COUNT, 1, 1);
	rig_write(rig, "cmd1", MW_IDE_LBA_LOW, 1, 3);
	rig_write(rig, "cmd1", MW_IDE_LBA_MID, 1, 0);
	rig_write(rig, "cmd1", MW_IDE_DEVICE, 1, 0xe0);
	rig_write(rig, "bmdma", 8, 1, 9);
	rig_write(rig, "cmd1", MW_IDE_STATUS, 1, 0xc8);
	assert_true(rig_line(rig, "irq1", 0));
	assert_int_equal(rig_read(rig, "bmdma", 10, 1), INTERRUPT);
	assert_int_equal(rig_read(rig, "bmdma", 2, 1), 0);
	assert_memory_equal(ide_memory(rig, DATA, SECTOR), content + 3 * SECTOR, SECTOR);
	rig_destroy(rig);
}

/* All of a controller with a disk and a CD drive, whatever their state and a guest's accesses. */
static void nothing_does_harm(void **state)
{
	struct rig *rig = rig_create(&piix3_ide_type, NULL);
	unsigned random = 3;

	rig_config_write(rig, 0x40, 4, 0x80008000);
	for (unsigned round = 0; round < 60; round++) {
		size_t count;
		const uint8_t *saved = rig_save(rig, &count);
		uint8_t *bytes = test_malloc(count);

		memcpy(bytes, saved, count);
		for (unsigned i = 0; i < 40; i++)
			bytes[accesses_next(&random) % (i % 2 ? count : 700)] =
				(uint8_t)accesses_next(&random);
		rig_load(rig, bytes, count);
		rig_config_write(rig, 0x40, 4, 0x80008000);
		accesses_random(rig, &piix3_ide_type, round, 500);
		test_free(bytes);
	}
	rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_is_an_ide_controller),
		cmocka_unit_test(ports_answer_when_they_are_decoded),
		cmocka_unit_test(channel_without_drives_floats),
		cmocka_unit_test(drive_0_answers_for_a_drive_1_that_is_not_there),
		cmocka_unit_test(two_drives_share_a_channel),
		cmocka_unit_test(interrupt_is_the_selected_drives),
		cmocka_unit_test(diagnostic_runs_on_both_and_selects_drive_0),
		cmocka_unit_test(software_reset_selects_drive_0),
		cmocka_unit_test(drive_on_the_second_channel),
		cmocka_unit_test(words_of_registers_are_bytes),
		cmocka_unit_test(master_registers_keep_their_bits),
		cmocka_unit_test(interrupt_bit_is_cleared_by_a_one),
		cmocka_unit_test(table_longer_than_the_transfer_stays_active),
		cmocka_unit_test(table_shorter_than_the_transfer_leaves_the_drive_waiting),
		cmocka_unit_test(write_with_a_short_table_writes_whole_sectors),
		cmocka_unit_test(odd_addresses_and_lengths_are_even),
		cmocka_unit_test(addresses_that_are_no_memory_are_an_error),
		cmocka_unit_test(table_in_no_memory_is_an_error),
		cmocka_unit_test(table_ends_after_64_kib),
		cmocka_unit_test(table_that_is_overwritten_by_its_own_transfer),
		cmocka_unit_test(function_that_is_no_bus_master_waits),
		cmocka_unit_test(both_channels_have_a_master),
		cmocka_unit_test(nothing_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
