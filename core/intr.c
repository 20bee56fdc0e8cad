/* The processor's INTR pin: the wired-or of the interrupt controllers, and the acknowledge cycle. */
// SPDX-License-Identifier: MIT
#include "core/machine_internal.h"

void mw_intr_set(struct mw_intr *intr, bool level)
{
	struct mw_machine *machine = intr->node->machine;

	if (atomic_load(&intr->level) == level)
		return;
	atomic_store(&intr->level, level);
	atomic_fetch_add(&machine->intr_asserted, level ? 1 : -1);
	mw_tell_output(intr->node, intr, level);
	mw_effect_intr(intr->node->lock->actor);
}

bool mw_machine_intr(const struct mw_machine *machine)
{
	return atomic_load(&machine->intr_asserted) > 0;
}

void mw_intr_deliver(struct mw_machine *machine)
{
	const struct mw_executor *executor = &machine->executor;

	if (executor->ops && executor->ops->intr)
		executor->ops->intr(executor->self, mw_machine_intr(machine));
}

void mw_intr_reset(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->intr_count; i++)
		atomic_store(&machine->intrs[i].intr->level, false);
	if (atomic_exchange(&machine->intr_asserted, 0))
		mw_intr_deliver(machine);
}

int mw_machine_acknowledge(struct mw_actor *actor)
{
	struct mw_machine *machine = actor->machine;
	int vector = -1;

	mw_actor_begin(actor);
	for (size_t i = 0; i < machine->intr_count && vector < 0; i++) {
		const struct mw_intr_source *source = &machine->intrs[i];

		if (source->node->offloaded || !atomic_load(&source->intr->level))
			continue;
		mw_node_enter(source->node, actor);
		vector = source->wire->on_acknowledge(source->node->device) & 0xff;
		mw_node_leave(source->node);
	}
	mw_actor_end(actor);
	return vector;
}
