/** The index of a source that printing works with; private to core/diagnostics*.c. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DIAGNOSTICS_INTERNAL_H
#define CORE_DIAGNOSTICS_INTERNAL_H

#include "core/diagnostics.h"
#include "core/text.h"

enum { MW_INDEX_STEP = 512 };

struct mw_source_index {
	size_t line_count;
	uint32_t *lines;       /* byte offset of each line */
	uint32_t *code_points; /* before byte i * MW_INDEX_STEP */
};

/** The number (from 0) of the line that holds the byte; needs the index. */
size_t mw_source_line(const struct mw_source *source, size_t byte);

/** A position for output. */
struct mw_place {
	const char *file;
	unsigned line, column;
	size_t byte;
};
struct mw_place mw_span_place(struct mw_diagnostics *diagnostics, struct mw_span span, size_t byte);

/** The source of a span, indexed, or NULL for a span without a place. */
struct mw_source *mw_diag_source(struct mw_diagnostics *diagnostics, struct mw_span span);

/** Writes an excerpt of a source (or, with `out` NULL, measures it) and returns its width. */
unsigned mw_diag_put_excerpt(FILE *out, const char *text, size_t length);
/** Writes a text with everything that could steer a terminal escaped. */
void mw_diag_put_text(FILE *out, const char *text);

/** A line that a fix would make (or take away), borrowed from mw_diag_lines. */
struct mw_diag_line {
	const char *text;
	size_t length;
	bool removed, cut;     /* "cut": it goes on */
	struct mw_place place; /* of the first line of another place; else file is NULL */
};

/** What a fix would make of the lines it touches. Both arrays are the caller's to free. */
struct mw_diag_lines {
	char *text;
	struct mw_diag_line *items;
	size_t count;
	bool more; /* there are further lines, not listed */
};
void mw_diag_fix_lines(struct mw_diagnostics *diagnostics, const struct mw_diag *diag,
		       struct mw_diag_lines *lines);

/** A writer of compact JSON: members separated by themselves. `{ .out = out }`. */
struct mw_diag_json {
	FILE *out;
	bool more; /* a comma is due */
};
/** Opens with '{' or '['. `key` is NULL inside arrays and at the top, here and below. */
void mw_diag_json_open(struct mw_diag_json *json, const char *key, char bracket);
/** Closes with '}' or ']'. */
void mw_diag_json_close(struct mw_diag_json *json, char bracket);
/** NULL writes null. Bytes that are not UTF-8 become U+FFFD. */
void mw_diag_json_string(struct mw_diag_json *json, const char *key, const char *text);
void mw_diag_json_number(struct mw_diag_json *json, const char *key, size_t number);
void mw_diag_json_bool(struct mw_diag_json *json, const char *key, bool value);

/** One format each, of a sorted list. */
void mw_diag_print_text(struct mw_diagnostics *diagnostics, FILE *out, bool full, bool colour);
void mw_diag_print_json(struct mw_diagnostics *diagnostics, FILE *out, bool lines);
void mw_diag_print_sarif(struct mw_diagnostics *diagnostics, FILE *out);
void mw_diag_print_github(struct mw_diagnostics *diagnostics, FILE *out);
void mw_diag_print_junit(struct mw_diagnostics *diagnostics, FILE *out);

/** Message, notes and help as one text, a line each. The caller frees it. */
char *mw_diag_story(const struct mw_diag *diag);
const char *mw_severity_name(enum mw_severity severity);

#endif
