/** One device type's tables as a page for people and as JSON. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DESCRIBE_H
#define TOOLS_DESCRIBE_H

#include <stdio.h>

#include "core/device.h"
#include "tools/json.h"

void mw_describe_text(const struct mw_device_type *type, FILE *out);
/** A line that a profile could hold, with words in capitals to fill in; for devices only. */
void mw_describe_example(const struct mw_device_type *type, FILE *out);
void mw_describe_json(const struct mw_device_type *type, struct mw_json *json);

/** What a profile would write for the property's default; "" when it has none (required). */
void mw_describe_default(const struct mw_property *property, char *text, size_t capacity);
/** The values allowed ("1..24", "a | b"); "" when the kind alone says it. */
void mw_describe_range(const struct mw_property *property, char *text, size_t capacity);
/** 65536 as "64KiB", what is no multiple in decimal. */
void mw_describe_size(uint64_t bytes, char *text, size_t capacity);

#endif
