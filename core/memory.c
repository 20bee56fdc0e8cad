/* Guest RAM (one memfd), the memory behind ROM and RAM regions, and DMA to both. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/diagnostics.h"
#include "core/machine_internal.h"

static bool no_memory(struct mw_diagnostics *diagnostics, struct mw_span span, uint64_t bytes)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", span,
			   "cannot have %" PRIu64 " bytes of guest memory: %s", bytes,
			   strerror(errno));
	return false;
}

bool mw_ram_init(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = machine->plan;
	uint64_t offset = 0;

	machine->ram_fd = -1;
	if (!plan->ram_count)
		return true;
	machine->ram_fd = memfd_create("millwright-ram", MFD_CLOEXEC);
	if (machine->ram_fd < 0 || ftruncate(machine->ram_fd, (off_t)plan->ram_bytes) < 0)
		return no_memory(diagnostics, (struct mw_span){ 0 }, plan->ram_bytes);
	void *host = mmap(NULL, plan->ram_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			  machine->ram_fd, 0);

	if (host == MAP_FAILED)
		return no_memory(diagnostics, (struct mw_span){ 0 }, plan->ram_bytes);
	machine->ram_host = host;
	machine->ram = mw_arena_alloc(&machine->arena, plan->ram_count, sizeof(*machine->ram));
	machine->ram_count = plan->ram_count;
	for (size_t i = 0; i < plan->ram_count; i++) {
		machine->ram[i] = (struct mw_ram_block){ plan->ram[i].base, plan->ram[i].length,
							 machine->ram_host + offset };
		offset += plan->ram[i].length;
	}
	return true;
}

void mw_ram_fini(struct mw_machine *machine)
{
	if (machine->ram_host)
		munmap(machine->ram_host, machine->plan->ram_bytes);
	if (machine->ram_fd >= 0)
		close(machine->ram_fd);
}

void *mw_machine_ram(struct mw_machine *machine, uint64_t address, uint64_t count)
{
	for (size_t i = 0; i < machine->ram_count; i++) {
		const struct mw_ram_block *block = &machine->ram[i];

		if (address >= block->base && address - block->base <= block->length &&
		    count <= block->length - (address - block->base))
			return block->host + (address - block->base);
	}
	return NULL;
}

uint8_t *mw_machine_seen(struct mw_machine *machine, uint64_t address, uint64_t count)
{
	struct mw_map_part part = mw_map_look(atomic_load(&machine->memory.map), address);
	const struct mw_map_entry *entry = part.entry;

	if (!entry || !entry->host || entry->write_host || entry->readonly ||
	    part.last - address < count - 1)
		return NULL;
	return entry->host + (address - entry->base);
}

bool mw_memories_init(struct mw_node *node, struct mw_diagnostics *diagnostics)
{
	const struct mw_device_type *type = node->type;

	node->memories =
		mw_arena_alloc(&node->machine->arena, type->regions.count, sizeof(*node->memories));
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->backing == MW_BACKING_CALLS)
			continue;
		struct mw_memory *memory = &node->memories[i];
		const struct mw_plan_claim *claim =
			mw_plan_claim(node->plan, MW_CLAIM_MMIO, region->name);

		uint64_t length = claim ? claim->length : region->movable ? region->size : 0;

		memcpy(node->device + region->memory_offset, &memory, sizeof(memory));
		if (!length)
			continue;
		if (claim && (claim->base % MW_PAGE_BYTES || length % MW_PAGE_BYTES)) {
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "R308", claim->span,
					   "memory of `%s` is not a whole number of 4 KiB pages",
					   node->plan->id);
			return false;
		}
		void *host = mmap(NULL, length, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (host == MAP_FAILED)
			return no_memory(diagnostics, claim ? claim->span : node->plan->span,
					 length);
		memory->bytes = host;
		memory->size = length;
	}
	return true;
}

void mw_memories_fini(struct mw_node *node)
{
	for (size_t i = 0; node->memories && i < node->type->regions.count; i++) {
		if (node->memories[i].bytes)
			munmap(node->memories[i].bytes, node->memories[i].size);
	}
}

uint8_t *mw_memory_bytes(struct mw_memory *memory, uint64_t *size)
{
	if (size)
		*size = memory->size;
	return memory->bytes;
}

/* The part of memory at an address; its entry is NULL where there is none that DMA reaches. */
static struct mw_map_part plain_memory(struct mw_dma *dma, uint64_t address)
{
	struct mw_map_part part =
		mw_map_look(atomic_load(&dma->node->machine->memory.map), address);

	if (part.entry && !part.entry->host)
		part.entry = NULL;
	return part;
}

/* A field that a guest's CPU may be changing is read and written whole, as on a bus; and what stands
 * behind an index is seen no older than the index. */
#define MOVE_WHOLE(type, host, bytes, write)                             \
	do {                                                             \
		type *cell = (type *)(void *)(host), value;              \
		if (write) {                                             \
			memcpy(&value, bytes, sizeof(value));            \
			__atomic_store_n(cell, value, __ATOMIC_RELEASE); \
		} else {                                                 \
			value = __atomic_load_n(cell, __ATOMIC_ACQUIRE); \
			memcpy(bytes, &value, sizeof(value));            \
		}                                                        \
	} while (0)

static void move(uint8_t *host, uint8_t *bytes, size_t count, bool write)
{
	bool aligned = !((uintptr_t)host & (count - 1));

	if (count == 2 && aligned)
		MOVE_WHOLE(uint16_t, host, bytes, write);
	else if (count == 4 && aligned)
		MOVE_WHOLE(uint32_t, host, bytes, write);
	else if (count == 8 && aligned)
		MOVE_WHOLE(uint64_t, host, bytes, write);
	else if (write)
		memcpy(host, bytes, count);
	else
		memcpy(bytes, host, count);
}

/* Ranges may run over several adjoining memories; each step takes what one of them holds. Without
 * `bytes` it is only seen whether they do. */
static bool copy(struct mw_dma *dma, uint64_t address, uint8_t *bytes, size_t count, bool write)
{
	while (count) {
		struct mw_map_part part = plain_memory(dma, address);
		uint64_t left = part.last - address;
		size_t step = left < count - 1 ? (size_t)left + 1 : count;

		if (!part.entry || (step < count && part.last == UINT64_MAX))
			return false;
		uint8_t *host = part.entry->host + (address - part.entry->base);

		if (bytes && !(write && part.entry->readonly))
			move(host, bytes, step, write);
		address += step;
		if (bytes)
			bytes += step;
		count -= step;
	}
	return true;
}

static bool all_memory(struct mw_dma *dma, uint64_t address, size_t count)
{
	return copy(dma, address, NULL, count, false);
}

bool mw_dma_read(struct mw_dma *dma, uint64_t address, void *bytes, size_t count)
{
	if (all_memory(dma, address, count))
		return copy(dma, address, bytes, count, false);
	memset(bytes, 0xff, count);
	mw_guest_log(dma->node->device, "DMA read of %zu bytes at 0x%" PRIx64 " meets no memory",
		     count, address);
	return false;
}

static void tell_written(const struct mw_node *node, uint64_t base, uint64_t length)
{
	const struct mw_executor *executor = &node->machine->executor;

	if (length && executor->ops && executor->ops->written)
		executor->ops->written(executor->self, base, length);
}

bool mw_dma_write(struct mw_dma *dma, uint64_t address, const void *bytes, size_t count)
{
	if (all_memory(dma, address, count)) {
		copy(dma, address, (uint8_t *)(uintptr_t)bytes, count, true);
		tell_written(dma->node, address, count);
		return true;
	}
	mw_guest_log(dma->node->device, "DMA write of %zu bytes at 0x%" PRIx64 " meets no memory",
		     count, address);
	return false;
}

/* The maps of one callback are told as one range when it ends. */
static void note_map(struct mw_lock *lock, uint64_t address, size_t count)
{
	uint64_t end = address + count;

	if (!lock->mapped_end || address < lock->mapped_first)
		lock->mapped_first = address;
	if (end > lock->mapped_end)
		lock->mapped_end = end;
}

void mw_node_end_maps(struct mw_node *node)
{
	uint64_t first = node->lock->mapped_first, end = node->lock->mapped_end;

	node->lock->mapped_first = node->lock->mapped_end = 0;
	tell_written(node, first, end - first);
}

void *mw_dma_map(struct mw_dma *dma, uint64_t address, size_t count, bool writing)
{
	struct mw_map_part part = plain_memory(dma, address);

	if (!part.entry || !count || part.last - address < count - 1 ||
	    (writing && part.entry->readonly))
		return NULL;
	if (writing)
		note_map(dma->node->lock, address, count);
	return part.entry->host + (address - part.entry->base);
}
