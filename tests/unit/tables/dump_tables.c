/** Writes the tables of several plans into files, for iasl: dump_tables FOLDER. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "core/registry.h"
#include "devices/registry.h"

static void dump(struct board *board, const char *folder, const char *plan)
{
	static const char *const signatures[] = { "XSDT", "RSDT", "FACP", "APIC",
						  "DSDT", "FACS", "HPET" };
	struct mw_acpi_tables tables = board_tables(board);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		char path[512];
		size_t length;
		const uint8_t *table = board_table(&tables, signatures[i], &length);
		if (!table && i >= 5) /* not every machine has these */
			continue;
		snprintf(path, sizeof(path), "%s/%s-%s.aml", folder, plan, signatures[i]);
		FILE *out = fopen(path, "wb");
		if (!table || !out || fwrite(table, 1, length, out) != length || fclose(out)) {
			fprintf(stderr, "dump_tables: %s cannot be written\n", path);
			exit(1);
		}
	}
	board_free(board);
}

static struct board *microvm(uint32_t cpus)
{
	struct board *board = board_new();
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = cpus, .sockets = 1, .cores = cpus, .threads = 1 };
	board_add_microvm(board);
	return board;
}

static struct board *moved_uart(void)
{
	struct board *board = microvm(1);
	board->claims[3][0].base = 0x2e8;
	board->nets[0].gsi = 10;
	return board;
}

static struct board *two_uarts(void)
{
	struct board *board = microvm(4);
	board_add_uart(board, "com2", 0x2f8, 3);
	return board;
}

/** All forms of a claim, a bus with children, ids that collide. */
static struct board *full(void)
{
	static char ids[200][16];
	struct board *board = microvm(255);
	uint32_t bus = (uint32_t)board->plan.node_count;
	board_claim(board, board_add(board, "isa", &board_bus), MW_CLAIM_IO, 0xc000, 0x1000);
	struct mw_plan_node *keyboard = board_add(board, "keyboard", &board_keyboard);
	board_claim(board, keyboard, MW_CLAIM_IO, 0x60, 5);
	keyboard->bus_node = bus;
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(ids[i], sizeof(ids[i]), "serial-%c%u", 'a' + i % 26, i);
		board_add_uart(board, ids[i], 0x1000 + i * 8, i % 24)->bus_node = bus;
	}
	board_claim(board, board_add(board, "high", &board_plain), MW_CLAIM_MMIO, 0x4000000000,
		    0x100000000);
	board_claim(board, board_add(board, "ports", &board_uart), MW_CLAIM_IO, 0, 0x10000);
	board->nets[3] = (struct mw_plan_net){ .domain = "isa",
					       .line = 9,
					       .gsi = 20,
					       .trigger = MW_TRIGGER_LEVEL,
					       .polarity = MW_POLARITY_LOW,
					       .shared = true };
	return board;
}

static struct board *pc(uint32_t cpus)
{
	struct board *board = board_new();
	board->plan.cpu =
		(struct mw_plan_cpu){ .count = cpus, .sockets = 1, .cores = cpus, .threads = 1 };
	board_add_pc(board);
	return board;
}

/** An ISA line for each line that the node drives. */
static void claim_lines(struct board *board, struct mw_plan_node *node)
{
	for (size_t w = 0; w < node->type->wires.count && node->claim_count < 8; w++) {
		const struct mw_wire *wire = &node->type->wires.items[w];
		if (wire->kind != MW_LINE || wire->direction != MW_DRIVES)
			continue;
		uint32_t net = (uint32_t)board->plan.net_count++;
		struct mw_plan_claim *claim = board_claim(board, node, MW_CLAIM_IRQ, 0, 0);
		claim->name = wire->name;
		claim->net = net;
		board->nets[net] =
			(struct mw_plan_net){ .domain = "isa", .line = net % 16, .gsi = net % 16 };
	}
}

/** The built-in types themselves, each with a claim for every region: their hints are read too. */
static struct board *built_in(void)
{
	struct board *board = board_new();
	for (size_t i = 0; mw_device_types[i]; i++) {
		const struct mw_device_type *type = mw_device_types[i];
		struct mw_plan_node *node = board_add(board, type->name, type);
		node->host = type->backend;
		for (size_t r = 0; r < type->regions.count && r < 4; r++) {
			const struct mw_region *region = &type->regions.items[r];
			bool memory = region->space == MW_SPACE_MEMORY;
			struct mw_plan_claim *claim = board_claim(
				board, node, memory ? MW_CLAIM_MMIO : MW_CLAIM_IO,
				memory ? 0xfea00000 + i * 0x20000 : 0x400 + i * 0x100 + r * 0x40,
				region->size ? region->size : 16);
			claim->region = region;
			claim->name = region->name;
		}
		if (!type->backend)
			claim_lines(board, node);
	}
	return board;
}

static struct board *pci(void)
{
	struct board *board = board_new();
	board_add_pci(board);
	board_claim(board, board_add(board, "hpet", &board_hpet), MW_CLAIM_MMIO, 0xfed00000, 0x400);
	return board;
}

/** Without a router: each pin has its line for good. */
static struct board *wired(void)
{
	struct board *board = pci();
	board->pci.to = "isa";
	return board;
}

int main(int count, char **arguments)
{
	if (count != 2)
		return 2;
	dump(microvm(1), arguments[1], "cpus1");
	dump(microvm(4), arguments[1], "cpus4");
	dump(moved_uart(), arguments[1], "moved");
	dump(two_uarts(), arguments[1], "uarts2");
	dump(full(), arguments[1], "full");
	dump(pc(1), arguments[1], "pc");
	dump(pc(255), arguments[1], "pc255");
	dump(built_in(), arguments[1], "builtin");
	dump(pci(), arguments[1], "pci");
	dump(wired(), arguments[1], "wired");
	return 0;
}
