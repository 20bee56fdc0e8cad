/** Parameters: declared in `params:`, given by `--set`, read by expressions. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PARAMS_H
#define RESOLVER_PARAMS_H

#include "resolver/expression.h"

/** All parameters of one profile. Lives in the arena. Defaults are worked out when first read. */
struct mw_params;

/** Declares what `tree` (a composed `params:`, NULL for none) says, and makes it the scope of the
 * expressions parsed next. Mistakes are diagnostics; a parameter that has one is FAILED for its users. */
struct mw_params *mw_params_declare(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
				    struct mw_tree *tree, const struct mw_resolve_options *options,
				    struct mw_parsing *parsing);
/** Takes the values that the options set. */
void mw_params_set(struct mw_params *params, const struct mw_resolve_options *options);

/** One use of a part. */
struct mw_part_use {
	struct mw_part *part;
	const char *id, *label; /* of the device, of the part's file */
	const char *node;       /* for diagnostics */
	struct mw_span span;    /* of the device's `type` */
	bool failed;
};

/** Works out every default that holds no expression: once for all uses of a part. */
void mw_params_settle(struct mw_params *params);
/** The parameters that a part declares with the values of one use: its evaluated `props` (NULL: none).
 * `outer` are those of where the device stands. */
struct mw_params *mw_params_use(const struct mw_params *declared, struct mw_params *outer,
				struct mw_tree *props, const struct mw_part_use *use);
/** Works out every value; false when one is FAILED. */
bool mw_params_good(struct mw_params *params);
size_t mw_params_count(const struct mw_params *params);

/** For expressions. */
const struct mw_scope *mw_params_scope(const struct mw_params *params);

/** Works out every value, so that each mistake is told once; then warns of what nothing reads, if the
 * profile itself (the file with this source) declares it or a `--set` gives it. A base is not to
 * blame when a profile overrides the place where a parameter was read. */
void mw_params_finish(struct mw_params *params, uint32_t source);

#endif
