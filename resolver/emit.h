/** Phase "emit": the draft, without a mistake in it, as a plan. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_EMIT_H
#define RESOLVER_EMIT_H

#include "resolver/draft.h"

/** Fills draft->plan: nodes in build order, nets by domain and line, links by node. */
void mw_emit(struct mw_draft *draft);

#endif
