/** Files of the user: read with limits, changed in memory, written whole or not at all. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_TEXTS_H
#define TOOLS_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** A regular file of at most MW_READ_BYTES, as a new text with a NUL behind it (free()). NULL: *why is
 * a constant that says why not. */
char *mw_text_read(const char *path, size_t *length, const char **why);

/** Replaces a file: writes beside it and renames, so that no reader sees half of one, and keeps the
 * mode. `path` is followed through no symbolic link, and must still hold `before`. False: *why. */
bool mw_text_replace(const char *path, const char *before, size_t before_length, const char *after,
		     size_t after_length, const char **why);

/** Writes a new file or replaces an old one, in the same way; follows a symbolic link. */
bool mw_text_write(const char *path, const char *text, size_t length, const char **why);

/** For verbs that write folders of generated files; each says for `verb` on standard error why not.
 * Makes the folder unless it is there. */
bool mw_folder_make(const char *verb, const char *folder);
/** Closes a file of the folder. False when it was not written whole. */
bool mw_folder_close(const char *verb, const char *folder, FILE *file);

#endif
