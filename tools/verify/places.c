/* Ports and memory: /proc/ioports, /proc/iomem and the firmware's memory map. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/verify/verify.h"

enum { RANGES_MAX = 4096, BARS_MAX = 7 * 256 };

/** One line of /proc/ioports or /proc/iomem. */
struct range {
	uint64_t first, last;
	const char *what;
};

/** What Linux marks on every PC, whatever is there. */
struct constant {
	uint64_t first, last;
	const char *what;
};
static const struct constant port_constants[] = {
	/* arch/x86/kernel/setup.c, standard_io_resources */
	{ 0x00, 0x1f, "dma1" },         { 0x20, 0x21, "pic1" },          { 0x40, 0x43, "timer0" },
	{ 0x50, 0x53, "timer1" },       { 0x60, 0x60, "keyboard" },      { 0x64, 0x64, "keyboard" },
	{ 0x80, 0x8f, "dma page reg" }, { 0xa0, 0xa1, "pic2" },          { 0xc0, 0xdf, "dma2" },
	{ 0xf0, 0xff, "fpu" },          { 0x0cf8, 0x0cff, "PCI conf1" }, /* arch/x86/pci/direct.c */
	{ 0x3c0, 0x3df, "vga+" }, /* drivers/video/console/vgacon.c */
};
static const struct constant memory_constants[] = {
	{ 0xfee00000, 0xfee00fff, "Local APIC" },
	{ 0xf0000, 0xfffff, "System ROM" }, /* arch/x86/kernel/probe_roms.c */
	{ 0xa0000, 0xbffff, "Video RAM area" },
};
/* What lies in RAM or is laid over it, by the names in arch/x86/kernel/e820.c and kernel/resource.c. */
static const char *const memory_names[] = {
	"System RAM", "Reserved",          "ACPI Tables", "ACPI Non-volatile Storage",
	"RAM buffer", "Unknown E820 type", "Kernel",      "System ROM",
	"Video ROM",  "Extension ROM",     "Adapter ROM", "Crash kernel",
	NULL
};
/* Ranges that Linux has no driver for, or uses without taking them. */
static const struct {
	const char *type, *claim;
} untaken[] = {
	{ "absent", NULL },   { "debug-exit", NULL },   { "i82077", NULL },   { "i8259", "elcr" },
	{ "parport", NULL },  { "piix3-isa", "reset" }, { "vga-isa", "vbe" }, { "vga-isa", "mono" },
	{ "vga-std", "vbe" }, { "vga-std", "mono" },
};
/* A PNP0C02's ports below this are left alone (drivers/pnp/system.c): the board's, whatever is there. */
enum { BOARD_PORTS = 0x100 };

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static const struct verify_section *file(const struct verify *verify, const char *name)
{
	const struct verify_section *section = verify_section(verify->facts, "file", NULL);

	while (section && strcmp(section->name, name) != 0)
		section = verify_section(verify->facts, "file", section);
	return section;
}

static size_t read_ranges(const struct verify_section *section, struct range *ranges)
{
	size_t count = 0;

	for (size_t i = 0; section && i < section->count && count < RANGES_MAX; i++) {
		struct range range;
		int used = 0;

		if (sscanf(section->lines[i], " %" SCNx64 "-%" SCNx64 " : %n", &range.first,
			   &range.last, &used) != 2 ||
		    !used)
			continue;
		range.what = section->lines[i] + used;
		ranges[count++] = range;
	}
	return count;
}

static bool is_inside(const struct range *range, uint64_t base, uint64_t length)
{
	return length && range->first >= base && range->last <= base + (length - 1);
}

static bool moves(const struct mw_plan_claim *claim)
{
	return claim->region && claim->region->bar;
}

/* Inside one claim, whole or in part: drivers take the registers that they use. */
static bool in_a_claim(const struct verify *verify, const struct range *range,
		       enum mw_claim_kind kind)
{
	for (size_t i = 0; i < verify->plan->node_count; i++) {
		const struct mw_plan_node *node = &verify->plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_plan_claim *claim = &node->claims[c];

			if (claim->kind == kind && !moves(claim) &&
			    is_inside(range, claim->base, claim->length))
				return true;
		}
	}
	return false;
}

static bool is_constant(const struct range *range, const struct constant *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].first == range->first && rows[i].last == range->last &&
		    !strcmp(rows[i].what, range->what))
			return true;
	return false;
}

static bool in_a_bar(const struct range *range, const struct verify_bar *bars, size_t count,
		     bool ports)
{
	for (size_t i = 0; i < count; i++)
		if (bars[i].ports == ports && range->first >= bars[i].first &&
		    range->last <= bars[i].last)
			return true;
	return false;
}

static bool in_ram(const struct verify *verify, const struct range *range)
{
	for (size_t i = 0; i < verify->plan->ram_count; i++)
		if (is_inside(range, verify->plan->ram[i].base, verify->plan->ram[i].length))
			return true;
	return false;
}

/* What a chipset makes RAM of with its own memory (PAM): 768 KiB to 1 MiB. */
static bool in_shadow(const struct range *range)
{
	return range->first >= 0xc0000 && range->last <= 0xfffff;
}

static bool names_memory(const struct verify *verify, const struct range *range)
{
	for (const char *const *name = memory_names; *name; name++)
		if (starts_with(range->what, *name))
			return in_ram(verify, range) || in_shadow(range) ||
			       in_a_claim(verify, range, MW_CLAIM_MMIO);
	return false;
}

/* A window of a root bridge holds others, and is none itself; so is what Linux keeps between RAM and a
 * round number. */
static bool is_frame(const struct range *range)
{
	return starts_with(range->what, "PCI Bus ") || starts_with(range->what, "RAM buffer");
}

static bool is_untaken(const struct mw_plan_node *node, const struct mw_plan_claim *claim)
{
	for (size_t i = 0; i < sizeof(untaken) / sizeof(untaken[0]); i++)
		if (!strcmp(untaken[i].type, node->type->name) &&
		    (!untaken[i].claim || !strcmp(untaken[i].claim, claim->name)))
			return true;
	return claim->kind == MW_CLAIM_IO && claim->base + claim->length <= BOARD_PORTS;
}

/* A driver may take less than all of a claim, so it is enough that something of it is taken. */
static bool is_seen(const struct mw_plan_claim *claim, const struct range *ranges, size_t count)
{
	uint64_t last = claim->base + (claim->length - 1);

	for (size_t i = 0; i < count; i++) {
		bool apart = ranges[i].first > last || ranges[i].last < claim->base;

		if (!apart && !starts_with(ranges[i].what, "PCI Bus "))
			return true;
		if (starts_with(ranges[i].what, "PCI Bus ") && ranges[i].first <= claim->base &&
		    ranges[i].last >= last && claim->kind == MW_CLAIM_MMIO)
			return true;
	}
	return false;
}

static void check_claims(struct verify *verify, const char *where, enum mw_claim_kind kind,
			 const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < verify->plan->node_count; i++) {
		const struct mw_plan_node *node = &verify->plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_plan_claim *claim = &node->claims[c];

			if (claim->kind == kind && !moves(claim) && !is_untaken(node, claim) &&
			    !is_seen(claim, ranges, count))
				verify_say(verify, where,
					   "`%s.%s` at 0x%" PRIx64 "+0x%" PRIx64 " is not there",
					   node->id, claim->name, claim->base, claim->length);
		}
	}
}

static void check_ranges(struct verify *verify, const char *where, enum mw_claim_kind kind,
			 const struct verify_bar *bars, size_t bar_count)
{
	struct range *ranges = mw_alloc(RANGES_MAX, sizeof(*ranges));
	const struct verify_section *section = file(verify, where);
	size_t count = read_ranges(section, ranges);
	bool ports = kind == MW_CLAIM_IO;

	if (!section)
		verify_say(verify, where, "is not in the report");
	for (size_t i = 0; i < count; i++) {
		bool known = ports ? is_constant(&ranges[i], port_constants,
						 sizeof(port_constants) / sizeof(port_constants[0]))
				   : is_constant(&ranges[i], memory_constants,
						 sizeof(memory_constants) /
							 sizeof(memory_constants[0])) ||
					     names_memory(verify, &ranges[i]);

		if (!known && !is_frame(&ranges[i]) && !in_a_claim(verify, &ranges[i], kind) &&
		    !in_a_bar(&ranges[i], bars, bar_count, ports))
			verify_say(verify, where,
				   "0x%" PRIx64 "-0x%" PRIx64 " `%.60s` is nowhere in the plan",
				   ranges[i].first, ranges[i].last, ranges[i].what);
	}
	if (section)
		check_claims(verify, where, kind, ranges, count);
	*(ports ? &verify->ports : &verify->ranges) += (unsigned)count;
	free(ranges);
}

/* RAM that firmware tells of is the plan's; what it keeps to itself is reserved, not left out. */
static void check_memory_map(struct verify *verify)
{
	const struct verify_section *section = verify_section(verify->facts, "memmap", NULL);
	uint64_t told = 0, wanted = 0;

	if (!section)
		return; /* a kernel without CONFIG_FIRMWARE_MEMMAP */
	for (; section; section = verify_section(verify->facts, "memmap", section)) {
		struct range range = { .what = "" };

		if (!section->count || sscanf(section->lines[0], "0x%" SCNx64 " 0x%" SCNx64,
					      &range.first, &range.last) != 2)
			continue;
		if (in_ram(verify, &range))
			told += range.last - range.first + 1;
		else if (strstr(section->lines[0], "System RAM"))
			verify_say(verify, "the memory map",
				   "0x%" PRIx64 "-0x%" PRIx64 " is no RAM of the plan", range.first,
				   range.last);
	}
	for (size_t i = 0; i < verify->plan->ram_count; i++)
		wanted += verify->plan->ram[i].length;
	if (told != wanted)
		verify_say(verify, "the memory map",
			   "tells of 0x%" PRIx64 " bytes of the plan's RAM, which has 0x%" PRIx64,
			   told, wanted);
}

void verify_places(struct verify *verify)
{
	struct verify_bar *bars = mw_alloc(BARS_MAX, sizeof(*bars));
	size_t count = verify_bars(verify->facts, bars, BARS_MAX);

	check_ranges(verify, "/proc/ioports", MW_CLAIM_IO, bars, count);
	check_ranges(verify, "/proc/iomem", MW_CLAIM_MMIO, bars, count);
	check_memory_map(verify);
	free(bars);
}
