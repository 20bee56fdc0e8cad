/* The PIIX3's ISA bridge: PIRQ routing and the reset register (82371SB data sheet, 2.2 and 2.5.6). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type piix3_isa_type;

enum { PIRQ_A, PIRQ_B, PIRQ_C, PIRQ_D, PIRQRC = 0x60, OFF = 0x80 };
enum { HARD = 0x02, CPU = 0x04 };

static int set_up(void **state)
{
	*state = rig_create(&piix3_isa_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void route(struct rig *rig, unsigned pirq, uint8_t value)
{
	rig_config_write(rig, PIRQRC + pirq, 1, value);
}

static bool has_reset(struct rig *rig)
{
	enum mw_power_event event;
	int code;

	return rig_power(rig, &event, &code) && event == MW_POWER_RESET;
}

static void it_is_function_0_of_several(void **state)
{
	assert_int_equal(rig_config_read(*state, 0x00, 4), 0x70008086);
	assert_int_equal(rig_config_read(*state, 0x04, 4), 0x02000007);
	assert_int_equal(rig_config_read(*state, 0x08, 4), 0x06010000);
	assert_int_equal(rig_config_read(*state, 0x0e, 1), 0x80);
	assert_int_equal(rig_config_read(*state, 0x2c, 4), 0x11001af4);
	assert_int_equal(rig_config_read(*state, PIRQRC, 4), 0x80808080);
}

static void it_is_a_master_whatever_is_written(void **state)
{
	rig_config_write(*state, 0x04, 2, 0);
	assert_int_equal(rig_config_read(*state, 0x04, 2), 0x0007);
	rig_config_write(*state, 0x04, 2, 0xffff);
	assert_int_equal(rig_config_read(*state, 0x04, 2), 0x000f);
}

static void routing_keeps_the_bits_that_are_there(void **state)
{
	rig_config_write(*state, PIRQRC, 4, 0xffffffff);
	assert_int_equal(rig_config_read(*state, PIRQRC, 4), 0x8f8f8f8f);
}

static void after_reset_no_pirq_leads_anywhere(void **state)
{
	for (unsigned pirq = PIRQ_A; pirq <= PIRQ_D; pirq++)
		rig_drive(*state, "pirq", pirq, true);
	assert_false(rig_line(*state, "irq10", 0));
	assert_false(rig_line(*state, "irq11", 0));
}

static void a_pirq_drives_where_it_is_routed(void **state)
{
	static const char *const lines[16] = {
		[3] = "irq3",   [4] = "irq4",   [5] = "irq5",   [6] = "irq6",
		[7] = "irq7",   [9] = "irq9",   [10] = "irq10", [11] = "irq11",
		[12] = "irq12", [14] = "irq14", [15] = "irq15"
	};

	rig_drive(*state, "pirq", PIRQ_C, true);
	for (uint8_t irq = 0; irq < 16; irq++) {
		route(*state, PIRQ_C, irq);
		for (unsigned other = 0; other < 16; other++) {
			if (lines[other])
				assert_int_equal(rig_line(*state, lines[other], 0), other == irq);
		}
	}
}

static void a_route_that_is_not_possible_is_logged(void **state)
{
	route(*state, PIRQ_B, 8);
	assert_non_null(strstr(rig_log(*state), "PIRQB cannot be routed to IRQ 8"));
	route(*state, PIRQ_B, 8 | OFF);
	route(*state, PIRQ_B, 9);
	assert_null(strstr(rig_log(*state), "IRQ 9"));
}

static void pirqs_share_a_line(void **state)
{
	route(*state, PIRQ_A, 10);
	route(*state, PIRQ_D, 10);
	rig_drive(*state, "pirq", PIRQ_A, true);
	rig_drive(*state, "pirq", PIRQ_D, true);
	assert_int_equal(rig_rises(*state, "irq10", 0), 1);
	rig_drive(*state, "pirq", PIRQ_A, false);
	assert_true(rig_line(*state, "irq10", 0));
	rig_drive(*state, "pirq", PIRQ_D, false);
	assert_false(rig_line(*state, "irq10", 0));
}

static void routing_anew_moves_what_is_asserted(void **state)
{
	route(*state, PIRQ_A, 10);
	rig_drive(*state, "pirq", PIRQ_A, true);
	route(*state, PIRQ_A, 11);
	assert_false(rig_line(*state, "irq10", 0));
	assert_true(rig_line(*state, "irq11", 0));
	route(*state, PIRQ_A, 11 | OFF);
	assert_false(rig_line(*state, "irq11", 0));
}

static void the_rising_reset_bit_resets(void **state)
{
	rig_write(*state, "reset", 0, 1, HARD);
	assert_false(has_reset(*state));
	assert_int_equal(rig_read(*state, "reset", 0, 1), HARD);
	rig_write(*state, "reset", 0, 1, HARD | CPU);
	assert_true(has_reset(*state));
	rig_write(*state, "reset", 0, 1, HARD | CPU);
	assert_false(has_reset(*state));
	rig_write(*state, "reset", 0, 1, 0);
	rig_write(*state, "reset", 0, 1, CPU);
	assert_true(has_reset(*state));
}

static void reserved_reset_bits_read_as_zero(void **state)
{
	rig_write(*state, "reset", 0, 1, 0xfb);
	assert_int_equal(rig_read(*state, "reset", 0, 1), HARD);
}

static void a_restored_bridge_drives_again(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes;

	route(*state, PIRQ_B, 11);
	rig_drive(*state, "pirq", PIRQ_B, true);
	bytes = rig_save(*state, &count);
	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	rig_reset(*state);
	assert_false(rig_line(*state, "irq11", 0));
	assert_true(rig_load(*state, saved, count));
	assert_true(rig_line(*state, "irq11", 0));
}

static void impossible_state_is_made_possible(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes = rig_save(*state, &count);

	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	memset(saved, 0xff, 1);             /* the reset register */
	memset(saved + 5, 0xff, count - 5); /* what follows the PIRQs */
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(rig_read(*state, "reset", 0, 1), HARD | CPU);
	assert_int_equal(rig_config_read(*state, 0x00, 4), 0x70008086);
	assert_int_equal(rig_config_read(*state, PIRQRC, 4), 0x8f8f8f8f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_function_0_of_several),
		TEST(it_is_a_master_whatever_is_written),
		TEST(routing_keeps_the_bits_that_are_there),
		TEST(after_reset_no_pirq_leads_anywhere),
		TEST(a_pirq_drives_where_it_is_routed),
		TEST(a_route_that_is_not_possible_is_logged),
		TEST(pirqs_share_a_line),
		TEST(routing_anew_moves_what_is_asserted),
		TEST(the_rising_reset_bit_resets),
		TEST(reserved_reset_bits_read_as_zero),
		TEST(a_restored_bridge_drives_again),
		TEST(impossible_state_is_made_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
