/* POST codes as lines of text. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type post_code_type;

static int set_up(void **state)
{
	*state = rig_create(&post_code_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void out(struct rig *rig, unsigned value)
{
	rig_write(rig, "code", 0, 1, value);
}

static void expect(struct rig *rig, const char *text)
{
	char got[256] = "";

	rig_take(rig, "port", got, sizeof(got) - 1);
	assert_string_equal(got, text);
}

static void a_code_is_a_line(void **state)
{
	out(*state, 0x1b);
	out(*state, 0xf0);
	expect(*state, "POST 0x1b\nPOST 0xf0\n");
}

static void a_code_that_repeats_is_told_once(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		out(*state, 0);
	out(*state, 1);
	out(*state, 0);
	expect(*state, "POST 0x00\nPOST 0x01\nPOST 0x00\n");
}

/* As the page register does that has this port, too. */
static void the_last_code_reads_back(void **state)
{
	out(*state, 0xa5);
	assert_int_equal(rig_read(*state, "code", 0, 1), 0xa5);
	rig_reset(*state);
	assert_int_equal(rig_read(*state, "code", 0, 1), 0);
}

static void a_reader_who_sleeps_misses_whole_lines(void **state)
{
	static char got[100000];
	size_t count = 0, taken;

	rig_hold(*state, "port", true);
	for (unsigned i = 0; i < 20000; i++)
		out(*state, i & 0xff);
	rig_hold(*state, "port", false);
	while ((taken = rig_take(*state, "port", got + count, sizeof(got) - count)) > 0)
		count += taken;
	assert_in_range(count, 10000, 99999);
	for (size_t i = 0; i < count; i += 10)
		assert_memory_equal(got + i, "POST 0x", 7);
	assert_string_equal(rig_log(*state), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_is_a_line),
		TEST(a_code_that_repeats_is_told_once),
		TEST(the_last_code_reads_back),
		TEST(a_reader_who_sleeps_misses_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
