/* Host files that hold disks. The locks are those of QEMU's block layer: one byte for each thing that is done
 * to the file and one for each that others may not do (open file description locks, fcntl(2)). */
// SPDX-License-Identifier: MIT
#include "devices/backend/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

/* BOUNCE_BYTES is a multiple of any alignment. */
enum { BOUNCE_BYTES = 65536, LARGEST_ALIGN = 4096, SMALLEST_ALIGN = 512 };
enum { LOCK_USED = 100, LOCK_REFUSED = 200, USE_READ = 1, USE_WRITE = 2, USE_RESIZE = 8 };

const char *const mw_cache_names[] = { "writeback", "writethrough", "none", "unsafe", NULL };
const char *const mw_discard_names[] = { "ignore", "unmap", NULL };

bool mw_why_set(struct mw_why *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return false;
}

static int descriptor(const struct mw_medium *medium)
{
	return medium->handle - 1;
}

bool mw_medium_is_open(const struct mw_medium *medium)
{
	return medium->handle;
}

/* Where locks do not work at all there are none. */
static bool lock_byte(int fd, int command, short type, off_t at)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	if (fcntl(fd, command, &lock) < 0)
		return errno != EAGAIN && errno != EACCES;
	return command == F_OFD_SETLK || lock.l_type == F_UNLCK;
}

/** Takes a byte for each bit, and sees that nobody has the opposite one. */
static bool lock_bits(int fd, unsigned bits, off_t mine, off_t theirs)
{
	for (unsigned bit = 0; bits >> bit; bit++) {
		if (bits & 1u << bit && !lock_byte(fd, F_OFD_SETLK, F_RDLCK, mine + bit))
			return false;
	}
	for (unsigned bit = 0; bits >> bit; bit++) {
		if (bits & 1u << bit && !lock_byte(fd, F_OFD_GETLK, F_WRLCK, theirs + bit))
			return false;
	}
	return true;
}

static bool lock(const struct mw_medium *medium, bool write, struct mw_why *why)
{
	unsigned used = write ? USE_READ | USE_WRITE : USE_READ;

	if (lock_bits(descriptor(medium), used, LOCK_USED, LOCK_REFUSED) &&
	    lock_bits(descriptor(medium), USE_WRITE | USE_RESIZE, LOCK_REFUSED, LOCK_USED))
		return true;
	return mw_why_set(why, write ? "someone else uses it" : "someone else writes it");
}

static uint64_t modified_ns(const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return 0;
	return (uint64_t)status->st_mtim.tv_sec * 1000000000 + (uint64_t)status->st_mtim.tv_nsec;
}

static bool measure(struct mw_medium *medium, struct mw_why *why)
{
	struct stat status;
	off_t size;

	if (fstat(descriptor(medium), &status) < 0)
		return mw_why_set(why, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return mw_why_set(why, "not a regular file");
	size = lseek(descriptor(medium), 0, SEEK_END);
	if (size < 0)
		return mw_why_set(why, "%s", strerror(errno));
	medium->size = (uint64_t)size;
	medium->modified_ns = modified_ns(&status);
	medium->host_device = status.st_dev;
	medium->inode = status.st_ino;
	return true;
}

void mw_medium_facts(const struct mw_medium *medium, struct mw_image_facts *facts)
{
	struct stat status;

	*facts = (struct mw_image_facts){ .size = medium->size };
	if (mw_medium_is_open(medium) && fstat(descriptor(medium), &status) == 0)
		facts->modified_ns = modified_ns(&status);
}

/* Sectors have 512 bytes or 4096; what is whole in the larger ones suits both. */
static bool prepare_direct(struct mw_medium *medium, struct mw_why *why)
{
	uintptr_t start = (uintptr_t)medium->bounce;
	void *at = medium->bounce + (LARGEST_ALIGN - start % LARGEST_ALIGN) % LARGEST_ALIGN;

	medium->align = medium->size % LARGEST_ALIGN ? SMALLEST_ALIGN : LARGEST_ALIGN;
	if (medium->size % SMALLEST_ALIGN)
		return mw_why_set(why, "`cache: none` needs a size in whole sectors of %d bytes",
				  SMALLEST_ALIGN);
	if (pread(descriptor(medium), at, medium->align, 0) < 0)
		return mw_why_set(why, "`cache: none` does not work there: %s", strerror(errno));
	return true;
}

static bool prepare(struct mw_medium *medium, const struct mw_medium_options *options,
		    struct mw_why *why)
{
	if (!measure(medium, why) || !lock(medium, options->write, why))
		return false;
	medium->writable = options->write;
	medium->cache = options->cache;
	medium->unmap = options->unmap;
	medium->direct = options->cache == MW_CACHE_NONE;
	if (!medium->direct)
		return true;
	medium->bounce = mw_alloc(1, BOUNCE_BYTES + LARGEST_ALIGN);
	return prepare_direct(medium, why);
}

bool mw_medium_is_none(const char *path)
{
	return !path || !*path || strcmp(path, "/dev/null") == 0;
}

bool mw_medium_open(struct mw_medium *medium, const char *path,
		    const struct mw_medium_options *options, struct mw_why *why)
{
	/* Without O_NONBLOCK a named pipe in the file's place would stop us here for ever. */
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (options->write ? O_RDWR : O_RDONLY);
	int fd;

	flags |= options->create ? O_CREAT | O_EXCL : 0;
	flags |= options->cache == MW_CACHE_NONE ? O_DIRECT : 0;
	*medium = (struct mw_medium){ 0 };
	fd = open(path, flags, 0666);
	if (fd < 0)
		return mw_why_set(why, "%s",
				  errno == EISDIR ? "not a regular file" : strerror(errno));
	medium->handle = fd + 1;
	if (prepare(medium, options, why))
		return true;
	mw_medium_close(medium);
	return false;
}

bool mw_medium_open_temporary(struct mw_medium *medium, struct mw_why *why)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	*medium = (struct mw_medium){ .writable = true, .unmap = true, .cache = MW_CACHE_UNSAFE };
	if (!folder || !*folder)
		folder = "/var/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return mw_why_set(why, "no temporary file in %s: %s", folder, strerror(errno));
	medium->handle = fd + 1;
	return true;
}

void mw_medium_close(struct mw_medium *medium)
{
	if (medium->handle)
		close(descriptor(medium));
	free(medium->bounce);
	*medium = (struct mw_medium){ 0 };
}

/** Reads until the end of the range or of the file; how much that was, or -1. */
static ssize_t read_plain(const struct mw_medium *medium, uint64_t offset, uint8_t *to,
			  size_t count)
{
	size_t done = 0;

	while (done < count) {
		ssize_t got =
			pread(descriptor(medium), to + done, count - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
		/* A direct read goes on from an aligned place only: behind a short one is the end. */
		if (medium->direct && (size_t)got % medium->align)
			break;
	}
	return (ssize_t)done;
}

static bool write_plain(const struct mw_medium *medium, uint64_t offset, const uint8_t *from,
			size_t count)
{
	while (count) {
		ssize_t put = pwrite(descriptor(medium), from, count, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		from += put;
		offset += (uint64_t)put;
		count -= (size_t)put;
	}
	return true;
}

/** The aligned range around one, as much of it as the bounce buffer holds. */
struct window {
	uint8_t *bytes;
	uint64_t begin;
	size_t length;
	size_t skip, part; /* where the range begins in it, and how much of it that is */
};

static struct window window_at(const struct mw_medium *medium, uint64_t offset, size_t count)
{
	uintptr_t start = (uintptr_t)medium->bounce;
	struct window window = {
		.bytes = medium->bounce + (LARGEST_ALIGN - start % LARGEST_ALIGN) % LARGEST_ALIGN,
		.begin = offset - offset % medium->align,
		.skip = (size_t)(offset % medium->align),
	};

	window.part =
		count < BOUNCE_BYTES - window.skip ? count : (size_t)BOUNCE_BYTES - window.skip;
	window.length =
		(window.skip + window.part + medium->align - 1) / medium->align * medium->align;
	return window;
}

static bool is_aligned(const struct mw_medium *medium, uint64_t offset, const void *bytes,
		       size_t count)
{
	return offset % medium->align == 0 && count % medium->align == 0 &&
	       (uintptr_t)bytes % medium->align == 0;
}

static ssize_t read_some(const struct mw_medium *medium, uint64_t offset, uint8_t *to, size_t count)
{
	size_t done = 0;

	if (!medium->direct || is_aligned(medium, offset, to, count))
		return read_plain(medium, offset, to, count);
	while (done < count) {
		struct window window = window_at(medium, offset + done, count - done);
		ssize_t got = read_plain(medium, window.begin, window.bytes, window.length);
		size_t useful = got > (ssize_t)window.skip ? (size_t)got - window.skip : 0;

		if (got < 0)
			return -1;
		if (useful > window.part)
			useful = window.part;
		memcpy(to + done, window.bytes + window.skip, useful);
		done += useful;
		if (useful < window.part)
			break;
	}
	return (ssize_t)done;
}

bool mw_medium_read(struct mw_medium *medium, uint64_t offset, void *bytes, size_t count)
{
	return mw_within(offset, count, INT64_MAX) &&
	       read_some(medium, offset, bytes, count) == (ssize_t)count;
}

bool mw_medium_read_padded(struct mw_medium *medium, uint64_t offset, void *bytes, size_t count)
{
	ssize_t got =
		mw_within(offset, count, INT64_MAX) ? read_some(medium, offset, bytes, count) : -1;

	if (got >= 0)
		memset((uint8_t *)bytes + got, 0, count - (size_t)got);
	return got >= 0;
}

static bool write_window(struct mw_medium *medium, const struct window *window, const uint8_t *from)
{
	if (window->skip || window->part < window->length) {
		ssize_t got = read_plain(medium, window->begin, window->bytes, window->length);

		if (got < 0)
			return false;
		memset(window->bytes + got, 0, window->length - (size_t)got);
	}
	memcpy(window->bytes + window->skip, from, window->part);
	return write_plain(medium, window->begin, window->bytes, window->length);
}

bool mw_medium_write(struct mw_medium *medium, uint64_t offset, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	if (!medium->writable || !mw_within(offset, count, INT64_MAX))
		return false;
	if (!medium->direct || is_aligned(medium, offset, bytes, count))
		return write_plain(medium, offset, bytes, count);
	while (count) {
		struct window window = window_at(medium, offset, count);

		if (!write_window(medium, &window, from))
			return false;
		from += window.part;
		offset += window.part;
		count -= window.part;
	}
	return true;
}

bool mw_medium_flush(struct mw_medium *medium)
{
	int status;

	if (!medium->writable || medium->cache == MW_CACHE_UNSAFE)
		return true;
	do
		status = fdatasync(descriptor(medium));
	while (status < 0 && errno == EINTR);
	return status == 0;
}

bool mw_medium_discard(struct mw_medium *medium, uint64_t offset, uint64_t count)
{
	if (!medium->writable || !mw_within(offset, count, INT64_MAX))
		return false;
	if (!medium->unmap || !count)
		return true;
	if (fallocate(descriptor(medium), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)count) == 0)
		return true;
	return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
}

bool mw_medium_cut(struct mw_medium *medium, uint64_t size)
{
	if (!medium->writable || size > INT64_MAX || ftruncate(descriptor(medium), (off_t)size) < 0)
		return false;
	medium->size = size;
	return true;
}
