/** Files that a boot loader reads again at every reset. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/boot/boot_internal.h"

static bool fail(const struct mw_boot_file *file, struct mw_diagnostics *diagnostics,
		 const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", file->span, "%s `%s`: %s",
			   file->what, file->path, why);
	return false;
}

bool mw_boot_file_open(struct mw_boot_file *file, struct mw_diagnostics *diagnostics)
{
	struct stat status;
	/* a pipe without a writer must not hold up the machine */
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return fail(file, diagnostics, errno == ENOENT ? "no such file" : strerror(errno));
	if (fstat(file->fd, &status) < 0)
		return fail(file, diagnostics, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return fail(file, diagnostics, "is a directory");
	if (!S_ISREG(status.st_mode))
		return fail(file, diagnostics, "is not a regular file");
	if (!status.st_size)
		return fail(file, diagnostics, "is empty");
	file->size = (uint64_t)status.st_size;
	file->modified = status.st_mtim;
	return true;
}

static bool is_unchanged(const struct mw_boot_file *file)
{
	struct stat status;
	return fstat(file->fd, &status) == 0 && (uint64_t)status.st_size == file->size &&
	       status.st_mtim.tv_sec == file->modified.tv_sec &&
	       status.st_mtim.tv_nsec == file->modified.tv_nsec;
}

bool mw_boot_file_read(const struct mw_boot_file *file, uint64_t offset, void *bytes,
		       uint64_t count, struct mw_diagnostics *diagnostics)
{
	uint64_t done = 0;
	while (done < count) {
		ssize_t got = pread(file->fd, (uint8_t *)bytes + done, (size_t)(count - done),
				    (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(file, diagnostics, strerror(errno));
		if (!got)
			break;
		done += (uint64_t)got;
	}
	if (done < count || !is_unchanged(file))
		return fail(file, diagnostics, "has changed since the machine was started");
	return true;
}
