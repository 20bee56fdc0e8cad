/** Reads a plan's canonical text back, as snapshots hold it. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PLAN_READ_H
#define RESOLVER_PLAN_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/registry.h"

/* A node is some 250 bytes and a dozen values of text. */
enum { MW_PLAN_TEXT_BYTES = 8 * 1024 * 1024, MW_PLAN_TEXT_VALUES = 500000 };

/** Reads what mw_plan_write_yaml wrote with MW_PLAN_WHOLE. The text may come from anybody: the plan is
 * resolved again from it, so it has everything a resolved plan has, and it is what the text says; a
 * value that equals its property's default is taken for one.
 * `name` is what messages call the text. True: *out is a new plan (free with mw_plan_destroy) whose
 * spans lie in the text, which `diagnostics` keeps. False: *out is NULL and `diagnostics` says why;
 * C706 is what only a plan's text can get wrong. Nothing is opened. */
bool mw_plan_read(struct mw_plan **out, const char *text, size_t length, const char *name,
		  const struct mw_registry *registry, struct mw_diagnostics *diagnostics);

#endif
