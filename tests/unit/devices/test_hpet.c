/* High precision event timer, read like IA-PC HPET Specification 1.0a, chapter 2. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/registry.h"
#include "tests/support/rig.h"

extern const struct mw_device_type hpet_type;

enum { CAPABILITIES = 0x000, CONFIG = 0x010, STATUS = 0x020, COUNTER = 0x0f0 };
enum { T0 = 0x100, T1 = 0x120, T2 = 0x140, COMPARATOR = 8, FSB = 16 };
enum { ON = 1, LEGACY = 2 };
enum { LEVEL = 2, ENABLE = 4, PERIODIC = 8, CAN_REPEAT = 0x10, IS_64 = 0x20, SET = 0x40 };
enum { MODE_32 = 0x100 };
/* The bench gives `irq:n` GSI n. */
enum { ROUTE_1 = 1 << 9, ROUTE_2 = 2 << 9 };

static int set_up(void **state)
{
	*state = rig_create(&hpet_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint64_t get(struct rig *rig, unsigned at)
{
	return rig_read(rig, "regs", at, 8);
}

static void put(struct rig *rig, unsigned at, uint64_t value)
{
	rig_write(rig, "regs", at, 8, value);
}

static void ticks(struct rig *rig, uint64_t count)
{
	rig_advance(rig, count * 10);
}

static unsigned rises(struct rig *rig, const char *wire, unsigned index)
{
	return rig_rises(rig, wire, index);
}

static void capabilities_tell_three_timers_of_64_bits_and_100_mhz(void **state)
{
	uint64_t value = get(*state, CAPABILITIES);

	assert_int_equal(value & 0xff, 1);
	assert_int_equal(value >> 8 & 0x1f, 2); /* the last timer's number */
	assert_int_equal(value >> 13 & 1, 1);   /* 64 bits */
	assert_int_equal(value >> 15 & 1, 1);   /* legacy replacement */
	assert_int_equal(value >> 16 & 0xffff, 0x8086);
	assert_int_equal(value >> 32, 10000000);
	put(*state, CAPABILITIES, 0);
	assert_int_equal(get(*state, CAPABILITIES), value);
}

static void the_table_has_the_same_id_as_the_register(void **state)
{
	const struct mw_role_row *role = mw_type_role(&hpet_type, MW_ROLE_HPET);

	assert_non_null(role);
	assert_int_equal(role->value, get(*state, CAPABILITIES) & UINT32_MAX);
}

static void only_timer_0_repeats(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		unsigned at = T0 + i * 0x20;

		put(*state, at, UINT64_MAX & ~(uint64_t)SET);
		assert_int_equal(get(*state, at) & PERIODIC, i ? 0 : PERIODIC);
		assert_int_equal(get(*state, at) & CAN_REPEAT, i ? 0 : CAN_REPEAT);
		assert_int_equal(get(*state, at) & IS_64, IS_64);
	}
}

static void a_timer_has_one_route_which_is_its_line(void **state)
{
	assert_int_equal(get(*state, T2) >> 32, 1u << 2);
	put(*state, T2, ROUTE_2);
	assert_int_equal(get(*state, T2) & 0x3e00, ROUTE_2);
	put(*state, T2, ROUTE_1); /* 2.3.8: one that it cannot do does not read back */
	assert_int_equal(get(*state, T2) & 0x3e00, ROUTE_2);
}

static void the_counter_stands_until_it_is_enabled(void **state)
{
	ticks(*state, 5);
	assert_int_equal(get(*state, COUNTER), 0);
	put(*state, CONFIG, ON);
	ticks(*state, 7);
	assert_int_equal(get(*state, COUNTER), 7);
	put(*state, CONFIG, 0);
	ticks(*state, 9);
	assert_int_equal(get(*state, COUNTER), 7);
	put(*state, CONFIG, ON);
	ticks(*state, 1);
	assert_int_equal(get(*state, COUNTER), 8);
}

static void the_counter_is_written_and_read_in_halves_too(void **state)
{
	rig_write(*state, "regs", COUNTER, 4, 0xfffffffe);
	rig_write(*state, "regs", COUNTER + 4, 4, 5);
	assert_int_equal(get(*state, COUNTER), 0x5fffffffe);
	put(*state, CONFIG, ON);
	ticks(*state, 3);
	assert_int_equal(rig_read(*state, "regs", COUNTER, 4), 1);
	assert_int_equal(rig_read(*state, "regs", COUNTER + 4, 4), 6);
}

static void begin(struct rig *rig, unsigned timer, uint64_t config, uint64_t comparator)
{
	put(rig, timer, config);
	put(rig, timer + COMPARATOR, comparator);
	put(rig, CONFIG, ON);
}

static void a_match_interrupts_once_per_turn(void **state)
{
	begin(*state, T2, ENABLE | ROUTE_2, 1000);
	ticks(*state, 999);
	assert_int_equal(rises(*state, "irq", 2), 0);
	ticks(*state, 1);
	assert_int_equal(rises(*state, "irq", 2), 1);
	ticks(*state, 100000);
	assert_int_equal(rises(*state, "irq", 2), 0);
	assert_int_equal(get(*state, STATUS), 0); /* of an edge: always 0 */
	put(*state, T2 + COMPARATOR, 200000);
	ticks(*state, 100000);
	assert_int_equal(rises(*state, "irq", 2), 1);
}

static void without_its_enable_bit_a_timer_does_not_interrupt(void **state)
{
	begin(*state, T2, LEVEL | ROUTE_2, 1000);
	ticks(*state, 2000);
	assert_false(rig_line(*state, "irq", 2));
	assert_int_equal(get(*state, STATUS), 4); /* but it keeps its status */
	put(*state, T2, LEVEL | ENABLE | ROUTE_2);
	assert_true(rig_line(*state, "irq", 2));
}

static void a_level_stays_until_its_status_is_cleared(void **state)
{
	begin(*state, T1, LEVEL | ENABLE | ROUTE_1, 1000);
	ticks(*state, 1000);
	assert_true(rig_line(*state, "irq", 1));
	assert_int_equal(get(*state, STATUS), 2);
	put(*state, STATUS, 5);
	assert_true(rig_line(*state, "irq", 1));
	put(*state, STATUS, 2);
	assert_false(rig_line(*state, "irq", 1));
	assert_int_equal(get(*state, STATUS), 0);
}

static void a_route_that_is_not_chosen_gets_nothing(void **state)
{
	begin(*state, T1, LEVEL | ENABLE, 1000); /* route 0 */
	ticks(*state, 1000);
	assert_int_equal(get(*state, STATUS), 2);
	assert_false(rig_line(*state, "irq", 1));
	put(*state, T1, LEVEL | ENABLE | ROUTE_1);
	assert_true(rig_line(*state, "irq", 1));
}

static void timer_of_32_bits_matches_in_each_turn_of_its_half(void **state)
{
	rig_write(*state, "regs", COUNTER, 4, 0xffffff00);
	begin(*state, T2, ENABLE | MODE_32 | ROUTE_2, 0x100);
	ticks(*state, 0x1ff);
	assert_int_equal(rises(*state, "irq", 2), 0);
	ticks(*state, 1);
	assert_int_equal(rises(*state, "irq", 2), 1);
	ticks(*state, 0xffffffff);
	assert_int_equal(rises(*state, "irq", 2), 0);
	ticks(*state, 1);
	assert_int_equal(rises(*state, "irq", 2), 1);
}

static void upper_half_of_a_32_bit_comparator_is_zero(void **state)
{
	put(*state, T2 + COMPARATOR, 0x123456789a);
	put(*state, T2, MODE_32);
	assert_int_equal(get(*state, T2 + COMPARATOR), 0x3456789a);
	put(*state, T2 + COMPARATOR, 0x123456789a);
	assert_int_equal(get(*state, T2 + COMPARATOR), 0x3456789a);
}

/* 2.3.9.2.2, the steps given there. */
static void begin_periodic(struct rig *rig, uint64_t period)
{
	put(rig, T0, ENABLE | PERIODIC | SET);
	put(rig, T0 + COMPARATOR, period);
	put(rig, CONFIG, ON);
}

static void a_periodic_timer_adds_its_period(void **state)
{
	begin_periodic(*state, 0x12300);
	for (unsigned i = 1; i <= 5; i++) {
		assert_int_equal(get(*state, T0 + COMPARATOR), 0x12300 * i);
		ticks(*state, 0x12300);
		assert_int_equal(rises(*state, "irq", 0), 1);
	}
}

static void periods_that_were_missed_are_one_interrupt(void **state)
{
	begin_periodic(*state, 10000);
	rig_stop(*state);
	rig_start(*state);
	ticks(*state, 95000);
	assert_in_range(rises(*state, "irq", 0), 1, 9);
	assert_int_equal(get(*state, T0 + COMPARATOR), 100000);
	ticks(*state, 5000);
	assert_int_equal(rises(*state, "irq", 0), 1);
}

/* As Linux does it: the first match with SET, then the period without. */
static void first_match_and_period_can_differ(void **state)
{
	put(*state, T0, ENABLE | PERIODIC | SET | MODE_32);
	rig_write(*state, "regs", T0 + COMPARATOR, 4, 30000);
	rig_write(*state, "regs", T0 + COMPARATOR, 4, 20000);
	put(*state, CONFIG, ON);
	assert_int_equal(get(*state, T0 + COMPARATOR), 30000);
	ticks(*state, 29999);
	assert_int_equal(rises(*state, "irq", 0), 0);
	ticks(*state, 1);
	assert_int_equal(rises(*state, "irq", 0), 1);
	assert_int_equal(get(*state, T0 + COMPARATOR), 50000);
}

static void a_comparator_of_64_bits_is_set_in_two_halves(void **state)
{
	put(*state, T0, ENABLE | PERIODIC | SET);
	rig_write(*state, "regs", T0 + COMPARATOR, 4, 0x1000);
	put(*state, T0, ENABLE | PERIODIC | SET);
	rig_write(*state, "regs", T0 + COMPARATOR + 4, 4, 0x2);
	assert_int_equal(get(*state, T0 + COMPARATOR), 0x200001000);
}

static void a_short_period_does_not_storm(void **state)
{
	begin_periodic(*state, 1);
	ticks(*state, 100000); /* 1 ms */
	assert_in_range(rises(*state, "irq", 0), 1, 25);
	assert_int_equal(get(*state, T0 + COMPARATOR), 100001);
}

static void legacy_replacement_takes_irq_0_and_irq_8(void **state)
{
	put(*state, T0, ENABLE);
	put(*state, T0 + COMPARATOR, 1000);
	put(*state, T1, ENABLE | ROUTE_1);
	put(*state, T1 + COMPARATOR, 2000);
	assert_false(rig_line(*state, "pit_off", 0));
	put(*state, CONFIG, LEGACY);
	assert_false(rig_line(*state, "pit_off", 0)); /* 2.3.5: both bits are needed */
	put(*state, CONFIG, ON | LEGACY);
	assert_true(rig_line(*state, "pit_off", 0));
	assert_true(rig_line(*state, "rtc_off", 0));
	ticks(*state, 1000);
	assert_int_equal(rises(*state, "irq0", 0), 1);
	assert_int_equal(rises(*state, "irq8", 0), 0);
	ticks(*state, 1000);
	assert_int_equal(rises(*state, "irq8", 0), 1);
	assert_int_equal(rises(*state, "irq", 0), 0);
	assert_int_equal(rises(*state, "irq", 1), 0);
	put(*state, CONFIG, 0);
	assert_false(rig_line(*state, "irq0", 0));
	assert_false(rig_line(*state, "pit_off", 0));
}

static void timer_2_keeps_its_route_with_legacy_replacement(void **state)
{
	put(*state, T2, ENABLE | ROUTE_2);
	put(*state, T2 + COMPARATOR, 1000);
	put(*state, CONFIG, ON | LEGACY);
	ticks(*state, 1000);
	assert_int_equal(rises(*state, "irq", 2), 1);
}

/* An 8259 forgets a request whose pin falls before it is acknowledged. */
static void an_edge_stays_high_until_the_next(void **state)
{
	begin_periodic(*state, 10000);
	ticks(*state, 10000);
	assert_true(rig_line(*state, "irq", 0));
	ticks(*state, 9999);
	assert_true(rig_line(*state, "irq", 0));
	rises(*state, "irq", 0);
	ticks(*state, 1);
	assert_int_equal(rises(*state, "irq", 0), 1);
	put(*state, T0, 0);
	assert_false(rig_line(*state, "irq", 0));
}

static void reserved_registers_are_zero(void **state)
{
	put(*state, T0 + FSB, UINT64_MAX);
	assert_int_equal(get(*state, T0 + FSB), 0);
	assert_int_equal(get(*state, 0x160), 0);
	assert_int_equal(get(*state, 0x008), 0);
	assert_int_equal(get(*state, 0x3f8), 0);
}

static void a_timer_under_way_is_saved(void **state)
{
	uint8_t bytes[512];
	size_t count;

	begin_periodic(*state, 10000);
	ticks(*state, 5000);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(count <= sizeof(bytes));
	memcpy(bytes, saved, count);
	put(*state, CONFIG, 0);
	assert_true(rig_load(*state, bytes, count));
	ticks(*state, 5000);
	assert_int_equal(rises(*state, "irq", 0), 1);
	assert_int_equal(get(*state, T0 + COMPARATOR), 20000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(capabilities_tell_three_timers_of_64_bits_and_100_mhz),
		TEST(the_table_has_the_same_id_as_the_register),
		TEST(only_timer_0_repeats),
		TEST(a_timer_has_one_route_which_is_its_line),
		TEST(the_counter_stands_until_it_is_enabled),
		TEST(the_counter_is_written_and_read_in_halves_too),
		TEST(a_match_interrupts_once_per_turn),
		TEST(without_its_enable_bit_a_timer_does_not_interrupt),
		TEST(a_level_stays_until_its_status_is_cleared),
		TEST(a_route_that_is_not_chosen_gets_nothing),
		TEST(timer_of_32_bits_matches_in_each_turn_of_its_half),
		TEST(upper_half_of_a_32_bit_comparator_is_zero),
		TEST(a_periodic_timer_adds_its_period),
		TEST(periods_that_were_missed_are_one_interrupt),
		TEST(first_match_and_period_can_differ),
		TEST(a_comparator_of_64_bits_is_set_in_two_halves),
		TEST(a_short_period_does_not_storm),
		TEST(legacy_replacement_takes_irq_0_and_irq_8),
		TEST(timer_2_keeps_its_route_with_legacy_replacement),
		TEST(an_edge_stays_high_until_the_next),
		TEST(reserved_registers_are_zero),
		TEST(a_timer_under_way_is_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
