/** Firmware tables, all of them computed from the plan and from nothing else. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TABLES_TABLES_H
#define CORE_TABLES_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/machine.h"

/** All ACPI tables of a plan. The bytes live in the arena of mw_acpi_build. The root pointer is apart
 * from them, in the BIOS area where every system looks for it, if the plan has RAM there; otherwise
 * it is among them, and only a boot loader can tell where. */
struct mw_acpi_tables {
	uint8_t *bytes;
	size_t length;
	uint64_t base;          /* page-aligned, at the top of RAM below 4 GiB */
	uint64_t nvs;           /* so many bytes at `base` stay in use: the FACS; whole pages */
	uint8_t rsdp_bytes[36]; /* to be written at `rsdp`, after `bytes` */
	uint64_t rsdp;
};
/** Computes all tables and their place. False, with a diagnostic, when they do not fit or the plan
 * lacks what they need. */
bool mw_acpi_build(struct mw_acpi_tables *tables, const struct mw_plan *plan,
		   struct mw_arena *arena, struct mw_diagnostics *diagnostics);

/** Where a FADT holds the addresses of other tables (ACPI 6.5, 5.2.9). */
enum { MW_FADT_FACS = 36, MW_FADT_DSDT = 40, MW_FADT_X_DSDT = 140 };

/** SMBIOS structures, and the entry point of version 2.1 to them, which settle gives its address and
 * checksums. With `bios`: there is no firmware that describes itself. */
enum { MW_SMBIOS_ANCHOR_BYTES = 31 };
struct mw_smbios {
	uint8_t *bytes; /* in the arena */
	size_t length;
	uint8_t anchor[MW_SMBIOS_ANCHOR_BYTES];
};
void mw_smbios_build(struct mw_smbios *smbios, const struct mw_plan *plan, bool bios,
		     struct mw_arena *arena);

/** One range of the e820 map. */
enum mw_e820_type { MW_E820_RAM = 1, MW_E820_RESERVED = 2, MW_E820_ACPI = 3, MW_E820_NVS = 4 };
struct mw_e820_entry {
	uint64_t base, length;
	enum mw_e820_type type;
};
/** The plan's RAM, ascending and apart, without what the tables use (`acpi` NULL: none). Writes at
 * most `capacity` entries; returns how many there are. */
size_t mw_e820(const struct mw_plan *plan, const struct mw_acpi_tables *acpi,
	       struct mw_e820_entry *entries, size_t capacity);

/** The same for the CMOS memory of the clock chip, if there is one that holds it. The machine's main
 * thread, during a reset. */
void mw_cmos_write(struct mw_machine *machine);

/** The node that takes what is made for firmware (fw_cfg), or -1. */
long mw_items_taker(const struct mw_plan *plan);
/** What was made for a firmware configuration device; NULL-safe. */
struct mw_items;
void mw_items_free(struct mw_items *items);
/** A reset hook without context that hands it all over, if the plan has such a device. A restored machine
 * needs it as well. */
bool mw_items_write(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		    struct mw_diagnostics *diagnostics);

/** A reset hook without context that writes CMOS memory and every table the plan's boot.tables asks
 * for; the latter only where no firmware is handed them. Where a kernel is booted without firmware it
 * sets up PCI and interrupt controllers before, as the tables say. */
bool mw_tables_write(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		     struct mw_diagnostics *diagnostics);

#endif
