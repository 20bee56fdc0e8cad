/** ACPI tables against the plan they come from: every number moves when the plan's does. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "core/bytes.h"
#include "core/cpu_topology.h"

static uint64_t le(const uint8_t *table, size_t at, unsigned size)
{
	return mw_get_le(table + at, size);
}

static int set_up(void **state)
{
	struct board *board = board_new();
	board_add_microvm(board);
	*state = board;
	return 0;
}

static int tear_down(void **state)
{
	board_free(*state);
	return 0;
}

static const uint8_t *table_of(struct board *board, const char *signature, size_t *length)
{
	size_t ignored;
	struct mw_acpi_tables tables = board_tables(board);
	const uint8_t *table = board_table(&tables, signature, length ? length : &ignored);
	assert_non_null(table);
	return table;
}

static bool holds(const uint8_t *table, size_t length, const void *bytes, size_t count)
{
	return memmem(table, length, bytes, count) != NULL;
}

static bool dsdt_holds(struct board *board, const void *bytes, size_t count)
{
	size_t length;
	const uint8_t *dsdt = table_of(board, "DSDT", &length);
	return holds(dsdt, length, bytes, count);
}

static void every_checksum_is_right(void **state)
{
	struct board *board = *state;
	struct mw_acpi_tables tables = board_tables(board);
	const char *const signatures[] = { "XSDT", "FACP", "APIC", "DSDT" };
	for (size_t i = 0; i < 4; i++) {
		size_t length;
		const uint8_t *table = board_table(&tables, signatures[i], &length);
		uint8_t sum = 0;
		assert_non_null(table);
		for (size_t at = 0; at < length; at++)
			sum = (uint8_t)(sum + table[at]);
		assert_int_equal(sum, 0);
		assert_memory_equal(table + 10, "MILLWRboard   \7\0\0\0", 18);
	}
	uint8_t first = 0, whole = 0;
	for (size_t at = 0; at < 36; at++) {
		whole = (uint8_t)(whole + tables.rsdp_bytes[at]);
		first = (uint8_t)(first + (at < 20 ? tables.rsdp_bytes[at] : 0));
	}
	assert_int_equal(first, 0);
	assert_int_equal(whole, 0);
	assert_memory_equal(tables.rsdp_bytes, "RSD PTR ", 8);
	assert_int_equal(tables.rsdp_bytes[15], 2);
}

static void tables_lie_at_the_top_of_ram_and_the_pointer_where_it_is_searched(void **state)
{
	struct board *board = *state;
	struct mw_acpi_tables tables = board_tables(board);
	assert_int_equal(tables.rsdp, 0xe0000);
	assert_int_equal(tables.base % 4096, 0);
	assert_true(tables.base + tables.length <= 128 << 20);
	assert_true(tables.base + tables.length > (128 << 20) - 4096);
	board->ram[0] = (struct mw_plan_range){ 0, 0xc0000000 };
	board->ram[1] = (struct mw_plan_range){ 0x100000000, 0x40000000 };
	board->plan.ram_count = 2;
	tables = board_tables(board);
	assert_true(tables.base < 0xc0000000 && tables.base + tables.length > 0xbffff000);
}

static void without_ram_below_1m_the_pointer_is_among_the_tables(void **state)
{
	struct board *board = *state;
	board->ram[0] = (struct mw_plan_range){ 0, 0xa0000 };
	board->ram[1] = (struct mw_plan_range){ 0x100000, 0x100000 };
	board->plan.ram_count = 2;
	struct mw_acpi_tables tables = board_tables(board);
	assert_int_equal(tables.base, 0x1ff000);
	assert_true(tables.rsdp > tables.base && tables.rsdp + 36 <= tables.base + tables.length);
	assert_int_equal(tables.rsdp % 16, 0);
}

static void tables_stay_out_of_the_pointers_area(void **state)
{
	struct board *board = *state;
	board->ram[0] = (struct mw_plan_range){ 0, 0x100000 };
	struct mw_acpi_tables tables = board_tables(board);
	assert_int_equal(tables.base, 0xdf000);
	assert_int_equal(tables.rsdp, 0xe0000);
}

static void too_little_ram_is_a_diagnostic(void **state)
{
	struct board *board = *state;
	struct mw_acpi_tables tables;
	board->plan.ram_count = 0;
	assert_false(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
	assert_int_equal(board->diagnostics.errors, 1);
	assert_string_equal(board->diagnostics.items[0]->message,
			    "1 KiB of ACPI tables do not fit the machine's RAM below 4 GiB");
}

static void the_machine_is_hardware_reduced(void **state)
{
	size_t length;
	const uint8_t *fadt = table_of(*state, "FACP", &length);
	assert_int_equal(length, 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(fadt[131], 5);
	/* WBINVD, no fixed buttons nor RTC wake, RESET_REG_SUP, HW_REDUCED_ACPI */
	assert_int_equal(le(fadt, 112, 4), 0x100471);
	/* no VGA, no CMOS RTC */
	assert_int_equal(le(fadt, 109, 2), 0x24);
	assert_int_equal(le(fadt, 40, 4), le(fadt, 140, 8));
}

static void registers_are_where_the_plan_has_them(void **state)
{
	struct board *board = *state;
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	const uint8_t reset[] = { 0, 8, 0, 1, 2, 0, 0xa0, 0xfe, 0, 0, 0, 0, 0x42 };
	assert_memory_equal(fadt + 116, reset, sizeof(reset));
	assert_int_equal(le(fadt, 248, 8), 0xfea00000);
	assert_int_equal(le(fadt, 260, 8), 0xfea00001);
	board->claims[1][0].base = 0x1fea08000;
	fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 120, 8), 0x1fea08002);
	assert_int_equal(le(fadt, 248, 8), 0x1fea08000);
}

static void boot_flags_tell_of_the_chips_there_are(void **state)
{
	struct board *board = *state;
	board->plan.node_count = 0;
	board_claim(board, board_add(board, "kbd", &board_keyboard), MW_CLAIM_IO, 0x60, 5);
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 109, 2), 0x27);
	/* the reset register is the keyboard controller's: I/O port, value */
	const uint8_t reset[] = { 1, 8, 0, 1, 0x64, 0, 0, 0, 0, 0, 0, 0, 0xfe };
	assert_memory_equal(fadt + 116, reset, sizeof(reset));
	board->plan.node_count = 0;
	fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 112, 4), 0x100071);
	assert_int_equal(le(fadt, 116, 8), 0);
	assert_false(dsdt_holds(board, "_S5_", 4));
}

static void fixed_hardware_is_refused_by_name(void **state)
{
	struct board *board = *state;
	struct mw_acpi_tables tables;
	board_add(board, "pm", &board_pm1);
	assert_false(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
	assert_string_equal(
		board->diagnostics.items[0]->message,
		"ACPI tables for fixed power-management hardware are not implemented yet");
	assert_string_equal(board->diagnostics.items[0]->label, "`pm` (pm) has PM1 registers");
}

static void every_cpu_is_in_the_madt_with_its_apic_id(void **state)
{
	struct board *board = *state;
	size_t length;
	const uint8_t *madt = table_of(board, "APIC", &length);
	assert_int_equal(length, 44 + 8 + 12);
	assert_int_equal(le(madt, 36, 4), 0xfee00000);
	assert_int_equal(le(madt, 40, 4), 0);
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 6, .sockets = 2, .cores = 3, .threads = 1 };
	madt = table_of(board, "APIC", &length);
	assert_int_equal(length, 44 + 6 * 8 + 12);
	for (uint32_t i = 0; i < 6; i++) {
		const uint8_t entry[] = {
			0, 8, (uint8_t)i, (uint8_t)mw_apic_id(&board->plan.cpu, i), 1, 0, 0, 0
		};
		assert_memory_equal(madt + 44 + i * 8, entry, 8);
	}
	assert_int_equal(madt[44 + 3 * 8 + 3], 4); /* cores take two bits: CPU 3 is package 1 */
	const uint8_t cpu5[] = { 'C',  'P',  'U', '5', 0x08, '_', 'H',  'I', 'D',
				 0x0d, 'A',  'C', 'P', 'I',  '0', '0',  '0', '7',
				 0,    0x08, '_', 'U', 'I',  'D', 0x0a, 5 };
	assert_true(dsdt_holds(board, cpu5, sizeof(cpu5)));
}

static void large_apic_ids_have_x2apic_entries(void **state)
{
	struct board *board = *state;
	size_t length;
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 258, .sockets = 1, .cores = 258, .threads = 1 };
	const uint8_t *madt = table_of(board, "APIC", &length);
	assert_int_equal(length, 44 + 255 * 8 + 3 * 16 + 12);
	const uint8_t *last = madt + 44 + 255 * 8 + 2 * 16;
	const uint8_t entry[] = { 9, 16, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0 };
	assert_memory_equal(last, entry, sizeof(entry));
}

static void ioapics_carry_address_and_gsi_base(void **state)
{
	struct board *board = *state;
	size_t length;
	const uint8_t *madt = table_of(board, "APIC", &length);
	const uint8_t first[] = { 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0 };
	assert_memory_equal(madt + length - 12, first, 12);
	board_claim(board, board_add(board, "ioapic2", &board_ioapic), MW_CLAIM_MMIO, 0xfec01000,
		    0x400);
	board->claims[0][0].base = 0xfec02000;
	madt = table_of(board, "APIC", &length);
	const uint8_t both[] = { 1, 12, 0, 0, 0, 0x20, 0xc0, 0xfe, 0,  0, 0, 0,
				 1, 12, 1, 0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0 };
	assert_memory_equal(madt + length - 24, both, 24);
	/* a net that ends at pin 3 of the second as GSI 35 says it starts at 32 */
	const struct mw_plan_sink sink = { .node = 4, .index = 3 };
	board->nets[0].gsi = 35;
	board->nets[0].sinks = &sink;
	board->nets[0].sink_count = 1;
	madt = table_of(board, "APIC", &length);
	assert_int_equal(le(madt, length - 4, 4), 32);
}

static void isa_lines_that_differ_are_overridden(void **state)
{
	struct board *board = *state;
	size_t length;
	const struct mw_plan_net nets[] = {
		{ .domain = "isa", .line = 4, .gsi = 4 },
		{ .domain = "isa", .line = 0, .gsi = 2 },
		{ .domain = "isa",
		  .line = 9,
		  .gsi = 9,
		  .trigger = MW_TRIGGER_LEVEL,
		  .polarity = MW_POLARITY_LOW },
		{ .domain = "isa", .line = 13, .gsi = MW_NO_GSI },
		{ .domain = "gsi", .line = 7, .gsi = 7, .trigger = MW_TRIGGER_LEVEL },
		{ .line = 1, .gsi = 5 },
	};
	board->plan.nets = nets;
	board->plan.net_count = sizeof(nets) / sizeof(nets[0]);
	const uint8_t *madt = table_of(board, "APIC", &length);
	const uint8_t overrides[] = { 2, 10, 0, 0, 2, 0, 0, 0, 0x05, 0,
				      2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0 };
	assert_int_equal(length, 44 + 8 + 12 + 20);
	assert_memory_equal(madt + length - 20, overrides, 20);
}

static void a_pic_makes_it_pc_compatible(void **state)
{
	struct board *board = *state;
	board_add(board, "pic", &board_pic);
	assert_int_equal(le(table_of(board, "APIC", NULL), 40, 4), 1);
}

static const uint8_t crs_com1[] = { '_', 'C', 'R', 'S',  0x11, 22, 0x0a, 19, 0x47, 1, 0xf8, 3, 0xf8,
				    3,   1,   8,   0x89, 6,    0,  3,    1,  4,    0, 0,    0 };

static void a_device_has_its_ids_and_resources(void **state)
{
	struct board *board = *state;
	const uint8_t head[] = { 'C',  'O',  'M',  '1', 0x08, '_',  'H', 'I', 'D',
				 0x0c, 0x41, 0xd0, 5,   1,    0x08, '_', 'U', 'I',
				 'D',  0x0d, 'c',  'o', 'm',  '1',  0 };
	assert_true(dsdt_holds(board, head, sizeof(head)));
	assert_true(dsdt_holds(board, crs_com1, sizeof(crs_com1)));
	const uint8_t s5[] = { '\\', '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 5, 0, 0, 0 };
	assert_true(dsdt_holds(board, s5, sizeof(s5)));
	assert_true(dsdt_holds(board, "_EVT", 4));
}

static void a_moved_uart_moves_its_resources(void **state)
{
	struct board *board = *state;
	board->claims[3][0].base = 0x2e8;
	board->nets[0] = (struct mw_plan_net){ .domain = "gsi",
					       .line = 10,
					       .gsi = 10,
					       .trigger = MW_TRIGGER_LEVEL,
					       .polarity = MW_POLARITY_LOW,
					       .shared = true };
	const uint8_t moved[] = {
		0x47, 1, 0xe8, 2, 0xe8, 2, 1, 8, 0x89, 6, 0, 0x0d, 1, 10, 0, 0, 0
	};
	assert_true(dsdt_holds(board, moved, sizeof(moved)));
	assert_false(dsdt_holds(board, crs_com1, sizeof(crs_com1)));
}

static const uint8_t ged_interrupt[] = { 0x0d, 'g', 'e',  'd', 0,    0x08, '_',  'C',
					 'R',  'S', 0x11, 14,  0x0a, 11,   0x89, 6,
					 0,    3,   1,    9,   0,    0,    0,    0x79 };

static void claims_without_a_device_go_to_the_motherboard(void **state)
{
	struct board *board = *state;
	const uint8_t head[] = { 'M',  'B',  'R',  'D',  0x08, '_',  'H', 'I',  'D', 0x0c,
				 0x41, 0xd0, 0x0c, 0x02, 0x08, '_',  'U', 'I',  'D', 0x00,
				 0x08, '_',  'C',  'R',  'S',  0x11, 41,  0x0a, 38 };
	const uint8_t ioapic[] = { 0x86, 9, 0, 1, 0, 0, 0xc0, 0xfe, 0, 4, 0, 0 };
	const uint8_t ged[] = { 0x86, 9, 0, 1, 0, 0, 0xa0, 0xfe, 0, 0x10, 0, 0 };
	const uint8_t rom[] = { 0x86, 9, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0x79 };
	uint8_t all[sizeof(head) + 12 + 12 + 13];
	memcpy(all, head, sizeof(head));
	memcpy(all + sizeof(head), ioapic, 12);
	memcpy(all + sizeof(head) + 12, ged, 12);
	memcpy(all + sizeof(head) + 24, rom, 13);
	assert_true(dsdt_holds(board, all, sizeof(all)));
	/* a generic event device's own resources are interrupts, nothing else (5.6.9) */
	assert_true(dsdt_holds(board, ged_interrupt, sizeof(ged_interrupt)));
	board->nodes[0].host = board->nodes[1].host = board->nodes[2].host = true;
	assert_false(dsdt_holds(board, "MBRD", 4));
}

static void children_stand_inside_their_bus(void **state)
{
	struct board *board = *state;
	board->plan.node_count = 0;
	board_add(board, "isa", &board_bus);
	board_add_uart(board, "com2", 0x2f8, 3)->bus_node = 0;
	size_t length;
	const uint8_t *dsdt = table_of(board, "DSDT", &length);
	const uint8_t bus[] = { 'I', 'S', 'A',  '_',  0x08, '_',  'H',
				'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x05 };
	const uint8_t *at = memmem(dsdt, length, bus, sizeof(bus));
	assert_non_null(at);
	const uint8_t *child = memmem(dsdt, length, "COM2", 4);
	size_t bus_length = (at[-2] & 0xf) | (size_t)at[-1] << 4; /* PkgLength of two bytes */
	assert_true(child > at && child < at - 2 + bus_length);
	assert_ptr_equal(at - 2 + bus_length, dsdt + length);
}

static void buses_too_deep_are_refused(void **state)
{
	struct board *board = *state;
	struct mw_acpi_tables tables;
	board->plan.node_count = 0;
	for (uint32_t i = 0; i < 8; i++)
		board_add(board, "bus", &board_bus)->bus_node = i ? i - 1 : UINT32_MAX;
	assert_false(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
	board->plan.node_count = 7;
	assert_true(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
}

static void many_devices_and_cpus_find_room(void **state)
{
	struct board *board = *state;
	static char ids[1000][16];
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(ids[i], sizeof(ids[i]), "serial%u", i);
		board_add_uart(board, ids[i], 0x1000 + i * 8, 16 + i % 8);
	}
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 255, .sockets = 1, .cores = 255, .threads = 1 };
	struct mw_acpi_tables tables = board_tables(board);
	size_t length;
	const uint8_t *dsdt = board_table(&tables, "DSDT", &length);
	assert_true(length > 64000);
	for (size_t i = 0; i < 1000; i++)
		assert_true(holds(dsdt, length, ids[i], strlen(ids[i]) + 1));
	assert_true(tables.base + tables.length <= 128 << 20);
	board->ram[0].length = 64 << 10;
	assert_false(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_checksum_is_right),
		TEST(tables_lie_at_the_top_of_ram_and_the_pointer_where_it_is_searched),
		TEST(without_ram_below_1m_the_pointer_is_among_the_tables),
		TEST(tables_stay_out_of_the_pointers_area),
		TEST(too_little_ram_is_a_diagnostic),
		TEST(the_machine_is_hardware_reduced),
		TEST(registers_are_where_the_plan_has_them),
		TEST(boot_flags_tell_of_the_chips_there_are),
		TEST(fixed_hardware_is_refused_by_name),
		TEST(every_cpu_is_in_the_madt_with_its_apic_id),
		TEST(large_apic_ids_have_x2apic_entries),
		TEST(ioapics_carry_address_and_gsi_base),
		TEST(isa_lines_that_differ_are_overridden),
		TEST(a_pic_makes_it_pc_compatible),
		TEST(a_device_has_its_ids_and_resources),
		TEST(a_moved_uart_moves_its_resources),
		TEST(claims_without_a_device_go_to_the_motherboard),
		TEST(children_stand_inside_their_bus),
		TEST(buses_too_deep_are_refused),
		TEST(many_devices_and_cpus_find_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
