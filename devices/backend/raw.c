/* A host file or block device as a disk, byte for byte. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "core/device.h"
#include "core/diagnostics.h"
#include "devices/backend/medium.h"

struct raw {
	const char *path;
	bool read_only;
	uint32_t cache, discard;
	struct mw_medium medium;
};

static bool open_medium(const struct raw *raw, const char *path, struct mw_medium *medium,
			struct mw_diagnostics *diagnostics)
{
	const struct mw_medium_options options = { .write = !raw->read_only,
						   .cache = (enum mw_cache)raw->cache,
						   .unmap = raw->discard };
	struct mw_why why;

	if (mw_medium_open(medium, path, &options, &why))
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: cannot use %s: %s", mw_device_id(raw), path, why.text);
	return false;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct raw *raw = self;

	return mw_medium_is_none(raw->path) ||
	       open_medium(raw, raw->path, &raw->medium, diagnostics);
}

static void fini(void *self)
{
	struct raw *raw = self;

	if (mw_medium_is_open(&raw->medium) && !mw_medium_flush(&raw->medium))
		mw_guest_log(raw, "what was written last may not be in its file: %s",
			     strerror(errno));
	mw_medium_close(&raw->medium);
}

static uint64_t on_size(void *self)
{
	return ((struct raw *)self)->medium.size;
}

static bool on_writable(void *self)
{
	return ((struct raw *)self)->medium.writable;
}

/* What a medium has is settled when it is put in; it does not grow. */
static bool is_inside(const struct raw *raw, uint64_t offset, uint64_t count)
{
	return mw_medium_is_open(&raw->medium) && mw_within(offset, count, raw->medium.size);
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct raw *raw = self;

	return is_inside(raw, offset, count) && mw_medium_read(&raw->medium, offset, bytes, count);
}

static bool on_write(void *self, uint64_t offset, const void *bytes, size_t count)
{
	struct raw *raw = self;

	if (!is_inside(raw, offset, count) || !mw_medium_write(&raw->medium, offset, bytes, count))
		return false;
	return raw->cache != MW_CACHE_WRITETHROUGH || mw_medium_flush(&raw->medium);
}

static bool on_flush(void *self)
{
	struct raw *raw = self;

	return mw_medium_is_open(&raw->medium) && mw_medium_flush(&raw->medium);
}

static bool on_discard(void *self, uint64_t offset, uint64_t count)
{
	struct raw *raw = self;

	return is_inside(raw, offset, count) && mw_medium_discard(&raw->medium, offset, count);
}

static bool on_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct raw *raw = self;
	struct mw_medium next = { 0 };

	if (!mw_medium_is_none(path) && !open_medium(raw, path, &next, diagnostics))
		return false;
	if (mw_medium_is_open(&raw->medium) && !mw_medium_flush(&raw->medium)) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "%s: what was written may not be in its file, so that stays in: "
				   "%s",
				   mw_device_id(raw), strerror(errno));
		mw_medium_close(&next);
		return false;
	}
	mw_medium_close(&raw->medium);
	raw->medium = next;
	return true;
}

static void on_facts(void *self, struct mw_image_facts *facts)
{
	mw_medium_facts(&((struct raw *)self)->medium, facts);
}

static const struct mw_property properties[] = {
	{ "path",
	  "The file or block device; nothing is in the drive when it is empty or /dev/null.",
	  MW_FIELD(struct raw, path), .is_path = true, .is_written = true, .fallback_text = "" },
	{ "read_only", "Nothing is written, and others may read it too.",
	  MW_FIELD(struct raw, read_only) },
	{ "cache",
	  "When a write is safe: after the guest's flush (`writeback`, and `none` without the "
	  "host's page cache), at once (`writethrough`), or never (`unsafe`).",
	  MW_FIELD(struct raw, cache), .members = mw_cache_names },
	{ "discard", "What the guest discards is given back to the host (`unmap`) or kept.",
	  MW_FIELD(struct raw, discard), .members = mw_discard_names },
};
static const struct mw_wire wires[] = {
	{ "image", "The drive.", .kind = MW_IMAGE, .direction = MW_RECEIVES, .on_size = on_size,
	  .on_read = on_read, .on_write = on_write, .on_flush = on_flush, .on_discard = on_discard,
	  .on_writable = on_writable, .on_change = on_change, .on_facts = on_facts },
};

const struct mw_device_type raw_type = {
	MW_DEVICE_TYPE,
	.name = "raw",
	.summary = "a host file or block device as a disk, to read and to write",
	.size = sizeof(struct raw),
	.state_version = 1,
	.backend = "raw",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init, .fini = fini },
};
