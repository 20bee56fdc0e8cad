/* Reads and writes of a qcow2 image's disk: from the image, from its base, or zeros. */
// SPDX-License-Identifier: MIT
#include "devices/backend/qcow2.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "devices/backend/qcow2_internal.h"

/* What a guest that never flushes may lose when the process is killed: 16 MiB. */
enum { MOST_FRESH = 256 };

static void destroy(struct mw_qcow2 *image)
{
	for (size_t i = 0; i < QCOW2_TABLES; i++)
		free(image->tables[i].entries);
	free(image->l1);
	free(image->counts);
	free(image->buffer);
	free(image);
}

static bool load(struct mw_qcow2 *image, struct mw_why *why)
{
	struct mw_qcow2_info info;
	size_t counts;

	if (!qcow2_header_read(image->file, &image->header, &info, why))
		return false;
	counts = (size_t)image->header.counts_clusters * QCOW2_ENTRIES;
	image->l1 = mw_alloc(image->header.l1_entries + 1, sizeof(*image->l1));
	image->counts = mw_alloc(counts, sizeof(*image->counts));
	if (!qcow2_load(image->file, image->header.l1_offset, image->l1, image->header.l1_entries,
			image->buffer) ||
	    !qcow2_load(image->file, image->header.counts_offset, image->counts, counts,
			image->buffer))
		return mw_why_set(why, "it cannot be read");
	if (!qcow2_check(image, why))
		return false;
	image->counted = image->end;
	return !image->file->writable || qcow2_tidy(image) ||
	       mw_why_set(why, "it cannot be written");
}

bool mw_qcow2_open(struct mw_qcow2 **out, struct mw_medium *file, struct mw_medium *base,
		   struct mw_why *why)
{
	struct mw_qcow2 *image = mw_alloc(1, sizeof(*image));
	uint64_t size = file->size;

	image->file = file;
	image->base = base;
	image->buffer = mw_alloc(1, QCOW2_CLUSTER);
	*out = NULL;
	if (size && load(image, why)) {
		*out = image;
		return true;
	}
	if (!size)
		mw_why_set(why, "it is empty");
	destroy(image);
	return false;
}

bool mw_qcow2_close(struct mw_qcow2 *image)
{
	bool good = !image || !image->file->writable || mw_qcow2_flush(image);

	if (image)
		destroy(image);
	return good;
}

uint64_t mw_qcow2_size(const struct mw_qcow2 *image)
{
	return image->header.size;
}

/** Zeros behind its end, or where there is no base at all. */
static bool read_base(struct mw_qcow2 *image, uint64_t offset, uint8_t *to, size_t count)
{
	uint64_t size = image->base ? image->base->size : 0;
	uint64_t left = offset < size ? size - offset : 0;
	size_t part = left < count ? (size_t)left : count;

	memset(to + part, 0, count - part);
	return !part || mw_medium_read(image->base, offset, to, part);
}

/** A piece of the disk that is in one place. */
struct piece {
	enum { PIECE_BASE, PIECE_ZERO, PIECE_OWN } kind;
	uint64_t host; /* PIECE_OWN: in the file */
	uint64_t count;
};

static bool describe(const struct mw_qcow2 *image, uint64_t entry, struct piece *piece)
{
	if (!qcow2_entry_good(image, entry))
		return false;
	piece->host = entry & QCOW2_OFFSET;
	piece->kind = entry & QCOW2_ZERO ? PIECE_ZERO : piece->host ? PIECE_OWN : PIECE_BASE;
	return true;
}

/** The piece that begins at `offset`, with all that goes on from there in the same table. */
static bool find_piece(struct mw_qcow2 *image, uint64_t offset, struct piece *piece)
{
	uint64_t in = offset % QCOW2_CLUSTER;
	size_t index = offset / QCOW2_CLUSTER % QCOW2_ENTRIES;
	struct qcow2_table *table;
	struct piece next;

	if (!qcow2_table(image, offset, false, &table))
		return false;
	piece->count = (uint64_t)(QCOW2_ENTRIES - index) * QCOW2_CLUSTER - in;
	piece->kind = PIECE_BASE;
	if (!table)
		return true;
	if (!describe(image, table->entries[index], piece))
		return false;
	piece->count = QCOW2_CLUSTER - in;
	piece->host += in;
	while (++index < QCOW2_ENTRIES && describe(image, table->entries[index], &next) &&
	       next.kind == piece->kind &&
	       (next.kind != PIECE_OWN || next.host == piece->host + piece->count))
		piece->count += QCOW2_CLUSTER;
	return true;
}

static bool read_piece(struct mw_qcow2 *image, const struct piece *piece, uint64_t offset,
		       uint8_t *to, size_t count)
{
	switch (piece->kind) {
	case PIECE_BASE: return read_base(image, offset, to, count);
	case PIECE_OWN: return mw_medium_read_padded(image->file, piece->host, to, count);
	case PIECE_ZERO: memset(to, 0, count);
	}
	return true;
}

bool mw_qcow2_read(struct mw_qcow2 *image, uint64_t offset, void *bytes, size_t count)
{
	uint8_t *to = bytes;

	if (!mw_within(offset, count, image->header.size))
		return false;
	while (count) {
		struct piece piece = { 0 };
		size_t part;

		if (!find_piece(image, offset, &piece))
			return false;
		part = piece.count < count ? (size_t)piece.count : count;
		if (!read_piece(image, &piece, offset, to, part))
			return false;
		to += part;
		offset += part;
		count -= part;
	}
	return true;
}

/** Writes a part of a cluster that the image has not yet, and the rest of it from where it was. */
static bool write_new(struct mw_qcow2 *image, struct qcow2_table *table, uint64_t offset,
		      const uint8_t *from, size_t count)
{
	size_t index = offset / QCOW2_CLUSTER % QCOW2_ENTRIES, in = offset % QCOW2_CLUSTER;
	uint64_t entry = table->entries[index];
	uint64_t host =
		entry & QCOW2_OFFSET ? entry & QCOW2_OFFSET : image->end << QCOW2_CLUSTER_BITS;

	if (host >= QCOW2_FILE_MAX)
		return false;
	if (count < QCOW2_CLUSTER) {
		if (entry & QCOW2_ZERO)
			memset(image->buffer, 0, QCOW2_CLUSTER);
		else if (!read_base(image, offset - in, image->buffer, QCOW2_CLUSTER))
			return false;
		memcpy(image->buffer + in, from, count);
		from = image->buffer;
	}
	if (!mw_medium_write(image->file, host, from, QCOW2_CLUSTER))
		return false;
	if (host >> QCOW2_CLUSTER_BITS == image->end)
		image->end++;
	image->fresh++;
	qcow2_set_entry(table, index, host | QCOW2_COPIED);
	return true;
}

/** Writes to the first place of the range, and says how much of it that was; 0: it failed. */
static size_t write_some(struct mw_qcow2 *image, uint64_t offset, const uint8_t *from, size_t count)
{
	size_t part = QCOW2_CLUSTER - offset % QCOW2_CLUSTER;
	struct piece piece = { 0 };
	struct qcow2_table *table;

	if (!find_piece(image, offset, &piece))
		return 0;
	if (piece.kind == PIECE_OWN) {
		part = piece.count < count ? (size_t)piece.count : count;
		return mw_medium_write(image->file, piece.host, from, part) ? part : 0;
	}
	if (part > count)
		part = count;
	if (image->fresh >= MOST_FRESH && !qcow2_commit(image))
		return 0;
	if (!qcow2_table(image, offset, true, &table))
		return 0;
	return write_new(image, table, offset, from, part) ? part : 0;
}

bool mw_qcow2_write(struct mw_qcow2 *image, uint64_t offset, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	if (!image->file->writable || !mw_within(offset, count, image->header.size))
		return false;
	while (count) {
		size_t done = write_some(image, offset, from, count);

		if (!done)
			return false;
		from += done;
		offset += done;
		count -= done;
	}
	return true;
}

bool mw_qcow2_flush(struct mw_qcow2 *image)
{
	return qcow2_commit(image) && mw_medium_flush(image->file);
}

/* Whole clusters of the image's own become holes of the file, which read as zeros; no table changes. */
bool mw_qcow2_discard(struct mw_qcow2 *image, uint64_t offset, uint64_t count)
{
	if (!image->file->writable || !mw_within(offset, count, image->header.size))
		return false;
	while (count) {
		struct piece piece = { 0 };
		uint64_t part;

		if (!find_piece(image, offset, &piece))
			return false;
		part = piece.count < count ? piece.count : count;
		if (piece.kind == PIECE_OWN && !mw_medium_discard(image->file, piece.host, part))
			return false;
		offset += part;
		count -= part;
	}
	return true;
}

bool mw_qcow2_has_own(const struct mw_qcow2 *image)
{
	for (size_t i = 0; i < image->header.l1_entries; i++) {
		if (image->l1[i] & QCOW2_OFFSET)
			return true;
	}
	return false;
}

uint64_t mw_qcow2_extent(struct mw_qcow2 *image, uint64_t offset, bool *own)
{
	uint64_t left = offset < image->header.size ? image->header.size - offset : 0;
	struct piece piece = { 0 };

	if (!left || !find_piece(image, offset, &piece))
		return 0;
	*own = piece.kind != PIECE_BASE;
	return piece.count < left ? piece.count : left;
}
