/** A resolve run kept open: the composed document, its parameters and the draft, for those who ask
 * where a value comes from (cat, why, the language server, the lint rules). */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_STUDY_H
#define RESOLVER_STUDY_H

#include "resolver/draft.h"
#include "resolver/files.h"
#include "resolver/resolver.h"

/** Opened by mw_study_open, freed by mw_study_close; one thread. Everything in it lives as long, the
 * options and the diagnostics must live longer. */
struct mw_study {
	struct mw_arena arena;
	struct mw_document document;
	struct mw_draft draft;  /* nodes, nets and claims: also of a profile with errors */
	struct mw_plan *plan;   /* NULL when there were errors; the study's until taken */
	struct mw_tree *merged; /* composed, before parameters and `when`; NULL: unreadable */
	bool loaded;            /* the front half got through; else only `merged` may be there */
};

/** Never NULL. Diagnostics as for mw_resolve. */
struct mw_study *mw_study_open(const struct mw_resolve_options *options,
			       struct mw_diagnostics *diagnostics);
void mw_study_close(struct mw_study *study);

/** The plan, now the caller's (mw_plan_destroy); NULL when there were errors. */
struct mw_plan *mw_study_take(struct mw_study *study);

#endif
