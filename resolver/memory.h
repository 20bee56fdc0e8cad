/** RAM and windows: where memory lies, and the pools that `auto` claims come from. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_MEMORY_H
#define RESOLVER_MEMORY_H

#include "resolver/draft.h"

/** Lays RAM out from `memory:`: from 0 up, around holes, up to below_4g, the rest from 4 GiB. */
void mw_ram_read(struct mw_draft *draft);
/** Reads `windows:`; after mw_ram_read, as a window may begin where RAM ends. */
void mw_windows_read(struct mw_draft *draft);

/** `memory: { vtl2: ... }` gets its place, when everything else has one. */
void mw_vtl2_place(struct mw_draft *draft);

#endif
