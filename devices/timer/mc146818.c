/* Real-time clock with CMOS memory as PCs have it. Reference: Motorola MC146818A data sheet (1984) for
 * the registers; Dallas DS12887 and DS12C887 data sheets for the divider, the century byte and 128
 * bytes of memory; Intel 82371AB (PIIX4) data sheet, "Real time clock registers", for the ports. */
// SPDX-License-Identifier: MIT
#include <time.h>

#include "core/device.h"

enum { INDEX, DATA, BANK_SIZE };
enum {
	SECONDS,
	SECONDS_ALARM,
	MINUTES,
	MINUTES_ALARM,
	HOURS,
	HOURS_ALARM,
	WEEKDAY,
	DAY,
	MONTH,
	YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D,
	FIRST_RAM,
	CENTURY = 0x32,
	CMOS_BYTES = 0x80
};
enum { A_UIP = 0x80, A_DV = 0x70, A_DV_RUNS = 0x20, A_RS = 0x0f };
enum { B_SET = 0x80, B_SQWE = 0x08, B_BINARY = 0x04, B_24_HOURS = 0x02, B_DSE = 0x01 };
/* An enable in register B and its flag in register C are the same bit. */
enum { PERIODIC = 0x40, ALARM = 0x20, UPDATE = 0x10, INTERRUPTS = 0x70 };
enum { C_IRQF = 0x80, D_VRT = 0x80 };
enum { HOUR_PM = 0x80, DONT_CARE = 0xc0 };
/* What a BIOS leaves behind: the divider runs, 1024 Hz are selected; BCD, 24 hours. */
enum { POWER_ON_A = 0x26, POWER_ON_B = B_24_HOURS };
enum { BASE_HOST, BASE_FIXED };
enum { DAY_SECONDS = 86400 };
#define SECOND_NS UINT64_C(1000000000)
/* Time base of 32.768 kHz; 2^15 ticks are 5^9 * 2^9 ns. */
#define TICKS_HZ UINT64_C(32768)
/* Table 6, t_BUC; the transfer itself takes no time, as in the double-buffered DS12887. */
#define BEFORE_UPDATE_NS UINT64_C(244140)
#define NEVER            UINT64_MAX
#define LAST_SECOND      UINT64_C(253402300799) /* of the year 9999 */

struct mc146818 {
	/* Configuration and wiring. */
	uint32_t base, offset_s;
	uint64_t time;
	bool behind;
	struct mw_line *irq;
	struct mw_timer *event;
	/* Guest-visible state. */
	uint8_t index; /* with the NMI mask in bit 7 */
	uint8_t flags; /* of register C */
	uint8_t cmos[CMOS_BYTES];
	bool told;          /* the clock has been set from outside, once in its life */
	uint64_t synced_ns; /* until here the bytes and the flags follow guest time */
	uint64_t phase_ns;  /* updates are where guest time and this make whole seconds */
	bool irq_off;       /* level of the line */
};

static bool is_set(const struct mc146818 *rtc, unsigned bit)
{
	return rtc->cmos[REG_B] & bit;
}

/* DS12887, DV0-DV2: 010 alone turns the oscillator on and lets it count. */
static bool divider_runs(const struct mc146818 *rtc)
{
	return (rtc->cmos[REG_A] & A_DV) == A_DV_RUNS;
}

static bool updates(const struct mc146818 *rtc)
{
	return divider_runs(rtc) && !is_set(rtc, B_SET);
}

/* Numbers in the bytes (table 3). What is no number of the range counts as the largest, so that it
 * goes to the smallest next and no arithmetic here leaves its range. */

static unsigned decode(const struct mc146818 *rtc, uint8_t byte)
{
	return is_set(rtc, B_BINARY) ? byte : (byte >> 4) * 10u + (byte & 0x0fu);
}

static uint8_t encode(const struct mc146818 *rtc, unsigned number)
{
	return (uint8_t)(is_set(rtc, B_BINARY) ? number : number / 10 << 4 | number % 10);
}

static unsigned number_in(const struct mc146818 *rtc, unsigned at, unsigned least, unsigned most)
{
	unsigned number = decode(rtc, rtc->cmos[at]);

	return number < least || number > most ? most : number;
}

static unsigned decode_hours(const struct mc146818 *rtc, uint8_t byte)
{
	if (is_set(rtc, B_24_HOURS))
		return decode(rtc, byte);
	return decode(rtc, byte & 0x7f) % 12 + (byte & HOUR_PM ? 12 : 0);
}

static uint8_t encode_hours(const struct mc146818 *rtc, unsigned hours)
{
	if (is_set(rtc, B_24_HOURS))
		return encode(rtc, hours);
	return (uint8_t)(encode(rtc, (hours + 11) % 12 + 1) | (hours >= 12 ? HOUR_PM : 0));
}

static unsigned hours_now(const struct mc146818 *rtc)
{
	unsigned hours = decode_hours(rtc, rtc->cmos[HOURS]);

	return hours < 24 ? hours : 23;
}

static unsigned second_of_day(const struct mc146818 *rtc)
{
	return (hours_now(rtc) * 60 + number_in(rtc, MINUTES, 0, 59)) * 60 +
	       number_in(rtc, SECONDS, 0, 59);
}

/* The update cycle: any number of them at once. */

/* Adds to a byte that counts to 59; returns how often it went round. */
static uint64_t roll(struct mc146818 *rtc, unsigned at, uint64_t carry)
{
	uint64_t sum = number_in(rtc, at, 0, 59) + carry;

	if (carry)
		rtc->cmos[at] = encode(rtc, (unsigned)(sum % 60));
	return sum / 60;
}

static uint64_t roll_hours(struct mc146818 *rtc, uint64_t carry)
{
	uint64_t sum = hours_now(rtc) + carry;

	if (carry)
		rtc->cmos[HOURS] = encode_hours(rtc, (unsigned)(sum % 24));
	return sum / 24;
}

static unsigned days_of(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

/* A byte changes where its number does, so the century's stays what a guest made of it till then. */
static void put(struct mc146818 *rtc, unsigned at, unsigned before, unsigned now)
{
	if (before != now)
		rtc->cmos[at] = encode(rtc, now);
}

/* The century counts, so that 2100 is no leap year; the chip ends its promise there. A month is a
 * turn of the loop, and guest time of 64 bits has 7,020. */
static void roll_date(struct mc146818 *rtc, uint64_t days)
{
	unsigned weekday = number_in(rtc, WEEKDAY, 1, 7), month = number_in(rtc, MONTH, 1, 12);
	unsigned year = number_in(rtc, CENTURY, 0, 99) * 100 + number_in(rtc, YEAR, 0, 99);
	unsigned new_month = month, new_year = year, last = days_of(year, month);
	uint64_t day = number_in(rtc, DAY, 1, 31);

	for (day = (day < last ? day : last) + days; day > last;
	     last = days_of(new_year, new_month)) {
		day -= last;
		if (++new_month > 12) {
			new_month = 1;
			new_year = (new_year + 1) % 10000;
		}
	}
	rtc->cmos[WEEKDAY] = encode(rtc, (unsigned)((weekday - 1 + days) % 7) + 1);
	rtc->cmos[DAY] = encode(rtc, (unsigned)day);
	put(rtc, MONTH, month, new_month);
	put(rtc, YEAR, year % 100, new_year % 100);
	put(rtc, CENTURY, year / 100, new_year / 100);
}

static void advance(struct mc146818 *rtc, uint64_t seconds)
{
	uint64_t carry = roll_hours(rtc, roll(rtc, MINUTES, roll(rtc, SECONDS, seconds)));

	if (carry)
		roll_date(rtc, carry);
}

/* Alarms: the update cycle compares (data sheet, "Alarm"). */

/* One alarm byte: `any` when it does not care; false where nothing the clock shows is equal to it. */
static bool alarm_number(const struct mc146818 *rtc, unsigned at, bool *any, unsigned *number)
{
	uint8_t byte = rtc->cmos[at];
	bool hours = at == HOURS_ALARM;

	*any = byte >= DONT_CARE;
	*number = hours ? decode_hours(rtc, byte) : decode(rtc, byte);
	if (*any)
		*number = 0;
	if (*any)
		return true;
	return *number < (hours ? 24 : 60) &&
	       (hours ? encode_hours(rtc, *number) : encode(rtc, *number)) == byte;
}

/* How many updates there are up to the one that matches, 1 to 86,400. Moves to the first second of
 * the first hour, minute, second that is not too early; each turn settles one of them. */
static uint64_t until_alarm(const struct mc146818 *rtc)
{
	bool any_s, any_m, any_h;
	unsigned s, m, h, from = second_of_day(rtc), at = (from + 1) % DAY_SECONDS;

	if (!alarm_number(rtc, SECONDS_ALARM, &any_s, &s) ||
	    !alarm_number(rtc, MINUTES_ALARM, &any_m, &m) ||
	    !alarm_number(rtc, HOURS_ALARM, &any_h, &h))
		return NEVER;
	if (!any_s)
		at += (60 + s - at % 60) % 60;
	if (!any_m && at / 60 % 60 != m)
		at = at / 60 * 60 + (60 + m - at / 60 % 60) % 60 * 60 + s;
	at %= DAY_SECONDS;
	if (!any_h && at / 3600 != h)
		at = (h * 60 + m) * 60 + s;
	return (at + DAY_SECONDS - from - 1) % DAY_SECONDS + 1;
}

/* Time */

/* Where in its second the divider chain was when the state was brought up to date. */
static uint64_t position(const struct mc146818 *rtc)
{
	return (rtc->synced_ns % SECOND_NS + rtc->phase_ns) % SECOND_NS;
}

static uint64_t ticks_at(uint64_t ns)
{
	return ns / SECOND_NS * TICKS_HZ + ns % SECOND_NS * 64 / 1953125;
}

static uint64_t first_ns_of(uint64_t tick)
{
	return tick / TICKS_HZ * SECOND_NS + (tick % TICKS_HZ * 1953125 + 63) / 64;
}

/* Table 5, 32.768 kHz; 0: no tap is selected. */
static uint64_t period_ticks(const struct mc146818 *rtc)
{
	unsigned rate = rtc->cmos[REG_A] & A_RS;

	if (!rate)
		return 0;
	return UINT64_C(1) << (rate < 3 ? rate + 6 : rate - 1);
}

/* Periods are over half a period before and after an update (DS12887, figure 3). */
static uint64_t periods_until(uint64_t ns, uint64_t ticks)
{
	return (ticks_at(ns) + ticks / 2) / ticks;
}

/* Host time of day is asked for once: from there on it is the guest's own, whatever happens to the
 * machine, its snapshots too. */
static void tell_time(struct mc146818 *rtc)
{
	static const uint8_t epoch[] = { [WEEKDAY] = 5, [DAY] = 1, [MONTH] = 1, [YEAR] = 70 };
	uint64_t seconds = rtc->time, now = mw_now_ns(rtc);
	struct timespec host;

	rtc->told = true;
	rtc->synced_ns = now;
	rtc->phase_ns = (SECOND_NS - now % SECOND_NS) % SECOND_NS;
	if (rtc->base == BASE_HOST) {
		clock_gettime(CLOCK_REALTIME, &host);
		seconds = (uint64_t)host.tv_sec;
		rtc->phase_ns = (rtc->phase_ns + (uint64_t)host.tv_nsec) % SECOND_NS;
	}
	if (!rtc->behind)
		seconds += rtc->offset_s;
	else
		seconds -= rtc->offset_s < seconds ? rtc->offset_s : seconds;
	for (unsigned i = SECONDS; i <= YEAR; i += i < WEEKDAY ? 2 : 1)
		rtc->cmos[i] = encode(rtc, epoch[i]);
	rtc->cmos[CENTURY] = encode(rtc, 19);
	advance(rtc, seconds);
}

/* Brings bytes and flags to the present; missed periods, alarms and updates leave one flag each. */
static void sync(struct mc146818 *rtc)
{
	uint64_t now = mw_now_ns(rtc), ticks = period_ticks(rtc), from, to;

	if (!rtc->told)
		tell_time(rtc);
	if (now <= rtc->synced_ns)
		return;
	from = position(rtc);
	to = from + (now - rtc->synced_ns);
	rtc->synced_ns = now;
	if (!divider_runs(rtc))
		return;
	if (ticks && periods_until(from, ticks) != periods_until(to, ticks))
		rtc->flags |= PERIODIC;
	if (to < SECOND_NS || !updates(rtc))
		return;
	if (until_alarm(rtc) <= to / SECOND_NS)
		rtc->flags |= ALARM;
	rtc->flags |= UPDATE;
	advance(rtc, to / SECOND_NS);
}

static bool requests(const struct mc146818 *rtc)
{
	return rtc->flags & rtc->cmos[REG_B] & INTERRUPTS;
}

/* How long from `synced_ns` to the next flag that would interrupt. */
static uint64_t until_event(const struct mc146818 *rtc)
{
	uint64_t from = position(rtc), ticks = period_ticks(rtc), wait = NEVER, seconds = NEVER;

	if (divider_runs(rtc) && is_set(rtc, PERIODIC) && ticks)
		wait = first_ns_of((periods_until(from, ticks) + 1) * ticks - ticks / 2) - from;
	if (updates(rtc) && is_set(rtc, UPDATE))
		seconds = 1;
	else if (updates(rtc) && is_set(rtc, ALARM))
		seconds = until_alarm(rtc);
	if (seconds != NEVER && seconds * SECOND_NS - from < wait)
		wait = seconds * SECOND_NS - from;
	return wait;
}

/* The timer runs for enabled interrupts alone, and while IRQ is active there is nothing to wait for. */
static void settle(struct mc146818 *rtc)
{
	uint64_t wait = requests(rtc) ? NEVER : until_event(rtc), armed;

	if (wait >= UINT64_MAX - rtc->synced_ns)
		mw_timer_cancel(rtc->event);
	else if (!mw_timer_armed(rtc->event, &armed) || armed != rtc->synced_ns + wait)
		mw_timer_arm(rtc->event, rtc->synced_ns + wait);
	mw_line_set(rtc->irq, requests(rtc) && !rtc->irq_off);
}

/* Also of the start of the machine. */
static void on_event(void *self)
{
	sync(self);
	settle(self);
}

static void on_irq_off(void *self, unsigned index, bool level)
{
	struct mc146818 *rtc = self;

	rtc->irq_off = level;
	on_event(rtc);
}

/* Registers */

static uint8_t read_a(const struct mc146818 *rtc)
{
	bool soon = updates(rtc) && position(rtc) >= SECOND_NS - BEFORE_UPDATE_NS;

	return rtc->cmos[REG_A] | (soon ? A_UIP : 0);
}

static uint8_t read_c(struct mc146818 *rtc)
{
	uint8_t value = rtc->flags | (requests(rtc) ? C_IRQF : 0);

	rtc->flags = 0;
	return value;
}

/* DS12887, DV0-DV2: the next update is 500 ms after the pattern that lets the divider run. */
static void write_a(struct mc146818 *rtc, uint8_t value)
{
	bool ran = divider_runs(rtc);

	rtc->cmos[REG_A] = value & (uint8_t)~A_UIP;
	if (!ran && divider_runs(rtc))
		rtc->phase_ns = (SECOND_NS * 3 / 2 - rtc->synced_ns % SECOND_NS) % SECOND_NS;
}

/* Register B, UIE: cleared by SET. */
static void write_b(struct mc146818 *rtc, uint8_t value)
{
	if (value & ~rtc->cmos[REG_B] & B_DSE)
		mw_guest_log(rtc, "daylight saving changes are not made");
	rtc->cmos[REG_B] = value & B_SET ? value & (uint8_t)~UPDATE : value;
}

static uint64_t read_data(void *self)
{
	struct mc146818 *rtc = self;
	unsigned at = rtc->index % CMOS_BYTES;
	uint8_t value;

	if (at >= FIRST_RAM && at != CENTURY)
		return rtc->cmos[at];
	sync(rtc);
	switch (at) {
	case REG_A: value = read_a(rtc); break;
	case REG_C: value = read_c(rtc); break;
	case REG_D: value = D_VRT; break;
	default: value = rtc->cmos[at];
	}
	settle(rtc);
	return value;
}

static void write_data(void *self, uint64_t value)
{
	struct mc146818 *rtc = self;
	unsigned at = rtc->index % CMOS_BYTES;

	if (at >= FIRST_RAM && at != CENTURY) {
		rtc->cmos[at] = (uint8_t)value;
		return;
	}
	sync(rtc);
	switch (at) {
	case REG_A: write_a(rtc, (uint8_t)value); break;
	case REG_B: write_b(rtc, (uint8_t)value); break;
	case REG_C:
	case REG_D: break; /* read-only */
	default: rtc->cmos[at] = (uint8_t)value;
	}
	settle(rtc);
}

static void store_cmos(void *self, unsigned index, uint8_t value)
{
	struct mc146818 *rtc = self;

	if (index >= FIRST_RAM && index < CMOS_BYTES)
		rtc->cmos[index] = value;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct mc146818 *rtc = self;

	rtc->cmos[REG_A] = POWER_ON_A;
	rtc->cmos[REG_B] = POWER_ON_B;
	return true;
}

/* Pin RESET: interrupts and their flags end, the square wave too; time and memory stay. */
static void after_reset(void *self)
{
	struct mc146818 *rtc = self;

	if (rtc->told)
		sync(rtc);
	rtc->flags = 0;
	rtc->cmos[REG_B] &= (uint8_t) ~(INTERRUPTS | B_SQWE);
	settle(rtc);
}

/* Independent of the time now, so that what was saved comes back as it was. */
static void after_load(void *self)
{
	struct mc146818 *rtc = self;

	rtc->flags &= INTERRUPTS;
	rtc->cmos[REG_A] &= (uint8_t)~A_UIP;
	rtc->phase_ns %= SECOND_NS;
	settle(rtc);
}

static const char *const bases[] = { "host", "fixed", NULL };
/* PIIX4: RTCI is write-only; what is read there on a PC is an open bus, all ones. Firmware does so all the time
 * and means nothing by it. */
static uint64_t read_index(void *self)
{
	return 0xff;
}

static void write_index(void *self, uint64_t value)
{
	struct mc146818 *rtc = self;

	rtc->index = (uint8_t)value;
}

static const struct mw_property properties[] = {
	{ "base",
	  "Where the time comes from when the machine is first started: the host's UTC, or `time`. "
	  "From there on guest time moves it, through stops, resets and snapshots.",
	  MW_FIELD(struct mc146818, base), .fallback = BASE_HOST, .members = bases },
	{ "time", "With `base: fixed`, the UTC it begins with, in seconds since 1970.",
	  MW_FIELD(struct mc146818, time), .max = LAST_SECOND - UINT32_MAX },
	{ "offset_s",
	  "How many seconds the clock is ahead of its base; 3600 shows the time of UTC+1.",
	  MW_FIELD(struct mc146818, offset_s) },
	{ "behind", "`offset_s` is how many seconds it is behind, though never before 1970.",
	  MW_FIELD(struct mc146818, behind) },
};
static const struct mw_wire wires[] = {
	{ "irq", "High while an enabled interrupt is pending; IRQ 8 on a PC.",
	  MW_FIELD(struct mc146818, irq) },
	{ "irq_off", "Low on `irq` while it is high: an HPET has the interrupt.", MW_SINK(1),
	  .optional = true, .on_level = on_irq_off },
};
static const struct mw_register bank[] = {
	{ "INDEX", INDEX, .get = read_index, .set = write_index },
	{ "DATA", DATA, .get = read_data, .set = write_data },
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_PORT, BANK_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
static const struct mw_timer_row timers[] = {
	{ "event", "The next enabled interrupt.", MW_FIELD(struct mc146818, event),
	  .on_expire = on_event },
};
static const struct mw_state state[] = {
	{ "index", MW_FIELD(struct mc146818, index), .since = 1 },
	{ "flags", MW_FIELD(struct mc146818, flags), .since = 1 },
	{ "cmos", MW_ARRAY(struct mc146818, cmos), .since = 1, .survives_reset = true },
	{ "told", MW_FIELD(struct mc146818, told), .since = 1, .survives_reset = true },
	{ "synced_ns", MW_FIELD(struct mc146818, synced_ns), .since = 1, .survives_reset = true },
	{ "phase_ns", MW_FIELD(struct mc146818, phase_ns), .since = 1, .survives_reset = true },
	{ "irq_off", MW_FIELD(struct mc146818, irq_off), .since = 2 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_RTC, "regs", INDEX, 1, CENTURY },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type mc146818_type = {
	MW_DEVICE_TYPE,
	.name = "mc146818",
	.summary = "MC146818A real-time clock and 128 bytes of CMOS memory",
	.size = sizeof(struct mc146818),
	.state_version = 2,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .init = init,
		 .after_reset = after_reset,
		 .start = on_event,
		 .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0B00", .roles = MW_TABLE(roles), .cmos = store_cmos },
};
