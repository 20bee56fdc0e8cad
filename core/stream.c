/* Byte links: bounded rings with credit from the receiver and room for the sender. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

enum { FIRST_RING = 256, LARGEST_RING = 65536, RUN = 4096 }; /* powers of two */

void mw_link_init(struct mw_link *link, uint32_t index)
{
	pthread_mutex_init(&link->mutex, NULL);
	link->index = index;
	for (unsigned side = 0; side < 2; side++)
		link->to[side].credit = SIZE_MAX;
}

void mw_link_fini(struct mw_link *link)
{
	for (unsigned side = 0; side < 2; side++)
		free(link->to[side].bytes);
	pthread_mutex_destroy(&link->mutex);
}

static void grow(struct mw_ring *ring, size_t wanted)
{
	size_t capacity = ring->capacity ? ring->capacity : FIRST_RING;

	while (capacity < wanted)
		capacity *= 2;
	uint8_t *bytes = mw_alloc(capacity, 1);

	for (size_t i = 0; i < ring->count; i++)
		bytes[i] = ring->bytes[(ring->head + i) & (ring->capacity - 1)];
	free(ring->bytes);
	ring->bytes = bytes;
	ring->capacity = capacity;
	ring->head = 0;
}

/* Returns how many bytes fitted. */
static size_t push(struct mw_ring *ring, const uint8_t *bytes, size_t count)
{
	if (count > LARGEST_RING - ring->count)
		count = LARGEST_RING - ring->count;
	if (ring->count + count > ring->capacity)
		grow(ring, ring->count + count);
	for (size_t i = 0; i < count; i++)
		ring->bytes[(ring->head + ring->count + i) & (ring->capacity - 1)] = bytes[i];
	ring->count += count;
	return count;
}

static size_t pop(struct mw_ring *ring, uint8_t *bytes, size_t limit)
{
	size_t count = ring->count;

	if (count > limit)
		count = limit;
	if (count > ring->credit)
		count = ring->credit;
	for (size_t i = 0; i < count; i++)
		bytes[i] = ring->bytes[(ring->head + i) & (ring->capacity - 1)];
	if (count)
		ring->head = (ring->head + count) & (ring->capacity - 1);
	ring->count -= count;
	if (ring->credit != SIZE_MAX)
		ring->credit -= count;
	return count;
}

void mw_stream_write(struct mw_stream *stream, const uint8_t *bytes, size_t count)
{
	struct mw_link *link = stream->link;
	unsigned to = stream->side ^ 1;

	if (!link || !count)
		return;
	pthread_mutex_lock(&link->mutex);
	size_t fitted = push(&link->to[to], bytes, count);

	/* Who has filled it waits for room, whether it asks again or not. */
	if (link->to[to].count == LARGEST_RING)
		link->to[to].starved = true;
	pthread_mutex_unlock(&link->mutex);
	if (fitted < count)
		mw_guest_log(stream->node->device, "the other end is full; %zu bytes are lost",
			     count - fitted);
	mw_effect_stream(stream->node->lock->actor, link, to, false);
}

void mw_stream_put(struct mw_stream *stream, uint8_t byte)
{
	mw_stream_write(stream, &byte, 1);
}

size_t mw_stream_room(const struct mw_stream *stream)
{
	struct mw_link *link = stream->link;

	if (!link)
		return LARGEST_RING;
	pthread_mutex_lock(&link->mutex);
	struct mw_ring *ring = &link->to[stream->side ^ 1];
	size_t room = LARGEST_RING - ring->count;

	if (!room)
		ring->starved = true;
	pthread_mutex_unlock(&link->mutex);
	return room;
}

void mw_stream_credit(struct mw_stream *stream, size_t bytes)
{
	struct mw_link *link = stream->link;

	if (!link)
		return;
	pthread_mutex_lock(&link->mutex);
	struct mw_ring *ring = &link->to[stream->side];

	ring->credit = bytes;
	bool waiting = bytes && ring->count;

	pthread_mutex_unlock(&link->mutex);
	if (waiting)
		mw_effect_stream(stream->node->lock->actor, link, stream->side, false);
}

static size_t take(struct mw_link *link, unsigned side, uint8_t *bytes, size_t limit, bool *room)
{
	pthread_mutex_lock(&link->mutex);
	struct mw_ring *ring = &link->to[side];
	size_t count = pop(ring, bytes, limit);

	if (ring->starved && ring->count <= LARGEST_RING / 2) {
		ring->starved = false;
		*room = true;
	}
	pthread_mutex_unlock(&link->mutex);
	return count;
}

void mw_link_deliver(struct mw_link *link, unsigned side, struct mw_actor *actor)
{
	struct mw_node *node = link->node[side];
	const struct mw_wire *wire = link->wire[side];
	uint8_t run[RUN];
	bool room = false;
	/* By the byte where the receiver may change its credit after each. */
	size_t limit = wire->on_byte ? 1 : RUN, count;
	size_t total = 0;

	mw_node_enter(node, actor);
	while (total < LARGEST_RING && (count = take(link, side, run, limit, &room)) != 0) {
		total += count;
		if (wire->on_byte)
			wire->on_byte(node->device, run[0]);
		else if (wire->on_bytes)
			wire->on_bytes(node->device, run, count);
	}
	mw_node_leave(node);
	if (total >= LARGEST_RING)
		mw_effect_stream(actor, link, side, false);
	if (room)
		mw_effect_stream(actor, link, side ^ 1, true);
}

void mw_link_deliver_room(struct mw_link *link, unsigned side, struct mw_actor *actor)
{
	struct mw_node *node = link->node[side];

	if (!link->wire[side]->on_room)
		return;
	mw_node_enter(node, actor);
	link->wire[side]->on_room(node->device);
	mw_node_leave(node);
}

size_t mw_link_save(struct mw_link *link, unsigned side, uint8_t *bytes, bool *starved)
{
	pthread_mutex_lock(&link->mutex);
	const struct mw_ring *ring = &link->to[side];

	for (size_t i = 0; bytes && i < ring->count; i++)
		bytes[i] = ring->bytes[(ring->head + i) & (ring->capacity - 1)];
	*starved = ring->starved;
	size_t count = ring->count;

	pthread_mutex_unlock(&link->mutex);
	return count;
}

bool mw_link_restore(struct mw_link *link, unsigned side, const uint8_t *bytes, size_t count,
		     bool starved)
{
	if (count > LARGEST_RING)
		return false;
	pthread_mutex_lock(&link->mutex);
	struct mw_ring *ring = &link->to[side];

	ring->head = ring->count = 0;
	if (count)
		push(ring, bytes, count);
	ring->starved = starved;
	pthread_mutex_unlock(&link->mutex);
	return true;
}
