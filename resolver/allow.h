/** Suppressions: `# lint: allow CODE -- reason` in a file, and its key `lint: {allow: {CODE: reason}}`. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_ALLOW_H
#define RESOLVER_ALLOW_H

#include "resolver/study.h"

/** WARNINGS: hides warnings and hints only and adds no S109, for those who go on with the plan. ALL:
 * errors too, and S109 for directives that are wrong, have no reason, or hide nothing. */
enum mw_allow_mode { MW_ALLOW_WARNINGS, MW_ALLOW_ALL };

/** Hides the findings of one study that its files allow (mw_diag_hide, MW_DIAG_ALLOWED). Call it once,
 * after mw_study_open and before sorting or printing; the list holds that study's findings.
 *
 * A comment at a line's end speaks for that line. One on its own line speaks for the entry below it,
 * with everything indented under that; before the first key, for the whole file. What counts is where
 * a finding's own caret starts. The key `lint` speaks for its file and those it extends; that of the
 * profile or an overlay for everything. Codes are whole or the start of one (`R3`). Whether a
 * directive hides nothing is told only of the profile and its overlays, and only when every phase has
 * run. */
void mw_allow_apply(struct mw_diagnostics *diagnostics, const struct mw_study *study,
		    enum mw_allow_mode mode);

/** Findings that nothing may hide or ignore: Y*, R301, R302, A501, and trouble without a code. */
bool mw_rule_is_fixed(const char *code);

#endif
