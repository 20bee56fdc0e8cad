/** Parameters: declared in `params:`, given by `--set`, read by expressions. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PARAMS_H
#define RESOLVER_PARAMS_H

#include "resolver/expression.h"

/** All parameters of one profile. Lives in the arena. Defaults are worked out when first read. */
struct mw_params;

/** Declares what `tree` (a composed `params:`, NULL for none) says and takes the values that the
 * options set. Mistakes are diagnostics; a parameter that has one is FAILED for its users. */
struct mw_params *mw_params_bind(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
				 struct mw_tree *tree, const struct mw_resolve_options *options,
				 struct mw_parsing *parsing);

/** For expressions. */
const struct mw_scope *mw_params_scope(const struct mw_params *params);

/** Works out every value, so that each mistake is told once; then warns of what nothing reads, if the
 * profile itself (the file with this source) declares it or a `--set` gives it. A base is not to
 * blame when a profile overrides the place where a parameter was read. */
void mw_params_finish(struct mw_params *params, uint32_t source);

#endif
