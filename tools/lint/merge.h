/** Many looks in one report: each finding once, whoever met it. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_MERGE_H
#define TOOLS_LINT_MERGE_H

#include "core/diagnostics.h"

/** The report and what is in it. Initialise with `{ .out = report }`; free with mw_merge_fini. */
struct mw_merge {
	struct mw_diagnostics *out;
	struct mw_diag **seen; /* an open hash table */
	size_t seen_count, seen_room;
	const struct mw_diagnostics *from; /* what is being copied */
	uint32_t *sources;                 /* its sources' numbers in `out` */
};

void mw_merge_fini(struct mw_merge *merge);

/** Says which list mw_merge_has and mw_merge_add take findings of, and adds its files to the report. It
 * gets no more sources until the next call. */
void mw_merge_begin(struct mw_merge *merge, const struct mw_diagnostics *from);
/** Whether the report has this finding: same rule, place and message. */
bool mw_merge_has(const struct mw_merge *merge, const struct mw_diag *diag);
/** Copies a finding with all its texts. NULL when it is there. */
struct mw_diag *mw_merge_add(struct mw_merge *merge, const struct mw_diag *diag);
/** Whether two findings of two lists are the same. */
bool mw_findings_same(const struct mw_diagnostics *left, const struct mw_diag *a,
		      const struct mw_diagnostics *right, const struct mw_diag *b);

#endif
