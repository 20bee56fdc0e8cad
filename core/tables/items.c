/** What a firmware configuration device is given: the machine's size, its memory map, tables and boot order
 * (numbers and names are QEMU's, docs/specs/fw_cfg; SeaBIOS and OVMF know them). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/cpu_topology.h"
#include "core/machine_internal.h"
#include "core/tables/tables_internal.h"

enum {
	KEY_RAM_BYTES = 0x03,
	KEY_CPUS = 0x05,
	KEY_MAX_CPUS = 0x0f, /* APIC ids are below it */
	KEY_IRQ0_OVERRIDE = 0x8002
};
enum { E820_BYTES = 20, TIMER_LINE = 0, TIMER_GSI = 2 };

void mw_items_add(struct mw_items *items, unsigned key, const char *name, const uint8_t *bytes,
		  size_t size)
{
	assert(items->count < MW_ITEMS_MAX);
	items->list[items->count++] = (struct mw_item){ key, name, bytes, size };
}

static void add_number(struct mw_items *items, unsigned key, unsigned size, uint64_t value)
{
	uint8_t *bytes = mw_arena_alloc(&items->arena, size, 1);
	mw_put_le(bytes, size, value);
	mw_items_add(items, key, NULL, bytes, size);
}

/** The timer's line 0 of the ISA bus ends at pin 2 of the I/O APIC, as PCs have it. */
static bool timer_is_moved(const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];
		uint32_t line;
		if (mw_acpi_isa_line(net, &line) && line == TIMER_LINE && net->gsi == TIMER_GSI)
			return true;
	}
	return false;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static void add_numbers(struct mw_items *items, const struct mw_plan *plan)
{
	uint64_t last = mw_apic_id(&plan->cpu, plan->cpu.count - 1);
	add_number(items, KEY_RAM_BYTES, 8, plan->ram_bytes);
	add_number(items, KEY_CPUS, 2, at_most(plan->cpu.count, UINT16_MAX));
	add_number(items, KEY_MAX_CPUS, 2, at_most(last + 1, UINT16_MAX));
	add_number(items, KEY_IRQ0_OVERRIDE, 1, timer_is_moved(plan));
}

/** RAM alone: what a firmware reserves of it, it knows itself. */
static void add_memory_map(struct mw_items *items, const struct mw_plan *plan)
{
	size_t size = plan->ram_count * E820_BYTES;
	uint8_t *bytes = mw_arena_alloc(&items->arena, plan->ram_count + 1, E820_BYTES);
	for (size_t i = 0; i < plan->ram_count; i++) {
		uint8_t *entry = bytes + i * E820_BYTES;
		mw_put_le(entry, 8, plan->ram[i].base);
		mw_put_le(entry + 8, 8, plan->ram[i].length);
		mw_put_le(entry + 16, 4, MW_E820_RAM);
	}
	mw_items_add(items, 0, "etc/e820", bytes, size);
}

/** SeaBIOS adds a BIOS of its own to the structures. */
static void add_smbios(struct mw_items *items, const struct mw_plan *plan)
{
	struct mw_smbios smbios;
	mw_smbios_build(&smbios, plan, false, &items->arena);
	uint8_t *anchor = mw_arena_alloc(&items->arena, sizeof(smbios.anchor), 1);
	memcpy(anchor, smbios.anchor, sizeof(smbios.anchor));
	mw_items_add(items, 0, "etc/smbios/smbios-anchor", anchor, sizeof(smbios.anchor));
	mw_items_add(items, 0, "etc/smbios/smbios-tables", smbios.bytes, smbios.length);
}

bool mw_items_build(struct mw_items *items, const struct mw_plan *plan,
		    struct mw_diagnostics *diagnostics)
{
	add_numbers(items, plan);
	add_memory_map(items, plan);
	if (plan->boot.tables & MW_TABLES_SMBIOS)
		add_smbios(items, plan);
	return mw_items_boot_order(items, plan, diagnostics) &&
	       (!(plan->boot.tables & MW_TABLES_ACPI) || mw_items_acpi(items, plan, diagnostics));
}

void mw_items_free(struct mw_items *items)
{
	if (items)
		mw_arena_fini(&items->arena);
	free(items);
}

long mw_items_taker(const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (!plan->nodes[i].host && plan->nodes[i].type->firmware.item)
			return (long)i;
	}
	return -1;
}

static void give(const struct mw_items *items, struct mw_node *node, struct mw_actor *actor)
{
	mw_node_enter(node, actor);
	for (size_t i = 0; i < items->count; i++) {
		const struct mw_item *item = &items->list[i];
		node->type->firmware.item(node->device, item->key, item->name, item->bytes,
					  item->size);
	}
	mw_node_leave(node);
}

bool mw_items_write(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		    struct mw_diagnostics *diagnostics)
{
	long taker = mw_items_taker(machine->plan);
	if (taker < 0)
		return true;
	if (!machine->items) {
		struct mw_items *items = mw_alloc(1, sizeof(*items));
		if (!mw_items_build(items, machine->plan, diagnostics)) {
			mw_items_free(items);
			return false;
		}
		machine->items = items;
	}
	give(machine->items, machine->nodes[taker], machine->main_actor);
	return true;
}
