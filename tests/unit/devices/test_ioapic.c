/* I/O APIC, read like its data sheet (82093AA, chapter 3). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type ioapic_type;

enum { IOREGSEL = 0x00, IOWIN = 0x10, EOI = 0x40 };
enum { ID, VERSION, ARBITRATION, TABLE = 0x10 };
enum { MASKED = 0x10000, LEVEL = 0x8000, REMOTE_IRR = 0x4000, LOGICAL = 0x800 };

static int set_up(void **state)
{
	*state = rig_create(&ioapic_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint32_t get(struct rig *rig, unsigned index)
{
	rig_write(rig, "bank", IOREGSEL, 4, index);
	return (uint32_t)rig_read(rig, "bank", IOWIN, 4);
}

static void set(struct rig *rig, unsigned index, uint32_t value)
{
	rig_write(rig, "bank", IOREGSEL, 4, index);
	rig_write(rig, "bank", IOWIN, 4, value);
}

static void set_entry(struct rig *rig, unsigned pin, uint32_t low, uint32_t high)
{
	set(rig, TABLE + 2 * pin + 1, high);
	set(rig, TABLE + 2 * pin, low);
}

static void expect_message(struct rig *rig, uint64_t address, uint32_t data)
{
	uint64_t got_address;
	uint32_t got_data;

	assert_true(rig_message(rig, &got_address, &got_data));
	assert_int_equal(got_address, address);
	assert_int_equal(got_data, data);
}

static void expect_silence(struct rig *rig)
{
	uint64_t address;
	uint32_t data;

	assert_false(rig_message(rig, &address, &data));
}

static void version_tells_the_number_of_pins(void **state)
{
	assert_int_equal(get(*state, VERSION), 0x00170020);
}

static void fewer_pins_end_the_table_earlier(void **state)
{
	const struct rig_setting settings[] = { { "pins", 4, NULL }, { 0 } };
	struct rig *rig = rig_create(&ioapic_type, settings);

	assert_int_equal(get(rig, VERSION), 0x00030020);
	assert_int_equal(get(rig, TABLE + 2 * 3), MASKED);
	assert_int_equal(get(rig, TABLE + 2 * 4), 0xffffffff);
	rig_destroy(rig);
}

static void id_is_four_bits_and_also_the_arbitration_id(void **state)
{
	set(*state, ID, 0xffffffff);
	assert_int_equal(get(*state, ID), 0x0f000000);
	assert_int_equal(get(*state, ARBITRATION), 0x0f000000);
	set(*state, ARBITRATION, 0);
	assert_int_equal(get(*state, ARBITRATION), 0x0f000000);
}

static void entries_are_masked_after_reset(void **state)
{
	set_entry(*state, 5, 0x31, 0);
	rig_reset(*state);
	for (unsigned pin = 0; pin < 24; pin++) {
		assert_int_equal(get(*state, TABLE + 2 * pin), MASKED);
		assert_int_equal(get(*state, TABLE + 2 * pin + 1), 0);
	}
}

static void status_bits_of_an_entry_are_read_only(void **state)
{
	set_entry(*state, 0, 0xffffffff, 0xffffffff);
	assert_int_equal(get(*state, TABLE), 0x1afff);
	assert_int_equal(get(*state, TABLE + 1), 0xff000000);
}

static void rising_edge_sends_the_message_of_its_entry(void **state)
{
	set_entry(*state, 4, 0x31, 0x05000000);
	rig_drive(*state, "pin", 4, true);
	expect_message(*state, 0xfee05000, 0x4031);
	rig_drive(*state, "pin", 4, false);
	expect_silence(*state);
	rig_drive(*state, "pin", 4, true);
	expect_message(*state, 0xfee05000, 0x4031);
}

static void logical_destination_and_delivery_mode_are_in_the_message(void **state)
{
	set_entry(*state, 1, LOGICAL | 0x100 | 0x42, 0x03000000);
	rig_drive(*state, "pin", 1, true);
	expect_message(*state, 0xfee03004, 0x4142);
}

static void edge_on_a_masked_pin_is_lost(void **state)
{
	set_entry(*state, 4, MASKED | 0x31, 0);
	rig_drive(*state, "pin", 4, true);
	set(*state, TABLE + 2 * 4, 0x31);
	expect_silence(*state);
}

static void level_is_sent_once_until_its_end(void **state)
{
	set_entry(*state, 9, LEVEL | 0x51, 0);
	rig_drive(*state, "pin", 9, true);
	expect_message(*state, 0xfee00000, 0xc051);
	assert_int_equal(get(*state, TABLE + 18), LEVEL | REMOTE_IRR | 0x51);
	rig_drive(*state, "pin", 9, false);
	rig_drive(*state, "pin", 9, true);
	expect_silence(*state);
	rig_eoi(*state, 0x51);
	expect_message(*state, 0xfee00000, 0xc051);
	rig_drive(*state, "pin", 9, false);
	rig_eoi(*state, 0x51);
	expect_silence(*state);
	assert_int_equal(get(*state, TABLE + 18), LEVEL | 0x51);
}

static void end_of_another_vector_does_not_count(void **state)
{
	set_entry(*state, 9, LEVEL | 0x51, 0);
	rig_drive(*state, "pin", 9, true);
	expect_message(*state, 0xfee00000, 0xc051);
	rig_eoi(*state, 0x52);
	expect_silence(*state);
	assert_int_equal(get(*state, TABLE + 18) & REMOTE_IRR, REMOTE_IRR);
}

static void unmasking_sends_a_level_that_waits(void **state)
{
	set_entry(*state, 9, MASKED | LEVEL | 0x51, 0);
	rig_drive(*state, "pin", 9, true);
	expect_silence(*state);
	set(*state, TABLE + 18, LEVEL | 0x51);
	expect_message(*state, 0xfee00000, 0xc051);
}

static void eoi_register_ends_an_interrupt(void **state)
{
	set_entry(*state, 9, LEVEL | 0x51, 0);
	rig_drive(*state, "pin", 9, true);
	expect_message(*state, 0xfee00000, 0xc051);
	rig_write(*state, "bank", EOI, 4, 0x51);
	expect_message(*state, 0xfee00000, 0xc051);
}

static void version_0x11_has_no_eoi_register(void **state)
{
	const struct rig_setting settings[] = { { "version", 0x11, NULL }, { 0 } };
	struct rig *rig = rig_create(&ioapic_type, settings);

	assert_int_equal(get(rig, VERSION), 0x00170011);
	set_entry(rig, 9, LEVEL | 0x51, 0);
	rig_drive(rig, "pin", 9, true);
	expect_message(rig, 0xfee00000, 0xc051);
	rig_write(rig, "bank", EOI, 4, 0x51);
	expect_silence(rig);
	assert_int_equal(get(rig, TABLE + 18) & REMOTE_IRR, REMOTE_IRR);
	rig_destroy(rig);
}

/* How a guest ends an interrupt on a chip without an EOI register. */
static void switching_to_edge_clears_remote_irr(void **state)
{
	set_entry(*state, 9, LEVEL | 0x51, 0);
	rig_drive(*state, "pin", 9, true);
	expect_message(*state, 0xfee00000, 0xc051);
	rig_drive(*state, "pin", 9, false);
	set(*state, TABLE + 18, MASKED | 0x51);
	set(*state, TABLE + 18, MASKED | LEVEL | 0x51);
	assert_int_equal(get(*state, TABLE + 18), MASKED | LEVEL | 0x51);
}

static void routes_follow_the_entries(void **state)
{
	assert_false(rig_route(*state, 7).valid);
	set_entry(*state, 7, LEVEL | 0x61, 0x02000000);
	assert_true(rig_route(*state, 7).valid);
	assert_int_equal(rig_route(*state, 7).address, 0xfee02000);
	assert_int_equal(rig_route(*state, 7).data, 0xc061);
	set(*state, TABLE + 14, MASKED | LEVEL | 0x61);
	assert_false(rig_route(*state, 7).valid);
}

static void masking_keeps_the_route_until_the_end_is_seen(void **state)
{
	set_entry(*state, 7, LEVEL | 0x61, 0);
	rig_drive(*state, "pin", 7, true);
	expect_message(*state, 0xfee00000, 0xc061);
	set(*state, TABLE + 14, MASKED | LEVEL | 0x61);
	assert_true(rig_route(*state, 7).valid);
	rig_eoi(*state, 0x61);
	expect_silence(*state);
	assert_int_equal(get(*state, TABLE + 14), MASKED | LEVEL | 0x61);
	assert_false(rig_route(*state, 7).valid);
}

static void reset_and_load_publish_routes(void **state)
{
	struct rig *other = rig_create(&ioapic_type, NULL);
	size_t count;

	set_entry(*state, 7, 0x61, 0);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(rig_load(other, saved, count));
	assert_true(rig_route(other, 7).valid);
	rig_reset(*state);
	assert_false(rig_route(*state, 7).valid);
	rig_destroy(other);
}

static void registers_beyond_the_table_do_not_answer(void **state)
{
	assert_int_equal(get(*state, 0x03), 0xffffffff);
	assert_int_equal(get(*state, 0x40), 0xffffffff);
	assert_int_equal(get(*state, 0xff), 0xffffffff);
	set(*state, 0xff, 1);
	assert_non_null(strstr(rig_log(*state), "register 0xff"));
}

static void only_dwords_are_answered(void **state)
{
	rig_write(*state, "bank", IOREGSEL, 4, VERSION);
	assert_int_equal(rig_read(*state, "bank", IOWIN, 1), 0xff);
	assert_int_equal(rig_read(*state, "bank", IOWIN, 2), 0xffff);
	assert_int_equal(rig_read(*state, "bank", IOWIN + 2, 4), 0xffffffff);
	assert_int_equal(rig_read(*state, "bank", IOREGSEL, 4), VERSION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(version_tells_the_number_of_pins),
		TEST(fewer_pins_end_the_table_earlier),
		TEST(id_is_four_bits_and_also_the_arbitration_id),
		TEST(entries_are_masked_after_reset),
		TEST(status_bits_of_an_entry_are_read_only),
		TEST(rising_edge_sends_the_message_of_its_entry),
		TEST(logical_destination_and_delivery_mode_are_in_the_message),
		TEST(edge_on_a_masked_pin_is_lost),
		TEST(level_is_sent_once_until_its_end),
		TEST(end_of_another_vector_does_not_count),
		TEST(unmasking_sends_a_level_that_waits),
		TEST(eoi_register_ends_an_interrupt),
		TEST(version_0x11_has_no_eoi_register),
		TEST(switching_to_edge_clears_remote_irr),
		TEST(routes_follow_the_entries),
		TEST(masking_keeps_the_route_until_the_end_is_seen),
		TEST(reset_and_load_publish_routes),
		TEST(registers_beyond_the_table_do_not_answer),
		TEST(only_dwords_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
