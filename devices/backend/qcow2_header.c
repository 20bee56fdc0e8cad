/* A qcow2 image's header: written, and read with every field looked at (docs/interop/qcow2.txt). */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/backend/qcow2_internal.h"

enum {
	VERSION = 3,
	HEADER_BYTES = 104,
	COUNT_ORDER = 4,
	MOST_COUNTS_CLUSTERS = 16, /* of the refcount table; ours and QEMU's own have one */
	IDENTITY_BYTES = 16
};
#define MAGIC            UINT32_C(0x514649fb)
#define EXTENSION_FORMAT UINT32_C(0xe2792aca)
/* Ours: size and time of the backing file, all ones for one that is being written into. QEMU passes over what it
 * does not know. */
#define EXTENSION_IDENTITY UINT32_C(0x4d574241)
#define MERGING            UINT64_MAX

/* Offsets in the header. */
enum {
	AT_VERSION = 4,
	AT_BACKING_OFFSET = 8,
	AT_BACKING_LENGTH = 16,
	AT_CLUSTER_BITS = 20,
	AT_SIZE = 24,
	AT_CRYPT = 32,
	AT_L1_ENTRIES = 36,
	AT_L1_OFFSET = 40,
	AT_COUNTS_OFFSET = 48,
	AT_COUNTS_CLUSTERS = 56,
	AT_SNAPSHOTS = 60,
	AT_INCOMPATIBLE = 72,
	AT_AUTOCLEAR = 88,
	AT_COUNT_ORDER = 96,
	AT_LENGTH = 100
};

struct rule {
	unsigned at, size;
	uint64_t value;
	const char *otherwise;
};
static const struct rule rules[] = {
	{ 0, 4, MAGIC, "it is no qcow2 image" },
	{ AT_VERSION, 4, VERSION, "it is not of version 3 (`qemu-img amend -o compat=1.1`)" },
	{ AT_CLUSTER_BITS, 4, QCOW2_CLUSTER_BITS, "its clusters are not of 64 KiB" },
	{ AT_CRYPT, 4, 0, "it is encrypted" },
	{ AT_SNAPSHOTS, 4, 0, "it has snapshots" },
	{ AT_INCOMPATIBLE, 8, 0,
	  "it was not closed, or has features that this does not know (`qemu-img check`)" },
	{ AT_AUTOCLEAR, 8, 0, "it has bitmaps or a raw data file" },
	{ AT_COUNT_ORDER, 4, COUNT_ORDER, "its reference counts are not of 16 bits" },
};

static uint64_t clusters(uint64_t bytes)
{
	return (bytes + QCOW2_CLUSTER - 1) >> QCOW2_CLUSTER_BITS;
}

static uint64_t l1_needed(uint64_t size)
{
	return (clusters(size) + QCOW2_ENTRIES - 1) / QCOW2_ENTRIES;
}

static bool read_name(const uint8_t *bytes, struct mw_qcow2_info *info, struct mw_why *why)
{
	uint64_t offset = qcow2_get(bytes + AT_BACKING_OFFSET, 8);
	uint64_t length = qcow2_get(bytes + AT_BACKING_LENGTH, 4);

	if (!offset)
		return true;
	if (length > MW_QCOW2_NAME_MAX || !mw_within(offset, length, QCOW2_CLUSTER))
		return mw_why_set(why, "the name of its backing file is not where it should be");
	if (memchr(bytes + offset, 0, length))
		return mw_why_set(why, "the name of its backing file has a zero in it");
	memcpy(info->backing, bytes + offset, length);
	return true;
}

static bool read_extension(uint32_t kind, const uint8_t *bytes, size_t length,
			   struct mw_qcow2_info *info, struct mw_why *why)
{
	if (kind == EXTENSION_FORMAT && (length != 3 || memcmp(bytes, "raw", 3) != 0))
		return mw_why_set(why, "its backing file is not a raw one");
	if (kind == EXTENSION_IDENTITY && length == IDENTITY_BYTES) {
		info->has_identity = true;
		info->backing_size = qcow2_get(bytes, 8);
		info->backing_modified_ns = qcow2_get(bytes + 8, 8);
		info->merging = info->backing_modified_ns == MERGING;
	}
	return true;
}

static bool read_extensions(const uint8_t *bytes, struct mw_qcow2_info *info, struct mw_why *why)
{
	uint64_t at = qcow2_get(bytes + AT_LENGTH, 4);

	if (at < HEADER_BYTES || at % 8)
		return mw_why_set(why, "its header has a length that cannot be");
	while (mw_within(at, 8, QCOW2_CLUSTER)) {
		uint32_t kind = (uint32_t)qcow2_get(bytes + at, 4);
		uint64_t length = qcow2_get(bytes + at + 4, 4);

		if (!kind)
			return true;
		if (!mw_within(at + 8, length, QCOW2_CLUSTER))
			break;
		if (!read_extension(kind, bytes + at + 8, length, info, why))
			return false;
		if (kind == EXTENSION_IDENTITY && info->has_identity)
			info->identity_at = at + 8;
		at += 8 + (length + 7) / 8 * 8;
	}
	return mw_why_set(why, "its header's extensions do not end");
}

static bool is_place(uint64_t offset)
{
	return offset && offset % QCOW2_CLUSTER == 0 && offset < QCOW2_FILE_MAX;
}

static bool read_tables(const uint8_t *bytes, struct qcow2_header *header, struct mw_why *why)
{
	header->size = qcow2_get(bytes + AT_SIZE, 8);
	header->l1_entries = (uint32_t)qcow2_get(bytes + AT_L1_ENTRIES, 4);
	header->l1_offset = qcow2_get(bytes + AT_L1_OFFSET, 8);
	header->counts_offset = qcow2_get(bytes + AT_COUNTS_OFFSET, 8);
	header->counts_clusters = (uint32_t)qcow2_get(bytes + AT_COUNTS_CLUSTERS, 4);
	if (header->size > MW_QCOW2_SIZE_MAX)
		return mw_why_set(why, "its disk has %" PRIu64 " bytes, the most is %" PRIu64,
				  header->size, MW_QCOW2_SIZE_MAX);
	if (header->l1_entries < l1_needed(header->size) ||
	    header->l1_entries > l1_needed(MW_QCOW2_SIZE_MAX) || !is_place(header->l1_offset))
		return mw_why_set(why, "its L1 table cannot be");
	if (!header->counts_clusters || header->counts_clusters > MOST_COUNTS_CLUSTERS ||
	    !is_place(header->counts_offset))
		return mw_why_set(why, "its refcount table cannot be");
	return true;
}

static bool read_header(const uint8_t *bytes, struct qcow2_header *header,
			struct mw_qcow2_info *info, struct mw_why *why)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (qcow2_get(bytes + rules[i].at, rules[i].size) != rules[i].value)
			return mw_why_set(why, "%s", rules[i].otherwise);
	}
	return read_tables(bytes, header, why) && read_extensions(bytes, info, why) &&
	       read_name(bytes, info, why);
}

bool qcow2_header_read(struct mw_medium *file, struct qcow2_header *header,
		       struct mw_qcow2_info *info, struct mw_why *why)
{
	uint8_t *bytes = mw_alloc(1, QCOW2_CLUSTER);
	bool good = mw_medium_read_padded(file, 0, bytes, QCOW2_CLUSTER);

	*info = (struct mw_qcow2_info){ 0 };
	*header = (struct qcow2_header){ 0 };
	if (!good)
		mw_why_set(why, "it cannot be read");
	good = good && read_header(bytes, header, info, why);
	info->size = header->size;
	free(bytes);
	return good;
}

bool mw_qcow2_info(struct mw_medium *file, struct mw_qcow2_info *info, struct mw_why *why)
{
	struct qcow2_header header;

	return qcow2_header_read(file, &header, info, why);
}

bool mw_qcow2_begin_merge(struct mw_medium *file, struct mw_qcow2_info *info)
{
	uint8_t time[8];

	if (!info->has_identity)
		return true;
	qcow2_put(time, sizeof(time), MERGING);
	info->merging = mw_medium_write(file, info->identity_at + 8, time, sizeof(time)) &&
			mw_medium_flush(file);
	return info->merging;
}

bool qcow2_load(struct mw_medium *file, uint64_t offset, uint64_t *entries, size_t count,
		uint8_t *buffer)
{
	for (size_t done = 0; done < count; done += QCOW2_ENTRIES) {
		size_t part = count - done < QCOW2_ENTRIES ? count - done : QCOW2_ENTRIES;

		if (!mw_medium_read_padded(file, offset + done * 8, buffer, part * 8))
			return false;
		for (size_t i = 0; i < part; i++)
			entries[done + i] = qcow2_get(buffer + i * 8, 8);
	}
	return true;
}

bool qcow2_store(struct mw_medium *file, uint64_t offset, const uint64_t *entries, size_t from,
		 size_t to, uint8_t *buffer)
{
	while (from < to) {
		size_t part = to - from < QCOW2_ENTRIES ? to - from : QCOW2_ENTRIES;

		for (size_t i = 0; i < part; i++)
			qcow2_put(buffer + i * 8, 8, entries[from + i]);
		if (!mw_medium_write(file, offset + from * 8, buffer, part * 8))
			return false;
		from += part;
	}
	return true;
}

/** Appends an extension; returns where the next one goes. */
static size_t put_extension(uint8_t *bytes, size_t at, uint32_t kind, const void *data,
			    size_t length)
{
	qcow2_put(bytes + at, 4, kind);
	qcow2_put(bytes + at + 4, 4, length);
	memcpy(bytes + at + 8, data, length);
	return at + 8 + (length + 7) / 8 * 8;
}

static void put_backing(uint8_t *bytes, const struct mw_medium *base, const char *name)
{
	uint8_t identity[IDENTITY_BYTES];
	size_t at = put_extension(bytes, HEADER_BYTES, EXTENSION_FORMAT, "raw", 3);

	qcow2_put(identity, 8, base->size);
	qcow2_put(identity + 8, 8, base->modified_ns);
	at = put_extension(bytes, at, EXTENSION_IDENTITY, identity, sizeof(identity)) + 8;
	qcow2_put(bytes + AT_BACKING_OFFSET, 8, at);
	qcow2_put(bytes + AT_BACKING_LENGTH, 4, strlen(name));
	memcpy(bytes + at, name, strlen(name));
}

/* Clusters: header, refcount table, its first block, L1. */
enum { CLUSTER_COUNTS = 1, CLUSTER_BLOCK, CLUSTER_L1 };

static void put_header(uint8_t *bytes, uint64_t size)
{
	qcow2_put(bytes, 4, MAGIC);
	qcow2_put(bytes + AT_VERSION, 4, VERSION);
	qcow2_put(bytes + AT_CLUSTER_BITS, 4, QCOW2_CLUSTER_BITS);
	qcow2_put(bytes + AT_SIZE, 8, size);
	qcow2_put(bytes + AT_L1_ENTRIES, 4, l1_needed(size));
	qcow2_put(bytes + AT_L1_OFFSET, 8, CLUSTER_L1 * QCOW2_CLUSTER);
	qcow2_put(bytes + AT_COUNTS_OFFSET, 8, CLUSTER_COUNTS * QCOW2_CLUSTER);
	qcow2_put(bytes + AT_COUNTS_CLUSTERS, 4, 1);
	qcow2_put(bytes + AT_COUNT_ORDER, 4, COUNT_ORDER);
	qcow2_put(bytes + AT_LENGTH, 4, HEADER_BYTES);
}

/* The header last: before it the file is no image. */
static bool write_empty(struct mw_medium *file, uint64_t size, const struct mw_medium *base,
			const char *name, uint8_t *bytes)
{
	uint64_t block = CLUSTER_BLOCK * QCOW2_CLUSTER;
	uint64_t taken = CLUSTER_L1 + clusters(l1_needed(size) * 8);

	if (!mw_medium_cut(file, taken * QCOW2_CLUSTER))
		return false;
	for (uint64_t i = 0; i < taken; i++)
		qcow2_put(bytes + i * 2, 2, 1);
	if (!mw_medium_write(file, block, bytes, QCOW2_CLUSTER))
		return false;
	memset(bytes, 0, QCOW2_CLUSTER);
	if (!qcow2_store(file, CLUSTER_COUNTS * QCOW2_CLUSTER, &block, 0, 1, bytes) ||
	    !mw_medium_flush(file))
		return false;
	memset(bytes, 0, QCOW2_CLUSTER);
	put_header(bytes, size);
	if (base && name)
		put_backing(bytes, base, name);
	return mw_medium_write(file, 0, bytes, QCOW2_CLUSTER) && mw_medium_flush(file);
}

bool mw_qcow2_create(struct mw_medium *file, uint64_t size, const struct mw_medium *base,
		     const char *name, struct mw_why *why)
{
	uint8_t *bytes;
	bool good;

	size = (size + 511) / 512 * 512;
	if (size > MW_QCOW2_SIZE_MAX)
		return mw_why_set(why, "a disk of more than %" PRIu64 " bytes", MW_QCOW2_SIZE_MAX);
	if (name && strlen(name) > MW_QCOW2_NAME_MAX)
		return mw_why_set(why, "the name of its backing file is too long");
	bytes = mw_alloc(1, QCOW2_CLUSTER);
	good = write_empty(file, size, base, name, bytes);
	free(bytes);
	return good || mw_why_set(why, "it cannot be written");
}
