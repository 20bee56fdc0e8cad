/* A byte stream's end that hears everything and says nothing. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

struct null {
	struct mw_stream *port;
};

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
}

static const struct mw_wire wires[] = {
	{ "port", "The device whose bytes are dropped.", MW_FIELD(struct null, port),
	  .on_bytes = on_bytes },
};

const struct mw_device_type null_type = {
	MW_DEVICE_TYPE,
	.name = "null",
	.summary = "drops what it is sent and sends nothing",
	.size = sizeof(struct null),
	.state_version = 1,
	.backend = "null",
	.wires = MW_TABLE(wires),
};
