/* Firmware tables: byte for byte what core makes of the same plan, but for what firmware fills in. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/tables.h"
#include "tools/verify/verify.h"

enum { HEADER_BYTES = 36, CHECKSUM = 9, XSDT_ADDRESS = 24 };

/** Bytes of a table that hold addresses. */
struct hole {
	size_t at, length;
};
static const struct hole fadt_holes[] = {
	{ CHECKSUM, 1 },
	{ MW_FADT_FACS, 8 },
	{ 132, 16 }, /* FIRMWARE_CTRL, DSDT, and both again, X_ */
};
static const struct hole no_holes[] = { { CHECKSUM, 0 } };

static bool is_hole(const struct hole *holes, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (at >= holes[i].at && at - holes[i].at < holes[i].length)
			return true;
	return false;
}

static const struct verify_section *find_table(const struct verify_facts *facts,
					       const char *signature)
{
	const struct verify_section *section = verify_section(facts, "acpi", NULL);

	while (section && strcmp(section->name, signature) != 0)
		section = verify_section(facts, "acpi", section);
	return section;
}

static void compare_table(struct verify *verify, const uint8_t *ours, size_t length)
{
	char signature[5] = { 0 };
	bool fadt = !memcmp(ours, "FACP", 4);
	const struct hole *holes = fadt ? fadt_holes : no_holes;
	size_t hole_count = fadt ? sizeof(fadt_holes) / sizeof(fadt_holes[0]) : 1, count = 0;

	memcpy(signature, ours, 4);
	const struct verify_section *section = find_table(verify->facts, signature);
	const uint8_t *theirs = section ? verify_bytes(verify->facts, section, &count) : NULL;

	verify->tables++;
	if (!section) {
		verify_say(verify, signature, "the guest has no such table");
		return;
	}
	if (count != length) {
		verify_say(verify, signature, "has %zu bytes, the plan's %zu", count, length);
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if (theirs[i] == ours[i] || is_hole(holes, hole_count, i))
			continue;
		verify_say(verify, signature, "byte %zu is 0x%02x, the plan's 0x%02x", i, theirs[i],
			   ours[i]);
		return;
	}
}

/* Where a table lies in the blob; NULL: not in it. */
static const uint8_t *table_at(const struct mw_acpi_tables *tables, uint64_t address,
			       size_t *length)
{
	uint64_t at = address - tables->base;

	if (address < tables->base || at > tables->length || tables->length - at < HEADER_BYTES)
		return NULL;
	*length = mw_get_le(tables->bytes + at + 4, 4);
	return *length >= HEADER_BYTES && *length <= tables->length - at ? tables->bytes + at
									 : NULL;
}

static void check_acpi(struct verify *verify)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_acpi_tables tables;
	struct mw_arena arena = { 0 };
	size_t length = 0;

	if (mw_acpi_build(&tables, verify->plan, &arena, &diagnostics)) {
		const uint8_t *xsdt =
			table_at(&tables, mw_get_le(tables.rsdp_bytes + XSDT_ADDRESS, 8), &length);

		for (size_t at = HEADER_BYTES; xsdt && at + 8 <= length; at += 8) {
			size_t bytes;
			const uint8_t *table = table_at(&tables, mw_get_le(xsdt + at, 8), &bytes);

			if (!table)
				continue;
			compare_table(verify, table, bytes);
			if (memcmp(table, "FACP", 4) != 0 || bytes < MW_FADT_X_DSDT + 8)
				continue;
			table = table_at(&tables, mw_get_le(table + MW_FADT_X_DSDT, 8), &bytes);
			if (table)
				compare_table(verify, table, bytes);
		}
	} else {
		verify_say(verify, "ACPI", "the plan's tables cannot be made");
	}
	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
}

/* One structure: its formatted area, then strings up to two zeros. 0: it is cut short. */
static size_t structure_length(const uint8_t *at, size_t left)
{
	size_t length = left >= 4 ? at[1] : 0;

	if (length < 4 || length > left)
		return 0;
	while (length + 1 < left && (at[length] || at[length + 1]))
		length++;
	return length + 2 <= left ? length + 2 : 0;
}

static bool has_structure(const uint8_t *all, size_t count, const uint8_t *wanted, size_t length)
{
	size_t step;

	for (size_t at = 0; (step = structure_length(all + at, count - at)); at += step)
		if (step == length && !memcmp(all + at, wanted, length))
			return true;
	return false;
}

/* Firmware adds structures of its own, but every one of ours is there as it is. */
static void check_smbios(struct verify *verify)
{
	enum { END = 127 };
	const struct verify_section *section = verify_section(verify->facts, "dmi", NULL);
	struct mw_arena arena = { 0 };
	struct mw_smbios smbios;
	size_t count = 0, step;
	const uint8_t *theirs = section ? verify_bytes(verify->facts, section, &count) : NULL;

	if (!section) {
		verify_say(verify, "SMBIOS", "the guest has no such table");
		return;
	}
	verify->tables++;
	mw_smbios_build(&smbios, verify->plan, !verify->plan->boot.firmware, &arena);
	for (size_t at = 0; (step = structure_length(smbios.bytes + at, smbios.length - at));
	     at += step)
		if (smbios.bytes[at] != END &&
		    !has_structure(theirs, count, smbios.bytes + at, step))
			verify_say(verify, "SMBIOS", "structure 0x%04x of type %u is not there",
				   smbios.bytes[at + 2] | (unsigned)smbios.bytes[at + 3] << 8,
				   smbios.bytes[at]);
	mw_arena_fini(&arena);
}

void verify_tables(struct verify *verify)
{
	if (verify->plan->boot.tables & MW_TABLES_ACPI)
		check_acpi(verify);
	if (verify->plan->boot.tables & MW_TABLES_SMBIOS)
		check_smbios(verify);
}
