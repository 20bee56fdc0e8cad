/** The MADT: local APICs, I/O APICs and the ISA lines that are not wired one to one (5.2.12). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/cpu_state.h"
#include "core/cpu_topology.h"
#include "core/registry.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10
};
#define LAPIC_ENABLED 1u
#define PCAT_COMPAT   1u

static bool is_small(uint32_t id, uint32_t uid)
{
	return id < 255 && uid < 255; /* 255 is "all" in an 8-bit id */
}

static void write_cpus(struct mw_aml *table, const struct mw_plan_cpu *cpu)
{
	for (uint32_t uid = 0; uid < cpu->count; uid++) {
		uint32_t id = mw_apic_id(cpu, uid);
		bool small = is_small(id, uid);
		mw_aml_byte(table, small ? MADT_LAPIC : MADT_X2APIC);
		mw_aml_byte(table, small ? 8 : 16);
		if (small) {
			mw_aml_le(table, 1, uid);
			mw_aml_le(table, 1, id);
			mw_aml_le(table, 4, LAPIC_ENABLED);
			continue;
		}
		mw_aml_le(table, 2, 0);
		mw_aml_le(table, 4, id);
		mw_aml_le(table, 4, LAPIC_ENABLED);
		mw_aml_le(table, 4, uid);
	}
}

/** The GSI of an I/O APIC's pin 0, as the nets that end there tell; false where none does. */
static bool gsi_base_of_nets(const struct mw_plan *plan, uint32_t node, uint32_t *base)
{
	for (size_t n = 0; n < plan->net_count; n++) {
		const struct mw_plan_net *net = &plan->nets[n];
		for (size_t s = 0; s < net->sink_count && net->gsi != MW_NO_GSI; s++) {
			if (net->sinks[s].node != node || net->sinks[s].index > net->gsi)
				continue;
			*base = net->gsi - net->sinks[s].index;
			return true;
		}
	}
	return false;
}

static uint64_t value_or(const struct mw_plan_node *node, const char *property, uint64_t fallback)
{
	const struct mw_plan_value *value = mw_plan_value(node, property);
	return value ? value->number : fallback;
}

static void write_ioapics(struct mw_aml *table, const struct mw_plan *plan)
{
	uint32_t number = 0, after_last = 0;
	for (long i = mw_plan_role(plan, MW_ROLE_IOAPIC, 0); i >= 0;
	     i = mw_plan_role(plan, MW_ROLE_IOAPIC, (size_t)i + 1)) {
		const struct mw_plan_node *node = &plan->nodes[i];
		const struct mw_role_row *row = mw_type_role(node->type, MW_ROLE_IOAPIC);
		const struct mw_plan_claim *claim = mw_plan_claim(node, MW_CLAIM_MMIO, row->region);
		if (!claim)
			continue;
		uint32_t base = after_last;
		gsi_base_of_nets(plan, (uint32_t)i, &base);
		mw_aml_byte(table, MADT_IOAPIC);
		mw_aml_byte(table, 12);
		mw_aml_le(table, 1, value_or(node, "id", number++));
		mw_aml_byte(table, 0);
		mw_aml_le(table, 4, claim->base + row->offset);
		mw_aml_le(table, 4, base);
		after_last = base + (uint32_t)value_or(node, "pins", 24);
	}
}

/** ISA lines are edge-triggered, active high and GSIs of the same number, unless told; the SCI is
 * level-triggered and active low, unless told (5.2.12.5, 5.2.9). */
static bool is_as_expected(const struct mw_plan_net *net, uint32_t line, bool sci)
{
	bool level = net->trigger == MW_TRIGGER_LEVEL, low = net->polarity == MW_POLARITY_LOW;
	return net->gsi == line && !sci && !level && !low;
}

static void write_override(struct mw_aml *table, const struct mw_plan_net *net, uint32_t line)
{
	bool level = net->trigger == MW_TRIGGER_LEVEL, low = net->polarity == MW_POLARITY_LOW;
	mw_aml_byte(table, MADT_OVERRIDE);
	mw_aml_byte(table, 10);
	mw_aml_byte(table, 0); /* ISA */
	mw_aml_le(table, 1, line);
	mw_aml_le(table, 4, net->gsi);
	mw_aml_le(table, 2, (low ? 3u : 1u) | (level ? 3u : 1u) << 2);
}

static void write_overrides(struct mw_aml *table, const struct mw_plan *plan)
{
	const struct mw_plan_net *sci = mw_acpi_sci(plan);
	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];
		uint32_t line;
		bool isa = mw_acpi_isa_line(net, &line);
		if (net == sci && !isa)
			line = net->gsi; /* SCI_INT has this number then */
		if (net->gsi != MW_NO_GSI && (isa || net == sci) && line < 16 &&
		    !is_as_expected(net, line, net == sci))
			write_override(table, net, line);
	}
}

/** In a PC the NMI comes in at LINT1 of every CPU (5.2.12.7, 5.2.12.13). */
static void write_nmi(struct mw_aml *table, const struct mw_plan_cpu *cpu)
{
	uint32_t last = cpu->count - 1;
	mw_aml_byte(table, MADT_LAPIC_NMI);
	mw_aml_byte(table, 6);
	mw_aml_le(table, 1, UINT8_MAX); /* all */
	mw_aml_le(table, 2, 0);         /* as the bus has it */
	mw_aml_le(table, 1, 1);
	if (is_small(mw_apic_id(cpu, last), last))
		return;
	mw_aml_byte(table, MADT_X2APIC_NMI);
	mw_aml_byte(table, 12);
	mw_aml_le(table, 2, 0);
	mw_aml_le(table, 4, UINT32_MAX);
	mw_aml_le(table, 4, 1); /* and three reserved bytes */
}

void mw_madt_write(struct mw_aml *table, const struct mw_plan *plan)
{
	struct mw_cpu_state reset;
	mw_cpu_state_reset(&reset, true);
	mw_acpi_table_begin(table);
	mw_aml_le(table, 4, reset.apic_base & ~0xfffull);
	bool pc = mw_plan_role(plan, MW_ROLE_PIC, 0) >= 0;
	mw_aml_le(table, 4, pc ? PCAT_COMPAT : 0);
	write_cpus(table, &plan->cpu);
	write_ioapics(table, plan);
	write_overrides(table, plan);
	if (pc)
		write_nmi(table, &plan->cpu);
	mw_acpi_table_end(table, plan, "APIC", 5);
}
