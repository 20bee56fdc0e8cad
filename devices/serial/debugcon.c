/* A port whose writes are text for the developer, as Bochs and QEMU have it: a read gives a fixed
 * value by which firmware finds it. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { FOUND = 0xe9 };

struct debugcon {
	uint32_t readback;
	struct mw_stream *port;
};

static uint64_t read_port(void *self)
{
	return ((struct debugcon *)self)->readback;
}

static void write_port(void *self, uint64_t value)
{
	mw_stream_put(((struct debugcon *)self)->port, (uint8_t)value);
}

static const struct mw_property properties[] = {
	{ "readback", "What a read gives.", MW_FIELD(struct debugcon, readback), .fallback = FOUND,
	  .max = 0xff },
};
static const struct mw_wire wires[] = {
	{ "port", "Where the text goes.", MW_FIELD(struct debugcon, port) },
};
static const struct mw_register bank[] = {
	{ "DATA", 0, .get = read_port, .set = write_port },
};
static const struct mw_region regions[] = {
	{ "data", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type debugcon_type = {
	MW_DEVICE_TYPE,
	.name = "debugcon",
	.summary = "debug port: each byte written is text",
	.size = sizeof(struct debugcon),
	.state_version = 1,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
};
