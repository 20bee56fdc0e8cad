/** All ACPI tables of a plan, put in their place (ACPI 6.5, 5.2). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	HEADER_BYTES = 36,
	HEADER_CHECKSUM = 9,
	FACS_BYTES = 64,
	FACS_VERSION = 32,
	LISTED = 2,          /* tables that RSDT and XSDT name */
	RSDP_AREA = 0xe0000, /* the area a system without other means searches, 5.2.5.1 */
	RSDP_AREA_END = 0x100000
};
#define BELOW_4G 0x100000000ull

void mw_acpi_table_begin(struct mw_aml *table)
{
	for (unsigned i = 0; i < HEADER_BYTES; i++)
		mw_aml_byte(table, 0);
}

void mw_acpi_table_end(struct mw_aml *table, const struct mw_plan *plan, const char signature[4],
		       uint8_t revision)
{
	uint8_t *header = table->bytes;
	memcpy(header, signature, 4);
	mw_put_le(header + 4, 4, table->length);
	header[8] = revision;
	memcpy(header + 10, "MILLWR", 6);
	for (size_t i = 0; i < 8; i++) /* OEM table id: the machine */
		header[16 + i] = i < strlen(plan->name) ? (uint8_t)plan->name[i] : ' ';
	mw_put_le(header + 24, 4, plan->version);
	memcpy(header + 28, "MILL", 4);
	mw_put_le(header + 32, 4, 1);
}

static uint8_t checksum(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

void mw_acpi_seal(uint8_t *table)
{
	table[HEADER_CHECKSUM] = 0;
	table[HEADER_CHECKSUM] = checksum(table, (size_t)mw_get_le(table + 4, 4));
}

/** Whether the plan has RAM at [base, base + length). */
static bool is_ram(const struct mw_plan *plan, uint64_t base, uint64_t length)
{
	for (size_t i = 0; i < plan->ram_count; i++) {
		const struct mw_plan_range *ram = &plan->ram[i];
		if (base >= ram->base && length <= ram->length &&
		    base - ram->base <= ram->length - length)
			return true;
	}
	return false;
}

/** The highest place below 4 GiB, and not in the area of the root pointer. 32-bit systems reach it,
 * loaders put kernels low, and there is always room for more, unlike in the 128 KiB below 1 MiB. */
static bool find_place(struct mw_acpi_tables *tables, const struct mw_plan *plan)
{
	uint64_t length = (tables->length + MW_TABLE_PAGE - 1) / MW_TABLE_PAGE * MW_TABLE_PAGE;
	for (size_t i = plan->ram_count + 1; i--;) {
		/* from the highest range down; last of all right below the area */
		uint64_t last = RSDP_AREA - 1;
		if (i)
			last = plan->ram[i - 1].base + (plan->ram[i - 1].length - 1);
		uint64_t top = last < BELOW_4G ? last + 1 : BELOW_4G;
		if (top < length)
			continue;
		uint64_t base = (top - length) / MW_TABLE_PAGE * MW_TABLE_PAGE;
		bool in_area = base < RSDP_AREA_END && base + length > RSDP_AREA;
		if (!in_area && is_ram(plan, base, length)) {
			tables->base = base;
			return true;
		}
	}
	return false;
}

/** Puts a table behind the others, aligned; returns its offset. */
static size_t append(struct mw_acpi_tables *tables, struct mw_arena *arena, const void *bytes,
		     size_t length)
{
	size_t at = (tables->length + 15) / 16 * 16;
	uint8_t *grown = mw_arena_alloc(arena, at + length, 1);
	if (tables->length)
		memcpy(grown, tables->bytes, tables->length);
	memcpy(grown + at, bytes, length);
	tables->bytes = grown;
	tables->length = at + length;
	return at;
}

/** The FACS (5.2.10) is written to by systems, so it has pages of its own, before all else. */
static void append_facs(struct mw_acpi_tables *tables, struct mw_arena *arena)
{
	uint8_t page[MW_TABLE_PAGE] = { 0 };
	memcpy(page, "FACS", 4);
	mw_put_le(page + 4, 4, FACS_BYTES);
	page[FACS_VERSION] = 2;
	append(tables, arena, page, sizeof(page));
	tables->nvs = sizeof(page);
}

/** A table of `count` addresses; they are filled in when the tables have their place. */
static void write_root(struct mw_aml *table, const struct mw_plan *plan, const char signature[4],
		       unsigned bytes, size_t count)
{
	mw_acpi_table_begin(table);
	for (size_t i = 0; i < count; i++)
		mw_aml_le(table, bytes, 0);
	mw_acpi_table_end(table, plan, signature, 1);
}

static void write_rsdp(struct mw_acpi_tables *tables, uint64_t rsdt, uint64_t xsdt)
{
	uint8_t *rsdp = tables->rsdp_bytes;
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "MILLWR", 6);
	rsdp[15] = 2;
	mw_put_le(rsdp + 16, 4, rsdt);
	mw_put_le(rsdp + 20, 4, sizeof(tables->rsdp_bytes));
	mw_put_le(rsdp + 24, 8, xsdt);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, sizeof(tables->rsdp_bytes));
}

static bool fail_fixed(const struct mw_plan_node *node, const char *lack, const char *help,
		       struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag =
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", node->span,
				   "ACPI tables cannot describe `%s`: %s", node->id, lack);
	mw_diag_label(diagnostics, diag, "%s has PM1 event registers", node->type->name);
	mw_diag_help(diagnostics, diag, "%s", help);
	return false;
}

/** Fixed hardware is a whole: without its interrupt or its control register no system runs it. */
static bool check(const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_node *node = mw_acpi_fixed_hardware(plan);
	struct mw_acpi_register control;
	if (!node)
		return true;
	if (!mw_acpi_role(&control, plan, MW_ROLE_PM1_CONTROL))
		return fail_fixed(node, "there is no PM1 control register",
				  "add one, or take `acpi` out of `boot: { tables }`", diagnostics);
	if (!mw_acpi_sci(plan))
		return fail_fixed(node, "its `sci` leads to no interrupt that has a number",
				  "connect it to a line of the ISA or gsi domain", diagnostics);
	return true;
}

static bool fail_no_room(const struct mw_acpi_tables *tables, const struct mw_plan *plan,
			 struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
		"%zu KiB of ACPI tables do not fit the machine's RAM below 4 GiB",
		(tables->length + 1023) / 1024);
	mw_diag_help(diagnostics, diag, "give it more, as in `--set ram=64MiB`");
	return false;
}

struct parts {
	struct mw_aml dsdt, fadt, madt, rsdt, xsdt;
};

/** Where each table is in the bytes. */
struct places {
	size_t dsdt, fadt, madt, rsdt, xsdt, rsdp;
};

static struct places append_all(struct mw_acpi_tables *tables, const struct parts *parts,
				struct mw_arena *arena)
{
	struct places at;
	at.xsdt = append(tables, arena, parts->xsdt.bytes, parts->xsdt.length);
	at.rsdt = append(tables, arena, parts->rsdt.bytes, parts->rsdt.length);
	at.fadt = append(tables, arena, parts->fadt.bytes, parts->fadt.length);
	at.madt = append(tables, arena, parts->madt.bytes, parts->madt.length);
	at.rsdp = append(tables, arena, tables->rsdp_bytes, sizeof(tables->rsdp_bytes));
	at.dsdt = append(tables, arena, parts->dsdt.bytes, parts->dsdt.length);
	return at;
}

/** The MADT is last, and describes an APIC interrupt model (5.2.12): one CPU whose only controllers are 8259s
 * has none. Linux takes it for symmetric mode all the same, and then hears nothing from the 8259s. */
static size_t count_listed(const struct mw_plan *plan)
{
	bool apics = mw_plan_role(plan, MW_ROLE_IOAPIC, 0) >= 0 ||
		     mw_plan_role(plan, MW_ROLE_PIC, 0) < 0 || plan->cpu.count > 1;
	return apics ? LISTED : LISTED - 1;
}

/** Addresses first, checksums after them. */
static void join(struct mw_acpi_tables *tables, const struct places *at, size_t count)
{
	uint8_t *bytes = tables->bytes;
	uint64_t base = tables->base;
	const uint64_t listed[] = { base + at->fadt, base + at->madt };
	const size_t sealed[] = { at->xsdt, at->rsdt, at->fadt, at->madt, at->dsdt };
	if (tables->nvs)
		mw_put_le(bytes + at->fadt + MW_FADT_FACS, 4, base);
	mw_put_le(bytes + at->fadt + MW_FADT_DSDT, 4, base + at->dsdt);
	mw_put_le(bytes + at->fadt + MW_FADT_X_DSDT, 8, base + at->dsdt);
	for (size_t i = 0; i < count; i++) {
		mw_put_le(bytes + at->xsdt + HEADER_BYTES + 8 * i, 8, listed[i]);
		mw_put_le(bytes + at->rsdt + HEADER_BYTES + 4 * i, 4, listed[i]);
	}
	for (size_t i = 0; i < sizeof(sealed) / sizeof(sealed[0]); i++)
		mw_acpi_seal(bytes + sealed[i]);
}

static bool assemble(struct mw_acpi_tables *tables, struct parts *parts, const struct mw_plan *plan,
		     struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	if (!mw_dsdt_write(&parts->dsdt, plan, diagnostics))
		return false;
	mw_fadt_write(&parts->fadt, plan);
	mw_madt_write(&parts->madt, plan);
	write_root(&parts->rsdt, plan, "RSDT", 4, count_listed(plan));
	write_root(&parts->xsdt, plan, "XSDT", 8, count_listed(plan));
	if (mw_acpi_fixed_hardware(plan))
		append_facs(tables, arena);
	struct places at = append_all(tables, parts, arena);
	if (!find_place(tables, plan))
		return fail_no_room(tables, plan, diagnostics);
	join(tables, &at, count_listed(plan));
	bool low = is_ram(plan, RSDP_AREA, MW_TABLE_PAGE);
	tables->rsdp = low ? RSDP_AREA : tables->base + at.rsdp;
	write_rsdp(tables, tables->base + at.rsdt, tables->base + at.xsdt);
	return true;
}

bool mw_acpi_build(struct mw_acpi_tables *tables, const struct mw_plan *plan,
		   struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	struct parts parts = { 0 };
	*tables = (struct mw_acpi_tables){ 0 };
	bool ok = check(plan, diagnostics) && assemble(tables, &parts, plan, arena, diagnostics);
	mw_aml_fini(&parts.dsdt);
	mw_aml_fini(&parts.fadt);
	mw_aml_fini(&parts.madt);
	mw_aml_fini(&parts.rsdt);
	mw_aml_fini(&parts.xsdt);
	return ok;
}
