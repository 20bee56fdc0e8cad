/* The graph as DOT, as Mermaid and as JSON. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "tools/draw/text.h"
#include "tools/draw/words.h"
#include "tools/graph/graph.h"
#include "tools/json.h"

static const char *const colours[] = { "#cf222e", "#0969da", "#1a7f37", "#8250df",
				       "#bc4c00", "#0b7285", "#bf3989", "#57606a" };

static bool shown(const struct mw_graph *graph, size_t index)
{
	const struct mw_graph_node *node = &graph->nodes[index];

	if (index == graph->sys)
		return true;
	return index == graph->host ? node->first_child != MW_GRAPH_NONE
				    : node->kind != MW_GRAPH_DOCKED;
}

/* Every text of a node, with `between` between them. */
static void put_texts(const struct mw_graph_node *node, enum mw_draw_escape escape,
		      const char *between, FILE *out)
{
	if (!node->text_count)
		mw_draw_put(out, escape, node->id);
	for (size_t i = 0; i < node->text_count; i++) {
		fputs(i ? between : "", out);
		if (i && i + node->feet >= node->text_count)
			fputs("to ", out);
		mw_draw_put(out, escape, node->texts[i].text);
	}
}

static const char *dot_style(const struct mw_graph_node *node)
{
	static const char *const styles[] = {
		[MW_GRAPH_DEVICE] = "fillcolor=\"#f6f8fa\"",
		[MW_GRAPH_BUS] = "fillcolor=\"#33517a\", fontcolor=white, width=3",
		[MW_GRAPH_CONTROLLER] = "fillcolor=\"#fff8e6\", color=\"#9a6700\"",
		[MW_GRAPH_HOST] = "style=\"filled,dashed\", fillcolor=white",
		[MW_GRAPH_DOCKED] = "",
	};

	return styles[node->kind];
}

static void dot_routes(const struct mw_graph *graph, const struct mw_graph_node *node, size_t index,
		       FILE *out)
{
	for (size_t i = 0; i < node->route_count; i++) {
		const struct mw_graph_route *route = &node->routes[i];
		const struct mw_plan_net *net = &graph->plan->nets[route->net];

		for (size_t s = 0; s < net->sink_count; s++) {
			fprintf(out,
				"  n%zu -> n%" PRIu32 " [constraint=false, color=\"%s\", label=\"",
				index, net->sinks[s].node,
				colours[route->domain % (sizeof(colours) / sizeof(colours[0]))]);
			mw_draw_put(out, MW_ESCAPE_DOT, graph->domains[route->domain].name);
			fputc(' ', out);
			mw_draw_put(out, MW_ESCAPE_DOT, route->label);
			fputs("\"];\n", out);
		}
	}
}

void mw_graph_dot(const struct mw_graph *graph, FILE *out)
{
	fputs("digraph \"", out);
	mw_draw_put(out, MW_ESCAPE_DOT, graph->title);
	fputs("\" {\n  graph [rankdir=TB, label=\"", out);
	mw_draw_put(out, MW_ESCAPE_DOT, graph->title);
	fputs(": ", out);
	mw_draw_put(out, MW_ESCAPE_DOT, graph->summary);
	fputs("\"];\n  node [shape=box, style=filled, fontname=monospace, fontsize=10];\n"
	      "  edge [fontname=monospace, fontsize=9];\n",
	      out);
	for (size_t i = 0; i < graph->node_count; i++) {
		if (!shown(graph, i))
			continue;
		fprintf(out, "  n%zu [%s, label=\"", i, dot_style(&graph->nodes[i]));
		put_texts(&graph->nodes[i], MW_ESCAPE_DOT, "\\n", out);
		fputs("\"];\n", out);
	}
	for (size_t i = 0; i < graph->plan->node_count; i++) {
		if (shown(graph, i))
			fprintf(out, "  n%ld -> n%zu [arrowhead=none, penwidth=2];\n",
				graph->nodes[i].bus, i);
	}
	for (size_t i = 0; i < graph->plan->node_count; i++)
		dot_routes(graph, &graph->nodes[i], i, out);
	for (size_t i = 0; i < graph->wire_count; i++) {
		fprintf(out,
			"  n%" PRIu32 " -> n%" PRIu32
			" [style=dashed, dir=none, constraint=false, label=\"",
			graph->wires[i].node[0], graph->wires[i].node[1]);
		mw_draw_put(out, MW_ESCAPE_DOT, graph->wires[i].text);
		fputs("\"];\n", out);
	}
	fputs("}\n", out);
}

static void mermaid_node(const struct mw_graph *graph, size_t index, FILE *out)
{
	static const char *const brackets[][2] = {
		[MW_GRAPH_DEVICE] = { "[\"", "\"]" },
		[MW_GRAPH_BUS] = { "[[\"", "\"]]" },
		[MW_GRAPH_CONTROLLER] = { "{{\"", "\"}}" },
		[MW_GRAPH_HOST] = { "([\"", "\"])" },
		[MW_GRAPH_DOCKED] = { "", "" },
	};
	const struct mw_graph_node *node = &graph->nodes[index];

	fprintf(out, "  n%zu%s", index, brackets[node->kind][0]);
	put_texts(node, MW_ESCAPE_MERMAID, "<br/>", out);
	fprintf(out, "%s\n", brackets[node->kind][1]);
}

static void mermaid_routes(const struct mw_graph *graph, const struct mw_graph_node *node,
			   size_t index, FILE *out)
{
	for (size_t i = 0; i < node->route_count; i++) {
		const struct mw_graph_route *route = &node->routes[i];
		const struct mw_plan_net *net = &graph->plan->nets[route->net];

		for (size_t s = 0; s < net->sink_count; s++) {
			fprintf(out, "  n%zu -->|\"", index);
			mw_draw_put(out, MW_ESCAPE_MERMAID, graph->domains[route->domain].name);
			fputc(' ', out);
			mw_draw_put(out, MW_ESCAPE_MERMAID, route->label);
			fprintf(out, "\"| n%" PRIu32 "\n", net->sinks[s].node);
		}
	}
}

void mw_graph_mermaid(const struct mw_graph *graph, FILE *out)
{
	fputs("flowchart TB\n", out);
	for (size_t i = 0; i < graph->node_count; i++) {
		if (shown(graph, i))
			mermaid_node(graph, i, out);
	}
	for (size_t i = 0; i < graph->plan->node_count; i++) {
		if (shown(graph, i))
			fprintf(out, "  n%ld --- n%zu\n", graph->nodes[i].bus, i);
	}
	for (size_t i = 0; i < graph->plan->node_count; i++)
		mermaid_routes(graph, &graph->nodes[i], i, out);
	for (size_t i = 0; i < graph->wire_count; i++) {
		fprintf(out, "  n%" PRIu32 " -.-|\"", graph->wires[i].node[0]);
		mw_draw_put(out, MW_ESCAPE_MERMAID, graph->wires[i].text);
		fprintf(out, "\"| n%" PRIu32 "\n", graph->wires[i].node[1]);
	}
}

static void json_claims(const struct mw_graph *graph, const struct mw_plan_node *node,
			struct mw_json *json)
{
	struct mw_arena arena = { 0 };

	mw_json_array(json, "claims");
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "kind", mw_words_kind(claim->kind));
		mw_json_string(json, "name", claim->name);
		if (claim->kind == MW_CLAIM_IO || claim->kind == MW_CLAIM_MMIO) {
			mw_json_number(json, "base", claim->base);
			mw_json_number(json, "length", claim->length);
		} else if (claim->kind == MW_CLAIM_IRQ) {
			mw_json_string(json, "line", mw_words_net(&arena, graph->plan, claim->net));
		} else {
			mw_json_number(json, claim->kind == MW_CLAIM_DMA ? "channel" : "vectors",
				       claim->kind == MW_CLAIM_DMA ? claim->channel
								   : claim->vectors);
		}
		mw_json_string(json, "over", claim->overlays);
		mw_json_bool(json, "auto", claim->automatic);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
	mw_arena_fini(&arena);
}

static void json_nodes(const struct mw_graph *graph, struct mw_json *json)
{
	static const char *const roles[] = {
		[MW_GRAPH_DEVICE] = "device",         [MW_GRAPH_BUS] = "bus",
		[MW_GRAPH_CONTROLLER] = "controller", [MW_GRAPH_HOST] = "backend",
		[MW_GRAPH_DOCKED] = "backend",
	};

	mw_json_array(json, "nodes");
	for (size_t i = 0; i < graph->plan->node_count; i++) {
		const struct mw_plan_node *node = &graph->plan->nodes[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "id", node->id);
		mw_json_string(json, "type", node->type->name);
		mw_json_string(json, "role", roles[graph->nodes[i].kind]);
		mw_json_string(json, "bus", node->host ? NULL : node->bus);
		mw_json_string(json, "address", node->address);
		json_claims(graph, node, json);
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
}

static void json_lines(const struct mw_graph *graph, struct mw_json *json)
{
	const struct mw_plan *plan = graph->plan;
	struct mw_arena arena = { 0 };

	mw_json_array(json, "lines");
	for (size_t i = 0; i < plan->net_count; i++) {
		const struct mw_plan_net *net = &plan->nets[i];

		mw_json_object(json, NULL);
		mw_json_string(json, "line", mw_words_net(&arena, plan, (uint32_t)i));
		mw_json_string(json, "domain", net->domain);
		if (net->gsi != MW_NO_GSI)
			mw_json_number(json, "gsi", net->gsi);
		mw_json_array(json, "sinks");
		for (size_t s = 0; s < net->sink_count; s++)
			mw_json_string(json, NULL,
				       mw_words_end(&arena, plan, net->sinks[s].node,
						    net->sinks[s].wire, net->sinks[s].index));
		mw_json_end(json, ']');
		mw_json_end(json, '}');
	}
	mw_json_end(json, ']');
	mw_arena_fini(&arena);
}

void mw_graph_json(const struct mw_graph *graph, FILE *out)
{
	const struct mw_plan *plan = graph->plan;
	struct mw_json json = { .out = out };
	struct mw_arena arena = { 0 };

	mw_json_object(&json, NULL);
	mw_json_number(&json, "v", 1);
	mw_json_string(&json, "name", plan->name);
	mw_json_number(&json, "version", plan->version);
	json_nodes(graph, &json);
	json_lines(graph, &json);
	mw_json_array(&json, "links");
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_link *link = &plan->links[i];

		mw_json_object(&json, NULL);
		for (unsigned side = 0; side < 2; side++)
			mw_json_string(&json, side ? "to" : "from",
				       mw_words_end(&arena, plan, link->node[side],
						    link->wire[side], link->index[side]));
		mw_json_end(&json, '}');
	}
	mw_json_end(&json, ']');
	mw_json_end(&json, '}');
	mw_arena_fini(&arena);
}
