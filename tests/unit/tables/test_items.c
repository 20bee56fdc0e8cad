/** What firmware is given: items, ACPI tables that it places itself, the boot order. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "core/bytes.h"
#include "core/tables/tables_internal.h"

/* Where a firmware puts the files. */
enum { TABLES_AT = 0x7fe0000, RSDP_AT = 0xf5a50 };

struct fixture {
	struct board *board;
	struct mw_items *items;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){ .board = board_new() };
	board_add_pci(fixture.board);
	board_add(fixture.board, "fw", &board_firmware);
	fixture.board->plan.boot.tables = MW_TABLES_ACPI | MW_TABLES_SMBIOS;
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	mw_items_free(f->items);
	board_free(f->board);
	return 0;
}

static bool build(struct fixture *f)
{
	mw_items_free(f->items);
	f->items = mw_alloc(1, sizeof(*f->items));
	return mw_items_build(f->items, &f->board->plan, &f->board->diagnostics);
}

static const struct mw_item *item(struct fixture *f, unsigned key, const char *name)
{
	for (size_t i = 0; i < f->items->count; i++) {
		const struct mw_item *found = &f->items->list[i];
		if (found->key == key && (key || strcmp(found->name, name) == 0))
			return found;
	}
	return NULL;
}

static uint64_t number(struct fixture *f, unsigned key, size_t size)
{
	const struct mw_item *found = item(f, key, NULL);
	assert_non_null(found);
	assert_int_equal(found->size, size);
	return mw_get_le(found->bytes, (unsigned)size);
}

static void numbers_tell_ram_and_cpus(void **state)
{
	struct fixture *f = *state;
	f->board->plan.cpu =
		(struct mw_plan_cpu){ .count = 6, .sockets = 2, .cores = 3, .threads = 1 };
	assert_true(build(f));
	assert_int_equal(number(f, 0x03, 8), f->board->plan.ram_bytes);
	assert_int_equal(number(f, 0x05, 2), 6);
	assert_int_equal(number(f, 0x0f, 2), 7); /* APIC ids 0 to 2 and 4 to 6 */
}

static void irq0_is_moved_where_the_plan_has_it_so(void **state)
{
	struct fixture *f = *state;
	assert_true(build(f));
	assert_int_equal(number(f, 0x8002, 1), 0);
	board_add_uart(f->board, "pit", 0x40, 0);
	f->board->nets[f->board->plan.net_count - 1] =
		(struct mw_plan_net){ .domain = "isa", .line = 0, .gsi = 2 };
	assert_true(build(f));
	assert_int_equal(number(f, 0x8002, 1), 1);
}

static void memory_map_is_ram_without_the_hole(void **state)
{
	static const uint8_t map[] = { 0, 0, 0,    0, 0, 0, 0, 0, 0,    0, 0x0a, 0, 0, 0,
				       0, 0, 1,    0, 0, 0, 0, 0, 0x10, 0, 0,    0, 0, 0,
				       0, 0, 0xf0, 7, 0, 0, 0, 0, 1,    0, 0,    0 };
	struct fixture *f = *state;
	assert_true(build(f));
	const struct mw_item *e820 = item(f, 0, "etc/e820");
	assert_non_null(e820);
	assert_int_equal(e820->size, sizeof(map));
	assert_memory_equal(e820->bytes, map, sizeof(map));
}

static void tables_that_nobody_asks_for_are_not_there(void **state)
{
	struct fixture *f = *state;
	f->board->plan.boot.tables = 0;
	assert_true(build(f));
	assert_null(item(f, 0, "etc/table-loader"));
	assert_null(item(f, 0, "etc/acpi/rsdp"));
	assert_null(item(f, 0, "etc/smbios/smbios-anchor"));
	assert_null(item(f, 0, "bootorder"));
}

/* What a firmware makes of the loader's commands. */
struct loaded {
	struct file {
		char name[56];
		uint8_t *bytes;
		size_t size;
		uint64_t at;
		bool high;
	} files[4];
	size_t count;
};

static struct file *file(struct loaded *loaded, const uint8_t *name)
{
	assert_int_equal(name[55], 0);
	for (size_t i = 0; i < loaded->count; i++) {
		if (strcmp(loaded->files[i].name, (const char *)name) == 0)
			return &loaded->files[i];
	}
	fail_msg("%s is not allocated", (const char *)name);
	return NULL;
}

static void allocate(struct loaded *loaded, struct fixture *f, const uint8_t *entry)
{
	const struct mw_item *found = item(f, 0, (const char *)entry + 4);
	struct file *made = &loaded->files[loaded->count++];
	assert_non_null(found);
	snprintf(made->name, sizeof(made->name), "%s", found->name);
	made->size = found->size;
	made->bytes = malloc(found->size);
	memcpy(made->bytes, found->bytes, found->size);
	made->high = entry[64] == 1;
	made->at = made->high ? TABLES_AT : RSDP_AT;
	assert_int_equal(made->at % mw_get_le(entry + 60, 4), 0);
}

static void add_pointer(struct loaded *loaded, const uint8_t *entry)
{
	struct file *in = file(loaded, entry + 4), *to = file(loaded, entry + 60);
	uint64_t at = mw_get_le(entry + 116, 4);
	unsigned size = entry[120];
	assert_true(size == 4 || size == 8);
	assert_true(at + size <= in->size);
	assert_true(mw_get_le(in->bytes + at, size) < to->size);
	mw_put_le(in->bytes + at, size, mw_get_le(in->bytes + at, size) + to->at);
}

static void add_checksum(struct loaded *loaded, const uint8_t *entry)
{
	struct file *in = file(loaded, entry + 4);
	uint64_t at = mw_get_le(entry + 60, 4), start = mw_get_le(entry + 64, 4);
	uint64_t length = mw_get_le(entry + 68, 4);
	assert_true(at < in->size && start + length <= in->size);
	for (uint64_t i = start; i < start + length; i++)
		in->bytes[at] = (uint8_t)(in->bytes[at] - (i == at ? 0 : in->bytes[i]));
}

static struct loaded load(struct fixture *f)
{
	struct loaded loaded = { .count = 0 };
	const struct mw_item *script = item(f, 0, "etc/table-loader");
	assert_non_null(script);
	assert_int_equal(script->size % 128, 0);
	for (size_t i = 0; i < script->size; i += 128) {
		const uint8_t *entry = script->bytes + i;
		switch (mw_get_le(entry, 4)) {
		case 1: allocate(&loaded, f, entry); break;
		case 2: add_pointer(&loaded, entry); break;
		case 3: add_checksum(&loaded, entry); break;
		default: fail_msg("command %u", (unsigned)mw_get_le(entry, 4));
		}
	}
	return loaded;
}

static void unload(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		free(loaded->files[i].bytes);
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = (uint8_t)(total + bytes[i]);
	return total;
}

/* The table at an address, whose checksum is right. */
static const uint8_t *table_at(struct loaded *loaded, uint64_t address)
{
	struct file *tables = file(loaded, (const uint8_t[56]){ "etc/acpi/tables" });
	assert_true(address >= TABLES_AT && address - TABLES_AT + 36 <= tables->size);
	const uint8_t *table = tables->bytes + (address - TABLES_AT);
	uint64_t length = mw_get_le(table + 4, 4);
	assert_true(address - TABLES_AT + length <= tables->size);
	if (memcmp(table, "FACS", 4) != 0)
		assert_int_equal(sum(table, length), 0);
	return table;
}

static void root_pointer_is_found_by_its_checksums(void **state)
{
	struct fixture *f = *state;
	assert_true(build(f));
	struct loaded loaded = load(f);
	struct file *rsdp = file(&loaded, (const uint8_t[56]){ "etc/acpi/rsdp" });
	assert_false(rsdp->high);
	assert_int_equal(rsdp->size, 36);
	assert_memory_equal(rsdp->bytes, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp->bytes, 20), 0);
	assert_int_equal(sum(rsdp->bytes, 36), 0);
	assert_memory_equal(table_at(&loaded, mw_get_le(rsdp->bytes + 16, 4)), "RSDT", 4);
	assert_memory_equal(table_at(&loaded, mw_get_le(rsdp->bytes + 24, 8)), "XSDT", 4);
	unload(&loaded);
}

static void every_table_is_reached_from_the_root(void **state)
{
	struct fixture *f = *state;
	board_claim(f->board, board_add(f->board, "hpet", &board_hpet), MW_CLAIM_MMIO, 0xfed00000,
		    0x400);
	assert_true(build(f));
	struct loaded loaded = load(f);
	struct file *rsdp = file(&loaded, (const uint8_t[56]){ "etc/acpi/rsdp" });
	const uint8_t *rsdt = table_at(&loaded, mw_get_le(rsdp->bytes + 16, 4));
	const uint8_t *xsdt = table_at(&loaded, mw_get_le(rsdp->bytes + 24, 8));
	static const char *const wanted[] = { "FACP", "APIC", "HPET" };
	assert_int_equal(mw_get_le(xsdt + 4, 4), 36 + 3 * 8);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *table = table_at(&loaded, mw_get_le(xsdt + 36 + 8 * i, 8));
		assert_memory_equal(table, wanted[i], 4);
		assert_int_equal(mw_get_le(rsdt + 36 + 4 * i, 4), mw_get_le(xsdt + 36 + 8 * i, 8));
	}
	const uint8_t *fadt = table_at(&loaded, mw_get_le(xsdt + 36, 8));
	assert_memory_equal(table_at(&loaded, mw_get_le(fadt + 40, 4)), "DSDT", 4);
	assert_memory_equal(table_at(&loaded, mw_get_le(fadt + 140, 8)), "DSDT", 4);
	assert_memory_equal(table_at(&loaded, mw_get_le(fadt + 36, 4)), "FACS", 4);
	assert_int_equal(mw_get_le(fadt + 36, 4) % 64, 0);
	unload(&loaded);
}

/* The same tables as those in RAM, but for addresses and checksums. */
static void tables_are_those_of_a_machine_without_firmware(void **state)
{
	struct fixture *f = *state;
	size_t length;
	assert_true(build(f));
	struct mw_acpi_tables placed = board_tables(f->board);
	const uint8_t *dsdt = board_table(&placed, "DSDT", &length);
	const struct mw_item *tables = item(f, 0, "etc/acpi/tables");
	assert_non_null(memmem(tables->bytes, tables->size, dsdt + 36, length - 36));
}

static void boot_order_is_a_path_a_line(void **state)
{
	static const char *const order[] = { "hd0", "vga", "isa", NULL };
	struct fixture *f = *state;
	f->board->plan.boot.order = order;
	assert_true(build(f));
	const struct mw_item *found = item(f, 0, "bootorder");
	assert_non_null(found);
	assert_string_equal((const char *)found->bytes, "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
							"/pci@i0cf8/display@2\n"
							"/pci@i0cf8/isa@1");
	assert_int_equal(found->size, strlen((const char *)found->bytes) + 1);
}

static void second_unit_of_the_second_channel_has_its_numbers(void **state)
{
	static const char *const order[] = { "hd0", NULL };
	struct fixture *f = *state;
	f->board->plan.boot.order = order;
	board_node(f->board, "hd0")->address = "1.1";
	assert_true(build(f));
	assert_string_equal((const char *)item(f, 0, "bootorder")->bytes,
			    "/pci@i0cf8/ide@1,1/drive@1/disk@1");
}

static void what_cannot_boot_is_refused_by_name(void **state)
{
	static const char *const order[] = { "hd0", "ioapic", NULL };
	struct fixture *f = *state;
	f->board->plan.boot.order = order;
	assert_false(build(f));
	assert_string_equal(f->board->diagnostics.items[0]->message,
			    "`ioapic` is nothing that a BIOS can boot from");
}

static void odd_addresses_in_the_order_are_refused(void **state)
{
	static const char *const order[] = { "hd0", NULL };
	static const char *const addresses[] = { NULL, "", "x", "0.0.0", "0.x", "-" };
	struct fixture *f = *state;
	f->board->plan.boot.order = order;
	for (size_t i = 0; i < 6; i++) {
		board_node(f->board, "hd0")->address = addresses[i];
		assert_false(build(f));
	}
	/* a node that hangs on itself */
	struct mw_plan_node *isa = board_node(f->board, "isa");
	static const char *const loop[] = { "isa", NULL };
	f->board->plan.boot.order = loop;
	isa->bus_node = (uint32_t)(isa - f->board->nodes);
	assert_false(build(f));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(numbers_tell_ram_and_cpus),
		TEST(irq0_is_moved_where_the_plan_has_it_so),
		TEST(memory_map_is_ram_without_the_hole),
		TEST(tables_that_nobody_asks_for_are_not_there),
		TEST(root_pointer_is_found_by_its_checksums),
		TEST(every_table_is_reached_from_the_root),
		TEST(tables_are_those_of_a_machine_without_firmware),
		TEST(boot_order_is_a_path_a_line),
		TEST(second_unit_of_the_second_channel_has_its_numbers),
		TEST(what_cannot_boot_is_refused_by_name),
		TEST(odd_addresses_in_the_order_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
