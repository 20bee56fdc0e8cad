/* Lines: levels and rising edges, handed over as the value of the moment of delivery. */
// SPDX-License-Identifier: MIT
#include "core/machine_internal.h"

/* net->state: asserted sources in the low half, rising edges of their OR in the high half. */
static const uint64_t one_rise = UINT64_C(1) << 32;

void mw_line_set(struct mw_line *line, bool level)
{
	struct mw_net *net = line->net;

	if (line->level == level)
		return;
	line->level = level;
	if (!net)
		return;
	uint64_t state = atomic_load(&net->state), next;

	do {
		if (!level)
			next = state - 1;
		else
			next = state + 1 + ((uint32_t)state ? 0 : one_rise);
	} while (!atomic_compare_exchange_weak(&net->state, &state, next));
	mw_effect_net(line->node->actor, net);
}

bool mw_line_level(const struct mw_line *line)
{
	return line->level;
}

static void tell(struct mw_net_sink *sink, const struct mw_net *net, bool level)
{
	struct mw_machine *machine = sink->node->machine;

	if (machine->line_watch.on_line)
		machine->line_watch.on_line(machine->line_watch.context, sink->node->index,
					    sink->wire, sink->index, level);
	if (!sink->node->offloaded)
		sink->wire->on_level(sink->node->device, sink->index, level);
	else if (net->plan->gsi != MW_NO_GSI) /* else no pin of the accelerator's is behind it */
		machine->executor.ops->line(machine->executor.self, net->plan->gsi, level);
	sink->told_level = level;
}

/* The level is read with the sink held, so whoever delivers last delivers the newest value. */
static void deliver_to(struct mw_net_sink *sink, struct mw_net *net, struct mw_actor *actor)
{
	mw_node_enter(sink->node, actor);
	uint64_t state = atomic_load(&net->state);
	bool level = (uint32_t)state != 0;
	uint32_t rises = (uint32_t)(state >> 32);

	if (rises != sink->told_rises) {
		sink->told_rises = rises;
		if (sink->told_level)
			tell(sink, net, false);
		tell(sink, net, true);
	}
	if (level != sink->told_level)
		tell(sink, net, level);
	mw_node_leave(sink->node);
}

void mw_net_deliver(struct mw_net *net, struct mw_actor *actor)
{
	bool kernel_told = false;

	for (size_t i = 0; i < net->sink_count; i++) {
		struct mw_net_sink *sink = &net->sinks[i];

		/* One KVM_IRQ_LINE reaches every chip that the kernel has behind this GSI. */
		if (sink->node->offloaded && kernel_told)
			continue;
		kernel_told |= sink->node->offloaded;
		deliver_to(sink, net, actor);
	}
}

void mw_net_reset(struct mw_net *net)
{
	atomic_store(&net->state, 0);
	for (size_t i = 0; i < net->sink_count; i++) {
		struct mw_net_sink *sink = &net->sinks[i];

		if (sink->node->offloaded && sink->told_level)
			tell(sink, net, false);
		sink->told_level = false;
		sink->told_rises = 0;
	}
}
