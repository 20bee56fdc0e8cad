/** Reads a plan's text in a test. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_RESOLVER_READING_H
#define TESTS_UNIT_RESOLVER_READING_H

#include "resolver/plan_read.h"
#include "tests/unit/resolver/back.h"

/** One reading. Made by reading_text, freed by reading_end. */
struct reading {
	struct mw_diagnostics diagnostics;
	struct mw_plan *plan; /* NULL after errors */
};

void reading_text(struct reading *reading, const struct mw_registry *registry, const char *text);
void reading_end(struct reading *reading);
void reading_print(struct reading *reading);

#endif
