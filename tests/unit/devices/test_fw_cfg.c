/* Firmware configuration device, after QEMU's docs/specs/fw_cfg: registers, directory, DMA. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine.h"
#include "core/tables/tables.h"
#include "tests/support/rig.h"

extern const struct mw_device_type fw_cfg_type;

enum { SELECTOR = 0, DATA = 1, DMA_HIGH = 4, DMA_LOW = 8 };
enum { SIGNATURE = 0x00, ID = 0x01, DIRECTORY = 0x19, FIRST_FILE = 0x20 };
enum { ERROR = 0x01, READ = 0x02, SKIP = 0x04, SELECT = 0x08, WRITE = 0x10 };
enum { REQUEST = 0x1000, TARGET = 0x2000 };

static struct rig *with(const struct rig_setting *settings)
{
	return rig_create(&fw_cfg_type, settings);
}

static int set_up(void **state)
{
	*state = with(NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void add(struct rig *rig, unsigned key, const char *name, const void *bytes, size_t count)
{
	fw_cfg_type.firmware.item(rig_device(rig), key, name, bytes, count);
}

static void pick(struct rig *rig, unsigned key)
{
	rig_write(rig, "regs", SELECTOR, 2, key);
}

static uint64_t next(struct rig *rig)
{
	return rig_read(rig, "regs", DATA, 1);
}

static uint64_t next_be(struct rig *rig, unsigned count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 | next(rig);
	return value;
}

static uint8_t *ram(struct rig *rig, uint64_t address, size_t count)
{
	uint8_t *bytes = mw_machine_ram(rig_machine(rig), address, count);

	assert_non_null(bytes);
	return bytes;
}

static void put_be(uint8_t *at, unsigned count, uint64_t value)
{
	while (count--) {
		at[count] = (uint8_t)value;
		value >>= 8;
	}
}

/* A request, and what its control field reads afterwards. */
static void ask(struct rig *rig, uint32_t control, uint32_t length, uint64_t address)
{
	uint8_t *request = ram(rig, REQUEST, 16);

	put_be(request, 4, control);
	put_be(request + 4, 4, length);
	put_be(request + 8, 8, address);
	rig_write(rig, "regs", DMA_LOW, 4, __builtin_bswap32(REQUEST));
}

static uint32_t control(struct rig *rig)
{
	const uint8_t *request = ram(rig, REQUEST, 16);

	return (uint32_t)request[0] << 24 | (uint32_t)request[1] << 16 | (uint32_t)request[2] << 8 |
	       request[3];
}

static void signature_is_read_byte_by_byte(void **state)
{
	pick(*state, SIGNATURE);
	assert_int_equal(next_be(*state, 4), 0x51454d55); /* "QEMU" */
}

static void behind_the_end_all_bytes_are_0(void **state)
{
	pick(*state, SIGNATURE);
	next_be(*state, 4);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(next(*state), 0);
}

static void selecting_goes_back_to_the_start(void **state)
{
	pick(*state, SIGNATURE);
	assert_int_equal(next(*state), 'Q');
	assert_int_equal(next(*state), 'E');
	pick(*state, SIGNATURE);
	assert_int_equal(next(*state), 'Q');
}

static void features_are_little_endian_and_tell_of_dma(void **state)
{
	pick(*state, ID);
	assert_int_equal(next_be(*state, 4), 0x03000000);
}

static void without_dma_its_feature_and_registers_are_gone(void **state)
{
	const struct rig_setting settings[] = { { "dma", 0, NULL }, { 0 } };
	struct rig *rig = with(settings);

	pick(rig, ID);
	assert_int_equal(next(rig), 0x01);
	assert_int_equal(rig_read(rig, "regs", DMA_HIGH, 4), 0xffffffff);
	rig_destroy(rig);
}

static void key_without_an_item_reads_0(void **state)
{
	pick(*state, 0x1234);
	assert_int_equal(next_be(*state, 4), 0);
	pick(*state, 0xbfff);
	assert_int_equal(next_be(*state, 4), 0);
}

static void write_bit_of_the_selector_reads_the_same_item(void **state)
{
	pick(*state, 0x4000 | SIGNATURE);
	assert_int_equal(next(*state), 'Q');
}

static void writes_to_the_data_register_do_nothing(void **state)
{
	pick(*state, SIGNATURE);
	rig_write(*state, "regs", DATA, 1, 0x55);
	rig_write(*state, "regs", SELECTOR, 1, 0x55);
	assert_int_equal(next_be(*state, 4), 0x51454d55);
}

static void items_under_numbers_come_from_core(void **state)
{
	static const uint8_t cpus[] = { 4, 0 };

	add(*state, 0x05, NULL, cpus, sizeof(cpus));
	add(*state, 0x8002, NULL, cpus, 1);
	pick(*state, 0x05);
	assert_int_equal(next_be(*state, 2), 0x0400);
	pick(*state, 0x8002);
	assert_int_equal(next_be(*state, 2), 0x0400);
}

static void check_entry(struct rig *rig, uint32_t size, unsigned key, const char *name)
{
	char text[56];

	assert_int_equal(next_be(rig, 4), size);
	assert_int_equal(next_be(rig, 2), key);
	assert_int_equal(next_be(rig, 2), 0);
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)next(rig);
	assert_string_equal(text, name);
}

static void directory_lists_files_by_name_with_their_keys(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };

	add(*state, 0, "etc/zebra", bytes, 3);
	add(*state, 0, "bootorder", bytes, 1);
	pick(*state, DIRECTORY);
	assert_int_equal(next_be(*state, 4), 3);
	check_entry(*state, 1, FIRST_FILE, "bootorder");
	check_entry(*state, 4, FIRST_FILE + 1, "etc/boot-fail-wait");
	check_entry(*state, 3, FIRST_FILE + 2, "etc/zebra");
	assert_int_equal(next(*state), 0);
	pick(*state, FIRST_FILE + 2);
	assert_int_equal(next_be(*state, 4), 0x01020300);
}

static void file_of_the_same_name_takes_the_place(void **state)
{
	static const uint8_t bytes[] = { 1, 2 };

	add(*state, 0, "a", bytes, 1);
	add(*state, 0, "a", bytes + 1, 1);
	pick(*state, FIRST_FILE);
	assert_int_equal(next_be(*state, 2), 0x0200);
	pick(*state, DIRECTORY);
	assert_int_equal(next_be(*state, 4), 2);
}

static void reset_forgets_what_core_gave(void **state)
{
	static const uint8_t byte[] = { 1 };

	add(*state, 0, "a", byte, 1);
	rig_reset(*state);
	pick(*state, DIRECTORY);
	assert_int_equal(next_be(*state, 4), 1);
	check_entry(*state, 4, FIRST_FILE, "etc/boot-fail-wait");
}

/* As the hook does it at each reset, and for a machine that was restored. */
static void core_hands_over_what_follows_from_the_plan(void **state)
{
	struct mw_diagnostics diagnostics = { 0 };

	for (unsigned i = 0; i < 2; i++) {
		rig_reset(*state);
		rig_stop(*state);
		assert_true(mw_items_write(NULL, rig_machine(*state), NULL, &diagnostics));
		rig_start(*state);
		pick(*state, 0x05);
		assert_int_equal(next_be(*state, 2), 0x0100);
		pick(*state, DIRECTORY);
		assert_int_equal(next_be(*state, 4), 2);
		check_entry(*state, 4, FIRST_FILE, "etc/boot-fail-wait");
		check_entry(*state, 20, FIRST_FILE + 1, "etc/e820");
		pick(*state, FIRST_FILE + 1);
		assert_int_equal(next_be(*state, 8), 0);
		assert_int_equal(next_be(*state, 8), 0x0000100000000000); /* 1 MiB */
		assert_int_equal(next_be(*state, 4), 0x01000000);
	}
	mw_diagnostics_fini(&diagnostics);
}

static void too_many_files_are_not_there(void **state)
{
	static const uint8_t byte[] = { 1 };

	for (unsigned i = 0; i < 100; i++) {
		char name[80];

		snprintf(name, sizeof(name), "file-%03u-%060u", i, i);
		add(*state, 0, name, byte, 1);
	}
	pick(*state, DIRECTORY);
	assert_int_equal(next_be(*state, 4), 64);
	for (unsigned key = 0x10; key < 0x30; key++)
		add(*state, key, NULL, byte, 1);
	assert_non_null(strstr(rig_log(*state), "no room"));
}

static void long_name_is_cut_and_ends_with_0(void **state)
{
	static const uint8_t byte[] = { 1 };
	char name[81] = { 0 };

	memset(name, 'a', 80);
	add(*state, 0, name, byte, 1);
	name[55] = 0;
	pick(*state, DIRECTORY);
	next_be(*state, 4);
	check_entry(*state, 1, FIRST_FILE, name);
}

static void settings_are_where_a_bios_looks(void **state)
{
	const struct rig_setting settings[] = { { "sercon", 0x3f8, NULL },
						{ "boot_menu", 1, NULL },
						{ "boot_menu_wait", 5000, NULL },
						{ "boot_fail_wait", 1000, NULL },
						{ 0 } };
	struct rig *rig = with(settings);

	pick(rig, 0x0e);
	assert_int_equal(next_be(rig, 2), 0x0100);
	pick(rig, DIRECTORY);
	assert_int_equal(next_be(rig, 4), 3);
	check_entry(rig, 4, FIRST_FILE, "etc/boot-fail-wait");
	check_entry(rig, 4, FIRST_FILE + 1, "etc/boot-menu-wait");
	check_entry(rig, 2, FIRST_FILE + 2, "etc/sercon-port");
	pick(rig, FIRST_FILE + 1);
	assert_int_equal(next_be(rig, 4), 0x88130000);
	pick(rig, FIRST_FILE + 2);
	assert_int_equal(next_be(rig, 2), 0xf803);
	rig_destroy(rig);
}

static void dma_register_reads_its_signature(void **state)
{
	static const char text[] = "QEMU CFG";

	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(rig_read(*state, "regs", DMA_HIGH + i, 1), text[i]);
	assert_int_equal(rig_read(*state, "regs", DMA_HIGH, 4), 0x554d4551);
}

static void dma_reads_a_selected_item(void **state)
{
	memset(ram(*state, TARGET, 8), 0xff, 8);
	ask(*state, SIGNATURE << 16 | SELECT | READ, 4, TARGET);
	assert_int_equal(control(*state), 0);
	assert_memory_equal(ram(*state, TARGET, 5), "QEMU\xff", 5);
}

static void dma_goes_on_where_the_last_read_ended(void **state)
{
	pick(*state, SIGNATURE);
	next(*state);
	ask(*state, READ, 2, TARGET);
	assert_memory_equal(ram(*state, TARGET, 2), "EM", 2);
	assert_int_equal(next(*state), 'U');
}

static void dma_behind_the_end_writes_0(void **state)
{
	memset(ram(*state, TARGET, 8), 0xff, 8);
	ask(*state, SIGNATURE << 16 | SELECT | READ, 6, TARGET);
	assert_int_equal(control(*state), 0);
	assert_memory_equal(ram(*state, TARGET, 7), "QEMU\0\0\xff", 7);
}

static void dma_skips(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT | SKIP, 2, 0);
	assert_int_equal(control(*state), 0);
	assert_int_equal(next(*state), 'M');
	ask(*state, SKIP, UINT32_MAX, 0);
	assert_int_equal(next(*state), 0);
}

static void dma_write_is_an_error(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT | WRITE, 4, TARGET);
	assert_int_equal(control(*state), ERROR);
	pick(*state, SIGNATURE);
	assert_int_equal(next(*state), 'Q');
}

static void dma_with_nothing_to_do_is_done(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT, 4, TARGET);
	assert_int_equal(control(*state), 0);
	assert_int_equal(next(*state), 'Q');
	ask(*state, READ, 0, UINT64_MAX);
	assert_int_equal(control(*state), 0);
}

static void dma_to_where_no_ram_is_ends_with_an_error(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT | READ, 4, UINT64_C(0xfffffffffffff000));
	assert_int_equal(control(*state), ERROR);
}

static void request_where_no_ram_is_harms_nothing(void **state)
{
	rig_write(*state, "regs", DMA_HIGH, 4, 0xffffffff);
	rig_write(*state, "regs", DMA_LOW, 4, 0xffffffff);
	/* and its high half is 0 again */
	ask(*state, SIGNATURE << 16 | SELECT | READ, 4, TARGET);
	assert_int_equal(control(*state), 0);
}

/* The parts are of bounded size, and the guest waits meanwhile. */
static void long_transfer_goes_on_in_parts(void **state)
{
	enum { LENGTH = 0x30000, BASE = 0x40000 };
	uint8_t *bytes = ram(*state, BASE, LENGTH);

	memset(bytes, 0xff, LENGTH);
	ask(*state, SIGNATURE << 16 | SELECT | READ, LENGTH, BASE);
	assert_int_not_equal(control(*state), 0);
	assert_int_equal(bytes[LENGTH - 1], 0xff);
	for (unsigned i = 0; i < 4; i++)
		rig_advance(*state, 1);
	assert_int_equal(control(*state), 0);
	assert_int_equal(bytes[LENGTH - 1], 0);
	assert_memory_equal(bytes, "QEMU\0", 5);
}

static void endless_transfer_ends_with_ram(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT | READ, UINT32_MAX, TARGET);
	for (unsigned i = 0; i < 5000 && control(*state) != ERROR; i++) {
		rig_advance(*state, 1);
		/* it wrote zeroes over the request, and the error comes after that */
	}
	assert_int_equal(control(*state), ERROR);
}

static void second_request_meanwhile_is_an_error(void **state)
{
	ask(*state, SIGNATURE << 16 | SELECT | READ, 0x30000, 0x40000);
	ask(*state, SIGNATURE << 16 | SELECT | READ, 4, TARGET);
	assert_int_equal(control(*state), ERROR);
}

static void state_out_of_a_snapshot_is_harmless(void **state)
{
	size_t count;
	const uint8_t *saved = rig_save(*state, &count);
	uint8_t *bytes = malloc(count);

	assert_non_null(bytes);
	memcpy(bytes, saved, count);
	for (size_t i = 0; i < 2 + 4 + 4 + 8 + 8 + 4; i++)
		bytes[i] = 0xff;
	rig_load(*state, bytes, count);
	free(bytes);
	assert_int_equal(next(*state), 0);
	rig_write(*state, "regs", DMA_LOW, 4, 0xffffffff);
	for (unsigned i = 0; i < 10; i++)
		rig_advance(*state, 1);
	pick(*state, SIGNATURE);
	assert_int_equal(next(*state), 'Q');
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(signature_is_read_byte_by_byte),
		TEST(behind_the_end_all_bytes_are_0),
		TEST(selecting_goes_back_to_the_start),
		TEST(features_are_little_endian_and_tell_of_dma),
		TEST(without_dma_its_feature_and_registers_are_gone),
		TEST(key_without_an_item_reads_0),
		TEST(write_bit_of_the_selector_reads_the_same_item),
		TEST(writes_to_the_data_register_do_nothing),
		TEST(items_under_numbers_come_from_core),
		TEST(directory_lists_files_by_name_with_their_keys),
		TEST(file_of_the_same_name_takes_the_place),
		TEST(reset_forgets_what_core_gave),
		TEST(core_hands_over_what_follows_from_the_plan),
		TEST(too_many_files_are_not_there),
		TEST(long_name_is_cut_and_ends_with_0),
		TEST(settings_are_where_a_bios_looks),
		TEST(dma_register_reads_its_signature),
		TEST(dma_reads_a_selected_item),
		TEST(dma_goes_on_where_the_last_read_ended),
		TEST(dma_behind_the_end_writes_0),
		TEST(dma_skips),
		TEST(dma_write_is_an_error),
		TEST(dma_with_nothing_to_do_is_done),
		TEST(dma_to_where_no_ram_is_ends_with_an_error),
		TEST(request_where_no_ram_is_harms_nothing),
		TEST(long_transfer_goes_on_in_parts),
		TEST(endless_transfer_ends_with_ram),
		TEST(second_request_meanwhile_is_an_error),
		TEST(state_out_of_a_snapshot_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
