/* A walk over state rows, and what is done to each element on the way. */
// SPDX-License-Identifier: MIT
#include "core/state_rows.h"

#include <string.h>

#include "core/field.h"
#include "core/registry.h"

/** Walks all elements of all rows, nested ones in place. Returns false as soon as `visit` does. */
struct walk {
	bool (*visit)(struct walk *walk, const struct mw_state *row, void *owner, size_t offset);
	unsigned version;
	bool skips_survivors;
	uint8_t *bytes;
	size_t at, capacity;
	const struct mw_state *failed;
};

static bool walk_rows(struct walk *walk, const struct mw_state *rows, size_t count, void *owner)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		size_t elements = row->count ? row->count : 1;

		if (row->since > walk->version || (walk->skips_survivors && row->survives_reset))
			continue;
		for (size_t e = 0; e < elements; e++) {
			size_t offset = row->offset + e * row->stride;
			bool good =
				row->kind == MW_STRUCT_KIND
					? walk_rows(walk, row->rows, row->row_count,
						    owner ? (unsigned char *)owner + offset : NULL)
					: walk->visit(walk, row, owner, offset);

			if (!good)
				return false;
		}
	}
	return true;
}

static bool reset_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	mw_field_store(owner, offset, row->kind, row->reset);
	return true;
}

void mw_rows_reset(struct mw_row_set set, void *owner, bool skips_survivors)
{
	struct walk walk = { .visit = reset_element,
			     .version = set.version,
			     .skips_survivors = skips_survivors };

	walk_rows(&walk, set.rows, set.count, owner);
}

static bool save_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	uint64_t value = mw_field_load(owner, offset, row->kind);
	unsigned bytes = mw_field_bytes(row->kind);

	for (unsigned i = 0; i < bytes; i++, walk->at++)
		if (walk->at < walk->capacity)
			walk->bytes[walk->at] = (uint8_t)(value >> (8 * i));
	return true;
}

size_t mw_rows_save(struct mw_row_set set, const void *owner, uint8_t *bytes, size_t capacity)
{
	struct walk walk = {
		.visit = save_element, .version = set.version, .bytes = bytes, .capacity = capacity
	};

	walk_rows(&walk, set.rows, set.count, (void *)(uintptr_t)owner);
	return walk.at;
}

static uint64_t next_value(struct walk *walk, enum mw_kind kind)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < mw_field_bytes(kind); i++)
		value |= (uint64_t)walk->bytes[walk->at++] << (8 * i);
	return value;
}

static bool check_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	if (next_value(walk, row->kind) <= 1 || row->kind != MW_BOOL)
		return true;
	walk->failed = row;
	return false;
}

const struct mw_state *mw_rows_check(struct mw_row_set set, const uint8_t *bytes)
{
	struct walk walk = { .visit = check_element,
			     .version = set.version,
			     .bytes = (uint8_t *)(uintptr_t)bytes };

	walk_rows(&walk, set.rows, set.count, NULL);
	return walk.failed;
}

static bool load_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	mw_field_store(owner, offset, row->kind, next_value(walk, row->kind));
	return true;
}

void mw_rows_load(struct mw_row_set set, void *owner, const uint8_t *bytes)
{
	struct walk walk = { .visit = load_element,
			     .version = set.version,
			     .bytes = (uint8_t *)(uintptr_t)bytes };

	walk_rows(&walk, set.rows, set.count, owner);
}

static void write_layout(const struct mw_state *rows, size_t count, unsigned version,
			 const char *outer, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		char name[200];

		if (row->since > version)
			continue;
		snprintf(name, sizeof(name), "%s%s%s", outer, *outer ? "." : "", row->name);
		fprintf(out, "%s %s %zu\n", name, mw_kind_name(row->kind),
			row->count ? row->count : (size_t)1);
		if (row->kind == MW_STRUCT_KIND)
			write_layout(row->rows, row->row_count, version, name, out);
	}
}

void mw_rows_layout(struct mw_row_set set, FILE *out)
{
	write_layout(set.rows, set.count, set.version, "", out);
}
