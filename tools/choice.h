/** Which accelerator runs a plan, and whether it can. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_CHOICE_H
#define TOOLS_CHOICE_H

#include "accel/accel.h"
#include "core/diagnostics.h"
#include "core/plan.h"

struct mw_choice {
	const struct mw_accel_ops *ops;
	struct mw_accel_probe probe;
	bool by_auto;     /* nobody named it */
	bool passed_over; /* one that was asked for before it is not usable, or not good, here */
	char line[600];   /* what was chosen and why, for the log */
};

/** Takes the first name that is here, good and meets every need; then the first that is merely slow
 * or partial. Names come from `wanted` (--accel; NULL or "auto" leaves it to the plan) or the plan's
 * `prefer`, where "auto" stands for all of `built_in` (ended by NULL). False with diagnostics when
 * there is none, or a name is of no accelerator. */
bool mw_choice_make(struct mw_choice *choice, const struct mw_plan *plan, const char *wanted,
		    const struct mw_accel_ops *const *built_in, struct mw_diagnostics *diagnostics);

#endif
