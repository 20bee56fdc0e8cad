/* Guest accesses: from an address to a region, from a region to its registers. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "core/field.h"
#include "core/machine_internal.h"

static uint64_t ones(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

static const struct mw_register *find_register(const struct mw_region *region, const void *self,
					       uint64_t offset, unsigned size, bool write)
{
	for (size_t i = 0; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];
		unsigned bytes = row->size ? row->size : 1;

		if (offset < row->at || offset - row->at + size > bytes)
			continue;
		if (row->selected && !row->selected(self))
			continue;
		if (write ? !row->set && !row->kind : row->write_only)
			continue;
		return row;
	}
	return NULL;
}

static uint64_t register_value(const struct mw_register *row, void *self)
{
	if (row->get)
		return row->get(self);
	return row->kind ? mw_field_load(self, row->offset, row->kind) : 0;
}

static void register_store(const struct mw_register *row, void *self, uint64_t value)
{
	if (row->set) {
		row->set(self, value);
		return;
	}
	uint64_t old = mw_field_load(self, row->offset, row->kind);

	mw_field_store(self, row->offset, row->kind,
		       (old & ~row->writable) | (value & row->writable));
	if (row->changed)
		row->changed(self);
}

static enum mw_io access_register(const struct mw_region *region, void *self, uint64_t offset,
				  unsigned size, uint64_t *value, bool write)
{
	const struct mw_register *row = find_register(region, self, offset, size, write);

	if (!row)
		return MW_IO_NO_REGISTER;
	unsigned bytes = row->size ? row->size : 1, shift = (unsigned)(offset - row->at) * 8;

	if (!write) {
		*value = register_value(row, self) >> shift & ones(size);
		return MW_IO_OK;
	}
	uint64_t mask = ones(size) << shift, whole = *value << shift & mask;

	if (size < bytes) /* a part of a register: the rest keeps what a read would give */
		whole |= (row->write_only ? 0 : register_value(row, self)) & ~mask & ones(bytes);
	register_store(row, self, whole);
	return MW_IO_OK;
}

static enum mw_io access_once(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			      unsigned size, uint64_t *value, bool write)
{
	if (!region->unaligned && offset & (size - 1))
		return MW_IO_UNALIGNED;
	if (region->registers.count)
		return access_register(region, node->device, offset, size, value, write);
	if (write)
		return region->write ? region->write(node->device, offset, size, *value)
				     : MW_IO_NO_REGISTER;
	return region->read ? region->read(node->device, offset, size, value) : MW_IO_NO_REGISTER;
}

/* Splits what is wider than the chip's bus, little end first, as an ISA bridge does. */
enum mw_io mw_region_access(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			    unsigned size, uint64_t *value, bool write)
{
	unsigned step = size > region->max_access ? region->max_access : size;
	enum mw_io worst = MW_IO_OK;
	uint64_t whole = 0;

	if (size < region->min_access)
		return MW_IO_BAD_SIZE;
	for (unsigned done = 0; done < size; done += step) {
		uint64_t part = write ? *value >> (8 * done) & ones(step) : 0;
		enum mw_io result = access_once(node, region, offset + done, step, &part, write);

		if (result != MW_IO_OK) {
			part = ones(step);
			worst = result;
		}
		whole |= (part & ones(step)) << (8 * done);
	}
	if (!write)
		*value = whole;
	return worst;
}

static const char *io_text(enum mw_io result)
{
	switch (result) {
	case MW_IO_OK: return "answered";
	case MW_IO_NO_REGISTER: return "no register there";
	case MW_IO_BAD_SIZE: return "not of a size the chip knows";
	case MW_IO_UNALIGNED: return "not aligned";
	case MW_IO_DEFERRED: return "the device deferred it, which is not supported";
	}
	return "unknown result";
}

static void access_region(struct mw_actor *actor, const struct mw_map_entry *entry,
			  uint64_t address, unsigned size, uint64_t *value, bool write)
{
	struct mw_node *node = entry->node;
	uint64_t offset = address - entry->base;

	mw_node_enter(node, actor);
	enum mw_io result = mw_region_access(node, entry->region, offset, size, value, write);

	if (result != MW_IO_OK)
		mw_guest_log(node->device, "%s of %u bytes at %s+0x%" PRIx64 ": %s",
			     write ? "write" : "read", size, entry->region->name, offset,
			     io_text(result));
	mw_node_leave(node);
}

static void access_memory(const struct mw_map_entry *entry, uint64_t address, unsigned size,
			  uint64_t *value, bool write)
{
	uint8_t *host = entry->host + (address - entry->base);

	if (!write) {
		*value = 0;
		memcpy(value, host, size);
	} else if (!entry->readonly) {
		memcpy(host, value, size);
	}
}

static const struct mw_map_entry *look_up(struct mw_actor *actor,
					  const struct mw_address_space *space, uint64_t address)
{
	const struct mw_map *map = atomic_load_explicit(&space->map, memory_order_acquire);

	if (space->ports)
		return address < 0x10000 ? mw_map_find_port(map, (uint16_t)address) : NULL;
	uint64_t epoch = atomic_load_explicit(space->epoch, memory_order_acquire);
	const struct mw_map_entry *hit = actor->last_hit;

	if (hit && actor->last_hit_epoch == epoch && address >= hit->base && address <= hit->last)
		return hit;
	hit = mw_map_find(map, address);
	/* Only where nothing lies on top may the whole entry answer for all its addresses. */
	if (hit && map->piece_count == map->count) {
		actor->last_hit = hit;
		actor->last_hit_epoch = epoch;
	}
	return hit;
}

/* The whole access goes to the region at its first byte; one that runs over the region's end is
 * done byte by byte. */
static void access_space(struct mw_actor *actor, const struct mw_address_space *space,
			 uint64_t address, unsigned size, uint64_t *value, bool write)
{
	const struct mw_map_entry *entry = look_up(actor, space, address);

	if (size > 1 && (entry ? entry->last - address < size - 1
			       : look_up(actor, space, address + size - 1) != NULL)) {
		uint64_t whole = 0;

		for (unsigned i = 0; i < size; i++) {
			uint64_t byte = *value >> (8 * i) & 0xff;

			access_space(actor, space, address + i, 1, &byte, write);
			whole |= (byte & 0xff) << (8 * i);
		}
		*value = whole;
		return;
	}
	if (!write)
		*value = ones(size);
	if (!entry)
		return;
	if (entry->host)
		access_memory(entry, address, size, value, write);
	else
		access_region(actor, entry, address, size, value, write);
	*value &= ones(size);
}

static void access_from_cpu(struct mw_actor *actor, const struct mw_address_space *space,
			    uint64_t address, unsigned size, uint64_t *value, bool write)
{
	mw_actor_begin(actor);
	access_space(actor, space, address, size, value, write);
	mw_actor_end(actor);
}

void mw_port_read(struct mw_actor *actor, uint16_t port, unsigned size, uint64_t *value)
{
	*value = 0;
	access_from_cpu(actor, &actor->machine->ports, port, size, value, false);
}

void mw_port_write(struct mw_actor *actor, uint16_t port, unsigned size, uint64_t value)
{
	access_from_cpu(actor, &actor->machine->ports, port, size, &value, true);
}

void mw_memory_read(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t *value)
{
	*value = 0;
	access_from_cpu(actor, &actor->machine->memory, address, size, value, false);
}

void mw_memory_write(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t value)
{
	access_from_cpu(actor, &actor->machine->memory, address, size, &value, true);
}

void mw_machine_eoi(struct mw_actor *actor, uint8_t vector)
{
	struct mw_machine *machine = actor->machine;

	mw_actor_begin(actor);
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t w = 0; w < node->type->wires.count && !node->offloaded; w++) {
			const struct mw_wire *wire = &node->type->wires.items[w];

			if (!wire->on_eoi)
				continue;
			mw_node_enter(node, actor);
			wire->on_eoi(node->device, vector);
			mw_node_leave(node);
		}
	}
	mw_actor_end(actor);
}
