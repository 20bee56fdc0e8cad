/** Phase "link": $(dev.ID.CLAIM...) where every claim has its place. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_LINK_H
#define RESOLVER_LINK_H

#include "resolver/draft.h"

/** Fills the properties that waited for places. */
void mw_link(struct mw_draft *draft);
/** The text of a scalar with its links evaluated; NULL after a diagnostic. */
const char *mw_link_text(struct mw_draft *draft, struct mw_tree *scalar);

#endif
