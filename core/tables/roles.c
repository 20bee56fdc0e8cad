/** Who in a plan plays which part of what ACPI tables tell: registers, fixed hardware, its interrupt. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/registry.h"
#include "core/tables/tables_internal.h"

bool mw_acpi_role(struct mw_acpi_register *out, const struct mw_plan *plan, enum mw_role role)
{
	for (long i = mw_plan_role(plan, role, 0); i >= 0;
	     i = mw_plan_role(plan, role, (size_t)i + 1)) {
		const struct mw_plan_node *node = &plan->nodes[i];
		const struct mw_role_row *row = mw_type_role(node->type, role);
		const struct mw_plan_claim *claim = NULL;
		for (size_t c = 0; c < node->claim_count && !claim; c++) {
			enum mw_claim_kind kind = node->claims[c].kind;
			if ((kind == MW_CLAIM_IO || kind == MW_CLAIM_MMIO) &&
			    strcmp(node->claims[c].name, row->region) == 0)
				claim = &node->claims[c];
		}
		if (!claim)
			continue;
		*out = (struct mw_acpi_register){ .address = claim->base + row->offset,
						  .value = row->value,
						  .size = row->size ? row->size : 1,
						  .memory = claim->kind == MW_CLAIM_MMIO,
						  .node = (uint32_t)i };
		return true;
	}
	return false;
}

const struct mw_plan_node *mw_acpi_fixed_hardware(const struct mw_plan *plan)
{
	struct mw_acpi_register block;
	return mw_acpi_role(&block, plan, MW_ROLE_PM1) ? &plan->nodes[block.node] : NULL;
}

bool mw_acpi_isa_line(const struct mw_plan_net *net, uint32_t *line)
{
	*line = net->line;
	return net->domain && strcmp(net->domain, "isa") == 0 && net->line < 16;
}

const struct mw_plan_net *mw_acpi_sci(const struct mw_plan *plan)
{
	const struct mw_plan_node *node = mw_acpi_fixed_hardware(plan);
	const struct mw_plan_claim *claim = node ? mw_plan_claim(node, MW_CLAIM_IRQ, "sci") : NULL;
	const struct mw_plan_net *net = claim ? &plan->nets[claim->net] : NULL;
	uint32_t line;
	return net && (net->gsi <= UINT16_MAX || mw_acpi_isa_line(net, &line)) ? net : NULL;
}
