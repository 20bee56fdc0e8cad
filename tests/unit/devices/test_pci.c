/* Configuration space of a PCI function (PCI 3.0, chapter 6), by a function that has one of each. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/bus/pci.h"
#include "tests/support/rig.h"

enum { PORTS = 16, BYTES = 4096, ROM_BYTES = 8192 };
enum { BAR0 = 0x10, BAR1 = 0x14, BAR2 = 0x18, ROM = 0x30 };
#define ONES 0xffffffffu

struct function {
	struct mw_memory *rom;
	uint8_t ports, memory;
	struct mw_pci pci;
	unsigned changes, changed_at;
};

static const struct mw_register port_registers[] = {
	{ "PORT", 0, MW_FIELD(struct function, ports), .writable = 0xff },
};
static const struct mw_register memory_registers[] = {
	{ "MEMORY", 0, MW_FIELD(struct function, memory), .writable = 0xff },
};
static const struct mw_region regions[] = {
	{ "ports", MW_SPACE_PORT, PORTS, MW_ACCESS(1, 1), .registers = MW_TABLE(port_registers),
	  .bar = MW_PCI_BAR(0) },
	{ "memory", MW_SPACE_MEMORY, BYTES, MW_ACCESS(1, 1),
	  .registers = MW_TABLE(memory_registers), .bar = MW_PCI_BAR(1) },
	{ "rom", MW_SPACE_MEMORY, ROM_BYTES, .backing = MW_BACKING_ROM,
	  .memory_offset = offsetof(struct function, rom), .bar = MW_PCI_BAR(MW_PCI_ROM) },
};
static const struct mw_pci_register registers[] = {
	{ 0x40, 4, .reset = 0x12345678, .writable = 0x00ff00ff },
	{ 0x44, 1, .reset = 0xff, .writable = 0x0f, .clear = 0xf0 },
};

static void on_change(void *self, unsigned at, unsigned size)
{
	struct function *function = self;

	function->changes++;
	function->changed_at = at;
}

static const struct mw_pci_type pci_type = {
	.identity = {
		.vendor = 0x1234,
		.device = 0x5678,
		.subsystem_vendor = 0x9abc,
		.subsystem = 0xdef0,
		.class_code = 0x0c0330,
		.revision = 0x42,
		.pin = 2,
	},
	.status = 0x0280,
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.regions = regions,
	.region_count = sizeof(regions) / sizeof(regions[0]),
	.changed = on_change,
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct function *function = self;
	uint64_t size;
	uint8_t *bytes = mw_memory_bytes(function->rom, &size);

	if (size)
		bytes[0] = 0x55;
	mw_pci_init(&function->pci, function, &pci_type);
	return true;
}

static void after_reset(void *self)
{
	mw_pci_reset(&((struct function *)self)->pci);
}

static void after_load(void *self)
{
	mw_pci_loaded(&((struct function *)self)->pci);
}

static const struct mw_state state_rows[] = {
	{ "ports", MW_FIELD(struct function, ports), .since = 1 },
	{ "memory", MW_FIELD(struct function, memory), .since = 1 },
	{ "pci", MW_STRUCT(struct function, pci, mw_pci_rows), .since = 1 },
};
static const struct mw_config_ops config = MW_PCI_CONFIG(struct function, pci, pci_type);
static const char *const buses[] = { "pci", NULL };
static const struct mw_device_type function_type = {
	MW_DEVICE_TYPE,
	.name = "test-function",
	.summary = "a PCI function with a BAR of each kind",
	.size = sizeof(struct function),
	.state_version = 1,
	.buses = buses,
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state_rows),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.config = &config,
};

static int set_up(void **state)
{
	*state = rig_create(&function_type, NULL);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static uint32_t get(struct rig *rig, unsigned at)
{
	return rig_config_read(rig, at, 4);
}

static void put(struct rig *rig, unsigned at, uint32_t value)
{
	rig_config_write(rig, at, 4, value);
}

static unsigned in(struct rig *rig, unsigned port)
{
	return (unsigned)rig_bus_read(rig, MW_SPACE_PORT, port, 1);
}

static unsigned peek(struct rig *rig, uint32_t address)
{
	return (unsigned)rig_bus_read(rig, MW_SPACE_MEMORY, address, 1);
}

static void the_header_says_what_it_is(void **state)
{
	assert_int_equal(get(*state, 0x00), 0x56781234);
	assert_int_equal(get(*state, 0x04), 0x02800000);
	assert_int_equal(get(*state, 0x08), 0x0c033042);
	assert_int_equal(get(*state, 0x0c), 0);
	assert_int_equal(get(*state, 0x2c), 0xdef09abc);
	assert_int_equal(get(*state, 0x3c), 0x0200);
}

static void parts_of_a_register_are_accessed_alone(void **state)
{
	assert_int_equal(rig_config_read(*state, 0x00, 1), 0x34);
	assert_int_equal(rig_config_read(*state, 0x02, 2), 0x5678);
	rig_config_write(*state, 0x3c, 1, 0x0b);
	assert_int_equal(get(*state, 0x3c), 0x020b);
}

static void identity_cannot_be_written(void **state)
{
	for (unsigned at = 0; at < 0x40; at += 4) {
		if (at != 0x04 && at != 0x0c && at < BAR0)
			put(*state, at, ~get(*state, at));
	}
	put(*state, 0x2c, 0);
	the_header_says_what_it_is(state);
}

static void ones_tell_the_size_of_a_bar(void **state)
{
	put(*state, BAR0, ONES);
	put(*state, BAR1, ONES);
	put(*state, BAR2, ONES);
	put(*state, ROM, ONES & ~1u);
	assert_int_equal(get(*state, BAR0), 0xfffffff1);
	assert_int_equal(get(*state, BAR1), 0xfffff000);
	assert_int_equal(get(*state, BAR2), 0);
	assert_int_equal(get(*state, ROM), 0xffffe000);
}

static void a_bar_answers_where_and_while_it_is_enabled(void **state)
{
	put(*state, BAR0, 0xc001);
	put(*state, BAR1, 0xe0000000);
	assert_int_equal(in(*state, 0xc000), 0xff);
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO);
	assert_int_equal(in(*state, 0xc000), 0);
	assert_int_equal(peek(*state, 0xe0000000), 0xff);
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO | MW_PCI_MEMORY);
	assert_int_equal(peek(*state, 0xe0000000), 0);
	rig_config_write(*state, MW_PCI_COMMAND, 2, 0);
	assert_int_equal(in(*state, 0xc000), 0xff);
	assert_int_equal(peek(*state, 0xe0000000), 0xff);
}

static void a_bar_moves(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO);
	put(*state, BAR0, 0xc000);
	rig_bus_write(*state, MW_SPACE_PORT, 0xc000, 1, 0x77);
	put(*state, BAR0, 0xd000);
	assert_int_equal(in(*state, 0xc000), 0xff);
	assert_int_equal(in(*state, 0xd000), 0x77);
}

static void a_bar_moves_byte_by_byte(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO);
	put(*state, BAR0, 0xc000);
	rig_config_write(*state, BAR0 + 1, 1, 0xd0);
	assert_int_equal(in(*state, 0xd000), 0);
	rig_config_write(*state, BAR0, 1, 0x20);
	assert_int_equal(in(*state, 0xd020), 0);
	assert_int_equal(in(*state, 0xd000), 0xff);
}

static void an_address_that_cannot_be_is_nowhere(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO | MW_PCI_MEMORY);
	put(*state, BAR0, 0);
	assert_int_equal(in(*state, 0), 0xff);
	put(*state, BAR0, 0x10000);
	assert_int_equal(in(*state, 0), 0xff);
	put(*state, BAR0, ONES);
	assert_int_equal(in(*state, 0xfff0), 0xff);
	put(*state, BAR1, ONES);
	assert_int_equal(peek(*state, 0xfffff000), 0xff);
	put(*state, BAR0, 0xfff0); /* the last ports are good ones */
	assert_int_equal(in(*state, 0xfff0), 0);
}

static void the_rom_needs_its_own_enable(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_MEMORY);
	put(*state, ROM, 0xe0000000);
	assert_int_equal(peek(*state, 0xe0000000), 0xff);
	put(*state, ROM, 0xe0000001);
	assert_int_equal(get(*state, ROM), 0xe0000001);
	assert_int_equal(peek(*state, 0xe0000000), 0x55);
	rig_config_write(*state, MW_PCI_COMMAND, 2, 0);
	assert_int_equal(peek(*state, 0xe0000000), 0xff);
}

static void command_keeps_the_bits_that_have_a_use(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, 0xffff);
	assert_int_equal(rig_config_read(*state, MW_PCI_COMMAND, 2) & 0x7, 0x7);
	assert_int_equal(rig_config_read(*state, MW_PCI_COMMAND, 2) & 0xf888, 0);
}

static void registers_of_its_own_keep_their_bits(void **state)
{
	put(*state, 0x40, 0xffffffff);
	assert_int_equal(get(*state, 0x40), 0x12ff56ff);
	rig_config_write(*state, 0x44, 1, 0x10);
	assert_int_equal(rig_config_read(*state, 0x44, 1), 0xe0);
	rig_config_write(*state, 0x44, 1, 0x05);
	assert_int_equal(rig_config_read(*state, 0x44, 1), 0xe5);
}

static void the_device_hears_of_writes(void **state)
{
	struct function *function = rig_device(*state);
	unsigned before = function->changes;

	rig_config_write(*state, 0x42, 2, 0);
	assert_int_equal(function->changes, before + 1);
	assert_int_equal(function->changed_at, 0x42);
}

static void reset_brings_all_back(void **state)
{
	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO);
	put(*state, BAR0, 0xc000);
	put(*state, 0x40, 0);
	rig_reset(*state);
	assert_int_equal(get(*state, BAR0), 1);
	assert_int_equal(get(*state, 0x40), 0x12345678);
	assert_int_equal(in(*state, 0xc000), 0xff);
	the_header_says_what_it_is(state);
}

static void a_restored_function_answers_where_it_did(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes;

	rig_config_write(*state, MW_PCI_COMMAND, 2, MW_PCI_IO);
	put(*state, BAR0, 0xc000);
	bytes = rig_save(*state, &count);
	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	rig_reset(*state);
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(in(*state, 0xc000), 0);
	memset(saved, 0xff, count);
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(get(*state, 0x00), 0x56781234);
	assert_int_equal(get(*state, 0x08), 0x0c033042);
	assert_int_equal(get(*state, BAR0), 0xfffffff1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_header_says_what_it_is),
		TEST(parts_of_a_register_are_accessed_alone),
		TEST(identity_cannot_be_written),
		TEST(ones_tell_the_size_of_a_bar),
		TEST(a_bar_answers_where_and_while_it_is_enabled),
		TEST(a_bar_moves),
		TEST(a_bar_moves_byte_by_byte),
		TEST(an_address_that_cannot_be_is_nowhere),
		TEST(the_rom_needs_its_own_enable),
		TEST(command_keeps_the_bits_that_have_a_use),
		TEST(registers_of_its_own_keep_their_bits),
		TEST(the_device_hears_of_writes),
		TEST(reset_brings_all_back),
		TEST(a_restored_function_answers_where_it_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
