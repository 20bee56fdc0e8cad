/* The timer of the software CPU's local APIC, as SDM vol. 3, 11.5.4 describes it. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accel/apic/lapic.h"

enum {
	EOI = 0xb0,
	SVR = 0xf0,
	LVT_TIMER = 0x320,
	INITIAL = 0x380,
	CURRENT = 0x390,
	DIVIDE = 0x3e0
};
enum { BY_1 = 0xb, BY_2 = 0x0, BY_16 = 0x3, BY_128 = 0xa };
enum { PERIODIC = 0x20000, DEADLINE = 0x40000, MASKED = 0x10000 };
#define NEVER MW_LAPIC_NEVER

static struct mw_lapic_bus bus;
static struct mw_lapic lapic;
static unsigned changes;
static uint64_t tsc_offset;

static void on_changed(void *context, unsigned cpu)
{
	changes++;
}

/* 2 GHz. */
static uint64_t tsc_to_ns(void *context, unsigned cpu, uint64_t tsc)
{
	tsc -= tsc_offset;
	return tsc / 2 + tsc % 2;
}

/* A timer needs no others. */
static const struct mw_lapic_ops timer_ops = { .changed = on_changed, .tsc_to_ns = tsc_to_ns };

static int power_up(void **state)
{
	tsc_offset = 0;
	mw_lapic_bus_init(&bus, &timer_ops, NULL);
	mw_lapic_init(&lapic, &bus, 0);
	mw_lapic_write(&lapic, SVR, 0x1ff, 0);
	changes = 0;
	return 0;
}

static int power_down(void **state)
{
	mw_lapic_bus_fini(&bus);
	return 0;
}

static void put_at(uint64_t now_ns, uint32_t offset, uint32_t value)
{
	mw_lapic_write(&lapic, offset, value, now_ns);
}

static uint32_t count_at(uint64_t now_ns)
{
	return mw_lapic_read(&lapic, CURRENT, now_ns);
}

static void expect_deadline(uint64_t deadline_ns)
{
	assert_true(mw_lapic_deadline(&lapic) == deadline_ns);
}

/* What the timer delivered by then: 1 or 0. */
static int fired_by(uint64_t now_ns)
{
	mw_lapic_advance(&lapic, now_ns);
	if (mw_lapic_pending(&lapic) < 0)
		return 0;
	assert_int_equal(mw_lapic_acknowledge(&lapic), 0x30);
	put_at(now_ns, EOI, 0);
	assert_int_equal(mw_lapic_pending(&lapic), -1);
	return 1;
}

static void one_shot_counts_down_and_fires_once(void **state)
{
	put_at(0, LVT_TIMER, 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(5000, INITIAL, 1000);
	expect_deadline(6000);
	assert_int_equal(changes, 1);
	assert_int_equal(count_at(5000), 1000);
	assert_int_equal(count_at(5001), 999);
	assert_int_equal(count_at(5999), 1);
	assert_int_equal(fired_by(5999), 0);
	assert_int_equal(fired_by(6000), 1);
	assert_int_equal(count_at(6000), 0);
	assert_int_equal(mw_lapic_read(&lapic, INITIAL, 0), 1000);
	expect_deadline(NEVER);
	assert_int_equal(fired_by(1000000), 0);
}

static void a_count_of_one_is_exact_too(void **state)
{
	put_at(0, LVT_TIMER, 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(5000, INITIAL, 1);
	expect_deadline(5001);
	assert_int_equal(fired_by(5001), 1);
}

static void every_divisor_divides(void **state)
{
	static const uint32_t codes[] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };

	for (unsigned i = 0; i < 8; i++) {
		put_at(0, DIVIDE, codes[i]);
		put_at(100, INITIAL, 1000);
		expect_deadline(100 + (UINT64_C(1000) << i));
		assert_int_equal(count_at(100 + (UINT64_C(1) << i)), 999);
		assert_int_equal(count_at(99 + (UINT64_C(2) << i)), 999);
	}
	put_at(0, INITIAL, 0xffffffff);
	expect_deadline(UINT64_C(0xffffffff) * 128);
}

static void a_count_changes_at_the_end_of_its_tick(void **state)
{
	put_at(0, DIVIDE, BY_16);
	put_at(0, INITIAL, 10);
	assert_int_equal(count_at(15), 10);
	assert_int_equal(count_at(16), 9);
	assert_int_equal(count_at(159), 1);
	assert_int_equal(count_at(160), 0);
}

static void an_initial_count_of_zero_stops_it(void **state)
{
	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, INITIAL, 50000);
	changes = 0;
	put_at(10, INITIAL, 0);
	assert_int_equal(changes, 1);
	expect_deadline(NEVER);
	assert_int_equal(count_at(20), 0);
	assert_int_equal(fired_by(1000000), 0);
}

static void a_new_initial_count_starts_over(void **state)
{
	put_at(0, LVT_TIMER, 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1000);
	put_at(900, INITIAL, 1000);
	assert_int_equal(fired_by(1899), 0);
	assert_int_equal(fired_by(1900), 1);
}

static void what_was_due_is_not_lost_to_a_new_count(void **state)
{
	put_at(0, LVT_TIMER, 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1000);
	put_at(1001, INITIAL, 1000);
	expect_deadline(2001);
	assert_int_equal(fired_by(1001), 1);
}

static void periodic_keeps_its_phase(void **state)
{
	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, DIVIDE, BY_2);
	put_at(100, INITIAL, 50000);
	expect_deadline(100100);
	assert_int_equal(fired_by(100099), 0);
	assert_int_equal(fired_by(100107), 1);
	expect_deadline(200100);
	assert_int_equal(count_at(100107), 49997);
	assert_int_equal(fired_by(200099), 0);
	assert_int_equal(count_at(200099), 1);
	assert_int_equal(count_at(200100), 50000);
	assert_int_equal(fired_by(200100), 1);
}

static void missed_periods_are_one_interrupt(void **state)
{
	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 50000);
	assert_int_equal(fired_by(UINT64_C(50000) * 1000000 + 3), 1);
	expect_deadline(UINT64_C(50000) * 1000001);
	assert_int_equal(fired_by(UINT64_C(50000) * 1000000 + 4), 0);
}

static void a_tiny_period_does_not_flood(void **state)
{
	unsigned count = 0;

	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1);
	expect_deadline(20000);
	assert_int_equal(count_at(10), 1);
	for (uint64_t now = 0; now <= 1000000; now += 100)
		count += (unsigned)fired_by(now);
	assert_int_equal(count, 50);
	put_at(1000000, INITIAL, 20001);
	expect_deadline(1020001);
}

static void masked_it_counts_and_is_silent(void **state)
{
	put_at(0, LVT_TIMER, MASKED | PERIODIC | 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 50000);
	assert_int_equal(count_at(10000), 40000);
	assert_int_equal(fired_by(50000), 0);
	put_at(60000, LVT_TIMER, PERIODIC | 0x30);
	assert_int_equal(fired_by(99999), 0);
	assert_int_equal(fired_by(100000), 1);
}

static void one_shot_and_periodic_share_a_running_count(void **state)
{
	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 50000);
	put_at(20000, LVT_TIMER, 0x30);
	assert_int_equal(count_at(20000), 30000);
	assert_int_equal(fired_by(50000), 1);
	expect_deadline(NEVER);
	put_at(60000, LVT_TIMER, PERIODIC | 0x30);
	assert_int_equal(count_at(60000), 0);
	expect_deadline(NEVER);
}

static void a_new_divisor_goes_on_with_the_count(void **state)
{
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1000);
	put_at(400, DIVIDE, BY_128);
	assert_int_equal(count_at(400), 600);
	expect_deadline(400 + 600 * 128);
}

static void tsc_deadline_fires_once_at_its_time(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	mw_lapic_set_tsc_deadline(&lapic, 2001, 10);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 2001);
	expect_deadline(1001);
	assert_int_equal(fired_by(1000), 0);
	assert_int_equal(fired_by(1001), 1);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 0);
	expect_deadline(NEVER);
}

static void a_tsc_deadline_gone_by_fires_at_once(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 1000);
	assert_int_equal(mw_lapic_pending(&lapic), 0x30);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 0);
	expect_deadline(NEVER);
}

static void a_tsc_deadline_of_zero_disarms(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	mw_lapic_set_tsc_deadline(&lapic, 0, 20);
	expect_deadline(NEVER);
	assert_int_equal(fired_by(1000000), 0);
}

static void tsc_deadline_follows_the_tsc(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	mw_lapic_tsc_moved(&lapic, 5);
	expect_deadline(NEVER);
	mw_lapic_set_tsc_deadline(&lapic, 10000, 10);
	tsc_offset = 4000;
	mw_lapic_tsc_moved(&lapic, 20);
	expect_deadline(3000);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 10000);
	tsc_offset = 9990;
	mw_lapic_tsc_moved(&lapic, 30);
	assert_int_equal(fired_by(30), 1);
}

static void a_moved_tsc_leaves_a_count_alone(void **state)
{
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1000);
	tsc_offset = 4000;
	mw_lapic_tsc_moved(&lapic, 10);
	expect_deadline(1000);
}

static void a_tsc_deadline_that_was_due_is_not_lost(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	mw_lapic_set_tsc_deadline(&lapic, 9000, 1001);
	assert_int_equal(fired_by(1001), 1);
	expect_deadline(4500);
	tsc_offset = (uint64_t)-2000;
	mw_lapic_tsc_moved(&lapic, 4500);
	assert_int_equal(fired_by(4500), 1);
	expect_deadline(NEVER);
}

static void each_mode_ignores_the_others_register(void **state)
{
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 0);
	expect_deadline(NEVER);
	put_at(0, LVT_TIMER, DEADLINE | 0x30);
	put_at(0, INITIAL, 1000);
	assert_int_equal(mw_lapic_read(&lapic, INITIAL, 0), 0);
	expect_deadline(NEVER);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	assert_int_equal(count_at(500), 0);
	put_at(500, DIVIDE, BY_128);
	expect_deadline(1000);
}

static void leaving_or_entering_tsc_deadline_mode_disarms(void **state)
{
	put_at(0, DIVIDE, BY_1);
	put_at(0, INITIAL, 1000);
	put_at(10, LVT_TIMER, DEADLINE | 0x30);
	expect_deadline(NEVER);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	put_at(20, LVT_TIMER, DEADLINE | MASKED | 0x30);
	expect_deadline(1000);
	put_at(30, LVT_TIMER, 0x30);
	expect_deadline(NEVER);
	assert_int_equal(mw_lapic_tsc_deadline(&lapic), 0);
	assert_int_equal(count_at(40), 0);
}

static void the_reserved_mode_never_counts(void **state)
{
	put_at(0, LVT_TIMER, DEADLINE | PERIODIC | 0x30);
	put_at(0, INITIAL, 1000);
	mw_lapic_set_tsc_deadline(&lapic, 2000, 10);
	expect_deadline(NEVER);
}

static void time_may_come_to_its_end(void **state)
{
	uint64_t late = UINT64_MAX - 10;

	put_at(late, DIVIDE, BY_1);
	put_at(late, LVT_TIMER, PERIODIC | 0x30);
	put_at(late, INITIAL, 50000);
	expect_deadline(NEVER);
	assert_int_equal(fired_by(UINT64_MAX), 0);
	put_at(late, LVT_TIMER, 0x30);
	put_at(late, INITIAL, 5);
	assert_int_equal(fired_by(UINT64_MAX), 1);
	put_at(0, LVT_TIMER, PERIODIC | 0x30);
	put_at(0, INITIAL, 50000);
	assert_int_equal(fired_by(late), 1);
	expect_deadline(NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, power_up, power_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_shot_counts_down_and_fires_once),
		TEST(a_count_of_one_is_exact_too),
		TEST(every_divisor_divides),
		TEST(a_count_changes_at_the_end_of_its_tick),
		TEST(an_initial_count_of_zero_stops_it),
		TEST(a_new_initial_count_starts_over),
		TEST(what_was_due_is_not_lost_to_a_new_count),
		TEST(periodic_keeps_its_phase),
		TEST(missed_periods_are_one_interrupt),
		TEST(a_tiny_period_does_not_flood),
		TEST(masked_it_counts_and_is_silent),
		TEST(one_shot_and_periodic_share_a_running_count),
		TEST(a_new_divisor_goes_on_with_the_count),
		TEST(tsc_deadline_fires_once_at_its_time),
		TEST(a_tsc_deadline_gone_by_fires_at_once),
		TEST(a_tsc_deadline_of_zero_disarms),
		TEST(tsc_deadline_follows_the_tsc),
		TEST(a_moved_tsc_leaves_a_count_alone),
		TEST(a_tsc_deadline_that_was_due_is_not_lost),
		TEST(each_mode_ignores_the_others_register),
		TEST(leaving_or_entering_tsc_deadline_mode_disarms),
		TEST(the_reserved_mode_never_counts),
		TEST(time_may_come_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
