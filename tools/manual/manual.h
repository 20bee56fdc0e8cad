/** Man pages and shell completions, written from the tables of verbs and options. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_MANUAL_MANUAL_H
#define TOOLS_MANUAL_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

#include "core/registry.h"
#include "tools/options.h"

/** millwright(1), the page of one verb, and millwright(5) on the files. */
void mw_manual_command(FILE *out);
void mw_manual_verb(const struct mw_verb *verb, FILE *out);
void mw_manual_format(FILE *out);

/** Writes all of them as FOLDER/manSECTION/NAME.SECTION, making the folders; false after a message on
 * stderr. */
bool mw_manual_write(const char *folder);

/** The shells that have completions, ended by NULL. */
extern const char *const mw_completion_shells[];
/** Writes the script for one of them. */
void mw_completion_write(const char *shell, const struct mw_registry *registry, FILE *out);

#endif
