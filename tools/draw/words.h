/** A plan's parts in words, the same in every picture, table and message. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DRAW_WORDS_H
#define TOOLS_DRAW_WORDS_H

#include "core/plan.h"

/** "64KiB", or the number where it is no multiple of a unit. In the arena, as all here. */
const char *mw_words_size(struct mw_arena *arena, uint64_t bytes);
/** "0x3f8+8" for ports, "0xfec00000+1KiB" for memory. */
const char *mw_words_range(struct mw_arena *arena, enum mw_claim_kind kind, uint64_t base,
			   uint64_t length);
/** "isa:4", or "pic.pin:3" for a line that is wired by hand. */
const char *mw_words_net(struct mw_arena *arena, const struct mw_plan *plan, uint32_t net);
/** "com1.port", with ":2" where the wire has several elements. */
const char *mw_words_end(struct mw_arena *arena, const struct mw_plan *plan, uint32_t node,
			 const struct mw_wire *wire, uint32_t index);
/** The claim's name, left out (NULL) where the node has one claim of the kind; with ":2" for one of
 * several lines. */
const char *mw_words_claim_name(struct mw_arena *arena, const struct mw_plan_node *node,
				const struct mw_plan_claim *claim);
/** The whole claim: "io data 0x60+1", "irq isa:4", "dma 2". */
const char *mw_words_claim(struct mw_arena *arena, const struct mw_plan *plan,
			   const struct mw_plan_node *node, const struct mw_plan_claim *claim);
/** What profiles call the kind: io, mmio, irq, dma, msi. */
const char *mw_words_kind(enum mw_claim_kind kind);
/** "sys" or the id of the bus the node sits on, with its address. NULL for a backend. */
const char *mw_words_place(struct mw_arena *arena, const struct mw_plan_node *node);
/** What a backend leads to: "stdio", "file console.log". */
const char *mw_words_backend(struct mw_arena *arena, const struct mw_plan_node *node);

#endif
