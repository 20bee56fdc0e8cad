/* A port that ends the machine with an exit code, as QEMU's isa-debug-exit does (its interface: the
 * code is the value written, doubled, plus one). */
// SPDX-License-Identifier: MIT
#include "core/device.h"

struct debug_exit {
	struct mw_power *power;
};

/* An odd code is never 0, so a guest cannot look like one that was switched off. */
static enum mw_io write_port(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct debug_exit *exit = self;

	mw_power_request(exit->power, MW_POWER_EXIT, (int)((value << 1 | 1) & 0xff));
	return MW_IO_OK;
}

static enum mw_io read_port(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = 0;
	return MW_IO_OK;
}

static const struct mw_wire wires[] = {
	{ "power", "The exit request.", MW_FIELD(struct debug_exit, power) },
};
static const struct mw_region regions[] = {
	{ "port", MW_SPACE_PORT, 0, MW_ACCESS(1, 4), read_port, write_port, .unaligned = true },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_DEBUG_EXIT, "port" },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type debug_exit_type = {
	MW_DEVICE_TYPE,
	.name = "debug-exit",
	.summary = "a write ends the machine with exit code 2 * value + 1",
	.size = sizeof(struct debug_exit),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.firmware = { .roles = MW_TABLE(roles) },
};
