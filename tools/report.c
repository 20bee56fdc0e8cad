/** Chooses format and colour for diagnostics, and checks that output arrived. */
// SPDX-License-Identifier: MIT
#include "tools/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/options.h"

/* in the order of enum mw_diag_format */
const char *const mw_report_formats[] = { "full",  "concise", "json",  "jsonl",
					  "sarif", "github",  "junit", NULL };

enum mw_diag_format mw_report_format(const char *name, FILE *out)
{
	if (!name)
		return isatty(fileno(out)) ? MW_DIAG_FULL : MW_DIAG_CONCISE;
	for (unsigned i = 0; mw_report_formats[i]; i++) {
		if (strcmp(name, mw_report_formats[i]) == 0)
			return (enum mw_diag_format)i;
	}
	return MW_DIAG_CONCISE;
}

bool mw_report_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");

	return (!no_color || !*no_color) && isatty(fileno(out));
}

void mw_report(struct mw_diagnostics *diagnostics, const char *format, FILE *out)
{
	enum mw_diag_format chosen = mw_report_format(format, out);

	if (diagnostics->count == 0 && chosen != MW_DIAG_JSON && chosen != MW_DIAG_SARIF &&
	    chosen != MW_DIAG_JUNIT)
		return;
	mw_diagnostics_print(diagnostics, out, chosen,
			     chosen == MW_DIAG_FULL && mw_report_colour(out));
}

int mw_report_finish(int code)
{
	bool failed = ferror(stdout) != 0;
	const char *why = "a write failed";

	/* fclose, not fflush: some file systems report a full disk only when the file is closed. */
	if (fclose(stdout) != 0) {
		failed = true;
		why = strerror(errno);
	}
	if (!failed)
		return code;
	fprintf(stderr, "millwright: cannot write to standard output: %s\n", why);
	return code > MW_EXIT_USAGE ? code : MW_EXIT_USAGE;
}
