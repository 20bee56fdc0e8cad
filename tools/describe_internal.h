/** Words that the page and the JSON of a device type share. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DESCRIBE_INTERNAL_H
#define TOOLS_DESCRIBE_INTERNAL_H

#include <stdbool.h>

#include "core/registry.h"
#include "tools/describe.h"

bool mw_kind_is_number(enum mw_kind kind);
/** What profiles call the property's type: int, size, enum, path, bool, string and so on. */
const char *mw_property_type_name(const struct mw_property *property);
const char *mw_wire_direction_name(const struct mw_wire *wire);
const char *mw_backing_name(enum mw_backing backing);
const char *mw_role_name(enum mw_role role);

#endif
