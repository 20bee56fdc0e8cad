/** Names to objects: a hash table that grows, never shrinks, and keeps the first of equal names. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_LOOKUP_H
#define RESOLVER_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/alloc.h"

/** Initialise with zeroes; lives in the arena that mw_lookup_add is given. Names are borrowed. */
struct mw_lookup {
	struct mw_lookup_slot *slots;
	size_t count, capacity; /* capacity: a power of two */
};

/** Returns what already has this name, or NULL after adding. */
void *mw_lookup_add(struct mw_lookup *lookup, struct mw_arena *arena, const char *name,
		    void *object);
/** NULL where there is none. */
void *mw_lookup_find(const struct mw_lookup *lookup, const char *name);

#endif
