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
	const char *const signatures[] = { "XSDT", "RSDT", "FACP", "APIC", "DSDT" };
	for (size_t i = 0; i < 5; i++) {
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

static void devices_on_an_isa_bus_are_legacy_devices(void **state)
{
	struct board *board = *state;
	uint32_t bus = (uint32_t)board->plan.node_count;
	board_add(board, "isa", &board_bus);
	assert_int_equal(le(table_of(board, "FACP", NULL), 109, 2), 0x24);
	board_add_uart(board, "com2", 0x2f8, 3)->bus_node = bus;
	assert_int_equal(le(table_of(board, "FACP", NULL), 109, 2), 0x25);
}

static void both_roots_name_the_same_tables(void **state)
{
	struct board *board = *state;
	size_t length;
	struct mw_acpi_tables tables = board_tables(board);
	const uint8_t *xsdt = board_table(&tables, "XSDT", &length);
	const uint8_t *rsdt = board_table(&tables, "RSDT", &length);
	assert_memory_equal(rsdt, "RSDT", 4);
	assert_int_equal(length, 36 + 2 * 4);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(le(rsdt, 36 + 4 * i, 4), le(xsdt, 36 + 8 * i, 8));
}

static struct board *as_pc(void **state)
{
	struct board *board = *state;
	board->plan.node_count = board->plan.net_count = 0;
	memset(board->claims, 0, sizeof(board->claims));
	board_add_pc(board);
	return board;
}

static void a_chip_for_its_reset_line_alone_is_no_device(void **state)
{
	struct board *board = *state;
	const struct mw_property property = { .name = "reset_only" };
	struct mw_plan_value value = { .property = &property };
	struct mw_plan_node *keyboard = board_add(board, "kbd", &board_keyboard);
	board_claim(board, keyboard, MW_CLAIM_IO, 0x60, 5);
	keyboard->values = &value;
	keyboard->value_count = 1;
	assert_true(dsdt_holds(board, "KBD_", 4));
	assert_int_equal(le(table_of(board, "FACP", NULL), 109, 2), 0x27);
	value.number = true;
	assert_false(dsdt_holds(board, "KBD_", 4));
	const uint8_t ports[] = { 0x47, 1, 0x60, 0, 0x60, 0, 1, 5, 0x79 };
	assert_true(dsdt_holds(board, ports, sizeof(ports))); /* of the motherboard */
	assert_int_equal(le(table_of(board, "FACP", NULL), 109, 2), 0x24);
}

static void fixed_hardware_is_where_the_plan_has_it(void **state)
{
	struct board *board = as_pc(state);
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	const uint8_t event[] = { 1, 32, 0, 2, 0, 6, 0, 0, 0, 0, 0, 0 };
	const uint8_t control[] = { 1, 16, 0, 2, 4, 6, 0, 0, 0, 0, 0, 0 };
	const uint8_t timer[] = { 1, 32, 0, 3, 8, 6, 0, 0, 0, 0, 0, 0 };
	assert_int_equal(le(fadt, 46, 2), 9); /* SCI_INT */
	assert_int_equal(le(fadt, 48, 4), 0); /* no SMI_CMD: ACPI mode from the start */
	assert_int_equal(le(fadt, 56, 4), 0x600);
	assert_int_equal(le(fadt, 64, 4), 0x604);
	assert_int_equal(le(fadt, 76, 4), 0x608);
	assert_int_equal(le(fadt, 88, 4), 0x04000204); /* lengths: event, control, none, timer */
	assert_memory_equal(fadt + 148, event, 12);
	assert_memory_equal(fadt + 172, control, 12);
	assert_memory_equal(fadt + 208, timer, 12);
	assert_true(le(fadt, 96, 2) > 100 && le(fadt, 98, 2) > 1000);
	assert_int_equal(le(fadt, 244, 8), 0); /* no sleep registers */
	board->claims[2][0].base = 0xb000;
	fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 76, 4), 0xb008);
	assert_int_equal(le(fadt, 212, 8), 0xb008);
}

static void fixed_hardware_in_memory_has_no_port(void **state)
{
	struct board *board = as_pc(state);
	board->claims[2][0].kind = MW_CLAIM_MMIO;
	board->claims[2][0].base = 0xfea00000;
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 56, 4), 0);
	assert_int_equal(le(fadt, 148, 1), 0);
	assert_int_equal(le(fadt, 152, 8), 0xfea00000);
}

/* WBINVD, PROC_C1, TMR_VAL_EXT and RESET_REG_SUP; a power button, neither sleep button nor RTC wake. */
static void flags_tell_which_events_fixed_hardware_has(void **state)
{
	struct board *board = as_pc(state);
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 112, 4), 0x565);
	assert_int_equal(le(fadt, 109, 2), 0x07); /* legacy devices, 8042, no VGA, an RTC */
	assert_int_equal(fadt[108], 0x32);        /* its century */
	const struct mw_plan_sink sink = { .node = 2, .wire = &board_pm.wires.items[3] };
	board->nets[1].sinks = &sink;
	board->nets[1].sink_count = 1;
	fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 112, 4), 0x525);
	const struct mw_property width = { .name = "timer_bits" };
	const struct mw_plan_value value = { .property = &width, .number = 24 };
	board->nodes[2].values = &value;
	board->nodes[2].value_count = 1;
	fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 112, 4), 0x425);
}

static void soft_off_has_the_type_of_the_control_register(void **state)
{
	struct board *board = as_pc(state);
	const uint8_t s5[] = { '\\', '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 3, 0, 0, 0 };
	assert_true(dsdt_holds(board, s5, sizeof(s5)));
}

static void the_facs_has_pages_of_its_own_below_the_tables(void **state)
{
	struct board *board = as_pc(state);
	size_t length;
	struct mw_acpi_tables tables = board_tables(board);
	const uint8_t *facs = board_table(&tables, "FACS", &length);
	assert_int_equal(tables.nvs, 4096);
	assert_ptr_equal(facs, tables.bytes);
	assert_memory_equal(facs, "FACS\100\0\0\0", 8);
	assert_int_equal(facs[32], 2);
	assert_true(board_table(&tables, "XSDT", &length) >= tables.bytes + 4096);
	assert_true(tables.base + tables.length <= 128 << 20);
}

static void expect_refusal(struct board *board, const char *message)
{
	struct mw_acpi_tables tables;
	size_t before = board->diagnostics.count;
	assert_false(mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics));
	assert_string_equal(board->diagnostics.items[before]->message, message);
	assert_string_equal(board->diagnostics.items[before]->label, "pm has PM1 event registers");
}

static void fixed_hardware_needs_an_interrupt_with_a_number(void **state)
{
	struct board *board = as_pc(state);
	const char *message =
		"ACPI tables cannot describe `pm`: its `sci` leads to no interrupt that "
		"has a number";
	board->nets[0] = (struct mw_plan_net){ .gsi = MW_NO_GSI };
	expect_refusal(board, message);
	board->nodes[2].claim_count = 1;
	expect_refusal(board, message);
}

static void without_ioapic_the_sci_is_an_isa_line(void **state)
{
	struct board *board = as_pc(state);
	for (size_t i = 0; i < board->plan.net_count; i++)
		board->nets[i].gsi = MW_NO_GSI;
	assert_int_equal(le(table_of(board, "FACP", NULL), 46, 2), 9);
	const uint8_t irq8[] = { 0x22, 0, 1, 0x79 };
	assert_true(dsdt_holds(board, irq8, sizeof(irq8)));
}

static void fixed_hardware_without_a_claim_is_none(void **state)
{
	struct board *board = as_pc(state);
	board->nodes[2].claim_count = 0;
	const uint8_t *fadt = table_of(board, "FACP", NULL);
	assert_int_equal(le(fadt, 112, 4) & 0x100000, 0x100000);
	assert_int_equal(le(fadt, 36, 4), 0);
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

static const uint8_t pc_end[] = { 2, 10, 0,    9, 9, 0, 0, 0, 0x0d, 0, /* the SCI: level, high */
				  2, 10, 0,    0, 2, 0, 0, 0, 0x05, 0, /* the timer */
				  4, 6,  0xff, 0, 0, 1 };              /* NMI at LINT1 */

static void a_pc_has_its_interrupts_in_the_madt(void **state)
{
	struct board *board = as_pc(state);
	size_t length;
	const uint8_t *madt = table_of(board, "APIC", &length);
	assert_int_equal(le(madt, 40, 4), 1); /* PCAT_COMPAT */
	assert_int_equal(length, 44 + 8 + 12 + sizeof(pc_end));
	assert_memory_equal(madt + length - sizeof(pc_end), pc_end, sizeof(pc_end));
}

static void the_sci_is_always_told_how_it_is(void **state)
{
	struct board *board = as_pc(state);
	size_t length;
	const uint8_t edge[] = { 2, 10, 0, 9, 9, 0, 0, 0, 0x05, 0 };
	board->nets[0].trigger = MW_TRIGGER_EDGE;
	const uint8_t *madt = table_of(board, "APIC", &length);
	assert_true(holds(madt, length, edge, sizeof(edge)));
	board->nets[0] = (struct mw_plan_net){ .domain = "gsi", .line = 11, .gsi = 11 };
	const uint8_t gsi[] = { 2, 10, 0, 11, 11, 0, 0, 0, 0x05, 0 };
	madt = table_of(board, "APIC", &length);
	assert_true(holds(madt, length, gsi, sizeof(gsi)));
	assert_int_equal(le(table_of(board, "FACP", NULL), 46, 2), 11);
	board->nets[0].gsi = board->nets[0].line = 20; /* no ISA interrupt: nothing to override */
	madt = table_of(board, "APIC", &length);
	assert_int_equal(length, 44 + 8 + 12 + 10 + 6);
	assert_int_equal(le(table_of(board, "FACP", NULL), 46, 2), 20);
}

static void large_apic_ids_have_their_own_nmi_entry(void **state)
{
	struct board *board = as_pc(state);
	size_t length;
	const uint8_t nmi[] = { 10, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0 };
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 258, .sockets = 1, .cores = 258, .threads = 1 };
	const uint8_t *madt = table_of(board, "APIC", &length);
	assert_memory_equal(madt + length - 12, nmi, 12);
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

static void isa_lines_have_their_own_numbers_and_descriptors(void **state)
{
	struct board *board = as_pc(state);
	const uint8_t clock[] = { 0x47, 1, 0x70, 0, 0x70, 0, 1, 2, 0x22, 0, 1, 0x79 };
	const uint8_t timer[] = { 0x47, 1, 0x40, 0, 0x40, 0, 1, 4, 0x22, 1, 0, 0x79 };
	assert_true(dsdt_holds(board, clock, sizeof(clock)));
	assert_true(dsdt_holds(board, timer, sizeof(timer)));
	board->nets[1].shared = true;
	const uint8_t shared[] = { 0x23, 0, 1, 0x11, 0x79 };
	assert_true(dsdt_holds(board, shared, sizeof(shared)));
	board->nets[1].trigger = MW_TRIGGER_LEVEL;
	board->nets[1].polarity = MW_POLARITY_LOW;
	const uint8_t low[] = { 0x23, 0, 1, 0x18, 0x79 };
	assert_true(dsdt_holds(board, low, sizeof(low)));
	/* level and high is more than it can say */
	board->nets[1].polarity = MW_POLARITY_HIGH;
	const uint8_t extended[] = { 0x89, 6, 0, 9, 1, 8, 0, 0, 0, 0x79 };
	assert_true(dsdt_holds(board, extended, sizeof(extended)));
}

static void claims_that_the_type_describes_are_nowhere_else(void **state)
{
	struct board *board = as_pc(state);
	const uint8_t ports[] = { 0x47, 1, 0, 6, 0, 6, 1, 12, 0x79 };
	assert_true(dsdt_holds(board, ports, sizeof(ports)));
	board->claims[3][1].name = "sci"; /* of another type: its own */
	const uint8_t clock[] = { 0x47, 1, 0x70, 0, 0x70, 0, 1, 2, 0x22, 0, 1, 0x79 };
	assert_true(dsdt_holds(board, clock, sizeof(clock)));
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
		TEST(devices_on_an_isa_bus_are_legacy_devices),
		TEST(both_roots_name_the_same_tables),
		TEST(a_chip_for_its_reset_line_alone_is_no_device),
		TEST(fixed_hardware_is_where_the_plan_has_it),
		TEST(fixed_hardware_in_memory_has_no_port),
		TEST(flags_tell_which_events_fixed_hardware_has),
		TEST(soft_off_has_the_type_of_the_control_register),
		TEST(the_facs_has_pages_of_its_own_below_the_tables),
		TEST(fixed_hardware_needs_an_interrupt_with_a_number),
		TEST(without_ioapic_the_sci_is_an_isa_line),
		TEST(fixed_hardware_without_a_claim_is_none),
		TEST(every_cpu_is_in_the_madt_with_its_apic_id),
		TEST(large_apic_ids_have_x2apic_entries),
		TEST(ioapics_carry_address_and_gsi_base),
		TEST(isa_lines_that_differ_are_overridden),
		TEST(a_pc_has_its_interrupts_in_the_madt),
		TEST(the_sci_is_always_told_how_it_is),
		TEST(large_apic_ids_have_their_own_nmi_entry),
		TEST(a_device_has_its_ids_and_resources),
		TEST(a_moved_uart_moves_its_resources),
		TEST(isa_lines_have_their_own_numbers_and_descriptors),
		TEST(claims_that_the_type_describes_are_nowhere_else),
		TEST(claims_without_a_device_go_to_the_motherboard),
		TEST(children_stand_inside_their_bus),
		TEST(buses_too_deep_are_refused),
		TEST(many_devices_and_cpus_find_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
