/** A text cut into lines that can be laid out anew; private to tools/fmt/. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_FMT_LINES_H
#define TOOLS_FMT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

/** A piece of text, not ended by NUL. */
struct fmt_piece {
	const char *text;
	size_t length;
};

/** CONTENT begins an entry, MORE goes on with the one before (a flow or a text over several lines). */
enum fmt_kind { FMT_BLANK, FMT_COMMENT, FMT_CONTENT, FMT_MORE };

/** Where a MORE line starts: so far from the entry's indent, or from the column of its value. */
struct fmt_anchor {
	bool value;
	unsigned offset;
};

/** An element of a flow map in one line, after the first. Columns count from the brace. */
struct fmt_item {
	size_t offset; /* into the line's value */
	unsigned column, source_column, source_gap;
	unsigned pad; /* layout: blanks to add before it */
};

struct fmt_line {
	enum fmt_kind kind;
	struct fmt_piece head, value, comment;
	unsigned indent; /* of an entry or a comment */
	struct fmt_anchor anchor;
	uint32_t block; /* which map or list the entry belongs to, from 1 */
	bool key;       /* the head ends with a key that has a value in the same line */
	bool flow;      /* that value is a map or list in braces or brackets */
	bool whole;     /* that value ends in this line */
	bool exact;     /* MORE: an empty line of a text, which may not go */
	bool continues; /* COMMENT: stands under the one at the end of the line before */
	unsigned value_column, value_gap, comment_column; /* in the source, from 0 */
	struct fmt_item *items;
	size_t item_count;
	unsigned value_out, comment_out; /* layout: columns */
};

struct fmt_page {
	struct mw_arena arena;
	struct fmt_line *lines;
	size_t count, capacity;
	const char *trouble; /* why this cannot be formatted, or NULL */
	size_t trouble_at;   /* byte */
};

/** Cuts a text up. The page borrows it. */
void fmt_scan(struct fmt_page *page, const char *text, size_t length);
/** Chooses the columns. */
void fmt_layout(struct fmt_page *page);
/** The laid-out text, a new string. */
char *fmt_write(const struct fmt_page *page, size_t *length);
void fmt_page_fini(struct fmt_page *page);

/** Code points. */
unsigned fmt_width(const char *text, size_t length);

#endif
