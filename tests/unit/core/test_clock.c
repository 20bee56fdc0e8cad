/* Timers hang on one clock: order, cancelling, arming again from within. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/core/toy.h"

static char order[64];

struct ticker {
	struct mw_timer *a, *b;
	uint8_t state;
	uint64_t period;
	unsigned ticks;
};

static void expire_a(void *self)
{
	struct ticker *ticker = self;

	strncat(order, "a", sizeof(order) - strlen(order) - 1);
	ticker->ticks++;
	if (ticker->period)
		mw_timer_arm(ticker->a, mw_now_ns(self) + ticker->period);
}

static void expire_b(void *self)
{
	strncat(order, "b", sizeof(order) - strlen(order) - 1);
}

static const struct mw_timer_row timers[] = {
	{ "a", "One.", MW_FIELD(struct ticker, a), .on_expire = expire_a, .since = 1 },
	{ "b", "Two.", MW_FIELD(struct ticker, b), .on_expire = expire_b, .since = 1 },
};
static const struct mw_state state_rows[] = {
	{ "state", MW_FIELD(struct ticker, state), .since = 1 },
};
static const struct mw_device_type ticker_type = {
	MW_DEVICE_TYPE,
	.name = "ticker",
	.summary = "two timers",
	.size = sizeof(struct ticker),
	.state_version = 1,
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state_rows),
};

static struct toy toy;
static struct ticker *ticker;

static int set_up(void **state)
{
	uint32_t node = toy_node(&toy, "ticker", &ticker_type);

	order[0] = 0;
	toy_build(&toy);
	ticker = toy_device(&toy, node);
	return mw_machine_start(toy.machine) != MW_STATUS_OK;
}

static int tear_down(void **state)
{
	toy_fini(&toy);
	return 0;
}

static void earlier_deadline_expires_first(void **state)
{
	mw_timer_arm(ticker->a, 200);
	mw_timer_arm(ticker->b, 100);
	toy_step(&toy, 99);
	assert_string_equal(order, "");
	toy_step(&toy, 100);
	assert_string_equal(order, "b");
	toy_step(&toy, 1000);
	assert_string_equal(order, "ba");
}

static void equal_deadlines_expire_in_the_order_of_arming(void **state)
{
	mw_timer_arm(ticker->b, 50);
	mw_timer_arm(ticker->a, 50);
	toy_step(&toy, 50);
	assert_string_equal(order, "ba");
}

static void cancelled_timer_stays_silent(void **state)
{
	uint64_t when;

	mw_timer_arm(ticker->a, 10);
	assert_true(mw_timer_armed(ticker->a, &when));
	assert_int_equal(when, 10);
	mw_timer_cancel(ticker->a);
	assert_false(mw_timer_armed(ticker->a, NULL));
	toy_step(&toy, 100);
	assert_string_equal(order, "");
}

static void arming_again_moves_the_deadline(void **state)
{
	mw_timer_arm(ticker->a, 10);
	mw_timer_arm(ticker->a, 500);
	toy_step(&toy, 100);
	assert_string_equal(order, "");
	toy_step(&toy, 500);
	assert_string_equal(order, "a");
}

static void timer_may_arm_itself(void **state)
{
	ticker->period = 10;
	mw_timer_arm(ticker->a, 10);
	for (uint64_t now = 10; now <= 50; now += 10)
		toy_step(&toy, now);
	assert_int_equal(ticker->ticks, 5);
}

static void timer_armed_in_the_past_does_not_hold_up_the_loop(void **state)
{
	ticker->period = 0;
	toy_step(&toy, 1000);
	mw_timer_arm(ticker->a, 1);
	mw_machine_serve(toy.machine, 0);
	assert_string_equal(order, "a");
}

static void reset_cancels_timers(void **state)
{
	mw_timer_arm(ticker->a, 10);
	mw_machine_stop(toy.machine);
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	mw_machine_start(toy.machine);
	toy_step(&toy, 100);
	assert_string_equal(order, "");
}

static void stopped_machine_has_no_time(void **state)
{
	mw_timer_arm(ticker->a, 10);
	mw_machine_stop(toy.machine);
	toy_step(&toy, 100);
	assert_string_equal(order, "");
	mw_machine_start(toy.machine);
	mw_machine_serve(toy.machine, 0);
	assert_string_equal(order, "a");
}

static void armed_timer_is_saved_and_restored(void **state)
{
	uint8_t saved[64], again[64];
	uint64_t when;

	ticker->state = 0x5a;
	mw_timer_arm(ticker->b, 77);
	size_t count = mw_node_save(toy.machine, 0, saved, sizeof(saved));

	assert_int_equal(count, 1 + 2 * 9);
	mw_timer_cancel(ticker->b);
	mw_timer_arm(ticker->a, 5);
	ticker->state = 0;
	assert_true(mw_node_load(toy.machine, 0, saved, count, &toy.diagnostics));
	assert_int_equal(ticker->state, 0x5a);
	assert_false(mw_timer_armed(ticker->a, NULL));
	assert_true(mw_timer_armed(ticker->b, &when));
	assert_int_equal(when, 77);
	assert_int_equal(mw_node_save(toy.machine, 0, again, sizeof(again)), count);
	assert_memory_equal(saved, again, count);
}

static void clock_keeps_its_time_when_its_source_changes(void **state)
{
	struct mw_clock clock;
	uint64_t now;

	mw_clock_init(&clock, true);
	mw_clock_start(&clock);
	mw_clock_step(&clock, 1000);
	mw_clock_set_manual(&clock, false);
	now = mw_clock_now(&clock);
	assert_true(now >= 1000);
	mw_clock_set_manual(&clock, true);
	assert_true(mw_clock_now(&clock) >= now);
	now = mw_clock_now(&clock);
	assert_int_equal(mw_clock_now(&clock), now);
	mw_clock_fini(&clock);
}

/* An executor that makes time, as the software CPU does. */

static unsigned changes;
static uint64_t inner_now;

static enum mw_status map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	return MW_STATUS_OK;
}

static enum mw_status begin(void *self)
{
	return MW_STATUS_OK;
}

static void end(void *self)
{
}

static void time_changed(void *self)
{
	changes++;
}

static uint64_t now_inside(void *self)
{
	return inner_now;
}

static const struct mw_executor_ops driver = {
	.map = map, .start = begin, .stop = end, .time_changed = time_changed, .now = now_inside
};

static void drive(bool by_instructions)
{
	mw_machine_stop(toy.machine);
	toy.plan.accel.instruction_clock = by_instructions;
	changes = 0;
	inner_now = 0;
	assert_int_equal(
		mw_machine_set_executor(toy.machine, (struct mw_executor){ &driver, NULL }),
		MW_STATUS_OK);
	mw_machine_drive_clock(toy.machine);
	assert_int_equal(mw_machine_start(toy.machine), MW_STATUS_OK);
}

static void executors_time_fires_timers_on_their_loop(void **state)
{
	drive(false);
	mw_timer_arm(ticker->a, 100);
	mw_machine_advance(toy.cpu, 99);
	mw_machine_serve(toy.machine, 0);
	assert_string_equal(order, "");
	mw_machine_advance(toy.cpu, 100);
	assert_string_equal(order, "");
	/* What is handed out is no deadline any more, but armed until it has fired. */
	assert_int_equal(mw_clock_next(mw_machine_clock(toy.machine)), UINT64_MAX);
	assert_true(mw_timer_armed(ticker->a, NULL));
	mw_machine_serve(toy.machine, UINT64_MAX);
	assert_string_equal(order, "a");
}

static void instruction_clock_fires_timers_on_the_cpu(void **state)
{
	drive(true);
	ticker->period = 10;
	mw_timer_arm(ticker->b, 100);
	mw_timer_arm(ticker->a, 90);
	mw_machine_advance(toy.cpu, 90);
	assert_string_equal(order, "a");
	ticker->period = 0;
	mw_machine_advance(toy.cpu, 100);
	assert_string_equal(order, "aba");
	mw_machine_serve(toy.machine, 0);
	assert_string_equal(order, "aba");
}

static void timer_taken_back_after_it_was_handed_out_stays_silent(void **state)
{
	drive(false);
	mw_timer_arm(ticker->a, 100);
	mw_machine_advance(toy.cpu, 100);
	mw_timer_cancel(ticker->a);
	mw_machine_serve(toy.machine, 0);
	assert_string_equal(order, "");
}

static void executor_hears_of_an_earlier_deadline(void **state)
{
	drive(false);
	mw_timer_arm(ticker->a, 100);
	assert_int_equal(changes, 1);
	mw_timer_arm(ticker->b, 200);
	assert_int_equal(changes, 1);
	mw_timer_arm(ticker->b, 50);
	assert_int_equal(changes, 2);
}

static void device_sees_the_time_of_the_running_instruction(void **state)
{
	drive(false);
	mw_machine_advance(toy.cpu, 100);
	inner_now = 140;
	assert_int_equal(mw_now_ns(ticker), 140);
	inner_now = 0;
	assert_int_equal(mw_now_ns(ticker), 100);
}

static void dropped_executor_gives_the_clock_back(void **state)
{
	drive(false);
	mw_machine_advance(toy.cpu, 100);
	mw_timer_arm(ticker->a, 150);
	mw_machine_stop(toy.machine);
	mw_machine_drop_executor(toy.machine);
	changes = 0;
	mw_timer_arm(ticker->b, 120);
	assert_int_equal(changes, 0);
	mw_machine_start(toy.machine);
	toy_step(&toy, 150);
	assert_string_equal(order, "ba");
}

int main(void)
{
#define CLOCK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CLOCK_TEST(earlier_deadline_expires_first),
		CLOCK_TEST(equal_deadlines_expire_in_the_order_of_arming),
		CLOCK_TEST(cancelled_timer_stays_silent),
		CLOCK_TEST(arming_again_moves_the_deadline),
		CLOCK_TEST(timer_may_arm_itself),
		CLOCK_TEST(timer_armed_in_the_past_does_not_hold_up_the_loop),
		CLOCK_TEST(reset_cancels_timers),
		CLOCK_TEST(stopped_machine_has_no_time),
		CLOCK_TEST(armed_timer_is_saved_and_restored),
		cmocka_unit_test(clock_keeps_its_time_when_its_source_changes),
		CLOCK_TEST(executors_time_fires_timers_on_their_loop),
		CLOCK_TEST(instruction_clock_fires_timers_on_the_cpu),
		CLOCK_TEST(timer_taken_back_after_it_was_handed_out_stays_silent),
		CLOCK_TEST(executor_hears_of_an_earlier_deadline),
		CLOCK_TEST(device_sees_the_time_of_the_running_instruction),
		CLOCK_TEST(dropped_executor_gives_the_clock_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
