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
};

/** Byte offset of a libyaml mark. Amortised O(1), as marks hardly ever move back. */
size_t mw_reader_byte(struct mw_reader *reader, const yaml_mark_t *mark);
struct mw_span mw_reader_span(const struct mw_reader *reader, size_t from, size_t to);

/** Says what libyaml could not read, and how to write it. */
void mw_reader_explain(struct mw_reader *reader);
/** Finds what would have been an error or a trap before libyaml sees it: bytes that are no text,
 * a file too large, a directive. */
bool mw_reader_check_bytes(struct mw_reader *reader);

#endif
