/* 16550A UART with FIFOs. Reference: National Semiconductor PC16550D data sheet, June 1995 (section
 * and table numbers below are its), and the IBM PC's use of OUT2 as the interrupt's gate. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, BANK_SIZE, FCR = IIR };
enum { IER_DATA = 0x01, IER_THRE = 0x02, IER_STATUS = 0x04, IER_MODEM = 0x08, IER_ALL = 0x0f };
/* Table IV: interrupts by falling priority; a time-out shares the level of DATA. */
enum {
	IIR_NONE = 0x01,
	IIR_STATUS = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_DATA = 0x04,
	IIR_THRE = 0x02,
	IIR_MODEM = 0x00,
	IIR_FIFO = 0xc0
};
enum { FCR_ENABLE = 0x01, FCR_CLEAR_RX = 0x02, FCR_CLEAR_TX = 0x04, FCR_KEPT = 0xc9 };
enum { LCR_BITS = 0x03, LCR_STOP = 0x04, LCR_PARITY = 0x08, LCR_DLAB = 0x80 };
enum { MCR_DTR = 0x01, MCR_RTS = 0x02, MCR_OUT1 = 0x04, MCR_OUT2 = 0x08, MCR_LOOP = 0x10 };
enum {
	LSR_READY = 0x01,
	LSR_OVERRUN = 0x02,
	LSR_PARITY = 0x04,
	LSR_FRAMING = 0x08,
	LSR_BREAK = 0x10,
	LSR_THRE = 0x20,
	LSR_EMPTY = 0x40,
	LSR_FIFO_ERROR = 0x80,
	LSR_WITH_BYTE = LSR_PARITY | LSR_FRAMING | LSR_BREAK
};
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80, MSR_TERI = 0x04 };
enum { FIFO_BYTES = 16, POLLS_ENOUGH = 16, BURST_BYTES = 256, LONGEST_PAUSE_NS = 2000000 };
enum { FLOW_RTS, FLOW_DTR, FLOW_NONE };
enum { MODEM_READY, MODEM_WIRES };

struct queue {
	uint8_t bytes[FIFO_BYTES];
	uint8_t head, count;
};

struct uart16550 {
	/* Configuration and wiring. */
	uint32_t clock_hz, flow, modem;
	bool out2_gates;
	struct mw_line *irq, *rts, *dtr;
	struct mw_stream *port;
	struct mw_timer *timeout, *pause;
	/* Guest-visible state. */
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	uint8_t last; /* the receiver's buffer register without FIFOs */
	uint8_t pins; /* modem inputs, where the MSR has them */
	bool overrun, thre_pending, timed_out;
	bool idle_read; /* the LSR was read in vain and nothing written since */
	uint8_t polls;  /* how often it was read so again, since the port was set up */
	uint16_t burst; /* how many bytes have arrived since the last pause */
	struct queue rx, tx;
	uint8_t rx_errors[FIFO_BYTES]; /* of the byte in the same slot of rx */
};

static bool fifos(const struct uart16550 *uart)
{
	return uart->fcr & FCR_ENABLE;
}

static unsigned capacity(const struct uart16550 *uart)
{
	return fifos(uart) ? FIFO_BYTES : 1;
}

static bool loops(const struct uart16550 *uart)
{
	return uart->mcr & MCR_LOOP;
}

static uint8_t pop(struct queue *queue)
{
	uint8_t byte = queue->bytes[queue->head];

	queue->head = (queue->head + 1u) % FIFO_BYTES;
	queue->count--;
	return byte;
}

/* Returns the slot. */
static unsigned push(struct queue *queue, uint8_t byte)
{
	unsigned slot = (queue->head + queue->count++) % FIFO_BYTES;

	queue->bytes[slot] = byte;
	return slot;
}

/* 8.4: errors show while their byte is the oldest in the FIFO. */
static uint8_t line_errors(const struct uart16550 *uart)
{
	uint8_t errors = uart->overrun ? LSR_OVERRUN : 0;

	return uart->rx.count ? errors | uart->rx_errors[uart->rx.head] : errors;
}

static bool at_trigger_level(const struct uart16550 *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return uart->rx.count >= (fifos(uart) ? levels[uart->fcr >> 6] : 1);
}

static uint8_t interrupt(const struct uart16550 *uart)
{
	if ((uart->ier & IER_STATUS) && line_errors(uart))
		return IIR_STATUS;
	if ((uart->ier & IER_DATA) && uart->timed_out)
		return IIR_TIMEOUT;
	if ((uart->ier & IER_DATA) && at_trigger_level(uart))
		return IIR_DATA;
	if ((uart->ier & IER_THRE) && uart->thre_pending)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) && (uart->msr & 0x0f))
		return IIR_MODEM;
	return IIR_NONE;
}

/* On a PC the OUT2 output enables the interrupt's driver; loopback forces it inactive (8.8). */
static void update_irq(struct uart16550 *uart)
{
	bool gate = !uart->out2_gates || (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	mw_line_set(uart->irq, gate && interrupt(uart) != IIR_NONE);
}

/* Firmware often never raises RTS, as a cable of three wires does not need it; it polls. One that
 * sends reads the LSR and writes a byte, so idle reads that follow each other look for input. */
static bool listens(const struct uart16550 *uart)
{
	switch (uart->flow) {
	case FLOW_RTS: return (uart->mcr & MCR_RTS) || uart->polls >= POLLS_ENOUGH;
	case FLOW_DTR: return uart->mcr & MCR_DTR;
	default: return true;
	}
}

static bool by_interrupt(const struct uart16550 *uart)
{
	return uart->ier & IER_DATA;
}

/* The host may send what fits, once the guest listens: a byte that arrived while a driver still sets
 * up the port would be thrown away with the FIFO's contents.
 *
 * The host is faster than any line. A handler of interrupts would never find the FIFO empty; it would
 * give up in the end, with the line still high, whose edge has passed; and meanwhile nobody had time for
 * what it has read. So a burst is followed by a pause once all is read. Who polls needs none. */
static void update_credit(struct uart16550 *uart)
{
	bool ready = listens(uart) && !loops(uart);
	size_t room = capacity(uart) - uart->rx.count, left = BURST_BYTES - uart->burst;

	if (by_interrupt(uart) && room > left)
		room = left;
	mw_stream_credit(uart->port, ready ? room : 0);
}

/* An LSR read that finds the transmitter empty and nothing received. */
static void count_poll(struct uart16550 *uart)
{
	bool enough = uart->polls >= POLLS_ENOUGH;

	if (uart->idle_read && !enough)
		uart->polls++;
	uart->idle_read = true;
	if (!enough && uart->polls >= POLLS_ENOUGH)
		update_credit(uart);
}

/* Whoever sets up the port begins anew. */
static void forget_polls(struct uart16550 *uart)
{
	uart->idle_read = false;
	uart->polls = 0;
	update_credit(uart);
}

/* The bits of a character as programmed, with start and stop. */
static uint64_t characters_ns(const struct uart16550 *uart, unsigned count)
{
	unsigned divisor = (unsigned)(uart->dlm << 8 | uart->dll);
	uint64_t bits = 1u + 5u + (uart->lcr & LCR_BITS) + (uart->lcr & LCR_PARITY ? 1 : 0) +
			(uart->lcr & LCR_STOP ? 2 : 1);

	return count * bits * 16 * (divisor ? divisor : 0x10000) * 1000000000 / uart->clock_hz;
}

/* 8.11: four characters without arrival or read. */
static void restart_timeout(struct uart16550 *uart)
{
	if (!fifos(uart) || !uart->rx.count)
		mw_timer_cancel(uart->timeout);
	else
		mw_timer_arm(uart->timeout, mw_now_ns(uart) + characters_ns(uart, 4));
}

static void pause_after_burst(struct uart16550 *uart)
{
	uint64_t pause = characters_ns(uart, FIFO_BYTES);

	if (by_interrupt(uart) && uart->burst == BURST_BYTES && !uart->rx.count &&
	    !mw_timer_armed(uart->pause, NULL))
		mw_timer_arm(uart->pause,
			     mw_now_ns(uart) +
				     (pause < LONGEST_PAUSE_NS ? pause : LONGEST_PAUSE_NS));
}

static void begin_burst(struct uart16550 *uart)
{
	uart->burst = 0;
	mw_timer_cancel(uart->pause);
	update_credit(uart);
}

static void on_pause(void *self)
{
	begin_burst(self);
}

static void count_burst(struct uart16550 *uart, size_t count)
{
	size_t left = BURST_BYTES - uart->burst;

	uart->burst = (uint16_t)(uart->burst + (count < left ? count : left));
}

static void on_timeout(void *self)
{
	struct uart16550 *uart = self;

	uart->timed_out = uart->rx.count > 0;
	update_irq(uart);
}

/* 8.4, bit 1: an overrun destroys the old byte without FIFOs, the new one with them. */
static void receive(struct uart16550 *uart, uint8_t byte)
{
	if (uart->rx.count == capacity(uart)) {
		uart->overrun = true;
		if (fifos(uart))
			return;
		pop(&uart->rx);
	}
	uart->rx_errors[push(&uart->rx, byte)] = 0;
	uart->last = byte;
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	struct uart16550 *uart = self;

	count_burst(uart, count);
	while (count--)
		receive(uart, *bytes++);
	restart_timeout(uart);
	update_credit(uart);
	update_irq(uart);
}

/* Sends what the link has room for; the transmitter is empty again when all is out. Seeing no room is
 * what makes on_room follow. */
static void transmit(struct uart16550 *uart)
{
	if (!uart->tx.count)
		return;
	while (uart->tx.count && loops(uart))
		receive(uart, pop(&uart->tx));
	while (uart->tx.count && mw_stream_room(uart->port))
		mw_stream_put(uart->port, pop(&uart->tx));
	if (loops(uart))
		restart_timeout(uart);
	uart->thre_pending = !uart->tx.count;
}

static void on_room(void *self)
{
	transmit(self);
	update_irq(self);
}

/* Modem inputs as the MSR shows them, and what has changed since it was read (8.9). */
static void update_modem(struct uart16550 *uart)
{
	uint8_t now = uart->modem == MODEM_WIRES ? uart->pins : MSR_CTS | MSR_DSR | MSR_DCD;
	uint8_t changed, deltas;

	if (loops(uart)) {
		now = (uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
		      (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0);
	}
	changed = (uart->msr ^ now) & 0xf0;
	deltas = changed >> 4;
	if (now & MSR_RI)
		deltas &= (uint8_t)~MSR_TERI; /* only the trailing edge of a ring counts */
	uart->msr = now | (uart->msr & 0x0f) | deltas;
}

static void set_pin(struct uart16550 *uart, uint8_t pin, bool level)
{
	uart->pins = (uint8_t)((uart->pins & ~pin) | (level ? pin : 0));
	update_modem(uart);
	update_irq(uart);
}

static void on_cts(void *self, unsigned index, bool level)
{
	set_pin(self, MSR_CTS, level);
}

static void on_dsr(void *self, unsigned index, bool level)
{
	set_pin(self, MSR_DSR, level);
}

static void on_ri(void *self, unsigned index, bool level)
{
	set_pin(self, MSR_RI, level);
}

static void on_dcd(void *self, unsigned index, bool level)
{
	set_pin(self, MSR_DCD, level);
}

static bool divisor_selected(const void *self)
{
	return ((const struct uart16550 *)self)->lcr & LCR_DLAB;
}

static uint64_t read_data(void *self)
{
	struct uart16550 *uart = self;
	uint8_t byte = fifos(uart) ? 0 : uart->last;

	if (uart->rx.count)
		byte = pop(&uart->rx);
	uart->timed_out = false;
	restart_timeout(uart);
	pause_after_burst(uart);
	update_credit(uart);
	update_irq(uart);
	return byte;
}

static void write_data(void *self, uint64_t value)
{
	struct uart16550 *uart = self;

	/* The write ends this THRE interrupt and may cause the next: an edge that must be seen. */
	uart->thre_pending = false;
	uart->idle_read = false;
	update_irq(uart);
	if (uart->tx.count < capacity(uart))
		push(&uart->tx, (uint8_t)value);
	else if (!fifos(uart))
		uart->tx.bytes[uart->tx.head] = (uint8_t)value;
	else
		mw_guest_log(uart, "a byte is written to a full transmitter and lost");
	transmit(uart);
	update_irq(uart);
}

static uint64_t read_ier(void *self)
{
	return ((struct uart16550 *)self)->ier;
}

/* Enabling the THRE interrupt while the transmitter is empty causes one. */
static void write_ier(void *self, uint64_t value)
{
	struct uart16550 *uart = self;
	uint8_t old = uart->ier;

	uart->ier = value & IER_ALL;
	uart->idle_read = false;
	if ((old ^ uart->ier) & IER_THRE)
		uart->thre_pending = (uart->ier & IER_THRE) && !uart->tx.count;
	if ((old ^ uart->ier) & IER_DATA)
		begin_burst(uart);
	update_irq(uart);
}

static uint64_t read_iir(void *self)
{
	struct uart16550 *uart = self;
	uint8_t id = interrupt(uart);

	if (id == IIR_THRE)
		uart->thre_pending = false;
	update_irq(uart);
	return id | (fifos(uart) ? IIR_FIFO : 0u);
}

static void clear_rx(struct uart16550 *uart)
{
	uart->rx = (struct queue){ 0 };
	uart->timed_out = false;
	begin_burst(uart);
	restart_timeout(uart);
}

static void clear_tx(struct uart16550 *uart)
{
	if (uart->tx.count)
		uart->thre_pending = true;
	uart->tx = (struct queue){ 0 };
}

/* 8.5: the other bits count only together with ENABLE, and changing that one clears both FIFOs. */
static void write_fcr(void *self, uint64_t value)
{
	struct uart16550 *uart = self;
	bool toggled = (value ^ uart->fcr) & FCR_ENABLE;

	if (toggled || ((value & FCR_ENABLE) && (value & FCR_CLEAR_RX)))
		clear_rx(uart);
	if (toggled || ((value & FCR_ENABLE) && (value & FCR_CLEAR_TX)))
		clear_tx(uart);
	uart->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
	forget_polls(uart);
	update_irq(uart);
}

static void lcr_changed(void *self)
{
	forget_polls(self);
}

/* Loopback takes the outputs from their pins (8.8). */
static void drive_outputs(struct uart16550 *uart)
{
	mw_line_set(uart->rts, !loops(uart) && (uart->mcr & MCR_RTS));
	mw_line_set(uart->dtr, !loops(uart) && (uart->mcr & MCR_DTR));
}

static void mcr_changed(void *self)
{
	struct uart16550 *uart = self;

	uart->idle_read = false;
	update_modem(uart);
	drive_outputs(uart);
	transmit(uart);
	update_credit(uart);
	update_irq(uart);
}

static uint64_t read_lsr(void *self)
{
	struct uart16550 *uart = self;
	uint8_t lsr = line_errors(uart) | (uart->tx.count ? 0 : LSR_THRE | LSR_EMPTY);

	if (uart->rx.count)
		lsr |= LSR_READY;
	for (unsigned i = 0; fifos(uart) && i < uart->rx.count; i++) {
		if (uart->rx_errors[(uart->rx.head + i) % FIFO_BYTES])
			lsr |= LSR_FIFO_ERROR;
	}
	uart->overrun = false;
	uart->rx_errors[uart->rx.head] = 0;
	if (!uart->rx.count && !uart->tx.count)
		count_poll(uart);
	update_irq(uart);
	return lsr;
}

/* 8.4, note: factory test; bits 2-4 can be written while loopback has left a byte to carry them. */
static void write_lsr(void *self, uint64_t value)
{
	struct uart16550 *uart = self;

	if (loops(uart) && uart->rx.count)
		uart->rx_errors[uart->rx.head] = value & LSR_WITH_BYTE;
	update_irq(uart);
}

static uint64_t read_msr(void *self)
{
	struct uart16550 *uart = self;
	uint8_t msr = uart->msr;

	uart->msr &= 0xf0;
	update_irq(uart);
	return msr;
}

static void ignore(void *self, uint64_t value)
{
}

static void after_reset(void *self)
{
	struct uart16550 *uart = self;

	update_modem(uart);
	uart->msr &= 0xf0; /* table I: the deltas are low */
	mcr_changed(uart);
}

/* A restored queue of impossible length would make every later index wrong. */
static void after_load(void *self)
{
	struct uart16550 *uart = self;

	uart->rx.head %= FIFO_BYTES;
	uart->tx.head %= FIFO_BYTES;
	if (uart->rx.count > capacity(uart))
		uart->rx.count = 0;
	if (uart->tx.count > capacity(uart))
		uart->tx.count = 0;
	if (uart->burst > BURST_BYTES)
		uart->burst = BURST_BYTES;
	pause_after_burst(uart);
	drive_outputs(uart);
	update_credit(uart);
	transmit(uart);
	update_irq(uart);
}

static const char *const flows[] = { "rts", "dtr", "none", NULL };
static const char *const modems[] = { "ready", "wires", NULL };
static const struct mw_property properties[] = {
	{ "clock_hz", "Frequency of the crystal; a baud rate is this by 16 by the divisor.",
	  MW_FIELD(struct uart16550, clock_hz), .fallback = 1843200, .min = 1000 },
	{ "flow",
	  "When the host may send: once the guest raises RTS or keeps polling for input, so that "
	  "nothing is lost while it boots; once it raises DTR; or always.",
	  MW_FIELD(struct uart16550, flow), .fallback = FLOW_RTS, .members = flows },
	{ "modem", "Where CTS, DSR, RI and DCD come from: a ready modem, or the wires.",
	  MW_FIELD(struct uart16550, modem), .fallback = MODEM_READY, .members = modems },
	{ "out2_gates", "Whether OUT2 must be set for interrupts, as on PC boards.",
	  MW_FIELD(struct uart16550, out2_gates), .fallback = true },
};
static const struct mw_wire wires[] = {
	{ "irq", "High while an enabled interrupt is pending.", MW_FIELD(struct uart16550, irq) },
	{ "port", "The serial line.", MW_FIELD(struct uart16550, port), .on_bytes = on_bytes,
	  .on_room = on_room },
	{ "rts", "Request to send, high while it is asserted.", MW_FIELD(struct uart16550, rts),
	  .optional = true },
	{ "dtr", "Data terminal ready, high while it is asserted.", MW_FIELD(struct uart16550, dtr),
	  .optional = true },
	{ "cts", "Clear to send, with `modem: wires`.", MW_SINK(1), .optional = true,
	  .on_level = on_cts },
	{ "dsr", "Data set ready, with `modem: wires`.", MW_SINK(1), .optional = true,
	  .on_level = on_dsr },
	{ "ri", "Ring indicator, with `modem: wires`.", MW_SINK(1), .optional = true,
	  .on_level = on_ri },
	{ "dcd", "Data carrier detect, with `modem: wires`.", MW_SINK(1), .optional = true,
	  .on_level = on_dcd },
};
static const struct mw_register bank[] = {
	{ "DLL", DATA, .selected = divisor_selected, MW_FIELD(struct uart16550, dll),
	  .writable = 0xff },
	{ "RBR/THR", DATA, .get = read_data, .set = write_data },
	{ "DLM", IER, .selected = divisor_selected, MW_FIELD(struct uart16550, dlm),
	  .writable = 0xff },
	{ "IER", IER, .get = read_ier, .set = write_ier },
	{ "IIR/FCR", IIR, .get = read_iir, .set = write_fcr },
	{ "LCR", LCR, MW_FIELD(struct uart16550, lcr), .writable = 0xff, .changed = lcr_changed },
	{ "MCR", MCR, MW_FIELD(struct uart16550, mcr), .writable = 0x1f, .changed = mcr_changed },
	{ "LSR", LSR, .get = read_lsr, .set = write_lsr },
	{ "MSR", MSR, .get = read_msr, .set = ignore },
	{ "SCR", SCR, MW_FIELD(struct uart16550, scr), .writable = 0xff },
};
static const struct mw_region regions[] = {
	{ "bank", MW_SPACE_PORT, BANK_SIZE, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
static const struct mw_timer_row timers[] = {
	{ "timeout", "Four characters without arrival or read.",
	  MW_FIELD(struct uart16550, timeout), .on_expire = on_timeout, .since = 1 },
	{ "pause", "Nothing arrives for a while, after a burst was read by interrupt.",
	  MW_FIELD(struct uart16550, pause), .on_expire = on_pause, .since = 1 },
};
static const struct mw_state queue_state[] = {
	{ "bytes", MW_ARRAY(struct queue, bytes), .since = 1 },
	{ "head", MW_FIELD(struct queue, head), .since = 1 },
	{ "count", MW_FIELD(struct queue, count), .since = 1 },
};
/* Table I: the reset state. Scratch, divisor and buffers are not reset by the chip; here they start, as
 * everything does, from a known value. */
static const struct mw_state state[] = {
	{ "ier", MW_FIELD(struct uart16550, ier), .since = 1 },
	{ "fcr", MW_FIELD(struct uart16550, fcr), .since = 1 },
	{ "lcr", MW_FIELD(struct uart16550, lcr), .since = 1 },
	{ "mcr", MW_FIELD(struct uart16550, mcr), .since = 1 },
	{ "msr", MW_FIELD(struct uart16550, msr), .since = 1 },
	{ "scr", MW_FIELD(struct uart16550, scr), .since = 1 },
	{ "dll", MW_FIELD(struct uart16550, dll), .since = 1 },
	{ "dlm", MW_FIELD(struct uart16550, dlm), .since = 1 },
	{ "last", MW_FIELD(struct uart16550, last), .since = 1 },
	{ "pins", MW_FIELD(struct uart16550, pins), .since = 1 },
	{ "overrun", MW_FIELD(struct uart16550, overrun), .since = 1 },
	{ "thre_pending", MW_FIELD(struct uart16550, thre_pending), .since = 1 },
	{ "timed_out", MW_FIELD(struct uart16550, timed_out), .since = 1 },
	{ "idle_read", MW_FIELD(struct uart16550, idle_read), .since = 1 },
	{ "polls", MW_FIELD(struct uart16550, polls), .since = 1 },
	{ "burst", MW_FIELD(struct uart16550, burst), .since = 1 },
	{ "rx", MW_STRUCT(struct uart16550, rx, queue_state), .since = 1 },
	{ "tx", MW_STRUCT(struct uart16550, tx, queue_state), .since = 1 },
	{ "rx_errors", MW_ARRAY(struct uart16550, rx_errors), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type uart16550_type = {
	MW_DEVICE_TYPE,
	.name = "uart16550",
	.summary = "16550A serial port with 16-byte FIFOs",
	.size = sizeof(struct uart16550),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .after_reset = after_reset, .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0501" },
};
