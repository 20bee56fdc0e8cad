/** ACPI of a machine with PCI: byte for byte, each number from the plan (ACPI 6.5, 6.2.13, 6.4). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "core/bytes.h"

static int set_up(void **state)
{
	*state = board_new();
	board_add_pci(*state);
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

static bool dsdt_holds(struct board *board, const void *bytes, size_t count)
{
	size_t length;
	const uint8_t *dsdt = table_of(board, "DSDT", &length);
	return memmem(dsdt, length, bytes, count) != NULL;
}
#define HOLDS(board, ...)                                     \
	dsdt_holds((board), (const uint8_t[]){ __VA_ARGS__ }, \
		   sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void root_bridge_is_pnp0a03(void **state)
{
	/* Name (_HID, EisaId ("PNP0A03")) */
	assert_true(HOLDS(*state, 8, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x0a, 0x03));
}

static void root_bridge_passes_on_all_buses(void **state)
{
	assert_true(HOLDS(*state, 0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1));
}

static void root_bridge_passes_on_all_ports_but_its_own(void **state)
{
	struct board *board = *state;
	/* 0xcf8 to 0xcff are its own, 0 to 0xcf7 and 0xd00 to 0xffff others' */
	assert_true(HOLDS(board, 0x47, 1, 0xf8, 0x0c, 0xf8, 0x0c, 1, 8));
	assert_true(
		HOLDS(board, 0x88, 13, 0, 1, 0x0c, 3, 0, 0, 0, 0, 0xf7, 0x0c, 0, 0, 0xf8, 0x0c));
	assert_true(
		HOLDS(board, 0x88, 13, 0, 1, 0x0c, 3, 0, 0, 0, 0x0d, 0xff, 0xff, 0, 0, 0, 0xf3));
	board->claims[2][0].base = 0;
	assert_true(
		HOLDS(board, 0x88, 13, 0, 1, 0x0c, 3, 0, 0, 8, 0, 0xff, 0xff, 0, 0, 0xf8, 0xff));
}

static void root_bridge_passes_on_memory_from_the_end_of_ram(void **state)
{
	struct board *board = *state;
	/* 0x08000000 to 0xfebfffff */
	assert_true(HOLDS(board, 0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0xff, 0xff, 0xbf,
			  0xfe, 0, 0, 0, 0, 0, 0, 0xc0, 0xf6));
	board->ram[1].length += 16 << 20;
	board->plan.ram_bytes += 16 << 20;
	assert_true(HOLDS(board, 0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xff, 0xbf,
			  0xfe, 0, 0, 0, 0, 0, 0, 0xc0, 0xf5));
}

static void chips_beside_the_bus_cut_the_window(void **state)
{
	struct board *board = *state;
	board_claim(board, board_add(board, "rom", &board_plain), MW_CLAIM_MMIO, 0xd0000000,
		    0x10000000);
	/* up to 0xcfffffff, and from 0xe0000000 on */
	assert_true(HOLDS(board, 0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 8, 0xff, 0xff, 0xff,
			  0xcf));
	assert_true(HOLDS(board, 0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0xff, 0xff,
			  0xbf, 0xfe));
}

static void displays_memory_is_passed_on_where_no_ram_is(void **state)
{
	struct board *board = *state;
	const uint8_t text[] = { 0x87, 23, 0, 0,    0x0c, 1,    0,    0,    0,
				 0,    0,  0, 0x0a, 0,    0xff, 0xff, 0x0b, 0 };
	assert_true(dsdt_holds(board, text, sizeof(text)));
	board->ram[0].length = 0x100000;
	assert_false(dsdt_holds(board, text, sizeof(text)));
}

static void bridge_to_isa_has_its_address_and_the_routing_registers(void **state)
{
	/* Name (_ADR, 0x00010000); OperationRegion (PRQ, PCI_Config, 0x60, 4) */
	assert_true(HOLDS(*state, 'I', 'S', 'A', '_', 8, '_', 'A', 'D', 'R', 0x0c, 0, 0, 1, 0, 0x5b,
			  0x80, 'P', 'R', 'Q', '_', 2, 0x0a, 0x60, 0x0a, 4));
}

static void links_choose_from_the_lines_that_the_router_drives(void **state)
{
	struct board *board = *state;
	/* Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 10, 11 } */
	assert_true(HOLDS(board, 0x89, 10, 0, 9, 2, 10, 0, 0, 0, 11, 0, 0, 0));
	board->nets[1].line = board->nets[1].gsi = 5;
	assert_true(HOLDS(board, 0x89, 10, 0, 9, 2, 5, 0, 0, 0, 10, 0, 0, 0));
}

static void links_read_and_write_their_register(void **state)
{
	/* And (PRQC, 0x0f, NUM); Store (SET, PRQC); Or (PRQC, 0x80, PRQC) */
	assert_true(HOLDS(*state, 0x7b, 'P', 'R', 'Q', 'C', 0x0a, 0x0f, 'N', 'U', 'M', '_'));
	assert_true(HOLDS(*state, 0x70, 'S', 'E', 'T', '_', 'P', 'R', 'Q', 'C'));
	assert_true(HOLDS(*state, 0x7d, 'P', 'R', 'Q', 'C', 0x0a, 0x80, 'P', 'R', 'Q', 'C'));
}

static const uint8_t *route(struct board *board, unsigned slot, unsigned pin)
{
	size_t length, count = 0;
	const uint8_t *dsdt = table_of(board, "DSDT", &length);
	uint8_t head[8] = { 4, 0x0c, 0xff, 0xff, (uint8_t)slot, 0 };
	for (size_t i = 0; i + 6 < length; i++) {
		bool first = slot == 0 && memcmp(dsdt + i, "\4\x0b\xff\xff", 4) == 0;
		size_t size = first ? 4 : 6;
		if (!first && memcmp(dsdt + i, head, size) != 0)
			continue;
		if (count++ == pin)
			return dsdt + i + size;
	}
	return NULL;
}

/* INTA# to INTD# of a slot lead to these links. */
static void check_links(struct board *board, unsigned slot, const char *links)
{
	for (unsigned pin = 0; pin < 4; pin++) {
		static const char path[] = "\\/\4_SB_PCI0ISA_LNK";
		const uint8_t *at = route(board, slot, pin);
		assert_non_null(at);
		if (pin == 0 || pin == 1)
			assert_int_equal(*at, pin);
		at += pin < 2 ? 1 : 2;
		assert_memory_equal(at, path, strlen(path));
		assert_int_equal(at[strlen(path)], links[pin]);
	}
}

static void pins_of_each_slot_lead_one_link_further(void **state)
{
	check_links(*state, 2, "BCDA");
	check_links(*state, 3, "CDAB");
	check_links(*state, 4, "DABC");
	check_links(*state, 5, "ABCD");
	check_links(*state, 31, "CDAB");
}

static void sci_of_a_function_is_a_link_of_its_own(void **state)
{
	struct board *board = *state;
	check_links(board, 1, "SBCD");
	assert_true(HOLDS(board, 0x89, 6, 0, 9, 1, 9, 0, 0, 0));
}

static void inta_that_is_claimed_in_that_slot_goes_first(void **state)
{
	struct board *board = *state;
	struct mw_plan_node *ide = board_node(board, "ide");
	board_claim(board, ide, MW_CLAIM_IRQ, 0, 0)->net = 0;
	board->claims[ide - board->nodes][1].pin = 1;
	check_links(board, 1, "ABCD");
}

static void without_a_router_pins_have_their_gsi(void **state)
{
	static const uint32_t pins[] = { 10, 10, 11, 11 };
	struct board *board = *state;
	board->pci.to = "isa";
	board->pci.pins = pins;
	assert_memory_equal(route(board, 2, 0), "\0\0\x0a\x0b", 4);
	assert_memory_equal(route(board, 2, 2), "\x0a\2\0\x0a\x0a", 5);
	assert_false(HOLDS(board, 'L', 'N', 'K', 'A'));
}

static void ids_that_are_called_as_links_get_other_names(void **state)
{
	struct board *board = *state;
	board_node(board, "com1")->id = "lnka";
	/* one Device of this name */
	size_t length, count = 0;
	const uint8_t *dsdt = table_of(board, "DSDT", &length);
	for (size_t i = 0; i + 8 < length; i++)
		count += memcmp(dsdt + i, "LNKA\x08_HID", 9) == 0;
	assert_int_equal(count, 1);
}

static void base_addresses_and_lines_of_functions_are_in_no_template(void **state)
{
	struct board *board = *state;
	/* the display's memories, the disk controller's ports, the router's lines */
	assert_false(HOLDS(board, 0x86, 9, 0, 1, 0, 0, 0, 0xe0));
	assert_false(HOLDS(board, 0x86, 9, 0, 1, 0, 0, 0x0a, 0));
	assert_false(HOLDS(board, 0x47, 1, 0xf0, 1));
	assert_false(HOLDS(board, 0x22, 0, 4));
	assert_false(HOLDS(board, 0x23, 0, 4));
}

static void blocks_that_a_chipset_places_are_reserved(void **state)
{
	assert_true(HOLDS(*state, 0x47, 1, 0, 6, 0, 6, 1, 64));
	assert_true(HOLDS(*state, 0x47, 1, 0xb2, 0, 0xb2, 0, 1, 2));
}

static void fadt_has_the_command_port_and_general_events(void **state)
{
	const uint8_t *fadt = table_of(*state, "FACP", NULL);
	static const uint8_t gpe0[] = { 1, 32, 0, 1, 0x0c, 6, 0, 0, 0, 0, 0, 0 };
	assert_int_equal(mw_get_le(fadt + 48, 4), 0xb2);
	assert_int_equal(fadt[52], 0xf1);
	assert_int_equal(fadt[53], 0xf0);
	assert_int_equal(mw_get_le(fadt + 56, 4), 0x600);
	assert_int_equal(mw_get_le(fadt + 80, 4), 0x60c);
	assert_int_equal(fadt[92], 4);
	assert_memory_equal(fadt + 220, gpe0, sizeof(gpe0));
}

static void madt_tells_that_routed_lines_are_level_and_high(void **state)
{
	size_t length;
	const uint8_t *madt = table_of(*state, "APIC", &length);
	static const uint8_t ten[] = { 2, 10, 0, 10, 10, 0, 0, 0, 0x0d, 0 };
	static const uint8_t eleven[] = { 2, 10, 0, 11, 11, 0, 0, 0, 0x0d, 0 };
	assert_non_null(memmem(madt, length, ten, sizeof(ten)));
	assert_non_null(memmem(madt, length, eleven, sizeof(eleven)));
}

static void hpet_is_where_the_plan_has_it(void **state)
{
	struct board *board = *state;
	static const uint8_t body[] = { 1,    0xa2, 0x86, 0x80, 0, 0, 0, 0, 0, 0,
					0xd0, 0xfe, 0,    0,    0, 0, 0, 0, 0, 0 };
	size_t length;
	struct mw_acpi_tables tables = board_tables(board);
	assert_null(board_table(&tables, "HPET", &length));
	board_claim(board, board_add(board, "hpet", &board_hpet), MW_CLAIM_MMIO, 0xfed00000, 0x400);
	const uint8_t *hpet = table_of(board, "HPET", &length);
	assert_int_equal(length, 56);
	assert_memory_equal(hpet + 36, body, sizeof(body));
}

static void hostile_addresses_are_no_functions(void **state)
{
	static const char *const addresses[] = { NULL, "", "20.0", "1.8", "x", "1.1.1", "-1" };
	struct board *board = *state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		board_node(board, "isa")->address = addresses[i];
		board_tables(board);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(root_bridge_is_pnp0a03),
		TEST(root_bridge_passes_on_all_buses),
		TEST(root_bridge_passes_on_all_ports_but_its_own),
		TEST(root_bridge_passes_on_memory_from_the_end_of_ram),
		TEST(chips_beside_the_bus_cut_the_window),
		TEST(displays_memory_is_passed_on_where_no_ram_is),
		TEST(bridge_to_isa_has_its_address_and_the_routing_registers),
		TEST(links_choose_from_the_lines_that_the_router_drives),
		TEST(links_read_and_write_their_register),
		TEST(pins_of_each_slot_lead_one_link_further),
		TEST(sci_of_a_function_is_a_link_of_its_own),
		TEST(inta_that_is_claimed_in_that_slot_goes_first),
		TEST(without_a_router_pins_have_their_gsi),
		TEST(ids_that_are_called_as_links_get_other_names),
		TEST(base_addresses_and_lines_of_functions_are_in_no_template),
		TEST(blocks_that_a_chipset_places_are_reserved),
		TEST(fadt_has_the_command_port_and_general_events),
		TEST(madt_tells_that_routed_lines_are_level_and_high),
		TEST(hpet_is_where_the_plan_has_it),
		TEST(hostile_addresses_are_no_functions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
