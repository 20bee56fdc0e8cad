/* Where regions answer: what the plan says, and what guests move at run time. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

enum { PORTS = 0x10000 };
/* With A20 closed, the 64 KiB that real mode reaches above 1 MiB are those at 0. */
enum { A20_BASE = 0x100000, A20_BYTES = 0x10000 };

static bool moves(const struct mw_region *region)
{
	return region->bar || region->movable;
}

void mw_places_init(struct mw_node *node)
{
	node->placements = mw_arena_alloc(&node->machine->arena, node->type->regions.count,
					  sizeof(*node->placements));
}

static size_t find_region(const struct mw_node *node, const char *name)
{
	size_t i = 0;

	while (i < node->type->regions.count &&
	       strcmp(node->type->regions.items[i].name, name) != 0)
		i++;
	assert(i < node->type->regions.count && "a device names its own regions");
	return i;
}

static size_t find_moving(const struct mw_node *node, const char *name)
{
	size_t i = find_region(node, name);

	assert(moves(&node->type->regions.items[i]) &&
	       "a device moves what its table says can be moved");
	return i;
}

static size_t find_shown(const struct mw_node *node, const char *name)
{
	size_t i = find_region(node, name);

	assert(!moves(&node->type->regions.items[i]) &&
	       node->type->regions.items[i].backing == MW_BACKING_CALLS &&
	       "memory is shown where a region answers by calls");
	return i;
}

static uint64_t length_of(const struct mw_node *node, size_t index)
{
	const struct mw_region *region = &node->type->regions.items[index];
	const struct mw_plan_claim *claim = mw_plan_claim(
		node->plan, region->space == MW_SPACE_PORT ? MW_CLAIM_IO : MW_CLAIM_MMIO,
		region->name);

	if (claim)
		return claim->length;
	return region->movable && region->backing != MW_BACKING_CALLS ? region->size : 0;
}

uint64_t mw_region_length(const void *self, const char *region)
{
	const struct mw_node *node = mw_node_of(self);

	return length_of(node, find_moving(node, region));
}

static bool is_within(const struct mw_piece *piece, uint64_t length, uint64_t most)
{
	return piece->length && piece->offset <= length &&
	       piece->length <= length - piece->offset && piece->base < most &&
	       piece->length - 1 <= most - 1 - piece->base && piece->access;
}

/* What a guest makes of a register may be no place at all. */
static bool is_place(const struct mw_region *region, uint64_t length, const struct mw_piece *piece)
{
	uint64_t in_page = region->backing != MW_BACKING_CALLS ? MW_PAGE_BYTES - 1 : 0;
	uint64_t most = region->space == MW_SPACE_PORT ? PORTS : UINT64_MAX;

	return is_within(piece, length, most) &&
	       !((piece->offset | piece->length | piece->base) & in_page);
}

static void mark_moved(struct mw_machine *machine, struct mw_actor *actor, enum mw_space space)
{
	if (space == MW_SPACE_PORT)
		machine->ports_moved = true;
	else
		machine->memory_moved = true;
	if (actor->place_queued)
		return;
	actor->place_queued = true;
	mw_effect_once(actor, (struct mw_effect){ .kind = MW_EFFECT_PLACE });
}

static bool is_same(const struct mw_placement *a, const struct mw_placement *b)
{
	for (size_t i = 0; i < a->count && a->count == b->count; i++) {
		const struct mw_piece *one = &a->pieces[i], *two = &b->pieces[i];

		if (one->offset != two->offset || one->length != two->length ||
		    one->base != two->base || one->access != two->access)
			return false;
	}
	return a->count == b->count && a->shown == b->shown;
}

static void set_placement(struct mw_node *node, size_t index, const struct mw_placement *next)
{
	struct mw_machine *machine = node->machine;
	struct mw_placement *now = &node->placements[index];

	pthread_mutex_lock(&machine->place_mutex);
	if (!is_same(now, next)) {
		*now = *next;
		mark_moved(machine, node->lock->actor, node->type->regions.items[index].space);
	}
	pthread_mutex_unlock(&machine->place_mutex);
}

void mw_region_place(void *self, const char *name, const struct mw_piece *pieces, size_t count)
{
	struct mw_node *node = mw_node_of(self);
	size_t index = find_moving(node, name);
	const struct mw_region *region = &node->type->regions.items[index];
	struct mw_placement next = { 0 };

	for (size_t i = 0; i < count && next.count < MW_PIECES_MAX; i++)
		if (is_place(region, length_of(node, index), &pieces[i]))
			next.pieces[next.count++] = pieces[i];
	set_placement(node, index, &next);
}

void mw_region_show(void *self, const char *name, struct mw_memory *memory,
		    const struct mw_piece *pieces, size_t count)
{
	struct mw_node *node = mw_node_of(self);
	size_t index = find_shown(node, name);
	const struct mw_plan_claim *claim = mw_plan_claim(node->plan, MW_CLAIM_MMIO, name);
	struct mw_placement next = { 0 };

	for (size_t i = 0; claim && i < count && next.count < MW_PIECES_MAX; i++) {
		struct mw_piece piece = pieces[i];

		if (!is_within(&piece, memory->size, claim->length))
			continue;
		piece.base += claim->base;
		if ((piece.offset | piece.length | piece.base) & (MW_PAGE_BYTES - 1))
			continue;
		next.pieces[next.count++] = piece;
		next.shown = memory;
	}
	set_placement(node, index, &next);
}

void mw_region_move(void *self, const char *region, uint64_t base, bool enabled)
{
	struct mw_piece piece = { .length = mw_region_length(self, region),
				  .base = base,
				  .access = MW_PIECE_READ | MW_PIECE_WRITE };

	mw_region_place(self, region, &piece, enabled);
}

void mw_a20_set(void *self, bool open)
{
	struct mw_node *node = mw_node_of(self);
	struct mw_machine *machine = node->machine;

	pthread_mutex_lock(&machine->place_mutex);
	if (machine->a20_closed == open) {
		machine->a20_closed = !open;
		mark_moved(machine, node->lock->actor, MW_SPACE_MEMORY);
	}
	pthread_mutex_unlock(&machine->place_mutex);
}

void mw_places_reset(struct mw_machine *machine)
{
	pthread_mutex_lock(&machine->place_mutex);
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t r = 0; r < node->type->regions.count; r++) {
			if (!node->placements[r].count)
				continue;
			memset(&node->placements[r], 0, sizeof(node->placements[r]));
			mark_moved(machine, machine->main_actor,
				   node->type->regions.items[r].space);
		}
	}
	if (machine->a20_closed) {
		machine->a20_closed = false;
		mark_moved(machine, machine->main_actor, MW_SPACE_MEMORY);
	}
	pthread_mutex_unlock(&machine->place_mutex);
}

/** Entries on their way into a map. */
struct collected {
	struct mw_map_entry *entries;
	size_t count, capacity;
};

static void collect(struct collected *all, const struct mw_map_entry *entry)
{
	if (all->count == all->capacity) {
		all->capacity = all->capacity ? 2 * all->capacity : 64;
		all->entries = mw_grow(all->entries, all->capacity, sizeof(*all->entries));
	}
	all->entries[all->count++] = *entry;
}

static struct mw_map_entry entry_of(const struct mw_node *node, size_t index, uint64_t base,
				    uint64_t length)
{
	const struct mw_region *region = &node->type->regions.items[index];
	struct mw_map_entry entry = { .base = base,
				      .last = base + (length - 1),
				      .node = (struct mw_node *)(uintptr_t)node,
				      .region = region };

	if (region->backing != MW_BACKING_CALLS) {
		entry.host = node->memories[index].bytes;
		entry.readonly = region->backing == MW_BACKING_ROM;
	}
	return entry;
}

static void collect_claims(struct collected *all, const struct mw_node *node,
			   enum mw_claim_kind kind)
{
	for (size_t c = 0; c < node->plan->claim_count; c++) {
		const struct mw_plan_claim *claim = &node->plan->claims[c];

		if (claim->kind != kind || moves(claim->region))
			continue;
		struct mw_map_entry entry =
			entry_of(node, (size_t)(claim->region - node->type->regions.items),
				 claim->base, claim->length);

		entry.layer = claim->overlays ? MW_LAYER_TOP : MW_LAYER_FIXED;
		collect(all, &entry);
	}
}

/* What is shown lies as high as the claim that it is a part of. */
static enum mw_map_layer layer_of(const struct mw_node *node, size_t index)
{
	const struct mw_region *region = &node->type->regions.items[index];

	if (moves(region))
		return region->bar ? MW_LAYER_BAR : MW_LAYER_MOVED;
	return mw_plan_claim(node->plan, MW_CLAIM_MMIO, region->name)->overlays ? MW_LAYER_TOP
										: MW_LAYER_SHOWN;
}

static void collect_placements(struct collected *all, const struct mw_node *node,
			       enum mw_space space)
{
	for (size_t r = 0; r < node->type->regions.count; r++) {
		const struct mw_region *region = &node->type->regions.items[r];
		const struct mw_memory *shown = node->placements[r].shown;

		for (size_t i = 0; region->space == space && i < node->placements[r].count; i++) {
			const struct mw_piece *piece = &node->placements[r].pieces[i];
			struct mw_map_entry entry = entry_of(node, r, piece->base, piece->length);

			entry.layer = layer_of(node, r);
			entry.offset = piece->offset;
			if (shown)
				entry.host = shown->bytes;
			if (entry.host) {
				entry.host += piece->offset;
				entry.readonly |= !(piece->access & MW_PIECE_WRITE);
				entry.write_only = !(piece->access & MW_PIECE_READ);
			}
			collect(all, &entry);
		}
	}
}

static void collect_ram(struct collected *all, const struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->ram_count; i++) {
		const struct mw_ram_block *block = &machine->ram[i];

		collect(all, &(struct mw_map_entry){ .base = block->base,
						     .last = block->base + (block->length - 1),
						     .host = block->host,
						     .layer = MW_LAYER_FIXED });
	}
}

static void collect_a20(struct collected *all, struct mw_machine *machine)
{
	uint8_t *low = machine->a20_closed ? mw_machine_ram(machine, 0, A20_BYTES) : NULL;

	if (low)
		collect(all, &(struct mw_map_entry){ .base = A20_BASE,
						     .last = A20_BASE + A20_BYTES - 1,
						     .host = low,
						     .layer = MW_LAYER_MOVED });
}

static void remake(struct mw_machine *machine, enum mw_space space)
{
	bool ports = space == MW_SPACE_PORT;
	struct collected all = { 0 };

	if (!ports)
		collect_ram(&all, machine);
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		collect_claims(&all, machine->nodes[i], ports ? MW_CLAIM_IO : MW_CLAIM_MMIO);
		collect_placements(&all, machine->nodes[i], space);
	}
	if (!ports)
		collect_a20(&all, machine);
	mw_machine_swap_map(machine, ports ? &machine->ports : &machine->memory,
			    mw_map_create(all.entries, all.count, ports));
	free(all.entries);
}

static enum mw_status place_locked(struct mw_machine *machine)
{
	enum mw_status status = MW_STATUS_OK;

	if (machine->ports_moved)
		remake(machine, MW_SPACE_PORT);
	if (machine->memory_moved) {
		remake(machine, MW_SPACE_MEMORY);
		status = mw_machine_map_all(machine);
	}
	machine->ports_moved = machine->memory_moved = false;
	return status;
}

enum mw_status mw_place_spaces(struct mw_machine *machine)
{
	pthread_mutex_lock(&machine->place_mutex);
	machine->ports_moved = machine->memory_moved = true;
	enum mw_status status = place_locked(machine);

	pthread_mutex_unlock(&machine->place_mutex);
	return status;
}

/* Whoever asks finds nothing of the old maps: what this thread has kept of them goes by the epoch. */
void mw_place_deliver(struct mw_actor *actor)
{
	struct mw_machine *machine = actor->machine;

	pthread_mutex_lock(&machine->place_mutex);
	enum mw_status status = place_locked(machine);

	pthread_mutex_unlock(&machine->place_mutex);
	actor->turn_epoch = atomic_load(&machine->epoch);
	atomic_store(&actor->epoch, actor->turn_epoch);
	if (status != MW_STATUS_OK)
		mw_machine_fail(machine, "memory cannot be mapped where the guest wants it: %s",
				mw_status_text(status));
}
