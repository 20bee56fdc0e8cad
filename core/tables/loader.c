/** ACPI tables for a firmware that places them itself, and the commands by which it does (QEMU's
 * bios-linker-loader: entries of 128 bytes, little-endian, which name files of the fw_cfg device). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/tables_internal.h"

enum { ENTRY_BYTES = 128, NAME_BYTES = 56, ENTRIES = 2 + MW_ACPI_POINTERS + MW_ACPI_SUMS + 4 };
enum { COMMAND_ALLOCATE = 1, COMMAND_ADD_POINTER = 2, COMMAND_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };
enum { FACS_ROOM = 64, RSDP_ALIGN = 16 };
#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"
#define LOADER_FILE "etc/table-loader"

struct script {
	uint8_t *bytes;
	size_t count;
};

static uint8_t *add(struct script *script, unsigned command, const char *file)
{
	uint8_t *entry = script->bytes + ENTRY_BYTES * script->count++;
	assert(script->count <= ENTRIES);
	mw_put_le(entry, 4, command);
	memcpy(entry + 4, file, strlen(file));
	return entry + 4 + NAME_BYTES;
}

static void add_file(struct script *script, const char *file, uint32_t align, uint8_t zone)
{
	uint8_t *rest = add(script, COMMAND_ALLOCATE, file);
	mw_put_le(rest, 4, align);
	rest[4] = zone;
}

/** The `size` bytes at `at` in `file` are an offset in the tables, to which their address is added. */
static void add_pointer(struct script *script, const char *file, size_t at, unsigned size)
{
	uint8_t *rest = add(script, COMMAND_ADD_POINTER, file);
	memcpy(rest, TABLES_FILE, sizeof(TABLES_FILE));
	mw_put_le(rest + NAME_BYTES, 4, at);
	rest[NAME_BYTES + 4] = (uint8_t)size;
}

static void add_checksum(struct script *script, const char *file, size_t at, size_t start,
			 size_t length)
{
	uint8_t *rest = add(script, COMMAND_ADD_CHECKSUM, file);
	mw_put_le(rest, 4, at);
	mw_put_le(rest + 4, 4, start);
	mw_put_le(rest + 8, 4, length);
}

/** Pointers before checksums, and the shorter of the root pointer's checksums before the one over all. */
static void write_script(struct script *script, const struct mw_acpi_blob *blob)
{
	add_file(script, RSDP_FILE, RSDP_ALIGN, ZONE_FSEG);
	add_file(script, TABLES_FILE, FACS_ROOM, ZONE_HIGH);
	for (size_t i = 0; i < blob->pointer_count; i++)
		add_pointer(script, TABLES_FILE, blob->pointers[i].at, blob->pointers[i].size);
	for (size_t i = 0; i < blob->sum_count; i++)
		add_checksum(script, TABLES_FILE, blob->sums[i].at, blob->sums[i].start,
			     blob->sums[i].length);
	add_pointer(script, RSDP_FILE, MW_RSDP_RSDT, 4);
	add_pointer(script, RSDP_FILE, MW_RSDP_XSDT, 8);
	add_checksum(script, RSDP_FILE, MW_RSDP_SUM, 0, MW_RSDP_FIRST_BYTES);
	add_checksum(script, RSDP_FILE, MW_RSDP_LONG_SUM, 0, MW_RSDP_BYTES);
}

bool mw_items_acpi(struct mw_items *items, const struct mw_plan *plan,
		   struct mw_diagnostics *diagnostics)
{
	struct mw_acpi_blob blob;
	struct script script = { .bytes = mw_arena_alloc(&items->arena, ENTRIES, ENTRY_BYTES) };
	uint8_t *rsdp = mw_arena_alloc(&items->arena, MW_RSDP_BYTES, 1);
	if (!mw_acpi_assemble(&blob, plan, FACS_ROOM, &items->arena, diagnostics))
		return false;
	mw_acpi_rsdp(rsdp, blob.rsdt, blob.xsdt);
	write_script(&script, &blob);
	mw_items_add(items, 0, TABLES_FILE, blob.bytes, blob.length);
	mw_items_add(items, 0, RSDP_FILE, rsdp, MW_RSDP_BYTES);
	mw_items_add(items, 0, LOADER_FILE, script.bytes, script.count * ENTRY_BYTES);
	return true;
}
