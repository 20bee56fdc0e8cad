/** What old systems search for between 0xf0000 and 1 MiB: entry points of SMBIOS, MP table and PCI IRQ routing
 * table, each on a boundary of 16 bytes. Where there is a BIOS, it puts them there. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/tables/tables_internal.h"

enum { AREA = 0xf0000, AREA_BYTES = 0x10000, ALIGN = 16 };
enum { AREA_TABLES = MW_TABLES_SMBIOS | MW_TABLES_MP | MW_TABLES_PIR };

struct area {
	uint8_t *bytes;
	size_t used;
};

bool mw_area_is_used(const struct mw_plan *plan)
{
	return (plan->boot.tables & AREA_TABLES) && mw_tables_in_memory(plan) &&
	       mw_plan_is_ram(plan, AREA, AREA_BYTES);
}

/** Room for `count` bytes, as an offset; beyond the area where it is full. */
static size_t take(struct area *area, size_t count)
{
	size_t at = (area->used + ALIGN - 1) / ALIGN * ALIGN;
	area->used = at + count;
	return at;
}

static void put(struct area *area, size_t at, const void *bytes, size_t count)
{
	if (at <= AREA_BYTES && count <= AREA_BYTES - at)
		memcpy(area->bytes + at, bytes, count);
}

static void put_smbios(struct area *area, const struct mw_plan *plan)
{
	struct mw_arena arena = { 0 };
	struct mw_smbios smbios;
	mw_smbios_build(&smbios, plan, true, &arena);
	size_t anchor = take(area, sizeof(smbios.anchor)), tables = take(area, smbios.length);
	mw_smbios_settle(&smbios, (uint32_t)(AREA + tables));
	put(area, anchor, smbios.anchor, sizeof(smbios.anchor));
	put(area, tables, smbios.bytes, smbios.length);
	mw_arena_fini(&arena);
}

static void put_mp(struct area *area, const struct mw_plan *plan)
{
	struct mw_aml table;
	uint8_t pointer[MW_MP_POINTER_BYTES];
	mw_mp_write(&table, plan);
	size_t at = take(area, sizeof(pointer)), tables = take(area, table.length);
	mw_mp_pointer(pointer, (uint32_t)(AREA + tables));
	put(area, at, pointer, sizeof(pointer));
	put(area, tables, table.bytes, table.length);
	mw_aml_fini(&table);
}

static bool put_pir(struct area *area, const struct mw_plan *plan,
		    struct mw_diagnostics *diagnostics)
{
	struct mw_aml table = { 0 };
	bool there = mw_pir_write(&table, plan);
	if (there)
		put(area, take(area, table.length), table.bytes, table.length);
	else
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
				   "there is no PCI interrupt router that a table of kind `pir` "
				   "could be about");
	mw_aml_fini(&table);
	return there;
}

bool mw_area_write(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = mw_machine_plan(machine);
	struct area area = { .bytes = mw_machine_seen(machine, AREA, AREA_BYTES) };
	unsigned wanted = plan->boot.tables;
	if (!(wanted & AREA_TABLES))
		return true;
	if (!area.bytes) {
		struct mw_diag *diag = mw_diagnostics_add(
			diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
			"tables of kinds `smbios`, `mptable` and `pir` need RAM from 0xf0000 to "
			"1 MiB");
		mw_diag_help(diagnostics, diag,
			     "leave it out of `memory: { holes }`, or give the machine a firmware "
			     "and a `fw-cfg`");
		return false;
	}
	if (wanted & MW_TABLES_SMBIOS)
		put_smbios(&area, plan);
	if (wanted & MW_TABLES_MP)
		put_mp(&area, plan);
	if ((wanted & MW_TABLES_PIR) && !put_pir(&area, plan, diagnostics))
		return false;
	if (area.used <= AREA_BYTES)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
			   "%zu bytes of tables do not fit the 64 KiB from 0xf0000", area.used);
	return false;
}
