/** What the table writers share. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TABLES_TABLES_INTERNAL_H
#define CORE_TABLES_TABLES_INTERNAL_H

#include "core/tables/aml.h"
#include "core/tables/tables.h"

#define MW_TABLE_PAGE 4096u

/** The names given so far in one DSDT. Created with room for `capacity` names, freed by fini. */
struct mw_acpi_names {
	uint32_t *slots; /* a hash set of NameSegs; 0: empty */
	size_t slot_count;
};
void mw_acpi_names_init(struct mw_acpi_names *names, size_t capacity);
void mw_acpi_names_fini(struct mw_acpi_names *names);
/** A NameSeg for a node's id that no one else has: the id itself where it is short enough, else its
 * beginning and its number, else its first letter and a hash. */
void mw_acpi_names_pick(struct mw_acpi_names *names, const char *id, char name[5]);

/** A table (ACPI 6.5, 5.2.6) begins with 36 bytes of header, which begin leaves to end; end fills
 * in length and, from the plan, the OEM ids. The checksum comes last, with mw_acpi_seal. */
void mw_acpi_table_begin(struct mw_aml *table);
void mw_acpi_table_end(struct mw_aml *table, const struct mw_plan *plan, const char signature[4],
		       uint8_t revision);
void mw_acpi_seal(uint8_t *table);

/** The register that plays a role, with its address from the plan. False: no node plays it. */
struct mw_acpi_register {
	uint64_t address, value;
	unsigned size; /* bytes */
	bool memory;
	uint32_t node;
};
bool mw_acpi_role(struct mw_acpi_register *out, const struct mw_plan *plan, enum mw_role role);

/** The node with fixed hardware (MW_ROLE_PM1), or NULL: the machine is hardware-reduced. */
const struct mw_plan_node *mw_acpi_fixed_hardware(const struct mw_plan *plan);
/** The line of the system control interrupt, or NULL where there is none to name. */
const struct mw_plan_net *mw_acpi_sci(const struct mw_plan *plan);
/** The number an ISA interrupt has on the bus; false for others. */
bool mw_acpi_isa_line(const struct mw_plan_net *net, uint32_t *line);

bool mw_dsdt_write(struct mw_aml *table, const struct mw_plan *plan,
		   struct mw_diagnostics *diagnostics);
/** The addresses of FACS and DSDT are left to be filled in. */
void mw_fadt_write(struct mw_aml *table, const struct mw_plan *plan);
enum { MW_FADT_FACS = 36, MW_FADT_DSDT = 40, MW_FADT_X_DSDT = 140 };
void mw_madt_write(struct mw_aml *table, const struct mw_plan *plan);

#endif
