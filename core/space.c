/* Maps of ports (two levels of pages) and memory (sorted pieces). */
// SPDX-License-Identifier: MIT
#include "core/space.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/map_pieces.h"

enum { PAGE_PORTS = 256 };

static void paint_ports(struct mw_map *map, uint32_t entry)
{
	const struct mw_map_entry *range = &map->entries[entry];

	for (uint64_t port = range->base; port <= range->last && port < 65536; port++) {
		uint32_t **page = &map->port_pages[port / PAGE_PORTS];

		if (!*page)
			*page = mw_alloc(PAGE_PORTS, sizeof(**page));
		(*page)[port % PAGE_PORTS] = entry + 1;
	}
}

struct mw_map *mw_map_create(const struct mw_map_entry *entries, size_t count, bool ports)
{
	struct mw_map *map = mw_alloc(1, sizeof(*map));

	map->entries = mw_alloc(count, sizeof(*map->entries));
	if (count)
		memcpy(map->entries, entries, count * sizeof(*entries));
	map->count = count;
	for (unsigned layer = MW_LAYER_BAR; layer <= MW_LAYER_MOVED; layer++) {
		/* Entries of the fixed layer are apart, so the many cost nothing where no BAR lies below. */
		bool over = layer != MW_LAYER_FIXED || map->piece_count;

		for (size_t i = 0; i < count; i++) {
			if (map->entries[i].layer != layer)
				continue;
			if (ports)
				paint_ports(map, (uint32_t)i);
			else
				mw_map_paint(map, (uint32_t)i, over);
		}
	}
	mw_map_sort(map);
	return map;
}

void mw_map_destroy(struct mw_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < 256; i++)
		free(map->port_pages[i]);
	free(map->pieces);
	free(map->entries);
	free(map);
}

struct mw_map_part mw_map_look(const struct mw_map *map, uint64_t address)
{
	struct mw_map_part part = { .last = UINT64_MAX };
	size_t low = 0, high = map->piece_count; /* the first piece that does not end below */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && address > map->pieces[low - 1].last)
		part.base = map->pieces[low - 1].last + 1;
	if (low == map->piece_count)
		return part;
	const struct mw_map_piece *piece = &map->pieces[low];

	if (address < piece->base)
		part.last = piece->base - 1;
	else
		part = (struct mw_map_part){ piece->base, piece->last,
					     &map->entries[piece->entry] };
	return part;
}

const struct mw_map_entry *mw_map_find(const struct mw_map *map, uint64_t address)
{
	return mw_map_look(map, address).entry;
}

const struct mw_map_entry *mw_map_find_port(const struct mw_map *map, uint16_t port)
{
	const uint32_t *page = map->port_pages[port / PAGE_PORTS];
	uint32_t entry = page ? page[port % PAGE_PORTS] : 0;

	return entry ? &map->entries[entry - 1] : NULL;
}

void mw_space_init(struct mw_address_space *space, bool ports, _Atomic uint64_t *epoch)
{
	*space = (struct mw_address_space){ .ports = ports, .epoch = epoch };
	atomic_store(&space->map, mw_map_create(NULL, 0, ports));
}

void mw_space_swap(struct mw_address_space *space, struct mw_map *map)
{
	struct mw_map *old = atomic_exchange(&space->map, map);

	/* A reader that shows this epoch or an older one may hold the old map. */
	old->retired_epoch = atomic_fetch_add(space->epoch, 1);
	old->retired = space->retired;
	space->retired = old;
}

void mw_space_reclaim(struct mw_address_space *space, uint64_t oldest_reader)
{
	struct mw_map **link = &space->retired;

	while (*link) {
		struct mw_map *map = *link;

		if (map->retired_epoch < oldest_reader) {
			*link = map->retired;
			mw_map_destroy(map);
		} else {
			link = &map->retired;
		}
	}
}

void mw_space_fini(struct mw_address_space *space)
{
	mw_space_reclaim(space, UINT64_MAX);
	mw_map_destroy(atomic_load(&space->map));
	atomic_store(&space->map, NULL);
}
