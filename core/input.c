/* Keys, pointers and the power button: from whoever sends them to the device that takes them. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"
#include "core/registry.h"

static bool takes(const struct mw_node *node, const struct mw_wire *wire, enum mw_input_kind kind)
{
	const struct mw_plan_value *unless =
		wire->unless ? mw_plan_value(node->plan, wire->unless) : NULL;

	return wire->kind == MW_INPUT && wire->direction == MW_RECEIVES &&
	       wire->takes >> kind & 1 && !(unless && unless->number);
}

static const struct mw_wire *find_wire(const struct mw_node *node, enum mw_input_kind kind)
{
	for (size_t i = 0; i < node->type->wires.count; i++)
		if (takes(node, &node->type->wires.items[i], kind))
			return &node->type->wires.items[i];
	return NULL;
}

static bool hand_over(struct mw_node *node, const struct mw_wire *wire, struct mw_actor *actor,
		      const struct mw_input_event *event)
{
	mw_node_enter(node, actor);
	bool taken = wire->on_input(node->device, event);

	mw_node_leave(node);
	return taken;
}

/* The first device that takes such an event; no device is held. */
static enum mw_status hand_to_first(struct mw_machine *machine, struct mw_actor *actor,
				    const struct mw_input_event *event)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		const struct mw_wire *wire = node->offloaded ? NULL : find_wire(node, event->kind);

		if (wire)
			return hand_over(node, wire, actor, event) ? MW_STATUS_OK : MW_STATUS_BUSY;
	}
	return MW_STATUS_NOT_FOUND;
}

enum mw_status mw_machine_input(struct mw_machine *machine, const struct mw_input_event *event)
{
	mw_actor_begin(machine->main_actor);
	enum mw_status status = hand_to_first(machine, machine->main_actor, event);

	mw_actor_end(machine->main_actor);
	return status;
}

/* The button is let go at once: what is held down for seconds would switch off a PC by force. */
bool mw_machine_power_button(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];
		const struct mw_wire *wire = mw_type_wire(node->type, "power_button");

		if (!wire || wire->kind != MW_LINE || !wire->on_level || node->offloaded)
			continue;
		mw_actor_begin(machine->main_actor);
		mw_node_enter(node, machine->main_actor);
		wire->on_level(node->device, 0, true);
		wire->on_level(node->device, 0, false);
		mw_node_leave(node);
		mw_actor_end(machine->main_actor);
		return true;
	}
	return false;
}

void mw_input_send(struct mw_input *input, const struct mw_input_event *event)
{
	if (input->peer || input->node->plan->host)
		mw_effect_message(
			input->node->lock->actor,
			(struct mw_effect){ .kind = MW_EFFECT_INPUT, .input = { input, *event } });
}

/* What the receiver has no room for is lost, as with a real keyboard. A host's keyboard that is wired to
 * nothing in particular goes where the machine's would. */
void mw_input_deliver(struct mw_input *input, struct mw_actor *actor,
		      const struct mw_input_event *event)
{
	if (input->peer)
		hand_over(input->peer, input->wire, actor, event);
	else
		hand_to_first(input->node->machine, actor, event);
}
