/** What of a case's outcome is defined, and where ours differs from the host's. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_COMPARE_H
#define TESTS_DIFF_CPU_COMPARE_H

#include <stdio.h>

#include "tests/diff/cpu/forms.h"
#include "tests/diff/cpu/guest.h"

/** Number of differences; printed to `out` unless that is NULL. `data` is what ours left behind, `pattern`
 * what it was. */
unsigned compare(const struct insn *insn, const struct native_case *test,
		 const struct guest_outcome *ours, const uint8_t *data, const uint8_t *pattern,
		 FILE *out);

#endif
