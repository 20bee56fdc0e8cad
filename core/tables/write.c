/** Writes the tables of a plan into its machine's RAM. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/tables/tables_internal.h"

enum { RSDP_AREA = 0xe0000 };

/** Systems that no loader tells of it search the BIOS area, which may be shadow RAM. */
static bool write_acpi(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables tables;
	const struct mw_plan *plan = mw_machine_plan(machine);
	bool ok = mw_acpi_build(&tables, plan, &arena, diagnostics);
	if (ok) {
		size_t bytes = sizeof(tables.rsdp_bytes);
		void *blob = mw_machine_ram(machine, tables.base, tables.length);
		void *rsdp = mw_machine_seen(machine, tables.rsdp, bytes);
		void *low = mw_machine_seen(machine, RSDP_AREA, bytes);
		ok = blob && rsdp;
		if (!ok)
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
					   "the place of the ACPI tables is not RAM");
		else {
			memcpy(blob, tables.bytes, tables.length);
			memcpy(rsdp, tables.rsdp_bytes, bytes);
		}
		if (ok && low)
			memcpy(low, tables.rsdp_bytes, bytes);
	}
	mw_arena_fini(&arena);
	return ok;
}

bool mw_tables_in_memory(const struct mw_plan *plan)
{
	return mw_plan_boots_kernel(plan) || mw_items_taker(plan) < 0;
}

bool mw_tables_write(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		     struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = mw_machine_plan(machine);
	mw_cmos_write(machine);
	if (mw_plan_boots_kernel(plan))
		mw_setup_write(machine);
	if (!mw_tables_in_memory(plan))
		return true;
	return (!(plan->boot.tables & MW_TABLES_ACPI) || write_acpi(machine, diagnostics)) &&
	       mw_area_write(machine, diagnostics);
}
