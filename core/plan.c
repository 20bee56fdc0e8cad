/* Look-ups in a plan, and its end. */
// SPDX-License-Identifier: MIT
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/registry.h"
#include "core/trust.h"

void mw_plan_destroy(struct mw_plan *plan)
{
	if (!plan)
		return;
	mw_arena_fini(&plan->arena);
	free(plan);
}

long mw_plan_find(const struct mw_plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (!strcmp(plan->nodes[i].id, id))
			return (long)i;
	}
	return -1;
}

const struct mw_plan_claim *mw_plan_claim(const struct mw_plan_node *node, enum mw_claim_kind kind,
					  const char *name)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];

		if (claim->kind == kind && !strcmp(claim->name, name))
			return claim;
	}
	return NULL;
}

const struct mw_plan_value *mw_plan_value(const struct mw_plan_node *node, const char *property)
{
	for (size_t i = 0; i < node->value_count; i++) {
		if (!strcmp(node->values[i].property->name, property))
			return &node->values[i];
	}
	return NULL;
}

bool mw_plan_boots_kernel(const struct mw_plan *plan)
{
	return plan->boot.linux_path || plan->boot.elf_path;
}

bool mw_plan_speaks(const struct mw_plan_node *node)
{
	const char *unless = node->type->firmware.unless;
	const struct mw_plan_value *value = unless ? mw_plan_value(node, unless) : NULL;

	return !value || !value->number;
}

long mw_plan_role(const struct mw_plan *plan, enum mw_role role, size_t from)
{
	for (size_t i = from; i < plan->node_count; i++) {
		if (mw_type_role(plan->nodes[i].type, role) && mw_plan_speaks(&plan->nodes[i]))
			return (long)i;
	}
	return -1;
}

void mw_plan_hash(const struct mw_plan *plan, uint8_t hash[32])
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort(); /* only for want of memory */
	mw_plan_write_yaml(plan, MW_PLAN_GUEST, out);
	fclose(out);
	mw_sha256(text, length, hash);
	free(text);
}

bool mw_plan_pci_address(const struct mw_plan *plan, const struct mw_plan_node *node,
			 unsigned *slot, unsigned *function)
{
	if (node->bus_node == UINT32_MAX || !node->address || !*node->address)
		return false;

	const char *bus = plan->nodes[node->bus_node].type->provides;
	if (!bus || (strcmp(bus, "pci") != 0 && strcmp(bus, "pcie") != 0))
		return false;
	char *end;
	unsigned long first = strtoul(node->address, &end, 16);
	unsigned long second = *end == '.' ? strtoul(end + 1, &end, 16) : 0;
	*slot = (unsigned)(first & 0x1f);
	*function = (unsigned)(second & 0x7);
	return *end == 0 && first <= 0x1f && second <= 0x7;
}

bool mw_plan_pci_root(const struct mw_plan_node *node)
{
	for (size_t i = 0; i < node->type->regions.count; i++)
		if (node->type->regions.items[i].config_window)
			return true;
	return false;
}
