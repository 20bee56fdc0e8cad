/** The e820 map: RAM of the plan, less what the tables take. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "board.h"

struct expected {
	uint64_t base, end;
	enum mw_e820_type type;
};

static void expect(const struct mw_plan *plan, const struct mw_acpi_tables *acpi,
		   const struct expected *expected, size_t count)
{
	struct mw_e820_entry entries[8];
	assert_int_equal(mw_e820(plan, acpi, entries, 8), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(entries[i].base, expected[i].base);
		assert_int_equal(entries[i].base + entries[i].length, expected[i].end);
		assert_int_equal(entries[i].type, expected[i].type);
	}
}

static const struct mw_plan_range ranges[] = { { 0, 0x8000000 }, { 0x100000000, 0x1000 } };

static void without_tables_it_is_the_ram(void **state)
{
	const struct mw_plan plan = { .ram = ranges, .ram_count = 2 };
	const struct expected expected[] = { { 0, 0x8000000, MW_E820_RAM },
					     { 0x100000000, 0x100001000, MW_E820_RAM } };
	expect(&plan, NULL, expected, 2);
}

static void tables_and_bios_area_are_taken_out(void **state)
{
	const struct mw_plan plan = { .ram = ranges, .ram_count = 2 };
	const struct mw_acpi_tables acpi = { .base = 0x7ffe000, .length = 0x1001, .rsdp = 0xe0000 };
	const struct expected expected[] = { { 0, 0xe0000, MW_E820_RAM },
					     { 0xe0000, 0x100000, MW_E820_RESERVED },
					     { 0x100000, 0x7ffe000, MW_E820_RAM },
					     { 0x7ffe000, 0x8000000, MW_E820_ACPI },
					     { 0x100000000, 0x100001000, MW_E820_RAM } };
	expect(&plan, &acpi, expected, 5);
}

static void a_pointer_among_the_tables_takes_no_area(void **state)
{
	const struct mw_plan plan = { .ram = ranges, .ram_count = 1 };
	const struct mw_acpi_tables acpi = { .base = 0x7ffe000,
					     .length = 0x900,
					     .rsdp = 0x7ffe100 };
	const struct expected expected[] = { { 0, 0x7ffe000, MW_E820_RAM },
					     { 0x7ffe000, 0x7fff000, MW_E820_ACPI },
					     { 0x7fff000, 0x8000000, MW_E820_RAM } };
	expect(&plan, &acpi, expected, 3);
}

static void tables_below_the_pointer_come_first(void **state)
{
	const struct mw_plan_range small = { 0, 0xf0000 };
	const struct mw_plan plan = { .ram = &small, .ram_count = 1 };
	const struct mw_acpi_tables acpi = { .base = 0xdf000, .length = 0x900, .rsdp = 0xe0000 };
	const struct expected expected[] = { { 0, 0xdf000, MW_E820_RAM },
					     { 0xdf000, 0xe0000, MW_E820_ACPI },
					     { 0xe0000, 0xf0000, MW_E820_RESERVED } };
	expect(&plan, &acpi, expected, 3);
}

static void what_systems_write_to_is_nvs(void **state)
{
	const struct mw_plan plan = { .ram = ranges, .ram_count = 1 };
	const struct mw_acpi_tables acpi = {
		.base = 0x7ffd000, .length = 0x2001, .nvs = 0x1000, .rsdp = 0xe0000
	};
	const struct expected expected[] = { { 0, 0xe0000, MW_E820_RAM },
					     { 0xe0000, 0x100000, MW_E820_RESERVED },
					     { 0x100000, 0x7ffd000, MW_E820_RAM },
					     { 0x7ffd000, 0x7ffe000, MW_E820_NVS },
					     { 0x7ffe000, 0x8000000, MW_E820_ACPI } };
	expect(&plan, &acpi, expected, 5);
}

static void a_full_buffer_is_told_how_many_there_are(void **state)
{
	const struct mw_plan plan = { .ram = ranges, .ram_count = 2 };
	struct mw_e820_entry entries[2] = { 0 };
	assert_int_equal(mw_e820(&plan, NULL, entries, 1), 2);
	assert_int_equal(entries[0].length, 0x8000000);
	assert_int_equal(entries[1].length, 0);
}

static void the_map_of_built_tables_covers_the_ram_once(void **state)
{
	struct board *board = board_new();
	struct mw_e820_entry entries[8];
	board_add_microvm(board);
	struct mw_acpi_tables tables = board_tables(board);
	size_t count = mw_e820(&board->plan, &tables, entries, 8);
	uint64_t at = 0;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(entries[i].base, at);
		at += entries[i].length;
	}
	assert_int_equal(at, 128 << 20);
	assert_int_equal(entries[count - 1].type, MW_E820_ACPI);
	board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_tables_it_is_the_ram),
		cmocka_unit_test(tables_and_bios_area_are_taken_out),
		cmocka_unit_test(a_pointer_among_the_tables_takes_no_area),
		cmocka_unit_test(tables_below_the_pointer_come_first),
		cmocka_unit_test(what_systems_write_to_is_nvs),
		cmocka_unit_test(a_full_buffer_is_told_how_many_there_are),
		cmocka_unit_test(the_map_of_built_tables_covers_the_ram_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
