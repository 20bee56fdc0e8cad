/* 8042 keyboard controller, so far its reset line only. Reference: Intel UPI-41/42 user's manual for
 * the status register; IBM PC/AT Technical Reference (1984), "Keyboard Controller" for commands. */
// SPDX-License-Identifier: MIT
#include "core/device.h"
#include "core/diagnostics.h"

/* Bits 2 and 4 are the system flag and "keyboard not locked": what a BIOS leaves behind. */
enum { STATUS_COMMAND = 0x08, STATUS_IDLE = 0x14 };
enum { WRITE_OUTPUT_PORT = 0xd1, PULSE_OUTPUT = 0xf0 };
enum { OUTPUT_RESET = 0x01 }; /* active low: wired to the CPUs' reset pin */

struct i8042 {
	bool reset_only;
	struct mw_power *power;
	/* Guest-visible state. */
	uint8_t status, command;
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct i8042 *i8042 = self;
	struct mw_diag *diag;

	if (i8042->reset_only)
		return true;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				  "%s: the 8042's keyboard and mouse are not implemented yet",
				  mw_device_id(self));
	mw_diag_help(diagnostics, diag,
		     "set `props: { reset_only: true }` for its reset line alone");
	return false;
}

static void drive_output(struct i8042 *i8042, uint64_t port)
{
	if (!(port & OUTPUT_RESET))
		mw_power_request(i8042->power, MW_POWER_RESET, 0);
}

static uint64_t read_status(void *self)
{
	return ((struct i8042 *)self)->status;
}

static uint64_t read_data(void *self)
{
	return 0; /* the output buffer is empty for ever; its last content is nobody's */
}

/* PULSE_OUTPUT: the low four bits that are zero pull their output low for 6 us. */
static void write_command(void *self, uint64_t value)
{
	struct i8042 *i8042 = self;

	i8042->status |= STATUS_COMMAND;
	i8042->command = (uint8_t)value;
	if ((value & 0xf0) == PULSE_OUTPUT)
		drive_output(i8042, value);
}

static void write_data(void *self, uint64_t value)
{
	struct i8042 *i8042 = self;

	i8042->status &= (uint8_t)~STATUS_COMMAND;
	if (i8042->command == WRITE_OUTPUT_PORT)
		drive_output(i8042, value);
	i8042->command = 0;
}

static const struct mw_property properties[] = {
	{ "reset_only", "Only the reset line exists: no keyboard, no mouse, no A20 gate.",
	  MW_FIELD(struct i8042, reset_only), .required = true },
};
static const struct mw_wire wires[] = {
	{ "power", "Reset requests.", MW_FIELD(struct i8042, power) },
};
static const struct mw_register data[] = {
	{ "DATA", 0, .get = read_data, .set = write_data },
};
static const struct mw_register command[] = {
	{ "STATUS/COMMAND", 0, .get = read_status, .set = write_command },
};
static const struct mw_region regions[] = {
	{ "data", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(data) },
	{ "cmd", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(command) },
};
static const struct mw_state state[] = {
	{ "status", MW_FIELD(struct i8042, status), .reset = STATUS_IDLE, .since = 1 },
	{ "command", MW_FIELD(struct i8042, command), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type i8042_type = {
	MW_DEVICE_TYPE,
	.name = "i8042",
	.summary = "8042 keyboard controller: the reset line",
	.size = sizeof(struct i8042),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .init = init },
};
