/** The pieces of a memory map while it is made: painting one entry over others. Private to core. */
// SPDX-License-Identifier: MIT
#ifndef CORE_MAP_PIECES_H
#define CORE_MAP_PIECES_H

#include "core/space.h"

/** Lays an entry over all that was painted before it; not `over`: there is nothing of that. */
void mw_map_paint(struct mw_map *map, uint32_t entry, bool over);
/** Ascending, as mw_map_look wants them; once, at the end. */
void mw_map_sort(struct mw_map *map);

#endif
