/** Pictures as PNG files. Shared with the verbs that take pictures. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_PNG_FILE_H
#define DEVICES_BACKEND_PNG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/device.h"

/** Writes the picture in the place of what is at `path`, at once or not at all. False: `why` has the reason.
 * A canvas without pixels is no picture. */
bool mw_png_write(const char *path, const struct mw_canvas *canvas, char *why, size_t capacity);

#endif
