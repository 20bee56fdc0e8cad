/** The MADT: local APICs, I/O APICs and the ISA lines that are not wired one to one (5.2.12). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/cpu_state.h"
#include "core/cpu_topology.h"
#include "core/registry.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

/*
 * There is no local APIC NMI entry: no wire of a plan leads to LINT1.
 */

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
#define LAPIC_ENABLED 1u
#define PCAT_COMPAT   1u

static void write_cpus(struct mw_aml *table, const struct mw_plan_cpu *cpu)
{
	for (uint32_t uid = 0; uid < cpu->count; uid++) {
		uint32_t id = mw_apic_id(cpu, uid);
		bool small = id < 255 && uid < 255; /* 255 is "all" in an 8-bit id */
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

/** ISA lines are edge-triggered, active high and GSIs of the same number, unless told (5.2.12.5). */
static void write_overrides(struct mw_aml *table, const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];
		bool level = net->trigger == MW_TRIGGER_LEVEL,
		     low = net->polarity == MW_POLARITY_LOW;
		if (!net->domain || strcmp(net->domain, "isa") != 0 || net->gsi == MW_NO_GSI ||
		    net->line > 15 || (net->gsi == net->line && !level && !low))
			continue;
		mw_aml_byte(table, MADT_OVERRIDE);
		mw_aml_byte(table, 10);
		mw_aml_byte(table, 0); /* ISA */
		mw_aml_le(table, 1, net->line);
		mw_aml_le(table, 4, net->gsi);
		mw_aml_le(table, 2, (low ? 3u : 1u) | (level ? 3u : 1u) << 2);
	}
}

void mw_madt_write(struct mw_aml *table, const struct mw_plan *plan)
{
	struct mw_cpu_state reset;
	mw_cpu_state_reset(&reset, true);
	mw_acpi_table_begin(table);
	mw_aml_le(table, 4, reset.apic_base & ~0xfffull);
	mw_aml_le(table, 4, mw_plan_role(plan, MW_ROLE_PIC, 0) >= 0 ? PCAT_COMPAT : 0);
	write_cpus(table, &plan->cpu);
	write_ioapics(table, plan);
	write_overrides(table, plan);
	mw_acpi_table_end(table, plan, "APIC", 5);
}
