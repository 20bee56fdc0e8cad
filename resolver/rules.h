/** Rules that look at what all phases have made: the accelerator, the guest, the host's files. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_RULES_H
#define RESOLVER_RULES_H

#include "resolver/draft.h"

/** Runs them all, behind every phase; `whole`: nothing failed, so what is missing is missing. */
void mw_rules(struct mw_draft *draft, bool whole);

/* Its parts, a file each. */

/** rules_accel.c, with the option `lint`: A501, A503 and A504. Opens nothing: what accelerators can
 * offer is a table. */
void mw_rules_accel(struct mw_draft *draft, bool whole);
/** rules_guest.c: F407; with the option `lint` F403, C704 and P802. */
void mw_rules_guest(struct mw_draft *draft, bool whole);
/** rules_host.c: X602; with the option `lint` X601, and X606 for one file under two names. */
void mw_rules_host(struct mw_draft *draft);
/** rules_mend.c: fixes that need more than the phase had that found the mistake. */
void mw_rules_mend(struct mw_draft *draft);
/** Takes back what would give a key a name that its map has already, or two keys one name. Behind
 * everything, also of a document that did not load. */
void mw_mend_renames(struct mw_document *document);
/** G205: the condition of the bus (`when`) for the node that sits on it, unless it has one. */
void mw_mend_condition(struct mw_draft *draft, struct mw_diag *diag,
		       const struct mw_draft_node *node, struct mw_span when);
/** R303: takes the permission out, and shows where its target lies. */
void mw_mend_overlay(struct mw_draft *draft, struct mw_diag *diag,
		     const struct mw_draft_node *node);
/** R308, A502: another base for the claim that the finding is about. */
void mw_mend_base(struct mw_draft *draft, struct mw_diag *diag, const struct mw_draft_claim *claim,
		  const char *base);

/** rules_guest.c: `arch` and `guests`, whether they name what is known; the first of the phases. */
void mw_targets_read(struct mw_draft *draft);

/** What an accelerator offers at most, on any host, of a word of `need:` (also of `irqchip_kernel`,
 * `irqchip_split`, `irqchip_user` and `clock_instructions`): 0 or 1, or a number; for `isolation` a
 * mask of 1 << its kinds, in the order none, vbs, snp, tdx. False where the table has no such row. */
bool mw_accel_offer(const char *accel, const char *need, uint64_t *most);

#endif
