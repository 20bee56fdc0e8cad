/* The pieces of a memory map: what of each entry is seen where others lie over it. */
// SPDX-License-Identifier: MIT
#include "core/map_pieces.h"

#include <stdlib.h>

#include "core/alloc.h"

static int by_base(const void *a, const void *b)
{
	const struct mw_map_piece *one = a, *two = b;

	return one->base < two->base ? -1 : one->base > two->base;
}

static void add_piece(struct mw_map *map, uint64_t base, uint64_t last, uint32_t entry)
{
	if (map->piece_count == map->piece_capacity) {
		map->piece_capacity = map->piece_capacity ? 2 * map->piece_capacity : 16;
		map->pieces = mw_grow(map->pieces, map->piece_capacity, sizeof(*map->pieces));
	}
	map->pieces[map->piece_count++] = (struct mw_map_piece){ base, last, entry };
}

/* Cuts what lies under [base, last] out of the pieces. */
static void cut_pieces(struct mw_map *map, uint64_t base, uint64_t last)
{
	for (size_t i = 0; i < map->piece_count; i++) {
		struct mw_map_piece *piece = &map->pieces[i], old = *piece;

		if (old.last < base || old.base > last)
			continue;
		if (old.base >= base && old.last <= last) {
			*piece = map->pieces[--map->piece_count];
			i--;
		} else if (old.base < base) {
			piece->last = base - 1;
			if (old.last > last)
				add_piece(map, last + 1, old.last, old.entry);
		} else {
			piece->base = last + 1;
		}
	}
}

/* The piece at an address, or NULL and in *last where the gap there ends. */
static const struct mw_map_piece *piece_at(const struct mw_map *map, uint64_t address,
					   uint64_t *last)
{
	for (size_t i = 0; i < map->piece_count; i++) {
		const struct mw_map_piece *piece = &map->pieces[i];

		if (piece->base <= address && piece->last >= address)
			return piece;
		if (piece->base > address && piece->base - 1 < *last)
			*last = piece->base - 1;
	}
	return NULL;
}

/* One that takes writes alone: what lies below is read as before, as an entry of its own. Device regions
 * below keep their reads. */
static struct mw_map_entry write_over(const struct mw_map *map, const struct mw_map_piece *below,
				      const struct mw_map_entry *top, uint64_t base, uint64_t last)
{
	struct mw_map_entry entry = { 0 };

	if (below) {
		const struct mw_map_entry *under = &map->entries[below->entry];

		entry = *under;
		entry.offset += base - under->base;
		if (under->host)
			entry.host += base - under->base;
	}
	entry.base = base;
	entry.last = last;
	entry.write_host = top->host + (base - top->base);
	entry.readonly = true;
	return entry;
}

static void paint_writes(struct mw_map *map, uint32_t index)
{
	struct mw_map_entry top = map->entries[index];
	struct mw_map_piece *seen = NULL;
	size_t count = 0;

	for (uint64_t at = top.base;;) {
		uint64_t last = top.last;
		const struct mw_map_piece *below = piece_at(map, at, &last);

		if (below && below->last < last)
			last = below->last;
		map->entries = mw_grow(map->entries, map->count + 1, sizeof(*map->entries));
		map->entries[map->count] = write_over(map, below, &top, at, last);
		seen = mw_grow(seen, count + 1, sizeof(*seen));
		seen[count++] = (struct mw_map_piece){ at, last, (uint32_t)map->count++ };
		if (last >= top.last)
			break;
		at = last + 1;
	}
	cut_pieces(map, top.base, top.last);
	for (size_t i = 0; i < count; i++)
		add_piece(map, seen[i].base, seen[i].last, seen[i].entry);
	free(seen);
}

void mw_map_paint(struct mw_map *map, uint32_t index, bool over)
{
	const struct mw_map_entry *entry = &map->entries[index];

	if (entry->write_only) {
		paint_writes(map, index);
		return;
	}
	if (over)
		cut_pieces(map, entry->base, entry->last);
	add_piece(map, entry->base, entry->last, index);
}

void mw_map_sort(struct mw_map *map)
{
	if (map->piece_count)
		qsort(map->pieces, map->piece_count, sizeof(*map->pieces), by_base);
}
