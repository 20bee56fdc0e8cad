/* The rules behind the phases, in their order. */
// SPDX-License-Identifier: MIT
#include "resolver/rules.h"

void mw_rules(struct mw_draft *draft, bool whole)
{
	mw_rules_accel(draft, whole);
	mw_rules_guest(draft, whole);
	mw_rules_host(draft);
	mw_rules_mend(draft);
}
