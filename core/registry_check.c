/* The contract, checked on a type's tables before anything is built from them. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <string.h>

#include "core/diagnostics.h"
#include "core/registry.h"

struct check {
	const struct mw_device_type *type;
	struct mw_diagnostics *diagnostics;
	bool good;
};

static void broken(struct check *check, const char *row, const char *why)
{
	const char *name = check->type->name ? check->type->name : "?";

	check->good = false;
	mw_diagnostics_add(check->diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "device type `%s`: %s%s%s", name, row ? row : "", row ? ": " : "", why);
}

/* Ids, members and rows are lower case words; registers keep their data sheet's spelling. */
static bool is_name(const char *name)
{
	if (!name || !islower((unsigned char)name[0]))
		return false;
	for (const char *c = name; *c; c++) {
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) &&
		    !strchr("_-/.", *c))
			return false;
	}
	return true;
}

static size_t kind_bytes(enum mw_kind kind)
{
	switch (kind) {
	case MW_U8: return 1;
	case MW_U16: return 2;
	case MW_U32: return 4;
	case MW_U64: return 8;
	case MW_BOOL: return sizeof(bool);
	case MW_MAC: return sizeof(struct mw_mac);
	case MW_UUID: return sizeof(struct mw_uuid);
	case MW_BLOB: return sizeof(struct mw_blob);
	default: return sizeof(void *);
	}
}

static bool inside(size_t offset, size_t bytes, size_t size)
{
	return offset <= size && bytes <= size - offset;
}

static void check_field(struct check *check, const char *row, size_t offset, enum mw_kind kind,
			size_t count, size_t stride)
{
	size_t bytes = kind_bytes(kind);

	if (count > 1)
		bytes += (count - 1) * stride;
	if (!inside(offset, bytes, check->type->size))
		broken(check, row, "the field lies outside the device's struct");
}

static void check_properties(struct check *check)
{
	for (size_t i = 0; i < check->type->properties.count; i++) {
		const struct mw_property *row = &check->type->properties.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a property needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a property needs a help text");
		if (row->kind < MW_U8 || row->kind > MW_BLOB)
			broken(check, row->name, "a property holds a value, not a handle");
		if (row->members && row->kind != MW_U32)
			broken(check, row->name, "an enum lives in a u32");
		check_field(check, row->name, row->offset, row->kind, 1, 0);
	}
}

/* A handler belongs to exactly one kind and direction. */
static void check_handlers(struct check *check, const struct mw_wire *row)
{
	bool line = row->on_level, bytes = row->on_byte || row->on_bytes || row->on_room;
	bool msi = row->on_eoi, image = row->on_read || row->on_size;

	if ((line && row->kind != MW_LINE) || (bytes && row->kind != MW_STREAM) ||
	    (msi && row->kind != MW_MSI) || (image && row->kind != MW_IMAGE))
		broken(check, row->name, "the handler is not one of this kind of wire");
	if (row->on_byte && row->on_bytes)
		broken(check, row->name, "a stream is heard by the byte or by the run, not both");
	if (row->kind == MW_LINE && (row->direction == MW_RECEIVES) != line)
		broken(check, row->name,
		       "a line that receives has on_level, one that drives has not");
	if (row->kind == MW_IMAGE &&
	    (row->direction == MW_RECEIVES) != (row->on_read && row->on_size))
		broken(check, row->name, "an image that receives has on_size and on_read");
}

static void check_wires(struct check *check)
{
	for (size_t i = 0; i < check->type->wires.count; i++) {
		const struct mw_wire *row = &check->type->wires.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a wire needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a wire needs a help text");
		if (row->kind < MW_LINE || row->kind >= MW_MEMORY)
			broken(check, row->name, "not a kind of wire");
		check_handlers(check, row);
		if (row->direction == MW_DRIVES)
			check_field(check, row->name, row->offset, row->kind, row->count,
				    row->stride);
		if (row->count_property && !mw_type_property(check->type, row->count_property))
			broken(check, row->name, "count_property names no property");
	}
}

static void check_registers(struct check *check, const struct mw_region *region)
{
	for (size_t i = 0; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];
		unsigned size = row->size ? row->size : 1;

		if (!row->name || !row->name[0])
			broken(check, region->name, "a register needs a name");
		if (region->size && (row->at >= region->size || size > region->size - row->at))
			broken(check, row->name, "the register lies outside its region");
		if (size > 8 || (size & (size - 1)))
			broken(check, row->name, "a register has 1, 2, 4 or 8 bytes");
		if (row->kind != MW_KIND_NONE)
			check_field(check, row->name, row->offset, row->kind, 1, 0);
		if (row->kind == MW_KIND_NONE && !row->get && !row->set)
			broken(check, row->name, "a register needs a field or a function");
	}
}

static void check_regions(struct check *check)
{
	for (size_t i = 0; i < check->type->regions.count; i++) {
		const struct mw_region *row = &check->type->regions.items[i];
		bool calls = row->read || row->write || row->registers.count;

		if (!is_name(row->name))
			broken(check, row->name, "a region needs a lower case name");
		if (row->backing == MW_BACKING_CALLS) {
			if (!calls)
				broken(check, row->name, "a region needs registers, read or write");
			if (!row->min_access || row->min_access > row->max_access ||
			    row->max_access > 8 || (row->max_access & (row->max_access - 1)) ||
			    (row->min_access & (row->min_access - 1)))
				broken(check, row->name, "access sizes are powers of two up to 8");
		} else {
			if (calls)
				broken(check, row->name,
				       "memory backs the region, nobody is called");
			check_field(check, row->name, row->memory_offset, MW_MEMORY, 1, 0);
		}
		if (row->space == MW_SPACE_PORT && row->size > 0x10000)
			broken(check, row->name, "there are 64 Ki ports");
		if (row->align & (row->align - 1))
			broken(check, row->name, "an alignment is a power of two");
		check_registers(check, row);
	}
}

static void check_timers(struct check *check)
{
	for (size_t i = 0; i < check->type->timers.count; i++) {
		const struct mw_timer_row *row = &check->type->timers.items[i];

		if (!is_name(row->name))
			broken(check, row->name, "a timer needs a lower case name");
		if (!row->help || !row->help[0])
			broken(check, row->name, "a timer needs a help text");
		if (row->kind != MW_TIMER || !row->on_expire)
			broken(check, row->name, "a timer needs a timer field and on_expire");
		check_field(check, row->name, row->offset, MW_TIMER, 1, 0);
	}
}

static void check_state(struct check *check, const struct mw_state *rows, size_t count, size_t size)
{
	for (size_t i = 0; i < count; i++) {
		const struct mw_state *row = &rows[i];
		size_t elements = row->count ? row->count : 1;
		size_t bytes = row->kind == MW_STRUCT_KIND ? row->stride : kind_bytes(row->kind);

		if (!row->name || !row->name[0])
			broken(check, "state", "a row needs a name");
		if (!row->since || row->since > check->type->state_version)
			broken(check, row->name, "`since` lies between 1 and the state version");
		if (row->kind == MW_STRUCT_KIND)
			check_state(check, row->rows, row->row_count, row->stride);
		else if (row->kind < MW_U8 || row->kind > MW_BOOL)
			broken(check, row->name, "state is integers and bools");
		if (elements > 1)
			bytes += (elements - 1) * row->stride;
		if (!inside(row->offset, bytes, size))
			broken(check, row->name, "the state lies outside its struct");
	}
}

/* Two rows of one table with one name would make one of them unreachable. */
#define UNIQUE(check, table)                                                                   \
	for (size_t a = 0; a < (table).count; a++) {                                           \
		for (size_t b = 0; b < a; b++) {                                               \
			const char *one = (table).items[a].name, *two = (table).items[b].name; \
			if (one && two && !strcmp(one, two))                                   \
				broken(check, one, "two rows have this name");                 \
		}                                                                              \
	}

bool mw_device_type_check(const struct mw_device_type *type, struct mw_diagnostics *diagnostics)
{
	struct check check = { type, diagnostics, true };

	if (!is_name(type->name))
		broken(&check, NULL, "needs a lower case name");
	if (!type->summary || !type->summary[0])
		broken(&check, NULL, "needs a summary");
	if (type->main_property && !mw_type_property(type, type->main_property))
		broken(&check, type->main_property, "main_property names no property");
	check_properties(&check);
	check_wires(&check);
	check_regions(&check);
	check_timers(&check);
	check_state(&check, type->state.items, type->state.count, type->size);
	UNIQUE(&check, type->properties)
	UNIQUE(&check, type->wires)
	UNIQUE(&check, type->regions)
	UNIQUE(&check, type->timers)
	UNIQUE(&check, type->state)
	for (size_t i = 0; i < type->firmware.roles.count; i++) {
		const struct mw_role_row *role = &type->firmware.roles.items[i];

		if (role->region && !mw_type_region(type, role->region))
			broken(&check, role->region, "a role names no region");
	}
	return check.good;
}
