/** SMBIOS structures against DSP0134 2.8 and the plan they come from. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "core/bytes.h"
#include "core/tables/tables_internal.h"

enum { ADDRESS = 0xf1000 };

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

static struct mw_smbios build(struct board *board, bool bios)
{
	struct mw_smbios smbios;
	mw_smbios_build(&smbios, &board->plan, bios, &board->arena);
	mw_smbios_settle(&smbios, ADDRESS);
	return smbios;
}

static const uint8_t *after(const uint8_t *structure)
{
	const uint8_t *at = structure + structure[1];
	while (at[0] || at[1])
		at++;
	return at + 2;
}

/* Number `index` of the structures of a type, or NULL. */
static const uint8_t *find(const struct mw_smbios *smbios, unsigned type, unsigned index)
{
	const uint8_t *end = smbios->bytes + smbios->length;
	for (const uint8_t *at = smbios->bytes; at < end; at = after(at)) {
		if (at[0] == type && index-- == 0)
			return at;
	}
	return NULL;
}

static const char *string(const uint8_t *structure, unsigned field)
{
	const char *text = (const char *)structure + structure[1];
	if (!structure[field])
		return "";
	for (unsigned i = 1; i < structure[field]; i++)
		text += strlen(text) + 1;
	return text;
}

static uint8_t sum(const uint8_t *bytes, size_t count)
{
	uint8_t total = 0;
	for (size_t i = 0; i < count; i++)
		total = (uint8_t)(total + bytes[i]);
	return total;
}

/* 5.2.1. */
static void entry_point_leads_to_the_structures(void **state)
{
	struct mw_smbios smbios = build(*state, false);
	const uint8_t *anchor = smbios.anchor;
	size_t count = 0, longest = 0;
	for (const uint8_t *at = smbios.bytes; at < smbios.bytes + smbios.length; at = after(at)) {
		size_t length = (size_t)(after(at) - at);
		longest = length > longest ? length : longest;
		count++;
	}
	assert_memory_equal(anchor, "_SM_", 4);
	assert_memory_equal(anchor + 16, "_DMI_", 5);
	assert_int_equal(anchor[5], 31);
	assert_int_equal(sum(anchor, 31), 0);
	assert_int_equal(sum(anchor + 16, 15), 0);
	assert_int_equal(anchor[6] << 8 | anchor[7], 0x0208);
	assert_int_equal(anchor[30], 0x28);
	assert_int_equal(mw_get_le(anchor + 8, 2), longest);
	assert_int_equal(mw_get_le(anchor + 22, 2), smbios.length);
	assert_int_equal(mw_get_le(anchor + 24, 4), ADDRESS);
	assert_int_equal(mw_get_le(anchor + 28, 2), count);
}

static void last_structure_ends_the_table(void **state)
{
	struct mw_smbios smbios = build(*state, false);
	const uint8_t *end = find(&smbios, 127, 0);
	assert_non_null(end);
	assert_ptr_equal(after(end), smbios.bytes + smbios.length);
}

static void handles_are_given_once(void **state)
{
	struct board *board = *state;
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 64, .sockets = 64, .cores = 1, .threads = 1 };
	static uint8_t seen[0x10000];
	memset(seen, 0, sizeof(seen));
	struct mw_smbios smbios = build(board, true);
	for (const uint8_t *at = smbios.bytes; at < smbios.bytes + smbios.length; at = after(at)) {
		assert_false(seen[mw_get_le(at + 2, 2)]);
		seen[mw_get_le(at + 2, 2)] = 1;
	}
}

/* A BIOS adds type 0, by its own name. */
static void bios_is_described_where_there_is_none(void **state)
{
	struct mw_smbios smbios = build(*state, false);
	assert_null(find(&smbios, 0, 0));
	smbios = build(*state, true);
	const uint8_t *bios = find(&smbios, 0, 0);
	assert_non_null(bios);
	assert_int_equal(bios[1], 0x18);
	assert_string_equal(string(bios, 4), "Millwright");
	assert_int_equal(bios[0x13] & 0x10, 0x10); /* a virtual machine */
}

static void system_is_named_after_the_machine(void **state)
{
	struct mw_smbios smbios = build(*state, false);
	const uint8_t *system = find(&smbios, 1, 0);
	static const uint8_t none[16];
	assert_int_equal(system[1], 0x1b);
	assert_string_equal(string(system, 4), "Millwright");
	assert_string_equal(string(system, 5), "board");
	assert_string_equal(string(system, 6), "7");
	assert_memory_equal(system + 8, none, 16);
	assert_int_equal(system[0x18], 6);
}

/* 7.2.1: 00112233-4455-6677-8899-aabbccddeeff. */
static void uuid_has_its_first_fields_little_endian(void **state)
{
	static const uint8_t uuid[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t stored[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
					  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct board *board = *state;
	struct mw_plan_node *node = board_add(board, "fw", &board_firmware);
	const struct mw_plan_value value = { .property = &board_firmware.properties.items[0],
					     .bytes = { uuid, sizeof(uuid) } };
	node->values = &value;
	node->value_count = 1;
	struct mw_smbios smbios = build(board, false);
	assert_memory_equal(find(&smbios, 1, 0) + 8, stored, sizeof(stored));
}

static void name_of_a_machine_is_printable_and_short(void **state)
{
	struct board *board = *state;
	char name[200];
	memset(name, '\x1b', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	board->plan.name = name;
	struct mw_smbios smbios = build(board, false);
	const char *text = string(find(&smbios, 1, 0), 5);
	assert_int_equal(strlen(text), 64);
	assert_int_equal(strspn(text, "?"), 64);
}

static void chassis_is_there(void **state)
{
	struct mw_smbios smbios = build(*state, false);
	const uint8_t *chassis = find(&smbios, 3, 0);
	assert_int_equal(chassis[1], 0x16);
	assert_int_equal(chassis[5], 1);
	assert_memory_equal(chassis + 9, "\3\3\3\2", 4);
}

static void each_socket_has_its_cores_and_threads(void **state)
{
	static const struct mw_cpuid_leaf leaf = { .leaf = 1,
						   .eax = 0x000306c3,
						   .edx = 0x178bfbff };
	struct board *board = *state;
	board->plan.cpu = (struct mw_plan_cpu){ .count = 12,
						.sockets = 2,
						.cores = 3,
						.threads = 2,
						.model = "base",
						.tsc_khz = 2600000,
						.leaves = &leaf,
						.leaf_count = 1 };
	struct mw_smbios smbios = build(board, false);
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *cpu = find(&smbios, 4, i);
		assert_int_equal(cpu[1], 0x2a);
		assert_string_equal(string(cpu, 4), i ? "CPU 1" : "CPU 0");
		assert_int_equal(cpu[5], 3);
		assert_int_equal(mw_get_le(cpu + 8, 4), 0x000306c3);
		assert_int_equal(mw_get_le(cpu + 12, 4), 0x178bfbff);
		assert_string_equal(string(cpu, 16), "base");
		assert_int_equal(mw_get_le(cpu + 0x16, 2), 2600);
		assert_int_equal(cpu[0x18], 0x41);
		assert_int_equal(cpu[0x23], 3);
		assert_int_equal(cpu[0x24], 3);
		assert_int_equal(cpu[0x25], 6);
	}
	assert_null(find(&smbios, 4, 2));
}

static void memory_is_an_array_of_devices_at_its_addresses(void **state)
{
	struct board *board = *state;
	board->ram[0] = (struct mw_plan_range){ 0, 0xc0000000 };
	board->ram[1] = (struct mw_plan_range){ 0x100000000, 0x540000000 };
	board->plan.ram_count = 2;
	board->plan.ram_bytes = 0x600000000; /* 24 GiB */
	struct mw_smbios smbios = build(board, false);
	const uint8_t *array = find(&smbios, 16, 0), *map = find(&smbios, 19, 1);
	assert_int_equal(array[1], 0x17);
	assert_int_equal(mw_get_le(array + 7, 4), 24u << 20);
	assert_int_equal(mw_get_le(array + 13, 2), 2);
	assert_int_equal(find(&smbios, 17, 0)[1], 0x28);
	assert_int_equal(mw_get_le(find(&smbios, 17, 0) + 0x0c, 2), 16384);
	assert_int_equal(mw_get_le(find(&smbios, 17, 1) + 0x0c, 2), 8192);
	assert_int_equal(mw_get_le(find(&smbios, 17, 0) + 4, 2), mw_get_le(array + 2, 2));
	assert_int_equal(map[1], 0x1f);
	assert_int_equal(mw_get_le(map + 4, 4), 0x100000000 / 1024);
	assert_int_equal(mw_get_le(map + 8, 4), 0x640000000 / 1024 - 1);
	assert_null(find(&smbios, 19, 2));
}

static void hole_below_1_mib_makes_memory_no_smaller(void **state)
{
	struct mw_smbios smbios = build(*state, false); /* 128 MiB less 384 KiB */
	assert_int_equal(mw_get_le(find(&smbios, 16, 0) + 7, 4), 128 << 10);
	assert_int_equal(mw_get_le(find(&smbios, 17, 0) + 0x0c, 2), 128);
}

static void huge_memory_has_the_longer_fields(void **state)
{
	struct board *board = *state;
	board->ram[1] = (struct mw_plan_range){ 0x100000000, UINT64_C(1) << 42 };
	board->plan.ram_bytes = UINT64_C(1) << 42;
	struct mw_smbios smbios = build(board, false);
	const uint8_t *array = find(&smbios, 16, 0), *map = find(&smbios, 19, 1);
	assert_int_equal(mw_get_le(array + 7, 4), 0x80000000);
	assert_int_equal(mw_get_le(array + 15, 8), UINT64_C(1) << 42);
	assert_int_equal(mw_get_le(find(&smbios, 17, 0) + 0x0c, 2), 0x7fff);
	assert_int_equal(mw_get_le(find(&smbios, 17, 0) + 0x1c, 4), 0x20000);
	assert_int_equal(mw_get_le(map + 4, 4), UINT32_MAX);
	assert_int_equal(mw_get_le(map + 15, 8), 0x100000000);
}

static void hostile_plan_gives_a_table_of_bounded_size(void **state)
{
	struct board *board = *state;
	board->plan.cpu = (struct mw_plan_cpu){
		.count = UINT32_MAX, .sockets = UINT32_MAX, .cores = 1, .threads = 1
	};
	board->plan.ram_bytes = UINT64_MAX;
	struct mw_smbios smbios = build(board, true);
	assert_true(smbios.length <= UINT16_MAX);
	board->plan.cpu = (struct mw_plan_cpu){ .count = 1, .cores = 0, .threads = 0 };
	board->plan.ram_bytes = 0;
	board->plan.ram_count = 0;
	smbios = build(board, true);
	assert_non_null(find(&smbios, 127, 0));
}

/* As a dump that dmidecode reads: the entry point at 0, the structures at 32. */
static void write_dump(const char *path, bool bios)
{
	struct board *board = board_new();
	board_add_pci(board);
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = 4, .sockets = 2, .cores = 2, .threads = 1 };
	struct mw_smbios smbios;
	mw_smbios_build(&smbios, &board->plan, bios, &board->arena);
	mw_smbios_settle(&smbios, 32);
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	uint8_t head[32] = { 0 };
	memcpy(head, smbios.anchor, sizeof(smbios.anchor));
	fwrite(head, 1, sizeof(head), out);
	fwrite(smbios.bytes, 1, smbios.length, out);
	fclose(out);
	board_free(board);
}

int main(int count, char **arguments)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(entry_point_leads_to_the_structures),
		TEST(last_structure_ends_the_table),
		TEST(handles_are_given_once),
		TEST(bios_is_described_where_there_is_none),
		TEST(system_is_named_after_the_machine),
		TEST(uuid_has_its_first_fields_little_endian),
		TEST(name_of_a_machine_is_printable_and_short),
		TEST(chassis_is_there),
		TEST(each_socket_has_its_cores_and_threads),
		TEST(memory_is_an_array_of_devices_at_its_addresses),
		TEST(hole_below_1_mib_makes_memory_no_smaller),
		TEST(huge_memory_has_the_longer_fields),
		TEST(hostile_plan_gives_a_table_of_bounded_size),
	};
	if (count == 2) { /* for dmidecode.sh */
		write_dump(arguments[1], true);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
