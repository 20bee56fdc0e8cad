/** What a picture of a plan shows: made by model.c, placed by layout.c, written by the others. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_GRAPH_GRAPH_H
#define TOOLS_GRAPH_GRAPH_H

#include "core/plan.h"

enum { MW_GRAPH_NONE = -1, MW_GRAPH_ENTRIES = 6 };

enum mw_graph_kind {
	MW_GRAPH_DEVICE,
	MW_GRAPH_BUS,
	MW_GRAPH_CONTROLLER, /* lines of a domain end at it */
	MW_GRAPH_HOST,       /* a backend that belongs to no one device */
	MW_GRAPH_DOCKED      /* a backend shown as the foot of its device */
};

/** A text of a node. */
struct mw_graph_text {
	const char *text, *class;
};

/** An interrupt line as one of its drivers has it. */
struct mw_graph_route {
	uint32_t node, net;
	size_t domain; /* index into graph->domains */
	const char *label, *tip;
	long lane; /* y of the lane to its upright; set by layout */
};

/** Where routes of a domain end, and what stands in the controller's box about it. */
struct mw_graph_entry {
	size_t domain, row; /* the first of its texts */
};

/** Lines of one name, or (`sink` a node) those wired by hand to one controller. */
struct mw_graph_domain {
	const char *name;
	long sink;
	size_t route_count;
	long left, top, bottom; /* of its upright; set by layout */
};

struct mw_graph_wire {
	uint32_t node[2];
	const char *text; /* "com3.port - null1.port" */
	long lane[2], x;  /* set by layout */
	bool drawn;       /* both ends have a place in a row */
	bool direct;      /* both in the same one; set by layout */
};

struct mw_graph_node {
	const struct mw_plan_node *plan; /* NULL: sys, and the host's side */
	const char *id, *type;
	enum mw_graph_kind kind;
	long bus, first_bus, last_bus, next_bus;  /* tree of buses; indices or MW_GRAPH_NONE */
	long first_child, last_child, next_child; /* the devices of a bus */
	struct mw_graph_text *texts;
	size_t text_count, text_capacity, feet; /* the last `feet` texts are the host's side */
	struct mw_graph_route *routes;
	size_t route_count, route_capacity;
	struct mw_graph_entry entries[MW_GRAPH_ENTRIES];
	size_t entry_count;
	size_t wires; /* ends of drawn wires */
	const char *tip;
	/* Set by layout: the box, or a bus's bar; `spine` is where its rail ends below. */
	long x, y, width, height, spine, rail, wire_at;
};

/** Nodes are those of the plan under their numbers, then sys, then the host's side. */
struct mw_graph {
	struct mw_arena arena;
	const struct mw_plan *plan;
	struct mw_graph_node *nodes;
	size_t node_count, sys, host;
	struct mw_graph_domain *domains;
	size_t domain_count, domain_capacity;
	struct mw_graph_wire *wires;
	size_t wire_count, wire_capacity, drawn_wires;
	long *controllers; /* in the plan's order */
	size_t controller_count;
	const char *title, *summary;
	long width, height, column; /* of the picture; x of the controllers */
	long legend;                /* y of the legend */
};

/** Makes the model; free with mw_graph_fini. Borrows the plan. */
void mw_graph_make(struct mw_graph *graph, const struct mw_plan *plan);
void mw_graph_fini(struct mw_graph *graph);
/** Gives everything its place. */
void mw_graph_layout(struct mw_graph *graph);

void mw_graph_svg(const struct mw_graph *graph, FILE *out);
void mw_graph_dot(const struct mw_graph *graph, FILE *out);
void mw_graph_mermaid(const struct mw_graph *graph, FILE *out);
void mw_graph_json(const struct mw_graph *graph, FILE *out);

/** Pixels a text takes below its stub, and how many of a node's routes have one; the rest share the
 * last one's place. */
enum { MW_GRAPH_STUB_GAP = 12 };
size_t mw_graph_stubs(const struct mw_graph_node *node);
/** The x of stub `index`. */
long mw_graph_stub_x(const struct mw_graph_node *node, size_t index);

/** Runs graphviz's dot on the graph and writes the SVG it makes. False: *why is a constant text. */
bool mw_graph_graphviz(const struct mw_graph *graph, FILE *out, const char **why);

#endif
