/** The baseline: findings that were there before, and are not told again. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_BASELINE_H
#define TOOLS_LINT_BASELINE_H

#include "core/diagnostics.h"
#include "resolver/shape.h"

#define MW_BASELINE_NAME ".millwright-baseline.yaml"

/** What a file may say: the table of keys that it is read by. */
extern const struct mw_shape mw_baseline_shape;

/** One known finding, as often as it was met. Rule, file, node and message are what it is known by: it
 * stays known when lines move. */
struct mw_known {
	const char *code, *file, *node,
		*message; /* `file` from the baseline's folder; node may be "" */
	unsigned long count, met;
	uint64_t hash;
};

/** Zeroes and mw_baseline_read, or filled by mw_baseline_take; freed by mw_baseline_fini. */
struct mw_baseline {
	const char *folder; /* absolute */
	struct mw_known *items;
	size_t count, room;
	struct mw_arena arena;
};

/** Reads a file. False: what is wrong with it is in `diagnostics`. */
bool mw_baseline_read(struct mw_baseline *baseline, const char *path,
		      struct mw_diagnostics *diagnostics);
void mw_baseline_fini(struct mw_baseline *baseline);

/** Hides what is known (MW_DIAG_BASELINE) and counts in `met` how often. Nothing hides what
 * mw_rule_is_fixed says. */
void mw_baseline_apply(struct mw_baseline *baseline, struct mw_diagnostics *diagnostics);
/** Makes the baseline hold just what is shown; returns how many of those it cannot take. */
size_t mw_baseline_take(struct mw_baseline *baseline, const char *path,
			struct mw_diagnostics *diagnostics);
/** Lowers counts to what was met, for the files that are sources of `diagnostics`, and drops what is
 * 0; returns how many findings that took out. Call after mw_baseline_apply. */
size_t mw_baseline_prune(struct mw_baseline *baseline, const struct mw_diagnostics *diagnostics);
/** How many that would be. */
size_t mw_baseline_stale(const struct mw_baseline *baseline,
			 const struct mw_diagnostics *diagnostics);

/** The file's text, sorted, always the same for the same findings. New (free()). */
char *mw_baseline_text(struct mw_baseline *baseline, size_t *length);

#endif
