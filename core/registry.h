/** Every device type this process knows, found by name. */
// SPDX-License-Identifier: MIT
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include "core/alloc.h"
#include "core/device.h"

/** Created by the caller (zeroes), filled once at start-up, constant afterwards; then any thread may
 * read it. Types stay owned by whoever added them and must outlive it. */
struct mw_registry {
	const struct mw_device_type **types; /* sorted by name */
	size_t count, capacity;
	struct mw_arena adopted; /* copies of types with older rows */
};

/** Adds a type. One of an older ABI is copied into today's row sizes. False, with a diagnostic, for a
 * newer ABI, a name taken, or tables that break the contract (see mw_device_type_check). */
bool mw_registry_add(struct mw_registry *registry, const struct mw_device_type *type,
		     struct mw_diagnostics *diagnostics);
void mw_registry_fini(struct mw_registry *registry);

/** NULL where there is none. */
const struct mw_device_type *mw_registry_find(const struct mw_registry *registry, const char *name);
/** The type with the nearest name, for "did you mean"; NULL beyond edit distance 2. */
const struct mw_device_type *mw_registry_nearest(const struct mw_registry *registry,
						 const char *name);
/** The host side for a wire of `kind`: the type whose `backend` is `key`. */
const struct mw_device_type *mw_registry_backend(const struct mw_registry *registry,
						 const char *key, enum mw_kind kind);

/** How deep state rows may nest. */
enum { MW_STATE_DEPTH = 8 };

/** Checks one type against the contract: names, help texts, kinds against handlers, fields inside
 * the struct, overlapping rows. Returns false and says why. */
bool mw_device_type_check(const struct mw_device_type *type, struct mw_diagnostics *diagnostics);

/** Rows by name, or NULL; `index` (may be NULL) receives their number. */
const struct mw_property *mw_type_property(const struct mw_device_type *type, const char *name);
const struct mw_wire *mw_type_wire(const struct mw_device_type *type, const char *name);
const struct mw_region *mw_type_region(const struct mw_device_type *type, const char *name);
/** The role row, or NULL. */
const struct mw_role_row *mw_type_role(const struct mw_device_type *type, enum mw_role role);

/** Text of a kind as profiles and reference pages write it ("u32", "line"). */
const char *mw_kind_name(enum mw_kind kind);

#endif
