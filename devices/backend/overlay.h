/** A base and the image over it, opened together. Private to this folder and to what makes images. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_OVERLAY_H
#define DEVICES_BACKEND_OVERLAY_H

#include "devices/backend/qcow2.h"

struct mw_overlay;

/** Opens both; a file that is not there yet is made, and without a path (NULL or "") it is a temporary one. An
 * image whose base is another file, or has been changed since it was made, is refused. On false *out is NULL
 * and `why` names the file. */
bool mw_overlay_open(struct mw_overlay **out, const char *base, const char *path,
		     const struct mw_medium_options *options, struct mw_why *why);
/** Makes an overlay file, which must not be there yet. */
bool mw_overlay_create(const char *base, const char *path, struct mw_why *why);
/** NULL-safe. False: the last of it could not be written. */
bool mw_overlay_close(struct mw_overlay *overlay);
struct mw_qcow2 *mw_overlay_image(struct mw_overlay *overlay);
/** Of the overlay's file; of its base where it is temporary. */
void mw_overlay_facts(struct mw_overlay *overlay, struct mw_image_facts *facts);

/** Whether `base` is what the header of the image at `path` says. One that is being merged into it does not fit,
 * unless `merge`. */
bool mw_overlay_fits(const struct mw_qcow2_info *info, const char *path,
		     const struct mw_medium *base, bool merge, struct mw_why *why);
/** Where the backing file that an image names is: relative names begin at the image's folder. */
bool mw_overlay_backing(const struct mw_qcow2_info *info, const char *path, char *found,
			size_t capacity);

#endif
