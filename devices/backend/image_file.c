/* A host file's bytes, for reading. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/device.h"
#include "core/diagnostics.h"

struct image_file {
	const char *path;
	bool opened;
	int fd;
	uint64_t size;
};

static bool fail(const struct image_file *file, struct mw_diagnostics *diagnostics, const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "%s: cannot read %s: %s", mw_device_id(file), file->path, why);
	return false;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct image_file *file = self;
	struct stat status;

	/* Without O_NONBLOCK a named pipe in the file's place would stop us here for ever. */
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return fail(file, diagnostics, strerror(errno));
	file->opened = true;
	if (fstat(file->fd, &status) < 0)
		return fail(file, diagnostics, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail(file, diagnostics, "not a regular file");
	file->size = (uint64_t)status.st_size;
	return true;
}

static void fini(void *self)
{
	struct image_file *file = self;

	if (file->opened)
		close(file->fd);
}

static uint64_t on_size(void *self)
{
	return ((struct image_file *)self)->size;
}

static bool on_read(void *self, uint64_t offset, void *bytes, size_t count)
{
	struct image_file *file = self;
	uint8_t *to = bytes;

	while (count) {
		ssize_t done = pread(file->fd, to, count, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		to += done;
		offset += (uint64_t)done;
		count -= (size_t)done;
	}
	return true;
}

static const struct mw_property properties[] = {
	{ "path", "The file.", MW_FIELD(struct image_file, path), .required = true,
	  .is_path = true },
};
static const struct mw_wire wires[] = {
	{ "image", "The device that reads.", .kind = MW_IMAGE, .direction = MW_RECEIVES,
	  .on_size = on_size, .on_read = on_read },
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
