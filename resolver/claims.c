/* Claims: ranges against the type's regions, interrupt lines against its wires. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "resolver/rules.h"
#include "resolver/typecheck.h"

enum { PORTS = 0x10000, PAGE = 4096 };
/* No CPU of this architecture has more physical address bits (SDM vol. 3, 4.1.4). */
#define MEMORY_END (UINT64_C(1) << 52)

/* A node's claims while they are collected; `key` is the one being read. */
struct claims {
	struct mw_draft *draft;
	struct mw_draft_node *node;
	const char *key;
};

static const char *key_of(enum mw_space space)
{
	return space == MW_SPACE_PORT ? "io" : "mmio";
}

/* What the type calls its ranges of this space: "cmd, data". */
static const char *region_names(struct claims *claims, enum mw_space space)
{
	const struct mw_device_type *type = claims->node->type;
	char list[200] = "";
	size_t used = 0;

	for (size_t i = 0; i < type->regions.count && used < sizeof(list); i++) {
		if (type->regions.items[i].space != space)
			continue;
		int length = snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
				      type->regions.items[i].name);

		used += length > 0 ? (size_t)length : 0;
	}
	return mw_arena_strdup(&claims->draft->diagnostics->arena, list);
}

static bool parse_number(struct claims *claims, struct mw_tree *tree, const char *text,
			 uint64_t *value)
{
	if (mw_tree_int(text, value) || mw_tree_size(text, value))
		return true;
	mw_draft_no_number(claims->draft, tree, claims->node, claims->key, text);
	return false;
}

/* BASE, BASE+LEN, auto or auto+LEN; a length of 0 means "not said". */
static bool parse_range(struct claims *claims, struct mw_tree *tree, struct mw_draft_claim *claim)
{
	const char *text = mw_draft_text(claims->draft, tree, claims->node, claims->key, "a range");

	if (!text)
		return false;
	if (tree->host) {
		mw_draft_error(claims->draft, "S102", tree->span, claims->node, claims->key,
			       "a host-scoped parameter cannot place what the guest sees");
		return false;
	}
	if (tree->link) {
		mw_draft_error(claims->draft, "S102", tree->span, claims->node, claims->key,
			       "a claim cannot refer to the place of another one");
		return false;
	}
	const char *plus = strchr(text, '+');
	const char *base =
		plus ? mw_arena_strndup(claims->draft->arena, text, (size_t)(plus - text)) : text;

	claim->automatic = !strcmp(base, "auto");
	if (!claim->automatic && !parse_number(claims, tree, base, &claim->base))
		return false;
	if (plus && !parse_number(claims, tree, plus + 1, &claim->length))
		return false;
	if (!plus || claim->length)
		return true;
	mw_draft_error(claims->draft, "S103", tree->span, claims->node, claims->key,
		       "a range of no length claims nothing");
	return false;
}

static bool check_length(struct claims *claims, struct mw_draft_claim *claim)
{
	uint64_t own = claim->region->size;

	if (own && (!claim->length || claim->length == own)) {
		claim->length = own;
		return true;
	}
	if (!own && claim->length)
		return true;
	if (own)
		mw_draft_error(claims->draft, "S103", claim->tree->span, claims->node, claims->key,
			       "`%s` of %s is 0x%" PRIx64 " bytes long, not 0x%" PRIx64,
			       claim->name, claims->node->type->name, own, claim->length);
	else
		mw_draft_error(claims->draft, "S117", claim->tree->span, claims->node, claims->key,
			       "`%s` of %s has no length of its own; write BASE+LENGTH",
			       claim->name, claims->node->type->name);
	return false;
}

/* Backed regions become slots of the accelerator: whole pages. */
static bool check_alignment(struct claims *claims, struct mw_draft_claim *claim)
{
	bool backed = claim->region->backing != MW_BACKING_CALLS;

	claim->align = claim->region->align ? claim->region->align : backed ? PAGE : 1;
	if (claim->region->bar) /* a base address register holds no other */
		claim->align = claim->length;
	if (!claim->automatic && claim->base & (claim->align - 1)) {
		struct mw_diag *diag = mw_draft_error(
			claims->draft, "R308", claim->tree->span, claims->node, claims->key,
			"0x%" PRIx64 " is not aligned: `%s` of %s needs 0x%" PRIx64, claim->base,
			claim->name, claims->node->type->name, claim->align);

		mw_mend_base(claims->draft, diag, claim,
			     mw_arena_printf(claims->draft->arena, "0x%" PRIx64,
					     claim->base & ~(claim->align - 1)));
		return false;
	}
	if (backed && claim->length % PAGE) {
		mw_draft_error(claims->draft, "R308", claim->tree->span, claims->node, claims->key,
			       "0x%" PRIx64 " bytes are no whole number of 4 KiB pages",
			       claim->length);
		return false;
	}
	return true;
}

static bool check_bounds(struct claims *claims, struct mw_draft_claim *claim)
{
	uint64_t end = claim->kind == MW_CLAIM_IO ? PORTS : MEMORY_END;

	if (claim->length <= end && (claim->automatic || claim->base <= end - claim->length))
		return true;
	mw_draft_error(claims->draft, "S103", claim->tree->span, claims->node, claims->key,
		       "0x%" PRIx64 "+0x%" PRIx64 " goes beyond the last %s, 0x%" PRIx64,
		       claim->base, claim->length, claim->kind == MW_CLAIM_IO ? "port" : "address",
		       end - 1);
	return false;
}

static void add_range(struct claims *claims, struct mw_tree *tree, const struct mw_region *region)
{
	struct mw_draft_claim *claim = &claims->node->claims[claims->node->claim_count];

	*claim = (struct mw_draft_claim){
		.node = claims->node,
		.tree = tree,
		.kind = region->space == MW_SPACE_PORT ? MW_CLAIM_IO : MW_CLAIM_MMIO,
		.name = region->name,
		.region = region,
	};
	if (!parse_range(claims, tree, claim) || !check_length(claims, claim) ||
	    !check_bounds(claims, claim) || !check_alignment(claims, claim))
		return;
	claim->placed = !claim->automatic;
	claims->node->claim_count++;
}

/* The one that has to be claimed, or the only one at all. */
static const struct mw_region *only_region(const struct mw_device_type *type, enum mw_space space)
{
	const struct mw_region *needed = NULL, *any = NULL;
	size_t needed_count = 0, count = 0;

	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->space != space)
			continue;
		any = region;
		count++;
		if (region->optional)
			continue;
		needed = region;
		needed_count++;
	}
	if (needed_count == 1)
		return needed;
	return count == 1 ? any : NULL;
}

static void unknown_region(struct claims *claims, struct mw_tree *child, enum mw_space space)
{
	const struct mw_device_type *type = claims->node->type;
	const char **names =
		mw_arena_alloc(claims->draft->arena, type->regions.count + 1, sizeof(*names));
	size_t count = 0;
	struct mw_diag *diag =
		mw_draft_error(claims->draft, "S101", child->key_span, claims->node, claims->key,
			       "%s has no range `%s` in `%s`", type->name, child->key, claims->key);

	for (size_t i = 0; i < type->regions.count; i++) {
		if (type->regions.items[i].space == space)
			names[count++] = type->regions.items[i].name;
	}
	mw_suggest(claims->draft->diagnostics, diag, child->key, names);
}

static void check_region_names(struct claims *claims, struct mw_tree *tree, enum mw_space space)
{
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		const struct mw_region *region = mw_type_region(claims->node->type, child->key);

		if ((!region || region->space != space) && strncmp(child->key, "x-", 2) != 0)
			unknown_region(claims, child, space);
	}
}

/* A single range needs no name; several are named, and stand in the order of the type's table. */
static void check_space(struct claims *claims, struct mw_tree *tree, enum mw_space space)
{
	const struct mw_device_type *type = claims->node->type;

	claims->key = key_of(space);
	if (tree && tree->kind != MW_TREE_MAP) {
		const struct mw_region *only = only_region(type, space);

		if (only) {
			add_range(claims, tree, only);
			return;
		}
		const char *names = region_names(claims, space);

		mw_draft_error(claims->draft, *names ? "S102" : "S101", tree->span, claims->node,
			       claims->key,
			       *names ? "%s claims several ranges by name: %s" : "%s takes no %s%s",
			       type->name, *names ? names : claims->key, "");
		return;
	}
	if (tree)
		check_region_names(claims, tree, space);
	for (size_t i = 0; i < type->regions.count && !claims->node->failed; i++) {
		const struct mw_region *region = &type->regions.items[i];
		struct mw_tree *child = tree ? mw_tree_get(tree, region->name) : NULL;

		if (region->space != space)
			continue;
		if (child)
			add_range(claims, child, region);
		else if (!region->optional)
			mw_draft_error(claims->draft, "S117", claims->node->span, claims->node,
				       claims->key, "`%s` needs a range for `%s` in `%s`",
				       claims->node->id, region->name, claims->key);
	}
}

/* "9", "isa:9" or "auto", also behind a domain. */
static bool parse_line(struct claims *claims, struct mw_tree *tree, struct mw_draft_claim *claim)
{
	const char *text =
		mw_draft_text(claims->draft, tree, claims->node, "irq", "an interrupt line");

	if (!text)
		return false;
	const char *colon = strchr(text, ':'), *line = colon ? colon + 1 : text;

	claim->tree = tree;
	claim->domain = colon ? mw_arena_strndup(claims->draft->arena, text, (size_t)(colon - text))
			      : mw_bus_kind(claims->node->bus_kind)->domain;
	claim->automatic = !strcmp(line, "auto");
	if (tree->host || tree->link) {
		mw_draft_error(claims->draft, "S102", tree->span, claims->node, "irq",
			       "a line may depend on guest parameters only");
		return false;
	}
	if (!claim->automatic && !mw_tree_int(line, &claim->line)) {
		mw_draft_no_number(claims->draft, tree, claims->node, "irq", line);
		return false;
	}
	if (claim->domain)
		return true;
	mw_draft_error(claims->draft, "R305", tree->span, claims->node, "irq",
		       "a bus of kind %s has no interrupt lines; name a domain, such as gsi:%s",
		       claims->node->bus_kind, line);
	return false;
}

static const char *const long_keys[] = { "line", "trigger", "polarity", "share", NULL };

static bool is_long_key(const char *key)
{
	const char *const *name = long_keys;

	while (*name && strcmp(*name, key) != 0)
		name++;
	return *name != NULL;
}

static void parse_detail(struct claims *claims, struct mw_tree *child, struct mw_draft_claim *claim)
{
	static const char *const triggers[] = { "edge", "level", NULL };
	static const char *const polarities[] = { "high", "low", NULL };

	if (!strcmp(child->key, "line")) {
		parse_line(claims, child, claim);
	} else if (!strcmp(child->key, "trigger")) {
		claim->trigger_said = true;
		claim->trigger =
			mw_draft_member(claims->draft, child, claims->node, "irq", triggers) == 1
				? MW_TRIGGER_LEVEL
				: MW_TRIGGER_EDGE;
	} else if (!strcmp(child->key, "polarity")) {
		claim->polarity_said = true;
		claim->polarity =
			mw_draft_member(claims->draft, child, claims->node, "irq", polarities) == 1
				? MW_POLARITY_LOW
				: MW_POLARITY_HIGH;
	} else if (!strcmp(child->key, "share")) {
		if (child->kind != MW_TREE_SCALAR || !mw_tree_bool(child->text, &claim->share))
			mw_draft_error(claims->draft, "S102", child->span, claims->node, "irq",
				       "expected `true` or `false`");
	} else {
		struct mw_diag *diag =
			mw_draft_error(claims->draft, "S101", child->key_span, claims->node, "irq",
				       "a line has no key `%s`", child->key);

		mw_suggest(claims->draft->diagnostics, diag, child->key, long_keys);
	}
}

static void add_line(struct claims *claims, struct mw_tree *tree, const struct mw_wire *wire,
		     uint32_t index)
{
	struct mw_draft_claim *claim = &claims->node->claims[claims->node->claim_count];

	*claim = (struct mw_draft_claim){ .node = claims->node,
					  .tree = tree,
					  .kind = MW_CLAIM_IRQ,
					  .name = wire->name,
					  .wire = wire,
					  .wire_index = index };
	if (tree->kind != MW_TREE_MAP) {
		if (parse_line(claims, tree, claim))
			claims->node->claim_count++;
		return;
	}
	for (struct mw_tree *child = tree->first; child; child = child->next)
		parse_detail(claims, child, claim);
	if (!claims->node->failed && !mw_tree_get(tree, "line"))
		mw_draft_error(claims->draft, "S117", tree->span, claims->node, "irq",
			       "`irq` does not say which `line`");
	if (!claims->node->failed)
		claims->node->claim_count++;
}

static bool drives(const struct mw_wire *wire)
{
	return wire->kind == MW_LINE && wire->direction == MW_DRIVES;
}

/* Where PCI's INTx leads follows from `intx`; only a plan says both. */
static bool takes_line(const struct claims *claims, const struct mw_wire *wire)
{
	return drives(wire) && (!wire->intx || claims->draft->from_plan);
}

/* The wire an `irq:` without a name means: `irq`, or the only one. */
static const struct mw_wire *main_wire(const struct claims *claims)
{
	const struct mw_device_type *type = claims->node->type;
	const struct mw_wire *only = NULL;
	size_t count = 0;

	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!takes_line(claims, wire))
			continue;
		if (!strcmp(wire->name, "irq") && wire->count <= 1)
			return wire;
		only = wire;
		count += wire->count ? wire->count : 1;
	}
	return count == 1 ? only : NULL;
}

/* "NAME" or "NAME:N". */
static const struct mw_wire *find_wire(struct claims *claims, struct mw_tree *child,
				       uint32_t *index)
{
	const char *colon = strchr(child->key, ':');
	const char *name = colon ? mw_arena_strndup(claims->draft->arena, child->key,
						    (size_t)(colon - child->key))
				 : child->key;
	const struct mw_wire *wire = mw_type_wire(claims->node->type, name);
	uint64_t number = 0;

	if (!wire || !takes_line(claims, wire) ||
	    (colon && (wire->count <= 1 || !mw_tree_int(colon + 1, &number)))) {
		mw_draft_error(claims->draft, "S101", child->key_span, claims->node, "irq",
			       "%s drives no line `%s`", claims->node->type->name, child->key);
		return NULL;
	}
	if (number >= (wire->count ? wire->count : 1) || (!colon && wire->count > 1)) {
		mw_draft_error(claims->draft, "S103", child->key_span, claims->node, "irq",
			       "`%s` of %s is one of `%s:0` to `%s:%zu`", child->key,
			       claims->node->type->name, name, name,
			       wire->count ? wire->count - 1 : 0);
		return NULL;
	}
	*index = (uint32_t)number;
	return wire;
}

static bool is_long_form(const struct mw_tree *tree)
{
	for (const struct mw_tree *child = tree->first; child; child = child->next) {
		if (is_long_key(child->key))
			return true;
	}
	return false;
}

/* Ranges in the order of the type's regions, then the rest in the order of its wires. */
static int by_row(const struct mw_draft_claim *a, const struct mw_draft_claim *b)
{
	bool line_a = a->wire, line_b = b->wire;

	if (line_a != line_b)
		return line_a ? 1 : -1;
	if (!line_a)
		return a->region < b->region ? -1 : a->region > b->region;
	if (a->wire != b->wire)
		return a->wire < b->wire ? -1 : 1;
	return a->wire_index < b->wire_index ? -1 : a->wire_index > b->wire_index;
}

/* They are few and mostly in order: by insertion. */
void mw_claims_sort(struct mw_draft_node *node)
{
	for (size_t i = 1; i < node->claim_count; i++) {
		struct mw_draft_claim claim = node->claims[i];
		size_t at = i;

		for (; at && by_row(&node->claims[at - 1], &claim) > 0; at--)
			node->claims[at] = node->claims[at - 1];
		node->claims[at] = claim;
	}
}

static void check_lines(struct claims *claims)
{
	struct mw_tree *tree = claims->node->irq;

	claims->key = "irq";
	if (!tree)
		return;
	if (tree->kind != MW_TREE_MAP || is_long_form(tree)) {
		const struct mw_wire *wire = main_wire(claims);

		if (wire)
			add_line(claims, tree, wire, 0);
		else
			mw_draft_error(claims->draft, "S101", tree->span, claims->node, "irq",
				       "%s has no one line that `irq` could mean",
				       claims->node->type->name);
		return;
	}
	for (struct mw_tree *child = tree->first; child && !claims->node->failed;
	     child = child->next) {
		uint32_t index = 0;
		const struct mw_wire *wire = find_wire(claims, child, &index);

		if (wire)
			add_line(claims, child, wire, index);
	}
}

static size_t most_claims(const struct mw_draft_node *node)
{
	size_t count = node->type->regions.count;

	for (size_t i = 0; i < node->type->wires.count; i++) {
		const struct mw_wire *wire = &node->type->wires.items[i];

		if (drives(wire) || wire->channel || wire->vectors)
			count += wire->count ? wire->count : 1;
	}
	return count;
}

void mw_claims_check(struct mw_draft *draft, struct mw_draft_node *node)
{
	struct claims claims = { .draft = draft, .node = node };

	node->claims = mw_arena_alloc(draft->arena, most_claims(node), sizeof(*node->claims));
	check_space(&claims, node->io, MW_SPACE_PORT);
	check_space(&claims, node->mmio, MW_SPACE_MEMORY);
	check_lines(&claims);
	mw_requests_check(draft, node);
	mw_claims_sort(node);
}
