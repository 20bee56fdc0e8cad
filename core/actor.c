/* Threads that enter devices, and the queue of what callbacks did to others. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

enum { FIRST_QUEUE = 16, MESSAGE_LIMIT = 1024 }; /* capacities are powers of two */
enum { ROOM_SHIFT = 2 };

struct mw_actor *mw_actor_create(struct mw_machine *machine, const char *name)
{
	struct mw_actor *actor = mw_alloc(1, sizeof(*actor));

	actor->machine = machine;
	actor->name = mw_strdup(name);
	actor->capacity = FIRST_QUEUE;
	actor->queue = mw_alloc(actor->capacity, sizeof(*actor->queue));
	actor->net_queued = mw_alloc(machine->plan->net_count, 1);
	actor->link_queued = mw_alloc(machine->plan->link_count, 1);
	atomic_store(&actor->epoch, UINT64_MAX);
	return actor;
}

void mw_actor_destroy(struct mw_actor *actor)
{
	if (!actor)
		return;
	free((char *)actor->name);
	free(actor->queue);
	free(actor->net_queued);
	free(actor->link_queued);
	free(actor);
}

/* An interrupted chain's rest stays queued and goes on at the thread's next turn. */
static void push(struct mw_actor *actor, struct mw_effect effect)
{
	if (actor->count == actor->capacity) {
		struct mw_effect *bigger = mw_alloc(actor->capacity * 2, sizeof(*bigger));

		for (size_t i = 0; i < actor->count; i++)
			bigger[i] = actor->queue[(actor->head + i) & (actor->capacity - 1)];
		free(actor->queue);
		actor->queue = bigger;
		actor->capacity *= 2;
		actor->head = 0;
	}
	actor->queue[(actor->head + actor->count++) & (actor->capacity - 1)] = effect;
}

static struct mw_effect pop(struct mw_actor *actor)
{
	struct mw_effect effect = actor->queue[actor->head];

	actor->head = (actor->head + 1) & (actor->capacity - 1);
	actor->count--;
	return effect;
}

void mw_effect_net(struct mw_actor *actor, struct mw_net *net)
{
	if (actor->net_queued[net->index])
		return;
	actor->net_queued[net->index] = 1;
	push(actor, (struct mw_effect){ .kind = MW_EFFECT_NET, .net = net });
}

void mw_effect_stream(struct mw_actor *actor, struct mw_link *link, unsigned side, bool room)
{
	uint8_t bit = (uint8_t)(1u << (side + (room ? ROOM_SHIFT : 0)));

	if (actor->link_queued[link->index] & bit)
		return;
	actor->link_queued[link->index] |= bit;
	push(actor, (struct mw_effect){ .kind = room ? MW_EFFECT_ROOM : MW_EFFECT_BYTES,
					.stream = { link, side } });
}

void mw_effect_intr(struct mw_actor *actor)
{
	if (actor->intr_queued)
		return;
	actor->intr_queued = true;
	push(actor, (struct mw_effect){ .kind = MW_EFFECT_INTR });
}

void mw_effect_once(struct mw_actor *actor, struct mw_effect effect)
{
	push(actor, effect);
}

void mw_effect_message(struct mw_actor *actor, struct mw_effect effect)
{
	if (actor->messages == MESSAGE_LIMIT) {
		mw_actor_log(actor, "too many messages at once; some are dropped");
		return;
	}
	actor->messages++;
	push(actor, effect);
}

static void deliver(struct mw_actor *actor, const struct mw_effect *effect)
{
	struct mw_machine *machine = actor->machine;

	switch (effect->kind) {
	case MW_EFFECT_NET:
		actor->net_queued[effect->net->index] = 0;
		mw_net_deliver(effect->net, actor);
		break;
	case MW_EFFECT_BYTES:
		actor->link_queued[effect->stream.link->index] &=
			(uint8_t) ~(1u << effect->stream.side);
		mw_link_deliver(effect->stream.link, effect->stream.side, actor);
		break;
	case MW_EFFECT_ROOM:
		actor->link_queued[effect->stream.link->index] &=
			(uint8_t) ~(1u << (effect->stream.side + ROOM_SHIFT));
		mw_link_deliver_room(effect->stream.link, effect->stream.side, actor);
		break;
	case MW_EFFECT_MSI:
		actor->messages--;
		if (machine->executor.ops)
			machine->executor.ops->msi(machine->executor.self, effect->msi.address,
						   effect->msi.data);
		break;
	case MW_EFFECT_POWER:
		actor->messages--;
		mw_machine_power(machine, effect->power.event, effect->power.code);
		break;
	case MW_EFFECT_INTR:
		actor->intr_queued = false;
		mw_intr_deliver(machine);
		break;
	case MW_EFFECT_INPUT:
		actor->messages--;
		mw_input_deliver(effect->input.input, actor, &effect->input.event);
		break;
	case MW_EFFECT_PLACE:
		actor->place_queued = false;
		mw_place_deliver(actor);
		break;
	case MW_EFFECT_IMAGE: mw_image_deliver(effect->request, actor); break;
	case MW_EFFECT_CHANNEL: mw_channel_deliver(effect->dma, actor); break;
	case MW_EFFECT_CHANNELS: mw_channels_deliver(effect->controller, actor); break;
	case MW_EFFECT_DISPLAY: mw_display_deliver(effect->display, actor); break;
	}
}

void mw_actor_begin(struct mw_actor *actor)
{
	struct mw_machine *machine = actor->machine;

	assert(!actor->busy && "a thread enters from outside, never from a callback");
	actor->busy = true;
	actor->turn_epoch = atomic_load(&machine->epoch);
	/* Sequentially consistent, as are the loads of the maps: whoever swaps a map and does not see
	 * this store is seen by the load that follows it. */
	atomic_store(&actor->epoch, actor->turn_epoch);
}

void mw_actor_end(struct mw_actor *actor)
{
	/* What was done from outside is no chain yet, however much it is: a reset drives every line. */
	size_t limit = actor->count + MW_CHAIN_LIMIT;

	for (size_t steps = 0; actor->count; steps++) {
		if (steps == limit) {
			mw_actor_log(actor, "a chain of more than %d deliveries is cut",
				     MW_CHAIN_LIMIT);
			break;
		}
		struct mw_effect effect = pop(actor);

		deliver(actor, &effect);
	}
	mw_actor_hold(actor);
}

void mw_actor_hold(struct mw_actor *actor)
{
	atomic_store_explicit(&actor->epoch, UINT64_MAX, memory_order_release);
	actor->busy = false;
}

void mw_actor_forget_messages(struct mw_actor *actor)
{
	for (size_t left = actor->count; left; left--) {
		struct mw_effect effect = pop(actor);

		if (effect.kind != MW_EFFECT_MSI && effect.kind != MW_EFFECT_POWER &&
		    effect.kind != MW_EFFECT_INPUT)
			push(actor, effect);
	}
	actor->messages = 0;
}

void mw_node_enter(struct mw_node *node, struct mw_actor *actor)
{
	pthread_mutex_lock(&node->lock->mutex);
	node->lock->actor = actor;
}

void mw_node_leave(struct mw_node *node)
{
	if (node->lock->mapped_end)
		mw_node_end_maps(node);
	node->lock->actor = NULL;
	pthread_mutex_unlock(&node->lock->mutex);
}

void mw_msi_send(struct mw_msi *msi, uint64_t address, uint32_t data)
{
	mw_effect_message(msi->node->lock->actor,
			  (struct mw_effect){ .kind = MW_EFFECT_MSI, .msi = { address, data } });
}

void mw_msi_route(struct mw_msi *msi, unsigned index, uint64_t address, uint32_t data, bool valid)
{
	const struct mw_executor *executor = &msi->node->machine->executor;

	if (executor->ops && executor->ops->route)
		executor->ops->route(executor->self, index, address, data, valid);
}

void mw_power_request(struct mw_power *power, enum mw_power_event event, int code)
{
	mw_effect_message(power->node->lock->actor,
			  (struct mw_effect){ .kind = MW_EFFECT_POWER, .power = { event, code } });
}
