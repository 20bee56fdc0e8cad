/** The index of a source that printing works with; private to core/diagnostics*.c. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DIAGNOSTICS_INTERNAL_H
#define CORE_DIAGNOSTICS_INTERNAL_H

#include "core/diagnostics.h"

enum { MW_INDEX_STEP = 512 };

struct mw_source_index {
	size_t line_count;
	uint32_t *lines;       /* byte offset of each line */
	uint32_t *code_points; /* before byte i * MW_INDEX_STEP */
};

void mw_source_make_index(struct mw_diagnostics *diagnostics, struct mw_source *source);
/** The number (from 0) of the line that holds the byte; needs the index. */
size_t mw_source_line(const struct mw_source *source, size_t byte);

/** A position for output. */
struct mw_place {
	const char *file;
	unsigned line, column;
	size_t byte;
};
struct mw_place mw_span_place(struct mw_diagnostics *diagnostics, struct mw_span span, size_t byte);

/** Returns the length of the code point at `text`; 1 and *point = 0xfffd for a stray byte. */
size_t mw_utf8_decode(const char *text, size_t length, uint32_t *point);

void mw_diagnostics_print_json(struct mw_diagnostics *diagnostics, FILE *out);
const char *mw_severity_name(enum mw_severity severity);

#endif
