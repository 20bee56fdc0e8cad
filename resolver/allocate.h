/** Phase "allocate": overlaps among what is fixed, then places for what says `auto`. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_ALLOCATE_H
#define RESOLVER_ALLOCATE_H

#include "resolver/draft.h"

/** Checks and places every port and memory claim. Sorted sweeps: n log n whatever overlaps. */
void mw_allocate(struct mw_draft *draft);
/** The window that `auto` claims of this kind are placed in, or NULL. */
const struct mw_draft_window *mw_auto_window(const struct mw_draft *draft, enum mw_claim_kind kind);

/** A stretch of a space with its owner. */
struct mw_place {
	uint64_t base, length;
	enum {
		MW_PLACE_RAM,
		MW_PLACE_LAPIC,
		MW_PLACE_PRIVATE,
		MW_PLACE_VTL2,
		MW_PLACE_CLAIM,
		MW_PLACE_KEPT
	} what;
	struct mw_draft_claim *claim;
};

/** pool.c: the free room of one window, given out in the order of the calls. */
struct mw_pool;
/** `places` are what is in use, ascending by base. Lives in the arena. */
struct mw_pool *mw_pool_create(struct mw_arena *arena, const struct mw_draft_window *window,
			       const struct mw_place *places, size_t count);
/** False when there is no room; then *largest is the largest size that would fit. Calls come by
 * falling alignment. */
bool mw_pool_take(struct mw_pool *pool, uint64_t size, uint64_t align, uint64_t *base,
		  uint64_t *largest);

#endif
