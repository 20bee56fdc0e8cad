/* The table of built-in device types. */
// SPDX-License-Identifier: MIT
#include "devices/registry.h"

#define MW_BUILTIN(type) extern const struct mw_device_type type;
#include "devices/registry.def"
#undef MW_BUILTIN

#define MW_BUILTIN(type) &type,
const struct mw_device_type *const mw_device_types[] = {
#include "devices/registry.def"
	NULL,
};
#undef MW_BUILTIN

bool mw_builtin_devices(struct mw_registry *registry, struct mw_diagnostics *diagnostics)
{
	bool good = true;

	for (size_t i = 0; mw_device_types[i]; i++)
		good &= mw_registry_add(registry, mw_device_types[i], diagnostics);
	return good;
}
