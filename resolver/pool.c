/* Holes of a window under a tree of their largest sizes, so that each request takes log n steps. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/allocate.h"

struct hole {
	uint64_t base, end;
};

/* `tree` is a heap of maxima over the usable lengths of `holes` at the present alignment; what a
 * hole loses to alignment waits in `spare` until the next rebuild. */
struct mw_pool {
	struct mw_arena *arena;
	bool down;
	uint64_t align;
	struct hole *holes, *spare;
	size_t count, spare_count, spare_capacity;
	uint64_t *tree;
	size_t leaves;
};

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static uint64_t usable(const struct hole *hole, uint64_t align)
{
	uint64_t base = align_up(hole->base, align);

	return base < hole->end && base >= hole->base ? hole->end - base : 0;
}

static void add_spare(struct mw_pool *pool, uint64_t base, uint64_t end)
{
	if (base >= end)
		return;
	pool->spare = mw_draft_room(pool->arena, pool->spare, pool->spare_count,
				    &pool->spare_capacity, sizeof(*pool->spare));
	pool->spare[pool->spare_count++] = (struct hole){ base, end };
}

struct mw_pool *mw_pool_create(struct mw_arena *arena, const struct mw_draft_window *window,
			       const struct mw_place *places, size_t count)
{
	struct mw_pool *pool = mw_arena_alloc(arena, 1, sizeof(*pool));
	uint64_t at = window->base, end = window->base + window->length;

	pool->arena = arena;
	pool->down = window->down;
	for (size_t i = 0; i < count && at < end; i++) {
		uint64_t stop = places[i].base < end ? places[i].base : end;

		if (stop > at)
			add_spare(pool, at, stop);
		if (places[i].base + places[i].length > at)
			at = places[i].base + places[i].length;
	}
	add_spare(pool, at, end);
	return pool;
}

static int by_base(const void *a, const void *b)
{
	const struct hole *left = a, *right = b;

	return left->base < right->base ? -1 : left->base > right->base;
}

/* Puts the spare pieces back and measures every hole at a new alignment. */
static void rebuild(struct mw_pool *pool, uint64_t align)
{
	size_t count = 0;
	struct hole *holes =
		mw_arena_alloc(pool->arena, pool->count + pool->spare_count, sizeof(*holes));

	for (size_t i = 0; i < pool->count; i++) {
		if (pool->holes[i].base < pool->holes[i].end)
			holes[count++] = pool->holes[i];
	}
	for (size_t i = 0; i < pool->spare_count; i++)
		holes[count++] = pool->spare[i];
	if (count)
		qsort(holes, count, sizeof(*holes), by_base);
	pool->holes = holes;
	pool->count = count;
	pool->spare_count = 0;
	pool->align = align;
	for (pool->leaves = 1; pool->leaves < count;)
		pool->leaves *= 2;
	pool->tree = mw_arena_alloc(pool->arena, 2 * pool->leaves, sizeof(*pool->tree));
	for (size_t i = 0; i < count; i++)
		pool->tree[pool->leaves + i] = usable(&holes[i], align);
	for (size_t i = pool->leaves - 1; i; i--)
		pool->tree[i] = pool->tree[2 * i] > pool->tree[2 * i + 1] ? pool->tree[2 * i]
									  : pool->tree[2 * i + 1];
}

/* The first hole from the packing side that holds `size`; one exists. */
static size_t find(const struct mw_pool *pool, uint64_t size)
{
	size_t at = 1;

	while (at < pool->leaves) {
		size_t near = 2 * at + pool->down;

		at = pool->tree[near] >= size ? near : near ^ 1;
	}
	return at - pool->leaves;
}

static void measure(struct mw_pool *pool, size_t index)
{
	size_t at = pool->leaves + index;

	pool->tree[at] = usable(&pool->holes[index], pool->align);
	for (at /= 2; at; at /= 2)
		pool->tree[at] = pool->tree[2 * at] > pool->tree[2 * at + 1]
					 ? pool->tree[2 * at]
					 : pool->tree[2 * at + 1];
}

bool mw_pool_take(struct mw_pool *pool, uint64_t size, uint64_t align, uint64_t *base,
		  uint64_t *largest)
{
	if (align != pool->align || (pool->tree[1] < size && pool->spare_count))
		rebuild(pool, align);
	*largest = pool->tree[1];
	if (pool->tree[1] < size)
		return false;
	size_t index = find(pool, size);
	struct hole *hole = &pool->holes[index];

	if (pool->down) {
		*base = (hole->end - size) & ~(align - 1);
		add_spare(pool, *base + size, hole->end);
		hole->end = *base;
	} else {
		*base = align_up(hole->base, align);
		add_spare(pool, hole->base, *base);
		hole->base = *base + size;
	}
	measure(pool, index);
	return true;
}
