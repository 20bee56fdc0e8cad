/** `when`, `count` and `checks`: from the entries of `devices` to the nodes that are there. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_INSTANCES_H
#define RESOLVER_INSTANCES_H

#include "resolver/front.h"

enum { MW_COUNT_MOST = 4096, MW_NODES_MOST = 200000 };

/** Parses and types every expression of `devices`; entries with a mistake are marked failed. */
void mw_instances_parse(struct mw_document *document, struct mw_tree *devices);

/** Fills document->devices, `absent` and `failed` from the composed entries. */
void mw_instances_make(struct mw_document *document, struct mw_tree *devices);

/** Makes the nodes of one entry under an id, which for members of a part is not its key. */
void mw_instance_make(struct mw_document *document, struct mw_tree *tree, const char *id,
		      struct mw_part *part);

/** Parses, then evaluates the list of checks (NULL: none); `node` is where they stand. */
void mw_checks_parse(struct mw_document *document, struct mw_tree *checks);
void mw_checks_run(struct mw_document *document, struct mw_tree *checks,
		   const struct mw_scope *scope, const char *node);

#endif
