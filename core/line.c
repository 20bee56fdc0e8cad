/* Lines: levels and rising edges, handed over as the value of the moment of delivery. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"

/* net->state: asserted sources in the low half, rising edges of their OR in the high half. */
static const uint64_t one_rise = UINT64_C(1) << 32;

void mw_line_set(struct mw_line *line, bool level)
{
	struct mw_net *net = line->net;

	if (line->level == level)
		return;
	line->level = level;
	mw_tell_output(line->node, line, level);
	if (!net)
		return;
	uint64_t state = atomic_load(&net->state), next;

	do {
		if (!level)
			next = state - 1;
		else
			next = state + 1 + ((uint32_t)state ? 0 : one_rise);
	} while (!atomic_compare_exchange_weak(&net->state, &state, next));
	mw_effect_net(line->node->lock->actor, net);
}

bool mw_line_level(const struct mw_line *line)
{
	return line->level;
}

uint32_t mw_line_gsi(const struct mw_line *line)
{
	return line->net ? line->net->plan->gsi : MW_NO_GSI;
}

bool mw_line_wired(const struct mw_line *line)
{
	return line->net != NULL;
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

static void each_of_wire(struct mw_node *node, const struct mw_wire *wire,
			 void (*visit)(void *context, struct mw_line *line), void *context)
{
	size_t count = wire->count ? wire->count : 1;

	for (size_t i = 0; i < count; i++) {
		struct mw_line *line;

		memcpy(&line, node->device + wire->offset + i * wire->stride, sizeof(line));
		visit(context, line);
	}
}

void mw_lines_each(struct mw_machine *machine, void (*visit)(void *context, struct mw_line *line),
		   void *context)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t w = 0; w < node->type->wires.count; w++) {
			const struct mw_wire *wire = &node->type->wires.items[w];

			if (wire->kind == MW_LINE && wire->direction == MW_DRIVES)
				each_of_wire(node, wire, visit, context);
		}
	}
}

/* The kernel's chips have an edge's request in their own state; told again, it would be a new one. */
void mw_net_restore(struct mw_net *net, uint32_t asserted)
{
	bool stays = asserted && net->plan->trigger == MW_TRIGGER_LEVEL;

	atomic_store(&net->state, asserted);
	for (size_t i = 0; i < net->sink_count; i++) {
		struct mw_net_sink *sink = &net->sinks[i];

		sink->told_level = asserted != 0;
		sink->told_rises = 0;
		if (sink->node->offloaded && stays)
			tell(sink, net, true);
	}
}
