/* What a kernel finds that is booted without a BIOS: PCI functions and interrupt controllers as one leaves them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/bytes.h"
#include "core/tables/tables.h"
#include "toy.h"

enum { PIC, HOST, BRIDGE, POWER, DISK, DISPLAY };
enum { SHADOW = 0xc0000, SHADOW_BYTES = 0x40000 };

/* A function that remembers what is written; the host bridge's shadow RAM opens with register 0x59. */
struct function {
	struct mw_memory *shadow;
	struct mw_line *lines[4];
	uint8_t config[256];
	uint16_t levels;
	unsigned level_calls;
};

static enum mw_io read_config(void *self, uint32_t offset, unsigned size, uint32_t *value)
{
	struct function *function = self;

	*value = (uint32_t)mw_get_le(function->config + offset, size);
	return MW_IO_OK;
}

static enum mw_io write_config(void *self, uint32_t offset, unsigned size, uint32_t value)
{
	struct function *function = self;

	mw_put_le(function->config + offset, size, value);
	if (offset == 0x59)
		mw_region_move(self, "shadow", SHADOW, value == 0x30);
	return MW_IO_OK;
}

static void after_reset(void *self)
{
	struct function *function = self;

	memset(function->config, 0, sizeof(function->config));
	function->levels = 0;
}

static void take_levels(void *self, uint16_t lines)
{
	struct function *function = self;

	function->levels = lines;
	function->level_calls++;
}

static bool window(void *self, uint64_t offset, unsigned size, uint32_t *address)
{
	return false;
}

static void hear(void *self, unsigned index, bool level)
{
}

static enum mw_io read_nothing(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = 0;
	return MW_IO_OK;
}

#define LINE(n, what)                                                                           \
	{                                                                                       \
		what, "A line.", .offset = offsetof(struct function, lines[n]), .kind = MW_LINE \
	}
static const struct mw_wire bridge_wires[] = { LINE(0, "irq5"), LINE(1, "irq9"), LINE(2, "irq15") };
static const struct mw_wire power_wires[] = { LINE(0, "sci") };
static const struct mw_wire pic_wires[] = { { "pin", "Requests.", MW_SINK(16), .on_level = hear } };
static const struct mw_region host_regions[] = {
	{ "cfg", MW_SPACE_PORT, 8, MW_ACCESS(1, 4), .read = read_nothing, .config_window = window },
	{ "shadow", MW_SPACE_MEMORY, SHADOW_BYTES, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct function, shadow), .optional = true, .movable = true },
};
static const struct mw_region power_regions[] = {
	{ "pm", MW_SPACE_PORT, 64, MW_ACCESS(1, 4), .read = read_nothing, .movable = true },
	{ "smb", MW_SPACE_PORT, 16, MW_ACCESS(1, 4), .read = read_nothing, .movable = true,
	  .optional = true },
};
static const struct mw_region bar_regions[] = {
	{ "ports", MW_SPACE_PORT, 16, MW_ACCESS(1, 4), .read = read_nothing, .bar = 5 },
	{ "regs", MW_SPACE_MEMORY, 4096, MW_ACCESS(1, 4), .read = read_nothing, .bar = 3 },
	{ "rom", MW_SPACE_MEMORY, 4096, MW_ACCESS(1, 4), .read = read_nothing, .bar = 7 },
};
static const struct mw_setup_row host_setup[] = { { 0x59, 1, 0x30, NULL } };
static const struct mw_setup_row power_setup[] = {
	{ 0x40, 4, 1, "pm" },
	{ 0x90, 4, 1, "smb" },
	{ 0xd2, 1, 9, NULL },
};
static const struct mw_role_row power_roles[] = { { MW_ROLE_PM1, "pm", 0, 4 } };
static const struct mw_pci_identity no_pin = { .vendor = 1 }, pin_a = { .vendor = 1, .pin = 1 },
				    pin_b = { .vendor = 1, .pin = 2 };
static const struct mw_config_ops plain = { read_config, write_config, &no_pin },
				  with_a = { read_config, write_config, &pin_a },
				  with_b = { read_config, write_config, &pin_b };
#define FUNCTION \
	MW_DEVICE_TYPE, .size = sizeof(struct function), .ops = { .after_reset = after_reset }

static const struct mw_device_type pic_type = { FUNCTION, .name = "pic",
						.wires = MW_TABLE(pic_wires),
						.firmware = { .levels = take_levels } };
static const struct mw_device_type host_type = { FUNCTION,
						 .name = "host",
						 .provides = "pci",
						 .config = &plain,
						 .regions = MW_TABLE(host_regions),
						 .firmware = { .setup = MW_TABLE(host_setup) } };
static const struct mw_device_type bridge_type = { FUNCTION,
						   .name = "bridge",
						   .provides = "isa",
						   .config = &plain,
						   .wires = MW_TABLE(bridge_wires),
						   .firmware = { .pirq = 0x60 } };
static const struct mw_device_type power_type = { FUNCTION,
						  .name = "power",
						  .config = &with_a,
						  .wires = MW_TABLE(power_wires),
						  .regions = MW_TABLE(power_regions),
						  .firmware = { .setup = MW_TABLE(power_setup),
								.roles = MW_TABLE(power_roles) } };
static const struct mw_device_type disk_type = { FUNCTION, .name = "disk", .config = &with_b,
						 .regions = MW_TABLE(bar_regions) };

static struct toy toy;
static struct mw_plan_domain domain;

static void add_function(const char *id, const struct mw_device_type *type, const char *address)
{
	uint32_t index = toy_node(&toy, id, type);

	toy.nodes[index].bus = "pci0";
	toy.nodes[index].bus_node = HOST;
	toy.nodes[index].address = address;
}

static void wire_isa(uint32_t from, const char *wire, uint32_t line, enum mw_trigger trigger)
{
	struct mw_plan_net *net = &toy.nets[toy_wire(&toy, from, wire, PIC, "pin", line)];

	net->domain = "isa";
	net->line = net->gsi = line;
	net->trigger = trigger;
}

static void add_nodes(void)
{
	static const uint32_t pins[] = { 3, 0, 1, 2 };

	toy_ram(&toy, 0, 0xa0000);
	toy_ram(&toy, 0x100000, 0x100000);
	toy_node(&toy, "pic", &pic_type);
	toy_node(&toy, "pci0", &host_type);
	toy_claim(&toy, HOST, "cfg", 0xcf8, 8);
	add_function("isa", &bridge_type, "01.0");
	add_function("pm", &power_type, "01.3");
	toy_claim(&toy, POWER, "pm", 0x600, 64);
	add_function("disk", &disk_type, "02.0");
	toy_claim(&toy, DISK, "ports", 0xc000, 16);
	toy_claim(&toy, DISK, "regs", 0xfebf0000, 4096);
	toy_claim(&toy, DISK, "rom", 0xfebe0000, 4096);
	add_function("vga", &disk_type, "1f.7");
	domain = (struct mw_plan_domain){ .name = "pci", .lines = 4, .swizzle = 4, .pins = pins };
	domain.sink.node = BRIDGE;
	toy.plan.domains = &domain;
	toy.plan.domain_count = 1;
}

static int set_up(void **state)
{
	add_nodes();
	wire_isa(BRIDGE, "irq5", 5, MW_TRIGGER_LEVEL);
	wire_isa(BRIDGE, "irq15", 15, MW_TRIGGER_EDGE);
	wire_isa(POWER, "sci", 9, MW_TRIGGER_LEVEL);
	toy.plan.boot.linux_path = "kernel";
	return 0;
}

static int tear_down(void **state)
{
	toy_fini(&toy);
	return 0;
}

static void boot(void)
{
	toy_build(&toy);
	mw_machine_add_reset_hook(toy.machine,
				  (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
}

static uint32_t config(uint32_t node, unsigned at, unsigned size)
{
	const struct function *function = toy_device(&toy, node);

	return (uint32_t)mw_get_le(function->config + at, size);
}

static void base_addresses_are_where_the_plan_says(void **state)
{
	boot();
	assert_int_equal(config(DISK, 0x20, 4), 0xc000);
	assert_int_equal(config(DISK, 0x18, 4), 0xfebf0000);
	assert_int_equal(config(DISK, 0x30, 4), 0xfebe0000);
}

static void functions_answer(void **state)
{
	boot();
	assert_int_equal(config(HOST, 4, 2), 3);
	assert_int_equal(config(DISK, 4, 2), 3);
	assert_int_equal(config(DISPLAY, 4, 2), 3);
}

static void rows_add_the_place_of_a_region(void **state)
{
	boot();
	assert_int_equal(config(POWER, 0x40, 4), 0x601);
	assert_int_equal(config(POWER, 0xd2, 1), 9);
}

static void row_of_a_region_that_is_left_out_is_passed_over(void **state)
{
	boot();
	assert_int_equal(config(POWER, 0x90, 4), 0);
}

static void requests_share_the_lines_of_the_router(void **state)
{
	boot();
	assert_int_equal(config(BRIDGE, 0x60, 4), 0x0f0f0505);
}

static void three_lines_are_shared_by_four(void **state)
{
	wire_isa(BRIDGE, "irq9", 9, MW_TRIGGER_LEVEL);
	boot();
	assert_int_equal(config(BRIDGE, 0x60, 4), 0x0f090505);
}

static void router_without_lines_is_left_off(void **state)
{
	toy.nodes[BRIDGE].claim_count = 0;
	boot();
	assert_int_equal(config(BRIDGE, 0x60, 4), 0);
}

static void interrupt_lines_are_those_of_the_router(void **state)
{
	boot();
	/* INTB# of slot 2 is PIRQC#, that of slot 31 is PIRQD# */
	assert_int_equal(config(DISK, 0x3c, 1), 15);
	assert_int_equal(config(DISPLAY, 0x3c, 1), 15);
}

static void domain_may_begin_at_another_request(void **state)
{
	domain.sink.index = 2;
	boot();
	assert_int_equal(config(DISK, 0x3c, 1), 5);
}

static void fixed_hardware_has_the_line_of_the_sci(void **state)
{
	boot();
	assert_int_equal(config(POWER, 0x3c, 1), 9);
}

static void function_without_a_pin_has_no_line(void **state)
{
	boot();
	assert_int_equal(config(BRIDGE, 0x3c, 1), 0);
}

static void without_routing_lines_are_unknown(void **state)
{
	toy.plan.domain_count = 0;
	boot();
	assert_int_equal(config(DISK, 0x3c, 1), 0xff);
	assert_int_equal(config(BRIDGE, 0x60, 4), 0);
}

static void interrupt_controller_is_told_which_lines_are_levels(void **state)
{
	boot();
	assert_int_equal(((struct function *)toy_device(&toy, PIC))->levels, 1 << 5 | 1 << 9);
}

static void tables_lie_in_shadow_ram(void **state)
{
	toy.plan.boot.tables = MW_TABLES_SMBIOS;
	boot();
	assert_int_equal(toy_peek(&toy, 0xf0000, 4), 0x5f4d535f); /* _SM_ */
	assert_null(mw_machine_ram(toy.machine, 0xf0000, 4));
}

static void each_reset_does_it_again(void **state)
{
	boot();
	((struct function *)toy_device(&toy, DISK))->config[0x21] = 0xd0;
	assert_true(mw_machine_reset(toy.machine, &toy.diagnostics));
	assert_int_equal(config(DISK, 0x20, 4), 0xc000);
	assert_int_equal(((struct function *)toy_device(&toy, PIC))->level_calls, 2);
}

static void firmware_finds_all_as_after_reset(void **state)
{
	toy.plan.boot.linux_path = NULL;
	boot();
	assert_int_equal(config(DISK, 0x20, 4), 0);
	assert_int_equal(config(POWER, 0x40, 4), 0);
	assert_int_equal(config(BRIDGE, 0x60, 4), 0);
	assert_int_equal(((struct function *)toy_device(&toy, PIC))->level_calls, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(base_addresses_are_where_the_plan_says),
		TEST(functions_answer),
		TEST(rows_add_the_place_of_a_region),
		TEST(row_of_a_region_that_is_left_out_is_passed_over),
		TEST(requests_share_the_lines_of_the_router),
		TEST(three_lines_are_shared_by_four),
		TEST(router_without_lines_is_left_off),
		TEST(interrupt_lines_are_those_of_the_router),
		TEST(domain_may_begin_at_another_request),
		TEST(fixed_hardware_has_the_line_of_the_sci),
		TEST(function_without_a_pin_has_no_line),
		TEST(without_routing_lines_are_unknown),
		TEST(interrupt_controller_is_told_which_lines_are_levels),
		TEST(tables_lie_in_shadow_ram),
		TEST(each_reset_does_it_again),
		TEST(firmware_finds_all_as_after_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
