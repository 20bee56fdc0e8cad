/** Lists of findings made and printed in a test. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CORE_FINDINGS_H
#define TESTS_UNIT_CORE_FINDINGS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "core/diagnostics.h"

/** What is printed; the caller frees it. */
char *findings_print(struct mw_diagnostics *diagnostics, enum mw_diag_format format, bool colour);
/** Fails unless exactly this is printed, without colour. */
void findings_expect(struct mw_diagnostics *diagnostics, enum mw_diag_format format,
		     const char *wanted);
uint32_t findings_source(struct mw_diagnostics *diagnostics, const char *name, const char *text);
/** The span of the first `part` in the source, which must be there. */
struct mw_span findings_span(const struct mw_diagnostics *diagnostics, uint32_t source,
			     const char *part);

#endif
