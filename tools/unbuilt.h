/** What a plan can say and no machine can do yet. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_UNBUILT_H
#define TOOLS_UNBUILT_H

#include "core/diagnostics.h"
#include "core/plan.h"

/** S110 for everything in the plan that would be ignored if it ran: each names what is missing. True
 * when there is nothing of the kind. */
bool mw_unbuilt_check(const struct mw_plan *plan, struct mw_diagnostics *diagnostics);

#endif
