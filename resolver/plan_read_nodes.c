/* Nodes of a plan's text: devices as a profile has them, and their host sides. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/registry.h"
#include "resolver/plan_read_internal.h"
#include "resolver/shape.h"
#include "resolver/typecheck.h"

enum { NODES_MOST = 200000 }; /* as in instances.c */

/* The names of a list, each once. */
static struct mw_lookup names_of(struct mw_plan_reader *reader, struct mw_tree *list)
{
	struct mw_lookup names = { 0 };

	for (struct mw_tree *name = list ? list->first : NULL; name; name = name->next)
		mw_lookup_add(&names, reader->arena, name->text, name);
	return names;
}

/* What stands at its default is not said again, and so stays one. */
static bool is_fallback(const struct mw_property *property, const struct mw_tree *value)
{
	const char *text = value->kind == MW_TREE_SCALAR ? value->text : NULL;
	uint64_t number;

	if (!text || !property || property->required)
		return false;
	if (property->members)
		return !strcmp(text, property->members[property->fallback]);
	switch (property->kind) {
	case MW_BOOL: return !strcmp(text, property->fallback ? "true" : "false");
	case MW_STRING:
		return !strcmp(text, property->fallback_text ? property->fallback_text : "");
	case MW_U8:
	case MW_U16:
	case MW_U32:
	case MW_U64: return mw_tree_int(text, &number) && number == property->fallback;
	default: return false;
	}
}

static struct mw_tree *make_props(struct mw_plan_reader *reader, struct mw_tree *node)
{
	struct mw_tree *props = mw_tree_get(node, "props"), *list = mw_tree_get(node, "from_host");
	struct mw_lookup host = names_of(reader, list);
	const struct mw_device_type *type =
		mw_registry_find(reader->draft->registry, mw_tree_get(node, "type")->text);
	struct mw_tree *made = mw_plan_block(reader, MW_TREE_MAP, "props", props ? props : node);

	for (struct mw_tree *name = list ? list->first : NULL; name; name = name->next) {
		if (!mw_tree_get(props, name->text))
			mw_plan_refuse(reader, name->span, "`props` has no `%s`", name->text);
	}
	for (struct mw_tree *value = props ? props->first : NULL; value; value = value->next) {
		bool from_host = mw_lookup_find(&host, value->key) != NULL;

		if (!from_host && type && is_fallback(mw_type_property(type, value->key), value))
			continue;
		mw_plan_hand_on(reader, made, value->key, value);
		made->last->host = from_host;
	}
	return made;
}

/* A plan keeps the permission with each claim that uses it; a node has one. */
static struct mw_tree *overlay_of(struct mw_plan_reader *reader, struct mw_tree *node)
{
	struct mw_tree *overlays = mw_tree_get(node, "overlays");
	struct mw_tree *first = overlays ? overlays->first : NULL;

	for (struct mw_tree *other = first ? first->next : NULL; other; other = other->next) {
		if (strcmp(other->text, first->text) != 0)
			mw_plan_refuse(reader, other->span, "`%s` lies over `%s` and over `%s`",
				       node->key, first->text, other->text);
	}
	return first;
}

/* A plan has the numbers alone. */
static void make_messages(struct mw_plan_reader *reader, struct mw_tree *msi, struct mw_tree *body)
{
	struct mw_tree *made;

	if (!msi)
		return;
	made = mw_plan_block(reader, MW_TREE_MAP, "msi", msi);
	for (struct mw_tree *child = msi->first; child; child = child->next) {
		struct mw_tree *entry = mw_plan_block(reader, MW_TREE_MAP, child->key, child);

		mw_plan_hand_on(reader, entry, "vectors", child);
		mw_tree_append(made, entry);
	}
	mw_tree_append(body, made);
}

static void make_device(struct mw_plan_reader *reader, struct mw_tree *node)
{
	static const char *const same[] = { "type", "placement", "io",       "mmio", "dma",
					    "intx", "vtl",       "on_error", NULL };
	struct mw_tree *bus = mw_tree_get(node, "bus"), *address = mw_tree_get(node, "address");
	struct mw_tree *body = mw_plan_block(reader, MW_TREE_MAP, node->key, node);

	if (!mw_shape_is_id(node->key, MW_IDS_DEVICES)) {
		mw_plan_refuse(reader, node->key_span, "`%s` is no id of a device", node->key);
		return;
	}
	for (const char *const *key = same; *key; key++)
		mw_plan_hand_on(reader, body, *key, mw_tree_get(node, *key));
	if (bus)
		mw_tree_append(body,
			       mw_plan_scalar(reader, "at",
					      address ? mw_arena_printf(reader->arena, "%s:%s",
									bus->text, address->text)
						      : bus->text,
					      bus));
	mw_tree_append(body, make_props(reader, node));
	mw_plan_hand_on(reader, body, "overlays", overlay_of(reader, node));
	mw_plan_lines(reader, node, body);
	make_messages(reader, mw_tree_get(node, "msi"), body);
	mw_tree_append(reader->document->devices, body);
}

void mw_plan_devices(struct mw_plan_reader *reader)
{
	if (reader->nodes && reader->nodes->count > NODES_MOST) {
		mw_plan_refuse(reader, reader->nodes->key_span, "a machine has at most %d nodes",
			       NODES_MOST);
		return;
	}
	for (struct mw_tree *node = reader->nodes ? reader->nodes->first : NULL; node;
	     node = node->next) {
		if (!mw_plan_is_host(node))
			make_device(reader, node);
	}
}

/* The type of a host node that fits the wire, or NULL after a diagnostic. */
static const struct mw_device_type *host_type(struct mw_plan_reader *reader, struct mw_tree *node,
					      const struct mw_wire *wire)
{
	struct mw_tree *name = mw_tree_get(node, "type");
	const struct mw_registry *registry = reader->draft->registry;
	const struct mw_device_type *type = mw_registry_find(registry, name->text);

	if (type && type->backend &&
	    mw_registry_backend(registry, type->backend, wire->kind) == type)
		return type;
	mw_plan_refuse(reader, name->span, "`%s` is no backend for a %s", name->text,
		       mw_kind_name(wire->kind));
	return NULL;
}

static void make_host(struct mw_plan_reader *reader, struct mw_tree *node)
{
	struct mw_tree *link = mw_lookup_find(&reader->hosts, node->key);
	struct mw_tree *from = mw_tree_get(link, "from");
	const char *id, *name;

	if (!link) {
		mw_plan_refuse(reader, node->key_span, "`links` connects nothing to `%s`",
			       node->key);
		return;
	}
	if (!mw_plan_end(reader, from, &id, &name))
		return;
	struct mw_draft_node *owner = mw_draft_find(reader->draft, id);
	const struct mw_wire *wire = owner ? mw_type_wire(owner->type, name) : NULL;

	if (!owner) /* it has failed, and that has been told */
		return;
	if (!wire || !mw_wire_has_host_side(wire)) {
		mw_plan_refuse(reader, from->span, "`%s` (%s) has no wire `%s` to the host side",
			       id, owner->type->name, name);
		return;
	}
	const struct mw_device_type *type = host_type(reader, node, wire);

	if (!type)
		return;
	if (owner->linked && owner->linked[wire - owner->type->wires.items]) {
		mw_plan_refuse(reader, from->span, "`%s` is connected already", from->text);
		return;
	}
	struct mw_draft_node *backend =
		mw_backend_add(reader->draft, owner, wire, type, node->key_span);

	if (strcmp(backend->id, node->key) != 0)
		mw_plan_refuse(reader, node->key_span, "the backend of `%s` is `%s`, not `%s`",
			       from->text, backend->id, node->key);
	mw_values_check(reader->draft, backend, make_props(reader, node), NULL);
	owner->failed |= backend->failed;
}

void mw_plan_hosts(struct mw_plan_reader *reader)
{
	for (struct mw_tree *node = reader->nodes ? reader->nodes->first : NULL; node;
	     node = node->next) {
		if (mw_plan_is_host(node))
			make_host(reader, node);
	}
}

/* "NAME", or "NAME:N" for one of several lines. */
static bool is_claim(const struct mw_draft_claim *claim, const char *text)
{
	size_t length = strlen(claim->name);
	uint64_t index;

	if (strncmp(claim->name, text, length) != 0)
		return false;
	if (claim->kind != MW_CLAIM_IRQ || claim->wire->count <= 1)
		return !text[length];
	return text[length] == ':' && mw_tree_int(text + length + 1, &index) &&
	       index == claim->wire_index;
}

static void mark_claim(struct mw_plan_reader *reader, struct mw_draft_node *node,
		       const struct mw_tree *name)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (is_claim(&node->claims[i], name->text)) {
			node->claims[i].automatic = true;
			return;
		}
	}
	mw_plan_refuse(reader, name->span, "`%s` has no claim `%s`", node->id, name->text);
}

void mw_plan_marks(struct mw_plan_reader *reader)
{
	for (struct mw_tree *tree = reader->nodes ? reader->nodes->first : NULL; tree;
	     tree = tree->next) {
		struct mw_draft_node *node = mw_draft_find(reader->draft, tree->key);
		struct mw_tree *claims = mw_tree_get(tree, "auto");
		struct mw_tree *chosen = mw_tree_get(tree, "address_auto");

		if (!node)
			continue;
		node->address_automatic = node->address && chosen && !strcmp(chosen->text, "true");
		for (struct mw_tree *name = claims ? claims->first : NULL; name; name = name->next)
			mark_claim(reader, node, name);
	}
}
