/* A bare ISA bus: a place for ISA cards where the chipset has no bridge of its own for them. Ports and
 * memory below it are those of the system. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

static const char *const buses[] = { "sys", NULL };

const struct mw_device_type isa_bus_type = {
	MW_DEVICE_TYPE,     .name = "isa-bus", .summary = "an ISA bus without a bridge chip",
	.state_version = 1, .buses = buses,    .provides = "isa",
};
