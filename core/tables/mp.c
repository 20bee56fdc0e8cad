/** The MP table, for systems that know multiprocessors without ACPI (Intel MultiProcessor Specification 1.4,
 * chapter 4). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/cpu_state.h"
#include "core/cpu_topology.h"
#include "core/registry.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum { HEADER_BYTES = 44, SPECIFICATION = 4, APIC_ID_LIMIT = 255 };
enum { ENTRY_CPU = 0, ENTRY_BUS = 1, ENTRY_IOAPIC = 2, ENTRY_INTERRUPT = 3, ENTRY_LOCAL = 4 };
enum { KIND_INT = 0, KIND_NMI = 1, KIND_EXTINT = 3 };
enum { CPU_ENABLED = 1, CPU_BOOT = 2, LOCAL_APIC_VERSION = 0x14 };
enum { FLAGS_BUS = 0x0, FLAGS_LEVEL_HIGH = 0xd, FLAGS_LEVEL_LOW = 0xf };
enum { ALL_APICS = 0xff, ISA_LINES = 16, PCI_SLOTS = 32, PCI_PINS = 4 };

struct mp {
	struct mw_aml out;
	const struct mw_plan *plan;
	unsigned count;
	uint8_t isa_bus;
	bool has_pci;
};

static void entry(struct mp *mp, unsigned type)
{
	mw_aml_le(&mp->out, 1, type);
	mp->count++;
}

/** 4.3.1. */
static void write_cpus(struct mp *mp)
{
	const struct mw_plan_cpu *cpu = &mp->plan->cpu;
	const struct mw_cpuid_leaf *leaf = NULL;
	for (size_t i = 0; i < cpu->leaf_count && !leaf; i++)
		leaf = cpu->leaves[i].leaf == 1 ? &cpu->leaves[i] : NULL;
	for (uint32_t i = 0; i < cpu->count && mw_apic_id(cpu, i) < APIC_ID_LIMIT; i++) {
		entry(mp, ENTRY_CPU);
		mw_aml_le(&mp->out, 1, mw_apic_id(cpu, i));
		mw_aml_le(&mp->out, 1, LOCAL_APIC_VERSION);
		mw_aml_le(&mp->out, 1, CPU_ENABLED | (i ? 0 : CPU_BOOT));
		mw_aml_le(&mp->out, 4, leaf ? leaf->eax & 0xfff : 0x600);
		mw_aml_le(&mp->out, 4, leaf ? leaf->edx : 0x201); /* FPU and APIC */
		mw_aml_le(&mp->out, 8, 0);
	}
}

/** 4.3.2. */
static void write_bus(struct mp *mp, uint8_t id, const char kind[6])
{
	entry(mp, ENTRY_BUS);
	mw_aml_le(&mp->out, 1, id);
	for (unsigned i = 0; i < 6; i++)
		mw_aml_byte(&mp->out, (uint8_t)kind[i]);
}

/** 4.3.3; only the first is used, and its inputs are GSIs from 0. */
static bool write_ioapic(struct mp *mp, uint8_t *id)
{
	struct mw_acpi_register registers;
	if (!mw_acpi_role(&registers, mp->plan, MW_ROLE_IOAPIC) || !registers.memory ||
	    registers.address > UINT32_MAX)
		return false;
	const struct mw_plan_value *value = mw_plan_value(&mp->plan->nodes[registers.node], "id");
	*id = value ? (uint8_t)value->number : 0;
	entry(mp, ENTRY_IOAPIC);
	mw_aml_le(&mp->out, 1, *id);
	mw_aml_le(&mp->out, 1, 0x11);
	mw_aml_le(&mp->out, 1, 1); /* usable */
	mw_aml_le(&mp->out, 4, registers.address);
	return true;
}

/** 4.3.4 and 4.3.5. */
static void write_interrupt(struct mp *mp, unsigned type, unsigned kind, unsigned flags,
			    unsigned bus, unsigned source, unsigned apic, unsigned pin)
{
	entry(mp, type);
	mw_aml_le(&mp->out, 1, kind);
	mw_aml_le(&mp->out, 2, flags);
	mw_aml_le(&mp->out, 1, bus);
	mw_aml_le(&mp->out, 1, source);
	mw_aml_le(&mp->out, 1, apic);
	mw_aml_le(&mp->out, 1, pin);
}

/** As the bus has it is edge and high here, so that all else is told. Lines that the plan has no user for may
 * get one of another kind at run time, but no other place. */
static void write_isa(struct mp *mp, uint8_t apic)
{
	const struct mw_plan_net *nets[ISA_LINES] = { NULL };
	for (size_t i = 0; i < mp->plan->net_count; i++) {
		uint32_t line;
		if (mw_acpi_isa_line(&mp->plan->nets[i], &line))
			nets[line] = &mp->plan->nets[i];
	}
	for (unsigned line = 0; line < ISA_LINES; line++) {
		const struct mw_plan_net *net = nets[line];
		bool level = net && net->trigger == MW_TRIGGER_LEVEL;
		bool low = net && net->polarity == MW_POLARITY_LOW;
		uint32_t pin = net ? net->gsi : line;
		if (pin > UINT8_MAX || (!net && line == 2)) /* the cascade */
			continue;
		write_interrupt(mp, ENTRY_INTERRUPT, KIND_INT,
				!level ? FLAGS_BUS
				: low  ? FLAGS_LEVEL_LOW
				       : FLAGS_LEVEL_HIGH,
				mp->isa_bus, line, apic, pin);
	}
}

/** Only what is wired for good: what a router does is up to the guest, so that its links stay untold. */
static void write_pci(struct mp *mp, uint8_t apic)
{
	struct mw_routing routing;
	if (!mp->has_pci || !mw_routing_find(&routing, mp->plan))
		return;
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		for (unsigned pin = 0; pin < PCI_PINS; pin++) {
			uint32_t gsi, line = mw_routing_line(&routing, slot, pin);
			if (mw_routing_gsi(&routing, mp->plan, line, &gsi) && gsi <= UINT8_MAX)
				write_interrupt(mp, ENTRY_INTERRUPT, KIND_INT, FLAGS_LEVEL_HIGH, 0,
						slot << 2 | pin, apic, gsi);
		}
	}
}

static bool has_pci(const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const char *provides = plan->nodes[i].type->provides;
		if (provides && strcmp(provides, "pci") == 0)
			return true;
	}
	return false;
}

static void write_entries(struct mp *mp)
{
	uint8_t apic;
	write_cpus(mp);
	if (mp->has_pci)
		write_bus(mp, 0, "PCI   ");
	write_bus(mp, mp->isa_bus, "ISA   ");
	if (write_ioapic(mp, &apic)) {
		write_pci(mp, apic);
		write_isa(mp, apic);
	}
	write_interrupt(mp, ENTRY_LOCAL, KIND_EXTINT, FLAGS_BUS, mp->isa_bus, 0, ALL_APICS, 0);
	write_interrupt(mp, ENTRY_LOCAL, KIND_NMI, FLAGS_BUS, mp->isa_bus, 0, ALL_APICS, 1);
}

/** 4.2. */
static void write_header(struct mp *mp)
{
	struct mw_cpu_state reset;
	uint8_t *header = mp->out.bytes;
	mw_cpu_state_reset(&reset, true);
	memcpy(header, "PCMP", 4);
	mw_put_le(header + 4, 2, mp->out.length);
	header[6] = SPECIFICATION;
	memcpy(header + 8, "MILLWR  ", 8);
	for (size_t i = 0; i < 12; i++)
		header[16 + i] =
			i < strlen(mp->plan->name) ? (uint8_t)mp->plan->name[i] : (uint8_t)' ';
	mw_put_le(header + 34, 2, mp->count);
	mw_put_le(header + 36, 4, reset.apic_base & ~0xfffull);
	header[7] = mw_acpi_checksum(header, mp->out.length);
}

void mw_mp_write(struct mw_aml *table, const struct mw_plan *plan)
{
	struct mp mp = { .plan = plan, .has_pci = has_pci(plan) };
	mp.isa_bus = mp.has_pci;
	mw_aml_le(&mp.out, 8, 0);
	while (mp.out.length < HEADER_BYTES)
		mw_aml_byte(&mp.out, 0);
	write_entries(&mp);
	write_header(&mp);
	*table = mp.out;
}

/** 4.1. */
void mw_mp_pointer(uint8_t pointer[MW_MP_POINTER_BYTES], uint32_t table)
{
	memset(pointer, 0, MW_MP_POINTER_BYTES);
	memcpy(pointer, "_MP_", 4);
	mw_put_le(pointer + 4, 4, table);
	pointer[8] = MW_MP_POINTER_BYTES / 16;
	pointer[9] = SPECIFICATION;
	pointer[10] = mw_acpi_checksum(pointer, MW_MP_POINTER_BYTES);
}
