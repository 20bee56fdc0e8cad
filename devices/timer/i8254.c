/* Programmable interval timer of the PC, with system control port B. Reference: Intel 8254 data sheet
 * (231164-005; figures and tables are its), IBM PC/AT Technical Reference (1984), "System timers" and
 * "Port B", and Intel 82371AB (PIIX4) data sheet, NMISC, for port 0x61. */
// SPDX-License-Identifier: MIT
#include "core/device.h"
#include "devices/bus/speaker.h"

enum { COUNTERS = 3, CONTROL = COUNTERS, TIMER_SIZE, SPEAKER = 2 };
/* Figure 7: control word. */
enum { CONTROL_BCD = 0x01, CONTROL_KEPT = 0x3f };
enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { READ_BACK = 3, BACK_NO_COUNT = 0x20, BACK_NO_STATUS = 0x10 };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
/* Table "Mode definitions"; the values are those of the control word. */
enum { TERMINAL_COUNT, ONE_SHOT, RATE, SQUARE, SOFT_STROBE, HARD_STROBE };
enum {
	IDLE,     /* no count has been loaded since the control word */
	COUNTING, /* what the count is for lies ahead */
	STROBE,   /* this clock is the low one of a strobe */
	EXPIRED   /* the counter goes round without effect */
};
enum {
	PORT61_GATE = 0x01,
	PORT61_SPEAKER = 0x02,
	PORT61_KEPT = 0x0f,
	PORT61_REFRESH = 0x10,
	PORT61_OUT = 0x20
};
enum { RESET_CONTROL = 0x36, BINARY_STATES = 0x10000, BCD_STATES = 10000 };
#define CLOCK_HZ  MW_TONE_HZ
#define SECOND_NS UINT64_C(1000000000)
/* Refresh is counter 1's on the PC/AT: 18 clocks, 15.085 us. Here it does not hang on a guest. */
#define REFRESH_CLOCKS 18u
/* Interrupts that come closer are of no use to a guest and a burden to the host. */
#define LEAST_GAP_NS UINT64_C(50000)

/* One counter, as it was at clock `clock`; a state between accesses follows from that. */
struct counter {
	uint8_t control;              /* bits 0-5 as written */
	uint16_t initial;             /* CR */
	uint8_t low;                  /* the first byte of two that make a count */
	bool writes_high, reads_high; /* what is next with ACCESS_BOTH */
	uint8_t latched;              /* bytes of `latch` still to be read */
	uint16_t latch;
	bool status_latched;
	uint8_t status;
	bool written;    /* a whole count since the control word */
	bool loads;      /* CR goes to CE with the next clock */
	bool null_count; /* CR holds what CE has not seen */
	bool out;
	uint8_t phase;
	uint32_t period; /* modes 2 and 3: the count in use */
	uint32_t left;   /* clocks to the end of the count; mode 3: of the half; expired: CE */
	uint64_t clock;
};

struct i8254 {
	/* Wiring. */
	struct mw_line *irq;
	struct mw_stream *speaker;
	struct mw_timer *edge;
	/* Guest-visible state. */
	struct counter counters[COUNTERS];
	uint8_t port61;
	uint64_t quiet_until_ns; /* no timer before this */
	bool irq_off;            /* level of the line */
};

/* Guest time in whole clocks, and back to the first ns of one; exact, and good for 500 years. */

static uint64_t clock_at(uint64_t ns)
{
	return ns / SECOND_NS * CLOCK_HZ + ns % SECOND_NS * CLOCK_HZ / SECOND_NS;
}

static uint64_t first_ns_of(uint64_t clock)
{
	if (clock / CLOCK_HZ >= UINT64_MAX / SECOND_NS)
		return UINT64_MAX;
	return clock / CLOCK_HZ * SECOND_NS +
	       (clock % CLOCK_HZ * SECOND_NS + CLOCK_HZ - 1) / CLOCK_HZ;
}

/* Figure 7: modes 2 and 3 do not care about bit 2. */
static unsigned mode_of(const struct counter *counter)
{
	unsigned mode = counter->control >> 1 & 7;

	return mode > HARD_STROBE ? mode & 3 : mode;
}

static unsigned access_of(const struct counter *counter)
{
	unsigned access = counter->control >> 4 & 3;

	return access ? access : ACCESS_BOTH;
}

static uint32_t states(const struct counter *counter)
{
	return counter->control & CONTROL_BCD ? BCD_STATES : BINARY_STATES;
}

/* Figure 22: zero is the largest count. Digits that are none make some count within the range. */
static uint32_t initial_count(const struct counter *counter)
{
	uint32_t raw = counter->initial, count = raw;

	if (counter->control & CONTROL_BCD)
		count = (raw >> 12) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 +
			(raw & 15);
	count %= states(counter);
	return count ? count : states(counter);
}

/* Figure 22: 1 is no count for the modes that repeat; it is taken for the least that is one. */
static uint32_t initial_period(const struct counter *counter)
{
	uint32_t count = initial_count(counter);

	return count < 2 ? 2 : count;
}

/* Mode 3: an odd count is high one clock longer. */
static uint32_t half(uint32_t period, bool high)
{
	return (period + high) / 2;
}

/* The next clock transfers CR to CE. Only a one-shot begins with an edge, and that one falls. */
static void load(struct counter *counter)
{
	counter->loads = counter->null_count = false;
	counter->phase = COUNTING;
	counter->period = initial_period(counter);
	switch (mode_of(counter)) {
	case ONE_SHOT:
		counter->out = false;
		counter->left = initial_count(counter);
		break;
	case RATE: counter->left = counter->period; break;
	case SQUARE: counter->left = half(counter->period, true); break;
	default: counter->left = initial_count(counter);
	}
}

/* The functions below move a counter and return whether OUT has risen meanwhile. */

/* Modes 0, 1, 4, 5: once to zero, then round and round. */
static bool run_once(struct counter *counter, uint64_t clocks)
{
	bool strobes = mode_of(counter) >= SOFT_STROBE, rises = false;
	uint32_t round = states(counter);

	if (counter->phase == COUNTING) {
		if (clocks < counter->left) {
			counter->left -= (uint32_t)clocks;
			return false;
		}
		clocks -= counter->left;
		counter->left = 0;
		counter->phase = strobes && !clocks ? STROBE : EXPIRED;
		counter->out = counter->phase == EXPIRED;
		rises = counter->out;
	}
	counter->left = (uint32_t)((counter->left + round - clocks % round) % round);
	return rises;
}

/* A count written meanwhile is taken at the end of the current one. */
static void take_new_period(struct counter *counter)
{
	counter->period = initial_period(counter);
	counter->null_count = false;
}

/* Mode 2: low for the clock in which the count is one. */
static bool run_rate(struct counter *counter, uint64_t clocks)
{
	bool rises = clocks >= counter->left;

	if (rises) {
		clocks -= counter->left;
		take_new_period(counter);
		counter->left = counter->period - (uint32_t)(clocks % counter->period);
	} else {
		counter->left -= (uint32_t)clocks;
	}
	counter->out = counter->left != 1;
	return rises;
}

/* Mode 3: a new count is taken at the end of a half already. */
static bool run_square(struct counter *counter, uint64_t clocks)
{
	bool rises;

	if (clocks < counter->left) {
		counter->left -= (uint32_t)clocks;
		return false;
	}
	clocks -= counter->left;
	take_new_period(counter);
	counter->out = !counter->out;
	rises = counter->out || clocks >= counter->period;
	clocks %= counter->period;
	if (clocks >= half(counter->period, counter->out)) {
		clocks -= half(counter->period, counter->out);
		counter->out = !counter->out;
		rises |= counter->out;
	}
	counter->left = half(counter->period, counter->out) - (uint32_t)clocks;
	return rises;
}

/* Figure 21: a gate that is low stops all but the modes that it triggers. */
static bool counts(const struct counter *counter, bool gate)
{
	unsigned mode = mode_of(counter);

	return counter->phase != IDLE && (gate || mode == ONE_SHOT || mode == HARD_STROBE);
}

static bool advance(struct counter *counter, uint64_t to, bool gate)
{
	uint64_t clocks = to - counter->clock;
	bool rises = false;

	if (to <= counter->clock)
		return false;
	counter->clock = to;
	if (counter->phase == STROBE) {
		counter->phase = EXPIRED;
		counter->out = rises = true;
	}
	if (counter->loads) {
		load(counter);
		clocks--;
	}
	if (!counts(counter, gate))
		return rises;
	switch (mode_of(counter)) {
	case RATE: return run_rate(counter, clocks) || rises;
	case SQUARE: return run_square(counter, clocks) || rises;
	default: return run_once(counter, clocks) || rises;
	}
}

/* CE as a guest reads it. */
static uint16_t count_now(const struct counter *counter)
{
	bool repeats = counter->phase != IDLE && mode_of(counter) == SQUARE;
	uint32_t count = counter->left;

	if (repeats)
		count = 2 * (count - (counter->out && counter->period % 2));
	count %= states(counter);
	if (!(counter->control & CONTROL_BCD))
		return (uint16_t)count;
	return (uint16_t)(count / 1000 << 12 | count / 100 % 10 << 8 | count / 10 % 10 << 4 |
			  count % 10);
}

/* Gates 0 and 1 are tied high. */
static bool gate_of(const struct i8254 *pit, unsigned number)
{
	return number != SPEAKER || (pit->port61 & PORT61_GATE);
}

/* In how many clocks from its own the line must change again; 0: never by itself. The low clock of
 * modes 2, 4 and 5 is shown with the edge that ends it, unless it is now. */
static uint64_t until_edge(const struct counter *counter)
{
	uint64_t first = counter->loads ? 1 : 0, left = counter->left;

	if (counter->phase == STROBE)
		return 1;
	if (!counter->loads && counter->phase != COUNTING)
		return 0;
	if (counter->loads)
		left = initial_count(counter);
	switch (mode_of(counter)) {
	case RATE: return first + (counter->loads ? initial_period(counter) : left);
	case SQUARE: return first + (counter->loads ? half(initial_period(counter), true) : left);
	case SOFT_STROBE:
	case HARD_STROBE: return first + left + 1;
	default: return first + left;
	}
}

/* When, or UINT64_MAX. */
static uint64_t next_edge_ns(const struct i8254 *pit)
{
	const struct counter *counter = &pit->counters[0];
	uint64_t clocks = until_edge(counter), when;

	if (!clocks || clocks > UINT64_MAX - counter->clock)
		return UINT64_MAX;
	when = first_ns_of(counter->clock + clocks);
	return when < pit->quiet_until_ns ? pit->quiet_until_ns : when;
}

static void arm(struct i8254 *pit)
{
	uint64_t when = next_edge_ns(pit), armed;

	if (when == UINT64_MAX || pit->irq_off)
		mw_timer_cancel(pit->edge);
	else if (!mw_timer_armed(pit->edge, &armed) || armed != when)
		mw_timer_arm(pit->edge, when);
}

static void drive(struct i8254 *pit, bool level)
{
	mw_line_set(pit->irq, level && !pit->irq_off);
}

/* Periods that were missed are one edge, and the next is where it would have been. */
static void show(struct i8254 *pit, bool rises)
{
	if (rises) {
		drive(pit, false);
		drive(pit, true);
	}
	drive(pit, pit->counters[0].out);
}

static struct counter *sync(struct i8254 *pit, unsigned number)
{
	struct counter *counter = &pit->counters[number];
	bool rises = advance(counter, clock_at(mw_now_ns(pit)), gate_of(pit, number));

	if (number == 0)
		show(pit, rises);
	return counter;
}

/* After what may have changed OUT at once. */
static void settle(struct i8254 *pit, unsigned number)
{
	if (number != 0)
		return;
	drive(pit, pit->counters[0].out);
	arm(pit);
}

/* The speaker hears OUT of counter 2 through an AND gate. */

/* Clocks to the end of the count, from `clock` on. */
static uint32_t rest_of(const struct counter *counter)
{
	return counter->loads ? 1 + initial_count(counter) : counter->left;
}

/* Mode 2 is low in the last clock of a period. */
static void describe_rate(const struct counter *counter, struct mw_tone *tone)
{
	uint32_t left = counter->loads ? 1 + initial_period(counter) : counter->left;

	tone->level = left != 1;
	tone->left = left == 1 ? 1 : left - 1;
	tone->high = initial_period(counter) - 1;
	tone->low = 1;
}

static void describe_square(const struct counter *counter, struct mw_tone *tone)
{
	tone->high = half(initial_period(counter), true);
	tone->low = half(initial_period(counter), false);
	tone->left = counter->loads ? 1 + tone->high : counter->left;
}

static void describe_one_shot(const struct counter *counter, struct mw_tone *tone)
{
	tone->left = counter->loads && tone->level ? 1 : rest_of(counter);
	tone->low = initial_count(counter);
}

/* What OUT does from now on if nothing is written any more. */
static void describe(const struct counter *counter, struct mw_tone *tone)
{
	tone->level = counter->out;
	if (counter->phase == STROBE) {
		tone->left = 1;
	} else if (counter->loads || counter->phase == COUNTING) {
		switch (mode_of(counter)) {
		case RATE: describe_rate(counter, tone); break;
		case SQUARE: describe_square(counter, tone); break;
		case ONE_SHOT: describe_one_shot(counter, tone); break;
		default: tone->left = rest_of(counter); tone->low = 1;
		}
	}
}

static void tell_speaker(struct i8254 *pit)
{
	struct counter counter = pit->counters[SPEAKER];
	struct mw_tone tone = { .clock = clock_at(mw_now_ns(pit)) };
	bool gate = gate_of(pit, SPEAKER);
	uint8_t bytes[MW_TONE_BYTES];

	advance(&counter, tone.clock, gate);
	if (!(pit->port61 & PORT61_SPEAKER))
		tone.level = false;
	else if (gate || counts(&counter, gate))
		describe(&counter, &tone);
	else
		tone.level = counter.out;
	mw_tone_pack(&tone, bytes);
	if (mw_stream_room(pit->speaker) >= sizeof(bytes))
		mw_stream_write(pit->speaker, bytes, sizeof(bytes));
}

/* While port B keeps the speaker silent there is nothing to tell. */
static void sound_changed(struct i8254 *pit, unsigned number)
{
	if (number == SPEAKER && (pit->port61 & PORT61_SPEAKER))
		tell_speaker(pit);
}

/* The gap is from when this was due: a host that is late does not make the next one late, too. */
static void on_edge(void *self)
{
	struct i8254 *pit = self;
	uint64_t due = next_edge_ns(pit);

	if (due <= mw_now_ns(pit))
		pit->quiet_until_ns = due + LEAST_GAP_NS;
	sync(pit, 0);
	arm(pit);
}

/* Control words and commands */

/* "Operation common to all modes": all control logic is reset and OUT goes to its initial state. */
static void program(struct counter *counter, uint8_t control)
{
	uint32_t count = count_now(counter);

	*counter = (struct counter){
		.control = control & CONTROL_KEPT,
		.initial = counter->initial,
		.null_count = true,
		.left = count,
		.clock = counter->clock,
	};
	counter->left %= states(counter);
	counter->out = mode_of(counter) != TERMINAL_COUNT;
}

/* A latch that has not been read yet is kept. */
static void latch_count(struct counter *counter)
{
	if (counter->latched)
		return;
	counter->latch = count_now(counter);
	counter->latched = access_of(counter) == ACCESS_BOTH ? 2 : 1;
}

/* Figure 11 */
static void latch_status(struct counter *counter)
{
	if (counter->status_latched)
		return;
	counter->status = counter->control | (counter->out ? STATUS_OUT : 0) |
			  (counter->null_count ? STATUS_NULL : 0);
	counter->status_latched = true;
}

/* Figure 10 */
static void read_back(struct i8254 *pit, uint8_t command)
{
	for (unsigned i = 0; i < COUNTERS; i++) {
		struct counter *counter;

		if (!(command & 2u << i))
			continue;
		counter = sync(pit, i);
		if (!(command & BACK_NO_COUNT))
			latch_count(counter);
		if (!(command & BACK_NO_STATUS))
			latch_status(counter);
		settle(pit, i);
	}
}

static void write_control(void *self, uint64_t value)
{
	struct i8254 *pit = self;
	unsigned number = value >> 6 & 3;

	if (number == READ_BACK) {
		read_back(pit, (uint8_t)value);
		return;
	}
	if ((value >> 4 & 3) == ACCESS_LATCH)
		latch_count(sync(pit, number));
	else
		program(sync(pit, number), (uint8_t)value);
	settle(pit, number);
	sound_changed(pit, number);
}

/* Counts */

static uint8_t byte_of(struct counter *counter, uint16_t count)
{
	bool high = access_of(counter) == ACCESS_HIGH;

	if (access_of(counter) == ACCESS_BOTH) {
		high = counter->reads_high;
		counter->reads_high = !high;
	}
	return (uint8_t)(high ? count >> 8 : count);
}

/* A latch begins with its low byte, wherever reading was. */
static uint8_t latched_byte(struct counter *counter)
{
	bool high = access_of(counter) == ACCESS_HIGH ||
		    (access_of(counter) == ACCESS_BOTH && counter->latched == 1);

	counter->latched--;
	return (uint8_t)(high ? counter->latch >> 8 : counter->latch);
}

static uint64_t read_count(struct i8254 *pit, unsigned number)
{
	struct counter *counter = sync(pit, number);
	uint8_t value;

	if (counter->status_latched) {
		counter->status_latched = false;
		value = counter->status;
	} else if (counter->latched) {
		value = latched_byte(counter);
	} else {
		value = byte_of(counter, count_now(counter));
	}
	settle(pit, number);
	return value;
}

/* Modes 1 and 5 wait for a trigger, 2 and 3 for the end of the count that runs. */
static void count_written(struct counter *counter)
{
	unsigned mode = mode_of(counter);
	bool repeats = mode == RATE || mode == SQUARE;

	counter->written = counter->null_count = true;
	if (mode == TERMINAL_COUNT)
		counter->out = false;
	if (mode != ONE_SHOT && mode != HARD_STROBE && !(repeats && counter->phase == COUNTING))
		counter->loads = true;
}

/* Mode 0: the first byte of two stops the count and makes OUT low. */
static void first_byte(struct counter *counter, uint8_t value)
{
	counter->low = value;
	counter->writes_high = true;
	if (mode_of(counter) != TERMINAL_COUNT)
		return;
	counter->phase = IDLE;
	counter->out = counter->loads = false;
}

static uint16_t whole_count(const struct counter *counter, uint8_t value)
{
	switch (access_of(counter)) {
	case ACCESS_LOW: return value;
	case ACCESS_HIGH: return (uint16_t)(value << 8);
	default: return (uint16_t)(value << 8 | counter->low);
	}
}

static void write_count(struct i8254 *pit, unsigned number, uint8_t value)
{
	struct counter *counter = sync(pit, number);

	if (access_of(counter) == ACCESS_BOTH && !counter->writes_high) {
		first_byte(counter, value);
	} else {
		counter->initial = whole_count(counter, value);
		counter->writes_high = false;
		count_written(counter);
	}
	settle(pit, number);
	sound_changed(pit, number);
}

static uint64_t read_counter0(void *self)
{
	return read_count(self, 0);
}

static uint64_t read_counter1(void *self)
{
	return read_count(self, 1);
}

static uint64_t read_counter2(void *self)
{
	return read_count(self, 2);
}

static void write_counter0(void *self, uint64_t value)
{
	write_count(self, 0, (uint8_t)value);
}

static void write_counter1(void *self, uint64_t value)
{
	write_count(self, 1, (uint8_t)value);
}

static void write_counter2(void *self, uint64_t value)
{
	write_count(self, 2, (uint8_t)value);
}

/* Port B */

/* Figure 21. A low gate ends the low part of modes 2 and 3 at once. */
static void gate_changed(struct counter *counter, bool gate)
{
	unsigned mode = mode_of(counter);
	bool repeats = mode == RATE || mode == SQUARE;

	if (repeats && !gate)
		counter->out = true;
	if (gate && counter->written && (repeats || mode == ONE_SHOT || mode == HARD_STROBE))
		counter->loads = true;
}

static uint64_t read_port61(void *self)
{
	struct i8254 *pit = self;
	uint64_t refresh = clock_at(mw_now_ns(pit)) / REFRESH_CLOCKS;

	return pit->port61 | (refresh & 1 ? PORT61_REFRESH : 0u) |
	       (sync(pit, SPEAKER)->out ? PORT61_OUT : 0u);
}

static void write_port61(void *self, uint64_t value)
{
	struct i8254 *pit = self;
	struct counter *counter = sync(pit, SPEAKER);
	uint8_t before = pit->port61;

	pit->port61 = value & PORT61_KEPT;
	if ((before ^ pit->port61) & PORT61_GATE)
		gate_changed(counter, pit->port61 & PORT61_GATE);
	if ((before | pit->port61) & PORT61_SPEAKER)
		tell_speaker(pit);
}

/* What has not been shown meanwhile is gone: the line shows OUT as it is. */
static void on_irq_off(void *self, unsigned index, bool level)
{
	struct i8254 *pit = self;

	sync(pit, 0);
	pit->irq_off = level;
	settle(pit, 0);
}

static void after_reset(void *self)
{
	settle(self, 0);
	tell_speaker(self);
}

/* A length of zero, or of more than there is, would make a count that never ends or jumps. */
static void sanitise(struct counter *counter)
{
	uint32_t most = states(counter);

	counter->control &= CONTROL_KEPT;
	if (counter->latched > 2)
		counter->latched = 2;
	if (counter->phase > EXPIRED)
		counter->phase = EXPIRED;
	if (counter->phase != IDLE && (counter->period < 2 || counter->period > BINARY_STATES))
		counter->period = 2;
	if (mode_of(counter) == SQUARE && counter->phase != IDLE)
		most = half(counter->period, counter->out);
	else if (mode_of(counter) == RATE && counter->phase != IDLE)
		most = counter->period;
	if (counter->left > most || (!counter->left && counter->phase == COUNTING))
		counter->left = most;
}

static void after_load(void *self)
{
	struct i8254 *pit = self;

	pit->port61 &= PORT61_KEPT;
	for (unsigned i = 0; i < COUNTERS; i++)
		sanitise(&pit->counters[i]);
	settle(pit, 0);
	sound_changed(pit, SPEAKER);
}

static const struct mw_wire wires[] = {
	{ "irq", "OUT of counter 0; IRQ 0 on a PC.", MW_FIELD(struct i8254, irq) },
	{ "irq_off", "Low on `irq` while it is high: an HPET has the interrupt.", MW_SINK(1),
	  .optional = true, .on_level = on_irq_off },
	{ "speaker", "What the speaker does: records of devices/bus/speaker.h.",
	  MW_FIELD(struct i8254, speaker), .optional = true },
};
static const struct mw_register timer[] = {
	{ "COUNTER0", 0, .get = read_counter0, .set = write_counter0 },
	{ "COUNTER1", 1, .get = read_counter1, .set = write_counter1 },
	{ "COUNTER2", 2, .get = read_counter2, .set = write_counter2 },
	/* Figure 14: a read leaves the bus alone. */
	{ "CONTROL", CONTROL, .set = write_control, .write_only = true },
};
static const struct mw_register port61[] = {
	{ "PORT61", 0, .get = read_port61, .set = write_port61 },
};
static const struct mw_region regions[] = {
	{ "timer", MW_SPACE_PORT, TIMER_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(timer) },
	{ "port61", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(port61),
	  .optional = true },
};
static const struct mw_timer_row timers[] = {
	{ "edge", "The next change of OUT of counter 0.", MW_FIELD(struct i8254, edge),
	  .on_expire = on_edge },
};
/* The data sheet leaves the state before the first control word open. Here it is that of mode 3
 * without a count, so that a machine whose guest has no use for it has no interrupts of it. */
static const struct mw_state counter_state[] = {
	{ "control", MW_FIELD(struct counter, control), .reset = RESET_CONTROL, .since = 1 },
	{ "initial", MW_FIELD(struct counter, initial), .since = 1 },
	{ "low", MW_FIELD(struct counter, low), .since = 1 },
	{ "writes_high", MW_FIELD(struct counter, writes_high), .since = 1 },
	{ "reads_high", MW_FIELD(struct counter, reads_high), .since = 1 },
	{ "latched", MW_FIELD(struct counter, latched), .since = 1 },
	{ "latch", MW_FIELD(struct counter, latch), .since = 1 },
	{ "status_latched", MW_FIELD(struct counter, status_latched), .since = 1 },
	{ "status", MW_FIELD(struct counter, status), .since = 1 },
	{ "written", MW_FIELD(struct counter, written), .since = 1 },
	{ "loads", MW_FIELD(struct counter, loads), .since = 1 },
	{ "null_count", MW_FIELD(struct counter, null_count), .reset = true, .since = 1 },
	{ "out", MW_FIELD(struct counter, out), .reset = true, .since = 1 },
	{ "phase", MW_FIELD(struct counter, phase), .reset = IDLE, .since = 1 },
	{ "period", MW_FIELD(struct counter, period), .since = 1 },
	{ "left", MW_FIELD(struct counter, left), .since = 1 },
	{ "clock", MW_FIELD(struct counter, clock), .since = 1 },
};
static const struct mw_state state[] = {
	{ "counters", MW_STRUCTS(struct i8254, counters, counter_state), .since = 1 },
	{ "port61", MW_FIELD(struct i8254, port61), .since = 1 },
	{ "quiet_until_ns", MW_FIELD(struct i8254, quiet_until_ns), .since = 1 },
	{ "irq_off", MW_FIELD(struct i8254, irq_off), .since = 2 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_TIMER, "timer" },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type i8254_type = {
	MW_DEVICE_TYPE,
	.name = "i8254",
	.summary = "8254 interval timer and the PC's port 0x61, with the speaker's tones",
	.size = sizeof(struct i8254),
	.state_version = 2,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .after_reset = after_reset, .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0100", .roles = MW_TABLE(roles) },
};
