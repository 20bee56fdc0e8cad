/* PCI configuration space: which function an access is for. */
// SPDX-License-Identifier: MIT
#include "core/machine_internal.h"

enum { FUNCTIONS = 8, CONFIG_SHIFT = 12, CONFIG_MASK = 0xfff };

void mw_functions_init(struct mw_machine *machine)
{
	const struct mw_plan *plan = machine->plan;
	unsigned slot, function;

	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];

		if (!node->type->config)
			continue;
		if (mw_plan_pci_root(node))
			machine->functions[0] = machine->nodes[i];
		else if (mw_plan_pci_address(plan, node, &slot, &function) &&
			 mw_plan_pci_root(&plan->nodes[node->bus_node]))
			machine->functions[slot * FUNCTIONS + function] = machine->nodes[i];
	}
}

/* The function at a configuration address; there is one bus yet. */
static struct mw_node *function_at(const struct mw_machine *machine, uint32_t address)
{
	uint32_t slot = address >> CONFIG_SHIFT;

	return slot < sizeof(machine->functions) / sizeof(machine->functions[0])
		       ? machine->functions[slot]
		       : NULL;
}

static enum mw_io access_function(struct mw_node *node, uint32_t offset, unsigned size,
				  uint64_t *value, bool write)
{
	const struct mw_config_ops *ops = node->type->config;
	void *self = node->device + ops->offset;
	uint32_t word = 0;

	if (write)
		return ops->write(self, offset, size, (uint32_t)*value);
	enum mw_io result = ops->read(self, offset, size, &word);

	*value = result == MW_IO_OK ? word & mw_ones(size) : mw_ones(size);
	return result;
}

void mw_config_access(struct mw_actor *actor, uint32_t address, unsigned size, uint64_t *value,
		      bool write)
{
	struct mw_node *node = function_at(actor->machine, address);

	if (!node) { /* a master abort: nobody claims the cycle */
		if (!write)
			*value = mw_ones(size);
		return;
	}
	mw_node_enter(node, actor);
	if (access_function(node, address & CONFIG_MASK, size, value, write) != MW_IO_OK)
		mw_guest_log(node->device,
			     "%s of %u bytes of configuration space at 0x%x: no "
			     "register there",
			     write ? "write" : "read", size, (unsigned)(address & CONFIG_MASK));
	mw_node_leave(node);
}
