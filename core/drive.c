/* What a driver from outside does in place of CPUs: steps time, sets inputs, and sees what moves. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/machine_internal.h"

bool mw_machine_step(struct mw_actor *actor, uint64_t until_ns)
{
	struct mw_clock *clock = &actor->machine->clock;
	uint64_t next = mw_clock_next(clock);
	struct mw_timer *timer;

	if (next > until_ns) {
		mw_clock_step(clock, until_ns);
		return false;
	}
	mw_clock_step(clock, next);
	timer = mw_clock_pop_due(clock);
	if (timer)
		mw_timer_fire(timer, actor);
	return true;
}

static void copy_piece(const struct mw_map_entry *entry, uint64_t address, void *bytes,
		       size_t count, bool write)
{
	uint8_t *host = entry ? entry->host + (address - entry->base) : NULL;

	if (write && host && !entry->readonly)
		memcpy(host, bytes, count);
	else if (!write && host)
		memcpy(bytes, host, count);
	else if (!write)
		memset(bytes, 0xff, count);
}

size_t mw_memory_copy(struct mw_actor *actor, uint64_t address, void *bytes, size_t count,
		      bool write)
{
	size_t done = 0;

	mw_actor_begin(actor);
	while (done < count) {
		uint64_t from = address + done;
		struct mw_map_part part =
			mw_map_look(atomic_load(&actor->machine->memory.map), from);
		uint64_t left = part.last - from;
		size_t step = left < count - done - 1 ? (size_t)left + 1 : count - done;

		if (part.entry && !part.entry->host)
			break;
		copy_piece(part.entry, from, (uint8_t *)bytes + done, step, write);
		done += step;
	}
	mw_actor_end(actor);
	return done;
}

static void tell_input(struct mw_node *node, const struct mw_wire *wire, unsigned index, bool level)
{
	const struct mw_line_watch *watch = &node->machine->line_watch;

	if (watch->on_line)
		watch->on_line(watch->context, node->index, wire, index, level);
}

enum mw_status mw_machine_set_input(struct mw_actor *actor, uint32_t plan_node, const char *wire,
				    unsigned index, bool level)
{
	struct mw_node *node = actor->machine->nodes[plan_node];
	const struct mw_device_type *type = node->type;

	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *row = &type->wires.items[i];

		if (row->kind != MW_LINE || row->direction != MW_RECEIVES ||
		    (wire && strcmp(row->name, wire) != 0))
			continue;
		if (index >= (row->count ? row->count : 1) || node->offloaded)
			return MW_STATUS_INVALID;
		mw_actor_begin(actor);
		mw_node_enter(node, actor);
		tell_input(node, row, index, level);
		row->on_level(node->device, index, level);
		mw_node_leave(node);
		mw_actor_end(actor);
		return MW_STATUS_OK;
	}
	return MW_STATUS_NOT_FOUND;
}

static bool is_output(const struct mw_wire *wire)
{
	return (wire->kind == MW_LINE && wire->direction == MW_DRIVES) || wire->kind == MW_INTR;
}

/* A device's handle says nothing of the row it stands in, and it is looked for only when somebody wants to
 * know. */
void mw_tell_output(struct mw_node *node, const void *handle, bool level)
{
	const struct mw_line_watch *watch = &node->machine->line_watch;
	unsigned number = 0;

	if (!watch->on_output)
		return;
	for (size_t i = 0; i < node->type->wires.count; i++) {
		const struct mw_wire *wire = &node->type->wires.items[i];
		unsigned count = wire->count ? (unsigned)wire->count : 1;

		for (unsigned e = 0; is_output(wire) && e < count; e++, number++) {
			const void *other;

			memcpy(&other, node->device + wire->offset + e * wire->stride,
			       sizeof(other));
			if (other == handle)
				watch->on_output(watch->context, node->index, number, level);
		}
	}
}
