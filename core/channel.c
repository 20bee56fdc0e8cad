/* Channels of the 8237s: bytes between memory and a device that asks for them, at the controller's pace. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"

/* A controller that goes round for ever (auto-initialise) yields to what else waits. */
enum { CHUNK_BYTES = 4096, MOST_CHUNKS = 64 };

static struct mw_node *find_controller(const struct mw_machine *machine,
				       const struct mw_wire **wire)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		const struct mw_device_type *type = machine->nodes[i]->type;

		for (size_t w = 0; w < type->wires.count; w++) {
			if (!type->wires.items[w].on_cycle)
				continue;
			*wire = &type->wires.items[w];
			return machine->nodes[i];
		}
	}
	return NULL;
}

/* The handle that a claim is for; NULL: it is of another kind. */
static struct mw_dma *claimed(const struct mw_node *node, const struct mw_plan_claim *claim)
{
	struct mw_dma *dma = NULL;

	if (claim->kind == MW_CLAIM_DMA)
		memcpy(&dma, node->device + claim->wire->offset, sizeof(dma));
	return dma;
}

void mw_channels_init(struct mw_machine *machine)
{
	const struct mw_wire *wire = NULL;
	struct mw_node *controller = find_controller(machine, &wire);

	for (size_t i = 0; controller && i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t c = 0; c < node->plan->claim_count; c++) {
			struct mw_dma *dma = claimed(node, &node->plan->claims[c]);

			if (!dma)
				continue;
			dma->controller = controller;
			dma->controller_wire = wire;
			dma->channel = node->plan->claims[c].channel;
		}
	}
}

static void queue(struct mw_dma *dma, struct mw_actor *actor)
{
	if (dma->queued || !dma->controller)
		return;
	dma->queued = true;
	mw_effect_once(actor, (struct mw_effect){ .kind = MW_EFFECT_CHANNEL, .dma = dma });
}

void mw_dma_dreq(struct mw_dma *dma, bool level)
{
	if (dma->request == level)
		return;
	dma->request = level;
	queue(dma, dma->node->lock->actor);
}

void mw_dma_poll(void *self)
{
	struct mw_node *node = mw_node_of(self);

	mw_effect_once(node->lock->actor,
		       (struct mw_effect){ .kind = MW_EFFECT_CHANNELS, .controller = node });
}

void mw_channels_deliver(struct mw_node *controller, struct mw_actor *actor)
{
	struct mw_machine *machine = controller->machine;

	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t c = 0; c < node->plan->claim_count; c++) {
			struct mw_dma *dma = claimed(node, &node->plan->claims[c]);

			if (!dma || dma->controller != controller)
				continue;
			mw_node_enter(node, actor);
			queue(dma, actor);
			mw_node_leave(node);
		}
	}
}

/* The controller hears of DREQ and of what was moved, and says what comes next. */
static bool grant(struct mw_dma *dma, struct mw_actor *actor, size_t moved,
		  struct mw_dma_cycle *cycle)
{
	mw_node_enter(dma->controller, actor);
	bool granted = dma->controller_wire->on_cycle(dma->controller->device, dma->channel,
						      dma->request, moved, cycle);

	mw_node_leave(dma->controller);
	return granted;
}

static void reverse(uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		uint8_t byte = bytes[i];

		bytes[i] = bytes[count - 1 - i];
		bytes[count - 1 - i] = byte;
	}
}

static uint64_t lowest(const struct mw_dma_cycle *cycle, size_t count)
{
	return cycle->down ? cycle->address - (count - 1) : cycle->address;
}

/* One chunk of a cycle; returns how many bytes the device has moved. */
static size_t move(struct mw_dma *dma, const struct mw_dma_cycle *cycle)
{
	uint8_t bytes[CHUNK_BYTES] = { 0 };
	size_t count = cycle->count < CHUNK_BYTES ? cycle->count : CHUNK_BYTES;
	bool memory = !cycle->verify;

	if (memory && !cycle->to_memory) {
		mw_dma_read(dma, lowest(cycle, count), bytes, count);
		if (cycle->down)
			reverse(bytes, count);
	}
	size_t moved = dma->wire->on_transfer(dma->node->device, bytes, count, cycle->to_memory,
					      cycle->terminal && count == cycle->count);

	moved = moved < count ? moved : count;
	if (moved && memory && cycle->to_memory) {
		if (cycle->down)
			reverse(bytes, moved);
		mw_dma_write(dma, lowest(cycle, moved), bytes, moved);
	}
	return moved;
}

/* The device is held until the controller has counted: nobody sees it done, programs the channel anew and has
 * that counted down in place of what is over. Returns whether there is more. */
static bool step(struct mw_dma *dma, struct mw_actor *actor)
{
	struct mw_dma_cycle cycle = { 0 };
	bool more = false;

	mw_node_enter(dma->node, actor);
	dma->queued = false;
	if (grant(dma, actor, 0, &cycle) && cycle.count) {
		size_t moved = move(dma, &cycle);

		more = moved && grant(dma, actor, moved, &cycle);
	}
	mw_node_leave(dma->node);
	return more;
}

void mw_channel_deliver(struct mw_dma *dma, struct mw_actor *actor)
{
	for (unsigned i = 0; i < MOST_CHUNKS; i++)
		if (!step(dma, actor))
			return;
	mw_node_enter(dma->node, actor);
	queue(dma, actor);
	mw_node_leave(dma->node);
}
