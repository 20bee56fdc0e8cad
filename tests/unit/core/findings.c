/* Findings as text, and spans by what they cover. */
// SPDX-License-Identifier: MIT
#include "tests/unit/core/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *findings_print(struct mw_diagnostics *diagnostics, enum mw_diag_format format, bool colour)
{
	static char *text; /* the stream keeps its address */
	static size_t size;
	FILE *out = open_memstream(&text, &size);

	mw_diagnostics_print(diagnostics, out, format, colour);
	fclose(out);
	return text;
}

void findings_expect(struct mw_diagnostics *diagnostics, enum mw_diag_format format,
		     const char *wanted)
{
	char *text = findings_print(diagnostics, format, false);

	assert_string_equal(text, wanted);
	free(text);
}

uint32_t findings_source(struct mw_diagnostics *diagnostics, const char *name, const char *text)
{
	return mw_diagnostics_source(diagnostics, name, text, strlen(text));
}

struct mw_span findings_span(const struct mw_diagnostics *diagnostics, uint32_t source,
			     const char *part)
{
	const char *text = diagnostics->sources[source - 1].text;
	const char *at = strstr(text, part);

	assert_non_null(at);
	return (struct mw_span){ source, (uint32_t)(at - text), (uint32_t)strlen(part) };
}
