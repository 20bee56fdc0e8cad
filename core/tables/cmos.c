/** What a BIOS leaves in CMOS memory: sizes and equipment that follow from the plan (IBM PC AT Technical
 * Reference, 1984, "Real-Time Clock/CMOS RAM Information"; the rest is the convention of PC BIOSes). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/tables/tables_internal.h"

enum {
	FLOPPIES = 0x10, /* 0x10 to 0x2d are under the checksum */
	DISKS = 0x12,
	EQUIPMENT = 0x14,
	BASE_KIB = 0x15,
	EXTENDED_KIB = 0x17,
	DISK_TYPES = 0x19,
	DISK_GEOMETRIES = 0x1b,
	CHECKSUM = 0x2e,
	EXTENDED_KIB_FOUND = 0x30,
	ABOVE_16M = 0x34, /* in units of 64 KiB, as are those above 4 GiB */
	BOOT_THIRD =
		0x38, /* in the high half; 0x3d has the first in its low half, and the second */
	TRANSLATIONS = 0x39,
	BOOT_FIRST = 0x3d,
	ABOVE_4G = 0x5b,
	MORE_CPUS = 0x5f,
	CMOS_BYTES = 0x60
};
enum {
	EQUIPMENT_FLOPPY = 0x01,
	EQUIPMENT_FPU = 0x02,
	EQUIPMENT_MOUSE = 0x04,
	EQUIPMENT_FLOPPY_SHIFT = 6 /* how many more than one */
};
/* What a BIOS that is told no order tries: disks, floppies, CDs. */
enum { BOOT_FLOPPY = 1, BOOT_DISK = 2, BOOT_CD = 3 };
/* A disk whose geometry is among the bytes, and how one with more cylinders than a BIOS counts is addressed. */
enum { DISK_EXTENDED = 0xf, DISK_USER_TYPE = 47, GEOMETRY_BYTES = 9, BIOS_CYLINDERS = 1024 };
enum { TRANSLATE_LBA = 1, DISKS_MAX = 4, DISKS_WITH_TYPE = 2 };
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
	cmos[EQUIPMENT] = EQUIPMENT_FPU | (mouse ? EQUIPMENT_MOUSE : 0);
	put(cmos, BASE_KIB, 2, ram_from(plan, 0, 640 * KIB) / KIB);
	put(cmos, EXTENDED_KIB, 2, ram_from(plan, MIB, GIB4) / KIB);
	put(cmos, EXTENDED_KIB_FOUND, 2, ram_from(plan, MIB, GIB4) / KIB);
	put(cmos, ABOVE_16M, 2, ram_from(plan, 16 * MIB, GIB4) / UNIT);
	put(cmos, ABOVE_4G, 3, ram_from(plan, GIB4, UINT64_MAX) / UNIT);
	put(cmos, MORE_CPUS, 1, plan->cpu.count - 1);
	if (!plan->boot.order) {
		cmos[BOOT_FIRST] = BOOT_DISK | BOOT_FLOPPY << 4;
		cmos[BOOT_THIRD] = BOOT_CD << 4;
	}
}

/** The first two drives at a controller's cable, 0.0 and 0.1: the first is in the high half. */
static void put_floppies(uint8_t cmos[CMOS_BYTES], struct mw_machine *machine)
{
	unsigned count = 0;
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		const char *address = node->plan->address;
		if (!node->type->firmware.floppy || !address ||
		    (strcmp(address, "0.0") != 0 && strcmp(address, "0.1") != 0))
			continue;
		mw_node_enter(node, machine->main_actor);
		unsigned type = node->type->firmware.floppy(node->device) & 0xf;
		mw_node_leave(node);
		cmos[FLOPPIES] |= (uint8_t)(strcmp(address, "0.0") == 0 ? type << 4 : type);
		count++;
	}
	if (count)
		cmos[EQUIPMENT] |=
			(uint8_t)(EQUIPMENT_FLOPPY | (count > 1) << EQUIPMENT_FLOPPY_SHIFT);
}

/** The fields of a user-defined type: write precompensation never begins, and heads land behind the last
 * cylinder. */
static void put_disk(uint8_t cmos[CMOS_BYTES], unsigned unit, const unsigned geometry[3])
{
	uint8_t *at = cmos + DISK_GEOMETRIES + unit * GEOMETRY_BYTES;
	if (geometry[0] > BIOS_CYLINDERS)
		cmos[TRANSLATIONS] |= (uint8_t)(TRANSLATE_LBA << (2 * unit));
	if (!geometry[0] || unit >= DISKS_WITH_TYPE)
		return;
	cmos[DISKS] |= (uint8_t)(DISK_EXTENDED << (unit ? 0 : 4));
	cmos[DISK_TYPES + unit] = DISK_USER_TYPE;
	put(at, 0, 2, geometry[0]);
	put(at, 2, 1, geometry[1]);
	put(at, 3, 2, UINT16_MAX);
	put(at, 5, 1, 0xc0 | (geometry[1] > 8 ? 8u : 0));
	put(at, 6, 2, geometry[0]);
	put(at, 8, 1, geometry[2]);
}

/** Units 0.0, 0.1, 1.0 and 1.1 of a controller. */
static void put_disks(uint8_t cmos[CMOS_BYTES], struct mw_machine *machine)
{
	static const char *const units[DISKS_MAX] = { "0.0", "0.1", "1.0", "1.1" };
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		const char *address = node->plan->address;
		unsigned geometry[3] = { 0 }, unit = 0;
		if (!node->type->firmware.disk || !address)
			continue;
		while (unit < DISKS_MAX && strcmp(address, units[unit]) != 0)
			unit++;
		if (unit == DISKS_MAX)
			continue;
		mw_node_enter(node, machine->main_actor);
		node->type->firmware.disk(node->device, geometry);
		mw_node_leave(node);
		put_disk(cmos, unit, geometry);
	}
}

static void sum_up(uint8_t cmos[CMOS_BYTES])
{
	unsigned sum = 0;
	for (unsigned i = FLOPPIES; i < CHECKSUM; i++)
		sum += cmos[i];
	cmos[CHECKSUM] = (uint8_t)(sum >> 8);
	cmos[CHECKSUM + 1] = (uint8_t)sum;
}

/** Whether the byte is one of those above: the clock's own, and what setup programs keep, are not. */
static bool is_ours(unsigned index)
{
	return (index >= FLOPPIES && index <= EXTENDED_KIB_FOUND + 1) ||
	       (index >= ABOVE_16M && index <= ABOVE_16M + 1) || index == BOOT_THIRD ||
	       index == TRANSLATIONS || index == BOOT_FIRST ||
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
	put_floppies(cmos, machine);
	put_disks(cmos, machine);
	sum_up(cmos);
	mw_node_enter(node, machine->main_actor);
	for (unsigned i = 0; i < CMOS_BYTES; i++) {
		if (is_ours(i))
			node->type->firmware.cmos(node->device, i, cmos[i]);
	}
	mw_node_leave(node);
}
