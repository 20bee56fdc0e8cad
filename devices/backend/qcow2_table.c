/* A qcow2 image's L2 tables and reference counts, in memory and on their way to the file. Clusters are taken at
 * the end of the file alone, so a count is one for all that are taken. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/backend/qcow2_internal.h"

static void mark(size_t *from, size_t *to, size_t index)
{
	if (*from == *to) {
		*from = index;
		*to = index + 1;
	}
	if (index < *from)
		*from = index;
	if (index >= *to)
		*to = index + 1;
}

void qcow2_set_entry(struct qcow2_table *table, size_t index, uint64_t entry)
{
	size_t from = table->dirty_from, to = table->dirty_to;

	table->entries[index] = entry;
	mark(&from, &to, index);
	table->dirty_from = (unsigned)from;
	table->dirty_to = (unsigned)to;
}

bool qcow2_entry_good(const struct mw_qcow2 *image, uint64_t entry)
{
	uint64_t offset = entry & QCOW2_OFFSET;

	return !(entry & ~(QCOW2_COPIED | QCOW2_OFFSET | QCOW2_ZERO)) &&
	       offset % QCOW2_CLUSTER == 0 && offset >> QCOW2_CLUSTER_BITS < image->end;
}

static struct qcow2_table *find(struct mw_qcow2 *image, uint64_t number)
{
	for (size_t i = 0; i < QCOW2_TABLES; i++) {
		struct qcow2_table *table = &image->tables[i];

		if (table->entries && table->number == number)
			return table;
	}
	return NULL;
}

static struct qcow2_table *oldest(struct mw_qcow2 *image)
{
	struct qcow2_table *found = &image->tables[0];

	for (size_t i = 1; i < QCOW2_TABLES; i++) {
		if (image->tables[i].used < found->used)
			found = &image->tables[i];
	}
	return found;
}

/** A slot for a table; NULL: what it held cannot be written. */
static struct qcow2_table *take_slot(struct mw_qcow2 *image, uint64_t number)
{
	struct qcow2_table *table = oldest(image);

	if (table->dirty_from < table->dirty_to && !qcow2_commit(image))
		return NULL;
	if (!table->entries)
		table->entries = mw_alloc(QCOW2_ENTRIES, sizeof(*table->entries));
	table->number = number;
	table->dirty_from = table->dirty_to = 0;
	return table;
}

static void make_table(struct mw_qcow2 *image, struct qcow2_table *table)
{
	memset(table->entries, 0, QCOW2_CLUSTER);
	table->dirty_to = QCOW2_ENTRIES;
	image->l1[table->number] = image->end++ << QCOW2_CLUSTER_BITS | QCOW2_COPIED;
	image->fresh++;
	mark(&image->l1_dirty_from, &image->l1_dirty_to, table->number);
}

static bool load_table(struct mw_qcow2 *image, struct qcow2_table *table)
{
	uint64_t offset = image->l1[table->number] & QCOW2_OFFSET;

	if (qcow2_load(image->file, offset, table->entries, QCOW2_ENTRIES, image->buffer))
		return true;
	free(table->entries);
	*table = (struct qcow2_table){ 0 };
	return false;
}

bool qcow2_table(struct mw_qcow2 *image, uint64_t offset, bool make, struct qcow2_table **table)
{
	uint64_t number = offset / QCOW2_CLUSTER / QCOW2_ENTRIES;
	bool is_there = image->l1[number] & QCOW2_OFFSET;

	*table = NULL;
	if (!is_there && !make)
		return true;
	*table = find(image, number);
	if (!*table) {
		*table = take_slot(image, number);
		if (!*table)
			return false;
		if (!is_there)
			make_table(image, *table);
		else if (!load_table(image, *table))
			return false;
	}
	(*table)->used = ++image->turn;
	return true;
}

static bool make_block(struct mw_qcow2 *image, size_t block)
{
	uint64_t offset = image->end << QCOW2_CLUSTER_BITS;

	memset(image->buffer, 0, QCOW2_CLUSTER);
	if (!mw_medium_write(image->file, offset, image->buffer, QCOW2_CLUSTER))
		return false;
	image->counts[block] = offset;
	image->end++;
	mark(&image->counts_dirty_from, &image->counts_dirty_to, block);
	return true;
}

/** Counts clusters that were taken, up to the end of a block at most. */
static bool count_run(struct mw_qcow2 *image)
{
	size_t block = image->counted / QCOW2_COUNTS, from = image->counted % QCOW2_COUNTS;
	uint64_t to;

	if (block >= (size_t)image->header.counts_clusters * QCOW2_ENTRIES)
		return false;
	if (!image->counts[block] && !make_block(image, block))
		return false;
	to = image->end - block * QCOW2_COUNTS;
	if (to > QCOW2_COUNTS)
		to = QCOW2_COUNTS;
	for (size_t i = from; i < to; i++)
		qcow2_put(image->buffer + (i - from) * 2, 2, 1);
	if (!mw_medium_write(image->file, image->counts[block] + from * 2, image->buffer,
			     (to - from) * 2))
		return false;
	image->counted = block * QCOW2_COUNTS + to;
	return true;
}

static bool write_counts(struct mw_qcow2 *image)
{
	while (image->counted < image->end) {
		if (!count_run(image))
			return false;
	}
	if (image->counts_dirty_from == image->counts_dirty_to)
		return true;
	if (!mw_medium_flush(image->file) ||
	    !qcow2_store(image->file, image->header.counts_offset, image->counts,
			 image->counts_dirty_from, image->counts_dirty_to, image->buffer))
		return false;
	image->counts_dirty_from = image->counts_dirty_to = 0;
	return true;
}

static bool write_tables(struct mw_qcow2 *image)
{
	for (size_t i = 0; i < QCOW2_TABLES; i++) {
		struct qcow2_table *table = &image->tables[i];

		if (table->dirty_from >= table->dirty_to)
			continue;
		if (!qcow2_store(image->file, image->l1[table->number] & QCOW2_OFFSET,
				 table->entries, table->dirty_from, table->dirty_to, image->buffer))
			return false;
		table->dirty_from = table->dirty_to = 0;
	}
	return true;
}

static bool write_l1(struct mw_qcow2 *image)
{
	if (image->l1_dirty_from == image->l1_dirty_to)
		return true;
	if (!mw_medium_flush(image->file) ||
	    !qcow2_store(image->file, image->header.l1_offset, image->l1, image->l1_dirty_from,
			 image->l1_dirty_to, image->buffer))
		return false;
	image->l1_dirty_from = image->l1_dirty_to = 0;
	return true;
}

static bool is_dirty(const struct mw_qcow2 *image)
{
	bool dirty = image->counted < image->end ||
		     image->counts_dirty_from < image->counts_dirty_to ||
		     image->l1_dirty_from < image->l1_dirty_to;

	for (size_t i = 0; i < QCOW2_TABLES; i++)
		dirty |= image->tables[i].dirty_from < image->tables[i].dirty_to;
	return dirty;
}

/* Data and counts are durable before an L2 entry leads to them, L2 tables before L1 does. */
bool qcow2_commit(struct mw_qcow2 *image)
{
	if (!is_dirty(image))
		return true;
	if (!write_counts(image) || !mw_medium_flush(image->file) || !write_tables(image) ||
	    !write_l1(image))
		return false;
	image->fresh = 0;
	return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

/** Clears the counts of a block from one on. */
static bool clear_counts(struct mw_qcow2 *image, uint64_t block, size_t from)
{
	size_t bytes = (QCOW2_COUNTS - from) * 2;

	if (!mw_medium_read_padded(image->file, block + from * 2, image->buffer, bytes))
		return false;
	if (is_zero(image->buffer, bytes))
		return true;
	memset(image->buffer, 0, bytes);
	return mw_medium_write(image->file, block + from * 2, image->buffer, bytes);
}

bool qcow2_tidy(struct mw_qcow2 *image)
{
	size_t blocks = (size_t)image->header.counts_clusters * QCOW2_ENTRIES;

	for (size_t i = image->end / QCOW2_COUNTS; i < blocks; i++) {
		size_t from = i == image->end / QCOW2_COUNTS ? image->end % QCOW2_COUNTS : 0;

		if (image->counts[i] && !clear_counts(image, image->counts[i], from))
			return false;
	}
	/* A file that is as it should be keeps its time of change. */
	return image->file->size == image->end << QCOW2_CLUSTER_BITS ||
	       mw_medium_cut(image->file, image->end << QCOW2_CLUSTER_BITS);
}
