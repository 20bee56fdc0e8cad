/** What each rule is about, with an example of a mistake and of its cure: rules/CODE.txt, built in. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_EXPLAIN_EXPLAIN_H
#define TOOLS_EXPLAIN_EXPLAIN_H

#include <stdio.h>

/** One file of rules/; see README.md for its form. */
struct mw_explanation {
	const char *code, *text;
};

/** By code, ended by a row without one. Generated at build time. */
extern const struct mw_explanation mw_explanations[];

/** Prints everything about one rule, by code (any case) or name. Returns an exit code: usage when
 * there is none, and then the complaint, with what was probably meant, is on standard error. */
int mw_explain(const char *code, FILE *out);

#endif
