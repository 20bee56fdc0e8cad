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
	struct mw_tree *devices; /* the composed entries, with changes of members such as `a.b` */
	struct mw_tree *part_types; /* struct mw_part_type, keyed by how the profile names them */
	struct mw_tree *parts;      /* struct mw_part, keyed by id */
	struct mw_tree *domains;    /* interrupt domains that parts bring */
	size_t part_spent;          /* of MW_NODES_MOST */
	unsigned part_depth;
	size_t noted; /* findings that mw_parts_note has looked at */
	bool full;    /* MW_NODES_MOST is reached, and that has been told */
};

/** Evaluates every expression below `tree`, which stays as it is. `*failed` is set when one could
 * not be; what it spoils is left out of maps and lists, so callers can go on with the rest. NULL
 * when nothing is left of `tree` itself. Scalars with `link` keep their expression and get `i`. */
struct mw_tree *mw_evaluate_tree(struct mw_evaluation *evaluation, struct mw_tree *tree,
				 bool *failed);
/** Parses every expression below `tree` and marks what is dynamic; true when one reads `i`. */
bool mw_parse_tree(struct mw_parsing *parsing, struct mw_tree *tree);

#endif
