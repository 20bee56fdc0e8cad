/** The machine's own blocks: `boot`, `power`, `accel` and `cpu` into the plan; rules about them. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_MACHINE_H
#define RESOLVER_MACHINE_H

#include "resolver/draft.h"

/** Reads `power` and `accel`. */
void mw_machine_keys_read(struct mw_draft *draft);
/** Reads `boot`; after links can be evaluated, as the command line may hold some. */
void mw_boot_read(struct mw_draft *draft);
/** F401, F402 and F404: whether anything runs at reset, and against which clock. Silent
 * where an error took out what they would miss. */
void mw_machine_rules(struct mw_draft *draft);

#endif
