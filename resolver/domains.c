/* Interrupt domains: which lines there are, and which pins each of them ends at. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/registry.h"
#include "resolver/wire.h"

uint32_t mw_wire_count(const struct mw_draft_node *node, const struct mw_wire *wire)
{
	size_t count = wire->count ? wire->count : 1, index = 0;

	if (!wire->count_property)
		return (uint32_t)count;
	if (!mw_type_property(node->type, wire->count_property))
		return (uint32_t)count;
	while (strcmp(node->type->properties.items[index].name, wire->count_property) != 0)
		index++;
	uint64_t said = node->values[index].number;

	return (uint32_t)(said < count ? said : count);
}

const struct mw_wire *mw_wire_input(const struct mw_device_type *type)
{
	const struct mw_wire *found = NULL;

	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (wire->kind != MW_LINE || wire->direction != MW_RECEIVES)
			continue;
		if (found)
			return NULL;
		found = wire;
	}
	return found;
}

struct mw_draft_net **mw_wire_pin(struct mw_draft *draft, struct mw_wire_end end)
{
	assert(end.wire && "an end is a wire of its node");
	size_t row = (size_t)(end.wire - end.node->type->wires.items);

	if (!end.node->pins)
		end.node->pins = mw_arena_alloc(draft->arena, end.node->type->wires.count,
						sizeof(*end.node->pins));
	if (!end.node->pins[row])
		end.node->pins[row] =
			mw_arena_alloc(draft->arena, end.wire->count ? end.wire->count : 1,
				       sizeof(**end.node->pins));
	return &end.node->pins[row][end.index];
}

/* The row of interrupt inputs that is named, or the only one. */
static const struct mw_wire *input_of(const struct mw_device_type *type, const char *name)
{
	const struct mw_wire *wire = name ? mw_type_wire(type, name) : mw_wire_input(type);

	return wire && wire->kind == MW_LINE && wire->direction == MW_RECEIVES ? wire : NULL;
}

static void refuse_input(struct mw_domains *domains, const struct mw_tree *tree,
			 const struct mw_draft_node *node, const char *wire)
{
	if (wire)
		mw_draft_error(domains->draft, "R305", tree->span, NULL, "irq",
			       "`%s` (%s) has no interrupt inputs `%s`", node->id, node->type->name,
			       wire);
	else
		mw_draft_error(domains->draft, "R305", tree->span, NULL, "irq",
			       "`%s` (%s) has no one row of interrupt inputs", node->id,
			       node->type->name);
}

/* "NODE", a node with one row of interrupt inputs, or "NODE.WIRE"; ":PIN" may follow. */
static bool read_end(struct mw_domains *domains, struct mw_tree *tree, struct mw_wire_end *end)
{
	struct mw_draft *draft = domains->draft;
	const char *text = mw_draft_text(draft, tree, NULL, "irq", "a node");
	uint64_t pin = 0;

	if (!text)
		return false;
	const char *colon = strchr(text, ':'), *dot = strchr(text, '.');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	size_t id_length = dot && (size_t)(dot - text) < length ? (size_t)(dot - text) : length;
	const char *id = mw_arena_strndup(draft->arena, text, id_length);
	const char *wire = id_length == length ? NULL
					       : mw_arena_strndup(draft->arena, dot + 1,
								  length - id_length - 1);

	if (colon && !mw_tree_int(colon + 1, &pin)) {
		mw_draft_no_number(draft, tree, NULL, "irq", colon + 1);
		return false;
	}
	end->node = mw_draft_find(draft, id);
	if (!end->node) {
		mw_draft_no_node(draft, "R305", tree->span, NULL, "irq", id);
		return false;
	}
	end->wire = input_of(end->node->type, wire);
	end->index = (uint32_t)pin;
	if (!end->wire) {
		refuse_input(domains, tree, end->node, wire);
		return false;
	}
	if (pin < mw_wire_count(end->node, end->wire))
		return true;
	mw_draft_error(draft, "R305", tree->span, NULL, "irq", "`%s` has pins 0-%" PRIu32, id,
		       mw_wire_count(end->node, end->wire) - 1);
	return false;
}

void mw_domain_target(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree)
{
	struct mw_wire_end end;

	if (!read_end(domains, tree, &end)) {
		domain->failed = true;
		return;
	}
	domain->targets =
		mw_draft_room(domains->draft->arena, domain->targets, domain->target_count,
			      &domain->target_capacity, sizeof(*domain->targets));
	domain->targets[domain->target_count++] = end;
}

/* Calls for a scalar, or for every item of a list. */
static void each(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree,
		 void (*call)(struct mw_domains *, struct mw_domain *, struct mw_tree *))
{
	if (!tree)
		return;
	if (tree->kind != MW_TREE_LIST) {
		call(domains, domain, tree);
		return;
	}
	for (struct mw_tree *item = tree->first; item; item = item->next)
		call(domains, domain, item);
}

static void reserve(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree)
{
	uint64_t line;

	if (!mw_draft_number(domains->draft, tree, NULL, "irq", false, &line))
		return;
	if (line < domain->lines)
		domain->reserved[line] = true;
	else
		mw_draft_error(domains->draft, "R305", tree->span, NULL, "irq",
			       "`%s` has lines 0-%" PRIu32, domain->name, domain->lines - 1);
}

static void map_line(struct mw_domains *domains, struct mw_domain *domain,
		     struct mw_domain_map *map, struct mw_tree *tree)
{
	bool list = tree->kind == MW_TREE_LIST;
	struct mw_tree *item = list ? tree->first : tree;

	map->said = true;
	map->ends =
		mw_arena_alloc(domains->draft->arena, list ? tree->count : 1, sizeof(*map->ends));
	for (; item; item = list ? item->next : NULL) {
		if (read_end(domains, item, &map->ends[map->count]))
			map->count++;
		else
			domain->failed = true;
	}
}

static void read_map(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *map)
{
	if (map && map->kind != MW_TREE_MAP) {
		mw_draft_error(domains->draft, "S102", map->span, NULL, "irq",
			       "expected a map of lines");
		return;
	}
	for (struct mw_tree *child = map ? map->first : NULL; child; child = child->next) {
		uint64_t line;

		if (!mw_tree_int(child->key, &line) || line >= domain->lines)
			mw_draft_error(domains->draft, "R305", child->key_span, NULL, "irq",
				       "`%s` has lines 0-%" PRIu32 "; found `%s`", domain->name,
				       domain->lines - 1, child->key);
		else
			map_line(domains, domain, &domain->maps[line], child);
	}
}

static bool make_lines(struct mw_domains *domains, struct mw_domain *domain, uint64_t lines,
		       struct mw_span span)
{
	struct mw_arena *arena = domains->draft->arena;

	if (!lines || lines > MW_LINES_MAX) {
		mw_draft_error(domains->draft, "S103", span, NULL, "irq",
			       "%" PRIu64 " is outside of 1 to %d (`lines`)", lines, MW_LINES_MAX);
		return false;
	}
	domains->line_count += span.source ? lines : 0; /* the built-in one is small */
	if (domains->line_count > MW_LINES_TOTAL) {
		mw_draft_error(domains->draft, "S103", span, NULL, "irq",
			       "with these the domains have %zu lines together, more than %d",
			       domains->line_count, MW_LINES_TOTAL);
		domains->line_count -= lines;
		return false;
	}
	domain->lines = (uint32_t)lines;
	domain->reserved = mw_arena_alloc(arena, lines, sizeof(*domain->reserved));
	domain->nets = mw_arena_alloc(arena, lines, sizeof(*domain->nets));
	domain->maps = mw_arena_alloc(arena, lines, sizeof(*domain->maps));
	mw_lookup_add(&domains->by_name, arena, domain->name, domain);
	return true;
}

/* PCI lines are level-triggered and active low (PCI 3.0, 2.2.6); ISA ones rise. */
static void set_defaults(struct mw_domain *domain)
{
	bool pci = !strcmp(domain->name, "pci");

	domain->trigger = pci ? MW_TRIGGER_LEVEL : MW_TRIGGER_EDGE;
	domain->polarity = pci ? MW_POLARITY_LOW : MW_POLARITY_HIGH;
}

static void read_domain(struct mw_domains *domains, struct mw_domain *domain, struct mw_tree *tree)
{
	static const char *const keys[] = {
		"lines", "to", "map", "reserve", "swizzle", "pins", NULL
	};
	struct mw_draft *draft = domains->draft;
	struct mw_tree *lines = mw_tree_get(tree, "lines"), *to = mw_tree_get(tree, "to");
	uint64_t count;

	domain->name = mw_arena_strdup(&draft->plan->arena, tree->key);
	domain->span = tree->key_span;
	set_defaults(domain);
	if (!mw_draft_keys(draft, tree, "irq", keys, NULL) ||
	    !mw_swizzle_read(domains, domain, tree))
		return;
	if (!to || (!lines && !domain->swizzle)) {
		mw_draft_missing(draft, tree, "irq", "the domain `%s` needs `%s`", tree->key,
				 to ? "lines" : "to");
		return;
	}
	count = domain->lines_needed;
	if ((lines && !mw_draft_number(draft, lines, NULL, "irq", false, &count)) ||
	    !make_lines(domains, domain, count, lines ? lines->span : tree->key_span))
		return;
	if (!domain->swizzle)
		each(domains, domain, to, mw_domain_target);
	else if (mw_draft_text(draft, to, NULL, "irq", "one domain or node"))
		domain->to = to;
	else
		domain->failed = true;
	each(domains, domain, mw_tree_get(tree, "reserve"), reserve);
	read_map(domains, domain, mw_tree_get(tree, "map"));
}

static int by_order(const void *a, const void *b)
{
	return mw_draft_order(*(struct mw_draft_node *const *)a, *(struct mw_draft_node *const *)b);
}

/* Global system interrupts count the pins of one I/O APIC after the other (ACPI 6.5, 5.2.13). */
static void number_ioapics(struct mw_domains *domains)
{
	struct mw_draft *draft = domains->draft;
	size_t capacity = 0;
	uint32_t next = 0;

	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (node->failed || node->dropped || !mw_type_role(node->type, MW_ROLE_IOAPIC) ||
		    !mw_wire_input(node->type))
			continue;
		domains->ioapics =
			mw_draft_room(draft->arena, domains->ioapics, domains->ioapic_count,
				      &capacity, sizeof(struct mw_draft_node *));
		domains->ioapics[domains->ioapic_count++] = node;
	}
	if (domains->ioapic_count)
		qsort(domains->ioapics, domains->ioapic_count, sizeof(struct mw_draft_node *),
		      by_order);
	domains->gsi_bases =
		mw_arena_alloc(draft->arena, domains->ioapic_count, sizeof(*domains->gsi_bases));
	for (size_t i = 0; i < domains->ioapic_count; i++) {
		domains->gsi_bases[i] = next;
		next += mw_wire_count(domains->ioapics[i],
				      mw_wire_input(domains->ioapics[i]->type));
	}
}

/* Where a profile does not say what `gsi` is, line n is global system interrupt n. */
static void add_builtin_gsi(struct mw_domains *domains)
{
	struct mw_domain *domain = &domains->items[domains->count];
	struct mw_draft *draft = domains->draft;
	size_t last = domains->ioapic_count - 1;
	const struct mw_wire *wire = mw_wire_input(domains->ioapics[last]->type);
	uint32_t lines = domains->gsi_bases[last] + mw_wire_count(domains->ioapics[last], wire);

	*domain = (struct mw_domain){ .name = "gsi" };
	set_defaults(domain);
	if (lines > MW_LINES_MAX)
		lines = MW_LINES_MAX;
	if (!lines || !make_lines(domains, domain, lines, (struct mw_span){ 0 }))
		return;
	domain->targets =
		mw_arena_alloc(draft->arena, domains->ioapic_count, sizeof(*domain->targets));
	domains->count++;
}

void mw_domains_read(struct mw_domains *domains, struct mw_draft *draft)
{
	struct mw_tree *irq = mw_tree_get(draft->document->root, "irq");
	size_t count = irq && irq->kind == MW_TREE_MAP ? irq->count : 0;

	domains->draft = draft;
	domains->items = mw_arena_alloc(draft->arena, count + 1, sizeof(*domains->items));
	number_ioapics(domains);
	if (irq && irq->kind != MW_TREE_MAP)
		mw_draft_error(draft, "S102", irq->span, NULL, "irq", "expected a map of domains");
	for (struct mw_tree *tree = count ? irq->first : NULL; tree; tree = tree->next) {
		if (strncmp(tree->key, "x-", 2) != 0)
			read_domain(domains, &domains->items[domains->count++], tree);
	}
	if (!mw_tree_get(irq, "gsi") && domains->ioapic_count)
		add_builtin_gsi(domains);
	mw_swizzles_finish(domains);
}

/* The ends of a line: what `map` says, else each target whose pins reach that far. */
static size_t find_ends(struct mw_domains *domains, struct mw_domain *domain, uint32_t line,
			struct mw_wire_end **out)
{
	size_t count = 0;

	if (domain->maps[line].said) {
		*out = domain->maps[line].ends;
		return domain->maps[line].count;
	}
	bool builtin = !domain->span.source && !domain->target_count;

	*out = mw_arena_alloc(domains->draft->arena, domain->target_count + 1, sizeof(**out));
	for (size_t i = 0; builtin && i < domains->ioapic_count; i++) {
		struct mw_draft_node *node = domains->ioapics[i];
		const struct mw_wire *wire = mw_wire_input(node->type);

		if (line >= domains->gsi_bases[i] &&
		    line - domains->gsi_bases[i] < mw_wire_count(node, wire))
			(*out)[count++] =
				(struct mw_wire_end){ node, wire, line - domains->gsi_bases[i] };
	}
	for (size_t i = 0; i < domain->target_count; i++) {
		struct mw_wire_end end = domain->targets[i];

		end.index += line;
		if (end.index < mw_wire_count(end.node, end.wire))
			(*out)[count++] = end;
	}
	return count;
}

static uint32_t gsi_of(const struct mw_domains *domains, struct mw_wire_end end)
{
	for (size_t i = 0; i < domains->ioapic_count; i++) {
		if (domains->ioapics[i] == end.node)
			return domains->gsi_bases[i] + end.index;
	}
	return MW_NO_GSI;
}

static const char *net_name(struct mw_draft *draft, const struct mw_draft_net *net)
{
	if (!net->domain)
		return "an explicit wire";
	return mw_arena_printf(&draft->diagnostics->arena, "line %" PRIu32 " of `%s`", net->line,
			       net->domain);
}

/* "pic has pins 0-15, ioapic has pins 0-23" */
static const char *reach(struct mw_domains *domains, const struct mw_domain *domain)
{
	struct mw_arena *arena = &domains->draft->diagnostics->arena;
	const char *text = "";

	for (size_t i = 0; i < domain->target_count && i < 8; i++) {
		const struct mw_wire_end *end = &domain->targets[i];

		text = mw_arena_printf(arena, "%s%s`%s` has pins 0-%" PRIu32, text, i ? ", " : "",
				       end->node->id, mw_wire_count(end->node, end->wire) - 1);
	}
	return text;
}

/* True when the claim, if any, was told why this line cannot be used. */
static bool unusable(struct mw_domains *domains, struct mw_domain *domain, uint64_t line,
		     struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;

	if (line < domain->lines && !domain->reserved[line])
		return false;
	if (!claim)
		return true;
	struct mw_diag *diag =
		line < domain->lines
			? mw_draft_error(draft, "R305", claim->tree->span, claim->node, "irq",
					 "line %" PRIu64 " of `%s` is reserved", line, domain->name)
			: mw_draft_error(draft, "R305", claim->tree->span, claim->node, "irq",
					 "there is no line %" PRIu64 ": `%s` has lines 0-%" PRIu32,
					 line, domain->name, domain->lines - 1);

	if (domain->span.source)
		mw_diag_note(draft->diagnostics, diag, domain->span, "`%s` is described here",
			     domain->name);
	return true;
}

static struct mw_draft_net *make_net(struct mw_domains *domains, struct mw_domain *domain,
				     uint32_t line, const struct mw_wire_end *ends, size_t count)
{
	struct mw_draft *draft = domains->draft;
	struct mw_draft_net *net = mw_draft_add_net(draft);

	net->domain = domain->name;
	net->line = line;
	net->sinks = mw_arena_alloc(&draft->plan->arena, count, sizeof(*net->sinks));
	net->sink_nodes = mw_arena_alloc(draft->arena, count, sizeof(struct mw_draft_node *));
	net->sink_count = count;
	for (size_t i = 0; i < count; i++) {
		net->sinks[i] =
			(struct mw_plan_sink){ .wire = ends[i].wire, .index = ends[i].index };
		net->sink_nodes[i] = ends[i].node;
		*mw_wire_pin(draft, ends[i]) = net;
		if (net->gsi == MW_NO_GSI)
			net->gsi = gsi_of(domains, ends[i]);
	}
	domain->nets[line] = net;
	return net;
}

/* Two lines at one pin: the later of those who ask for them is to blame. */
static void refuse_pin(struct mw_domains *domains, const struct mw_domain *domain, uint64_t line,
		       struct mw_draft_claim *claim, const struct mw_draft_net *other,
		       struct mw_wire_end end)
{
	struct mw_draft *draft = domains->draft;
	struct mw_draft_claim *first = other->user_count ? other->users[0] : NULL;
	const char *mine = mw_arena_printf(&draft->diagnostics->arena, "line %" PRIu64 " of `%s`",
					   line, domain->name);
	const char *theirs = net_name(draft, other);
	bool swap = first && first->tree && mw_span_to_blame(first->tree->span, claim->tree->span);
	struct mw_draft_claim *blamed = swap ? first : claim, *known = swap ? claim : first;
	struct mw_diag *diag =
		mw_draft_error(draft, "R305", blamed->tree->span, blamed->node, "irq",
			       "%s ends at %s:%" PRIu32 ", where %s ends too", swap ? theirs : mine,
			       end.node->id, end.index, swap ? mine : theirs);

	claim->node->failed = true;
	if (known && known->tree)
		mw_diag_note(draft->diagnostics, diag, known->tree->span, "`%s` has it",
			     known->node->id);
}

struct mw_draft_net *mw_domain_net(struct mw_domains *domains, struct mw_domain *domain,
				   uint64_t line, struct mw_draft_claim *claim)
{
	struct mw_draft *draft = domains->draft;
	struct mw_wire_end *ends;

	if (unusable(domains, domain, line, claim))
		return NULL;
	if (domain->nets[line])
		return domain->nets[line];
	size_t count = find_ends(domains, domain, (uint32_t)line, &ends);

	for (size_t i = 0; i < count; i++) {
		const struct mw_draft_net *other = *mw_wire_pin(draft, ends[i]);

		if (!other)
			continue;
		if (claim)
			refuse_pin(domains, domain, line, claim, other, ends[i]);
		return NULL;
	}
	if (count)
		return make_net(domains, domain, (uint32_t)line, ends, count);
	if (claim && domain->failed)
		claim->node->failed = true;
	else if (claim)
		mw_draft_error(draft, "R305", claim->tree->span, claim->node, "irq",
			       "line %" PRIu64 " of `%s` leads to no pin%s%s", line, domain->name,
			       domain->target_count ? "; " : "", reach(domains, domain));
	return NULL;
}
