/** The ACPI tables' place in the machine's RAM, for systems without a BIOS to find one (ACPI 6.5, 5.2.5.1). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/tables/tables_internal.h"

enum {
	RSDP_AREA = 0xe0000, /* the area a system without other means searches */
	RSDP_AREA_END = 0x100000
};
#define BELOW_4G 0x100000000ull

bool mw_plan_is_ram(const struct mw_plan *plan, uint64_t base, uint64_t length)
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
		if (!in_area && mw_plan_is_ram(plan, base, length)) {
			tables->base = base;
			return true;
		}
	}
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

/** Addresses first, checksums after them. */
static void settle(struct mw_acpi_blob *blob, uint64_t base)
{
	uint8_t *bytes = blob->bytes;
	for (size_t i = 0; i < blob->pointer_count; i++) {
		const struct mw_acpi_pointer *pointer = &blob->pointers[i];
		uint64_t target = mw_get_le(bytes + pointer->at, pointer->size);
		mw_put_le(bytes + pointer->at, pointer->size, target + base);
	}
	for (size_t i = 0; i < blob->sum_count; i++) {
		const struct mw_acpi_sum *sum = &blob->sums[i];
		bytes[sum->at] = mw_acpi_checksum(bytes + sum->start, sum->length);
	}
}

static void write_rsdp(struct mw_acpi_tables *tables, const struct mw_acpi_blob *blob)
{
	uint8_t *rsdp = tables->rsdp_bytes;
	mw_acpi_rsdp(rsdp, tables->base + blob->rsdt, tables->base + blob->xsdt);
	rsdp[MW_RSDP_SUM] = mw_acpi_checksum(rsdp, MW_RSDP_FIRST_BYTES);
	rsdp[MW_RSDP_LONG_SUM] = mw_acpi_checksum(rsdp, MW_RSDP_BYTES);
}

bool mw_acpi_build(struct mw_acpi_tables *tables, const struct mw_plan *plan,
		   struct mw_arena *arena, struct mw_diagnostics *diagnostics)
{
	struct mw_acpi_blob blob;
	*tables = (struct mw_acpi_tables){ 0 };
	if (!mw_acpi_assemble(&blob, plan, MW_TABLE_PAGE, arena, diagnostics))
		return false;
	/* the root pointer has room at the end, should there be none elsewhere */
	size_t rsdp = (blob.length + 15) / 16 * 16;
	tables->length = rsdp + MW_RSDP_BYTES;
	tables->bytes = mw_arena_alloc(arena, tables->length, 1);
	tables->nvs = blob.nvs;
	if (!find_place(tables, plan))
		return fail_no_room(tables, plan, diagnostics);
	settle(&blob, tables->base);
	memcpy(tables->bytes, blob.bytes, blob.length);
	bool low = mw_plan_is_ram(plan, RSDP_AREA, MW_TABLE_PAGE);
	tables->rsdp = low ? RSDP_AREA : tables->base + rsdp;
	write_rsdp(tables, &blob);
	return true;
}
