/** Fixes: the byte edits that would mend a finding, made so that commas and comments stay right. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_FIXES_H
#define RESOLVER_FIXES_H

#include "resolver/tree.h"

/* Each adds one edit to the finding's fix, or nothing where the file does not hold verbatim what the
 * edit is about: an expression made the value, an escape is in it, it came from the command line. */

/** Replaces the word `wrong`, which is the text under the finding's span or a part of it between
 * other than word characters, with `right`. */
void mw_fix_word(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, const char *wrong, const char *right);
/** Replaces a scalar's text, quotes and all, with `text`, which must be a plain scalar anywhere. */
void mw_fix_value(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_fix_safety safety, const struct mw_tree *scalar, const char *text);
/** Takes `entry` out of its map: in block style its lines, in flow style one comma with it. Of a map
 * that would be left without an entry `{}` stays. */
void mw_fix_remove(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		   enum mw_fix_safety safety, const struct mw_tree *entry);
/** Adds `key: value` to the map that `sibling` is an entry of, behind it. */
void mw_fix_beside(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		   enum mw_fix_safety safety, const struct mw_tree *sibling, const char *key,
		   const char *value);
/** Adds `key: value` to a map: behind the last entry that the first of its files has, or into a pair
 * of empty braces. */
void mw_fix_into(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		 enum mw_fix_safety safety, const struct mw_tree *map, const char *key,
		 const char *value);
/** Puts quotes round the bytes of a span; not where it holds quotes or a backslash itself. */
void mw_fix_quote(struct mw_diagnostics *diagnostics, struct mw_diag *diag,
		  enum mw_fix_safety safety, struct mw_span span);

/** S107: a decimal number that stands for a size, written without a unit; 0 needs none. */
void mw_bare_size(struct mw_diagnostics *diagnostics, const struct mw_tree *scalar);

/** The bytes under a span, not ended by NUL; NULL when they are not of a file. */
const char *mw_fix_text(const struct mw_diagnostics *diagnostics, struct mw_span span);

#endif
