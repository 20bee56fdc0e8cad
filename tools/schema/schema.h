/** JSON Schemas of the file formats and reference pages of device types, from the tables. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_SCHEMA_SCHEMA_H
#define TOOLS_SCHEMA_SCHEMA_H

#include <stdio.h>

#include "core/registry.h"
#include "resolver/shape.h"

/** Whether people write files of this format and its shape is known: then it has a schema. */
bool mw_schema_has(const struct mw_format *format);

/** The formats that have one, by number from 0, then NULL: the resolver's, then those that only tools
 * read. */
const struct mw_format *mw_schema_format(size_t at);
/** The one with this name ("machine", "abi"), or NULL. */
const struct mw_format *mw_schema_format_find(const char *name);
/** What follows its name: "/1"; "" for `config`, whose files do not say what they are. */
const char *mw_schema_suffix(const struct mw_format *format);

/** Writes the schema of `format`; the same tables give the same bytes. */
void mw_schema_write(const struct mw_format *format, const struct mw_registry *registry, FILE *out);

/** Writes the page of one type as Markdown. `registry` is where its backends are. */
void mw_reference_write(const struct mw_device_type *type, const struct mw_registry *registry,
			FILE *out);
/** The page that links to all the others. */
void mw_reference_index(const struct mw_registry *registry, FILE *out);

/** The sentence about a key of a format, or NULL. `path` has `.` between keys and `*` for ids and
 * items: "devices.*.at". */
const char *mw_schema_help(const struct mw_format *format, const char *path);

#endif
