/* A plan's text, read. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/reading.h"

#include <string.h>

void reading_text(struct reading *reading, const struct mw_registry *registry, const char *text)
{
	*reading = (struct reading){ 0 };
	bool good = mw_plan_read(&reading->plan, text, strlen(text), "test.plan", registry,
				 &reading->diagnostics);

	assert_int_equal(good, reading->plan != NULL);
	assert_int_equal(good, reading->diagnostics.errors == 0);
}

void reading_end(struct reading *reading)
{
	mw_plan_destroy(reading->plan);
	mw_diagnostics_fini(&reading->diagnostics);
}

void reading_print(struct reading *reading)
{
	mw_diagnostics_print(&reading->diagnostics, stderr, MW_DIAG_FULL, false);
}
