/* Port 0x92: fast A20 gate and reset (PIIX3 data sheet, "Port 92 register"). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine_internal.h"
#include "tests/support/rig.h"

extern const struct mw_device_type port92_type;

enum { INIT = 0x01, A20 = 0x02 };

static int set_up(void **state)
{
	*state = rig_create(&port92_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static unsigned in(struct rig *rig)
{
	return (unsigned)rig_read(rig, "port", 0, 1);
}

static void out(struct rig *rig, unsigned value)
{
	rig_write(rig, "port", 0, 1, value);
}

static bool is_open(struct rig *rig)
{
	return !rig_machine(rig)->a20_closed;
}

static bool was_reset(struct rig *rig)
{
	enum mw_power_event event;
	int code;

	return rig_power(rig, &event, &code) && event == MW_POWER_RESET;
}

/* The keyboard controller's output port has the bit set after its own reset. */
static void close_keyboards(struct rig *rig)
{
	rig_drive(rig, "a20", 0, true);
	rig_drive(rig, "a20", 0, false);
}

static void the_gate_is_open_after_reset(void **state)
{
	assert_true(is_open(*state));
	close_keyboards(*state);
	assert_false(is_open(*state));
	rig_reset(*state);
	assert_true(is_open(*state));
}

static void either_of_the_two_opens_the_gate(void **state)
{
	close_keyboards(*state);
	out(*state, A20);
	assert_true(is_open(*state));
	rig_drive(*state, "a20", 0, true);
	out(*state, 0);
	assert_true(is_open(*state));
	rig_drive(*state, "a20", 0, false);
	assert_false(is_open(*state));
}

static void both_bits_read_back_and_the_others_are_zero(void **state)
{
	out(*state, 0xfe);
	assert_int_equal(in(*state), A20);
	out(*state, 0);
	assert_int_equal(in(*state), 0);
	out(*state, INIT);
	assert_int_equal(in(*state), INIT);
}

static void only_a_rising_init_resets(void **state)
{
	out(*state, A20);
	assert_false(was_reset(*state));
	out(*state, INIT);
	assert_true(was_reset(*state));
	out(*state, INIT | A20);
	assert_false(was_reset(*state));
	out(*state, 0);
	assert_false(was_reset(*state));
	out(*state, INIT);
	assert_true(was_reset(*state));
}

static void a_closed_gate_is_saved(void **state)
{
	uint8_t bytes[256];
	size_t count;

	close_keyboards(*state);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(count <= sizeof(bytes));
	memcpy(bytes, saved, count);
	out(*state, A20);
	assert_true(is_open(*state));
	assert_true(rig_load(*state, bytes, count));
	assert_false(is_open(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_gate_is_open_after_reset),
		TEST(either_of_the_two_opens_the_gate),
		TEST(both_bits_read_back_and_the_others_are_zero),
		TEST(only_a_rising_init_resets),
		TEST(a_closed_gate_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
