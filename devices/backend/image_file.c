/* A host file's bytes, for reading. */
// SPDX-License-Identifier: MIT
#include "core/device.h"
#include "core/diagnostics.h"
#include "devices/backend/medium.h"

struct image_file {
	const char *path;
	struct mw_medium medium;
};

static bool open_medium(const struct image_file *file, const char *path, struct mw_medium *medium,
			struct mw_diagnostics *diagnostics)
{
	struct mw_why why;

	if (mw_medium_open(medium, path, &(struct mw_medium_options){ 0 }, &why))
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: cannot read %s: %s", mw_device_id(file), path, why.text);
	return false;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct image_file *file = self;

	return mw_medium_is_none(file->path) ||
	       open_medium(file, file->path, &file->medium, diagnostics);
}

static void fini(void *self)
{
	mw_medium_close(&((struct image_file *)self)->medium);
}

static uint64_t on_size(void *self)
{
	return ((struct image_file *)self)->medium.size;
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct mw_medium *medium = &((struct image_file *)self)->medium;

	return mw_medium_is_open(medium) && mw_within(offset, count, medium->size) &&
	       mw_medium_read(medium, offset, bytes, count);
}

static bool on_change(void *self, const char *path, struct mw_diagnostics *diagnostics)
{
	struct image_file *file = self;
	struct mw_medium next = { 0 };

	if (!mw_medium_is_none(path) && !open_medium(file, path, &next, diagnostics))
		return false;
	mw_medium_close(&file->medium);
	file->medium = next;
	return true;
}

static void on_facts(void *self, struct mw_image_facts *facts)
{
	mw_medium_facts(&((struct image_file *)self)->medium, facts);
}

static const struct mw_property properties[] = {
	{ "path", "The file or block device; nothing is there when it is empty or /dev/null.",
	  MW_FIELD(struct image_file, path), .is_path = true, .fallback_text = "" },
};
static const struct mw_wire wires[] = {
	{ "image", "The device that reads.", .kind = MW_IMAGE, .direction = MW_RECEIVES,
	  .on_size = on_size, .on_read = on_read, .on_change = on_change, .on_facts = on_facts },
};

const struct mw_device_type image_file_type = {
	MW_DEVICE_TYPE,
	.name = "image-file",
	.summary = "the bytes of a host file, read-only",
	.size = sizeof(struct image_file),
	.state_version = 1,
	.backend = "file",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init, .fini = fini },
};
