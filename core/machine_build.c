/* From a plan to a machine: nodes, handles, lines, links, address spaces; and the way back. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/field.h"
#include "core/machine_internal.h"
#include "core/tables/tables.h"

static void *handle_slot(struct mw_node *node, const struct mw_wire *wire, size_t index)
{
	return node->device + wire->offset + index * wire->stride;
}

static void set_handle(struct mw_node *node, const struct mw_wire *wire, size_t index, void *handle)
{
	memcpy(handle_slot(node, wire, index), &handle, sizeof(handle));
}

static void fill_properties(struct mw_node *node)
{
	for (size_t i = 0; i < node->plan->value_count; i++) {
		const struct mw_plan_value *value = &node->plan->values[i];
		size_t offset = value->property->offset;
		unsigned char *field = node->device + offset;
		const char *text = value->secret ? value->secret : value->text ? value->text : "";

		switch (value->property->kind) {
		case MW_STRING: memcpy(field, &text, sizeof(text)); break;
		case MW_BLOB: memcpy(field, &value->bytes, sizeof(value->bytes)); break;
		case MW_MAC:
			if (value->bytes.size == sizeof(struct mw_mac))
				memcpy(field, value->bytes.bytes, sizeof(struct mw_mac));
			break;
		case MW_UUID:
			if (value->bytes.size == sizeof(struct mw_uuid))
				memcpy(field, value->bytes.bytes, sizeof(struct mw_uuid));
			break;
		default: mw_field_store(node->device, offset, value->property->kind, value->number);
		}
	}
}

static void *new_handle(struct mw_node *node, const struct mw_wire *wire)
{
	struct mw_arena *arena = &node->machine->arena;

	switch (wire->kind) {
	case MW_LINE: {
		struct mw_line *line = mw_arena_alloc(arena, 1, sizeof(*line));

		line->node = node;
		return line;
	}
	case MW_STREAM: {
		struct mw_stream *stream = mw_arena_alloc(arena, 1, sizeof(*stream));

		stream->node = node;
		return stream;
	}
	case MW_MSI: {
		struct mw_msi *msi = mw_arena_alloc(arena, 1, sizeof(*msi));

		msi->node = node;
		return msi;
	}
	case MW_INTR: {
		struct mw_intr *intr = mw_arena_alloc(arena, 1, sizeof(*intr));

		intr->node = node;
		return intr;
	}
	case MW_INPUT: {
		struct mw_input *input = mw_arena_alloc(arena, 1, sizeof(*input));

		input->node = node;
		return input;
	}
	case MW_POWER: {
		struct mw_power *power = mw_arena_alloc(arena, 1, sizeof(*power));

		power->node = node;
		return power;
	}
	case MW_DMA: {
		struct mw_dma *dma = mw_arena_alloc(arena, 1, sizeof(*dma));

		dma->node = node;
		dma->wire = wire;
		return dma;
	}
	case MW_IMAGE: {
		struct mw_image *image = mw_arena_alloc(arena, 1, sizeof(*image));

		image->node = node;
		image->own_wire = wire;
		return image;
	}
	case MW_DISPLAY: {
		struct mw_display *display = mw_arena_alloc(arena, 1, sizeof(*display));

		display->node = node;
		return display;
	}
	default: return NULL;
	}
}

/* Every driving wire gets a handle; what the plan connects is joined afterwards, the rest leads
 * nowhere. */
static void make_handles(struct mw_node *node)
{
	for (size_t w = 0; w < node->type->wires.count; w++) {
		const struct mw_wire *wire = &node->type->wires.items[w];
		size_t count = wire->count ? wire->count : 1;

		for (size_t i = 0; i < count && wire->direction == MW_DRIVES; i++)
			set_handle(node, wire, i, new_handle(node, wire));
	}
}

static void make_timers(struct mw_node *node)
{
	const struct mw_device_type *type = node->type;

	node->timers =
		mw_arena_alloc(&node->machine->arena, type->timers.count, sizeof(*node->timers));
	for (size_t i = 0; i < type->timers.count; i++) {
		const struct mw_timer_row *row = &type->timers.items[i];
		struct mw_timer *timer = &node->timers[i];

		*timer = (struct mw_timer){ .node = node,
					    .on_expire = row->on_expire,
					    .name = row->name,
					    .clock = &node->machine->clock };
		memcpy(node->device + row->offset, &timer, sizeof(timer));
	}
}

static bool place_node(struct mw_node *node, struct mw_diagnostics *diagnostics)
{
	struct mw_machine *machine = node->machine;

	node->loop = machine->loop;
	if (node->plan->placement == MW_PLACEMENT_SHARED)
		return true;
	if (node->plan->placement == MW_PLACEMENT_CPU) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", node->plan->span,
				   "`placement: cpu` is not implemented yet (`%s`)",
				   node->plan->id);
		return false;
	}
	struct mw_loop *loop;
	enum mw_status status = mw_loop_create(&loop, machine, node->plan->id, true);

	if (status != MW_STATUS_OK) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", node->plan->span,
				   "no loop for `%s`: %s", node->plan->id, mw_status_text(status));
		return false;
	}
	machine->own_loops = mw_grow(machine->own_loops, machine->own_loop_count + 1,
				     sizeof(*machine->own_loops));
	machine->own_loops[machine->own_loop_count++] = loop;
	node->loop = loop;
	return true;
}

static bool make_node(struct mw_machine *machine, size_t index, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_node *plan = &machine->plan->nodes[index];
	struct mw_node *node = mw_alloc(1, sizeof(*node) + plan->type->size);

	machine->nodes[index] = node;
	node->machine = machine;
	node->plan = plan;
	node->type = plan->type;
	node->index = (uint32_t)index;
	pthread_mutex_init(&node->own_lock.mutex, NULL);
	node->lock = &node->own_lock;
	if (plan->bus_node < index && machine->nodes[plan->bus_node]->type->private_bus)
		node->lock = machine->nodes[plan->bus_node]->lock;
	mw_places_init(node);
	fill_properties(node);
	make_handles(node);
	make_timers(node);
	mw_registers_init(node);
	mw_node_power_on(node);
	return place_node(node, diagnostics) && mw_memories_init(node, diagnostics);
}

static void join_nets(struct mw_machine *machine)
{
	const struct mw_plan *plan = machine->plan;

	machine->nets = mw_arena_alloc(&machine->arena, plan->net_count, sizeof(*machine->nets));
	for (size_t n = 0; n < plan->net_count; n++) {
		struct mw_net *net = &machine->nets[n];

		net->plan = &plan->nets[n];
		net->index = (uint32_t)n;
		net->sink_count = net->plan->sink_count;
		net->sinks = mw_arena_alloc(&machine->arena, net->sink_count, sizeof(*net->sinks));
		for (size_t s = 0; s < net->sink_count; s++) {
			const struct mw_plan_sink *sink = &net->plan->sinks[s];

			net->sinks[s] = (struct mw_net_sink){ .node = machine->nodes[sink->node],
							      .wire = sink->wire,
							      .index = sink->index };
		}
	}
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_plan_claim *claim = &node->claims[c];
			struct mw_line *line;

			if (claim->kind != MW_CLAIM_IRQ)
				continue;
			memcpy(&line,
			       handle_slot(machine->nodes[i], claim->wire, claim->wire_index),
			       sizeof(line));
			line->net = &machine->nets[claim->net];
		}
	}
}

static void join_stream(struct mw_machine *machine, struct mw_link *link,
			const struct mw_plan_link *plan)
{
	for (unsigned side = 0; side < 2; side++) {
		struct mw_node *node = machine->nodes[plan->node[side]];
		struct mw_stream *stream;

		memcpy(&stream, handle_slot(node, plan->wire[side], plan->index[side]),
		       sizeof(stream));
		stream->link = link;
		stream->side = side;
		link->node[side] = node;
		link->wire[side] = plan->wire[side];
	}
}

static void join_image(struct mw_machine *machine, const struct mw_plan_link *plan)
{
	unsigned driver = plan->wire[0]->direction == MW_DRIVES ? 0 : 1;
	struct mw_image *image = mw_image_of(machine, plan);

	image->peer = machine->nodes[plan->node[driver ^ 1]];
	image->wire = plan->wire[driver ^ 1];
}

static void join_input(struct mw_machine *machine, const struct mw_plan_link *plan)
{
	unsigned driver = plan->wire[0]->direction == MW_DRIVES ? 0 : 1;
	struct mw_input *input;

	memcpy(&input,
	       handle_slot(machine->nodes[plan->node[driver]], plan->wire[driver],
			   plan->index[driver]),
	       sizeof(input));
	input->peer = machine->nodes[plan->node[driver ^ 1]];
	input->wire = plan->wire[driver ^ 1];
}

static void join_links(struct mw_machine *machine)
{
	const struct mw_plan *plan = machine->plan;

	machine->links = mw_arena_alloc(&machine->arena, plan->link_count, sizeof(*machine->links));
	for (size_t i = 0; i < plan->link_count; i++) {
		mw_link_init(&machine->links[i], (uint32_t)i);
		if (plan->links[i].wire[0]->kind == MW_STREAM)
			join_stream(machine, &machine->links[i], &plan->links[i]);
		else if (plan->links[i].wire[0]->kind == MW_IMAGE)
			join_image(machine, &plan->links[i]);
		else if (plan->links[i].wire[0]->kind == MW_INPUT)
			join_input(machine, &plan->links[i]);
	}
}

static void collect_eoi_sinks(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t w = 0; w < node->type->wires.count; w++) {
			const struct mw_wire *wire = &node->type->wires.items[w];

			if (!wire->on_eoi)
				continue;
			machine->eoi_sinks =
				mw_grow(machine->eoi_sinks, machine->eoi_sink_count + 1,
					sizeof(*machine->eoi_sinks));
			machine->eoi_sinks[machine->eoi_sink_count++] =
				(struct mw_eoi_sink){ node, wire };
		}
	}
}

static void collect_intrs(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		for (size_t w = 0; w < node->type->wires.count; w++) {
			const struct mw_wire *wire = &node->type->wires.items[w];
			struct mw_intr *intr;

			if (wire->kind != MW_INTR)
				continue;
			memcpy(&intr, handle_slot(node, wire, 0), sizeof(intr));
			machine->intrs = mw_grow(machine->intrs, machine->intr_count + 1,
						 sizeof(*machine->intrs));
			machine->intrs[machine->intr_count++] =
				(struct mw_intr_source){ node, wire, intr };
		}
	}
}

/* The host side first: a device may read its image in init. What they do to others waits for the end
 * of the first reset, when everybody can hear it. */
static bool initialise(struct mw_machine *machine, bool host, struct mw_diagnostics *diagnostics)
{
	bool good = true;

	mw_actor_begin(machine->main_actor);
	for (size_t i = 0; i < machine->plan->node_count && good; i++) {
		struct mw_node *node = machine->nodes[i];

		if (node->plan->host != host)
			continue;
		node->initialised = true;
		if (!node->type->ops.init)
			continue;
		mw_node_enter(node, machine->main_actor);
		good = node->type->ops.init(node->device, diagnostics);
		mw_node_leave(node);
	}
	mw_actor_hold(machine->main_actor);
	return good;
}

static void on_earlier_deadline(void *context)
{
	struct mw_machine *machine = context;
	const struct mw_executor *executor = &machine->executor;

	if (!machine->clock_driven)
		mw_loop_wake(machine->loop);
	else if (executor->ops->time_changed)
		executor->ops->time_changed(executor->self);
}

static bool build(struct mw_machine *machine, struct mw_diagnostics *diagnostics)
{
	enum mw_status status = mw_loop_create(&machine->loop, machine, "shared loop", false);

	if (status != MW_STATUS_OK) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "no event loop: %s", mw_status_text(status));
		return false;
	}
	machine->main_actor = mw_loop_actor(machine->loop);
	machine->clock.on_earlier = on_earlier_deadline;
	machine->clock.context = machine;
	if (!mw_ram_init(machine, diagnostics))
		return false;
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		if (!make_node(machine, i, diagnostics))
			return false;
	}
	join_nets(machine);
	join_links(machine);
	mw_functions_init(machine);
	mw_channels_init(machine);
	mw_displays_init(machine);
	mw_images_init(machine);
	mw_place_spaces(machine);
	collect_eoi_sinks(machine);
	collect_intrs(machine);
	return initialise(machine, true, diagnostics) && initialise(machine, false, diagnostics);
}

bool mw_machine_build(struct mw_machine **out, const struct mw_plan *plan,
		      struct mw_diagnostics *diagnostics)
{
	struct mw_machine *machine = mw_alloc(1, sizeof(*machine));

	machine->plan = plan;
	machine->ram_fd = -1;
	machine->nodes = mw_alloc(plan->node_count, sizeof(*machine->nodes));
	pthread_mutex_init(&machine->power_mutex, NULL);
	pthread_mutex_init(&machine->place_mutex, NULL);
	pthread_mutex_init(&machine->log_mutex, NULL);
	mw_jobs_init(&machine->jobs);
	atomic_store(&machine->epoch, 1);
	mw_space_init(&machine->ports, true, &machine->epoch);
	mw_space_init(&machine->memory, false, &machine->epoch);
	mw_clock_init(&machine->clock, plan->accel.manual_clock);
	*out = machine;
	if (build(machine, diagnostics))
		return true;
	mw_machine_destroy(machine);
	*out = NULL;
	return false;
}

/* Each side the other way round than it was initialised, and the host side last. */
static void finish_nodes(struct mw_machine *machine, bool host)
{
	mw_actor_begin(machine->main_actor);
	for (size_t i = machine->plan->node_count; i-- > 0;) {
		struct mw_node *node = machine->nodes[i];

		if (!node || node->plan->host != host || !node->initialised ||
		    !node->type->ops.fini)
			continue;
		mw_node_enter(node, machine->main_actor);
		node->type->ops.fini(node->device);
		mw_node_leave(node);
	}
	/* Nobody is left to hear what they said last. */
	machine->main_actor->count = 0;
	mw_actor_end(machine->main_actor);
}

static void free_nodes(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		if (!node)
			continue;
		mw_memories_fini(node);
		pthread_mutex_destroy(&node->own_lock.mutex);
		free(node);
	}
	free(machine->nodes);
}

void mw_machine_destroy(struct mw_machine *machine)
{
	if (!machine)
		return;
	mw_machine_stop(machine);
	mw_images_fini(machine);
	for (size_t i = 0; i < machine->own_loop_count; i++)
		mw_loop_join(machine->own_loops[i]);
	if (machine->main_actor) {
		finish_nodes(machine, false);
		finish_nodes(machine, true);
	}
	mw_log_rest(machine);
	for (size_t i = 0; i < machine->own_loop_count; i++)
		mw_loop_destroy(machine->own_loops[i]);
	free(machine->own_loops);
	mw_loop_destroy(machine->loop);
	for (size_t i = 0; machine->links && i < machine->plan->link_count; i++)
		mw_link_fini(&machine->links[i]);
	mw_displays_fini(machine);
	free_nodes(machine);
	mw_ram_fini(machine);
	mw_space_fini(&machine->ports);
	mw_space_fini(&machine->memory);
	mw_clock_fini(&machine->clock);
	for (size_t i = 0; i < machine->actor_count; i++)
		mw_actor_destroy(machine->actors[i]);
	free(machine->actors);
	mw_items_free(machine->items);
	free(machine->hooks);
	free(machine->eoi_sinks);
	free(machine->intrs);
	mw_jobs_fini(&machine->jobs);
	pthread_mutex_destroy(&machine->power_mutex);
	pthread_mutex_destroy(&machine->place_mutex);
	free(machine->mapped);
	pthread_mutex_destroy(&machine->log_mutex);
	mw_arena_fini(&machine->arena);
	free(machine);
}
