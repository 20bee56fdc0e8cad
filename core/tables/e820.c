/** The e820 map (ACPI 6.5, chapter 15). */
// SPDX-License-Identifier: MIT
#include "core/tables/tables_internal.h"

enum { LOW_AREA = 0xf0000, LOW_AREA_END = 0x100000 };

struct map {
	struct mw_e820_entry *entries;
	size_t capacity, count;
};

static void add(struct map *map, uint64_t base, uint64_t end, enum mw_e820_type type)
{
	if (base >= end)
		return;
	if (map->count < map->capacity)
		map->entries[map->count] = (struct mw_e820_entry){ base, end - base, type };
	map->count++;
}

/** What the tables take: the root pointer's area up to 1 MiB as firmware has it, and the rest. `low`: other tables
 * are below 1 MiB too. */
static size_t taken(const struct mw_acpi_tables *acpi, bool low, struct mw_e820_entry out[3])
{
	struct mw_e820_entry area = { LOW_AREA, LOW_AREA_END - LOW_AREA, MW_E820_RESERVED };
	size_t count = 0;
	if (!acpi) {
		out[0] = area;
		return low;
	}
	uint64_t length = (acpi->length + MW_TABLE_PAGE - 1) / MW_TABLE_PAGE * MW_TABLE_PAGE;
	bool apart = acpi->rsdp < acpi->base || acpi->rsdp >= acpi->base + length;
	if (apart)
		area.base = acpi->rsdp;
	area.length = LOW_AREA_END - area.base;
	if ((apart || low) && area.base < acpi->base)
		out[count++] = area;
	if (acpi->nvs)
		out[count++] = (struct mw_e820_entry){ acpi->base, acpi->nvs, MW_E820_NVS };
	out[count++] =
		(struct mw_e820_entry){ acpi->base + acpi->nvs, length - acpi->nvs, MW_E820_ACPI };
	if ((apart || low) && area.base > acpi->base)
		out[count++] = area;
	return count;
}

size_t mw_e820(const struct mw_plan *plan, const struct mw_acpi_tables *acpi,
	       struct mw_e820_entry *entries, size_t capacity)
{
	struct map map = { .entries = entries, .capacity = capacity };
	struct mw_e820_entry cut[3];
	size_t cuts = taken(acpi, mw_area_is_used(plan), cut);
	for (size_t i = 0; i < plan->ram_count; i++) {
		uint64_t at = plan->ram[i].base, end = at + plan->ram[i].length;
		for (size_t c = 0; c < cuts; c++) {
			uint64_t from = cut[c].base, to = from + cut[c].length;
			if (to <= at || from >= end)
				continue;
			to = to < end ? to : end;
			add(&map, at, from, MW_E820_RAM);
			add(&map, from > at ? from : at, to, cut[c].type);
			at = to;
		}
		add(&map, at, end, MW_E820_RAM);
	}
	return map.count;
}
