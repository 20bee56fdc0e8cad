/** The scanner's state; private to tools/fmt/. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_FMT_SCAN_H
#define TOOLS_FMT_SCAN_H

#include <stdio.h>

#include "tools/fmt/lines.h"

enum { FMT_DEPTH = 80 };

/** A map or list in block style that is open. */
struct fmt_block {
	unsigned column, out;
	bool list;
	uint32_t id;
};

struct fmt_scan {
	struct fmt_page *page;
	const char *text;
	size_t length, at;
	unsigned column; /* of `at`, in code points */
	struct fmt_block blocks[FMT_DEPTH];
	unsigned depth;
	uint32_t ids;
	size_t pending; /* the first comment line whose indent is not known yet */
	bool line_done; /* the entry took its last line's end as well */
};

/** Bytes at the place, or NUL beyond the end. */
char fmt_peek(const struct fmt_scan *scan, size_t ahead);
bool fmt_is_blank(char byte);
/** A blank, a line's end or the text's. */
bool fmt_ends_word(char byte);
void fmt_advance(struct fmt_scan *scan, size_t count);
/** Skips blanks; returns how many. */
unsigned fmt_skip_blanks(struct fmt_scan *scan);
bool fmt_at_line_end(const struct fmt_scan *scan);
/** Steps over the line's end. */
void fmt_next_line(struct fmt_scan *scan);
/** Blanks at the start of the line that begins at the place. */
unsigned fmt_indentation(const struct fmt_scan *scan);
/** What is at the place cannot be formatted. */
void fmt_refuse(struct fmt_scan *scan, const char *why);

/** Adds a line and returns its number. */
size_t fmt_add_line(struct fmt_scan *scan, enum fmt_kind kind);
/** Takes the comment at the place, if there is one, into a line. */
void fmt_take_comment(struct fmt_scan *scan, size_t line);

/** The place behind a quoted text that starts here, or the text's end. Does not step there. */
size_t fmt_quoted_end(const struct fmt_scan *scan);
/** A plain text in this line: its length without blanks at the end. */
size_t fmt_plain_length(const struct fmt_scan *scan, bool flow);
/** Quotes and all, a quoted text of one line in the usual quotes. */
struct fmt_piece fmt_usual_quotes(struct fmt_scan *scan, struct fmt_piece quoted);

/** The value of an entry at the place: a text in block style (`|`, `>`), a quoted or a plain one. All
 * leave the place behind it and put the rest of it into MORE lines. */
void fmt_block_text(struct fmt_scan *scan, size_t line);
void fmt_quoted_text(struct fmt_scan *scan, size_t line);
void fmt_plain_text(struct fmt_scan *scan, size_t line);
/** The same for `{` and `[`. `dashes` is how far the entry stands from its line's indent. */
void fmt_flow(struct fmt_scan *scan, size_t line, unsigned dashes);

#endif
