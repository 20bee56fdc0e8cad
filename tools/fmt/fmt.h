/** The style of profiles: the same text, laid out; comments and meaning stay. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_FMT_FMT_H
#define TOOLS_FMT_FMT_H

#include <stddef.h>

#include "core/diagnostics.h"

/** WRONG: the text has errors, which are in the diagnostics. BUG: what came out would not mean the
 * same or not stay the same, so it was thrown away. */
enum mw_fmt_result { MW_FMT_DONE, MW_FMT_WRONG, MW_FMT_BUG };

/** Formats a text of the language. *out is a new string (free it), NULL unless DONE. The time is linear
 * in the length. */
enum mw_fmt_result mw_fmt(struct mw_diagnostics *diagnostics, const char *name, const char *text,
			  size_t length, char **out, size_t *out_length);

#endif
