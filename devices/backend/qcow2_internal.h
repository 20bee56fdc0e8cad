/** The parts of a qcow2 image. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_QCOW2_INTERNAL_H
#define DEVICES_BACKEND_QCOW2_INTERNAL_H

#include "devices/backend/qcow2.h"

enum {
	QCOW2_CLUSTER_BITS = 16,
	QCOW2_CLUSTER = 1 << QCOW2_CLUSTER_BITS,
	QCOW2_ENTRIES = QCOW2_CLUSTER / 8, /* of a table */
	QCOW2_COUNTS = QCOW2_CLUSTER / 2,  /* of a refcount block */
	QCOW2_TABLES = 32                  /* that are held in memory: 16 GiB of the disk */
};
/** The longest file: 16 TiB. One cluster of the refcount table is enough for it. */
#define QCOW2_FILE_MAX (UINT64_C(1) << 44)

/* Entries of L1 and L2 tables. */
#define QCOW2_COPIED     (UINT64_C(1) << 63)
#define QCOW2_COMPRESSED (UINT64_C(1) << 62)
#define QCOW2_ZERO       UINT64_C(1)
#define QCOW2_OFFSET     UINT64_C(0x00fffffffffffe00)

struct qcow2_header {
	uint64_t size, l1_offset, counts_offset;
	uint32_t l1_entries, counts_clusters;
};

/** An L2 table in memory. */
struct qcow2_table {
	uint64_t *entries; /* NULL: the slot is free */
	uint64_t number;   /* of its L1 entry */
	uint64_t used;     /* when */
	unsigned dirty_from, dirty_to;
};

struct mw_qcow2 {
	struct mw_medium *file, *base;
	struct qcow2_header header;
	uint64_t end;     /* clusters of the file that are taken, free ones between them too */
	uint64_t counted; /* those of them whose counts are in the file */
	unsigned fresh;   /* clusters that were taken since tables were written */
	uint64_t *l1, *counts;
	size_t l1_dirty_from, l1_dirty_to, counts_dirty_from, counts_dirty_to;
	struct qcow2_table tables[QCOW2_TABLES];
	uint64_t turn;
	uint8_t *buffer; /* a cluster */
};

static inline uint64_t qcow2_get(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static inline void qcow2_put(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

/* qcow2_header.c */
bool qcow2_header_read(struct mw_medium *file, struct qcow2_header *header,
		       struct mw_qcow2_info *info, struct mw_why *why);
/** Entries from a table in the file. `buffer` holds a cluster. */
bool qcow2_load(struct mw_medium *file, uint64_t offset, uint64_t *entries, size_t count,
		uint8_t *buffer);
/** Writes entries `from` to `to` of a table to where it is. */
bool qcow2_store(struct mw_medium *file, uint64_t offset, const uint64_t *entries, size_t from,
		 size_t to, uint8_t *buffer);

/* qcow2_check.c */
/** Follows every reference and finds `end`. */
bool qcow2_check(struct mw_qcow2 *image, struct mw_why *why);

/* qcow2_table.c */
/** The L2 table for a place of the disk; NULL in *table: there is none, and `make` was not asked for. Valid until
 * the next call. */
bool qcow2_table(struct mw_qcow2 *image, uint64_t offset, bool make, struct qcow2_table **table);
void qcow2_set_entry(struct qcow2_table *table, size_t index, uint64_t entry);
/** Whether what an entry refers to is in the taken part of the file. */
bool qcow2_entry_good(const struct mw_qcow2 *image, uint64_t entry);
/** Writes counts and tables in an order that leaves a good image wherever it ends. */
bool qcow2_commit(struct mw_qcow2 *image);
/** Clears counts behind the end and cuts the file off there. */
bool qcow2_tidy(struct mw_qcow2 *image);

#endif
