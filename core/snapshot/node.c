/* Nodes: type, state version, layout, values. All are checked before one is loaded, and all are loaded before
 * a device hears of it. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot_internal.h"

/* Its text must be freed. */
static char *layout_of(const struct mw_node *node, unsigned version, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	mw_node_layout(node, version, out);
	fclose(out);
	return text;
}

static void save_node(struct snapshot_writer *writer, struct mw_machine *machine, uint32_t index)
{
	struct mw_node *node = machine->nodes[index];
	size_t layout_length, count = mw_node_save(machine, index, NULL, 0);
	char *layout = layout_of(node, node->type->state_version, &layout_length);
	uint8_t *bytes = mw_alloc(count, 1);

	mw_node_save(machine, index, bytes, count);
	snapshot_section(writer, SECTION_NODE, index);
	snapshot_write_counted(writer, node->type->name, strlen(node->type->name));
	snapshot_write_le(writer, 4, node->type->state_version);
	snapshot_write_counted(writer, layout, layout_length);
	snapshot_write_counted(writer, bytes, count);
	snapshot_section_end(writer);
	free(layout);
	free(bytes);
}

void snapshot_save_nodes(struct snapshot_writer *writer, struct mw_machine *machine)
{
	for (uint32_t i = 0; i < machine->plan->node_count; i++)
		save_node(writer, machine, i);
}

/** A node's section taken apart. */
struct saved_node {
	const uint8_t *type, *layout, *bytes;
	size_t type_length, layout_length, count;
	unsigned version;
};

static bool read_node(struct mw_snapshot *snapshot, const struct mw_node *node,
		      struct saved_node *saved)
{
	const struct snapshot_section *section = snapshot_find(snapshot, SECTION_NODE, node->index);
	struct snapshot_reader reader;

	if (!section)
		return snapshot_refuse(snapshot, "has no state of `%s`", node->plan->id);
	reader = snapshot_read(section);
	saved->type = snapshot_counted(&reader, &saved->type_length);
	saved->version = (unsigned)snapshot_le(&reader, 4);
	saved->layout = snapshot_counted(&reader, &saved->layout_length);
	saved->bytes = snapshot_counted(&reader, &saved->count);
	if (reader.bad || reader.left)
		return snapshot_refuse(snapshot, "is damaged: the state of `%s`", node->plan->id);
	return true;
}

static bool check_type(const struct mw_snapshot *snapshot, const struct mw_node *node,
		       const struct saved_node *saved)
{
	const char *name = node->type->name;

	if (saved->type_length != strlen(name) ||
	    memcmp(saved->type, name, saved->type_length) != 0)
		return snapshot_refuse(snapshot, "`%s` is of another type in it", node->plan->id);
	if (saved->version > node->type->state_version)
		return snapshot_refuse(snapshot,
				       "`%s` (%s) was saved by a newer Millwright: state version "
				       "%u, and %u is known here",
				       node->plan->id, name, saved->version,
				       node->type->state_version);
	return true;
}

static bool check_node(struct mw_snapshot *snapshot, struct mw_node *node, struct saved_node *saved)
{
	char what[100], *layout;
	size_t length;
	bool same;

	if (!read_node(snapshot, node, saved) || !check_type(snapshot, node, saved))
		return false;
	snprintf(what, sizeof(what), "state of `%s`", node->plan->id);
	layout = layout_of(node, saved->version, &length);
	same = snapshot_check_layout(snapshot, what, (const char *)saved->layout,
				     saved->layout_length, layout);
	free(layout);
	return same && mw_node_check(node, saved->version, saved->bytes, saved->count,
				     snapshot->diagnostics);
}

static bool set_chip(struct mw_snapshot *snapshot, struct mw_machine *machine, uint32_t index)
{
	const struct mw_executor *executor = &machine->executor;
	enum mw_status status;

	if (!machine->nodes[index]->offloaded || !executor->ops->set_node)
		return true;
	status = executor->ops->set_node(executor->self, index);
	return status == MW_STATUS_OK ||
	       snapshot_refuse(snapshot, "the accelerator does not take the state of `%s`: %s",
			       machine->plan->nodes[index].id, mw_status_text(status));
}

bool snapshot_load_nodes(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	size_t count = machine->plan->node_count;
	struct saved_node *saved = mw_alloc(count, sizeof(*saved));
	bool good = true;

	for (size_t i = 0; i < count; i++) /* all that is wrong is told */
		good &= check_node(snapshot, machine->nodes[i], &saved[i]);
	for (size_t i = 0; i < count && good; i++)
		mw_node_take(machine->nodes[i], saved[i].version, saved[i].bytes);
	for (uint32_t i = 0; i < count && good; i++)
		good = set_chip(snapshot, machine, i);
	free(saved);
	return good;
}
