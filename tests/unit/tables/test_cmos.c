/** CMOS memory: the bytes that a BIOS would derive from the machine. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"

struct clock {
	uint8_t cmos[128];
	bool written[128];
};

static void store(void *self, unsigned index, uint8_t value)
{
	struct clock *clock = self;
	assert_true(index < 128);
	clock->cmos[index] = value;
	clock->written[index] = true;
}

static const struct mw_role_row roles[] = { { MW_ROLE_RTC, NULL, .value = 0x32 } };
static const struct mw_device_type clock_type = {
	MW_DEVICE_TYPE, .name = "clock", .size = sizeof(struct clock),
	.firmware = { .roles = MW_TABLE(roles), .cmos = store }
};
static const struct mw_device_type other_type = { MW_DEVICE_TYPE, .name = "other", .size = 1,
						  .firmware = { .roles = MW_TABLE(roles) } };

struct fixture {
	struct board *board;
	struct mw_machine *machine;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){ .board = board_new() };
	board_add(fixture.board, "rtc", &clock_type);
	fixture.board->plan.boot.tables = 0;
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	mw_machine_destroy(f->machine);
	board_free(f->board);
	return 0;
}

static struct clock *reset(struct fixture *f)
{
	struct mw_diagnostics *diagnostics = &f->board->diagnostics;
	assert_true(mw_machine_build(&f->machine, &f->board->plan, diagnostics));
	mw_machine_add_reset_hook(f->machine,
				  (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
	assert_true(mw_machine_reset(f->machine, diagnostics));
	return mw_machine_device(f->machine, 0);
}

static unsigned word(const struct clock *clock, unsigned at)
{
	return clock->cmos[at] | (unsigned)clock->cmos[at + 1] << 8;
}

static void memory_is_told_in_all_the_places(void **state)
{
	struct clock *clock = reset(*state); /* 128 MiB */
	assert_int_equal(word(clock, 0x15), 640);
	assert_int_equal(word(clock, 0x17), 65535);
	assert_int_equal(word(clock, 0x30), 65535);
	assert_int_equal(word(clock, 0x34), 112 * 16);
	assert_int_equal(word(clock, 0x5b), 0);
	assert_int_equal(clock->cmos[0x5d], 0);
}

static void a_small_machine_has_less(void **state)
{
	struct fixture *f = *state;
	f->board->ram[0] = (struct mw_plan_range){ 0, 512 << 10 };
	f->board->ram[1] = (struct mw_plan_range){ 1 << 20, 3 << 20 };
	f->board->plan.ram_count = 2;
	f->board->plan.ram_bytes = (3 << 20) + (512 << 10);
	struct clock *clock = reset(f);
	assert_int_equal(word(clock, 0x15), 512);
	assert_int_equal(word(clock, 0x17), 3072);
	assert_int_equal(word(clock, 0x30), 3072);
	assert_int_equal(word(clock, 0x34), 0);
}

static void memory_above_4_gib_is_told_apart(void **state)
{
	struct fixture *f = *state;
	f->board->ram[1] = (struct mw_plan_range){ UINT64_C(1) << 32, 3 << 20 };
	f->board->plan.ram_count = 2;
	f->board->plan.ram_bytes += 3 << 20;
	struct clock *clock = reset(f);
	assert_int_equal(word(clock, 0x34), 112 * 16);
	assert_int_equal(word(clock, 0x5b), 48);
	assert_int_equal(clock->cmos[0x5d], 0);
}

static void equipment_follows_from_the_plan(void **state)
{
	struct fixture *f = *state;
	f->board->plan.cpu.count = 3;
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x10], 0);
	assert_int_equal(clock->cmos[0x14], 0x02);
	assert_int_equal(clock->cmos[0x5f], 2);
}

static void a_keyboard_controller_brings_a_mouse(void **state)
{
	static const struct mw_role_row keyboard[] = { { MW_ROLE_8042, NULL } };
	static const struct mw_device_type type = { MW_DEVICE_TYPE, .name = "kbd", .size = 1,
						    .firmware = { .roles = MW_TABLE(keyboard) } };
	struct fixture *f = *state;
	board_add(f->board, "kbd", &type);
	assert_int_equal(reset(f)->cmos[0x14], 0x06);
}

/* A drive that says how large it is. */
struct drive {
	uint32_t cylinders;
};

static unsigned tell_type(const void *self)
{
	return 4;
}

static void tell_geometry(const void *self, unsigned geometry[3])
{
	geometry[0] = ((const struct drive *)self)->cylinders;
	geometry[1] = 16;
	geometry[2] = 63;
}

static const struct mw_property drive_properties[] = { { "cylinders", "So many.",
							 MW_FIELD(struct drive, cylinders) } };
static const struct mw_device_type floppy_type = { MW_DEVICE_TYPE, .name = "floppy",
						   .size = sizeof(struct drive),
						   .firmware = { .floppy = tell_type } };
static const struct mw_device_type disk_type = { MW_DEVICE_TYPE, .name = "disk",
						 .size = sizeof(struct drive),
						 .properties = MW_TABLE(drive_properties),
						 .firmware = { .disk = tell_geometry } };

static void add_drive(struct fixture *f, const char *id, const struct mw_device_type *type,
		      const char *address, uint64_t cylinders)
{
	static struct mw_plan_value values[8];
	struct mw_plan_node *node = board_add(f->board, id, type);
	struct mw_plan_value *value = &values[node - f->board->nodes];
	node->address = address;
	if (!type->properties.count)
		return;
	*value = (struct mw_plan_value){ .property = drive_properties, .number = cylinders };
	node->values = value;
	node->value_count = 1;
}

static void floppy_drives_are_told_by_type(void **state)
{
	struct fixture *f = *state;
	add_drive(f, "fd0", &floppy_type, "0.0", 0);
	add_drive(f, "fd1", &floppy_type, "0.1", 0);
	add_drive(f, "fd2", &floppy_type, "1.0", 0);
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x10], 0x44);
	assert_int_equal(clock->cmos[0x14], 0x43);
}

static void one_floppy_drive_may_be_the_second(void **state)
{
	struct fixture *f = *state;
	add_drive(f, "fd1", &floppy_type, "0.1", 0);
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x10], 0x04);
	assert_int_equal(clock->cmos[0x14], 0x03);
}

static void disks_have_type_47_and_their_geometry(void **state)
{
	static const uint8_t first[] = { 20, 0, 16, 0xff, 0xff, 0xc8, 20, 0, 63 };
	static const uint8_t second[] = { 0xc3, 4, 16, 0xff, 0xff, 0xc8, 0xc3, 4, 63 };
	struct fixture *f = *state;
	add_drive(f, "hd0", &disk_type, "0.0", 20);
	add_drive(f, "hd1", &disk_type, "0.1", 1219);
	add_drive(f, "hd2", &disk_type, "1.0", 20);
	add_drive(f, "hd3", &disk_type, "1.1", 16383);
	add_drive(f, "hd4", &disk_type, "2.0", 16383);
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x12], 0xff);
	assert_int_equal(word(clock, 0x19), 0x2f2f);
	assert_memory_equal(clock->cmos + 0x1b, first, sizeof(first));
	assert_memory_equal(clock->cmos + 0x24, second, sizeof(second));
	/* LBA for those that have more than 1024 cylinders */
	assert_int_equal(clock->cmos[0x39], 0x44);
}

static void drive_without_a_medium_is_no_disk(void **state)
{
	struct fixture *f = *state;
	add_drive(f, "hd0", &disk_type, "0.0", 0);
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x12], 0);
	assert_int_equal(clock->cmos[0x19], 0);
}

static void boot_order_is_disk_floppy_cd_unless_told(void **state)
{
	static const char *const order[] = { NULL };
	struct fixture *f = *state;
	struct clock *clock = reset(f);
	assert_int_equal(clock->cmos[0x3d], 0x12);
	assert_int_equal(clock->cmos[0x38], 0x30);
	f->board->plan.boot.order = order;
	assert_true(mw_machine_reset(f->machine, &f->board->diagnostics));
	assert_int_equal(clock->cmos[0x3d], 0);
	assert_int_equal(clock->cmos[0x38], 0);
}

static void the_checksum_is_over_0x10_to_0x2d(void **state)
{
	struct clock *clock = reset(*state);
	unsigned sum = 0;
	for (unsigned i = 0x10; i <= 0x2d; i++) {
		assert_true(clock->written[i]);
		sum += clock->cmos[i];
	}
	assert_int_equal(sum, (unsigned)clock->cmos[0x2e] << 8 | clock->cmos[0x2f]);
}

static void the_clocks_own_bytes_are_left_alone(void **state)
{
	struct clock *clock = reset(*state);
	for (unsigned i = 0; i < 0x10; i++)
		assert_false(clock->written[i]);
	assert_false(clock->written[0x32]);
	assert_false(clock->written[0x36]);
	assert_false(clock->written[0x7f]);
}

static void every_reset_writes_them_again(void **state)
{
	struct fixture *f = *state;
	struct clock *clock = reset(f);
	clock->cmos[0x15] = 1;
	assert_true(mw_machine_reset(f->machine, &f->board->diagnostics));
	assert_int_equal(word(clock, 0x15), 640);
}

static void a_clock_without_such_memory_is_left_alone(void **state)
{
	struct fixture *f = *state;
	f->board->nodes[0].type = &other_type;
	reset(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(memory_is_told_in_all_the_places),
		TEST(a_small_machine_has_less),
		TEST(memory_above_4_gib_is_told_apart),
		TEST(equipment_follows_from_the_plan),
		TEST(a_keyboard_controller_brings_a_mouse),
		TEST(floppy_drives_are_told_by_type),
		TEST(one_floppy_drive_may_be_the_second),
		TEST(disks_have_type_47_and_their_geometry),
		TEST(drive_without_a_medium_is_no_disk),
		TEST(boot_order_is_disk_floppy_cd_unless_told),
		TEST(the_checksum_is_over_0x10_to_0x2d),
		TEST(the_clocks_own_bytes_are_left_alone),
		TEST(every_reset_writes_them_again),
		TEST(a_clock_without_such_memory_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
