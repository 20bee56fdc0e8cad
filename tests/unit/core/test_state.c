/* State rows: two-pass reset, canonical bytes, refusal of what does not fit. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

struct channel {
	uint16_t count;
	bool gate;
};
struct timer_chip {
	uint8_t mode;
	uint32_t table[3];
	struct channel channels[2];
	uint64_t cmos;
	struct channel flash;
	bool saw_reset_value;
};

static const struct mw_state channel_rows[] = {
	{ "count", MW_FIELD(struct channel, count), .reset = 0x1234, .since = 1 },
	{ "gate", MW_FIELD(struct channel, gate), .reset = 1, .since = 1 },
};
static const struct mw_state rows[] = {
	{ "mode", MW_FIELD(struct timer_chip, mode), .reset = 3, .since = 1 },
	{ "table", MW_ARRAY(struct timer_chip, table), .reset = 0xffffffff, .since = 1 },
	{ "channels", MW_STRUCTS(struct timer_chip, channels, channel_rows), .since = 1 },
	{ "cmos", MW_FIELD(struct timer_chip, cmos), .reset = 0xaa, .survives_reset = true,
	  .since = 1 },
	{ "flash", MW_STRUCT(struct timer_chip, flash, channel_rows), .survives_reset = true,
	  .since = 1 },
};

/* The other one's value is set already, whichever comes first. */
static struct timer_chip *chips[2];

static void after_reset(void *self)
{
	struct timer_chip *chip = self;

	chip->saw_reset_value = !chips[0] || (chips[0]->mode == 3 && chips[1]->mode == 3);
}

static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "timer-chip",
	.summary = "state of every shape",
	.size = sizeof(struct timer_chip),
	.state_version = 1,
	.state = MW_TABLE(rows),
	.ops = { .after_reset = after_reset },
};

static struct toy toy;

static int set_up(void **state)
{
	toy_node(&toy, "one", &chip_type);
	toy_node(&toy, "two", &chip_type);
	chips[0] = NULL;
	toy_build(&toy);
	chips[0] = toy_device(&toy, 0);
	chips[1] = toy_device(&toy, 1);
	return 0;
}

static int tear_down(void **state)
{
	toy_fini(&toy);
	return 0;
}

/* A battery that has never been empty: what survives resets begins with its reset value as well. */
static void what_survives_a_reset_has_its_value_from_power_on(void **state)
{
	assert_int_equal(chips[0]->cmos, 0xaa);
	assert_int_equal(chips[0]->flash.count, 0x1234);
	chips[0]->cmos = 1;
	chips[0]->flash.count = 2;
	chips[0]->flash.gate = false;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(chips[0]->cmos, 1);
	assert_int_equal(chips[0]->flash.count, 2);
	assert_false(chips[0]->flash.gate);
}

static void every_element_gets_its_reset_value(void **state)
{
	assert_int_equal(chips[0]->mode, 3);
	assert_int_equal(chips[0]->table[2], 0xffffffff);
	assert_int_equal(chips[0]->channels[1].count, 0x1234);
	assert_true(chips[0]->channels[1].gate);
}

static void all_values_are_reset_before_any_after_reset_runs(void **state)
{
	chips[0]->mode = 9;
	chips[1]->mode = 9;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_true(chips[0]->saw_reset_value);
	assert_true(chips[1]->saw_reset_value);
}

static void battery_backed_state_survives_reset(void **state)
{
	chips[0]->cmos = 42;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(chips[0]->cmos, 42);
}

static void saved_bytes_are_little_endian_in_row_order(void **state)
{
	static const uint8_t expected[] = { 3,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					    0xff, 0xff, 0xff, 0xff, 0xff, 0x34, 0x12, 1,
					    0x78, 0x56, 1,    7,    0,    0,    0,    0,
					    0,    0,    0,    0x34, 0x12, 1 };
	uint8_t bytes[64];

	chips[0]->channels[1].count = 0x5678;
	chips[0]->cmos = 7;
	assert_int_equal(mw_node_save(toy.machine, 0, bytes, sizeof(bytes)), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void too_small_a_buffer_is_left_alone(void **state)
{
	uint8_t bytes[4] = { 9, 9, 9, 9 };

	assert_int_equal(mw_node_save(toy.machine, 0, bytes, sizeof(bytes)), 30);
	assert_int_equal(bytes[0], 9);
}

static void load_puts_a_state_into_another_node(void **state)
{
	uint8_t bytes[64], again[64];

	chips[0]->table[1] = 0xdead;
	chips[0]->channels[0].gate = false;
	size_t count = mw_node_save(toy.machine, 0, bytes, sizeof(bytes));

	assert_true(mw_node_load(toy.machine, 1, bytes, count, &toy.diagnostics));
	assert_int_equal(chips[1]->table[1], 0xdead);
	assert_false(chips[1]->channels[0].gate);
	mw_node_save(toy.machine, 1, again, sizeof(again));
	assert_memory_equal(bytes, again, count);
}

static void hostile_state_is_refused_and_changes_nothing(void **state)
{
	uint8_t bytes[64];
	size_t count = mw_node_save(toy.machine, 0, bytes, sizeof(bytes));

	assert_false(mw_node_load(toy.machine, 0, bytes, count - 1, &toy.diagnostics));
	bytes[0] = 8;
	bytes[15] = 2; /* a bool */
	assert_false(mw_node_load(toy.machine, 0, bytes, count, &toy.diagnostics));
	assert_non_null(strstr(toy.diagnostics.items[1]->message, "row gate"));
	assert_int_equal(chips[0]->mode, 3);
}

int main(void)
{
#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STATE_TEST(every_element_gets_its_reset_value),
		STATE_TEST(what_survives_a_reset_has_its_value_from_power_on),
		STATE_TEST(all_values_are_reset_before_any_after_reset_runs),
		STATE_TEST(battery_backed_state_survives_reset),
		STATE_TEST(saved_bytes_are_little_endian_in_row_order),
		STATE_TEST(too_small_a_buffer_is_left_alone),
		STATE_TEST(load_puts_a_state_into_another_node),
		STATE_TEST(hostile_state_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
