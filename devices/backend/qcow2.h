/** A copy-on-write disk image in a subset of QEMU's qcow2 format, version 3 (docs/interop/qcow2.txt of QEMU
 * 7.2): clusters of 64 KiB, a raw backing file, 16-bit reference counts, no snapshots, compression or
 * encryption. Private to this folder and to what makes images. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_QCOW2_H
#define DEVICES_BACKEND_QCOW2_H

#include "devices/backend/medium.h"

enum { MW_QCOW2_NAME_MAX = 1023 };
/** The largest disk: 8 TiB. */
#define MW_QCOW2_SIZE_MAX (UINT64_C(1) << 43)

/** What a file's header says. */
struct mw_qcow2_info {
	uint64_t size;                       /* of the disk, bytes */
	char backing[MW_QCOW2_NAME_MAX + 1]; /* "": none */
	bool has_identity; /* what the backing file was like when the image was made: */
	uint64_t backing_size, backing_modified_ns;
	uint64_t identity_at; /* where the file says so */
	bool merging; /* the image is being written into its backing file, or was until that was interrupted */
};

/** An open image. Borrows the file and the base, which stay open until it is closed; one thread at a time. */
struct mw_qcow2;

/** Writes an empty image into an empty file and flushes it. `base` is open; NULL, or no name: the image has none
 * that it knows by name. */
bool mw_qcow2_create(struct mw_medium *file, uint64_t size, const struct mw_medium *base,
		     const char *name, struct mw_why *why);
/** Reads the header alone. */
bool mw_qcow2_info(struct mw_medium *file, struct mw_qcow2_info *info, struct mw_why *why);
/** Says in the header, durably, that the image is being written into its backing file, whose time of change tells
 * nothing from then on. An image that never knew it stays as it is. */
bool mw_qcow2_begin_merge(struct mw_medium *file, struct mw_qcow2_info *info);
/** Looks at the whole of the image's tables, so that nothing in them can lead anywhere it should not. Blocks that
 * an interrupted write has left over are given back if the file is writable. On false *out is NULL. `base` may be
 * NULL. */
bool mw_qcow2_open(struct mw_qcow2 **out, struct mw_medium *file, struct mw_medium *base,
		   struct mw_why *why);
/** Writes the tables and flushes; NULL-safe. False: something of it failed. */
bool mw_qcow2_close(struct mw_qcow2 *image);

uint64_t mw_qcow2_size(const struct mw_qcow2 *image);
bool mw_qcow2_read(struct mw_qcow2 *image, uint64_t offset, void *bytes, size_t count);
/** Into clusters of the image's own, which it gets at the end of the file. The table that leads to a new cluster is
 * written at the next flush, after the cluster itself is durable. */
bool mw_qcow2_write(struct mw_qcow2 *image, uint64_t offset, const void *bytes, size_t count);
bool mw_qcow2_flush(struct mw_qcow2 *image);
bool mw_qcow2_discard(struct mw_qcow2 *image, uint64_t offset, uint64_t count);

/** Whether anything of the disk is in the image. */
bool mw_qcow2_has_own(const struct mw_qcow2 *image);
/** Bytes of the disk from `offset` on that are all in the image, or all not, which *own tells. 0: it failed. */
uint64_t mw_qcow2_extent(struct mw_qcow2 *image, uint64_t offset, bool *own);

#endif
