/** What files.c, files_text.c, history.c and overlays.c share. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_FILES_INTERNAL_H
#define RESOLVER_FILES_INTERNAL_H

#include <sys/stat.h>

#include "resolver/files.h"

/** The code for a file that cannot be had: what the command line names has no place to point at, nor a
 * rule. */
const char *mw_files_code(struct mw_span wanted);

/** Reads and parses a file's text, from the editor's texts of the options or the disk; NULL after a
 * diagnostic. */
struct mw_tree *mw_files_text(struct mw_files *files, const struct mw_file *file,
			      struct mw_span wanted);
/** Whether there is such a file, on the disk or among the texts. */
bool mw_files_exist(const struct mw_files *files, const char *path);

/** A new file on the stack of those being loaded; NULL, after a diagnostic, at a limit. */
struct mw_file *mw_files_begin(struct mw_files *files, struct mw_span wanted);
/** Takes it from the stack. Returns it, or NULL when it is not good. */
struct mw_file *mw_files_end(struct mw_files *files, struct mw_file *file, bool good);
/** S113 for a file that is on the stack already. */
void mw_files_circle(struct mw_files *files, const struct mw_file *again, struct mw_span wanted);
/** Loads the bases that `extends` (NULL: none) names. */
void mw_files_bases(struct mw_files *files, struct mw_file *file, struct mw_tree *extends);

/** A file that the command line names: by path, or by name on the search path. */
struct mw_file *mw_files_given(struct mw_files *files, const char *text, const char *kind);
/** Reads the drop-ins of `NAME.d/` beside the profile, then those of the options. */
void mw_overlays_load(struct mw_files *files, const struct mw_file *profile);

#endif
