/** Words for the rows of a device type: values, ranges, sizes, and the page made of them. */
// SPDX-License-Identifier: MIT
#include "tools/describe_internal.h"

#include <inttypes.h>
#include <string.h>

#include "core/registry.h"
#include "tools/options.h"

enum { NAME_COLUMN = 2, TEXT_COLUMN = 6 };

void mw_describe_size(uint64_t bytes, char *text, size_t capacity)
{
	static const char *const units[] = { "", "KiB", "MiB", "GiB", "TiB" };
	size_t unit = 0;

	while (unit < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, capacity, "%" PRIu64 "%s", bytes, units[unit]);
}

/** Frequencies are counted, other large numbers are addresses or masks. */
static bool reads_better_in_hex(const struct mw_property *property, uint64_t number)
{
	size_t length = strlen(property->name);

	return number > 0xffff && !(length > 3 && strcmp(property->name + length - 3, "_hz") == 0);
}

static void number_text(const struct mw_property *property, uint64_t number, char *text,
			size_t capacity)
{
	if (property->is_size)
		mw_describe_size(number, text, capacity);
	else if (reads_better_in_hex(property, number))
		snprintf(text, capacity, "0x%" PRIx64, number);
	else
		snprintf(text, capacity, "%" PRIu64, number);
}

bool mw_kind_is_number(enum mw_kind kind)
{
	return kind == MW_U8 || kind == MW_U16 || kind == MW_U32 || kind == MW_U64;
}

const char *mw_property_type_name(const struct mw_property *property)
{
	if (property->members)
		return "enum";
	if (property->is_size)
		return "size";
	if (property->is_path)
		return "path";
	return mw_kind_is_number(property->kind) ? "int" : mw_kind_name(property->kind);
}

void mw_describe_default(const struct mw_property *property, char *text, size_t capacity)
{
	text[0] = '\0';
	if (property->required)
		return;
	if (property->members)
		snprintf(text, capacity, "%s", property->members[property->fallback]);
	else if (property->kind == MW_BOOL)
		snprintf(text, capacity, "%s", property->fallback ? "true" : "false");
	else if (mw_kind_is_number(property->kind))
		number_text(property, property->fallback, text, capacity);
	else if (property->kind == MW_STRING)
		snprintf(text, capacity, "\"%s\"",
			 property->fallback_text ? property->fallback_text : "");
}

void mw_describe_range(const struct mw_property *property, char *text, size_t capacity)
{
	size_t used = 0;
	char least[32], most[32];

	text[0] = '\0';
	if (property->members) {
		for (const char *const *member = property->members; *member; member++)
			if (used < capacity)
				used += (size_t)snprintf(text + used, capacity - used, "%s%s",
							 used ? " | " : "", *member);
		return;
	}
	if (!mw_kind_is_number(property->kind) || (!property->min && !property->max))
		return;
	number_text(property, property->min, least, sizeof(least));
	number_text(property, property->max, most, sizeof(most));
	if (property->max)
		snprintf(text, capacity, "%s..%s", least, most);
	else
		snprintf(text, capacity, "at least %s", least);
}

/* Words for the other rows. */

const char *mw_wire_direction_name(const struct mw_wire *wire)
{
	if (wire->kind == MW_STREAM || wire->kind == MW_DISPLAY)
		return "both ways";
	return wire->direction == MW_RECEIVES ? "receives" : "drives";
}

const char *mw_backing_name(enum mw_backing backing)
{
	static const char *const names[] = { "registers", "ROM", "RAM" };

	return names[backing];
}

const char *mw_role_name(enum mw_role role)
{
	static const char *const names[] = {
		[MW_ROLE_NONE] = "none",
		[MW_ROLE_IOAPIC] = "MADT I/O APIC",
		[MW_ROLE_PIC] = "MADT PCAT_COMPAT",
		[MW_ROLE_LEGACY] = "FADT legacy devices",
		[MW_ROLE_8042] = "FADT 8042",
		[MW_ROLE_RTC] = "FADT CMOS clock",
		[MW_ROLE_VGA] = "FADT VGA",
		[MW_ROLE_SLEEP_CONTROL] = "FADT SLEEP_CONTROL_REG",
		[MW_ROLE_SLEEP_STATUS] = "FADT SLEEP_STATUS_REG",
		[MW_ROLE_RESET] = "FADT RESET_REG",
		[MW_ROLE_DEBUG_EXIT] = "debug exit",
		[MW_ROLE_PM1] = "FADT PM1 events",
		[MW_ROLE_PM1_CONTROL] = "FADT PM1 control",
		[MW_ROLE_PM_TIMER] = "FADT PM timer",
		[MW_ROLE_TIMER] = "timer of known rate",
	};

	return role < sizeof(names) / sizeof(names[0]) && names[role] ? names[role] : "unknown";
}

/* The page. */

static void print_help(FILE *out, const char *help)
{
	if (!help || !*help)
		return;
	fprintf(out, "%*s", TEXT_COLUMN, "");
	mw_print_wrapped(out, TEXT_COLUMN, TEXT_COLUMN, help);
}

static void print_property(FILE *out, const struct mw_property *property)
{
	char fallback[120], range[200];

	mw_describe_default(property, fallback, sizeof(fallback));
	mw_describe_range(property, range, sizeof(range));
	fprintf(out, "%*s%s: %s", NAME_COLUMN, "", property->name, mw_property_type_name(property));
	if (*range)
		fprintf(out, " %s", range);
	if (property->required)
		fputs(", required", out);
	else if (*fallback)
		fprintf(out, ", default %s", fallback);
	fputc('\n', out);
	print_help(out, property->help);
}

static void print_properties(FILE *out, const struct mw_device_type *type)
{
	if (type->properties.count)
		fprintf(out, "\nProperties (props: { NAME: VALUE })\n");
	for (size_t i = 0; i < type->properties.count; i++)
		print_property(out, &type->properties.items[i]);
}

static void print_accesses(FILE *out, const struct mw_region *region)
{
	unsigned min = region->min_access, max = region->max_access;

	if (region->backing != MW_BACKING_CALLS)
		return;
	if (min == max)
		fprintf(out, ", accesses of %u byte%s", max, max == 1 ? "" : "s");
	else
		fprintf(out, ", accesses of %u to %u bytes", min, max);
}

static void print_region(FILE *out, const struct mw_region *region)
{
	char size[32] = "as long as the claim";

	if (region->size && region->space == MW_SPACE_MEMORY)
		mw_describe_size(region->size, size, sizeof(size));
	else if (region->size)
		snprintf(size, sizeof(size), "%" PRIu64, region->size);
	fprintf(out, "%*s%s: %s, %s, %s", NAME_COLUMN, "", region->name,
		region->space == MW_SPACE_PORT ? "ports" : "memory", size,
		mw_backing_name(region->backing));
	print_accesses(out, region);
	if (region->align > 1)
		fprintf(out, ", aligned to 0x%" PRIx64, region->align);
	fprintf(out, "%s\n", region->optional ? ", optional" : "");
}

static void print_regions(FILE *out, const struct mw_device_type *type)
{
	if (type->regions.count)
		fprintf(out, "\nRegions (io: BASE or mmio: BASE; several: { NAME: BASE })\n");
	for (size_t i = 0; i < type->regions.count; i++)
		print_region(out, &type->regions.items[i]);
}

static void print_wires(FILE *out, const struct mw_device_type *type)
{
	if (type->wires.count)
		fprintf(out,
			"\nWires (wires: { NAME: NODE.WIRE }; a line that drives also: irq: N)\n");
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		fprintf(out, "%*s%s", NAME_COLUMN, "", wire->name);
		if (wire->count > 1)
			fprintf(out, "[%zu]", wire->count);
		fprintf(out, ": %s, %s", mw_kind_name(wire->kind), mw_wire_direction_name(wire));
		if (wire->count_property)
			fprintf(out, ", as many as `%s` says", wire->count_property);
		fprintf(out, "%s\n", wire->optional ? ", optional" : "");
		print_help(out, wire->help);
	}
}

static void print_timers(FILE *out, const struct mw_device_type *type)
{
	if (type->timers.count)
		fprintf(out, "\nTimers\n");
	for (size_t i = 0; i < type->timers.count; i++) {
		fprintf(out, "%*s%s\n", NAME_COLUMN, "", type->timers.items[i].name);
		print_help(out, type->timers.items[i].help);
	}
}

static void print_firmware(FILE *out, const struct mw_device_type *type)
{
	const struct mw_firmware_hints *hints = &type->firmware;

	if (!hints->acpi_hid && !hints->acpi_cid && !hints->fdt_compatible && !hints->roles.count)
		return;
	fprintf(out, "\nFirmware tables\n");
	if (hints->acpi_hid)
		fprintf(out, "%*sACPI _HID: %s\n", NAME_COLUMN, "", hints->acpi_hid);
	if (hints->acpi_cid)
		fprintf(out, "%*sACPI _CID: %s\n", NAME_COLUMN, "", hints->acpi_cid);
	if (hints->fdt_compatible)
		fprintf(out, "%*sFDT compatible: %s\n", NAME_COLUMN, "", hints->fdt_compatible);
	for (size_t i = 0; i < hints->roles.count; i++) {
		const struct mw_role_row *role = &hints->roles.items[i];

		fprintf(out, "%*s%s", NAME_COLUMN, "", mw_role_name(role->role));
		if (role->region)
			fprintf(out, ": region %s, offset %" PRIu64, role->region, role->offset);
		fputc('\n', out);
	}
}

static void print_place(FILE *out, const struct mw_device_type *type)
{
	if (type->backend) {
		fprintf(out, "A host backend: `backend: %s`", type->backend);
		if (type->main_property)
			fprintf(out, ", or `backend: { %s: VALUE }` to set `%s`", type->backend,
				type->main_property);
		fputs(".\n", out);
		return;
	}
	fputs("Sits on:", out);
	if (!type->buses)
		fputs(" any bus of memory or ports", out);
	for (const char *const *bus = type->buses; bus && *bus; bus++)
		fprintf(out, " %s", *bus);
	if (type->provides)
		fprintf(out, "; opens a bus for others: %s", type->provides);
	fputs(".\n", out);
}

/* An entry that a profile could hold, with words in capitals to fill in. */

static size_t required_regions(const struct mw_device_type *type, enum mw_space space)
{
	size_t count = 0;

	for (size_t i = 0; i < type->regions.count; i++)
		count += type->regions.items[i].space == space && !type->regions.items[i].optional;
	return count;
}

static void print_region_claims(FILE *out, const struct mw_device_type *type, enum mw_space space)
{
	size_t count = required_regions(type, space);
	const char *separator = "";

	if (!count)
		return;
	fprintf(out, ", %s: %s", space == MW_SPACE_PORT ? "io" : "mmio", count > 1 ? "{ " : "");
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->space != space || region->optional)
			continue;
		if (count > 1)
			fprintf(out, "%s%s: ", separator, region->name);
		fprintf(out, "BASE%s", region->size ? "" : "+LENGTH");
		separator = ", ";
	}
	fputs(count > 1 ? " }" : "", out);
}

static void print_wire_claims(FILE *out, const struct mw_device_type *type)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (wire->kind == MW_LINE && wire->direction == MW_DRIVES && !wire->optional)
			fputs(", irq: LINE", out);
		if (wire->kind == MW_STREAM)
			fputs(", backend: stdio", out);
		if (wire->kind == MW_IMAGE)
			fprintf(out, ", backend: { %s: PATH }", wire->writes ? "raw" : "file");
	}
}

static void print_required_props(FILE *out, const struct mw_device_type *type)
{
	const char *separator = ", props: { ";

	for (size_t i = 0; i < type->properties.count; i++) {
		if (!type->properties.items[i].required)
			continue;
		fprintf(out, "%s%s: VALUE", separator, type->properties.items[i].name);
		separator = ", ";
	}
	fputs(*separator && separator[2] == '\0' ? " }" : "", out);
}

void mw_describe_example(const struct mw_device_type *type, FILE *out)
{
	fprintf(out, "ID: { type: %s, at: %s", type->name, type->buses ? type->buses[0] : "sys");
	print_region_claims(out, type, MW_SPACE_PORT);
	print_region_claims(out, type, MW_SPACE_MEMORY);
	print_wire_claims(out, type);
	print_required_props(out, type);
	fputs(" }\n", out);
}

static void print_entry(FILE *out, const struct mw_device_type *type)
{
	if (type->backend)
		return;
	fputs("In a profile:\n  ", out);
	mw_describe_example(type, out);
}

void mw_describe_text(const struct mw_device_type *type, FILE *out)
{
	fprintf(out, "%s\n\n", type->name);
	mw_print_wrapped(out, 0, 0, type->summary);
	print_place(out, type);
	print_entry(out, type);
	print_properties(out, type);
	print_regions(out, type);
	print_wires(out, type);
	print_timers(out, type);
	print_firmware(out, type);
}
