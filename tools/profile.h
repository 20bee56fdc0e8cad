/** What run, lint and resolve have in common: the registry, the search path, one resolve. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_PROFILE_H
#define TOOLS_PROFILE_H

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/registry.h"
#include "tools/options.h"
#include "tools/search.h"

/** Every device type of this program and every finding so far. On the caller's stack; the plans that
 * come out borrow it. */
struct mw_workshop {
	struct mw_registry registry;
	struct mw_search search;
	struct mw_diagnostics diagnostics;
};

/** False when the built-in types break the contract: a bug of ours, already reported. */
bool mw_workshop_init(struct mw_workshop *workshop);
void mw_workshop_fini(struct mw_workshop *workshop);

/** Resolves a profile with the --set options given. Returns an exit code: failed for findings, usage
 * when the profile itself could not be read; then *out is NULL. `stand_ins` as in resolver.h. */
enum mw_exit mw_workshop_resolve(struct mw_workshop *workshop, struct mw_plan **out,
				 const char *profile, const struct mw_arguments *arguments,
				 bool stand_ins);

/** The row for --set. */
#define MW_OPTION_SET                                                               \
	{                                                                           \
		.name = "set", .value = "NAME=VALUE", .repeats = true,              \
		.help = "Give a parameter of the profile a value; may be repeated." \
	}

#endif
