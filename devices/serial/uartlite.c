/* AXI UART Lite with a one-byte receiver. Reference: Xilinx PG142, "Register Space". The shortest whole
 * device there is: a model to start from. */
// SPDX-License-Identifier: MIT
#include "core/bits.h"
#include "core/device.h"

enum { RX = 0x0, TX = 0x4, STATUS = 0x8, CONTROL = 0xc, BANK_SIZE = 0x10 };
enum { RX_VALID = 0x01, TX_EMPTY = 0x04, TX_FULL = 0x08, IRQ_ENABLED = 0x10, OVERRUN = 0x20 };
enum { RESET_RX = 0x02 };

struct uartlite {
	/* Configuration and wiring: filled by core, constant once the machine is built. */
	struct mw_line *irq;
	struct mw_stream *port;
	/* Guest-visible state: reset, saved and restored by core. */
	uint32_t status;
	uint8_t rx;
};

static void update(struct uartlite *uart)
{
	mw_stream_credit(uart->port, uart->status & RX_VALID ? 0 : 1);
	mw_line_set(uart->irq, (uart->status & RX_VALID) && (uart->status & IRQ_ENABLED));
}

static void receive(void *self, uint8_t byte)
{
	struct uartlite *uart = self;

	set_bits(&uart->status, uart->status & RX_VALID ? OVERRUN : RX_VALID);
	uart->rx = byte;
	update(uart);
}

static uint64_t read_rx(void *self)
{
	struct uartlite *uart = self;

	clear_bits(&uart->status, RX_VALID);
	update(uart);
	return uart->rx;
}

static void write_tx(void *self, uint64_t value)
{
	struct uartlite *uart = self;

	if (mw_stream_room(uart->port))
		mw_stream_put(uart->port, (uint8_t)value);
	else
		mw_guest_log(uart, "a byte is written to a full transmitter and lost");
}

/* The transmitter has no FIFO of its own here: it is full while the link is. */
static uint64_t read_status(void *self)
{
	struct uartlite *uart = self;
	uint32_t status = uart->status;

	clear_bits(&uart->status, OVERRUN); /* PG142: cleared by this read */
	return mw_stream_room(uart->port) ? status | TX_EMPTY : status | TX_FULL;
}

static void write_control(void *self, uint64_t value)
{
	struct uartlite *uart = self;

	copy_bits(&uart->status, IRQ_ENABLED, value);
	if (value & RESET_RX)
		clear_bits(&uart->status, RX_VALID);
	update(uart);
}

static void refresh(void *self)
{
	update(self);
}

static const struct mw_wire wires[] = {
	{ "irq", "High while a byte waits.", MW_FIELD(struct uartlite, irq) },
	{ "port", "The serial line.", MW_FIELD(struct uartlite, port), .on_byte = receive },
};
static const struct mw_register bank[] = {
	{ "RX_FIFO", RX, 4, .get = read_rx },
	{ "TX_FIFO", TX, 4, .set = write_tx, .write_only = true },
	{ "STAT_REG", STATUS, 4, .get = read_status },
	{ "CTRL_REG", CONTROL, 4, .set = write_control, .write_only = true },
};
static const struct mw_region regions[] = {
	{ "bank", MW_SPACE_MEMORY, BANK_SIZE, MW_ACCESS(4, 4), .registers = MW_TABLE(bank) },
};
static const struct mw_state state[] = {
	{ "status", MW_FIELD(struct uartlite, status), .since = 1 },
	{ "rx", MW_FIELD(struct uartlite, rx), .since = 1 },
};

const struct mw_device_type uartlite_type = {
	MW_DEVICE_TYPE,
	.name = "uartlite",
	.summary = "AXI UART Lite",
	.size = sizeof(struct uartlite),
	.state_version = 1,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_reset = refresh, .after_load = refresh },
	.firmware = { .fdt_compatible = "xlnx,xps-uartlite-1.00.a" },
};
