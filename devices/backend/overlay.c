/* A disk whose changes go into a file of their own, over a base that is only read. */
// SPDX-License-Identifier: MIT

#include "devices/backend/overlay.h"
#include "core/device.h"
#include "core/diagnostics.h"
#include "devices/backend/qcow2.h"

struct overlay {
	const char *base, *path;
	uint32_t cache, discard;
	struct mw_overlay *disk; /* NULL: nothing is in the drive */
};

static bool open_disk(const struct overlay *overlay, const char *base, struct mw_overlay **disk,
		      struct mw_diagnostics *diagnostics)
{
	const struct mw_medium_options options = { .write = true,
						   .cache = (enum mw_cache)overlay->cache,
						   .unmap = overlay->discard };
	struct mw_why why;

	if (mw_overlay_open(disk, base, overlay->path, &options, &why))
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "%s: %s",
			   mw_device_id(overlay), why.text);
	return false;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct overlay *overlay = self;

	if (mw_medium_is_none(overlay->base) && !overlay->path[0])
		return true;
	return open_disk(overlay, overlay->base, &overlay->disk, diagnostics);
}

/* While the machine stands the file is a whole image. */
static void stop(void *self)
{
	struct overlay *overlay = self;

	if (overlay->disk)
		mw_qcow2_flush(mw_overlay_image(overlay->disk));
}

static void fini(void *self)
{
	struct overlay *overlay = self;

	if (!mw_overlay_close(overlay->disk) && overlay->path[0])
		mw_guest_log(overlay, "what was written last may not be in %s", overlay->path);
}

static uint64_t on_size(void *self)
{
	struct overlay *overlay = self;

	return overlay->disk ? mw_qcow2_size(mw_overlay_image(overlay->disk)) : 0;
}

static bool on_writable(void *self)
{
	return ((struct overlay *)self)->disk;
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct overlay *overlay = self;

	return overlay->disk &&
	       mw_qcow2_read(mw_overlay_image(overlay->disk), offset, bytes, count);
}

static bool on_flush(void *self)
{
	struct overlay *overlay = self;

	return overlay->disk && mw_qcow2_flush(mw_overlay_image(overlay->disk));
}

static bool on_write(void *self, uint64_t offset, const void *bytes, size_t count)
{
	struct overlay *overlay = self;

	if (!overlay->disk ||
	    !mw_qcow2_write(mw_overlay_image(overlay->disk), offset, bytes, count))
		return false;
	return overlay->cache != MW_CACHE_WRITETHROUGH || on_flush(self);
}

static bool on_discard(void *self, uint64_t offset, uint64_t count)
{
	struct overlay *overlay = self;

	return overlay->disk && mw_qcow2_discard(mw_overlay_image(overlay->disk), offset, count);
}

static bool on_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct overlay *overlay = self;
	struct mw_overlay *next = NULL;

	if (overlay->path[0]) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "%s: a base with an overlay file of its own stays where it is",
				   mw_device_id(overlay));
		return false;
	}
	if (!mw_medium_is_none(path) && !open_disk(overlay, path, &next, diagnostics))
		return false;
	mw_overlay_close(overlay->disk); /* what cannot be written of it is forgotten anyway */
	overlay->disk = next;
	return true;
}

static void on_facts(void *self, struct mw_image_facts *facts)
{
	struct overlay *overlay = self;

	if (overlay->disk)
		mw_overlay_facts(overlay->disk, facts);
}

static const struct mw_property properties[] = {
	{ "base",
	  "A raw image, which is only read; with no `path` it may be empty, as the drive is then.",
	  MW_FIELD(struct overlay, base), .required = true, .is_path = true },
	{ "path",
	  "A qcow2 image over it for what is written, made where there is none. When empty, what "
	  "is written is forgotten at the end.",
	  MW_FIELD(struct overlay, path), .is_path = true, .is_written = true,
	  .fallback_text = "" },
	{ "cache",
	  "When a write is safe: after the guest's flush (`writeback`, and `none` without the "
	  "host's page cache), at once (`writethrough`), or never (`unsafe`).",
	  MW_FIELD(struct overlay, cache), .members = mw_cache_names },
	{ "discard", "What the guest discards is given back to the host (`unmap`) or kept.",
	  MW_FIELD(struct overlay, discard), .members = mw_discard_names },
};
static const struct mw_wire wires[] = {
	{ "image", "The drive.", .kind = MW_IMAGE, .direction = MW_RECEIVES, .on_size = on_size,
	  .on_read = on_read, .on_write = on_write, .on_flush = on_flush, .on_discard = on_discard,
	  .on_writable = on_writable, .on_change = on_change, .on_facts = on_facts },
};

const struct mw_device_type overlay_type = {
	MW_DEVICE_TYPE,
	.name = "overlay",
	.summary = "a disk over a base that stays as it is; changes go elsewhere",
	.size = sizeof(struct overlay),
	.state_version = 1,
	.backend = "overlay",
	.main_property = "base",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init, .stop = stop, .fini = fini },
};
