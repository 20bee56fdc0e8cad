/** Which rules count, and how much: select, ignore and severity, of the command line and the config. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_SELECT_H
#define TOOLS_LINT_SELECT_H

#include "core/diagnostics.h"
#include "tools/lint/config.h"
#include "tools/options.h"

/** What the command line says. A list is NULL where its option was not given; one that was replaces
 * the config's, a severity only its own code's. Zeroes or mw_selection_parse, then _fini. */
struct mw_selection {
	const char *const *select, *const *ignore;
	struct mw_level_row *levels;
	size_t level_count;
	struct mw_arena arena;
};

/** False after a message on `errors`. */
bool mw_selection_parse(struct mw_selection *selection, const struct mw_arguments *arguments,
			FILE *errors);
void mw_selection_fini(struct mw_selection *selection);

/** Takes out what is not selected and changes severities. The longest start of a code decides; at
 * the same length ignore beats select. What mw_rule_is_fixed says stays as it is. */
void mw_selection_apply(const struct mw_selection *selection, const struct mw_config *config,
			struct mw_diagnostics *diagnostics);

/** Keeps the findings for which `keep` says so, and counts anew. */
void mw_findings_filter(struct mw_diagnostics *diagnostics,
			bool (*keep)(void *self, const struct mw_diag *diag), void *self);

#endif
