/** The comments of a file: libyaml drops them, and only its scanner knows which `#` begins one. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_READ_COMMENTS_H
#define RESOLVER_READ_COMMENTS_H

#include "core/diagnostics.h"

/** From `#` to the end of its line. */
struct mw_comment {
	uint32_t byte, length;
	bool alone;    /* nothing else stands in its line */
	bool top;      /* before the file's first key */
	uint32_t next; /* where the content that follows it starts; the file's length at its end */
};

/** In file order; in the arena of the diagnostics. */
struct mw_comments {
	struct mw_comment *items;
	size_t count;
};

/** The comments of a source that hold `word`. Linear; stops where libyaml cannot read on. Comments
 * behind the `|` or `>` of a block are not found. */
struct mw_comments mw_read_comments(struct mw_diagnostics *diagnostics, uint32_t source,
				    const char *word);

#endif
