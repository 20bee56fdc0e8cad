/** Profile + chipsets + registry in, plan or diagnostics out. Starts nothing, runs no module code. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/registry.h"

struct mw_resolve_options {
	const char *profile;     /* a name ("microvm", "microvm@1") or a path with / or .yaml */
	const char *const *sets; /* "param=value" */
	size_t set_count;
	const char *const *search; /* folders that hold profiles/ and chipsets/, in order */
	size_t search_count;
	const struct mw_registry *registry;
	/** A required, host-scoped path without a value is taken as given later: its text is `<NAME>`.
	 * For those who look at a machine without running it. */
	bool stand_ins;
};

/** Resolves. True: *out is a new plan (free with mw_plan_destroy), diagnostics may hold warnings.
 * False: *out is NULL and diagnostics hold every error found. Not being able to read the profile is
 * an error with code "" and no span. */
bool mw_resolve(struct mw_plan **out, const struct mw_resolve_options *options,
		struct mw_diagnostics *diagnostics);

#endif
