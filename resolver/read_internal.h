/** What the reader's files share: the run of one file. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_READ_INTERNAL_H
#define RESOLVER_READ_INTERNAL_H

#include <yaml.h>

#include "resolver/read.h"

struct mw_reader {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_read_limits *limits;
	const char *text; /* without a byte order mark */
	size_t length;
	size_t skipped; /* bytes of the byte order mark */
	uint32_t source;
	yaml_parser_t parser;
	/* libyaml counts characters: the last one whose byte offset is known */
	size_t character, byte;
	struct mw_tree *root;
	struct mw_anchor *anchors; /* the latest first */
	unsigned anchor_count;
};

/** Byte offset of a libyaml mark. Amortised O(1), as marks hardly ever move back. */
size_t mw_reader_byte(struct mw_reader *reader, const yaml_mark_t *mark);
struct mw_span mw_reader_span(const struct mw_reader *reader, size_t from, size_t to);

/** read_anchors.c: takes a tag or an anchor, and the blanks behind it, out of the file. */
void mw_reader_mend_property(struct mw_reader *reader, struct mw_diag *diag, struct mw_span span,
			     enum mw_fix_safety safety);
/** An anchor that was refused; its finding's fix will write the value out where it is used. NULL:
 * there are too many for that. */
struct mw_anchor *mw_reader_anchor(struct mw_reader *reader, struct mw_diag *diag,
				   struct mw_span span, const char *name);
/** The value behind an anchor (NULL: none), read to its end. */
void mw_reader_anchored(struct mw_anchor *anchor, const struct mw_tree *tree);
/** An alias, in place of a key or a value, in a flow collection or not. */
void mw_reader_alias(struct mw_reader *reader, struct mw_span span, const char *name, bool key,
		     bool flow);
/** The fix of a merge key in `map`: the entries of what it merges that `map` does not have. */
void mw_reader_mend_merge(struct mw_reader *reader, struct mw_diag *diag, struct mw_tree *map,
			  const struct mw_tree *merged, bool flow);

/** Says what libyaml could not read, and how to write it. */
void mw_reader_explain(struct mw_reader *reader);
/** Finds what would have been an error or a trap before libyaml sees it: bytes that are no text,
 * a file too large, a directive. */
bool mw_reader_check_bytes(struct mw_reader *reader);

#endif
