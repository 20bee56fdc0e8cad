/* PCI configuration space: which function an access is for. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/machine_internal.h"

enum { FUNCTIONS = 8, CONFIG_SHIFT = 12, CONFIG_MASK = 0xfff };

/* Whether a node is the root of a PCI bus: one region of it is a window to configuration space. */
static bool is_root(const struct mw_plan_node *node)
{
	for (size_t i = 0; i < node->type->regions.count; i++)
		if (node->type->regions.items[i].config_window)
			return true;
	return false;
}

/* "1f.7": device and function. */
static unsigned slot_of(const char *address)
{
	char *end;
	unsigned long device = strtoul(address, &end, 16);
	unsigned long function = *end == '.' ? strtoul(end + 1, NULL, 16) : 0;

	return (unsigned)(device % 32 * FUNCTIONS + function % FUNCTIONS);
}

void mw_functions_init(struct mw_machine *machine)
{
	const struct mw_plan *plan = machine->plan;

	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];

		if (!node->type->config)
			continue;
		if (is_root(node))
			machine->functions[0] = machine->nodes[i];
		else if (node->address && node->bus_node != UINT32_MAX &&
			 is_root(&plan->nodes[node->bus_node]))
			machine->functions[slot_of(node->address)] = machine->nodes[i];
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
	uint32_t word = 0;

	if (write)
		return ops->write(node->device, offset, size, (uint32_t)*value);
	enum mw_io result = ops->read(node->device, offset, size, &word);

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
