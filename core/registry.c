/* Types by name; older tables are copied into today's row sizes once, at registration. */
// SPDX-License-Identifier: MIT
#include "core/registry.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/diagnostics.h"

static const struct mw_span nowhere;

const char *mw_kind_name(enum mw_kind kind)
{
	static const char *const names[MW_KIND_COUNT] = {
		[MW_KIND_NONE] = "none",
		[MW_U8] = "u8",
		[MW_U16] = "u16",
		[MW_U32] = "u32",
		[MW_U64] = "u64",
		[MW_BOOL] = "bool",
		[MW_STRING] = "string",
		[MW_MAC] = "mac",
		[MW_UUID] = "uuid",
		[MW_BLOB] = "blob",
		[MW_LINE] = "line",
		[MW_STREAM] = "stream",
		[MW_STRUCT_KIND] = "struct",
		[MW_MSI] = "msi",
		[MW_INTR] = "intr",
		[MW_INPUT] = "input",
		[MW_POWER] = "power",
		[MW_DMA] = "dma",
		[MW_IMAGE] = "image",
		[MW_MEMORY] = "memory",
		[MW_TIMER] = "timer",
		[MW_DISPLAY] = "display",
	};

	return (unsigned)kind < MW_KIND_COUNT ? names[kind] : "unknown";
}

/* Position of the name, or of the first greater one. */
static size_t position(const struct mw_registry *registry, const char *name, bool *found)
{
	size_t low = 0, high = registry->count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(registry->types[middle]->name, name);

		if (!order) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct mw_device_type *mw_registry_find(const struct mw_registry *registry, const char *name)
{
	bool found;
	size_t index = position(registry, name, &found);

	return found ? registry->types[index] : NULL;
}

const struct mw_device_type *mw_registry_nearest(const struct mw_registry *registry,
						 const char *name)
{
	const struct mw_device_type *best = NULL;
	unsigned best_distance = 3;

	for (size_t i = 0; i < registry->count; i++) {
		unsigned distance = mw_edit_distance(registry->types[i]->name, name, 2);

		if (distance < best_distance) {
			best_distance = distance;
			best = registry->types[i];
		}
	}
	return best;
}

static bool has_wire_of(const struct mw_device_type *type, enum mw_kind kind)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (type->wires.items[i].kind == kind)
			return true;
	}
	return false;
}

const struct mw_device_type *mw_registry_backend(const struct mw_registry *registry,
						 const char *key, enum mw_kind kind)
{
	for (size_t i = 0; i < registry->count; i++) {
		const struct mw_device_type *type = registry->types[i];

		if (type->backend && !strcmp(type->backend, key) && has_wire_of(type, kind))
			return type;
	}
	return NULL;
}

/* Copies `count` rows of `old_bytes` each into rows of `new_bytes`, missing members zero. */
static const void *adopt_rows(struct mw_arena *arena, const void *rows, size_t count,
			      size_t old_bytes, size_t new_bytes)
{
	unsigned char *copy = mw_arena_alloc(arena, count, new_bytes);

	for (size_t i = 0; i < count; i++)
		memcpy(copy + i * new_bytes, (const unsigned char *)rows + i * old_bytes,
		       old_bytes);
	return copy;
}

#define ADOPT(table)                                                                         \
	do {                                                                                 \
		if ((table).count && (table).row_bytes < sizeof(*(table).items)) {           \
			(table).items =                                                      \
				adopt_rows(&registry->adopted, (table).items, (table).count, \
					   (table).row_bytes, sizeof(*(table).items));       \
			(table).row_bytes = sizeof(*(table).items);                          \
		}                                                                            \
	} while (0)

/* Nested rows are of the same header as the table that names them. */
static const struct mw_state *adopt_state(struct mw_arena *arena, const struct mw_state *rows,
					  size_t count, size_t old_bytes, unsigned depth)
{
	struct mw_state *copy = (struct mw_state *)(uintptr_t)adopt_rows(arena, rows, count,
									 old_bytes, sizeof(*copy));

	for (size_t i = 0; i < count && depth < MW_STATE_DEPTH; i++) {
		if (copy[i].kind == MW_STRUCT_KIND && copy[i].rows)
			copy[i].rows = adopt_state(arena, copy[i].rows, copy[i].row_count,
						   old_bytes, depth + 1);
	}
	return copy;
}

static const struct mw_device_type *adopt(struct mw_registry *registry,
					  const struct mw_device_type *type)
{
	struct mw_device_type *copy = mw_arena_alloc(&registry->adopted, 1, sizeof(*copy));

	memcpy(copy, type, type->type_bytes);
	copy->type_bytes = sizeof(*copy);
	ADOPT(copy->properties);
	ADOPT(copy->wires);
	ADOPT(copy->regions);
	ADOPT(copy->timers);
	if (copy->state.count && copy->state.row_bytes < sizeof(struct mw_state)) {
		copy->state.items = adopt_state(&registry->adopted, copy->state.items,
						copy->state.count, copy->state.row_bytes, 0);
		copy->state.row_bytes = sizeof(struct mw_state);
	}
	ADOPT(copy->firmware.roles);
	for (size_t i = 0; i < copy->regions.count; i++) {
		if (copy->regions.items[i].registers.count &&
		    copy->regions.items[i].registers.row_bytes < sizeof(struct mw_register)) {
			struct mw_region *regions = (struct mw_region *)adopt_rows(
				&registry->adopted, copy->regions.items, copy->regions.count,
				sizeof(*regions), sizeof(*regions));

			copy->regions.items = regions;
			ADOPT(regions[i].registers);
		}
	}
	return copy;
}

static bool rows_are_current(const struct mw_device_type *type)
{
	bool current = type->type_bytes == sizeof(*type);

#define CURRENT(table) (!(table).count || (table).row_bytes == sizeof(*(table).items))
	current = current && CURRENT(type->properties) && CURRENT(type->wires) &&
		  CURRENT(type->regions) && CURRENT(type->timers) && CURRENT(type->state) &&
		  CURRENT(type->firmware.roles);
#undef CURRENT
	for (size_t i = 0; current && i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		current = !region->registers.count ||
			  region->registers.row_bytes == sizeof(struct mw_register);
	}
	return current;
}

static bool refuse(struct mw_diagnostics *diagnostics, const char *name, const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", nowhere, "device type `%s`: %s",
			   name, why);
	return false;
}

bool mw_registry_add(struct mw_registry *registry, const struct mw_device_type *type,
		     struct mw_diagnostics *diagnostics)
{
	if (!type->abi || type->abi > MW_DEVICE_ABI || type->type_bytes > sizeof(*type))
		return refuse(diagnostics, "?", "made for another version of the device contract");
	if (!rows_are_current(type))
		type = adopt(registry, type);
	if (!rows_are_current(type)) /* rows of a newer header stay as they are */
		return refuse(diagnostics, "?", "made for another version of the device contract");
	if (!mw_device_type_check(type, diagnostics))
		return false;
	bool found;
	size_t index = position(registry, type->name, &found);

	if (found)
		return refuse(diagnostics, type->name, "the name is taken");
	if (registry->count == registry->capacity) {
		registry->capacity = registry->capacity ? registry->capacity * 2 : 32;
		registry->types =
			mw_grow(registry->types, registry->capacity, sizeof(*registry->types));
	}
	memmove(registry->types + index + 1, registry->types + index,
		(registry->count - index) * sizeof(*registry->types));
	registry->types[index] = type;
	registry->count++;
	return true;
}

void mw_registry_fini(struct mw_registry *registry)
{
	free(registry->types);
	mw_arena_fini(&registry->adopted);
	*registry = (struct mw_registry){ 0 };
}

#define FIND(table, wanted)                                           \
	do {                                                          \
		for (size_t i = 0; i < (table).count; i++) {          \
			if (!strcmp((table).items[i].name, (wanted))) \
				return &(table).items[i];             \
		}                                                     \
		return NULL;                                          \
	} while (0)

const struct mw_property *mw_type_property(const struct mw_device_type *type, const char *name)
{
	FIND(type->properties, name);
}

const struct mw_wire *mw_type_wire(const struct mw_device_type *type, const char *name)
{
	FIND(type->wires, name);
}

const struct mw_region *mw_type_region(const struct mw_device_type *type, const char *name)
{
	FIND(type->regions, name);
}

const struct mw_role_row *mw_type_role(const struct mw_device_type *type, enum mw_role role)
{
	for (size_t i = 0; i < type->firmware.roles.count; i++) {
		if (type->firmware.roles.items[i].role == role)
			return &type->firmware.roles.items[i];
	}
	return NULL;
}
