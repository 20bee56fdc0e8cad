/** Compose: a file and what it extends become one tree. Child over base is silent; two bases that
 * disagree are an error unless the child decides. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_COMPOSE_H
#define RESOLVER_COMPOSE_H

#include "resolver/files.h"

/** The composed tree of a profile, `remove`, `unset` and `final` applied and gone. `checks` holds
 * those of all files. Never NULL. */
struct mw_tree *mw_compose(struct mw_files *files, struct mw_file *profile);

#endif
