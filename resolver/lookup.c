/* Open addressing with linear probing; FNV-1a as the hash. */
// SPDX-License-Identifier: MIT
#include "resolver/lookup.h"

#include <stdint.h>
#include <string.h>

struct mw_lookup_slot {
	const char *name;
	void *object;
	uint32_t hash;
};

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static struct mw_lookup_slot *probe(const struct mw_lookup *lookup, const char *name, uint32_t hash)
{
	size_t at = hash & (lookup->capacity - 1);

	while (lookup->slots[at].name &&
	       (lookup->slots[at].hash != hash || strcmp(lookup->slots[at].name, name) != 0))
		at = (at + 1) & (lookup->capacity - 1);
	return &lookup->slots[at];
}

static void grow(struct mw_lookup *lookup, struct mw_arena *arena)
{
	struct mw_lookup old = *lookup;

	lookup->capacity = old.capacity ? old.capacity * 2 : 64;
	lookup->slots = mw_arena_alloc(arena, lookup->capacity, sizeof(*lookup->slots));
	for (size_t i = 0; i < old.capacity; i++) {
		if (old.slots[i].name)
			*probe(lookup, old.slots[i].name, old.slots[i].hash) = old.slots[i];
	}
}

void *mw_lookup_add(struct mw_lookup *lookup, struct mw_arena *arena, const char *name,
		    void *object)
{
	if (lookup->count * 2 >= lookup->capacity)
		grow(lookup, arena);
	uint32_t hash = hash_of(name);
	struct mw_lookup_slot *slot = probe(lookup, name, hash);

	if (slot->name)
		return slot->object;
	*slot = (struct mw_lookup_slot){ name, object, hash };
	lookup->count++;
	return NULL;
}

void *mw_lookup_find(const struct mw_lookup *lookup, const char *name)
{
	if (!lookup->count)
		return NULL;
	return probe(lookup, name, hash_of(name))->object;
}
