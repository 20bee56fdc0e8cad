/** What the machine is made of, for inventories (DMTF DSP0134, System Management BIOS 2.8; section numbers are
 * its). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { MAJOR = 2, MINOR = 8, BCD = 0x28 };
enum {
	HANDLE_SYSTEM = 0x0100,
	HANDLE_CHASSIS = 0x0300,
	HANDLE_CPU = 0x0400,
	HANDLE_ARRAY = 0x1000,
	HANDLE_DEVICE = 0x1100,
	HANDLE_MAPPED = 0x1300,
	HANDLE_BOOT = 0x2000,
	HANDLE_END = 0x7f00
};
enum { NO_HANDLE = 0xffff, NO_ERROR_INFORMATION = 0xfffe };
enum { SOCKETS_MAX = 256, DEVICES_MAX = 64, RANGES_MAX = 64, TEXT_MAX = 64 };
enum { DEFAULT_MHZ = 2000, SMALL_MIB = 0x7fff };
#define MIB      UINT64_C(0x100000)
#define DIMM_MIB UINT64_C(0x4000) /* 16 GiB */
#define TIB2     UINT64_C(0x20000000000)

/** Structures being written: a formatted area, then its strings, each numbered from 1. */
struct writer {
	struct mw_aml out;
	size_t start; /* of the structure that is open */
	struct mw_aml strings;
	uint8_t string_count;
	size_t longest;
	uint16_t count;
};

static void begin(struct writer *writer, unsigned type, unsigned handle)
{
	writer->start = writer->out.length;
	mw_aml_le(&writer->out, 1, type);
	mw_aml_le(&writer->out, 1, 0);
	mw_aml_le(&writer->out, 2, handle);
}

static void number(struct writer *writer, unsigned size, uint64_t value)
{
	mw_aml_le(&writer->out, size, value);
}

/** A reference to a text, which is kept for the end; none where it is empty. */
static void text(struct writer *writer, const char *string)
{
	size_t length = strnlen(string, TEXT_MAX);
	mw_aml_le(&writer->out, 1, length ? ++writer->string_count : 0);
	for (size_t i = 0; i < length; i++) {
		bool shown = string[i] >= ' ' && string[i] <= '~';
		mw_aml_byte(&writer->strings, shown ? (uint8_t)string[i] : '?');
	}
	if (length)
		mw_aml_byte(&writer->strings, 0);
}

/** Ends the structure (6.1.3): two zeroes where there is no string. */
static void end(struct writer *writer)
{
	size_t formatted = writer->out.length - writer->start;
	writer->out.bytes[writer->start + 1] = (uint8_t)formatted;
	for (size_t i = 0; i < writer->strings.length; i++)
		mw_aml_byte(&writer->out, writer->strings.bytes[i]);
	mw_aml_le(&writer->out, writer->strings.length ? 1 : 2, 0);
	mw_aml_fini(&writer->strings);
	writer->string_count = 0;
	size_t length = writer->out.length - writer->start;
	writer->longest = length > writer->longest ? length : writer->longest;
	writer->count++;
}

/** 7.1; only where there is no BIOS that describes itself. */
static void write_bios(struct writer *writer)
{
	begin(writer, 0, 0);
	text(writer, "Millwright");
	text(writer, "direct boot");
	number(writer, 2, 0); /* no BIOS lies in memory */
	text(writer, "01/01/2025");
	number(writer, 1, 0);
	number(writer, 8, 1u << 3);    /* characteristics are not told */
	number(writer, 2, 0x14u << 8); /* a virtual machine; targeted content distribution */
	number(writer, 2, 0);
	number(writer, 2, UINT16_MAX); /* no embedded controller */
	end(writer);
}

/** The `uuid` of the node that takes items, in the byte order of 7.2.1. */
static void write_uuid(struct writer *writer, const struct mw_plan *plan)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	long node = mw_items_taker(plan);
	const struct mw_plan_value *uuid =
		node < 0 ? NULL : mw_plan_value(&plan->nodes[node], "uuid");
	bool known = uuid && uuid->bytes.bytes && uuid->bytes.size == sizeof(order);
	for (size_t i = 0; i < sizeof(order); i++)
		number(writer, 1, known ? uuid->bytes.bytes[order[i]] : 0);
}

/** 7.2. */
static void write_system(struct writer *writer, const struct mw_plan *plan)
{
	char version[16];
	snprintf(version, sizeof(version), "%u", plan->version);
	begin(writer, 1, HANDLE_SYSTEM);
	text(writer, "Millwright");
	text(writer, plan->name);
	text(writer, version);
	text(writer, "");
	write_uuid(writer, plan);
	number(writer, 1, 6); /* woken by the power switch */
	text(writer, "");
	text(writer, "Virtual Machine");
	end(writer);
}

/** 7.4. */
static void write_chassis(struct writer *writer)
{
	begin(writer, 3, HANDLE_CHASSIS);
	text(writer, "Millwright");
	number(writer, 1, 1); /* other */
	text(writer, "");
	text(writer, "");
	text(writer, "");
	number(writer, 3, 0x030303); /* boot-up, power supply and thermal state: safe */
	number(writer, 1, 2);        /* security: unknown */
	number(writer, 4, 0);
	number(writer, 4, 0); /* height, power cords, contained elements and their size */
	text(writer, "");
	end(writer);
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/** Leaf 1 of CPUID, as far as the plan knows it. */
static void write_cpu_id(struct writer *writer, const struct mw_plan_cpu *cpu)
{
	const struct mw_cpuid_leaf *found = NULL;
	for (size_t i = 0; i < cpu->leaf_count && !found; i++)
		found = cpu->leaves[i].leaf == 1 ? &cpu->leaves[i] : NULL;
	number(writer, 4, found ? found->eax : 0);
	number(writer, 4, found ? found->edx : 0);
}

/** 7.5: one socket, with its cores and threads. */
static void write_socket(struct writer *writer, const struct mw_plan_cpu *cpu, unsigned socket)
{
	char name[16];
	uint64_t mhz = cpu->tsc_khz ? at_most(cpu->tsc_khz / 1000, UINT16_MAX) : DEFAULT_MHZ;
	uint64_t cores = at_most(cpu->cores, UINT8_MAX);
	snprintf(name, sizeof(name), "CPU %u", socket);
	begin(writer, 4, HANDLE_CPU + socket);
	text(writer, name);
	number(writer, 2, 0x0103); /* a central processor, of another family */
	text(writer, "Millwright");
	write_cpu_id(writer, cpu);
	text(writer, cpu->model ? cpu->model : "");
	number(writer, 1, 0); /* voltage and clock: unknown */
	number(writer, 2, 0);
	number(writer, 2, mhz);
	number(writer, 2, mhz);
	number(writer, 2, 0x0141); /* populated and enabled; upgrades are of another kind */
	for (unsigned level = 1; level <= 3; level++)
		number(writer, 2, NO_HANDLE);
	text(writer, "");
	text(writer, "");
	text(writer, "");
	number(writer, 1, cores);
	number(writer, 1, cores);
	number(writer, 1, at_most((uint64_t)cpu->cores * cpu->threads, UINT8_MAX));
	number(writer, 2, 1u << 2); /* 64-bit capable */
	number(writer, 2, 1);
	end(writer);
}

static void write_sockets(struct writer *writer, const struct mw_plan_cpu *cpu)
{
	uint64_t each = (uint64_t)cpu->cores * cpu->threads;
	uint64_t sockets = each ? (cpu->count + each - 1) / each : 1;
	for (unsigned i = 0; i < at_most(sockets, SOCKETS_MAX); i++)
		write_socket(writer, cpu, i);
}

/** 7.17. */
static void write_array(struct writer *writer, uint64_t mib, unsigned devices)
{
	bool small = mib < TIB2 / MIB;
	begin(writer, 16, HANDLE_ARRAY);
	number(writer, 3, 0x060303); /* on the board, system memory, multi-bit ECC */
	number(writer, 4, small ? mib * 1024 : 0x80000000);
	number(writer, 2, NO_ERROR_INFORMATION);
	number(writer, 2, devices);
	number(writer, 8, small ? 0 : mib * MIB);
	end(writer);
}

/** 7.18. */
static void write_device(struct writer *writer, uint64_t mib, unsigned index)
{
	char name[16];
	snprintf(name, sizeof(name), "DIMM %u", index);
	begin(writer, 17, HANDLE_DEVICE + index);
	number(writer, 2, HANDLE_ARRAY);
	number(writer, 2, NO_ERROR_INFORMATION);
	number(writer, 4, 0x00400040); /* 64 bits, total and data */
	number(writer, 2, at_most(mib, SMALL_MIB));
	number(writer, 2, 9); /* a DIMM, in no set */
	text(writer, name);
	text(writer, "");
	number(writer, 1, 7);       /* RAM */
	number(writer, 2, 1u << 1); /* of another kind */
	number(writer, 2, 0);
	text(writer, "Millwright");
	text(writer, "");
	text(writer, "");
	text(writer, "");
	number(writer, 1, 0);
	number(writer, 4, mib < SMALL_MIB ? 0 : at_most(mib, INT32_MAX));
	number(writer, 2, 0);
	number(writer, 6, 0);
	end(writer);
}

/** 7.20: a range of addresses, in KiB to its last one, where 32 bits suffice. */
static void write_mapped(struct writer *writer, const struct mw_plan_range *range, unsigned index,
			 unsigned devices)
{
	uint64_t last = range->base + (range->length - 1);
	bool small = last / 1024 < UINT32_MAX;
	begin(writer, 19, HANDLE_MAPPED + index);
	number(writer, 4, small ? range->base / 1024 : UINT32_MAX);
	number(writer, 4, small ? last / 1024 : UINT32_MAX);
	number(writer, 2, HANDLE_ARRAY);
	number(writer, 1, devices);
	number(writer, 8, small ? 0 : range->base);
	number(writer, 8, small ? 0 : last);
	end(writer);
}

static void write_memory(struct writer *writer, const struct mw_plan *plan)
{
	/* up: what is short of a MiB is behind the display */
	uint64_t mib = plan->ram_bytes / MIB + (plan->ram_bytes % MIB != 0), each = DIMM_MIB;
	while (mib / each >= DEVICES_MAX)
		each *= 2;
	unsigned devices = (unsigned)((mib + each - 1) / each);
	write_array(writer, mib, devices);
	for (unsigned i = 0; i < devices; i++)
		write_device(writer, at_most(each, mib - i * each), i);
	for (unsigned i = 0; i < at_most(plan->ram_count, RANGES_MAX); i++)
		write_mapped(writer, &plan->ram[i], i, devices);
}

/** 5.2.1, with the table at no address yet. */
static void write_anchor(uint8_t anchor[MW_SMBIOS_ANCHOR_BYTES], const struct writer *writer)
{
	memset(anchor, 0, MW_SMBIOS_ANCHOR_BYTES);
	memcpy(anchor, "_SM_", 4);
	anchor[0x05] = MW_SMBIOS_ANCHOR_BYTES;
	anchor[0x06] = MAJOR;
	anchor[0x07] = MINOR;
	mw_put_le(anchor + 0x08, 2, writer->longest);
	memcpy(anchor + 0x10, "_DMI_", 5);
	mw_put_le(anchor + 0x16, 2, writer->out.length);
	mw_put_le(anchor + 0x1c, 2, writer->count);
	anchor[0x1e] = BCD;
}

void mw_smbios_build(struct mw_smbios *smbios, const struct mw_plan *plan, bool bios,
		     struct mw_arena *arena)
{
	struct writer writer = { 0 };
	if (bios)
		write_bios(&writer);
	write_system(&writer, plan);
	write_chassis(&writer);
	write_sockets(&writer, &plan->cpu);
	write_memory(&writer, plan);
	begin(&writer, 32, HANDLE_BOOT); /* 7.33: no error was detected */
	number(&writer, 7, 0);
	end(&writer);
	begin(&writer, 127, HANDLE_END);
	end(&writer);
	write_anchor(smbios->anchor, &writer);
	smbios->length = writer.out.length;
	smbios->bytes = mw_arena_alloc(arena, writer.out.length, 1);
	memcpy(smbios->bytes, writer.out.bytes, writer.out.length);
	mw_aml_fini(&writer.out);
}

void mw_smbios_settle(struct mw_smbios *smbios, uint32_t address)
{
	uint8_t *anchor = smbios->anchor;
	mw_put_le(anchor + 0x18, 4, address);
	anchor[0x15] = mw_acpi_checksum(anchor + 0x10, 0x0f);
	anchor[0x04] = mw_acpi_checksum(anchor, MW_SMBIOS_ANCHOR_BYTES);
}
