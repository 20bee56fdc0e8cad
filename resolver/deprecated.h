/** The end of life of files: `deprecated: { since, remove, use, why }`. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_DEPRECATED_H
#define RESOLVER_DEPRECATED_H

#include "resolver/files.h"

/** Checks the dates in a file and in its history. */
void mw_deprecated_shape(struct mw_diagnostics *diagnostics, struct mw_file *file);

/** C701 when the file, in its version, is deprecated: a warning from `since`, an error from `remove`
 * or, without one, six years after `since`, unless the options allow it. The day is that of this
 * release, never the host's. `wanted` is where the file was asked for; no span: its own place. */
void mw_deprecated_check(struct mw_files *files, struct mw_file *file, struct mw_span wanted);

#endif
