/** A host file or block device that holds a disk: opening, locks, caching. Private to this folder and to what
 * makes images. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_MEDIUM_H
#define DEVICES_BACKEND_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"

/** WRITEBACK: a flush makes what was written durable. WRITETHROUGH: each write does. NONE: as WRITEBACK, past
 * the host's page cache. UNSAFE: nothing does, flushes are not heard. */
enum mw_cache { MW_CACHE_WRITEBACK, MW_CACHE_WRITETHROUGH, MW_CACHE_NONE, MW_CACHE_UNSAFE };
/** Their names, for a property; ended by NULL. */
extern const char *const mw_cache_names[];
/** `ignore` and `unmap`: what a discard does. */
extern const char *const mw_discard_names[];

enum { MW_WHY_BYTES = 320 };
/** Why something was refused, in words that follow "cannot use FILE: ". */
struct mw_why {
	char text[MW_WHY_BYTES];
};
/** Returns false. */
bool mw_why_set(struct mw_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct mw_medium_options {
	bool write;
	bool create; /* the file must not be there yet */
	enum mw_cache cache;
	bool unmap;
};

/** An open file; zeroed, it is none. Owned by a backend, used by one thread at a time. While it is open to be
 * written nobody else opens it, and nobody writes it while it is read; QEMU's programs keep to that too. */
struct mw_medium {
	int handle; /* the descriptor + 1 */
	bool writable, unmap, direct;
	enum mw_cache cache;
	uint64_t size;        /* bytes, when it was opened or cut */
	uint64_t modified_ns; /* then; 0: it is a device */
	uint64_t host_device, inode;
	unsigned align; /* of direct accesses */
	uint8_t *bounce;
};

/** Whether a path stands for an empty drive: none, or /dev/null. */
bool mw_medium_is_none(const char *path);
/** On false it stays closed. */
bool mw_medium_open(struct mw_medium *medium, const char *path,
		    const struct mw_medium_options *options, struct mw_why *why);
/** A file without a name, in TMPDIR or /var/tmp, that is gone when it is closed. Flushes are not heard. */
bool mw_medium_open_temporary(struct mw_medium *medium, struct mw_why *why);
/** Safe on one that is closed. */
void mw_medium_close(struct mw_medium *medium);
bool mw_medium_is_open(const struct mw_medium *medium);
/** What it is like now; what was written by this process counts as well. */
void mw_medium_facts(const struct mw_medium *medium, struct mw_image_facts *facts);

/** All `count` bytes, or false. */
bool mw_medium_read(struct mw_medium *medium, uint64_t offset, void *bytes, size_t count);
/** The same, zeros behind the file's end. */
bool mw_medium_read_padded(struct mw_medium *medium, uint64_t offset, void *bytes, size_t count);
/** May lengthen the file; who does not want that looks at the range first. Durable only after a flush,
 * whatever the caching. */
bool mw_medium_write(struct mw_medium *medium, uint64_t offset, const void *bytes, size_t count);
bool mw_medium_flush(struct mw_medium *medium);
/** Gives the range back to the host's file system where that can be; with `unmap`. */
bool mw_medium_discard(struct mw_medium *medium, uint64_t offset, uint64_t count);
/** Gives the file another length, and `size` with it. */
bool mw_medium_cut(struct mw_medium *medium, uint64_t size);

/** Whether a range lies within `size`, whatever the numbers. */
static inline bool mw_within(uint64_t offset, uint64_t count, uint64_t size)
{
	return offset <= size && count <= size - offset;
}

#endif
