/* Guest accesses: from an address to a region, from a region to its registers. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "core/machine_internal.h"

static enum mw_io access_once(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			      unsigned size, uint64_t *value, bool write)
{
	if (!region->unaligned && offset & (size - 1))
		return MW_IO_UNALIGNED;
	if (region->registers.count)
		return mw_register_access(node, region, offset, size, value, write);
	if (write)
		return region->write ? region->write(node->device, offset, size, *value)
				     : MW_IO_NO_REGISTER;
	return region->read ? region->read(node->device, offset, size, value) : MW_IO_NO_REGISTER;
}

/* Splits what is wider than the chip's bus, little end first, as an ISA bridge does. */
static enum mw_io access_parts(struct mw_node *node, const struct mw_region *region,
			       uint64_t offset, unsigned size, uint64_t *value, bool write)
{
	unsigned step = region->max_access;
	enum mw_io worst = MW_IO_OK;
	uint64_t whole = 0;

	for (unsigned done = 0; done < size; done += step) {
		uint64_t part = write ? *value >> (8 * done) & mw_ones(step) : 0;
		enum mw_io result = access_once(node, region, offset + done, step, &part, write);

		if (result != MW_IO_OK) {
			part = mw_ones(step);
			worst = result;
		}
		whole |= (part & mw_ones(step)) << (8 * done);
	}
	if (!write)
		*value = whole;
	return worst;
}

static enum mw_io access_chip(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			      unsigned size, uint64_t *value, bool write)
{
	if (size < region->min_access)
		return MW_IO_BAD_SIZE;
	if (size > region->max_access)
		return access_parts(node, region, offset, size, value, write);
	enum mw_io result = access_once(node, region, offset, size, value, write);

	if (result != MW_IO_OK && !write)
		*value = mw_ones(size);
	return result;
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

/* Functions answer what is aligned; the rest is done byte by byte, as with byte enables. */
static void access_config(struct mw_actor *actor, uint32_t address, unsigned size, uint64_t *value,
			  bool write)
{
	uint64_t whole = 0;

	if (size <= 4 && !(address & (size - 1))) {
		mw_config_access(actor, address, size, value, write);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		uint64_t byte = write ? *value >> (8 * i) & 0xff : 0xff;

		mw_config_access(actor, address + i, 1, &byte, write);
		whole |= byte << (8 * i);
	}
	*value = whole;
}

static void access_region(struct mw_actor *actor, const struct mw_map_entry *entry,
			  uint64_t address, unsigned size, uint64_t *value, bool write)
{
	struct mw_node *node = entry->node;
	uint64_t offset = address - entry->base + entry->offset;
	uint32_t config;

	mw_node_enter(node, actor);
	if (entry->region->config_window &&
	    entry->region->config_window(node->device, offset, size, &config)) {
		mw_node_leave(node);
		access_config(actor, config, size, value, write);
		return;
	}
	enum mw_io result = access_chip(node, entry->region, offset, size, value, write);

	if (result != MW_IO_OK)
		mw_guest_log(node->device, "%s of %u bytes at %s+0x%" PRIx64 ": %s",
			     write ? "write" : "read", size, entry->region->name, offset,
			     io_text(result));
	mw_node_leave(node);
}

/* Guests may count on aligned accesses being whole, whatever other CPUs do meanwhile. */
#define ACCESS_WHOLE(type, host, value, write)                                      \
	do {                                                                        \
		type *cell = (type *)(void *)(host);                                \
		if (write)                                                          \
			__atomic_store_n(cell, (type) * (value), __ATOMIC_RELAXED); \
		else                                                                \
			*(value) = __atomic_load_n(cell, __ATOMIC_RELAXED);         \
	} while (0)

static void access_memory(const struct mw_map_entry *entry, uint64_t address, unsigned size,
			  uint64_t *value, bool write)
{
	uint8_t *host = write && entry->write_host ? entry->write_host : entry->host;

	if (write && entry->readonly && !entry->write_host)
		return;
	host += address - entry->base;
	if ((uintptr_t)host & (size - 1)) {
		for (unsigned i = 0; i < size; i++) {
			uint64_t byte = *value >> (8 * i) & 0xff;

			ACCESS_WHOLE(uint8_t, host + i, &byte, write);
			*value = (*value & ~(UINT64_C(0xff) << (8 * i))) | byte << (8 * i);
		}
		return;
	}
	switch (size) {
	case 1: ACCESS_WHOLE(uint8_t, host, value, write); break;
	case 2: ACCESS_WHOLE(uint16_t, host, value, write); break;
	case 4: ACCESS_WHOLE(uint32_t, host, value, write); break;
	default: ACCESS_WHOLE(uint64_t, host, value, write); break;
	}
}

/* Ports that nobody has may end anywhere; an access looks at most 7 further. */
static struct mw_map_part look_up_port(const struct mw_map *map, uint64_t port, unsigned size)
{
	struct mw_map_part part = { .base = port, .last = UINT64_MAX };

	if (port > UINT16_MAX)
		return part;
	part.entry = mw_map_find_port(map, (uint16_t)port);
	if (part.entry) {
		part.last = part.entry->last;
		return part;
	}
	for (uint64_t next = port + 1; next < port + size && next <= UINT16_MAX; next++) {
		if (mw_map_find_port(map, (uint16_t)next)) {
			part.last = next - 1;
			break;
		}
	}
	return part;
}

/* The last part that answered is kept: it holds until the map changes, and with it the epoch. The
 * epoch was read before the map, so what is kept is never older than it says. */
static struct mw_map_part look_up(struct mw_actor *actor, const struct mw_address_space *space,
				  uint64_t address, unsigned size)
{
	if (space->ports)
		return look_up_port(atomic_load(&space->map), address, size);
	if (actor->last_hit_epoch != actor->turn_epoch || address < actor->last_hit.base ||
	    address > actor->last_hit.last) {
		actor->last_hit = mw_map_look(atomic_load(&space->map), address);
		actor->last_hit_epoch = actor->turn_epoch;
	}
	return actor->last_hit;
}

static void access_space(struct mw_actor *actor, const struct mw_address_space *space,
			 uint64_t address, unsigned size, uint64_t *value, bool write);

/* Bytes beyond the end of the address space do not exist: nothing wraps. */
static void access_bytes(struct mw_actor *actor, const struct mw_address_space *space,
			 uint64_t address, unsigned size, uint64_t *value, bool write)
{
	uint64_t whole = 0;

	for (unsigned i = 0; i < size; i++) {
		uint64_t byte = write ? *value >> (8 * i) & 0xff : 0xff;

		if (address + i >= address)
			access_space(actor, space, address + i, 1, &byte, write);
		whole |= byte << (8 * i);
	}
	*value = whole;
}

/* The whole access goes to the region at its first byte; one that runs over the region's end is
 * done byte by byte. */
static void access_space(struct mw_actor *actor, const struct mw_address_space *space,
			 uint64_t address, unsigned size, uint64_t *value, bool write)
{
	struct mw_map_part part = look_up(actor, space, address, size);

	if (part.last - address < size - 1) {
		access_bytes(actor, space, address, size, value, write);
		return;
	}
	if (!write)
		*value = mw_ones(size);
	if (!part.entry)
		return;
	if (part.entry->host || (write && part.entry->write_host))
		access_memory(part.entry, address, size, value, write);
	else if (part.entry->node)
		access_region(actor, part.entry, address, size, value, write);
	*value &= mw_ones(size);
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

void mw_memory_collected(struct mw_actor *actor, uint64_t address, unsigned size, uint64_t value)
{
	access_space(actor, &actor->machine->memory, address, size, &value, true);
}

void mw_actor_collect(struct mw_actor *actor)
{
	const struct mw_executor *executor = &actor->machine->executor;

	if (executor->ops && executor->ops->collected)
		executor->ops->collected(executor->self, actor);
}

void mw_machine_collect(struct mw_actor *actor)
{
	mw_actor_begin(actor);
	mw_actor_collect(actor);
	mw_actor_end(actor);
}

void mw_machine_eoi(struct mw_actor *actor, uint8_t vector)
{
	struct mw_machine *machine = actor->machine;

	mw_actor_begin(actor);
	for (size_t i = 0; i < machine->eoi_sink_count; i++) {
		const struct mw_eoi_sink *sink = &machine->eoi_sinks[i];

		if (sink->node->offloaded)
			continue;
		mw_node_enter(sink->node, actor);
		sink->wire->on_eoi(sink->node->device, vector);
		mw_node_leave(sink->node);
	}
	mw_actor_end(actor);
}
