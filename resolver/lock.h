/** Lock files (lock/1): the places that `auto` once got, so that nothing moves later. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_LOCK_H
#define RESOLVER_LOCK_H

#include "resolver/draft.h"
#include "resolver/shape.h"

/** AT is an address on a bus. In this order the places of a node stand in the file. */
enum mw_lock_kind { MW_LOCK_AT, MW_LOCK_IO, MW_LOCK_MMIO, MW_LOCK_IRQ, MW_LOCK_DMA, MW_LOCK_KINDS };

/** One place: a line of the file. */
struct mw_lock_place {
	const char *key;   /* "NODE.KIND.CLAIM", or "NODE.at" */
	const char *node;  /* its id */
	const char *claim; /* the claim, with ":N" for one of several; NULL for AT */
	enum mw_lock_kind kind;
	struct mw_tree *tree; /* its value in the file */
	const char *
		where; /* AT: bus; IRQ: domain; MMIO: the window that `base` counts from, or NULL */
	const char *address;   /* AT */
	uint64_t base, length; /* IO, MMIO; for IRQ and DMA `base` is the line or channel */
	bool gone;             /* the file says that nothing has it now; its place is kept */
	bool taken;            /* a claim of this run has it */
};

/** A lock file as read. Lives in the draft's arena. */
struct mw_lock {
	const char *path;
	struct mw_tree *root;
	const char *hash;             /* ABI hash, 64 hexadecimal digits */
	struct mw_lock_place *places; /* in the order of the file */
	size_t count;
	struct mw_lookup by_key;
};

extern const struct mw_shape mw_lock_shape;

/** NAME.lock.yaml beside a profile's file NAME.yaml. */
const char *mw_lock_path(struct mw_arena *arena, const char *profile);

/** What the line of a claim, or (NULL) of a node's address, is called. */
const char *mw_lock_key(struct mw_arena *arena, const struct mw_draft_node *node,
			const struct mw_draft_claim *claim);
/** The plan's ABI hash in hexadecimal digits. */
void mw_lock_hash(const struct mw_plan *plan, char hash[65]);

/** Reads the lock that the options name, or the one beside the profile, into draft->lock. What is
 * wrong with it is diagnosed there and left out. */
void mw_lock_read(struct mw_draft *draft);

/** What is kept for a claim that says `auto` (NULL `claim`: for the node's address), or NULL. Marks it
 * as taken. */
const struct mw_lock_place *mw_lock_take(struct mw_draft *draft, const struct mw_draft_node *node,
					 const struct mw_draft_claim *claim);
/** Calls for every place of a kind that no claim of this run has taken: their room stays free. */
void mw_lock_each_kept(struct mw_draft *draft, enum mw_lock_kind kind,
		       void (*call)(void *context, const struct mw_lock_place *place),
		       void *context);

/** R309 at what says `auto`, with a note at the lock's line: `reason` goes behind "`x` is locked at
 * PLACE". */
struct mw_diag *mw_lock_drift(struct mw_draft *draft, struct mw_draft_node *node,
			      const struct mw_draft_claim *claim, const struct mw_lock_place *place,
			      const char *reason, ...) __attribute__((format(printf, 5, 6)));
/** After emit: a hint where the machine is another one than was locked though nothing moved. */
void mw_lock_compare(struct mw_draft *draft);

/** The text of a lock for what was resolved: kept places of the present lock stay in it. The caller
 * frees it. *places and *gone count its lines. NULL, with a diagnostic, when it would be too long to
 * be read again. */
char *mw_lock_write(struct mw_draft *draft, size_t *places, size_t *gone);

/** How a lock (or none) fits what was resolved. */
struct mw_lock_state {
	size_t lacking; /* places of `auto` that it does not have */
	size_t stale;   /* places of what is not there, and it does not say so */
	const char *first_lacking, *first_stale;
	bool changed; /* the guest's view is another one */
};
void mw_lock_state(struct mw_draft *draft, struct mw_lock_state *state);

#endif
