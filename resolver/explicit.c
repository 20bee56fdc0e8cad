/* Explicit wires: `wires: { NAME: NODE.WIRE }`. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "core/registry.h"
#include "resolver/typecheck.h"
#include "resolver/wire.h"

/* "WIRE" or "WIRE:N" of a node; false after a diagnostic at `span`. */
static bool find_element(struct mw_draft *draft, struct mw_draft_node *asker, struct mw_span span,
			 struct mw_draft_node *node, const char *text, struct mw_wire_end *end)
{
	const char *colon = strchr(text, ':');
	const char *name =
		colon ? mw_arena_strndup(draft->arena, text, (size_t)(colon - text)) : text;
	uint64_t index = 0;

	end->node = node;
	end->wire = mw_type_wire(node->type, name);
	if (!end->wire || (colon && !mw_tree_int(colon + 1, &index))) {
		size_t count = node->type->wires.count;
		const char **names = mw_arena_alloc(draft->arena, count + 1, sizeof(*names));
		struct mw_diag *diag = mw_draft_error(draft, "S101", span, asker, "wires",
						      "`%s` (%s) has no wire `%s`", node->id,
						      node->type->name, text);

		for (size_t i = 0; i < count; i++)
			names[i] = node->type->wires.items[i].name;
		mw_suggest(draft->diagnostics, diag, name, names);
		return false;
	}
	uint32_t count = mw_wire_count(node, end->wire);

	end->index = (uint32_t)index;
	if (index < count && (colon || count == 1))
		return true;
	mw_draft_error(draft, "S103", span, asker, "wires", "`%s.%s` has elements :0 to :%" PRIu32,
		       node->id, name, count ? count - 1 : 0);
	return false;
}

/* "NODE.WIRE": ids may hold dots, wires do not. */
static bool find_target(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree,
			struct mw_wire_end *end)
{
	const char *text = mw_draft_text(draft, tree, node, "wires", "NODE.WIRE");
	const char *dot = text ? strrchr(text, '.') : NULL;

	if (!text)
		return false;
	if (!dot) {
		mw_draft_error(draft, "S102", tree->span, node, "wires",
			       "expected NODE.WIRE, found `%s`", text);
		return false;
	}
	const char *id = mw_arena_strndup(draft->arena, text, (size_t)(dot - text));
	struct mw_draft_node *target = mw_draft_find(draft, id);

	if (!target) {
		mw_draft_no_node(draft, "S102", tree->span, node, "wires", id);
		return false;
	}
	return find_element(draft, node, tree->span, target, dot + 1, end);
}

static bool taken(const struct mw_draft_node *node, const struct mw_wire *wire, uint32_t index)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		if (node->claims[i].wire == wire && node->claims[i].wire_index == index)
			return true;
	}
	return false;
}

static void connect_line(struct mw_draft *draft, struct mw_tree *tree, struct mw_wire_end from,
			 struct mw_wire_end to)
{
	struct mw_draft_node *node = from.node;

	if (from.wire->direction != MW_DRIVES || to.wire->direction != MW_RECEIVES) {
		mw_draft_error(draft, "S102", tree->span, node, "wires",
			       "a line runs from a wire that drives to one that receives");
		return;
	}
	if (taken(node, from.wire, from.index)) {
		mw_draft_error(draft, "S102", tree->span, node, "wires",
			       "`%s` is connected already", tree->key);
		return;
	}
	node->claims[node->claim_count++] = (struct mw_draft_claim){
		.node = node,
		.tree = tree,
		.kind = MW_CLAIM_IRQ,
		.name = from.wire->name,
		.wire = from.wire,
		.wire_index = from.index,
		.target = to.node,
		.target_wire = to.wire,
		.target_index = to.index,
	};
}

static struct mw_draft_node **peer(struct mw_draft *draft, struct mw_wire_end end)
{
	if (!end.node->linked)
		end.node->linked = mw_arena_alloc(draft->arena, end.node->type->wires.count,
						  sizeof(*end.node->linked));
	return &end.node->linked[end.wire - end.node->type->wires.items];
}

static void connect_stream(struct mw_draft *draft, struct mw_tree *tree, struct mw_wire_end from,
			   struct mw_wire_end to)
{
	struct mw_draft_node **here = peer(draft, from), **there = peer(draft, to);

	if (*here == to.node && *there == from.node)
		return; /* both ends name each other */
	if (*here || *there || from.node == to.node) {
		mw_draft_error(draft, "S102", tree->span, from.node, "wires",
			       "`%s` is connected already", *here ? tree->key : tree->text);
		return;
	}
	*here = to.node;
	*there = from.node;
	*mw_draft_add_link(draft) = (struct mw_draft_link){ .node = { from.node, to.node },
							    .wire = { from.wire, to.wire },
							    .index = { from.index, to.index },
							    .span = tree->span };
}

void mw_wire_explicit(struct mw_draft *draft, struct mw_draft_node *node)
{
	struct mw_tree *wires = node->wires;

	if (!wires)
		return;
	if (wires->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", wires->span, node, "wires",
			       "expected a map of wires");
		return;
	}
	for (struct mw_tree *child = wires->first; child; child = child->next) {
		struct mw_wire_end from, to;

		if (!strncmp(child->key, "x-", 2))
			continue;
		if (!find_element(draft, node, child->key_span, node, child->key, &from) ||
		    !find_target(draft, node, child, &to))
			continue;
		if (from.wire->kind != to.wire->kind)
			mw_draft_error(draft, "S102", child->span, node, "wires",
				       "`%s` is a %s, `%s` is a %s", child->key,
				       mw_kind_name(from.wire->kind), child->text,
				       mw_kind_name(to.wire->kind));
		else if (from.wire->kind == MW_LINE)
			connect_line(draft, child, from, to);
		else if (from.wire->kind == MW_STREAM)
			connect_stream(draft, child, from, to);
		else
			mw_draft_error(draft, "S102", child->span, node, "wires",
				       "a %s is not connected by `wires`",
				       mw_kind_name(from.wire->kind));
	}
	mw_claims_sort(node);
}
