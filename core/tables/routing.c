/** Where PCI's INTx lead, as tables tell it (PCI Local Bus Specification 3.0, 2.2.6). */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/tables/tables_internal.h"

/** The lines that the router can drive. */
static void find_router(struct mw_routing *routing, const struct mw_plan *plan)
{
	const struct mw_plan_node *node = &plan->nodes[routing->domain->sink.node];
	if (!node->type->firmware.pirq)
		return;
	routing->router = node;
	for (size_t i = 0; i < node->claim_count; i++) {
		uint32_t line;
		if (node->claims[i].kind == MW_CLAIM_IRQ &&
		    mw_acpi_isa_line(&plan->nets[node->claims[i].net], &line))
			routing->lines = (uint16_t)(routing->lines | 1u << line);
	}
}

bool mw_routing_find(struct mw_routing *routing, const struct mw_plan *plan)
{
	*routing = (struct mw_routing){ 0 };
	for (size_t i = 0; i < plan->domain_count && !routing->domain; i++) {
		if (plan->domains[i].swizzle)
			routing->domain = &plan->domains[i];
	}
	if (!routing->domain)
		return false;
	if (!routing->domain->to)
		find_router(routing, plan);
	return true;
}

uint32_t mw_routing_line(const struct mw_routing *routing, unsigned slot, unsigned pin)
{
	return routing->domain->pins[(slot + pin) % routing->domain->swizzle];
}

bool mw_routing_gsi(const struct mw_routing *routing, const struct mw_plan *plan, uint32_t line,
		    uint32_t *gsi)
{
	const struct mw_plan_domain *domain = routing->domain;
	*gsi = domain->to ? line : domain->sink.index + line;
	for (size_t i = 0; domain->to && i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];
		if (net->domain && strcmp(net->domain, domain->to) == 0 && net->line == line) {
			*gsi = net->gsi;
			return net->gsi != MW_NO_GSI;
		}
	}
	return domain->to || !routing->router;
}
