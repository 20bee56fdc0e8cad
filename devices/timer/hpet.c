/* High precision event timer: a counter of 100 MHz and three comparators. Reference: Intel, IA-PC HPET
 * Specification 1.0a (2004); sections are its. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { TIMERS = 3, BANK_BYTES = 0x400, FIRST_TIMER = 0x100, TIMER_BYTES = 0x20 };
/* 2.3.3, register memory map */
enum { CAPABILITIES = 0x000, CONFIG = 0x010, STATUS = 0x020, COUNTER = 0x0f0 };
enum { TIMER_CONFIG = 0x00, COMPARATOR = 0x08, TIMER_FSB = 0x10 };
/* 2.3.4: vendor, legacy replacement, 64 bits, three timers, revision 1; and the period in fs */
#define BLOCK_ID  UINT64_C(0x8086a201)
#define PERIOD_FS UINT64_C(10000000)
/* 2.3.5 */
enum { CONFIG_ENABLE = 0x1, CONFIG_LEGACY = 0x2, CONFIG_BITS = 0x3 };
/* 2.3.8 */
enum {
	LEVEL = 0x0002,
	ENABLE = 0x0004,
	PERIODIC = 0x0008,
	CAN_REPEAT = 0x0010,
	IS_64 = 0x0020,
	VALUE_SET = 0x0040,
	MODE_32 = 0x0100,
	ROUTE = 0x3e00,
	ROUTE_SHIFT = 9,
	ROUTES = 32,
	WRITABLE = LEVEL | ENABLE | PERIODIC | VALUE_SET | MODE_32 | ROUTE
};
enum { TICK_NS = 10, STATUS_BITS = (1 << TIMERS) - 1 };
/* Periods that are shorter are of no use to a guest and a burden to the host. */
#define LEAST_GAP_NS UINT64_C(50000)
#define NEVER        UINT64_MAX

struct timer {
	uint32_t config;
	uint64_t comparator;
	uint64_t period; /* what is added to the comparator after a match */
};

struct hpet {
	/* Wiring. */
	struct mw_line *irq[TIMERS];
	struct mw_line *irq0, *irq8, *pit_off, *rtc_off;
	struct mw_timer *match;
	/* Guest-visible state. */
	uint8_t config, status;
	uint8_t raised;   /* edge-triggered interrupts: their lines are high up to the next */
	uint64_t counter; /* at `started_ns`, or while it is halted */
	uint64_t started_ns;
	uint64_t seen;           /* matches up to this count have been noticed */
	uint64_t quiet_until_ns; /* timer 0, while it repeats, does not interrupt before */
	struct timer timers[TIMERS];
};

static bool is_on(const struct hpet *hpet)
{
	return hpet->config & CONFIG_ENABLE;
}

static bool replaces(const struct hpet *hpet)
{
	return hpet->config == (CONFIG_ENABLE | CONFIG_LEGACY);
}

static uint64_t count_now(struct hpet *hpet)
{
	uint64_t now = mw_now_ns(hpet);

	if (!is_on(hpet) || now < hpet->started_ns)
		return hpet->counter;
	return hpet->counter + (now - hpet->started_ns) / TICK_NS;
}

static uint64_t mask_of(const struct timer *timer)
{
	return timer->config & MODE_32 ? UINT32_MAX : UINT64_MAX;
}

/* How many counts lie between this one and the one that matches. */
static uint64_t gap_to_match(const struct timer *timer, uint64_t count)
{
	return (timer->comparator - count - 1) & mask_of(timer);
}

/* 2.3.9.2: matches from after `from` up to `to`; the comparator of a periodic timer moves on. */
static bool match(struct timer *timer, uint64_t from, uint64_t to)
{
	uint64_t gap = gap_to_match(timer, from), mask = mask_of(timer), times = 1;

	if (to - from <= gap)
		return false;
	if (!(timer->config & PERIODIC))
		return true;
	if (timer->period & mask)
		times += (to - from - 1 - gap) / (timer->period & mask);
	timer->comparator = (timer->comparator + times * timer->period) & mask;
	return true;
}

static bool is_active(const struct hpet *hpet, unsigned number)
{
	uint32_t config = hpet->timers[number].config;
	unsigned pending = config & LEVEL ? hpet->status : hpet->raised;

	return is_on(hpet) && (config & ENABLE) && (pending >> number & 1);
}

static bool is_routed(const struct hpet *hpet, unsigned number)
{
	unsigned route = (hpet->timers[number].config & ROUTE) >> ROUTE_SHIFT;

	return !(replaces(hpet) && number < 2) && route == mw_line_gsi(hpet->irq[number]);
}

static void drive(struct hpet *hpet)
{
	bool legacy = replaces(hpet);

	mw_line_set(hpet->pit_off, legacy);
	mw_line_set(hpet->rtc_off, legacy);
	mw_line_set(hpet->irq0, legacy && is_active(hpet, 0));
	mw_line_set(hpet->irq8, legacy && is_active(hpet, 1));
	for (unsigned i = 0; i < TIMERS; i++)
		mw_line_set(hpet->irq[i], is_routed(hpet, i) && is_active(hpet, i));
}

/* Brings comparators and status to the present. Matches that were missed are one interrupt. */
static void sync(struct hpet *hpet)
{
	uint64_t now = count_now(hpet);
	uint8_t edges = 0;

	for (unsigned i = 0; i < TIMERS && now != hpet->seen; i++) {
		if (!match(&hpet->timers[i], hpet->seen, now))
			continue;
		if (hpet->timers[i].config & LEVEL)
			hpet->status |= (uint8_t)(1u << i);
		else if (hpet->timers[i].config & ENABLE)
			edges |= (uint8_t)(1u << i);
	}
	hpet->seen = now;
	if (!edges)
		return;
	hpet->raised &= (uint8_t)~edges;
	drive(hpet);
	hpet->raised |= edges;
}

static uint64_t match_ns(const struct hpet *hpet, unsigned number)
{
	const struct timer *timer = &hpet->timers[number];
	bool waits = timer->config & LEVEL && (hpet->status >> number & 1);
	uint64_t ticks = hpet->seen - hpet->counter, gap = gap_to_match(timer, hpet->seen), when;

	if (!(timer->config & ENABLE) || waits || ticks > NEVER / TICK_NS ||
	    gap >= NEVER / TICK_NS - ticks ||
	    (ticks + gap + 1) * TICK_NS > NEVER - 1 - hpet->started_ns)
		return NEVER;
	when = hpet->started_ns + (ticks + gap + 1) * TICK_NS;
	return timer->config & PERIODIC && when < hpet->quiet_until_ns ? hpet->quiet_until_ns
								       : when;
}

static uint64_t next_ns(const struct hpet *hpet)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; is_on(hpet) && i < TIMERS; i++) {
		uint64_t when = match_ns(hpet, i);

		if (when < next)
			next = when;
	}
	return next;
}

/* After whatever may have changed. */
static void settle(struct hpet *hpet)
{
	uint64_t next = next_ns(hpet), armed;

	for (unsigned i = 0; i < TIMERS; i++) {
		uint32_t config = hpet->timers[i].config;

		if (!is_on(hpet) || !(config & ENABLE) || (config & LEVEL))
			hpet->raised &= (uint8_t) ~(1u << i);
	}
	drive(hpet);
	if (next == NEVER)
		mw_timer_cancel(hpet->match);
	else if (!mw_timer_armed(hpet->match, &armed) || armed != next)
		mw_timer_arm(hpet->match, next);
}

/* The gap is from when this was due: a host that is late does not make the next one late, too. */
static void on_match(void *self)
{
	struct hpet *hpet = self;
	uint64_t due = match_ns(hpet, 0);

	if ((hpet->timers[0].config & PERIODIC) && due <= mw_now_ns(hpet))
		hpet->quiet_until_ns = due + LEAST_GAP_NS;
	sync(hpet);
	settle(hpet);
}

/* Registers, all of 64 bits */

static uint32_t routes_of(const struct hpet *hpet, unsigned number)
{
	uint32_t gsi = mw_line_gsi(hpet->irq[number]);

	return gsi < ROUTES ? UINT32_C(1) << gsi : 0;
}

/* 2.3.8: only timer 0 repeats. VALUE_SET clears itself and is not shown. */
static uint64_t timer_config(const struct hpet *hpet, unsigned number)
{
	return (hpet->timers[number].config & ~(uint32_t)VALUE_SET) | IS_64 |
	       (number ? 0u : CAN_REPEAT) | (uint64_t)routes_of(hpet, number) << 32;
}

static uint64_t read_timer(const struct hpet *hpet, unsigned number, unsigned at)
{
	switch (at) {
	case TIMER_CONFIG: return timer_config(hpet, number);
	case COMPARATOR: return hpet->timers[number].comparator;
	default: return 0;
	}
}

static uint64_t read_register(struct hpet *hpet, unsigned at)
{
	unsigned number = (at - FIRST_TIMER) / TIMER_BYTES;

	if (at >= FIRST_TIMER)
		return number < TIMERS ? read_timer(hpet, number, at % TIMER_BYTES) : 0;
	switch (at) {
	case CAPABILITIES: return BLOCK_ID | PERIOD_FS << 32;
	case CONFIG: return hpet->config;
	case STATUS: return hpet->status;
	case COUNTER: return count_now(hpet);
	default: return 0;
	}
}

/* A route that the timer does not have is not taken. */
static void write_timer_config(struct hpet *hpet, unsigned number, uint64_t value)
{
	struct timer *timer = &hpet->timers[number];
	uint32_t config = (uint32_t)value & WRITABLE;

	if (!(routes_of(hpet, number) >> (config >> ROUTE_SHIFT) & 1))
		config = (config & ~(uint32_t)ROUTE) | (timer->config & ROUTE);
	if (number)
		config &= ~(uint32_t)PERIODIC;
	if (!(config & PERIODIC))
		config &= ~(uint32_t)VALUE_SET;
	timer->config = config;
	timer->comparator &= mask_of(timer);
	timer->period &= mask_of(timer);
}

static uint64_t merge(uint64_t old, uint64_t value, uint64_t lanes)
{
	return (old & ~lanes) | (value & lanes);
}

/* 2.3.9.2.2: what is written to a periodic timer is its period, and its next match only with VALUE_SET. */
static void write_comparator(struct timer *timer, uint64_t value, uint64_t lanes)
{
	lanes &= mask_of(timer);
	if (!(timer->config & PERIODIC) || (timer->config & VALUE_SET))
		timer->comparator = merge(timer->comparator, value, lanes);
	if (timer->config & PERIODIC)
		timer->period = merge(timer->period, value, lanes);
	timer->config &= ~(uint32_t)VALUE_SET;
}

static void write_timer(struct hpet *hpet, unsigned number, unsigned at, uint64_t value,
			uint64_t lanes)
{
	struct timer *timer = &hpet->timers[number];

	if (at == TIMER_CONFIG)
		write_timer_config(hpet, number, merge(timer->config, value, lanes));
	else if (at == COMPARATOR)
		write_comparator(timer, value, lanes);
}

/* The counter stands still while it is not enabled. */
static void write_config(struct hpet *hpet, uint64_t value)
{
	hpet->counter = hpet->seen;
	hpet->started_ns = mw_now_ns(hpet);
	hpet->config = value & CONFIG_BITS;
}

static void set_counter(struct hpet *hpet, uint64_t value)
{
	hpet->counter = hpet->seen = value;
	hpet->started_ns = mw_now_ns(hpet);
}

static void write_register(struct hpet *hpet, unsigned at, uint64_t value, uint64_t lanes)
{
	unsigned number = (at - FIRST_TIMER) / TIMER_BYTES;

	if (at >= FIRST_TIMER) {
		if (number < TIMERS)
			write_timer(hpet, number, at % TIMER_BYTES, value, lanes);
		return;
	}
	switch (at) {
	case CONFIG: write_config(hpet, merge(hpet->config, value, lanes)); break;
	case STATUS: hpet->status &= (uint8_t) ~(value & lanes); break;
	case COUNTER: set_counter(hpet, merge(hpet->seen, value, lanes)); break;
	default: break;
	}
}

static enum mw_io read_bank(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct hpet *hpet = self;
	unsigned shift = (offset & 7) * 8;

	sync(hpet);
	*value = read_register(hpet, (unsigned)offset & ~7u) >> shift &
		 (UINT64_MAX >> (64 - 8 * size));
	settle(hpet);
	return MW_IO_OK;
}

static enum mw_io write_bank(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct hpet *hpet = self;
	unsigned shift = (offset & 7) * 8;

	sync(hpet);
	write_register(hpet, (unsigned)offset & ~7u, value << shift,
		       UINT64_MAX >> (64 - 8 * size) << shift);
	settle(hpet);
	return MW_IO_OK;
}

static void after_reset(void *self)
{
	settle(self);
}

static void after_load(void *self)
{
	struct hpet *hpet = self;

	hpet->config &= CONFIG_BITS;
	hpet->status &= STATUS_BITS;
	hpet->raised &= STATUS_BITS;
	for (unsigned i = 0; i < TIMERS; i++) {
		struct timer *timer = &hpet->timers[i];

		timer->config &= i ? WRITABLE & ~(PERIODIC | VALUE_SET) : WRITABLE;
		timer->comparator &= mask_of(timer);
		timer->period &= mask_of(timer);
	}
	settle(hpet);
}

static const struct mw_wire wires[] = {
	{ "irq", "Each timer's interrupt. Its GSI, below 32, is the one route that the timer has.",
	  MW_ARRAY(struct hpet, irq), .optional = true },
	{ "irq0", "Timer 0 with legacy replacement; IRQ 0 on a PC, shared with the 8254.",
	  MW_FIELD(struct hpet, irq0), .optional = true },
	{ "irq8", "Timer 1 with legacy replacement; IRQ 8 on a PC, shared with the clock chip.",
	  MW_FIELD(struct hpet, irq8), .optional = true },
	{ "pit_off", "High with legacy replacement: the 8254 must not interrupt (its `irq_off`).",
	  MW_FIELD(struct hpet, pit_off), .optional = true },
	{ "rtc_off", "The same for the clock chip.", MW_FIELD(struct hpet, rtc_off),
	  .optional = true },
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_MEMORY, BANK_BYTES, MW_ACCESS(4, 8), read_bank, write_bank,
	  .align = BANK_BYTES },
};
static const struct mw_timer_row timers[] = {
	{ "match", "The next match that interrupts.", MW_FIELD(struct hpet, match),
	  .on_expire = on_match },
};
/* Comparators are all ones after reset (2.3.8.1). */
static const struct mw_state timer_state[] = {
	{ "config", MW_FIELD(struct timer, config), .since = 1 },
	{ "comparator", MW_FIELD(struct timer, comparator), .reset = UINT64_MAX, .since = 1 },
	{ "period", MW_FIELD(struct timer, period), .since = 1 },
};
static const struct mw_state state[] = {
	{ "config", MW_FIELD(struct hpet, config), .since = 1 },
	{ "status", MW_FIELD(struct hpet, status), .since = 1 },
	{ "raised", MW_FIELD(struct hpet, raised), .since = 1 },
	{ "counter", MW_FIELD(struct hpet, counter), .since = 1 },
	{ "started_ns", MW_FIELD(struct hpet, started_ns), .since = 1 },
	{ "seen", MW_FIELD(struct hpet, seen), .since = 1 },
	{ "quiet_until_ns", MW_FIELD(struct hpet, quiet_until_ns), .since = 1 },
	{ "timers", MW_STRUCTS(struct hpet, timers, timer_state), .since = 1 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_HPET, "regs", CAPABILITIES, 8, BLOCK_ID },
	{ MW_ROLE_TIMER, "regs" },
};
/* Its interrupts are what its registers say; in _CRS systems would take them for fixed. */
static const char *const described[] = { "irq", "irq0", "irq8", NULL };
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type hpet_type = {
	MW_DEVICE_TYPE,
	.name = "hpet",
	.summary = "high precision event timer: 100 MHz, three comparators, legacy replacement",
	.size = sizeof(struct hpet),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .after_reset = after_reset, .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0103", .roles = MW_TABLE(roles), .aml_claims = described },
};
