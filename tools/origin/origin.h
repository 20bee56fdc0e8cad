/** Places and values of a study, for those who tell where something comes from. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_ORIGIN_ORIGIN_H
#define TOOLS_ORIGIN_ORIGIN_H

#include "resolver/study.h"

/** A place for reading; `file` is NULL for "no place". Lines and columns count from 1. */
struct mw_origin {
	const char *file;
	unsigned line, column;
};
struct mw_origin mw_origin_of(struct mw_diagnostics *diagnostics, struct mw_span span);
/** "FILE:LINE", or with `column` "FILE:LINE:COLUMN"; "--set" for what the command line gave. In the
 * arena. */
const char *mw_origin_text(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			   struct mw_span span, bool column);

/** A value as one line of YAML in flow style, cut after about `most` bytes; in the arena. */
const char *mw_origin_value(struct mw_arena *arena, const struct mw_tree *tree, size_t most);

/** The claim that a value asks for, or NULL; `tree` is of the evaluated document. */
const struct mw_draft_claim *mw_origin_claim(const struct mw_draft *draft,
					     const struct mw_tree *tree);
/** "0xfec00000+0x1000", "gsi:9", "2": where a placed claim is; NULL for one without a place. */
const char *mw_origin_place(struct mw_arena *arena, const struct mw_draft_claim *claim);
/** The node whose `at` this value is and that has an address of the allocator's, or NULL. */
const struct mw_draft_node *mw_origin_address(const struct mw_draft *draft,
					      const struct mw_tree *tree);

#endif
