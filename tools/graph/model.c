/* From a plan to what its picture shows. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/draft.h"
#include "tools/draw/text.h"
#include "tools/draw/words.h"
#include "tools/graph/graph.h"

enum { TEXT_COLUMNS = 30, CLAIMS_SHOWN = 4, ENTRY_LINES = 4 };

static struct mw_graph_text *add_text(struct mw_graph *graph, struct mw_graph_node *node,
				      const char *class, const char *text)
{
	node->texts = mw_draft_room(&graph->arena, node->texts, node->text_count,
				    &node->text_capacity, sizeof(*node->texts));
	node->texts[node->text_count] =
		(struct mw_graph_text){ mw_draw_cut(&graph->arena, text, TEXT_COLUMNS), class };
	return &node->texts[node->text_count++];
}

/* The first node that a line of a domain ends at is a controller, and so are the others. */
static void find_controllers(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;

	for (size_t i = 0; i < plan->net_count; i++) {
		for (size_t s = 0; plan->nets[i].domain && s < plan->nets[i].sink_count; s++) {
			struct mw_graph_node *node = &graph->nodes[plan->nets[i].sinks[s].node];

			if (node->kind == MW_GRAPH_DEVICE)
				node->kind = MW_GRAPH_CONTROLLER;
		}
	}
	graph->controllers =
		mw_arena_alloc(&graph->arena, plan->node_count + 1, sizeof(*graph->controllers));
	for (size_t i = 0; i < plan->node_count; i++) {
		if (graph->nodes[i].kind == MW_GRAPH_CONTROLLER)
			graph->controllers[graph->controller_count++] = (long)i;
	}
}

static void hang(struct mw_graph *graph, struct mw_graph_node *bus, long index)
{
	struct mw_graph_node *node = &graph->nodes[index];
	bool is_bus = node->kind == MW_GRAPH_BUS;
	long *first = is_bus ? &bus->first_bus : &bus->first_child;
	long *last = is_bus ? &bus->last_bus : &bus->last_child;

	if (*last == MW_GRAPH_NONE)
		*first = index;
	else if (is_bus)
		graph->nodes[*last].next_bus = index;
	else
		graph->nodes[*last].next_child = index;
	*last = index;
}

/* Backends with one link, to a device, are its foot. */
static void dock(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;
	uint32_t *links = mw_arena_alloc(&graph->arena, plan->node_count + 1, sizeof(*links));

	for (size_t i = 0; i < plan->link_count; i++) {
		links[plan->links[i].node[0]]++;
		links[plan->links[i].node[1]]++;
	}
	for (size_t i = 0; i < plan->link_count; i++) {
		for (unsigned side = 0; side < 2; side++) {
			uint32_t host = plan->links[i].node[side];
			uint32_t owner = plan->links[i].node[!side];

			if (!plan->nodes[host].host || plan->nodes[owner].host || links[host] != 1)
				continue;
			graph->nodes[host].kind = MW_GRAPH_DOCKED;
			graph->nodes[host].bus = (long)owner;
		}
	}
}

static void place_nodes(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;

	for (size_t i = 0; i < plan->node_count; i++) {
		struct mw_graph_node *node = &graph->nodes[i];
		uint32_t bus = plan->nodes[i].bus_node;

		if (node->kind == MW_GRAPH_DOCKED)
			continue;
		node->bus = node->kind == MW_GRAPH_HOST ? (long)graph->host
			    : bus == UINT32_MAX         ? (long)graph->sys
							: (long)bus;
		if (node->kind != MW_GRAPH_CONTROLLER)
			hang(graph, &graph->nodes[node->bus], (long)i);
	}
}

static size_t domain_of(struct mw_graph *graph, const char *name, long sink)
{
	for (size_t i = 0; i < graph->domain_count; i++) {
		if (graph->domains[i].sink == sink && !strcmp(graph->domains[i].name, name))
			return i;
	}
	graph->domains = mw_draft_room(&graph->arena, graph->domains, graph->domain_count,
				       &graph->domain_capacity, sizeof(*graph->domains));
	graph->domains[graph->domain_count] =
		(struct mw_graph_domain){ .name = name, .sink = sink, .left = INT32_MAX };
	return graph->domain_count++;
}

static void add_wire(struct mw_graph *graph, uint32_t a, uint32_t b, const char *text)
{
	struct mw_graph_node *ends[] = { &graph->nodes[a], &graph->nodes[b] };
	bool drawn = true;

	for (unsigned side = 0; side < 2; side++)
		drawn = drawn &&
			(ends[side]->kind == MW_GRAPH_DEVICE || ends[side]->kind == MW_GRAPH_HOST);
	graph->wires = mw_draft_room(&graph->arena, graph->wires, graph->wire_count,
				     &graph->wire_capacity, sizeof(*graph->wires));
	graph->wires[graph->wire_count++] =
		(struct mw_graph_wire){ .node = { a, b }, .text = text, .drawn = drawn };
	graph->drawn_wires += drawn;
	for (unsigned side = 0; drawn && side < 2; side++)
		ends[side]->wires++;
}

static void add_route(struct mw_graph *graph, uint32_t index, const struct mw_plan_claim *claim)
{
	const struct mw_plan *plan = graph->plan;
	const struct mw_plan_net *net = &plan->nets[claim->net];
	struct mw_graph_node *node = &graph->nodes[index];
	const char *where = mw_words_net(&graph->arena, plan, claim->net);
	long sink = net->domain || !net->sink_count ? MW_GRAPH_NONE : (long)net->sinks[0].node;
	bool to_controller = sink >= 0 && graph->nodes[sink].kind == MW_GRAPH_CONTROLLER;

	if (!net->domain && !to_controller) {
		if (sink >= 0)
			add_wire(graph, index, (uint32_t)sink,
				 mw_arena_printf(&graph->arena, "%s.%s - %s", node->id, claim->name,
						 where));
		return;
	}
	size_t domain = domain_of(graph, net->domain ? net->domain : graph->nodes[sink].id, sink);

	graph->domains[domain].route_count++;
	node->routes = mw_draft_room(&graph->arena, node->routes, node->route_count,
				     &node->route_capacity, sizeof(*node->routes));
	node->routes[node->route_count++] = (struct mw_graph_route){
		.node = index,
		.net = claim->net,
		.domain = domain,
		.label = net->domain
				 ? mw_arena_printf(&graph->arena, "%" PRIu32, net->line)
				 : mw_arena_printf(&graph->arena, "%" PRIu32, net->sinks[0].index),
		.tip = mw_arena_printf(&graph->arena, "%s.%s drives %s%s%s", node->id, claim->name,
				       where, claim->automatic ? ", placed automatically" : "",
				       net->shared ? ", shared" : ""),
	};
}

static void add_claims(struct mw_graph *graph, uint32_t index)
{
	struct mw_graph_node *node = &graph->nodes[index];
	const struct mw_plan_node *plan = node->plan;
	size_t shown = 0, most = node->kind == MW_GRAPH_BUS ? 2 : CLAIMS_SHOWN, left = 0;

	for (size_t i = 0; i < plan->claim_count; i++) {
		const struct mw_plan_claim *claim = &plan->claims[i];
		const char *words;

		if (claim->kind == MW_CLAIM_IRQ) {
			add_route(graph, index, claim);
			continue;
		}
		if (shown == most) {
			left++;
			continue;
		}
		shown++;
		words = mw_words_claim(&graph->arena, graph->plan, plan, claim);
		if (claim->automatic)
			words = mw_arena_printf(&graph->arena, "%s auto", words);
		add_text(graph, node, claim->automatic ? "auto" : "fact", words);
	}
	if (left)
		add_text(graph, node, "dim", mw_arena_printf(&graph->arena, "and %zu more", left));
}

static void add_heads(struct mw_graph *graph)
{
	for (size_t i = 0; i < graph->plan->node_count; i++) {
		struct mw_graph_node *node = &graph->nodes[i];

		if (node->kind == MW_GRAPH_DOCKED)
			continue;
		add_text(graph, node, "id", node->id);
		add_text(graph, node, "dim",
			 node->plan->host ? mw_words_backend(&graph->arena, node->plan)
					  : node->type);
		if (node->plan->address)
			add_text(graph, node, "dim",
				 mw_arena_printf(&graph->arena, "at %s%s",
						 mw_words_place(&graph->arena, node->plan),
						 node->plan->address_automatic ? " auto" : ""));
		else if (node->kind == MW_GRAPH_CONTROLLER && node->bus != (long)graph->sys)
			add_text(graph, node, "dim",
				 mw_arena_printf(&graph->arena, "at %s", node->plan->bus));
		add_claims(graph, (uint32_t)i);
	}
}

static void add_links(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;

	for (size_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_link *link = &plan->links[i];

		if (graph->nodes[link->node[0]].kind == MW_GRAPH_DOCKED ||
		    graph->nodes[link->node[1]].kind == MW_GRAPH_DOCKED)
			continue;
		const char *a = mw_words_end(&graph->arena, plan, link->node[0], link->wire[0],
					     link->index[0]);
		const char *b = mw_words_end(&graph->arena, plan, link->node[1], link->wire[1],
					     link->index[1]);

		add_wire(graph, link->node[0], link->node[1],
			 mw_arena_printf(&graph->arena, "%s - %s", a, b));
		add_text(graph, &graph->nodes[link->node[0]], "fact",
			 mw_arena_printf(&graph->arena, "%s - %s", link->wire[0]->name, b));
		add_text(graph, &graph->nodes[link->node[1]], "fact",
			 mw_arena_printf(&graph->arena, "%s - %s", link->wire[1]->name, a));
	}
}

/* "0>2 1 3 4": the lines of a domain that end at a node, with the pin where it is another. */
static void add_entries(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;

	for (size_t n = 0; n < plan->net_count; n++) {
		const struct mw_plan_net *net = &plan->nets[n];

		for (size_t s = 0; s < net->sink_count; s++) {
			const struct mw_plan_sink *sink = &net->sinks[s];
			struct mw_graph_node *node = &graph->nodes[sink->node];
			size_t domain, e = 0;

			if (node->kind != MW_GRAPH_CONTROLLER)
				continue;
			domain = net->domain ? domain_of(graph, net->domain, MW_GRAPH_NONE)
					     : domain_of(graph, node->id, (long)sink->node);
			while (e < node->entry_count && node->entries[e].domain != domain)
				e++;
			if (e < node->entry_count || e == MW_GRAPH_ENTRIES)
				continue;
			node->entries[node->entry_count++].domain = domain;
		}
	}
}

static const char *line_words(struct mw_graph *graph, const struct mw_plan_net *net,
			      const struct mw_plan_sink *sink)
{
	if (net->domain && net->line != sink->index)
		return mw_arena_printf(&graph->arena, "%" PRIu32 ">%" PRIu32, net->line,
				       sink->index);
	return mw_arena_printf(&graph->arena, "%" PRIu32, sink->index);
}

/* The texts of one entry, over a few lines of the box. */
struct filling {
	struct mw_graph *graph;
	struct mw_graph_node *node;
	const char *class;
	char line[TEXT_COLUMNS + 1];
	size_t used, lines, left;
};

static void flush(struct filling *filling)
{
	if (!filling->used)
		return;
	add_text(filling->graph, filling->node, filling->class,
		 mw_arena_strdup(&filling->graph->arena, filling->line));
	filling->used = 0;
	filling->lines++;
}

static void fill(struct filling *filling, const char *word)
{
	size_t length = strlen(word);

	if (filling->used + 1 + length > TEXT_COLUMNS)
		flush(filling);
	if (filling->lines == ENTRY_LINES) {
		filling->left++;
		return;
	}
	if (filling->used)
		filling->line[filling->used++] = ' ';
	if (length > TEXT_COLUMNS - filling->used)
		length = TEXT_COLUMNS - filling->used;
	memcpy(filling->line + filling->used, word, length);
	filling->used += length;
	filling->line[filling->used] = '\0';
}

static void fill_entry(struct mw_graph *graph, uint32_t index, struct mw_graph_entry *entry)
{
	static const char *const inks[] = { "ink0", "ink1", "ink2", "ink3",
					    "ink4", "ink5", "ink6", "ink7" };
	const struct mw_graph_domain *domain = &graph->domains[entry->domain];
	struct filling filling = { .graph = graph,
				   .node = &graph->nodes[index],
				   .class = inks[entry->domain % 8] };

	entry->row = filling.node->text_count;
	fill(&filling, domain->sink >= 0 ? "wired" : mw_draw_cut(&graph->arena, domain->name, 20));
	for (size_t n = 0; n < graph->plan->net_count; n++) {
		const struct mw_plan_net *net = &graph->plan->nets[n];
		bool ours = domain->sink >= 0 ? !net->domain
					      : net->domain && !strcmp(net->domain, domain->name);

		for (size_t s = 0; ours && s < net->sink_count; s++) {
			if (net->sinks[s].node == index)
				fill(&filling, line_words(graph, net, &net->sinks[s]));
		}
	}
	flush(&filling);
	if (filling.left)
		add_text(graph, filling.node, filling.class,
			 mw_arena_printf(&graph->arena, "and %zu more", filling.left));
}

static void add_feet(struct mw_graph *graph)
{
	for (size_t i = 0; i < graph->plan->node_count; i++) {
		struct mw_graph_node *owner;

		if (graph->nodes[i].kind != MW_GRAPH_DOCKED)
			continue;
		owner = &graph->nodes[graph->nodes[i].bus];
		add_text(graph, owner, "host",
			 mw_words_backend(&graph->arena, graph->nodes[i].plan));
		owner->feet++;
	}
}

static const char *tip_of(struct mw_graph *graph, const struct mw_graph_node *node)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	const char *tip;

	if (!out)
		return "";
	fprintf(out, "%s: %s\n%s", node->id, node->type, node->plan->type->summary);
	for (size_t i = 0; i < node->plan->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->plan->claims[i];

		fprintf(out, "\n%s%s%s%s",
			mw_words_claim(&graph->arena, graph->plan, node->plan, claim),
			claim->automatic ? " (placed automatically)" : "",
			claim->overlays ? " over " : "", claim->overlays ? claim->overlays : "");
	}
	fclose(out);
	tip = mw_arena_strdup(&graph->arena, text);
	free(text);
	return tip;
}

static void summarise(struct mw_graph *graph)
{
	const struct mw_plan *plan = graph->plan;
	size_t buses = 1, hosts = 0;

	for (size_t i = 0; i < plan->node_count; i++) {
		buses += graph->nodes[i].kind == MW_GRAPH_BUS;
		hosts += plan->nodes[i].host;
	}
	graph->title = mw_arena_printf(&graph->arena, "%s@%" PRIu32, plan->name, plan->version);
	graph->summary = mw_arena_printf(
		&graph->arena,
		"%zu nodes on %zu bus%s, %zu backend%s, %zu line%s in use, %" PRIu32
		" CPU%s (%s), %s of RAM; auto: placed by the resolver",
		plan->node_count - hosts, buses, buses == 1 ? "" : "es", hosts,
		hosts == 1 ? "" : "s", plan->net_count, plan->net_count == 1 ? "" : "s",
		plan->cpu.count, plan->cpu.count == 1 ? "" : "s", plan->cpu.model,
		mw_words_size(&graph->arena, plan->ram_bytes));
}

static void init_node(struct mw_graph_node *node, const struct mw_plan_node *plan)
{
	node->plan = plan;
	node->bus = node->first_bus = node->last_bus = node->next_bus = MW_GRAPH_NONE;
	node->first_child = node->last_child = node->next_child = MW_GRAPH_NONE;
	node->kind = MW_GRAPH_BUS;
	if (!plan)
		return;
	node->id = plan->id;
	node->type = plan->type->name;
	node->kind = plan->host             ? MW_GRAPH_HOST
		     : plan->type->provides ? MW_GRAPH_BUS
					    : MW_GRAPH_DEVICE;
}

void mw_graph_make(struct mw_graph *graph, const struct mw_plan *plan)
{
	*graph = (struct mw_graph){ .plan = plan,
				    .node_count = plan->node_count + 2,
				    .sys = plan->node_count,
				    .host = plan->node_count + 1 };
	graph->nodes = mw_arena_alloc(&graph->arena, graph->node_count, sizeof(*graph->nodes));
	for (size_t i = 0; i < graph->node_count; i++)
		init_node(&graph->nodes[i], i < plan->node_count ? &plan->nodes[i] : NULL);
	graph->nodes[graph->sys].id = "sys";
	graph->nodes[graph->sys].type = "ports and memory";
	graph->nodes[graph->host].id = "host";
	graph->nodes[graph->host].type = "backends of several devices, or of none";
	find_controllers(graph);
	dock(graph);
	place_nodes(graph);
	add_heads(graph);
	add_links(graph);
	add_entries(graph);
	for (size_t i = 0; i < plan->node_count; i++) {
		for (size_t e = 0; e < graph->nodes[i].entry_count; e++)
			fill_entry(graph, (uint32_t)i, &graph->nodes[i].entries[e]);
	}
	add_feet(graph);
	for (size_t i = 0; i < plan->node_count; i++)
		graph->nodes[i].tip = tip_of(graph, &graph->nodes[i]);
	summarise(graph);
}

void mw_graph_fini(struct mw_graph *graph)
{
	mw_arena_fini(&graph->arena);
}
