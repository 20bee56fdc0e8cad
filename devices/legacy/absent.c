/* A range where nothing answers: for software that looks for hardware which is not there. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "core/device.h"

enum { READ_ONES, READ_ZEROS };

struct absent {
	uint32_t read;
	bool log;
};

static enum mw_io read_nothing(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	const struct absent *absent = self;

	*value = absent->read == READ_ONES ? UINT64_MAX : 0;
	if (absent->log)
		mw_guest_log(self, "%u bytes read at offset 0x%" PRIx64, size, offset);
	return MW_IO_OK;
}

static enum mw_io write_nothing(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	const struct absent *absent = self;

	if (absent->log)
		mw_guest_log(self, "%u bytes written at offset 0x%" PRIx64 ": 0x%" PRIx64, size,
			     offset, value);
	return MW_IO_OK;
}

static const char *const reads[] = { "ones", "zeros", NULL };
static const struct mw_property properties[] = {
	{ "read", "What a read gives: ones, as an open bus does, or zeros.",
	  MW_FIELD(struct absent, read), .fallback = READ_ONES, .members = reads },
	{ "log", "Writes each access to the guest log.", MW_FIELD(struct absent, log) },
};
static const struct mw_region regions[] = {
	{ "io", MW_SPACE_PORT, 0, MW_ACCESS(1, 4), read_nothing, write_nothing, .optional = true,
	  .unaligned = true },
	{ "mmio", MW_SPACE_MEMORY, 0, MW_ACCESS(1, 8), read_nothing, write_nothing,
	  .optional = true, .unaligned = true },
};

const struct mw_device_type absent_type = {
	MW_DEVICE_TYPE,
	.name = "absent",
	.summary = "a range where nothing answers: reads ones, drops writes",
	.size = sizeof(struct absent),
	.state_version = 1,
	.properties = MW_TABLE(properties),
	.regions = MW_TABLE(regions),
};
