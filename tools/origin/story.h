/** The story of one value; private to tools/origin/. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_ORIGIN_STORY_H
#define TOOLS_ORIGIN_STORY_H

#include "tools/origin/origin.h"

/** One thing that happened to it. `span` may have no source. */
struct story_step {
	const char *text;
	struct mw_span span;
};

/** Initialise with the study; free with story_fini. */
struct story {
	struct mw_arena arena;
	struct mw_study *study;
	struct mw_diagnostics *diagnostics;
	const char *name;  /* as asked for */
	const char *value; /* what it is in the end; NULL: nothing */
	struct story_step *steps;
	size_t count, capacity;
	const char *trouble; /* why there is none, with `hint` for what was meant, or NULL */
	const char *hint;
};

/** Finds "NODE.KEY...", "params.NAME" or "SECTION.KEY..." and tells its story. */
void story_tell(struct story *story, const char *name);
void story_fini(struct story *story);

void story_add(struct story *story, struct mw_span span, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** What the allocator, the lock file and the interrupt domains did to a claim. */
void story_claim(struct story *story, const struct mw_draft_claim *claim);

#endif
