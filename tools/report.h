/** Printing diagnostics and standard output the way the options and the terminal ask for. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/diagnostics.h"
#include "tools/options.h"

/** For the `choices` of an option: the formats of core/diagnostics.h, ended by NULL. */
extern const char *const mw_report_formats[];

/** The row of verbs whose output is something else than findings. */
#define MW_DIAGNOSTICS_OPTION                                                              \
	{                                                                                  \
		.name = "diagnostics", .value = "FORMAT", .choices = mw_report_formats,    \
		.help = "How findings look on standard error: full (the default on a "     \
			"terminal), concise (the default elsewhere), json, jsonl, sarif, " \
			"github or junit."                                                 \
	}

/** A format by name; NULL means full on a terminal and concise elsewhere. */
enum mw_diag_format mw_report_format(const char *name, FILE *out);
/** A terminal, and NO_COLOR is not set (https://no-color.org). */
bool mw_report_colour(FILE *out);

/** Prints what was found, nothing when there is nothing (an empty array as JSON,
 * an empty run as SARIF and JUnit). */
void mw_report(struct mw_diagnostics *diagnostics, const char *format, FILE *out);

/** Flushes standard output; when it could not be written, says so and returns at least
 * MW_EXIT_USAGE, else `code`. */
int mw_report_finish(int code);

#endif
