/** Reads and writes the fields that table rows name. Private to core. */
// SPDX-License-Identifier: MIT
#ifndef CORE_FIELD_H
#define CORE_FIELD_H

#include "core/device.h"

/** Bytes of an integer or bool of this kind; 0 for every other kind. */
unsigned mw_field_bytes(enum mw_kind kind);
uint64_t mw_field_load(const void *self, size_t offset, enum mw_kind kind);
/** Stores the low bytes; a bool becomes `value != 0`. */
void mw_field_store(void *self, size_t offset, enum mw_kind kind, uint64_t value);

#endif
