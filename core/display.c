/* Pictures: from a display adapter to whoever shows them, when asked for. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/machine_internal.h"

bool mw_canvas_size(struct mw_canvas *canvas, uint32_t width, uint32_t height)
{
	width = width < MW_CANVAS_MAX ? width : MW_CANVAS_MAX;
	height = height < MW_CANVAS_MAX ? height : MW_CANVAS_MAX;
	if (canvas->width == width && canvas->height == height)
		return false;
	free(canvas->pixels);
	canvas->pixels = mw_alloc((size_t)width * height, sizeof(*canvas->pixels));
	canvas->width = width;
	canvas->height = height;
	return true;
}

static struct mw_display *handle_of(const struct mw_node *node, const struct mw_wire *wire)
{
	struct mw_display *display;

	memcpy(&display, node->device + wire->offset, sizeof(display));
	return display;
}

static void join(struct mw_machine *machine, struct mw_display_link *display,
		 const struct mw_plan_link *plan)
{
	unsigned adapter = plan->wire[0]->on_draw ? 0 : 1;

	display->adapter = machine->nodes[plan->node[adapter]];
	display->adapter_wire = plan->wire[adapter];
	display->host = machine->nodes[plan->node[adapter ^ 1]];
	display->host_wire = plan->wire[adapter ^ 1];
	handle_of(display->adapter, display->adapter_wire)->link = display;
	handle_of(display->host, display->host_wire)->link = display;
	pthread_mutex_init(&display->mutex, NULL);
}

void mw_displays_init(struct mw_machine *machine)
{
	const struct mw_plan *plan = machine->plan;

	machine->displays =
		mw_arena_alloc(&machine->arena, plan->link_count, sizeof(*machine->displays));
	for (size_t i = 0; i < plan->link_count; i++)
		if (plan->links[i].wire[0]->kind == MW_DISPLAY)
			join(machine, &machine->displays[machine->display_count++],
			     &plan->links[i]);
}

void mw_displays_fini(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->display_count; i++) {
		free(machine->displays[i].canvas.pixels);
		pthread_mutex_destroy(&machine->displays[i].mutex);
	}
}

static void queue(struct mw_display_link *link, struct mw_actor *actor)
{
	mw_effect_once(actor, (struct mw_effect){ .kind = MW_EFFECT_DISPLAY, .display = link });
}

void mw_display_request(struct mw_display *display, bool whole)
{
	struct mw_display_link *link = display->link;

	if (!link)
		return;
	pthread_mutex_lock(&link->mutex);
	bool asked = link->asked;

	link->asked = true;
	link->again |= asked;
	link->whole |= whole;
	pthread_mutex_unlock(&link->mutex);
	if (!asked)
		queue(link, display->node->lock->actor);
}

static void clip(const struct mw_canvas *canvas, struct mw_rect *rect)
{
	if (rect->x >= canvas->width || rect->y >= canvas->height) {
		*rect = (struct mw_rect){ 0 };
		return;
	}
	if (rect->width > canvas->width - rect->x)
		rect->width = canvas->width - rect->x;
	if (rect->height > canvas->height - rect->y)
		rect->height = canvas->height - rect->y;
}

/* One thread draws at a time, as one request is on its way at a time: the canvas is its. */
void mw_display_deliver(struct mw_display_link *link, struct mw_actor *actor)
{
	struct mw_rect changed = { 0 };

	pthread_mutex_lock(&link->mutex);
	bool whole = link->whole;

	link->whole = false;
	pthread_mutex_unlock(&link->mutex);
	mw_actor_collect(actor);
	mw_node_enter(link->adapter, actor);
	link->adapter_wire->on_draw(link->adapter->device, &link->canvas, whole, &changed);
	mw_node_leave(link->adapter);
	clip(&link->canvas, &changed);
	mw_node_enter(link->host, actor);
	link->host_wire->on_frame(link->host->device, &link->canvas, &changed);
	mw_node_leave(link->host);
	pthread_mutex_lock(&link->mutex);
	bool again = link->asked = link->again;

	link->again = false;
	pthread_mutex_unlock(&link->mutex);
	if (again)
		queue(link, actor);
}

static const struct mw_wire *adapter_wire(const struct mw_node *node)
{
	for (size_t i = 0; i < node->type->wires.count; i++)
		if (node->type->wires.items[i].on_draw)
			return &node->type->wires.items[i];
	return NULL;
}

long mw_machine_display(const struct mw_machine *machine, size_t from)
{
	for (size_t i = from; i < machine->plan->node_count; i++)
		if (adapter_wire(machine->nodes[i]))
			return (long)i;
	return -1;
}

/* An adapter tells changes since it drew last, and that was for somebody else. */
static void forget_drawn(struct mw_machine *machine, const struct mw_node *adapter)
{
	for (size_t i = 0; i < machine->display_count; i++) {
		struct mw_display_link *link = &machine->displays[i];

		if (link->adapter != adapter)
			continue;
		pthread_mutex_lock(&link->mutex);
		link->whole = true;
		pthread_mutex_unlock(&link->mutex);
	}
}

bool mw_machine_draw(struct mw_machine *machine, size_t index, struct mw_canvas *canvas)
{
	struct mw_node *node = machine->nodes[index];
	const struct mw_wire *wire = adapter_wire(node);
	struct mw_rect changed = { 0 };

	if (!wire)
		return false;
	mw_actor_begin(machine->main_actor);
	mw_actor_collect(machine->main_actor);
	mw_node_enter(node, machine->main_actor);
	wire->on_draw(node->device, canvas, true, &changed);
	mw_node_leave(node);
	mw_actor_end(machine->main_actor);
	forget_drawn(machine, node);
	return true;
}

bool mw_machine_screen_text(struct mw_machine *machine, size_t index, char *utf8, size_t capacity,
			    size_t *length)
{
	struct mw_node *node = machine->nodes[index];
	const struct mw_wire *wire = adapter_wire(node);

	*length = 0;
	if (!wire || !wire->on_text)
		return false;
	mw_actor_begin(machine->main_actor);
	mw_actor_collect(machine->main_actor);
	mw_node_enter(node, machine->main_actor);
	*length = wire->on_text(node->device, utf8, capacity);
	mw_node_leave(node);
	mw_actor_end(machine->main_actor);
	return *length > 0;
}
