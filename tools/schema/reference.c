/** A device type's tables as a page of Markdown. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "tools/describe_internal.h"
#include "tools/schema/schema_internal.h"

/* A cell of a table: a bar would end it. */
static void put_cell(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void heading(FILE *out, const char *title, const char *columns, const char *rule)
{
	fprintf(out, "\n## %s\n\n%s\n%s\n", title, columns, rule);
}

static void write_property(FILE *out, const struct mw_property *property)
{
	char fallback[120], range[200];

	mw_describe_default(property, fallback, sizeof(fallback));
	mw_describe_range(property, range, sizeof(range));
	fprintf(out, "| `%s` | %s | ", property->name, mw_property_type_name(property));
	put_cell(out, range);
	if (property->required)
		fputs(" | required | ", out);
	else
		fprintf(out, *fallback ? " | `%s` | " : " | %s | ", fallback);
	put_cell(out, property->help);
	fputs(" |\n", out);
}

static void write_properties(FILE *out, const struct mw_device_type *type)
{
	if (!type->properties.count)
		return;
	heading(out, "Properties", "| `props` | type | values | default | |",
		"|---|---|---|---|---|");
	for (size_t i = 0; i < type->properties.count; i++)
		write_property(out, &type->properties.items[i]);
}

static void write_wires(FILE *out, const struct mw_device_type *type)
{
	if (!type->wires.count)
		return;
	heading(out, "Wires", "| wire | kind | direction | |", "|---|---|---|---|");
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		fprintf(out, "| `%s`", wire->name);
		if (wire->count > 1)
			fprintf(out, ", %zu of them", wire->count);
		fprintf(out, " | %s | %s%s | ", mw_kind_name(wire->kind),
			mw_wire_direction_name(wire), wire->optional ? ", optional" : "");
		put_cell(out, wire->help);
		if (wire->count_property)
			fprintf(out, " As many as `%s` says.", wire->count_property);
		fputs(" |\n", out);
	}
}

static void write_registers(FILE *out, const struct mw_region *region)
{
	if (!region->registers.count)
		return;
	fprintf(out,
		"\nRegisters of `%s`:\n\n| offset | name | bytes | access |\n|---|---|---|---|\n",
		region->name);
	for (size_t i = 0; i < region->registers.count; i++) {
		const struct mw_register *row = &region->registers.items[i];
		bool reads = !row->write_only,
		     writes = row->writable || row->set || row->write_only;

		fprintf(out, "| 0x%02" PRIx64 " | %s | %u | %s%s%s |\n", row->at, row->name,
			row->size ? row->size : 1, reads ? "read" : "", reads && writes ? ", " : "",
			writes ? "write" : "");
	}
}

static void write_region(FILE *out, const struct mw_region *region)
{
	char size[32] = "the claim's";

	if (region->size)
		mw_describe_size(region->size, size, sizeof(size));
	fprintf(out, "| `%s` | %s | %s | %s | ", region->name,
		region->space == MW_SPACE_PORT ? "ports" : "memory", size,
		mw_backing_name(region->backing));
	if (region->backing == MW_BACKING_CALLS)
		fprintf(out, "%u to %u", region->min_access, region->max_access);
	fputs(" | ", out);
	if (region->align > 1)
		fprintf(out, "aligned to 0x%" PRIx64, region->align);
	fprintf(out, "%s%s |\n", region->align > 1 && region->optional ? ", " : "",
		region->optional ? "optional" : "");
}

static void write_regions(FILE *out, const struct mw_device_type *type)
{
	if (!type->regions.count)
		return;
	heading(out, "Regions", "| region | space | bytes | is | bytes an access | |",
		"|---|---|---|---|---|---|");
	for (size_t i = 0; i < type->regions.count; i++)
		write_region(out, &type->regions.items[i]);
	for (size_t i = 0; i < type->regions.count; i++)
		write_registers(out, &type->regions.items[i]);
}

/* Rows in the order of the table, nested ones as "outer.inner". */
static void write_state_rows(FILE *out, const struct mw_state *rows, size_t count,
			     const char *const *outer, size_t depth)
{
	const char *names[MW_STATE_DEPTH + 1];

	for (size_t i = 0; i < depth; i++)
		names[i] = outer[i];
	for (size_t i = 0; i < count; i++) {
		names[depth] = rows[i].name;
		if (rows[i].kind == MW_STRUCT_KIND) {
			if (depth < MW_STATE_DEPTH)
				write_state_rows(out, rows[i].rows, rows[i].row_count, names,
						 depth + 1);
			continue;
		}
		fputs("| `", out);
		for (size_t n = 0; n <= depth; n++)
			fprintf(out, "%s%s", n ? "." : "", names[n]);
		fprintf(out, "` | %s", mw_kind_name(rows[i].kind));
		if (rows[i].count > 1)
			fprintf(out, "[%zu]", rows[i].count);
		fprintf(out, " | 0x%" PRIx64 "%s |\n", rows[i].reset,
			rows[i].survives_reset ? ", from power on only" : "");
	}
}

static void write_state(FILE *out, const struct mw_device_type *type)
{
	if (!type->state.count)
		return;
	heading(out, "State", "| saved | kind | at reset |", "|---|---|---|");
	write_state_rows(out, type->state.items, type->state.count, NULL, 0);
	fprintf(out, "\nThe state's version is %u.\n", type->state_version);
}

static void write_timers(FILE *out, const struct mw_device_type *type)
{
	if (!type->timers.count)
		return;
	heading(out, "Timers", "| timer | |", "|---|---|");
	for (size_t i = 0; i < type->timers.count; i++) {
		fprintf(out, "| `%s` | ", type->timers.items[i].name);
		put_cell(out, type->timers.items[i].help);
		fputs(" |\n", out);
	}
}

static void write_firmware(FILE *out, const struct mw_device_type *type)
{
	const struct mw_firmware_hints *hints = &type->firmware;

	if (!hints->acpi_hid && !hints->acpi_cid && !hints->fdt_compatible && !hints->roles.count)
		return;
	fputs("\n## Firmware tables\n\n", out);
	if (hints->acpi_hid)
		fprintf(out, "- ACPI `_HID`: `%s`\n", hints->acpi_hid);
	if (hints->acpi_cid)
		fprintf(out, "- ACPI `_CID`: `%s`\n", hints->acpi_cid);
	if (hints->fdt_compatible)
		fprintf(out, "- device tree `compatible`: `%s`\n", hints->fdt_compatible);
	for (size_t i = 0; i < hints->roles.count; i++) {
		const struct mw_role_row *role = &hints->roles.items[i];

		fprintf(out, "- %s", mw_role_name(role->role));
		if (role->region)
			fprintf(out, ": region `%s`, offset %" PRIu64, role->region, role->offset);
		fputc('\n', out);
	}
}

static void write_backends(FILE *out, const struct mw_device_type *type,
			   const struct mw_registry *registry)
{
	bool first = true;

	if (type->backend || !mw_type_has_backend(type))
		return;
	fputs("\nHost sides (`backend:`): ", out);
	for (size_t i = 0; i < registry->count; i++) {
		const struct mw_device_type *backend = registry->types[i];

		if (!mw_type_takes_backend(type, backend))
			continue;
		fprintf(out, "%s[`%s`](%s.md)", first ? "" : ", ", backend->backend, backend->name);
		first = false;
	}
	fputs(".\n", out);
}

static void write_place(FILE *out, const struct mw_device_type *type)
{
	if (type->backend) {
		fprintf(out, "\nA host backend: `backend: %s`", type->backend);
		if (type->main_property)
			fprintf(out, ", or `backend: { %s: VALUE }` to set `%s`", type->backend,
				type->main_property);
		fputs(".\n", out);
		return;
	}
	fputs("\nSits on ", out);
	if (!type->buses)
		fputs("any bus of memory or ports", out);
	for (const char *const *bus = type->buses; bus && *bus; bus++)
		fprintf(out, "%s`%s`", bus == type->buses ? "" : ", ", *bus);
	if (type->provides)
		fprintf(out, " and opens a bus of kind `%s` for others", type->provides);
	fputs(".\n\n```\ndevices:\n  ", out);
	mw_describe_example(type, out);
	fputs("```\n", out);
}

void mw_reference_write(const struct mw_device_type *type, const struct mw_registry *registry,
			FILE *out)
{
	fprintf(out,
		"<!-- Generated by `millwright schema device %s`; not to be edited. -->\n"
		"# %s\n\n%s\n",
		type->name, type->name, type->summary);
	write_place(out, type);
	write_backends(out, type, registry);
	write_properties(out, type);
	write_wires(out, type);
	write_regions(out, type);
	write_timers(out, type);
	write_state(out, type);
	write_firmware(out, type);
}

static void write_list(const struct mw_registry *registry, bool backends, FILE *out)
{
	for (size_t i = 0; i < registry->count; i++) {
		const struct mw_device_type *type = registry->types[i];

		if ((type->backend != NULL) != backends)
			continue;
		fprintf(out, "| [`%s`](%s.md) | ", type->name, type->name);
		put_cell(out, type->summary);
		fputs(" |\n", out);
	}
}

void mw_reference_index(const struct mw_registry *registry, FILE *out)
{
	fputs("<!-- Generated by `millwright schema --reference`; not to be edited. -->\n"
	      "# devices\n\nA page for every device type of this program.\n",
	      out);
	heading(out, "Devices", "| `type` | |", "|---|---|");
	write_list(registry, false, out);
	heading(out, "Host backends", "| name | |", "|---|---|");
	write_list(registry, true, out);
}
