/** Read: YAML text to a tree, with hard limits and every trap of the language closed. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_READ_H
#define RESOLVER_READ_H

#include "resolver/tree.h"

enum {
	MW_READ_DEPTH = 32,
	MW_READ_BYTES = 4 * 1024 * 1024,
	MW_READ_NODES = 250000,
};

/** Reads one document whose root is a map. Adds `text` as a source under `name`. Anchors, tags,
 * duplicate keys and the like are diagnostics, and the value they spoil has `failed` set, as have
 * the maps and lists round it. `x-` keys are left out. NULL when there is no tree to work on. */
struct mw_tree *mw_read(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			const char *name, const char *text, size_t length);

/** The same within other limits: what a machine is written down as is longer than what it is made
 * from. */
struct mw_read_limits {
	size_t bytes;
	unsigned values;
};
struct mw_tree *mw_read_within(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
			       const char *name, const char *text, size_t length,
			       const struct mw_read_limits *limits);

/** True for valid UTF-8 without control characters other than tab and line ends; else *bad is the
 * offset of the first byte that is wrong. */
bool mw_read_is_text(const char *text, size_t length, size_t *bad);

#endif
