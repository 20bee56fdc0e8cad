/* Generic event device: sleep, reset and the power button (ACPI 6.5, 4.8.3 and 5.6.9). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/registry.h"
#include "tests/support/rig.h"

extern const struct mw_device_type acpi_ged_type;

enum { SLEEP_CONTROL, SLEEP_STATUS, RESET, EVENT = 0x10 };
enum { SLP_EN = 0x20, S5 = 5 << 2, S3 = 3 << 2, BUTTON = 1 };

static int set_up(void **state)
{
	*state = rig_create(&acpi_ged_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void expect_power(struct rig *rig, enum mw_power_event expected)
{
	enum mw_power_event event;
	int code;

	assert_true(rig_power(rig, &event, &code));
	assert_int_equal(event, expected);
}

static void expect_no_power(struct rig *rig)
{
	enum mw_power_event event;
	int code;

	assert_false(rig_power(rig, &event, &code));
}

static void sleep_enable_with_type_5_powers_off(void **state)
{
	rig_write(*state, "regs", SLEEP_CONTROL, 1, SLP_EN | S5);
	expect_power(*state, MW_POWER_OFF);
}

static void sleep_type_alone_does_nothing(void **state)
{
	rig_write(*state, "regs", SLEEP_CONTROL, 1, S5);
	expect_no_power(*state);
	assert_int_equal(rig_read(*state, "regs", SLEEP_CONTROL, 1), S5);
}

static void sleep_enable_reads_zero(void **state)
{
	rig_write(*state, "regs", SLEEP_CONTROL, 1, SLP_EN | S3);
	assert_int_equal(rig_read(*state, "regs", SLEEP_CONTROL, 1), S3);
}

static void other_sleep_states_are_logged(void **state)
{
	rig_write(*state, "regs", SLEEP_CONTROL, 1, SLP_EN | S3);
	expect_no_power(*state);
	assert_non_null(strstr(rig_log(*state), "sleep state 3"));
}

static void wake_status_is_clear(void **state)
{
	assert_int_equal(rig_read(*state, "regs", SLEEP_STATUS, 1), 0);
	rig_write(*state, "regs", SLEEP_STATUS, 1, 0x80);
	assert_int_equal(rig_read(*state, "regs", SLEEP_STATUS, 1), 0);
}

static void reset_value_resets(void **state)
{
	const struct mw_role_row *role = mw_type_role(&acpi_ged_type, MW_ROLE_RESET);

	rig_write(*state, role->region, role->offset, role->size, role->value);
	expect_power(*state, MW_POWER_RESET);
}

static void another_value_does_not_reset(void **state)
{
	rig_write(*state, "regs", RESET, 1, 0);
	expect_no_power(*state);
}

static void power_button_raises_the_interrupt_until_cleared(void **state)
{
	assert_false(rig_line(*state, "irq", 0));
	rig_drive(*state, "power_button", 0, true);
	assert_true(rig_line(*state, "irq", 0));
	assert_int_equal(rig_read(*state, "regs", EVENT, 4), BUTTON);
	rig_write(*state, "regs", EVENT, 4, BUTTON);
	assert_false(rig_line(*state, "irq", 0));
	assert_int_equal(rig_read(*state, "regs", EVENT, 4), 0);
}

static void each_press_is_an_edge(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		rig_drive(*state, "power_button", 0, true);
		assert_int_equal(rig_rises(*state, "irq", 0), 1);
		rig_write(*state, "regs", EVENT, 4, BUTTON);
		rig_drive(*state, "power_button", 0, false);
		assert_false(rig_line(*state, "irq", 0));
	}
}

/* An edge-triggered interrupt must come again for what the guest has not seen. */
static void clearing_something_else_gives_a_new_edge(void **state)
{
	rig_drive(*state, "power_button", 0, true);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	rig_write(*state, "regs", EVENT, 4, 0);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_true(rig_line(*state, "irq", 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sleep_enable_with_type_5_powers_off),
		TEST(sleep_type_alone_does_nothing),
		TEST(sleep_enable_reads_zero),
		TEST(other_sleep_states_are_logged),
		TEST(wake_status_is_clear),
		TEST(reset_value_resets),
		TEST(another_value_does_not_reset),
		TEST(power_button_raises_the_interrupt_until_cleared),
		TEST(each_press_is_an_edge),
		TEST(clearing_something_else_gives_a_new_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
