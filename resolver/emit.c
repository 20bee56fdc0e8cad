/* From draft to plan: order, indices, copies of what must outlive the run. */
// SPDX-License-Identifier: MIT
#include "resolver/emit.h"

#include <stdlib.h>
#include <string.h>

static int node_order(const void *a, const void *b)
{
	return mw_draft_order(*(struct mw_draft_node *const *)a, *(struct mw_draft_node *const *)b);
}

/* Domain and line; explicit wires last, by the pin they end at. */
static int net_order(const void *a, const void *b)
{
	const struct mw_draft_net *left = *(struct mw_draft_net *const *)a;
	const struct mw_draft_net *right = *(struct mw_draft_net *const *)b;

	if (!left->domain != !right->domain)
		return left->domain ? -1 : 1;
	if (left->domain) {
		int order = strcmp(left->domain, right->domain);

		return order ? order : left->line < right->line ? -1 : left->line > right->line;
	}
	uint32_t first = left->sink_nodes[0]->index, second = right->sink_nodes[0]->index;

	if (first != second)
		return first < second ? -1 : 1;
	if (left->sinks[0].wire != right->sinks[0].wire)
		return left->sinks[0].wire < right->sinks[0].wire ? -1 : 1;
	return left->sinks[0].index < right->sinks[0].index
		       ? -1
		       : left->sinks[0].index > right->sinks[0].index;
}

static int link_order(const void *a, const void *b)
{
	const struct mw_draft_link *left = a, *right = b;

	if (left->node[0] != right->node[0])
		return left->node[0]->index < right->node[0]->index ? -1 : 1;
	if (left->wire[0] != right->wire[0])
		return left->wire[0] < right->wire[0] ? -1 : 1;
	return left->index[0] < right->index[0] ? -1 : left->index[0] > right->index[0];
}

static const char *overlay_name(struct mw_draft *draft, const struct mw_draft_claim *claim)
{
	const struct mw_draft_claim *target = claim->node->overlay_target;

	if (!claim->overlaps_target)
		return NULL;
	return mw_arena_printf(&draft->plan->arena, "%s.%s", target->node->id, target->name);
}

static void emit_claims(struct mw_draft *draft, const struct mw_draft_node *node,
			struct mw_plan_node *out)
{
	struct mw_plan_claim *claims =
		mw_arena_alloc(&draft->plan->arena, node->claim_count, sizeof(*claims));

	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_draft_claim *claim = &node->claims[i];

		claims[i] = (struct mw_plan_claim){
			.kind = claim->kind,
			.name = claim->name,
			.region = claim->region,
			.base = claim->base,
			.length = claim->length,
			.net = claim->net ? claim->net->index : 0,
			.wire = claim->wire,
			.wire_index = claim->wire_index,
			.pin = claim->pin,
			.channel = claim->kind == MW_CLAIM_DMA ? (uint32_t)claim->line : 0,
			.vectors = claim->kind == MW_CLAIM_MSI ? (uint32_t)claim->line : 0,
			.automatic = claim->automatic,
			.overlays = overlay_name(draft, claim),
			.span = claim->tree->span,
		};
	}
	out->claims = claims;
	out->claim_count = node->claim_count;
}

static void emit_nodes(struct mw_draft *draft)
{
	struct mw_plan *plan = draft->plan;
	size_t count = 0;

	for (size_t i = 0; i < draft->node_count; i++) {
		if (!draft->nodes[i]->dropped)
			draft->nodes[count++] = draft->nodes[i];
	}
	draft->node_count = count;
	if (count)
		qsort(draft->nodes, count, sizeof(struct mw_draft_node *), node_order);
	for (size_t i = 0; i < count; i++)
		draft->nodes[i]->index = (uint32_t)i;
	if (draft->net_count)
		qsort(draft->nets, draft->net_count, sizeof(struct mw_draft_net *), net_order);
	for (size_t i = 0; i < draft->net_count; i++)
		draft->nets[i]->index = (uint32_t)i;
	struct mw_plan_node *nodes = mw_arena_alloc(&plan->arena, count, sizeof(*nodes));

	for (size_t i = 0; i < count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		nodes[i] = (struct mw_plan_node){
			.id = node->id,
			.type = node->type,
			.bus = node->bus_id,
			.bus_node = node->bus ? node->bus->index : UINT32_MAX,
			.address = node->address,
			.address_automatic = node->address_automatic,
			.host = node->host,
			.vtl = node->vtl,
			.values = node->values,
			.value_count = node->type->properties.count,
			.span = node->span,
		};
		nodes[i].placement = node->placement == MW_PLACEMENT_OWN   ? MW_PLACEMENT_OWN
				     : node->placement == MW_PLACEMENT_CPU ? MW_PLACEMENT_CPU
									   : MW_PLACEMENT_SHARED;
		nodes[i].on_error =
			node->on_error == MW_ON_ERROR_STOP ? MW_ON_ERROR_STOP : MW_ON_ERROR_REPORT;
		emit_claims(draft, node, &nodes[i]);
	}
	plan->nodes = nodes;
	plan->node_count = count;
}

static void emit_nets(struct mw_draft *draft)
{
	struct mw_plan *plan = draft->plan;
	struct mw_plan_net *nets = mw_arena_alloc(&plan->arena, draft->net_count, sizeof(*nets));

	for (size_t i = 0; i < draft->net_count; i++) {
		const struct mw_draft_net *net = draft->nets[i];
		bool shared = net->user_count > 1;

		for (size_t u = 0; u < net->user_count; u++)
			shared |= net->users[u]->share;
		for (size_t s = 0; s < net->sink_count; s++)
			net->sinks[s].node = net->sink_nodes[s]->index;
		nets[i] = (struct mw_plan_net){
			.domain = net->domain,
			.line = net->line,
			.gsi = net->gsi,
			.trigger = net->users[0]->trigger,
			.polarity = net->users[0]->polarity,
			.shared = shared,
			.sinks = net->sinks,
			.sink_count = net->sink_count,
		};
	}
	plan->nets = nets;
	plan->net_count = draft->net_count;
}

static void emit_links(struct mw_draft *draft)
{
	struct mw_plan *plan = draft->plan;
	struct mw_plan_link *links =
		mw_arena_alloc(&plan->arena, draft->link_count, sizeof(*links));

	/* A link between two devices stands once, from the one that comes first in the plan. */
	for (size_t i = 0; i < draft->link_count; i++) {
		struct mw_draft_link *link = &draft->links[i];
		struct mw_draft_link turned = { { link->node[1], link->node[0] },
						{ link->wire[1], link->wire[0] },
						{ link->index[1], link->index[0] },
						link->span };

		if (link->node[0]->index > link->node[1]->index)
			*link = turned;
	}
	if (draft->link_count)
		qsort(draft->links, draft->link_count, sizeof(*draft->links), link_order);
	for (size_t i = 0; i < draft->link_count; i++) {
		const struct mw_draft_link *link = &draft->links[i];

		links[i] = (struct mw_plan_link){ { link->node[0]->index, link->node[1]->index },
						  { link->wire[0], link->wire[1] },
						  { link->index[0], link->index[1] },
						  link->span };
	}
	plan->links = links;
	plan->link_count = draft->link_count;
}

static const char *copy(struct mw_draft *draft, const char *text)
{
	return text ? mw_arena_strdup(&draft->plan->arena, text) : NULL;
}

static void emit_header(struct mw_draft *draft)
{
	const struct mw_document *document = draft->document;
	struct mw_plan *plan = draft->plan;
	size_t count = 0;

	while (document->bases && document->bases[count])
		count++;
	const char **bases = mw_arena_alloc(&plan->arena, count + 1, sizeof(*bases));

	for (size_t i = 0; i < count; i++)
		bases[i] = copy(draft, document->bases[i]);
	plan->bases = bases;
	plan->name = copy(draft, document->name);
	plan->summary = copy(draft, document->summary);
	plan->arch = copy(draft, document->arch);
	plan->version = document->version;
	plan->ram = draft->ram;
	plan->ram_count = draft->ram_count;
	for (size_t i = 0; i < draft->domain_count; i++) {
		if (draft->domain_nodes[i])
			draft->domains[i].sink.node = draft->domain_nodes[i]->index;
	}
	plan->domains = draft->domains;
	plan->domain_count = draft->domain_count;
}

void mw_emit(struct mw_draft *draft)
{
	emit_nodes(draft);
	emit_header(draft);
	emit_nets(draft);
	emit_links(draft);
}
