/** A small plan made by hand, for the table tests. */
// SPDX-License-Identifier: MIT
#include "board.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml.h"

static const struct mw_region port_regions[] = { { "bank", MW_SPACE_PORT, 8 },
						 { "second", MW_SPACE_PORT, 0 } };
static const struct mw_region memory_regions[] = { { "regs", MW_SPACE_MEMORY, 0 } };
static const struct mw_region rom_regions[] = { { "memory", MW_SPACE_MEMORY, 0,
						  .backing = MW_BACKING_ROM } };
static const struct mw_role_row ioapic_roles[] = { { MW_ROLE_IOAPIC, "regs" } };
static const struct mw_role_row power_roles[] = {
	{ MW_ROLE_SLEEP_CONTROL, "regs", 0, 1, 5 },
	{ MW_ROLE_SLEEP_STATUS, "regs", 1, 1 },
	{ MW_ROLE_RESET, "regs", 2, 1, 0x42 },
};
static const struct mw_role_row keyboard_roles[] = { { MW_ROLE_8042, NULL },
						     { MW_ROLE_LEGACY, NULL },
						     { MW_ROLE_RESET, "bank", 4, 1, 0xfe } };
static const struct mw_role_row pic_roles[] = { { MW_ROLE_PIC, NULL } };
static const struct mw_region pm_regions[] = { { "pm", MW_SPACE_PORT, 12 } };
static const struct mw_role_row pm_roles[] = {
	{ MW_ROLE_PM1, "pm", 0, 4 },
	{ MW_ROLE_PM1_CONTROL, "pm", 4, 2, 3 },
	{ MW_ROLE_PM_TIMER, "pm", 8, 4 },
};
static const struct mw_wire pm_wires[] = {
	{ "sci", "", .kind = MW_LINE },
	{ "power_button", "", MW_SINK(1) },
	{ "sleep_button", "", MW_SINK(1) },
	{ "rtc_alarm", "", MW_SINK(1) },
};
static const char *const pm_described[] = { "sci", NULL };
static const struct mw_role_row clock_roles[] = { { MW_ROLE_RTC, "bank", 0, 1, 0x32 } };

static void power_aml(struct mw_aml *aml, const struct mw_plan *plan,
		      const struct mw_plan_node *node);

const struct mw_device_type board_uart = { MW_DEVICE_TYPE, .name = "uart",
					   .regions = MW_TABLE(port_regions),
					   .firmware = { .acpi_hid = "PNP0501" } };
const struct mw_device_type board_plain = { MW_DEVICE_TYPE, .name = "plain",
					    .regions = MW_TABLE(rom_regions) };
const struct mw_device_type board_ioapic = { MW_DEVICE_TYPE, .name = "ioapic",
					     .regions = MW_TABLE(memory_regions),
					     .firmware = { .roles = MW_TABLE(ioapic_roles) } };
const struct mw_device_type board_power = { MW_DEVICE_TYPE, .name = "power",
					    .regions = MW_TABLE(memory_regions),
					    .firmware = { .acpi_hid = "ACPI0013",
							  .acpi_only_irqs = true,
							  .aml = power_aml,
							  .roles = MW_TABLE(power_roles) } };
const struct mw_device_type board_bus = { MW_DEVICE_TYPE, .name = "isa-bus",
					  .regions = MW_TABLE(port_regions), .provides = "isa" };
const struct mw_device_type board_keyboard = { MW_DEVICE_TYPE, .name = "keyboard",
					       .regions = MW_TABLE(port_regions),
					       .firmware = { .acpi_hid = "PNP0303",
							     .acpi_cid = "PNP030B",
							     .unless = "reset_only",
							     .roles = MW_TABLE(keyboard_roles) } };
const struct mw_device_type board_pic = { MW_DEVICE_TYPE, .name = "pic",
					  .firmware = { .roles = MW_TABLE(pic_roles) } };
const struct mw_device_type board_pm = {
	MW_DEVICE_TYPE, .name = "pm", .wires = MW_TABLE(pm_wires), .regions = MW_TABLE(pm_regions),
	.firmware = { .roles = MW_TABLE(pm_roles), .aml_claims = pm_described }
};
const struct mw_device_type board_clock = {
	MW_DEVICE_TYPE, .name = "clock", .regions = MW_TABLE(port_regions),
	.firmware = { .acpi_hid = "PNP0B00", .roles = MW_TABLE(clock_roles) }
};

static const struct mw_region bar_regions[] = { { "vram", MW_SPACE_MEMORY, 0x1000000, .bar = 1 },
						{ "text", MW_SPACE_MEMORY, 0x20000 } };
static const struct mw_role_row display_roles[] = { { MW_ROLE_VGA, "text" } };
static const struct mw_region pm_function_regions[] = {
	{ "pm", MW_SPACE_PORT, 64, .movable = true }, { "smi", MW_SPACE_PORT, 2 }
};
static const struct mw_role_row pm_function_roles[] = {
	{ MW_ROLE_PM1, "pm", 0, 4 },
	{ MW_ROLE_PM1_CONTROL, "pm", 4, 2, 0 },
	{ MW_ROLE_PM_TIMER, "pm", 8, 4 },
	{ MW_ROLE_GPE0, "pm", 12, 4 },
	{ MW_ROLE_SMI_COMMAND, "smi", 0, 1, 0xf0f1 },
};
static const struct mw_role_row hpet_roles[] = { { MW_ROLE_HPET, "regs", 0, 0, 0x8086a201 } };
static const struct mw_property firmware_properties[] = { { "uuid", "", .kind = MW_UUID } };

static void take_item(void *self, unsigned key, const char *name, const uint8_t *bytes, size_t size)
{
}

const struct mw_device_type board_root = { MW_DEVICE_TYPE, .name = "root",
					   .regions = MW_TABLE(port_regions), .provides = "pci" };
const struct mw_device_type board_bridge = { MW_DEVICE_TYPE, .name = "bridge", .provides = "isa",
					     .firmware = { .pirq = 0x60 } };
const struct mw_device_type board_ide = { MW_DEVICE_TYPE, .name = "ide-function",
					  .regions = MW_TABLE(port_regions), .provides = "ide",
					  .private_bus = true };
const struct mw_device_type board_disk = { MW_DEVICE_TYPE, .name = "disk" };
const struct mw_device_type board_display = { MW_DEVICE_TYPE, .name = "display",
					      .regions = MW_TABLE(bar_regions),
					      .firmware = { .roles = MW_TABLE(display_roles) } };
const struct mw_device_type board_pm_function = {
	MW_DEVICE_TYPE, .name = "pm-function", .wires = MW_TABLE(pm_wires),
	.regions = MW_TABLE(pm_function_regions),
	.firmware = { .roles = MW_TABLE(pm_function_roles), .aml_claims = pm_described }
};
const struct mw_device_type board_firmware = { MW_DEVICE_TYPE, .name = "firmware",
					       .properties = MW_TABLE(firmware_properties),
					       .firmware = { .item = take_item } };
const struct mw_device_type board_hpet = {
	MW_DEVICE_TYPE, .name = "hpet", .regions = MW_TABLE(memory_regions),
	.firmware = { .acpi_hid = "PNP0103", .roles = MW_TABLE(hpet_roles) }
};

static void power_aml(struct mw_aml *aml, const struct mw_plan *plan,
		      const struct mw_plan_node *node)
{
	static const char *const names[] = { "EVNT" };
	static const unsigned bits[] = { 32 };
	mw_aml_operation_region(aml, "EREG", true, node->claims[0].base + 0x10, 4);
	mw_aml_field(aml, "EREG", 4, names, bits, 1);
	mw_aml_method_begin(aml, "_EVT", 1, true);
	mw_aml_end(aml);
}

struct board *board_new(void)
{
	struct board *board = mw_alloc(1, sizeof(*board));
	board->ram[0] = (struct mw_plan_range){ 0, 128 << 20 };
	board->plan =
		(struct mw_plan){ .name = "board",
				  .arch = "x86_64",
				  .version = 7,
				  .ram = board->ram,
				  .ram_count = 1,
				  .ram_bytes = 128 << 20,
				  .nodes = board->nodes,
				  .nets = board->nets,
				  .cpu = { .count = 1, .sockets = 1, .cores = 1, .threads = 1 },
				  .boot = { .cmdline = "", .tables = MW_TABLES_ACPI } };
	return board;
}

void board_free(struct board *board)
{
	mw_diagnostics_fini(&board->diagnostics);
	mw_arena_fini(&board->arena);
	free(board);
}

struct mw_plan_node *board_add(struct board *board, const char *id,
			       const struct mw_device_type *type)
{
	size_t index = board->plan.node_count++;
	struct mw_plan_node *node = &board->nodes[index];
	*node = (struct mw_plan_node){ .id = id,
				       .type = type,
				       .bus = "sys",
				       .bus_node = UINT32_MAX,
				       .claims = board->claims[index] };
	return node;
}

struct mw_plan_claim *board_claim(struct board *board, struct mw_plan_node *node,
				  enum mw_claim_kind kind, uint64_t base, uint64_t length)
{
	struct mw_plan_claim *claim = &board->claims[node - board->nodes][node->claim_count++];
	const struct mw_region *region = node->type->regions.items;
	*claim = (struct mw_plan_claim){ .kind = kind, .base = base, .length = length };
	claim->region = kind == MW_CLAIM_IRQ ? NULL : region;
	claim->name = kind == MW_CLAIM_IRQ ? "irq" : region->name;
	return claim;
}

struct mw_plan_node *board_add_uart(struct board *board, const char *id, uint64_t base,
				    uint32_t gsi)
{
	struct mw_plan_node *node = board_add(board, id, &board_uart);
	uint32_t net = (uint32_t)board->plan.net_count++;
	board_claim(board, node, MW_CLAIM_IO, base, 8);
	board_claim(board, node, MW_CLAIM_IRQ, 0, 0)->net = net;
	board->nets[net] = (struct mw_plan_net){ .domain = "gsi", .line = gsi, .gsi = gsi };
	return node;
}

/** A net of the domain "isa" for the node's claim of a line. */
static struct mw_plan_net *claim_isa_line(struct board *board, struct mw_plan_node *node,
					  uint32_t line)
{
	uint32_t net = (uint32_t)board->plan.net_count++;
	board_claim(board, node, MW_CLAIM_IRQ, 0, 0)->net = net;
	board->nets[net] = (struct mw_plan_net){ .domain = "isa", .line = line, .gsi = line };
	return &board->nets[net];
}

struct mw_plan_node *board_add_pm(struct board *board)
{
	struct mw_plan_node *pm = board_add(board, "pm", &board_pm);
	board_claim(board, pm, MW_CLAIM_IO, 0x600, 12);
	claim_isa_line(board, pm, 9)->trigger = MW_TRIGGER_LEVEL;
	board->claims[pm - board->nodes][1].name = "sci";
	return pm;
}

void board_add_pc(struct board *board)
{
	board_claim(board, board_add(board, "ioapic", &board_ioapic), MW_CLAIM_MMIO, 0xfec00000,
		    0x400);
	board_add(board, "pic", &board_pic);
	board_add_pm(board);
	struct mw_plan_node *clock = board_add(board, "rtc", &board_clock);
	board_claim(board, clock, MW_CLAIM_IO, 0x70, 2);
	claim_isa_line(board, clock, 8);
	board_claim(board, board_add(board, "kbd", &board_keyboard), MW_CLAIM_IO, 0x60, 5);
	struct mw_plan_node *pit = board_add(board, "pit", &board_uart);
	board_claim(board, pit, MW_CLAIM_IO, 0x40, 4);
	claim_isa_line(board, pit, 0)->gsi = 2;
}

struct mw_plan_node *board_node(struct board *board, const char *id)
{
	long index = mw_plan_find(&board->plan, id);
	if (index < 0)
		abort();
	return &board->nodes[index];
}

static struct mw_plan_node *add_at(struct board *board, const char *id,
				   const struct mw_device_type *type, const char *bus,
				   const char *address)
{
	struct mw_plan_node *node = board_add(board, id, type);
	node->bus = bus;
	node->bus_node = (uint32_t)mw_plan_find(&board->plan, bus);
	node->address = address;
	return node;
}

static void add_pm_function(struct board *board)
{
	struct mw_plan_node *pm = add_at(board, "pm", &board_pm_function, "pci0", "01.3");
	board_claim(board, pm, MW_CLAIM_IO, 0x600, 64);
	struct mw_plan_claim *smi = board_claim(board, pm, MW_CLAIM_IO, 0xb2, 2);
	smi->region = &pm_function_regions[1];
	smi->name = "smi";
	claim_isa_line(board, pm, 9)->trigger = MW_TRIGGER_LEVEL;
	board->claims[pm - board->nodes][2].name = "sci";
}

void board_add_pci(struct board *board)
{
	static const uint32_t pins[] = { 3, 0, 1, 2 };
	board_claim(board, board_add(board, "ioapic", &board_ioapic), MW_CLAIM_MMIO, 0xfec00000,
		    0x400);
	board_add(board, "pic", &board_pic);
	board_claim(board, board_add(board, "pci0", &board_root), MW_CLAIM_IO, 0xcf8, 8);
	struct mw_plan_node *isa = add_at(board, "isa", &board_bridge, "pci0", "01.0");
	claim_isa_line(board, isa, 10)->trigger = MW_TRIGGER_LEVEL;
	claim_isa_line(board, isa, 11)->trigger = MW_TRIGGER_LEVEL;
	board_claim(board, add_at(board, "ide", &board_ide, "pci0", "01.1"), MW_CLAIM_IO, 0x1f0, 8);
	add_at(board, "hd0", &board_disk, "ide", "0.0");
	add_pm_function(board);
	struct mw_plan_node *vga = add_at(board, "vga", &board_display, "pci0", "02.0");
	board_claim(board, vga, MW_CLAIM_MMIO, 0xe0000000, 0x1000000);
	struct mw_plan_claim *text = board_claim(board, vga, MW_CLAIM_MMIO, 0xa0000, 0x20000);
	text->region = &bar_regions[1];
	text->name = "text";
	board_add_uart(board, "com1", 0x3f8, 4)->bus_node =
		(uint32_t)mw_plan_find(&board->plan, "isa");
	board->ram[0].length = 0xa0000;
	board->ram[1] = (struct mw_plan_range){ 0x100000, 127 << 20 };
	board->plan.ram_count = 2;
	board->plan.ram_bytes = board->ram[0].length + board->ram[1].length;
	board->pci =
		(struct mw_plan_domain){ .name = "pci", .lines = 4, .swizzle = 4, .pins = pins };
	board->pci.sink.node = (uint32_t)(isa - board->nodes);
	board->plan.domains = &board->pci;
	board->plan.domain_count = 1;
}

void board_add_microvm(struct board *board)
{
	board_claim(board, board_add(board, "ioapic", &board_ioapic), MW_CLAIM_MMIO, 0xfec00000,
		    0x400);
	struct mw_plan_node *ged = board_add(board, "ged", &board_power);
	board_claim(board, ged, MW_CLAIM_MMIO, 0xfea00000, 0x1000);
	board_claim(board, board_add(board, "rom", &board_plain), MW_CLAIM_MMIO, 0xffff0000,
		    0x10000);
	board_add_uart(board, "com1", 0x3f8, 4);
	uint32_t net = (uint32_t)board->plan.net_count++;
	board_claim(board, ged, MW_CLAIM_IRQ, 0, 0)->net = net;
	board->nets[net] = (struct mw_plan_net){ .domain = "gsi", .line = 9, .gsi = 9 };
}

struct mw_acpi_tables board_tables(struct board *board)
{
	struct mw_acpi_tables tables;
	if (!mw_acpi_build(&tables, &board->plan, &board->arena, &board->diagnostics)) {
		mw_diagnostics_print(&board->diagnostics, stderr, MW_DIAG_FULL, false);
		abort();
	}
	return tables;
}

static const uint8_t *at_address(const struct mw_acpi_tables *tables, uint64_t address)
{
	return address ? tables->bytes + (address - tables->base) : NULL;
}

const uint8_t *board_table(const struct mw_acpi_tables *tables, const char *signature,
			   size_t *length)
{
	const uint8_t *xsdt = at_address(tables, mw_get_le(tables->rsdp_bytes + 24, 8));
	const uint8_t *found = NULL;
	if (strcmp(signature, "XSDT") == 0)
		found = xsdt;
	if (strcmp(signature, "RSDT") == 0)
		found = at_address(tables, mw_get_le(tables->rsdp_bytes + 16, 4));
	for (size_t at = 36; at < mw_get_le(xsdt + 4, 4); at += 8) {
		const uint8_t *table = at_address(tables, mw_get_le(xsdt + at, 8));
		if (memcmp(table, signature, 4) == 0)
			found = table;
		if (memcmp(table, "FACP", 4) == 0 && strcmp(signature, "DSDT") == 0)
			found = at_address(tables, mw_get_le(table + 140, 8));
		if (memcmp(table, "FACP", 4) == 0 && strcmp(signature, "FACS") == 0)
			found = at_address(tables, mw_get_le(table + 36, 4));
	}
	if (found)
		*length = (size_t)mw_get_le(found + 4, 4);
	return found;
}
