/** Text from anywhere, measured in columns and written so that it steers nothing. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DRAW_TEXT_H
#define TOOLS_DRAW_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/alloc.h"

/** Decodes the character that `text` (not "") begins with and returns its bytes. What is no UTF-8 and
 * what could steer a terminal or is no character of XML 1.0 becomes U+FFFD. */
size_t mw_draw_decode(const char *text, uint32_t *point);

/** Columns in a monospaced font: wide characters (UAX 11) take two, combining marks none. */
unsigned mw_draw_columns(const char *text);

/** The text, or as much of its two ends as fits into `columns` with "…" between. In the arena. */
const char *mw_draw_cut(struct mw_arena *arena, const char *text, unsigned columns);

/** How a character is written where the text goes. */
enum mw_draw_escape {
	MW_ESCAPE_NONE,
	MW_ESCAPE_XML,    /* character data and attributes in double quotes */
	MW_ESCAPE_DOT,    /* inside a quoted string of DOT */
	MW_ESCAPE_MERMAID /* inside a quoted label of Mermaid */
};
void mw_draw_put(FILE *out, enum mw_draw_escape escape, const char *text);

#endif
