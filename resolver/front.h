/** The front half's own memory: what its phases hand to each other. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_FRONT_H
#define RESOLVER_FRONT_H

#include "resolver/document.h"
#include "resolver/expression.h"
#include "resolver/files.h"
#include "resolver/params.h"

/** A device that is not there, or one with a `count`: an entry of a map keyed by id. */
struct mw_gone {
	struct mw_tree tree; /* first: the map's child */
	struct mw_absent absent;
	bool taken_out; /* by `when` */
};

struct mw_front {
	struct mw_files files;
	struct mw_file *profile;
	struct mw_tree *merged; /* compose's result, before parameters */
	struct mw_parsing parsing;
	struct mw_params *params;
	struct mw_tree *absent;  /* ids that `when` took out */
	struct mw_tree *counted; /* ids with `count` */
	bool full;               /* MW_NODES_MOST is reached, and that has been told */
};

/** Evaluates every expression below `tree`, which stays as it is. `*failed` is set when one could
 * not be; what it spoils is left out of maps and lists, so callers can go on with the rest. NULL
 * when nothing is left of `tree` itself. Scalars with `link` keep their expression and get `i`. */
struct mw_tree *mw_evaluate_tree(struct mw_evaluation *evaluation, struct mw_tree *tree,
				 bool *failed);
/** Parses every expression below `tree` and marks what is dynamic; true when one reads `i`. */
bool mw_parse_tree(struct mw_parsing *parsing, struct mw_tree *tree);

#endif
