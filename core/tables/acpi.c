/** All ACPI tables of a plan, joined into one block that can lie anywhere (ACPI 6.5, 5.2). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { HEADER_BYTES = 36, HEADER_CHECKSUM = 9, FACS_BYTES = 64, FACS_VERSION = 32, ALIGN = 16 };

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

uint8_t mw_acpi_checksum(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

/** Puts a table behind the others, aligned; returns its offset. */
static size_t append(struct mw_acpi_blob *blob, struct mw_arena *arena, const void *bytes,
		     size_t length)
{
	size_t at = (blob->length + ALIGN - 1) / ALIGN * ALIGN;
	uint8_t *grown = mw_arena_alloc(arena, at + length, 1);
	if (blob->length)
		memcpy(grown, blob->bytes, blob->length);
	memcpy(grown + at, bytes, length);
	blob->bytes = grown;
	blob->length = at + length;
	return at;
}

/** The same for one that begins with a header; the writer is done with it. */
static size_t append_table(struct mw_acpi_blob *blob, struct mw_arena *arena, struct mw_aml *table)
{
	size_t at = append(blob, arena, table->bytes, table->length);
	assert(blob->sum_count < MW_ACPI_SUMS);
	blob->sums[blob->sum_count++] =
		(struct mw_acpi_sum){ at + HEADER_CHECKSUM, at, table->length };
	mw_aml_fini(table);
	return at;
}

/** What lies at `target` of the block is pointed to from `at`. */
static void point(struct mw_acpi_blob *blob, size_t at, unsigned size, size_t target)
{
	assert(blob->pointer_count < MW_ACPI_POINTERS);
	mw_put_le(blob->bytes + at, size, target);
	blob->pointers[blob->pointer_count++] = (struct mw_acpi_pointer){ at, size };
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

/** The FACS (5.2.10) is written to by systems, so it is before all else, in a room of its own. */
static void append_facs(struct mw_acpi_blob *blob, struct mw_arena *arena, size_t room)
{
	uint8_t *facs = mw_arena_alloc(arena, room, 1);
	memcpy(facs, "FACS", 4);
	mw_put_le(facs + 4, 4, FACS_BYTES);
	facs[FACS_VERSION] = 2;
	append(blob, arena, facs, room);
	blob->nvs = room;
}

/** The MADT describes an APIC interrupt model (5.2.12): one CPU whose only controllers are 8259s has none.
 * Linux takes it for symmetric mode all the same, and then hears nothing from the 8259s. */
static bool has_apics(const struct mw_plan *plan)
{
	return mw_plan_role(plan, MW_ROLE_IOAPIC, 0) >= 0 ||
	       mw_plan_role(plan, MW_ROLE_PIC, 0) < 0 || plan->cpu.count > 1;
}

/** RSDT or XSDT: a table of the addresses of those listed. */
static size_t append_root(struct mw_acpi_blob *blob, const struct mw_plan *plan,
			  struct mw_arena *arena, const char signature[4], unsigned bytes)
{
	struct mw_aml table = { 0 };
	mw_acpi_table_begin(&table);
	for (size_t i = 0; i < blob->listed_count; i++)
		mw_aml_le(&table, bytes, 0);
	mw_acpi_table_end(&table, plan, signature, 1);
	size_t at = append_table(blob, arena, &table);
	for (size_t i = 0; i < blob->listed_count; i++)
		point(blob, at + HEADER_BYTES + i * bytes, bytes, blob->listed[i]);
	return at;
}

static void append_listed(struct mw_acpi_blob *blob, const struct mw_plan *plan,
			  struct mw_arena *arena, size_t dsdt)
{
	struct mw_aml table = { 0 };
	mw_fadt_write(&table, plan);
	size_t fadt = append_table(blob, arena, &table);
	if (blob->nvs)
		point(blob, fadt + MW_FADT_FACS, 4, 0);
	point(blob, fadt + MW_FADT_DSDT, 4, dsdt);
	point(blob, fadt + MW_FADT_X_DSDT, 8, dsdt);
	blob->listed[blob->listed_count++] = fadt;
	if (has_apics(plan)) {
		mw_madt_write(&table, plan);
		blob->listed[blob->listed_count++] = append_table(blob, arena, &table);
	}
	if (mw_hpet_write(&table, plan))
		blob->listed[blob->listed_count++] = append_table(blob, arena, &table);
}

bool mw_acpi_assemble(struct mw_acpi_blob *blob, const struct mw_plan *plan, size_t facs_room,
		      struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	struct mw_aml dsdt = { 0 };
	*blob = (struct mw_acpi_blob){ 0 };
	if (!check(plan, diagnostics) || !mw_dsdt_write(&dsdt, plan, diagnostics)) {
		mw_aml_fini(&dsdt);
		return false;
	}
	if (mw_acpi_fixed_hardware(plan))
		append_facs(blob, arena, facs_room);
	append_listed(blob, plan, arena, append_table(blob, arena, &dsdt));
	blob->rsdt = append_root(blob, plan, arena, "RSDT", 4);
	blob->xsdt = append_root(blob, plan, arena, "XSDT", 8);
	return true;
}

void mw_acpi_rsdp(uint8_t rsdp[MW_RSDP_BYTES], uint64_t rsdt, uint64_t xsdt)
{
	memset(rsdp, 0, MW_RSDP_BYTES);
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "MILLWR", 6);
	rsdp[15] = 2;
	mw_put_le(rsdp + MW_RSDP_RSDT, 4, rsdt);
	mw_put_le(rsdp + 20, 4, MW_RSDP_BYTES);
	mw_put_le(rsdp + MW_RSDP_XSDT, 8, xsdt);
}
