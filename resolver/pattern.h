/** Patterns: POSIX extended regular expressions for a whole text, in time linear in both. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PATTERN_H
#define RESOLVER_PATTERN_H

#include <stdbool.h>

enum { MW_PATTERN_LONGEST = 200, MW_PATTERN_TEXT_LONGEST = 1024, MW_PATTERN_STEPS = 2048 };

/** What is wrong with a pattern, as the end of "this pattern ..."; NULL when it is good. Written without
 * `{ }` it has at most MW_PATTERN_STEPS steps; back-references and letter escapes are none of it. */
const char *mw_pattern_fault(const char *pattern);

/** Whether a good pattern matches all of a text of at most MW_PATTERN_TEXT_LONGEST bytes. Characters
 * are those of UTF-8. */
bool mw_pattern_matches(const char *pattern, const char *text);

#endif
