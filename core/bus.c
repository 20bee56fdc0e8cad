/* Private buses: parent and children find each other, and share one lock. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"

void *mw_bus_child(void *self, const char *address, const void **interface)
{
	struct mw_node *node = mw_node_of(self);
	struct mw_machine *machine = node->machine;

	for (size_t i = 0; node->type->private_bus && i < machine->plan->node_count; i++) {
		const struct mw_plan_node *child = &machine->plan->nodes[i];

		if (child->bus_node != node->index || !child->address ||
		    strcmp(child->address, address) != 0)
			continue;
		*interface = child->type->interface;
		return machine->nodes[i]->device;
	}
	*interface = NULL;
	return NULL;
}

void *mw_bus_parent(void *self, const void **interface)
{
	const struct mw_node *node = mw_node_of(self);
	struct mw_node *parent = node->plan->bus_node == UINT32_MAX
					 ? NULL
					 : node->machine->nodes[node->plan->bus_node];

	if (!parent || !parent->type->private_bus) {
		*interface = NULL;
		return NULL;
	}
	*interface = parent->type->bus_interface;
	return parent->device;
}
