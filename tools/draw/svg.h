/** Writes SVG 1.1: one style for all pictures, every text escaped. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DRAW_SVG_H
#define TOOLS_DRAW_SVG_H

#include "tools/draw/text.h"

/* Sizes in pixels; a column is a little more than any usual monospaced font has at 12 pixels. */
enum { MW_SVG_FONT = 12, MW_SVG_LINE = 16, MW_SVG_HUES = 8 };

/** Pixels that so many columns take at most. */
unsigned mw_svg_width(unsigned columns);
/** Of a text. */
unsigned mw_svg_text_width(const char *text);

/** Opens the document; `title` is its name, `summary` what it shows. */
void mw_svg_begin(FILE *out, unsigned width, unsigned height, const char *title,
		  const char *summary);
void mw_svg_end(FILE *out);

/** Classes are our own words (svg.c has their style), never text of others. `x` is the left end, `y`
 * the base line. */
void mw_svg_text(FILE *out, const char *class, long x, long y, const char *text);
void mw_svg_box(FILE *out, const char *class, long x, long y, long width, long height);
/** A straight line, or with another point a line with a corner at (x1, y2). */
void mw_svg_line(FILE *out, const char *class, long x1, long y1, long x2, long y2);
void mw_svg_dot(FILE *out, const char *class, long x, long y);
/** A group: what is in it shows `tip` where the pointer rests (NULL: nothing). `name` is data. */
void mw_svg_open(FILE *out, const char *class, const char *name, const char *tip);
void mw_svg_close(FILE *out);

#endif
