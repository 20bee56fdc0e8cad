/* Follows every reference of a qcow2 image once, before anything is believed: each cluster has one use and lies
 * inside the file. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "core/alloc.h"
#include "devices/backend/qcow2_internal.h"

struct scan {
	struct mw_qcow2 *image;
	uint64_t clusters; /* of the file */
	uint64_t end;      /* behind the last one that is in use */
	uint8_t *used;     /* a bit each */
	uint64_t *entries; /* of the table that is looked at */
	struct mw_why *why;
};

static bool use(struct scan *scan, uint64_t offset, uint64_t count, const char *what)
{
	uint64_t first = offset >> QCOW2_CLUSTER_BITS;

	if (offset % QCOW2_CLUSTER || !mw_within(first, count, scan->clusters))
		return mw_why_set(scan->why, "%s is not inside the file", what);
	for (uint64_t i = first; i < first + count; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);

		if (scan->used[i / 8] & bit)
			return mw_why_set(scan->why, "%s lies over something else", what);
		scan->used[i / 8] |= bit;
	}
	if (scan->end < first + count)
		scan->end = first + count;
	return true;
}

static bool check_data(struct scan *scan, uint64_t entry)
{
	if (entry & QCOW2_COMPRESSED)
		return mw_why_set(scan->why, "it has compressed clusters");
	if (entry & ~(QCOW2_COPIED | QCOW2_OFFSET | QCOW2_ZERO))
		return mw_why_set(scan->why, "an L2 entry has bits that are reserved");
	if (!(entry & QCOW2_OFFSET))
		return true;
	if (!(entry & QCOW2_COPIED))
		return mw_why_set(scan->why, "a cluster has more than one use");
	return use(scan, entry & QCOW2_OFFSET, 1, "a cluster");
}

static bool check_table(struct scan *scan, uint64_t entry)
{
	struct mw_qcow2 *image = scan->image;

	if (entry & ~(QCOW2_COPIED | QCOW2_OFFSET))
		return mw_why_set(scan->why, "an L1 entry has bits that are reserved");
	if (!(entry & QCOW2_OFFSET))
		return true;
	if (!(entry & QCOW2_COPIED))
		return mw_why_set(scan->why, "an L2 table has more than one use");
	if (!use(scan, entry & QCOW2_OFFSET, 1, "an L2 table"))
		return false;
	if (!qcow2_load(image->file, entry & QCOW2_OFFSET, scan->entries, QCOW2_ENTRIES,
			image->buffer))
		return mw_why_set(scan->why, "it cannot be read");
	for (size_t i = 0; i < QCOW2_ENTRIES; i++) {
		if (!check_data(scan, scan->entries[i]))
			return false;
	}
	return true;
}

static bool check_counts(struct scan *scan)
{
	struct mw_qcow2 *image = scan->image;

	for (size_t i = 0; i < (size_t)image->header.counts_clusters * QCOW2_ENTRIES; i++) {
		uint64_t entry = image->counts[i];

		if (entry & ~QCOW2_OFFSET)
			return mw_why_set(scan->why, "a refcount table's entry cannot be");
		if (entry && !use(scan, entry, 1, "a refcount block"))
			return false;
	}
	return true;
}

static bool check_all(struct scan *scan)
{
	const struct qcow2_header *header = &scan->image->header;
	uint64_t l1_clusters =
		((uint64_t)header->l1_entries * 8 + QCOW2_CLUSTER - 1) >> QCOW2_CLUSTER_BITS;

	if (!use(scan, 0, 1, "the header") ||
	    !use(scan, header->l1_offset, l1_clusters, "the L1 table") ||
	    !use(scan, header->counts_offset, header->counts_clusters, "the refcount table") ||
	    !check_counts(scan))
		return false;
	for (size_t i = 0; i < header->l1_entries; i++) {
		if (!check_table(scan, scan->image->l1[i]))
			return false;
	}
	return true;
}

bool qcow2_check(struct mw_qcow2 *image, struct mw_why *why)
{
	uint64_t bytes = image->file->size;
	struct scan scan = { .image = image, .why = why };
	bool good;

	if (bytes > QCOW2_FILE_MAX)
		return mw_why_set(why, "the file is too long");
	scan.clusters = (bytes + QCOW2_CLUSTER - 1) >> QCOW2_CLUSTER_BITS;
	scan.used = mw_alloc(1, scan.clusters / 8 + 1);
	scan.entries = mw_alloc(QCOW2_ENTRIES, sizeof(*scan.entries));
	good = check_all(&scan);
	image->end = scan.end;
	free(scan.used);
	free(scan.entries);
	return good;
}
