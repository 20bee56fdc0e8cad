/* Both sides of DMA channels, as device types of their own. */
// SPDX-License-Identifier: MIT
#include "tests/support/channels.h"

#include <string.h>

static size_t on_transfer(void *self, uint8_t *bytes, size_t count, bool to_memory, bool terminal)
{
	struct fake_channel *fake = self;
	size_t moved = count < fake->room ? count : fake->room;

	if (moved > sizeof(fake->bytes) - fake->moved)
		moved = sizeof(fake->bytes) - fake->moved;
	if (to_memory)
		memcpy(bytes, fake->bytes + fake->moved, moved);
	else
		memcpy(fake->bytes + fake->moved, bytes, moved);
	fake->moved += moved;
	fake->room -= moved;
	fake->terminals += terminal && moved == count;
	if (!fake->room)
		mw_dma_dreq(fake->dma, false);
	return moved;
}

static const struct mw_wire channel_wires[] = {
	{ "dma", "The channel.", MW_FIELD(struct fake_channel, dma), .channel = true,
	  .on_transfer = on_transfer },
};

const struct mw_device_type fake_channel_type = {
	MW_DEVICE_TYPE,
	.name = "fake-channel",
	.summary = "a device at a DMA channel",
	.size = sizeof(struct fake_channel),
	.state_version = 1,
	.wires = MW_TABLE(channel_wires),
};

static bool on_cycle(void *self, unsigned channel, bool request, size_t moved,
		     struct mw_dma_cycle *next)
{
	struct fake_controller *fake = self;

	fake->request = request;
	fake->moved += moved;
	fake->cycle.address += moved;
	fake->cycle.count -= moved;
	*next = fake->cycle;
	return request && fake->cycle.count;
}

static const struct mw_wire controller_wires[] = {
	{ "channels", "All channels.", .kind = MW_DMA, .count = FAKE_CHANNELS,
	  .direction = MW_RECEIVES, .on_cycle = on_cycle },
};

const struct mw_device_type fake_controller_type = {
	MW_DEVICE_TYPE,
	.name = "fake-controller",
	.summary = "a DMA controller",
	.size = sizeof(struct fake_controller),
	.state_version = 1,
	.wires = MW_TABLE(controller_wires),
};
