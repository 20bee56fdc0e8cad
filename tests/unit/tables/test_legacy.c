/** MP table (MP specification 1.4) and PCI IRQ routing table against the plan they come from, and where they are
 * put. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "core/bytes.h"
#include "core/tables/tables_internal.h"

enum { CPU = 0, BUS = 1, IOAPIC = 2, INTERRUPT = 3, LOCAL = 4 };

struct fixture {
	struct board *board;
	struct mw_aml table;
	struct mw_machine *machine;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){ .board = board_new() };
	board_add_pci(fixture.board);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	mw_aml_fini(&f->table);
	mw_machine_destroy(f->machine);
	board_free(f->board);
	return 0;
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = (uint8_t)(total + bytes[i]);
	return total;
}

static const uint8_t *write_mp(struct fixture *f)
{
	mw_aml_fini(&f->table);
	mw_mp_write(&f->table, &f->board->plan);
	return f->table.bytes;
}

/* Entry number `index` of a type, or NULL. */
static const uint8_t *entry(struct fixture *f, unsigned type, unsigned index)
{
	const uint8_t *end = f->table.bytes + f->table.length;
	for (const uint8_t *at = f->table.bytes + 44; at < end; at += *at == CPU ? 20 : 8) {
		if (*at == type && index-- == 0)
			return at;
	}
	return NULL;
}

/* The interrupt entry of a bus's source, or NULL. */
static const uint8_t *interrupt(struct fixture *f, unsigned bus, unsigned source)
{
	const uint8_t *at;
	for (unsigned i = 0; (at = entry(f, INTERRUPT, i)); i++) {
		if (at[4] == bus && at[5] == source)
			return at;
	}
	return NULL;
}

static void mp_table_has_its_header(void **state)
{
	struct fixture *f = *state;
	const uint8_t *table = write_mp(f);
	size_t entries = 0;
	for (unsigned type = 0; type <= LOCAL; type++) {
		for (unsigned i = 0; entry(f, type, i); i++)
			entries++;
	}
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(mw_get_le(table + 4, 2), f->table.length);
	assert_int_equal(table[6], 4);
	assert_int_equal(sum(table, f->table.length), 0);
	assert_memory_equal(table + 8, "MILLWR  board       ", 20);
	assert_int_equal(mw_get_le(table + 34, 2), entries);
	assert_int_equal(mw_get_le(table + 36, 4), 0xfee00000);
}

static void mp_pointer_leads_to_it(void **state)
{
	uint8_t pointer[MW_MP_POINTER_BYTES];
	mw_mp_pointer(pointer, 0xf1230);
	assert_memory_equal(pointer, "_MP_\x30\x12\x0f\0\1\4", 10);
	assert_int_equal(sum(pointer, sizeof(pointer)), 0);
}

static void each_cpu_has_its_apic_id(void **state)
{
	struct fixture *f = *state;
	f->board->plan.cpu =
		(struct mw_plan_cpu){ .count = 6, .sockets = 2, .cores = 3, .threads = 1 };
	write_mp(f);
	static const uint8_t ids[] = { 0, 1, 2, 4, 5, 6 };
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(entry(f, CPU, i)[1], ids[i]);
		assert_int_equal(entry(f, CPU, i)[3], i ? 1 : 3);
	}
	assert_null(entry(f, CPU, 6));
}

static void cpus_beyond_8_bit_ids_are_left_out(void **state)
{
	struct fixture *f = *state;
	f->board->plan.cpu =
		(struct mw_plan_cpu){ .count = 1000, .sockets = 1, .cores = 1000, .threads = 1 };
	write_mp(f);
	assert_int_equal(entry(f, CPU, 254)[1], 254);
	assert_null(entry(f, CPU, 255));
}

static void buses_are_pci_and_isa(void **state)
{
	struct fixture *f = *state;
	write_mp(f);
	assert_memory_equal(entry(f, BUS, 0), "\1\0PCI   ", 8);
	assert_memory_equal(entry(f, BUS, 1), "\1\1ISA   ", 8);
	f->board->plan.node_count = 2; /* ioapic and pic */
	f->board->plan.domain_count = 0;
	write_mp(f);
	assert_memory_equal(entry(f, BUS, 0), "\1\0ISA   ", 8);
	assert_null(entry(f, BUS, 1));
}

static void isa_lines_are_as_the_plan_has_them(void **state)
{
	struct fixture *f = *state;
	write_mp(f);
	const uint8_t *ioapic = entry(f, IOAPIC, 0), *line = interrupt(f, 1, 10);
	assert_memory_equal(ioapic, "\2\0\x11\1\0\0\xc0\xfe", 8);
	assert_int_equal(mw_get_le(line + 2, 2), 0x0d); /* level, active high */
	assert_int_equal(line[7], 10);
	assert_int_equal(mw_get_le(interrupt(f, 1, 1) + 2, 2), 0);
	assert_null(interrupt(f, 1, 2));
}

static void moved_timer_is_at_its_pin(void **state)
{
	struct fixture *f = *state;
	board_add_uart(f->board, "pit", 0x40, 0);
	f->board->nets[f->board->plan.net_count - 1] =
		(struct mw_plan_net){ .domain = "isa", .line = 0, .gsi = 2 };
	write_mp(f);
	assert_int_equal(interrupt(f, 1, 0)[7], 2);
}

static void routed_intx_are_up_to_the_guest(void **state)
{
	struct fixture *f = *state;
	write_mp(f);
	assert_null(interrupt(f, 0, 2 << 2));
	f->board->pci.to = "isa";
	static const uint32_t pins[] = { 10, 10, 11, 11 };
	f->board->pci.pins = pins;
	write_mp(f);
	assert_int_equal(interrupt(f, 0, 2 << 2)[7], 11);
	assert_int_equal(interrupt(f, 0, 2 << 2 | 2)[7], 10);
}

static void local_inputs_are_extint_and_nmi(void **state)
{
	struct fixture *f = *state;
	write_mp(f);
	assert_memory_equal(entry(f, LOCAL, 0), "\4\3\0\0\1\0\xff\0", 8);
	assert_memory_equal(entry(f, LOCAL, 1), "\4\1\0\0\1\0\xff\1", 8);
}

static void routing_table_names_the_router_and_its_links(void **state)
{
	struct fixture *f = *state;
	assert_true(mw_pir_write(&f->table, &f->board->plan));
	const uint8_t *pir = f->table.bytes;
	assert_memory_equal(pir, "$PIR\0\1", 6);
	assert_int_equal(mw_get_le(pir + 6, 2), f->table.length);
	assert_int_equal(f->table.length % 16, 0);
	assert_int_equal(sum(pir, f->table.length), 0);
	assert_int_equal(pir[8], 0);
	assert_int_equal(pir[9], 1 << 3);
	assert_int_equal(mw_get_le(pir + 12, 4), 0x122e8086);
	/* slot 1 is the bridge itself: PIRQA# to PIRQD#, lines 10 and 11, on the board */
	assert_memory_equal(pir + 32, "\0\x08\x60\0\x0c\x61\0\x0c\x62\0\x0c\x63\0\x0c\0\0", 16);
	/* slot 2 begins one further */
	assert_memory_equal(pir + 48, "\0\x10\x61\0\x0c\x62\0\x0c\x63\0\x0c\x60\0\x0c\1\0", 16);
}

static void without_a_router_there_is_no_routing_table(void **state)
{
	struct fixture *f = *state;
	f->board->pci.to = "isa";
	assert_false(mw_pir_write(&f->table, &f->board->plan));
	f->board->plan.domain_count = 0;
	assert_false(mw_pir_write(&f->table, &f->board->plan));
}

/* A machine of RAM alone, whose tables are those of the board. */
static bool write_area(struct fixture *f, unsigned tables)
{
	static struct mw_plan plan;
	struct mw_plan *board = &f->board->plan;
	f->board->ram[0] = (struct mw_plan_range){ 0, 0xa0000 };
	f->board->ram[1] = (struct mw_plan_range){ 0xf0000, 0x110000 };
	board->ram_bytes = f->board->ram[0].length + f->board->ram[1].length;
	board->boot.tables = tables;
	plan = *board;
	for (size_t i = 0; i < board->node_count; i++)
		f->board->nodes[i].claim_count = 0;
	plan.node_count = tables & MW_TABLES_PIR ? plan.node_count : 0;
	plan.net_count = 0;
	plan.domain_count = tables & MW_TABLES_PIR ? 1 : 0;
	return mw_machine_build(&f->machine, &plan, &f->board->diagnostics) &&
	       mw_tables_write(NULL, f->machine, NULL, &f->board->diagnostics);
}

static const uint8_t *search(struct fixture *f, const char *what)
{
	const uint8_t *area = mw_machine_ram(f->machine, 0xf0000, 0x10000);
	for (size_t at = 0; area && at < 0x10000; at += 16) {
		if (memcmp(area + at, what, strlen(what)) == 0)
			return area + at;
	}
	return NULL;
}

static void tables_are_found_where_systems_search(void **state)
{
	struct fixture *f = *state;
	assert_true(write_area(f, MW_TABLES_SMBIOS | MW_TABLES_MP));
	const uint8_t *mp = search(f, "_MP_"), *smbios = search(f, "_SM_");
	assert_non_null(mp);
	assert_non_null(smbios);
	uint32_t table = (uint32_t)mw_get_le(mp + 4, 4);
	assert_memory_equal(mw_machine_ram(f->machine, table, 44), "PCMP", 4);
	assert_int_equal(sum(smbios, 31), 0);
	assert_int_equal(*(uint8_t *)mw_machine_ram(f->machine, mw_get_le(smbios + 24, 4), 1), 0);
}

static void without_ram_there_it_is_an_error(void **state)
{
	struct fixture *f = *state;
	assert_true(write_area(f, 0));
	mw_machine_destroy(f->machine);
	f->machine = NULL;
	static struct mw_plan plan;
	plan = f->board->plan;
	plan.node_count = plan.net_count = plan.domain_count = 0;
	plan.ram_count = 1;
	plan.ram_bytes = 0xa0000;
	plan.boot.tables = MW_TABLES_MP;
	assert_true(mw_machine_build(&f->machine, &plan, &f->board->diagnostics));
	assert_false(mw_tables_write(NULL, f->machine, NULL, &f->board->diagnostics));
	assert_string_equal(
		f->board->diagnostics.items[0]->message,
		"tables of kinds `smbios`, `mptable` and `pir` need RAM from 0xf0000 to 1 MiB");
}

static void area_is_reserved_in_the_memory_map(void **state)
{
	struct fixture *f = *state;
	struct mw_e820_entry map[8];
	f->board->ram[0] = (struct mw_plan_range){ 0, 128 << 20 };
	f->board->plan.ram_count = 1;
	f->board->plan.boot.tables = MW_TABLES_SMBIOS;
	assert_int_equal(mw_e820(&f->board->plan, NULL, map, 8), 3);
	assert_int_equal(map[1].base, 0xf0000);
	assert_int_equal(map[1].length, 0x10000);
	assert_int_equal(map[1].type, MW_E820_RESERVED);
	f->board->plan.boot.tables = MW_TABLES_SMBIOS | MW_TABLES_ACPI;
	struct mw_acpi_tables tables = board_tables(f->board);
	assert_int_equal(mw_e820(&f->board->plan, &tables, map, 8), 5);
	assert_int_equal(map[1].base, 0xe0000);
	assert_int_equal(map[1].length, 0x20000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(mp_table_has_its_header),
		TEST(mp_pointer_leads_to_it),
		TEST(each_cpu_has_its_apic_id),
		TEST(cpus_beyond_8_bit_ids_are_left_out),
		TEST(buses_are_pci_and_isa),
		TEST(isa_lines_are_as_the_plan_has_them),
		TEST(moved_timer_is_at_its_pin),
		TEST(routed_intx_are_up_to_the_guest),
		TEST(local_inputs_are_extint_and_nmi),
		TEST(routing_table_names_the_router_and_its_links),
		TEST(without_a_router_there_is_no_routing_table),
		TEST(tables_are_found_where_systems_search),
		TEST(without_ram_there_it_is_an_error),
		TEST(area_is_reserved_in_the_memory_map),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
