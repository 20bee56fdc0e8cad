/** Older versions of a file: what its `history` says they looked like. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_HISTORY_H
#define RESOLVER_HISTORY_H

#include "resolver/files.h"

/** Checks the keys of `history`: each is the number of an older version. */
void mw_history_check(struct mw_files *files, struct mw_file *file);

/** The file as it was at an older version, made once. Every version from the oldest that `history`
 * lists is there; one without a body of its own was as the next newer one. `span` is where it was
 * asked for. NULL after a diagnostic when there is no such version. */
struct mw_file *mw_history_pick(struct mw_files *files, struct mw_file *file, uint64_t version,
				struct mw_span span);

#endif
