/* The port that ends the machine. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type debug_exit_type;

static void check_code(unsigned size, uint64_t value, int expected)
{
	struct rig *rig = rig_create(&debug_exit_type, NULL);
	enum mw_power_event event;
	int code;

	rig_write(rig, "port", 0, size, value);
	assert_true(rig_power(rig, &event, &code));
	assert_int_equal(event, MW_POWER_EXIT);
	assert_int_equal(code, expected);
	rig_destroy(rig);
}

static void code_is_twice_the_value_plus_one(void **state)
{
	check_code(1, 0, 1);
	check_code(1, 1, 3);
	check_code(2, 0x10, 0x21);
	check_code(4, 0x31, 0x63);
}

/* An exit status has eight bits; what is beyond them is cut as the host would. */
static void code_fits_an_exit_status(void **state)
{
	check_code(1, 0xff, 0xff);
	check_code(4, 0xffffffff, 0xff);
	check_code(4, 0x12345680, 0x01);
}

static void reading_does_nothing(void **state)
{
	struct rig *rig = rig_create(&debug_exit_type, NULL);
	enum mw_power_event event;
	int code;

	assert_int_equal(rig_read(rig, "port", 0, 4), 0);
	assert_false(rig_power(rig, &event, &code));
	rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_twice_the_value_plus_one),
		cmocka_unit_test(code_fits_an_exit_status),
		cmocka_unit_test(reading_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
