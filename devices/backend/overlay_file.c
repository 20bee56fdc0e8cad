/* A base and the image over it: made, opened, and found to belong together. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "devices/backend/overlay.h"

struct mw_overlay {
	struct mw_medium base, file;
	struct mw_qcow2 *image;
	bool temporary;
};

struct mw_qcow2 *mw_overlay_image(struct mw_overlay *overlay)
{
	return overlay->image;
}

void mw_overlay_facts(struct mw_overlay *overlay, struct mw_image_facts *facts)
{
	mw_medium_facts(overlay->temporary ? &overlay->base : &overlay->file, facts);
	facts->size = mw_qcow2_size(overlay->image);
	facts->fleeting = overlay->temporary && mw_qcow2_has_own(overlay->image);
}

/** Puts the file's name before the reason. Returns false. */
static bool blame(struct mw_why *why, const char *path)
{
	struct mw_why reason = *why;

	return mw_why_set(why, "cannot use %.160s: %.150s", path, reason.text);
}

bool mw_overlay_backing(const struct mw_qcow2_info *info, const char *path, char *found,
			size_t capacity)
{
	const char *slash = strrchr(path, '/');
	int folder = slash && info->backing[0] != '/' ? (int)(slash + 1 - path) : 0;
	int length = snprintf(found, capacity, "%.*s%s", folder, path, info->backing);

	return length >= 0 && (size_t)length < capacity;
}

bool mw_overlay_fits(const struct mw_qcow2_info *info, const char *path,
		     const struct mw_medium *base, bool merge, struct mw_why *why)
{
	char backing[PATH_MAX];
	struct stat status;

	if (!info->backing[0])
		return mw_why_set(why, "it is no overlay: it has no backing file");
	if (!mw_overlay_backing(info, path, backing, sizeof(backing)))
		return mw_why_set(why, "the name of its backing file is too long");
	if (stat(backing, &status) < 0)
		return mw_why_set(why, "its backing file %.100s: %s", backing, strerror(errno));
	if (status.st_dev != base->host_device || status.st_ino != base->inode)
		return mw_why_set(why, "it was made over %.120s", backing);
	if (info->has_identity && info->backing_size != base->size)
		return mw_why_set(why, "its base had another size when it was made");
	if (info->merging && !merge)
		return mw_why_set(why, "writing it into its base was interrupted; go on with "
				       "`millwright image commit`");
	if (info->has_identity && !info->merging && info->backing_modified_ns != base->modified_ns)
		return mw_why_set(why, "its base was written to since it was made");
	return true;
}

/* A file is there after a loss of power when its folder says so. */
static bool flush_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd, status;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
		 slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	status = fsync(fd);
	close(fd);
	return status == 0 || errno == EINVAL;
}

static bool create(struct mw_medium *file, const char *path, const struct mw_medium *base,
		   const char *name, struct mw_why *why)
{
	char whole[PATH_MAX];

	if (!realpath(name, whole))
		return mw_why_set(why, "%s", strerror(errno));
	return mw_qcow2_create(file, base->size, base, whole, why) &&
	       (flush_folder(path) || mw_why_set(why, "its folder: %s", strerror(errno)));
}

bool mw_overlay_create(const char *base, const char *path, struct mw_why *why)
{
	const struct mw_medium_options options = { .write = true, .create = true };
	struct mw_medium below = { 0 }, file = { 0 };
	bool good = mw_medium_open(&below, base, &(struct mw_medium_options){ 0 }, why) ||
		    blame(why, base);

	good = good && (mw_medium_open(&file, path, &options, why) || blame(why, path));
	if (good && !create(&file, path, &below, base, why)) {
		good = blame(why, path);
		unlink(path);
	}
	mw_medium_close(&file);
	mw_medium_close(&below);
	return good;
}

static bool open_temporary(struct mw_overlay *overlay, struct mw_why *why)
{
	return mw_medium_open_temporary(&overlay->file, why) &&
	       mw_qcow2_create(&overlay->file, overlay->base.size, NULL, NULL, why);
}

static bool open_file(struct mw_overlay *overlay, const char *base, const char *path,
		      const struct mw_medium_options *options, struct mw_why *why)
{
	struct mw_medium_options create_options = *options;
	struct mw_qcow2_info info;

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		create_options.create = true;
		return mw_medium_open(&overlay->file, path, &create_options, why) &&
		       create(&overlay->file, path, &overlay->base, base, why);
	}
	return mw_medium_open(&overlay->file, path, options, why) &&
	       mw_qcow2_info(&overlay->file, &info, why) &&
	       mw_overlay_fits(&info, path, &overlay->base, false, why);
}

static bool open_both(struct mw_overlay *overlay, const char *base, const char *path,
		      const struct mw_medium_options *options, struct mw_why *why)
{
	bool temporary = !path || !*path;

	overlay->temporary = temporary;
	if (!mw_medium_open(&overlay->base, base, &(struct mw_medium_options){ 0 }, why))
		return blame(why, base);
	if (!overlay->base.size) {
		mw_why_set(why, "it is empty");
		return blame(why, base);
	}
	if (temporary ? open_temporary(overlay, why) : open_file(overlay, base, path, options, why))
		if (mw_qcow2_open(&overlay->image, &overlay->file, &overlay->base, why))
			return true;
	return blame(why, temporary ? "a temporary file" : path);
}

bool mw_overlay_open(struct mw_overlay **out, const char *base, const char *path,
		     const struct mw_medium_options *options, struct mw_why *why)
{
	*out = mw_alloc(1, sizeof(**out));
	if (open_both(*out, base, path, options, why))
		return true;
	mw_overlay_close(*out);
	*out = NULL;
	return false;
}

bool mw_overlay_close(struct mw_overlay *overlay)
{
	bool good = !overlay || mw_qcow2_close(overlay->image);

	if (overlay) {
		mw_medium_close(&overlay->file);
		mw_medium_close(&overlay->base);
	}
	free(overlay);
	return good;
}
