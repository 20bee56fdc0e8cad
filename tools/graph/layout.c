/* Places: buses as bars below one another, rows of devices under them, lanes between the rows. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/draw/svg.h"
#include "tools/graph/graph.h"

enum {
	MARGIN = 20,
	HEAD = 58,    /* title and summary */
	INDENT = 28,  /* of a child bus */
	BAR = 24,     /* height of a bus */
	PAD = 8,      /* inside a box */
	GAP = 14,     /* between boxes of a row */
	HANG = 12,    /* from a bus to its device */
	LABEL = 18,   /* under a row, for line numbers */
	LANE = 8,     /* from lane to lane */
	UPRIGHT = 12, /* from upright to upright */
	ROW_GAP = 16,
	ROW_LEAST = 3,
	ROW_MOST = 12,
	BOX_LEAST = 90
};

/* The row that is being filled: which domains have a lane, and how many wires. */
struct row {
	size_t *seen; /* per domain: the number of the last row that used it */
	long *lane;   /* per domain: its lane in that row */
	size_t number;
};

struct layout {
	struct mw_graph *graph;
	struct row row;
	long y;            /* where the next thing begins */
	long right;        /* the rightmost edge of what stands in rows */
	long left;         /* of the content: wires go up and down before it */
	long target;       /* how wide a row may be */
	size_t *wire_next; /* per node: how many of its wire ends have a lane */
};

static void measure(struct mw_graph_node *node)
{
	long width = BOX_LEAST, stubs = PAD;

	for (size_t i = 0; i < node->text_count; i++) {
		long text = (long)mw_svg_text_width(node->texts[i].text) + 2 * PAD;

		width = text > width ? text : width;
	}
	for (size_t i = 0; i < node->route_count && i < 6; i++)
		stubs += (long)mw_svg_text_width(node->routes[i].label) + MW_GRAPH_STUB_GAP;
	stubs += 8 * (long)(node->wires < 4 ? node->wires : 4) + PAD;
	node->width = stubs > width ? stubs : width;
	node->height = 2 * PAD + (long)(MW_SVG_LINE * node->text_count) +
		       (node->feet && node->feet < node->text_count ? 4 : 0);
}

size_t mw_graph_stubs(const struct mw_graph_node *node)
{
	return node->route_count < 6 ? node->route_count : 6;
}

long mw_graph_stub_x(const struct mw_graph_node *node, size_t index)
{
	long x = node->x + PAD;

	for (size_t i = 0; i < index; i++)
		x += (long)mw_svg_text_width(node->routes[i].label) + MW_GRAPH_STUB_GAP;
	return x;
}

static void reach(struct mw_graph_domain *domain, long x, long y)
{
	if (x < domain->left) {
		domain->left = x;
		domain->top = domain->bottom = y;
	}
	domain->top = y < domain->top ? y : domain->top;
	domain->bottom = y > domain->bottom ? y : domain->bottom;
}

/* Lanes for the interrupt lines of one device in the row under way. */
static void take_lanes(struct layout *layout, struct mw_graph_node *node, size_t *lanes)
{
	struct row *row = &layout->row;

	for (size_t i = 0; i < node->route_count; i++) {
		size_t domain = node->routes[i].domain;

		if (row->seen[domain] == row->number)
			continue;
		row->seen[domain] = row->number;
		row->lane[domain] = (long)(*lanes)++;
	}
}

/* Devices [first, stop) of a bus stand side by side, each `width` wide. */
static void place_row(struct layout *layout, const struct mw_graph_node *bus, long first, long stop,
		      long width)
{
	struct mw_graph *graph = layout->graph;
	long x = bus->x + INDENT, tallest = 0;
	size_t lanes = 0, routes = 0;

	layout->row.number++;
	for (long i = first; i != stop; i = graph->nodes[i].next_child) {
		struct mw_graph_node *node = &graph->nodes[i];

		node->x = x;
		node->y = layout->y + HANG;
		node->width = width;
		x += width + GAP;
		tallest = node->height > tallest ? node->height : tallest;
		take_lanes(layout, node, &lanes);
		routes += node->route_count;
	}
	layout->right = x - GAP > layout->right ? x - GAP : layout->right;
	layout->y += HANG + tallest;
	layout->y += routes ? LABEL : 0;
	for (long i = first; i != stop; i = graph->nodes[i].next_child) {
		struct mw_graph_node *node = &graph->nodes[i];

		node->rail = node->y - HANG;
		node->height = tallest;
		for (size_t r = 0; r < node->route_count; r++) {
			struct mw_graph_route *route = &node->routes[r];

			route->lane = layout->y + LANE * layout->row.lane[route->domain];
			reach(&graph->domains[route->domain], node->x, route->lane);
		}
	}
	layout->y += LANE * (long)lanes;
	/* Wires take the lanes below, in the order of their ends. */
	for (long i = first; i != stop; i = graph->nodes[i].next_child) {
		struct mw_graph_node *node = &graph->nodes[i];

		node->wire_at = layout->y + (node->wires ? LANE : 0);
		layout->y += LANE * (long)node->wires;
	}
	layout->y += ROW_GAP;
}

static void place_rows(struct layout *layout, struct mw_graph_node *bus)
{
	struct mw_graph *graph = layout->graph;
	long widest = 0, first = bus->first_child;

	for (long i = first; i != MW_GRAPH_NONE; i = graph->nodes[i].next_child)
		widest = graph->nodes[i].width > widest ? graph->nodes[i].width : widest;
	while (first != MW_GRAPH_NONE) {
		long stop = first, x = bus->x + INDENT;

		do {
			stop = graph->nodes[stop].next_child;
			x += widest + GAP;
		} while (stop != MW_GRAPH_NONE && x + widest <= layout->target);
		bus->spine = layout->y;
		place_row(layout, bus, first, stop, widest);
		first = stop;
	}
}

/* What stands in a bus's bar, side by side. */
static long bar_width(const struct mw_graph_node *bus)
{
	long width = PAD;

	for (size_t i = 0; i < bus->text_count; i++)
		width += (long)mw_svg_text_width(bus->texts[i].text) + 2 * PAD;
	return width;
}

static void place_bus(struct layout *layout, struct mw_graph_node *bus)
{
	struct mw_graph *graph = layout->graph;
	struct mw_graph_node *parent = bus->bus >= 0 ? &graph->nodes[bus->bus] : NULL;
	long last = MW_GRAPH_NONE;

	bus->x = parent ? parent->x + INDENT : layout->left;
	bus->y = layout->y;
	bus->height = BAR;
	if (parent)
		parent->spine = bus->y + BAR / 2;
	layout->y += BAR;
	bus->spine = layout->y;
	place_rows(layout, bus);
	bus->width = bar_width(bus);
	for (long i = bus->first_child; i != MW_GRAPH_NONE; i = graph->nodes[i].next_child) {
		struct mw_graph_node *node = &graph->nodes[i];

		if (last >= 0 && graph->nodes[last].rail != node->rail)
			break; /* the first row is what hangs from the bar itself */
		if (node->x + node->width - bus->x > bus->width)
			bus->width = node->x + node->width - bus->x;
		last = i;
	}
	if (bus->x + bus->width > layout->right)
		layout->right = bus->x + bus->width;
	if (bus->first_child == MW_GRAPH_NONE)
		layout->y += ROW_GAP;
	/* Its own lines leave at the end of the bar. */
	for (size_t r = 0; r < bus->route_count; r++) {
		bus->routes[r].lane = bus->y + BAR / 2;
		reach(&graph->domains[bus->routes[r].domain], bus->x, bus->routes[r].lane);
	}
}

/* Every bus below `root`, a parent before its children, without recursion: depth is the profile's. */
static void place_tree(struct layout *layout, long root)
{
	struct mw_graph *graph = layout->graph;
	long at = root;

	for (;;) {
		place_bus(layout, &graph->nodes[at]);
		if (graph->nodes[at].first_bus != MW_GRAPH_NONE) {
			at = graph->nodes[at].first_bus;
			continue;
		}
		while (at != root && graph->nodes[at].next_bus == MW_GRAPH_NONE)
			at = graph->nodes[at].bus;
		if (at == root)
			return;
		at = graph->nodes[at].next_bus;
	}
}

/* Controllers under one another, right of the uprights; lines come in at their rows. */
static void place_controllers(struct layout *layout)
{
	struct mw_graph *graph = layout->graph;
	struct mw_graph_node *sys = &graph->nodes[graph->sys];
	long y = sys->y + BAR + HANG + 10, widest = 0;

	for (size_t i = 0; i < graph->controller_count; i++) {
		long width = graph->nodes[graph->controllers[i]].width;

		widest = width > widest ? width : widest;
	}
	for (size_t i = 0; i < graph->controller_count; i++) {
		struct mw_graph_node *node = &graph->nodes[graph->controllers[i]];

		node->x = graph->column;
		node->y = y;
		node->width = widest;
		y += node->height + GAP + (node->route_count ? LABEL + LANE : 0);
		for (size_t e = 0; e < node->entry_count; e++)
			reach(&graph->domains[node->entries[e].domain], node->x,
			      node->y + PAD + MW_SVG_LINE * (long)node->entries[e].row +
				      MW_SVG_LINE / 2);
		for (size_t r = 0; r < node->route_count; r++) {
			node->routes[r].lane = node->y + node->height + LABEL;
			reach(&graph->domains[node->routes[r].domain], node->x,
			      node->routes[r].lane);
		}
	}
	layout->y = y > layout->y ? y : layout->y;
	if (!graph->controller_count)
		return;
	/* The system bus leads there, and down beside them. */
	graph->width = graph->column + widest + 2 * MARGIN;
	sys->width = graph->column + widest + MARGIN - 4 - sys->x;
}

static void place_wires(struct layout *layout)
{
	struct mw_graph *graph = layout->graph;
	long at = 0;

	for (size_t i = 0; i < graph->wire_count; i++) {
		struct mw_graph_wire *wire = &graph->wires[i];

		if (!wire->drawn)
			continue;
		for (unsigned side = 0; side < 2; side++) {
			struct mw_graph_node *node = &graph->nodes[wire->node[side]];

			wire->lane[side] =
				node->wire_at + LANE * (long)layout->wire_next[wire->node[side]]++;
		}
		/* Within a row it needs no way round. */
		wire->direct = graph->nodes[wire->node[0]].rail == graph->nodes[wire->node[1]].rail;
		if (wire->direct)
			wire->lane[1] = wire->lane[0];
		else
			wire->x = layout->left - 12 - LANE * (at++ % 64);
	}
}

/* As wide as a number of the widest boxes, so that the picture is a page across. */
static long row_width(const struct mw_graph *graph)
{
	long boxes = 0, per_row = ROW_LEAST, widest = 0;

	for (size_t i = 0; i < graph->plan->node_count; i++) {
		const struct mw_graph_node *node = &graph->nodes[i];

		if (node->kind != MW_GRAPH_DEVICE)
			continue;
		boxes++;
		widest = node->width > widest ? node->width : widest;
	}
	while (per_row < ROW_MOST && per_row * per_row < boxes)
		per_row++;
	return per_row * (widest + GAP);
}

/* The bar texts of the two buses that are no nodes. */
static void name_bus(struct mw_graph *graph, size_t index)
{
	struct mw_graph_node *bus = &graph->nodes[index];

	bus->texts = mw_arena_alloc(&graph->arena, 2, sizeof(*bus->texts));
	bus->texts[0] = (struct mw_graph_text){ bus->id, "onbus" };
	bus->texts[1] = (struct mw_graph_text){ bus->type, "onbusdim" };
	bus->text_count = 2;
}

static void lay_out(struct layout *layout)
{
	struct mw_graph *graph = layout->graph;
	bool lines = graph->controller_count > 0;

	layout->y = HEAD;
	place_tree(layout, (long)graph->sys);
	if (graph->nodes[graph->host].first_child != MW_GRAPH_NONE)
		place_tree(layout, (long)graph->host);
	graph->width = layout->right + MARGIN;
	graph->column = layout->right + 30 + UPRIGHT * (long)graph->domain_count + 20;
	place_controllers(layout);
	place_wires(layout);
	for (size_t i = 0; i < graph->domain_count && lines; i++)
		graph->domains[i].left = layout->right + 30 + UPRIGHT * (long)i;
	graph->legend = layout->y + MARGIN;
}

void mw_graph_layout(struct mw_graph *graph)
{
	struct layout layout = { .graph = graph };
	size_t upright = graph->drawn_wires < 64 ? graph->drawn_wires : 64;
	long least = (long)mw_svg_text_width(graph->summary) + 2 * MARGIN;

	for (size_t i = 0; i < graph->plan->node_count; i++)
		measure(&graph->nodes[i]);
	name_bus(graph, graph->sys);
	name_bus(graph, graph->host);
	layout.row.seen = mw_arena_alloc(&graph->arena, graph->domain_count + 1, sizeof(size_t));
	layout.row.lane = mw_arena_alloc(&graph->arena, graph->domain_count + 1, sizeof(long));
	layout.wire_next = mw_arena_alloc(&graph->arena, graph->node_count, sizeof(size_t));
	layout.left = MARGIN + (upright ? 12 + LANE * (long)upright : 0);
	layout.target = layout.left + INDENT + row_width(graph);
	lay_out(&layout);
	graph->width = least > graph->width ? least : graph->width;
}
