/** A small plan made by hand, with device types that only have what tables read. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_TABLES_BOARD_H
#define TESTS_UNIT_TABLES_BOARD_H

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/tables/tables.h"

/** Created by board_init, changed by the test before it makes tables, freed by board_fini. */
struct board {
	struct mw_plan plan;
	struct mw_diagnostics diagnostics;
	struct mw_arena arena;
	struct mw_plan_node nodes[1100];
	struct mw_plan_claim claims[1100][8];
	struct mw_plan_net nets[1100];
	struct mw_plan_range ram[4];
	struct mw_plan_domain pci; /* of board_add_pci */
};

extern const struct mw_device_type board_uart, board_plain, board_ioapic, board_power, board_bus,
	board_keyboard, board_pic, board_pm, board_clock, board_root, board_bridge, board_ide,
	board_disk, board_display, board_pm_function, board_firmware, board_hpet;

/** 128 MiB of RAM and one CPU; no node. */
struct board *board_new(void);
void board_free(struct board *board);
/** Adds a node on `sys` without claims; returns it for changes. */
struct mw_plan_node *board_add(struct board *board, const char *id,
			       const struct mw_device_type *type);
struct mw_plan_claim *board_claim(struct board *board, struct mw_plan_node *node,
				  enum mw_claim_kind kind, uint64_t base, uint64_t length);
/** A uart at port `base` and edge-triggered line `gsi` of the domain "gsi". */
struct mw_plan_node *board_add_uart(struct board *board, const char *id, uint64_t base,
				    uint32_t gsi);
/** What microvm has: ioapic, power device, reset controller without a HID, com1. */
void board_add_microvm(struct board *board);

/** Fixed hardware at port 0x600, its SCI on ISA line 9, level-triggered. */
struct mw_plan_node *board_add_pm(struct board *board);
/** What a PC has: ioapic, pic, pm, clock on line 8, keyboard controller, timer on line 0 and GSI 2. */
void board_add_pc(struct board *board);

/** What a PC with PCI has: the root bridge `pci0`, and at it the bridge `isa`, which routes INTx to lines 10 and
 * 11, `ide` with the disk `hd0`, `pm` and a display `vga`; ioapic, pic, and `com1` at isa. */
void board_add_pci(struct board *board);
/** A node by its id. */
struct mw_plan_node *board_node(struct board *board, const char *id);

/** Builds the tables; fails the test with the diagnostics where that fails. */
struct mw_acpi_tables board_tables(struct board *board);
/** The table with this signature, or NULL. */
const uint8_t *board_table(const struct mw_acpi_tables *tables, const char *signature,
			   size_t *length);

#endif
