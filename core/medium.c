/* What is in a drive: its file's name, and another in its place. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine_internal.h"

struct mw_image *mw_image_of(struct mw_machine *machine, const struct mw_plan_link *link)
{
	unsigned driver = link->wire[0]->direction == MW_DRIVES ? 0 : 1;
	const struct mw_wire *wire = link->wire[driver];
	struct mw_image *image;

	memcpy(&image,
	       machine->nodes[link->node[driver]]->device + wire->offset +
		       link->index[driver] * wire->stride,
	       sizeof(image));
	return image;
}

bool mw_image_opens(const struct mw_wire *own, const struct mw_wire *host)
{
	return own->on_media && host->on_change;
}

const char *mw_image_planned(const struct mw_plan_node *host)
{
	const char *property = host->type->main_property;
	const struct mw_plan_value *value = property ? mw_plan_value(host, property) : NULL;

	return value && value->property->is_path && value->text ? value->text : NULL;
}

void mw_image_name(const struct mw_image *image, char *name, size_t capacity)
{
	const char *path = NULL;

	if (image->peer) {
		mw_node_enter(image->peer, image->node->lock->actor);
		path = image->inserted ? image->inserted : mw_image_planned(image->peer->plan);
	}
	snprintf(name, capacity, "%s", path && strcmp(path, "/dev/null") != 0 ? path : "");
	if (image->peer)
		mw_node_leave(image->peer);
}

void mw_image_find_facts(const struct mw_image *image, struct mw_image_facts *facts)
{
	*facts = (struct mw_image_facts){ 0 };
	if (!image->peer || !image->wire->on_facts)
		return;
	mw_node_enter(image->peer, image->node->machine->main_actor);
	image->wire->on_facts(image->peer->device, facts);
	mw_node_leave(image->peer);
}

bool mw_image_put(struct mw_image *image, const char *path, struct mw_diagnostics *diagnostics)
{
	mw_node_enter(image->peer, image->node->machine->main_actor);
	bool good = image->wire->on_change(image->peer->device, path, diagnostics);

	if (good) {
		image->medium++;
		free(image->inserted);
		image->inserted = mw_strdup(path ? path : "");
	}
	mw_node_leave(image->peer);
	return good;
}

void mw_image_know(struct mw_image *image, bool tell)
{
	mw_node_enter(image->node, image->node->machine->main_actor);
	image->heard = image->medium;
	if (tell)
		image->own_wire->on_media(image->node->device);
	mw_node_leave(image->node);
}

static struct mw_image *find_door(struct mw_machine *machine, size_t index)
{
	for (size_t i = 0; i < machine->plan->link_count; i++) {
		const struct mw_plan_link *link = &machine->plan->links[i];

		if (link->wire[0]->kind != MW_IMAGE)
			continue;
		struct mw_image *image = mw_image_of(machine, link);

		if (image->node->index == index && mw_image_opens(image->own_wire, image->wire))
			return image;
	}
	return NULL;
}

/* Both sides are held, one after the other: the backend changes the file, the device hears of it. What it asks
 * for in between is for a medium that is gone; what it asked for before is done first. */
bool mw_machine_change_medium(struct mw_machine *machine, size_t index, const char *path,
			      struct mw_diagnostics *diagnostics)
{
	struct mw_image *image = find_door(machine, index);

	if (!image) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "`%s` has no medium that can be exchanged",
				   machine->plan->nodes[index].id);
		return false;
	}
	mw_images_settle(machine);
	mw_actor_begin(machine->main_actor);
	bool good = mw_image_put(image, path, diagnostics);

	if (good)
		mw_image_know(image, true);
	mw_actor_end(machine->main_actor);
	return good;
}

void mw_media_fini(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->link_count; i++) {
		const struct mw_plan_link *link = &machine->plan->links[i];

		if (link->wire[0]->kind != MW_IMAGE)
			continue;
		struct mw_image *image = mw_image_of(machine, link);

		free(image->inserted);
		image->inserted = NULL;
	}
}
