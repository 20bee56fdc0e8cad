/* Backends: host nodes behind the streams and images of devices. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/typecheck.h"

bool mw_wire_has_host_side(const struct mw_wire *wire)
{
	return (wire->kind == MW_STREAM || wire->kind == MW_IMAGE ||
		(wire->kind == MW_DISPLAY && wire->on_draw)) &&
	       wire->direction == MW_DRIVES && wire->count <= 1;
}

static size_t index_of(const struct mw_draft_node *node, const struct mw_wire *wire)
{
	return (size_t)(wire - node->type->wires.items);
}

static const struct mw_wire *wire_of(const struct mw_device_type *type, enum mw_kind kind)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		if (type->wires.items[i].kind == kind)
			return &type->wires.items[i];
	}
	return NULL;
}

static size_t host_sides(const struct mw_device_type *type)
{
	size_t count = 0;

	for (size_t i = 0; i < type->wires.count; i++)
		count += mw_wire_has_host_side(&type->wires.items[i]);
	return count;
}

struct mw_draft_node *mw_backend_add(struct mw_draft *draft, struct mw_draft_node *node,
				     const struct mw_wire *wire, const struct mw_device_type *type,
				     struct mw_span span)
{
	struct mw_arena *arena = &draft->plan->arena;
	const char *id = host_sides(node->type) == 1
				 ? mw_arena_printf(arena, "%s.backend", node->id)
				 : mw_arena_printf(arena, "%s.%s.backend", node->id, wire->name);
	struct mw_draft_node *backend = mw_draft_add_node(draft, id);

	backend->type = type;
	backend->owner = node;
	backend->span = span;
	backend->host = true;
	backend->bus_id = backend->bus_kind = "sys";
	backend->depth_state = MW_DEPTH_KNOWN;
	backend->placement = node->placement;
	if (!node->linked)
		node->linked = mw_arena_alloc(draft->arena, node->type->wires.count,
					      sizeof(*node->linked));
	node->linked[index_of(node, wire)] = backend;
	*mw_draft_add_link(draft) = (struct mw_draft_link){
		.node = { node, backend }, .wire = { wire, wire_of(type, wire->kind) }, .span = span
	};
	return backend;
}

/* The type and wire a key of `backend:` means on this node, or on its wire `only`; a key fits one wire at
 * most. */
static const struct mw_device_type *find_backend(struct mw_draft *draft,
						 const struct mw_draft_node *node,
						 const struct mw_wire *only, const char *key,
						 const struct mw_wire **wire)
{
	const struct mw_device_type *found = NULL;

	for (size_t i = 0; i < node->type->wires.count; i++) {
		const struct mw_wire *candidate = &node->type->wires.items[i];
		const struct mw_device_type *type =
			mw_wire_has_host_side(candidate) && (!only || candidate == only)
				? mw_registry_backend(draft->registry, key, candidate->kind)
				: NULL;

		if (type && !found) {
			found = type;
			*wire = candidate;
		}
	}
	return found;
}

static void unknown_backend(struct mw_draft *draft, struct mw_draft_node *node,
			    const struct mw_wire *only, struct mw_span span, const char *key)
{
	const char **names =
		mw_arena_alloc(draft->arena, draft->registry->count + 1, sizeof(*names));
	const struct mw_wire *wire;
	size_t count = 0, used = 0;
	char list[300] = "";

	for (size_t i = 0; i < draft->registry->count; i++) {
		const char *name = draft->registry->types[i]->backend;

		if (!name ||
		    find_backend(draft, node, only, name, &wire) != draft->registry->types[i])
			continue;
		names[count++] = name;
		int length =
			snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", name);

		if (length > 0 && (size_t)length < sizeof(list) - used)
			used += (size_t)length;
	}
	struct mw_diag *diag = key ? mw_draft_error(draft, "S102", span, node, "backend",
						    "`%s` is no backend for %s; there are: %s", key,
						    node->type->name, list)
				   : mw_draft_error(draft, "S102", span, node, "backend",
						    "`backend` names none of: %s", list);

	if (key)
		mw_suggest(draft->diagnostics, diag, key, names);
}

/* `{ KEY: main value, PROPERTY: value, ... }`: the first key that is a backend's. */
static void check_map(struct mw_draft *draft, struct mw_draft_node *node,
		      const struct mw_wire *only, struct mw_tree *tree)
{
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		const struct mw_wire *wire = NULL;
		const struct mw_device_type *type =
			find_backend(draft, node, only, child->key, &wire);

		if (!type)
			continue;
		struct mw_draft_node *backend = mw_backend_add(draft, node, wire, type, tree->span);

		mw_values_check(draft, backend, tree, child->key);
		node->failed |= backend->failed;
		return;
	}
	/* An empty map is what is left of `{ file: $(optional) }`. */
	if (tree->first)
		unknown_backend(draft, node, only, tree->span,
				tree->count == 1 ? tree->first->key : NULL);
}

static void check_host_side(struct mw_draft *draft, struct mw_draft_node *node,
			    const struct mw_wire *only, struct mw_tree *tree)
{
	if (tree->kind == MW_TREE_MAP) {
		check_map(draft, node, only, tree);
		return;
	}
	const struct mw_wire *wire = NULL;
	const char *key = mw_draft_text(draft, tree, node, "backend", "a backend");
	const struct mw_device_type *type =
		key ? find_backend(draft, node, only, key, &wire) : NULL;

	if (!key)
		return;
	if (!type) {
		unknown_backend(draft, node, only, tree->span, key);
		return;
	}
	struct mw_draft_node *backend = mw_backend_add(draft, node, wire, type, tree->span);

	mw_values_check(draft, backend, NULL, NULL);
	node->failed |= backend->failed;
}

static const struct mw_wire *host_side(const struct mw_draft_node *node, const char *name)
{
	const struct mw_wire *wire = mw_type_wire(node->type, name);

	return wire && mw_wire_has_host_side(wire) ? wire : NULL;
}

/* A node with several wires to the host side may name them: `{ WIRE: { KEY: ... }, ... }`. */
static bool names_wires(const struct mw_draft_node *node)
{
	return host_sides(node->type) > 1 && node->backend->kind == MW_TREE_MAP &&
	       node->backend->first && host_side(node, node->backend->first->key);
}

static void check_named(struct mw_draft *draft, struct mw_draft_node *node)
{
	for (struct mw_tree *child = node->backend->first; child; child = child->next) {
		const struct mw_wire *wire = host_side(node, child->key);

		if (wire)
			check_host_side(draft, node, wire, child);
		else
			mw_draft_error(draft, "S101", child->key_span, node, "backend",
				       "%s has no wire `%s` to the host side", node->type->name,
				       child->key);
	}
}

void mw_backend_check(struct mw_draft *draft, struct mw_draft_node *node)
{
	if (!node->backend)
		return;
	if (!host_sides(node->type))
		mw_draft_error(draft, "S101", node->backend->key_span, node, "backend",
			       "%s has no wire to the host side", node->type->name);
	else if (names_wires(node))
		check_named(draft, node);
	else
		check_host_side(draft, node, NULL, node->backend);
}

void mw_backend_rest(struct mw_draft *draft, struct mw_draft_node *node)
{
	for (size_t i = 0; i < node->type->wires.count && !node->failed; i++) {
		const struct mw_wire *wire = &node->type->wires.items[i];

		if (!mw_wire_has_host_side(wire) || (node->linked && node->linked[i]))
			continue;
		const struct mw_device_type *null =
			mw_registry_backend(draft->registry, "null", wire->kind);

		if (wire->kind == MW_STREAM && null && !wire->optional) {
			struct mw_draft_node *backend =
				mw_backend_add(draft, node, wire, null, node->span);

			mw_values_check(draft, backend, NULL, NULL);
		} else if (!wire->optional) {
			mw_draft_error(draft, "S117", node->span, node, "backend",
				       "`%s` needs a `backend` for `%s`: %s", node->id, wire->name,
				       wire->help);
		}
	}
}

/* What one machine has once: the type, or the file that is written. */
struct use {
	struct mw_draft_node *backend;
	struct mw_span span;
};

static void take(struct mw_draft *draft, struct mw_lookup *taken, struct use use, const char *name)
{
	struct use *here = mw_arena_alloc(draft->arena, 1, sizeof(*here));
	struct use *first = mw_lookup_add(taken, draft->arena, name, here);

	*here = use;
	if (!first)
		return;
	bool blame_first = mw_span_to_blame(first->span, use.span);
	const struct use *late = blame_first ? first : here, *early = blame_first ? here : first;
	bool once = use.backend->type->exclusive;
	struct mw_diag *diag =
		mw_draft_error(draft, "X606", late->span, late->backend->owner, "backend",
			       once ? "`%s` and `%s` both use `%s`, which is there once"
				    : "`%s` and `%s` both write the file `%s`",
			       early->backend->owner->id, late->backend->owner->id, name);

	mw_diag_note(draft->diagnostics, diag, early->span, "`%s` has it",
		     early->backend->owner->id);
	mw_diag_help(draft->diagnostics, diag,
		     once ? "give one of them another backend, such as { file: PATH }"
			  : "give each a file of its own");
}

/* /dev/null takes what anybody writes. */
static bool is_sink(const char *path)
{
	return !*path || !strcmp(path, "/dev/null");
}

void mw_backends_exclusive(struct mw_draft *draft)
{
	struct mw_lookup types = { 0 }, files = { 0 };

	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (!node->host || !node->owner || node->failed || node->owner->failed ||
		    node->owner->dropped)
			continue;
		if (node->type->exclusive)
			take(draft, &types, (struct use){ node, node->span }, node->type->name);
		for (size_t v = 0; v < node->type->properties.count; v++) {
			const struct mw_plan_value *value = &node->values[v];

			if (value->property->is_written && value->text && !is_sink(value->text))
				take(draft, &files, (struct use){ node, value->span }, value->text);
		}
	}
}
