/** RAM below 4 GiB as a boot loader gives it away: e820 map, what is taken, what is free. */
// SPDX-License-Identifier: MIT
#include <assert.h>

#include "core/boot/boot_internal.h"

bool mw_boot_memory_map(struct mw_boot_memory *memory, const struct mw_plan *plan,
			struct mw_diagnostics *diagnostics)
{
	struct mw_arena arena = { 0 };
	struct mw_acpi_tables acpi = { 0 };
	bool wanted = plan->boot.tables & MW_TABLES_ACPI;
	bool ok = !wanted || mw_acpi_build(&acpi, plan, &arena, diagnostics);

	if (ok) {
		memory->rsdp = acpi.rsdp;
		memory->tables_bytes =
			(acpi.length + MW_BOOT_PAGE - 1) / MW_BOOT_PAGE * MW_BOOT_PAGE;
		memory->e820_count =
			mw_e820(plan, wanted ? &acpi : NULL, memory->e820, MW_BOOT_E820_MAX);
		ok = memory->e820_count <= MW_BOOT_E820_MAX;
		if (!ok)
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", plan->boot.span,
					   "the memory map has %zu ranges; a kernel takes %d",
					   memory->e820_count, MW_BOOT_E820_MAX);
	}
	mw_arena_fini(&arena);
	return ok;
}

const struct mw_plan_range *mw_boot_memory_taker(const struct mw_boot_memory *memory, uint64_t base,
						 uint64_t length)
{
	for (size_t i = 0; i < memory->taken_count; i++) {
		const struct mw_plan_range *taken = &memory->taken[i];

		if (base < taken->base + taken->length && taken->base < base + length)
			return taken;
	}
	return NULL;
}

bool mw_boot_memory_is_free(const struct mw_boot_memory *memory, uint64_t base, uint64_t length)
{
	if (base > MW_BOOT_BELOW_4G || length > MW_BOOT_BELOW_4G - base)
		return false;
	for (size_t i = 0; i < memory->e820_count; i++) {
		const struct mw_e820_entry *entry = &memory->e820[i];

		if (entry->type == MW_E820_RAM && base >= entry->base && length <= entry->length &&
		    base - entry->base <= entry->length - length)
			return !mw_boot_memory_taker(memory, base, length);
	}
	return false;
}

void mw_boot_memory_take(struct mw_boot_memory *memory, uint64_t base, uint64_t length)
{
	assert(memory->taken_count < sizeof(memory->taken) / sizeof(memory->taken[0]));
	memory->taken[memory->taken_count++] = (struct mw_plan_range){ base, length };
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

bool mw_boot_memory_take_high(struct mw_boot_memory *memory, uint64_t bytes, uint64_t least,
			      uint64_t limit, uint64_t *base)
{
	for (size_t i = memory->e820_count; i--;) {
		const struct mw_e820_entry *entry = &memory->e820[i];
		uint64_t from = greater(entry->base, least);
		uint64_t top = lesser(lesser(entry->base + entry->length, limit), MW_BOOT_BELOW_4G);

		while (entry->type == MW_E820_RAM && top >= bytes) {
			uint64_t at = (top - bytes) / MW_BOOT_PAGE * MW_BOOT_PAGE;

			if (at < from)
				break;
			const struct mw_plan_range *taker = mw_boot_memory_taker(memory, at, bytes);

			if (!taker) {
				mw_boot_memory_take(memory, at, bytes);
				*base = at;
				return true;
			}
			top = taker->base;
		}
	}
	return false;
}

bool mw_boot_memory_take_low(struct mw_boot_memory *memory, uint64_t bytes, uint64_t least,
			     uint64_t *base)
{
	for (size_t i = 0; i < memory->e820_count; i++) {
		const struct mw_e820_entry *entry = &memory->e820[i];
		uint64_t from = greater(entry->base, least);

		while (entry->type == MW_E820_RAM && from < MW_BOOT_BELOW_4G) {
			from = (from + MW_BOOT_PAGE - 1) / MW_BOOT_PAGE * MW_BOOT_PAGE;
			const struct mw_plan_range *taker =
				mw_boot_memory_taker(memory, from, bytes);

			if (!taker && !mw_boot_memory_is_free(memory, from, bytes))
				break;
			if (!taker) {
				mw_boot_memory_take(memory, from, bytes);
				*base = from;
				return true;
			}
			from = taker->base + taker->length;
		}
	}
	return false;
}
