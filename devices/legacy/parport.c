/* Parallel port of a PC, the standard one (SPP), with a printer that takes all bytes. References: IEEE Std
 * 1284-1994, compatibility mode and its timing; IBM PC/AT Technical Reference (1984), "Serial/Parallel
 * Adapter", for the registers. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { DATA, STATUS, CONTROL, BANK_BYTES };
/* Inputs as they are read: BUSY alone is inverted. */
enum {
	STATUS_ERROR = 0x08,  /* nFault: there is none */
	STATUS_SELECT = 0x10, /* Select: the printer is there */
	STATUS_ACK = 0x40,    /* nAck: low for a moment after each byte */
	STATUS_READY = 0x80,  /* Busy: the printer cannot take one */
	STATUS_OPEN = 0x07    /* no register bits: an open bus */
};
enum {
	STROBE = 0x01,
	INIT = 0x04,      /* nInit: not inverted, low is a reset of the printer */
	SELECT_IN = 0x08, /* nSelectIn: low, the printer is addressed */
	IRQ_ENABLED = 0x10,
	READY_BITS = INIT | SELECT_IN,
	CONTROL_KEPT = 0x1f,
	CONTROL_OPEN = 0xe0
};
/* Figure 7: Busy comes with the strobe, nAck falls when the byte has been taken and both end together. */
enum { ACK_AFTER_NS = 5000, READY_AFTER_NS = 10000 };
enum {
	IDLE,
	HELD,  /* the byte waits for room at the far end */
	ENDING /* it has gone, `taken_ns` says when */
};

struct parport {
	/* Wiring. */
	struct mw_line *irq;
	struct mw_stream *port;
	struct mw_timer *ready;
	/* Guest-visible state. */
	uint8_t data, control;
	uint8_t phase, held;
	bool pending; /* nAck has risen with the interrupt enabled, and nobody has looked */
	uint64_t taken_ns;
};

static void drive(struct parport *parport)
{
	mw_line_set(parport->irq, parport->pending);
}

/* The rising edge of nAck is the interrupt. Its line stays high until the status is read or the next byte
 * comes, since an 8259 forgets a request that goes away. */
static void acknowledge(struct parport *parport)
{
	parport->phase = IDLE;
	if (!(parport->control & IRQ_ENABLED))
		return;
	parport->pending = true;
	drive(parport);
}

static void take(struct parport *parport)
{
	if (!mw_stream_room(parport->port))
		return;
	mw_stream_put(parport->port, parport->held);
	parport->phase = ENDING;
	parport->taken_ns = mw_now_ns(parport);
}

/* Without an interrupt there is nothing to be on time for: whoever polls finds the handshake done. */
static void settle(struct parport *parport)
{
	if (parport->phase == HELD)
		take(parport);
	if (parport->phase == ENDING && mw_now_ns(parport) - parport->taken_ns >= READY_AFTER_NS)
		acknowledge(parport);
	if (parport->phase == ENDING && (parport->control & IRQ_ENABLED))
		mw_timer_arm(parport->ready, parport->taken_ns + READY_AFTER_NS);
	else
		mw_timer_cancel(parport->ready);
}

static void on_ready(void *self)
{
	settle(self);
}

static void forget_interrupt(struct parport *parport)
{
	parport->pending = false;
	drive(parport);
}

/* 1284, "Initialize": the printer forgets what it has not taken. */
static void reset_printer(struct parport *parport)
{
	parport->phase = IDLE;
	forget_interrupt(parport);
}

static uint64_t read_status(void *self)
{
	struct parport *parport = self;
	bool low;

	settle(parport);
	low = parport->phase == ENDING && mw_now_ns(parport) - parport->taken_ns >= ACK_AFTER_NS;
	forget_interrupt(parport);
	return (uint64_t)STATUS_ERROR | STATUS_SELECT | STATUS_OPEN | (low ? 0 : STATUS_ACK) |
	       (parport->phase == IDLE ? STATUS_READY : 0);
}

/* Systems that look for an enhanced port write here; this one has nothing to clear. */
static void ignore(void *self, uint64_t value)
{
}

static uint64_t read_control(void *self)
{
	return ((struct parport *)self)->control | (uint64_t)CONTROL_OPEN;
}

/* nStrobe is low while the bit is one; the byte is taken as it falls. A printer that is busy or not selected
 * does not look. */
static void strobe(struct parport *parport)
{
	if (parport->phase != IDLE || (parport->control & READY_BITS) != READY_BITS)
		return;
	forget_interrupt(parport);
	parport->held = parport->data;
	parport->phase = HELD;
}

static void write_control(void *self, uint64_t value)
{
	struct parport *parport = self;
	bool strobes = value & ~(uint64_t)parport->control & STROBE;

	settle(parport);
	parport->control = value & CONTROL_KEPT;
	if (!(parport->control & INIT))
		reset_printer(parport);
	if (!(parport->control & IRQ_ENABLED))
		forget_interrupt(parport);
	if (strobes)
		strobe(parport);
	settle(parport);
}

static void after_load(void *self)
{
	struct parport *parport = self;

	parport->control &= CONTROL_KEPT;
	if (parport->phase > ENDING)
		parport->phase = IDLE;
	parport->pending &= (parport->control & IRQ_ENABLED) != 0;
	drive(parport);
}

static const struct mw_wire wires[] = {
	{ "irq", "High after each byte while the interrupt is enabled; IRQ 7 on a PC.",
	  MW_FIELD(struct parport, irq), .optional = true },
	{ "port", "Where the printer's bytes go.", MW_FIELD(struct parport, port),
	  .on_room = on_ready },
};
static const struct mw_register bank[] = {
	{ "DATA", DATA, MW_FIELD(struct parport, data), .writable = 0xff },
	{ "STATUS", STATUS, .get = read_status, .set = ignore },
	{ "CONTROL", CONTROL, .get = read_control, .set = write_control },
};
static const struct mw_region regions[] = {
	{ "regs", MW_SPACE_PORT, BANK_BYTES, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
static const struct mw_timer_row timers[] = {
	{ "ready", "The end of nAck.", MW_FIELD(struct parport, ready), .on_expire = on_ready },
};
/* After power-on a BIOS has the printer selected and initialized. */
static const struct mw_state state[] = {
	{ "data", MW_FIELD(struct parport, data), .since = 1 },
	{ "control", MW_FIELD(struct parport, control), .reset = 0x0c, .since = 1 },
	{ "phase", MW_FIELD(struct parport, phase), .reset = IDLE, .since = 1 },
	{ "held", MW_FIELD(struct parport, held), .since = 1 },
	{ "pending", MW_FIELD(struct parport, pending), .since = 1 },
	{ "taken_ns", MW_FIELD(struct parport, taken_ns), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type parport_type = {
	MW_DEVICE_TYPE,
	.name = "parport",
	.summary = "parallel port (SPP) with a printer whose bytes go to a backend",
	.size = sizeof(struct parport),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0400" },
};
