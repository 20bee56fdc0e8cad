/** Printing diagnostics and standard output the way the options and the terminal ask for. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/diagnostics.h"

/** For the `choices` of an option: the formats of core/diagnostics.h, ended by NULL. */
extern const char *const mw_report_formats[];

/** A format by name; NULL means full on a terminal and concise elsewhere. */
enum mw_diag_format mw_report_format(const char *name, FILE *out);
/** A terminal, and NO_COLOR is not set (https://no-color.org). */
bool mw_report_colour(FILE *out);

/** Prints what was found, nothing when there is nothing (an empty array as JSON,
 * an empty run as SARIF and JUnit). */
void mw_report(struct mw_diagnostics *diagnostics, const char *format, FILE *out);

/** Flushes standard output; when it could not be written, says so and returns a code that is not
 * 0, else `code`. */
int mw_report_finish(int code);

#endif
