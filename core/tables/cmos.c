/** What a BIOS leaves in CMOS memory: sizes and equipment that follow from the plan (IBM PC AT Technical
 * Reference, 1984, "Real-Time Clock/CMOS RAM Information"; the rest is the convention of PC BIOSes). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/tables/tables_internal.h"

enum {
	FLOPPIES = 0x10, /* 0x10 to 0x2d are under the checksum */
	EQUIPMENT = 0x14,
	BASE_KIB = 0x15,
	EXTENDED_KIB = 0x17,
	CHECKSUM = 0x2e,
	EXTENDED_KIB_FOUND = 0x30,
	ABOVE_16M = 0x34, /* in units of 64 KiB, as are those above 4 GiB */
	ABOVE_4G = 0x5b,
	MORE_CPUS = 0x5f,
	CMOS_BYTES = 0x60
};
enum { EQUIPMENT_FPU = 0x02, EQUIPMENT_MOUSE = 0x04 };
#define KIB  UINT64_C(0x400)
#define MIB  UINT64_C(0x100000)
#define UNIT UINT64_C(0x10000)
#define GIB4 UINT64_C(0x100000000)

/** How much RAM follows `from` without a hole, up to `limit`. */
static uint64_t ram_from(const struct mw_plan *plan, uint64_t from, uint64_t limit)
{
	uint64_t at = from;
	for (size_t i = 0; i < plan->ram_count; i++) {
		const struct mw_plan_range *ram = &plan->ram[i];
		if (at >= ram->base && at - ram->base < ram->length)
			at = ram->base + ram->length;
	}
	return (at < limit ? at : limit) - from;
}

static void put(uint8_t *cmos, unsigned at, unsigned bytes, uint64_t value)
{
	uint64_t most = (UINT64_C(1) << (8 * bytes)) - 1;
	value = value < most ? value : most;
	for (unsigned i = 0; i < bytes; i++)
		cmos[at + i] = (uint8_t)(value >> (8 * i));
}

static void compute(uint8_t cmos[CMOS_BYTES], const struct mw_plan *plan)
{
	bool mouse = mw_plan_role(plan, MW_ROLE_8042, 0) >= 0;
	unsigned sum = 0;
	cmos[EQUIPMENT] = EQUIPMENT_FPU | (mouse ? EQUIPMENT_MOUSE : 0);
	put(cmos, BASE_KIB, 2, ram_from(plan, 0, 640 * KIB) / KIB);
	put(cmos, EXTENDED_KIB, 2, ram_from(plan, MIB, GIB4) / KIB);
	put(cmos, EXTENDED_KIB_FOUND, 2, ram_from(plan, MIB, GIB4) / KIB);
	put(cmos, ABOVE_16M, 2, ram_from(plan, 16 * MIB, GIB4) / UNIT);
	put(cmos, ABOVE_4G, 3, ram_from(plan, GIB4, UINT64_MAX) / UNIT);
	put(cmos, MORE_CPUS, 1, plan->cpu.count - 1);
	for (unsigned i = FLOPPIES; i < CHECKSUM; i++)
		sum += cmos[i];
	cmos[CHECKSUM] = (uint8_t)(sum >> 8);
	cmos[CHECKSUM + 1] = (uint8_t)sum;
}

/** Whether the byte is one of those above: the clock's own, and what setup programs keep, are not. */
static bool is_ours(unsigned index)
{
	return (index >= FLOPPIES && index <= EXTENDED_KIB_FOUND + 1) ||
	       (index >= ABOVE_16M && index <= ABOVE_16M + 1) ||
	       (index >= ABOVE_4G && index <= ABOVE_4G + 2) || index == MORE_CPUS;
}

void mw_cmos_write(struct mw_machine *machine)
{
	uint8_t cmos[CMOS_BYTES] = { 0 };
	const struct mw_plan *plan = machine->plan;
	long index = mw_plan_role(plan, MW_ROLE_RTC, 0);
	struct mw_node *node = index < 0 ? NULL : machine->nodes[index];
	if (!node || node->offloaded || !node->type->firmware.cmos)
		return;
	compute(cmos, plan);
	mw_node_enter(node, machine->main_actor);
	for (unsigned i = 0; i < CMOS_BYTES; i++) {
		if (is_ours(i))
			node->type->firmware.cmos(node->device, i, cmos[i]);
	}
	mw_node_leave(node);
}
