/* Floppy disk controller and drives, as the Intel 82077AA data sheet (290166) has them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine.h"
#include "tests/support/channels.h"
#include "tests/support/rig.h"

extern const struct mw_device_type i82077_type, floppy_drive_type;

enum { SRA, SRB, DOR, TDR, MSR, DSR = 4, FIFO };
enum { RQM = 0x80, DIO = 0x40, NON_DMA = 0x20, BUSY = 0x10 };
enum { READ = 0xe6, READ_ONE = 0x66, WRITE = 0xc5, WRITE_ONE = 0x45, READ_TRACK = 0x42 };
enum { VERIFY = 0x56, FORMAT = 0x4d, READ_ID = 0x4a, READ_DELETED = 0x4c, SKIP = 0x20 };
enum { SPECIFY = 3, SENSE_DRIVE, RECALIBRATE = 7, SENSE, DUMPREG = 14, SEEK, VERSION };
enum { PERPENDICULAR = 18, CONFIGURE, LOCK, RELATIVE = 0x8f };
enum { TRACK = 18, DISK = 80 * 2 * TRACK * 512 };
enum { RATE_500K, RATE_300K, RATE_250K, RATE_1M };
#define MS UINT64_C(1000000)

struct bench {
	struct rig *rig;
	uint8_t *disk;
};

static void put(struct rig *rig, unsigned port, unsigned value)
{
	rig_write(rig, "regs", port, 1, value);
}

static unsigned get(struct rig *rig, unsigned port)
{
	return (unsigned)rig_read(rig, "regs", port, 1);
}

/* A command's bytes; the controller takes each. */
static void send(struct rig *rig, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(get(rig, MSR) & (RQM | DIO), RQM);
		put(rig, FIFO, bytes[i]);
	}
}
#define SEND(rig, ...) \
	send(rig, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* All of the result and nothing more. */
static void expect(struct rig *rig, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(get(rig, MSR) & ~0xfu, RQM | DIO | BUSY);
		assert_int_equal(get(rig, FIFO), bytes[i]);
	}
	assert_int_equal(get(rig, MSR) & (RQM | DIO | BUSY), RQM);
}
#define EXPECT(rig, ...) \
	expect(rig, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void wait_for_interrupt(struct rig *rig)
{
	for (unsigned i = 0; i < 1000 && !rig_line(rig, "irq", 0); i++)
		rig_advance(rig, MS / 10);
	assert_true(rig_line(rig, "irq", 0));
}

static void start(struct rig *rig, unsigned dor, unsigned rate)
{
	put(rig, DOR, dor);
	rig_write(rig, "dir", 0, 1, rate);
	wait_for_interrupt(rig);
	for (uint8_t unit = 0; unit < 4; unit++) {
		SEND(rig, SENSE);
		EXPECT(rig, 0xc0 | unit, 0);
	}
	SEND(rig, SPECIFY, 0xaf, 0x02);
}

static struct rig *create(const struct rig_child *children, const struct rig_setting *settings)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct rig_options options = { .children = children, .settings = settings };
	struct rig *rig;

	assert_true(rig_try(&rig, &i82077_type, &options, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	return rig;
}

/* Each sector tells its number. */
static uint8_t *make_disk(size_t bytes)
{
	uint8_t *disk = test_malloc(bytes);

	for (size_t i = 0; i < bytes; i++)
		disk[i] = (uint8_t)(i % 512 < 2 ? (i / 512) >> 8 * (i % 2) : i);
	return disk;
}

/* A disk of some size in drive 0, whose motor runs; drive 1 is empty. */
static struct bench *with_disk(size_t bytes, unsigned type, unsigned rate, bool read_only)
{
	struct bench *bench = test_malloc(sizeof(*bench));
	const struct rig_setting settings[] = { { "type", type }, { NULL } };

	bench->disk = make_disk(bytes);
	const struct rig_child children[] = { { &floppy_drive_type, "0.0", settings, bench->disk,
						bytes, .read_only = read_only },
					      { &floppy_drive_type, "0.1", NULL, .no_image = true },
					      { NULL } };

	bench->rig = create(children, NULL);
	start(bench->rig, 0x1c, rate);
	return bench;
}

static int set_up(void **state)
{
	*state = with_disk(DISK, 3, RATE_500K, false);
	return 0;
}

static int set_up_protected(void **state)
{
	*state = with_disk(DISK, 3, RATE_500K, true);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	rig_destroy(bench->rig);
	test_free(bench->disk);
	test_free(bench);
	return 0;
}

static struct rig *rig_of(void **state)
{
	return ((struct bench *)*state)->rig;
}

static void grant(struct rig *rig, size_t count, bool to_memory)
{
	rig_grant(rig, &(struct mw_dma_cycle){ .address = 0x1000,
					       .count = count,
					       .to_memory = to_memory,
					       .terminal = true });
}

static uint8_t *ram(struct rig *rig, size_t count)
{
	return mw_machine_ram(rig_machine(rig), 0x1000, count);
}

static const uint8_t *sector(void **state, unsigned c, unsigned h, unsigned r)
{
	return rig_image(rig_of(state), 1).bytes + 512 * ((c * 2 + h) * TRACK + r - 1);
}

static void seek(struct rig *rig, uint8_t unit, uint8_t cylinder)
{
	SEND(rig, SEEK, unit, cylinder);
	wait_for_interrupt(rig);
	SEND(rig, SENSE);
	EXPECT(rig, 0x20 | unit, cylinder);
}

/* Reset and interrupts */

static void it_is_in_reset_until_it_is_let_go(void **state)
{
	struct rig *rig = create((const struct rig_child[]){ { NULL } }, NULL);

	assert_int_equal(get(rig, DOR), 0);
	assert_int_equal(get(rig, MSR), 0);
	put(rig, FIFO, VERSION);
	put(rig, DOR, 0x0c);
	assert_int_equal(get(rig, MSR), RQM);
	rig_destroy(rig);
}

static void a_reset_interrupts_once_and_is_sensed_four_times(void **state)
{
	struct rig *rig = rig_of(state);

	put(rig, DOR, 0x18);
	put(rig, DOR, 0x1c);
	assert_false(rig_line(rig, "irq", 0));
	wait_for_interrupt(rig);
	assert_int_equal(rig_rises(rig, "irq", 0), 2); /* the first one was with set_up */
	for (uint8_t unit = 0; unit < 4; unit++) {
		SEND(rig, SENSE);
		EXPECT(rig, 0xc0 | unit, 0);
		assert_false(rig_line(rig, "irq", 0));
	}
	SEND(rig, SENSE);
	EXPECT(rig, 0x80);
}

static void the_data_rate_select_register_resets_too(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, READ_ONE, 0, 0);
	put(rig, DSR, 0x80);
	assert_int_equal(get(rig, MSR), RQM);
	wait_for_interrupt(rig);
	SEND(rig, SENSE);
	EXPECT(rig, 0xc0, 0);
}

static void a_closed_gate_hides_the_interrupt(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, RECALIBRATE, 0);
	wait_for_interrupt(rig);
	put(rig, DOR, 0x14);
	assert_false(rig_line(rig, "irq", 0));
	put(rig, DOR, 0x1c);
	assert_true(rig_line(rig, "irq", 0));
}

static void sense_without_an_interrupt_is_invalid(void **state)
{
	SEND(rig_of(state), SENSE);
	EXPECT(rig_of(state), 0x80);
}

/* Commands without data */

static void version_is_that_of_the_enhanced_chip(void **state)
{
	SEND(rig_of(state), VERSION);
	EXPECT(rig_of(state), 0x90);
}

static void what_is_not_in_the_table_is_invalid(void **state)
{
	static const uint8_t codes[] = {
		0x00, 0x01, 0x11, 0x19, 0x1d, 0x18, 0x33, 0x8e, 0xcd, 0x88
	};

	for (size_t i = 0; i < sizeof(codes); i++) {
		SEND(rig_of(state), codes[i]);
		EXPECT(rig_of(state), 0x80);
	}
	assert_false(rig_line(rig_of(state), "irq", 0));
}

static void dumpreg_tells_what_was_set(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, SPECIFY, 0xdf, 0x03);
	SEND(rig, CONFIGURE, 0, 0x57, 0x20);
	SEND(rig, PERPENDICULAR, 0x95);
	SEND(rig, DUMPREG);
	EXPECT(rig, 0, 0, 0, 0, 0xdf, 0x03, 0, 0x15, 0x57, 0x20);
}

static void perpendicular_drives_change_only_with_ow(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, PERPENDICULAR, 0xbf);
	SEND(rig, PERPENDICULAR, 0x01);
	SEND(rig, DUMPREG);
	EXPECT(rig, 0, 0, 0, 0, 0xaf, 0x02, 0, 0x3d, 0x20, 0);
}

static void a_reset_undoes_configure_unless_it_is_locked(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, CONFIGURE, 0, 0x57, 0x20);
	SEND(rig, LOCK | 0x80);
	EXPECT(rig, 0x10);
	put(rig, DSR, 0x80);
	SEND(rig, DUMPREG);
	EXPECT(rig, 0, 0, 0, 0, 0xaf, 0x02, 0, 0x80, 0x07, 0x20);
	SEND(rig, LOCK);
	EXPECT(rig, 0x00);
	put(rig, DSR, 0x80);
	SEND(rig, DUMPREG);
	EXPECT(rig, 0, 0, 0, 0, 0xaf, 0x02, 0, 0x00, 0x20, 0x00);
}

static void sense_drive_shows_the_drives_lines(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, SENSE_DRIVE, 0x04);
	EXPECT(rig, 0x3c);
	seek(rig, 0, 2);
	SEND(rig, SENSE_DRIVE, 0x00);
	EXPECT(rig, 0x28);
	SEND(rig, SENSE_DRIVE, 0x03);
	EXPECT(rig, 0x2b);
}

static void sense_drive_shows_write_protection(void **state)
{
	SEND(rig_of(state), SENSE_DRIVE, 0x00);
	EXPECT(rig_of(state), 0x78);
}

/* Seeks */

static void a_seek_leaves_the_controller_free(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, SEEK, 0, 40);
	assert_int_equal(get(rig, MSR), RQM | 0x01);
	SEND(rig, VERSION);
	EXPECT(rig, 0x90);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, MSR), RQM);
	SEND(rig, SENSE);
	EXPECT(rig, 0x20, 40);
}

static void two_drives_seek_at_once_and_interrupt_each(void **state)
{
	struct rig *rig = rig_of(state);

	rig_rises(rig, "irq", 0);
	SEND(rig, SEEK, 0, 10);
	SEND(rig, SEEK, 1, 10);
	assert_int_equal(get(rig, MSR), RQM | 0x03);
	wait_for_interrupt(rig);
	assert_int_equal(rig_rises(rig, "irq", 0), 1);
	SEND(rig, SENSE);
	EXPECT(rig, 0x20, 10);
	assert_int_equal(rig_rises(rig, "irq", 0), 1);
	SEND(rig, SENSE);
	EXPECT(rig, 0x21, 10);
	assert_false(rig_line(rig, "irq", 0));
}

static void recalibrate_finds_track_0(void **state)
{
	struct rig *rig = rig_of(state);

	seek(rig, 0, 33);
	SEND(rig, RECALIBRATE, 0);
	wait_for_interrupt(rig);
	SEND(rig, SENSE);
	EXPECT(rig, 0x20, 0);
	SEND(rig, SENSE_DRIVE, 0);
	EXPECT(rig, 0x38);
}

static void recalibrate_gives_up_without_a_drive(void **state)
{
	SEND(rig_of(state), RECALIBRATE, 2);
	wait_for_interrupt(rig_of(state));
	SEND(rig_of(state), SENSE);
	EXPECT(rig_of(state), 0x72, 0);
}

static void a_relative_seek_steps_from_where_it_is(void **state)
{
	struct rig *rig = rig_of(state);

	seek(rig, 0, 5);
	SEND(rig, RELATIVE | 0x40, 0, 3);
	wait_for_interrupt(rig);
	SEND(rig, SENSE);
	EXPECT(rig, 0x20, 8);
	SEND(rig, RELATIVE, 0, 20);
	wait_for_interrupt(rig);
	SEND(rig, SENSE);
	EXPECT(rig, 0x70, 0);
}

/* Transfers */

static void a_sector_is_read_by_dma(void **state)
{
	struct rig *rig = rig_of(state);

	seek(rig, 0, 3);
	grant(rig, 512, true);
	SEND(rig, READ_ONE, 0x04, 3, 1, 7, 2, 18, 0x1b, 0xff);
	assert_int_equal(get(rig, MSR), BUSY);
	assert_false(rig_line(rig, "irq", 0));
	wait_for_interrupt(rig);
	assert_memory_equal(ram(rig, 512), sector(state, 3, 1, 7), 512);
	EXPECT(rig, 0x04, 0, 0, 3, 1, 8, 2);
	assert_false(rig_line(rig, "irq", 0));
}

static void the_first_result_byte_takes_the_interrupt_away(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 512, true);
	SEND(rig, READ_ONE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0);
	assert_false(rig_line(rig, "irq", 0));
	assert_int_equal(get(rig, MSR), RQM | DIO | BUSY);
}

static void many_sectors_are_read_to_the_other_side(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 36 * 512, true);
	SEND(rig, READ, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_memory_equal(ram(rig, 36 * 512), sector(state, 0, 0, 1), 36 * 512);
	EXPECT(rig, 0x04, 0, 0, 1, 0, 1, 2);
}

/* Table 5-6. */
static void the_result_names_the_sector_that_would_be_next(void **state)
{
	static const struct {
		uint8_t code, head, r, c_after, h_after, r_after;
	} cases[] = {
		{ READ_ONE, 0, 4, 0, 0, 5 }, { READ_ONE, 0, 18, 1, 0, 1 },
		{ READ_ONE, 1, 4, 0, 1, 5 }, { READ_ONE, 1, 18, 1, 1, 1 },
		{ READ, 0, 4, 0, 0, 5 },     { READ, 0, 18, 0, 1, 1 },
		{ READ, 1, 4, 0, 1, 5 },     { READ, 1, 18, 1, 0, 1 },
	};
	struct rig *rig = rig_of(state);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		grant(rig, 512, true);
		SEND(rig, cases[i].code, (uint8_t)(cases[i].head << 2), 0, cases[i].head,
		     cases[i].r, 2, 18, 0x1b, 0xff);
		wait_for_interrupt(rig);
		get(rig, FIFO);
		EXPECT(rig, 0, 0, cases[i].c_after, cases[i].h_after, cases[i].r_after, 2);
	}
}

static void without_tc_the_end_of_the_cylinder_is_an_error(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 4096, true);
	SEND(rig, READ_ONE, 0, 0, 0, 17, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x80, 0, 1, 0, 1, 2);
}

static void a_sector_is_written_and_flushed_when_the_motor_stops(void **state)
{
	struct rig *rig = rig_of(state);

	memset(ram(rig, 512), 0xa5, 512);
	grant(rig, 512, false);
	SEND(rig, WRITE_ONE, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0, 0, 0, 3, 2);
	assert_memory_equal(sector(state, 0, 0, 2), ram(rig, 512), 512);
	assert_int_equal(rig_image(rig, 1).flushes, 0);
	put(rig, DOR, 0x0c);
	rig_settle(rig);
	assert_int_equal(rig_image(rig, 1).flushes, 1);
}

static void the_rest_of_a_sector_is_zeros_after_tc(void **state)
{
	struct rig *rig = rig_of(state);
	uint8_t zeros[500] = { 0 };

	memset(ram(rig, 512), 0xa5, 512);
	grant(rig, 12, false);
	SEND(rig, WRITE, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_memory_equal(sector(state, 0, 0, 2), ram(rig, 512), 12);
	assert_memory_equal(sector(state, 0, 0, 2) + 12, zeros, 500);
}

static void a_protected_disk_is_not_written(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 512, false);
	SEND(rig, WRITE_ONE, 0, 0, 0, 2, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x02, 0, 0, 0, 2, 2);
	SEND(rig, FORMAT, 0, 2, 18, 0x54, 0xf6);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
	assert_int_equal(get(rig, FIFO), 0x02);
	assert_int_equal(rig_image(rig, 1).writes, 0);
}

static void a_sector_that_is_not_there_is_no_data(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, READ_ONE, 0, 0, 0, 19, 2, 25, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x04, 0, 0, 0, 19, 2);
	SEND(rig, READ_ONE, 0, 0, 1, 1, 2, 25, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x04, 0, 0, 1, 1, 2);
	SEND(rig, READ_ONE, 0, 0, 0, 1, 3, 25, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x04, 0, 0, 0, 1, 3);
}

static void the_wrong_cylinder_is_told(void **state)
{
	SEND(rig_of(state), READ_ONE, 0, 5, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig_of(state));
	EXPECT(rig_of(state), 0x40, 0x04, 0x10, 5, 0, 1, 2);
}

static void an_implied_seek_goes_to_the_cylinder(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, CONFIGURE, 0, 0x40, 0);
	grant(rig, 512, true);
	SEND(rig, READ_ONE, 0, 5, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x20, 0, 0, 5, 0, 2, 2);
	assert_memory_equal(ram(rig, 512), sector(state, 5, 0, 1), 512);
}

static void the_wrong_rate_finds_no_address_mark(void **state)
{
	struct rig *rig = rig_of(state);

	rig_write(rig, "dir", 0, 1, RATE_250K);
	SEND(rig, READ_ID, 0);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
	assert_int_equal(get(rig, FIFO), 0x01);
}

static void single_density_finds_no_address_mark(void **state)
{
	SEND(rig_of(state), READ_ID & ~0x40, 0);
	wait_for_interrupt(rig_of(state));
	assert_int_equal(get(rig_of(state), FIFO), 0x40);
	assert_int_equal(get(rig_of(state), FIFO), 0x01);
}

static void nothing_turns_without_a_motor_or_a_disk(void **state)
{
	struct rig *rig = rig_of(state);

	put(rig, DOR, 0x0c);
	SEND(rig, READ_ID, 0);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x01, 0, 0, 0, 0, 0);
	put(rig, DOR, 0x2d);
	SEND(rig, READ_ID, 1);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x41, 0x01, 0, 0, 0, 0, 0);
}

static void read_id_takes_what_passes(void **state)
{
	struct rig *rig = rig_of(state);

	seek(rig, 0, 9);
	SEND(rig, READ_ID, 0x04);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x04, 0, 0, 9, 1, (uint8_t)(rig_now(rig) / 250000 % 18 + 1), 2);
}

static void read_track_takes_sectors_from_the_index_on(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 18 * 512, true);
	SEND(rig, READ_TRACK, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0);
	assert_int_equal(get(rig, FIFO), 0);
	assert_memory_equal(ram(rig, 18 * 512), sector(state, 0, 0, 1), 18 * 512);
}

static void read_track_tells_when_the_sequence_is_another(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 2 * 512, true);
	SEND(rig, READ_TRACK, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
	assert_int_equal(get(rig, FIFO), 0x04);
	assert_memory_equal(ram(rig, 2 * 512), sector(state, 0, 0, 1), 2 * 512);
}

static void verify_reads_to_eot_and_moves_nothing(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, VERIFY, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0, 1, 0, 1, 2);
	assert_int_equal(rig_image(rig, 1).reads, 18);
}

static void verify_counts_sectors_with_ec(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, VERIFY, 0x80, 0, 0, 1, 2, 18, 0x1b, 5);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0, 0, 0, 6, 2);
	SEND(rig, VERIFY, 0x80, 0, 0, 1, 2, 18, 0x1b, 19);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
}

static void read_deleted_data_stops_at_data_that_is_not(void **state)
{
	struct rig *rig = rig_of(state);

	grant(rig, 1024, true);
	SEND(rig, READ_DELETED, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0x40, 0, 0, 1, 2);
	assert_memory_equal(ram(rig, 512), sector(state, 0, 0, 1), 512);
}

static void read_deleted_data_skips_the_rest_with_sk(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, READ_DELETED | SKIP, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x80, 0x40, 1, 0, 1, 2);
	assert_int_equal(rig_image(rig, 1).reads, 0);
}

static void format_fills_the_sectors_that_the_host_names(void **state)
{
	struct rig *rig = rig_of(state);
	uint8_t filled[512];

	for (unsigned i = 0; i < 18; i++)
		memcpy(ram(rig, 72) + 4 * i,
		       (const uint8_t[]){ 0, 1, (uint8_t)(1 + i * 5 % 18), 2 }, 4);
	memset(filled, 0xf6, sizeof(filled));
	grant(rig, 72, false);
	SEND(rig, FORMAT, 0x04, 2, 18, 0x54, 0xf6);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x04);
	for (unsigned r = 1; r <= 18; r++)
		assert_memory_equal(sector(state, 0, 1, r), filled, 512);
	assert_memory_not_equal(sector(state, 1, 0, 1), filled, 512);
	assert_memory_not_equal(sector(state, 0, 0, 18), filled, 512);
}

static void format_beyond_the_image_fails(void **state)
{
	struct rig *rig = rig_of(state);

	memcpy(ram(rig, 4), (const uint8_t[]){ 0, 0, 19, 2 }, 4);
	grant(rig, 72, false);
	SEND(rig, FORMAT, 0, 2, 18, 0x54, 0xf6);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
	assert_int_equal(get(rig, FIFO), 0x04);
}

static void an_image_that_fails_is_a_data_error(void **state)
{
	struct rig *rig = rig_of(state);

	rig_image_fail(rig, 1, true);
	grant(rig, 512, true);
	SEND(rig, READ_ONE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0x40, 0x20, 0x20, 0, 0, 1, 2);
}

/* Without DMA */

static void bytes_are_read_one_by_one(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, SPECIFY, 0xaf, 0x03);
	SEND(rig, READ_ONE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
	assert_int_equal(get(rig, MSR) & (RQM | NON_DMA | BUSY), NON_DMA | BUSY);
	wait_for_interrupt(rig);
	rig_rises(rig, "irq", 0);
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(get(rig, MSR), RQM | DIO | NON_DMA | BUSY);
		assert_int_equal(get(rig, FIFO), sector(state, 0, 0, 18)[i]);
	}
	assert_int_equal(rig_rises(rig, "irq", 0), 512);
	EXPECT(rig, 0x40, 0x80, 0, 1, 0, 1, 2);
}

static void bytes_are_written_in_bursts_of_the_fifo(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, SPECIFY, 0xaf, 0x03);
	SEND(rig, CONFIGURE, 0, 0x00, 0);
	SEND(rig, WRITE_ONE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	rig_rises(rig, "irq", 0);
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(get(rig, MSR), RQM | NON_DMA | BUSY);
		put(rig, FIFO, 3 * i);
	}
	assert_int_equal(rig_rises(rig, "irq", 0), 32);
	assert_int_equal(sector(state, 0, 0, 18)[100], 300 & 0xff);
}

/* Registers */

static void the_pc_at_has_no_status_registers_a_and_b(void **state)
{
	assert_int_equal(get(rig_of(state), SRA), 0xff);
	assert_int_equal(get(rig_of(state), SRB), 0xff);
}

static void the_ps2_has_them(void **state)
{
	const struct rig_setting ps2[] = { { "interface", 1 }, { NULL } };
	struct rig *rig =
		create((const struct rig_child[]){ { &floppy_drive_type, "0.0" }, { NULL } }, ps2);

	put(rig, DOR, 0x14); /* its gate is open always */
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, SRA), 0x80 | 0x40 | 0x04 | 0x02);
	assert_int_equal(get(rig, SRB), 0xc1);
	rig_write(rig, "dir", 0, 1, RATE_250K);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0x80 | 0x78 | 0x04 | 0x01);
	rig_destroy(rig);
}

static void the_tape_register_keeps_two_bits(void **state)
{
	put(rig_of(state), TDR, 0xfe);
	assert_int_equal(get(rig_of(state), TDR), 0xfe);
	put(rig_of(state), TDR, 0x01);
	assert_int_equal(get(rig_of(state), TDR), 0xfd);
}

/* Media */

static void disk_change_lasts_until_a_step(void **state)
{
	struct bench *bench = *state;
	struct rig *rig = bench->rig;

	assert_int_equal(rig_read(rig, "dir", 0, 1), 0xff);
	seek(rig, 0, 1);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0x7f);
	rig_image_change(rig, 1, NULL, 0);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0xff);
	seek(rig, 0, 2);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0xff);
	rig_image_change(rig, 1, bench->disk, DISK);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0xff);
	seek(rig, 0, 1);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0x7f);
	put(rig, DOR, 0x0c); /* who is not selected does not tell */
	rig_image_change(rig, 1, bench->disk, DISK);
	assert_int_equal(rig_read(rig, "dir", 0, 1), 0x7f);
}

/* The last sector of each format, and none behind it. */
static void disks_of_many_sizes_are_read(void **state)
{
	static const struct {
		unsigned kib, type, rate;
		uint8_t cylinders, heads, sectors;
	} cases[] = {
		{ 160, 0, RATE_250K, 40, 1, 8 },   { 180, 0, RATE_300K, 40, 1, 9 },
		{ 320, 0, RATE_250K, 40, 2, 8 },   { 360, 0, RATE_250K, 40, 2, 9 },
		{ 720, 2, RATE_250K, 80, 2, 9 },   { 1200, 1, RATE_500K, 80, 2, 15 },
		{ 1440, 3, RATE_500K, 80, 2, 18 }, { 720, 3, RATE_250K, 80, 2, 9 },
		{ 1680, 3, RATE_500K, 80, 2, 21 }, { 2880, 4, RATE_1M, 80, 2, 36 },
		{ 1440, 5, RATE_500K, 80, 2, 18 }, { 2880, 5, RATE_1M, 80, 2, 36 },
		{ 1743, 3, RATE_500K, 83, 2, 21 }, { 360, 3, RATE_250K, 40, 2, 9 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t bytes = (size_t)cases[i].cylinders * cases[i].heads * cases[i].sectors * 512;
		struct bench *bench = with_disk(bytes, cases[i].type, cases[i].rate, false);
		struct rig *rig = bench->rig;
		uint8_t c = (uint8_t)(cases[i].cylinders - 1), h = (uint8_t)(cases[i].heads - 1);
		uint8_t unit = (uint8_t)(h << 2);

		seek(rig, 0, c);
		grant(rig, 512, true);
		SEND(rig, READ_ONE, unit, c, h, cases[i].sectors, 2, 99, 0x1b, 0xff);
		wait_for_interrupt(rig);
		EXPECT(rig, unit, 0, 0, c, h, (uint8_t)(cases[i].sectors + 1), 2);
		assert_memory_equal(ram(rig, 512), bench->disk + bytes - 512, 512);
		SEND(rig, READ_ONE, unit, c, h, (uint8_t)(cases[i].sectors + 1), 2, 99, 0x1b, 0xff);
		wait_for_interrupt(rig);
		assert_int_equal(get(rig, FIFO), 0x40 | unit);
		tear_down((void **)&bench);
	}
}

static void a_drive_does_not_read_what_is_too_dense_for_it(void **state)
{
	struct bench *bench = with_disk(DISK, 2, RATE_500K, false);

	SEND(bench->rig, READ_ID, 0);
	wait_for_interrupt(bench->rig);
	EXPECT(bench->rig, 0x40, 0x01, 0, 0, 0, 0, 0);
	tear_down((void **)&bench);
}

static void a_large_drive_passes_few_tracks_in_two_steps(void **state)
{
	struct bench *bench = with_disk(40 * 2 * 9 * 512, 1, RATE_300K, false);

	seek(bench->rig, 0, 20);
	grant(bench->rig, 512, true);
	SEND(bench->rig, READ_ONE, 0, 10, 0, 1, 2, 9, 0x1b, 0xff);
	wait_for_interrupt(bench->rig);
	assert_int_equal(get(bench->rig, FIFO), 0);
	assert_memory_equal(ram(bench->rig, 512), bench->disk + 10 * 2 * 9 * 512, 512);
	tear_down((void **)&bench);
}

static void an_image_that_was_cut_short_ends_in_zeros(void **state)
{
	struct bench *bench = with_disk(1000, 3, RATE_500K, false);
	struct rig *rig = bench->rig;
	uint8_t zeros[1024] = { 0 };

	memset(ram(rig, 2048), 0xee, 2048);
	grant(rig, 3 * 512, true);
	SEND(rig, READ_ONE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0, 0, 0, 4, 2);
	assert_memory_equal(ram(rig, 1000), bench->disk, 1000);
	assert_memory_equal(ram(rig, 1536) + 1000, zeros, 536);
	grant(rig, 512, false);
	SEND(rig, WRITE_ONE, 0, 0, 0, 18, 2, 18, 0x1b, 0xff);
	wait_for_interrupt(rig);
	assert_int_equal(get(rig, FIFO), 0x40);
	assert_int_equal(get(rig, FIFO), 0x20);
	tear_down((void **)&bench);
}

/* Whatever happens */

static void a_reset_in_the_middle_of_a_read_ends_it(void **state)
{
	struct rig *rig = rig_of(state);

	SEND(rig, READ_ONE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	rig_advance(rig, MS);
	assert_true(((struct fake_controller *)rig_controller(rig))->request);
	put(rig, DOR, 0x18);
	assert_false(((struct fake_controller *)rig_controller(rig))->request);
	assert_int_equal(get(rig, MSR), 0);
	start(rig, 0x1c, RATE_500K);
}

static void a_transfer_that_is_under_way_is_saved(void **state)
{
	struct rig *rig = rig_of(state);
	size_t count;

	grant(rig, 700, true);
	((struct fake_controller *)rig_controller(rig))->cycle.terminal = false;
	SEND(rig, READ_ONE, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
	rig_advance(rig, MS);
	const uint8_t *saved = rig_save(rig, &count);
	uint8_t *copy = test_malloc(count);

	memcpy(copy, saved, count);
	put(rig, DOR, 0);
	put(rig, DOR, 0x1c);
	assert_true(rig_load(rig, copy, count));
	test_free(copy);
	grant(rig, 324, true);
	wait_for_interrupt(rig);
	EXPECT(rig, 0, 0, 0, 0, 0, 3, 2);
	assert_memory_equal(ram(rig, 324), sector(state, 0, 0, 2) + 188, 324);
}

#define TEST(name)           cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_PROTECTED(name) cmocka_unit_test_setup_teardown(name, set_up_protected, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_in_reset_until_it_is_let_go),
		TEST(a_reset_interrupts_once_and_is_sensed_four_times),
		TEST(the_data_rate_select_register_resets_too),
		TEST(a_closed_gate_hides_the_interrupt),
		TEST(sense_without_an_interrupt_is_invalid),
		TEST(version_is_that_of_the_enhanced_chip),
		TEST(what_is_not_in_the_table_is_invalid),
		TEST(dumpreg_tells_what_was_set),
		TEST(perpendicular_drives_change_only_with_ow),
		TEST(a_reset_undoes_configure_unless_it_is_locked),
		TEST(sense_drive_shows_the_drives_lines),
		TEST_PROTECTED(sense_drive_shows_write_protection),
		TEST(a_seek_leaves_the_controller_free),
		TEST(two_drives_seek_at_once_and_interrupt_each),
		TEST(recalibrate_finds_track_0),
		TEST(recalibrate_gives_up_without_a_drive),
		TEST(a_relative_seek_steps_from_where_it_is),
		TEST(a_sector_is_read_by_dma),
		TEST(the_first_result_byte_takes_the_interrupt_away),
		TEST(many_sectors_are_read_to_the_other_side),
		TEST(the_result_names_the_sector_that_would_be_next),
		TEST(without_tc_the_end_of_the_cylinder_is_an_error),
		TEST(a_sector_is_written_and_flushed_when_the_motor_stops),
		TEST(the_rest_of_a_sector_is_zeros_after_tc),
		TEST_PROTECTED(a_protected_disk_is_not_written),
		TEST(a_sector_that_is_not_there_is_no_data),
		TEST(the_wrong_cylinder_is_told),
		TEST(an_implied_seek_goes_to_the_cylinder),
		TEST(the_wrong_rate_finds_no_address_mark),
		TEST(single_density_finds_no_address_mark),
		TEST(nothing_turns_without_a_motor_or_a_disk),
		TEST(read_id_takes_what_passes),
		TEST(read_track_takes_sectors_from_the_index_on),
		TEST(read_track_tells_when_the_sequence_is_another),
		TEST(verify_reads_to_eot_and_moves_nothing),
		TEST(verify_counts_sectors_with_ec),
		TEST(read_deleted_data_stops_at_data_that_is_not),
		TEST(read_deleted_data_skips_the_rest_with_sk),
		TEST(format_fills_the_sectors_that_the_host_names),
		TEST(format_beyond_the_image_fails),
		TEST(an_image_that_fails_is_a_data_error),
		TEST(bytes_are_read_one_by_one),
		TEST(bytes_are_written_in_bursts_of_the_fifo),
		TEST(the_pc_at_has_no_status_registers_a_and_b),
		cmocka_unit_test(the_ps2_has_them),
		TEST(the_tape_register_keeps_two_bits),
		TEST(disk_change_lasts_until_a_step),
		cmocka_unit_test(disks_of_many_sizes_are_read),
		cmocka_unit_test(a_drive_does_not_read_what_is_too_dense_for_it),
		cmocka_unit_test(a_large_drive_passes_few_tracks_in_two_steps),
		cmocka_unit_test(an_image_that_was_cut_short_ends_in_zeros),
		TEST(a_reset_in_the_middle_of_a_read_ends_it),
		TEST(a_transfer_that_is_under_way_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
