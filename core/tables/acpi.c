/** All ACPI tables of a plan, put in their place (ACPI 6.5, 5.2). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/registry.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	HEADER_BYTES = 36,
	HEADER_CHECKSUM = 9,
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

bool mw_acpi_role(struct mw_acpi_register *out, const struct mw_plan *plan, enum mw_role role)
{
	for (long i = mw_plan_role(plan, role, 0); i >= 0;
	     i = mw_plan_role(plan, role, (size_t)i + 1)) {
		const struct mw_plan_node *node = &plan->nodes[i];
		const struct mw_role_row *row = mw_type_role(node->type, role);
		const struct mw_plan_claim *claim = NULL;
		for (size_t c = 0; c < node->claim_count && !claim; c++) {
			enum mw_claim_kind kind = node->claims[c].kind;
			if ((kind == MW_CLAIM_IO || kind == MW_CLAIM_MMIO) &&
			    strcmp(node->claims[c].name, row->region) == 0)
				claim = &node->claims[c];
		}
		if (!claim)
			continue;
		*out = (struct mw_acpi_register){ .address = claim->base + row->offset,
						  .value = row->value,
						  .size = row->size ? row->size : 1,
						  .memory = claim->kind == MW_CLAIM_MMIO };
		return true;
	}
	return false;
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
	uint64_t length = (tables->length + MW_PAGE_BYTES - 1) / MW_PAGE_BYTES * MW_PAGE_BYTES;
	for (size_t i = plan->ram_count + 1; i--;) {
		/* from the highest range down; last of all right below the area */
		uint64_t last = RSDP_AREA - 1;
		if (i)
			last = plan->ram[i - 1].base + (plan->ram[i - 1].length - 1);
		uint64_t top = last < BELOW_4G ? last + 1 : BELOW_4G;
		if (top < length)
			continue;
		uint64_t base = (top - length) / MW_PAGE_BYTES * MW_PAGE_BYTES;
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

static void write_rsdp(struct mw_acpi_tables *tables, uint64_t xsdt)
{
	uint8_t *rsdp = tables->rsdp_bytes;
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "MILLWR", 6);
	rsdp[15] = 2;
	mw_put_le(rsdp + 20, 4, sizeof(tables->rsdp_bytes));
	mw_put_le(rsdp + 24, 8, xsdt);
	rsdp[8] = checksum(rsdp, 20);
	rsdp[32] = checksum(rsdp, sizeof(tables->rsdp_bytes));
}

static bool check(const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	long fixed = mw_plan_role(plan, MW_ROLE_PM1, 0);
	if (fixed < 0)
		return true;
	const struct mw_plan_node *node = &plan->nodes[fixed];
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, "", node->span,
		"ACPI tables for fixed power-management hardware are not implemented yet");
	mw_diag_label(diagnostics, diag, "`%s` (%s) has PM1 registers", node->id, node->type->name);
	mw_diag_help(diagnostics, diag, "remove it, or take `acpi` out of `boot: { tables }`");
	return false;
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
	struct mw_aml dsdt, fadt, madt, xsdt;
};

static bool assemble(struct mw_acpi_tables *tables, struct parts *parts, const struct mw_plan *plan,
		     struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	if (!mw_dsdt_write(&parts->dsdt, plan, diagnostics))
		return false;
	mw_fadt_write(&parts->fadt, plan);
	mw_madt_write(&parts->madt, plan);
	mw_acpi_table_begin(&parts->xsdt);
	mw_aml_le(&parts->xsdt, 8, 0);
	mw_aml_le(&parts->xsdt, 8, 0);
	mw_acpi_table_end(&parts->xsdt, plan, "XSDT", 1);
	size_t xsdt = append(tables, arena, parts->xsdt.bytes, parts->xsdt.length);
	size_t fadt = append(tables, arena, parts->fadt.bytes, parts->fadt.length);
	size_t madt = append(tables, arena, parts->madt.bytes, parts->madt.length);
	size_t rsdp = append(tables, arena, tables->rsdp_bytes, sizeof(tables->rsdp_bytes));
	size_t dsdt = append(tables, arena, parts->dsdt.bytes, parts->dsdt.length);
	if (!find_place(tables, plan))
		return fail_no_room(tables, plan, diagnostics);
	uint8_t *bytes = tables->bytes;
	mw_put_le(bytes + fadt + MW_FADT_DSDT, 4, tables->base + dsdt);
	mw_put_le(bytes + fadt + MW_FADT_X_DSDT, 8, tables->base + dsdt);
	mw_put_le(bytes + xsdt + HEADER_BYTES, 8, tables->base + fadt);
	mw_put_le(bytes + xsdt + HEADER_BYTES + 8, 8, tables->base + madt);
	const size_t all[] = { xsdt, fadt, madt, dsdt };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mw_acpi_seal(bytes + all[i]);
	bool low = is_ram(plan, RSDP_AREA, MW_PAGE_BYTES);
	tables->rsdp = low ? RSDP_AREA : tables->base + rsdp;
	write_rsdp(tables, tables->base + xsdt);
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
	mw_aml_fini(&parts.xsdt);
	return ok;
}
