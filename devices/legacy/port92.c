/* System control port A, 0x92: the fast ways to address line 20 and to a reset. Reference: Intel 82371SB
 * (PIIX3) data sheet, "Port 92 register"; IBM PS/2 Hardware Interface Technical Reference, "System Control
 * Port A". */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { FAST_INIT = 0x01, FAST_A20 = 0x02, KEPT = FAST_INIT | FAST_A20 };

struct port92 {
	struct mw_power *power;
	/* Guest-visible state. */
	uint8_t port;
	bool a20; /* level of the keyboard controller's line */
};

/* A20M# is asserted while neither of the two opens the gate. */
static void drive_gate(void *self)
{
	struct port92 *port92 = self;

	mw_a20_set(port92, (port92->port & FAST_A20) || port92->a20);
}

static void on_a20(void *self, unsigned index, bool level)
{
	struct port92 *port92 = self;

	port92->a20 = level;
	drive_gate(port92);
}

static uint64_t read_port(void *self)
{
	return ((struct port92 *)self)->port;
}

/* Only a rising FAST_INIT resets. */
static void write_port(void *self, uint64_t value)
{
	struct port92 *port92 = self;
	bool resets = value & ~(uint64_t)port92->port & FAST_INIT;

	port92->port = value & KEPT;
	drive_gate(port92);
	if (resets)
		mw_power_request(port92->power, MW_POWER_RESET, 0);
}

static void after_load(void *self)
{
	((struct port92 *)self)->port &= KEPT;
	drive_gate(self);
}

static const struct mw_wire wires[] = {
	{ "power", "Reset requests.", MW_FIELD(struct port92, power) },
	{ "a20", "The keyboard controller's A20 line. Where none leads here the gate stays open.",
	  MW_SINK(1), .optional = true, .on_level = on_a20 },
};
static const struct mw_register bank[] = {
	{ "PORT92", 0, .get = read_port, .set = write_port },
};
static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
/* The keyboard controller opens the gate with its own reset. */
static const struct mw_state state[] = {
	{ "port", MW_FIELD(struct port92, port), .since = 1 },
	{ "a20", MW_FIELD(struct port92, a20), .reset = true, .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type port92_type = {
	MW_DEVICE_TYPE,
	.name = "port92",
	.summary = "system control port A: fast A20 gate and reset",
	.size = sizeof(struct port92),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .after_reset = drive_gate, .after_load = after_load },
};
