/** Profile + chipsets + registry in, plan or diagnostics out. Starts nothing, runs no module code. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/registry.h"

/** A file's text that is not yet on the disk, as an editor holds it. Borrowed. */
struct mw_resolve_text {
	const char *path; /* as opened: what realpath gives, or the same spelling */
	const char *text;
	size_t length;
};

struct mw_resolve_options {
	const char *profile;     /* a name ("microvm", "microvm@1") or a path with / or .yaml */
	const char *const *sets; /* "param=value" */
	size_t set_count;
	const char *const *overlays; /* `-o`: overlay/1 files by name or path, in order */
	size_t overlay_count;
	const char *const *search; /* folders that hold profiles/ and chipsets/, in order */
	size_t search_count;
	const struct mw_registry *registry;
	const struct mw_resolve_text *texts; /* instead of what is on the disk */
	size_t text_count;
	/** A lock file; NULL: NAME.lock.yaml beside the profile where there is one; "": none. */
	const char *lock;
	/** A required, host-scoped path without a value is taken as given later: its text is `<NAME>`.
	 * For those who look at a machine without running it. */
	bool stand_ins;
	/** Any file kind with a shape may be the profile: a chipset, an overlay, a part. Its own
	 * shape and expressions are checked, the rules that need a whole machine are not. */
	bool any_format;
	/** The rules that look at files of the host (modes, keys), and those that only advise. */
	bool lint;
	bool allow_deprecated; /* what is past its end of life is a warning, not an error */
};

/** Resolves. True: *out is a new plan (free with mw_plan_destroy), diagnostics may hold warnings.
 * False: *out is NULL and diagnostics hold every error found. Not being able to read the profile is
 * an error with code "" and no span. */
bool mw_resolve(struct mw_plan **out, const struct mw_resolve_options *options,
		struct mw_diagnostics *diagnostics);

#endif
