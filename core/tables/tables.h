/** Firmware tables, all of them computed from the plan and from nothing else. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TABLES_TABLES_H
#define CORE_TABLES_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/machine.h"

/** One range of the e820 map. */
enum mw_e820_type { MW_E820_RAM = 1, MW_E820_RESERVED = 2, MW_E820_ACPI = 3, MW_E820_NVS = 4 };
struct mw_e820_entry {
	uint64_t base, length;
	uint32_t type;
};
/** Ascending, not overlapping; at most `capacity`. Takes out of RAM what the tables themselves use and
 * what the architecture reserves (the EBDA and BIOS area only when tables live there). Returns the
 * count. */
size_t mw_e820(const struct mw_plan *plan, struct mw_e820_entry *entries, size_t capacity);

/** The blob of ACPI tables with its guest address; `rsdp` lies inside. Lives in the arena. */
struct mw_acpi_tables {
	uint8_t *bytes;
	size_t length;
	uint64_t base, rsdp;
};
/** Computes all tables for the place `mw_e820` keeps for them. False, with a diagnostic, when they do
 * not fit or the plan lacks what they need. */
bool mw_acpi_build(struct mw_acpi_tables *tables, const struct mw_plan *plan,
		   struct mw_arena *arena, struct mw_diagnostics *diagnostics);

/** A reset hook without context that writes every table the plan's boot.tables asks for. */
bool mw_tables_write(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		     struct mw_diagnostics *diagnostics);

#endif
