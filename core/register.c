/* Register tables: from an offset to its row, and the row's plain cases. */
// SPDX-License-Identifier: MIT
#include "core/alloc.h"
#include "core/field.h"
#include "core/machine_internal.h"

/* Tables are found through an index: for each byte of the region the first row that covers it. One
 * index serves all nodes of a type. Beyond the limit the table is searched from its start. */
enum { INDEX_LIMIT = 0x10000, NO_ROW = UINT16_MAX };

struct mw_register_index {
	const struct mw_register *rows;
	const struct mw_register_index *next;
	size_t length;
	uint16_t first[];
};

static unsigned row_bytes(const struct mw_register *row)
{
	return row->size ? row->size : 1;
}

static size_t covered_bytes(const struct mw_region *region)
{
	uint64_t end = 0;

	for (size_t i = 0; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];

		if (row->at < INDEX_LIMIT && row->at + row_bytes(row) > end)
			end = row->at + row_bytes(row);
	}
	return region->registers.count < NO_ROW ? (size_t)end : 0;
}

static struct mw_register_index *make_index(struct mw_arena *arena, const struct mw_region *region)
{
	size_t length = covered_bytes(region);
	struct mw_register_index *index =
		mw_arena_alloc(arena, 1, sizeof(*index) + length * sizeof(index->first[0]));

	index->rows = region->registers.items;
	index->length = length;
	for (size_t i = 0; i < length; i++)
		index->first[i] = NO_ROW;
	for (size_t r = region->registers.count; length && r-- > 0;) {
		const struct mw_register *row = &region->registers.items[r];

		for (uint64_t i = row->at; i < row->at + row_bytes(row) && i < length; i++)
			index->first[i] = (uint16_t)r;
	}
	return index;
}

void mw_registers_init(struct mw_node *node)
{
	struct mw_machine *machine = node->machine;
	const struct mw_device_type *type = node->type;

	node->registers =
		mw_arena_alloc(&machine->arena, type->regions.count, sizeof(*node->registers));
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];
		const struct mw_register_index *index = machine->register_indices;

		if (!region->registers.count)
			continue;
		while (index && index->rows != region->registers.items)
			index = index->next;
		if (!index) {
			struct mw_register_index *made = make_index(&machine->arena, region);

			made->next = machine->register_indices;
			machine->register_indices = index = made;
		}
		node->registers[i] = index;
	}
}

static const struct mw_register *find(const struct mw_region *region,
				      const struct mw_register_index *index, const void *self,
				      uint64_t offset, unsigned size, bool write)
{
	size_t i = offset < index->length ? index->first[offset] : 0;

	for (; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];

		if (offset < row->at || offset - row->at + size > row_bytes(row))
			continue;
		if (row->selected && !row->selected(self))
			continue;
		if (write ? !row->set && !row->kind : row->write_only)
			continue;
		return row;
	}
	return NULL;
}

static uint64_t load(const struct mw_register *row, void *self)
{
	if (row->get)
		return row->get(self);
	return row->kind ? mw_field_load(self, row->offset, row->kind) : 0;
}

/* `mask` has the bits that the access covers. A field keeps the others; a function is given what a
 * read would give, zeros where there is no reading. */
static void store(const struct mw_register *row, void *self, uint64_t value, uint64_t mask)
{
	if (row->set) {
		if (mask != mw_ones(row_bytes(row)) && !row->write_only)
			value |= load(row, self) & ~mask & mw_ones(row_bytes(row));
		row->set(self, value);
		return;
	}
	uint64_t old = mw_field_load(self, row->offset, row->kind);

	mask &= row->writable;
	mw_field_store(self, row->offset, row->kind, (old & ~mask) | (value & mask));
	if (row->changed)
		row->changed(self);
}

enum mw_io mw_register_access(struct mw_node *node, const struct mw_region *region, uint64_t offset,
			      unsigned size, uint64_t *value, bool write)
{
	size_t number = (size_t)(region - node->type->regions.items);
	void *self = node->device;
	const struct mw_register *row =
		find(region, node->registers[number], self, offset, size, write);

	if (!row)
		return MW_IO_NO_REGISTER;
	unsigned shift = (unsigned)(offset - row->at) * 8;
	uint64_t mask = mw_ones(size);

	if (write)
		store(row, self, (*value & mask) << shift, mask << shift);
	else
		*value = load(row, self) >> shift & mask;
	return MW_IO_OK;
}
