/* MC146818A, read like its data sheet (tables 3-6, registers A-D, pin RESET) and, for the divider, the
 * update and the century, like those of the DS12887 and DS12C887. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type mc146818_type;

enum { INDEX, DATA };
enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH };
enum { YEAR = 9, A, B, C, D, CENTURY = 0x32 };
enum { UIP = 0x80, DIVIDER_RUNS = 0x20, DIVIDER_RESET = 0x60, RATE_1024_HZ = 6 };
enum { SET = 0x80, PIE = 0x40, AIE = 0x20, UIE = 0x10, SQWE = 0x08, DM = 0x04, H24 = 0x02 };
enum { DSE = 0x01, IRQF = 0x80, PF = 0x40, AF = 0x20, UF = 0x10, ANY = 0xc0 };
#define SECOND_NS UINT64_C(1000000000)
#define DAY_NS    (86400 * SECOND_NS)
/* 2026-02-28 23:59:50, a Saturday. */
#define START UINT64_C(1772323190)

static struct rig *start_at(uint64_t seconds)
{
	const struct rig_setting settings[] = { { "base", 1, NULL },
						{ "time", seconds, NULL },
						{ 0 } };

	return rig_create(&mc146818_type, settings);
}

static int set_up(void **state)
{
	*state = start_at(START);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint8_t in(struct rig *rig, unsigned reg)
{
	rig_write(rig, "regs", INDEX, 1, reg);
	return (uint8_t)rig_read(rig, "regs", DATA, 1);
}

static void out(struct rig *rig, unsigned reg, unsigned value)
{
	rig_write(rig, "regs", INDEX, 1, reg);
	rig_write(rig, "regs", DATA, 1, value);
}

static bool irq(struct rig *rig)
{
	return rig_line(rig, "irq", 0);
}

/* The time as a word of bytes: 0xHHMMSS, 0xCCYYMMDD. */
static unsigned clock_of(struct rig *rig)
{
	return (unsigned)in(rig, HOURS) << 16 | (unsigned)in(rig, MINUTES) << 8 | in(rig, SECONDS);
}

static unsigned date_of(struct rig *rig)
{
	return (unsigned)in(rig, CENTURY) << 24 | (unsigned)in(rig, YEAR) << 16 |
	       (unsigned)in(rig, MONTH) << 8 | in(rig, DAY);
}

/* As a guest sets it, in the mode of register B. */
static void set_time(struct rig *rig, unsigned date, unsigned clock)
{
	uint8_t b = in(rig, B);

	out(rig, B, b | SET);
	out(rig, CENTURY, date >> 24);
	out(rig, YEAR, date >> 16 & 0xff);
	out(rig, MONTH, date >> 8 & 0xff);
	out(rig, DAY, date & 0xff);
	out(rig, HOURS, clock >> 16);
	out(rig, MINUTES, clock >> 8 & 0xff);
	out(rig, SECONDS, clock & 0xff);
	out(rig, B, b);
	in(rig, C);
}

static void set_alarm(struct rig *rig, unsigned hours, unsigned minutes, unsigned seconds)
{
	out(rig, HOURS_ALARM, hours);
	out(rig, MINUTES_ALARM, minutes);
	out(rig, SECONDS_ALARM, seconds);
}

/* Ports */

static void port_0x70_reads_as_an_open_bus(void **state)
{
	rig_write(*state, "regs", INDEX, 1, 0x0d);
	assert_int_equal(rig_read(*state, "regs", INDEX, 1), 0xff);
}

static void nmi_mask_is_no_part_of_the_index(void **state)
{
	assert_int_equal(in(*state, 0x80 | D), 0x80);
	out(*state, 0x80 | 0x40, 0x5a);
	assert_int_equal(in(*state, 0x40), 0x5a);
}

static void word_write_selects_and_stores(void **state)
{
	rig_write(*state, "regs", INDEX, 2, 0xa540);
	assert_int_equal(in(*state, 0x40), 0xa5);
}

static void memory_keeps_its_bytes(void **state)
{
	for (unsigned i = 0x0e; i < 0x80; i++) {
		if (i != CENTURY)
			out(*state, i, i ^ 0x55);
	}
	for (unsigned i = 0x0e; i < 0x80; i++) {
		if (i != CENTURY)
			assert_int_equal(in(*state, i), i ^ 0x55);
	}
}

static void bytes_from_the_plan_go_to_memory_alone(void **state)
{
	void *self = rig_device(*state);

	for (unsigned i = 0; i < 0x100; i++)
		mc146818_type.firmware.cmos(self, i, 0xee);
	assert_int_equal(in(*state, 0x0e), 0xee);
	assert_int_equal(in(*state, 0x7f), 0xee);
	assert_int_equal(clock_of(*state), 0x235950);
	assert_int_equal(in(*state, A), DIVIDER_RUNS | RATE_1024_HZ);
}

/* Time */

static void fixed_base_begins_with_its_time(void **state)
{
	assert_int_equal(clock_of(*state), 0x235950);
	assert_int_equal(date_of(*state), 0x20260228);
	assert_int_equal(in(*state, WEEKDAY), 7); /* table 3: Sunday is 1 */
	assert_int_equal(in(*state, B), H24);
}

static void host_base_begins_with_the_hosts_time(void **state)
{
	time_t before = time(NULL);
	struct rig *rig = rig_create(&mc146818_type, NULL);
	unsigned clock = clock_of(rig), date = date_of(rig);
	time_t after = time(NULL);
	bool found = false;

	for (time_t t = before; t <= after; t++) {
		struct tm tm;
		char text[20], shown[20];

		gmtime_r(&t, &tm);
		strftime(text, sizeof(text), "%Y%m%d %H%M%S", &tm);
		snprintf(shown, sizeof(shown), "%08x %06x", date, clock);
		found |= !strcmp(text, shown);
	}
	assert_true(found);
	rig_destroy(rig);
}

static void offset_moves_the_clock_either_way(void **state)
{
	struct rig_setting settings[] = { { "base", 1, NULL },
					  { "time", START, NULL },
					  { "offset_s", 3600, NULL },
					  { "behind", 0, NULL },
					  { 0 } };
	struct rig *rig = rig_create(&mc146818_type, settings);

	assert_int_equal(clock_of(rig), 0x005950);
	assert_int_equal(date_of(rig), 0x20260301);
	rig_destroy(rig);
	settings[3].number = 1;
	rig = rig_create(&mc146818_type, settings);
	assert_int_equal(clock_of(rig), 0x225950);
	rig_destroy(rig);
	settings[2].number = UINT32_MAX;
	rig = rig_create(&mc146818_type, settings);
	assert_int_equal(date_of(rig), 0x19700101);
	assert_int_equal(in(rig, WEEKDAY), 5);
	rig_destroy(rig);
}

static void clock_advances_each_second_and_past_midnight(void **state)
{
	rig_advance(*state, SECOND_NS - 1);
	assert_int_equal(clock_of(*state), 0x235950);
	rig_advance(*state, 1);
	assert_int_equal(clock_of(*state), 0x235951);
	rig_advance(*state, 9 * SECOND_NS);
	assert_int_equal(clock_of(*state), 0x000000);
	assert_int_equal(date_of(*state), 0x20260301);
	assert_int_equal(in(*state, WEEKDAY), 1);
}

static void clock_stands_while_the_machine_does(void **state)
{
	rig_stop(*state);
	rig_start(*state);
	assert_int_equal(clock_of(*state), 0x235950);
}

static void months_have_their_days(void **state)
{
	static const struct {
		unsigned from, to;
	} ends[] = {
		{ 0x20260131, 0x20260201 }, { 0x20260228, 0x20260301 }, { 0x20260331, 0x20260401 },
		{ 0x20260430, 0x20260501 }, { 0x20260531, 0x20260601 }, { 0x20260630, 0x20260701 },
		{ 0x20260731, 0x20260801 }, { 0x20260831, 0x20260901 }, { 0x20260930, 0x20261001 },
		{ 0x20261031, 0x20261101 }, { 0x20261130, 0x20261201 }, { 0x20261231, 0x20270101 },
		{ 0x20240228, 0x20240229 }, { 0x20240229, 0x20240301 }, { 0x20000228, 0x20000229 },
		{ 0x19991231, 0x20000101 }, { 0x20991231, 0x21000101 }, { 0x21000228, 0x21000301 },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		set_time(*state, ends[i].from, 0x235959);
		rig_advance(*state, SECOND_NS);
		assert_int_equal(date_of(*state), ends[i].to);
		assert_int_equal(clock_of(*state), 0);
	}
}

/* All at once, as after a long halt, and from the leap year to the century. */
static void long_times_pass_in_one_step(void **state)
{
	rig_advance(*state, (365 * 74 + 18) * DAY_NS);
	assert_int_equal(date_of(*state), 0x21000228);
	assert_int_equal(clock_of(*state), 0x235950);
	rig_advance(*state, 400 * 365 * DAY_NS);
	assert_int_equal(in(*state, CENTURY), 0x24);
}

static void weekday_counts_by_itself(void **state)
{
	out(*state, WEEKDAY, 3);
	rig_advance(*state, 5 * DAY_NS);
	assert_int_equal(in(*state, WEEKDAY), 1);
}

/* Table 3: the same time in the other modes. */
static void twelve_hours_have_noon_and_midnight(void **state)
{
	static const uint8_t bcd[24] = { 0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
					 0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
					 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91 };

	out(*state, B, 0);
	set_time(*state, 0x20260301, 0x120000);
	for (unsigned hour = 0; hour < 24; hour++) {
		assert_int_equal(in(*state, HOURS), bcd[hour]);
		rig_advance(*state, 3600 * SECOND_NS);
	}
	assert_int_equal(in(*state, HOURS), 0x12);
	assert_int_equal(in(*state, DAY), 2);
}

static void binary_mode_counts_in_binary(void **state)
{
	out(*state, B, DM | H24);
	set_time(*state, 0x13630c1f, 0x173b3b);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(date_of(*state), 0x14000101);
	out(*state, B, DM);
	set_time(*state, 0x13630c1f, 0x8b3b3b);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(clock_of(*state), 0x0c0000);
	rig_advance(*state, 12 * 3600 * SECOND_NS);
	assert_int_equal(clock_of(*state), 0x8c0000);
}

/* Register B, DM: not changed by what is written there, nor are the bytes. */
static void changing_the_mode_leaves_the_bytes(void **state)
{
	out(*state, B, DM);
	assert_int_equal(clock_of(*state), 0x235950);
	out(*state, B, H24);
	assert_int_equal(clock_of(*state), 0x235950);
}

static void numbers_that_are_none_go_round_at_the_next_update(void **state)
{
	for (unsigned b = 0; b < 8; b += 2) {
		out(*state, B, b);
		for (unsigned i = 0; i < 256; i++) {
			for (unsigned reg = SECONDS; reg <= YEAR; reg++)
				out(*state, reg, i);
			out(*state, CENTURY, i);
			set_alarm(*state, i, i, i);
			rig_advance(*state, SECOND_NS);
			rig_advance(*state, 40 * DAY_NS);
			assert_true(in(*state, MONTH) - 1u < 0x12);
		}
	}
	out(*state, B, H24);
	set_time(*state, 0x20260299, 0xffffff);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(clock_of(*state), 0);
	assert_int_equal(date_of(*state), 0x20260301);
}

/* Update cycle */

/* Register B, SET: no update; the divider goes on, so the next comes where it would have. */
static void set_holds_the_time(void **state)
{
	rig_advance(*state, SECOND_NS * 3 / 10);
	out(*state, B, SET | H24);
	rig_advance(*state, 5 * SECOND_NS);
	assert_int_equal(clock_of(*state), 0x235950);
	assert_int_equal(in(*state, C) & UF, 0);
	out(*state, B, H24);
	rig_advance(*state, SECOND_NS * 7 / 10 - 1);
	assert_int_equal(clock_of(*state), 0x235950);
	rig_advance(*state, 1);
	assert_int_equal(clock_of(*state), 0x235951);
}

/* Table 6: t_BUC is 244 us. */
static void uip_rises_244_us_before_the_update(void **state)
{
	rig_advance(*state, SECOND_NS - 244141);
	assert_int_equal(in(*state, A) & UIP, 0);
	rig_advance(*state, 1);
	assert_int_equal(in(*state, A) & UIP, UIP);
	rig_advance(*state, 244139);
	assert_int_equal(in(*state, A) & UIP, UIP);
	rig_advance(*state, 1);
	assert_int_equal(in(*state, A) & UIP, 0);
	assert_int_equal(in(*state, SECONDS), 0x51);
}

/* Register A, UIP: cleared by SET, read-only. */
static void set_clears_uip(void **state)
{
	rig_advance(*state, SECOND_NS - 1000);
	out(*state, B, SET | H24);
	assert_int_equal(in(*state, A) & UIP, 0);
	out(*state, B, H24);
	out(*state, A, DIVIDER_RUNS);
	assert_int_equal(in(*state, A), UIP | DIVIDER_RUNS);
	rig_advance(*state, 1000);
	out(*state, A, UIP | DIVIDER_RUNS);
	assert_int_equal(in(*state, A), DIVIDER_RUNS);
}

/* DS12887, DV0-DV2 */
static void first_update_comes_half_a_second_after_the_divider_reset(void **state)
{
	rig_advance(*state, SECOND_NS / 5);
	out(*state, A, DIVIDER_RESET | RATE_1024_HZ);
	rig_advance(*state, 3 * SECOND_NS + 12345);
	assert_int_equal(in(*state, SECONDS), 0x50);
	assert_int_equal(in(*state, C), PF); /* of the time before */
	out(*state, A, DIVIDER_RUNS | RATE_1024_HZ);
	rig_advance(*state, SECOND_NS / 2 - 1);
	assert_int_equal(in(*state, SECONDS), 0x50);
	rig_advance(*state, 1);
	assert_int_equal(in(*state, SECONDS), 0x51);
	rig_advance(*state, SECOND_NS - 1);
	assert_int_equal(in(*state, SECONDS), 0x51);
	rig_advance(*state, 1);
	assert_int_equal(in(*state, SECONDS), 0x52);
}

static void only_the_pattern_010_lets_the_clock_run(void **state)
{
	for (unsigned dv = 0; dv < 8; dv++) {
		unsigned before = in(*state, SECONDS);

		out(*state, A, dv << 4);
		in(*state, C);
		rig_advance(*state, SECOND_NS);
		assert_int_equal(in(*state, SECONDS) != before, dv == 2);
		assert_int_equal(in(*state, C) & UF, dv == 2 ? UF : 0);
	}
}

static void rewriting_register_a_leaves_the_second_alone(void **state)
{
	rig_advance(*state, SECOND_NS / 4);
	out(*state, A, DIVIDER_RUNS | 0xf);
	rig_advance(*state, SECOND_NS * 3 / 4);
	assert_int_equal(in(*state, SECONDS), 0x51);
}

/* Interrupts */

static void update_sets_uf_and_interrupts_when_enabled(void **state)
{
	out(*state, A, DIVIDER_RUNS);
	rig_advance(*state, SECOND_NS);
	assert_false(irq(*state));
	assert_int_equal(in(*state, C), UF);
	assert_int_equal(in(*state, C), 0);
	out(*state, B, UIE | H24);
	rig_advance(*state, SECOND_NS - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
	assert_int_equal(in(*state, C), IRQF | UF);
	assert_false(irq(*state));
}

/* Register C: a flag that is already there interrupts as soon as it is enabled. */
static void enabling_finds_a_flag_that_was_set(void **state)
{
	rig_advance(*state, SECOND_NS);
	out(*state, B, UIE | H24);
	assert_true(irq(*state));
	out(*state, B, H24);
	assert_false(irq(*state));
	out(*state, B, UIE | H24);
	assert_int_equal(in(*state, C), IRQF | UF | PF);
	assert_false(irq(*state));
}

/* Register B, UIE */
static void set_clears_uie(void **state)
{
	out(*state, B, UIE | AIE | H24);
	out(*state, B, SET | UIE | AIE | H24);
	assert_int_equal(in(*state, B), SET | AIE | H24);
}

/* Table 5 at 32.768 kHz; DS12887, figure 3: half a period before and after the update. */
static void periodic_rates_are_those_of_table_5(void **state)
{
	static const unsigned hz[16] = { 0,   256, 128, 8192, 4096, 2048, 1024, 512,
					 256, 128, 64,  32,   16,   8,    4,    2 };

	for (unsigned rate = 0; rate < 16; rate++) {
		unsigned flags = 0;

		out(*state, A, DIVIDER_RUNS | rate);
		in(*state, C);
		for (unsigned i = 0, steps = hz[rate] ? 2 * hz[rate] : 2; i < steps; i++) {
			uint64_t next = (i + 1) * SECOND_NS / steps;

			rig_advance(*state, next - rig_now(*state) % SECOND_NS);
			flags += (in(*state, C) & PF) != 0;
		}
		assert_int_equal(flags, hz[rate]);
	}
}

static void periodic_interrupt_comes_at_its_rate(void **state)
{
	out(*state, A, DIVIDER_RUNS | 0xf);
	out(*state, B, PIE | H24);
	rig_advance(*state, SECOND_NS / 4 - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
	assert_int_equal(in(*state, C), IRQF | PF);
	rig_advance(*state, SECOND_NS / 2 - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
}

/* 16 Hz for a quarter of an hour, served each time: none too many, none too few. */
/* IA-PC HPET specification, legacy replacement. */
static void interrupts_are_held_back_while_another_chip_has_the_line(void **state)
{
	out(*state, A, DIVIDER_RUNS | 0xf);
	out(*state, B, PIE | H24);
	rig_drive(*state, "irq_off", 0, true);
	rig_advance(*state, SECOND_NS / 2);
	assert_false(irq(*state));
	rig_drive(*state, "irq_off", 0, false);
	assert_true(irq(*state)); /* its flag waits */
	assert_int_equal(in(*state, C), IRQF | PF);
	assert_false(irq(*state));
}

static void periodic_interrupts_do_not_drift(void **state)
{
	unsigned served = 0;

	out(*state, A, DIVIDER_RUNS | 0xc);
	out(*state, B, PIE | H24);
	for (unsigned i = 0; i < 900 * 20; i++) {
		rig_advance(*state, SECOND_NS / 20);
		if (irq(*state)) {
			served++;
			in(*state, C);
		}
	}
	assert_int_equal(served, 900 * 16);
}

static void missed_periods_are_one_flag(void **state)
{
	out(*state, A, DIVIDER_RUNS | 3);
	out(*state, B, PIE | H24);
	rig_advance(*state, 100 * SECOND_NS);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_int_equal(in(*state, C) & (IRQF | PF | UF), IRQF | PF | UF);
	assert_int_equal(in(*state, C), 0);
	rig_advance(*state, 122071);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

/* Nobody reads C: one interrupt and then quiet, whatever the rate. */
static void interrupt_that_nobody_serves_is_one(void **state)
{
	out(*state, A, DIVIDER_RUNS | 3);
	out(*state, B, PIE | UIE | H24);
	for (unsigned i = 0; i < 10000; i++)
		rig_advance(*state, SECOND_NS / 1000);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
}

static void set_does_not_stop_periodic_interrupts(void **state)
{
	out(*state, B, SET | PIE | H24);
	rig_advance(*state, SECOND_NS / 100);
	assert_true(irq(*state));
}

/* Alarms */

static void alarm_comes_when_all_three_match(void **state)
{
	set_alarm(*state, 0x00, 0x00, 0x05);
	out(*state, B, AIE | H24);
	rig_advance(*state, 15 * SECOND_NS - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
	assert_int_equal(in(*state, C) & (IRQF | AF), IRQF | AF);
	rig_advance(*state, DAY_NS - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
}

/* "Don't care" is any code from 0xc0 to 0xff. */
static void wildcards_repeat_each_hour_minute_and_second(void **state)
{
	static const struct {
		uint8_t alarm[3];
		unsigned first, period;
	} cases[] = {
		{ { 0xc0, 0x10, 0x20 }, 10 + 620, 3600 }, { { 0xff, 0xff, 0x20 }, 10 + 20, 60 },
		{ { 0xff, 0xc5, 0xdf }, 1, 1 },           { { 0xff, 0x59, 0x55 }, 5, 3600 },
		{ { 0x01, 0xc0, 0xc0 }, 10 + 3600, 1 },   { { 0x00, 0xc0, 0x30 }, 10 + 30, 60 },
		{ { 0xc0, 0x01, 0xc0 }, 10 + 60, 1 },     { { 0x23, 0x59, 0x50 }, 86400, 86400 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = start_at(START);

		set_alarm(rig, cases[i].alarm[0], cases[i].alarm[1], cases[i].alarm[2]);
		out(rig, B, AIE | H24);
		rig_advance(rig, cases[i].first * SECOND_NS - 1);
		assert_false(irq(rig));
		rig_advance(rig, 1);
		assert_true(irq(rig));
		in(rig, C);
		rig_advance(rig, cases[i].period * SECOND_NS - 1);
		assert_false(irq(rig));
		rig_advance(rig, 1);
		assert_true(irq(rig));
		rig_destroy(rig);
	}
}

static unsigned bcd(unsigned number)
{
	return number / 10 << 4 | number % 10;
}

static bool matches(const uint8_t alarm[3], unsigned second)
{
	return (alarm[0] >= ANY || alarm[0] == bcd(second / 3600)) &&
	       (alarm[1] >= ANY || alarm[1] == bcd(second / 60 % 60)) &&
	       (alarm[2] >= ANY || alarm[2] == bcd(second % 60));
}

/* Over a day, in steps of different length, against a comparison of bytes second by second. */
static void alarms_are_what_comparing_bytes_gives(void **state)
{
	static const uint8_t alarms[][3] = {
		{ 0x12, 0x34, 0x56 }, { 0xc0, 0x00, 0x00 }, { 0x07, 0xc0, 0x30 },
		{ 0x07, 0x30, 0xc0 }, { 0xc0, 0xc0, 0x59 }, { 0x1a, 0x00, 0x00 },
		{ 0x24, 0x00, 0x00 }, { 0xc0, 0x60, 0x00 }, { 0xc0, 0x59, 0xff },
	};
	unsigned now = 86390;

	out(*state, A, DIVIDER_RUNS);
	for (size_t a = 0; a < sizeof(alarms) / sizeof(alarms[0]); a++) {
		set_alarm(*state, alarms[a][0], alarms[a][1], alarms[a][2]);
		in(*state, C);
		for (unsigned step = 1, passed = 0; passed < 86400; passed += step) {
			unsigned wanted = UF;

			step = step * 5 % 127;
			for (unsigned i = 0; i < step; i++) {
				now = (now + 1) % 86400;
				wanted |= matches(alarms[a], now) ? AF : 0;
			}
			rig_advance(*state, step * SECOND_NS);
			assert_int_equal(in(*state, C), wanted);
		}
	}
}

static void alarm_in_a_long_step_is_seen(void **state)
{
	set_alarm(*state, 0x12, 0x00, 0x00);
	in(*state, C);
	rig_advance(*state, 12 * 3600 * SECOND_NS);
	assert_int_equal(in(*state, C) & AF, 0);
	rig_advance(*state, 3600 * SECOND_NS);
	assert_int_equal(in(*state, C) & AF, AF);
}

static void alarm_in_twelve_hours_knows_the_afternoon(void **state)
{
	out(*state, B, 0);
	set_time(*state, 0x20260301, 0x115959);
	set_alarm(*state, 0x92, 0x00, 0x00);
	in(*state, C);
	rig_advance(*state, SECOND_NS);
	assert_int_equal(clock_of(*state), 0x920000);
	assert_int_equal(in(*state, C) & AF, AF);
	rig_advance(*state, 12 * 3600 * SECOND_NS);
	assert_int_equal(in(*state, C) & AF, 0);
}

/* It is the update that compares. */
static void writing_the_present_as_alarm_does_nothing(void **state)
{
	set_alarm(*state, 0x23, 0x59, 0x50);
	out(*state, B, AIE | H24);
	rig_advance(*state, SECOND_NS / 2);
	assert_false(irq(*state));
}

static void setting_the_time_moves_the_alarm(void **state)
{
	set_alarm(*state, 0x12, 0x00, 0x00);
	out(*state, B, AIE | H24);
	set_time(*state, 0x20260301, 0x115958);
	rig_advance(*state, SECOND_NS);
	assert_false(irq(*state));
	rig_advance(*state, SECOND_NS);
	assert_true(irq(*state));
}

/* Registers */

static void registers_c_and_d_cannot_be_written(void **state)
{
	rig_advance(*state, SECOND_NS);
	out(*state, C, 0);
	assert_int_equal(in(*state, C), UF | PF);
	out(*state, C, 0xff);
	out(*state, D, 0);
	assert_int_equal(in(*state, C), 0);
	assert_int_equal(in(*state, D), 0x80);
}

static void daylight_saving_is_logged_and_not_done(void **state)
{
	out(*state, B, DSE | H24);
	assert_int_equal(in(*state, B), DSE | H24);
	assert_non_null(strstr(rig_log(*state), "daylight"));
}

/* Pin RESET */
static void reset_ends_interrupts_and_keeps_time_and_memory(void **state)
{
	out(*state, 0x40, 0x77);
	out(*state, A, DIVIDER_RUNS | 0xf);
	set_alarm(*state, 0xc1, 0xc2, 0xc3);
	out(*state, B, PIE | AIE | UIE | SQWE | DM);
	rig_advance(*state, SECOND_NS * 5 / 2);
	assert_true(irq(*state));
	rig_reset(*state);
	assert_false(irq(*state));
	assert_int_equal(in(*state, C), 0);
	assert_int_equal(in(*state, B), DM);
	assert_int_equal(in(*state, A), DIVIDER_RUNS | 0xf);
	assert_int_equal(in(*state, HOURS_ALARM), 0xc1);
	assert_int_equal(in(*state, 0x40), 0x77);
	rig_advance(*state, SECOND_NS / 2);
	assert_int_equal(in(*state, C) & UF, UF);
}

static void reset_does_not_set_the_clock_back(void **state)
{
	rig_advance(*state, 5 * SECOND_NS);
	rig_reset(*state);
	assert_int_equal(clock_of(*state), 0x235955);
}

/* Snapshots */

static void saved_clock_goes_on_in_another_machine(void **state)
{
	struct rig *other = rig_create(&mc146818_type, NULL); /* of another base, even */
	const uint8_t *saved;
	size_t count;

	out(*state, 0x7f, 0x12);
	set_alarm(*state, 0x00, 0x00, 0x00);
	out(*state, B, AIE | H24);
	rig_advance(*state, SECOND_NS * 3 / 2);
	saved = rig_save(*state, &count);
	assert_true(rig_load(other, saved, count));
	rig_advance(other, SECOND_NS * 3 / 2);
	assert_int_equal(clock_of(other), 0x235951);
	assert_int_equal(in(other, 0x7f), 0x12);
	rig_advance(other, SECOND_NS / 2);
	assert_int_equal(clock_of(other), 0x235952);
	rig_advance(other, 8 * SECOND_NS - 1);
	assert_false(irq(other));
	rig_advance(other, 1);
	assert_true(irq(other));
	assert_int_equal(date_of(other), 0x20260301);
	rig_destroy(other);
}

static void pending_interrupt_survives_a_snapshot(void **state)
{
	struct rig *other = start_at(0);
	const uint8_t *saved;
	size_t count;

	out(*state, B, UIE | H24);
	rig_advance(*state, SECOND_NS);
	saved = rig_save(*state, &count);
	assert_true(rig_load(other, saved, count));
	assert_true(irq(other));
	assert_int_equal(in(other, C) & (IRQF | UF), IRQF | UF);
	assert_false(irq(other));
	rig_destroy(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(port_0x70_reads_as_an_open_bus),
		TEST(nmi_mask_is_no_part_of_the_index),
		TEST(word_write_selects_and_stores),
		TEST(memory_keeps_its_bytes),
		TEST(bytes_from_the_plan_go_to_memory_alone),
		TEST(fixed_base_begins_with_its_time),
		TEST(host_base_begins_with_the_hosts_time),
		TEST(offset_moves_the_clock_either_way),
		TEST(clock_advances_each_second_and_past_midnight),
		TEST(clock_stands_while_the_machine_does),
		TEST(months_have_their_days),
		TEST(long_times_pass_in_one_step),
		TEST(weekday_counts_by_itself),
		TEST(twelve_hours_have_noon_and_midnight),
		TEST(binary_mode_counts_in_binary),
		TEST(changing_the_mode_leaves_the_bytes),
		TEST(numbers_that_are_none_go_round_at_the_next_update),
		TEST(set_holds_the_time),
		TEST(uip_rises_244_us_before_the_update),
		TEST(set_clears_uip),
		TEST(first_update_comes_half_a_second_after_the_divider_reset),
		TEST(only_the_pattern_010_lets_the_clock_run),
		TEST(rewriting_register_a_leaves_the_second_alone),
		TEST(update_sets_uf_and_interrupts_when_enabled),
		TEST(enabling_finds_a_flag_that_was_set),
		TEST(set_clears_uie),
		TEST(periodic_rates_are_those_of_table_5),
		TEST(periodic_interrupt_comes_at_its_rate),
		TEST(interrupts_are_held_back_while_another_chip_has_the_line),
		TEST(periodic_interrupts_do_not_drift),
		TEST(missed_periods_are_one_flag),
		TEST(interrupt_that_nobody_serves_is_one),
		TEST(set_does_not_stop_periodic_interrupts),
		TEST(alarm_comes_when_all_three_match),
		TEST(wildcards_repeat_each_hour_minute_and_second),
		TEST(alarms_are_what_comparing_bytes_gives),
		TEST(alarm_in_a_long_step_is_seen),
		TEST(alarm_in_twelve_hours_knows_the_afternoon),
		TEST(writing_the_present_as_alarm_does_nothing),
		TEST(setting_the_time_moves_the_alarm),
		TEST(registers_c_and_d_cannot_be_written),
		TEST(daylight_saving_is_logged_and_not_done),
		TEST(reset_ends_interrupts_and_keeps_time_and_memory),
		TEST(reset_does_not_set_the_clock_back),
		TEST(saved_clock_goes_on_in_another_machine),
		TEST(pending_interrupt_survives_a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
