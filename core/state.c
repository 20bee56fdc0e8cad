/* State rows: reset, save and load. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/field.h"
#include "core/machine_internal.h"

/** Walks all elements of all rows, nested ones in place. Returns false as soon as `visit` does. */
struct walk {
	bool (*visit)(struct walk *walk, const struct mw_state *row, void *owner, size_t offset);
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

		if (walk->skips_survivors && row->survives_reset)
			continue;
		for (size_t e = 0; e < elements; e++) {
			size_t offset = row->offset + e * row->stride;
			bool good = row->kind == MW_STRUCT_KIND
					    ? walk_rows(walk, row->rows, row->row_count,
							(unsigned char *)owner + offset)
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

void mw_node_power_on(struct mw_node *node)
{
	struct walk walk = { .visit = reset_element };

	walk_rows(&walk, node->type->state.items, node->type->state.count, node->device);
}

void mw_node_reset_state(struct mw_node *node)
{
	struct walk walk = { .visit = reset_element, .skips_survivors = true };

	walk_rows(&walk, node->type->state.items, node->type->state.count, node->device);
	for (size_t i = 0; i < node->type->timers.count; i++)
		mw_timer_cancel(&node->timers[i]);
}

/** Searches the row that `path` names, one step for each dot, among a struct's rows. */
static const struct mw_state *find_row(const struct mw_state *rows, size_t count, const char *path,
				       size_t *length)
{
	*length = strcspn(path, ".");
	for (size_t i = 0; i < count; i++)
		if (strlen(rows[i].name) == *length && !strncmp(rows[i].name, path, *length))
			return &rows[i];
	return NULL;
}

/* How many elements the rest of the path has below this row. */
static size_t elements_of(const struct mw_state *row, const char *rest)
{
	size_t count = row->count ? row->count : 1, length;

	while (*rest == '.') {
		row = find_row(row->rows, row->row_count, ++rest, &length);
		if (!row)
			return 0;
		count *= row->count ? row->count : 1;
		rest += length;
	}
	return count;
}

bool mw_machine_row(struct mw_machine *machine, uint32_t plan_node, const char *path,
		    size_t element, uint64_t *value, bool write)
{
	struct mw_node *node = machine->nodes[plan_node];
	const struct mw_state *rows = node->type->state.items, *row = NULL;
	size_t count = node->type->state.count, offset = 0, length;

	for (;; path += length + 1, rows = row->rows, count = row->row_count) {
		row = find_row(rows, count, path, &length);
		if (!row)
			return false;
		size_t all = elements_of(row, path + length), own = row->count ? row->count : 1;

		if (element >= all)
			return false;
		offset += row->offset + element / (all / own) * row->stride;
		element %= all / own;
		if (!path[length])
			break;
		if (row->kind != MW_STRUCT_KIND)
			return false;
	}
	if (row->kind == MW_STRUCT_KIND)
		return false;
	if (write)
		mw_field_store(node->device, offset, row->kind, *value);
	else
		*value = mw_field_load(node->device, offset, row->kind);
	return true;
}

static void put(struct walk *walk, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++, walk->at++) {
		if (walk->at < walk->capacity)
			walk->bytes[walk->at] = (uint8_t)(value >> (8 * i));
	}
}

static uint64_t get(struct walk *walk, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)walk->bytes[walk->at++] << (8 * i);
	return value;
}

static bool save_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	put(walk, mw_field_load(owner, offset, row->kind), mw_field_bytes(row->kind));
	return true;
}

static bool check_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	uint64_t value = get(walk, mw_field_bytes(row->kind));

	if (row->kind == MW_BOOL && value > 1) {
		walk->failed = row;
		return false;
	}
	return true;
}

static bool load_element(struct walk *walk, const struct mw_state *row, void *owner, size_t offset)
{
	mw_field_store(owner, offset, row->kind, get(walk, mw_field_bytes(row->kind)));
	return true;
}

enum { TIMER_BYTES = 9 };

size_t mw_node_save(struct mw_machine *machine, size_t index, uint8_t *bytes, size_t capacity)
{
	struct mw_node *node = machine->nodes[index];
	struct walk size = { .visit = save_element };
	struct walk walk = { .visit = save_element, .bytes = bytes, .capacity = capacity };

	walk_rows(&size, node->type->state.items, node->type->state.count, node->device);
	size.at += node->type->timers.count * TIMER_BYTES;
	if (size.at > capacity)
		return size.at;
	walk_rows(&walk, node->type->state.items, node->type->state.count, node->device);
	for (size_t i = 0; i < node->type->timers.count; i++) {
		uint64_t when;
		bool armed = mw_timer_armed(&node->timers[i], &when);

		put(&walk, armed, 1);
		put(&walk, armed ? when : 0, 8);
	}
	return walk.at;
}

static bool refuse(struct mw_diagnostics *diagnostics, const struct mw_node *node, const char *row,
		   const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
			   "saved state of `%s`%s%s: %s", node->plan->id, row ? ", row " : "",
			   row ? row : "", why);
	return false;
}

bool mw_node_load(struct mw_machine *machine, size_t index, const uint8_t *bytes, size_t count,
		  struct mw_diagnostics *diagnostics)
{
	struct mw_node *node = machine->nodes[index];
	const struct mw_device_type *type = node->type;
	struct walk walk = { .visit = check_element, .bytes = (uint8_t *)(uintptr_t)bytes };

	if (mw_node_save(machine, index, NULL, 0) != count)
		return refuse(diagnostics, node, NULL, "another length than this version's");
	if (!walk_rows(&walk, type->state.items, type->state.count, node->device))
		return refuse(diagnostics, node, walk.failed->name, "a value out of range");
	for (size_t i = 0, at = walk.at; i < type->timers.count; i++, at += TIMER_BYTES) {
		if (bytes[at] > 1)
			return refuse(diagnostics, node, type->timers.items[i].name,
				      "a value out of range");
	}
	walk = (struct walk){ .visit = load_element, .bytes = walk.bytes };
	walk_rows(&walk, type->state.items, type->state.count, node->device);
	for (size_t i = 0; i < type->timers.count; i++) {
		bool armed = get(&walk, 1);
		uint64_t when = get(&walk, 8);

		if (armed)
			mw_timer_arm(&node->timers[i], when);
		else
			mw_timer_cancel(&node->timers[i]);
	}
	mw_actor_begin(machine->main_actor);
	if (type->ops.after_load && !node->offloaded) {
		mw_node_enter(node, machine->main_actor);
		type->ops.after_load(node->device);
		mw_node_leave(node);
	}
	mw_actor_end(machine->main_actor);
	return true;
}
