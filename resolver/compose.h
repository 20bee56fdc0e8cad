/** Compose: a file and what it extends become one tree. Child over base is silent; two bases that
 * disagree are an error unless the child decides. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_COMPOSE_H
#define RESOLVER_COMPOSE_H

#include "resolver/files.h"

/** The composed tree of a profile under its overlays, `remove`, `unset` and `final` applied and gone,
 * except in entries of `devices` such as `sio.com1`, which change a member of a part. `checks` holds
 * those of all files. Never NULL. */
struct mw_tree *mw_compose(struct mw_files *files, struct mw_file *profile);

/** The same for a part, whose `devices` still have theirs, so that a change can be laid over them. */
struct mw_tree *mw_compose_part(struct mw_files *files, struct mw_file *part);
/** A copy of such `devices` with `remove`, `unset` and `final` applied. */
struct mw_tree *mw_compose_members(struct mw_files *files, struct mw_tree *devices);
/** One of such devices under a change of it; its key is the change's. `remove` gives a scalar. */
struct mw_tree *mw_compose_change(struct mw_files *files, struct mw_tree *member,
				  struct mw_tree *change);
/** A copy of what the last change gave, as mw_compose_members gives; NULL where it was removed. */
struct mw_tree *mw_compose_changed(struct mw_files *files, struct mw_tree *member);

#endif
