/** The device types that are built in. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_REGISTRY_H
#define DEVICES_REGISTRY_H

#include <stdbool.h>

#include "core/registry.h"

/** All of them, ended by NULL. */
extern const struct mw_device_type *const mw_device_types[];

/** Adds all to a registry. False, with a diagnostic, when one breaks the contract: our own bug. */
bool mw_builtin_devices(struct mw_registry *registry, struct mw_diagnostics *diagnostics);

#endif
