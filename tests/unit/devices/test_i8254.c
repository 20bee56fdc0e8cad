/* 8254 interval timer and port 0x61, read like the data sheet (Intel 231164-005: "Programming",
 * "Read operations", "Mode definitions", figures 7-22). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type i8254_type;

enum { CONTROL = 3, SPEAKER = 2, LATCH = 0x00, LOW = 0x10, HIGH = 0x20, BOTH = 0x30, BCD = 1 };
enum { MODE0 = 0x0, MODE1 = 0x2, MODE2 = 0x4, MODE3 = 0x6, MODE4 = 0x8, MODE5 = 0xa };
enum { READ_BACK = 0xc0, NO_COUNT = 0x20, NO_STATUS = 0x10, OUT = 0x80, NULL_COUNT = 0x40 };
enum { GATE = 0x01, SPEAKER_DATA = 0x02, REFRESH = 0x10, OUT2 = 0x20 };
#define HZ        UINT64_C(1193182)
#define SECOND_NS UINT64_C(1000000000)

static int set_up(void **state)
{
	*state = rig_create(&i8254_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void out(struct rig *rig, unsigned reg, unsigned value)
{
	rig_write(rig, "timer", reg, 1, value);
}

static uint8_t in(struct rig *rig, unsigned reg)
{
	return (uint8_t)rig_read(rig, "timer", reg, 1);
}

static void out61(struct rig *rig, unsigned value)
{
	rig_write(rig, "port61", 0, 1, value);
}

static uint8_t in61(struct rig *rig)
{
	return (uint8_t)rig_read(rig, "port61", 0, 1);
}

static uint64_t clock_now(struct rig *rig)
{
	uint64_t now = rig_now(rig);

	return now / SECOND_NS * HZ + now % SECOND_NS * HZ / SECOND_NS;
}

/* Moves to the first ns of the clock that is `count` away. */
static void clocks(struct rig *rig, uint64_t count)
{
	uint64_t at = clock_now(rig) + count;
	uint64_t ns = at / HZ * SECOND_NS + (at % HZ * SECOND_NS + HZ - 1) / HZ;

	rig_advance(rig, ns - rig_now(rig));
	assert_int_equal(clock_now(rig), at);
}

static void program(struct rig *rig, unsigned counter, unsigned mode, unsigned count)
{
	out(rig, CONTROL, counter << 6 | BOTH | mode);
	out(rig, counter, count & 0xff);
	out(rig, counter, count >> 8);
}

static unsigned count(struct rig *rig, unsigned counter)
{
	unsigned low;

	out(rig, CONTROL, counter << 6 | LATCH);
	low = in(rig, counter);
	return low | (unsigned)in(rig, counter) << 8;
}

static uint8_t status(struct rig *rig, unsigned counter)
{
	out(rig, CONTROL, READ_BACK | NO_COUNT | 2u << counter);
	return in(rig, counter);
}

static bool out_of(struct rig *rig, unsigned counter)
{
	return status(rig, counter) & OUT;
}

static bool irq(struct rig *rig)
{
	return rig_line(rig, "irq", 0);
}

/* Reset */

static void reset_leaves_counters_without_a_count(void **state)
{
	program(*state, 0, MODE2, 100);
	out61(*state, GATE | SPEAKER_DATA);
	rig_reset(*state);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(status(*state, i) & NULL_COUNT, NULL_COUNT);
	assert_int_equal(in61(*state) & (GATE | SPEAKER_DATA), 0);
	rig_rises(*state, "irq", 0);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
}

/* Figure 14: reading the control word register is no operation. */
static void control_register_cannot_be_read(void **state)
{
	assert_int_equal(in(*state, CONTROL), 0xff);
}

/* Mode 0 */

/* "OUT does not go high until N + 1 CLK pulses after the initial count is written." */
static void mode_0_ends_n_plus_1_clocks_after_the_count(void **state)
{
	program(*state, 0, MODE0, 4);
	assert_false(irq(*state));
	clocks(*state, 4);
	assert_false(irq(*state));
	clocks(*state, 1);
	assert_true(irq(*state));
	clocks(*state, 100000);
	assert_true(irq(*state));
}

static void mode_0_counts_down_and_goes_round(void **state)
{
	program(*state, 0, MODE0, 3);
	clocks(*state, 1);
	for (unsigned expected = 3; expected + 1 > 0; expected--, clocks(*state, 1))
		assert_int_equal(count(*state, 0), expected);
	assert_int_equal(count(*state, 0), 0xffff);
	clocks(*state, 0x10000 + 5);
	assert_int_equal(count(*state, 0), 0xfffa);
}

/* Figure 22: zero is 2^16. */
static void count_of_zero_is_the_largest(void **state)
{
	program(*state, 0, MODE0, 0);
	clocks(*state, 0x10000);
	assert_false(irq(*state));
	assert_int_equal(count(*state, 0), 1);
	clocks(*state, 1);
	assert_true(irq(*state));
}

static void mode_0_takes_a_new_count_at_the_next_clock(void **state)
{
	out(*state, CONTROL, LOW | MODE0);
	out(*state, 0, 100);
	clocks(*state, 50);
	out(*state, 0, 10);
	clocks(*state, 10);
	assert_false(irq(*state));
	clocks(*state, 1);
	assert_true(irq(*state));
	out(*state, 0, 10);
	assert_false(irq(*state));
}

/* "Writing the first byte disables counting. OUT is set low immediately." */
static void first_byte_of_two_stops_mode_0(void **state)
{
	program(*state, 0, MODE0, 100);
	clocks(*state, 201);
	assert_true(irq(*state));
	out(*state, 0, 50);
	assert_false(irq(*state));
	clocks(*state, 1000);
	assert_int_equal(count(*state, 0), 0x10000 - 100);
	assert_false(irq(*state));
	out(*state, 0, 0);
	clocks(*state, 51);
	assert_true(irq(*state));
}

/* "If an initial count is written while GATE = 0, it will still be loaded on the next CLK pulse.
 * When GATE goes to 1, OUT will go high N CLK pulses later." */
static void gate_holds_mode_0(void **state)
{
	program(*state, SPEAKER, MODE0, 10);
	clocks(*state, 20);
	assert_int_equal(count(*state, SPEAKER), 10);
	out61(*state, GATE);
	clocks(*state, 4);
	out61(*state, 0);
	clocks(*state, 100);
	assert_int_equal(count(*state, SPEAKER), 6);
	out61(*state, GATE);
	clocks(*state, 5);
	assert_false(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_true(in61(*state) & OUT2);
}

/* Mode 1 */

static void mode_1_waits_for_a_trigger(void **state)
{
	program(*state, SPEAKER, MODE1, 10);
	clocks(*state, 100);
	assert_int_equal(status(*state, SPEAKER), OUT | NULL_COUNT | BOTH | MODE1);
	out61(*state, GATE);
	assert_true(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_false(in61(*state) & OUT2);
	assert_int_equal(status(*state, SPEAKER), BOTH | MODE1);
	clocks(*state, 9);
	assert_false(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_true(in61(*state) & OUT2);
}

/* "The one-shot is retriggerable"; the gate's level does not count, and a new count is taken at the
 * next trigger. */
static void trigger_starts_mode_1_again(void **state)
{
	program(*state, SPEAKER, MODE1, 10);
	out61(*state, GATE);
	clocks(*state, 6);
	out61(*state, 0);
	out(*state, SPEAKER, 20);
	out(*state, SPEAKER, 0);
	clocks(*state, 2);
	assert_int_equal(count(*state, SPEAKER), 3);
	out61(*state, GATE);
	clocks(*state, 20);
	assert_false(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_true(in61(*state) & OUT2);
}

static void modes_that_need_a_trigger_never_interrupt(void **state)
{
	program(*state, 0, MODE1, 10);
	rig_rises(*state, "irq", 0);
	rig_advance(*state, SECOND_NS);
	program(*state, 0, MODE5, 10);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	assert_true(irq(*state));
}

/* Mode 2 */

/* Figure 17: low for the clock in which the count is one; then it is loaded again. */
static void mode_2_is_low_for_one_clock(void **state)
{
	program(*state, 0, MODE2, 3);
	assert_true(irq(*state));
	clocks(*state, 1);
	for (unsigned i = 0; i < 9; i++, clocks(*state, 1)) {
		assert_int_equal(count(*state, 0), 3 - i % 3);
		assert_int_equal(out_of(*state, 0), i % 3 != 2);
	}
}

static void mode_2_gives_an_edge_each_period(void **state)
{
	program(*state, 0, MODE2, 1193);
	rig_rises(*state, "irq", 0);
	clocks(*state, 1193);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	for (unsigned i = 0; i < 50; i++) {
		clocks(*state, 1);
		assert_int_equal(rig_rises(*state, "irq", 0), 1);
		assert_true(irq(*state));
		clocks(*state, 1192);
		assert_int_equal(rig_rises(*state, "irq", 0), 0);
	}
}

/* "The current counting sequence is not affected": a new count comes with the next period. */
static void new_count_of_mode_2_waits_for_the_period(void **state)
{
	program(*state, 0, MODE2, 1000);
	clocks(*state, 501);
	out(*state, 0, 2000 & 0xff);
	out(*state, 0, 2000 >> 8);
	assert_int_equal(status(*state, 0) & NULL_COUNT, NULL_COUNT);
	clocks(*state, 499);
	assert_int_equal(count(*state, 0), 1);
	clocks(*state, 1);
	assert_int_equal(count(*state, 0), 2000);
	assert_int_equal(status(*state, 0) & NULL_COUNT, 0);
}

/* Figure 21: low sets OUT high at once and stops; a rising edge starts with the whole count. */
static void gate_restarts_mode_2(void **state)
{
	out61(*state, GATE);
	program(*state, SPEAKER, MODE2, 10);
	clocks(*state, 10);
	assert_false(in61(*state) & OUT2);
	out61(*state, 0);
	assert_true(in61(*state) & OUT2);
	clocks(*state, 1000);
	assert_int_equal(count(*state, SPEAKER), 1);
	out61(*state, GATE);
	clocks(*state, 1);
	assert_int_equal(count(*state, SPEAKER), 10);
}

/* Mode 3 */

/* Figure 18, even: half of the count high, half low, counting by two. */
static void mode_3_is_a_square_wave(void **state)
{
	static const uint8_t counts[] = { 4, 2, 4, 2 };

	program(*state, 0, MODE3, 4);
	clocks(*state, 1);
	for (unsigned i = 0; i < 12; i++, clocks(*state, 1)) {
		assert_int_equal(count(*state, 0), counts[i % 4]);
		assert_int_equal(out_of(*state, 0), i % 4 < 2);
	}
}

/* Figure 18, odd: N - 1 is loaded; high for (N + 1) / 2 clocks, low for (N - 1) / 2. */
static void odd_count_of_mode_3_is_high_one_clock_longer(void **state)
{
	static const uint8_t counts[] = { 4, 2, 0, 4, 2 };

	program(*state, 0, MODE3, 5);
	clocks(*state, 1);
	for (unsigned i = 0; i < 15; i++, clocks(*state, 1)) {
		assert_int_equal(count(*state, 0), counts[i % 5]);
		assert_int_equal(out_of(*state, 0), i % 5 < 3);
	}
}

static void mode_3_shows_both_edges_on_the_line(void **state)
{
	program(*state, 0, MODE3, 0);
	rig_rises(*state, "irq", 0);
	clocks(*state, 0x8000);
	assert_true(irq(*state));
	clocks(*state, 1);
	assert_false(irq(*state));
	clocks(*state, 0x8000);
	assert_true(irq(*state));
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

/* "The new count will be loaded at the end of the current half-cycle." */
static void new_count_of_mode_3_waits_for_the_half(void **state)
{
	program(*state, 0, MODE3, 1000);
	clocks(*state, 101);
	out(*state, 0, 200);
	out(*state, 0, 0);
	clocks(*state, 399);
	assert_true(irq(*state));
	clocks(*state, 1);
	assert_false(irq(*state));
	clocks(*state, 99);
	assert_false(irq(*state));
	clocks(*state, 1);
	assert_true(irq(*state));
}

/* Figure 22: 1 is not allowed there; whatever it does, it does no harm. */
static void count_of_one_is_harmless_in_modes_2_and_3(void **state)
{
	program(*state, 0, MODE2, 1);
	rig_advance(*state, SECOND_NS);
	assert_in_range(count(*state, 0), 1, 2);
	program(*state, 0, MODE3, 1);
	rig_advance(*state, SECOND_NS);
	assert_in_range(count(*state, 0), 0, 2);
}

/* Modes 4 and 5 */

/* Figure 19: low for one clock, N + 1 clocks after the count is written, and only once. */
static void mode_4_strobes_once(void **state)
{
	program(*state, 0, MODE4, 10);
	rig_rises(*state, "irq", 0);
	clocks(*state, 11);
	assert_false(out_of(*state, 0));
	clocks(*state, 1);
	assert_true(out_of(*state, 0));
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_int_equal(count(*state, 0), 0xffff);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
}

static void strobe_of_mode_4_is_an_edge_though_nobody_looks(void **state)
{
	program(*state, 0, MODE4, 1000);
	rig_rises(*state, "irq", 0);
	clocks(*state, 1001);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	clocks(*state, 1);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

static void new_count_triggers_mode_4_again(void **state)
{
	program(*state, 0, MODE4, 1000);
	rig_rises(*state, "irq", 0);
	clocks(*state, 900);
	out(*state, 0, 1000 & 0xff); /* the first byte has no effect */
	assert_int_equal(count(*state, 0), 101);
	out(*state, 0, 1000 >> 8);
	clocks(*state, 1001);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	clocks(*state, 1);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

static void gate_holds_mode_4_and_leaves_out_alone(void **state)
{
	program(*state, SPEAKER, MODE4, 10);
	clocks(*state, 100);
	assert_int_equal(count(*state, SPEAKER), 10);
	assert_true(in61(*state) & OUT2);
	out61(*state, GATE);
	clocks(*state, 10);
	assert_false(in61(*state) & OUT2);
	out61(*state, 0);
	clocks(*state, 1);
	assert_true(in61(*state) & OUT2);
}

/* Figure 20 */
static void mode_5_strobes_after_its_trigger(void **state)
{
	program(*state, SPEAKER, MODE5, 10);
	clocks(*state, 100);
	out61(*state, GATE);
	clocks(*state, 5);
	out61(*state, 0); /* the level does not count */
	clocks(*state, 5);
	assert_true(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_false(in61(*state) & OUT2);
	clocks(*state, 1);
	assert_true(in61(*state) & OUT2);
	out61(*state, GATE);
	clocks(*state, 11);
	assert_false(in61(*state) & OUT2);
}

/* Programming and reading */

static void access_to_one_byte_leaves_the_other_zero(void **state)
{
	out(*state, CONTROL, HIGH | MODE0);
	out(*state, 0, 0x12);
	clocks(*state, 1);
	assert_int_equal(in(*state, 0), 0x12);
	clocks(*state, 1);
	assert_int_equal(in(*state, 0), 0x11);
	out(*state, CONTROL, LOW | MODE0);
	out(*state, 0, 0x34);
	clocks(*state, 1);
	assert_int_equal(in(*state, 0), 0x34);
	clocks(*state, 0x35);
	assert_int_equal(in(*state, 0), 0xff);
}

/* "Read LSB, write new LSB, read MSB, write new MSB" is a valid sequence. */
static void reads_and_writes_have_flip_flops_of_their_own(void **state)
{
	program(*state, 0, MODE2, 0x1234);
	clocks(*state, 1);
	assert_int_equal(in(*state, 0), 0x34);
	out(*state, 0, 0x78);
	assert_int_equal(in(*state, 0), 0x12);
	out(*state, 0, 0x56);
	clocks(*state, 0x1234);
	assert_int_equal(count(*state, 0), 0x5678);
}

/* "The count is held in the latch until it is read or the counter is reprogrammed." */
static void latch_holds_the_count_until_it_is_read(void **state)
{
	program(*state, 0, MODE2, 1000);
	clocks(*state, 11);
	out(*state, CONTROL, LATCH);
	clocks(*state, 100);
	out(*state, CONTROL, LATCH); /* ignored */
	assert_int_equal(in(*state, 0), 990 & 0xff);
	clocks(*state, 100);
	assert_int_equal(in(*state, 0), 990 >> 8);
	assert_int_equal(count(*state, 0), 790);
	out(*state, CONTROL, LATCH);
	out(*state, CONTROL, LOW | MODE0);
	out(*state, 0, 7);
	clocks(*state, 1);
	assert_int_equal(in(*state, 0), 7);
}

/* Figure 10: several counters in one command. */
static void read_back_latches_chosen_counters(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		program(*state, i, MODE2, 1000 * (i + 1));
	clocks(*state, 1);
	out(*state, CONTROL, READ_BACK | NO_STATUS | 2u << 0 | 2u << 1);
	clocks(*state, 50);
	assert_int_equal(in(*state, 0), 1000 & 0xff);
	assert_int_equal(in(*state, 0), 1000 >> 8);
	assert_int_equal(in(*state, 1), 2000 & 0xff);
	assert_int_equal(in(*state, 1), 2000 >> 8);
	assert_int_equal(count(*state, 0), 950);
}

/* "The first read operation will return latched status; the next one or two return the count." */
static void read_back_gives_status_before_count(void **state)
{
	program(*state, 0, MODE3 | BCD, 0x1234);
	clocks(*state, 1);
	out(*state, CONTROL, READ_BACK | 2u << 0);
	clocks(*state, 500);
	out(*state, CONTROL, READ_BACK | 2u << 0); /* ignored */
	assert_int_equal(in(*state, 0), OUT | BOTH | MODE3 | BCD);
	assert_int_equal(in(*state, 0), 0x34);
	assert_int_equal(in(*state, 0), 0x12);
}

/* Figure 12; figure 11: the rest is as written. */
static void null_count_tells_whether_the_count_is_loaded(void **state)
{
	out(*state, CONTROL, BOTH | MODE2);
	assert_int_equal(status(*state, 0), OUT | NULL_COUNT | BOTH | MODE2);
	out(*state, 0, 100);
	out(*state, 0, 0);
	assert_int_equal(status(*state, 0), OUT | NULL_COUNT | BOTH | MODE2);
	clocks(*state, 1);
	assert_int_equal(status(*state, 0), OUT | BOTH | MODE2);
}

/* Figure 7: bit 2 of the mode does not matter for 2 and 3, but the status has what was written. */
static void modes_6_and_7_are_2_and_3(void **state)
{
	program(*state, 0, 0xc, 3);
	clocks(*state, 3);
	assert_int_equal(count(*state, 0), 1);
	assert_int_equal(status(*state, 0), BOTH | 0xc);
	program(*state, 0, 0xe, 4);
	clocks(*state, 3);
	assert_int_equal(count(*state, 0), 4);
	assert_int_equal(status(*state, 0), BOTH | 0xe);
}

/* BCD */

static void bcd_counter_has_four_decades(void **state)
{
	program(*state, 0, MODE0 | BCD, 0x1000);
	clocks(*state, 2);
	assert_int_equal(count(*state, 0), 0x0999);
	clocks(*state, 999);
	assert_int_equal(count(*state, 0), 0);
	assert_true(irq(*state));
	clocks(*state, 1);
	assert_int_equal(count(*state, 0), 0x9999);
}

static void bcd_count_of_zero_is_ten_thousand(void **state)
{
	program(*state, 0, MODE2 | BCD, 0);
	rig_rises(*state, "irq", 0);
	clocks(*state, 10000);
	assert_int_equal(count(*state, 0), 1);
	clocks(*state, 1);
	assert_int_equal(count(*state, 0), 0);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

static void digits_that_are_none_are_harmless(void **state)
{
	for (unsigned mode = MODE0; mode <= MODE5; mode += 2) {
		program(*state, 0, mode | BCD, 0xffff);
		clocks(*state, 12345);
		count(*state, 0);
	}
}

/* Port 0x61 */

static void port61_keeps_its_low_bits(void **state)
{
	out61(*state, 0xff);
	assert_int_equal(in61(*state) & 0xcf, 0x0f);
	out61(*state, 0);
	assert_int_equal(in61(*state) & 0xcf, 0);
}

/* IBM PC/AT: bit 4 changes with each refresh, every 15.085 us. */
static void refresh_bit_toggles_with_time(void **state)
{
	unsigned toggles = 0, before = in61(*state) & REFRESH;

	for (unsigned i = 0; i < 2000; i++) {
		rig_advance(*state, 5000);
		toggles += (in61(*state) & REFRESH) != before;
		before = in61(*state) & REFRESH;
	}
	assert_int_equal(toggles, 10000000 / 15086);
}

/* Time */

/* A year and a day at 1000 Hz: the edge is where exact arithmetic says. */
static void there_is_no_drift_in_years(void **state)
{
	const uint64_t period = 1193, periods = UINT64_C(366) * 86400 * HZ / period;

	program(*state, 0, MODE2, (unsigned)period);
	clocks(*state, 1 + period * periods - 1);
	assert_int_equal(count(*state, 0), 1);
	rig_rises(*state, "irq", 0);
	clocks(*state, 1);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_int_equal(count(*state, 0), period);
}

static void centuries_do_not_overflow(void **state)
{
	program(*state, 0, MODE2, 0x1000);
	rig_advance(*state, UINT64_C(500) * 365 * 86400 * SECOND_NS);
	clocks(*state, 0x1000 - (clock_now(*state) - 1) % 0x1000);
	assert_int_equal(count(*state, 0), 0x1000);
	clocks(*state, 5);
	assert_int_equal(count(*state, 0), 0x1000 - 5);
}

static void missed_periods_are_one_edge_and_keep_the_phase(void **state)
{
	program(*state, 0, MODE2, 1000);
	rig_rises(*state, "irq", 0);
	clocks(*state, 1 + 10 * 1000 + 300);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	clocks(*state, 699);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	clocks(*state, 1);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

static void missed_halves_are_one_edge_too(void **state)
{
	program(*state, 0, MODE3, 1000);
	rig_rises(*state, "irq", 0);
	clocks(*state, 1 + 3 * 1000 + 200);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_true(irq(*state));
	assert_int_equal(count(*state, 0), 600);
	clocks(*state, 2 * 1000 + 500);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_false(irq(*state));
	assert_int_equal(count(*state, 0), 600);
}

/* A guest may not keep the host busy with 600,000 interrupts a second. */
static void short_periods_do_not_flood(void **state)
{
	uint64_t before;

	program(*state, 0, MODE2, 2);
	rig_rises(*state, "irq", 0);
	before = rig_now(*state);
	while (rig_now(*state) < before + 10000000)
		rig_advance(*state, 1000);
	assert_in_range(rig_rises(*state, "irq", 0), 150, 200);
}

static void counter_that_shows_nothing_needs_no_timer(void **state)
{
	struct rig *rig = *state;

	program(rig, 1, MODE2, 18);
	program(rig, SPEAKER, MODE3, 1000);
	rig_rises(rig, "irq", 0);
	rig_advance(rig, SECOND_NS);
	assert_int_equal(rig_rises(rig, "irq", 0), 0);
	assert_int_equal(count(rig, 1), 18 - (clock_now(rig) - 1) % 18);
}

/* Snapshots */

static void copy(struct rig *from, struct rig *to)
{
	size_t size;
	const uint8_t *saved = rig_save(from, &size);

	assert_true(rig_load(to, saved, size));
	rig_advance(to, rig_now(from) - rig_now(to));
}

static void saved_counter_goes_on_in_another_machine(void **state)
{
	struct rig *other = rig_create(&i8254_type, NULL);

	program(*state, 0, MODE2, 1000);
	out61(*state, GATE);
	program(*state, SPEAKER, MODE3, 501);
	clocks(*state, 1 + 400);
	out(*state, CONTROL, READ_BACK | 2u << 0);
	out(*state, SPEAKER, 0x77); /* half a count */
	copy(*state, other);
	assert_int_equal(in(other, 0), OUT | BOTH | MODE2);
	assert_int_equal(in(other, 0), 600 & 0xff);
	assert_int_equal(in(other, 0), 600 >> 8);
	assert_int_equal(count(other, SPEAKER), count(*state, SPEAKER));
	assert_int_equal(in61(other), in61(*state));
	rig_rises(other, "irq", 0);
	clocks(other, 599);
	assert_int_equal(rig_rises(other, "irq", 0), 0);
	clocks(other, 1);
	assert_int_equal(rig_rises(other, "irq", 0), 1);
	rig_destroy(other);
}

static void count_that_was_not_loaded_yet_survives_a_snapshot(void **state)
{
	struct rig *other = rig_create(&i8254_type, NULL);

	program(*state, 0, MODE0, 5);
	copy(*state, other);
	assert_int_equal(status(other, 0), NULL_COUNT | BOTH | MODE0);
	clocks(other, 5);
	assert_false(irq(other));
	clocks(other, 1);
	assert_true(irq(other));
	rig_destroy(other);
}

/* IA-PC HPET specification, legacy replacement: the counter goes on, its interrupts do not. */
static void interrupts_are_held_back_while_another_chip_has_the_line(void **state)
{
	program(*state, 0, MODE2, 1000);
	clocks(*state, 1);
	rig_drive(*state, "irq_off", 0, true);
	assert_false(rig_line(*state, "irq", 0));
	rig_rises(*state, "irq", 0);
	clocks(*state, 5500);
	assert_int_equal(rig_rises(*state, "irq", 0), 0);
	assert_int_equal(count(*state, 0), 500);
	rig_drive(*state, "irq_off", 0, false);
	assert_int_equal(rig_rises(*state, "irq", 0), 1); /* OUT is high */
	clocks(*state, 500);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupts_are_held_back_while_another_chip_has_the_line),
		TEST(reset_leaves_counters_without_a_count),
		TEST(control_register_cannot_be_read),
		TEST(mode_0_ends_n_plus_1_clocks_after_the_count),
		TEST(mode_0_counts_down_and_goes_round),
		TEST(count_of_zero_is_the_largest),
		TEST(mode_0_takes_a_new_count_at_the_next_clock),
		TEST(first_byte_of_two_stops_mode_0),
		TEST(gate_holds_mode_0),
		TEST(mode_1_waits_for_a_trigger),
		TEST(trigger_starts_mode_1_again),
		TEST(modes_that_need_a_trigger_never_interrupt),
		TEST(mode_2_is_low_for_one_clock),
		TEST(mode_2_gives_an_edge_each_period),
		TEST(new_count_of_mode_2_waits_for_the_period),
		TEST(gate_restarts_mode_2),
		TEST(mode_3_is_a_square_wave),
		TEST(odd_count_of_mode_3_is_high_one_clock_longer),
		TEST(mode_3_shows_both_edges_on_the_line),
		TEST(new_count_of_mode_3_waits_for_the_half),
		TEST(count_of_one_is_harmless_in_modes_2_and_3),
		TEST(mode_4_strobes_once),
		TEST(strobe_of_mode_4_is_an_edge_though_nobody_looks),
		TEST(new_count_triggers_mode_4_again),
		TEST(gate_holds_mode_4_and_leaves_out_alone),
		TEST(mode_5_strobes_after_its_trigger),
		TEST(access_to_one_byte_leaves_the_other_zero),
		TEST(reads_and_writes_have_flip_flops_of_their_own),
		TEST(latch_holds_the_count_until_it_is_read),
		TEST(read_back_latches_chosen_counters),
		TEST(read_back_gives_status_before_count),
		TEST(null_count_tells_whether_the_count_is_loaded),
		TEST(modes_6_and_7_are_2_and_3),
		TEST(bcd_counter_has_four_decades),
		TEST(bcd_count_of_zero_is_ten_thousand),
		TEST(digits_that_are_none_are_harmless),
		TEST(port61_keeps_its_low_bits),
		TEST(refresh_bit_toggles_with_time),
		TEST(there_is_no_drift_in_years),
		TEST(centuries_do_not_overflow),
		TEST(missed_periods_are_one_edge_and_keep_the_phase),
		TEST(missed_halves_are_one_edge_too),
		TEST(short_periods_do_not_flood),
		TEST(counter_that_shows_nothing_needs_no_timer),
		TEST(saved_counter_goes_on_in_another_machine),
		TEST(count_that_was_not_loaded_yet_survives_a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
