/* Types, buses and the keys of a device; values, claims and backends are next door. */
// SPDX-License-Identifier: MIT
#include "resolver/typecheck.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/rules.h"

enum { VTL_MAX = 2 };

const struct mw_bus_kind *mw_bus_kind(const char *name)
{
	static const struct mw_bus_kind kinds[] = {
		{ "sys", "gsi", true, MW_ADDRESS_NONE },
		{ "isa", "isa", true, MW_ADDRESS_NONE },
		{ "lpc", "isa", true, MW_ADDRESS_NONE },
		{ "pci", "pci", false, MW_ADDRESS_DEVFN },
		{ "pcie", "pci", false, MW_ADDRESS_DEVFN },
		{ "i2c", NULL, false, MW_ADDRESS_I2C },
		{ "ide", NULL, false, MW_ADDRESS_UNIT },
		{ "floppy", NULL, false, MW_ADDRESS_UNIT },
		{ NULL, NULL, false, MW_ADDRESS_NONE },
	};
	const struct mw_bus_kind *kind = kinds;

	while (kind->name && strcmp(kind->name, name) != 0)
		kind++;
	return kind;
}

/* Which field of the node a key of its body fills. */
static const struct body_key {
	const char *name;
	size_t offset;
} body_keys[] = {
	{ "at", offsetof(struct mw_draft_node, at) },
	{ "io", offsetof(struct mw_draft_node, io) },
	{ "mmio", offsetof(struct mw_draft_node, mmio) },
	{ "irq", offsetof(struct mw_draft_node, irq) },
	{ "props", offsetof(struct mw_draft_node, props) },
	{ "wires", offsetof(struct mw_draft_node, wires) },
	{ "backend", offsetof(struct mw_draft_node, backend) },
	{ "placement", offsetof(struct mw_draft_node, placement_tree) },
	{ "overlays", offsetof(struct mw_draft_node, overlays) },
	{ "dma", offsetof(struct mw_draft_node, dma) },
	{ "msi", offsetof(struct mw_draft_node, msi) },
	{ "intx", offsetof(struct mw_draft_node, intx) },
	{ "on_error", offsetof(struct mw_draft_node, on_error_tree) },
	{ "vtl", offsetof(struct mw_draft_node, vtl_tree) },
};
static const char *const body_ignored[] = { "type", "notes", NULL };
static const char *const body_names[] = { "type",    "at",        "io",       "mmio",  "irq",
					  "dma",     "msi",       "intx",     "props", "wires",
					  "backend", "placement", "on_error", "vtl",   "overlays",
					  "notes",   NULL };

static void take_key(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *child)
{
	for (size_t i = 0; i < sizeof(body_keys) / sizeof(body_keys[0]); i++) {
		if (!strcmp(body_keys[i].name, child->key)) {
			memcpy((char *)node + body_keys[i].offset, &child,
			       sizeof(struct mw_tree *));
			return;
		}
	}
	if (mw_name_in(child->key, body_ignored) || !strncmp(child->key, "x-", 2))
		return;
	struct mw_diag *diag = mw_draft_error(draft, "S101", child->key_span, node, child->key,
					      "a device has no key `%s`", child->key);

	mw_suggest(draft->diagnostics, diag, child->key, body_names);
}

static void find_type(struct mw_draft *draft, struct mw_draft_node *node, struct mw_tree *tree)
{
	if (!tree) {
		mw_draft_error(draft, "S117", node->span, node, NULL, "`%s` has no `type`",
			       node->id);
		return;
	}
	const char *name = mw_draft_text(draft, tree, node, "type", "a device type");

	if (!name)
		return;
	node->type = mw_registry_find(draft->registry, name);
	if (node->type && !node->type->backend)
		return;
	if (node->type) {
		mw_draft_error(draft, "S102", tree->span, node, "type",
			       "`%s` is the host side of a wire, no device", name);
		return;
	}
	struct mw_diag *diag = mw_draft_error(draft, "S102", tree->span, node, "type",
					      "there is no device type `%s`", name);
	const struct mw_device_type *nearest = mw_registry_nearest(draft->registry, name);

	if (nearest)
		mw_diag_help(draft->diagnostics, diag, "did you mean `%s`?", nearest->name);
}

static struct mw_draft_node *make_node(struct mw_draft *draft, struct mw_tree *tree)
{
	struct mw_draft_node *node =
		mw_draft_add_node(draft, mw_arena_strdup(&draft->plan->arena, tree->key));
	struct mw_tree *type = NULL;

	node->tree = tree;
	node->span = tree->key_span;
	if (tree->kind != MW_TREE_MAP) {
		mw_draft_error(draft, "S102", tree->span, node, NULL,
			       "expected a map of the device's keys");
		return node;
	}
	if (!strcmp(node->id, "sys"))
		mw_draft_error(draft, "S102", node->span, node, NULL,
			       "`sys` is the built-in root of the machine and cannot be a device");
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		if (!strcmp(child->key, "type"))
			type = child;
		else
			take_key(draft, node, child);
	}
	find_type(draft, node, type);
	return node;
}

/* "isa, sys": the kinds a type plugs into. */
static const char *kinds_of(struct mw_draft *draft, const struct mw_device_type *type)
{
	char list[200] = "sys, isa, lpc";
	size_t used = 0;

	for (size_t i = 0; type->buses && type->buses[i] && used < sizeof(list); i++) {
		int length = snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
				      type->buses[i]);

		used += length > 0 ? (size_t)length : 0;
	}
	return mw_arena_strdup(&draft->diagnostics->arena, list);
}

static void check_kind(struct mw_draft *draft, struct mw_draft_node *node)
{
	bool fits = node->type->buses ? mw_name_in(node->bus_kind, node->type->buses)
				      : mw_bus_kind(node->bus_kind)->claims;

	if (!fits)
		mw_draft_error(draft, "G202", node->at->span, node, "at",
			       "%s plugs into %s; `%s` is a bus of kind %s", node->type->name,
			       kinds_of(draft, node->type), node->bus_id, node->bus_kind);
}

static void no_bus(struct mw_draft *draft, struct mw_draft_node *node)
{
	const struct mw_absent *absent = mw_document_absent(draft->document, node->bus_id);

	if (!absent || !absent->when_span.source) {
		mw_draft_no_node(draft, "G201", node->at->span, node, "at", node->bus_id);
		return;
	}
	struct mw_diag *diag =
		mw_draft_report(draft, MW_SEVERITY_WARNING, "G205", node->at->span, node, "at",
				"`%s` sits on `%s`, which `when` removed", node->id, node->bus_id);

	mw_diag_note(draft->diagnostics, diag, absent->when_span, "removed here");
	mw_mend_condition(draft, diag, node, absent->when_span);
	node->dropped = true;
}

static void find_bus(struct mw_draft *draft, struct mw_draft_node *node)
{
	if (!node->at) {
		mw_draft_error(draft, "S117", node->span, node, "at",
			       "`%s` does not say where it sits", node->id);
		return;
	}
	const char *text = mw_draft_text(draft, node->at, node, "at", "a bus");

	if (!text)
		return;
	const char *colon = strchr(text, ':');

	node->bus_id =
		colon ? mw_arena_strndup(&draft->plan->arena, text, (size_t)(colon - text)) : text;
	node->address = colon ? mw_arena_strdup(&draft->plan->arena, colon + 1) : NULL;
	if (!strcmp(node->bus_id, "sys")) {
		node->bus_id = node->bus_kind = "sys";
		check_kind(draft, node);
		return;
	}
	node->bus = mw_lookup_find(&draft->by_id, node->bus_id);
	if (!node->bus) {
		no_bus(draft, node);
		return;
	}
	node->bus_id = node->bus->id;
	if (node->bus->failed) {
		node->failed = true;
		return;
	}
	node->bus_kind = node->bus->type->provides;
	if (node->bus_kind)
		check_kind(draft, node);
	else
		mw_draft_error(draft, "G202", node->at->span, node, "at", "`%s` (%s) opens no bus",
			       node->bus_id, node->bus->type->name);
}

/* Walks up to a node of known depth and hands depth, failure and absence down again. */
static void find_depth(struct mw_draft *draft, struct mw_draft_node *node)
{
	struct mw_draft_node *at = node, *below = NULL;
	bool failed = false;

	while (at && at->depth_state == MW_DEPTH_UNKNOWN) {
		at->depth_state = MW_DEPTH_VISITING;
		at->below = below;
		failed |= at->failed;
		below = at;
		at = at->bus;
	}
	if (at && at->depth_state == MW_DEPTH_VISITING) {
		if (!failed)
			mw_draft_error(draft, "G205", at->at->span, at, "at",
				       "the chain of buses above `%s` leads back to itself, "
				       "never to `sys`",
				       at->id);
		at->failed = true;
	}
	while (below) {
		struct mw_draft_node *next = below->below;

		below->depth_state = MW_DEPTH_KNOWN;
		below->depth = at ? at->depth + 1 : 0;
		below->failed |= at && at->failed;
		below->dropped |= at && at->dropped;
		at = below;
		below = next;
	}
}

static void check_placement(struct mw_draft *draft, struct mw_draft_node *node)
{
	static const char *const placements[] = { "shared", "own", "cpu", NULL };

	node->placement = MW_PLACEMENT_SHARED;
	if (node->placement_tree)
		node->placement =
			mw_draft_member(draft, node->placement_tree, node, "placement", placements);
	if (node->placement == MW_PLACEMENT_CPU)
		mw_draft_error(draft, "S110", node->placement_tree->span, node, "placement",
			       "`placement: cpu` is not implemented yet");
}

/* What a failure of the host side does, and which trust level the device belongs to. */
static void check_standing(struct mw_draft *draft, struct mw_draft_node *node)
{
	static const char *const actions[] = { "report", "stop", NULL };
	struct mw_tree *tree = node->vtl_tree;
	uint64_t vtl = 0;

	if (node->on_error_tree)
		node->on_error =
			mw_draft_member(draft, node->on_error_tree, node, "on_error", actions);
	if (!tree)
		return;
	if (tree->host || tree->link)
		mw_draft_error(draft, "S102", tree->span, node, "vtl",
			       "a trust level may depend on guest parameters only");
	else if (mw_draft_number(draft, tree, node, "vtl", false, &vtl) && vtl > VTL_MAX)
		mw_draft_error(draft, "S103", tree->span, node, "vtl",
			       "%" PRIu64 " is outside of 0 to %d (`vtl`)", vtl, VTL_MAX);
	node->vtl = vtl > VTL_MAX ? 0 : (unsigned)vtl;
}

static bool usable(const struct mw_draft_node *node)
{
	return !node->failed && !node->dropped;
}

void mw_typecheck(struct mw_draft *draft)
{
	for (struct mw_tree *tree = draft->document->devices->first; tree; tree = tree->next)
		make_node(draft, tree);
	size_t count = draft->node_count; /* backends follow */

	for (size_t i = 0; i < count; i++) {
		if (!draft->nodes[i]->failed)
			find_bus(draft, draft->nodes[i]);
	}
	for (size_t i = 0; i < count; i++)
		find_depth(draft, draft->nodes[i]);
	mw_addresses_check(draft);
	for (size_t i = 0; i < count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (!usable(node))
			continue;
		check_placement(draft, node);
		check_standing(draft, node);
		mw_values_check(draft, node, node->props, NULL);
		mw_claims_check(draft, node);
		if (usable(node))
			mw_backend_check(draft, node);
	}
}
