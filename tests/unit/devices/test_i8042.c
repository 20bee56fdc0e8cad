/* 8042: what of it resets a PC. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type i8042_type;

enum { OUTPUT_FULL = 0x01, INPUT_FULL = 0x02, COMMAND = 0x08 };

static int set_up(void **state)
{
	*state = rig_create(&i8042_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static bool was_reset(struct rig *rig)
{
	enum mw_power_event event;
	int code;

	return rig_power(rig, &event, &code) && event == MW_POWER_RESET;
}

static uint64_t status(struct rig *rig)
{
	return rig_read(rig, "cmd", 0, 1);
}

static void status_says_ready_and_nothing_to_read(void **state)
{
	assert_int_equal(status(*state) & (OUTPUT_FULL | INPUT_FULL), 0);
	assert_int_not_equal(status(*state), 0xff);
	assert_int_equal(rig_read(*state, "data", 0, 1), 0);
}

static void pulse_of_output_bit_0_resets(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xfe);
	assert_true(was_reset(*state));
	rig_write(*state, "cmd", 0, 1, 0xf0);
	assert_true(was_reset(*state));
}

static void pulse_of_other_bits_does_not(void **state)
{
	for (unsigned command = 0xf1; command <= 0xff; command += 2) {
		rig_write(*state, "cmd", 0, 1, command);
		assert_false(was_reset(*state));
	}
	rig_write(*state, "cmd", 0, 1, 0xee);
	assert_false(was_reset(*state));
}

static void output_port_with_bit_0_low_resets(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xd1);
	assert_int_equal(status(*state) & COMMAND, COMMAND);
	rig_write(*state, "data", 0, 1, 0xfe);
	assert_int_equal(status(*state) & COMMAND, 0);
	assert_true(was_reset(*state));
}

static void output_port_with_bit_0_high_does_not(void **state)
{
	rig_write(*state, "cmd", 0, 1, 0xd1);
	rig_write(*state, "data", 0, 1, 0xdf);
	assert_false(was_reset(*state));
}

static void data_without_its_command_does_not(void **state)
{
	rig_write(*state, "data", 0, 1, 0x00);
	assert_false(was_reset(*state));
	rig_write(*state, "cmd", 0, 1, 0xd1);
	rig_write(*state, "data", 0, 1, 0x01);
	rig_write(*state, "data", 0, 1, 0x00);
	assert_false(was_reset(*state));
}

static void keyboard_is_refused_with_a_reason(void **state)
{
	const struct rig_setting settings[] = { { "reset_only", false, NULL }, { 0 } };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(rig_try(&rig, &i8042_type, &(struct rig_options){ .settings = settings },
			     &diagnostics));
	assert_null(rig);
	assert_int_equal(diagnostics.errors, 1);
	assert_non_null(strstr(diagnostics.items[0]->message, "not implemented yet"));
	assert_non_null(strstr(diagnostics.items[0]->help, "reset_only: true"));
	mw_diagnostics_fini(&diagnostics);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_says_ready_and_nothing_to_read),
		TEST(pulse_of_output_bit_0_resets),
		TEST(pulse_of_other_bits_does_not),
		TEST(output_port_with_bit_0_low_resets),
		TEST(output_port_with_bit_0_high_does_not),
		TEST(data_without_its_command_does_not),
		TEST(keyboard_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
