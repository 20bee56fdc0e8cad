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
 * in length and, from the plan, the OEM ids. The checksum comes when its addresses are known. */
void mw_acpi_table_begin(struct mw_aml *table);
void mw_acpi_table_end(struct mw_aml *table, const struct mw_plan *plan, const char signature[4],
		       uint8_t revision);
/** The byte that makes the sum of all 0. */
uint8_t mw_acpi_checksum(const uint8_t *bytes, size_t count);

/** All tables in one block, before it has a place: what points into it holds an offset, and checksums are 0. */
enum { MW_ACPI_POINTERS = 16, MW_ACPI_SUMS = 8, MW_ACPI_LISTED = 4 };
struct mw_acpi_blob {
	uint8_t *bytes;
	size_t length;
	size_t nvs; /* so many bytes at the start are the FACS; aligned to 64 bytes at least */
	struct mw_acpi_pointer {
		size_t at;
		unsigned size;
	} pointers[MW_ACPI_POINTERS];
	struct mw_acpi_sum {
		size_t at, start, length;
	} sums[MW_ACPI_SUMS];
	size_t pointer_count, sum_count;
	size_t listed[MW_ACPI_LISTED]; /* the tables that RSDT and XSDT name */
	size_t listed_count;
	size_t rsdt, xsdt;
};
/** In the arena; the FACS gets `facs_room` bytes, 64 at least. */
bool mw_acpi_assemble(struct mw_acpi_blob *blob, const struct mw_plan *plan, size_t facs_room,
		      struct mw_arena *arena, struct mw_diagnostics *diagnostics);
/** The root pointer (5.2.5.3), without its two checksums. */
enum {
	MW_RSDP_SUM = 8,
	MW_RSDP_RSDT = 16,
	MW_RSDP_FIRST_BYTES = 20,
	MW_RSDP_XSDT = 24,
	MW_RSDP_LONG_SUM = 32,
	MW_RSDP_BYTES = 36
};
void mw_acpi_rsdp(uint8_t rsdp[MW_RSDP_BYTES], uint64_t rsdt, uint64_t xsdt);

/** Whether the plan has RAM at [base, base + length). */
bool mw_plan_is_ram(const struct mw_plan *plan, uint64_t base, uint64_t length);

/** What a firmware configuration device gets. Created with zeroes, filled by build, freed with
 * mw_items_free; `bytes` and names live as long. */
enum { MW_ITEMS_MAX = 24 };
struct mw_items {
	struct mw_arena arena;
	struct mw_item {
		unsigned key; /* 0: a file */
		const char *name;
		const uint8_t *bytes;
		size_t size;
	} list[MW_ITEMS_MAX];
	size_t count;
};
bool mw_items_build(struct mw_items *items, const struct mw_plan *plan,
		    struct mw_diagnostics *diagnostics);
void mw_items_add(struct mw_items *items, unsigned key, const char *name, const uint8_t *bytes,
		  size_t size);
bool mw_items_acpi(struct mw_items *items, const struct mw_plan *plan,
		   struct mw_diagnostics *diagnostics);
bool mw_items_boot_order(struct mw_items *items, const struct mw_plan *plan,
			 struct mw_diagnostics *diagnostics);

/** The address of the structures, with the checksums. */
void mw_smbios_settle(struct mw_smbios *smbios, uint32_t address);

/** How INTx find their lines: the first domain with a swizzle, and what it leads to. */
struct mw_routing {
	const struct mw_plan_domain *domain;
	const struct mw_plan_node *router; /* whose registers route them (hint `pirq`), or NULL */
	uint16_t lines;                    /* of the ISA bus, that it can drive */
};
/** False: no function has INTx. */
bool mw_routing_find(struct mw_routing *routing, const struct mw_plan *plan);
/** The domain's line of INTA# to INTD# (0 to 3) of a slot. */
uint32_t mw_routing_line(const struct mw_routing *routing, unsigned slot, unsigned pin);
/** The GSI of the domain's line where that is for good: there is no router. */
bool mw_routing_gsi(const struct mw_routing *routing, const struct mw_plan *plan, uint32_t line,
		    uint32_t *gsi);

/** In the template of a root bridge: buses, ports and memory that it passes on. */
void mw_pci_root_windows(struct mw_aml *aml, const struct mw_plan *plan,
			 const struct mw_plan_node *node);
/** In the router's Device: interrupt links LNKA to LNKD, and LNKS for an SCI that a function has. */
void mw_pci_links(struct mw_aml *aml, const struct mw_plan *plan, const struct mw_routing *routing);
/** In the root bridge's Device: _PRT. `router` is the path of the router's Device; unused without. */
void mw_pci_routes(struct mw_aml *aml, const struct mw_plan *plan, const struct mw_routing *routing,
		   const char *router);

/** The MP configuration table, anywhere below 4 GiB, and the pointer that is searched for. */
enum { MW_MP_POINTER_BYTES = 16 };
void mw_mp_write(struct mw_aml *table, const struct mw_plan *plan);
void mw_mp_pointer(uint8_t pointer[MW_MP_POINTER_BYTES], uint32_t table);
/** False: there is no router, and nothing is written. */
bool mw_pir_write(struct mw_aml *table, const struct mw_plan *plan);

/** Sets up PCI functions and interrupt controllers, as setup.c has it. The main thread, during a reset. */
void mw_setup_write(struct mw_machine *machine);
/** Whether the machine's memory has the tables: there is no firmware, or none that is handed them. */
bool mw_tables_in_memory(const struct mw_plan *plan);

/** SMBIOS, MP and PIR tables in the machine's RAM, as the plan's boot.tables asks; false after a diagnostic. */
bool mw_area_write(struct mw_machine *machine, struct mw_diagnostics *diagnostics);
/** Whether it will have something in the 64 KiB below 1 MiB. */
bool mw_area_is_used(const struct mw_plan *plan);

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
void mw_madt_write(struct mw_aml *table, const struct mw_plan *plan);
/** False: there is no HPET, and nothing is written. */
bool mw_hpet_write(struct mw_aml *table, const struct mw_plan *plan);

#endif
