/* Host memory as the executor has it: what the map shows, told by its differences. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

/* Whole pages only: what is left of one, beside an overlay, stays with mw_memory_read and -write. */
static bool pages_of(const struct mw_map_entry *entry, const struct mw_map_piece *piece,
		     struct mw_mapped *out)
{
	const uint64_t in_page = MW_PAGE_BYTES - 1;
	uint64_t head = -piece->base & in_page, bytes = piece->last - piece->base;

	if (!entry->host || bytes < head)
		return false;
	bytes = (bytes - head + 1) & ~in_page;
	*out = (struct mw_mapped){ .base = piece->base + head,
				   .length = bytes,
				   .host = entry->host + (piece->base + head - entry->base),
				   .readonly = entry->readonly };
	return bytes != 0;
}

static struct mw_mapped *wanted(const struct mw_map *map, size_t *count)
{
	struct mw_mapped *ranges = mw_alloc(map->piece_count, sizeof(*ranges));

	*count = 0;
	for (size_t i = 0; i < map->piece_count; i++)
		*count += pages_of(&map->entries[map->pieces[i].entry], &map->pieces[i],
				   &ranges[*count]);
	return ranges;
}

static bool same(const struct mw_mapped *a, const struct mw_mapped *b)
{
	return a->base == b->base && a->length == b->length && a->host == b->host &&
	       a->readonly == b->readonly;
}

static bool has(const struct mw_mapped *ranges, size_t count, const struct mw_mapped *range)
{
	size_t low = 0, high = count; /* ascending by base */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].base < range->base)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && same(&ranges[low], range);
}

enum mw_status mw_machine_map_all(struct mw_machine *machine)
{
	const struct mw_executor *executor = &machine->executor;
	enum mw_status status = MW_STATUS_OK;
	bool first = !machine->mapped;
	size_t count;

	if (!executor->ops)
		return status;
	struct mw_mapped *next = wanted(atomic_load(&machine->memory.map), &count);

	for (size_t i = 0; i < machine->mapped_count && status == MW_STATUS_OK; i++) {
		const struct mw_mapped *range = &machine->mapped[i];

		if (!has(next, count, range))
			status = executor->ops->unmap(executor->self, range->base, range->length);
	}
	for (size_t i = 0; i < count && status == MW_STATUS_OK; i++) {
		if (!has(machine->mapped, machine->mapped_count, &next[i]))
			status = executor->ops->map(executor->self, next[i].base, next[i].length,
						    next[i].host, next[i].readonly);
		/* Where a guest puts it the executor may have something of its own; the machine still answers. */
		if (status == MW_STATUS_INVALID && !first)
			status = MW_STATUS_OK;
	}
	free(machine->mapped);
	machine->mapped = next;
	machine->mapped_count = count;
	return status;
}
