/* ATAPI CD drive behind a PIIX3, as SFF-8020i and MMC-3 read: the packet protocol, data, sense, the tray. */
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

enum { BLOCK = 2048, BLOCKS = 300, CD_BYTES = BLOCKS * BLOCK, CD = 1 };
enum { REASON_COMMAND = 1, REASON_DATA = 2, REASON_END = 3 };
enum { NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL = 5, ATTENTION = 6 };
static uint8_t content[CD_BYTES];

static struct rig *create(bool empty, bool threads)
{
	const struct rig_child children[] = { { .type = &atapi_cd_type,
						.address = "0.0",
						.image = content,
						.image_bytes = CD_BYTES,
						.no_image = empty },
					      { 0 } };

	for (size_t i = 0; i < CD_BYTES; i++)
		content[i] = (uint8_t)(i / BLOCK * 5 + i % BLOCK * 3 + (i >> 15));
	return ide_create(children, threads);
}

/* Sends a packet; the host takes `limit` bytes at once. */
static void send_packet(struct rig *rig, const uint8_t *packet, unsigned limit, bool dma)
{
	ide_command(rig, 0xa0, dma, 0, limit << 8);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), IDLE | DRQ);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), REASON_COMMAND);
	ide_write_words(rig, packet, 12);
	rig_settle(rig);
}

static unsigned byte_count(struct rig *rig)
{
	return ide_in(rig, MW_IDE_LBA_MID) | (unsigned)ide_in(rig, MW_IDE_LBA_HIGH) << 8;
}

/* Reads blocks of data until the command ends; returns how many bytes there were, or -1 with an error. */
static long take_data(struct rig *rig, uint8_t *bytes, size_t most)
{
	size_t done = 0;

	for (;;) {
		int status = ide_interrupt(rig);

		assert_true(status >= 0);
		if (!(status & DRQ)) {
			assert_int_equal(ide_in(rig, MW_IDE_COUNT), REASON_END);
			return status & ERR ? -1 : (long)done;
		}
		assert_int_equal(ide_in(rig, MW_IDE_COUNT), REASON_DATA);
		unsigned count = byte_count(rig), words = (count + 1) & ~1u;

		assert_true(done + words <= most);
		ide_read_words(rig, bytes + done, words);
		done += count;
		rig_settle(rig);
	}
}

static uint8_t answer[65536];

static long packet(struct rig *rig, const uint8_t *bytes)
{
	memset(answer, 0xcc, sizeof(answer));
	send_packet(rig, bytes, 0xfffe, false);
	return take_data(rig, answer, sizeof(answer));
}
#define PACKET(rig, ...) packet((rig), (const uint8_t[12]){ __VA_ARGS__ })

static void assert_sense(struct rig *rig, unsigned key, unsigned code)
{
	assert_int_equal(ide_in(rig, MW_IDE_ERROR) >> 4, key);
	assert_int_equal(PACKET(rig, 0x03, 0, 0, 0, 18), 18);
	assert_int_equal(answer[2], key);
	assert_int_equal(answer[12] << 8 | answer[13], code);
}

/* A drive whose reset has been noticed. */
static struct rig *cd(void)
{
	struct rig *rig = create(false, false);

	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, ATTENTION, 0x2900);
	return rig;
}

static unsigned big(const uint8_t *at, unsigned size)
{
	unsigned value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static void reset_leaves_the_signature_of_a_packet_device(void **state)
{
	struct rig *rig = create(false, false);

	assert_int_equal(ide_in(rig, MW_IDE_STATUS), 0);
	assert_int_equal(byte_count(rig), 0xeb14);
	ide_command(rig, 0x08, 0, 0x55, 0x123456);
	assert_int_equal(ide_interrupt(rig), -1);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), 0);
	assert_int_equal(byte_count(rig), 0xeb14);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), 1);
	rig_destroy(rig);
}

static void commands_of_disks_are_aborted_with_the_signature(void **state)
{
	static const uint8_t codes[] = { 0xec, 0x20 };
	struct rig *rig = create(false, false);

	for (unsigned i = 0; i < 2; i++) {
		ide_command(rig, codes[i], 0, 9, 0x999999);
		assert_int_equal(ide_interrupt(rig), IDLE | ERR);
		assert_int_equal(ide_in(rig, MW_IDE_ERROR), ABRT);
		assert_int_equal(byte_count(rig), 0xeb14);
	}
	rig_destroy(rig);
}

static void identify_tells_a_removable_drive(void **state)
{
	struct rig *rig = create(false, false);
	uint8_t data[SECTOR];

	ide_command(rig, 0xa1, 0, 0, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data, SECTOR);
	assert_int_equal(mw_get_le(data, 2), 0x85c0);
	assert_memory_equal(data + 54, "IMLLRWTGD DVR-MO", 16);
	assert_int_equal(ide_in(rig, MW_IDE_STATUS), IDLE);
	rig_destroy(rig);
}

static void first_command_hears_of_the_reset(void **state)
{
	struct rig *rig = create(false, false);

	assert_int_equal(PACKET(rig, 0x12, 0, 0, 0, 36), 36);
	assert_int_equal(PACKET(rig, 0x25), -1);
	assert_sense(rig, ATTENTION, 0x2900);
	assert_int_equal(PACKET(rig, 0x25), 8);
	rig_destroy(rig);
}

static void request_sense_tells_of_the_reset_as_well(void **state)
{
	struct rig *rig = create(false, false);

	assert_int_equal(PACKET(rig, 0x03, 0, 0, 0, 18), 18);
	assert_int_equal(answer[2], ATTENTION);
	assert_int_equal(PACKET(rig, 0x00), 0);
	rig_destroy(rig);
}

static void inquiry_is_cut_to_what_is_asked_for(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x12, 0, 0, 0, 36), 36);
	assert_int_equal(answer[0], 5);
	assert_int_equal(answer[1], 0x80);
	assert_memory_equal(answer + 8, "MILLWRGTDVD-ROM         1.0 ", 28);
	assert_int_equal(PACKET(rig, 0x12, 0, 0, 0, 5), 5);
	assert_int_equal(PACKET(rig, 0x12, 0, 0, 0, 0), 0);
	assert_int_equal(PACKET(rig, 0x12, 1, 0, 0, 36), -1);
	assert_sense(rig, ILLEGAL, 0x2400);
	rig_destroy(rig);
}

static void capacity_is_the_last_block(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x25), 8);
	assert_int_equal(big(answer, 4), BLOCKS - 1);
	assert_int_equal(big(answer + 4, 4), BLOCK);
	rig_destroy(rig);
}

static void blocks_are_read(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 0, 5, 0, 0, 20), 20 * BLOCK);
	assert_memory_equal(answer, content + 5 * BLOCK, 20 * BLOCK);
	assert_int_equal(PACKET(rig, 0xa8, 0, 0, 0, 1, 0x2b, 0, 0, 0, 1), BLOCK);
	assert_memory_equal(answer, content + 299 * BLOCK, BLOCK);
	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 0, 5, 0, 0, 0), 0);
	rig_destroy(rig);
}

static void blocks_beyond_the_end_are_out_of_range(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 1, 0x2b, 0, 0, 2), -1);
	assert_sense(rig, ILLEGAL, 0x2100);
	assert_int_equal(PACKET(rig, 0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -1);
	assert_sense(rig, ILLEGAL, 0x2100);
	assert_int_equal(PACKET(rig, 0x2b, 0, 0, 0, 1, 0x2c), -1);
	assert_sense(rig, ILLEGAL, 0x2100);
	assert_int_equal(PACKET(rig, 0x2b, 0, 0, 0, 1, 0x2b), 0);
	rig_destroy(rig);
}

static void host_says_how_much_it_takes_at_once(void **state)
{
	static const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 2 };
	struct rig *rig = cd();
	uint8_t data[2 * BLOCK];

	send_packet(rig, read, 1501, false);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	assert_int_equal(byte_count(rig), 1500); /* even */
	ide_read_words(rig, data, 1500);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	ide_read_words(rig, data + 1500, 1500);
	assert_int_equal(ide_interrupt(rig), IDLE | DRQ);
	assert_int_equal(byte_count(rig), 1096);
	ide_read_words(rig, data + 3000, 1096);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_memory_equal(data, content + 7 * BLOCK, 2 * BLOCK);
	rig_destroy(rig);
}

static void host_that_takes_nothing_is_refused(void **state)
{
	static const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 7, 0, 0, 2 };
	struct rig *rig = cd();

	send_packet(rig, read, 0, false);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), ABRT);
	send_packet(rig, (const uint8_t[12]){ 0 }, 0, false);
	assert_int_equal(ide_interrupt(rig), IDLE);
	rig_destroy(rig);
}

static void blocks_come_by_dma(void **state)
{
	static const struct ide_region regions[] = {
		{ 0x40000, 0x10000 }, { 0x50000, 0x10000 }, { 0x60000, 0x8000 }, { 0 }
	};
	static const uint8_t read[12] = { 0x28, 0, 0, 0, 0, 100, 0, 0, 80 };
	struct rig *rig = cd();

	ide_table(rig, regions);
	send_packet(rig, read, 0, true);
	assert_int_equal(ide_interrupt(rig), -1);
	ide_start_dma(rig, TO_MEMORY);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_int_equal(ide_in(rig, MW_IDE_COUNT), REASON_END);
	assert_memory_equal(ide_memory(rig, 0x40000, 80 * BLOCK), content + 100 * BLOCK,
			    80 * BLOCK);
	rig_destroy(rig);
}

static void replies_come_by_dma(void **state)
{
	static const struct ide_region regions[] = { { DATA, 36 }, { 0 } };
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	struct rig *rig = cd();

	ide_table(rig, regions);
	send_packet(rig, inquiry, 0, true);
	ide_start_dma(rig, TO_MEMORY);
	assert_int_equal(ide_interrupt(rig), IDLE);
	assert_int_equal(ide_dma_status(rig) & 7, 4);
	assert_memory_equal(ide_memory(rig, DATA + 8, 8), "MILLWRGT", 8);
	rig_destroy(rig);
}

static void whole_sectors_have_a_header(void **state)
{
	static const uint8_t sync[12] = { 0,    0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	static const uint8_t address[4] = { 0x00, 0x03, 0x24, 1 };
	struct rig *rig = cd();

	/* Block 99 is 00:03:24. */
	assert_int_equal(PACKET(rig, 0xbe, 0, 0, 0, 0, 99, 0, 0, 15, 0xf8), 15 * 2352);
	assert_memory_equal(answer, sync, 12);
	assert_memory_equal(answer + 12, address, 4);
	assert_memory_equal(answer + 16, content + 99 * BLOCK, BLOCK);
	assert_memory_equal(answer + 14 * 2352 + 16, content + 113 * BLOCK, BLOCK);
	assert_int_equal(PACKET(rig, 0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0x10), BLOCK);
	assert_memory_equal(answer, content + 9 * BLOCK, BLOCK);
	assert_int_equal(PACKET(rig, 0xb9, 0, 0, 0, 2, 9, 0, 2, 11, 0x10), 2 * BLOCK);
	assert_memory_equal(answer, content + 9 * BLOCK, 2 * BLOCK);
	assert_int_equal(PACKET(rig, 0xb9, 0, 0, 0, 0, 9, 0, 2, 11, 0x10), -1);
	assert_int_equal(PACKET(rig, 0xbe, 0, 0, 0, 0, 9, 0, 0, 1, 0x20), -1);
	assert_sense(rig, ILLEGAL, 0x2400);
	rig_destroy(rig);
}

static void table_of_contents(void **state)
{
	static const uint8_t tracks[] = { 0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
					  0, 0,  0, 0x14, 0xaa, 0,    0, 0, 1, 0x2c };
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x43, 0, 0, 0, 0, 0, 0, 0, 100), 20);
	assert_memory_equal(answer, tracks, 20);
	/* 300 + 150 frames are six seconds; 12 bytes of it. */
	assert_int_equal(PACKET(rig, 0x43, 2, 0, 0, 0, 0, 0xaa, 0, 100), 12);
	assert_int_equal(big(answer + 8, 4), 0x000600);
	assert_int_equal(PACKET(rig, 0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40), 12);
	assert_int_equal(big(answer, 4), 0x000a0101);
	assert_int_equal(PACKET(rig, 0x43, 2, 2, 0, 0, 0, 0, 0, 100), 48);
	assert_int_equal(answer[4 + 3], 0xa0);
	assert_int_equal(answer[4 + 22 + 9], 6);
	assert_int_equal(PACKET(rig, 0x43, 0, 0, 0, 0, 0, 2, 0, 100), -1);
	assert_sense(rig, ILLEGAL, 0x2400);
	rig_destroy(rig);
}

static void mode_pages(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100), 28);
	assert_int_equal(big(answer, 2), 26);
	assert_int_equal(answer[2], 1);
	assert_int_equal(answer[8], 0x2a);
	assert_int_equal(answer[9], 18);
	assert_int_equal(answer[14], 0x29);
	assert_int_equal(PACKET(rig, 0x1a, 0, 0x01, 0, 255), 12);
	assert_int_equal(answer[0], 11);
	assert_int_equal(answer[7], 5);
	assert_int_equal(PACKET(rig, 0x5a, 0, 0x4e, 0, 0, 0, 0, 0, 100), 24);
	assert_int_equal(answer[10], 0); /* nothing can be changed */
	assert_int_equal(PACKET(rig, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 100), 8 + 8 + 16 + 20);
	assert_int_equal(PACKET(rig, 0x5a, 0, 0xea, 0, 0, 0, 0, 0, 100), -1);
	assert_sense(rig, ILLEGAL, 0x3900);
	assert_int_equal(PACKET(rig, 0x5a, 0, 0x05, 0, 0, 0, 0, 0, 100), -1);
	assert_sense(rig, ILLEGAL, 0x2400);
	rig_destroy(rig);
}

static void features_depend_on_the_medium(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x46, 2, 0, 0, 0, 0, 0, 1, 0), 20);
	assert_int_equal(big(answer + 6, 2), 0x0008);
	assert_int_equal(big(answer, 4), 16);
	assert_int_equal(answer[8 + 4 + 6], 1);
	assert_int_equal(PACKET(rig, 0x46, 1, 0, 0, 0, 0, 0, 1, 0), 8 + 12 + 8 + 8 + 12 + 8 + 4);
	assert_int_equal(PACKET(rig, 0x46, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	rig_image_change(rig, CD, NULL, 0);
	assert_int_equal(PACKET(rig, 0x46, 1, 0, 0, 0, 0, 0, 1, 0), 8 + 12 + 8 + 8 + 4);
	assert_int_equal(big(answer + 6, 2), 0);
	rig_destroy(rig);
}

static void disc_and_track_information(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x51, 0, 0, 0, 0, 0, 0, 1, 0), 34);
	assert_int_equal(answer[2], 0x0e);
	assert_int_equal(PACKET(rig, 0x52, 1, 0, 0, 0, 1, 0, 1, 0), 36);
	assert_int_equal(big(answer + 24, 4), BLOCKS);
	assert_int_equal(PACKET(rig, 0x52, 1, 0, 0, 0, 2, 0, 1, 0), -1);
	rig_destroy(rig);
}

static void empty_drive_works(void **state)
{
	struct rig *rig = create(true, false);

	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, ATTENTION, 0x2900);
	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, NOT_READY, 0x3a01);
	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 0, 0, 0, 0, 1), -1);
	assert_sense(rig, NOT_READY, 0x3a01);
	assert_int_equal(PACKET(rig, 0x1a, 0, 0x2a, 0, 255), 24);
	assert_int_equal(answer[1], 0x70);
	assert_int_equal(PACKET(rig, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	assert_int_equal(answer[5], 0);
	rig_destroy(rig);
}

static unsigned media_event(struct rig *rig)
{
	assert_int_equal(PACKET(rig, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 8);
	assert_int_equal(big(answer, 4), 0x00060410);
	return big(answer + 4, 2);
}

static void tray_opens_and_closes(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(media_event(rig), 0x0002);
	assert_int_equal(PACKET(rig, 0x1b, 0, 0, 0, 2), 0);
	assert_int_equal(media_event(rig), 0x0301);
	assert_int_equal(media_event(rig), 0x0001);
	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, NOT_READY, 0x3a02);
	assert_int_equal(PACKET(rig, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	assert_int_equal(answer[1], 0x10);
	assert_int_equal(PACKET(rig, 0x1b, 0, 0, 0, 3), 0);
	assert_int_equal(media_event(rig), 0x0202);
	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, ATTENTION, 0x2800);
	assert_int_equal(PACKET(rig, 0x00), 0);
	rig_destroy(rig);
}

static void locked_tray_stays_closed(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x1e, 0, 0, 0, 1), 0);
	assert_int_equal(PACKET(rig, 0x1b, 0, 0, 0, 2), -1);
	assert_sense(rig, ILLEGAL, 0x5302);
	assert_int_equal(PACKET(rig, 0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 100), 28);
	assert_int_equal(answer[14], 0x2b);
	assert_int_equal(PACKET(rig, 0x1e, 0, 0, 0, 0), 0);
	assert_int_equal(PACKET(rig, 0x1b, 0, 0, 0, 2), 0);
	rig_destroy(rig);
}

static void medium_is_exchanged(void **state)
{
	static const uint8_t other[3 * BLOCK] = { 0x42 };
	struct rig *rig = cd();

	rig_image_change(rig, CD, other, sizeof(other));
	assert_int_equal(media_event(rig), 0x0202);
	assert_int_equal(PACKET(rig, 0x25), -1);
	assert_sense(rig, ATTENTION, 0x2800);
	assert_int_equal(PACKET(rig, 0x25), 8);
	assert_int_equal(big(answer, 4), 2);
	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 0, 0, 0, 0, 1), BLOCK);
	assert_int_equal(answer[0], 0x42);
	rig_image_change(rig, CD, NULL, 0);
	assert_int_equal(media_event(rig), 0x0300);
	assert_int_equal(PACKET(rig, 0x00), -1);
	assert_sense(rig, NOT_READY, 0x3a01);
	rig_destroy(rig);
}

static void medium_that_goes_during_a_read(void **state)
{
	struct rig *rig = cd();
	uint8_t data[BLOCK];

	send_packet(rig, (const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 40 }, BLOCK, false);
	for (unsigned i = 0; i < 5; i++)
		ide_read_words(rig, data, BLOCK);
	rig_image_change(rig, CD, NULL, 0);
	assert_int_equal(take_data(rig, answer, sizeof(answer)), -1);
	assert_sense(rig, NOT_READY, 0x3a01);
	rig_destroy(rig);
}

static void image_that_cannot_be_read_is_a_medium_error(void **state)
{
	struct rig *rig = cd();

	rig_image_fail(rig, CD, true);
	assert_int_equal(PACKET(rig, 0x28, 0, 0, 0, 0, 0, 0, 0, 1), -1);
	assert_sense(rig, MEDIUM_ERROR, 0x1100);
	rig_destroy(rig);
}

static void unknown_commands_are_illegal(void **state)
{
	struct rig *rig = cd();

	assert_int_equal(PACKET(rig, 0x2a), -1);
	assert_sense(rig, ILLEGAL, 0x2000);
	assert_int_equal(PACKET(rig, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8), -1);
	assert_sense(rig, ILLEGAL, 0x2400);
	assert_int_equal(PACKET(rig, 0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8), 4);
	assert_int_equal(answer[2], 0x80);
	rig_destroy(rig);
}

static void overlap_is_not_supported(void **state)
{
	struct rig *rig = cd();

	ide_command(rig, 0xa0, 2, 0, 0);
	assert_int_equal(ide_interrupt(rig), IDLE | ERR);
	assert_int_equal(ide_in(rig, MW_IDE_ERROR), ABRT);
	rig_destroy(rig);
}

static void device_reset_ends_what_goes_on(void **state)
{
	struct rig *rig = create(false, true);

	assert_int_equal(PACKET(rig, 0x00), -1);
	rig_image_hold(rig, CD, true);
	ide_command(rig, 0xa0, 0, 0, 0x080000);
	ide_write_words(rig, (const uint8_t[12]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 40 }, 12);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	ide_out(rig, MW_IDE_STATUS, 0x08);
	assert_true(ide_in(rig, MW_IDE_CONTROL) & BSY);
	rig_image_hold(rig, CD, false);
	rig_settle(rig);
	assert_int_equal(ide_in(rig, MW_IDE_CONTROL), 0);
	assert_int_equal(byte_count(rig), 0xeb14);
	assert_false(rig_line(rig, "irq0", 0));
	assert_int_equal(PACKET(rig, 0x00), 0);
	rig_destroy(rig);
}

static void state_comes_back_in_the_middle_of_a_read(void **state)
{
	struct rig *rig = cd(), *other = cd();
	uint8_t data[BLOCK * 20];
	size_t count;

	send_packet(rig, (const uint8_t[12]){ 0x28, 0, 0, 0, 0, 9, 0, 0, 20 }, 0xfffe, false);
	assert_int_equal(byte_count(rig), 0x8000);
	ide_read_words(rig, data, 100);
	const uint8_t *saved = rig_save(rig, &count);

	assert_true(rig_load(other, saved, count));
	ide_read_words(other, data + 100, sizeof(data) - 100);
	assert_memory_equal(data, content + 9 * BLOCK, sizeof(data));
	assert_int_equal(ide_in(other, MW_IDE_CONTROL), IDLE);
	rig_destroy(rig);
	rig_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_leaves_the_signature_of_a_packet_device),
		cmocka_unit_test(commands_of_disks_are_aborted_with_the_signature),
		cmocka_unit_test(identify_tells_a_removable_drive),
		cmocka_unit_test(first_command_hears_of_the_reset),
		cmocka_unit_test(request_sense_tells_of_the_reset_as_well),
		cmocka_unit_test(inquiry_is_cut_to_what_is_asked_for),
		cmocka_unit_test(capacity_is_the_last_block),
		cmocka_unit_test(blocks_are_read),
		cmocka_unit_test(blocks_beyond_the_end_are_out_of_range),
		cmocka_unit_test(host_says_how_much_it_takes_at_once),
		cmocka_unit_test(host_that_takes_nothing_is_refused),
		cmocka_unit_test(blocks_come_by_dma),
		cmocka_unit_test(replies_come_by_dma),
		cmocka_unit_test(whole_sectors_have_a_header),
		cmocka_unit_test(table_of_contents),
		cmocka_unit_test(mode_pages),
		cmocka_unit_test(features_depend_on_the_medium),
		cmocka_unit_test(disc_and_track_information),
		cmocka_unit_test(empty_drive_works),
		cmocka_unit_test(tray_opens_and_closes),
		cmocka_unit_test(locked_tray_stays_closed),
		cmocka_unit_test(medium_is_exchanged),
		cmocka_unit_test(medium_that_goes_during_a_read),
		cmocka_unit_test(image_that_cannot_be_read_is_a_medium_error),
		cmocka_unit_test(unknown_commands_are_illegal),
		cmocka_unit_test(overlap_is_not_supported),
		cmocka_unit_test(device_reset_ends_what_goes_on),
		cmocka_unit_test(state_comes_back_in_the_middle_of_a_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
