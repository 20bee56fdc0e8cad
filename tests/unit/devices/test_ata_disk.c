/* ATA disk behind a PIIX3, as ATA/ATAPI-7 reads: registers, protocols, commands, errors. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "tests/unit/devices/ide_bench.h"

enum { SECTORS = 4096, DISK_BYTES = SECTORS * SECTOR, DISK = 1 };
static uint8_t content[DISK_BYTES];

static void fill_content(void)
{
	for (size_t i = 0; i < DISK_BYTES; i++)
		content[i] = (uint8_t)(i / SECTOR * 7 + i % SECTOR * 3 + (i >> 16));
}

static struct rig *create(bool read_only, bool threads)
{
	const struct rig_child children[] = { { .type = &ata_disk_type,
						.address = "0.0",
						.image = content,
						.image_bytes = DISK_BYTES,
						.read_only = read_only },
					      { 0 } };

	fill_content();
	return ide_create(children, threads);
}

static struct rig *disk(void)
{
	return create(false, false);
}

static unsigned word(const uint8_t *data, unsigned number)
{
	return (unsigned)mw_get_le(data + (size_t)2 * number, 2);
}

static void identify(struct rig *rig, uint8_t *data)
{
	ide_command(rig, 0xec, 0, 0, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	assert_int_equal(ide_interrupt(rig), -1);
}

static void assert_aborted(struct rig *rig)
{
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), ABRT);
}

static void assert_done(struct rig *rig)
{
	assert_int_equal(ide_interrupt(rig), IDLE);
}

static void reset_leaves_the_signature_of_a_disk(void **state)
{
	struct rig *rig = disk();

	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), 1);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 1);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 0);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_HIGH), 0);
	rig_destroy(rig);
}

static void software_reset_is_busy_until_it_ends(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0xec, 0, 0x55, 0x123456);
	ide_out(rig, MW_IDE_CONTROL, 0x04);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	assert_false(rig_line(rig, "irq0", 0));
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 0);
	assert_int_equal(rig_read(rig, "cmd0", 0, 2), 0);
	rig_destroy(rig);
}

static void identify_tells_the_disk(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR], sum = 0;

	identify(rig, data);
	assert_int_equal(word(data, 0), 0x0040);
	assert_int_equal(word(data, 1), SECTORS / (16 * 63));
	assert_int_equal(word(data, 3), 16);
	assert_int_equal(word(data, 6), 63);
	assert_int_equal(word(data, 60) | word(data, 61) << 16, SECTORS);
	assert_int_equal(word(data, 100), SECTORS);
	assert_int_equal(word(data, 83) & 0x0400, 0x0400);
	assert_int_equal(word(data, 63), 0x0407);
	assert_int_equal(word(data, 88), 0x003f);
	assert_memory_equal(data + 54, "iMllrwgithd si k", 16);
	assert_memory_equal(data + 20, "hcli-d 1", 8); /* its id, "child-1" */
	for (unsigned i = 0; i < SECTOR; i++)
		sum = (uint8_t)(sum + data[i]);
	assert_int_equal(sum, 0);
	rig_destroy(rig);
}

static void identify_tells_names_and_geometry_of_the_profile(void **state)
{
	static const struct rig_setting settings[] = { { "model", 0, "A" },
						       { "serial", 0, "XY" },
						       { "heads", 4, NULL },
						       { "sectors", 17, NULL },
						       { 0 } };
	const struct rig_child children[] = { { .type = &ata_disk_type,
						.address = "0.0",
						.settings = settings,
						.image = content,
						.image_bytes = DISK_BYTES },
					      { 0 } };
	struct rig *rig = ide_create(children, false);
	uint8_t data[SECTOR];

	identify(rig, data);
	assert_memory_equal(data + 54, " A  ", 4);
	assert_memory_equal(data + 20, "YX  ", 4);
	assert_int_equal(word(data, 1), SECTORS / (4 * 17));
	assert_int_equal(word(data, 3), 4);
	assert_int_equal(word(data, 6), 17);
	rig_destroy(rig);
}

static void read_interrupts_before_each_sector(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];

	ide_command(rig, 0x20, 0, 3, 100);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
		ide_read_words(rig, data, SECTOR);
		assert_memory_equal(data, content + (size_t)(100 + i) * SECTOR, SECTOR);
	}
	assert_int_equal(ide_interrupt(rig), -1);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 102);
	rig_destroy(rig);
}

static void count_of_zero_is_256(void **state)
{
	struct rig *rig = disk();
	static uint8_t data[256 * SECTOR];

	ide_command(rig, 0x20, 0, 0, 9);
	ide_read_words(rig, data, sizeof(data));
	assert_memory_equal(data, content + (size_t)9 * SECTOR, sizeof(data));
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_destroy(rig);
}

static void data_register_takes_double_words(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0x20, 0, 1, 5);
	for (unsigned i = 0; i < SECTOR; i += 4)
		assert_int_equal(rig_read(rig, "cmd0", 0, 4),
				 mw_get_le(content + 5 * SECTOR + i, 4));
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_destroy(rig);
}

static void write_interrupts_after_each_sector(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];

	ide_command(rig, 0x30, 0, 2, 7);
	assert_int_equal(ide_interrupt(rig), -1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE | DRQ);
		memset(data, 0xa0 + (int)i, SECTOR);
		ide_write_words(rig, data, SECTOR);
		assert_int_equal(ide_interrupt(rig), i ? IDLE : IDLE | DRQ);
	}
	assert_int_equal(rig_image(rig, DISK).bytes[7 * SECTOR], 0xa0);
	assert_int_equal(rig_image(rig, DISK).bytes[9 * SECTOR - 1], 0xa1);
	assert_int_equal(rig_image(rig, DISK).bytes[9 * SECTOR], content[9 * SECTOR]);
	rig_destroy(rig);
}

static void long_writes_reach_the_image(void **state)
{
	struct rig *rig = disk();
	static uint8_t data[200 * SECTOR];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 11 + (i >> 9));
	ide_command(rig, 0x30, 0, 200, 1000);
	ide_write_words(rig, data, sizeof(data));
	assert_done(rig);
	assert_memory_equal(rig_image(rig, DISK).bytes + (size_t)1000 * SECTOR, data, sizeof(data));
	rig_destroy(rig);
}

static void multiple_is_off_until_it_is_set(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];

	ide_command(rig, 0xc4, 0, 1, 0);
	assert_aborted(rig);
	ide_command(rig, 0xc6, 0, 3, 0);
	assert_aborted(rig);
	ide_command(rig, 0xc6, 0, 32, 0);
	assert_aborted(rig);
	ide_command(rig, 0xc6, 0, 8, 0);
	assert_done(rig);
	identify(rig, data);
	assert_int_equal(word(data, 59), 0x108);
	rig_destroy(rig);
}

static void multiple_interrupts_once_a_block(void **state)
{
	static const unsigned blocks[] = { 4, 4, 2 };
	struct rig *rig = disk();
	uint8_t data[4 * SECTOR];
	unsigned lba = 50;

	ide_command(rig, 0xc6, 0, 4, 0);
	assert_done(rig);
	ide_command(rig, 0xc4, 0, 10, 50);
	for (unsigned i = 0; i < 3; lba += blocks[i++]) {
		assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
		ide_read_words(rig, data, (size_t)blocks[i] * SECTOR);
		assert_memory_equal(data, content + (size_t)lba * SECTOR,
				    (size_t)blocks[i] * SECTOR);
	}
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	memset(data, 0x5a, sizeof(data));
	ide_command_ext(rig, 0x39, 6, 300);
	ide_write_words(rig, data, 4 * SECTOR);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_write_words(rig, data, 2 * SECTOR);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).bytes[306 * SECTOR - 1], 0x5a);
	rig_destroy(rig);
}

static void addresses_of_48_bits(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];

	ide_command_ext(rig, 0x24, 1, SECTORS - 1);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	assert_memory_equal(data, content + DISK_BYTES - SECTOR, SECTOR);
	ide_command_ext(rig, 0x24, 1, UINT64_C(0x010000000005));
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), IDNF);
	ide_out(rig, MW_IDE_CONTROL, 0x80);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_HIGH), 0x01);
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 0x05);
	rig_destroy(rig);
}

static void high_order_bit_ends_with_a_write(void **state)
{
	struct rig *rig = disk();

	ide_out(rig, MW_IDE_COUNT, 0x12);
	ide_out(rig, MW_IDE_COUNT, 0x34);
	ide_out(rig, MW_IDE_CONTROL, 0x80);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0x12);
	ide_out(rig, MW_IDE_LBA_LOW, 0);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0x34);
	rig_destroy(rig);
}

static void cylinders_heads_and_sectors(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];
	unsigned lba = (1 * 16 + 3) * 63 + 5 - 1;

	ide_out(rig, MW_IDE_COUNT, 2);
	ide_out(rig, MW_IDE_LBA_LOW, 5);
	ide_out(rig, MW_IDE_LBA_MID, 1);
	ide_out(rig, MW_IDE_LBA_HIGH, 0);
	ide_out(rig, MW_IDE_DEVICE, 0xa3);
	ide_out(rig, MW_IDE_STATUS, 0x20);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	assert_memory_equal(data, content + (size_t)lba * SECTOR, SECTOR);
	ide_read_words(rig, data, SECTOR);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 6);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 1);
	assert_int_equal(ide_in(rig, MW_IDE_DEVICE), 0xa3);
	rig_destroy(rig);
}

static void parameters_change_what_cylinders_mean(void **state)
{
	struct rig *rig = disk();
	uint8_t data[SECTOR];

	ide_out(rig, MW_IDE_COUNT, 17);
	ide_out(rig, MW_IDE_DEVICE, 0xa3); /* four heads */
	ide_out(rig, MW_IDE_STATUS, 0x91);
	assert_done(rig);
	ide_out(rig, MW_IDE_COUNT, 1);
	ide_out(rig, MW_IDE_LBA_LOW, 17);
	ide_out(rig, MW_IDE_LBA_MID, 2);
	ide_out(rig, MW_IDE_DEVICE, 0xa1);
	ide_out(rig, MW_IDE_STATUS, 0x20);
	ide_read_words(rig, data, SECTOR);
	assert_memory_equal(data, content + ((size_t)(2 * 4 + 1) * 17 + 16) * SECTOR, SECTOR);
	identify(rig, data);
	assert_int_equal(word(data, 55), 4);
	assert_int_equal(word(data, 56), 17);
	assert_int_equal(word(data, 6), 63);
	rig_destroy(rig);
}

static void sector_zero_of_a_track_is_none(void **state)
{
	struct rig *rig = disk();

	ide_out(rig, MW_IDE_COUNT, 1);
	ide_out(rig, MW_IDE_LBA_LOW, 0);
	ide_out(rig, MW_IDE_DEVICE, 0xa0);
	ide_out(rig, MW_IDE_STATUS, 0x20);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), IDNF);
	rig_destroy(rig);
}

static void what_lies_beyond_the_end_is_not_found(void **state)
{
	static const uint8_t codes[] = { 0x20, 0x30, 0x40, 0xc8, 0xca };
	struct rig *rig = disk();

	for (unsigned i = 0; i < sizeof(codes); i++) {
		ide_command(rig, codes[i], 0, 2, SECTORS - 1);
		assert_int_equal(ide_interrupt(rig), IDLE | ERR);
		assert_int_equal(ide_in(rig, MW_IDE_ERROR), IDNF);
	}
	assert_int_equal(rig_image(rig, DISK).reads, 0);
	rig_destroy(rig);
}

static void read_only_image_takes_no_writes(void **state)
{
	static const uint8_t codes[] = { 0x30, 0x31, 0xca, 0x34, 0x35 };
	struct rig *rig = create(true, false);

	for (unsigned i = 0; i < sizeof(codes); i++) {
		ide_command(rig, codes[i], 0, 1, 0);
		assert_aborted(rig);
	}
	rig_destroy(rig);
}

static void failed_read_tells_the_sector(void **state)
{
	struct rig *rig = disk();

	rig_image_fail(rig, DISK, true);
	ide_command(rig, 0x20, 0, 4, 33);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), UNC);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 33);
	rig_image_fail(rig, DISK, false);
	ide_command(rig, 0x20, 0, 1, 33);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	rig_destroy(rig);
}

static void failed_write_and_flush_are_told(void **state)
{
	static const uint8_t data[SECTOR];
	struct rig *rig = disk();

	rig_image_fail(rig, DISK, true);
	ide_command(rig, 0x30, 0, 1, 33);
	ide_write_words(rig, data, SECTOR);
	assert_aborted(rig);
	ide_command(rig, 0xe7, 0, 0, 0);
	assert_aborted(rig);
	rig_destroy(rig);
}

static void verify_reads_and_sends_nothing(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0x40, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).reads, 1);
	rig_image_fail(rig, DISK, true);
	ide_command_ext(rig, 0x42, 600, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), UNC);
	rig_destroy(rig);
}

static void dma_reads_into_all_regions(void **state)
{
	static const struct ide_region regions[] = { { DATA, 1024 },
						     { DATA + 0x8000, 510 },
						     { DATA + 0x1000, 2 },
						     { DATA + 0x4000, 1024 },
						     { 0 } };
	struct rig *rig = disk();
	uint8_t *to = ide_memory(rig, DATA, 0x10000);
	const uint8_t *from = content + 77 * SECTOR;

	ide_table(rig, regions);
	ide_command(rig, 0xc8, 0, 5, 77);
	assert_int_equal(ide_interrupt(rig), -1);
	ide_start_dma(rig, TO_MEMORY);
	assert_memory_equal(to, from, 1024);
	assert_memory_equal(to + 0x8000, from + 1024, 510);
	assert_memory_equal(to + 0x1000, from + 1534, 2);
	assert_memory_equal(to + 0x4000, from + 1536, 1024);
	assert_int_equal(ide_dma_status(rig) & 0x07, 0x04);
	assert_done(rig);
	rig_destroy(rig);
}

static void dma_may_be_started_before_the_command(void **state)
{
	static const struct ide_region regions[] = { { DATA, 2 * SECTOR }, { 0 } };
	struct rig *rig = disk();

	ide_table(rig, regions);
	ide_start_dma(rig, TO_MEMORY);
	assert_int_equal(ide_dma_status(rig) & 0x07, 0x01);
	ide_command(rig, 0xc8, 0, 2, 3);
	assert_done(rig);
	assert_memory_equal(ide_memory(rig, DATA, 2 * SECTOR), content + 3 * SECTOR, 2 * SECTOR);
	rig_destroy(rig);
}

static void dma_writes_from_memory(void **state)
{
	static const struct ide_region regions[] = { { DATA, 0 + 3 * SECTOR }, { 0 } };
	struct rig *rig = disk();
	uint8_t *from = ide_memory(rig, DATA, 3 * SECTOR);

	for (unsigned i = 0; i < 3 * SECTOR; i++)
		from[i] = (uint8_t)(i * 13);
	ide_table(rig, regions);
	ide_command(rig, 0xca, 0, 3, 20);
	ide_start_dma(rig, FROM_MEMORY);
	assert_done(rig);
	assert_memory_equal(rig_image(rig, DISK).bytes + 20 * SECTOR, from, 3 * SECTOR);
	rig_destroy(rig);
}

static void dma_of_more_than_one_buffer(void **state)
{
	static const struct ide_region regions[] = { { 0x40000, 0x10000 },
						     { 0x50000, 0x10000 },
						     { 0x60000, 0x10000 },
						     { 0x70000, 0x10000 },
						     { 0 } };
	struct rig *rig = disk();

	ide_table(rig, regions); /* a length of 0 is 64 KiB */
	ide_command_ext(rig, 0x25, 512, 1);
	ide_start_dma(rig, TO_MEMORY);
	assert_done(rig);
	assert_memory_equal(ide_memory(rig, 0x40000, 0x40000), content + SECTOR, 0x40000);
	ide_table(rig, regions);
	ide_command_ext(rig, 0x35, 512, 1000);
	ide_start_dma(rig, FROM_MEMORY);
	assert_done(rig);
	assert_memory_equal(rig_image(rig, DISK).bytes + (size_t)1000 * SECTOR, content + SECTOR,
			    0x40000);
	rig_destroy(rig);
}

static void write_back_is_flushed_when_asked(void **state)
{
	static const uint8_t data[SECTOR];
	struct rig *rig = disk();

	ide_command(rig, 0x30, 0, 1, 0);
	ide_write_words(rig, data, SECTOR);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).flushes, 0);
	ide_command(rig, 0xe7, 0, 0, 0);
	assert_done(rig);
	ide_command(rig, 0xea, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).flushes, 2);
	rig_destroy(rig);
}

static void without_write_cache_each_write_is_flushed(void **state)
{
	static const uint8_t data[SECTOR];
	struct rig *rig = disk();
	uint8_t words[SECTOR];

	ide_command(rig, 0xef, 0x82, 0, 0);
	assert_done(rig);
	identify(rig, words);
	assert_int_equal(word(words, 85) & 0x20, 0);
	assert_int_equal(rig_image(rig, DISK).flushes, 1);
	ide_command(rig, 0x30, 0, 1, 0);
	ide_write_words(rig, data, SECTOR);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).flushes, 2);
	ide_command(rig, 0xef, 0x02, 0, 0);
	assert_done(rig);
	identify(rig, words);
	assert_int_equal(word(words, 85) & 0x20, 0x20);
	rig_destroy(rig);
}

static void forced_unit_access_is_flushed(void **state)
{
	static const struct ide_region regions[] = { { DATA, SECTOR }, { 0 } };
	struct rig *rig = disk();

	ide_table(rig, regions);
	ide_command_ext(rig, 0x3d, 1, 5);
	ide_start_dma(rig, FROM_MEMORY);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).flushes, 1);
	rig_destroy(rig);
}

static void transfer_modes_are_told_by_identify(void **state)
{
	static const uint8_t refused[] = { 0x02, 0x0d, 0x10, 0x23, 0x46 };
	struct rig *rig = disk();
	uint8_t words[SECTOR];

	ide_command(rig, 0xef, 0x03, 0x45, 0);
	assert_done(rig);
	identify(rig, words);
	assert_int_equal(word(words, 88), 0x203f);
	assert_int_equal(word(words, 63), 0x0007);
	ide_command(rig, 0xef, 0x03, 0x0c, 0);
	assert_done(rig);
	for (unsigned i = 0; i < sizeof(refused); i++) {
		ide_command(rig, 0xef, 0x03, refused[i], 0);
		assert_aborted(rig);
	}
	rig_destroy(rig);
}

static void trim_discards_each_range(void **state)
{
	static const struct ide_region regions[] = { { DATA, SECTOR }, { 0 } };
	struct rig *rig = disk();
	uint8_t *entries = ide_memory(rig, DATA, SECTOR);

	memset(entries, 0, SECTOR);
	mw_put_le(entries, 8, 10 | UINT64_C(2) << 48);
	mw_put_le(entries + 16, 8, 100 | UINT64_C(1) << 48);
	ide_table(rig, regions);
	ide_out(rig, MW_IDE_COUNT, 0);
	ide_command(rig, 0x06, 1, 1, 0);
	ide_start_dma(rig, FROM_MEMORY);
	assert_done(rig);
	assert_int_equal(rig_image(rig, DISK).discards, 2);
	assert_int_equal(rig_image(rig, DISK).bytes[10 * SECTOR], 0);
	assert_int_equal(rig_image(rig, DISK).bytes[100 * SECTOR + 5], 0);
	assert_int_equal(rig_image(rig, DISK).bytes[12 * SECTOR + 1], content[12 * SECTOR + 1]);
	mw_put_le(entries, 8, SECTORS | UINT64_C(2) << 48);
	ide_table(rig, regions);
	ide_out(rig, MW_IDE_COUNT, 0);
	ide_command(rig, 0x06, 1, 1, 0);
	ide_start_dma(rig, FROM_MEMORY);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	rig_destroy(rig);
}

static void smart_wants_its_key_and_to_be_enabled(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0xb0, 0xd0, 0, 0);
	assert_aborted(rig);
	ide_command(rig, 0xb0, 0xd9, 0, 0xc24f00);
	assert_done(rig);
	ide_command(rig, 0xb0, 0xd0, 0, 0xc24f00);
	assert_aborted(rig);
	ide_command(rig, 0xb0, 0xd8, 0, 0xc24f00);
	assert_done(rig);
	ide_command(rig, 0xb0, 0xda, 0, 0xc24f00);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 0x4f);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_HIGH), 0xc2);
	rig_destroy(rig);
}

static void read_smart(struct rig *rig, unsigned subcommand, unsigned log, uint8_t *data)
{
	uint8_t sum = 0;

	ide_command(rig, 0xb0, subcommand, 1, 0xc24f00 | log);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	for (unsigned i = 0; i < SECTOR; i++)
		sum = (uint8_t)(sum + data[i]);
	assert_int_equal(sum, 0);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
}

static void smart_attributes_have_thresholds(void **state)
{
	struct rig *rig = disk();
	uint8_t values[SECTOR], thresholds[SECTOR];

	read_smart(rig, 0xd0, 0, values);
	read_smart(rig, 0xd1, 0, thresholds);
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(values[2 + 12 * i], thresholds[2 + 12 * i]);
		assert_true(values[5 + 12 * i] >= thresholds[3 + 12 * i]);
	}
	rig_destroy(rig);
}

static void self_tests_are_logged(void **state)
{
	struct rig *rig = disk();
	uint8_t log[SECTOR];

	read_smart(rig, 0xd5, 6, log);
	assert_int_equal(log[508], 0);
	for (unsigned i = 0; i < 23; i++) {
		ide_command(rig, 0xb0, 0xd4, 0, 0xc24f00 | (i % 2 ? 2 : 1));
		assert_done(rig);
	}
	read_smart(rig, 0xd5, 6, log);
	assert_int_equal(log[508], 2);
	assert_int_equal(log[2], 2);
	assert_int_equal(log[2 + 24], 1);
	read_smart(rig, 0xd5, 1, log);
	assert_int_equal(log[0], 1);
	ide_command(rig, 0xb0, 0xd5, 1, 0xc24f99);
	assert_aborted(rig);
	rig_destroy(rig);
}

static void power_modes(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0xe5, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0xff);
	ide_command(rig, 0xe0, 0, 0, 0);
	assert_done(rig);
	ide_command(rig, 0xe5, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0);
	ide_command(rig, 0x40, 0, 1, 0);
	assert_done(rig);
	ide_command(rig, 0xe5, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 0xff);
	rig_destroy(rig);
}

static void sleep_ends_with_a_reset(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0xe6, 0, 0, 0);
	assert_done(rig);
	ide_command(rig, 0xec, 0, 0, 0);
	assert_int_equal(ide_interrupt(rig), -1);
	ide_out(rig, MW_IDE_CONTROL, 4);
	ide_out(rig, MW_IDE_CONTROL, 0);
	ide_command(rig, 0xec, 0, 0, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	rig_destroy(rig);
}

static void native_max_is_the_last_sector(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0xf8, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 0xff);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 0x0f);
	ide_command(rig, 0x27, 0, 0, 0);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_MID), 0x0f);
	rig_destroy(rig);
}

static void plain_commands(void **state)
{
	static const struct {
		uint8_t code;
		bool known;
	} codes[] = { { 0x00, false }, { 0x08, false }, { 0x10, true },  { 0x1f, true },
		      { 0x70, true },  { 0xa1, false }, { 0xa0, false }, { 0xe1, true },
		      { 0xe3, true },  { 0xf1, false } };
	struct rig *rig = disk();

	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ide_command(rig, codes[i].code, 0, 1, 1);
		if (codes[i].known)
			assert_done(rig);
		else
			assert_aborted(rig);
	}
	rig_destroy(rig);
}

static void diagnostic_leaves_the_signature(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0x90, 0, 0x77, 0x123456);
	assert_done(rig);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), 1);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_HIGH), 0);
	rig_destroy(rig);
}

static void interrupts_can_be_disabled(void **state)
{
	struct rig *rig = disk();

	ide_out(rig, MW_IDE_CONTROL, 2);
	ide_command(rig, 0x40, 0, 1, 0);
	assert_false(rig_line(rig, "irq0", 0));
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_done(rig); /* it was pending */
	rig_destroy(rig);
}

static void registers_are_the_drives_while_it_is_busy(void **state)
{
	struct rig *rig = disk();

	ide_command(rig, 0x30, 0, 1, 5);
	ide_out(rig, MW_IDE_COUNT, 0x77);
	ide_out(rig, MW_IDE_STATUS, 0xec);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE | DRQ);
	rig_destroy(rig);
}

/* The image's thread has a sector's bytes while the guest resets the drive. */
static void reset_waits_for_the_image(void **state)
{
	struct rig *rig = create(false, true);
	uint8_t data[SECTOR];

	memset(data, 0x11, sizeof(data));
	rig_image_hold(rig, DISK, true);
	ide_command(rig, 0x30, 0, 1, 40);
	ide_write_words(rig, data, SECTOR);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	ide_out(rig, MW_IDE_CONTROL, 4);
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	ide_out(rig, MW_IDE_STATUS, 0xec);
	rig_image_hold(rig, DISK, false);
	rig_settle(rig);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_LBA_LOW), 1);
	assert_false(rig_line(rig, "irq0", 0));
	assert_int_equal(rig_image(rig, DISK).bytes[40 * SECTOR], 0x11);
	ide_command(rig, 0x20, 0, 1, 40);
	rig_settle(rig);
	ide_read_words(rig, data, SECTOR);
	assert_int_equal(data[0], 0x11);
	rig_destroy(rig);
}

static void reset_may_be_held_longer_than_the_image_takes(void **state)
{
	struct rig *rig = create(false, true);

	rig_image_hold(rig, DISK, true);
	ide_command(rig, 0x20, 0, 1, 40);
	ide_out(rig, MW_IDE_CONTROL, 4);
	rig_image_hold(rig, DISK, false);
	rig_settle(rig);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	ide_out(rig, MW_IDE_CONTROL, 0);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE);
	assert_int_equal(rig_read(rig, "cmd0", 0, 2), 0);
	rig_destroy(rig);
}

static void bus_master_stopped_meanwhile_goes_on_later(void **state)
{
	static const struct ide_region regions[] = { { DATA, 4 * SECTOR }, { 0 } };
	struct rig *rig = create(false, true);
	uint8_t *to = ide_memory(rig, DATA, 4 * SECTOR);

	memset(to, 0xee, 4 * SECTOR);
	ide_table(rig, regions);
	rig_image_hold(rig, DISK, true);
	ide_command(rig, 0xc8, 0, 4, 60);
	rig_write(rig, "bmdma", 0, 1, 0x09);
	rig_write(rig, "bmdma", 0, 1, 0x08);
	rig_image_hold(rig, DISK, false);
	rig_settle(rig);
	assert_int_equal(to[0], 0xee);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE | DRQ);
	ide_start_dma(rig, TO_MEMORY);
	assert_done(rig);
	assert_memory_equal(to, content + 60 * SECTOR, 4 * SECTOR);
	rig_destroy(rig);
}

/* In the middle of a block, and before a bus master that has not started. */
static void state_comes_back_in_the_middle_of_a_transfer(void **state)
{
	static const struct ide_region regions[] = { { DATA, SECTOR }, { 0 } };
	struct rig *rig = disk(), *other = disk();
	uint8_t data[3 * SECTOR];
	size_t count;

	ide_command(rig, 0x20, 0, 3, 100);
	ide_read_words(rig, data, SECTOR + 20);
	const uint8_t *saved = rig_save(rig, &count);

	assert_true(rig_load(other, saved, count));
	ide_read_words(other, data + SECTOR + 20, 2 * SECTOR - 20);
	assert_memory_equal(data, content + 100 * SECTOR, 3 * SECTOR);
	assert_int_equal(ide_in(other, MW_IDE_CONTROL), IDLE);
	ide_command(other, 0xc8, 0, 1, 9);
	saved = rig_save(other, &count);
	assert_true(rig_load(rig, saved, count));
	ide_table(rig, regions);
	ide_start_dma(rig, TO_MEMORY);
	assert_memory_equal(ide_memory(rig, DATA, SECTOR), content + 9 * SECTOR, SECTOR);
	rig_destroy(rig);
	rig_destroy(other);
}

static void odd_sizes_of_images(void **state)
{
	static const size_t sizes[] = { 1, 511, 512, 1300 };

	for (unsigned i = 0; i < 4; i++) {
		const struct rig_child children[] = { { .type = &ata_disk_type,
							.address = "0.0",
							.image = content,
							.image_bytes = sizes[i] },
						      { 0 } };
		struct rig *rig = ide_create(children, false);
		uint8_t words[SECTOR];

		identify(rig, words);
		assert_int_equal(word(words, 60), sizes[i] / SECTOR);
		ide_command(rig, 0x20, 0, 1, (uint32_t)(sizes[i] / SECTOR));
		assert_int_equal(ide_interrupt(rig), IDLE | ERR);
		rig_destroy(rig);
	}
}

static void image_that_is_no_whole_number_of_sectors_is_told(void **state)
{
	static const struct {
		size_t size;
		const char *said;
	} cases[] = {
		{ 1024, NULL },
		{ 100,
		  "disk.img has 100 bytes; a disk is whole sectors of 512, so the guest sees 0" },
		{ 1300,
		  "disk.img has 1300 bytes; a disk is whole sectors of 512, so the guest sees 2" },
	};

	for (unsigned i = 0; i < 3; i++) {
		const struct rig_options options = { .image = content,
						     .image_bytes = cases[i].size };
		struct mw_diagnostics diagnostics = { 0 };
		struct rig *rig;

		assert_true(rig_try(&rig, &ata_disk_type, &options, &diagnostics));
		assert_int_equal(diagnostics.warnings, cases[i].said ? 1 : 0);
		if (cases[i].said)
			assert_non_null(strstr(diagnostics.items[0]->message, cases[i].said));
		rig_destroy(rig);
		mw_diagnostics_fini(&diagnostics);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_leaves_the_signature_of_a_disk),
		cmocka_unit_test(software_reset_is_busy_until_it_ends),
		cmocka_unit_test(identify_tells_the_disk),
		cmocka_unit_test(identify_tells_names_and_geometry_of_the_profile),
		cmocka_unit_test(read_interrupts_before_each_sector),
		cmocka_unit_test(count_of_zero_is_256),
		cmocka_unit_test(data_register_takes_double_words),
		cmocka_unit_test(write_interrupts_after_each_sector),
		cmocka_unit_test(long_writes_reach_the_image),
		cmocka_unit_test(multiple_is_off_until_it_is_set),
		cmocka_unit_test(multiple_interrupts_once_a_block),
		cmocka_unit_test(addresses_of_48_bits),
		cmocka_unit_test(high_order_bit_ends_with_a_write),
		cmocka_unit_test(cylinders_heads_and_sectors),
		cmocka_unit_test(parameters_change_what_cylinders_mean),
		cmocka_unit_test(sector_zero_of_a_track_is_none),
		cmocka_unit_test(what_lies_beyond_the_end_is_not_found),
		cmocka_unit_test(read_only_image_takes_no_writes),
		cmocka_unit_test(failed_read_tells_the_sector),
		cmocka_unit_test(failed_write_and_flush_are_told),
		cmocka_unit_test(verify_reads_and_sends_nothing),
		cmocka_unit_test(dma_reads_into_all_regions),
		cmocka_unit_test(dma_may_be_started_before_the_command),
		cmocka_unit_test(dma_writes_from_memory),
		cmocka_unit_test(dma_of_more_than_one_buffer),
		cmocka_unit_test(write_back_is_flushed_when_asked),
		cmocka_unit_test(without_write_cache_each_write_is_flushed),
		cmocka_unit_test(forced_unit_access_is_flushed),
		cmocka_unit_test(transfer_modes_are_told_by_identify),
		cmocka_unit_test(trim_discards_each_range),
		cmocka_unit_test(smart_wants_its_key_and_to_be_enabled),
		cmocka_unit_test(smart_attributes_have_thresholds),
		cmocka_unit_test(self_tests_are_logged),
		cmocka_unit_test(power_modes),
		cmocka_unit_test(sleep_ends_with_a_reset),
		cmocka_unit_test(native_max_is_the_last_sector),
		cmocka_unit_test(plain_commands),
		cmocka_unit_test(diagnostic_leaves_the_signature),
		cmocka_unit_test(interrupts_can_be_disabled),
		cmocka_unit_test(registers_are_the_drives_while_it_is_busy),
		cmocka_unit_test(reset_waits_for_the_image),
		cmocka_unit_test(reset_may_be_held_longer_than_the_image_takes),
		cmocka_unit_test(bus_master_stopped_meanwhile_goes_on_later),
		cmocka_unit_test(state_comes_back_in_the_middle_of_a_transfer),
		cmocka_unit_test(odd_sizes_of_images),
		cmocka_unit_test(image_that_is_no_whole_number_of_sectors_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
